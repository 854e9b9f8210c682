/* SPDX-License-Identifier: Apache-2.0 */
/*
 * No memory: every operation, with the N-th allocation failing (alone, or with all that follow), for N = 1, 2, 3...
 * until none fails. Each must succeed or say CTR_E_NOMEM, and the next call must work.
 *
 * The allocator of the whole process is replaced, so LMDB's, yajl's and the C library's requests fail too. Where a
 * sanitizer owns the allocator (FAULT_WRAP) only those of the library's own code do.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "fixture.h"
#include "spec_rows.h"

/* ---- the allocator ---- */

static volatile long fail_at, made; /* 0 = none fails */
static volatile int fail_rest;

static int refuse(void)
{
	if (!fail_at)
		return 0;
	made++;
	if (made != fail_at && !(fail_rest && made > fail_at))
		return 0;
	errno = ENOMEM;
	return 1;
}

#ifdef FAULT_WRAP
#define REAL(name) __real_##name
#define FAKE(name) __wrap_##name
#else
#define REAL(name) __libc_##name
#define FAKE(name) name
#endif

void *REAL(malloc)(size_t n);
void *REAL(calloc)(size_t n, size_t size);
void *REAL(realloc)(void *p, size_t n);
void *FAKE(malloc)(size_t n);
void *FAKE(calloc)(size_t n, size_t size);
void *FAKE(realloc)(void *p, size_t n);

void *FAKE(malloc)(size_t n)
{
	return refuse() ? NULL : REAL(malloc)(n);
}

void *FAKE(calloc)(size_t n, size_t size)
{
	return refuse() ? NULL : REAL(calloc)(n, size);
}

void *FAKE(realloc)(void *p, size_t n)
{
	return refuse() ? NULL : REAL(realloc)(p, n);
}

#ifdef FAULT_WRAP
/* The sanitizers' strdup() does not come here by itself. */
char *__wrap_strdup(const char *s);
char *__wrap_strndup(const char *s, size_t n);

char *__wrap_strndup(const char *s, size_t n)
{
	size_t len = strnlen(s, n);
	char *copy = __wrap_malloc(len + 1);

	if (!copy)
		return NULL;
	memcpy(copy, s, len);
	copy[len] = '\0';
	return copy;
}

char *__wrap_strdup(const char *s)
{
	return __wrap_strndup(s, strlen(s));
}
#endif

/* ---- operations ---- */

struct bench {
	struct fixture *f;
	struct fake_oci *loose; /* one that can do without cgroups */
	ctr_container_t *c;
	ctr_container_t *donor; /* what `c` depends on and joins, in operations of a family */
	ctr_pod_t *pod;         /* in which `c` and, before it, the infra container are */
	ctr_config_t *cfg;
	ctr_exec_t *exec; /* a session of `c`, in operations on one */
	char *json;
	size_t json_len;
	const char *const *hooks_dirs;
	int64_t since_ns; /* events of this try only */
};

#define FAMILY \
	100 /* `from`: it is configured and depends on another one, which is configured, too */

#define SESSION         110 /* it runs and has an exec session */
#define SESSION_RUNNING 111

#define PROCESS     103 /* it is running, and this process is its first one */
#define NO_CGROUP   104 /* ... and it has no cgroup */
#define POD         101 /* a pod with an infra container and one more */
#define POD_RUNNING 102

struct op {
	const char *name;
	int32_t
	    from; /* state of the container before; 0 = there is none, -1 = none, and not even a store */
	int (*act)(struct bench *b, ctr_error_t **err);
	int done[2]; /* what the second try may say if the first one got further than it told */
};

static int do_parse(struct bench *b, ctr_error_t **err)
{
	ctr_config_t *cfg = NULL;
	int r = ctr_config_from_json(b->json, b->json_len, &cfg, err);

	ctr_config_unref(cfg);
	return r;
}

static int do_write(struct bench *b, ctr_error_t **err)
{
	char *text = NULL;
	size_t len;
	int r = ctr_config_to_json(b->cfg, &text, &len, err);

	ctr_free(text);
	return r;
}

static int do_build(struct bench *b, ctr_error_t **err)
{
	ctr_config_builder_t *cb = ctr_config_builder_new();
	ctr_config_t *cfg = NULL;
	int r;

	if (!cb)
		return CTR_E_NOMEM;
	ctr_config_builder_set_str(cb, CTR_CONFIG_ROOTFS, b->f->rootfs, NULL);
	ctr_config_builder_set_str(cb, CTR_CONFIG_RUNTIME, "fake", NULL);
	ctr_config_builder_add_str(cb, CTR_CONFIG_COMMAND, "/bin/true", NULL);
	r = ctr_config_builder_build(cb, &cfg, err);
	ctr_config_builder_free(cb);
	ctr_config_unref(cfg);
	return r;
}

static int do_open(struct bench *b, ctr_error_t **err)
{
	struct ctr_open_opts o = {.size = sizeof(o), .root = b->f->root, .run_root = b->f->run};
	ctr_runtime_t *rt = NULL;
	int r = ctr_runtime_open(&o, &rt, err);

	ctr_runtime_unref(rt);
	return r;
}

static int do_create(struct bench *b, ctr_error_t **err)
{
	return ctr_container_create(b->f->rt, b->cfg, 0, NULL, err);
}

static int look_up(struct bench *b, const char *what, ctr_error_t **err)
{
	ctr_container_t *c = NULL;
	int r = ctr_container_lookup(b->f->rt, what, &c, err);

	ctr_container_unref(c);
	return r;
}

