/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libctr/state.h - what a container is doing.
 *
 * Two ways to read state. The accessors ctr_container_*() below each lock the container, bring the
 * stored state up to date, read one field and unlock; they cost well under a microsecond when nothing
 * has changed. ctr_container_snapshot() does that once and copies all fields, so that, for example, PID
 * and state belong together.
 *
 * An exit is seen by an accessor at most 250 microseconds after its monitor has recorded it (that is
 * how long an accessor may rely on its last look); wait, sync, snapshot and every operation look at
 * once. All accessors can give the errors listed at the top of container.h; on an error the output is
 * what the comment calls "zero".
 */
#ifndef LIBCTR_STATE_H
#define LIBCTR_STATE_H

#include <libctr/error.h>
#include <libctr/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* States. The numbers are stored; they never change. */
enum {
	CTR_STATE_UNKNOWN = 0,    /* not yet read, or an error                               */
	CTR_STATE_CONFIGURED = 1, /* stored, nothing else                                    */
	CTR_STATE_CREATED = 2,    /* created in the OCI runtime, not started                 */
	CTR_STATE_RUNNING = 3,
	CTR_STATE_STOPPED = 4, /* ended, not cleaned up                                   */
	CTR_STATE_PAUSED = 5,
	CTR_STATE_EXITED = 6,   /* ended and cleaned up                                    */
	CTR_STATE_REMOVING = 7, /* only removal is possible                                */
	CTR_STATE_STOPPING = 8  /* a stop is under way                                     */
};

/*
 * ctr_state_name: today's podman words: "unknown", "created" (configured), "initialized" (created),
 * "running", "stopped", "paused", "exited", "removing", "stopping"; "bad state" for other numbers.
 * Static.
 * Since: 0.1
 */
CTR_API const char *ctr_state_name(int32_t state);

/*
 * ctr_state_parse: the number for such a word, and for "configured". CTR_E_INVALID for others.
 * Since: 0.1
 */
CTR_API int ctr_state_parse(const char *name, int32_t *state, ctr_error_t **err);

/* ctr_container_state: the state. Zero: CTR_STATE_UNKNOWN. Since: 0.1 */
CTR_API int ctr_container_state(ctr_container_t *c, int32_t *state, ctr_error_t **err);

/* ctr_container_pid: first process, in the host's PID namespace; 0 if none. Zero: -1. Since: 0.1 */
CTR_API int ctr_container_pid(ctr_container_t *c, int32_t *pid, ctr_error_t **err);

/* ctr_container_conmon_pid: the monitor's PID; 0 if none. Zero: -1. Since: 0.1 */
CTR_API int ctr_container_conmon_pid(ctr_container_t *c, int32_t *pid, ctr_error_t **err);

/*
 * ctr_container_exit_code: code of the last run; -1 if it was lost, or if the monitor ended it because the
 * configured timeout had passed. `exited` (may be NULL) is 1 if there was such an end. Zero: 0, 0.
 * Since: 0.1
 */
CTR_API int ctr_container_exit_code(
    ctr_container_t *c, int32_t *code, int32_t *exited, ctr_error_t **err);

/* ctr_container_oom_killed: 1 if the OOM killer ended the last run. Zero: 0. Since: 0.1 */
CTR_API int ctr_container_oom_killed(ctr_container_t *c, int32_t *oom, ctr_error_t **err);

/* ctr_container_started_ns: when the last run began. Zero: 0 = never. Since: 0.1 */
CTR_API int ctr_container_started_ns(ctr_container_t *c, int64_t *ns, ctr_error_t **err);

/* ctr_container_finished_ns: when the last run ended. Zero: 0 = never, or it runs. Since: 0.1 */
CTR_API int ctr_container_finished_ns(ctr_container_t *c, int64_t *ns, ctr_error_t **err);

/* ctr_container_mounted: 1 if the root file system is mounted. Zero: 0. Since: 0.1 */
CTR_API int ctr_container_mounted(ctr_container_t *c, int32_t *mounted, ctr_error_t **err);

