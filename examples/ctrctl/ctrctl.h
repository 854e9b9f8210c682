/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctrctl: a small command-line engine, written on libctr's public API only.
 *
 * main.c    global options, table of commands, help
 * change.c  rename, update, refresh, prune, evict
 * create.c  create, run
 * attach.c  attach, exec
 * terminal.c  a session at a terminal
 * logs.c    logs
 * stats.c   top, stats
 * life.c    start, stop, kill, pause, unpause, wait, rm
 * inspect.c inspect
 * show.c    ps, inspect-state, version
 * events.c  events
 * pod.c     pod ...
 * util.c    errors, arguments
 */
#ifndef CTRCTL_H
#define CTRCTL_H

#include <libctr/libctr.h>

#include <stdbool.h>
#include <stdio.h>

/* Exit codes, as podman's: below 125 the number is the container's own. */
enum {
	EXIT_LIBRARY = 125,       /* wrong usage, or libctr said no  */
	EXIT_NOT_INVOCABLE = 126, /* the command cannot be executed  */
	EXIT_NOT_FOUND = 127,     /* the command does not exist      */
	EXIT_NO_CODE = 255        /* --timeout has ended it          */
};

#define HOOKS_DIRS_MAX 32

struct app {
	struct ctr_open_opts open; /* from the global options                */
	ctr_runtime_t *rt;         /* open when a command's function runs    */
	const char *command;       /* its name, for messages                 */
	const char *hooks_dirs[HOOKS_DIRS_MAX + 1];
	size_t n_hooks_dirs;
};

/* A command: gets its own arguments, argv[0] is its name; returns the exit code. */
typedef int (*command_fn)(struct app *app, int argc, char **argv);

int cmd_create(struct app *app, int argc, char **argv);
int cmd_run(struct app *app, int argc, char **argv);
int cmd_attach(struct app *app, int argc, char **argv);
int cmd_exec(struct app *app, int argc, char **argv);
int cmd_logs(struct app *app, int argc, char **argv);
int cmd_top(struct app *app, int argc, char **argv);
int cmd_stats(struct app *app, int argc, char **argv);
int cmd_start(struct app *app, int argc, char **argv);
int cmd_stop(struct app *app, int argc, char **argv);
int cmd_restart(struct app *app, int argc, char **argv);
int cmd_boot(struct app *app, int argc, char **argv);
int cmd_kill(struct app *app, int argc, char **argv);
int cmd_pause(struct app *app, int argc, char **argv);
int cmd_unpause(struct app *app, int argc, char **argv);
int cmd_wait(struct app *app, int argc, char **argv);
int cmd_rm(struct app *app, int argc, char **argv);
int cmd_rename(struct app *app, int argc, char **argv);
int cmd_update(struct app *app, int argc, char **argv);
int cmd_refresh(struct app *app, int argc, char **argv);
int cmd_prune(struct app *app, int argc, char **argv);
int cmd_evict(struct app *app, int argc, char **argv);
int cmd_ps(struct app *app, int argc, char **argv);
int cmd_pod(struct app *app, int argc, char **argv);
int cmd_events(struct app *app, int argc, char **argv);
int cmd_inspect(struct app *app, int argc, char **argv);
int cmd_inspect_state(struct app *app, int argc, char **argv);

/* Prints the options of create and run. */
void create_help(void);

/* Prints "ctrctl: command what: message", frees *err and returns the exit code for it. `what` may be
 * NULL. */
int report(struct app *app, const char *what, ctr_error_t **err);

/* Prints "ctrctl: command: text" and where help is. Returns EXIT_LIBRARY. */
__attribute__((format(printf, 2, 3))) int usage_error(struct app *app, const char *format, ...);

/* After getopt_long() with ":" in front of its options has returned '?' or ':': names the option. */
int option_error(struct app *app, int o, char **argv);

/* Calls fn for each container that the arguments name, whatever happens to the others. Returns the
 * first exit code that is not 0. */
typedef int (*target_fn)(ctr_container_t *c, void *userdata, ctr_error_t **err);
int for_each_target(struct app *app, char **names, target_fn fn, void *userdata, bool print_name);

/* "64m" -> bytes, "TERM" / "SIGTERM" / "15" -> 15, "10" -> 10. Return false if it is none. */
bool parse_size(const char *text, int64_t *bytes);
bool parse_signal(const char *text, int32_t *sig);
bool parse_number(const char *text, int64_t *number);
/* "10m" = ten minutes ago; else seconds since 1970. */
bool parse_time(const char *text, int64_t *ns);
/* "json" or "table". */
bool parse_format(const char *text, bool *json);

/* "2026-01-31 10:00:00.123456789", local time */
void print_time(FILE *to, int64_t ns);
/* Prints a string of JSON, or `"key": ` of an object; control characters are escaped. */
void print_json(const char *text);
void print_key(const char *key);

#endif
