/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of a pod in this boot only. */
#include "store/env.h"
#include "store/pod.h"

#define VERSION 1U

/* The record: this head, then cgroup path and infra container's ID, each with its NUL. */
struct head {
	uint16_t version, head_len;
	int32_t intent;
};

static int check_id(const char *id, ctr_error_t **err)
{
	return id && *id ? 0 : ctr__fail(err, CTR_E_EMPTY_ID, "the pod's ID is empty");
}

/* Is the pod there? */
static int check_pod(struct ctr__store *s, const char *id, ctr_error_t **err)
{
	int r = ctr__store_pod_has(s, id, err);

	if (r == 0)
		return ctr__fail(err, CTR_E_NO_SUCH_POD, "no pod \"%.128s\"", id);
	return r < 0 ? r : 0;
}

/* Takes a string off the front; false if it does not fit. */
static bool take(const char **p, size_t *left, char *out, size_t size)
{
	size_t len = strnlen(*p, *left);

	if (len == *left || len >= size)
		return false;
	memcpy(out, *p, len + 1);
	*p += len + 1;
	*left -= len + 1;
	return true;
}

static int decode(MDB_val v, struct ctr__pod_state *out, ctr_error_t **err)
{
	const char *p = v.mv_data;
	size_t left = v.mv_size;
	struct head h = {.version = 0};

	if (left >= sizeof(h))
		memcpy(&h, p, sizeof(h));
	if (h.version > VERSION)
		return ctr__fail(err, CTR_E_STORE_NEWER,
		    "the state of a pod has version %u, this libctr knows %u", h.version, VERSION);
	if (h.version != VERSION || h.head_len != sizeof(h))
		return ctr__fail(err, CTR_E_STORE_CORRUPT, "the state of a pod is damaged");
	out->intent = h.intent;
	p += sizeof(h);
	left -= sizeof(h);
	if (!take(&p, &left, out->cgroup, sizeof(out->cgroup)) ||
	    !take(&p, &left, out->infra, sizeof(out->infra)) || left > 0)
		return ctr__fail(err, CTR_E_STORE_CORRUPT, "the state of a pod is damaged");
	return 0;
}

int ctr__store_pod_load(
    struct ctr__store *s, const char *id, struct ctr__pod_state *out, ctr_error_t **err)
{
	CTR__READ struct ctr__read rd = {0};
	MDB_val k, v;
	int r = check_id(id, err);

	memset(out, 0, sizeof(*out));
	if (r == 0)
		r = check_pod(s, id, err);
	if (r == 0)
		r = ctr__read_begin(&s->run_env, &rd, err);
	if (r < 0)
		return r;
	k = ctr__vals(id);
	r = mdb_get(rd.txn, s->run_env.db[CTR__DB_POD_STATE], &k, &v);
	if (r == MDB_NOTFOUND)
		return 0;
	if (r == 0)
		r = decode(v, out, err);
	r = ctr__env_result(&s->run_env, r, err);
	if (r < 0)
		ctr__error_detail(err, "pod", id);
	return r;
}

/* ---- saving ---- */

struct job {
	struct ctr__store *s;
	const char *id;
	const struct ctr__buf *record;
	const struct ctr_event *ev;
};

static int save_txn(MDB_txn *txn, void *arg, ctr_error_t **err)
{
	struct job *job = arg;
	struct ctr__env *e = &job->s->run_env;
	MDB_val k = ctr__vals(job->id), v = ctr__val(job->record->data, job->record->len);
	int rc = mdb_put(txn, e->db[CTR__DB_POD_STATE], &k, &v, 0);

	(void)err;
	if (rc == 0 && job->ev)
		rc = ctr__journal_append(e, txn, job->ev, &job->s->scratch);
	return rc;
}

int ctr__store_pod_save(struct ctr__store *s, const char *id, const struct ctr__pod_state *state,
    const struct ctr_event *ev, ctr_error_t **err)
{
	CTR__UNLOCK struct ctr__env *held = NULL;
	CTR__BUF struct ctr__buf record = {0};
	struct head h = {.version = VERSION, .head_len = sizeof(h), .intent = state->intent};
	struct job job = {.s = s, .id = id, .record = &record, .ev = ev};
	int r = check_id(id, err);

	if (r == 0)
		r = check_pod(s, id, err);
	if (r < 0)
		return r;
	ctr__buf_add(&record, &h, sizeof(h));
	ctr__buf_add(&record, state->cgroup, strlen(state->cgroup) + 1);
	ctr__buf_add(&record, state->infra, strlen(state->infra) + 1);
	if (record.failed)
		return ctr__fail_nomem(err);
	r = ctr__env_lock(&s->run_env, &held, err);
	if (r == 0)
		r = ctr__env_write(&s->run_env, save_txn, &job, err);
	if (r == 0 && ev)
		ctr__notify_touch(s->notify_fd);
	return r;
}
