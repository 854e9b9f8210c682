/* SPDX-License-Identifier: Apache-2.0 */
/* Transactions: the writer's way in, the pool of readers, growth of the map. */
#include "store/env.h"

#include <sys/mman.h>
#include <time.h>

#include "lock/lock.h"

#define PATIENCE    250U  /* milliseconds */
#define CHECK_EVERY 1000U /* commits between two looks for dead readers */

#if SIZE_MAX > UINT32_MAX
#define ROOT_MAP_MAX ((size_t)1 << 42)
#define RUN_MAP_MAX  ((size_t)1 << 32)
#else
#define ROOT_MAP_MAX ((size_t)1 << 30)
#define RUN_MAP_MAX  ((size_t)1 << 29)
#endif

static int refuse_forked(ctr_error_t **err)
{
	return ctr__fail(err, CTR_E_FORKED, "the store was opened by the parent process");
}

/* ---- the gate ---- */

/* Becomes a user of the map; `pooled` (may be NULL): with a transaction of the pool, if it has one. */
static int enter_with(struct ctr__env *e, MDB_txn **pooled, ctr_error_t **err)
{
	pthread_mutex_lock(&e->gate);
	/* No thread enters twice, so those who wait here keep nobody from leaving. */
	while (e->moving)
		pthread_cond_wait(&e->gate_changed, &e->gate);
	if (e->broken) {
		pthread_mutex_unlock(&e->gate);
		return ctr__fail(err, CTR_E_STORE, "the memory map of %s was lost", e->dir);
	}
	e->users++;
	if (pooled)
		*pooled = e->pool_n > 0 ? e->pool[--e->pool_n] : NULL;
	pthread_mutex_unlock(&e->gate);
	return 0;
}

static int enter(struct ctr__env *e, ctr_error_t **err)
{
	return enter_with(e, NULL, err);
}

/* `reset` (may be NULL) goes to the pool; false if there is no room for it. */
static bool leave_with(struct ctr__env *e, MDB_txn *reset)
{
	bool taken = false;

	pthread_mutex_lock(&e->gate);
	if (reset && e->pool_n < CTR__POOL) {
		e->pool[e->pool_n++] = reset;
		taken = true;
	}
	e->users--;
	if (e->moving && e->users == 0)
		pthread_cond_broadcast(&e->gate_changed);
	pthread_mutex_unlock(&e->gate);
	return taken;
}

static void leave(struct ctr__env *e)
{
	(void)leave_with(e, NULL);
}

/* Alone: nobody uses the map, and nobody begins to. */
static void close_gate(struct ctr__env *e)
{
	pthread_mutex_lock(&e->gate);
	while (e->moving)
		pthread_cond_wait(&e->gate_changed, &e->gate);
	e->moving = true;
	while (e->users > 0)
		pthread_cond_wait(&e->gate_changed, &e->gate);
	pthread_mutex_unlock(&e->gate);
}

static void open_gate(struct ctr__env *e)
{
	pthread_mutex_lock(&e->gate);
	e->moving = false;
	pthread_cond_broadcast(&e->gate_changed);
	pthread_mutex_unlock(&e->gate);
}

/* ---- the map ---- */

/* The gate is closed. LMDB unmaps before it maps, and cannot go back: so try first whether there is
 * room. */
static int move_map(struct ctr__env *e, size_t size)
{
	void *probe;
	int fd, rc;

	rc = mdb_env_get_fd(e->env, &fd);
	if (rc)
		return rc;
	probe = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	if (probe == MAP_FAILED)
		return ENOMEM;
	munmap(probe, size);
	rc = mdb_env_set_mapsize(e->env, size);
	if (rc == 0)
		e->map_size = size;
	else if (rc != EINVAL) /* that: refused before anything was done */
		e->broken = true;
	return rc;
}

int ctr__env_resize(struct ctr__env *e, size_t size, ctr_error_t **err)
{
	int rc;

	close_gate(e);
	rc = e->broken ? ENOMEM : move_map(e, size);
	open_gate(e);
	return ctr__env_result(e, rc, err);
}

