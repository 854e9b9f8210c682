/* SPDX-License-Identifier: Apache-2.0 */
/* The slow way of ctr__open_in_root(), for lib/sys and its tests only. */
#ifndef LIBCTR_SYS_IN_ROOT_H
#define LIBCTR_SYS_IN_ROOT_H

#include <sys/types.h>

/* Without openat2(): component by component, expanding links here. Descriptor or -errno. */
int ctr__open_in_root_by_steps(int rootfd, const char *path, int flags, mode_t mode);

#endif
