/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journals of events, one in each environment. Key: a counter, big-endian. Value: stamp and time (what
 * merging and seeking need), then the event's record.
 */
#include "store/env.h"

#define TRIM_MAX 4 /* records dropped per append: the cost stays flat */

struct frame {
	uint64_t stamp;
	int64_t time_ns;
};

/* That of a damaged record is zero: it must not stand in the way of the others. */
static void get_frame(MDB_val v, struct frame *f)
{
	if (v.mv_size < sizeof(*f))
		*f = (struct frame){0, 0};
	else
		memcpy(f, v.mv_data, sizeof(*f));
}

static int get_key(MDB_val k, uint64_t *n)
{
	if (k.mv_size != 8)
		return MDB_CORRUPTED;
	*n = ctr__get_be64(k.mv_data);
	return 0;
}

/* Number of the first or last record; 0 if there is none. */
static int number_at(MDB_cursor *cur, MDB_cursor_op op, uint64_t *n, MDB_val *v)
{
	MDB_val k;
	int rc = mdb_cursor_get(cur, &k, v, op);

	*n = 0;
	if (rc == MDB_NOTFOUND)
		return 0;
	return rc ? rc : get_key(k, n);
}

/* ---- writing ---- */

static int trim(MDB_cursor *cur, uint64_t newest)
{
	for (int i = 0; i < TRIM_MAX; i++) {
		uint64_t oldest;
		MDB_val v;
		int rc = number_at(cur, MDB_FIRST, &oldest, &v);

		if (rc || newest - oldest < CTR__JOURNAL_MAX)
			return rc;
		rc = mdb_cursor_del(cur, 0);
		if (rc)
			return rc;
	}
	return 0;
}

static int append(MDB_cursor *cur, const struct ctr__buf *buf)
{
	unsigned char be[8];
	MDB_val k = ctr__val(be, sizeof(be)), v;
	uint64_t newest;
	int rc = number_at(cur, MDB_LAST, &newest, &v);

	if (rc)
		return rc;
	ctr__put_be64(be, ++newest);
	v = ctr__val(buf->data, buf->len);
	rc = mdb_cursor_put(cur, &k, &v, MDB_APPEND);
	return rc ? rc : trim(cur, newest);
}

int ctr__journal_append(
    struct ctr__env *e, MDB_txn *txn, const struct ctr_event *ev, struct ctr__buf *buf)
{
	CTR__CURSOR MDB_cursor *cur = NULL;
	struct ctr_event stamped;
	struct frame f;
	int rc;

	/* A shallow copy, for its stamp: the event belongs to the caller. */
	memcpy(&stamped, ev, sizeof(stamped));
	stamped.stamp = ctr__locks_next_stamp(e->store->locks);
	f = (struct frame){stamped.stamp, stamped.time_ns};
	buf->len = 0;
	ctr__buf_add(buf, &f, sizeof(f));
	ctr__event_encode(&stamped, buf);
	if (buf->failed) {
		buf->failed = false;
		return ENOMEM;
	}
	rc = mdb_cursor_open(txn, e->db[CTR__DB_EVENT], &cur);
	return rc ? rc : append(cur, buf);
}

/* ---- reading ---- */

static int newest(struct ctr__env *e, MDB_txn *txn, uint64_t *number, struct frame *f)
{
	CTR__CURSOR MDB_cursor *cur = NULL;
	MDB_val v;
	int rc = mdb_cursor_open(txn, e->db[CTR__DB_EVENT], &cur);

	*f = (struct frame){0, 0};
	if (rc == 0)
		rc = number_at(cur, MDB_LAST, number, &v);
	if (rc == 0 && *number > 0)
		get_frame(v, f);
	return rc;
}

int ctr__journal_last_stamp(struct ctr__env *e, MDB_txn *txn, uint64_t *stamp)
{
	struct frame f;
	uint64_t number;
	int rc = newest(e, txn, &number, &f);

	*stamp = f.stamp;
	return rc;
}

static int end_of(struct ctr__env *e, uint64_t *next, ctr_error_t **err)
{
	CTR__READ struct ctr__read rd = {0};
	struct frame f;
	int r = ctr__read_begin(e, &rd, err);

	if (r == 0)
		r = newest(e, rd.txn, next, &f);
	++*next;
	return ctr__env_result(e, r, err);
}

int ctr__store_events_end(struct ctr__store *s, struct ctr__cursor *c, ctr_error_t **err)
{
	int r;

	*c = (struct ctr__cursor){0, 0};
	r = end_of(&s->root_env, &c->root_next, err);
	return r < 0 ? r : end_of(&s->run_env, &c->run_next, err);
}

/* The oldest that is not older; else behind the newest. */
static int seek(struct ctr__env *e, MDB_txn *txn, int64_t since_ns, uint64_t *next)
{
	CTR__CURSOR MDB_cursor *cur = NULL;
	MDB_val k, v;
	uint64_t n = 0;
	int rc = mdb_cursor_open(txn, e->db[CTR__DB_EVENT], &cur);

	if (rc == 0)
		rc = mdb_cursor_get(cur, &k, &v, MDB_FIRST);
	while (rc == 0) {
		struct frame f;

		rc = get_key(k, &n);
		get_frame(v, &f);
		if (rc == 0 && f.time_ns >= since_ns) {
			*next = n;
			return 0;
		}
		if (rc == 0)
			rc = mdb_cursor_get(cur, &k, &v, MDB_NEXT);
	}
	*next = n + 1;
	return rc == MDB_NOTFOUND ? 0 : rc;
}

