/* SPDX-License-Identifier: Apache-2.0 */
/* The stored state of an exec session, and its codec: a versioned list of tag, length, value, as a container's. */
#ifndef LIBCTR_STORE_EXEC_STATE_H
#define LIBCTR_STORE_EXEC_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/err.h"
#include "util/str.h"

/* Strings one behind the other, each with its NUL: `len` bytes. */
struct ctr__packed {
	const char *data;
	size_t len;
};

struct ctr__exec_state {
	int32_t state;  /* CTR_EXEC_STATE_* */
	uint64_t flags; /* CTR_EXEC_*       */
	uint32_t
	    opened; /* CTR_ATTACH_STDIN, _STDOUT, _STDERR: streams that were attached to at the start */
	int32_t pid, monitor_pid;
	uint64_t pid_start, monitor_start;
	/* Who is just starting it, without the container's lock. Of a process that is dead by now: it was killed there. */
	int32_t starter_pid;
	uint64_t starter_start;
	int32_t exit_code;
	int64_t started_ns, finished_ns;
	uint64_t exit_delay_s;
	/* Strings: NULL = not given. After decoding they point into the record. */
	const char *user, *detach_keys;
	const char *process; /* JSON of the OCI spec's process */
	struct ctr__packed command, exit_command;
	/* Tags that this library does not know: kept as they are. */
	const unsigned char *unknown;
	size_t unknown_len;
};

/* Appends the record. */
void ctr__exec_state_encode(const struct ctr__exec_state *x, struct ctr__buf *out);
/* Any bytes are safe to decode: CTR_E_STORE_CORRUPT, CTR_E_STORE_NEWER. */
int ctr__exec_state_decode(
    const void *data, size_t len, struct ctr__exec_state *x, ctr_error_t **err);

/* Appends a list; and a list of the strings in one, malloc'ed and NULL-terminated (NULL: memory is short). */
void ctr__pack(const char *const *list, struct ctr__buf *out);
char **ctr__unpack(const struct ctr__packed *p);

#endif
