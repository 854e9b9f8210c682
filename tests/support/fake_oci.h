/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An OCI runtime without processes, written as an outside author would: against the public headers only. It
 * remembers in memory what it was told, ends containers on request, and fails where a test wants it to.
 */
#ifndef TESTS_SUPPORT_FAKE_OCI_H
#define TESTS_SUPPORT_FAKE_OCI_H

#include <libctr/libctr.h>

#include "fake_exec.h"

enum fake_op {
	FAKE_CREATE,
	FAKE_START,
	FAKE_STATE,
	FAKE_KILL,
	FAKE_REMOVE,
	FAKE_PAUSE,
	FAKE_RESUME,
	FAKE_EXIT_STATUS,
	FAKE_WAIT_FD,
	FAKE_MONITOR_ALIVE,
	FAKE_UPDATE,
	FAKE_RUN_PROCESS,
	FAKE_ATTACH,
	FAKE_RESIZE,
	FAKE_OPS
};

struct fake_oci;

/* The table; a test may copy it and take operations out. */
extern const struct ctr_oci_ops fake_oci_ops;

struct fake_oci *fake_oci_new(void);
void fake_oci_destroy(void *fake); /* counts in fake_oci_destroyed */
extern int fake_oci_destroyed;

/* The container ends now, by itself, with this code. */
void fake_oci_exit(struct fake_oci *f, const char *id, int code);
/* Signals other than SIGKILL are ignored by its containers (default: the stop signal ends them with 128 + n). */
void fake_oci_ignore_signals(struct fake_oci *f, int ignore);
/* The next `n` calls of the operation fail with this code. */
void fake_oci_fail(struct fake_oci *f, enum fake_op op, int code, int n);
/* Its monitors are dead: exits are not recorded any more. */
void fake_oci_kill_monitors(struct fake_oci *f);
/* Forgets a container behind the library's back. */
void fake_oci_forget(struct fake_oci *f, const char *id);
/* Containers created from now on have this first process; 0 = none. It is not touched. */
void fake_oci_process(struct fake_oci *f, int32_t pid, uint64_t pid_start);
/* Takes over a container that another process's fake runs. */
void fake_oci_adopt(struct fake_oci *f, const char *id);
/* Called before each create, with no lock of the fake held. */
void fake_oci_on_create(
    struct fake_oci *f, void (*fn)(const struct ctr_oci_container *k, void *arg), void *arg);
/* Called when it has started a container, before the library learns of it. */
void fake_oci_on_start(struct fake_oci *f, void (*fn)(void));
/* What the next processes that are run in its containers print and end with (default: "", 0); -1 = they do not end in
 * time. `during` (may be NULL) is called while one runs. */
void fake_oci_exec(struct fake_oci *f, int code, const char *output);
void fake_oci_during_exec(struct fake_oci *f, void (*during)(void *arg), void *arg);
/* The last process that was run: its JSON ("" = none), and its timeout. Valid until the next one. */
const char *fake_oci_last_exec(struct fake_oci *f);
int64_t fake_oci_last_timeout(struct fake_oci *f);
/* Streams (fake_streams.c). Our end of the n-th attach to a container, from 0: what is sent there is its output. It is closed
 * when the container ends. -1 = there was none. */
int fake_oci_stream(struct fake_oci *f, const char *id, int n);
/* Closes all of a container's. */
void fake_oci_hang_up(struct fake_oci *f, const char *id);
/* Containers print this as soon as they are started, in pieces of these lengths (at most 8192), and end with 0 after it if
 * `ends`. NULL = nothing any more. All must stay valid. */
void fake_oci_burst(struct fake_oci *f, const char *text, const size_t *lengths, int n, int ends);
/* The size that a container's terminal was given last: 0 = none. */
void fake_oci_size(struct fake_oci *f, const char *id, uint32_t *rows, uint32_t *cols);
/* How often an operation was called; and the status it has for a container. */
int fake_oci_calls(struct fake_oci *f, enum fake_op op);
int fake_oci_status(struct fake_oci *f, const char *id);
/* Last signal that a container got; 0 = none. */
int fake_oci_last_signal(struct fake_oci *f, const char *id);
/* Resources of the last update of a container, "" if there was none; valid until the next. */
const char *fake_oci_resources(struct fake_oci *f, const char *id);
/* Its exec sessions, for fake_exec.c. */
struct fake_execs *fake_oci_execs(void *impl);
/* Number of containers that it knows. */
int fake_oci_count(struct fake_oci *f);

#endif
