/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The container's handle, and how an operation gets at its state.
 *
 * Every operation is framed by ctr__enter() and ctr__leave(): lock, bring the state up to date (repair what a
 * killed process left, take over a recorded exit), ask the transition table. In a batch the frame does
 * nothing of this but the table. Between the two, `c->state` is the truth and only the holder touches it.
 */
#ifndef LIBCTR_CORE_CONTAINER_H
#define LIBCTR_CORE_CONTAINER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <libctr/container.h>
#include <libctr/state.h>

#include "core/runtime.h"
#include "core/transition.h"
#include "store/store.h"

struct ctr_container {
	atomic_uint refs;
	struct ctr_runtime *rt;      /* ref */
	struct ctr_container *outer; /* a batch's view: the handle it stands for (ref); else NULL */
	char id[CTR__ID_MAX + 1];
	struct ctr__slot *slot;
	uint32_t slot_index;

	/* The configuration: swapped under its own mutex, so that it can be had without the container's. */
	pthread_mutex_t cfg_mutex;
	ctr_config_t *cfg;
	uint64_t cfg_word; /* slot->cfg_gen when it was read */
	/* A newer one that was read without the container's lock, for who only wants to look. */
	ctr_config_t *seen;
	uint64_t seen_word;

	/* Guarded by the slot's lock: the decoded state and the generation it belongs to. */
	uint64_t gen;
	int64_t looked_ns;   /* monotonic time of the last look for an exit */
	struct ctr__buf raw; /* the record that state's strings point into */
	struct ctr__state state;

	atomic_bool removed;

	/* A view only. */
	atomic_bool ended;
	const int *owner; /* the thread of its batch: where that one has ctr__in_log */
};

#define CTR__GEN_NONE UINT64_MAX

/* Opens a handle: reads configuration and slot. CTR_E_NO_SUCH_CTR. */
int ctr__container_open(
    struct ctr_runtime *rt, const char *id, struct ctr_container **out, ctr_error_t **err);
/* The same for one that has just been stored: nothing is read. */
int ctr__container_adopt(struct ctr_runtime *rt, ctr_config_t *cfg, uint32_t slot_index,
    struct ctr_container **out, ctr_error_t **err);
/* For what can be done without its records: a handle without a slot. */
int ctr__container_stub(
    struct ctr_runtime *rt, ctr_config_t *cfg, struct ctr_container **out, ctr_error_t **err);
struct ctr_container *ctr__container_ref(struct ctr_container *c);
void ctr__container_unref(struct ctr_container *c);
/* A reference of the current configuration: read anew if it has been rewritten, by whatever process. If that
 * fails (the container is gone) the last one known. Without the container's lock. */
ctr_config_t *ctr__container_config(struct ctr_container *c);
/* Stores a changed configuration (same ID) with an event of `event_type` (0 = none) in one durable transaction, and
 * tells all other handles. The lock is held; `c->cfg` is the new one afterwards. */
int ctr__container_rewrite(
    struct ctr_container *c, ctr_config_t *cfg, int32_t event_type, ctr_error_t **err);
/* After a writer that was killed in a rewrite: makes it known to all handles. The lock is held. */
void ctr__container_republish(struct ctr_container *c);
/* Reads it anew if it has been rewritten. The lock is held. */
int ctr__container_refresh_config(struct ctr_container *c, ctr_error_t **err);

/* ---- the frame ---- */

struct ctr__guard {
	struct ctr_container *c; /* the real handle, never a view; NULL = not entered */
	struct ctr__slot *pod;   /* the pod's lock if it was taken, too; else NULL       */
	bool batched;            /* the lock belongs to a batch: neither lock nor unlock */
	enum ctr__op op;
};

/* How to bring the state up to date. */
#define CTR__LOOK_GATED       0U /* an exit is looked for unless that was done 250 us ago        */
#define CTR__LOOK_NOW         (1U << 0) /* ... in any case                                              */
#define CTR__REPAIR           (1U << 1) /* failing to repair an interrupted operation is an error       */
#define CTR__IN_BATCH_BUSY    (1U << 2) /* on a view: CTR_E_BUSY                                 */
#define CTR__IN_BATCH_INVALID (1U << 3) /* on a view: CTR_E_INVALID                              */

