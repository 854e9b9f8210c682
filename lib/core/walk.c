/* SPDX-License-Identifier: Apache-2.0 */
/* The same operation on several containers, in the order of their graph. */
#include <string.h>

#include "core/dependencies.h"
#include "core/family.h"
#include "core/graph.h"
#include "util/cleanup.h"

void ctr__outcomes_free(struct ctr__outcome *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		ctr_error_freep(&v[i].err);
}

struct walk {
	struct ctr_container *const *list;
	size_t n;
	bool inward;
	const char *done; /* "started" */
	int (*step)(struct ctr_container *c, const void *arg, ctr_error_t **err);
	const void *arg;
	struct ctr__outcome *out;
};

/* ---- one container ---- */

static struct ctr_container *container_of(
    const struct walk *w, const struct ctr__graph *g, size_t node)
{
	return w->list[g->nodes[node].item];
}

static struct ctr__outcome *outcome_of(
    const struct walk *w, const struct ctr__graph *g, size_t node)
{
	return &w->out[g->nodes[node].item];
}

/* A node that comes before this one and failed; NULL if none did. */
static struct ctr_container *obstacle(const struct walk *w, const struct ctr__graph *g, size_t node)
{
	const struct ctr__graph_node *n = &g->nodes[node];
	const size_t *before = w->inward ? n->dependents : n->deps;
	size_t before_n = w->inward ? n->dependents_n : n->deps_n;

	for (size_t i = 0; i < before_n; i++)
		if (outcome_of(w, g, before[i])->code < 0)
			return container_of(w, g, before[i]);
	return NULL;
}

static int blocked(const struct walk *w, const struct ctr_container *c,
    const struct ctr_container *by, ctr_error_t **err)
{
	ctr__fail(err, CTR_E_CTR_STATE,
	    w->inward ? "container %s was not %s: container %s depends on it and was not"
	              : "container %s was not %s: it depends on container %s, which was not",
	    c->id, w->done, by->id);
	ctr__error_detail(err, "container", c->id);
	ctr__error_detail(err, w->inward ? "dependents" : "dependencies", by->id);
	return CTR_E_CTR_STATE;
}

/* ---- all of them ---- */

static int list_failed(const struct walk *w, const struct ctr__graph *g, const size_t *order,
    ctr_error_t **why, ctr_error_t **err)
{
	CTR__BUF struct ctr__buf ids = {0};

	for (size_t i = 0; i < w->n; i++) {
		const struct ctr__outcome *o = outcome_of(w, g, order[i]);
		const char *id = g->nodes[order[i]].id;

		if (o->code >= 0)
			continue;
		ctr__buf_addf(&ids, "%s%s", ids.len ? "," : "", id);
		ctr__error_detail(why, id, ctr_error_message(o->err));
	}
	if (ids.failed)
		return ctr__fail_nomem(err);
	ctr__error_detail(why, "failed", ids.data);
	return 0;
}

/* The first failure speaks for all: later ones are mostly its consequences. */
static int summarize(
    const struct walk *w, const struct ctr__graph *g, const size_t *order, ctr_error_t **err)
{
	CTR__ERROR ctr_error_t *why = NULL;
	int code = 0;

	for (size_t i = 0; code >= 0 && i < w->n; i++) {
		const struct ctr__outcome *o = outcome_of(w, g, order[i]);
		const char *id = g->nodes[order[i]].id;

		if (o->code >= 0)
			continue;
		code = ctr__fail(&why, o->code, "container %s was not %s: %s", id, w->done,
		    ctr_error_message(o->err));
		ctr__error_detail(&why, "container", id);
		ctr__error_detail(&why, "oci.runtime", ctr_error_get(o->err, "oci.runtime"));
		ctr__error_detail(&why, "oci.stderr", ctr_error_get(o->err, "oci.stderr"));
	}
	if (code >= 0 || !err)
		return code;
	if (list_failed(w, g, order, &why, err) < 0)
		return CTR_E_NOMEM;
	*err = CTR__STEAL_PTR(why);
	return code;
}

