/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Start without starting a process: what `runc start` and `crun start` do themselves.
 *
 * The first process of a created container waits at <root>/ID/exec.fifo:
 *   runc: it opens the fifo for writing, writes "0" and holds it open until it executes the program. The
 *         starter reads to the end of the file, so it returns when the program runs; then it unlinks.
 *   crun: it holds the fifo open for reading. The starter opens it for writing, writes one byte, unlinks it
 *         (crun itself unlinks first; killed between the two it leaves a process that waits for ever).
 * "created" or "running" is whether the fifo is there; neither writes anything else down. So a starter that is
 * killed before it unlinks leaves a running container that its runtime calls created: ctr__oci_was_started().
 * One difference to the runtime's own start remains: that process survives its host. A host that is killed in the
 * tenth of a millisecond between opening the fifo and the handshake takes the other end away, and the first process
 * ends with an error without having run the program: the container is then stopped, with an exit code.
 * Whatever looks unusual is left to the runtime's own command, which also has the words for what is wrong.
 */
#include "oci/driver.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/cgroup.h"
#include "sys/fd.h"
#include "sys/proc.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/id.h"

#define FIFO             "exec.fifo"
#define START_PATIENCE   10000 /* ms, for the first byte and for the end of the file */
#define LOOK_AFTER       50    /* ms without a byte until it is asked whether one is to come */
#define NS_PER_MS        INT64_C(1000000)
#define FREEZER_FILE_MAX 4096

struct starter {
	int dir; /* <root>/ID */
	int fifo;
	int pidfd; /* first process */
};

static void starter_close(struct starter *s)
{
	ctr__cleanup_close(&s->fifo);
	ctr__cleanup_close(&s->pidfd);
	ctr__cleanup_close(&s->dir);
}

static int start_failed(const struct ctr_oci_container *c, int errno_, ctr_error_t **err)
{
	return ctr__fail_errno(err, errno_, NULL, "start container %s", c->id);
}

