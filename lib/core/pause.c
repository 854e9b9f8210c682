/* SPDX-License-Identifier: Apache-2.0 */
/* Freezing and thawing, and asking the OCI runtime for the truth. */
#include <string.h>

#include "core/health.h"
#include "core/lifecycle.h"
#include "sys/proc.h"
#include "util/cleanup.h"
#include "util/clock.h"

/* How long a living monitor may take to record an exit that the runtime has seen. */
#define MONITOR_GRACE_MS 1000

struct call {
	struct ctr__oci *oci;
	struct ctr__paths paths;
	struct ctr_oci_container view;
};

static void call_free(struct call *k)
{
	ctr__paths_free(&k->paths);
}

static int call_prepare(struct ctr_container *c, struct call *k, ctr_error_t **err)
{
	int r = ctr__container_oci(c, &k->oci, err);

	if (r >= 0)
		r = ctr__paths_init(c, c->cfg, &k->paths, err);
	if (r >= 0)
		ctr__oci_view(c, c->cfg, &k->paths, &k->view);
	return r;
}

/* One of the two directions. */
struct freeze {
	enum ctr__op op;
	enum ctr__intent intent;
	int32_t state; /* afterwards */
	int32_t event;
	size_t offset; /* of the operation in struct ctr_oci_ops */
};

typedef int freeze_fn(void *impl, const struct ctr_oci_container *c, ctr_error_t **err);

static freeze_fn *operation(const struct ctr__oci *oci, const struct freeze *f)
{
	freeze_fn *fn;

	memcpy(&fn, (const char *)&oci->ops + f->offset, sizeof(fn));
	return fn;
}

/* The runtime failed: what the state is now, it must tell. */
static int freeze_failed(struct ctr_container *c, int code)
{
	CTR__ERROR ctr_error_t *why = NULL;
	bool changed;

	if (ctr__sync_locked(c, &changed, &why) < 0)
		ctr__log(c->rt, CTR_LOG_WARNING, c->id, "after a failed pause or unpause: %s",
		    ctr_error_message(why));
	return code;
}

static int freeze_locked(struct ctr_container *c, const struct freeze *f, ctr_error_t **err)
{
	CTR__CLEANUP(call_free) struct call k = {0};
	freeze_fn *fn;
	int r;

	if (c->cfg->no_cgroups)
		return ctr__fail(
		    err, CTR_E_NO_CGROUPS, "container %s has no cgroup to freeze", c->cfg->name);
	r = call_prepare(c, &k, err);
	if (r < 0)
		return r;
	fn = operation(k.oci, f);
	if (!fn)
		return ctr__fail(err, CTR_E_UNSUPPORTED, "OCI runtime \"%s\" cannot %s",
		    k.oci->name, ctr__op_word(f->op));
	r = ctr__save_intent(c, f->intent, err);
	if (r < 0)
		return r;
	r = fn(k.oci->impl, &k.view, err);
	if (r < 0)
		return freeze_failed(c, r);
	c->state.state = f->state;
	c->state.intent = CTR__INTENT_NONE;
	return ctr__save(c, f->event, err);
}

static int freeze(struct ctr_container *c, const struct freeze *f, ctr_error_t **err)
{
	CTR__GUARD struct ctr__guard g;
	int r = ctr__enter(c, f->op, CTR__LOOK_NOW | CTR__REPAIR, &g, err);

	return r < 0 ? r : freeze_locked(g.c, f, err);
}

static const struct freeze pausing = {CTR__OP_PAUSE, CTR__INTENT_PAUSE, CTR_STATE_PAUSED,
    CTR_EVENT_PAUSE, offsetof(struct ctr_oci_ops, pause)};
static const struct freeze unpausing = {CTR__OP_UNPAUSE, CTR__INTENT_UNPAUSE, CTR_STATE_RUNNING,
    CTR_EVENT_UNPAUSE, offsetof(struct ctr_oci_ops, resume)};

int ctr__pause(struct ctr_container *c, ctr_error_t **err)
{
	return freeze(c, &pausing, err);
}

int ctr__unpause(struct ctr_container *c, ctr_error_t **err)
{
	return freeze(c, &unpausing, err);
}

int ctr__pause_locked(struct ctr_container *c, ctr_error_t **err)
{
	return freeze_locked(c, &pausing, err);
}

int ctr__unpause_locked(struct ctr_container *c, ctr_error_t **err)
{
	return freeze_locked(c, &unpausing, err);
}

/* ---- sync ---- */

