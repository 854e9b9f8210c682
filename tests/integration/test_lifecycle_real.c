/* SPDX-License-Identifier: Apache-2.0 */
/* Every step of a container's life with a real runtime: test_lifecycle_real RUNTIME. */
#include "real.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- ends ---- */

static void test_exit_codes(void **state)
{
	static const struct {
		const char *script;
		int32_t code;
	} cases[] = {{"exit 0", 0}, {"exit 7", 7}, {"exit 255", 255},
	    /* A first process cannot kill itself: what it waited for was killed. */
	    {"sleep 1000 & kill -9 $!; wait $!", 137}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		ctr_container_t *c = real_start(*state, cases[i].script);
		int32_t code = -2, exited = -1;

		assert_int_equal(real_wait(c), cases[i].code);
		OK(ctr_container_exit_code(c, &code, &exited, err));
		assert_int_equal(code, cases[i].code);
		assert_int_equal(exited, 1);
		assert_state(c, CTR_STATE_STOPPED);
		assert_int_equal(real_pid(c), 0);
		OK(ctr_container_cleanup(c, 0, err));
		assert_state(c, CTR_STATE_EXITED);
		/* Kept through the cleanup, and after the removal too. */
		assert_int_equal(real_wait(c), cases[i].code);
		OK(ctr_container_remove(c, 0, err));
		OK(ctr_container_exit_code_of(
		    ctr_container_runtime(c), ctr_container_id(c), &code, err));
		assert_int_equal(code, cases[i].code);
		ctr_container_unref(c);
	}
}

static void test_steps(void **state)
{
	ctr_container_t *c = real_create(*state, ENDS_ON_TERM);
	int32_t pid;

	assert_state(c, CTR_STATE_CONFIGURED);
	OK(ctr_container_init(c, 0, err));
	assert_state(c, CTR_STATE_CREATED);
	pid = real_pid(c);
	assert_true(real_alive(pid));
	FAILS(CTR_E_CTR_STATE, ctr_container_kill(c, SIGTERM, err));
	OK(ctr_container_start(c, 0, err));
	assert_state(c, CTR_STATE_RUNNING);
	assert_int_equal(real_pid(c), pid);
	FAILS(CTR_E_CTR_RUNNING, ctr_container_start(c, 0, err));
	FAILS(CTR_E_CTR_STATE, ctr_container_remove(c, 0, err));
	real_await_log(c, "ready");
	OK(ctr_container_stop(c, NULL, err));
	assert_state(c, CTR_STATE_STOPPED);
	assert_int_equal(real_wait(c), 5);
	FAILS(CTR_E_CTR_STOPPED, ctr_container_stop(c, NULL, err));
	real_remove(c, 0);
}

/* Created in the runtime, never started. */
static void test_ends_before_a_start(void **state)
{
	ctr_container_t *c = real_create(*state, "true");

	OK(ctr_container_init(c, 0, err));
	OK(ctr_container_cleanup(c, 0, err));
	assert_state(c, CTR_STATE_CONFIGURED);
	OK(ctr_container_init(c, 0, err));
	OK(ctr_container_stop(c, NULL, err));
	assert_state(c, CTR_STATE_STOPPED);
	OK(ctr_container_start(c, 0, err));
	assert_int_equal(real_wait(c), 0);
	OK(ctr_container_cleanup(c, 0, err));
	OK(ctr_container_init(c, 0, err));
	real_remove(c, 0);
}

static void test_missing_binary(void **state)
{
	struct real *r = *state;
	ctr_config_builder_t *b = real_builder(r, NULL);
	ctr_container_t *c;
	ctr_error_t *error = NULL;
	char *text = NULL;

	ctr_config_builder_add_str(b, CTR_CONFIG_COMMAND, "/no/such/command", NULL);
	c = real_create_from(r, b);
	assert_int_equal(ctr_container_start(c, 0, &error), CTR_E_OCI_NOT_FOUND);
	assert_non_null(ctr_error_get(error, "oci.stderr"));
	assert_non_null(strstr(ctr_error_get(error, "oci.stderr"), "no/such/command"));
	assert_string_equal(ctr_error_get(error, "container"), ctr_container_id(c));
	assert_state(c, CTR_STATE_CONFIGURED);
	OK(ctr_container_error_text(c, &text, err));
	assert_string_equal(text, ctr_error_message(error));
	ctr_free(text);
	ctr_error_free(error);
	/* Again, and away. */
	FAILS(CTR_E_OCI_NOT_FOUND, ctr_container_init(c, 0, err));
	real_remove(c, 0);
}

/* ---- stop and kill ---- */

