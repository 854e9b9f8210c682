/* SPDX-License-Identifier: Apache-2.0 */
/* Mounts: destinations, order. */
#include "spec_test.h"

#include "spec/mounts.h"

static void test_same_destination(void **state)
{
	static const struct {
		const char *a, *b;
		bool same;
	} cases[] = {
	    {"/", "/", true},
	    {"/", "", true},
	    {"/", "/..", true},
	    {"/dev/shm", "/dev/shm", true},
	    {"/dev/shm", "/dev/shm/", true},
	    {"/dev/shm", "//dev//./shm/.", true},
	    {"/dev/shm", "/proc/../dev/shm", true},
	    {"/dev/shm", "/../../dev/a/b/../../shm", true},
	    {"/dev/shm", "dev/shm", true},
	    {"/dev/shm", "/dev", false},
	    {"/dev/shm", "/shm", false},
	    {"/dev/shm", "/dev/shm/..", false},
	    {"/dev/shm", "/dev/shmx", false},
	    {"/dev/shm", "/dev/.../shm", false},
	    {"/etc/hosts", "/etc/hostx", false},
	};

	(void)state;
	for (size_t i = 0; i < CTR__ARRAY_SIZE(cases); i++) {
		assert_int_equal(ctr__mounts_same_dest(cases[i].a, cases[i].b), cases[i].same);
		assert_int_equal(ctr__mounts_same_dest(cases[i].b, cases[i].a), cases[i].same);
	}
}

static void test_find(void **state)
{
	CTR__JSON_DOC struct ctr__json_doc *d =
	    doc_of("[{'destination':'/a/'},{'x':1},{'destination':'/b'},{'destination':'/b'}]");

	(void)state;
	assert_ptr_equal(ctr__mounts_find(d->root, "/a"), d->root->first);
	assert_ptr_equal(ctr__mounts_find(d->root, "/b"), d->root->first->next->next);
	assert_null(ctr__mounts_find(d->root, "/c"));
	assert_null(ctr__mounts_find(NULL, "/c"));
}

static void test_drop(void **state)
{
	CTR__JSON_DOC struct ctr__json_doc *d =
	    doc_of("[{'destination':'/s','type':'t','source':'x'},"
	           "{'destination':'/s','type':'t','source':'y'},"
	           "{'destination':'/s','type':'u','source':'x'},{'destination':'/s'},"
	           "{'destination':'/s/','type':'t','source':'x'}]");
	struct ctr__edit e = {.doc = d};

	(void)state;
	ctr__mounts_drop(d->root, "/s", "t", "x");
	assert_int_equal(d->root->count, 3);
	ctr__edit_add_str(&e, d->root, "end");
	assert_json(d->root,
	    "[{'destination':'/s','type':'t','source':'y'},"
	    "{'destination':'/s','type':'u','source':'x'},{'destination':'/s'},'end']");
}

static void test_drop_all(void **state)
{
	CTR__JSON_DOC struct ctr__json_doc *d =
	    doc_of("[{'destination':'/s','type':'t','source':'x'}]");
	struct ctr__edit e = {.doc = d};

	(void)state;
	ctr__mounts_drop(d->root, "/s", "t", "x");
	assert_json(d->root, "[]");
	ctr__mounts_sort(&e, d->root);
	ctr__edit_add_str(&e, d->root, "end");
	assert_json(d->root, "['end']");
}

static void test_sort_is_stable_by_depth(void **state)
{
	CTR__JSON_DOC struct ctr__json_doc *d =
	    doc_of("[{'destination':'/a/b/c'},{'destination':'/z/y'},{'destination':'/x'},"
	           "{'destination':'/a/b/'},{'destination':'/'},{'destination':'/p/q/../..//b'},"
	           "{'destination':'/a'}]");
	struct ctr__edit e = {.doc = d};

	(void)state;
	ctr__mounts_sort(&e, d->root);
	assert_false(e.failed);
	ctr__edit_add_str(&e, d->root, "end");
	assert_json(d->root,
	    "[{'destination':'/'},{'destination':'/x'},{'destination':'/p/q/../..//b'},"
	    "{'destination':'/a'},{'destination':'/z/y'},{'destination':'/a/b/'},"
	    "{'destination':'/a/b/c'},'end']");
}

static void test_add(void **state)
{
	CTR__JSON_DOC struct ctr__json_doc *d = doc_of("[]");
	struct ctr__edit e = {.doc = d};

	(void)state;
	ctr__mounts_add(&e, d->root, "/d", "bind", "/s", (const char *const[]){"ro", NULL});
	assert_json(d->root, "[{'destination':'/d','type':'bind','source':'/s','options':['ro']}]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_same_destination),
	    cmocka_unit_test(test_find),
	    cmocka_unit_test(test_drop),
	    cmocka_unit_test(test_drop_all),
	    cmocka_unit_test(test_sort_is_stable_by_depth),
	    cmocka_unit_test(test_add),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
