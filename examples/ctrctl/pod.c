/* SPDX-License-Identifier: Apache-2.0 */
/* pod create, ps, start, stop, kill, pause, unpause, restart, inspect, rm. */
#include "ctrctl.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_WORDS 64

typedef int (*pod_fn)(ctr_pod_t *pod, void *userdata, ctr_error_t **err);

/* Each container that failed, on a line of its own. */
static void report_failed(const ctr_error_t *err)
{
	const char *failed = ctr_error_get(err, "failed");
	char *ids = failed ? strdup(failed) : NULL, *save = NULL;

	for (char *id = ids ? strtok_r(ids, ",", &save) : NULL; id;
	     id = strtok_r(NULL, ",", &save)) {
		char key[200];

		snprintf(key, sizeof key, "ctr.%s", id);
		fprintf(stderr, "ctrctl:   %.12s: %s\n", id, ctr_error_get(err, key));
	}
	free(ids);
}

static int one_pod(struct app *app, const char *name, pod_fn fn, void *userdata, bool print_name)
{
	ctr_pod_t *pod = NULL;
	ctr_error_t *err = NULL;
	int r = ctr_pod_lookup(app->rt, name, &pod, &err);

	if (r >= 0)
		r = fn(pod, userdata, &err);
	ctr_pod_unref(pod);
	if (r < 0) {
		report_failed(err);
		return report(app, name, &err);
	}
	if (print_name)
		printf("%s\n", name);
	return 0;
}

static int each_pod(struct app *app, char **names, pod_fn fn, void *userdata, bool print_name)
{
	int first = 0;

	if (!*names)
		return usage_error(app, "which pod?");
	for (; *names; names++) {
		int code = one_pod(app, *names, fn, userdata, print_name);
		if (first == 0)
			first = code;
	}
	return first;
}

/* ---- create ---- */

static bool parse_shares(char *text, uint64_t *shares)
{
	static const struct {
		const char *word;
		uint64_t bit;
	} words[] = {{"cgroup", CTR_POD_SHARE_CGROUP}, {"ipc", CTR_POD_SHARE_IPC},
	    {"net", CTR_POD_SHARE_NET}, {"uts", CTR_POD_SHARE_UTS}, {"pid", CTR_POD_SHARE_PID},
	    {"cgroupns", CTR_POD_SHARE_CGROUP_NS}, {"none", CTR_POD_SHARE_NONE}};
	char *save = NULL;

	for (char *w = strtok_r(text, ",", &save); w; w = strtok_r(NULL, ",", &save)) {
		size_t i = 0;

		while (i < sizeof words / sizeof *words && strcmp(words[i].word, w) != 0)
			i++;
		if (i == sizeof words / sizeof *words)
			return false;
		*shares |= words[i].bit;
	}
	return true;
}

static int pod_create(struct app *app, int argc, char **argv)
{
	static const struct option options[] = {{"name", required_argument, NULL, 'n'},
	    {"hostname", required_argument, NULL, 'h'}, {"label", required_argument, NULL, 'l'},
	    {"share", required_argument, NULL, 's'}, {"no-infra", no_argument, NULL, 'i'},
	    {"cgroup-parent", required_argument, NULL, 'c'},
	    {"exit-policy", required_argument, NULL, 'e'},
	    {"restart", required_argument, NULL, 'r'}, {0}};
	struct ctr_pod_opts po = {.size = sizeof po};
	const char *labels[MAX_WORDS + 1] = {NULL};
	ctr_pod_config_t *cfg = NULL;
	ctr_pod_t *pod = NULL;
	ctr_error_t *err = NULL;
	size_t n = 0;
	int o, r;

	while ((o = getopt_long(argc, argv, "+n:l:", options, NULL)) != -1) {
		switch (o) {
		case 'n': po.name = optarg; break;
		case 'h': po.hostname = optarg; break;
		case 'i': po.flags |= CTR_POD_NO_INFRA; break;
		case 'c': po.cgroup_parent = optarg; break;
		case 'e': po.exit_policy = optarg; break;
		case 'r': po.restart_policy = optarg; break;
		case 'l':
			if (n == MAX_WORDS)
				return usage_error(app, "more than %d labels", MAX_WORDS);
			labels[n++] = optarg;
			break;
		case 's':
			if (!parse_shares(optarg, &po.shares))
				return usage_error(app, "wrong list of shares");
			break;
		default: return usage_error(app, "wrong option '%s'", argv[optind - 1]);
		}
	}
	if (argv[optind])
		return usage_error(app, "takes no argument, but got '%s'", argv[optind]);
	po.labels = labels;
	r = ctr_pod_config_new(&po, &cfg, &err);
	if (r >= 0)
		r = ctr_pod_create(app->rt, cfg, 0, &pod, &err);
	if (r >= 0)
		printf("%s\n", ctr_pod_id(pod));
	ctr_pod_unref(pod);
	ctr_pod_config_unref(cfg);
	return r < 0 ? report(app, NULL, &err) : 0;
}

