/* SPDX-License-Identifier: Apache-2.0 */
/* Prune, evict, exit codes. */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static size_t count(ctr_runtime_t *rt)
{
	ctr_list_t *list = NULL;
	size_t n;

	OK(ctr_runtime_list(rt, NULL, 0, &list, err));
	n = ctr_list_count(list);
	ctr_list_free(list);
	return n;
}

static const char *const *filter(const char *a, const char *b)
{
	static const char *list[3];

	list[0] = a;
	list[1] = b;
	return list;
}

/* ---- prune ---- */

static void test_prune_states(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c[CTR_STATE_STOPPING + 1] = {NULL};
	ctr_pruned_t *p = NULL;
	char *text;

	for (int32_t s = CTR_STATE_CONFIGURED; s <= CTR_STATE_STOPPING; s++) {
		c[s] = fixture_in_state(f, s);
		OK(ctr_container_add_artifact(c[s], "a", "0123456789", 10, err));
	}
	free(events_text(f->rt));
	OK(ctr_runtime_prune(f->rt, NULL, 0, &p, err));
	assert_int_equal(ctr_pruned_count(p), 4);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(ctr_pruned_error(p, i), 0);
		assert_null(ctr_pruned_message(p, i));
		assert_true(ctr_pruned_bytes(p, i) > 0);
		assert_int_equal(ctr_container_exists(f->rt, ctr_pruned_id(p, i), NULL), 0);
	}
	assert_null(ctr_pruned_id(p, 4));
	assert_int_equal(ctr_pruned_error(p, 4), 0);
	assert_true(ctr_pruned_bytes(p, 4) == 0);
	ctr_pruned_freep(&p);
	assert_null(p);
	text = events_text(f->rt);
	assert_string_equal(text, "remove remove remove remove prune");
	free(text);
	for (int32_t s = CTR_STATE_CONFIGURED; s <= CTR_STATE_STOPPING; s++) {
		int here = ctr_container_exists(f->rt, ctr_container_id(c[s]), NULL);
		int kept = s == CTR_STATE_RUNNING || s == CTR_STATE_PAUSED ||
		           s == CTR_STATE_STOPPING || s == CTR_STATE_REMOVING;

		assert_int_equal(here, kept);
		ctr_container_unref(c[s]);
	}
	/* Nothing is left to do; that is no error. */
	OK(ctr_runtime_prune(f->rt, NULL, 0, NULL, err));
	assert_int_equal(count(f->rt), 4);
}

static void check_prune(struct fixture *f, const char *a, const char *b, size_t expected)
{
	ctr_pruned_t *p = NULL;

	OK(ctr_runtime_prune(f->rt, filter(a, b), 0, &p, err));
	assert_int_equal(ctr_pruned_count(p), expected);
	ctr_pruned_free(p);
}

static void test_prune_filters(void **state)
{
	struct fixture *f = *state;
	char until[64];

	for (int i = 0; i < 4; i++) {
		char name[8];

		snprintf(name, sizeof(name), "c%d", i);
		ctr_container_unref(fixture_create(f, name));
	}
	FAILS(
	    CTR_E_INVALID, ctr_runtime_prune(f->rt, filter("until=yesterday", NULL), 0, NULL, err));
	FAILS(CTR_E_INVALID, ctr_runtime_prune(f->rt, filter("until=", NULL), 0, NULL, err));
	FAILS(CTR_E_INVALID, ctr_runtime_prune(f->rt, filter("colour=red", NULL), 0, NULL, err));
	FAILS(CTR_E_UNSUPPORTED, ctr_runtime_prune(f->rt, NULL, 1, NULL, err));
	FAILS(CTR_E_INVALID, ctr_runtime_prune(NULL, NULL, 0, NULL, err));
	check_prune(f, "until=1h", NULL, 0);
	check_prune(f, "until=2001-02-03T04:05:06Z", NULL, 0);
	check_prune(f, "name=c1", "until=10m", 0);
	check_prune(f, "name=c1", NULL, 1);
	check_prune(f, "state=running", NULL, 0);
	snprintf(until, sizeof(until), "until=%lld", (long long)time(NULL) + 10);
	check_prune(f, until, "name=c2", 1);
	check_prune(f, until, "state=created", 2);
	assert_int_equal(count(f->rt), 0);
}

