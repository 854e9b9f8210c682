/* SPDX-License-Identifier: Apache-2.0 */
/* Health checks: what is run, what is recorded, what follows; against the fake OCI runtime. */
#include "fixture.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* What a container is to have. */
struct wish {
	const char *check, *startup;
	int64_t action;
	const char *log_dir;
	int64_t log_count, log_size; /* 0 = default */
};

static ctr_container_t *create(const struct fixture *f, const struct wish *w)
{
	ctr_config_t *cfg = fixture_config(f, NULL), *own = NULL;
	ctr_config_builder_t *b = ctr_config_builder_new_from(cfg);
	ctr_container_t *c = NULL;

	OK(ctr_config_builder_set_json(b, CTR_CONFIG_HEALTHCHECK, w->check, strlen(w->check), err));
	if (w->startup)
		OK(ctr_config_builder_set_json(
		    b, CTR_CONFIG_STARTUP_HEALTHCHECK, w->startup, strlen(w->startup), err));
	if (w->action)
		OK(ctr_config_builder_set_num(b, CTR_CONFIG_HEALTH_ON_FAILURE, w->action, err));
	if (w->log_dir)
		OK(ctr_config_builder_set_str(
		    b, CTR_CONFIG_HEALTH_LOG_DESTINATION, w->log_dir, err));
	if (w->log_count)
		OK(ctr_config_builder_set_num(
		    b, CTR_CONFIG_HEALTH_MAX_LOG_COUNT, w->log_count, err));
	if (w->log_size)
		OK(ctr_config_builder_set_num(b, CTR_CONFIG_HEALTH_MAX_LOG_SIZE, w->log_size, err));
	OK(ctr_config_builder_build(b, &own, err));
	OK(ctr_container_create(f->rt, own, 0, &c, err));
	ctr_config_builder_free(b);
	ctr_config_unref(cfg);
	ctr_config_unref(own);
	return c;
}

static ctr_container_t *start(const struct fixture *f, const struct wish *w)
{
	ctr_container_t *c = create(f, w);

	OK(ctr_container_start(c, 0, err));
	return c;
}

#define CHECK         "{\"Test\":[\"CMD\",\"probe\",\"-x\"],\"Retries\":2}"
#define START(f, ...) start(f, &(struct wish){.check = __VA_ARGS__})

static int32_t check(ctr_container_t *c)
{
	int32_t result = -9;

	OK(ctr_container_healthcheck_run(c, 0, &result, err));
	return result;
}

static void assert_health(ctr_container_t *c, int32_t expected)
{
	int32_t health = -1;

	OK(ctr_container_health_status(c, &health, err));
	if (health != expected)
		fail_msg("%s, not %s", ctr_health_name(health), ctr_health_name(expected));
}

static char *log_of(ctr_container_t *c)
{
	char *text = NULL;
	size_t len;

	OK(ctr_container_health_log(c, &text, &len, err));
	assert_int_equal(strlen(text), len);
	return text;
}

static void assert_log(ctr_container_t *c, const char *part)
{
	char *text = log_of(c);

	if (!strstr(text, part))
		fail_msg("%s has no %s", text, part);
	free(text);
}

static size_t log_entries(ctr_container_t *c)
{
	char *text = log_of(c);
	size_t n = 0;

	for (const char *p = text; (p = strstr(p, "\"Start\"")); p++)
		n++;
	free(text);
	return n;
}

static void test_what_is_run(void **state)
{
	static const struct {
		const char *check, *args;
		int64_t timeout_ms;
	} cases[] = {
	    {"{\"Test\":[\"CMD\",\"a\",\"b c\"]}", "\"args\":[\"a\",\"b c\"]", 30000},
	    {"{\"Test\":[\"CMD-SHELL\",\"a b\",\"c\"],\"Timeout\":1500000}",
	        "\"args\":[\"/bin/sh\",\"-c\",\"a b c\"]", 2},
	    {"{\"Test\":[\"a\",\"b\"],\"Timeout\":0}", "\"args\":[\"a\",\"b\"]", 30000},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ctr_container_t *c = START(f, cases[i].check);

		assert_int_equal(check(c), CTR_HEALTHCHECK_SUCCESS);
		if (!strstr(fake_oci_last_exec(f->fake), cases[i].args))
			fail_msg("%s", fake_oci_last_exec(f->fake));
		assert_non_null(strstr(fake_oci_last_exec(f->fake), "\"terminal\":false"));
		assert_non_null(strstr(fake_oci_last_exec(f->fake), "\"cwd\":"));
		assert_non_null(strstr(fake_oci_last_exec(f->fake), "\"capabilities\":"));
		assert_int_equal(fake_oci_last_timeout(f->fake), cases[i].timeout_ms);
		ctr_container_unref(c);
	}
}

