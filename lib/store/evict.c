/* SPDX-License-Identifier: Apache-2.0 */
/* Dropping a container whose own records cannot be read: what belongs to it is found by its ID. */
#include "store/env.h"

/* ---- rows of others that name it ---- */

struct sweep {
	const char *id;
	MDB_dbi db;
	bool drop;
	size_t found;
	struct ctr__buf key; /* the last one found */
};

static void sweep_free(struct sweep *s)
{
	ctr__buf_free(&s->key);
}

/* All rows whose value is the ID. */
static int sweep_values(MDB_txn *txn, struct sweep *s)
{
	CTR__CURSOR MDB_cursor *cur = NULL;
	MDB_val k, v, id = ctr__vals(s->id);
	int rc = mdb_cursor_open(txn, s->db, &cur);

	if (rc == 0)
		rc = mdb_cursor_get(cur, &k, &v, MDB_FIRST);
	while (rc == 0) {
		if (v.mv_size == id.mv_size && memcmp(v.mv_data, id.mv_data, id.mv_size) == 0) {
			s->found++;
			s->key.len = 0;
			ctr__buf_add(&s->key, k.mv_data, k.mv_size);
			if (s->drop)
				rc = mdb_cursor_del(cur, 0);
		}
		if (rc == 0)
			rc = mdb_cursor_get(cur, &k, &v, MDB_NEXT);
	}
	return rc == MDB_NOTFOUND ? 0 : rc;
}

static int drop_values(MDB_txn *txn, MDB_dbi db, const char *id, size_t *found)
{
	CTR__CLEANUP(sweep_free) struct sweep s = {.id = id, .db = db, .drop = true};
	int rc = sweep_values(txn, &s);

	*found += s.found;
	return rc;
}

int ctr__store_name_of(
    struct ctr__store *s, const char *id, struct ctr__buf *name, ctr_error_t **err)
{
	CTR__READ struct ctr__read rd = {0};
	CTR__CLEANUP(sweep_free)
	struct sweep w = {.id = id, .db = s->root_env.db[CTR__DB_NAME]};
	int r = ctr__check_id(id, err);

	if (r == 0)
		r = ctr__read_begin(&s->root_env, &rd, err);
	if (r == 0)
		r = sweep_values(rd.txn, &w);
	if (r)
		return ctr__env_result(&s->root_env, r, err);
	if (w.key.failed)
		return ctr__fail_nomem(err);
	if (!w.found)
		return 0;
	ctr__buf_add(name, w.key.data, w.key.len);
	return name->failed ? ctr__fail_nomem(err) : 1;
}

/* ---- its own rows ---- */

/* Its lock slot is given back if it is known; else that number is lost. */
static int drop_record(struct ctr__env *e, MDB_txn *txn, const char *id, size_t *found)
{
	MDB_val k = ctr__vals(id), v;
	struct ctr__ctr_rec rec;
	uint32_t slot = 0;
	bool known = false;
	int rc = mdb_get(txn, e->db[CTR__DB_CTR], &k, &v);

	if (rc == MDB_NOTFOUND)
		return 0;
	if (rc)
		return rc;
	++*found;
	if (ctr__ctr_rec_decode(v.mv_data, v.mv_size, &rec, NULL) == 0) {
		slot = rec.slot;
		known = true;
	}
	rc = ctr__db_del(txn, e->db[CTR__DB_CTR], id);
	return rc || !known ? rc : ctr__slot_free(e, txn, slot, 0);
}

static int evict_root(MDB_txn *txn, struct ctr__change *ch, ctr_error_t **err)
{
	struct ctr__env *e = &ch->store->root_env;
	size_t found = 0;
	int r = ctr__check_no_dependents(e, txn, ch->id, err);

	if (r == 0)
		r = drop_record(e, txn, ch->id, &found);
	if (r == 0)
		r = drop_values(txn, e->db[CTR__DB_NAME], ch->id, &found);
	if (r == 0)
		r = drop_values(txn, e->db[CTR__DB_DEP], ch->id, &found);
	if (r == 0)
		r = ctr__member_del(e, txn, ch->id);
	if (r == 0)
		r = ctr__db_del(txn, e->db[CTR__DB_LABEL], ch->id);
	return r == 0 && !found ? ctr__no_such_ctr(err, ch->id) : r;
}

static int evict_run(MDB_txn *txn, struct ctr__change *ch, ctr_error_t **err)
{
	(void)err;
	return ctr__ctr_remove_run(txn, ch->store, ch->id);
}

int ctr__store_evict(
    struct ctr__store *s, const char *id, const struct ctr_event *ev, ctr_error_t **err)
{
	struct ctr__change ch = {.store = s, .id = id, .ev = ev};
	int r = ctr__check_id(id, err);

	if (r == 0 && strlen(id) > CTR__ID_MAX)
		r = ctr__no_such_ctr(err, id);
	return r < 0 ? r : ctr__change_commit(&ch, evict_root, evict_run, err);
}

/* ---- an event of its own ---- */

struct note {
	struct ctr__store *s;
	const struct ctr_event *ev;
};

static int note_txn(MDB_txn *txn, void *arg, ctr_error_t **err)
{
	struct note *n = arg;

	(void)err;
	return ctr__journal_append(&n->s->run_env, txn, n->ev, &n->s->scratch);
}

int ctr__store_note(struct ctr__store *s, const struct ctr_event *ev, ctr_error_t **err)
{
	struct note n = {s, ev};
	CTR__UNLOCK struct ctr__env *held = NULL;
	int r = ctr__env_lock(&s->run_env, &held, err);

	if (r == 0)
		r = ctr__env_write(&s->run_env, note_txn, &n, err);
	if (r == 0)
		ctr__notify_touch(s->notify_fd);
	return r;
}
