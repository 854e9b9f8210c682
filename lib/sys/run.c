/* SPDX-License-Identifier: Apache-2.0 */
/* Running a program to its end and keeping what it printed. */
#include "sys/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sys/fd.h"
#include "sys/proc.h"
#include "sys/wait_util.h"
#include "util/cleanup.h"

#define KEEP_MAX    (64U << 10)
#define CHUNK       4096
#define DRAIN_MAX   (1U << 20) /* the largest pipe there is without privileges */
#define NO_PIDFD_MS 10

/* One pipe from the child. */
struct stream {
	struct ctr__buf *buf; /* NULL = not wanted */
	int fd;               /* -1 = not wanted, or at its end */
	size_t max, kept;
	bool cut; /* there was more */
};

struct run {
	struct stream streams[2];
	int in; /* standard input; -1 = /dev/null */
	bool kills_group, ignore_sigpipe;
	struct ctr__child child;
	int64_t deadline;
	bool together; /* one pipe for both */
};

static void run_close(struct run *r)
{
	for (size_t i = 0; i < 2; i++)
		ctr__cleanup_close(&r->streams[i].fd);
	ctr__cleanup_close(&r->in);
}

/* Our end does not block; the child's end is a normal one. */
static int open_stream(struct stream *s, int *child_end)
{
	int ends[2];

	if (!s->buf)
		return 0;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	s->fd = ends[0];
	*child_end = ends[1];
	return fcntl(s->fd, F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
}

static void keep(struct stream *s, const char *data, size_t len)
{
	size_t room = s->max - s->kept;

	if (len > room) {
		s->cut = true;
		len = room;
	}
	ctr__buf_add(s->buf, data, len);
	s->kept += len;
}

/* Reads once. False if nothing is there now, or never will be again. */
static bool read_some(struct stream *s, size_t *got)
{
	char chunk[CHUNK];
	ssize_t n = ctr__read_eintr(s->fd, chunk, sizeof(chunk));

	if (n == -EAGAIN)
		return false;
	if (n <= 0) {
		ctr__cleanup_close(&s->fd);
		s->fd = -1;
		return false;
	}
	keep(s, chunk, (size_t)n);
	*got += (size_t)n;
	return true;
}

/* Takes what is there. Somebody who inherited the pipe could go on writing: so not for ever. */
static void drain(struct stream *s)
{
	size_t got = 0;

	while (s->fd >= 0 && got < DRAIN_MAX && read_some(s, &got))
		;
}

static int start(struct run *r, const char *path, const char *const *argv, const char *const *envp,
    int cwd_fd, ctr_error_t **err)
{
	CTR__CLOSE int out = -1;
	CTR__CLOSE int diag = -1;
	int rc = open_stream(&r->streams[0], &out);

	if (rc == 0 && !r->together)
		rc = open_stream(&r->streams[1], &diag);
	if (rc < 0)
		return ctr__fail_errno(err, -rc, NULL, "cannot make pipes to run %s", path);
	/* A group of its own keeps the terminal's signals for the host away from it. */
	return ctr__spawn(&(struct ctr__spawn){.path = path,
	                      .argv = argv,
	                      .envp = envp,
	                      .cwd_fd = cwd_fd,
	                      .fds = {r->in, out, r->together ? out : diag},
	                      .nfds = 3,
	                      .new_group = true,
	                      .ignore_sigpipe = r->ignore_sigpipe},
	    &r->child, err);
}

/* Waits for output or the end. 1 = ended (or only that is left to wait for), 0 = go on, or -errno. */
static int pump_once(struct run *r)
{
	struct pollfd p[3] = {
	    {.fd = r->streams[0].fd, .events = POLLIN},
	    {.fd = r->streams[1].fd, .events = POLLIN},
	    {.fd = r->child.pidfd, .events = POLLIN},
	};
	int timeout = ctr__poll_timeout(r->deadline), n;

	if (p[0].fd < 0 && p[1].fd < 0)
		return 1;
	if (r->child.pidfd < 0 && (timeout < 0 || timeout > NO_PIDFD_MS))
		timeout = NO_PIDFD_MS;
	n = poll(p, 3, timeout);
	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	if (p[2].revents || ctr__poll_timeout(r->deadline) == 0)
		return 1;
	for (size_t i = 0; i < 2; i++) {
		size_t got;

		if (p[i].revents)
			read_some(&r->streams[i], &got);
	}
	return 0;
}

/* Without a pidfd the end of the child cannot be polled for: ask. */
static bool ended_unnoticed(struct run *r, int *status, bool *known)
{
	return r->child.pidfd < 0 && ctr__child_wait(&r->child, 0, status, known, NULL) == 0;
}

static int pump(struct run *r, int *status, bool *known, ctr_error_t **err)
{
	int rc;

	do {
		rc = pump_once(r);
		if (rc == 0 && ended_unnoticed(r, status, known))
			return 0;
	} while (rc == 0);
	if (rc < 0)
		return ctr__fail_errno(err, -rc, NULL, "cannot wait for output");
	rc = ctr__poll_timeout(r->deadline);
	return ctr__child_wait(&r->child, rc, status, known, err);
}

static bool out_of_memory(const struct run *r)
{
	return (r->streams[0].buf && r->streams[0].buf->failed) ||
	       (r->streams[1].buf && r->streams[1].buf->failed);
}

/* With what it has started: that is in its group, whose number is not used again while the process is there. */
static void kill_all(struct run *r)
{
	if (r->kills_group && r->child.pidfd >= 0 && ctr__pidfd_wait(r->child.pidfd, 0) == 0)
		kill(-r->child.pid, SIGKILL);
	ctr__child_kill(&r->child);
}

static int finish(struct run *r, const char *path, int *status, bool *known, ctr_error_t **err)
{
	int rc = pump(r, status, known, err);

	if (rc < 0)
		kill_all(r);
	drain(&r->streams[0]);
	drain(&r->streams[1]);
	if (rc == CTR_E_TIMEOUT)
		return ctr__fail(
		    err, CTR_E_TIMEOUT, "%s has not ended in time and was killed", path);
	if (rc == 0 && out_of_memory(r))
		return ctr__fail_nomem(err);
	return rc;
}

int ctr__run(const char *path, const char *const *argv, const char *const *envp, int cwd_fd,
    int64_t timeout_ms, struct ctr__buf *out, struct ctr__buf *diag, int *status, bool *known,
    ctr_error_t **err)
{
	CTR__CLEANUP(run_close)
	struct run r = {
	    .streams = {{.buf = out, .fd = -1, .max = KEEP_MAX},
	        {.buf = diag == out ? NULL : diag, .fd = -1, .max = KEEP_MAX}},
	    .in = -1,
	    .deadline = ctr__deadline(timeout_ms),
	    .together = out && diag == out,
	};
	int rc;

	*status = 0;
	*known = false;
	rc = start(&r, path, argv, envp, cwd_fd, err);
	return rc < 0 ? rc : finish(&r, path, status, known, err);
}

/* ---- filters ---- */

/* A file in memory with this text, read from its beginning. Descriptor or -errno. */
static int text_file(const char *text, size_t len)
{
	CTR__CLOSE int fd = memfd_create("libctr-input", MFD_CLOEXEC);
	int rc;

	if (fd < 0)
		return -errno;
	rc = ctr__write_all(fd, text, len);
	if (rc < 0)
		return rc;
	return lseek(fd, 0, SEEK_SET) < 0 ? -errno : ctr__steal_fd(&fd);
}

int ctr__run_filter(const struct ctr__filter *f, struct ctr__buf *out, struct ctr__buf *diag,
    int *status, bool *known, ctr_error_t **err)
{
	CTR__CLEANUP(run_close)
	struct run r = {
	    .streams = {{.buf = out, .fd = -1, .max = f->out_max},
	        {.buf = diag, .fd = -1, .max = KEEP_MAX}},
	    .in = -1,
	    .kills_group = true,
	    .ignore_sigpipe = f->ignore_sigpipe,
	    .deadline = ctr__deadline(f->timeout_ms),
	};
	int rc;

	*status = 0;
	*known = false;
	if (f->in) {
		r.in = text_file(f->in, f->in_len);
		if (r.in < 0)
			return ctr__fail_errno(
			    err, -r.in, NULL, "cannot prepare the input of %s", f->path);
	}
	rc = start(&r, f->path, f->argv, f->envp, -1, err);
	if (rc >= 0)
		rc = finish(&r, f->path, status, known, err);
	if (rc >= 0 && r.streams[0].cut)
		return ctr__fail(
		    err, CTR_E_INVALID, "%s printed more than %zu bytes", f->path, f->out_max);
	return rc;
}
