/* SPDX-License-Identifier: Apache-2.0 */
/* libctr/pod.h, the configuration: checks arguments, reads the snapshot. */
#include <libctr/pod.h>

#include "config/model.h"
#include "config/pod.h"
#include "core/opts.h"
#include "util/cleanup.h"

static int missing(ctr_error_t **err, const char *what)
{
	return ctr__fail(err, CTR_E_INVALID, "%s is NULL", what);
}

int ctr_pod_config_new(const struct ctr_pod_opts *opts, ctr_pod_config_t **out, ctr_error_t **err)
{
	struct ctr_pod_opts o;
	int r;

	if (!out)
		return missing(err, "out");
	r = CTR__COPY_OPTS(&o, opts, "ctr_pod_opts", err);
	return r < 0 ? r : ctr__pod_config_from_opts(&o, out, err);
}

int ctr_pod_config_from_json(
    const char *json, size_t len, ctr_pod_config_t **out, ctr_error_t **err)
{
	if (!json)
		return missing(err, "json");
	return out ? ctr__pod_config_parse(json, len, out, err) : missing(err, "out");
}

int ctr_pod_config_to_json(const ctr_pod_config_t *cfg, char **out, size_t *len, ctr_error_t **err)
{
	if (!cfg || !out)
		return missing(err, cfg ? "out" : "cfg");
	*out = strdup(cfg->json.text);
	if (!*out)
		return ctr__fail_nomem(err);
	if (len)
		*len = cfg->json.len;
	return 0;
}

ctr_pod_config_t *ctr_pod_config_ref(ctr_pod_config_t *cfg)
{
	return ctr__pod_config_ref(cfg);
}

ctr_pod_config_t *ctr_pod_config_unref(ctr_pod_config_t *cfg)
{
	ctr__pod_config_unref(cfg);
	return NULL;
}

void ctr_pod_config_unrefp(ctr_pod_config_t **cfg)
{
	if (!cfg)
		return;
	ctr__pod_config_unref(*cfg);
	*cfg = NULL;
}

#define GETTER(type, name, value, absent)        \
	type name(const ctr_pod_config_t *cfg)   \
	{                                        \
		return cfg ? (value) : (absent); \
	}

GETTER(const char *, ctr_pod_config_id, cfg->id, NULL)
GETTER(const char *, ctr_pod_config_name, cfg->name, NULL)
GETTER(const char *, ctr_pod_config_hostname, cfg->hostname, NULL)
GETTER(const char *, ctr_pod_config_cgroup_parent, cfg->cgroup_parent, NULL)
GETTER(const char *, ctr_pod_config_runtime_name, cfg->runtime, NULL)
GETTER(const char *, ctr_pod_config_exit_policy, cfg->exit_policy, NULL)
GETTER(const char *, ctr_pod_config_restart_policy, cfg->restart_policy, NULL)
GETTER(int64_t, ctr_pod_config_restart_retries, cfg->restart_retries, 0)
GETTER(uint64_t, ctr_pod_config_shares, cfg->shares, 0)
GETTER(int, ctr_pod_config_has_infra, cfg->has_infra, 0)
GETTER(int64_t, ctr_pod_config_created_ns, cfg->created_ns, 0)

const char *ctr_pod_config_label(const ctr_pod_config_t *cfg, const char *key)
{
	for (size_t i = 0; cfg && key && i < cfg->labels.n; i++) {
		if (strcmp(cfg->labels.v[i].key, key) == 0)
			return cfg->labels.v[i].value;
	}
	return NULL;
}

int ctr_pod_config_label_at(
    const ctr_pod_config_t *cfg, size_t i, const char **key, const char **value)
{
	if (!cfg || i >= cfg->labels.n)
		return 0;
	if (key)
		*key = cfg->labels.v[i].key;
	if (value)
		*value = cfg->labels.v[i].value;
	return 1;
}

const char *const *ctr_pod_config_create_command(const ctr_pod_config_t *cfg, size_t *n)
{
	if (n)
		*n = cfg ? cfg->create_command.n : 0;
	return cfg ? cfg->create_command.v : ctr__cfg_no_strings;
}