static void test_stop_with_a_handler(void **state)
{
	ctr_container_t *c = real_start_ready(*state, ENDS_ON_TERM);
	int32_t by_user = -1;

	OK(ctr_container_stop_with_timeout(c, PATIENCE_MS, err));
	assert_int_equal(real_wait(c), 5);
	OK(ctr_container_stopped_by_user(c, &by_user, err));
	assert_int_equal(by_user, 1);
	real_remove(c, 0);
}

static void test_stop_of_one_that_ignores(void **state)
{
	ctr_container_t *c = real_start_ready(*state, IGNORES_TERM);
	int64_t before = real_now_ms();

	OK(ctr_container_stop_with_timeout(c, 300, err));
	assert_true(real_now_ms() - before >= 300);
	assert_int_equal(real_wait(c), 137);
	OK(ctr_container_start(c, 0, err));
	OK(ctr_container_stop_with_timeout(c, 0, err));
	assert_int_equal(real_wait(c), 137);
	real_remove(c, 0);
}

static void test_stop_with_another_signal(void **state)
{
	struct real *r = *state;
	ctr_config_builder_t *b = real_builder(
	    r, "trap 'exit 6' USR2; trap 'exit 5' QUIT; echo ready; sleep 1000 & wait");
	struct ctr_stop_opts o = {.size = sizeof(o), .signal = SIGUSR2, .timeout_ms = -1};
	ctr_config_t *cfg;
	ctr_container_t *c;

	ctr_config_builder_set_num(b, CTR_CONFIG_STOP_SIGNAL, SIGQUIT, NULL);
	c = real_create_from(r, b);
	OK(ctr_container_start(c, 0, err));
	real_await_log(c, "ready");
	OK(ctr_container_stop(c, NULL, err));
	assert_int_equal(real_wait(c), 5);
	OK(ctr_container_cleanup(c, 0, err));
	cfg = ctr_container_config(c);
	unlink(ctr_config_log_path(cfg));
	ctr_config_unref(cfg);
	OK(ctr_container_start(c, 0, err));
	real_await_log(c, "ready");
	OK(ctr_container_stop(c, &o, err));
	assert_int_equal(real_wait(c), 6);
	real_remove(c, 0);
}

static void test_kill(void **state)
{
	ctr_container_t *c = real_start_ready(
	    *state, "trap 'echo got USR1; exit 3' USR1; echo ready; sleep 1000 & wait");

	FAILS(CTR_E_INVALID, ctr_container_kill(c, 65, err));
	FAILS(CTR_E_INVALID, ctr_container_kill(c, 0, err));
	OK(ctr_container_kill(c, SIGUSR1, err));
	assert_int_equal(real_wait(c), 3);
	real_await_log(c, "got USR1");
	FAILS(CTR_E_CTR_STATE, ctr_container_kill(c, SIGUSR1, err));
	OK(ctr_container_start(c, 0, err));
	OK(ctr_container_kill(c, SIGKILL, err));
	assert_state(c, CTR_STATE_STOPPED);
	assert_int_equal(real_wait(c), 137);
	real_remove(c, 0);
}

/* ---- pause ---- */

/* Text of the kernel: is its cgroup frozen? */
static void assert_frozen(ctr_container_t *c, bool frozen)
{
	char *text = real_cgroup_file(c, "freezer", "freezer.state", "cgroup.freeze");

	if (real_is_cgroup2())
		assert_string_equal(text, frozen ? "1" : "0");
	else
		assert_string_equal(text, frozen ? "FROZEN" : "THAWED");
	free(text);
}

static size_t log_size(ctr_container_t *c)
{
	char *text = real_log(c);
	size_t n = strlen(text);

	free(text);
	return n;
}

/* How often the container's first process has been put off the CPU: stands still while it is frozen. */
static long switches(ctr_container_t *c)
{
	char path[64], line[256];
	long sum = 0, n;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)real_pid(c));
	f = fopen(path, "re");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "voluntary_ctxt_switches: %ld", &n) == 1 ||
		    sscanf(line, "nonvoluntary_ctxt_switches: %ld", &n) == 1)
			sum += n;
	}
	fclose(f);
	assert_true(sum > 0);
	return sum;
}

#define CHATTERS "trap 'exit 5' TERM; echo ready; while :; do echo tick; sleep 0.01; done"

