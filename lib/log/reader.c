/* SPDX-License-Identifier: Apache-2.0 */
/* Pieces put together to lines; which lines are wanted; the last N of them. */
#include <stdlib.h>

#include "log/source.h"
#include "util/cleanup.h"

#define STREAMS 3 /* by number; 0 is none */

/* Records that are looked at for a tail of N lines, beyond N: first, and at most for a line whose beginning may be further
 * up. Its pieces may be anywhere, but hardly that far apart. */
#define TAIL_MARGIN 16
#define PIECES_FAR  4096

/* A line that is being put together. */
struct pending {
	struct ctr__buf text;
	int64_t time_ns;
	uint64_t last; /* number of its last piece */
	bool open;
};

struct ctr__log {
	struct ctr__log_source *source;
	uint32_t streams;
	int64_t since_ns, until_ns;
	struct pending pending[STREAMS];
	struct ctr__log_piece held; /* did not fit any more */
	bool has_held;
	int32_t spent;   /* the stream whose pending text was given out; 0 = none */
	uint64_t pieces; /* so far */
	bool finished;
	int64_t first_ns; /* time of the first piece since the last jump; 0 = none yet */
	uint64_t skip;    /* lines before the tail */
};

/* ---- putting together ---- */

static void spend(struct ctr__log *l)
{
	struct pending *p = &l->pending[l->spent];

	if (l->spent == 0)
		return;
	/* Long lines are rare: their memory is not kept. */
	ctr__buf_free(&p->text);
	*p = (struct pending){0};
	l->spent = 0;
}

static void give_pending(
    struct ctr__log *l, int32_t stream, bool partial, struct ctr__log_line *out)
{
	const struct pending *p = &l->pending[stream];

	*out = (struct ctr__log_line){.text = p->text.data ? p->text.data : "",
	    .len = p->text.len,
	    .time_ns = p->time_ns,
	    .stream = stream,
	    .partial = partial};
	l->spent = stream;
}

/* 1 = a line, 0 = not yet. */
static int take_piece(
    struct ctr__log *l, struct ctr__log_piece *piece, struct ctr__log_line *out, ctr_error_t **err)
{
	struct pending *p = &l->pending[piece->stream];

	if (!p->open && !piece->more) {
		piece->data[piece->len] = '\0';
		*out = (struct ctr__log_line){
		    piece->data, piece->len, piece->time_ns, piece->stream, false};
		return 1;
	}
	if (p->open && p->text.len + piece->len > CTR__LOG_LINE_MAX) {
		l->held = *piece;
		l->has_held = true;
		give_pending(l, piece->stream, true, out);
		return 1;
	}
	if (!p->open)
		p->time_ns = piece->time_ns;
	p->open = true;
	p->last = ++l->pieces;
	ctr__buf_add(&p->text, piece->data, piece->len);
	if (p->text.failed)
		return ctr__fail_nomem(err);
	if (piece->more)
		return 0;
	give_pending(l, piece->stream, false, out);
	return 1;
}

/* At the end: what was never ended, in the order of the last pieces. */
static int take_rest(struct ctr__log *l, struct ctr__log_line *out)
{
	const struct pending *a = &l->pending[CTR__LOG_STDOUT], *b = &l->pending[CTR__LOG_STDERR];

	if (!a->open && !b->open)
		return 0;
	give_pending(l,
	    a->open && (!b->open || a->last < b->last) ? CTR__LOG_STDOUT : CTR__LOG_STDERR, true,
	    out);
	return 1;
}

/* Is everything that comes newer than what is wanted? */
static bool is_past(const struct ctr__log *l, const struct ctr__log_piece *piece)
{
	if (!l->until_ns || piece->time_ns <= l->until_ns)
		return false;
	for (int i = 1; i < STREAMS; i++)
		if (l->pending[i].open && l->pending[i].time_ns <= l->until_ns)
			return false;
	return true;
}

/* As ctr__log_next(), of all times. */
static int next_line(struct ctr__log *l, struct ctr__log_line *out, ctr_error_t **err)
{
	struct ctr__log_piece piece;
	int r = 0;

	spend(l);
	if (l->has_held) {
		l->has_held = false;
		piece = l->held;
		r = take_piece(l, &piece, out, err);
	}
	while (r == 0) {
		r = l->source->ops->next(l->source, &piece, err);
		if (r == 0)
			return l->finished ? take_rest(l, out) : 0;
		if (r < 0)
			return r;
		if (l->first_ns == 0)
			l->first_ns = piece.time_ns;
		if (is_past(l, &piece))
			return 2;
		r = l->streams & 1U << piece.stream ? take_piece(l, &piece, out, err) : 0;
	}
	return r;
}

