/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the room: pieces of lines, and where they come from. */
#ifndef LIBCTR_LOG_SOURCE_H
#define LIBCTR_LOG_SOURCE_H

#include "log/log.h"
#include "util/str.h"

/* What one record of a log holds: a line, or a part of one. */
struct ctr__log_piece {
	char *data; /* data[len] may be written to */
	size_t len;
	int64_t time_ns;
	int32_t stream;
	bool more; /* the line goes on in the next piece of this stream */
};

/* ---- k8s.c: "2006-01-02T15:04:05.999999999+07:00 stdout F text" ---- */

/* The text of the last time that was seen: neighbours often share it. Start: {0}. */
struct ctr__log_clock {
	char text[40];
	size_t len;
	int64_t ns;
};
/* A line without its newline. False: damaged. The piece points into it. */
bool ctr__log_parse_k8s(
    struct ctr__log_clock *clock, char *line, size_t len, struct ctr__log_piece *out);

/* ---- json.c: {"log":"text\n","stream":"stdout","time":"2006-01-02T15:04:05.999999999Z"} ---- */

/* Decodes in place. False: damaged. */
bool ctr__log_parse_json(char *line, size_t len, struct ctr__log_piece *out);

/* ---- sources ---- */

struct ctr__log_source {
	const struct ctr__log_source_ops *ops;
};
struct ctr__log_source_ops {
	/* 1 = a piece, valid until the next call; 0 = none now. */
	int (*next)(struct ctr__log_source *s, struct ctr__log_piece *out, ctr_error_t **err);
	/* Goes to the n-th last record, n > 0, or to the first one: *at_start. Until again() is called next() stops where the log
	 * ended at the first of these calls. */
	int (*back)(struct ctr__log_source *s, uint64_t n, bool *at_start, ctr_error_t **err);
	/* Goes where back() went last, this time without that end. */
	int (*again)(struct ctr__log_source *s, ctr_error_t **err);
	/* Goes behind the last record. */
	int (*to_end)(struct ctr__log_source *s, ctr_error_t **err);
	int (*finish)(struct ctr__log_source *s, int *fd); /* as ctr__log_finish() */
	int (*fd)(const struct ctr__log_source *s);
	void (*destroy)(struct ctr__log_source *s);
};

int ctr__log_open_file(
    const struct ctr__log_opts *o, struct ctr__log_source **out, ctr_error_t **err);
int ctr__log_open_journal(
    const struct ctr__log_opts *o, struct ctr__log_source **out, ctr_error_t **err);

#endif
