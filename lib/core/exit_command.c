/* SPDX-License-Identifier: Apache-2.0 */
/* The command that a monitor runs after the container's end; and how the helper is told to open this store. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "core/pod.h"
#include "core/policy.h"
#include "util/cleanup.h"

static int check_helper(const struct ctr_container *c, ctr_error_t **err)
{
	const char *path = c->rt->helper;

	if (access(path, X_OK) == 0)
		return 0;
	ctr__fail(err, CTR_E_NO_HELPER,
	    "container %s needs the helper program %s (restart policy, automatic removal): %s",
	    c->cfg->name, path, strerrordesc_np(errno));
	ctr__error_detail(err, "path", path);
	ctr__error_detail(err, "container", c->id);
	return CTR_E_NO_HELPER;
}

static bool add(char ***words, const char *word)
{
	return ctr__strv_add(words, word);
}

static bool add_option(char ***words, const char *name, const char *value)
{
	return !value || (add(words, name) && add(words, value));
}

static bool add_hooks_dirs(char ***words, const struct ctr_runtime *rt)
{
	for (char *const *d = rt->hooks_dirs; d && *d; d++) {
		if (!add_option(words, "--hooks-dir", *d))
			return false;
	}
	return true;
}

bool ctr__helper_command(const struct ctr_runtime *rt, const char *what, char ***words)
{
	return add(words, rt->helper) && add(words, what) &&
	       add_option(words, "--root", ctr__store_root(rt->store)) &&
	       add_option(words, "--run-root", ctr__store_run_root(rt->store)) &&
	       add_option(words, "--runtime", rt->oci_paths) &&
	       add_option(words, "--conmon", rt->conmon) &&
	       add_option(words, "--helper", rt->helper) && add_hooks_dirs(words, rt) &&
	       (!rt->systemd_cgroup || add(words, "--systemd-cgroup"));
}

int ctr__exit_command(struct ctr_container *c, char ***out, ctr_error_t **err)
{
	CTR__STRV char **words = NULL;
	struct ctr__oci *oci;
	int r;

	*out = NULL;
	if (!ctr__wants_exit_command(c->cfg) && !ctr__pod_wants_exits(c->rt, c->cfg))
		return 0;
	r = ctr__container_oci(c, &oci, err);
	if (r < 0)
		return r;
	/* Without the ability it is the host that calls ctr_container_handle_exit(). */
	if (!(oci->ops.caps & CTR_OCI_CAP_EXIT_COMMAND))
		return 0;
	r = check_helper(c, err);
	if (r < 0)
		return r;
	if (!ctr__helper_command(c->rt, "exit", &words) || !add(&words, c->id))
		return ctr__fail_nomem(err);
	*out = CTR__STEAL_PTR(words);
	return 0;
}