/* Twice as large, unless another thread has made it larger meanwhile. */
static int double_map(struct ctr__env *e, size_t from, ctr_error_t **err)
{
	int rc = 0;

	close_gate(e);
	if (e->broken)
		rc = ENOMEM;
	else if (e->map_size == from)
		rc = move_map(e, from * 2);
	open_gate(e);
	return ctr__env_result(e, rc, err);
}

/* Another process made the file larger than our map. Not what its map is: that may be too large for us. */
static int adopt_size(struct ctr__env *e, ctr_error_t **err)
{
	MDB_envinfo info;
	int rc;

	close_gate(e);
	rc = e->broken ? ENOMEM : mdb_env_info(e->env, &info);
	if (!rc) {
		size_t size = e->map_size, need = (info.me_last_pgno + 1) * e->page_size;

		while (size < need && size <= SIZE_MAX / 2)
			size *= 2;
		/* Also if another thread has done it meanwhile: then it costs little. */
		rc = move_map(e, size);
	}
	open_gate(e);
	return ctr__env_result(e, rc, err);
}

/* The map's size and the pages in use by the databases. */
static int measure(struct ctr__env *e, size_t *size, size_t *live, ctr_error_t **err)
{
	CTR__READ struct ctr__read rd = {0};
	int n = e->mutex == CTR__MUTEX_RUN ? CTR__DB_RUN_N : CTR__DB_ROOT_N;
	int r = ctr__read_begin_locked(e, &rd, err);

	*live = 0;
	if (r == 0)
		*size = e->map_size;
	for (int i = 0; r == 0 && i < n; i++) {
		MDB_stat st;

		r = mdb_stat(rd.txn, e->db[i], &st);
		if (r == 0)
			*live += st.ms_branch_pages + st.ms_leaf_pages + st.ms_overflow_pages;
	}
	return ctr__env_result(e, r, err);
}

/* A reader may just have lost its CPU. Not longer than PATIENCE times. */
static int wait_for_reader(struct ctr__env *e, unsigned int *waits, ctr_error_t **err)
{
	if (++*waits > PATIENCE)
		return ctr__fail(err, CTR_E_STORE_FULL,
		    "%s is full of old pages that a stalled process is still reading", e->dir);
	nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	return 0;
}

/*
 * The map is full. A map that is full of old pages, which a stalled reader holds, is not made larger in the run
 * root: that is memory of the machine, and there would be no end to it.
 */
static int grow(struct ctr__env *e, unsigned int *waits, ctr_error_t **err)
{
	bool run = e->mutex == CTR__MUTEX_RUN, mostly_old;
	size_t size = 0, live;
	int dead = 0;
	int r = mdb_reader_check(e->env, &dead);

	if (r)
		return ctr__env_result(e, r, err);
	r = measure(e, &size, &live, err);
	if (r < 0)
		return r;
	mostly_old = live < size / e->page_size / 4;
	if (dead > 0 && mostly_old)
		return 0; /* what it held is free again */
	if (run && mostly_old)
		return wait_for_reader(e, waits, err);
	if (size > (run ? RUN_MAP_MAX : ROOT_MAP_MAX) / 2)
		return ctr__env_result(e, MDB_MAP_FULL, err);
	return double_map(e, size, err);
}

/* ---- writing ---- */

int ctr__env_settle(struct ctr__env *e, ctr_error_t **err)
{
	MDB_txn *txn;
	int r = enter(e, err);
	int rc;

	if (r < 0)
		return r;
	rc = mdb_txn_begin(e->env, NULL, 0, &txn);
	if (rc == 0)
		mdb_txn_abort(txn);
	leave(e);
	/* The map is too small: beginning has published the commit all the same. */
	return ctr__env_result(e, rc == MDB_MAP_RESIZED ? 0 : rc, err);
}

int ctr__env_lock(struct ctr__env *e, struct ctr__env **held, ctr_error_t **err)
{
	struct ctr__store *s = e->store;
	bool died = false;
	int r;

	if (ctr__store_forked(s))
		return refuse_forked(err);
	if (!s->locks) {
		*held = NULL;
		return 0;
	}
	r = ctr__locks_store_lock(s->locks, e->mutex, &died, err);
	if (r < 0)
		return r;
	*held = e;
	return died && e->env ? ctr__env_settle(e, err) : 0;
}

void ctr__env_unlockp(struct ctr__env **held)
{
	if (*held)
		ctr__locks_store_unlock((*held)->store->locks, (*held)->mutex);
	*held = NULL;
}

