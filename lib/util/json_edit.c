/* SPDX-License-Identifier: Apache-2.0 */
/* Making and changing JSON documents. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "util/json_internal.h"

struct ctr__json_doc *ctr__json_doc_new(void)
{
	return calloc(1, sizeof(struct ctr__json_doc));
}

void ctr__json_doc_free(struct ctr__json_doc *d)
{
	int saved = errno;

	if (!d)
		return;
	ctr__arena_free(&d->arena);
	free(d);
	errno = saved;
}

void ctr__json_doc_freep(struct ctr__json_doc **d)
{
	ctr__json_doc_free(*d);
	*d = NULL;
}

struct ctr__json *ctr__json_new(struct ctr__json_doc *d, enum ctr__json_type type)
{
	struct ctr__json *v = ctr__arena_alloc(&d->arena, sizeof(*v));

	if (v)
		v->type = type;
	return v;
}

static struct ctr__json *new_text(
    struct ctr__json_doc *d, enum ctr__json_type type, const char *text, size_t len)
{
	struct ctr__json *v = ctr__json_new(d, type);

	if (!v)
		return NULL;
	v->text = ctr__arena_strndup(&d->arena, text, len);
	v->len = len;
	return v->text ? v : NULL;
}

struct ctr__json *ctr__json_new_null(struct ctr__json_doc *d)
{
	return ctr__json_new(d, CTR__JSON_NULL);
}

struct ctr__json *ctr__json_new_bool(struct ctr__json_doc *d, bool b)
{
	struct ctr__json *v = ctr__json_new(d, CTR__JSON_BOOL);

	if (v)
		v->boolean = b;
	return v;
}

struct ctr__json *ctr__json_new_i64(struct ctr__json_doc *d, int64_t n)
{
	char text[24];
	int len = snprintf(text, sizeof(text), "%" PRId64, n);

	return new_text(d, CTR__JSON_NUMBER, text, (size_t)len);
}

struct ctr__json *ctr__json_new_u64(struct ctr__json_doc *d, uint64_t n)
{
	char text[24];
	int len = snprintf(text, sizeof(text), "%" PRIu64, n);

	return new_text(d, CTR__JSON_NUMBER, text, (size_t)len);
}

struct ctr__json *ctr__json_new_str(struct ctr__json_doc *d, const char *s)
{
	return new_text(d, CTR__JSON_STRING, s, strlen(s));
}

struct ctr__json *ctr__json_new_array(struct ctr__json_doc *d)
{
	return ctr__json_new(d, CTR__JSON_ARRAY);
}

struct ctr__json *ctr__json_new_object(struct ctr__json_doc *d)
{
	return ctr__json_new(d, CTR__JSON_OBJECT);
}

void ctr__json_attach(struct ctr__json *parent, struct ctr__json *child)
{
	child->next = NULL;
	if (parent->last)
		parent->last->next = child;
	else
		parent->first = child;
	parent->last = child;
	parent->count++;
}

static struct ctr__json *copy(
    struct ctr__json_doc *d, const struct ctr__json *v, unsigned int depth);

static bool copy_children(
    struct ctr__json_doc *d, struct ctr__json *to, const struct ctr__json *from, unsigned int depth)
{
	if (depth > CTR__JSON_MAX_DEPTH)
		return false;
	CTR__JSON_EACH (child, from) {
		struct ctr__json *c = copy(d, child, depth);

		if (!c)
			return false;
		c->key = ctr__arena_strdup(&d->arena, child->key);
		if (child->key && !c->key)
			return false;
		ctr__json_attach(to, c);
	}
	return true;
}

static struct ctr__json *copy(
    struct ctr__json_doc *d, const struct ctr__json *v, unsigned int depth)
{
	struct ctr__json *c;

	if (v->type == CTR__JSON_STRING || v->type == CTR__JSON_NUMBER)
		return new_text(d, v->type, v->text, v->len);
	c = ctr__json_new(d, v->type);
	if (!c)
		return NULL;
	c->boolean = v->boolean;
	if (v->type == CTR__JSON_ARRAY || v->type == CTR__JSON_OBJECT)
		return copy_children(d, c, v, depth + 1) ? c : NULL;
	return c;
}

struct ctr__json *ctr__json_copy(struct ctr__json_doc *d, const struct ctr__json *v)
{
	return v ? copy(d, v, 0) : NULL;
}

/* Puts `v` where `old`, a child of `parent`, is. */
static void replace(struct ctr__json *parent, struct ctr__json *old, struct ctr__json *v)
{
	struct ctr__json **at = &parent->first;

	while (*at != old)
		at = &(*at)->next;
	v->key = old->key;
	v->next = old->next;
	*at = v;
	if (parent->last == old)
		parent->last = v;
}

bool ctr__json_set(
    struct ctr__json_doc *d, struct ctr__json *obj, const char *key, struct ctr__json *v)
{
	struct ctr__json *old;
	const char *name;

	if (!v || !obj || obj->type != CTR__JSON_OBJECT)
		return false;
	old = ctr__json_get(obj, key);
	if (old == v)
		return true;
	if (old) {
		replace(obj, old, v);
		return true;
	}
	name = ctr__arena_strdup(&d->arena, key);
	if (!name)
		return false;
	v->key = name;
	ctr__json_attach(obj, v);
	return true;
}

bool ctr__json_append(struct ctr__json_doc *d, struct ctr__json *array, struct ctr__json *v)
{
	(void)d;
	if (!v || !array || array->type != CTR__JSON_ARRAY)
		return false;
	v->key = NULL;
	ctr__json_attach(array, v);
	return true;
}

void ctr__json_remove(struct ctr__json *parent, struct ctr__json *child)
{
	struct ctr__json *prev = NULL, *c = parent->first;

	for (; c && c != child; c = c->next)
		prev = c;
	if (!c)
		return;
	if (prev)
		prev->next = c->next;
	else
		parent->first = c->next;
	if (parent->last == c)
		parent->last = prev;
	parent->count--;
	/* child->next stays, so that a loop over the children may remove the current one. */
}

bool ctr__json_unset(struct ctr__json *obj, const char *key)
{
	struct ctr__json *child = ctr__json_get(obj, key);

	if (!child)
		return false;
	ctr__json_remove(obj, child);
	return true;
}

static struct ctr__json *want(
    struct ctr__json_doc *d, struct ctr__json *obj, const char *key, enum ctr__json_type type)
{
	struct ctr__json *v = ctr__json_get(obj, key);

	if (v && v->type != CTR__JSON_NULL)
		return v->type == type ? v : NULL;
	v = ctr__json_new(d, type);
	return ctr__json_set(d, obj, key, v) ? v : NULL;
}

struct ctr__json *ctr__json_want_object(
    struct ctr__json_doc *d, struct ctr__json *obj, const char *key)
{
	return want(d, obj, key, CTR__JSON_OBJECT);
}

struct ctr__json *ctr__json_want_array(
    struct ctr__json_doc *d, struct ctr__json *obj, const char *key)
{
	return want(d, obj, key, CTR__JSON_ARRAY);
}
