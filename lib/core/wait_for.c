/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waiting for conditions: states, health, the end.
 *
 * The journal of events is read from the moment of the call on, so a state is noticed however short it was; an
 * inotify descriptor of the call's own tells when to read. What has no event (an exit that nobody took over yet, a
 * runtime that can only be asked) is seen through the descriptors of wait.c, or at intervals.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include <libctr/health.h>

#include "core/lifecycle.h"
#include "util/cleanup.h"

/* Conditions as a set. The end is a condition of its own: that of "stopped" and "exited". */
#define COND_STATE(state) (1U << (state))
#define COND_STATES       (COND_STATE(CTR__STATES) - 1)
#define COND_END          (1U << 16)
#define COND_HEALTHY      (1U << 17)
#define COND_UNHEALTHY    (1U << 18)
#define COND_HEALTH       (COND_HEALTHY | COND_UNHEALTHY)

struct wait_for {
	struct ctr_container *c;
	uint32_t wanted;
	int64_t interval_ms;
	int64_t end; /* monotonic ns; -1 = never */
	int cancel_fd;
	int notify; /* -1: no inotify instance was left */
	struct ctr__cursor cursor;
	int32_t state; /* as of the last look or event */
	struct ctr__waiter waiter;
	int32_t code;
};

static void wait_for_close(struct wait_for *w)
{
	ctr__cleanup_close(&w->notify);
	ctr__waiter_close(&w->waiter);
}

/* ---- conditions ---- */

static int add_condition(uint32_t *set, const char *word, ctr_error_t **err)
{
	int32_t state;

	if (strcmp(word, "healthy") == 0) {
		*set |= COND_HEALTHY;
	} else if (strcmp(word, "unhealthy") == 0) {
		*set |= COND_UNHEALTHY;
	} else if (strcmp(word, "stopped") == 0 || strcmp(word, "exited") == 0) {
		*set |= COND_END;
	} else {
		int r = ctr__state_parse(word, &state, NULL);

		if (r < 0)
			return ctr__fail(err, CTR_E_INVALID,
			    "\"%s\" is no condition to wait for: states of a container, "
			    "healthy and unhealthy are",
			    word);
		*set |= COND_STATE(state);
	}
	return 0;
}

static int parse_conditions(uint32_t *set, const char *const *words, ctr_error_t **err)
{
	*set = 0;
	for (; words && *words; words++) {
		int r = add_condition(set, *words, err);

		if (r < 0)
			return r;
	}
	return *set ? 0 : ctr__fail(err, CTR_E_INVALID, "no condition to wait for");
}

static int met(struct wait_for *w, int32_t code)
{
	w->code = code;
	return 1;
}

/* ---- what the journal tells ---- */

/* The state that an event led to. */
static int32_t state_after(const struct wait_for *w, const struct ctr_event *ev)
{
	switch (ev->type) {
	case CTR_EVENT_CREATE: return CTR_STATE_CONFIGURED;
	case CTR_EVENT_INIT: return CTR_STATE_CREATED;
	case CTR_EVENT_START:
	case CTR_EVENT_UNPAUSE: return CTR_STATE_RUNNING;
	case CTR_EVENT_PAUSE: return CTR_STATE_PAUSED;
	case CTR_EVENT_DIED: return CTR_STATE_STOPPED;
	case CTR_EVENT_REMOVE: return CTR_STATE_REMOVING;
	case CTR_EVENT_CLEANUP:
		return w->state == CTR_STATE_CREATED || w->state == CTR_STATE_CONFIGURED
		           ? CTR_STATE_CONFIGURED
		           : CTR_STATE_EXITED;
	default: return w->state;
	}
}

static uint32_t health_of_event(const struct ctr_event *ev)
{
	if (ev->type != CTR_EVENT_HEALTH_STATUS)
		return 0;
	if (strcmp(ev->health_status, "healthy") == 0)
		return COND_HEALTHY;
	return strcmp(ev->health_status, "unhealthy") == 0 ? COND_UNHEALTHY : 0;
}

/* 1 = a condition was met, CTR_E_CTR_STOPPED = it cannot be met any more. */
static int take_event(struct wait_for *w, const struct ctr_event *ev)
{
	uint32_t is = health_of_event(ev);

	w->state = state_after(w, ev);
	is |= COND_STATE(w->state);
	/* A stop that has succeeded went through "stopping", which has no event of its own. */
	if (ev->type == CTR_EVENT_STOP)
		is |= COND_STATE(CTR_STATE_STOPPING);
	if (ev->type == CTR_EVENT_DIED && (w->wanted & COND_END))
		return met(w, ev->exit_code);
	if (ev->type == CTR_EVENT_REMOVE && (w->wanted & is))
		return met(w, ev->has_exit_code ? ev->exit_code : -1);
	if (w->wanted & is)
		return met(w, -1);
	return ev->type == CTR_EVENT_DIED && (w->wanted & COND_HEALTH) ? CTR_E_CTR_STOPPED : 0;
}

