/* SPDX-License-Identifier: Apache-2.0 */
/* Public functions of exec.h. */
#include <libctr/exec.h>

#include "core/exec.h"
#include "util/cleanup.h"

static int no_place(ctr_error_t **err)
{
	return ctr__fail(err, CTR_E_INVALID, "the place for the result is NULL");
}

static int unknown_flags(uint64_t flags, ctr_error_t **err)
{
	return ctr__fail(err, CTR_E_UNSUPPORTED, "unknown flags 0x%llx for an exec session",
	    (unsigned long long)flags);
}

/* What every function does that changes something. */
static int begin(struct ctr_container *c, ctr_error_t **err)
{
	int r;

	if (!c)
		return ctr__fail(err, CTR_E_INVALID, "container is NULL");
	r = ctr__runtime_enter(c->rt, err);
	return r < 0 ? r : ctr__store_check(c->rt->store, err);
}

static int begin_exec(ctr_exec_t *x, ctr_error_t **err)
{
	return x ? begin(x->c, err) : ctr__fail(err, CTR_E_INVALID, "exec session is NULL");
}

const char *ctr_exec_state_name(int32_t state)
{
	return ctr__exec_state_name(state);
}

int ctr_container_exec_create(
    ctr_container_t *c, const struct ctr_exec_opts *o, ctr_exec_t **out, ctr_error_t **err)
{
	int r;

	if (out)
		*out = NULL;
	r = begin(c, err);
	if (r >= 0 && !out)
		r = no_place(err);
	if (r >= 0 && !o)
		r = ctr__fail(err, CTR_E_INVALID, "the options are NULL");
	return r < 0 ? r : ctr__exec_create(c, o, out, err);
}

int ctr_container_exec_lookup(
    ctr_container_t *c, const char *id, ctr_exec_t **out, ctr_error_t **err)
{
	if (!out)
		return no_place(err);
	*out = NULL;
	return ctr__exec_lookup(c, id, out, err);
}

int ctr_runtime_exec_lookup(ctr_runtime_t *rt, const char *id, ctr_exec_t **out, ctr_error_t **err)
{
	if (!out)
		return no_place(err);
	*out = NULL;
	return ctr__exec_find(rt, id, out, err);
}

int ctr_container_exec_sessions(ctr_container_t *c, char ***list, ctr_error_t **err)
{
	if (!list)
		return no_place(err);
	*list = NULL;
	return ctr__exec_sessions(c, list, err);
}

int ctr_container_exec(ctr_container_t *c, const struct ctr_exec_opts *o,
    const struct ctr_attach_opts *io, int32_t *code, ctr_error_t **err)
{
	int32_t none;
	int r;

	if (!code)
		code = &none;
	*code = 125;
	r = begin(c, err);
	if (r >= 0 && !o)
		r = ctr__fail(err, CTR_E_INVALID, "the options are NULL");
	return r < 0 ? r : ctr__exec_run(c, o, io, code, err);
}

int ctr_exec_start(
    ctr_exec_t *x, const struct ctr_exec_start_opts *o, ctr_attach_t **out, ctr_error_t **err)
{
	int r;

	if (out)
		*out = NULL;
	r = begin_exec(x, err);
	return r < 0 ? r : ctr__exec_start(x, o, out, err);
}

int ctr_exec_http_start(ctr_exec_t *x, int32_t fd, const struct ctr_http_opts *o, uint32_t rows,
    uint32_t cols, ctr_attach_t **out, ctr_error_t **err)
{
	const struct ctr__exec_http h = {.fd = fd, .o = o, .rows = rows, .cols = cols};
	int r;

	if (!out)
		return no_place(err);
	*out = NULL;
	r = begin_exec(x, err);
	return r < 0 ? r : ctr__exec_http_start(x, &h, out, err);
}

int ctr_exec_resize(ctr_exec_t *x, uint32_t rows, uint32_t cols, ctr_error_t **err)
{
	return ctr__exec_resize(x, rows, cols, err);
}

int ctr_exec_stop(ctr_exec_t *x, int64_t timeout_ms, uint64_t flags, ctr_error_t **err)
{
	int r = begin_exec(x, err);

	if (r >= 0 && (flags & ~CTR_EXEC_STOP_NOW))
		r = unknown_flags(flags, err);
	if (r >= 0 && timeout_ms < -1)
		r = ctr__fail(err, CTR_E_INVALID, "the timeout is negative");
	return r < 0 ? r : ctr__exec_stop(x, timeout_ms, flags & CTR_EXEC_STOP_NOW, err);
}

