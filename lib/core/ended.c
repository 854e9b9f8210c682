/* SPDX-License-Identifier: Apache-2.0 */
/* Containers that ran when they were looked at, and ended before somebody could make use of them. */
#include <string.h>

#include "core/dependencies.h"
#include "sys/proc.h"
#include "util/cleanup.h"

/* How long a dying process may take until its end is on record. */
#define END_MS 5000

/* Is the error about this one: its end just now (join.h), or that it does not run (ctr__dependencies_check())? */
static bool names(const ctr_error_t *e, const char *id)
{
	return ctr__streq(ctr_error_get(e, "dependency"), id) ||
	       (ctr_error_get(e, "dependencies") && ctr_error_get(e, id));
}

static bool is_named(
    const char *id, const struct ctr__outcome *out, size_t n, const ctr_error_t *why)
{
	bool found = names(why, id);

	for (size_t i = 0; i < n && !found; i++)
		found = names(out[i].err, id);
	return found;
}

/* 1 = not in a run that is over and of which that is not on record. */
static int look(struct ctr_container *c, struct ctr__waiter *wt)
{
	CTR__GUARD struct ctr__guard g;
	int r = ctr__enter(c, CTR__OP_READ, CTR__LOOK_NOW, &g, NULL);

	if (r < 0)
		return r;
	if (!ctr__state_is_live(c->state.state) || c->state.pid <= 0 ||
	    !ctr__proc_is_over(c->state.pid, c->state.pid_start))
		return 1;
	return ctr__wait_look_locked(c, wt, NULL);
}

/* The process is dying or dead: until it can be started again. */
static bool await_record(struct ctr_container *c)
{
	CTR__WAITER struct ctr__waiter wt = {.w = CTR__WATCH_INIT};
	int64_t end = ctr__wait_deadline(END_MS);
	int r;

	while ((r = look(c, &wt)) == 0 && !ctr__wait_passed(end)) {
		r = ctr__watch_poll(c, &wt.w, ctr__wait_remaining_ms(end), NULL);
		if (r < 0)
			break;
	}
	return r > 0;
}

bool ctr__ended_since(struct ctr_container *const *list, size_t n, const struct ctr__outcome *out,
    const ctr_error_t *why)
{
	bool any = false;

	for (size_t i = 0; i < n; i++)
		if (out[i].nothing_to_do && is_named(list[i]->id, out, n, why))
			any = await_record(list[i]) || any;
	return any;
}
