/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lock table under fire: processes with threads take random locks and change shared counters in two
 * steps while processes are killed at random. Checks that nobody is ever inside together with another one,
 * that the next owner is told of a death, and that nobody hangs. Then measures how long the lock of a killed
 * owner is out of reach.
 *
 *	stress_locks [seconds]		exit status 0 or 1
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lock/lock.h"

enum {
	PROCESSES = 4,
	THREADS = 2,
	SLOTS = 16,
	STORE = SLOTS, /* counters behind the two store mutexes */
	COUNTERS = SLOTS + 2,
	HANG_MS = 20000,
	LATENCY_ROUNDS = 31
};

/* What one lock protects: changed in two steps, so that both a death and an intruder show. */
struct counter {
	volatile uint64_t first, second;
	_Atomic int inside;
};

struct shared {
	struct counter counters[COUNTERS];
	atomic_int stop;
	atomic_int violations;
	_Atomic uint64_t taken, deaths_told, interrupted;
};

static struct ctr__locks *open_table(const char *dir)
{
	ctr_error_t *err = NULL;
	struct ctr__locks *l;
	bool stale;
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || ctr__locks_open(fd, true, &l, &stale, &err) != 0 || stale) {
		fprintf(
		    stderr, "cannot open the lock table in %s: %s\n", dir, ctr_error_message(err));
		exit(1);
	}
	close(fd);
	return l;
}

static void violation(struct shared *sh, const char *what, int which)
{
	fprintf(stderr, "VIOLATION: lock %d: %s\n", which, what);
	atomic_fetch_add(&sh->violations, 1);
}

/* With the lock held. */
static void change(struct shared *sh, int which, bool owner_died, unsigned int *seed)
{
	struct counter *c = &sh->counters[which];
	int inside = atomic_exchange(&c->inside, 1);

	if (owner_died) {
		atomic_fetch_add(&sh->deaths_told, 1);
		if (c->first != c->second)
			atomic_fetch_add(&sh->interrupted, 1);
		c->second = c->first;
	} else if (inside) {
		violation(sh, "two at once inside, or a death that was not told", which);
	} else if (c->first != c->second) {
		violation(sh, "a half-made change that nobody told of", which);
	}
	c->first = c->first + 1;
	for (int i = rand_r(seed) % 400; i > 0; i--)
		__asm__ volatile("" ::: "memory");
	c->second = c->second + 1;
	atomic_store(&c->inside, 0);
	atomic_fetch_add_explicit(&sh->taken, 1, memory_order_relaxed);
}

struct worker {
	struct shared *shared;
	struct ctr__locks *locks;
	struct ctr__slot *slots;
	unsigned int seed;
};

static bool check(struct shared *sh, int result, const ctr_error_t *err, int which)
{
	if (result == 0)
		return true;
	violation(sh, ctr_error_message(err), which);
	return false;
}

static void visit_store(struct worker *w, enum ctr__store_mutex which)
{
	ctr_error_t *err = NULL;
	bool died;

	if (check(w->shared, ctr__locks_store_lock(w->locks, which, &died, &err), err,
	        STORE + (int)which)) {
		change(w->shared, STORE + (int)which, died, &w->seed);
		ctr__locks_store_unlock(w->locks, which);
	}
	ctr_error_free(err);
}

static void visit_slot(struct worker *w)
{
	int which = rand_r(&w->seed) % SLOTS;
	ctr_error_t *err = NULL;
	bool died;

	if (check(w->shared, ctr__slot_lock(&w->slots[which], -1, NULL, &died, &err), err, which)) {
		change(w->shared, which, died, &w->seed);
		if (rand_r(&w->seed) % 8 == 0) {
			visit_store(w, CTR__MUTEX_ROOT);
			visit_store(w, CTR__MUTEX_RUN);
		}
		ctr__slot_unlock(&w->slots[which]);
	}
	ctr_error_free(err);
}

static void *work(void *arg)
{
	struct worker w = *(struct worker *)arg;

	while (!atomic_load_explicit(&w.shared->stop, memory_order_relaxed))
		visit_slot(&w);
	return NULL;
}

static pid_t start_process(struct shared *sh, const char *dir, unsigned int seed)
{
	struct worker workers[THREADS];
	pthread_t threads[THREADS];
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int i = 0; i < THREADS; i++) {
		workers[i] =
		    (struct worker){.shared = sh, .seed = seed * THREADS + (unsigned int)i};
		workers[i].locks = i == 0 ? open_table(dir) : workers[0].locks;
		if (ctr__locks_slot(workers[i].locks, 0, &workers[i].slots, NULL) != 0 ||
		    pthread_create(&threads[i], NULL, work, &workers[i]) != 0)
			_exit(1);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	ctr__locks_close(workers[0].locks);
	_exit(0);
}

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void sleep_us(long us)
{
	nanosleep(&(struct timespec){.tv_nsec = us * 1000}, NULL);
}

/* All must end by themselves: whoever does not hangs in a lock. */
static bool join_all(pid_t *pids)
{
	int64_t deadline = now_ns() + HANG_MS * INT64_C(1000000);
	bool ok = true;

	for (int i = 0; i < PROCESSES; i++) {
		int status = 0;
		pid_t r;

		while ((r = waitpid(pids[i], &status, WNOHANG)) == 0 && now_ns() < deadline)
			sleep_us(1000);
		if (r == 0) {
			fprintf(stderr, "HANG: process %d does not end\n", (int)pids[i]);
			kill(pids[i], SIGKILL);
			waitpid(pids[i], NULL, 0);
			ok = false;
		} else if (status != 0) {
			fprintf(stderr, "process %d: wait status %#x\n", (int)pids[i],
			    (unsigned int)status);
			ok = false;
		}
	}
	return ok;
}

