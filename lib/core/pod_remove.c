/* SPDX-License-Identifier: Apache-2.0 */
/* Removing a pod, and what happens when its last container has ended. */
#include <string.h>

#include "core/pod.h"
#include "core/policy.h"
#include "event/pod_event.h"
#include "sys/cgroup.h"
#include "util/cleanup.h"

#define CGROUP_TIMEOUT_MS 5000

/* ---- removing ---- */

static bool is_alive(int32_t state)
{
	return state == CTR_STATE_RUNNING || state == CTR_STATE_PAUSED ||
	       state == CTR_STATE_STOPPING;
}

static int alive(const struct ctr_pod *p, const char *ids, ctr_error_t **err)
{
	ctr__fail(err, CTR_E_POD_STATE, "pod %s has containers that are alive: %s",
	    p->cfg->name ? p->cfg->name : p->id, ids);
	ctr__error_detail(err, "pod", p->id);
	ctr__error_detail(err, "containers", ids);
	return CTR_E_POD_STATE;
}

/* The infra container does not count. */
static int check_idle(struct ctr__pod_walk *w, const struct ctr_pod *p, ctr_error_t **err)
{
	CTR__BUF struct ctr__buf ids = {0};

	for (size_t i = 0; i < w->n; i++) {
		CTR__GUARD struct ctr__guard g = {0};
		struct ctr_container *c = w->v[i];

		if (c->cfg->is_infra || ctr__enter(c, CTR__OP_READ, CTR__LOOK_NOW, &g, NULL) < 0 ||
		    !is_alive(g.c->state.state))
			continue;
		ctr__buf_addf(&ids, "%s%s", ids.len ? "," : "", c->id);
	}
	if (ids.failed)
		return ctr__fail_nomem(err);
	return ids.len ? alive(p, ids.data, err) : 0;
}

static int remove_one(struct ctr_container *c, const void *arg, ctr_error_t **err)
{
	const struct ctr__stop o = {.timeout_ms = *(const int64_t *)arg, .by_user = true};

	/* A stop that fails is not the end: removing kills. */
	if (o.timeout_ms)
		(void)ctr__stop(c, &o, NULL);
	return ctr__remove(c, true, err);
}

static int remove_cgroup(struct ctr__pod_guard *g, ctr_error_t **err)
{
	const struct ctr_pod *p = g->pod;
	CTR__FREE char *path = ctr__pod_cgroup_path(p->rt, p->cfg);

	if (!path)
		return ctr__fail_nomem(err);
	if (!(p->cfg->shares & CTR_POD_SHARE_CGROUP))
		return 0;
	if (p->rt->systemd_cgroup) {
		CTR__FREE char *slice = path;

		path = ctr__cgroup_of_slice(slice);
		if (!path)
			return ctr__fail_nomem(err);
	}
	/* Also one that an earlier boot's record knew of, in a run root that was lost. */
	return ctr__cgroup_remove(path, CGROUP_TIMEOUT_MS, err);
}

static int remove_record(struct ctr__pod_guard *g, ctr_error_t **err)
{
	CTR__CLEANUP(ctr_event_unrefp) ctr_event_t *ev = NULL;
	CTR__ERROR ctr_error_t *why = NULL;
	int r = ctr__pod_event_new(CTR_EVENT_REMOVE, g->pod->cfg, &ev, err);

	if (r < 0)
		return r;
	r = ctr__store_pod_remove(g->pod->rt->store, g->pod->id, ev, &why);
	/* Gone: a killed remover's commit became visible only now. */
	if (r >= 0 || r == CTR_E_NO_SUCH_POD)
		return 0;
	if (err)
		*err = CTR__STEAL_PTR(why);
	return r;
}

static int remove_locked(
    struct ctr__pod_guard *g, int64_t timeout_ms, bool force, ctr_error_t **err)
{
	CTR__POD_WALK struct ctr__pod_walk w = {0};
	int r = ctr__pod_walk_open(g->pod, &w, err);

