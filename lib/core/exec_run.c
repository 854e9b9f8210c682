/* SPDX-License-Identifier: Apache-2.0 */
/* A process in a container, all in one: created, started, waited for, removed. */
#include "core/exec.h"

#include "stream/stream.h"
#include "util/cleanup.h"

#define CODE_FAILED       125
#define CODE_NOT_EXECUTED 126
#define CODE_NOT_FOUND    127

static void attach_unrefp(struct ctr_attach **a)
{
	ctr__stream_unref(*a);
}

static void remove_or_log(struct ctr_exec *x)
{
	CTR__ERROR ctr_error_t *why = NULL;
	int r = ctr__exec_remove(x, true, &why);

	if (r < 0 && r != CTR_E_EXEC_REMOVED)
		ctr__log(x->c->rt, CTR_LOG_WARNING, x->c->id, "exec session %s: %s", x->id,
		    ctr_error_message(why));
}

static int32_t code_of_failure(int r)
{
	switch (r) {
	case CTR_E_OCI_NOT_FOUND: return CODE_NOT_FOUND;
	case CTR_E_OCI_PERMISSION: return CODE_NOT_EXECUTED;
	default: return CODE_FAILED;
	}
}

/* CTR_ATTACH_DETACHED, or 0 once it has ended. */
static int run_to_end(
    struct ctr_exec *x, const struct ctr_attach_opts *io, int32_t *code, ctr_error_t **err)
{
	CTR__CLEANUP(attach_unrefp) struct ctr_attach *a = NULL;
	const struct ctr_exec_start_opts o = {.size = sizeof(o), .io = io};
	int r = ctr__exec_start(x, &o, &a, err);

	if (r < 0)
		return r;
	if (a)
		r = ctr__stream_run(a, -1, err);
	if (r < 0 || r == CTR_ATTACH_DETACHED)
		return r;
	/* An attach that nobody processes holds the process up. */
	ctr__stream_unref(CTR__STEAL_PTR(a));
	return ctr__exec_wait(x, -1, code, err);
}

int ctr__exec_run(struct ctr_container *c, const struct ctr_exec_opts *o,
    const struct ctr_attach_opts *io, int32_t *code, ctr_error_t **err)
{
	CTR__CLEANUP(ctr__exec_unrefp) struct ctr_exec *x = NULL;
	int r = ctr__exec_create(c, o, &x, err);

	*code = CODE_FAILED;
	if (r < 0)
		return r;
	r = run_to_end(x, io, code, err);
	if (r == CTR_ATTACH_DETACHED)
		return r;
	if (r < 0)
		*code = code_of_failure(r);
	remove_or_log(x);
	return r < 0 ? r : 0;
}
