/* SPDX-License-Identifier: Apache-2.0 */
/* The stored state: loading, saving, taking over an exit, repairing what a killed process left. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/container.h"
#include "core/lifecycle.h"
#include "core/policy.h"
#include "core/update.h"
#include "util/cleanup.h"
#include "util/clock.h"

/* How long an accessor may rely on its last look for an exit. Shorter than the monitor itself needs to record
 * one, and it saves a system call per access. */
#define LOOK_EVERY_NS INT64_C(250000)

/* No kernel ticks more slowly. */
#define TICK_NS INT64_C(10000000)

/* ---- loading ---- */

static int gone(struct ctr_container *c, ctr_error_t **err)
{
	atomic_store_explicit(&c->removed, true, memory_order_release);
	ctr__fail(err, CTR_E_CTR_REMOVED, "container %s has been removed", c->id);
	ctr__error_detail(err, "container", c->id);
	return CTR_E_CTR_REMOVED;
}

/* There is no record: a container of which this boot knows nothing yet, or none at all. */
static int load_fresh(struct ctr_container *c, ctr_error_t **err)
{
	int r = ctr__store_has(c->rt->store, c->id, err);

	if (r < 0)
		return r;
	if (!r)
		return gone(c, err);
	ctr__state_init(&c->state, CTR_STATE_CONFIGURED);
	c->state.slot = c->slot_index;
	r = ctr__history_read(c->rt->store, c->id, &c->state);
	if (r == CTR_E_NOMEM)
		return ctr__fail_nomem(err);
	return 0;
}

static int load_record(struct ctr_container *c, ctr_error_t **err)
{
	int r;

	/* A buffer once refused memory would stay refused. */
	if (c->raw.failed)
		ctr__buf_free(&c->raw);
	r = ctr__store_load_state(c->rt->store, c->id, &c->raw, err);
	if (r < 0)
		return r;
	if (!r)
		return load_fresh(c, err);
	r = ctr__state_decode(c->raw.data, c->raw.len, &c->state, err);
	if (r < 0) {
		ctr__error_detail(err, "container", c->id);
		return r;
	}
	/* Another container has got this ID since: it has another lock. */
	if (c->state.slot != c->slot_index)
		return gone(c, err);
	return 0;
}

static int reload(struct ctr_container *c, uint64_t gen, ctr_error_t **err)
{
	int r;

	c->gen = CTR__GEN_NONE;
	if (gen & 1) {
		/* The last writer was killed while saving. */
		r = ctr__store_settle(c->rt->store, err);
		if (r < 0)
			return r;
		ctr__container_republish(c);
		gen++;
		atomic_store_explicit(&c->slot->gen, gen, memory_order_release);
	}
	r = load_record(c, err);
	if (r >= 0)
		r = ctr__container_refresh_config(c, err);
	if (r < 0)
		return r;
	c->gen = gen;
	c->looked_ns = 0;
	return 0;
}

int ctr__load(struct ctr_container *c, ctr_error_t **err)
{
	uint64_t gen = atomic_load_explicit(&c->slot->gen, memory_order_acquire);

	return c->gen == gen ? 0 : reload(c, gen, err);
}

/* ---- saving ---- */

/* Shown in listings: the command, by spaces, not longer than this. */
#define COMMAND_MAX 64

static void command_text(const ctr_config_t *cfg, char out[COMMAND_MAX + 1])
{
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = 0; i < cfg->args.n && len < COMMAND_MAX; i++) {
		int n = snprintf(
		    out + len, COMMAND_MAX + 1 - len, "%s%s", i ? " " : "", cfg->args.v[i]);

		if (n < 0)
			break;
		len += (size_t)n;
	}
	/* Not in the middle of a UTF-8 character. */
	len = strlen(out);
	while (len && !ctr__utf8_valid(out, len))
		out[--len] = '\0';
}

void ctr__summarize(
    const ctr_config_t *cfg, const struct ctr__state *s, char *command, struct ctr__summary *out)
{
	const char *image = cfg->rootfs_image_name ? cfg->rootfs_image_name : cfg->rootfs;

	command_text(cfg, command);
	*out = (struct ctr__summary){
	    .state = s->state,
	    .pid = s->pid,
	    .exit_code = s->exit_code,
	    .created_ns = cfg->created_ns,
	    .started_ns = s->started_ns,
	    .finished_ns = s->finished_ns,
	    .name = cfg->name ? cfg->name : "",
	    .image = image ? image : "",
	    .command = command,
	};
}

