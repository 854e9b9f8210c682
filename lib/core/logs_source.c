/* SPDX-License-Identifier: Apache-2.0 */
/* A log as the output that it was once. */
#include <stdlib.h>

#include "core/logs.h"
#include "util/cleanup.h"

#define PIECE_MAX (64U << 10)

struct source {
	struct ctr_logs *logs;
	const char *rest; /* of the line that the reader is at, */
	size_t rest_len;
	bool newline; /* and whether a newline follows      */
	int32_t stream;
	char piece[PIECE_MAX];
};

static void destroy(void *arg)
{
	struct source *s = arg;

	ctr__logs_free(s->logs);
	free(s);
}

static int next_line(struct source *s, ctr_error_t **err)
{
	int r = ctr__logs_next(s->logs, err);
	const struct ctr__log_line *line;

	if (r <= 0)
		return r;
	line = ctr__logs_line(s->logs);
	s->rest = line->text;
	s->rest_len = line->len;
	s->newline = !line->partial;
	s->stream = line->stream;
	return 1;
}

static int next(void *arg, int32_t *stream, const char **data, size_t *len, ctr_error_t **err)
{
	struct source *s = arg;
	size_t n;
	int r;

	while (s->rest_len == 0 && !s->newline) {
		r = next_line(s, err);
		if (r <= 0)
			return r;
	}
	n = s->rest_len < PIECE_MAX ? s->rest_len : PIECE_MAX;
	if (n)
		memcpy(s->piece, s->rest, n);
	s->rest += n;
	s->rest_len -= n;
	if (s->rest_len == 0 && s->newline && n < PIECE_MAX) {
		s->piece[n++] = '\n';
		s->newline = false;
	}
	*stream = s->stream;
	*data = s->piece;
	*len = n;
	return 1;
}

int ctr__logs_source(
    struct ctr_container *c, uint64_t streams, struct ctr__stream_source *out, ctr_error_t **err)
{
	struct ctr_logs_opts o = {.size = sizeof(o), .flags = streams};
	struct source *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return ctr__fail_nomem(err);
	r = ctr__logs_open(c, &o, &s->logs, err);
	if (r < 0) {
		free(s);
		return r;
	}
	*out = (struct ctr__stream_source){.next = next, .destroy = destroy, .arg = s};
	return 0;
}
