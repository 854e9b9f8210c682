/* SPDX-License-Identifier: Apache-2.0 */
/* attach and exec: with the streams of a process. */
#include "terminal.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- attach ---- */

static int await_code(struct app *app, ctr_container_t *c, const struct session *s)
{
	ctr_error_t *err = NULL;
	int32_t code;

	if (ctr_container_wait(c, -1, &code, &err) < 0)
		return report(app, NULL, &err);
	if (code < 0 && s->limited) {
		fprintf(stderr, "ctrctl: %s: its time was over\n", app->command);
		return EXIT_NO_CODE;
	}
	if (code < 0) {
		fprintf(
		    stderr, "ctrctl: %s: the exit code was lost with the monitor\n", app->command);
		return EXIT_LIBRARY;
	}
	return code;
}

int stay_with(
    struct app *app, ctr_container_t *c, const struct session *s, ctr_attach_t *a, bool *detached)
{
	ctr_error_t *err = NULL;
	int r = session_run(s, a, &err);

	*detached = r == CTR_ATTACH_DETACHED || r == CTR_ATTACH_CLOSED;
	if (r < 0)
		return report(app, NULL, &err);
	return *detached ? 0 : await_code(app, c, s);
}

static int attach_to(struct app *app, const char *name, ctr_container_t *c, struct session *s)
{
	ctr_config_t *cfg = ctr_container_config(c);
	struct ctr_attach_opts io;
	ctr_attach_t *a = NULL;
	ctr_error_t *err = NULL;
	bool detached;
	int code;

	s->terminal = ctr_config_terminal(cfg);
	s->input = s->input && ctr_config_stdin(cfg);
	if (s->signalled)
		s->signalled = c;
	ctr_config_unref(cfg);
	session_prepare();
	session_streams(s, &io);
	if (ctr_container_attach(c, &io, &a, &err) < 0)
		return report(app, name, &err);
	code = stay_with(app, c, s, a, &detached);
	ctr_attach_unref(a);
	return code;
}

/* The one container that a command is about: 0, or the exit code. */
static int only_container(struct app *app, char **argv, ctr_container_t **c)
{
	ctr_error_t *err = NULL;

	if (!argv[0])
		return usage_error(app, "which container?");
	if (ctr_container_lookup(app->rt, argv[0], c, &err) < 0)
		return report(app, argv[0], &err);
	return 0;
}

int cmd_attach(struct app *app, int argc, char **argv)
{
	static const struct option options[] = {{"no-stdin", no_argument, NULL, 'n'},
	    {"no-sig-proxy", no_argument, NULL, 's'}, {"detach-keys", required_argument, NULL, 'k'},
	    {0}};
	struct session s = {.input = true};
	ctr_container_t *c = NULL;
	bool proxy = true;
	int o, code;

	while ((o = getopt_long(argc, argv, "+:", options, NULL)) != -1) {
		switch (o) {
		case 'n': s.input = false; break;
		case 's': proxy = false; break;
		case 'k': s.detach_keys = optarg; break;
		default: return option_error(app, o, argv);
		}
	}
	code = only_container(app, argv + optind, &c);
	if (code == 0 && argv[optind + 1])
		code = usage_error(app, "attaches to one container at a time");
	if (code == 0) {
		s.signalled = proxy ? c : NULL;
		code = attach_to(app, argv[optind], c, &s);
	}
	ctr_container_unref(c);
	return code;
}

/* ---- exec ---- */

#define ENV_MOST 256

struct wish {
	struct ctr_exec_opts o;
	struct session s;
	bool detach;
	const char *env[ENV_MOST + 1], *groups[ENV_MOST + 1];
	size_t env_n, groups_n;
};

