/* SPDX-License-Identifier: Apache-2.0 */
/* Global options, the table of commands, help. */
#include "ctrctl.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct command {
	const char *name;
	command_fn fn;
	const char *args, *help;
} commands[] = {
    {"run", cmd_run, "[OPTIONS] ROOTFS COMMAND [ARG...]",
        "create and start a container, attach to it, exit with its code"},
    {"create", cmd_create, "[OPTIONS] ROOTFS COMMAND [ARG...]", "create a container; print its ID"},
    {"start", cmd_start, "[-r] CONTAINER...",
        "start containers; -r (--recursive) what they depend on first"},
    {"attach", cmd_attach, "[--no-stdin] [--no-sig-proxy] [--detach-keys KEYS] CONTAINER",
        "connect to its streams; ctrl-p,ctrl-q detaches; exit with its code"},
    {"exec", cmd_exec,
        "[-i] [-t] [-d] [-e K=V]... [-u USER[:GROUP]] [--group-add GROUP]... [-w DIR]\n"
        "    [--privileged] [--detach-keys KEYS] CONTAINER COMMAND [ARG...]",
        "run a command in a running container, exit with its code; -d do not wait for it"},
    {"logs", cmd_logs, "[-f] [-n LINES] [-t] [--since TIME] [--until TIME] CONTAINER",
        "print what it has printed; -f what it prints, too; -t when; TIME as for events"},
    {"top", cmd_top, "CONTAINER [COLUMN...]", "list its processes"},
    {"stats", cmd_stats, "[-i SECONDS] [--format table|json] CONTAINER...",
        "print what they use; -i again and again"},
    {"stop", cmd_stop, "[-t SECONDS] [-s SIGNAL] CONTAINER...",
        "ask containers to end, then kill them; -t 0 kills at once"},
    {"restart", cmd_restart, "[-t SECONDS] [--running] CONTAINER...",
        "stop and start them; --running: only those that run"},
    {"kill", cmd_kill, "[-s SIGNAL] CONTAINER...", "send a signal; default KILL"},
    {"pause", cmd_pause, "CONTAINER...", "freeze all processes"},
    {"unpause", cmd_unpause, "CONTAINER...", "thaw them"},
    {"wait", cmd_wait, "CONTAINER...", "wait for the end; print the exit codes"},
    {"rm", cmd_rm, "[-f] [--depend] CONTAINER...",
        "remove containers; -f also running ones, --depend what depends on them first"},
    {"rename", cmd_rename, "CONTAINER NAME", "give a container another name"},
    {"update", cmd_update,
        "[--memory SIZE] [--memory-reservation SIZE] [--memory-swap SIZE] [--cpu-shares N]\n"
        "    [--cpu-quota N] [--cpu-period N] [--pids-limit N] [--restart POLICY[:N]]\n"
        "    [--env NAME=VALUE]... [--unsetenv NAME]... CONTAINER...",
        "change limits at once, restart policy and environment; -1 = no limit"},
    {"refresh", cmd_refresh, "CONTAINER...", "take the run down and make it anew"},
    {"prune", cmd_prune, "[--filter KEY=VALUE]...",
        "remove what does not run; filters as for ps, and until=TIME"},
    {"evict", cmd_evict, "CONTAINER...", "remove containers whatever is wrong with them"},
    {"ps", cmd_ps, "[-a] [-q] [--no-trunc] [--format table|json] [--filter KEY=VALUE]...",
        "list containers; -a all, -q IDs only; filters: id, name, state, label"},
    {"pod", cmd_pod,
        "create|ps|start|stop|kill|pause|unpause|restart|inspect|rm [OPTIONS] [POD...]",
        "pods: create [--name N] [--hostname N] [--label K=V]... [--share LIST] [--no-infra]\n"
        "  [--cgroup-parent PATH] [--exit-policy continue|stop] [--restart POLICY];\n"
        "  ps [-q] [--format table|json] [--filter KEY=VALUE]...; stop, restart [-t SECONDS];\n"
        "  kill [-s SIGNAL]; rm [-f] [-t SECONDS]"},
    {"events", cmd_events,
        "[-f] [--since TIME] [--until TIME] [--format table|json] [--filter KEY=VALUE]...",
        "print what happened; -f what happens, too; TIME: seconds since 1970, or 10m: so long\n"
        "  ago for --since, from now for --until"},
    {"inspect", cmd_inspect, "[-s] CONTAINER... | -a",
        "print everything about containers as JSON; -s with sizes, -a all containers"},
    {"boot", cmd_boot, "", "start what its restart policy wants after a boot"},
    {"inspect-state", cmd_inspect_state, "CONTAINER...", "print the state as JSON"},
};
enum { N_COMMANDS = sizeof commands / sizeof *commands };

static const struct option options[] = {{"root", required_argument, NULL, 'r'},
    {"run-root", required_argument, NULL, 'R'}, {"runtime", required_argument, NULL, 'o'},
    {"conmon", required_argument, NULL, 'c'}, {"helper", required_argument, NULL, 'H'},
    {"hooks-dir", required_argument, NULL, 'k'}, {"debug", no_argument, NULL, 'd'},
    {"help", no_argument, NULL, 'h'}, {"version", no_argument, NULL, 'v'}, {0}};

