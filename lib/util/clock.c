/* SPDX-License-Identifier: Apache-2.0 */
/* Time. The calendar is computed here: the time zone functions of libc depend on the environment. */
#include "util/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define NS_PER_SEC   INT64_C(1000000000)
#define SEC_PER_DAY  INT64_C(86400)
#define GO_ZERO      INT64_C(-62135596800) /* 0001-01-01T00:00:00Z in seconds */
#define GO_ZERO_TEXT "0001-01-01T00:00:00Z"

static int64_t read_clock(clockid_t id)
{
	struct timespec ts = {0};

	(void)clock_gettime(id, &ts); /* cannot fail for these two */
	return (int64_t)ts.tv_sec * NS_PER_SEC + ts.tv_nsec;
}

int64_t ctr__now_ns(void)
{
	return read_clock(CLOCK_REALTIME);
}

int64_t ctr__monotonic_ns(void)
{
	return read_clock(CLOCK_BOOTTIME);
}

/* Days between 1970-01-01 and a date of the proleptic Gregorian calendar. Years are counted from March, so
 * that the leap day is the last one; an era is 400 years. */
static int64_t days_from_civil(int64_t year, int month, int day)
{
	int64_t y = year - (month <= 2) + 400; /* + one era: never negative */
	int64_t era = y / 400 - 1;
	int64_t year_of_era = y % 400;
	int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 +
	       day_of_year - 719468;
}

/* The inverse, for days that fit into int64_t nanoseconds (years 1677 to 2262). */
static void civil_from_days(int64_t days, int *year, int *month, int *day)
{
	int64_t d = days + 719468;
	int64_t era = d / 146097;
	int64_t day_of_era = d % 146097;
	int64_t year_of_era =
	    (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day_of_year =
	    day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t month_from_march = (5 * day_of_year + 2) / 153;

	*day = (int)(day_of_year - (153 * month_from_march + 2) / 5 + 1);
	*month = (int)(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
	*year = (int)(era * 400 + year_of_era + (*month <= 2));
}

/* ".5" for half a second, "" for none. */
static void format_fraction(char out[11], int nanos)
{
	size_t len = 0;

	if (nanos > 0)
		out[len++] = '.';
	for (int scale = 100000000; nanos > 0; scale /= 10) {
		out[len++] = (char)('0' + nanos / scale);
		nanos %= scale;
	}
	out[len] = '\0';
}

void ctr__rfc3339_format(int64_t ns, char out[CTR__RFC3339_MAX])
{
	int64_t seconds = ns / NS_PER_SEC, days, second;
	int nanos = (int)(ns % NS_PER_SEC), year, month, day;
	char fraction[11];

	if (ns == 0) {
		memcpy(out, GO_ZERO_TEXT, sizeof(GO_ZERO_TEXT));
		return;
	}
	if (nanos < 0) {
		nanos += (int)NS_PER_SEC;
		seconds--;
	}
	days = seconds / SEC_PER_DAY;
	second = seconds % SEC_PER_DAY;
	if (second < 0) {
		second += SEC_PER_DAY;
		days--;
	}
	civil_from_days(days, &year, &month, &day);
	format_fraction(fraction, nanos);
	(void)snprintf(out, CTR__RFC3339_MAX, "%04d-%02d-%02dT%02d:%02d:%02d%sZ", year, month, day,
	    (int)(second / 3600), (int)(second / 60 % 60), (int)(second % 60), fraction);
}

static bool take_char(const char **s, char c)
{
	if (**s != c)
		return false;
	(*s)++;
	return true;
}

/* Exactly `digits` digits, between min and max. */
static bool take_number(const char **s, int digits, int min, int max, int *out)
{
	int n = 0;

	for (int i = 0; i < digits; i++, (*s)++) {
		if (**s < '0' || **s > '9')
			return false;
		n = n * 10 + (**s - '0');
	}
	*out = n;
	return n >= min && n <= max;
}

static int days_in_month(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

static bool take_date(const char **s, int64_t *seconds)
{
	int year, month, day;

	if (!take_number(s, 4, 0, 9999, &year) || !take_char(s, '-') ||
	    !take_number(s, 2, 1, 12, &month) || !take_char(s, '-') ||
	    !take_number(s, 2, 1, days_in_month(year, month), &day))
		return false;
	*seconds = days_from_civil(year, month, day) * SEC_PER_DAY;
	return true;
}

static bool take_time(const char **s, int64_t *seconds)
{
	int hour, minute, second;

	if (!take_number(s, 2, 0, 23, &hour) || !take_char(s, ':') ||
	    !take_number(s, 2, 0, 59, &minute) || !take_char(s, ':') ||
	    !take_number(s, 2, 0, 59, &second))
		return false;
	*seconds += hour * 3600 + minute * 60 + second;
	return true;
}

static bool take_fraction(const char **s, int *nanos)
{
	int scale = 100000000;

	*nanos = 0;
	if (!take_char(s, '.'))
		return true;
	if (**s < '0' || **s > '9')
		return false;
	for (; **s >= '0' && **s <= '9'; (*s)++, scale /= 10)
		*nanos += (**s - '0') * scale;
	return true;
}

static bool take_offset(const char **s, int64_t *seconds)
{
	bool west = **s == '-';
	int hour, minute, offset;

	if (take_char(s, 'Z'))
		return true;
	if (!west && **s != '+')
		return false;
	(*s)++;
	if (!take_number(s, 2, 0, 23, &hour) || !take_char(s, ':') ||
	    !take_number(s, 2, 0, 59, &minute))
		return false;
	offset = hour * 3600 + minute * 60;
	*seconds += west ? offset : -offset;
	return true;
}

/* False if it does not fit. For times before 1970 both steps round down, so that the smallest value works. */
static bool to_ns(int64_t seconds, int nanos, int64_t *ns)
{
	if (seconds < 0 && nanos > 0) {
		seconds++;
		nanos -= (int)NS_PER_SEC;
	}
	return !__builtin_mul_overflow(seconds, NS_PER_SEC, ns) &&
	       !__builtin_add_overflow(*ns, nanos, ns);
}

bool ctr__rfc3339_parse(const char *s, int64_t *ns)
{
	int64_t seconds, result;
	int nanos;

	if (!s || !take_date(&s, &seconds) || !take_char(&s, 'T') || !take_time(&s, &seconds) ||
	    !take_fraction(&s, &nanos) || !take_offset(&s, &seconds) || *s)
		return false;
	if (seconds == GO_ZERO && nanos == 0)
		result = 0;
	else if (!to_ns(seconds, nanos, &result))
		return false;
	*ns = result;
	return true;
}
