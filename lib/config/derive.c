/* SPDX-License-Identifier: Apache-2.0 */
/* What is computed once from the fields, so that reading it is as cheap as reading a field. */
#include "config/health.h"
#include "config/model.h"

#include <stdlib.h>

#include "util/cleanup.h"

/* The strings of a list in the spec; elements of other types are left for the validation to reject. */
static int copy_strings(
    struct ctr__arena *a, const struct ctr__json *v, struct ctr__cfg_list *to, ctr_error_t **err)
{
	if (!v || v->type != CTR__JSON_ARRAY)
		return 0;
	const char **list = ctr__arena_alloc(a, (v->count + 1) * sizeof(*list));
	size_t n = 0;

	if (!list)
		return ctr__fail_nomem(err);
	CTR__JSON_EACH (e, v) {
		if (!ctr__json_str(e))
			continue;
		if (!(list[n++] = ctr__arena_strndup(a, e->text, e->len)))
			return ctr__fail_nomem(err);
	}
	*to = (struct ctr__cfg_list){list, n};
	return 0;
}

static int derive_from_spec(ctr_config_t *cfg, const struct ctr__json *spec, ctr_error_t **err)
{
	const struct ctr__json *process = ctr__json_get(spec, "process");
	const char *hostname = ctr__json_str(ctr__json_get(spec, "hostname"));

	cfg->terminal = ctr__json_bool(ctr__json_get(process, "terminal"));
	cfg->root_read_only = ctr__json_bool(ctr__json_path(spec, "root", "readonly", NULL));
	if (hostname && hostname[0] && !(cfg->hostname = ctr__arena_strdup(&cfg->arena, hostname)))
		return ctr__fail_nomem(err);
	int r = copy_strings(&cfg->arena, ctr__json_get(process, "args"), &cfg->args, err);

	return r < 0 ? r : copy_strings(&cfg->arena, ctr__json_get(process, "env"), &cfg->env, err);
}

/* Host ID of the container's 0. IDs start at 0, so only a range that begins there can hold it. */
static uint32_t map_root(const struct ctr__json *mappings, const char *use_host, const char *ranges)
{
	if (ctr__json_bool(ctr__json_get(mappings, use_host)))
		return 0;
	CTR__JSON_EACH (range, ctr__json_get(mappings, ranges)) {
		uint64_t inside, outside, size;

		if (ctr__json_u64(ctr__json_get(range, "container_id"), &inside) &&
		    ctr__json_u64(ctr__json_get(range, "host_id"), &outside) &&
		    ctr__json_u64(ctr__json_get(range, "size"), &size) && inside == 0 && size > 0 &&
		    outside <= UINT32_MAX)
			return (uint32_t)outside;
	}
	return 0;
}

static int compare_strings(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static size_t sort_unique(const char **v, size_t n)
{
	size_t kept = 0;

	if (n > 1)
		qsort(v, n, sizeof(*v), compare_strings);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || strcmp(v[kept - 1], v[i]) != 0)
			v[kept++] = v[i];
	v[kept] = NULL;
	return kept;
}

static int collect_dependencies(ctr_config_t *cfg, ctr_error_t **err)
{
	const char *const joined[] = {cfg->ipc_ns_ctr, cfg->mount_ns_ctr, cfg->net_ns_ctr,
	    cfg->pid_ns_ctr, cfg->user_ns_ctr, cfg->uts_ns_ctr, cfg->cgroup_ns_ctr};
	const size_t most = CTR__ARRAY_SIZE(joined) + cfg->dependencies.n;
	const char **v = ctr__arena_alloc(&cfg->arena, (most + 1) * sizeof(*v));
	size_t n = 0;

	if (!v)
		return ctr__fail_nomem(err);
	for (size_t i = 0; i < CTR__ARRAY_SIZE(joined); i++)
		if (joined[i])
			v[n++] = joined[i];
	for (size_t i = 0; i < cfg->dependencies.n; i++)
		v[n++] = cfg->dependencies.v[i];
	cfg->all_deps = (struct ctr__cfg_list){v, sort_unique(v, n)};
	return 0;
}

/* A mistake in it is told of by the validation. */
static int derive_health(ctr_config_t *cfg, const struct ctr__json *root, ctr_error_t **err)
{
	static const char key[] = "healthcheck";
	CTR__HEALTH_CHECK struct ctr__health_check check = {0};
	int r = ctr__health_check_decode(ctr__cfg_member(root, key), key, &check, NULL);

	cfg->has_health_check = check.argv != NULL;
	return r == CTR_E_NOMEM ? ctr__fail_nomem(err) : 0;
}

int ctr__cfg_derive(ctr_config_t *cfg, const struct ctr__json *root, ctr_error_t **err)
{
	const struct ctr__json *mappings = ctr__cfg_member(root, "idMappingsOptions");
	int r = derive_from_spec(cfg, ctr__cfg_member(root, "spec"), err);

	if (r == 0)
		r = collect_dependencies(cfg, err);
	if (r == 0)
		r = derive_health(cfg, root, err);
	if (r < 0)
		return r;
	cfg->root_uid = map_root(mappings, "HostUIDMapping", "UIDMap");
	cfg->root_gid = map_root(mappings, "HostGIDMapping", "GIDMap");
	if (cfg->id)
		memcpy(cfg->short_id, cfg->id, strnlen(cfg->id, sizeof(cfg->short_id) - 1));
	return 0;
}
