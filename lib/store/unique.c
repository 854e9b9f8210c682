/* SPDX-License-Identifier: Apache-2.0 */
/*
 * IDs and names: one space of containers and pods. The database "name" has those of both; whose a name is, is told
 * by the database that has the ID.
 */
#include "store/env.h"

#define CANDIDATES_MAX 8

/* ---- is it free? ---- */

static int taken(ctr_error_t **err, const char *what, const char *value, bool pod, const char *by)
{
	int code = pod ? CTR_E_POD_EXISTS : CTR_E_CTR_EXISTS;

	ctr__fail(err, code, "the %s \"%s\" is in use as a %s's %s", what, value,
	    pod ? "pod" : "container", by);
	ctr__error_detail(err, "field", strcmp(what, "name") == 0 ? "name" : "id");
	return code;
}

static int check_no_id(
    struct ctr__env *e, MDB_txn *txn, const char *what, const char *value, ctr_error_t **err)
{
	bool has;
	int r = ctr__db_has(txn, e->db[CTR__DB_CTR], value, &has);

	if (r == 0 && has)
		return taken(err, what, value, false, "ID");
	if (r == 0)
		r = ctr__db_has(txn, e->db[CTR__DB_POD], value, &has);
	return r == 0 && has ? taken(err, what, value, true, "ID") : r;
}

static int check_no_name(
    struct ctr__env *e, MDB_txn *txn, const char *what, const char *value, ctr_error_t **err)
{
	MDB_val k = ctr__vals(value), v, pod;
	int r = mdb_get(txn, e->db[CTR__DB_NAME], &k, &v);

	if (r)
		return r == MDB_NOTFOUND ? 0 : r;
	r = mdb_get(txn, e->db[CTR__DB_POD], &v, &pod);
	if (r && r != MDB_NOTFOUND)
		return r;
	return taken(err, what, value, r == 0, "name");
}

int ctr__check_id_free(struct ctr__env *e, MDB_txn *txn, const char *id, ctr_error_t **err)
{
	int r = check_no_id(e, txn, "ID", id, err);

	return r ? r : check_no_name(e, txn, "ID", id, err);
}

int ctr__check_name_free(
    struct ctr__env *e, MDB_txn *txn, const char *name, const char *id, ctr_error_t **err)
{
	int r;

	if (!name || !*name)
		return 0;
	r = check_no_name(e, txn, "name", name, err);
	if (r || strcmp(name, id) == 0)
		return r;
	return check_no_id(e, txn, "name", name, err);
}

int ctr__name_put(struct ctr__env *e, MDB_txn *txn, const char *name, const char *id)
{
	MDB_val k = ctr__vals(name ? name : ""), v = ctr__vals(id);

	return k.mv_size ? mdb_put(txn, e->db[CTR__DB_NAME], &k, &v, 0) : 0;
}

/* ---- finding ---- */

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
    MDB_cursor *cur, bool pod, const char *first, MDB_val second, MDB_val prefix, ctr_error_t **err)
{
	CTR__BUF struct ctr__buf list = {0};
	int code = pod ? CTR_E_POD_EXISTS : CTR_E_CTR_EXISTS;
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
	ctr__fail(err, code, "\"%.*s\" is the beginning of more than one %s's ID",
	    (int)prefix.mv_size, (const char *)prefix.mv_data, pod ? "pod" : "container");
	ctr__error_detail(err, "candidates", list.data);
	return code;
}

static int by_prefix(struct ctr__env *e, MDB_txn *txn, MDB_dbi db, MDB_val prefix,
    char id[CTR__ID_MAX + 1], ctr_error_t **err)
{
	CTR__CURSOR MDB_cursor *cur = NULL;
	MDB_val k = prefix, v;
	int rc = mdb_cursor_open(txn, db, &cur);

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
		return fail_ambiguous(cur, db == e->db[CTR__DB_POD], id, k, prefix, err);
	return rc == MDB_NOTFOUND ? 0 : rc;
}

/* A name counts only if what has it is in `db`: a pod's is none of a container. */
static int by_name(
    struct ctr__env *e, MDB_txn *txn, MDB_dbi db, MDB_val name, char id[CTR__ID_MAX + 1])
{
	MDB_val k = name, v, found;
	int rc = mdb_get(txn, e->db[CTR__DB_NAME], &k, &found);

	if (rc == 0)
		rc = mdb_get(txn, db, &found, &v);
	return rc ? rc : copy_id(found, id);
}

int ctr__find_id(struct ctr__env *e, MDB_txn *txn, MDB_dbi db, const char *wanted,
    char id[CTR__ID_MAX + 1], ctr_error_t **err)
{
	MDB_val key = ctr__vals(wanted), k = key, v;
	int rc = mdb_get(txn, db, &k, &v);

	if (rc == 0)
		return copy_id(key, id);
	if (rc == MDB_NOTFOUND)
		rc = by_name(e, txn, db, key, id);
	return rc == MDB_NOTFOUND ? by_prefix(e, txn, db, key, id, err) : rc;
}
