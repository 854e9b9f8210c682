/* SPDX-License-Identifier: Apache-2.0 */
/* Listing containers: filters as text, exits taken over first. */
#include "core/lister.h"

#include "core/filters.h"
#include "core/transition.h"
#include "util/cleanup.h"

int ctr__list(
    struct ctr_runtime *rt, const char *const *filters, ctr_list_t **out, ctr_error_t **err)
{
	CTR__FILTERS struct ctr__filters w = {0};
	struct ctr__list_filter f;
	bool any = filters && *filters;
	int r = ctr__filters_parse(&w, filters, "state", ctr__state_parse, err);

	if (r < 0)
		return r;
	ctr__runtime_reap(rt, 0, NULL);
	f.ids = (const char *const *)w.ids;
	f.names = (const char *const *)w.names;
	f.labels = (const char *const *)w.labels;
	f.states = w.states;
	/* Without a filter the store knows how much room to make. */
	return ctr__store_list(rt->store, any ? &f : NULL, out, err);
}
