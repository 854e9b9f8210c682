/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a follower of a log waits for: more of it, the container's end, what a restart policy makes of that, cancelling,
 * shutdown. All in one epoll descriptor.
 *
 * The container's lock is taken only when there is a reason: a descriptor of its run that is readable, or a state
 * that somebody has changed. Output alone is none.
 */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "core/logs.h"
#include "core/policy.h"
#include "util/cleanup.h"

#define NS_PER_S INT64_C(1000000000)

/* ---- descriptors ---- */

int ctr__follower_add(struct ctr__follower *f, int fd, ctr_error_t **err)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.fd = fd};

	if (epoll_ctl(f->poll_fd, EPOLL_CTL_ADD, fd, &ev) < 0 && errno != EEXIST)
		return ctr__fail_errno(err, errno, NULL, "cannot poll the log");
	return 0;
}

static void unpoll_watch(struct ctr__follower *f)
{
	for (size_t i = 0; i < CTR__ARRAY_SIZE(f->polled); i++) {
		if (f->polled[i] >= 0)
			(void)epoll_ctl(f->poll_fd, EPOLL_CTL_DEL, f->polled[i], NULL);
		f->polled[i] = -1;
	}
}

/* The monitor is what counts; the process is of interest only when nobody else watches it, and no more when it is
 * known that it has ended: then the record is awaited, whose coming `notify` tells. */
static void wanted_of_watch(const struct ctr__watch *w, int wanted[2])
{
	bool due = ctr__watch_record_is_due(w);

	wanted[0] = due ? -1 : w->monitor >= 0 ? w->monitor : w->process;
	wanted[1] = w->guard;
}

static int poll_watch(struct ctr__follower *f, ctr_error_t **err)
{
	int wanted[2], r = 0;

	wanted_of_watch(&f->watch, wanted);
	for (size_t i = 0; r >= 0 && i < CTR__ARRAY_SIZE(wanted); i++) {
		f->polled[i] = wanted[i];
		if (wanted[i] >= 0)
			r = ctr__follower_add(f, wanted[i], err);
	}
	return r;
}

static bool watch_has_news(const struct ctr__follower *f)
{
	struct pollfd p[] = {{f->polled[0], POLLIN, 0}, {f->polled[1], POLLIN, 0}};

	return poll(p, CTR__ARRAY_SIZE(p), 0) > 0 || ctr__watch_record_is_due(&f->watch);
}

static void set_timer(int fd, int64_t ns, bool repeat)
{
	struct itimerspec t = {.it_value = {ns / NS_PER_S, ns % NS_PER_S}};

	if (repeat)
		t.it_interval = t.it_value;
	(void)timerfd_settime(fd, 0, &t, NULL);
}

/* Is there anything that only asking can tell? */
static void set_asking(struct ctr__follower *f, bool live)
{
	bool asking = f->notify < 0 || (live && f->polled[0] < 0 && f->polled[1] < 0);

	if (asking == f->asking)
		return;
	f->asking = asking;
	set_timer(f->timer_fd, asking ? CTR__ASK_EVERY_MS * INT64_C(1000000) : 0, true);
}

/* ---- making and closing ---- */

static int open_notify(struct ctr__follower *f, ctr_error_t **err)
{
	struct ctr__store *s = f->c->rt->store;
	CTR__FREE char *exits = ctr__path_join(ctr__store_run_root(s), CTR__EXITS_DIR);

	if (!exits)
		return ctr__fail_nomem(err);
	f->notify = ctr__notify_open(ctr__store_run_root(s), exits, NULL);
	if (f->notify >= 0)
		return 0;
	f->notify = -1;
	ctr__log(f->c->rt, CTR_LOG_WARNING, f->c->id,
	    "no inotify instance is left: the log is looked at every %d ms", CTR__ASK_EVERY_MS);
	return 0;
}

static int open_until(struct ctr__follower *f, int64_t until_ns, ctr_error_t **err)
{
	struct itimerspec t = {.it_value = {until_ns / NS_PER_S, until_ns % NS_PER_S}};

	if (!until_ns)
		return 0;
	f->until_fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	if (f->until_fd < 0 || timerfd_settime(f->until_fd, TFD_TIMER_ABSTIME, &t, NULL) < 0)
		return ctr__fail_errno(err, errno, NULL, "cannot make a timer");
	return ctr__follower_add(f, f->until_fd, err);
}

int ctr__follower_init(
    struct ctr__follower *f, struct ctr_container *c, int64_t until_ns, ctr_error_t **err)
{
	int r;

