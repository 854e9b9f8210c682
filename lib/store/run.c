/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of this boot only: states and exit codes. */
#include "store/env.h"

#include "util/clock.h"

struct exit_row {
	int32_t code;
	uint32_t reserved;
	int64_t finished_ns;
};

/* ---- loading ---- */

int ctr__store_load_state(
    struct ctr__store *s, const char *id, struct ctr__buf *raw, ctr_error_t **err)
{
	CTR__READ struct ctr__read rd = {0};
	MDB_val k, v;
	int r = ctr__check_id(id, err);

	raw->len = 0;
	if (r < 0)
		return r;
	k = ctr__vals(id);
	if (k.mv_size > CTR__ID_MAX)
		return 0;
	r = ctr__read_begin(&s->run_env, &rd, err);
	if (r == 0)
		r = mdb_get(rd.txn, s->run_env.db[CTR__DB_STATE], &k, &v);
	if (r == MDB_NOTFOUND)
		return 0;
	if (r)
		return ctr__env_result(&s->run_env, r, err);
	ctr__buf_add(raw, v.mv_data, v.mv_size);
	return raw->failed ? ctr__fail_nomem(err) : 1;
}

/* ---- saving ---- */

struct save_job {
	struct ctr__store *s;
	const struct ctr__save *save;
};

/* The summary as it will be: what the caller does not say stays as it is. Strings may point into the map: they
 * are valid until the first put. */
static int merge_summary(struct save_job *job, MDB_txn *txn, MDB_val *k, struct ctr__summary *sum,
    struct ctr__origin *origin, MDB_val *old)
{
	struct ctr__summary stored = {.name = "", .image = "", .command = ""};
	int rc = mdb_get(txn, job->s->run_env.db[CTR__DB_SUM], k, old);

	/* Origin zero: repair will fill it in. */
	memset(origin, 0, sizeof(*origin));
	if (rc == MDB_NOTFOUND)
		*old = ctr__val("", 0);
	else if (rc != 0)
		return rc;
	if (ctr__sum_valid(old->mv_data, old->mv_size))
		ctr__sum_decode(old->mv_data, &stored, origin);
	*sum = job->save->summary ? *job->save->summary : stored;
	if (!sum->created_ns)
		sum->created_ns = stored.created_ns;
	if (!sum->name)
		sum->name = stored.name;
	if (!sum->image)
		sum->image = stored.image;
	if (!sum->command)
		sum->command = stored.command;
	if (!job->save->summary)
		ctr__sum_set_state(sum, job->save->state);
	return 0;
}

static int put_state_and_sum(struct save_job *job, MDB_txn *txn)
{
	struct ctr__env *e = &job->s->run_env;
	struct ctr__buf *buf = &job->s->scratch;
	MDB_val k = ctr__vals(job->save->id), v;
	struct ctr__summary sum;
	struct ctr__origin origin;
	size_t state_len;
	MDB_val old;
	bool same;
	int rc = merge_summary(job, txn, &k, &sum, &origin, &old);

	if (rc)
		return rc;
	buf->len = 0;
	ctr__state_encode(job->save->state, buf);
	state_len = buf->len;
	ctr__sum_encode(&sum, &origin, buf);
	if (buf->failed) {
		buf->failed = false;
		return ENOMEM;
	}
	/* Most changes do not show in listings: that saves a third of the commit. */
	same = old.mv_size == buf->len - state_len &&
	       memcmp(old.mv_data, buf->data + state_len, old.mv_size) == 0;
	v = ctr__val(buf->data, state_len);
	rc = mdb_put(txn, e->db[CTR__DB_STATE], &k, &v, 0);
	if (rc || same)
		return rc;
	v = ctr__val(buf->data + state_len, buf->len - state_len);
	return mdb_put(txn, e->db[CTR__DB_SUM], &k, &v, 0);
}

int ctr__exit_put(
    struct ctr__store *s, MDB_txn *txn, const char *id, int32_t code, int64_t finished_ns)
{
	struct exit_row row = {.code = code, .finished_ns = finished_ns};
	MDB_val k = ctr__vals(id), v = ctr__val(&row, sizeof(row));

	return mdb_put(txn, s->run_env.db[CTR__DB_EXIT], &k, &v, 0);
}

static int put_exit(struct save_job *job, MDB_txn *txn)
{
	const struct ctr__state *st = job->save->state;

	return ctr__exit_put(job->s, txn, job->save->id, st->exit_code, st->finished_ns);
}

static int save_txn(MDB_txn *txn, void *arg, ctr_error_t **err)
{
	struct save_job *job = arg;
	int rc = put_state_and_sum(job, txn);

	(void)err;
	if (rc == 0 && job->save->record_exit)
		rc = put_exit(job, txn);
	for (size_t i = 0; i < job->save->events_n && rc == 0; i++)
		rc = ctr__journal_append(
		    &job->s->run_env, txn, job->save->events[i], &job->s->scratch);
	return rc;
}

int ctr__store_save_state(struct ctr__store *s, const struct ctr__save *save, ctr_error_t **err)
{
	struct save_job job = {s, save};
	CTR__UNLOCK struct ctr__env *held = NULL;
	int r = ctr__check_id(save->id, err);

	if (r < 0)
		return r;
	if (strlen(save->id) > CTR__ID_MAX)
		return ctr__no_such_ctr(err, save->id);
	r = ctr__env_lock(&s->run_env, &held, err);
	if (r == 0)
		r = ctr__env_write(&s->run_env, save_txn, &job, err);
	if (r == 0 && save->events_n > 0)
		ctr__notify_touch(s->notify_fd);
	return r;
}

