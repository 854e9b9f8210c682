/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks and RFC 3339. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <stdio.h>
#include <time.h>

#include "util/clock.h"
#include "util/cleanup.h"

#define SEC INT64_C(1000000000)

/* Both ways. */
static void same(int64_t ns, const char *text)
{
	char out[CTR__RFC3339_MAX];
	int64_t back = 42;

	ctr__rfc3339_format(ns, out);
	assert_string_equal(out, text);
	assert_true(ctr__rfc3339_parse(text, &back));
	assert_true(back == ns);
}

static void parses_to(const char *text, int64_t ns)
{
	int64_t out = 42;

	if (!ctr__rfc3339_parse(text, &out))
		fail_msg("not parsed: %s", text);
	assert_true(out == ns);
}

static void writes_and_reads_times(void **state)
{
	(void)state;
	same(1, "1970-01-01T00:00:00.000000001Z");
	same(-1, "1969-12-31T23:59:59.999999999Z");
	same(SEC, "1970-01-01T00:00:01Z");
	same(-SEC, "1969-12-31T23:59:59Z");
	same(SEC / 2, "1970-01-01T00:00:00.5Z");
	same(1136214245 * SEC + 999999999, "2006-01-02T15:04:05.999999999Z");
	same(1136214245 * SEC + 120000000, "2006-01-02T15:04:05.12Z");
	same(951782400 * SEC, "2000-02-29T00:00:00Z");
	same(1709251199 * SEC, "2024-02-29T23:59:59Z");
	same(-2203977600 * SEC, "1900-02-28T00:00:00Z");
	same(-2203891200 * SEC, "1900-03-01T00:00:00Z");
}

static void knows_the_ends_of_the_range(void **state)
{
	int64_t ns = 42;

	(void)state;
	same(INT64_MAX, "2262-04-11T23:47:16.854775807Z");
	same(INT64_MIN, "1677-09-21T00:12:43.145224192Z");
	assert_false(ctr__rfc3339_parse("2262-04-11T23:47:16.854775808Z", &ns));
	assert_false(ctr__rfc3339_parse("1677-09-21T00:12:43.145224191Z", &ns));
	assert_false(ctr__rfc3339_parse("9999-12-31T23:59:59Z", &ns));
	assert_false(ctr__rfc3339_parse("0000-01-01T00:00:00Z", &ns));
	assert_false(ctr__rfc3339_parse("0001-01-01T00:00:00.1Z", &ns));
	assert_int_equal(ns, 42);
}

static void never_is_gos_zero_time(void **state)
{
	(void)state;
	same(0, "0001-01-01T00:00:00Z");
	parses_to("0001-01-01T02:00:00+02:00", 0);
	parses_to("1970-01-01T00:00:00Z", 0);
}

static void reads_offsets_and_fractions(void **state)
{
	(void)state;
	parses_to("1970-01-01T02:00:01+02:00", SEC);
	parses_to("1969-12-31T18:30:01-05:30", SEC);
	parses_to("1970-01-01T00:00:01+00:00", SEC);
	parses_to("1970-01-01T00:00:01-00:00", SEC);
	parses_to("1970-01-02T00:59:00+23:59", 3600 * SEC);
	parses_to("1970-01-01T00:00:00.25+00:00", SEC / 4);
	parses_to("1970-01-01T00:00:00.1234567899999999999999Z", 123456789);
	parses_to("1970-01-01T00:00:01.000000000Z", SEC);
	parses_to("1969-12-31T23:59:59.5Z", -SEC / 2);
}

static void refuses_anything_else(void **state)
{
	static const char *const bad[] = {"", "2006", "2006-01-02", "2006-01-02T15:04:05",
	    "2006-01-02 15:04:05Z", "2006-01-02T15:04Z", "2006-01-02T15:04:05z",
	    "2006-01-02t15:04:05Z", "2006-13-02T15:04:05Z", "2006-00-02T15:04:05Z",
	    "2006-02-29T15:04:05Z", "1900-02-29T15:04:05Z", "2006-04-31T15:04:05Z",
	    "2006-01-00T15:04:05Z", "2006-01-02T24:00:00Z", "2006-01-02T15:60:05Z",
	    "2006-01-02T15:04:60Z", "2006-01-02T15:04:05.Z", "2006-01-02T15:04:05,5Z",
	    "2006-01-02T15:04:05ZZ", "2006-01-02T15:04:05Z ", " 2006-01-02T15:04:05Z",
	    "2006-01-02T15:04:05+24:00", "2006-01-02T15:04:05+0200", "2006-01-02T15:04:05+02:60",
	    "2006-01-02T15:04:05+2:00", "2006-01-02T15:04:05*02:00", "-006-01-02T15:04:05Z",
	    "2006-1-02T15:04:05Z", "12006-01-02T15:04:05Z", "2006-01-02T15:04:+5Z"};
	int64_t ns = 42;

	(void)state;
	for (size_t i = 0; i < CTR__ARRAY_SIZE(bad); i++) {
		if (ctr__rfc3339_parse(bad[i], &ns))
			fail_msg("accepted: %s", bad[i]);
	}
	assert_false(ctr__rfc3339_parse(NULL, &ns));
	assert_int_equal(ns, 42);
}

static int64_t random64(void)
{
	return (int64_t)((uint64_t)random() << 62 ^ (uint64_t)random() << 31 ^ (uint64_t)random());
}

static void agrees_with_libc(void **state)
{
	(void)state;
	srandom(1);
	for (int i = 0; i < 20000; i++) {
		int64_t ns = random64(), back;
		time_t seconds = (time_t)(ns / SEC - (ns % SEC < 0));
		char ours[CTR__RFC3339_MAX], theirs[32];
		struct tm tm;

		ctr__rfc3339_format(ns, ours);
		assert_true(ctr__rfc3339_parse(ours, &back));
		assert_true(back == ns);
		assert_non_null(gmtime_r(&seconds, &tm));
		assert_int_equal(strftime(theirs, sizeof(theirs), "%Y-%m-%dT%H:%M:%S", &tm), 19);
		assert_memory_equal(ours, theirs, 19);
	}
}

static void every_day_follows_the_day_before(void **state)
{
	int64_t expected = INT64_C(-9131) * 86400 * SEC; /* 1945-01-01 */

	(void)state;
	for (int year = 1945; year <= 2105; year++) {
		for (int day = 1; day <= 31 * 12; day++) {
			char text[64];
			int64_t ns;

			(void)snprintf(text, sizeof(text), "%04d-%02d-%02dT00:00:00Z", year,
			    (day - 1) / 31 + 1, (day - 1) % 31 + 1);
			if (!ctr__rfc3339_parse(text, &ns))
				continue; /* e.g. the 30th of February */
			assert_true(ns == expected);
			expected += 86400 * SEC;
		}
	}
	parses_to("2106-01-01T00:00:00Z", expected);
}

static void clocks_run(void **state)
{
	int64_t a = ctr__monotonic_ns(), b = ctr__monotonic_ns();
	int64_t now = ctr__now_ns();

	(void)state;
	assert_true(a > 0 && b >= a);
	assert_true(now / SEC - time(NULL) <= 1 && time(NULL) - now / SEC <= 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(writes_and_reads_times),
	    cmocka_unit_test(knows_the_ends_of_the_range),
	    cmocka_unit_test(never_is_gos_zero_time),
	    cmocka_unit_test(reads_offsets_and_fractions),
	    cmocka_unit_test(refuses_anything_else),
	    cmocka_unit_test(agrees_with_libc),
	    cmocka_unit_test(every_day_follows_the_day_before),
	    cmocka_unit_test(clocks_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
