/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Walking a directory tree that somebody hostile may have built, or may be changing: any depth with a
 * constant number of descriptors and no recursion, no links followed, no mounts crossed.
 */
#ifndef LIBCTR_SYS_TREE_H
#define LIBCTR_SYS_TREE_H

#include <stdbool.h>

struct ctr__tree_ops {
	/* Each entry; `type` is its d_type, perhaps DT_UNKNOWN. 1 = a directory, go in later (each
	 * directory is read to its end first); 0 = done; -errno = failed, go on with the others. */
	int (*entry)(int dirfd, const char *name, unsigned char type, void *userdata);
	/* May be NULL: a directory was opened, the top one included. 0 or -errno. */
	int (*enter)(int fd, void *userdata);
	/* May be NULL: everything in this directory is done. Not for the top one. 0 or -errno. */
	int (*leave)(int parentfd, const char *name, void *userdata);
	/* What meeting another mount counts as: 0 = pass by, or -errno. */
	int on_mount;
	void *userdata;
};

/* Walks the directory `topfd` (stays open; freshly opened for reading: it is read from its position).
 * 0 or the first -errno; -ESTALE if a directory was moved away meanwhile, then the walk ended early. */
int ctr__tree_walk(int topfd, const struct ctr__tree_ops *ops);

/* Is the directory `fd` on another mount than its parent `parentfd`? */
bool ctr__crosses_mount(int parentfd, int fd);

/* Opens the directory `name`, never through a link. Descriptor or -errno. */
int ctr__open_dir_at(int dirfd, const char *name);

#endif
