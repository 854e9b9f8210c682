/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changing limits, restart policy and environment of a container that exists.
 *
 * The stored configuration is changed first, then, if the container lives, its limits. While both are under way the
 * record has the intent "update": whoever finds it after a kill applies the limits that are stored, so that the two
 * agree again. If the runtime refuses them, what was stored before is stored again.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/lifecycle.h"
#include "core/update.h"
#include "spec/resources.h"
#include "sys/fd.h"
#include "sys/proc.h"
#include "util/cleanup.h"
#include "util/json.h"

/* As large as a configuration may be. */
#define BUNDLE_MAX CTR__JSON_MAX_SIZE

/* ---- the new configuration ---- */

struct edit {
	const struct ctr__update *u;
	const struct ctr__json *change; /* of the resources; NULL = none */
};

static bool set_str(struct ctr__json_doc *d, struct ctr__json *o, const char *key, const char *s)
{
	return ctr__json_set(d, o, key, ctr__json_new_str(d, s));
}

static int edit_policy(struct ctr__json_doc *d, const struct ctr__update *u, ctr_error_t **err)
{
	struct ctr__json *root = d->root;
	bool ok = true;

	if (u->restart_policy) {
		ok = set_str(d, root, "restart_policy", u->restart_policy);
		ctr__json_unset(root, "restart_retries");
	}
	if (u->restart_retries)
		ok = ok && ctr__json_set(d, root, "restart_retries",
		               ctr__json_new_i64(d, u->restart_retries));
	return ok ? 0 : ctr__fail_nomem(err);
}

static struct ctr__json *find_env(const struct ctr__json *env, const char *name, size_t len)
{
	CTR__JSON_EACH (v, env) {
		const char *text = ctr__json_str(v);

		if (text && strncmp(text, name, len) == 0 && (text[len] == '=' || !text[len]))
			return v;
	}
	return NULL;
}

static void unset_env(struct ctr__json *env, const char *name, size_t len)
{
	struct ctr__json *old;

	while ((old = find_env(env, name, len)))
		ctr__json_remove(env, old);
}

static int edit_env(struct ctr__json_doc *d, const struct ctr__update *u, ctr_error_t **err)
{
	struct ctr__json *process =
	    ctr__json_want_object(d, ctr__json_get(d->root, "spec"), "process");
	struct ctr__json *env = process ? ctr__json_want_array(d, process, "env") : NULL;

	if (!env)
		return ctr__fail_nomem(err);
	for (const char *const *name = u->env_unset; name && *name; name++)
		unset_env(env, *name, strlen(*name));
	for (const char *const *var = u->env; var && *var; var++) {
		unset_env(env, *var, strcspn(*var, "="));
		if (!ctr__json_append(d, env, ctr__json_new_str(d, *var)))
			return ctr__fail_nomem(err);
	}
	return 0;
}

static int edit_all(struct ctr__json_doc *d, void *arg, ctr_error_t **err)
{
	const struct edit *e = arg;
	int r = edit_policy(d, e->u, err);

	if (r >= 0 && (e->u->env || e->u->env_unset))
		r = edit_env(d, e->u, err);
	if (r >= 0 && e->change)
		r = ctr__resources_merge(d, ctr__json_get(d->root, "spec"), e->change, NULL, err);
	return r;
}

/* ---- the running container ---- */

static bool limits_apply(const struct ctr_container *c)
{
	return c->state.state == CTR_STATE_CREATED || c->state.state == CTR_STATE_RUNNING ||
	       c->state.state == CTR_STATE_PAUSED;
}

/* The resources of a configuration's spec; they belong to `doc`. */
static int stored_resources(const ctr_config_t *cfg, struct ctr__json_doc **doc,
    struct ctr__json **resources, ctr_error_t **err)
{
	int r = ctr__json_parse(cfg->spec.text, cfg->spec.len, "spec", doc, err);

	*resources = r < 0 ? NULL : ctr__json_path((*doc)->root, "linux", "resources", NULL);
	return r;
}

static int fail_bundle(ctr_error_t **err, int rc, const struct ctr__paths *paths, const char *what)
{
	return ctr__fail_errno(
	    err, -rc, paths->config_json, "cannot %s the bundle's config.json", what);
}

