/* SPDX-License-Identifier: Apache-2.0 */
/* What /proc says. */
#include "sys_test.h"

#include <signal.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "sys/fd.h"
#include "sys/proc.h"

/* Says that it runs, and waits for the end of its input. */
#define SIT "echo; read x"

static void start_time_is_stable_and_differs(void **state)
{
	uint64_t own = ctr__proc_start_time(getpid());

	(void)state;
	assert_true(own != 0);
	assert_true(own == ctr__proc_start_time(getpid()));
	assert_true(ctr__proc_start_time(1) != 0);
	assert_true(ctr__proc_start_time(1) < own);
	assert_true(ctr__proc_start_time(0) == 0);
	assert_true(ctr__proc_start_time(-5) == 0);
}

static void name_with_parentheses(void **state)
{
	static const char *const names[] = {") Z 1 (", "a b) S 1 2", "((", "))", ") ) ) ) ) )"};
	uint64_t own = ctr__proc_start_time(getpid());
	char old[16];

	(void)state;
	assert_int_equal(prctl(PR_GET_NAME, old), 0);
	for (size_t i = 0; i < CTR__ARRAY_SIZE(names); i++) {
		assert_int_equal(prctl(PR_SET_NAME, names[i]), 0);
		assert_true(ctr__proc_start_time(getpid()) == own);
		assert_true(ctr__proc_alive(getpid(), own));
	}
	prctl(PR_SET_NAME, old);
}

static void alive_zombie_gone(void **state)
{
	struct ctr__child c = spawn_sleeper();
	uint64_t start = ctr__proc_start_time(c.pid);

	(void)state;
	assert_true(ctr__proc_alive(c.pid, start));
	assert_true(ctr__proc_alive(c.pid, 0));
	assert_false(ctr__proc_alive(c.pid, start + 1));
	assert_int_equal(ctr__pidfd_signal(c.pidfd, SIGKILL), 0);
	assert_int_equal(ctr__pidfd_wait(c.pidfd, -1), 1);
	/* A zombie: kill() would still find it. */
	assert_int_equal(kill(c.pid, 0), 0);
	assert_false(ctr__proc_alive(c.pid, start));
	assert_true(ctr__proc_start_time(c.pid) == start);
	assert_int_equal(waitpid(c.pid, NULL, 0), c.pid);
	assert_false(ctr__proc_alive(c.pid, start));
	close(c.pidfd);
}

struct found {
	pid_t want;
	int calls;
	int argc;
	char arg[64];
};

static int remember(pid_t pid, int argc, char **argv, void *userdata)
{
	struct found *f = userdata;

	if (pid != f->want)
		return 0;
	assert_null(argv[argc]);
	f->calls++;
	f->argc = argc;
	snprintf(f->arg, sizeof(f->arg), "%s", argv[argc - 1]);
	return 7;
}

/* A shell that was started under another name, has begun, and sits there until `*hold` is closed. */
static struct ctr__child start_named(const char *const *argv, int *hold)
{
	struct ctr__child c = {-1, -1};
	struct ctr__spawn s = {.path = "/bin/sh", .argv = argv, .cwd_fd = -1, .nfds = 2};
	int in[2], out[2];
	char begun;

	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	s.fds[0] = in[0];
	s.fds[1] = out[1];
	assert_int_equal(ctr__spawn(&s, &c, NULL), 0);
	close(in[0]);
	close(out[1]);
	/* Its command line is not there yet when its memory is already its own. */
	assert_int_equal(ctr__read_eintr(out[0], &begun, 1), 1);
	close(out[0]);
	*hold = in[1];
	return c;
}

/* The program name is the last component of argv[0], which says nothing about the file. */
static void finds_programs_by_name(void **state)
{
	const char *argv[] = {"/some/where/ctr-unit-prog", "-c", SIT, "last", NULL};
	CTR__CLOSE int hold = -1;
	struct ctr__child c = start_named(argv, &hold);
	struct found f = {.want = c.pid};

	(void)state;
	assert_int_equal(ctr__proc_each("ctr-unit-prog", remember, &f), 7);
	assert_int_equal(f.calls, 1);
	assert_int_equal(f.argc, 4);
	assert_string_equal(f.arg, "last");
	assert_int_equal(ctr__proc_each("unit-prog", remember, &f), 0);
	assert_int_equal(ctr__proc_each("sh", remember, &f), 0);
	assert_int_equal(f.calls, 1);
	ctr__child_kill(&c);
	assert_int_equal(ctr__proc_each("ctr-unit-prog", remember, &f), 0);
}

