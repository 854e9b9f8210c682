/* SPDX-License-Identifier: Apache-2.0 */
/* Slots: addresses, growth by several processes and threads at once, growth that is killed half way. */
#include "fixture.h"

#include <time.h>
#include <sys/resource.h>

static struct ctr__slot *slot(struct ctr__locks *l, uint32_t index)
{
	ctr_error_t *err CTR__ERROR = NULL;
	struct ctr__slot *s = NULL;

	if (ctr__locks_slot(l, index, &s, &err) != 0)
		fail_msg("slot %u: %s", index, ctr_error_message(err));
	return s;
}

static void addresses_are_stable(void **state)
{
	struct ctr__locks *l = open_locks(*state);
	struct ctr__slot *first = slot(l, 0), *second = slot(l, 1);

	assert_int_equal((uintptr_t)first % 64, 0);
	assert_ptr_equal(second, first + 1);
	slot(l, 3 * CTR__SLOTS_PER_CHUNK);
	slot(l, CTR__SLOTS_PER_CHUNK);
	assert_ptr_equal(slot(l, 0), first);
	assert_int_equal(atomic_load(&first->gen), 0);
	assert_int_equal(atomic_load(&first->cfg_gen), 0);
	ctr__locks_close(l);
}

static void has_limits(void **state)
{
	struct ctr__locks *l = open_locks(*state);
	ctr_error_t *err CTR__ERROR = NULL;
	struct ctr__slot *s;
	struct stat st;
	bool died;

	assert_int_equal(ctr__locks_slot(l, CTR__SLOTS_MAX, &s, &err), CTR_E_STORE_FULL);
	assert_non_null(strstr(ctr_error_message(err), "1048576"));
	assert_int_equal(ctr__locks_slot(l, UINT32_MAX, &s, NULL), CTR_E_STORE_FULL);

	/* The last one costs one chunk, not all of them. */
	s = slot(l, CTR__SLOTS_MAX - 1);
	assert_int_equal(ctr__slot_lock(s, 0, NULL, &died, NULL), 0);
	ctr__slot_unlock(s);
	assert_int_equal(fstat(l->fd, &st), 0);
	assert_true((size_t)st.st_blocks * 512 < 2 * CTR__CHUNK_SIZE);
	ctr__locks_close(l);
}

static void respects_the_file_size_limit(void **state)
{
	struct run_root *r = *state;
	struct ctr__locks *l = open_locks(r);
	pid_t pid = fork();

	if (pid == 0) {
		struct rlimit limit = {100000, 100000};
		struct ctr__locks *mine;
		struct ctr__slot *s;
		bool stale;

		CHILD_CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
		CHILD_CHECK(ctr__locks_open(r->fd, false, &mine, &stale, NULL) == 0);
		CHILD_CHECK(ctr__locks_slot(mine, 0, &s, NULL) == CTR_E_STORE_FULL);
		_exit(0);
	}
	assert_exits_0(pid); /* and not by SIGXFSZ */
	ctr__locks_close(l);
}

static void notices_a_stolen_descriptor(void **state)
{
	struct ctr__locks *l = open_locks(*state);
	ctr_error_t *err CTR__ERROR = NULL;
	struct ctr__slot *s;
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	assert_true(dup3(fd, l->fd, O_CLOEXEC) >= 0);
	close(fd);
	assert_int_equal(ctr__locks_slot(l, 0, &s, &err), CTR_E_INTERNAL);
	assert_non_null(strstr(ctr_error_message(err), "closed by somebody else"));
	ctr__locks_close(l);
}

static void notices_truncation(void **state)
{
	struct run_root *r = *state;
	struct ctr__locks *a = open_locks(r), *b = open_locks(r);
	struct ctr__slot *s;

	slot(a, 0);
	assert_int_equal(ftruncate(a->fd, CTR__LOCKS_HEADER_SIZE + 1000), 0);
	assert_int_equal(ctr__locks_slot(b, 0, &s, NULL), CTR_E_STORE_CORRUPT);
	ctr__locks_close(a);
	ctr__locks_close(b);
}

/* Takes each slot and adds 1 to its generation. */
static int visit(struct ctr__locks *l, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		struct ctr__slot *s;
		bool died = true;

		if (ctr__locks_slot(l, i, &s, NULL) != 0 ||
		    ctr__slot_lock(s, -1, NULL, &died, NULL) != 0 || died)
			return -1;
		atomic_store_explicit(&s->gen,
		    atomic_load_explicit(&s->gen, memory_order_relaxed) + 1, memory_order_relaxed);
		ctr__slot_unlock(s);
	}
	return 0;
}

static void two_processes_grow_to_100000(void **state)
{
	enum { N = 100000 };
	struct run_root *r = *state;
	struct ctr__locks *l;
	pid_t pids[2];
	int start[2];

	assert_int_equal(pipe2(start, O_CLOEXEC), 0);
	l = open_locks(r);
	for (int i = 0; i < 2; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			struct ctr__locks *mine;
			bool stale;

			CHILD_CHECK(ctr__locks_open(r->fd, false, &mine, &stale, NULL) == 0);
			await_peer(start[0]);
			CHILD_CHECK(visit(mine, N) == 0);
			ctr__locks_close(mine);
			_exit(0);
		}
	}
	signal_peer(start[1]);
	signal_peer(start[1]);
	assert_exits_0(pids[0]);
	assert_exits_0(pids[1]);
	for (uint32_t i = 0; i < N; i++)
		assert_int_equal(atomic_load(&slot(l, i)->gen), 2);
	close(start[0]);
	close(start[1]);
	ctr__locks_close(l);
}

