/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libctr/event.h - what happened, in this and all other processes.
 *
 * An event is written in the transaction of the change it tells of: it is there if and only if the
 * change is. Each runtime object is one reader with a place of its own in the journal; open the runtime
 * twice for two readers.
 *
 *	int fd = ctr_runtime_events_fd(rt, &err);
 *	for (;;) {
 *		poll(&(struct pollfd){fd, POLLIN, 0}, 1, -1);
 *		while ((r = ctr_runtime_next_event(rt, &ev, &err)) > 0) {
 *			...
 *			ctr_event_unref(ev);
 *		}
 *	}
 *
 * Order: events of one container come in the order in which they happened; events of different
 * containers nearly so. The journal is bounded: a reader that falls too far behind gets one
 * CTR_EVENT_LOST in place of what it missed.
 */
#ifndef LIBCTR_EVENT_H
#define LIBCTR_EVENT_H

#include <libctr/error.h>
#include <libctr/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What an event is about. Numbers are frozen. */
enum { CTR_EVENT_OBJECT_CONTAINER = 0, CTR_EVENT_OBJECT_POD = 1, CTR_EVENT_OBJECT_SYSTEM = 2 };

/* Types of events. ctr_event_name() gives libpod's words. */
enum {
	CTR_EVENT_UNKNOWN = 0,
	CTR_EVENT_CREATE = 1,
	CTR_EVENT_INIT = 2,
	CTR_EVENT_START = 3,
	CTR_EVENT_STOP = 4,
	CTR_EVENT_DIED = 5, /* ended; with exit code. Exactly once per run            */
	CTR_EVENT_KILL = 6,
	CTR_EVENT_PAUSE = 7,
	CTR_EVENT_UNPAUSE = 8,
	CTR_EVENT_CLEANUP = 9,
	CTR_EVENT_REMOVE = 10, /* with exit code, if it ever ran                        */
	CTR_EVENT_SYNC = 11,
	CTR_EVENT_MOUNT = 12,
	CTR_EVENT_UNMOUNT = 13,
	CTR_EVENT_RESTART = 14,
	CTR_EVENT_RENAME = 15, /* the name is the new one                                 */
	CTR_EVENT_UPDATE = 16,
	CTR_EVENT_REFRESH = 17,
	CTR_EVENT_HEALTH_STATUS = 18, /* after every health check                                */
	CTR_EVENT_PRUNE = 19,
	CTR_EVENT_ATTACH = 20,
	CTR_EVENT_EXEC = 21,      /* an exec session was started                             */
	CTR_EVENT_EXEC_DIED = 22, /* ... has ended, with its exit code. Exactly once per session */
	CTR_EVENT_LOST = 100      /* ctr_event_count() events were missed                   */
};

/* ctr_event_name: "create", "died", ...; "unknown" for other numbers. Static. Since: 0.1 */
CTR_API const char *ctr_event_name(int32_t type);

/*
 * ctr_runtime_events_fd: a descriptor that polls readable while there may be events to read. It belongs
 * to the runtime object: do not read or close it. The first call of this or of
 * ctr_runtime_next_event() sets the reader's place: events from then on are delivered.
 * Errors: CTR_E_SYSTEM (no inotify instance left; errno EMFILE), CTR_E_RUNTIME_STOPPED, CTR_E_FORKED.
 * Since: 0.1
 */
CTR_API int ctr_runtime_events_fd(ctr_runtime_t *rt, ctr_error_t **err);

/*
 * ctr_runtime_next_event: the next event. Never blocks for one. Also takes over exits that a monitor has
 * recorded, so a host that only reads events sees every CTR_EVENT_DIED.
 *   out   ref; drop with ctr_event_unref()
 * Returns 1 with an event, 0 if there is none now (then poll), negative on error. One thread at a time
 * per runtime object.
 * Errors: CTR_E_TIMEOUT (the filter has an "until", that time has passed, and everything up to it was
 *   delivered: the end; nothing wakes a poll for it, so give the poll a timeout), ...
 * Since: 0.1
 */
CTR_API int ctr_runtime_next_event(ctr_runtime_t *rt, ctr_event_t **out, ctr_error_t **err);

/*
 * ctr_runtime_events_filter: from now on only events that match are delivered.
 *   filters  NULL = all, or a NULL-terminated list of "key=value"; same key: any, different keys: all.
 *              "container=ID prefix or full name"
 *              "pod=ID prefix or full name": the pod's own events, and by the ID those of its containers
 *              "image=NAME": with its tag, or without for all tags
 *              "type=container", "type=pod" or "type=system"
 *              "event=WORD"         as ctr_event_name(); "die" means "died"
 *              "label=KEY" or "label=KEY=VALUE"
 *              "since=TIME": from then on; also sets the reader's place, as ctr_runtime_events_rewind()
 *              "until=TIME": up to then; after that ctr_runtime_next_event() gives CTR_E_TIMEOUT
 *            A TIME is RFC 3339 (UTC if it has no zone; a date alone is its midnight), seconds since
 *            1970 with or without a fraction, or a duration like "90s" or "1h30m": so long ago for
 *            since, so long from now for until (a negative one the other way). It is fixed by this call.
 * CTR_EVENT_LOST is always delivered. Errors: CTR_E_INVALID, CTR_E_NOMEM; the old filter then stays.
 * Since: 0.1
 */
