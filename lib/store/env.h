/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An LMDB environment as the store uses it, and the store object itself.
 *
 * Order of locks: ROOT mutex, root gate, RUN mutex, run gate. The mutexes are those of the lock table and
 * exclude other processes; LMDB's own are only ever taken under them, so they are never contended (a killed
 * owner can leave a waiter of LMDB's asleep for ever). A gate belongs to this process: every transaction
 * holds it shared, moving the map holds it exclusively.
 *
 * Result codes inside a transaction: 0, an error number or MDB_* code as LMDB gives them (then no error
 * object has been made), or a CTR_E_* code with its error object. The ranges do not overlap.
 */
#ifndef LIBCTR_STORE_ENV_H
#define LIBCTR_STORE_ENV_H

#include <lmdb.h>
#include <pthread.h>
#include <sys/types.h>

#include "store/codec.h"
#include "store/store.h"
#include "util/cleanup.h"

/* Databases; the first two are in both environments. */
enum {
	CTR__DB_META = 0,
	CTR__DB_EVENT = 1,
	/* root */
	CTR__DB_CTR = 2,
	CTR__DB_NAME = 3,
	CTR__DB_SLOT_FREE = 4,
	CTR__DB_DEP = 5,
	CTR__DB_LABEL = 6,
	CTR__DB_POD = 7,
	CTR__DB_POD_CTR = 8,
	CTR__DB_CTR_POD = 9,
	CTR__DB_ROOT_N = 10,
	/* run */
	CTR__DB_STATE = 2,
	CTR__DB_SUM = 3,
	CTR__DB_EXIT = 4,
	CTR__DB_POD_STATE = 5,
	CTR__DB_EXEC = 6,
	CTR__DB_EXEC_STATE = 7,
	CTR__DB_RUN_N = 8,
	CTR__DB_MAX = CTR__DB_ROOT_N
};

#define CTR__READERS 1024U
#define CTR__POOL    16U

struct ctr__env {
	struct ctr__store *store;
	enum ctr__store_mutex mutex;
	char *dir; /* "<root>/db" */
	MDB_env *env;
	MDB_dbi db[CTR__DB_MAX];
	/* The gate: every transaction is a user of the map; it is moved when there is none. One lock guards the gate
	 * and the pool, so that a reader takes it once to begin and once to end. */
	pthread_mutex_t gate;
	pthread_cond_t gate_changed;
	unsigned int users;
	bool moving;
	/* While there are users, these do not change. */
	size_t map_size;
	size_t page_size;
	bool broken; /* the map could not be put back: nothing works any more */
	/* Read transactions that have been reset. */
	MDB_txn *pool[CTR__POOL];
	unsigned int pool_n;
	unsigned int commits; /* under the mutex */
	bool gate_ready;
};

struct ctr__registry;

struct ctr__store {
	struct ctr__store *next; /* in the registry, and under its lock */
	struct ctr__registry *registry;
	unsigned int refs;
	const volatile unsigned char *fork_page; /* 1; a child of fork() reads 0 */
	pid_t pid;                               /* where there is no such page */
	char *root, *run_root;
	int root_fd, run_fd, notify_fd;
	dev_t root_dev, run_dev;
	ino_t root_ino, run_ino;
	struct ctr__locks *locks; /* NULL while a run root is being made: nobody else has it then */
	struct ctr__env root_env, run_env;
	struct ctr__buf scratch; /* under the RUN mutex */
	bool fresh;
	bool inherited; /* this process is a child that has its parent's descriptors */
};

/* ---- env.c ---- */

int ctr__env_init(struct ctr__env *e, struct ctr__store *s, enum ctr__store_mutex mutex,
    const char *parent, ctr_error_t **err);
/* Opens or makes it below `dirfd`; with the store's open lock held. */
int ctr__env_open(struct ctr__env *e, int dirfd, ctr_error_t **err);
void ctr__env_close(struct ctr__env *e);

/* Is it a code of LMDB or an error number? */
static inline bool ctr__rc_is_mdb(int rc)
{
	return rc > 0 || rc <= MDB_LAST_ERRCODE;
}
/* Turns any result code from inside a transaction into a CTR_E_* code with its error object. */
int ctr__env_result(struct ctr__env *e, int rc, ctr_error_t **err);

/* ---- txn.c ---- */

/* Takes the writer mutex and sets *held; after a dead owner, settles. */
int ctr__env_lock(struct ctr__env *e, struct ctr__env **held, ctr_error_t **err);
void ctr__env_unlockp(struct ctr__env **held);
#define CTR__UNLOCK CTR__CLEANUP(ctr__env_unlockp)

/* Makes a commit visible whose process was killed before it could publish it. The mutex is held. */
int ctr__env_settle(struct ctr__env *e, ctr_error_t **err);

/* Runs `fn` in a write transaction and commits; the mutex is held. It is run again if the map had to grow, so
 * it must start over. */