static ctr_container_t *depend_on(struct fixture *f, ctr_container_t *on)
{
	ctr_config_t *cfg = fixture_config(f, NULL), *own = NULL;
	ctr_config_builder_t *b = ctr_config_builder_new_from(cfg);
	ctr_container_t *c = NULL;

	OK(ctr_config_builder_add_str(b, CTR_CONFIG_DEPENDENCIES, ctr_container_id(on), err));
	OK(ctr_config_builder_build(b, &own, err));
	OK(ctr_container_create(f->rt, own, 0, &c, err));
	ctr_config_builder_free(b);
	ctr_config_unref(cfg);
	ctr_config_unref(own);
	return c;
}

/* What others depend on goes after them, whatever the order of the IDs. */
static void test_prune_dependents(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 8; i++) {
		ctr_container_t *a = fixture_create(f, NULL), *b = depend_on(f, a),
		                *c = depend_on(f, b);

		ctr_container_unref(a);
		ctr_container_unref(b);
		ctr_container_unref(c);
	}
	check_prune(f, NULL, NULL, 24);
	assert_int_equal(count(f->rt), 0);
}

static void test_prune_partial_failure(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *base = fixture_in_state(f, CTR_STATE_RUNNING), *user = depend_on(f, base);
	ctr_container_t *free_one = fixture_create(f, NULL);
	ctr_pruned_t *p = NULL;
	size_t bad;

	OK(ctr_container_start(user, 0, err));
	OK(ctr_container_kill(base, 9, err));
	/* Its dependent runs. */
	OK(ctr_runtime_prune(f->rt, NULL, 0, &p, err));
	assert_int_equal(ctr_pruned_count(p), 2);
	bad = strcmp(ctr_pruned_id(p, 0), ctr_container_id(base)) != 0;
	assert_string_equal(ctr_pruned_id(p, bad), ctr_container_id(base));
	assert_int_equal(ctr_pruned_error(p, bad), CTR_E_CTR_EXISTS);
	assert_non_null(ctr_pruned_message(p, bad));
	assert_true(ctr_pruned_bytes(p, bad) == 0);
	assert_int_equal(ctr_pruned_error(p, !bad), 0);
	ctr_pruned_free(p);
	assert_int_equal(count(f->rt), 2);
	ctr_container_unref(free_one);
	/* The runtime refuses one. */
	OK(ctr_container_kill(user, 9, err));
	fake_oci_fail(f->fake, FAKE_REMOVE, CTR_E_OCI_RUNTIME, 1);
	OK(ctr_runtime_prune(f->rt, NULL, 0, &p, err));
	assert_int_equal(ctr_pruned_count(p), 2);
	ctr_pruned_free(p);
	assert_true(count(f->rt) > 0);
	ctr_container_unref(base);
	ctr_container_unref(user);
}

/* ---- evict ---- */

static int evict_in_batch(ctr_container_t *view, void *rt)
{
	FAILS(CTR_E_DEADLOCK, ctr_runtime_evict(rt, ctr_container_id(view), 0, NULL, err));
	return 0;
}

static void test_evict(void **state)
{
	struct fixture *f = *state;

	FAILS(CTR_E_NO_SUCH_CTR, ctr_runtime_evict(f->rt, "nobody", 0, NULL, err));
	FAILS(CTR_E_EMPTY_ID, ctr_runtime_evict(f->rt, "", 0, NULL, err));
	FAILS(CTR_E_EMPTY_ID, ctr_runtime_evict(f->rt, NULL, 0, NULL, err));
	FAILS(CTR_E_UNSUPPORTED, ctr_runtime_evict(f->rt, "x", 1, NULL, err));
	for (int32_t s = CTR_STATE_CONFIGURED; s <= CTR_STATE_STOPPING; s++) {
		ctr_container_t *c = fixture_in_state(f, s);
		char *id = NULL;

		OK(ctr_container_batch(c, evict_in_batch, f->rt, err));
		OK(ctr_runtime_evict(f->rt, ctr_container_id(c), 0, &id, err));
		assert_string_equal(id, ctr_container_id(c));
		ctr_free(id);
		FAILS(CTR_E_CTR_REMOVED, ctr_container_start(c, 0, err));
		ctr_container_unref(c);
	}
	assert_int_equal(count(f->rt), 0);
	assert_int_equal(fake_oci_count(f->fake), 0);
}

