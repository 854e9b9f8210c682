/* SPDX-License-Identifier: Apache-2.0 */
/* The runtime object: a store, the drivers of this process, a reader of events. */
#ifndef LIBCTR_CORE_RUNTIME_H
#define LIBCTR_CORE_RUNTIME_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <libctr/runtime.h>

#include "event/event.h"
#include "oci/oci.h"
#include "storage/storage.h"
#include "store/store.h"
#include "stream/stream.h"

struct ctr_runtime {
	atomic_uint refs;
	struct ctr__store *store;
	atomic_int stopped;
	int stop_fd;  /* eventfd, readable after shutdown: wakes blocked waits */
	int exits_fd; /* directory of exit files */
	struct ctr__stream_group streams; /* attaches in progress: woken by a shutdown, too */
	bool systemd_cgroup;
	int64_t lock_timeout_ms; /* -1 = no limit */
	ctr_log_fn log;
	void *log_userdata;
	int64_t log_level;
	char *run_dirs;    /* <run root>/containers */
	char *static_dirs; /* <root>/containers */
	char *default_oci;
	/* What the helper needs to open the same runtime; NULL = the default. */
	char *oci_paths; /* colon-separated */
	char *conmon;
	char *helper;      /* never NULL */
	char **hooks_dirs; /* NULL: none */

	/* Drivers: only ever added to, at the head; read without the mutex. */
	pthread_mutex_t drivers_mutex;
	_Atomic(struct ctr__oci *) oci;
	_Atomic(struct ctr__storage *) storage;

	/* The reader of events. */
	pthread_mutex_t events_mutex;
	int events_fd; /* -1 until first used */
	bool cursor_set;
	struct ctr__cursor cursor;
	struct ctr__event_filter *filter;

	_Atomic int64_t pruned_ns; /* when exit codes were last pruned (monotonic) */
};

/* The checks at the door of every public function: NULL, forked child, stopped, called from a log
 * function. */
int ctr__runtime_enter(const struct ctr_runtime *rt, ctr_error_t **err);

int ctr__runtime_open(const struct ctr_open_opts *o, struct ctr_runtime **out, ctr_error_t **err);
struct ctr_runtime *ctr__runtime_ref(struct ctr_runtime *rt);
void ctr__runtime_unref(struct ctr_runtime *rt);

/* Drivers by name. NULL if there is none. */
struct ctr__oci *ctr__runtime_oci(const struct ctr_runtime *rt, const char *name);
struct ctr__storage *ctr__runtime_storage(const struct ctr_runtime *rt, const char *name);
int ctr__runtime_add_oci(struct ctr_runtime *rt, struct ctr__oci *o, ctr_error_t **err);
int ctr__runtime_add_storage(struct ctr_runtime *rt, struct ctr__storage *s, ctr_error_t **err);

/* Log line; formatted only if somebody listens. */
void ctr__log(const struct ctr_runtime *rt, int32_t level, const char *id, const char *fmt, ...)
    CTR__PRINTF(4, 5);

/* Takes over the exits that monitors have recorded. busy (may be NULL): set if a container's lock was
 * held by somebody for longer than `lock_ms`. */
void ctr__runtime_reap(struct ctr_runtime *rt, int64_t lock_ms, bool *busy);

#endif
