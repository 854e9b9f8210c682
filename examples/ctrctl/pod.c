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

/* Returns the word that is none, or NULL. */
static const char *parse_shares(char *text, uint64_t *shares)
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
			return w;
		*shares |= words[i].bit;
	}
	return NULL;
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
	const char *labels[MAX_WORDS + 1] = {NULL}, *wrong;
	ctr_pod_config_t *cfg = NULL;
	ctr_pod_t *pod = NULL;
	ctr_error_t *err = NULL;
	size_t n = 0;
	int o, r;

	while ((o = getopt_long(argc, argv, "+:n:l:", options, NULL)) != -1) {
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
			wrong = parse_shares(optarg, &po.shares);
			if (wrong)
				return usage_error(app, "--share: '%s' cannot be shared", wrong);
			break;
		default: return option_error(app, o, argv);
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

struct pod_ps {
	bool quiet, json;
	const char *filters[MAX_WORDS + 1]; /* NULL-terminated */
	size_t filters_n;
};

static int ps_options(struct app *app, int argc, char **argv, struct pod_ps *ps)
{
	static const struct option options[] = {{"filter", required_argument, NULL, 'f'},
	    {"format", required_argument, NULL, 'j'}, {"quiet", no_argument, NULL, 'q'}, {0}};
	int o;

	while ((o = getopt_long(argc, argv, "+:f:q", options, NULL)) != -1) {
		if (o == 'q')
			ps->quiet = true;
		else if (o == 'f' && ps->filters_n < MAX_WORDS)
			ps->filters[ps->filters_n++] = optarg;
		else if (o == 'f')
			return usage_error(app, "more than %d filters", MAX_WORDS);
		else if (o == 'j' && !parse_format(optarg, &ps->json))
			return usage_error(app, "'%s' is no format; table and json are", optarg);
		else if (o != 'j')
			return option_error(app, o, argv);
	}
	if (argv[optind])
		return usage_error(app, "takes no argument, but got '%s'", argv[optind]);
	return 0;
}

static void print_row(const ctr_pod_list_t *list, size_t i)
{
	printf("%-12.12s  %-20s %-9s %-12.12s  %zu\n", ctr_pod_list_id(list, i),
	    ctr_pod_list_name(list, i), ctr_pod_state_name(ctr_pod_list_status(list, i)),
	    ctr_pod_list_infra(list, i), ctr_pod_list_containers(list, i));
}

static void print_member(const char *key, const char *value)
{
	print_key(key);
	print_json(value);
	printf(", ");
}

/* Times are nanoseconds since 1970. */
static void print_object(const ctr_pod_list_t *list, size_t i)
{
	printf("%s  {", i ? ",\n" : "");
	print_member("Id", ctr_pod_list_id(list, i));
	print_member("Name", ctr_pod_list_name(list, i));
	print_member("Status", ctr_pod_state_name(ctr_pod_list_status(list, i)));
	print_member("InfraId", ctr_pod_list_infra(list, i));
	print_key("Created");
	printf("%lld, ", (long long)ctr_pod_list_created_ns(list, i));
	print_key("NumContainers");
	printf("%zu}", ctr_pod_list_containers(list, i));
}

static void show_list(const ctr_pod_list_t *list, const struct pod_ps *ps)
{
	size_t n = ctr_pod_list_count(list);

	if (ps->json)
		printf("[\n");
	else if (!ps->quiet)
		printf(
		    "%-12s  %-20s %-9s %-12s  %s\n", "ID", "NAME", "STATUS", "INFRA", "CONTAINERS");
	for (size_t i = 0; i < n; i++) {
		if (ps->json)
			print_object(list, i);
		else if (ps->quiet)
			printf("%.12s\n", ctr_pod_list_id(list, i));
		else
			print_row(list, i);
	}
	if (ps->json)
		printf("%s]\n", n ? "\n" : "");
}

static int pod_ps(struct app *app, int argc, char **argv)
{
	struct pod_ps ps = {0};
	ctr_pod_list_t *list = NULL;
	ctr_error_t *err = NULL;
	int wrong = ps_options(app, argc, argv, &ps);

	if (wrong)
		return wrong;
	if (ctr_pod_list(app->rt, ps.filters, 0, &list, &err) < 0)
		return report(app, NULL, &err);
	show_list(list, &ps);
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

/* -t SECONDS [-f]. Returns 0, or the exit code if something is wrong. */
static int timeout_options(
    struct app *app, int argc, char **argv, const char *known, struct timeout *t)
{
	static const struct option options[] = {
	    {"time", required_argument, NULL, 't'}, {"force", no_argument, NULL, 'f'}, {0}};
	int64_t seconds;
	int o;

	while ((o = getopt_long(argc, argv, known, options, NULL)) != -1) {
		if (o == 'f' && !strchr(known, 'f'))
			return usage_error(app, "wrong option '--force'");
		if (o == 'f') {
			t->flags |= CTR_POD_REMOVE_FORCE;
			continue;
		}
		if (o != 't')
			return option_error(app, o, argv);
		if (!parse_number(optarg, &seconds) || seconds < -1 || seconds > INT32_MAX)
			return usage_error(app, "'%s' is not a number of seconds", optarg);
		t->ms = seconds > 0 ? seconds * 1000 : seconds;
		t->flags |= seconds == 0 ? CTR_POD_STOP_NOW : 0;
	}
	return 0;
}

static int do_stop(ctr_pod_t *pod, void *userdata, ctr_error_t **err)
{
	const struct timeout *t = userdata;

	return ctr_pod_stop(pod, t->ms, t->flags, err);
}

static int pod_stop(struct app *app, int argc, char **argv)
{
	struct timeout t = {0};
	int wrong = timeout_options(app, argc, argv, "+:t:", &t);

	if (wrong)
		return wrong;
	return each_pod(app, argv + optind, do_stop, &t, true);
}

static int do_restart(ctr_pod_t *pod, void *userdata, ctr_error_t **err)
{
	return ctr_pod_restart(pod, ((struct timeout *)userdata)->ms, err);
}

static int pod_restart(struct app *app, int argc, char **argv)
{
	struct timeout t = {0};
	int wrong = timeout_options(app, argc, argv, "+:t:", &t);

	if (wrong)
		return wrong;
	/* Zero is each container's own timeout; this is the shortest one. */
	if (t.flags & CTR_POD_STOP_NOW)
		t.ms = 1;
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
	int wrong = timeout_options(app, argc, argv, "+:t:f", &t);

	if (wrong)
		return wrong;
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

	while ((o = getopt_long(argc, argv, "+:s:", options, NULL)) != -1) {
		if (o != 's')
			return option_error(app, o, argv);
		if (!parse_signal(optarg, &sig))
			return usage_error(app, "'%s' is not a signal", optarg);
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
	} commands[] = {{"pod create", pod_create}, {"pod ps", pod_ps}, {"pod start", pod_start},
	    {"pod stop", pod_stop}, {"pod kill", pod_kill}, {"pod pause", pod_pause},
	    {"pod unpause", pod_unpause}, {"pod restart", pod_restart},
	    {"pod inspect", pod_inspect}, {"pod rm", pod_rm}};

	if (argc < 2)
		return usage_error(app, "what about pods?");
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
		if (strcmp(commands[i].name + strlen("pod "), argv[1]) != 0)
			continue;
		app->command = commands[i].name;
		return commands[i].fn(app, argc - 1, argv + 1);
	}
	return usage_error(app, "there is no command 'pod %s'", argv[1]);
}
