/* SPDX-License-Identifier: Apache-2.0 */
/* Taking locks: waiting, giving up, dead owners, self-deadlock. */
#include "fixture.h"

#include <linux/futex.h>
#include <time.h>

struct table {
	struct run_root *root;
	struct ctr__locks *locks;
	struct ctr__slot *slot;
};

static void open_table(struct table *t, void **state)
{
	t->root = *state;
	t->locks = open_locks(t->root);
	assert_int_equal(ctr__locks_slot(t->locks, 0, &t->slot, NULL), 0);
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* A process that holds the slot's lock until it is killed. */
static pid_t holder(const struct table *t)
{
	int ready[2];
	pid_t pid;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		bool died;

		CHILD_CHECK(ctr__slot_lock(t->slot, -1, NULL, &died, NULL) == 0);
		signal_peer(ready[1]);
		for (;;)
			pause();
	}
	await_peer(ready[0]);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

static void expect_lock(struct ctr__slot *s, int64_t timeout_ms, bool owner_died)
{
	ctr_error_t *err CTR__ERROR = NULL;
	bool died = !owner_died;

	if (ctr__slot_lock(s, timeout_ms, NULL, &died, &err) != 0)
		fail_msg("lock: %s", ctr_error_message(err));
	assert_int_equal(died, owner_died);
}

static void lock_and_unlock(void **state)
{
	struct table t;

	open_table(&t, state);
	for (int i = 0; i < 3; i++) {
		expect_lock(t.slot, i - 1, false);
		ctr__slot_unlock(t.slot);
	}
	ctr__locks_close(t.locks);
}

static void own_lock_is_a_deadlock(void **state)
{
	const int64_t timeouts[] = {-1, 0, 10000};
	struct table t;
	bool died;

	open_table(&t, state);
	expect_lock(t.slot, -1, false);
	for (size_t i = 0; i < CTR__ARRAY_SIZE(timeouts); i++) {
		ctr_error_t *err CTR__ERROR = NULL;

		assert_int_equal(
		    ctr__slot_lock(t.slot, timeouts[i], NULL, &died, &err), CTR_E_DEADLOCK);
		assert_int_equal(ctr_error_code(err), CTR_E_DEADLOCK);
	}
	ctr__slot_unlock(t.slot);
	expect_lock(t.slot, -1, false);
	ctr__slot_unlock(t.slot);
	ctr__locks_close(t.locks);
}

/* The owner's thread ID stands in the futex word, as the deadlock check assumes. */
static void futex_word_names_the_owner(void **state)
{
	struct table t;
	uint32_t word;

	open_table(&t, state);
	expect_lock(t.slot, -1, false);
	memcpy(&word, &t.slot->mutex.__data.__lock, sizeof(word));
	assert_int_equal(word & FUTEX_TID_MASK, gettid());
	ctr__slot_unlock(t.slot);
	memcpy(&word, &t.slot->mutex.__data.__lock, sizeof(word));
	assert_int_equal(word & FUTEX_TID_MASK, 0);
	ctr__locks_close(t.locks);
}

static void gives_up_and_names_the_holder(void **state)
{
	const int64_t timeouts[] = {0, 1, 250};
	struct table t;
	char name[32];
	pid_t pid;
	bool died;

	open_table(&t, state);
	pid = holder(&t);
	snprintf(name, sizeof(name), "thread %d of process %d ", (int)pid, (int)pid);
	for (size_t i = 0; i < CTR__ARRAY_SIZE(timeouts); i++) {
		ctr_error_t *err CTR__ERROR = NULL;
		int64_t start = now_ms();

		assert_int_equal(
		    ctr__slot_lock(t.slot, timeouts[i], NULL, &died, &err), CTR_E_LOCKED);
		assert_true(now_ms() - start >= timeouts[i]);
		if (!strstr(ctr_error_message(err), name))
			fail_msg("\"%s\" does not say \"%s\"", ctr_error_message(err), name);
	}
	kill_and_reap(pid);
	expect_lock(t.slot, 0, true);
	ctr__slot_unlock(t.slot);
	ctr__locks_close(t.locks);
}

static void says_that_the_holder_is_stopped(void **state)
{
	ctr_error_t *err CTR__ERROR = NULL;
	struct table t;
	bool died;
	pid_t pid;

	open_table(&t, state);
	pid = holder(&t);
	assert_int_equal(kill(pid, SIGSTOP), 0);
	assert_int_equal(waitpid(pid, NULL, WUNTRACED), pid);
	assert_int_equal(ctr__slot_lock(t.slot, 1, NULL, &died, &err), CTR_E_LOCKED);
	assert_non_null(strstr(ctr_error_message(err), "stopped"));
	kill_and_reap(pid);
	ctr__locks_close(t.locks);
}

static void cancel_ends_the_wait(void **state)
{
	struct table t;
	atomic_int cancel = 1;
	bool died;
	pid_t pid;

	open_table(&t, state);
	/* Not looked at if the lock is free. */
	assert_int_equal(ctr__slot_lock(t.slot, -1, &cancel, &died, NULL), 0);
	ctr__slot_unlock(t.slot);
	pid = holder(&t);
	assert_int_equal(ctr__slot_lock(t.slot, -1, &cancel, &died, NULL), CTR_E_RUNTIME_STOPPED);
	kill_and_reap(pid);
	ctr__locks_close(t.locks);
}

struct waiter {
	struct ctr__slot *slot;
	atomic_int cancel;
	atomic_int waiting;
	int result;
	bool died;
};

static void *wait_thread(void *arg)
{
	struct waiter *w = arg;

	atomic_store(&w->waiting, 1);
	w->result = ctr__slot_lock(w->slot, -1, &w->cancel, &w->died, NULL);
	if (w->result == 0)
		ctr__slot_unlock(w->slot);
	return NULL;
}

static pthread_t start_waiter(struct waiter *w)
{
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, wait_thread, w), 0);
	while (!atomic_load(&w->waiting))
		sched_yield();
	return thread;
}