static int do_lookup(struct bench *b, ctr_error_t **err)
{
	return look_up(b, "victim", err);
}

static int do_prefix(struct bench *b, ctr_error_t **err)
{
	char prefix[9] = "";

	memcpy(prefix, ctr_container_id(b->c), 8);
	return look_up(b, prefix, err);
}

static int do_list(struct bench *b, ctr_error_t **err)
{
	const char *const filters[] = {"name=vic", "state=created", "state=running", NULL};
	ctr_list_t *list = NULL;
	int r = ctr_runtime_list(b->f->rt, filters, 0, &list, err);

	if (r >= 0)
		assert_int_equal(ctr_list_count(list), 1);
	ctr_list_free(list);
	return r;
}

static int do_snapshot(struct bench *b, ctr_error_t **err)
{
	ctr_state_t *s = NULL;
	char *text = NULL;
	size_t len;
	int r = ctr_container_snapshot(b->c, &s, err);

	if (r >= 0)
		r = ctr_state_to_json(s, &text, &len, err);
	ctr_free(text);
	ctr_state_free(s);
	return r;
}

static int do_inspect(struct bench *b, ctr_error_t **err)
{
	char *text = NULL;
	int r = ctr_container_inspect(b->c, CTR_INSPECT_SIZE, &text, NULL, err);

	if (r >= 0)
		assert_int_equal(text[strlen(text) - 1], '}');
	ctr_free(text);
	return r;
}

static int do_inspect_many(struct bench *b, ctr_error_t **err)
{
	char *text = NULL;
	int r = ctr_runtime_inspect_many(b->f->rt, NULL, 0, &text, NULL, err);

	if (r >= 0)
		assert_non_null(strstr(text, "[{\"Id\":"));
	ctr_free(text);
	return r;
}

static int do_init(struct bench *b, ctr_error_t **err)
{
	return ctr_container_init(b->c, 0, err);
}

/* By a runtime object with hook directories: conditions are matched, a precreate hook runs. */
static int do_init_with_hooks(struct bench *b, ctr_error_t **err)
{
	struct ctr_open_opts o = {.size = sizeof(o),
	    .root = b->f->root,
	    .run_root = b->f->run,
	    .hooks_dirs = b->hooks_dirs};
	struct fake_oci *fake = fake_oci_new();
	ctr_container_t *c = NULL;
	ctr_runtime_t *rt = NULL;
	int r;

	if (!fake)
		return CTR_E_NOMEM;
	r = ctr_runtime_open(&o, &rt, err);
	if (r >= 0)
		r = ctr_runtime_add_oci(rt, &fake_oci_ops, fake, fake_oci_destroy, err);
	if (r < 0)
		fake_oci_destroy(fake);
	if (r >= 0)
		r = ctr_container_get(rt, ctr_container_id(b->c), &c, err);
	if (r >= 0)
		r = ctr_container_init(c, 0, err);
	if (r >= 0)
		r = ctr_container_cleanup(c, 0, err);
	ctr_container_unref(c);
	ctr_runtime_unref(rt);
	return r;
}

static int do_start(struct bench *b, ctr_error_t **err)
{
	return ctr_container_start(b->c, 0, err);
}

/* An output that takes less than there is, so that something has to be kept. */
static int use_attach(struct bench *b, ctr_attach_t *a, ctr_error_t **err)
{
	static const char packet[8193] = "\2";
	int last = -1, fd;

	for (int i = 0; (fd = fake_oci_stream(b->f->fake, ctr_container_id(b->c), i)) >= 0; i++)
		last = fd;
	for (int i = 0; i < 3; i++)
		if (send(last, packet, sizeof(packet), MSG_NOSIGNAL) < 0)
			return CTR_E_SYSTEM;
	return ctr_attach_process(a, err);
}

static int with_pipe(struct bench *b,
    int (*attach)(
        struct bench *b, const struct ctr_attach_opts *o, ctr_attach_t **a, ctr_error_t **err),
    ctr_error_t **err)
{
	struct ctr_attach_opts o = {.size = sizeof(o), .flags = CTR_ATTACH_STDOUT};
	ctr_attach_t *a = NULL;
	int p[2], r;

	assert_int_equal(pipe(p), 0);
	fcntl(p[1], F_SETPIPE_SZ, 4096);
	o.stdout_fd = p[1];
	r = attach(b, &o, &a, err);
	if (r >= 0)
		r = use_attach(b, a, err);
	ctr_attach_unref(a);
	close(p[0]);
	close(p[1]);
	return r;
}

static int only_attach(
    struct bench *b, const struct ctr_attach_opts *o, ctr_attach_t **a, ctr_error_t **err)
{
	return ctr_container_attach(b->c, o, a, err);
}

static int do_attach(struct bench *b, ctr_error_t **err)
{
	return with_pipe(b, only_attach, err);
}

static int start_first(
    struct bench *b, const struct ctr_attach_opts *o, ctr_attach_t **a, ctr_error_t **err)
{
	return ctr_container_start_and_attach(b->c, 0, o, a, err);
}

static int do_start_and_attach(struct bench *b, ctr_error_t **err)
{
	return with_pipe(b, start_first, err);
}

static int do_http_attach(struct bench *b, ctr_error_t **err)
{
	const struct ctr_http_opts o = {.size = sizeof(o),
	    .flags = CTR_HTTP_STDIN | CTR_HTTP_STDOUT | CTR_HTTP_STREAM,
	    .initial = "early",
	    .initial_len = 5};
	ctr_attach_t *a = NULL;
	int s[2], r;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
	r = ctr_container_http_attach(b->c, s[1], &o, &a, err);
	if (r >= 0)
		r = ctr_attach_process(a, err);
	ctr_attach_unref(a);
	close(s[0]);
	close(s[1]);
	return r;
}

