/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Real containers for the tests of the built-in OCI driver, and the proof that nothing is left of them.
 * Needs root and a static busybox.
 *
 *   CTR_TEST_RUNTIME   path of the runtime (default: runc)
 *   CTR_TEST_CGROUP2   if set: run with a pure cgroup v2 at /sys/fs/cgroup, in a mount namespace of its own
 */
#ifndef LIBCTR_TESTS_INTEGRATION_OCI_WORLD_H
#define LIBCTR_TESTS_INTEGRATION_OCI_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

#include "oci/driver.h"
#include "oci/oci.h"
#include "util/cleanup.h"

#define PATIENCE_MS 20000

struct world {
	char base[128];   /* temporary directory */
	char run[160];    /* run root */
	char rootfs[160]; /* busybox */
	char parent[64];  /* cgroup above those of the containers */
	char *runtime;
	char *conmon;
	struct ctr__oci *oci;
	atomic_int next;
};
extern struct world world;

/* For cmocka_run_group_tests(). */
int open_world(void **state);
int close_world(void **state);

const struct ctr__conmon *driver(void);
bool is_runc(void);
/* A driver of another runtime or monitor on the same run root. Free with ctr__oci_free(). */
struct ctr__oci *other_driver(const char *runtime, const char *conmon);

void put_file(const char *dir, const char *name, mode_t mode, const char *content);
bool exists(const char *dir, const char *name);
char *slurp(const char *dir, const char *name); /* "" if absent */

/* One container. */
struct box {
	struct ctr_oci_container c;
	struct ctr__oci *oci;
	char id[64];
	char bundle[256];
	char cgroup[160];
	char log[300];
};

/* What a container's configuration may want to be different. */
struct wish {
	const char *command; /* for "sh -c" */
	const char *args;    /* or the JSON array itself */
	bool terminal;
	bool host_pid;
};

/* A program that lives until it is told to go. */
#define ASLEEP \
	(&(struct wish){.command = "trap 'exit 7' TERM; while :; do sleep 1000 & wait; done"})

void box_make(struct box *b, const struct wish *w);
void box_write_config(const struct box *b, const struct wish *w);
int box_create(struct box *b, ctr_error_t **err);
int box_start(struct box *b, ctr_error_t **err);
int box_kill(struct box *b, int sig, ctr_error_t **err);
int box_remove(struct box *b, ctr_error_t **err);
int box_recover(struct box *b, ctr_error_t **err);
int box_pause(struct box *b, ctr_error_t **err);
int box_resume(struct box *b, ctr_error_t **err);
struct ctr_oci_status box_state(struct box *b);
int box_exit_status(struct box *b, struct ctr_oci_status *s);
int box_monitor_alive(struct box *b);
/* Waits as a host would: the descriptor, then the exit data. */
int32_t box_wait(struct box *b);
/* Forgets the processes, as a host does that has only just started. */
void box_forget(struct box *b);

bool readable(int fd, int timeout_ms);
void wait_gone(pid_t pid, uint64_t start);

/* The operation must succeed. */
#define MUST(fn, b)                                                                     \
	do {                                                                            \
		CTR__ERROR ctr_error_t *must_ = NULL;                                   \
		int must_rc_ = fn((b), &must_);                                         \
		if (must_rc_ < 0)                                                       \
			fail_msg("%s: %d %s", #fn, must_rc_, ctr_error_message(must_)); \
	} while (0)

#define CREATE(b) MUST(box_create, b)
#define START(b)  MUST(box_start, b)
#define REMOVE(b) MUST(box_remove, b)

/* No process, cgroup, state, exit file or file of the monitor is left. */
void assert_clean(const struct box *b);

/* One whole life, and one create that fails. */
void live_once(void);

#endif
