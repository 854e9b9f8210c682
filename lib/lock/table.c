/* SPDX-License-Identifier: Apache-2.0 */
/* The lock table's file: making it, checking it, mapping its header; stamps. */
#include "lock/table.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/fd.h"
#include "sys/proc.h"
#include "util/cleanup.h"

static int describe_abi(struct ctr__locks_abi *abi, ctr_error_t **err)
{
	pthread_mutex_t sample;
	int r = ctr__mutex_init(&sample);

	if (r)
		return ctr__fail_errno(err, r, NULL, "no robust mutexes");
	*abi = (struct ctr__locks_abi){
	    .byte_order = 0x01020304,
	    .word_bits = 8 * sizeof(void *),
	    .mutex_size = sizeof(pthread_mutex_t),
	    .slot_size = sizeof(struct ctr__slot),
	    .futex_offset = offsetof(pthread_mutex_t, __data.__lock),
	    .list_offset = offsetof(pthread_mutex_t, __data.__list),
	    .kind = (uint32_t)sample.__data.__kind,
	    .chunk_slots = CTR__SLOTS_PER_CHUNK,
	};
	pthread_mutex_destroy(&sample);
	return 0;
}

int ctr__locks_identify(struct ctr__locks_ident *ident, ctr_error_t **err)
{
	char boot_id[37];
	int r;

	memset(ident, 0, sizeof(*ident));
	memcpy(ident->magic, CTR__LOCKS_MAGIC, sizeof(ident->magic));
	ident->version = CTR__LOCKS_VERSION;
	r = ctr__boot_id(boot_id);
	if (r < 0)
		return ctr__fail_errno(err, -r, NULL, "cannot read the boot ID");
	memcpy(ident->boot_id, boot_id, sizeof(boot_id));
	ident->pid_ns = ctr__pid_ns_inode();
	if (ident->pid_ns == 0)
		return ctr__fail(
		    err, CTR_E_SYSTEM, "cannot find out the PID namespace: is /proc mounted?");
	return describe_abi(&ident->abi, err);
}