static int do_stop(struct bench *b, ctr_error_t **err)
{
	return ctr_container_stop(b->c, NULL, err);
}

static int do_restart(struct bench *b, ctr_error_t **err)
{
	return ctr_container_restart_with_timeout(b->c, 0, err);
}

static int do_handle_exit(struct bench *b, ctr_error_t **err)
{
	return ctr_container_handle_exit(b->c, CTR_EXIT_NO_DELAY, err);
}

static int do_should_start(struct bench *b, ctr_error_t **err)
{
	char **ids = NULL;
	int r = ctr_runtime_should_start(b->f->rt, &ids, err);

	ctr_strv_free(ids);
	return r;
}

static int do_boot(struct bench *b, ctr_error_t **err)
{
	return ctr_runtime_boot(b->f->rt, 0, err);
}

static int do_kill(struct bench *b, ctr_error_t **err)
{
	return ctr_container_kill(b->c, SIGKILL, err);
}

static int do_pause(struct bench *b, ctr_error_t **err)
{
	return ctr_container_pause(b->c, err);
}

static int do_unpause(struct bench *b, ctr_error_t **err)
{
	return ctr_container_unpause(b->c, err);
}

static int do_wait(struct bench *b, ctr_error_t **err)
{
	return ctr_container_wait(b->c, 1000, NULL, err);
}

static int do_wait_fd(struct bench *b, ctr_error_t **err)
{
	int r = ctr_container_wait_fd(b->c, err);

	if (r >= 0)
		close(r);
	return r;
}

static int do_sync(struct bench *b, ctr_error_t **err)
{
	return ctr_container_sync(b->c, err);
}

static int do_mount(struct bench *b, ctr_error_t **err)
{
	char *path = NULL;
	int r = ctr_container_mount(b->c, &path, err);

	ctr_free(path);
	return r;
}

static int do_cleanup(struct bench *b, ctr_error_t **err)
{
	return ctr_container_cleanup(b->c, 0, err);
}

static int do_remove(struct bench *b, ctr_error_t **err)
{
	return ctr_container_remove(b->c, CTR_REMOVE_FORCE, err);
}

static int do_start_family(struct bench *b, ctr_error_t **err)
{
	return ctr_container_start(b->c, CTR_START_RECURSIVE, err);
}

static int do_remove_family(struct bench *b, ctr_error_t **err)
{
	return ctr_container_remove(b->donor, CTR_REMOVE_FORCE | CTR_REMOVE_RECURSIVE, err);
}

static int do_dependents(struct bench *b, ctr_error_t **err)
{
	char **list = NULL;
	int r = ctr_container_dependents(b->donor, &list, err);

	ctr_strv_free(list);
	return r;
}

static int in_batch(ctr_container_t *view, void *code)
{
	int32_t state;

	*(int *)code = ctr_container_state(view, &state, NULL);
	return 0;
}

static int do_batch(struct bench *b, ctr_error_t **err)
{
	int code = 0;
	int r = ctr_container_batch(b->c, in_batch, &code, err);

	return r < 0 ? r : code;
}

static int do_events(struct bench *b, ctr_error_t **err)
{
	ctr_event_t *ev = NULL;
	int r = ctr_runtime_events_rewind(b->f->rt, b->since_ns, err);

	while (r >= 0 && (r = ctr_runtime_next_event(b->f->rt, &ev, err)) > 0)
		ev = ctr_event_unref(ev);
	return r;
}

/* Lines in both formats, in pieces, whole and from the end. */
static int read_log(struct bench *b, struct ctr_logs_opts o, ctr_error_t **err)
{
	ctr_logs_t *l = NULL;
	int r;

	o.size = sizeof(o);
	r = ctr_container_logs(b->c, &o, &l, err);
	while (r >= 0 && (r = ctr_logs_next(l, err)) == CTR_LOGS_LINE)
		assert_non_null(ctr_logs_text(l, NULL));
	ctr_logs_free(l);
	return r;
}

static void write_log(struct bench *b)
{
	ctr_config_t *cfg = ctr_container_config(b->c);
	FILE *f = fopen(ctr_config_log_path(cfg), "we");

	assert_non_null(f);
	for (int i = 0; i < 40; i++)
		fputs(
		    "2024-02-29T23:59:59.1+05:30 stdout P a\n"
		    "{\"log\":\"j\\n\",\"stream\":\"stderr\",\"time\":\"2024-02-29T18:29:59.5Z\"}\n"
		    "2024-02-29T23:59:59.2+05:30 stdout F b\n",
		    f);
	fclose(f);
	ctr_config_unref(cfg);
}

static int do_logs(struct bench *b, ctr_error_t **err)
{
	long failing = fail_at;
	int r;

	fail_at = 0;
	write_log(b);
	fail_at = failing;
	r = read_log(b, (struct ctr_logs_opts){0}, err);
	if (r >= 0)
		r = read_log(b, (struct ctr_logs_opts){.flags = CTR_LOGS_TAIL, .tail = 3}, err);
	return r < 0 ? r : read_log(b, (struct ctr_logs_opts){.flags = CTR_LOGS_FOLLOW}, err);
}

static int do_top(struct bench *b, ctr_error_t **err)
{
	ctr_top_t *t = NULL;
	int r = ctr_container_top(b->c, NULL, &t, err);

	if (r >= 0)
		assert_true(ctr_top_rows(t) >= 1);
	ctr_top_free(t);
	return r;
}