/* ---- ps ---- */

static int pod_ps(struct app *app, int argc, char **argv)
{
	static const struct option options[] = {
	    {"filter", required_argument, NULL, 'f'}, {"quiet", no_argument, NULL, 'q'}, {0}};
	const char *filters[MAX_WORDS + 1] = {NULL};
	ctr_pod_list_t *list = NULL;
	ctr_error_t *err = NULL;
	bool quiet = false;
	size_t n = 0;
	int o;

	while ((o = getopt_long(argc, argv, "+f:q", options, NULL)) != -1) {
		if (o == 'q')
			quiet = true;
		else if (o == 'f' && n < MAX_WORDS)
			filters[n++] = optarg;
		else
			return usage_error(app, "wrong option '%s'", argv[optind - 1]);
	}
	if (ctr_pod_list(app->rt, filters, 0, &list, &err) < 0)
		return report(app, NULL, &err);
	if (!quiet)
		printf(
		    "%-12s  %-20s %-9s %-12s  %s\n", "ID", "NAME", "STATUS", "INFRA", "CONTAINERS");
	for (size_t i = 0; i < ctr_pod_list_count(list); i++) {
		if (quiet)
			printf("%.12s\n", ctr_pod_list_id(list, i));
		else
			printf("%-12.12s  %-20s %-9s %-12.12s  %zu\n", ctr_pod_list_id(list, i),
			    ctr_pod_list_name(list, i),
			    ctr_pod_state_name(ctr_pod_list_status(list, i)),
			    ctr_pod_list_infra(list, i), ctr_pod_list_containers(list, i));
	}
	ctr_pod_list_free(list);
	return 0;
}

/* ---- the operations ---- */

static int do_start(ctr_pod_t *pod, void *userdata, ctr_error_t **err)
{
	(void)userdata;
	return ctr_pod_start(pod, 0, err);
}

static int pod_start(struct app *app, int argc, char **argv)
{
	(void)argc;
	return each_pod(app, argv + 1, do_start, NULL, true);
}

struct timeout {
	int64_t ms;
	uint64_t flags;
};

/* -t SECONDS [-f]; false = wrong. */
static bool timeout_options(int argc, char **argv, const char *known, struct timeout *t)
{
	static const struct option options[] = {
	    {"time", required_argument, NULL, 't'}, {"force", no_argument, NULL, 'f'}, {0}};
	int64_t seconds;
	int o;

	while ((o = getopt_long(argc, argv, known, options, NULL)) != -1) {
		if (o == 't' && parse_number(optarg, &seconds) && seconds >= -1 &&
		    seconds < 1000000)
			t->ms = seconds > 0 ? seconds * 1000 : seconds;
		else if (o == 'f' && strchr(known, 'f'))
			t->flags = CTR_POD_REMOVE_FORCE;
		else
			return false;
		if (o == 't' && seconds == 0)
			t->flags |= CTR_POD_STOP_NOW;
	}
	return true;
}

