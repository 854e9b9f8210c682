/* SPDX-License-Identifier: Apache-2.0 */
/* Restart policies, automatic removal, restart by hand, boot: against a fake OCI runtime, whose containers the host
 * itself sees to. */
#include "fixture.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static ctr_container_t *create_with(
    const struct fixture *f, const char *policy, int64_t retries, int auto_remove)
{
	ctr_config_t *base = fixture_config(f, NULL), *cfg = NULL;
	ctr_config_builder_t *b = ctr_config_builder_new_from(base);
	ctr_container_t *c = NULL;

	ctr_config_unref(base);
	assert_non_null(b);
	if (policy)
		OK(ctr_config_builder_set_str(b, CTR_CONFIG_RESTART_POLICY, policy, err));
	if (retries)
		OK(ctr_config_builder_set_num(b, CTR_CONFIG_RESTART_RETRIES, retries, err));
	if (auto_remove)
		OK(ctr_config_builder_set_bool(b, CTR_CONFIG_AUTO_REMOVE, 1, err));
	OK(ctr_config_builder_build(b, &cfg, err));
	ctr_config_builder_free(b);
	OK(ctr_container_create(f->rt, cfg, 0, &c, err));
	ctr_config_unref(cfg);
	return c;
}

static int handle(ctr_container_t *c)
{
	ctr_error_t *err = NULL;
	int r = ctr_container_handle_exit(c, CTR_EXIT_NO_DELAY, &err);

	if (r < 0)
		fail_msg("%s", ctr_error_message(err));
	return r;
}

