/* SPDX-License-Identifier: Apache-2.0 */
/* What /proc says. */
#include "sys_test.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

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
	    cmocka_unit_test(about_this_system),
	    cmocka_unit_test(own_cgroup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
