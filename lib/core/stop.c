/* SPDX-License-Identifier: Apache-2.0 */
/* Stopping and killing. The lock is let go while a process is waited for. */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "core/lifecycle.h"
#include "core/policy.h"
#include "sys/proc.h"
#include "util/cleanup.h"
#include "util/clock.h"

/* How long after SIGKILL the exit may take to be recorded (libpod: 5 s). */
#define GRACE_MS 5000

/* A signal that could not be sent may have come too late: the runtime knows. */
static bool ended_by_the_runtime(struct ctr_container *c)
{
	bool changed;

	return ctr__sync_locked(c, &changed, NULL) >= 0 && !ctr__state_is_live(c->state.state);
}

/* Sends a signal through the driver. A container that has ended meanwhile is fine: its exit is on its way. */
static int send_signal(struct ctr_container *c, int32_t sig, ctr_error_t **err)
{
	CTR__PATHS struct ctr__paths paths = {0};
	CTR__ERROR ctr_error_t *why = NULL;
	struct ctr_oci_container view;
	struct ctr__oci *oci;
	int r = ctr__container_oci(c, &oci, err);

	if (r >= 0)
		r = ctr__paths_init(c, c->cfg, &paths, err);
	if (r < 0)
		return r;
	ctr__oci_view(c, c->cfg, &paths, &view);
	r = oci->ops.kill(oci->impl, &view, sig, c->state.own_pid_ns ? 0 : CTR_OCI_KILL_ALL, &why);
	if (r >= 0 || r == CTR_E_CTR_STOPPED || ended_by_the_runtime(c))
		return 0;
	if (err)
		*err = CTR__STEAL_PTR(why);
	ctr__error_detail(err, "container", c->id);
	return r;
}

/* The run that is to end: another process may restart the container while the lock is let go. */
struct run {
	int32_t pid; /* 0: its runtime does not tell */
	uint64_t pid_start;
	int64_t started_ns;
};

static bool run_ended(const struct ctr_container *c, const struct run *run)
{
	const struct ctr__state *s = &c->state;

	if (!ctr__state_is_live(s->state) || s->pid != run->pid || s->pid_start != run->pid_start)
		return true;
	/* The one that is to end is not "created" any more. */
	return s->state == CTR_STATE_CREATED || s->started_ns != run->started_ns;
}

/* Looks, and prepares to wait if it still lives. 1 = ended. */
static int look_again(struct ctr_container *c, const struct run *run, struct ctr__watch *w,
    bool *lost, ctr_error_t **err)
{
	int r = ctr__watch_settle(c, w, lost, err);

	if (r < 0 || run_ended(c, run))
		return r < 0 ? r : 1;
	r = ctr__watch_open(c, w, err);
	/* It may have ended before the descriptors were there. */
	if (r >= 0)
		r = ctr__watch_settle(c, w, lost, err);
	return r < 0 ? r : run_ended(c, run);
}

/* Waits without the lock until the exit is recorded (1) or the time is up (0), and takes it over. The guard is
 * held again on return; after a failure of taking it, g->c is NULL. */
static int await_end(struct ctr__guard *g, int64_t timeout_ms, bool *lost, ctr_error_t **err)
{
	CTR__WATCH struct ctr__watch w = CTR__WATCH_INIT;
	const struct run run = {g->c->state.pid, g->c->state.pid_start, g->c->state.started_ns};
	int64_t end = timeout_ms < 0 ? -1 : ctr__monotonic_ns() + timeout_ms * 1000000;
	int r;

	for (;;) {
		int64_t left = -1;

		r = look_again(g->c, &run, &w, lost, err);
		if (r != 0)
			return r;
		if (end >= 0) {
			left = (end - ctr__monotonic_ns() + 999999) / 1000000;
			if (left <= 0)
				return 0;
		}
		ctr__guard_release(g);
		r = ctr__watch_poll(g->c, &w, left, err);
		if (r < 0) {
			(void)ctr__guard_retake(g, NULL);
			return r;
		}
		r = ctr__guard_retake(g, err);
		if (r < 0)
			return r;
	}
}

/* The monitor neither recorded the exit nor goes away, although everything was killed: record that. */
static int give_up(struct ctr_container *c, bool *lost, ctr_error_t **err)
{
	struct ctr_oci_status st = {.size = sizeof(st), .status = CTR_OCI_STOPPED, .exit_code = -1};

	if (c->state.pid > 0 && ctr__proc_alive(c->state.pid, c->state.pid_start)) {
		ctr__fail(err, CTR_E_TIMEOUT, "container %s did not end within %d s of SIGKILL",
		    c->cfg->name, GRACE_MS / 1000);
		ctr__error_detail(err, "container", c->id);
		return CTR_E_TIMEOUT;
	}
	*lost = true;
	return ctr__record_exit(c, &st, err);
}

static int kill_and_await(struct ctr__guard *g, bool *lost, ctr_error_t **err)
{
	int r = send_signal(g->c, SIGKILL, err);

	if (r >= 0)
		r = await_end(g, GRACE_MS, lost, err);
	return r == 0 ? give_up(g->c, lost, err) : r;
}

static int dead_monitor(struct ctr_container *c, ctr_error_t **err)
{
	ctr__fail(err, CTR_E_CONMON_DEAD,
	    "container %s was stopped, but its monitor had died without recording an exit code",
	    c->cfg->name);
	ctr__error_detail(err, "container", c->id);
	return CTR_E_CONMON_DEAD;
}

