/* SPDX-License-Identifier: Apache-2.0 */
/* What a container uses: one reading, and readings at intervals. */
#ifndef LIBCTR_CORE_STATS_H
#define LIBCTR_CORE_STATS_H

#include <libctr/stats.h>

#include "core/container.h"

/* What a look at a running container from outside needs, so that its lock need not be held meanwhile. */
struct ctr__run {
	pid_t pid;
	uint64_t pid_start;
	int64_t started_ns;
	char *cgroup; /* path in the hierarchies; NULL = it has none */
};
int ctr__run_of(struct ctr_container *c, enum ctr__op op, struct ctr__run *out, ctr_error_t **err);
void ctr__run_free(struct ctr__run *r);
#define CTR__RUN CTR__CLEANUP(ctr__run_free)

#define CTR__STATS_MAX 20

struct ctr_stats {
	char id[CTR__ID_MAX + 1];
	uint64_t value[CTR__STATS_MAX];
	bool there[CTR__STATS_MAX];
};

int ctr__stats(struct ctr_container *c, struct ctr_stats **out, ctr_error_t **err);
const char *ctr__stats_name(int32_t what);

int ctr__stats_stream_open(
    struct ctr_container *c, int64_t interval_ms, struct ctr_stats_stream **out, ctr_error_t **err);
int ctr__stats_stream_fd(const struct ctr_stats_stream *s);
/* 1 = a reading, 0 = not due. */
int ctr__stats_stream_next(struct ctr_stats_stream *s, struct ctr_stats **out, ctr_error_t **err);
void ctr__stats_stream_free(struct ctr_stats_stream *s);

#endif
