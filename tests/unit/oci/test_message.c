/* SPDX-License-Identifier: Apache-2.0 */
/* What conmon and runtimes say, taken from real ones, and what nobody should ever say. */
#include "oci_test.h"

/* ---- sync packets ---- */

static bool parse(const char *text, struct ctr__oci_reply *r)
{
	return ctr__oci_parse_reply(text, strlen(text), r);
}

static void test_reply_of_success(void **state)
{
	struct ctr__oci_reply r;

	(void)state;
	assert_true(parse("{\"data\": 4711}\n", &r));
	assert_int_equal(r.pid, 4711);
	assert_null(r.message);
	assert_true(parse("{\"data\":2147483647}", &r));
	assert_int_equal(r.pid, 2147483647);
}

static void test_reply_of_failure(void **state)
{
	struct ctr__oci_reply r;

	(void)state;
	assert_true(parse("{\"data\": -1, \"message\": \"a \\\"b\\\"\\n\"}\n", &r));
	assert_int_equal(r.pid, -1);
	assert_string_equal(r.message, "a \"b\"\n");
	free(r.message);
	assert_true(parse("{\"data\": -7}", &r));
	assert_int_equal(r.pid, -1);
	assert_null(r.message);
	assert_true(parse("{\"data\": 0}", &r)); /* a PID file without a number */
	assert_int_equal(r.pid, -1);
}

static void test_reply_with_bytes_that_are_not_text(void **state)
{
	static const char text[] =
	    "{\"data\": -1, \"message\": \"x\xff\xc3(\xe2\x82\xacy\xf0\x9f\"}";
	struct ctr__oci_reply r;

	(void)state;
	assert_true(parse(text, &r));
	assert_string_equal(r.message, "x?"
	                               "?(\xe2\x82\xacy?"
	                               "?");
	free(r.message);
}

static void test_reply_refuses_everything_else(void **state)
{
	static const char *const bad[] = {"", "\n", "garbage", "{", "{}", "[]", "null", "42",
	    "{\"data\": \"1\"}", "{\"data\": 1.5}", "{\"data\": 2147483648}",
	    "{\"data\": -2147483649}", "{\"data\": 1} x", "{\"data\": 1}{\"data\": 2}",
	    "{\"data\": 1, \"data\": 2}", "{\"pid\": 1}", "{\"data\": -1, \"message\": 3}",
	    "{\"data\": 99999999999999999999}", "{\"data\": null}"};
	struct ctr__oci_reply r;

	(void)state;
	for (size_t i = 0; i < CTR__ARRAY_SIZE(bad); i++) {
		if (parse(bad[i], &r))
			fail_msg("accepted: %s", bad[i]);
		assert_null(r.message);
	}
	assert_false(ctr__oci_parse_reply("{\"data\": 1}\0", 12, &r));
}

/* ---- error texts ---- */

static void text_is(const char *input, const char *expected)
{
	CTR__FREE char *text = ctr__oci_error_text(input, strlen(input));

	assert_non_null(text);
	assert_string_equal(text, expected);
}

static void test_text_of_a_json_log(void **state)
{
	(void)state;
	text_is("{\"level\":\"error\",\"msg\":\"runc create failed: exec: \\\"/x\\\": "
	        "\\u003e\",\"time\":\"2024-01-01T00:00:00Z\"}\n",
	    "runc create failed: exec: \"/x\": >");
	text_is(
	    "{\"msg\":\"first\",\"level\":\"error\"}\n{\"msg\":\"warn\",\"level\":\"warning\"}\n"
	    "{\"msg\":\"second\",\"level\":\"error\"}\n{\"msg\":\"i\",\"level\":\"info\"}\n",
	    "second");
	text_is("{\"msg\":\"only a warning\",\"level\":\"warning\"}\n", "");
	text_is("{\"msg\":\"gone\",\"level\":\"fatal\"}", "gone");
}

static void test_text_of_logrus_lines(void **state)
{
	(void)state;
	text_is("time=\"2024-01-01T00:00:00Z\" level=warning msg=\"never mind\"\n"
	        "time=\"2024-01-01T00:00:00Z\" level=error msg=\"container \\\"a\\\" is\\tgone\"\n",
	    "container \"a\" is\tgone");
	text_is("time=x level=error msg=short more=1", "short");
	text_is("time=\"x\" level=error msg=\"unfinished \\", "unfinished \\");
	text_is("time=\"x\" level=error msg=\"\\x41\\", "\\x41\\");
	text_is("time=\"x\" level=error msg=\"", "");
}

static void test_text_that_is_plain(void **state)
{
	CTR__FREE char *none = ctr__oci_error_text(NULL, 0);

	(void)state;
	text_is("", "");
	text_is(" \n\n", "");
	text_is("\n error opening file `/x`: No such file\n second line\n\n",
	    "error opening file `/x`: No such file\n second line");
	text_is("{not json\n", "{not json");
	text_is("{\"a\":1}\n", "{\"a\":1}");
	text_is("bad \xff bytes", "bad ? bytes");
	/* an error line wins over plain noise */
	text_is("noise\n{\"msg\":\"real\",\"level\":\"error\"}\n", "real");
	assert_string_equal(none, "");
}

static void line_is(const char *input, const char *expected)
{
	CTR__FREE char *line = ctr__oci_one_line(input);

	assert_non_null(line);
	assert_string_equal(line, expected);
}

