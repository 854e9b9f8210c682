/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libctr/prune.h - clearing up: containers that do not run, containers that cannot be read, exit codes.
 */
#ifndef LIBCTR_PRUNE_H
#define LIBCTR_PRUNE_H

#include <libctr/error.h>
#include <libctr/types.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ctr_pruned ctr_pruned_t; /* what a prune did */

/*
 * ctr_runtime_prune: removes all containers that are configured, created, stopped or exited and in no pod,
 * one after the other, each under its own lock, as ctr_container_remove() does. One that cannot be removed
 * does not keep the others. One that is started meanwhile is left alone.
 *   filters  as for ctr_runtime_list(), and "until=TIME": created before that time; RFC 3339, seconds since
 *            1970, or a duration like "1h30m" (so long ago)
 *   flags    0
 *   out      owned (ctr_pruned_free); may be NULL
 * Events: those of the removals, then prune (about the system).
 * Errors: CTR_E_INVALID (filter), CTR_E_STORE_CORRUPT (a record that cannot be read: evict its container),
 *   CTR_E_RUNTIME_STOPPED, CTR_E_FORKED, CTR_E_NOMEM. That some could not be removed is none: see
 *   ctr_pruned_error().
 * Since: 0.1
 */
CTR_API int ctr_runtime_prune(ctr_runtime_t *rt, const char *const *filters, uint64_t flags,
    ctr_pruned_t **out, ctr_error_t **err);

/* ctr_pruned_free: NULL is fine. Since: 0.1 */
CTR_API void ctr_pruned_free(ctr_pruned_t *p);

/* ctr_pruned_freep: for __attribute__((cleanup)). Since: 0.1 */
CTR_API void ctr_pruned_freep(ctr_pruned_t **p);

/* ---- What it did ----
 *
 * Entries 0 .. count - 1, in order of their IDs. They cannot fail; past the end they are NULL or 0. Strings are borrowed.
 */

/* ctr_pruned_count: number of containers that it removed or could not remove. Since: 0.1 */
CTR_API size_t ctr_pruned_count(const ctr_pruned_t *p);

/* ctr_pruned_id: full ID. Since: 0.1 */
CTR_API const char *ctr_pruned_id(const ctr_pruned_t *p, size_t i);

/* ctr_pruned_error: 0 = it was removed, else CTR_E_*. Since: 0.1 */
CTR_API int ctr_pruned_error(const ctr_pruned_t *p, size_t i);

/* ctr_pruned_message: why it could not be removed; NULL if it was. Since: 0.1 */
CTR_API const char *ctr_pruned_message(const ctr_pruned_t *p, size_t i);

/* ctr_pruned_bytes: space of its persistent directory (log, artifacts, what a storage driver keeps there). Since: 0.1 */
CTR_API int64_t ctr_pruned_bytes(const ctr_pruned_t *p, size_t i);

/*
 * ctr_runtime_evict: removes a container whatever state it and its records are in. First as
 * ctr_container_remove() with CTR_REMOVE_FORCE does; if that fails (a damaged record, one of a newer libctr,
 * an OCI runtime that refuses), all that can be found of it is taken away as far as possible, what cannot be
 * is logged, and its records are dropped in any case. The last resort: what is still mounted or running then
 * is nobody's.
 *   name_or_id  as for ctr_container_lookup()
 *   flags       0
 *   id          owned (ctr_free): the full ID; may be NULL
 * Takes the container's lock, if the records still tell which it is. Event: remove.
 * Errors: CTR_E_NO_SUCH_CTR, CTR_E_EMPTY_ID, CTR_E_CTR_EXISTS (ambiguous, or others depend on it),
 *   CTR_E_LOCKED, CTR_E_DEADLOCK (inside its own batch), CTR_E_STORE_FULL, CTR_E_RUNTIME_STOPPED,
 *   CTR_E_FORKED, CTR_E_NOMEM.
 * Since: 0.1
 */
CTR_API int ctr_runtime_evict(
    ctr_runtime_t *rt, const char *name_or_id, uint64_t flags, char **id, ctr_error_t **err);

/*
 * ctr_runtime_prune_exit_codes: forgets the exit codes of containers that are gone (those of containers that
 * exist stay). libctr does this by itself now and then, after five minutes.
 *   max_age_ms  only codes older than this; 0 = all, -1 = five minutes
 * Errors: CTR_E_INVALID, CTR_E_RUNTIME_STOPPED, CTR_E_FORKED, ...
 * Since: 0.1
 */
CTR_API int ctr_runtime_prune_exit_codes(ctr_runtime_t *rt, int64_t max_age_ms, ctr_error_t **err);

#ifdef __cplusplus
}
#endif
#endif
