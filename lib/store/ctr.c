/* SPDX-License-Identifier: Apache-2.0 */
/* Containers: adding, rewriting, removing. Each is one durable change. */
#include <libctr/state.h>

#include "store/env.h"

/* ---- shared ---- */

int ctr__no_such_ctr(ctr_error_t **err, const char *id)
{
	return ctr__fail(err, CTR_E_NO_SUCH_CTR, "no container \"%s\"", id);
}

int ctr__check_id(const char *id, ctr_error_t **err)
{
	return id && *id ? 0 : ctr__fail(err, CTR_E_EMPTY_ID, "the container's ID is empty");
}

int ctr__db_has(MDB_txn *txn, MDB_dbi db, const char *key, bool *has)
{
	MDB_val k = ctr__vals(key), v;
	int rc;

	*has = false;
	if (k.mv_size == 0 || k.mv_size > CTR__NAME_MAX)
		return 0;
	rc = mdb_get(txn, db, &k, &v);
	*has = rc == 0;
	return rc == MDB_NOTFOUND ? 0 : rc;
}

int ctr__db_del(MDB_txn *txn, MDB_dbi db, const char *key)
{
	MDB_val k = ctr__vals(key);
	int rc = mdb_del(txn, db, &k, NULL);

	return rc == MDB_NOTFOUND ? 0 : rc;
}

static const char *text(const char *s)
{
	return s ? s : "";
}

/* ---- checks ---- */

int ctr__ctr_check(const ctr_config_t *cfg, ctr_error_t **err)
{
	int r = ctr__check_id(cfg->id, err);

	if (r < 0)
		return r;
	if (!ctr__id_valid(cfg->id))
		return ctr__fail(err, CTR_E_INVALID, "\"%s\" is not a valid ID", cfg->id);
	if (cfg->name && *cfg->name && !ctr__name_valid(cfg->name))
		return ctr__fail(err, CTR_E_INVALID, "\"%s\" is not a valid name", cfg->name);
	for (size_t i = 0; i < cfg->all_deps.n; i++) {
		if (strcmp(cfg->all_deps.v[i], cfg->id) == 0)
			return ctr__fail(err, CTR_E_INVALID,
			    "container \"%s\" cannot depend on itself", cfg->id);
		if (!ctr__id_valid(cfg->all_deps.v[i]))
			return ctr__no_such_ctr(err, cfg->all_deps.v[i]);
	}
	return 0;
}

/* ---- the rows of one container ---- */

/* What a listing shows as the command: the arguments by spaces, not cut within a character. */
static void command_text(const ctr_config_t *cfg, char out[CTR__COMMAND_MAX + 1])
{
	const struct ctr__cfg_list *args = cfg->args.n ? &cfg->args : &cfg->command;
	size_t len = 0;

	for (size_t i = 0; i < args->n && len < CTR__COMMAND_MAX; i++) {
		size_t n;

		if (i > 0)
			out[len++] = ' ';
		n = strnlen(args->v[i], CTR__COMMAND_MAX - len);
		memcpy(out + len, args->v[i], n);
		len += n;
	}
	while (len > 0 && !ctr__utf8_valid(out, len))
		len--;
	out[len] = '\0';
}

/* The record of a configuration, apart from dependencies and JSON. */
static void fill_record(
    const struct ctr__change *ch, char command[CTR__COMMAND_MAX + 1], struct ctr__ctr_rec *rec)
{
	const ctr_config_t *cfg = ch->cfg;
	const char *image = text(cfg->rootfs_image_name);

	command_text(cfg, command);
	*rec = (struct ctr__ctr_rec){
	    .origin = ch->origin,
	    .slot = ch->slot,
	    .created_ns = cfg->created_ns,
	    .name = text(cfg->name),
	    .image = *image ? image : text(cfg->rootfs),
	    .command = command,
	};
}

static int put_record(
    struct ctr__env *e, MDB_txn *txn, const struct ctr__change *ch, ctr_error_t **err)
{
	const ctr_config_t *cfg = ch->cfg;
	CTR__BUF struct ctr__buf json = {0}, deps = {0}, value = {0};
	char command[CTR__COMMAND_MAX + 1];
	struct ctr__ctr_rec rec;
	MDB_val k = ctr__vals(cfg->id), v;

