/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bringing the run environment in line with the durable one: after a writer was killed between its two commits,
 * after a commit for which there was no space, and at the first opening after a boot.
 */
#include <libctr/state.h>

#include "store/env.h"

#include <stdlib.h>

/* ---- one container ---- */

static int put_sum(struct ctr__store *s, MDB_txn *txn, MDB_val k, const struct ctr__ctr_rec *rec,
    const struct ctr__summary *sum)
{
	CTR__BUF struct ctr__buf buf = {0};
	MDB_val v;

	ctr__sum_encode(sum, &rec->origin, &buf);
	if (buf.failed)
		return ENOMEM;
	v = ctr__val(buf.data, buf.len);
	return mdb_put(txn, s->run_env.db[CTR__DB_SUM], &k, &v, 0);
}

/* A container of which this boot knows nothing: as its history says. */
static int put_new(
    struct ctr__store *s, MDB_txn *txn, const char *id, const struct ctr__ctr_rec *rec)
{
	CTR__BUF struct ctr__buf buf = {0};
	struct ctr__summary sum;
	struct ctr__state state;
	MDB_val k = ctr__vals(id), v;
	/* Of an earlier container with this ID. */
	int rc = ctr__exec_drop(txn, s, id);

	if (rc)
		return rc;
	ctr__state_init(&state, CTR_STATE_CONFIGURED);
	state.slot = rec->slot;
	(void)ctr__history_read(s, id, &state);
	ctr__state_encode(&state, &buf);
	if (buf.failed)
		return ENOMEM;
	v = ctr__val(buf.data, buf.len);
	rc = mdb_put(txn, s->run_env.db[CTR__DB_STATE], &k, &v, 0);
	if (rc)
		return rc;
	memset(&sum, 0, sizeof(sum));
	ctr__sum_set_state(&sum, &state);
	ctr__sum_set_config(&sum, rec);
	return put_sum(s, txn, k, rec, &sum);
}

int ctr__mend_rows(
    struct ctr__store *s, MDB_txn *txn, const char *id, const struct ctr__ctr_rec *rec)
{
	MDB_val k = ctr__vals(id), v;
	struct ctr__summary sum;
	struct ctr__origin origin;
	int rc = mdb_get(txn, s->run_env.db[CTR__DB_SUM], &k, &v);

	if (rc == MDB_NOTFOUND || (rc == 0 && !ctr__sum_valid(v.mv_data, v.mv_size)))
		return put_new(s, txn, id, rec);
	if (rc)
		return rc;
	ctr__sum_decode(v.mv_data, &sum, &origin);
	if (origin.born == rec->origin.born && origin.cfg_gen == rec->origin.cfg_gen)
		return 0;
	/* Zero: saved while there was no summary. */
	if (origin.born != rec->origin.born && origin.born != 0)
		return put_new(s, txn, id, rec);
	ctr__sum_set_config(&sum, rec);
	return put_sum(s, txn, k, rec, &sum);
}

/* ---- all ---- */

struct repair {
	struct ctr__store *s;
	MDB_txn *root;
	uint64_t txnid;
	bool complete;
};

static int mend_all(struct repair *rep, MDB_txn *txn)
{
	CTR__CURSOR MDB_cursor *cur = NULL;
	MDB_val k, v;
	int rc = mdb_cursor_open(rep->root, rep->s->root_env.db[CTR__DB_CTR], &cur);

	if (rc == 0)
		rc = mdb_cursor_get(cur, &k, &v, MDB_FIRST);
	while (rc == 0) {
		char id[CTR__ID_MAX + 1];
		struct ctr__ctr_rec rec;

		/* A damaged record concerns its container only; listings will say so. */
		if (k.mv_size > CTR__ID_MAX ||
		    ctr__ctr_rec_decode(v.mv_data, v.mv_size, &rec, NULL) < 0) {
			rep->complete = false;
		} else {
			memcpy(id, k.mv_data, k.mv_size);
			id[k.mv_size] = '\0';
			rc = ctr__mend_rows(rep->s, txn, id, &rec);
		}
		if (rc == 0)
			rc = mdb_cursor_get(cur, &k, &v, MDB_NEXT);
	}
	return rc == MDB_NOTFOUND ? 0 : rc;
}

/* Drops the rows of containers (pods) that are gone from `owners`. */
static int drop_orphans(struct repair *rep, MDB_txn *txn, MDB_dbi db, MDB_dbi owners)
{
	CTR__CURSOR MDB_cursor *cur = NULL;
	MDB_val k, v, owner;
	int rc = mdb_cursor_open(txn, db, &cur);

	if (rc == 0)
		rc = mdb_cursor_get(cur, &k, &v, MDB_FIRST);
	while (rc == 0) {
		rc = mdb_get(rep->root, owners, &k, &owner);
		if (rc == MDB_NOTFOUND)
			rc = mdb_cursor_del(cur, 0);
		if (rc == 0)
			rc = mdb_cursor_get(cur, &k, &v, MDB_NEXT);
	}
	return rc == MDB_NOTFOUND ? 0 : rc;
}

static int repair_txn(MDB_txn *txn, void *arg, ctr_error_t **err)
{
	struct repair *rep = arg;
	struct ctr__env *run = &rep->s->run_env, *root = &rep->s->root_env;
	int rc;

	(void)err;
	rep->complete = true;
	rc = drop_orphans(rep, txn, run->db[CTR__DB_SUM], root->db[CTR__DB_CTR]);
	if (rc == 0)
		rc = drop_orphans(rep, txn, run->db[CTR__DB_STATE], root->db[CTR__DB_CTR]);
	if (rc == 0)
		rc = drop_orphans(rep, txn, run->db[CTR__DB_POD_STATE], root->db[CTR__DB_POD]);
	if (rc == 0)
		rc = ctr__exec_drop_orphans(txn, rep->s, rep->root);
	if (rc == 0)
		rc = mend_all(rep, txn);
	if (rc == 0 && rep->complete)
		rc = ctr__root_txnid_put(run, txn, rep->txnid);
	return rc;
}

static int in_line(struct ctr__store *s, uint64_t txnid, bool *yes, ctr_error_t **err)
{
	CTR__READ struct ctr__read rd = {0};
	uint64_t made_for = 0;
	int r = ctr__read_begin(&s->run_env, &rd, err);

	if (r == 0)
		r = ctr__root_txnid_get(&s->run_env, rd.txn, &made_for);
	*yes = made_for == txnid;
	return ctr__env_result(&s->run_env, r, err);
}

int ctr__repair_locked(struct ctr__store *s, ctr_error_t **err)
{
	CTR__READ struct ctr__read root = {0};
	CTR__UNLOCK struct ctr__env *held = NULL;
	struct repair rep = {.s = s};
	bool yes;
	int r = ctr__read_begin_locked(&s->root_env, &root, err);

	if (r < 0)
		return r;
	rep.root = root.txn;
	rep.txnid = mdb_txn_id(root.txn);
	r = in_line(s, rep.txnid, &yes, err);
	if (r < 0 || yes)
		return r;
	r = ctr__env_lock(&s->run_env, &held, err);
	return r < 0 ? r : ctr__env_write(&s->run_env, repair_txn, &rep, err);
}
