/* SPDX-License-Identifier: Apache-2.0 */
/* Listing pods: filters as text, exits taken over first. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/filters.h"
#include "core/pod.h"
#include "util/cleanup.h"

/* ---- filters ---- */

static int parse_state(const char *word, int32_t *state, ctr_error_t **err)
{
	for (*state = CTR_POD_STATE_CREATED; *state <= CTR_POD_STATE_ERROR; (*state)++)
		if (strcasecmp(word, ctr__pod_state_name(*state)) == 0)
			return 0;
	ctr__fail(err, CTR_E_INVALID, "\"%s\" is no status of a pod", word);
	ctr__error_detail(err, "field", "status");
	return CTR_E_INVALID;
}

static bool match_id(char *const *ids, const char *id)
{
	for (; ids && *ids; ids++) {
		if (ctr__starts_with(id, *ids))
			return true;
	}
	return false;
}

static bool match_name(char *const *names, const char *name)
{
	for (; names && *names; names++) {
		if (strstr(name, *names))
			return true;
	}
	return false;
}

static bool match_label(char *const *wants, const ctr_pod_config_t *cfg)
{
	for (; wants && *wants; wants++) {
		for (size_t i = 0; i < cfg->labels.n; i++) {
			const struct ctr__cfg_pair *l = &cfg->labels.v[i];
			size_t len = strlen(l->key);

			if (strncmp(*wants, l->key, len) != 0)
				continue;
			if (!(*wants)[len] ||
			    ((*wants)[len] == '=' && strcmp(*wants + len + 1, l->value) == 0))
				return true;
		}
	}
	return false;
}

/* ---- listing ---- */

struct listing {
	struct ctr_runtime *rt;
	struct ctr__filters w;
	ctr_pod_list_t *list;
	ctr_error_t **err;
};

static bool matches(const struct listing *g, const ctr_pod_config_t *cfg, int32_t state)
{
	return (!g->w.ids || match_id(g->w.ids, cfg->id)) &&
	       (!g->w.names || match_name(g->w.names, cfg->name ? cfg->name : "")) &&
	       (!g->w.labels || match_label(g->w.labels, cfg)) &&
	       (!g->w.states || g->w.states & 1U << state);
}

static int append(struct listing *g, const ctr_pod_config_t *cfg, const char *infra,
    const struct ctr__pod_members *m, int32_t state)
{
	struct ctr__pod_entry *v =
	    reallocarray(g->list->v, g->list->n + 1, sizeof(struct ctr__pod_entry));
	struct ctr__pod_entry *e;

	if (!v)
		return ctr__fail_nomem(g->err);
	g->list->v = v;
	e = &v[g->list->n++];
	*e = (struct ctr__pod_entry){
	    .id = strdup(cfg->id),
	    .name = strdup(cfg->name ? cfg->name : ""),
	    .infra = strdup(infra),
	    .status = state,
	    .containers = m->n,
	    .created_ns = cfg->created_ns,
	};
	return e->id && e->name && e->infra ? 0 : ctr__fail_nomem(g->err);
}

static int list_one(const char *id, void *userdata)
{
	struct listing *g = userdata;
	CTR__CLEANUP(ctr__pod_members_free) struct ctr__pod_members m = {.n = 0};
	CTR__CLEANUP(ctr__pod_stored_free) struct ctr__pod_stored stored = {.slot = 0};
	CTR__POD_CONFIG ctr_pod_config_t *cfg = NULL;
	CTR__ERROR ctr_error_t *why = NULL;
	int r = ctr__store_pod_get(g->rt->store, id, &stored, &why);
	int32_t state;

	if (r >= 0)
		r = ctr__pod_config_parse(stored.json.data, stored.json.len, &cfg, &why);
	if (r >= 0)
		r = ctr__store_pod_members(g->rt->store, id, &m, &why);
	/* Removed meanwhile. */
	if (r == CTR_E_NO_SUCH_POD)
		return 0;
	if (r < 0) {
		if (g->err)
			*g->err = CTR__STEAL_PTR(why);
		return r;
	}
	state = ctr__pod_derive_state(&m);
	return matches(g, cfg, state) ? append(g, cfg, stored.infra, &m, state) : 0;
}

void ctr__pod_list_free(ctr_pod_list_t *l)
{
	for (size_t i = 0; l && i < l->n; i++) {
		free(l->v[i].id);
		free(l->v[i].name);
		free(l->v[i].infra);
	}
	if (l)
		free(l->v);
	free(l);
}

int ctr__pod_list(
    struct ctr_runtime *rt, const char *const *filters, ctr_pod_list_t **out, ctr_error_t **err)
{
	struct listing g = {.rt = rt, .err = err};
	int r = ctr__filters_parse(&g.w, filters, "status", parse_state, err);

	if (r >= 0) {
		ctr__runtime_reap(rt, 0, NULL);
		g.list = calloc(1, sizeof(*g.list));
		r = g.list ? ctr__store_pod_each(rt->store, list_one, &g, err)
		           : ctr__fail_nomem(err);
	}
	ctr__filters_free(&g.w);
	if (r < 0) {
		ctr__pod_list_free(g.list);
		return r;
	}
	*out = g.list;
	return 0;
}
