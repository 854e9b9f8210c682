/* SPDX-License-Identifier: Apache-2.0 */
/* SELinux labels. */
#include "sys/selinux.h"

#include <errno.h>
#include <selinux/selinux.h>

bool ctr__selinux_enabled(void)
{
	return is_selinux_enabled() == 1;
}

bool ctr__selinux_label_valid(const char *label)
{
	if (!ctr__selinux_enabled())
		return true;
	return label && security_check_context(label) == 0;
}

int ctr__selinux_label_path(const char *path, const char *label, ctr_error_t **err)
{
	if (!label || !*label || !ctr__selinux_enabled())
		return 0;
	/* Many file systems cannot store labels: then the policy's default for them holds. */
	if (lsetfilecon(path, label) < 0 && errno != EOPNOTSUPP)
		return ctr__fail_errno(err, errno, path, "cannot label %s as %s", path, label);
	return 0;
}
