/* SPDX-License-Identifier: Apache-2.0 */
/* events: what happened, and with --follow what happens. */
#include "ctrctl.h"

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

struct events {
	bool follow, json;
	int64_t since_ns;
	const char *filters[65]; /* NULL-terminated */
	size_t filters_n;
};

/* "2026-01-31 10:00:00.123456789 died 0123456789ab (web, exit code 0)" */
static void print_event(const ctr_event_t *ev)
{
	int32_t type = ctr_event_type(ev), code;

	if (type == CTR_EVENT_LOST) {
		printf("... %llu events were missed\n", (unsigned long long)ctr_event_count(ev));
		return;
	}
	print_time(stdout, ctr_event_time_ns(ev));
	printf(" %s", ctr_event_name(type));
	if (*ctr_event_container_id(ev))
		printf(" %.12s (%s", ctr_event_container_id(ev), ctr_event_container_name(ev));
	if (ctr_event_signal(ev))
		printf(", signal %d", ctr_event_signal(ev));
	if (ctr_event_exit_code(ev, &code) == 1)
		printf(", exit code %d%s", code, ctr_event_oom_killed(ev) ? ", out of memory" : "");
	printf("%s\n", *ctr_event_container_id(ev) ? ")" : "");
}

static int show(const ctr_event_t *ev, const struct events *e, ctr_error_t **err)
{
	char *json = NULL;
	int r;

	if (!e->json) {
		print_event(ev);
		return 0;
	}
	r = ctr_event_to_json(ev, &json, NULL, err);
	if (r >= 0)
		printf("%s\n", json);
	ctr_free(json);
	return r;
}

/* All that have happened up to now. */
static int show_pending(struct app *app, const struct events *e, ctr_error_t **err)
{
	ctr_event_t *ev = NULL;
	int r;

	while ((r = ctr_runtime_next_event(app->rt, &ev, err)) > 0) {
		r = show(ev, e, err);
		ctr_event_unrefp(&ev);
		if (r < 0)
			break;
	}
	if (fflush(stdout) != 0 && r >= 0)
		return ctr_error_set(err, CTR_E_SYSTEM, errno, "cannot write to standard output");
	return r;
}

/* Until somebody asks us to end. */
static int attend(struct app *app, const struct events *e, ctr_error_t **err)
{
	sigset_t ends;
	struct pollfd p[2] = {{.events = POLLIN}, {.events = POLLIN}};
	int r;

	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	p[0].fd = signalfd(-1, &ends, SFD_CLOEXEC);
	p[1].fd = ctr_runtime_events_fd(app->rt, err); /* the runtime's */
	if (p[1].fd < 0)
		return p[1].fd;
	while ((r = show_pending(app, e, err)) >= 0 && !p[0].revents)
		while (poll(p, 2, -1) < 0 && errno == EINTR) {
		}
	close(p[0].fd);
	return r;
}

static int parse(struct app *app, int argc, char **argv, struct events *e)
{
	static const struct option options[] = {{"follow", no_argument, NULL, 'f'},
	    {"filter", required_argument, NULL, 'F'}, {"since", required_argument, NULL, 's'},
	    {"format", required_argument, NULL, 'j'}, {0}};
	int o;

	while ((o = getopt_long(argc, argv, "+f", options, NULL)) != -1) {
		if (o == 'f')
			e->follow = true;
		else if (o == 'F' && e->filters_n < 64)
			e->filters[e->filters_n++] = optarg;
		else if (o == 'F')
			return usage_error(app, "more than 64 filters");
		else if (o == 's' && !parse_time(optarg, &e->since_ns))
			return usage_error(app, "'%s' is no time", optarg);
		else if (o == 'j' && !parse_format(optarg, &e->json))
			return usage_error(app, "'%s' is no format; table and json are", optarg);
		else if (o == '?')
			return usage_error(app, "wrong option '%s'", argv[optind - 1]);
	}
	if (argv[optind])
		return usage_error(app, "takes no argument, but got '%s'", argv[optind]);
	return 0;
}

int cmd_events(struct app *app, int argc, char **argv)
{
	struct events e = {.since_ns = -1};
	ctr_error_t *err = NULL;
	int wrong = parse(app, argc, argv, &e), r;

	if (wrong)
		return wrong;
	r = ctr_runtime_events_filter(app->rt, e.filters, &err);
	/* Who does not follow wants to see what there is. */
	if (r >= 0 && (e.since_ns >= 0 || !e.follow))
		r = ctr_runtime_events_rewind(app->rt, e.since_ns >= 0 ? e.since_ns : 0, &err);
	if (r >= 0)
		r = e.follow ? attend(app, &e, &err) : show_pending(app, &e, &err);
	return r < 0 ? report(app, NULL, &err) : 0;
}
