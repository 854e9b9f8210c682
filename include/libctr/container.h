/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libctr/container.h - a container: creating, finding, driving, waiting, removing.
 *
 * A handle is an ID plus the configuration as last read; it survives the removal of its container
 * (calls then give CTR_E_CTR_REMOVED). Many handles of one container may exist.
 *
 * Which state allows which operation is one table, docs/states.md; a refused operation gives
 * CTR_E_CTR_STATE (or the more precise code named below) with the details "state" and "operation",
 * and changes nothing. Every call here takes the container's lock for its duration unless said
 * otherwise, first brings the stored state up to date (an exit that the monitor has recorded is taken
 * over), and can give, besides what is named at each function:
 *   CTR_E_CTR_REMOVED, CTR_E_LOCKED (if a lock timeout was set), CTR_E_DEADLOCK (used inside its own
 *   batch, or from a log function), CTR_E_RUNTIME_STOPPED, CTR_E_FORKED, CTR_E_STORE_FULL,
 *   CTR_E_STORE_CORRUPT, CTR_E_STORE, CTR_E_SYSTEM, CTR_E_NOMEM.
 * If the calling process is killed inside a call, the next caller anywhere finishes or undoes it.
 */
#ifndef LIBCTR_CONTAINER_H
#define LIBCTR_CONTAINER_H

#include <libctr/config.h>
#include <libctr/error.h>
#include <libctr/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * ctr_container_create: stores a new container. Nothing runs and nothing is mounted yet.
 *   cfg    borrowed; a copy completed with ID, name, creation time and paths becomes the container's
 *          own configuration
 *   flags  0
 *   out    ref; may be NULL
 * One durable commit: when this returns, the container outlives a power cut; if it fails or the
 * process dies, there is no trace of it.
 * State after: configured. Event: create.
 * Errors: CTR_E_INVALID (conflicting or impossible configuration; detail "field"), CTR_E_CTR_EXISTS (ID
 *   or name taken), CTR_E_NO_SUCH_CTR (dependency missing), CTR_E_CTR_STATE
 *   (a dependency is being removed), CTR_E_NO_SUCH_POD, CTR_E_POD_STATE (it is being
 *   removed), CTR_E_OCI_UNAVAILABLE, CTR_E_NO_STORAGE, CTR_E_UNSUPPORTED, and those of the storage driver.
 * Since: 0.1
 */
CTR_API int ctr_container_create(ctr_runtime_t *rt, const ctr_config_t *cfg, uint64_t flags,
    ctr_container_t **out, ctr_error_t **err);

/*
 * ctr_container_lookup: finds a container by full ID, else by name, else by a prefix of its ID that
 * fits no other container. Does not take the container's lock.
 *   out   ref
 * Errors: CTR_E_EMPTY_ID, CTR_E_NO_SUCH_CTR, CTR_E_CTR_EXISTS (ambiguous; detail "candidates"),
 *   CTR_E_STORE_CORRUPT, CTR_E_RUNTIME_STOPPED, CTR_E_FORKED, CTR_E_NOMEM.
 * Since: 0.1
 */
CTR_API int ctr_container_lookup(
    ctr_runtime_t *rt, const char *name_or_id, ctr_container_t **out, ctr_error_t **err);

/*
 * ctr_container_get: finds a container by its full ID only. Otherwise as ctr_container_lookup().
 * Since: 0.1
 */
CTR_API int ctr_container_get(
    ctr_runtime_t *rt, const char *id, ctr_container_t **out, ctr_error_t **err);

/*
 * ctr_container_exists: 1 if a container has exactly this ID, else 0. Errors: CTR_E_EMPTY_ID, ...
 * Since: 0.1
 */
CTR_API int ctr_container_exists(ctr_runtime_t *rt, const char *id, ctr_error_t **err);

