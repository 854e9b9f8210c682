/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records of tag, length, value:
 *
 *	u8 version, u8 oldest version that can read it, u16 zero, then per field:
 *	u16 tag, u32 length, value
 *
 * Numbers are little-endian. Fields are in rising order of their tags. Strings end with a NUL, which counts.
 */
#ifndef LIBCTR_STORE_TLV_H
#define LIBCTR_STORE_TLV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "util/str.h"

#define CTR__TLV_HEAD  4U
#define CTR__TLV_FIELD 6U

static inline unsigned char *ctr__tlv_put_number(unsigned char *p, uint64_t v, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		*p++ = (unsigned char)(v >> (8 * i));
	return p;
}

static inline unsigned char *ctr__tlv_put_head(unsigned char *p, unsigned int tag, size_t len)
{
	p = ctr__tlv_put_number(p, tag, 2);
	return ctr__tlv_put_number(p, len, 4);
}

/* The head of a field whose value is added next. */
static inline void ctr__tlv_add_head(struct ctr__buf *out, unsigned int tag, size_t len)
{
	unsigned char head[CTR__TLV_FIELD];

	if (len > UINT32_MAX) {
		out->failed = true;
		return;
	}
	ctr__tlv_put_head(head, tag, len);
	ctr__buf_add(out, head, sizeof(head));
}

struct ctr__tlv_field {
	unsigned int tag;
	const unsigned char *value;
	size_t len;
};

static inline uint64_t ctr__tlv_number(const unsigned char *p, size_t bytes)
{
	uint64_t v = 0;

	/* The sizes are constants where this is called: one load each. */
	memcpy(&v, p, bytes);
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
	v = __builtin_bswap64(v);
#endif
	return v;
}

static inline bool ctr__tlv_u32(const struct ctr__tlv_field *f, uint32_t *out)
{
	if (f->len != 4)
		return false;
	*out = (uint32_t)ctr__tlv_number(f->value, 4);
	return true;
}

static inline bool ctr__tlv_i32(
    const struct ctr__tlv_field *f, int32_t min, int32_t max, int32_t *out)
{
	uint32_t v;

	if (!ctr__tlv_u32(f, &v))
		return false;
	*out = (int32_t)v;
	return *out >= min && *out <= max;
}

static inline bool ctr__tlv_u64(const struct ctr__tlv_field *f, uint64_t *out)
{
	if (f->len != 8)
		return false;
	*out = ctr__tlv_number(f->value, 8);
	return true;
}

static inline bool ctr__tlv_i64(const struct ctr__tlv_field *f, int64_t *out)
{
	uint64_t v = 0;
	bool ok = ctr__tlv_u64(f, &v);

	*out = (int64_t)v;
	return ok;
}

static inline bool ctr__tlv_string(const struct ctr__tlv_field *f, const char **out)
{
	*out = (const char *)f->value;
	return f->len > 0 && memchr(f->value, '\0', f->len) == f->value + f->len - 1;
}

/* Takes a field off the front. */
static inline bool ctr__tlv_next(const unsigned char **p, size_t *left, struct ctr__tlv_field *f)
{
	if (*left < CTR__TLV_FIELD)
		return false;
	f->tag = (unsigned int)ctr__tlv_number(*p, 2);
	f->len = (size_t)ctr__tlv_number(*p + 2, 4);
	f->value = *p + CTR__TLV_FIELD;
	if (f->len > *left - CTR__TLV_FIELD)
		return false;
	*p = f->value + f->len;
	*left -= CTR__TLV_FIELD + f->len;
	return true;
}

#endif
