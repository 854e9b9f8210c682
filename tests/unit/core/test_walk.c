/* SPDX-License-Identifier: Apache-2.0 */
/* The same operation on several containers in the order of their graph; circles in the store. */
#include "family.h"

#include <stdlib.h>
#include <string.h>

#include "core/dependencies.h"
#include "util/cleanup.h"

/* The list is in no order. */
static void reverse(struct family *w)
{
	for (size_t i = 0; i < w->n / 2; i++) {
		ctr_container_t *c = w->c[i];

		w->c[i] = w->c[w->n - 1 - i];
		w->c[w->n - 1 - i] = c;
	}
}

/* ---- orders ---- */

static void start_stop_and_remove_in_order(void **state)
{
	static const struct ctr__stop now = {.timeout_ms = 0, .by_user = true};
	struct family w = FAMILY("", "0", "1", "2");
	struct ctr__outcome out[FAMILY_MAX] = {0};

	reverse(&w);
	OK(ctr__graph_start(w.c, w.n, out, err));
	assert_family_events(&w, CTR_EVENT_START, "3210");
	OK(ctr__graph_start(w.c, w.n, NULL, err));
	assert_family_events(&w, CTR_EVENT_START, "");
	OK(ctr__graph_stop(w.c, w.n, &now, out, err));
	assert_family_events(&w, CTR_EVENT_STOP, "0123");
	OK(ctr__graph_stop(w.c, w.n, NULL, NULL, err));
	OK(ctr__graph_start(w.c, w.n, NULL, err));
	OK(ctr__graph_stop(w.c, w.n, NULL, NULL, err));
	assert_int_equal(fake_oci_last_signal(w.f->fake, w.c[0]->id), 15);
	OK(ctr__graph_start(w.c, w.n, NULL, err));
	FAILS(CTR_E_CTR_STATE, ctr__graph_remove(w.c, w.n, false, NULL, err));
	assert_family_events(&w, CTR_EVENT_REMOVE, "");
	OK(ctr__graph_remove(w.c, w.n, true, out, err));
	assert_family_events(&w, CTR_EVENT_REMOVE, "0123");
	OK(ctr__graph_remove(w.c, w.n, true, NULL, err));
	ctr__outcomes_free(out, w.n);
	family_end(&w);
}

static void nothing_to_do(void **state)
{
	struct family w = FAMILY("");

	OK(ctr__graph_start(NULL, 0, NULL, err));
	/* Never started: nothing to stop. */
	OK(ctr__graph_stop(w.c, w.n, NULL, NULL, err));
	assert_state(w.c[0], CTR_STATE_CONFIGURED);
	family_end(&w);
}

/* A part of the graph: what is not in the list is left to the containers' own checks. */
static void a_part(void **state)
{
	struct family w = FAMILY("", "0", "1");
	struct ctr__outcome out[FAMILY_MAX] = {0};

	FAILS(CTR_E_CTR_STATE, ctr__graph_start(&w.c[1], 2, out, err));
	assert_int_equal(out[0].code, CTR_E_CTR_STATE);
	assert_non_null(ctr_error_get(out[0].err, w.c[0]->id));
	assert_int_equal(out[1].code, CTR_E_CTR_STATE);
	assert_string_equal(ctr_error_get(out[1].err, "dependencies"), w.c[1]->id);
	OK(ctr_container_start(w.c[0], 0, err));
	ctr__outcomes_free(out, 2);
	OK(ctr__graph_start(&w.c[1], 2, out, err));
	ctr__outcomes_free(out, w.n);
	family_end(&w);
}

