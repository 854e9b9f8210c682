/* SPDX-License-Identifier: Apache-2.0 */
/* Opening: what is made, what is refused, what a reboot and a wiped run root do. */
#include "store_test.h"

#include <sched.h>
#include <sys/mount.h>

#include "sys/mount.h"
#include "util/clock.h"

static int try_open(struct fx *f, ctr_error_t **err)
{
	int r = ctr__store_open(f->root, f->run, &f->s, err);

	if (r < 0)
		assert_null(f->s);
	return r;
}

static void mode_is(struct fx *f, const char *name, mode_t mode)
{
	char path[512];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	if (stat(path, &st) < 0)
		fail_msg("%s: %s", path, strerror(errno));
	assert_int_equal(st.st_mode & 07777, mode);
}

static void directories_are_made(void **state)
{
	struct fx *f = *state;
	mode_t before = umask(0);

	fx_open(f);
	umask(before);
	assert_string_equal(ctr__store_root(f->s), f->root);
	assert_string_equal(ctr__store_run_root(f->s), f->run);
	assert_true(ctr__store_fresh_boot(f->s));
	mode_is(f, "root", 0700);
	mode_is(f, "root/db", 0700);
	mode_is(f, "root/containers", 0700);
	mode_is(f, "root/db/data.mdb", 0600);
	mode_is(f, "root/db/lock.mdb", 0600);
	mode_is(f, "root/libctr.store", 0600);
	mode_is(f, "run", 0700);
	mode_is(f, "run/db/data.mdb", 0600);
	mode_is(f, "run/libctr.run", 0600);
	mode_is(f, "run/exits", 0700);
	mode_is(f, "run/persist", 0700);
	mode_is(f, "run/oci", 0700);
	mode_is(f, "run/containers", 0700);
	assert_true(file_exists(f->run, "events"));
	assert_true(file_exists(f->run, "locks"));
	OK(ctr__store_check(f->s, err));
	fx_reopen(f);
	assert_false(ctr__store_fresh_boot(f->s));
}

static void paths_are_checked(void **state)
{
	struct fx *f = *state;
	struct ctr__store *s = NULL;

	FAILS_WITH(CTR_E_INVALID, "absolute", ctr__store_open("root", f->run, &s, err));
	FAILS_WITH(CTR_E_INVALID, "absolute", ctr__store_open(f->root, "", &s, err));
	FAILS_WITH(CTR_E_INVALID, "absolute", ctr__store_open(f->root, NULL, &s, err));
	FAILS_WITH(CTR_E_INVALID, "same", ctr__store_open(f->root, f->root, &s, err));
	assert_false(file_exists(f->dir, "root"));
	/* A link is resolved. */
	assert_int_equal(mkdir(f->root, 0700), 0);
	{
		char link[200];

		snprintf(link, sizeof(link), "%s/link", f->dir);
		assert_int_equal(symlink(f->root, link), 0);
		OK(ctr__store_open(link, f->run, &f->s, err));
		assert_string_equal(ctr__store_root(f->s), f->root);
		OK(ctr__store_open(f->root, f->run, &s, err));
		assert_ptr_equal(s, f->s);
		ctr__store_unref(s);
	}
}

/* ---- the pair of directories ---- */

static void a_store_has_one_run_root(void **state)
{
	struct fx *f = *state;
	struct ctr__store *s = NULL;
	char other[200];

	fx_open(f);
	snprintf(other, sizeof(other), "%s/other", f->dir);
	/* In this process, and in any later one. */
	for (int i = 0; i < 2; i++) {
		FAILS_WITH(CTR_E_STORE_CONFIG, other, ctr__store_open(f->root, other, &s, err));
		FAILS_WITH(CTR_E_STORE_CONFIG, other, ctr__store_open(other, f->run, &s, err));
		if (i == 0)
			fx_close(f);
	}
	assert_false(file_exists(f->dir, "other/db"));
	assert_false(file_exists(f->dir, "other/libctr.store"));
	fx_open(f);
	assert_false(ctr__store_fresh_boot(f->s));
}

/* ---- foreign and damaged directories ---- */

static void foreign_directories_are_left_alone(void **state)
{
	struct fx *f = *state;

	assert_int_equal(mkdir(f->root, 0700), 0);
	write_file(f->root, "letter.txt", "dear");
	FAILS_WITH(CTR_E_STORE_FOREIGN, f->root, try_open(f, err));
	assert_false(file_exists(f->root, ".lock"));
	assert_false(file_exists(f->dir, "run"));
	remove_dir(f->root);

	assert_int_equal(mkdir(f->run, 0700), 0);
	write_file(f->run, "letter.txt", "dear");
	FAILS_WITH(CTR_E_STORE_FOREIGN, f->run, try_open(f, err));
	assert_false(file_exists(f->run, "db"));
	remove_dir(f->run);
	/* What file systems and an interrupted start have in theirs is nothing. */
	assert_int_equal(mkdir(f->root, 0700), 0);
	{
		char path[256];

		snprintf(path, sizeof(path), "%s/lost+found", f->root);
		assert_int_equal(mkdir(path, 0700), 0);
	}
	write_file(f->root, ".lock", "");
	fx_open(f);
}

