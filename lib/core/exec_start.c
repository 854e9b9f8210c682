/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starting a session: what is to be done is checked and recorded ("starting", with our PID) under the lock, done without
 * it, and recorded again under it. If that fails, or the session was removed meanwhile, what was started is ended.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/exec.h"
#include "core/opts.h"
#include "stream/stream.h"
#include "sys/proc.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/json.h"

/* As a shell has it, and podman. */
#define CODE_FAILED       125
#define CODE_NOT_EXECUTED 126
#define CODE_NOT_FOUND    127

struct starting {
	struct ctr_exec *x;
	/* Given. */
	struct ctr_attach *relay; /* prepared; NULL: no streams */
	uint32_t opened;          /* CTR_ATTACH_* */
	const int32_t *fds;
	size_t fds_n;
	uint32_t rows, cols; /* 0 = as it is */
	/* On the way. */
	struct ctr__exec_call call;
	char *process;
	pid_t starter;
	uint64_t starter_start;
	struct ctr_oci_status status;
	int stream;
};

static void starting_free(struct starting *k)
{
	ctr__stream_unref(k->relay);
	ctr__exec_call_free(&k->call);
	free(k->process);
	ctr__cleanup_close(&k->stream);
}

/* ---- under the lock: may it, and what is it ---- */

/* So that the process finds its terminal as large as it is to be. */
static int set_size(struct starting *k, const char *process, ctr_error_t **err)
{
	CTR__JSON_DOC struct ctr__json_doc *d = NULL;
	CTR__BUF struct ctr__buf out = {0};
	struct ctr__json *size;
	int r = ctr__json_parse(process, strlen(process), "process", &d, err);

	if (r < 0)
		return r;
	size = ctr__json_new_object(d);
	if (!size || !ctr__json_set(d, size, "height", ctr__json_new_u64(d, k->rows)) ||
	    !ctr__json_set(d, size, "width", ctr__json_new_u64(d, k->cols)) ||
	    !ctr__json_set(d, d->root, "consoleSize", size))
		return ctr__fail_nomem(err);
	ctr__json_write(d->root, false, &out);
	k->process = ctr__buf_steal(&out);
	return k->process ? 0 : ctr__fail_nomem(err);
}

static int take_process(struct starting *k, const struct ctr__exec_state *s, ctr_error_t **err)
{
	if (!s->process)
		return ctr__fail(
		    err, CTR_E_STORE_CORRUPT, "exec session %s has no process", k->x->id);
	if (k->rows && (s->flags & CTR_EXEC_TERMINAL))
		return set_size(k, s->process, err);
	k->process = strdup(s->process);
	return k->process ? 0 : ctr__fail_nomem(err);
}

static int prepare_call(struct starting *k, struct ctr__session *s, ctr_error_t **err)
{
	struct ctr_oci_exec *e = &k->call.exec;
	int r = take_process(k, &s->s, err);

	if (r >= 0)
		r = ctr__exec_ask(s->g.c, k->x->id, &s->s, &k->call, err);
	if (r < 0)
		return r;
	e->process = k->process;
	e->fds = k->fds;
	e->fds_n = k->fds_n;
	if (k->relay)
		e->flags |= CTR_OCI_EXEC_STREAMS;
	return ctr__exec_make_dir(&k->call, err);
}

static int begin(struct starting *k, ctr_error_t **err)
{
	CTR__SESSION struct ctr__session s = {0};
	int r = ctr__session_enter(
	    k->x, CTR__OP_EXEC, CTR__LOOK_NOW | CTR__REPAIR | CTR__IN_BATCH_BUSY, &s, err);

	if (r < 0)
		return r;
	if (s.s.state != CTR_EXEC_STATE_CREATED || s.s.starter_pid)
		return ctr__session_wrong(&s, "start", err);
	r = prepare_call(k, &s, err);
	if (r < 0)
		return r;
	k->starter = getpid();
	k->starter_start = ctr__proc_start_time(k->starter);
	s.s.starter_pid = k->starter;
	s.s.starter_start = k->starter_start;
	s.s.opened = k->opened;
	return ctr__session_save(&s, 0, err);
}

/* ---- under the lock again: what came of it ---- */

