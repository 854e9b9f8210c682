/* SPDX-License-Identifier: Apache-2.0 */
/* What is related to a container by dependencies: collecting it from the store. */
#include "core/family.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"

/* ---- members ---- */

static int by_id(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void keep(void *id)
{
	(void)id; /* an item's */
}

void ctr__family_free(struct ctr__family *f)
{
	tdestroy(f->tree, keep);
	for (size_t i = 0; i < f->n; i++) {
		free((char *)(uintptr_t)f->items[i].id);
		ctr__strv_free((char **)(uintptr_t)f->items[i].deps);
	}
	free(f->items);
	memset(f, 0, sizeof(*f));
}

static bool is_member(const struct ctr__family *f, const char *id)
{
	return tfind(id, (void *const *)&f->tree, by_id) != NULL;
}

static int grow(struct ctr__family *f, ctr_error_t **err)
{
	size_t cap = f->cap ? 2 * f->cap : 16;
	struct ctr__graph_item *more;

	if (f->n < f->cap)
		return 0;
	more = reallocarray(f->items, cap, sizeof(*more));
	if (!more)
		return ctr__fail_nomem(err);
	f->items = more;
	f->cap = cap;
	return 0;
}

/* Takes over `deps` if it succeeds. */
static int add(struct ctr__family *f, const char *id, char **deps, ctr_error_t **err)
{
	CTR__FREE char *copy = strdup(id);
	int r = grow(f, err);

	if (r < 0)
		return r;
	if (!copy || !tsearch(copy, &f->tree, by_id))
		return ctr__fail_nomem(err);
	f->items[f->n++] = (struct ctr__graph_item){copy, (const char *const *)deps};
	copy = NULL;
	return 0;
}

/* With its stored dependencies. 0 = added, 1 = there is no such container. */
static int add_stored(
    struct ctr_runtime *rt, struct ctr__family *f, const char *id, ctr_error_t **err)
{
	CTR__ERROR ctr_error_t *why = NULL;
	char **deps = NULL;
	int r = ctr__store_dependencies(rt->store, id, &deps, &why);

	if (r >= 0) {
		r = add(f, id, deps, err);
		if (r < 0)
			ctr__strv_free(deps);
		return r;
	}
	if (r == CTR_E_NO_SUCH_CTR)
		return 1;
	if (err)
		*err = CTR__STEAL_PTR(why);
	return r;
}

/* ---- edges ---- */

static void drop_strangers(struct ctr__family *f)
{
	for (size_t i = 0; i < f->n; i++) {
		char **from = (char **)(uintptr_t)f->items[i].deps, **to = from;

		for (; from && *from; from++) {
			if (is_member(f, *from))
				*to++ = *from;
			else
				free(*from);
		}
		if (to)
			*to = NULL;
	}
}

/* ---- collecting ---- */

static int add_all(
    struct ctr_runtime *rt, struct ctr__family *f, const char *const *ids, ctr_error_t **err)
{
	int r = 0;

	for (; r >= 0 && ids && *ids; ids++)
		if (!is_member(f, *ids))
			r = add_stored(rt, f, *ids, err);
	return r < 0 ? r : 0;
}

static int add_dependents_of(
    struct ctr_runtime *rt, struct ctr__family *f, const char *id, ctr_error_t **err)
{
	CTR__ERROR ctr_error_t *why = NULL;
	CTR__STRV char **ids = NULL;
	int r = ctr__store_dependents(rt->store, id, &ids, &why);

	if (r >= 0)
		return add_all(rt, f, (const char *const *)ids, err);
	if (r == CTR_E_NO_SUCH_CTR)
		return 0; /* removed meanwhile */
	if (err)
		*err = CTR__STEAL_PTR(why);
	return r;
}

static int no_such(const char *id, ctr_error_t **err)
{
	ctr__fail(err, CTR_E_NO_SUCH_CTR, "no container \"%s\"", id);
	ctr__error_detail(err, "container", id);
	return CTR_E_NO_SUCH_CTR;
}

int ctr__family_of(struct ctr_runtime *rt, const char *id, bool dependents, struct ctr__family *f,
    ctr_error_t **err)
{
	int r = add_stored(rt, f, id, err);

	if (r == 1)
		return no_such(id, err);
	for (size_t i = 0; r >= 0 && i < f->n; i++)
		r = dependents ? add_dependents_of(rt, f, f->items[i].id, err)
		               : add_all(rt, f, f->items[i].deps, err);
	if (r >= 0 && dependents)
		drop_strangers(f);
	return r;
}

int ctr__family_among(struct ctr_runtime *rt, const char *const *ids, size_t n,
    struct ctr__family *f, ctr_error_t **err)
{
	for (size_t i = 0; i < n; i++) {
		int r;

		if (is_member(f, ids[i]))
			return ctr__fail(
			    err, CTR_E_INVALID, "container %s is in the list twice", ids[i]);
		r = add_stored(rt, f, ids[i], err);
		/* One that is gone has no edges; its own operation says so. */
		if (r == 1)
			r = add(f, ids[i], NULL, err);
		if (r < 0)
			return r;
	}
	drop_strangers(f);
	return 0;
}
