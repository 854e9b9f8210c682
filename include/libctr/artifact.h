/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libctr/artifact.h - small files that are kept with a container and removed with it.
 *
 * They are the host's own notes on a container; the container cannot see them. A name is one component of
 * a path: 1 to 255 bytes of UTF-8 without "/", control characters, "." and "..", and not beginning with
 * ".ctr-". Any state of the container allows all of this; its lock is not taken. A file is replaced at
 * once: readers get the old one or the new one. Each function can give CTR_E_INVALID (a bad name; detail
 * "field"), CTR_E_CTR_REMOVED, CTR_E_RUNTIME_STOPPED, CTR_E_FORKED, CTR_E_STORE_CORRUPT, CTR_E_SYSTEM,
 * CTR_E_NOMEM.
 */
#ifndef LIBCTR_ARTIFACT_H
#define LIBCTR_ARTIFACT_H

#include <libctr/container.h>
#include <libctr/error.h>
#include <libctr/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CTR_ARTIFACT_MAX (UINT32_C(16) << 20) /* bytes that one may have */

/*
 * ctr_container_add_artifact: stores `len` bytes under a name, replacing what had it. It outlives a power
 * cut when this returns. Any state, no lock.
 *   data  borrowed; may be NULL if len is 0
 *   len   at most CTR_ARTIFACT_MAX (else CTR_E_INVALID)
 * Since: 0.1
 */
CTR_API int ctr_container_add_artifact(
    ctr_container_t *c, const char *name, const void *data, size_t len, ctr_error_t **err);

/*
 * ctr_container_get_artifact: reads one. Any state, no lock.
 *   data  owned (ctr_free); a NUL follows the last byte
 *   len   may be NULL
 * Errors: CTR_E_NO_SUCH_ARTIFACT (detail "artifact"), CTR_E_SYSTEM (also: somebody has put a link or
 *   something larger there).
 * Since: 0.1
 */
CTR_API int ctr_container_get_artifact(
    ctr_container_t *c, const char *name, char **data, size_t *len, ctr_error_t **err);

/*
 * ctr_container_remove_artifact: removes one. Any state, no lock. Errors: CTR_E_NO_SUCH_ARTIFACT.
 * Since: 0.1
 */
CTR_API int ctr_container_remove_artifact(ctr_container_t *c, const char *name, ctr_error_t **err);

/*
 * ctr_container_list_artifacts: their names, sorted. Any state, no lock.
 *   names  owned (ctr_strv_free), NULL-terminated; empty if there are none
 * Since: 0.1
 */
CTR_API int ctr_container_list_artifacts(ctr_container_t *c, char ***names, ctr_error_t **err);

#ifdef __cplusplus
}
#endif
#endif