static void test_pause(void **state)
{
	ctr_container_t *c = real_start_ready(*state, CHATTERS);
	size_t before;
	long stood;

	OK(ctr_container_pause(c, err));
	assert_state(c, CTR_STATE_PAUSED);
	assert_frozen(c, true);
	stood = switches(c);
	FAILS(CTR_E_CTR_STATE, ctr_container_pause(c, err));
	FAILS(CTR_E_CTR_STATE, ctr_container_start(c, 0, err));
	FAILS(CTR_E_CTR_STATE, ctr_container_stop(c, NULL, err));
	FAILS(CTR_E_CTR_STATE, ctr_container_remove(c, 0, err));
	FAILS(CTR_E_TIMEOUT, ctr_container_wait(c, 0, NULL, err));
	OK(ctr_container_sync(c, err));
	assert_state(c, CTR_STATE_PAUSED);
	assert_true(real_alive(real_pid(c)));
	/* It would have run several times while the runtime was asked. */
	assert_int_equal(switches(c), stood);
	before = log_size(c);

	OK(ctr_container_unpause(c, err));
	assert_state(c, CTR_STATE_RUNNING);
	assert_frozen(c, false);
	FAILS(CTR_E_CTR_STATE, ctr_container_unpause(c, err));
	while (log_size(c) <= before)
		usleep(1000);
	OK(ctr_container_stop(c, NULL, err));
	assert_int_equal(real_wait(c), 5);
	real_remove(c, 0);
}

/* A process that is just becoming the container's command is hard to freeze for cgroup 1. */
static void test_pause_at_once(void **state)
{
	ctr_container_t *c = real_create(*state, IGNORES_TERM);

	for (int i = 0; i < 20; i++) {
		OK(ctr_container_start(c, 0, err));
		OK(ctr_container_pause(c, err));
		assert_frozen(c, true);
		OK(ctr_container_unpause(c, err));
		OK(ctr_container_kill(c, SIGKILL, err));
		assert_int_equal(real_wait(c), 137);
	}
	real_remove(c, 0);
}

static void test_kill_of_a_paused(void **state)
{
	ctr_container_t *c = real_start_ready(*state, CHATTERS);

	OK(ctr_container_pause(c, err));
	OK(ctr_container_kill(c, SIGKILL, err));
	assert_state(c, CTR_STATE_STOPPED);
	assert_int_equal(real_wait(c), 137);
	OK(ctr_container_start(c, 0, err));
	OK(ctr_container_pause(c, err));
	/* Other signals wait until it is thawed. */
	OK(ctr_container_kill(c, SIGTERM, err));
	assert_state(c, CTR_STATE_PAUSED);
	OK(ctr_container_kill(c, SIGKILL, err));
	assert_int_equal(real_wait(c), 137);
	real_remove(c, 0);
}

static void test_remove_of_a_paused(void **state)
{
	ctr_container_t *c = real_start_ready(*state, CHATTERS);
	int32_t pid = real_pid(c);

	OK(ctr_container_pause(c, err));
	OK(ctr_container_remove(c, CTR_REMOVE_FORCE, err));
	assert_false(real_alive(pid));
	FAILS(CTR_E_CTR_REMOVED, ctr_container_unpause(c, err));
	ctr_container_unref(c);
}

static void test_remove_by_force(void **state)
{
	static const int32_t from[] = {CTR_STATE_CREATED, CTR_STATE_RUNNING};

	for (size_t i = 0; i < 2; i++) {
		ctr_container_t *c = real_create(*state, IGNORES_TERM);
		int32_t pid;

		if (from[i] == CTR_STATE_CREATED)
			OK(ctr_container_init(c, 0, err));
		else
			OK(ctr_container_start(c, 0, err));
		pid = real_pid(c);
		assert_true(pid > 0);
		OK(ctr_container_remove(c, CTR_REMOVE_FORCE, err));
		assert_false(real_alive(pid));
		/* Once more is success. */
		real_remove(c, CTR_REMOVE_FORCE);
	}
}

/* ---- logs ---- */

/* "TIME stream F text": the time is RFC 3339 with nanoseconds. */
static void assert_line(const char *log, const char *rest)
{
	char wanted[128];
	const char *at;

	snprintf(wanted, sizeof(wanted), " %s\n", rest);
	at = strstr(log, wanted);
	if (!at)
		fail_msg("no line \"%s\" in: %s", rest, log);
	while (at > log && at[-1] != '\n')
		at--;
	assert_true(strcspn(at, " ") >= strlen("2020-01-01T00:00:00.000000000Z"));
	assert_int_equal(at[10], 'T');
}