static bool is_wanted(const struct ctr__log *l, const struct ctr__log_line *line)
{
	return line->time_ns >= l->since_ns && (!l->until_ns || line->time_ns <= l->until_ns);
}

static int next_wanted(struct ctr__log *l, struct ctr__log_line *out, ctr_error_t **err)
{
	int r;

	do {
		r = next_line(l, out, err);
	} while (r == 1 && !is_wanted(l, out));
	return r;
}

/* ---- the last N ---- */

static void forget(struct ctr__log *l)
{
	l->has_held = false;
	for (int32_t i = 1; i < STREAMS; i++) {
		l->spent = i;
		spend(l);
	}
}

struct count {
	uint64_t all;
	uint64_t sure; /* behind the last one that may have begun further up */
};

/* Counts the wanted lines from here on. Of each stream the first one may have begun further up. */
static int count_lines(struct ctr__log *l, struct count *n, ctr_error_t **err)
{
	bool seen[STREAMS] = {false};
	struct ctr__log_line line;
	int r;

	*n = (struct count){0};
	while ((r = next_wanted(l, &line, err)) == 1) {
		n->all++;
		n->sure = seen[line.stream] ? n->sure + 1 : 0;
		seen[line.stream] = true;
	}
	return r < 0 ? r : 0;
}

/* Is what was counted from `records` records on enough? What is further up than something too old is older still. */
static bool is_enough(
    const struct ctr__log *l, const struct count *n, uint64_t wanted, uint64_t records)
{
	return n->sure >= wanted || (n->all >= wanted && records >= wanted + PIECES_FAR) ||
	       (l->first_ns && l->first_ns < l->since_ns);
}

/* From records nearer and nearer to the beginning, until there are lines enough from there on. */
static int go_to_tail(struct ctr__log *l, uint64_t wanted, ctr_error_t **err)
{
	uint64_t records = 0;
	bool at_start = false;
	struct count n;
	int r;

	wanted = wanted < UINT64_MAX / 16 ? wanted : UINT64_MAX / 16;
	do {
		records = records ? records * 4 : wanted + TAIL_MARGIN;
		if (records > wanted + TAIL_MARGIN && records < wanted + PIECES_FAR)
			records = wanted + PIECES_FAR;
		l->first_ns = 0;
		r = l->source->ops->back(l->source, records, &at_start, err);
		if (r >= 0)
			r = count_lines(l, &n, err);
		forget(l);
	} while (r >= 0 && !at_start && !is_enough(l, &n, wanted, records));
	if (r >= 0)
		r = l->source->ops->again(l->source, err);
	if (r >= 0)
		l->skip = n.all > wanted ? n.all - wanted : 0;
	return r;
}

/* ---- the interface ---- */

int ctr__log_next(struct ctr__log *l, struct ctr__log_line *out, ctr_error_t **err)
{
	int r;

	while ((r = next_wanted(l, out, err)) == 1 && l->skip > 0)
		l->skip--;
	return r;
}

int ctr__log_finish(struct ctr__log *l, int *fd)
{
	int r = l->source->ops->finish(l->source, fd);

	if (r > 0)
		l->finished = true;
	return r;
}

int ctr__log_fd(const struct ctr__log *l)
{
	return l->source->ops->fd(l->source);
}

void ctr__log_free(struct ctr__log *l)
{
	if (!l)
		return;
	forget(l);
	if (l->source)
		l->source->ops->destroy(l->source);
	free(l);
}

static void freep(struct ctr__log **l)
{
	ctr__log_free(*l);
}

static int open_source(struct ctr__log *l, const struct ctr__log_opts *o, ctr_error_t **err)
{
	return o->path ? ctr__log_open_file(o, &l->source, err)
	               : ctr__log_open_journal(o, &l->source, err);
}

int ctr__log_open(const struct ctr__log_opts *o, struct ctr__log **out, ctr_error_t **err)
{
	CTR__CLEANUP(freep) struct ctr__log *l = calloc(1, sizeof(*l));
	int fd, r;

	if (!l)
		return ctr__fail_nomem(err);
	l->streams = o->streams;
	l->since_ns = o->since_ns;
	l->until_ns = o->until_ns;
	r = open_source(l, o, err);
	/* Lines that nothing has ended count in a tail, too, unless they may still be. */
	if (r >= 0 && !o->follow)
		(void)ctr__log_finish(l, &fd);
	if (r >= 0 && o->has_tail)
		r = o->tail ? go_to_tail(l, o->tail, err) : l->source->ops->to_end(l->source, err);
	if (r < 0)
		return r;
	*out = CTR__STEAL_PTR(l);
	return 0;
}