/* Each outcome is its own; what has nothing to do with the failure is done. */
static void outcomes(void **state)
{
	struct family w = FAMILY("", "", "0", "1", "2");
	struct ctr__outcome out[FAMILY_MAX] = {0};
	ctr_error_t *e = NULL;

	OK(ctr_container_start(w.c[0], 0, err));
	OK(ctr_container_pause(w.c[0], err));
	assert_int_equal(ctr__graph_start(w.c, w.n, out, &e), CTR_E_CTR_STATE);
	assert_string_equal(ctr_error_get(e, "container"), w.c[0]->id);
	assert_int_equal(strlen(ctr_error_get(e, "failed")), 3 * 64 + 2);
	ctr_error_free(e);
	assert_int_equal(out[0].code, CTR_E_CTR_STATE);
	assert_int_equal(out[1].code, 0);
	assert_int_equal(out[2].code, CTR_E_CTR_STATE);
	assert_int_equal(out[3].code, 0);
	assert_int_equal(out[4].code, CTR_E_CTR_STATE);
	assert_null(out[1].err);
	assert_string_equal(ctr_error_get(out[0].err, "state"), "paused");
	assert_state(w.c[3], CTR_STATE_RUNNING);
	assert_state(w.c[4], CTR_STATE_CONFIGURED);
	ctr__outcomes_free(out, w.n);
	/* A paused one cannot be stopped; what it depends on - nothing - could. */
	FAILS(CTR_E_CTR_STATE, ctr__graph_stop(w.c, w.n, NULL, out, err));
	assert_int_equal(out[0].code, CTR_E_CTR_STATE);
	assert_int_equal(out[1].code, 0);
	ctr__outcomes_free(out, w.n);
	family_end(&w);
}

static void twice_in_the_list(void **state)
{
	struct family w = FAMILY("");
	ctr_container_t *twice[] = {w.c[0], w.c[0]};

	FAILS(CTR_E_INVALID, ctr__graph_start(twice, 2, NULL, err));
	assert_state(w.c[0], CTR_STATE_CONFIGURED);
	family_end(&w);
}

/* ---- infra containers ---- */

static ctr_config_t *config_in_pod(const struct fixture *f, const char *pod, bool infra)
{
	ctr_config_t *plain = fixture_config(f, NULL), *cfg = NULL;
	ctr_config_builder_t *b = ctr_config_builder_new_from(plain);

	OK(ctr_config_builder_set_str(b, CTR_CONFIG_POD, pod, err));
	OK(ctr_config_builder_set_bool(b, CTR_CONFIG_IS_INFRA, infra, err));
	OK(ctr_config_builder_build(b, &cfg, err));
	ctr_config_builder_free(b);
	ctr_config_unref(plain);
	return cfg;
}

/* Its namespaces are there from its creation on; for others only once it runs. */
static void an_infra_container_serves_its_pod(void **state)
{
	struct fixture *f = *state;
	ctr_config_t *infra = config_in_pod(f, "p", true), *member = config_in_pod(f, "p", false);
	ctr_config_t *other = config_in_pod(f, "q", false), *alone = fixture_config(f, NULL);
	struct ctr_container dep = {.cfg = infra};

	for (int32_t s = CTR_STATE_UNKNOWN; s <= CTR_STATE_STOPPING; s++) {
		bool runs = s == CTR_STATE_RUNNING;

		dep.cfg = infra;
		assert_int_equal(
		    ctr__dependency_serves(&dep, member, s), runs || s == CTR_STATE_CREATED);
		assert_int_equal(ctr__dependency_serves(&dep, other, s), runs);
		assert_int_equal(ctr__dependency_serves(&dep, alone, s), runs);
		dep.cfg = member;
		assert_int_equal(ctr__dependency_serves(&dep, member, s), runs);
		dep.cfg = alone;
		assert_int_equal(ctr__dependency_serves(&dep, alone, s), runs);
	}
	ctr_config_unref(infra);
	ctr_config_unref(member);
	ctr_config_unref(other);
	ctr_config_unref(alone);
}

/* ---- circles, which only a rewritten configuration can have ---- */

static void rewrite(struct family *w, size_t i, const char *dep)
{
	ctr_config_t *cfg = ctr_container_config(w->c[i]), *with = NULL;
	ctr_config_builder_t *b = ctr_config_builder_new_from(cfg);
	uint64_t gen;

	OK(ctr_config_builder_add_str(b, CTR_CONFIG_DEPENDENCIES, dep, err));
	OK(ctr_config_builder_build(b, &with, err));
	OK(ctr__store_rewrite(w->f->rt->store, with, NULL, &gen, err));
	atomic_store(&w->c[i]->slot->cfg_gen, gen);
	atomic_fetch_add(&w->c[i]->slot->gen, 2);
	ctr_config_builder_free(b);
	ctr_config_unref(cfg);
	ctr_config_unref(with);
}

