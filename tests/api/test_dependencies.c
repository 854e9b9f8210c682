/* SPDX-License-Identifier: Apache-2.0 */
/* Containers that depend on others: orders, failures, what is refused. Fake runtime. */
#include "family.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* The states, by first letters: "c"onfigured, "i"nitialized, "r"unning, "s"topped, "p"aused, "e"xited, "-" gone. */
static void assert_states(const struct family *w, const char *expected)
{
	char text[FAMILY_MAX + 1] = "";

	for (size_t i = 0; i < w->n; i++) {
		int32_t state;
		int r = ctr_container_state(w->c[i], &state, NULL);

		text[i] = r == CTR_E_CTR_REMOVED ? '-' : ctr_state_name(state)[0];
	}
	assert_string_equal(text, expected);
}

/* The IDs of a detail, as numbers. */
static void assert_ids(
    const struct family *w, const ctr_error_t *e, const char *key, const char *expected)
{
	const char *list = ctr_error_get(e, key);
	char text[FAMILY_MAX + 1] = "";

	for (size_t n = 0; list && *list; n++) {
		char id[65] = "";

		memcpy(id, list, strcspn(list, ","));
		text[n] = family_number(w, id);
		list += strcspn(list, ",");
		list += *list == ',';
	}
	assert_string_equal(text, expected);
}

/* ---- starting ---- */

static void test_start_needs_all(void **state)
{
	struct family w = FAMILY("", "", "", "012");
	ctr_error_t *e = NULL;

	OK(ctr_container_start(w.c[1], 0, err));
	OK(ctr_container_init(w.c[2], 0, err));
	assert_int_equal(ctr_container_start(w.c[3], 0, &e), CTR_E_CTR_STATE);
	assert_string_equal(ctr_error_get(e, "container"), ctr_container_id(w.c[3]));
	assert_int_equal(strlen(ctr_error_get(e, "dependencies")), 2 * 64 + 1);
	assert_string_equal(ctr_error_get(e, ctr_container_id(w.c[0])), "created");
	assert_string_equal(ctr_error_get(e, ctr_container_id(w.c[2])), "initialized");
	assert_null(ctr_error_get(e, ctr_container_id(w.c[1])));
	ctr_error_free(e);
	FAILS(CTR_E_CTR_STATE, ctr_container_init(w.c[3], 0, err));
	assert_states(&w, "cric");
	OK(ctr_container_start(w.c[0], 0, err));
	OK(ctr_container_start(w.c[2], 0, err));
	OK(ctr_container_start(w.c[3], 0, err));
	assert_states(&w, "rrrr");
	family_end(&w);
}

/* Only direct dependencies need to run. */
static void test_start_needs_direct_ones(void **state)
{
	struct family w = FAMILY("", "0", "1");

	OK(ctr_container_start(w.c[2], CTR_START_RECURSIVE, err));
	OK(ctr_container_stop(w.c[2], NULL, err));
	OK(ctr_container_stop(w.c[0], NULL, err));
	OK(ctr_container_start(w.c[2], 0, err));
	assert_states(&w, "srr");
	family_end(&w);
}

/* A refused start leaves a stopped container as it was. */
static void test_refused_in_every_state(void **state)
{
	struct family w = FAMILY("", "0", "0", "0");

	OK(ctr_container_start(w.c[0], 0, err));
	OK(ctr_container_init(w.c[1], 0, err));
	OK(ctr_container_start(w.c[2], 0, err));
	OK(ctr_container_kill(w.c[2], 9, err));
	OK(ctr_container_start(w.c[3], 0, err));
	OK(ctr_container_kill(w.c[3], 9, err));
	OK(ctr_container_cleanup(w.c[3], 0, err));
	OK(ctr_container_kill(w.c[0], 9, err));
	assert_states(&w, "sise");
	for (int i = 1; i < 4; i++)
		FAILS(CTR_E_CTR_STATE, ctr_container_start(w.c[i], 0, err));
	assert_states(&w, "sise");
	OK(ctr_container_start(w.c[1], CTR_START_RECURSIVE, err));
	OK(ctr_container_start(w.c[2], 0, err));
	OK(ctr_container_start(w.c[3], 0, err));
	assert_states(&w, "rrrr");
	family_end(&w);
}

