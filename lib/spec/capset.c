/* SPDX-License-Identifier: Apache-2.0 */
/* The capabilities of a default spec. */
#include "spec/capset.h"

#include "sys/caps.h"
#include "util/cleanup.h"

/* Normalises a list of names; *all tells whether "ALL" was among them (it is not part of the result). */
static int normalize_list(
    const char *const *names, const char *field, char ***out, bool *all, ctr_error_t **err)
{
	CTR__STRV char **list = NULL;

	*all = false;
	for (; names && *names; names++) {
		CTR__FREE char *cap = NULL;
		int r = ctr__cap_normalize(*names, &cap, err);

		if (r < 0) {
			ctr__error_detail(err, "field", field);
			return ctr__error_prefix(err, r, "%s", field);
		}
		if (strcmp(cap, "ALL") == 0)
			*all = true;
		else if (!ctr__strv_has((const char *const *)list, cap) &&
		         !ctr__strv_add(&list, cap))
			return ctr__fail_nomem(err);
	}
	*out = CTR__STEAL_PTR(list);
	return 0;
}

static int check_contradiction(char *const *add, char *const *drop, ctr_error_t **err)
{
	for (; add && *add; add++) {
		if (!ctr__strv_has((const char *const *)drop, *add))
			continue;
		int r =
		    ctr__fail(err, CTR_E_INVALID, "capability %s is both added and dropped", *add);
		ctr__error_detail(err, "field", "CTR_SPEC_CAP_DROP");
		return r;
	}
	return 0;
}

/* Appends each of `from` that is in `only` (NULL: no filter), not in `except`, and not there yet. */
static bool add_all(
    char ***to, const char *const *from, const char *const *only, const char *const *except)
{
	for (; from && *from; from++) {
		if (only && !ctr__strv_has(only, *from))
			continue;
		if (ctr__strv_has(except, *from) || ctr__strv_has((const char *const *)*to, *from))
			continue;
		if (!ctr__strv_add(to, *from))
			return false;
	}
	return true;
}

int ctr__capset(
    const struct ctr__spec_wish *w, const char *const *all, char ***out, ctr_error_t **err)
{
	CTR__STRV char **add = NULL, **drop = NULL, **set = NULL;
	bool add_every, drop_every, ok = true;
	int r;

	if ((r = normalize_list(w->cap_add, "CTR_SPEC_CAP_ADD", &add, &add_every, err)) < 0 ||
	    (r = normalize_list(w->cap_drop, "CTR_SPEC_CAP_DROP", &drop, &drop_every, err)) < 0 ||
	    (r = check_contradiction(add, drop, err)) < 0)
		return r;

	const char *const *dropped = (const char *const *)drop;
	if (add_every || (w->privileged && !drop_every))
		ok = add_all(&set, all, NULL, dropped);
	else if (!drop_every)
		ok = add_all(&set, ctr__caps_default(), all, dropped);
	if (!ok || !add_all(&set, (const char *const *)add, NULL, NULL))
		return ctr__fail_nomem(err);
	*out = CTR__STEAL_PTR(set);
	return 0;
}