/*
 * ctr_container_exit_code_of: the last exit code recorded for an ID, also when the container has been
 * removed meanwhile (kept for at least five minutes).
 *   id    full ID
 *   code  -1..255; -1 = the monitor died, or it ended the container because CTR_CONFIG_TIMEOUT had passed
 * Errors: CTR_E_EMPTY_ID, CTR_E_NO_SUCH_EXIT_CODE, ...
 * Since: 0.1
 */
CTR_API int ctr_container_exit_code_of(
    ctr_runtime_t *rt, const char *id, int32_t *code, ctr_error_t **err);

/* ctr_container_ref: one more reference. NULL is fine. Since: 0.1 */
CTR_API ctr_container_t *ctr_container_ref(ctr_container_t *c);

/* ctr_container_unref: drops a reference. Returns NULL. May be called after fork(). Since: 0.1 */
CTR_API ctr_container_t *ctr_container_unref(ctr_container_t *c);

/* ctr_container_unrefp: for __attribute__((cleanup)). Since: 0.1 */
CTR_API void ctr_container_unrefp(ctr_container_t **c);

/* ctr_container_id: the full ID. Borrowed from the handle, no lock, never changes. Since: 0.1 */
CTR_API const char *ctr_container_id(const ctr_container_t *c);

/*
 * ctr_container_config: the configuration: the newest one that is stored, whichever process has renamed
 * or updated the container. No lock, cannot fail: after the container has been removed it is the last
 * one known. Returns a ref; drop with ctr_config_unref().
 * Since: 0.1
 */
CTR_API ctr_config_t *ctr_container_config(ctr_container_t *c);

/* ctr_container_runtime: the runtime object it belongs to. Borrowed. Since: 0.1 */
CTR_API ctr_runtime_t *ctr_container_runtime(ctr_container_t *c);

/* First start everything that it depends on, directly or not, in the order of the dependencies. What of it runs
 * already is left alone; what was started stays running if something fails later. If one that ran ends before it is of
 * use, everything is tried once more. */
#define CTR_INIT_RECURSIVE  (UINT64_C(1) << 0)
#define CTR_START_RECURSIVE (UINT64_C(1) << 0)

/*
 * ctr_container_init: mounts the storage, writes the bundle and creates the container in the OCI
 * runtime, ready to be started. Allowed in: configured, exited, stopped (which is cleaned up first).
 * Everything that it depends on must be running, unless CTR_INIT_RECURSIVE starts it; the lock of each of
 * these is taken for a moment.
 *   flags  CTR_INIT_*
 * State after: created; on failure as before, with everything undone. Event: init.
 * Errors: CTR_E_CTR_STATE (also: dependencies do not run; all their IDs are the detail "dependencies", by
 *   commas, and each ID is a detail with the state; or one whose namespaces are joined ends just now),
 *   CTR_E_NO_SUCH_CTR (a dependency is gone), CTR_E_INTERNAL (a circle of dependencies; detail "cycle"),
 *   CTR_E_OCI_* (details "oci.runtime", "oci.stderr"), CTR_E_CONMON_UNAVAILABLE, CTR_E_NO_HELPER, CTR_E_STORAGE,
 *   CTR_E_UNSUPPORTED, ... With CTR_INIT_RECURSIVE the error of the dependency that could not be started: detail
 *   "container" is its ID, "failed" those of all that were not started, by commas, and each of these IDs
 *   is a detail with the reason.
 * Since: 0.1
 */
CTR_API int ctr_container_init(ctr_container_t *c, uint64_t flags, ctr_error_t **err);

/*
 * ctr_container_start: starts the container's command, after an init where needed. Allowed in:
 * configured, created, stopped, exited. Dependencies as for ctr_container_init().
 *   flags  CTR_START_*
 * State after: running (a short command may have ended by the time this returns). Events: init, start.
 * Errors: as init; CTR_E_CTR_RUNNING if it runs already.
 * Since: 0.1
 */
CTR_API int ctr_container_start(ctr_container_t *c, uint64_t flags, ctr_error_t **err);

