/* SPDX-License-Identifier: Apache-2.0 */
/* The reader of a container's log: where it is, what of it is wanted, when it is over. */
#include "core/logs.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#include "util/cleanup.h"

struct ctr_logs {
	struct ctr_runtime *rt; /* ref */
	struct ctr__log *log;
	struct ctr__log_line line;
	bool at_line;
	bool finishing; /* nobody writes any more */
	bool over;      /* ... and all of it is there: only to be read to the end */
	bool ended;
	atomic_bool cancelled;
	bool follows;
	struct ctr__follower f;
};

bool ctr__logs_to_file(const ctr_config_t *cfg)
{
	return !ctr__streq(cfg->log_driver, "none") && !ctr__streq(cfg->log_driver, "journald");
}

/* ---- opening ---- */

static int no_logs(const ctr_config_t *cfg, ctr_error_t **err)
{
	ctr__fail(err, CTR_E_NO_LOGS, "container %s keeps no log: its log driver is %s", cfg->name,
	    cfg->log_driver);
	ctr__error_detail(err, "container", cfg->id);
	return CTR_E_NO_LOGS;
}

static int open_log(
    struct ctr_logs *l, const ctr_config_t *cfg, const struct ctr_logs_opts *o, ctr_error_t **err)
{
	const uint64_t both = CTR_LOGS_STDOUT | CTR_LOGS_STDERR;
	uint64_t streams = o->flags & both ? o->flags & both : both;
	struct ctr__log_opts lo = {.id = cfg->id,
	    .follow = l->follows,
	    .has_tail = o->flags & CTR_LOGS_TAIL,
	    .tail = o->tail,
	    .streams = (streams & CTR_LOGS_STDOUT ? 1U << CTR__LOG_STDOUT : 0) |
	               (streams & CTR_LOGS_STDERR ? 1U << CTR__LOG_STDERR : 0),
	    .since_ns = o->since_ns,
	    .until_ns = o->until_ns,
	    .notify = l->follows ? l->f.notify : -1};
	int r;

	if (ctr__streq(cfg->log_driver, "none") ||
	    ctr__starts_with(cfg->log_driver, "passthrough") ||
	    (ctr__logs_to_file(cfg) && !cfg->log_path))
		return no_logs(cfg, err);
	if (ctr__logs_to_file(cfg))
		lo.path = cfg->log_path;
	r = ctr__log_open(&lo, &l->log, err);
	if (r >= 0 && l->follows && ctr__log_fd(l->log) >= 0)
		r = ctr__follower_add(&l->f, ctr__log_fd(l->log), err);
	if (r < 0)
		ctr__error_detail(err, "container", cfg->id);
	return r;
}

void ctr__logs_free(struct ctr_logs *l)
{
	if (!l)
		return;
	ctr__log_free(l->log);
	if (l->follows)
		ctr__follower_close(&l->f);
	ctr__runtime_unref(l->rt);
	free(l);
}

static void freep(struct ctr_logs **l)
{
	ctr__logs_free(*l);
}

int ctr__logs_open(struct ctr_container *c, const struct ctr_logs_opts *o, struct ctr_logs **out,
    ctr_error_t **err)
{
	CTR__CLEANUP(freep) struct ctr_logs *l = NULL;
	CTR__CLEANUP(ctr_config_unrefp) ctr_config_t *cfg = NULL;
	bool follow = o->flags & CTR_LOGS_FOLLOW;
	struct ctr_container *core = NULL;
	struct ctr__guard g;
	int r = ctr__enter(c, CTR__OP_LOGS, follow ? CTR__IN_BATCH_BUSY : 0, &g, err);

	if (r < 0)
		return r;
	core = g.c;
	cfg = ctr_config_ref(core->cfg);
	ctr__leave(&g);
	l = calloc(1, sizeof(*l));
	if (!l)
		return ctr__fail_nomem(err);
	l->rt = ctr__runtime_ref(core->rt);
	l->follows = follow;
	if (follow)
		r = ctr__follower_init(&l->f, core, o->until_ns, err);
	if (r >= 0)
		r = open_log(l, cfg, o, err);
	if (r < 0)
		return r;
	l->over = !follow;
	*out = CTR__STEAL_PTR(l);
	return 0;
}

/* ---- reading ---- */

static int check(const struct ctr_logs *l, ctr_error_t **err)
{
	int r = ctr__runtime_enter(l->rt, err);

	if (r < 0)
		return r;
	if (atomic_load_explicit(&l->cancelled, memory_order_acquire))
		return ctr__fail(err, CTR_E_CANCELLED, "reading the log was cancelled");
	return 0;
}

/* 1 = a line, 0 = none now. */
static int read_line(struct ctr_logs *l, ctr_error_t **err)
{
	int r = ctr__log_next(l->log, &l->line, err);

	l->at_line = r == 1;
	if (r == 2)
		l->over = true;
	return r == 2 ? 0 : r;
}

/* The log is at its end: is that the end of all? Sets `over`. */
static int look(struct ctr_logs *l, ctr_error_t **err)
{
	int fd = -1;
	int r = l->finishing ? 1 : ctr__follower_look(&l->f, err);

	if (r <= 0)
		return r;
	l->finishing = true;
	if (ctr__log_finish(l->log, &fd))
		l->over = true;
	else
		r = ctr__follower_add(&l->f, fd, err);
	return r;
}

/* 1 = a line, 0 = none now, and perhaps never. */
static int follow(struct ctr_logs *l, ctr_error_t **err)
{
	int r;

	ctr__follower_drain(&l->f);
	r = read_line(l, err);
	if (r == 0 && !l->over)
		r = look(l, err);
	else
		return r;
	return r < 0 || !l->over ? r : read_line(l, err);
}

int ctr__logs_next(struct ctr_logs *l, ctr_error_t **err)
{
	int r = check(l, err);

	l->at_line = false;
	if (r < 0)
		return r;
	if (l->ended)
		return CTR_LOGS_END;
	r = read_line(l, err);
	if (r == 0 && !l->over)
		r = follow(l, err);
	if (r < 0)
		return r;
	if (r == 1)
		return CTR_LOGS_LINE;
	l->ended = l->over;
	return l->over ? CTR_LOGS_END : CTR_LOGS_AGAIN;
}

int ctr__logs_wait(struct ctr_logs *l, int64_t timeout_ms, ctr_error_t **err)
{
	int64_t end = ctr__wait_deadline(timeout_ms);
	int r;

	while ((r = ctr__logs_next(l, err)) == CTR_LOGS_AGAIN && !ctr__wait_passed(end)) {
		struct pollfd p = {l->f.poll_fd, POLLIN, 0};

		if (ctr__poll_until(&p, 1, end) < 0)
			return ctr__fail_errno(err, errno, NULL, "cannot poll");
	}
	return r;
}

int ctr__logs_fd(const struct ctr_logs *l, ctr_error_t **err)
{
	if (!l->follows)
		return ctr__fail(err, CTR_E_INVALID,
		    "a reader that does not follow the log has nothing to wait for");
	return l->f.poll_fd;
}

void ctr__logs_cancel(struct ctr_logs *l)
{
	atomic_store_explicit(&l->cancelled, true, memory_order_release);
	if (l->follows)
		(void)eventfd_write(l->f.cancel_fd, 1);
}

const struct ctr__log_line *ctr__logs_line(const struct ctr_logs *l)
{
	return l->at_line ? &l->line : NULL;
}