static bool open_fifo(const struct starter *s, int flags, int *fd)
{
	struct stat st;

	if (fstatat(s->dir, FIFO, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISFIFO(st.st_mode))
		return false;
	*fd = openat(s->dir, FIFO, flags | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	return *fd >= 0 && fstat(*fd, &st) == 0 && S_ISFIFO(st.st_mode);
}

static bool open_starter(
    const struct ctr__conmon *d, const struct ctr_oci_container *c, struct starter *s)
{
	if (c->pid <= 0 || c->pid_start == 0)
		return false;
	s->dir = openat(d->oci_fd, c->id, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (s->dir < 0)
		return false;
	s->pidfd = ctr__pidfd_open(c->pid, c->pid_start);
	return s->pidfd >= 0 && ctr__pidfd_wait(s->pidfd, 0) == 0;
}

/* ---- runc ---- */

/* What may have happened at the fifo. */
enum news {
	NEWS_NONE, /* within the deadline */
	NEWS_DATA, /* something can be read, or the process has ended */
	NEWS_LEFT  /* the process has closed it */
};

static enum news await_fifo(const struct starter *s, int64_t timeout_ms)
{
	int64_t deadline = ctr__monotonic_ns() + timeout_ms * NS_PER_MS;
	struct pollfd p[2] = {
	    {.fd = s->fifo, .events = POLLIN}, {.fd = s->pidfd, .events = POLLIN}};

	for (;;) {
		int64_t left = (deadline - ctr__monotonic_ns()) / NS_PER_MS;
		int n;

		if (left <= 0)
			return NEWS_NONE;
		n = poll(p, 2, (int)left);
		if (n > 0)
			return p[0].revents == POLLHUP && !p[1].revents ? NEWS_LEFT : NEWS_DATA;
		if (n < 0 && errno != EINTR)
			return NEWS_NONE;
	}
}

/* Reads to the end. 1 = the process has let go, 0 = it is dead, or another starter had its byte; -errno. A
 * non-blocking read gives 0 also as long as no writer has come, so that alone is not the end; and none comes if the
 * process passed the fifo right before it was opened here. */
static int drain_fifo(
    const struct ctr__conmon *d, const struct ctr_oci_container *c, const struct starter *s)
{
	bool got = false, last = false, asked = false;

	for (;;) {
		char buf[64];
		ssize_t n = ctr__read_eintr(s->fifo, buf, sizeof(buf));
		enum news news;

		if (n < 0 && n != -EAGAIN)
			return (int)n;
		if (n > 0) {
			got = true;
			continue;
		}
		if (got && n == 0)
			return 1;
		if (last)
			return got;
		news = await_fifo(s, got || asked ? START_PATIENCE : LOOK_AFTER);
		if (news == NEWS_NONE) {
			if (got || ctr__oci_was_started(d, c->id, c->pid))
				return 1;
			if (asked)
				return -ETIMEDOUT;
			asked = true;
		}
		last = news == NEWS_LEFT || ctr__pidfd_wait(s->pidfd, 0) != 0;
	}
}

static bool file_says(const char *dir, const char *group, const char *file, const char *what)
{
	CTR__FREE char *path = ctr__format("%s%s/%s", dir, group, file);
	CTR__FREE char *text = NULL;

	return path && ctr__read_file_at(AT_FDCWD, path, FREEZER_FILE_MAX, &text, NULL) == 0 &&
	       strstr(text, what);
}

static bool is_frozen(pid_t pid)
{
	CTR__FREE char *group = ctr__proc_cgroup(pid);

	if (!group)
		return false;
	if (ctr__cgroup_mode() == CTR__CGROUP_UNIFIED)
		return file_says("/sys/fs/cgroup", group, "cgroup.events", "frozen 1");
	return file_says("/sys/fs/cgroup/freezer", group, "freezer.state", "FR");
}

/* Once the fifo was opened the process cannot be left waiting at it any more (it would write to nobody and
 * die of it), so this is not done to a frozen container, whose runtime refuses to start it. */
static int start_runc(const struct ctr__conmon *d, const struct ctr_oci_container *c,
    struct starter *s, ctr_error_t **err)
{
	int rc;

	if (is_frozen(c->pid) || !open_fifo(s, O_RDONLY, &s->fifo))
		return 0;
	rc = drain_fifo(d, c, s);
	if (rc == 0)
		return 0;
	if (rc == 1 && unlinkat(s->dir, FIFO, 0) < 0 && errno != ENOENT)
		rc = -errno;
	return rc == 1 ? 1 : start_failed(c, -rc, err);
}

/* ---- crun ---- */

/* The reading end of our own keeps the write from raising SIGPIPE in the host if the process dies right
 * now; it is opened second, so that ENXIO still tells a process that does not wait any more. */
static int start_crun(const struct ctr_oci_container *c, struct starter *s, ctr_error_t **err)
{
	CTR__CLOSE int writer = -1;

	if (!open_fifo(s, O_WRONLY, &writer) || !open_fifo(s, O_RDONLY, &s->fifo))
		return 0;
	if (write(writer, "", 1) != 1)
		return start_failed(c, errno, err);
	if (unlinkat(s->dir, FIFO, 0) < 0 && errno != ENOENT)
		return start_failed(c, errno, err);
	return 1;
}

/* ---- after a starter that was killed ---- */

static void close_dir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

/* Has the process a descriptor of this file? 1, 0 or -errno. */
static int holds(pid_t pid, const struct stat *file)
{
	CTR__CLEANUP(close_dir) DIR *dir = NULL;
	const struct dirent *e;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	dir = opendir(path);
	if (!dir)
		return -errno;
	while ((e = readdir(dir))) {
		struct stat st;

		if (e->d_name[0] != '.' && fstatat(dirfd(dir), e->d_name, &st, 0) == 0 &&
		    st.st_dev == file->st_dev && st.st_ino == file->st_ino)
			return 1;
	}
	return 0;
}

/* crun's go-ahead, written but not yet read. (A look that would let runc's process go on.) */
static bool byte_waits(const struct starter *s, const struct ctr__conmon *d)
{
	CTR__CLOSE int fifo = -1;
	int bytes = 0;

	return d->kind == CTR__RUNTIME_CRUN && open_fifo(s, O_RDONLY, &fifo) &&
	       ioctl(fifo, FIONREAD, &bytes) == 0 && bytes > 0;
}

bool ctr__oci_was_started(const struct ctr__conmon *d, const char *id, pid_t pid)
{
	CTR__CLEANUP(starter_close) struct starter s = {.dir = -1, .fifo = -1, .pidfd = -1};
	uint64_t start = pid > 0 ? ctr__proc_start_time(pid) : 0;
	struct stat fifo;
	int r;

	if (d->kind == CTR__RUNTIME_OTHER || !start)
		return false;
	s.dir = openat(d->oci_fd, id, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (s.dir < 0 || fstatat(s.dir, FIFO, &fifo, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISFIFO(fifo.st_mode))
		return false;
	r = byte_waits(&s, d) ? 0 : holds(pid, &fifo);
	/* A dead process holds nothing either, and a dying one no more. */
	if (r != 0 || ctr__proc_is_over(pid, start))
		return false;
	return unlinkat(s.dir, FIFO, 0) == 0 || errno == ENOENT;
}

int ctr__oci_fast_start(
    const struct ctr__conmon *d, const struct ctr_oci_container *c, ctr_error_t **err)
{
	CTR__CLEANUP(starter_close) struct starter s = {.dir = -1, .fifo = -1, .pidfd = -1};

	int rc;

	if (d->kind == CTR__RUNTIME_OTHER || (c->flags & CTR_OCI_START_HOOKS))
		return 0;
	if (!open_starter(d, c, &s))
		return 0;
	rc = d->kind == CTR__RUNTIME_RUNC ? start_runc(d, c, &s, err) : start_crun(c, &s, err);
	/* It may have gone on since it was last seen to wait. The runtime's own command would not find that out: runc
	 * waits at the fifo for as long as the container lives. */
	return rc == 0 && ctr__oci_was_started(d, c->id, c->pid) ? 1 : rc;
}
