/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for conditions: met, missed by nobody, never met, cancelled. */
#include "fixture.h"

#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

struct waiter {
	ctr_container_t *c;
	struct ctr_wait_opts o;
	int32_t code;
	int result;
	pthread_t thread;
};

static void *wait_thread(void *arg)
{
	struct waiter *w = arg;

	w->result = ctr_container_wait_for(w->c, &w->o, &w->code, NULL);
	return NULL;
}

static void begin_wait(struct waiter *w, ctr_container_t *c, const char *const *conditions)
{
	w->c = c;
	w->o.size = sizeof(w->o);
	w->o.conditions = conditions;
	w->code = -5;
	w->result = 1;
	assert_int_equal(pthread_create(&w->thread, NULL, wait_thread, w), 0);
}

static void end_wait(struct waiter *w, int result, int32_t code)
{
	assert_int_equal(pthread_join(w->thread, NULL), 0);
	if (w->result != result)
		fail_msg("%s, not %s", ctr_error_name(w->result), ctr_error_name(result));
	if (result >= 0)
		assert_int_equal(w->code, code);
}

/* Until the waiter has looked at a living container once: from then on it misses nothing. */
static void begin_seen(
    const struct fixture *f, struct waiter *w, ctr_container_t *c, const char *const *conditions)
{
	int before = fake_oci_calls(f->fake, FAKE_WAIT_FD);

	begin_wait(w, c, conditions);
	while (fake_oci_calls(f->fake, FAKE_WAIT_FD) == before)
		sched_yield();
}

static int count_inotify(void)
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *e;
	int n = 0;

	assert_non_null(dir);
	while ((e = readdir(dir))) {
		char target[64] = "";

		if (readlinkat(dirfd(dir), e->d_name, target, sizeof(target) - 1) > 0)
			n += strcmp(target, "anon_inode:inotify") == 0;
	}
	closedir(dir);
	return n;
}

static int wait_now(
    ctr_container_t *c, const char *const *conditions, int32_t *code, ctr_error_t **err)
{
	struct ctr_wait_opts o = {
	    .size = sizeof(o), .flags = CTR_WAIT_LOOK, .conditions = conditions};

	return ctr_container_wait_for(c, &o, code, err);
}

static void test_mistakes(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_create(f, NULL);
	struct ctr_wait_opts o = {.size = sizeof(o), .conditions = WORDS("exited")};
	int32_t code = 7;

	FAILS(CTR_E_INVALID, ctr_container_wait_for(c, NULL, &code, err));
	FAILS(CTR_E_INVALID, wait_now(c, NULL, &code, err));
	FAILS(CTR_E_INVALID, wait_now(c, WORDS(NULL), &code, err));
	FAILS(CTR_E_INVALID, wait_now(c, WORDS("exited", "asleep"), &code, err));
	FAILS(CTR_E_INVALID, wait_now(NULL, WORDS("exited"), &code, err));
	FAILS(CTR_E_NO_HEALTHCHECK, wait_now(c, WORDS("exited", "healthy"), &code, err));
	o.interval_ms = -1;
	FAILS(CTR_E_INVALID, ctr_container_wait_for(c, &o, &code, err));
	o.interval_ms = 0;
	o.timeout_ms = -2;
	FAILS(CTR_E_INVALID, ctr_container_wait_for(c, &o, &code, err));
	o.timeout_ms = 0;
	o.flags = 2;
	FAILS(CTR_E_UNSUPPORTED, ctr_container_wait_for(c, &o, &code, err));
	o.flags = 0;
	o.reserved = 1;
	FAILS(CTR_E_UNSUPPORTED, ctr_container_wait_for(c, &o, &code, err));
	assert_int_equal(code, 7);
	o.reserved = 0;
	o.cancel_fd = 4000;
	o.conditions = WORDS("running");
	FAILS(CTR_E_INVALID, ctr_container_wait_for(c, &o, &code, err));
	ctr_container_unref(c);
}

