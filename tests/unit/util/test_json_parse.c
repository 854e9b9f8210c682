/* SPDX-License-Identifier: Apache-2.0 */
/* Text -> JSON document: what is read, and what is refused and how. */
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

static struct ctr__json_doc *read_text(const char *text, size_t len)
{
	CTR__ERROR ctr_error_t *err = NULL;
	struct ctr__json_doc *d = NULL;

	if (ctr__json_parse(text, len, "test", &d, &err) < 0)
		fail_msg("%.100s: %s", text, err->message);
	return d;
}

/* The text is refused with a message that contains `reason`, and nothing is handed over. */
static void refused_n(const char *text, size_t len, const char *reason)
{
	CTR__ERROR ctr_error_t *err = NULL;
	struct ctr__json_doc *d = NULL;
	/* A copy of the exact size, so that reading past the end is found. */
	CTR__FREE char *copy = malloc(len + !len);

	assert_non_null(copy);
	memcpy(copy, text, len);
	if (ctr__json_parse(copy, len, "test", &d, &err) != CTR_E_INVALID)
		fail_msg("accepted: %.100s", text);
	assert_null(d);
	assert_int_equal(err->code, CTR_E_INVALID);
	if (!strstr(err->message, reason))
		fail_msg("%.100s: %s (expected: %s)", text, err->message, reason);
	assert_null(strchr(err->message, '\n'));
	assert_int_equal(ctr__json_parse(copy, len, NULL, &d, NULL), CTR_E_INVALID);
}

static void refused(const char *text, const char *reason)
{
	refused_n(text, strlen(text), reason);
}

static void reads_every_type(void **state)
{
	static const char text[] = " {\"n\":null,\"t\":true,\"f\":false,\"i\":-12,\"s\":\"x\","
	                           "\"a\":[1,[],{}],\"o\":{\"k\":\"v\"}}\n";
	CTR__JSON_DOC struct ctr__json_doc *d = read_text(text, strlen(text));
	static const enum ctr__json_type types[] = {CTR__JSON_NULL, CTR__JSON_BOOL, CTR__JSON_BOOL,
	    CTR__JSON_NUMBER, CTR__JSON_STRING, CTR__JSON_ARRAY, CTR__JSON_OBJECT};
	const struct ctr__json *a;
	size_t i = 0;

	(void)state;
	assert_int_equal(d->root->type, CTR__JSON_OBJECT);
	assert_int_equal(d->root->count, 7);
	CTR__JSON_EACH (child, d->root)
		assert_int_equal(child->type, types[i++]);
	assert_int_equal(i, 7);
	assert_true(ctr__json_bool(ctr__json_get(d->root, "t")));
	assert_false(ctr__json_bool(ctr__json_get(d->root, "f")));
	assert_string_equal(ctr__json_str(ctr__json_get(d->root, "s")), "x");
	assert_string_equal(ctr__json_str(ctr__json_path(d->root, "o", "k", NULL)), "v");
	a = ctr__json_get(d->root, "a");
	assert_int_equal(a->count, 3);
	assert_null(a->first->key);
	assert_ptr_equal(a->last, a->first->next->next);
}

static void a_scalar_is_a_document(void **state)
{
	static const char *const texts[] = {
	    "null", "true", "false", "0", "-1.5e+3", "\"\"", "[]", "{}"};

	(void)state;
	for (size_t i = 0; i < CTR__ARRAY_SIZE(texts); i++) {
		CTR__JSON_DOC struct ctr__json_doc *d = read_text(texts[i], strlen(texts[i]));

		assert_non_null(d->root);
		assert_null(d->root->key);
		assert_null(d->root->next);
	}
}

static void reading_is_safe_whatever_is_there(void **state)
{
	static const char text[] = "{\"s\":\"x\",\"a\":[true],\"n\":null}";
	CTR__JSON_DOC struct ctr__json_doc *d = read_text(text, strlen(text));
	int64_t i = 42;
	uint64_t u = 42;

	(void)state;
	assert_null(ctr__json_get(NULL, "a"));
	assert_null(ctr__json_get(d->root, "zzz"));
	assert_null(ctr__json_get(ctr__json_get(d->root, "a"), "a"));
	assert_null(ctr__json_path(d->root, "s", "x", "y", NULL));
	assert_null(ctr__json_path(NULL, "s", NULL));
	assert_ptr_equal(ctr__json_path(d->root, NULL), d->root);
	assert_null(ctr__json_str(NULL));
	assert_null(ctr__json_str(d->root));
	assert_false(ctr__json_bool(NULL));
	assert_false(ctr__json_bool(ctr__json_get(d->root, "s")));
	assert_false(ctr__json_i64(NULL, &i));
	assert_false(ctr__json_i64(ctr__json_get(d->root, "s"), &i));
	assert_false(ctr__json_u64(NULL, &u));
	assert_int_equal(i, 42);
	assert_int_equal(u, 42);
	CTR__JSON_EACH (child, (struct ctr__json *)NULL)
		fail_msg("%p", (void *)child);
}

