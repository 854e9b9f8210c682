/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A storm of calls: processes with threads do random operations on the same few containers, while readers check
 * that each container's events tell of a possible life, and a watchdog that no call hangs.
 */
#ifndef TESTS_STRESS_STORM_H
#define TESTS_STRESS_STORM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <libctr/libctr.h>

enum { STORM_PROCESSES = 2, STORM_THREADS = 8, STORM_BOXES_MAX = 64 };

/* What a storm runs on. */
struct storm {
	int boxes;   /* containers, named "box-N" */
	int seconds; /* how long */
	int hang_ms; /* a call that takes longer hangs */
	/* A new open of the store; called in each process. */
	ctr_runtime_t *(*open)(void *impl);
	/* The configuration of container `n`. Its caller unrefs it. */
	ctr_config_t *(*config)(void *impl, int n);
	/* Makes a container end by itself, if that can be done from outside. NULL: not. */
	void (*end)(void *impl, const char *id, unsigned int random);
	bool limits; /* limits of processes can be had: updates change them */
	void *impl;
};

/* Runs it, removes all containers. False after any violation; all are named on standard error. */
bool storm_run(const struct storm *s);

/* Seconds from the arguments. */
int storm_seconds(int argc, char **argv, int otherwise);

#endif
