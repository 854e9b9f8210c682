/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container's log file as its standard streams.
 *
 * conmon writes lines "TIME STREAM TAG BYTES\n": STREAM is stdout or stderr, TAG is F for a full line and
 * P for a piece whose newline is not part of the data. The log is complete before the end of the
 * container can be seen, so one last read after that misses nothing.
 */
#include "ctrctl.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

/* conmon cuts at 8192 bytes; the rest is for the header. */
enum { LINE_MOST = 16384 };

struct reader {
	const char *path;
	int fd;    /* -1: not there yet */
	ino_t ino; /* a log that is cut at its size limit becomes a new file */
	size_t have;
	char buf[LINE_MOST];
};

static void write_all(int fd, const char *data, size_t n)
{
	while (n > 0) {
		ssize_t w = write(fd, data, n);
		if (w < 0 && errno != EINTR)
			return; /* nobody reads any more; the container goes on */
		if (w > 0) {
			data += w;
			n -= (size_t)w;
		}
	}
}

/* Prints one line of the log; `n` counts its newline. */
static void print_line(const char *line, size_t n)
{
	const char *end = line + n, *p = line, *field[3];

	for (size_t i = 0; i < 3; i++) {
		p = memchr(p, ' ', (size_t)(end - p));
		if (!p)
			return;
		field[i] = ++p;
	}
	write_all(memcmp(field[0], "stderr", 6) == 0 ? STDERR_FILENO : STDOUT_FILENO, field[2],
	    (size_t)(end - field[2]) - (*field[1] == 'P'));
}

static void print_lines(struct reader *r)
{
	char *line = r->buf, *end = r->buf + r->have, *newline;

	while ((newline = memchr(line, '\n', (size_t)(end - line)))) {
		print_line(line, (size_t)(newline + 1 - line));
		line = newline + 1;
	}
	/* Longer than any line of conmon: not its log. Drop it rather than stop. */
	if (line == r->buf && r->have == sizeof r->buf)
		line = end;
	r->have = (size_t)(end - line);
	memmove(r->buf, line, r->have);
}

static void drain(struct reader *r)
{
	ssize_t n;

	if (r->fd < 0)
		return;
	while ((n = read(r->fd, r->buf + r->have, sizeof r->buf - r->have)) > 0) {
		r->have += (size_t)n;
		print_lines(r);
	}
}

/* Prints all that is new in the log, across a change of the file. */
static void pump(struct reader *r)
{
	struct stat st;

	drain(r);
	if (stat(r->path, &st) < 0 || (r->fd >= 0 && st.st_ino == r->ino))
		return;
	if (r->fd >= 0)
		close(r->fd);
	r->have = 0;
	r->fd = open(r->path, O_RDONLY | O_CLOEXEC);
	r->ino = st.st_ino;
	drain(r);
}

static void signals_of_interest(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGHUP);
	sigaddset(set, SIGQUIT);
	sigaddset(set, SIGUSR1);
	sigaddset(set, SIGUSR2);
}

void follow_prepare(void)
{
	sigset_t set;

	signals_of_interest(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

static void pass_on(ctr_container_t *c, int signals)
{
	struct signalfd_siginfo info;

	while (read(signals, &info, sizeof info) == (ssize_t)sizeof info)
		ctr_container_kill(c, (int32_t)info.ssi_signo, NULL);
}

static int watch_log(const char *path)
{
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	char *dir = strdup(path), *slash = dir ? strrchr(dir, '/') : NULL;

	/* The directory, because the file may be replaced. */
	if (slash && fd >= 0) {
		*slash = 0;
		inotify_add_watch(fd, dir, IN_MODIFY | IN_CREATE | IN_MOVED_TO);
	}
	free(dir);
	return fd;
}

/* Waits for whatever comes next; the end is the caller's to find out. */
static void next(ctr_container_t *c, int end, int log, int signals)
{
	struct pollfd fds[] = {{end, POLLIN, 0}, {log, POLLIN, 0}, {signals, POLLIN, 0}};
	char junk[4096];

	if (poll(fds, 3, -1) < 0)
		return;
	if (fds[1].revents)
		while (read(log, junk, sizeof junk) > 0)
			;
	if (fds[2].revents)
		pass_on(c, signals);
}

int follow(ctr_container_t *c, int32_t *exit_code, ctr_error_t **err)
{
	ctr_config_t *cfg = ctr_container_config(c);
	struct reader r = {.path = ctr_config_log_path(cfg), .fd = -1};
	sigset_t set;
	int log, signals, code;

	signals_of_interest(&set);
	signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	log = watch_log(r.path ? r.path : "");
	for (;;) {
		/* First the descriptor, then the look: an end between the two is not missed. */
		int end = ctr_container_wait_fd(c, err);
		code = end < 0 ? end : ctr_container_wait(c, 0, exit_code, err);
		if (r.path)
			pump(&r);
		if (code != CTR_E_TIMEOUT) {
			if (end >= 0)
				close(end);
			break;
		}
		ctr_error_freep(err);
		next(c, end, log, signals);
		close(end);
	}
	if (r.fd >= 0)
		close(r.fd);
	close(log);
	close(signals);
	ctr_config_unref(cfg);
	return code;
}