static const struct command *find(const char *name)
{
	for (size_t i = 0; i < N_COMMANDS; i++) {
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	}
	return NULL;
}

static void help_one(const struct command *c)
{
	printf("ctrctl %s %s\n  %s\n", c->name, c->args, c->help);
	if (c->fn == cmd_run || c->fn == cmd_create) {
		printf("Options:\n");
		create_help();
	}
}

static int help(struct app *app, const char *topic)
{
	const struct command *c = topic ? find(topic) : NULL;

	if (topic && !c)
		return usage_error(app, "there is no command '%s'", topic);
	if (c) {
		help_one(c);
		return 0;
	}
	printf("Usage: ctrctl [OPTIONS] COMMAND ...\n\nCommands:\n");
	for (size_t i = 0; i < N_COMMANDS; i++)
		printf("  %-14s %s\n", commands[i].name, commands[i].help);
	printf("  %-14s %s\n  %-14s %s\n", "help", "this text; help COMMAND tells more", "version",
	    "print the library's version and features");
	printf("\nOptions:\n"
	       "  --root DIR         where containers are kept (LIBCTR_ROOT, /var/lib/libctr)\n"
	       "  --run-root DIR     what is forgotten at a reboot (LIBCTR_RUN_ROOT, /run/libctr)\n"
	       "  --runtime PATH     OCI runtime, or several with colons (LIBCTR_OCI)\n"
	       "  --conmon PATH      container monitor (LIBCTR_CONMON)\n"
	       "  --helper PATH      libctr-helper, for restart policies (LIBCTR_HELPER)\n"
	       "  --hooks-dir DIR    directory of hook files; may be repeated\n"
	       "  --debug            tell what the library does\n"
	       "\nExit code: the container's own for run; 125 if ctrctl failed, 126 if the\n"
	       "command cannot be executed, 127 if it does not exist, 255 if --timeout is over.\n");
	return 0;
}

static int version(void)
{
	const char *feature;

	printf("libctr %s\n", ctr_version(NULL, NULL, NULL));
	for (size_t i = 0; (feature = ctr_feature_at(i)); i++)
		printf("  %s\n", feature);
	return 0;
}

static void print_log(int32_t level, const char *id, const char *message, void *userdata)
{
	static const char *const words[] = {"", "error", "warning", "info", "debug"};

	(void)userdata;
	fprintf(stderr, "ctrctl: %s: %.12s%s%s\n", level >= 1 && level <= 4 ? words[level] : "?",
	    id ? id : "", id ? ": " : "", message);
}

static void set_defaults(struct app *app)
{
	app->open.size = sizeof app->open;
	app->open.root = getenv("LIBCTR_ROOT");
	app->open.run_root = getenv("LIBCTR_RUN_ROOT");
	app->open.oci_runtimes = getenv("LIBCTR_OCI");
	app->open.conmon = getenv("LIBCTR_CONMON");
	app->open.helper = getenv("LIBCTR_HELPER");
	app->open.log = print_log;
}

/* Opens the store, runs the command, closes the store. */
static int run_command(struct app *app, const struct command *c, int argc, char **argv)
{
	ctr_error_t *err = NULL;
	int code;

	if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
		help_one(c);
		return 0;
	}
	if (ctr_runtime_open(&app->open, &app->rt, &err) < 0)
		return report(app, NULL, &err);
	optind = 0; /* getopt starts anew, on the command's own arguments */
	code = c->fn(app, argc, argv);
	ctr_runtime_unref(app->rt);
	/* What nobody could read has not been done. */
	if ((fflush(stdout) != 0 || ferror(stdout)) && code == 0)
		return usage_error(app, "cannot write to standard output");
	return code;
}

int main(int argc, char **argv)
{
	struct app app = {0};
	const struct command *c;
	int o;

	set_defaults(&app);
	opterr = 0; /* usage_error() says it */
	while ((o = getopt_long(argc, argv, "+:h", options, NULL)) != -1) {
		switch (o) {
		case 'r': app.open.root = optarg; break;
		case 'R': app.open.run_root = optarg; break;
		case 'o': app.open.oci_runtimes = optarg; break;
		case 'c': app.open.conmon = optarg; break;
		case 'H': app.open.helper = optarg; break;
		case 'k':
			if (app.n_hooks_dirs == HOOKS_DIRS_MAX)
				return usage_error(&app, "too many hook directories");
			app.hooks_dirs[app.n_hooks_dirs++] = optarg;
			app.open.hooks_dirs = app.hooks_dirs;
			break;
		case 'd': app.open.log_level = CTR_LOG_DEBUG; break;
		case 'h': return help(&app, NULL);
		case 'v': return version();
		default: return option_error(&app, o, argv);
		}
	}
	argc -= optind;
	argv += optind;
	if (argc == 0)
		return usage_error(&app, "no command");
	if (strcmp(argv[0], "help") == 0)
		return help(&app, argv[1]);
	if (strcmp(argv[0], "version") == 0)
		return version();
	c = find(argv[0]);
	if (!c)
		return usage_error(&app, "there is no command '%s'", argv[0]);
	app.command = c->name;
	return run_command(&app, c, argc, argv);
}
