/* SPDX-License-Identifier: Apache-2.0 */
/* Changing the limits in a spec: linux.resources. */
#ifndef LIBCTR_SPEC_RESOURCES_H
#define LIBCTR_SPEC_RESOURCES_H

#include "util/json.h"

/* Is `change` an object with limits that OCI runtimes can change while a container runs, of the right types and
 * ranges? CTR_E_INVALID, CTR_E_UNSUPPORTED; detail "field", e.g. "resources.memory.limit". */
int ctr__resources_check(const struct ctr__json *change, ctr_error_t **err);

/* Merges a checked change into linux.resources of `spec`, which is part of `d`; checks that the result is possible.
 * *merged: those resources. */
int ctr__resources_merge(struct ctr__json_doc *d, struct ctr__json *spec,
    const struct ctr__json *change, struct ctr__json **merged, ctr_error_t **err);

/* Appends, as a JSON object, those members of `resources` (may be NULL) that can be changed while the container runs:
 * all, or of the groups that are in `groups`. What only `lift` (may be NULL) has
 * becomes what it is by default, where that is known. */
int ctr__resources_live(const struct ctr__json *resources, const struct ctr__json *groups,
    const struct ctr__json *lift, struct ctr__buf *out, ctr_error_t **err);

#endif
