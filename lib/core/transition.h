/* SPDX-License-Identifier: Apache-2.0 */
/* The state x operation table (transitions.def) as data. */
#ifndef LIBCTR_CORE_TRANSITION_H
#define LIBCTR_CORE_TRANSITION_H

#include <stdint.h>

#include "util/err.h"

#define CTR__STATES 9

enum ctr__op {
#define CTR_OP(name, word, unk, cfg, cre, run, stp, pau, exi, rem, stg) CTR__OP_##name,
#include "core/transitions.def"
#undef CTR_OP
	CTR__OP_COUNT
};

enum ctr__verdict {
	CTR__GO, /* allowed                */
	CTR__NO, /* CTR_E_CTR_STATE        */
	CTR__RN, /* CTR_E_CTR_RUNNING      */
	CTR__ST, /* CTR_E_CTR_STOPPED      */
	CTR__NP  /* success, nothing to do */
};

enum ctr__verdict ctr__transition(enum ctr__op op, int32_t state);
/* Names of states, as public functions tell them. */
const char *ctr__state_name(int32_t state);
int ctr__state_parse(const char *name, int32_t *state, ctr_error_t **err);

const char *ctr__op_word(enum ctr__op op);

#endif
