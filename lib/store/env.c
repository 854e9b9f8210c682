/* SPDX-License-Identifier: Apache-2.0 */
/* Opening and closing an LMDB environment, and what its result codes mean. */
#include "store/env.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "sys/fd.h"
#include "sys/path.h"

#define MIB      ((size_t)1 << 20)
#define LOCK_LEN ((off_t)128 + 64 * (off_t)CTR__READERS) /* as LMDB lays it out */

/* Reserved address space, tried in turn: a host may have an RLIMIT_AS. */
static const size_t root_maps[] = {
#if SIZE_MAX > UINT32_MAX
    16384 * MIB,
#endif
    1024 * MIB, 256 * MIB, 0};
static const size_t run_maps[] = {256 * MIB, 64 * MIB, 0};

int ctr__env_init(struct ctr__env *e, struct ctr__store *s, enum ctr__store_mutex mutex,
    const char *parent, ctr_error_t **err)
{
	e->store = s;
	e->mutex = mutex;
	e->dir = ctr__path_join(parent, "db");
	if (!e->dir || pthread_mutex_init(&e->gate, NULL))
		return ctr__fail_nomem(err);
	e->gate_ready = pthread_cond_init(&e->gate_changed, NULL) == 0;
	if (e->gate_ready)
		return 0;
	pthread_mutex_destroy(&e->gate);
	return ctr__fail_nomem(err);
}

/* ---- result codes ---- */

static int fail_io(struct ctr__env *e, int errno_, ctr_error_t **err)
{
	struct statvfs vfs;

	/* LMDB says EIO for a short write, too. */
	if (errno_ == EIO && statvfs(e->dir, &vfs) == 0 && vfs.f_bavail == 0)
		errno_ = ENOSPC;
	if (errno_ == EINVAL || errno_ == EIO)
		return ctr_error_set(err, CTR_E_STORE, errno_, "the state store failed");
	return ctr__fail_errno(err, errno_, e->dir, "the state store failed");
}

int ctr__env_result(struct ctr__env *e, int rc, ctr_error_t **err)
{
	int code;

	if (!ctr__rc_is_mdb(rc))
		return rc;
	if (rc > 0)
		return fail_io(e, rc, err);
	switch (rc) {
	case MDB_MAP_FULL: code = CTR_E_STORE_FULL; break;
	case MDB_INVALID:
	case MDB_VERSION_MISMATCH: code = CTR_E_STORE_FOREIGN; break;
	case MDB_NOTFOUND:
	case MDB_CORRUPTED:
	case MDB_PAGE_NOTFOUND:
	case MDB_INCOMPATIBLE:
	case MDB_PANIC: code = CTR_E_STORE_CORRUPT; break;
	default: code = CTR_E_STORE; break;
	}
	ctr__fail(err, code, "the database %s failed: %s", e->dir, mdb_strerror(rc));
	ctr__error_detail(err, "path", e->dir);
	return code;
}

/* ---- opening ---- */

/* Allocates the lock file in full: LMDB maps it, and a page that the file system has no room for would be
 * SIGBUS. Only before LMDB has it open in this process: closing a descriptor drops LMDB's own file locks. */
static int allocate_lock_file(int fd)
{
	static const char zeros[4096];
	struct stat st;
	int r;

	do {
		r = fallocate(fd, 0, 0, LOCK_LEN);
	} while (r < 0 && errno == EINTR);
	if (r == 0)
		return 0;
	if (errno != EOPNOTSUPP && errno != ENOSYS)
		return -errno;
	/* We hold the open lock: a short file is not in use by anybody. */
	if (fstat(fd, &st) < 0)
		return -errno;
	while (st.st_size < LOCK_LEN) {
		ssize_t n = pwrite(fd, zeros, sizeof(zeros), st.st_size);

		if (n < 0 && errno != EINTR)
			return -errno;
		st.st_size += n > 0 ? n : 0;
	}
	return 0;
}

/* Two environments on one file in one process break LMDB's locking. This library keeps a registry, but there
 * may be a second copy of it. In a child of fork() the parent's descriptors are no danger. */