static void test_start_recursive(void **state)
{
	/*     0     1
	 *    / \   /
	 *   2   3-'     and 5, with which nobody has to do
	 *    \ /
	 *     4         */
	struct family w = FAMILY("", "", "0", "01", "23", "");

	OK(ctr_container_start(w.c[4], CTR_START_RECURSIVE, err));
	assert_states(&w, "rrrrrc");
	assert_int_equal(fake_oci_calls(w.f->fake, FAKE_START), 5);
	FAILS(CTR_E_CTR_RUNNING, ctr_container_start(w.c[4], CTR_START_RECURSIVE, err));
	assert_int_equal(fake_oci_calls(w.f->fake, FAKE_START), 5);
	family_end(&w);
}

static void test_start_order_of_a_chain(void **state)
{
	struct family w = FAMILY("", "0", "1", "2", "3", "4");

	OK(ctr_container_start(w.c[5], CTR_START_RECURSIVE, err));
	assert_family_events(&w, CTR_EVENT_START, "012345");
	/* What runs is left alone, what ended runs again. */
	OK(ctr_container_kill(w.c[2], 9, err));
	OK(ctr_container_kill(w.c[5], 9, err));
	OK(ctr_container_start(w.c[5], CTR_START_RECURSIVE, err));
	assert_family_events(&w, CTR_EVENT_START, "25");
	family_end(&w);
}

static void test_init_recursive(void **state)
{
	struct family w = FAMILY("", "0", "1");

	OK(ctr_container_init(w.c[2], CTR_INIT_RECURSIVE, err));
	assert_states(&w, "rri");
	FAILS(CTR_E_CTR_STATE, ctr_container_init(w.c[2], CTR_INIT_RECURSIVE, err));
	OK(ctr_container_start(w.c[2], CTR_START_RECURSIVE, err));
	assert_states(&w, "rrr");
	FAILS(CTR_E_UNSUPPORTED, ctr_container_init(w.c[2], 2, err));
	FAILS(CTR_E_UNSUPPORTED, ctr_container_start(w.c[2], 2, err));
	family_end(&w);
}

/* The wrong state of the container itself is found before anything is started. */
static void test_own_state_first(void **state)
{
	struct family w = FAMILY("", "0");

	OK(ctr_container_start(w.c[1], CTR_START_RECURSIVE, err));
	OK(ctr_container_pause(w.c[1], err));
	OK(ctr_container_kill(w.c[0], 9, err));
	FAILS(CTR_E_CTR_STATE, ctr_container_start(w.c[1], CTR_START_RECURSIVE, err));
	assert_states(&w, "sp");
	family_end(&w);
}

static int start_view(ctr_container_t *view, void *arg)
{
	return ctr_container_start(view, CTR_START_RECURSIVE, arg);
}

static void test_start_inside_a_batch(void **state)
{
	struct family w = FAMILY("", "0", "1");

	OK(ctr_container_batch(w.c[2], start_view, NULL, err));
	assert_states(&w, "rrr");
	family_end(&w);
}

/* One fails: what depends on it is not tried, the others are; each has its reason. */
static void test_start_fails(void **state)
{
	struct family w = FAMILY("", "0", "1", "", "23");
	ctr_error_t *e = NULL;

	OK(ctr_container_start(w.c[0], 0, err));
	OK(ctr_container_pause(w.c[0], err));
	assert_int_equal(ctr_container_start(w.c[4], CTR_START_RECURSIVE, &e), CTR_E_CTR_STATE);
	assert_states(&w, "pccrc");
	assert_string_equal(ctr_error_get(e, "container"), ctr_container_id(w.c[0]));
	assert_ids(&w, e, "failed", "012");
	assert_non_null(strstr(ctr_error_message(e), ctr_container_id(w.c[0])));
	assert_non_null(strstr(ctr_error_get(e, ctr_container_id(w.c[0])), "paused"));
	assert_non_null(
	    strstr(ctr_error_get(e, ctr_container_id(w.c[1])), ctr_container_id(w.c[0])));
	assert_non_null(
	    strstr(ctr_error_get(e, ctr_container_id(w.c[2])), ctr_container_id(w.c[1])));
	assert_null(ctr_error_get(e, ctr_container_id(w.c[3])));
	ctr_error_free(e);
	family_end(&w);
}

