/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What goes wrong outside of the library: monitors and processes that are killed, hosts with habits, programs
 * that are not there, many at once. test_robust_real RUNTIME.
 */
#include "real.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- the monitor is killed ---- */

static void kill_conmon(ctr_container_t *c)
{
	int32_t pid = real_conmon_pid(c);

	assert_true(pid > 0);
	assert_int_equal(kill(pid, SIGKILL), 0);
	real_await_end(pid);
}

/* Nobody records the exit code any more; some kernels still know it. */
static void assert_lost_or(int32_t code, int32_t real_code)
{
	if (code != -1)
		assert_int_equal(code, real_code);
}

static void test_conmon_killed_then_stop(void **state)
{
	ctr_container_t *c = real_start_ready(*state, ENDS_ON_TERM);
	int32_t pid = real_pid(c), code = -2, exited = 0;
	int result;

	kill_conmon(c);
	assert_true(real_alive(pid));
	assert_state(c, CTR_STATE_RUNNING);
	OK(ctr_container_sync(c, err));
	assert_state(c, CTR_STATE_RUNNING);
	assert_int_equal(real_pid(c), pid);
	FAILS(CTR_E_TIMEOUT, ctr_container_wait(c, 100, NULL, err));
	OK(ctr_container_pause(c, err));
	OK(ctr_container_unpause(c, err));

	result = ctr_container_stop(c, NULL, NULL);
	assert_false(real_alive(pid));
	OK(ctr_container_exit_code(c, &code, &exited, err));
	assert_int_equal(exited, 1);
	if (result == CTR_E_CONMON_DEAD) {
		assert_int_equal(code, -1);
	} else {
		assert_int_equal(result, 0);
		assert_int_equal(code, 5);
	}
	/* It can be used again. */
	OK(ctr_container_start(c, 0, err));
	assert_int_not_equal(real_conmon_pid(c), 0);
	OK(ctr_container_kill(c, SIGKILL, err));
	assert_int_equal(real_wait(c), 137);
	real_remove(c, 0);
}

static void test_conmon_killed_then_wait(void **state)
{
	ctr_container_t *c = real_start_ready(*state, ENDS_ON_TERM);

	kill_conmon(c);
	OK(ctr_container_kill(c, SIGTERM, err));
	assert_lost_or(real_wait(c), 5);
	real_remove(c, 0);
}

static void *wait_for_it(void *arg)
{
	int32_t code = -2;

	return (
	    void *)(intptr_t)(ctr_container_wait(arg, PATIENCE_MS, &code, NULL) < 0 ? -3 : code);
}

/* The monitor dies under those who wait, then its container. */
static void test_conmon_killed_while_waiting(void **state)
{
	ctr_container_t *c = real_start_ready(*state, IGNORES_TERM);
	int32_t pid = real_pid(c);
	pthread_t threads[4];

	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, wait_for_it, c), 0);
	kill_conmon(c);
	FAILS(CTR_E_TIMEOUT, ctr_container_wait(c, 100, NULL, err));
	assert_int_equal(kill(pid, SIGKILL), 0);
	for (int i = 0; i < 4; i++) {
		void *code;

		pthread_join(threads[i], &code);
		assert_lost_or((int32_t)(intptr_t)code, 137);
	}
	real_remove(c, 0);
}

static void test_conmon_killed_then_sync_and_remove(void **state)
{
	ctr_container_t *c = real_start_ready(*state, IGNORES_TERM);
	int32_t pid = real_pid(c);

	kill_conmon(c);
	assert_int_equal(kill(pid, SIGKILL), 0);
	real_await_end(pid);
	OK(ctr_container_sync(c, err));
	assert_state(c, CTR_STATE_STOPPED);
	assert_int_equal(real_wait(c), -1);
	real_remove(c, 0);

	c = real_start_ready(*state, IGNORES_TERM);
	pid = real_pid(c);
	kill_conmon(c);
	OK(ctr_container_remove(c, CTR_REMOVE_FORCE, err));
	assert_false(real_alive(pid));
	ctr_container_unref(c);
}

