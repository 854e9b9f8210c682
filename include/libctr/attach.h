/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libctr/attach.h - a container's standard streams, connected to descriptors of the host.
 *
 * An attach in progress is an object of its own. It moves bytes only while the host lets it, on the host's
 * threads; the container's lock is not held. A program with one attach lets it run:
 *
 *	ctr_container_attach(c, &opts, &a, &err);
 *	r = ctr_attach_run(a, -1, &err);          // CTR_ATTACH_ENDED, CTR_ATTACH_DETACHED, ...
 *
 * and one with a thousand has one descriptor of each in its poll loop:
 *
 *	int fd = ctr_attach_fd(a);
 *	for (;;) {
 *		poll(&(struct pollfd){fd, POLLIN, 0}, 1, -1);
 *		r = ctr_attach_process(a, &err);  // never blocks
 *		if (r != CTR_ATTACH_GOING_ON)
 *			break;
 *	}
 *
 * There is no history: what a container printed before it was attached to is in its log (log.h).
 * ctr_container_start_and_attach() attaches before the first byte. A container's output waits for whoever is
 * attached to it: while an attach is not processed, or its host's outputs are full, the container's writes, its
 * log and the record of its end are held up. An attach that nobody will process any more must be freed.
 *
 * Standard input: with CTR_CONFIG_STDIN and no terminal, the end of the host's input closes the container's, and so
 * does the end of the attach; conmon makes no difference (it ends for all that are attached).
 */
#ifndef LIBCTR_ATTACH_H
#define LIBCTR_ATTACH_H

#include <libctr/error.h>
#include <libctr/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How an attach is getting on. Numbers are frozen; all but the first mean that it is over. */
enum {
	CTR_ATTACH_GOING_ON = 0,
	CTR_ATTACH_ENDED = 1,    /* the process's output has ended: it has, or is about to  */
	CTR_ATTACH_DETACHED = 2, /* the detach keys were pressed; the process goes on       */
	CTR_ATTACH_CLOSED = 3    /* nobody is left to take the output; the process goes on  */
};

#define CTR_ATTACH_STDIN    (UINT64_C(1) << 0) /* stdin_fd is read and sent to the process      */
#define CTR_ATTACH_STDOUT   (UINT64_C(1) << 1) /* its standard output is written to stdout_fd   */
#define CTR_ATTACH_STDERR   (UINT64_C(1) << 2) /* its standard error is written to stderr_fd    */
#define CTR_ATTACH_SIZE     (UINT64_C(1) << 3) /* rows and cols are set as the terminal's size  */
#define CTR_ATTACH_KEEP_FDS (UINT64_C(1) << 4) /* use the descriptors themselves, see below     */

/* What to attach to. `size` = sizeof(struct ctr_attach_opts). Output that is not asked for is taken and dropped. */
struct ctr_attach_opts {
	size_t size;
	uint64_t flags; /* CTR_ATTACH_*; at least one stream                               */
	/* "ctrl-p,ctrl-q": single characters or ctrl-<a..z @ [ \ ] ^ _>, separated by commas. NULL = that
	 * default; "" = none. They are looked for in stdin_fd and are not sent. */
	const char *detach_keys;
	/* Descriptors of the host: pipes, terminals, sockets, files. They are duplicated and may be closed as soon as
	 * the attach is made; they are never made non-blocking and no signal (SIGPIPE) comes from them. With
	 * CTR_ATTACH_KEEP_FDS they are used as they are and must stay open until the attach is over: that saves a
	 * program with very many of them their number. (Terminals are opened anew in any case.) */
	int32_t stdin_fd, stdout_fd, stderr_fd;
	uint32_t rows, cols; /* of the terminal, 1..1000                                   */
	uint32_t reserved;   /* 0                                                          */
};

/*
 * ctr_container_attach: attaches to a created or running container.
 *   o    which streams, at least one
 *   out  ref; drop with ctr_attach_unref()
 * Event: attach.
 * Errors: CTR_E_INVALID (no stream, detach keys, size, a descriptor: detail "field"), CTR_E_CTR_STATE,
 *   CTR_E_CONMON_DEAD (nobody serves the streams any more), CTR_E_UNSUPPORTED (the OCI runtime cannot),
 *   CTR_E_BUSY (inside a batch), ...
 * Since: 0.1
 */
CTR_API int ctr_container_attach(
    ctr_container_t *c, const struct ctr_attach_opts *o, ctr_attach_t **out, ctr_error_t **err);

/*
 * ctr_container_start_and_attach: starts the container like ctr_container_start() and attaches to it before
 * its process runs, so that nothing of its output is missed. On failure nothing is attached.
 *   flags  CTR_START_* (container.h)
 * Events: (init) attach, start. Errors: those of both.
 * Since: 0.1
 */
CTR_API int ctr_container_start_and_attach(ctr_container_t *c, uint64_t flags,
    const struct ctr_attach_opts *o, ctr_attach_t **out, ctr_error_t **err);

#define CTR_HTTP_STDIN   (UINT64_C(1) << 0) /* what the client sends goes to the process      */
#define CTR_HTTP_STDOUT  (UINT64_C(1) << 1)
#define CTR_HTTP_STDERR  (UINT64_C(1) << 2)
#define CTR_HTTP_STREAM  (UINT64_C(1) << 3) /* the process's streams, from now on             */
#define CTR_HTTP_LOGS    (UINT64_C(1) << 4) /* first what the log has (of a container only)   */
#define CTR_HTTP_UPGRADE (UINT64_C(1) << 5) /* answer "101 UPGRADED" instead of "200 OK"      */
#define CTR_HTTP_MULTIPLEXED \
	(UINT64_C(1) << 6) /* without a terminal, Content-Type .multiplexed-stream */
