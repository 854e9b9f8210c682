/* SPDX-License-Identifier: Apache-2.0 */
/* A pod's configuration: from JSON or from options, checked, and completed. */
#include "config/pod.h"

#include <stdlib.h>
#include <string.h>

#include "config/model.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/id.h"

#define HOSTNAME_MAX 64

struct share {
	const char *key;
	uint64_t bit;
};

static const struct share shares[] = {
    {"sharesCgroup", CTR_POD_SHARE_CGROUP},
    {"sharesPid", CTR_POD_SHARE_PID},
    {"sharesIpc", CTR_POD_SHARE_IPC},
    {"sharesNet", CTR_POD_SHARE_NET},
    {"sharesMnt", CTR_POD_SHARE_MNT},
    {"sharesUser", CTR_POD_SHARE_USER},
    {"sharesUts", CTR_POD_SHARE_UTS},
    {"sharesCgroupNS", CTR_POD_SHARE_CGROUP_NS},
};

#define FIELD(kind, member, key)                                                      \
	{                                                                             \
		0, CTR__CFG_##kind, offsetof(struct ctr_pod_config, member), key, key \
	}

static const struct ctr__cfg_field fields[] = {
    FIELD(STR, id, "id"),
    FIELD(STR, name, "name"),
    FIELD(STR, hostname, "hostname"),
    FIELD(MAP, labels, "labels"),
    FIELD(STR, cgroup_parent, "cgroupParent"),
    FIELD(BOOL, has_infra, "hasInfra"),
    FIELD(STR, service_ctr, "serviceContainerID"),
    FIELD(TIME, created_ns, "created"),
    FIELD(STRV, create_command, "CreateCommand"),
    FIELD(STR, runtime, "infraRuntime"),
    FIELD(STR, exit_policy, "ExitPolicy"),
    FIELD(STR, restart_policy, "RestartPolicy"),
    FIELD(NUM, restart_retries, "RestartRetries"),
};

/* ---- counting ---- */

ctr_pod_config_t *ctr__pod_config_ref(ctr_pod_config_t *cfg)
{
	if (cfg)
		atomic_fetch_add_explicit(&cfg->refs, 1, memory_order_relaxed);
	return cfg;
}

void ctr__pod_config_unref(ctr_pod_config_t *cfg)
{
	if (!cfg || atomic_fetch_sub_explicit(&cfg->refs, 1, memory_order_acq_rel) != 1)
		return;
	ctr__arena_free(&cfg->arena);
	free(cfg);
}

void ctr__pod_config_unrefp(ctr_pod_config_t **cfg)
{
	ctr__pod_config_unref(*cfg);
}

/* ---- reading ---- */

