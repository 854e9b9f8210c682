/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libctr/exec.h - more processes in a running container.
 *
 * An exec session is a process to be run in a container: created, started once, ended, removed. Sessions are recorded, so
 * that every process sees them; they end with the container's run and are removed when that is cleaned up.
 *
 *	static const char *const command[] = {"ls", "-l", NULL};
 *	struct ctr_exec_opts o = {.size = sizeof(o), .command = command};
 *	struct ctr_attach_opts io = {.size = sizeof(io), .flags = CTR_ATTACH_STDOUT, .stdout_fd = 1};
 *	ctr_container_exec(c, &o, &io, &code, &err);     // all in one
 *
 * or step by step: ctr_container_exec_create(), ctr_exec_start(), ctr_exec_wait(), ctr_exec_remove().
 *
 * A handle outlives its session: once that is removed, by whom ever or with its container, calls give CTR_E_EXEC_REMOVED.
 */
#ifndef LIBCTR_EXEC_H
#define LIBCTR_EXEC_H

#include <libctr/attach.h>
#include <libctr/error.h>
#include <libctr/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* States of an exec session: libpod's numbers and words. Numbers are frozen. */
enum {
	CTR_EXEC_STATE_UNKNOWN = 0,
	CTR_EXEC_STATE_CREATED = 1,
	CTR_EXEC_STATE_RUNNING = 2,
	CTR_EXEC_STATE_STOPPED = 3
};

/* ctr_exec_state_name: "created", "running", "stopped"; "unknown" for 0, "bad state" for other numbers. Static. Since: 0.1 */
CTR_API const char *ctr_exec_state_name(int32_t state);

#define CTR_EXEC_TERMINAL (UINT64_C(1) << 0) /* the process gets a terminal                      */
#define CTR_EXEC_PRIVILEGED \
	(UINT64_C(1) << 1)                /* all capabilities that this process may give      */
#define CTR_EXEC_STDIN (UINT64_C(1) << 2) /* its standard input is open, not /dev/null        */

/* What to run. `size` = sizeof(struct ctr_exec_opts). Strings and lists are copied; lists are NULL-terminated. What is NULL
 * is as in the container. */
struct ctr_exec_opts {
	size_t size;
	uint64_t flags;             /* CTR_EXEC_*                                                */
	const char *const *command; /* required: program and arguments                           */
	const char *const *env;     /* "NAME=value", added to the container's                    */
	const char *user;           /* "user", "user:group", names or numbers                    */
	const char *const *groups;  /* supplementary groups, names or numbers, added             */
	const char *workdir;        /* absolute                                                  */
	const char *detach_keys;    /* for attaches that name none; as in struct ctr_attach_opts */
	const char *const *
	    exit_command; /* run by the monitor at the end: absolute path, arguments; session ID and container ID are added */
	int64_t
	    exit_command_delay_s; /* seconds from the end to that                              */
};

/*
 * ctr_container_exec_create: records a session. Nothing runs yet. Allowed in: running.
 *   out  ref; drop with ctr_exec_unref()
 * Errors: CTR_E_INVALID (detail "field"), CTR_E_CTR_STATE, CTR_E_UNSUPPORTED (the OCI runtime cannot), CTR_E_BUSY
 *   (inside a batch), ...
 * Since: 0.1
 */
CTR_API int ctr_container_exec_create(
    ctr_container_t *c, const struct ctr_exec_opts *o, ctr_exec_t **out, ctr_error_t **err);

/*
 * ctr_container_exec_lookup: a session of this container by its full ID or a unique prefix of it.
 *   out  ref
 * Any state. Errors: CTR_E_NO_SUCH_EXEC, CTR_E_EMPTY_ID, CTR_E_INVALID (several match), ...
 * Since: 0.1
 */
CTR_API int ctr_container_exec_lookup(
    ctr_container_t *c, const char *id, ctr_exec_t **out, ctr_error_t **err);

/*
 * ctr_runtime_exec_lookup: a session of whatever container, by its full ID.
 *   out  ref
 * Errors: CTR_E_NO_SUCH_EXEC, CTR_E_EMPTY_ID, ...
 * Since: 0.1
 */
CTR_API int ctr_runtime_exec_lookup(
    ctr_runtime_t *rt, const char *id, ctr_exec_t **out, ctr_error_t **err);

