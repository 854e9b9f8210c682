/* SPDX-License-Identifier: Apache-2.0 */
/* JSON written straight into a buffer. */
#include "util/json_emit.h"

#include "util/clock.h"

/* Every value ends in a quote, a bracket, a digit or a letter; so what was written last tells whether a comma
 * is due. */
static void begin(struct ctr__buf *out, const char *key)
{
	char last = out->len ? out->data[out->len - 1] : '[';

	if (last != '{' && last != '[')
		ctr__buf_addc(out, ',');
	if (key) {
		ctr__json_write_string(key, strlen(key), out);
		ctr__buf_addc(out, ':');
	}
}

void ctr__emit_object(struct ctr__buf *out, const char *key)
{
	begin(out, key);
	ctr__buf_addc(out, '{');
}

void ctr__emit_object_end(struct ctr__buf *out)
{
	ctr__buf_addc(out, '}');
}

void ctr__emit_array(struct ctr__buf *out, const char *key)
{
	begin(out, key);
	ctr__buf_addc(out, '[');
}

void ctr__emit_array_end(struct ctr__buf *out)
{
	ctr__buf_addc(out, ']');
}

void ctr__emit_null(struct ctr__buf *out, const char *key)
{
	begin(out, key);
	ctr__buf_adds(out, "null");
}

void ctr__emit_bool(struct ctr__buf *out, const char *key, bool b)
{
	begin(out, key);
	ctr__buf_adds(out, b ? "true" : "false");
}

/* Without printf: a document has dozens of numbers, and they would be a third of its cost. */
static void add_number(struct ctr__buf *out, bool negative, uint64_t n)
{
	char text[24];
	size_t at = sizeof(text);

	do {
		text[--at] = (char)('0' + n % 10);
		n /= 10;
	} while (n);
	if (negative)
		text[--at] = '-';
	ctr__buf_add(out, text + at, sizeof(text) - at);
}

void ctr__emit_i64(struct ctr__buf *out, const char *key, int64_t n)
{
	begin(out, key);
	add_number(out, n < 0, n < 0 ? 0 - (uint64_t)n : (uint64_t)n);
}

void ctr__emit_u64(struct ctr__buf *out, const char *key, uint64_t n)
{
	begin(out, key);
	add_number(out, false, n);
}

void ctr__emit_str(struct ctr__buf *out, const char *key, const char *s)
{
	begin(out, key);
	ctr__json_write_string(s ? s : "", s ? strlen(s) : 0, out);
}

void ctr__emit_time(struct ctr__buf *out, const char *key, int64_t ns)
{
	char text[CTR__RFC3339_MAX];

	ctr__rfc3339_format(ns, text);
	ctr__emit_str(out, key, text);
}

void ctr__emit_json(struct ctr__buf *out, const char *key, const struct ctr__json *v)
{
	begin(out, key);
	ctr__json_write(v, false, out);
}

void ctr__emit_text(struct ctr__buf *out, const char *key, const char *json, size_t len)
{
	begin(out, key);
	ctr__buf_add(out, json, len);
}

void ctr__emit_some_str(struct ctr__buf *out, const char *key, const char *s)
{
	if (s && *s)
		ctr__emit_str(out, key, s);
}

void ctr__emit_some_bool(struct ctr__buf *out, const char *key, bool b)
{
	if (b)
		ctr__emit_bool(out, key, true);
}

void ctr__emit_some_i64(struct ctr__buf *out, const char *key, int64_t n)
{
	if (n)
		ctr__emit_i64(out, key, n);
}
