/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The record of an event, as the journals keep it. All numbers little-endian:
 *
 *	u8 version, u8 flags, u16 zero, i32 type, i32 exit code, i32 signal, i64 time, u64 count, u64 stamp,
 *	string ID, string name, string image, u32 number of labels, per label: string key, string value
 *
 * A string is u32 length and so many bytes of UTF-8 without a NUL. Labels are sorted by key, each key once.
 *
 * What most events do not have follows in version 2: per member u16 tag, then a string or, for numbers, u64. Tags
 * are in rising order, each once; empty members are left out, and an event without any is written as version 1, as
 * ever. An unknown tag is that of a later library.
 *
 * There is exactly one record for an event; decoding refuses everything else.
 */
#include <string.h>

#include "event/object.h"

#define VERSION         2U
#define VERSION_PLAIN   1U /* without tags */
#define FLAG_EXIT_CODE  1U
#define FLAG_OOM_KILLED 2U
#define FLAGS           (FLAG_EXIT_CODE | FLAG_OOM_KILLED)
#define LABEL_MIN       8U /* bytes of the shortest label */

/* Stored: numbers never change. */
enum tag {
	TAG_OBJECT = 1, /* number */
	TAG_POD = 2,
	TAG_HEALTH_STATUS = 3,
	TAG_HEALTH_LOG = 4,
	TAG_HEALTH_STREAK = 5, /* number */
	TAG_ERROR = 6,
	TAG_EXEC_ID = 7,
};

/* ---- encoding ---- */

static void put(struct ctr__buf *out, uint64_t value, size_t bytes)
{
	unsigned char b[8];

	for (size_t i = 0; i < bytes; i++)
		b[i] = (unsigned char)(value >> (8 * i));
	ctr__buf_add(out, b, bytes);
}

static void put_string(struct ctr__buf *out, const char *s)
{
	size_t len = strlen(s);

	if (len > UINT32_MAX) {
		out->failed = true;
		return;
	}
	put(out, len, 4);
	ctr__buf_add(out, s, len);
}

static bool given(const char *s)
{
	return s && *s;
}

static bool has_tags(const struct ctr_event *ev)
{
	return ev->object || ev->health_streak || given(ev->pod) || given(ev->health_status) ||
	       given(ev->health_log) || given(ev->error) || given(ev->exec_id);
}

static void put_tagged_number(struct ctr__buf *out, enum tag tag, int64_t value)
{
	if (!value)
		return;
	put(out, tag, 2);
	put(out, (uint64_t)value, 8);
}

static void put_tagged_string(struct ctr__buf *out, enum tag tag, const char *s)
{
	if (!given(s))
		return;
	put(out, tag, 2);
	put_string(out, s);
}

static void put_tags(struct ctr__buf *out, const struct ctr_event *ev)
{
	put_tagged_number(out, TAG_OBJECT, ev->object);
	put_tagged_string(out, TAG_POD, ev->pod);
	put_tagged_string(out, TAG_HEALTH_STATUS, ev->health_status);
	put_tagged_string(out, TAG_HEALTH_LOG, ev->health_log);
	put_tagged_number(out, TAG_HEALTH_STREAK, ev->health_streak);
	put_tagged_string(out, TAG_ERROR, ev->error);
	put_tagged_string(out, TAG_EXEC_ID, ev->exec_id);
}

void ctr__event_encode(const struct ctr_event *ev, struct ctr__buf *out)
{
	put(out, has_tags(ev) ? VERSION : VERSION_PLAIN, 1);
	put(out, (ev->has_exit_code ? FLAG_EXIT_CODE : 0) | (ev->oom_killed ? FLAG_OOM_KILLED : 0),
	    1);
	put(out, 0, 2);
	put(out, (uint32_t)ev->type, 4);
	put(out, (uint32_t)ev->exit_code, 4);
	put(out, (uint32_t)ev->signal, 4);
	put(out, (uint64_t)ev->time_ns, 8);
	put(out, ev->count, 8);
	put(out, ev->stamp, 8);
	put_string(out, ev->id);
	put_string(out, ev->name);
	put_string(out, ev->image);
	put(out, ev->labels.n, 4);
	for (size_t i = 0; i < ev->labels.n; i++) {
		put_string(out, ev->labels.v[i].key);
		put_string(out, ev->labels.v[i].value);
	}
	put_tags(out, ev);
}

/* ---- decoding ---- */

enum failure { NONE, DAMAGED, NO_MEMORY, UNKNOWN_TAG };

/* What is left of the record. After a failure everything that is read is zero or empty. */
struct reader {
	const unsigned char *p;
	size_t left;
	enum failure failed;
	struct ctr__arena *arena;
};

static void fail(struct reader *r, enum failure why)
{
	if (r->failed == NONE)
		r->failed = why;
	r->left = 0;
}

static uint64_t take(struct reader *r, size_t bytes)
{
	uint64_t value = 0;

	if (r->left < bytes) {
		fail(r, DAMAGED);
		return 0;
	}
	for (size_t i = 0; i < bytes; i++)
		value |= (uint64_t)r->p[i] << (8 * i);
	r->p += bytes;
	r->left -= bytes;
	return value;
}

static int32_t take_i32(struct reader *r)
{
	return (int32_t)(uint32_t)take(r, 4);
}