static int64_t restarts(ctr_container_t *c)
{
	int64_t n = -1;

	OK(ctr_container_restart_count(c, &n, err));
	return n;
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void done(ctr_container_t *c)
{
	OK(ctr_container_remove(c, CTR_REMOVE_FORCE, err));
	ctr_container_unref(c);
}

/* ---- the decision ---- */

enum how { EXITS, EXITS_PAUSED, IS_STOPPED, IS_KILLED, IS_STOPPED_AS_SERVICE };

static void end(struct fixture *f, ctr_container_t *c, enum how how, int code)
{
	struct ctr_stop_opts service = {.size = sizeof(service), .flags = CTR_STOP_SERVICE};

	switch (how) {
	case EXITS: fake_oci_exit(f->fake, ctr_container_id(c), code); break;
	case EXITS_PAUSED:
		OK(ctr_container_pause(c, err));
		fake_oci_exit(f->fake, ctr_container_id(c), code);
		break;
	case IS_STOPPED: OK(ctr_container_stop(c, NULL, err)); break;
	case IS_KILLED: OK(ctr_container_kill(c, 9, err)); break;
	case IS_STOPPED_AS_SERVICE: OK(ctr_container_stop(c, &service, err)); break;
	}
}

static void test_decision(void **state)
{
	static const struct {
		const char *policy;
		int64_t retries;
		int auto_remove;
		enum how how;
		int code;
		int outcome;
	} rows[] = {
	    {NULL, 0, 0, EXITS, 0, CTR_EXIT_CLEANED},
	    {"no", 0, 0, EXITS, 1, CTR_EXIT_CLEANED},
	    {"always", 0, 0, EXITS, 0, CTR_EXIT_RESTARTED},
	    {"always", 0, 0, EXITS, 1, CTR_EXIT_RESTARTED},
	    {"always", 0, 0, EXITS_PAUSED, 1, CTR_EXIT_RESTARTED},
	    {"always", 0, 0, IS_STOPPED, 0, CTR_EXIT_CLEANED},
	    {"always", 0, 0, IS_KILLED, 0, CTR_EXIT_CLEANED},
	    /* The user did not stop it, but it did not end by itself either. */
	    {"always", 0, 0, IS_STOPPED_AS_SERVICE, 0, CTR_EXIT_CLEANED},
	    {"unless-stopped", 0, 0, EXITS, 0, CTR_EXIT_RESTARTED},
	    {"unless-stopped", 0, 0, IS_STOPPED, 0, CTR_EXIT_CLEANED},
	    {"on-failure", 0, 0, EXITS, 0, CTR_EXIT_CLEANED},
	    {"on-failure", 0, 0, EXITS, 1, CTR_EXIT_RESTARTED},
	    {"on-failure", 1, 0, EXITS, 1, CTR_EXIT_RESTARTED},
	    {"on-failure", 1, 0, IS_KILLED, 1, CTR_EXIT_CLEANED},
	    {NULL, 0, 1, EXITS, 1, CTR_EXIT_REMOVED},
	    {NULL, 0, 1, IS_STOPPED, 1, CTR_EXIT_REMOVED},
	    {"on-failure", 0, 1, EXITS, 1, CTR_EXIT_RESTARTED},
	    {"on-failure", 0, 1, EXITS, 0, CTR_EXIT_REMOVED},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		ctr_container_t *c =
		    create_with(f, rows[i].policy, rows[i].retries, rows[i].auto_remove);
		int got;

		OK(ctr_container_start(c, 0, err));
		assert_int_equal(handle(c), CTR_EXIT_NOTHING);
		end(f, c, rows[i].how, rows[i].code);
		got = handle(c);
		if (got != rows[i].outcome)
			fail_msg("row %zu: %d, not %d", i, got, rows[i].outcome);
		if (got == CTR_EXIT_RESTARTED)
			assert_state(c, CTR_STATE_RUNNING);
		else if (got == CTR_EXIT_CLEANED)
			assert_state(c, CTR_STATE_EXITED);
		assert_int_equal(handle(c), CTR_EXIT_NOTHING);
		done(c);
	}
}

/* Where nothing has ended nothing is done. */
static void test_other_states(void **state)
{
	struct fixture *f = *state;
	static const int32_t states[] = {CTR_STATE_CONFIGURED, CTR_STATE_CREATED, CTR_STATE_RUNNING,
	    CTR_STATE_PAUSED, CTR_STATE_EXITED, CTR_STATE_REMOVING, CTR_STATE_STOPPING};

	for (size_t i = 0; i < sizeof(states) / sizeof(*states); i++) {
		ctr_container_t *c = fixture_in_state(f, states[i]);

		assert_int_equal(handle(c), CTR_EXIT_NOTHING);
		assert_state(c, states[i]);
		done(c);
	}
}

static void test_arguments(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_create(f, NULL);
	struct ctr_restart_opts o = {.size = sizeof(o), .timeout_ms = -2};

	FAILS(CTR_E_INVALID, ctr_container_handle_exit(NULL, 0, err));
	FAILS(CTR_E_UNSUPPORTED, ctr_container_handle_exit(c, 1 << 5, err));
	FAILS(CTR_E_INVALID, ctr_container_restart(NULL, NULL, err));
	FAILS(CTR_E_INVALID, ctr_container_restart(c, &o, err));
	o.timeout_ms = 0;
	o.flags = 1 << 9;
	FAILS(CTR_E_UNSUPPORTED, ctr_container_restart(c, &o, err));
	o.size = 4;
	FAILS(CTR_E_INVALID, ctr_container_restart(c, &o, err));
	FAILS(CTR_E_INVALID, ctr_container_restart_with_timeout(c, -2, err));
	FAILS(CTR_E_INVALID, ctr_runtime_should_start(f->rt, NULL, err));
	FAILS(CTR_E_UNSUPPORTED, ctr_runtime_boot(f->rt, 1, err));
	OK(ctr_container_remove(c, 0, err));
	/* One that is gone has been dealt with. */
	assert_int_equal(handle(c), CTR_EXIT_NOTHING);
	ctr_container_unref(c);
}

/* Others depend on it: it cannot go, but it is cleaned up. */
static void test_auto_remove_with_dependents(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = create_with(f, NULL, 0, 1), *user = NULL;
	ctr_config_t *base = fixture_config(f, NULL), *cfg = NULL;
	ctr_config_builder_t *b = ctr_config_builder_new_from(base);
	char *text;

	ctr_config_unref(base);
	OK(ctr_config_builder_add_str(b, CTR_CONFIG_DEPENDENCIES, ctr_container_id(c), err));
	OK(ctr_config_builder_build(b, &cfg, err));
	ctr_config_builder_free(b);
	OK(ctr_container_create(f->rt, cfg, 0, &user, err));
	ctr_config_unref(cfg);
	OK(ctr_container_start(c, 0, err));
	free(events_text(f->rt));
	fake_oci_exit(f->fake, ctr_container_id(c), 0);
	FAILS(CTR_E_CTR_EXISTS, ctr_container_handle_exit(c, 0, err));
	assert_state(c, CTR_STATE_EXITED);
	done(user);
	assert_int_equal(handle(c), CTR_EXIT_REMOVED);
	text = events_text(f->rt);
	assert_string_equal(text, "died cleanup remove remove");
	free(text);
	ctr_container_unref(c);
}

/* ---- counters ---- */

static void test_retries_and_counter(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = create_with(f, "on-failure", 3, 0);
	char *json = NULL;
	ctr_state_t *s = NULL;

	for (int hand = 0; hand < 2; hand++) {
		OK(ctr_container_start(c, 0, err));
		for (int i = 0; i <= 3; i++) {
			assert_int_equal(restarts(c), i);
			fake_oci_exit(f->fake, ctr_container_id(c), 2);
			assert_int_equal(handle(c), i < 3 ? CTR_EXIT_RESTARTED : CTR_EXIT_CLEANED);
		}
		assert_state(c, CTR_STATE_EXITED);
		assert_int_equal(restarts(c), 3);
	}
	OK(ctr_container_snapshot(c, &s, err));
	assert_int_equal(ctr_state_restart_count(s), 3);
	OK(ctr_state_to_json(s, &json, NULL, err));
	assert_non_null(strstr(json, "\"restartCount\":3"));
	ctr_free(json);
	ctr_state_free(s);
	/* An init by hand begins anew, too. */
	OK(ctr_container_init(c, 0, err));
	assert_int_equal(restarts(c), 0);
	done(c);
}

static void test_events(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = create_with(f, "always", 0, 0);
	char *text;

	OK(ctr_container_start(c, 0, err));
	free(events_text(f->rt));
	fake_oci_exit(f->fake, ctr_container_id(c), 1);
	assert_int_equal(handle(c), CTR_EXIT_RESTARTED);
	text = events_text(f->rt);
	assert_string_equal(text, "died restart cleanup init start");
	free(text);
	done(c);
}

static void test_config_accessors(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = create_with(f, "on-failure", 4, 1);
	ctr_config_t *cfg = ctr_container_config(c), *plain = fixture_config(f, NULL);

	assert_string_equal(ctr_config_restart_policy(cfg), "on-failure");
	assert_int_equal(ctr_config_restart_retries(cfg), 4);
	assert_int_equal(ctr_config_auto_remove(cfg), 1);
	assert_string_equal(ctr_config_restart_policy(plain), "no");
	assert_int_equal(ctr_config_restart_retries(plain), 0);
	assert_int_equal(ctr_config_auto_remove(plain), 0);
	ctr_config_unref(plain);
	ctr_config_unref(cfg);
	done(c);
}

/* ---- a restart that fails ---- */

static void test_failing_restart(void **state)
{
	struct fixture *f = *state;
	static const enum fake_op ops[] = {FAKE_CREATE, FAKE_START};

	for (size_t i = 0; i < 2; i++) {
		ctr_container_t *c = create_with(f, "always", 0, 0);
		char *text = NULL;

		OK(ctr_container_start(c, 0, err));
		fake_oci_exit(f->fake, ctr_container_id(c), 1);
		fake_oci_fail(f->fake, ops[i], CTR_E_OCI_RUNTIME, 1);
		FAILS(CTR_E_OCI_RUNTIME, ctr_container_handle_exit(c, CTR_EXIT_NO_DELAY, err));
		OK(ctr_container_error_text(c, &text, err));
		assert_non_null(strstr(text, "told to fail"));
		ctr_free(text);
		assert_int_equal(fake_oci_count(f->fake), 0);
		/* No further try. */
		assert_int_equal(handle(c), CTR_EXIT_NOTHING);
		OK(ctr_container_start(c, 0, err));
		done(c);
	}
}

static void test_dependency_not_running(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *dep = fixture_create(f, "dep"), *c = NULL;
	ctr_config_t *base = fixture_config(f, NULL), *cfg = NULL;
	ctr_config_builder_t *b = ctr_config_builder_new_from(base);
	char *text = NULL;

	ctr_config_unref(base);
	OK(ctr_config_builder_set_str(b, CTR_CONFIG_RESTART_POLICY, "always", err));
	OK(ctr_config_builder_add_str(b, CTR_CONFIG_DEPENDENCIES, ctr_container_id(dep), err));
	OK(ctr_config_builder_build(b, &cfg, err));
	ctr_config_builder_free(b);
	OK(ctr_container_create(f->rt, cfg, 0, &c, err));
	ctr_config_unref(cfg);
	OK(ctr_container_start(dep, 0, err));
	OK(ctr_container_start(c, 0, err));
	OK(ctr_container_stop(dep, NULL, err));
	fake_oci_exit(f->fake, ctr_container_id(c), 1);
	FAILS(CTR_E_CTR_STATE, ctr_container_handle_exit(c, CTR_EXIT_NO_DELAY, err));
	assert_state(c, CTR_STATE_EXITED);
	OK(ctr_container_error_text(c, &text, err));
	assert_non_null(strstr(text, "depends on"));
	ctr_free(text);
	done(c);
	done(dep);
}

/* ---- several at once, and the delay ---- */

struct handler {
	pthread_t thread;
	ctr_container_t *c;
	uint64_t flags;
	int result;
};

static void *handle_in_a_thread(void *arg)
{
	struct handler *h = arg;

	h->result = ctr_container_handle_exit(h->c, h->flags, NULL);
	return NULL;
}

static void test_many_callers(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = create_with(f, "always", 0, 0);
	struct handler h[8];

	OK(ctr_container_start(c, 0, err));
	for (int round = 1; round <= 5; round++) {
		int restarted = 0;

		fake_oci_exit(f->fake, ctr_container_id(c), 1);
		for (size_t i = 0; i < 8; i++) {
			h[i] = (struct handler){.c = c, .flags = CTR_EXIT_NO_DELAY};
			pthread_create(&h[i].thread, NULL, handle_in_a_thread, &h[i]);
		}
		for (size_t i = 0; i < 8; i++) {
			pthread_join(h[i].thread, NULL);
			assert_true(
			    h[i].result == CTR_EXIT_RESTARTED || h[i].result == CTR_EXIT_NOTHING);
			restarted += h[i].result == CTR_EXIT_RESTARTED;
		}
		assert_int_equal(restarted, 1);
		assert_int_equal(restarts(c), round);
	}
	done(c);
}

/* 100 ms, 200 ms, 400 ms. */
static void test_delay_doubles(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = create_with(f, "always", 0, 0);
	int64_t wanted = 100;

	OK(ctr_container_start(c, 0, err));
	for (int i = 0; i < 3; i++, wanted *= 2) {
		int64_t before = now_ms();

		fake_oci_exit(f->fake, ctr_container_id(c), 1);
		OK(ctr_container_handle_exit(c, 0, err));
		assert_in_range(now_ms() - before, wanted - 5, 60000);
		assert_int_equal(restarts(c), i + 1);
	}
	/* A start by hand forgets it. */
	OK(ctr_container_stop(c, NULL, err));
	OK(ctr_container_start(c, 0, err));
	wanted = now_ms();
	fake_oci_exit(f->fake, ctr_container_id(c), 1);
	OK(ctr_container_handle_exit(c, 0, err));
	assert_true(now_ms() - wanted < 700);
	done(c);
}

/* Brings the delay to seconds, ends the container and leaves a thread waiting. */
static ctr_container_t *in_delay(struct fixture *f, struct handler *h)
{
	ctr_container_t *c = create_with(f, "always", 0, 0);

	OK(ctr_container_start(c, 0, err));
	for (int i = 0; i < 9; i++) {
		fake_oci_exit(f->fake, ctr_container_id(c), 1);
		assert_int_equal(handle(c), CTR_EXIT_RESTARTED);
	}
	fake_oci_exit(f->fake, ctr_container_id(c), 1);
	*h = (struct handler){.c = c};
	pthread_create(&h->thread, NULL, handle_in_a_thread, h);
	/* It has taken over the exit when the state says stopped. */
	while (fake_oci_calls(f->fake, FAKE_EXIT_STATUS) == 0 || state_of(c) != CTR_STATE_STOPPED)
		;
	return c;
}

static void test_stop_in_the_delay(void **state)
{
	struct fixture *f = *state;
	int64_t before = now_ms();
	struct handler h;
	ctr_container_t *c = in_delay(f, &h);

	FAILS(CTR_E_CTR_STOPPED, ctr_container_stop(c, NULL, err));
	pthread_join(h.thread, NULL);
	assert_int_equal(h.result, CTR_EXIT_CLEANED);
	assert_state(c, CTR_STATE_EXITED);
	assert_true(now_ms() - before < 40000); /* the delay is 51.2 s */
	done(c);
}

static void test_start_in_the_delay(void **state)
{
	struct fixture *f = *state;
	struct handler h;
	ctr_container_t *c = in_delay(f, &h);

	OK(ctr_container_start(c, 0, err));
	pthread_join(h.thread, NULL);
	assert_int_equal(h.result, CTR_EXIT_NOTHING);
	assert_state(c, CTR_STATE_RUNNING);
	assert_int_equal(restarts(c), 0);
	done(c);
}

static void test_remove_in_the_delay(void **state)
{
	struct fixture *f = *state;
	struct handler h;
	ctr_container_t *c = in_delay(f, &h);

	OK(ctr_container_remove(c, 0, err));
	pthread_join(h.thread, NULL);
	assert_int_equal(h.result, CTR_EXIT_NOTHING);
	ctr_container_unref(c);
}

static void test_shutdown_in_the_delay(void **state)
{
	struct fixture *f = *state;
	struct handler h;
	ctr_container_t *c = in_delay(f, &h);

	OK(ctr_runtime_shutdown(f->rt, err));
	pthread_join(h.thread, NULL);
	assert_int_equal(h.result, CTR_E_RUNTIME_STOPPED);
	ctr_container_unref(c);
	ctr_runtime_unref(f->rt);
	f->rt = fixture_open(f, &f->fake);
}

/* ---- restart by hand ---- */

static void test_restart(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = create_with(f, "always", 0, 0);
	struct ctr_restart_opts o = {.size = sizeof(o), .flags = CTR_RESTART_ONLY_RUNNING};
	int32_t by_user = -1;
	char *text;

	OK(ctr_container_restart(c, &o, err));
	assert_state(c, CTR_STATE_CONFIGURED);
	OK(ctr_container_restart(c, NULL, err));
	assert_state(c, CTR_STATE_RUNNING);
	fake_oci_exit(f->fake, ctr_container_id(c), 1);
	assert_int_equal(handle(c), CTR_EXIT_RESTARTED);
	assert_int_equal(restarts(c), 1);
	free(events_text(f->rt));
	OK(ctr_container_restart(c, &o, err));
	text = events_text(f->rt);
	assert_string_equal(text, "restart died stop cleanup init start");
	free(text);
	assert_int_equal(restarts(c), 0);
	OK(ctr_container_stopped_by_user(c, &by_user, err));
	assert_int_equal(by_user, 0);
	/* Its policy is in force again. */
	fake_oci_exit(f->fake, ctr_container_id(c), 1);
	assert_int_equal(handle(c), CTR_EXIT_RESTARTED);
	done(c);
}

static void test_restart_signals(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_create(f, NULL);
	struct ctr_restart_opts o = {.size = sizeof(o), .flags = CTR_RESTART_NOW};

	fake_oci_ignore_signals(f->fake, 1);
	OK(ctr_container_start(c, 0, err));
	OK(ctr_container_restart(c, &o, err));
	assert_state(c, CTR_STATE_RUNNING);
	OK(ctr_container_restart_with_timeout(c, 0, err));
	OK(ctr_container_restart_with_timeout(c, 20, err));
	assert_state(c, CTR_STATE_RUNNING);
	done(c);
}

/* What sees the end in the middle of a restart leaves it alone. */
static void test_restart_beside_handlers(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = create_with(f, NULL, 0, 1);

	OK(ctr_container_start(c, 0, err));
	for (int i = 0; i < 20; i++) {
		struct handler h[4];

		for (size_t k = 0; k < 4; k++) {
			h[k] = (struct handler){.c = c};
			pthread_create(&h[k].thread, NULL, handle_in_a_thread, &h[k]);
		}
		OK(ctr_container_restart_with_timeout(c, 0, err));
		for (size_t k = 0; k < 4; k++) {
			pthread_join(h[k].thread, NULL);
			assert_int_equal(h[k].result, CTR_EXIT_NOTHING);
		}
		assert_state(c, CTR_STATE_RUNNING);
	}
	done(c);
}

static void test_failing_stop_of_a_restart(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = create_with(f, NULL, 0, 1);

	OK(ctr_container_start(c, 0, err));
	fake_oci_fail(f->fake, FAKE_KILL, CTR_E_OCI_RUNTIME, 1);
	FAILS(CTR_E_OCI_RUNTIME, ctr_container_restart_with_timeout(c, 0, err));
	fake_oci_exit(f->fake, ctr_container_id(c), 1);
	/* Nobody restarts it any more. */
	assert_int_equal(handle(c), CTR_EXIT_REMOVED);
	ctr_container_unref(c);
}

/* ---- killed ones ---- */

/* In a process that does the operation and is killed: a copy of the fake, and a runtime of its own. */
static pid_t in_a_process(struct fixture *f, ctr_container_t *c, int (*fn)(ctr_container_t *c))
{
	struct ctr_open_opts o = {.size = sizeof(o), .root = f->root, .run_root = f->run};
	ctr_container_t *mine = NULL;
	ctr_runtime_t *rt = NULL;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid)
		return pid;
	if (ctr_runtime_open(&o, &rt, NULL) < 0 ||
	    ctr_runtime_add_oci(rt, &fake_oci_ops, f->fake, NULL, NULL) < 0 ||
	    ctr_container_get(rt, ctr_container_id(c), &mine, NULL) < 0)
		_exit(2);
	_exit(fn(mine) < 0 ? 3 : 4);
}