typedef int ctr__write_fn(MDB_txn *txn, void *arg, ctr_error_t **err);
int ctr__env_write(struct ctr__env *e, ctr__write_fn *fn, void *arg, ctr_error_t **err);

/* A read transaction, from the pool. One per environment and thread. */
struct ctr__read {
	struct ctr__env *e;
	MDB_txn *txn;
};
#define CTR__READ CTR__CLEANUP(ctr__read_end)
int ctr__read_begin(struct ctr__env *e, struct ctr__read *r, ctr_error_t **err);
/* The same while this thread holds the environment's mutex. */
int ctr__read_begin_locked(struct ctr__env *e, struct ctr__read *r, ctr_error_t **err);
/* A newer snapshot in the same transaction, taking no lock. An MDB code; then the transaction has ended. */
int ctr__read_again(struct ctr__read *r);
void ctr__read_end(struct ctr__read *r);

/* Moves the map; for tests. No transaction of this thread is open. */
int ctr__env_resize(struct ctr__env *e, size_t size, ctr_error_t **err);

/* ---- helpers ---- */

static inline MDB_val ctr__val(const void *data, size_t len)
{
	return (MDB_val){len, (void *)(uintptr_t)data};
}

static inline MDB_val ctr__vals(const char *s)
{
	return ctr__val(s, strlen(s));
}

/* A new cursor, closed at the end of its scope: declare it after its transaction has begun. */
static inline void ctr__cursor_closep(MDB_cursor **c)
{
	if (*c)
		mdb_cursor_close(*c);
}
#define CTR__CURSOR CTR__CLEANUP(ctr__cursor_closep)

/* ---- schema.c ---- */

#define CTR__SCHEMA 1U
/* Opens the databases, making them in a new environment; checks the schema. */
int ctr__schema_open(struct ctr__env *e, ctr_error_t **err);
/* Compares or records the pair of directories. */
int ctr__schema_check_pair(struct ctr__store *s, ctr_error_t **err);
/* "root_txnid" of the run environment; 0 if there is none. An MDB code. */
int ctr__root_txnid_get(struct ctr__env *run, MDB_txn *txn, uint64_t *out);
int ctr__root_txnid_put(struct ctr__env *run, MDB_txn *txn, uint64_t id);
/* A number in "meta", `missing` if there is none. MDB codes. */
int ctr__meta_get(
    struct ctr__env *e, MDB_txn *txn, const char *key, uint64_t missing, uint64_t *out);
int ctr__meta_put(struct ctr__env *e, MDB_txn *txn, const char *key, uint64_t value);

/* ---- boot.c: markers, and the run root of a new boot ---- */

/* Refuses directories that are in use for something else. Reads only. */
int ctr__examine_directories(struct ctr__store *s, ctr_error_t **err);
/* Checks the marker or makes it. */
int ctr__root_marker(struct ctr__store *s, ctr_error_t **err);
/* *attach: it belongs to this boot and is complete. */
int ctr__run_examine(struct ctr__store *s, bool *attach, uint64_t *generation, ctr_error_t **err);
int ctr__run_wipe(struct ctr__store *s, uint64_t generation, ctr_error_t **err);
int ctr__run_populate(struct ctr__store *s, ctr_error_t **err);
/* Written last: what has it is complete. */
int ctr__run_commit(struct ctr__store *s, uint64_t generation, ctr_error_t **err);

/* ---- repair.c ---- */

/* Brings the run environment in line with the root environment. The ROOT mutex is held. */
int ctr__repair_locked(struct ctr__store *s, ctr_error_t **err);
/* Brings the summary and state of one container in line with its durable record. MDB codes. */
int ctr__mend_rows(
    struct ctr__store *s, MDB_txn *txn, const char *id, const struct ctr__ctr_rec *rec);

/* ---- history.c ---- */

/* The history of an ID's former container. Absent is fine. */
void ctr__history_remove(struct ctr__store *s, const char *id);

/* ---- journal.c ---- */

/* Appends; `buf` is overwritten. */
int ctr__journal_append(
    struct ctr__env *e, MDB_txn *txn, const struct ctr_event *ev, struct ctr__buf *buf);
/* Stamp of the newest record; 0 if there is none. An MDB code. */
int ctr__journal_last_stamp(struct ctr__env *e, MDB_txn *txn, uint64_t *stamp);

/* ---- change.c: a durable change ---- */

struct ctr__change {
	struct ctr__store *store;
	const char *id;
	const ctr_config_t *cfg;
	const struct ctr_event *ev;
	/* Set by the durable half. */
	uint32_t slot;
	struct ctr__origin origin;
};
typedef int ctr__change_fn(MDB_txn *txn, struct ctr__change *ch, ctr_error_t **err);
/* Commits `root`, then `run`; see store.h. What `run` does is only done if it can be. */
int ctr__change_commit(
    struct ctr__change *ch, ctr__change_fn *root, ctr__change_fn *run, ctr_error_t **err);

/* ---- ctr.c ---- */

