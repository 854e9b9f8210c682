/* SPDX-License-Identifier: Apache-2.0 */
/* What is related to a container by dependencies, read from the store without any lock. */
#ifndef LIBCTR_CORE_FAMILY_H
#define LIBCTR_CORE_FAMILY_H

#include "core/graph.h"
#include "core/runtime.h"

struct ctr__family {
	struct ctr__graph_item
	    *items; /* each with those of its dependencies that are wanted here */
	size_t n, cap;
	void *tree; /* the same by ID */
};
void ctr__family_free(struct ctr__family *f);
#define CTR__FAMILY CTR__CLEANUP(ctr__family_free)

/* A container and everything that it depends on, or (dependents) everything that depends on it; of the latter only
 * the edges among them. What is named as a dependency but is not there does not become a member, so that building the
 * graph reports it. CTR_E_NO_SUCH_CTR if the container itself is not there. */
int ctr__family_of(struct ctr_runtime *rt, const char *id, bool dependents, struct ctr__family *f,
    ctr_error_t **err);
/* Those of a list; only the edges among them. */
int ctr__family_among(struct ctr_runtime *rt, const char *const *ids, size_t n,
    struct ctr__family *f, ctr_error_t **err);

#endif
