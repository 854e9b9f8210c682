/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state store: two LMDB environments. (The only user of LMDB.)
 *
 * <root>/db      durable: "meta", "ctr" (id -> slot, cfg_gen, JSON), "name" (name -> id), "slot_free",
 *                "dep" (id -> dependents), "label" (id -> labels), "event"
 * <run root>/db  of this boot, not synced: "meta", "state" (id -> TLV), "sum" (id -> fixed summary + name,
 *                image, command), "exit" (id -> code, time), "event", "exec" and "exec_state" (exec.c)
 *
 * One durable change (add, remove, rewrite) is: take the ROOT mutex, commit the durable transaction, then,
 * still holding it, commit the run transaction that brings "sum" in line and records the durable
 * transaction's number. Readers compare that number: equal means "sum" is complete and one cursor over it
 * is a full listing; otherwise (a writer is between its commits, or was killed there) the two are merged,
 * and ctr__store_repair() mends it.
 *
 * One store object per pair of directories and process, counted, kept in a registry: LMDB must not be opened
 * twice. No transaction is open when a function returns. Every function is thread-safe.
 *
 * Files, private header env.h: registry.c (counting, fork), open.c, boot.c (marker files, a new boot), env.c
 * (opening LMDB), txn.c (transactions, pool of readers, growth), schema.c, change.c (durable changes), ctr.c
 * (add, rewrite, remove), evict.c, lookup.c, run.c (state, exit codes), list.c, journal.c (events), repair.c, history.c
 * (what survives a reboot), codec.c (records), state.c (state TLV), exec.c, exec_state.c (exec sessions).
 */
#ifndef LIBCTR_STORE_STORE_H
#define LIBCTR_STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include <libctr/list.h>

#include "config/config.h"
#include "event/event.h"
#include "lock/lock.h"
#include "store/exec_state.h"
#include "store/state.h"
#include "util/id.h"
#include "util/str.h"

struct ctr__store;

/*
 * Opens or makes the store. `root` and `run_root` are absolute; they are made if absent, and refused if they
 * are not empty and not ours (the root has the file "libctr.store", the run root "libctr.run"). Under an
 * exclusive flock of <root>/.lock: checks the stored pair of directories (CTR_E_STORE_CONFIG), schema
 * (CTR_E_STORE_NEWER), boot ID and PID namespace; starts the run root afresh after a reboot or if it was
 * wiped; repairs what a killed writer left. root_fd / run_fd: descriptors of the directories, for callers.
 */
int ctr__store_open(
    const char *root, const char *run_root, struct ctr__store **out, ctr_error_t **err);
void ctr__store_unref(struct ctr__store *s);                 /* in a forked child: leaks */
const char *ctr__store_root(const struct ctr__store *s);     /* resolved path */
const char *ctr__store_run_root(const struct ctr__store *s); /* resolved path */
int ctr__store_root_fd(const struct ctr__store *s);
int ctr__store_run_fd(const struct ctr__store *s);
struct ctr__locks *ctr__store_locks(struct ctr__store *s);

/* True in a child of the process that opened it (no system call). */
bool ctr__store_forked(const struct ctr__store *s);
/* What it looks at, for who asks often: 1, and 0 in a forked child. NULL: there is none, only the function knows. */
const volatile unsigned char *ctr__store_fork_page(const struct ctr__store *s);

/* CTR_E_RUNTIME_STOPPED if the run root was wiped under us (one fstat): called by every operation that
 * changes something. */
int ctr__store_check(struct ctr__store *s, ctr_error_t **err);

/* Did the opening that made this object start the run root afresh? Stays as it is for all who share it. */
bool ctr__store_fresh_boot(const struct ctr__store *s);

/* ---- containers ---- */

struct ctr__summary {
	int32_t state, pid, exit_code;
	int64_t created_ns, started_ns, finished_ns;
	const char *name, *image, *command; /* any may be "" */
};

/* Adds a container in one durable commit: configuration, name, dependencies, labels, lock slot, event; then its
 * summary and state (CONFIGURED) in the run environment. *slot: its lock slot.
 * CTR_E_CTR_EXISTS (ID or name; also if the name is another's full ID, or the ID another's name),
 * CTR_E_NO_SUCH_CTR (dependency), CTR_E_INVALID (depends on itself), CTR_E_NO_SUCH_POD, CTR_E_POD_EXISTS (a
 * pod has the ID or name; or dependency and container are not in the same pod: CTR_E_INVALID), CTR_E_STORE_FULL. Nothing is changed on failure. */
