/* SPDX-License-Identifier: Apache-2.0 */
/* One line as Docker's json-file driver writes it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "log/source.h"
#include "util/cleanup.h"

#define LINE(text) \
	"{\"log\":\"" text "\",\"stream\":\"stdout\",\"time\":\"2024-02-29T18:29:59.5Z\"}"
#define TIME INT64_C(1709231399500000000)

static bool parse_n(const char *line, size_t len, struct ctr__log_piece *out, char **copy)
{
	*copy = malloc(len ? len : 1);
	assert_non_null(*copy);
	memcpy(*copy, line, len);
	*out = (struct ctr__log_piece){0};
	return ctr__log_parse_json(*copy, len, out);
}

static void good(const char *line, bool more, const char *text, size_t len)
{
	struct ctr__log_piece p;
	CTR__FREE char *copy = NULL;

	if (!parse_n(line, strlen(line), &p, &copy))
		fail_msg("refused: %s", line);
	assert_int_equal(p.more, more);
	assert_int_equal(p.len, len);
	assert_memory_equal(p.data, text, len);
	assert_true(p.time_ns == TIME);
}

static void bad(const char *line)
{
	struct ctr__log_piece p;
	CTR__FREE char *copy = NULL;

	if (parse_n(line, strlen(line), &p, &copy))
		fail_msg("taken: %s", line);
}

static void test_texts(void **state)
{
	(void)state;
	good(LINE("hello\\n"), false, "hello", 5);
	good(LINE("hello"), true, "hello", 5);
	good(LINE(""), true, "", 0);
	good(LINE("\\n"), false, "", 0);
	good(LINE("a\\\"b\\\\\\/\\b\\f\\r\\t\\n"), false, "a\"b\\/\b\f\r\t", 9);
	good(LINE("\\u0000\\u0041\\u00e9\\u20AC\\ud83d\\ude00\\n"), false,
	    "\0A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 11);
	/* Lone surrogates. */
	good(LINE("\\ud83d\\n"), false, "\xef\xbf\xbd", 3);
	good(LINE("\\ude00x\\n"), false, "\xef\xbf\xbdx", 4);
	good(LINE("\\ud83d\\u0041\\n"), false,
	    "\xef\xbf\xbd"
	    "A",
	    4);
	/* Bytes that are not UTF-8 stay as they are. */
	good(LINE("\xff\x80\\n"), false, "\xff\x80", 2);
}

static void test_members(void **state)
{
	struct ctr__log_piece p;
	CTR__FREE char *copy = NULL;
	const char *line =
	    " { \"attrs\" : {\"a\":[1,{\"x\":null}],\"log\":\"no\"} , \"n\": -1.5e3,"
	    "\"time\":\"2024-02-29T18:29:59.5Z\",\"stream\":\"stderr\",\"log\":\"x\\n\" } ";

	(void)state;
	assert_true(parse_n(line, strlen(line), &p, &copy));
	assert_int_equal(p.stream, 2);
	assert_int_equal(p.len, 1);
	assert_int_equal(p.data[0], 'x');
}

static void test_cuts(void **state)
{
	const char *line = LINE("a\\u00e9\\n");

	(void)state;
	for (size_t n = 0; n < strlen(line); n++) {
		struct ctr__log_piece p;
		CTR__FREE char *copy = NULL;

		assert_false(parse_n(line, n, &p, &copy));
	}
}

static void test_damaged(void **state)
{
	static const char *const lines[] = {"{}", "{\"log\":\"x\"}", "[]", "\"\"", LINE("x") "x",
	    LINE("\\x"), LINE("\\u12"), LINE("\\u12g4"),
	    "{\"log\":1,\"stream\":\"stdout\",\"time\":\"2024-02-29T18:29:59.5Z\"}",
	    "{\"log\":\"x\",\"log\":\"y\",\"stream\":\"stdout\",\"time\":\"2024-02-29T18:29:59."
	    "5Z\"}",
	    "{\"log\":\"x\",\"stream\":\"stdin \",\"time\":\"2024-02-29T18:29:59.5Z\"}",
	    "{\"log\":\"x\",\"stream\":\"stdout\",\"time\":\"now\"}",
	    "{\"log\":\"x\",\"stream\":\"stdout\",\"time\":\"2024-02-29T18:29:59.5Z\",}",
	    "{\"log\":\"x\" \"stream\":\"stdout\",\"time\":\"2024-02-29T18:29:59.5Z\"}",
	    "{\"a\":[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]],\"log\":\"x\",\"stream\":"
	    "\"stdout\","
	    "\"time\":\"2024-02-29T18:29:59.5Z\"}"};

	(void)state;
	for (size_t i = 0; i < CTR__ARRAY_SIZE(lines); i++)
		bad(lines[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_texts),
	    cmocka_unit_test(test_members),
	    cmocka_unit_test(test_cuts),
	    cmocka_unit_test(test_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
