/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libctr/types.h - the names every other header uses.
 *
 * Conventions that hold for every function of the library:
 *
 *  - Returns. `int`: 0 or positive is success, negative is a CTR_E_* code (error.h). A function that
 *    returns a pointer cannot fail; NULL from it means "absent". `void` cannot fail.
 *  - Errors. The last parameter `ctr_error_t **err` may be NULL. `*err` is written only on failure;
 *    the caller owns the object and frees it with ctr_error_free().
 *  - Ownership, in three words. "borrowed": valid as long as the object it came from.
 *    "owned": yours, free it with the function named. "ref": a counted reference, drop it with
 *    the unref function of its type. Inputs are always copied.
 *  - Strings are NUL-terminated UTF-8 unless said otherwise. Absent is NULL, empty is "".
 *  - Lists are `const char *const *` with a NULL end and a separate count.
 *  - Times are int64_t nanoseconds since 1970-01-01 UTC; 0 means never. Durations are int64_t
 *    milliseconds; -1 means no limit.
 *  - Options structs start with `size`, set to sizeof of the struct; all other members zero means the
 *    default. NULL instead of a struct means all defaults. A struct that is longer than the library
 *    knows is accepted if the unknown part is zero, else CTR_E_UNSUPPORTED.
 *  - `flags` must hold only bits that the function names, else CTR_E_UNSUPPORTED.
 *  - Threads. Any function may be called on any object from any thread at any time, except where
 *    its comment says otherwise. Calls on one container serialise, across threads and processes.
 *  - fork(). After fork() the child may only unref objects made before it; everything else gives
 *    CTR_E_FORKED. The child may open a runtime of its own.
 */
#ifndef LIBCTR_TYPES_H
#define LIBCTR_TYPES_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__) || defined(__clang__)
#define CTR_API __attribute__((visibility("default")))
#else
#define CTR_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ctr_error ctr_error_t;                   /* what went wrong (error.h)              */
typedef struct ctr_runtime ctr_runtime_t;               /* an opened store (runtime.h)            */
typedef struct ctr_config ctr_config_t;                 /* immutable configuration (config.h)     */
typedef struct ctr_config_builder ctr_config_builder_t; /* a configuration being made (config.h)  */
typedef struct ctr_container ctr_container_t;           /* a container's handle (container.h)     */
typedef struct ctr_state ctr_state_t;                   /* a copy of all state fields (state.h)   */
typedef struct ctr_list ctr_list_t;                     /* a listing of containers (list.h)       */
typedef struct ctr_event ctr_event_t;                   /* something that happened (event.h)      */
typedef struct ctr_attach ctr_attach_t;                 /* streams being moved (attach.h)         */
typedef struct ctr_exec ctr_exec_t;                     /* an exec session's handle (exec.h)      */
typedef struct ctr_logs ctr_logs_t;                     /* a log being read (log.h)               */
typedef struct ctr_top ctr_top_t;                       /* a list of processes (stats.h)          */
typedef struct ctr_stats ctr_stats_t;                   /* a reading of resource use (stats.h)    */
typedef struct ctr_stats_stream ctr_stats_stream_t;     /* such readings at intervals (stats.h)   */
typedef struct ctr_pod_config ctr_pod_config_t;         /* configuration of a pod (pod.h)         */
typedef struct ctr_pod ctr_pod_t;                       /* a pod's handle (pod.h)                 */
typedef struct ctr_pod_list ctr_pod_list_t;             /* a listing of pods (pod.h)              */

/*
 * ctr_free: frees a string that the library handed over as "owned". NULL is fine.
 * Since: 0.1
 */
CTR_API void ctr_free(void *p);

/*
 * ctr_strv_free: frees an owned, NULL-terminated list of strings. NULL is fine.
 * Since: 0.1
 */
CTR_API void ctr_strv_free(char **list);

#ifdef __cplusplus
}
#endif
#endif
