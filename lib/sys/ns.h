/* SPDX-License-Identifier: Apache-2.0 */
/* Namespaces of other processes, as descriptors. */
#ifndef LIBCTR_SYS_NS_H
#define LIBCTR_SYS_NS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Opens a namespace of a process; `name` as in /proc/PID/ns ("net", "mnt", ...). Descriptor or -errno. */
int ctr__ns_open(pid_t pid, const char *name);

/* Opens a file that must be a namespace of that kind: -EINVAL if it is something else. */
int ctr__ns_open_path(const char *path, const char *name);

/* Is it the namespace that this process is in itself? 1, 0 or -errno. */
int ctr__ns_is_own(int fd, const char *name);

/* A range of IDs in a user namespace and outside of it. */
struct ctr__id_range {
	uint32_t inside, outside, size;
};

/* The ranges of a process's user namespace, as this process sees them; `name` is "uid_map" or "gid_map". *out is
 * malloc'ed. 0 or -errno. */
int ctr__id_map_read(pid_t pid, const char *name, struct ctr__id_range **out, size_t *n);

#endif
