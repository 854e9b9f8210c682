/* SPDX-License-Identifier: Apache-2.0 */
#include "stream/endpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "sys/quiet.h"
#include "util/cleanup.h"

/* ---- opening ---- */

static int refuse(const struct ctr__endpoint_wish *w, const char *why, ctr_error_t **err)
{
	ctr__fail(err, CTR_E_INVALID, "%s: descriptor %d %s", w->field, w->fd, why);
	ctr__error_detail(err, "field", w->field);
	return CTR_E_INVALID;
}

static int check_direction(const struct ctr__endpoint_wish *w, int *mode, ctr_error_t **err)
{
	int flags = w->fd < 0 ? -1 : fcntl(w->fd, F_GETFL);

	if (flags < 0)
		return refuse(w, "is not open", err);
	*mode = flags & O_ACCMODE;
	if ((flags & O_PATH) || *mode == (w->output ? O_RDONLY : O_WRONLY))
		return refuse(w, w->output ? "cannot be written" : "cannot be read", err);
	return 0;
}

/* Files, /dev/null and the like are not to be waited for. */
static bool is_always_ready(const struct ctr__endpoint_wish *w, const struct stat *st)
{
	struct epoll_event ev = {0};

	if (S_ISREG(st->st_mode) || S_ISBLK(st->st_mode))
		return true;
	if (epoll_ctl(w->epoll, EPOLL_CTL_ADD, w->fd, &ev) < 0)
		return errno == EPERM;
	(void)epoll_ctl(w->epoll, EPOLL_CTL_DEL, w->fd, NULL);
	return false;
}

static bool is_terminal(int fd)
{
	struct termios t;

	return tcgetattr(fd, &t) == 0;
}

static bool is_pty_master(int fd)
{
	unsigned int number;

	return ioctl(fd, TIOCGPTN, &number) == 0;
}

/* A description of our own of the same pipe or terminal. */
static int open_again(const struct ctr__endpoint_wish *w, int mode)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", w->fd);
	do
		fd = open(path, mode | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	while (fd < 0 && errno == EINTR);
	return fd < 0 ? -errno : fd;
}

/* The host's description, under a number of our own unless its own is to be used. */
static int share(
    struct ctr__endpoint *e, const struct ctr__endpoint_wish *w, uint8_t kind, ctr_error_t **err)
{
	e->kind = kind;
	e->kept = w->keep;
	e->fd = w->keep ? w->fd : fcntl(w->fd, F_DUPFD_CLOEXEC, 3);
	if (e->fd >= 0)
		return 0;
	return ctr__fail_errno(err, errno, NULL, "duplicate descriptor %d", w->fd);
}

/* A terminal's description is opened anew even if the numbers of the others are to be kept: there is no telling how
 * much can be written to one without waiting. */
static int open_waiting(
    struct ctr__endpoint *e, const struct ctr__endpoint_wish *w, int mode, ctr_error_t **err)
{
	bool terminal = is_terminal(w->fd);
	int fd;

	if (is_pty_master(w->fd) || (!terminal && !e->fifo) || (w->keep && !terminal))
		return share(e, w, CTR__EP_SHARED, err);
	fd = open_again(w, mode);
	if (fd == -ENXIO && e->fifo && w->output)
		return 0; /* nobody reads */
	if (fd == -EMFILE || fd == -ENFILE)
		return ctr__fail_errno(err, -fd, NULL, "open descriptor %d again", w->fd);
	if (fd < 0)
		return share(e, w, CTR__EP_SHARED, err);
	e->kind = CTR__EP_OWN;
	e->fd = fd;
	return 0;
}

int ctr__endpoint_open(
    struct ctr__endpoint *e, const struct ctr__endpoint_wish *w, ctr_error_t **err)
{
	struct stat st;
	int mode, r = check_direction(w, &mode, err);

	*e = CTR__ENDPOINT_NONE;
	if (r < 0)
		return r;
	if (fstat(w->fd, &st) < 0)
		return ctr__fail_errno(err, errno, NULL, "look at descriptor %d", w->fd);
	e->dev = st.st_dev;
	e->ino = st.st_ino;
	e->fifo = S_ISFIFO(st.st_mode);
	if (S_ISDIR(st.st_mode))
		return refuse(w, "is a directory", err);
	if (S_ISSOCK(st.st_mode))
		return share(e, w, CTR__EP_SOCKET, err);
	if (is_always_ready(w, &st))
		return share(e, w, CTR__EP_FILE, err);
	return open_waiting(e, w, mode, err);
}

