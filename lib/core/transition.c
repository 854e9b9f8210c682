/* SPDX-License-Identifier: Apache-2.0 */
/* The state x operation table, and the names of states. */
#include "core/transition.h"

#include <string.h>

#include <libctr/state.h>

#include "util/cleanup.h"

struct row {
	const char *word;
	unsigned char verdict[CTR__STATES];
};

static const struct row rows[] = {
#define CTR_OP(name, word, unk, cfg, cre, run, stp, pau, exi, rem, stg)                        \
	[CTR__OP_##name] = {word, {CTR__##unk, CTR__##cfg, CTR__##cre, CTR__##run, CTR__##stp, \
	                              CTR__##pau, CTR__##exi, CTR__##rem, CTR__##stg}},
#include "core/transitions.def"
#undef CTR_OP
};

enum ctr__verdict ctr__transition(enum ctr__op op, int32_t state)
{
	if (state < 0 || state >= CTR__STATES)
		state = CTR_STATE_UNKNOWN;
	return (enum ctr__verdict)rows[op].verdict[state];
}

const char *ctr__op_word(enum ctr__op op)
{
	return rows[op].word;
}

static const char *const names[] = {
    [CTR_STATE_UNKNOWN] = "unknown",
    [CTR_STATE_CONFIGURED] = "created",
    [CTR_STATE_CREATED] = "initialized",
    [CTR_STATE_RUNNING] = "running",
    [CTR_STATE_STOPPED] = "stopped",
    [CTR_STATE_PAUSED] = "paused",
    [CTR_STATE_EXITED] = "exited",
    [CTR_STATE_REMOVING] = "removing",
    [CTR_STATE_STOPPING] = "stopping",
};

const char *ctr__state_name(int32_t state)
{
	if (state < 0 || state >= (int32_t)CTR__ARRAY_SIZE(names))
		return "bad state";
	return names[state];
}

int ctr__state_parse(const char *name, int32_t *state, ctr_error_t **err)
{
	for (size_t i = 0; i < CTR__ARRAY_SIZE(names); i++) {
		if (strcmp(name, names[i]) == 0) {
			*state = (int32_t)i;
			return 0;
		}
	}
	/* libpod's manual page knows this word, its parser does not. */
	if (strcmp(name, "configured") == 0) {
		*state = CTR_STATE_CONFIGURED;
		return 0;
	}
	return ctr__fail(err, CTR_E_INVALID, "\"%s\" is no state of a container", name);
}