static int settle(struct ctr__env *e, ctr_error_t **err)
{
	CTR__UNLOCK struct ctr__env *held = NULL;
	int r = ctr__env_lock(e, &held, err);

	return r < 0 ? r : ctr__env_settle(e, err);
}

int ctr__store_settle(struct ctr__store *s, ctr_error_t **err)
{
	int r = settle(&s->root_env, err);

	return r < 0 ? r : settle(&s->run_env, err);
}

/* ---- exit codes ---- */

static int get_exit(MDB_val v, struct exit_row *row)
{
	if (v.mv_size != sizeof(*row))
		return MDB_CORRUPTED;
	memcpy(row, v.mv_data, sizeof(*row));
	return 0;
}

int ctr__store_exit_code(
    struct ctr__store *s, const char *id, int32_t *code, int64_t *finished_ns, ctr_error_t **err)
{
	CTR__READ struct ctr__read rd = {0};
	struct exit_row row;
	MDB_val k, v;
	int r = ctr__check_id(id, err);

	if (r < 0)
		return r;
	k = ctr__vals(id);
	r = MDB_NOTFOUND;
	if (k.mv_size <= CTR__ID_MAX) {
		r = ctr__read_begin(&s->run_env, &rd, err);
		if (r == 0)
			r = mdb_get(rd.txn, s->run_env.db[CTR__DB_EXIT], &k, &v);
	}
	if (r == MDB_NOTFOUND)
		return ctr__fail(
		    err, CTR_E_NO_SUCH_EXIT_CODE, "no exit code of container \"%s\"", id);
	if (r == 0)
		r = get_exit(v, &row);
	if (r)
		return ctr__env_result(&s->run_env, r, err);
	if (code)
		*code = row.code;
	if (finished_ns)
		*finished_ns = row.finished_ns;
	return 0;
}

struct prune_job {
	struct ctr__store *s;
	int64_t before_ns;
	struct ctr__buf ids; /* each with its NUL */
};

static void prune_free(struct prune_job *job)
{
	ctr__buf_free(&job->ids);
}

/* Old rows whose container is gone. The ROOT mutex is held: none of them comes back meanwhile. */
static int collect_old(struct prune_job *job, MDB_txn *root, MDB_txn *run)
{
	CTR__CURSOR MDB_cursor *cur = NULL;
	MDB_val k, v;
	int rc = mdb_cursor_open(run, job->s->run_env.db[CTR__DB_EXIT], &cur);

	if (rc == 0)
		rc = mdb_cursor_get(cur, &k, &v, MDB_FIRST);
	while (rc == 0) {
		struct exit_row row;
		MDB_val ctr;
		bool damaged = get_exit(v, &row) != 0;

		if (damaged || row.finished_ns < job->before_ns) {
			rc = mdb_get(root, job->s->root_env.db[CTR__DB_CTR], &k, &ctr);
			if (rc == MDB_NOTFOUND) {
				ctr__buf_add(&job->ids, k.mv_data, k.mv_size);
				ctr__buf_add(&job->ids, "", 1);
			} else if (rc) {
				return rc;
			}
		}
		rc = job->ids.failed ? ENOMEM : mdb_cursor_get(cur, &k, &v, MDB_NEXT);
	}
	return rc == MDB_NOTFOUND ? 0 : rc;
}

static int find_old(struct prune_job *job, ctr_error_t **err)
{
	CTR__READ struct ctr__read root = {0};
	CTR__READ struct ctr__read run = {0};
	int r = ctr__read_begin_locked(&job->s->root_env, &root, err);

	if (r == 0)
		r = ctr__read_begin(&job->s->run_env, &run, err);
	if (r == 0)
		r = collect_old(job, root.txn, run.txn);
	return ctr__env_result(&job->s->run_env, r, err);
}

static int prune_txn(MDB_txn *txn, void *arg, ctr_error_t **err)
{
	struct prune_job *job = arg;
	int rc = 0;

	(void)err;
	for (size_t at = 0; at < job->ids.len && (rc == 0 || rc == MDB_NOTFOUND);) {
		MDB_val k = ctr__vals(job->ids.data + at);

		rc = mdb_del(txn, job->s->run_env.db[CTR__DB_EXIT], &k, NULL);
		at += k.mv_size + 1;
	}
	return rc == MDB_NOTFOUND ? 0 : rc;
}

int ctr__store_prune_exit_codes(struct ctr__store *s, int64_t max_age_ns, ctr_error_t **err)
{
	CTR__CLEANUP(prune_free) struct prune_job job = {s, ctr__now_ns() - max_age_ns, {0}};
	CTR__UNLOCK struct ctr__env *root = NULL;
	CTR__UNLOCK struct ctr__env *run = NULL;
	int r = ctr__env_lock(&s->root_env, &root, err);

	if (r == 0)
		r = find_old(&job, err);
	if (r < 0 || job.ids.len == 0)
		return r;
	r = ctr__env_lock(&s->run_env, &run, err);
	return r < 0 ? r : ctr__env_write(&s->run_env, prune_txn, &job, err);
}
