/* SPDX-License-Identifier: Apache-2.0 */
/* The same operation on all containers of a pod, in the order of their dependencies, going on after failures. */
#include <stdlib.h>
#include <string.h>

#include "core/pod.h"
#include "util/cleanup.h"

void ctr__pod_walk_free(struct ctr__pod_walk *w)
{
	for (size_t i = 0; i < w->n; i++)
		ctr__container_unref(w->v[i]);
	free(w->v);
	ctr__buf_free(&w->failed);
	ctr_error_free(w->why);
	memset(w, 0, sizeof(*w));
}

/* ---- order ---- */

static bool depends(const struct ctr_container *c, const struct ctr_container *on)
{
	const struct ctr__cfg_list *deps = &c->cfg->all_deps;

	for (size_t i = 0; i < deps->n; i++) {
		if (strcmp(deps->v[i], on->id) == 0)
			return true;
	}
	return false;
}

/* Can it come next, with v[0 .. done) already there? */
static bool ready(struct ctr_container *const *v, size_t n, size_t done, size_t i)
{
	for (size_t k = done; k < n; k++) {
		if (k != i && depends(v[i], v[k]))
			return false;
	}
	return true;
}

static void take(struct ctr_container **v, size_t to, size_t from)
{
	struct ctr_container *c = v[from];

	memmove(v + to + 1, v + to, (from - to) * sizeof(*v));
	v[to] = c;
}

/* Dependencies are among the containers of the pod, and few; what is left in a circle, which the store does not
 * know to prevent, comes last, and its start fails. */
static void sort(struct ctr_container **v, size_t n)
{
	size_t done = 0;

	for (size_t i = 0; i < n; i++) {
		if (v[i]->cfg->is_infra)
			take(v, done++, i);
	}
	while (done < n) {
		size_t i = done;

		while (i < n && !ready(v, n, done, i))
			i++;
		if (i == n)
			return;
		take(v, done++, i);
	}
}

/* ---- opening ---- */

static int open_one(struct ctr_pod *p, struct ctr__pod_walk *w, const char *id, ctr_error_t **err)
{
	CTR__ERROR ctr_error_t *why = NULL;
	int r = ctr__container_open(p->rt, id, &w->v[w->n], &why);

	if (r >= 0)
		w->n++;
	/* Removed by itself meanwhile. */
	if (r >= 0 || r == CTR_E_NO_SUCH_CTR)
		return 0;
	if (err)
		*err = CTR__STEAL_PTR(why);
	return r;
}

int ctr__pod_walk_open(struct ctr_pod *p, struct ctr__pod_walk *w, ctr_error_t **err)
{
	CTR__STRV char **ids = NULL;
	int r = ctr__store_pod_containers(p->rt->store, p->id, &ids, err);
	size_t n;

	memset(w, 0, sizeof(*w));
	if (r < 0)
		return r;
	n = ctr__strv_len((const char *const *)ids);
	w->v = calloc(n + 1, sizeof(struct ctr_container *));
	if (!w->v)
		return ctr__fail_nomem(err);
	for (size_t i = 0; r >= 0 && i < n; i++)
		r = open_one(p, w, ids[i], err);
	if (r < 0) {
		ctr__pod_walk_free(w);
		return r;
	}
	sort(w->v, w->n);
	return 0;
}

/* ---- running ---- */

static void note(struct ctr__pod_walk *w, const struct ctr_container *c, int code, ctr_error_t *why)
{
	CTR__FREE char *text_key = ctr__format("ctr.%s", c->id);
	CTR__FREE char *code_key = ctr__format("code.%s", c->id);

	/* The first failure makes the object that gets all the details. */
	if (!w->code)
		ctr__fail(&w->why, CTR_E_POD_PARTIAL, "container %s: %s", c->cfg->name,
		    ctr_error_message(why));
	w->code = CTR_E_POD_PARTIAL;
	if (w->failed.len > 0)
		ctr__buf_addc(&w->failed, ',');
	ctr__buf_adds(&w->failed, c->id);
	if (text_key)
		ctr__error_detail(&w->why, text_key, ctr_error_message(why));
	if (code_key)
		ctr__error_detail(&w->why, code_key, ctr_error_name(code));
}

void ctr__pod_walk_each(struct ctr__pod_walk *w, bool inward, ctr__pod_step *step, const void *arg)
{
	for (size_t i = 0; i < w->n; i++) {
		CTR__ERROR ctr_error_t *why = NULL;
		struct ctr_container *c = w->v[inward ? w->n - 1 - i : i];
		int r = step(c, arg, &why);

		if (r < 0 && r != CTR_E_CTR_REMOVED)
			note(w, c, r, why);
	}
}

int ctr__pod_walk_result(
    struct ctr_pod *p, struct ctr__pod_walk *w, const char *what, ctr_error_t **err)
{
	if (!w->code)
		return 0;
	ctr__error_prefix(&w->why, w->code, "%s of pod %s failed for some containers", what,
	    p->cfg->name ? p->cfg->name : p->id);
	ctr__error_detail(&w->why, "failed", w->failed.failed ? NULL : w->failed.data);
	ctr__error_detail(&w->why, "pod", p->id);
	if (err)
		*err = CTR__STEAL_PTR(w->why);
	return w->code;
}