static void test_life_of_a_status(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = create(f, &(struct wish){.check = CHECK});

	assert_health(c, CTR_HEALTH_NONE);
	assert_log(c, "{\"Log\":[],\"Status\":\"\",\"FailingStreak\":0}");
	OK(ctr_container_init(c, 0, err));
	assert_health(c, CTR_HEALTH_RESET);
	OK(ctr_container_start(c, 0, err));
	assert_health(c, CTR_HEALTH_STARTING);
	assert_log(c, "\"Status\":\"starting\"");
	fake_oci_exec(f->fake, 7, "out of order");
	assert_int_equal(check(c), CTR_HEALTHCHECK_FAILURE);
	assert_health(c, CTR_HEALTH_STARTING);
	assert_log(c, "\"FailingStreak\":1");
	assert_log(c, "\"ExitCode\":1,\"Output\":\"out of order\"");
	assert_int_equal(check(c), CTR_HEALTHCHECK_FAILURE);
	assert_health(c, CTR_HEALTH_UNHEALTHY);
	assert_log(c, "\"FailingStreak\":2");
	fake_oci_exec(f->fake, 0, "fine");
	assert_int_equal(check(c), CTR_HEALTHCHECK_SUCCESS);
	assert_health(c, CTR_HEALTH_HEALTHY);
	assert_log(c, "\"FailingStreak\":0");
	fake_oci_exec(f->fake, -1, "half a");
	assert_int_equal(check(c), CTR_HEALTHCHECK_FAILURE);
	assert_health(c, CTR_HEALTH_HEALTHY);
	assert_log(c, "\"ExitCode\":-1,\"Output\":\"half a\"");
	fake_oci_fail(f->fake, FAKE_RUN_PROCESS, CTR_E_OCI_RUNTIME, 1);
	assert_int_equal(check(c), CTR_HEALTHCHECK_FAILURE);
	assert_log(c, "\"ExitCode\":125,\"Output\":\"the fake runtime was told to fail\"");
	assert_health(c, CTR_HEALTH_UNHEALTHY);
	/* The next run begins anew. */
	OK(ctr_container_stop_with_timeout(c, 0, err));
	assert_health(c, CTR_HEALTH_UNHEALTHY);
	OK(ctr_container_start(c, 0, err));
	assert_health(c, CTR_HEALTH_STARTING);
	assert_int_equal(log_entries(c), 0);
	ctr_container_unref(c);
}

static void test_event(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = START(f, CHECK);
	const char *const only[] = {"event=health_status", NULL};
	ctr_event_t *ev = NULL;

	OK(ctr_runtime_events_filter(f->rt, only, err));
	OK(ctr_runtime_events_fd(f->rt, err));
	fake_oci_exec(f->fake, 1,
	    "b\xff"
	    "d");
	check(c);
	check(c);
	assert_int_equal(ctr_runtime_next_event(f->rt, &ev, NULL), 1);
	assert_string_equal(ctr_event_health_status(ev), "starting");
	assert_int_equal(ctr_event_health_streak(ev), 1);
	ctr_event_unref(ev);
	assert_int_equal(ctr_runtime_next_event(f->rt, &ev, NULL), 1);
	assert_string_equal(ctr_event_health_status(ev), "unhealthy");
	assert_string_equal(ctr_event_health_log(ev), "b?d");
	assert_int_equal(ctr_event_health_streak(ev), 2);
	ctr_event_unref(ev);
	assert_int_equal(ctr_runtime_next_event(f->rt, &ev, NULL), 0);
	ctr_container_unref(c);
}

static void test_log_is_bounded(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = START(f, CHECK, .log_count = 2, .log_size = 4);

	fake_oci_exec(f->fake, 0, "1234567");
	for (int i = 0; i < 3; i++)
		check(c);
	assert_int_equal(log_entries(c), 2);
	assert_log(c, "\"Output\":\"1234\"");
	fake_oci_exec(f->fake, 0, "12\xe2\x82\xac");
	check(c); /* cut within a character: that is left out */
	assert_log(c, "\"Output\":\"12\"");
	ctr_container_unref(c);
	c = START(f, CHECK);
	for (int i = 0; i < 7; i++)
		check(c);
	assert_int_equal(log_entries(c), 5);
	ctr_container_unref(c);
}

