/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two things in a monitor's directory that others talk to: the socket `attach` with the streams, and the fifo `ctl`
 * that takes the terminal's size. A container's is its bundle, an exec session has one of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "oci/driver.h"
#include "sys/quiet.h"
#include "util/cleanup.h"

/* For a monitor that is alive but busy: its backlog is full, or what it was told last is still unread. */
#define PATIENCE_MS 2000
#define NAP_NS      200000

static int nobody(ctr_error_t **err)
{
	return ctr__fail(err, CTR_E_CONMON_DEAD, "nobody serves the process's streams any more");
}

/*
 * Opens `name` to look at (O_PATH): a link is not followed, and nothing notices. It is used through /proc/self/fd, where it
 * cannot be exchanged any more, and where the length of its path does not count.
 */
static int open_place(int dirfd, const char *name, mode_t type, ctr_error_t **err)
{
	CTR__CLOSE int fd = openat(dirfd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 && errno == ENOENT)
		return nobody(err);
	if (fd < 0 || fstat(fd, &st) < 0)
		return ctr__fail_errno(err, errno, name, "open the monitor's file \"%s\"", name);
	if ((st.st_mode & S_IFMT) != type)
		return ctr__fail(
		    err, CTR_E_SYSTEM, "the monitor's file \"%s\" is not what it should be", name);
	return ctr__steal_fd(&fd);
}

static void name_place(int fd, char *path, size_t size)
{
	snprintf(path, size, "/proc/self/fd/%d", fd);
}

/* ---- streams ---- */

/* A full backlog makes connect() wait, but not for ever. */
static int connect_to(int socket, int place, ctr_error_t **err)
{
	struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};
	const struct timeval none = {0};
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int r;

	name_place(place, to.sun_path, sizeof(to.sun_path));
	(void)setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	do
		r = connect(socket, (const struct sockaddr *)&to, sizeof(to));
	while (r < 0 && errno == EINTR);
	if (r < 0 && (errno == ECONNREFUSED || errno == ENOENT))
		return nobody(err);
	if (r < 0 && errno == EAGAIN)
		return ctr__fail(err, CTR_E_TIMEOUT, "the monitor does not accept connections");
	if (r < 0)
		return ctr__fail_errno(err, errno, NULL, "connect to the monitor");
	(void)setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &none, sizeof(none));
	return 0;
}

int ctr__oci_connect_streams(int dirfd, ctr_error_t **err)
{
	CTR__CLOSE int place = open_place(dirfd, CTR__ATTACH_SOCKET, S_IFSOCK, err);
	CTR__CLOSE int fd = -1;
	int rc;

	if (place < 0)
		return place;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return ctr__fail_errno(err, errno, NULL, "make a socket");
	rc = connect_to(fd, place, err);
	return rc < 0 ? rc : ctr__steal_fd(&fd);
}

/* ---- the terminal's size ---- */

static int open_fifo(int place, ctr_error_t **err)
{
	char path[64];
	int fd;

	name_place(place, path, sizeof(path));
	fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 && errno == ENXIO)
		return nobody(err);
	return fd < 0 ? ctr__fail_errno(err, errno, NULL, "open the monitor's fifo") : fd;
}

/* 1 = everything was read. */
static int await_empty(int fd)
{
	const struct timespec nap = {.tv_nsec = NAP_NS};
	int unread = 0;

	for (int64_t ns = 0; ns < PATIENCE_MS * INT64_C(1000000); ns += NAP_NS) {
		if (ioctl(fd, FIONREAD, &unread) < 0)
			return -errno;
		if (unread == 0)
			return 1;
		nanosleep(&nap, NULL);
	}
	return 0;
}

/* Of two lines that conmon (up to 2.1) reads at once it takes the first only. */
static int await_turn(int fd, ctr_error_t **err)
{
	int r = await_empty(fd);

	if (r < 0)
		return ctr__fail_errno(err, -r, NULL, "look into the monitor's fifo");
	return r ? 0 : ctr__fail(err, CTR_E_TIMEOUT, "the monitor does not read what it is told");
}

