/* SPDX-License-Identifier: Apache-2.0 */
/* Public functions of log.h. */
#include <libctr/log.h>

#include "core/logs.h"
#include "core/opts.h"

#define KNOWN_FLAGS (CTR_LOGS_FOLLOW | CTR_LOGS_TAIL | CTR_LOGS_STDOUT | CTR_LOGS_STDERR)

static int check_opts(const struct ctr_logs_opts *o, ctr_error_t **err)
{
	if (o->flags & ~KNOWN_FLAGS)
		return ctr__fail(err, CTR_E_UNSUPPORTED, "unknown flags 0x%llx for logs",
		    (unsigned long long)(o->flags & ~KNOWN_FLAGS));
	if (o->tail && !(o->flags & CTR_LOGS_TAIL))
		return ctr__fail(err, CTR_E_INVALID, "tail is set without CTR_LOGS_TAIL");
	if (o->since_ns < 0 || o->until_ns < 0)
		return ctr__fail(err, CTR_E_INVALID, "%s is negative",
		    o->since_ns < 0 ? "since_ns" : "until_ns");
	return 0;
}

int ctr_container_logs(
    ctr_container_t *c, const struct ctr_logs_opts *opts, ctr_logs_t **out, ctr_error_t **err)
{
	struct ctr_logs_opts o;
	int r = CTR__COPY_OPTS(&o, opts, "ctr_logs_opts", err);

	if (out)
		*out = NULL;
	if (r >= 0)
		r = check_opts(&o, err);
	if (r >= 0 && !out)
		r = ctr__fail(err, CTR_E_INVALID, "out is NULL");
	return r < 0 ? r : ctr__logs_open(c, &o, out, err);
}

static int check(const ctr_logs_t *l, ctr_error_t **err)
{
	return l ? 0 : ctr__fail(err, CTR_E_INVALID, "the reader is NULL");
}

int ctr_logs_next(ctr_logs_t *l, ctr_error_t **err)
{
	int r = check(l, err);

	return r < 0 ? r : ctr__logs_next(l, err);
}

int ctr_logs_wait(ctr_logs_t *l, int64_t timeout_ms, ctr_error_t **err)
{
	int r = check(l, err);

	if (r >= 0 && timeout_ms < -1)
		r = ctr__fail(err, CTR_E_INVALID, "timeout %lld ms is negative (-1 = no limit)",
		    (long long)timeout_ms);
	return r < 0 ? r : ctr__logs_wait(l, timeout_ms, err);
}

int ctr_logs_fd(ctr_logs_t *l, ctr_error_t **err)
{
	int r = check(l, err);

	return r < 0 ? r : ctr__logs_fd(l, err);
}

void ctr_logs_cancel(ctr_logs_t *l)
{
	if (l)
		ctr__logs_cancel(l);
}

static const struct ctr__log_line *line_of(const ctr_logs_t *l)
{
	return l ? ctr__logs_line(l) : NULL;
}

const char *ctr_logs_text(const ctr_logs_t *l, size_t *len)
{
	const struct ctr__log_line *line = line_of(l);

	if (len)
		*len = line ? line->len : 0;
	return line ? line->text : NULL;
}

int64_t ctr_logs_time_ns(const ctr_logs_t *l)
{
	const struct ctr__log_line *line = line_of(l);

	return line ? line->time_ns : 0;
}

int32_t ctr_logs_stream(const ctr_logs_t *l)
{
	const struct ctr__log_line *line = line_of(l);

	return line ? line->stream : 0;
}

int ctr_logs_is_partial(const ctr_logs_t *l)
{
	const struct ctr__log_line *line = line_of(l);

	return line && line->partial;
}

void ctr_logs_free(ctr_logs_t *l)
{
	ctr__logs_free(l);
}

void ctr_logs_freep(ctr_logs_t **l)
{
	if (!l)
		return;
	ctr__logs_free(*l);
	*l = NULL;
}
