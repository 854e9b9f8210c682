/* SPDX-License-Identifier: Apache-2.0 */
/* The commands that change what a container is doing. */
#include "ctrctl.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>

static int do_start(ctr_container_t *c, void *flags, ctr_error_t **err)
{
	return ctr_container_start(c, *(uint64_t *)flags, err);
}

int cmd_start(struct app *app, int argc, char **argv)
{
	static const struct option options[] = {{"recursive", no_argument, NULL, 'r'}, {0}};
	uint64_t flags = 0;
	int o;

	while ((o = getopt_long(argc, argv, "+:r", options, NULL)) != -1) {
		if (o == '?' || o == ':')
			return option_error(app, o, argv);
		flags = CTR_START_RECURSIVE;
	}
	return for_each_target(app, argv + optind, do_start, &flags, true);
}

static int do_stop(ctr_container_t *c, void *options, ctr_error_t **err)
{
	return ctr_container_stop(c, options, err);
}

int cmd_stop(struct app *app, int argc, char **argv)
{
	static const struct option options[] = {
	    {"time", required_argument, NULL, 't'}, {"signal", required_argument, NULL, 's'}, {0}};
	struct ctr_stop_opts stop = {.size = sizeof stop};
	int64_t seconds;
	int o;

	while ((o = getopt_long(argc, argv, "+:t:s:", options, NULL)) != -1) {
		if (o == 't' && parse_number(optarg, &seconds) && seconds >= -1 &&
		    seconds <= INT32_MAX) {
			/* Zero in the options struct means the default, so "at once" is a flag. */
			stop.flags = seconds == 0 ? CTR_STOP_NOW : 0;
			stop.timeout_ms = seconds > 0 ? seconds * 1000 : seconds;
		} else if (o == 't') {
			return usage_error(app, "'%s' is not a number of seconds", optarg);
		} else if (o == 's' && !parse_signal(optarg, &stop.signal)) {
			return usage_error(app, "'%s' is not a signal", optarg);
		} else if (o == '?' || o == ':') {
			return option_error(app, o, argv);
		}
	}
	return for_each_target(app, argv + optind, do_stop, &stop, true);
}

static int do_restart(ctr_container_t *c, void *options, ctr_error_t **err)
{
	return ctr_container_restart(c, options, err);
}

int cmd_restart(struct app *app, int argc, char **argv)
{
	static const struct option options[] = {
	    {"time", required_argument, NULL, 't'}, {"running", no_argument, NULL, 'r'}, {0}};
	struct ctr_restart_opts restart = {.size = sizeof restart};
	int64_t seconds;
	int o;

	while ((o = getopt_long(argc, argv, "+:t:", options, NULL)) != -1) {
		if (o == 't' && parse_number(optarg, &seconds) && seconds >= -1 &&
		    seconds <= INT32_MAX) {
			restart.flags |= seconds == 0 ? CTR_RESTART_NOW : 0;
			restart.timeout_ms = seconds > 0 ? seconds * 1000 : seconds;
		} else if (o == 't') {
			return usage_error(app, "'%s' is not a number of seconds", optarg);
		} else if (o == 'r') {
			restart.flags |= CTR_RESTART_ONLY_RUNNING;
		} else {
			return option_error(app, o, argv);
		}
	}
	return for_each_target(app, argv + optind, do_restart, &restart, true);
}

int cmd_boot(struct app *app, int argc, char **argv)
{
	ctr_error_t *err = NULL;

	(void)argv;
	if (argc > 1)
		return usage_error(app, "takes no argument");
	return ctr_runtime_boot(app->rt, 0, &err) < 0 ? report(app, NULL, &err) : 0;
}

static int do_kill(ctr_container_t *c, void *sig, ctr_error_t **err)
{
	return ctr_container_kill(c, *(int32_t *)sig, err);
}

int cmd_kill(struct app *app, int argc, char **argv)
{
	static const struct option options[] = {{"signal", required_argument, NULL, 's'}, {0}};
	int32_t sig = SIGKILL;
	int o;

	while ((o = getopt_long(argc, argv, "+:s:", options, NULL)) != -1) {
		if (o == '?' || o == ':')
			return option_error(app, o, argv);
		if (!parse_signal(optarg, &sig))
			return usage_error(app, "'%s' is not a signal", optarg);
	}
	return for_each_target(app, argv + optind, do_kill, &sig, true);
}

static int do_pause(ctr_container_t *c, void *userdata, ctr_error_t **err)
{
	(void)userdata;
	return ctr_container_pause(c, err);
}

int cmd_pause(struct app *app, int argc, char **argv)
{
	(void)argc;
	return for_each_target(app, argv + 1, do_pause, NULL, true);
}

static int do_unpause(ctr_container_t *c, void *userdata, ctr_error_t **err)
{
	(void)userdata;
	return ctr_container_unpause(c, err);
}

int cmd_unpause(struct app *app, int argc, char **argv)
{
	(void)argc;
	return for_each_target(app, argv + 1, do_unpause, NULL, true);
}

static int do_wait(ctr_container_t *c, void *userdata, ctr_error_t **err)
{
	int32_t code;
	int r = ctr_container_wait(c, -1, &code, err);

	(void)userdata;
	if (r >= 0)
		printf("%d\n", code);
	return r;
}

int cmd_wait(struct app *app, int argc, char **argv)
{
	(void)argc;
	return for_each_target(app, argv + 1, do_wait, NULL, false);
}

static int do_remove(ctr_container_t *c, void *flags, ctr_error_t **err)
{
	return ctr_container_remove(c, *(uint64_t *)flags, err);
}

int cmd_rm(struct app *app, int argc, char **argv)
{
	static const struct option options[] = {
	    {"force", no_argument, NULL, 'f'}, {"depend", no_argument, NULL, 'd'}, {0}};
	uint64_t flags = 0;
	int o;

	while ((o = getopt_long(argc, argv, "+:f", options, NULL)) != -1) {
		if (o == '?' || o == ':')
			return option_error(app, o, argv);
		flags |= o == 'f' ? CTR_REMOVE_FORCE : CTR_REMOVE_RECURSIVE;
	}
	return for_each_target(app, argv + optind, do_remove, &flags, true);
}