static void test_log(void **state)
{
	ctr_container_t *c =
	    real_start(*state, "echo out; echo err >&2; echo -n 'no newline'; exit 2");
	char *log;

	assert_int_equal(real_wait(c), 2);
	log = real_log(c);
	assert_line(log, "stdout F out");
	assert_line(log, "stderr F err");
	assert_line(log, "stdout P no newline");
	free(log);

	/* A second run goes on in the same log. */
	OK(ctr_container_start(c, 0, err));
	assert_int_equal(real_wait(c), 2);
	log = real_log(c);
	assert_non_null(strstr(strstr(log, "stdout F out") + 1, "stdout F out"));
	free(log);
	real_remove(c, 0);
}

static void test_log_limit(void **state)
{
	struct real *r = *state;
	ctr_config_builder_t *b = real_builder(r, "seq 1 5000; echo the end");
	ctr_container_t *c;
	char *log;

	ctr_config_builder_set_num(b, CTR_CONFIG_LOG_SIZE, 16384, NULL);
	c = real_create_from(r, b);
	OK(ctr_container_start(c, 0, err));
	assert_int_equal(real_wait(c), 0);
	log = real_log(c);
	assert_line(log, "stdout F the end");
	assert_true(strlen(log) <= 16384 + 4096);
	free(log);
	real_remove(c, 0);
}

static void test_log_elsewhere_and_none(void **state)
{
	struct real *r = *state;
	ctr_config_builder_t *b = real_builder(r, "echo here");
	ctr_container_t *c;
	char path[200], *text;

	snprintf(path, sizeof(path), "%s/logs/deep/ctr.log", r->dir);
	ctr_config_builder_set_str(b, CTR_CONFIG_LOG_PATH, path, NULL);
	c = real_create_from(r, b);
	OK(ctr_container_start(c, 0, err));
	assert_int_equal(real_wait(c), 0);
	text = real_slurp("%s", path);
	assert_line(text, "stdout F here");
	free(text);
	real_remove(c, 0);

	b = real_builder(r, "echo nobody reads this");
	ctr_config_builder_set_str(b, CTR_CONFIG_LOG_DRIVER, "none", NULL);
	c = real_create_from(r, b);
	OK(ctr_container_start(c, 0, err));
	assert_int_equal(real_wait(c), 0);
	text = real_log(c);
	assert_string_equal(text, "");
	free(text);
	real_remove(c, 0);
}

static void test_timeout(void **state)
{
	struct real *r = *state;
	ctr_config_builder_t *b = real_builder(r, IGNORES_TERM);
	ctr_container_t *c;

	ctr_config_builder_set_num(b, CTR_CONFIG_TIMEOUT, 1, NULL);
	c = real_create_from(r, b);
	OK(ctr_container_start(c, 0, err));
	/* conmon's word for this; libpod reports it as it is, too. */
	assert_int_equal(real_wait(c), -1);
	real_remove(c, 0);
}

/* ---- a short life many times over ---- */

static void test_restarts(void **state)
{
	ctr_container_t *c = real_create(*state, "exit 4");

	for (int i = 0; i < 5; i++) {
		OK(ctr_container_start(c, 0, err));
		assert_int_equal(real_wait(c), 4);
		if (i % 2)
			OK(ctr_container_cleanup(c, 0, err));
	}
	real_remove(c, 0);
}

/* Another open of the store, as another program would, after the first has gone. */
static void test_reopen(void **state)
{
	struct real *r = *state;
	ctr_container_t *c = real_start_ready(r, ENDS_ON_TERM), *again = NULL;
	char *id = strdup(ctr_container_id(c));

	ctr_container_unref(c);
	ctr_runtime_unref(r->rt);
	r->rt = real_open(r);
	assert_non_null(r->rt);
	OK(ctr_container_get(r->rt, id, &again, err));
	assert_state(again, CTR_STATE_RUNNING);
	OK(ctr_container_stop(again, NULL, err));
	assert_int_equal(real_wait(again), 5);
	real_remove(again, 0);
	free(id);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, real_setup, real_teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_exit_codes),
	    TEST(test_steps),
	    TEST(test_ends_before_a_start),
	    TEST(test_missing_binary),
	    TEST(test_stop_with_a_handler),
	    TEST(test_stop_of_one_that_ignores),
	    TEST(test_stop_with_another_signal),
	    TEST(test_kill),
	    TEST(test_pause),
	    TEST(test_pause_at_once),
	    TEST(test_kill_of_a_paused),
	    TEST(test_remove_of_a_paused),
	    TEST(test_remove_by_force),
	    TEST(test_log),
	    TEST(test_log_limit),
	    TEST(test_log_elsewhere_and_none),
	    TEST(test_timeout),
	    TEST(test_restarts),
	    TEST(test_reopen),
	};

	real_init(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
