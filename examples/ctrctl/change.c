/* SPDX-License-Identifier: Apache-2.0 */
/* The commands that change what a container is, and clear up. */
#include "ctrctl.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int cmd_rename(struct app *app, int argc, char **argv)
{
	ctr_container_t *c = NULL;
	ctr_error_t *err = NULL;
	int r;

	if (argc != 3)
		return usage_error(app, "a container and its new name are needed");
	r = ctr_container_lookup(app->rt, argv[1], &c, &err);
	if (r >= 0)
		r = ctr_container_rename(c, argv[2], &err);
	ctr_container_unref(c);
	return r < 0 ? report(app, argv[1], &err) : 0;
}

static int do_refresh(ctr_container_t *c, void *userdata, ctr_error_t **err)
{
	(void)userdata;
	return ctr_container_refresh(c, err);
}

int cmd_refresh(struct app *app, int argc, char **argv)
{
	(void)argc;
	return for_each_target(app, argv + 1, do_refresh, NULL, true);
}

/* ---- update ---- */

/* A limit: where it is in the resources. */
static const struct limit {
	const char *option, *group, *member;
	bool is_size;
} limits[] = {
    {"memory", "memory", "limit", true},
    {"memory-reservation", "memory", "reservation", true},
    {"memory-swap", "memory", "swap", true},
    {"cpu-shares", "cpu", "shares", false},
    {"cpu-quota", "cpu", "quota", false},
    {"cpu-period", "cpu", "period", false},
    {"pids-limit", "pids", "limit", false},
};
enum { N_LIMITS = sizeof limits / sizeof *limits, MAX_ENV = 64 };

struct change {
	struct ctr_update_opts opts;
	int64_t value[N_LIMITS];
	bool given[N_LIMITS];
	char resources[1024];
	const char *env[MAX_ENV + 1], *unset[MAX_ENV + 1];
	size_t env_n, unset_n;
};

/* {"memory":{"limit":1,"swap":2},"pids":{"limit":3}} */
static void write_resources(struct change *ch)
{
	const char *group = "";
	size_t len = 0;

	for (size_t i = 0; i < N_LIMITS; i++) {
		bool same = strcmp(group, limits[i].group) == 0;

		if (!ch->given[i])
			continue;
		if (same)
			len += (size_t)sprintf(ch->resources + len, ",");
		else
			len += (size_t)sprintf(ch->resources + len, "%s\"%s\":{",
			    *group ? "}," : "{", limits[i].group);
		len += (size_t)sprintf(
		    ch->resources + len, "\"%s\":%lld", limits[i].member, (long long)ch->value[i]);
		group = limits[i].group;
	}
	if (!*group)
		return;
	sprintf(ch->resources + len, "}}");
	ch->opts.resources = ch->resources;
}

/* POLICY or on-failure:N */
static bool set_restart(struct change *ch, char *text)
{
	char *colon = strchr(text, ':');

	if (colon) {
		*colon = '\0';
		if (!parse_number(colon + 1, &ch->opts.restart_retries))
			return false;
	}
	ch->opts.restart_policy = text;
	return true;
}

static bool take(struct change *ch, int o, char *value)
{
	switch (o) {
	case 'e': return ch->env_n < MAX_ENV && (ch->env[ch->env_n++] = value);
	case 'u': return ch->unset_n < MAX_ENV && (ch->unset[ch->unset_n++] = value);
	case 'r': return set_restart(ch, value);
	default: break;
	}
	o -= 1000;
	if (o < 0 || o >= N_LIMITS)
		return false;
	ch->given[o] = true;
	if (limits[o].is_size && strcmp(value, "-1") != 0)
		return parse_size(value, &ch->value[o]);
	return parse_number(value, &ch->value[o]);
}

static int do_update(ctr_container_t *c, void *change, ctr_error_t **err)
{
	return ctr_container_update(c, &((struct change *)change)->opts, err);
}

int cmd_update(struct app *app, int argc, char **argv)
{
	struct option options[N_LIMITS + 4] = {{"env", required_argument, NULL, 'e'},
	    {"unsetenv", required_argument, NULL, 'u'}, {"restart", required_argument, NULL, 'r'}};
	struct change ch = {.opts = {.size = sizeof ch.opts}};
	int o, which;

	for (int i = 0; i < N_LIMITS; i++)
		options[3 + i] =
		    (struct option){limits[i].option, required_argument, NULL, 1000 + i};
	while ((o = getopt_long(argc, argv, "+:", options, &which)) != -1) {
		if (o == '?' || o == ':')
			return option_error(app, o, argv);
		if (!take(&ch, o, optarg))
			return usage_error(
			    app, "--%s: '%s' makes no sense", options[which].name, optarg);
	}
	write_resources(&ch);
	ch.opts.env = ch.env;
	ch.opts.env_unset = ch.unset;
	return for_each_target(app, argv + optind, do_update, &ch, true);
}

/* ---- clearing up ---- */

static int print_pruned(struct app *app, const ctr_pruned_t *p)
{
	int code = 0;

	for (size_t i = 0; i < ctr_pruned_count(p); i++) {
		if (!ctr_pruned_error(p, i)) {
			printf("%s\n", ctr_pruned_id(p, i));
			continue;
		}
		fprintf(stderr, "ctrctl: %s %s: %s\n", app->command, ctr_pruned_id(p, i),
		    ctr_pruned_message(p, i));
		code = EXIT_LIBRARY;
	}
	return code;
}

int cmd_prune(struct app *app, int argc, char **argv)
{
	static const struct option options[] = {{"filter", required_argument, NULL, 'f'}, {0}};
	const char *filters[MAX_ENV + 1] = {NULL};
	ctr_pruned_t *p = NULL;
	ctr_error_t *err = NULL;
	size_t n = 0;
	int o, code;

	while ((o = getopt_long(argc, argv, "+:", options, NULL)) != -1) {
		if (o != 'f')
			return option_error(app, o, argv);
		if (n == MAX_ENV)
			return usage_error(app, "more than %d filters", MAX_ENV);
		filters[n++] = optarg;
	}
	if (optind < argc)
		return usage_error(app, "'%s' is too much", argv[optind]);
	if (ctr_runtime_prune(app->rt, filters, 0, &p, &err) < 0)
		return report(app, NULL, &err);
	code = print_pruned(app, p);
	ctr_pruned_free(p);
	return code;
}

int cmd_evict(struct app *app, int argc, char **argv)
{
	int code = 0;

	if (argc < 2)
		return usage_error(app, "no container is named");
	for (int i = 1; i < argc; i++) {
		char *id = NULL;
		ctr_error_t *err = NULL;

		if (ctr_runtime_evict(app->rt, argv[i], 0, &id, &err) >= 0)
			printf("%s\n", id);
		else
			code = report(app, argv[i], &err);
		ctr_free(id);
	}
	return code;
}