static void numbers_keep_their_text(void **state)
{
	static const char *const texts[] = {"0", "-0", "-0.0", "1e400", "1E+5", "2.50",
	    "18446744073709551615", "123456789012345678901234567890", "0.1000", "-9.99e-99"};

	(void)state;
	for (size_t i = 0; i < CTR__ARRAY_SIZE(texts); i++) {
		CTR__JSON_DOC struct ctr__json_doc *d = read_text(texts[i], strlen(texts[i]));

		assert_int_equal(d->root->type, CTR__JSON_NUMBER);
		assert_string_equal(d->root->text, texts[i]);
		assert_int_equal(d->root->len, strlen(texts[i]));
	}
}

static void integers_are_exact_or_refused(void **state)
{
	static const char text[] = "[18446744073709551615,18446744073709551616,9223372036854775807,"
	                           "9223372036854775808,-9223372036854775808,-9223372036854775809,"
	                           "1.0,1e3,-0]";
	static const bool fits_i64[] = {false, false, true, false, true, false, false, false, true};
	static const bool fits_u64[] = {true, false, true, true, false, false, false, false, false};
	CTR__JSON_DOC struct ctr__json_doc *d = read_text(text, strlen(text));
	size_t at = 0;

	(void)state;
	CTR__JSON_EACH (v, d->root) {
		int64_t i = 42;
		uint64_t u = 42;

		assert_int_equal(ctr__json_i64(v, &i), fits_i64[at]);
		assert_int_equal(ctr__json_u64(v, &u), fits_u64[at]);
		if (at == 0)
			assert_true(u == UINT64_MAX);
		if (at == 2)
			assert_true(i == INT64_MAX);
		if (at == 4)
			assert_true(i == INT64_MIN);
		at++;
	}
	assert_int_equal(at, CTR__ARRAY_SIZE(fits_i64));
}

static void escapes_become_characters(void **state)
{
	static const char text[] =
	    "\"\\\"\\\\\\/"
	    "\\b\\f\\n\\r\\t\\u0041\\u00e4\\u20AC\\ud83d\\ude00\\uDBFF\\uDFFF\\u007f\"";
	CTR__JSON_DOC struct ctr__json_doc *d = read_text(text, strlen(text));

	(void)state;
	assert_string_equal(d->root->text, "\"\\/\b\f\n\r\tA\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"
	                                   "\xf4\x8f\xbf\xbf\x7f");
	assert_int_equal(d->root->len, strlen(d->root->text));
}

static void every_escaped_character_is_read_right(void **state)
{
	(void)state;
	for (unsigned int c = 1; c < 0x10000; c++) {
		CTR__JSON_DOC struct ctr__json_doc *d = NULL;
		bool surrogate = c >= 0xd800 && c <= 0xdfff;
		char text[16], utf8[4] = "";

		(void)snprintf(text, sizeof(text), "\"\\u%04x\"", c);
		assert_int_equal(
		    ctr__json_parse(text, 8, "t", &d, NULL), surrogate ? CTR_E_INVALID : 0);
		if (surrogate)
			continue;
		if (c < 0x80) {
			utf8[0] = (char)c;
		} else if (c < 0x800) {
			utf8[0] = (char)(0xc0 | c >> 6);
			utf8[1] = (char)(0x80 | (c & 0x3f));
		} else {
			utf8[0] = (char)(0xe0 | c >> 12);
			utf8[1] = (char)(0x80 | (c >> 6 & 0x3f));
			utf8[2] = (char)(0x80 | (c & 0x3f));
		}
		assert_string_equal(d->root->text, utf8);
	}
}

