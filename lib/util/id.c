/* SPDX-License-Identifier: Apache-2.0 */
/* IDs and names of containers. */
#include "util/id.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "util/id_words.h"

static int fill_random(unsigned char *out, size_t len, ctr_error_t **err)
{
	while (len > 0) {
		ssize_t n = getrandom(out, len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ctr__fail_errno(err, errno, NULL, "get random bytes");
		out += n;
		len -= (size_t)n;
	}
	return 0;
}

int ctr__id_random(char out[CTR__ID_HEX + 1], ctr_error_t **err)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char bytes[CTR__ID_HEX / 2];
	int rc = fill_random(bytes, sizeof(bytes), err);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < sizeof(bytes); i++) {
		out[2 * i] = digits[bytes[i] >> 4];
		out[2 * i + 1] = digits[bytes[i] & 15];
	}
	out[CTR__ID_HEX] = '\0';
	return 0;
}

int ctr__name_random(char *out, size_t size, unsigned int salt, ctr_error_t **err)
{
	unsigned char pick[2];
	char number[16] = "";
	int rc = fill_random(pick, sizeof(pick), err), len;

	if (rc < 0)
		return rc;
	if (salt > 0)
		(void)snprintf(number, sizeof(number), "%u", salt);
	len = snprintf(
	    out, size, "%s_%s%s", adjectives[pick[0] % WORDS], nouns[pick[1] % WORDS], number);
	if (len < 0 || (size_t)len >= size)
		return ctr__fail(
		    err, CTR_E_INTERNAL, "no room for a random name in %zu bytes", size);
	return 0;
}

/* Not isalnum(): that one depends on the locale. */
static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool valid(const char *s, size_t max)
{
	size_t len = 0;

	if (!s || !is_alnum(s[0]))
		return false;
	while (is_alnum(s[len]) || s[len] == '_' || s[len] == '.' || s[len] == '-') {
		if (++len > max)
			return false;
	}
	return s[len] == '\0';
}

bool ctr__id_valid(const char *id)
{
	return valid(id, CTR__ID_MAX);
}

bool ctr__name_valid(const char *name)
{
	return valid(name, CTR__NAME_MAX);
}
