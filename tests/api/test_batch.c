/* SPDX-License-Identifier: Apache-2.0 */
/* The batch contract, clause by clause. */
#include "fixture.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct env {
	struct fixture *f;
	ctr_container_t *c, *view;
	int calls;
};

static int answer(ctr_container_t *view, void *userdata)
{
	struct env *e = userdata;

	(void)view;
	e->calls++;
	return -4242;
}

static void test_value_is_returned_unmodified(void **state)
{
	struct env e = {.f = *state};
	ctr_error_t *error = NULL;

	e.c = fixture_create(e.f, NULL);
	assert_int_equal(ctr_container_batch(e.c, answer, &e, &error), -4242);
	assert_null(error);
	assert_int_equal(e.calls, 1);
	ctr_container_unref(e.c);
}

static int life(ctr_container_t *view, void *userdata)
{
	struct env *e = userdata;
	int32_t s, pid;

	OK(ctr_container_start(view, 0, err));
	OK(ctr_container_state(view, &s, err));
	assert_int_equal(s, CTR_STATE_RUNNING);
	OK(ctr_container_pid(view, &pid, err));
	OK(ctr_container_pause(view, err));
	OK(ctr_container_unpause(view, err));
	OK(ctr_container_stop_with_timeout(view, 0, err));
	OK(ctr_container_state(view, &s, err));
	assert_int_equal(s, CTR_STATE_STOPPED);
	OK(ctr_container_cleanup(view, 0, err));
	e->calls++;
	return 7;
}

static void test_operations_inside(void **state)
{
	struct env e = {.f = *state};

	e.c = fixture_create(e.f, NULL);
	assert_int_equal(ctr_container_batch(e.c, life, &e, NULL), 7);
	assert_int_equal(e.calls, 1);
	assert_state(e.c, CTR_STATE_EXITED);
	ctr_container_unref(e.c);
}

static int misuse(ctr_container_t *view, void *userdata)
{
	struct env *e = userdata;
	ctr_container_t *again = NULL;
	int32_t s;

	/* The outer handle, and any other of the same container. */
	FAILS(CTR_E_DEADLOCK, ctr_container_state(e->c, &s, err));
	FAILS(CTR_E_DEADLOCK, ctr_container_start(e->c, 0, err));
	FAILS(CTR_E_DEADLOCK, ctr_container_batch(e->c, answer, e, err));
	OK(ctr_container_get(e->f->rt, ctr_container_id(e->c), &again, err));
	FAILS(CTR_E_DEADLOCK, ctr_container_state(again, &s, err));
	ctr_container_unref(again);
	/* On the view. */
	FAILS(CTR_E_BUSY, ctr_container_remove(view, 0, err));
	FAILS(CTR_E_BUSY, ctr_container_wait(view, 0, NULL, err));
	FAILS(CTR_E_BUSY, ctr_container_wait_fd(view, err));
	FAILS(CTR_E_INVALID, ctr_container_batch(view, answer, e, err));
	OK(ctr_container_sync(view, err));
	return 0;
}

static void test_misuse_is_an_error(void **state)
{
	struct env e = {.f = *state};

	e.c = fixture_create(e.f, NULL);
	OK(ctr_container_batch(e.c, misuse, &e, err));
	assert_int_equal(e.calls, 0);
	assert_state(e.c, CTR_STATE_CONFIGURED);
	ctr_container_unref(e.c);
}

static void *use_view(void *arg)
{
	int32_t s;

	return (void *)(intptr_t)ctr_container_state(arg, &s, NULL);
}

static int other_thread(ctr_container_t *view, void *userdata)
{
	pthread_t t;
	void *result;

	(void)userdata;
	assert_int_equal(pthread_create(&t, NULL, use_view, view), 0);
	assert_int_equal(pthread_join(t, &result), 0);
	assert_int_equal((intptr_t)result, CTR_E_INVALID);
	return 0;
}

