/* SPDX-License-Identifier: Apache-2.0 */
/* logs: what a container has printed, and with --follow what it prints. */
#include "ctrctl.h"

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>

struct wish {
	struct ctr_logs_opts o;
	bool times;
};

static int parse(struct app *app, int argc, char **argv, struct wish *w)
{
	static const struct option options[] = {{"follow", no_argument, NULL, 'f'},
	    {"tail", required_argument, NULL, 'n'}, {"since", required_argument, NULL, 's'},
	    {"until", required_argument, NULL, 'u'}, {"timestamps", no_argument, NULL, 't'}, {0}};
	int64_t n;
	int o;

	while ((o = getopt_long(argc, argv, "+:fn:t", options, NULL)) != -1) {
		if (o == 'f')
			w->o.flags |= CTR_LOGS_FOLLOW;
		else if (o == 't')
			w->times = true;
		else if (o == 'n' && parse_number(optarg, &n) && n >= 0) {
			w->o.flags |= CTR_LOGS_TAIL;
			w->o.tail = (uint64_t)n;
		} else if (o == 'n')
			return usage_error(app, "'%s' is not a number of lines", optarg);
		else if ((o == 's' && !parse_time(optarg, &w->o.since_ns)) ||
		         (o == 'u' && !parse_time(optarg, &w->o.until_ns)))
			return usage_error(app, "'%s' is no time", optarg);
		else if (o == '?' || o == ':')
			return option_error(app, o, argv);
	}
	if (!argv[optind])
		return usage_error(app, "which container?");
	if (argv[optind + 1])
		return usage_error(app, "reads one log at a time");
	return 0;
}

static void print_line(const ctr_logs_t *l, bool times)
{
	FILE *to = ctr_logs_stream(l) == CTR_LOGS_STREAM_STDERR ? stderr : stdout;
	size_t len;
	const char *text = ctr_logs_text(l, &len);

	if (times) {
		print_time(to, ctr_logs_time_ns(l));
		fputc(' ', to);
	}
	fwrite(text, 1, len, to);
	if (!ctr_logs_is_partial(l))
		fputc('\n', to);
}

static int no_output(ctr_error_t **err)
{
	return ctr_error_set(err, CTR_E_SYSTEM, errno, "cannot write to standard output");
}

/* All that is there. */
static int print_lines(ctr_logs_t *l, bool times, ctr_error_t **err)
{
	int r;

	while ((r = ctr_logs_next(l, err)) == CTR_LOGS_LINE) {
		print_line(l, times);
		if (ferror(stdout))
			return no_output(err);
	}
	return fflush(stdout) != 0 && r >= 0 ? no_output(err) : r;
}

/* Until the container ends. Signals do what they do by default, also while nobody takes what is printed. */
static int attend(ctr_logs_t *l, bool times, ctr_error_t **err)
{
	struct pollfd p = {.fd = ctr_logs_fd(l, err), .events = POLLIN};
	int r = p.fd;

	while (r >= 0 && (r = print_lines(l, times, err)) == CTR_LOGS_AGAIN) {
		while (poll(&p, 1, -1) < 0 && errno == EINTR)
			;
	}
	return r;
}

int cmd_logs(struct app *app, int argc, char **argv)
{
	struct wish w = {.o = {.size = sizeof w.o}};
	ctr_container_t *c = NULL;
	ctr_logs_t *l = NULL;
	ctr_error_t *err = NULL;
	int r, code = parse(app, argc, argv, &w);

	if (code != 0)
		return code;
	r = ctr_container_lookup(app->rt, argv[optind], &c, &err);
	if (r >= 0)
		r = ctr_container_logs(c, &w.o, &l, &err);
	if (r >= 0)
		r = w.o.flags & CTR_LOGS_FOLLOW ? attend(l, w.times, &err)
		                                : print_lines(l, w.times, &err);
	if (r < 0)
		code = report(app, argv[optind], &err);
	ctr_logs_free(l);
	ctr_container_unref(c);
	return code;
}