static int seek_in(struct ctr__env *e, int64_t since_ns, uint64_t *next, ctr_error_t **err)
{
	CTR__READ struct ctr__read rd = {0};
	int r = ctr__read_begin(e, &rd, err);

	if (r == 0)
		r = seek(e, rd.txn, since_ns, next);
	return ctr__env_result(e, r, err);
}

int ctr__store_events_seek(
    struct ctr__store *s, struct ctr__cursor *c, int64_t since_ns, ctr_error_t **err)
{
	int r = seek_in(&s->root_env, since_ns, &c->root_next, err);

	return r < 0 ? r : seek_in(&s->run_env, since_ns, &c->run_next, err);
}

/* The next record of one journal. */
struct candidate {
	bool found;
	uint64_t number;
	struct frame frame;
	MDB_val record; /* behind the frame */
};

static int look(struct ctr__env *e, MDB_txn *txn, uint64_t next, struct candidate *c)
{
	CTR__CURSOR MDB_cursor *cur = NULL;
	unsigned char be[8];
	MDB_val k = ctr__val(be, sizeof(be)), v;
	int rc = mdb_cursor_open(txn, e->db[CTR__DB_EVENT], &cur);

	ctr__put_be64(be, next);
	c->found = false;
	if (rc == 0)
		rc = mdb_cursor_get(cur, &k, &v, MDB_SET_RANGE);
	if (rc)
		return rc == MDB_NOTFOUND ? 0 : rc;
	rc = get_key(k, &c->number);
	if (rc)
		return rc;
	get_frame(v, &c->frame);
	c->record = ctr__val("", 0);
	if (v.mv_size > sizeof(c->frame))
		c->record = ctr__val(
		    (const char *)v.mv_data + sizeof(c->frame), v.mv_size - sizeof(c->frame));
	c->found = true;
	return 0;
}

/* How many records were dropped before this reader came to them. */
static uint64_t skip_lost(const struct candidate *c, uint64_t *next)
{
	uint64_t lost;

	/* A new reader that has not been given a place starts at the oldest. */
	if (*next == 0)
		*next = c->found ? c->number : 1;
	if (!c->found || c->number <= *next)
		return 0;
	lost = c->number - *next;
	*next = c->number;
	return lost;
}

static int decode(const struct candidate *c, struct ctr_event **out, ctr_error_t **err)
{
	int r = ctr__event_decode(c->record.mv_data, c->record.mv_size, out, err);

	return r < 0 ? r : 1;
}

static int next_event(struct ctr__cursor *c, const struct candidate *root,
    const struct candidate *run, struct ctr_event **out, uint64_t *lost, ctr_error_t **err)
{
	bool take_root;

	*lost = skip_lost(root, &c->root_next) + skip_lost(run, &c->run_next);
	if (*lost > 0)
		return 1;
	if (!root->found && !run->found)
		return 0;
	take_root = root->found && (!run->found || root->frame.stamp < run->frame.stamp);
	/* The place moves on whatever the record holds: a damaged one is reported once. */
	if (take_root) {
		c->root_next = root->number + 1;
		return decode(root, out, err);
	}
	c->run_next = run->number + 1;
	return decode(run, out, err);
}

/*
 * The heads of both journals, so that the one with the smaller stamp has nothing before it. The root is read first,
 * then the run: what the run shows may have happened after something that the root did not show yet (a creation, then
 * an init), so the root is read once more. What the root shows has nothing before it that the run, read later, did
 * not show.
 */
static int look_at_both(struct ctr__store *s, const struct ctr__cursor *c, struct ctr__read *root,
    struct ctr__read *run, struct candidate *from_root, struct candidate *from_run,
    ctr_error_t **err)
{
	int r = ctr__read_begin(&s->root_env, root, err);

	if (r == 0)
		r = ctr__read_begin(&s->run_env, run, err);
	if (r == 0)
		r = look(&s->root_env, root->txn, c->root_next, from_root);
	if (r == 0)
		r = look(&s->run_env, run->txn, c->run_next, from_run);
	if (r || !from_run->found ||
	    (from_root->found && from_root->frame.stamp < from_run->frame.stamp))
		return r;
	r = ctr__read_again(root);
	return r ? r : look(&s->root_env, root->txn, c->root_next, from_root);
}

int ctr__store_events_next(struct ctr__store *s, struct ctr__cursor *c, struct ctr_event **out,
    uint64_t *lost, ctr_error_t **err)
{
	CTR__READ struct ctr__read root = {0};
	CTR__READ struct ctr__read run = {0};
	struct candidate from_root, from_run;
	int r;

	*out = NULL;
	*lost = 0;
	do {
		ctr__read_end(&run);
		ctr__read_end(&root);
		r = look_at_both(s, c, &root, &run, &from_root, &from_run, err);
		/* The map has to be moved, for which no transaction may be open: start over. */
	} while (r == MDB_MAP_RESIZED);
	if (r)
		return ctr__env_result(&s->run_env, r, err);
	return next_event(c, &from_root, &from_run, out, lost, err);
}
