/* SPDX-License-Identifier: Apache-2.0 */
/* libctr/config.h: checks arguments, reads the snapshot. */
#include <libctr/config.h>

#include "config/builder.h"
#include "config/model.h"
#include "util/cleanup.h"

static int missing(ctr_error_t **err, const char *what)
{
	return ctr__fail(err, CTR_E_INVALID, "%s is NULL", what);
}

/* ---- making one ---- */

int ctr_config_from_json(const char *json, size_t len, ctr_config_t **out, ctr_error_t **err)
{
	if (!json)
		return missing(err, "json");
	return out ? ctr__config_parse(json, len, out, err) : missing(err, "out");
}

static int hand_over(struct ctr__buf *text, char **out, size_t *len, ctr_error_t **err)
{
	size_t n = text->len;
	char *s = ctr__buf_steal(text);

	if (!s)
		return ctr__fail_nomem(err);
	*out = s;
	if (len)
		*len = n;
	return 0;
}

int ctr_config_to_json(const ctr_config_t *cfg, char **out, size_t *len, ctr_error_t **err)
{
	CTR__BUF struct ctr__buf text = {0};

	if (!cfg || !out)
		return missing(err, cfg ? "out" : "cfg");
	ctr__config_write(cfg, &text);
	return hand_over(&text, out, len, err);
}

ctr_config_t *ctr_config_ref(ctr_config_t *cfg)
{
	return ctr__config_ref(cfg);
}

ctr_config_t *ctr_config_unref(ctr_config_t *cfg)
{
	return ctr__config_unref(cfg);
}

void ctr_config_unrefp(ctr_config_t **cfg)
{
	if (cfg)
		*cfg = ctr__config_unref(*cfg);
}

ctr_config_builder_t *ctr_config_builder_new(void)
{
	return ctr__builder_new(NULL);
}

ctr_config_builder_t *ctr_config_builder_new_from(const ctr_config_t *cfg)
{
	return ctr__builder_new(cfg);
}

void ctr_config_builder_free(ctr_config_builder_t *b)
{
	ctr__builder_free(b);
}

void ctr_config_builder_freep(ctr_config_builder_t **b)
{
	if (!b)
		return;
	ctr__builder_free(*b);
	*b = NULL;
}

int ctr_config_builder_set_str(
    ctr_config_builder_t *b, int32_t field, const char *value, ctr_error_t **err)
{
	return b ? ctr__builder_set_str(b, field, value, err) : missing(err, "builder");
}

int ctr_config_builder_set_bool(
    ctr_config_builder_t *b, int32_t field, int32_t value, ctr_error_t **err)
{
	return b ? ctr__builder_set_bool(b, field, value, err) : missing(err, "builder");
}

int ctr_config_builder_set_num(
    ctr_config_builder_t *b, int32_t field, int64_t value, ctr_error_t **err)
{
	return b ? ctr__builder_set_num(b, field, value, err) : missing(err, "builder");
}

int ctr_config_builder_add_str(
    ctr_config_builder_t *b, int32_t field, const char *value, ctr_error_t **err)
{
	return b ? ctr__builder_add_str(b, field, value, err) : missing(err, "builder");
}

int ctr_config_builder_set_map(
    ctr_config_builder_t *b, int32_t field, const char *key, const char *value, ctr_error_t **err)
{
	return b ? ctr__builder_set_map(b, field, key, value, err) : missing(err, "builder");
}

int ctr_config_builder_set_json(
    ctr_config_builder_t *b, int32_t field, const char *json, size_t len, ctr_error_t **err)
{
	return b ? ctr__builder_set_json(b, field, json, len, err) : missing(err, "builder");
}

int ctr_config_builder_build(ctr_config_builder_t *b, ctr_config_t **out, ctr_error_t **err)
{
	if (!b || !out)
		return missing(err, b ? "out" : "builder");
	return ctr__builder_build(b, out, err);
}

int ctr_spec_generate(ctr_config_builder_t *b, char **out, size_t *len, ctr_error_t **err)
{
	CTR__BUF struct ctr__buf text = {0};
	int r;

	if (!b || !out)
		return missing(err, b ? "out" : "builder");
	r = ctr__builder_write_spec(b, &text, err);
	return r < 0 ? r : hand_over(&text, out, len, err);
}

