/* SPDX-License-Identifier: Apache-2.0 */
/* IDs and names. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <ctype.h>

#include "util/cleanup.h"
#include "util/id.h"

static void ids_are_64_hex_digits_and_differ(void **state)
{
	enum { N = 200 };
	static char ids[N][CTR__ID_HEX + 1];

	(void)state;
	for (size_t i = 0; i < N; i++) {
		assert_int_equal(ctr__id_random(ids[i], NULL), 0);
		assert_int_equal(strlen(ids[i]), 64);
		assert_int_equal(strspn(ids[i], "0123456789abcdef"), 64);
		assert_true(ctr__id_valid(ids[i]));
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(ids[i], ids[j]);
	}
}

static void names_are_two_words_and_a_number_on_demand(void **state)
{
	char name[CTR__NAME_MAX + 1], first[CTR__NAME_MAX + 1];
	bool differ = false;

	(void)state;
	assert_int_equal(ctr__name_random(first, sizeof(first), 0, NULL), 0);
	for (int i = 0; i < 500; i++) {
		const char *bar;

		assert_int_equal(ctr__name_random(name, sizeof(name), 0, NULL), 0);
		assert_true(ctr__name_valid(name));
		bar = strchr(name, '_');
		assert_non_null(bar);
		assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz"), bar - name);
		assert_int_equal(strspn(bar + 1, "abcdefghijklmnopqrstuvwxyz"), strlen(bar + 1));
		differ = differ || strcmp(name, first) != 0;
	}
	assert_true(differ);
	assert_int_equal(ctr__name_random(name, sizeof(name), 4294967295U, NULL), 0);
	assert_true(ctr__name_valid(name));
	assert_string_equal(name + strlen(name) - 10, "4294967295");
}

static void a_buffer_too_small_is_an_error(void **state)
{
	CTR__ERROR ctr_error_t *err = NULL;
	char name[4];

	(void)state;
	assert_int_equal(ctr__name_random(name, sizeof(name), 0, &err), CTR_E_INTERNAL);
	assert_non_null(err);
}

static void check_grammar(bool (*valid)(const char *), size_t max)
{
	static const char *const good[] = {"a", "0", "Z", "a_b.c-d", "a..", "9-"};
	static const char *const bad[] = {"", "_a", ".a", "-a", ".", "..", "a/b", "/", "a b", "a\n",
	    "a\tb", "\xc3\xa4", "a\xc3\xa4", "a:b", "a@b", "a~"};
	char *longest = malloc(max + 2);

	for (size_t i = 0; i < CTR__ARRAY_SIZE(good); i++)
		assert_true(valid(good[i]));
	for (size_t i = 0; i < CTR__ARRAY_SIZE(bad); i++)
		assert_false(valid(bad[i]));
	assert_false(valid(NULL));
	assert_non_null(longest);
	memset(longest, 'x', max + 1);
	longest[max + 1] = '\0';
	assert_false(valid(longest));
	longest[max] = '\0';
	assert_true(valid(longest));
	free(longest);
}

static void grammar_of_ids_and_names(void **state)
{
	(void)state;
	check_grammar(ctr__id_valid, CTR__ID_MAX);
	check_grammar(ctr__name_valid, CTR__NAME_MAX);
}

static void each_byte_is_judged_alone(void **state)
{
	(void)state;
	for (int c = 1; c < 256; c++) {
		char first[] = {(char)c, 'a', '\0'}, later[] = {'a', (char)c, '\0'};
		bool alnum = c < 128 && isalnum(c);

		assert_int_equal(ctr__name_valid(first), alnum);
		assert_int_equal(ctr__name_valid(later), alnum || c == '_' || c == '.' || c == '-');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(ids_are_64_hex_digits_and_differ),
	    cmocka_unit_test(names_are_two_words_and_a_number_on_demand),
	    cmocka_unit_test(a_buffer_too_small_is_an_error),
	    cmocka_unit_test(grammar_of_ids_and_names),
	    cmocka_unit_test(each_byte_is_judged_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