void ctr__endpoint_close(struct ctr__endpoint *e)
{
	if (e->fd >= 0 && !e->kept)
		close(e->fd);
	e->fd = -1;
}

bool ctr__endpoint_same(const struct ctr__endpoint *a, const struct ctr__endpoint *b)
{
	return a->fd >= 0 && b->fd >= 0 && a->kind == b->kind && a->kind != CTR__EP_FILE &&
	       a->dev == b->dev && a->ino == b->ino;
}

/* ---- reading ---- */

/* What poll() says of it now; 0 = nothing. */
static short look(const struct ctr__endpoint *e, short events)
{
	struct pollfd p = {.fd = e->fd, .events = events};

	return poll(&p, 1, 0) > 0 ? p.revents : 0;
}

/* -EOPNOTSUPP: not for this descriptor, or not with this kernel; remembered. */
static ssize_t read_nowait(struct ctr__endpoint *e, void *buf, size_t len)
{
	struct iovec v = {.iov_base = buf, .iov_len = len};
	ssize_t n;

	if (!e->fifo || e->no_nowait)
		return -EOPNOTSUPP;
	n = preadv2(e->fd, &v, 1, -1, RWF_NOWAIT);
	e->no_nowait = n < 0 && errno == EOPNOTSUPP;
	return n < 0 ? -errno : n;
}

static ssize_t read_shared(struct ctr__endpoint *e, void *buf, size_t len)
{
	ssize_t n = read_nowait(e, buf, len);

	if (n != -EOPNOTSUPP)
		return n;
	if (!look(e, POLLIN))
		return -EAGAIN;
	n = read(e->fd, buf, len);
	return n < 0 ? -errno : n;
}

static ssize_t read_once(struct ctr__endpoint *e, void *buf, size_t len)
{
	ssize_t n;

	if (e->kind == CTR__EP_SHARED)
		return read_shared(e, buf, len);
	n = e->kind == CTR__EP_SOCKET ? recv(e->fd, buf, len, MSG_DONTWAIT) : read(e->fd, buf, len);
	return n < 0 ? -errno : n;
}

ssize_t ctr__endpoint_read(struct ctr__endpoint *e, void *buf, size_t len)
{
	ssize_t n;

	do
		n = read_once(e, buf, len);
	while (n == -EINTR);
	if (n == -ECONNRESET || (n == -EIO && e->kind != CTR__EP_FILE))
		return 0;
	return n;
}

/* ---- writing ---- */

/* The first bytes alone. A master whose terminal nobody has open any more is "hung up", and yet a write would wait if that
 * has bytes enough. */
static ssize_t write_piece(struct ctr__endpoint *e, const struct iovec *v, size_t most)
{
	struct iovec piece = *v;
	short now = look(e, POLLOUT);

	if (!(now & POLLOUT))
		return now ? -EPIPE : -EAGAIN;
	if (piece.iov_len > most)
		piece.iov_len = most;
	return ctr__writev_quiet(e->fd, &piece, 1, 0);
}

static ssize_t write_shared(struct ctr__endpoint *e, const struct iovec *v, int n)
{
	ssize_t written = -EOPNOTSUPP;

	if (e->fifo && !e->no_nowait) {
		written = ctr__writev_quiet(e->fd, v, n, RWF_NOWAIT);
		e->no_nowait = written == -EOPNOTSUPP;
	}
	if (written != -EOPNOTSUPP)
		return written;
	return write_piece(e, v, e->fifo ? PIPE_BUF : 1);
}

static ssize_t send_all(const struct ctr__endpoint *e, const struct iovec *v, int n)
{
	const struct msghdr m = {.msg_iov = (struct iovec *)(uintptr_t)v, .msg_iovlen = (size_t)n};
	ssize_t sent;

	do
		sent = sendmsg(e->fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : sent;
}

/* A connection that was cut, a terminal that was hung up: nobody is there any more. */
static ssize_t as_gone(ssize_t n)
{
	return n == -ECONNRESET || n == -EIO || n == -ENOTCONN || n == -ESHUTDOWN ? -EPIPE : n;
}

ssize_t ctr__endpoint_writev(struct ctr__endpoint *e, const struct iovec *v, int n)
{
	while (n > 1 && !v->iov_len) {
		v++;
		n--;
	}
	switch (e->kind) {
	case CTR__EP_SOCKET: return as_gone(send_all(e, v, n));
	case CTR__EP_SHARED: return as_gone(write_shared(e, v, n));
	case CTR__EP_OWN: return as_gone(ctr__writev_quiet(e->fd, v, n, 0));
	default: return ctr__writev_quiet(e->fd, v, n, 0);
	}
}