/* ---- reading one ---- */

#define GETTER(type, name, value, absent)        \
	type name(const ctr_config_t *cfg)       \
	{                                        \
		return cfg ? (value) : (absent); \
	}

GETTER(const char *, ctr_config_id, cfg->id, NULL)
GETTER(const char *, ctr_config_name, cfg->name, NULL)
GETTER(const char *, ctr_config_pod_id, cfg->pod, NULL)
GETTER(const char *, ctr_config_image_id, cfg->rootfs_image_id, NULL)
GETTER(const char *, ctr_config_image_name, cfg->rootfs_image_name, NULL)
GETTER(const char *, ctr_config_rootfs, cfg->rootfs, NULL)
GETTER(const char *, ctr_config_static_dir, cfg->static_dir, NULL)
GETTER(const char *, ctr_config_shm_dir, cfg->shm_dir, NULL)
GETTER(const char *, ctr_config_log_path, cfg->log_path, NULL)
GETTER(const char *, ctr_config_log_driver, cfg->log_driver, NULL)
GETTER(
    const char *, ctr_config_restart_policy, cfg->restart_policy ? cfg->restart_policy : "no", NULL)
GETTER(int64_t, ctr_config_restart_retries, cfg->restart_retries, 0)
GETTER(int, ctr_config_auto_remove, cfg->auto_remove, 0)
GETTER(const char *, ctr_config_conmon_pid_file, cfg->conmon_pid_file, NULL)
GETTER(const char *, ctr_config_cgroup_parent, cfg->cgroup_parent, NULL)
GETTER(const char *, ctr_config_process_label, cfg->process_label, NULL)
GETTER(const char *, ctr_config_mount_label, cfg->mount_label, NULL)
GETTER(const char *, ctr_config_user, cfg->user, NULL)
GETTER(const char *, ctr_config_runtime_name, cfg->runtime, NULL)
GETTER(const char *, ctr_config_storage_driver, cfg->storage_driver, NULL)

GETTER(int, ctr_config_image_volumes, cfg->image_volumes, 0)
GETTER(int, ctr_config_privileged, cfg->privileged, 0)
GETTER(int, ctr_config_new_net_ns, cfg->create_net_ns, 0)
GETTER(int, ctr_config_stdin, cfg->stdin_open, 0)
GETTER(int, ctr_config_terminal, cfg->terminal, 0)
GETTER(int, ctr_config_read_only, cfg->root_read_only || cfg->read_only, 0)

GETTER(int64_t, ctr_config_shm_size, cfg->shm_size, 0)
GETTER(int32_t, ctr_config_stop_signal, (int32_t)cfg->stop_signal, 0)
GETTER(int64_t, ctr_config_stop_timeout_ms, cfg->stop_timeout * 1000, 0)
GETTER(int64_t, ctr_config_created_ns, cfg->created_ns, 0)
GETTER(int64_t, ctr_config_log_size, cfg->log_size, 0)
GETTER(uint32_t, ctr_config_root_uid, cfg->root_uid, 0)
GETTER(uint32_t, ctr_config_root_gid, cfg->root_gid, 0)

const char *ctr_config_hostname(const ctr_config_t *cfg)
{
	if (!cfg || cfg->hostname)
		return cfg ? cfg->hostname : NULL;
	return cfg->id ? cfg->short_id : NULL;
}

static const char *const *give_list(const struct ctr__cfg_list *list, size_t *n)
{
	if (n)
		*n = list ? list->n : 0;
	return list ? list->v : ctr__cfg_no_strings;
}

#define LIST_GETTER(name, member)                                   \
	const char *const *name(const ctr_config_t *cfg, size_t *n) \
	{                                                           \
		return give_list(cfg ? &cfg->member : NULL, n);     \
	}

