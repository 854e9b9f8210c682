/* SPDX-License-Identifier: Apache-2.0 */
/* The relay as an object. */
#include "stream/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "stream/relay.h"
#include "util/cleanup.h"

#define KNOWN_FLAGS                                                                   \
	(CTR_ATTACH_STDIN | CTR_ATTACH_STDOUT | CTR_ATTACH_STDERR | CTR_ATTACH_SIZE | \
	    CTR_ATTACH_KEEP_FDS)
#define KNOWN_HTTP                                                                              \
	(CTR_HTTP_STDIN | CTR_HTTP_STDOUT | CTR_HTTP_STDERR | CTR_HTTP_STREAM | CTR_HTTP_LOGS | \
	    CTR_HTTP_UPGRADE | CTR_HTTP_MULTIPLEXED | CTR_HTTP_NO_HEADER)

/* ---- life ---- */

/* A child after fork() shares the epoll set and the connections with its parent: it only closes numbers. */
static bool is_forked(const struct ctr_attach *a)
{
	return a->owner.check && a->owner.check(a->owner.arg, NULL) == CTR_E_FORKED;
}

static void close_ends(struct ctr_attach *a)
{
	for (int i = CTR__IN; i < CTR__PEER; i++)
		ctr__endpoint_close(&a->end[i]);
	if (a->socket >= 0)
		close(a->socket);
	a->socket = -1;
}

static void join_group(struct ctr_attach *a)
{
	struct ctr__stream_group *g = a->owner.group;

	if (!g)
		return;
	pthread_mutex_lock(&g->mutex);
	a->next = g->first;
	a->link = &g->first;
	if (a->next)
		a->next->link = &a->next;
	g->first = a;
	pthread_mutex_unlock(&g->mutex);
	a->grouped = true;
}

/* In a child after fork() the mutex may be anybody's. */
static void leave_group(struct ctr_attach *a)
{
	struct ctr__stream_group *g = a->owner.group;

	if (!a->grouped || is_forked(a))
		return;
	pthread_mutex_lock(&g->mutex);
	*a->link = a->next;
	if (a->next)
		a->next->link = a->link;
	pthread_mutex_unlock(&g->mutex);
}

static void relay_free(struct ctr_attach *a)
{
	leave_group(a);
	close_ends(a);
	for (int i = 0; i < CTR__ENDS; i++)
		ctr__kept_free(&a->kept[i]);
	if (a->source.destroy)
		a->source.destroy(a->source.arg);
	if (a->wake >= 0)
		close(a->wake);
	if (a->epoll >= 0)
		close(a->epoll);
	if (a->owner.destroy)
		a->owner.destroy(a->owner.arg);
	pthread_mutex_destroy(&a->mutex);
	free(a->why);
	free(a);
}

struct ctr_attach *ctr__stream_ref(struct ctr_attach *a)
{
	if (a)
		atomic_fetch_add(&a->refs, 1);
	return a;
}

void ctr__stream_unref(struct ctr_attach *a)
{
	if (!a || atomic_fetch_sub(&a->refs, 1) != 1)
		return;
	if (atomic_load(&a->result) == CTR_ATTACH_GOING_ON && a->owner.over && !is_forked(a)) {
		/* Before the owner is told: whoever waits for it may look at the process. */
		close_ends(a);
		a->owner.over(a->owner.arg, CTR_ATTACH_DETACHED);
	}
	relay_free(a);
}

static void unrefp(struct ctr_attach **a)
{
	ctr__stream_unref(*a);
}

static struct ctr_attach *relay_new(void)
{
	struct ctr_attach *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	atomic_init(&a->refs, 1);
	pthread_mutex_init(&a->mutex, NULL);
	a->epoll = a->wake = a->socket = -1;
	for (int i = CTR__IN; i < CTR__PEER; i++)
		a->end[i] = CTR__ENDPOINT_NONE;
	for (int i = 0; i < CTR__ENDS; i++)
		a->watched[i] = CTR__WATCH_NONE;
	return a;
}

