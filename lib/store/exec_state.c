/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The codec of an exec session's record (tlv.h). A field that has its default value is left out. Tags behind the last
 * one known are of a later library: they come last, and are kept as they are.
 */
#include "store/exec_state.h"

#include <stdlib.h>
#include <string.h>

#include <libctr/exec.h>

#include "store/tlv.h"
#include "util/cleanup.h"

#define VERSION 1U

/* Stored: numbers never change. */
enum tag {
	TAG_STATE = 1,
	TAG_FLAGS = 2,
	TAG_OPENED = 3,
	TAG_PID = 4,
	TAG_PID_START = 5,
	TAG_MONITOR_PID = 6,
	TAG_MONITOR_START = 7,
	TAG_STARTER_PID = 8,
	TAG_STARTER_START = 9,
	TAG_EXIT_CODE = 10,
	TAG_STARTED = 11,
	TAG_FINISHED = 12,
	TAG_EXIT_DELAY = 13,
	TAG_USER = 14,
	TAG_DETACH_KEYS = 15,
	TAG_PROCESS = 16,
	TAG_COMMAND = 17,
	TAG_EXIT_COMMAND = 18,
	TAG_END /* the first that is not known */
};

/* ---- lists ---- */

void ctr__pack(const char *const *list, struct ctr__buf *out)
{
	for (; list && *list; list++)
		ctr__buf_add(out, *list, strlen(*list) + 1);
}

char **ctr__unpack(const struct ctr__packed *p)
{
	CTR__STRV char **v = calloc(1, sizeof(*v));

	for (size_t at = 0; v && at < p->len; at += strlen(p->data + at) + 1) {
		if (!ctr__strv_add(&v, p->data + at))
			return NULL;
	}
	return CTR__STEAL_PTR(v);
}

/* ---- encoding ---- */

static void add_number(struct ctr__buf *out, enum tag tag, uint64_t v, size_t bytes)
{
	unsigned char field[CTR__TLV_FIELD + 8], *end;

	if (v == 0)
		return;
	end = ctr__tlv_put_number(ctr__tlv_put_head(field, tag, bytes), v, bytes);
	ctr__buf_add(out, field, (size_t)(end - field));
}

static void add_bytes(struct ctr__buf *out, enum tag tag, const char *data, size_t len)
{
	if (!data || len == 0)
		return;
	ctr__tlv_add_head(out, tag, len);
	ctr__buf_add(out, data, len);
}

/* "" is something else than none. */
static void add_string(struct ctr__buf *out, enum tag tag, const char *s)
{
	add_bytes(out, tag, s, s ? strlen(s) + 1 : 0);
}

void ctr__exec_state_encode(const struct ctr__exec_state *x, struct ctr__buf *out)
{
	static const unsigned char head[CTR__TLV_HEAD] = {VERSION, VERSION};

	ctr__buf_add(out, head, sizeof(head));
	add_number(out, TAG_STATE, (uint32_t)x->state, 4);
	add_number(out, TAG_FLAGS, x->flags, 8);
	add_number(out, TAG_OPENED, x->opened, 4);
	add_number(out, TAG_PID, (uint32_t)x->pid, 4);
	add_number(out, TAG_PID_START, x->pid_start, 8);
	add_number(out, TAG_MONITOR_PID, (uint32_t)x->monitor_pid, 4);
	add_number(out, TAG_MONITOR_START, x->monitor_start, 8);
	add_number(out, TAG_STARTER_PID, (uint32_t)x->starter_pid, 4);
	add_number(out, TAG_STARTER_START, x->starter_start, 8);
	add_number(out, TAG_EXIT_CODE, (uint32_t)x->exit_code, 4);
	add_number(out, TAG_STARTED, (uint64_t)x->started_ns, 8);
	add_number(out, TAG_FINISHED, (uint64_t)x->finished_ns, 8);
	add_number(out, TAG_EXIT_DELAY, x->exit_delay_s, 8);
	add_string(out, TAG_USER, x->user);
	add_string(out, TAG_DETACH_KEYS, x->detach_keys);
	add_string(out, TAG_PROCESS, x->process);
	add_bytes(out, TAG_COMMAND, x->command.data, x->command.len);
	add_bytes(out, TAG_EXIT_COMMAND, x->exit_command.data, x->exit_command.len);
	ctr__buf_add(out, x->unknown, x->unknown_len);
}

