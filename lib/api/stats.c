/* SPDX-License-Identifier: Apache-2.0 */
/* Public functions of stats.h. */
#include "core/stats.h"

#include <stdlib.h>

#include "core/top.h"

#define INTERVAL_MIN_MS 10
#define INTERVAL_MAX_MS (INT64_C(86400) * 1000)

static int check_out(void *out, ctr_error_t **err)
{
	return out ? 0 : ctr__fail(err, CTR_E_INVALID, "out is NULL");
}

/* ---- processes ---- */

int ctr_container_top(
    ctr_container_t *c, const char *const *columns, ctr_top_t **out, ctr_error_t **err)
{
	int r = check_out(out, err);

	if (r < 0)
		return r;
	*out = NULL;
	return ctr__top(c, columns, out, err);
}

size_t ctr_top_columns(const ctr_top_t *t)
{
	return t ? t->columns : 0;
}

size_t ctr_top_rows(const ctr_top_t *t)
{
	return t ? t->rows : 0;
}

const char *ctr_top_title(const ctr_top_t *t, size_t column)
{
	return t && column < t->columns ? t->titles[column] : NULL;
}

const char *ctr_top_cell(const ctr_top_t *t, size_t row, size_t column)
{
	return t && row < t->rows && column < t->columns ? t->cells[row * t->columns + column]
	                                                 : NULL;
}

void ctr_top_free(ctr_top_t *t)
{
	ctr__top_free(t);
}

void ctr_top_freep(ctr_top_t **t)
{
	if (!t)
		return;
	ctr__top_free(*t);
	*t = NULL;
}

/* ---- use of resources ---- */

int ctr_container_stats(ctr_container_t *c, ctr_stats_t **out, ctr_error_t **err)
{
	int r = check_out(out, err);

	if (r < 0)
		return r;
	*out = NULL;
	return ctr__stats(c, out, err);
}

int ctr_stats_value(const ctr_stats_t *s, int32_t what, uint64_t *value)
{
	if (!s || what <= 0 || what >= CTR__STATS_MAX || !s->there[what])
		return 0;
	if (value)
		*value = s->value[what];
	return 1;
}

const char *ctr_stats_name(int32_t what)
{
	return ctr__stats_name(what);
}

const char *ctr_stats_container_id(const ctr_stats_t *s)
{
	return s ? s->id : NULL;
}

void ctr_stats_free(ctr_stats_t *s)
{
	free(s);
}

void ctr_stats_freep(ctr_stats_t **s)
{
	if (!s)
		return;
	free(*s);
	*s = NULL;
}

/* ---- readings at intervals ---- */

int ctr_container_stats_stream(
    ctr_container_t *c, int64_t interval_ms, ctr_stats_stream_t **out, ctr_error_t **err)
{
	int r = check_out(out, err);

	if (r < 0)
		return r;
	*out = NULL;
	if (interval_ms < INTERVAL_MIN_MS || interval_ms > INTERVAL_MAX_MS)
		return ctr__fail(err, CTR_E_INVALID,
		    "interval %lld ms is not within 10 ms and a day", (long long)interval_ms);
	return ctr__stats_stream_open(c, interval_ms, out, err);
}

int ctr_stats_stream_fd(const ctr_stats_stream_t *s)
{
	return s ? ctr__stats_stream_fd(s) : -1;
}

int ctr_stats_stream_next(ctr_stats_stream_t *s, ctr_stats_t **out, ctr_error_t **err)
{
	int r = check_out(out, err);

	if (r >= 0 && !s)
		r = ctr__fail(err, CTR_E_INVALID, "the stream is NULL");
	if (r < 0)
		return r;
	*out = NULL;
	return ctr__stats_stream_next(s, out, err);
}

void ctr_stats_stream_free(ctr_stats_stream_t *s)
{
	ctr__stats_stream_free(s);
}

void ctr_stats_stream_freep(ctr_stats_stream_t **s)
{
	if (!s)
		return;
	ctr__stats_stream_free(*s);
	*s = NULL;
}