	fill_record(ch, command, &rec);
	ctr__config_write(cfg, &json);
	for (size_t i = 0; i < cfg->all_deps.n; i++)
		ctr__buf_add(&deps, cfg->all_deps.v[i], strlen(cfg->all_deps.v[i]) + 1);
	if (json.failed || deps.failed)
		return ENOMEM;
	/* What is stored must be readable again. */
	if (json.len > CTR__JSON_MAX_SIZE)
		return ctr__fail(err, CTR_E_INVALID,
		    "the configuration is too large: %zu bytes, at most %u", json.len,
		    CTR__JSON_MAX_SIZE);
	rec.json = json.data;
	rec.json_len = json.len;
	rec.deps = deps.data;
	rec.deps_len = deps.len;
	ctr__ctr_rec_encode(&rec, &value);
	if (value.failed)
		return ENOMEM;
	v = ctr__val(value.data, value.len);
	return mdb_put(txn, e->db[CTR__DB_CTR], &k, &v, 0);
}

static int put_deps(struct ctr__env *e, MDB_txn *txn, const ctr_config_t *cfg, ctr_error_t **err)
{
	int r = 0;

	for (size_t i = 0; i < cfg->all_deps.n && r == 0; i++) {
		MDB_val k = ctr__vals(cfg->all_deps.v[i]), v = ctr__vals(cfg->id);
		bool has;

		r = ctr__db_has(txn, e->db[CTR__DB_CTR], cfg->all_deps.v[i], &has);
		if (r == 0 && !has)
			return ctr__fail(err, CTR_E_NO_SUCH_CTR,
			    "container \"%s\" depends on \"%s\", which does not exist", cfg->id,
			    cfg->all_deps.v[i]);
		if (r == 0)
			r = ctr__member_check_dep(e, txn, cfg, cfg->all_deps.v[i], err);
		if (r == 0)
			r = mdb_put(txn, e->db[CTR__DB_DEP], &k, &v, MDB_NODUPDATA);
		if (r == MDB_KEYEXIST)
			r = 0;
	}
	return r;
}

/* `deps`: of the stored record. The map may change under it, so it is copied first. */
static int del_deps(struct ctr__env *e, MDB_txn *txn, const char *id, const struct ctr__buf *deps)
{
	int rc = 0;

	for (size_t at = 0; at < deps->len && (rc == 0 || rc == MDB_NOTFOUND);) {
		const char *dep = deps->data + at;
		MDB_val k = ctr__vals(dep), v = ctr__vals(id);

		if (k.mv_size == 0 || k.mv_size > CTR__ID_MAX)
			return MDB_CORRUPTED;
		rc = mdb_del(txn, e->db[CTR__DB_DEP], &k, &v);
		at += k.mv_size + 1;
	}
	return rc == MDB_NOTFOUND ? 0 : rc;
}

/* key NUL value NUL ...; no row if there are no labels. */
static int put_labels(struct ctr__env *e, MDB_txn *txn, const ctr_config_t *cfg)
{
	CTR__BUF struct ctr__buf value = {0};
	MDB_val k = ctr__vals(cfg->id), v;

	if (cfg->labels.n == 0)
		return ctr__db_del(txn, e->db[CTR__DB_LABEL], cfg->id);
	for (size_t i = 0; i < cfg->labels.n; i++) {
		const struct ctr__cfg_pair *l = &cfg->labels.v[i];

		ctr__buf_add(&value, l->key, strlen(l->key) + 1);
		ctr__buf_add(&value, l->value, strlen(l->value) + 1);
	}
	if (value.failed)
		return ENOMEM;
	v = ctr__val(value.data, value.len);
	return mdb_put(txn, e->db[CTR__DB_LABEL], &k, &v, 0);
}

/* What has to be known of a stored container to replace or remove it; a copy. */
struct old {
	struct ctr__origin origin;
	uint32_t slot;
	char name[CTR__NAME_MAX + 1];
	struct ctr__buf deps;
};

static void old_free(struct old *o)
{
	ctr__buf_free(&o->deps);
}

static int read_old(
    struct ctr__env *e, MDB_txn *txn, const char *id, struct old *o, ctr_error_t **err)
{
	MDB_val k = ctr__vals(id), v;
	struct ctr__ctr_rec rec;
	int r = MDB_NOTFOUND;

	if (k.mv_size <= CTR__ID_MAX)
		r = mdb_get(txn, e->db[CTR__DB_CTR], &k, &v);
	if (r == MDB_NOTFOUND)
		return ctr__no_such_ctr(err, id);
	if (r == 0)
		r = ctr__ctr_rec_decode(v.mv_data, v.mv_size, &rec, err);
	if (r)
		return r;
	if (strlen(rec.name) >= sizeof(o->name))
		return MDB_CORRUPTED;
	memcpy(o->name, rec.name, strlen(rec.name) + 1);
	o->origin = rec.origin;
	o->slot = rec.slot;
	ctr__buf_add(&o->deps, rec.deps, rec.deps_len);
	return o->deps.failed ? ENOMEM : 0;
}

