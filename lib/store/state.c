/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The codec of the state record (tlv.h). Each tag is there once (bind mounts: once per mount); a field that has its
 * default value is left out. Tags behind the last one known are of a later library: they come last, and are kept
 * as they are.
 */
#include "store/state.h"

#include <string.h>

#include <libctr/state.h>

#include "store/tlv.h"

#define VERSION    1U
#define BIND_PAIRS (sizeof(((struct ctr__state *)0)->bind_mounts) / sizeof(const char *) / 2)

/* Stored: numbers never change. */
enum tag {
	TAG_STATE = 1,
	TAG_INTENT = 2,
	TAG_PID = 3,
	TAG_PID_START = 4,
	TAG_CONMON_PID = 5,
	TAG_CONMON_START = 6,
	TAG_EXIT_CODE = 7,
	TAG_EXITED = 8,
	TAG_OOM_KILLED = 9,
	TAG_MOUNTED = 10,
	TAG_STOPPED_BY_USER = 11,
	TAG_OWN_PID_NS = 12,
	TAG_START_HOOKS = 13,
	TAG_EVER_STARTED = 14,
	TAG_MOUNT_COUNT = 15,
	TAG_STARTED = 16,
	TAG_FINISHED = 17,
	TAG_MOUNTPOINT = 18,
	TAG_CONFIG_PATH = 19,
	TAG_ERROR = 20,
	TAG_NET_NS = 21,
	TAG_BIND_MOUNT = 22,
	TAG_SLOT = 23,
	TAG_RESTART_MATCH = 24,
	TAG_STARTUP_PASSED = 25,
	TAG_RESTART_COUNT = 26,
	TAG_HEALTH = 27,
	TAG_STARTUP_SUCCESSES = 28,
	TAG_STARTUP_FAILURES = 29,
	TAG_HEALTH_PID = 30,
	TAG_HEALTH_START = 31,
	TAG_STAGE_HOOKS = 32,
	TAG_RESTART_DELAY = 33,
	TAG_RESTARTER_PID = 34,
	TAG_RESTARTER_START = 35,
	TAG_CGROUP = 36,
	TAG_END /* the first that is not known */
};

void ctr__state_init(struct ctr__state *s, int32_t state)
{
	memset(s, 0, sizeof(*s));
	s->state = state;
	s->mountpoint = s->config_path = s->error = s->net_ns = "";
	s->stage_hooks = s->cgroup = "";
}

/* ---- encoding ---- */

static unsigned char *put_field(unsigned char *p, enum tag tag, uint64_t v, size_t bytes)
{
	if (v == 0)
		return p;
	return ctr__tlv_put_number(ctr__tlv_put_head(p, tag, bytes), v, bytes);
}

static unsigned char *put_flag(unsigned char *p, enum tag tag, bool on)
{
	return on ? ctr__tlv_put_head(p, tag, 0) : p;
}

static unsigned char *put_numbers(const struct ctr__state *s, unsigned char *p)
{
	p = put_field(p, TAG_STATE, (uint32_t)s->state, 4);
	p = put_field(p, TAG_INTENT, (uint32_t)s->intent, 4);
	p = put_field(p, TAG_PID, (uint32_t)s->pid, 4);
	p = put_field(p, TAG_PID_START, s->pid_start, 8);
	p = put_field(p, TAG_CONMON_PID, (uint32_t)s->conmon_pid, 4);
	p = put_field(p, TAG_CONMON_START, s->conmon_start, 8);
	p = put_field(p, TAG_EXIT_CODE, (uint32_t)s->exit_code, 4);
	p = put_flag(p, TAG_EXITED, s->exited);
	p = put_flag(p, TAG_OOM_KILLED, s->oom_killed);
	p = put_flag(p, TAG_MOUNTED, s->mounted);
	p = put_flag(p, TAG_STOPPED_BY_USER, s->stopped_by_user);
	p = put_flag(p, TAG_OWN_PID_NS, s->own_pid_ns);
	p = put_flag(p, TAG_START_HOOKS, s->start_hooks);
	p = put_flag(p, TAG_EVER_STARTED, s->ever_started);
	p = put_field(p, TAG_MOUNT_COUNT, s->mount_count, 4);
	p = put_field(p, TAG_STARTED, (uint64_t)s->started_ns, 8);
	return put_field(p, TAG_FINISHED, (uint64_t)s->finished_ns, 8);
}