static void circles_are_refused(void **state)
{
	struct family w = FAMILY("", "0", "1", "2", "");
	struct ctr__outcome out[FAMILY_MAX] = {0};
	ctr_error_t *e = NULL;

	OK(ctr_container_start(w.c[4], 0, err));
	rewrite(&w, 0, w.c[2]->id);
	assert_int_equal(ctr_container_start(w.c[3], CTR_START_RECURSIVE, &e), CTR_E_INTERNAL);
	/* Three of them, and the first again. */
	assert_int_equal(strlen(ctr_error_get(e, "cycle")), 4 * 64 + 3);
	assert_null(strstr(ctr_error_get(e, "cycle"), w.c[3]->id));
	ctr_error_free(e);
	for (int i = 0; i < 4; i++) {
		FAILS(CTR_E_INTERNAL, ctr_container_start(w.c[i], 0, err));
		FAILS(CTR_E_INTERNAL, ctr_container_start(w.c[i], CTR_START_RECURSIVE, err));
		FAILS(CTR_E_INTERNAL, ctr_container_init(w.c[i], 0, err));
		FAILS(CTR_E_INTERNAL, ctr_container_init(w.c[i], CTR_INIT_RECURSIVE, err));
		assert_state(w.c[i], CTR_STATE_CONFIGURED);
	}
	FAILS(CTR_E_INTERNAL, ctr__graph_start(w.c, w.n, out, err));
	FAILS(CTR_E_INTERNAL, ctr__graph_stop(w.c, w.n, NULL, out, err));
	FAILS(CTR_E_INTERNAL, ctr_container_remove(w.c[0], CTR_REMOVE_RECURSIVE, err));
	FAILS(CTR_E_CTR_EXISTS, ctr_container_remove(w.c[0], CTR_REMOVE_FORCE, err));
	assert_state(w.c[4], CTR_STATE_RUNNING);
	assert_int_equal(fake_oci_calls(w.f->fake, FAKE_CREATE), 1);
	ctr__outcomes_free(out, w.n);
	family_end(&w);
}

/* Who is in a circle could not be removed by anybody: mended by another rewrite. */
static void mend(struct family *w, size_t i)
{
	ctr_config_t *cfg = ctr_container_config(w->c[i]), *without = NULL;
	ctr_config_builder_t *b = ctr_config_builder_new_from(cfg);
	uint64_t gen;

	OK(ctr_config_builder_set_json(b, CTR_CONFIG_DEPENDENCIES, "[]", 2, err));
	OK(ctr_config_builder_build(b, &without, err));
	OK(ctr__store_rewrite(w->f->rt->store, without, NULL, &gen, err));
	atomic_store(&w->c[i]->slot->cfg_gen, gen);
	atomic_fetch_add(&w->c[i]->slot->gen, 2);
	ctr_config_builder_free(b);
	ctr_config_unref(cfg);
	ctr_config_unref(without);
}

static void a_circle_of_two_cannot_deadlock(void **state)
{
	struct family w = FAMILY("", "0");

	rewrite(&w, 0, w.c[1]->id);
	FAILS(CTR_E_INTERNAL, ctr_container_start(w.c[0], 0, err));
	FAILS(CTR_E_INTERNAL, ctr_container_start(w.c[1], 0, err));
	mend(&w, 0);
	OK(ctr_container_start(w.c[1], CTR_START_RECURSIVE, err));
	assert_state(w.c[0], CTR_STATE_RUNNING);
	family_end(&w);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
	    TEST(start_stop_and_remove_in_order),
	    TEST(nothing_to_do),
	    TEST(a_part),
	    TEST(outcomes),
	    TEST(twice_in_the_list),
	    TEST(an_infra_container_serves_its_pod),
	    TEST(circles_are_refused),
	    TEST(a_circle_of_two_cannot_deadlock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