static void marker_is(struct fx *f, const char *dir, const char *name, const char *text, int code)
{
	CTR__FREE char *before = read_file(dir, name);

	write_file(dir, name, text);
	FAILS_WITH(code, dir, try_open(f, err));
	write_file(dir, name, before);
}

static void markers_are_checked(void **state)
{
	struct fx *f = *state;

	fx_open(f);
	fx_close(f);
	marker_is(f, f->root, "libctr.store", "{\"version\":2}", CTR_E_STORE_NEWER);
	marker_is(f, f->root, "libctr.store", "{\"version\":0}", CTR_E_STORE_CORRUPT);
	marker_is(f, f->root, "libctr.store", "garbage", CTR_E_STORE_CORRUPT);
	marker_is(f, f->root, "libctr.store", "[]", CTR_E_STORE_CORRUPT);
	marker_is(f, f->run, "libctr.run", "{\"version\":2}", CTR_E_STORE_NEWER);
	marker_is(f, f->run, "libctr.run", "{", CTR_E_STORE_CORRUPT);
	marker_is(
	    f, f->run, "libctr.run", "{\"version\":1,\"root\":\"/elsewhere\"}", CTR_E_STORE_CONFIG);
	fx_open(f);
	assert_false(ctr__store_fresh_boot(f->s));
}

/* The marker is made empty, and filled last: whatever was killed in between is started again. */
static void an_interrupted_start_is_started_again(void **state)
{
	struct fx *f = *state;

	assert_int_equal(mkdir(f->root, 0700), 0);
	write_file(f->root, "libctr.store", "");
	assert_int_equal(mkdir(f->run, 0700), 0);
	write_file(f->run, "libctr.run", "");
	write_file(f->run, "locks", "half");
	write_file(f->run, "locks.new", "half");
	fx_open(f);
	assert_true(ctr__store_fresh_boot(f->s));
	add(f, "c1", "one", "");
	save(f, "c1", CTR_STATE_RUNNING, 5);
	fx_close(f);
	write_file(f->run, "libctr.run", "{\"version\":1,\"bootId\":\"\",\"generation\":3}");
	fx_open(f);
	assert_true(ctr__store_fresh_boot(f->s));
	assert_int_equal(has(f, "c1"), 1);
	check_consistent(f);
	{
		CTR__FREE char *text = read_file(f->run, "libctr.run");

		assert_non_null(strstr(text, "\"generation\":4"));
	}
}

static void other_databases_are_refused(void **state)
{
	struct fx *f = *state;
	char db[256];
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;
	MDB_val k = {3, (void *)(uintptr_t) "key"}, v = k;

	fx_open(f);
	fx_close(f);
	snprintf(db, sizeof(db), "%s/db", f->root);
	write_file(db, "data.mdb", "this is text");
	FAILS_WITH(CTR_E_STORE_FOREIGN, db, try_open(f, err));
	/* Long enough for two pages of something else. */
	{
		char path[300];
		FILE *file;

		snprintf(path, sizeof(path), "%s/data.mdb", db);
		file = fopen(path, "we");
		assert_non_null(file);
		for (int i = 0; i < 20000; i++)
			assert_true(fputc(i & 127, file) != EOF);
		assert_int_equal(fclose(file), 0);
	}
	FAILS_WITH(CTR_E_STORE_FOREIGN, db, try_open(f, err));
	/* LMDB, but with somebody else's data: not changed. */
	remove_dir(db);
	assert_int_equal(mkdir(db, 0700), 0);
	assert_int_equal(mdb_env_create(&env), 0);
	assert_int_equal(mdb_env_open(env, db, 0, 0600), 0);
	assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
	assert_int_equal(mdb_dbi_open(txn, NULL, 0, &dbi), 0);
	assert_int_equal(mdb_put(txn, dbi, &k, &v, 0), 0);
	assert_int_equal(mdb_txn_commit(txn), 0);
	mdb_env_close(env);
	FAILS_WITH(CTR_E_STORE_FOREIGN, db, try_open(f, err));
}

static int put_schema(MDB_txn *txn, void *arg, ctr_error_t **err)
{
	(void)err;
	return ctr__meta_put(arg, txn, "schema", 99);
}

static void newer_schemas_are_refused(void **state)
{
	struct fx *f = *state;

	fx_open(f);
	OK(ctr__env_write(&f->s->root_env, put_schema, &f->s->root_env, err));
	fx_close(f);
	FAILS_WITH(CTR_E_STORE_NEWER, "schema 99", try_open(f, err));
}

