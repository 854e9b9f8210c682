/* SPDX-License-Identifier: Apache-2.0 */
/* What pods look like: status, inspect. No locks are taken. */
#include <stdlib.h>
#include <string.h>

#include "core/pod.h"
#include "util/cleanup.h"
#include "util/clock.h"

static const char *const state_names[] = {[CTR_POD_STATE_CREATED] = "Created",
    [CTR_POD_STATE_RUNNING] = "Running",
    [CTR_POD_STATE_DEGRADED] = "Degraded",
    [CTR_POD_STATE_PAUSED] = "Paused",
    [CTR_POD_STATE_EXITED] = "Exited",
    [CTR_POD_STATE_STOPPED] = "Stopped",
    [CTR_POD_STATE_ERROR] = "Error"};

const char *ctr__pod_state_name(int32_t state)
{
	bool known = state >= CTR_POD_STATE_CREATED && state <= CTR_POD_STATE_ERROR;

	return state_names[known ? state : CTR_POD_STATE_ERROR];
}

/* ---- status ---- */

int32_t ctr__pod_derive_state(const struct ctr__pod_members *m)
{
	size_t n = 0, running = 0, paused = 0, ended = 0, wrong = 0;

	for (size_t i = 0; i < m->n; i++) {
		if (m->v[i].init)
			continue;
		n++;
		switch (m->v[i].state) {
		case CTR_STATE_RUNNING: running++; break;
		case CTR_STATE_PAUSED: paused++; break;
		case CTR_STATE_STOPPED:
		case CTR_STATE_EXITED: ended++; break;
		case CTR_STATE_CONFIGURED:
		case CTR_STATE_CREATED: break;
		default: wrong++; break;
		}
	}
	if (n == 0)
		return CTR_POD_STATE_CREATED;
	if (running > 0)
		return running == n ? CTR_POD_STATE_RUNNING : CTR_POD_STATE_DEGRADED;
	if (paused == n)
		return CTR_POD_STATE_PAUSED;
	if (ended > 0)
		return ended == n ? CTR_POD_STATE_EXITED : CTR_POD_STATE_STOPPED;
	return wrong > 0 ? CTR_POD_STATE_ERROR : CTR_POD_STATE_CREATED;
}

int ctr__pod_status(struct ctr_pod *p, int32_t *state, ctr_error_t **err)
{
	CTR__CLEANUP(ctr__pod_stored_free) struct ctr__pod_stored stored = {.slot = 0};
	struct ctr__pod_members m;
	int r = ctr__pod_read(p, &stored, err);

	if (r < 0)
		return r;
	ctr__runtime_reap(p->rt, 0, NULL);
	r = ctr__store_pod_members(p->rt->store, p->id, &m, err);
	if (r < 0)
		return r;
	*state = ctr__pod_derive_state(&m);
	ctr__pod_members_free(&m);
	return 0;
}

/* ---- inspect ---- */

struct view {
	struct ctr_pod *p;
	ctr_pod_config_t *cfg;
	struct ctr__pod_stored stored;
	struct ctr__pod_state state;
	struct ctr__pod_members members;
	struct ctr__json_doc *doc;
	struct ctr__json *o;
	bool ok;
};

static void view_free(struct view *v)
{
	ctr__pod_config_unref(v->cfg);
	ctr__pod_stored_free(&v->stored);
	ctr__pod_members_free(&v->members);
	ctr__json_doc_free(v->doc);
}

static void set(struct view *v, const char *key, struct ctr__json *value)
{
	v->ok = v->ok && ctr__json_set(v->doc, v->o, key, value);
}

static void set_str(struct view *v, const char *key, const char *value)
{
	set(v, key, ctr__json_new_str(v->doc, value ? value : ""));
}

static void set_bool(struct view *v, const char *key, bool value)
{
	set(v, key, ctr__json_new_bool(v->doc, value));
}

static struct ctr__json *string_list(struct view *v, const char *const *list)
{
	struct ctr__json *array = ctr__json_new_array(v->doc);

	for (; array && *list; list++) {
		if (!ctr__json_append(v->doc, array, ctr__json_new_str(v->doc, *list)))
			return NULL;
	}
	return array;
}

static void add_labels(struct view *v)
{
	const struct ctr__cfg_map *labels = &v->cfg->labels;
	struct ctr__json *map = labels->n ? ctr__json_new_object(v->doc) : NULL;

	for (size_t i = 0; map && i < labels->n; i++)
		v->ok = v->ok && ctr__json_set(v->doc, map, labels->v[i].key,
		                     ctr__json_new_str(v->doc, labels->v[i].value));
	if (labels->n)
		set(v, "Labels", map);
}