int ctr__store_add(struct ctr__store *s, const ctr_config_t *cfg, const struct ctr_event *ev,
    uint32_t *slot, ctr_error_t **err);

/* The configuration's JSON (appended), lock slot, and generation. CTR_E_NO_SUCH_CTR. */
int ctr__store_get_config(struct ctr__store *s, const char *id, struct ctr__buf *json,
    uint32_t *slot, uint64_t *cfg_gen, ctr_error_t **err);

/* Replaces the configuration (same ID; a new name moves the name index, CTR_E_CTR_EXISTS if it is taken). The
 * caller holds the container's lock and then bumps the slot's cfg_gen to *cfg_gen. */
int ctr__store_rewrite(struct ctr__store *s, const ctr_config_t *cfg, const struct ctr_event *ev,
    uint64_t *cfg_gen, ctr_error_t **err);

/* Full ID, else name, else unique prefix. `id` gets the full ID. CTR_E_EMPTY_ID, CTR_E_NO_SUCH_CTR,
 * CTR_E_CTR_EXISTS with detail "candidates" (at most 8 IDs). */
int ctr__store_lookup(
    struct ctr__store *s, const char *name_or_id, char id[CTR__ID_MAX + 1], ctr_error_t **err);

/* 1 or 0. */
int ctr__store_has(struct ctr__store *s, const char *id, ctr_error_t **err);

/* IDs of the containers that depend on `id`, sorted; owned; an empty list if none. */
int ctr__store_dependents(struct ctr__store *s, const char *id, char ***out, ctr_error_t **err);

/* IDs of the containers that `id` depends on, sorted, each once; owned; an empty list if none. They are read without
 * the configuration. CTR_E_NO_SUCH_CTR. */
int ctr__store_dependencies(struct ctr__store *s, const char *id, char ***out, ctr_error_t **err);

/* Removes everything but the exit code. CTR_E_NO_SUCH_CTR; CTR_E_CTR_EXISTS with detail "dependents". The
 * caller holds the container's lock. */
int ctr__store_remove(
    struct ctr__store *s, const char *id, const struct ctr_event *ev, ctr_error_t **err);

/* Removes what there is of a container whose records may be damaged: rows that name its ID are looked for.
 * CTR_E_NO_SUCH_CTR if there is none; CTR_E_CTR_EXISTS with detail "dependents". */
int ctr__store_evict(
    struct ctr__store *s, const char *id, const struct ctr_event *ev, ctr_error_t **err);
/* The name that leads to an ID, appended; 1, or 0 if there is none. Reads all names. */
int ctr__store_name_of(
    struct ctr__store *s, const char *id, struct ctr__buf *name, ctr_error_t **err);

/* Number of containers. */
int ctr__store_count(struct ctr__store *s, size_t *n, ctr_error_t **err);

/* Calls fn(id, userdata) for each ID, over a copy taken at once; stops at nonzero and returns it. */
int ctr__store_each(struct ctr__store *s, int (*fn)(const char *id, void *userdata), void *userdata,
    ctr_error_t **err);

/* ---- state: the caller holds the container's lock ---- */

/* The raw state record: `raw` is emptied and filled. 1 = found, 0 = there is none (a container of which this
 * boot knows nothing yet, or no container at all). */
int ctr__store_load_state(
    struct ctr__store *s, const char *id, struct ctr__buf *raw, ctr_error_t **err);

struct ctr__save {
	const char *id;
	const struct ctr__state *state;
	/* A NULL string and a zero creation time stay as they are stored. NULL = all from `state`. */
	const struct ctr__summary *summary;
	struct ctr_event *const *events; /* appended in the same transaction */
	size_t events_n;
	bool record_exit; /* also write the exit code row from state->exit_code, finished_ns */
};

/* One run transaction. CTR_E_NO_SUCH_CTR is not checked: holding the lock with a valid handle is the proof. */
int ctr__store_save_state(struct ctr__store *s, const struct ctr__save *save, ctr_error_t **err);

/* After a dead owner: makes a commit visible that its process did not get to publish. */
int ctr__store_settle(struct ctr__store *s, ctr_error_t **err);

/* ---- exec sessions (exec.c): the container's lock is held, but to find the owner ---- */

/* The raw record: `raw` is emptied and filled. 1 = found, 0 = there is none. */
int ctr__store_exec_load(struct ctr__store *s, const char *ctr_id, const char *id,
    struct ctr__buf *raw, ctr_error_t **err);