static void is_killed(pid_t pid)
{
	int status = 0;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
}

static int restart_slowly(ctr_container_t *c)
{
	return ctr_container_restart_with_timeout(c, 60000, NULL);
}

/* Nobody wanted it to stay down. */
static void test_killed_restart(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = create_with(f, "always", 0, 0);
	struct ctr_stop_opts service = {.size = sizeof(service), .flags = CTR_STOP_SERVICE};
	int32_t s = 0;
	pid_t pid;

	fake_oci_ignore_signals(f->fake, 1);
	OK(ctr_container_start(c, 0, err));
	pid = in_a_process(f, c, restart_slowly);
	for (int i = 0; i < 10000 && s != CTR_STATE_STOPPING; i++) {
		OK(ctr_container_state(c, &s, err));
		usleep(1000);
	}
	assert_int_equal(s, CTR_STATE_STOPPING);
	assert_int_equal(kill(pid, SIGKILL), 0);
	is_killed(pid);
	fake_oci_exit(f->fake, ctr_container_id(c), 143);
	assert_int_equal(handle(c), CTR_EXIT_RESTARTED);
	/* It is forgotten then: a stop is a stop. */
	OK(ctr_container_stop(c, &service, err));
	assert_int_equal(handle(c), CTR_EXIT_CLEANED);
	done(c);
}