	if (r >= 0 && !force && g->state.intent != CTR__POD_REMOVING)
		r = check_idle(&w, g->pod, err);
	if (r < 0)
		return r;
	/* From here on nothing but a removal is possible, whoever does it. */
	g->state.intent = CTR__POD_REMOVING;
	r = ctr__pod_save(g, 0, err);
	if (r < 0)
		return r;
	ctr__pod_walk_each(&w, true, remove_one, &timeout_ms);
	r = ctr__pod_walk_result(g->pod, &w, "removal", err);
	if (r >= 0)
		r = remove_cgroup(g, err);
	return r < 0 ? r : remove_record(g, err);
}

int ctr__pod_remove(struct ctr_pod *p, int64_t timeout_ms, bool force, ctr_error_t **err)
{
	CTR__POD_GUARD struct ctr__pod_guard g = {0};
	CTR__ERROR ctr_error_t *why = NULL;
	int r = ctr__pod_enter(p, true, &g, &why);

	if (r >= 0)
		r = remove_locked(&g, timeout_ms, force, &why);
	if (r == CTR_E_POD_REMOVED)
		return 0;
	if (r < 0 && err)
		*err = CTR__STEAL_PTR(why);
	return r;
}

int ctr__pod_check_infra(struct ctr_container *c, ctr_error_t **err)
{
	CTR__CLEANUP(ctr_config_unrefp) ctr_config_t *cfg = ctr__container_config(c);
	int r;

	if (!cfg->is_infra || !cfg->pod)
		return 0;
	r = ctr__store_pod_has(c->rt->store, cfg->pod, err);
	if (r <= 0)
		return r;
	ctr__fail(err, CTR_E_INVALID,
	    "container %s is the infra container of pod %s and can be removed with it only",
	    cfg->name, cfg->pod);
	ctr__error_detail(err, "container", c->id);
	ctr__error_detail(err, "pod", cfg->pod);
	return CTR_E_INVALID;
}

/* ---- the exit policy ---- */

/* Is it alive, or about to be? */
static bool is_active(struct ctr_container *c)
{
	CTR__GUARD struct ctr__guard g = {0};

	if (ctr__enter(c, CTR__OP_READ, CTR__LOOK_NOW, &g, NULL) < 0)
		return false;
	return ctr__state_is_live(g.c->state.state) || ctr__policy_restarts(g.c->cfg, &g.c->state);
}

static int stop_infra(struct ctr__pod_guard *g, ctr_error_t **err)
{
	CTR__POD_WALK struct ctr__pod_walk w = {0};
	struct ctr__stop o = {.timeout_ms = 10000, .by_user = true};
	int r = ctr__pod_walk_open(g->pod, &w, err);

	for (size_t i = 0; r >= 0 && i < w.n; i++) {
		if (!w.v[i]->cfg->is_infra && is_active(w.v[i]))
			return 0;
	}
	if (r < 0 || w.n == 0 || !w.v[0]->cfg->is_infra || !is_active(w.v[0]))
		return r;
	r = ctr__stop(w.v[0], &o, err);
	if (r >= 0)
		r = ctr__cleanup(w.v[0], true, err);
	return r < 0 ? r : ctr__pod_save(g, CTR_EVENT_STOP, err);
}

void ctr__pod_after_exit(struct ctr_container *c)
{
	CTR__CLEANUP(ctr_config_unrefp) ctr_config_t *cfg = NULL;
	CTR__ERROR ctr_error_t *why = NULL;
	CTR__POD struct ctr_pod *p = NULL;
	CTR__POD_GUARD struct ctr__pod_guard g = {0}; /* left before the handle goes */
	int r;

	if (c->outer || ctr__in_batch())
		return;
	cfg = ctr__container_config(c);
	if (!ctr__pod_wants_exits(c->rt, cfg) || ctr__pod_open(c->rt, cfg->pod, &p, NULL) < 0)
		return;
	r = ctr__pod_enter(p, false, &g, &why);
	/* In the midst of another operation on the pod, or of its removal: that knows what to do. */
	if (r < 0 || g.held_before)
		return;
	r = stop_infra(&g, &why);
	if (r < 0)
		ctr__log(
		    c->rt, CTR_LOG_WARNING, c->id, "stopping its pod: %s", ctr_error_message(why));
}