struct ctr__exec_save {
	const char *ctr_id, *id;
	const struct ctr__exec_state *state; /* remove: only for record_exit */
	bool is_new;
	bool remove;                     /* drop it; one that is not there is success  */
	bool record_exit;                /* also write a row of exit codes             */
	struct ctr_event *const *events; /* appended in the same transaction           */
	size_t events_n;
};
/* One run transaction. */
int ctr__store_exec_save(
    struct ctr__store *s, const struct ctr__exec_save *save, ctr_error_t **err);

/* IDs of a container's sessions, sorted; owned; an empty list if none. */
int ctr__store_exec_list(struct ctr__store *s, const char *ctr_id, char ***out, ctr_error_t **err);

/* The container of a session. CTR_E_NO_SUCH_EXEC, CTR_E_EMPTY_ID. */
int ctr__store_exec_owner(
    struct ctr__store *s, const char *id, char ctr_id[CTR__ID_MAX + 1], ctr_error_t **err);

/* ---- what survives a reboot: history.c ---- */

/*
 * The durable remainder of a state: whether it is REMOVING, ever_started, stopped_by_user, exited, oom_killed, exit_code, started_ns,
 * finished_ns. In <root>/containers/<id>/history, which is made on demand; written in place without waiting
 * for the disk, and readable whatever interrupts the writing. The caller holds the container's lock. 0 or
 * -errno.
 */
int ctr__history_write(struct ctr__store *s, const char *id, const struct ctr__state *state);
/* 1 = found: sets those fields of `out`; and if the container was ever started, its state is EXITED (or
 * REMOVING), with the exit code -1 if nobody saw it end. 0 = there is none. */
int ctr__history_read(struct ctr__store *s, const char *id, struct ctr__state *out);

/* ---- exit codes ---- */
int ctr__store_exit_code(struct ctr__store *s, const char *id, int32_t *code, int64_t *finished_ns,
    ctr_error_t **err); /* CTR_E_NO_SUCH_EXIT_CODE */
/* Drops rows older than max_age_ns whose container is gone. */
int ctr__store_prune_exit_codes(struct ctr__store *s, int64_t max_age_ns, ctr_error_t **err);

/* ---- what a reboot must remember ----
 * <root>/containers/<id>/history: two alternating slots, written in place without waiting for the disk. */
int ctr__history_write(struct ctr__store *s, const char *id, const struct ctr__state *state);
/* 1 = found, and *out is completed with it; 0 = none. */
int ctr__history_read(struct ctr__store *s, const char *id, struct ctr__state *out);

/* ---- listing ---- */

/* What a listing wants; NULL-terminated lists or NULL. Values of one list: any; lists: all. */
struct ctr__list_filter {
	const char *const *ids;    /* prefixes                       */
	const char *const *names;  /* substrings                     */
	const char *const *labels; /* "key" or "key=value"           */
	uint32_t states;           /* bit 1 << CTR_STATE_*; 0 = any  */
};
int ctr__store_list(
    struct ctr__store *s, const struct ctr__list_filter *f, ctr_list_t **out, ctr_error_t **err);
/* Reading and freeing a ctr_list_t is done by list.c too: api/list.c only forwards. */
void ctr__list_free(ctr_list_t *l);
struct ctr__list_entry {
	struct ctr__summary sum;
	const char *id;
};
size_t ctr__list_count(const ctr_list_t *l);
bool ctr__list_at(const ctr_list_t *l, size_t i, struct ctr__list_entry *out);

/* ---- events ---- */

/* A reader's place: the next record wanted of each environment's journal. */
struct ctr__cursor {
	uint64_t root_next, run_next;
};
/* Behind the newest / at the oldest not older than since_ns. */
int ctr__store_events_end(struct ctr__store *s, struct ctr__cursor *c, ctr_error_t **err);
int ctr__store_events_seek(
    struct ctr__store *s, struct ctr__cursor *c, int64_t since_ns, ctr_error_t **err);
/* The next event in order of their stamps, and moves the cursor. 1, 0 = none. *lost: how many were trimmed
 * before the reader got to them (then no event is returned and the result is 1 with *out NULL). */
int ctr__store_events_next(struct ctr__store *s, struct ctr__cursor *c, struct ctr_event **out,
    uint64_t *lost, ctr_error_t **err);
/* Appends an event that comes with no other change. */
int ctr__store_note(struct ctr__store *s, const struct ctr_event *ev, ctr_error_t **err);
/* Wakes all readers. */
void ctr__store_touch_events(struct ctr__store *s);
/* Newest records kept per journal; older ones are trimmed while appending. */
#define CTR__JOURNAL_MAX 16384U

#endif
