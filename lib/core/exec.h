/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exec sessions: more processes in a running container.
 *
 * exec.c          the handle, creating, finding     exec_process.c  the process object
 * exec_session.c  the frame, liveness, the end      exec_start.c    starting
 * exec_stop.c     stop, cleanup, remove             exec_wait.c     waiting
 * exec_run.c      all in one                        exec_inspect.c  what is shown
 *
 * A session is recorded in the store, under the container's lock; nothing of it is kept in a handle but its name and
 * its command. Starting and waiting happen without the lock. Who starts one records that first ("starting", with its
 * PID): one that is found there and whose starter is dead was interrupted, and is ended.
 */
#ifndef LIBCTR_CORE_EXEC_H
#define LIBCTR_CORE_EXEC_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <libctr/exec.h>

#include "core/container.h"
#include "oci/oci.h"
#include "store/store.h"

#define CTR__EXEC_FDS_MAX 8

struct ctr_exec {
	atomic_uint refs;
	struct ctr_container *c; /* ref; never a view */
	char id[CTR__ID_MAX + 1];
	char **command;
	size_t command_n;
};

/* ---- exec.c ---- */

int ctr__exec_create(struct ctr_container *c, const struct ctr_exec_opts *o, struct ctr_exec **out,
    ctr_error_t **err);
int ctr__exec_lookup(
    struct ctr_container *c, const char *id, struct ctr_exec **out, ctr_error_t **err);
int ctr__exec_find(
    struct ctr_runtime *rt, const char *id, struct ctr_exec **out, ctr_error_t **err);
int ctr__exec_sessions(struct ctr_container *c, char ***list, ctr_error_t **err);
struct ctr_exec *ctr__exec_ref(struct ctr_exec *x);
void ctr__exec_unref(struct ctr_exec *x);
void ctr__exec_unrefp(struct ctr_exec **x);
const char *ctr__exec_state_name(int32_t state);

/* ---- exec_session.c ---- */

/* A session while its container's lock is held. */
struct ctr__session {
	struct ctr__guard g;
	const char *id;
	struct ctr__buf raw;
	struct ctr__exec_state s; /* points into raw */
	bool gone;                /* somebody has removed it while the lock was let go */
};
/* Enters the container, reads the session and looks whether it lives. CTR_E_EXEC_REMOVED. */
int ctr__session_enter(
    struct ctr_exec *x, enum ctr__op op, unsigned how, struct ctr__session *s, ctr_error_t **err);
void ctr__session_leave(struct ctr__session *s);
#define CTR__SESSION CTR__CLEANUP(ctr__session_leave)
/* Takes the lock again after ctr__guard_release(): 0, with s->gone. */
int ctr__session_retake(struct ctr__session *s, ctr_error_t **err);
/* Looks whether it still lives, and records its end if not. */
int ctr__session_look(struct ctr__session *s, ctr_error_t **err);
/* CTR_E_EXEC_STATE: `what` is not possible. */
int ctr__session_wrong(const struct ctr__session *s, const char *what, ctr_error_t **err);
/* Saves s->s, with an event (0 = none). */
int ctr__session_save(struct ctr__session *s, int32_t event_type, ctr_error_t **err);
/* Drops its record. */
int ctr__session_drop(struct ctr__session *s, ctr_error_t **err);
/* Is somebody just starting it? */
bool ctr__session_is_starting(const struct ctr__exec_state *s);

/* What an operation of the driver is told. Strings belong to this; it can be used without the lock. */
struct ctr__exec_call {
	struct ctr__oci *oci;
	ctr_config_t *cfg; /* ref */
	struct ctr__paths paths;
	struct ctr_oci_container view;
	char *dir;
	char **exit_command;
	struct ctr_oci_exec exec;
};
/* The lock is held; `id` must outlive the call. CTR_E_UNSUPPORTED if the runtime knows no sessions. */
int ctr__exec_ask(struct ctr_container *c, const char *id, const struct ctr__exec_state *s,
    struct ctr__exec_call *call, ctr_error_t **err);
void ctr__exec_call_free(struct ctr__exec_call *call);
#define CTR__EXEC_CALL CTR__CLEANUP(ctr__exec_call_free)
/* Makes the session's directory, empty. */
int ctr__exec_make_dir(const struct ctr__exec_call *call, ctr_error_t **err);
/* Removes its files; none is success. */
int ctr__exec_remove_dir(const struct ctr__exec_call *call, ctr_error_t **err);
/* Ends what there is of it and removes its files. Without the lock, too. */
int ctr__exec_clear(const struct ctr__exec_call *call, ctr_error_t **err);

/* The container's run is taken down (the lock is held): all its sessions are ended, recorded and dropped. */
int ctr__exec_teardown(struct ctr_container *c, ctr_error_t **err);

/* ---- exec_start.c ---- */

int ctr__exec_start(struct ctr_exec *x, const struct ctr_exec_start_opts *o,
    struct ctr_attach **out, ctr_error_t **err);
struct ctr__exec_http {
	int32_t fd;
	const struct ctr_http_opts *o;
	uint32_t rows, cols; /* 0 = as it is */
};
int ctr__exec_http_start(
    struct ctr_exec *x, const struct ctr__exec_http *o, struct ctr_attach **out, ctr_error_t **err);
int ctr__exec_resize(struct ctr_exec *x, uint32_t rows, uint32_t cols, ctr_error_t **err);

/* ---- exec_stop.c ---- */

int ctr__exec_stop(struct ctr_exec *x, int64_t timeout_ms, bool now, ctr_error_t **err);
int ctr__exec_cleanup(struct ctr_exec *x, ctr_error_t **err);
int ctr__exec_remove(struct ctr_exec *x, bool force, ctr_error_t **err);

/* ---- exec_wait.c ---- */

int ctr__exec_wait(struct ctr_exec *x, int64_t timeout_ms, int32_t *code, ctr_error_t **err);
int ctr__exec_wait_fd(struct ctr_exec *x, ctr_error_t **err);
/* One round of waiting: lets go of the lock until the session may have ended (or `end` has come) and takes it again.
 * `due`: how often the end was expected in vain. */
int ctr__session_await(struct ctr__session *s, int64_t end, unsigned int *due, ctr_error_t **err);

/* ---- exec_run.c, exec_inspect.c ---- */

int ctr__exec_run(struct ctr_container *c, const struct ctr_exec_opts *o,
    const struct ctr_attach_opts *io, int32_t *code, ctr_error_t **err);
int ctr__exec_inspect(struct ctr_exec *x, struct ctr__buf *out, ctr_error_t **err);

#endif
