/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listings: one pass over "sum", whose records are copied as they are and used in place. If the two
 * environments are not in line (a writer is between its two commits, or was killed there), over "ctr" instead,
 * with what "sum" has.
 *
 * Why the result is right: the root's number is read first. If the run snapshot taken after it was made for
 * that number, it shows exactly the containers of that moment. If not, the root is read again while the run
 * snapshot is kept: now the root is not older than what the run snapshot was made for.
 */
#include <libctr/state.h>

#include "store/env.h"

#include <stdlib.h>

struct ctr_list {
	size_t n, cap;
	char *data;
	size_t len, data_cap;
	uint32_t *
	    at; /* where entry i starts, in units of 8 bytes: a summary, then the ID with its NUL */
};

#define UNIT 8U

/* ---- the list object ---- */

void ctr__list_free(ctr_list_t *l)
{
	if (!l)
		return;
	free(l->data);
	free(l->at);
	free(l);
}

size_t ctr__list_count(const ctr_list_t *l)
{
	return l ? l->n : 0;
}

bool ctr__list_at(const ctr_list_t *l, size_t i, struct ctr__list_entry *out)
{
	const char *rec;

	if (!l || i >= l->n)
		return false;
	rec = l->data + (size_t)l->at[i] * UNIT;
	ctr__sum_decode(rec, &out->sum, NULL);
	out->id = out->sum.command + strlen(out->sum.command) + 1;
	return true;
}

static int list_reserve(ctr_list_t *l, size_t entries, size_t bytes)
{
	if (entries > l->cap) {
		uint32_t *at = realloc(l->at, entries * sizeof(*at));

		if (!at)
			return ENOMEM;
		l->at = at;
		l->cap = entries;
	}
	if (bytes > l->data_cap) {
		char *data = realloc(l->data, bytes);

		if (!data)
			return ENOMEM;
		l->data = data;
		l->data_cap = bytes;
	}
	return 0;
}

static int list_add_slow(ctr_list_t *l, size_t need)
{
	size_t entries = l->n < l->cap ? l->cap : l->cap * 2 + 16;
	size_t bytes = need <= l->data_cap ? l->data_cap : need * 2;

	return bytes / UNIT > UINT32_MAX ? ENOMEM : list_reserve(l, entries, bytes);
}

static inline int list_add(
    ctr_list_t *l, const void *sum, size_t sum_len, const void *id, size_t id_len)
{
	size_t end = l->len + sum_len + id_len + 1;
	char *p;

	if (l->n == l->cap || end + UNIT > l->data_cap) {
		int rc = list_add_slow(l, end + UNIT);

		if (rc)
			return rc;
	}
	p = l->data + l->len;
	memcpy(p, sum, sum_len);
	memcpy(p + sum_len, id, id_len);
	p[sum_len + id_len] = '\0';
	l->at[l->n++] = (uint32_t)(l->len / UNIT);
	l->len = (end + UNIT - 1) & ~(size_t)(UNIT - 1);
	return 0;
}

/* ---- one listing ---- */

struct listing {
	struct ctr__store *s;
	const struct ctr__list_filter *f;
	struct ctr__read root, run;
	ctr_list_t *list;
	struct ctr__buf sum; /* one made up while merging */
};

static void listing_end(struct listing *g)
{
	ctr__read_end(&g->run);
	ctr__read_end(&g->root);
}

static void listing_free(struct listing *g)
{
	listing_end(g);
	ctr__buf_free(&g->sum);
	ctr__list_free(g->list);
}

static int fail_record(MDB_val id, ctr_error_t **err)
{
	char text[CTR__ID_MAX + 1];
	size_t len = id.mv_size < sizeof(text) ? id.mv_size : sizeof(text) - 1;

	memcpy(text, id.mv_data, len);
	text[len] = '\0';
	ctr__fail(err, CTR_E_STORE_CORRUPT, "the record of container \"%s\" is damaged", text);
	ctr__error_detail(err, "container", text);
	return CTR_E_STORE_CORRUPT;
}

/* ---- filters ---- */

static bool match_ids(const char *const *ids, MDB_val id)
{
	for (; *ids; ids++) {
		size_t len = strlen(*ids);

		if (len <= id.mv_size && memcmp(*ids, id.mv_data, len) == 0)
			return true;
	}
	return false;
}