static void die(void)
{
	(void)raise(SIGKILL);
}

static int start(ctr_container_t *c)
{
	return ctr_container_start(c, 0, NULL);
}

/* It ran and has ended before anybody took notice. */
static void test_killed_start(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = create_with(f, "always", 0, 0);

	OK(ctr_container_init(c, 0, err));
	fake_oci_on_start(f->fake, die);
	is_killed(in_a_process(f, c, start));
	fake_oci_on_start(f->fake, NULL);
	fake_oci_exit(f->fake, ctr_container_id(c), 1);
	assert_int_equal(handle(c), CTR_EXIT_RESTARTED);
	assert_state(c, CTR_STATE_RUNNING);
	done(c);
}

/* ---- boot ---- */

static int has_id(char **ids, ctr_container_t *c)
{
	for (size_t i = 0; ids[i]; i++)
		if (strcmp(ids[i], ctr_container_id(c)) == 0)
			return 1;
	return 0;
}

static void test_should_start(void **state)
{
	static const struct {
		const char *policy;
		int started; /* 1 = and ended by itself, 2 = and stopped, 3 = it runs */
		int wanted;
	} rows[] = {{NULL, 1, 0}, {"no", 1, 0}, {"on-failure", 1, 0}, {"always", 0, 0},
	    {"always", 1, 1}, {"always", 2, 1}, {"always", 3, 1}, {"unless-stopped", 0, 0},
	    {"unless-stopped", 1, 1}, {"unless-stopped", 2, 0}};
	enum { N = sizeof(rows) / sizeof(*rows) };
	struct fixture *f = *state;
	ctr_container_t *c[N];
	char **ids = NULL;

	OK(ctr_runtime_should_start(f->rt, &ids, err));
	assert_null(ids[0]);
	ctr_strv_free(ids);
	for (size_t i = 0; i < N; i++) {
		c[i] = create_with(f, rows[i].policy, 0, 0);
		if (rows[i].started)
			OK(ctr_container_start(c[i], 0, err));
		if (rows[i].started == 1)
			fake_oci_exit(f->fake, ctr_container_id(c[i]), 0);
		if (rows[i].started == 2)
			OK(ctr_container_stop(c[i], NULL, err));
	}
	OK(ctr_runtime_should_start(f->rt, &ids, err));
	for (size_t i = 0; i < N; i++)
		if (has_id(ids, c[i]) != rows[i].wanted)
			fail_msg("row %zu: %d", i, !rows[i].wanted);
	ctr_strv_free(ids);
	for (size_t i = 0; i < N; i++)
		done(c[i]);
}

