/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pods in the state store.
 *
 * Durable: "pod" (id -> slot, infra container, JSON), "pod_ctr" (pod -> its containers), "ctr_pod" (container -> its
 * pod and what it is there), and the pods' names beside those of containers in "name". Of this boot: "pod_state".
 * All four were added without a new schema number: a store without them is completed when it is opened. An older
 * library goes on to work with such a store; it neither sees pods nor takes their names or lock slots. If it removes
 * a member, what is left of that in the indexes is passed over.
 *
 * Files: pod.c (add, rewrite, remove), pod_find.c, pod_state.c, member.c, unique.c.
 */
#ifndef LIBCTR_STORE_POD_H
#define LIBCTR_STORE_POD_H

#include "config/pod.h"
#include "store/store.h"

/* ---- durable ---- */

/* One durable commit: the pod and, if it is not NULL, its infra container (whose field `pod` is this pod). Both or
 * neither. CTR_E_POD_EXISTS or CTR_E_CTR_EXISTS (as what has the ID or name), CTR_E_INVALID, CTR_E_STORE_FULL. */
struct ctr__pod_add {
	const ctr_pod_config_t *pod;
	const ctr_config_t *infra;
	const struct ctr_event *pod_event, *infra_event;
	/* Set: */
	uint32_t slot, infra_slot;
};
int ctr__store_pod_add(struct ctr__store *s, struct ctr__pod_add *add, ctr_error_t **err);

/* What is stored of a pod. `json` is emptied and filled. */
struct ctr__pod_stored {
	struct ctr__buf json;
	uint32_t slot;
	uint64_t born, cfg_gen; /* which pod of this ID; which version of its configuration */
	char infra[CTR__ID_MAX + 1];
};
/* CTR_E_NO_SUCH_POD. */
int ctr__store_pod_get(
    struct ctr__store *s, const char *id, struct ctr__pod_stored *out, ctr_error_t **err);
void ctr__pod_stored_free(struct ctr__pod_stored *p);

/* Full ID, else name, else unique prefix. CTR_E_EMPTY_ID, CTR_E_NO_SUCH_POD, CTR_E_POD_EXISTS with detail
 * "candidates". */
int ctr__store_pod_lookup(
    struct ctr__store *s, const char *name_or_id, char id[CTR__ID_MAX + 1], ctr_error_t **err);
/* 1 or 0. */
int ctr__store_pod_has(struct ctr__store *s, const char *id, ctr_error_t **err);
/* Replaces the configuration; a new name moves the name index. */
int ctr__store_pod_rewrite(struct ctr__store *s, const ctr_pod_config_t *cfg,
    const struct ctr_event *ev, ctr_error_t **err);
/* CTR_E_CTR_EXISTS (detail "containers") while it has any. The caller holds the pod's lock. */
int ctr__store_pod_remove(
    struct ctr__store *s, const char *id, const struct ctr_event *ev, ctr_error_t **err);
/* Removes the records of all its containers in one commit. CTR_E_CTR_EXISTS if one outside depends on them. */
int ctr__store_pod_remove_containers(struct ctr__store *s, const char *id, ctr_error_t **err);
/* Number of pods, and each ID over a copy taken at once; stops at nonzero and returns it. */
int ctr__store_pod_each(struct ctr__store *s, int (*fn)(const char *id, void *userdata),
    void *userdata, ctr_error_t **err);

/* ---- members ---- */

/* 1 or 0. CTR_E_NO_SUCH_POD, CTR_E_EMPTY_ID, CTR_E_NO_SUCH_CTR. */
int ctr__store_pod_has_container(
    struct ctr__store *s, const char *pod, const char *ctr_id, ctr_error_t **err);
/* The IDs of its containers, sorted; owned. */
int ctr__store_pod_containers(
    struct ctr__store *s, const char *pod, char ***out, ctr_error_t **err);

/* Its containers with what listings show of them; in order of their IDs. */
struct ctr__pod_member {
	const char *id, *name;
	int32_t state, exit_code;
	bool infra, init;
};
struct ctr__pod_members {
	struct ctr__pod_member *v;
	size_t n;
	struct ctr__arena arena;
};
int ctr__store_pod_members(
    struct ctr__store *s, const char *pod, struct ctr__pod_members *out, ctr_error_t **err);
void ctr__pod_members_free(struct ctr__pod_members *m);

/* ---- of this boot: the caller holds the pod's lock ---- */

/* What was being done to the pod when the record was written. */
enum ctr__pod_intent { CTR__POD_NONE = 0, CTR__POD_REMOVING = 1 };

struct ctr__pod_state {
	int32_t intent;
	char cgroup[512]; /* its cgroup's path once it was made, or "" */
	char infra[CTR__ID_MAX + 1];
};
/* A pod of which this boot knows nothing has an empty state. CTR_E_NO_SUCH_POD. */
int ctr__store_pod_load(
    struct ctr__store *s, const char *id, struct ctr__pod_state *out, ctr_error_t **err);
/* With at most one event. CTR_E_NO_SUCH_POD. */
int ctr__store_pod_save(struct ctr__store *s, const char *id, const struct ctr__pod_state *state,
    const struct ctr_event *ev, ctr_error_t **err);

#endif
