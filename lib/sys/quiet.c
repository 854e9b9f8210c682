/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing to pipes without SIGPIPE. The host's dispositions are not touched: the signal, which the kernel sends to the
 * thread that writes, is blocked in this thread for the time of the call, and taken off its queue before it is
 * unblocked. (A descriptor that splice() feeds would raise it as well, and so does every other way into a pipe.)
 */
#include "sys/quiet.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

#include "util/cleanup.h"

/* What a write may send: the reader is gone, the file is larger than a limit allows. */
static const int noisy[] = {SIGPIPE, SIGXFSZ};

struct quiet {
	sigset_t before;
	sigset_t ours; /* of those, which are not somebody else's already: these stay */
};

static void begin(struct quiet *q)
{
	sigset_t waiting;

	sigemptyset(&q->ours);
	for (size_t i = 0; i < CTR__ARRAY_SIZE(noisy); i++)
		sigaddset(&q->ours, noisy[i]);
	pthread_sigmask(SIG_BLOCK, &q->ours, &q->before);
	if (!sigismember(&q->before, SIGPIPE) && !sigismember(&q->before, SIGXFSZ))
		return;
	sigpending(&waiting);
	for (size_t i = 0; i < CTR__ARRAY_SIZE(noisy); i++)
		if (sigismember(&waiting, noisy[i]))
			sigdelset(&q->ours, noisy[i]);
}

static void end(const struct quiet *q, bool raised)
{
	const struct timespec now = {0};

	while (raised && sigtimedwait(&q->ours, NULL, &now) < 0 && errno == EINTR)
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
