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

/* Options for a container's labels: "disable", "nested", "user:U", "role:R", "type:T", "level:L",
 * "filetype:T". `opts` is NULL-terminated or NULL. CTR_E_INVALID with detail "field" = "labelopts". Checked
 * without SELinux too. */
int ctr__selinux_check_opts(const char *const *opts, ctr_error_t **err);

/* Labels for a new container: the policy's for containers, with two categories of its own by chance, so that
 * containers cannot reach each other's files. malloc'ed; both NULL without SELinux and with "disable". */
int ctr__selinux_new_labels(
    const char *const *opts, char **process, char **file, ctr_error_t **err);

/* The pure part of it (selinux_label.c): `contexts` is the text of the policy's file lxc_contexts. */
int ctr__selinux_compose(const char *contexts, const char *const *opts, unsigned int category_a,
    unsigned int category_b, char **process, char **file, ctr_error_t **err);
bool ctr__selinux_opts_disable(const char *const *opts);

#endif
