/* SPDX-License-Identifier: Apache-2.0 */
/* Starting programs and waiting for them. */
#include "sys_test.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "sys/fd.h"
#include "sys/proc.h"

#define SH "/bin/sh"

static const char *const env_path[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "ONLY=this", NULL};

/* Starts a shell whose descriptor 1 is a pipe; returns the pipe's other end. */
static int start_shell(const char *script, struct ctr__spawn *s, struct ctr__child *c)
{
	const char *argv[] = {"sh", "-c", script, NULL};
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	s->path = SH;
	s->argv = argv;
	if (!s->envp)
		s->envp = env_path;
	if (s->nfds < 2) {
		s->nfds = 2;
		s->fds[0] = -1;
	}
	s->fds[1] = ends[1];
	assert_int_equal(ctr__spawn(s, c, NULL), 0);
	close(ends[1]);
	return ends[0];
}

static void read_all(int fd, char *buf, size_t size)
{
	size_t len = 0;
	ssize_t n;

	while ((n = ctr__read_eintr(fd, buf + len, size - 1 - len)) > 0)
		len += (size_t)n;
	assert_int_equal(n, 0);
	buf[len] = '\0';
	close(fd);
}

static int wait_status(struct ctr__child *c)
{
	int status = -1;
	bool known = false;

	assert_int_equal(ctr__child_wait(c, -1, &status, &known, NULL), 0);
	assert_true(known);
	return status;
}

static void expect_output(const char *script, struct ctr__spawn s, const char *want)
{
	struct ctr__child c;
	char got[4096];

	read_all(start_shell(script, &s, &c), got, sizeof(got));
	assert_string_equal(got, want);
	assert_int_equal(wait_status(&c), 0);
}

