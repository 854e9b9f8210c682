/* SPDX-License-Identifier: Apache-2.0 */
/* Pods: adding, rewriting, removing. Each is one durable change. And the codec of their record. */
#include "store/pod.h"

#include "store/env.h"

#define POD_REC_VERSION 1U

/* ---- the record ---- */

struct pod_head {
	uint16_t version, head_len;
	uint32_t slot;
	struct ctr__origin origin;
	int64_t created_ns;
	uint16_t name_len, infra_len;
	uint32_t json_len;
};
_Static_assert(sizeof(struct pod_head) == 40, "stored layout");

void ctr__pod_rec_encode(const struct ctr__pod_rec *rec, struct ctr__buf *out)
{
	size_t name_len = strlen(rec->name), infra_len = strlen(rec->infra);
	struct pod_head h = {
	    .version = POD_REC_VERSION,
	    .head_len = sizeof(h),
	    .slot = rec->slot,
	    .origin = rec->origin,
	    .created_ns = rec->created_ns,
	    .name_len = (uint16_t)name_len,
	    .infra_len = (uint16_t)infra_len,
	    .json_len = (uint32_t)rec->json_len,
	};

	if (name_len > UINT16_MAX || infra_len > UINT16_MAX || rec->json_len > UINT32_MAX) {
		out->failed = true;
		return;
	}
	ctr__buf_add(out, &h, sizeof(h));
	ctr__buf_add(out, rec->name, name_len + 1);
	ctr__buf_add(out, rec->infra, infra_len + 1);
	ctr__buf_add(out, rec->json, rec->json_len);
}

static int damaged(ctr_error_t **err)
{
	return ctr__fail(err, CTR_E_STORE_CORRUPT, "the record of a pod is damaged");
}

int ctr__pod_rec_decode(const void *data, size_t len, struct ctr__pod_rec *rec, ctr_error_t **err)
{
	const char *p = data;
	struct pod_head h;
	size_t strings;

	if (len < sizeof(h))
		return damaged(err);
	memcpy(&h, data, sizeof(h));
	if (h.version > POD_REC_VERSION)
		return ctr__fail(err, CTR_E_STORE_NEWER,
		    "the record of a pod has version %u, this libctr knows %u", h.version,
		    POD_REC_VERSION);
	strings = (size_t)h.name_len + 1 + h.infra_len + 1;
	if (h.version != POD_REC_VERSION || h.head_len != sizeof(h) || len - sizeof(h) < strings ||
	    len - sizeof(h) - strings != h.json_len)
		return damaged(err);
	p += sizeof(h);
	*rec = (struct ctr__pod_rec){
	    .origin = h.origin,
	    .slot = h.slot,
	    .created_ns = h.created_ns,
	    .name = p,
	    .infra = p + h.name_len + 1,
	    .json = p + strings,
	    .json_len = h.json_len,
	};
	if (rec->name[h.name_len] || rec->infra[h.infra_len] || h.infra_len > CTR__ID_MAX)
		return damaged(err);
	return 0;
}

static int put_record(struct ctr__env *e, MDB_txn *txn, const ctr_pod_config_t *cfg,
    const struct ctr__pod_rec *base, ctr_error_t **err)
{
	CTR__BUF struct ctr__buf value = {0};
	struct ctr__pod_rec rec = *base;
	MDB_val k = ctr__vals(cfg->id), v;

	if (cfg->json.len > CTR__JSON_MAX_SIZE)
		return ctr__fail(err, CTR_E_INVALID,
		    "the pod's configuration is too large: %zu bytes, at most %u", cfg->json.len,
		    CTR__JSON_MAX_SIZE);
	rec.created_ns = cfg->created_ns;
	rec.name = cfg->name ? cfg->name : "";
	rec.json = cfg->json.text;
	rec.json_len = cfg->json.len;
	ctr__pod_rec_encode(&rec, &value);
	if (value.failed)
		return ENOMEM;
	v = ctr__val(value.data, value.len);
	return mdb_put(txn, e->db[CTR__DB_POD], &k, &v, 0);
}

