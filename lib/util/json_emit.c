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

void ctr__emit_i64(struct ctr__buf *out, const char *key, int64_t n)
{
	begin(out, key);
	ctr__buf_addf(out, "%lld", (long long)n);
}

void ctr__emit_u64(struct ctr__buf *out, const char *key, uint64_t n)
{
	begin(out, key);
	ctr__buf_addf(out, "%llu", (unsigned long long)n);
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
