/* SPDX-License-Identifier: Apache-2.0 */
/* Generating: namespaces, those of other containers joined by path. */
#include "spec/gen.h"
#include "util/cleanup.h"

struct ctr__json *ctr__gen_find_namespace(const struct ctr__gen *g, const char *type)
{
	CTR__JSON_EACH (ns, ctr__json_path(g->spec, "linux", "namespaces", NULL)) {
		if (ctr__streq(ctr__json_str(ctr__json_get(ns, "type")), type))
			return ns;
	}
	return NULL;
}

bool ctr__gen_own_namespace(const struct ctr__gen *g, const char *type)
{
	const struct ctr__json *ns = ctr__gen_find_namespace(g, type);

	return ns && !ctr__gen_is_set(ctr__json_get(ns, "path"));
}

static void join_namespace(struct ctr__gen *g, const char *type, const char *path)
{
	struct ctr__json *ns = ctr__gen_find_namespace(g, type);

	if (!ns) {
		struct ctr__json *lnx = ctr__gen_linux(g);
		struct ctr__json *list = ctr__edit_want_array(&g->e, lnx, "namespaces");

		ns = ctr__edit_add_object(&g->e, list);
		ctr__edit_str(&g->e, ns, "type", type);
	}
	ctr__edit_str(&g->e, ns, "path", path);
}

static void add_mapping(
    struct ctr__gen *g, struct ctr__json *list, const struct ctr__id_range *range)
{
	struct ctr__json *one = ctr__edit_add_object(&g->e, list);

	ctr__edit_u64(&g->e, one, "containerID", range->inside);
	ctr__edit_u64(&g->e, one, "hostID", range->outside);
	ctr__edit_u64(&g->e, one, "size", range->size);
}

/* Runtimes want a mapping beside a user namespace even if they join it and never apply one, and some compare it
 * with the namespace's. Where that is not known, anything will do that is there. */
static void want_mapping(struct ctr__gen *g, const char *key, const struct ctr__spec_ids *ids)
{
	static const struct ctr__id_range dummy = {0, 0, 1};
	struct ctr__json *lnx = ctr__gen_linux(g);
	struct ctr__json *list;

	if (lnx && ids->n)
		ctr__json_unset(lnx, key);
	list = ctr__edit_want_array(&g->e, lnx, key);
	if (!list || list->first)
		return;
	for (size_t i = 0; i < ids->n; i++)
		add_mapping(g, list, &ids->v[i]);
	if (!ids->n)
		add_mapping(g, list, &dummy);
}

/* A process cannot join the user namespace that it is in. */
static void keep_host_user(struct ctr__gen *g)
{
	struct ctr__json *lnx = ctr__json_get(g->spec, "linux");
	struct ctr__json *ns = ctr__gen_find_namespace(g, "user");

	if (ns)
		ctr__json_remove(ctr__json_get(lnx, "namespaces"), ns);
	if (lnx && lnx->type == CTR__JSON_OBJECT) {
		ctr__json_unset(lnx, "uidMappings");
		ctr__json_unset(lnx, "gidMappings");
	}
}

void ctr__gen_namespaces(struct ctr__gen *g)
{
	static const char *const types[] = {[CTR_NS_IPC] = "ipc",
	    [CTR_NS_MOUNT] = "mount",
	    [CTR_NS_NET] = "network",
	    [CTR_NS_PID] = "pid",
	    [CTR_NS_USER] = "user",
	    [CTR_NS_UTS] = "uts",
	    [CTR_NS_CGROUP] = "cgroup"};

	for (size_t i = CTR_NS_IPC; i < CTR__ARRAY_SIZE(types); i++) {
		if (g->facts->ns_paths[i])
			join_namespace(g, types[i], g->facts->ns_paths[i]);
	}
	if (g->facts->ns_paths[CTR_NS_USER]) {
		want_mapping(g, "uidMappings", &g->facts->joined_uids);
		want_mapping(g, "gidMappings", &g->facts->joined_gids);
	}
	if (g->facts->host_user_ns)
		keep_host_user(g);
}
