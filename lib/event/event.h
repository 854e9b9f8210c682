/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events: the object, its record, filters, and the descriptor that tells of new ones.
 *
 * event.c   object and JSON       codec.c   record
 * filter.c  filters               notify.c  the pollable descriptor
 * moment.c  points in time as people write them
 */
#ifndef LIBCTR_EVENT_EVENT_H
#define LIBCTR_EVENT_EVENT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <libctr/event.h>

#include "config/config.h"
#include "util/str.h"

struct ctr_event {
	atomic_uint refs;
	int32_t type;
	int32_t exit_code;
	int32_t signal;
	bool has_exit_code;
	bool oom_killed;
	int64_t time_ns;
	uint64_t count;
	uint64_t stamp;                /* order; set by the store when it is written */
	int32_t object;                /* what it is about: CTR_EVENT_OBJECT_* */
	int64_t health_streak;         /* failures of the health check in a row */
	const char *id, *name, *image; /* "" if they do not apply */
	const char *pod, *health_status, *health_log, *error, *exec_id;
	struct ctr__cfg_map labels; /* sorted */
	struct ctr__arena arena;    /* owns the strings */
};

/* A new event of now about a container; `cfg` NULL for none. Strings are copied; what is not UTF-8 in them is
 * replaced, so that those of an event always are. */
int ctr__event_new(
    int32_t type, const ctr_config_t *cfg, struct ctr_event **out, ctr_error_t **err);

/* Frees it, whoever has references. */
void ctr__event_free(struct ctr_event *ev);

/* "create", ...; "unknown" for other numbers. */
const char *ctr__event_type_name(int32_t type);
/* The number of a word ("die" means "died"); CTR_EVENT_UNKNOWN if it is none. */
int32_t ctr__event_type_of(const char *word);

/* A copy of `s` that lives as long as the event, made UTF-8; "" for NULL. NULL if memory is short. */
const char *ctr__event_text(struct ctr_event *ev, const char *s);

/* What it is about, CTR_EVENT_OBJECT_*; and those numbers as words ("container", ...), -1 if a word is none. */
int32_t ctr__event_object(const struct ctr_event *ev);
const char *ctr__event_object_name(int32_t object);
int32_t ctr__event_object_of(const char *word);

/* Record <-> object. Any bytes are safe to decode: CTR_E_STORE_CORRUPT, CTR_E_STORE_NEWER. */
void ctr__event_encode(const struct ctr_event *ev, struct ctr__buf *out);
int ctr__event_decode(const void *data, size_t len, struct ctr_event **out, ctr_error_t **err);
/* Appends one line of JSON, without a newline. */
void ctr__event_json(const struct ctr_event *ev, struct ctr__buf *out);

/* Filters. NULL filter = everything matches. */
struct ctr__event_filter;
int ctr__event_filter_parse(
    const char *const *filters, struct ctr__event_filter **out, ctr_error_t **err);
void ctr__event_filter_free(struct ctr__event_filter *f);
bool ctr__event_filter_match(const struct ctr__event_filter *f, const struct ctr_event *ev);
/* Times that it names (since 1970): true, and *ns. The earliest "since", the latest "until". */
bool ctr__event_filter_since(const struct ctr__event_filter *f, int64_t *ns);
bool ctr__event_filter_until(const struct ctr__event_filter *f, int64_t *ns);

/* A point in time: RFC 3339 (with or without zone, or a date), seconds since 1970 with a fraction, or a duration as Go
 * writes it ("1h30m", "-5s"). A duration counts back from now, or forward if `forward`. */
bool ctr__moment_parse(const char *text, int64_t now_ns, bool forward, int64_t *ns);

/*
 * The notifier: writers touch the file "events" in the run root after each commit with events; readers have
 * an inotify instance on it and on the directory of exit files. One instance per reader, made at first use:
 * there are only 128 per user.
 */
#define CTR__NOTIFY_FILE "events"
/* Opens the file for writing, making it if it is absent. Descriptor or -errno. */
int ctr__notify_file(int run_fd);
/* A pollable inotify descriptor, or a negative code. exits_dir may be NULL. */
int ctr__notify_open(const char *run_root, const char *exits_dir, ctr_error_t **err);
/* Takes what is pending off the descriptor. */
void ctr__notify_drain(int fd);
/* Tells all readers (writers keep a descriptor of the file). */
void ctr__notify_touch(int file_fd);

#endif
