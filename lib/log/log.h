/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Logs of containers: what their monitors wrote to a file or to the journal, as lines.
 *
 * reader.c   pieces put together to lines, filters, the last N     file.c    a file's pieces, over rotations
 * k8s.c      one line of conmon's file format                      json.c    one line of Docker's json-file
 * journal.c  the journal's pieces (none.c: built without)          source.h  what these have in common
 */
#ifndef LIBCTR_LOG_LOG_H
#define LIBCTR_LOG_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/err.h"

/* A longer line comes in several, of which all but the last are partial. */
#define CTR__LOG_LINE_MAX (1U << 20)

#define CTR__LOG_STDOUT 1
#define CTR__LOG_STDERR 2

struct ctr__log_line {
	const char *text; /* NUL-terminated, valid until the next call */
	size_t len;
	int64_t time_ns; /* of its first piece  */
	int32_t stream;  /* CTR__LOG_STD...     */
	bool partial;    /* no newline ended it */
};

struct ctr__log_opts {
	const char *path; /* the file; NULL: the journal               */
	const char *id;   /* of the container, for the journal         */
	bool follow;      /* what is not there yet may come            */
	bool has_tail;
	uint64_t tail;
	uint32_t streams;           /* bits: 1 << CTR__LOG_STDOUT, ...           */
	int64_t since_ns, until_ns; /* 0 = no limit                             */
	int notify; /* following: an inotify descriptor to add watches to; -1 = none. Borrowed */
};

struct ctr__log;

/* Opens at the beginning, or before the last lines. A file that does not exist is an empty log. CTR_E_UNSUPPORTED: no
 * journal. */
int ctr__log_open(const struct ctr__log_opts *o, struct ctr__log **out, ctr_error_t **err);
void ctr__log_free(struct ctr__log *l);

/* 1 = a line; 0 = none now; 2 = none any more: those that follow are newer than until_ns. Never waits. */
int ctr__log_next(struct ctr__log *l, struct ctr__log_line *out, ctr_error_t **err);

/* Nobody writes any more. 1 = everything is readable; 0 = not yet: poll *fd. After 1 ctr__log_next() gives also what no newline
 * has ended. */
int ctr__log_finish(struct ctr__log *l, int *fd);

/* One more descriptor to poll, beside `notify`: -1 = none. */
int ctr__log_fd(const struct ctr__log *l);

#endif
