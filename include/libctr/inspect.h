/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libctr/inspect.h - everything about a container as one JSON document, in the shape of podman inspect.
 *
 * The documents say what was configured and what goes on, from one consistent look: the container is
 * locked and brought up to date once, and what is needed is copied; the text is made after the lock has
 * been let go. Strings are valid UTF-8 whatever the container holds. The members, where their values
 * come from and how they differ from podman's: docs/inspect.md.
 */
#ifndef LIBCTR_INSPECT_H
#define LIBCTR_INSPECT_H

#include <libctr/error.h>
#include <libctr/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CTR_INSPECT_SIZE (UINT64_C(1) << 0) /* with SizeRw and SizeRootFs: may read a whole tree */

/*
 * ctr_container_inspect: the document of one container, a JSON object on one line. Any state; also on a
 * batch's view (then everything happens under the batch's lock).
 *   flags  CTR_INSPECT_*; sizes are found out without the container's lock
 *   json   owned (ctr_free), NUL-terminated; NULL after an error
 *   len    its length without the NUL, in bytes; may be NULL
 * Errors: those at the top of container.h, CTR_E_INVALID (json NULL), CTR_E_UNSUPPORTED (unknown flag, or
 *   the storage driver cannot tell sizes), CTR_E_NO_STORAGE, CTR_E_STORAGE.
 * Since: 0.1
 */
CTR_API int ctr_container_inspect(
    ctr_container_t *c, uint64_t flags, char **json, size_t *len, ctr_error_t **err);

/*
 * ctr_runtime_inspect_many: the documents of many containers, a JSON array in order of their IDs. Each is
 * consistent in itself; one container is locked at a time. Containers that are removed meanwhile are
 * left out. No process is started.
 *   filters  as of ctr_runtime_list(); NULL = all containers
 *   flags    CTR_INSPECT_*
 *   json     owned (ctr_free), NUL-terminated; NULL after an error
 *   len      its length without the NUL, in bytes; may be NULL
 * Errors: as ctr_container_inspect(), with the detail "container"; CTR_E_INVALID (filter).
 * Since: 0.1
 */
CTR_API int ctr_runtime_inspect_many(ctr_runtime_t *rt, const char *const *filters, uint64_t flags,
    char **json, size_t *len, ctr_error_t **err);

#ifdef __cplusplus
}
#endif
#endif