static int do_stats(struct bench *b, ctr_error_t **err)
{
	ctr_stats_stream_t *stream = NULL;
	ctr_stats_t *s = NULL;
	int r = ctr_container_stats(b->c, &s, err);

	ctr_stats_free(s);
	s = NULL;
	if (r >= 0)
		r = ctr_container_stats_stream(b->c, 10, &stream, err);
	/* Due at once, by a timer. */
	while (r >= 0 && (r = ctr_stats_stream_next(stream, &s, err)) == 0)
		;
	ctr_stats_free(s);
	ctr_stats_stream_free(stream);
	return r;
}

static int do_events_fd(struct bench *b, ctr_error_t **err)
{
	const char *const filters[] = {"event=start", NULL};
	int r = ctr_runtime_events_filter(b->f->rt, filters, err);

	return r < 0 ? r : ctr_runtime_events_fd(b->f->rt, err);
}

static int do_rename(struct bench *b, ctr_error_t **err)
{
	int r = ctr_container_rename(b->c, "another", err);
	ctr_config_t *cfg = ctr_container_config(b->c);

	if (r >= 0)
		assert_string_equal(ctr_config_name(cfg), "another");
	ctr_config_unref(cfg);
	return r;
}

static int do_update(struct bench *b, ctr_error_t **err)
{
	static const char *const env[] = {"A=1", NULL}, *const unset[] = {"PATH", NULL};
	struct ctr_update_opts o = {.size = sizeof(o),
	    .resources = "{\"pids\":{\"limit\":60}}",
	    .restart_policy = "on-failure",
	    .restart_retries = 3,
	    .env = env,
	    .env_unset = unset};

	return ctr_container_update(b->c, &o, err);
}

static int do_refused_update(struct bench *b, ctr_error_t **err)
{
	struct ctr_update_opts o = {.size = sizeof(o), .resources = "{\"pids\":{\"limit\":60}}"};
	int r;

	fake_oci_fail(b->f->fake, FAKE_UPDATE, CTR_E_OCI_RUNTIME, 1);
	r = ctr_container_update(b->c, &o, err);
	fake_oci_fail(b->f->fake, FAKE_UPDATE, 0, 0);
	/* This is what shall come of it. */
	if (r != CTR_E_OCI_RUNTIME)
		return r;
	if (err)
		ctr_error_freep(err);
	return 0;
}

static int do_refresh(struct bench *b, ctr_error_t **err)
{
	return ctr_container_refresh(b->c, err);
}

static int do_artifacts(struct bench *b, ctr_error_t **err)
{
	char **names = NULL, *data = NULL;
	int r = ctr_container_add_artifact(b->c, "a", "text", 4, err);

	if (r >= 0)
		r = ctr_container_get_artifact(b->c, "a", &data, NULL, err);
	if (r >= 0)
		r = ctr_container_list_artifacts(b->c, &names, err);
	if (r >= 0)
		r = ctr_container_remove_artifact(b->c, "a", err);
	ctr_free(data);
	ctr_strv_free(names);
	return r;
}

static int do_prune(struct bench *b, ctr_error_t **err)
{
	const char *const filters[] = {"name=vic", "until=-1h", NULL};
	ctr_pruned_t *p = NULL;
	int r = ctr_runtime_prune(b->f->rt, filters, 0, &p, err);

	ctr_pruned_free(p);
	return r;
}

static int do_evict(struct bench *b, ctr_error_t **err)
{
	char *id = NULL;
	int r = ctr_runtime_evict(b->f->rt, "victim", 0, &id, err);

	ctr_free(id);
	return r;
}

/* ---- exec sessions ---- */

static const char *const program[] = {"program", "argument", NULL};

static int do_exec_create(struct bench *b, ctr_error_t **err)
{
	static const char *const env[] = {"A=1", NULL}, *const groups[] = {"5", NULL};
	struct ctr_exec_opts o = {.size = sizeof(o),
	    .command = program,
	    .env = env,
	    .groups = groups,
	    .user = "7",
	    .flags = CTR_EXEC_PRIVILEGED | CTR_EXEC_TERMINAL};
	ctr_exec_t *x = NULL;
	int r = ctr_container_exec_create(b->c, &o, &x, err);

	ctr_exec_unref(x);
	return r;
}

static int do_exec_start(struct bench *b, ctr_error_t **err)
{
	return ctr_exec_start(b->exec, NULL, NULL, err);
}

static int do_exec_attached(struct bench *b, ctr_error_t **err)
{
	struct ctr_attach_opts io = {.size = sizeof(io),
	    .flags = CTR_ATTACH_STDOUT | CTR_ATTACH_SIZE,
	    .stdout_fd = 1,
	    .rows = 10,
	    .cols = 10};
	struct ctr_exec_start_opts o = {.size = sizeof(o), .io = &io};
	ctr_attach_t *a = NULL;
	int r = ctr_exec_start(b->exec, &o, &a, err);

	ctr_attach_unref(a);
	return r;
}

static int do_exec(struct bench *b, ctr_error_t **err)
{
	struct ctr_exec_opts o = {.size = sizeof(o), .command = program};
	int32_t code;
	int r;

	fake_exec_quick(b->f->fake, 5);
	r = ctr_container_exec(b->c, &o, NULL, &code, err);
	fake_exec_quick(b->f->fake, -1);
	assert_int_equal(code, r < 0 ? 125 : 5);
	return r;
}

