/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The built-in OCI driver, seen from inside: one object per runtime binary, immutable once made.
 *
 * driver.c     the object and its ops table    conmon.c   create: spawning conmon, the handshake
 * arguments.c  conmon's command line
 * message.c    what conmon and runtimes say    command.c  the runtime's own commands
 * faststart.c  start without a process         exit.c     exit files, waiting
 * processes.c  finding and ending monitors     recover.c  remove, and what a killed host left
 * files.c      removing the files of a run
 * exec.c       one more process in a container  attach.c   the socket of the streams, the terminal's size
 */
#ifndef LIBCTR_OCI_DRIVER_H
#define LIBCTR_OCI_DRIVER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <libctr/sys/oci_ops.h>

#include "util/err.h"
#include "util/str.h"

/* Runtimes whose insides we know: state directory <root>/ID with exec.fifo in it while "created". */
enum ctr__runtime_kind { CTR__RUNTIME_OTHER, CTR__RUNTIME_RUNC, CTR__RUNTIME_CRUN };

struct ctr__conmon {
	char *name; /* of the runtime: last component of its path */
	char *runtime_path;
	char *conmon_path; /* NULL: none */
	char *exits_dir;
	char *persist_dir;
	char *oci_root; /* --root of the runtime */
	int exits_fd;
	int persist_fd;
	int oci_fd;
	enum ctr__runtime_kind kind;
	bool json_errors; /* it takes --log-format=json */
	int64_t create_timeout_ms;
	int64_t command_timeout_ms;
};

/* Files in the bundle directory that belong to the monitor. */
#define CTR__CONMON_PID_FILE "conmon.pid"
#define CTR__CTR_PID_FILE    "pidfile"
#define CTR__CTR_PID_TMP     ".pidfile" /* runc writes the PID file here first */
#define CTR__OCI_LOG         "oci-log"
#define CTR__ATTACH_SOCKET   "attach"
#define CTR__CTL_FIFO        "ctl"
#define CTR__WINSZ_FIFO      "winsz"

#define CTR__OCI_TEXT_MAX (64U << 10) /* of what a runtime prints; also the longest sync message */

/* ---- driver.c ---- */
/* The environment of conmon and of every runtime command begins with these. */
#define CTR__OCI_ENV \
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "XDG_RUNTIME_DIR="
/* Is the runtime's binary there? 0 or CTR_E_OCI_UNAVAILABLE. */
int ctr__oci_check_runtime(const struct ctr__conmon *d, ctr_error_t **err);
/* The same for conmon: CTR_E_CONMON_UNAVAILABLE. */
int ctr__oci_check_conmon(const struct ctr__conmon *d, ctr_error_t **err);
/* Common to all operations: an ID that is safe as file name and argument, a bundle. CTR_E_INVALID. */
int ctr__oci_check_container(const struct ctr_oci_container *c, ctr_error_t **err);

/* ---- message.c ---- */
struct ctr__oci_reply {
	int32_t pid;   /* > 0: created; -1: failed */
	char *message; /* malloc'ed, of a failure; NULL if there is none */
};
/* Conmon's sync packet. False: not of the form (or memory is short). */
bool ctr__oci_parse_reply(const char *data, size_t len, struct ctr__oci_reply *r);
/* What went wrong, out of a runtime's stderr or log file: the last error of JSON or logrus lines, else the
 * plain text. Valid UTF-8, trimmed, malloc'ed; "" if it says nothing; NULL if memory is short. */
char *ctr__oci_error_text(const char *data, size_t len);
/* The same text on one line and without the words that only name the runtime. */
char *ctr__oci_one_line(const char *text);
/* Class of a failed create: CTR_E_OCI_PERMISSION, _NOT_FOUND, _SECURITY or _RUNTIME. */
int ctr__oci_classify(const char *text);
/* Answer of the command `state`. */
struct ctr__oci_answer {
	int32_t status; /* CTR_OCI_* */
	int32_t pid;
};
bool ctr__oci_parse_state(const char *data, size_t len, struct ctr__oci_answer *a);
/* Does this error say that the runtime has no such container? */
bool ctr__oci_says_unknown(const char *text, const char *id);

/* ---- command.c ---- */
struct ctr__oci_result {
	struct ctr__buf out;
	struct ctr__buf diag;
	bool ok;    /* exit status 0; if unknown: it printed no error */
	bool known; /* the exit status is known */
};
void ctr__oci_result_free(struct ctr__oci_result *r);
#define CTR__OCI_RESULT CTR__CLEANUP(ctr__oci_result_free)
/* Runs `runtime --root R args...` (NULL-terminated) for a container. Nonzero only if it could not be run. */
int ctr__oci_run(const struct ctr__conmon *d, const struct ctr_oci_container *c,
    const char *const *args, struct ctr__oci_result *r, ctr_error_t **err);
/* CTR_E_OCI_RUNTIME with the command's own words. `what` = "start", ... */
int ctr__oci_command_failed(const struct ctr__conmon *d, const struct ctr__oci_result *r,
    const char *what, ctr_error_t **err);
/* 1: it may know this container; 0: it certainly does not; no process is started. */
bool ctr__oci_may_know(const struct ctr__conmon *d, const char *id);
/* Before the runtime is asked or told: see ctr__cgroup_unstick(). */
void ctr__oci_unstick(const struct ctr__conmon *d, const struct ctr_oci_container *c);
/* The runtime's view, without exit data and monitor. */
int ctr__oci_query(const struct ctr__conmon *d, const struct ctr_oci_container *c,
    struct ctr__oci_answer *a, ctr_error_t **err);

