/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of a JSON text that yajl does not make. */
#include "util/json_internal.h"

struct scanner {
	const char *text;
	size_t len, at;
	size_t depth;
	bool complete; /* the value at the top has ended */
	struct ctr__json_scan *out;
};

static bool fault(struct scanner *s, size_t offset, const char *what)
{
	s->out->offset = offset;
	s->out->fault = what;
	return false;
}

static void note_token(struct scanner *s, size_t start)
{
	if (s->at - start > s->out->longest)
		s->out->longest = s->at - start;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The value of a \uXXXX at `at`, -1 if there is none. */
static int unicode_escape(const struct scanner *s, size_t at)
{
	int value = 0;

	if (s->len < 6 || at > s->len - 6 || s->text[at] != '\\' || s->text[at + 1] != 'u')
		return -1;
	for (size_t i = at + 2; i < at + 6; i++) {
		int digit = hex_value(s->text[i]);

		if (digit < 0)
			return -1;
		value = value * 16 + digit;
	}
	return value;
}

static bool is_high_surrogate(int c)
{
	return c >= 0xd800 && c <= 0xdbff;
}

static bool is_low_surrogate(int c)
{
	return c >= 0xdc00 && c <= 0xdfff;
}

/* At a backslash. Malformed escapes are skipped: yajl names them. */
static bool scan_escape(struct scanner *s)
{
	int c = unicode_escape(s, s->at);

	if (c < 0) {
		s->at += s->len - s->at > 1 ? 2 : 1;
		return true;
	}
	if (c == 0)
		return fault(s, s->at, "NUL character in a string");
	if (is_low_surrogate(c) ||
	    (is_high_surrogate(c) && !is_low_surrogate(unicode_escape(s, s->at + 6))))
		return fault(s, s->at, "lone surrogate in a string");
	s->at += is_high_surrogate(c) ? 12 : 6;
	return true;
}

/* At an opening quote. */
static bool scan_string(struct scanner *s)
{
	size_t start = s->at++;

	while (s->at < s->len && s->text[s->at] != '"') {
		if (s->text[s->at] != '\\')
			s->at++;
		else if (!scan_escape(s))
			return false;
	}
	if (s->at < s->len)
		s->at++;
	note_token(s, start);
	return true;
}

static bool is_white(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void skip_whitespace(struct scanner *s)
{
	while (s->at < s->len && is_white(s->text[s->at]))
		s->at++;
}

/* Numbers, words and whatever else is not punctuation. */
static bool scan_word(struct scanner *s)
{
	size_t start = s->at;

	if ((unsigned char)s->text[start] < 0x20)
		return fault(
		    s, start, "control character"); /* yajl skips \f and \v as white space */
	while (s->at < s->len && !strchr("{}[],:\" \t\r\n\f\v", s->text[s->at]))
		s->at++;
	note_token(s, start);
	/* What cannot be a value is not the whole document: yajl names it. */
	s->complete = s->depth == 0 && strchr("-0123456789tfn", s->text[start]);
	return true;
}

static bool open_bracket(struct scanner *s)
{
	if (s->depth == CTR__JSON_MAX_DEPTH)
		return fault(s, s->at, "nested too deeply");
	s->depth++;
	s->at++;
	return true;
}

static void close_bracket(struct scanner *s)
{
	if (s->depth > 0)
		s->depth--;
	s->at++;
}

static bool scan_token(struct scanner *s)
{
	switch (s->text[s->at]) {
	case '"':
		if (!scan_string(s))
			return false;
		break;
	case '{':
	case '[': return open_bracket(s);
	case '}':
	case ']': close_bracket(s); break;
	case ',':
	case ':': s->at++; return true;
	default: return scan_word(s);
	}
	s->complete = s->depth == 0;
	return true;
}

static bool scan_next(struct scanner *s)
{
	skip_whitespace(s);
	if (s->at == s->len)
		return false;
	if (s->complete)
		return fault(s, s->at, "text after the end of the document");
	return scan_token(s);
}

void ctr__json_scan_text(const char *text, size_t len, struct ctr__json_scan *out)
{
	struct scanner s = {.text = text, .len = len, .out = out};
	size_t valid = ctr__utf8_span(text, len);

	*out = (struct ctr__json_scan){0};
	if (valid < len) {
		(void)fault(&s, valid, text[valid] ? "invalid UTF-8" : "NUL byte");
		return;
	}
	while (scan_next(&s))
		;
}
