/* SPDX-License-Identifier: Apache-2.0 */
/* The databases of each environment, the schema's version, and what "meta" says. */
#include "store/env.h"

struct db {
	const char *name;
	unsigned int flags;
	bool later; /* stores of the first libraries lack it: made where it is missing */
};

static const struct db root_dbs[] = {
    [CTR__DB_META] = {"meta", 0, false},
    [CTR__DB_EVENT] = {"event", 0, false},
    [CTR__DB_CTR] = {"ctr", 0, false},
    [CTR__DB_NAME] = {"name", 0, false},
    [CTR__DB_SLOT_FREE] = {"slot_free", 0, false},
    [CTR__DB_DEP] = {"dep", MDB_DUPSORT, false},
    [CTR__DB_LABEL] = {"label", 0, false},
    [CTR__DB_POD] = {"pod", 0, true},
    [CTR__DB_POD_CTR] = {"pod_ctr", MDB_DUPSORT, true},
    [CTR__DB_CTR_POD] = {"ctr_pod", 0, true},
};

static const struct db run_dbs[] = {
    [CTR__DB_META] = {"meta", 0, false},
    [CTR__DB_EVENT] = {"event", 0, false},
    [CTR__DB_STATE] = {"state", 0, false},
    [CTR__DB_SUM] = {"sum", 0, false},
    [CTR__DB_EXIT] = {"exit", 0, false},
    [CTR__DB_POD_STATE] = {"pod_state", 0, true},
    [CTR__DB_EXEC] = {"exec", 0, true},
    [CTR__DB_EXEC_STATE] = {"exec_state", 0, true},
};

static const struct db *databases(const struct ctr__env *e, size_t *n)
{
	bool run = e->mutex == CTR__MUTEX_RUN;

	*n = run ? CTR__ARRAY_SIZE(run_dbs) : CTR__ARRAY_SIZE(root_dbs);
	return run ? run_dbs : root_dbs;
}

/* ---- "meta" ---- */

int ctr__meta_get(
    struct ctr__env *e, MDB_txn *txn, const char *key, uint64_t missing, uint64_t *out)
{
	MDB_val k = ctr__vals(key), v;
	int rc = mdb_get(txn, e->db[CTR__DB_META], &k, &v);

	*out = missing;
	if (rc == MDB_NOTFOUND)
		return 0;
	if (rc == 0 && v.mv_size != 8)
		return MDB_CORRUPTED;
	if (rc == 0)
		*out = ctr__get_be64(v.mv_data);
	return rc;
}

int ctr__meta_put(struct ctr__env *e, MDB_txn *txn, const char *key, uint64_t value)
{
	unsigned char be[8];
	MDB_val k = ctr__vals(key), v = ctr__val(be, sizeof(be));

	ctr__put_be64(be, value);
	return mdb_put(txn, e->db[CTR__DB_META], &k, &v, 0);
}

int ctr__root_txnid_get(struct ctr__env *run, MDB_txn *txn, uint64_t *out)
{
	return ctr__meta_get(run, txn, "root_txnid", 0, out);
}

int ctr__root_txnid_put(struct ctr__env *run, MDB_txn *txn, uint64_t id)
{
	return ctr__meta_put(run, txn, "root_txnid", id);
}

/* ---- opening ---- */

/* *missing (NULL = that is an error): one that came later is not there. */
static int open_dbs(struct ctr__env *e, MDB_txn *txn, unsigned int flags, bool *missing)
{
	size_t n;
	const struct db *dbs = databases(e, &n);
	int rc = 0;

	for (size_t i = 0; i < n && rc == 0; i++) {
		rc = mdb_dbi_open(txn, dbs[i].name, dbs[i].flags | flags, &e->db[i]);
		if (rc == MDB_NOTFOUND && dbs[i].later && missing) {
			*missing = true;
			rc = 0;
		}
	}
	return rc;
}

static int check_version(struct ctr__env *e, MDB_txn *txn, ctr_error_t **err)
{
	uint64_t version;
	int r = ctr__meta_get(e, txn, "schema", 0, &version);

	if (r)
		return r;
	if (version > CTR__SCHEMA) {
		ctr__fail(err, CTR_E_STORE_NEWER,
		    "the database %s has schema %llu, this libctr knows %u", e->dir,
		    (unsigned long long)version, CTR__SCHEMA);
		ctr__error_detail(err, "path", e->dir);
		return CTR_E_STORE_NEWER;
	}
	return version == CTR__SCHEMA ? 0 : MDB_CORRUPTED;
}

