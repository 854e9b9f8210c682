/* SPDX-License-Identifier: Apache-2.0 */
/* Any detach keys, any input, cut anywhere: what is passed on is what a naive search says. The first byte is the number of
 * bytes of the keys' text, the second one says where to cut. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "stream/stream.h"
#include "util/cleanup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

/* Where the keys first are; `size` if they are not. */
static size_t find(const struct ctr__detach *d, const uint8_t *data, size_t size)
{
	for (size_t i = 0; d->len && i + d->len <= size; i++)
		if (memcmp(data + i, d->keys, d->len) == 0)
			return i;
	return size;
}

static void feed(struct ctr__detach *d, const uint8_t *in, size_t size, unsigned cut)
{
	size_t expected = find(d, in, size), at = 0, got = 0;
	bool pressed = false;

	while (!pressed && at < size) {
		size_t len = 1 + cut % 13, n = 0;
		unsigned char *out;

		if (len > size - at)
			len = size - at;
		/* Exact sizes, so that a sanitizer sees a byte too many. */
		out = malloc(len + CTR__DETACH_MAX);
		require(out != NULL);
		pressed = ctr__detach_feed(d, in + at, len, out, &n);
		require(n <= len + CTR__DETACH_MAX && got + n <= size);
		require(memcmp(out, in + got, n) == 0);
		/* Held back is only what could still become the keys. */
		require(pressed || at + len - got - n < (d->len ? d->len : 1U));
		free(out);
		got += n;
		at += len;
		cut = cut * 5 + 3;
	}
	if (!pressed) {
		unsigned char rest[CTR__DETACH_MAX];
		size_t n = ctr__detach_flush(d, rest);

		require(got + n == size && memcmp(rest, in + got, n) == 0);
		got += n;
	}
	require(pressed == (expected < size));
	require(got == expected);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CTR__ERROR ctr_error_t *err = NULL;
	CTR__FREE char *text = NULL;
	struct ctr__detach d;
	size_t keys;

	if (size < 2)
		return 0;
	keys = data[0] < size - 2 ? data[0] : size - 2;
	text = malloc(keys + 1); /* strndup() may look further */
	require(text != NULL);
	memcpy(text, data + 2, keys);
	text[keys] = '\0';
	if (ctr__detach_parse(text, &d, &err) < 0) {
		require(ctr_error_code(err) == CTR_E_INVALID);
		return 0;
	}
	feed(&d, data + 2 + keys, size - 2 - keys, data[1]);
	return 0;
}
