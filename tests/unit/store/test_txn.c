/* SPDX-License-Identifier: Apache-2.0 */
/* Transactions: growth of the map, readers that died, full file systems, threads, cost of a save. */
#include "store_test.h"

#include <pthread.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include "util/clock.h"

/* ---- growth ---- */

static void shrink(struct fx *f)
{
	OK(ctr__env_resize(&f->s->root_env, 256 << 10, err));
	OK(ctr__env_resize(&f->s->run_env, 256 << 10, err));
}

static void the_map_grows(void **state)
{
	struct fx *f = *state;
	char id[16];

	shrink(f);
	for (int i = 0; i < 400; i++) {
		snprintf(id, sizeof(id), "c%03d", i);
		add(f, id, NULL, "");
	}
	assert_true(f->s->root_env.map_size > 256 << 10);
	assert_true(f->s->run_env.map_size >= 256 << 10);
	assert_int_equal(check_consistent(f), 400);
	for (int i = 0; i < 400; i++) {
		snprintf(id, sizeof(id), "c%03d", i);
		OK(ctr__store_remove(f->s, id, NULL, err));
	}
	assert_int_equal(check_consistent(f), 0);
}

/* Two processes, each growing and each finding that the other has. */
static int add_many(struct fx *f, int who)
{
	for (int i = 0; i < 300; i++) {
		char id[16];
		ctr_list_t *list = NULL;
		int r;

		if (i == 0 && (ctr__env_resize(&f->s->root_env, 256 << 10, NULL) < 0 ||
		                  ctr__env_resize(&f->s->run_env, 256 << 10, NULL) < 0))
			return 10;
		snprintf(id, sizeof(id), "p%d-%03d", who, i);
		r = try_add(f, id, NULL, "", NULL, NULL);
		if (r < 0)
			return -r;
		if (i % 10 == 0) {
			if (ctr__store_list(f->s, NULL, &list, NULL) < 0)
				return 11;
			if (ctr__list_count(list) < (size_t)i + 1)
				return 12;
			ctr__list_free(list);
		}
	}
	ctr__store_unref(f->s);
	return 0;
}

static void two_processes_grow_it(void **state)
{
	struct fx *f = *state;
	pid_t a = child(f, add_many, 1), b = child(f, add_many, 2);

	child_ends(a, 0);
	child_ends(b, 0);
	fx_open(f);
	assert_int_equal(check_consistent(f), 600);
}

/* A process with less address space. A sanitizer takes more than there would be. */
#ifndef SANITIZER
static int with_little_space(struct fx *f)
{
	struct rlimit lim = {2UL << 30, 2UL << 30};
	size_t n = 0;

	if (setrlimit(RLIMIT_AS, &lim) < 0)
		return 50;
	if (ctr__store_open(f->root, f->run, &f->s, NULL) < 0)
		return 51;
	if (ctr__store_count(f->s, &n, NULL) < 0 || n != 1)
		return 52;
	if (f->s->root_env.map_size != 1UL << 30)
		return 53;
	return try_add(f, "c2", NULL, "", NULL, NULL) < 0 ? 54 : 0;
}

static void address_space_may_be_short(void **state)
{
	struct fx *f = *state;
	pid_t pid;

	fx_open(f);
	add(f, "c1", NULL, "");
	fx_close(f);
	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(with_little_space(f));
	child_ends(pid, 0);
}

#endif

/* ---- readers ---- */

/* Ends with a read transaction open, as if killed in it. */
static int die_reading(struct fx *f, int n)
{
	for (int i = 0; i < n; i++) {
		MDB_txn *txn;

		if (mdb_txn_begin(f->s->run_env.env, NULL, MDB_RDONLY, &txn))
			return 10;
	}
	kill(getpid(), SIGKILL);
	return 11;
}

static void dead_readers_are_cleared(void **state)
{
	struct fx *f = *state;
	pid_t pid;
	int st;
	MDB_envinfo info;

	fx_open(f);
	add(f, "c1", NULL, "");
	/* All slots. */
	pid = child(f, die_reading, (int)CTR__READERS - 3);
	assert_int_equal(waitpid(pid, &st, 0), pid);
	assert_true(WIFSIGNALED(st));
	{
		struct ctr__read many[8] = {{0}};

		/* More than were left. One thread must not have several, unless nobody moves the map. */
		for (int i = 0; i < 8; i++)
			OK(ctr__read_begin(&f->s->run_env, &many[i], err));
		for (int i = 0; i < 8; i++)
			ctr__read_end(&many[i]);
	}
	assert_int_equal(mdb_env_info(f->s->run_env.env, &info), 0);
	save(f, "c1", CTR_STATE_RUNNING, 1);
}

