/* SPDX-License-Identifier: Apache-2.0 */
/* The slots of the lock table: chunks of the file, made by the first process that needs them and mapped by
 * each on its own. */
#include "lock/table.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "util/cleanup.h"

static off_t chunk_offset(uint32_t n)
{
	return (off_t)(CTR__LOCKS_HEADER_SIZE + (uint64_t)n * CTR__CHUNK_SIZE);
}

int ctr__locks_allocate(int fd, off_t offset, off_t len, ctr_error_t **err)
{
	struct rlimit limit;
	int r;

	/* Asking the kernel for more than the limit would raise SIGXFSZ in the host. */
	if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
	    (rlim_t)(offset + len) > limit.rlim_cur)
		return ctr__fail(err, CTR_E_STORE_FULL,
		    "the lock table needs %lld bytes, more than this process may write to a file",
		    (long long)(offset + len));
	do {
		r = posix_fallocate(fd, offset, len);
	} while (r == EINTR);
	return r ? ctr__fail_errno(err, r, CTR__LOCKS_FILE, "cannot enlarge the lock table") : 0;
}

/* The host may have closed our descriptor, and its number may be another file by now. */
static int check_file(const struct ctr__locks *l, struct stat *st, ctr_error_t **err)
{
	if (fstat(l->fd, st) < 0)
		return ctr__fail_errno(
		    err, errno, CTR__LOCKS_FILE, "cannot examine the lock table");
	if (st->st_dev != l->dev || st->st_ino != l->ino)
		return ctr__fail(err, CTR_E_INTERNAL,
		    "descriptor %d of the lock table was closed by somebody else and is another "
		    "file now",
		    l->fd);
	return 0;
}

static int map_chunk(
    const struct ctr__locks *l, uint32_t n, struct ctr__slot **out, ctr_error_t **err)
{
	off_t offset = chunk_offset(n);
	struct stat st;
	void *p;
	int r = check_file(l, &st, err);

	if (r < 0)
		return r;
	/* Touching a mapping past the end of its file is SIGBUS. */
	if (st.st_size < offset + (off_t)CTR__CHUNK_SIZE)
		return ctr__fail(err, CTR_E_STORE_CORRUPT, "the lock table has been cut off");
	p = mmap(NULL, CTR__CHUNK_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, l->fd, offset);
	if (p == MAP_FAILED)
		return ctr__fail_errno(err, errno, CTR__LOCKS_FILE, "cannot map the lock table");
	*out = p;
	return 0;
}

static int init_slots(struct ctr__slot *slots)
{
	int r = 0;

	for (uint32_t i = 0; i < CTR__SLOTS_PER_CHUNK && r == 0; i++) {
		memset(&slots[i], 0, sizeof(slots[i]));
		r = ctr__mutex_init(&slots[i].mutex);
	}
	return r;
}

/* With the growing mutex held. */
static int make_chunk(struct ctr__locks *l, uint32_t n, ctr_error_t **err)
{
	struct ctr__slot *slots;
	struct stat st;
	int r = check_file(l, &st, err);

	if (r < 0)
		return r;
	r = ctr__locks_allocate(l->fd, chunk_offset(n), (off_t)CTR__CHUNK_SIZE, err);
	if (r < 0)
		return r;
	r = map_chunk(l, n, &slots, err);
	if (r < 0)
		return r;
	r = init_slots(slots);
	munmap(slots, CTR__CHUNK_SIZE);
	if (r)
		return ctr__fail_errno(err, r, NULL, "cannot initialise locks");
	atomic_store_explicit(&l->header->ready[n], 1, memory_order_release);
	return 0;
}

static bool chunk_ready(const struct ctr__locks *l, uint32_t n)
{
	return atomic_load_explicit(&l->header->ready[n], memory_order_acquire) == 1;
}

int ctr__locks_grow(struct ctr__locks *l, uint32_t n, ctr_error_t **err)
{
	pthread_mutex_t *m = &l->header->grow.mutex;
	bool owner_died; /* needs no repair: a chunk counts when it is complete */
	int r;

	if (chunk_ready(l, n))
		return 0;
	r = pthread_mutex_trylock(m);
	if (r)
		r = ctr__mutex_wait(
		    m, r, "the lock for enlarging the lock table", -1, NULL, &owner_died, err);
	if (r < 0)
		return r;
	if (!chunk_ready(l, n))
		r = make_chunk(l, n, err);
	pthread_mutex_unlock(m);
	return r;
}

static __attribute__((noinline)) int attach_chunk(
    struct ctr__locks *l, uint32_t n, struct ctr__slot **out, ctr_error_t **err)
{
	struct ctr__slot *mine, *theirs = NULL;
	int r = ctr__locks_grow(l, n, err);

	if (r < 0)
		return r;
	r = map_chunk(l, n, &mine, err);
	if (r < 0)
		return r;
	if (!atomic_compare_exchange_strong(&l->chunks[n], &theirs, mine)) {
		/* Another thread was faster; nobody has seen this mapping. */
		munmap(mine, CTR__CHUNK_SIZE);
		mine = theirs;
	}
	*out = mine;
	return 0;
}

int ctr__locks_slot(struct ctr__locks *l, uint32_t index, struct ctr__slot **out, ctr_error_t **err)
{
	uint32_t n = index / CTR__SLOTS_PER_CHUNK;
	struct ctr__slot *chunk;

	if (index >= CTR__SLOTS_MAX)
		return ctr__fail(err, CTR_E_STORE_FULL,
		    "lock slot %u is past the last one: there are %u", index, CTR__SLOTS_MAX);
	chunk = atomic_load_explicit(&l->chunks[n], memory_order_acquire);
	if (!chunk) {
		int r = attach_chunk(l, n, &chunk, err);

		if (r < 0)
			return r;
	}
	*out = &chunk[index % CTR__SLOTS_PER_CHUNK];
	return 0;
}