/* Gives away the memory that its command line is in; that is why it has another stack. */
static int live_nameless(void *arg)
{
	int *ready = arg;
	char stat[4096] = "", *p;
	unsigned long page = (unsigned long)sysconf(_SC_PAGESIZE), start = 0, end = 0;
	int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, stat, sizeof(stat) - 1) <= 0)
		_exit(1);
	/* Fields 48 and 49, counted from the end of field 2. */
	p = strrchr(stat, ')');
	for (int field = 2; p && field < 48; field++)
		p = strchr(p + 1, ' ');
	if (p)
		start = strtoul(p, &p, 10);
	if (p)
		end = strtoul(p, NULL, 10);
	start -= start % page;
	if (!start || munmap((void *)start, end - start) < 0 || write(ready[1], "x", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

/* A child without a command line, as any process can make itself one. */
static pid_t start_nameless(void)
{
	static char stack[1 << 16] __attribute__((aligned(16)));
	int ready[2];
	char begun;
	pid_t pid;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = clone(live_nameless, stack + sizeof(stack), SIGCHLD, ready);
	assert_true(pid > 0);
	close(ready[1]);
	assert_int_equal(ctr__read_eintr(ready[0], &begun, 1), 1);
	close(ready[0]);
	return pid;
}

/* Each is waited for, as it may be about to become the program; but all at the same time. */
static void is_not_held_up_by_the_nameless(void **state)
{
	const char *argv[] = {"/some/where/ctr-unit-prog", "-c", SIT, "last", NULL};
	CTR__CLOSE int hold = -1;
	struct timespec before, after;
	struct found f = {0};
	struct ctr__child c;
	pid_t pids[8];
	int none, found;

	(void)state;
	for (size_t i = 0; i < CTR__ARRAY_SIZE(pids); i++)
		pids[i] = start_nameless();
	c = start_named(argv, &hold);
	f.want = c.pid;
	clock_gettime(CLOCK_MONOTONIC, &before);
	none = ctr__proc_each("ctr-unit-none", remember, &f);
	clock_gettime(CLOCK_MONOTONIC, &after);
	found = ctr__proc_each("ctr-unit-prog", remember, &f);
	/* Before anything can fail: they would stay for ever. */
	for (size_t i = 0; i < CTR__ARRAY_SIZE(pids); i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
	ctr__child_kill(&c);
	assert_int_equal(none, 0);
	assert_int_equal(found, 7);
	assert_true(after.tv_sec - before.tv_sec < 10);
}

static void finds_odd_command_lines(void **state)
{
	static const char *argv[3002] = {"ctr-unit-many", "-c", SIT, "", ""};
	CTR__CLOSE int hold = -1;
	CTR__CLOSE int hold_more = -1;
	struct ctr__child c = start_named(argv, &hold);
	struct found f = {.want = c.pid};

	(void)state;
	assert_int_equal(ctr__proc_each("ctr-unit-many", remember, &f), 7);
	assert_int_equal(f.argc, 5);
	assert_string_equal(f.arg, "");
	ctr__child_kill(&c);
	/* More than is read: the rest is cut off. */
	for (int i = 3; i < 3001; i++)
		argv[i] = "an argument that makes the command line longer than anybody reads";
	c = start_named(argv, &hold_more);
	f = (struct found){.want = c.pid};
	assert_int_equal(ctr__proc_each("ctr-unit-many", remember, &f), 7);
	assert_in_range(f.argc, 1900, 2999);
	ctr__child_kill(&c);
}

static void about_this_system(void **state)
{
	char id[37];

	(void)state;
	assert_true(ctr__pid_ns_inode() != 0);
	assert_int_equal(ctr__boot_id(id), 0);
	assert_int_equal(strlen(id), 36);
	assert_int_equal(id[8], '-');
}

static void own_cgroup(void **state)
{
	CTR__FREE char *path = ctr__proc_cgroup(getpid());

	(void)state;
	assert_non_null(path);
	assert_int_equal(path[0], '/');
	assert_null(ctr__proc_cgroup(0));
	assert_null(ctr__proc_cgroup(-1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(start_time_is_stable_and_differs),
	    cmocka_unit_test(name_with_parentheses),
	    cmocka_unit_test(alive_zombie_gone),
	    cmocka_unit_test(finds_programs_by_name),
	    cmocka_unit_test(finds_odd_command_lines),
	    cmocka_unit_test(is_not_held_up_by_the_nameless),
	    cmocka_unit_test(about_this_system),
	    cmocka_unit_test(own_cgroup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
