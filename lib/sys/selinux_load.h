/* SPDX-License-Identifier: Apache-2.0 */
/* The functions of libselinux that are used, found when they are first needed. */
#ifndef LIBCTR_SYS_SELINUX_LOAD_H
#define LIBCTR_SYS_SELINUX_LOAD_H

#include <selinux/selinux.h>
#include <stdbool.h>

/* With the types of its own header, so that the compiler checks the calls. */
struct ctr__selinux_lib {
	__typeof__(is_selinux_enabled) *is_enabled;
	__typeof__(security_check_context) *check_context;
	__typeof__(lsetfilecon) *set_file_label;
	__typeof__(selinux_lxc_contexts_path) *contexts_path;
};

/* NULL if it is not installed. Thread-safe. */
const struct ctr__selinux_lib *ctr__selinux_lib(void);

/* Is its file system mounted where libselinux expects it? */
bool ctr__selinux_in_kernel(void);

#endif
