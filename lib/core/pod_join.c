/* SPDX-License-Identifier: Apache-2.0 */
/* What a pod adds to the configuration of a container that is created in it. */
#include <string.h>

#include "core/pod.h"
#include "core/policy.h"
#include "util/cleanup.h"

struct join {
	struct ctr_runtime *rt;
	const ctr_config_t *cfg;
	const ctr_pod_config_t *pod;
	const char *infra;
	struct ctr__json_doc *doc, *spec;
	bool ok;
};

static void set_str(struct join *j, const char *key, const char *value)
{
	j->ok = j->ok && ctr__json_set(j->doc, j->doc->root, key, ctr__json_new_str(j->doc, value));
}

/* Has the spec a namespace of this kind that would be made for the container? One with a path, or none (that is the
 * host's), is the user's choice. */
static bool wants_own(const struct join *j, const char *type)
{
	CTR__JSON_EACH (ns, ctr__json_path(j->spec->root, "linux", "namespaces", NULL)) {
		const char *path = ctr__json_str(ctr__json_get(ns, "path"));

		if (ctr__streq(ctr__json_str(ctr__json_get(ns, "type")), type))
			return !path || !*path;
	}
	return false;
}

static void join_namespaces(struct join *j)
{
	static const struct {
		uint64_t share;
		int32_t ns;
		const char *key, *type;
	} kinds[] = {
	    {CTR_POD_SHARE_IPC, CTR_NS_IPC, "ipcNsCtr", "ipc"},
	    {CTR_POD_SHARE_NET, CTR_NS_NET, "netNsCtr", "network"},
	    {CTR_POD_SHARE_UTS, CTR_NS_UTS, "utsNsCtr", "uts"},
	    {CTR_POD_SHARE_PID, CTR_NS_PID, "pidNsCtr", "pid"},
	    {CTR_POD_SHARE_CGROUP_NS, CTR_NS_CGROUP, "cgroupNsCtr", "cgroup"},
	};

	for (size_t i = 0; j->infra[0] && i < CTR__ARRAY_SIZE(kinds); i++) {
		if (j->pod->shares & kinds[i].share && !ctr_config_ns_ctr(j->cfg, kinds[i].ns) &&
		    wants_own(j, kinds[i].type))
			set_str(j, kinds[i].key, j->infra);
	}
}

static void join_cgroup(struct join *j)
{
	CTR__FREE char *path = NULL;

	if (!(j->pod->shares & CTR_POD_SHARE_CGROUP) || j->cfg->cgroup_parent ||
	    j->cfg->no_cgroups || j->cfg->cgroups_mode)
		return;
	path = ctr__pod_cgroup_path(j->rt, j->pod);
	if (path)
		set_str(j, "cgroupParent", path);
	else
		j->ok = false;
}

static void inherit_restart_policy(struct join *j)
{
	if (j->cfg->restart_policy || !j->pod->restart_policy)
		return;
	set_str(j, "restart_policy", j->pod->restart_policy);
	if (j->pod->restart_retries)
		j->ok = j->ok && ctr__json_set(j->doc, j->doc->root, "restart_retries",
		                     ctr__json_new_i64(j->doc, j->pod->restart_retries));
}

static int refuse(ctr_error_t **err, int code, const char *field, const char *text)
{
	ctr__fail(err, code, "%s", text);
	ctr__error_detail(err, "field", field);
	return code;
}

static int check(const ctr_config_t *cfg, ctr_error_t **err)
{
	if (cfg->is_infra)
		return refuse(
		    err, CTR_E_INVALID, "pause", "an infra container is made with its pod only");
	if (cfg->init_container_type && cfg->pod)
		return refuse(err, CTR_E_UNSUPPORTED, "init_container_type",
		    "libctr does not run init containers of pods yet");
	return 0;
}

static int edit(struct join *j, ctr_config_t **out, ctr_error_t **err)
{
	CTR__BUF struct ctr__buf text = {0};

	j->ok = true;
	join_namespaces(j);
	join_cgroup(j);
	inherit_restart_policy(j);
	if (j->ok)
		ctr__json_write(j->doc->root, false, &text);
	if (!j->ok || text.failed)
		return ctr__fail_nomem(err);
	return ctr__config_parse(text.data, text.len, out, err);
}

/* ---- for others ---- */

int ctr__pod_join(
    struct ctr_runtime *rt, const ctr_config_t *cfg, ctr_config_t **out, ctr_error_t **err)
{
	CTR__CLEANUP(ctr__pod_stored_free) struct ctr__pod_stored stored = {.slot = 0};
	CTR__POD_CONFIG ctr_pod_config_t *pod = NULL;
	CTR__JSON_DOC struct ctr__json_doc *doc = NULL;
	CTR__JSON_DOC struct ctr__json_doc *spec = NULL;
	CTR__BUF struct ctr__buf text = {0};
	struct join j = {.rt = rt, .cfg = cfg, .infra = stored.infra};
	int r = check(cfg, err);

	if (r < 0)
		return r;
	if (!cfg->pod) {
		*out = ctr__config_ref((ctr_config_t *)(uintptr_t)cfg);
		return 0;
	}
	r = ctr__store_pod_get(rt->store, cfg->pod, &stored, err);
	if (r >= 0)
		r = ctr__pod_config_parse(stored.json.data, stored.json.len, &pod, err);
	ctr__config_write(cfg, &text);
	if (r >= 0 && text.failed)
		r = ctr__fail_nomem(err);
	if (r >= 0)
		r = ctr__json_parse(text.data, text.len, "configuration", &doc, err);
	if (r >= 0)
		r = ctr__json_parse(cfg->spec.text, cfg->spec.len, "spec", &spec, err);
	if (r < 0)
		return r;
	j.pod = pod;
	j.doc = doc;
	j.spec = spec;
	return edit(&j, out, err);
}

bool ctr__pod_wants_exits(struct ctr_runtime *rt, const ctr_config_t *cfg)
{
	CTR__CLEANUP(ctr__pod_stored_free) struct ctr__pod_stored stored = {.slot = 0};
	CTR__POD_CONFIG ctr_pod_config_t *pod = NULL;

	if (!cfg->pod || cfg->is_infra ||
	    ctr__store_pod_get(rt->store, cfg->pod, &stored, NULL) < 0 ||
	    ctr__pod_config_parse(stored.json.data, stored.json.len, &pod, NULL) < 0)
		return false;
	return strcmp(pod->exit_policy, "stop") == 0 && stored.infra[0];
}
