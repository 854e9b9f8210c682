/* SPDX-License-Identifier: Apache-2.0 */
/* Writing: which members appear, in which order. */
#include "config_test.h"

static void test_least(void **state)
{
	static const char want[] =
	    "{\"spec\":" SPEC ",\"id\":\"\",\"name\":\"\"," ROOTFS ",\"imageVolumes\":false,"
	    "\"shmSize\":65536000,\"staticDir\":\"\",\"privileged\":false,\"Dependencies\":[],"
	    "\"createNetNS\":false,\"postConfigureNetNS\":false,\"userVolumes\":[],"
	    "\"stopSignal\":15,\"stopTimeout\":10,\"createdTime\":\"0001-01-01T00:00:00Z\","
	    "\"cgroupParent\":\"\",\"logPath\":\"\",\"logDriver\":\"k8s-file\"}";

	(void)state;
	CTR__CONFIG ctr_config_t *cfg = parse_ok(SMALLEST);
	CTR__FREE char *text = write_text(cfg);

	assert_string_equal(text, want);
	CTR__CONFIG ctr_config_t *again = parse_ok(text);

	assert_same_config(cfg, again);
}

static void test_order(void **state)
{
	(void)state;
	CTR__CONFIG ctr_config_t *cfg =
	    parse_ok("{\"own\":1,\"NoShm\":true,\"name\":\"n\",\"other\":2," ROOTFS
	             ",\"id\":\"i\",\"spec\":" SPEC "}");
	CTR__FREE char *text = write_text(cfg);
	static const char *const order[] = {
	    "\"spec\"", "\"id\"", "\"name\"", "\"rootfs\"", "\"NoShm\"", "\"own\"", "\"other\""};
	const char *at = text;

	for (size_t i = 0; i < CTR__ARRAY_SIZE(order); i++) {
		at = strstr(at, order[i]);
		if (!at)
			fail_msg("%s is not in its place: %s", order[i], text);
	}
}

static void test_escapes(void **state)
{
	(void)state;
	CTR__CONFIG ctr_config_t *cfg =
	    parse_ok(WITH("\"labels\":{\"a\\\"b\":\"\\\\ \\u0001 \\u2028 \\ud83d\\ude00 / \\n\"},"
	                  "\"un\\\"known\":\"\\t\""));
	CTR__FREE char *text = write_text(cfg);
	CTR__CONFIG ctr_config_t *again = parse_ok(text);

	assert_string_equal(cfg->labels.v[0].value, "\\ \x01 \xe2\x80\xa8 \xf0\x9f\x98\x80 / \n");
	assert_same_config(cfg, again);
}

/* Given lists and maps are written even when they are empty. */
static void test_given_and_empty(void **state)
{
	(void)state;
	CTR__CONFIG ctr_config_t *cfg = parse_ok(WITH("\"labels\":{},\"command\":[]"));
	CTR__FREE char *text = write_text(cfg);

	assert_non_null(strstr(text, "\"labels\":{}"));
	assert_non_null(strstr(text, "\"command\":[]"));
	CTR__CONFIG ctr_config_t *plain = parse_ok(SMALLEST);
	CTR__FREE char *plain_text = write_text(plain);

	assert_null(strstr(plain_text, "labels"));
	assert_null(strstr(plain_text, "command"));
}

static void test_appends(void **state)
{
	(void)state;
	CTR__BUF struct ctr__buf text = {0};
	CTR__CONFIG ctr_config_t *cfg = parse_ok(SMALLEST);

	ctr__buf_adds(&text, "before");
	ctr__config_write(cfg, &text);
	assert_memory_equal(text.data, "before{\"spec\"", 13);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_least),
	    cmocka_unit_test(test_order),
	    cmocka_unit_test(test_escapes),
	    cmocka_unit_test(test_given_and_empty),
	    cmocka_unit_test(test_appends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