static void status_of_exit_and_signal(void **state)
{
	struct ctr__child c = spawn_shell("exit 42");

	(void)state;
	assert_true(c.pid > 0);
	assert_true(c.pidfd >= 0);
	assert_int_equal(fcntl(c.pidfd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(wait_status(&c), 42 << 8);
	assert_int_equal(c.pidfd, -1);
	c = spawn_shell("kill -9 $$");
	assert_int_equal(wait_status(&c), SIGKILL);
}

static void failing_exec_names_the_program(void **state)
{
	const char *argv[] = {"none", NULL};
	struct ctr__spawn s = {.path = "/nonexistent/none", .argv = argv, .cwd_fd = -1};
	struct ctr__child c;
	CTR__ERROR ctr_error_t *err = NULL;
	int before = count_fds();

	(void)state;
	assert_int_equal(ctr__spawn(&s, &c, &err), CTR_E_SYSTEM);
	assert_int_equal(ctr_error_errno(err), ENOENT);
	assert_string_equal(ctr_error_get(err, "path"), "/nonexistent/none");
	assert_non_null(strstr(ctr_error_message(err), "execute"));
	s.path = "/etc";
	assert_int_equal(ctr__spawn(&s, &c, &err), CTR_E_PERMISSION);
	assert_int_equal(ctr_error_errno(err), EACCES);
	assert_int_equal(count_fds(), before);
	/* Nothing is left to be waited for. */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void bad_working_directory_is_said(void **state)
{
	const char *argv[] = {"sh", NULL};
	CTR__CLOSE int file = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct ctr__spawn s = {.path = SH, .argv = argv, .cwd_fd = file};
	struct ctr__child c;
	CTR__ERROR ctr_error_t *err = NULL;

	(void)state;
	assert_int_equal(ctr__spawn(&s, &c, &err), CTR_E_SYSTEM);
	assert_int_equal(ctr_error_errno(err), ENOTDIR);
	assert_non_null(strstr(ctr_error_message(err), "working directory"));
}

static void bad_arguments(void **state)
{
	const char *argv[] = {"sh", NULL}, *none[] = {NULL};
	struct ctr__spawn s = {.path = "sh", .argv = argv, .cwd_fd = -1};
	struct ctr__child c;

	(void)state;
	assert_int_equal(ctr__spawn(&s, &c, NULL), CTR_E_INVALID);
	s.path = NULL;
	assert_int_equal(ctr__spawn(&s, &c, NULL), CTR_E_INVALID);
	s.path = SH;
	s.argv = none;
	assert_int_equal(ctr__spawn(&s, &c, NULL), CTR_E_INVALID);
	s.argv = argv;
	s.nfds = CTR__SPAWN_MAX_FDS + 1;
	assert_int_equal(ctr__spawn(&s, &c, NULL), CTR_E_INVALID);
}

static void environment_is_only_the_given_one(void **state)
{
	static const char *const one[] = {"ONLY=this", NULL};

	(void)state;
	setenv("SECRET_OF_THE_HOST", "x", 1);
	expect_output("/usr/bin/tr '\\0' '\\n' < /proc/$$/environ",
	    (struct ctr__spawn){.cwd_fd = -1, .envp = one}, "ONLY=this\n");
	unsetenv("SECRET_OF_THE_HOST");
}

static void working_directory(void **state)
{
	struct scratch *s = *state;
	char want[300], before[256], after[256];

	assert_non_null(getcwd(before, sizeof(before)));
	expect_output("pwd -P", (struct ctr__spawn){.cwd_fd = -1}, "/\n");
	snprintf(want, sizeof(want), "%s\n", s->path);
	expect_output("pwd -P", (struct ctr__spawn){.cwd_fd = s->fd}, want);
	assert_non_null(getcwd(after, sizeof(after)));
	assert_string_equal(before, after);
}

/* The directory of the shell itself is open while it lists; leave out what is not ours by number. */
static void no_other_descriptors(void **state)
{
	int inheritable = open("/dev/zero", O_RDONLY), high = fcntl(inheritable, F_DUPFD, 200);

	(void)state;
	assert_true(high >= 200);
	expect_output("cd /proc/$$/fd; for n in 0 1 2 3 4 5 6 7 8 9 200 201; do "
	              "test -e $n && echo $n; done; true",
	    (struct ctr__spawn){.cwd_fd = -1}, "0\n1\n2\n");
	close(inheritable);
	close(high);
}

static void missing_descriptors_are_null(void **state)
{
	(void)state;
	expect_output("readlink /proc/$$/fd/0 /proc/$$/fd/2", (struct ctr__spawn){.cwd_fd = -1},
	    "/dev/null\n/dev/null\n");
}

/* A descriptor with a high number that reads this text. */
static int text_fd(const struct scratch *s, const char *text)
{
	CTR__CLOSE int fd = -1;
	int high;

	put_file(s->fd, text, text);
	fd = openat(s->fd, text, O_RDONLY | O_CLOEXEC);
	high = fcntl(fd, F_DUPFD_CLOEXEC, 60);
	assert_true(high >= 60);
	return high;
}

/* Puts `high` at the low number; returns where the one that was there is kept, or -1. */
static int occupy(int low, int high)
{
	int saved = fcntl(low, F_DUPFD_CLOEXEC, 80);

	assert_int_equal(dup3(high, low, O_CLOEXEC), low);
	close(high);
	return saved;
}

static void restore(int low, int saved)
{
	close(low);
	if (saved >= 0) {
		dup3(saved, low, O_CLOEXEC);
		close(saved);
	}
}

/* Child's 3, 4, 5 are our 4, 5, 3, and 6 is 6 itself, and 7 is 3 again. */
static void overlapping_descriptors(void **state)
{
	static const char *const texts[] = {"three", "four", "five", "six"};
	struct ctr__spawn sp = {.path = SH,
	    .argv = (const char *const[]){"sh", "-c",
	        "cat <&3; cat <&4; cat <&5; cat <&6; readlink /proc/$$/fd/7 | grep -o '[a-z]*$'",
	        NULL},
	    .envp = env_path,
	    .cwd_fd = -1,
	    .nfds = 8};
	int ends[2], high[4], saved[4], out, rc;
	struct ctr__child c;
	char got[64];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	out = fcntl(ends[1], F_DUPFD_CLOEXEC, 50);
	close(ends[1]);
	for (int i = 0; i < 4; i++)
		high[i] = text_fd(*state, texts[i]);
	ends[1] = fcntl(ends[0], F_DUPFD_CLOEXEC, 50);
	close(ends[0]);
	for (int i = 0; i < 4; i++)
		saved[i] = occupy(3 + i, high[i]);
	memcpy(sp.fds, (int[]){-1, out, -1, 4, 5, 3, 6, 3}, 8 * sizeof(int));
	rc = ctr__spawn(&sp, &c, NULL);
	for (int i = 0; i < 4; i++)
		restore(3 + i, saved[i]);
	assert_int_equal(rc, 0);
	close(out);
	read_all(ends[1], got, sizeof(got));
	assert_string_equal(got, "fourfivethreesixthree\n");
	assert_int_equal(wait_status(&c), 0);
}

static void handler(int sig)
{
	(void)sig;
}

/* SigBlk and SigIgn of the child are empty though ours are not. */
static void signals_are_reset(void **state)
{
	sigset_t set, old, now;
	struct sigaction ignore = {.sa_handler = SIG_IGN}, catch = {.sa_handler = handler};
	struct sigaction old_pipe, old_usr, seen;
	struct ctr__spawn s = {.cwd_fd = -1};

	(void)state;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGUSR2);
	assert_int_equal(pthread_sigmask(SIG_BLOCK, &set, &old), 0);
	sigaction(SIGPIPE, &ignore, &old_pipe);
	sigaction(SIGUSR1, &catch, &old_usr);
	expect_output("grep -E 'Sig(Blk|Ign)' /proc/self/status | tr -d '\\t\\n'", s,
	    "SigBlk:0000000000000000SigIgn:0000000000000000");
	/* Ours are as before. */
	pthread_sigmask(SIG_SETMASK, NULL, &now);
	assert_true(sigismember(&now, SIGTERM) == 1 && sigismember(&now, SIGUSR2) == 1);
	assert_true(sigismember(&now, SIGUSR1) == 0 && sigismember(&now, SIGINT) == 0);
	sigaction(SIGPIPE, NULL, &seen);
	assert_true(seen.sa_handler == SIG_IGN);
	sigaction(SIGUSR1, NULL, &seen);
	assert_true(seen.sa_handler == handler);
	sigaction(SIGPIPE, &old_pipe, NULL);
	sigaction(SIGUSR1, &old_usr, NULL);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

static void process_group(void **state)
{
	struct ctr__child c = spawn_sleeper();
	const char *argv[] = {"sleep", "1000", NULL};
	struct ctr__spawn s = {.path = "/bin/sleep", .argv = argv, .cwd_fd = -1, .new_group = true};

	(void)state;
	assert_int_equal(getpgid(c.pid), getpgrp());
	ctr__child_kill(&c);
	assert_int_equal(ctr__spawn(&s, &c, NULL), 0);
	assert_int_equal(getpgid(c.pid), c.pid);
	ctr__child_kill(&c);
}

static void *spawn_and_end(void *arg)
{
	const char *argv[] = {"sleep", "1000", NULL};
	struct ctr__spawn s = {
	    .path = "/bin/sleep", .argv = argv, .cwd_fd = -1, .die_with_parent = true};

	return ctr__spawn(&s, arg, NULL) == 0 ? arg : NULL;
}

static void dies_with_the_calling_thread(void **state)
{
	struct ctr__child c;
	pthread_t t;
	void *ok;

	(void)state;
	assert_int_equal(pthread_create(&t, NULL, spawn_and_end, &c), 0);
	assert_int_equal(pthread_join(t, &ok), 0);
	assert_non_null(ok);
	assert_int_equal(wait_status(&c), SIGKILL);
}

static void waiting_times_out(void **state)
{
	struct ctr__child c = spawn_sleeper();
	CTR__ERROR ctr_error_t *err = NULL;
	pid_t pid = c.pid;
	int status;
	bool known;

	(void)state;
	assert_int_equal(ctr__child_wait(&c, 0, &status, &known, &err), CTR_E_TIMEOUT);
	assert_int_equal(ctr__child_wait(&c, 20, &status, &known, &err), CTR_E_TIMEOUT);
	assert_true(c.pidfd >= 0);
	assert_true(ctr__proc_alive(pid, 0));
	ctr__child_kill(&c);
	assert_int_equal(c.pidfd, -1);
	assert_false(ctr__proc_alive(pid, 0));
}

/* Newer kernels tell the status although somebody else took it; older ones must not give a wrong one. */
static void check_taken(struct ctr__child *c, int want)
{
	int status = -1, probe;
	bool known = true, kernel_tells;
	CTR__CLOSE int pidfd = fcntl(c->pidfd, F_DUPFD_CLOEXEC, 3);

	assert_int_equal(ctr__child_wait(c, -1, &status, &known, NULL), 0);
	kernel_tells = ctr__pidfd_exit_status(pidfd, &probe);
	assert_int_equal(known, kernel_tells);
	assert_int_equal(status, known ? want : 0);
}

static void host_ignores_sigchld(void **state)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN}, old;
	const char *argv[] = {"none", NULL};
	struct ctr__spawn s = {.path = "/nonexistent/none", .argv = argv, .cwd_fd = -1};
	struct ctr__child c;

	(void)state;
	sigaction(SIGCHLD, &ignore, &old);
	for (int i = 0; i < 20; i++) {
		c = spawn_shell("exit 7");
		check_taken(&c, 7 << 8);
	}
	assert_int_equal(ctr__spawn(&s, &c, NULL), CTR_E_SYSTEM);
	sigaction(SIGCHLD, &old, NULL);
}

struct reaper {
	atomic_bool stop;
	atomic_int reaped;
};

static void *reap_everything(void *arg)
{
	struct reaper *r = arg;

	while (!atomic_load(&r->stop)) {
		if (waitpid(-1, NULL, 0) > 0)
			atomic_fetch_add(&r->reaped, 1);
		else
			sched_yield();
	}
	return NULL;
}

static void host_reaps_everything(void **state)
{
	struct reaper r = {false, 0};
	pthread_t t;

	(void)state;
	assert_int_equal(pthread_create(&t, NULL, reap_everything, &r), 0);
	for (int i = 0; i < 50; i++) {
		struct ctr__child c = spawn_shell("exit 7");
		int status = -1;
		bool known;

		assert_int_equal(ctr__child_wait(&c, -1, &status, &known, NULL), 0);
		assert_int_equal(status, known ? 7 << 8 : 0);
	}
	atomic_store(&r.stop, true);
	assert_int_equal(pthread_join(t, NULL), 0);
}

/* Certainly taken before we look. */
static void status_taken_before(void **state)
{
	struct ctr__child c = spawn_shell("exit 9");

	(void)state;
	assert_int_equal(waitpid(c.pid, NULL, 0), c.pid);
	check_taken(&c, 9 << 8);
}

static void *spawn_many(void *arg)
{
	(void)arg;
	for (int i = 0; i < 25; i++) {
		struct ctr__child c = spawn_shell("exit 3");
		int status;
		bool known;

		if (ctr__child_wait(&c, -1, &status, &known, NULL) != 0 || !known ||
		    status != 3 << 8)
			return arg;
	}
	return NULL;
}

static void many_threads(void **state)
{
	pthread_t t[4];
	int before = count_fds();

	(void)state;
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&t[i], NULL, spawn_many, t), 0);
	for (size_t i = 0; i < 4; i++) {
		void *failed;

		assert_int_equal(pthread_join(t[i], &failed), 0);
		assert_null(failed);
	}
	assert_int_equal(count_fds(), before);
}

