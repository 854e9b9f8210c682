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

/* ctr_pod_config_label: the label's value; NULL if there is none. Since: 0.1 */
CTR_API const char *ctr_pod_config_label(const ctr_pod_config_t *cfg, const char *key);

/* ctr_pod_config_label_at: label number `i`, by key. 1, or 0 past the end. Since: 0.1 */
CTR_API int ctr_pod_config_label_at(
    const ctr_pod_config_t *cfg, size_t i, const char **key, const char **value);

/* ctr_pod_config_create_command: the recorded command; never NULL, NULL-terminated. Since: 0.1 */
CTR_API const char *const *ctr_pod_config_create_command(const ctr_pod_config_t *cfg, size_t *n);

#ifdef __cplusplus
}
#endif
#endif
