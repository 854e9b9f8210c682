/* SPDX-License-Identifier: Apache-2.0 */
/* Strings, numbers, UTF-8. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>

#include "util/cleanup.h"
#include "util/str.h"

static void a_buffer_grows(void **state)
{
	CTR__BUF struct ctr__buf b = {0};
	CTR__FREE char *text = NULL;

	(void)state;
	for (int i = 0; i < 10000; i++) {
		ctr__buf_addc(&b, 'a');
		ctr__buf_adds(&b, "bc");
		ctr__buf_add(&b, "de", 2);
		ctr__buf_addf(&b, "%s%d", "f", 7);
		assert_int_equal(b.len, (i + 1) * 7);
		assert_int_equal(b.data[b.len], '\0');
	}
	assert_false(b.failed);
	text = ctr__buf_steal(&b);
	assert_non_null(text);
	for (int i = 0; i < 10000; i++)
		assert_memory_equal(text + (ptrdiff_t)7 * i, "abcdef7", 7);
	assert_null(b.data);
	assert_int_equal(b.len, 0);
}

static void every_length_fits(void **state)
{
	(void)state;
	for (size_t n = 0; n < 300; n++) {
		CTR__BUF struct ctr__buf b = {0}, f = {0};
		CTR__FREE char *text = calloc(1, n + 1);

		assert_non_null(text);
		memset(text, 'x', n);
		ctr__buf_add(&b, text, n);
		ctr__buf_addf(&f, "%s", text);
		assert_string_equal(b.data, text);
		assert_string_equal(f.data, text);
	}
}

static void an_unused_buffer_gives_an_empty_text(void **state)
{
	struct ctr__buf b = {0};
	char *text = ctr__buf_steal(&b);

	(void)state;
	assert_string_equal(text, "");
	free(text);
	ctr__buf_free(&b);
}

static void a_failed_buffer_stays_failed(void **state)
{
	struct ctr__buf b = {0};

	(void)state;
	ctr__buf_adds(&b, "abc");
	ctr__buf_add(&b, "x", SIZE_MAX / 2);
	assert_true(b.failed);
	ctr__buf_adds(&b, "def");
	ctr__buf_addf(&b, "%d", 1);
	assert_string_equal(b.data, "abc");
	assert_null(ctr__buf_steal(&b));
	assert_null(b.data);
}

static void formatted_copies(void **state)
{
	CTR__FREE char *f = ctr__format("%s-%03d", "a", 5);
	CTR__FREE char *d = ctr__strdup_null("x");

	(void)state;
	assert_string_equal(f, "a-005");
	assert_string_equal(d, "x");
	assert_null(ctr__strdup_null(NULL));
}

static void joins_paths(void **state)
{
	static const char *const cases[][3] = {{"/a", "b", "/a/b"}, {"/a/", "b", "/a/b"},
	    {"/", "b", "/b"}, {"a", "b/c", "a/b/c"}, {"", "b", "b"}};

	(void)state;
	for (size_t i = 0; i < CTR__ARRAY_SIZE(cases); i++) {
		CTR__FREE char *p = ctr__path_join(cases[i][0], cases[i][1]);

		assert_string_equal(p, cases[i][2]);
	}
}

static void compares(void **state)
{
	(void)state;
	assert_true(ctr__streq(NULL, NULL));
	assert_true(ctr__streq("a", "a"));
	assert_false(ctr__streq("a", NULL));
	assert_false(ctr__streq(NULL, "a"));
	assert_true(ctr__starts_with("abc", "ab"));
	assert_true(ctr__starts_with("abc", ""));
	assert_false(ctr__starts_with("ab", "abc"));
}

static void reads_signed_numbers(void **state)
{
	static const char *const bad[] = {"", "-", "+1", " 1", "1 ", "0x1", "1.0", "1e3", "--1",
	    "-+1", "9223372036854775808", "-9223372036854775809", "99999999999999999999",
	    "-18446744073709551616"};
	int64_t n = 42;

	(void)state;
	for (size_t i = 0; i < CTR__ARRAY_SIZE(bad); i++)
		assert_false(ctr__parse_i64(bad[i], INT64_MIN, INT64_MAX, &n));
	assert_false(ctr__parse_i64(NULL, INT64_MIN, INT64_MAX, &n));
	assert_false(ctr__parse_i64("11", 0, 10, &n));
	assert_false(ctr__parse_i64("-1", 0, 10, &n));
	assert_int_equal(n, 42);
	assert_true(ctr__parse_i64("-9223372036854775808", INT64_MIN, INT64_MAX, &n));
	assert_true(n == INT64_MIN);
	assert_true(ctr__parse_i64("9223372036854775807", INT64_MIN, INT64_MAX, &n));
	assert_true(n == INT64_MAX);
	assert_true(ctr__parse_i64("-0", INT64_MIN, INT64_MAX, &n));
	assert_true(n == 0);
	assert_true(ctr__parse_i64("-17", -17, 0, &n));
	assert_true(n == -17);
	assert_true(ctr__parse_i64("007", 0, 7, &n));
	assert_true(n == 7);
}

static void reads_unsigned_numbers(void **state)
{
	uint64_t n = 42;

	(void)state;
	assert_false(ctr__parse_u64("", UINT64_MAX, &n));
	assert_false(ctr__parse_u64(NULL, UINT64_MAX, &n));
	assert_false(ctr__parse_u64("-1", UINT64_MAX, &n));
	assert_false(ctr__parse_u64("18446744073709551616", UINT64_MAX, &n));
	assert_false(ctr__parse_u64("11", 10, &n));
	assert_int_equal(n, 42);
	assert_true(ctr__parse_u64("18446744073709551615", UINT64_MAX, &n));
	assert_true(n == UINT64_MAX);
	assert_true(ctr__parse_u64("0", 0, &n));
	assert_true(n == 0);
}

static size_t encode(uint32_t c, char out[4])
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

static void every_character_is_valid_but_nul_and_surrogates(void **state)
{
	(void)state;
	for (uint32_t c = 0; c < 0x120000; c++) {
		bool good = c != 0 && c < 0x110000 && (c < 0xd800 || c > 0xdfff);
		char text[4];
		size_t len = encode(c, text);

		if (ctr__utf8_valid(text, len) != good)
			fail_msg("U+%04X", c);
		for (size_t cut = 1; good && cut < len; cut++)
			assert_false(ctr__utf8_valid(text, cut));
	}
}

static void other_bytes_are_not(void **state)
{
	static const char *const bad[] = {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xe0\x80\x80",
	    "\xe0\x9f\xbf", "\xf0\x80\x80\x80", "\xf0\x8f\xbf\xbf", "\xf5\x80\x80\x80", "\xfe",
	    "\xff", "\xc3(", "\xe2\x82(", "\xe2(\xac", "\xf0\x9f\x98("};

	(void)state;
	for (size_t i = 0; i < CTR__ARRAY_SIZE(bad); i++) {
		CTR__FREE char *text = ctr__format("ok\xc3\xa4%s", bad[i]);

		assert_false(ctr__utf8_valid(text, strlen(text)));
		assert_int_equal(ctr__utf8_span(text, strlen(text)), 4);
	}
	assert_true(ctr__utf8_valid("", 0));
	assert_false(ctr__utf8_valid("a\0b", 3));
}

static void a_fault_is_found_at_every_place(void **state)
{
	static const char faults[] = {'\0', (char)0x80, (char)0xff};

	(void)state;
	for (size_t at = 0; at < 40; at++) {
		for (size_t f = 0; f < sizeof(faults); f++) {
			char text[40];

			memset(text, f == 0 ? 0x01 : 0x7f, sizeof(text));
			assert_true(ctr__utf8_valid(text, sizeof(text)));
			text[at] = faults[f];
			assert_int_equal(ctr__utf8_span(text, sizeof(text)), at);
		}
	}
}

static int steal(char **out)
{
	CTR__FREE char *text = strdup("x");

	errno = EXDEV;
	*out = CTR__STEAL_PTR(text);
	return text == NULL;
}

static void clean_up_frees_unless_stolen(void **state)
{
	char *out = NULL;
	int fd = 7;

	(void)state;
	assert_true(steal(&out));
	assert_int_equal(errno, EXDEV);
	assert_string_equal(out, "x");
	free(out);
	assert_int_equal(ctr__steal_fd(&fd), 7);
	assert_int_equal(fd, -1);
}

static void copies_of_a_length(void **state)
{
	static const char bytes[3] = {'a', '\0', 'b'};
	CTR__FREE char *copy = ctr__strdup_len(bytes, sizeof(bytes));
	CTR__FREE char *empty = ctr__strdup_len(NULL, 0);

	(void)state;
	assert_non_null(copy);
	assert_memory_equal(copy, "a\0b", 4);
	assert_string_equal(empty, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(copies_of_a_length),
	    cmocka_unit_test(a_buffer_grows),
	    cmocka_unit_test(every_length_fits),
	    cmocka_unit_test(an_unused_buffer_gives_an_empty_text),
	    cmocka_unit_test(a_failed_buffer_stays_failed),
	    cmocka_unit_test(formatted_copies),
	    cmocka_unit_test(joins_paths),
	    cmocka_unit_test(compares),
	    cmocka_unit_test(reads_signed_numbers),
	    cmocka_unit_test(reads_unsigned_numbers),
	    cmocka_unit_test(every_character_is_valid_but_nul_and_surrogates),
	    cmocka_unit_test(other_bytes_are_not),
	    cmocka_unit_test(a_fault_is_found_at_every_place),
	    cmocka_unit_test(clean_up_frees_unless_stolen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
