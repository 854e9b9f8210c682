/* SPDX-License-Identifier: Apache-2.0 */
/* The commands that only look. */
#include "ctrctl.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct ps {
	bool all, full, quiet, json;
	const char *filters[65]; /* NULL-terminated */
	size_t filters_n;
};

/* "3 minutes ago" */
static const char *age(int64_t ns, char *text, size_t size)
{
	static const struct {
		const char *name;
		int64_t seconds;
	} units[] = {{"day", 86400}, {"hour", 3600}, {"minute", 60}, {"second", 1}};
	int64_t seconds = time(NULL) - ns / 1000000000;

	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		int64_t n = seconds / units[i].seconds;
		if (n > 0) {
			snprintf(text, size, "%lld %s%s ago", (long long)n, units[i].name,
			    n == 1 ? "" : "s");
			return text;
		}
	}
	return "now";
}

static void print_row(const ctr_list_t *list, size_t i, const struct ps *ps)
{
	char created[40], pid[16] = "-";

	if (ps->quiet) {
		printf("%.*s\n", ps->full ? -1 : 12, ctr_list_id(list, i));
		return;
	}
	if (ctr_list_pid(list, i) > 0)
		snprintf(pid, sizeof pid, "%d", ctr_list_pid(list, i));
	printf("%-*.*s  %-20s %-11s %-8s %-16s %.*s\n", ps->full ? 64 : 12, ps->full ? -1 : 12,
	    ctr_list_id(list, i), ctr_list_name(list, i), ctr_state_name(ctr_list_state(list, i)),
	    pid, age(ctr_list_created_ns(list, i), created, sizeof created), ps->full ? -1 : 30,
	    ctr_list_command(list, i));
}

static void print_number(const char *key, int64_t n)
{
	print_key(key);
	printf("%lld, ", (long long)n);
}

static void print_text(const char *key, const char *text)
{
	print_key(key);
	print_json(text);
	printf(", ");
}

/* Times are nanoseconds since 1970, 0 = never. */
static void print_object(const ctr_list_t *list, size_t i, bool first)
{
	printf("%s  {", first ? "" : ",\n");
	print_text("Id", ctr_list_id(list, i));
	print_text("Name", ctr_list_name(list, i));
	print_text("Image", ctr_list_image(list, i));
	print_text("Command", ctr_list_command(list, i));
	print_text("State", ctr_state_name(ctr_list_state(list, i)));
	print_number("Pid", ctr_list_pid(list, i));
	print_number("ExitCode", ctr_list_exit_code(list, i));
	print_number("Created", ctr_list_created_ns(list, i));
	print_number("StartedAt", ctr_list_started_ns(list, i));
	print_key("FinishedAt");
	printf("%lld}", (long long)ctr_list_finished_ns(list, i));
}

static bool is_active(int32_t state)
{
	return state == CTR_STATE_RUNNING || state == CTR_STATE_PAUSED ||
	       state == CTR_STATE_STOPPING;
}

static int ps_options(struct app *app, int argc, char **argv, struct ps *ps)
{
	static const struct option options[] = {{"all", no_argument, NULL, 'a'},
	    {"filter", required_argument, NULL, 'f'}, {"no-trunc", no_argument, NULL, 'n'},
	    {"format", required_argument, NULL, 'j'}, {"quiet", no_argument, NULL, 'q'}, {0}};
	int o;

	while ((o = getopt_long(argc, argv, "+:af:q", options, NULL)) != -1) {
		switch (o) {
		case 'a': ps->all = true; break;
		case 'n': ps->full = true; break;
		case 'q': ps->quiet = true; break;
		case 'j':
			if (!parse_format(optarg, &ps->json))
				return usage_error(
				    app, "'%s' is no format; table and json are", optarg);
			break;
		case 'f':
			if (ps->filters_n == 64)
				return usage_error(app, "more than 64 filters");
			ps->filters[ps->filters_n++] = optarg;
			break;
		default: return option_error(app, o, argv);
		}
	}
	if (argv[optind])
		return usage_error(app, "takes no argument, but got '%s'", argv[optind]);
	return 0;
}

/* Who filters has said what to show. */
static void show_list(const ctr_list_t *list, const struct ps *ps)
{
	size_t shown = 0;

	if (ps->json)
		printf("[\n");
	else if (!ps->quiet)
		printf("%-*s  %-20s %-11s %-8s %-16s %s\n", ps->full ? 64 : 12, "ID", "NAME",
		    "STATE", "PID", "CREATED", "COMMAND");
	for (size_t i = 0; i < ctr_list_count(list); i++) {
		if (!ps->all && ps->filters_n == 0 && !is_active(ctr_list_state(list, i)))
			continue;
		if (ps->json)
			print_object(list, i, shown == 0);
		else
			print_row(list, i, ps);
		shown++;
	}
	if (ps->json)
		printf("%s]\n", shown ? "\n" : "");
}

int cmd_ps(struct app *app, int argc, char **argv)
{
	struct ps ps = {0};
	ctr_list_t *list = NULL;
	ctr_error_t *err = NULL;
	int wrong = ps_options(app, argc, argv, &ps);

	if (wrong)
		return wrong;
	if (ctr_runtime_list(app->rt, ps.filters, 0, &list, &err) < 0)
		return report(app, NULL, &err);
	show_list(list, &ps);
	ctr_list_free(list);
	return 0;
}

static int do_inspect(ctr_container_t *c, void *userdata, ctr_error_t **err)
{
	ctr_state_t *state = NULL;
	char *json = NULL;
	int r = ctr_container_snapshot(c, &state, err);

	(void)userdata;
	if (r >= 0)
		r = ctr_state_to_json(state, &json, NULL, err);
	if (r >= 0)
		printf("%s\n", json);
	ctr_free(json);
	ctr_state_free(state);
	return r;
}

int cmd_inspect_state(struct app *app, int argc, char **argv)
{
	(void)argc;
	return for_each_target(app, argv + 1, do_inspect, NULL, false);
}
