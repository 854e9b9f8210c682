/* SPDX-License-Identifier: Apache-2.0 */
/* The set of member names, against a plain list. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "util/cleanup.h"
#include "util/json_internal.h"

static void finds_every_duplicate(void **state)
{
	enum { N = 2000 };
	CTR__ARENA struct ctr__arena a = {0};
	struct ctr__json_keys keys = {0};
	CTR__STRV char **seen = NULL;
	static const char alphabet[] = "ab\x01\xff";

	(void)state;
	srandom(3);
	for (int i = 0; i < N; i++) {
		char key[8] = "";
		size_t len = (size_t)random() % 7;
		bool known;

		for (size_t j = 0; j < len; j++)
			key[j] = alphabet[random() % 4];
		known = ctr__strv_has((const char *const *)seen, key);
		assert_int_equal(ctr__json_keys_add(&keys, &a, ctr__arena_strdup(&a, key)),
		    known ? CTR__JSON_KEYS_DUPLICATE : CTR__JSON_KEYS_NEW);
		if (!known)
			assert_true(ctr__strv_add(&seen, key));
	}
	for (size_t i = 0; seen[i]; i++)
		assert_int_equal(ctr__json_keys_add(&keys, &a, seen[i]), CTR__JSON_KEYS_DUPLICATE);
}

static void prefixes_are_different_names(void **state)
{
	enum { N = 500 };
	CTR__ARENA struct ctr__arena a = {0};
	struct ctr__json_keys keys = {0};

	(void)state;
	for (size_t len = N; len > 0; len--) {
		char *key = ctr__arena_alloc(&a, len);

		memset(key, 'x', len - 1);
		assert_int_equal(ctr__json_keys_add(&keys, &a, key), CTR__JSON_KEYS_NEW);
		assert_int_equal(ctr__json_keys_add(&keys, &a, key), CTR__JSON_KEYS_DUPLICATE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(finds_every_duplicate),
	    cmocka_unit_test(prefixes_are_different_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