static void test_met_already(void **state)
{
	static const struct {
		int32_t state;
		const char *word;
		int32_t code;
	} cases[] = {
	    {CTR_STATE_CONFIGURED, "created", -1},
	    {CTR_STATE_CONFIGURED, "configured", -1},
	    {CTR_STATE_CONFIGURED, "exited", 0},
	    {CTR_STATE_CREATED, "initialized", -1},
	    {CTR_STATE_RUNNING, "running", -1},
	    {CTR_STATE_PAUSED, "paused", -1},
	    {CTR_STATE_STOPPING, "stopping", -1},
	    {CTR_STATE_STOPPED, "exited", 137},
	    {CTR_STATE_EXITED, "stopped", 137},
	    {CTR_STATE_REMOVING, "removing", -1},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ctr_container_t *c = fixture_in_state(f, cases[i].state);
		int32_t code = -7;

		OK(wait_now(c, WORDS("unknown", cases[i].word), &code, err));
		if (code != cases[i].code)
			fail_msg("%s: code %d", cases[i].word, code);
		FAILS(CTR_E_TIMEOUT, wait_now(c, WORDS("unknown"), &code, err));
		ctr_container_remove(c, CTR_REMOVE_FORCE, NULL);
		ctr_container_unref(c);
	}
	assert_int_equal(count_inotify(), 0);
}

static void test_any_of_several(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_in_state(f, CTR_STATE_RUNNING);
	struct waiter w[4] = {0};

	begin_seen(f, &w[0], c, WORDS("paused", "exited"));
	begin_seen(f, &w[1], c, WORDS("exited", "removing"));
	begin_seen(f, &w[2], c, WORDS("paused"));
	begin_seen(f, &w[3], c, WORDS("removing"));
	assert_int_equal(count_inotify(), 4);
	OK(ctr_container_pause(c, err));
	end_wait(&w[0], 0, -1);
	end_wait(&w[2], 0, -1);
	OK(ctr_container_unpause(c, err));
	fake_oci_exit(f->fake, ctr_container_id(c), 3);
	end_wait(&w[1], 0, 3);
	OK(ctr_container_remove(c, 0, err));
	end_wait(&w[3], 0, 3);
	assert_int_equal(count_inotify(), 0);
	ctr_container_unref(c);
}

/* States that are over before anybody could look. */
static void test_short_states(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_in_state(f, CTR_STATE_RUNNING);
	static const struct {
		const char *word;
		int result;
		int32_t code;
	} cases[] = {
	    {"running", 0, -1}, {"exited", 0, 143}, {"initialized", 0, -1}, {"stopping", 0, -1},
	    {"removing", 0, 137}, {"created", CTR_E_CTR_REMOVED, 0}, /* it never was again */
	};
	enum { N = sizeof(cases) / sizeof(cases[0]) };
	struct waiter w[N] = {0}, paused = {0};
	const char *words[N][2] = {{NULL}};

	begin_seen(f, &paused, c, WORDS("paused"));
	OK(ctr_container_pause(c, err));
	OK(ctr_container_unpause(c, err));
	end_wait(&paused, 0, -1);
	OK(ctr_container_pause(c, err));
	for (size_t i = 0; i < N; i++) {
		words[i][0] = cases[i].word;
		begin_seen(f, &w[i], c, words[i]);
	}
	OK(ctr_container_unpause(c, err));
	OK(ctr_container_stop_with_timeout(c, 1000, err));
	OK(ctr_container_start(c, 0, err));
	OK(ctr_container_remove(c, CTR_REMOVE_FORCE, err));
	for (size_t i = 0; i < N; i++)
		end_wait(&w[i], cases[i].result, cases[i].code);
	ctr_container_unref(c);
}

/* A created one that is cleaned up is configured again. */
static void test_back_to_configured(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_in_state(f, CTR_STATE_CREATED);
	struct waiter w = {0}, never = {0};

	begin_seen(f, &w, c, WORDS("configured"));
	begin_seen(f, &never, c, WORDS("running", "unknown"));
	OK(ctr_container_cleanup(c, 0, err));
	OK(ctr_container_init(c, 0, err));
	end_wait(&w, 0, -1);
	OK(ctr_container_remove(c, 0, err));
	end_wait(&never, CTR_E_CTR_REMOVED, 0);
	ctr_container_unref(c);
}

static void *stop_thread(void *arg)
{
	ctr_container_stop_with_timeout(arg, -1, NULL);
	return NULL;
}

static void test_stopping_is_seen(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_in_state(f, CTR_STATE_RUNNING);
	struct waiter w = {0};
	pthread_t stopper;

	fake_oci_ignore_signals(f->fake, 1);
	begin_seen(f, &w, c, WORDS("stopping"));
	assert_int_equal(pthread_create(&stopper, NULL, stop_thread, c), 0);
	end_wait(&w, 0, -1); /* while the stop goes on */
	fake_oci_exit(f->fake, ctr_container_id(c), 0);
	pthread_join(stopper, NULL);
	assert_state(c, CTR_STATE_STOPPED);
	ctr_container_unref(c);
}