/* ctr_container_mountpoint: where; "" if it is not. Owned (ctr_free). Zero: NULL. Since: 0.1 */
CTR_API int ctr_container_mountpoint(ctr_container_t *c, char **path, ctr_error_t **err);

/*
 * ctr_container_bind_mounts: files that libctr mounts into the container, as a flat list: destination,
 * host path, destination, host path, ... in order of the destinations. Owned (ctr_strv_free).
 * Zero: NULL.
 * Since: 0.1
 */
CTR_API int ctr_container_bind_mounts(ctr_container_t *c, char ***list, ctr_error_t **err);

/*
 * ctr_container_namespace_path: "/proc/PID/ns/..." of the first process. Owned (ctr_free). Zero: NULL.
 *   ns   CTR_NS_*
 * Errors: CTR_E_INVALID (bad kind), CTR_E_CTR_STOPPED (neither running nor paused).
 * Since: 0.1
 */
CTR_API int ctr_container_namespace_path(
    ctr_container_t *c, int32_t ns, char **path, ctr_error_t **err);

/*
 * ctr_container_cgroup_path: path of the cgroup below the hierarchies' roots: while it runs, the real
 * one of its first process, else the configured one. Owned (ctr_free). Zero: NULL.
 * Errors: CTR_E_NO_CGROUPS.
 * Since: 0.1
 */
CTR_API int ctr_container_cgroup_path(ctr_container_t *c, char **path, ctr_error_t **err);

/* ctr_container_run_dir: its directory of this boot. Owned (ctr_free). Zero: NULL. Since: 0.1 */
CTR_API int ctr_container_run_dir(ctr_container_t *c, char **path, ctr_error_t **err);

/* ctr_container_stopped_by_user: 1 after a stop or kill by a caller. Zero: 0. Since: 0.1 */
CTR_API int ctr_container_stopped_by_user(ctr_container_t *c, int32_t *stopped, ctr_error_t **err);

/*
 * ctr_container_restart_count: how often its restart policy has started it again since the last init or start by
 * hand. Zero: 0.
 * Since: 0.1
 */
CTR_API int ctr_container_restart_count(ctr_container_t *c, int64_t *count, ctr_error_t **err);

/* ctr_container_error_text: why the last init or start failed; "" if it did not. Owned. Since: 0.1 */
CTR_API int ctr_container_error_text(ctr_container_t *c, char **text, ctr_error_t **err);

/*
 * ctr_container_rootfs_size: bytes of the whole root file system. May read the whole tree: slow. Zero: -1.
 * Errors: CTR_E_UNSUPPORTED (the storage driver cannot), CTR_E_STORAGE.
 * Since: 0.1
 */
CTR_API int ctr_container_rootfs_size(ctr_container_t *c, int64_t *bytes, ctr_error_t **err);

/*
 * ctr_container_rw_size: bytes that the container itself wrote to it; 0 with a directory as root file system. Otherwise
 * as ctr_container_rootfs_size().
 * Since: 0.1
 */
CTR_API int ctr_container_rw_size(ctr_container_t *c, int64_t *bytes, ctr_error_t **err);

/*
 * ctr_container_snapshot: all state fields, read under one lock.
 *   out   owned; free with ctr_state_free()
 * Since: 0.1
 */
CTR_API int ctr_container_snapshot(ctr_container_t *c, ctr_state_t **out, ctr_error_t **err);

/* ctr_state_free: NULL is fine. Since: 0.1 */
CTR_API void ctr_state_free(ctr_state_t *s);

/* ctr_state_freep: for __attribute__((cleanup)). Since: 0.1 */
CTR_API void ctr_state_freep(ctr_state_t **s);

/* ---- Fields of a snapshot ----
 *
 * They cannot fail. Strings are borrowed from it, "" if empty. Times are nanoseconds since 1970.
 */

/* ctr_state_status: CTR_STATE_*. Since: 0.1 */
CTR_API int32_t ctr_state_status(const ctr_state_t *s);

