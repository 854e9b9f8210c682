/* SPDX-License-Identifier: Apache-2.0 */
/* The exec sessions of the runtime without processes (fake_oci.h): they run until a test, or a signal, ends them. */
#ifndef TESTS_SUPPORT_FAKE_EXEC_H
#define TESTS_SUPPORT_FAKE_EXEC_H

#include <libctr/libctr.h>

struct fake_oci;

/* ---- what tests do to them ---- */

/* The process of this session ends now, with this code; -1: nobody knows it. */
void fake_exec_end(struct fake_oci *f, const char *id, int code);
/* The same, and nothing if it does not run. */
void fake_exec_end_if_running(struct fake_oci *f, const char *id, int code);
/* From now on each ends as soon as it is started, with this code, and with "out" on its standard output; -1 = not any
 * more. */
void fake_exec_quick(struct fake_oci *f, int code);
/* The next `n` starts fail with this code. */
void fake_exec_fail(struct fake_oci *f, int code, int n);
/* Signals other than SIGKILL are ignored (default: they end it with 128 + n). */
void fake_exec_ignore_signals(struct fake_oci *f, int ignore);
/* Called once within the next start, before the process is there, without a lock of the fake's. */
void fake_exec_during_start(struct fake_oci *f, void (*fn)(void *arg), void *arg);
/* JSON of the last process that was started ("" = none), descriptors that it got, size of its terminal as last set.
 * Valid until the next. */
const char *fake_exec_process(struct fake_oci *f);
size_t fake_exec_fds(struct fake_oci *f);
uint32_t fake_exec_rows(struct fake_oci *f);
/* The monitor's end of a session's streams (conmon's packets); -1: none, or it has ended. Borrowed. */
int fake_exec_stream(struct fake_oci *f, const char *id);
/* How many run; how many calls of exec_remove there were. */
int fake_exec_running(struct fake_oci *f);
int fake_exec_removals(struct fake_oci *f);

/* ---- between the files of the fake ---- */

struct fake_execs;
struct fake_execs *fake_execs_new(void);
void fake_execs_free(struct fake_execs *x);
/* The container has ended, and its sessions with it. */
void fake_execs_end_all(struct fake_execs *x, const char *ctr_id);

int fake_op_exec_start(void *impl, const struct ctr_oci_container *k, const struct ctr_oci_exec *x,
    struct ctr_oci_status *out, int *stream, ctr_error_t **err);
int fake_op_exec_status(void *impl, const struct ctr_oci_container *k, const struct ctr_oci_exec *x,
    struct ctr_oci_status *out, ctr_error_t **err);
int fake_op_exec_wait_fd(
    void *impl, const struct ctr_oci_container *k, const struct ctr_oci_exec *x, ctr_error_t **err);
int fake_op_exec_kill(void *impl, const struct ctr_oci_container *k, const struct ctr_oci_exec *x,
    int32_t sig, ctr_error_t **err);
int fake_op_exec_resize(void *impl, const struct ctr_oci_container *k, const struct ctr_oci_exec *x,
    uint32_t rows, uint32_t cols, ctr_error_t **err);
int fake_op_exec_remove(
    void *impl, const struct ctr_oci_container *k, const struct ctr_oci_exec *x, ctr_error_t **err);

#endif
