/* SPDX-License-Identifier: Apache-2.0 */
/* Which container is in which pod: "ctr_pod" and, the other way round, "pod_ctr". */
#include "store/env.h"

/* Value of "ctr_pod": the pod's ID with its NUL, and one byte of flags. */

int ctr__member_of(struct ctr__env *e, MDB_txn *txn, const char *ctr_id, char pod[CTR__ID_MAX + 1],
    unsigned int *flags)
{
	MDB_val k = ctr__vals(ctr_id), v;
	size_t len;
	int rc = mdb_get(txn, e->db[CTR__DB_CTR_POD], &k, &v);

	pod[0] = '\0';
	if (flags)
		*flags = 0;
	if (rc)
		return rc == MDB_NOTFOUND ? 0 : rc;
	len = v.mv_size - 1;
	if (v.mv_size < 3 || v.mv_size > CTR__ID_MAX + 2 || ((char *)v.mv_data)[len - 1] != '\0')
		return MDB_CORRUPTED;
	memcpy(pod, v.mv_data, len);
	if (flags)
		*flags = ((unsigned char *)v.mv_data)[len];
	return 0;
}

/* ---- the infra container's ID in the pod's record ---- */

/* `pod`: the stored record. */
static int put_infra(
    struct ctr__env *e, MDB_txn *txn, const char *pod, const char *infra, ctr_error_t **err)
{
	CTR__BUF struct ctr__buf value = {0};
	MDB_val k = ctr__vals(pod), v;
	struct ctr__pod_rec rec;
	int r = mdb_get(txn, e->db[CTR__DB_POD], &k, &v);

	if (r)
		return r == MDB_NOTFOUND ? 0 : r;
	r = ctr__pod_rec_decode(v.mv_data, v.mv_size, &rec, err);
	if (r < 0)
		return r;
	if (*infra && *rec.infra) {
		ctr__fail(
		    err, CTR_E_CTR_EXISTS, "pod \"%s\" has an infra container: %s", pod, rec.infra);
		ctr__error_detail(err, "field", "pause");
		return CTR_E_CTR_EXISTS;
	}
	rec.infra = infra;
	ctr__pod_rec_encode(&rec, &value);
	if (value.failed)
		return ENOMEM;
	v = ctr__val(value.data, value.len);
	return mdb_put(txn, e->db[CTR__DB_POD], &k, &v, 0);
}

/* ---- entering and leaving ---- */

static unsigned int flags_of(const ctr_config_t *cfg)
{
	return (cfg->is_infra ? CTR__MEMBER_INFRA : 0U) |
	       (cfg->init_container_type ? CTR__MEMBER_INIT : 0U);
}

int ctr__member_del(struct ctr__env *e, MDB_txn *txn, const char *ctr_id)
{
	char pod[CTR__ID_MAX + 1];
	unsigned int flags;
	MDB_val k, v = ctr__vals(ctr_id);
	int rc = ctr__member_of(e, txn, ctr_id, pod, &flags);

	if (rc || !pod[0])
		return rc;
	rc = ctr__db_del(txn, e->db[CTR__DB_CTR_POD], ctr_id);
	k = ctr__vals(pod);
	if (rc == 0)
		rc = mdb_del(txn, e->db[CTR__DB_POD_CTR], &k, &v);
	if (rc == MDB_NOTFOUND)
		rc = 0;
	if (rc == 0 && flags & CTR__MEMBER_INFRA)
		rc = put_infra(e, txn, pod, "", NULL);
	return ctr__rc_is_mdb(rc) || rc == 0 ? rc : MDB_CORRUPTED;
}

int ctr__member_put(struct ctr__env *e, MDB_txn *txn, const ctr_config_t *cfg, ctr_error_t **err)
{
	CTR__BUF struct ctr__buf value = {0};
	unsigned char flags = (unsigned char)flags_of(cfg);
	const char *pod = cfg->pod ? cfg->pod : "";
	MDB_val k = ctr__vals(cfg->id), v, pod_key = ctr__vals(pod);
	bool has = false;
	/* What an older library left of a former container with this ID. */
	int r = ctr__member_del(e, txn, cfg->id);

	if (r || !*pod)
		return r;
	r = ctr__db_has(txn, e->db[CTR__DB_POD], pod, &has);
	if (r == 0 && !has)
		return ctr__fail(err, CTR_E_NO_SUCH_POD, "no pod \"%s\"", pod);
	ctr__buf_add(&value, pod, strlen(pod) + 1);
	ctr__buf_add(&value, &flags, 1);
	if (value.failed)
		return ENOMEM;
	v = ctr__val(value.data, value.len);
	if (r == 0)
		r = mdb_put(txn, e->db[CTR__DB_CTR_POD], &k, &v, 0);
	if (r == 0)
		r = mdb_put(txn, e->db[CTR__DB_POD_CTR], &pod_key, &k, MDB_NODUPDATA);
	if (r == MDB_KEYEXIST)
		r = 0;
	if (r == 0 && flags & CTR__MEMBER_INFRA)
		r = put_infra(e, txn, pod, cfg->id, err);
	return r;
}

int ctr__member_list(struct ctr__env *e, MDB_txn *txn, const char *pod, struct ctr__buf *ids)
{
	CTR__CURSOR MDB_cursor *cur = NULL;
	MDB_val k = ctr__vals(pod), v;
	int rc = mdb_cursor_open(txn, e->db[CTR__DB_POD_CTR], &cur);

	if (rc == 0)
		rc = mdb_cursor_get(cur, &k, &v, MDB_SET_KEY);
	while (rc == 0) {
		MDB_val id = v, found;

		/* Not what an older library has removed. */
		rc = mdb_get(txn, e->db[CTR__DB_CTR], &id, &found);
		if (rc == 0) {
			ctr__buf_add(ids, v.mv_data, v.mv_size);
			ctr__buf_add(ids, "", 1);
		}
		if (ids->failed)
			return ENOMEM;
		if (rc == 0 || rc == MDB_NOTFOUND)
			rc = mdb_cursor_get(cur, &k, &v, MDB_NEXT_DUP);
	}
	return rc == MDB_NOTFOUND ? 0 : rc;
}

int ctr__member_check_dep(
    struct ctr__env *e, MDB_txn *txn, const ctr_config_t *cfg, const char *dep, ctr_error_t **err)
{
	char pod[CTR__ID_MAX + 1];
	const char *own = cfg->pod ? cfg->pod : "";
	int r = ctr__member_of(e, txn, dep, pod, NULL);

	if (r || strcmp(pod, own) == 0)
		return r;
	ctr__fail(err, CTR_E_INVALID,
	    "container \"%s\" depends on \"%s\", which is %s%s: both must be in the same pod or in "
	    "none",
	    cfg->id, dep, *pod ? "in pod " : "in no pod", pod);
	ctr__error_detail(err, "field", "Dependencies");
	return CTR_E_INVALID;
}
