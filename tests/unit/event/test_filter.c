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
	expect_invalid("pod=abc", "\"pod=abc\"");
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
	    cmocka_unit_test(different_keys_must_all_match),
	    cmocka_unit_test(lost_always_matches),
	    cmocka_unit_test(mistakes_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
