/* SPDX-License-Identifier: Apache-2.0 */
/* One store per pair of directories and process; children of fork(); descriptors. */
#include "store_test.h"

#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/syscall.h>

static void opens_are_counted(void **state)
{
	struct fx *f = *state;
	struct ctr__store *a = NULL, *b = NULL;

	OK(ctr__store_open(f->root, f->run, &a, err));
	OK(ctr__store_open(f->root, f->run, &b, err));
	assert_ptr_equal(a, f->s);
	assert_ptr_equal(b, f->s);
	fx_close(f);
	ctr__store_unref(a);
	f->s = b;
	add(f, "c1", NULL, "");
	fx_reopen(f);
	assert_int_equal(has(f, "c1"), 1);
	ctr__store_unref(NULL);
}

/* Other stores are other stores. */
static void stores_are_independent(void **state)
{
	struct fx *f = *state, *g = fx_new();

	fx_open(g);
	assert_ptr_not_equal(f->s, g->s);
	add(f, "c1", NULL, "");
	assert_int_equal(has(g, "c1"), 0);
	fx_free(g);
	latest_fx = f;
	assert_int_equal(has(f, "c1"), 1);
}

static bool close_on_exec(int fd)
{
	int flags = fcntl(fd, F_GETFD);

	return flags >= 0 && flags & FD_CLOEXEC;
}

static int compare(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static size_t open_fds(int fds[256])
{
	DIR *d = opendir("/proc/self/fd");
	struct dirent *e;
	size_t n = 0;

	assert_non_null(d);
	while ((e = readdir(d)) && n < 256) {
		int fd = atoi(e->d_name);

		if (e->d_name[0] != '.' && fd != dirfd(d))
			fds[n++] = fd;
	}
	closedir(d);
	qsort(fds, n, sizeof(int), compare);
	return n;
}

/* Also those that LMDB opens. */
static void descriptors_are_close_on_exec_and_go(void **state)
{
	struct fx *f = *state;
	int before[256], with[256], after[256];
	size_t n = open_fds(before), n_with, n_after;

	for (int round = 0; round < 2; round++) {
		fx_open(f);
		add(f, round ? "c2" : "c1", NULL, "");
		n_with = open_fds(with);
		assert_true(n_with > n);
		for (size_t i = 0; i < n_with; i++) {
			if (!bsearch(&with[i], before, n, sizeof(int), compare) &&
			    !close_on_exec(with[i]))
				fail_msg("descriptor %d is not close-on-exec", with[i]);
		}
		fx_close(f);
		n_after = open_fds(after);
		assert_int_equal(n_after, n);
		assert_memory_equal(before, after, n * sizeof(int));
	}
}

/* A failed opening leaves nothing either. */
static void failed_openings_leave_no_descriptors(void **state)
{
	struct fx *f = *state;
	int before[256], after[256];
	size_t n;

	fx_open(f);
	fx_close(f);
	write_file(f->run, "libctr.run", "{");
	n = open_fds(before);
	FAILS(CTR_E_STORE_CORRUPT, ctr__store_open(f->root, f->run, &f->s, err));
	assert_int_equal(open_fds(after), n);
}

/* ---- fork ---- */

static int expect_forked(struct fx *f)
{
	struct ctr__store *mine = f->s;
	ctr_list_t *list = NULL;
	CTR__BUF struct ctr__buf raw = {0};
	size_t n;
	char id[CTR__ID_MAX + 1];

	if (!ctr__store_forked(mine))
		return 1;
	if (ctr__store_has(mine, "c1", NULL) != CTR_E_FORKED)
		return 2;
	if (ctr__store_lookup(mine, "c1", id, NULL) != CTR_E_FORKED)
		return 3;
	if (ctr__store_list(mine, NULL, &list, NULL) != CTR_E_FORKED)
		return 4;
	if (ctr__store_count(mine, &n, NULL) != CTR_E_FORKED)
		return 5;
	if (ctr__store_load_state(mine, "c1", &raw, NULL) != CTR_E_FORKED)
		return 6;
	if (ctr__store_remove(mine, "c1", NULL, NULL) != CTR_E_FORKED)
		return 7;
	if (ctr__store_settle(mine, NULL) != CTR_E_FORKED)
		return 8;
	ctr__store_unref(mine);
	/* It may have a store of its own. */
	f->s = NULL;
	if (ctr__store_open(f->root, f->run, &f->s, NULL) < 0 || f->s == mine)
		return 9;
	if (ctr__store_forked(f->s) || ctr__store_has(f->s, "c1", NULL) != 1)
		return 10;
	if (ctr__store_remove(f->s, "c1", NULL, NULL) < 0)
		return 11;
	/* And so may its child. */
	mine = f->s;
	switch (fork()) {
	case -1: return 12;
	case 0:
		if (!ctr__store_forked(mine))
			_exit(1);
		if (ctr__store_open(f->root, f->run, &f->s, NULL) < 0 || f->s == mine)
			_exit(2);
		_exit(ctr__store_has(f->s, "c1", NULL));
	default: break;
	}
	{
		int st;

		if (wait(&st) < 0 || !WIFEXITED(st) || WEXITSTATUS(st) != 0)
			return 13;
	}
	ctr__store_unref(mine);
	return 0;
}

static void children_have_their_own(void **state)
{
	struct fx *f = *state;
	pid_t pid;

	add(f, "c1", NULL, "");
	assert_int_equal(has(f, "c1"), 1);
	assert_false(ctr__store_forked(f->s));
	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(expect_forked(f));
	child_ends(pid, 0);
	/* The parent's is as it was, and sees what the child did. */
	assert_false(ctr__store_forked(f->s));
	assert_int_equal(has(f, "c1"), 0);
	add(f, "c2", NULL, "");
	check_consistent(f);
}

/* Ends a child: by exec, as what threads of the parent had on their stacks would look like leaks. */
static _Noreturn void leave(bool ok)
{
	execl(ok ? "/bin/true" : "/bin/false", "child", NULL);
	_exit(100);
}

/* The registry's lock may be held by another thread at the moment of a fork. */
struct opener {
	struct fx *f;
	atomic_int tid;
	int result;
};

static void *open_in_thread(void *arg)
{
	struct opener *o = arg;

	o->tid = gettid();
	o->result = ctr__store_open(o->f->root, o->f->run, &o->f->s, NULL);
	return NULL;
}

/* Until the thread waits in flock(). */
static void wait_for_flock(int tid)
{
	char dir[64];

	snprintf(dir, sizeof(dir), "/proc/self/task/%d", tid);
	for (;;) {
		CTR__FREE char *call = read_file(dir, "syscall");

		/* The first word is the number of the system call it sleeps in. */
		if (atoi(call) == SYS_flock)
			return;
		sched_yield();
	}
}

static void a_fork_may_come_while_the_registry_is_locked(void **state)
{
	struct fx *f = *state, *g = fx_new();
	struct opener o = {.f = f};
	pthread_t thread;
	char path[256];
	pid_t pid;
	int fd;

	fx_close(f);
	snprintf(path, sizeof(path), "%s/.lock", f->root);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_int_equal(pthread_create(&thread, NULL, open_in_thread, &o), 0);
	while (!o.tid)
		sched_yield();
	wait_for_flock(o.tid);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		alarm(60);
		leave(ctr__store_open(g->root, g->run, &g->s, NULL) == 0);
	}
	child_ends(pid, 0);
	assert_int_equal(flock(fd, LOCK_UN), 0);
	close(fd);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(o.result, 0);
	fx_free(g);
	latest_fx = f;
}