/*
 * ctr_container_exec_sessions: the IDs of all its sessions, sorted.
 *   list  owned (ctr_strv_free); empty if there are none
 * Any state.
 * Since: 0.1
 */
CTR_API int ctr_container_exec_sessions(ctr_container_t *c, char ***list, ctr_error_t **err);

/*
 * ctr_container_exec: creates a session, starts it, waits for its end and removes it, all in one. With `io` it is attached to:
 * this call then returns when the process has ended and its output was passed on, or with the session running on and not
 * removed if the detach keys were pressed.
 *   io    NULL = no streams
 *   code  the process's exit code: 0..255, 128 + signal; -1 if it was lost. If this call fails: 126 if the
 *         program may not be executed, 127 if there is none, else 125 (as podman and shells have it). May be NULL
 * Returns 0, or CTR_ATTACH_DETACHED. Events: exec, exec_died. Errors: those of the single steps.
 * Since: 0.1
 */
CTR_API int ctr_container_exec(ctr_container_t *c, const struct ctr_exec_opts *o,
    const struct ctr_attach_opts *io, int32_t *code, ctr_error_t **err);

/* How to start a session. `size` = sizeof(struct ctr_exec_start_opts). */
struct ctr_exec_start_opts {
	size_t size;
	uint64_t flags; /* 0                                                     */
	const struct ctr_attach_opts
	    *io; /* NULL = not attached                                   */
	const int32_t
	    *fds;     /* descriptors of the host that the process gets as 3, 4, ...          */
	size_t fds_n; /* at most 8                                                           */
};

/*
 * ctr_exec_start: starts the session's process; returns when it runs. Allowed: container running, session created.
 *   o    NULL = detached
 *   out  with o->io: ref of the attach, which is made before the process runs; else set to NULL (may be NULL then)
 * Without streams its output is dropped. Event: exec.
 * Errors: CTR_E_EXEC_STATE, CTR_E_EXEC_REMOVED, CTR_E_CTR_STATE, CTR_E_OCI_NOT_FOUND (no such program),
 *   CTR_E_OCI_PERMISSION (it may not be executed), CTR_E_OCI_*, CTR_E_CONMON_*, CTR_E_INVALID, ... The session is stopped then, with
 *   exit code 127, 126 or 125.
 * Since: 0.1
 */
CTR_API int ctr_exec_start(
    ctr_exec_t *x, const struct ctr_exec_start_opts *o, ctr_attach_t **out, ctr_error_t **err);

/*
 * ctr_exec_http_start: starts it and serves its streams over a hijacked connection, as
 * ctr_container_http_attach() does. CTR_HTTP_STREAM is understood, CTR_HTTP_LOGS is CTR_E_INVALID.
 *   rows, cols  size of the terminal; 0 = leave it
 * Since: 0.1
 */
CTR_API int ctr_exec_http_start(ctr_exec_t *x, int32_t fd, const struct ctr_http_opts *o,
    uint32_t rows, uint32_t cols, ctr_attach_t **out, ctr_error_t **err);

/*
 * ctr_exec_resize: sets the size of its terminal (1..1000 each). Without a terminal nothing happens. Session: running.
 * Errors: CTR_E_EXEC_STATE, CTR_E_EXEC_REMOVED, CTR_E_INVALID, ...
 * Since: 0.1
 */
CTR_API int ctr_exec_resize(ctr_exec_t *x, uint32_t rows, uint32_t cols, ctr_error_t **err);

#define CTR_EXEC_STOP_NOW (UINT64_C(1) << 0) /* SIGKILL at once, whatever timeout_ms says */

/*
 * ctr_exec_stop: SIGTERM, and SIGKILL after a while. Session: running. The lock is not held while waiting. Event: exec_died.
 *   timeout_ms  0 = the container's stop timeout, -1 = no limit
 *   flags       CTR_EXEC_STOP_*
 * Errors: CTR_E_EXEC_STATE, CTR_E_EXEC_REMOVED, CTR_E_TIMEOUT (it survives SIGKILL), ...
 * Since: 0.1
 */
CTR_API int ctr_exec_stop(ctr_exec_t *x, int64_t timeout_ms, uint64_t flags, ctr_error_t **err);

