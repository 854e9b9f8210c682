/* SPDX-License-Identifier: Apache-2.0 */
/* The operations. Each enters and leaves by itself unless its name ends in _locked. */
#ifndef LIBCTR_CORE_LIFECYCLE_H
#define LIBCTR_CORE_LIFECYCLE_H

#include <poll.h>

#include "core/container.h"

int ctr__create(
    struct ctr_runtime *rt, const ctr_config_t *cfg, struct ctr_container **out, ctr_error_t **err);
int ctr__init(struct ctr_container *c, ctr_error_t **err);
int ctr__start(struct ctr_container *c, ctr_error_t **err);
/* Who starts it: a start by hand begins to count restarts anew. */
enum ctr__by { CTR__BY_HAND, CTR__BY_POLICY };
/* By hand, in a state that allows it. The lock is held. */
int ctr__init_locked(struct ctr_container *c, ctr_error_t **err);
/* In a state that allows a start. */
int ctr__start_locked(struct ctr_container *c, enum ctr__by by, ctr_error_t **err);
/* The same with something to do between create and start. If that or the start fails, `failed` is called before the
 * container is cleaned up. */
struct ctr__start_hook {
	int (*created)(struct ctr_container *c, void *arg, ctr_error_t **err);
	void (*failed)(void *arg); /* undoes it; it may be called again after that */
	void *arg;
};
int ctr__start_hooked_locked(struct ctr_container *c, enum ctr__by by,
    const struct ctr__start_hook *hook, ctr_error_t **err);

struct ctr__stop {
	int64_t timeout_ms; /* -1 = no limit, 0 = SIGKILL at once */
	int32_t signal;
	bool by_user;
};
int ctr__stop(struct ctr_container *c, const struct ctr__stop *o, ctr_error_t **err);
/* Stops a live container: the lock is let go meanwhile, and held again afterwards. */
int ctr__stop_locked(struct ctr__guard *g, const struct ctr__stop *o, ctr_error_t **err);

int ctr__kill(struct ctr_container *c, int32_t sig, ctr_error_t **err);
int ctr__pause(struct ctr_container *c, ctr_error_t **err);
int ctr__unpause(struct ctr_container *c, ctr_error_t **err);
/* running -> paused and back. The lock is held. */
int ctr__pause_locked(struct ctr_container *c, ctr_error_t **err);
int ctr__unpause_locked(struct ctr_container *c, ctr_error_t **err);
int ctr__cleanup(struct ctr_container *c, bool only_stopped, ctr_error_t **err);
/* stopped -> exited, created -> configured. The lock is held. */
int ctr__cleanup_locked(struct ctr_container *c, ctr_error_t **err);
/* Tears down everything of a run: OCI runtime, mounts, run directory. Goes on after errors and returns the
 * first; does not save. interrupted: an init may be half done. */
int ctr__teardown_locked(struct ctr_container *c, bool interrupted, ctr_error_t **err);
/* Does a run go on of which nothing is recorded? The run root was lost (wiped, not rebooted) while the container
 * lived; its cgroup tells. */
bool ctr__has_stray_run(const struct ctr_container *c, const struct ctr__paths *paths);
/* The root file system, mounted or unmounted by the storage driver (the lock is held, nothing is saved). */
int ctr__storage_mount(struct ctr_container *c, char *path, size_t path_size, ctr_error_t **err);
int ctr__storage_unmount(struct ctr_container *c, ctr_error_t **err);
int ctr__container_storage(struct ctr_container *c, struct ctr__storage **out, ctr_error_t **err);
/* Sets the state's fields to "nothing of a run is left". */
void ctr__state_clear_run(struct ctr__state *s);
int ctr__remove(struct ctr_container *c, bool force, ctr_error_t **err);
int ctr__wait(struct ctr_container *c, int64_t timeout_ms, int32_t *code, ctr_error_t **err);
int ctr__wait_fd(struct ctr_container *c, ctr_error_t **err);
int ctr__refresh(struct ctr_container *c, ctr_error_t **err);
int ctr__sync(struct ctr_container *c, ctr_error_t **err);
/* Asks the OCI runtime and corrects the state; *changed. The lock is held. */
int ctr__sync_locked(struct ctr_container *c, bool *changed, ctr_error_t **err);
int ctr__mount(struct ctr_container *c, char **path, ctr_error_t **err);
int ctr__unmount(struct ctr_container *c, bool force, ctr_error_t **err);
int ctr__batch(struct ctr_container *c, int (*fn)(struct ctr_container *view, void *userdata),
    void *userdata, ctr_error_t **err);

