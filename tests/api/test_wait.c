/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting: for ended, living, removed and restarted containers, by call and by descriptor. */
#include "fixture.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct waiter {
	ctr_container_t *c;
	int32_t code;
	int result;
	pthread_t thread;
};

static void *wait_thread(void *arg)
{
	struct waiter *w = arg;

	w->result = ctr_container_wait(w->c, -1, &w->code, NULL);
	return NULL;
}

static void begin_wait(struct waiter *w, ctr_container_t *c)
{
	w->c = c;
	w->code = -5;
	w->result = 1;
	assert_int_equal(pthread_create(&w->thread, NULL, wait_thread, w), 0);
}

static void end_wait(struct waiter *w, int result, int32_t code)
{
	assert_int_equal(pthread_join(w->thread, NULL), 0);
	assert_int_equal(w->result, result);
	if (result >= 0)
		assert_int_equal(w->code, code);
}

/* Until the fake runtime has been asked for a descriptor: the waiter is about to sleep or sleeps. */
static void until_waiting(const struct fixture *f, int before)
{
	while (fake_oci_calls(f->fake, FAKE_WAIT_FD) == before)
		sched_yield();
}

static void test_never_started(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_create(f, NULL);
	int32_t code = 5;

	OK(ctr_container_wait(c, -1, &code, err));
	assert_int_equal(code, 0);
	OK(ctr_container_wait(c, 0, NULL, err));
	ctr_container_unref(c);
}

static void test_timeout(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_in_state(f, CTR_STATE_RUNNING);
	int32_t code = 5;

	FAILS(CTR_E_TIMEOUT, ctr_container_wait(c, 0, &code, err));
	FAILS(CTR_E_TIMEOUT, ctr_container_wait(c, 5, &code, err));
	assert_int_equal(code, 5);
	ctr_container_unref(c);
}

static void test_ends_while_waiting(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_in_state(f, CTR_STATE_RUNNING);
	int before = fake_oci_calls(f->fake, FAKE_WAIT_FD);
	struct waiter w[3];

	for (size_t i = 0; i < 3; i++)
		begin_wait(&w[i], c);
	until_waiting(f, before + 2);
	fake_oci_exit(f->fake, ctr_container_id(c), 42);
	for (size_t i = 0; i < 3; i++)
		end_wait(&w[i], 0, 42);
	ctr_container_unref(c);
}

/* A created container is waited for until it has been started and has ended. */
static void test_created_is_waited_for(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_in_state(f, CTR_STATE_CREATED);
	int before = fake_oci_calls(f->fake, FAKE_WAIT_FD);
	struct waiter w;

	begin_wait(&w, c);
	until_waiting(f, before);
	OK(ctr_container_start(c, 0, err));
	fake_oci_exit(f->fake, ctr_container_id(c), 1);
	end_wait(&w, 0, 1);
	ctr_container_unref(c);
}

static void test_removed_while_waiting(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_in_state(f, CTR_STATE_RUNNING), *other = NULL;
	int before = fake_oci_calls(f->fake, FAKE_WAIT_FD);
	struct waiter w;

	OK(ctr_container_get(f->rt, ctr_container_id(c), &other, err));
	begin_wait(&w, other);
	until_waiting(f, before);
	OK(ctr_container_remove(c, CTR_REMOVE_FORCE, err));
	end_wait(&w, 0, 137);
	/* Also later, and for one that never ran there is none. */
	OK(ctr_container_wait(other, 0, &w.code, err));
	assert_int_equal(w.code, 137);
	ctr_container_unref(c);
	ctr_container_unref(other);
	c = fixture_create(f, NULL);
	OK(ctr_container_remove(c, 0, err));
	FAILS(CTR_E_CTR_REMOVED, ctr_container_wait(c, 0, &w.code, err));
	ctr_container_unref(c);
}

static void test_shutdown_wakes_waiters(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_in_state(f, CTR_STATE_RUNNING);
	int before = fake_oci_calls(f->fake, FAKE_WAIT_FD);
	struct waiter w;
	int32_t s;

	begin_wait(&w, c);
	until_waiting(f, before);
	OK(ctr_runtime_shutdown(f->rt, err));
	end_wait(&w, CTR_E_RUNTIME_STOPPED, 0);
	FAILS(CTR_E_RUNTIME_STOPPED, ctr_container_state(c, &s, err));
	OK(ctr_runtime_shutdown(f->rt, err));
	ctr_container_unref(c);
	ctr_runtime_unref(f->rt);
	f->rt = fixture_open(f, &f->fake);
}

static int readable(int fd)
{
	struct pollfd p = {fd, POLLIN, 0};

	return poll(&p, 1, 0) == 1;
}

static void test_wait_fd(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_in_state(f, CTR_STATE_RUNNING);
	struct pollfd p = {-1, POLLIN, 0};
	int32_t code;
	int fd;

	p.fd = ctr_container_wait_fd(c, NULL);
	assert_true(p.fd >= 0);
	assert_false(readable(p.fd));
	FAILS(CTR_E_TIMEOUT, ctr_container_wait(c, 0, &code, err));
	fake_oci_exit(f->fake, ctr_container_id(c), 6);
	assert_int_equal(poll(&p, 1, 10000), 1);
	OK(ctr_container_wait(c, 0, &code, err));
	assert_int_equal(code, 6);
	close(p.fd);
	/* Ended: readable at once. */
	fd = ctr_container_wait_fd(c, NULL);
	assert_true(fd >= 0 && readable(fd));
	close(fd);
	OK(ctr_container_remove(c, 0, err));
	fd = ctr_container_wait_fd(c, NULL);
	assert_true(fd >= 0 && readable(fd));
	close(fd);
	ctr_container_unref(c);
}

/* An OCI runtime without wait_fd is asked from time to time; wait_fd says that it cannot. */
static void test_runtime_without_wait_fd(void **state)
{
	struct fixture *f = *state;
	struct ctr_oci_ops ops = fake_oci_ops;
	struct fake_oci *fake = fake_oci_new();
	ctr_config_t *cfg = fixture_config(f, NULL), *own = NULL;
	ctr_config_builder_t *b = ctr_config_builder_new_from(cfg);
	ctr_container_t *c = NULL;
	struct waiter w;

	ops.name = "plain";
	ops.wait_fd = NULL;
	ops.exit_status = NULL;
	OK(ctr_runtime_add_oci(f->rt, &ops, fake, fake_oci_destroy, err));
	OK(ctr_config_builder_set_str(b, CTR_CONFIG_RUNTIME, "plain", err));
	OK(ctr_config_builder_build(b, &own, err));
	OK(ctr_container_create(f->rt, own, 0, &c, err));
	OK(ctr_container_start(c, 0, err));
	FAILS(CTR_E_UNSUPPORTED, ctr_container_wait_fd(c, err));
	begin_wait(&w, c);
	fake_oci_exit(fake, ctr_container_id(c), 8);
	end_wait(&w, 0, 8);
	ctr_config_builder_free(b);
	ctr_config_unref(cfg);
	ctr_config_unref(own);
	ctr_container_unref(c);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_never_started),
	    TEST(test_timeout),
	    TEST(test_ends_while_waiting),
	    TEST(test_created_is_waited_for),
	    TEST(test_removed_while_waiting),
	    TEST(test_shutdown_wakes_waiters),
	    TEST(test_wait_fd),
	    TEST(test_runtime_without_wait_fd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
