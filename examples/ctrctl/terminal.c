/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session at a terminal.
 *
 * All signals that would end or stop ctrctl are blocked and read from a descriptor, so there is no way out of here
 * on which the terminal stays raw; exit() puts it back, too.
 */
#include "terminal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

enum { SIZE_MOST = 1000 };

/* ---- raw mode ---- */

static struct termios cooked; /* what it was */
static bool is_raw;

static void restore(void)
{
	if (is_raw)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &cooked);
	is_raw = false;
}

static void make_raw(void)
{
	static bool registered;
	struct termios raw;

	if (is_raw || tcgetattr(STDIN_FILENO, &cooked) < 0)
		return;
	if (!registered)
		registered = atexit(restore) == 0;
	raw = cooked;
	cfmakeraw(&raw);
	is_raw = tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
}

/* ---- size ---- */

static uint32_t within(unsigned int n)
{
	return n > SIZE_MOST ? SIZE_MOST : n;
}

static bool get_size(uint32_t *rows, uint32_t *cols)
{
	struct winsize w;

	if (ioctl(STDIN_FILENO, TIOCGWINSZ, &w) < 0 && ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) < 0)
		return false;
	*rows = within(w.ws_row);
	*cols = within(w.ws_col);
	return *rows > 0 && *cols > 0;
}

/* The process may have ended, or not run yet: its next size will do. */
static void pass_size(ctr_attach_t *a)
{
	uint32_t rows, cols;

	if (get_size(&rows, &cols))
		ctr_attach_resize(a, rows, cols, NULL);
}

/* ---- signals ---- */

static const int passed_on[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};

void session_prepare(void)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof passed_on / sizeof *passed_on; i++)
		sigaddset(&set, passed_on[i]);
	sigaddset(&set, SIGTSTP);
	sigaddset(&set, SIGWINCH);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

static int open_signals(void)
{
	sigset_t set;

	sigprocmask(SIG_BLOCK, NULL, &set);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Stopped by hand: whoever goes on in the meantime gets the terminal as it was. */
static void stop_here(const struct session *s, ctr_attach_t *a)
{
	restore();
	raise(SIGSTOP);
	if (s->terminal) {
		make_raw();
		pass_size(a);
	}
}

static void on_signal(const struct session *s, ctr_attach_t *a, int sig)
{
	if (sig == SIGWINCH) {
		if (s->terminal)
			pass_size(a);
	} else if (sig == SIGTSTP) {
		stop_here(s, a);
	} else if (s->signalled) {
		ctr_container_kill(s->signalled, sig, NULL);
	} else {
		ctr_attach_cancel(a);
	}
}

static void on_signals(const struct session *s, ctr_attach_t *a, int fd)
{
	struct signalfd_siginfo info;

	while (read(fd, &info, sizeof info) == (ssize_t)sizeof info)
		on_signal(s, a, (int)info.ssi_signo);
}

/* ---- the session ---- */

void session_streams(const struct session *s, struct ctr_attach_opts *io)
{
	memset(io, 0, sizeof *io);
	io->size = sizeof *io;
	/* A terminal has one output. */
	io->flags = CTR_ATTACH_STDOUT | (s->terminal ? 0 : CTR_ATTACH_STDERR);
	io->stdin_fd = STDIN_FILENO;
	io->stdout_fd = STDOUT_FILENO;
	io->stderr_fd = STDERR_FILENO;
	io->detach_keys = s->detach_keys;
	if (s->input)
		io->flags |= CTR_ATTACH_STDIN;
	if (s->terminal && get_size(&io->rows, &io->cols))
		io->flags |= CTR_ATTACH_SIZE;
}

int session_run(const struct session *s, ctr_attach_t *a, ctr_error_t **err)
{
	struct pollfd p[] = {{ctr_attach_fd(a), POLLIN, 0}, {open_signals(), POLLIN, 0}};
	int r;

	if (s->terminal && s->input)
		make_raw();
	/* The size may have changed since the session was described. */
	if (s->terminal)
		pass_size(a);
	while ((r = ctr_attach_process(a, err)) == CTR_ATTACH_GOING_ON) {
		while (poll(p, 2, -1) < 0 && errno == EINTR)
			;
		if (p[1].revents)
			on_signals(s, a, p[1].fd);
	}
	restore();
	close(p[1].fd);
	return r;
}
