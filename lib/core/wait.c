/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for a container's end: through descriptors, without the lock. */
#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/lifecycle.h"
#include "sys/proc.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define NS_PER_S INT64_C(1000000000)

/* While the record of an end is due: the time between two looks. It is right for a while and doubles then, up to
 * 50 ms: the monitor may hang. */
#define LOOK_AGAIN_NS INT64_C(150000)
#define QUICK_LOOKS   30
#define DOUBLED_MOST  8

/* How long the record of an end may take until its descriptor is another one; it takes less than 1. */
#define RECORD_MS 100

void ctr__watch_close(struct ctr__watch *w)
{
	if (w->monitor >= 0)
		close(w->monitor);
	if (w->process >= 0)
		close(w->process);
	if (w->guard >= 0)
		close(w->guard);
	w->monitor = w->process = w->guard = -1;
	w->gone = false;
}

/* ---- asking the driver ---- */

struct asked {
	struct ctr__oci *oci;
	struct ctr__paths paths;
	struct ctr_oci_container view;
};

static void asked_free(struct asked *a)
{
	ctr__paths_free(&a->paths);
}

static int ask(struct ctr_container *c, struct asked *a, ctr_error_t **err)
{
	int r = ctr__container_oci(c, &a->oci, err);

	if (r >= 0)
		r = ctr__paths_init(c, c->cfg, &a->paths, err);
	if (r >= 0)
		ctr__oci_view(c, c->cfg, &a->paths, &a->view);
	return r;
}

static bool monitor_alive(const struct asked *a)
{
	if (!a->oci->ops.monitor_alive)
		return true;
	return a->oci->ops.monitor_alive(a->oci->impl, &a->view, NULL) != 0;
}

int ctr__watch_open(struct ctr_container *c, struct ctr__watch *w, ctr_error_t **err)
{
	CTR__CLEANUP(asked_free) struct asked a = {0};
	int r = ask(c, &a, err);

	if (r < 0)
		return r;
	ctr__watch_close(w);
	if (c->state.pid > 0) {
		w->process = ctr__pidfd_open(c->state.pid, c->state.pid_start);
		w->gone = w->process == -ESRCH;
		if (w->process < 0)
			w->process = -1;
	}
	if (a.oci->ops.wait_fd && monitor_alive(&a)) {
		w->monitor = a.oci->ops.wait_fd(a.oci->impl, &a.view, err);
		if (w->monitor < 0)
			return w->monitor;
		if (a.view.flags & CTR_OCI_EXIT_COMMAND)
			w->guard = ctr__pidfd_open(c->state.conmon_pid, c->state.conmon_start);
	}
	return 0;
}

bool ctr__wait_passed(int64_t deadline_ns)
{
	return deadline_ns >= 0 && ctr__monotonic_ns() >= deadline_ns;
}

int ctr__wait_remaining_ms(int64_t deadline_ns)
{
	int64_t left;

	if (deadline_ns < 0)
		return -1;
	left = (deadline_ns - ctr__monotonic_ns() + 999999) / 1000000;
	return left < 0 ? 0 : left > 3600000 ? 3600000 : (int)left;
}

int64_t ctr__wait_deadline(int64_t timeout_ms)
{
	if (timeout_ms < 0 || timeout_ms > INT64_MAX / 2000000)
		return -1;
	return ctr__monotonic_ns() + timeout_ms * 1000000;
}

bool ctr__watch_record_is_due(const struct ctr__watch *w)
{
	return w->guard >= 0 &&
	       (w->gone || (w->process >= 0 && ctr__pidfd_wait(w->process, 0) == 1));
}

int ctr__poll_until(struct pollfd *p, nfds_t n_fds, int64_t end_ns)
{
	int n;

	do {
		int64_t left = end_ns < 0 ? 0 : end_ns - ctr__monotonic_ns();
		struct timespec ts = {
		    left > 0 ? left / NS_PER_S : 0, left > 0 ? left % NS_PER_S : 0};

		n = ppoll(p, n_fds, end_ns < 0 ? NULL : &ts, NULL);
	} while ((n < 0 && errno == EINTR) || (n == 0 && !ctr__wait_passed(end_ns)));
	return n;
}

int64_t ctr__watch_next_look(struct ctr__watch *w)
{
	unsigned int doubled = w->looks < QUICK_LOOKS ? 0 : w->looks - QUICK_LOOKS;

	w->looks++;
	return ctr__monotonic_ns() +
	       (LOOK_AGAIN_NS << (doubled < DOUBLED_MOST ? doubled : DOUBLED_MOST));
}

int ctr__watch_poll(
    struct ctr_container *c, struct ctr__watch *w, int64_t timeout_ms, ctr_error_t **err)
{
	struct pollfd p[3] = {{c->rt->stop_fd, POLLIN, 0}, {-1, POLLIN, 0}, {w->guard, POLLIN, 0}};
	int64_t end, look = -1;
	int n;