/* Whatever the runtime says. */
static void test_evict_against_the_runtime(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_in_state(f, CTR_STATE_RUNNING),
	                *other = fixture_create(f, "x");

	fake_oci_fail(f->fake, FAKE_REMOVE, CTR_E_OCI_RUNTIME, 100);
	fake_oci_fail(f->fake, FAKE_KILL, CTR_E_OCI_RUNTIME, 100);
	FAILS(CTR_E_OCI_RUNTIME, ctr_container_remove(c, CTR_REMOVE_FORCE, err));
	OK(ctr_runtime_evict(f->rt, ctr_container_id(c), 0, NULL, err));
	FAILS(CTR_E_CTR_REMOVED, ctr_container_start(c, 0, err));
	assert_int_equal(count(f->rt), 1);
	fake_oci_fail(f->fake, FAKE_REMOVE, 0, 0);
	fake_oci_fail(f->fake, FAKE_KILL, 0, 0);
	ctr_container_unref(c);
	ctr_container_unref(other);
}

/* ---- exit codes ---- */

static int32_t code_of(struct fixture *f, const char *id)
{
	int32_t code = -2;

	OK(ctr_container_exit_code_of(f->rt, id, &code, err));
	return code;
}

static void run_to(struct fixture *f, ctr_container_t *c, int code)
{
	OK(ctr_container_start(c, 0, err));
	fake_oci_exit(f->fake, ctr_container_id(c), code);
	OK(ctr_container_wait(c, 0, NULL, err));
}

static void test_exit_codes(void **state)
{
	static const int ends[][2] = {{0, 0}, {255, 255}, {7, 7}, {300, -1}, {-5, -1}};
	struct fixture *f = *state;
	ctr_container_t *c = fixture_create(f, NULL);
	char id[200];
	int32_t code;

	snprintf(id, sizeof(id), "%s", ctr_container_id(c));
	FAILS(CTR_E_NO_SUCH_EXIT_CODE, ctr_container_exit_code_of(f->rt, id, &code, err));
	/* Each run's code takes the place of the one before; what is no code is one that was lost. */
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		run_to(f, c, ends[i][0]);
		assert_int_equal(code_of(f, id), ends[i][1]);
	}
	run_to(f, c, 9);
	/* Kept as long as the container is there, and after its removal. */
	OK(ctr_runtime_prune_exit_codes(f->rt, 0, err));
	assert_int_equal(code_of(f, id), 9);
	OK(ctr_container_remove(c, 0, err));
	assert_int_equal(code_of(f, id), 9);
	OK(ctr_runtime_prune_exit_codes(f->rt, -1, err));
	OK(ctr_runtime_prune_exit_codes(f->rt, 3600000, err));
	assert_int_equal(code_of(f, id), 9);
	OK(ctr_runtime_prune_exit_codes(f->rt, 0, err));
	FAILS(CTR_E_NO_SUCH_EXIT_CODE, ctr_container_exit_code_of(f->rt, id, &code, err));
	FAILS(CTR_E_INVALID, ctr_runtime_prune_exit_codes(f->rt, -2, err));
	FAILS(CTR_E_INVALID, ctr_runtime_prune_exit_codes(f->rt, INT64_MAX, err));
	FAILS(CTR_E_INVALID, ctr_runtime_prune_exit_codes(NULL, 0, err));
	ctr_container_unref(c);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
	    TEST(test_prune_states),
	    TEST(test_prune_filters),
	    TEST(test_prune_dependents),
	    TEST(test_prune_partial_failure),
	    TEST(test_evict),
	    TEST(test_evict_against_the_runtime),
	    TEST(test_exit_codes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