static void *visit_thread(void *arg)
{
	return visit(arg, 10 * CTR__SLOTS_PER_CHUNK) == 0 ? NULL : arg;
}

static void four_threads_share_an_object(void **state)
{
	struct ctr__locks *l = open_locks(*state);
	pthread_t threads[4];
	void *result;

	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, visit_thread, l), 0);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(threads[i], &result), 0);
		assert_null(result);
	}
	for (uint32_t i = 0; i < 10 * CTR__SLOTS_PER_CHUNK; i++)
		assert_int_equal(atomic_load(&slot(l, i)->gen), 4);
	ctr__locks_close(l);
}

/* Opens, then grows chunk by chunk until it is killed. */
static void grow_child(const struct run_root *r, int ready)
{
	struct ctr__locks *l;
	struct ctr__slot *s;
	bool stale;

	CHILD_CHECK(ctr__locks_open(r->fd, false, &l, &stale, NULL) == 0);
	signal_peer(ready);
	for (uint32_t n = 0; n < CTR__CHUNKS; n++)
		CHILD_CHECK(ctr__locks_slot(l, n * CTR__SLOTS_PER_CHUNK, &s, NULL) == 0);
	pause();
	_exit(0);
}

static bool usable(struct ctr__slot *s)
{
	bool died;

	if (ctr__slot_lock(s, 0, NULL, &died, NULL) != 0)
		return false;
	ctr__slot_unlock(s);
	return !died;
}

/* The chunks in use keep what they hold, and a half-made one is made again. */
static void killed_while_growing(void **state)
{
	enum { TRIES = 150 };
	struct run_root *r = *state;
	unsigned int seed = 1;

	for (int try = 0; try < TRIES; try++) {
		struct ctr__locks *l = open_locks(r);
		struct ctr__slot *mine = slot(l, 5 * CTR__SLOTS_PER_CHUNK + 5);
		long delay = rand_r(&seed) % 3000000;
		uint32_t n = 0;
		int ready[2];
		bool died;
		pid_t pid;

		assert_int_equal(ctr__slot_lock(mine, 0, NULL, &died, NULL), 0);
		atomic_store(&mine->gen, 77);
		assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
		pid = fork();
		if (pid == 0)
			grow_child(r, ready[1]);
		await_peer(ready[0]);
		/* A random moment of its work; every moment must do. */
		nanosleep(&(struct timespec){.tv_nsec = delay}, NULL);
		kill_and_reap(pid);

		while (n < CTR__CHUNKS && atomic_load(&l->header->ready[n]))
			n++;
		if (n == CTR__CHUNKS)
			n--;
		for (uint32_t i = 0; i < CTR__SLOTS_PER_CHUNK; i += 61) {
			assert_true(usable(slot(l, n * CTR__SLOTS_PER_CHUNK + i)));
			assert_true(usable(slot(l, i)));
		}
		assert_int_equal(atomic_load(&mine->gen), 77);
		ctr__slot_unlock(mine);
		assert_true(usable(mine));
		close(ready[0]);
		close(ready[1]);
		ctr__locks_close(l);
		unlinkat(r->fd, CTR__LOCKS_FILE, 0);
	}
}

/* A chunk that is not marked as made is made from the start, whatever a killed process wrote there. */
static void half_made_chunk_is_made_again(void **state)
{
	struct ctr__locks *l = open_locks(*state);
	char garbage[1024];

	memset(garbage, 0xa5, sizeof(garbage));
	assert_int_equal(pwrite(l->fd, garbage, sizeof(garbage), CTR__LOCKS_HEADER_SIZE),
	    (ssize_t)sizeof(garbage));
	for (uint32_t i = 0; i < 32; i++) {
		assert_true(usable(slot(l, i)));
		assert_int_equal(atomic_load(&slot(l, i)->gen), 0);
	}
	ctr__locks_close(l);
}

static void dead_grower_blocks_nobody(void **state)
{
	struct run_root *r = *state;
	struct ctr__locks *l = open_locks(r);
	pid_t pid = fork();

	if (pid == 0) {
		CHILD_CHECK(pthread_mutex_trylock(&l->header->grow.mutex) == 0);
		_exit(0); /* still holding it */
	}
	assert_exits_0(pid);
	assert_true(usable(slot(l, 0)));
	assert_true(usable(slot(l, CTR__SLOTS_PER_CHUNK)));
	ctr__locks_close(l);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(addresses_are_stable),
	    TEST(has_limits),
	    TEST(respects_the_file_size_limit),
	    TEST(notices_a_stolen_descriptor),
	    TEST(notices_truncation),
	    TEST(two_processes_grow_to_100000),
	    TEST(four_threads_share_an_object),
	    TEST(killed_while_growing),
	    TEST(half_made_chunk_is_made_again),
	    TEST(dead_grower_blocks_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
