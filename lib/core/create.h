/* SPDX-License-Identifier: Apache-2.0 */
/* What creating containers and pods share. */
#ifndef LIBCTR_CORE_CREATE_H
#define LIBCTR_CORE_CREATE_H

#include "core/runtime.h"

/* `parent` NULL is fine. CTR_E_INVALID with detail "field". */
int ctr__check_cgroup_parent(const struct ctr_runtime *rt, const char *parent, ctr_error_t **err);
/* May a container with this configuration be created here? Storage and name apart. */
int ctr__create_check(const struct ctr_runtime *rt, const ctr_config_t *cfg, ctr_error_t **err);
/* A completed copy. */
int ctr__create_complete(struct ctr_runtime *rt, const ctr_config_t *cfg, const char *id,
    const char *name, ctr_config_t **out, ctr_error_t **err);

#endif