/* Tags are in rising order, so those that came later follow the strings. */
static unsigned char *put_later_numbers(const struct ctr__state *s, unsigned char *p)
{
	p = put_field(p, TAG_SLOT, s->slot, 4);
	p = put_flag(p, TAG_RESTART_MATCH, s->restart_match);
	p = put_flag(p, TAG_STARTUP_PASSED, s->startup_passed);
	p = put_field(p, TAG_RESTART_COUNT, s->restart_count, 4);
	p = put_field(p, TAG_HEALTH, (uint32_t)s->health, 4);
	p = put_field(p, TAG_STARTUP_SUCCESSES, s->startup_successes, 4);
	p = put_field(p, TAG_STARTUP_FAILURES, s->startup_failures, 4);
	p = put_field(p, TAG_HEALTH_PID, (uint32_t)s->health_pid, 4);
	return put_field(p, TAG_HEALTH_START, s->health_start, 8);
}

static unsigned char *put_last_numbers(const struct ctr__state *s, unsigned char *p)
{
	p = put_field(p, TAG_RESTART_DELAY, s->restart_delay_ms, 4);
	p = put_field(p, TAG_RESTARTER_PID, (uint32_t)s->restarter_pid, 4);
	return put_field(p, TAG_RESTARTER_START, s->restarter_start, 8);
}

static void add_string(struct ctr__buf *out, enum tag tag, const char *s)
{
	size_t len = s ? strlen(s) : 0;

	if (len == 0)
		return;
	ctr__tlv_add_head(out, tag, len + 1);
	ctr__buf_add(out, s, len + 1);
}

static void add_bind_mounts(struct ctr__buf *out, const struct ctr__state *s)
{
	for (uint32_t i = 0; i < s->bind_mounts_n && i < BIND_PAIRS; i++) {
		const char *dest = s->bind_mounts[2 * i], *host = s->bind_mounts[2 * i + 1];
		size_t dest_len = strlen(dest) + 1, host_len = strlen(host) + 1;

		ctr__tlv_add_head(out, TAG_BIND_MOUNT, dest_len + host_len);
		ctr__buf_add(out, dest, dest_len);
		ctr__buf_add(out, host, host_len);
	}
}

void ctr__state_encode(const struct ctr__state *s, struct ctr__buf *out)
{
	/* Numbers go to the stack first: one addition to the buffer instead of fifty. */
	unsigned char fixed[CTR__TLV_HEAD + TAG_END * (CTR__TLV_FIELD + 8)] = {VERSION, VERSION};
	unsigned char later[TAG_END * (CTR__TLV_FIELD + 8)], *end;

	end = put_numbers(s, fixed + CTR__TLV_HEAD);
	ctr__buf_add(out, fixed, (size_t)(end - fixed));
	add_string(out, TAG_MOUNTPOINT, s->mountpoint);
	add_string(out, TAG_CONFIG_PATH, s->config_path);
	add_string(out, TAG_ERROR, s->error);
	add_string(out, TAG_NET_NS, s->net_ns);
	add_bind_mounts(out, s);
	end = put_later_numbers(s, later);
	ctr__buf_add(out, later, (size_t)(end - later));
	add_string(out, TAG_STAGE_HOOKS, s->stage_hooks);
	end = put_last_numbers(s, later);
	ctr__buf_add(out, later, (size_t)(end - later));
	add_string(out, TAG_CGROUP, s->cgroup);
	ctr__buf_add(out, s->unknown, s->unknown_len);
}

/* ---- decoding ---- */

static bool get_flag(const struct ctr__tlv_field *f, bool *out)
{
	*out = true;
	return f->len == 0;
}

static bool get_bind_mount(const struct ctr__tlv_field *f, struct ctr__state *s)
{
	const unsigned char *nul = f->len ? memchr(f->value, '\0', f->len) : NULL;
	struct ctr__tlv_field host;

	if (!nul || s->bind_mounts_n >= BIND_PAIRS)
		return false;
	host.value = nul + 1;
	host.len = f->len - (size_t)(host.value - f->value);
	s->bind_mounts[2 * s->bind_mounts_n] = (const char *)f->value;
	if (!ctr__tlv_string(&host, &s->bind_mounts[2 * s->bind_mounts_n + 1]))
		return false;
	s->bind_mounts_n++;
	return true;
}

