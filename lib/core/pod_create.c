/* SPDX-License-Identifier: Apache-2.0 */
/* Creating a pod and its infra container. */
#include <string.h>
#include <unistd.h>

#include "config/builder.h"
#include "core/create.h"
#include "core/pod.h"
#include "event/pod_event.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/id.h"

/* Random names are tried this often before a number is the rule. */
#define NAME_TRIES 16
#define PAUSE      "libctr-pause"

static int bad_field(ctr_error_t **err, int code, const char *field, const char *text)
{
	ctr__fail(err, code, "%s", text);
	ctr__error_detail(err, "field", field);
	return code;
}

/* What a configuration may say but this release cannot do. */
static int check_abilities(const ctr_pod_config_t *cfg, ctr_error_t **err)
{
	if (cfg->shares & CTR_POD_SHARE_USER)
		return bad_field(err, CTR_E_UNSUPPORTED, "sharesUser",
		    "libctr's infra containers have no user namespace to share yet");
	if (cfg->shares & CTR_POD_SHARE_MNT)
		return bad_field(err, CTR_E_UNSUPPORTED, "sharesMnt",
		    "containers of a pod cannot share a mount namespace");
	if (cfg->service_ctr)
		return bad_field(err, CTR_E_UNSUPPORTED, "serviceContainerID",
		    "libctr knows no service containers");
	return 0;
}

/* ---- the infra container ---- */

/* Beside the helper. malloc'ed. */
static char *pause_path(const struct ctr_runtime *rt)
{
	const char *slash = strrchr(rt->helper, '/');

	return ctr__format("%.*s%s", slash ? (int)(slash + 1 - rt->helper) : 0, rt->helper, PAUSE);
}

static int check_pause(const char *path, ctr_error_t **err)
{
	if (access(path, X_OK) == 0)
		return 0;
	ctr__fail(err, CTR_E_NO_HELPER,
	    "a pod's infra container needs the program %s, which is not there", path);
	ctr__error_detail(err, "path", path);
	return CTR_E_NO_HELPER;
}

/* What becomes of the builder's settings: all or nothing. */
struct setter {
	ctr_config_builder_t *b;
	int r;
	ctr_error_t **err;
};

static void set_str(struct setter *s, int32_t field, const char *value)
{
	if (s->r >= 0 && value)
		s->r = ctr__builder_set_str(s->b, field, value, s->err);
}

static void builder_freep(ctr_config_builder_t **b)
{
	ctr__builder_free(*b);
}

/* The program alone in an empty, read-only root directory. */
static int build_infra(struct ctr_runtime *rt, const ctr_pod_config_t *pod, const char *id,
    const char *pause, ctr_config_t **out, ctr_error_t **err)
{
	CTR__CLEANUP(builder_freep) ctr_config_builder_t *b = ctr__builder_new(NULL);
	CTR__FREE char *rootfs = ctr__format("%s/%s/rootfs", rt->static_dirs, id);
	CTR__FREE char *name = ctr__format("%.12s-infra", pod->id);
	CTR__FREE char *bind = ctr__format("%s:/pause:ro", pause);
	CTR__FREE char *cgroup = ctr__pod_cgroup_path(rt, pod);
	const char *parent = pod->shares & CTR_POD_SHARE_CGROUP ? cgroup : pod->cgroup_parent;
	struct setter s = {.b = b, .err = err};

	if (!b || !rootfs || !name || !bind || !cgroup)
		return ctr__fail_nomem(err);
	set_str(&s, CTR_CONFIG_ID, id);
	set_str(&s, CTR_CONFIG_NAME, name);
	set_str(&s, CTR_CONFIG_POD, pod->id);
	set_str(&s, CTR_CONFIG_ROOTFS, rootfs);
	set_str(&s, CTR_CONFIG_RUNTIME, pod->runtime);
	set_str(&s, CTR_CONFIG_LOG_DRIVER, "none");
	set_str(&s, CTR_CONFIG_CGROUP_PARENT, parent);
	set_str(&s, CTR_SPEC_HOSTNAME, pod->hostname ? pod->hostname : pod->name);
	if (s.r >= 0)
		s.r = ctr__builder_add_str(b, CTR_CONFIG_COMMAND, "/pause", err);
	if (s.r >= 0)
		s.r = ctr__builder_add_str(b, CTR_SPEC_BIND, bind, err);
	if (s.r >= 0)
		s.r = ctr__builder_add_str(b, CTR_SPEC_CAP_DROP, "all", err);
	if (s.r >= 0)
		s.r = ctr__builder_set_bool(b, CTR_CONFIG_IS_INFRA, 1, err);
	if (s.r >= 0)
		s.r = ctr__builder_set_bool(b, CTR_CONFIG_READ_ONLY, 1, err);
	return s.r < 0 ? s.r : ctr__builder_build(b, out, err);
}

