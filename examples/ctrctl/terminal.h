/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctrctl at a terminal: raw mode, its size, and a session that moves a process's streams until they end.
 */
#ifndef CTRCTL_TERMINAL_H
#define CTRCTL_TERMINAL_H

#include "ctrctl.h"

/* What a session is about. */
struct session {
	bool terminal; /* the process has one: ours is raw meanwhile and its size is passed on */
	bool input;    /* our standard input is passed on */
	bool limited;  /* --timeout may end it */
	const char *detach_keys;
	ctr_container_t *signalled; /* gets the signals that ctrctl gets; NULL = they end ctrctl */
};

/* To be called before the process is started: signals that arrive from then on are for session_run(). */
void session_prepare(void);

/* Our standard streams, and the size of our terminal. */
void session_streams(const struct session *s, struct ctr_attach_opts *io);

/* Runs a session with a container to its end and returns the container's exit code, or 0 and *detached. (attach.c) */
int stay_with(
    struct app *app, ctr_container_t *c, const struct session *s, ctr_attach_t *a, bool *detached);

/* Returns CTR_ATTACH_*, or a negative code. The terminal is as before, whatever happens. */
int session_run(const struct session *s, ctr_attach_t *a, ctr_error_t **err);

#endif