static void test_log_elsewhere(void **state)
{
	struct fixture *f = *state;
	char dir[200], file[400];
	ctr_container_t *c;
	FILE *out;

	snprintf(dir, sizeof(dir), "%s/logs", f->dir);
	assert_int_equal(mkdir(dir, 0755), 0);
	c = START(f, CHECK, .log_dir = dir);
	snprintf(file, sizeof(file), "%s/%s-healthcheck.log", dir, ctr_container_id(c));
	fake_oci_exec(f->fake, 1, "bad");
	check(c);
	assert_int_equal(access(file, R_OK), 0);
	/* It survives the run, but not the container. */
	OK(ctr_container_stop_with_timeout(c, 0, err));
	OK(ctr_container_cleanup(c, 0, err));
	assert_log(c, "\"Output\":\"bad\"");
	/* A damaged one is as good as none. */
	OK(ctr_container_start(c, 0, err));
	out = fopen(file, "w");
	assert_non_null(out);
	fputs("{\"Log\":7", out);
	fclose(out);
	assert_int_equal(log_entries(c), 0);
	check(c);
	assert_int_equal(log_entries(c), 1);
	assert_log(c, "\"FailingStreak\":1");
	OK(ctr_container_remove(c, CTR_REMOVE_FORCE, err));
	assert_int_not_equal(access(file, F_OK), 0);
	ctr_container_unref(c);
}

static void test_start_period(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c =
	    START(f, "{\"Test\":[\"x\"],\"Retries\":1,\"StartPeriod\":3600000000000}", .action = 4);

	fake_oci_exec(f->fake, 1, "");
	assert_int_equal(check(c), CTR_HEALTHCHECK_FAILURE);
	assert_health(c, CTR_HEALTH_STARTING);
	assert_log(c, "\"FailingStreak\":0");
	assert_state(c, CTR_STATE_RUNNING);
	fake_oci_exec(f->fake, 0, "");
	check(c);
	assert_health(c, CTR_HEALTH_HEALTHY);
	ctr_container_unref(c);
}

static void test_startup_check(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c =
	    START(f, CHECK, .startup = "{\"Test\":[\"CMD\",\"up\"],\"Successes\":2,\"Retries\":3}");

	assert_int_equal(check(c), CTR_HEALTHCHECK_SUCCESS);
	assert_non_null(strstr(fake_oci_last_exec(f->fake), "\"args\":[\"up\"]"));
	fake_oci_exec(f->fake, 1, "");
	assert_int_equal(check(c), CTR_HEALTHCHECK_STARTUP);
	assert_int_equal(check(c), CTR_HEALTHCHECK_STARTUP);
	assert_health(c, CTR_HEALTH_STARTING);
	fake_oci_exec(f->fake, 0, "");
	check(c);
	check(c);
	assert_health(c, CTR_HEALTH_STARTING);
	/* Passed: the real one. */
	check(c);
	assert_non_null(strstr(fake_oci_last_exec(f->fake), "\"args\":[\"probe\",\"-x\"]"));
	assert_health(c, CTR_HEALTH_HEALTHY);
	ctr_container_unref(c);
}

static void test_startup_fails_for_good(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c =
	    START(f, CHECK, .startup = "{\"Test\":[\"CMD\",\"up\"],\"Retries\":2}");
	int before = fake_oci_calls(f->fake, FAKE_CREATE);

	fake_oci_exec(f->fake, 1, "");
	check(c);
	assert_int_equal(fake_oci_calls(f->fake, FAKE_CREATE), before);
	check(c);
	assert_int_equal(fake_oci_calls(f->fake, FAKE_CREATE), before + 1);
	assert_state(c, CTR_STATE_RUNNING);
	assert_health(c, CTR_HEALTH_STARTING);
	ctr_container_unref(c);
}