static void test_boot(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *stopped = create_with(f, "always", 0, 0);
	ctr_container_t *pending = create_with(f, "on-failure", 0, 0);
	ctr_container_t *left = create_with(f, NULL, 0, 1);
	ctr_container_t *plain = create_with(f, NULL, 0, 0);
	ctr_container_t *going = fixture_in_state(f, CTR_STATE_REMOVING);

	OK(ctr_container_start(stopped, 0, err));
	OK(ctr_container_stop(stopped, NULL, err));
	OK(ctr_container_start(pending, 0, err));
	fake_oci_exit(f->fake, ctr_container_id(pending), 1);
	OK(ctr_container_start(left, 0, err));
	fake_oci_exit(f->fake, ctr_container_id(left), 1);
	OK(ctr_container_start(plain, 0, err));
	fake_oci_exit(f->fake, ctr_container_id(plain), 1);
	assert_int_equal(ctr_runtime_boot(f->rt, 0, NULL), 4);
	assert_state(stopped, CTR_STATE_RUNNING);
	assert_state(pending, CTR_STATE_RUNNING);
	assert_int_equal(ctr_container_exists(f->rt, ctr_container_id(left), NULL), 0);
	assert_int_equal(ctr_container_exists(f->rt, ctr_container_id(going), NULL), 0);
	assert_state(plain, CTR_STATE_STOPPED);
	assert_int_equal(ctr_runtime_boot(f->rt, 0, NULL), 0);
	done(stopped);
	done(pending);
	done(plain);
	ctr_container_unref(left);
	ctr_container_unref(going);
}