static const char *take_string(struct reader *r)
{
	size_t len = (size_t)take(r, 4);
	const char *s = (const char *)r->p;
	char *copy;

	if (len > r->left || (len > 0 && !ctr__utf8_valid(s, len))) {
		fail(r, DAMAGED);
		return "";
	}
	if (len == 0)
		return "";
	copy = ctr__arena_strndup(r->arena, s, len);
	if (!copy) {
		fail(r, NO_MEMORY);
		return "";
	}
	r->p += len;
	r->left -= len;
	return copy;
}

static void take_labels(struct reader *r, struct ctr__cfg_map *labels)
{
	size_t n = (size_t)take(r, 4);
	struct ctr__cfg_pair *v;

	if (n == 0)
		return;
	/* Before memory is spent on it. */
	if (n > r->left / LABEL_MIN) {
		fail(r, DAMAGED);
		return;
	}
	v = ctr__arena_alloc(r->arena, n * sizeof(*v));
	if (!v) {
		fail(r, NO_MEMORY);
		return;
	}
	for (size_t i = 0; i < n && r->failed == NONE; i++) {
		v[i].key = take_string(r);
		v[i].value = take_string(r);
		if (i > 0 && strcmp(v[i - 1].key, v[i].key) >= 0)
			fail(r, DAMAGED);
	}
	*labels = (struct ctr__cfg_map){v, n};
}

/* A member that is there has a value. */
static const char *take_member(struct reader *r)
{
	const char *s = take_string(r);

	if (r->failed == NONE && !*s)
		fail(r, DAMAGED);
	return s;
}

static int64_t take_nonzero(struct reader *r)
{
	int64_t n = (int64_t)take(r, 8);

	if (r->failed == NONE && n == 0)
		fail(r, DAMAGED);
	return n;
}

static void take_tag(struct reader *r, unsigned int tag, struct ctr_event *ev)
{
	int64_t n;

	switch ((enum tag)tag) {
	case TAG_OBJECT:
		n = take_nonzero(r);
		if (n < 0 || n > CTR_EVENT_OBJECT_SYSTEM)
			fail(r, DAMAGED);
		else
			ev->object = (int32_t)n;
		return;
	case TAG_POD: ev->pod = take_member(r); return;
	case TAG_HEALTH_STATUS: ev->health_status = take_member(r); return;
	case TAG_HEALTH_LOG: ev->health_log = take_member(r); return;
	case TAG_HEALTH_STREAK: ev->health_streak = take_nonzero(r); return;
	case TAG_ERROR: ev->error = take_member(r); return;
	case TAG_EXEC_ID: ev->exec_id = take_member(r); return;
	}
	fail(r, tag > TAG_EXEC_ID ? UNKNOWN_TAG : DAMAGED);
}

static void take_tags(struct reader *r, struct ctr_event *ev)
{
	unsigned int last = 0;

	if (r->failed == NONE && r->left == 0)
		fail(r, DAMAGED); /* that is a record of version 1 */
	while (r->failed == NONE && r->left > 0) {
		unsigned int tag = (unsigned int)take(r, 2);

		if (r->failed == NONE && tag <= last)
			fail(r, DAMAGED);
		if (r->failed == NONE)
			take_tag(r, tag, ev);
		last = tag;
	}
}

static void take_event(struct reader *r, struct ctr_event *ev, uint64_t version)
{
	uint64_t flags = take(r, 1);

	if ((flags & ~(uint64_t)FLAGS) || take(r, 2) != 0)
		fail(r, DAMAGED);
	ev->has_exit_code = flags & FLAG_EXIT_CODE;
	ev->oom_killed = flags & FLAG_OOM_KILLED;
	ev->type = take_i32(r);
	ev->exit_code = take_i32(r);
	ev->signal = take_i32(r);
	ev->time_ns = (int64_t)take(r, 8);
	ev->count = take(r, 8);
	ev->stamp = take(r, 8);
	ev->id = take_string(r);
	ev->name = take_string(r);
	ev->image = take_string(r);
	take_labels(r, &ev->labels);
	if (version == VERSION)
		take_tags(r, ev);
	if (r->left > 0)
		fail(r, DAMAGED);
}

int ctr__event_decode(const void *data, size_t len, struct ctr_event **out, ctr_error_t **err)
{
	struct ctr_event *ev CTR__EVENT = ctr__event_alloc();
	struct reader r = {.p = data, .left = len};
	uint64_t version;

	*out = NULL;
	if (!ev)
		return ctr__fail_nomem(err);
	r.arena = &ev->arena;
	version = take(&r, 1);
	if (version > VERSION)
		return ctr__fail(err, CTR_E_STORE_NEWER,
		    "an event was recorded in format %u, this libctr knows %u",
		    (unsigned int)version, VERSION);
	if (version != VERSION && version != VERSION_PLAIN)
		fail(&r, DAMAGED);
	take_event(&r, ev, version);
	if (r.failed == UNKNOWN_TAG)
		return ctr__fail(
		    err, CTR_E_STORE_NEWER, "an event has members that this libctr does not know");
	if (r.failed == NO_MEMORY)
		return ctr__fail_nomem(err);
	if (r.failed != NONE)
		return ctr__fail(
		    err, CTR_E_STORE_CORRUPT, "the record of an event (%zu bytes) is damaged", len);
	*out = CTR__STEAL_PTR(ev);
	return 0;
}