static int decode_fields(ctr_pod_config_t *cfg, const struct ctr__json *root, ctr_error_t **err)
{
	for (size_t i = 0; i < CTR__ARRAY_SIZE(fields); i++) {
		const struct ctr__json *v = ctr__json_get(root, fields[i].key);
		bool present;
		int r;

		if (!v || v->type == CTR__JSON_NULL)
			continue;
		r = ctr__cfg_decode_value(
		    &cfg->arena, &fields[i], v, (char *)cfg + fields[i].offset, &present, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int decode_shares(ctr_pod_config_t *cfg, const struct ctr__json *root, ctr_error_t **err)
{
	for (size_t i = 0; i < CTR__ARRAY_SIZE(shares); i++) {
		const struct ctr__cfg_field f = {0, CTR__CFG_BOOL, 0, shares[i].key, shares[i].key};
		const struct ctr__json *v = ctr__json_get(root, f.key);
		bool on = false, present;
		int r;

		if (!v || v->type == CTR__JSON_NULL)
			continue;
		r = ctr__cfg_decode_value(&cfg->arena, &f, v, &on, &present, err);
		if (r < 0)
			return r;
		if (on)
			cfg->shares |= shares[i].bit;
	}
	return 0;
}

static int keep_json(ctr_pod_config_t *cfg, const struct ctr__json *root, ctr_error_t **err)
{
	CTR__BUF struct ctr__buf text = {0};

	ctr__json_write(root, false, &text);
	if (text.failed)
		return ctr__fail_nomem(err);
	cfg->json.text = ctr__arena_strndup(&cfg->arena, text.data, text.len);
	cfg->json.len = text.len;
	return cfg->json.text ? 0 : ctr__fail_nomem(err);
}

/* ---- checking ---- */

/* It goes into a UTS namespace, and into the spec of the infra container. */
static bool hostname_valid(const char *s)
{
	size_t len = strlen(s);

	if (len == 0 || len > HOSTNAME_MAX || s[0] == '-' || s[0] == '.')
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = s[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		        c == '-' || c == '.' || c == '_'))
			return false;
	}
	return true;
}

static int check_identity(const ctr_pod_config_t *cfg, ctr_error_t **err)
{
	if (cfg->id && !ctr__id_valid(cfg->id))
		return ctr__cfg_bad_value(err, "id", cfg->id, "is no valid ID");
	if (cfg->name && !ctr__name_valid(cfg->name))
		return ctr__cfg_bad_value(err, "name", cfg->name,
		    "is no valid name: letters, digits, \"_\", \".\" and \"-\", a letter or digit "
		    "first, at most 255 characters");
	if (cfg->hostname && !hostname_valid(cfg->hostname))
		return ctr__cfg_bad_value(err, "hostname", cfg->hostname,
		    "is no valid host name: letters, digits, \"_\", \".\" and \"-\", at most 64");
	for (size_t i = 0; i < cfg->labels.n; i++)
		if (!cfg->labels.v[i].key[0])
			return ctr__cfg_bad(err, CTR_E_INVALID, "labels", "a label has no key");
	return 0;
}

static int check_policies(const ctr_pod_config_t *cfg, ctr_error_t **err)
{
	static const char *const exits[] = {"continue", "stop", NULL};
	static const char *const restarts[] = {
	    "no", "always", "on-failure", "unless-stopped", NULL};

	if (!ctr__strv_has(exits, cfg->exit_policy))
		return ctr__cfg_bad_value(err, "ExitPolicy", cfg->exit_policy,
		    "is no exit policy; \"continue\" and \"stop\" are");
	if (cfg->restart_policy && !ctr__strv_has(restarts, cfg->restart_policy))
		return ctr__cfg_bad_value(err, "RestartPolicy", cfg->restart_policy,
		    "is no restart policy; \"no\", \"always\", \"on-failure\" and "
		    "\"unless-stopped\" are");
	if (cfg->restart_retries < 0)
		return ctr__cfg_bad(err, CTR_E_INVALID, "RestartRetries", "is negative");
	if (cfg->restart_retries && !ctr__streq(cfg->restart_policy, "on-failure"))
		return ctr__cfg_bad(err, CTR_E_INVALID, "RestartRetries",
		    "needs the restart policy \"on-failure\"");
	return 0;
}

/* Namespaces are those of the infra container; only the cgroup is the pod's own. */
static int check_shares(const ctr_pod_config_t *cfg, ctr_error_t **err)
{
	if (cfg->has_infra || !(cfg->shares & ~(uint64_t)CTR_POD_SHARE_CGROUP))
		return 0;
	for (size_t i = 0; i < CTR__ARRAY_SIZE(shares); i++) {
		if (shares[i].bit != CTR_POD_SHARE_CGROUP && cfg->shares & shares[i].bit)
			return ctr__cfg_bad(err, CTR_E_INVALID, shares[i].key,
			    "true needs an infra container (hasInfra)");
	}
	return 0;
}

static int decode(ctr_pod_config_t *cfg, const struct ctr__json *root, ctr_error_t **err)
{
	int r = decode_fields(cfg, root, err);

	if (r == 0)
		r = decode_shares(cfg, root, err);
	if (r < 0)
		return r;
	if (!cfg->exit_policy)
		cfg->exit_policy = "continue";
	r = check_identity(cfg, err);
	if (r == 0)
		r = check_policies(cfg, err);
	if (r == 0)
		r = check_shares(cfg, err);
	return r < 0 ? r : keep_json(cfg, root, err);
}

static int from_object(const struct ctr__json *root, ctr_pod_config_t **out, ctr_error_t **err)
{
	CTR__POD_CONFIG ctr_pod_config_t *cfg = calloc(1, sizeof(*cfg));
	int r;

	if (!cfg)
		return ctr__fail_nomem(err);
	atomic_init(&cfg->refs, 1);
	cfg->create_command.v = ctr__cfg_no_strings;
	if (root->type != CTR__JSON_OBJECT)
		return ctr__fail(err, CTR_E_INVALID,
		    "a pod's configuration must be an object, not %s",
		    ctr__json_type_name(root->type));
	r = decode(cfg, root, err);
	if (r < 0)
		return r;
	*out = CTR__STEAL_PTR(cfg);
	return 0;
}

int ctr__pod_config_parse(const char *json, size_t len, ctr_pod_config_t **out, ctr_error_t **err)
{
	CTR__JSON_DOC struct ctr__json_doc *doc = NULL;
	int r = ctr__json_parse(json, len, "pod configuration", &doc, err);

	return r < 0 ? r : from_object(doc->root, out, err);
}

/* ---- completing ---- */

struct edit {
	struct ctr__json_doc *doc;
	bool ok;
};

static void set(struct edit *e, const char *key, struct ctr__json *v)
{
	e->ok = e->ok && ctr__json_set(e->doc, e->doc->root, key, v);
}

static void set_str(struct edit *e, const char *key, const char *value)
{
	if (value)
		set(e, key, ctr__json_new_str(e->doc, value));
}

int ctr__pod_config_complete(const ctr_pod_config_t *cfg, const struct ctr__pod_defaults *d,
    ctr_pod_config_t **out, ctr_error_t **err)
{
	CTR__JSON_DOC struct ctr__json_doc *doc = NULL;
	char created[CTR__RFC3339_MAX];
	struct edit e = {.ok = true};
	int r = ctr__json_parse(cfg->json.text, cfg->json.len, "pod configuration", &doc, err);

	if (r < 0)
		return r;
	e.doc = doc;
	if (!cfg->id)
		set_str(&e, "id", d->id);
	if (!cfg->name)
		set_str(&e, "name", d->name);
	if (!cfg->cgroup_parent)
		set_str(&e, "cgroupParent", d->cgroup_parent);
	if (!cfg->created_ns) {
		ctr__rfc3339_format(d->created_ns, created);
		set_str(&e, "created", created);
	}
	return e.ok ? from_object(doc->root, out, err) : ctr__fail_nomem(err);
}

/* ---- from options ---- */

static bool set_list(struct edit *e, const char *key, const char *const *list)
{
	struct ctr__json *array = ctr__json_new_array(e->doc);

	for (; array && *list; list++) {
		if (!ctr__json_append(e->doc, array, ctr__json_new_str(e->doc, *list)))
			return false;
	}
	return ctr__json_set(e->doc, e->doc->root, key, array);
}

/* "key" or "key=value" */
static bool set_labels(struct edit *e, const char *const *list)
{
	struct ctr__json *map = ctr__json_new_object(e->doc);

	for (; map && *list; list++) {
		const char *value = strchr(*list, '=');
		CTR__FREE char *key =
		    value ? strndup(*list, (size_t)(value - *list)) : strdup(*list);

		if (!key || !ctr__json_set(e->doc, map, key,
		                ctr__json_new_str(e->doc, value ? value + 1 : "")))
			return false;
	}
	return ctr__json_set(e->doc, e->doc->root, "labels", map);
}

static uint64_t wanted_shares(const struct ctr_pod_opts *o)
{
	if (o->shares)
		return o->shares & ~CTR_POD_SHARE_NONE;
	return o->flags & CTR_POD_NO_INFRA ? CTR_POD_SHARE_CGROUP : CTR_POD_SHARE_DEFAULT;
}

static int check_opts(const struct ctr_pod_opts *o, ctr_error_t **err)
{
	uint64_t known = CTR_POD_SHARE_NONE;

	for (size_t i = 0; i < CTR__ARRAY_SIZE(shares); i++)
		known |= shares[i].bit;
	if (o->flags & ~CTR_POD_NO_INFRA)
		return ctr__fail(err, CTR_E_UNSUPPORTED, "unknown flags 0x%llx for a pod",
		    (unsigned long long)(o->flags & ~CTR_POD_NO_INFRA));
	if (o->shares & ~known)
		return ctr__fail(err, CTR_E_UNSUPPORTED, "unknown shares 0x%llx for a pod",
		    (unsigned long long)(o->shares & ~known));
	if (o->shares & CTR_POD_SHARE_NONE && o->shares != CTR_POD_SHARE_NONE)
		return ctr__fail(
		    err, CTR_E_INVALID, "CTR_POD_SHARE_NONE excludes all other shares");
	return 0;
}

int ctr__pod_config_from_opts(
    const struct ctr_pod_opts *o, ctr_pod_config_t **out, ctr_error_t **err)
{
	CTR__JSON_DOC struct ctr__json_doc *doc = ctr__json_doc_new();
	struct edit e = {.doc = doc, .ok = true};
	uint64_t wanted = wanted_shares(o);
	int r = check_opts(o, err);

	if (r < 0)
		return r;
	if (!doc || !(doc->root = ctr__json_new_object(doc)))
		return ctr__fail_nomem(err);
	set_str(&e, "id", o->id);
	set_str(&e, "name", o->name);
	set_str(&e, "hostname", o->hostname);
	if (o->labels)
		e.ok = e.ok && set_labels(&e, o->labels);
	set_str(&e, "cgroupParent", o->cgroup_parent);
	for (size_t i = 0; i < CTR__ARRAY_SIZE(shares); i++) {
		if (wanted & shares[i].bit)
			set(&e, shares[i].key, ctr__json_new_bool(doc, true));
	}
	set(&e, "hasInfra", ctr__json_new_bool(doc, !(o->flags & CTR_POD_NO_INFRA)));
	if (o->create_command)
		e.ok = e.ok && set_list(&e, "CreateCommand", o->create_command);
	set_str(&e, "infraRuntime", o->runtime);
	set_str(&e, "ExitPolicy", o->exit_policy);
	set_str(&e, "RestartPolicy", o->restart_policy);
	if (o->restart_retries)
		set(&e, "RestartRetries", ctr__json_new_i64(doc, o->restart_retries));
	return e.ok ? from_object(doc->root, out, err) : ctr__fail_nomem(err);
}
