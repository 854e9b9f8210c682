/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A descriptor of the host, read and written without ever waiting. Its open file description may be shared with anybody
 * (a terminal is, with the shell), so its flags stay as they are: O_NONBLOCK is not an option. Instead
 *
 *	sockets          MSG_DONTWAIT
 *	pipes, terminals a description of our own, opened through /proc/self/fd, which is non-blocking
 *	files            are always ready
 *	the rest         looked at with poll() before each small piece: masters of pseudo-terminals (opening one makes a
 *	                 new one), pipes that are used by the host's number, what may not be opened again
 */
#ifndef LIBCTR_STREAM_ENDPOINT_H
#define LIBCTR_STREAM_ENDPOINT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "util/err.h"

enum ctr__endpoint_kind { CTR__EP_SOCKET, CTR__EP_OWN, CTR__EP_FILE, CTR__EP_SHARED };

struct ctr__endpoint {
	int fd; /* -1 = none (any more) */
	uint8_t kind;
	bool kept;      /* the host's number: not closed */
	bool fifo;      /* SHARED: a pipe; else one byte at a time is what surely does not wait */
	bool no_nowait; /* SHARED: the kernel has no RWF_NOWAIT for it */
	dev_t dev;
	ino_t ino;
};
#define CTR__ENDPOINT_NONE     \
	(struct ctr__endpoint) \
	{                      \
		.fd = -1       \
	}

/* How the host's descriptor is used: `field` names it in errors. `epoll`: to try whether it can be waited for. An output
 * that nobody reads any more leaves e->fd = -1. CTR_E_INVALID: not open, not for this direction. */
struct ctr__endpoint_wish {
	int fd, epoll;
	bool output, keep;
	const char *field;
};
int ctr__endpoint_open(
    struct ctr__endpoint *e, const struct ctr__endpoint_wish *w, ctr_error_t **err);
void ctr__endpoint_close(struct ctr__endpoint *e);
/* Do both lead to the same place, in whose output pieces must not be mixed? */
bool ctr__endpoint_same(const struct ctr__endpoint *a, const struct ctr__endpoint *b);

/* Bytes, 0 at the end, -EAGAIN, or another -errno. The end of a connection and of a terminal's line are ends. */
ssize_t ctr__endpoint_read(struct ctr__endpoint *e, void *buf, size_t len);
/* Bytes (perhaps less than all), -EAGAIN, -EPIPE if nobody takes any more, or another -errno. */
ssize_t ctr__endpoint_writev(struct ctr__endpoint *e, const struct iovec *v, int n);

#endif