static bool is_ours(const struct starting *k, const struct ctr__exec_state *s)
{
	return s->state == CTR_EXEC_STATE_CREATED && s->starter_pid == k->starter &&
	       s->starter_start == k->starter_start;
}

/* `code`: of a session that did not get to run. There is no event: it was not started. */
static int save_failure(struct starting *k, int32_t code, ctr_error_t **err)
{
	CTR__SESSION struct ctr__session s = {0};
	int r = ctr__session_enter(k->x, CTR__OP_READ, CTR__LOOK_GATED, &s, err);

	if (r < 0 || !is_ours(k, &s.s))
		return r;
	s.s.state = CTR_EXEC_STATE_STOPPED;
	s.s.exit_code = code;
	s.s.finished_ns = ctr__now_ns();
	s.s.starter_pid = 0;
	s.s.starter_start = 0;
	return ctr__session_save(&s, 0, err);
}

static int32_t code_of_failure(int r)
{
	switch (r) {
	case CTR_E_OCI_NOT_FOUND: return CODE_NOT_FOUND;
	case CTR_E_OCI_PERMISSION: return CODE_NOT_EXECUTED;
	default: return CODE_FAILED;
	}
}

static void log_failure(const struct starting *k, const ctr_error_t *why)
{
	ctr__log(k->x->c->rt, CTR_LOG_WARNING, k->x->c->id, "exec session %s: %s", k->x->id,
	    ctr_error_message(why));
}

/* Nothing may live on of which nothing is recorded. */
static int undo(struct starting *k, int r)
{
	CTR__ERROR ctr_error_t *why = NULL;

	if (ctr__exec_clear(&k->call, &why) < 0)
		log_failure(k, why);
	ctr_error_freep(&why);
	if (save_failure(k, code_of_failure(r), &why) < 0 && why &&
	    ctr_error_code(why) != CTR_E_EXEC_REMOVED)
		log_failure(k, why);
	return r;
}

static int save_running(struct starting *k, ctr_error_t **err)
{
	CTR__SESSION struct ctr__session s = {0};
	int r = ctr__session_enter(k->x, CTR__OP_READ, CTR__LOOK_GATED, &s, err);

	if (r < 0)
		return r;
	if (!is_ours(k, &s.s))
		return ctr__session_wrong(&s, "start", err);
	s.s.state = CTR_EXEC_STATE_RUNNING;
	s.s.pid = k->status.pid;
	s.s.pid_start = k->status.pid_start;
	s.s.monitor_pid = k->status.monitor_pid;
	s.s.monitor_start = k->status.monitor_start;
	s.s.starter_pid = 0;
	s.s.starter_start = 0;
	s.s.started_ns = ctr__now_ns();
	return ctr__session_save(&s, CTR_EVENT_EXEC, err);
}

static int run(struct starting *k, ctr_error_t **err)
{
	const struct ctr__oci *oci = k->call.oci;
	int r;

	k->status.size = sizeof(k->status);
	r = oci->ops.exec_start(
	    oci->impl, &k->call.view, &k->call.exec, &k->status, k->relay ? &k->stream : NULL, err);
	if (r >= 0) {
		k->call.exec.pid = k->status.pid;
		k->call.exec.pid_start = k->status.pid_start;
		k->call.exec.monitor_pid = k->status.monitor_pid;
		k->call.exec.monitor_start = k->status.monitor_start;
		r = save_running(k, err);
	}
	if (r < 0)
		ctr__error_detail(err, "container", k->x->c->id);
	return r < 0 ? undo(k, r) : 0;
}

/* ---- its streams ---- */

static int check_owner(void *arg, ctr_error_t **err)
{
	const struct ctr_exec *x = arg;

	return ctr__runtime_enter(x->c->rt, err);
}

/* The process has ended, or is about to: what its monitor has recorded is taken over, if it is there. */
static void is_over(void *arg, int result)
{
	if (result == CTR_ATTACH_ENDED)
		(void)ctr__exec_wait(arg, 0, NULL, NULL);
}

static int resize(void *arg, uint32_t rows, uint32_t cols, ctr_error_t **err)
{
	return ctr__exec_resize(arg, rows, cols, err);
}

static void drop(void *arg)
{
	ctr__exec_unref(arg);
}

