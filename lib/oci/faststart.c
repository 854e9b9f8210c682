/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Start without starting a process: what `runc start` and `crun start` do themselves.
 *
 * The first process of a created container waits at <root>/ID/exec.fifo:
 *   runc: it opens the fifo for writing, writes "0" and holds it open until it executes the program. The
 *         starter reads to the end of the file, so it returns when the program runs; then it unlinks.
 *   crun: it holds the fifo open for reading. The starter opens it for writing, unlinks it, writes one
 *         byte.
 * "created" or "running" is whether the fifo is there; neither writes anything else down. Whatever looks
 * unusual is left to the runtime's own command, which also has the words for what is wrong.
 */
#include "oci/driver.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
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

/* Waits until the fifo can be read or the process has ended. False after the deadline. */
static bool await_fifo(const struct starter *s, int64_t deadline)
{
	struct pollfd p[2] = {
	    {.fd = s->fifo, .events = POLLIN}, {.fd = s->pidfd, .events = POLLIN}};

	for (;;) {
		int64_t left = (deadline - ctr__monotonic_ns()) / NS_PER_MS;
		int n;

		if (left <= 0)
			return false;
		n = poll(p, 2, (int)left);
		if (n > 0)
			return true;
		if (n < 0 && errno != EINTR)
			return false;
	}
}

/* Reads to the end. 1 = the process has let go, 0 = it died without a byte, -errno. A non-blocking read
 * gives 0 also as long as no writer has come, so the end counts only after a byte or a death. */
static int drain_fifo(const struct starter *s)
{
	int64_t deadline = ctr__monotonic_ns() + START_PATIENCE * NS_PER_MS;
	bool got = false, dead = false;

	for (;;) {
		char buf[64];
		ssize_t n = ctr__read_eintr(s->fifo, buf, sizeof(buf));

		if (n < 0 && n != -EAGAIN)
			return (int)n;
		if (n > 0) {
			got = true;
			continue;
		}
		if (got && n == 0)
			return 1;
		if (dead)
			return got;
		if (!await_fifo(s, deadline))
			return got ? 1 : -ETIMEDOUT;
		dead = ctr__pidfd_wait(s->pidfd, 0) != 0;
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
static int start_runc(const struct ctr_oci_container *c, struct starter *s, ctr_error_t **err)
{
	int rc;

	if (is_frozen(c->pid) || !open_fifo(s, O_RDONLY, &s->fifo))
		return 0;
	rc = drain_fifo(s);
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
	if (unlinkat(s->dir, FIFO, 0) < 0)
		return errno == ENOENT ? 0 : start_failed(c, errno, err);
	if (write(writer, "", 1) != 1)
		return start_failed(c, errno, err);
	return 1;
}

int ctr__oci_fast_start(
    const struct ctr__conmon *d, const struct ctr_oci_container *c, ctr_error_t **err)
{
	CTR__CLEANUP(starter_close) struct starter s = {.dir = -1, .fifo = -1, .pidfd = -1};

	if (d->kind == CTR__RUNTIME_OTHER || (c->flags & CTR_OCI_START_HOOKS))
		return 0;
	if (!open_starter(d, c, &s))
		return 0;
	return d->kind == CTR__RUNTIME_RUNC ? start_runc(c, &s, err) : start_crun(c, &s, err);
}