static int map_header(int fd, struct ctr__locks_header **out, ctr_error_t **err)
{
	void *p = mmap(NULL, CTR__LOCKS_HEADER_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		return ctr__fail_errno(err, errno, CTR__LOCKS_FILE, "cannot map the lock table");
	*out = p;
	return 0;
}

static int init_header(struct ctr__locks_header *h, ctr_error_t **err)
{
	int r = ctr__mutex_init(&h->store[CTR__MUTEX_ROOT].mutex);

	if (!r)
		r = ctr__mutex_init(&h->store[CTR__MUTEX_RUN].mutex);
	if (!r)
		r = ctr__mutex_init(&h->grow.mutex);
	if (r)
		return ctr__fail_errno(err, r, NULL, "cannot initialise locks");
	return ctr__locks_identify(&h->ident, err);
}

static int fill_file(int fd, ctr_error_t **err)
{
	struct ctr__locks_header *h;
	int r;

	if (fchmod(fd, 0600) < 0)
		return ctr__fail_errno(
		    err, errno, CTR__LOCKS_FILE, "cannot set the mode of the lock table");
	r = ctr__locks_allocate(fd, 0, CTR__LOCKS_HEADER_SIZE, err);
	if (r < 0)
		return r;
	r = map_header(fd, &h, err);
	if (r < 0)
		return r;
	r = init_header(h, err);
	munmap(h, CTR__LOCKS_HEADER_SIZE);
	return r;
}

/* Gives the complete file its name, unless there is one already. */
static int publish_file(int run_fd)
{
	if (renameat2(run_fd, CTR__LOCKS_TEMPORARY, run_fd, CTR__LOCKS_FILE, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -errno;
	/* A file system without that flag; the store's open lock keeps others away. */
	if (renameat(run_fd, CTR__LOCKS_TEMPORARY, run_fd, CTR__LOCKS_FILE) == 0)
		return 0;
	return -errno;
}

/* Makes the file: its descriptor or a negative code. */
static int make_file(int run_fd, ctr_error_t **err)
{
	int fd CTR__CLOSE = -1;
	int r;

	/* Left behind by a process that was killed: we hold the store's open lock, nobody is using it. */
	if (unlinkat(run_fd, CTR__LOCKS_TEMPORARY, 0) < 0 && errno != ENOENT)
		return ctr__fail_errno(
		    err, errno, CTR__LOCKS_TEMPORARY, "cannot remove an unfinished lock table");
	fd = openat(
	    run_fd, CTR__LOCKS_TEMPORARY, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return ctr__fail_errno(err, errno, CTR__LOCKS_FILE, "cannot make the lock table");
	r = fill_file(fd, err);
	if (r == 0) {
		r = publish_file(run_fd);
		if (r < 0)
			r = ctr__fail_errno(err, -r, CTR__LOCKS_FILE, "cannot make the lock table");
	}
	if (r < 0) {
		unlinkat(run_fd, CTR__LOCKS_TEMPORARY, 0);
		return r;
	}
	return ctr__steal_fd(&fd);
}

static int open_file(int run_fd, bool create, ctr_error_t **err)
{
	int fd = openat(run_fd, CTR__LOCKS_FILE, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0)
		return fd;
	if (errno == ENOENT && create)
		return make_file(run_fd, err);
	if (errno == ENOENT)
		return ctr__fail(err, CTR_E_STORE_CORRUPT, "the run root has no lock table");
	if (errno == ELOOP || errno == EISDIR)
		return ctr__fail(err, CTR_E_STORE_FOREIGN,
		    "\"%s\" in the run root is not a file of libctr", CTR__LOCKS_FILE);
	return ctr__fail_errno(err, errno, CTR__LOCKS_FILE, "cannot open the lock table");
}

static int check_inode(const struct stat *st, ctr_error_t **err)
{
	if (!S_ISREG(st->st_mode))
		return ctr__fail(err, CTR_E_STORE_FOREIGN,
		    "\"%s\" in the run root is not a file of libctr", CTR__LOCKS_FILE);
	if (st->st_uid != geteuid())
		return ctr__fail(err, CTR_E_STORE_FOREIGN,
		    "the lock table belongs to user %u, not to %u", st->st_uid, geteuid());
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return ctr__fail(
		    err, CTR_E_STORE_FOREIGN, "the lock table may be written to by other users");
	return 0;
}

/* Reads who made it: by read, as touching a mapping of a shorter file would be SIGBUS. */
static int read_ident(int fd, struct ctr__locks_ident *ident, ctr_error_t **err)
{
	ssize_t n;

	do {
		n = pread(fd, ident, sizeof(*ident), 0);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return ctr__fail_errno(err, errno, CTR__LOCKS_FILE, "cannot read the lock table");
	if ((size_t)n < sizeof(ident->magic) + sizeof(ident->version) ||
	    memcmp(ident->magic, CTR__LOCKS_MAGIC, sizeof(ident->magic)) != 0)
		return ctr__fail(err, CTR_E_STORE_FOREIGN,
		    "\"%s\" in the run root is not a lock table of libctr", CTR__LOCKS_FILE);
	if (ident->version > CTR__LOCKS_VERSION)
		return ctr__fail(err, CTR_E_STORE_NEWER,
		    "the lock table has layout %u, this libctr knows %u", ident->version,
		    CTR__LOCKS_VERSION);
	if (ident->version != CTR__LOCKS_VERSION || (size_t)n < sizeof(*ident))
		return ctr__fail(
		    err, CTR_E_STORE_CORRUPT, "the header of the lock table is damaged");
	return 0;
}

static int check_ident(const struct ctr__locks_ident *file, const struct ctr__locks_ident *mine,
    bool *stale, ctr_error_t **err)
{
	/* First: what an earlier boot left is to be replaced, whoever made it. */
	*stale = memcmp(file->boot_id, mine->boot_id, sizeof(file->boot_id)) != 0;
	if (*stale)
		return 0;
	if (memcmp(&file->abi, &mine->abi, sizeof(file->abi)) != 0)
		return ctr__fail(err, CTR_E_STORE_FOREIGN,
		    "the lock table was made with another C library or architecture "
		    "(%u-bit, mutex of %u bytes; here %u-bit, %u bytes)",
		    file->abi.word_bits, file->abi.mutex_size, mine->abi.word_bits,
		    mine->abi.mutex_size);
	if (file->pid_ns != mine->pid_ns)
		return ctr__fail(err, CTR_E_STORE_FOREIGN,
		    "the run root is in use in PID namespace %" PRIu64
		    ", this process is in %" PRIu64 ": locks do not work across PID namespaces",
		    file->pid_ns, mine->pid_ns);
	return 0;
}

/* Checks everything that can be wrong with an existing file. */
static int check_table(struct ctr__locks *l, bool *stale, ctr_error_t **err)
{
	struct ctr__locks_ident file, mine;
	struct stat st;
	int r;

	if (fstat(l->fd, &st) < 0)
		return ctr__fail_errno(
		    err, errno, CTR__LOCKS_FILE, "cannot examine the lock table");
	r = check_inode(&st, err);
	if (r == 0)
		r = read_ident(l->fd, &file, err);
	if (r == 0)
		r = ctr__locks_identify(&mine, err);
	if (r == 0)
		r = check_ident(&file, &mine, stale, err);
	if (r < 0 || *stale)
		return r;
	if (st.st_size < (off_t)CTR__LOCKS_HEADER_SIZE)
		return ctr__fail(err, CTR_E_STORE_CORRUPT, "the lock table has been cut off");
	l->dev = st.st_dev;
	l->ino = st.st_ino;
	return 0;
}

static void locks_release(struct ctr__locks *l)
{
	for (uint32_t n = 0; n < CTR__CHUNKS; n++) {
		struct ctr__slot *chunk = atomic_load_explicit(&l->chunks[n], memory_order_acquire);

		if (chunk)
			munmap(chunk, CTR__CHUNK_SIZE);
	}
	if (l->header)
		munmap(l->header, CTR__LOCKS_HEADER_SIZE);
	if (l->fd >= 0)
		close(l->fd);
	free(l);
}

static void locks_releasep(struct ctr__locks **l)
{
	int saved = errno;

	if (*l)
		locks_release(*l);
	errno = saved;
}

int ctr__locks_open(
    int run_fd, bool create, struct ctr__locks **out, bool *stale, ctr_error_t **err)
{
	struct ctr__locks *l CTR__CLEANUP(locks_releasep) = calloc(1, sizeof(*l));
	int r;

	*out = NULL;
	*stale = false;
	if (!l)
		return ctr__fail_nomem(err);
	l->pid = getpid();
	l->fd = open_file(run_fd, create, err);
	if (l->fd < 0)
		return l->fd;
	r = check_table(l, stale, err);
	if (r < 0 || *stale)
		return r;
	r = map_header(l->fd, &l->header, err);
	if (r < 0)
		return r;
	*out = CTR__STEAL_PTR(l);
	return 0;
}

void ctr__locks_close(struct ctr__locks *l)
{
	if (l && l->pid == getpid())
		locks_release(l);
}

bool ctr__locks_attached(const struct ctr__locks *l)
{
	struct stat st;

	return fstat(l->fd, &st) == 0 && st.st_nlink > 0 && st.st_dev == l->dev &&
	       st.st_ino == l->ino;
}

uint64_t ctr__locks_next_stamp(struct ctr__locks *l)
{
	return atomic_fetch_add(&l->header->stamp, 1) + 1;
}

void ctr__locks_raise_stamp(struct ctr__locks *l, uint64_t stamp)
{
	uint64_t now = atomic_load(&l->header->stamp);

	/* Only a damaged record has such a number; believing it would make the next stamps wrap around. */
	if (stamp > UINT64_MAX / 2)
		return;
	while (now < stamp && !atomic_compare_exchange_weak(&l->header->stamp, &now, stamp))
		;
}
