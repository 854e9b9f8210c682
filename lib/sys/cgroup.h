/* SPDX-License-Identifier: Apache-2.0 */
/* cgroups: which kind this host has, and clearing away a group that a killed runtime left. */
#ifndef LIBCTR_SYS_CGROUP_H
#define LIBCTR_SYS_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/err.h"

enum ctr__cgroup_mode {
	CTR__CGROUP_NONE,   /* nothing usable at /sys/fs/cgroup */
	CTR__CGROUP_LEGACY, /* v1, or v1 with v2 beside it      */
	CTR__CGROUP_UNIFIED /* v2 only                          */
};

enum ctr__cgroup_mode ctr__cgroup_mode(void);

/* Kills what is left in the group (cgroupfs path such as "/parent/libpod-ID") and removes it and groups
 * below it from every hierarchy. Absent is success. Waits at most `timeout_ms` for the processes. The path
 * must be clean and not "/". */
int ctr__cgroup_remove(const char *path, int64_t timeout_ms, ctr_error_t **err);

/* The group of a systemd slice, whose name tells where it is: "a-b.slice" is "/a.slice/a-b.slice". Of a path the last
 * component counts. malloc'ed. */
char *ctr__cgroup_of_slice(const char *slice);

/* Makes the group and missing ones above it in every hierarchy, usable for processes (the CPUs and memory nodes of
 * cgroup v1 are those of the group above). One that is there is fine. What was made is not undone on failure:
 * ctr__cgroup_remove() does that. */
int ctr__cgroup_make(const char *path, ctr_error_t **err);

/* Calls fn with the group's directory in each hierarchy that has it; stops at nonzero and returns it. -ENOENT: none has. */
int ctr__cgroup_each_hierarchy(
    const char *path, int (*fn)(int fd, bool v2, void *userdata), void *userdata);

/* The processes of the group and of those below it, in ascending order, each once. malloc'ed. 0 or -errno (ENOENT: no such
 * group). */
int ctr__cgroup_pids(const char *path, pid_t **out, size_t *n);

/* Is there such a group in any hierarchy? */
bool ctr__cgroup_exists(const char *path);

/* Freezes or thaws the group directly. 0, or -errno (ENOENT: no such group). */
int ctr__cgroup_freeze(const char *path, bool frozen);

/* Ends a freezing that never gets done (cgroup v1): whoever began it was killed before he could thaw again.
 * runc waits for ever where it finds one. */
void ctr__cgroup_unstick(const char *path);

#endif