static bool match_names(const char *const *names, const char *name)
{
	for (; *names; names++) {
		if (strstr(name, *names))
			return true;
	}
	return false;
}

static bool match_state(uint32_t states, int32_t state)
{
	return state >= 0 && state < 32 && states & UINT32_C(1) << state;
}

/* "key" or "key=value" against one label. */
static bool match_label(const char *want, const char *key, const char *value)
{
	size_t len = strlen(key);

	return strncmp(want, key, len) == 0 &&
	       (want[len] == '\0' || (want[len] == '=' && strcmp(want + len + 1, value) == 0));
}

/* A row of "label": key NUL value NUL ... */
static bool match_label_row(const char *const *wants, MDB_val row)
{
	const char *p = row.mv_data, *end = p + row.mv_size;

	if (row.mv_size == 0 || end[-1] != '\0')
		return false;
	while (p < end) {
		const char *value = p + strlen(p) + 1;

		if (value >= end)
			return false;
		for (const char *const *w = wants; *w; w++) {
			if (match_label(*w, p, value))
				return true;
		}
		p = value + strlen(value) + 1;
	}
	return false;
}

/* 0, MDB_NOTFOUND if it does not match, or another MDB code. */
static int match_labels(struct listing *g, MDB_val id)
{
	MDB_val row;
	int rc = mdb_get(g->root.txn, g->s->root_env.db[CTR__DB_LABEL], &id, &row);

	if (rc)
		return rc;
	return match_label_row(g->f->labels, row) ? 0 : MDB_NOTFOUND;
}

static int match(struct listing *g, MDB_val id, const void *sum)
{
	const struct ctr__list_filter *f = g->f;
	struct ctr__summary s;

	if (!f)
		return 0;
	if (f->ids && !match_ids(f->ids, id))
		return MDB_NOTFOUND;
	if (f->names || f->states) {
		ctr__sum_decode(sum, &s, NULL);
		if (f->names && !match_names(f->names, s.name))
			return MDB_NOTFOUND;
		if (f->states && !match_state(f->states, s.state))
			return MDB_NOTFOUND;
	}
	return f->labels ? match_labels(g, id) : 0;
}

static int take(struct listing *g, MDB_val id, MDB_val sum, ctr_error_t **err)
{
	int rc;

	if (!ctr__sum_valid(sum.mv_data, sum.mv_size))
		return fail_record(id, err);
	rc = match(g, id, sum.mv_data);
	if (rc)
		return rc == MDB_NOTFOUND ? 0 : rc;
	return list_add(g->list, sum.mv_data, sum.mv_size, id.mv_data, id.mv_size);
}

/* ---- the two ways ---- */

/* Room for everything, if nothing is filtered: an upper bound, of which only what is used is touched. */
static int size_list(struct listing *g)
{
	MDB_stat st;
	int rc = mdb_stat(g->run.txn, g->s->run_env.db[CTR__DB_SUM], &st);

	if (rc || g->f)
		return rc;
	return list_reserve(g->list, st.ms_entries + 1,
	    (st.ms_leaf_pages + st.ms_overflow_pages + 1) * st.ms_psize + st.ms_entries * UNIT);
}

static int list_summaries(struct listing *g, ctr_error_t **err)
{
	CTR__CURSOR MDB_cursor *cur = NULL;
	MDB_val k, v;
	int rc = size_list(g);

	if (rc == 0)
		rc = mdb_cursor_open(g->run.txn, g->s->run_env.db[CTR__DB_SUM], &cur);
	if (rc == 0)
		rc = mdb_cursor_get(cur, &k, &v, MDB_FIRST);
	while (rc == 0) {
		rc = take(g, k, v, err);
		if (rc == 0)
			rc = mdb_cursor_get(cur, &k, &v, MDB_NEXT);
	}
	return rc == MDB_NOTFOUND ? 0 : rc;
}

