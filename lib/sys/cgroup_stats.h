/* SPDX-License-Identifier: Apache-2.0 */
/* What a cgroup has used: cgroup v1, hybrid and v2. */
#ifndef LIBCTR_SYS_CGROUP_STATS_H
#define LIBCTR_SYS_CGROUP_STATS_H

#include <stdbool.h>
#include <stdint.h>

enum ctr__use {
	CTR__USE_CPU_NS,
	CTR__USE_CPU_USER_NS,
	CTR__USE_CPU_SYSTEM_NS,
	CTR__USE_CPU_THROTTLED_NS,
	CTR__USE_MEMORY,        /* all, with the page cache */
	CTR__USE_INACTIVE_FILE, /* of it: cache that can be dropped */
	CTR__USE_MEMORY_LIMIT,  /* absent: none */
	CTR__USE_MEMORY_PEAK,
	CTR__USE_SWAP,
	CTR__USE_PIDS,
	CTR__USE_PIDS_LIMIT, /* absent: none */
	CTR__USE_BLOCK_READ,
	CTR__USE_BLOCK_WRITE,
	CTR__USES
};

struct ctr__cgroup_use {
	uint64_t v[CTR__USES];
	bool there[CTR__USES];
	bool no_memory; /* something is absent because of that */
};

/* What is not told (no such controller) is absent. 0, -ENOENT: there is no such group, or -errno. */
int ctr__cgroup_use_read(const char *path, struct ctr__cgroup_use *out);

/* Of one group's directory: adds what its files tell. */
void ctr__cgroup_use_add(int fd, bool v2, struct ctr__cgroup_use *out);

#endif
