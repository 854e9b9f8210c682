/* SPDX-License-Identifier: Apache-2.0 */
/* Undoing, in reverse, what an operation has done before it failed. */
#include "core/lifecycle.h"
#include "util/cleanup.h"

void ctr__undo_push(struct ctr__undo *u, int (*fn)(void *arg, ctr_error_t **err), void *arg)
{
	u->step[u->n].fn = fn;
	u->step[u->n].arg = arg;
	u->n++;
}

void ctr__undo_run(struct ctr__undo *u, struct ctr_container *c)
{
	while (u->n) {
		CTR__ERROR ctr_error_t *why = NULL;

		u->n--;
		if (u->step[u->n].fn(u->step[u->n].arg, &why) < 0)
			ctr__log(c->rt, CTR_LOG_WARNING, c->id, "undoing failed: %s",
			    ctr_error_message(why));
	}
}
