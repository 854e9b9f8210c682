/* SPDX-License-Identifier: Apache-2.0 */
/* The frame of every operation: the door, the lock, a current state, the transition table. */
#include <string.h>

#include "core/container.h"
#include "core/lifecycle.h"
#include "core/pod.h"
#include "util/cleanup.h"

/* A view is good for the thread and the time of its callback. */
static int check_view(const struct ctr_container *v, unsigned how, ctr_error_t **err)
{
	if (atomic_load_explicit(&v->ended, memory_order_acquire))
		return ctr__fail(err, CTR_E_CTR_REMOVED, "this batch view ended with its batch");
	if (v->owner != &ctr__in_log)
		return ctr__fail(
		    err, CTR_E_INVALID, "a batch view was used outside of its callback's thread");
	if (how & CTR__IN_BATCH_BUSY)
		return ctr__fail(err, CTR_E_BUSY, "not possible inside a batch");
	if (how & CTR__IN_BATCH_INVALID)
		return ctr__fail(err, CTR_E_INVALID, "a batch inside a batch is not possible");
	return 0;
}

static inline int door(
    struct ctr_container *c, unsigned how, struct ctr_container **core, ctr_error_t **err)
{
	int r;

	if (!c)
		return ctr__fail(err, CTR_E_INVALID, "container is NULL");
	r = ctr__runtime_enter(c->rt, err);
	if (r < 0)
		return r;
	if (!c->outer) {
		*core = c;
		return 0;
	}
	*core = c->outer;
	return check_view(c, how, err);
}

int ctr__enter_check(
    struct ctr_container *c, unsigned how, struct ctr_container **core, ctr_error_t **err)
{
	return door(c, how, core, err);
}

/* In a batch another container's lock is held already, and what is wanted now need not come after it: its holder may be
 * about to lock that one (a dependency). So it is not waited for as long as it takes. */
static int64_t lock_timeout_ms(const struct ctr_container *c, bool *bounded)
{
	int64_t given = c->rt->lock_timeout_ms;

	*bounded = ctr__in_batch() && (given < 0 || given > CTR__BATCH_PATIENCE_MS);
	return *bounded ? CTR__BATCH_PATIENCE_MS : given;
}

/* Not free, or its owner has died. */
__attribute__((noinline)) static int wait_for_slot(
    struct ctr_container *c, int tried, bool *owner_died, ctr_error_t **err)
{
	CTR__ERROR ctr_error_t *why = NULL;
	bool bounded;
	int64_t timeout_ms = lock_timeout_ms(c, &bounded);
	int r = ctr__slot_wait(c->slot, tried, timeout_ms, &c->rt->stopped, owner_died, &why);

	if (r >= 0)
		return r;
	if (r == CTR_E_LOCKED && bounded)
		r = ctr__fail(err, CTR_E_BUSY,
		    "container %s is in use; inside a batch it is not waited for any longer",
		    c->id);
	else if (err)
		*err = CTR__STEAL_PTR(why);
	ctr__error_detail(err, "container", c->id);
	return r;
}

static int lock(struct ctr_container *c, ctr_error_t **err)
{
	bool owner_died = false;
	int r = ctr__slot_try(c->slot);

	if (r == 0)
		return 0;
	r = wait_for_slot(c, r, &owner_died, err);
	if (r < 0)
		return r;
	if (!owner_died)
		return 0;
	/* What it had committed may not be visible yet, and what we remember may be stale. */
	c->gen = CTR__GEN_NONE;
	r = ctr__store_settle(c->rt->store, err);
	if (r < 0)
		ctr__slot_unlock(c->slot);
	return r;
}

/* Brings the state up to date; the lock is held. */
static int update(struct ctr_container *c, unsigned how, ctr_error_t **err)
{
	int r = ctr__load(c, err);

	if (r < 0)
		return r;
	if (c->state.intent != CTR__INTENT_NONE) {
		CTR__ERROR ctr_error_t *why = NULL;

		r = ctr__recover(c, (how & CTR__REPAIR) ? err : &why);
		if (r < 0 && (how & CTR__REPAIR))
			return r;
		if (r < 0)
			ctr__log(c->rt, CTR_LOG_WARNING, c->id,
			    "cannot yet repair what a killed process left: %s",
			    ctr_error_message(why));
	}
	return ctr__look(c, how & CTR__LOOK_NOW, err);
}

int ctr__allowed(struct ctr_container *c, enum ctr__op op, ctr_error_t **err)
{
	const char *state = ctr__state_name(c->state.state);
	const char *name = c->cfg->name;
	int code;

	switch (ctr__transition(op, c->state.state)) {
	case CTR__GO: return 0;
	case CTR__NP: return 1;
	case CTR__RN:
		code = ctr__fail(err, CTR_E_CTR_RUNNING, "container %s is already running", name);
		break;
	case CTR__ST:
		code = ctr__fail(err, CTR_E_CTR_STOPPED,
		    "container %s has already ended (state %s)", name, state);
		break;
	default:
		code = ctr__fail(err, CTR_E_CTR_STATE,
		    "container %s: %s is not possible in state %s", name, ctr__op_word(op), state);
		break;
	}
	ctr__error_detail(err, "container", c->id);
	ctr__error_detail(err, "state", state);
	ctr__error_detail(err, "operation", ctr__op_word(op));
	return code;
}

int ctr__enter(
    struct ctr_container *c, enum ctr__op op, unsigned how, struct ctr__guard *g, ctr_error_t **err)
{
	struct ctr_container *core = NULL;
	int r = door(c, how, &core, err);

	g->c = NULL;
	g->pod = NULL;
	if (r < 0)
		return r;
	g->op = op;
	g->batched = c != core;
	if (!g->batched) {
		if (atomic_load_explicit(&core->removed, memory_order_acquire))
			return ctr__fail(
			    err, CTR_E_CTR_REMOVED, "container %s has been removed", core->id);
		r = ctr__pod_lock_member(core, op, &g->pod, err);
		if (r >= 0)
			r = lock(core, err);
		if (r < 0) {
			ctr__leave(g);
			return r;
		}
	}
	g->c = core;
	if (!g->batched)
		r = update(core, how, err);
	else if (core->gen == CTR__GEN_NONE)
		r = ctr__load(core, err); /* a save has failed in this batch */
	if (r >= 0 && op != CTR__OP_READ)
		r = ctr__allowed(core, op, err);
	if (r < 0)
		ctr__leave(g);
	return r;
}

void ctr__leave(struct ctr__guard *g)
{
	if (g->c && !g->batched)
		ctr__slot_unlock(g->c->slot);
	g->c = NULL;
	if (g->pod)
		ctr__slot_unlock(g->pod);
	g->pod = NULL;
}

void ctr__guard_release(struct ctr__guard *g)
{
	if (!g->batched)
		ctr__slot_unlock(g->c->slot);
}

int ctr__guard_retake(struct ctr__guard *g, ctr_error_t **err)
{
	struct ctr_container *c = g->c;
	int r;

	if (g->batched)
		return ctr__look(c, true, err);
	r = lock(c, err);
	if (r < 0) {
		g->c = NULL;
		return r;
	}
	r = update(c, CTR__LOOK_NOW, err);
	if (r < 0)
		ctr__leave(g);
	return r;
}
