/* SPDX-License-Identifier: Apache-2.0 */
/* create and run: from options to a configuration to a container. */
#include "terminal.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What an option puts into the configuration. */
enum kind {
	STR,
	LIST,
	MAP,
	BIND,
	SIZE,
	NUM,
	FLAG,
	SIGNAL,
	NET,
	RESTART,
	POD,
	CTR,
	/* not for the configuration: */ OURS
};

static const struct {
	const char *name;
	enum kind kind;
	int32_t field;
	const char *arg, *help;
} spec[] = {
    {"name", STR, CTR_CONFIG_NAME, "NAME", "name of the container"},
    {"env", LIST, CTR_SPEC_ENV, "K=V", "environment variable"},
    {"label", MAP, CTR_CONFIG_LABELS, "K=V", "label"},
    {"hostname", STR, CTR_SPEC_HOSTNAME, "NAME", "host name inside"},
    {"workdir", STR, CTR_SPEC_WORKDIR, "DIR", "working directory inside"},
    {"user", STR, CTR_CONFIG_USER, "USER[:GROUP]", "who runs the command"},
    {"group-add", LIST, CTR_CONFIG_GROUPS, "GROUP", "one more group of that user"},
    {"umask", STR, CTR_CONFIG_UMASK, "OCTAL", "umask of the command"},
    {"tz", STR, CTR_CONFIG_TIMEZONE, "ZONE", "time zone, e.g. Europe/Berlin, or local"},
    {"dns", LIST, CTR_CONFIG_DNS_SERVER, "IP", "DNS server"},
    {"add-host", LIST, CTR_CONFIG_HOST_ADD, "NAME:IP", "line of /etc/hosts"},
    {"memory", SIZE, CTR_SPEC_MEMORY, "SIZE", "memory limit, e.g. 64m"},
    {"pids-limit", NUM, CTR_SPEC_PIDS, "N", "most processes, -1 = no limit"},
    {"volume", BIND, CTR_SPEC_BIND, "/HOST:/INSIDE[:ro]", "directory or file of the host"},
    {"cap-add", LIST, CTR_SPEC_CAP_ADD, "CAP", "one more capability"},
    {"cap-drop", LIST, CTR_SPEC_CAP_DROP, "CAP", "one capability less"},
    {"privileged", FLAG, CTR_CONFIG_PRIVILEGED, NULL, "all capabilities, nothing masked"},
    {"read-only", FLAG, CTR_CONFIG_READ_ONLY, NULL, "read-only root file system"},
    {"net", NET, CTR_SPEC_HOST_NETWORK, "none|host|container:C", "network; default none"},
    {"requires", CTR, CTR_CONFIG_DEPENDENCIES, "CONTAINER", "container that must run before it"},
    {"stop-signal", SIGNAL, CTR_CONFIG_STOP_SIGNAL, "SIGNAL", "what stop sends"},
    {"stop-timeout", NUM, CTR_CONFIG_STOP_TIMEOUT, "SECONDS", "how long stop waits"},
    {"timeout", NUM, CTR_CONFIG_TIMEOUT, "SECONDS", "kill it after so long"},
    {"pod", POD, CTR_CONFIG_POD, "POD", "pod that it joins"},
    {"oci", STR, CTR_CONFIG_RUNTIME, "NAME", "OCI runtime, e.g. crun"},
    {"restart", RESTART, CTR_CONFIG_RESTART_POLICY, "POLICY[:N]",
        "no, always, unless-stopped, on-failure[:N]"},
    {"interactive", FLAG, CTR_CONFIG_STDIN, NULL, "-i: keep standard input open and pass ours on"},
    {"tty", FLAG, CTR_SPEC_TERMINAL, NULL, "-t: a terminal"},
    {"log-driver", STR, CTR_CONFIG_LOG_DRIVER, "NAME", "k8s-file, journald or none"},
    {"log-size", SIZE, CTR_CONFIG_LOG_SIZE, "SIZE", "start the log anew at that size"},
    {"detach-keys", OURS, 'k', "KEYS", "default ctrl-p,ctrl-q (run)"},
    {"rm", OURS, 'r', NULL, "remove it when it has ended"},
    {"detach", OURS, 'd', NULL, "-d: do not wait for it; print its ID (run)"},
};
enum { N_SPEC = sizeof spec / sizeof *spec };

struct wish {
	ctr_runtime_t *rt;
	ctr_error_t *err; /* why an option's value is refused, if the library knows */
	ctr_config_builder_t *b;
	struct session s;
	bool remove, detach;
};

void create_help(void)
{
	for (size_t i = 0; i < N_SPEC; i++)
		printf("  --%-14s %-20s %s\n", spec[i].name, spec[i].arg ? spec[i].arg : "",
		    spec[i].help);
}

