/* SPDX-License-Identifier: Apache-2.0 */
/* Listing containers: filters as text, exits taken over first. */
#include "core/lister.h"

#include <string.h>

#include "core/transition.h"
#include "util/cleanup.h"

struct wanted {
	char **ids, **names, **labels;
	uint32_t states;
};

static void wanted_free(struct wanted *w)
{
	ctr_strv_free(w->ids);
	ctr_strv_free(w->names);
	ctr_strv_free(w->labels);
}

static int bad_filter(const char *filter, ctr_error_t **err)
{
	ctr__fail(err, CTR_E_INVALID,
	    "filter \"%s\" is not one of id=, name=, state=, label= with a value", filter);
	ctr__error_detail(err, "field", filter);
	return CTR_E_INVALID;
}

static int add_state(struct wanted *w, const char *word, ctr_error_t **err)
{
	int32_t state;
	int r = ctr__state_parse(word, &state, err);

	if (r >= 0)
		w->states |= 1U << state;
	return r;
}

static int add_filter(struct wanted *w, const char *filter, ctr_error_t **err)
{
	const char *value = strchr(filter, '=');
	char ***list = NULL;

	if (!value || !value[1])
		return bad_filter(filter, err);
	value++;
	if (ctr__starts_with(filter, "state="))
		return add_state(w, value, err);
	if (ctr__starts_with(filter, "id="))
		list = &w->ids;
	else if (ctr__starts_with(filter, "name="))
		list = &w->names;
	else if (ctr__starts_with(filter, "label="))
		list = &w->labels;
	else
		return bad_filter(filter, err);
	return ctr__strv_add(list, value) ? 0 : ctr__fail_nomem(err);
}

int ctr__list(
    struct ctr_runtime *rt, const char *const *filters, ctr_list_t **out, ctr_error_t **err)
{
	CTR__CLEANUP(wanted_free) struct wanted w = {0};
	struct ctr__list_filter f;
	bool any = filters && *filters;

	for (; filters && *filters; filters++) {
		int r = add_filter(&w, *filters, err);

		if (r < 0)
			return r;
	}
	ctr__runtime_reap(rt, 0, NULL);
	f.ids = (const char *const *)w.ids;
	f.names = (const char *const *)w.names;
	f.labels = (const char *const *)w.labels;
	f.states = w.states;
	/* Without a filter the store knows how much room to make. */
	return ctr__store_list(rt->store, any ? &f : NULL, out, err);
}