static int no_such_pod(ctr_error_t **err, const char *id)
{
	return ctr__fail(err, CTR_E_NO_SUCH_POD, "no pod \"%.128s\"", id);
}

/* A copy of what has to be known of a stored pod to replace or remove it. */
struct old {
	struct ctr__origin origin;
	uint32_t slot;
	char name[CTR__NAME_MAX + 1], infra[CTR__ID_MAX + 1];
};

static int read_old(
    struct ctr__env *e, MDB_txn *txn, const char *id, struct old *o, ctr_error_t **err)
{
	MDB_val k = ctr__vals(id), v;
	struct ctr__pod_rec rec;
	int r = MDB_NOTFOUND;

	if (k.mv_size <= CTR__ID_MAX)
		r = mdb_get(txn, e->db[CTR__DB_POD], &k, &v);
	if (r == MDB_NOTFOUND)
		return no_such_pod(err, id);
	if (r == 0)
		r = ctr__pod_rec_decode(v.mv_data, v.mv_size, &rec, err);
	if (r)
		return r;
	if (strlen(rec.name) > CTR__NAME_MAX)
		return MDB_CORRUPTED;
	o->origin = rec.origin;
	o->slot = rec.slot;
	memcpy(o->name, rec.name, strlen(rec.name) + 1);
	memcpy(o->infra, rec.infra, strlen(rec.infra) + 1);
	return 0;
}

/* ---- adding ---- */

/* The change is the first member, so that its halves find the rest. */
struct pod_change {
	struct ctr__change ch;
	const ctr_pod_config_t *pod;
	struct ctr__pod_add *add;
	struct ctr__buf ids;
};

static int check_config(const ctr_pod_config_t *cfg, ctr_error_t **err)
{
	if (!cfg->id || !*cfg->id)
		return ctr__fail(err, CTR_E_EMPTY_ID, "the pod's ID is empty");
	if (!ctr__id_valid(cfg->id))
		return ctr__fail(err, CTR_E_INVALID, "\"%s\" is not a valid ID", cfg->id);
	if (cfg->name && *cfg->name && !ctr__name_valid(cfg->name))
		return ctr__fail(err, CTR_E_INVALID, "\"%s\" is not a valid name", cfg->name);
	return 0;
}

static int add_pod(MDB_txn *txn, struct pod_change *pc, ctr_error_t **err)
{
	struct ctr__env *e = &pc->ch.store->root_env;
	const ctr_pod_config_t *cfg = pc->pod;
	struct ctr__pod_rec rec = {.infra = ""};
	int r = ctr__check_id_free(e, txn, cfg->id, err);

	if (r == 0)
		r = ctr__check_name_free(e, txn, cfg->name, cfg->id, err);
	if (r == 0)
		r = ctr__slot_take(pc->ch.store, txn, &pc->add->slot, err);
	if (r)
		return r;
	rec.slot = pc->add->slot;
	rec.origin.born = rec.origin.cfg_gen = mdb_txn_id(txn);
	r = put_record(e, txn, cfg, &rec, err);
	return r ? r : ctr__name_put(e, txn, cfg->name, cfg->id);
}

static int add_root(MDB_txn *txn, struct ctr__change *ch, ctr_error_t **err)
{
	struct pod_change *pc = (struct pod_change *)ch;
	int r = add_pod(txn, pc, err);

	if (r || !pc->add->infra)
		return r;
	/* The change's own event is that of the container. */
	if (pc->add->pod_event) {
		CTR__BUF struct ctr__buf buf = {0};

		r = ctr__journal_append(&ch->store->root_env, txn, pc->add->pod_event, &buf);
	}
	return r ? r : ctr__ctr_add_root(txn, ch, err);
}

static int add_run(MDB_txn *txn, struct ctr__change *ch, ctr_error_t **err)
{
	struct pod_change *pc = (struct pod_change *)ch;
	/* Of an earlier pod with this ID. */
	int rc = ctr__db_del(txn, ch->store->run_env.db[CTR__DB_POD_STATE], pc->pod->id);

	return rc || !pc->add->infra ? rc : ctr__ctr_add_run(txn, ch, err);
}

