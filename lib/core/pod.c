/* SPDX-License-Identifier: Apache-2.0 */
/* A pod's handle, and the frame of operations on it. */
#include "core/pod.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "event/pod_event.h"
#include "sys/cgroup.h"
#include "sys/path.h"
#include "util/cleanup.h"

/* ---- the handle ---- */

static int gone(const char *id, ctr_error_t **err)
{
	ctr__fail(err, CTR_E_POD_REMOVED, "pod %s has been removed", id);
	ctr__error_detail(err, "pod", id);
	return CTR_E_POD_REMOVED;
}

static struct ctr_pod *handle_new(struct ctr_runtime *rt, const char *id)
{
	struct ctr_pod *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	atomic_init(&p->refs, 1);
	p->rt = ctr__runtime_ref(rt);
	memcpy(p->id, id, strlen(id));
	pthread_mutex_init(&p->cfg_mutex, NULL);
	return p;
}

int ctr__pod_open(struct ctr_runtime *rt, const char *id, struct ctr_pod **out, ctr_error_t **err)
{
	CTR__CLEANUP(ctr__pod_stored_free) struct ctr__pod_stored stored = {.slot = 0};
	CTR__POD struct ctr_pod *p = NULL;
	int r = ctr__store_pod_get(rt->store, id, &stored, err);

	if (r < 0)
		return r;
	p = handle_new(rt, id);
	if (!p)
		return ctr__fail_nomem(err);
	p->born = stored.born;
	p->cfg_gen = stored.cfg_gen;
	r = ctr__pod_config_parse(stored.json.data, stored.json.len, &p->cfg, err);
	if (r >= 0)
		r = ctr__locks_slot(ctr__store_locks(rt->store), stored.slot, &p->slot, err);
	if (r < 0)
		return r;
	*out = CTR__STEAL_PTR(p);
	return 0;
}

struct ctr_pod *ctr__pod_ref(struct ctr_pod *p)
{
	if (p)
		atomic_fetch_add_explicit(&p->refs, 1, memory_order_relaxed);
	return p;
}

void ctr__pod_unref(struct ctr_pod *p)
{
	if (!p || atomic_fetch_sub_explicit(&p->refs, 1, memory_order_acq_rel) != 1)
		return;
	ctr__pod_config_unref(p->cfg);
	pthread_mutex_destroy(&p->cfg_mutex);
	ctr__runtime_unref(p->rt);
	free(p);
}

void ctr__pod_unrefp(struct ctr_pod **p)
{
	ctr__pod_unref(*p);
}

ctr_pod_config_t *ctr__pod_config(struct ctr_pod *p)
{
	ctr_pod_config_t *cfg;

	pthread_mutex_lock(&p->cfg_mutex);
	cfg = ctr__pod_config_ref(p->cfg);
	pthread_mutex_unlock(&p->cfg_mutex);
	return cfg;
}

int ctr__pod_read(struct ctr_pod *p, struct ctr__pod_stored *out, ctr_error_t **err)
{
	CTR__ERROR ctr_error_t *why = NULL;
	int r = ctr__store_pod_get(p->rt->store, p->id, out, &why);

	if (r == CTR_E_NO_SUCH_POD || (r >= 0 && out->born != p->born))
		return gone(p->id, err);
	if (r < 0 && err)
		*err = CTR__STEAL_PTR(why);
	return r;
}

static int refresh_config(
    struct ctr_pod *p, const struct ctr__pod_stored *stored, ctr_error_t **err)
{
	ctr_pod_config_t *cfg = NULL, *old;
	int r;

	if (stored->cfg_gen == p->cfg_gen)
		return 0;
	r = ctr__pod_config_parse(stored->json.data, stored->json.len, &cfg, err);
	if (r < 0)
		return r;
	pthread_mutex_lock(&p->cfg_mutex);
	old = p->cfg;
	p->cfg = cfg;
	p->cfg_gen = stored->cfg_gen;
	pthread_mutex_unlock(&p->cfg_mutex);
	ctr__pod_config_unref(old);
	return 0;
}

/* ---- the lock ---- */

/* *held_before: by this thread. Inside a batch a container's lock is held, which comes after a pod's: then it is only
 * tried. */
