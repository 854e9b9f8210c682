/* SPDX-License-Identifier: Apache-2.0 */
/* Creating a container: completing its configuration and storing it. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/create.h"
#include "core/dependencies.h"
#include "core/lifecycle.h"
#include "core/pod.h"
#include "sys/path.h"
#include "sys/selinux.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/id.h"
#include "util/json.h"

/* Random names are tried this often before a number is the rule. */
#define NAME_TRIES 16

static int refuse(ctr_error_t **err, int code, const char *field, const char *text)
{
	ctr__fail(err, code, "%s", text);
	ctr__error_detail(err, "field", field);
	return code;
}

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && strcmp(s + n - m, end) == 0;
}

/* The leading slash may be missing. */
static bool is_clean_group(const char *parent)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s%s", parent[0] == '/' ? "" : "/", parent);

	return n > 0 && (size_t)n < sizeof(path) && ctr__path_is_clean(path);
}

int ctr__check_cgroup_parent(const struct ctr_runtime *rt, const char *parent, ctr_error_t **err)
{
	const char *wrong = NULL;

	if (!parent)
		return 0;
	if (rt->systemd_cgroup &&
	    (strlen(parent) <= strlen(".slice") || !ends_with(parent, ".slice")))
		wrong = "with the systemd cgroup manager the cgroup parent must be a slice";
	else if (rt->systemd_cgroup && strchr(parent, ':'))
		wrong = "the name of a systemd slice has no colon";
	else if (!rt->systemd_cgroup && ends_with(parent, ".slice"))
		wrong = "with the cgroupfs manager the cgroup parent must not be a systemd slice";
	else if (!rt->systemd_cgroup && !is_clean_group(parent))
		wrong = "the cgroup parent is not a path without \".\", \"..\" and doubled or "
		        "final slashes";
	if (!wrong)
		return 0;
	ctr__fail(err, CTR_E_INVALID, "cgroupParent \"%.200s\": %s", parent, wrong);
	ctr__error_detail(err, "field", "cgroupParent");
	return CTR_E_INVALID;
}

/* null, false, "", [] and {}: as if it was not there. Texts of JSON, as they are kept. */
static bool is_nothing(const char *value)
{
	static const char *const nothing[] = {"null", "false", "\"\"", "[]", "{}", NULL};

	return ctr__strv_has(nothing, value);
}

/* Other libraries' members that say what is in the container: without it, it would run on something else. */
static int check_volumes(const ctr_config_t *cfg, ctr_error_t **err)
{
	static const char *const unknown[] = {"namedVolumes", "overlayVolumes", "ctrImageVolumes",
	    "artifactVolumes", "rootfs_overlay", "rootfs_mapping", NULL};

	for (size_t i = 0; i < cfg->unknown_n; i++) {
		const struct ctr__cfg_pair *p = &cfg->unknown[i];

		if (!ctr__strv_has(unknown, p->key) || is_nothing(p->value))
			continue;
		ctr__fail(err, CTR_E_UNSUPPORTED,
		    "configuration field %s: libctr knows no volumes and overlays of its own yet",
		    p->key);
		ctr__error_detail(err, "field", p->key);
		return CTR_E_UNSUPPORTED;
	}
	return 0;
}

/* What the configuration may say but this release cannot do: better refused now than ignored later. */
static int check_abilities(const ctr_config_t *cfg, ctr_error_t **err)
{
	if (cfg->create_net_ns)
		return refuse(err, CTR_E_UNSUPPORTED, "createNetNS",
		    "libctr does not configure networks yet; use a spec with a private or the "
		    "host's "
		    "network namespace");
	return check_volumes(cfg, err);
}

static int check_oci(const struct ctr_runtime *rt, const ctr_config_t *cfg, ctr_error_t **err)
{
	const char *name = cfg->runtime ? cfg->runtime : rt->default_oci;
	const struct ctr__oci *oci = name ? ctr__runtime_oci(rt, name) : NULL;

	if (!name)
		return ctr__fail(err, CTR_E_OCI_UNAVAILABLE,
		    "no OCI runtime is installed (looked for crun and runc) and none is "
		    "configured");
	if (!oci) {
		ctr__fail(err, CTR_E_OCI_UNAVAILABLE, "OCI runtime \"%s\" is not registered", name);
		ctr__error_detail(err, "oci.runtime", name);
		ctr__error_detail(err, "field", "runtime");
		return CTR_E_OCI_UNAVAILABLE;
	}
	if (cfg->no_cgroups && !(oci->ops.caps & CTR_OCI_CAP_NO_CGROUPS))
		return refuse(err, CTR_E_UNSUPPORTED, "noCgroups",
		    "this OCI runtime cannot run a container without a cgroup");
	return 0;
}

/* A privileged container is not confined by labels, as in libpod. */
static int make_labels(const ctr_config_t *cfg, char **process, char **file, ctr_error_t **err)
{
	int r = ctr__selinux_check_opts(cfg->label_opts.v, err);

	*process = *file = NULL;
	if (r < 0 || cfg->privileged || cfg->process_label || cfg->mount_label)
		return r;
	return ctr__selinux_new_labels(cfg->label_opts.v, process, file, err);
}

