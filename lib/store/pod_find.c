/* SPDX-License-Identifier: Apache-2.0 */
/* Finding pods, what is stored of them, and their containers. */
#include "store/env.h"
#include "store/pod.h"

#include <libctr/state.h>

static int check_id(const char *id, ctr_error_t **err)
{
	return id && *id ? 0 : ctr__fail(err, CTR_E_EMPTY_ID, "the pod's ID is empty");
}

static int no_such_pod(ctr_error_t **err, const char *id)
{
	return ctr__fail(err, CTR_E_NO_SUCH_POD, "no pod \"%.128s\"", id);
}

/* ---- one pod ---- */

void ctr__pod_stored_free(struct ctr__pod_stored *p)
{
	ctr__buf_free(&p->json);
}

static int copy_stored(MDB_val v, struct ctr__pod_stored *out, ctr_error_t **err)
{
	struct ctr__pod_rec rec;
	int r = ctr__pod_rec_decode(v.mv_data, v.mv_size, &rec, err);

	if (r < 0)
		return r;
	out->json.len = 0;
	ctr__buf_add(&out->json, rec.json, rec.json_len);
	if (out->json.failed)
		return ctr__fail_nomem(err);
	out->slot = rec.slot;
	out->born = rec.origin.born;
	out->cfg_gen = rec.origin.cfg_gen;
	memcpy(out->infra, rec.infra, strlen(rec.infra) + 1);
	return 0;
}

int ctr__store_pod_get(
    struct ctr__store *s, const char *id, struct ctr__pod_stored *out, ctr_error_t **err)
{
	CTR__READ struct ctr__read rd = {0};
	MDB_val k, v;
	int r = check_id(id, err);

	if (r < 0)
		return r;
	k = ctr__vals(id);
	r = MDB_NOTFOUND;
	if (k.mv_size <= CTR__ID_MAX) {
		r = ctr__read_begin(&s->root_env, &rd, err);
		if (r == 0)
			r = mdb_get(rd.txn, s->root_env.db[CTR__DB_POD], &k, &v);
	}
	if (r == MDB_NOTFOUND)
		return no_such_pod(err, id);
	if (r == 0)
		r = copy_stored(v, out, err);
	r = ctr__env_result(&s->root_env, r, err);
	if (r < 0)
		ctr__error_detail(err, "pod", id);
	return r;
}

int ctr__store_pod_lookup(
    struct ctr__store *s, const char *name_or_id, char id[CTR__ID_MAX + 1], ctr_error_t **err)
{
	CTR__READ struct ctr__read rd = {0};
	int r = MDB_NOTFOUND;

	id[0] = '\0';
	if (!name_or_id || !*name_or_id)
		return ctr__fail(err, CTR_E_EMPTY_ID, "the pod's name or ID is empty");
	if (strlen(name_or_id) <= CTR__NAME_MAX) {
		r = ctr__read_begin(&s->root_env, &rd, err);
		if (r == 0)
			r = ctr__find_id(
			    &s->root_env, rd.txn, s->root_env.db[CTR__DB_POD], name_or_id, id, err);
	}
	if (r == MDB_NOTFOUND)
		return ctr__fail(err, CTR_E_NO_SUCH_POD, "no pod with name or ID \"%.*s\"",
		    CTR__NAME_MAX, name_or_id);
	return ctr__env_result(&s->root_env, r, err);
}

int ctr__store_pod_has(struct ctr__store *s, const char *id, ctr_error_t **err)
{
	CTR__READ struct ctr__read rd = {0};
	bool has = false;
	int r = check_id(id, err);

	if (r == 0)
		r = ctr__read_begin(&s->root_env, &rd, err);
	if (r == 0)
		r = ctr__db_has(rd.txn, s->root_env.db[CTR__DB_POD], id, &has);
	r = ctr__env_result(&s->root_env, r, err);
	return r < 0 ? r : has;
}

static int collect_ids(struct ctr__store *s, struct ctr__buf *ids, ctr_error_t **err)
{
	CTR__READ struct ctr__read rd = {0};
	CTR__CURSOR MDB_cursor *cur = NULL;
	MDB_val k, v;
	int r = ctr__read_begin(&s->root_env, &rd, err);

	if (r == 0)
		r = mdb_cursor_open(rd.txn, s->root_env.db[CTR__DB_POD], &cur);
	if (r == 0)
		r = mdb_cursor_get(cur, &k, &v, MDB_FIRST);
	while (r == 0) {
		ctr__buf_add(ids, k.mv_data, k.mv_size);
		ctr__buf_add(ids, "", 1);
		r = ids->failed ? ENOMEM : mdb_cursor_get(cur, &k, &v, MDB_NEXT);
	}
	return r == MDB_NOTFOUND ? 0 : ctr__env_result(&s->root_env, r, err);
}

int ctr__store_pod_each(struct ctr__store *s, int (*fn)(const char *id, void *userdata),
    void *userdata, ctr_error_t **err)
{
	CTR__BUF struct ctr__buf ids = {0};
	int r = collect_ids(s, &ids, err);

	for (size_t at = 0; r == 0 && at < ids.len; at += strlen(ids.data + at) + 1)
		r = fn(ids.data + at, userdata);
	return r;
}

/* ---- members ---- */

/* In an open transaction. */
static int check_pod(struct ctr__store *s, MDB_txn *txn, const char *pod, ctr_error_t **err)
{
	bool has;
	int r = ctr__db_has(txn, s->root_env.db[CTR__DB_POD], pod, &has);

	return r == 0 && !has ? no_such_pod(err, pod) : r;
}

