/* SPDX-License-Identifier: Apache-2.0 */
/* Version and features. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <libctr/libctr.h>

static void version_is_the_headers_version(void **state)
{
	int32_t major = -1, minor = -1, patch = -1;
	char text[48];

	(void)state;
	assert_string_equal(ctr_version(&major, &minor, &patch), ctr_version(NULL, NULL, NULL));
	assert_int_equal(major, CTR_VERSION_MAJOR);
	assert_int_equal(minor, CTR_VERSION_MINOR);
	assert_int_equal(patch, CTR_VERSION_PATCH);
	(void)snprintf(text, sizeof(text), "%d.%d.%d", major, minor, patch);
	assert_string_equal(ctr_version(NULL, NULL, NULL), text);
	assert_true(CTR_CHECK_VERSION(0, 0, 1));
	assert_false(CTR_CHECK_VERSION(99, 0, 0));
}

static void features_can_be_listed_and_asked_for(void **state)
{
	size_t n = 0;

	(void)state;
	for (; ctr_feature_at(n); n++) {
		assert_int_equal(ctr_has_feature(ctr_feature_at(n)), 1);
		for (size_t i = 0; i < n; i++)
			assert_string_not_equal(ctr_feature_at(i), ctr_feature_at(n));
	}
	assert_true(n >= 10);
	assert_null(ctr_feature_at(n + 1));
	assert_null(ctr_feature_at(SIZE_MAX));
	assert_int_equal(ctr_has_feature("batch"), 1);
	assert_int_equal(ctr_has_feature("events.lost"), 1);
	assert_int_equal(ctr_has_feature("no.such.thing"), 0);
	assert_int_equal(ctr_has_feature(""), 0);
	assert_int_equal(ctr_has_feature(NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(version_is_the_headers_version),
	    cmocka_unit_test(features_can_be_listed_and_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
