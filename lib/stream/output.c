/* SPDX-License-Identifier: Apache-2.0 */
/* From the process to the host. */
#include "stream/relay.h"

#include <errno.h>
#include <stdlib.h>

#include "util/cleanup.h"

/* ---- what is kept ---- */

bool ctr__kept_add(struct ctr__kept *k, const void *data, size_t len)
{
	size_t have = k->len - k->at;
	unsigned char *bigger;

	if (!len)
		return true;
	bigger = malloc(have + len);
	if (!bigger)
		return false;
	if (have)
		memcpy(bigger, k->data + k->at, have);
	memcpy(bigger + have, data, len);
	free(k->data);
	*k = (struct ctr__kept){.data = bigger, .len = have + len};
	return true;
}

void ctr__kept_free(struct ctr__kept *k)
{
	free(k->data);
	*k = (struct ctr__kept){0};
}

/* ---- which output ---- */

/* Does the client of a hijacked connection want it? A terminal has one stream, by whichever name. */
static bool is_wanted(const struct ctr_attach *a, int stream)
{
	const uint64_t both = CTR_HTTP_STDOUT | CTR_HTTP_STDERR;
	uint64_t flag = stream == CTR__STDERR ? CTR_HTTP_STDERR : CTR_HTTP_STDOUT;

	if (!a->http)
		return true;
	if (a->terminal)
		return stream == CTR__STDOUT && (a->http_flags & both);
	return a->http_flags & flag;
}

static int output_of(const struct ctr_attach *a, int stream)
{
	return stream == CTR__STDERR && !a->merged ? CTR__ERR : CTR__OUT;
}

static bool is_gone(const struct ctr_attach *a, int which)
{
	return !a->asked[which] || a->end[which].fd < 0;
}

bool ctr__output_all_gone(const struct ctr_attach *a)
{
	return (a->asked[CTR__OUT] || a->asked[CTR__ERR]) && is_gone(a, CTR__OUT) &&
	       is_gone(a, CTR__ERR);
}

bool ctr__output_is_stuck(const struct ctr_attach *a)
{
	return ctr__kept_any(&a->kept[CTR__OUT]) || ctr__kept_any(&a->kept[CTR__ERR]);
}

/* ---- writing ---- */

/* What goes to one output, in its order. */
struct list {
	struct iovec v[2 * CTR__BATCH];
	int n, at;
};

static void add(struct list *l, const void *data, size_t len)
{
	if (len)
		l->v[l->n++] = (struct iovec){.iov_base = (void *)(uintptr_t)data, .iov_len = len};
}

static void advance(struct list *l, size_t n)
{
	while (l->at < l->n && n >= l->v[l->at].iov_len)
		n -= l->v[l->at++].iov_len;
	if (l->at < l->n) {
		l->v[l->at].iov_base = (char *)l->v[l->at].iov_base + n;
		l->v[l->at].iov_len -= n;
	}
}

/* As much as goes without waiting. */
static int write_list(struct ctr_attach *a, int which, struct list *l, ctr_error_t **err)
{
	while (l->at < l->n) {
		ssize_t n = ctr__endpoint_writev(&a->end[which], l->v + l->at, l->n - l->at);

		if (n == -EAGAIN)
			return 0;
		if (n == -EPIPE) {
			ctr__relay_drop(a, which);
			l->at = l->n;
			return 0;
		}
		if (n < 0)
			return ctr__relay_failed(
			    a, which == CTR__OUT ? "stdout_fd" : "stderr_fd", (int)-n, err);
		advance(l, (size_t)n);
	}
	return 0;
}

static int keep_rest(struct ctr_attach *a, int which, const struct list *l, ctr_error_t **err)
{
	struct ctr__kept *k = &a->kept[which];
	size_t len = 0, at = 0;

	for (int i = l->at; i < l->n; i++)
		len += l->v[i].iov_len;
	if (!len)
		return 0;
	k->data = malloc(len);
	if (!k->data)
		return ctr__fail_nomem(err);
	for (int i = l->at; i < l->n; i++) {
		memcpy(k->data + at, l->v[i].iov_base, l->v[i].iov_len);
		at += l->v[i].iov_len;
	}
	k->at = 0;
	k->len = len;
	return 0;
}

int ctr__output_write(struct ctr_attach *a, const struct ctr__piece *p, size_t n, ctr_error_t **err)
{
	unsigned char headers[CTR__BATCH][CTR__FRAME_HEADER];
	struct list lists[CTR__PEER];
	int r = 0;

	for (int i = CTR__OUT; i <= CTR__ERR; i++)
		lists[i].n = lists[i].at = 0;
	for (size_t i = 0; i < n; i++) {
		int which = output_of(a, p[i].stream);

		if (!p[i].len || is_gone(a, which) || !is_wanted(a, p[i].stream))
			continue;
		if (a->framed) {
			ctr__frame_header(headers[i], p[i].stream, p[i].len);
			add(&lists[which], headers[i], CTR__FRAME_HEADER);
		}
		add(&lists[which], p[i].data, p[i].len);
	}
	for (int i = CTR__OUT; r >= 0 && i <= CTR__ERR; i++) {
		r = write_list(a, i, &lists[i], err);
		if (r >= 0)
			r = keep_rest(a, i, &lists[i], err);
	}
	return r;
}

static int flush_one(struct ctr_attach *a, int which, bool *moved, ctr_error_t **err)
{
	struct ctr__kept *k = &a->kept[which];
	struct list l = {.n = 1};
	int r;

	l.v[0] = (struct iovec){.iov_base = k->data + k->at, .iov_len = k->len - k->at};
	r = write_list(a, which, &l, err);
	if (r < 0)
		return r;
	if (l.at < l.n) {
		size_t at = k->len - l.v[0].iov_len;

		*moved |= at != k->at;
		k->at = at;
		return 0;
	}
	ctr__kept_free(k);
	*moved = true;
	return 0;
}

int ctr__output_flush(struct ctr_attach *a, bool *moved, ctr_error_t **err)
{
	int r = 0;

	for (int i = CTR__OUT; r >= 0 && i <= CTR__ERR; i++)
		if (ctr__kept_any(&a->kept[i]))
			r = flush_one(a, i, moved, err);
	return r;
}