/* Somebody else's database is not to be changed. */
static int check_empty(MDB_txn *txn)
{
	MDB_stat st;
	MDB_dbi main_db;
	int rc = mdb_dbi_open(txn, NULL, 0, &main_db);

	if (rc == 0)
		rc = mdb_stat(txn, main_db, &st);
	if (rc == 0 && st.ms_entries > 0)
		rc = MDB_INVALID;
	return rc;
}

static int make_txn(MDB_txn *txn, void *arg, ctr_error_t **err)
{
	struct ctr__env *e = arg;
	int rc = check_empty(txn);

	(void)err;
	if (rc == 0)
		rc = open_dbs(e, txn, MDB_CREATE, NULL);
	if (rc == 0)
		rc = ctr__meta_put(e, txn, "schema", CTR__SCHEMA);
	return rc;
}

/* Older libraries do not look at the databases that came later, so the schema's number stays. */
static int complete_txn(MDB_txn *txn, void *arg, ctr_error_t **err)
{
	(void)err;
	return open_dbs(arg, txn, MDB_CREATE, NULL);
}

int ctr__schema_open(struct ctr__env *e, ctr_error_t **err)
{
	bool missing = false;
	MDB_txn *txn;
	int r = mdb_txn_begin(e->env, NULL, MDB_RDONLY, &txn);

	if (r)
		return ctr__env_result(e, r, err);
	/* Version first: a later schema may have other databases. */
	r = mdb_dbi_open(txn, "meta", 0, &e->db[CTR__DB_META]);
	if (r == 0)
		r = check_version(e, txn, err);
	else if (r == MDB_NOTFOUND) {
		mdb_txn_abort(txn);
		return ctr__env_write(e, make_txn, e, err);
	}
	if (r == 0)
		r = open_dbs(e, txn, 0, &missing);
	if (r) {
		mdb_txn_abort(txn);
		return ctr__env_result(e, r, err);
	}
	/* Committing is what makes the database handles last. */
	r = ctr__env_result(e, mdb_txn_commit(txn), err);
	return r == 0 && missing ? ctr__env_write(e, complete_txn, e, err) : r;
}

/* ---- the pair of directories ---- */

static int wrong_pair(
    struct ctr__store *s, const char *what, MDB_val stored, const char *mine, ctr_error_t **err)
{
	return ctr__fail(err, CTR_E_STORE_CONFIG,
	    "the store in %s belongs to the %s \"%.*s\", and was opened with \"%s\"", s->root, what,
	    (int)(stored.mv_size < 4096 ? stored.mv_size : 4096), (const char *)stored.mv_data,
	    mine);
}

/* *missing: nothing is recorded. */
static int check_path(struct ctr__store *s, MDB_txn *txn, const char *key, const char *what,
    const char *mine, bool *missing, ctr_error_t **err)
{
	MDB_val k = ctr__vals(key), v;
	int rc = mdb_get(txn, s->root_env.db[CTR__DB_META], &k, &v);

	if (rc == MDB_NOTFOUND || (rc == 0 && v.mv_size == 0)) {
		*missing = true;
		return 0;
	}
	if (rc)
		return rc;
	if (v.mv_size != strlen(mine) || memcmp(v.mv_data, mine, v.mv_size) != 0)
		return wrong_pair(s, what, v, mine, err);
	return 0;
}

static int record_pair_txn(MDB_txn *txn, void *arg, ctr_error_t **err)
{
	struct ctr__store *s = arg;
	MDB_val root_key = ctr__vals("root"), run_key = ctr__vals("run_root");
	MDB_val root = ctr__vals(s->root), run = ctr__vals(s->run_root);
	int rc = mdb_put(txn, s->root_env.db[CTR__DB_META], &root_key, &root, 0);

	(void)err;
	if (rc == 0)
		rc = mdb_put(txn, s->root_env.db[CTR__DB_META], &run_key, &run, 0);
	return rc;
}

static int compare_pair(struct ctr__store *s, bool *missing, ctr_error_t **err)
{
	CTR__READ struct ctr__read rd = {0};
	int r = ctr__read_begin_locked(&s->root_env, &rd, err);

	if (r == 0)
		r = check_path(s, rd.txn, "root", "root", s->root, missing, err);
	if (r == 0)
		r = check_path(s, rd.txn, "run_root", "run root", s->run_root, missing, err);
	return ctr__env_result(&s->root_env, r, err);
}

int ctr__schema_check_pair(struct ctr__store *s, ctr_error_t **err)
{
	bool missing = false;
	int r = compare_pair(s, &missing, err);

	if (r == 0 && missing)
		r = ctr__env_write(&s->root_env, record_pair_txn, s, err);
	return r;
}
