/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of lib/store share: a store in a temporary directory, small configurations, children. */
#ifndef LIBCTR_TESTS_STORE_TEST_H
#define LIBCTR_TESTS_STORE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <libctr/state.h>

#include "store/env.h"
#include "sys/fd.h"
#include "sys/path.h"
#include "util/cleanup.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZER 1
#endif
#endif

struct fx {
	char dir[128], root[160], run[160];
	struct ctr__store *s;
};

/* What forked children leave behind by design stays reachable for leak checkers. */
static struct fx *volatile latest_fx __attribute__((unused));

/* Fails the test with the error's text unless r >= 0. */
#define OK(expression)                                                                \
	do {                                                                          \
		ctr_error_t *err_ = NULL, **err = &err_;                              \
		int r_ = (expression);                                                \
		if (r_ < 0)                                                           \
			fail_msg("%s: %s (%s)", #expression, ctr_error_message(err_), \
			    ctr_error_name(r_));                                      \
		assert_null(err_);                                                    \
	} while (0)

/* Fails the test unless the expression gives `code` with an error object whose text has `word`. */
#define FAILS_WITH(code, word, expression)                                                    \
	do {                                                                                  \
		ctr_error_t *err_ = NULL, **err = &err_;                                      \
		int r_ = (expression);                                                        \
		if (r_ != (code))                                                             \
			fail_msg("%s: %s instead of %s: %s", #expression, ctr_error_name(r_), \
			    ctr_error_name(code), ctr_error_message(err_));                   \
		assert_int_equal(ctr_error_code(err_), code);                                 \
		if (!strstr(ctr_error_message(err_), word))                                   \
			fail_msg("\"%s\" lacks \"%s\"", ctr_error_message(err_), word);       \
		ctr_error_free(err_);                                                         \
	} while (0)
#define FAILS(code, expression) FAILS_WITH(code, "", expression)

/* ---- the fixture ---- */

static inline struct fx *fx_new(void)
{
	struct fx *f = calloc(1, sizeof(*f));
	const char *tmp = getenv("TMPDIR");

	assert_non_null(f);
	latest_fx = f;
	snprintf(f->dir, sizeof(f->dir), "%s/ctr-store-XXXXXX", tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->root, sizeof(f->root), "%s/root", f->dir);
	snprintf(f->run, sizeof(f->run), "%s/run", f->dir);
	return f;
}

static inline void fx_close(struct fx *f)
{
	ctr__store_unref(f->s);
	f->s = NULL;
}

static inline void fx_open(struct fx *f)
{
	OK(ctr__store_open(f->root, f->run, &f->s, err));
}

static inline void fx_reopen(struct fx *f)
{
	fx_close(f);
	fx_open(f);
}

/* A directory with what is in it. */
static inline void remove_dir(const char *path)
{
	CTR__FREE char *parent = strdup(path);
	CTR__CLOSE int fd = -1;

	*strrchr(parent, '/') = '\0';
	fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(ctr__remove_tree_at(fd, path + strlen(parent) + 1), 0);
}

static inline void fx_free(struct fx *f)
{
	fx_close(f);
	remove_dir(f->dir);
	free(f);
}

static inline int setup_closed(void **state)
{
	*state = fx_new();
	return 0;
}

static inline int setup(void **state)
{
	struct fx *f = fx_new();

	*state = f;
	fx_open(f);
	return 0;
}

static inline int teardown(void **state)
{
	fx_free(*state);
	return 0;
}

#define TEST(fn)        cmocka_unit_test_setup_teardown(fn, setup, teardown)
#define TEST_CLOSED(fn) cmocka_unit_test_setup_teardown(fn, setup_closed, teardown)

/* ---- configurations ---- */

/* `more`: further members, each with a comma in front, or "". name may be NULL. */
static inline ctr_config_t *config(const char *id, const char *name, const char *more)
{
	CTR__BUF struct ctr__buf json = {0};
	ctr_error_t *err = NULL;
	ctr_config_t *cfg = NULL;

	ctr__buf_addf(&json,
	    "{\"spec\":{\"ociVersion\":\"1.0.2\",\"process\":{\"cwd\":\"/"
	    "\",\"args\":[\"sleep\",\"1\"]},"
	    "\"linux\":{\"namespaces\":[{\"type\":\"pid\"}]}},\"id\":\"%s\",\"rootfs\":\"/srv/"
	    "root\","
	    "\"createdTime\":\"2024-01-02T03:04:05Z\"",
	    id);
	if (name)
		ctr__buf_addf(&json, ",\"name\":\"%s\"", name);
	ctr__buf_addf(&json, "%s}", more);
	assert_false(json.failed);
	if (ctr__config_parse(json.data, json.len, &cfg, &err) < 0)
		fail_msg("%s", ctr_error_message(err));
	return cfg;
}

static inline void cfg_freep(ctr_config_t **cfg)
{
	ctr_config_unref(*cfg);
}
#define CFG CTR__CLEANUP(cfg_freep)

static inline int try_add(struct fx *f, const char *id, const char *name, const char *more,
    uint32_t *slot, ctr_error_t **err)
{
	CFG ctr_config_t *cfg = config(id, name, more);
	uint32_t unused;

	return ctr__store_add(f->s, cfg, NULL, slot ? slot : &unused, err);
}

