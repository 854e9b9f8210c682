/* SPDX-License-Identifier: Apache-2.0 */
/* Points in time as people write them on a command line. */
#include <stdio.h>
#include <string.h>

#include "event/event.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define NS_PER_SEC INT64_C(1000000000)
#define TEXT_MAX   64

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* A time without a zone is UTC: the host's zone is none of a library's business. */
static bool parse_calendar(const char *text, int64_t *ns)
{
	static const char *const endings[] = {"", "Z", ":00Z", "T00:00:00Z"};
	char full[TEXT_MAX];

	for (size_t i = 0; i < CTR__ARRAY_SIZE(endings); i++) {
		int n = snprintf(full, sizeof(full), "%s%s", text, endings[i]);

		if (n > 0 && (size_t)n < sizeof(full) && ctr__rfc3339_parse(full, ns))
			return true;
	}
	return false;
}

/* Digits before the point, and up to nine after it as nanoseconds (more are cut). At least one digit. */
struct decimal {
	int64_t whole;
	int64_t nanos;
};

static bool take_decimal(const char **s, struct decimal *d)
{
	const char *start = *s;
	int64_t scale = NS_PER_SEC / 10;
	size_t digits;

	*d = (struct decimal){0, 0};
	for (; is_digit(**s); (*s)++) {
		if (__builtin_mul_overflow(d->whole, 10, &d->whole) ||
		    __builtin_add_overflow(d->whole, **s - '0', &d->whole))
			return false;
	}
	digits = (size_t)(*s - start);
	if (**s != '.')
		return digits > 0;
	for ((*s)++; is_digit(**s); (*s)++, scale /= 10, digits++)
		d->nanos += (**s - '0') * scale;
	return digits > 0;
}

static bool take_sign(const char **s)
{
	bool minus = **s == '-';

	if (minus || **s == '+')
		(*s)++;
	return minus;
}

static bool parse_seconds(const char *text, int64_t *ns)
{
	bool minus = take_sign(&text);
	struct decimal d;

	if (!take_decimal(&text, &d) || *text || __builtin_mul_overflow(d.whole, NS_PER_SEC, ns) ||
	    __builtin_add_overflow(*ns, d.nanos, ns))
		return false;
	if (minus)
		*ns = -*ns;
	return true;
}

static int64_t take_unit(const char **s)
{
	/* Longer ones first where one begins like another. */
	static const struct {
		const char *word;
		int64_t ns;
	} units[] = {{"ns", 1}, {"us", 1000}, {"\xc2\xb5s", 1000}, {"\xce\xbcs", 1000},
	    {"ms", 1000000}, {"s", NS_PER_SEC}, {"m", 60 * NS_PER_SEC}, {"h", 3600 * NS_PER_SEC}};

	for (size_t i = 0; i < CTR__ARRAY_SIZE(units); i++) {
		if (ctr__starts_with(*s, units[i].word)) {
			*s += strlen(units[i].word);
			return units[i].ns;
		}
	}
	return 0;
}

/* "1h30m", "1.5h", "-250ms". */
static bool parse_duration(const char *text, int64_t *ns)
{
	bool minus = take_sign(&text);

	*ns = 0;
	if (!*text)
		return false;
	while (*text) {
		struct decimal d;
		int64_t unit, part;

		if (!take_decimal(&text, &d))
			return false;
		unit = take_unit(&text);
		if (!unit || __builtin_mul_overflow(d.whole, unit, &part) ||
		    __builtin_add_overflow(part, d.nanos * (unit / 1000) / 1000000, &part) ||
		    __builtin_add_overflow(*ns, part, ns))
			return false;
	}
	if (minus)
		*ns = -*ns;
	return true;
}

bool ctr__moment_parse(const char *text, int64_t now_ns, bool forward, int64_t *ns)
{
	int64_t duration;

	if (parse_calendar(text, ns) || parse_seconds(text, ns))
		return true;
	if (!parse_duration(text, &duration))
		return false;
	return forward ? !__builtin_add_overflow(now_ns, duration, ns)
	               : !__builtin_sub_overflow(now_ns, duration, ns);
}