static void add_shares(struct view *v)
{
	static const struct {
		uint64_t bit;
		const char *word;
	} words[] = {{CTR_POD_SHARE_CGROUP_NS, "cgroup"}, {CTR_POD_SHARE_IPC, "ipc"},
	    {CTR_POD_SHARE_MNT, "mount"}, {CTR_POD_SHARE_NET, "net"}, {CTR_POD_SHARE_PID, "pid"},
	    {CTR_POD_SHARE_USER, "user"}, {CTR_POD_SHARE_UTS, "uts"}};
	const char *list[CTR__ARRAY_SIZE(words) + 1] = {NULL};
	size_t n = 0;

	for (size_t i = 0; i < CTR__ARRAY_SIZE(words); i++) {
		if (v->cfg->shares & words[i].bit)
			list[n++] = words[i].word;
	}
	if (n)
		set(v, "SharedNamespaces", string_list(v, list));
}

static void add_infra_config(struct view *v)
{
	struct view in = {.doc = v->doc, .o = ctr__json_new_object(v->doc), .ok = true};

	if (!v->stored.infra[0])
		return;
	in.ok = in.o != NULL;
	set(&in, "PortBindings", ctr__json_new_object(v->doc));
	set_bool(&in, "HostNetwork", false);
	set_bool(&in, "NoManageResolvConf", false);
	set_bool(&in, "NoManageHostname", false);
	set_bool(&in, "NoManageHosts", false);
	set_str(&in, "pid_ns", "private");
	set_str(&in, "userns", "host");
	set_str(&in, "uts_ns", "private");
	v->ok = v->ok && in.ok;
	set(v, "InfraConfig", in.o);
}

static void add_containers(struct view *v)
{
	struct ctr__json *array = ctr__json_new_array(v->doc);

	for (size_t i = 0; array && i < v->members.n; i++) {
		const struct ctr__pod_member *m = &v->members.v[i];
		struct view one = {.doc = v->doc, .o = ctr__json_new_object(v->doc), .ok = true};

		one.ok = one.o != NULL;
		set_str(&one, "Id", m->id);
		set_str(&one, "Name", m->name);
		set_str(&one, "State", ctr__state_name(m->state));
		v->ok = v->ok && one.ok && ctr__json_append(v->doc, array, one.o);
	}
	set(v, "NumContainers", ctr__json_new_u64(v->doc, v->members.n));
	set(v, "Containers", array);
}

/* In podman's order. */
static bool fill(struct view *v)
{
	const ctr_pod_config_t *cfg = v->cfg;
	bool cgroup = cfg->shares & CTR_POD_SHARE_CGROUP;
	CTR__FREE char *path = ctr__pod_cgroup_path(v->p->rt, cfg);
	char created[CTR__RFC3339_MAX];

	if (!path)
		return false;
	ctr__rfc3339_format(cfg->created_ns, created);
	set_str(v, "Id", cfg->id);
	set_str(v, "Name", cfg->name);
	set_str(v, "Created", created);
	if (cfg->create_command.n)
		set(v, "CreateCommand", string_list(v, cfg->create_command.v));
	set_str(v, "ExitPolicy", cfg->exit_policy);
	set_str(v, "State", ctr__pod_state_name(ctr__pod_derive_state(&v->members)));
	set_str(v, "Hostname", cfg->hostname);
	add_labels(v);
	set_bool(v, "CreateCgroup", cgroup);
	set_str(v, "CgroupParent", cfg->cgroup_parent);
	set_str(v, "CgroupPath", cgroup ? path : "");
	set_bool(v, "CreateInfra", cfg->has_infra);
	set_str(v, "InfraContainerID", v->stored.infra);
	add_infra_config(v);
	add_shares(v);
	add_containers(v);
	set_str(v, "RestartPolicy", cfg->restart_policy);
	set(v, "LockNumber", ctr__json_new_u64(v->doc, v->stored.slot));
	return v->ok;
}

static int read_view(struct view *v, ctr_error_t **err)
{
	int r = ctr__pod_read(v->p, &v->stored, err);

	if (r < 0)
		return r;
	ctr__runtime_reap(v->p->rt, 0, NULL);
	r = ctr__pod_config_parse(v->stored.json.data, v->stored.json.len, &v->cfg, err);
	if (r >= 0)
		r = ctr__store_pod_members(v->p->rt->store, v->p->id, &v->members, err);
	return r;
}

int ctr__pod_inspect(struct ctr_pod *p, char **out, size_t *len, ctr_error_t **err)
{
	CTR__CLEANUP(view_free) struct view v = {.p = p, .ok = true};
	CTR__BUF struct ctr__buf text = {0};
	int r = read_view(&v, err);

	if (r < 0)
		return r;
	v.doc = ctr__json_doc_new();
	v.o = v.doc ? ctr__json_new_object(v.doc) : NULL;
	if (!v.o || !fill(&v))
		return ctr__fail_nomem(err);
	ctr__json_write(v.o, true, &text);
	if (text.failed)
		return ctr__fail_nomem(err);
	if (len)
		*len = text.len;
	*out = ctr__buf_steal(&text);
	return *out ? 0 : ctr__fail_nomem(err);
}