/* ---- decoding ---- */

static bool get_packed(const struct ctr__tlv_field *f, struct ctr__packed *out)
{
	*out = (struct ctr__packed){(const char *)f->value, f->len};
	return f->len > 0 && f->value[f->len - 1] == '\0';
}

static bool decode_field(const struct ctr__tlv_field *f, struct ctr__exec_state *x)
{
	switch ((enum tag)f->tag) {
	case TAG_STATE: return ctr__tlv_i32(f, 0, CTR_EXEC_STATE_STOPPED, &x->state);
	case TAG_FLAGS: return ctr__tlv_u64(f, &x->flags);
	case TAG_OPENED: return ctr__tlv_u32(f, &x->opened);
	/* A negative one would signal a process group, or everybody. */
	case TAG_PID: return ctr__tlv_i32(f, 0, INT32_MAX, &x->pid);
	case TAG_PID_START: return ctr__tlv_u64(f, &x->pid_start);
	case TAG_MONITOR_PID: return ctr__tlv_i32(f, 0, INT32_MAX, &x->monitor_pid);
	case TAG_MONITOR_START: return ctr__tlv_u64(f, &x->monitor_start);
	case TAG_STARTER_PID: return ctr__tlv_i32(f, 0, INT32_MAX, &x->starter_pid);
	case TAG_STARTER_START: return ctr__tlv_u64(f, &x->starter_start);
	case TAG_EXIT_CODE: return ctr__tlv_i32(f, -1, 255, &x->exit_code);
	case TAG_STARTED: return ctr__tlv_i64(f, &x->started_ns);
	case TAG_FINISHED: return ctr__tlv_i64(f, &x->finished_ns);
	case TAG_EXIT_DELAY: return ctr__tlv_u64(f, &x->exit_delay_s);
	case TAG_USER: return ctr__tlv_string(f, &x->user);
	case TAG_DETACH_KEYS: return ctr__tlv_string(f, &x->detach_keys);
	case TAG_PROCESS: return ctr__tlv_string(f, &x->process);
	case TAG_COMMAND: return get_packed(f, &x->command);
	case TAG_EXIT_COMMAND: return get_packed(f, &x->exit_command);
	case TAG_END: break;
	}
	return false;
}

static bool decode_fields(const unsigned char *p, size_t left, struct ctr__exec_state *x)
{
	unsigned int last = 0;

	while (left > 0) {
		const unsigned char *start = p;
		struct ctr__tlv_field f;

		if (!ctr__tlv_next(&p, &left, &f))
			return false;
		if (f.tag < last || (f.tag == last && f.tag < TAG_END))
			return false;
		last = f.tag;
		if (f.tag >= TAG_END) {
			if (!x->unknown)
				x->unknown = start;
			x->unknown_len = (size_t)(p - x->unknown);
		} else if (!decode_field(&f, x)) {
			return false;
		}
	}
	return x->command.len > 0;
}

int ctr__exec_state_decode(
    const void *data, size_t len, struct ctr__exec_state *x, ctr_error_t **err)
{
	const unsigned char *p = data;

	memset(x, 0, sizeof(*x));
	if (len < CTR__TLV_HEAD || p[0] == 0 || p[1] == 0 || p[1] > p[0] || p[2] || p[3])
		return ctr__fail(err, CTR_E_STORE_CORRUPT, "an exec session's record is damaged");
	if (p[1] > VERSION)
		return ctr__fail(err, CTR_E_STORE_NEWER,
		    "an exec session's record has version %u, this libctr knows %u", p[0], VERSION);
	if (decode_fields(p + CTR__TLV_HEAD, len - CTR__TLV_HEAD, x))
		return 0;
	memset(x, 0, sizeof(*x));
	return ctr__fail(err, CTR_E_STORE_CORRUPT, "an exec session's record is damaged");
}