static void test_boot_with_failures(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c[3];
	ctr_error_t *why = NULL;

	for (size_t i = 0; i < 3; i++) {
		c[i] = create_with(f, "unless-stopped", 0, 0);
		OK(ctr_container_start(c[i], 0, err));
		fake_oci_exit(f->fake, ctr_container_id(c[i]), 1);
		OK(ctr_container_cleanup(c[i], 0, err));
	}
	fake_oci_fail(f->fake, FAKE_CREATE, CTR_E_OCI_RUNTIME, 1);
	assert_int_equal(ctr_runtime_boot(f->rt, 0, &why), CTR_E_OCI_RUNTIME);
	assert_int_equal(strlen(ctr_error_get(why, "failed")), 64);
	ctr_error_free(why);
	assert_int_equal(fake_oci_count(f->fake), 2);
	/* The next boot starts it. */
	OK(ctr_runtime_boot(f->rt, 0, err));
	assert_int_equal(fake_oci_count(f->fake), 3);
	for (size_t i = 0; i < 3; i++)
		done(c[i]);
}

/* ---- waiting beside it ---- */

static void *wait_in_a_thread(void *arg)
{
	struct handler *h = arg;
	int32_t code = -2;

	h->result = ctr_container_wait(h->c, 60000, &code, NULL);
	if (h->result == 0)
		h->result = code;
	return NULL;
}

