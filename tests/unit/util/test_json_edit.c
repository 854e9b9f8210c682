/* SPDX-License-Identifier: Apache-2.0 */
/* Making and changing JSON documents. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "util/cleanup.h"
#include "util/json.h"

static struct ctr__json_doc *read_text(const char *text)
{
	struct ctr__json_doc *d = NULL;

	assert_int_equal(ctr__json_parse(text, strlen(text), "t", &d, NULL), 0);
	return d;
}

/* The text that comes out, and the links and counts behind it. */
static void is_now(const struct ctr__json *v, const char *expected)
{
	CTR__BUF struct ctr__buf b = {0};
	const struct ctr__json *last = NULL;
	size_t n = 0;

	ctr__json_write(v, false, &b);
	assert_string_equal(b.data, expected);
	CTR__JSON_EACH (child, v) {
		last = child;
		n++;
	}
	assert_int_equal(v->count, n);
	assert_ptr_equal(v->last, last);
}

static void builds_a_document(void **state)
{
	CTR__JSON_DOC struct ctr__json_doc *d = ctr__json_doc_new();
	struct ctr__json *o, *a;

	(void)state;
	assert_non_null(d);
	assert_null(d->root);
	d->root = o = ctr__json_new_object(d);
	assert_true(ctr__json_set(d, o, "s", ctr__json_new_str(d, "a\"b")));
	assert_true(ctr__json_set(d, o, "i", ctr__json_new_i64(d, INT64_MIN)));
	assert_true(ctr__json_set(d, o, "u", ctr__json_new_u64(d, UINT64_MAX)));
	assert_true(ctr__json_set(d, o, "b", ctr__json_new_bool(d, true)));
	assert_true(ctr__json_set(d, o, "n", ctr__json_new_null(d)));
	assert_true(ctr__json_set(d, o, "a", a = ctr__json_new_array(d)));
	assert_true(ctr__json_append(d, a, ctr__json_new_i64(d, 0)));
	assert_true(ctr__json_append(d, a, ctr__json_new_object(d)));
	is_now(o,
	    "{\"s\":\"a\\\"b\",\"i\":-9223372036854775808,\"u\":18446744073709551615,\"b\":true,"
	    "\"n\":null,\"a\":[0,{}]}");
	is_now(a, "[0,{}]");
}

static void set_replaces_in_place(void **state)
{
	CTR__JSON_DOC struct ctr__json_doc *d = read_text("{\"a\":1,\"b\":2,\"c\":3}");
	struct ctr__json *b;

	(void)state;
	assert_true(ctr__json_set(d, d->root, "b", ctr__json_new_bool(d, true)));
	is_now(d->root, "{\"a\":1,\"b\":true,\"c\":3}");
	assert_true(ctr__json_set(d, d->root, "c", ctr__json_new_str(d, "x")));
	is_now(d->root, "{\"a\":1,\"b\":true,\"c\":\"x\"}");
	assert_true(ctr__json_set(d, d->root, "a", ctr__json_new_null(d)));
	assert_true(ctr__json_set(d, d->root, "d", ctr__json_new_i64(d, 4)));
	is_now(d->root, "{\"a\":null,\"b\":true,\"c\":\"x\",\"d\":4}");
	b = ctr__json_get(d->root, "b");
	assert_true(ctr__json_set(d, d->root, "b", b));
	is_now(d->root, "{\"a\":null,\"b\":true,\"c\":\"x\",\"d\":4}");
}

static void a_key_is_copied(void **state)
{
	CTR__JSON_DOC struct ctr__json_doc *d = ctr__json_doc_new();
	char key[] = "key", text[] = "text";

	(void)state;
	d->root = ctr__json_new_object(d);
	assert_true(ctr__json_set(d, d->root, key, ctr__json_new_str(d, text)));
	key[0] = text[0] = 'X';
	is_now(d->root, "{\"key\":\"text\"}");
}

