/* SPDX-License-Identifier: Apache-2.0 */
/* Columns of a list of processes: podman's words, titles and forms. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/top.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define NS_PER_S INT64_C(1000000000)

/* major numbers of devices (Documentation/admin-guide/devices.txt) */
#define MAJOR_TTY      4
#define MAJOR_CONSOLE  5
#define MAJOR_PTS      136
#define MAJOR_PTS_LAST 143
#define FIRST_SERIAL   64

const char *const ctr__top_default_columns[] = {
    "user", "pid", "ppid", "pcpu", "etime", "tty", "time", "args", NULL};

/* ---- texts ---- */

/* How many bytes at the start may be shown. U+0080 to U+009F are control characters, too. */
static size_t shown_span(const char *s, size_t len)
{
	size_t valid = ctr__utf8_span(s, len), n = 0;

	while (n < valid) {
		unsigned char c = (unsigned char)s[n];

		if (c < 0x20 || c == 0x7f ||
		    (c == 0xc2 && (unsigned char)s[n + 1] >= 0x80 &&
		        (unsigned char)s[n + 1] < 0xa0))
			break;
		n++;
	}
	return n;
}

void ctr__top_print_text(const char *s, size_t len, struct ctr__buf *out)
{
	while (len > 0) {
		size_t n = shown_span(s, len);

		ctr__buf_add(out, s, n);
		s += n;
		len -= n;
		if (len == 0)
			return;
		ctr__buf_addc(out, '?');
		/* The second byte of such a control character belongs to it. */
		n = len > 1 && (unsigned char)*s == 0xc2 && ctr__utf8_span(s, 2) == 2 ? 2 : 1;
		s += n;
		len -= n;
	}
}

static void print_fraction(int64_t value, int64_t unit, const char *name, struct ctr__buf *out)
{
	char digits[24];
	size_t len;

	ctr__buf_addf(out, "%" PRId64, value / unit);
	/* "1" + fraction keeps its leading zeros. */
	(void)snprintf(digits, sizeof(digits), "%" PRId64, unit + value % unit);
	len = strlen(digits);
	while (len > 1 && digits[len - 1] == '0')
		len--;
	if (len > 1)
		ctr__buf_addc(out, '.');
	ctr__buf_add(out, digits + 1, len - 1);
	ctr__buf_adds(out, name);
}

void ctr__top_print_duration(int64_t ns, struct ctr__buf *out)
{
	if (ns <= 0) {
		ctr__buf_adds(out, "0s");
	} else if (ns < 1000) {
		print_fraction(ns, 1, "ns", out);
	} else if (ns < 1000000) {
		print_fraction(ns, 1000, "\xc2\xb5s", out);
	} else if (ns < NS_PER_S) {
		print_fraction(ns, 1000000, "ms", out);
	} else {
		int64_t minutes = ns / NS_PER_S / 60;

		if (minutes >= 60)
			ctr__buf_addf(out, "%" PRId64 "h", minutes / 60);
		if (minutes > 0)
			ctr__buf_addf(out, "%" PRId64 "m", minutes % 60);
		print_fraction(ns % (60 * NS_PER_S), NS_PER_S, "s", out);
	}
}

/* ---- what a process is ---- */

const struct ctr__proc_info *ctr__top_find(const struct ctr__top_look *l, pid_t pid)
{
	size_t low = 0, high = l->sorted;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (l->v[middle].pid == pid)
			return &l->v[middle];
		if (l->v[middle].pid < pid)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static int64_t ticks_ns(const struct ctr__top_look *l, uint64_t ticks)
{
	int64_t ns;

	if (ticks > INT64_MAX || __builtin_mul_overflow((int64_t)ticks, l->tick_ns, &ns))
		return INT64_MAX;
	return ns;
}

static int64_t cpu_ns(const struct ctr__top_look *l, const struct ctr__proc_info *p)
{
	return ticks_ns(l, p->utime + p->stime);
}

static int64_t elapsed_ns(const struct ctr__top_look *l, const struct ctr__proc_info *p)
{
	int64_t start = ticks_ns(l, p->start);

	return start < l->boot_ns ? l->boot_ns - start : 0;
}

static void add_user(const struct ctr__users *u, uint32_t uid, struct ctr__buf *out)
{
	struct ctr__passwd entry;

	if (ctr__users_passwd(u, NULL, uid, &entry) && entry.name.len)
		ctr__top_print_text(entry.name.p, entry.name.len, out);
	else
		ctr__buf_addf(out, "%" PRIu32, uid);
}

static void add_group(const struct ctr__users *u, uint32_t gid, struct ctr__buf *out)
{
	struct ctr__users_text name;

	if (ctr__users_group(u, NULL, gid, NULL, &name) && name.len)
		ctr__top_print_text(name.p, name.len, out);
	else
		ctr__buf_addf(out, "%" PRIu32, gid);
}

/* ---- columns ---- */

#define CELL(name)                \
	static void print_##name( \
	    const struct ctr__top_look *l, const struct ctr__proc_info *p, struct ctr__buf *out)

