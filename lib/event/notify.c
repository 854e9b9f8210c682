/* SPDX-License-Identifier: Apache-2.0 */
/* The descriptor that becomes readable when there may be new events. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "event/event.h"
#include "util/cleanup.h"

int ctr__notify_file(int run_fd)
{
	int fd CTR__CLOSE =
	    openat(run_fd, CTR__NOTIFY_FILE, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	return fd < 0 ? -errno : ctr__steal_fd(&fd);
}

/* Not ctr__fail_errno(): the ENOSPC of inotify is about watches, not about a file system. */
static int fail_inotify(ctr_error_t **err, int errno_, const char *path)
{
	int r;

	switch (errno_) {
	case EMFILE:
		r = ctr__fail_errno(err, errno_, NULL,
		    "no inotify instance left (the kernel's limit fs.inotify.max_user_instances is "
		    "128 per user by default), or no descriptor");
		break;
	case ENOSPC:
		return ctr_error_set(err, CTR_E_SYSTEM, errno_,
		    "no inotify watch left (the kernel's limit is fs.inotify.max_user_watches)");
	default: r = ctr__fail_errno(err, errno_, path, "cannot watch for events"); break;
	}
	return r;
}

static int make_file(const char *run_root, ctr_error_t **err)
{
	int dir CTR__CLOSE = open(run_root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int file CTR__CLOSE = -1;

	if (dir < 0)
		return ctr__fail_errno(err, errno, run_root, "cannot open the run root");
	file = ctr__notify_file(dir);
	if (file < 0)
		return ctr__fail_errno(
		    err, -file, run_root, "cannot open \"%s\" in the run root", CTR__NOTIFY_FILE);
	return 0;
}

static int watch(int fd, const char *path, uint32_t mask, ctr_error_t **err)
{
	if (inotify_add_watch(fd, path, mask) < 0)
		return fail_inotify(err, errno, path);
	return 0;
}

int ctr__notify_open(const char *run_root, const char *exits_dir, ctr_error_t **err)
{
	char *file CTR__FREE = ctr__path_join(run_root, CTR__NOTIFY_FILE);
	int fd CTR__CLOSE = -1;
	int r;

	if (!file)
		return ctr__fail_nomem(err);
	r = make_file(run_root, err);
	if (r < 0)
		return r;
	fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (fd < 0)
		return fail_inotify(err, errno, NULL);
	/* Removal of the file or the directory is told of without being asked for (IN_IGNORED). */
	r = watch(fd, file, IN_MODIFY | IN_DONT_FOLLOW, err);
	if (r == 0 && exits_dir)
		r = watch(fd, exits_dir, IN_MOVED_TO | IN_ONLYDIR, err);
	return r < 0 ? r : ctr__steal_fd(&fd);
}

void ctr__notify_drain(int fd)
{
	char buf[4096];
	ssize_t n;

	do {
		n = read(fd, buf, sizeof(buf));
	} while (n > 0 || (n < 0 && errno == EINTR));
}

void ctr__notify_touch(int file_fd)
{
	ssize_t n;

	/* A write of the same byte counts as a change. If it fails, readers learn of the event with the
	 * next one: the event itself is in the journal. */
	do {
		n = pwrite(file_fd, "", 1, 0);
	} while (n < 0 && errno == EINTR);
}
