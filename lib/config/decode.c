/* SPDX-License-Identifier: Apache-2.0 */
/* JSON -> fields: types, other names of keys, unknown members, legacy fields, defaults. */
#include "config/model.h"

#include <stdlib.h>

#include "util/clock.h"
#include "util/cleanup.h"

#define DEFAULT_SHM_SIZE     INT64_C(65536000)
#define DEFAULT_STOP_SIGNAL  15
#define DEFAULT_STOP_TIMEOUT 10
#define DEFAULT_LOG_DRIVER   "k8s-file"

/* ---- one value ---- */

static int wrong_type(
    ctr_error_t **err, const struct ctr__cfg_field *f, const char *want, const struct ctr__json *v)
{
	if (v->text)
		return ctr__cfg_bad(err, CTR_E_INVALID, f->key, "must %s, not the %s %s", want,
		    ctr__json_type_name(v->type), CTR__CFG_SHOW(v->text));
	return ctr__cfg_bad(err, CTR_E_INVALID, f->key, "must %s, not %s", want,
	    v->type == CTR__JSON_BOOL ? v->boolean ? "true" : "false"
	                              : ctr__json_type_name(v->type));
}

static int decode_str(struct ctr__arena *a, const struct ctr__cfg_field *f,
    const struct ctr__json *v, ctr__cfg_STR *slot, bool *present, ctr_error_t **err)
{
	if (v->type != CTR__JSON_STRING)
		return wrong_type(err, f, "be a string", v);
	*present = v->len > 0; /* libpod leaves empty strings out, or writes them for "not set" */
	*slot = NULL;
	if (*present && !(*slot = ctr__arena_strndup(a, v->text, v->len)))
		return ctr__fail_nomem(err);
	return 0;
}

static int decode_time(const struct ctr__cfg_field *f, const struct ctr__json *v, int64_t *slot,
    bool *present, ctr_error_t **err)
{
	if (v->type != CTR__JSON_STRING || !ctr__rfc3339_parse(v->text, slot))
		return wrong_type(err, f, "be a time as RFC 3339 writes it, 1678 to 2261", v);
	*present = *slot != 0;
	return 0;
}

static int decode_strv(struct ctr__arena *a, const struct ctr__cfg_field *f,
    const struct ctr__json *v, struct ctr__cfg_list *slot, ctr_error_t **err)
{
	if (v->type != CTR__JSON_ARRAY)
		return wrong_type(err, f, "be a list of strings", v);
	const char **list = ctr__arena_alloc(a, (v->count + 1) * sizeof(*list));
	size_t n = 0;

	if (!list)
		return ctr__fail_nomem(err);
	CTR__JSON_EACH (e, v) {
		if (e->type != CTR__JSON_STRING)
			return wrong_type(err, f, "be a list of strings only", e);
		if (!(list[n++] = ctr__arena_strndup(a, e->text, e->len)))
			return ctr__fail_nomem(err);
	}
	*slot = (struct ctr__cfg_list){list, n};
	return 0;
}

static int compare_pairs(const void *a, const void *b)
{
	return strcmp(
	    ((const struct ctr__cfg_pair *)a)->key, ((const struct ctr__cfg_pair *)b)->key);
}

static int decode_map(struct ctr__arena *a, const struct ctr__cfg_field *f,
    const struct ctr__json *v, struct ctr__cfg_map *slot, ctr_error_t **err)
{
	if (v->type != CTR__JSON_OBJECT)
		return wrong_type(err, f, "be an object of strings", v);
	struct ctr__cfg_pair *pairs = ctr__arena_alloc(a, (v->count + 1) * sizeof(*pairs));
	size_t n = 0;

	if (!pairs)
		return ctr__fail_nomem(err);
	CTR__JSON_EACH (e, v) {
		if (e->type != CTR__JSON_STRING)
			return wrong_type(err, f, "be an object of strings only", e);
		pairs[n].key = ctr__arena_strdup(a, e->key);
		pairs[n].value = ctr__arena_strndup(a, e->text, e->len);
		if (!pairs[n].key || !pairs[n].value)
			return ctr__fail_nomem(err);
		n++;
	}
	if (n > 1)
		qsort(pairs, n, sizeof(*pairs), compare_pairs);
	*slot = (struct ctr__cfg_map){pairs, n};
	return 0;
}

static int keep_text(
    struct ctr__arena *a, const struct ctr__json *v, struct ctr__cfg_text *slot, ctr_error_t **err)
{
	CTR__BUF struct ctr__buf text = {0};

	ctr__json_write(v, false, &text);
	if (text.failed)
		return ctr__fail_nomem(err);
	slot->text = ctr__arena_strndup(a, text.data, text.len);
	slot->len = text.len;
	return slot->text ? 0 : ctr__fail_nomem(err);
}