/* conmon hands the size on to itself by a second fifo. When that has been read, too, the terminal has its size: before
 * a process that is started now looks. */
static void await_effect(int dirfd, int ctl)
{
	CTR__CLOSE int place = open_place(dirfd, CTR__WINSZ_FIFO, S_IFIFO, NULL);
	CTR__CLOSE int fd = -1;
	char path[64];

	if (await_empty(ctl) != 1 || place < 0)
		return;
	name_place(place, path, sizeof(path));
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0)
		(void)await_empty(fd);
}

/* Opens the fifo and writes one line to it, alone. The descriptor, or a code. */
static int write_line(int dirfd, const char *line, ctr_error_t **err)
{
	CTR__CLOSE int place = open_place(dirfd, CTR__CTL_FIFO, S_IFIFO, err);
	CTR__CLOSE int fd = place < 0 ? place : open_fifo(place, err);
	struct iovec v = {.iov_base = (void *)(uintptr_t)line, .iov_len = strlen(line)};
	ssize_t n;
	int rc = fd < 0 ? fd : await_turn(fd, err);

	if (rc < 0)
		return rc;
	/* Shorter than PIPE_BUF: all or nothing. */
	n = ctr__writev_quiet(fd, &v, 1, 0);
	if (n == -EPIPE)
		return nobody(err);
	if (n < 0)
		return ctr__fail_errno(err, (int)-n, NULL, "write to the monitor's fifo");
	return ctr__steal_fd(&fd);
}

int ctr__oci_write_size(int dirfd, uint32_t rows, uint32_t cols, ctr_error_t **err)
{
	CTR__CLOSE int fd = -1;
	char line[64];

	snprintf(line, sizeof(line), "1 %u %u\n", rows, cols);
	fd = write_line(dirfd, line, err);
	if (fd < 0)
		return fd;
	await_effect(dirfd, fd);
	return 0;
}

/*
 * A connection is made before conmon knows of it, and if it comes to look at its connections and at the end of its container
 * at once, it may take the end first: then the output of a short life goes to nobody. It looks at new connections before it
 * reads its fifo, so when a line was read that was written after connecting, it knows. There is no message 9; it is ignored.
 */
static int await_accept(int bundle, ctr_error_t **err)
{
	CTR__CLOSE int fd = write_line(bundle, "9 0 0\n", err);

	return fd < 0 ? fd : await_turn(fd, err);
}

/* ---- the operations ---- */

static int open_bundle(const struct ctr_oci_container *c, ctr_error_t **err)
{
	int rc = ctr__oci_check_container(c, err), fd;

	if (rc < 0)
		return rc;
	fd = open(c->bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return nobody(err);
	return fd < 0
	           ? ctr__fail_errno(err, errno, c->bundle, "open bundle directory %s", c->bundle)
	           : fd;
}

int ctr__oci_op_attach(void *impl, const struct ctr_oci_container *c, ctr_error_t **err)
{
	CTR__CLOSE int bundle = open_bundle(c, err);
	CTR__CLOSE int fd = bundle < 0 ? bundle : ctr__oci_connect_streams(bundle, err);
	int rc = 0;

	(void)impl;
	if (fd < 0)
		return fd;
	if (c->flags & CTR_OCI_NOT_STARTED)
		rc = await_accept(bundle, err);
	return rc < 0 ? rc : ctr__steal_fd(&fd);
}

int ctr__oci_op_resize(
    void *impl, const struct ctr_oci_container *c, uint32_t rows, uint32_t cols, ctr_error_t **err)
{
	CTR__CLOSE int bundle = open_bundle(c, err);

	(void)impl;
	if (bundle < 0)
		return bundle;
	return c->flags & CTR_OCI_TERMINAL ? ctr__oci_write_size(bundle, rows, cols, err) : 0;
}
