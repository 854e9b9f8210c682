/* SPDX-License-Identifier: Apache-2.0 */
/* What this host lets a default spec ask for. */
#ifndef LIBCTR_SPEC_HOST_H
#define LIBCTR_SPEC_HOST_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>

/* Can the number of processes be limited? `root`: /sys/fs/cgroup, another directory in tests. A unified
 * hierarchy lists its controllers, the legacy one of this controller has a directory of its own. Allocates
 * nothing, so that a limit cannot get lost when memory is short. */
bool ctr__host_has_pids(const char *root);

/* The limit that a default spec sets: `wanted`, or our own hard limit if that is lower, since raising it
 * needs CAP_SYS_RESOURCE. */
uint64_t ctr__host_clamp_rlimit(const struct rlimit *ours, uint64_t wanted);

/* Will every OCI runtime get device rules into the kernel? With unified cgroups they are a BPF program,
 * for which runtimes raise RLIMIT_MEMLOCK, which needs CAP_SYS_RESOURCE. `caps`: those a child can have. */
bool ctr__host_can_filter_devices(const char *const *caps);

#endif
