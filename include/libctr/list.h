/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libctr/list.h - all containers with their state, from one consistent read.
 *
 * A listing takes no container's lock: it is a snapshot of the store. Exits that a monitor has recorded
 * and nobody has taken over yet are taken over first, where the container's lock is free.
 */
#ifndef LIBCTR_LIST_H
#define LIBCTR_LIST_H

#include <libctr/error.h>
#include <libctr/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * ctr_runtime_list: lists the containers in order of their IDs.
 *   filters  NULL, or a NULL-terminated list of "key=value". Values of the same key: any may match;
 *            different keys: all must match.
 *              "id=PREFIX"          ID starts with it
 *              "name=TEXT"          name contains it
 *              "state=WORD"         as ctr_state_parse() reads it
 *              "label=KEY"          has the label
 *              "label=KEY=VALUE"    has the label with this value
 *   flags    0
 *   out      owned; free with ctr_list_free()
 * Errors: CTR_E_INVALID (filter), CTR_E_STORE_CORRUPT, CTR_E_RUNTIME_STOPPED, CTR_E_FORKED, CTR_E_NOMEM.
 * Since: 0.1
 */
CTR_API int ctr_runtime_list(ctr_runtime_t *rt, const char *const *filters, uint64_t flags,
    ctr_list_t **out, ctr_error_t **err);

/* ctr_list_free: NULL is fine. Since: 0.1 */
CTR_API void ctr_list_free(ctr_list_t *list);

/* ctr_list_freep: for __attribute__((cleanup)). Since: 0.1 */
CTR_API void ctr_list_freep(ctr_list_t **list);

/* ctr_list_count: number of entries. Since: 0.1 */
CTR_API size_t ctr_list_count(const ctr_list_t *list);

/* ---- Fields of entry `i` (0 .. count - 1) ----
 *
 * They cannot fail; past the end they are NULL or 0. Strings are borrowed from the list. Times are nanoseconds since 1970.
 */

/* ctr_list_id: full ID. Since: 0.1 */
CTR_API const char *ctr_list_id(const ctr_list_t *list, size_t i);

/* ctr_list_name: name. Since: 0.1 */
CTR_API const char *ctr_list_name(const ctr_list_t *list, size_t i);

/* ctr_list_image: name of its image, or its root directory. Since: 0.1 */
CTR_API const char *ctr_list_image(const ctr_list_t *list, size_t i);

/* ctr_list_command: the first 64 bytes of its command, joined by spaces. Since: 0.1 */
CTR_API const char *ctr_list_command(const ctr_list_t *list, size_t i);

/* ctr_list_state: CTR_STATE_*. Since: 0.1 */
CTR_API int32_t ctr_list_state(const ctr_list_t *list, size_t i);

/* ctr_list_pid: first process; 0 if none. Since: 0.1 */
CTR_API int32_t ctr_list_pid(const ctr_list_t *list, size_t i);

/* ctr_list_exit_code: code of the last run, -1 if it was lost; 0 if there was none. Since: 0.1 */
CTR_API int32_t ctr_list_exit_code(const ctr_list_t *list, size_t i);

/* ctr_list_created_ns: when it was created. Since: 0.1 */
CTR_API int64_t ctr_list_created_ns(const ctr_list_t *list, size_t i);

/* ctr_list_started_ns: when it was last started; 0 = never. Since: 0.1 */
CTR_API int64_t ctr_list_started_ns(const ctr_list_t *list, size_t i);

/* ctr_list_finished_ns: when it last ended; 0 = never, or it runs. Since: 0.1 */
CTR_API int64_t ctr_list_finished_ns(const ctr_list_t *list, size_t i);

#ifdef __cplusplus
}
#endif
#endif
