/* SPDX-License-Identifier: Apache-2.0 */
/* SELinux labels; without SELinux in the kernel everything is a no-op. (The only user of libselinux.) */
#ifndef LIBCTR_SYS_SELINUX_H
#define LIBCTR_SYS_SELINUX_H

#include <stdbool.h>

#include "util/err.h"

bool ctr__selinux_enabled(void);

/* Is `label` a well-formed context? Always true without SELinux. */
bool ctr__selinux_label_valid(const char *label);

/* Labels a file or directory (not recursive, links not followed). */
int ctr__selinux_label_path(const char *path, const char *label, ctr_error_t **err);

#endif
