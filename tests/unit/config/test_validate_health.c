/* SPDX-License-Identifier: Apache-2.0 */
/* Health checks in a configuration: what they mean, and what is refused. */
#include "config/health.h"
#include "config_test.h"

#define CHECK(members)   WITH("\"healthcheck\":{" members "}")
#define SECOND           INT64_C(1000000000)
#define EACH(word, list) for (char *const *word = (list); *word; word++)

static void expect(const char *json, bool startup, const char *words, int64_t numbers[5])
{
	CTR__CONFIG ctr_config_t *cfg = parse_ok(json);
	CTR__HEALTH_CHECK struct ctr__health_check h = {0};
	CTR__BUF struct ctr__buf text = {0};

	assert_int_equal(ctr__health_check_of(cfg, startup, &h, NULL), 0);
	ctr__buf_adds(&text, "");
	if (h.argv)
		EACH(word, h.argv) ctr__buf_addf(&text, "[%s]", *word);
	assert_string_equal(text.data, words);
	if (!startup)
		assert_int_equal(cfg->has_health_check, *words != 0);
	if (!numbers)
		return;
	assert_true(h.interval_ns == numbers[0]);
	assert_true(h.timeout_ns == numbers[1]);
	assert_true(h.start_period_ns == numbers[2]);
	assert_true(h.retries == numbers[3]);
	assert_true(h.successes == numbers[4]);
}

static void test_commands(void **state)
{
	(void)state;
	expect(CHECK("\"Test\":[\"CMD\",\"a\",\"b c\"]"), false, "[a][b c]", NULL);
	expect(
	    CHECK("\"Test\":[\"CMD-SHELL\",\"a b\",\"c\"]"), false, "[/bin/sh][-c][a b c]", NULL);
	expect(CHECK("\"Test\":[\"a\",\"CMD\"]"), false, "[a][CMD]", NULL);
	expect(CHECK("\"Test\":[\"NONE\",\"a\"]"), false, "", NULL);
	expect(CHECK("\"Test\":[]"), false, "", NULL);
	expect(CHECK("\"Test\":[\"CMD\"]"), false, "", NULL);
	expect(CHECK("\"Test\":[\"CMD-SHELL\"]"), false, "", NULL);
	expect(CHECK("\"Test\":[\"\"]"), false, "", NULL);
	expect(CHECK("\"Test\":null"), false, "", NULL);
	expect(CHECK("\"Interval\":0"), false, "", NULL);
	expect(SMALLEST, false, "", NULL);
}

/* Hundreds of thousands of words: what takes the square of that would take minutes. */
static void test_many_words(void **state)
{
	CTR__HEALTH_CHECK struct ctr__health_check h = {0};
	CTR__BUF struct ctr__buf json = {0};
	size_t n = 0;

	(void)state;
	ctr__buf_adds(&json, "{\"spec\":" SPEC "," ROOTFS ",\"healthcheck\":{\"Test\":[\"CMD\"");
	for (int i = 0; i < 500000; i++)
		ctr__buf_adds(&json, ",\"a\"");
	ctr__buf_adds(&json, "]}}");
	CTR__CONFIG ctr_config_t *cfg = parse_ok(json.data);
	assert_int_equal(ctr__health_check_of(cfg, false, &h, NULL), 0);
	EACH(word, h.argv)
	{
		assert_string_equal(*word, "a");
		n++;
	}
	assert_int_equal(n, 500000);
}