/* Splits "key=value" and sets that entry. */
static bool set_pair(ctr_config_builder_t *b, int32_t field, const char *text)
{
	const char *equal = strchr(text, '=');
	char *key = equal ? strndup(text, (size_t)(equal - text)) : strdup(text);

	/* A builder remembers its first error, so its setters need no checks here. */
	if (key)
		ctr_config_builder_set_map(b, field, key, equal ? equal + 1 : "", NULL);
	free(key);
	return key != NULL;
}

/* "/HOST:/INSIDE[:ro]". What is not there is noticed now, not by an OCI runtime in its own words. */
static bool set_bind(struct wish *w, const char *text)
{
	const char *colon = strchr(text, ':');
	char *host = colon ? strndup(text, (size_t)(colon - text)) : NULL;
	bool there = !host || access(host, F_OK) == 0;

	if (there)
		ctr_config_builder_add_str(w->b, CTR_SPEC_BIND, text, NULL);
	else
		ctr_error_set(&w->err, CTR_E_INVALID, errno, strerror(errno));
	free(host);
	return there;
}

/* "on-failure:3" */
static bool set_restart(ctr_config_builder_t *b, const char *text)
{
	const char *colon = strchr(text, ':');
	char *policy = colon ? strndup(text, (size_t)(colon - text)) : strdup(text);
	int64_t retries = 0;
	bool ok = policy && (!colon || parse_number(colon + 1, &retries));

	if (ok) {
		ctr_config_builder_set_str(b, CTR_CONFIG_RESTART_POLICY, policy, NULL);
		ctr_config_builder_set_num(b, CTR_CONFIG_RESTART_RETRIES, retries, NULL);
	}
	free(policy);
	return ok;
}

/* A configuration has full IDs. */
static bool set_pod(struct wish *w, const char *name)
{
	ctr_pod_t *pod = NULL;

	if (ctr_pod_lookup(w->rt, name, &pod, &w->err) < 0)
		return false;
	ctr_config_builder_set_str(w->b, CTR_CONFIG_POD, ctr_pod_id(pod), NULL);
	ctr_pod_unref(pod);
	return true;
}

static bool set_container(struct wish *w, int32_t field, const char *name)
{
	ctr_container_t *c = NULL;

	if (ctr_container_lookup(w->rt, name, &c, &w->err) < 0)
		return false;
	if (field == CTR_CONFIG_DEPENDENCIES)
		ctr_config_builder_add_str(w->b, field, ctr_container_id(c), NULL);
	else
		ctr_config_builder_set_str(w->b, field, ctr_container_id(c), NULL);
	ctr_container_unref(c);
	return true;
}

static bool set_network(struct wish *w, const char *value)
{
	if (strncmp(value, "container:", 10) == 0)
		return set_container(w, CTR_CONFIG_NET_NS_CTR, value + 10);
	ctr_config_builder_set_bool(w->b, CTR_SPEC_HOST_NETWORK, strcmp(value, "host") == 0, NULL);
	return strcmp(value, "host") == 0 || strcmp(value, "none") == 0;
}

/* Puts one option into the configuration. False: the value makes no sense. */
static bool apply(struct wish *w, size_t i, const char *value)
{
	int32_t field = spec[i].field, sig;
	int64_t number;

	switch (spec[i].kind) {
	case STR: ctr_config_builder_set_str(w->b, field, value, NULL); return true;
	case LIST: ctr_config_builder_add_str(w->b, field, value, NULL); return true;
	case FLAG:
		w->s.input |= field == CTR_CONFIG_STDIN;
		w->s.terminal |= field == CTR_SPEC_TERMINAL;
		ctr_config_builder_set_bool(w->b, field, 1, NULL);
		return true;
	case MAP: return set_pair(w->b, field, value);
	case BIND: return set_bind(w, value);
	case SIZE:
		if (!parse_size(value, &number))
			return false;
		ctr_config_builder_set_num(w->b, field, number, NULL);
		return true;
	case NUM:
		if (!parse_number(value, &number))
			return false;
		ctr_config_builder_set_num(w->b, field, number, NULL);
		w->s.limited |= field == CTR_CONFIG_TIMEOUT && number > 0;
		return true;
	case SIGNAL:
		if (!parse_signal(value, &sig))
			return false;
		ctr_config_builder_set_num(w->b, field, sig, NULL);
		return true;
	case NET: return set_network(w, value);
	case RESTART: return set_restart(w->b, value);
	case POD: return set_pod(w, value);
	case CTR: return set_container(w, field, value);
	case OURS:
		w->remove |= field == 'r';
		w->detach |= field == 'd';
		if (field == 'k')
			w->s.detach_keys = value;
		return true;
	}
	return false;
}

