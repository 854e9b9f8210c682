/* SPDX-License-Identifier: Apache-2.0 */
/* Events: order, fields, filters, readers, the descriptor, loss. */
#include "fixture.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

static int readable(int fd)
{
	struct pollfd p = {fd, POLLIN, 0};

	return poll(&p, 1, 0) == 1;
}

static void assert_events(ctr_runtime_t *rt, const char *expected)
{
	char *text = events_text(rt);

	assert_string_equal(text, expected);
	free(text);
}

static void test_descriptor_and_order(void **state)
{
	struct fixture *f = *state;
	ctr_runtime_t *second = fixture_open(f, NULL);
	ctr_container_t *c;
	int fd = ctr_runtime_events_fd(f->rt, NULL), fd2 = ctr_runtime_events_fd(second, NULL);

	assert_true(fd >= 0 && fd2 >= 0);
	assert_int_equal(ctr_runtime_events_fd(f->rt, NULL), fd);
	assert_false(readable(fd));
	c = fixture_create(f, NULL);
	assert_true(readable(fd) && readable(fd2));
	assert_events(f->rt, "create");
	assert_false(readable(fd));
	OK(ctr_container_start(c, 0, err));
	OK(ctr_container_pause(c, err));
	OK(ctr_container_unpause(c, err));
	OK(ctr_container_kill(c, 18, err));
	OK(ctr_container_stop_with_timeout(c, 0, err));
	OK(ctr_container_remove(c, 0, err));
	assert_true(readable(fd));
	assert_events(f->rt, "init start pause unpause kill died stop remove");
	assert_false(readable(fd));
	/* The other reader has a place of its own. */
	assert_events(second, "create init start pause unpause kill died stop remove");
	ctr_container_unref(c);
	ctr_runtime_unref(second);
}

static void test_refused_operations_are_silent(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_create(f, NULL);

	assert_events(f->rt, "");
	FAILS(CTR_E_CTR_STATE, ctr_container_pause(c, err));
	fake_oci_fail(f->fake, FAKE_CREATE, CTR_E_OCI_RUNTIME, 1);
	FAILS(CTR_E_OCI_RUNTIME, ctr_container_start(c, 0, err));
	assert_events(f->rt, "");
	ctr_container_unref(c);
}

static ctr_event_t *next(ctr_runtime_t *rt, int32_t type)
{
	ctr_event_t *ev = NULL;

	do {
		ctr_event_unref(ev);
		assert_int_equal(ctr_runtime_next_event(rt, &ev, NULL), 1);
	} while (ctr_event_type(ev) != type);
	return ev;
}

static void test_fields(void **state)
{
	struct fixture *f = *state;
	ctr_config_t *cfg = fixture_config(f, "fields"), *own = NULL;
	ctr_config_builder_t *b = ctr_config_builder_new_from(cfg);
	const char *key = NULL, *value = NULL;
	ctr_container_t *c = NULL;
	ctr_event_t *ev;
	char *json = NULL;
	int32_t code = 0;
	size_t len;

	OK(ctr_config_builder_set_map(b, CTR_CONFIG_LABELS, "k", "v", err));
	OK(ctr_config_builder_build(b, &own, err));
	OK(ctr_runtime_events_fd(f->rt, err));
	OK(ctr_container_create(f->rt, own, 0, &c, err));
	OK(ctr_container_start(c, 0, err));
	OK(ctr_container_kill(c, 9, err));
	ev = next(f->rt, CTR_EVENT_CREATE);
	assert_string_equal(ctr_event_container_id(ev), ctr_container_id(c));
	assert_string_equal(ctr_event_container_name(ev), "fields");
	assert_string_equal(ctr_event_image(ev), f->rootfs);
	assert_true(ctr_event_time_ns(ev) > 0);
	assert_int_equal(ctr_event_label_at(ev, 0, &key, &value), 1);
	assert_string_equal(key, "k");
	assert_string_equal(value, "v");
	assert_int_equal(ctr_event_label_at(ev, 1, &key, &value), 0);
	assert_int_equal(ctr_event_exit_code(ev, &code), 0);
	ctr_event_unref(ev);
	ev = next(f->rt, CTR_EVENT_KILL);
	assert_int_equal(ctr_event_signal(ev), 9);
	ctr_event_unref(ev);
	ev = next(f->rt, CTR_EVENT_DIED);
	assert_int_equal(ctr_event_exit_code(ev, &code), 1);
	assert_int_equal(code, 137);
	OK(ctr_event_to_json(ev, &json, &len, err));
	assert_int_equal(strlen(json), len);
	assert_non_null(strstr(json, "\"Status\":\"died\""));
	assert_non_null(strstr(json, "\"ContainerExitCode\":137"));
	ctr_free(json);
	ctr_event_unref(ev);
	ctr_config_builder_free(b);
	ctr_config_unref(cfg);
	ctr_config_unref(own);
	ctr_container_unref(c);
}

