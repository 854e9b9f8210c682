/* SPDX-License-Identifier: Apache-2.0 */
/* The file "locks" as it lies on the file system, and the waiting that its two kinds of mutexes share. */
#ifndef LIBCTR_LOCK_TABLE_H
#define LIBCTR_LOCK_TABLE_H

#include <stdalign.h>
#include <sys/types.h>

#include "lock/lock.h"

#define CTR__LOCKS_FILE "locks"
/* A file under construction; a process that was killed may leave one behind. */
#define CTR__LOCKS_TEMPORARY "locks.new"
#define CTR__LOCKS_VERSION   1U
#define CTR__LOCKS_MAGIC     "ctrlocks" /* without the NUL */

#define CTR__CHUNKS     (CTR__SLOTS_MAX / CTR__SLOTS_PER_CHUNK)
#define CTR__CHUNK_SIZE (CTR__SLOTS_PER_CHUNK * sizeof(struct ctr__slot))

/* What the C library and the kernel agree upon about robust mutexes. Processes whose values differ must
 * not share a table. */
struct ctr__locks_abi {
	uint32_t byte_order; /* 0x01020304, as the machine stores it                  */
	uint32_t word_bits;  /* of a pointer                                          */
	uint32_t mutex_size;
	uint32_t slot_size;
	uint32_t futex_offset; /* the futex word in the mutex                           */
	uint32_t list_offset;  /* the link of the kernel's robust list in the mutex     */
	uint32_t kind;         /* how the C library stores "robust, shared, normal"     */
	uint32_t chunk_slots;
};

/* Who made the table. Magic and version keep their place in all layouts to come. */
struct ctr__locks_ident {
	char magic[8];
	uint32_t version;
	uint32_t reserved;
	char boot_id[40];
	uint64_t pid_ns; /* inode of the PID namespace: futex words hold its thread IDs */
	struct ctr__locks_abi abi;
};

/* A mutex with a cache line of its own. */
struct ctr__locks_mutex {
	alignas(64) pthread_mutex_t mutex;
};

struct ctr__locks_header {
	struct ctr__locks_ident ident;
	struct ctr__locks_mutex store[2]; /* enum ctr__store_mutex */
	/* Serialises growing. Not ROOT: that may be held by whoever needs a slot. Innermost of all. */
	struct ctr__locks_mutex grow;
	alignas(64) _Atomic uint64_t stamp;
	/* 1 = allocated and its mutexes initialised. Set last, so that a process killed half way leaves
	 * nothing but a chunk that the next one initialises from the start. */
	alignas(64) _Atomic unsigned char ready[CTR__CHUNKS];
};
#define CTR__LOCKS_HEADER_SIZE 4096U
_Static_assert(
    sizeof(struct ctr__locks_header) <= CTR__LOCKS_HEADER_SIZE, "the header is one page");
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "atomics shared by processes must not use a lock");

struct ctr__locks {
	int fd;
	dev_t dev; /* identity of the file, as the host might close our descriptor */
	ino_t ino;
	pid_t pid; /* of the process that opened it */
	struct ctr__locks_header *header;
	_Atomic(struct ctr__slot *) chunks[CTR__CHUNKS]; /* mapped at first use */
};

/* 0 or an error number. */
int ctr__mutex_init(pthread_mutex_t *m);

/* pthread_mutex_trylock() has just given `tried`, not 0: handles a dead owner, else waits as
 * ctr__slot_lock() does. `what` names the lock in messages. */
int ctr__mutex_wait(pthread_mutex_t *m, int tried, const char *what, int64_t timeout_ms,
    const atomic_int *cancel, bool *owner_died, ctr_error_t **err);

/* Makes sure that chunk number `n` exists in the file and is initialised, by whichever process. */
int ctr__locks_grow(struct ctr__locks *l, uint32_t n, ctr_error_t **err);

/* Allocates [offset, offset + len) of a file: later writes through a mapping cannot fail. */
int ctr__locks_allocate(int fd, off_t offset, off_t len, ctr_error_t **err);

/* Describes the table that this process would make. */
int ctr__locks_identify(struct ctr__locks_ident *ident, ctr_error_t **err);

#endif