/* The state's strings may be the caller's temporaries: make them point into a record of our own. */
static int adopt_record(struct ctr_container *c, ctr_error_t **err)
{
	struct ctr__buf record = {0};

	ctr__state_encode(&c->state, &record);
	if (record.failed) {
		ctr__buf_free(&record);
		return ctr__fail_nomem(err);
	}
	ctr__buf_free(&c->raw);
	c->raw = record;
	return ctr__state_decode(c->raw.data, c->raw.len, &c->state, err);
}

int ctr__save_with(struct ctr_container *c, const struct ctr__save_more *more, ctr_error_t **err)
{
	char command[COMMAND_MAX + 1];
	struct ctr__summary sum;
	struct ctr__save save = {.id = c->id,
	    .state = &c->state,
	    .summary = &sum,
	    .events = more->events,
	    .events_n = more->events_n,
	    .record_exit = more->record_exit};
	uint64_t gen;
	/* Before the commit: after it nothing may fail any more, or the operation would be undone although its
	 * success is on record. */
	int r = adopt_record(c, err);

	if (r < 0) {
		c->gen = CTR__GEN_NONE;
		return r;
	}
	ctr__summarize(c->cfg, &c->state, command, &sum);
	/* Odd while it is written: whoever finds that knows that we died in here. */
	gen = atomic_load_explicit(&c->slot->gen, memory_order_relaxed);
	atomic_store_explicit(&c->slot->gen, gen | 1, memory_order_release);
	r = ctr__store_save_state(c->rt->store, &save, err);
	gen = (gen | 1) + 1;
	atomic_store_explicit(&c->slot->gen, gen, memory_order_release);
	c->gen = r < 0 ? CTR__GEN_NONE : gen;
	return r;
}

int ctr__save(struct ctr_container *c, int32_t event_type, ctr_error_t **err)
{
	CTR__CLEANUP(ctr_event_unrefp) ctr_event_t *ev = NULL;
	struct ctr__save_more more = {.events_n = 0};

	if (event_type) {
		int r = ctr__event_new(event_type, c->cfg, &ev, err);

		if (r < 0) {
			c->gen = CTR__GEN_NONE;
			return r;
		}
		more.events[more.events_n++] = ev;
	}
	return ctr__save_with(c, &more, err);
}

int ctr__save_intent(struct ctr_container *c, enum ctr__intent intent, ctr_error_t **err)
{
	c->state.intent = (int32_t)intent;
	return ctr__save(c, 0, err);
}

/* ---- taking over an exit ---- */

static int exit_event(struct ctr_container *c, int32_t type, const struct ctr_oci_status *st,
    struct ctr__save_more *more, ctr_error_t **err)
{
	struct ctr_event *ev = NULL;
	int r = ctr__event_new(type, c->cfg, &ev, err);

	if (r < 0)
		return r;
	ev->exit_code = st->exit_code;
	ev->has_exit_code = type == CTR_EVENT_DIED;
	ev->oom_killed = st->oom_killed;
	more->events[more->events_n++] = ev;
	return 0;
}

static int32_t sane_exit_code(int32_t code)
{
	return code >= 0 && code <= 255 ? code : -1;
}

/* The time of a file is that of the kernel's last tick: a short run would end before it began. */
static int64_t end_of_run(const struct ctr__state *s, const struct ctr_oci_status *st)
{
	int64_t end = st->finished_ns ? st->finished_ns : ctr__now_ns();

	return end < s->started_ns && s->started_ns - end < TICK_NS ? s->started_ns : end;
}