static int make_epoll(struct ctr_attach *a, ctr_error_t **err)
{
	a->epoll = epoll_create1(EPOLL_CLOEXEC);
	return a->epoll < 0 ? ctr__fail_errno(err, errno, NULL, "make an epoll descriptor") : 0;
}

/* ---- preparing ---- */

static int bad_field(const char *field, const char *why, ctr_error_t **err)
{
	ctr__fail(err, CTR_E_INVALID, "%s %s", field, why);
	ctr__error_detail(err, "field", field);
	return CTR_E_INVALID;
}

int ctr__stream_check_size(uint32_t rows, uint32_t cols, ctr_error_t **err)
{
	if (rows < 1 || rows > 1000)
		return bad_field("rows", "of a terminal: 1 to 1000", err);
	if (cols < 1 || cols > 1000)
		return bad_field("cols", "of a terminal: 1 to 1000", err);
	return 0;
}

static int check_flags(
    uint64_t flags, uint64_t known, uint64_t one_of, const char *what, ctr_error_t **err)
{
	if (flags & ~known)
		return ctr__fail(err, CTR_E_UNSUPPORTED, "unknown flags 0x%llx for an attach",
		    (unsigned long long)(flags & ~known));
	if (flags & one_of)
		return 0;
	ctr__fail(err, CTR_E_INVALID, "an attach needs %s", what);
	ctr__error_detail(err, "field", "flags");
	return CTR_E_INVALID;
}

static int check_opts(const struct ctr_attach_opts *o, ctr_error_t **err)
{
	int r = check_flags(o->flags, KNOWN_FLAGS,
	    CTR_ATTACH_STDIN | CTR_ATTACH_STDOUT | CTR_ATTACH_STDERR, "at least one stream", err);

	if (r >= 0 && o->reserved)
		r = ctr__fail(err, CTR_E_UNSUPPORTED, "ctr_attach_opts.reserved is not 0");
	if (r >= 0 && (o->flags & CTR_ATTACH_SIZE))
		r = ctr__stream_check_size(o->rows, o->cols, err);
	return r;
}

static int open_end(struct ctr_attach *a, const struct ctr_attach_opts *o, int which, int fd,
    uint64_t flag, const char *field, ctr_error_t **err)
{
	const struct ctr__endpoint_wish w = {.fd = fd,
	    .epoll = a->epoll,
	    .output = which != CTR__IN,
	    .keep = o->flags & CTR_ATTACH_KEEP_FDS,
	    .field = field};

	a->asked[which] = o->flags & flag;
	return a->asked[which] ? ctr__endpoint_open(&a->end[which], &w, err) : 0;
}

static int open_ends(struct ctr_attach *a, const struct ctr_attach_opts *o, ctr_error_t **err)
{
	int r = open_end(a, o, CTR__IN, o->stdin_fd, CTR_ATTACH_STDIN, "stdin_fd", err);

	if (r >= 0)
		r = open_end(a, o, CTR__OUT, o->stdout_fd, CTR_ATTACH_STDOUT, "stdout_fd", err);
	if (r >= 0)
		r = open_end(a, o, CTR__ERR, o->stderr_fd, CTR_ATTACH_STDERR, "stderr_fd", err);
	if (r < 0)
		return r;
	/* One place must have one order, also when it does not take all at once. */
	if (ctr__endpoint_same(&a->end[CTR__OUT], &a->end[CTR__ERR])) {
		ctr__endpoint_close(&a->end[CTR__ERR]);
		a->asked[CTR__ERR] = false;
		a->merged = true;
	}
	return 0;
}

/* Without standard input the process's stays open: others may be attached to it. */
static void set_input(struct ctr_attach *a)
{
	a->input_ended = a->shut = !a->asked[CTR__IN];
}

