/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the JSON module share. */
#ifndef LIBCTR_UTIL_JSON_INTERNAL_H
#define LIBCTR_UTIL_JSON_INTERNAL_H

#include "util/json.h"

/* Appends an unattached value to a parent. */
void ctr__json_attach(struct ctr__json *parent, struct ctr__json *child);
/* A new unattached value. */
struct ctr__json *ctr__json_new(struct ctr__json_doc *d, enum ctr__json_type type);

/*
 * A look at the whole text before yajl sees it, for what yajl does not check: UTF-8, depth (yajl grows
 * its stack without end), \u0000, lone surrogates, \f and \v as white space, and an unfinished
 * string behind the end.
 * Everything else is left to yajl.
 */
struct ctr__json_scan {
	size_t longest;    /* length of the longest token */
	size_t offset;     /* of the fault */
	const char *fault; /* what is wrong there, NULL if nothing */
};
void ctr__json_scan_text(const char *text, size_t len, struct ctr__json_scan *out);

/*
 * The member names of one object, to find duplicates: a crit-bit tree, whose cost is bounded by the bytes
 * of the names whatever they are (a hash table can be attacked, a list is quadratic). Start: {0}.
 */
struct ctr__json_keys {
	void *root;
};
enum ctr__json_keys_result { CTR__JSON_KEYS_NEW, CTR__JSON_KEYS_DUPLICATE, CTR__JSON_KEYS_NOMEM };
/* `key` must stay. Nodes come from `arena`. */
enum ctr__json_keys_result ctr__json_keys_add(
    struct ctr__json_keys *k, struct ctr__arena *arena, const char *key);

#endif
