/* SPDX-License-Identifier: Apache-2.0 */
/* The graph of dependencies: counts, circles, what is missing, the order of walks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/graph.h"
#include "util/cleanup.h"

#define MAX 4

/* "a>bc" = a depends on b and c. Up to four of them. */
struct world {
	struct ctr__graph_item items[MAX];
	char ids[MAX][2], dep_ids[MAX][MAX][2];
	const char *deps[MAX][MAX + 1];
	size_t n;
};

static void make(struct world *w, const char *const *lines)
{
	memset(w, 0, sizeof(*w));
	for (; *lines; lines++) {
		const char *line = *lines;

		w->ids[w->n][0] = line[0];
		for (size_t k = 0; line[1] && line[2 + k]; k++) {
			w->dep_ids[w->n][k][0] = line[2 + k];
			w->deps[w->n][k] = w->dep_ids[w->n][k];
		}
		w->items[w->n] = (struct ctr__graph_item){w->ids[w->n], w->deps[w->n]};
		w->n++;
	}
}

static int build(struct ctr__graph *g, const char *const *lines, ctr_error_t **err)
{
	static struct world w;

	make(&w, lines);
	return ctr__graph_build(w.items, w.n, g, err);
}

#define LINES(...) ((const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

/* The order as a string of IDs. */
static void assert_order(const struct ctr__graph *g, bool inward, const char *expected)
{
	size_t order[MAX];
	char text[MAX + 1] = "";

	assert_int_equal(ctr__graph_order(g, inward, order, NULL), 0);
	for (size_t i = 0; i < g->n; i++)
		text[i] = g->nodes[order[i]].id[0];
	assert_string_equal(text, expected);
}

static void good(const char *const *lines, size_t nodes, size_t no_dep, size_t not_depended_on,
    const char *outward, const char *inward)
{
	struct ctr__graph g;

	assert_int_equal(build(&g, lines, NULL), 0);
	assert_int_equal(g.n, nodes);
	assert_int_equal(g.no_dep_n, no_dep);
	assert_int_equal(g.not_depended_on_n, not_depended_on);
	assert_order(&g, false, outward);
	assert_order(&g, true, inward);
	ctr__graph_free(&g);
}

static void cycle(const char *const *lines, const char *named)
{
	CTR__ERROR ctr_error_t *err = NULL;
	struct ctr__graph g;

	assert_int_equal(build(&g, lines, &err), CTR_E_INTERNAL);
	assert_string_equal(ctr_error_get(err, "cycle"), named);
	assert_non_null(strstr(ctr_error_message(err), named));
	assert_null(g.nodes);
}

/* ---- libpod's names for these ---- */

static void BuildContainerGraphNoCtrsIsEmpty(void **state)
{
	(void)state;
	good(LINES(), 0, 0, 0, "", "");
}

static void BuildContainerGraphOneCtr(void **state)
{
	struct ctr__graph g;

	(void)state;
	good(LINES("a"), 1, 1, 1, "a", "a");
	assert_int_equal(build(&g, LINES("a"), NULL), 0);
	assert_string_equal(g.nodes[g.no_dep[0]].id, "a");
	assert_string_equal(g.nodes[g.not_depended_on[0]].id, "a");
	assert_int_equal(g.nodes[0].deps_n, 0);
	assert_int_equal(g.nodes[0].dependents_n, 0);
	ctr__graph_free(&g);
}

static void BuildContainerGraphTwoCtrNoEdge(void **state)
{
	(void)state;
	good(LINES("b", "a"), 2, 2, 2, "ab", "ab");
}

static void BuildContainerGraphTwoCtrOneEdge(void **state)
{
	struct ctr__graph g;

	(void)state;
	good(LINES("a", "b>a"), 2, 1, 1, "ab", "ba");
	assert_int_equal(build(&g, LINES("a", "b>a"), NULL), 0);
	assert_string_equal(g.nodes[g.no_dep[0]].id, "a");
	assert_string_equal(g.nodes[g.not_depended_on[0]].id, "b");
	assert_int_equal(g.nodes[1].deps[0], 0);
	assert_int_equal(g.nodes[0].dependents[0], 1);
	assert_int_equal(g.nodes[1].item, 1);
	ctr__graph_free(&g);
}

static void BuildContainerGraphTwoCtrCycle(void **state)
{
	(void)state;
	cycle(LINES("a>b", "b>a"), "a,b,a");
}

static void BuildContainerGraphThreeCtrNoEdges(void **state)
{
	(void)state;
	good(LINES("a", "b", "c"), 3, 3, 3, "abc", "abc");
}

static void BuildContainerGraphThreeContainersTwoInCycle(void **state)
{
	(void)state;
	cycle(LINES("a>b", "b>a", "c"), "a,b,a");
	cycle(LINES("a>b", "b>c", "c>b"), "b,c,b");
}

static void BuildContainerGraphThreeContainersCycle(void **state)
{
	(void)state;
	cycle(LINES("a>b", "b>c", "c>a"), "a,b,c,a");
}

static void BuildContainerGraphThreeContainersNoCycle(void **state)
{
	(void)state;
	good(LINES("a", "b>a", "c>ab"), 3, 1, 1, "abc", "cba");
}

