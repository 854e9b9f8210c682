/* SPDX-License-Identifier: Apache-2.0 */
/* Taking and releasing the robust mutexes of the lock table. */
#include "lock/table.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/futex.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sys/fd.h"
#include "util/cleanup.h"

#define STEP_NS (100 * INT64_C(1000000)) /* the longest sleep: bounds the cost of a lost wake-up */
#define SPINS   100                      /* tries before the first sleep */
#define NEVER   INT64_MAX

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define THREAD_SANITIZER 1
#endif
#elif defined(__SANITIZE_THREAD__)
#define THREAD_SANITIZER 1
#endif

static int64_t now_ns(void)
{
	struct timespec ts;

	/* The clock that pthread_mutex_clocklock() is given. */
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static int64_t deadline_in(int64_t timeout_ms)
{
	int64_t now = now_ns();

	if (timeout_ms < 0 || timeout_ms > (NEVER - now) / 1000000)
		return NEVER;
	return now + timeout_ms * 1000000;
}

static inline void cpu_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

/*
 * The thread that holds the mutex, 0 if there is none. Kernel ABI of robust futexes: the word holds the
 * owner's thread ID (with flags in the two upper bits), as the kernel itself finds the locks of a dying
 * thread by it. glibc keeps the word in __data.__lock. The table is used in one PID namespace only, so
 * equal numbers are the same thread.
 */
static pid_t mutex_owner(const pthread_mutex_t *m)
{
	uint32_t word = (uint32_t)__atomic_load_n(&m->__data.__lock, __ATOMIC_RELAXED);

	return (pid_t)(word & FUTEX_TID_MASK);
}

int ctr__mutex_init(pthread_mutex_t *m)
{
	pthread_mutexattr_t attr;
	int r = pthread_mutexattr_init(&attr);

	if (r)
		return r;
	r = pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	if (!r)
		r = pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	if (!r)
		r = pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_NORMAL);
	if (!r)
		r = pthread_mutex_init(m, &attr);
	pthread_mutexattr_destroy(&attr);
	return r;
}

/* What became of an attempt: 0, or an error number that says more than "not yet". */
static int finish(
    pthread_mutex_t *m, int result, const char *what, bool *owner_died, ctr_error_t **err)
{
	*owner_died = result == EOWNERDEAD;
	if (result == 0)
		return 0;
	if (result == EOWNERDEAD) {
		/* At once: an unlock before this would make the mutex unusable for ever. Should this
		 * process die before its repair, the next owner is told again. */
		result = pthread_mutex_consistent(m);
		if (result == 0)
			return 0;
		pthread_mutex_unlock(m);
	}
	if (result == ENOTRECOVERABLE)
		return ctr__fail(err, CTR_E_INTERNAL, "%s is in an unrecoverable state", what);
	return ctr__fail(err, CTR_E_INTERNAL, "%s cannot be taken (error number %d)", what, result);
}

static int spin(pthread_mutex_t *m)
{
	int r = EBUSY;

	for (int i = 0; i < SPINS && r == EBUSY; i++) {
		cpu_relax();
		r = pthread_mutex_trylock(m);
	}
	return r;
}

/* Sleeps until the mutex is ours, but not past `until`: 0, ETIMEDOUT or another error number. */
#ifdef THREAD_SANITIZER
/* The sanitizer does not know pthread_mutex_clocklock(), nor dead owners of any other timed call. */
static int sleep_for(pthread_mutex_t *m, int64_t until)
{
	for (;;) {
		int r = pthread_mutex_trylock(m);

		if (r != EBUSY)
			return r;
		if (now_ns() >= until)
			return ETIMEDOUT;
		nanosleep(&(struct timespec){.tv_nsec = 500000}, NULL);
	}
}
#else
static int sleep_for(pthread_mutex_t *m, int64_t until)
{
	struct timespec ts = {
	    .tv_sec = (time_t)(until / 1000000000),
	    .tv_nsec = (long)(until % 1000000000),
	};

	return pthread_mutex_clocklock(m, CLOCK_MONOTONIC, &ts);
}
#endif

/* What follows `key` in the text of /proc/TID/status; NULL if it is not there. */
static const char *status_value(const char *status, const char *key)
{
	const char *line = strstr(status, key);

	return line ? line + strlen(key) : NULL;
}

