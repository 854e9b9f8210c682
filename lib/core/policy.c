/* SPDX-License-Identifier: Apache-2.0 */
/*
 * After a container's end: is it started again, removed or cleaned up?
 *
 * An end that a policy applies to is marked in the state (restart_match) when it is recorded, and the mark goes
 * when the container runs again or the restart has failed. So it does not matter how many callers there are, or
 * whether one of them is killed: the mark says what is still to be done, and the lock who does it.
 */
#include "core/policy.h"

#include <libctr/policy.h>

#include <errno.h>
#include <poll.h>

#include "core/lifecycle.h"
#include "core/pod.h"
#include "sys/proc.h"
#include "util/cleanup.h"
#include "util/clock.h"

/* As docker has it. */
#define DELAY_MIN_MS  100
#define DELAY_MAX_MS  60000
#define LONG_RUN_NS   (INT64_C(10) * 1000000000)
#define LOOK_EVERY_MS 50 /* during the delay, for what others do: one read of shared memory */
#define NS_PER_MS     INT64_C(1000000)

/* ---- the decision ---- */

bool ctr__has_restart_policy(const ctr_config_t *cfg)
{
	return cfg->restart_policy && *cfg->restart_policy &&
	       !ctr__streq(cfg->restart_policy, "no");
}

bool ctr__wants_exit_command(const ctr_config_t *cfg)
{
	return ctr__has_restart_policy(cfg) || cfg->auto_remove;
}

/* Also one that ran although whoever started it was killed before that was recorded, and one that ends because of a
 * restart by hand: should that be killed, the policy has it run again. */
bool ctr__ends_by_itself(const struct ctr_container *c)
{
	const struct ctr__state *s = &c->state;
	bool may_run = s->state == CTR_STATE_RUNNING || s->state == CTR_STATE_PAUSED ||
	               (s->state == CTR_STATE_CREATED && s->intent == CTR__INTENT_START) ||
	               (s->state == CTR_STATE_STOPPING && s->restarter_pid > 0);

	return may_run && !s->stopped_by_user && ctr__has_restart_policy(c->cfg);
}

bool ctr__policy_restarts(const ctr_config_t *cfg, const struct ctr__state *s)
{
	if (s->stopped_by_user || !s->restart_match || !ctr__has_restart_policy(cfg))
		return false;
	/* One that was being restarted already. */
	if (s->state == CTR_STATE_CREATED || !ctr__streq(cfg->restart_policy, "on-failure"))
		return true;
	return s->exit_code != 0 &&
	       (cfg->restart_retries <= 0 || s->restart_count < cfg->restart_retries);
}

uint32_t ctr__restart_delay_ms(const struct ctr__state *s)
{
	if (!s->restart_delay_ms ||
	    (s->started_ns && s->finished_ns - s->started_ns >= LONG_RUN_NS))
		return DELAY_MIN_MS;
	return s->restart_delay_ms < DELAY_MAX_MS / 2 ? s->restart_delay_ms * 2 : DELAY_MAX_MS;
}

bool ctr__is_being_restarted(const struct ctr_container *c)
{
	return c->state.restarter_pid > 0 &&
	       ctr__proc_alive(c->state.restarter_pid, c->state.restarter_start);
}

/* ---- the delay ---- */

struct delay {
	int64_t end_of_run; /* finished_ns of the end that it follows; 0 = none yet */
	int64_t until;      /* monotonic */
	uint64_t gen;       /* of the state that was looked at */
};

/* True if the restart has to wait still. The clock of the end may have been set since: never longer than
 * the whole delay. */
static bool must_wait(struct delay *d, const struct ctr_container *c)
{
	const struct ctr__state *s = &c->state;
	int64_t whole = (int64_t)ctr__restart_delay_ms(s) * NS_PER_MS;
	int64_t left = s->finished_ns + whole - ctr__now_ns();

	if (s->state == CTR_STATE_CREATED)
		return false;
	if (d->end_of_run != s->finished_ns) {
		d->end_of_run = s->finished_ns;
		d->until = ctr__monotonic_ns() + (left > whole ? whole : left);
	}
	d->gen = c->gen;
	return ctr__monotonic_ns() < d->until;
}

/* Without the lock: until the time has come or somebody has changed the state. */
static int await(struct ctr_container *c, const struct delay *d, ctr_error_t **err)
{
	struct pollfd stop = {c->rt->stop_fd, POLLIN, 0};

	for (;;) {
		int64_t left = (d->until - ctr__monotonic_ns() + NS_PER_MS - 1) / NS_PER_MS;
		int n;

		if (left <= 0 ||
		    atomic_load_explicit(&c->slot->gen, memory_order_acquire) != d->gen)
			return 0;
		n = poll(&stop, 1, left < LOOK_EVERY_MS ? (int)left : LOOK_EVERY_MS);
		if (n > 0)
			return ctr__fail(err, CTR_E_RUNTIME_STOPPED, "the runtime was shut down");
		if (n < 0 && errno != EINTR)
			return ctr__fail_errno(err, errno, NULL, "cannot poll");
	}
}

/* ---- restart ---- */