static int do_stop(ctr_pod_t *pod, void *userdata, ctr_error_t **err)
{
	const struct timeout *t = userdata;

	return ctr_pod_stop(pod, t->ms, t->flags, err);
}

static int pod_stop(struct app *app, int argc, char **argv)
{
	struct timeout t = {0};

	if (!timeout_options(argc, argv, "+t:", &t))
		return usage_error(app, "wrong option");
	return each_pod(app, argv + optind, do_stop, &t, true);
}

static int do_restart(ctr_pod_t *pod, void *userdata, ctr_error_t **err)
{
	return ctr_pod_restart(pod, ((struct timeout *)userdata)->ms, err);
}

static int pod_restart(struct app *app, int argc, char **argv)
{
	struct timeout t = {0};

	if (!timeout_options(argc, argv, "+t:", &t))
		return usage_error(app, "wrong option");
	return each_pod(app, argv + optind, do_restart, &t, true);
}

static int do_remove(ctr_pod_t *pod, void *userdata, ctr_error_t **err)
{
	const struct timeout *t = userdata;

	return ctr_pod_remove(pod, t->ms, t->flags & CTR_POD_REMOVE_FORCE, err);
}

static int pod_rm(struct app *app, int argc, char **argv)
{
	struct timeout t = {0};

	if (!timeout_options(argc, argv, "+t:f", &t))
		return usage_error(app, "wrong option");
	return each_pod(app, argv + optind, do_remove, &t, true);
}

static int do_kill(ctr_pod_t *pod, void *sig, ctr_error_t **err)
{
	return ctr_pod_kill(pod, *(int32_t *)sig, err);
}

static int pod_kill(struct app *app, int argc, char **argv)
{
	static const struct option options[] = {{"signal", required_argument, NULL, 's'}, {0}};
	int32_t sig = SIGKILL;
	int o;

	while ((o = getopt_long(argc, argv, "+s:", options, NULL)) != -1) {
		if (o != 's' || !parse_signal(optarg, &sig))
			return usage_error(app, "wrong option or signal");
	}
	return each_pod(app, argv + optind, do_kill, &sig, true);
}

static int do_pause(ctr_pod_t *pod, void *userdata, ctr_error_t **err)
{
	(void)userdata;
	return ctr_pod_pause(pod, err);
}

static int pod_pause(struct app *app, int argc, char **argv)
{
	(void)argc;
	return each_pod(app, argv + 1, do_pause, NULL, true);
}

static int do_unpause(ctr_pod_t *pod, void *userdata, ctr_error_t **err)
{
	(void)userdata;
	return ctr_pod_unpause(pod, err);
}

static int pod_unpause(struct app *app, int argc, char **argv)
{
	(void)argc;
	return each_pod(app, argv + 1, do_unpause, NULL, true);
}

static int do_inspect(ctr_pod_t *pod, void *userdata, ctr_error_t **err)
{
	char *json = NULL;
	int r = ctr_pod_inspect(pod, 0, &json, NULL, err);

	(void)userdata;
	if (r >= 0)
		printf("%s\n", json);
	ctr_free(json);
	return r;
}

static int pod_inspect(struct app *app, int argc, char **argv)
{
	(void)argc;
	return each_pod(app, argv + 1, do_inspect, NULL, false);
}

/* ---- which one ---- */

int cmd_pod(struct app *app, int argc, char **argv)
{
	static const struct {
		const char *name;
		command_fn fn;
	} commands[] = {{"create", pod_create}, {"ps", pod_ps}, {"start", pod_start},
	    {"stop", pod_stop}, {"kill", pod_kill}, {"pause", pod_pause}, {"unpause", pod_unpause},
	    {"restart", pod_restart}, {"inspect", pod_inspect}, {"rm", pod_rm}};

	if (argc < 2)
		return usage_error(app, "what about pods?");
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
		if (strcmp(commands[i].name, argv[1]) == 0)
			return commands[i].fn(app, argc - 1, argv + 1);
	}
	return usage_error(app, "there is no command 'pod %s'", argv[1]);
}
