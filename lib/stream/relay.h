/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The relay from inside.
 *
 * Output: a round takes packets from the socket and writes them out at once. What an output does not take is kept, and
 * while there is something kept no more packets are taken: so there is never more than one round's. Input: likewise, with
 * one piece. An idle relay has no buffer at all.
 */
#ifndef LIBCTR_STREAM_RELAY_H
#define LIBCTR_STREAM_RELAY_H

#include <pthread.h>
#include <stdatomic.h>

#include "stream/endpoint.h"
#include "stream/frame.h"
#include "stream/stream.h"

/* Bytes that could not be passed on yet. */
struct ctr__kept {
	unsigned char *data;
	size_t at, len;
};

enum { CTR__IN, CTR__OUT, CTR__ERR, CTR__PEER, CTR__ENDS };

struct ctr_attach {
	atomic_uint refs;
	pthread_mutex_t mutex; /* whoever processes */

	int epoll;
	int wake; /* an eventfd in the set: never readable, always writable */
	struct ctr_attach *next,
	    **link;   /* in the owner's group: its mutex guards them, as others write them */
	bool grouped; /* it is in there */
	_Atomic bool
	    armed; /* it is waited for that it is writable: there is something to do in any case */
	_Atomic bool cancelled;
	_Atomic int result; /* CTR_ATTACH_* or the code of the failure */
	char *why;          /* the failure's message */
	const char *field;  /* ... and which descriptor it was; NULL = none */

	int socket; /* -1 = none, or it has ended */
	struct ctr__endpoint end[CTR__PEER];
	bool asked[CTR__PEER];
	bool merged;                      /* standard error goes where standard output goes */
	struct ctr__kept kept[CTR__ENDS]; /* [CTR__PEER]: for the socket */
	/* What epoll waits for; WATCH_NONE = not in the set. The last is the socket. */
	uint32_t watched[CTR__ENDS];

	struct ctr__detach detach;
	bool detached;    /* the keys were pressed */
	bool input_ended; /* no more will be read */
	bool shut;        /* ... and the process has been told */

	bool http, framed; /* not http: raw to each end */
	bool terminal;     /* http: it has one stream */
	uint64_t http_flags;
	uint32_t rows, cols; /* 0 = not wanted */
	struct ctr__stream_source source;
	struct ctr__stream_owner owner;
};
#define CTR__WATCH_NONE UINT32_MAX

/* ---- output.c ---- */

/* One piece of output. */
struct ctr__piece {
	int stream; /* CTR__STDOUT, CTR__STDERR */
	const unsigned char *data;
	size_t len;
};
#define CTR__BATCH 15 /* packets of a round: together below what malloc() maps */
/* Writes out at most CTR__BATCH pieces, keeps what is not taken. 0 or a code (with a->field). */
int ctr__output_write(
    struct ctr_attach *a, const struct ctr__piece *p, size_t n, ctr_error_t **err);
/* Goes on with what was kept. *moved: something was. */
int ctr__output_flush(struct ctr_attach *a, bool *moved, ctr_error_t **err);
bool ctr__output_is_stuck(const struct ctr_attach *a);
/* Is nobody left to take any output, of those that were asked for? */
bool ctr__output_all_gone(const struct ctr_attach *a);
/* Appends to what is kept. False if memory is short. */
bool ctr__kept_add(struct ctr__kept *k, const void *data, size_t len);
void ctr__kept_free(struct ctr__kept *k);
static inline bool ctr__kept_any(const struct ctr__kept *k)
{
	return k->at < k->len;
}

/* ---- relay.c ---- */

/* Input that is there already: through the detach keys, to be sent. False if memory is short. */
bool ctr__relay_feed(struct ctr_attach *a, const void *data, size_t len);
/* CTR_E_SYSTEM for a descriptor of the host. */
int ctr__relay_failed(struct ctr_attach *a, const char *field, int errno_, ctr_error_t **err);
/* Everything that can be done now, within limits. CTR_ATTACH_* or a code. */
int ctr__relay_move(struct ctr_attach *a, ctr_error_t **err);
/* Lets go of outputs that nobody reads any more. */
void ctr__relay_look(struct ctr_attach *a);
/* Makes the epoll set wait for what can be done next. 0 or a code. */
int ctr__relay_watch(struct ctr_attach *a, ctr_error_t **err);
/* ctr_attach_fd() is readable, in any case. From any thread. */
void ctr__relay_arm(struct ctr_attach *a);
/* Lets go of one end, or of the socket (CTR__PEER). */
void ctr__relay_drop(struct ctr_attach *a, int which);

#endif
