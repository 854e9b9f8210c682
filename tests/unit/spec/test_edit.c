/* SPDX-License-Identifier: Apache-2.0 */
/* Writing into a document with one check at the end. */
#include "spec_test.h"

#include "spec/edit.h"

static void test_values(void **state)
{
	CTR__JSON_DOC struct ctr__json_doc *d = doc_of("{'a':1,'n':null}");
	struct ctr__edit e = {.doc = d};

	(void)state;
	ctr__edit_str(&e, d->root, "a", "x");
	ctr__edit_bool(&e, d->root, "b", true);
	ctr__edit_i64(&e, d->root, "i", INT64_MIN);
	ctr__edit_u64(&e, d->root, "u", UINT64_MAX);
	ctr__edit_strv(&e, d->root, "l", (const char *const[]){"p", "q", NULL});
	ctr__edit_strv(&e, d->root, "none", NULL);
	struct ctr__json *list = ctr__edit_want_array(&e, d->root, "n");
	ctr__edit_str(&e, ctr__edit_add_object(&e, list), "k", "v");
	assert_ptr_equal(ctr__edit_want_array(&e, d->root, "n"), list);
	assert_false(e.failed);
	assert_json(d->root, "{'a':'x','n':[{'k':'v'}],'b':true,'i':-9223372036854775808,"
	                     "'u':18446744073709551615,'l':['p','q'],'none':[]}");
}

static void test_failure_sticks(void **state)
{
	CTR__JSON_DOC struct ctr__json_doc *d = doc_of("{'a':1}");
	struct ctr__edit e = {.doc = d};

	(void)state;
	assert_null(ctr__edit_want_object(&e, d->root, "a")); /* of another type */
	assert_true(e.failed);
	ctr__edit_str(&e, d->root, "later", "x");
	assert_null(ctr__edit_object(&e, d->root, "later"));
	assert_json(d->root, "{'a':1}");
}

static void test_null_parents(void **state)
{
	CTR__JSON_DOC struct ctr__json_doc *d = doc_of("{}");
	struct ctr__edit e = {.doc = d};

	(void)state;
	ctr__edit_str(&e, NULL, "a", "x");
	ctr__edit_add_str(&e, NULL, "x");
	assert_null(ctr__edit_add_object(&e, NULL));
	assert_null(ctr__edit_array(&e, NULL, "a"));
	assert_json(d->root, "{}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_values),
	    cmocka_unit_test(test_failure_sticks),
	    cmocka_unit_test(test_null_parents),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