/* The pages that a dead reader held are used again: the file does not grow for ever. */
static void dead_readers_do_not_make_it_grow(void **state)
{
	struct fx *f = *state;
	MDB_envinfo info;
	pid_t pid;
	int st;

	fx_open(f);
	add(f, "c1", NULL, "");
	pid = child(f, die_reading, 1);
	assert_int_equal(waitpid(pid, &st, 0), pid);
	for (int i = 0; i < 20000; i++)
		save(f, "c1", CTR_STATE_RUNNING, i);
	assert_int_equal(mdb_env_info(f->s->run_env.env, &info), 0);
	assert_true(info.me_last_pgno < 12000);
}

/* One that lives, and stands still: an error before the memory of the machine is full. */
static void a_stalled_reader_has_a_limit(void **state)
{
	struct fx *f = *state;
	struct ctr__state st;
	struct ctr__save job = {.id = "c1", .state = &st};
	ctr_error_t *e = NULL;
	MDB_txn *txn;
	int r = 0;

	fx_open(f);
	add(f, "c1", NULL, "");
	OK(ctr__env_resize(&f->s->run_env, 1 << 20, err));
	assert_int_equal(mdb_txn_begin(f->s->run_env.env, NULL, MDB_RDONLY, &txn), 0);
	ctr__state_init(&st, CTR_STATE_RUNNING);
	for (int i = 0; i < 10000 && r == 0; i++)
		r = ctr__store_save_state(f->s, &job, &e);
	assert_int_equal(r, CTR_E_STORE_FULL);
	assert_non_null(strstr(ctr_error_message(e), "stalled"));
	ctr_error_free(e);
	assert_int_equal(f->s->run_env.map_size, 1 << 20);
	mdb_txn_abort(txn);
	save(f, "c1", CTR_STATE_RUNNING, 1);
	check_consistent(f);
}

/* ---- full file systems ---- */

static int fill_up(const char *dir)
{
	char path[300], junk[4096] = {0};
	CTR__CLOSE int fd = -1;
	size_t size = sizeof(junk);

	snprintf(path, sizeof(path), "%s/junk", dir);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0)
		return -1;
	while (size > 0) {
		if (write(fd, junk, size) < 0) {
			if (errno != ENOSPC)
				return -1;
			size /= 2;
		}
	}
	return 0;
}

static int make_room(const char *dir)
{
	char path[300];

	snprintf(path, sizeof(path), "%s/junk", dir);
	return unlink(path);
}

#define EXPECT(condition, status)                                                         \
	do {                                                                              \
		if (!(condition)) {                                                       \
			fprintf(stderr, "line %d: %s\n", __LINE__, ctr_error_message(e)); \
			return status;                                                    \
		}                                                                         \
	} while (0)

