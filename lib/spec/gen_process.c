/* SPDX-License-Identifier: Apache-2.0 */
/* Generating: the process, and the name of its host. */
#include <limits.h>
#include <unistd.h>

#include "spec/gen.h"
#include "util/cleanup.h"

/* label=disable also wins over labels that the configuration names. */
static bool labels_disabled(const struct ctr__gen *g)
{
	return ctr__strv_has(g->cfg->label_opts.v, "disable");
}

void ctr__gen_labels(struct ctr__gen *g)
{
	const char *process_label = g->facts->process_label, *mount_label = g->facts->mount_label;

	if (labels_disabled(g))
		return;
	if (process_label && !ctr__gen_is_set(ctr__json_get(g->process, "selinuxLabel")))
		ctr__edit_str(&g->e, g->process, "selinuxLabel", process_label);
	if (mount_label && !ctr__gen_is_set(ctr__json_path(g->spec, "linux", "mountLabel", NULL)))
		ctr__edit_str(&g->e, ctr__gen_linux(g), "mountLabel", mount_label);
}

static bool env_has(const struct ctr__json *env, const char *prefix)
{
	CTR__JSON_EACH (var, env) {
		const char *s = ctr__json_str(var);
		if (s && ctr__starts_with(s, prefix))
			return true;
	}
	return false;
}

void ctr__gen_want_env(struct ctr__gen *g, const char *name, const char *value)
{
	if (env_has(ctr__json_get(g->process, "env"), name))
		return;
	CTR__FREE char *var = ctr__format("%s%s", name, value);
	if (!var)
		g->e.failed = true;
	else
		ctr__edit_add_str(&g->e, ctr__edit_want_array(&g->e, g->process, "env"), var);
}

/* Only a UTS namespace of its own can be given a name. One that is joined has the name that its container gave
 * it; without a namespace it is the host's. */
void ctr__gen_hostname(struct ctr__gen *g)
{
	char host[HOST_NAME_MAX + 1] = "";

	if (ctr__gen_own_namespace(g, "uts")) {
		if (!ctr__gen_is_set(ctr__json_get(g->spec, "hostname")) && g->facts->hostname)
			ctr__edit_str(&g->e, g->spec, "hostname", g->facts->hostname);
		const struct ctr__json *name = ctr__json_get(g->spec, "hostname");
		if (ctr__gen_is_set(name))
			ctr__gen_want_env(g, "HOSTNAME=", ctr__json_str(name));
		return;
	}
	ctr__json_unset(g->spec, "hostname");
	if (g->facts->ns_paths[CTR_NS_UTS] && g->facts->joined_hostname)
		ctr__gen_want_env(g, "HOSTNAME=", g->facts->joined_hostname);
	if (!ctr__gen_find_namespace(g, "uts") && gethostname(host, sizeof(host) - 1) == 0 &&
	    *host && ctr__utf8_valid(host, strlen(host)))
		ctr__gen_want_env(g, "HOSTNAME=", host);
}

void ctr__gen_no_new_privs(struct ctr__gen *g)
{
	if (g->cfg->no_new_privs)
		ctr__edit_bool(&g->e, g->process, "noNewPrivileges", true);
}
