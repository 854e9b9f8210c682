/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests with real containers: a store, a busybox root file system and a real OCI runtime of their own, and
 * the proof that nothing is left of it all. On top of fixture.h, whose macros serve here too.
 */
#ifndef TESTS_SUPPORT_REAL_H
#define TESTS_SUPPORT_REAL_H

#include "fixture.h"

#include <stdbool.h>
#include <sys/types.h>

/* Longer than anything may take on a busy machine; nothing that works waits for so long. */
#define PATIENCE_MS 60000

struct real {
	char dir[128]; /* temporary directory: root, run, rootfs below it */
	char root[160], run[160], rootfs[160];
	char cgroup[64]; /* parent of its containers' cgroups */
	ctr_runtime_t *rt;
};

/* Takes the runtime's name from the arguments: "runc" or "crun". Call it first in main(). */
void real_init(int argc, char **argv);
extern char real_runtime[]; /* its name */
extern char real_path[];    /* its path */
bool real_is_runc(void);
bool real_is_cgroup2(void);

/* cmocka setup and teardown: *state is a struct real. Teardown removes the containers that are left by force and
 * checks that no process, mount, cgroup or file of any of them is left. */
int real_setup(void **state);
int real_teardown(void **state);

/* The same without cmocka. real_free() says what is left on standard error and returns false. */
struct real *real_new(void);
bool real_free(struct real *r);

/* Another open of the same store. */
ctr_runtime_t *real_open(const struct real *r);

/* A builder for "/bin/sh -c SCRIPT" (NULL: no command yet) on the root file system. */
ctr_config_builder_t *real_builder(const struct real *r, const char *script);
/* Creates; frees the builder. */
ctr_container_t *real_create_from(const struct real *r, ctr_config_builder_t *b);
ctr_container_t *real_create(const struct real *r, const char *script);
/* Creates and starts; with a `ready` script waits until it has said "ready". */
ctr_container_t *real_start(const struct real *r, const char *script);
ctr_container_t *real_start_ready(const struct real *r, const char *script);

/* Ends with code 5 on SIGTERM, once it is ready. As first process it ignores other signals. */
#define ENDS_ON_TERM "trap 'exit 5' TERM; echo ready; sleep 1000 & wait"
/* A first process without a handler ignores SIGTERM. */
#define IGNORES_TERM "echo ready; sleep 1000; true"

/* Runs a container to its end, checks its code, removes it. Returns what it wrote to standard output and error
 * (malloc'ed). Frees the builder. */
char *real_output(const struct real *r, ctr_config_builder_t *b, int32_t code);
/* As above for a script and code 0, compared. */
void real_says(const struct real *r, ctr_config_builder_t *b, const char *expected);

int32_t real_wait(ctr_container_t *c); /* the code; fails after PATIENCE_MS */
int32_t real_pid(ctr_container_t *c);
int32_t real_conmon_pid(ctr_container_t *c);
void real_remove(ctr_container_t *c, uint64_t flags); /* and drops the handle */

/* Text of a file, "" if it cannot be read. malloc'ed. */
char *real_slurp(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *real_log(ctr_container_t *c);                        /* its log, as it is */
void real_await_log(ctr_container_t *c, const char *text); /* until the log has it */
/* ... so many times: the log goes on from run to run. */
void real_await_log_times(ctr_container_t *c, const char *text, int times);

/* Is the limit of this controller ("memory", "pids") there for containers? */
bool real_has_controller(const char *name);
/* A file of its cgroup: by its names with cgroup 1 and 2. malloc'ed, without the newline. */
char *real_cgroup_file(
    ctr_container_t *c, const char *controller, const char *v1_name, const char *v2_name);

/* Until a process has ended (zombies count as ended). */
void real_await_end(pid_t pid);
bool real_alive(pid_t pid);

int64_t real_now_ms(void); /* monotonic */

/* Runs fn(r, arg) in a process of its own, with an open runtime of its own in r->rt. Failing cmocka checks end
 * the process. real_join() checks that it ended well. */
pid_t real_fork(const struct real *r, void (*fn)(struct real *r, void *arg), void *arg);
void real_join(pid_t pid);

#endif
