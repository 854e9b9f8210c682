/* SPDX-License-Identifier: Apache-2.0 */
/* Finding containers: by ID, name or prefix; configurations; dependents; all of them. */
#include "store/env.h"

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

int ctr__store_lookup(
    struct ctr__store *s, const char *name_or_id, char id[CTR__ID_MAX + 1], ctr_error_t **err)
{
	CTR__READ struct ctr__read rd = {0};
	int r = MDB_NOTFOUND;
	size_t len;

	id[0] = '\0';
	if (!name_or_id || !*name_or_id)
		return ctr__fail(err, CTR_E_EMPTY_ID, "the container's name or ID is empty");
	len = strlen(name_or_id);
	if (len <= CTR__NAME_MAX) {
		r = ctr__read_begin(&s->root_env, &rd, err);
		if (r == 0)
			r = ctr__find_id(
			    &s->root_env, rd.txn, s->root_env.db[CTR__DB_CTR], name_or_id, id, err);
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

/* ---- dependencies and dependents ---- */

static int add_id(char ***list, size_t *n, MDB_val v)
{
	char **grown = realloc(*list, (*n + 2) * sizeof(char *));

	if (!grown)
		return ENOMEM;
	*list = grown;
	grown[*n] = ctr__strdup_len(v.mv_data, v.mv_size);
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

static int copy_dependencies(MDB_val v, char ***list, ctr_error_t **err)
{
	struct ctr__ctr_rec rec;
	size_t n = 0;
	int r = ctr__ctr_rec_decode(v.mv_data, v.mv_size, &rec, err);

	for (size_t at = 0; r == 0 && at < rec.deps_len;) {
		size_t len = strnlen(rec.deps + at, rec.deps_len - at);

		r = add_id(list, &n, ctr__val(rec.deps + at, len));
		at += len + 1;
	}
	return r;
}

int ctr__store_dependencies(struct ctr__store *s, const char *id, char ***out, ctr_error_t **err)
{
	CTR__READ struct ctr__read rd = {0};
	CTR__STRV char **list = NULL;
	MDB_val k, v;
	int r = ctr__check_id(id, err);

	if (r < 0)
		return r;
	k = ctr__vals(id);
	if (k.mv_size > CTR__ID_MAX)
		return ctr__no_such_ctr(err, id);
	list = calloc(1, sizeof(char *));
	if (!list)
		return ctr__fail_nomem(err);
	r = ctr__read_begin(&s->root_env, &rd, err);
	if (r == 0)
		r = mdb_get(rd.txn, s->root_env.db[CTR__DB_CTR], &k, &v);
	if (r == MDB_NOTFOUND)
		return ctr__no_such_ctr(err, id);
	if (r == 0)
		r = copy_dependencies(v, &list, err);
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