static void cancel_from_another_thread(void **state)
{
	struct waiter w = {0};
	struct table t;
	pthread_t thread;
	pid_t pid;

	open_table(&t, state);
	pid = holder(&t);
	w.slot = t.slot;
	thread = start_waiter(&w);
	atomic_store(&w.cancel, 1);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(w.result, CTR_E_RUNTIME_STOPPED);
	kill_and_reap(pid);
	ctr__locks_close(t.locks);
}

static void unlock_wakes_the_waiter(void **state)
{
	struct waiter w = {0};
	struct table t;
	pthread_t thread;

	open_table(&t, state);
	expect_lock(t.slot, -1, false);
	w.slot = t.slot;
	thread = start_waiter(&w);
	ctr__slot_unlock(t.slot);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(w.result, 0);
	assert_false(w.died);
	ctr__locks_close(t.locks);
}

static void waiter_learns_of_the_death(void **state)
{
	struct waiter w = {0};
	struct table t;
	pthread_t thread;
	pid_t pid;

	open_table(&t, state);
	pid = holder(&t);
	w.slot = t.slot;
	thread = start_waiter(&w);
	kill_and_reap(pid);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(w.result, 0);
	assert_true(w.died);
	expect_lock(t.slot, 0, false); /* once is enough */
	ctr__slot_unlock(t.slot);
	ctr__locks_close(t.locks);
}

/* The one who was told dies before it has repaired: the next one is told. */
static void death_during_repair_is_told_again(void **state)
{
	struct table t;
	pid_t pid;

	open_table(&t, state);
	kill_and_reap(holder(&t));
	pid = holder(&t);
	kill_and_reap(pid);
	expect_lock(t.slot, 0, true);
	ctr__slot_unlock(t.slot);
	ctr__locks_close(t.locks);
}

static void *die_holding(void *arg)
{
	bool died;

	return ctr__slot_lock(arg, -1, NULL, &died, NULL) == 0 ? NULL : arg;
}