static int exec_options(struct app *app, int argc, char **argv, struct wish *w)
{
	static const struct option options[] = {{"interactive", no_argument, NULL, 'i'},
	    {"tty", no_argument, NULL, 't'}, {"detach", no_argument, NULL, 'd'},
	    {"env", required_argument, NULL, 'e'}, {"user", required_argument, NULL, 'u'},
	    {"group-add", required_argument, NULL, 'g'}, {"workdir", required_argument, NULL, 'w'},
	    {"privileged", no_argument, NULL, 'p'}, {"detach-keys", required_argument, NULL, 'k'},
	    {0}};
	int o;

	while ((o = getopt_long(argc, argv, "+:itde:u:w:", options, NULL)) != -1) {
		if ((o == 'e' && w->env_n == ENV_MOST) || (o == 'g' && w->groups_n == ENV_MOST))
			return usage_error(app, "too many of '%s'", argv[optind - 1]);
		switch (o) {
		case 'i': w->s.input = true; break;
		case 't': w->s.terminal = true; break;
		case 'd': w->detach = true; break;
		case 'e': w->env[w->env_n++] = optarg; break;
		case 'g': w->groups[w->groups_n++] = optarg; break;
		case 'u': w->o.user = optarg; break;
		case 'w': w->o.workdir = optarg; break;
		case 'p': w->o.flags |= CTR_EXEC_PRIVILEGED; break;
		case 'k': w->s.detach_keys = optarg; break;
		default: return option_error(app, o, argv);
		}
	}
	if (argv[optind] && !argv[optind + 1])
		return usage_error(app, "needs a command");
	return 0;
}

static int start_detached(struct app *app, ctr_exec_t *x)
{
	ctr_error_t *err = NULL;

	if (ctr_exec_start(x, NULL, NULL, &err) < 0) {
		int code = report(app, NULL, &err);
		ctr_exec_remove(x, CTR_EXEC_REMOVE_FORCE, NULL);
		return code;
	}
	printf("%s\n", ctr_exec_id(x));
	return 0;
}

/* What remains of a session that somebody detached from is removed with the container's run. */
static int stay_with_exec(struct app *app, ctr_exec_t *x, const struct session *s, ctr_attach_t *a)
{
	ctr_error_t *err = NULL;
	int32_t code = EXIT_LIBRARY;
	int r = session_run(s, a, &err);

	if (r == CTR_ATTACH_DETACHED || r == CTR_ATTACH_CLOSED)
		return 0;
	if (r == CTR_ATTACH_ENDED)
		r = ctr_exec_wait(x, -1, &code, &err);
	if (r < 0)
		code = report(app, NULL, &err);
	ctr_exec_remove(x, CTR_EXEC_REMOVE_FORCE, NULL);
	if (code < 0) {
		fprintf(stderr, "ctrctl: exec: the exit code was lost with the monitor\n");
		return EXIT_LIBRARY;
	}
	return code;
}

static int start_attached(struct app *app, ctr_exec_t *x, const struct session *s)
{
	struct ctr_attach_opts io;
	struct ctr_exec_start_opts o = {.size = sizeof o, .io = &io};
	ctr_attach_t *a = NULL;
	ctr_error_t *err = NULL;
	int code;

	session_prepare();
	session_streams(s, &io);
	if (ctr_exec_start(x, &o, &a, &err) < 0) {
		code = report(app, NULL, &err);
		ctr_exec_remove(x, CTR_EXEC_REMOVE_FORCE, NULL);
		return code;
	}
	code = stay_with_exec(app, x, s, a);
	ctr_attach_unref(a);
	return code;
}

int cmd_exec(struct app *app, int argc, char **argv)
{
	struct wish w = {.o = {.size = sizeof w.o}};
	ctr_container_t *c = NULL;
	ctr_exec_t *x = NULL;
	ctr_error_t *err = NULL;
	int code = exec_options(app, argc, argv, &w);

	if (code == 0)
		code = only_container(app, argv + optind, &c);
	if (code != 0)
		return code;
	w.o.command = (const char *const *)argv + optind + 1;
	w.o.env = w.env;
	w.o.groups = w.groups;
	w.o.flags |= (w.s.terminal ? CTR_EXEC_TERMINAL : 0) | (w.s.input ? CTR_EXEC_STDIN : 0);
	if (ctr_container_exec_create(c, &w.o, &x, &err) < 0)
		code = report(app, argv[optind], &err);
	else
		code = w.detach ? start_detached(app, x) : start_attached(app, x, &w.s);
	ctr_exec_unref(x);
	ctr_container_unref(c);
	return code;
}