static inline uint32_t add(struct fx *f, const char *id, const char *name, const char *more)
{
	uint32_t slot = 0;

	OK(try_add(f, id, name, more, &slot, err));
	return slot;
}

static inline int try_rewrite(struct fx *f, const char *id, const char *name, const char *more,
    uint64_t *gen, ctr_error_t **err)
{
	CFG ctr_config_t *cfg = config(id, name, more);
	uint64_t unused;

	return ctr__store_rewrite(f->s, cfg, NULL, gen ? gen : &unused, err);
}

static inline int has(struct fx *f, const char *id)
{
	ctr_error_t *err = NULL;
	int r = ctr__store_has(f->s, id, &err);

	if (r < 0)
		fail_msg("%s", ctr_error_message(err));
	return r;
}

static inline size_t count(struct fx *f)
{
	size_t n = 0;

	OK(ctr__store_count(f->s, &n, err));
	return n;
}

static inline void save(struct fx *f, const char *id, int32_t state, int32_t pid)
{
	struct ctr__state st;
	struct ctr__summary sum = {.state = state, .pid = pid};
	struct ctr__save job = {.id = id, .state = &st, .summary = &sum};

	ctr__state_init(&st, state);
	st.pid = pid;
	OK(ctr__store_save_state(f->s, &job, err));
}

/* The decoded state record; strings in `raw`. */
static inline void load(struct fx *f, const char *id, struct ctr__buf *raw, struct ctr__state *out)
{
	int found = 0;

	OK(found = ctr__store_load_state(f->s, id, raw, err));
	assert_int_equal(found, 1);
	OK(ctr__state_decode(raw->data, raw->len, out, err));
}

/* ---- children ---- */

/* Runs fn in a child, which opens the store for itself. Its result is the exit status. */
static inline pid_t child(struct fx *f, int (*fn)(struct fx *, int), int arg)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		f->s = NULL;
		if (ctr__store_open(f->root, f->run, &f->s, NULL) < 0)
			_exit(99);
		_exit(fn(f, arg));
	}
	return pid;
}

static inline void child_ends(pid_t pid, int status)
{
	int st = 0;

	assert_int_equal(waitpid(pid, &st, 0), pid);
	if (!WIFEXITED(st) || WEXITSTATUS(st) != status)
		fail_msg("child ended with %s %d, not with status %d",
		    WIFEXITED(st) ? "status" : "signal",
		    WIFEXITED(st) ? WEXITSTATUS(st) : WTERMSIG(st), status);
}

/* ---- files ---- */

static inline void write_file(const char *dir, const char *name, const char *text)
{
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "we");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

__attribute__((noinline, unused)) static char *read_file(const char *dir, const char *name)
{
	CTR__CLOSE int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char *text = NULL;

	assert_int_equal(ctr__read_file_at(fd, name, 1 << 20, &text, NULL), 0);
	return text;
}

static inline bool file_exists(const char *dir, const char *name)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return access(path, F_OK) == 0;
}

/* As if the machine had been started anew. */
static inline void pretend_reboot(struct fx *f)
{
	CTR__FREE char *text = NULL;
	char *at;

	fx_close(f);
	text = read_file(f->run, "libctr.run");
	at = strstr(text, "\"bootId\":\"");
	assert_non_null(at);
	memcpy(at + 10, "00000000", 8);
	write_file(f->run, "libctr.run", text);
}

/* ---- consistency ---- */

/* Everything that must hold between the databases. */
static inline int check_one(const char *id, void *userdata)
{
	struct fx *f = userdata;
	CTR__BUF struct ctr__buf json = {0};
	char found[CTR__ID_MAX + 1];
	uint64_t gen;
	uint32_t slot;

	OK(ctr__store_lookup(f->s, id, found, err));
	assert_string_equal(found, id);
	OK(ctr__store_get_config(f->s, id, &json, &slot, &gen, err));
	return 0;
}

static inline size_t check_consistent(struct fx *f)
{
	ctr_list_t *list = NULL;
	struct ctr__list_entry e;
	MDB_stat st;
	struct ctr__read rd = {0};
	size_t n = count(f);

	OK(ctr__store_each(f->s, check_one, f, err));
	OK(ctr__store_list(f->s, NULL, &list, err));
	assert_int_equal(ctr__list_count(list), count(f));
	for (size_t i = 0; ctr__list_at(list, i, &e); i++) {
		char found[CTR__ID_MAX + 1];

		assert_int_equal(has(f, e.id), 1);
		if (*e.sum.name) {
			OK(ctr__store_lookup(f->s, e.sum.name, found, err));
			assert_string_equal(found, e.id);
		}
	}
	ctr__list_free(list);
	/* No orphans in the run environment, and a record of everything. */
	OK(ctr__read_begin(&f->s->run_env, &rd, err));
	for (int db = CTR__DB_STATE; db <= CTR__DB_SUM; db++) {
		assert_int_equal(mdb_stat(rd.txn, f->s->run_env.db[db], &st), 0);
		assert_int_equal(st.ms_entries, n);
	}
	ctr__read_end(&rd);
	return n;
}

#endif