	*f = (struct ctr__follower){.c = ctr__container_ref(c),
	    .notify = -1,
	    .until_fd = -1,
	    .watch = CTR__WATCH_INIT,
	    .polled = {-1, -1}};
	f->poll_fd = epoll_create1(EPOLL_CLOEXEC);
	f->cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	f->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (f->poll_fd < 0 || f->cancel_fd < 0 || f->timer_fd < 0)
		return ctr__fail_errno(
		    err, errno, NULL, "cannot make the descriptors of a follower");
	r = open_notify(f, err);
	if (r >= 0 && f->notify >= 0)
		r = ctr__follower_add(f, f->notify, err);
	if (r >= 0)
		r = ctr__follower_add(f, f->cancel_fd, err);
	if (r >= 0)
		r = ctr__follower_add(f, f->timer_fd, err);
	if (r >= 0)
		r = ctr__follower_add(f, c->rt->stop_fd, err);
	return r < 0 ? r : open_until(f, until_ns, err);
}

/* Nothing is taken out of the epoll set: in a forked child that would be the parent's, too. */
void ctr__follower_close(struct ctr__follower *f)
{
	ctr__watch_close(&f->watch);
	ctr__cleanup_close(&f->poll_fd);
	ctr__cleanup_close(&f->cancel_fd);
	ctr__cleanup_close(&f->notify);
	ctr__cleanup_close(&f->timer_fd);
	ctr__cleanup_close(&f->until_fd);
	ctr__container_unref(f->c);
}

void ctr__follower_drain(struct ctr__follower *f)
{
	eventfd_t times;

	if (f->notify >= 0)
		ctr__notify_drain(f->notify);
	if (f->asking && eventfd_read(f->timer_fd, &times) == 0)
		f->looked = false;
}

/* ---- looking ---- */

static uint64_t generation(const struct ctr__follower *f)
{
	return atomic_load_explicit(&f->c->slot->gen, memory_order_acquire);
}

static bool is_watched_run(const struct ctr__follower *f, const struct ctr__state *s)
{
	return f->pid == s->pid && f->pid_start == s->pid_start &&
	       (f->watch.monitor >= 0 || f->watch.process >= 0);
}

/* The descriptors anew, and what has happened before they were there. */
static int watch_run(struct ctr__follower *f, struct ctr_container *c, ctr_error_t **err)
{
	bool lost;
	int r = 0;

	if (is_watched_run(f, &c->state))
		r = ctr__watch_settle(c, &f->watch, &lost, err);
	if (r < 0 || !ctr__state_is_live(c->state.state))
		return r;
	unpoll_watch(f);
	r = ctr__watch_open(c, &f->watch, err);
	if (r >= 0)
		r = ctr__watch_settle(c, &f->watch, &lost, err);
	f->pid = c->state.pid;
	f->pid_start = c->state.pid_start;
	return r < 0 ? r : poll_watch(f, err);
}

/* It has ended: is it about to run again? */
static bool comes_back(const struct ctr_container *c)
{
	const struct ctr__state *s = &c->state;

	if (s->state != CTR_STATE_STOPPED && s->state != CTR_STATE_EXITED)
		return false;
	return ctr__is_being_restarted(c) || ctr__policy_restarts(c->cfg, s);
}

static int look_locked(struct ctr__follower *f, struct ctr_container *c, ctr_error_t **err)
{
	bool live;
	int r = ctr__state_is_live(c->state.state) ? watch_run(f, c, err) : 0;

	if (r < 0)
		return r;
	live = ctr__state_is_live(c->state.state);
	if (!live) {
		unpoll_watch(f);
		ctr__watch_close(&f->watch);
	}
	set_asking(f, live);
	f->looked = true;
	f->gen = generation(f);
	return !live && !comes_back(c);
}

/* The time up to which lines are wanted. */
static bool is_past(const struct ctr__follower *f)
{
	struct pollfd p = {f->until_fd, POLLIN, 0};

	return f->until_fd >= 0 && poll(&p, 1, 0) > 0;
}

int ctr__follower_look(struct ctr__follower *f, ctr_error_t **err)
{
	CTR__GUARD struct ctr__guard g = {0};
	CTR__ERROR ctr_error_t *why = NULL;
	int r;

	if (is_past(f))
		return 1;
	if (f->looked && f->gen == generation(f) && !watch_has_news(f))
		return 0;
	r = ctr__enter(f->c, CTR__OP_READ, CTR__LOOK_NOW, &g, &why);
	if (r >= 0)
		r = look_locked(f, g.c, &why);
	if (r == CTR_E_CTR_REMOVED || r == CTR_E_NO_SUCH_CTR)
		return 1;
	if (r < 0 && err)
		*err = CTR__STEAL_PTR(why);
	return r;
}