static void test_start_fails_in_the_runtime(void **state)
{
	static const enum fake_op ops[] = {FAKE_CREATE, FAKE_START};

	for (size_t i = 0; i < 2; i++) {
		struct family w = FAMILY("", "0", "1");
		ctr_error_t *e = NULL;

		fake_oci_fail(w.f->fake, ops[i], CTR_E_OCI_PERMISSION, 1);
		assert_int_equal(
		    ctr_container_start(w.c[2], CTR_START_RECURSIVE, &e), CTR_E_OCI_PERMISSION);
		assert_non_null(strstr(ctr_error_message(e), "told to fail"));
		assert_ids(&w, e, "failed", "01");
		ctr_error_free(e);
		assert_states(&w, "ccc");
		OK(ctr_container_start(w.c[2], CTR_START_RECURSIVE, err));
		assert_states(&w, "rrr");
		family_end(&w);
	}
}

/* ---- at the same time ---- */

struct hand {
	const struct family *w;
	size_t first; /* it works on each container in turn, beginning with this one */
	int bad;      /* a result that cannot be */
};

static int may_be(int r)
{
	return r >= 0 || r == CTR_E_CTR_RUNNING || r == CTR_E_CTR_STATE || r == CTR_E_CTR_STOPPED;
}

/* Starts what it can and ends it again. */
static void *start_and_end(void *arg)
{
	struct hand *h = arg;

	for (size_t i = 0; i < 30; i++) {
		ctr_container_t *c = h->w->c[(h->first + i) % h->w->n];
		int r = ctr_container_start(c, CTR_START_RECURSIVE, NULL);

		if (!may_be(r))
			h->bad = r;
		r = ctr_container_stop_with_timeout(c, 0, NULL);
		if (!may_be(r))
			h->bad = r;
	}
	return NULL;
}

static void test_many_at_once(void **state)
{
	struct family w = FAMILY("", "", "0", "01", "23");
	struct hand hands[4];
	pthread_t threads[4];

	for (size_t i = 0; i < 4; i++) {
		hands[i] = (struct hand){.w = &w, .first = i};
		assert_int_equal(pthread_create(&threads[i], NULL, start_and_end, &hands[i]), 0);
	}
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		if (hands[i].bad)
			fail_msg("%s", ctr_error_name(hands[i].bad));
	}
	OK(ctr_container_remove(w.c[0], CTR_REMOVE_RECURSIVE | CTR_REMOVE_FORCE, err));
	OK(ctr_container_remove(w.c[1], CTR_REMOVE_RECURSIVE | CTR_REMOVE_FORCE, err));
	assert_states(&w, "-----");
	family_end(&w);
}

/* Everybody wants the same: one does the work, all succeed or are told that it runs. */
static void *start_the_last(void *arg)
{
	struct hand *h = arg;
	int r = ctr_container_start(h->w->c[h->w->n - 1], CTR_START_RECURSIVE, NULL);

	h->bad = r < 0 && r != CTR_E_CTR_RUNNING ? r : 0;
	return NULL;
}

static void test_the_same_at_once(void **state)
{
	for (int round = 0; round < 10; round++) {
		struct family w = FAMILY("", "0", "1", "01", "23");
		struct hand hands[4];
		pthread_t threads[4];

		for (size_t i = 0; i < 4; i++) {
			hands[i] = (struct hand){.w = &w};
			assert_int_equal(
			    pthread_create(&threads[i], NULL, start_the_last, &hands[i]), 0);
		}
		for (size_t i = 0; i < 4; i++) {
			assert_int_equal(pthread_join(threads[i], NULL), 0);
			if (hands[i].bad)
				fail_msg("%s", ctr_error_name(hands[i].bad));
		}
		assert_states(&w, "rrrrr");
		OK(ctr_container_remove(w.c[0], CTR_REMOVE_RECURSIVE | CTR_REMOVE_FORCE, err));
		family_end(&w);
	}
}