/* How long a batch waits for the lock of another container: then CTR_E_BUSY. */
#define CTR__BATCH_PATIENCE_MS 2000

/* Enters. 0 = go on; 1 = the table says that there is nothing to do (entered nevertheless); negative: not
 * entered. */
int ctr__enter(struct ctr_container *c, enum ctr__op op, unsigned how, struct ctr__guard *g,
    ctr_error_t **err);
void ctr__leave(struct ctr__guard *g);
#define CTR__GUARD CTR__CLEANUP(ctr__leave)

/* Checks of the door only (NULL, fork, stopped, view's thread), without lock. *core: the real handle. */
int ctr__enter_check(
    struct ctr_container *c, unsigned how, struct ctr_container **core, ctr_error_t **err);

/* Lets go of the lock for a while (not in a batch) and takes it again, with the state brought up to date. If
 * retaking fails the guard is left. */
void ctr__guard_release(struct ctr__guard *g);
int ctr__guard_retake(struct ctr__guard *g, ctr_error_t **err);

/* The table's word on `op` in the current state. 0, 1 (nothing to do) or an error with details. */
int ctr__allowed(struct ctr_container *c, enum ctr__op op, ctr_error_t **err);

/* ---- state: with the lock held ---- */

/* Reads the state if the cached one is not current. CTR_E_CTR_REMOVED. */
int ctr__load(struct ctr_container *c, ctr_error_t **err);
/* Takes over a recorded exit. */
int ctr__look(struct ctr_container *c, bool now, ctr_error_t **err);
/* Finishes or undoes what a killed process was doing. */
int ctr__recover(struct ctr_container *c, ctr_error_t **err);

/* Saves c->state, with at most one event of `type` (0 = none). After it the state's strings point into the
 * new record. On failure the state is read anew. */
int ctr__save(struct ctr_container *c, int32_t event_type, ctr_error_t **err);
struct ctr__save_more {
	struct ctr_event *events[4]; /* owned by the caller */
	size_t events_n;
	bool record_exit;
};
int ctr__save_with(struct ctr_container *c, const struct ctr__save_more *more, ctr_error_t **err);
/* Saves the intent before something is done to the outside world. */
int ctr__save_intent(struct ctr_container *c, enum ctr__intent intent, ctr_error_t **err);

/* What listings show. `command` needs 65 bytes and must outlive `out`. */
void ctr__summarize(
    const ctr_config_t *cfg, const struct ctr__state *s, char *command, struct ctr__summary *out);

/* What ended: fills in the state, with events died (and stop, if a stop was under way), and saves. */
int ctr__record_exit(struct ctr_container *c, const struct ctr_oci_status *st, ctr_error_t **err);

static inline bool ctr__state_is_live(int32_t state)
{
	return state == CTR_STATE_CREATED || state == CTR_STATE_RUNNING ||
	       state == CTR_STATE_PAUSED || state == CTR_STATE_STOPPING;
}

/* libpod's defaults. */
static inline const char *ctr__default_cgroup_parent(bool systemd)
{
	return systemd ? "machine.slice" : "/libpod_parent";
}

/* ---- drivers ---- */

/* The container's OCI runtime. CTR_E_OCI_UNAVAILABLE. */
int ctr__container_oci(struct ctr_container *c, struct ctr__oci **out, ctr_error_t **err);
/* What an operation of it is told; strings belong to `cfg` and `paths`. */
struct ctr__paths {
	char *run_dir, *static_dir, *shm, *config_json, *cgroup;
};
int ctr__paths_init(
    struct ctr_container *c, const ctr_config_t *cfg, struct ctr__paths *p, ctr_error_t **err);
void ctr__paths_free(struct ctr__paths *p);
#define CTR__PATHS CTR__CLEANUP(ctr__paths_free)
void ctr__oci_view(const struct ctr_container *c, const ctr_config_t *cfg,
    const struct ctr__paths *p, struct ctr_oci_container *out);
void ctr__storage_view(const struct ctr_container *c, const ctr_config_t *cfg,
    const struct ctr__paths *p, struct ctr_storage_container *out);

#endif
