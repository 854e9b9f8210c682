/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finding a container's processes by their command lines. The processes are copies of this program under
 * other names; they do nothing but exist.
 */
#include "oci_test.h"

#include <signal.h>
#include <sys/wait.h>

#include "sys/proc.h"

#define READY_FD 9

/* Starts this program with these words as its command line; returns when it runs. */
static pid_t pretend(const char *const *words)
{
	int ends[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		dup2(ends[1], READY_FD);
		execv("/proc/self/exe", (char *const *)(uintptr_t)words);
		_exit(1);
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	close(ends[0]);
	return pid;
}

/* Ends it; true if it was still alive. */
static bool end(pid_t pid)
{
	bool alive = ctr__proc_alive(pid, 0);

	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	return alive;
}

static pid_t pretend_monitor(const struct bench *b, const char *id, const char *bundle)
{
	return pretend((const char *const[]){
	    b->conmon, "--api-version", "1", "-c", id, "-u", id, "-b", bundle, "-l", "none", NULL});
}

static void put_pid_file(const struct bench *b, pid_t pid)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", (int)pid);
	put_file(b->bundle, "conmon.pid", text);
}

static pid_t monitor(const struct bench *b)
{
	uint64_t start;
	pid_t pid = ctr__oci_monitor(b->d, &b->c, &start);

	if (pid)
		assert_int_equal(start, ctr__proc_start_time(pid));
	return pid;
}

static void test_the_monitor_that_the_library_knows(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, "runc");
	b.c.monitor_pid = getpid();
	b.c.monitor_start = ctr__proc_start_time(getpid());
	assert_int_equal(monitor(&b), getpid());
	b.c.monitor_start++;
	assert_int_equal(monitor(&b), 0);
	bench_close(&b);
}

static void test_the_monitor_of_the_pid_file(void **state)
{
	struct bench b;
	pid_t pid;

	(void)state;
	bench_open(&b, "runc");
	assert_int_equal(monitor(&b), 0);
	pid = pretend_monitor(&b, BENCH_ID, b.bundle);
	put_pid_file(&b, pid);
	assert_int_equal(monitor(&b), pid);
	assert_true(end(pid));
	assert_int_equal(monitor(&b), 0);
	bench_close(&b);
}

/* After a PID was used again, the file names somebody else. */
static void test_a_pid_file_that_names_somebody_else(void **state)
{
	struct bench b;
	pid_t pid;

	(void)state;
	bench_open(&b, "runc");
	put_pid_file(&b, getpid());
	assert_int_equal(monitor(&b), 0);
	pid = pretend_monitor(&b, "box2", b.bundle);
	put_pid_file(&b, pid);
	assert_int_equal(monitor(&b), 0);
	assert_true(end(pid));
	pid = pretend_monitor(&b, BENCH_ID, "/some/other/bundle");
	put_pid_file(&b, pid);
	assert_int_equal(monitor(&b), 0);
	assert_int_equal(ctr__oci_end_monitor(b.d, &b.c, 0, NULL), 0);
	assert_true(end(pid));
	put_file(b.bundle, "conmon.pid", "-1");
	assert_int_equal(monitor(&b), 0);
	put_file(b.bundle, "conmon.pid", "12x");
	assert_int_equal(monitor(&b), 0);
	bench_close(&b);
}

static void test_ends_the_monitor(void **state)
{
	struct bench b;
	pid_t pid;

	(void)state;
	bench_open(&b, "runc");
	assert_int_equal(ctr__oci_end_monitor(b.d, &b.c, 0, NULL), 0);
	pid = pretend_monitor(&b, BENCH_ID, b.bundle);
	put_pid_file(&b, pid);
	assert_int_equal(ctr__oci_end_monitor(b.d, &b.c, 1, NULL), 0);
	assert_false(end(pid));
	bench_close(&b);
}

static void test_ends_everybody_who_works_on_the_container(void **state)
{
	struct bench b;
	pid_t conmon, forked, runtime, stranger[4];

	(void)state;
	bench_open(&b, "runc");
	assert_int_equal(ctr__oci_kill_workers(b.d, &b.c, NULL), 0);
	conmon = pretend_monitor(&b, BENCH_ID, b.bundle);
	forked = pretend_monitor(&b, BENCH_ID, b.bundle);
	runtime = pretend((const char *const[]){
	    b.runtime, "--root", b.d->oci_root, "create", "--bundle", b.bundle, BENCH_ID, NULL});
	stranger[0] = pretend_monitor(&b, "box2", b.bundle);
	stranger[1] = pretend_monitor(&b, BENCH_ID, "/some/other/bundle");
	stranger[2] = pretend(
	    (const char *const[]){b.runtime, "--root", "/run/runc", "create", BENCH_ID, NULL});
	stranger[3] = pretend((const char *const[]){b.runtime, "init", NULL});
	assert_int_equal(ctr__oci_kill_workers(b.d, &b.c, NULL), 3);
	assert_int_equal(ctr__oci_kill_workers(b.d, &b.c, NULL), 0);
	assert_false(end(conmon));
	assert_false(end(forked));
	assert_false(end(runtime));
	for (size_t i = 0; i < CTR__ARRAY_SIZE(stranger); i++)
		assert_true(end(stranger[i]));
	bench_close(&b);
}

/* "runc init" says nothing of its container, but it holds the fifo. */
static void test_finds_runc_init_by_its_fifo(void **state)
{
	struct bench b;
	char dir[400], fifo[420];
	int fd;
	pid_t pid;

	(void)state;
	bench_open(&b, "runc");
	snprintf(dir, sizeof(dir), "%s/%s", b.d->oci_root, BENCH_ID);
	snprintf(fifo, sizeof(fifo), "%s/exec.fifo", dir);
	assert_int_equal(mkdir(dir, 0700), 0);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	fd = open(fifo, O_PATH); /* inherited on purpose */
	assert_true(fd >= 0);
	pid = pretend((const char *const[]){b.runtime, "init", NULL});
	close(fd);
	unlink(fifo);
	assert_int_equal(ctr__oci_kill_workers(b.d, &b.c, NULL), 1);
	assert_false(end(pid));
	bench_close(&b);
}

static bool is_pretending(const char *argv0)
{
	const char *name = strrchr(argv0, '/');

	return name && (strcmp(name, "/conmon") == 0 || strcmp(name, "/runc") == 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_the_monitor_that_the_library_knows),
	    cmocka_unit_test(test_the_monitor_of_the_pid_file),
	    cmocka_unit_test(test_a_pid_file_that_names_somebody_else),
	    cmocka_unit_test(test_ends_the_monitor),
	    cmocka_unit_test(test_ends_everybody_who_works_on_the_container),
	    cmocka_unit_test(test_finds_runc_init_by_its_fifo),
	};

	if (argc > 0 && is_pretending(argv[0])) {
		alarm(100);
		if (write(READY_FD, "", 1) == 1 && close(READY_FD) == 0)
			pause();
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