int ctr__cfg_decode_value(struct ctr__arena *a, const struct ctr__cfg_field *f,
    const struct ctr__json *v, void *slot, bool *present, ctr_error_t **err)
{
	*present = true;
	switch (f->kind) {
	case CTR__CFG_STR: return decode_str(a, f, v, slot, present, err);
	case CTR__CFG_TIME: return decode_time(f, v, slot, present, err);
	case CTR__CFG_STRV: return decode_strv(a, f, v, slot, err);
	case CTR__CFG_MAP: return decode_map(a, f, v, slot, err);
	case CTR__CFG_OBJ: return keep_text(a, v, slot, err);
	case CTR__CFG_BOOL:
		if (v->type != CTR__JSON_BOOL)
			return wrong_type(err, f, "be true or false", v);
		*(bool *)slot = v->boolean;
		return 0;
	case CTR__CFG_NUM:
		if (v->type != CTR__JSON_NUMBER || !ctr__json_i64(v, slot))
			return wrong_type(err, f, "be an integer of 64 bits", v);
		return 0;
	}
	return ctr__fail(err, CTR_E_INTERNAL, "configuration field %s has no kind", f->key);
}

/* ---- all members ---- */

/* Members usually come in the order of the table, so the search starts where the last one ended. */
static const struct ctr__cfg_field *find_field(const char *key, size_t *hint)
{
	for (size_t n = 0; n < ctr__cfg_fields_n; n++) {
		size_t i = (*hint + n) % ctr__cfg_fields_n;

		if (strcmp(ctr__cfg_fields[i].key, key) == 0) {
			*hint = i + 1;
			return &ctr__cfg_fields[i];
		}
	}
	return NULL;
}

static int decode_field(
    ctr_config_t *cfg, const struct ctr__cfg_field *f, const struct ctr__json *v, ctr_error_t **err)
{
	if (v->type == CTR__JSON_NULL)
		return 0;
	return ctr__cfg_decode_value(
	    &cfg->arena, f, v, (char *)cfg + f->offset, &cfg->given[f->number], err);
}

static int keep_unknown(
    ctr_config_t *cfg, struct ctr__cfg_pair *pairs, const struct ctr__json *v, ctr_error_t **err)
{
	struct ctr__cfg_text value;
	int r = keep_text(&cfg->arena, v, &value, err);

	if (r < 0)
		return r;
	pairs[cfg->unknown_n].key = ctr__arena_strdup(&cfg->arena, v->key);
	pairs[cfg->unknown_n].value = value.text;
	return pairs[cfg->unknown_n++].key ? 0 : ctr__fail_nomem(err);
}

/* The field that a key which is in no table stands for: another name counts if the proper one is not used. */
static const struct ctr__cfg_field *find_by_alias(const struct ctr__json *root, const char *alias)
{
	const char *key = ctr__cfg_key_of_alias(alias);
	const struct ctr__json *proper = key ? ctr__json_get(root, key) : NULL;
	size_t hint = 0;

	if (!key || (proper && proper->type != CTR__JSON_NULL))
		return NULL;
	return find_field(key, &hint);
}