/* ---- dependents, removing ---- */

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void test_dependents(void **state)
{
	struct family w = FAMILY("", "0", "0", "2", "0");
	const char *wanted[] = {
	    ctr_container_id(w.c[1]), ctr_container_id(w.c[2]), ctr_container_id(w.c[4])};
	char **list = NULL;

	qsort(wanted, 3, sizeof(wanted[0]), by_text);
	OK(ctr_container_dependents(w.c[0], &list, err));
	for (int i = 0; i < 3; i++)
		assert_string_equal(list[i], wanted[i]);
	assert_null(list[3]);
	ctr_strv_free(list);
	OK(ctr_container_dependents(w.c[4], &list, err));
	assert_null(list[0]);
	ctr_strv_free(list);
	FAILS(CTR_E_INVALID, ctr_container_dependents(w.c[0], NULL, err));
	FAILS(CTR_E_INVALID, ctr_container_dependents(NULL, &list, err));
	OK(ctr_container_remove(w.c[4], 0, err));
	FAILS(CTR_E_CTR_REMOVED, ctr_container_dependents(w.c[4], &list, err));
	assert_null(list);
	family_end(&w);
}

static void test_remove_is_refused(void **state)
{
	struct family w = FAMILY("", "0", "1");
	ctr_error_t *e = NULL;

	OK(ctr_container_start(w.c[1], CTR_START_RECURSIVE, err));
	assert_int_equal(ctr_container_remove(w.c[0], CTR_REMOVE_FORCE, &e), CTR_E_CTR_EXISTS);
	assert_ids(&w, e, "dependents", "1");
	ctr_error_free(e);
	/* Nothing was touched: it was not even stopped. */
	assert_states(&w, "rrc");
	assert_int_equal(fake_oci_calls(w.f->fake, FAKE_KILL), 0);
	FAILS(CTR_E_CTR_EXISTS, ctr_container_remove(w.c[1], CTR_REMOVE_FORCE, err));
	family_end(&w);
}

static void test_remove_recursive(void **state)
{
	struct family w = FAMILY("", "", "0", "01", "23", "");

	free(events_text(w.f->rt));
	OK(ctr_container_remove(w.c[1], CTR_REMOVE_RECURSIVE, err));
	assert_states(&w, "c-c--c");
	assert_family_events(&w, CTR_EVENT_REMOVE, "431");
	/* Gone is fine; so is one without dependents. */
	OK(ctr_container_remove(w.c[1], CTR_REMOVE_RECURSIVE, err));
	OK(ctr_container_remove(w.c[5], CTR_REMOVE_RECURSIVE, err));
	OK(ctr_container_start(w.c[2], CTR_START_RECURSIVE, err));
	/* Without force all or nothing. */
	FAILS(CTR_E_CTR_STATE, ctr_container_remove(w.c[0], CTR_REMOVE_RECURSIVE, err));
	assert_states(&w, "r-r---");
	OK(ctr_container_remove(w.c[0], CTR_REMOVE_RECURSIVE | CTR_REMOVE_FORCE, err));
	assert_states(&w, "------");
	FAILS(CTR_E_UNSUPPORTED, ctr_container_remove(w.c[0], 4, err));
	family_end(&w);
}

static void test_remove_checks_all_first(void **state)
{
	struct family w = FAMILY("", "0", "1", "0");
	ctr_error_t *e = NULL;

	OK(ctr_container_start(w.c[1], CTR_START_RECURSIVE, err));
	OK(ctr_container_kill(w.c[0], 9, err));
	assert_int_equal(ctr_container_remove(w.c[0], CTR_REMOVE_RECURSIVE, &e), CTR_E_CTR_STATE);
	assert_string_equal(ctr_error_get(e, "container"), ctr_container_id(w.c[1]));
	ctr_error_free(e);
	assert_states(&w, "srcc");
	family_end(&w);
}

