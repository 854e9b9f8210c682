/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lock table: one robust, process-shared mutex per container, in 64-byte slots of one file in the run
 * root, and the two writer mutexes of the store in its header.
 *
 * Rules that keep it correct, each bought with an experiment:
 *  - Always waited for in steps of 100 ms (pthread_mutex_clocklock): glibc's robust mutexes can lose a
 *    wake-up when an owner is killed inside unlock.
 *  - NORMAL type only: the others compare thread IDs, which are local to a PID namespace.
 *  - The file is allocated in full chunks (posix_fallocate) before it is mapped: no SIGBUS on a full tmpfs.
 *  - A dead owner's lock is made consistent at once; the next owner is told and must repair.
 *  - Never more than a few locks per thread (the kernel's robust list has a limit of 2048).
 */
#ifndef LIBCTR_LOCK_LOCK_H
#define LIBCTR_LOCK_LOCK_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "util/err.h"

struct ctr__locks;

/* A slot, shared by all processes. */
struct ctr__slot {
	pthread_mutex_t mutex;
	/* Generation of the container's stored state: odd while it is being written. It only grows, also when
	 * the slot passes to another container. Changed by the lock's holder only. */
	_Atomic uint64_t gen;
#if __SIZEOF_POINTER__ == 8
	/* Generation of the stored configuration. */
	_Atomic uint64_t cfg_gen;
	unsigned char pad[64 - sizeof(pthread_mutex_t) - 16];
#else
	_Atomic uint64_t cfg_gen;
	unsigned char pad[64 - sizeof(pthread_mutex_t) - 16];
#endif
};
_Static_assert(sizeof(struct ctr__slot) == 64, "a slot is one cache line");

#define CTR__SLOTS_MAX       (1U << 20)
#define CTR__SLOTS_PER_CHUNK 4096U

/* Opens "locks" below run_fd, making it if `create`. Refuses (CTR_E_STORE_FOREIGN, CTR_E_STORE_NEWER) a
 * table of another PID namespace, layout or mutex ABI. *stale = true (and no table) if it is of an earlier
 * boot. Called with the store's open lock held. */
int ctr__locks_open(
    int run_fd, bool create, struct ctr__locks **out, bool *stale, ctr_error_t **err);
/* Unmaps. No lock may be held. In a forked child it does nothing but leak. */
void ctr__locks_close(struct ctr__locks *l);

/* False once the file has been unlinked (run root wiped): one fstat. */
bool ctr__locks_attached(const struct ctr__locks *l);

/* The slot with that number; grows the file and maps its chunk where needed. The address stays valid until
 * close. CTR_E_STORE_FULL (no space, or >= CTR__SLOTS_MAX). Thread-safe. */
int ctr__locks_slot(
    struct ctr__locks *l, uint32_t index, struct ctr__slot **out, ctr_error_t **err);

/* Locks a slot. timeout_ms: -1 = for ever, 0 = only try. *owner_died = the last holder died inside.
 * CTR_E_LOCKED (timeout), CTR_E_DEADLOCK (this thread holds it already), CTR_E_INTERNAL. `cancel` (may be
 * NULL): looked at every 100 ms; nonzero = CTR_E_RUNTIME_STOPPED. */
int ctr__slot_lock(struct ctr__slot *s, int64_t timeout_ms, const atomic_int *cancel,
    bool *owner_died, ctr_error_t **err);

/* The same in two steps, for who takes a lock often: one try, and what to do if it has not given 0 (it is not free, or
 * the last holder died: then it is held already, and must be given to the second step nevertheless). */
int ctr__slot_try(struct ctr__slot *s);
int ctr__slot_wait(struct ctr__slot *s, int tried, int64_t timeout_ms, const atomic_int *cancel,
    bool *owner_died, ctr_error_t **err);
void ctr__slot_unlock(struct ctr__slot *s);

/* The two writer mutexes of the store: the order is ROOT, then RUN; both after any slot. *owner_died may be
 * NULL. Waits for ever, in steps. */
enum ctr__store_mutex { CTR__MUTEX_ROOT, CTR__MUTEX_RUN };
int ctr__locks_store_lock(
    struct ctr__locks *l, enum ctr__store_mutex which, bool *owner_died, ctr_error_t **err);
void ctr__locks_store_unlock(struct ctr__locks *l, enum ctr__store_mutex which);

/* A number that grows with every call in any process: the order of events. */
uint64_t ctr__locks_next_stamp(struct ctr__locks *l);
/* Makes sure that next_stamp gives more than `stamp`. */
void ctr__locks_raise_stamp(struct ctr__locks *l, uint64_t stamp);

#endif
