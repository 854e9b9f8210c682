/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A place for faults: a process tree, a mount table and a store of their own, so that whatever a killed process
 * leaves behind can be seen, and ends with the test.
 */
#ifndef TESTS_FAULT_WORLD_H
#define TESTS_FAULT_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libctr/libctr.h>

struct world {
	char dir[128]; /* a tmpfs in a mount namespace of its own; below it: */
	char root[160], run[160], rootfs[160];
	char parent[64];  /* cgroup above those of the containers */
	char oci[64];     /* path of the OCI runtime */
	bool with_helper; /* else monitors do nothing by themselves, and nobody checks health */
	ctr_runtime_t *rt;
};

/* Runs `test` in a new PID and mount namespace, with a tmpfs, a busybox root file system and /proc of its own;
 * process 1 there reaps orphans as init does. `oci` is "runc" or "crun" (which gets a cgroup 2 host). Returns
 * what `test` returns; 1 if it dies or takes more than `limit_s`. */
int world_run(
    const char *oci, unsigned limit_s, int (*test)(struct world *w, void *arg), void *arg);

/* What a hanging test was doing: shown when it is killed for it. */
void world_doing(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Opens, with messages on stderr; exits with 1 on failure. */
void world_open(struct world *w);
void world_close(struct world *w);

/* What is left of containers: one line each in `text`; returns their number. */
size_t world_leftovers(const struct world *w, char *text, size_t size);
/* The same, after at most `patience_ms`. *ms = how long it took. */
size_t world_settled(const struct world *w, int patience_ms, int *ms, char *text, size_t size);

/* Takes away the cgroups of containers whose processes are dead. */
void world_remove_groups(const struct world *w);

/* A configuration: a shell that ends with 0 on SIGTERM. Exits with 1 on failure. Unref it. */
ctr_config_t *world_config(const struct world *w, const char *name);
/* The same with a health check every 20 ms. */
ctr_config_t *world_config_health(const struct world *w, const char *name);

int64_t world_now_us(void);

/* The process exists and is no zombie. */
bool world_alive(int32_t pid);

#endif