CELL(args)
{
	size_t len = p->cmdline_len;

	(void)l;
	while (len > 0 && p->cmdline[len - 1] == '\0')
		len--;
	if (len == 0) {
		ctr__buf_addc(out, '[');
		ctr__top_print_text(p->comm, strlen(p->comm), out);
		ctr__buf_addc(out, ']');
		return;
	}
	for (size_t at = 0; at < len;) {
		size_t n = strnlen(p->cmdline + at, len - at);

		ctr__top_print_text(p->cmdline + at, n, out);
		at += n + 1;
		if (at < len)
			ctr__buf_addc(out, ' ');
	}
}

CELL(comm)
{
	(void)l;
	ctr__top_print_text(p->comm, strlen(p->comm), out);
}

CELL(etime)
{
	ctr__top_print_duration(elapsed_ns(l, p), out);
}

CELL(time)
{
	ctr__top_print_duration(cpu_ns(l, p), out);
}

CELL(pcpu)
{
	int64_t elapsed = elapsed_ns(l, p);
	double share = elapsed > 0 ? 100.0 * (double)cpu_ns(l, p) / (double)elapsed : 0;
	int64_t thousandths = (int64_t)(share * 1000 + 0.5);

	/* Not printf's %f: the host's locale may have a comma. */
	ctr__buf_addf(out, "%" PRId64 ".%03d", thousandths / 1000, (int)(thousandths % 1000));
}

CELL(stime)
{
	char text[CTR__RFC3339_MAX];

	ctr__rfc3339_format((l->now_ns - elapsed_ns(l, p)) / NS_PER_S * NS_PER_S, text);
	ctr__buf_adds(out, text);
}

CELL(user)
{
	add_user(&l->users, p->inside_uid, out);
}

CELL(group)
{
	add_group(&l->users, p->inside_gid, out);
}

CELL(huser)
{
	add_user(&l->host_users, p->uid, out);
}

CELL(hgroup)
{
	add_group(&l->host_users, p->gid, out);
}

CELL(pid)
{
	(void)l;
	ctr__buf_addf(out, "%d", (int)p->inside_pid);
}

CELL(hpid)
{
	(void)l;
	ctr__buf_addf(out, "%d", (int)p->pid);
}

/* 0: the parent is outside. */
CELL(ppid)
{
	const struct ctr__proc_info *parent = ctr__top_find(l, p->ppid);

	ctr__buf_addf(out, "%d", parent ? (int)parent->inside_pid : 0);
}

CELL(pgid)
{
	(void)l;
	ctr__buf_addf(out, "%d", (int)p->inside_pgid);
}

CELL(nice)
{
	(void)l;
	ctr__buf_addf(out, "%d", p->nice);
}

CELL(rss)
{
	(void)l;
	ctr__buf_addf(out, "%" PRIu64, p->rss);
}

CELL(vsz)
{
	(void)l;
	ctr__buf_addf(out, "%" PRIu64, p->vsz);
}

CELL(state)
{
	(void)l;
	ctr__top_print_text(&p->state, 1, out);
}

CELL(label)
{
	(void)l;
	if (p->label && *p->label)
		ctr__top_print_text(p->label, strlen(p->label), out);
	else
		ctr__buf_addc(out, '?');
}

CELL(tty)
{
	uint32_t major = p->tty >> 8 & 0xfff, minor = (p->tty & 0xff) | (p->tty >> 12 & 0xfff00);

	(void)l;
	if (major >= MAJOR_PTS && major <= MAJOR_PTS_LAST)
		ctr__buf_addf(out, "pts/%" PRIu32, minor + (major - MAJOR_PTS) * 256);
	else if (major == MAJOR_TTY && minor < FIRST_SERIAL)
		ctr__buf_addf(out, "tty%" PRIu32, minor);
	else if (major == MAJOR_TTY)
		ctr__buf_addf(out, "ttyS%" PRIu32, minor - FIRST_SERIAL);
	else if (major == MAJOR_CONSOLE && minor == 1)
		ctr__buf_adds(out, "console");
	else
		ctr__buf_addc(out, '?');
}

const struct ctr__top_column *ctr__top_column(const char *name)
{
	static const struct ctr__top_column columns[] = {
	    {"args", "COMMAND", print_args},
	    {"comm", "COMMAND", print_comm},
	    {"etime", "ELAPSED", print_etime},
	    {"group", "GROUP", print_group},
	    {"hgroup", "HGROUP", print_hgroup},
	    {"hpid", "HPID", print_hpid},
	    {"huser", "HUSER", print_huser},
	    {"label", "LABEL", print_label},
	    {"nice", "NI", print_nice},
	    {"pcpu", "%CPU", print_pcpu},
	    {"pgid", "PGID", print_pgid},
	    {"pid", "PID", print_pid},
	    {"ppid", "PPID", print_ppid},
	    {"rss", "RSS", print_rss},
	    {"state", "STATE", print_state},
	    {"stime", "STIME", print_stime},
	    {"time", "TIME", print_time},
	    {"tty", "TTY", print_tty},
	    {"user", "USER", print_user},
	    {"vsz", "VSZ", print_vsz},
	};

	for (size_t i = 0; i < CTR__ARRAY_SIZE(columns); i++)
		if (strcmp(columns[i].name, name) == 0)
			return &columns[i];
	return NULL;
}
