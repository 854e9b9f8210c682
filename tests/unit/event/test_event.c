/* SPDX-License-Identifier: Apache-2.0 */
/* The event object, its accessors, its JSON. */
#include "fixture.h"

#include "util/clock.h"

static void takes_over_the_configuration(void **state)
{
	struct ctr_config cfg;
	ctr_event_t *ev EVENT = NULL;
	const char *key, *value;
	int64_t before = ctr__now_ns();
	char id[] = ID;

	(void)state;
	fill_config(&cfg);
	cfg.id = id;
	assert_int_equal(ctr__event_new(CTR_EVENT_START, &cfg, &ev, NULL), 0);
	id[0] = 'x'; /* copied */
	assert_int_equal(ctr_event_type(ev), CTR_EVENT_START);
	assert_true(ctr_event_time_ns(ev) >= before);
	assert_true(ctr_event_time_ns(ev) <= ctr__now_ns());
	assert_string_equal(ctr_event_container_id(ev), ID);
	assert_string_equal(ctr_event_container_name(ev), "quiet_otter");
	assert_string_equal(ctr_event_image(ev), "docker.io/library/busybox:latest");
	assert_int_equal(ctr_event_label_at(ev, 2, &key, &value), 1);
	assert_string_equal(key, "tier");
	assert_string_equal(value, "a=b");
	assert_int_equal(ctr_event_label_at(ev, 3, &key, &value), 0);
	assert_int_equal(ctr_event_label_at(ev, SIZE_MAX, NULL, NULL), 0);
	assert_int_equal(ctr_event_label_at(ev, 0, NULL, NULL), 1);
}

static void image_may_be_a_directory(void **state)
{
	struct ctr_config cfg;
	ctr_event_t *ev EVENT = NULL;

	(void)state;
	fill_config(&cfg);
	cfg.rootfs_image_name = NULL;
	assert_int_equal(ctr__event_new(CTR_EVENT_CREATE, &cfg, &ev, NULL), 0);
	assert_string_equal(ctr_event_image(ev), "/srv/busybox");
}

static void without_a_configuration(void **state)
{
	ctr_event_t *ev EVENT = NULL;
	int32_t code = 99;

	(void)state;
	assert_int_equal(ctr__event_new(CTR_EVENT_LOST, NULL, &ev, NULL), 0);
	assert_string_equal(ctr_event_container_id(ev), "");
	assert_string_equal(ctr_event_container_name(ev), "");
	assert_string_equal(ctr_event_image(ev), "");
	assert_int_equal(ctr_event_label_at(ev, 0, NULL, NULL), 0);
	assert_int_equal(ctr_event_exit_code(ev, &code), 0);
	assert_int_equal(code, 99);
	assert_int_equal(ctr_event_oom_killed(ev), 0);
	assert_int_equal(ctr_event_signal(ev), 0);
	assert_int_equal(ctr_event_count(ev), 0);
}

static void strings_become_utf8(void **state)
{
	struct ctr_config cfg;
	ctr_event_t *ev EVENT = NULL;

	(void)state;
	fill_config(&cfg);
	cfg.rootfs_image_name = "";
	cfg.rootfs = "/srv/\xff\xc3\xa4\xc3/\xe2\x82\xac\xf0\x9f\x98\x80\xe2\x82";
	assert_int_equal(ctr__event_new(CTR_EVENT_CREATE, &cfg, &ev, NULL), 0);
	assert_string_equal(ctr_event_image(ev), "/srv/?\xc3\xa4?/\xe2\x82\xac\xf0\x9f\x98\x80??");
}

static void values_of_an_end(void **state)
{
	ctr_event_t *ev EVENT = new_event(CTR_EVENT_DIED);
	int32_t code = 99;

	(void)state;
	ev->has_exit_code = true;
	ev->oom_killed = true;
	ev->exit_code = 137;
	assert_int_equal(ctr_event_exit_code(ev, &code), 1);
	assert_int_equal(code, 137);
	assert_int_equal(ctr_event_exit_code(ev, NULL), 1);
	assert_int_equal(ctr_event_oom_killed(ev), 1);
}

static void counting(void **state)
{
	ctr_event_t *ev = new_event(CTR_EVENT_INIT);

	(void)state;
	assert_ptr_equal(ctr_event_ref(ev), ev);
	assert_null(ctr_event_unref(ev));
	assert_int_equal(ctr_event_type(ev), CTR_EVENT_INIT);
	ctr_event_unrefp(&ev);
	assert_null(ev);
	ctr_event_unrefp(&ev);
	ctr_event_unrefp(NULL);
	assert_null(ctr_event_ref(NULL));
	assert_null(ctr_event_unref(NULL));
}

