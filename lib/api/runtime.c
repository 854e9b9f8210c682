/* SPDX-License-Identifier: Apache-2.0 */
/* Public functions of runtime.h. */
#include <libctr/policy.h>
#include <libctr/runtime.h>

#include <unistd.h>

#include "core/policy.h"
#include "core/runtime.h"
#include "util/cleanup.h"

int ctr_runtime_open(const struct ctr_open_opts *opts, ctr_runtime_t **out, ctr_error_t **err)
{
	if (!out)
		return ctr__fail(err, CTR_E_INVALID, "out is NULL");
	return ctr__runtime_open(opts, out, err);
}

ctr_runtime_t *ctr_runtime_ref(ctr_runtime_t *rt)
{
	return ctr__runtime_ref(rt);
}

ctr_runtime_t *ctr_runtime_unref(ctr_runtime_t *rt)
{
	ctr__runtime_unref(rt);
	return NULL;
}

void ctr_runtime_unrefp(ctr_runtime_t **rt)
{
	ctr__runtime_unref(*rt);
	*rt = NULL;
}

int ctr_runtime_shutdown(ctr_runtime_t *rt, ctr_error_t **err)
{
	static const uint64_t one = 1;
	int r = ctr__runtime_enter(rt, err);

	if (r == CTR_E_RUNTIME_STOPPED) {
		if (err) {
			ctr_error_free(*err);
			*err = NULL;
		}
		return 0;
	}
	if (r < 0)
		return r;
	atomic_store_explicit(&rt->stopped, 1, memory_order_release);
	ctr__stream_group_wake(&rt->streams);
	/* Cannot fail: an eventfd that is full is readable, too. */
	if (write(rt->stop_fd, &one, sizeof(one)) < 0)
		return 0;
	return 0;
}

int ctr_runtime_should_start(ctr_runtime_t *rt, char ***ids, ctr_error_t **err)
{
	int r = ctr__runtime_enter(rt, err);

	if (r >= 0 && !ids)
		r = ctr__fail(err, CTR_E_INVALID, "ids is NULL");
	if (r < 0)
		return r;
	*ids = NULL;
	return ctr__should_start(rt, ids, err);
}

int ctr_runtime_boot(ctr_runtime_t *rt, uint64_t flags, ctr_error_t **err)
{
	int r = ctr__runtime_enter(rt, err);

	if (r >= 0 && flags)
		r = ctr__fail(err, CTR_E_UNSUPPORTED, "unknown flags 0x%llx for boot",
		    (unsigned long long)flags);
	if (r >= 0)
		r = ctr__store_check(rt->store, err);
	return r < 0 ? r : ctr__boot(rt, err);
}

const char *ctr_runtime_root(const ctr_runtime_t *rt)
{
	return rt ? ctr__store_root(rt->store) : NULL;
}

const char *ctr_runtime_run_root(const ctr_runtime_t *rt)
{
	return rt ? ctr__store_run_root(rt->store) : NULL;
}

const char *ctr_runtime_default_oci(const ctr_runtime_t *rt)
{
	return rt ? rt->default_oci : NULL;
}

int ctr_runtime_add_oci(ctr_runtime_t *rt, const struct ctr_oci_ops *ops, void *impl,
    void (*destroy)(void *impl), ctr_error_t **err)
{
	struct ctr__oci *o = NULL;
	int r = ctr__runtime_enter(rt, err);

	if (r >= 0 && !ops)
		r = ctr__fail(err, CTR_E_INVALID, "ops is NULL");
	if (r >= 0)
		r = ctr__oci_new(ops, impl, destroy, &o, err);
	if (r < 0)
		return r;
	r = ctr__runtime_add_oci(rt, o, err);
	if (r < 0) {
		o->destroy = NULL;
		ctr__oci_free(o);
	}
	return r;
}

int ctr_runtime_add_storage(ctr_runtime_t *rt, const struct ctr_storage_ops *ops, void *impl,
    void (*destroy)(void *impl), ctr_error_t **err)
{
	struct ctr__storage *s = NULL;
	int r = ctr__runtime_enter(rt, err);

	if (r >= 0 && !ops)
		r = ctr__fail(err, CTR_E_INVALID, "ops is NULL");
	if (r >= 0)
		r = ctr__storage_new(ops, impl, destroy, &s, err);
	if (r < 0)
		return r;
	r = ctr__runtime_add_storage(rt, s, err);
	if (r < 0) {
		s->destroy = NULL;
		ctr__storage_free(s);
	}
	return r;
}
