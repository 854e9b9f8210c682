/* SPDX-License-Identifier: Apache-2.0 */
/* Files that are kept with a container: <static dir>/artifacts/NAME. No lock: each is replaced at once or not. */
#ifndef LIBCTR_CORE_ARTIFACT_H
#define LIBCTR_CORE_ARTIFACT_H

#include "core/container.h"

int ctr__artifact_add(
    struct ctr_container *c, const char *name, const void *data, size_t len, ctr_error_t **err);
/* malloc'ed, with a NUL behind it. */
int ctr__artifact_get(
    struct ctr_container *c, const char *name, char **data, size_t *len, ctr_error_t **err);
int ctr__artifact_remove(struct ctr_container *c, const char *name, ctr_error_t **err);
/* Sorted names. */
int ctr__artifact_list(struct ctr_container *c, char ***names, ctr_error_t **err);

#endif