static void refuses_what_is_not_json(void **state)
{
	static const char *const bad[] = {"", " ", "\n", "{", "}", "[", "]", "[1", "[1,", "[1,]",
	    "[,1]", "[1 2]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{,}", "{a:1}", "{1:2}",
	    "{\"a\" 1}", "[1}", "{\"a\":1]", "nul", "nullx", "True", "NaN", "Infinity", "-Infinity",
	    "undefined", "'a'", "+1", "01", "-", "-01", "1.", ".5", "1e", "1e+", "0x10", "1_000",
	    "1,2", "\"", "\"abc", "\"\\\"", "\"\\", "\"\\q\"", "\"\\u12\"", "\"\\u12g4\"",
	    "\"\\U0041\"", "\"a\nb\"", "\"a\tb\"", "\"\x1f\"", "/* x */ 1", "1 // x", "# x\n1",
	    "[1] /*", "\xef\xbb\xbf[]", "{}{}", "[]]", "{\"a\":1}}", "\"a\" \"", "\"a\" \"b\"",
	    "1 2", "[] x", "[] {", "{} [1", "null n", "1 -", "[1,2],", ":", ",", "[:]", "[\"a\":1]",
	    "{\"a\",\"b\"}", "{\"a\"::1}", "\"a\" :1", "\x0c[]", "[\x0b]", "1\x0c", "[1\x0c]"};

	(void)state;
	for (size_t i = 0; i < CTR__ARRAY_SIZE(bad); i++)
		refused(bad[i], "test: line ");
}

static void says_where(void **state)
{
	(void)state;
	refused("", "test: line 1, column 1: premature EOF");
	refused("[1,\n2", "line 2, column 2: premature EOF");
	refused("[1,]", "line 1, column 4: unallowed token");
	refused("{\"a\":1,\n \"\xc3\xa4\":x}", "line 2, column 6: invalid char");
	refused("{}\n\n  x", "line 3, column 3: text after the end");
	refused("{\"a\":1,\n \"b\\\"\":2, \"b\\u0022\":3}",
	    "line 2, column 11: duplicate member \"b\"\"");
	refused("[\"\xc3\xa4\",\"\xff\"]", "line 1, column 7: invalid UTF-8");
}

static void refuses_bad_unicode(void **state)
{
	(void)state;
	refused("\"\xff\"", "invalid UTF-8");
	refused("\"\xc3\"", "invalid UTF-8");
	refused("\"\xc0\x80\"", "invalid UTF-8");
	refused("\"\xed\xa0\x80\"", "invalid UTF-8");
	refused("{\"\xff\":1}", "invalid UTF-8");
	refused("[1,\xe2\x82]", "invalid UTF-8");
	refused_n("\"a\0b\"", 5, "NUL byte");
	refused_n("1\0", 2, "NUL byte");
	refused("\"\\u0000\"", "NUL character");
	refused("{\"a\\u0000b\":1}", "NUL character");
	refused("\"\\ud800\"", "lone surrogate");
	refused("\"\\udc00\"", "lone surrogate");
	refused("\"\\ud800\\ud800\"", "lone surrogate");
	refused("\"\\ud800\\u0041\"", "lone surrogate");
	refused("\"\\ud800x\"", "lone surrogate");
	refused("\"\\ud800\\n\"", "lone surrogate");
	refused("{\"\\udfff\":1}", "lone surrogate");
	refused("\"\\ud83d\\ude00\\ude00\"", "lone surrogate");
	refused("\"\\ud800", "lone surrogate");
	refused("\"\\ud800\\u", "lone surrogate");
}

static void only_real_escapes_count(void **state)
{
	static const char text[] = "[\"\\\\u0000\",\"\\\\ud800\",\"\\\\\\\\u0000\"]";
	CTR__JSON_DOC struct ctr__json_doc *d = read_text(text, strlen(text));

	(void)state;
	assert_string_equal(d->root->first->text, "\\u0000");
	assert_string_equal(d->root->last->text, "\\\\u0000");
	refused("\"\\\\\\u0000\"", "NUL character");
}

static char *nested(size_t levels, const char *open, const char *close, size_t *len)
{
	struct ctr__buf b = {0};

	for (size_t i = 0; i < levels; i++)
		ctr__buf_adds(&b, open);
	for (size_t i = 0; i < levels; i++)
		ctr__buf_adds(&b, close);
	*len = b.len;
	return ctr__buf_steal(&b);
}