static int walk_graph(const struct walk *w, const struct ctr__graph *g, ctr_error_t **err)
{
	CTR__FREE size_t *order = calloc(w->n + 1, sizeof(*order));
	int r = order ? ctr__graph_order(g, w->inward, order, err) : ctr__fail_nomem(err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < w->n; i++) {
		struct ctr_container *c = container_of(w, g, order[i]);
		struct ctr_container *by = obstacle(w, g, order[i]);
		struct ctr__outcome *o = outcome_of(w, g, order[i]);

		r = by ? blocked(w, c, by, &o->err) : w->step(c, w->arg, &o->err);
		o->code = r < 0 ? r : 0;
		o->nothing_to_do = r > 0;
	}
	return summarize(w, g, order, err);
}

static int walk_list(const struct walk *w, ctr_error_t **err)
{
	CTR__FAMILY struct ctr__family f = {0};
	CTR__GRAPH struct ctr__graph g = {0};
	CTR__FREE const char **ids = calloc(w->n + 1, sizeof(*ids));
	int r;

	if (!ids)
		return ctr__fail_nomem(err);
	for (size_t i = 0; i < w->n; i++)
		ids[i] = w->list[i]->id;
	r = ctr__family_among(w->list[0]->rt, ids, w->n, &f, err);
	if (r >= 0)
		r = ctr__graph_build(f.items, f.n, &g, err);
	return r < 0 ? r : walk_graph(w, &g, err);
}

static int run(struct walk *w, struct ctr__outcome *out, ctr_error_t **err)
{
	struct ctr__outcome *own = NULL;
	int r;

	if (!w->n)
		return 0;
	if (!out)
		own = out = calloc(w->n, sizeof(*out));
	if (!out)
		return ctr__fail_nomem(err);
	memset(out, 0, w->n * sizeof(*out));
	w->out = out;
	r = walk_list(w, err);
	if (own)
		ctr__outcomes_free(own, w->n);
	free(own);
	return r;
}

/* ---- the operations ---- */

/* 1 if it failed because there was nothing to do. */
static int forgive(int r, bool nothing_to_do, ctr_error_t **err)
{
	if (r >= 0 || !nothing_to_do)
		return r;
	ctr_error_freep(err);
	return 1;
}

static int start_one(struct ctr_container *c, const void *arg, ctr_error_t **err)
{
	int r = ctr__start(c, err);

	(void)arg;
	return forgive(r, r == CTR_E_CTR_RUNNING, err);
}

int ctr__graph_start(
    struct ctr_container *const *list, size_t n, struct ctr__outcome *out, ctr_error_t **err)
{
	struct walk w = {.list = list, .n = n, .done = "started", .step = start_one};

	return run(&w, out, err);
}

static bool never_ran(struct ctr_container *c)
{
	CTR__GUARD struct ctr__guard g;

	return ctr__enter(c, CTR__OP_READ, CTR__LOOK_GATED, &g, NULL) >= 0 &&
	       g.c->state.state == CTR_STATE_CONFIGURED;
}

static int stop_one(struct ctr_container *c, const void *arg, ctr_error_t **err)
{
	CTR__CLEANUP(ctr_config_unrefp) ctr_config_t *cfg = ctr__container_config(c);
	struct ctr__stop stop = {.timeout_ms = ctr_config_stop_timeout_ms(cfg), .by_user = true};
	int r = ctr__stop(c, arg ? arg : &stop, err);

	return forgive(r, r == CTR_E_CTR_STOPPED || (r == CTR_E_CTR_STATE && never_ran(c)), err);
}

int ctr__graph_stop(struct ctr_container *const *list, size_t n, const struct ctr__stop *o,
    struct ctr__outcome *out, ctr_error_t **err)
{
	struct walk w = {
	    .list = list, .n = n, .inward = true, .done = "stopped", .step = stop_one, .arg = o};

	return run(&w, out, err);
}

static int remove_one(struct ctr_container *c, const void *arg, ctr_error_t **err)
{
	return ctr__remove(c, *(const bool *)arg, err);
}

int ctr__graph_remove(struct ctr_container *const *list, size_t n, bool force,
    struct ctr__outcome *out, ctr_error_t **err)
{
	struct walk w = {.list = list,
	    .n = n,
	    .inward = true,
	    .done = "removed",
	    .step = remove_one,
	    .arg = &force};

	return run(&w, out, err);
}
