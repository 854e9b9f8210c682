/* SPDX-License-Identifier: Apache-2.0 */
/* Records of the databases "ctr" and "sum", and what codecs share. */
#include "store/codec.h"

#include <string.h>

#define CTR_REC_VERSION 1U

/* As it is stored; LMDB files belong to one kind of machine anyway. */
struct ctr_head {
	uint16_t version;
	uint16_t head_len;
	uint32_t slot;
	struct ctr__origin origin;
	int64_t created_ns;
	uint16_t name_len, image_len, command_len, reserved;
	uint32_t deps_len;
	uint32_t json_len;
};
_Static_assert(sizeof(struct ctr_head) == 48, "stored layout");

static uint16_t string_len(const char *s)
{
	size_t len = s ? strlen(s) : 0;

	return len > UINT16_MAX ? UINT16_MAX : (uint16_t)len;
}

static void add_string(struct ctr__buf *out, const char *s, uint16_t len)
{
	ctr__buf_add(out, s, len);
	ctr__buf_add(out, "", 1);
}

/* Takes a string of `len` bytes and its NUL off the front; NULL if it is not one. */
static const char *take_string(const char **p, size_t *left, size_t len)
{
	const char *s = *p;

	if (*left < len + 1 || s[len] != '\0')
		return NULL;
	*p += len + 1;
	*left -= len + 1;
	return s;
}

/* ---- "ctr" ---- */

void ctr__ctr_rec_encode(const struct ctr__ctr_rec *rec, struct ctr__buf *out)
{
	struct ctr_head h = {
	    .version = CTR_REC_VERSION,
	    .head_len = sizeof(h),
	    .slot = rec->slot,
	    .origin = rec->origin,
	    .created_ns = rec->created_ns,
	    .name_len = string_len(rec->name),
	    .image_len = string_len(rec->image),
	    .command_len = string_len(rec->command),
	    .deps_len = (uint32_t)rec->deps_len,
	    .json_len = (uint32_t)rec->json_len,
	};

	if (rec->deps_len > UINT32_MAX || rec->json_len > UINT32_MAX) {
		out->failed = true;
		return;
	}
	ctr__buf_add(out, &h, sizeof(h));
	add_string(out, rec->name, h.name_len);
	add_string(out, rec->image, h.image_len);
	add_string(out, rec->command, h.command_len);
	ctr__buf_add(out, rec->deps, rec->deps_len);
	ctr__buf_add(out, rec->json, rec->json_len);
}

static int damaged(ctr_error_t **err)
{
	return ctr__fail(err, CTR_E_STORE_CORRUPT, "the record of a container is damaged");
}

int ctr__ctr_rec_decode(const void *data, size_t len, struct ctr__ctr_rec *rec, ctr_error_t **err)
{
	const char *p = data;
	struct ctr_head h;

	if (len < sizeof(h))
		return damaged(err);
	memcpy(&h, data, sizeof(h));
	if (h.version > CTR_REC_VERSION)
		return ctr__fail(err, CTR_E_STORE_NEWER,
		    "the record of a container has version %u, this libctr knows %u", h.version,
		    CTR_REC_VERSION);
	if (h.version != CTR_REC_VERSION || h.head_len != sizeof(h))
		return damaged(err);
	p += sizeof(h);
	len -= sizeof(h);
	rec->origin = h.origin;
	rec->slot = h.slot;
	rec->created_ns = h.created_ns;
	rec->name = take_string(&p, &len, h.name_len);
	rec->image = rec->name ? take_string(&p, &len, h.image_len) : NULL;
	rec->command = rec->image ? take_string(&p, &len, h.command_len) : NULL;
	if (!rec->command || h.deps_len > len || h.json_len != len - h.deps_len)
		return damaged(err);
	if (h.deps_len > 0 && p[h.deps_len - 1] != '\0')
		return damaged(err);
	rec->deps = p;
	rec->deps_len = h.deps_len;
	rec->json = p + h.deps_len;
	rec->json_len = h.json_len;
	return 0;
}

/* ---- "sum" ---- */

bool ctr__sum_valid(const void *data, size_t len)
{
	const char *p = data;
	struct ctr__sum_head h;
	size_t name_end, image_end, command_end;

	if (len < sizeof(h))
		return false;
	memcpy(&h, data, sizeof(h));
	if (h.version != CTR__SUM_VERSION || h.head_len < sizeof(h))
		return false;
	name_end = (size_t)h.head_len + h.name_len;
	image_end = name_end + 1 + h.image_len;
	command_end = image_end + 1 + h.command_len;
	return command_end + 1 == len && p[name_end] == '\0' && p[image_end] == '\0' &&
	       p[command_end] == '\0';
}

void ctr__sum_decode(const void *data, struct ctr__summary *sum, struct ctr__origin *origin)
{
	struct ctr__sum_head h;

	memcpy(&h, data, sizeof(h));
	sum->state = h.state;
	sum->pid = h.pid;
	sum->exit_code = h.exit_code;
	sum->created_ns = h.created_ns;
	sum->started_ns = h.started_ns;
	sum->finished_ns = h.finished_ns;
	sum->name = (const char *)data + h.head_len;
	sum->image = sum->name + h.name_len + 1;
	sum->command = sum->image + h.image_len + 1;
	if (origin)
		*origin = h.origin;
}

void ctr__sum_encode(
    const struct ctr__summary *sum, const struct ctr__origin *origin, struct ctr__buf *out)
{
	struct ctr__sum_head h = {
	    .version = CTR__SUM_VERSION,
	    .head_len = sizeof(h),
	    .state = sum->state,
	    .pid = sum->pid,
	    .exit_code = sum->exit_code,
	    .created_ns = sum->created_ns,
	    .started_ns = sum->started_ns,
	    .finished_ns = sum->finished_ns,
	    .origin = *origin,
	    .name_len = string_len(sum->name),
	    .image_len = string_len(sum->image),
	    .command_len = string_len(sum->command),
	};

	ctr__buf_add(out, &h, sizeof(h));
	add_string(out, sum->name, h.name_len);
	add_string(out, sum->image, h.image_len);
	add_string(out, sum->command, h.command_len);
}

void ctr__sum_set_state(struct ctr__summary *sum, const struct ctr__state *state)
{
	sum->state = state->state;
	sum->pid = state->pid;
	sum->exit_code = state->exit_code;
	sum->started_ns = state->started_ns;
	sum->finished_ns = state->finished_ns;
}

void ctr__sum_set_config(struct ctr__summary *sum, const struct ctr__ctr_rec *rec)
{
	sum->created_ns = rec->created_ns;
	sum->name = rec->name;
	sum->image = rec->image;
	sum->command = rec->command;
}

/* ---- shared ---- */

void ctr__put_be64(unsigned char out[8], uint64_t v)
{
	for (int i = 7; i >= 0; i--) {
		out[i] = (unsigned char)v;
		v >>= 8;
	}
}

uint64_t ctr__get_be64(const void *p)
{
	const unsigned char *b = p;
	uint64_t v = 0;

	for (int i = 0; i < 8; i++)
		v = v << 8 | b[i];
	return v;
}

/* The polynomial of IEEE 802.3, by bits: the records it protects are short and rare. */
uint32_t ctr__crc32(const void *data, size_t len)
{
	const unsigned char *p = data;
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < len; i++) {
		crc ^= p[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0xEDB88320) : 0);
	}
	return ~crc;
}