	/* The monitor is what counts; the process is of interest only when nobody else watches it. */
	p[1].fd = w->monitor >= 0 ? w->monitor : w->process;
	if (p[1].fd < 0 && (timeout_ms < 0 || timeout_ms > CTR__ASK_EVERY_MS))
		timeout_ms = CTR__ASK_EVERY_MS;
	end = ctr__wait_deadline(timeout_ms);
	if (ctr__watch_record_is_due(w))
		look = ctr__watch_next_look(w);
	if (look >= 0 && (end < 0 || look < end))
		n = ctr__poll_until(p, 3, look);
	else
		n = ctr__poll_until(p, 3, end);
	if (n < 0)
		return ctr__fail_errno(err, errno, NULL, "cannot poll");
	if (p[0].revents)
		return ctr__fail(err, CTR_E_RUNTIME_STOPPED, "the runtime was shut down");
	return n > 0 || (look >= 0 && !ctr__wait_passed(end));
}

/* ---- the end of a container that nobody recorded ---- */

static int32_t code_of_status(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* True if its first process has ended (or there is none). */
static bool process_ended(const struct ctr_container *c, const struct ctr__watch *w)
{
	if (w->process >= 0)
		return ctr__pidfd_wait(w->process, 0) == 1;
	return !ctr__proc_alive(c->state.pid, c->state.pid_start);
}

static int record_lost(
    struct ctr_container *c, const struct ctr__watch *w, bool *lost, ctr_error_t **err)
{
	struct ctr_oci_status st = {.size = sizeof(st), .status = CTR_OCI_STOPPED, .exit_code = -1};
	int status;

	/* The kernel keeps the status for whoever held a pidfd (since 6.15). */
	if (w->process >= 0 && ctr__pidfd_exit_status(w->process, &status))
		st.exit_code = code_of_status(status);
	*lost = st.exit_code < 0;
	if (*lost)
		c->state.error = "the monitor died without recording an exit code";
	return ctr__record_exit(c, &st, err);
}

/* A driver without exit_status is asked directly. */
static int settle_by_state(struct ctr_container *c, ctr_error_t **err)
{
	bool changed;

	return ctr__sync_locked(c, &changed, err);
}

int ctr__watch_settle(
    struct ctr_container *c, const struct ctr__watch *w, bool *lost, ctr_error_t **err)
{
	CTR__CLEANUP(asked_free) struct asked a = {0};
	int r;

	*lost = false;
	r = ctr__look(c, true, err);
	if (r < 0 || !ctr__state_is_live(c->state.state))
		return r;
	r = ask(c, &a, err);
	if (r < 0)
		return r;
	if (!a.oci->ops.exit_status)
		return settle_by_state(c, err);
	if (monitor_alive(&a))
		return 0;
	/* The monitor's last act is the exit file: look again now that it is known to be gone. */
	r = ctr__look(c, true, err);
	if (r < 0 || !ctr__state_is_live(c->state.state))
		return r;
	if (c->state.pid <= 0) {
		/* Without a PID only the runtime can tell. */
		r = settle_by_state(c, err);
		*lost = r >= 0 && !ctr__state_is_live(c->state.state) && c->state.exit_code < 0;
		return r;
	}
	return process_ended(c, w) ? record_lost(c, w, lost, err) : 0;
}

/* ---- wait ---- */

int ctr__code_of_removed(struct ctr_container *c, int32_t *code, ctr_error_t **err)
{
	int32_t found;
	CTR__ERROR ctr_error_t *none = NULL;

	if (ctr__store_exit_code(c->rt->store, c->id, &found, NULL, &none) >= 0) {
		*code = found;
		return 0;
	}
	ctr__fail(
	    err, CTR_E_CTR_REMOVED, "container %s has been removed and left no exit code", c->id);
	ctr__error_detail(err, "container", c->id);
	return CTR_E_CTR_REMOVED;
}

void ctr__waiter_close(struct ctr__waiter *wt)
{
	ctr__watch_close(&wt->w);
}

/* Not the one that was seen before? Where there is no PID the time of the start tells. */
static bool is_another_run(const struct ctr__state *s, const struct ctr__waiter *wt)
{
	if (wt->pid && s->pid)
		return s->pid != wt->pid || s->pid_start != wt->pid_start;
	return wt->started_ns && (s->state == CTR_STATE_CREATED || s->started_ns != wt->started_ns);
}

/* 1 = it has ended (or never began) and the code is set; 0 = it lives. */
static int ended(const struct ctr_container *c, struct ctr__waiter *wt)
{
	const struct ctr__state *s = &c->state;

	if (!ctr__state_is_live(s->state)) {
		wt->code = s->exited ? s->exit_code : 0;
		return 1;
	}
	/* Ended and started again since the last look: the table still has the code. */
	if (is_another_run(s, wt) &&
	    ctr__store_exit_code(c->rt->store, c->id, &wt->code, NULL, NULL) >= 0)
		return 1;
	wt->pid = s->pid;
	wt->pid_start = s->pid_start;
	wt->started_ns = s->state == CTR_STATE_CREATED ? 0 : s->started_ns;
	return 0;
}

int ctr__wait_look_locked(struct ctr_container *c, struct ctr__waiter *wt, ctr_error_t **err)
{
	bool lost;
	int r = 0;

	if (ctr__state_is_live(c->state.state) && (wt->w.monitor >= 0 || wt->w.process >= 0))
		r = ctr__watch_settle(c, &wt->w, &lost, err);
	if (r < 0)
		return r;
	if (ended(c, wt))
		return 1;
	r = ctr__watch_open(c, &wt->w, err);
	/* It may have ended just before the descriptors were opened, with nobody to record it. */
	if (r >= 0)
		r = ctr__watch_settle(c, &wt->w, &lost, err);
	return r < 0 ? r : ended(c, wt);
}

/* As above with lock, and knowing what became of a removed container. */
static int wait_look(struct ctr_container *c, struct ctr__waiter *wt, ctr_error_t **err)
{
	CTR__GUARD struct ctr__guard g;
	CTR__ERROR ctr_error_t *why = NULL;
	int r = ctr__enter(c, CTR__OP_READ, CTR__LOOK_NOW | CTR__IN_BATCH_BUSY, &g, &why);

	if (r >= 0)
		return ctr__wait_look_locked(g.c, wt, err);
	if (r == CTR_E_CTR_REMOVED && !c->outer) {
		r = ctr__code_of_removed(c, &wt->code, err);
		return r < 0 ? r : 1;
	}
	if (err)
		*err = CTR__STEAL_PTR(why);
	return r;
}

int ctr__wait(struct ctr_container *c, int64_t timeout_ms, int32_t *code, ctr_error_t **err)
{
	CTR__WAITER struct ctr__waiter wt = {.w = CTR__WATCH_INIT};
	int64_t end = ctr__wait_deadline(timeout_ms);
	int r;

	while ((r = wait_look(c, &wt, err)) == 0) {
		if (ctr__wait_passed(end))
			return ctr__fail(err, CTR_E_TIMEOUT,
			    "container %s has not ended within %lld ms", c->id,
			    (long long)timeout_ms);
		r = ctr__watch_poll(c, &wt.w, end < 0 ? -1 : ctr__wait_remaining_ms(end), err);
		if (r < 0)
			break;
	}
	if (r < 0)
		return r;
	if (code)
		*code = wt.code;
	return 0;
}

static int readable_now(ctr_error_t **err)
{
	int fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);

	return fd >= 0 ? fd : ctr__fail_errno(err, errno, NULL, "cannot make an eventfd");
}