/*
 * ctr_exec_wait: waits until the session has ended. One that is not started yet is waited for, too.
 *   timeout_ms  0 = only look, -1 = no limit
 *   code        may be NULL; 0..255, 128 + signal; -1 if it was lost
 * Errors: CTR_E_TIMEOUT, CTR_E_EXEC_REMOVED (its code is not known any more), ...
 * Since: 0.1
 */
CTR_API int ctr_exec_wait(ctr_exec_t *x, int64_t timeout_ms, int32_t *code, ctr_error_t **err);

/*
 * ctr_exec_wait_fd: a descriptor for the host's own poll loop, as ctr_container_wait_fd(). The caller closes it. Session:
 * running; readable at once if it has ended or is removed.
 * Errors: CTR_E_EXEC_STATE (not started yet), CTR_E_UNSUPPORTED (the OCI runtime has none), ...
 * Since: 0.1
 */
CTR_API int ctr_exec_wait_fd(ctr_exec_t *x, ctr_error_t **err);

/*
 * ctr_exec_cleanup: records the end of a session whose process has ended, and removes its files. Session: not running.
 * Since: 0.1
 */
CTR_API int ctr_exec_cleanup(ctr_exec_t *x, ctr_error_t **err);

#define CTR_EXEC_REMOVE_FORCE (UINT64_C(1) << 0) /* stop it first if it runs */

/*
 * ctr_exec_remove: removes the session. Without CTR_EXEC_REMOVE_FORCE it must not be running.
 *   flags  CTR_EXEC_REMOVE_*
 * Errors: CTR_E_EXEC_STATE, CTR_E_EXEC_REMOVED, ...
 * Since: 0.1
 */
CTR_API int ctr_exec_remove(ctr_exec_t *x, uint64_t flags, ctr_error_t **err);

/*
 * ctr_exec_inspect: the session as JSON with libpod's keys: CanRemove, ContainerID, DetachKeys, ExitCode, ID,
 * OpenStderr, OpenStdin, OpenStdout, Running, Pid, ProcessConfig{arguments, entrypoint, privileged, tty, user}.
 *   out  owned (ctr_free)
 *   len  may be NULL
 * Errors: CTR_E_EXEC_REMOVED, ...
 * Since: 0.1
 */
CTR_API int ctr_exec_inspect(ctr_exec_t *x, char **out, size_t *len, ctr_error_t **err);

/* ctr_exec_id: its full ID, borrowed. Since: 0.1 */
CTR_API const char *ctr_exec_id(const ctr_exec_t *x);

/* ctr_exec_container: the container's handle; ref. Since: 0.1 */
CTR_API ctr_container_t *ctr_exec_container(const ctr_exec_t *x);

/* ctr_exec_command: program and arguments, NULL-terminated; borrowed from the handle. Since: 0.1 */
CTR_API const char *const *ctr_exec_command(const ctr_exec_t *x, size_t *n);

/* ctr_exec_state: CTR_EXEC_STATE_*; liveness is looked at. Errors: CTR_E_EXEC_REMOVED, ... Since: 0.1 */
CTR_API int ctr_exec_state(ctr_exec_t *x, int32_t *state, ctr_error_t **err);

/* ctr_exec_pid: PID of its process on the host, 0 unless it runs. Since: 0.1 */
CTR_API int ctr_exec_pid(ctr_exec_t *x, int32_t *pid, ctr_error_t **err);

/* ctr_exec_exit_code: 1 and its exit code if it has ended, else 0. Since: 0.1 */
CTR_API int ctr_exec_exit_code(ctr_exec_t *x, int32_t *code, ctr_error_t **err);

/* ctr_exec_ref: one more reference. NULL is fine. Since: 0.1 */
CTR_API ctr_exec_t *ctr_exec_ref(ctr_exec_t *x);

/* ctr_exec_unref: drops a reference; the session goes on. Returns NULL; NULL is fine. Since: 0.1 */
CTR_API ctr_exec_t *ctr_exec_unref(ctr_exec_t *x);

/* ctr_exec_unrefp: for __attribute__((cleanup)). Since: 0.1 */
CTR_API void ctr_exec_unrefp(ctr_exec_t **x);

#ifdef __cplusplus
}
#endif
#endif