static int lock(struct ctr_runtime *rt, struct ctr__slot *slot, const char *id, bool *held_before,
    ctr_error_t **err)
{
	CTR__ERROR ctr_error_t *why = NULL;
	bool owner_died = false;
	int64_t timeout = ctr__in_batch() ? 0 : rt->lock_timeout_ms;
	int r = ctr__slot_lock(slot, timeout, &rt->stopped, &owner_died, &why);

	*held_before = r == CTR_E_DEADLOCK;
	if (*held_before)
		return 0;
	if (r == CTR_E_LOCKED && ctr__in_batch())
		return ctr__fail(
		    err, CTR_E_BUSY, "pod %s is in use; inside a batch it is not waited for", id);
	if (r < 0) {
		if (err)
			*err = CTR__STEAL_PTR(why);
		ctr__error_detail(err, "pod", id);
		return r;
	}
	if (owner_died)
		r = ctr__store_settle(rt->store, err);
	if (r < 0)
		ctr__slot_unlock(slot);
	return r;
}

static int being_removed(const char *id, ctr_error_t **err)
{
	ctr__fail(err, CTR_E_POD_STATE, "pod %s is being removed", id);
	ctr__error_detail(err, "pod", id);
	return CTR_E_POD_STATE;
}

int ctr__pod_enter(struct ctr_pod *p, bool removing, struct ctr__pod_guard *g, ctr_error_t **err)
{
	CTR__CLEANUP(ctr__pod_stored_free) struct ctr__pod_stored stored = {.slot = 0};
	int r;

	memset(g, 0, sizeof(*g));
	r = ctr__runtime_enter(p->rt, err);
	if (r >= 0)
		r = lock(p->rt, p->slot, p->id, &g->held_before, err);
	if (r < 0)
		return r;
	g->pod = p;
	r = ctr__pod_read(p, &stored, err);
	if (r >= 0)
		r = refresh_config(p, &stored, err);
	if (r >= 0)
		r = ctr__store_pod_load(p->rt->store, p->id, &g->state, err);
	if (r >= 0 && !removing && g->state.intent == CTR__POD_REMOVING)
		r = being_removed(p->id, err);
	if (r < 0) {
		ctr__pod_leave(g);
		return r;
	}
	memcpy(g->infra, stored.infra, sizeof(g->infra));
	return 0;
}

void ctr__pod_leave(struct ctr__pod_guard *g)
{
	if (g->pod && !g->held_before)
		ctr__slot_unlock(g->pod->slot);
	g->pod = NULL;
}

int ctr__pod_save(struct ctr__pod_guard *g, int32_t type, ctr_error_t **err)
{
	CTR__CLEANUP(ctr_event_unrefp) ctr_event_t *ev = NULL;
	int r = type ? ctr__pod_event_new(type, g->pod->cfg, &ev, err) : 0;

	memcpy(g->state.infra, g->infra, sizeof(g->state.infra));
	return r < 0 ? r : ctr__store_pod_save(g->pod->rt->store, g->pod->id, &g->state, ev, err);
}

/* ---- its cgroup, and the root of its infra container ---- */

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && strcmp(s + n - m, end) == 0;
}

/* "a.slice/b.slice" -> "a.slice/b.slice/b-libpod_pod_ID.slice": the name of a slice tells where it is. */
static char *slice_path(const char *parent, const char *id)
{
	const char *slash = strrchr(parent, '/');
	const char *name = slash ? slash + 1 : parent;
	size_t len = strlen(name) - (ends_with(name, ".slice") ? strlen(".slice") : 0);

	return ctr__format("%s/%.*s-libpod_pod_%s.slice", parent, (int)len, name, id);
}

char *ctr__pod_cgroup_path(const struct ctr_runtime *rt, const ctr_pod_config_t *cfg)
{
	const char *parent = cfg->cgroup_parent ? cfg->cgroup_parent : "";

	if (rt->systemd_cgroup)
		return slice_path(parent, cfg->id);
	parent += parent[0] == '/';
	return ctr__format("%s%s/%s", *parent ? "/" : "", parent, cfg->id);
}

