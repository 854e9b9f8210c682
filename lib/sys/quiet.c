/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing to pipes without SIGPIPE. The host's dispositions are not touched: the signal, which the kernel sends to the
 * thread that writes, is blocked in this thread for the time of the call, and taken off its queue before it is
 * unblocked. (A descriptor that splice() feeds would raise it as well, and so does every other way into a pipe.)
 */
#include "sys/quiet.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <time.h>

struct quiet {
	sigset_t before;
	bool pending; /* somebody else's: it stays */
};

/* What a write may send: the reader is gone, the file is larger than a limit allows. */
static void noisy(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGPIPE);
	sigaddset(set, SIGXFSZ);
}

static void begin(struct quiet *q)
{
	sigset_t set, waiting;

	noisy(&set);
	pthread_sigmask(SIG_BLOCK, &set, &q->before);
	q->pending = false;
	if (!sigismember(&q->before, SIGPIPE) && !sigismember(&q->before, SIGXFSZ))
		return;
	sigpending(&waiting);
	q->pending = sigismember(&waiting, SIGPIPE) || sigismember(&waiting, SIGXFSZ);
}

static void end(const struct quiet *q, bool raised)
{
	const struct timespec now = {0};
	sigset_t set;

	noisy(&set);
	while (raised && !q->pending && sigtimedwait(&set, NULL, &now) < 0 && errno == EINTR)
		;
	pthread_sigmask(SIG_SETMASK, &q->before, NULL);
}

ssize_t ctr__writev_quiet(int fd, const struct iovec *v, int n, int flags)
{
	struct quiet q;
	ssize_t written;
	int saved;

	begin(&q);
	do
		written = flags ? pwritev2(fd, v, n, -1, flags) : writev(fd, v, n);
	while (written < 0 && errno == EINTR);
	saved = errno;
	end(&q, written < 0 && (saved == EPIPE || saved == EFBIG));
	return written < 0 ? -saved : written;
}