static void BuildContainerGraphFourContainersNoEdges(void **state)
{
	(void)state;
	good(LINES("d", "c", "b", "a"), 4, 4, 4, "abcd", "abcd");
}

static void BuildContainerGraphFourContainersTwoInCycle(void **state)
{
	(void)state;
	cycle(LINES("a>b", "b>a", "c", "d"), "a,b,a");
}

static void BuildContainerGraphFourContainersAllInCycle(void **state)
{
	(void)state;
	cycle(LINES("a>b", "b>c", "c>d", "d>a"), "a,b,c,d,a");
}

static void BuildContainerGraphFourContainersNoneInCycle(void **state)
{
	(void)state;
	good(LINES("a", "b>a", "c>a", "d>bc"), 4, 1, 1, "abcd", "dbca");
	good(LINES("a", "b>a", "c", "d>c"), 4, 2, 2, "acbd", "bdac");
}

/* ---- ours ---- */

static void a_container_cannot_depend_on_itself(void **state)
{
	(void)state;
	cycle(LINES("a>a"), "a,a");
	cycle(LINES("a", "b>ab"), "b,b");
}

/* The circle is named, not what hangs on it. */
static void the_shortest_circle_is_named(void **state)
{
	(void)state;
	cycle(LINES("a>b", "b>c", "c>bd", "d"), "b,c,b");
	cycle(LINES("a>bc", "b>c", "c>d", "d>b"), "b,c,d,b");
}

static void a_missing_dependency_is_named(void **state)
{
	CTR__ERROR ctr_error_t *err = NULL;
	struct ctr__graph g;

	(void)state;
	assert_int_equal(build(&g, LINES("a", "b>ax"), &err), CTR_E_NO_SUCH_CTR);
	assert_string_equal(ctr_error_get(err, "container"), "b");
	assert_string_equal(ctr_error_get(err, "dependency"), "x");
	assert_null(g.nodes);
}

static void an_id_comes_once(void **state)
{
	struct ctr__graph g;

	(void)state;
	assert_int_equal(build(&g, LINES("a", "b", "a"), NULL), CTR_E_INVALID);
}

#define LONG 100000

/* Nothing recurses. `close`: the first depends on the last. */
static int build_chain(bool close, struct ctr__graph *g, ctr_error_t **err)
{
	static struct ctr__graph_item items[LONG];
	static char ids[LONG][8];
	static const char *deps[LONG][2];

	for (size_t i = 0; i < LONG; i++) {
		snprintf(ids[i], sizeof(ids[i]), "c%06zu", i);
		deps[i][0] = i > 0 ? ids[i - 1] : NULL;
		items[i] = (struct ctr__graph_item){ids[i], deps[i]};
	}
	deps[0][0] = close ? ids[LONG - 1] : NULL;
	return ctr__graph_build(items, LONG, g, err);
}

static void a_long_chain(void **state)
{
	CTR__FREE size_t *order = calloc(LONG, sizeof(*order));
	struct ctr__graph g;

	(void)state;
	assert_non_null(order);
	assert_int_equal(build_chain(false, &g, NULL), 0);
	assert_int_equal(g.no_dep_n, 1);
	assert_int_equal(g.not_depended_on_n, 1);
	assert_int_equal(ctr__graph_order(&g, false, order, NULL), 0);
	for (size_t i = 0; i < LONG; i++)
		assert_int_equal(order[i], i);
	assert_int_equal(ctr__graph_order(&g, true, order, NULL), 0);
	for (size_t i = 0; i < LONG; i++)
		assert_int_equal(order[i], LONG - 1 - i);
	ctr__graph_free(&g);
	assert_int_equal(build_chain(true, &g, NULL), CTR_E_INTERNAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(BuildContainerGraphNoCtrsIsEmpty),
	    cmocka_unit_test(BuildContainerGraphOneCtr),
	    cmocka_unit_test(BuildContainerGraphTwoCtrNoEdge),
	    cmocka_unit_test(BuildContainerGraphTwoCtrOneEdge),
	    cmocka_unit_test(BuildContainerGraphTwoCtrCycle),
	    cmocka_unit_test(BuildContainerGraphThreeCtrNoEdges),
	    cmocka_unit_test(BuildContainerGraphThreeContainersTwoInCycle),
	    cmocka_unit_test(BuildContainerGraphThreeContainersCycle),
	    cmocka_unit_test(BuildContainerGraphThreeContainersNoCycle),
	    cmocka_unit_test(BuildContainerGraphFourContainersNoEdges),
	    cmocka_unit_test(BuildContainerGraphFourContainersTwoInCycle),
	    cmocka_unit_test(BuildContainerGraphFourContainersAllInCycle),
	    cmocka_unit_test(BuildContainerGraphFourContainersNoneInCycle),
	    cmocka_unit_test(a_container_cannot_depend_on_itself),
	    cmocka_unit_test(the_shortest_circle_is_named),
	    cmocka_unit_test(a_missing_dependency_is_named),
	    cmocka_unit_test(an_id_comes_once),
	    cmocka_unit_test(a_long_chain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
