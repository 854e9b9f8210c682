/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libctr/sys/oci_ops.h - for authors of an OCI runtime that libctr shall drive.
 *
 * Promise for all operations:
 *  - They get plain data, borrowed for the call. They never see a container's handle, and must not
 *    call libctr except ctr_error_set(), ctr_error_add() and ctr_free().
 *  - They run on the thread that called the library, with the container's lock held (so two
 *    operations on one container never overlap), and with no store transaction open.
 *  - They return 0 or positive for success and a negative CTR_E_* code after ctr_error_set().
 *  - They may be called by another process than the one that made the container: whatever they need
 *    to know must be found from the arguments.
 *  - After a host was killed inside an operation, `remove` is called with CTR_OCI_INTERRUPTED (create)
 *    or `state` (the others); both must then tell or restore the truth.
 */
#ifndef LIBCTR_SYS_OCI_OPS_H
#define LIBCTR_SYS_OCI_OPS_H

#include <libctr/error.h>
#include <libctr/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What an OCI runtime says of a container (struct ctr_oci_status.status). */
enum {
	CTR_OCI_ABSENT = 0,  /* it does not know the container */
	CTR_OCI_CREATED = 1, /* created, not started           */
	CTR_OCI_RUNNING = 2,
	CTR_OCI_PAUSED = 3,
	CTR_OCI_STOPPED = 4 /* ended, not removed             */
};

#define CTR_OCI_TERMINAL       (UINT64_C(1) << 0) /* process.terminal is set                   */
#define CTR_OCI_STDIN          (UINT64_C(1) << 1) /* keep stdin open                           */
#define CTR_OCI_SYSTEMD_CGROUP (UINT64_C(1) << 2) /* cgroup_path is slice:prefix:name          */
#define CTR_OCI_SHARED_PID     (UINT64_C(1) << 3) /* no PID namespace of its own: signal all   */
#define CTR_OCI_START_HOOKS    (UINT64_C(1) << 4) /* the bundle has hooks that run at start    */
#define CTR_OCI_EXIT_COMMAND   (UINT64_C(1) << 5) /* an exit command belongs to its run        */
#define CTR_OCI_NOT_STARTED    (UINT64_C(1) << 6) /* attach: it was not started yet            */

/* A container as an operation sees it. Strings may be NULL where they do not apply. */
struct ctr_oci_container {
	size_t size;    /* sizeof of this struct in the library                            */
	uint64_t flags; /* CTR_OCI_TERMINAL ...                                            */
	const char *id; /* full ID                                                         */
	const char *name;
	const char *bundle;   /* directory with config.json; absolute; also the run directory    */
	const char *log_path; /* absolute; NULL = no log wanted                                  */
	const char *pid_file; /* where the monitor's PID is wanted; NULL = nowhere               */
	const char
	    *cgroup_path;      /* as in linux.cgroupsPath; NULL = no cgroup                       */
	uint64_t log_size_max; /* bytes; 0 = no limit                                             */
	uint64_t timeout_s;    /* kill the container after so many seconds; 0 = never             */
	uint64_t pid_start;    /* start time of `pid` (field 22 of /proc/PID/stat); 0 = unknown   */
	uint64_t
	    monitor_start;   /* the same for monitor_pid                                        */
	int32_t pid;         /* container's first process; 0 = none known                       */
	int32_t monitor_pid; /* process that watches it; 0 = none                               */
	/* What the monitor runs, once, when the container has ended and its exit data is recorded:
	 * absolute path and arguments, NULL-terminated; NULL = nothing. Given to `create` alone, of a
	 * runtime with CTR_OCI_CAP_EXIT_COMMAND. */
	const char *const *exit_command;
	const char *
	    log_driver; /* how the log is wanted: "k8s-file" or "json-file" at log_path, "journald",
	                         * "none"; NULL = k8s-file                                              */
	const char
	    *log_tag; /* CONTAINER_TAG of its records in the journal; NULL = none             */
};

/* What an operation reports. The library zeroes it and sets `size` before the call. */
struct ctr_oci_status {
	size_t size;
	int64_t finished_ns; /* when it ended, nanoseconds since 1970; 0 = unknown               */
	uint64_t pid_start;  /* start time of `pid`; 0 = unknown                                 */
	uint64_t
	    monitor_start;   /* start time of `monitor_pid`                                      */
	int32_t status;      /* CTR_OCI_*                                                        */
	int32_t pid;         /* first process on the host; 0 = none                              */
	int32_t monitor_pid; /* 0 = none                                                         */
	int32_t exit_code;   /* 0..255; 128 + signal; -1 = unknown                               */
	uint32_t oom_killed; /* 1 = the kernel's OOM killer struck                               */
	uint32_t reserved;
};

