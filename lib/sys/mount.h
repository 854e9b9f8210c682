/* SPDX-License-Identifier: Apache-2.0 */
/* Mounts. */
#ifndef LIBCTR_SYS_MOUNT_H
#define LIBCTR_SYS_MOUNT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/err.h"

/* The C library's header of this name would be hidden by this one. */
#include_next <sys/mount.h>

/* Is something mounted exactly on `path`? (statx; never follows a last link.) 1, 0 or -errno; an absent
 * path is 0. */
int ctr__is_mount_point(const char *path);

/* Mounts a tmpfs "shm" on the existing directory `path`: nosuid, nodev, noexec, mode 1777, `size` bytes,
 * SELinux context `label` (NULL = none), owned by uid:gid. */
int ctr__mount_shm(const char *path, int64_t size, const char *label, uint32_t uid, uint32_t gid,
    ctr_error_t **err);

/* Lazily unmounts everything mounted on `path` (stacked mounts too). Not mounted or absent is success. */
int ctr__unmount_all(const char *path, ctr_error_t **err);

/* The same for everything below the directory `dir`, whose path has no links; not for itself. */
int ctr__unmount_below(const char *dir, ctr_error_t **err);
/* Mount points below it, from the text of a mountinfo file, which is changed; *out is NULL if there are none. False if
 * memory is short. */
bool ctr__mounts_below(char *mountinfo, const char *dir, char ***out);

/* How mounts spread between the mount that `path` is on and others. */
struct ctr__propagation {
	bool shared; /* both ways            */
	bool slave;  /* from its master here */
	char *mount; /* malloc'ed: the mount point */
};
/* 0, or -errno (ENOENT also if the mount is not visible here). */
int ctr__mount_propagation(const char *path, struct ctr__propagation *out);
/* The same from the text of a mountinfo file, which is changed, and a mount's ID. */
int ctr__propagation_parse(char *mountinfo, int64_t mount_id, struct ctr__propagation *out);

#endif