#define CTR_STOP_NOW     (UINT64_C(1) << 0) /* SIGKILL at once, whatever timeout_ms says        */
#define CTR_STOP_SERVICE (UINT64_C(1) << 1) /* do not record that the user stopped it           */

/* How to stop. `size` = sizeof(struct ctr_stop_opts). */
struct ctr_stop_opts {
	size_t size;
	uint64_t flags; /* CTR_STOP_*                                                            */
	int64_t
	    timeout_ms; /* from the stop signal to SIGKILL; 0 = the configuration's, -1 = no limit */
	int32_t signal; /* 1..64; 0 = the configuration's                                        */
	uint32_t
	    reserved; /* 0                                                                     */
};

/*
 * ctr_container_stop: sends the stop signal, waits, and sends SIGKILL if need be. Allowed in: created,
 * running, stopping. The lock is not held while waiting (except in a batch): state reads "stopping",
 * and kill, a second stop and remove(force) work meanwhile.
 *   o   NULL = the configuration's signal and timeout
 * State after: stopped, with the exit code (exited, as soon as the helper has cleaned up where there is one:
 * policy.h). Events: stop, died.
 * Errors: CTR_E_CTR_STOPPED if it has already ended, CTR_E_CTR_STATE, CTR_E_CONMON_DEAD (it was killed
 *   and cleaned up, but its exit code is lost), CTR_E_INVALID, CTR_E_OCI_*, ...
 * Since: 0.1
 */
CTR_API int ctr_container_stop(
    ctr_container_t *c, const struct ctr_stop_opts *o, ctr_error_t **err);

/*
 * ctr_container_stop_with_timeout: ctr_container_stop() with a timeout in milliseconds; 0 = SIGKILL at
 * once, -1 = wait for ever.
 * Since: 0.1
 */
CTR_API int ctr_container_stop_with_timeout(
    ctr_container_t *c, int64_t timeout_ms, ctr_error_t **err);

#define CTR_RESTART_NOW          (UINT64_C(1) << 0) /* SIGKILL at once, whatever timeout_ms says */
#define CTR_RESTART_ONLY_RUNNING (UINT64_C(1) << 1) /* do nothing unless it is running           */

/* How to restart. `size` = sizeof(struct ctr_restart_opts). */
struct ctr_restart_opts {
	size_t size;
	uint64_t flags; /* CTR_RESTART_*                                                          */
	int64_t
	    timeout_ms; /* from the stop signal to SIGKILL; 0 = the configuration's, -1 = no limit */
};

/*
 * ctr_container_restart: stops the container if it runs, and starts it again. Allowed in: configured,
 * created, running, stopped, exited. As with ctr_container_stop() the lock is not held while waiting for the end; what
 * automatic removal or a cleanup would do at this end is not done. It counts as a start by hand:
 * ctr_container_restart_count() begins at 0 again.
 *   o   NULL = the configuration's timeout
 * State after: running; if the start fails, exited. Events: restart, those of the stop, those of the start.
 * Errors: those of ctr_container_stop() and ctr_container_start().
 * Since: 0.1
 */
CTR_API int ctr_container_restart(
    ctr_container_t *c, const struct ctr_restart_opts *o, ctr_error_t **err);

/*
 * ctr_container_restart_with_timeout: ctr_container_restart() with a timeout in milliseconds; 0 = SIGKILL at
 * once, -1 = wait for ever.
 * Since: 0.1
 */
CTR_API int ctr_container_restart_with_timeout(
    ctr_container_t *c, int64_t timeout_ms, ctr_error_t **err);

/*
 * ctr_container_kill: sends signal `sig` (1..64) to the container's first process. Allowed in:
 * running, paused, stopping. After SIGKILL it returns once the exit is recorded (state stopped).
 * Event: kill.
 * Errors: CTR_E_INVALID (signal), CTR_E_CTR_STATE, CTR_E_CONMON_DEAD, CTR_E_OCI_*, ...
 * Since: 0.1
 */