static int do_exec_look(struct bench *b, ctr_error_t **err)
{
	ctr_exec_t *x = NULL;
	char *text = NULL;
	int r = ctr_runtime_exec_lookup(b->f->rt, ctr_exec_id(b->exec), &x, err);

	if (r >= 0)
		r = ctr_exec_inspect(x, &text, NULL, err);
	ctr_free(text);
	ctr_exec_unref(x);
	return r;
}

static int do_exec_wait(struct bench *b, ctr_error_t **err)
{
	int32_t code = -5;
	int r;

	fake_exec_end_if_running(b->f->fake, ctr_exec_id(b->exec), 9);
	r = ctr_exec_wait(b->exec, 1000, &code, err);
	if (r >= 0)
		assert_int_equal(code, 9);
	return r;
}

static int do_exec_stop(struct bench *b, ctr_error_t **err)
{
	return ctr_exec_stop(b->exec, 1000, 0, err);
}

static int do_exec_remove(struct bench *b, ctr_error_t **err)
{
	return ctr_exec_remove(b->exec, CTR_EXEC_REMOVE_FORCE, err);
}

/* ---- pods ---- */

/* Containers that failed did so for want of memory: then so did the whole. */
static int of_pod(int r, ctr_error_t **err)
{
	char *ids, *rest = NULL, key[160];
	bool other = false;

	if (r != CTR_E_POD_PARTIAL)
		return r;
	ids = ctr_error_get(*err, "failed") ? strdup(ctr_error_get(*err, "failed")) : NULL;
	for (char *id = ids ? strtok_r(ids, ",", &rest) : NULL; id;
	     id = strtok_r(NULL, ",", &rest)) {
		const char *code;

		snprintf(key, sizeof(key), "code.%s", id);
		code = ctr_error_get(*err, key);
		other = other || (code && strcmp(code, ctr_error_name(CTR_E_NOMEM)) != 0);
	}
	free(ids);
	if (other)
		return r;
	ctr_error_freep(err);
	return CTR_E_NOMEM;
}

static int do_pod_create(struct bench *b, ctr_error_t **err)
{
	const struct ctr_pod_opts o = {
	    .size = sizeof(o), .name = "pod", .runtime = "fake", .shares = CTR_POD_SHARE_NONE};
	ctr_pod_config_t *cfg = NULL;
	int r = ctr_pod_config_new(&o, &cfg, err);

	if (r >= 0)
		r = ctr_pod_create(b->f->rt, cfg, 0, &b->pod, err);
	ctr_pod_config_unref(cfg);
	return r;
}

/* A container joins it. */
static int do_pod_join(struct bench *b, ctr_error_t **err)
{
	ctr_config_builder_t *cb = ctr_config_builder_new_from(b->cfg);
	ctr_config_t *cfg = NULL;
	int r;

	if (!cb)
		return CTR_E_NOMEM;
	r = ctr_config_builder_set_str(cb, CTR_CONFIG_NAME, "joined", err);
	if (r >= 0)
		r = ctr_config_builder_set_str(cb, CTR_CONFIG_POD, ctr_pod_id(b->pod), err);
	if (r >= 0)
		r = ctr_config_builder_build(cb, &cfg, err);
	ctr_config_builder_free(cb);
	if (r >= 0)
		r = ctr_container_create(b->f->rt, cfg, 0, NULL, err);
	ctr_config_unref(cfg);
	return r;
}

static int do_pod_start(struct bench *b, ctr_error_t **err)
{
	return of_pod(ctr_pod_start(b->pod, 0, err), err);
}

static int do_pod_stop(struct bench *b, ctr_error_t **err)
{
	return of_pod(ctr_pod_stop(b->pod, 0, CTR_POD_STOP_NOW, err), err);
}

static int do_pod_remove(struct bench *b, ctr_error_t **err)
{
	return of_pod(ctr_pod_remove(b->pod, 0, CTR_POD_REMOVE_FORCE, err), err);
}

static int do_pod_inspect(struct bench *b, ctr_error_t **err)
{
	char *text = NULL;
	int r = ctr_pod_inspect(b->pod, 0, &text, NULL, err);

	ctr_free(text);
	return r;
}

static int do_pod_list(struct bench *b, ctr_error_t **err)
{
	const char *const filters[] = {"name=po", "status=running", NULL};
	ctr_pod_list_t *list = NULL;
	int r = ctr_pod_list(b->f->rt, filters, 0, &list, err);

	if (r >= 0)
		assert_int_equal(ctr_pod_list_containers(list, 0), 2);
	ctr_pod_list_free(list);
	return r;
}

static int do_pod_lookup(struct bench *b, ctr_error_t **err)
{
	ctr_pod_t *pod = NULL;
	char **ids = NULL;
	int r = ctr_pod_lookup(b->f->rt, "pod", &pod, err);

	if (r >= 0)
		r = ctr_pod_containers(pod, &ids, err);
	ctr_strv_free(ids);
	ctr_pod_unref(pod);
	return r;
}

#define ENDED                                      \
	{                                          \
		CTR_E_CTR_STOPPED, CTR_E_CTR_STATE \
	}