/* ---- adding ---- */

int ctr__ctr_add_root(MDB_txn *txn, struct ctr__change *ch, ctr_error_t **err)
{
	struct ctr__env *e = &ch->store->root_env;
	int r = ctr__check_id_free(e, txn, ch->id, err);

	if (r == 0)
		r = ctr__check_name_free(e, txn, ch->cfg->name, ch->id, err);
	if (r == 0)
		r = ctr__member_put(e, txn, ch->cfg, err);
	if (r == 0)
		r = put_deps(e, txn, ch->cfg, err);
	if (r == 0)
		r = ctr__slot_take(ch->store, txn, &ch->slot, err);
	if (r)
		return r;
	ch->origin.born = ch->origin.cfg_gen = mdb_txn_id(txn);
	r = put_record(e, txn, ch, err);
	if (r == 0)
		r = ctr__name_put(e, txn, ch->cfg->name, ch->id);
	if (r == 0)
		r = put_labels(e, txn, ch->cfg);
	/* Of an earlier container with this ID. */
	if (r == 0)
		ctr__history_remove(ch->store, ch->id);
	return r;
}

/* Summary and state; for a new container those of one that has just been configured. */
static int mend_run(struct ctr__change *ch, MDB_txn *txn)
{
	char command[CTR__COMMAND_MAX + 1];
	struct ctr__ctr_rec rec;

	fill_record(ch, command, &rec);
	return ctr__mend_rows(ch->store, txn, ch->id, &rec);
}

int ctr__ctr_add_run(MDB_txn *txn, struct ctr__change *ch, ctr_error_t **err)
{
	int rc = mend_run(ch, txn);

	(void)err;
	/* Of an earlier container with this ID. */
	if (rc == 0)
		rc = ctr__exec_drop(txn, ch->store, ch->id);
	return rc ? rc : ctr__db_del(txn, ch->store->run_env.db[CTR__DB_EXIT], ch->id);
}

int ctr__store_add(struct ctr__store *s, const ctr_config_t *cfg, const struct ctr_event *ev,
    uint32_t *slot, ctr_error_t **err)
{
	struct ctr__change ch = {.store = s, .id = cfg->id, .cfg = cfg, .ev = ev};
	int r = ctr__ctr_check(cfg, err);

	if (r == 0)
		r = ctr__change_commit(&ch, ctr__ctr_add_root, ctr__ctr_add_run, err);
	if (r == 0)
		*slot = ch.slot;
	return r;
}

/* ---- rewriting ---- */

/* A container is in its pod for life. */
static int check_same_pod(
    struct ctr__env *e, MDB_txn *txn, const ctr_config_t *cfg, ctr_error_t **err)
{
	char pod[CTR__ID_MAX + 1];
	int r = ctr__member_of(e, txn, cfg->id, pod, NULL);

	if (r || strcmp(pod, text(cfg->pod)) == 0)
		return r;
	ctr__fail(err, CTR_E_INVALID, "container \"%s\" cannot change its pod", cfg->id);
	ctr__error_detail(err, "field", "pod");
	return CTR_E_INVALID;
}

static int rewrite_root(MDB_txn *txn, struct ctr__change *ch, ctr_error_t **err)
{
	struct ctr__env *e = &ch->store->root_env;
	CTR__CLEANUP(old_free) struct old old = {.slot = 0};
	int r = read_old(e, txn, ch->id, &old, err);

	if (r == 0)
		r = check_same_pod(e, txn, ch->cfg, err);
	if (r == 0 && strcmp(old.name, text(ch->cfg->name)) != 0) {
		r = ctr__check_name_free(e, txn, ch->cfg->name, ch->id, err);
		if (r == 0 && old.name[0])
			r = ctr__db_del(txn, e->db[CTR__DB_NAME], old.name);
		if (r == 0)
			r = ctr__name_put(e, txn, ch->cfg->name, ch->id);
	}
	if (r == 0)
		r = del_deps(e, txn, ch->id, &old.deps);
	if (r == 0)
		r = put_deps(e, txn, ch->cfg, err);
	if (r)
		return r;
	ch->slot = old.slot;
	ch->origin.born = old.origin.born;
	ch->origin.cfg_gen = mdb_txn_id(txn);
	r = put_record(e, txn, ch, err);
	return r ? r : put_labels(e, txn, ch->cfg);
}

