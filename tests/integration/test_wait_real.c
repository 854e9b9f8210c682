/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for real containers, by many and in every way: test_wait_real RUNTIME. */
#include "real.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { THREADS = 8 };

struct waiter {
	pthread_t thread;
	ctr_container_t *c;
	int result;
	int32_t code;
};

static void *wait_in_a_thread(void *arg)
{
	struct waiter *w = arg;

	w->code = -2;
	w->result = ctr_container_wait(w->c, PATIENCE_MS, &w->code, NULL);
	return NULL;
}

static void start_waiters(struct waiter *w, size_t n, ctr_container_t *c)
{
	for (size_t i = 0; i < n; i++) {
		w[i].c = c;
		assert_int_equal(pthread_create(&w[i].thread, NULL, wait_in_a_thread, &w[i]), 0);
	}
}

static void join_waiters(struct waiter *w, size_t n, int32_t code)
{
	for (size_t i = 0; i < n; i++)
		pthread_join(w[i].thread, NULL);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(w[i].result, 0);
		assert_int_equal(w[i].code, code);
	}
}

static void test_fresh(void **state)
{
	ctr_container_t *c = real_create(*state, "exit 1");
	int32_t code = -2;

	OK(ctr_container_wait(c, -1, &code, err));
	assert_int_equal(code, 0);
	real_remove(c, 0);
}

static void test_timeouts(void **state)
{
	ctr_container_t *c = real_start_ready(*state, ENDS_ON_TERM);
	int64_t before = real_now_ms();

	FAILS(CTR_E_TIMEOUT, ctr_container_wait(c, 0, NULL, err));
	FAILS(CTR_E_TIMEOUT, ctr_container_wait(c, 150, NULL, err));
	assert_true(real_now_ms() - before >= 150);
	OK(ctr_container_kill(c, SIGTERM, err));
	OK(ctr_container_wait(c, -1, NULL, err));
	real_remove(c, 0);
}

static void test_many_threads_one_container(void **state)
{
	ctr_container_t *c = real_start_ready(*state, ENDS_ON_TERM);
	struct waiter w[THREADS];

	start_waiters(w, THREADS, c);
	/* The waiting ones hold no lock. */
	assert_state(c, CTR_STATE_RUNNING);
	OK(ctr_container_pause(c, err));
	OK(ctr_container_unpause(c, err));
	OK(ctr_container_kill(c, SIGTERM, err));
	join_waiters(w, THREADS, 5);
	real_remove(c, 0);
}

static void test_a_thread_for_each_container(void **state)
{
	struct real *r = *state;
	struct waiter w[THREADS];

	for (int i = 0; i < THREADS; i++) {
		char script[64];

		snprintf(script, sizeof(script), "exit %d", 10 + i);
		start_waiters(&w[i], 1, real_start(r, script));
	}
	for (int i = 0; i < THREADS; i++) {
		join_waiters(&w[i], 1, 10 + i);
		real_remove(w[i].c, 0);
	}
}

/* Created but not started yet: the wait goes on through the start. */
static void test_created(void **state)
{
	ctr_container_t *c = real_create(*state, "exit 9");
	struct waiter w;

	OK(ctr_container_init(c, 0, err));
	FAILS(CTR_E_TIMEOUT, ctr_container_wait(c, 0, NULL, err));
	start_waiters(&w, 1, c);
	OK(ctr_container_start(c, 0, err));
	join_waiters(&w, 1, 9);
	real_remove(c, 0);
}

static void test_removed_meanwhile(void **state)
{
	ctr_container_t *c = real_start_ready(*state, IGNORES_TERM);
	struct waiter w[THREADS];

	start_waiters(w, THREADS, c);
	OK(ctr_container_remove(c, CTR_REMOVE_FORCE, err));
	join_waiters(w, THREADS, 137);
	/* And once it has been gone for long. */
	assert_int_equal(real_wait(c), 137);
	ctr_container_unref(c);
}

/* A stop under way is no obstacle, and ends for all. */
static void test_wait_beside_stop(void **state)
{
	ctr_container_t *c = real_start_ready(*state, IGNORES_TERM);
	struct waiter w[THREADS];

	start_waiters(w, THREADS, c);
	OK(ctr_container_stop_with_timeout(c, 100, err));
	join_waiters(w, THREADS, 137);
	real_remove(c, 0);
}

static void test_shutdown_ends_waits(void **state)
{
	struct real *r = *state;
	ctr_runtime_t *other = real_open(r);
	ctr_container_t *c = real_start_ready(r, IGNORES_TERM), *seen = NULL;
	struct waiter w;

	assert_non_null(other);
	OK(ctr_container_get(other, ctr_container_id(c), &seen, err));
	start_waiters(&w, 1, seen);
	OK(ctr_runtime_shutdown(other, err));
	pthread_join(w.thread, NULL);
	assert_int_equal(w.result, CTR_E_RUNTIME_STOPPED);
	ctr_container_unref(seen);
	ctr_runtime_unref(other);
	assert_state(c, CTR_STATE_RUNNING);
	real_remove(c, CTR_REMOVE_FORCE);
}

/* ---- descriptors ---- */

static bool readable(int fd, int timeout_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, timeout_ms) == 1;
}

static int open_wait_fd(ctr_container_t *c)
{
	int fd = -1;

	OK(fd = ctr_container_wait_fd(c, err));
	return fd;
}