static int timed_out(
    const pthread_mutex_t *m, const char *what, int64_t timeout_ms, ctr_error_t **err)
{
	char path[sizeof("/proc//status") + 11];
	char *status CTR__FREE = NULL;
	pid_t owner = mutex_owner(m);
	const char *process, *state;

	if (owner == 0)
		return ctr__fail(err, CTR_E_LOCKED, "%s was not to be had within %" PRId64 " ms",
		    what, timeout_ms);
	snprintf(path, sizeof(path), "/proc/%d/status", (int)owner);
	if (ctr__read_file_at(AT_FDCWD, path, 1U << 16, &status, NULL) < 0)
		return ctr__fail(err, CTR_E_LOCKED,
		    "%s is held by thread %d for more than %" PRId64 " ms", what, (int)owner,
		    timeout_ms);
	process = status_value(status, "\nTgid:\t");
	state = status_value(status, "\nState:\t");
	return ctr__fail(err, CTR_E_LOCKED,
	    "%s is held by thread %d of process %d%s for more than %" PRId64 " ms", what,
	    (int)owner, process ? atoi(process) : 0,
	    state && (*state == 'T' || *state == 't') ? ", which is stopped," : "", timeout_ms);
}

static int cancelled(const atomic_int *cancel)
{
	return cancel && atomic_load_explicit(cancel, memory_order_relaxed) != 0;
}

__attribute__((noinline, cold)) int ctr__mutex_wait(pthread_mutex_t *m, int tried, const char *what,
    int64_t timeout_ms, const atomic_int *cancel, bool *owner_died, ctr_error_t **err)
{
	int64_t deadline;

	if (tried == EBUSY && timeout_ms != 0)
		tried = spin(m);
	if (tried != EBUSY)
		return finish(m, tried, what, owner_died, err);
	*owner_died = false;
	if (mutex_owner(m) == gettid())
		return ctr__fail(err, CTR_E_DEADLOCK, "%s is already held by this thread", what);

	deadline = deadline_in(timeout_ms);
	for (;;) {
		int64_t now = now_ns();

		if (cancelled(cancel))
			return ctr__fail(err, CTR_E_RUNTIME_STOPPED,
			    "the runtime was shut down while waiting for %s", what);
		if (now >= deadline)
			return timed_out(m, what, timeout_ms, err);
		tried = sleep_for(m, deadline - now > STEP_NS ? now + STEP_NS : deadline);
		if (tried != ETIMEDOUT)
			return finish(m, tried, what, owner_died, err);
	}
}

int ctr__slot_try(struct ctr__slot *s)
{
	return pthread_mutex_trylock(&s->mutex);
}

int ctr__slot_wait(struct ctr__slot *s, int tried, int64_t timeout_ms, const atomic_int *cancel,
    bool *owner_died, ctr_error_t **err)
{
	return ctr__mutex_wait(
	    &s->mutex, tried, "the container's lock", timeout_ms, cancel, owner_died, err);
}

int ctr__slot_lock(struct ctr__slot *s, int64_t timeout_ms, const atomic_int *cancel,
    bool *owner_died, ctr_error_t **err)
{
	int r = ctr__slot_try(s);

	if (__builtin_expect(r == 0, 1)) {
		*owner_died = false;
		return 0;
	}
	return ctr__slot_wait(s, r, timeout_ms, cancel, owner_died, err);
}

void ctr__slot_unlock(struct ctr__slot *s)
{
	pthread_mutex_unlock(&s->mutex);
}

int ctr__locks_store_lock(
    struct ctr__locks *l, enum ctr__store_mutex which, bool *owner_died, ctr_error_t **err)
{
	pthread_mutex_t *m = &l->header->store[which].mutex;
	int r = pthread_mutex_trylock(m);
	bool ignored;

	if (!owner_died)
		owner_died = &ignored;
	if (__builtin_expect(r == 0, 1)) {
		*owner_died = false;
		return 0;
	}
	return ctr__mutex_wait(m, r,
	    which == CTR__MUTEX_ROOT ? "the writer lock of the root"
	                             : "the writer lock of the run root",
	    -1, NULL, owner_died, err);
}

void ctr__locks_store_unlock(struct ctr__locks *l, enum ctr__store_mutex which)
{
	pthread_mutex_unlock(&l->header->store[which].mutex);
}
