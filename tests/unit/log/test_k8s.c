/* SPDX-License-Identifier: Apache-2.0 */
/* One line as conmon writes it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "log/source.h"
#include "util/cleanup.h"

#define HEAD "2024-02-29T23:59:59.123456789+05:30 stdout F "
#define TIME INT64_C(1709231399123456789) /* 18:29:59 UTC */

static struct ctr__log_clock clock_;

/* In memory of exactly this size, so that a sanitizer sees a byte too many. */
static bool parse_n(const char *line, size_t len, struct ctr__log_piece *out, char **copy)
{
	*copy = malloc(len ? len : 1);
	assert_non_null(*copy);
	memcpy(*copy, line, len);
	*out = (struct ctr__log_piece){0};
	return ctr__log_parse_k8s(&clock_, *copy, len, out);
}

static void good(
    const char *line, size_t len, int32_t stream, bool more, const char *text, size_t text_len)
{
	struct ctr__log_piece p;
	CTR__FREE char *copy = NULL;

	assert_true(parse_n(line, len, &p, &copy));
	assert_int_equal(p.stream, stream);
	assert_int_equal(p.more, more);
	assert_int_equal(p.len, text_len);
	assert_memory_equal(p.data, text, text_len);
}

static void bad(const char *line)
{
	struct ctr__log_piece p;
	CTR__FREE char *copy = NULL;

	if (parse_n(line, strlen(line), &p, &copy))
		fail_msg("taken: %s", line);
}

static void test_times(void **state)
{
	static const struct {
		const char *text;
		int64_t ns;
	} rows[] = {
	    {"2024-02-29T23:59:59.123456789+05:30", TIME},
	    {"2024-02-29T18:29:59.123456789Z", TIME},
	    {"2024-02-29T10:29:59.123456789-08:00", TIME},
	    {"1970-01-01T00:00:00.000000001+00:00", 1},
	};

	(void)state;
	for (size_t i = 0; i < CTR__ARRAY_SIZE(rows); i++) {
		CTR__FREE char *line = ctr__format("%s stderr P x", rows[i].text);
		CTR__FREE char *copy = NULL;
		struct ctr__log_piece p;

		/* Twice: the second time from memory. */
		for (int k = 0; k < 2; k++) {
			assert_true(parse_n(line, strlen(line), &p, &copy));
			assert_true(p.time_ns == rows[i].ns);
			free(CTR__STEAL_PTR(copy));
		}
	}
}

static void test_texts(void **state)
{
	(void)state;
	good(HEAD "hello", strlen(HEAD) + 5, 1, false, "hello", 5);
	good(HEAD, strlen(HEAD), 1, false, "", 0);
	/* Only the first three blanks count, and any byte may follow. */
	good(HEAD " a  b \0\r\xff ", strlen(HEAD) + 10, 1, false, " a  b \0\r\xff ", 10);
	good("2024-02-29T23:59:59Z stderr P part", 34, 2, true, "part", 4);
	good("2024-02-29T23:59:59Z stderr F:x y", 33, 2, false, "y", 1);
}

/* Every beginning of a line but those that are lines. */
static void test_cuts(void **state)
{
	const char *line = HEAD "hello";

	(void)state;
	for (size_t n = 0; n <= strlen(line); n++) {
		struct ctr__log_piece p;
		CTR__FREE char *copy = NULL;

		assert_int_equal(parse_n(line, n, &p, &copy), n >= strlen(HEAD));
	}
}

static void test_damaged(void **state)
{
	static const char *const lines[] = {"", " ", "   ", "x stdout F y",
	    "2024-02-30T00:00:00Z stdout F x", "2024-02-29T23:59:59.1+05:30 stdin F x",
	    "2024-02-29T23:59:59.1+05:30 stdout X x", "2024-02-29T23:59:59.1+05:30 stdout FF x",
	    "2024-02-29T23:59:59.1+05:30 stdout  x", "2024-02-29T23:59:59.1+05:30  F x",
	    "2024-02-29T23:59:59.1 stdout F x",
	    "2024-02-29T23:59:59.12345678901234567890123456789Z stdout F x"};

	(void)state;
	for (size_t i = 0; i < CTR__ARRAY_SIZE(lines); i++)
		bad(lines[i]);
	/* A damaged time is not remembered as a good one. */
	bad("2024-02-30T00:00:00Z stdout F x");
	bad("2024-02-30T00:00:00Z stdout F x");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_times),
	    cmocka_unit_test(test_texts),
	    cmocka_unit_test(test_cuts),
	    cmocka_unit_test(test_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