/* Both at the same moment. */
static void test_conmon_and_container_killed(void **state)
{
	ctr_container_t *c = real_start_ready(*state, IGNORES_TERM);
	int32_t conmon = real_conmon_pid(c), pid = real_pid(c);

	kill(pid, SIGKILL);
	kill(conmon, SIGKILL);
	assert_lost_or(real_wait(c), 137);
	assert_state(c, CTR_STATE_STOPPED);
	OK(ctr_container_start(c, 0, err));
	real_remove(c, CTR_REMOVE_FORCE);
}

static void test_conmon_killed_before_start(void **state)
{
	ctr_container_t *c = real_create(*state, "exit 3");

	OK(ctr_container_init(c, 0, err));
	kill_conmon(c);
	assert_state(c, CTR_STATE_CREATED);
	/* Its streams lead nowhere, but it must end in one of the two ways, and be usable. */
	if (ctr_container_start(c, 0, NULL) >= 0)
		assert_lost_or(real_wait(c), 3);
	if (state_of(c) == CTR_STATE_CREATED || state_of(c) == CTR_STATE_STOPPED)
		OK(ctr_container_cleanup(c, 0, err));
	OK(ctr_container_start(c, 0, err));
	assert_int_equal(real_wait(c), 3);
	real_remove(c, 0);

	c = real_create(*state, "exit 3");
	OK(ctr_container_init(c, 0, err));
	kill_conmon(c);
	real_remove(c, 0);
}

static void test_process_killed_from_outside(void **state)
{
	ctr_container_t *c = real_start_ready(*state, IGNORES_TERM);
	int32_t by_user = -1;

	assert_int_equal(kill(real_pid(c), SIGKILL), 0);
	assert_int_equal(real_wait(c), 137);
	OK(ctr_container_stopped_by_user(c, &by_user, err));
	assert_int_equal(by_user, 0);
	real_remove(c, 0);

	/* Created and not started yet. */
	c = real_create(*state, "exit 3");
	OK(ctr_container_init(c, 0, err));
	assert_int_equal(kill(real_pid(c), SIGKILL), 0);
	assert_int_equal(real_wait(c), 137);
	assert_state(c, CTR_STATE_STOPPED);
	OK(ctr_container_start(c, 0, err));
	assert_int_equal(real_wait(c), 3);
	real_remove(c, 0);
}

/* ---- hosts with habits ---- */

static void whole_life(struct real *r)
{
	ctr_container_t *c = real_start_ready(r, ENDS_ON_TERM);

	OK(ctr_container_pause(c, err));
	OK(ctr_container_unpause(c, err));
	OK(ctr_container_stop(c, NULL, err));
	assert_int_equal(real_wait(c), 5);
	OK(ctr_container_start(c, 0, err));
	OK(ctr_container_kill(c, SIGKILL, err));
	assert_int_equal(real_wait(c), 137);
	real_remove(c, 0);
}

static void test_host_ignores_sigchld(void **state)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN}, before;

	assert_int_equal(sigaction(SIGCHLD, &ignore, &before), 0);
	whole_life(*state);
	assert_int_equal(sigaction(SIGCHLD, &before, NULL), 0);
}

static void *reap_everything(void *arg)
{
	atomic_int *stop = arg;

	while (!atomic_load(stop))
		if (waitpid(-1, NULL, __WALL) < 0)
			usleep(200);
	return NULL;
}

static void test_host_reaps_everything(void **state)
{
	atomic_int stop = 0;
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, reap_everything, &stop), 0);
	for (int i = 0; i < 3; i++)
		whole_life(*state);
	atomic_store(&stop, 1);
	pthread_join(thread, NULL);
}

