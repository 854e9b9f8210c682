/* SPDX-License-Identifier: Apache-2.0 */
/* Writing into a JSON document with one check at the end. */
#include "spec/edit.h"

static bool usable(const struct ctr__edit *e, const struct ctr__json *parent)
{
	return !e->failed && parent;
}

static struct ctr__json *set(
    struct ctr__edit *e, struct ctr__json *obj, const char *key, struct ctr__json *v)
{
	if (!v || !ctr__json_set(e->doc, obj, key, v)) {
		e->failed = true;
		return NULL;
	}
	return v;
}

static struct ctr__json *append(struct ctr__edit *e, struct ctr__json *array, struct ctr__json *v)
{
	if (!v || !ctr__json_append(e->doc, array, v)) {
		e->failed = true;
		return NULL;
	}
	return v;
}

void ctr__edit_str(struct ctr__edit *e, struct ctr__json *obj, const char *key, const char *s)
{
	if (usable(e, obj))
		set(e, obj, key, ctr__json_new_str(e->doc, s));
}

void ctr__edit_bool(struct ctr__edit *e, struct ctr__json *obj, const char *key, bool b)
{
	if (usable(e, obj))
		set(e, obj, key, ctr__json_new_bool(e->doc, b));
}

void ctr__edit_i64(struct ctr__edit *e, struct ctr__json *obj, const char *key, int64_t n)
{
	if (usable(e, obj))
		set(e, obj, key, ctr__json_new_i64(e->doc, n));
}

void ctr__edit_u64(struct ctr__edit *e, struct ctr__json *obj, const char *key, uint64_t n)
{
	if (usable(e, obj))
		set(e, obj, key, ctr__json_new_u64(e->doc, n));
}

struct ctr__json *ctr__edit_object(struct ctr__edit *e, struct ctr__json *obj, const char *key)
{
	return usable(e, obj) ? set(e, obj, key, ctr__json_new_object(e->doc)) : NULL;
}

struct ctr__json *ctr__edit_array(struct ctr__edit *e, struct ctr__json *obj, const char *key)
{
	return usable(e, obj) ? set(e, obj, key, ctr__json_new_array(e->doc)) : NULL;
}

void ctr__edit_strv(
    struct ctr__edit *e, struct ctr__json *obj, const char *key, const char *const *v)
{
	struct ctr__json *list = ctr__edit_array(e, obj, key);

	for (; v && *v; v++)
		ctr__edit_add_str(e, list, *v);
}

struct ctr__json *ctr__edit_want_object(struct ctr__edit *e, struct ctr__json *obj, const char *key)
{
	struct ctr__json *v = usable(e, obj) ? ctr__json_want_object(e->doc, obj, key) : NULL;

	if (!v)
		e->failed = true;
	return v;
}

struct ctr__json *ctr__edit_want_array(struct ctr__edit *e, struct ctr__json *obj, const char *key)
{
	struct ctr__json *v = usable(e, obj) ? ctr__json_want_array(e->doc, obj, key) : NULL;

	if (!v)
		e->failed = true;
	return v;
}

void ctr__edit_add_str(struct ctr__edit *e, struct ctr__json *array, const char *s)
{
	if (usable(e, array))
		append(e, array, ctr__json_new_str(e->doc, s));
}

struct ctr__json *ctr__edit_add_object(struct ctr__edit *e, struct ctr__json *array)
{
	return usable(e, array) ? append(e, array, ctr__json_new_object(e->doc)) : NULL;
}