int ctr__oci_op_start(void *impl, const struct ctr_oci_container *c, ctr_error_t **err);
int ctr__oci_op_state(
    void *impl, const struct ctr_oci_container *c, struct ctr_oci_status *out, ctr_error_t **err);
int ctr__oci_op_kill(
    void *impl, const struct ctr_oci_container *c, int32_t sig, uint64_t flags, ctr_error_t **err);
int ctr__oci_op_pause(void *impl, const struct ctr_oci_container *c, ctr_error_t **err);
int ctr__oci_op_resume(void *impl, const struct ctr_oci_container *c, ctr_error_t **err);
int ctr__oci_op_update(
    void *impl, const struct ctr_oci_container *c, const char *resources, ctr_error_t **err);

/* ---- faststart.c ---- */
/* Does what the runtime's own start does. 1 = started, 0 = not possible this way: use the command. */
int ctr__oci_fast_start(
    const struct ctr__conmon *d, const struct ctr_oci_container *c, ctr_error_t **err);
/* Does a container that its runtime calls created run already, because whoever started it was killed before it
 * removed the fifo? Then the fifo is removed, and the runtime knows too. */
bool ctr__oci_was_started(const struct ctr__conmon *d, const char *id, pid_t pid);

/* ---- arguments.c ---- */
/* The words and the environment to start conmon with; owned (ctr_strv_free). */
int ctr__conmon_command_line(
    const struct ctr__conmon *d, const struct ctr_oci_container *c, char ***out, ctr_error_t **err);
int ctr__conmon_environment(const struct ctr_oci_container *c, char ***out, ctr_error_t **err);
/* One more word of it: where crun mounts its binary for a moment (bundle/crun.XXXXXX), else it is /tmp, and stays
 * there if it is killed. runc sets it for its own. malloc'ed or NULL. */
char *ctr__oci_temporaries_env(const struct ctr_oci_container *c);
#define CTR__CONMON_SYNC_FD  3
#define CTR__CONMON_START_FD 4

/* ---- conmon.c ---- */
int ctr__oci_op_create(
    void *impl, const struct ctr_oci_container *c, struct ctr_oci_status *out, ctr_error_t **err);

/* ---- exec.c ---- */
int ctr__oci_op_run_process(void *impl, const struct ctr_oci_container *c, const char *process,
    int64_t timeout_ms, size_t output_max, int32_t *exit_code, char **output, size_t *output_len,
    ctr_error_t **err);

/* ---- attach.c ---- */
/* Both are for any directory of a monitor: a bundle, an exec session's. */
/* A connected socket of the streams (SOCK_SEQPACKET, close-on-exec). CTR_E_CONMON_DEAD, CTR_E_TIMEOUT. */
int ctr__oci_connect_streams(int dirfd, ctr_error_t **err);
/* Tells the monitor the terminal's size, 1..1000 each. Waits until what it was told before is read. */
int ctr__oci_write_size(int dirfd, uint32_t rows, uint32_t cols, ctr_error_t **err);
int ctr__oci_op_attach(void *impl, const struct ctr_oci_container *c, ctr_error_t **err);
int ctr__oci_op_resize(
    void *impl, const struct ctr_oci_container *c, uint32_t rows, uint32_t cols, ctr_error_t **err);

/* ---- exit.c ---- */
/* "0".."255" or "-1"; anything else is -1. */
int32_t ctr__oci_parse_exit_code(const char *text);
int ctr__oci_op_exit_status(
    void *impl, const struct ctr_oci_container *c, struct ctr_oci_status *out, ctr_error_t **err);
int ctr__oci_op_wait_fd(void *impl, const struct ctr_oci_container *c, ctr_error_t **err);
int ctr__oci_op_monitor_alive(void *impl, const struct ctr_oci_container *c, ctr_error_t **err);

/* ---- processes.c ---- */
/* The monitor of this container, if it lives: as the library knows it, else from its PID file. 0 = none. */
pid_t ctr__oci_monitor(
    const struct ctr__conmon *d, const struct ctr_oci_container *c, uint64_t *start);
/* Waits `patience_ms` for the monitor to end by itself, then SIGKILLs it. */
int ctr__oci_end_monitor(const struct ctr__conmon *d, const struct ctr_oci_container *c,
    int64_t patience_ms, ctr_error_t **err);
/* SIGKILLs every monitor and runtime process that works on this container, repeatedly until none is
 * found. Returns how many there were, or a negative code. */
int ctr__oci_kill_workers(
    const struct ctr__conmon *d, const struct ctr_oci_container *c, ctr_error_t **err);

/* ---- recover.c ---- */
int ctr__oci_op_remove(
    void *impl, const struct ctr_oci_container *c, uint64_t flags, ctr_error_t **err);
/* Undoes a create from any point of it, in this process or in one that was killed. Idempotent. */
int ctr__oci_wipe(
    const struct ctr__conmon *d, const struct ctr_oci_container *c, ctr_error_t **err);

/* ---- files.c ---- */
/* Removes the monitor's files of this container. */
int ctr__oci_remove_files(
    const struct ctr__conmon *d, const struct ctr_oci_container *c, ctr_error_t **err);
/* Removes files that only a process that was killed leaves. */
int ctr__oci_remove_temporaries(
    const struct ctr__conmon *d, const struct ctr_oci_container *c, ctr_error_t **err);
/* Removes <root>/ID of a runtime whose insides we know. */
int ctr__oci_remove_state(const struct ctr__conmon *d, const char *id, ctr_error_t **err);

#endif