/* The library leaves its process as it was. */
static void test_host_is_left_alone(void **state)
{
	sigset_t before = {0}, after = {0};
	char cwd[256], cwd_after[256];
	mode_t mask = umask(027);

	sigprocmask(SIG_SETMASK, NULL, &before);
	assert_non_null(getcwd(cwd, sizeof(cwd)));
	whole_life(*state);
	sigprocmask(SIG_SETMASK, NULL, &after);
	for (int sig = 1; sig <= SIGRTMAX; sig++)
		assert_int_equal(sigismember(&before, sig), sigismember(&after, sig));
	assert_string_equal(cwd, getcwd(cwd_after, sizeof(cwd_after)));
	assert_int_equal(umask(mask), 027);
	/* No child is left to wait for. */
	assert_int_equal(waitpid(-1, NULL, WNOHANG | __WALL), -1);
	assert_int_equal(errno, ECHILD);
}

/* ---- many at once ---- */

enum { THREADS = 8, BOXES = 20 };

struct crowd {
	struct real *r;
	atomic_int next;
	int results[BOXES];
	int32_t codes[BOXES];
};

static int one_of_a_crowd(struct crowd *crowd, int i)
{
	ctr_config_builder_t *b;
	ctr_config_t *cfg = NULL;
	ctr_container_t *c = NULL;
	char script[32];
	int result;

	snprintf(script, sizeof(script), "exit %d", i);
	b = real_builder(crowd->r, script);
	result = ctr_config_builder_build(b, &cfg, NULL);
	ctr_config_builder_free(b);
	if (result >= 0)
		result = ctr_container_create(crowd->r->rt, cfg, 0, &c, NULL);
	if (result >= 0)
		result = ctr_container_start(c, 0, NULL);
	if (result >= 0)
		result = ctr_container_wait(c, PATIENCE_MS, &crowd->codes[i], NULL);
	if (result >= 0)
		result = ctr_container_remove(c, 0, NULL);
	ctr_container_unref(c);
	ctr_config_unref(cfg);
	return result;
}

static void *work_on_a_crowd(void *arg)
{
	struct crowd *crowd = arg;
	int i;

	while ((i = atomic_fetch_add(&crowd->next, 1)) < BOXES)
		crowd->results[i] = one_of_a_crowd(crowd, i);
	return NULL;
}

static void test_many_at_once(void **state)
{
	struct crowd crowd = {.r = *state};
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, work_on_a_crowd, &crowd), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < BOXES; i++) {
		assert_int_equal(crowd.results[i], 0);
		assert_int_equal(crowd.codes[i], i);
	}
}

/* Two processes drive one container; each answer fits some state. */
static void drive(struct real *r, void *arg)
{
	ctr_container_t *c = NULL;
	int32_t state;

	OK(ctr_container_get(r->rt, arg, &c, err));
	for (int i = 0; i < 15; i++) {
		int started = ctr_container_start(c, 0, NULL), paused, stopped;

		if (started < 0 && started != CTR_E_CTR_RUNNING && started != CTR_E_CTR_STATE)
			FAILS(0, ctr_container_start(c, 0, err));
		OK(ctr_container_state(c, &state, err));
		paused = ctr_container_pause(c, NULL);
		assert_true(paused == 0 || paused == CTR_E_CTR_STATE);
		paused = ctr_container_unpause(c, NULL);
		assert_true(paused == 0 || paused == CTR_E_CTR_STATE);
		stopped = ctr_container_stop_with_timeout(c, 0, NULL);
		assert_true(
		    stopped == 0 || stopped == CTR_E_CTR_STATE || stopped == CTR_E_CTR_STOPPED);
	}
	ctr_container_unref(c);
}

