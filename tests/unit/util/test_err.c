/* SPDX-License-Identifier: Apache-2.0 */
/* Making error objects. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>

#include "util/cleanup.h"
#include "util/err.h"
#include "util/err_object.h"

static void a_failure_has_code_and_message(void **state)
{
	CTR__ERROR ctr_error_t *err = NULL;

	(void)state;
	assert_int_equal(ctr__fail(&err, CTR_E_INVALID, "field %s: %d", "x", 7), CTR_E_INVALID);
	assert_int_equal(err->code, CTR_E_INVALID);
	assert_int_equal(err->errno_, 0);
	assert_string_equal(err->message, "field x: 7");
}

static void nobody_needs_to_want_the_error(void **state)
{
	(void)state;
	assert_int_equal(ctr__fail(NULL, CTR_E_BUSY, "x"), CTR_E_BUSY);
	assert_int_equal(ctr__fail_errno(NULL, EACCES, "/x", "x"), CTR_E_PERMISSION);
	assert_int_equal(ctr__fail_nomem(NULL), CTR_E_NOMEM);
	assert_int_equal(ctr__error_prefix(NULL, CTR_E_STORE, "x"), CTR_E_STORE);
	assert_int_equal(ctr__error_set(NULL, CTR_E_STORE, 0, "x"), CTR_E_STORE);
	ctr__error_detail(NULL, "path", "x");
	ctr__error_free(NULL);
}

static void a_new_error_replaces_the_old_even_if_made_of_it(void **state)
{
	CTR__ERROR ctr_error_t *err = NULL;

	(void)state;
	ctr__fail(&err, CTR_E_INVALID, "first");
	ctr__error_detail(&err, "field", "old");
	ctr__fail(&err, CTR_E_STORE, "second after %s", err->message);
	assert_int_equal(err->code, CTR_E_STORE);
	assert_string_equal(err->message, "second after first");
	assert_null(ctr__error_get(err, "field"));
	ctr__error_set(&err, CTR_E_BUSY, 0, err->message);
	assert_string_equal(err->message, "second after first");
}

static void errno_chooses_the_code(void **state)
{
	static const struct {
		int errno_, code;
	} cases[] = {{ENOMEM, CTR_E_NOMEM}, {EACCES, CTR_E_PERMISSION}, {EPERM, CTR_E_PERMISSION},
	    {EROFS, CTR_E_PERMISSION}, {ENOSPC, CTR_E_STORE_FULL}, {EDQUOT, CTR_E_STORE_FULL},
	    {ENOENT, CTR_E_SYSTEM}, {EIO, CTR_E_SYSTEM}};

	(void)state;
	for (size_t i = 0; i < CTR__ARRAY_SIZE(cases); i++) {
		CTR__ERROR ctr_error_t *err = NULL;

		assert_int_equal(ctr__fail_errno(&err, cases[i].errno_, "/a/b", "open %s", "/a/b"),
		    cases[i].code);
		assert_int_equal(err->code, cases[i].code);
		assert_int_equal(err->errno_, cases[i].errno_);
		assert_string_equal(ctr__error_get(err, "path"), "/a/b");
		assert_memory_equal(err->message, "open /a/b: ", 11);
	}
}

static void errno_text_is_appended(void **state)
{
	CTR__ERROR ctr_error_t *err = NULL;

	(void)state;
	ctr__fail_errno(&err, ENOENT, NULL, "open %s", "x");
	assert_string_equal(err->message, "open x: No such file or directory");
	assert_null(ctr__error_get(err, "path"));
	ctr__fail_errno(&err, 99999, NULL, "open");
	assert_string_equal(err->message, "open: errno 99999");
	assert_int_equal(ctr__fail_errno(&err, 0, NULL, "open"), CTR_E_SYSTEM);
	assert_string_equal(err->message, "open");
}

static void a_message_is_one_harmless_line(void **state)
{
	CTR__ERROR ctr_error_t *err = NULL;

	(void)state;
	ctr__fail(&err, CTR_E_FAILED, "a\nb\r\tc\x1b[1m\x7f\xff\xc3\xa4");
	assert_string_equal(err->message, "a b  c?[1m?\xff\xc3\xa4");
	ctr__error_prefix(&err, 0, "x\ny");
	assert_string_equal(err->message, "x y: a b  c?[1m?\xff\xc3\xa4");
}

static void a_prefix_goes_in_front(void **state)
{
	CTR__ERROR ctr_error_t *err = NULL;

	(void)state;
	assert_int_equal(ctr__error_prefix(&err, CTR_E_BUSY, "nothing there"), CTR_E_BUSY);
	assert_null(err);
	ctr__fail_errno(&err, ENOENT, "/p", "open");
	assert_int_equal(ctr__error_prefix(&err, CTR_E_BUSY, "container %s", "c1"), CTR_E_SYSTEM);
	assert_string_equal(err->message, "container c1: open: No such file or directory");
	assert_int_equal(err->errno_, ENOENT);
	assert_string_equal(ctr__error_get(err, "path"), "/p");
}

static void details_replace_older_ones(void **state)
{
	CTR__ERROR ctr_error_t *err = NULL;

	(void)state;
	ctr__error_detail(&err, "path", "no error yet");
	assert_null(err);
	ctr__fail(&err, CTR_E_FAILED, "x");
	ctr__error_detail(&err, "a", "1");
	ctr__error_detail(&err, "b", "2");
	ctr__error_detail(&err, "c", "3");
	ctr__error_detail(&err, "b", "line\nline");
	ctr__error_detail(&err, "c", NULL);
	ctr__error_add(err, NULL, "x");
	assert_string_equal(ctr__error_get(err, "a"), "1");
	assert_string_equal(ctr__error_get(err, "b"), "line\nline");
	assert_string_equal(ctr__error_get(err, "c"), "3");
	assert_null(ctr__error_get(err, "d"));
	assert_null(ctr__error_get(err, NULL));
	assert_null(ctr__error_get(NULL, "a"));
	/* A value made of the one it replaces. */
	ctr__error_detail(&err, "a", ctr__error_get(err, "a"));
	assert_string_equal(ctr__error_get(err, "a"), "1");
}

