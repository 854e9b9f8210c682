/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libctr/log.h - what a container has printed.
 *
 *	ctr_container_logs(c, &opts, &l, &err);
 *	while ((r = ctr_logs_next(l, &err)) == CTR_LOGS_LINE)
 *		fwrite(ctr_logs_text(l, &n), 1, n, stdout);
 *
 * Lines are given whole: pieces that the log keeps because a line was long or slow are put together. A line is any bytes; the
 * newline that ended it is not part of it.
 */
#ifndef LIBCTR_LOG_H
#define LIBCTR_LOG_H

#include <libctr/error.h>
#include <libctr/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What ctr_logs_next() found. Numbers are frozen. */
enum {
	CTR_LOGS_END = 0, /* there are no more lines                                              */
	CTR_LOGS_LINE =
	    1, /* the reader is at a line                                              */
	CTR_LOGS_AGAIN =
	    2 /* followed: none now, but there may be more: poll ctr_logs_fd()        */
};

/* Streams of a line. Numbers are frozen. */
enum { CTR_LOGS_STREAM_STDOUT = 1, CTR_LOGS_STREAM_STDERR = 2 };

#define CTR_LOGS_FOLLOW \
	(UINT64_C(1) << 0)               /* wait for more, until the container has ended          */
#define CTR_LOGS_TAIL (UINT64_C(1) << 1) /* begin with the last `tail` lines that match           */
#define CTR_LOGS_STDOUT \
	(UINT64_C(1) << 2) /* only this stream; neither or both: both               */
#define CTR_LOGS_STDERR (UINT64_C(1) << 3)

/* What to read. `size` = sizeof(struct ctr_logs_opts). */
struct ctr_logs_opts {
	size_t size;
	uint64_t flags;   /* CTR_LOGS_*                                                        */
	uint64_t tail;    /* lines, with CTR_LOGS_TAIL; 0 = none of what is there              */
	int64_t since_ns; /* nanoseconds since 1970: nothing older; 0 = no limit               */
	int64_t until_ns; /* nothing newer; 0 = no limit. A follower ends then                 */
};

/*
 * ctr_container_logs: opens a reader at the beginning of a container's log, of all its runs that the log still has.
 *   o    NULL = everything, without waiting
 *   out  owned (ctr_logs_free)
 * Any state. A container that has printed nothing has an empty log. A follower goes on across a log that is rotated
 * or starts anew at its size limit, and across a restart by policy; it ends when the container has ended and everything was read.
 * Errors: CTR_E_NO_LOGS (it keeps none: log driver "none" or "passthrough"), CTR_E_UNSUPPORTED (journald, and
 *   this libctr or this machine is without), CTR_E_INVALID, CTR_E_BUSY (following inside a batch), CTR_E_SYSTEM, ...
 * Since: 0.1
 */
CTR_API int ctr_container_logs(
    ctr_container_t *c, const struct ctr_logs_opts *o, ctr_logs_t **out, ctr_error_t **err);

/*
 * ctr_logs_next: goes to the next line. Never waits. A reader is for one thread at a time.
 * Returns CTR_LOGS_*. Errors: CTR_E_SYSTEM, CTR_E_NOMEM, CTR_E_CANCELLED, CTR_E_RUNTIME_STOPPED, ... What is damaged in a
 * log is skipped.
 * Since: 0.1
 */
CTR_API int ctr_logs_next(ctr_logs_t *l, ctr_error_t **err);

/*
 * ctr_logs_wait: like ctr_logs_next(), but waits for a line.
 *   timeout_ms  -1 = no limit; CTR_LOGS_AGAIN when it has passed
 * Since: 0.1
 */
CTR_API int ctr_logs_wait(ctr_logs_t *l, int64_t timeout_ms, ctr_error_t **err);

/*
 * ctr_logs_fd: a descriptor that polls readable while ctr_logs_next() may have something. Borrowed. A reader that does not follow
 * has none: CTR_E_INVALID.
 * Since: 0.1
 */
CTR_API int ctr_logs_fd(ctr_logs_t *l, ctr_error_t **err);

/* ctr_logs_cancel: a wait in another thread, and every later call, gives CTR_E_CANCELLED. Since: 0.1 */
CTR_API void ctr_logs_cancel(ctr_logs_t *l);

/* ctr_logs_text: the line's bytes, borrowed until the next call; NUL-terminated, but NULs may be in it. `len`: their number; may
 * be NULL. Since: 0.1 */
CTR_API const char *ctr_logs_text(const ctr_logs_t *l, size_t *len);

/* ctr_logs_time_ns: when it was printed (its first piece). Since: 0.1 */
CTR_API int64_t ctr_logs_time_ns(const ctr_logs_t *l);

/* ctr_logs_stream: CTR_LOGS_STREAM_*. Since: 0.1 */
CTR_API int32_t ctr_logs_stream(const ctr_logs_t *l);

/* ctr_logs_is_partial: 1 if the line was not ended by a newline: the last of a run, or longer than 1 MiB (then the next of
 * this stream goes on with it). Since: 0.1 */
CTR_API int ctr_logs_is_partial(const ctr_logs_t *l);

/* ctr_logs_free: closes the reader. NULL is fine. Since: 0.1 */
CTR_API void ctr_logs_free(ctr_logs_t *l);

/* ctr_logs_freep: for __attribute__((cleanup)). Since: 0.1 */
CTR_API void ctr_logs_freep(ctr_logs_t **l);

#ifdef __cplusplus
}
#endif
#endif
