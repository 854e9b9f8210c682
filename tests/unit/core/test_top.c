/* SPDX-License-Identifier: Apache-2.0 */
/* Cells of a list of processes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "core/top.h"
#include "util/cleanup.h"

static void test_durations(void **state)
{
	static const struct {
		int64_t ns;
		const char *text;
	} rows[] = {{0, "0s"}, {-5, "0s"}, {1, "1ns"}, {1500, "1.5\xc2\xb5s"}, {20000000, "20ms"},
	    {999999999, "999.999999ms"}, {1000000000, "1s"}, {1005000000, "1.005s"},
	    {59999999999, "59.999999999s"}, {60000000000, "1m0s"}, {3723500000000, "1h2m3.5s"},
	    {360000000000000, "100h0m0s"}};

	(void)state;
	for (size_t i = 0; i < CTR__ARRAY_SIZE(rows); i++) {
		CTR__BUF struct ctr__buf b = {0};

		ctr__top_print_duration(rows[i].ns, &b);
		assert_string_equal(b.data, rows[i].text);
	}
}

static void test_texts(void **state)
{
	static const struct {
		const char *in;
		size_t len;
		const char *out;
	} rows[] = {{"plain \xc3\xa9\xe2\x82\xac", 11, "plain \xc3\xa9\xe2\x82\xac"},
	    {"a\0b", 3, "a?b"}, {"\x1b[2J\n\r\t\x7f", 8, "?[2J????"}, {"\xff\xfe", 2, "??"},
	    {"\xe2\x82", 2, "??"}, {"x\xc2", 2, "x?"}, {"\xc2\x85y", 3, "?y"},
	    {"\xc2\xa0", 2, "\xc2\xa0"}, {"\xed\xa0\x80", 3, "???"}};

	(void)state;
	for (size_t i = 0; i < CTR__ARRAY_SIZE(rows); i++) {
		CTR__BUF struct ctr__buf b = {0};

		ctr__top_print_text(rows[i].in, rows[i].len, &b);
		assert_string_equal(b.data, rows[i].out);
	}
}

/* Every beginning of every two bytes is text afterwards. */
static void test_all_bytes(void **state)
{
	(void)state;
	for (int i = 0; i < 65536; i++) {
		char in[2] = {(char)(i >> 8), (char)i};
		CTR__BUF struct ctr__buf b = {0};

		ctr__top_print_text(in, 2, &b);
		assert_true(ctr__utf8_valid(b.data, b.len) && b.len >= 1 && b.len <= 2);
		for (size_t k = 0; k < b.len; k++)
			assert_true((unsigned char)b.data[k] >= 0x20 && b.data[k] != 0x7f);
	}
}

static const char *cell(const char *column, const struct ctr__proc_info *p, struct ctr__buf *b)
{
	struct ctr__top_look l = {.v = (struct ctr__proc_info *)(uintptr_t)p,
	    .n = 1,
	    .sorted = 1,
	    .boot_ns = INT64_C(100000000000),
	    .now_ns = INT64_C(1700000000000000000),
	    .tick_ns = 10000000};

	ctr__buf_free(b);
	*b = (struct ctr__buf){0};
	ctr__top_column(column)->print(&l, p, b);
	return b->data;
}

static void test_find(void **state)
{
	struct ctr__proc_info v[100] = {{0}};
	struct ctr__top_look l = {.v = v, .n = 100};

	(void)state;
	for (int i = 0; i < 100; i++)
		v[i].pid = 2 * i + 1;
	for (l.sorted = 0; l.sorted <= l.n; l.sorted++)
		for (int i = 0; i < 100; i++) {
			assert_ptr_equal(
			    ctr__top_find(&l, 2 * i + 1), (size_t)i < l.sorted ? &v[i] : NULL);
			assert_null(ctr__top_find(&l, 2 * i));
		}
}

static void test_cells(void **state)
{
	char args[] = "/bin/x\0a\0\0b";
	struct ctr__proc_info p = {.pid = 4000,
	    .ppid = 4000,
	    .inside_pid = 7,
	    .start = 9000,
	    .utime = 50,
	    .stime = 25,
	    .tty = 136U << 8 | 3,
	    .comm = "x",
	    .cmdline = args,
	    .cmdline_len = sizeof(args),
	    .inside_uid = 5,
	    .uid = 100005,
	    .state = 'S',
	    .nice = -5};
	CTR__BUF struct ctr__buf b = {0};

	(void)state;
	assert_string_equal(cell("args", &p, &b), "/bin/x a  b");
	assert_string_equal(cell("etime", &p, &b), "10s");
	assert_string_equal(cell("time", &p, &b), "750ms");
	assert_string_equal(cell("pcpu", &p, &b), "7.500");
	assert_string_equal(cell("stime", &p, &b), "2023-11-14T22:13:10Z");
	assert_string_equal(cell("tty", &p, &b), "pts/3");
	assert_string_equal(cell("user", &p, &b), "5");
	assert_string_equal(cell("huser", &p, &b), "100005");
	assert_string_equal(cell("pid", &p, &b), "7");
	assert_string_equal(cell("hpid", &p, &b), "4000");
	assert_string_equal(cell("ppid", &p, &b), "7");
	assert_string_equal(cell("nice", &p, &b), "-5");
	assert_string_equal(cell("label", &p, &b), "?");
	p.cmdline_len = 0;
	p.tty = 4U << 8 | 64;
	p.start = 20000; /* in the future */
	assert_string_equal(cell("args", &p, &b), "[x]");
	assert_string_equal(cell("tty", &p, &b), "ttyS0");
	assert_string_equal(cell("etime", &p, &b), "0s");
	assert_string_equal(cell("pcpu", &p, &b), "0.000");
	p.utime = UINT64_MAX / 2;
	assert_true(strlen(cell("time", &p, &b)) > 0);
	assert_null(ctr__top_column("wchan"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_durations),
	    cmocka_unit_test(test_texts),
	    cmocka_unit_test(test_all_bytes),
	    cmocka_unit_test(test_find),
	    cmocka_unit_test(test_cells),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
