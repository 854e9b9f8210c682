/* SPDX-License-Identifier: Apache-2.0 */
/* Reading what a container has printed. */
#ifndef LIBCTR_CORE_LOGS_H
#define LIBCTR_CORE_LOGS_H

#include <libctr/log.h>

#include "core/lifecycle.h"
#include "log/log.h"
#include "stream/stream.h"

/* Does its log driver write a file? */
bool ctr__logs_to_file(const ctr_config_t *cfg);

/* Behind the public functions. */
int ctr__logs_open(struct ctr_container *c, const struct ctr_logs_opts *o, struct ctr_logs **out,
    ctr_error_t **err);
int ctr__logs_next(struct ctr_logs *l, ctr_error_t **err);
int ctr__logs_wait(struct ctr_logs *l, int64_t timeout_ms, ctr_error_t **err);
int ctr__logs_fd(const struct ctr_logs *l, ctr_error_t **err);
void ctr__logs_cancel(struct ctr_logs *l);
const struct ctr__log_line *ctr__logs_line(const struct ctr_logs *l); /* NULL: at none */
void ctr__logs_free(struct ctr_logs *l);

/* What is in the log now, as output: pieces of at most 64 KiB, each line with its newline if it had one. `streams`:
 * CTR_LOGS_STDOUT, CTR_LOGS_STDERR, 0 = both. In any state and, as long as nothing is followed, in a batch. Owned by the caller
 * through out->destroy. */
int ctr__logs_source(
    struct ctr_container *c, uint64_t streams, struct ctr__stream_source *out, ctr_error_t **err);

/* ---- logs_follow.c: will there be more? ---- */

struct ctr__follower {
	struct ctr_container *c; /* ref */
	int poll_fd;             /* epoll of all that follows */
	int cancel_fd;
	int notify; /* inotify: the journal of events, exit files, and the log's file; -1 = none was left */
	int timer_fd; /* runs while there is something that only asking can tell */
	int until_fd; /* readable when the time of until_ns has come; -1 = no such time */
	bool asking;
	struct ctr__watch watch;
	int polled[2]; /* those of `watch` that are in poll_fd */
	int32_t pid;   /* of the run that is watched */
	uint64_t pid_start;
	uint64_t gen; /* of the slot, at the last look */
	bool looked;
};

int ctr__follower_init(
    struct ctr__follower *f, struct ctr_container *c, int64_t until_ns, ctr_error_t **err);
int ctr__follower_add(struct ctr__follower *f, int fd, ctr_error_t **err);
/* Before the log is read: what was told so far is seen by that. */
void ctr__follower_drain(struct ctr__follower *f);
/* After it was read to its end. 1 = nobody will write any more, 0 = somebody may. */
int ctr__follower_look(struct ctr__follower *f, ctr_error_t **err);
void ctr__follower_close(struct ctr__follower *f);

#endif
