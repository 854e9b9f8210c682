/* SPDX-License-Identifier: Apache-2.0 */
/* Taking over the exits that monitors have recorded, and reading events. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/container.h"
#include "core/reader.h"
#include "util/cleanup.h"
#include "util/clock.h"

/* How long a reader of events waits for a container that somebody works on. */
#define BUSY_LOCK_MS 10

/* A file of no container is removed when it is older than this: it may be the temporary file (ID.XXXXXX) that a
 * monitor is about to rename, and without that the exit code would be lost. */
#define STRAY_AGE_NS (INT64_C(60) * 1000000000)

struct reap {
	struct ctr_runtime *rt;
	int64_t lock_ms;
	bool busy;
};

static void remove_stray(int exits_fd, const char *name)
{
	struct stat st;

	if (fstatat(exits_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    ctr__now_ns() - (int64_t)st.st_mtim.tv_sec * 1000000000 > STRAY_AGE_NS)
		(void)unlinkat(exits_fd, name, 0);
}

static int reap_one(const char *id, void *userdata)
{
	struct reap *reap = userdata;
	CTR__CLEANUP(ctr_container_unrefp) struct ctr_container *c = NULL;
	bool owner_died = false;
	int r;

	if (!ctr__id_valid(id))
		return 0;
	r = ctr__container_open(reap->rt, id, &c, NULL);
	if (r == CTR_E_NO_SUCH_CTR)
		remove_stray(reap->rt->exits_fd, id);
	if (r < 0)
		return 0;
	r = ctr__slot_lock(c->slot, reap->lock_ms, &reap->rt->stopped, &owner_died, NULL);
	if (r < 0) {
		reap->busy = true;
		return 0;
	}
	if (owner_died)
		(void)ctr__store_settle(reap->rt->store, NULL);
	/* What is interrupted is repaired by the next operation; here only exits are taken over. */
	if (ctr__load(c, NULL) >= 0 && c->state.intent == CTR__INTENT_NONE &&
	    ctr__look(c, true, NULL) >= 0 && !ctr__state_is_live(c->state.state))
		(void)unlinkat(reap->rt->exits_fd, id, 0);
	ctr__slot_unlock(c->slot);
	return 0;
}

void ctr__runtime_reap(struct ctr_runtime *rt, int64_t lock_ms, bool *busy)
{
	struct reap reap = {.rt = rt, .lock_ms = lock_ms};

	(void)ctr__conmon_pending_exits(rt->exits_fd, reap_one, &reap);
	if (busy)
		*busy = reap.busy;
}

/* ---- the reader ---- */

static int want_cursor(struct ctr_runtime *rt, ctr_error_t **err)
{
	int r;

	if (rt->cursor_set)
		return 0;
	r = ctr__store_events_end(rt->store, &rt->cursor, err);
	rt->cursor_set = r >= 0;
	return r;
}

static int want_fd(struct ctr_runtime *rt, ctr_error_t **err)
{
	CTR__FREE char *exits = NULL;
	int r;

	if (rt->events_fd >= 0)
		return 0;
	exits = ctr__path_join(ctr__store_run_root(rt->store), CTR__EXITS_DIR);
	if (!exits)
		return ctr__fail_nomem(err);
	rt->events_fd = ctr__notify_open(ctr__store_run_root(rt->store), exits, err);
	r = rt->events_fd;
	if (r >= 0)
		return 0;
	rt->events_fd = -1;
	return r;
}

int ctr__reader_fd(struct ctr_runtime *rt, ctr_error_t **err)
{
	int r;

	pthread_mutex_lock(&rt->events_mutex);
	/* The descriptor first: what happens after it is noticed, what happened before the cursor is not
	 * wanted. */
	r = want_fd(rt, err);
	if (r >= 0)
		r = want_cursor(rt, err);
	if (r >= 0)
		r = rt->events_fd;
	pthread_mutex_unlock(&rt->events_mutex);
	return r;
}

static int lost_event(uint64_t count, struct ctr_event **out, ctr_error_t **err)
{
	int r = ctr__event_new(CTR_EVENT_LOST, NULL, out, err);

	if (r >= 0)
		(*out)->count = count;
	return r < 0 ? r : 1;
}

static int read_next(struct ctr_runtime *rt, struct ctr_event **out, ctr_error_t **err)
{
	for (;;) {
		struct ctr_event *ev = NULL;
		uint64_t lost = 0;
		int r = ctr__store_events_next(rt->store, &rt->cursor, &ev, &lost, err);

		if (r <= 0)
			return r;
		if (!ev)
			return lost_event(lost, out, err);
		if (ctr__event_filter_match(rt->filter, ev)) {
			*out = ev;
			return 1;
		}
		ctr_event_unref(ev);
	}
}

/* Nothing is left in the journal: take over what monitors have recorded since, and look once more. */
static int read_fresh(struct ctr_runtime *rt, struct ctr_event **out, ctr_error_t **err)
{
	bool busy = false;

	if (rt->events_fd >= 0)
		ctr__notify_drain(rt->events_fd);
	ctr__runtime_reap(rt, BUSY_LOCK_MS, &busy);
	if (busy)
		ctr__store_touch_events(rt->store);
	return read_next(rt, out, err);
}

/* Asked before the journal is read: what is not in it then is later than "until". */
static bool is_over(const struct ctr_runtime *rt)
{
	int64_t until;

	return ctr__event_filter_until(rt->filter, &until) && ctr__now_ns() > until;
}

int ctr__reader_next(struct ctr_runtime *rt, struct ctr_event **out, ctr_error_t **err)
{
	bool over;
	int r;

	pthread_mutex_lock(&rt->events_mutex);
	over = is_over(rt);
	r = want_cursor(rt, err);
	if (r >= 0)
		r = read_next(rt, out, err);
	if (r == 0)
		r = read_fresh(rt, out, err);
	pthread_mutex_unlock(&rt->events_mutex);
	if (r == 0 && over)
		return ctr__fail(err, CTR_E_TIMEOUT,
		    "the filter's \"until\" has passed and all events up to it were read");
	return r;
}

/* A filter with "since" asks for what has already happened. */
static int seek_since(struct ctr_runtime *rt, const struct ctr__event_filter *f,
    struct ctr__cursor *cursor, ctr_error_t **err)
{
	int64_t since;
	int r;

	if (!ctr__event_filter_since(f, &since))
		return 0;
	r = ctr__store_events_seek(rt->store, cursor, since > 0 ? since : 0, err);
	return r < 0 ? r : 1;
}

int ctr__reader_filter(struct ctr_runtime *rt, const char *const *filters, ctr_error_t **err)
{
	struct ctr__event_filter *f = NULL, *old;
	struct ctr__cursor cursor;
	int r = ctr__event_filter_parse(filters, &f, err);

	if (r >= 0)
		r = seek_since(rt, f, &cursor, err);
	if (r < 0) {
		ctr__event_filter_free(f);
		return r;
	}
	pthread_mutex_lock(&rt->events_mutex);
	old = rt->filter;
	rt->filter = f;
	if (r > 0) {
		rt->cursor = cursor;
		rt->cursor_set = true;
		ctr__store_touch_events(rt->store);
	}
	pthread_mutex_unlock(&rt->events_mutex);
	ctr__event_filter_free(old);
	return 0;
}

int ctr__reader_rewind(struct ctr_runtime *rt, int64_t since_ns, ctr_error_t **err)
{
	struct ctr__cursor cursor;
	int r = ctr__store_events_seek(rt->store, &cursor, since_ns, err);

	if (r < 0)
		return r;
	pthread_mutex_lock(&rt->events_mutex);
	rt->cursor = cursor;
	rt->cursor_set = true;
	/* A descriptor that is polled must tell of the old events too. */
	ctr__store_touch_events(rt->store);
	pthread_mutex_unlock(&rt->events_mutex);
	return 0;
}