static void test_one_line(void **state)
{
	(void)state;
	line_is("", "");
	line_is("  a\n\tb\r\n\x01", "a b");
	line_is("runc create failed: unable to start container process: exec: \"x\": not found",
	    "exec: \"x\": not found");
	line_is("unable to start container process: y", "y");
	line_is("cannot parse: `parse error\n   (right here) ------^\n`",
	    "cannot parse: `parse error (right here) ------^ `");
}

/* ---- classes ---- */

static void test_classes(void **state)
{
	static const struct {
		const char *text;
		int code;
	} cases[] = {
	    {"exec: \"/x\": permission denied", CTR_E_OCI_PERMISSION},
	    {"open executable: Operation not permitted", CTR_E_OCI_PERMISSION},
	    {"exec: \"/etc\": is a directory", CTR_E_OCI_PERMISSION},
	    {"exec: \"/x\": stat /x: no such file or directory", CTR_E_OCI_NOT_FOUND},
	    {"exec: \"x\": executable file not found in $PATH", CTR_E_OCI_NOT_FOUND},
	    {"executable file `/x` not found in $PATH: No such file or directory",
	        CTR_E_OCI_NOT_FOUND},
	    {"executable file `/x` not found: No such file or directory", CTR_E_OCI_NOT_FOUND},
	    {"write `/proc/self/attr/exec`: Invalid argument", CTR_E_OCI_SECURITY},
	    {"read `/proc/thread-self/attr/apparmor/current`: x", CTR_E_OCI_SECURITY},
	    {"something else about /proc/self/status", CTR_E_OCI_RUNTIME},
	    {"/attr/exec comes before /proc/", CTR_E_OCI_RUNTIME},
	    {"not a directory", CTR_E_OCI_RUNTIME},
	    {"", CTR_E_OCI_RUNTIME},
	};

	(void)state;
	for (size_t i = 0; i < CTR__ARRAY_SIZE(cases); i++)
		if (ctr__oci_classify(cases[i].text) != cases[i].code)
			fail_msg("%s: %d", cases[i].text, ctr__oci_classify(cases[i].text));
}

static void test_unknown_containers(void **state)
{
	(void)state;
	assert_true(ctr__oci_says_unknown("container does not exist", "abc"));
	assert_true(ctr__oci_says_unknown(
	    "error opening file `/run/crun/abc/status`: No such file or directory", "abc"));
	/* the runtime itself does not start: that says nothing about the container */
	assert_false(ctr__oci_says_unknown(
	    "error while loading shared libraries: libyajl.so.2: No such file or directory",
	    "abc"));
	assert_false(ctr__oci_says_unknown("container abc is broken", "abc"));
}

/* ---- state ---- */

static void test_state_answers(void **state)
{
	static const struct {
		const char *text;
		int32_t status;
		int32_t pid;
	} cases[] = {
	    {"{\"id\":\"a\",\"pid\":12,\"status\":\"created\"}", CTR_OCI_CREATED, 12},
	    {"{\"id\":\"a\",\"pid\":12,\"status\":\"creating\"}", CTR_OCI_CREATED, 12},
	    {"{\"pid\":12,\"status\":\"running\",\"x\":[{}]}", CTR_OCI_RUNNING, 12},
	    {"{\"pid\":12,\"status\":\"paused\"}", CTR_OCI_PAUSED, 12},
	    {"{\"pid\":12,\"status\":\"pausing\"}", CTR_OCI_PAUSED, 12},
	    {"{\"pid\":0,\"status\":\"stopped\"}", CTR_OCI_STOPPED, 0},
	    {"{\"status\":\"stopped\"}", CTR_OCI_STOPPED, 0},
	    {"{\"pid\":99,\"status\":\"stopped\"}", CTR_OCI_STOPPED, 0},
	};
	struct ctr__oci_answer a;

	(void)state;
	for (size_t i = 0; i < CTR__ARRAY_SIZE(cases); i++) {
		assert_true(ctr__oci_parse_state(cases[i].text, strlen(cases[i].text), &a));
		assert_int_equal(a.status, cases[i].status);
		assert_int_equal(a.pid, cases[i].pid);
	}
}

static void test_state_refuses_everything_else(void **state)
{
	static const char *const bad[] = {"", "x", "{}", "[]", "{\"status\":\"dancing\",\"pid\":1}",
	    "{\"status\":\"running\"}", "{\"status\":\"running\",\"pid\":0}",
	    "{\"status\":\"running\",\"pid\":-5}", "{\"status\":\"running\",\"pid\":4294967297}",
	    "{\"status\":\"running\",\"pid\":\"1\"}", "{\"status\":1,\"pid\":1}",
	    "{\"status\":\"stopped\",\"pid\":\"x\"}"};
	struct ctr__oci_answer a;

	(void)state;
	for (size_t i = 0; i < CTR__ARRAY_SIZE(bad); i++)
		if (ctr__oci_parse_state(bad[i], strlen(bad[i]), &a))
			fail_msg("accepted: %s", bad[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_reply_of_success),
	    cmocka_unit_test(test_reply_of_failure),
	    cmocka_unit_test(test_reply_with_bytes_that_are_not_text),
	    cmocka_unit_test(test_reply_refuses_everything_else),
	    cmocka_unit_test(test_text_of_a_json_log),
	    cmocka_unit_test(test_text_of_logrus_lines),
	    cmocka_unit_test(test_text_that_is_plain),
	    cmocka_unit_test(test_one_line),
	    cmocka_unit_test(test_classes),
	    cmocka_unit_test(test_unknown_containers),
	    cmocka_unit_test(test_state_answers),
	    cmocka_unit_test(test_state_refuses_everything_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