#define CTR_OCI_EXEC_TERMINAL (UINT64_C(1) << 0) /* it gets a terminal                            */
#define CTR_OCI_EXEC_STDIN    (UINT64_C(1) << 1) /* its standard input stays open                 */
#define CTR_OCI_EXEC_STREAMS  (UINT64_C(1) << 2) /* its streams are wanted                        */

/* One more process as an operation sees it. */
struct ctr_oci_exec {
	size_t size;
	uint64_t flags; /* CTR_OCI_EXEC_*                                                       */
	const char *id; /* of the session                                                       */
	const char
	    *dir; /* its directory, absolute, made and empty at the start, removed by the library */
	const char
	    *process; /* to start it: JSON of the OCI spec's process; else NULL               */
	const int32_t
	    *fds; /* to start it: descriptors that it gets as 3, 4, ...                   */
	size_t fds_n;
	const char *const
	    *exit_command;     /* to start it: as in struct ctr_oci_container; NULL = none */
	uint64_t exit_delay_s; /* from its end to the exit command                         */
	uint64_t pid_start;    /* start time of `pid`                                      */
	uint64_t monitor_start;
	int32_t pid; /* 0 = not known                                                        */
	int32_t monitor_pid;
};

/* Capability bits (struct ctr_oci_ops.caps). */
#define CTR_OCI_CAP_NO_CGROUPS   (UINT64_C(1) << 0) /* can run a container without a cgroup  */
#define CTR_OCI_CAP_EXIT_COMMAND (UINT64_C(1) << 1) /* its monitor runs exit_command at the end */

#define CTR_OCI_INTERRUPTED (UINT64_C(1) << 0) /* remove: an interrupted create may be half done */

#define CTR_OCI_KILL_ALL (UINT64_C(1) << 0) /* kill: every process of the container */

/*
 * The operations. `size` = sizeof(struct ctr_oci_ops). NULL = not supported (the caller then gets
 * CTR_E_UNSUPPORTED); those marked R are required. New operations are only added at the end.
 */
struct ctr_oci_ops {
	size_t size;
	uint64_t caps;    /* CTR_OCI_CAP_* */
	const char *name; /* what a configuration's field "runtime" names */

	/* R. Makes the container from its bundle, not yet started. out: pid, monitor_pid and their
	 * start times. On failure nothing of it may be left. */
	int (*create)(void *impl, const struct ctr_oci_container *c, struct ctr_oci_status *out,
	    ctr_error_t **err);

	/* R. Starts a created container. */
	int (*start)(void *impl, const struct ctr_oci_container *c, ctr_error_t **err);

	/* R. Asks the runtime itself. out: status, and exit data if it has ended. An unknown container
	 * is success with CTR_OCI_ABSENT. */
	int (*state)(void *impl, const struct ctr_oci_container *c, struct ctr_oci_status *out,
	    ctr_error_t **err);

	/* R. Sends signal `sig` (1..64). A container that has already ended is CTR_E_CTR_STOPPED. */
	int (*kill)(void *impl, const struct ctr_oci_container *c, int32_t sig, uint64_t flags,
	    ctr_error_t **err);

	/* R. Forgets the container, killing it if it lives. An unknown one is success. */
	int (*remove)(
	    void *impl, const struct ctr_oci_container *c, uint64_t flags, ctr_error_t **err);

	/* Freezes and thaws. */
	int (*pause)(void *impl, const struct ctr_oci_container *c, ctr_error_t **err);
	int (*resume)(void *impl, const struct ctr_oci_container *c, ctr_error_t **err);

	/* Has it ended? 1 = yes, and exit_code, finished_ns, oom_killed are set; 0 = not yet. Called
	 * often, so it must be cheap: no process may be started. NULL: `state` is used instead. */
	int (*exit_status)(void *impl, const struct ctr_oci_container *c,
	    struct ctr_oci_status *out, ctr_error_t **err);

