/* SPDX-License-Identifier: Apache-2.0 */
/* Public functions of attach.h. */
#include "core/attach.h"

#include "core/opts.h"

static int begin(const ctr_container_t *c, ctr_attach_t **out, ctr_error_t **err)
{
	int r;

	if (out)
		*out = NULL;
	if (!c)
		return ctr__fail(err, CTR_E_INVALID, "container is NULL");
	if (!out)
		return ctr__fail(err, CTR_E_INVALID, "out is NULL");
	r = ctr__runtime_enter(c->rt, err);
	return r < 0 ? r : ctr__store_check(c->rt->store, err);
}

int ctr_container_attach(
    ctr_container_t *c, const struct ctr_attach_opts *o, ctr_attach_t **out, ctr_error_t **err)
{
	struct ctr_attach_opts opts;
	int r = begin(c, out, err);

	if (r >= 0)
		r = CTR__COPY_OPTS(&opts, o, "ctr_attach_opts", err);
	return r < 0 ? r : ctr__attach(c, &opts, out, err);
}

int ctr_container_start_and_attach(ctr_container_t *c, uint64_t flags,
    const struct ctr_attach_opts *o, ctr_attach_t **out, ctr_error_t **err)
{
	struct ctr_attach_opts opts;
	int r = begin(c, out, err);

	if (r >= 0 && (flags & ~CTR_START_RECURSIVE))
		r = ctr__fail(err, CTR_E_UNSUPPORTED, "unknown flags 0x%llx for start",
		    (unsigned long long)(flags & ~CTR_START_RECURSIVE));
	if (r >= 0)
		r = CTR__COPY_OPTS(&opts, o, "ctr_attach_opts", err);
	return r < 0 ? r : ctr__start_and_attach(c, flags & CTR_START_RECURSIVE, &opts, out, err);
}

int ctr_container_http_attach(ctr_container_t *c, int32_t fd, const struct ctr_http_opts *o,
    ctr_attach_t **out, ctr_error_t **err)
{
	struct ctr_http_opts opts;
	int r = begin(c, out, err);

	if (r >= 0)
		r = CTR__COPY_OPTS(&opts, o, "ctr_http_opts", err);
	return r < 0 ? r : ctr__http_attach(c, fd, &opts, out, err);
}

int ctr_container_attach_resize(ctr_container_t *c, uint32_t rows, uint32_t cols, ctr_error_t **err)
{
	if (!c)
		return ctr__fail(err, CTR_E_INVALID, "container is NULL");
	return ctr__attach_resize(c, rows, cols, err);
}

/* ---- an attach in progress ---- */

static int is_null(ctr_error_t **err)
{
	return ctr__fail(err, CTR_E_INVALID, "attach is NULL");
}

int ctr_attach_fd(const ctr_attach_t *a)
{
	return a ? ctr__stream_fd(a) : CTR_E_INVALID;
}

int ctr_attach_process(ctr_attach_t *a, ctr_error_t **err)
{
	return a ? ctr__stream_process(a, err) : is_null(err);
}

int ctr_attach_run(ctr_attach_t *a, int64_t timeout_ms, ctr_error_t **err)
{
	if (!a)
		return is_null(err);
	if (timeout_ms < -1)
		return ctr__fail(err, CTR_E_INVALID, "timeout %lld ms is negative (-1 = no limit)",
		    (long long)timeout_ms);
	return ctr__stream_run(a, timeout_ms, err);
}

int ctr_attach_result(const ctr_attach_t *a)
{
	return a ? ctr__stream_result(a) : CTR_E_INVALID;
}

void ctr_attach_cancel(ctr_attach_t *a)
{
	if (a)
		ctr__stream_cancel(a);
}

int ctr_attach_resize(ctr_attach_t *a, uint32_t rows, uint32_t cols, ctr_error_t **err)
{
	return a ? ctr__stream_resize(a, rows, cols, err) : is_null(err);
}

ctr_attach_t *ctr_attach_ref(ctr_attach_t *a)
{
	return ctr__stream_ref(a);
}

ctr_attach_t *ctr_attach_unref(ctr_attach_t *a)
{
	ctr__stream_unref(a);
	return NULL;
}

void ctr_attach_unrefp(ctr_attach_t **a)
{
	if (!a)
		return;
	ctr__stream_unref(*a);
	*a = NULL;
}
