/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON written straight into a buffer, member by member, for documents of a fixed shape. Commas come by
 * themselves. `key` is NULL for an element of an array. Whatever the strings hold, the text is valid JSON in
 * valid UTF-8. Check out->failed at the end.
 */
#ifndef LIBCTR_UTIL_JSON_EMIT_H
#define LIBCTR_UTIL_JSON_EMIT_H

#include "util/json.h"

void ctr__emit_object(struct ctr__buf *out, const char *key);
void ctr__emit_object_end(struct ctr__buf *out);
void ctr__emit_array(struct ctr__buf *out, const char *key);
void ctr__emit_array_end(struct ctr__buf *out);

void ctr__emit_null(struct ctr__buf *out, const char *key);
void ctr__emit_bool(struct ctr__buf *out, const char *key, bool b);
void ctr__emit_i64(struct ctr__buf *out, const char *key, int64_t n);
void ctr__emit_u64(struct ctr__buf *out, const char *key, uint64_t n);
void ctr__emit_str(struct ctr__buf *out, const char *key, const char *s); /* NULL is "" */
void ctr__emit_time(struct ctr__buf *out, const char *key, int64_t ns);   /* RFC 3339 */
void ctr__emit_json(struct ctr__buf *out, const char *key, const struct ctr__json *v);
/* `json` is the text of a JSON value. */
void ctr__emit_text(struct ctr__buf *out, const char *key, const char *json, size_t len);

/* The same, but nothing at all for NULL, "", false, 0. */
void ctr__emit_some_str(struct ctr__buf *out, const char *key, const char *s);
void ctr__emit_some_bool(struct ctr__buf *out, const char *key, bool b);
void ctr__emit_some_i64(struct ctr__buf *out, const char *key, int64_t n);

#endif
