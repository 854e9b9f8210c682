/* SPDX-License-Identifier: Apache-2.0 */
/* The stored state of a container, and its codec: a versioned list of tag, length, value. */
#ifndef LIBCTR_STORE_STATE_H
#define LIBCTR_STORE_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/err.h"
#include "util/str.h"

/* What a call was doing to the outside world when the record was written. Anything but NONE, found by a
 * later holder of the lock, means that the caller was killed: finish or undo it. Numbers are stored. */
enum ctr__intent {
	CTR__INTENT_NONE = 0,
	CTR__INTENT_INIT = 1,
	CTR__INTENT_START = 2,
	CTR__INTENT_PAUSE = 3,
	CTR__INTENT_UNPAUSE = 4,
	CTR__INTENT_CLEANUP = 5,
	CTR__INTENT_KILL = 6,
	CTR__INTENT_MOUNT = 7,
	CTR__INTENT_UNMOUNT = 8,
	CTR__INTENT_UPDATE = 9,
	CTR__INTENT_LAST = CTR__INTENT_UPDATE
};

struct ctr__state {
	int32_t state;  /* CTR_STATE_* */
	int32_t intent; /* enum ctr__intent */
	int32_t pid;
	int32_t conmon_pid;
	int32_t exit_code;
	bool exited;
	bool oom_killed;
	bool mounted;
	bool stopped_by_user;
	bool own_pid_ns;
	bool start_hooks;
	bool ever_started;
	/* The container's lock slot, set by ctr__store_add() and repair, encoded like the rest: an old handle
	 * whose ID was removed and used again for another container notices by it. */
	uint32_t slot;
	bool restart_match;        /* it ended by itself: the restart policy applies to this end */
	bool startup_passed;       /* the startup health check has succeeded                     */
	uint32_t restart_count;    /* restarts by policy since the last start by hand            */
	uint32_t restart_delay_ms; /* how long the last restart by policy waited              */
	/* Who is just between the stop and the start of a restart: the end that is seen then is not dealt with by
	 * anybody else. 0 = nobody. */
	int32_t restarter_pid;
	uint64_t restarter_start;
	int32_t health; /* CTR_HEALTH_*: result of the last check                     */
	uint32_t startup_successes, startup_failures;
	int32_t health_pid; /* of the process that runs the checks; 0 = none */
	uint64_t health_start;
	uint32_t mount_count; /* uses by ctr_container_mount(), without the container itself */
	uint64_t pid_start;
	uint64_t conmon_start;
	int64_t started_ns;
	int64_t finished_ns;
	/* Strings: never NULL ("" if empty). After decoding they point into the record. */
	const char *mountpoint;
	const char *config_path;
	const char *error;
	const char *net_ns;
	const char *stage_hooks; /* JSON: OCI stage -> hooks of the extension directories */
	/* The cgroup, if it depends on who did the init (cgroupsMode split); else "". */
	const char *cgroup;
	/* destination, host path, ...: 2 * bind_mounts_n strings */
	const char *bind_mounts[24];
	uint32_t bind_mounts_n;
	/* Tags that this library does not know: kept as they are. */
	const unsigned char *unknown;
	size_t unknown_len;
};

/* The empty state: everything zero, strings "". */
void ctr__state_init(struct ctr__state *s, int32_t state);

/* Appends the record. */
void ctr__state_encode(const struct ctr__state *s, struct ctr__buf *out);

/* Decodes in place: strings point into `data`, which must outlive `s`. CTR_E_STORE_CORRUPT (detail
 * "container" is added by the caller), CTR_E_STORE_NEWER. Any bytes are safe to pass. */
int ctr__state_decode(const void *data, size_t len, struct ctr__state *s, ctr_error_t **err);

#endif
