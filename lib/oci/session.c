/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One more process in a running container, with a monitor of its own that keeps its streams and records its end.
 *
 * Everything is in the session's directory: what is to be run (it may hold secrets: it goes as soon as it has been
 * read), PID files, the runtime's log, the attach socket, the exit file. If we are killed on the way, exec_remove finds
 * what is left by them and by the command lines of those at work.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "oci/launch.h"
#include "sys/fd.h"
#include "sys/path.h"
#include "sys/proc.h"
#include "util/id.h"

#define FDS_MAX 8

int ctr__oci_check_session(
    const struct ctr_oci_container *c, const struct ctr_oci_exec *x, ctr_error_t **err)
{
	int rc = ctr__oci_check_container(c, err);

	if (rc < 0)
		return rc;
	if (!x->id || !ctr__id_valid(x->id))
		return ctr__fail(err, CTR_E_INVALID,
		    "OCI runtime: \"%s\" is not a valid ID of an exec session", x->id ? x->id : "");
	if (!x->dir || !ctr__path_is_clean(x->dir))
		return ctr__fail(err, CTR_E_INVALID,
		    "OCI runtime: directory \"%s\" is not a clean absolute path",
		    x->dir ? x->dir : "");
	return 0;
}

/* ---- before ---- */

static int check_all(const struct ctr__conmon *d, const struct ctr_oci_container *c,
    const struct ctr_oci_exec *x, ctr_error_t **err)
{
	int rc = ctr__oci_check_session(c, x, err);

	if (rc == 0)
		rc = ctr__oci_check_conmon(d, err);
	if (rc == 0)
		rc = ctr__oci_check_runtime(d, err);
	if (rc < 0)
		return rc;
	if (!x->process)
		return ctr__fail(err, CTR_E_INVALID, "OCI runtime: no process to run");
	if (x->fds_n > FDS_MAX)
		return ctr__fail(err, CTR_E_INVALID, "OCI runtime: %zu descriptors, at most %d",
		    x->fds_n, FDS_MAX);
	return 0;
}

/* Without the places for the exit data conmon would write none, and nobody would notice before the end. */
static int make_places(struct ctr__launch *l, const struct ctr_oci_container *c)
{
	CTR__CLOSE int exits = ctr__mkdir_at(l->dir, CTR__SESSION_EXIT_DIR, 0700);
	CTR__CLOSE int persist = ctr__mkdir_at(l->dir, "persist", 0700);
	CTR__CLOSE int own = persist < 0 ? persist : ctr__mkdir_at(persist, c->id, 0700);

	return exits < 0 ? exits : own < 0 ? own : 0;
}

static int prepare(struct ctr__launch *l, const struct ctr_oci_container *c,
    const struct ctr_oci_exec *x, ctr_error_t **err)
{
	int rc;

	l->dir = open(x->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	rc = l->dir < 0 ? -errno : make_places(l, c);
	if (rc == 0)
		rc = ctr__write_file_at(
		    l->dir, CTR__SESSION_PROCESS, x->process, strlen(x->process), 0600, false);
	return rc < 0
	           ? ctr__fail_errno(err, -rc, x->dir, "make the files of exec session %s", x->id)
	           : 0;
}

static int start(struct ctr__launch *l, const struct ctr_oci_container *c,
    const struct ctr_oci_exec *x, ctr_error_t **err)
{
	CTR__STRV char **words = NULL;
	CTR__STRV char **env = NULL;
	int rc = ctr__conmon_session_command_line(l->d, c, x, &words, err);

	if (rc == 0)
		rc = ctr__conmon_session_environment(x, &env, err);
	return rc < 0 ? rc : ctr__launch_start(l, words, env, err);
}

/* ---- the handshake ---- */

/* Its attach socket is there before the process is: nothing of its output is missed. A failure shows in what follows. */
static int connect_streams(struct ctr__launch *l, int *stream, ctr_error_t **err)
{
	ctr__launch_await(l, l->attach);
	if (l->timed_out || l->reply.failed || l->reply.len == 0)
		return 0;
	*stream = ctr__oci_connect_streams(l->dir, err);
	if (*stream < 0)
		return *stream;
	ctr__launch_go(l);
	return 0;
}

/* The process, or its monitor, may have ended already: then their start times are 0. */
static int talk(struct ctr__launch *l, struct ctr_oci_status *out, int *stream, ctr_error_t **err)
{
	int32_t pid = 0;
	int rc;

	ctr__launch_go(l);
	if (l->streams) {
		rc = connect_streams(l, stream, err);
		if (rc < 0)
			return rc;
	}
	if (!l->timed_out)
		ctr__launch_await(l, l->sync);
	ctr__launch_reap(l);
	rc = ctr__launch_result(l, &pid, err);
	if (rc < 0)
		return rc;
	out->status = CTR_OCI_RUNNING;
	out->pid = pid;
	out->pid_start = ctr__proc_start_time(pid);
	return ctr__launch_monitor(l, out, err);
}

/* ---- failure ---- */

/* Whatever the runtime says then: there is nothing to run a process in. */
static bool container_ended(const struct ctr_oci_container *c)
{
	return c->pid > 0 && !ctr__proc_alive(c->pid, c->pid_start);
}

static int failed(struct ctr__launch *l, const struct ctr_oci_container *c,
    const struct ctr_oci_exec *x, int rc, ctr_error_t **err)
{
	if (l->began) {
		ctr__error_detail(err, "oci.runtime", l->d->name);
		(void)ctr__oci_op_exec_remove((void *)(uintptr_t)l->d, c, x, NULL);
	}
	if (rc == CTR_E_NOMEM || rc == CTR_E_CONMON_UNAVAILABLE || !container_ended(c))
		return rc;
	return ctr__fail(
	    err, CTR_E_CTR_STOPPED, "container %s is not running: its process has ended", c->id);
}

/* ---- the operations ---- */

int ctr__oci_op_exec_start(void *impl, const struct ctr_oci_container *c,
    const struct ctr_oci_exec *x, struct ctr_oci_status *out, int *stream, ctr_error_t **err)
{
	CTR__CLOSE int connected = -1;
	CTR__LAUNCH struct ctr__launch l = {.d = impl,
	    .what = "run a process in the container",
	    .fds = x->fds,
	    .fds_n = x->fds_n,
	    .streams = x->flags & CTR_OCI_EXEC_STREAMS,
	    CTR__LAUNCH_INIT};
	int rc = check_all(l.d, c, x, err);

	if (rc < 0)
		return rc;
	rc = prepare(&l, c, x, err);
	if (rc == 0)
		rc = start(&l, c, x, err);
	if (rc == 0)
		rc = talk(&l, out, &connected, err);
	(void)unlinkat(l.dir, CTR__SESSION_PROCESS, 0);
	if (rc < 0) {
		memset(out, 0, sizeof(*out));
		out->size = sizeof(*out);
		return failed(&l, c, x, rc, err);
	}
	if (stream)
		*stream = ctr__steal_fd(&connected);
	return 0;
}

int ctr__oci_op_exec_resize(void *impl, const struct ctr_oci_container *c,
    const struct ctr_oci_exec *x, uint32_t rows, uint32_t cols, ctr_error_t **err)
{
	CTR__CLOSE int dir = -1;
	int rc = ctr__oci_check_session(c, x, err);

	(void)impl;
	if (rc < 0 || !(x->flags & CTR_OCI_EXEC_TERMINAL))
		return rc;
	dir = open(x->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (dir < 0)
		return ctr__fail_errno(err, errno, x->dir, "open %s", x->dir);
	return ctr__oci_write_size(dir, rows, cols, err);
}
