/* SPDX-License-Identifier: Apache-2.0 */
/* The graph of dependencies: building it, finding circles, the order of a walk. Nothing recurses: a chain may be as
 * long as there are containers. */
#include "core/graph.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"

/* ---- nodes ---- */

static int by_id(const void *a, const void *b)
{
	const struct ctr__graph_node *x = a, *y = b;

	return strcmp(x->id, y->id);
}

static struct ctr__graph_node *find(const struct ctr__graph *g, const char *id)
{
	struct ctr__graph_node key = {.id = id};

	return bsearch(&key, g->nodes, g->n, sizeof(*g->nodes), by_id);
}

static int add_nodes(struct ctr__graph *g, const struct ctr__graph_item *items, ctr_error_t **err)
{
	for (size_t i = 0; i < g->n; i++)
		g->nodes[i] = (struct ctr__graph_node){.id = items[i].id, .item = i};
	if (g->n > 1)
		qsort(g->nodes, g->n, sizeof(*g->nodes), by_id);
	for (size_t i = 1; i < g->n; i++) {
		if (strcmp(g->nodes[i - 1].id, g->nodes[i].id) == 0)
			return ctr__fail(err, CTR_E_INVALID,
			    "container %s is named twice among those to order", g->nodes[i].id);
	}
	return 0;
}

/* ---- edges ---- */

static int missing(ctr_error_t **err, const char *id, const char *dep)
{
	ctr__fail(
	    err, CTR_E_NO_SUCH_CTR, "container %s depends on %s, which is not there", id, dep);
	ctr__error_detail(err, "container", id);
	ctr__error_detail(err, "dependency", dep);
	return CTR_E_NO_SUCH_CTR;
}

/* `at` moves over the room for edges. */
static int add_deps(struct ctr__graph *g, struct ctr__graph_node *n, const char *const *deps,
    size_t **at, ctr_error_t **err)
{
	n->deps = *at;
	for (; deps && *deps; deps++) {
		const struct ctr__graph_node *on = find(g, *deps);

		if (!on)
			return missing(err, n->id, *deps);
		n->deps[n->deps_n++] = (size_t)(on - g->nodes);
	}
	*at += n->deps_n;
	return 0;
}

static void add_dependents(struct ctr__graph *g, size_t *at)
{
	for (size_t i = 0; i < g->n; i++)
		for (size_t k = 0; k < g->nodes[i].deps_n; k++)
			g->nodes[g->nodes[i].deps[k]].dependents_n++;
	for (size_t i = 0; i < g->n; i++) {
		g->nodes[i].dependents = at;
		at += g->nodes[i].dependents_n;
		g->nodes[i].dependents_n = 0;
	}
	for (size_t i = 0; i < g->n; i++) {
		for (size_t k = 0; k < g->nodes[i].deps_n; k++) {
			struct ctr__graph_node *on = &g->nodes[g->nodes[i].deps[k]];

			on->dependents[on->dependents_n++] = i;
		}
	}
}

static int add_edges(struct ctr__graph *g, const struct ctr__graph_item *items, ctr_error_t **err)
{
	size_t most = 0;
	size_t *at;
	int r = 0;

	for (size_t i = 0; i < g->n; i++)
		for (const char *const *d = items[i].deps; d && *d; d++)
			most++;
	/* Each edge twice: from either end. */
	g->edges = calloc(2 * most + 1, sizeof(*g->edges));
	if (!g->edges)
		return ctr__fail_nomem(err);
	at = g->edges;
	for (size_t i = 0; r == 0 && i < g->n; i++)
		r = add_deps(g, &g->nodes[i], items[g->nodes[i].item].deps, &at, err);
	if (r == 0)
		add_dependents(g, at);
	return r;
}

static void find_ends(struct ctr__graph *g)
{
	for (size_t i = 0; i < g->n; i++) {
		if (g->nodes[i].deps_n == 0)
			g->no_dep[g->no_dep_n++] = i;
		if (g->nodes[i].dependents_n == 0)
			g->not_depended_on[g->not_depended_on_n++] = i;
	}
}

/* ---- circles: Tarjan's strongly connected components ---- */

#define UNSEEN SIZE_MAX

struct seen {
	size_t index, low;
	size_t next; /* edge to look at next            */
	size_t up;   /* where the walk came from        */
	bool open;   /* its component is not closed yet */
};

struct tarjan {
	const struct ctr__graph *g;
	struct seen *v;
	size_t *stack; /* nodes of open components */
	size_t depth, count;
};

static void visit(struct tarjan *t, size_t node, size_t from)
{
	t->v[node] = (struct seen){.index = t->count, .low = t->count, .up = from, .open = true};
	t->count++;
	t->stack[t->depth++] = node;
}

static void lower(struct seen *s, size_t to)
{
	if (to < s->low)
		s->low = to;
}

static bool depends_on(const struct ctr__graph_node *n, size_t on)
{
	for (size_t i = 0; i < n->deps_n; i++)
		if (n->deps[i] == on)
			return true;
	return false;
}

/* Closes the component that `node` is the root of. Is it a circle? */
static bool close_component(struct tarjan *t, size_t node)
{
	size_t size = 0, member;

	do {
		member = t->stack[--t->depth];
		t->v[member].open = false;
		size++;
	} while (member != node);
	return size > 1 || depends_on(&t->g->nodes[node], node);
}

