/* SPDX-License-Identifier: Apache-2.0 */
/* SELinux labels. */
#include "sys/selinux.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/random.h>

#include "sys/fd.h"
#include "sys/selinux_load.h"
#include "util/cleanup.h"

#define CONTEXTS_MAX 65536
#define CATEGORIES   1024

bool ctr__selinux_enabled(void)
{
	const struct ctr__selinux_lib *lib;

	if (!ctr__selinux_in_kernel())
		return false;
	lib = ctr__selinux_lib();
	/* Without the library nothing can be labelled: that must not pass for "not needed". */
	return !lib || lib->is_enabled() == 1;
}

bool ctr__selinux_label_valid(const char *label)
{
	const struct ctr__selinux_lib *lib;

	if (!ctr__selinux_enabled())
		return true;
	lib = ctr__selinux_lib();
	return label && lib && lib->check_context(label) == 0;
}

static int no_library(ctr_error_t **err)
{
	return ctr__fail(err, CTR_E_SYSTEM, "SELinux is on, but libselinux.so.1 cannot be loaded");
}

int ctr__selinux_label_path(const char *path, const char *label, ctr_error_t **err)
{
	const struct ctr__selinux_lib *lib;

	if (!label || !*label || !ctr__selinux_enabled())
		return 0;
	lib = ctr__selinux_lib();
	if (!lib)
		return no_library(err);
	/* Many file systems cannot store labels: then the policy's default for them holds. */
	if (lib->set_file_label(path, label) < 0 && errno != EOPNOTSUPP)
		return ctr__fail_errno(err, errno, path, "cannot label %s as %s", path, label);
	return 0;
}

/* Two different categories. The policy's number of them is 1024 everywhere. */
static int pick_categories(unsigned int out[2], ctr_error_t **err)
{
	uint16_t random[2];

	do {
		if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
			return ctr__fail_errno(err, errno, NULL, "cannot get random numbers");
		out[0] = random[0] % CATEGORIES;
		out[1] = random[1] % CATEGORIES;
	} while (out[0] == out[1]);
	return 0;
}

int ctr__selinux_new_labels(const char *const *opts, char **process, char **file, ctr_error_t **err)
{
	CTR__FREE char *text = NULL;
	const struct ctr__selinux_lib *lib;
	const char *path;
	unsigned int categories[2] = {0};
	int r = ctr__selinux_check_opts(opts, err);

	*process = *file = NULL;
	if (r < 0 || !ctr__selinux_enabled() || ctr__selinux_opts_disable(opts))
		return r;
	lib = ctr__selinux_lib();
	if (!lib)
		return no_library(err);
	path = lib->contexts_path();
	r = path ? ctr__read_file_at(AT_FDCWD, path, CONTEXTS_MAX, &text, NULL) : -ENOENT;
	if (r == -ENOENT)
		return 0; /* a policy that does not know containers */
	if (r < 0)
		return ctr__fail_errno(err, -r, path, "cannot read the policy's labels %s", path);
	r = pick_categories(categories, err);
	return r < 0 ? r
	             : ctr__selinux_compose(
	                   text, opts, categories[0], categories[1], process, file, err);
}