static int connect_relay(struct starting *k, struct ctr_attach **out, ctr_error_t **err)
{
	const struct ctr__stream_owner owner = {.arg = k->x,
	    .check = check_owner,
	    .over = is_over,
	    .resize = resize,
	    .destroy = drop,
	    .group = &k->x->c->rt->streams};
	int r;

	ctr__exec_ref(k->x);
	r = ctr__stream_connect(k->relay, ctr__steal_fd(&k->stream), &owner, err);
	if (r < 0)
		return r;
	*out = CTR__STEAL_PTR(k->relay);
	return 0;
}

static int start(struct starting *k, struct ctr_attach **out, ctr_error_t **err)
{
	int r = begin(k, err);

	if (r >= 0)
		r = run(k, err);
	return r < 0 || !k->relay ? r : connect_relay(k, out, err);
}

/* ---- detached, or with descriptors ---- */

static int refuse(ctr_error_t **err, const char *field, const char *what)
{
	ctr__fail(err, CTR_E_INVALID, "exec: %s: %s", field, what);
	ctr__error_detail(err, "field", field);
	return CTR_E_INVALID;
}

static int check_fds(const struct ctr_exec_start_opts *o, ctr_error_t **err)
{
	if (o->fds_n > CTR__EXEC_FDS_MAX)
		return refuse(err, "fds_n", "at most 8 descriptors can be handed over");
	if (o->fds_n && !o->fds)
		return refuse(err, "fds", "is NULL");
	for (size_t i = 0; i < o->fds_n; i++) {
		if (o->fds[i] < 0 || fcntl(o->fds[i], F_GETFD) < 0)
			return refuse(err, "fds", "not all of them are open descriptors");
	}
	return 0;
}

/* What a session is, apart from its state; so that the host's mistakes are found before anything is done. */
struct facts {
	uint64_t flags;
	char *keys; /* owned; NULL: none given */
};

static void facts_free(struct facts *f)
{
	free(f->keys);
}

static int read_facts(struct ctr_exec *x, struct facts *f, ctr_error_t **err)
{
	CTR__SESSION struct ctr__session s = {0};
	int r = ctr__session_enter(x, CTR__OP_READ, CTR__LOOK_GATED | CTR__IN_BATCH_BUSY, &s, err);

	if (r < 0)
		return r;
	f->flags = s.s.flags;
	if (!s.s.detach_keys)
		return 0;
	f->keys = strdup(s.s.detach_keys);
	return f->keys ? 0 : ctr__fail_nomem(err);
}

#define STREAMS (CTR_ATTACH_STDIN | CTR_ATTACH_STDOUT | CTR_ATTACH_STDERR)

static int prepare_streams(struct starting *k, const struct ctr_attach_opts *io, ctr_error_t **err)
{
	CTR__CLEANUP(facts_free) struct facts f = {0};
	struct ctr_attach_opts o;
	int r = CTR__COPY_OPTS(&o, io, "ctr_attach_opts", err);

	if (r >= 0)
		r = read_facts(k->x, &f, err);
	if (r < 0)
		return r;
	if ((o.flags & CTR_ATTACH_STDIN) && !(f.flags & (CTR_EXEC_STDIN | CTR_EXEC_TERMINAL)))
		return refuse(err, "flags",
		    "CTR_ATTACH_STDIN needs a session that was created with CTR_EXEC_STDIN");
	r = ctr__stream_prepare(&o, f.keys, &k->relay, err);
	if (r < 0)
		return r;
	k->opened = (uint32_t)(o.flags & STREAMS);
	if (!ctr__stream_wanted_size(k->relay, &k->rows, &k->cols))
		k->rows = k->cols = 0;
	return 0;
}

int ctr__exec_start(struct ctr_exec *x, const struct ctr_exec_start_opts *opts,
    struct ctr_attach **out, ctr_error_t **err)
{
	CTR__CLEANUP(starting_free) struct starting k = {.x = x, .stream = -1};
	struct ctr_exec_start_opts o;
	int r = CTR__COPY_OPTS(&o, opts, "ctr_exec_start_opts", err);

