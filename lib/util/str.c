/* SPDX-License-Identifier: Apache-2.0 */
/* Strings: a growing buffer, formatted copies, numbers, UTF-8. Lists are in strv.c. */
#include "util/str.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define BUF_FIRST ((size_t)64)

/* Makes room for `more` bytes and the final NUL. */
static bool reserve(struct ctr__buf *b, size_t more)
{
	size_t cap = b->cap ? b->cap : BUF_FIRST;
	char *data;

	if (b->failed)
		return false;
	if (more < b->cap - b->len)
		return true;
	if (more >= SIZE_MAX / 4 || b->len >= SIZE_MAX / 4) {
		b->failed = true;
		return false;
	}
	while (cap - b->len <= more)
		cap *= 2;
	data = realloc(b->data, cap);
	if (!data) {
		b->failed = true;
		return false;
	}
	b->data = data;
	b->cap = cap;
	return true;
}

void ctr__buf_add(struct ctr__buf *b, const void *data, size_t len)
{
	if (!reserve(b, len))
		return;
	if (len > 0)
		memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
}

void ctr__buf_adds(struct ctr__buf *b, const char *s)
{
	ctr__buf_add(b, s, strlen(s));
}

void ctr__buf_addc(struct ctr__buf *b, char c)
{
	ctr__buf_add(b, &c, 1);
}

static void addv(struct ctr__buf *b, const char *fmt, va_list args)
{
	va_list again;
	int len;

	va_copy(again, args);
	len = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (len < 0) {
		b->failed = true;
		return;
	}
	if (!reserve(b, (size_t)len))
		return;
	(void)vsnprintf(b->data + b->len, (size_t)len + 1, fmt, args);
	b->len += (size_t)len;
}

void ctr__buf_addf(struct ctr__buf *b, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	addv(b, fmt, args);
	va_end(args);
}

void ctr__buf_free(struct ctr__buf *b)
{
	int saved = errno;

	free(b->data);
	*b = (struct ctr__buf){0};
	errno = saved;
}

char *ctr__buf_steal(struct ctr__buf *b)
{
	char *text;

	ctr__buf_add(b, NULL, 0);
	if (b->failed) {
		ctr__buf_free(b);
		return NULL;
	}
	text = b->data;
	*b = (struct ctr__buf){0};
	return text;
}

char *ctr__format(const char *fmt, ...)
{
	va_list args;
	char *text;
	int len;

	va_start(args, fmt);
	len = vasprintf(&text, fmt, args);
	va_end(args);
	return len < 0 ? NULL : text;
}

char *ctr__strdup_len(const char *s, size_t len)
{
	char *copy = malloc(len + 1);

	if (!copy)
		return NULL;
	if (len > 0)
		memcpy(copy, s, len);
	copy[len] = '\0';
	return copy;
}

char *ctr__strdup_null(const char *s)
{
	return s ? strdup(s) : NULL;
}

char *ctr__path_join(const char *dir, const char *name)
{
	size_t len = strlen(dir);

	return ctr__format("%s%s%s", dir, len == 0 || dir[len - 1] == '/' ? "" : "/", name);
}

bool ctr__parse_u64(const char *s, uint64_t max, uint64_t *out)
{
	uint64_t n = 0;

	if (!s || !*s)
		return false;
	for (; *s; s++) {
		if (*s < '0' || *s > '9' || __builtin_mul_overflow(n, 10U, &n) ||
		    __builtin_add_overflow(n, (unsigned int)(*s - '0'), &n))
			return false;
	}
	if (n > max)
		return false;
	*out = n;
	return true;
}

bool ctr__parse_i64(const char *s, int64_t min, int64_t max, int64_t *out)
{
	bool negative = s && *s == '-';
	uint64_t magnitude;
	int64_t n;

	if (!ctr__parse_u64(negative ? s + 1 : s, (uint64_t)INT64_MAX + negative, &magnitude))
		return false;
	n = negative && magnitude > 0 ? -(int64_t)(magnitude - 1) - 1 : (int64_t)magnitude;
	if (n < min || n > max)
		return false;
	*out = n;
	return true;
}

/* How many bytes the well-formed character at `s` has (Unicode, table 3-7), 0 if it is none. */
static size_t utf8_char(const unsigned char *s, size_t len)
{
	unsigned char low = 0x80, high = 0xbf;
	size_t need;

	if (s[0] < 0x80)
		return s[0] ? 1 : 0;
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	need = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	if (s[0] == 0xe0)
		low = 0xa0; /* overlong */
	else if (s[0] == 0xed)
		high = 0x9f; /* surrogates */
	else if (s[0] == 0xf0)
		low = 0x90; /* overlong */
	else if (s[0] == 0xf4)
		high = 0x8f; /* past U+10FFFF */
	if (len < need || s[1] < low || s[1] > high)
		return 0;
	for (size_t i = 2; i < need; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	}
	return need;
}

/* Eight ASCII characters, none NUL? Most texts have nothing else. */
static bool eight_plain(const unsigned char *s)
{
	uint64_t w;

	memcpy(&w, s, sizeof(w));
	/* With the high bits clear, the difference borrows into a high bit only from a zero byte. */
	return ((w | (w - UINT64_C(0x0101010101010101))) & UINT64_C(0x8080808080808080)) == 0;
}

size_t ctr__utf8_span(const char *s, size_t len)
{
	const unsigned char *u = (const unsigned char *)s;
	size_t at = 0;

	while (at < len) {
		size_t n = len - at >= 8 && eight_plain(u + at) ? 8 : utf8_char(u + at, len - at);

		if (n == 0)
			break;
		at += n;
	}
	return at;
}

bool ctr__utf8_valid(const char *s, size_t len)
{
	return ctr__utf8_span(s, len) == len;
}
