/* SPDX-License-Identifier: Apache-2.0 */
/* Restart by hand: a stop and a start that belong together. */
#include <unistd.h>

#include "core/lifecycle.h"
#include "core/policy.h"
#include "sys/proc.h"
#include "util/cleanup.h"

/* From here on the end of this run is ours: whoever else sees it leaves it alone as long as we live. */
static int announce(struct ctr_container *c, ctr_error_t **err)
{
	c->state.restarter_pid = (int32_t)getpid();
	c->state.restarter_start = ctr__proc_start_time(getpid());
	return ctr__save(c, CTR_EVENT_RESTART, err);
}

static void withdraw(struct ctr__guard *g)
{
	struct ctr_container *c = g->c;

	if (!c || ctr__load(c, NULL) < 0 || !c->state.restarter_pid)
		return;
	c->state.restarter_pid = 0;
	c->state.restarter_start = 0;
	/* The caller learns that it failed, and nobody else tries. */
	if (!ctr__state_is_live(c->state.state))
		c->state.restart_match = false;
	(void)ctr__save(c, 0, NULL);
}

/* A lost exit code does not keep it from being started again. */
static int stop_run(struct ctr__guard *g, const struct ctr__stop *o, ctr_error_t **err)
{
	CTR__ERROR ctr_error_t *why = NULL;
	struct ctr__stop stop = *o;
	int r;

	stop.by_user = false;
	if (!stop.signal)
		stop.signal = (int32_t)g->c->cfg->stop_signal;
	r = ctr__stop_locked(g, &stop, &why);
	if (r >= 0 || r == CTR_E_CONMON_DEAD)
		return 0;
	if (err)
		*err = CTR__STEAL_PTR(why);
	return r;
}

static int restart_locked(struct ctr__guard *g, const struct ctr__stop *o, ctr_error_t **err)
{
	int r = announce(g->c, err);

	if (r >= 0 && g->c->state.state == CTR_STATE_RUNNING) {
		r = stop_run(g, o, err);
		/* Somebody else was quicker: it runs anew, as was wanted. */
		if (r >= 0 && ctr__state_is_live(g->c->state.state)) {
			withdraw(g);
			return 0;
		}
	}
	if (r >= 0)
		r = ctr__start_locked(g->c, CTR__BY_HAND, err);
	if (r < 0)
		withdraw(g);
	return r;
}

/* The lock was let go and could not be had again. */
static void withdraw_late(struct ctr_container *c)
{
	CTR__GUARD struct ctr__guard g;

	if (ctr__enter(c, CTR__OP_READ, CTR__LOOK_NOW, &g, NULL) >= 0)
		withdraw(&g);
}

int ctr__restart(
    struct ctr_container *c, const struct ctr__stop *o, bool only_running, ctr_error_t **err)
{
	CTR__GUARD struct ctr__guard g;
	int r = ctr__enter(c, CTR__OP_RESTART, CTR__LOOK_NOW | CTR__REPAIR, &g, err);

	if (r < 0 || (only_running && g.c->state.state != CTR_STATE_RUNNING))
		return r < 0 ? r : 0;
	r = restart_locked(&g, o, err);
	if (r < 0 && !g.c && r != CTR_E_CTR_REMOVED)
		withdraw_late(c);
	return r;
}
