/* SPDX-License-Identifier: Apache-2.0 */
/* top and stats: what runs in a container, and what that uses. */
#include "ctrctl.h"

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* ---- top ---- */

/* The last column is not padded: it is the longest. */
static void print_table(const ctr_top_t *t)
{
	size_t cols = ctr_top_columns(t), rows = ctr_top_rows(t);
	int width[64] = {0};

	for (size_t c = 0; c < cols && c < 64; c++) {
		width[c] = (int)strlen(ctr_top_title(t, c));
		for (size_t r = 0; r < rows; r++) {
			int n = (int)strlen(ctr_top_cell(t, r, c));
			width[c] = n > width[c] ? n : width[c];
		}
	}
	for (size_t r = 0; r <= rows; r++) {
		for (size_t c = 0; c < cols; c++)
			printf("%-*s%s", c + 1 < cols && c < 64 ? width[c] : 0,
			    r ? ctr_top_cell(t, r - 1, c) : ctr_top_title(t, c),
			    c + 1 < cols ? "  " : "\n");
	}
}

int cmd_top(struct app *app, int argc, char **argv)
{
	ctr_container_t *c = NULL;
	ctr_top_t *t = NULL;
	ctr_error_t *err = NULL;
	int code = 0;

	if (argc < 2)
		return usage_error(app, "which container?");
	if (ctr_container_lookup(app->rt, argv[1], &c, &err) < 0 ||
	    ctr_container_top(c, argc > 2 ? (const char *const *)argv + 2 : NULL, &t, &err) < 0)
		code = report(app, argv[1], &err);
	else
		print_table(t);
	ctr_top_free(t);
	ctr_container_unref(c);
	return code;
}

/* ---- stats ---- */

struct wish {
	bool stream, json;
	int64_t interval_ms;
};

static void print_object(const ctr_stats_t *s)
{
	uint64_t value;

	printf("{\"Id\": \"%s\"", ctr_stats_container_id(s));
	for (int32_t what = 1; ctr_stats_name(what); what++) {
		if (ctr_stats_value(s, what, &value) == 1)
			printf(", \"%s\": %llu", ctr_stats_name(what), (unsigned long long)value);
	}
	printf("}\n");
}

/* "12.3M" */
static const char *human(const ctr_stats_t *s, int32_t what, char text[16])
{
	static const char units[] = "BKMGTPE";
	uint64_t value;
	double n;
	int i = 0;

	if (ctr_stats_value(s, what, &value) != 1)
		return "-";
	for (n = (double)value; n >= 1000 && units[i + 1]; i++)
		n /= 1024;
	snprintf(text, 16, i ? "%.1f%c" : "%.0f%c", n, units[i]);
	return text;
}

static void print_pair(const ctr_stats_t *s, int32_t one, int32_t two)
{
	char a[16], b[16], both[40];

	snprintf(both, sizeof both, "%s / %s", human(s, one, a), human(s, two, b));
	printf("%-20s", both);
}

static void print_row(const ctr_stats_t *s)
{
	uint64_t share = 0, pids = 0;

	ctr_stats_value(s, CTR_STATS_CPU_PERMYRIAD, &share);
	ctr_stats_value(s, CTR_STATS_PIDS, &pids);
	printf("%.12s  %6.2f%%  ", ctr_stats_container_id(s), (double)share / 100);
	print_pair(s, CTR_STATS_MEMORY_BYTES, CTR_STATS_MEMORY_LIMIT);
	print_pair(s, CTR_STATS_NET_RX_BYTES, CTR_STATS_NET_TX_BYTES);
	print_pair(s, CTR_STATS_BLOCK_READ_BYTES, CTR_STATS_BLOCK_WRITE_BYTES);
	printf("%llu\n", (unsigned long long)pids);
}

static void print_stats(const ctr_stats_t *s, const struct wish *w)
{
	if (w->json)
		print_object(s);
	else
		print_row(s);
	fflush(stdout);
}

/* The container's end is the end. */
static int over(int r, ctr_error_t **err)
{
	if (r != CTR_E_CTR_STATE && r != CTR_E_CTR_STOPPED && r != CTR_E_CTR_REMOVED)
		return r;
	ctr_error_freep(err);
	return 0;
}

static int stream(ctr_container_t *c, const struct wish *w, ctr_error_t **err)
{
	ctr_stats_stream_t *readings = NULL;
	ctr_stats_t *s = NULL;
	struct pollfd p[2] = {{.events = POLLIN}, {.events = POLLIN}};
	sigset_t ends;
	int r = ctr_container_stats_stream(c, w->interval_ms, &readings, err);

	if (r < 0)
		return r;
	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	p[0].fd = signalfd(-1, &ends, SFD_CLOEXEC);
	p[1].fd = ctr_stats_stream_fd(readings);
	while (!p[0].revents && !ferror(stdout) &&
	       (r = ctr_stats_stream_next(readings, &s, err)) >= 0) {
		if (r > 0)
			print_stats(s, w);
		ctr_stats_freep(&s);
		while (poll(p, 2, -1) < 0 && errno == EINTR)
			;
	}
	close(p[0].fd);
	ctr_stats_stream_free(readings);
	return r < 0 ? over(r, err) : 0;
}

static int once(ctr_container_t *c, const struct wish *w, ctr_error_t **err)
{
	ctr_stats_t *s = NULL;
	int r = ctr_container_stats(c, &s, err);

	if (r >= 0)
		print_stats(s, w);
	ctr_stats_free(s);
	return r;
}

static int do_stats(ctr_container_t *c, void *userdata, ctr_error_t **err)
{
	const struct wish *w = userdata;

	return w->stream ? stream(c, w, err) : once(c, w, err);
}

int cmd_stats(struct app *app, int argc, char **argv)
{
	static const struct option options[] = {{"interval", required_argument, NULL, 'i'},
	    {"format", required_argument, NULL, 'j'}, {0}};
	struct wish w = {0};
	int64_t seconds;
	int o;

	while ((o = getopt_long(argc, argv, "+:i:", options, NULL)) != -1) {
		if (o == 'i' && parse_number(optarg, &seconds) && seconds > 0 && seconds <= 86400) {
			w.stream = true;
			w.interval_ms = seconds * 1000;
		} else if (o == 'i')
			return usage_error(app, "'%s' is not a number of seconds", optarg);
		else if (o == 'j' && !parse_format(optarg, &w.json))
			return usage_error(app, "'%s' is no format; table and json are", optarg);
		else if (o == '?' || o == ':')
			return option_error(app, o, argv);
	}
	if (w.stream && argv[optind] && argv[optind + 1])
		return usage_error(app, "watches one container at a time");
	if (!w.json && argv[optind])
		printf("%-12s  %7s  %-20s%-20s%-20s%s\n", "ID", "CPU", "MEMORY / LIMIT",
		    "NET IN / OUT", "BLOCK IN / OUT", "PIDS");
	return for_each_target(app, argv + optind, do_stats, &w, false);
}