/* A file that lost its end must not kill the process that reads it. */
static void a_cut_off_database_is_an_error(void **state)
{
	struct fx *f = *state;
	ctr_error_t *e = NULL;
	char path[300];
	struct stat st;
	char id[CTR__ID_MAX + 1];
	int r;

	fx_open(f);
	for (int i = 0; i < 100; i++) {
		snprintf(id, sizeof(id), "c%d", i);
		add(f, id, NULL, "");
	}
	fx_close(f);
	snprintf(path, sizeof(path), "%s/db/data.mdb", f->root);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(truncate(path, 3 * 4096), 0);
	r = ctr__store_open(f->root, f->run, &f->s, &e);
	if (r == 0) {
		ctr_list_t *list = NULL;

		r = ctr__store_lookup(f->s, "c50", id, &e);
		if (r >= 0)
			r = ctr__store_list(f->s, NULL, &list, &e);
		ctr__list_free(list);
	}
	assert_int_equal(r, CTR_E_STORE_CORRUPT);
	assert_int_equal(ctr_error_code(e), r);
	ctr_error_free(e);
}

/* ---- permissions ---- */

static int in_child(struct fx *f, int (*fn)(struct fx *))
{
	int st;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(fn(f));
	assert_int_equal(waitpid(pid, &st, 0), pid);
	assert_true(WIFEXITED(st));
	return WEXITSTATUS(st);
}

static int expect(int r, int code, const char *path, ctr_error_t *e)
{
	const char *detail = ctr_error_get(e, "path");

	if (r == code && detail && strcmp(detail, path) == 0)
		return 0;
	fprintf(stderr, "%s: %s (path %s)\n", ctr_error_name(r), ctr_error_message(e),
	    detail ? detail : "none");
	return 1;
}

static int open_read_only(struct fx *f)
{
	ctr_error_t *e = NULL;
	int r;

	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount(f->root, f->root, "none", MS_BIND, NULL) < 0 ||
	    mount("none", f->root, "none", MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) < 0)
		return 50;
	r = ctr__store_open(f->root, f->run, &f->s, &e);
	r = expect(r, CTR_E_PERMISSION, f->root, e);
	ctr_error_free(e);
	return r;
}

static void read_only_roots_are_refused(void **state)
{
	struct fx *f = *state;

	/* With a store in it, and without. */
	fx_open(f);
	fx_close(f);
	assert_int_equal(in_child(f, open_read_only), 0);
	remove_dir(f->root);
	remove_dir(f->run);
	assert_int_equal(mkdir(f->root, 0700), 0);
	assert_int_equal(in_child(f, open_read_only), 0);
}

static int open_as_nobody(struct fx *f)
{
	ctr_error_t *e = NULL;
	int r;

	if (chmod(f->dir, 0755) < 0 || setuid(65534) < 0)
		return 50;
	r = ctr__store_open(f->root, f->run, &f->s, &e);
	r = expect(r, CTR_E_PERMISSION, f->root, e);
	ctr_error_free(e);
	return r;
}

static void unwritable_roots_are_refused(void **state)
{
	struct fx *f = *state;

	fx_open(f);
	fx_close(f);
	assert_int_equal(in_child(f, open_as_nobody), 0);
}

/* ---- boots ---- */

static void a_reboot_starts_the_run_root_afresh(void **state)
{
	struct fx *f = *state;
	CTR__BUF struct ctr__buf raw = {0};
	struct ctr__state st;
	ctr_list_t *list = NULL;
	struct ctr__list_entry e;
	uint32_t slot;

	fx_open(f);
	add(f, "new", "n", "");
	add(f, "ran", "r", "");
	add(f, "runs", "s", "");
	slot = add(f, "idle", "i", "");
	ctr__state_init(&st, CTR_STATE_EXITED);
	st.ever_started = st.exited = true;
	st.exit_code = 5;
	st.finished_ns = 99;
	assert_int_equal(ctr__history_write(f->s, "ran", &st), 0);
	save(f, "runs", CTR_STATE_RUNNING, 4711);
	st.exited = false;
	assert_int_equal(ctr__history_write(f->s, "runs", &st), 0);
	save(f, "idle", CTR_STATE_CREATED, 4712);
	write_file(f->run, "exits/runs", "0");
	pretend_reboot(f);
	fx_open(f);
	assert_true(ctr__store_fresh_boot(f->s));
	assert_false(file_exists(f->run, "exits/runs"));
	load(f, "new", &raw, &st);
	assert_int_equal(st.state, CTR_STATE_CONFIGURED);
	load(f, "ran", &raw, &st);
	assert_int_equal(st.state, CTR_STATE_EXITED);
	assert_int_equal(st.exit_code, 5);
	assert_int_equal(st.finished_ns, 99);
	load(f, "runs", &raw, &st);
	assert_int_equal(st.state, CTR_STATE_EXITED);
	assert_int_equal(st.pid, 0);
	assert_int_equal(st.exit_code, -1);
	load(f, "idle", &raw, &st);
	assert_int_equal(st.state, CTR_STATE_CONFIGURED);
	assert_int_equal(st.pid, 0);
	assert_int_equal(st.slot, slot);
	assert_int_equal(check_consistent(f), 4);
	OK(ctr__store_list(f->s, NULL, &list, err));
	assert_true(ctr__list_at(list, 2, &e));
	assert_string_equal(e.id, "ran");
	assert_string_equal(e.sum.name, "r");
	assert_int_equal(e.sum.state, CTR_STATE_EXITED);
	assert_int_equal(e.sum.exit_code, 5);
	ctr__list_free(list);
	/* Once. */
	fx_reopen(f);
	assert_false(ctr__store_fresh_boot(f->s));
}

