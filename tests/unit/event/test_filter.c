/* SPDX-License-Identifier: Apache-2.0 */
/* Filters of events. */
#include "fixture.h"

#include <string.h>

static bool matches(const ctr_event_t *ev, const char *const *filters)
{
	struct ctr__event_filter *f = NULL;
	ctr_error_t *err CTR__ERROR = NULL;
	bool result;

	if (ctr__event_filter_parse(filters, &f, &err) != 0)
		fail_msg("%s", ctr_error_message(err));
	result = ctr__event_filter_match(f, ev);
	ctr__event_filter_free(f);
	return result;
}

#define MATCHES(ev, ...) matches(ev, (const char *const[]){__VA_ARGS__, NULL})

static void none_matches_everything(void **state)
{
	ctr_event_t *ev EVENT = new_event(CTR_EVENT_START);
	struct ctr__event_filter *f = (void *)1;

	(void)state;
	assert_true(matches(ev, NULL));
	assert_true(matches(ev, (const char *const[]){NULL}));
	assert_int_equal(ctr__event_filter_parse(NULL, &f, NULL), 0);
	assert_null(f);
	ctr__event_filter_free(NULL);
}

static void by_container(void **state)
{
	ctr_event_t *ev EVENT = new_event(CTR_EVENT_START);

	(void)state;
	assert_true(MATCHES(ev, "container=" ID));
	assert_true(MATCHES(ev, "container=0"));
	assert_true(MATCHES(ev, "container=0123456789ab"));
	assert_false(MATCHES(ev, "container=123456789ab"));
	assert_false(MATCHES(ev, "container=" ID "0"));
	assert_true(MATCHES(ev, "container=quiet_otter"));
	assert_false(MATCHES(ev, "container=quiet"));
	assert_false(MATCHES(ev, "container=quiet_otters"));
	assert_true(MATCHES(ev, "container=other", "container=quiet_otter"));
}

static void by_event(void **state)
{
	ctr_event_t *died EVENT = new_event(CTR_EVENT_DIED),
	                  *start EVENT = new_event(CTR_EVENT_START);

	(void)state;
	assert_true(MATCHES(died, "event=died"));
	assert_true(MATCHES(died, "event=die"));
	assert_false(MATCHES(start, "event=die"));
	assert_true(MATCHES(start, "event=die", "event=start"));
}

static void by_label(void **state)
{
	ctr_event_t *ev EVENT = new_event(CTR_EVENT_START);

	(void)state;
	assert_true(MATCHES(ev, "label=app"));
	assert_false(MATCHES(ev, "label=ap"));
	assert_true(MATCHES(ev, "label=app=web"));
	assert_false(MATCHES(ev, "label=app=we"));
	assert_true(MATCHES(ev, "label=tier=a=b"));
	assert_true(MATCHES(ev, "label=empty="));
	assert_false(MATCHES(ev, "label=app="));
	assert_true(MATCHES(ev, "label=nothing", "label=app"));
}

static void different_keys_must_all_match(void **state)
{
	ctr_event_t *ev EVENT = new_event(CTR_EVENT_START);

	(void)state;
	assert_true(MATCHES(ev, "event=start", "container=0123", "label=app"));
	assert_false(MATCHES(ev, "event=stop", "container=0123", "label=app"));
	assert_false(MATCHES(ev, "event=start", "container=4444", "label=app"));
	assert_false(MATCHES(ev, "event=start", "container=0123", "label=nothing"));
}

static void by_pod(void **state)
{
	ctr_event_t *ev EVENT = new_event(CTR_EVENT_START),
	                *own EVENT = new_event(CTR_EVENT_CREATE);

	(void)state;
	assert_false(MATCHES(ev, "pod=feed"));
	ev->pod = "feedbeef";
	assert_true(MATCHES(ev, "pod=feed"));
	assert_false(MATCHES(ev, "pod=beef"));
	assert_false(MATCHES(ev, "pod=quiet_otter"));
	own->object = CTR_EVENT_OBJECT_POD;
	assert_true(MATCHES(own, "pod=quiet_otter"));
	assert_true(MATCHES(own, "pod=0123"));
	assert_false(MATCHES(own, "container=0123"));
	assert_true(MATCHES(ev, "pod=other", "pod=feedbeef"));
}

static void by_image(void **state)
{
	ctr_event_t *ev EVENT = new_event(CTR_EVENT_START);

	(void)state;
	assert_true(MATCHES(ev, "image=docker.io/library/busybox:latest"));
	assert_true(MATCHES(ev, "image=docker.io/library/busybox"));
	assert_false(MATCHES(ev, "image=docker.io/library/busy"));
	assert_false(MATCHES(ev, "image=busybox"));
	ev->image = "localhost:5000/a@sha256:12";
	assert_true(MATCHES(ev, "image=localhost:5000/a"));
	assert_false(MATCHES(ev, "image=localhost"));
}