static void test_two_processes_one_container(void **state)
{
	struct real *r = *state;
	ctr_container_t *c = real_create(r, IGNORES_TERM);
	char id[80];
	pid_t a, b;

	snprintf(id, sizeof(id), "%s", ctr_container_id(c));
	a = real_fork(r, drive, id);
	b = real_fork(r, drive, id);
	real_join(a);
	real_join(b);
	real_remove(c, CTR_REMOVE_FORCE);
}

/* A host killed at any moment: the next one brings the container to a state that is true. */
static void start_and_stop_for_ever(struct real *r, void *arg)
{
	ctr_container_t *c = NULL;

	OK(ctr_container_get(r->rt, arg, &c, err));
	for (;;) {
		ctr_container_start(c, 0, NULL);
		ctr_container_pause(c, NULL);
		ctr_container_unpause(c, NULL);
		ctr_container_stop_with_timeout(c, 0, NULL);
	}
}

static void test_killed_hosts(void **state)
{
	struct real *r = *state;
	ctr_container_t *c = real_create(r, IGNORES_TERM);
	char id[80];

	snprintf(id, sizeof(id), "%s", ctr_container_id(c));
	for (int i = 0; i < 12; i++) {
		pid_t host = real_fork(r, start_and_stop_for_ever, id);
		int32_t state_now;

		usleep(15000U + (unsigned int)i * 9001U);
		kill(host, SIGKILL);
		assert_int_equal(waitpid(host, NULL, 0), host);
		state_now = state_of(c);
		if (state_now == CTR_STATE_PAUSED)
			OK(ctr_container_unpause(c, err));
		if (state_now == CTR_STATE_RUNNING || state_now == CTR_STATE_STOPPING ||
		    state_now == CTR_STATE_PAUSED || state_now == CTR_STATE_CREATED) {
			int stopped = ctr_container_stop_with_timeout(c, 0, NULL);

			/* Repaired first, it may turn out to be nothing that can be stopped. */
			if (stopped < 0 && stopped != CTR_E_CTR_STATE &&
			    stopped != CTR_E_CTR_STOPPED)
				FAILS(0, ctr_container_stop_with_timeout(c, 0, err));
		}
		OK(ctr_container_start(c, 0, err));
		assert_true(real_alive(real_pid(c)));
		OK(ctr_container_kill(c, SIGKILL, err));
		assert_int_equal(real_wait(c), 137);
	}
	real_remove(c, 0);
}

/* ---- programs that are not there ---- */

static void assert_refused(const struct real *r, int code, const char *runtimes, const char *conmon)
{
	struct ctr_open_opts o = {.size = sizeof(o), .root = r->root, .run_root = r->run};
	ctr_runtime_t *rt = NULL;
	ctr_error_t *error = NULL;

	o.oci_runtimes = runtimes ? runtimes : real_path;
	o.conmon = conmon;
	assert_int_equal(ctr_runtime_open(&o, &rt, &error), code);
	assert_null(rt);
	assert_non_null(ctr_error_get(error, "path"));
	ctr_error_free(error);
}

static void test_programs_that_are_not_there(void **state)
{
	const struct real *r = *state;
	char path[200], list[300];

	assert_refused(r, CTR_E_OCI_UNAVAILABLE, "/no/such/runtime", NULL);
	snprintf(list, sizeof(list), "%s:/no/such/runtime", real_path);
	assert_refused(r, CTR_E_OCI_UNAVAILABLE, list, NULL);
	assert_refused(r, CTR_E_CONMON_UNAVAILABLE, NULL, "/no/such/conmon");
	/* Not executable. */
	snprintf(path, sizeof(path), "%s/etc/plain", r->rootfs);
	fclose(fopen(path, "we"));
	assert_refused(r, CTR_E_OCI_UNAVAILABLE, path, NULL);
	assert_refused(r, CTR_E_CONMON_UNAVAILABLE, NULL, path);
}