static void test_actions(void **state)
{
	static const struct {
		int32_t action, state, signal;
	} cases[] = {
	    {CTR_HEALTH_ACTION_NONE, CTR_STATE_RUNNING, 0},
	    {CTR_HEALTH_ACTION_KILL, CTR_STATE_STOPPED, 9},
	    {CTR_HEALTH_ACTION_STOP, CTR_STATE_STOPPED, 15},
	    {CTR_HEALTH_ACTION_RESTART, CTR_STATE_RUNNING, 0},
	};
	struct fixture *f = *state;

	fake_oci_exec(f->fake, 1, "");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ctr_container_t *c = START(f, CHECK, .action = cases[i].action);
		int before = fake_oci_calls(f->fake, FAKE_CREATE);

		check(c);
		assert_state(c, CTR_STATE_RUNNING);
		assert_int_equal(check(c), CTR_HEALTHCHECK_FAILURE);
		assert_state(c, cases[i].state);
		assert_int_equal(
		    fake_oci_last_signal(f->fake, ctr_container_id(c)), cases[i].signal);
		assert_int_equal(fake_oci_calls(f->fake, FAKE_CREATE),
		    before + (cases[i].action == CTR_HEALTH_ACTION_RESTART));
		ctr_container_unref(c);
	}
}

struct during {
	struct fixture *f;
	ctr_container_t *c;
	int what;
};

static void during(void *arg)
{
	struct during *d = arg;

	switch (d->what) {
	case 0: fake_oci_exit(d->f->fake, ctr_container_id(d->c), 3); break;
	case 1:
		OK(ctr_container_stop_with_timeout(d->c, 0, err));
		OK(ctr_container_start(d->c, 0, err));
		break;
	case 2: OK(ctr_container_remove(d->c, CTR_REMOVE_FORCE, err)); break;
	default: OK(ctr_container_pause(d->c, err)); break;
	}
}

/* The lock is free while a check runs. */
static void test_changes_meanwhile(void **state)
{
	struct fixture *f = *state;
	struct during d = {f, START(f, CHECK), 3};
	int32_t result;

	fake_oci_during_exec(f->fake, during, &d);
	fake_oci_exec(f->fake, 1, "");
	/* Paused: it counts. */
	check(d.c);
	assert_log(d.c, "\"FailingStreak\":1");
	OK(ctr_container_unpause(d.c, err));
	/* Another run: it does not. */
	d.what = 1;
	check(d.c);
	assert_health(d.c, CTR_HEALTH_STARTING);
	assert_int_equal(log_entries(d.c), 0);
	/* Ended. */
	d.what = 0;
	check(d.c);
	assert_health(d.c, CTR_HEALTH_STOPPED);
	assert_log(d.c, "\"FailingStreak\":0");
	OK(ctr_container_start(d.c, 0, err));
	d.what = 2;
	FAILS(CTR_E_CTR_REMOVED, ctr_container_healthcheck_run(d.c, 0, &result, err));
	assert_int_equal(result, CTR_HEALTHCHECK_NOT_FOUND);
	ctr_container_unref(d.c);
}

static int in_batch(ctr_container_t *view, void *userdata)
{
	(void)userdata;
	FAILS(CTR_E_BUSY, ctr_container_healthcheck_run(view, 0, NULL, err));
	return 0;
}

static void test_refusals(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *none = fixture_in_state(f, CTR_STATE_RUNNING),
	                *c = create(f, &(struct wish){.check = CHECK});
	int32_t result = -1;
	char *text = (char *)1;

	FAILS(CTR_E_NO_HEALTHCHECK, ctr_container_healthcheck_run(none, 0, &result, err));
	assert_int_equal(result, CTR_HEALTHCHECK_NOT_DEFINED);
	FAILS(CTR_E_NO_HEALTHCHECK, ctr_container_health_log(none, &text, NULL, err));
	assert_null(text);
	assert_health(none, CTR_HEALTH_NONE);
	FAILS(CTR_E_CTR_STATE, ctr_container_healthcheck_run(c, 0, &result, err));
	assert_int_equal(result, CTR_HEALTHCHECK_STOPPED);
	OK(ctr_container_start(c, 0, err));
	FAILS(CTR_E_UNSUPPORTED, ctr_container_healthcheck_run(c, 1, &result, err));
	FAILS(CTR_E_INVALID, ctr_container_healthcheck_run(NULL, 0, &result, err));
	OK(ctr_container_batch(c, in_batch, NULL, err));
	OK(ctr_container_stop_with_timeout(c, 0, err));
	FAILS(CTR_E_CTR_STOPPED, ctr_container_healthcheck_run(c, 0, &result, err));
	assert_int_equal(result, CTR_HEALTHCHECK_STOPPED);
	ctr_container_unref(none);
	ctr_container_unref(c);
	c = START(f, "{\"Test\":[\"NONE\"]}");
	FAILS(CTR_E_NO_HEALTHCHECK, ctr_container_healthcheck_run(c, 0, &result, err));
	ctr_container_unref(c);
}

