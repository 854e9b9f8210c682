/* SPDX-License-Identifier: Apache-2.0 */
/* Filters of listings, given as text: "id=", "name=", "label=", and one for states. */
#ifndef LIBCTR_CORE_FILTERS_H
#define LIBCTR_CORE_FILTERS_H

#include <stdint.h>

#include "store/store.h"

struct ctr__filters {
	char **ids, **names, **labels;
	uint32_t states; /* bits 1 << number; 0 = any */
};

/* The number of a state's word; negative with an error if it is none. */
typedef int ctr__filter_state(const char *word, int32_t *state, ctr_error_t **err);

/* Adds a list of filters (NULL: none); `state_key` is "state" or "status". CTR_E_INVALID with detail "field". To be
 * freed also after a failure. */
int ctr__filters_parse(struct ctr__filters *f, const char *const *filters, const char *state_key,
    ctr__filter_state *state_of, ctr_error_t **err);
void ctr__filters_free(struct ctr__filters *f);
#define CTR__FILTERS CTR__CLEANUP(ctr__filters_free)

#endif
