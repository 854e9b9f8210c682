/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libctr/batch.h - many operations on one container under one lock.
 *
 *	static int look(ctr_container_t *view, void *userdata)
 *	{
 *		int32_t state, pid;
 *		int r = ctr_container_state(view, &state, NULL);
 *		return r < 0 ? r : ctr_container_pid(view, &pid, NULL);
 *	}
 *	...
 *	r = ctr_container_batch(c, look, NULL, &err);
 *
 * The contract (libpod's Batch, with its defects mended):
 *  - The state is synced once, before the callback. Inside, operations neither lock nor sync;
 *    ctr_container_sync(view) does.
 *  - Use only the view inside. The outer handle, or another one of the same container, used from the
 *    callback's thread gives CTR_E_DEADLOCK. Other containers may be used: one
 *    that is in use itself is waited for no longer than two seconds, then CTR_E_BUSY (whoever uses it may wait
 *    for this container, e.g. because it is a dependency).
 *  - On the view, remove, every wait and health checks give CTR_E_BUSY, a batch gives CTR_E_INVALID. Stop keeps the
 *    lock for its whole duration.
 *  - The view belongs to the callback's thread (else CTR_E_INVALID) and ends with the callback: a
 *    reference kept longer gives CTR_E_CTR_REMOVED.
 *  - The callback's value is returned unmodified. If it is an error of a libctr call, *err stays NULL:
 *    that is how it differs from a failure of the batch itself (*err set, callback not called).
 *  - Each operation saves what it changed, as it does outside. Nothing is undone on a nonzero value.
 */
#ifndef LIBCTR_BATCH_H
#define LIBCTR_BATCH_H

#include <libctr/container.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * ctr_batch_fn: runs once, on the thread that called, with the container locked. It must return
 * normally: no longjmp, no exception, no coroutine switch out of it.
 */
typedef int (*ctr_batch_fn)(ctr_container_t *view, void *userdata);

/*
 * ctr_container_batch: locks, syncs, calls `fn`, unlocks, returns what `fn` returned.
 * Errors: those at the top of container.h, CTR_E_INVALID (`fn` NULL, or `c` is itself a view).
 * Since: 0.1
 */
CTR_API int ctr_container_batch(
    ctr_container_t *c, ctr_batch_fn fn, void *userdata, ctr_error_t **err);

#ifdef __cplusplus
}
#endif
#endif
