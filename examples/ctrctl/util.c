/* SPDX-License-Identifier: Apache-2.0 */
/* Errors and arguments. */
#include "ctrctl.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int exit_code_of(int32_t code)
{
	switch (code) {
	case CTR_E_OCI_NOT_FOUND: return EXIT_NOT_FOUND;
	case CTR_E_OCI_PERMISSION: return EXIT_NOT_INVOCABLE;
	default: return EXIT_LIBRARY;
	}
}

int report(struct app *app, const char *what, ctr_error_t **err)
{
	const char *message = ctr_error_message(*err);
	const char *state = ctr_error_get(*err, "state");
	const char *theirs = ctr_error_get(*err, "oci.stderr");
	int code = exit_code_of(ctr_error_code(*err));

	fprintf(
	    stderr, "ctrctl: %s%s%s: %s", app->command, what ? " " : "", what ? what : "", message);
	if (state && !strstr(message, state))
		fprintf(stderr, " (state %s)", state);
	fputc('\n', stderr);
	/* What the OCI runtime printed helps most when something inside the container is wrong. */
	if (theirs && *theirs && !strstr(message, theirs))
		fprintf(stderr, "ctrctl: the runtime said: %s\n", theirs);
	ctr_error_freep(err);
	return code;
}

int usage_error(struct app *app, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "ctrctl: %s%s", app->command ? app->command : "", app->command ? ": " : "");
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\nTry: ctrctl help%s%s\n", app->command ? " " : "",
	    app->command ? app->command : "");
	return EXIT_LIBRARY;
}

int option_error(struct app *app, int o, char **argv)
{
	const char *word = argv[optind - 1];
	char letter[] = {'-', (char)optopt, '\0'};

	/* Of letters that share a word it is only one. */
	if (strncmp(word, "--", 2) != 0 && optopt > ' ' && optopt <= '~')
		word = letter;
	if (o == ':')
		return usage_error(app, "option '%s' needs a value", word);
	return usage_error(app, "wrong option '%s'", word);
}

static int one_target(
    struct app *app, const char *name, target_fn fn, void *userdata, bool print_name)
{
	ctr_container_t *c = NULL;
	ctr_error_t *err = NULL;
	int r = ctr_container_lookup(app->rt, name, &c, &err);

	if (r >= 0)
		r = fn(c, userdata, &err);
	ctr_container_unref(c);
	if (r < 0)
		return report(app, name, &err);
	if (print_name)
		printf("%s\n", name);
	return 0;
}

int for_each_target(struct app *app, char **names, target_fn fn, void *userdata, bool print_name)
{
	int first = 0;

	if (!*names)
		return usage_error(app, "which container?");
	for (; *names; names++) {
		int code = one_target(app, *names, fn, userdata, print_name);
		if (first == 0)
			first = code;
	}
	return first;
}

bool parse_number(const char *text, int64_t *number)
{
	char *end;

	errno = 0;
	*number = strtoll(text, &end, 10);
	return errno == 0 && end != text && !*end;
}

bool parse_format(const char *text, bool *json)
{
	*json = strcmp(text, "json") == 0;
	return *json || strcmp(text, "table") == 0;
}

/* What the library gives is UTF-8. */
void print_json(const char *text)
{
	putchar('"');
	for (; text && *text; text++) {
		if (*text == '"' || *text == '\\')
			printf("\\%c", *text);
		else if ((unsigned char)*text < 0x20)
			printf("\\u%04x", *text);
		else
			putchar(*text);
	}
	putchar('"');
}

void print_key(const char *key)
{
	print_json(key);
	printf(": ");
}

bool parse_size(const char *text, int64_t *bytes)
{
	static const char units[] = "bkmgt";
	char *end;
	const char *unit;
	int64_t n;

	errno = 0;
	n = strtoll(text, &end, 10);
	if (errno || end == text || n < 0)
		return false;
	unit = *end ? strchr(units, *end | 0x20) : units;
	if (!unit || (*end && end[1]))
		return false;
	return !__builtin_mul_overflow(n, INT64_C(1) << (10 * (unit - units)), bytes);
}

bool parse_signal(const char *text, int32_t *sig)
{
	int64_t n;

	if (parse_number(text, &n)) {
		*sig = n >= 1 && n <= 64 ? (int32_t)n : 0;
		return *sig != 0;
	}
	if (strncasecmp(text, "SIG", 3) == 0)
		text += 3;
	for (int i = 1; i < 65; i++) {
		const char *name = sigabbrev_np(i);
		if (name && strcasecmp(name, text) == 0) {
			*sig = i;
			return true;
		}
	}
	return false;
}

bool parse_time(const char *text, int64_t *ns)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
	size_t len = strlen(text);
	char number[32];
	int64_t n;

	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		if (len < 2 || len >= sizeof number || text[len - 1] != units[i].unit)
			continue;
		snprintf(number, sizeof number, "%.*s", (int)len - 1, text);
		if (!parse_number(number, &n) || n < 0 || n > INT32_MAX)
			return false;
		*ns = ((int64_t)time(NULL) - n * units[i].seconds) * 1000000000;
		return true;
	}
	if (!parse_number(text, &n) || n < 0 || n > INT64_MAX / 1000000000)
		return false;
	*ns = n * 1000000000;
	return true;
}

void print_time(FILE *to, int64_t ns)
{
	time_t seconds = ns / 1000000000;
	char text[40];
	struct tm tm;

	localtime_r(&seconds, &tm);
	strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &tm);
	fprintf(to, "%s.%09lld", text, (long long)(ns % 1000000000));
}