#define CTR_HTTP_NO_HEADER (UINT64_C(1) << 7) /* the host has answered already: no header       */

/* How to serve a client of Docker's API. `size` = sizeof(struct ctr_http_opts). */
struct ctr_http_opts {
	size_t size;
	uint64_t flags; /* CTR_HTTP_*                                                     */
	const char
	    *detach_keys;    /* as in struct ctr_attach_opts                                   */
	const void *initial; /* what the host has read from the connection behind the request  */
	size_t initial_len;  /* bytes                                                          */
};

/*
 * ctr_container_http_attach: serves a hijacked connection: writes the header of Docker's attach, then the
 * streams, raw if the container has a terminal, else in frames of 8 bytes header (stream, 0, 0, 0, length as
 * 32 bits, big-endian). A container that is not created is created (not started), so that a client can attach and then start it.
 *   fd   the connection (a socket), duplicated; the host closes its own when it likes
 *   o    at least CTR_HTTP_STREAM or CTR_HTTP_LOGS, and one of CTR_HTTP_STDIN, _STDOUT, _STDERR
 *   out  ref; to be processed like any other attach
 * If this function fails, nothing has been written to `fd`, and the host answers. A later failure is written to the client
 * as text. With CTR_HTTP_LOGS alone a container in any state but removing is allowed, and nothing is created. The client's end of input
 * closes the process's.
 * Event: attach (with CTR_HTTP_STREAM).
 * Errors: those of ctr_container_attach() and ctr_container_init(); CTR_E_NO_LOGS.
 * Since: 0.1
 */
CTR_API int ctr_container_http_attach(ctr_container_t *c, int32_t fd, const struct ctr_http_opts *o,
    ctr_attach_t **out, ctr_error_t **err);

/*
 * ctr_container_attach_resize: sets the size of the container's terminal. Allowed in: created, running. Without a
 * terminal nothing happens.
 *   rows, cols  1..1000
 * Errors: CTR_E_INVALID, CTR_E_CTR_STATE, CTR_E_CONMON_DEAD, CTR_E_UNSUPPORTED, ...
 * Since: 0.1
 */
CTR_API int ctr_container_attach_resize(
    ctr_container_t *c, uint32_t rows, uint32_t cols, ctr_error_t **err);

/* ---- An attach in progress ---- */

/*
 * ctr_attach_fd: a descriptor that polls readable when ctr_attach_process() has something to do. Borrowed: do
 * not read or close it.
 * Since: 0.1
 */
CTR_API int ctr_attach_fd(const ctr_attach_t *a);

/*
 * ctr_attach_process: moves what can be moved without waiting, but not endlessly. One thread at a time per attach; another one
 * waits for it.
 * Returns CTR_ATTACH_*: once it is not CTR_ATTACH_GOING_ON, that is the result, and further calls return it
 * again.
 * Errors: CTR_E_CANCELLED (ctr_attach_cancel()), CTR_E_SYSTEM (a descriptor of the host failed; detail "field"),
 *   CTR_E_RUNTIME_STOPPED, CTR_E_FORKED, CTR_E_NOMEM; the attach is over then, too, and further calls fail alike.
 * Since: 0.1
 */
CTR_API int ctr_attach_process(ctr_attach_t *a, ctr_error_t **err);

/*
 * ctr_attach_run: processes until the attach is over.
 *   timeout_ms  -1 = no limit
 * Returns and errors as ctr_attach_process(); CTR_E_TIMEOUT: it is not over and can be run again.
 * Since: 0.1
 */
CTR_API int ctr_attach_run(ctr_attach_t *a, int64_t timeout_ms, ctr_error_t **err);

/*
 * ctr_attach_result: what ctr_attach_process() returned last, CTR_ATTACH_* or a CTR_E_* code. Never waits.
 * Since: 0.1
 */
CTR_API int ctr_attach_result(const ctr_attach_t *a);

/*
 * ctr_attach_cancel: ends it with CTR_E_CANCELLED, from any thread, also while another thread runs it. The process
 * goes on. One that is over stays as it is.
 * Since: 0.1
 */
CTR_API void ctr_attach_cancel(ctr_attach_t *a);

/*
 * ctr_attach_resize: sets the size of the terminal of the container or exec session that is attached to.
 * Since: 0.1
 */
CTR_API int ctr_attach_resize(ctr_attach_t *a, uint32_t rows, uint32_t cols, ctr_error_t **err);

/* ctr_attach_ref: one more reference. NULL is fine. Since: 0.1 */
CTR_API ctr_attach_t *ctr_attach_ref(ctr_attach_t *a);

/* ctr_attach_unref: drops a reference; the last one detaches if it is not over. Returns NULL; NULL is fine. Since: 0.1 */
CTR_API ctr_attach_t *ctr_attach_unref(ctr_attach_t *a);

/* ctr_attach_unrefp: for __attribute__((cleanup)). Since: 0.1 */
CTR_API void ctr_attach_unrefp(ctr_attach_t **a);

#ifdef __cplusplus
}
#endif
#endif
