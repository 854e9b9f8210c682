/* SPDX-License-Identifier: Apache-2.0 */
#include "core/filters.h"

#include <string.h>

#include "util/cleanup.h"

void ctr__filters_free(struct ctr__filters *f)
{
	ctr__strv_free(f->ids);
	ctr__strv_free(f->names);
	ctr__strv_free(f->labels);
}

static int bad_filter(const char *filter, const char *state_key, ctr_error_t **err)
{
	ctr__fail(err, CTR_E_INVALID,
	    "filter \"%s\" is not one of id=, name=, label=, %s= with a value", filter, state_key);
	ctr__error_detail(err, "field", filter);
	return CTR_E_INVALID;
}

static char ***list_of(struct ctr__filters *f, const char *filter)
{
	if (ctr__starts_with(filter, "id="))
		return &f->ids;
	if (ctr__starts_with(filter, "name="))
		return &f->names;
	return ctr__starts_with(filter, "label=") ? &f->labels : NULL;
}

static bool has_key(const char *filter, const char *key)
{
	size_t len = strlen(key);

	return strncmp(filter, key, len) == 0 && filter[len] == '=';
}

static int add(struct ctr__filters *f, const char *filter, const char *state_key,
    ctr__filter_state *state_of, ctr_error_t **err)
{
	const char *value = strchr(filter, '=');
	char ***list = list_of(f, filter);
	int32_t state;
	int r;

	if (!value || !value[1] || (!list && !has_key(filter, state_key)))
		return bad_filter(filter, state_key, err);
	if (list)
		return ctr__strv_add(list, value + 1) ? 0 : ctr__fail_nomem(err);
	r = state_of(value + 1, &state, err);
	if (r >= 0)
		f->states |= 1U << state;
	return r;
}

int ctr__filters_parse(struct ctr__filters *f, const char *const *filters, const char *state_key,
    ctr__filter_state *state_of, ctr_error_t **err)
{
	int r = 0;

	for (; r >= 0 && filters && *filters; filters++)
		r = add(f, *filters, state_key, state_of, err);
	return r;
}
