/* SPDX-License-Identifier: Apache-2.0 */
/* Batches: one lock, many operations. */
#include <stdlib.h>
#include <string.h>

#include "core/lifecycle.h"
#include "core/pod.h"
#include "util/cleanup.h"

/* A batch's callback holds a container's lock on this thread. */
static CTR__THREAD_LOCAL int batches;

bool ctr__in_batch(void)
{
	return batches > 0;
}

static struct ctr_container *view_new(struct ctr_container *c)
{
	struct ctr_container *v = calloc(1, sizeof(*v));

	if (!v)
		return NULL;
	atomic_init(&v->refs, 1);
	v->rt = ctr__runtime_ref(c->rt);
	v->outer = ctr__container_ref(c);
	memcpy(v->id, c->id, sizeof(v->id));
	v->slot = c->slot;
	v->slot_index = c->slot_index;
	v->owner = &ctr__in_log;
	pthread_mutex_init(&v->cfg_mutex, NULL);
	return v;
}

int ctr__batch(struct ctr_container *c, int (*fn)(struct ctr_container *view, void *userdata),
    void *userdata, ctr_error_t **err)
{
	CTR__GUARD struct ctr__guard g;
	struct ctr_container *view;
	int r = ctr__enter(
	    c, CTR__OP_READ, CTR__LOOK_NOW | CTR__REPAIR | CTR__IN_BATCH_INVALID, &g, err);

	if (r < 0)
		return r;
	view = view_new(g.c);
	if (!view)
		return ctr__fail_nomem(err);
	batches++;
	r = fn(view, userdata);
	batches--;
	atomic_store_explicit(&view->ended, true, memory_order_release);
	/* What failed operations left in memory must not be taken for the stored state. */
	if (r != 0)
		g.c->gen = CTR__GEN_NONE;
	ctr__container_unref(view);
	return r;
}