	if (r >= 0 && o.flags)
		r = ctr__fail(err, CTR_E_UNSUPPORTED, "unknown flags 0x%llx for an exec start",
		    (unsigned long long)o.flags);
	if (r >= 0)
		r = check_fds(&o, err);
	if (r >= 0 && o.io && !out)
		r = ctr__fail(err, CTR_E_INVALID, "the place for the attach is NULL");
	if (r >= 0 && o.io)
		r = prepare_streams(&k, o.io, err);
	if (r < 0)
		return r;
	k.fds = o.fds;
	k.fds_n = o.fds_n;
	return start(&k, out, err);
}

/* ---- over a hijacked connection ---- */

#define HTTP_STREAMS (CTR_HTTP_STDIN | CTR_HTTP_STDOUT | CTR_HTTP_STDERR)

static uint32_t opened_by(uint64_t http)
{
	return (uint32_t)((http & CTR_HTTP_STDIN ? CTR_ATTACH_STDIN : 0) |
	                  (http & CTR_HTTP_STDOUT ? CTR_ATTACH_STDOUT : 0) |
	                  (http & CTR_HTTP_STDERR ? CTR_ATTACH_STDERR : 0));
}

static int check_http(const struct ctr_http_opts *h, ctr_error_t **err)
{
	if (h->flags & CTR_HTTP_LOGS)
		return refuse(err, "flags", "an exec session has no log");
	if (!(h->flags & HTTP_STREAMS))
		return refuse(err, "flags", "no stream is asked for");
	return 0;
}

static int prepare_http(
    struct starting *k, int32_t fd, const struct ctr_http_opts *h, ctr_error_t **err)
{
	CTR__CLEANUP(facts_free) struct facts f = {0};
	int r = read_facts(k->x, &f, err);
	struct ctr__stream_http s = {.fd = fd,
	    .flags = h->flags | CTR_HTTP_STREAM,
	    .detach_keys = h->detach_keys,
	    .default_keys = f.keys,
	    .initial = h->initial,
	    .initial_len = h->initial_len,
	    .terminal = f.flags & CTR_EXEC_TERMINAL};

	if (r < 0)
		return r;
	/* Docker's clients ask for it whether the session has one or not. */
	if (!(f.flags & (CTR_EXEC_STDIN | CTR_EXEC_TERMINAL)))
		s.flags &= ~CTR_HTTP_STDIN;
	k->opened = opened_by(s.flags);
	return ctr__stream_prepare_http(&s, &k->relay, err);
}

int ctr__exec_http_start(
    struct ctr_exec *x, const struct ctr__exec_http *o, struct ctr_attach **out, ctr_error_t **err)
{
	CTR__CLEANUP(starting_free)
	struct starting k = {.x = x, .stream = -1, .rows = o->rows, .cols = o->cols};
	struct ctr_http_opts h;
	int r = CTR__COPY_OPTS(&h, o->o, "ctr_http_opts", err);

	if (r >= 0)
		r = check_http(&h, err);
	if (r >= 0 && (o->rows || o->cols))
		r = ctr__stream_check_size(o->rows, o->cols, err);
	if (r >= 0)
		r = prepare_http(&k, o->fd, &h, err);
	return r < 0 ? r : start(&k, out, err);
}

/* ---- resize ---- */

/* Without the lock: a monitor that hangs is waited for, though not for long. */
int ctr__exec_resize(struct ctr_exec *x, uint32_t rows, uint32_t cols, ctr_error_t **err)
{
	CTR__SESSION struct ctr__session s = {0};
	CTR__EXEC_CALL struct ctr__exec_call call = {0};
	int r = ctr__stream_check_size(rows, cols, err);

	if (r >= 0)
		r = ctr__session_enter(x, CTR__OP_READ, CTR__LOOK_NOW, &s, err);
	if (r < 0)
		return r;
	if (s.s.state != CTR_EXEC_STATE_RUNNING)
		return ctr__session_wrong(&s, "resize", err);
	if (!(s.s.flags & CTR_EXEC_TERMINAL))
		return 0;
	r = ctr__exec_ask(s.g.c, s.id, &s.s, &call, err);
	if (r >= 0 && !call.oci->ops.exec_resize)
		r = ctr__fail(err, CTR_E_UNSUPPORTED, "OCI runtime %s cannot resize terminals",
		    call.oci->name);
	if (r < 0)
		return r;
	ctr__session_leave(&s);
	return call.oci->ops.exec_resize(call.oci->impl, &call.view, &call.exec, rows, cols, err);
}