int ctr__stream_prepare(const struct ctr_attach_opts *o, const char *default_keys,
    struct ctr_attach **out, ctr_error_t **err)
{
	CTR__CLEANUP(unrefp) struct ctr_attach *a = relay_new();
	int r = a ? check_opts(o, err) : ctr__fail_nomem(err);

	if (r >= 0)
		r = ctr__detach_parse(
		    o->detach_keys ? o->detach_keys : default_keys, &a->detach, err);
	if (r >= 0)
		r = make_epoll(a, err);
	if (r >= 0)
		r = open_ends(a, o, err);
	if (r < 0)
		return r;
	set_input(a);
	if (o->flags & CTR_ATTACH_SIZE) {
		a->rows = o->rows;
		a->cols = o->cols;
	}
	*out = CTR__STEAL_PTR(a);
	return 0;
}

static int check_http(const struct ctr__stream_http *h, ctr_error_t **err)
{
	struct stat st;
	int r = check_flags(
	    h->flags, KNOWN_HTTP, CTR_HTTP_STREAM | CTR_HTTP_LOGS, "the stream or the log", err);

	if (r >= 0)
		r = check_flags(h->flags, KNOWN_HTTP,
		    CTR_HTTP_STDIN | CTR_HTTP_STDOUT | CTR_HTTP_STDERR, "at least one stream", err);
	if (r < 0)
		return r;
	if (h->initial_len && !h->initial)
		return bad_field("initial", "is NULL", err);
	if (h->fd < 0 || fstat(h->fd, &st) < 0 || !S_ISSOCK(st.st_mode))
		return bad_field("fd", "is not a connection", err);
	return 0;
}

/* One number for both directions. */
static int open_connection(
    struct ctr_attach *a, const struct ctr__stream_http *h, ctr_error_t **err)
{
	const struct ctr__endpoint_wish w = {
	    .fd = h->fd, .epoll = a->epoll, .output = true, .field = "fd"};
	int r = ctr__endpoint_open(&a->end[CTR__OUT], &w, err);

	if (r < 0)
		return r;
	a->asked[CTR__OUT] = a->merged = true;
	a->asked[CTR__IN] = (h->flags & CTR_HTTP_STDIN) && (h->flags & CTR_HTTP_STREAM);
	if (a->asked[CTR__IN]) {
		a->end[CTR__IN] = a->end[CTR__OUT];
		a->end[CTR__IN].kept = true;
	}
	set_input(a);
	return 0;
}

int ctr__stream_prepare_http(
    const struct ctr__stream_http *h, struct ctr_attach **out, ctr_error_t **err)
{
	CTR__CLEANUP(unrefp) struct ctr_attach *a = relay_new();
	int r = a ? check_http(h, err) : ctr__fail_nomem(err);

	if (r >= 0)
		r = ctr__detach_parse(
		    h->detach_keys ? h->detach_keys : h->default_keys, &a->detach, err);
	if (r >= 0)
		r = make_epoll(a, err);
	if (r >= 0)
		r = open_connection(a, h, err);
	if (r < 0)
		return r;
	a->http = true;
	a->terminal = h->terminal;
	a->framed = !h->terminal;
	a->http_flags = h->flags;
	if (a->asked[CTR__IN] && h->initial_len && !ctr__relay_feed(a, h->initial, h->initial_len))
		return ctr__fail_nomem(err);
	*out = CTR__STEAL_PTR(a);
	return 0;
}

void ctr__stream_set_source(struct ctr_attach *a, const struct ctr__stream_source *s)
{
	a->source = *s;
}

bool ctr__stream_wanted_size(const struct ctr_attach *a, uint32_t *rows, uint32_t *cols)
{
	*rows = a->rows;
	*cols = a->cols;
	return a->rows;
}

/* ---- connecting ---- */