/* A copy of the runtime that can be taken away. */
static ctr_runtime_t *open_with_a_copy(const struct real *r, char path[200])
{
	struct ctr_open_opts o = {.size = sizeof(o), .root = r->root, .run_root = r->run};
	ctr_runtime_t *rt = NULL;
	char command[600];

	snprintf(path, 200, "%s/tool/%s", r->dir, real_runtime);
	snprintf(command, sizeof(command), "mkdir -p %s/tool && cp %s %s", r->dir, real_path, path);
	assert_int_equal(system(command), 0);
	o.oci_runtimes = path;
	OK(ctr_runtime_open(&o, &rt, err));
	return rt;
}

static void test_runtime_taken_away(void **state)
{
	struct real *r = *state;
	char path[200], away[210];
	ctr_container_t *c;
	int result;

	ctr_runtime_unref(r->rt);
	r->rt = open_with_a_copy(r, path);
	snprintf(away, sizeof(away), "%s.away", path);

	/* Between create and start. */
	c = real_create(r, "exit 3");
	assert_int_equal(rename(path, away), 0);
	FAILS(CTR_E_OCI_UNAVAILABLE, ctr_container_start(c, 0, err));
	assert_state(c, CTR_STATE_CONFIGURED);
	assert_int_equal(rename(away, path), 0);
	OK(ctr_container_start(c, 0, err));
	assert_int_equal(real_wait(c), 3);
	real_remove(c, 0);

	/* Between init and start: it may do without, but whatever it says must be so. */
	c = real_create(r, "exit 3");
	OK(ctr_container_init(c, 0, err));
	assert_int_equal(rename(path, away), 0);
	result = ctr_container_start(c, 0, NULL);
	assert_int_equal(rename(away, path), 0);
	if (result < 0)
		assert_int_equal(result, CTR_E_OCI_UNAVAILABLE);
	else
		assert_int_equal(real_wait(c), 3);
	real_remove(c, 0);

	/* While it runs. */
	c = real_start_ready(r, IGNORES_TERM);
	assert_int_equal(rename(path, away), 0);
	assert_state(c, CTR_STATE_RUNNING);
	/* Nothing says that freezing needs the program. */
	if (ctr_container_pause(c, NULL) >= 0)
		OK(ctr_container_unpause(c, err));
	assert_state(c, CTR_STATE_RUNNING);
	assert_int_equal(rename(away, path), 0);
	OK(ctr_container_stop_with_timeout(c, 0, err));
	assert_int_equal(real_wait(c), 137);
	real_remove(c, 0);
}

/* For ever. */
static void test_remove_without_the_runtime(void **state)
{
	struct real *r = *state;
	char path[200];
	ctr_container_t *created, *running;

	ctr_runtime_unref(r->rt);
	r->rt = open_with_a_copy(r, path);
	created = real_create(r, IGNORES_TERM);
	OK(ctr_container_init(created, 0, err));
	running = real_start_ready(r, IGNORES_TERM);
	assert_int_equal(unlink(path), 0);
	FAILS(CTR_E_OCI_UNAVAILABLE, ctr_container_remove(created, 0, err));
	real_remove(created, CTR_REMOVE_FORCE);
	real_remove(running, CTR_REMOVE_FORCE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, real_setup, real_teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_conmon_killed_then_stop),
	    TEST(test_conmon_killed_then_wait),
	    TEST(test_conmon_killed_while_waiting),
	    TEST(test_conmon_killed_then_sync_and_remove),
	    TEST(test_conmon_and_container_killed),
	    TEST(test_conmon_killed_before_start),
	    TEST(test_process_killed_from_outside),
	    TEST(test_host_ignores_sigchld),
	    TEST(test_host_reaps_everything),
	    TEST(test_host_is_left_alone),
	    TEST(test_many_at_once),
	    TEST(test_two_processes_one_container),
	    TEST(test_killed_hosts),
	    TEST(test_programs_that_are_not_there),
	    TEST(test_runtime_taken_away),
	    TEST(test_remove_without_the_runtime),
	};

	real_init(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