#define FILTERS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void test_filters(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *a, *b;

	OK(ctr_runtime_events_filter(f->rt, FILTERS("event=start", "event=die"), err));
	assert_events(f->rt, "");
	a = fixture_in_state(f, CTR_STATE_STOPPED);
	b = fixture_create(f, "bee");
	assert_events(f->rt, "start died");
	OK(ctr_runtime_events_filter(f->rt, FILTERS("container=bee"), err));
	OK(ctr_container_start(a, 0, err));
	OK(ctr_container_init(b, 0, err));
	assert_events(f->rt, "init");
	FAILS(CTR_E_INVALID, ctr_runtime_events_filter(f->rt, FILTERS("event=lunch"), err));
	FAILS(CTR_E_INVALID, ctr_runtime_events_filter(f->rt, FILTERS("x=y"), err));
	OK(ctr_runtime_events_filter(f->rt, NULL, err));
	OK(ctr_container_start(b, 0, err));
	assert_events(f->rt, "start");
	ctr_container_unref(a);
	ctr_container_unref(b);
}

static void test_rewind(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_create(f, NULL);
	ctr_event_t *ev;
	int64_t since;

	OK(ctr_container_init(c, 0, err));
	assert_events(f->rt, "");
	OK(ctr_runtime_events_rewind(f->rt, 0, err));
	assert_events(f->rt, "create init");
	OK(ctr_runtime_events_rewind(f->rt, 0, err));
	ev = next(f->rt, CTR_EVENT_INIT);
	since = ctr_event_time_ns(ev);
	ctr_event_unref(ev);
	OK(ctr_runtime_events_rewind(f->rt, since, err));
	assert_events(f->rt, "init");
	FAILS(CTR_E_INVALID, ctr_runtime_events_rewind(f->rt, -1, err));
	ctr_container_unref(c);
}

/* since sets the place, until the end. */
static void test_since_and_until(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_create(f, NULL);
	ctr_event_t *ev = NULL;

	OK(ctr_container_init(c, 0, err));
	OK(ctr_runtime_events_filter(f->rt, FILTERS("since=1h", "until=1h"), err));
	assert_events(f->rt, "create init");
	OK(ctr_runtime_events_filter(f->rt, FILTERS("until=0s", "since=1h", "event=init"), err));
	ev = next(f->rt, CTR_EVENT_INIT);
	ctr_event_unref(ev);
	ev = NULL;
	/* Everything up to the end has been read, also if more has happened since. */
	OK(ctr_container_start(c, 0, err));
	FAILS(CTR_E_TIMEOUT, ctr_runtime_next_event(f->rt, &ev, err));
	FAILS(CTR_E_TIMEOUT, ctr_runtime_next_event(f->rt, &ev, err));
	assert_null(ev);
	OK(ctr_runtime_events_filter(f->rt, FILTERS("since=1h", "type=container"), err));
	assert_events(f->rt, "create init start");
	FAILS(CTR_E_INVALID, ctr_runtime_events_filter(f->rt, FILTERS("since=soon"), err));
	OK(ctr_runtime_events_filter(f->rt, FILTERS("since=1h", "type=pod"), err));
	assert_events(f->rt, "");
	ctr_container_unref(c);
}

/* A reader that falls behind is told how much it missed. */
static void test_loss(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_create(f, NULL);
	uint64_t lost = 0, got = 0;
	ctr_event_t *ev = NULL;
	const int rounds = 9000;

	assert_events(f->rt, "");
	OK(ctr_container_start(c, 0, err));
	assert_events(f->rt, "init start");
	for (int i = 0; i < rounds; i++) {
		OK(ctr_container_pause(c, err));
		OK(ctr_container_unpause(c, err));
	}
	while (ctr_runtime_next_event(f->rt, &ev, NULL) == 1) {
		if (ctr_event_type(ev) == CTR_EVENT_LOST)
			lost += ctr_event_count(ev);
		else
			got++;
		ctr_event_unref(ev);
	}
	assert_true(lost > 0);
	assert_int_equal(lost + got, 2 * rounds);
	ctr_container_unref(c);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_descriptor_and_order),
	    TEST(test_refused_operations_are_silent),
	    TEST(test_fields),
	    TEST(test_filters),
	    TEST(test_rewind),
	    TEST(test_since_and_until),
	    TEST(test_loss),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