static bool has_monitor(const struct call *k)
{
	return k->oci->ops.monitor_alive &&
	       k->oci->ops.monitor_alive(k->oci->impl, &k->view, NULL) > 0;
}

/* A living monitor records the exit at once: it gets a moment for it. What is watched may be readable for other
 * reasons, too. */
static int let_monitor_record(struct ctr_container *c, const struct call *k, ctr_error_t **err)
{
	CTR__WATCH struct ctr__watch w = CTR__WATCH_INIT;
	int64_t end = ctr__monotonic_ns() + MONITOR_GRACE_MS * INT64_C(1000000);
	int r = 0;

	while (r >= 0 && has_monitor(k)) {
		int64_t left = (end - ctr__monotonic_ns()) / 1000000;

		r = ctr__watch_open(c, &w, err);
		if (r >= 0)
			r = ctr__look(c, true, err);
		if (r < 0 || left <= 0 || !ctr__state_is_live(c->state.state))
			break;
		r = ctr__watch_poll(c, &w, left, err);
	}
	return r < 0 ? r : 0;
}

/* The runtime says that it has ended. What the monitor recorded counts; if there is nothing, what the runtime
 * told of the end; else the code is lost. */
static int sync_ended(struct ctr_container *c, const struct call *k, struct ctr_oci_status *st,
    bool *changed, ctr_error_t **err)
{
	int r = let_monitor_record(c, k, err);

	if (r >= 0)
		r = ctr__look(c, true, err);
	if (r < 0)
		return r;
	*changed = true;
	if (!ctr__state_is_live(c->state.state))
		return 0;
	if (k->oci->ops.exit_status && !st->finished_ns)
		st->exit_code = -1;
	return ctr__record_exit(c, st, err);
}

/* The stored state that fits what the runtime says of a living container. */
static int32_t living_state(const struct ctr_container *c, int32_t status)
{
	switch (status) {
	case CTR_OCI_CREATED: return CTR_STATE_CREATED;
	case CTR_OCI_PAUSED: return CTR_STATE_PAUSED;
	default:
		/* A stop that is under way stays one. */
		return c->state.state == CTR_STATE_STOPPING ? CTR_STATE_STOPPING
		                                            : CTR_STATE_RUNNING;
	}
}

static int sync_living(
    struct ctr_container *c, const struct ctr_oci_status *st, bool *changed, ctr_error_t **err)
{
	int32_t state = living_state(c, st->status);
	int32_t event = CTR_EVENT_SYNC;
	int r;

	if (state == c->state.state && c->state.intent == CTR__INTENT_NONE)
		return 0;
	/* An interrupted start that had succeeded. */
	if (c->state.state == CTR_STATE_CREATED && state != CTR_STATE_CREATED) {
		c->state.started_ns = ctr__now_ns();
		c->state.finished_ns = 0;
		c->state.ever_started = true;
		ctr__health_starting(c);
		c->state.restart_match = false;
		c->state.restarter_pid = 0;
		c->state.restarter_start = 0;
		event = CTR_EVENT_START;
	}
	*changed = state != c->state.state;
	c->state.state = state;
	c->state.intent = CTR__INTENT_NONE;
	r = ctr__save(c, *changed ? event : 0, err);
	if (r < 0 || event != CTR_EVENT_START)
		return r;
	(void)ctr__history_write(c->rt->store, c->id, &c->state);
	ctr__health_attend(c);
	return 0;
}

int ctr__sync_locked(struct ctr_container *c, bool *changed, ctr_error_t **err)
{
	CTR__CLEANUP(call_free) struct call k = {0};
	struct ctr_oci_status st = {.size = sizeof(st), .exit_code = -1};
	int r;

	*changed = false;
	if (!ctr__state_is_live(c->state.state))
		return 0;
	r = call_prepare(c, &k, err);
	if (r < 0)
		return r;
	r = k.oci->ops.state(k.oci->impl, &k.view, &st, err);
	if (r < 0)
		return r;
	if (st.status == CTR_OCI_STOPPED || st.status == CTR_OCI_ABSENT)
		return sync_ended(c, &k, &st, changed, err);
	return sync_living(c, &st, changed, err);
}

int ctr__sync(struct ctr_container *c, ctr_error_t **err)
{
	CTR__GUARD struct ctr__guard g;
	bool changed;
	int r = ctr__enter(c, CTR__OP_SYNC, CTR__LOOK_NOW | CTR__REPAIR, &g, err);

	if (r >= 0)
		r = ctr__sync_locked(g.c, &changed, err);
	if (r >= 0)
		ctr__health_attend(g.c);
	return r;
}