CTR_API int ctr_container_kill(ctr_container_t *c, int32_t sig, ctr_error_t **err);

/*
 * ctr_container_pause: freezes all its processes. Allowed in: running. State after: paused. Event: pause.
 * Errors: CTR_E_CTR_STATE, CTR_E_NO_CGROUPS, CTR_E_UNSUPPORTED (the OCI runtime cannot), CTR_E_OCI_*, ...
 * Since: 0.1
 */
CTR_API int ctr_container_pause(ctr_container_t *c, ctr_error_t **err);

/*
 * ctr_container_unpause: thaws them. Allowed in: paused. State after: running. Event: unpause. Errors: as pause.
 * Since: 0.1
 */
CTR_API int ctr_container_unpause(ctr_container_t *c, ctr_error_t **err);

#define CTR_CLEANUP_ONLY_STOPPED (UINT64_C(1) << 0) /* CTR_E_CTR_STATE unless it is stopped */

/*
 * ctr_container_cleanup: after the container has ended: removes it from the OCI runtime and unmounts
 * its storage. stopped -> exited; created -> configured (killed first); configured and exited: nothing
 * to do. Every step is tried; the first error is returned. Event: cleanup.
 *   flags  CTR_CLEANUP_*
 * Since: 0.1
 */
CTR_API int ctr_container_cleanup(ctr_container_t *c, uint64_t flags, ctr_error_t **err);

#define CTR_REMOVE_FORCE     (UINT64_C(1) << 0) /* kill it first if it lives */
#define CTR_REMOVE_RECURSIVE (UINT64_C(1) << 1) /* first remove everything that depends on it */

/*
 * ctr_container_remove: removes the container and everything libctr made for it: processes, mounts,
 * cgroup, files, records. A directory given as root file system is never touched. Without
 * CTR_REMOVE_FORCE it must not be running, paused or stopping. Its exit code stays readable.
 * While others depend on it, it cannot be removed, unless CTR_REMOVE_RECURSIVE removes them first, those
 * that nothing depends on before the others, by force only if CTR_REMOVE_FORCE is given as well. Without force
 * nothing at all is removed unless the states of all allow it.
 *   flags  CTR_REMOVE_*
 * State on the way: removing; if it fails or the process dies, the container stays listed as removing
 * and remove can be called again. A container already gone is success. Event: remove.
 * Errors: CTR_E_CTR_STATE, CTR_E_CTR_EXISTS (others depend on it; detail "dependents"), CTR_E_BUSY
 *   (inside a batch), CTR_E_OCI_*, CTR_E_STORAGE, ... With CTR_REMOVE_RECURSIVE the error of the first
 *   dependent that could not be removed, with the details "container", "failed" and IDs as for
 *   ctr_container_init().
 * Since: 0.1
 */
CTR_API int ctr_container_remove(ctr_container_t *c, uint64_t flags, ctr_error_t **err);

/*
 * ctr_container_dependents: which containers depend on this one directly: for a namespace that they join, or
 * because they name it in CTR_CONFIG_DEPENDENCIES. (What it depends on itself: ctr_config_dependencies().)
 *   list  owned (ctr_strv_free): full IDs, sorted; empty if there are none
 * Any state.
 * Errors: CTR_E_INVALID (list is NULL), ...
 * Since: 0.1
 */
CTR_API int ctr_container_dependents(ctr_container_t *c, char ***list, ctr_error_t **err);

/*
 * ctr_container_wait: waits until the container has ended and its exit code is recorded.
 *   timeout_ms  0 = only look, -1 = no limit
 *   code        may be NULL; 0..255, 128 + signal, or -1: lost, or ended by CTR_CONFIG_TIMEOUT
 * A configured container gives 0 at once; one that is created is waited for until it has been started
 * and has ended. One that is removed or started again meanwhile gives the code it ended with. The lock is not held
 * while waiting, and nothing is polled: exits are seen through file descriptors.
 * Errors: CTR_E_TIMEOUT, CTR_E_BUSY (inside a batch), CTR_E_CONMON_DEAD is not one: the code is -1.
 * Since: 0.1
 */