static void test_numbers(void **state)
{
	(void)state;
	expect(CHECK("\"Test\":[\"a\"]"), false, "[a]",
	    (int64_t[]){30 * SECOND, 30 * SECOND, 0, 3, 1});
	expect(CHECK("\"Test\":[\"a\"],\"Interval\":0,\"Timeout\":1000000,\"StartPeriod\":5000000,"
	             "\"Retries\":7,\"Unknown\":[]"),
	    false, "[a]", (int64_t[]){0, 1000000, 5000000, 7, 1});
	expect(CHECK("\"Test\":[\"a\"],\"Timeout\":0,\"Retries\":0"), false, "[a]",
	    (int64_t[]){30 * SECOND, 30 * SECOND, 0, 3, 1});
	expect(WITH("\"healthcheck\":{\"Test\":[\"a\"]},"
	            "\"startupHealthCheck\":{\"Test\":[\"b\"],\"Successes\":4}"),
	    true, "[b]", (int64_t[]){30 * SECOND, 30 * SECOND, 0, 0, 4});
}

static void refused(const char *json, const char *field, const char *words)
{
	parse_fails(json, CTR_E_INVALID, field, words);
}

static void test_mistakes(void **state)
{
	(void)state;
	refused(WITH("\"healthcheck\":[]"), "healthcheck", "an object");
	refused(CHECK("\"Test\":\"x\""), "healthcheck", "list of strings");
	refused(CHECK("\"Test\":[\"CMD\",1]"), "healthcheck", "number");
	refused(CHECK("\"Interval\":-1"), "healthcheck", "Interval");
	refused(CHECK("\"Interval\":999999"), "healthcheck", "999999");
	refused(CHECK("\"Timeout\":1.5"), "healthcheck", "whole number");
	refused(CHECK("\"Timeout\":\"30s\""), "healthcheck", "Timeout");
	refused(CHECK("\"StartPeriod\":9223372036854775807"), "healthcheck", "StartPeriod");
	refused(CHECK("\"Retries\":-3"), "healthcheck", "Retries");
	refused(CHECK("\"Retries\":2147483648"), "healthcheck", "Retries");
	refused(WITH("\"startupHealthCheck\":{\"Test\":[\"a\"]}"), "startupHealthCheck",
	    "needs a health check");
	refused(
	    WITH("\"healthcheck\":{\"Test\":[\"a\"]},\"startupHealthCheck\":{\"Successes\":-1}"),
	    "startupHealthCheck", "Successes");
}

static void test_actions_and_log(void **state)
{
	static const char *const good[] = {"0", "2", "3", "4"};

	(void)state;
	for (size_t i = 0; i < CTR__ARRAY_SIZE(good); i++) {
		CTR__FREE char *json =
		    ctr__format("{\"spec\":%s,%s,\"healthcheck\":{\"Test\":[\"a\"]},"
		                "\"healthcheck_on_failure_action\":%s}",
		        SPEC, ROOTFS, good[i]);
		ctr_config_unref(parse_ok(json));
	}
	refused(WITH("\"healthcheck\":{\"Test\":[\"a\"]},\"healthcheck_on_failure_action\":1"),
	    "healthcheck_on_failure_action", "not 1");
	refused(WITH("\"healthcheck\":{\"Test\":[\"a\"]},\"healthcheck_on_failure_action\":5"),
	    "healthcheck_on_failure_action", "not 5");
	refused(WITH("\"healthcheck\":{\"Test\":[\"NONE\"]},\"healthcheck_on_failure_action\":2"),
	    "healthcheck_on_failure_action", "needs a health check");
	ctr_config_unref(
	    parse_ok(WITH("\"healthLogDestination\":\"local\",\"healthMaxLogCount\":0")));
	ctr_config_unref(parse_ok(WITH("\"healthLogDestination\":\"/var/log\"")));
	refused(WITH("\"healthLogDestination\":\"events_logger\""), "healthLogDestination",
	    "events_logger");
	refused(WITH("\"healthMaxLogCount\":-1"), "healthMaxLogCount", "-1");
	refused(WITH("\"healthMaxLogSize\":-1"), "healthMaxLogSize", "-1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_commands),
	    cmocka_unit_test(test_many_words),
	    cmocka_unit_test(test_numbers),
	    cmocka_unit_test(test_mistakes),
	    cmocka_unit_test(test_actions_and_log),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