/* The root is on a file system without space, then the run root. */
static int on_full_file_systems(struct fx *f)
{
	CTR__ERROR ctr_error_t *e = NULL;
	struct ctr__state st;
	struct ctr__save job = {.id = "c1", .state = &st};
	CTR__BUF struct ctr__buf raw = {0};
	size_t n = 0;
	int r = 0;

	EXPECT(unshare(CLONE_NEWNS) == 0, 50);
	EXPECT(mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) == 0, 51);
	EXPECT(mkdir(f->root, 0700) == 0 && mkdir(f->run, 0700) == 0, 52);
	EXPECT(mount("t", f->root, "tmpfs", 0, "size=1m,mode=0700") == 0, 53);
	EXPECT(mount("t", f->run, "tmpfs", 0, "size=1m,mode=0700") == 0, 54);
	/* No space at all: an error, and it works later. */
	EXPECT(fill_up(f->root) == 0, 55);
	r = ctr__store_open(f->root, f->run, &f->s, &e);
	EXPECT(r == CTR_E_STORE_FULL || r == CTR_E_STORE_FOREIGN, 56);
	ctr_error_freep(&e);
	EXPECT(make_room(f->root) == 0, 57);
	r = ctr__store_open(f->root, f->run, &f->s, &e);
	EXPECT(r == 0, 58);
	EXPECT(try_add(f, "c1", NULL, "", NULL, &e) == 0, 59);

	EXPECT(fill_up(f->root) == 0, 60);
	for (int i = 0; i < 200 && r == 0; i++) {
		char id[16];

		snprintf(id, sizeof(id), "d%d", i);
		r = try_add(f, id, NULL, "", NULL, &e);
		n += r == 0;
	}
	EXPECT(r == CTR_E_STORE_FULL, 61);
	ctr_error_freep(&e);
	EXPECT(check_consistent(f) == n + 1, 62);
	EXPECT(make_room(f->root) == 0, 63);
	EXPECT(try_add(f, "after", NULL, "", NULL, &e) == 0, 64);

	/* The run root: saves fail, durable changes stand. */
	EXPECT(fill_up(f->run) == 0, 65);
	ctr__state_init(&st, CTR_STATE_RUNNING);
	st.error = strdup("x");
	for (int i = 0; i < 200 && r != CTR_E_STORE_FULL; i++) {
		char text[2000];

		memset(text, 'x', sizeof(text) - 1);
		text[sizeof(text) - 1] = '\0';
		free((void *)(uintptr_t)st.error);
		st.error = strdup(text + (200 - i) * 5);
		snprintf(text, sizeof(text), "s%d", i);
		job.id = text;
		ctr_error_freep(&e);
		r = ctr__store_save_state(f->s, &job, &e);
	}
	free((void *)(uintptr_t)st.error);
	EXPECT(r == CTR_E_STORE_FULL, 66);
	ctr_error_freep(&e);
	EXPECT(ctr__store_load_state(f->s, "c1", &raw, &e) == 1, 67);
	for (int i = 0; i < 50; i++) {
		char id[16];
		ctr_list_t *list = NULL;

		snprintf(id, sizeof(id), "late%d", i);
		EXPECT(try_add(f, id, id, "", NULL, &e) == 0, 68);
		EXPECT(ctr__store_list(f->s, NULL, &list, &e) == 0, 69);
		EXPECT(ctr__store_count(f->s, &n, &e) == 0, 70);
		EXPECT(ctr__list_count(list) == n, 71);
		ctr__list_free(list);
		if (i % 2)
			EXPECT(ctr__store_remove(f->s, id, NULL, &e) == 0, 72);
	}
	EXPECT(make_room(f->run) == 0, 73);
	EXPECT(try_add(f, "end", NULL, "", NULL, &e) == 0, 74);
	check_consistent(f);
	ctr__store_unref(f->s);
	return 0;
}

static void full_file_systems_are_errors(void **state)
{
	struct fx *f = *state;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(on_full_file_systems(f));
	child_ends(pid, 0);
}

/* ---- threads ---- */

struct worker {
	struct fx *f;
	int number;
	int failed;
};

static int work(struct worker *w, int i)
{
	char id[24];
	ctr_list_t *list = NULL;
	CTR__BUF struct ctr__buf raw = {0};
	struct ctr__state st;
	struct ctr__save job = {.id = id, .state = &st};
	int r;

	snprintf(id, sizeof(id), "t%d-%d", w->number, i);
	r = try_add(w->f, id, NULL, "", NULL, NULL);
	ctr__state_init(&st, CTR_STATE_RUNNING);
	st.pid = i;
	for (int k = 0; k < 5 && r >= 0; k++) {
		r = ctr__store_save_state(w->f->s, &job, NULL);
		if (r >= 0)
			r = ctr__store_load_state(w->f->s, id, &raw, NULL);
	}
	if (r >= 0)
		r = ctr__state_decode(raw.data, raw.len, &st, NULL);
	if (r >= 0 && st.pid != i)
		return -1;
	if (r >= 0)
		r = ctr__store_list(w->f->s, NULL, &list, NULL);
	if (r >= 0 && ctr__list_count(list) < 1)
		return -2;
	ctr__list_free(list);
	if (r >= 0 && i % 2)
		r = ctr__store_remove(w->f->s, id, NULL, NULL);
	return r;
}

static void *work_thread(void *arg)
{
	struct worker *w = arg;

	for (int i = 0; i < 60 && w->failed >= 0; i++)
		w->failed = work(w, i);
	return NULL;
}