int ctr__store_pod_add(struct ctr__store *s, struct ctr__pod_add *add, ctr_error_t **err)
{
	struct pod_change pc = {
	    .ch = {.store = s, .ev = add->pod_event}, .pod = add->pod, .add = add};
	int r = check_config(add->pod, err);

	if (r == 0 && add->infra) {
		pc.ch.id = add->infra->id;
		pc.ch.cfg = add->infra;
		pc.ch.ev = add->infra_event;
		r = ctr__ctr_check(add->infra, err);
	}
	if (r == 0)
		r = ctr__change_commit(&pc.ch, add_root, add_run, err);
	if (r == 0)
		add->infra_slot = pc.ch.slot;
	return r;
}

/* ---- rewriting ---- */

static int rewrite_root(MDB_txn *txn, struct ctr__change *ch, ctr_error_t **err)
{
	const ctr_pod_config_t *cfg = ((struct pod_change *)ch)->pod;
	struct ctr__env *e = &ch->store->root_env;
	const char *name = cfg->name ? cfg->name : "";
	struct ctr__pod_rec rec = {.slot = 0};
	struct old old;
	int r = read_old(e, txn, cfg->id, &old, err);

	if (r == 0 && strcmp(old.name, name) != 0) {
		r = ctr__check_name_free(e, txn, name, cfg->id, err);
		if (r == 0 && old.name[0])
			r = ctr__db_del(txn, e->db[CTR__DB_NAME], old.name);
		if (r == 0)
			r = ctr__name_put(e, txn, name, cfg->id);
	}
	if (r)
		return r;
	rec.slot = old.slot;
	rec.infra = old.infra;
	rec.origin.born = old.origin.born;
	rec.origin.cfg_gen = mdb_txn_id(txn);
	return put_record(e, txn, cfg, &rec, err);
}

static int nothing(MDB_txn *txn, struct ctr__change *ch, ctr_error_t **err)
{
	(void)txn;
	(void)ch;
	(void)err;
	return 0;
}

int ctr__store_pod_rewrite(struct ctr__store *s, const ctr_pod_config_t *cfg,
    const struct ctr_event *ev, ctr_error_t **err)
{
	struct pod_change pc = {.ch = {.store = s, .id = cfg->id, .ev = ev}, .pod = cfg};
	int r = check_config(cfg, err);

	return r < 0 ? r : ctr__change_commit(&pc.ch, rewrite_root, nothing, err);
}

/* ---- removing ---- */

static int check_empty(struct ctr__env *e, MDB_txn *txn, const char *id, ctr_error_t **err)
{
	CTR__BUF struct ctr__buf ids = {0};
	int r = ctr__member_list(e, txn, id, &ids);

	if (r || ids.len == 0)
		return r;
	for (size_t i = 0; i + 1 < ids.len; i++) {
		if (ids.data[i] == '\0')
			ids.data[i] = ',';
	}
	ctr__fail(err, CTR_E_CTR_EXISTS, "pod \"%s\" has containers: %s", id, ids.data);
	ctr__error_detail(err, "containers", ids.data);
	return CTR_E_CTR_EXISTS;
}

static int remove_root(MDB_txn *txn, struct ctr__change *ch, ctr_error_t **err)
{
	struct ctr__env *e = &ch->store->root_env;
	struct old old;
	int r = read_old(e, txn, ch->id, &old, err);

	if (r == 0)
		r = check_empty(e, txn, ch->id, err);
	if (r == 0 && old.name[0])
		r = ctr__db_del(txn, e->db[CTR__DB_NAME], old.name);
	if (r == 0)
		r = ctr__db_del(txn, e->db[CTR__DB_POD_CTR], ch->id);
	if (r == 0)
		r = ctr__db_del(txn, e->db[CTR__DB_POD], ch->id);
	return r ? r : ctr__slot_free(e, txn, old.slot, 0);
}

static int remove_run(MDB_txn *txn, struct ctr__change *ch, ctr_error_t **err)
{
	(void)err;
	return ctr__db_del(txn, ch->store->run_env.db[CTR__DB_POD_STATE], ch->id);
}

