/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a container's end becomes known: conmon renames exits/ID into place (decimal exit code; its ctime is
 * the time of the end), with a copy in persist/ID/exit and an empty persist/ID/oom after an OOM kill.
 */
#include "oci/oci.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "oci/driver.h"
#include "sys/fd.h"
#include "sys/proc.h"
#include "util/cleanup.h"
#include "util/id.h"

#define EXIT_FILE_MAX 64

#define NS_PER_S INT64_C(1000000000)

int32_t ctr__oci_parse_exit_code(const char *text)
{
	int64_t code;

	if (!ctr__parse_i64(text, 0, 255, &code))
		return -1;
	return (int32_t)code;
}

static int32_t read_exit_code(int dirfd, const char *path)
{
	CTR__FREE char *text = NULL;
	size_t len;

	if (ctr__read_file_at(dirfd, path, EXIT_FILE_MAX, &text, &len) < 0 || strlen(text) != len)
		return -1;
	return ctr__oci_parse_exit_code(text);
}

/* One name below the container's persist directory. */
static void persist_name(char *buf, size_t size, const char *id, const char *name)
{
	snprintf(buf, size, "%s/%s", id, name);
}

static bool oom_struck(const struct ctr__conmon *d, const char *id)
{
	char path[CTR__ID_MAX + 8];
	struct stat st;

	persist_name(path, sizeof(path), id, "oom");
	return fstatat(d->persist_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static void take_code(
    int dirfd, const char *path, const struct stat *st, struct ctr_oci_status *out)
{
	out->exit_code = read_exit_code(dirfd, path);
	out->finished_ns = (int64_t)st->st_ctim.tv_sec * NS_PER_S + (int64_t)st->st_ctim.tv_nsec;
}

int ctr__oci_read_exit(int dirfd, const char *path, struct ctr_oci_status *out)
{
	struct stat st;

	if (fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	take_code(dirfd, path, &st, out);
	return 1;
}

static int take(const struct ctr__conmon *d, const char *id, int dirfd, const char *path,
    const struct stat *st, struct ctr_oci_status *out)
{
	take_code(dirfd, path, st, out);
	out->oom_killed = oom_struck(d, id) ? 1 : 0;
	return 1;
}

/* The monitor writes the copy first, so it alone counts only if no monitor is left that would write the
 * other one. kill(2) instead of /proc: this is on the path of every look at a running container. */
static int look_at_copy(
    const struct ctr__conmon *d, const struct ctr_oci_container *c, struct ctr_oci_status *out)
{
	char path[CTR__ID_MAX + 8];
	struct stat st;

	if (c->monitor_pid > 0 && (kill(c->monitor_pid, 0) == 0 || errno != ESRCH))
		return 0;
	persist_name(path, sizeof(path), c->id, "exit");
	if (fstatat(d->persist_fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	return take(d, c->id, d->persist_fd, path, &st, out);
}

int ctr__oci_op_exit_status(
    void *impl, const struct ctr_oci_container *c, struct ctr_oci_status *out, ctr_error_t **err)
{
	const struct ctr__conmon *d = impl;
	struct stat st;

	if (fstatat(d->exits_fd, c->id, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return take(d, c->id, d->exits_fd, c->id, &st, out);
	if (errno != ENOENT)
		return ctr__fail_errno(
		    err, errno, d->exits_dir, "look for the exit file of container %s", c->id);
	return look_at_copy(d, c, out);
}

int ctr__oci_ready_fd(ctr_error_t **err)
{
	int fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);

	return fd >= 0 ? fd : ctr__fail_errno(err, errno, NULL, "make an eventfd");
}

static bool has_exit_file(const struct ctr__conmon *d, const char *id)
{
	struct stat st;

	return fstatat(d->exits_fd, id, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* The process's pidfd while it lives. */
static int watch_process(const struct ctr_oci_container *c)
{
	CTR__CLOSE int fd = -1;

	if (c->pid <= 0 || c->pid_start == 0)
		return -1;
	fd = ctr__pidfd_open(c->pid, c->pid_start);
	return fd >= 0 && ctr__pidfd_wait(fd, 0) == 0 ? ctr__steal_fd(&fd) : -1;
}

/* Without an exit command conmon has nothing to do after it wrote the exit file: its end comes some ten
 * microseconds later, and it comes too if it is killed and will never write one. With one it ends later than that; so
 * the process is watched as long as it lives. For the third of a millisecond between its end and the exit file
 * there is nothing good (to close an inotify descriptor takes 10 ms): the library looks again by itself. */
int ctr__oci_op_wait_fd(void *impl, const struct ctr_oci_container *c, ctr_error_t **err)
{
	const struct ctr__conmon *d = impl;
	int fd = -1;

	if (c->monitor_pid <= 0 || c->monitor_start == 0 || has_exit_file(d, c->id))
		return ctr__oci_ready_fd(err);
	if (c->flags & CTR_OCI_EXIT_COMMAND)
		fd = watch_process(c);
	if (fd < 0)
		fd = ctr__pidfd_open(c->monitor_pid, c->monitor_start);
	if (fd >= 0)
		return fd;
	if (fd == -ESRCH)
		return ctr__oci_ready_fd(err);
	return ctr__fail_errno(
	    err, -fd, NULL, "watch the monitor %d of container %s", (int)c->monitor_pid, c->id);
}

int ctr__oci_op_monitor_alive(void *impl, const struct ctr_oci_container *c, ctr_error_t **err)
{
	(void)impl;
	(void)err;
	return c->monitor_pid > 0 && ctr__proc_alive(c->monitor_pid, c->monitor_start);
}

/* ---- exit files nobody has taken over ---- */

static void close_dir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

/* A descriptor of its own, so that two readers do not share a position. */
static DIR *open_again(int dirfd)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir;

	if (fd < 0)
		return NULL;
	dir = fdopendir(fd);
	if (!dir)
		close(fd);
	return dir;
}

/* Conmon's temporary files, ID.XXXXXX, cannot be told from IDs that look like that: the caller has to
 * know its own IDs anyway. */
int ctr__conmon_pending_exits(
    int exits_fd, int (*fn)(const char *id, void *userdata), void *userdata)
{
	CTR__CLEANUP(close_dir) DIR *dir = open_again(exits_fd);
	const struct dirent *entry;

	if (!dir)
		return -errno;
	while ((errno = 0, entry = readdir(dir))) {
		int rc;

		if (!ctr__id_valid(entry->d_name))
			continue;
		rc = fn(entry->d_name, userdata);
		if (rc)
			return rc;
	}
	return -errno;
}
