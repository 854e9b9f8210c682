/* SPDX-License-Identifier: Apache-2.0 */
/*
 * create: conmon is started, told to go, and answers on its sync socket with the PID of the container's
 * first process or with the runtime's error. If we are killed in between, remove(INTERRUPTED) finds what is left.
 */
#include "oci/oci.h"

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

/* One attempt. */
struct attempt {
	const struct ctr__conmon *d;
	const struct ctr_oci_container *c;
	struct ctr__launch l;
};

static void attempt_end(struct attempt *a)
{
	ctr__launch_end(&a->l);
}

/* ---- success ---- */

static bool is_own_pid_file(const struct ctr_oci_container *c)
{
	size_t len = strlen(c->bundle);

	return !c->pid_file || (strncmp(c->pid_file, c->bundle, len) == 0 &&
	                           strcmp(c->pid_file + len, "/" CTR__CONMON_PID_FILE) == 0);
}

/* The copy that the user asked for. */
static int write_pid_copy(const struct attempt *a, int32_t pid, ctr_error_t **err)
{
	const char *path = a->c->pid_file, *slash;
	CTR__FREE char *dir = NULL;
	CTR__CLOSE int fd = -1;
	char text[16];
	int rc;

	if (is_own_pid_file(a->c))
		return 0;
	slash = strrchr(path, '/');
	dir = strndup(path, slash == path ? 1 : (size_t)(slash - path));
	if (!dir)
		return ctr__fail_nomem(err);
	snprintf(text, sizeof(text), "%d", (int)pid);
	fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	rc = fd < 0 ? -errno : ctr__write_file_at(fd, slash + 1, text, strlen(text), 0644, false);
	return rc < 0 ? ctr__fail_errno(err, -rc, path, "write the monitor's PID file %s", path)
	              : 0;
}

static int finish(struct attempt *a, int32_t pid, struct ctr_oci_status *out, ctr_error_t **err)
{
	int rc;

	out->status = CTR_OCI_CREATED;
	out->pid = pid;
	out->pid_start = ctr__proc_start_time(pid);
	if (!out->pid_start)
		return ctr__fail(err, CTR_E_OCI_RUNTIME,
		    "OCI runtime %s: the container's first process %d ended before its start",
		    a->d->name, (int)pid);
	rc = ctr__launch_monitor(&a->l, out, err);
	if (rc < 0)
		return rc;
	if (!out->monitor_start)
		return ctr__fail(err, CTR_E_CONMON_DEAD, "conmon ended right after the create");
	return write_pid_copy(a, out->monitor_pid, err);
}

/* ---- create ---- */

/* Conmon would only say "Failed to open log file"; we can say why. */
static int check_log(const char *path, ctr_error_t **err)
{
	CTR__CLOSE int fd = -1;

	if (!path)
		return 0;
	if (!ctr__path_is_clean(path))
		return ctr__fail(
		    err, CTR_E_INVALID, "log file \"%s\" is not a clean absolute path", path);
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);
	return fd < 0 ? ctr__fail_errno(err, errno, path, "open log file %s", path) : 0;
}

static int check_all(
    const struct ctr__conmon *d, const struct ctr_oci_container *c, ctr_error_t **err)
{
	int rc = ctr__oci_check_container(c, err);

	if (rc == 0)
		rc = ctr__oci_check_conmon(d, err);
	if (rc == 0)
		rc = ctr__oci_check_runtime(d, err);
	if (rc < 0)
		return rc;
	if (c->pid_file && !ctr__path_is_clean(c->pid_file))
		return ctr__fail(err, CTR_E_INVALID, "PID file \"%s\" is not a clean absolute path",
		    c->pid_file);
	/* A failed create ends with "delete --force": that must not hit somebody who lives. */
	if (d->kind != CTR__RUNTIME_OTHER && ctr__oci_may_know(d, c->id))
		return ctr__fail(err, CTR_E_CTR_EXISTS, "OCI runtime %s already has a container %s",
		    d->name, c->id);
	return check_log(c->log_path, err);
}

/* Clears what an earlier run left, and makes the place where the exit data will be: without it conmon
 * would write none, and nobody would notice before the end. */
static int prepare(struct attempt *a, ctr_error_t **err)
{
	CTR__CLOSE int persist = -1;
	struct stat st;
	int rc = ctr__oci_end_monitor(a->d, a->c, 0, err);

	if (rc == 0)
		rc = ctr__oci_remove_files(a->d, a->c, err);
	if (rc < 0)
		return rc;
	a->l.dir = open(a->c->bundle, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (a->l.dir < 0)
		return ctr__fail_errno(
		    err, errno, a->c->bundle, "open bundle directory %s", a->c->bundle);
	if (fstat(a->d->exits_fd, &st) < 0 || st.st_nlink == 0)
		return ctr__fail(err, CTR_E_RUNTIME_STOPPED, "exit directory %s has been removed",
		    a->d->exits_dir);
	persist = ctr__mkdir_at(a->d->persist_fd, a->c->id, 0750);
	if (persist < 0)
		return ctr__fail_errno(err, -persist, a->d->persist_dir,
		    "make persist directory %s/%s", a->d->persist_dir, a->c->id);
	return 0;
}

static int run(struct attempt *a, struct ctr_oci_status *out, ctr_error_t **err)
{
	CTR__STRV char **words = NULL;
	CTR__STRV char **env = NULL;
	int32_t pid;
	int rc = ctr__conmon_command_line(a->d, a->c, &words, err);

	if (rc == 0)
		rc = ctr__conmon_environment(a->c, &env, err);
	if (rc == 0)
		rc = ctr__launch_start(&a->l, words, env, err);
	if (rc < 0)
		return rc;
	ctr__launch_go(&a->l);
	ctr__launch_await(&a->l, a->l.sync);
	ctr__launch_reap(&a->l);
	rc = ctr__launch_result(&a->l, &pid, err);
	return rc < 0 ? rc : finish(a, pid, out, err);
}

/* "On failure nothing of it may be left": its own error is the one that counts. */
static int undo(struct attempt *a, int rc)
{
	if (a->l.began)
		ctr__oci_wipe(a->d, a->c, NULL);
	else
		ctr__oci_remove_files(a->d, a->c, NULL);
	return rc;
}

int ctr__oci_op_create(
    void *impl, const struct ctr_oci_container *c, struct ctr_oci_status *out, ctr_error_t **err)
{
	CTR__CLEANUP(attempt_end)
	struct attempt a = {
	    .d = impl, .c = c, .l = {.d = impl, .what = "create the container", CTR__LAUNCH_INIT}};
	int rc = check_all(a.d, c, err);

	if (rc < 0)
		return rc;
	rc = prepare(&a, err);
	if (rc == 0)
		rc = run(&a, out, err);
	if (rc == 0)
		return 0;
	if (a.l.began)
		ctr__error_detail(err, "oci.runtime", a.d->name);
	memset(out, 0, sizeof(*out));
	out->size = sizeof(*out);
	return undo(&a, rc);
}
