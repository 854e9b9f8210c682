/* SPDX-License-Identifier: Apache-2.0 */
/* Events of real containers, in one process and across two: test_events_real RUNTIME. */
#include "real.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int reader(struct real *r)
{
	int fd = -1;

	OK(fd = ctr_runtime_events_fd(r->rt, err));
	return fd;
}

static void assert_events(ctr_runtime_t *rt, const char *expected)
{
	char *text = events_text(rt);

	assert_string_equal(text, expected);
	free(text);
}

/* Polls until an event of this type comes; drops the others. Unref it. */
static ctr_event_t *await_event(ctr_runtime_t *rt, int32_t type)
{
	int64_t deadline = real_now_ms() + PATIENCE_MS;
	struct pollfd p = {.events = POLLIN};

	OK(p.fd = ctr_runtime_events_fd(rt, err));
	for (;;) {
		ctr_event_t *ev = NULL;
		int more = 0;

		OK(more = ctr_runtime_next_event(rt, &ev, err));
		if (more && ctr_event_type(ev) == type)
			return ev;
		ctr_event_unref(ev);
		if (!more && (real_now_ms() > deadline || poll(&p, 1, PATIENCE_MS) <= 0))
			fail_msg("no event \"%s\"", ctr_event_name(type));
	}
}

static void test_a_life(void **state)
{
	struct real *r = *state;
	ctr_container_t *c;

	reader(r);
	c = real_start_ready(r, ENDS_ON_TERM);
	assert_events(r->rt, "create init start");
	OK(ctr_container_pause(c, err));
	OK(ctr_container_unpause(c, err));
	assert_events(r->rt, "pause unpause");
	OK(ctr_container_stop(c, NULL, err));
	assert_events(r->rt, "died stop");
	OK(ctr_container_start(c, 0, err));
	assert_events(r->rt, "cleanup init start");
	OK(ctr_container_kill(c, SIGKILL, err));
	assert_events(r->rt, "kill died");
	OK(ctr_container_cleanup(c, 0, err));
	real_remove(c, 0);
	assert_events(r->rt, "cleanup remove");
}

static void test_contents(void **state)
{
	struct real *r = *state;
	ctr_config_builder_t *b = real_builder(r, ENDS_ON_TERM);
	const char *key = NULL, *value = NULL;
	ctr_container_t *c;
	ctr_event_t *ev;
	int32_t code = -2;
	int64_t started;

	reader(r);
	ctr_config_builder_set_str(b, CTR_CONFIG_NAME, "web", NULL);
	ctr_config_builder_set_map(b, CTR_CONFIG_LABELS, "tier", "front", NULL);
	c = real_create_from(r, b);
	OK(ctr_container_start(c, 0, err));
	ev = await_event(r->rt, CTR_EVENT_START);
	assert_string_equal(ctr_event_container_id(ev), ctr_container_id(c));
	assert_string_equal(ctr_event_container_name(ev), "web");
	assert_int_equal(ctr_event_label_at(ev, 0, &key, &value), 1);
	assert_string_equal(key, "tier");
	assert_string_equal(value, "front");
	started = ctr_event_time_ns(ev);
	assert_int_equal(ctr_event_exit_code(ev, &code), 0);
	ctr_event_unref(ev);
	real_await_log(c, "ready");
	OK(ctr_container_kill(c, SIGTERM, err));
	ev = await_event(r->rt, CTR_EVENT_KILL);
	assert_int_equal(ctr_event_signal(ev), SIGTERM);
	ctr_event_unref(ev);
	ev = await_event(r->rt, CTR_EVENT_DIED);
	assert_int_equal(ctr_event_exit_code(ev, &code), 1);
	assert_int_equal(code, 5);
	assert_int_equal(ctr_event_oom_killed(ev), 0);
	assert_true(ctr_event_time_ns(ev) >= started);
	ctr_event_unref(ev);
	real_remove(c, 0);
	ev = await_event(r->rt, CTR_EVENT_REMOVE);
	assert_int_equal(ctr_event_exit_code(ev, &code), 1);
	assert_int_equal(code, 5);
	ctr_event_unref(ev);
}

