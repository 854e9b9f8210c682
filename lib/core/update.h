/* SPDX-License-Identifier: Apache-2.0 */
/* Changing what a container is configured to be: see update.c. */
#ifndef LIBCTR_CORE_UPDATE_H
#define LIBCTR_CORE_UPDATE_H

#include "core/container.h"

/* What is to change; NULL and 0 = as it is. Checked for form. */
struct ctr__update {
	const char *resources; /* JSON, merged into spec.linux.resources */
	const char *restart_policy;
	int64_t restart_retries;
	const char *const *env;       /* NAME=value */
	const char *const *env_unset; /* NAME */
};
int ctr__update(struct ctr_container *c, const struct ctr__update *u, ctr_error_t **err);
/* After a kill in the middle: the container gets the limits that are stored. */
int ctr__recover_update(struct ctr_container *c, ctr_error_t **err);

int ctr__rename(struct ctr_container *c, const char *name, ctr_error_t **err);

#endif