int ctr__record_exit(struct ctr_container *c, const struct ctr_oci_status *st, ctr_error_t **err)
{
	struct ctr__save_more more = {.record_exit = true};
	bool stopping = c->state.state == CTR_STATE_STOPPING;
	bool match = ctr__ends_by_itself(c);
	int r;

	r = exit_event(c, CTR_EVENT_DIED, st, &more, err);
	if (r >= 0 && stopping)
		r = exit_event(c, CTR_EVENT_STOP, st, &more, err);
	if (r >= 0) {
		c->state.state = CTR_STATE_STOPPED;
		c->state.intent = CTR__INTENT_NONE;
		c->state.pid = c->state.conmon_pid = 0;
		c->state.pid_start = c->state.conmon_start = 0;
		c->state.exit_code = sane_exit_code(st->exit_code);
		c->state.finished_ns = end_of_run(&c->state, st);
		c->state.oom_killed = st->oom_killed;
		c->state.exited = true;
		c->state.ever_started = true;
		c->state.restart_match = match;
		r = ctr__save_with(c, &more, err);
	}
	for (size_t i = 0; i < more.events_n; i++)
		ctr_event_unref(more.events[i]);
	if (r < 0)
		return r;
	/* Only now may the monitor's file go: pending files are what nobody has taken over yet. */
	(void)unlinkat(c->rt->exits_fd, c->id, 0);
	(void)ctr__history_write(c->rt->store, c->id, &c->state);
	return 0;
}

/* Asks the driver. Not part of ctr__look(), whose every call would pay for what is cleaned up here. */
__attribute__((noinline)) static int look_for_exit(
    struct ctr_container *c, int64_t clock, ctr_error_t **err)
{
	CTR__PATHS struct ctr__paths paths = {0};
	struct ctr_oci_container view;
	struct ctr_oci_status st = {.size = sizeof(st)};
	struct ctr__oci *oci = ctr__runtime_oci(c->rt, c->cfg->runtime);
	int r;

	if (!oci || !oci->ops.exit_status) {
		/* Without the driver nothing can be known; one without the operation is asked by sync. */
		c->looked_ns = clock;
		return 0;
	}
	r = ctr__paths_init(c, c->cfg, &paths, err);
	if (r < 0)
		return r;
	ctr__oci_view(c, c->cfg, &paths, &view);
	r = oci->ops.exit_status(oci->impl, &view, &st, err);
	if (r < 0)
		return r;
	c->looked_ns = clock;
	return r ? ctr__record_exit(c, &st, err) : 0;
}

int ctr__look(struct ctr_container *c, bool now, ctr_error_t **err)
{
	int64_t clock;

	if (!ctr__state_is_live(c->state.state))
		return 0;
	clock = ctr__monotonic_ns();
	if (!now && clock - c->looked_ns < LOOK_EVERY_NS)
		return 0;
	return look_for_exit(c, clock, err);
}

/* ---- repairing ---- */

static int recover_init(struct ctr_container *c, ctr_error_t **err)
{
	int r = ctr__teardown_locked(c, true, err);

	if (r < 0)
		return r;
	ctr__state_clear_run(&c->state);
	return ctr__save_intent(c, CTR__INTENT_NONE, err);
}

static int recover_cleanup(struct ctr_container *c, ctr_error_t **err)
{
	int r = ctr__teardown_locked(c, true, err);

	if (r < 0)
		return r;
	/* Exited: a refresh that was taking it down. */
	if (c->state.state == CTR_STATE_STOPPED)
		c->state.state = CTR_STATE_EXITED;
	else if (c->state.state != CTR_STATE_EXITED)
		c->state.state = CTR_STATE_CONFIGURED;
	c->state.intent = CTR__INTENT_NONE;
	ctr__state_clear_run(&c->state);
	return ctr__save(c, CTR_EVENT_CLEANUP, err);
}

static int recover_mount(struct ctr_container *c, ctr_error_t **err)
{
	if (!c->state.mount_count && !ctr__state_is_live(c->state.state) &&
	    c->state.state != CTR_STATE_STOPPED) {
		int r = ctr__storage_unmount(c, err);

		if (r < 0)
			return r;
		c->state.mounted = false;
		c->state.mountpoint = "";
	}
	return ctr__save_intent(c, CTR__INTENT_NONE, err);
}

int ctr__recover(struct ctr_container *c, ctr_error_t **err)
{
	bool changed;

	switch (c->state.intent) {
	case CTR__INTENT_INIT: return recover_init(c, err);
	case CTR__INTENT_CLEANUP: return recover_cleanup(c, err);
	case CTR__INTENT_START:
	case CTR__INTENT_PAUSE:
	case CTR__INTENT_UNPAUSE: return ctr__sync_locked(c, &changed, err);
	case CTR__INTENT_MOUNT:
	case CTR__INTENT_UNMOUNT: return recover_mount(c, err);
	case CTR__INTENT_UPDATE: return ctr__recover_update(c, err);
	default: return ctr__save_intent(c, CTR__INTENT_NONE, err);
	}
}
