/* SPDX-License-Identifier: Apache-2.0 */
/* JSON values as text, and round trips. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "util/cleanup.h"
#include "util/err_object.h"
#include "util/json.h"

static void string_becomes(const char *s, size_t len, const char *expected)
{
	CTR__BUF struct ctr__buf b = {0};

	ctr__json_write_string(s, len, &b);
	assert_false(b.failed);
	assert_string_equal(b.data, expected);
}

static void escapes_what_must_be(void **state)
{
	(void)state;
	string_becomes("", 0, "\"\"");
	string_becomes("a/b", 3, "\"a/b\"");
	string_becomes("\"\\", 2, "\"\\\"\\\\\"");
	string_becomes("\b\f\n\r\t\x01\x1f\x7f", 8, "\"\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\"");
	string_becomes("\xc3\xa4\xf0\x9f\x98\x80", 6, "\"\xc3\xa4\xf0\x9f\x98\x80\"");
	string_becomes("a\0b", 3, "\"a\\u0000b\"");
}

static void replaces_what_is_not_utf8(void **state)
{
	(void)state;
	string_becomes("\xff", 1, "\"\xef\xbf\xbd\"");
	string_becomes("a\xff\xfe\"\xc3", 5, "\"a\xef\xbf\xbd\xef\xbf\xbd\\\"\xef\xbf\xbd\"");
	string_becomes("\xe2\x82", 2, "\"\xef\xbf\xbd\xef\xbf\xbd\"");
}

static void written(const char *text, bool pretty, const char *expected)
{
	CTR__JSON_DOC struct ctr__json_doc *d = NULL;
	CTR__BUF struct ctr__buf b = {0};

	assert_int_equal(ctr__json_parse(text, strlen(text), "t", &d, NULL), 0);
	ctr__json_write(d->root, pretty, &b);
	assert_false(b.failed);
	assert_string_equal(b.data, expected);
}

static void writes_compact_and_pretty(void **state)
{
	static const char text[] =
	    " { \"z\" : [ 1 , { } , [ ] , null ] , \"a\" : { \"b\" : true } } ";

	(void)state;
	written(text, false, "{\"z\":[1,{},[],null],\"a\":{\"b\":true}}");
	written(text, true,
	    "{\n  \"z\": [\n    1,\n    {},\n    [],\n    null\n  ],\n  \"a\": {\n    \"b\": "
	    "true\n  }\n}");
	written("[]", true, "[]");
	written("\"\\u0041\\/\"", false, "\"A/\"");
}

static void appends_to_what_is_there(void **state)
{
	CTR__JSON_DOC struct ctr__json_doc *d = ctr__json_doc_new();
	CTR__BUF struct ctr__buf b = {0};

	(void)state;
	ctr__buf_adds(&b, "x=");
	ctr__json_write(ctr__json_new_bool(d, false), false, &b);
	ctr__json_write(NULL, false, &b);
	assert_string_equal(b.data, "x=falsenull");
}

static void only_the_value_is_written_not_its_siblings(void **state)
{
	static const char text[] = "[1,[2,3],4]";
	CTR__JSON_DOC struct ctr__json_doc *d = NULL;
	CTR__BUF struct ctr__buf b = {0};

	(void)state;
	assert_int_equal(ctr__json_parse(text, strlen(text), "t", &d, NULL), 0);
	ctr__json_write(d->root->first->next, false, &b);
	assert_string_equal(b.data, "[2,3]");
}

static void refuses_what_could_not_be_read_back(void **state)
{
	for (size_t levels = CTR__JSON_MAX_DEPTH; levels <= CTR__JSON_MAX_DEPTH + 1; levels++) {
		CTR__JSON_DOC struct ctr__json_doc *d = ctr__json_doc_new(), *back = NULL;
		CTR__BUF struct ctr__buf b = {0};
		struct ctr__json *v = ctr__json_new_array(d);

		for (size_t i = 1; i < levels; i++) {
			struct ctr__json *outer = ctr__json_new_array(d);

			assert_true(ctr__json_append(d, outer, v));
			v = outer;
		}
		ctr__json_write(v, false, &b);
		assert_int_equal(b.failed, levels > CTR__JSON_MAX_DEPTH);
		if (!b.failed)
			assert_int_equal(ctr__json_parse(b.data, b.len, "t", &back, NULL), 0);
		assert_int_equal(ctr__json_copy(d, v) == NULL, levels > CTR__JSON_MAX_DEPTH);
	}
	(void)state;
}

/* ---- random documents in the compact form come out as they went in ---- */