/* One cannot be removed: neither can what it depends on, but everything else goes. */
static void test_remove_fails(void **state)
{
	struct family w = FAMILY("", "0", "1", "0");
	ctr_error_t *e = NULL;
	int32_t s;

	OK(ctr_container_start(w.c[2], CTR_START_RECURSIVE, err));
	free(events_text(w.f->rt));
	fake_oci_fail(w.f->fake, FAKE_KILL, CTR_E_OCI_RUNTIME, 1);
	assert_int_equal(ctr_container_remove(w.c[0], CTR_REMOVE_RECURSIVE | CTR_REMOVE_FORCE, &e),
	    CTR_E_OCI_RUNTIME);
	assert_string_equal(ctr_error_get(e, "container"), ctr_container_id(w.c[2]));
	assert_ids(&w, e, "failed", "21");
	ctr_error_free(e);
	assert_int_equal(state_of(w.c[2]), CTR_STATE_STOPPING);
	FAILS(CTR_E_CTR_REMOVED, ctr_container_state(w.c[3], &s, err));
	assert_int_equal(state_of(w.c[1]), CTR_STATE_RUNNING);
	assert_int_equal(state_of(w.c[0]), CTR_STATE_RUNNING);
	OK(ctr_container_remove(w.c[0], CTR_REMOVE_RECURSIVE | CTR_REMOVE_FORCE, err));
	assert_states(&w, "----");
	family_end(&w);
}

static int remove_view(ctr_container_t *view, void *arg)
{
	(void)arg;
	return ctr_container_remove(view, CTR_REMOVE_RECURSIVE, NULL);
}

static void test_not_inside_a_batch(void **state)
{
	struct family w = FAMILY("", "0");

	assert_int_equal(ctr_container_batch(w.c[0], remove_view, NULL, NULL), CTR_E_BUSY);
	assert_states(&w, "cc");
	family_end(&w);
}

/* Nothing new may depend on what is being removed. */
static void test_create_on_a_removing_one(void **state)
{
	struct fixture *f = *state;
	struct family w = {.f = f, .n = 1};
	ctr_config_t *plain = fixture_config(f, NULL), *cfg = NULL;
	ctr_config_builder_t *b = ctr_config_builder_new_from(plain);
	ctr_error_t *e = NULL;

	w.c[0] = fixture_in_state(f, CTR_STATE_REMOVING);
	OK(ctr_config_builder_add_str(b, CTR_CONFIG_DEPENDENCIES, ctr_container_id(w.c[0]), err));
	OK(ctr_config_builder_build(b, &cfg, err));
	assert_int_equal(ctr_container_create(f->rt, cfg, 0, NULL, &e), CTR_E_CTR_STATE);
	assert_string_equal(ctr_error_get(e, "state"), "removing");
	ctr_error_free(e);
	OK(ctr_container_remove(w.c[0], 0, err));
	FAILS(CTR_E_NO_SUCH_CTR, ctr_container_create(f->rt, cfg, 0, NULL, err));
	ctr_config_builder_free(b);
	ctr_config_unref(plain);
	ctr_config_unref(cfg);
	family_end(&w);
}

/* A dependent may be made while its dependency is locked. */
static int create_dependent(ctr_container_t *view, void *arg)
{
	struct family *w = arg;

	(void)view;
	family_add(w, "0");
	return 0;
}

static void test_create_inside_a_batch(void **state)
{
	struct family w = FAMILY("");

	OK(ctr_container_batch(w.c[0], create_dependent, &w, err));
	OK(ctr_container_start(w.c[1], CTR_START_RECURSIVE, err));
	assert_states(&w, "rr");
	family_end(&w);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
	    TEST(test_start_needs_all),
	    TEST(test_start_needs_direct_ones),
	    TEST(test_refused_in_every_state),
	    TEST(test_start_recursive),
	    TEST(test_start_order_of_a_chain),
	    TEST(test_init_recursive),
	    TEST(test_own_state_first),
	    TEST(test_start_inside_a_batch),
	    TEST(test_start_fails),
	    TEST(test_start_fails_in_the_runtime),
	    TEST(test_many_at_once),
	    TEST(test_the_same_at_once),
	    TEST(test_dependents),
	    TEST(test_remove_is_refused),
	    TEST(test_remove_recursive),
	    TEST(test_remove_checks_all_first),
	    TEST(test_remove_fails),
	    TEST(test_not_inside_a_batch),
	    TEST(test_create_on_a_removing_one),
	    TEST(test_create_inside_a_batch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