static bool decode_field(const struct ctr__tlv_field *f, struct ctr__state *s)
{
	switch ((enum tag)f->tag) {
	case TAG_STATE: return ctr__tlv_i32(f, 0, CTR_STATE_STOPPING, &s->state);
	case TAG_INTENT: return ctr__tlv_i32(f, 0, CTR__INTENT_LAST, &s->intent);
	/* A negative one would signal a process group, or everybody. */
	case TAG_PID: return ctr__tlv_i32(f, 0, INT32_MAX, &s->pid);
	case TAG_PID_START: return ctr__tlv_u64(f, &s->pid_start);
	case TAG_CONMON_PID: return ctr__tlv_i32(f, 0, INT32_MAX, &s->conmon_pid);
	case TAG_CONMON_START: return ctr__tlv_u64(f, &s->conmon_start);
	case TAG_EXIT_CODE: return ctr__tlv_i32(f, INT32_MIN, INT32_MAX, &s->exit_code);
	case TAG_EXITED: return get_flag(f, &s->exited);
	case TAG_OOM_KILLED: return get_flag(f, &s->oom_killed);
	case TAG_MOUNTED: return get_flag(f, &s->mounted);
	case TAG_STOPPED_BY_USER: return get_flag(f, &s->stopped_by_user);
	case TAG_OWN_PID_NS: return get_flag(f, &s->own_pid_ns);
	case TAG_START_HOOKS: return get_flag(f, &s->start_hooks);
	case TAG_EVER_STARTED: return get_flag(f, &s->ever_started);
	case TAG_MOUNT_COUNT: return ctr__tlv_u32(f, &s->mount_count);
	case TAG_STARTED: return ctr__tlv_i64(f, &s->started_ns);
	case TAG_FINISHED: return ctr__tlv_i64(f, &s->finished_ns);
	case TAG_MOUNTPOINT: return ctr__tlv_string(f, &s->mountpoint);
	case TAG_CONFIG_PATH: return ctr__tlv_string(f, &s->config_path);
	case TAG_ERROR: return ctr__tlv_string(f, &s->error);
	case TAG_NET_NS: return ctr__tlv_string(f, &s->net_ns);
	case TAG_BIND_MOUNT: return get_bind_mount(f, s);
	case TAG_SLOT: return ctr__tlv_u32(f, &s->slot);
	case TAG_RESTART_MATCH: return get_flag(f, &s->restart_match);
	case TAG_STARTUP_PASSED: return get_flag(f, &s->startup_passed);
	case TAG_RESTART_COUNT: return ctr__tlv_u32(f, &s->restart_count);
	case TAG_HEALTH: return ctr__tlv_i32(f, 0, INT32_MAX, &s->health);
	case TAG_STARTUP_SUCCESSES: return ctr__tlv_u32(f, &s->startup_successes);
	case TAG_STARTUP_FAILURES: return ctr__tlv_u32(f, &s->startup_failures);
	case TAG_HEALTH_PID: return ctr__tlv_i32(f, 0, INT32_MAX, &s->health_pid);
	case TAG_HEALTH_START: return ctr__tlv_u64(f, &s->health_start);
	case TAG_STAGE_HOOKS: return ctr__tlv_string(f, &s->stage_hooks);
	case TAG_RESTART_DELAY: return ctr__tlv_u32(f, &s->restart_delay_ms);
	case TAG_RESTARTER_PID: return ctr__tlv_i32(f, 0, INT32_MAX, &s->restarter_pid);
	case TAG_RESTARTER_START: return ctr__tlv_u64(f, &s->restarter_start);
	case TAG_CGROUP: return ctr__tlv_string(f, &s->cgroup);
	case TAG_END: break;
	}
	return false;
}

static bool decode_fields(const unsigned char *p, size_t left, struct ctr__state *s)
{
	unsigned int last = 0;

	while (left > 0) {
		const unsigned char *start = p;
		struct ctr__tlv_field f;

		if (!ctr__tlv_next(&p, &left, &f))
			return false;
		if (f.tag < last || (f.tag == last && f.tag < TAG_END && f.tag != TAG_BIND_MOUNT))
			return false;
		last = f.tag;
		if (f.tag >= TAG_END) {
			if (!s->unknown)
				s->unknown = start;
			s->unknown_len = (size_t)(p - s->unknown);
		} else if (!decode_field(&f, s)) {
			return false;
		}
	}
	return true;
}

int ctr__state_decode(const void *data, size_t len, struct ctr__state *s, ctr_error_t **err)
{
	const unsigned char *p = data;

	ctr__state_init(s, 0);
	if (len < CTR__TLV_HEAD || p[0] == 0 || p[1] == 0 || p[1] > p[0] || p[2] || p[3])
		return ctr__fail(err, CTR_E_STORE_CORRUPT, "a state record is damaged");
	if (p[1] > VERSION)
		return ctr__fail(err, CTR_E_STORE_NEWER,
		    "a state record has version %u, this libctr knows %u", p[0], VERSION);
	if (!decode_fields(p + CTR__TLV_HEAD, len - CTR__TLV_HEAD, s)) {
		ctr__state_init(s, 0);
		return ctr__fail(err, CTR_E_STORE_CORRUPT, "a state record is damaged");
	}
	return 0;
}