static int make_infra(
    struct ctr_runtime *rt, const ctr_pod_config_t *pod, ctr_config_t **out, ctr_error_t **err)
{
	CTR__CLEANUP(ctr_config_unrefp) ctr_config_t *cfg = NULL;
	CTR__FREE char *pause = pause_path(rt);
	char id[CTR__ID_HEX + 1];
	int r = pause ? check_pause(pause, err) : ctr__fail_nomem(err);

	if (r >= 0)
		r = ctr__id_random(id, err);
	if (r >= 0)
		r = build_infra(rt, pod, id, pause, &cfg, err);
	if (r >= 0)
		r = ctr__create_check(rt, cfg, err);
	return r < 0 ? r : ctr__create_complete(rt, cfg, id, NULL, out, err);
}

/* ---- the pod ---- */

static int add(struct ctr_runtime *rt, const ctr_pod_config_t *pod, ctr_error_t **err)
{
	CTR__CLEANUP(ctr_event_unrefp) ctr_event_t *pod_event = NULL;
	CTR__CLEANUP(ctr_event_unrefp) ctr_event_t *infra_event = NULL;
	CTR__CLEANUP(ctr_config_unrefp) ctr_config_t *infra = NULL;
	struct ctr__pod_add job = {.pod = pod};
	int r = pod->has_infra ? make_infra(rt, pod, &infra, err) : 0;

	if (r >= 0)
		r = ctr__pod_event_new(CTR_EVENT_CREATE, pod, &pod_event, err);
	if (r >= 0 && infra)
		r = ctr__event_new(CTR_EVENT_CREATE, infra, &infra_event, err);
	if (r < 0)
		return r;
	job.infra = infra;
	job.pod_event = pod_event;
	job.infra_event = infra_event;
	return ctr__store_pod_add(rt->store, &job, err);
}

/* One try with one name. */
static int create_once(struct ctr_runtime *rt, const ctr_pod_config_t *cfg, const char *id,
    const char *name, ctr_error_t **err)
{
	struct ctr__pod_defaults d = {.id = id,
	    .name = name,
	    .cgroup_parent = ctr__default_cgroup_parent(rt->systemd_cgroup),
	    .created_ns = ctr__now_ns()};
	CTR__POD_CONFIG ctr_pod_config_t *own = NULL;
	int r = ctr__pod_config_complete(cfg, &d, &own, err);

	return r < 0 ? r : add(rt, own, err);
}

static int create_named(
    struct ctr_runtime *rt, const ctr_pod_config_t *cfg, const char *id, ctr_error_t **err)
{
	char name[CTR__NAME_MAX + 1] = "";

	for (unsigned int i = 0;; i++) {
		CTR__ERROR ctr_error_t *why = NULL;
		int r = 0;

		if (!cfg->name)
			r = ctr__name_random(name, sizeof(name), i < NAME_TRIES ? 0 : i, err);
		if (r < 0)
			return r;
		r = create_once(rt, cfg, id, cfg->name ? NULL : name, &why);
		if ((r == CTR_E_CTR_EXISTS || r == CTR_E_POD_EXISTS) && !cfg->name &&
		    i < 64 * NAME_TRIES && ctr__streq(ctr_error_get(why, "field"), "name"))
			continue;
		if (r < 0 && err)
			*err = CTR__STEAL_PTR(why);
		return r;
	}
}

int ctr__pod_create(
    struct ctr_runtime *rt, const ctr_pod_config_t *cfg, struct ctr_pod **out, ctr_error_t **err)
{
	char random[CTR__ID_HEX + 1];
	const char *id = cfg->id ? cfg->id : random;
	int r = ctr__store_check(rt->store, err);

	if (r >= 0)
		r = check_abilities(cfg, err);
	if (r >= 0)
		r = ctr__check_cgroup_parent(rt, cfg->cgroup_parent, err);
	if (r >= 0)
		r = ctr__id_random(random, err);
	if (r >= 0)
		r = create_named(rt, cfg, id, err);
	return r < 0 || !out ? r : ctr__pod_open(rt, id, out, err);
}
