/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of one more process: its monitor renames DIR/exit/<container> into place (with a copy in DIR/persist), and
 * ends. What conmon leaves out if it is killed, the process itself has to tell: whether it lives.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "oci/driver.h"
#include "sys/fd.h"
#include "sys/proc.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/id.h"

#define DEATH_WAIT_MS 5000

static int open_dir(const struct ctr_oci_exec *x)
{
	return open(x->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
}

static bool monitor_lives(const struct ctr_oci_exec *x)
{
	return x->monitor_pid > 0 && x->monitor_start &&
	       ctr__proc_alive(x->monitor_pid, x->monitor_start);
}

static bool process_lives(const struct ctr_oci_exec *x)
{
	return x->pid > 0 && x->pid_start && ctr__proc_alive(x->pid, x->pid_start);
}

/* 1 = the exit file is there. */
static int read_exit(
    const struct ctr_oci_container *c, const struct ctr_oci_exec *x, struct ctr_oci_status *out)
{
	CTR__CLOSE int dir = open_dir(x);
	char path[CTR__ID_MAX + 32];

	if (dir < 0)
		return 0;
	snprintf(path, sizeof(path), CTR__SESSION_EXIT_DIR "/%s", c->id);
	if (ctr__oci_read_exit(dir, path, out))
		return 1;
	/* The copy is written first: it counts if nobody is left who would write the other one. */
	snprintf(path, sizeof(path), "persist/%s/exit", c->id);
	return !monitor_lives(x) && ctr__oci_read_exit(dir, path, out);
}

static int fill_end(
    const struct ctr_oci_container *c, const struct ctr_oci_exec *x, struct ctr_oci_status *out)
{
	if (!read_exit(c, x, out)) {
		if (monitor_lives(x))
			return 0;
		/* It may have written it just before it ended. */
		if (!read_exit(c, x, out)) {
			if (process_lives(x))
				return 0;
			out->exit_code = -1;
			out->finished_ns = ctr__now_ns();
		}
	}
	out->status = CTR_OCI_STOPPED;
	return 1;
}

int ctr__oci_op_exec_status(void *impl, const struct ctr_oci_container *c,
    const struct ctr_oci_exec *x, struct ctr_oci_status *out, ctr_error_t **err)
{
	int rc = ctr__oci_check_session(c, x, err);

	(void)impl;
	return rc < 0 ? rc : fill_end(c, x, out);
}

/* Without an exit command the monitor ends some ten microseconds after it has written the exit file, and it ends too if
 * it is killed and will never write one. With one it ends later; so then the process is watched as long as it lives. */
int ctr__oci_op_exec_wait_fd(
    void *impl, const struct ctr_oci_container *c, const struct ctr_oci_exec *x, ctr_error_t **err)
{
	struct ctr_oci_status st = {.size = sizeof(st)};
	int fd = -ESRCH, rc = ctr__oci_check_session(c, x, err);

	(void)impl;
	if (rc < 0)
		return rc;
	if (fill_end(c, x, &st))
		return ctr__oci_ready_fd(err);
	if (!x->exit_command && monitor_lives(x))
		fd = ctr__pidfd_open(x->monitor_pid, x->monitor_start);
	if (fd < 0 && process_lives(x))
		fd = ctr__pidfd_open(x->pid, x->pid_start);
	if (fd >= 0)
		return fd;
	if (fd == -ESRCH)
		return ctr__oci_ready_fd(err);
	return ctr__fail_errno(err, -fd, NULL, "watch exec session %s", x->id);
}

int ctr__oci_op_exec_kill(void *impl, const struct ctr_oci_container *c,
    const struct ctr_oci_exec *x, int32_t sig, ctr_error_t **err)
{
	CTR__CLOSE int pidfd = -1;
	int rc = ctr__oci_check_session(c, x, err);

	(void)impl;
	if (rc < 0)
		return rc;
	pidfd = process_lives(x) ? ctr__pidfd_open(x->pid, x->pid_start) : -ESRCH;
	rc = pidfd < 0 ? pidfd : ctr__pidfd_signal(pidfd, sig);
	if (rc == -ESRCH)
		return ctr__fail(
		    err, CTR_E_CTR_STOPPED, "the process of exec session %s has ended", x->id);
	return rc < 0 ? ctr__fail_errno(
	                    err, -rc, NULL, "send signal %d to exec session %s", (int)sig, x->id)
	              : 0;
}

/* ---- remove ---- */

/* As the library knows it; else, after a start that was interrupted, as its PID file does: then it must be in the
 * container, since the number may be another's by now. */
static int open_process(const struct ctr_oci_container *c, const struct ctr_oci_exec *x, pid_t *pid)
{
	CTR__CLOSE int dir = -1;
	CTR__CLOSE int pidfd = -1;

	*pid = x->pid;
	if (x->pid > 0)
		return x->pid_start ? ctr__pidfd_open(x->pid, x->pid_start) : -ESRCH;
	dir = open_dir(x);
	*pid = dir < 0 ? 0 : ctr__oci_read_pid(dir, CTR__SESSION_PID_FILE);
	if (*pid <= 0)
		return -ESRCH;
	pidfd = ctr__pidfd_open(*pid, 0);
	return pidfd >= 0 && ctr__oci_is_inside(c, *pid) ? ctr__steal_fd(&pidfd) : -ESRCH;
}

static int end_process(
    const struct ctr_oci_container *c, const struct ctr_oci_exec *x, ctr_error_t **err)
{
	pid_t pid;
	CTR__CLOSE int pidfd = open_process(c, x, &pid);
	int rc;

	if (pidfd < 0)
		return 0;
	rc = ctr__pidfd_signal(pidfd, SIGKILL);
	if (rc == 0)
		rc = ctr__pidfd_wait(pidfd, DEATH_WAIT_MS);
	if (rc == 0)
		rc = -ETIMEDOUT;
	return rc < 0 && rc != -ESRCH
	           ? ctr__fail_errno(
	                 err, -rc, NULL, "end the process %d of exec session %s", (int)pid, x->id)
	           : 0;
}

/* Who has an exit file is done with, but for an exit command that its monitor may still run. Else workers first, or they
 * start again what is ended. */
int ctr__oci_op_exec_remove(
    void *impl, const struct ctr_oci_container *c, const struct ctr_oci_exec *x, ctr_error_t **err)
{
	struct ctr_oci_status st = {.size = sizeof(st)};
	int rc = ctr__oci_check_session(c, x, err);

	if (rc < 0)
		return rc;
	if (!read_exit(c, x, &st)) {
		rc = ctr__oci_kill_session_workers(impl, c, x, err);
		if (rc >= 0)
			rc = end_process(c, x, err);
		if (rc < 0)
			return rc;
	}
	return ctr__oci_remove_session_temporaries(x, err);
}
