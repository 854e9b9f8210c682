/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starting programs without copying the host's memory: clone(CLONE_VM | CLONE_VFORK | CLONE_PIDFD) on a
 * stack of its own, with all signals blocked. (The only place that clones.)
 *
 * The child gets: default signal dispositions and an empty mask, exactly the descriptors asked for, the
 * given environment and working directory, optionally its own process group and SIGKILL when the calling
 * thread dies.
 */
#ifndef LIBCTR_SYS_SPAWN_H
#define LIBCTR_SYS_SPAWN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/err.h"
#include "util/str.h"

#define CTR__SPAWN_MAX_FDS 16

struct ctr__spawn {
	const char *path;        /* absolute                                                     */
	const char *const *argv; /* NULL-terminated                                              */
	const char *const *envp; /* NULL-terminated; never the host's unless passed              */
	int cwd_fd;              /* directory to start in; -1 = "/"                              */
	int fds[CTR__SPAWN_MAX_FDS]; /* child's descriptor i is ours fds[i]; -1 = /dev/null      */
	int nfds;             /* at least 3 are set up: missing ones are /dev/null            */
	bool new_group;       /* setpgid(0, 0)                                                */
	bool ignore_sigpipe;  /* the one signal that is not set to its default */
	bool die_with_parent; /* PR_SET_PDEATHSIG SIGKILL, checked against a lost race        */
};

struct ctr__child {
	pid_t pid;
	int pidfd; /* -1 on kernels without */
};

/* Starts the program. A failing exec is reported here: CTR_E_SYSTEM etc. with the path. */
int ctr__spawn(const struct ctr__spawn *s, struct ctr__child *child, ctr_error_t **err);

/* Waits for it and forgets it (closes pidfd). *status = as waitpid; *known = false if the host took the
 * status away (it ignores SIGCHLD or reaps everything) and the kernel cannot tell either.
 * timeout_ms -1 = for ever. 0, or CTR_E_TIMEOUT (child untouched). */
int ctr__child_wait(
    struct ctr__child *child, int64_t timeout_ms, int *status, bool *known, ctr_error_t **err);

/* SIGKILL and wait. */
void ctr__child_kill(struct ctr__child *child);

/* Runs a program to its end with stdin /dev/null, stdout into `out` and stderr into `diag` (both may be
 * NULL = /dev/null; at most 64 KiB is kept of each; the same buffer: both, as it was written). *status, *known as above. Killed after
 * timeout_ms (CTR_E_TIMEOUT). */
int ctr__run(const char *path, const char *const *argv, const char *const *envp, int cwd_fd,
    int64_t timeout_ms, struct ctr__buf *out, struct ctr__buf *diag, int *status, bool *known,
    ctr_error_t **err);

/* A program that turns its standard input into its standard output. */
struct ctr__filter {
	const char *path;
	const char *const *argv, *const *envp;
	const char *in; /* NULL: nothing */
	size_t in_len;
	size_t out_max; /* more output than this is CTR_E_INVALID */
	int64_t timeout_ms;
	bool ignore_sigpipe;
};

/* As ctr__run(), in "/", with the text `in` as standard input (a file in memory, so that no writer can block or be
 * signalled). When the time is up everything in its process group is killed. */
int ctr__run_filter(const struct ctr__filter *f, struct ctr__buf *out, struct ctr__buf *diag,
    int *status, bool *known, ctr_error_t **err);

#endif