static void wrong_places_are_refused(void **state)
{
	CTR__JSON_DOC struct ctr__json_doc *d = read_text("{\"a\":[1]}");
	struct ctr__json *a = ctr__json_get(d->root, "a");

	(void)state;
	assert_false(ctr__json_set(d, d->root, "x", NULL));
	assert_false(ctr__json_set(d, a, "x", ctr__json_new_null(d)));
	assert_false(ctr__json_set(d, NULL, "x", ctr__json_new_null(d)));
	assert_false(ctr__json_append(d, d->root, ctr__json_new_null(d)));
	assert_false(ctr__json_append(d, a, NULL));
	assert_false(ctr__json_append(d, NULL, ctr__json_new_null(d)));
	assert_false(ctr__json_unset(a, "x"));
	assert_false(ctr__json_unset(NULL, "x"));
	is_now(d->root, "{\"a\":[1]}");
}

static void removes(void **state)
{
	CTR__JSON_DOC struct ctr__json_doc *d = read_text("{\"a\":1,\"b\":2,\"c\":3}");

	(void)state;
	assert_false(ctr__json_unset(d->root, "x"));
	assert_true(ctr__json_unset(d->root, "b"));
	is_now(d->root, "{\"a\":1,\"c\":3}");
	assert_true(ctr__json_unset(d->root, "c"));
	is_now(d->root, "{\"a\":1}");
	assert_true(ctr__json_set(d, d->root, "d", ctr__json_new_i64(d, 4)));
	assert_true(ctr__json_unset(d->root, "a"));
	is_now(d->root, "{\"d\":4}");
	assert_true(ctr__json_unset(d->root, "d"));
	is_now(d->root, "{}");
	assert_true(ctr__json_set(d, d->root, "e", ctr__json_new_i64(d, 5)));
	is_now(d->root, "{\"e\":5}");
}

static void a_loop_may_remove_its_element(void **state)
{
	CTR__JSON_DOC struct ctr__json_doc *d = read_text("[1,2,3,4,5,6]");

	(void)state;
	CTR__JSON_EACH (child, d->root) {
		if (atoi(child->text) % 2 == 0)
			ctr__json_remove(d->root, child);
	}
	is_now(d->root, "[1,3,5]");
	{
		struct ctr__json *gone = d->root->first;

		ctr__json_remove(d->root, gone);
		ctr__json_remove(d->root, gone); /* no longer there */
	}
	is_now(d->root, "[3,5]");
	CTR__JSON_EACH (child, d->root)
		ctr__json_remove(d->root, child);
	is_now(d->root, "[]");
}

static void wanted_containers_are_made(void **state)
{
	CTR__JSON_DOC struct ctr__json_doc *d =
	    read_text("{\"n\":null,\"o\":{\"k\":1},\"s\":\"x\"}");
	struct ctr__json *o;

	(void)state;
	o = ctr__json_want_object(d, d->root, "o");
	assert_ptr_equal(o, ctr__json_get(d->root, "o"));
	assert_null(ctr__json_want_array(d, d->root, "o"));
	assert_null(ctr__json_want_object(d, d->root, "s"));
	assert_non_null(ctr__json_want_array(d, d->root, "n"));
	assert_non_null(ctr__json_want_object(d, ctr__json_want_object(d, d->root, "new"), "er"));
	assert_null(ctr__json_want_object(d, NULL, "x"));
	is_now(d->root, "{\"n\":[],\"o\":{\"k\":1},\"s\":\"x\",\"new\":{\"er\":{}}}");
}

static void a_copy_stands_alone(void **state)
{
	CTR__JSON_DOC struct ctr__json_doc *to = ctr__json_doc_new();
	struct ctr__json_doc *from = read_text("{\"a\":{\"b\":[1,true,null,\"x\"]},\"z\":1}");
	struct ctr__json *c;

	(void)state;
	c = ctr__json_copy(to, ctr__json_get(from->root, "a"));
	assert_non_null(c);
	assert_null(c->key);
	assert_null(c->next);
	ctr__json_doc_free(from);
	is_now(c, "{\"b\":[1,true,null,\"x\"]}");
	assert_null(ctr__json_copy(to, NULL));
	ctr__json_doc_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(builds_a_document),
	    cmocka_unit_test(set_replaces_in_place),
	    cmocka_unit_test(a_key_is_copied),
	    cmocka_unit_test(wrong_places_are_refused),
	    cmocka_unit_test(removes),
	    cmocka_unit_test(a_loop_may_remove_its_element),
	    cmocka_unit_test(wanted_containers_are_made),
	    cmocka_unit_test(a_copy_stands_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