/* No further try: the error is in the state, and what is left of it is taken away. */
static void restart_failed(struct ctr_container *c, const char *why)
{
	CTR__FREE char *text = strdup(why);
	CTR__ERROR ctr_error_t *more = NULL;

	if (ctr__load(c, NULL) < 0 || ctr__state_is_live(c->state.state))
		return;
	if (c->state.state == CTR_STATE_STOPPED && ctr__cleanup_locked(c, &more) < 0)
		ctr__log(c->rt, CTR_LOG_WARNING, c->id, "after a failed restart: %s",
		    ctr_error_message(more));
	c->state.restart_match = false;
	c->state.error = text ? text : "";
	(void)ctr__save(c, 0, NULL);
}

static int restart(struct ctr_container *c, ctr_error_t **err)
{
	CTR__ERROR ctr_error_t *why = NULL;
	int r = 0;

	/* Found created it is one that somebody has counted already, and was killed. */
	if (c->state.state != CTR_STATE_CREATED) {
		c->state.restart_delay_ms = ctr__restart_delay_ms(&c->state);
		c->state.restart_count++;
		r = ctr__save(c, CTR_EVENT_RESTART, err);
	}
	if (r < 0)
		return r;
	r = ctr__start_locked(c, CTR__BY_POLICY, &why);
	if (r >= 0)
		return CTR_EXIT_RESTARTED;
	restart_failed(c, ctr_error_message(why));
	if (err)
		*err = CTR__STEAL_PTR(why);
	return r;
}

/* ---- what to do ---- */

enum todo { TODO_NOTHING, TODO_WAIT, TODO_RESTART, TODO_REMOVE, TODO_CLEAN_UP };

static enum todo what_to_do(const struct ctr_container *c, struct delay *d, uint64_t flags)
{
	const struct ctr__state *s = &c->state;

	if (s->state == CTR_STATE_REMOVING)
		return c->cfg->auto_remove ? TODO_REMOVE : TODO_NOTHING;
	if (s->state != CTR_STATE_STOPPED && s->state != CTR_STATE_EXITED &&
	    s->state != CTR_STATE_CREATED)
		return TODO_NOTHING;
	if (ctr__is_being_restarted(c))
		return TODO_NOTHING;
	if (ctr__policy_restarts(c->cfg, s))
		return !(flags & CTR_EXIT_NO_DELAY) && must_wait(d, c) ? TODO_WAIT : TODO_RESTART;
	if (s->state == CTR_STATE_CREATED)
		return TODO_NOTHING;
	if (c->cfg->auto_remove)
		return TODO_REMOVE;
	return s->state == CTR_STATE_STOPPED ? TODO_CLEAN_UP : TODO_NOTHING;
}

/* One look and what follows from it. *todo tells what is left to do without the lock. */
static int look_and_act(
    struct ctr_container *c, struct delay *d, uint64_t flags, enum todo *todo, ctr_error_t **err)
{
	CTR__GUARD struct ctr__guard g;
	int r =
	    ctr__enter(c, CTR__OP_READ, CTR__LOOK_NOW | CTR__REPAIR | CTR__IN_BATCH_BUSY, &g, err);

	if (r < 0)
		return r;
	*todo = what_to_do(g.c, d, flags);
	if (*todo == TODO_RESTART)
		return restart(g.c, err);
	/* Also before a removal, which may not be possible: others may depend on it. */
	if (*todo == TODO_CLEAN_UP ||
	    (*todo == TODO_REMOVE && g.c->state.state == CTR_STATE_STOPPED)) {
		r = ctr__cleanup_locked(g.c, err);
		return r < 0 ? r : CTR_EXIT_CLEANED;
	}
	return CTR_EXIT_NOTHING;
}

/* Somebody may have started it since. */
static int remove_it(struct ctr_container *c, ctr_error_t **err)
{
	CTR__ERROR ctr_error_t *why = NULL;
	int r = ctr__remove(c, false, &why);

	if (r == CTR_E_CTR_STATE)
		return CTR_EXIT_NOTHING;
	if (r < 0 && err)
		*err = CTR__STEAL_PTR(why);
	return r < 0 ? r : CTR_EXIT_REMOVED;
}

static int handle(struct ctr_container *c, uint64_t flags, ctr_error_t **err)
{
	struct delay d = {0};

	for (;;) {
		enum todo todo = TODO_NOTHING;
		int r = look_and_act(c, &d, flags, &todo, err);

		if (r >= 0 && todo == TODO_REMOVE)
			return remove_it(c, err);
		if (r < 0 || todo != TODO_WAIT)
			return r;
		r = await(c, &d, err);
		if (r < 0)
			return r;
	}
}

int ctr__handle_exit(struct ctr_container *c, uint64_t flags, ctr_error_t **err)
{
	CTR__ERROR ctr_error_t *why = NULL;
	int r = handle(c, flags, &why);

	if (r >= 0)
		ctr__pod_after_exit(c);
	if (r == CTR_E_CTR_REMOVED && c && !c->outer)
		return CTR_EXIT_NOTHING;
	if (r < 0 && err)
		*err = CTR__STEAL_PTR(why);
	return r;
}