static void test_descriptor(void **state)
{
	ctr_container_t *c = real_create(*state, ENDS_ON_TERM);
	int fd = open_wait_fd(c);

	assert_true(readable(fd, 0)); /* not alive */
	close(fd);
	OK(ctr_container_init(c, 0, err));
	fd = open_wait_fd(c);
	assert_false(readable(fd, 0));
	OK(ctr_container_start(c, 0, err));
	real_await_log(c, "ready");
	assert_false(readable(fd, 0));
	OK(ctr_container_kill(c, SIGTERM, err));
	assert_true(readable(fd, PATIENCE_MS));
	close(fd);
	assert_int_equal(real_wait(c), 5);
	fd = open_wait_fd(c);
	assert_true(readable(fd, 0));
	close(fd);
	OK(ctr_container_remove(c, 0, err));
	fd = open_wait_fd(c);
	assert_true(readable(fd, 0));
	close(fd);
	ctr_container_unref(c);
}

/* A host's loop: descriptors of several containers and of the events in one poll. */
struct loop {
	struct real *r;
	ctr_container_t *c[3];
	int32_t code[3];
	struct pollfd p[4]; /* the last is that of the events */
	int ended, died;
};

static void take_end(struct loop *l, int i)
{
	int result;

	close(l->p[i].fd);
	l->p[i].fd = -1;
	result = ctr_container_wait(l->c[i], 0, &l->code[i], NULL);
	if (result == CTR_E_TIMEOUT) {
		l->p[i].fd = open_wait_fd(l->c[i]);
		return;
	}
	assert_int_equal(result, 0);
	l->ended++;
}

static void take_events(struct loop *l)
{
	ctr_event_t *ev = NULL;
	int more = 0;

	for (;;) {
		OK(more = ctr_runtime_next_event(l->r->rt, &ev, err));
		if (!more)
			return;
		l->died += ctr_event_type(ev) == CTR_EVENT_DIED;
		ctr_event_unref(ev);
	}
}

static void test_one_loop_for_all(void **state)
{
	struct loop l = {.r = *state};
	int64_t deadline = real_now_ms() + PATIENCE_MS;

	l.p[3] = (struct pollfd){.events = POLLIN};
	OK(l.p[3].fd = ctr_runtime_events_fd(l.r->rt, err));
	for (int i = 0; i < 3; i++) {
		char script[64];

		snprintf(script, sizeof(script), "sleep 0.%d; exit %d", i + 1, 20 + i);
		l.c[i] = real_start(l.r, script);
		l.p[i] = (struct pollfd){.fd = open_wait_fd(l.c[i]), .events = POLLIN};
	}
	while (l.ended < 3 || l.died < 3) {
		assert_true(real_now_ms() < deadline);
		assert_true(poll(l.p, 4, PATIENCE_MS) > 0);
		for (int i = 0; i < 3; i++)
			if (l.p[i].fd >= 0 && l.p[i].revents)
				take_end(&l, i);
		if (l.p[3].revents)
			take_events(&l);
	}
	assert_int_equal(l.died, 3);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(l.code[i], 20 + i);
		real_remove(l.c[i], 0);
	}
}

/* ---- other processes ---- */

static void wait_for_five(struct real *r, void *arg)
{
	ctr_container_t *c = NULL;

	OK(ctr_container_get(r->rt, arg, &c, err));
	assert_int_equal(real_wait(c), 5);
	ctr_container_unref(c);
}

static void test_waits_of_two_processes(void **state)
{
	struct real *r = *state;
	ctr_container_t *c = real_start_ready(r, ENDS_ON_TERM);
	char id[80];
	pid_t a, b;

	snprintf(id, sizeof(id), "%s", ctr_container_id(c));
	a = real_fork(r, wait_for_five, id);
	b = real_fork(r, wait_for_five, id);
	OK(ctr_container_kill(c, SIGTERM, err));
	assert_int_equal(real_wait(c), 5);
	real_join(a);
	real_join(b);
	real_remove(c, 0);
}

/* Somebody restarts it over and over: every wait ends, with the code of some end. */
static void *restart(void *arg)
{
	struct waiter *w = arg;

	for (int i = 0; i < 10; i++) {
		w->result = ctr_container_start(w->c, 0, NULL);
		if (w->result >= 0)
			w->result = ctr_container_wait(w->c, PATIENCE_MS, &w->code, NULL);
		if (w->result < 0)
			break;
	}
	return NULL;
}

static void test_wait_beside_restarts(void **state)
{
	ctr_container_t *c = real_start(*state, "exit 8");
	struct waiter w = {.c = c}, others[THREADS];

	assert_int_equal(real_wait(c), 8);
	assert_int_equal(pthread_create(&w.thread, NULL, restart, &w), 0);
	for (int i = 0; i < 5; i++) {
		start_waiters(others, THREADS, c);
		join_waiters(others, THREADS, 8);
	}
	pthread_join(w.thread, NULL);
	assert_int_equal(w.result, 0);
	real_remove(c, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, real_setup, real_teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_fresh),
	    TEST(test_timeouts),
	    TEST(test_many_threads_one_container),
	    TEST(test_a_thread_for_each_container),
	    TEST(test_created),
	    TEST(test_removed_meanwhile),
	    TEST(test_wait_beside_stop),
	    TEST(test_shutdown_ends_waits),
	    TEST(test_descriptor),
	    TEST(test_one_loop_for_all),
	    TEST(test_waits_of_two_processes),
	    TEST(test_wait_beside_restarts),
	};

	real_init(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
