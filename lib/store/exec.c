/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exec sessions, of this boot only: "exec" (session ID -> container ID) and "exec_state" (container ID, NUL, session ID ->
 * record). A session is added and removed in both at once. IDs of sessions are random and never used again.
 */
#include "store/env.h"

#define KEY_MAX (2 * CTR__ID_MAX + 1)

struct key {
	char data[KEY_MAX];
	size_t len;
};

/* False: no such key can be there. */
static bool make_key(const char *ctr_id, const char *id, struct key *key)
{
	size_t n = strlen(ctr_id), m = strlen(id);

	if (n == 0 || n > CTR__ID_MAX || m > CTR__ID_MAX)
		return false;
	memcpy(key->data, ctr_id, n + 1);
	memcpy(key->data + n + 1, id, m);
	key->len = n + 1 + m;
	return true;
}

static int no_such_exec(ctr_error_t **err, const char *id)
{
	return ctr__fail(err, CTR_E_NO_SUCH_EXEC, "no exec session \"%.200s\"", id);
}

/* ---- reading ---- */

int ctr__store_exec_load(struct ctr__store *s, const char *ctr_id, const char *id,
    struct ctr__buf *raw, ctr_error_t **err)
{
	CTR__READ struct ctr__read rd = {0};
	struct key key;
	MDB_val k, v;
	int r;

	raw->len = 0;
	if (!*id || !make_key(ctr_id, id, &key))
		return 0;
	k = ctr__val(key.data, key.len);
	r = ctr__read_begin(&s->run_env, &rd, err);
	if (r == 0)
		r = mdb_get(rd.txn, s->run_env.db[CTR__DB_EXEC_STATE], &k, &v);
	if (r == MDB_NOTFOUND)
		return 0;
	if (r)
		return ctr__env_result(&s->run_env, r, err);
	ctr__buf_add(raw, v.mv_data, v.mv_size);
	return raw->failed ? ctr__fail_nomem(err) : 1;
}

int ctr__store_exec_owner(
    struct ctr__store *s, const char *id, char ctr_id[CTR__ID_MAX + 1], ctr_error_t **err)
{
	CTR__READ struct ctr__read rd = {0};
	MDB_val k, v;
	int r;

	if (!id || !*id)
		return ctr__fail(err, CTR_E_EMPTY_ID, "the ID of an exec session is empty");
	k = ctr__vals(id);
	if (k.mv_size > CTR__ID_MAX)
		return no_such_exec(err, id);
	r = ctr__read_begin(&s->run_env, &rd, err);
	if (r == 0)
		r = mdb_get(rd.txn, s->run_env.db[CTR__DB_EXEC], &k, &v);
	if (r == MDB_NOTFOUND)
		return no_such_exec(err, id);
	if (r == 0 && (v.mv_size == 0 || v.mv_size > CTR__ID_MAX))
		r = MDB_CORRUPTED;
	if (r)
		return ctr__env_result(&s->run_env, r, err);
	memcpy(ctr_id, v.mv_data, v.mv_size);
	ctr_id[v.mv_size] = '\0';
	return 0;
}

/* The first key at or behind `key` that is of the same container. An MDB code. */
static int next_of(MDB_cursor *cur, const struct key *key, MDB_val *k, MDB_val *v, bool first)
{
	size_t prefix = strlen(key->data) + 1;
	int rc;

	*k = ctr__val(key->data, key->len);
	rc = mdb_cursor_get(cur, k, v, first ? MDB_SET_RANGE : MDB_NEXT);
	if (rc == 0 && (k->mv_size <= prefix || memcmp(k->mv_data, key->data, prefix) != 0))
		rc = MDB_NOTFOUND;
	return rc;
}

static int collect(struct ctr__store *s, MDB_txn *txn, const struct key *key, struct ctr__buf *ids)
{
	CTR__CURSOR MDB_cursor *cur = NULL;
	size_t prefix = strlen(key->data) + 1;
	MDB_val k, v;
	int rc = mdb_cursor_open(txn, s->run_env.db[CTR__DB_EXEC_STATE], &cur);

	if (rc == 0)
		rc = next_of(cur, key, &k, &v, true);
	while (rc == 0) {
		ctr__buf_add(ids, (const char *)k.mv_data + prefix, k.mv_size - prefix);
		ctr__buf_add(ids, "", 1);
		rc = next_of(cur, key, &k, &v, false);
	}
	if (ids->failed)
		return ENOMEM;
	return rc == MDB_NOTFOUND ? 0 : rc;
}

int ctr__store_exec_list(struct ctr__store *s, const char *ctr_id, char ***out, ctr_error_t **err)
{
	CTR__BUF struct ctr__buf ids = {0};
	struct key key;
	int r = 0;

	if (make_key(ctr_id, "", &key)) {
		CTR__READ struct ctr__read rd = {0};

		r = ctr__read_begin(&s->run_env, &rd, err);
		if (r == 0)
			r = collect(s, rd.txn, &key, &ids);
	}
	if (r)
		return ctr__env_result(&s->run_env, r, err);
	*out = ctr__unpack(&(struct ctr__packed){ids.data, ids.len});
	return *out ? 0 : ctr__fail_nomem(err);
}

/* ---- writing ---- */

struct save_job {
	struct ctr__store *s;
	const struct ctr__exec_save *save;
	struct key key;
};