static void test_runtime_that_cannot(void **state)
{
	struct fixture *f = *state;
	struct ctr_oci_ops ops = fake_oci_ops;
	ctr_config_t *cfg = fixture_config(f, NULL), *own = NULL;
	ctr_config_builder_t *b = ctr_config_builder_new_from(cfg);
	ctr_container_t *c = NULL;
	int32_t result;

	ops.name = "plain";
	ops.run_process = NULL;
	OK(ctr_runtime_add_oci(f->rt, &ops, fake_oci_new(), fake_oci_destroy, err));
	OK(ctr_config_builder_set_str(b, CTR_CONFIG_RUNTIME, "plain", err));
	OK(ctr_config_builder_set_json(b, CTR_CONFIG_HEALTHCHECK, CHECK, strlen(CHECK), err));
	OK(ctr_config_builder_build(b, &own, err));
	OK(ctr_container_create(f->rt, own, 0, &c, err));
	OK(ctr_container_start(c, 0, err));
	FAILS(CTR_E_UNSUPPORTED, ctr_container_healthcheck_run(c, 0, &result, err));
	assert_int_equal(result, CTR_HEALTHCHECK_INTERNAL);
	ctr_config_builder_free(b);
	ctr_config_unref(cfg);
	ctr_config_unref(own);
	ctr_container_unref(c);
}

struct waiter {
	ctr_container_t *c;
	const char *const *words;
	int result;
	pthread_t thread;
};

static void *wait_thread(void *arg)
{
	struct waiter *w = arg;
	struct ctr_wait_opts o = {.size = sizeof(o), .conditions = w->words};

	w->result = ctr_container_wait_for(w->c, &o, NULL, NULL);
	return NULL;
}

static void begin_wait(
    const struct fixture *f, struct waiter *w, ctr_container_t *c, const char *const *words)
{
	int before = fake_oci_calls(f->fake, FAKE_WAIT_FD);

	w->c = c;
	w->words = words;
	assert_int_equal(pthread_create(&w->thread, NULL, wait_thread, w), 0);
	while (fake_oci_calls(f->fake, FAKE_WAIT_FD) == before)
		sched_yield();
}

static void end_wait(struct waiter *w, int result)
{
	pthread_join(w->thread, NULL);
	if (w->result != result)
		fail_msg("%s, not %s", ctr_error_name(w->result), ctr_error_name(result));
}

static void test_waiting_for_health(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = START(f, CHECK);
	struct waiter good, bad, ended, removed;

	begin_wait(f, &good, c, WORDS("healthy"));
	begin_wait(f, &bad, c, WORDS("unhealthy"));
	begin_wait(f, &removed, c, WORDS("removing"));
	check(c);
	end_wait(&good, 0);
	fake_oci_exec(f->fake, 1, "");
	check(c);
	check(c);
	fake_oci_exec(f->fake, 0, "");
	check(c); /* no longer unhealthy, but it was */
	end_wait(&bad, 0);
	begin_wait(f, &good, c, WORDS("paused", "healthy"));
	end_wait(&good, 0);
	begin_wait(f, &bad, c, WORDS("unhealthy"));
	begin_wait(f, &ended, c, WORDS("unhealthy", "exited"));
	fake_oci_exit(f->fake, ctr_container_id(c), 0);
	end_wait(&bad, CTR_E_CTR_STOPPED);
	end_wait(&ended, 0);
	OK(ctr_container_remove(c, 0, err));
	end_wait(&removed, 0);
	ctr_container_unref(c);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_what_is_run),
	    TEST(test_life_of_a_status),
	    TEST(test_event),
	    TEST(test_log_is_bounded),
	    TEST(test_log_elsewhere),
	    TEST(test_start_period),
	    TEST(test_startup_check),
	    TEST(test_startup_fails_for_good),
	    TEST(test_actions),
	    TEST(test_changes_meanwhile),
	    TEST(test_refusals),
	    TEST(test_runtime_that_cannot),
	    TEST(test_waiting_for_health),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