/* ---- awaiting the end (wait.c) ---- */

/* Descriptors to poll while a container lives; -1 = none. */
struct ctr__watch {
	int monitor; /* the driver's: readable when the exit may be recorded, or never will be */
	int process; /* pidfd of the first process, used if there is no monitor                */
	int guard;   /* pidfd of a monitor that runs an exit command after it has recorded the
	              * end: then the driver's descriptor tells of the process alone           */
	unsigned int looks; /* for a record that is due, so far */
	bool gone;          /* there is no such process any more */
};
#define CTR__WATCH_INIT              \
	{                            \
		-1, -1, -1, 0, false \
	}
void ctr__watch_close(struct ctr__watch *w);
#define CTR__WATCH CTR__CLEANUP(ctr__watch_close)
/* With the lock held. */
int ctr__watch_open(struct ctr_container *c, struct ctr__watch *w, ctr_error_t **err);
/* Without the lock. 1 = something may have happened, 0 = timeout, CTR_E_RUNTIME_STOPPED. */
int ctr__watch_poll(
    struct ctr_container *c, struct ctr__watch *w, int64_t timeout_ms, ctr_error_t **err);
/* The process has ended, and its monitor, which has more to do than to record that, is about to. */
bool ctr__watch_record_is_due(const struct ctr__watch *w);
/* With the lock held, after a poll: takes over the exit; if nobody will record it any more, finds out as much
 * as can be and records that (exit code -1 unless the kernel still knows). *lost = the code is not the
 * container's own. */
int ctr__watch_settle(
    struct ctr_container *c, const struct ctr__watch *w, bool *lost, ctr_error_t **err);

/* What a wait for the end remembers between its looks. */
struct ctr__waiter {
	struct ctr__watch w;
	int32_t pid; /* of the run that is waited for; 0 = not seen yet */
	uint64_t pid_start;
	int64_t started_ns; /* ... when it began; 0 = it has not, or not been seen */
	int32_t code;
};
void ctr__waiter_close(struct ctr__waiter *wt);
#define CTR__WAITER CTR__CLEANUP(ctr__waiter_close)
/* One look with the lock held; prepares to wait if it lives. 1 = ended, and the code is set. */
int ctr__wait_look_locked(struct ctr_container *c, struct ctr__waiter *wt, ctr_error_t **err);
/* Of the exit code table; CTR_E_CTR_REMOVED if there is none. */
int ctr__code_of_removed(struct ctr_container *c, int32_t *code, ctr_error_t **err);

/* How often an OCI runtime without wait_fd is asked (libpod's default interval). */
#define CTR__ASK_EVERY_MS 250
/* Monotonic nanoseconds; -1 = never. */
int64_t ctr__wait_deadline(int64_t timeout_ms);
bool ctr__wait_passed(int64_t deadline_ns);
int ctr__wait_remaining_ms(int64_t deadline_ns); /* for poll() */
/* poll() until something is readable or the time has come. */
int ctr__poll_until(struct pollfd *p, nfds_t n_fds, int64_t end_ns);
/* A record that is due cannot be polled for: when there may be something to see. */
int64_t ctr__watch_next_look(struct ctr__watch *w);

/* ---- waiting for conditions (wait_for.c) ---- */

struct ctr__wait_for {
	const char *const *conditions;
	int64_t timeout_ms;  /* -1 = no limit */
	int64_t interval_ms; /* > 0 */
	int cancel_fd;       /* -1 = none */
};
int ctr__wait_for(
    struct ctr_container *c, const struct ctr__wait_for *o, int32_t *code, ctr_error_t **err);

/* ---- undo (undo.c) ---- */

/* What has been done and how to undo it; the newest first. Undoing twice, or what was never done, must be
 * harmless for every step. */
struct ctr__undo {
	struct {
		int (*fn)(void *arg, ctr_error_t **err);
		void *arg;
	} step[8];
	size_t n;
};
void ctr__undo_push(struct ctr__undo *u, int (*fn)(void *arg, ctr_error_t **err), void *arg);
/* Runs all steps in reverse; failures are logged. */
void ctr__undo_run(struct ctr__undo *u, struct ctr_container *c);

#endif