static int rewrite_run(MDB_txn *txn, struct ctr__change *ch, ctr_error_t **err)
{
	(void)err;
	return mend_run(ch, txn);
}

int ctr__store_rewrite(struct ctr__store *s, const ctr_config_t *cfg, const struct ctr_event *ev,
    uint64_t *cfg_gen, ctr_error_t **err)
{
	struct ctr__change ch = {.store = s, .id = cfg->id, .cfg = cfg, .ev = ev};
	int r = ctr__ctr_check(cfg, err);

	if (r == 0)
		r = ctr__change_commit(&ch, rewrite_root, rewrite_run, err);
	if (r == 0)
		*cfg_gen = ch.origin.cfg_gen;
	return r;
}

/* ---- removing ---- */

/* Comma-separated, as the detail of an error. */
static int fail_dependents(MDB_cursor *cur, const char *id, MDB_val k, MDB_val v, ctr_error_t **err)
{
	CTR__BUF struct ctr__buf list = {0};
	int rc = 0;

	while (rc == 0) {
		if (list.len > 0)
			ctr__buf_addc(&list, ',');
		ctr__buf_add(&list, v.mv_data, v.mv_size);
		rc = mdb_cursor_get(cur, &k, &v, MDB_NEXT_DUP);
	}
	if (rc != MDB_NOTFOUND)
		return rc;
	if (list.failed)
		return ctr__fail_nomem(err);
	ctr__fail(
	    err, CTR_E_CTR_EXISTS, "container \"%s\" has dependent containers: %s", id, list.data);
	ctr__error_detail(err, "dependents", list.data);
	return CTR_E_CTR_EXISTS;
}

int ctr__check_no_dependents(struct ctr__env *e, MDB_txn *txn, const char *id, ctr_error_t **err)
{
	CTR__CURSOR MDB_cursor *cur = NULL;
	MDB_val k = ctr__vals(id), v;
	int rc = mdb_cursor_open(txn, e->db[CTR__DB_DEP], &cur);

	if (rc == 0)
		rc = mdb_cursor_get(cur, &k, &v, MDB_SET_KEY);
	if (rc)
		return rc == MDB_NOTFOUND ? 0 : rc;
	return fail_dependents(cur, id, k, v, err);
}

int ctr__ctr_remove_root(
    MDB_txn *txn, struct ctr__store *s, const char *id, uint32_t nth, ctr_error_t **err)
{
	struct ctr__env *e = &s->root_env;
	CTR__CLEANUP(old_free) struct old old = {.slot = 0};
	int r = read_old(e, txn, id, &old, err);

	if (r == 0)
		r = ctr__check_no_dependents(e, txn, id, err);
	if (r == 0)
		r = del_deps(e, txn, id, &old.deps);
	if (r == 0 && old.name[0])
		r = ctr__db_del(txn, e->db[CTR__DB_NAME], old.name);
	if (r == 0)
		r = ctr__db_del(txn, e->db[CTR__DB_LABEL], id);
	if (r == 0)
		r = ctr__member_del(e, txn, id);
	if (r == 0)
		r = ctr__db_del(txn, e->db[CTR__DB_CTR], id);
	return r ? r : ctr__slot_free(e, txn, old.slot, nth);
}

/* The exit code stays. */
int ctr__ctr_remove_run(MDB_txn *txn, struct ctr__store *s, const char *id)
{
	int rc = ctr__db_del(txn, s->run_env.db[CTR__DB_SUM], id);

	if (rc == 0)
		rc = ctr__exec_drop(txn, s, id);
	return rc ? rc : ctr__db_del(txn, s->run_env.db[CTR__DB_STATE], id);
}

static int remove_root(MDB_txn *txn, struct ctr__change *ch, ctr_error_t **err)
{
	return ctr__ctr_remove_root(txn, ch->store, ch->id, 0, err);
}

static int remove_run(MDB_txn *txn, struct ctr__change *ch, ctr_error_t **err)
{
	(void)err;
	return ctr__ctr_remove_run(txn, ch->store, ch->id);
}

int ctr__store_remove(
    struct ctr__store *s, const char *id, const struct ctr_event *ev, ctr_error_t **err)
{
	struct ctr__change ch = {.store = s, .id = id, .ev = ev};
	int r = ctr__check_id(id, err);

	return r < 0 ? r : ctr__change_commit(&ch, remove_root, remove_run, err);
}
