/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libctr/policy.h - what happens when a container has ended, and when the machine has booted.
 *
 * A configuration with a restart policy (CTR_CONFIG_RESTART_POLICY) or automatic removal
 * (CTR_CONFIG_AUTO_REMOVE) makes its monitor run the program libctr-helper at each end, which calls
 * ctr_container_handle_exit(); so this needs no process of the host. A host whose OCI runtime is a plug-in
 * without CTR_OCI_CAP_EXIT_COMMAND calls it by itself.
 *
 * Every function can give the errors listed at the top of container.h.
 */
#ifndef LIBCTR_POLICY_H
#define LIBCTR_POLICY_H

#include <libctr/error.h>
#include <libctr/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What ctr_container_handle_exit() did. */
enum {
	CTR_EXIT_NOTHING = 0,  /* it lives, was dealt with already, or somebody is restarting it */
	CTR_EXIT_CLEANED = 1,  /* it was cleaned up: state exited                                */
	CTR_EXIT_REMOVED = 2,  /* automatic removal                                              */
	CTR_EXIT_RESTARTED = 3 /* it runs again                                                  */
};

#define CTR_EXIT_NO_DELAY (UINT64_C(1) << 0) /* do not wait before a restart */

/*
 * ctr_container_handle_exit: does what is to be done with a container that has ended: restarts it if its
 * restart policy says so, else removes it if it is to be removed automatically, else cleans it up.
 *   flags  CTR_EXIT_NO_DELAY
 * A restart needs all of this: the container ended by itself (not by ctr_container_stop(), _kill() or _remove()),
 * and nobody has dealt with this end yet; and the policy is "always" or "unless-stopped", or it is "on-failure",
 * the exit code is not 0, and there were fewer restarts than CTR_CONFIG_RESTART_RETRIES allows.
 * A restart comes 100 ms after the end, and each further one twice as long after it as the one before, up
 * to one minute; a run of ten seconds begins with 100 ms again. The lock is not held meanwhile: a start, stop
 * or removal by somebody else works at once, and is the end of this call.
 * Any number of callers in any processes may do this for one container: one of them restarts it. If a caller
 * is killed, the next one goes on where it was.
 * Any state; one that has not ended is left alone. Events: restart, cleanup, init, start; or cleanup; or remove.
 * Returns CTR_EXIT_*; a container that is gone is CTR_EXIT_NOTHING. Errors: those of ctr_container_start() if the
 *   restart failed (the container is then cleaned up, and ctr_container_error_text() tells why; there is no
 *   further try), of ctr_container_cleanup(), ctr_container_remove(); CTR_E_BUSY (inside a batch).
 * Since: 0.1
 */
CTR_API int ctr_container_handle_exit(ctr_container_t *c, uint64_t flags, ctr_error_t **err);

/*
 * ctr_runtime_should_start: IDs of the containers that are to be started after a boot: those that have
 * been started before (neither configured nor created), with the restart policy "always", or "unless-stopped"
 * unless a caller stopped them. Ones that cannot be read are left out.
 *   ids   full IDs; owned (ctr_strv_free); an empty list if there is none
 * Since: 0.1
 */
CTR_API int ctr_runtime_should_start(ctr_runtime_t *rt, char ***ids, ctr_error_t **err);

/*
 * ctr_runtime_boot: to be called once after a boot (or run `libctr-helper boot`): starts what
 * ctr_runtime_should_start() lists and does not run, each after the containers it depends on; goes on with
 * restarts and automatic removals that were interrupted by whatever; ends removals that were; and has the health
 * checks of running containers go on whose process was killed. Harmless at any other time. One failing container does not keep the others waiting.
 *   flags  0
 * Returns how many containers were started or removed. Errors: if some failed, the code of the first; detail
 *   "failed" has their IDs, comma-separated, and the log the reasons.
 * Since: 0.1
 */
CTR_API int ctr_runtime_boot(ctr_runtime_t *rt, uint64_t flags, ctr_error_t **err);

#ifdef __cplusplus
}
#endif
#endif