static int fail_stopped(const struct wait_for *w, ctr_error_t **err)
{
	ctr__fail(err, CTR_E_CTR_STOPPED,
	    "container %s ended while its health was waited for (state %s)", w->c->id,
	    ctr__state_name(w->state));
	ctr__error_detail(err, "container", w->c->id);
	return CTR_E_CTR_STOPPED;
}

static int read_journal(struct wait_for *w, ctr_error_t **err)
{
	for (;;) {
		CTR__CLEANUP(ctr_event_unrefp) ctr_event_t *ev = NULL;
		uint64_t lost;
		int r = ctr__store_events_next(w->c->rt->store, &w->cursor, &ev, &lost, err);

		if (r <= 0)
			return r;
		/* Trimmed ones are lost: the look that follows tells what is now. */
		if (!ev || strcmp(ev->id, w->c->id) != 0)
			continue;
		r = take_event(w, ev);
		if (r != 0)
			return r < 0 ? fail_stopped(w, err) : r;
	}
}

/* ---- what is now ---- */

static int check_health(struct wait_for *w, const struct ctr_container *c, ctr_error_t **err)
{
	if (!(w->wanted & COND_HEALTH))
		return 0;
	switch (c->state.state) {
	case CTR_STATE_CREATED:
	case CTR_STATE_RUNNING:
	case CTR_STATE_PAUSED: break;
	case CTR_STATE_CONFIGURED: return 0; /* has not begun yet */
	default: return fail_stopped(w, err);
	}
	if (c->state.state == CTR_STATE_CREATED)
		return 0;
	if ((c->state.health == CTR_HEALTH_HEALTHY && (w->wanted & COND_HEALTHY)) ||
	    (c->state.health == CTR_HEALTH_UNHEALTHY && (w->wanted & COND_UNHEALTHY)))
		return met(w, -1);
	return 0;
}

static int look_locked(struct wait_for *w, struct ctr_container *c, ctr_error_t **err)
{
	/* Nobody can add to the container's events now: what the journal tells comes before what is. */
	int r = read_journal(w, err);

	if (r != 0)
		return r;
	/* Also for those who do not wait for it: the end is a change of state, and somebody has to see it. */
	r = ctr__wait_look_locked(c, &w->waiter, err);
	if (r < 0)
		return r;
	if (!ctr__state_is_live(c->state.state))
		ctr__watch_close(&w->waiter.w);
	w->state = c->state.state;
	if (r > 0 && (w->wanted & COND_END))
		return met(w, w->waiter.code);
	if (w->wanted & COND_STATE(w->state) & COND_STATES)
		return met(w, -1);
	return check_health(w, c, err);
}

static int look_removed(struct wait_for *w, ctr_error_t **err)
{
	int32_t code = -1;
	int r = read_journal(w, err);

	if (r != 0)
		return r;
	if (!(w->wanted & (COND_END | COND_STATE(CTR_STATE_REMOVING)))) {
		ctr__fail(err, CTR_E_CTR_REMOVED, "container %s has been removed", w->c->id);
		ctr__error_detail(err, "container", w->c->id);
		return CTR_E_CTR_REMOVED;
	}
	if (w->wanted & COND_STATE(CTR_STATE_REMOVING)) {
		(void)ctr__code_of_removed(w->c, &code, NULL);
	} else {
		r = ctr__code_of_removed(w->c, &code, err);
		if (r < 0)
			return r;
	}
	return met(w, code);
}

static int look(struct wait_for *w, ctr_error_t **err)
{
	CTR__GUARD struct ctr__guard g;
	CTR__ERROR ctr_error_t *why = NULL;
	int r = ctr__enter(w->c, CTR__OP_READ, CTR__LOOK_NOW | CTR__IN_BATCH_BUSY, &g, &why);

	if (r >= 0)
		r = look_locked(w, g.c, &why);
	if (r == CTR_E_CTR_REMOVED && !w->c->outer)
		return look_removed(w, err);
	if (r < 0 && err)
		*err = CTR__STEAL_PTR(why);
	return r;
}

/* ---- sleeping ---- */

/* Is there anything that only asking can tell? */
static bool must_ask(const struct wait_for *w)
{
	if (w->notify < 0)
		return true;
	return ctr__state_is_live(w->state) && w->waiter.w.monitor < 0 && w->waiter.w.process < 0;
}

