/* SPDX-License-Identifier: Apache-2.0 */
/* One line of the format that conmon calls k8s-file. */
#include <string.h>

#include "log/source.h"
#include "util/clock.h"

static bool parse_time(struct ctr__log_clock *clock, const char *text, size_t len, int64_t *ns)
{
	if (len == 0 || len >= sizeof(clock->text))
		return false;
	if (len != clock->len || memcmp(text, clock->text, len) != 0) {
		clock->len = 0;
		memcpy(clock->text, text, len);
		clock->text[len] = '\0';
		if (strlen(clock->text) != len || !ctr__rfc3339_parse(clock->text, &clock->ns))
			return false;
		clock->len = len;
	}
	*ns = clock->ns;
	return true;
}

static bool is_word(const char *p, size_t len, const char *word)
{
	return len == strlen(word) && memcmp(p, word, len) == 0;
}

static bool parse_stream(const char *p, size_t len, int32_t *stream)
{
	if (is_word(p, len, "stdout"))
		*stream = CTR__LOG_STDOUT;
	else if (is_word(p, len, "stderr"))
		*stream = CTR__LOG_STDERR;
	else
		return false;
	return true;
}

/* The CRI has more tags behind colons, none of which is of interest. */
static bool parse_tags(const char *p, size_t len, bool *more)
{
	if (len == 0 || (len > 1 && p[1] != ':') || (*p != 'P' && *p != 'F'))
		return false;
	*more = *p == 'P';
	return true;
}

bool ctr__log_parse_k8s(
    struct ctr__log_clock *clock, char *line, size_t len, struct ctr__log_piece *out)
{
	char *end = line + len;
	char *a = memchr(line, ' ', len);
	char *b = a ? memchr(a + 1, ' ', (size_t)(end - a - 1)) : NULL;
	char *c = b ? memchr(b + 1, ' ', (size_t)(end - b - 1)) : NULL;

	if (!c || !parse_tags(b + 1, (size_t)(c - b - 1), &out->more) ||
	    !parse_stream(a + 1, (size_t)(b - a - 1), &out->stream) ||
	    !parse_time(clock, line, (size_t)(a - line), &out->time_ns))
		return false;
	out->data = c + 1;
	out->len = (size_t)(end - c - 1);
	return true;
}