static void very_long_details_are_cut_between_characters(void **state)
{
	enum { LIMIT = 64 << 10 };
	CTR__ERROR ctr_error_t *err = NULL;
	CTR__FREE char *text = malloc(LIMIT + 100);

	(void)state;
	assert_non_null(text);
	ctr__fail(&err, CTR_E_FAILED, "x");
	memset(text, 'a', LIMIT + 99);
	text[LIMIT + 99] = '\0';
	ctr__error_detail(&err, "oci.stderr", text);
	assert_int_equal(strlen(ctr__error_get(err, "oci.stderr")), LIMIT);
	memcpy(text + LIMIT - 2, "\xe2\x82\xac", 3);
	ctr__error_detail(&err, "oci.stderr", text);
	assert_int_equal(strlen(ctr__error_get(err, "oci.stderr")), LIMIT - 2);
	text[LIMIT - 2] = '\0';
	ctr__error_detail(&err, "oci.stderr", text);
	assert_int_equal(strlen(ctr__error_get(err, "oci.stderr")), LIMIT - 2);
}

static void lack_of_memory_is_one_object_never_written(void **state)
{
	ctr_error_t *err = NULL, *again = NULL;

	(void)state;
	ctr__fail(&err, CTR_E_FAILED, "x");
	assert_int_equal(ctr__fail_nomem(&err), CTR_E_NOMEM);
	ctr__fail_nomem(&again);
	assert_ptr_equal(err, again);
	ctr__error_detail(&err, "path", "x");
	assert_null(ctr__error_get(err, "path"));
	assert_int_equal(ctr__error_prefix(&err, CTR_E_STORE, "x"), CTR_E_NOMEM);
	assert_string_equal(err->message, "out of memory");
	ctr__error_freep(&err);
	assert_null(err);
	assert_int_equal(again->code, CTR_E_NOMEM);
	assert_int_equal(ctr__fail(&again, CTR_E_BUSY, "y"), CTR_E_BUSY);
	ctr__error_freep(&again);
}

static void set_takes_only_known_codes(void **state)
{
	CTR__ERROR ctr_error_t *err = NULL;

	(void)state;
	assert_int_equal(ctr__error_set(&err, CTR_E_BUSY, EBUSY, NULL), CTR_E_BUSY);
	assert_string_equal(err->message, "busy");
	assert_int_equal(err->errno_, EBUSY);
	assert_int_equal(ctr__error_set(&err, 5, 0, "x"), CTR_E_FAILED);
	assert_int_equal(ctr__error_set(&err, 0, 0, "x"), CTR_E_FAILED);
	assert_int_equal(ctr__error_set(&err, -12345, 0, NULL), CTR_E_FAILED);
	assert_string_equal(err->message, "operation failed");
}

static void freeing_keeps_errno(void **state)
{
	ctr_error_t *err = NULL;

	(void)state;
	ctr__fail(&err, CTR_E_FAILED, "x");
	errno = EXDEV;
	ctr__error_freep(&err);
	assert_int_equal(errno, EXDEV);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_failure_has_code_and_message),
	    cmocka_unit_test(nobody_needs_to_want_the_error),
	    cmocka_unit_test(a_new_error_replaces_the_old_even_if_made_of_it),
	    cmocka_unit_test(errno_chooses_the_code),
	    cmocka_unit_test(errno_text_is_appended),
	    cmocka_unit_test(a_message_is_one_harmless_line),
	    cmocka_unit_test(a_prefix_goes_in_front),
	    cmocka_unit_test(details_replace_older_ones),
	    cmocka_unit_test(very_long_details_are_cut_between_characters),
	    cmocka_unit_test(lack_of_memory_is_one_object_never_written),
	    cmocka_unit_test(set_takes_only_known_codes),
	    cmocka_unit_test(freeing_keeps_errno),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
