/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON documents that survive a round trip: order of members, unknown members and the texts of numbers
 * are kept. (The only user of yajl.)
 *
 * A document owns all its values (one arena); editing one leaves replaced values in the arena until the
 * document is freed. Values must not be shared between documents: use ctr__json_copy(). Reading a
 * document from several threads is safe as long as nobody edits it.
 */
#ifndef LIBCTR_UTIL_JSON_H
#define LIBCTR_UTIL_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/arena.h"
#include "util/err.h"
#include "util/str.h"

enum ctr__json_type {
	CTR__JSON_NULL,
	CTR__JSON_BOOL,
	CTR__JSON_NUMBER, /* text holds the number as written */
	CTR__JSON_STRING, /* text, len; may contain NUL only if it was escaped in the source: rejected */
	CTR__JSON_ARRAY,
	CTR__JSON_OBJECT
};

struct ctr__json {
	enum ctr__json_type type;
	bool boolean;
	const char *key;                /* member name if the parent is an object, else NULL */
	const char *text;               /* string or number, NUL-terminated */
	size_t len;                     /* of text */
	size_t count;                   /* elements of an array or object */
	struct ctr__json *first, *last; /* children in order */
	struct ctr__json *next;         /* sibling */
};

struct ctr__json_doc {
	struct ctr__arena arena;
	struct ctr__json *root;
};

#define CTR__JSON_MAX_DEPTH 128
#define CTR__JSON_MAX_SIZE  (16U << 20)

/* Parses `len` bytes. Rejects: more than CTR__JSON_MAX_DEPTH levels, more than CTR__JSON_MAX_SIZE bytes,
 * trailing text, invalid UTF-8, NUL characters in strings (\u0000) and keys, lone surrogates, duplicate
 * members of one object. CTR_E_INVALID with line and column; `what` names the document. The doc must be
 * freed with ctr__json_doc_free(). */
int ctr__json_parse(
    const char *text, size_t len, const char *what, struct ctr__json_doc **out, ctr_error_t **err);
struct ctr__json_doc *ctr__json_doc_new(void); /* root NULL; NULL if memory is short */
void ctr__json_doc_free(struct ctr__json_doc *d);
void ctr__json_doc_freep(struct ctr__json_doc **d);
#define CTR__JSON_DOC CTR__CLEANUP(ctr__json_doc_freep)

/* Writes a value, compact or indented by two spaces. Appends to `out`; check out->failed, which is also
 * set if the value has more levels than could be read back. */
void ctr__json_write(const struct ctr__json *v, bool pretty, struct ctr__buf *out);
/* Appends `s` as a JSON string with quotes; bytes that are not UTF-8 become U+FFFD. */
void ctr__json_write_string(const char *s, size_t len, struct ctr__buf *out);

/* ---- reading: NULL-safe, NULL or false if absent or of another type ---- */
struct ctr__json *ctr__json_get(const struct ctr__json *obj, const char *key);
/* Path of member names, e.g. ctr__json_path(root, "linux", "resources", NULL). */
struct ctr__json *ctr__json_path(const struct ctr__json *obj, ...) __attribute__((sentinel));
const char *ctr__json_str(const struct ctr__json *v);
bool ctr__json_bool(const struct ctr__json *v);              /* absent = false */
bool ctr__json_i64(const struct ctr__json *v, int64_t *out); /* an integer in range */
bool ctr__json_u64(const struct ctr__json *v, uint64_t *out);
const char *ctr__json_type_name(enum ctr__json_type t); /* "string", ... */

#define CTR__JSON_EACH(child, parent)                                            \
	for (struct ctr__json *child = (parent) ? (parent)->first : NULL; child; \
	     child = child->next)

/* ---- making and editing: all return NULL / false if memory is short. New values belong to `d` and are
 * not attached yet ---- */
struct ctr__json *ctr__json_new_null(struct ctr__json_doc *d);
struct ctr__json *ctr__json_new_bool(struct ctr__json_doc *d, bool b);
struct ctr__json *ctr__json_new_i64(struct ctr__json_doc *d, int64_t n);
struct ctr__json *ctr__json_new_u64(struct ctr__json_doc *d, uint64_t n);
struct ctr__json *ctr__json_new_str(struct ctr__json_doc *d, const char *s);
struct ctr__json *ctr__json_new_array(struct ctr__json_doc *d);
struct ctr__json *ctr__json_new_object(struct ctr__json_doc *d);
struct ctr__json *ctr__json_copy(struct ctr__json_doc *d, const struct ctr__json *v); /* deep */

/* Sets a member: replaces the value in place, or appends. `v` NULL = memory was short: false. */
bool ctr__json_set(
    struct ctr__json_doc *d, struct ctr__json *obj, const char *key, struct ctr__json *v);
bool ctr__json_append(struct ctr__json_doc *d, struct ctr__json *array, struct ctr__json *v);
/* Removes a member; true if it was there. */
bool ctr__json_unset(struct ctr__json *obj, const char *key);
/* Removes the element/member `child`. */
void ctr__json_remove(struct ctr__json *parent, struct ctr__json *child);
/* The member `key`, an object (array), made if it is absent or null; NULL if memory is short or it is of
 * another type. */
struct ctr__json *ctr__json_want_object(
    struct ctr__json_doc *d, struct ctr__json *obj, const char *key);
struct ctr__json *ctr__json_want_array(
    struct ctr__json_doc *d, struct ctr__json *obj, const char *key);

#endif