/* The same by chance, many times. The sanitizers' own allocator does not survive that. */
#ifndef SANITIZER
struct churn {
	struct fx *f;
	atomic_int stop;
};

static void *open_and_close(void *arg)
{
	struct churn *c = arg;

	while (!c->stop) {
		struct ctr__store *s = NULL;

		if (ctr__store_open(c->f->root, c->f->run, &s, NULL) < 0)
			return arg;
		ctr__store_unref(s);
	}
	return NULL;
}

static void forks_may_come_at_any_time(void **state)
{
	struct fx *f = *state;
	struct churn c = {.f = f};
	pthread_t thread;
	void *failed;

	fx_close(f); /* so that each round really opens */
	assert_int_equal(pthread_create(&thread, NULL, open_and_close, &c), 0);
	for (int i = 0; i < 100; i++) {
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0) {
			struct ctr__store *s = NULL;

			alarm(60);
			leave(ctr__store_open(f->root, f->run, &s, NULL) == 0);
		}
		child_ends(pid, 0);
	}
	c.stop = 1;
	assert_int_equal(pthread_join(thread, &failed), 0);
	assert_null(failed);
}
#endif

/* LMDB in the same process, past this library: locking would break. */
static void a_second_copy_is_refused(void **state)
{
	struct fx *f = *state;
	char path[300];
	int fd;

	fx_close(f);
	snprintf(path, sizeof(path), "%s/db/lock.mdb", f->root);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	FAILS_WITH(CTR_E_BUSY, "in this process", ctr__store_open(f->root, f->run, &f->s, err));
	close(fd);
	fx_open(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(opens_are_counted),
	    TEST(stores_are_independent),
	    TEST_CLOSED(descriptors_are_close_on_exec_and_go),
	    TEST_CLOSED(failed_openings_leave_no_descriptors),
	    TEST(children_have_their_own),
	    TEST(a_fork_may_come_while_the_registry_is_locked),
#ifndef SANITIZER
	    TEST(forks_may_come_at_any_time),
#endif
	    TEST(a_second_copy_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