LIST_GETTER(ctr_config_dependencies, all_deps)
LIST_GETTER(ctr_config_dns_servers, dns_server)
LIST_GETTER(ctr_config_dns_search, dns_search)
LIST_GETTER(ctr_config_dns_options, dns_option)
LIST_GETTER(ctr_config_hosts_add, host_add)
LIST_GETTER(ctr_config_user_volumes, user_volumes)
LIST_GETTER(ctr_config_entrypoint, entrypoint)
LIST_GETTER(ctr_config_command, command)
LIST_GETTER(ctr_config_groups, groups)
LIST_GETTER(ctr_config_mounts, mounts)
LIST_GETTER(ctr_config_env, env)
LIST_GETTER(ctr_config_args, args)

static const char *give_text(const struct ctr__cfg_text *json, size_t *len)
{
	if (len)
		*len = json ? json->len : 0;
	return json ? json->text : NULL;
}

#define TEXT_GETTER(name, member)                                 \
	const char *name(const ctr_config_t *cfg, size_t *len)    \
	{                                                         \
		return give_text(cfg ? &cfg->member : NULL, len); \
	}

TEXT_GETTER(ctr_config_spec, spec)
TEXT_GETTER(ctr_config_id_mappings, id_mappings)
TEXT_GETTER(ctr_config_port_mappings, port_mappings)

const char *ctr_config_label(const ctr_config_t *cfg, const char *key)
{
	size_t low = 0, high = cfg && key ? cfg->labels.n : 0;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(key, cfg->labels.v[middle].key);

		if (order == 0)
			return cfg->labels.v[middle].value;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

int ctr_config_label_at(const ctr_config_t *cfg, size_t i, const char **key, const char **value)
{
	if (!cfg || i >= cfg->labels.n)
		return 0;
	if (key)
		*key = cfg->labels.v[i].key;
	if (value)
		*value = cfg->labels.v[i].value;
	return 1;
}

const char *ctr_config_ns_ctr(const ctr_config_t *cfg, int32_t ns)
{
	if (!cfg)
		return NULL;
	switch (ns) {
	case CTR_NS_IPC: return cfg->ipc_ns_ctr;
	case CTR_NS_MOUNT: return cfg->mount_ns_ctr;
	case CTR_NS_NET: return cfg->net_ns_ctr;
	case CTR_NS_PID: return cfg->pid_ns_ctr;
	case CTR_NS_USER: return cfg->user_ns_ctr;
	case CTR_NS_UTS: return cfg->uts_ns_ctr;
	case CTR_NS_CGROUP: return cfg->cgroup_ns_ctr;
	default: return NULL;
	}
}

/* The field's value if there is one of this number and it is of this kind; else NULL. */
static const void *find_value(const ctr_config_t *cfg, int32_t field, enum ctr__cfg_kind kind)
{
	const struct ctr__cfg_field *f = cfg ? ctr__cfg_field_by_number(field) : NULL;

	return f && f->kind == kind ? (const char *)cfg + f->offset : NULL;
}

const char *ctr_config_get_str(const ctr_config_t *cfg, int32_t field)
{
	const ctr__cfg_STR *s = find_value(cfg, field, CTR__CFG_STR);
	const ctr__cfg_OBJ *json = find_value(cfg, field, CTR__CFG_OBJ);

	if (json)
		return json->text;
	return s ? *s : NULL;
}

int64_t ctr_config_get_num(const ctr_config_t *cfg, int32_t field)
{
	const ctr__cfg_NUM *n = find_value(cfg, field, CTR__CFG_NUM);
	const ctr__cfg_TIME *t = find_value(cfg, field, CTR__CFG_TIME);
	const ctr__cfg_BOOL *b = find_value(cfg, field, CTR__CFG_BOOL);

	if (n || t)
		return n ? *n : *t;
	return b ? *b : 0;
}

const char *const *ctr_config_get_list(const ctr_config_t *cfg, int32_t field, size_t *n)
{
	return give_list(find_value(cfg, field, CTR__CFG_STRV), n);
}

const char *ctr_ns_name(int32_t ns)
{
	static const char *const names[] = {
	    "invalid", "ipc", "mnt", "net", "pid", "user", "uts", "cgroup"};

	return ns >= 0 && (size_t)ns < CTR__ARRAY_SIZE(names) ? names[ns] : "unknown";
}