static int write_once(struct ctr__env *e, ctr__write_fn *fn, void *arg, ctr_error_t **err)
{
	MDB_txn *txn;
	int r = enter(e, err);

	if (r < 0)
		return r;
	r = mdb_txn_begin(e->env, NULL, 0, &txn);
	if (r == 0) {
		r = fn(txn, arg, err);
		if (r == 0)
			r = mdb_txn_commit(txn);
		else
			mdb_txn_abort(txn);
	}
	leave(e);
	return r;
}

int ctr__env_write(struct ctr__env *e, ctr__write_fn *fn, void *arg, ctr_error_t **err)
{
	unsigned int waits = 0;

	for (;;) {
		int rc = write_once(e, fn, arg, err);
		int r = 0, dead;

		if (rc == MDB_MAP_FULL)
			r = grow(e, &waits, err);
		else if (rc == MDB_MAP_RESIZED)
			r = adopt_size(e, err);
		else if (rc != 0)
			return ctr__env_result(e, rc, err);
		if (r < 0)
			return r;
		if (rc == 0) {
			if (++e->commits % CHECK_EVERY == 0)
				(void)mdb_reader_check(e->env, &dead);
			return 0;
		}
	}
}

/* ---- reading ---- */

/* A new one takes a lock of LMDB's: the mutex and the gate are held. */
static int begin_new(struct ctr__env *e, MDB_txn **txn)
{
	int dead = 0;
	int rc = mdb_txn_begin(e->env, NULL, MDB_RDONLY, txn);

	if (rc == MDB_READERS_FULL) {
		rc = mdb_reader_check(e->env, &dead);
		if (rc == 0)
			rc = mdb_txn_begin(e->env, NULL, MDB_RDONLY, txn);
	}
	return rc;
}

/* The mutex comes before the gate, so the gate is entered here. Left open on success only. */
static int begin_outside(struct ctr__env *e, bool locked, MDB_txn **txn, ctr_error_t **err)
{
	CTR__UNLOCK struct ctr__env *held = NULL;
	int r = locked ? 0 : ctr__env_lock(e, &held, err);

	if (r == 0)
		r = enter(e, err);
	if (r < 0)
		return r;
	r = begin_new(e, txn);
	if (r)
		leave(e);
	return r;
}

static int begin_once(struct ctr__env *e, bool locked, MDB_txn **txn, ctr_error_t **err)
{
	int r = enter_with(e, txn, err);

	if (r < 0)
		return r;
	if (!*txn) {
		leave(e);
		return begin_outside(e, locked, txn, err);
	}
	r = mdb_txn_renew(*txn);
	if (r) {
		mdb_txn_abort(*txn);
		leave(e);
	}
	return r;
}

static int begin(struct ctr__env *e, bool locked, struct ctr__read *rd, ctr_error_t **err)
{
	int r;

	if (ctr__store_forked(e->store))
		return refuse_forked(err);
	while ((r = begin_once(e, locked, &rd->txn, err)) == MDB_MAP_RESIZED) {
		r = adopt_size(e, err);
		if (r < 0)
			return r;
	}
	if (r == 0)
		rd->e = e;
	return ctr__env_result(e, r, err);
}

int ctr__read_begin(struct ctr__env *e, struct ctr__read *rd, ctr_error_t **err)
{
	return begin(e, false, rd, err);
}

int ctr__read_begin_locked(struct ctr__env *e, struct ctr__read *rd, ctr_error_t **err)
{
	return begin(e, true, rd, err);
}

int ctr__read_again(struct ctr__read *rd)
{
	int rc;

	mdb_txn_reset(rd->txn);
	rc = mdb_txn_renew(rd->txn);
	if (rc) {
		mdb_txn_abort(rd->txn);
		leave(rd->e);
		rd->e = NULL;
	}
	return rc;
}

void ctr__read_end(struct ctr__read *rd)
{
	struct ctr__env *e = rd->e;

	if (!e)
		return;
	mdb_txn_reset(rd->txn);
	/* A transaction that is reset does not use the map. */
	if (!leave_with(e, rd->txn))
		mdb_txn_abort(rd->txn);
	rd->e = NULL;
}
