/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One line of Docker's json-file. Not through util/json.h: logs hold NULs (\u0000) and bytes that are not UTF-8, and a
 * million lines need no million documents.
 */
#include <string.h>

#include "log/source.h"
#include "util/clock.h"

#define DEPTH_MAX 16

struct scan {
	char *p, *end;
};

struct text {
	char *p;
	size_t len;
};

static void skip_blanks(struct scan *s)
{
	while (s->p < s->end && strchr(" \t\r\n", *s->p) && *s->p)
		s->p++;
}

static bool take(struct scan *s, char c)
{
	skip_blanks(s);
	if (s->p == s->end || *s->p != c)
		return false;
	s->p++;
	return true;
}

/* A string as it stands there, without its quotes. */
static bool take_raw(struct scan *s, struct text *out)
{
	if (!take(s, '"'))
		return false;
	out->p = s->p;
	while (s->p < s->end && *s->p != '"') {
		if (*s->p == '\\')
			s->p++;
		s->p++;
	}
	if (s->p >= s->end)
		return false;
	out->len = (size_t)(s->p - out->p);
	s->p++;
	return true;
}

/* ---- escapes ---- */

static bool take_hex(const char *p, const char *end, unsigned *out)
{
	*out = 0;
	if (end - p < 4)
		return false;
	for (int i = 0; i < 4; i++) {
		char c = p[i];
		unsigned digit;

		if (c >= '0' && c <= '9')
			digit = (unsigned)(c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			digit = (unsigned)((c | 0x20) - 'a' + 10);
		else
			return false;
		*out = *out * 16 + digit;
	}
	return true;
}

static char *put_utf8(char *to, unsigned u)
{
	if (u < 0x80) {
		*to++ = (char)u;
	} else if (u < 0x800) {
		*to++ = (char)(0xc0 | u >> 6);
		*to++ = (char)(0x80 | (u & 0x3f));
	} else if (u < 0x10000) {
		*to++ = (char)(0xe0 | u >> 12);
		*to++ = (char)(0x80 | (u >> 6 & 0x3f));
		*to++ = (char)(0x80 | (u & 0x3f));
	} else {
		*to++ = (char)(0xf0 | u >> 18);
		*to++ = (char)(0x80 | (u >> 12 & 0x3f));
		*to++ = (char)(0x80 | (u >> 6 & 0x3f));
		*to++ = (char)(0x80 | (u & 0x3f));
	}
	return to;
}

/* `p` is behind "\u". Lone surrogates become U+FFFD, as everywhere. */
static bool take_unicode(const char **p, const char *end, unsigned *u)
{
	unsigned low;

	if (!take_hex(*p, end, u))
		return false;
	*p += 4;
	if (*u < 0xd800 || *u > 0xdfff)
		return true;
	if (*u < 0xdc00 && end - *p >= 6 && (*p)[0] == '\\' && (*p)[1] == 'u' &&
	    take_hex(*p + 2, end, &low) && low >= 0xdc00 && low <= 0xdfff) {
		*u = 0x10000 + ((*u - 0xd800) << 10) + (low - 0xdc00);
		*p += 6;
	} else {
		*u = 0xfffd;
	}
	return true;
}

/* Never longer than what it stands for. */
static bool unescape(struct text *t)
{
	static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
	const char *p = memchr(t->p, '\\', t->len), *end = t->p + t->len;
	char *to = t->p + (p ? p - t->p : 0);

	if (!p)
		return true;
	while (p < end) {
		const char *name;
		unsigned u;

		if (*p != '\\') {
			*to++ = *p++;
			continue;
		}
		if (++p == end)
			return false;
		if (*p == 'u') {
			p++;
			if (!take_unicode(&p, end, &u))
				return false;
			to = put_utf8(to, u);
			continue;
		}
		name = *p ? strchr(names, *p) : NULL;
		if (!name)
			return false;
		*to++ = values[name - names];
		p++;
	}
	t->len = (size_t)(to - t->p);
	return true;
}

/* ---- the object ---- */

/* A value that nobody wants: a string, a word, or brackets with anything in them. */
static bool skip_value(struct scan *s)
{
	struct text none;
	int depth = 0;

	do {
		skip_blanks(s);
		if (s->p == s->end)
			return false;
		if (*s->p == '"') {
			if (!take_raw(s, &none))
				return false;
			continue;
		}
		if (strchr("{[", *s->p) && *s->p)
			depth++;
		else if (strchr("}]", *s->p) && *s->p)
			depth--;
		else if (depth == 0 && (*s->p == ',' || *s->p == ':'))
			return false;
		else if (depth == 0) {
			while (s->p < s->end && *s->p && !strchr(" ,}]", *s->p))
				s->p++;
			return s->p < s->end && *s->p;
		}
		s->p++;
	} while (depth > 0 && depth <= DEPTH_MAX);
	return depth == 0;
}

struct members {
	struct text log, stream, time;
};

static bool take_member(struct scan *s, struct members *m)
{
	static const char *const names[] = {"log", "stream", "time"};
	struct text *const places[] = {&m->log, &m->stream, &m->time};
	struct text key;

	if (!take_raw(s, &key) || !take(s, ':'))
		return false;
	for (size_t i = 0; i < 3; i++)
		if (key.len == strlen(names[i]) && memcmp(key.p, names[i], key.len) == 0)
			return !places[i]->p && take_raw(s, places[i]);
	return skip_value(s);
}

static bool take_members(struct scan *s, struct members *m)
{
	if (!take(s, '{'))
		return false;
	do {
		if (!take_member(s, m))
			return false;
	} while (take(s, ','));
	if (!take(s, '}'))
		return false;
	skip_blanks(s);
	return s->p == s->end;
}

static bool take_stream(const struct text *t, int32_t *stream)
{
	if (!t->p || t->len != 6)
		return false;
	*stream = memcmp(t->p, "stderr", 6) == 0 ? CTR__LOG_STDERR : CTR__LOG_STDOUT;
	return *stream == CTR__LOG_STDERR || memcmp(t->p, "stdout", 6) == 0;
}

static bool take_time(const struct text *t, int64_t *ns)
{
	char copy[40];

	if (!t->p || t->len >= sizeof(copy))
		return false;
	memcpy(copy, t->p, t->len);
	copy[t->len] = '\0';
	return strlen(copy) == t->len && ctr__rfc3339_parse(copy, ns);
}

bool ctr__log_parse_json(char *line, size_t len, struct ctr__log_piece *out)
{
	struct scan s = {line, line + len};
	struct members m = {0};

	if (!take_members(&s, &m) || !m.log.p || !take_stream(&m.stream, &out->stream) ||
	    !take_time(&m.time, &out->time_ns) || !unescape(&m.log))
		return false;
	out->more = m.log.len == 0 || m.log.p[m.log.len - 1] != '\n';
	out->data = m.log.p;
	out->len = m.log.len - (out->more ? 0 : 1);
	return true;
}
