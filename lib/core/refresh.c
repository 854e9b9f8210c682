/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Refresh: everything of a run is taken down and what is recorded of it forgotten, then the container is brought back
 * to where it was. The lock is held throughout, so nobody sees it half down: also not who would restart or remove a
 * container that has ended. Each step is an operation of its own with its own intent; a kill in between leaves
 * whatever state the last of them led to.
 */
#include <string.h>

#include "core/lifecycle.h"
#include "util/cleanup.h"

/* As a stop by the user, so that no restart policy takes this for an end; without letting go of the lock. */
static int stop_it(struct ctr_container *c, ctr_error_t **err)
{
	struct ctr__guard held = {.c = c, .batched = true, .op = CTR__OP_REFRESH};
	struct ctr__stop stop = {.timeout_ms = ctr_config_stop_timeout_ms(c->cfg),
	    .signal = (int32_t)c->cfg->stop_signal,
	    .by_user = true};
	CTR__ERROR ctr_error_t *why = NULL;
	int r = ctr__stop_locked(&held, &stop, &why);

	/* It has ended and was cleaned up; that its exit code is lost does not matter here. */
	if (r == CTR_E_CONMON_DEAD)
		return 0;
	if (r < 0 && err)
		*err = CTR__STEAL_PTR(why);
	return r;
}

/* To "configured" or "exited", with nothing of a run left, whoever made it. */
static int take_down(struct ctr_container *c, ctr_error_t **err)
{
	int r = 0;

	if (c->state.state == CTR_STATE_PAUSED)
		r = ctr__unpause_locked(c, err);
	if (r >= 0 && c->state.state == CTR_STATE_RUNNING)
		r = stop_it(c, err);
	if (r < 0)
		return r;
	if (c->state.state == CTR_STATE_CREATED || c->state.state == CTR_STATE_STOPPED)
		return ctr__cleanup_locked(c, err);
	r = ctr__save_intent(c, CTR__INTENT_CLEANUP, err);
	return r < 0 ? r : ctr__teardown_locked(c, true, err);
}

/* What a reboot forgets, too. */
static void forget(struct ctr_container *c)
{
	struct ctr__state *s = &c->state;

	if (s->state == CTR_STATE_UNKNOWN)
		s->state = CTR_STATE_CONFIGURED;
	s->mount_count = 0;
	ctr__state_clear_run(s);
	s->restart_match = false;
	s->restart_count = s->restart_delay_ms = 0;
	s->startup_passed = false;
	s->startup_successes = s->startup_failures = 0;
	s->health = 0;
	s->health_pid = 0;
	s->health_start = 0;
	s->net_ns = "";
	s->stage_hooks = "";
}

static int bring_back(struct ctr_container *c, int32_t was, ctr_error_t **err)
{
	int r = 0;

	if (was == CTR_STATE_CREATED)
		r = ctr__init_locked(c, err);
	else if (was == CTR_STATE_RUNNING || was == CTR_STATE_PAUSED)
		r = ctr__start_locked(c, CTR__BY_HAND, err);
	if (r >= 0 && was == CTR_STATE_PAUSED)
		r = ctr__pause_locked(c, err);
	return r;
}

static int refresh_locked(struct ctr_container *c, ctr_error_t **err)
{
	int32_t was = c->state.state;
	bool by_user = c->state.stopped_by_user;
	int r;

	/* Uses of the mount end, too. */
	c->state.mount_count = 0;
	r = take_down(c, err);
	if (r < 0)
		return r;
	forget(c);
	c->state.stopped_by_user = by_user;
	r = ctr__save(c, 0, err);
	if (r >= 0 && c->state.ever_started)
		(void)ctr__history_write(c->rt->store, c->id, &c->state);
	if (r >= 0)
		r = bring_back(c, was, err);
	return r < 0 ? r : ctr__save(c, CTR_EVENT_REFRESH, err);
}

int ctr__refresh(struct ctr_container *c, ctr_error_t **err)
{
	CTR__GUARD struct ctr__guard g;
	int r = ctr__enter(c, CTR__OP_REFRESH, CTR__LOOK_NOW | CTR__REPAIR, &g, err);

	return r < 0 ? r : refresh_locked(g.c, err);
}
