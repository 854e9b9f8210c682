/* SPDX-License-Identifier: Apache-2.0 */
/* Finding containers: by ID, name or prefix; configurations; dependents; all of them. */
#include "store/env.h"

#define CANDIDATES_MAX 8

/* ---- configuration ---- */

static int copy_config(
    MDB_val v, struct ctr__buf *json, uint32_t *slot, uint64_t *cfg_gen, ctr_error_t **err)
{
	struct ctr__ctr_rec rec;
	int r = ctr__ctr_rec_decode(v.mv_data, v.mv_size, &rec, err);

	if (r < 0)
		return r;
	ctr__buf_add(json, rec.json, rec.json_len);
	if (json->failed)
		return ctr__fail_nomem(err);
	*slot = rec.slot;
	*cfg_gen = rec.origin.cfg_gen;
	return 0;
}

int ctr__store_get_config(struct ctr__store *s, const char *id, struct ctr__buf *json,
    uint32_t *slot, uint64_t *cfg_gen, ctr_error_t **err)
{
	CTR__READ struct ctr__read rd = {0};
	MDB_val k, v;
	int r = ctr__check_id(id, err);

	if (r < 0)
		return r;
	k = ctr__vals(id);
	if (k.mv_size > CTR__ID_MAX)
		return ctr__no_such_ctr(err, id);
	r = ctr__read_begin(&s->root_env, &rd, err);
	if (r == 0)
		r = mdb_get(rd.txn, s->root_env.db[CTR__DB_CTR], &k, &v);
	if (r == MDB_NOTFOUND)
		return ctr__no_such_ctr(err, id);
	if (r == 0)
		r = copy_config(v, json, slot, cfg_gen, err);
	r = ctr__env_result(&s->root_env, r, err);
	if (r < 0)
		ctr__error_detail(err, "container", id);
	return r;
}

/* ---- lookup ---- */

static int copy_id(MDB_val v, char id[CTR__ID_MAX + 1])
{
	if (v.mv_size == 0 || v.mv_size > CTR__ID_MAX)
		return MDB_CORRUPTED;
	memcpy(id, v.mv_data, v.mv_size);
	id[v.mv_size] = '\0';
	return 0;
}

static bool has_prefix(MDB_val k, MDB_val prefix)
{
	return k.mv_size >= prefix.mv_size &&
	       memcmp(k.mv_data, prefix.mv_data, prefix.mv_size) == 0;
}

/* `cur` is at the second ID that matches; `first` is the one before. */
static int fail_ambiguous(
    MDB_cursor *cur, const char *first, MDB_val second, MDB_val prefix, ctr_error_t **err)
{
	CTR__BUF struct ctr__buf list = {0};
	MDB_val k = second, v;
	int rc = 0;

	ctr__buf_adds(&list, first);
	for (int n = 1; n < CANDIDATES_MAX && rc == 0 && has_prefix(k, prefix); n++) {
		ctr__buf_addc(&list, ',');
		ctr__buf_add(&list, k.mv_data, k.mv_size);
		rc = mdb_cursor_get(cur, &k, &v, MDB_NEXT);
	}
	if (rc && rc != MDB_NOTFOUND)
		return rc;
	if (list.failed)
		return ctr__fail_nomem(err);
	ctr__fail(err, CTR_E_CTR_EXISTS,
	    "\"%.*s\" is the beginning of more than one container's ID", (int)prefix.mv_size,
	    (const char *)prefix.mv_data);
	ctr__error_detail(err, "candidates", list.data);
	return CTR_E_CTR_EXISTS;
}

static int by_prefix(
    struct ctr__env *e, MDB_txn *txn, MDB_val prefix, char id[CTR__ID_MAX + 1], ctr_error_t **err)
{
	CTR__CURSOR MDB_cursor *cur = NULL;
	MDB_val k = prefix, v;
	int rc = mdb_cursor_open(txn, e->db[CTR__DB_CTR], &cur);

	if (rc == 0)
		rc = mdb_cursor_get(cur, &k, &v, MDB_SET_RANGE);
	if (rc == 0 && !has_prefix(k, prefix))
		rc = MDB_NOTFOUND;
	if (rc == 0)
		rc = copy_id(k, id);
	if (rc)
		return rc;
	rc = mdb_cursor_get(cur, &k, &v, MDB_NEXT);
	if (rc == 0 && has_prefix(k, prefix))
		return fail_ambiguous(cur, id, k, prefix, err);
	return rc == MDB_NOTFOUND ? 0 : rc;
}

static int find(
    struct ctr__env *e, MDB_txn *txn, MDB_val key, char id[CTR__ID_MAX + 1], ctr_error_t **err)
{
	MDB_val k = key, v;
	int rc = mdb_get(txn, e->db[CTR__DB_CTR], &k, &v);

	if (rc == 0)
		return copy_id(key, id);
	if (rc == MDB_NOTFOUND)
		rc = mdb_get(txn, e->db[CTR__DB_NAME], &k, &v);
	if (rc == 0)
		return copy_id(v, id);
	return rc == MDB_NOTFOUND ? by_prefix(e, txn, key, id, err) : rc;
}

int ctr__store_lookup(
    struct ctr__store *s, const char *name_or_id, char id[CTR__ID_MAX + 1], ctr_error_t **err)
{
	CTR__READ struct ctr__read rd = {0};
	int r = MDB_NOTFOUND;
	MDB_val key;