/* After a lost exit code: libpod cleans up before it says so. */
static int clean_after_loss(struct ctr_container *c, ctr_error_t **err)
{
	CTR__ERROR ctr_error_t *why = NULL;

	if (c->state.state == CTR_STATE_STOPPED && ctr__cleanup_locked(c, &why) < 0)
		ctr__log(c->rt, CTR_LOG_WARNING, c->id, "cleaning up: %s", ctr_error_message(why));
	return dead_monitor(c, err);
}

/* A container that was only created runs nothing that could handle a signal. An earlier stop may have been
 * interrupted: then the times of this run tell. */
static bool was_started(const struct ctr_container *c)
{
	if (c->state.state == CTR_STATE_STOPPING)
		return c->state.started_ns && !c->state.finished_ns;
	return c->state.state != CTR_STATE_CREATED;
}

/* That the user has stopped it outlives a reboot before the end. */
static void keep_wish(const struct ctr_container *c)
{
	if (c->state.stopped_by_user && c->state.ever_started)
		(void)ctr__history_write(c->rt->store, c->id, &c->state);
}

int ctr__stop_locked(struct ctr__guard *g, const struct ctr__stop *o, ctr_error_t **err)
{
	struct ctr_container *c = g->c;
	bool lost = false, started = was_started(c);
	int r;

	/* The intent first: whoever comes next knows that this container is to end. */
	if (o->by_user)
		c->state.stopped_by_user = true;
	if (c->state.state != CTR_STATE_STOPPING) {
		c->state.state = CTR_STATE_STOPPING;
		r = ctr__save(c, 0, err);
		if (r < 0)
			return r;
		/* There is no event for it, but there may be somebody who waits for it. */
		ctr__store_touch_events(c->rt->store);
		keep_wish(c);
	}
	r = 0;
	if (started && o->timeout_ms != 0) {
		r = send_signal(c, o->signal, err);
		if (r >= 0)
			r = await_end(g, o->timeout_ms, &lost, err);
	}
	if (r == 0)
		r = kill_and_await(g, &lost, err);
	if (r < 0)
		return r;
	return lost ? clean_after_loss(c, err) : 0;
}

/* One that removes itself at its end may be gone before the lock is had again: that it has ended is what was wanted. */
static int unless_gone(int r, ctr_error_t **why, ctr_error_t **err)
{
	if (r == CTR_E_CTR_REMOVED)
		return 0;
	if (r < 0 && err)
		*err = CTR__STEAL_PTR(*why);
	return r;
}

/* A stop records the user's wish even where the state does not allow it, so that a restart policy does not
 * bring the container back. */
static void note_stopped_by_user(struct ctr_container *c)
{
	CTR__GUARD struct ctr__guard g;

	if (ctr__enter(c, CTR__OP_READ, CTR__LOOK_GATED, &g, NULL) < 0 ||
	    g.c->state.stopped_by_user)
		return;
	g.c->state.stopped_by_user = true;
	if (ctr__save(g.c, 0, NULL) >= 0)
		keep_wish(g.c);
}

int ctr__stop(struct ctr_container *c, const struct ctr__stop *o, ctr_error_t **err)
{
	CTR__ERROR ctr_error_t *why = NULL;
	CTR__GUARD struct ctr__guard g;
	struct ctr__stop stop = *o;
	int r = ctr__enter(c, CTR__OP_STOP, CTR__LOOK_NOW | CTR__REPAIR, &g, err);

	if (r < 0) {
		if (o->by_user && (r == CTR_E_CTR_STATE || r == CTR_E_CTR_STOPPED))
			note_stopped_by_user(c);
		return r;
	}
	if (!stop.signal)
		stop.signal = (int32_t)g.c->cfg->stop_signal;
	/* What a killed restart wanted counts no more. */
	if (!ctr__is_being_restarted(g.c))
		g.c->state.restarter_pid = 0;
	return unless_gone(ctr__stop_locked(&g, &stop, &why), &why, err);
}

/* ---- kill ---- */

static int save_kill(struct ctr_container *c, int32_t sig, ctr_error_t **err)
{
	CTR__CLEANUP(ctr_event_unrefp) ctr_event_t *ev = NULL;
	struct ctr__save_more more = {.events_n = 1};
	int r = ctr__event_new(CTR_EVENT_KILL, c->cfg, &ev, err);

	if (r < 0)
		return r;
	ev->signal = sig;
	more.events[0] = ev;
	c->state.stopped_by_user = true;
	r = ctr__save_with(c, &more, err);
	if (r >= 0)
		keep_wish(c);
	return r;
}

/* After SIGKILL. */
static int await_death(struct ctr__guard *g, ctr_error_t **err)
{
	bool lost = false;
	int r = await_end(g, GRACE_MS, &lost, err);

	if (r == 0)
		r = give_up(g->c, &lost, err);
	if (r < 0)
		return r;
	return lost ? clean_after_loss(g->c, err) : 0;
}

int ctr__kill(struct ctr_container *c, int32_t sig, ctr_error_t **err)
{
	CTR__ERROR ctr_error_t *why = NULL;
	CTR__GUARD struct ctr__guard g;
	int r = ctr__enter(c, CTR__OP_KILL, CTR__LOOK_NOW | CTR__REPAIR, &g, err);

	if (r < 0)
		return r;
	r = send_signal(g.c, sig, err);
	if (r >= 0)
		r = save_kill(g.c, sig, err);
	if (r < 0 || sig != SIGKILL)
		return r;
	return unless_gone(await_death(&g, &why), &why, err);
}
