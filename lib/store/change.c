/* SPDX-License-Identifier: Apache-2.0 */
/* A durable change: the commit in the root environment, then the one that brings the run environment in line. */
#include "store/env.h"

struct half {
	struct ctr__change *ch;
	ctr__change_fn *fn;
	uint64_t txnid; /* of the durable transaction */
};

static int durable_half(MDB_txn *txn, void *arg, ctr_error_t **err)
{
	struct half *h = arg;
	int r;

	h->txnid = mdb_txn_id(txn);
	r = h->fn(txn, h->ch, err);
	if (r == 0 && h->ch->ev) {
		CTR__BUF struct ctr__buf buf = {0};

		r = ctr__journal_append(&h->ch->store->root_env, txn, h->ch->ev, &buf);
	}
	return r;
}

static int run_half(MDB_txn *txn, void *arg, ctr_error_t **err)
{
	struct half *h = arg;
	struct ctr__env *run = &h->ch->store->run_env;
	uint64_t seen;
	int r = ctr__root_txnid_get(run, txn, &seen);

	if (r == 0)
		r = h->fn(txn, h->ch, err);
	/* If an earlier change is missing here, the numbers must go on telling so. */
	if (r == 0 && seen == h->txnid - 1)
		r = ctr__root_txnid_put(run, txn, h->txnid);
	return r;
}

int ctr__change_commit(
    struct ctr__change *ch, ctr__change_fn *root, ctr__change_fn *run, ctr_error_t **err)
{
	struct ctr__store *s = ch->store;
	struct half durable = {.ch = ch, .fn = root}, boot = {.ch = ch, .fn = run};
	CTR__UNLOCK struct ctr__env *root_held = NULL;
	CTR__UNLOCK struct ctr__env *run_held = NULL;
	int r = ctr__env_lock(&s->root_env, &root_held, err);

	if (r < 0)
		return r;
	/* What a killed writer left is mended first: an ID that is used again must not meet records of its
	 * former container. If it cannot be (no space), readers still see that something is missing. */
	(void)ctr__repair_locked(s, NULL);
	r = ctr__env_write(&s->root_env, durable_half, &durable, err);
	if (r < 0)
		return r;
	/* The change stands. From here on a failure only means that readers merge. */
	boot.txnid = durable.txnid;
	if (ctr__env_lock(&s->run_env, &run_held, NULL) == 0)
		(void)ctr__env_write(&s->run_env, run_half, &boot, NULL);
	if (ch->ev)
		ctr__notify_touch(s->notify_fd);
	return 0;
}

void ctr__store_touch_events(struct ctr__store *s)
{
	ctr__notify_touch(s->notify_fd);
}