int ctr__create_complete(struct ctr_runtime *rt, const ctr_config_t *cfg, const char *id,
    const char *name, ctr_config_t **out, ctr_error_t **err)
{
	CTR__FREE char *process_label = NULL;
	CTR__FREE char *mount_label = NULL;
	struct ctr__config_defaults d = {
	    .id = id,
	    .name = name,
	    .created_ns = ctr__now_ns(),
	    .containers_dir = rt->static_dirs,
	    .run_dir = rt->run_dirs,
	    .runtime = rt->default_oci,
	    .cgroup_parent = ctr__default_cgroup_parent(rt->systemd_cgroup),
	    .storage_driver = "rootfs",
	};
	int r = make_labels(cfg, &process_label, &mount_label, err);

	CTR__CLEANUP(ctr_container_unrefp) struct ctr_container *from = NULL;

	d.process_label = process_label;
	d.mount_label = mount_label;
	if (r >= 0 && cfg->user_ns_ctr)
		r = ctr__container_open(rt, cfg->user_ns_ctr, &from, err);
	if (from)
		d.user_ns_from = from->cfg;
	return r < 0 ? r : ctr__config_complete(cfg, &d, out, err);
}

static int check_storage(struct ctr_runtime *rt, const ctr_config_t *cfg, ctr_error_t **err)
{
	struct ctr__storage *s = ctr__runtime_storage(rt, cfg->storage_driver);
	struct ctr_storage_container view = {
	    .size = sizeof(view),
	    .id = cfg->id,
	    .name = cfg->name,
	    .rootfs = cfg->rootfs,
	    .image_id = cfg->rootfs_image_id,
	    .image_name = cfg->rootfs_image_name,
	    .static_dir = cfg->static_dir,
	    .mount_label = cfg->mount_label,
	};

	if (!s) {
		ctr__fail(err, CTR_E_NO_STORAGE, "storage driver \"%s\" is not registered",
		    cfg->storage_driver ? cfg->storage_driver : "");
		ctr__error_detail(err, "field", "storageDriver");
		return CTR_E_NO_STORAGE;
	}
	return s->ops.validate ? s->ops.validate(s->impl, &view, err) : 0;
}

static int add(struct ctr_runtime *rt, const ctr_config_t *cfg, uint32_t *slot, ctr_error_t **err)
{
	CTR__CLEANUP(ctr_event_unrefp) ctr_event_t *ev = NULL;
	int r = ctr__event_new(CTR_EVENT_CREATE, cfg, &ev, err);

	return r < 0 ? r : ctr__store_add(rt->store, cfg, ev, slot, err);
}

/* What has been stored. */
struct created {
	ctr_config_t *cfg;
	uint32_t slot;
};

/* One try with one name. CTR_E_CTR_EXISTS may be about a random name that is taken. */
static int create_once(struct ctr_runtime *rt, const ctr_config_t *cfg, const char *id,
    const char *name, struct created *done, ctr_error_t **err)
{
	CTR__CLEANUP(ctr_config_unrefp) ctr_config_t *own = NULL;
	int r = ctr__create_complete(rt, cfg, id, name, &own, err);

	if (r >= 0)
		r = check_storage(rt, own, err);
	if (r >= 0)
		r = add(rt, own, &done->slot, err);
	if (r >= 0)
		done->cfg = CTR__STEAL_PTR(own);
	return r;
}

static int create_named(struct ctr_runtime *rt, const ctr_config_t *cfg, const char *id,
    struct created *done, ctr_error_t **err)
{
	char name[CTR__NAME_MAX + 1] = "";
	int r;

	for (unsigned int i = 0;; i++) {
		CTR__ERROR ctr_error_t *why = NULL;

		if (!cfg->name) {
			r = ctr__name_random(name, sizeof(name), i < NAME_TRIES ? 0 : i, err);
			if (r < 0)
				return r;
		}
		r = create_once(rt, cfg, id, cfg->name ? NULL : name, done, &why);
		/* A random name that is taken: another one. */
		if ((r == CTR_E_CTR_EXISTS || r == CTR_E_POD_EXISTS) && !cfg->name &&
		    i < 64 * NAME_TRIES && ctr__streq(ctr_error_get(why, "field"), "name"))
			continue;
		if (r < 0 && err)
			*err = CTR__STEAL_PTR(why);
		return r;
	}
}

int ctr__create_check(const struct ctr_runtime *rt, const ctr_config_t *cfg, ctr_error_t **err)
{
	int r = check_abilities(cfg, err);

	if (r >= 0)
		r = check_oci(rt, cfg, err);
	return r < 0 ? r : ctr__check_cgroup_parent(rt, cfg->cgroup_parent, err);
}

/* Held until the container is there: a removal of the pod finds either no container, or this one. */
static int enter_pod(struct ctr_runtime *rt, const ctr_config_t *cfg, struct ctr_pod **pod,
    struct ctr__pod_guard *g, ctr_error_t **err)
{
	int r = cfg->pod ? ctr__pod_open(rt, cfg->pod, pod, err) : 0;

	return r < 0 || !cfg->pod ? r : ctr__pod_enter(*pod, false, g, err);
}

int ctr__create(
    struct ctr_runtime *rt, const ctr_config_t *cfg, struct ctr_container **out, ctr_error_t **err)
{
	CTR__CLEANUP(ctr_config_unrefp) ctr_config_t *own = NULL;
	CTR__POD struct ctr_pod *pod = NULL;
	CTR__POD_GUARD struct ctr__pod_guard g = {0};
	struct created done = {NULL, 0};
	char id[CTR__ID_HEX + 1];
	int r = ctr__store_check(rt->store, err);

	if (r >= 0)
		r = enter_pod(rt, cfg, &pod, &g, err);
	if (r >= 0)
		r = ctr__pod_join(rt, cfg, &own, err);
	if (r >= 0)
		r = ctr__create_check(rt, own, err);
	if (r >= 0)
		r = ctr__dependencies_usable(rt, own, err);
	if (r >= 0)
		r = ctr__id_random(id, err);
	if (r >= 0)
		r = create_named(rt, own, id, &done, err);
	if (r >= 0 && out)
		r = ctr__container_adopt(rt, done.cfg, done.slot, out, err);
	ctr_config_unref(done.cfg);
	return r;
}