/* ctr_state_pid: first process; 0 if none. Since: 0.1 */
CTR_API int32_t ctr_state_pid(const ctr_state_t *s);

/* ctr_state_conmon_pid: the monitor; 0 if none. Since: 0.1 */
CTR_API int32_t ctr_state_conmon_pid(const ctr_state_t *s);

/* ctr_state_exit_code: as ctr_container_exit_code(). Since: 0.1 */
CTR_API int32_t ctr_state_exit_code(const ctr_state_t *s);

/* ctr_state_exited: 1 if there was such an end, else 0. Since: 0.1 */
CTR_API int32_t ctr_state_exited(const ctr_state_t *s);

/* ctr_state_oom_killed: 1 if the OOM killer ended the last run, else 0. Since: 0.1 */
CTR_API int32_t ctr_state_oom_killed(const ctr_state_t *s);

/* ctr_state_mounted: 1 if the root file system is mounted, else 0. Since: 0.1 */
CTR_API int32_t ctr_state_mounted(const ctr_state_t *s);

/* ctr_state_stopped_by_user: 1 after a stop or kill by a caller, else 0. Since: 0.1 */
CTR_API int32_t ctr_state_stopped_by_user(const ctr_state_t *s);

/* ctr_state_restart_count: restarts by policy since the last init or start by hand. Since: 0.1 */
CTR_API int64_t ctr_state_restart_count(const ctr_state_t *s);

/* ctr_state_started_ns: when the last run began; 0 = never. Since: 0.1 */
CTR_API int64_t ctr_state_started_ns(const ctr_state_t *s);

/* ctr_state_finished_ns: when the last run ended; 0 = never, or it runs. Since: 0.1 */
CTR_API int64_t ctr_state_finished_ns(const ctr_state_t *s);

/* ctr_state_mountpoint: where the root file system is mounted. Since: 0.1 */
CTR_API const char *ctr_state_mountpoint(const ctr_state_t *s);

/* ctr_state_run_dir: its directory of this boot. Since: 0.1 */
CTR_API const char *ctr_state_run_dir(const ctr_state_t *s);

/* ctr_state_user_ns_root: the directory through which a container with a user namespace of its own reaches its
 * files, as libpod has it; "" if it reaches them where they are, which is always so in this release. Since: 0.1 */
CTR_API const char *ctr_state_user_ns_root(const ctr_state_t *s);

/* ctr_state_real_mountpoint: the root file system as the container's user namespace sees it: below
 * ctr_state_user_ns_root() if there is one, else ctr_state_mountpoint(). Since: 0.1 */
CTR_API const char *ctr_state_real_mountpoint(const ctr_state_t *s);

/* ctr_state_destination_run_dir: the same for ctr_state_run_dir(). Since: 0.1 */
CTR_API const char *ctr_state_destination_run_dir(const ctr_state_t *s);

/* ctr_state_config_path: the OCI spec on disk. Since: 0.1 */
CTR_API const char *ctr_state_config_path(const ctr_state_t *s);

/* ctr_state_stage_hooks: the hooks of hook directories that libctr ran itself at the last init, as JSON text: stage
 * ("precreate") to list of hooks. "" if there were none. Since: 0.1 */
CTR_API const char *ctr_state_stage_hooks(const ctr_state_t *s);

/* ctr_state_error_text: why the last init or start failed. Since: 0.1 */
CTR_API const char *ctr_state_error_text(const ctr_state_t *s);

/* ctr_state_bind_mount_at: bind mount number `i`. 1, or 0 past the end. Since: 0.1 */
CTR_API int ctr_state_bind_mount_at(
    const ctr_state_t *s, size_t i, const char **destination, const char **host_path);

/* ctr_state_to_json: the snapshot with libpod's keys. Owned (ctr_free). Since: 0.1 */
CTR_API int ctr_state_to_json(const ctr_state_t *s, char **out, size_t *len, ctr_error_t **err);

#ifdef __cplusplus
}
#endif
#endif
