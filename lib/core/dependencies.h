/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Containers that depend on others: starting, stopping and removing in the order of the graph (graph.h).
 *
 * Locks: the graph is read from the store without any. A container's state is looked at with its own lock, taken
 * after that of its dependent if that is held (child, then parent) and let go before the next one is taken. As the
 * graph has no circles - that is checked before the first lock - nobody waits for somebody who waits for him.
 */
#ifndef LIBCTR_CORE_DEPENDENCIES_H
#define LIBCTR_CORE_DEPENDENCIES_H

#include "core/lifecycle.h"

/* What became of one container of several. */
struct ctr__outcome {
	int code; /* 0, or why not */
	ctr_error_t *err;
};
/* Frees the errors in an array, not the array. */
void ctr__outcomes_free(struct ctr__outcome *v, size_t n);

/*
 * The same operation on each of some containers, one after the other, in the order of their graph. No lock may be
 * held; an ID may come once. `out` has room for n outcomes, in the order of the list, and must be freed; NULL if only
 * the result is wanted. Returns 0, or the code of the first failure in that order, whose error says which
 * container it was and has, for every container that failed, its ID as a detail with the reason; detail
 * "failed": those IDs, by commas. Also if nothing was tried (memory, a circle) `out` is set.
 *
 * A container whose turn cannot come because of another's failure gets CTR_E_CTR_STATE. Dependencies that are not in
 * the list are left to the containers' own checks.
 */
/* What each depends on comes first. One that runs already is fine. */
int ctr__graph_start(
    struct ctr_container *const *list, size_t n, struct ctr__outcome *out, ctr_error_t **err);
/* Dependents first. One that does not live is fine. `o` NULL = each as its configuration says, by the user. */
int ctr__graph_stop(struct ctr_container *const *list, size_t n, const struct ctr__stop *o,
    struct ctr__outcome *out, ctr_error_t **err);
/* Dependents first. One that is gone is fine. */
int ctr__graph_remove(struct ctr_container *const *list, size_t n, bool force,
    struct ctr__outcome *out, ctr_error_t **err);

/* ctr__init() and ctr__start() after a start of everything that `c` depends on. */
int ctr__init_recursive(struct ctr_container *c, ctr_error_t **err);
int ctr__start_recursive(struct ctr_container *c, ctr_error_t **err);
/* Their first half; `op` must be possible. */
int ctr__start_dependencies(struct ctr_container *c, enum ctr__op op, ctr_error_t **err);
/* ctr__remove() after a removal of everything that depends on `c`. Without force all of it must be removable,
 * or nothing is touched. */
int ctr__remove_recursive(struct ctr_container *c, bool force, ctr_error_t **err);
/* IDs of the direct dependents, sorted; owned. */
int ctr__dependents(struct ctr_container *c, char ***list, ctr_error_t **err);

/* Does everything run that `c` directly depends on? Its lock is held. CTR_E_CTR_STATE with all that do not in the
 * detail "dependencies" (by commas) and each one's state as a detail with its ID; CTR_E_NO_SUCH_CTR;
 * CTR_E_INTERNAL for a circle. */
int ctr__dependencies_check(struct ctr_container *c, ctr_error_t **err);
/* May a container with this configuration be added: is nothing that it depends on being removed? Takes no lock. */
int ctr__dependencies_usable(struct ctr_runtime *rt, const ctr_config_t *cfg, ctr_error_t **err);
/* The infra container of its pod serves its dependents from its creation on. */
bool ctr__dependency_serves(
    const struct ctr_container *dep, const ctr_config_t *dependent, int32_t state);

#endif
