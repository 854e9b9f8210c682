/* SPDX-License-Identifier: Apache-2.0 */
/* Public functions of prune.h. */
#include <libctr/prune.h>

#include "core/prune.h"
#include "util/cleanup.h"

static int begin(struct ctr_runtime *rt, uint64_t flags, const char *what, ctr_error_t **err)
{
	int r = ctr__runtime_enter(rt, err);

	if (r < 0)
		return r;
	if (flags)
		return ctr__fail(err, CTR_E_UNSUPPORTED, "unknown flags 0x%llx for %s",
		    (unsigned long long)flags, what);
	return ctr__store_check(rt->store, err);
}

int ctr_runtime_prune(ctr_runtime_t *rt, const char *const *filters, uint64_t flags,
    ctr_pruned_t **out, ctr_error_t **err)
{
	int r = begin(rt, flags, "prune", err);

	return r < 0 ? r : ctr__prune(rt, filters, out, err);
}

void ctr_pruned_free(ctr_pruned_t *p)
{
	ctr__pruned_free(p);
}

void ctr_pruned_freep(ctr_pruned_t **p)
{
	ctr__pruned_free(*p);
	*p = NULL;
}

size_t ctr_pruned_count(const ctr_pruned_t *p)
{
	return p ? p->n : 0;
}

const char *ctr_pruned_id(const ctr_pruned_t *p, size_t i)
{
	return p && i < p->n ? p->v[i].id : NULL;
}

int ctr_pruned_error(const ctr_pruned_t *p, size_t i)
{
	return p && i < p->n ? p->v[i].code : 0;
}

const char *ctr_pruned_message(const ctr_pruned_t *p, size_t i)
{
	if (!p || i >= p->n || !p->v[i].code)
		return NULL;
	return p->v[i].message ? p->v[i].message : ctr_strerror(p->v[i].code);
}

int64_t ctr_pruned_bytes(const ctr_pruned_t *p, size_t i)
{
	return p && i < p->n ? p->v[i].bytes : 0;
}

int ctr_runtime_evict(
    ctr_runtime_t *rt, const char *name_or_id, uint64_t flags, char **id, ctr_error_t **err)
{
	int r = begin(rt, flags, "evict", err);

	if (id)
		*id = NULL;
	if (r >= 0 && (!name_or_id || !*name_or_id))
		r = ctr__fail(err, CTR_E_EMPTY_ID, "name or ID is empty");
	return r < 0 ? r : ctr__evict(rt, name_or_id, id, err);
}

int ctr_runtime_prune_exit_codes(ctr_runtime_t *rt, int64_t max_age_ms, ctr_error_t **err)
{
	int64_t age_ns = CTR__KEEP_EXIT_CODES_NS;
	int r = begin(rt, 0, "prune", err);

	if (r < 0)
		return r;
	if (max_age_ms < -1 || max_age_ms > INT64_MAX / 1000000)
		return ctr__fail(
		    err, CTR_E_INVALID, "an age of %lld ms is not possible", (long long)max_age_ms);
	if (max_age_ms >= 0)
		age_ns = max_age_ms * 1000000;
	return ctr__store_prune_exit_codes(rt->store, age_ns, err);
}