static void null_is_empty(void **state)
{
	ctr_error_t *err CTR__ERROR = NULL;
	char *json = NULL;

	(void)state;
	assert_int_equal(ctr_event_type(NULL), CTR_EVENT_UNKNOWN);
	assert_int_equal(ctr_event_time_ns(NULL), 0);
	assert_string_equal(ctr_event_container_id(NULL), "");
	assert_int_equal(ctr_event_exit_code(NULL, NULL), 0);
	assert_int_equal(ctr_event_label_at(NULL, 0, NULL, NULL), 0);
	assert_int_equal(ctr_event_to_json(NULL, &json, NULL, &err), CTR_E_INVALID);
	assert_null(json);
}

static void names_and_words(void **state)
{
	(void)state;
	assert_string_equal(ctr_event_name(CTR_EVENT_CREATE), "create");
	assert_string_equal(ctr_event_name(CTR_EVENT_DIED), "died");
	assert_string_equal(ctr_event_name(CTR_EVENT_UNMOUNT), "unmount");
	assert_string_equal(ctr_event_name(CTR_EVENT_LOST), "lost");
	assert_string_equal(ctr_event_name(0), "unknown");
	assert_string_equal(ctr_event_name(99), "unknown");
	assert_string_equal(ctr_event_name(-1), "unknown");
	for (int32_t type = CTR_EVENT_CREATE; type <= CTR_EVENT_PRUNE; type++)
		assert_int_equal(ctr__event_type_of(ctr_event_name(type)), type);
	assert_int_equal(ctr__event_type_of("die"), CTR_EVENT_DIED);
	assert_int_equal(ctr__event_type_of("unknown"), CTR_EVENT_UNKNOWN);
	assert_int_equal(ctr__event_type_of(""), CTR_EVENT_UNKNOWN);
}

static void expect_json(const ctr_event_t *ev, const char *expected)
{
	char *json CTR__FREE = NULL;
	size_t len = 0;

	assert_int_equal(ctr_event_to_json(ev, &json, &len, NULL), 0);
	assert_string_equal(json, expected);
	assert_int_equal(len, strlen(expected));
}

static void json_of_an_end(void **state)
{
	ctr_event_t *ev EVENT = new_event(CTR_EVENT_DIED);

	(void)state;
	ev->time_ns = 1700000000123456000;
	ev->has_exit_code = true;
	ev->exit_code = 137;
	ev->oom_killed = true;
	expect_json(ev,
	    "{\"ContainerExitCode\":137,\"OOMKilled\":true,\"ID\":\"" ID
	    "\",\"Image\":\"docker.io/library/busybox:latest\",\"Name\":\"quiet_otter\","
	    "\"Status\":\"died\",\"Time\":\"2023-11-14T22:13:20.123456Z\",\"Type\":\"container\","
	    "\"Attributes\":{\"app\":\"web\",\"empty\":\"\",\"tier\":\"a=b\"}}");
}

static void json_of_a_signal(void **state)
{
	ctr_event_t *ev EVENT = NULL;

	(void)state;
	assert_int_equal(ctr__event_new(CTR_EVENT_KILL, NULL, &ev, NULL), 0);
	ev->time_ns = 1700000000000000000;
	ev->signal = 15;
	ev->name = "quo\"te";
	expect_json(ev,
	    "{\"Name\":\"quo\\\"te\",\"Status\":\"kill\",\"Time\":\"2023-11-14T22:13:20Z\","
	    "\"Type\":\"container\",\"Attributes\":{\"signal\":\"15\"}}");
}

static void json_of_lost_ones(void **state)
{
	ctr_event_t *ev EVENT = NULL;

	(void)state;
	assert_int_equal(ctr__event_new(CTR_EVENT_LOST, NULL, &ev, NULL), 0);
	ev->time_ns = 1700000000000000000;
	ev->count = UINT64_MAX;
	expect_json(ev,
	    "{\"Status\":\"lost\",\"Time\":\"2023-11-14T22:13:20Z\",\"Type\":\"system\","
	    "\"Attributes\":{\"count\":\"18446744073709551615\"}}");
}