	/* A new descriptor, close-on-exec, that polls readable when exit_status may have changed to 1,
	 * at the latest when the exit data is there, or at once if it already is. The library closes it.
	 * NULL: waits look at exit_status every 250 ms. */
	int (*wait_fd)(void *impl, const struct ctr_oci_container *c, ctr_error_t **err);

	/* 1 = somebody will still record the exit data of a container that has ended, 0 = nobody.
	 * NULL: assumed 1. */
	int (*monitor_alive)(void *impl, const struct ctr_oci_container *c, ctr_error_t **err);

	/* Changes the limits of a created, running or paused container. `resources`: the JSON of
	 * linux.resources with those members that change. */
	int (*update)(void *impl, const struct ctr_oci_container *c, const char *resources,
	    ctr_error_t **err);

	/* Runs one more process in a running container to its end: `process` is the JSON of the OCI
	 * spec's process. Its standard output and error are collected, at most `output_max` bytes, into
	 * *output (malloc'ed, *output_len bytes, NUL-terminated; the caller frees it). It is killed after
	 * timeout_ms (-1 = never): CTR_E_TIMEOUT. *exit_code: 0..255, 128 + signal; 126 and 127 if it could
	 * not be executed. */
	int (*run_process)(void *impl, const struct ctr_oci_container *c, const char *process,
	    int64_t timeout_ms, size_t output_max, int32_t *exit_code, char **output,
	    size_t *output_len, ctr_error_t **err);

	/*
	 * Connects to the streams of a created or running container. Returns a connected socket of type SOCK_SEQPACKET,
	 * close-on-exec, which the library closes. It speaks conmon's way: from the container come packets of at most
	 * 8193 bytes, the first of which is 2 (standard output, and all of a terminal) or 3 (standard error), and end
	 * of file when its output has ended; to the container go bytes as they are, at most 32768 in a packet, and
	 * shutdown(SHUT_WR) closes its standard input. With CTR_OCI_NOT_STARTED nothing that the container prints from
	 * its start on may be missed.
	 */
	int (*attach)(void *impl, const struct ctr_oci_container *c, ctr_error_t **err);

	/* Sets the size of its terminal; success without one. rows and cols: 1..1000. */
	int (*resize)(void *impl, const struct ctr_oci_container *c, uint32_t rows, uint32_t cols,
	    ctr_error_t **err);

	/*
	 * Starts one more process in a running container. With CTR_OCI_EXEC_STREAMS *stream is set to a socket
	 * as from `attach`, connected before the process runs. out: pid, monitor_pid and their start times. On failure
	 * no process of it may be left; CTR_E_OCI_NOT_FOUND and CTR_E_OCI_PERMISSION tell of the program.
	 * Called WITHOUT the container's lock, perhaps several times at once; the container may end meanwhile.
	 */
	int (*exec_start)(void *impl, const struct ctr_oci_container *c,
	    const struct ctr_oci_exec *x, struct ctr_oci_status *out, int *stream,
	    ctr_error_t **err);

	/* Has it ended? As exit_status: 1 and exit_code and finished_ns (-1 and the time of asking if nobody can tell
	 * any more), or 0. Cheap. */
	int (*exec_status)(void *impl, const struct ctr_oci_container *c,
	    const struct ctr_oci_exec *x, struct ctr_oci_status *out, ctr_error_t **err);

	/* As wait_fd, for exec_status. */
	int (*exec_wait_fd)(void *impl, const struct ctr_oci_container *c,
	    const struct ctr_oci_exec *x, ctr_error_t **err);

	/* Sends it signal `sig`; CTR_E_CTR_STOPPED if it has ended. */
	int (*exec_kill)(void *impl, const struct ctr_oci_container *c,
	    const struct ctr_oci_exec *x, int32_t sig, ctr_error_t **err);

	/* As resize. */
	int (*exec_resize)(void *impl, const struct ctr_oci_container *c,
	    const struct ctr_oci_exec *x, uint32_t rows, uint32_t cols, ctr_error_t **err);

	/* Ends whatever there is of the session: its process by SIGKILL, its monitor, a start that was interrupted
	 * because its host was killed (then pid is 0). Idempotent; an unknown one is success. */
	int (*exec_remove)(void *impl, const struct ctr_oci_container *c,
	    const struct ctr_oci_exec *x, ctr_error_t **err);

	/* new operations go below this line */
};

#ifdef __cplusplus
}
#endif
#endif