static long dice(long sides)
{
	return random() % sides;
}

static void random_string(struct ctr__buf *b)
{
	static const char *const pieces[] = {"a", "/", " ", "\\\"", "\\\\", "\\n", "\\t", "\\b",
	    "\\f", "\\r", "\\u0001", "\\u001f", "\x7f", "\xc3\xa4", "\xe2\x82\xac",
	    "\xf0\x9f\x98\x80", "[", "}", ",", ":", "u0000", "'"};

	for (long n = dice(12); n > 0; n--)
		ctr__buf_adds(b, pieces[dice((long)CTR__ARRAY_SIZE(pieces))]);
}

static void random_number(struct ctr__buf *b)
{
	ctr__buf_addf(b, "%s%ld", dice(2) ? "-" : "", dice(3) ? dice(1000) : 0);
	if (dice(3) == 0)
		ctr__buf_addf(b, ".%03ld", dice(1000));
	if (dice(4) == 0)
		ctr__buf_addf(b, "%c%s%02ld", dice(2) ? 'e' : 'E', dice(2) ? "+" : "-", dice(100));
}

static void random_value(struct ctr__buf *b, int depth)
{
	static const char *const words[] = {"null", "true", "false"};
	long kind = dice(depth > 0 ? 7 : 4), n = dice(14);

	if (kind == 0) {
		ctr__buf_adds(b, words[dice(3)]);
	} else if (kind == 1) {
		random_number(b);
	} else if (kind <= 3) {
		ctr__buf_addc(b, '"');
		random_string(b);
		ctr__buf_addc(b, '"');
	} else if (kind == 4) {
		ctr__buf_addc(b, '[');
		for (long i = 0; i < n; i++) {
			ctr__buf_adds(b, i ? "," : "");
			random_value(b, depth - 1);
		}
		ctr__buf_addc(b, ']');
	} else {
		ctr__buf_addc(b, '{');
		for (long i = 0; i < n; i++) {
			ctr__buf_addf(b, "%s\"%ld=", i ? "," : "", i);
			random_string(b); /* the number in front makes it unique */
			ctr__buf_adds(b, "\":");
			random_value(b, depth - 1);
		}
		ctr__buf_addc(b, '}');
	}
}

static void reread(struct ctr__buf *b, struct ctr__json_doc **d)
{
	CTR__ERROR ctr_error_t *err = NULL;

	if (ctr__json_parse(b->data, b->len, "t", d, &err) < 0)
		fail_msg("%s: %s", b->data, err->message);
}

static void random_documents_survive(void **state)
{
	(void)state;
	srandom(5);
	for (int i = 0; i < 500; i++) {
		CTR__BUF struct ctr__buf text = {0}, compact = {0}, pretty = {0}, again = {0},
		                         copy = {0};
		CTR__JSON_DOC struct ctr__json_doc *d = NULL, *d2 = NULL, *d3 = ctr__json_doc_new();

		random_value(&text, 4);
		reread(&text, &d);
		ctr__json_write(d->root, false, &compact);
		assert_string_equal(compact.data, text.data);
		ctr__json_write(d->root, true, &pretty);
		reread(&pretty, &d2);
		ctr__json_write(d2->root, false, &again);
		assert_string_equal(again.data, text.data);
		d3->root = ctr__json_copy(d3, d->root);
		ctr__json_doc_freep(&d);
		ctr__json_write(d3->root, false, &copy);
		assert_string_equal(copy.data, text.data);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(escapes_what_must_be),
	    cmocka_unit_test(replaces_what_is_not_utf8),
	    cmocka_unit_test(writes_compact_and_pretty),
	    cmocka_unit_test(appends_to_what_is_there),
	    cmocka_unit_test(only_the_value_is_written_not_its_siblings),
	    cmocka_unit_test(refuses_what_could_not_be_read_back),
	    cmocka_unit_test(random_documents_survive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