static void json_of_exit_code_zero(void **state)
{
	ctr_event_t *ev EVENT = NULL;

	(void)state;
	assert_int_equal(ctr__event_new(CTR_EVENT_REMOVE, NULL, &ev, NULL), 0);
	ev->time_ns = 1700000000000000000;
	ev->has_exit_code = true;
	expect_json(ev, "{\"ContainerExitCode\":0,\"Status\":\"remove\","
	                "\"Time\":\"2023-11-14T22:13:20Z\",\"Type\":\"container\"}");
}

static void json_of_health(void **state)
{
	ctr_event_t *ev EVENT = new_event(CTR_EVENT_HEALTH_STATUS);

	(void)state;
	ev->time_ns = 1700000000000000000;
	ev->health_status = "unhealthy";
	ev->health_log = "no\nanswer";
	ev->health_streak = 3;
	ev->error = "e";
	ev->pod = "p0d";
	ev->labels.n = 1;
	expect_json(ev, "{\"ID\":\"" ID "\",\"Image\":\"docker.io/library/busybox:latest\","
	                "\"Name\":\"quiet_otter\",\"Status\":\"health_status\","
	                "\"Time\":\"2023-11-14T22:13:20Z\",\"Type\":\"container\","
	                "\"health_status\":\"unhealthy\",\"health_log\":\"no\\nanswer\","
	                "\"health_failing_streak\":3,\"error\":\"e\",\"PodID\":\"p0d\","
	                "\"Attributes\":{\"app\":\"web\"}}");
	assert_string_equal(ctr_event_pod_id(ev), "p0d");
	assert_string_equal(ctr_event_health_status(ev), "unhealthy");
	assert_string_equal(ctr_event_health_log(ev), "no\nanswer");
	assert_int_equal(ctr_event_health_streak(ev), 3);
	assert_string_equal(ctr_event_error_text(ev), "e");
}

static void a_label_is_not_hidden(void **state)
{
	static const struct ctr__cfg_pair label = {"signal", "mine"};
	ctr_event_t *ev EVENT = NULL;

	(void)state;
	assert_int_equal(ctr__event_new(CTR_EVENT_KILL, NULL, &ev, NULL), 0);
	ev->time_ns = 1700000000000000000;
	ev->signal = 9;
	ev->labels = (struct ctr__cfg_map){&label, 1};
	expect_json(ev,
	    "{\"Status\":\"kill\",\"Time\":\"2023-11-14T22:13:20Z\",\"Type\":\"container\","
	    "\"Attributes\":{\"signal\":\"mine\"}}");
}

static void objects(void **state)
{
	ctr_event_t *ev EVENT = new_event(CTR_EVENT_START), *lost EVENT = NULL;

	(void)state;
	assert_int_equal(ctr_event_object(ev), CTR_EVENT_OBJECT_CONTAINER);
	ev->object = CTR_EVENT_OBJECT_POD;
	assert_int_equal(ctr_event_object(ev), CTR_EVENT_OBJECT_POD);
	assert_string_equal(ctr_event_pod_id(ev), ID);
	assert_int_equal(ctr__event_new(CTR_EVENT_LOST, NULL, &lost, NULL), 0);
	assert_int_equal(ctr_event_object(lost), CTR_EVENT_OBJECT_SYSTEM);
	assert_string_equal(ctr_event_object_name(CTR_EVENT_OBJECT_POD), "pod");
	assert_string_equal(ctr_event_object_name(3), "unknown");
	assert_string_equal(ctr_event_object_name(-1), "unknown");
	assert_int_equal(ctr_event_object(NULL), CTR_EVENT_OBJECT_CONTAINER);
	assert_string_equal(ctr_event_pod_id(NULL), "");
	assert_string_equal(ctr_event_health_status(NULL), "");
	assert_string_equal(ctr_event_health_log(NULL), "");
	assert_int_equal(ctr_event_health_streak(NULL), 0);
	assert_string_equal(ctr_event_error_text(NULL), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(takes_over_the_configuration),
	    cmocka_unit_test(image_may_be_a_directory),
	    cmocka_unit_test(without_a_configuration),
	    cmocka_unit_test(strings_become_utf8),
	    cmocka_unit_test(values_of_an_end),
	    cmocka_unit_test(counting),
	    cmocka_unit_test(null_is_empty),
	    cmocka_unit_test(names_and_words),
	    cmocka_unit_test(json_of_an_end),
	    cmocka_unit_test(json_of_a_signal),
	    cmocka_unit_test(json_of_lost_ones),
	    cmocka_unit_test(json_of_health),
	    cmocka_unit_test(a_label_is_not_hidden),
	    cmocka_unit_test(objects),
	    cmocka_unit_test(json_of_exit_code_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
