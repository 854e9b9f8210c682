/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Streams: moving bytes between a container's attach socket and descriptors of the host, without blocking and without
 * any lock but its own.
 *
 * stream.c   the relay as an object: making, running, cancelling       relay.h     the relay from inside
 * relay.c    what is moved when, what is waited for                    output.c    from the process to the host
 * endpoint.c a host's descriptor that never blocks                     detach.c    detach keys
 * frame.c    conmon's packets, the frames of Docker's API              http.c      texts on a hijacked connection
 */
#ifndef LIBCTR_STREAM_STREAM_H
#define LIBCTR_STREAM_STREAM_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libctr/attach.h>

#include "util/err.h"
#include "util/str.h"

/* ---- detach keys: detach.c ---- */

#define CTR__DETACH_MAX 32

struct ctr__detach {
	unsigned char keys[CTR__DETACH_MAX];
	uint8_t overlap
	    [CTR__DETACH_MAX]; /* [i]: keys that stay matched if what follows key i is another */
	uint8_t len;           /* 0 = none */
	uint8_t matched;       /* of keys, held back so far */
};
/* `text` as in struct ctr_attach_opts; NULL = the default. CTR_E_INVALID with detail "field" = "detach_keys". */
int ctr__detach_parse(const char *text, struct ctr__detach *d, ctr_error_t **err);
/*
 * Feeds input. What may be passed on is appended to `out` (which needs room for len + CTR__DETACH_MAX bytes), *out_len
 * is set. True: the keys were pressed; `out` has what came before them, and the rest of the input is dropped.
 */
bool ctr__detach_feed(struct ctr__detach *d, const unsigned char *in, size_t len,
    unsigned char *out, size_t *out_len);
/* At the end of the input: what was held back. Returns its length. */
size_t ctr__detach_flush(struct ctr__detach *d, unsigned char out[CTR__DETACH_MAX]);

/* ---- the relay: stream.c ---- */

/* The relays of a runtime. (One descriptor of the runtime's in every relay's set would do, but the kernel allows only 500 ways
 * from a descriptor through such a set into the set of a host's loop.) */
struct ctr__stream_group {
	pthread_mutex_t mutex;
	struct ctr_attach *first;
};
void ctr__stream_group_init(struct ctr__stream_group *g);
void ctr__stream_group_free(struct ctr__stream_group *g);
/* Every relay has something to do: it will ask its owner. */
void ctr__stream_group_wake(struct ctr__stream_group *g);

/*
 * What the owner of a relay (core: attach, exec) hangs onto it. All are called on the thread that processes, without
 * any lock of the relay's that a callback could need.
 */
struct ctr__stream_owner {
	void *arg;
	/* Is the host's runtime shut down, the process forked? 0 or an error: asked before every process. CTR_E_RUNTIME_STOPPED
	 * ends it, other errors are only returned. May be NULL. */
	int (*check)(void *arg, ctr_error_t **err);
	/* Once, when it is over: result = CTR_ATTACH_* or a negative code. Also with the last reference, if it was not over
	 * before: CTR_ATTACH_DETACHED. May be NULL. */
	void (*over)(void *arg, int result);
	/* Sets the terminal's size. May be NULL (CTR_E_UNSUPPORTED). */
	int (*resize)(void *arg, uint32_t rows, uint32_t cols, ctr_error_t **err);
	/* Once, with the last reference. May be NULL. */
	void (*destroy)(void *arg);
	/* The runtime's: its shutdown wakes whoever waits for this one. NULL = none. Outlives it. */
	struct ctr__stream_group *group;
};

/*
 * Makes a relay in two steps, so that everything that can fail by the host's doing fails before the container is touched:
 * `prepare` checks the options and opens the host's descriptors; `connect` takes over the attach socket (in every case:
 * it is closed on failure). Between the two it is owned by ctr_attach_unref(), too.
 * `default_keys`: detach keys where the options name none; NULL = libpod's default.
 */
int ctr__stream_prepare(const struct ctr_attach_opts *o, const char *default_keys,
    struct ctr_attach **out, ctr_error_t **err);
int ctr__stream_connect(
    struct ctr_attach *a, int socket, const struct ctr__stream_owner *owner, ctr_error_t **err);

/* The same for a hijacked connection. `fd` is duplicated. `connect` queues the header (unless CTR_HTTP_NO_HEADER). */
struct ctr__stream_http {
	int fd;
	uint64_t flags; /* CTR_HTTP_* */
	const char *detach_keys, *default_keys;
	const void *initial;
	size_t initial_len;
	bool terminal; /* raw, not in frames */
};
int ctr__stream_prepare_http(
    const struct ctr__stream_http *h, struct ctr_attach **out, ctr_error_t **err);
/* Where output comes from before the socket's (the log of CTR_HTTP_LOGS): 1 and a piece of at most 64 KiB (stream 1 =
 * standard output, 2 = standard error), borrowed until the next call, 0 = no more, negative = error. Called without blocking
 * intentions, and not while the output is stuck. Set before `connect`, whose socket may then be -1 (only this). */
struct ctr__stream_source {
	int (*next)(void *arg, int32_t *stream, const char **data, size_t *len, ctr_error_t **err);
	void (*destroy)(void *arg);
	void *arg;
};
void ctr__stream_set_source(struct ctr_attach *a, const struct ctr__stream_source *s);

/* The size that the options asked for, true if they did. */
bool ctr__stream_wanted_size(const struct ctr_attach *a, uint32_t *rows, uint32_t *cols);
/* CTR_E_INVALID (detail "field") unless 1..1000 each. */
int ctr__stream_check_size(uint32_t rows, uint32_t cols, ctr_error_t **err);

/* Behind the public functions (api/attach.c only forwards). */
int ctr__stream_fd(const struct ctr_attach *a);
int ctr__stream_process(struct ctr_attach *a, ctr_error_t **err);
int ctr__stream_run(struct ctr_attach *a, int64_t timeout_ms, ctr_error_t **err);
int ctr__stream_result(const struct ctr_attach *a);
void ctr__stream_cancel(struct ctr_attach *a);
int ctr__stream_resize(struct ctr_attach *a, uint32_t rows, uint32_t cols, ctr_error_t **err);
struct ctr_attach *ctr__stream_ref(struct ctr_attach *a);
void ctr__stream_unref(struct ctr_attach *a);

#endif