CTR_API int ctr_container_wait(
    ctr_container_t *c, int64_t timeout_ms, int32_t *code, ctr_error_t **err);

/*
 * ctr_container_wait_fd: a descriptor for the host's own poll loop. It becomes readable when the
 * container may have ended; then call ctr_container_wait() with timeout 0, and on CTR_E_TIMEOUT poll
 * again with a new descriptor. It is readable at once if the container is neither created nor alive.
 * Returns the descriptor (close-on-exec); the caller closes it. Errors: CTR_E_BUSY (inside a batch),
 * CTR_E_UNSUPPORTED (the container's OCI runtime cannot), ...
 * Since: 0.1
 */
CTR_API int ctr_container_wait_fd(ctr_container_t *c, ctr_error_t **err);

/*
 * ctr_container_wait_with_interval: ctr_container_wait() without a limit.
 *   interval_ms  how often an OCI runtime that offers no descriptor is asked; 0 or less = 250
 * Since: 0.1
 */
CTR_API int ctr_container_wait_with_interval(
    ctr_container_t *c, int64_t interval_ms, int32_t *code, ctr_error_t **err);

#define CTR_WAIT_LOOK (UINT64_C(1) << 0) /* only look: CTR_E_TIMEOUT if no condition is met now */

/* What to wait for. `size` = sizeof(struct ctr_wait_opts). */
struct ctr_wait_opts {
	size_t size;
	uint64_t flags; /* CTR_WAIT_*                                                 */
	const char *const
	    *conditions;    /* NULL-terminated; any of them is enough                     */
	int64_t timeout_ms; /* 0 or -1 = no limit                                         */
	int64_t
	    interval_ms;   /* how often what no descriptor tells is asked for; 0 = 250           */
	int32_t cancel_fd; /* the wait ends when it becomes readable; 0 or -1 = none             */
	uint32_t reserved; /* 0                                                                  */
};

/*
 * ctr_container_wait_for: waits until one of several conditions is met. They are
 *   the words of ctr_state_name(), and "configured": the container is or was in that state during the call. A state
 *     is noticed however short it was;
 *   "stopped", "exited": it has ended, as for ctr_container_wait(); a configured container counts as ended;
 *   "removing": it is being removed, or is gone;
 *   "healthy", "unhealthy": its health, while it runs.
 *   o     what to wait for
 *   code  may be NULL; of "stopped", "exited", and of "removing" if it is known, the exit code; else -1
 * The lock is not held while waiting. One inotify instance is used; where there is none left, the state is looked
 * at at intervals, and still none is missed.
 * Errors: CTR_E_INVALID (no condition, an unknown one), CTR_E_TIMEOUT, CTR_E_CANCELLED, CTR_E_NO_HEALTHCHECK,
 *   CTR_E_CTR_STOPPED (it ended while its health was waited for, and that was no condition), CTR_E_CTR_REMOVED (and
 *   that was no condition), CTR_E_BUSY (inside a batch), ...
 * Since: 0.1
 */
CTR_API int ctr_container_wait_for(
    ctr_container_t *c, const struct ctr_wait_opts *o, int32_t *code, ctr_error_t **err);

/*
 * ctr_container_sync: asks the OCI runtime itself what the container is doing and corrects the stored
 * state, e.g. after its monitor was killed; also has its health checks go on if their process was killed. Any state. Event: sync, if something changed.
 * Errors: CTR_E_OCI_*, ...
 * Since: 0.1
 */
CTR_API int ctr_container_sync(ctr_container_t *c, ctr_error_t **err);

