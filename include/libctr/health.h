/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libctr/health.h - does the container's service work?
 *
 * A configuration may have a health check (CTR_CONFIG_HEALTHCHECK): a JSON object
 *
 *	{"Test": ["CMD-SHELL", "curl -f http://localhost/"], "Interval": 30000000000,
 *	 "Timeout": 30000000000, "StartPeriod": 0, "Retries": 3}
 *
 * Test is what runs in the container: ["NONE"] nothing; ["CMD", word, ...] the words; ["CMD-SHELL", text]
 * "/bin/sh -c text"; any other list, its words. Times are nanoseconds: from the end of one check to the next
 * (default 30 s; 0 = only when asked), the longest that one may take (30 s), and how long after the start failures
 * do not count (0). After Retries failures in a row (3) the container is unhealthy; one success makes it healthy.
 *
 * With CTR_CONFIG_STARTUP_HEALTHCHECK, another such object with "Successes" (default 1), that check runs instead
 * until it has succeeded so often in a row. If it fails Retries times in a row the container is restarted; 0, here
 * the default, = never.
 *
 * CTR_CONFIG_HEALTH_ON_FAILURE says what is done with a container that is unhealthy. A kill or a stop counts as one by
 * the user: a restart policy does not bring the container back.
 *
 * While a container runs, a small process ("libctr-helper health") runs the checks, so they go on when the program
 * that started the container has ended. It ends with the container. If it is killed, ctr_container_sync(),
 * ctr_runtime_boot() and the next start begin anew. Where the helper is not installed
 * (ctr_open_opts), checks run only when a program asks for them by ctr_container_healthcheck_run().
 */
#ifndef LIBCTR_HEALTH_H
#define LIBCTR_HEALTH_H

#include <libctr/error.h>
#include <libctr/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Health of a container. Numbers are stored. */
enum {
	CTR_HEALTH_NONE = 0,     /* it has no health check, or never ran                     */
	CTR_HEALTH_STARTING = 1, /* started, no verdict yet                                  */
	CTR_HEALTH_HEALTHY = 2,
	CTR_HEALTH_UNHEALTHY = 3,
	CTR_HEALTH_STOPPED = 4, /* it ended during a check                                  */
	CTR_HEALTH_RESET = 5    /* created anew, not started yet                            */
};

/* What is done with an unhealthy container. Numbers are libpod's. */
enum {
	CTR_HEALTH_ACTION_NONE = 0,
	CTR_HEALTH_ACTION_KILL = 2, /* as ctr_container_kill() with SIGKILL                     */
	CTR_HEALTH_ACTION_RESTART =
	    3,                     /* as ctr_container_restart(), whatever the restart policy  */
	CTR_HEALTH_ACTION_STOP = 4 /* as ctr_container_stop()                                  */
};

/* Results of a run. Numbers are libpod's. */
enum {
	CTR_HEALTHCHECK_SUCCESS = 0,
	CTR_HEALTHCHECK_FAILURE = 1,
	CTR_HEALTHCHECK_STOPPED = 2,     /* the container does not run                       */
	CTR_HEALTHCHECK_NOT_FOUND = 3,   /* the container has been removed                   */
	CTR_HEALTHCHECK_NOT_DEFINED = 4, /* it has no health check                           */
	CTR_HEALTHCHECK_INTERNAL = 5,    /* the check could not be run                       */
	CTR_HEALTHCHECK_DEFINED = 6,     /* has a check; not given by a run                  */
	CTR_HEALTHCHECK_STARTUP = 7      /* the startup check failed                         */
};

/*
 * ctr_health_name: "" (none), "starting", "healthy", "unhealthy", "stopped", "reset"; "" for other numbers.
 * Static.
 * Since: 0.1
 */
CTR_API const char *ctr_health_name(int32_t health);

/*
 * ctr_container_healthcheck_run: runs the container's health check once and records its result: state, log,
 * event health_status. Allowed in: running.
 *   flags   0
 *   result  CTR_HEALTHCHECK_*; may be NULL; also set on failure
 * A check that fails is not an error: 0 is returned with the result FAILURE or STARTUP. The container's lock is not
 * held while the check runs; it is killed, with its children, after its timeout. If the container ends meanwhile the
 * result is not counted. What is to be done with an unhealthy container is done before this returns.
 * Event: health_status. Exit codes in the log: 0, 1 (failed, or the command could not be executed), 125 (the OCI
 * runtime failed), -1 (timeout).
 * Errors: CTR_E_NO_HEALTHCHECK, CTR_E_CTR_STATE, CTR_E_CTR_STOPPED, CTR_E_BUSY (inside a batch), CTR_E_UNSUPPORTED
 *   (the OCI runtime cannot run a second process), ...
 * Since: 0.1
 */
CTR_API int ctr_container_healthcheck_run(
    ctr_container_t *c, uint64_t flags, int32_t *result, ctr_error_t **err);

/* ctr_container_health_status: CTR_HEALTH_*. Zero: CTR_HEALTH_NONE. Since: 0.1 */
CTR_API int ctr_container_health_status(ctr_container_t *c, int32_t *health, ctr_error_t **err);

/*
 * ctr_container_health_log: the last results as JSON: {"Status": "healthy", "FailingStreak": 0, "Log": [{"Start",
 * "End", "ExitCode", "Output"}, ...]}, the newest last. How many entries are kept, and how much of each output, says
 * the configuration. Without a directory of its own (CTR_CONFIG_HEALTH_LOG_DESTINATION) it goes with the run
 * directory when the container is cleaned up; then, and before the first check, Log is empty.
 *   out   owned (ctr_free)
 *   len   may be NULL
 * Errors: CTR_E_NO_HEALTHCHECK, CTR_E_STORE_CORRUPT (the file is damaged), ...
 * Since: 0.1
 */
CTR_API int ctr_container_health_log(
    ctr_container_t *c, char **out, size_t *len, ctr_error_t **err);

/*
 * ctr_container_health_pid: PID of the process that runs the checks; 0 if none. Zero: 0. Since: 0.1
 */
CTR_API int ctr_container_health_pid(ctr_container_t *c, int32_t *pid, ctr_error_t **err);

#ifdef __cplusplus
}
#endif
#endif
