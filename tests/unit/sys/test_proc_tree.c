/* SPDX-License-Identifier: Apache-2.0 */
/* Ending a process with all that it has started. */
#include "sys_test.h"

#include <signal.h>
#include <sys/wait.h>

#include "sys/fd.h"
#include "sys/proc.h"

/* A shell in a session of its own: children, a grandchild, and one whose parent is gone. Each writes a line once it is
 * there. `out` reads what they write: its end comes when all of them have ended. */
static struct ctr__child spawn_tree(int *out)
{
	static const char script[] = "(sleep 1000 & echo; wait) & (sh -c 'sleep 1000 & echo' &) & "
	                             "sleep 1000 & echo; wait";
	const char *argv[] = {"setsid", "sh", "-c", script, NULL};
	const char *env[] = {"PATH=/usr/bin:/bin", NULL};
	struct ctr__child child;
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(ctr__spawn(&(struct ctr__spawn){.path = "/usr/bin/setsid",
	                                .argv = argv,
	                                .envp = env,
	                                .cwd_fd = -1,
	                                .fds = {-1, ends[1]},
	                                .nfds = 2},
	                     &child, NULL),
	    0);
	close(ends[1]);
	*out = ends[0];
	for (int lines = 0; lines < 3;) {
		char c;

		assert_int_equal(ctr__read_eintr(ends[0], &c, 1), 1);
		lines += c == '\n';
	}
	return child;
}

static void the_whole_tree_ends(void **state)
{
	CTR__CLOSE int out = -1;
	struct ctr__child child = spawn_tree(&out);
	int status;
	bool known;
	char c;

	(void)state;
	assert_true(child.pidfd >= 0);
	assert_int_equal(ctr__proc_kill_tree(child.pidfd, child.pid), 0);
	assert_int_equal(ctr__child_wait(&child, 10000, &status, &known, NULL), 0);
	assert_true(known && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	/* The last one that could write has ended. */
	assert_int_equal(ctr__read_eintr(out, &c, 1), 0);
}

static void others_live_on(void **state)
{
	struct ctr__child other = spawn_sleeper(), child = spawn_shell("sleep 1000; true");
	uint64_t start = ctr__proc_start_time(other.pid);

	(void)state;
	if (child.pidfd >= 0) {
		assert_int_equal(ctr__proc_kill_tree(child.pidfd, child.pid), 0);
		assert_int_equal(ctr__pidfd_wait(child.pidfd, 10000), 1);
		assert_true(ctr__proc_alive(other.pid, start));
	}
	ctr__child_kill(&child);
	ctr__child_kill(&other);
}

static void one_that_has_ended(void **state)
{
	struct ctr__child child = spawn_shell("exit 0");

	(void)state;
	if (child.pidfd >= 0) {
		assert_int_equal(ctr__pidfd_wait(child.pidfd, 10000), 1);
		assert_int_equal(ctr__proc_kill_tree(child.pidfd, child.pid), 0);
	}
	ctr__child_kill(&child);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_whole_tree_ends),
	    cmocka_unit_test(others_live_on),
	    cmocka_unit_test(one_that_has_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