static void by_type(void **state)
{
	ctr_event_t *ev EVENT = new_event(CTR_EVENT_START);

	(void)state;
	assert_true(MATCHES(ev, "type=container"));
	assert_false(MATCHES(ev, "type=pod"));
	assert_true(MATCHES(ev, "type=pod", "type=container"));
}

static void by_time(void **state)
{
	ctr_event_t *ev EVENT = new_event(CTR_EVENT_START);

	(void)state;
	assert_true(MATCHES(ev, "since=1m"));
	assert_false(MATCHES(ev, "until=-1m"));
	assert_true(MATCHES(ev, "until=1m", "since=1970-01-01"));
	ev->time_ns = 1700000000500000000;
	assert_true(MATCHES(ev, "since=1700000000.5", "until=1700000000.5"));
	assert_false(MATCHES(ev, "since=1700000000.500000001"));
	assert_false(MATCHES(ev, "until=1700000000"));
	assert_true(MATCHES(ev, "until=1700000001", "until=5"));
	assert_true(MATCHES(ev, "since=1800000000", "since=2023-11-14T22:13:20Z"));
	assert_false(MATCHES(ev, "since=1800000000"));
}

static int64_t moment(const char *text, bool forward)
{
	int64_t ns = -1;

	if (!ctr__moment_parse(text, INT64_C(1000000000000), forward, &ns))
		fail_msg("%s is refused", text);
	return ns;
}

static void moments(void **state)
{
	static const char *const bad[] = {"", "-", ".", "x", "1x", "1h-", "1hh", "--1s", "1 s", "s",
	    "99999999999999999999", "9999999999999h", "2023-13-01", "1.5.5", "1e3"};
	int64_t ns;

	(void)state;
	assert_true(moment("1h30m", false) == INT64_C(1000000000000) - 5400 * INT64_C(1000000000));
	assert_true(moment("1.5s", true) == INT64_C(1001500000000));
	assert_true(moment("-250ms", false) == INT64_C(1000250000000));
	assert_true(moment("1us2ns", true) == INT64_C(1000000001002));
	assert_true(moment("1\xc2\xb5s", true) == INT64_C(1000000001000));
	assert_true(moment("0.5h", true) == INT64_C(1000000000000) + 1800 * INT64_C(1000000000));
	assert_true(moment("12.25", false) == INT64_C(12250000000));
	assert_true(moment("-1.5", false) == -INT64_C(1500000000));
	assert_true(moment("2023-11-14T22:13:20", false) == INT64_C(1700000000000000000));
	assert_true(moment("2023-11-14T23:13:20+01:00", false) == INT64_C(1700000000000000000));
	assert_true(moment("2023-11-14T22:13", false) == INT64_C(1699999980000000000));
	assert_true(moment("2023-11-14", false) == INT64_C(1699920000000000000));
	for (size_t i = 0; i < CTR__ARRAY_SIZE(bad); i++) {
		if (ctr__moment_parse(bad[i], 0, false, &ns))
			fail_msg("\"%s\" is accepted", bad[i]);
	}
}

static void lost_always_matches(void **state)
{
	ctr_event_t *ev EVENT = NULL;

	(void)state;
	assert_int_equal(ctr__event_new(CTR_EVENT_LOST, NULL, &ev, NULL), 0);
	assert_true(MATCHES(ev, "event=start", "container=0123", "label=app"));
	assert_true(MATCHES(ev, "event=lost"));
}

static void expect_invalid(const char *filter, const char *words)
{
	const char *filters[] = {"event=start", filter, NULL};
	struct ctr__event_filter *f = (void *)1;
	ctr_error_t *err CTR__ERROR = NULL;

	assert_int_equal(ctr__event_filter_parse(filters, &f, &err), CTR_E_INVALID);
	assert_null(f);
	if (!strstr(ctr_error_message(err), words))
		fail_msg("\"%s\" does not say \"%s\"", ctr_error_message(err), words);
}

static void mistakes_are_named(void **state)
{
	(void)state;
	expect_invalid("event=explode", "\"explode\"");
	expect_invalid("event=unknown", "\"unknown\"");
	expect_invalid("volume=abc", "\"volume=abc\"");
	expect_invalid("type=image", "\"image\"");
	expect_invalid("since=yesterday", "\"since=yesterday\"");
	expect_invalid("until=1x", "no time");
	expect_invalid("pod=", "no value");
	expect_invalid("start", "key=value");
	expect_invalid("", "key=value");
	expect_invalid("container=", "no value");
	expect_invalid("event=", "no value");
	expect_invalid("label=", "no value");
	expect_invalid("label==x", "no key");
	expect_invalid("Event=start", "unknown key");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(none_matches_everything),
	    cmocka_unit_test(by_container),
	    cmocka_unit_test(by_event),
	    cmocka_unit_test(by_label),
	    cmocka_unit_test(by_pod),
	    cmocka_unit_test(by_image),
	    cmocka_unit_test(by_type),
	    cmocka_unit_test(by_time),
	    cmocka_unit_test(moments),
	    cmocka_unit_test(different_keys_must_all_match),
	    cmocka_unit_test(lost_always_matches),
	    cmocka_unit_test(mistakes_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