/* The bundle says what is in force. */
static int rewrite_bundle(const struct ctr__paths *paths, const char *resources, ctr_error_t **err)
{
	CTR__JSON_DOC struct ctr__json_doc *d = NULL, *change = NULL;
	CTR__BUF struct ctr__buf text = {0};
	CTR__CLOSE int dir = open(paths->run_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	CTR__FREE char *old = NULL;
	size_t len = 0;
	int r = dir < 0 ? -errno : ctr__read_file_at(dir, "config.json", BUNDLE_MAX, &old, &len);

	if (r < 0)
		return fail_bundle(err, r, paths, "read");
	r = ctr__json_parse(old, len, "config.json", &d, err);
	if (r >= 0)
		r = ctr__json_parse(resources, strlen(resources), "resources", &change, err);
	if (r >= 0)
		r = ctr__resources_merge(d, d->root, change->root, NULL, err);
	if (r < 0)
		return r;
	ctr__json_write(d->root, true, &text);
	if (text.failed)
		return ctr__fail_nomem(err);
	r = ctr__write_file_at(dir, "config.json", text.data, text.len, 0600, false);
	return r < 0 ? fail_bundle(err, r, paths, "write") : 0;
}

/* Which limits: see ctr__resources_live(). */
struct scope {
	const struct ctr__json *groups, *lift;
};

/* Applies the limits that `c->cfg` has. */
static int apply(struct ctr_container *c, const struct scope *scope, ctr_error_t **err)
{
	CTR__JSON_DOC struct ctr__json_doc *doc = NULL;
	CTR__PATHS struct ctr__paths paths = {0};
	CTR__BUF struct ctr__buf text = {0};
	struct ctr__json *resources = NULL;
	struct ctr_oci_container view;
	struct ctr__oci *oci;
	int r = ctr__container_oci(c, &oci, err);

	if (r >= 0)
		r = ctr__paths_init(c, c->cfg, &paths, err);
	if (r >= 0)
		r = stored_resources(c->cfg, &doc, &resources, err);
	if (r >= 0)
		r = ctr__resources_live(resources, scope->groups, scope->lift, &text, err);
	if (r < 0)
		return r;
	ctr__oci_view(c, c->cfg, &paths, &view);
	r = oci->ops.update(oci->impl, &view, text.data, err);
	return r < 0 ? r : rewrite_bundle(&paths, text.data, err);
}

static int can_apply(struct ctr_container *c, ctr_error_t **err)
{
	struct ctr__oci *oci;
	int r = ctr__container_oci(c, &oci, err);

	if (r < 0 || oci->ops.update)
		return r;
	ctr__fail(err, CTR_E_UNSUPPORTED,
	    "OCI runtime \"%s\" cannot change the limits of a container that lives", oci->name);
	ctr__error_detail(err, "container", c->id);
	return CTR_E_UNSUPPORTED;
}

static int finish(struct ctr_container *c, ctr_error_t **err)
{
	c->state.intent = CTR__INTENT_NONE;
	return ctr__save(c, CTR_EVENT_UPDATE, err);
}

/* Refused: everything as it was before. */
static int take_back(
    struct ctr_container *c, ctr_config_t *old, const struct ctr__json *change, int code)
{
	CTR__ERROR ctr_error_t *why = NULL;
	int r = ctr__container_rewrite(c, old, 0, &why);

	if (r < 0) {
		/* The intent stays: the next one tries to bring the container in line. */
		ctr__log(c->rt, CTR_LOG_WARNING, c->id,
		    "after a refused update: the old configuration cannot be stored again: %s",
		    ctr_error_message(why));
		return code;
	}
	/* Some of the limits may have been applied. */
	if (apply(c, &(struct scope){.lift = change}, &why) < 0)
		ctr__log(c->rt, CTR_LOG_WARNING, c->id, "after a refused update: %s",
		    ctr_error_message(why));
	ctr_error_freep(&why);
	if (ctr__save_intent(c, CTR__INTENT_NONE, &why) < 0)
		ctr__log(c->rt, CTR_LOG_WARNING, c->id, "after a refused update: %s",
		    ctr_error_message(why));
	return code;
}

/* Has it ended meanwhile? Then there is nothing to limit any more. */
static bool has_ended(struct ctr_container *c)
{
	if (ctr__look(c, true, NULL) >= 0 && !ctr__state_is_live(c->state.state))
		return true;
	/* An end that could not be recorded has still to be: what is stored counts. */
	if (ctr__load(c, NULL) < 0)
		return false;
	return c->state.pid > 0 && !ctr__proc_alive(c->state.pid, c->state.pid_start);
}

static int update_live(
    struct ctr_container *c, ctr_config_t *cfg, const struct ctr__json *change, ctr_error_t **err)
{
	CTR__CONFIG ctr_config_t *old = ctr__config_ref(c->cfg);
	CTR__ERROR ctr_error_t *why = NULL;
	int r = can_apply(c, err);

	if (r >= 0)
		r = ctr__save_intent(c, CTR__INTENT_UPDATE, err);
	if (r < 0)
		return r;
	r = ctr__container_rewrite(c, cfg, 0, err);
	if (r < 0) {
		(void)ctr__save_intent(c, CTR__INTENT_NONE, NULL);
		return r;
	}
	r = apply(c, &(struct scope){.groups = change}, &why);
	if (r >= 0 || has_ended(c))
		return finish(c, err);
	r = take_back(c, old, change, r);
	if (err)
		*err = CTR__STEAL_PTR(why);
	ctr__error_detail(err, "container", c->id);
	return r;
}

int ctr__recover_update(struct ctr_container *c, ctr_error_t **err)
{
	CTR__ERROR ctr_error_t *why = NULL;
	int r = 0;

	if (!limits_apply(c) || can_apply(c, NULL) < 0)
		return ctr__save_intent(c, CTR__INTENT_NONE, err);
	r = apply(c, &(struct scope){.groups = NULL}, &why);
	if (r >= 0 || has_ended(c))
		return finish(c, err);
	/* They stay stored and count from the next start on. */
	ctr__log(c->rt, CTR_LOG_WARNING, c->id, "an interrupted update cannot be finished: %s",
	    ctr_error_message(why));
	c->state.error = ctr_error_message(why);
	return ctr__save_intent(c, CTR__INTENT_NONE, err);
}

/* ---- the operation ---- */

static int check_policy(
    const struct ctr_container *c, const struct ctr__update *u, ctr_error_t **err)
{
	const char *policy = u->restart_policy ? u->restart_policy : c->cfg->restart_policy;

	if (!u->restart_retries || ctr__streq(policy, "on-failure"))
		return 0;
	ctr__fail(err, CTR_E_INVALID, "restart_retries needs the restart policy on-failure");
	ctr__error_detail(err, "field", "restart_retries");
	return CTR_E_INVALID;
}

static int check_cgroup(const struct ctr_container *c, ctr_error_t **err)
{
	if (!c->cfg->no_cgroups)
		return 0;
	ctr__fail(err, CTR_E_NO_CGROUPS, "container %s has no cgroup whose limits could be changed",
	    c->cfg->name);
	ctr__error_detail(err, "container", c->id);
	return CTR_E_NO_CGROUPS;
}

static int update_locked(struct ctr_container *c, const struct ctr__update *u,
    const struct ctr__json *change, ctr_error_t **err)
{
	CTR__CONFIG ctr_config_t *cfg = NULL;
	struct edit e = {u, change};
	int r = check_policy(c, u, err);

	if (r >= 0 && change)
		r = check_cgroup(c, err);
	if (r >= 0)
		r = ctr__config_edit(c->cfg, edit_all, &e, &cfg, err);
	if (r < 0)
		return r;
	if (change && limits_apply(c))
		return update_live(c, cfg, change, err);
	return ctr__container_rewrite(c, cfg, CTR_EVENT_UPDATE, err);
}

int ctr__update(struct ctr_container *c, const struct ctr__update *u, ctr_error_t **err)
{
	CTR__GUARD struct ctr__guard g = {0};
	CTR__JSON_DOC struct ctr__json_doc *change = NULL;
	int r = 0;

	if (u->resources) {
		r = ctr__json_parse(u->resources, strlen(u->resources), "resources", &change, err);
		if (r < 0)
			ctr__error_detail(err, "field", "resources");
		else
			r = ctr__resources_check(change->root, err);
	}
	if (r >= 0)
		r = ctr__enter(c, CTR__OP_UPDATE, CTR__LOOK_NOW | CTR__REPAIR, &g, err);
	return r < 0 ? r : update_locked(g.c, u, change ? change->root : NULL, err);
}
