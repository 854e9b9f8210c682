/* SPDX-License-Identifier: Apache-2.0 */
/* A process that is killed with SIGKILL at a chosen point of what it does. */
#ifndef TESTS_FAULT_VICTIM_H
#define TESTS_FAULT_VICTIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the victim brackets the operation with: a system call that does not exist. */
void victim_mark(void);
/* The victim asks to be traced, and waits until it is. */
void victim_ready(void);

#define VICTIM_CALLS 4096

struct victim_run {
	/* When to kill: at the entry of the n-th system call of the operation, or so long after its beginning, or
	 * never (both 0). */
	unsigned at_call;
	int64_t after_us;
	/* Results. */
	bool completed; /* the operation was over first */
	int status;     /* of the process, as waitpid() gives it */
	unsigned calls; /* system calls seen */
	int64_t took_us;
	long number[VICTIM_CALLS]; /* of each call */
};

/* Runs this program with the arguments `argv`; only its first thread is traced, none of its children. Returns 0
 * or -errno. */
int victim_run(char *const *argv, struct victim_run *r);

/* Is it a call whose effect another process can see? */
bool victim_has_effect(long number);

/* Points at which something has just been, or is just about to be done: every so many of them, from number `offset`
 * on; `every` 0 = all calls. Returns how many are in `points`, which has room for VICTIM_CALLS. */
unsigned victim_points(
    const struct victim_run *r, unsigned every, unsigned offset, unsigned *points);

#endif
