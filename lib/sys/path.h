/* SPDX-License-Identifier: Apache-2.0 */
/* Directories and paths, safe against what somebody else puts in the way. */
#ifndef LIBCTR_SYS_PATH_H
#define LIBCTR_SYS_PATH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/err.h"

/* Makes an absolute directory and missing parents (0755 for parents, `mode` for the last, set with fchmod
 * so that the umask does not matter; an existing one keeps its mode). Returns a descriptor (O_PATH is not
 * used: it can be fsync'ed) or a negative code. */
int ctr__mkdir_open(const char *path, mode_t mode, ctr_error_t **err);

/* mkdirat + open of one component (no slash); an existing directory is fine, a link is not. Descriptor or
 * -errno. */
int ctr__mkdir_at(int dirfd, const char *name, mode_t mode);

/* Removes `name` below dirfd with everything in it: never follows links, never crosses into another mount
 * (EBUSY), absent is fine. 0 or -errno of the first failure (it goes on with the rest). */
int ctr__remove_tree_at(int dirfd, const char *name);

/* Opens `path` below `root` as if root were "/" (openat2 RESOLVE_IN_ROOT | NO_MAGICLINKS). Descriptor or
 * -errno. `flags` as for open, O_CLOEXEC is added. */
int ctr__open_in_root(int rootfd, const char *path, int flags, mode_t mode);

/* Where `path` (absolute) leads below `root`, as a path below it: links in it are followed as far as it exists,
 * the rest is kept as it is. malloc'ed. 0 or -errno. */
int ctr__resolve_in_root(int rootfd, const char *path, char **out);

/* Reads a regular file of at most `max` bytes below `root`, links resolved as above, into malloc'ed, NUL-terminated
 * memory. Anything else is not even opened, so that no fifo blocks and no device notices. 0, or -errno: EINVAL if it
 * is no regular file, EFBIG if it is larger. */
int ctr__read_in_root(int rootfd, const char *path, size_t max, char **out, size_t *len);

/* realpath() into malloc'ed memory; NULL and errno. */
char *ctr__realpath(const char *path);

/* Is the directory empty? 1, 0 or -errno. */
int ctr__dir_empty(int dirfd);

/* Is `path` absolute, without "." and ".." and doubled slashes? */
bool ctr__path_is_clean(const char *path);

/* Bytes used by the tree (st_blocks * 512, each inode once), not crossing mounts. 0 or -errno. */
int ctr__tree_usage(int dirfd, int64_t *bytes);

#endif