static void test_view_belongs_to_its_thread(void **state)
{
	struct env e = {.f = *state};

	e.c = fixture_create(e.f, NULL);
	OK(ctr_container_batch(e.c, other_thread, &e, err));
	ctr_container_unref(e.c);
}

static int keep(ctr_container_t *view, void *userdata)
{
	((struct env *)userdata)->view = ctr_container_ref(view);
	return 0;
}

static void test_view_ends_with_the_callback(void **state)
{
	struct env e = {.f = *state};
	int32_t s;

	e.c = fixture_create(e.f, NULL);
	OK(ctr_container_batch(e.c, keep, &e, err));
	FAILS(CTR_E_CTR_REMOVED, ctr_container_state(e.view, &s, err));
	FAILS(CTR_E_CTR_REMOVED, ctr_container_start(e.view, 0, err));
	/* What needs no lock still works. */
	assert_string_equal(ctr_container_id(e.view), ctr_container_id(e.c));
	ctr_container_unref(e.view);
	ctr_container_unref(e.c);
}

static int no_sync(ctr_container_t *view, void *userdata)
{
	struct env *e = userdata;
	int32_t s;

	fake_oci_exit(e->f->fake, ctr_container_id(view), 9);
	/* The state was synced once, before: it does not change by itself inside. */
	OK(ctr_container_state(view, &s, err));
	assert_int_equal(s, CTR_STATE_RUNNING);
	OK(ctr_container_sync(view, err));
	OK(ctr_container_state(view, &s, err));
	assert_int_equal(s, CTR_STATE_STOPPED);
	return 0;
}

static void test_sync_inside(void **state)
{
	struct env e = {.f = *state};

	e.c = fixture_in_state(e.f, CTR_STATE_RUNNING);
	OK(ctr_container_batch(e.c, no_sync, &e, err));
	ctr_container_unref(e.c);
}

static int failing(ctr_container_t *view, void *userdata)
{
	struct env *e = userdata;
	ctr_error_t *err = NULL;
	int r;

	fake_oci_fail(e->f->fake, FAKE_PAUSE, CTR_E_OCI_RUNTIME, 1);
	r = ctr_container_pause(view, &err);
	assert_non_null(err);
	ctr_error_free(err);
	return r;
}

static void test_library_error_from_the_callback(void **state)
{
	struct env e = {.f = *state};
	ctr_error_t *error = NULL;

	e.c = fixture_in_state(e.f, CTR_STATE_RUNNING);
	assert_int_equal(ctr_container_batch(e.c, failing, &e, &error), CTR_E_OCI_RUNTIME);
	assert_null(error);
	assert_state(e.c, CTR_STATE_RUNNING);
	/* The lock is free and a batch can follow. */
	assert_int_equal(ctr_container_batch(e.c, answer, &e, NULL), -4242);
	FAILS(CTR_E_INVALID, ctr_container_batch(e.c, NULL, NULL, err));
	ctr_container_unref(e.c);
}

struct race {
	struct fixture *f;
	const char *id;
	atomic_int inside;
};

static int exclusive(ctr_container_t *view, void *userdata)
{
	struct race *race = userdata;
	int32_t s;

	assert_int_equal(atomic_fetch_add(&race->inside, 1), 0);
	for (int i = 0; i < 20; i++)
		OK(ctr_container_state(view, &s, err));
	assert_int_equal(atomic_fetch_sub(&race->inside, 1), 1);
	return 0;
}

static void *batches(void *arg)
{
	struct race *race = arg;
	ctr_container_t *c = NULL;

	OK(ctr_container_get(race->f->rt, race->id, &c, err));
	for (int i = 0; i < 200; i++)
		OK(ctr_container_batch(c, exclusive, race, err));
	ctr_container_unref(c);
	return NULL;
}

static void test_batches_exclude_each_other(void **state)
{
	struct race race = {.f = *state};
	ctr_container_t *c = fixture_create(race.f, NULL);
	pthread_t t[4];

	race.id = ctr_container_id(c);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&t[i], NULL, batches, &race), 0);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_join(t[i], NULL), 0);
	ctr_container_unref(c);
}

