/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of strings. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "util/cleanup.h"
#include "util/str.h"

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

static void same(char **v, const char *const *expected)
{
	assert_non_null(v);
	assert_int_equal(ctr__strv_len((const char *const *)v), ctr__strv_len(expected));
	for (size_t i = 0; v[i]; i++)
		assert_string_equal(v[i], expected[i]);
}

static void counts(void **state)
{
	(void)state;
	assert_int_equal(ctr__strv_len(NULL), 0);
	assert_int_equal(ctr__strv_len((const char *const[]){NULL}), 0);
	assert_int_equal(ctr__strv_len(LIST("a", "", "c")), 3);
}

static void copies(void **state)
{
	CTR__STRV char **copy = ctr__strv_copy(LIST("a", "", "c"));
	CTR__STRV char **empty = ctr__strv_copy(NULL);

	(void)state;
	same(copy, LIST("a", "", "c"));
	assert_non_null(empty);
	assert_null(empty[0]);
}

static void appends(void **state)
{
	CTR__STRV char **v = NULL;

	(void)state;
	for (int i = 0; i < 300; i++) {
		char text[16];

		(void)snprintf(text, sizeof(text), "%d", i);
		assert_true(ctr__strv_add(&v, text));
		assert_int_equal(ctr__strv_len((const char *const *)v), i + 1);
	}
	assert_string_equal(v[0], "0");
	assert_string_equal(v[299], "299");
	assert_true(ctr__strv_has((const char *const *)v, "123"));
	assert_false(ctr__strv_has((const char *const *)v, "300"));
	assert_false(ctr__strv_has(NULL, "x"));
}

static void splits(void **state)
{
	static const struct {
		const char *text;
		const char *const pieces[5];
	} cases[] = {{"", {"", NULL}}, {"a", {"a", NULL}}, {"a,b,c", {"a", "b", "c", NULL}},
	    {",", {"", "", NULL}}, {"a,,b,", {"a", "", "b", "", NULL}}};

	(void)state;
	for (size_t i = 0; i < CTR__ARRAY_SIZE(cases); i++) {
		CTR__STRV char **v = ctr__strv_split(cases[i].text, ',');

		same(v, cases[i].pieces);
	}
}

static void sorts_and_removes_duplicates(void **state)
{
	CTR__STRV char **v = ctr__strv_copy(LIST("b", "a", "c", "a", "b", "a"));
	CTR__STRV char **one = ctr__strv_copy(LIST("x", "x"));
	CTR__STRV char **empty = ctr__strv_copy(NULL);

	(void)state;
	ctr__strv_sort_unique(v);
	same(v, LIST("a", "b", "c"));
	ctr__strv_sort_unique(one);
	same(one, LIST("x"));
	ctr__strv_sort_unique(empty);
	assert_null(empty[0]);
	ctr__strv_sort_unique(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(counts),
	    cmocka_unit_test(copies),
	    cmocka_unit_test(appends),
	    cmocka_unit_test(splits),
	    cmocka_unit_test(sorts_and_removes_duplicates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