/* Everything that `root` depends on. A node in a circle, or UNSEEN. */
static size_t search_from(struct tarjan *t, size_t root)
{
	size_t node = root;

	visit(t, root, UNSEEN);
	while (node != UNSEEN) {
		const struct ctr__graph_node *n = &t->g->nodes[node];
		struct seen *s = &t->v[node];
		size_t up = s->up;

		if (s->next < n->deps_n) {
			size_t to = n->deps[s->next++];

			if (t->v[to].index == UNSEEN) {
				visit(t, to, node);
				node = to;
			} else if (t->v[to].open) {
				lower(s, t->v[to].index);
			}
			continue;
		}
		if (s->low == s->index && close_component(t, node))
			return node;
		if (up != UNSEEN)
			lower(&t->v[up], s->low);
		node = up;
	}
	return UNSEEN;
}

/* The way from `node` back to itself, breadth first: the shortest circle that it is in. */
static void describe_cycle(
    const struct ctr__graph *g, size_t node, size_t *queue, size_t *from, struct ctr__buf *out)
{
	size_t head = 0, tail = 0;

	for (size_t i = 0; i < g->n; i++)
		from[i] = UNSEEN;
	queue[tail++] = node;
	while (head < tail && from[node] == UNSEEN) {
		const struct ctr__graph_node *n = &g->nodes[queue[head]];

		/* Backwards, so that the way is found in the direction of the edges. */
		for (size_t i = 0; i < n->dependents_n; i++) {
			if (from[n->dependents[i]] != UNSEEN)
				continue;
			from[n->dependents[i]] = queue[head];
			if (n->dependents[i] != node)
				queue[tail++] = n->dependents[i];
		}
		head++;
	}
	ctr__buf_adds(out, g->nodes[node].id);
	for (size_t at = from[node]; at != node; at = from[at])
		ctr__buf_addf(out, ",%s", g->nodes[at].id);
	ctr__buf_addf(out, ",%s", g->nodes[node].id);
}

static int fail_cycle(struct tarjan *t, size_t node, ctr_error_t **err)
{
	CTR__BUF struct ctr__buf list = {0};
	CTR__FREE size_t *from = calloc(t->g->n, sizeof(*from));

	if (!from)
		return ctr__fail_nomem(err);
	describe_cycle(t->g, node, t->stack, from, &list);
	if (list.failed)
		return ctr__fail_nomem(err);
	ctr__fail(
	    err, CTR_E_INTERNAL, "containers depend on each other in a circle: %.1000s", list.data);
	ctr__error_detail(err, "cycle", list.data);
	return CTR_E_INTERNAL;
}

static int check_cycles(const struct ctr__graph *g, ctr_error_t **err)
{
	CTR__FREE struct seen *v = calloc(g->n + 1, sizeof(*v));
	CTR__FREE size_t *stack = calloc(g->n + 1, sizeof(*stack));
	struct tarjan t = {.g = g, .v = v, .stack = stack};

	if (!v || !stack)
		return ctr__fail_nomem(err);
	for (size_t i = 0; i < g->n; i++)
		v[i].index = UNSEEN;
	for (size_t i = 0; i < g->n; i++) {
		size_t node = v[i].index == UNSEEN ? search_from(&t, i) : UNSEEN;

		if (node != UNSEEN)
			return fail_cycle(&t, node, err);
	}
	return 0;
}

/* ---- all of it ---- */

void ctr__graph_free(struct ctr__graph *g)
{
	free(g->nodes);
	free(g->no_dep);
	free(g->not_depended_on);
	free(g->edges);
	memset(g, 0, sizeof(*g));
}

int ctr__graph_build(
    const struct ctr__graph_item *items, size_t n, struct ctr__graph *g, ctr_error_t **err)
{
	int r;

	*g = (struct ctr__graph){.n = n};
	g->nodes = calloc(n + 1, sizeof(*g->nodes));
	g->no_dep = calloc(n + 1, sizeof(*g->no_dep));
	g->not_depended_on = calloc(n + 1, sizeof(*g->not_depended_on));
	if (!g->nodes || !g->no_dep || !g->not_depended_on)
		r = ctr__fail_nomem(err);
	else
		r = add_nodes(g, items, err);
	if (r == 0)
		r = add_edges(g, items, err);
	if (r == 0)
		r = check_cycles(g, err);
	if (r < 0)
		ctr__graph_free(g);
	else
		find_ends(g);
	return r;
}

int ctr__graph_order(const struct ctr__graph *g, bool inward, size_t *order, ctr_error_t **err)
{
	CTR__FREE size_t *left = calloc(g->n + 1, sizeof(*left));
	const size_t *ends = inward ? g->not_depended_on : g->no_dep;
	size_t tail = inward ? g->not_depended_on_n : g->no_dep_n;

	if (!left)
		return ctr__fail_nomem(err);
	for (size_t i = 0; i < g->n; i++)
		left[i] = inward ? g->nodes[i].dependents_n : g->nodes[i].deps_n;
	memcpy(order, ends, tail * sizeof(*order));
	for (size_t head = 0; head < tail; head++) {
		const struct ctr__graph_node *n = &g->nodes[order[head]];
		const size_t *next = inward ? n->deps : n->dependents;
		size_t next_n = inward ? n->deps_n : n->dependents_n;

		for (size_t i = 0; i < next_n; i++)
			if (--left[next[i]] == 0)
				order[tail++] = next[i];
	}
	return 0;
}