static void thread_that_ends_with_the_lock(void **state)
{
	struct table t;
	pthread_t thread;
	void *result;

	open_table(&t, state);
	assert_int_equal(pthread_create(&thread, NULL, die_holding, t.slot), 0);
	assert_int_equal(pthread_join(thread, &result), 0);
	assert_null(result);
	expect_lock(t.slot, 1000, true);
	ctr__slot_unlock(t.slot);
	ctr__locks_close(t.locks);
}

static void unrecoverable_is_an_error(void **state)
{
	ctr_error_t *err CTR__ERROR = NULL;
	struct table t;
	bool died;

	open_table(&t, state);
	kill_and_reap(holder(&t));
	assert_int_equal(pthread_mutex_trylock(&t.slot->mutex), EOWNERDEAD);
	pthread_mutex_unlock(&t.slot->mutex); /* without pthread_mutex_consistent() */
	assert_int_equal(ctr__slot_lock(t.slot, -1, NULL, &died, &err), CTR_E_INTERNAL);
	assert_false(died);
	ctr__locks_close(t.locks);
}

static void store_mutexes_are_two(void **state)
{
	ctr_error_t *err CTR__ERROR = NULL;
	struct table t;
	bool died = true;
	pid_t pid;

	open_table(&t, state);
	assert_int_equal(ctr__locks_store_lock(t.locks, CTR__MUTEX_ROOT, &died, NULL), 0);
	assert_false(died);
	assert_int_equal(ctr__locks_store_lock(t.locks, CTR__MUTEX_RUN, NULL, NULL), 0);
	assert_int_equal(
	    ctr__locks_store_lock(t.locks, CTR__MUTEX_ROOT, &died, &err), CTR_E_DEADLOCK);
	ctr__locks_store_unlock(t.locks, CTR__MUTEX_RUN);
	ctr__locks_store_unlock(t.locks, CTR__MUTEX_ROOT);

	pid = fork();
	if (pid == 0) {
		CHILD_CHECK(ctr__locks_store_lock(t.locks, CTR__MUTEX_ROOT, NULL, NULL) == 0);
		CHILD_CHECK(ctr__locks_store_lock(t.locks, CTR__MUTEX_RUN, NULL, NULL) == 0);
		_exit(0);
	}
	assert_exits_0(pid);
	assert_int_equal(ctr__locks_store_lock(t.locks, CTR__MUTEX_ROOT, &died, NULL), 0);
	assert_true(died);
	assert_int_equal(ctr__locks_store_lock(t.locks, CTR__MUTEX_RUN, NULL, NULL), 0);
	ctr__locks_store_unlock(t.locks, CTR__MUTEX_RUN);
	ctr__locks_store_unlock(t.locks, CTR__MUTEX_ROOT);
	ctr__locks_close(t.locks);
}

struct counter {
	struct ctr__slot *slot;
	int *value;
};

enum { ROUNDS = 20000 };

static void *count_thread(void *arg)
{
	struct counter *c = arg;
	bool died;

	for (int i = 0; i < ROUNDS; i++) {
		if (ctr__slot_lock(c->slot, -1, NULL, &died, NULL) != 0)
			return arg;
		*c->value += 1;
		ctr__slot_unlock(c->slot);
	}
	return NULL;
}

static void excludes_threads(void **state)
{
	struct table t;
	struct counter c;
	pthread_t threads[4];
	int value = 0;
	void *result;

	open_table(&t, state);
	c = (struct counter){t.slot, &value};
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, count_thread, &c), 0);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(threads[i], &result), 0);
		assert_null(result);
	}
	assert_int_equal(value, 4 * ROUNDS);
	ctr__locks_close(t.locks);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(lock_and_unlock),
	    TEST(own_lock_is_a_deadlock),
	    TEST(futex_word_names_the_owner),
	    TEST(gives_up_and_names_the_holder),
	    TEST(says_that_the_holder_is_stopped),
	    TEST(cancel_ends_the_wait),
	    TEST(cancel_from_another_thread),
	    TEST(unlock_wakes_the_waiter),
	    TEST(waiter_learns_of_the_death),
	    TEST(death_during_repair_is_told_again),
	    TEST(thread_that_ends_with_the_lock),
	    TEST(unrecoverable_is_an_error),
	    TEST(store_mutexes_are_two),
	    TEST(excludes_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
