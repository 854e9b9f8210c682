/* SPDX-License-Identifier: Apache-2.0 */
/* Strings: a growing buffer, formatted copies, NULL-terminated lists. */
#ifndef LIBCTR_UTIL_STR_H
#define LIBCTR_UTIL_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "util/err.h"

/* A growing buffer, always NUL-terminated once something was added. Failed allocations set `failed`
 * and make later calls do nothing, so one check at the end is enough. Start: {0}. */
struct ctr__buf {
	char *data;
	size_t len;
	size_t cap;
	bool failed;
};

void ctr__buf_add(struct ctr__buf *b, const void *data, size_t len);
void ctr__buf_adds(struct ctr__buf *b, const char *s);
void ctr__buf_addc(struct ctr__buf *b, char c);
void ctr__buf_addf(struct ctr__buf *b, const char *fmt, ...) CTR__PRINTF(2, 3);
void ctr__buf_free(struct ctr__buf *b);
#define CTR__BUF CTR__CLEANUP(ctr__buf_free)

/* The text ("" if nothing was added), now owned by the caller; NULL if an allocation failed. */
char *ctr__buf_steal(struct ctr__buf *b);

/* malloc'ed text; NULL if memory is short. */
char *ctr__format(const char *fmt, ...) CTR__PRINTF(1, 2);
char *ctr__strdup_null(const char *s); /* NULL for NULL */
/* A copy of `len` bytes with a NUL behind it. They need not have one themselves, nor may there be one in them. */
char *ctr__strdup_len(const char *s, size_t len);

/* "dir/name"; no second slash if `dir` ends in one; just "name" if `dir` is "". */
char *ctr__path_join(const char *dir, const char *name);

static inline bool ctr__streq(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static inline bool ctr__starts_with(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

/* NULL-terminated lists. Those returned are malloc'ed, to be freed with ctr__strv_free(); NULL if memory is
 * short. A NULL list counts as an empty one. */
void ctr__strv_free(char **v);
size_t ctr__strv_len(const char *const *v);
char **ctr__strv_copy(const char *const *v);
/* Appends a copy of `s`; false if memory is short (the list is then unchanged). */
bool ctr__strv_add(char ***v, const char *s);
bool ctr__strv_has(const char *const *v, const char *s);
/* Splits at each `sep`; empty pieces are kept, so "" gives one empty piece. */
char **ctr__strv_split(const char *s, char sep);
/* Sorts and removes duplicates. */
void ctr__strv_sort_unique(char **v);

/* Decimal text -> number. False unless all of it is a number in range. */
bool ctr__parse_i64(const char *s, int64_t min, int64_t max, int64_t *out);
bool ctr__parse_u64(const char *s, uint64_t max, uint64_t *out);

/* How many bytes at the start are valid UTF-8 without NUL. */
size_t ctr__utf8_span(const char *s, size_t len);
/* Is all of it valid UTF-8 without NUL? */
bool ctr__utf8_valid(const char *s, size_t len);

#endif
