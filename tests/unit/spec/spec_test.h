/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the spec share: documents from text and back. */
#ifndef LIBCTR_TESTS_SPEC_TEST_H
#define LIBCTR_TESTS_SPEC_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "util/cleanup.h"
#include "util/json.h"

/* Parses text in which ' stands for ", so that it can be read in C. */
static inline struct ctr__json_doc *doc_of(const char *text)
{
	CTR__FREE char *copy = strdup(text);
	struct ctr__json_doc *d = NULL;

	assert_non_null(copy);
	for (char *p = copy; *p; p++)
		*p = *p == '\'' ? '"' : *p;
	assert_int_equal(ctr__json_parse(copy, strlen(copy), "test", &d, NULL), 0);
	return d;
}

/* Compares a value with text in which ' stands for ". NULL is "absent". */
static inline void assert_json(const struct ctr__json *v, const char *expected)
{
	CTR__BUF struct ctr__buf b = {0};

	if (v)
		ctr__json_write(v, false, &b);
	else
		ctr__buf_adds(&b, "absent");
	assert_false(b.failed);
	for (char *p = b.data; *p; p++)
		*p = *p == '"' ? '\'' : *p;
	assert_string_equal(b.data, expected);
}

/* A call that must fail with this code and detail "field". */
#define ASSERT_FAILS(call, code, at)                                   \
	do {                                                           \
		CTR__ERROR ctr_error_t *e_ = NULL;                     \
		ctr_error_t **err = &e_;                               \
		assert_int_equal((call), (code));                      \
		assert_non_null(e_);                                   \
		assert_int_equal(ctr_error_code(e_), (code));          \
		assert_non_null(ctr_error_get(e_, "field"));           \
		assert_string_equal(ctr_error_get(e_, "field"), (at)); \
		assert_true(strlen(ctr_error_message(e_)) > 0);        \
	} while (0)

#endif
