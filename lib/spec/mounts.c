/* SPDX-License-Identifier: Apache-2.0 */
/* The mounts of a spec: adding, finding by destination, ordering. */
#include "spec/mounts.h"

#include <stdlib.h>
#include <string.h>

/* The components of a path from its end, so that ".." needs no memory: each one skips a component
 * that comes before it. */
struct walk {
	const char *start, *end;
};

/* Steps to the previous effective component: its length and, in *name, its text; 0 at the root. */
static size_t walk_back(struct walk *w, const char **name)
{
	size_t up = 0;

	for (;;) {
		while (w->end > w->start && w->end[-1] == '/')
			w->end--;
		if (w->end == w->start)
			return 0;

		const char *last = w->end;
		while (w->end > w->start && w->end[-1] != '/')
			w->end--;

		size_t len = (size_t)(last - w->end);
		if (len == 1 && w->end[0] == '.')
			continue;
		if (len == 2 && w->end[0] == '.' && w->end[1] == '.') {
			up++;
			continue;
		}
		if (up > 0) {
			up--;
			continue;
		}
		*name = w->end;
		return len;
	}
}

static struct walk walk_start(const char *path)
{
	return (struct walk){.start = path, .end = path + strlen(path)};
}

bool ctr__mounts_same_dest(const char *a, const char *b)
{
	struct walk wa = walk_start(a), wb = walk_start(b);

	for (;;) {
		const char *na = NULL, *nb = NULL;
		size_t la = walk_back(&wa, &na), lb = walk_back(&wb, &nb);

		if (la != lb)
			return false;
		if (la == 0)
			return true;
		if (memcmp(na, nb, la) != 0)
			return false;
	}
}

static size_t depth_of(const char *path)
{
	struct walk w = walk_start(path);
	const char *name;
	size_t n = 0;

	while (walk_back(&w, &name) > 0)
		n++;
	return n;
}

static bool is_at(const struct ctr__json *mount, const char *dest)
{
	const char *d = ctr__json_str(ctr__json_get(mount, "destination"));

	return d && ctr__mounts_same_dest(d, dest);
}

struct ctr__json *ctr__mounts_find(const struct ctr__json *mounts, const char *dest)
{
	CTR__JSON_EACH (m, mounts) {
		if (is_at(m, dest))
			return m;
	}
	return NULL;
}

static bool is_text(const struct ctr__json *mount, const char *key, const char *value)
{
	return ctr__streq(ctr__json_str(ctr__json_get(mount, key)), value);
}

void ctr__mounts_drop(
    struct ctr__json *mounts, const char *dest, const char *type, const char *source)
{
	struct ctr__json *m = mounts->first;

	/* Relinked in one pass: removing them one by one is quadratic. */
	mounts->first = mounts->last = NULL;
	mounts->count = 0;
	while (m) {
		struct ctr__json *next = m->next;

		if (!is_at(m, dest) || !is_text(m, "type", type) || !is_text(m, "source", source)) {
			m->next = NULL;
			if (mounts->last)
				mounts->last->next = m;
			else
				mounts->first = m;
			mounts->last = m;
			mounts->count++;
		}
		m = next;
	}
}

struct ctr__json *ctr__mounts_add(struct ctr__edit *e, struct ctr__json *mounts, const char *dest,
    const char *type, const char *source, const char *const *options)
{
	struct ctr__json *m = ctr__edit_add_object(e, mounts);

	ctr__edit_str(e, m, "destination", dest);
	ctr__edit_str(e, m, "type", type);
	ctr__edit_str(e, m, "source", source);
	ctr__edit_strv(e, m, "options", options);
	return m;
}

struct placed {
	struct ctr__json *mount;
	size_t depth, index;
};

static int by_depth(const void *pa, const void *pb)
{
	const struct placed *a = pa, *b = pb;

	if (a->depth != b->depth)
		return a->depth < b->depth ? -1 : 1;
	return a->index < b->index ? -1 : a->index > b->index;
}

static void relink(struct ctr__json *mounts, const struct placed *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		v[i].mount->next = i + 1 < n ? v[i + 1].mount : NULL;
	mounts->first = v[0].mount;
	mounts->last = v[n - 1].mount;
}

void ctr__mounts_sort(struct ctr__edit *e, struct ctr__json *mounts)
{
	size_t n = 0;

	if (e->failed || !mounts || !mounts->first)
		return;
	struct placed *v = calloc(mounts->count, sizeof(*v));
	if (!v) {
		e->failed = true;
		return;
	}
	CTR__JSON_EACH (m, mounts) {
		const char *d = ctr__json_str(ctr__json_get(m, "destination"));
		v[n] = (struct placed){.mount = m, .depth = depth_of(d ? d : "/"), .index = n};
		n++;
	}
	qsort(v, n, sizeof(*v), by_depth);
	relink(mounts, v, n);
	free(v);
}
