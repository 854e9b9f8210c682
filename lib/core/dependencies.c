/* SPDX-License-Identifier: Apache-2.0 */
/* Containers that depend on others: what each operation needs of the graph. */
#include "core/dependencies.h"

#include <string.h>

#include "core/family.h"
#include "core/pod.h"
#include "core/graph.h"
#include "util/cleanup.h"

/* ---- the check of one container ---- */

/* Reads the stored dependencies of `c` and of all those: is anything missing, is there a circle? */
static int check_graph(struct ctr_container *c, ctr_error_t **err)
{
	CTR__FAMILY struct ctr__family f = {0};
	CTR__GRAPH struct ctr__graph g = {0};
	int r = ctr__family_of(c->rt, c->id, false, &f, err);

	return r < 0 ? r : ctr__graph_build(f.items, f.n, &g, err);
}

bool ctr__dependency_serves(
    const struct ctr_container *dep, const ctr_config_t *dependent, int32_t state)
{
	if (state == CTR_STATE_RUNNING)
		return true;
	return state == CTR_STATE_CREATED && dep->cfg->is_infra && dep->cfg->pod &&
	       ctr__streq(dep->cfg->pod, dependent->pod);
}

/* Those that do not run: for people, and as IDs. */
struct idle {
	struct ctr__buf text, ids;
	char first[CTR__ID_MAX + 1];
	char **states; /* ID, state, ... */
};

static void idle_free(struct idle *i)
{
	ctr__buf_free(&i->text);
	ctr__buf_free(&i->ids);
	ctr__strv_free(i->states);
}

static int add_idle(struct idle *i, const struct ctr_container *dep, ctr_error_t **err)
{
	const char *state = ctr__state_name(dep->state.state);

	ctr__buf_addf(&i->text, "%s%s (%s)", i->text.len ? ", " : "", dep->cfg->name, state);
	ctr__buf_addf(&i->ids, "%s%s", i->ids.len ? "," : "", dep->id);
	if (i->text.failed || i->ids.failed || !ctr__strv_add(&i->states, dep->id) ||
	    !ctr__strv_add(&i->states, state))
		return ctr__fail_nomem(err);
	return 0;
}

/* Its lock is taken after that of `c`, which is held: child, then parent. */
static int look_at(struct ctr_container *c, const char *id, struct idle *idle, ctr_error_t **err)
{
	CTR__CLEANUP(ctr_container_unrefp) struct ctr_container *dep = NULL;
	CTR__GUARD struct ctr__guard g = {0};
	int r = ctr__container_open(c->rt, id, &dep, err);

	if (r >= 0)
		r = ctr__enter(dep, CTR__OP_READ, CTR__LOOK_NOW, &g, err);
	if (r < 0)
		return r;
	if (ctr__dependency_serves(g.c, c->cfg, g.c->state.state))
		return 0;
	return add_idle(idle, g.c, err);
}

static int fail_idle(const struct ctr_container *c, const struct idle *idle, ctr_error_t **err)
{
	ctr__fail(err, CTR_E_CTR_STATE, "container %s depends on containers that do not run: %s",
	    c->cfg->name, idle->text.data);
	ctr__error_detail(err, "container", c->id);
	ctr__error_detail(err, "dependencies", idle->ids.data);
	for (char **p = idle->states; *p; p += 2)
		ctr__error_detail(err, p[0], p[1]);
	return CTR_E_CTR_STATE;
}

int ctr__dependencies_check(struct ctr_container *c, ctr_error_t **err)
{
	CTR__CLEANUP(idle_free) struct idle idle = {0};
	const struct ctr__cfg_list *deps = &c->cfg->all_deps;
	int r = deps->n ? check_graph(c, err) : 0;

	for (size_t i = 0; r >= 0 && i < deps->n; i++)
		r = look_at(c, deps->v[i], &idle, err);
	if (r < 0)
		return r;
	return idle.ids.len ? fail_idle(c, &idle, err) : 0;
}

/* Without its lock, which may be held for long, or by this very thread in a batch: a record is read whole. If a removal
 * begins right after this, it fails when it comes to the record, and can be repeated when the dependent is gone. */
static int check_usable(struct ctr_runtime *rt, const char *id, ctr_error_t **err)
{
	CTR__BUF struct ctr__buf raw = {0};
	struct ctr__state state;
	int r = ctr__store_load_state(rt->store, id, &raw, err);

	if (r > 0)
		r = ctr__state_decode(raw.data, raw.len, &state, err);
	else if (r == 0)
		return 0; /* none yet in this boot; whether it exists is checked by the store */
	if (r < 0 || state.state != CTR_STATE_REMOVING)
		return r < 0 ? r : 0;
	ctr__fail(
	    err, CTR_E_CTR_STATE, "container %s, which a new one depends on, is being removed", id);
	ctr__error_detail(err, "dependency", id);
	ctr__error_detail(err, "state", ctr__state_name(state.state));
	return CTR_E_CTR_STATE;
}