/* Recorded before it is made, so that whoever removes the pod knows of it. systemd makes its slices itself. */
static int make_cgroup(struct ctr__pod_guard *g, ctr_error_t **err)
{
	const struct ctr_runtime *rt = g->pod->rt;
	CTR__FREE char *path = NULL;
	int r = 0;

	if (!(g->pod->cfg->shares & CTR_POD_SHARE_CGROUP))
		return 0;
	path = ctr__pod_cgroup_path(rt, g->pod->cfg);
	if (!path)
		return ctr__fail_nomem(err);
	if (strlen(path) >= sizeof(g->state.cgroup))
		return ctr__fail(
		    err, CTR_E_INVALID, "the path of the pod's cgroup is too long: %s", path);
	if (strcmp(g->state.cgroup, path) != 0) {
		memcpy(g->state.cgroup, path, strlen(path) + 1);
		r = ctr__pod_save(g, 0, err);
	}
	if (r < 0 || rt->systemd_cgroup)
		return r;
	return ctr__cgroup_make(path, err);
}

static int make_infra_root(struct ctr__pod_guard *g, ctr_error_t **err)
{
	CTR__FREE char *path = NULL;
	CTR__CLOSE int fd = -1;

	if (!g->infra[0])
		return 0;
	path = ctr__format("%s/%s/rootfs", g->pod->rt->static_dirs, g->infra);
	if (!path)
		return ctr__fail_nomem(err);
	fd = ctr__mkdir_open(path, 0755, err);
	return fd < 0 ? fd : 0;
}

int ctr__pod_prepare(struct ctr__pod_guard *g, ctr_error_t **err)
{
	int r = make_infra_root(g, err);

	return r < 0 ? r : make_cgroup(g, err);
}

/* ---- for containers ---- */

/* What may bring it to life needs the pod's cgroup, and its own root if it is the infra container. */
static bool may_start(enum ctr__op op)
{
	return op == CTR__OP_INIT || op == CTR__OP_START || op == CTR__OP_RESTART ||
	       op == CTR__OP_REFRESH;
}

static bool needs_pod(enum ctr__op op)
{
	return may_start(op) || op == CTR__OP_STOP || op == CTR__OP_REMOVE ||
	       op == CTR__OP_REMOVE_FORCE;
}

static int pod_gone(const struct ctr_container *c, const char *pod, ctr_error_t **err)
{
	ctr__fail(
	    err, CTR_E_CTR_REMOVED, "container %s has been removed with its pod %s", c->id, pod);
	ctr__error_detail(err, "container", c->id);
	return CTR_E_CTR_REMOVED;
}

static int lock_pod(struct ctr_container *c, const char *id, enum ctr__op op,
    struct ctr__slot **slot, ctr_error_t **err)
{
	CTR__ERROR ctr_error_t *why = NULL;
	CTR__POD struct ctr_pod *p = NULL;
	struct ctr__pod_guard g;
	bool remove = op == CTR__OP_REMOVE || op == CTR__OP_REMOVE_FORCE;
	int r = ctr__pod_open(c->rt, id, &p, &why);

	if (r >= 0)
		r = ctr__pod_enter(p, !may_start(op), &g, &why);
	/* What is left of a container whose pod is gone can be removed. */
	if (r == CTR_E_NO_SUCH_POD || r == CTR_E_POD_REMOVED)
		return remove ? 0 : pod_gone(c, id, err);
	if (r >= 0 && may_start(op)) {
		r = ctr__pod_prepare(&g, &why);
		if (r < 0)
			ctr__pod_leave(&g);
	}
	if (r < 0) {
		if (err)
			*err = CTR__STEAL_PTR(why);
		return r;
	}
	*slot = g.held_before ? NULL : p->slot;
	return 0;
}

__attribute__((noinline)) static int lock_pod_of(
    struct ctr_container *c, enum ctr__op op, struct ctr__slot **slot, ctr_error_t **err)
{
	CTR__CONFIG ctr_config_t *cfg = ctr__container_config(c);

	return cfg->pod ? lock_pod(c, cfg->pod, op, slot, err) : 0;
}

int ctr__pod_lock_member(
    struct ctr_container *c, enum ctr__op op, struct ctr__slot **slot, ctr_error_t **err)
{
	*slot = NULL;
	return needs_pod(op) ? lock_pod_of(c, op, slot, err) : 0;
}