static bool storm(const char *dir, double seconds)
{
	struct shared *sh =
	    mmap(NULL, sizeof(*sh), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int64_t end = now_ns() + (int64_t)(seconds * 1e9), progress_at = now_ns();
	unsigned int seed = (unsigned int)getpid(), kills = 0;
	uint64_t progress = 0;
	pid_t pids[PROCESSES];
	bool ok = true;

	if (sh == MAP_FAILED)
		return false;
	for (unsigned int i = 0; i < PROCESSES; i++)
		pids[i] = start_process(sh, dir, seed + i);
	while (now_ns() < end && ok) {
		int victim = rand_r(&seed) % PROCESSES;

		sleep_us(200 + rand_r(&seed) % 3000);
		kill(pids[victim], SIGKILL);
		waitpid(pids[victim], NULL, 0);
		kills++;
		pids[victim] = start_process(sh, dir, seed);
		if (atomic_load(&sh->taken) != progress) {
			progress = atomic_load(&sh->taken);
			progress_at = now_ns();
		} else if (now_ns() - progress_at > HANG_MS * INT64_C(1000000)) {
			fprintf(stderr, "HANG: no lock was taken for %d ms\n", HANG_MS);
			ok = false;
		}
	}
	atomic_store(&sh->stop, 1);
	ok = join_all(pids) && ok;
	printf("%" PRIu64 " locks taken, %u kills, %" PRIu64 " dead owners, %" PRIu64
	       " of them within a change, %d violations\n",
	    atomic_load(&sh->taken), kills, atomic_load(&sh->deaths_told),
	    atomic_load(&sh->interrupted), atomic_load(&sh->violations));
	ok = ok && atomic_load(&sh->violations) == 0;
	if (kills > 500 && atomic_load(&sh->deaths_told) == 0) {
		fprintf(stderr, "no process died with a lock: the test tests nothing\n");
		ok = false;
	}
	munmap(sh, sizeof(*sh));
	return ok;
}

/* ---- latency of a dead owner ---- */

static pid_t start_holder(struct ctr__slot *slot)
{
	int ready[2];
	char c;
	bool died;
	pid_t pid;

	if (pipe2(ready, O_CLOEXEC) < 0)
		exit(1);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (ctr__slot_lock(slot, -1, NULL, &died, NULL) != 0 ||
		    write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	if (pid < 0 || read(ready[0], &c, 1) != 1)
		exit(1);
	close(ready[0]);
	return pid;
}

struct waiter {
	struct ctr__slot *slot;
	int64_t got_it;
	bool ok;
};

static void *wait_for_lock(void *arg)
{
	struct waiter *w = arg;
	bool died = false;

	w->ok = ctr__slot_lock(w->slot, -1, NULL, &died, NULL) == 0 && died;
	w->got_it = now_ns();
	if (w->ok)
		ctr__slot_unlock(w->slot);
	return NULL;
}

/* Until it sleeps in the kernel, or (sanitizers poll instead) for a moment. */
static void await_sleeper(struct ctr__slot *slot)
{
	int64_t deadline = now_ns() + 50000000;
	const int *word = &slot->mutex.__data.__lock;

	while (!((uint32_t)__atomic_load_n(word, __ATOMIC_RELAXED) & FUTEX_WAITERS) &&
	       now_ns() < deadline)
		sleep_us(100);
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static bool latency(const char *dir)
{
	struct ctr__locks *l = open_table(dir);
	int64_t ns[LATENCY_ROUNDS];
	struct ctr__slot *slot;

	if (ctr__locks_slot(l, SLOTS, &slot, NULL) != 0)
		return false;
	for (int i = 0; i < LATENCY_ROUNDS; i++) {
		struct waiter w = {.slot = slot};
		pid_t holder = start_holder(slot);
		pthread_t thread;
		int64_t killed_at;

		if (pthread_create(&thread, NULL, wait_for_lock, &w) != 0)
			return false;
		await_sleeper(slot);
		killed_at = now_ns();
		kill(holder, SIGKILL);
		pthread_join(thread, NULL);
		waitpid(holder, NULL, 0);
		if (!w.ok) {
			fprintf(stderr, "the waiter was not told of the death\n");
			return false;
		}
		ns[i] = w.got_it - killed_at;
	}
	ctr__locks_close(l);
	qsort(ns, LATENCY_ROUNDS, sizeof(ns[0]), compare);
	printf("lock of a killed owner: median %.3f ms, worst %.3f ms\n",
	    (double)ns[LATENCY_ROUNDS / 2] / 1e6, (double)ns[LATENCY_ROUNDS - 1] / 1e6);
	return ns[LATENCY_ROUNDS / 2] < 50 * INT64_C(1000000) &&
	       ns[LATENCY_ROUNDS - 1] < HANG_MS * INT64_C(1000000);
}

int main(int argc, char **argv)
{
	double seconds = argc > 1 ? strtod(argv[1], NULL) : 3;
	const char *tmp = getenv("TMPDIR");
	char dir[256], file[300];
	bool ok;

	snprintf(dir, sizeof(dir), "%s/ctr-stress-locks-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(dir)) {
		perror(dir);
		return 1;
	}
	ctr__locks_close(open_table(dir)); /* before there are several who would make it */
	ok = storm(dir, seconds);
	ok = latency(dir) && ok;
	snprintf(file, sizeof(file), "%s/locks", dir);
	unlink(file);
	if (rmdir(dir) < 0) {
		perror(dir);
		ok = false;
	}
	puts(ok ? "ok" : "FAILED");
	return ok ? 0 : 1;
}