/* One descriptor cannot tell both of the record and of a monitor that was killed: the record is waited for. If it
 * does not come, the monitor is what is left to wait for. 1 = ended. */
static int await_record(struct ctr_container *c, struct ctr__waiter *wt, ctr_error_t **err)
{
	int64_t end = ctr__wait_deadline(RECORD_MS);
	int r = 0;

	while (r == 0 && ctr__watch_record_is_due(&wt->w) && !ctr__wait_passed(end)) {
		r = ctr__watch_poll(c, &wt->w, ctr__wait_remaining_ms(end), err);
		if (r >= 0)
			r = wait_look(c, wt, err);
	}
	if (r == 0 && ctr__watch_record_is_due(&wt->w)) {
		close(wt->w.monitor);
		wt->w.monitor = ctr__steal_fd(&wt->w.guard);
	}
	return r;
}

int ctr__wait_fd(struct ctr_container *c, ctr_error_t **err)
{
	CTR__WAITER struct ctr__waiter wt = {.w = CTR__WATCH_INIT};
	CTR__ERROR ctr_error_t *why = NULL;
	int r = wait_look(c, &wt, &why);

	if (r == 0)
		r = await_record(c, &wt, &why);
	if (r == 1 || (r == CTR_E_CTR_REMOVED && !c->outer))
		return readable_now(err);
	if (r < 0) {
		if (err)
			*err = CTR__STEAL_PTR(why);
		return r;
	}
	if (wt.w.monitor >= 0)
		return ctr__steal_fd(&wt.w.monitor);
	if (wt.w.process >= 0)
		return ctr__steal_fd(&wt.w.process);
	return ctr__fail(err, CTR_E_UNSUPPORTED,
	    "the OCI runtime of container %s offers no descriptor to wait on", c->id);
}