/* The summary of a container whose stored one is missing or of another configuration. */
static int make_up(struct listing *g, const struct ctr__ctr_rec *rec,
    const struct ctr__summary *state, MDB_val *out)
{
	struct ctr__summary sum = {.state = CTR_STATE_CONFIGURED};

	if (state)
		sum = *state;
	ctr__sum_set_config(&sum, rec);
	g->sum.len = 0;
	ctr__sum_encode(&sum, &rec->origin, &g->sum);
	if (g->sum.failed)
		return ENOMEM;
	*out = ctr__val(g->sum.data, g->sum.len);
	return 0;
}

static int merge_one(struct listing *g, MDB_val id, MDB_val value, ctr_error_t **err)
{
	MDB_val k = id, v;
	struct ctr__ctr_rec rec;
	struct ctr__summary sum;
	struct ctr__origin origin = {0, 0};
	bool same = false;
	int rc = ctr__ctr_rec_decode(value.mv_data, value.mv_size, &rec, NULL);

	if (rc < 0)
		return fail_record(id, err);
	rc = mdb_get(g->run.txn, g->s->run_env.db[CTR__DB_SUM], &k, &v);
	if (rc == 0 && !ctr__sum_valid(v.mv_data, v.mv_size))
		return fail_record(id, err);
	if (rc == 0) {
		ctr__sum_decode(v.mv_data, &sum, &origin);
		same = origin.born == rec.origin.born || origin.born == 0;
	}
	if (rc && rc != MDB_NOTFOUND)
		return rc;
	rc = 0;
	if (!same || origin.cfg_gen != rec.origin.cfg_gen)
		rc = make_up(g, &rec, same ? &sum : NULL, &v);
	return rc ? rc : take(g, id, v, err);
}

static int list_merged(struct listing *g, ctr_error_t **err)
{
	CTR__CURSOR MDB_cursor *cur = NULL;
	MDB_val k, v;
	int rc = mdb_cursor_open(g->root.txn, g->s->root_env.db[CTR__DB_CTR], &cur);

	if (rc == 0)
		rc = mdb_cursor_get(cur, &k, &v, MDB_FIRST);
	while (rc == 0) {
		rc = merge_one(g, k, v, err);
		if (rc == 0)
			rc = mdb_cursor_get(cur, &k, &v, MDB_NEXT);
	}
	return rc == MDB_NOTFOUND ? 0 : rc;
}

/* ---- the right pair of snapshots ---- */

static int take_snapshots(struct listing *g, bool *in_line, ctr_error_t **err)
{
	uint64_t made_for;
	int r = ctr__read_begin(&g->s->root_env, &g->root, err);

	if (r == 0)
		r = ctr__read_begin(&g->s->run_env, &g->run, err);
	if (r == 0)
		r = ctr__root_txnid_get(&g->s->run_env, g->run.txn, &made_for);
	if (r)
		return r;
	*in_line = made_for == mdb_txn_id(g->root.txn);
	if (*in_line)
		return 0;
	r = ctr__read_again(&g->root);
	if (r == 0)
		*in_line = made_for == mdb_txn_id(g->root.txn);
	return r;
}

static int list_once(struct listing *g, ctr_error_t **err)
{
	bool in_line = false;
	int r;

	do {
		listing_end(g);
		r = take_snapshots(g, &in_line, err);
		/* The map has to be moved, for which no transaction may be open: start over. */
	} while (r == MDB_MAP_RESIZED);
	if (r)
		return r;
	return in_line ? list_summaries(g, err) : list_merged(g, err);
}

/* Gives back what was reserved but not used. */
static void trim(ctr_list_t *l)
{
	char *data;

	if (l->data_cap - l->len < l->data_cap / 2 || l->len == 0)
		return;
	data = realloc(l->data, l->len);
	if (data) {
		l->data = data;
		l->data_cap = l->len;
	}
}

int ctr__store_list(
    struct ctr__store *s, const struct ctr__list_filter *f, ctr_list_t **out, ctr_error_t **err)
{
	CTR__CLEANUP(listing_free) struct listing g = {.s = s, .f = f};
	int r;

	g.list = calloc(1, sizeof(*g.list));
	if (!g.list)
		return ctr__fail_nomem(err);
	r = ctr__env_result(&s->run_env, list_once(&g, err), err);
	if (r < 0)
		return r;
	trim(g.list);
	*out = CTR__STEAL_PTR(g.list);
	return 0;
}