int ctr__dependencies_usable(struct ctr_runtime *rt, const ctr_config_t *cfg, ctr_error_t **err)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < cfg->all_deps.n; i++)
		r = check_usable(rt, cfg->all_deps.v[i], err);
	return r;
}

int ctr__dependents(struct ctr_container *c, char ***list, ctr_error_t **err)
{
	CTR__GUARD struct ctr__guard g;
	int r = ctr__enter(c, CTR__OP_READ, CTR__LOOK_GATED, &g, err);

	return r < 0 ? r : ctr__store_dependents(g.c->rt->store, g.c->id, list, err);
}

/* ---- recursive ---- */

/* Handles of a family, but for one ID. */
struct relatives {
	struct ctr_container **v; /* NULL-terminated */
	size_t n;
};

static void relatives_free(struct relatives *l)
{
	for (size_t i = 0; i < l->n; i++)
		ctr__container_unref(l->v[i]);
	free(l->v);
}

static int open_relatives(
    struct ctr_container *c, const struct ctr__family *f, struct relatives *l, ctr_error_t **err)
{
	l->v = calloc(f->n + 1, sizeof(*l->v));
	if (!l->v)
		return ctr__fail_nomem(err);
	for (size_t i = 0; i < f->n; i++) {
		int r = 0;

		if (strcmp(f->items[i].id, c->id) != 0)
			r = ctr__container_open(c->rt, f->items[i].id, &l->v[l->n], err);
		if (r < 0)
			return r;
		l->n += l->v[l->n] != NULL;
	}
	return 0;
}

/* Everything that `c` depends on (or that depends on it), itself left out. Circles are refused. */
static int find_relatives(
    struct ctr_container *c, bool dependents, struct relatives *l, ctr_error_t **err)
{
	CTR__FAMILY struct ctr__family f = {0};
	CTR__GRAPH struct ctr__graph g = {0};
	int r = ctr__family_of(c->rt, c->id, dependents, &f, err);

	if (r >= 0)
		r = ctr__graph_build(f.items, f.n, &g, err);
	return r < 0 ? r : open_relatives(c, &f, l, err);
}

/* Is the operation possible in the current state? A wrong state is reported before anything else happens. */
static int check_state(struct ctr_container *c, enum ctr__op op, ctr_error_t **err)
{
	CTR__GUARD struct ctr__guard g;

	return ctr__enter(c, op, CTR__LOOK_NOW, &g, err);
}

int ctr__start_dependencies(struct ctr_container *c, enum ctr__op op, ctr_error_t **err)
{
	CTR__CLEANUP(relatives_free) struct relatives l = {0};
	int r = check_state(c, op, err);

	if (r >= 0)
		r = find_relatives(c, false, &l, err);
	if (r >= 0)
		r = ctr__graph_start(l.v, l.n, NULL, err);
	if (r < 0 && l.v) {
		CTR__CLEANUP(ctr_config_unrefp) ctr_config_t *cfg = ctr__container_config(c);

		ctr__error_prefix(err, r, "the dependencies of container %s", cfg->name);
	}
	return r;
}

int ctr__init_recursive(struct ctr_container *c, ctr_error_t **err)
{
	int r = ctr__start_dependencies(c, CTR__OP_INIT, err);

	return r < 0 ? r : ctr__init(c, err);
}

int ctr__start_recursive(struct ctr_container *c, ctr_error_t **err)
{
	int r = ctr__start_dependencies(c, CTR__OP_START, err);

	return r < 0 ? r : ctr__start(c, err);
}

static int check_removable(struct ctr_container *c, const struct relatives *l, ctr_error_t **err)
{
	int r = check_state(c, CTR__OP_REMOVE, err);

	for (size_t i = 0; r >= 0 && i < l->n; i++) {
		r = check_state(l->v[i], CTR__OP_REMOVE, err);
		if (r == CTR_E_CTR_REMOVED)
			r = 0;
	}
	return r;
}

int ctr__remove_recursive(struct ctr_container *c, bool force, ctr_error_t **err)
{
	CTR__CLEANUP(relatives_free) struct relatives l = {0};
	CTR__ERROR ctr_error_t *why = NULL;
	struct ctr_container *core;
	int r = ctr__enter_check(c, CTR__IN_BATCH_BUSY, &core, err);

	if (r < 0)
		return r;
	r = ctr__pod_check_infra(core, &why);
	if (r >= 0)
		r = find_relatives(core, true, &l, &why);
	if (r >= 0 && !force)
		r = check_removable(core, &l, &why);
	if (r >= 0)
		r = ctr__graph_remove(l.v, l.n, force, NULL, &why);
	/* Somebody else was faster. */
	if (r == CTR_E_NO_SUCH_CTR || r == CTR_E_CTR_REMOVED)
		r = 0;
	if (r < 0 && err)
		*err = CTR__STEAL_PTR(why);
	return r < 0 ? r : ctr__remove(core, force, err);
}
