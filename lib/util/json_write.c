/* SPDX-License-Identifier: Apache-2.0 */
/* JSON values as text. Only what must be escaped is, so that a text that was read comes out the same. */
#include "util/json_internal.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

static void write_control(unsigned char c, struct ctr__buf *out)
{
	switch (c) {
	case '\b': ctr__buf_adds(out, "\\b"); break;
	case '\f': ctr__buf_adds(out, "\\f"); break;
	case '\n': ctr__buf_adds(out, "\\n"); break;
	case '\r': ctr__buf_adds(out, "\\r"); break;
	case '\t': ctr__buf_adds(out, "\\t"); break;
	default: ctr__buf_addf(out, "\\u%04x", c);
	}
}

/* All of `s` is valid UTF-8. */
static void write_valid(const char *s, size_t len, struct ctr__buf *out)
{
	size_t start = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		ctr__buf_add(out, s + start, i - start);
		start = i + 1;
		if (c < 0x20) {
			write_control(c, out);
		} else {
			ctr__buf_addc(out, '\\');
			ctr__buf_addc(out, s[i]);
		}
	}
	ctr__buf_add(out, s + start, len - start);
}

/* Is it ASCII that needs no escape? Most is. */
static bool is_plain(const char *s, size_t len)
{
	size_t i = 0;

	while (i < len && (signed char)s[i] >= ' ' && s[i] != '"' && s[i] != '\\')
		i++;
	return i == len;
}

void ctr__json_write_string(const char *s, size_t len, struct ctr__buf *out)
{
	ctr__buf_addc(out, '"');
	if (is_plain(s, len)) {
		ctr__buf_add(out, s, len);
		ctr__buf_addc(out, '"');
		return;
	}
	for (size_t at = 0; at < len; at++) {
		size_t valid = ctr__utf8_span(s + at, len - at);

		write_valid(s + at, valid, out);
		at += valid;
		if (at < len)
			ctr__buf_adds(out, s[at] ? REPLACEMENT : "\\u0000");
	}
	ctr__buf_addc(out, '"');
}

struct writer {
	struct ctr__buf *out;
	bool pretty;
	unsigned int depth;
};

static void newline(struct writer *w)
{
	if (!w->pretty)
		return;
	ctr__buf_addc(w->out, '\n');
	for (unsigned int i = 0; i < w->depth; i++)
		ctr__buf_adds(w->out, "  ");
}

static void write_value(struct writer *w, const struct ctr__json *v);

static void write_children(struct writer *w, const struct ctr__json *v)
{
	if (w->depth == CTR__JSON_MAX_DEPTH) {
		w->out->failed = true;
		return;
	}
	w->depth++;
	CTR__JSON_EACH (child, v) {
		if (child != v->first)
			ctr__buf_addc(w->out, ',');
		newline(w);
		if (v->type == CTR__JSON_OBJECT) {
			ctr__json_write_string(child->key, strlen(child->key), w->out);
			ctr__buf_adds(w->out, w->pretty ? ": " : ":");
		}
		write_value(w, child);
	}
	w->depth--;
	if (v->first)
		newline(w);
}

static void write_value(struct writer *w, const struct ctr__json *v)
{
	switch (v->type) {
	case CTR__JSON_NULL: ctr__buf_adds(w->out, "null"); break;
	case CTR__JSON_BOOL: ctr__buf_adds(w->out, v->boolean ? "true" : "false"); break;
	case CTR__JSON_NUMBER: ctr__buf_add(w->out, v->text, v->len); break;
	case CTR__JSON_STRING: ctr__json_write_string(v->text, v->len, w->out); break;
	case CTR__JSON_ARRAY:
		ctr__buf_addc(w->out, '[');
		write_children(w, v);
		ctr__buf_addc(w->out, ']');
		break;
	case CTR__JSON_OBJECT:
		ctr__buf_addc(w->out, '{');
		write_children(w, v);
		ctr__buf_addc(w->out, '}');
		break;
	}
}

void ctr__json_write(const struct ctr__json *v, bool pretty, struct ctr__buf *out)
{
	struct writer w = {.out = out, .pretty = pretty};

	if (v)
		write_value(&w, v);
	else
		ctr__buf_adds(out, "null");
}