/* ---- other containers ---- */

static ctr_container_t *create_dependent(struct fixture *f, ctr_container_t *on)
{
	ctr_config_t *plain = fixture_config(f, "child"), *cfg = NULL;
	ctr_config_builder_t *b = ctr_config_builder_new_from(plain);
	ctr_container_t *c = NULL;

	OK(ctr_config_builder_add_str(b, CTR_CONFIG_DEPENDENCIES, ctr_container_id(on), err));
	OK(ctr_config_builder_build(b, &cfg, err));
	OK(ctr_container_create(f->rt, cfg, 0, &c, err));
	ctr_config_unref(cfg);
	ctr_config_builder_free(b);
	ctr_config_unref(plain);
	return c;
}

static void *start_it(void *c)
{
	OK(ctr_container_start(c, 0, err));
	return NULL;
}

struct crossing {
	ctr_container_t *child;
	pthread_t starter;
	int refused;
};

/* The starter locks the child, then wants the lock of its dependency, which this batch has. */
static int use_the_child(ctr_container_t *view, void *userdata)
{
	struct crossing *x = userdata;
	int32_t s;

	(void)view;
	assert_int_equal(pthread_create(&x->starter, NULL, start_it, x->child), 0);
	for (int i = 0; i < 1000 && x->refused >= 0; i++) {
		x->refused = ctr_container_state(x->child, &s, NULL);
		usleep(1000);
	}
	return 0;
}

static void test_crossing_locks_come_to_an_end(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *parent = fixture_create(f, "parent");
	struct crossing x = {.child = create_dependent(f, parent)};

	OK(ctr_container_start(parent, 0, err));
	OK(ctr_container_batch(parent, use_the_child, &x, err));
	assert_int_equal(x.refused, CTR_E_BUSY);
	assert_int_equal(pthread_join(x.starter, NULL), 0);
	ctr_container_unref(x.child);
	ctr_container_unref(parent);
}

/* ---- a run that ends beside a stop ---- */

struct beside {
	struct fixture *f;
	ctr_container_t *c;
};

static void *stop_patiently(void *c)
{
	OK(ctr_container_stop_with_timeout(c, 60000, err));
	return NULL;
}

static int end_and_start_again(ctr_container_t *view, void *userdata)
{
	struct beside *b = userdata;

	fake_oci_exit(b->f->fake, ctr_container_id(view), 3);
	OK(ctr_container_sync(view, err));
	OK(ctr_container_start(view, 0, err));
	return 0;
}

/* Who stops a run does not stop the next one, also where there are no PIDs to tell them apart. */
static void test_a_stop_is_of_one_run(void **state)
{
	struct beside b = {.f = *state};
	int32_t s = 0;
	pthread_t t;

	b.c = fixture_create(b.f, NULL);
	fake_oci_process(b.f->fake, 0, 0);
	fake_oci_ignore_signals(b.f->fake, 1);
	OK(ctr_container_start(b.c, 0, err));
	assert_int_equal(pthread_create(&t, NULL, stop_patiently, b.c), 0);
	for (int i = 0; i < 10000 && s != CTR_STATE_STOPPING; i++) {
		OK(ctr_container_state(b.c, &s, err));
		usleep(1000);
	}
	OK(ctr_container_batch(b.c, end_and_start_again, &b, err));
	assert_int_equal(pthread_join(t, NULL), 0);
	OK(ctr_container_state(b.c, &s, err));
	assert_int_equal(s, CTR_STATE_RUNNING);
	ctr_container_unref(b.c);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_value_is_returned_unmodified),
	    TEST(test_operations_inside),
	    TEST(test_misuse_is_an_error),
	    TEST(test_view_belongs_to_its_thread),
	    TEST(test_view_ends_with_the_callback),
	    TEST(test_sync_inside),
	    TEST(test_library_error_from_the_callback),
	    TEST(test_batches_exclude_each_other),
	    TEST(test_crossing_locks_come_to_an_end),
	    TEST(test_a_stop_is_of_one_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
