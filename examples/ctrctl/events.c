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
	bool ends; /* some time, by a filter */
	int64_t since_ns;
	char until[64];          /* "until=TIME", or empty */
	const char *filters[66]; /* NULL-terminated; room for until, too */
	size_t filters_n;
};

/* "2026-01-31 10:00:00.123456789 died 0123456789ab (web, exit code 0)"; of a pod: "pod stop ..." */
static void print_event(const ctr_event_t *ev)
{
	int32_t type = ctr_event_type(ev), code;

	if (type == CTR_EVENT_LOST) {
		printf("... %llu events were missed\n", (unsigned long long)ctr_event_count(ev));
		return;
	}
	print_time(stdout, ctr_event_time_ns(ev));
	if (ctr_event_object(ev) == CTR_EVENT_OBJECT_POD)
		printf(" pod");
	printf(" %s", ctr_event_name(type));
	if (*ctr_event_container_id(ev))
		printf(" %.12s (%s", ctr_event_container_id(ev), ctr_event_container_name(ev));
	if (ctr_event_signal(ev))
		printf(", signal %d", ctr_event_signal(ev));
	if (type == CTR_EVENT_HEALTH_STATUS)
		printf(", %s", ctr_event_health_status(ev));
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

/* All that have happened up to now. Returns 1 if no more will come. */
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
	if (r == CTR_E_TIMEOUT) {
		/* The time of --until has passed. */
		ctr_error_freep(err);
		r = 1;
	}
	if (fflush(stdout) != 0 && r >= 0)
		return ctr_error_set(err, CTR_E_SYSTEM, errno, "cannot write to standard output");
	return r;
}

/* Until somebody asks us to end, or the last moment has come. */
static int attend(struct app *app, const struct events *e, ctr_error_t **err)
{
	int timeout_ms = e->ends ? 200 : -1; /* nothing else tells that it has */
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
	while ((r = show_pending(app, e, err)) == 0 && !p[0].revents)
		while (poll(p, 2, timeout_ms) < 0 && errno == EINTR) {
		}
	close(p[0].fd);
	return r;
}

static int parse(struct app *app, int argc, char **argv, struct events *e)
{
	static const struct option options[] = {{"follow", no_argument, NULL, 'f'},
	    {"filter", required_argument, NULL, 'F'}, {"since", required_argument, NULL, 's'},
	    {"until", required_argument, NULL, 'u'}, {"format", required_argument, NULL, 'j'}, {0}};
	int o;

	while ((o = getopt_long(argc, argv, "+:f", options, NULL)) != -1) {
		if (o == 'f')
			e->follow = true;
		else if (o == 'F' && e->filters_n < 64)
			e->filters[e->filters_n++] = optarg;
		else if (o == 'F')
			return usage_error(app, "more than 64 filters");
		else if (o == 's' && !parse_time(optarg, &e->since_ns))
			return usage_error(app, "'%s' is no time", optarg);
		else if (o == 'u' && (size_t)snprintf(e->until, sizeof e->until, "until=%s",
		                         optarg) >= sizeof e->until)
			return usage_error(app, "'%s' is no time", optarg);
		else if (o == 'j' && !parse_format(optarg, &e->json))
			return usage_error(app, "'%s' is no format; table and json are", optarg);
		else if (o == '?' || o == ':')
			return option_error(app, o, argv);
	}
	if (argv[optind])
		return usage_error(app, "takes no argument, but got '%s'", argv[optind]);
	if (*e->until)
		e->filters[e->filters_n++] = e->until;
	for (size_t i = 0; i < e->filters_n; i++)
		e->ends |= strncmp(e->filters[i], "until=", 6) == 0;
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
