/* SPDX-License-Identifier: Apache-2.0 */
/* A copy of all state fields, and its JSON. */
#ifndef LIBCTR_CORE_SNAPSHOT_H
#define LIBCTR_CORE_SNAPSHOT_H

#include "core/container.h"

struct ctr_state {
	struct ctr__state s; /* its strings point into `record` */
	struct ctr__buf record;
	char *run_dir;
};

int ctr__snapshot(struct ctr_container *c, struct ctr_state **out, ctr_error_t **err);
void ctr__snapshot_free(struct ctr_state *s);
int ctr__snapshot_json(const struct ctr_state *s, char **out, size_t *len, ctr_error_t **err);

#endif