static const struct op ops[] = {
    {"parse a configuration", 0, do_parse, {0, 0}},
    {"write a configuration", 0, do_write, {0, 0}},
    {"build a configuration", 0, do_build, {0, 0}},
    {"open", -1, do_open, {0, 0}},
    {"open again", 0, do_open, {0, 0}},
    {"create", 0, do_create, {CTR_E_CTR_EXISTS, 0}},
    {"look up by name", CTR_STATE_CONFIGURED, do_lookup, {0, 0}},
    {"look up by prefix", CTR_STATE_RUNNING, do_prefix, {0, 0}},
    {"list", CTR_STATE_RUNNING, do_list, {0, 0}},
    {"snapshot", CTR_STATE_RUNNING, do_snapshot, {0, 0}},
    {"inspect", CTR_STATE_RUNNING, do_inspect, {0, 0}},
    {"inspect many", CTR_STATE_CONFIGURED, do_inspect_many, {0, 0}},
    {"init", CTR_STATE_CONFIGURED, do_init, {CTR_E_CTR_STATE, 0}},
    {"init with hooks", CTR_STATE_CONFIGURED, do_init_with_hooks, {CTR_E_CTR_STATE, 0}},
    {"start", CTR_STATE_CREATED, do_start, {CTR_E_CTR_RUNNING, 0}},
    {"init and start", CTR_STATE_CONFIGURED, do_start, {CTR_E_CTR_RUNNING, 0}},
    {"restart", CTR_STATE_STOPPED, do_start, {CTR_E_CTR_RUNNING, 0}},
    {"attach", CTR_STATE_RUNNING, do_attach, {0, 0}},
    {"start and attach", CTR_STATE_CONFIGURED, do_start_and_attach, {CTR_E_CTR_RUNNING, 0}},
    {"attach over HTTP", CTR_STATE_CONFIGURED, do_http_attach, {0, 0}},
    {"restart by hand", CTR_STATE_RUNNING, do_restart, {CTR_E_CTR_STATE, 0}},
    {"handle an exit", CTR_STATE_STOPPED, do_handle_exit, {0, 0}},
    {"should start", CTR_STATE_EXITED, do_should_start, {0, 0}},
    {"boot", CTR_STATE_EXITED, do_boot, {0, 0}},
    {"stop", CTR_STATE_RUNNING, do_stop, ENDED},
    {"kill", CTR_STATE_RUNNING, do_kill, ENDED},
    {"pause", CTR_STATE_RUNNING, do_pause, {CTR_E_CTR_STATE, 0}},
    {"unpause", CTR_STATE_PAUSED, do_unpause, {CTR_E_CTR_STATE, 0}},
    {"wait", CTR_STATE_STOPPED, do_wait, {0, 0}},
    {"wait_fd", CTR_STATE_RUNNING, do_wait_fd, {0, 0}},
    {"sync", CTR_STATE_RUNNING, do_sync, {0, 0}},
    {"mount", CTR_STATE_CONFIGURED, do_mount, {0, 0}},
    {"cleanup", CTR_STATE_STOPPED, do_cleanup, {0, 0}},
    {"remove", CTR_STATE_CONFIGURED, do_remove, {0, 0}},
    {"remove while running", CTR_STATE_RUNNING, do_remove, {0, 0}},
    {"start with a dependency", FAMILY, do_start_family, {CTR_E_CTR_RUNNING, 0}},
    {"remove with a dependent", FAMILY, do_remove_family, {0, 0}},
    {"dependents", FAMILY, do_dependents, {0, 0}},
    {"rename", CTR_STATE_CONFIGURED, do_rename, {CTR_E_CTR_EXISTS, 0}},
    {"update", CTR_STATE_CONFIGURED, do_update, {0, 0}},
    {"update while running", CTR_STATE_RUNNING, do_update, {0, 0}},
    {"refused update", CTR_STATE_RUNNING, do_refused_update, {0, 0}},
    {"refresh", CTR_STATE_RUNNING, do_refresh, {CTR_E_CTR_STATE, 0}},
    {"artifacts", CTR_STATE_CONFIGURED, do_artifacts, {0, 0}},
    {"prune", CTR_STATE_STOPPED, do_prune, {0, 0}},
    {"evict", CTR_STATE_RUNNING, do_evict, {CTR_E_NO_SUCH_CTR, 0}},
    {"batch", CTR_STATE_RUNNING, do_batch, {0, 0}},
    {"read events", CTR_STATE_RUNNING, do_events, {0, 0}},
    {"events fd and filter", CTR_STATE_RUNNING, do_events_fd, {0, 0}},
    {"create an exec session", CTR_STATE_RUNNING, do_exec_create, {0, 0}},
    {"start an exec session", SESSION, do_exec_start, {CTR_E_EXEC_STATE, 0}},
    {"start one attached", SESSION, do_exec_attached, {CTR_E_EXEC_STATE, 0}},
    {"exec, all in one", CTR_STATE_RUNNING, do_exec, {0, 0}},
    {"look at an exec session", SESSION_RUNNING, do_exec_look, {0, 0}},
    {"wait for an exec session", SESSION_RUNNING, do_exec_wait, {0, 0}},
    {"stop an exec session", SESSION_RUNNING, do_exec_stop, {CTR_E_EXEC_STATE, 0}},
    {"remove an exec session", SESSION_RUNNING, do_exec_remove, {CTR_E_EXEC_REMOVED, 0}},
    {"remove with exec session", SESSION_RUNNING, do_remove, {0, 0}},
    {"logs", CTR_STATE_STOPPED, do_logs, {0, 0}},
    {"follow", PROCESS, do_logs, {0, 0}},
    {"top", NO_CGROUP, do_top, {0, 0}},
    {"stats", PROCESS, do_stats, {0, 0}},
    {"create a pod", 0, do_pod_create, {CTR_E_POD_EXISTS, 0}},
    {"join a pod", POD, do_pod_join, {CTR_E_CTR_EXISTS, 0}},
    {"start a pod", POD, do_pod_start, {0, 0}},
    {"stop a pod", POD_RUNNING, do_pod_stop, {0, 0}},
    {"inspect a pod", POD_RUNNING, do_pod_inspect, {0, 0}},
    {"list pods", POD_RUNNING, do_pod_list, {0, 0}},
    {"look up a pod", POD, do_pod_lookup, {0, 0}},
    {"remove a pod", POD, do_pod_remove, {0, 0}},
    {"remove a running pod", POD_RUNNING, do_pod_remove, {0, 0}},
};