static int decode_members(ctr_config_t *cfg, const struct ctr__json *root, ctr_error_t **err)
{
	struct ctr__cfg_pair *pairs =
	    ctr__arena_alloc(&cfg->arena, (root->count + 1) * sizeof(*pairs));
	size_t hint = 0;
	int r = 0;

	if (!pairs)
		return ctr__fail_nomem(err);
	cfg->unknown = pairs;
	CTR__JSON_EACH (v, root) {
		const struct ctr__cfg_field *f = find_field(v->key, &hint);

		if (!f)
			f = find_by_alias(root, v->key);
		r = f ? decode_field(cfg, f, v, err) : keep_unknown(cfg, pairs, v, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- legacy and defaults ---- */

static const char **ns_slot(ctr_config_t *cfg, const char *kind, int32_t *number)
{
	const struct {
		const char *kind;
		const char **slot;
		int32_t number;
	} kinds[] = {
	    {"ipc", &cfg->ipc_ns_ctr, CTR_CONFIG_IPC_NS_CTR},
	    {"mnt", &cfg->mount_ns_ctr, CTR_CONFIG_MOUNT_NS_CTR},
	    {"mount", &cfg->mount_ns_ctr, CTR_CONFIG_MOUNT_NS_CTR},
	    {"net", &cfg->net_ns_ctr, CTR_CONFIG_NET_NS_CTR},
	    {"network", &cfg->net_ns_ctr, CTR_CONFIG_NET_NS_CTR},
	    {"pid", &cfg->pid_ns_ctr, CTR_CONFIG_PID_NS_CTR},
	    {"user", &cfg->user_ns_ctr, CTR_CONFIG_USER_NS_CTR},
	    {"uts", &cfg->uts_ns_ctr, CTR_CONFIG_UTS_NS_CTR},
	    {"cgroup", &cfg->cgroup_ns_ctr, CTR_CONFIG_CGROUP_NS_CTR},
	};

	for (size_t i = 0; i < CTR__ARRAY_SIZE(kinds); i++)
		if (strcmp(kinds[i].kind, kind) == 0) {
			*number = kinds[i].number;
			return kinds[i].slot;
		}
	return NULL;
}

/* The oldest configurations name one container to join and the kinds of namespaces separately. */
static int translate_shared_namespaces(ctr_config_t *cfg, ctr_error_t **err)
{
	static const char field[] = "sharedNamespaces";
	const struct ctr__cfg_map *map = &cfg->shared_namespace_map;

	for (size_t i = 0; i < map->n; i++) {
		const char *target =
		    cfg->shared_namespace_ctr ? cfg->shared_namespace_ctr : map->v[i].value;
		int32_t number = 0;
		const char **slot = ns_slot(cfg, map->v[i].key, &number);

		if (!slot)
			return ctr__cfg_bad(err, CTR_E_INVALID, field, "%s is no kind of namespace",
			    CTR__CFG_SHOW(map->v[i].key));
		if (!target[0])
			return ctr__cfg_bad(err, CTR_E_INVALID, field,
			    "no container is named for %s", CTR__CFG_SHOW(map->v[i].key));
		if (!*slot) {
			*slot = target;
			cfg->given[number] = true;
		}
	}
	return 0;
}

static void default_num(ctr_config_t *cfg, int32_t number, int64_t *slot, int64_t value)
{
	if (!cfg->given[number])
		*slot = value;
	cfg->given[number] = true;
}

/* Fields that libpod never leaves out count as given, so that what is written reads back the same. */
static void fill_in_defaults(ctr_config_t *cfg)
{
	static const int32_t filled[] = {CTR_CONFIG_IMAGE_VOLUMES, CTR_CONFIG_PRIVILEGED,
	    CTR_CONFIG_CREATE_NET_NS, CTR_CONFIG_POST_CONFIGURE_NET_NS, CTR_CONFIG_DEPENDENCIES,
	    CTR_CONFIG_USER_VOLUMES, CTR_CONFIG_LOG_DRIVER};

	default_num(cfg, CTR_CONFIG_SHM_SIZE, &cfg->shm_size, DEFAULT_SHM_SIZE);
	default_num(cfg, CTR_CONFIG_STOP_SIGNAL, &cfg->stop_signal, DEFAULT_STOP_SIGNAL);
	default_num(cfg, CTR_CONFIG_STOP_TIMEOUT, &cfg->stop_timeout, DEFAULT_STOP_TIMEOUT);
	if (cfg->stop_signal == 0)
		cfg->stop_signal = DEFAULT_STOP_SIGNAL;
	if (cfg->log_size == -1) /* libpod's way to say "no limit" */
		cfg->log_size = 0;
	if (ctr__streq(cfg->cgroups_mode, "disabled") && !cfg->given[CTR_CONFIG_NO_CGROUPS])
		cfg->no_cgroups = cfg->given[CTR_CONFIG_NO_CGROUPS] = true;
	if (!cfg->log_driver)
		cfg->log_driver = DEFAULT_LOG_DRIVER;
	for (size_t i = 0; i < CTR__ARRAY_SIZE(filled); i++)
		cfg->given[filled[i]] = true;
}

static ctr_config_t *new_config(void)
{
	ctr_config_t *cfg = calloc(1, sizeof(*cfg));

	if (!cfg)
		return NULL;
	atomic_init(&cfg->refs, 1);
	for (size_t i = 0; i < ctr__cfg_fields_n; i++)
		if (ctr__cfg_fields[i].kind == CTR__CFG_STRV) {
			void *slot = (char *)cfg + ctr__cfg_fields[i].offset;

			((struct ctr__cfg_list *)slot)->v = ctr__cfg_no_strings;
		}
	cfg->args.v = cfg->env.v = cfg->all_deps.v = ctr__cfg_no_strings;
	return cfg;
}

/* One leading "/" belongs to how names used to be shown, not to the name. */
static void strip_name(ctr_config_t *cfg)
{
	if (cfg->name && cfg->name[0] == '/')
		cfg->name++;
}

int ctr__cfg_decode(const struct ctr__json *root, ctr_config_t **out, ctr_error_t **err)
{
	CTR__CONFIG ctr_config_t *cfg = NULL;

	if (!root || root->type != CTR__JSON_OBJECT)
		return ctr__fail(err, CTR_E_INVALID, "a configuration must be an object, not %s",
		    root ? ctr__json_type_name(root->type) : "nothing");
	if (!(cfg = new_config()))
		return ctr__fail_nomem(err);
	int r = decode_members(cfg, root, err);

	if (r == 0)
		r = translate_shared_namespaces(cfg, err);
	if (r < 0)
		return r;
	strip_name(cfg);
	fill_in_defaults(cfg);
	*out = CTR__STEAL_PTR(cfg);
	return 0;
}
