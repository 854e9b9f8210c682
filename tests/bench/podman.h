/* SPDX-License-Identifier: Apache-2.0 */
/* The rival: podman's command line and its REST service, with a store of its own. */
#ifndef BENCH_PODMAN_H
#define BENCH_PODMAN_H

#include "sections.h"

struct podman {
	char *program, *dir, *tmp; /* NULL program: not there, or not wanted */
	const struct world *w;
	const char *global[16];
	char *made[6];
};

/* False if podman is not installed or not wanted. */
bool podman_init(struct podman *p, const struct world *w);
void podman_end(struct podman *p);
/* The options that a container needs on a machine without CAP_SYS_RESOURCE; `command` is "run" or "create",
 * `options` more of them, NULL-terminated. Fills argv (at least 48 entries). */
void podman_container(struct podman *p, const char **argv, const char *command,
    const char *const *options, const char *program, const char *argument);
/* One command on a new container: its time. */
double podman_time(
    struct podman *p, const char *command, const char *program, const char *argument);
/* Another command: argv after the global options, NULL-terminated. */
double podman_command(struct podman *p, const char *a, const char *b, const char *c);
/* Any number of words after the global options, NULL-terminated: what it printed, owned. */
char *podman_output(struct podman *p, const char *const *words);

/* The service: starts it, asks for the list of all containers (ns), stops it. Its private memory. */
struct service {
	pid_t pid;
	char *socket;
};
bool service_start(struct podman *p, struct service *s);
double service_list(struct service *s, size_t *bytes);
void service_end(struct service *s);

#endif