static int64_t next_look(struct wait_for *w, bool due)
{
	int64_t ask = -1;

	if (due)
		ask = ctr__watch_next_look(&w->waiter.w);
	else if (must_ask(w))
		ask = ctr__wait_deadline(w->interval_ms);
	return ask < 0 || (w->end >= 0 && w->end < ask) ? w->end : ask;
}

/* 0 = look again. */
static int sleep_until_news(struct wait_for *w, ctr_error_t **err)
{
	const struct ctr__watch *watch = &w->waiter.w;
	bool due = ctr__watch_record_is_due(watch);
	struct pollfd p[] = {
	    {w->c->rt->stop_fd, POLLIN, 0},
	    {w->cancel_fd, POLLIN, 0},
	    {w->notify, POLLIN, 0},
	    {watch->monitor >= 0 ? watch->monitor : watch->process, POLLIN, 0},
	    {watch->guard, POLLIN, 0},
	};
	int n;

	/* That the process has ended is known. */
	if (due)
		p[3].fd = -1;
	n = ctr__poll_until(p, CTR__ARRAY_SIZE(p), next_look(w, due));
	if (n < 0)
		return ctr__fail_errno(err, errno, NULL, "cannot poll");
	if (p[0].revents)
		return ctr__fail(err, CTR_E_RUNTIME_STOPPED, "the runtime was shut down");
	if (p[1].revents & POLLNVAL)
		return ctr__fail(err, CTR_E_INVALID, "cancel_fd %d is no descriptor", w->cancel_fd);
	if (p[1].revents)
		return ctr__fail(err, CTR_E_CANCELLED, "the wait was cancelled");
	if (p[2].revents)
		ctr__notify_drain(w->notify);
	return 0;
}

/* ---- the call ---- */

static int check_has_health(struct wait_for *w, ctr_error_t **err)
{
	CTR__CLEANUP(ctr_config_unrefp) ctr_config_t *cfg = NULL;

	if (!(w->wanted & COND_HEALTH))
		return 0;
	cfg = ctr__container_config(w->c);
	if (cfg->has_health_check)
		return 0;
	ctr__fail(err, CTR_E_NO_HEALTHCHECK, "container %s has no health check", cfg->name);
	ctr__error_detail(err, "container", w->c->id);
	return CTR_E_NO_HEALTHCHECK;
}

/* The descriptor first: what happens after it is noticed, what happened before the place in the journal is seen by
 * the first look. */
static int begin(struct wait_for *w, ctr_error_t **err)
{
	struct ctr__store *s = w->c->rt->store;
	CTR__FREE char *exits = ctr__path_join(ctr__store_run_root(s), CTR__EXITS_DIR);

	if (!exits)
		return ctr__fail_nomem(err);
	w->notify = ctr__notify_open(ctr__store_run_root(s), exits, NULL);
	if (w->notify < 0) {
		w->notify = -1;
		ctr__log(w->c->rt, CTR_LOG_WARNING, w->c->id,
		    "no inotify instance is left: the state is looked at every %lld ms",
		    (long long)w->interval_ms);
	}
	return ctr__store_events_end(s, &w->cursor, err);
}

static int run(struct wait_for *w, ctr_error_t **err)
{
	int r = look(w, err);

	while (r == 0) {
		if (ctr__wait_passed(w->end))
			return ctr__fail(err, CTR_E_TIMEOUT,
			    "container %s met no condition in time (state %s)", w->c->id,
			    ctr__state_name(w->state));
		r = sleep_until_news(w, err);
		if (r == 0)
			r = look(w, err);
	}
	return r;
}

int ctr__wait_for(
    struct ctr_container *c, const struct ctr__wait_for *o, int32_t *code, ctr_error_t **err)
{
	CTR__CLEANUP(wait_for_close)
	struct wait_for w = {
	    .c = c,
	    .interval_ms = o->interval_ms,
	    .end = ctr__wait_deadline(o->timeout_ms),
	    .cancel_fd = o->cancel_fd,
	    .notify = -1,
	    .waiter = {.w = CTR__WATCH_INIT},
	};
	struct ctr_container *core;
	int r = parse_conditions(&w.wanted, o->conditions, err);

	if (r >= 0)
		r = ctr__enter_check(c, CTR__IN_BATCH_BUSY, &core, err);
	if (r >= 0)
		r = check_has_health(&w, err);
	if (r >= 0)
		r = begin(&w, err);
	if (r >= 0)
		r = run(&w, err);
	if (r < 0)
		return r;
	if (code)
		*code = w.code;
	return 0;
}
