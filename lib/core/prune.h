/* SPDX-License-Identifier: Apache-2.0 */
/* Removing many containers, and those that cannot be read. */
#ifndef LIBCTR_CORE_PRUNE_H
#define LIBCTR_CORE_PRUNE_H

#include "core/runtime.h"

/* Exit codes of removed containers are kept this long (libpod: 5 minutes). */
#define CTR__KEEP_EXIT_CODES_NS (INT64_C(300) * 1000000000)

/* Drops older ones, now and then. */
void ctr__prune_exit_codes(struct ctr_runtime *rt);

struct ctr__pruned {
	char *id;
	int32_t code; /* 0 = removed */
	char *message;
	int64_t bytes;
};
struct ctr_pruned {
	struct ctr__pruned *v;
	size_t n;
};
int ctr__prune(
    struct ctr_runtime *rt, const char *const *filters, struct ctr_pruned **out, ctr_error_t **err);
void ctr__pruned_free(struct ctr_pruned *p);

/* *id: owned. */
int ctr__evict(struct ctr_runtime *rt, const char *name_or_id, char **id, ctr_error_t **err);

#endif