/* ---- sweeping ---- */

static char doing[128];

static void on_crash(int sig)
{
	fail_at = 0;
	dprintf(2, "signal %d in: %s\n", sig, doing);
	_exit(1);
}

/* Field 22 of /proc/self/stat. */
static uint64_t own_start_time(void)
{
	unsigned long long start = 0;
	FILE *f = fopen("/proc/self/stat", "re");

	assert_non_null(f);
	assert_int_equal(fscanf(f,
	                     "%*d %*s %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d "
	                     "%*d %*d %*d %*d %llu",
	                     &start),
	    1);
	fclose(f);
	return start;
}

/* The other one's process is ours. */
static void take_new_family(struct bench *b)
{
	static const int32_t fields[] = {CTR_CONFIG_IPC_NS_CTR, CTR_CONFIG_NET_NS_CTR,
	    CTR_CONFIG_UTS_NS_CTR, CTR_CONFIG_USER_NS_CTR};
	ctr_config_t *plain = fixture_config(b->f, NULL), *cfg = NULL;
	ctr_config_builder_t *builder = ctr_config_builder_new_from(plain);

	fake_oci_process(b->f->fake, getpid(), 0);
	OK(ctr_container_create(b->f->rt, plain, 0, &b->donor, err));
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		OK(ctr_config_builder_set_str(builder, fields[i], ctr_container_id(b->donor), err));
	OK(ctr_config_builder_build(builder, &cfg, err));
	OK(ctr_container_create(b->f->rt, cfg, 0, &b->c, err));
	ctr_config_builder_free(builder);
	ctr_config_unref(plain);
	ctr_config_unref(cfg);
}

static void take_new_pod(struct bench *b, bool running)
{
	ctr_config_t *plain = fixture_config(b->f, "victim"), *cfg = NULL;
	ctr_config_builder_t *builder = ctr_config_builder_new_from(plain);

	OK(do_pod_create(b, err));
	OK(ctr_config_builder_set_str(builder, CTR_CONFIG_POD, ctr_pod_id(b->pod), err));
	OK(ctr_config_builder_build(builder, &cfg, err));
	OK(ctr_container_create(b->f->rt, cfg, 0, &b->c, err));
	ctr_config_builder_free(builder);
	ctr_config_unref(plain);
	ctr_config_unref(cfg);
	if (running)
		OK(ctr_pod_start(b->pod, 0, err));
}

static void add_loose_runtime(struct bench *b)
{
	struct ctr_oci_ops table = fake_oci_ops;

	if (b->loose)
		return;
	b->loose = fake_oci_new();
	table.name = "loose";
	table.caps |= CTR_OCI_CAP_NO_CGROUPS;
	OK(ctr_runtime_add_oci(b->f->rt, &table, b->loose, fake_oci_destroy, err));
	fake_oci_process(b->loose, getpid(), own_start_time());
}

static void take_without_cgroup(struct bench *b)
{
	ctr_config_t *plain = fixture_config(b->f, NULL), *cfg = NULL;
	ctr_config_builder_t *builder = ctr_config_builder_new_from(plain);

	add_loose_runtime(b);
	OK(ctr_config_builder_set_str(builder, CTR_CONFIG_RUNTIME, "loose", err));
	OK(ctr_config_builder_set_bool(builder, CTR_CONFIG_NO_CGROUPS, 1, err));
	OK(ctr_config_builder_build(builder, &cfg, err));
	OK(ctr_container_create(b->f->rt, cfg, 0, &b->c, err));
	OK(ctr_container_start(b->c, 0, err));
	ctr_config_builder_free(builder);
	ctr_config_unref(plain);
	ctr_config_unref(cfg);
}

static void take_new_container(struct bench *b, int32_t state)
{
	if (state == PROCESS)
		fake_oci_process(b->f->fake, getpid(), own_start_time());
	if (state == NO_CGROUP) {
		take_without_cgroup(b);
		return;
	}
	OK(ctr_container_create(b->f->rt, b->cfg, 0, &b->c, err));
	if (state == CTR_STATE_CONFIGURED)
		return;
	OK(ctr_container_init(b->c, 0, err));
	if (state == CTR_STATE_CREATED)
		return;
	OK(ctr_container_start(b->c, 0, err));
	if (state == CTR_STATE_PAUSED)
		OK(ctr_container_pause(b->c, err));
	if (state == CTR_STATE_STOPPED)
		OK(ctr_container_kill(b->c, SIGKILL, err));
}

static void take_new_session(struct bench *b, bool runs)
{
	struct ctr_exec_opts o = {
	    .size = sizeof(o), .command = program, .flags = CTR_EXEC_TERMINAL};

	take_new_container(b, CTR_STATE_RUNNING);
	OK(ctr_container_exec_create(b->c, &o, &b->exec, err));
	if (runs)
		OK(ctr_exec_start(b->exec, NULL, NULL, err));
}

