/* SPDX-License-Identifier: Apache-2.0 */
/* Looking into JSON values. */
#include <stdarg.h>

#include "util/json_internal.h"

struct ctr__json *ctr__json_get(const struct ctr__json *obj, const char *key)
{
	if (!obj || obj->type != CTR__JSON_OBJECT)
		return NULL;
	CTR__JSON_EACH (child, obj) {
		if (strcmp(child->key, key) == 0)
			return child;
	}
	return NULL;
}

struct ctr__json *ctr__json_path(const struct ctr__json *obj, ...)
{
	struct ctr__json *v = (struct ctr__json *)obj;
	const char *key;
	va_list args;

	va_start(args, obj);
	while ((key = va_arg(args, const char *)))
		v = ctr__json_get(v, key);
	va_end(args);
	return v;
}

const char *ctr__json_str(const struct ctr__json *v)
{
	return v && v->type == CTR__JSON_STRING ? v->text : NULL;
}

bool ctr__json_bool(const struct ctr__json *v)
{
	return v && v->type == CTR__JSON_BOOL && v->boolean;
}

bool ctr__json_i64(const struct ctr__json *v, int64_t *out)
{
	return v && v->type == CTR__JSON_NUMBER &&
	       ctr__parse_i64(v->text, INT64_MIN, INT64_MAX, out);
}

bool ctr__json_u64(const struct ctr__json *v, uint64_t *out)
{
	return v && v->type == CTR__JSON_NUMBER && ctr__parse_u64(v->text, UINT64_MAX, out);
}

const char *ctr__json_type_name(enum ctr__json_type t)
{
	switch (t) {
	case CTR__JSON_NULL: return "null";
	case CTR__JSON_BOOL: return "boolean";
	case CTR__JSON_NUMBER: return "number";
	case CTR__JSON_STRING: return "string";
	case CTR__JSON_ARRAY: return "array";
	case CTR__JSON_OBJECT: return "object";
	}
	return "unknown";
}