/* With a map so small that it has to be moved under the feet of all. */
static void threads_share_a_store(void **state)
{
	struct fx *f = *state;
	struct worker workers[6];
	pthread_t threads[6];

	fx_open(f);
	shrink(f);
	for (int i = 0; i < 6; i++) {
		workers[i] = (struct worker){f, i, 0};
		assert_int_equal(pthread_create(&threads[i], NULL, work_thread, &workers[i]), 0);
	}
	for (int i = 0; i < 6; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		if (workers[i].failed < 0)
			fail_msg("%s", ctr_error_name(workers[i].failed));
	}
	assert_int_equal(check_consistent(f), 180);
}

/* ---- cost ---- */

/* The floor: one put of the same state, committed. */
static int bare_put(MDB_txn *txn, void *arg, ctr_error_t **err)
{
	struct ctr__env *e = arg;
	static char value[350];
	MDB_val k = ctr__vals("c500"), v = ctr__val(value, sizeof(value));

	(void)err;
	value[0]++;
	return mdb_put(txn, e->db[CTR__DB_STATE], &k, &v, 0);
}

static int64_t per_op(int64_t start, int n)
{
	return (ctr__monotonic_ns() - start) / n;
}

static int measure(struct fx *f)
{
	struct ctr__state st;
	struct ctr__summary sum = {.name = "quiet_otter", .image = "busybox", .command = "sleep"};
	struct ctr__save job = {.id = "c500", .state = &st, .summary = &sum};
	CTR__BUF struct ctr__buf raw = {0};
	int64_t bare = INT64_MAX, saved = INT64_MAX, shown = INT64_MAX, loaded = INT64_MAX, start;
	char id[16];

	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mkdir(f->run, 0700) < 0 || mount("t", f->run, "tmpfs", 0, "mode=0700") < 0)
		return 50;
	fx_open(f);
	for (int i = 0; i < 1000; i++) {
		snprintf(id, sizeof(id), "c%d", i);
		add(f, id, NULL, "");
	}
	ctr__state_init(&st, CTR_STATE_RUNNING);
	st.pid = 4711;
	st.pid_start = 123456;
	st.conmon_pid = 4710;
	st.conmon_start = 123450;
	st.started_ns = ctr__monotonic_ns();
	st.own_pid_ns = st.mounted = st.ever_started = true;
	st.mountpoint = "/var/lib/containers/storage/overlay/0123456789abcdef/merged";
	st.config_path = "/var/lib/libctr/containers/0123456789abcdef/config.json";
	for (int round = 0; round < 10; round++) {
		start = ctr__monotonic_ns();
		for (int i = 0; i < 500; i++)
			OK(ctr__env_write(&f->s->run_env, bare_put, &f->s->run_env, err));
		start = per_op(start, 500);
		bare = start < bare ? start : bare;
		start = ctr__monotonic_ns();
		for (int i = 0; i < 500; i++)
			OK(ctr__store_save_state(f->s, &job, err));
		start = per_op(start, 500);
		saved = start < saved ? start : saved;
		start = ctr__monotonic_ns();
		for (int i = 0; i < 500; i++) {
			sum.pid = i;
			OK(ctr__store_save_state(f->s, &job, err));
		}
		start = per_op(start, 500);
		shown = start < shown ? start : shown;
		start = ctr__monotonic_ns();
		for (int i = 0; i < 500; i++)
			OK(ctr__store_load_state(f->s, "c500", &raw, err));
		start = per_op(start, 500);
		loaded = start < loaded ? start : loaded;
	}
	print_message("save %lld ns, %lld ns if listings change, bare commit %lld ns; load %lld ns "
	              "(%zu bytes)\n",
	    (long long)saved, (long long)shown, (long long)bare, (long long)loaded, raw.len);
	fflush(NULL);
	ctr__store_unref(f->s);
	return 0;
}

static void cost(void **state)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(measure(*state));
	child_ends(pid, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(the_map_grows),
	    TEST_CLOSED(two_processes_grow_it),
#ifndef SANITIZER
	    TEST_CLOSED(address_space_may_be_short),
#endif
	    TEST_CLOSED(dead_readers_are_cleared),
	    TEST_CLOSED(dead_readers_do_not_make_it_grow),
	    TEST_CLOSED(a_stalled_reader_has_a_limit),
	    TEST_CLOSED(full_file_systems_are_errors),
	    TEST_CLOSED(threads_share_a_store),
	    TEST_CLOSED(cost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
