/* SPDX-License-Identifier: Apache-2.0 */
/* One more process of a running container: what the bundle says of the first one, with changes. */
#ifndef LIBCTR_CORE_PROCESS_H
#define LIBCTR_CORE_PROCESS_H

#include <libctr/exec.h>

#include "core/container.h"
#include "util/json.h"

/* The bundle; `process` is in it, an object without what is of its first process only. */
struct ctr__process {
	struct ctr__json_doc *doc;
	struct ctr__json *object;
};
void ctr__process_free(struct ctr__process *p);
#define CTR__PROCESS CTR__CLEANUP(ctr__process_free)
int ctr__process_load(
    const char *config_json, const char *ctr_id, struct ctr__process *p, ctr_error_t **err);
/* Sets its arguments. False if memory is short. */
bool ctr__process_set_args(struct ctr__process *p, const char *const *args, bool terminal);

/* exec_process.c: appends the process of an exec session. The lock is held, and the container runs. CTR_E_INVALID with
 * detail "field". */
int ctr__process_for_exec(struct ctr_container *c, const struct ctr_exec_opts *o,
    struct ctr__buf *out, ctr_error_t **err);

#endif
