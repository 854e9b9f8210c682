/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starting conmon and hearing what came of it, for a container and for one more process in it.
 *
 * The process started here only parses its options, waits for the start byte, forks the monitor, writes the monitor's
 * PID and ends. Until the byte it dies with us.
 */
#ifndef LIBCTR_OCI_LAUNCH_H
#define LIBCTR_OCI_LAUNCH_H

#include "oci/driver.h"
#include "sys/spawn.h"
#include "util/cleanup.h"

struct ctr__launch {
	/* Given. */
	const struct ctr__conmon *d;
	const char *what;   /* for messages: "create the container"           */
	int dir;            /* conmon's directory, with its files; owned      */
	const int32_t *fds; /* what the runtime gets as 3, 4, ...; borrowed   */
	size_t fds_n;
	bool streams; /* conmon tells when its attach socket is there   */

	struct ctr__child child;
	bool spawned; /* `child` is there      */
	bool began;   /* something may be left */
	int sync, start, attach, diag;
	struct ctr__buf text;  /* what conmon printed */
	struct ctr__buf reply; /* its last packet; empty = it closed the socket */
	bool timed_out;
	int status; /* of the first process */
	bool known;
};
#define CTR__LAUNCH_INIT .dir = -1, .sync = -1, .start = -1, .attach = -1, .diag = -1

void ctr__launch_end(struct ctr__launch *l);
#define CTR__LAUNCH CTR__CLEANUP(ctr__launch_end)

/* Starts it. CTR_E_CONMON_UNAVAILABLE, ... */
int ctr__launch_start(
    struct ctr__launch *l, char *const *words, char *const *env, ctr_error_t **err);
/* The start byte, and with streams the second one. If it is gone already, its socket says so next. */
void ctr__launch_go(const struct ctr__launch *l);
/* Waits for the next packet of `fd` (l->sync or l->attach): l->reply, l->timed_out. */
void ctr__launch_await(struct ctr__launch *l, int fd);
/* The first process ends right after it wrote the monitor's PID, so its end comes before that is read. */
void ctr__launch_reap(struct ctr__launch *l);
/* The PID that the last packet names, or the failure that it and everything else tell of. */
int ctr__launch_result(struct ctr__launch *l, int32_t *pid, ctr_error_t **err);
/* The monitor's PID and start time, which is 0 if it has ended already. */
int ctr__launch_monitor(const struct ctr__launch *l, struct ctr_oci_status *out, ctr_error_t **err);

#endif