static int refuse_double_open(struct ctr__env *e, int dbfd, ctr_error_t **err)
{
	struct stat st;

	if (e->store->inherited || fstatat(dbfd, "lock.mdb", &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	if (!ctr__fd_open_elsewhere(st.st_dev, st.st_ino))
		return 0;
	ctr__fail(err, CTR_E_BUSY,
	    "%s is open in this process already, by another copy of this library or of LMDB",
	    e->dir);
	ctr__error_detail(err, "path", e->dir);
	return CTR_E_BUSY;
}

static int prepare_lock_file(struct ctr__env *e, int dbfd, ctr_error_t **err)
{
	CTR__CLOSE int fd = -1;
	int r = refuse_double_open(e, dbfd, err);

	if (r < 0)
		return r;
	fd = openat(dbfd, "lock.mdb", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	r = fd < 0 ? -errno : allocate_lock_file(fd);
	if (r < 0)
		return ctr__fail_errno(err, -r, e->dir, "cannot make the database's lock file");
	return 0;
}

/* One attempt; an MDB code. */
static int open_sized(struct ctr__env *e, size_t size, unsigned int flags)
{
	int rc = mdb_env_create(&e->env);
	int fd;

	if (rc)
		return rc;
	rc = mdb_env_set_mapsize(e->env, size);
	if (!rc)
		rc = mdb_env_set_maxreaders(e->env, CTR__READERS);
	if (!rc)
		rc = mdb_env_set_maxdbs(e->env, CTR__DB_MAX + 1);
	if (!rc)
		rc = mdb_env_open(e->env, e->dir, flags, 0600);
	if (!rc)
		rc = mdb_env_get_fd(e->env, &fd);
	/* LMDB opens this one without, so that a program may hand it on. */
	if (!rc && fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		rc = errno;
	if (rc) {
		mdb_env_close(e->env);
		e->env = NULL;
	}
	return rc;
}

static int open_any_size(struct ctr__env *e)
{
	bool run = e->mutex == CTR__MUTEX_RUN;
	unsigned int flags = MDB_NOTLS | (run ? MDB_NOSYNC : 0);
	int rc = ENOMEM;

	for (const size_t *size = run ? run_maps : root_maps; *size && rc == ENOMEM; size++)
		rc = open_sized(e, *size, flags);
	return rc;
}

/* A file that was cut off would be SIGBUS when read. Zeros in place of what is missing are an error that LMDB
 * notices. Nobody commits meanwhile: we hold the mutex, or are alone. */
static int restore_length(struct ctr__env *e)
{
	MDB_envinfo info;
	MDB_stat st;
	struct stat file;
	off_t want;
	int fd, rc;

	rc = mdb_env_info(e->env, &info);
	if (!rc)
		rc = mdb_env_stat(e->env, &st);
	if (!rc)
		rc = mdb_env_get_fd(e->env, &fd);
	if (rc)
		return rc;
	e->map_size = info.me_mapsize;
	e->page_size = st.ms_psize;
	want = (off_t)(info.me_last_pgno + 1) * (off_t)st.ms_psize;
	if (fstat(fd, &file) < 0 || (file.st_size < want && ftruncate(fd, want) < 0))
		return errno;
	return 0;
}

int ctr__env_open(struct ctr__env *e, int dirfd, ctr_error_t **err)
{
	CTR__CLOSE int dbfd = ctr__mkdir_at(dirfd, "db", 0700);
	int dead = 0;
	int r;

	if (dbfd < 0)
		return ctr__fail_errno(err, -dbfd, e->dir, "cannot make the database's directory");
	r = prepare_lock_file(e, dbfd, err);
	if (r < 0)
		return r;
	r = open_any_size(e);
	if (!r)
		r = restore_length(e);
	if (!r)
		r = mdb_reader_check(e->env, &dead);
	return ctr__env_result(e, r, err);
}

void ctr__env_close(struct ctr__env *e)
{
	for (unsigned int i = 0; i < e->pool_n; i++)
		mdb_txn_abort(e->pool[i]);
	if (e->env)
		mdb_env_close(e->env);
	if (e->gate_ready) {
		pthread_mutex_destroy(&e->gate);
		pthread_cond_destroy(&e->gate_changed);
	}
	free(e->dir);
}