/* The two halves of adding and of removing a container, for what does more in the same change. `nth`: how many
 * containers were removed in this transaction before. */
int ctr__ctr_check(const ctr_config_t *cfg, ctr_error_t **err);
int ctr__ctr_add_root(MDB_txn *txn, struct ctr__change *ch, ctr_error_t **err);
int ctr__ctr_add_run(MDB_txn *txn, struct ctr__change *ch, ctr_error_t **err);
int ctr__ctr_remove_root(
    MDB_txn *txn, struct ctr__store *s, const char *id, uint32_t nth, ctr_error_t **err);
int ctr__ctr_remove_run(MDB_txn *txn, struct ctr__store *s, const char *id);
/* CTR_E_CTR_EXISTS with the detail "dependents". */
int ctr__check_no_dependents(struct ctr__env *e, MDB_txn *txn, const char *id, ctr_error_t **err);

/* CTR_E_NO_SUCH_CTR, naming it. */
int ctr__no_such_ctr(ctr_error_t **err, const char *id);
/* CTR_E_EMPTY_ID if it is NULL or "". */
int ctr__check_id(const char *id, ctr_error_t **err);
/* An MDB code; `key` may be of any length. */
int ctr__db_has(MDB_txn *txn, MDB_dbi db, const char *key, bool *has);
/* Deletes all values of a key; absent is fine. An MDB code. */
int ctr__db_del(MDB_txn *txn, MDB_dbi db, const char *key);

/* ---- exec.c; MDB codes ---- */

/* Drops the sessions of a container, and those of containers that are gone from `root`. */
int ctr__exec_drop(MDB_txn *txn, struct ctr__store *s, const char *ctr_id);
int ctr__exec_drop_orphans(MDB_txn *txn, struct ctr__store *s, MDB_txn *root);
/* run.c: a row of exit codes. */
int ctr__exit_put(
    struct ctr__store *s, MDB_txn *txn, const char *id, int32_t code, int64_t finished_ns);

/* ---- unique.c: IDs and names are one space of containers and pods ---- */

/* CTR_E_CTR_EXISTS or CTR_E_POD_EXISTS, as what has it, with the detail "field". */
int ctr__check_id_free(struct ctr__env *e, MDB_txn *txn, const char *id, ctr_error_t **err);
/* `id`: whose name it is to be; it may be its own ID. */
int ctr__check_name_free(
    struct ctr__env *e, MDB_txn *txn, const char *name, const char *id, ctr_error_t **err);
/* Names are not checked here. MDB codes; an empty name is nothing. */
int ctr__name_put(struct ctr__env *e, MDB_txn *txn, const char *name, const char *id);
/* Finds the full ID in `db` ("ctr" or "pod"): by ID, name, unique prefix. MDB_NOTFOUND; `code` if it is
 * ambiguous. */
int ctr__find_id(struct ctr__env *e, MDB_txn *txn, MDB_dbi db, const char *wanted,
    char id[CTR__ID_MAX + 1], ctr_error_t **err);

/* ---- slot.c: lock slots; "slot_free" has freed ones by the order in which they were freed ---- */

int ctr__slot_take(struct ctr__store *s, MDB_txn *txn, uint32_t *slot, ctr_error_t **err);
int ctr__slot_free(struct ctr__env *e, MDB_txn *txn, uint32_t slot, uint32_t nth);

/* ---- member.c: which container is in which pod ---- */

#define CTR__MEMBER_INFRA 1U
#define CTR__MEMBER_INIT  2U

/* The pod of a container: "" if it is in none. An MDB code. */
int ctr__member_of(struct ctr__env *e, MDB_txn *txn, const char *ctr_id, char pod[CTR__ID_MAX + 1],
    unsigned int *flags);
/* Checks the pod and enters the container into it. CTR_E_NO_SUCH_POD, CTR_E_INVALID. */
int ctr__member_put(struct ctr__env *e, MDB_txn *txn, const ctr_config_t *cfg, ctr_error_t **err);
int ctr__member_del(struct ctr__env *e, MDB_txn *txn, const char *ctr_id);
/* Members of a pod that exist, each with its NUL. An MDB code. */
int ctr__member_list(struct ctr__env *e, MDB_txn *txn, const char *pod, struct ctr__buf *ids);
/* Containers depend on containers of their own pod only. CTR_E_INVALID. */
int ctr__member_check_dep(
    struct ctr__env *e, MDB_txn *txn, const ctr_config_t *cfg, const char *dep, ctr_error_t **err);

/* ---- registry.c ---- */
void ctr__store_free(struct ctr__store *s);
/* A page that a child of fork() finds zeroed, now 1; NULL if the kernel has no such thing. */
const volatile unsigned char *ctr__fork_page_new(void);
void ctr__fork_page_free(const volatile unsigned char *page);

/* ---- open.c ---- */
/* Fills a new store object whose directories are open. The registry is locked. */
int ctr__store_build(struct ctr__store *s, ctr_error_t **err);

#endif