static int queue_header(struct ctr_attach *a, ctr_error_t **err)
{
	CTR__BUF struct ctr__buf header = {0};

	if (!a->http || (a->http_flags & CTR_HTTP_NO_HEADER))
		return 0;
	ctr__http_header(&header, a->http_flags, a->terminal);
	if (header.failed || !ctr__kept_add(&a->kept[CTR__OUT], header.data, header.len))
		return ctr__fail_nomem(err);
	return 0;
}

/* The first look is due at once: what an end had to say before it was waited for is not said again. */
static int set_wake(struct ctr_attach *a, ctr_error_t **err)
{
	struct epoll_event ev = {.events = EPOLLOUT};

	a->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (a->wake < 0)
		return ctr__fail_errno(err, errno, NULL, "make an eventfd");
	ev.data.fd = a->wake;
	atomic_store(&a->armed, true);
	if (epoll_ctl(a->epoll, EPOLL_CTL_ADD, a->wake, &ev) < 0)
		return ctr__fail_errno(err, errno, NULL, "wait for an eventfd");
	return 0;
}

int ctr__stream_connect(
    struct ctr_attach *a, int socket, const struct ctr__stream_owner *owner, ctr_error_t **err)
{
	int r;

	a->owner = *owner;
	a->socket = socket;
	r = set_wake(a, err);
	if (r >= 0)
		join_group(a);
	if (r >= 0)
		r = queue_header(a, err);
	return r < 0 ? r : ctr__relay_watch(a, err);
}

/* ---- the end ---- */

/* The client is told, if that can be done without waiting and its stream is not in the middle of something. */
static void tell_client(struct ctr_attach *a, const char *message)
{
	CTR__BUF struct ctr__buf text = {0};
	struct iovec v;

	if (!a->http || a->end[CTR__OUT].fd < 0 || ctr__output_is_stuck(a))
		return;
	ctr__http_error(&text, a->framed, message);
	v = (struct iovec){.iov_base = text.data, .iov_len = text.len};
	if (!text.failed)
		(void)ctr__endpoint_writev(&a->end[CTR__OUT], &v, 1);
}

/* The set stays readable, for whoever waits without knowing. */
static void finish(struct ctr_attach *a, int result, const char *message)
{
	if (result < 0) {
		a->why = strdup(message);
		tell_client(a, message);
	}
	for (int i = CTR__ENDS - 1; i >= 0; i--) {
		ctr__relay_drop(a, i);
		ctr__kept_free(&a->kept[i]);
	}
	ctr__relay_arm(a);
	atomic_store(&a->result, result);
}

/* The same answer again. */
static int again(const struct ctr_attach *a, ctr_error_t **err)
{
	int result = atomic_load(&a->result);

	if (result >= 0)
		return result;
	ctr__fail(err, result, "%s", a->why ? a->why : "");
	ctr__error_detail(err, "field", a->field);
	return result;
}

/* ---- processing ---- */

static void disarm(struct ctr_attach *a)
{
	struct epoll_event ev = {.data.fd = a->wake};

	if (atomic_exchange(&a->armed, false))
		(void)epoll_ctl(a->epoll, EPOLL_CTL_MOD, a->wake, &ev);
}

static int ask_owner(const struct ctr_attach *a, ctr_error_t **err)
{
	return a->owner.check ? a->owner.check(a->owner.arg, err) : 0;
}

static int work(struct ctr_attach *a, ctr_error_t **err)
{
	int r;

	/* In this order: whoever cancels, or shuts the runtime down, says so first and arms then. */
	disarm(a);
	r = ask_owner(a, err);
	if (r < 0)
		return r;
	if (atomic_load(&a->cancelled))
		return ctr__fail(err, CTR_E_CANCELLED, "the attach was cancelled");
	ctr__relay_look(a);
	r = ctr__relay_move(a, err);
	if (r == CTR_ATTACH_GOING_ON) {
		int w = ctr__relay_watch(a, err);

		r = w < 0 ? w : r;
	}
	return r;
}

