/* SPDX-License-Identifier: Apache-2.0 */
/* The built-in OCI driver in hosts of all manners: that ignore SIGCHLD, reap everything, have many threads, and are killed at any
 * point. */
#include "oci_world.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---- hosts ---- */

static void test_host_that_ignores_sigchld(void **state)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN}, old;

	(void)state;
	assert_int_equal(sigaction(SIGCHLD, &ignore, &old), 0);
	live_once();
	assert_int_equal(sigaction(SIGCHLD, &old, NULL), 0);
}

static void *reap_everything(void *stop)
{
	while (!atomic_load((atomic_bool *)stop)) {
		if (waitpid(-1, NULL, 0) < 0)
			sched_yield();
	}
	return NULL;
}

static void test_host_that_reaps_everything(void **state)
{
	atomic_bool stop = false;
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, reap_everything, &stop), 0);
	for (int i = 0; i < 3; i++)
		live_once();
	atomic_store(&stop, true);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void *live_in_thread(void *failed)
{
	struct box b;
	ctr_error_t *err = NULL;

	for (int i = 0; i < 5; i++) {
		struct ctr_oci_status s;
		int fd;

		box_make(&b, &(struct wish){.command = "exit 6"});
		if (box_create(&b, &err) < 0 || box_start(&b, &err) < 0)
			break;
		fd = b.oci->ops.wait_fd(b.oci->impl, &b.c, &err);
		if (fd < 0 || !readable(fd, PATIENCE_MS))
			break;
		close(fd);
		if (box_exit_status(&b, &s) != 1 || s.exit_code != 6 || box_remove(&b, &err) < 0)
			break;
		if (i == 4)
			return NULL;
	}
	fprintf(stderr, "thread: %s\n", ctr_error_message(err));
	ctr_error_free(err);
	atomic_store((atomic_bool *)failed, true);
	return NULL;
}

static void test_many_threads(void **state)
{
	pthread_t threads[4];
	atomic_bool failed = false;

	(void)state;
	for (size_t i = 0; i < CTR__ARRAY_SIZE(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, live_in_thread, &failed), 0);
	for (size_t i = 0; i < CTR__ARRAY_SIZE(threads); i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_false(atomic_load(&failed));
	/* No child, not even a dead one, is left with the host. */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static int count_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static void test_no_descriptor_is_left(void **state)
{
	int before = count_fds();

	(void)state;
	live_once();
	assert_int_equal(count_fds(), before);
}

/* ---- hosts that are killed ---- */

/* A host that creates (and perhaps starts) the container and then does nothing more. */
static pid_t host_process(struct box *b, bool start)
{
	pid_t pid = fork();

	if (pid == 0) {
		alarm(60);
		if (box_create(b, NULL) == 0 && start)
			box_start(b, NULL);
		pause();
		_exit(0);
	}
	assert_true(pid > 0);
	return pid;
}

static void kill_host_after(pid_t pid, long ns)
{
	struct timespec t = {.tv_nsec = ns};

	nanosleep(&t, NULL); /* the moment of death is the test's input */
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void interrupt_at_random(const struct wish *w, bool start, int rounds, long longest_ns)
{
	unsigned int seed = (unsigned int)getpid();
	struct box b;

	box_make(&b, w);
	for (int i = 0; i < rounds; i++) {
		pid_t host = host_process(&b, start);

		kill_host_after(host, rand_r(&seed) % longest_ns);
		MUST(box_recover, &b);
		assert_clean(&b);
	}
	MUST(box_recover, &b); /* idempotent */
	assert_int_equal(box_state(&b).status, CTR_OCI_ABSENT);
	/* and nothing stands in the way of the next run */
	CREATE(&b);
	START(&b);
	REMOVE(&b);
	assert_clean(&b);
}

static void test_host_killed_inside_create(void **state)
{
	(void)state;
	interrupt_at_random(ASLEEP, false, 50, is_runc() ? 60000000 : 20000000);
}

static void test_host_killed_inside_create_with_a_terminal(void **state)
{
	(void)state;
	interrupt_at_random(&(struct wish){.command = "sleep 1000", .terminal = true}, false, 20,
	    is_runc() ? 60000000 : 20000000);
}

static void test_host_killed_around_start(void **state)
{
	(void)state;
	interrupt_at_random(ASLEEP, true, 20, is_runc() ? 80000000 : 30000000);
}

/* The same cleaning of what is complete, alive or dead. */
static void test_recover_of_complete_containers(void **state)
{
	struct box b;

	(void)state;
	box_make(&b, ASLEEP);
	CREATE(&b);
	START(&b);
	b.c.pid = b.c.monitor_pid = 0;
	MUST(box_recover, &b);
	assert_clean(&b);
	CREATE(&b);
	START(&b);
	assert_int_equal(box_kill(&b, SIGKILL, NULL), 0);
	assert_int_equal(box_wait(&b), 137);
	MUST(box_recover, &b);
	assert_clean(&b);
}

/* The container is created, runs, or has ended: its first process may find that the starter for whom it waited is
 * gone (runc's cannot write its byte, crun's reads the end of the file). Whatever it is, it is said, and no exit data
 * is missing. */
static void interrupt_start(long ns)
{
	struct ctr_oci_status s;
	struct box b;
	pid_t host;

	box_make(&b, ASLEEP);
	CREATE(&b);
	host = fork();
	if (host == 0) {
		box_start(&b, NULL);
		pause();
		_exit(0);
	}
	kill_host_after(host, ns);
	s = box_state(&b);
	if (s.status != CTR_OCI_STOPPED) {
		assert_int_equal(s.pid, b.c.pid);
		assert_int_equal(s.monitor_pid, b.c.monitor_pid);
	}
	if (s.status == CTR_OCI_CREATED)
		(void)box_start(&b, NULL);
	s = box_state(&b);
	if (s.status == CTR_OCI_STOPPED)
		assert_true(box_wait(&b) > 0);
	else
		assert_int_equal(s.status, CTR_OCI_RUNNING);
	REMOVE(&b);
	assert_clean(&b);
}

static void test_state_after_an_interrupted_start(void **state)
{
	(void)state;
	for (long us = 0; us < 2000; us += 100)
		interrupt_start(us * 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_host_that_ignores_sigchld),
	    cmocka_unit_test(test_host_that_reaps_everything),
	    cmocka_unit_test(test_many_threads),
	    cmocka_unit_test(test_no_descriptor_is_left),
	    cmocka_unit_test(test_host_killed_inside_create),
	    cmocka_unit_test(test_host_killed_inside_create_with_a_terminal),
	    cmocka_unit_test(test_host_killed_around_start),
	    cmocka_unit_test(test_recover_of_complete_containers),
	    cmocka_unit_test(test_state_after_an_interrupted_start),
	};

	return cmocka_run_group_tests(tests, open_world, close_world);
}
