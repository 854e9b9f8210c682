/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of a container that has ended: restart policy, automatic removal, and who sees to it. */
#ifndef LIBCTR_CORE_POLICY_H
#define LIBCTR_CORE_POLICY_H

#include "core/container.h"

/* Is there a restart policy other than "no"? */
bool ctr__has_restart_policy(const ctr_config_t *cfg);
/* Must something be done at its end, whether or not anybody is there? */
bool ctr__wants_exit_command(const ctr_config_t *cfg);
/* The lock is held and an end is about to be recorded: is it one that a restart policy applies to? */
bool ctr__ends_by_itself(const struct ctr_container *c);
/* Does the policy want it started again? */
bool ctr__policy_restarts(const ctr_config_t *cfg, const struct ctr__state *s);
/* How long after its end, and what to remember for the next time. */
uint32_t ctr__restart_delay_ms(const struct ctr__state *s);

/* Is a restart under way whose process lives? The lock is held. */
bool ctr__is_being_restarted(const struct ctr_container *c);

/* CTR_EXIT_*. */
int ctr__handle_exit(struct ctr_container *c, uint64_t flags, ctr_error_t **err);

/* restart.c: timeout and signal as for a stop. only_running: in other states nothing is done. */
struct ctr__stop;
int ctr__restart(
    struct ctr_container *c, const struct ctr__stop *o, bool only_running, ctr_error_t **err);

/* boot.c: is it to be started after a boot? IDs of those; owned. */
bool ctr__starts_on_boot(const ctr_config_t *cfg, const struct ctr__state *s);
int ctr__should_start(struct ctr_runtime *rt, char ***out, ctr_error_t **err);
/* How many were started or removed. */
int ctr__boot(struct ctr_runtime *rt, ctr_error_t **err);

/* exit_command.c: what the monitor is to run; *out is NULL if nothing, else owned. CTR_E_NO_HELPER. */
int ctr__exit_command(struct ctr_container *c, char ***out, ctr_error_t **err);
/* The helper's program and subcommand, and all that it needs to open the same runtime. False if memory is short. */
bool ctr__helper_command(const struct ctr_runtime *rt, const char *what, char ***words);

#endif