/*
 * ctr_container_rename: gives the container another name, which must be free among names and IDs. Allowed
 * in every state but removing; a running container is not touched. All handles, in all processes, see it
 * at once, and so do listings and lookups.
 *   new_name  as CTR_CONFIG_NAME: one leading "/" is dropped
 * One durable commit: on failure nothing is changed. Event: rename, with the new name.
 * Errors: CTR_E_INVALID (detail "field"), CTR_E_CTR_EXISTS (the name is in use, or its own),
 *   CTR_E_CTR_STATE, ...
 * Since: 0.1
 */
CTR_API int ctr_container_rename(ctr_container_t *c, const char *new_name, ctr_error_t **err);

/* What to change; NULL and 0 = as it is. `size` = sizeof(struct ctr_update_opts). */
struct ctr_update_opts {
	size_t size;
	uint64_t flags; /* 0 */
	/* A JSON object that is merged into linux.resources of the spec, with any of:
	 *   memory: limit, reservation, swap (memory and swap together); bytes, -1 = no limit
	 *   cpu: shares, quota, period, realtimeRuntime, realtimePeriod, cpus, mems
	 *   pids: limit (-1 = none)        blockIO: weight
	 *   unified: files of cgroup 2 and their contents */
	const char *resources;
	const char *
	    restart_policy; /* "no", "always", "on-failure", "unless-stopped"; retries start at 0 */
	int64_t restart_retries; /* with on-failure; at most INT32_MAX */
	const char *const *env;  /* "NAME=value", set from the next start on; NULL-terminated */
	const char *const *env_unset; /* "NAME", removed before those are set; NULL-terminated */
};

/*
 * ctr_container_update: changes limits, restart policy and environment of a container that exists.
 * Allowed in every state but removing. Limits of a created, running or paused container change at once;
 * in other states they count from the next start on. Stored in one durable commit; if the OCI runtime
 * refuses the limits, nothing is changed. After a kill in the middle the next caller makes the container's
 * limits those that are stored.
 *   opts  borrowed; something must be asked for
 * Event: update.
 * Errors: CTR_E_INVALID (detail "field", e.g. "resources.memory.limit"), CTR_E_UNSUPPORTED (a resource that
 *   cannot be changed; or the container lives and its OCI runtime cannot change limits), CTR_E_NO_CGROUPS,
 *   CTR_E_CTR_STATE, CTR_E_OCI_*, ...
 * Since: 0.1
 */
CTR_API int ctr_container_update(
    ctr_container_t *c, const struct ctr_update_opts *opts, ctr_error_t **err);

/*
 * ctr_container_refresh: takes down everything of the container's run (thaws it, stops it, removes it from
 * the OCI runtime, unmounts everything, also uses of ctr_container_mount()), forgets what is recorded of it,
 * and brings it back to where it was: created, running and paused containers are made anew, a stopped one is
 * exited afterwards. Kept: exit code, times, whether the user stopped it. Any state but removing and
 * stopping. The lock is held throughout, for as long as a stop may take.
 * Events: those of the steps, then refresh. If a step fails or the process dies the container stays where
 * that step has led it, at worst exited or configured.
 * Errors: CTR_E_CTR_STATE, and those of stop, cleanup, init, start and pause.
 * Since: 0.1
 */
CTR_API int ctr_container_refresh(ctr_container_t *c, ctr_error_t **err);

/*
 * ctr_container_mount: makes the root file system available on the host and counts one use.
 *   path  owned (ctr_free); may be NULL
 * Any state but removing. Event: mount.
 * Since: 0.1
 */
CTR_API int ctr_container_mount(ctr_container_t *c, char **path, ctr_error_t **err);

#define CTR_UNMOUNT_FORCE (UINT64_C(1) << 0) /* drop all uses at once */

/*
 * ctr_container_unmount: drops one use of ctr_container_mount(). The uses of a created, running, paused
 * or stopped container itself are not dropped: CTR_E_CTR_STATE. Event: unmount.
 *   flags  CTR_UNMOUNT_*
 * Since: 0.1
 */
CTR_API int ctr_container_unmount(ctr_container_t *c, uint64_t flags, ctr_error_t **err);

#ifdef __cplusplus
}
#endif
#endif