static void test_gone(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_create(f, NULL);
	int32_t code = 7;

	OK(ctr_container_remove(c, 0, err));
	OK(wait_now(c, WORDS("removing"), &code, err));
	assert_int_equal(code, -1);
	FAILS(CTR_E_CTR_REMOVED, wait_now(c, WORDS("exited"), &code, err));
	FAILS(CTR_E_CTR_REMOVED, wait_now(c, WORDS("running"), &code, err));
	ctr_container_unref(c);
	c = fixture_in_state(f, CTR_STATE_RUNNING);
	OK(ctr_container_remove(c, CTR_REMOVE_FORCE, err));
	OK(wait_now(c, WORDS("exited"), &code, err));
	assert_int_equal(code, 137);
	OK(wait_now(c, WORDS("removing"), &code, err));
	assert_int_equal(code, 137);
	ctr_container_unref(c);
}

static void test_time_and_cancel(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_in_state(f, CTR_STATE_RUNNING);
	struct waiter w = {0};
	uint64_t one = 1;

	w.o.timeout_ms = 5;
	begin_seen(f, &w, c, WORDS("paused"));
	end_wait(&w, CTR_E_TIMEOUT, 0);
	w.o.timeout_ms = 0;
	w.o.cancel_fd = eventfd(0, EFD_CLOEXEC);
	assert_true(w.o.cancel_fd > 0);
	begin_seen(f, &w, c, WORDS("paused"));
	assert_int_equal(write(w.o.cancel_fd, &one, sizeof(one)), sizeof(one));
	end_wait(&w, CTR_E_CANCELLED, 0);
	/* What is met already needs no waiting. */
	begin_wait(&w, c, WORDS("running"));
	end_wait(&w, 0, -1);
	close(w.o.cancel_fd);
	w.o.cancel_fd = -1;
	begin_seen(f, &w, c, WORDS("paused"));
	OK(ctr_runtime_shutdown(f->rt, err));
	end_wait(&w, CTR_E_RUNTIME_STOPPED, 0);
	ctr_container_unref(c);
	ctr_runtime_unref(f->rt);
	f->rt = fixture_open(f, &f->fake);
}

static int in_batch(ctr_container_t *view, void *userdata)
{
	(void)userdata;
	FAILS(CTR_E_BUSY, wait_now(view, WORDS("running"), NULL, err));
	FAILS(CTR_E_BUSY, ctr_container_wait_with_interval(view, 0, NULL, err));
	return 0;
}

static void test_in_a_batch(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_in_state(f, CTR_STATE_RUNNING);

	OK(ctr_container_batch(c, in_batch, NULL, err));
	ctr_container_unref(c);
}

static void *interval_thread(void *arg)
{
	struct waiter *w = arg;

	w->result = ctr_container_wait_with_interval(w->c, w->o.interval_ms, &w->code, NULL);
	return NULL;
}

/* An OCI runtime that offers no descriptor is asked. */
static void test_interval(void **state)
{
	struct fixture *f = *state;
	struct ctr_oci_ops ops = fake_oci_ops;
	struct fake_oci *fake = fake_oci_new();
	ctr_config_t *cfg = fixture_config(f, NULL), *own = NULL;
	ctr_config_builder_t *b = ctr_config_builder_new_from(cfg);
	struct waiter w = {.o.interval_ms = 3};

	ops.name = "plain";
	ops.wait_fd = NULL;
	ops.exit_status = NULL;
	OK(ctr_runtime_add_oci(f->rt, &ops, fake, fake_oci_destroy, err));
	OK(ctr_config_builder_set_str(b, CTR_CONFIG_RUNTIME, "plain", err));
	OK(ctr_config_builder_build(b, &own, err));
	OK(ctr_container_create(f->rt, own, 0, &w.c, err));
	OK(ctr_container_start(w.c, 0, err));
	assert_int_equal(pthread_create(&w.thread, NULL, interval_thread, &w), 0);
	while (fake_oci_calls(fake, FAKE_STATE) < 5)
		sched_yield();
	fake_oci_exit(fake, ctr_container_id(w.c), 8);
	end_wait(&w, 0, 8);
	ctr_config_builder_free(b);
	ctr_config_unref(cfg);
	ctr_config_unref(own);
	ctr_container_unref(w.c);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_mistakes),
	    TEST(test_met_already),
	    TEST(test_any_of_several),
	    TEST(test_short_states),
	    TEST(test_back_to_configured),
	    TEST(test_stopping_is_seen),
	    TEST(test_gone),
	    TEST(test_time_and_cancel),
	    TEST(test_in_a_batch),
	    TEST(test_interval),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
