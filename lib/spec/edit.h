/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing into a JSON document without a check after every value: the first failed allocation is
 * remembered, everything after it does nothing, and NULL parents are ignored.
 */
#ifndef LIBCTR_SPEC_EDIT_H
#define LIBCTR_SPEC_EDIT_H

#include <stdbool.h>
#include <stdint.h>

#include "util/json.h"

struct ctr__edit {
	struct ctr__json_doc *doc;
	bool failed; /* memory was short */
};

/* Members of an object; one that is there already is replaced. */
void ctr__edit_str(struct ctr__edit *e, struct ctr__json *obj, const char *key, const char *s);
void ctr__edit_bool(struct ctr__edit *e, struct ctr__json *obj, const char *key, bool b);
void ctr__edit_i64(struct ctr__edit *e, struct ctr__json *obj, const char *key, int64_t n);
void ctr__edit_u64(struct ctr__edit *e, struct ctr__json *obj, const char *key, uint64_t n);
struct ctr__json *ctr__edit_object(struct ctr__edit *e, struct ctr__json *obj, const char *key);
struct ctr__json *ctr__edit_array(struct ctr__edit *e, struct ctr__json *obj, const char *key);
/* A list of strings; `v` is NULL-terminated or NULL. */
void ctr__edit_strv(
    struct ctr__edit *e, struct ctr__json *obj, const char *key, const char *const *v);

/* The member, made if it is absent or null. */
struct ctr__json *ctr__edit_want_object(
    struct ctr__edit *e, struct ctr__json *obj, const char *key);
struct ctr__json *ctr__edit_want_array(struct ctr__edit *e, struct ctr__json *obj, const char *key);

/* One more element of an array. */
void ctr__edit_add_str(struct ctr__edit *e, struct ctr__json *array, const char *s);
struct ctr__json *ctr__edit_add_object(struct ctr__edit *e, struct ctr__json *array);

#endif
