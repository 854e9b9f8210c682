/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The graph of dependencies, as data: who depends on whom among some containers. It knows IDs only; walking it
 * with containers is dependencies.h.
 */
#ifndef LIBCTR_CORE_GRAPH_H
#define LIBCTR_CORE_GRAPH_H

#include <stdbool.h>
#include <stddef.h>

#include "util/err.h"

/* A container to put into a graph: `deps` are the IDs that its configuration names, for a namespace or in
 * "Dependencies", each once (all_deps); NULL-terminated. Borrowed for as long as the graph lives. */
struct ctr__graph_item {
	const char *id;
	const char *const *deps;
};

struct ctr__graph_node {
	const char *id;
	size_t item;  /* its place in the caller's items */
	size_t *deps; /* nodes that it depends on        */
	size_t deps_n;
	size_t *dependents; /* nodes that depend on it         */
	size_t dependents_n;
};

struct ctr__graph {
	struct ctr__graph_node *nodes; /* sorted by ID */
	size_t n;
	size_t *no_dep; /* nodes that depend on nothing: where a start begins */
	size_t no_dep_n;
	size_t *not_depended_on; /* nodes that nothing depends on: where a stop begins */
	size_t not_depended_on_n;
	size_t *edges; /* what deps and dependents point into */
};

/* Builds it. CTR_E_NO_SUCH_CTR (details "container", "dependency") if something depends on what is not among
 * the items, CTR_E_INTERNAL (detail "cycle": IDs, by commas, the first again at the end) if containers depend on each other in a circle or on
 * themselves, CTR_E_INVALID if an ID comes twice. */
int ctr__graph_build(
    const struct ctr__graph_item *items, size_t n, struct ctr__graph *g, ctr_error_t **err);
void ctr__graph_free(struct ctr__graph *g);
#define CTR__GRAPH CTR__CLEANUP(ctr__graph_free)

/* All nodes, in breadth: outward begins at what depends on nothing, and each node comes after all that it depends
 * on; inward begins at what nothing depends on, and each comes after all that depend on it. `order` has room
 * for g->n. */
int ctr__graph_order(const struct ctr__graph *g, bool inward, size_t *order, ctr_error_t **err);

#endif
