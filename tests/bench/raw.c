/* SPDX-License-Identifier: Apache-2.0 */
/* LMDB and robust mutexes by hand. */
#include "raw.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

void mdb_ok(int rc, const char *what)
{
	if (rc)
		die("LMDB, %s: %s", what, mdb_strerror(rc));
}

void raw_open(struct raw *r, const char *dir, unsigned int flags)
{
	make_dir(dir);
	mdb_ok(mdb_env_create(&r->env), "create");
	mdb_ok(mdb_env_set_mapsize(r->env, (size_t)1 << 30), "map size");
	mdb_ok(mdb_env_set_maxreaders(r->env, 1024), "readers");
	mdb_ok(mdb_env_set_maxdbs(r->env, 8), "databases");
	mdb_ok(mdb_env_open(r->env, dir, flags | MDB_NOTLS, 0600), "open");
	mdb_ok(mdb_txn_begin(r->env, NULL, MDB_RDONLY, &r->rd), "read");
	mdb_txn_reset(r->rd);
}

void raw_close(struct raw *r)
{
	mdb_txn_abort(r->rd);
	mdb_env_close(r->env);
}

MDB_dbi raw_db(struct raw *r, const char *name)
{
	MDB_txn *txn;
	MDB_dbi db;

	mdb_ok(mdb_txn_begin(r->env, NULL, 0, &txn), "begin");
	mdb_ok(mdb_dbi_open(txn, name, MDB_CREATE, &db), name);
	mdb_ok(mdb_txn_commit(txn), "commit");
	return db;
}

void raw_key(char key[RAW_KEY + 1], unsigned int i)
{
	uint64_t x = (i + 1) * UINT64_C(0x9E3779B97F4A7C15);

	for (int k = 0; k < RAW_KEY; k += 16) {
		x ^= x >> 29;
		x *= UINT64_C(0xBF58476D1CE4E5B9);
		x ^= x >> 32;
		snprintf(key + k, 17, "%016llx", (unsigned long long)x);
	}
}

void raw_commit(
    struct raw *r, const MDB_dbi *dbs, const size_t *lens, int n, const void *data, const char *key)
{
	MDB_txn *txn;

	mdb_ok(mdb_txn_begin(r->env, NULL, 0, &txn), "begin");
	for (int d = 0; d < n; d++) {
		MDB_val k = {RAW_KEY, (void *)(uintptr_t)key},
		        v = {lens[d], (void *)(uintptr_t)data};

		mdb_ok(mdb_put(txn, dbs[d], &k, &v, 0), "put");
	}
	mdb_ok(mdb_txn_commit(txn), "commit");
}

void raw_fill(struct raw *r, MDB_dbi db, unsigned int n, size_t value_len)
{
	char *data = calloc(1, value_len + 1);

	for (unsigned int i = 0; data && i < n; i++) {
		char key[RAW_KEY + 1];

		raw_key(key, i);
		raw_commit(r, &db, &value_len, 1, data, key);
	}
	free(data);
}

/* ---- looking at the library's environments ---- */

void env_copy(const char *from, const char *to)
{
	char *a = text("%s/data.mdb", from), *b = text("%s/data.mdb", to);

	make_dir(to);
	copy_file(a, b);
	free(a);
	free(b);
}

struct content db_content(struct raw *r, const char *name)
{
	struct content c = {0, 0};
	MDB_cursor *cur;
	MDB_txn *txn;
	MDB_val k, v;
	MDB_dbi db;

	mdb_ok(mdb_txn_begin(r->env, NULL, MDB_RDONLY, &txn), "read");
	mdb_ok(mdb_dbi_open(txn, name, 0, &db), name);
	mdb_ok(mdb_cursor_open(txn, db, &cur), "cursor");
	while (mdb_cursor_get(cur, &k, &v, MDB_NEXT) == 0) {
		c.entries++;
		c.bytes += v.mv_size;
	}
	mdb_cursor_close(cur);
	mdb_txn_abort(txn);
	return c;
}

size_t record_len(const char *env_dir, const char *scratch, const char *name)
{
	struct raw r;
	struct content c;

	env_copy(env_dir, scratch);
	raw_open(&r, scratch, MDB_NOSYNC);
	c = db_content(&r, name);
	raw_close(&r);
	remove_tree(scratch);
	return c.entries ? c.bytes / c.entries : 0;
}

/* ---- locks ---- */

struct raw_slot *raw_locks(const char *path, size_t n, bool make)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | (make ? O_CREAT : 0), 0600);
	size_t len = n * sizeof(struct raw_slot);
	struct raw_slot *s;
	pthread_mutexattr_t attr;

	if (fd < 0 || (make && posix_fallocate(fd, 0, (off_t)len)))
		die("%s: %s", path, strerror(errno));
	s = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (s == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	for (size_t i = 0; make && i < n; i++)
		pthread_mutex_init(&s[i].mutex, &attr);
	return s;
}

void raw_lock_wait(struct raw_slot *s)
{
	int r;

	do {
		struct timespec ts;

		clock_gettime(CLOCK_MONOTONIC, &ts);
		ts.tv_nsec += 100000000;
		if (ts.tv_nsec >= 1000000000) {
			ts.tv_nsec -= 1000000000;
			ts.tv_sec++;
		}
		r = pthread_mutex_clocklock(&s->mutex, CLOCK_MONOTONIC, &ts);
	} while (r == ETIMEDOUT);
	if (r == EOWNERDEAD)
		pthread_mutex_consistent(&s->mutex);
}
