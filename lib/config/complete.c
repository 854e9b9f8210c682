/* SPDX-License-Identifier: Apache-2.0 */
/* What creating a container fills in. */
#include "config/model.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "util/cleanup.h"
#include "util/id.h"

/* The copy shares everything with the configuration it was made of and keeps that alive; only what is filled in is
 * its own. So nothing has to be written, parsed and checked again. */
struct completion {
	ctr_config_t *own;
	const struct ctr__config_defaults *d;
	bool failed; /* memory was short */
};

static void given(struct completion *c, const char *const *member)
{
	size_t offset = (size_t)((const char *)member - (const char *)c->own);

	for (size_t i = 0; i < ctr__cfg_fields_n; i++) {
		if (ctr__cfg_fields[i].offset == offset)
			c->own->given[ctr__cfg_fields[i].number] = true;
	}
}

static void set_str(struct completion *c, const char **member, const char *value)
{
	*member = ctr__arena_strdup(&c->own->arena, value);
	c->failed = c->failed || !*member;
	given(c, member);
}

/* What is there stays; else the default, if there is one. */
static void set_default(struct completion *c, const char **member, const char *fallback)
{
	if (!*member && fallback)
		set_str(c, member, fallback);
}

/* dir/<id><rest> */
static void set_path(struct completion *c, const char **member, const char *dir, const char *rest)
{
	CTR__FREE char *path = ctr__format("%s/%s%s", dir, c->own->id, rest);

	if (path)
		set_str(c, member, path);
	else
		c->failed = true;
}

static bool is_directory(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static void complete_identity(struct completion *c)
{
	ctr_config_t *own = c->own;

	set_default(c, &own->name, c->d->name);
	memset(own->short_id, 0, sizeof(own->short_id));
	memcpy(own->short_id, own->id, strnlen(own->id, sizeof(own->short_id) - 1));
	if (own->created_ns == 0) {
		own->created_ns = c->d->created_ns;
		own->given[CTR_CONFIG_CREATED_TIME] = true;
	}
}

static void complete_paths(struct completion *c)
{
	ctr_config_t *own = c->own;

	set_path(c, &own->static_dir, c->d->containers_dir, "");
	if (!own->log_path)
		set_path(c, &own->log_path, c->d->containers_dir, "/ctr.log");
	else if (is_directory(own->log_path))
		set_path(c, &own->log_path, own->log_path, "/ctr.log");
	if (!own->shm_dir && !own->no_shm)
		set_path(c, &own->shm_dir, c->d->run_dir, "/shm");
	if (!own->conmon_pid_file)
		set_path(c, &own->conmon_pid_file, c->d->run_dir, "/conmon.pid");
}

static void complete_drivers(struct completion *c)
{
	ctr_config_t *own = c->own;

	set_default(c, &own->runtime, c->d->runtime);
	set_default(c, &own->storage_driver, c->d->storage_driver);
	if (!own->process_label && !own->mount_label) {
		set_default(c, &own->process_label, c->d->process_label);
		set_default(c, &own->mount_label, c->d->mount_label);
	}
	if (!own->no_cgroups && !ctr__config_is_split(own))
		set_default(c, &own->cgroup_parent, c->d->cgroup_parent);
}

static void copy_id_mappings(struct completion *c)
{
	const ctr_config_t *from = c->d->user_ns_from;
	ctr_config_t *own = c->own;

	if (!from || !from->id_mappings.text)
		return;
	own->id_mappings.text =
	    ctr__arena_strndup(&own->arena, from->id_mappings.text, from->id_mappings.len);
	own->id_mappings.len = from->id_mappings.len;
	c->failed = c->failed || !own->id_mappings.text;
	own->given[CTR_CONFIG_ID_MAPPINGS] = true;
	own->root_uid = from->root_uid;
	own->root_gid = from->root_gid;
}

static ctr_config_t *copy_of(const ctr_config_t *cfg)
{
	ctr_config_t *own = malloc(sizeof(*own));

	if (!own)
		return NULL;
	memcpy(own, cfg, sizeof(*own));
	atomic_init(&own->refs, 1);
	own->arena = (struct ctr__arena){0};
	own->base = ctr__config_ref((ctr_config_t *)(uintptr_t)cfg);
	return own;
}

int ctr__config_complete(const ctr_config_t *cfg, const struct ctr__config_defaults *d,
    ctr_config_t **out, ctr_error_t **err)
{
	CTR__CONFIG ctr_config_t *own = NULL;
	struct completion c = {.d = d};
	const char *id = cfg->id ? cfg->id : d->id;

	if (!id || !ctr__id_valid(id))
		return ctr__cfg_bad(err, CTR_E_INVALID, "id", "%s is no valid ID",
		    id ? CTR__CFG_SHOW(id) : "nothing");
	own = copy_of(cfg);
	if (!own)
		return ctr__fail_nomem(err);
	c.own = own;
	set_default(&c, &own->id, d->id);
	if (!c.failed) {
		complete_identity(&c);
		complete_paths(&c);
		complete_drivers(&c);
		copy_id_mappings(&c);
	}
	if (c.failed)
		return ctr__fail_nomem(err);
	*out = CTR__STEAL_PTR(own);
	return 0;
}