int ctr_exec_wait(ctr_exec_t *x, int64_t timeout_ms, int32_t *code, ctr_error_t **err)
{
	if (timeout_ms < -1)
		return ctr__fail(err, CTR_E_INVALID, "the timeout is negative");
	return ctr__exec_wait(x, timeout_ms, code, err);
}

int ctr_exec_wait_fd(ctr_exec_t *x, ctr_error_t **err)
{
	return ctr__exec_wait_fd(x, err);
}

int ctr_exec_cleanup(ctr_exec_t *x, ctr_error_t **err)
{
	int r = begin_exec(x, err);

	return r < 0 ? r : ctr__exec_cleanup(x, err);
}

int ctr_exec_remove(ctr_exec_t *x, uint64_t flags, ctr_error_t **err)
{
	int r = begin_exec(x, err);

	if (r >= 0 && (flags & ~CTR_EXEC_REMOVE_FORCE))
		r = unknown_flags(flags, err);
	return r < 0 ? r : ctr__exec_remove(x, flags & CTR_EXEC_REMOVE_FORCE, err);
}

int ctr_exec_inspect(ctr_exec_t *x, char **out, size_t *len, ctr_error_t **err)
{
	CTR__BUF struct ctr__buf text = {0};
	int r;

	if (!out)
		return no_place(err);
	*out = NULL;
	r = ctr__exec_inspect(x, &text, err);
	if (r < 0)
		return r;
	if (len)
		*len = text.len;
	*out = ctr__buf_steal(&text);
	return *out ? 0 : ctr__fail_nomem(err);
}

const char *ctr_exec_id(const ctr_exec_t *x)
{
	return x ? x->id : "";
}

ctr_container_t *ctr_exec_container(const ctr_exec_t *x)
{
	return x ? ctr__container_ref(x->c) : NULL;
}

const char *const *ctr_exec_command(const ctr_exec_t *x, size_t *n)
{
	static const char *const none[] = {NULL};

	if (n)
		*n = x ? x->command_n : 0;
	return x ? (const char *const *)x->command : none;
}

/* ---- its state ---- */

static int look(ctr_exec_t *x, struct ctr__exec_state *s, ctr_error_t **err)
{
	CTR__SESSION struct ctr__session session = {0};
	int r = ctr__session_enter(x, CTR__OP_READ, CTR__LOOK_GATED, &session, err);

	if (r >= 0)
		*s = session.s; /* numbers only: its texts end here */
	return r;
}

int ctr_exec_state(ctr_exec_t *x, int32_t *state, ctr_error_t **err)
{
	struct ctr__exec_state s;
	int r;

	if (!state)
		return no_place(err);
	*state = CTR_EXEC_STATE_UNKNOWN;
	r = look(x, &s, err);
	if (r >= 0)
		*state = s.state;
	return r;
}

int ctr_exec_pid(ctr_exec_t *x, int32_t *pid, ctr_error_t **err)
{
	struct ctr__exec_state s;
	int r;

	if (!pid)
		return no_place(err);
	*pid = 0;
	r = look(x, &s, err);
	if (r >= 0)
		*pid = s.pid;
	return r;
}

int ctr_exec_exit_code(ctr_exec_t *x, int32_t *code, ctr_error_t **err)
{
	struct ctr__exec_state s;
	int r;

	if (code)
		*code = 0;
	r = look(x, &s, err);
	if (r < 0 || s.state != CTR_EXEC_STATE_STOPPED)
		return r;
	if (code)
		*code = s.exit_code;
	return 1;
}

/* ---- references ---- */

ctr_exec_t *ctr_exec_ref(ctr_exec_t *x)
{
	return ctr__exec_ref(x);
}

ctr_exec_t *ctr_exec_unref(ctr_exec_t *x)
{
	ctr__exec_unref(x);
	return NULL;
}

void ctr_exec_unrefp(ctr_exec_t **x)
{
	if (!x)
		return;
	ctr__exec_unref(*x);
	*x = NULL;
}
