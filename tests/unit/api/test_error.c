/* SPDX-License-Identifier: Apache-2.0 */
/* The public error object, and the two functions that free what was handed over. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>

#include <libctr/libctr.h>

#include "util/err.h"
#include "util/str.h"

static const struct {
	const char *name;
	int32_t code;
	const char *text;
} listed[] = {
#define CTR_ERROR(name, number, text) {#name, CTR_E_##name, text},
#include "errors.def"
#undef CTR_ERROR
};

static const int32_t numbers[] = {
#define CTR_ERROR(name, number, text) number,
#include "errors.def"
#undef CTR_ERROR
};

#define COUNT (sizeof(listed) / sizeof(listed[0]))

static void header_and_list_agree(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT; i++) {
		assert_int_equal(listed[i].code, numbers[i]);
		assert_string_equal(ctr_error_name(listed[i].code), listed[i].name);
		assert_string_equal(ctr_strerror(listed[i].code), listed[i].text);
		for (size_t j = 0; j < i; j++)
			assert_int_not_equal(numbers[i], numbers[j]);
	}
	assert_int_equal(CTR_E_FAILED, -1);
	assert_int_equal(CTR_E_NO_SUCH_CTR, -20);
	assert_int_equal(CTR_E_NO_STORAGE, -81);
}

static void other_numbers_are_unknown(void **state)
{
	static const int32_t others[] = {1, -17, -19, -1000, INT32_MIN, INT32_MAX};

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		assert_string_equal(ctr_error_name(others[i]), "UNKNOWN");
		assert_true(strlen(ctr_strerror(others[i])) > 0);
	}
	assert_string_equal(ctr_error_name(0), "UNKNOWN");
	assert_string_equal(ctr_strerror(0), "success");
}

static void null_is_no_error(void **state)
{
	(void)state;
	assert_int_equal(ctr_error_code(NULL), 0);
	assert_int_equal(ctr_error_errno(NULL), 0);
	assert_string_equal(ctr_error_message(NULL), "");
	assert_null(ctr_error_get(NULL, "path"));
	ctr_error_add(NULL, "path", "x");
	ctr_error_free(NULL);
	ctr_error_freep(NULL);
	ctr_free(NULL);
	ctr_strv_free(NULL);
}

static void a_plug_in_makes_an_error(void **state)
{
	ctr_error_t *err = NULL;

	(void)state;
	assert_int_equal(ctr_error_set(&err, CTR_E_STORAGE, EIO, "disk\nburns"), CTR_E_STORAGE);
	ctr_error_add(err, "path", "/a");
	ctr_error_add(err, "path", "/b");
	ctr_error_add(err, NULL, "/b");
	ctr_error_add(err, "x", NULL);
	assert_int_equal(ctr_error_code(err), CTR_E_STORAGE);
	assert_int_equal(ctr_error_errno(err), EIO);
	assert_string_equal(ctr_error_message(err), "disk burns");
	assert_string_equal(ctr_error_get(err, "path"), "/b");
	assert_null(ctr_error_get(err, "x"));
	assert_null(ctr_error_get(err, NULL));
	assert_int_equal(ctr_error_set(&err, 17, 0, NULL), CTR_E_FAILED);
	assert_string_equal(ctr_error_message(err), "operation failed");
	assert_int_equal(ctr_error_set(NULL, CTR_E_BUSY, 0, NULL), CTR_E_BUSY);
	ctr_error_freep(&err);
	assert_null(err);
}

static void lack_of_memory_can_be_freed_and_never_changes(void **state)
{
	ctr_error_t *err = NULL;

	(void)state;
	ctr__fail_nomem(&err);
	ctr_error_add(err, "path", "/a");
	assert_null(ctr_error_get(err, "path"));
	assert_int_equal(ctr_error_code(err), CTR_E_NOMEM);
	assert_int_equal(ctr_error_errno(err), ENOMEM);
	ctr_error_free(err);
	ctr_error_free(err);
	assert_string_equal(ctr_error_message(err), "out of memory");
}

static void frees_what_was_handed_over(void **state)
{
	(void)state;
	ctr_free(ctr__format("%d", 1));
	ctr_strv_free(ctr__strv_split("a,b,c", ','));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(header_and_list_agree),
	    cmocka_unit_test(other_numbers_are_unknown),
	    cmocka_unit_test(null_is_no_error),
	    cmocka_unit_test(a_plug_in_makes_an_error),
	    cmocka_unit_test(lack_of_memory_can_be_freed_and_never_changes),
	    cmocka_unit_test(frees_what_was_handed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
