/* SPDX-License-Identifier: Apache-2.0 */
/* Process descriptors. */
#include "sys_test.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "sys/fd.h"
#include "sys/proc.h"
#include "sys/wait_util.h"
#include "util/clock.h"

/* Kernels before 5.3, and old tools that stand in between, do not know the call: that is what is said. */
static int or_enosys(int want)
{
	CTR__CLOSE int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);

	return fd < 0 && errno == ENOSYS ? -ENOSYS : want;
}

static void open_checks_the_start_time(void **state)
{
	uint64_t start = ctr__proc_start_time(getpid());
	CTR__CLOSE int fd = ctr__pidfd_open(getpid(), start);
	CTR__CLOSE int any = ctr__pidfd_open(getpid(), 0);

	(void)state;
	assert_int_equal(fd < 0 ? fd : 0, or_enosys(0));
	assert_int_equal(any < 0 ? any : 0, or_enosys(0));
	assert_int_equal(fd < 0 ? FD_CLOEXEC : fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(ctr__pidfd_open(getpid(), start + 1), or_enosys(-ESRCH));
}

static void nobody_is_there(void **state)
{
	struct ctr__child c = spawn_shell("exit 0");
	pid_t pid = c.pid;

	(void)state;
	ctr__child_kill(&c);
	assert_int_equal(ctr__pidfd_open(pid, 0), or_enosys(-ESRCH));
	assert_int_equal(ctr__pidfd_open(0, 0), -ESRCH);
	assert_int_equal(ctr__pidfd_open(-1, 0), -ESRCH);
}

static void *open_own_thread(void *arg)
{
	*(int *)arg = ctr__pidfd_open((pid_t)syscall(SYS_gettid), 0);
	return NULL;
}

static void a_thread_is_not_a_process(void **state)
{
	pthread_t t;
	int rc = 0;

	(void)state;
	assert_int_equal(pthread_create(&t, NULL, open_own_thread, &rc), 0);
	assert_int_equal(pthread_join(t, NULL), 0);
	assert_int_equal(rc, or_enosys(-ESRCH));
}

static void signal_and_wait(void **state)
{
	struct ctr__child c = spawn_sleeper();
	int status;
	bool known;

	(void)state;
	assert_int_equal(ctr__pidfd_signal(c.pidfd, 0), 0);
	assert_int_equal(ctr__pidfd_wait(c.pidfd, 0), 0);
	assert_int_equal(ctr__pidfd_wait(c.pidfd, 5), 0);
	assert_int_equal(ctr__pidfd_signal(c.pidfd, SIGTERM), 0);
	assert_int_equal(ctr__pidfd_wait(c.pidfd, -1), 1);
	assert_int_equal(ctr__child_wait(&c, -1, &status, &known, NULL), 0);
	assert_true(known);
	assert_int_equal(status, SIGTERM);
}

static void signal_to_a_reaped_process(void **state)
{
	struct ctr__child c = spawn_shell("exit 0");
	int status;

	(void)state;
	assert_int_equal(waitpid(c.pid, &status, 0), c.pid);
	assert_int_equal(ctr__pidfd_signal(c.pidfd, SIGTERM), -ESRCH);
	assert_int_equal(ctr__pidfd_wait(c.pidfd, -1), 1);
	close(c.pidfd);
}

static void bad_descriptors(void **state)
{
	CTR__CLOSE int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int status;

	(void)state;
	assert_int_equal(ctr__pidfd_wait(1000, 0), -EBADF);
	assert_int_equal(ctr__pidfd_signal(1000, 0), -EBADF);
	assert_int_equal(ctr__pidfd_signal(null_fd, 0), -EBADF);
	assert_false(ctr__pidfd_exit_status(null_fd, &status));
}

/* Not known while it is not reaped; afterwards right, or unknown on kernels before 6.15. */
static void exit_status_after_reaping(void **state)
{
	struct ctr__child c = spawn_shell("exit 5");
	int status = -1;

	(void)state;
	assert_int_equal(ctr__pidfd_wait(c.pidfd, -1), 1);
	assert_false(ctr__pidfd_exit_status(c.pidfd, &status));
	assert_int_equal(waitpid(c.pid, NULL, 0), c.pid);
	if (ctr__pidfd_exit_status(c.pidfd, &status))
		assert_int_equal(status, 5 << 8);
	else
		assert_int_equal(status, -1);
	close(c.pidfd);
}

static void *linger(void *ms)
{
	poll(NULL, 0, *(int *)ms);
	_exit(0);
}

/* A process of that name whose first thread has ended while another goes on for a while: it has no command
 * line, and is not dead. */
static pid_t start_dying(const char *name, int for_ms)
{
	pid_t pid = fork();
	char path[64], text[512];
	pthread_t t;

	if (pid == 0) {
		if (prctl(PR_SET_NAME, name) < 0 || pthread_create(&t, NULL, linger, &for_ms) != 0)
			_exit(1);
		syscall(SYS_exit, 0);
	}
	assert_true(pid > 0);
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	do {
		CTR__CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t n = ctr__read_eintr(fd, text, sizeof(text) - 1);

		assert_true(n > 0);
		text[n] = '\0';
	} while (!strstr(text, ") Z "));
	return pid;
}

struct death {
	pid_t want;
	int told;
};

static int note_death(pid_t pid, int argc, char **argv, void *userdata)
{
	struct death *d = userdata;

	assert_null(argv[argc]);
	assert_int_equal(argc, 0);
	d->told += pid == d->want;
	return 0;
}

/* Its last threads may still be at work, so it counts as one that works until it is dead. */
static void a_dying_program_is_waited_for(void **state)
{
	struct death d = {0};

	(void)state;
	if (or_enosys(0) != 0)
		return;
	for (int ms = 20; d.told == 0 && ms < 2000; ms *= 2) {
		d.want = start_dying("ctr-unit-dying", ms);
		assert_int_equal(ctr__proc_each("other", note_death, &d), 0);
		assert_int_equal(d.told, 0);
		assert_int_equal(ctr__proc_each("ctr-unit-dying", note_death, &d), 0);
		if (d.told)
			assert_int_equal(waitpid(d.want, NULL, WNOHANG), d.want);
		else
			assert_int_equal(waitpid(d.want, NULL, 0), d.want);
	}
	assert_int_equal(d.told, 1);
}

static void deadlines(void **state)

{
	(void)state;
	assert_true(ctr__deadline(-1) == -1);
	assert_int_equal(ctr__poll_timeout(-1), -1);
	assert_int_equal(ctr__poll_timeout(ctr__deadline(0)), 0);
	assert_true(ctr__deadline(INT64_MAX) == INT64_MAX);
	assert_int_equal(ctr__poll_timeout(INT64_MAX), INT32_MAX);
	assert_in_range(ctr__poll_timeout(ctr__deadline(3600000)), 3000000, 3600000);
	/* Rounded up: never a busy loop before the end. */
	assert_int_equal(ctr__poll_timeout(ctr__monotonic_ns() + 900000), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(open_checks_the_start_time),
	    cmocka_unit_test(nobody_is_there),
	    cmocka_unit_test(a_thread_is_not_a_process),
	    cmocka_unit_test(signal_and_wait),
	    cmocka_unit_test(signal_to_a_reaped_process),
	    cmocka_unit_test(bad_descriptors),
	    cmocka_unit_test(exit_status_after_reaping),
	    cmocka_unit_test(a_dying_program_is_waited_for),
	    cmocka_unit_test(deadlines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