static void a_wiped_run_root_is_noticed_and_made_anew(void **state)
{
	struct fx *f = *state;

	fx_open(f);
	add(f, "c1", "one", "");
	save(f, "c1", CTR_STATE_RUNNING, 5);
	remove_dir(f->run);
	FAILS_WITH(CTR_E_RUNTIME_STOPPED, f->run, ctr__store_check(f->s, err));
	fx_reopen(f);
	assert_true(ctr__store_fresh_boot(f->s));
	OK(ctr__store_check(f->s, err));
	check_consistent(f);
	/* Parts of it. */
	{
		char path[256];

		snprintf(path, sizeof(path), "%s/locks", f->run);
		assert_int_equal(unlink(path), 0);
		FAILS(CTR_E_RUNTIME_STOPPED, ctr__store_check(f->s, err));
	}
	fx_reopen(f);
	assert_true(ctr__store_fresh_boot(f->s));
	check_consistent(f);
}

static int mount_and_open(struct fx *f)
{
	char path[300];
	int r;

	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0)
		return 50;
	snprintf(path, sizeof(path), "%s/containers/c1", f->run);
	if (mkdir(path, 0700) < 0)
		return 51;
	snprintf(path, sizeof(path), "%s/containers/c1/shm", f->run);
	if (mkdir(path, 0700) < 0 || mount("shm", path, "tmpfs", 0, NULL) < 0 ||
	    mount("shm", path, "tmpfs", 0, NULL) < 0)
		return 52;
	snprintf(path, sizeof(path), "%s/locks", f->run);
	if (unlink(path) < 0)
		return 53;
	r = ctr__store_open(f->root, f->run, &f->s, NULL);
	if (r < 0)
		return 54;
	snprintf(path, sizeof(path), "%s/containers/c1", f->run);
	return access(path, F_OK) == 0 ? 55 : 0;
}

static void mounts_of_a_wiped_run_root_go(void **state)
{
	struct fx *f = *state;

	fx_open(f);
	fx_close(f);
	assert_int_equal(in_child(f, mount_and_open), 0);
}

/* ---- cost ---- */

static void opening_is_quick(void **state)
{
	struct fx *f = *state;
	char id[CTR__ID_MAX + 1];
	int64_t start, best = INT64_MAX;

	fx_open(f);
	for (int i = 0; i < 20; i++) {
		snprintf(id, sizeof(id), "c%d", i);
		add(f, id, NULL, "");
	}
	for (int i = 0; i < 50; i++) {
		int64_t took;

		fx_close(f);
		start = ctr__monotonic_ns();
		fx_open(f);
		OK(ctr__store_lookup(f->s, "c7", id, err));
		took = ctr__monotonic_ns() - start;
		best = took < best ? took : best;
	}
	print_message("open and one lookup: %lld us\n", (long long)best / 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST_CLOSED(directories_are_made),
	    TEST_CLOSED(paths_are_checked),
	    TEST_CLOSED(a_store_has_one_run_root),
	    TEST_CLOSED(foreign_directories_are_left_alone),
	    TEST_CLOSED(markers_are_checked),
	    TEST_CLOSED(an_interrupted_start_is_started_again),
	    TEST_CLOSED(other_databases_are_refused),
	    TEST_CLOSED(newer_schemas_are_refused),
	    TEST_CLOSED(a_cut_off_database_is_an_error),
	    TEST_CLOSED(read_only_roots_are_refused),
	    TEST_CLOSED(unwritable_roots_are_refused),
	    TEST_CLOSED(a_reboot_starts_the_run_root_afresh),
	    TEST_CLOSED(a_wiped_run_root_is_noticed_and_made_anew),
	    TEST_CLOSED(mounts_of_a_wiped_run_root_go),
	    TEST_CLOSED(opening_is_quick),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