static int put_rows(struct save_job *job, MDB_txn *txn)
{
	const struct ctr__exec_save *save = job->save;
	struct ctr__env *e = &job->s->run_env;
	struct ctr__buf *buf = &job->s->scratch;
	MDB_val k = ctr__vals(save->id), v = ctr__vals(save->ctr_id);
	int rc = 0;

	if (save->is_new)
		rc = mdb_put(txn, e->db[CTR__DB_EXEC], &k, &v, MDB_NOOVERWRITE);
	buf->len = 0;
	ctr__exec_state_encode(save->state, buf);
	if (buf->failed) {
		buf->failed = false;
		return ENOMEM;
	}
	k = ctr__val(job->key.data, job->key.len);
	v = ctr__val(buf->data, buf->len);
	return rc ? rc : mdb_put(txn, e->db[CTR__DB_EXEC_STATE], &k, &v, 0);
}

/* The exit code stays for a while, as a container's does. */
static int put_code(struct save_job *job, MDB_txn *txn)
{
	const struct ctr__exec_save *save = job->save;

	return ctr__exit_put(
	    job->s, txn, save->id, save->state->exit_code, save->state->finished_ns);
}

static int del_rows(struct save_job *job, MDB_txn *txn)
{
	struct ctr__env *e = &job->s->run_env;
	MDB_val k = ctr__val(job->key.data, job->key.len);
	int rc = mdb_del(txn, e->db[CTR__DB_EXEC_STATE], &k, NULL);

	if (rc == 0 || rc == MDB_NOTFOUND)
		rc = ctr__db_del(txn, e->db[CTR__DB_EXEC], job->save->id);
	return rc;
}

static int save_txn(MDB_txn *txn, void *arg, ctr_error_t **err)
{
	struct save_job *job = arg;
	const struct ctr__exec_save *save = job->save;
	int rc = save->remove ? del_rows(job, txn) : put_rows(job, txn);

	(void)err;
	if (rc == 0 && save->record_exit)
		rc = put_code(job, txn);
	for (size_t i = 0; i < save->events_n && rc == 0; i++)
		rc = ctr__journal_append(&job->s->run_env, txn, save->events[i], &job->s->scratch);
	return rc;
}

int ctr__store_exec_save(struct ctr__store *s, const struct ctr__exec_save *save, ctr_error_t **err)
{
	struct save_job job = {.s = s, .save = save};
	CTR__UNLOCK struct ctr__env *held = NULL;
	int r;

	if (!*save->id || !make_key(save->ctr_id, save->id, &job.key))
		return no_such_exec(err, save->id);
	r = ctr__env_lock(&s->run_env, &held, err);
	if (r == 0)
		r = ctr__env_write(&s->run_env, save_txn, &job, err);
	if (r == 0 && save->events_n > 0)
		ctr__notify_touch(s->notify_fd);
	return r;
}

/* ---- with their container ---- */

/* The row of "exec" that belongs to a key of "exec_state". */
static int del_owner(struct ctr__env *e, MDB_txn *txn, MDB_val k)
{
	const char *nul = memchr(k.mv_data, '\0', k.mv_size);
	size_t at = nul ? (size_t)(nul - (const char *)k.mv_data) + 1 : k.mv_size;
	char id[KEY_MAX + 1];

	if (k.mv_size > KEY_MAX || at == k.mv_size)
		return 0;
	memcpy(id, (const char *)k.mv_data + at, k.mv_size - at);
	id[k.mv_size - at] = '\0';
	return ctr__db_del(txn, e->db[CTR__DB_EXEC], id);
}

int ctr__exec_drop(MDB_txn *txn, struct ctr__store *s, const char *ctr_id)
{
	CTR__CURSOR MDB_cursor *cur = NULL;
	struct ctr__env *e = &s->run_env;
	struct key key;
	MDB_val k, v;
	int rc;

	if (!make_key(ctr_id, "", &key))
		return 0;
	rc = mdb_cursor_open(txn, e->db[CTR__DB_EXEC_STATE], &cur);
	while (rc == 0) {
		rc = next_of(cur, &key, &k, &v, true);
		if (rc == 0)
			rc = del_owner(e, txn, k);
		if (rc == 0)
			rc = mdb_cursor_del(cur, 0);
	}
	return rc == MDB_NOTFOUND ? 0 : rc;
}

/* Is the container that a key of "exec_state" names still there? */
static int has_owner(MDB_txn *root, MDB_dbi ctrs, MDB_val k, bool *yes)
{
	const char *nul = memchr(k.mv_data, '\0', k.mv_size);
	MDB_val id = {nul ? (size_t)(nul - (const char *)k.mv_data) : 0, k.mv_data}, v;
	int rc = id.mv_size > 0 && id.mv_size <= CTR__ID_MAX ? mdb_get(root, ctrs, &id, &v)
	                                                     : MDB_NOTFOUND;

	*yes = rc == 0;
	return rc == MDB_NOTFOUND ? 0 : rc;
}

int ctr__exec_drop_orphans(MDB_txn *txn, struct ctr__store *s, MDB_txn *root)
{
	CTR__CURSOR MDB_cursor *cur = NULL;
	struct ctr__env *e = &s->run_env;
	MDB_val k, v;
	int rc = mdb_cursor_open(txn, e->db[CTR__DB_EXEC_STATE], &cur);

	if (rc == 0)
		rc = mdb_cursor_get(cur, &k, &v, MDB_FIRST);
	while (rc == 0) {
		bool keep;

		rc = has_owner(root, s->root_env.db[CTR__DB_CTR], k, &keep);
		if (rc == 0 && !keep)
			rc = del_owner(e, txn, k);
		if (rc == 0 && !keep)
			rc = mdb_cursor_del(cur, 0);
		if (rc == 0)
			rc = mdb_cursor_get(cur, &k, &v, MDB_NEXT);
	}
	return rc == MDB_NOTFOUND ? 0 : rc;
}