/* A host that only reads events sees every end, although nobody asks for the container. */
static void test_ends_by_themselves(void **state)
{
	struct real *r = *state;
	ctr_container_t *c[5];
	int seen[5] = {0};

	reader(r);
	for (int i = 0; i < 5; i++) {
		char script[32];

		snprintf(script, sizeof(script), "exit %d", 30 + i);
		c[i] = real_start(r, script);
	}
	for (int i = 0; i < 5; i++) {
		ctr_event_t *ev = await_event(r->rt, CTR_EVENT_DIED);
		int32_t code = -2;

		assert_int_equal(ctr_event_exit_code(ev, &code), 1);
		assert_in_range(code, 30, 34);
		assert_string_equal(ctr_event_container_id(ev), ctr_container_id(c[code - 30]));
		seen[code - 30]++;
		ctr_event_unref(ev);
	}
	for (int i = 0; i < 5; i++) {
		assert_int_equal(seen[i], 1);
		real_remove(c[i], 0);
	}
	assert_events(r->rt, "remove remove remove remove remove");
}

static void test_oom_in_the_event(void **state)
{
	struct real *r = *state;
	ctr_config_builder_t *b = real_builder(r, "x=0123456789; while :; do x=$x$x; done");
	ctr_container_t *c;
	ctr_event_t *ev;

	reader(r);
	if (real_has_controller("memory"))
		ctr_config_builder_set_num(b, CTR_SPEC_MEMORY, 16 << 20, NULL);
	c = real_create_from(r, b);
	if (real_has_controller("memory")) {
		OK(ctr_container_start(c, 0, err));
		ev = await_event(r->rt, CTR_EVENT_DIED);
		assert_int_equal(ctr_event_oom_killed(ev), 1);
		ctr_event_unref(ev);
	}
	real_remove(c, 0);
}

/* ---- two processes ---- */

static void live_twice(struct real *r, void *arg)
{
	ctr_container_t *c = NULL;

	OK(ctr_container_get(r->rt, arg, &c, err));
	for (int i = 0; i < 2; i++) {
		OK(ctr_container_start(c, 0, err));
		OK(ctr_container_pause(c, err));
		OK(ctr_container_unpause(c, err));
		OK(ctr_container_stop_with_timeout(c, 0, err));
	}
	real_remove(c, 0);
}

#define LIVES_TWICE                           \
	"init start pause unpause died stop " \
	"cleanup init start pause unpause died stop remove"

static void test_another_process(void **state)
{
	struct real *r = *state;
	ctr_container_t *c = real_create(r, IGNORES_TERM);
	char id[80], all[400] = "";
	struct pollfd p = {.fd = reader(r), .events = POLLIN};
	pid_t pid;

	snprintf(id, sizeof(id), "%s", ctr_container_id(c));
	ctr_container_unref(c);
	pid = real_fork(r, live_twice, id);
	/* They come as they happen. */
	while (!strstr(all, "remove")) {
		char *text;

		assert_true(poll(&p, 1, PATIENCE_MS) > 0);
		text = events_text(r->rt);
		if (*text) {
			assert_true(strlen(all) + strlen(text) + 2 < sizeof(all));
			strcat(strcat(all, *all ? " " : ""), text);
		}
		free(text);
	}
	real_join(pid);
	assert_string_equal(all, LIVES_TWICE);
	/* Later readers find them, too. */
	OK(ctr_runtime_events_rewind(r->rt, 0, err));
	assert_events(r->rt, "create " LIVES_TWICE);
}

/* Readers of several processes each see everything. */
static void expect_two_ends(struct real *r, void *arg)
{
	int ready = *(int *)arg;

	OK(ctr_runtime_events_fd(r->rt, err));
	assert_int_equal(write(ready, "x", 1), 1);
	ctr_event_unref(await_event(r->rt, CTR_EVENT_DIED));
	ctr_event_unref(await_event(r->rt, CTR_EVENT_DIED));
	ctr_event_unref(await_event(r->rt, CTR_EVENT_REMOVE));
	ctr_event_unref(await_event(r->rt, CTR_EVENT_REMOVE));
}

static void test_several_readers(void **state)
{
	struct real *r = *state;
	ctr_container_t *a, *b;
	pid_t pids[3];
	int ready[2];
	char x[3];

	assert_int_equal(pipe(ready), 0);
	for (int i = 0; i < 3; i++)
		pids[i] = real_fork(r, expect_two_ends, &ready[1]);
	for (int i = 0; i < 3; i++)
		assert_int_equal(read(ready[0], &x[i], 1), 1);
	a = real_start(r, "exit 1");
	b = real_start(r, "exit 2");
	assert_int_equal(real_wait(a), 1);
	assert_int_equal(real_wait(b), 2);
	real_remove(a, 0);
	real_remove(b, 0);
	for (int i = 0; i < 3; i++)
		real_join(pids[i]);
	close(ready[0]);
	close(ready[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, real_setup, real_teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_a_life),
	    TEST(test_contents),
	    TEST(test_ends_by_themselves),
	    TEST(test_oom_in_the_event),
	    TEST(test_another_process),
	    TEST(test_several_readers),
	};

	real_init(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
