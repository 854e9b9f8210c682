/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Detach keys: a sequence looked for anywhere in the input. What may be its beginning is held back until it is known not to
 * be; it is always a prefix of the keys, so its length is all that has to be remembered (Knuth, Morris, Pratt).
 */
#include "stream/stream.h"

#include <string.h>

#define DEFAULT_KEYS "ctrl-p,ctrl-q"

/* ---- the syntax of Docker and podman ---- */

/* The code of one word, or -1. */
static int code_of(const char *word, size_t len)
{
	static const char prefix[] = "ctrl-";
	const size_t n = sizeof(prefix) - 1;

	if (len == 1)
		return (unsigned char)word[0];
	if (len == 3 && memcmp(word, "DEL", 3) == 0)
		return 127;
	if (len != n + 1 || memcmp(word, prefix, n) != 0)
		return -1;
	if ((word[n] >= 'a' && word[n] <= 'z') || (word[n] && strchr("@[\\]^_", word[n])))
		return word[n] & 0x1f;
	return -1;
}

static int bad(ctr_error_t **err, const char *text, const char *why)
{
	ctr__fail(err, CTR_E_INVALID, "detach keys \"%s\": %s", text, why);
	ctr__error_detail(err, "field", "detach_keys");
	return CTR_E_INVALID;
}

/* How much of the keys is still matched when the one behind the first `n` is not what came. */
static void find_overlaps(struct ctr__detach *d)
{
	uint8_t n = 0;

	d->overlap[0] = 0;
	for (uint8_t i = 1; i < d->len; i++) {
		while (n && d->keys[i] != d->keys[n])
			n = d->overlap[n - 1];
		if (d->keys[i] == d->keys[n])
			n++;
		d->overlap[i] = n;
	}
}

int ctr__detach_parse(const char *text, struct ctr__detach *d, ctr_error_t **err)
{
	const char *word = text ? text : DEFAULT_KEYS;

	memset(d, 0, sizeof(*d));
	if (!*word)
		return 0;
	for (;;) {
		size_t len = strcspn(word, ",");
		int code = code_of(word, len);

		if (code < 0)
			return bad(err, text, "there is no such key");
		if (d->len == CTR__DETACH_MAX)
			return bad(err, text, "too many");
		d->keys[d->len++] = (unsigned char)code;
		if (!word[len])
			break;
		word += len + 1;
	}
	find_overlaps(d);
	return 0;
}

/* ---- the machine ---- */

struct sink {
	unsigned char *data;
	size_t len;
};

static void put(struct sink *s, const unsigned char *data, size_t len)
{
	if (len)
		memcpy(s->data + s->len, data, len);
	s->len += len;
}

/* One byte. True: that was the last of the keys. */
static bool step(struct ctr__detach *d, unsigned char c, struct sink *out)
{
	while (d->matched && d->keys[d->matched] != c) {
		uint8_t rest = d->overlap[d->matched - 1];

		put(out, d->keys, (size_t)(d->matched - rest));
		d->matched = rest;
	}
	if (d->keys[d->matched] == c)
		return ++d->matched == d->len;
	put(out, &c, 1);
	return false;
}

bool ctr__detach_feed(
    struct ctr__detach *d, const unsigned char *in, size_t len, unsigned char *out, size_t *out_len)
{
	struct sink sink = {.data = out};
	bool pressed = false;
	size_t i = 0;

	while (!pressed && i < len) {
		if (!d->matched) {
			const unsigned char *first =
			    d->len ? memchr(in + i, d->keys[0], len - i) : NULL;
			size_t plain = first ? (size_t)(first - (in + i)) : len - i;

			put(&sink, in + i, plain);
			i += plain;
		}
		if (i < len)
			pressed = step(d, in[i++], &sink);
	}
	if (pressed)
		d->matched = 0;
	*out_len = sink.len;
	return pressed;
}

size_t ctr__detach_flush(struct ctr__detach *d, unsigned char out[CTR__DETACH_MAX])
{
	size_t n = d->matched;

	memcpy(out, d->keys, n);
	d->matched = 0;
	return n;
}
