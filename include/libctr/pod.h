/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libctr/pod.h - pods: containers that live together.
 *
 * A pod has a name, a cgroup and, unless it was made without one, an infra container: a tiny process that
 * does nothing but hold the namespaces which the pod's containers share. A container joins a pod by its
 * configuration (CTR_CONFIG_POD = the pod's full ID) when it is created, for its whole life.
 *
 * IDs and names are one space: neither is shared between pods, or between a pod and a container. Lookups
 * of pods never find containers, nor the other way round.
 *
 * Calls on one pod serialise, across threads and processes. The pod's lock is taken before those of its
 * containers, and start, stop and remove of a single member take it, too. See docs/pods.md.
 */
#ifndef LIBCTR_POD_H
#define LIBCTR_POD_H

#include <libctr/error.h>
#include <libctr/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Configuration: an immutable snapshot, like that of a container ---- */

/* What the containers of a pod share. */
#define CTR_POD_SHARE_CGROUP    (UINT64_C(1) << 0) /* their cgroups are below the pod's       */
#define CTR_POD_SHARE_IPC       (UINT64_C(1) << 1)
#define CTR_POD_SHARE_NET       (UINT64_C(1) << 2)
#define CTR_POD_SHARE_UTS       (UINT64_C(1) << 3)
#define CTR_POD_SHARE_PID       (UINT64_C(1) << 4)
#define CTR_POD_SHARE_USER      (UINT64_C(1) << 5) /* stored, but not supported by create yet */
#define CTR_POD_SHARE_MNT       (UINT64_C(1) << 6) /* stored, but not supported by create yet */
#define CTR_POD_SHARE_CGROUP_NS (UINT64_C(1) << 7)
#define CTR_POD_SHARE_NONE      (UINT64_C(1) << 63) /* nothing at all; alone                   */
#define CTR_POD_SHARE_DEFAULT \
	(CTR_POD_SHARE_CGROUP | CTR_POD_SHARE_IPC | CTR_POD_SHARE_NET | CTR_POD_SHARE_UTS)

#define CTR_POD_NO_INFRA (UINT64_C(1) << 0) /* no infra container: only the cgroup can be shared */

/* What a pod shall be. `size` = sizeof(struct ctr_pod_opts); zero everywhere else = default. */
struct ctr_pod_opts {
	size_t size;
	uint64_t flags;       /* CTR_POD_NO_INFRA                                                 */
	uint64_t shares;      /* CTR_POD_SHARE_*; 0 = the default (without infra: the cgroup)     */
	const char *id;       /* NULL = 64 random hex digits                                      */
	const char *name;     /* NULL = two random words                                          */
	const char *hostname; /* of the shared UTS namespace; NULL = the name                     */
	const char
	    *cgroup_parent; /* the pod's cgroup is below it; NULL = the usual one              */
	const char
	    *exit_policy; /* when the last container has ended: "continue" (default) or "stop" */
	const char
	    *restart_policy; /* of containers that have none of their own; NULL = none         */
	int64_t
	    restart_retries; /* with "on-failure": 0 = no limit                                  */
	const char *const
	    *labels; /* NULL-terminated list of "key=value"; or NULL                    */
	const char *const
	    *create_command; /* NULL-terminated list, only recorded; or NULL            */
	const char *runtime; /* OCI runtime of the infra container; NULL = the default one       */
};

/*
 * ctr_pod_config_new: a configuration from options.
 *   o     NULL = all defaults
 *   out   ref; drop with ctr_pod_config_unref()
 * Errors: CTR_E_INVALID (detail "field"), CTR_E_UNSUPPORTED (unknown flags), CTR_E_NOMEM.
 * Since: 0.1
 */
CTR_API int ctr_pod_config_new(
    const struct ctr_pod_opts *o, ctr_pod_config_t **out, ctr_error_t **err);

/*
 * ctr_pod_config_from_json: a configuration from JSON with libpod's keys. Unknown members are kept.
 *   len   bytes of `json`
 *   out   ref
 * Errors: CTR_E_INVALID (detail "field"), CTR_E_NOMEM.
 * Since: 0.1
 */
CTR_API int ctr_pod_config_from_json(
    const char *json, size_t len, ctr_pod_config_t **out, ctr_error_t **err);

/* ctr_pod_config_to_json: its JSON. Owned (ctr_free); `len` may be NULL. Errors: CTR_E_NOMEM. Since: 0.1 */
CTR_API int ctr_pod_config_to_json(
    const ctr_pod_config_t *cfg, char **out, size_t *len, ctr_error_t **err);

/* ctr_pod_config_ref: one more reference. NULL is fine. Since: 0.1 */
CTR_API ctr_pod_config_t *ctr_pod_config_ref(ctr_pod_config_t *cfg);

/* ctr_pod_config_unref: drops a reference. Returns NULL; NULL is fine. Since: 0.1 */
CTR_API ctr_pod_config_t *ctr_pod_config_unref(ctr_pod_config_t *cfg);

/* ctr_pod_config_unrefp: for __attribute__((cleanup)). Since: 0.1 */
CTR_API void ctr_pod_config_unrefp(ctr_pod_config_t **cfg);

/* ---- Its fields: they cannot fail; strings are borrowed, NULL if absent ---- */

/* ctr_pod_config_id: full ID; NULL before the pod is created, unless it was given. Since: 0.1 */
CTR_API const char *ctr_pod_config_id(const ctr_pod_config_t *cfg);

/* ctr_pod_config_name: name. Since: 0.1 */
CTR_API const char *ctr_pod_config_name(const ctr_pod_config_t *cfg);

/* ctr_pod_config_hostname: host name of the shared UTS namespace, as configured. Since: 0.1 */
CTR_API const char *ctr_pod_config_hostname(const ctr_pod_config_t *cfg);

/* ctr_pod_config_cgroup_parent: what the pod's cgroup is below. Since: 0.1 */
CTR_API const char *ctr_pod_config_cgroup_parent(const ctr_pod_config_t *cfg);

/* ctr_pod_config_exit_policy: "continue" or "stop". Since: 0.1 */
CTR_API const char *ctr_pod_config_exit_policy(const ctr_pod_config_t *cfg);

/* ctr_pod_config_restart_policy: of containers without one of their own. Since: 0.1 */
CTR_API const char *ctr_pod_config_restart_policy(const ctr_pod_config_t *cfg);

/* ctr_pod_config_restart_retries: 0 = no limit. Since: 0.1 */
CTR_API int64_t ctr_pod_config_restart_retries(const ctr_pod_config_t *cfg);

/* ctr_pod_config_shares: CTR_POD_SHARE_*. Since: 0.1 */
CTR_API uint64_t ctr_pod_config_shares(const ctr_pod_config_t *cfg);

/* ctr_pod_config_has_infra: 1 if it has an infra container, else 0. Since: 0.1 */
CTR_API int ctr_pod_config_has_infra(const ctr_pod_config_t *cfg);

/* ctr_pod_config_created_ns: when it was created, nanoseconds since 1970; 0 = not yet. Since: 0.1 */
CTR_API int64_t ctr_pod_config_created_ns(const ctr_pod_config_t *cfg);

/* ctr_pod_config_runtime_name: OCI runtime of the infra container, if one was asked for. Since: 0.1 */
CTR_API const char *ctr_pod_config_runtime_name(const ctr_pod_config_t *cfg);

/* ctr_pod_config_label: the label's value; NULL if there is none. Since: 0.1 */
CTR_API const char *ctr_pod_config_label(const ctr_pod_config_t *cfg, const char *key);

/* ctr_pod_config_label_at: label number `i`, by key. 1, or 0 past the end. Since: 0.1 */
CTR_API int ctr_pod_config_label_at(
    const ctr_pod_config_t *cfg, size_t i, const char **key, const char **value);

/* ctr_pod_config_create_command: the recorded command; never NULL, NULL-terminated. Since: 0.1 */
CTR_API const char *const *ctr_pod_config_create_command(const ctr_pod_config_t *cfg, size_t *n);

/* ---- Pods ----
 *
 * A handle is an ID plus the configuration as last read; it survives the removal of its pod (calls then give
 * CTR_E_POD_REMOVED). Every call that takes a pod can give, besides what is named at each function:
 *   CTR_E_POD_REMOVED, CTR_E_LOCKED, CTR_E_DEADLOCK, CTR_E_BUSY (the pod is in use, and the call comes from inside a
 *   batch, where it is not waited for), CTR_E_RUNTIME_STOPPED, CTR_E_FORKED, CTR_E_STORE_*, CTR_E_SYSTEM,
 *   CTR_E_NOMEM.
 *
 * Operations on all containers try each of them. If some fail the result is CTR_E_POD_PARTIAL: the detail
 * "failed" has their IDs, separated by commas, "ctr.ID" what went wrong with that container, and "code.ID" the name
 * of its code. The others have been dealt with. An operation can be called again.
 */

/* What a pod is doing: follows from the states of its containers, the infra container included. Frozen. */
enum {
	CTR_POD_STATE_CREATED = 1,  /* nothing has been started                       */
	CTR_POD_STATE_RUNNING = 2,  /* all containers are running                     */
	CTR_POD_STATE_DEGRADED = 3, /* some are running                               */
	CTR_POD_STATE_PAUSED = 4,   /* all are paused                                 */
	CTR_POD_STATE_EXITED = 5,   /* all have ended                                 */
	CTR_POD_STATE_STOPPED = 6,  /* some have ended, none is running               */
	CTR_POD_STATE_ERROR = 7     /* some are being removed or stopped, or unknown  */
};

/* ctr_pod_state_name: "Created", "Running", ... as libpod has them; "Error" for other numbers. Static. Since: 0.1 */
CTR_API const char *ctr_pod_state_name(int32_t state);

/*
 * ctr_pod_create: stores a new pod and its infra container in one durable commit. Nothing runs yet.
 *   cfg    borrowed; NULL = all defaults. A copy completed with ID, name, creation time and cgroup parent becomes
 *          the pod's own configuration
 *   flags  0
 *   out    ref; may be NULL
 * Event: create.
 * Errors: CTR_E_INVALID (detail "field"), CTR_E_POD_EXISTS or CTR_E_CTR_EXISTS (a pod or a container has the ID or name),
 *   CTR_E_UNSUPPORTED (shares user or mnt), CTR_E_NO_HELPER (the program of infra containers is not installed),
 *   CTR_E_OCI_UNAVAILABLE, ...
 * Since: 0.1
 */
CTR_API int ctr_pod_create(ctr_runtime_t *rt, const ctr_pod_config_t *cfg, uint64_t flags,
    ctr_pod_t **out, ctr_error_t **err);

/*
 * ctr_pod_lookup: finds a pod by full ID, else by name, else by a prefix of its ID that fits no other pod. No lock.
 *   out   ref
 * Errors: CTR_E_EMPTY_ID, CTR_E_NO_SUCH_POD, CTR_E_POD_EXISTS (ambiguous; detail "candidates"), ...
 * Since: 0.1
 */
CTR_API int ctr_pod_lookup(
    ctr_runtime_t *rt, const char *name_or_id, ctr_pod_t **out, ctr_error_t **err);

/* ctr_pod_get: finds a pod by its full ID only. Otherwise as ctr_pod_lookup(). Since: 0.1 */
CTR_API int ctr_pod_get(ctr_runtime_t *rt, const char *id, ctr_pod_t **out, ctr_error_t **err);

/* ctr_pod_exists: 1 if a pod has exactly this ID, else 0. Errors: CTR_E_EMPTY_ID, ... Since: 0.1 */
CTR_API int ctr_pod_exists(ctr_runtime_t *rt, const char *id, ctr_error_t **err);

/* ctr_pod_ref: one more reference. NULL is fine. Since: 0.1 */
CTR_API ctr_pod_t *ctr_pod_ref(ctr_pod_t *pod);

/* ctr_pod_unref: drops a reference. Returns NULL; NULL is fine. May be called after fork(). Since: 0.1 */
CTR_API ctr_pod_t *ctr_pod_unref(ctr_pod_t *pod);

/* ctr_pod_unrefp: for __attribute__((cleanup)). Since: 0.1 */
CTR_API void ctr_pod_unrefp(ctr_pod_t **pod);

/* ctr_pod_id: the full ID. Borrowed from the handle, never changes. Since: 0.1 */
CTR_API const char *ctr_pod_id(const ctr_pod_t *pod);

/* ctr_pod_config: the configuration as this handle last saw it. A ref. Cannot fail. Since: 0.1 */
CTR_API ctr_pod_config_t *ctr_pod_config(ctr_pod_t *pod);

/*
 * ctr_pod_status: what the pod is doing, CTR_POD_STATE_*. Takes no lock; exits that a monitor has recorded are taken
 * over first.
 * Since: 0.1
 */
CTR_API int ctr_pod_status(ctr_pod_t *pod, int32_t *state, ctr_error_t **err);

/*
 * ctr_pod_containers: the full IDs of its containers, the infra container included, sorted. No lock.
 *   list  owned (ctr_strv_free), NULL-terminated
 * Since: 0.1
 */
CTR_API int ctr_pod_containers(ctr_pod_t *pod, char ***list, ctr_error_t **err);

/* ctr_pod_infra: full ID of its infra container; owned (ctr_free); NULL if there is none. No lock. Since: 0.1 */
CTR_API int ctr_pod_infra(ctr_pod_t *pod, char **id, ctr_error_t **err);

/* ---- Operations on all its containers ---- */

/*
 * ctr_pod_start: starts all containers that are not running: the infra container first, each after what it depends
 * on. Makes the pod's cgroup. Event of the pod: start.
 *   flags  0
 * Errors: CTR_E_POD_PARTIAL, CTR_E_POD_STATE (it is being removed), CTR_E_NO_HELPER, ...
 * Since: 0.1
 */
CTR_API int ctr_pod_start(ctr_pod_t *pod, uint64_t flags, ctr_error_t **err);

#define CTR_POD_STOP_NOW (UINT64_C(1) << 0) /* SIGKILL at once, whatever timeout_ms says */

/*
 * ctr_pod_stop: stops and cleans up all containers that are alive, one after the other: each before what it depends
 * on, the infra container last. Event of the pod: stop.
 *   timeout_ms  for each container, from its stop signal to SIGKILL; 0 = its own, -1 = no limit
 *   flags       CTR_POD_STOP_NOW
 * Errors: CTR_E_POD_PARTIAL, CTR_E_INVALID, ...
 * Since: 0.1
 */
CTR_API int ctr_pod_stop(ctr_pod_t *pod, int64_t timeout_ms, uint64_t flags, ctr_error_t **err);

/*
 * ctr_pod_kill: sends a signal (1..64) to the first process of each container that runs or is paused, the infra
 * container included. Event of the pod: kill. Errors: CTR_E_POD_PARTIAL, CTR_E_INVALID, ...
 * Since: 0.1
 */
CTR_API int ctr_pod_kill(ctr_pod_t *pod, int32_t sig, ctr_error_t **err);

/* ctr_pod_pause: freezes all running containers. Event of the pod: pause. Errors: CTR_E_POD_PARTIAL, ... Since: 0.1 */
CTR_API int ctr_pod_pause(ctr_pod_t *pod, ctr_error_t **err);

/* ctr_pod_unpause: thaws all paused containers. Event of the pod: unpause. Errors: CTR_E_POD_PARTIAL, ... Since: 0.1 */
CTR_API int ctr_pod_unpause(ctr_pod_t *pod, ctr_error_t **err);

/*
 * ctr_pod_restart: stops all containers, as ctr_pod_stop(), then starts all, also those that had ended.
 *   timeout_ms  as in ctr_pod_stop()
 * Event of the pod: restart. Errors: CTR_E_POD_PARTIAL, CTR_E_POD_STATE, ...
 * Since: 0.1
 */
CTR_API int ctr_pod_restart(ctr_pod_t *pod, int64_t timeout_ms, ctr_error_t **err);

#define CTR_POD_REMOVE_FORCE (UINT64_C(1) << 0) /* also containers that are alive */

/*
 * ctr_pod_remove: removes the pod with all its containers and its cgroup. Without CTR_POD_REMOVE_FORCE none of them,
 * apart from the infra container, may be running, paused or stopping: then nothing is changed.
 *   timeout_ms  for containers that live: 0 = SIGKILL at once, else they are stopped with this timeout; -1 = no limit
 *   flags       CTR_POD_REMOVE_FORCE
 * If it fails half-way or the process dies the pod allows nothing but another remove. A pod already gone is success.
 * Event: remove.
 * Errors: CTR_E_POD_STATE (detail "containers": those that are alive), CTR_E_POD_PARTIAL, ...
 * Since: 0.1
 */
CTR_API int ctr_pod_remove(ctr_pod_t *pod, int64_t timeout_ms, uint64_t flags, ctr_error_t **err);

/*
 * ctr_pod_inspect: everything about the pod as JSON, with the keys of "podman pod inspect".
 *   flags  0
 *   out    owned (ctr_free);  `len` may be NULL
 * Since: 0.1
 */
CTR_API int ctr_pod_inspect(
    ctr_pod_t *pod, uint64_t flags, char **out, size_t *len, ctr_error_t **err);

/* ---- Listing ---- */

/*
 * ctr_pod_list: lists the pods in order of their IDs. Takes no lock.
 *   filters  NULL, or a NULL-terminated list of "key=value"; same key: any, different keys: all.
 *              "id=PREFIX", "name=TEXT" (contains it), "label=KEY" or "label=KEY=VALUE",
 *              "status=WORD" (as ctr_pod_state_name(), in any case)
 *   flags    0
 *   out      owned; free with ctr_pod_list_free()
 * Errors: CTR_E_INVALID (filter), ...
 * Since: 0.1
 */
CTR_API int ctr_pod_list(ctr_runtime_t *rt, const char *const *filters, uint64_t flags,
    ctr_pod_list_t **out, ctr_error_t **err);

/* ctr_pod_list_free: NULL is fine. Since: 0.1 */
CTR_API void ctr_pod_list_free(ctr_pod_list_t *list);

/* ctr_pod_list_freep: for __attribute__((cleanup)). Since: 0.1 */
CTR_API void ctr_pod_list_freep(ctr_pod_list_t **list);

/* ctr_pod_list_count: number of entries. Since: 0.1 */
CTR_API size_t ctr_pod_list_count(const ctr_pod_list_t *list);

/* ctr_pod_list_id: full ID of entry `i`; borrowed; NULL past the end. Since: 0.1 */
CTR_API const char *ctr_pod_list_id(const ctr_pod_list_t *list, size_t i);

/* ctr_pod_list_name: name; borrowed; NULL past the end. Since: 0.1 */
CTR_API const char *ctr_pod_list_name(const ctr_pod_list_t *list, size_t i);

/* ctr_pod_list_infra: ID of its infra container; "" if there is none; NULL past the end. Since: 0.1 */
CTR_API const char *ctr_pod_list_infra(const ctr_pod_list_t *list, size_t i);

/* ctr_pod_list_status: CTR_POD_STATE_*; 0 past the end. Since: 0.1 */
CTR_API int32_t ctr_pod_list_status(const ctr_pod_list_t *list, size_t i);

/* ctr_pod_list_containers: number of its containers, the infra container included. Since: 0.1 */
CTR_API size_t ctr_pod_list_containers(const ctr_pod_list_t *list, size_t i);

/* ctr_pod_list_created_ns: when it was created, nanoseconds since 1970. Since: 0.1 */
CTR_API int64_t ctr_pod_list_created_ns(const ctr_pod_list_t *list, size_t i);

#ifdef __cplusplus
}
#endif
#endif
