/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for the end of a session: through descriptors, without the lock. */
#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/exec.h"
#include "core/lifecycle.h"
#include "util/cleanup.h"
#include "util/clock.h"

/* How often one that has not been started, or is just being started, is looked at. */
#define LOOK_AT_CREATED_MS  100
#define LOOK_AT_STARTING_MS 5

/* The driver's descriptor may tell of the process, whose monitor has still to record its end: how long that is waited
 * for grows with every vain look. */
#define DUE_NS   INT64_C(150000)
#define DUE_MOST 8U

/* A descriptor of the driver's while it runs; -1: there is none. */
static int open_fd(struct ctr__session *s, int *fd, ctr_error_t **err)
{
	CTR__EXEC_CALL struct ctr__exec_call call = {0};
	int r;

	*fd = -1;
	if (s->s.state != CTR_EXEC_STATE_RUNNING)
		return 0;
	r = ctr__exec_ask(s->g.c, s->id, &s->s, &call, err);
	if (r < 0 || !call.oci->ops.exec_wait_fd)
		return r;
	r = call.oci->ops.exec_wait_fd(call.oci->impl, &call.view, &call.exec, err);
	if (r >= 0)
		*fd = r;
	return r < 0 ? r : 0;
}

/* Monotonic time of the next look without being told; -1 = none is needed. */
static int64_t next_look(const struct ctr__session *s, int fd, unsigned int due)
{
	if (s->s.state != CTR_EXEC_STATE_RUNNING)
		return ctr__wait_deadline(
		    s->s.starter_pid ? LOOK_AT_STARTING_MS : LOOK_AT_CREATED_MS);
	if (due)
		return ctr__monotonic_ns() + (DUE_NS << (due < DUE_MOST ? due : DUE_MOST));
	return fd < 0 ? ctr__wait_deadline(CTR__ASK_EVERY_MS) : -1;
}

static bool is_earlier(int64_t a, int64_t b)
{
	return a >= 0 && (b < 0 || a < b);
}

static int poll_without_lock(
    struct ctr__session *s, int fd, int64_t end, unsigned int *due, ctr_error_t **err)
{
	struct pollfd p[2] = {{s->g.c->rt->stop_fd, POLLIN, 0}, {*due ? -1 : fd, POLLIN, 0}};
	int64_t look = next_look(s, fd, *due);
	int n;

	ctr__guard_release(&s->g);
	n = ctr__poll_until(p, 2, is_earlier(look, end) ? look : end);
	if (n < 0)
		return ctr__fail_errno(err, errno, NULL, "cannot poll");
	if (p[0].revents)
		return ctr__fail(err, CTR_E_RUNTIME_STOPPED, "the runtime was shut down");
	if (p[1].revents || *due)
		++*due;
	return 0;
}

int ctr__session_await(struct ctr__session *s, int64_t end, unsigned int *due, ctr_error_t **err)
{
	CTR__CLOSE int fd = -1;
	int r = open_fd(s, &fd, err);

	if (r < 0)
		return r;
	r = poll_without_lock(s, fd, end, due, err);
	if (r < 0) {
		(void)ctr__session_retake(s, NULL);
		return r;
	}
	return ctr__session_retake(s, err);
}

/* The code of a session that is gone. */
static int code_of_removed(struct ctr_exec *x, int32_t *code, ctr_error_t **err)
{
	int32_t found;
	CTR__ERROR ctr_error_t *none = NULL;

	if (ctr__store_exit_code(x->c->rt->store, x->id, &found, NULL, &none) < 0) {
		ctr__fail(err, CTR_E_EXEC_REMOVED,
		    "exec session %s has been removed and left no exit code", x->id);
		ctr__error_detail(err, "container", x->c->id);
		return CTR_E_EXEC_REMOVED;
	}
	if (code)
		*code = found;
	return 0;
}

/* 1 = ended, and the code is set; 2 = gone. */
static int await_end(struct ctr__session *s, int64_t end, int32_t *code, ctr_error_t **err)
{
	unsigned int due = 0;
	int r;

	while (!s->gone && s->s.state != CTR_EXEC_STATE_STOPPED) {
		if (ctr__wait_passed(end))
			return ctr__fail(
			    err, CTR_E_TIMEOUT, "exec session %s has not ended in time", s->id);
		r = ctr__session_await(s, end, &due, err);
		if (r < 0)
			return r;
	}
	if (s->gone)
		return 2;
	if (code)
		*code = s->s.exit_code;
	return 1;
}

int ctr__exec_wait(struct ctr_exec *x, int64_t timeout_ms, int32_t *code, ctr_error_t **err)
{
	CTR__SESSION struct ctr__session s = {0};
	CTR__ERROR ctr_error_t *why = NULL;
	int r = ctr__session_enter(x, CTR__OP_READ, CTR__LOOK_GATED | CTR__IN_BATCH_BUSY, &s, &why);

	if (r >= 0)
		r = await_end(&s, ctr__wait_deadline(timeout_ms), code, &why);
	if (r == CTR_E_EXEC_REMOVED || r == 2)
		return code_of_removed(x, code, err);
	if (r < 0 && err)
		*err = CTR__STEAL_PTR(why);
	return r < 0 ? r : 0;
}

static int readable_now(ctr_error_t **err)
{
	int fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);

	return fd >= 0 ? fd : ctr__fail_errno(err, errno, NULL, "cannot make an eventfd");
}

int ctr__exec_wait_fd(struct ctr_exec *x, ctr_error_t **err)
{
	CTR__SESSION struct ctr__session s = {0};
	CTR__ERROR ctr_error_t *why = NULL;
	CTR__CLOSE int fd = -1;
	int r = ctr__session_enter(x, CTR__OP_READ, CTR__LOOK_GATED | CTR__IN_BATCH_BUSY, &s, &why);

	if (r == CTR_E_EXEC_REMOVED || (r >= 0 && s.s.state == CTR_EXEC_STATE_STOPPED))
		return readable_now(err);
	if (r >= 0 && s.s.state != CTR_EXEC_STATE_RUNNING)
		r = ctr__session_wrong(&s, "waiting with a descriptor", &why);
	if (r >= 0)
		r = open_fd(&s, &fd, &why);
	if (r >= 0 && fd < 0)
		r = ctr__fail(&why, CTR_E_UNSUPPORTED,
		    "the OCI runtime of container %s offers no descriptor to wait on", x->c->id);
	if (r < 0 && err)
		*err = CTR__STEAL_PTR(why);
	return r < 0 ? r : ctr__steal_fd(&fd);
}