static void depth_is_limited(void **state)
{
	static const size_t good[] = {1, 2, 127, 128}, bad[] = {129, 130, 1000, 1000000};

	(void)state;
	for (size_t i = 0; i < CTR__ARRAY_SIZE(good); i++) {
		size_t len;
		CTR__FREE char *text = nested(good[i], "[", "]", &len);
		CTR__JSON_DOC struct ctr__json_doc *d = read_text(text, len);

		assert_non_null(d);
	}
	for (size_t i = 0; i < CTR__ARRAY_SIZE(bad); i++) {
		size_t len;
		CTR__FREE char *text = nested(bad[i], "[", "]", &len);

		refused_n(text, len, "column 129: nested too deeply");
	}
	{
		size_t len;
		CTR__FREE char *text = nested(100000, "{\"a\":", "}", &len);

		refused_n(text, len, "nested too deeply");
	}
	refused("{\"[[[[\":\"]]]]]\"", "premature EOF"); /* brackets in strings do not count */
}

static void size_is_limited(void **state)
{
	size_t len = CTR__JSON_MAX_SIZE;
	CTR__FREE char *text = malloc(len + 1);
	struct ctr__json_doc *d = NULL;

	(void)state;
	assert_non_null(text);
	memset(text, ' ', len + 1);
	text[len - 1] = '7';
	assert_int_equal(ctr__json_parse(text, len + 1, "big", &d, NULL), CTR_E_INVALID);
	assert_int_equal(ctr__json_parse(text, len, "big", &d, NULL), 0);
	ctr__json_doc_freep(&d);
	assert_null(d);
	/* One string as long as that: yajl's buffers must fit into what they were given. */
	memset(text, 'a', len);
	memcpy(text + 1, "\\n", 2);
	text[0] = text[len - 1] = '"';
	assert_int_equal(ctr__json_parse(text, len, "big", &d, NULL), 0);
	assert_int_equal(d->root->len, len - 3);
	ctr__json_doc_freep(&d);
	text[len - 1] = 'a';
	assert_int_equal(ctr__json_parse(text, len, "big", &d, NULL), CTR_E_INVALID);
	/* And a number. */
	memset(text, '1', len);
	assert_int_equal(ctr__json_parse(text, len, "big", &d, NULL), 0);
	assert_int_equal(d->root->len, len);
	ctr__json_doc_freep(&d);
}

static void long_strings_of_every_size(void **state)
{
	(void)state;
	for (size_t n = 1; n < 20000; n += 1 + n / 7) {
		CTR__BUF struct ctr__buf b = {0};
		CTR__JSON_DOC struct ctr__json_doc *d = NULL;

		ctr__buf_adds(&b, "[\"");
		for (size_t i = 0; i < n; i++)
			ctr__buf_adds(&b, "\\n");
		ctr__buf_adds(&b, "\"]");
		d = read_text(b.data, b.len);
		assert_int_equal(d->root->first->len, n);
		assert_int_equal(strspn(d->root->first->text, "\n"), n);
		ctr__buf_adds(&b, ",\"");
		refused_n(b.data, b.len, "text after the end");
		refused_n(b.data, n + 2, "test: line 1");
	}
}

static void duplicates_are_refused_at_any_place(void **state)
{
	(void)state;
	refused("{\"a\":1,\"a\":1}", "duplicate member \"a\"");
	refused("{\"\":1,\"\":1}", "duplicate member \"\"");
	refused("[{\"x\":{\"a\":1,\"b\":2,\"a\":{}}}]", "duplicate member \"a\"");
	refused("{\"a\\n\":1,\"a\\u000a\":1}", "duplicate member \"a \"");
	for (int members = 1; members < 40; members++) {
		for (int again = 0; again < members; again++) {
			CTR__BUF struct ctr__buf b = {0};
			CTR__JSON_DOC struct ctr__json_doc *d = NULL;
			char expected[64];

			ctr__buf_addc(&b, '{');
			for (int i = 0; i < members; i++)
				ctr__buf_addf(&b, "%s\"key%d\":{\"key%d\":0}", i ? "," : "", i, i);
			ctr__buf_addf(&b, "}");
			d = read_text(b.data, b.len);
			assert_int_equal(d->root->count, members);
			b.len--;
			ctr__buf_addf(&b, ",\"key%d\":1}", again);
			(void)snprintf(
			    expected, sizeof(expected), "duplicate member \"key%d\"", again);
			refused_n(b.data, b.len, expected);
		}
	}
}

