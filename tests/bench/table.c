/* SPDX-License-Identifier: Apache-2.0 */
/* The table: rows travel from the sections as lines of tab-separated fields. */
#include "bench.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MARK "row\t"

void emit(struct row r)
{
	if (!want(r.id))
		return;
	printf(MARK "%s\t%s\t%d\t%d\t%.6g\t%.6g\t%.6g\t%.6g\t%s\n", r.id, r.what, (int)r.unit,
	    (int)r.rule, r.ours, r.floor, r.limit, r.peer, r.note && *r.note ? r.note : "-");
	fflush(stdout);
}

void emit_note(struct row r, const char *format, ...)
{
	char note[512];
	va_list args;

	va_start(args, format);
	vsnprintf(note, sizeof(note), format, args);
	va_end(args);
	r.note = note;
	emit(r);
}

/* ---- printing ---- */

static void scaled(char *buf, size_t size, double v, const char *const *names, double step)
{
	size_t i = 0;

	while (v >= step && names[i + 1]) {
		v /= step;
		i++;
	}
	snprintf(buf, size, v < 10 ? "%.2f %s" : v < 100 ? "%.1f %s" : "%.0f %s", v, names[i]);
}

static void format_value(char *buf, size_t size, enum unit unit, double v)
{
	static const char *const times[] = {"ns", "us", "ms", "s", NULL};
	static const char *const sizes[] = {"B", "KiB", "MiB", "GiB", NULL};

	if (unit == UNIT_NS)
		scaled(buf, size, v, times, 1000);
	else if (unit == UNIT_BYTES)
		scaled(buf, size, v, sizes, 1024);
	else
		snprintf(buf, size, unit == UNIT_RATE ? "%.1f/s" : "%.4g", v);
}

static void format_target(char *buf, size_t size, const struct row *r)
{
	char v[24];

	format_value(v, sizeof(v), r->unit, r->limit);
	if (r->rule == RULE_MAX)
		snprintf(buf, size, "<= %s", v);
	else if (r->rule == RULE_NONE)
		snprintf(buf, size, "-");
	else
		snprintf(buf, size, "%s %.3gx", r->rule == RULE_RATIO_MAX ? "<=" : ">=", r->limit);
}

static bool meets(const struct row *r)
{
	switch (r->rule) {
	case RULE_RATIO_MAX: return r->floor > 0 && r->ours <= r->limit * r->floor;
	case RULE_RATIO_MIN: return r->floor > 0 && r->ours >= r->limit * r->floor;
	case RULE_MAX: return r->ours <= r->limit;
	default: return true;
	}
}

#define COLUMNS "%-14s %-50s %10s %10s %7s %10s %-5s %s\n"

void print_heading(void)
{
	printf(COLUMNS, "row", "what", "libctr", "floor", "ratio", "target", "", "podman");
	printf(COLUMNS, "---", "----", "------", "-----", "-----", "------", "", "------");
	fflush(stdout);
}

static bool parse(char *line, struct row *r)
{
	char *field[9], *p = line + strlen(MARK);
	size_t n = 0;

	line[strcspn(line, "\n")] = '\0';
	while (n < 9 && p)
		field[n++] = strsep(&p, "\t");
	if (n != 9)
		return false;
	*r = (struct row){.id = field[0],
	    .what = field[1],
	    .unit = (enum unit)atoi(field[2]),
	    .rule = (enum rule)atoi(field[3]),
	    .ours = atof(field[4]),
	    .floor = atof(field[5]),
	    .limit = atof(field[6]),
	    .peer = atof(field[7]),
	    .note = field[8]};
	return true;
}

bool print_row(char *line)
{
	char ours[32], low[32] = "-", ratio[32] = "-", target[32], peer[64] = "-";
	struct row r;
	bool good;

	if (strncmp(line, MARK, strlen(MARK)) != 0 || !parse(line, &r)) {
		fputs(line, stderr);
		return true;
	}
	good = meets(&r);
	format_value(ours, sizeof(ours), r.unit, r.ours);
	if (r.floor > 0) {
		format_value(low, sizeof(low), r.unit, r.floor);
		snprintf(ratio, sizeof(ratio), "%.2fx", r.ours / r.floor);
	}
	format_target(target, sizeof(target), &r);
	if (r.peer > 0) {
		char v[32];

		format_value(v, sizeof(v), r.unit, r.peer);
		snprintf(peer, sizeof(peer), "%s (%.3gx)", v,
		    r.unit == UNIT_RATE ? r.ours / r.peer : r.peer / r.ours);
	}
	printf(COLUMNS, r.id, r.what, ours, low, ratio, target,
	    r.rule == RULE_NONE ? ""
	    : good              ? "pass"
	                        : "MISS",
	    peer);
	if (strcmp(r.note, "-") != 0)
		printf("%-14s   %s\n", "", r.note);
	fflush(stdout);
	return good;
}
