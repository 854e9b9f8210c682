/* SPDX-License-Identifier: Apache-2.0 */
/* What creating a container fills in. */
#include "config/model.h"

#include <sys/stat.h>

#include "util/clock.h"
#include "util/cleanup.h"
#include "util/id.h"

/* What is added here must not push a configuration past the limit for reading it again. */
#define ROOM_FOR_DEFAULTS (64U << 10)

struct completion {
	const ctr_config_t *cfg;
	const struct ctr__config_defaults *d;
	const char *id;
	struct ctr__json_doc *doc;
};

static bool set_str(struct completion *c, const char *key, const char *value)
{
	return ctr__json_set(c->doc, c->doc->root, key, ctr__json_new_str(c->doc, value));
}

/* `have` stays; else the default, if there is one. */
static bool set_default(
    struct completion *c, const char *key, const char *have, const char *fallback)
{
	return have || !fallback || set_str(c, key, fallback);
}

/* dir/<id><rest> */
static bool set_path(struct completion *c, const char *key, const char *dir, const char *rest)
{
	CTR__FREE char *path = ctr__format("%s/%s%s", dir, c->id, rest);

	return path && set_str(c, key, path);
}

static bool is_directory(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static bool complete_log_path(struct completion *c)
{
	if (!c->cfg->log_path)
		return set_path(c, "logPath", c->d->containers_dir, "/ctr.log");
	if (is_directory(c->cfg->log_path))
		return set_path(c, "logPath", c->cfg->log_path, "/ctr.log");
	return true;
}

static bool complete_created(struct completion *c)
{
	char text[CTR__RFC3339_MAX];

	if (c->cfg->created_ns != 0)
		return true;
	ctr__rfc3339_format(c->d->created_ns, text);
	return set_str(c, "createdTime", text);
}

static bool complete_paths(struct completion *c)
{
	const ctr_config_t *cfg = c->cfg;

	if (!set_path(c, "staticDir", c->d->containers_dir, "") || !complete_log_path(c))
		return false;
	if (!cfg->shm_dir && !cfg->no_shm && !set_path(c, "ShmDir", c->d->run_dir, "/shm"))
		return false;
	return cfg->conmon_pid_file || set_path(c, "conmonPidFile", c->d->run_dir, "/conmon.pid");
}

static bool complete_members(struct completion *c)
{
	const ctr_config_t *cfg = c->cfg;
	const struct ctr__config_defaults *d = c->d;

	return set_default(c, "id", cfg->id, d->id) && set_default(c, "name", cfg->name, d->name) &&
	       set_default(c, "runtime", cfg->runtime, d->runtime) &&
	       set_default(c, "storageDriver", cfg->storage_driver, d->storage_driver) &&
	       (cfg->no_cgroups ||
	           set_default(c, "cgroupParent", cfg->cgroup_parent, d->cgroup_parent)) &&
	       complete_created(c) && complete_paths(c);
}

static int to_document(const ctr_config_t *cfg, struct ctr__json_doc **doc, ctr_error_t **err)
{
	CTR__BUF struct ctr__buf text = {0};

	ctr__config_write(cfg, &text);
	if (text.failed)
		return ctr__fail_nomem(err);
	if (text.len > CTR__JSON_MAX_SIZE - ROOM_FOR_DEFAULTS)
		return ctr__fail(err, CTR_E_INVALID,
		    "configuration is too large: %zu bytes, at most %u", text.len,
		    CTR__JSON_MAX_SIZE - ROOM_FOR_DEFAULTS);
	return ctr__json_parse(text.data, text.len, "configuration", doc, err);
}

int ctr__config_complete(const ctr_config_t *cfg, const struct ctr__config_defaults *d,
    ctr_config_t **out, ctr_error_t **err)
{
	CTR__JSON_DOC struct ctr__json_doc *doc = NULL;
	struct completion c = {.cfg = cfg, .d = d, .id = cfg->id ? cfg->id : d->id};

	if (!c.id || !ctr__id_valid(c.id))
		return ctr__cfg_bad(err, CTR_E_INVALID, "id", "%s is no valid ID",
		    c.id ? CTR__CFG_SHOW(c.id) : "nothing");
	int r = to_document(cfg, &doc, err);

	if (r < 0)
		return r;
	c.doc = doc;
	if (!complete_members(&c))
		return ctr__fail_nomem(err);
	return ctr__config_from_object(doc->root, out, err);
}