static int set_command(struct app *app, struct wish *w, char **argv)
{
	char root[PATH_MAX];

	if (!argv[0] || !argv[1])
		return usage_error(app, "needs a root directory and a command");
	if (!realpath(argv[0], root))
		return usage_error(app, "%s: %s", argv[0], strerror(errno));
	ctr_config_builder_set_str(w->b, CTR_CONFIG_ROOTFS, root, NULL);
	for (argv++; *argv; argv++)
		ctr_config_builder_add_str(w->b, CTR_CONFIG_COMMAND, *argv, NULL);
	return 0;
}

static int refuse(struct app *app, size_t i, const char *value, struct wish *w)
{
	if (w->err)
		return report(app, value, &w->err);
	return usage_error(app, "--%s: '%s' makes no sense", spec[i].name, value);
}

/* -i, -t and -d are the options whose help begins so. */
static int long_form(int letter)
{
	for (size_t i = 0; i < N_SPEC; i++) {
		if (spec[i].help[0] == '-' && spec[i].help[1] == letter && spec[i].help[2] == ':')
			return 256 + (int)i;
	}
	return -1;
}

static int parse(struct app *app, int argc, char **argv, struct wish *w)
{
	struct option options[N_SPEC + 1] = {0};
	int o;

	for (size_t i = 0; i < N_SPEC; i++)
		options[i] = (struct option){spec[i].name,
		    spec[i].arg ? required_argument : no_argument, NULL, 256 + (int)i};
	/* "+": what comes after the root directory belongs to the container's command. */
	while ((o = getopt_long(argc, argv, "+:itd", options, NULL)) != -1) {
		if (o == '?' || o == ':')
			return option_error(app, o, argv);
		if (o < 256)
			o = long_form(o);
		if (!apply(w, (size_t)(o - 256), optarg))
			return refuse(app, (size_t)(o - 256), optarg, w);
	}
	return set_command(app, w, argv + optind);
}

/* Arguments -> stored container. Returns 0 and *c, or the exit code. */
static int create(struct app *app, int argc, char **argv, struct wish *w, ctr_container_t **c)
{
	ctr_config_t *cfg = NULL;
	ctr_error_t *err = NULL;
	int code;

	w->b = ctr_config_builder_new();
	if (!w->b)
		return usage_error(app, "out of memory");
	code = parse(app, argc, argv, w);
	/* Where ctrctl stays until the end it removes the container itself: the output comes first. */
	if (w->remove && (w->detach || strcmp(app->command, "create") == 0))
		ctr_config_builder_set_bool(w->b, CTR_CONFIG_AUTO_REMOVE, 1, NULL);
	if (code == 0 && (ctr_config_builder_build(w->b, &cfg, &err) < 0 ||
	                     ctr_container_create(app->rt, cfg, 0, c, &err) < 0))
		code = report(app, NULL, &err);
	ctr_config_unref(cfg);
	ctr_config_builder_free(w->b);
	return code;
}

int cmd_create(struct app *app, int argc, char **argv)
{
	struct wish w = {.rt = app->rt};
	ctr_container_t *c = NULL;
	int code = create(app, argc, argv, &w, &c);

	if (code == 0)
		printf("%s\n", ctr_container_id(c));
	ctr_container_unref(c);
	return code;
}

static int start_detached(struct app *app, ctr_container_t *c)
{
	ctr_error_t *err = NULL;

	if (ctr_container_start(c, 0, &err) < 0)
		return report(app, NULL, &err);
	printf("%s\n", ctr_container_id(c));
	return 0;
}

/* Starts it and stays with it until its end, or until somebody detaches. */
static int start_attached(struct app *app, ctr_container_t *c, struct session *s, bool *detached)
{
	struct ctr_attach_opts io;
	ctr_attach_t *a = NULL;
	ctr_error_t *err = NULL;
	int code;

	s->signalled = c;
	session_prepare();
	session_streams(s, &io);
	if (ctr_container_start_and_attach(c, 0, &io, &a, &err) < 0)
		return report(app, NULL, &err);
	code = stay_with(app, c, s, a, detached);
	ctr_attach_unref(a);
	return code;
}

int cmd_run(struct app *app, int argc, char **argv)
{
	struct wish w = {.rt = app->rt};
	ctr_container_t *c = NULL;
	ctr_error_t *err = NULL;
	bool detached = false;
	int code = create(app, argc, argv, &w, &c);

	if (code == 0 && w.detach) {
		code = start_detached(app, c);
	} else if (code == 0) {
		code = start_attached(app, c, &w.s, &detached);
		if (w.remove && detached)
			fprintf(stderr,
			    "ctrctl: run: it goes on, and will not be removed at its end\n");
		else if (w.remove && ctr_container_remove(c, CTR_REMOVE_FORCE, &err) < 0) {
			int failed = report(app, ctr_container_id(c), &err);
			code = code ? code : failed;
		}
	}
	ctr_container_unref(c);
	return code;
}
