/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of lock slots: taken by new containers and pods, given back by removed ones. */
#include "store/env.h"

/* Freed lock slots that are kept back: an old handle of a removed container notices by the slot that its ID was
 * used again, so a slot should not come back soon. */
#define SLOTS_KEPT 256U

static int take_freed(struct ctr__env *e, MDB_txn *txn, uint32_t *slot, bool *found)
{
	CTR__CURSOR MDB_cursor *cur = NULL;
	MDB_val k, v;
	MDB_stat st;
	int rc = mdb_stat(txn, e->db[CTR__DB_SLOT_FREE], &st);

	*found = false;
	if (rc || st.ms_entries <= SLOTS_KEPT)
		return rc;
	rc = mdb_cursor_open(txn, e->db[CTR__DB_SLOT_FREE], &cur);
	if (rc == 0)
		rc = mdb_cursor_get(cur, &k, &v, MDB_FIRST);
	if (rc == 0 && v.mv_size != sizeof(*slot))
		rc = MDB_CORRUPTED;
	if (rc)
		return rc;
	memcpy(slot, v.mv_data, sizeof(*slot));
	*found = true;
	return mdb_cursor_del(cur, 0);
}

int ctr__slot_take(struct ctr__store *s, MDB_txn *txn, uint32_t *slot, ctr_error_t **err)
{
	struct ctr__env *e = &s->root_env;
	struct ctr__slot *unused;
	uint64_t next;
	bool found;
	int r = take_freed(e, txn, slot, &found);

	if (r == 0 && !found) {
		r = ctr__meta_get(e, txn, "slot_next", 0, &next);
		if (r == 0 && next >= CTR__SLOTS_MAX)
			return ctr__fail(
			    err, CTR_E_STORE_FULL, "there are %u containers", CTR__SLOTS_MAX);
		*slot = (uint32_t)next;
		if (r == 0)
			r = ctr__meta_put(e, txn, "slot_next", next + 1);
	}
	/* Makes room in the lock table while it can still fail. */
	return r ? r : ctr__locks_slot(s->locks, *slot, &unused, err);
}

int ctr__slot_free(struct ctr__env *e, MDB_txn *txn, uint32_t slot, uint32_t nth)
{
	unsigned char be[12] = {0};
	MDB_val k = ctr__val(be, nth ? sizeof(be) : 8), v = ctr__val(&slot, sizeof(slot));

	/* The transaction's number is unique; what else is freed in it sorts behind. */
	ctr__put_be64(be, mdb_txn_id(txn));
	for (unsigned int i = 0; i < 4; i++)
		be[8 + i] = (unsigned char)(nth >> (24 - 8 * i));
	return mdb_put(txn, e->db[CTR__DB_SLOT_FREE], &k, &v, 0);
}