/* *over: it is, since now. */
static int process_locked(struct ctr_attach *a, bool *over, ctr_error_t **why)
{
	int r;

	if (atomic_load(&a->result) != CTR_ATTACH_GOING_ON)
		return again(a, why);
	r = work(a, why);
	*over = r != CTR_ATTACH_GOING_ON;
	if (*over)
		finish(a, r, ctr_error_message(*why));
	ctr__error_detail(why, "field", a->field);
	return r;
}

int ctr__stream_process(struct ctr_attach *a, ctr_error_t **err)
{
	CTR__ERROR ctr_error_t *why = NULL;
	bool over = false;
	int r = ask_owner(a, &why);

	/* Else it is not the time, or not the process, to touch anything. */
	if (r >= 0 || r == CTR_E_RUNTIME_STOPPED) {
		pthread_mutex_lock(&a->mutex);
		r = process_locked(a, &over, &why);
		pthread_mutex_unlock(&a->mutex);
		if (over && a->owner.over)
			a->owner.over(a->owner.arg, r);
	}
	if (r < 0 && err)
		*err = CTR__STEAL_PTR(why);
	return r;
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* 0 = the time is over. */
static int await(struct ctr_attach *a, int64_t end_ms, ctr_error_t **err)
{
	int64_t left = end_ms < 0 ? -1 : end_ms - now_ms();
	struct epoll_event ev;
	int n;

	if (end_ms >= 0 && left < 0)
		left = 0;
	if (left > INT32_MAX)
		left = INT32_MAX;
	n = epoll_wait(a->epoll, &ev, 1, (int)left);
	if (n < 0 && errno != EINTR)
		return ctr__fail_errno(err, errno, NULL, "wait for an attach");
	return n != 0 || left == INT32_MAX;
}

/* One that no clock reaches is none. */
static int64_t deadline(int64_t timeout_ms)
{
	return timeout_ms < 0 || timeout_ms > INT64_MAX / 2 ? -1 : now_ms() + timeout_ms;
}

int ctr__stream_run(struct ctr_attach *a, int64_t timeout_ms, ctr_error_t **err)
{
	int64_t end_ms = deadline(timeout_ms);

	for (;;) {
		int r = ctr__stream_process(a, err);

		if (r != CTR_ATTACH_GOING_ON)
			return r;
		r = await(a, end_ms, err);
		if (r == 0)
			return ctr__fail(err, CTR_E_TIMEOUT, "the attach is not over after %lld ms",
			    (long long)timeout_ms);
		if (r < 0)
			return r;
	}
}

/* ---- the rest ---- */

int ctr__stream_fd(const struct ctr_attach *a)
{
	return a->epoll;
}

int ctr__stream_result(const struct ctr_attach *a)
{
	return atomic_load(&a->result);
}

void ctr__stream_cancel(struct ctr_attach *a)
{
	if (is_forked(a))
		return;
	atomic_store(&a->cancelled, true);
	ctr__relay_arm(a);
}

void ctr__stream_group_init(struct ctr__stream_group *g)
{
	pthread_mutex_init(&g->mutex, NULL);
	g->first = NULL;
}

void ctr__stream_group_free(struct ctr__stream_group *g)
{
	pthread_mutex_destroy(&g->mutex);
}

void ctr__stream_group_wake(struct ctr__stream_group *g)
{
	pthread_mutex_lock(&g->mutex);
	for (struct ctr_attach *a = g->first; a; a = a->next)
		ctr__relay_arm(a);
	pthread_mutex_unlock(&g->mutex);
}

int ctr__stream_resize(struct ctr_attach *a, uint32_t rows, uint32_t cols, ctr_error_t **err)
{
	int r = ctr__stream_check_size(rows, cols, err);

	if (r < 0)
		return r;
	if (!a->owner.resize)
		return ctr__fail(
		    err, CTR_E_UNSUPPORTED, "what is attached to has no terminal's size");
	return a->owner.resize(a->owner.arg, rows, cols, err);
}