CTR_API int ctr_runtime_events_filter(
    ctr_runtime_t *rt, const char *const *filters, ctr_error_t **err);

/*
 * ctr_runtime_events_rewind: sets the reader's place to the oldest event that is kept and is not older
 * than `since_ns` (nanoseconds since 1970; 0 = the oldest of all).
 * Since: 0.1
 */
CTR_API int ctr_runtime_events_rewind(ctr_runtime_t *rt, int64_t since_ns, ctr_error_t **err);

/* ctr_event_ref: one more reference. NULL is fine. Since: 0.1 */
CTR_API ctr_event_t *ctr_event_ref(ctr_event_t *ev);

/* ctr_event_unref: drops a reference. Returns NULL; NULL is fine. Since: 0.1 */
CTR_API ctr_event_t *ctr_event_unref(ctr_event_t *ev);

/* ctr_event_unrefp: for __attribute__((cleanup)). Since: 0.1 */
CTR_API void ctr_event_unrefp(ctr_event_t **ev);

/* ---- Fields ----
 *
 * They cannot fail, from any thread. Strings are borrowed from `ev`, "" if they do not apply.
 */

/* ctr_event_type: CTR_EVENT_*. Since: 0.1 */
CTR_API int32_t ctr_event_type(const ctr_event_t *ev);

/* ctr_event_time_ns: when it happened, nanoseconds since 1970. Since: 0.1 */
CTR_API int64_t ctr_event_time_ns(const ctr_event_t *ev);

/* ctr_event_container_id: full ID of the container. Since: 0.1 */
CTR_API const char *ctr_event_container_id(const ctr_event_t *ev);

/* ctr_event_container_name: its name at that time. Since: 0.1 */
CTR_API const char *ctr_event_container_name(const ctr_event_t *ev);

/* ctr_event_image: name of its image, or its root directory. Since: 0.1 */
CTR_API const char *ctr_event_image(const ctr_event_t *ev);

/* ctr_event_exit_code: of DIED and REMOVE: 1 and sets `code` if there is one, else 0. Since: 0.1 */
CTR_API int ctr_event_exit_code(const ctr_event_t *ev, int32_t *code);

/* ctr_event_oom_killed: of DIED: 1 if the OOM killer struck. Since: 0.1 */
CTR_API int ctr_event_oom_killed(const ctr_event_t *ev);

/* ctr_event_signal: of KILL: the signal; 0 otherwise. Since: 0.1 */
CTR_API int32_t ctr_event_signal(const ctr_event_t *ev);

/* ctr_event_count: of LOST: how many events were missed; 0 otherwise. Since: 0.1 */
CTR_API uint64_t ctr_event_count(const ctr_event_t *ev);

/* ctr_event_object: what it is about, CTR_EVENT_OBJECT_*; LOST is about the system. Since: 0.1 */
CTR_API int32_t ctr_event_object(const ctr_event_t *ev);

/* ctr_event_object_name: "container", "pod", "system"; "unknown" for other numbers. Static. Since: 0.1 */
CTR_API const char *ctr_event_object_name(int32_t object);

/* ctr_event_pod_id: full ID of the pod, or of the pod that the container is in. Since: 0.1 */
CTR_API const char *ctr_event_pod_id(const ctr_event_t *ev);

/* ctr_event_exec_id: of EXEC and EXEC_DIED: ID of the session. Since: 0.1 */
CTR_API const char *ctr_event_exec_id(const ctr_event_t *ev);

/* ctr_event_health_status: of HEALTH_STATUS: as ctr_health_name(). Since: 0.1 */
CTR_API const char *ctr_event_health_status(const ctr_event_t *ev);

/* ctr_event_health_log: of HEALTH_STATUS: what the check printed, cut to the configured size. Since: 0.1 */
CTR_API const char *ctr_event_health_log(const ctr_event_t *ev);

/* ctr_event_health_streak: of HEALTH_STATUS: failures that count, in a row, up to this one. Since: 0.1 */
CTR_API int64_t ctr_event_health_streak(const ctr_event_t *ev);

/* ctr_event_error_text: why what it tells of failed. Since: 0.1 */
CTR_API const char *ctr_event_error_text(const ctr_event_t *ev);

/* ctr_event_label_at: the container's label number `i`, by key. 1, or 0 past the end. Since: 0.1 */
CTR_API int ctr_event_label_at(
    const ctr_event_t *ev, size_t i, const char **key, const char **value);

/*
 * ctr_event_to_json: one line with libpod's keys: ContainerExitCode, OOMKilled, ID, Image, Name, Status, Time,
 * Type, health_status, health_log, health_failing_streak, error, PodID, Attributes; those that are empty are
 * left out, but for Status, Time and Type. Attributes are the labels, and "signal" of KILL, "count" of LOST and "execID" of EXEC and EXEC_DIED.
 * Owned (ctr_free).
 * Since: 0.1
 */
CTR_API int ctr_event_to_json(const ctr_event_t *ev, char **out, size_t *len, ctr_error_t **err);

#ifdef __cplusplus
}
#endif
#endif