static void many_members_are_no_problem(void **state)
{
	enum { N = 200000 };
	CTR__BUF struct ctr__buf b = {0};
	CTR__JSON_DOC struct ctr__json_doc *d = NULL;

	(void)state;
	ctr__buf_addc(&b, '{');
	for (int i = 0; i < N; i++)
		ctr__buf_addf(&b, "%s\"%x\":%d", i ? "," : "", i, i);
	ctr__buf_addc(&b, '}');
	d = read_text(b.data, b.len);
	assert_int_equal(d->root->count, N);
	b.len--;
	ctr__buf_adds(&b, ",\"7f\":0}");
	refused_n(b.data, b.len, "duplicate member \"7f\"");
}

/* Any text may come in: no crash, and what is accepted survives a round trip. */
static void torture(const char *text, size_t len)
{
	CTR__FREE char *copy = malloc(len + !len);
	CTR__JSON_DOC struct ctr__json_doc *d = NULL, *again = NULL;
	CTR__BUF struct ctr__buf first = {0}, second = {0};

	assert_non_null(copy);
	memcpy(copy, text, len);
	if (ctr__json_parse(copy, len, "t", &d, NULL) < 0)
		return;
	ctr__json_write(d->root, false, &first);
	assert_false(first.failed);
	assert_int_equal(ctr__json_parse(first.data, first.len, "t", &again, NULL), 0);
	ctr__json_write(again->root, false, &second);
	assert_string_equal(first.data, second.data);
}

static void damaged_texts_do_no_harm(void **state)
{
	static const char text[] = "{\"ociVersion\":\"1.0.2\",\"process\":{\"args\":[\"/bin/"
	                           "sh\",\"-c\",\"echo \\\"\\u00e4\\ud83d"
	                           "\\ude00\\\"\"],\"rlimits\":[{\"hard\":18446744073709551615,"
	                           "\"soft\":-1.5e+3}]},\"n\":null,"
	                           "\"t\":[true,false,{},[]],\"\xc3\xa4\":\"\xf0\x9f\x98\x80\"}";
	size_t len = strlen(text);
	static const char nasty[] = "\"\\{}[]:,0-.eEu \n\xff\xc3\x80tfn";

	(void)state;
	srandom(7);
	for (size_t cut = 0; cut <= len; cut++)
		torture(text, cut);
	for (int i = 0; i < 10000; i++) {
		char copy[sizeof(text)];

		memcpy(copy, text, len);
		for (long n = random() % 4; n >= 0; n--)
			copy[(size_t)random() % len] =
			    nasty[(size_t)random() % (sizeof(nasty) - 1)];
		torture(copy, len);
	}
}

static void random_bytes_do_no_harm(void **state)
{
	static const char alphabet[] = "{}[]:,\"\\ud800dc1e+-. tfnull";

	(void)state;
	srandom(8);
	for (int i = 0; i < 20000; i++) {
		char text[24];
		size_t len = (size_t)random() % sizeof(text);

		for (size_t j = 0; j < len; j++)
			text[j] = i % 2 ? alphabet[(size_t)random() % (sizeof(alphabet) - 1)]
			                : (char)random();
		torture(text, len);
	}
}

static void type_names(void **state)
{
	(void)state;
	assert_string_equal(ctr__json_type_name(CTR__JSON_STRING), "string");
	assert_string_equal(ctr__json_type_name(CTR__JSON_OBJECT), "object");
	assert_string_equal(ctr__json_type_name((enum ctr__json_type)99), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reads_every_type),
	    cmocka_unit_test(a_scalar_is_a_document),
	    cmocka_unit_test(reading_is_safe_whatever_is_there),
	    cmocka_unit_test(numbers_keep_their_text),
	    cmocka_unit_test(integers_are_exact_or_refused),
	    cmocka_unit_test(escapes_become_characters),
	    cmocka_unit_test(every_escaped_character_is_read_right),
	    cmocka_unit_test(refuses_what_is_not_json),
	    cmocka_unit_test(says_where),
	    cmocka_unit_test(refuses_bad_unicode),
	    cmocka_unit_test(only_real_escapes_count),
	    cmocka_unit_test(depth_is_limited),
	    cmocka_unit_test(size_is_limited),
	    cmocka_unit_test(long_strings_of_every_size),
	    cmocka_unit_test(duplicates_are_refused_at_any_place),
	    cmocka_unit_test(many_members_are_no_problem),
	    cmocka_unit_test(damaged_texts_do_no_harm),
	    cmocka_unit_test(random_bytes_do_no_harm),
	    cmocka_unit_test(type_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
