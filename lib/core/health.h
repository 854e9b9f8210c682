/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Health checks.
 *
 * health.c          running one and recording what came of it
 * health_log.c      the log file
 * health_process.c  the process that runs them while the container runs
 */
#ifndef LIBCTR_CORE_HEALTH_H
#define LIBCTR_CORE_HEALTH_H

#include <libctr/health.h>

#include "config/health.h"
#include "core/container.h"

int ctr__health_run(struct ctr_container *c, int32_t *result, ctr_error_t **err);
const char *ctr__health_name(int32_t health);

/* With the lock held, none of them saves: of a container that has been created anew, and of one that starts. */
void ctr__health_created(struct ctr_container *c);
void ctr__health_starting(struct ctr_container *c);

/* ---- the process: with the lock held ---- */

/* Starts it if the container runs, wants one and has none. Saves. A failure is logged: the container runs. */
void ctr__health_attend(struct ctr_container *c);
/* Ends it, and forgets it without saving. */
void ctr__health_dismiss(struct ctr_container *c);

/* ---- the log: with the lock held ---- */

struct ctr__health_log {
	struct ctr__json_doc *doc; /* root: the object */
};
void ctr__health_log_free(struct ctr__health_log *l);
#define CTR__HEALTH_LOG CTR__CLEANUP(ctr__health_log_free)

struct ctr__health_entry {
	int64_t start_ns, end_ns;
	int32_t exit_code;
	const char *output; /* UTF-8 */
};
/* What is on disk; an empty log if there is none or it is damaged. */
int ctr__health_log_read(struct ctr_container *c, struct ctr__health_log *l, ctr_error_t **err);
int64_t ctr__health_log_streak(const struct ctr__health_log *l);
/* Sets status and streak, appends an entry (NULL: none), drops the oldest ones, and writes the file. */
int ctr__health_log_write(struct ctr_container *c, struct ctr__health_log *l, int32_t health,
    int64_t streak, const struct ctr__health_entry *e, ctr_error_t **err);
/* The JSON text; with the status of the state. */
int ctr__health_log_text(struct ctr_container *c, struct ctr__buf *out, ctr_error_t **err);
/* Starts a new one; a failure is logged. */
void ctr__health_log_reset(struct ctr_container *c);
/* Removes one that is not in the run directory. */
void ctr__health_log_remove(struct ctr_container *c);

#endif