int ctr__store_pod_has_container(
    struct ctr__store *s, const char *pod, const char *ctr_id, ctr_error_t **err)
{
	CTR__READ struct ctr__read rd = {0};
	char owner[CTR__ID_MAX + 1] = "";
	bool has = false;
	int r = check_id(pod, err);

	if (r == 0)
		r = ctr__check_id(ctr_id, err);
	if (r == 0)
		r = ctr__read_begin(&s->root_env, &rd, err);
	if (r == 0)
		r = check_pod(s, rd.txn, pod, err);
	if (r == 0)
		r = ctr__db_has(rd.txn, s->root_env.db[CTR__DB_CTR], ctr_id, &has);
	if (r == 0 && !has)
		return ctr__no_such_ctr(err, ctr_id);
	if (r == 0)
		r = ctr__member_of(&s->root_env, rd.txn, ctr_id, owner, NULL);
	r = ctr__env_result(&s->root_env, r, err);
	return r < 0 ? r : strcmp(owner, pod) == 0;
}

int ctr__store_pod_containers(struct ctr__store *s, const char *pod, char ***out, ctr_error_t **err)
{
	CTR__READ struct ctr__read rd = {0};
	CTR__BUF struct ctr__buf ids = {0};
	CTR__STRV char **list = calloc(1, sizeof(char *));
	int r = check_id(pod, err);

	if (!list)
		return ctr__fail_nomem(err);
	if (r == 0)
		r = ctr__read_begin(&s->root_env, &rd, err);
	if (r == 0)
		r = check_pod(s, rd.txn, pod, err);
	if (r == 0)
		r = ctr__member_list(&s->root_env, rd.txn, pod, &ids);
	if (r)
		return ctr__env_result(&s->root_env, r, err);
	for (size_t at = 0; at < ids.len; at += strlen(ids.data + at) + 1) {
		if (!ctr__strv_add(&list, ids.data + at))
			return ctr__fail_nomem(err);
	}
	*out = CTR__STEAL_PTR(list);
	return 0;
}

/* ---- with what listings show ---- */

void ctr__pod_members_free(struct ctr__pod_members *m)
{
	ctr__arena_free(&m->arena);
	memset(m, 0, sizeof(*m));
}

struct gather {
	struct ctr__store *s;
	struct ctr__read root, run;
	struct ctr__buf ids;
};

static void gather_free(struct gather *g)
{
	ctr__read_end(&g->run);
	ctr__read_end(&g->root);
	ctr__buf_free(&g->ids);
}

/* The state of a container of which this boot knows nothing is that of a new one, or of one that was running when
 * the machine went down: opening a store writes the summaries, so this is about one that is just being added. */
static int fill_member(
    struct gather *g, const char *id, struct ctr__pod_members *out, ctr_error_t **err)
{
	struct ctr__pod_member *m = &out->v[out->n];
	struct ctr__summary sum = {.state = CTR_STATE_CONFIGURED};
	struct ctr__ctr_rec rec;
	char pod[CTR__ID_MAX + 1];
	MDB_val k = ctr__vals(id), v;
	unsigned int flags;
	int r = mdb_get(g->root.txn, g->s->root_env.db[CTR__DB_CTR], &k, &v);

	if (r == 0)
		r = ctr__ctr_rec_decode(v.mv_data, v.mv_size, &rec, err);
	if (r == 0)
		r = ctr__member_of(&g->s->root_env, g->root.txn, id, pod, &flags);
	if (r)
		return r;
	m->id = ctr__arena_strdup(&out->arena, id);
	m->name = ctr__arena_strdup(&out->arena, rec.name);
	if (!m->id || !m->name)
		return ENOMEM;
	r = mdb_get(g->run.txn, g->s->run_env.db[CTR__DB_SUM], &k, &v);
	if (r && r != MDB_NOTFOUND)
		return r;
	if (r == 0 && ctr__sum_valid(v.mv_data, v.mv_size))
		ctr__sum_decode(v.mv_data, &sum, NULL);
	m->state = sum.state;
	m->exit_code = sum.exit_code;
	m->infra = flags & CTR__MEMBER_INFRA;
	m->init = flags & CTR__MEMBER_INIT;
	out->n++;
	return 0;
}

static int gather(
    struct gather *g, const char *pod, struct ctr__pod_members *out, ctr_error_t **err)
{
	size_t n = 0;
	int r = ctr__read_begin(&g->s->root_env, &g->root, err);

	if (r == 0)
		r = ctr__read_begin(&g->s->run_env, &g->run, err);
	if (r == 0)
		r = check_pod(g->s, g->root.txn, pod, err);
	if (r == 0)
		r = ctr__member_list(&g->s->root_env, g->root.txn, pod, &g->ids);
	if (r)
		return r;
	for (size_t at = 0; at < g->ids.len; at += strlen(g->ids.data + at) + 1)
		n++;
	out->v = ctr__arena_alloc(&out->arena, (n + 1) * sizeof(*out->v));
	if (!out->v)
		return ENOMEM;
	for (size_t at = 0; r == 0 && at < g->ids.len; at += strlen(g->ids.data + at) + 1)
		r = fill_member(g, g->ids.data + at, out, err);
	return r;
}

int ctr__store_pod_members(
    struct ctr__store *s, const char *pod, struct ctr__pod_members *out, ctr_error_t **err)
{
	CTR__CLEANUP(gather_free) struct gather g = {.s = s};
	int r = check_id(pod, err);

	memset(out, 0, sizeof(*out));
	if (r == 0)
		r = ctr__env_result(&s->run_env, gather(&g, pod, out, err), err);
	if (r < 0)
		ctr__pod_members_free(out);
	return r;
}