	id[0] = '\0';
	if (!name_or_id || !*name_or_id)
		return ctr__fail(err, CTR_E_EMPTY_ID, "the container's name or ID is empty");
	key = ctr__vals(name_or_id);
	if (key.mv_size <= CTR__NAME_MAX) {
		r = ctr__read_begin(&s->root_env, &rd, err);
		if (r == 0)
			r = find(&s->root_env, rd.txn, key, id, err);
	}
	if (r == MDB_NOTFOUND)
		return ctr__fail(err, CTR_E_NO_SUCH_CTR, "no container with name or ID \"%.*s\"",
		    CTR__NAME_MAX, name_or_id);
	return ctr__env_result(&s->root_env, r, err);
}

int ctr__store_has(struct ctr__store *s, const char *id, ctr_error_t **err)
{
	CTR__READ struct ctr__read rd = {0};
	bool has = false;
	int r = ctr__check_id(id, err);

	if (r == 0)
		r = ctr__read_begin(&s->root_env, &rd, err);
	if (r == 0)
		r = ctr__db_has(rd.txn, s->root_env.db[CTR__DB_CTR], id, &has);
	r = ctr__env_result(&s->root_env, r, err);
	return r < 0 ? r : has;
}

/* ---- dependents ---- */

static int add_id(char ***list, size_t *n, MDB_val v)
{
	char **grown = realloc(*list, (*n + 2) * sizeof(char *));

	if (!grown)
		return ENOMEM;
	*list = grown;
	grown[*n] = strndup(v.mv_data, v.mv_size);
	grown[*n + 1] = NULL;
	return grown[(*n)++] ? 0 : ENOMEM;
}

static int collect_dependents(struct ctr__env *e, MDB_txn *txn, const char *id, char ***list)
{
	CTR__CURSOR MDB_cursor *cur = NULL;
	MDB_val k = ctr__vals(id), v;
	size_t n = 0;
	int rc = mdb_cursor_open(txn, e->db[CTR__DB_DEP], &cur);

	if (rc == 0)
		rc = mdb_cursor_get(cur, &k, &v, MDB_SET_KEY);
	while (rc == 0) {
		rc = add_id(list, &n, v);
		if (rc == 0)
			rc = mdb_cursor_get(cur, &k, &v, MDB_NEXT_DUP);
	}
	return rc == MDB_NOTFOUND ? 0 : rc;
}

int ctr__store_dependents(struct ctr__store *s, const char *id, char ***out, ctr_error_t **err)
{
	CTR__READ struct ctr__read rd = {0};
	CTR__STRV char **list = NULL;
	bool has = false;
	int r = ctr__check_id(id, err);

	if (r < 0)
		return r;
	list = calloc(1, sizeof(char *));
	if (!list)
		return ctr__fail_nomem(err);
	r = ctr__read_begin(&s->root_env, &rd, err);
	if (r == 0)
		r = ctr__db_has(rd.txn, s->root_env.db[CTR__DB_CTR], id, &has);
	if (r == 0 && !has)
		return ctr__no_such_ctr(err, id);
	if (r == 0)
		r = collect_dependents(&s->root_env, rd.txn, id, &list);
	if (r)
		return ctr__env_result(&s->root_env, r, err);
	*out = CTR__STEAL_PTR(list);
	return 0;
}

/* ---- all ---- */

int ctr__store_count(struct ctr__store *s, size_t *n, ctr_error_t **err)
{
	CTR__READ struct ctr__read rd = {0};
	MDB_stat st;
	int r = ctr__read_begin(&s->root_env, &rd, err);

	if (r == 0)
		r = mdb_stat(rd.txn, s->root_env.db[CTR__DB_CTR], &st);
	if (r)
		return ctr__env_result(&s->root_env, r, err);
	*n = st.ms_entries;
	return 0;
}

/* All IDs, each with its NUL. */
static int collect_ids(struct ctr__store *s, struct ctr__buf *ids, ctr_error_t **err)
{
	CTR__READ struct ctr__read rd = {0};
	CTR__CURSOR MDB_cursor *cur = NULL;
	MDB_val k, v;
	int r = ctr__read_begin(&s->root_env, &rd, err);

	if (r == 0)
		r = mdb_cursor_open(rd.txn, s->root_env.db[CTR__DB_CTR], &cur);
	if (r == 0)
		r = mdb_cursor_get(cur, &k, &v, MDB_FIRST);
	while (r == 0) {
		ctr__buf_add(ids, k.mv_data, k.mv_size);
		ctr__buf_add(ids, "", 1);
		r = ids->failed ? ENOMEM : mdb_cursor_get(cur, &k, &v, MDB_NEXT);
	}
	return r == MDB_NOTFOUND ? 0 : ctr__env_result(&s->root_env, r, err);
}

int ctr__store_each(struct ctr__store *s, int (*fn)(const char *id, void *userdata), void *userdata,
    ctr_error_t **err)
{
	CTR__BUF struct ctr__buf ids = {0};
	int r = collect_ids(s, &ids, err);

	for (size_t at = 0; r == 0 && at < ids.len; at += strlen(ids.data + at) + 1)
		r = fn(ids.data + at, userdata);
	return r;
}