static void errno_is_kept(void **state)
{
	struct ctr__child c;

	(void)state;
	errno = EXDEV;
	c = spawn_shell("exit 0");
	assert_int_equal(errno, EXDEV);
	assert_int_equal(wait_status(&c), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(status_of_exit_and_signal),
	    cmocka_unit_test(failing_exec_names_the_program),
	    cmocka_unit_test(bad_working_directory_is_said),
	    cmocka_unit_test(bad_arguments),
	    cmocka_unit_test(environment_is_only_the_given_one),
	    cmocka_unit_test_setup_teardown(working_directory, scratch_setup, scratch_teardown),
	    cmocka_unit_test(no_other_descriptors),
	    cmocka_unit_test(missing_descriptors_are_null),
	    cmocka_unit_test_setup_teardown(
	        overlapping_descriptors, scratch_setup, scratch_teardown),
	    cmocka_unit_test(signals_are_reset),
	    cmocka_unit_test(process_group),
	    cmocka_unit_test(dies_with_the_calling_thread),
	    cmocka_unit_test(waiting_times_out),
	    cmocka_unit_test(host_ignores_sigchld),
	    cmocka_unit_test(host_reaps_everything),
	    cmocka_unit_test(status_taken_before),
	    cmocka_unit_test(many_threads),
	    cmocka_unit_test(errno_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