static void clean_pods(struct bench *b)
{
	ctr_pod_list_t *list = NULL;

	b->pod = ctr_pod_unref(b->pod);
	OK(ctr_pod_list(b->f->rt, NULL, 0, &list, err));
	assert_true(ctr_pod_list_count(list) <= 1);
	for (size_t i = 0; i < ctr_pod_list_count(list); i++) {
		ctr_pod_t *pod = NULL;

		OK(ctr_pod_get(b->f->rt, ctr_pod_list_id(list, i), &pod, err));
		OK(ctr_pod_remove(pod, 0, CTR_POD_REMOVE_FORCE, err));
		ctr_pod_unref(pod);
	}
	ctr_pod_list_free(list);
}

/* Whatever came of it, by a handle of its own. */
static void clean(struct bench *b)
{
	ctr_list_t *list = NULL;

	b->exec = ctr_exec_unref(b->exec);
	ctr_container_unref(b->c);
	b->c = NULL;
	clean_pods(b);
	OK(ctr_runtime_list(b->f->rt, NULL, 0, &list, err));
	assert_true(ctr_list_count(list) <= (b->donor ? 2 : 1));
	b->donor = ctr_container_unref(b->donor);
	fake_oci_process(b->f->fake, 0, 0);
	for (size_t i = 0; i < ctr_list_count(list); i++) {
		ctr_container_t *c = NULL;

		if (!ctr_container_exists(b->f->rt, ctr_list_id(list, i), NULL))
			continue;
		OK(ctr_container_get(b->f->rt, ctr_list_id(list, i), &c, err));
		OK(ctr_container_remove(c, CTR_REMOVE_FORCE | CTR_REMOVE_RECURSIVE, err));
		ctr_container_unref(c);
	}
	ctr_list_free(list);
	assert_int_equal(fake_oci_count(b->f->fake), 0);
	assert_int_equal(fake_exec_running(b->f->fake), 0);
}

static bool allowed_again(const struct op *op, int r)
{
	return r >= 0 || (op->done[0] && r == op->done[0]) || (op->done[1] && r == op->done[1]);
}

/* Once with the n-th allocation failing. False if there are not that many. */
static bool once(struct bench *b, const struct op *op, long n, int rest)
{
	struct timespec now;
	ctr_error_t *e = NULL;
	bool reached;
	int r;

	snprintf(doing, sizeof(doing), "%s, allocation %ld%s", op->name, n,
	    rest ? " and all after it" : "");
	alarm(60);
	clock_gettime(CLOCK_REALTIME, &now);
	b->since_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
	if (op->from == FAMILY)
		take_new_family(b);
	else if (op->from == POD || op->from == POD_RUNNING)
		take_new_pod(b, op->from == POD_RUNNING);
	else if (op->from == SESSION || op->from == SESSION_RUNNING)
		take_new_session(b, op->from == SESSION_RUNNING);
	else if (op->from > 0)
		take_new_container(b, op->from);
	made = 0;
	fail_rest = rest;
	fail_at = n;
	r = op->act(b, &e);
	fail_at = 0;
	reached = made >= n;
	if (r < 0 && r != CTR_E_NOMEM)
		fail_msg("%s: %s: %s", doing, ctr_error_name(r), ctr_error_message(e));
	if (r < 0 && e && ctr_error_code(e) != CTR_E_NOMEM)
		fail_msg("%s: the error object says %s", doing, ctr_error_name(ctr_error_code(e)));
	if (r < 0 && !reached)
		fail_msg("%s: failed although no allocation did", doing);
	ctr_error_free(e);
	e = NULL;
	if (r < 0) {
		r = op->act(b, &e);
		if (!allowed_again(op, r))
			fail_msg(
			    "after %s: %s: %s", doing, ctr_error_name(r), ctr_error_message(e));
		ctr_error_free(e);
	}
	if (op->from >= 0)
		clean(b);
	return reached;
}

static void sweep(struct bench *b, const struct op *op)
{
	long n[2];

	for (int rest = 0; rest < 2; rest++) {
		n[rest] = 1;
		while (once(b, op, n[rest], rest))
			n[rest]++;
	}
	print_message("%-24s %ld allocations\n", op->name, n[0] - 1);
}

/* Without those that have patterns: glibc's regcomp() frees twice when memory is short (2.36 does). */
static void make_hooks(struct bench *b)
{
	char path[400];

	b->hooks_dirs = spec_hooks_dir(b->f->dir);
	for (size_t i = 0; i < 6; i++) {
		static const char *const stages[] = {"prestart", "createRuntime", "createContainer",
		    "startContainer", "poststart", "poststop"};

		snprintf(path, sizeof(path), "%s/%zu-%s.json", b->hooks_dirs[0], i, stages[i]);
		assert_int_equal(unlink(path), 0);
	}
}

static void test_every_allocation(void **state)
{
	struct bench b = {.f = *state};

	signal(SIGSEGV, on_crash);
	signal(SIGABRT, on_crash);
	signal(SIGALRM, on_crash);
	b.cfg = fixture_config(b.f, "victim");
	make_hooks(&b);
	OK(ctr_config_to_json(b.cfg, &b.json, &b.json_len, err));
	for (size_t i = 0; i < sizeof(ops) / sizeof(*ops); i++) {
		if (getenv("FAULT_OP") && strcmp(getenv("FAULT_OP"), ops[i].name) != 0)
			continue;
		if (ops[i].from < 0)
			b.f->rt = ctr_runtime_unref(b.f->rt);
		sweep(&b, &ops[i]);
		if (!b.f->rt) {
			b.loose = NULL;
			b.f->rt = fixture_open(b.f, &b.f->fake);
		}
	}
	ctr_free(b.json);
	ctr_config_unref(b.cfg);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_every_allocation, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
