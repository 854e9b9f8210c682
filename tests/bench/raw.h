/* SPDX-License-Identifier: Apache-2.0 */
/* The floors: LMDB and robust mutexes used by hand, and conmon with an OCI runtime driven by hand. */
#ifndef BENCH_RAW_H
#define BENCH_RAW_H

#include <lmdb.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/types.h>

/* ---- LMDB: raw.c ---- */

#define RAW_KEY 64 /* bytes of a key: a container's ID */

struct raw {
	MDB_env *env;
	MDB_txn *rd; /* reset */
};

/* Opens or makes an environment in a directory. */
void raw_open(struct raw *r, const char *dir, unsigned int flags);
void raw_close(struct raw *r);
MDB_dbi raw_db(struct raw *r, const char *name);
/* Key number i: 64 hex digits in no order. */
void raw_key(char key[RAW_KEY + 1], unsigned int i);
void raw_fill(struct raw *r, MDB_dbi db, unsigned int n, size_t value_len);
/* One commit that writes one value into each of n databases. */
void raw_commit(struct raw *r, const MDB_dbi *dbs, const size_t *lens, int n, const void *data,
    const char *key);
void mdb_ok(int rc, const char *what);

/* What a database holds. */
struct content {
	size_t entries, bytes; /* of the values */
};
/* Copies the data file of a quiet environment, so that it can be looked at: LMDB must not be opened twice. */
void env_copy(const char *from, const char *to);
struct content db_content(struct raw *r, const char *name);
/* Average value of a database of a quiet environment. */
size_t record_len(const char *env_dir, const char *scratch, const char *name);

/* ---- robust mutexes, one per cache line, in a shared file: raw.c ---- */

struct raw_slot {
	pthread_mutex_t mutex;
	char pad[64 - sizeof(pthread_mutex_t)];
};
struct raw_slot *raw_locks(const char *path, size_t n, bool make);
/* As libctr waits: in steps, so that a lost wake-up of a dead owner costs no more than one. */
void raw_lock_wait(struct raw_slot *s);

/* ---- conmon and a runtime: bare.c ---- */

struct world;

struct bare {
	const char *conmon, *oci, *oci_name;
	char *bundles; /* tmpfs */
	char *logs;    /* disk  */
	char *oci_root, *exits, *persist;
	char *config; /* the spec, with marks for the ID and the directory of bundles */
	int watch;    /* inotify on `exits` */
};

struct bare_ctr {
	char id[RAW_KEY + 1];
	char *bundle, *logs;
	int sync;
	pid_t pid;
};

/* Reads the spec that the library writes for `command`, so that both run the same container. `name` tells
 * several of these in one world apart. */
void bare_init(struct bare *b, const struct world *w, const char *name, const char *command,
    const char *argument);
void bare_end(struct bare *b);
void bare_create(struct bare *b, struct bare_ctr *c);
void bare_start(struct bare *b, struct bare_ctr *c, bool by_fifo);
/* /bin/true in it, to its end. By several threads at once. */
void bare_exec(struct bare *b, const struct bare_ctr *c);
void bare_kill(const struct bare_ctr *c); /* SIGKILL */
void bare_wait(struct bare *b, struct bare_ctr *c);
void bare_delete(struct bare *b, struct bare_ctr *c);

#endif