/* The end is taken over by somebody else, who restarts or removes it at once: each wait gets the code. */
static void test_wait_beside_handlers(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 40; i++) {
		ctr_container_t *c = create_with(f, i % 2 ? "always" : NULL, 0, !(i % 2));
		struct handler h[4];
		int before = fake_oci_calls(f->fake, FAKE_WAIT_FD);

		OK(ctr_container_start(c, 0, err));
		for (size_t k = 0; k < 4; k++) {
			h[k] = (struct handler){.c = c};
			pthread_create(&h[k].thread, NULL, wait_in_a_thread, &h[k]);
		}
		/* All of them wait. */
		while (fake_oci_calls(f->fake, FAKE_WAIT_FD) < before + 4)
			;
		fake_oci_exit(f->fake, ctr_container_id(c), 30 + i);
		assert_int_equal(handle(c), i % 2 ? CTR_EXIT_RESTARTED : CTR_EXIT_REMOVED);
		for (size_t k = 0; k < 4; k++) {
			pthread_join(h[k].thread, NULL);
			assert_int_equal(h[k].result, 30 + i);
		}
		done(c);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_decision),
	    TEST(test_other_states),
	    TEST(test_auto_remove_with_dependents),
	    TEST(test_arguments),
	    TEST(test_retries_and_counter),
	    TEST(test_events),
	    TEST(test_config_accessors),
	    TEST(test_failing_restart),
	    TEST(test_dependency_not_running),
	    TEST(test_many_callers),
	    TEST(test_delay_doubles),
	    TEST(test_stop_in_the_delay),
	    TEST(test_start_in_the_delay),
	    TEST(test_remove_in_the_delay),
	    TEST(test_shutdown_in_the_delay),
	    TEST(test_restart),
	    TEST(test_restart_signals),
	    TEST(test_restart_beside_handlers),
	    TEST(test_failing_stop_of_a_restart),
	    TEST(test_killed_restart),
	    TEST(test_killed_start),
	    TEST(test_should_start),
	    TEST(test_boot),
	    TEST(test_boot_with_failures),
	    TEST(test_wait_beside_handlers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