static int check_id(const char *id, ctr_error_t **err)
{
	return id && *id ? 0 : ctr__fail(err, CTR_E_EMPTY_ID, "the pod's ID is empty");
}

int ctr__store_pod_remove(
    struct ctr__store *s, const char *id, const struct ctr_event *ev, ctr_error_t **err)
{
	struct pod_change pc = {.ch = {.store = s, .id = id, .ev = ev}};
	int r = check_id(id, err);

	return r < 0 ? r : ctr__change_commit(&pc.ch, remove_root, remove_run, err);
}

/* ---- removing the containers ---- */

/* Do all that depend on `id` belong to the list? */
static int check_dependents(
    struct ctr__env *e, MDB_txn *txn, const struct ctr__buf *ids, const char *id, ctr_error_t **err)
{
	CTR__CURSOR MDB_cursor *cur = NULL;
	MDB_val k = ctr__vals(id), v;
	int rc = mdb_cursor_open(txn, e->db[CTR__DB_DEP], &cur);

	if (rc == 0)
		rc = mdb_cursor_get(cur, &k, &v, MDB_SET_KEY);
	while (rc == 0) {
		bool inside = false;

		for (size_t at = 0; at < ids->len && !inside; at += strlen(ids->data + at) + 1)
			inside = strlen(ids->data + at) == v.mv_size &&
			         memcmp(ids->data + at, v.mv_data, v.mv_size) == 0;
		if (!inside)
			return ctr__fail(err, CTR_E_CTR_EXISTS,
			    "container \"%.*s\", which is not in the pod, depends on \"%s\"",
			    (int)v.mv_size, (const char *)v.mv_data, id);
		rc = mdb_cursor_get(cur, &k, &v, MDB_NEXT_DUP);
	}
	return rc == MDB_NOTFOUND ? 0 : rc;
}

/* What they depend on each other does not count: forget it first. */
static int remove_members(
    MDB_txn *txn, struct ctr__store *s, struct ctr__buf *ids, ctr_error_t **err)
{
	struct ctr__env *e = &s->root_env;
	uint32_t nth = 0;
	int r = 0;

	for (size_t at = 0; r == 0 && at < ids->len; at += strlen(ids->data + at) + 1)
		r = check_dependents(e, txn, ids, ids->data + at, err);
	for (size_t at = 0; r == 0 && at < ids->len; at += strlen(ids->data + at) + 1)
		r = ctr__db_del(txn, e->db[CTR__DB_DEP], ids->data + at);
	for (size_t at = 0; r == 0 && at < ids->len; at += strlen(ids->data + at) + 1)
		r = ctr__ctr_remove_root(txn, s, ids->data + at, nth++, err);
	return r;
}

static int empty_root(MDB_txn *txn, struct ctr__change *ch, ctr_error_t **err)
{
	struct pod_change *pc = (struct pod_change *)ch;
	struct ctr__env *e = &ch->store->root_env;
	struct old old;
	int r = read_old(e, txn, ch->id, &old, err);

	pc->ids.len = 0;
	if (r == 0)
		r = ctr__member_list(e, txn, ch->id, &pc->ids);
	return r ? r : remove_members(txn, ch->store, &pc->ids, err);
}

static int empty_run(MDB_txn *txn, struct ctr__change *ch, ctr_error_t **err)
{
	struct pod_change *pc = (struct pod_change *)ch;
	int rc = 0;

	(void)err;
	for (size_t at = 0; rc == 0 && at < pc->ids.len; at += strlen(pc->ids.data + at) + 1)
		rc = ctr__ctr_remove_run(txn, ch->store, pc->ids.data + at);
	return rc;
}

int ctr__store_pod_remove_containers(struct ctr__store *s, const char *id, ctr_error_t **err)
{
	struct pod_change pc = {.ch = {.store = s, .id = id}};
	int r = check_id(id, err);

	if (r == 0)
		r = ctr__change_commit(&pc.ch, empty_root, empty_run, err);
	ctr__buf_free(&pc.ids);
	return r;
}
