/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pods: the handle, the frame of operations on a pod, and what containers need of the pod they are in.
 *
 * Order of locks: pod, then container. Whoever waits for a pod's lock holds no container's, except in a batch: then it
 * is tried only. An operation on a member that takes the pod's lock itself finds it held by its own thread if it
 * is part of an operation on the pod, and goes on.
 *
 * pod.c         handle and frame           pod_create.c  creation, the infra container
 * pod_join.c    a container joins a pod    pod_walk.c    the same operation on all members
 * pod_ops.c     start, stop, ...           pod_remove.c  removal; the exit policy
 * pod_view.c    status, listing, inspect
 */
#ifndef LIBCTR_CORE_POD_H
#define LIBCTR_CORE_POD_H

#include <libctr/pod.h>

#include "core/lifecycle.h"
#include "store/pod.h"

struct ctr_pod {
	atomic_uint refs;
	struct ctr_runtime *rt; /* ref */
	char id[CTR__ID_MAX + 1];
	struct ctr__slot *slot;
	uint64_t born; /* which pod of this ID */

	pthread_mutex_t cfg_mutex;
	ctr_pod_config_t *cfg;
	uint64_t cfg_gen;
};

int ctr__pod_open(struct ctr_runtime *rt, const char *id, struct ctr_pod **out, ctr_error_t **err);
struct ctr_pod *ctr__pod_ref(struct ctr_pod *p);
void ctr__pod_unref(struct ctr_pod *p);
void ctr__pod_unrefp(struct ctr_pod **p);
#define CTR__POD CTR__CLEANUP(ctr__pod_unrefp)
/* A reference of the current configuration. */
ctr_pod_config_t *ctr__pod_config(struct ctr_pod *p);
/* As stored now. CTR_E_POD_REMOVED. No lock. */
int ctr__pod_read(struct ctr_pod *p, struct ctr__pod_stored *out, ctr_error_t **err);

/* ---- the frame ---- */

struct ctr__pod_guard {
	struct ctr_pod *pod; /* NULL = not entered */
	bool held_before;    /* by this thread: leave it locked */
	struct ctr__pod_state state;
	char infra[CTR__ID_MAX + 1]; /* as stored */
};
/* Locks the pod and reads what is known of it. removing: also in the midst of a removal. */
int ctr__pod_enter(struct ctr_pod *p, bool removing, struct ctr__pod_guard *g, ctr_error_t **err);
void ctr__pod_leave(struct ctr__pod_guard *g);
#define CTR__POD_GUARD CTR__CLEANUP(ctr__pod_leave)
/* Saves g->state, with at most one event of the pod of `type` (0 = none). */
int ctr__pod_save(struct ctr__pod_guard *g, int32_t type, ctr_error_t **err);

/* ---- for containers ---- */

/* Locks the pod that `c` is in if `op` needs that; *slot NULL: nothing was locked (no pod, or held by this thread). A
 * start makes the pod's cgroup. CTR_E_CTR_REMOVED if the pod is gone, CTR_E_POD_STATE if it is being removed. */
int ctr__pod_lock_member(
    struct ctr_container *c, enum ctr__op op, struct ctr__slot **slot, ctr_error_t **err);
/* What the pod adds to a new container's configuration; *out is a ref of `cfg` itself if that is in none. */
int ctr__pod_join(
    struct ctr_runtime *rt, const ctr_config_t *cfg, ctr_config_t **out, ctr_error_t **err);
/* Refuses the infra container of a pod that is still there: it goes with the pod only. CTR_E_INVALID. */
int ctr__pod_check_infra(struct ctr_container *c, ctr_error_t **err);
/* Does the pod's exit policy need to be told of the ends of its containers? */
bool ctr__pod_wants_exits(struct ctr_runtime *rt, const ctr_config_t *cfg);
/* After a container has ended and was cleaned up or removed, with no lock held: the exit policy. */
void ctr__pod_after_exit(struct ctr_container *c);
/* Is this thread inside a batch's callback? */
bool ctr__in_batch(void);

/* ---- cgroup ---- */

/* <parent>/<id>, or the slice of systemd. malloc'ed; NULL if memory is short. */
char *ctr__pod_cgroup_path(const struct ctr_runtime *rt, const ctr_pod_config_t *cfg);
/* The pod's lock is held: its cgroup, and the root directory of its infra container. */
int ctr__pod_prepare(struct ctr__pod_guard *g, ctr_error_t **err);

/* ---- operations ---- */

int ctr__pod_create(
    struct ctr_runtime *rt, const ctr_pod_config_t *cfg, struct ctr_pod **out, ctr_error_t **err);
int ctr__pod_start(struct ctr_pod *p, ctr_error_t **err);
/* timeout_ms: 0 = each container's own, -1 = no limit. */
int ctr__pod_stop(struct ctr_pod *p, int64_t timeout_ms, bool now, ctr_error_t **err);
int ctr__pod_kill(struct ctr_pod *p, int32_t sig, ctr_error_t **err);
int ctr__pod_pause(struct ctr_pod *p, ctr_error_t **err);
int ctr__pod_unpause(struct ctr_pod *p, ctr_error_t **err);
int ctr__pod_restart(struct ctr_pod *p, int64_t timeout_ms, ctr_error_t **err);
int ctr__pod_remove(struct ctr_pod *p, int64_t timeout_ms, bool force, ctr_error_t **err);

const char *ctr__pod_state_name(int32_t state);
int32_t ctr__pod_derive_state(const struct ctr__pod_members *m);
int ctr__pod_status(struct ctr_pod *p, int32_t *state, ctr_error_t **err);
int ctr__pod_inspect(struct ctr_pod *p, char **out, size_t *len, ctr_error_t **err);
int ctr__pod_list(
    struct ctr_runtime *rt, const char *const *filters, ctr_pod_list_t **out, ctr_error_t **err);

struct ctr__pod_entry {
	char *id, *name, *infra;
	int32_t status;
	size_t containers;
	int64_t created_ns;
};
struct ctr_pod_list {
	struct ctr__pod_entry *v;
	size_t n;
};
void ctr__pod_list_free(ctr_pod_list_t *l);

/* ---- the same operation on all members (pod_walk.c) ---- */

typedef int ctr__pod_step(struct ctr_container *c, const void *arg, ctr_error_t **err);
struct ctr__pod_walk {
	struct ctr_container *
	    *v; /* outward: the infra container, then each after what it depends on */
	size_t n;
	/* What failed so far. */
	struct ctr__buf failed; /* IDs by commas */
	ctr_error_t *why;
	int code;
};
/* Opens all members. */
int ctr__pod_walk_open(struct ctr_pod *p, struct ctr__pod_walk *w, ctr_error_t **err);
void ctr__pod_walk_free(struct ctr__pod_walk *w);
#define CTR__POD_WALK CTR__CLEANUP(ctr__pod_walk_free)
/* Goes on after failures and notes them. */
void ctr__pod_walk_each(struct ctr__pod_walk *w, bool inward, ctr__pod_step *step, const void *arg);
/* 0, or CTR_E_POD_PARTIAL with all that failed. */
int ctr__pod_walk_result(
    struct ctr_pod *p, struct ctr__pod_walk *w, const char *what, ctr_error_t **err);

#endif
