/* SPDX-License-Identifier: Apache-2.0 */
/* Ending sessions, and removing them. The lock is let go while a process is waited for. */
#include <signal.h>

#include "core/exec.h"
#include "core/lifecycle.h"
#include "core/prune.h"
#include "util/cleanup.h"

/* How long after SIGKILL the end may take to be recorded (libpod: 5 s). */
#define GRACE_MS 5000

static bool is_over(const struct ctr__session *s)
{
	return s->gone || s->s.state == CTR_EXEC_STATE_STOPPED;
}

/* 1 = it has ended, 0 = the time is up. */
static int await_end(struct ctr__session *s, int64_t timeout_ms, ctr_error_t **err)
{
	int64_t end = ctr__wait_deadline(timeout_ms);
	unsigned int due = 0;

	while (!is_over(s) && !ctr__wait_passed(end)) {
		int r = ctr__session_await(s, end, &due, err);

		if (r < 0)
			return r;
	}
	return is_over(s);
}

/* One that has ended meanwhile is fine: its end is on its way. */
static int send_signal(struct ctr__session *s, int32_t sig, ctr_error_t **err)
{
	CTR__EXEC_CALL struct ctr__exec_call call = {0};
	CTR__ERROR ctr_error_t *why = NULL;
	int r = ctr__exec_ask(s->g.c, s->id, &s->s, &call, &why);

	if (r >= 0)
		r = call.oci->ops.exec_kill(call.oci->impl, &call.view, &call.exec, sig, &why);
	if (r >= 0 || r == CTR_E_CTR_STOPPED)
		return 0;
	if (err)
		*err = CTR__STEAL_PTR(why);
	return r;
}

static int signal_and_await(
    struct ctr__session *s, int32_t sig, int64_t timeout_ms, ctr_error_t **err)
{
	int r = send_signal(s, sig, err);

	return r < 0 ? r : await_end(s, timeout_ms, err);
}

/* Running -> stopped (or gone). */
static int stop(struct ctr__session *s, int64_t timeout_ms, ctr_error_t **err)
{
	int r = 0;

	if (timeout_ms != 0)
		r = signal_and_await(s, SIGTERM, timeout_ms, err);
	if (r == 0)
		r = signal_and_await(s, SIGKILL, GRACE_MS, err);
	if (r == 0) {
		ctr__fail(err, CTR_E_TIMEOUT, "exec session %s did not end within %d s of SIGKILL",
		    s->id, GRACE_MS / 1000);
		ctr__error_detail(err, "container", s->g.c->id);
		return CTR_E_TIMEOUT;
	}
	return r < 0 ? r : 0;
}

static int enter(struct ctr_exec *x, struct ctr__session *s, ctr_error_t **err)
{
	return ctr__session_enter(x, CTR__OP_READ, CTR__LOOK_NOW | CTR__IN_BATCH_BUSY, s, err);
}

int ctr__exec_stop(struct ctr_exec *x, int64_t timeout_ms, bool now, ctr_error_t **err)
{
	CTR__SESSION struct ctr__session s = {0};
	int r = enter(x, &s, err);

	if (r < 0)
		return r;
	if (s.s.state != CTR_EXEC_STATE_RUNNING)
		return ctr__session_wrong(&s, "stop", err);
	if (timeout_ms == 0)
		timeout_ms = ctr_config_stop_timeout_ms(s.g.c->cfg);
	return stop(&s, now ? 0 : timeout_ms, err);
}

static bool is_running(const struct ctr__session *s)
{
	return s->s.state == CTR_EXEC_STATE_RUNNING || s->s.starter_pid;
}

static int clear(struct ctr__session *s, ctr_error_t **err)
{
	CTR__EXEC_CALL struct ctr__exec_call call = {0};
	int r = ctr__exec_ask(s->g.c, s->id, &s->s, &call, err);

	return r < 0 ? r : ctr__exec_clear(&call, err);
}

/* Of one that does not run there are files if somebody was killed just before its start or just after its end. */
static int remove_files(struct ctr__session *s, ctr_error_t **err)
{
	CTR__EXEC_CALL struct ctr__exec_call call = {0};
	int r = ctr__exec_ask(s->g.c, s->id, &s->s, &call, err);

	return r < 0 ? r : ctr__exec_remove_dir(&call, err);
}

int ctr__exec_cleanup(struct ctr_exec *x, ctr_error_t **err)
{
	CTR__SESSION struct ctr__session s = {0};
	int r = enter(x, &s, err);

	if (r < 0)
		return r;
	/* The look has recorded the end of one whose process is gone. */
	return is_running(&s) ? ctr__session_wrong(&s, "cleanup", err) : remove_files(&s, err);
}

/* Whoever is starting it finds it gone, and ends what it has started. */
static int end_by_force(struct ctr__session *s, ctr_error_t **err)
{
	if (s->s.state == CTR_EXEC_STATE_RUNNING)
		return stop(s, 0, err);
	return clear(s, err);
}

int ctr__exec_remove(struct ctr_exec *x, bool force, ctr_error_t **err)
{
	CTR__SESSION struct ctr__session s = {0};
	int r = enter(x, &s, err);

	if (r < 0)
		return r;
	if (is_running(&s)) {
		if (!force)
			return ctr__session_wrong(&s, "remove", err);
		r = end_by_force(&s, err);
	}
	if (r < 0 || s.gone)
		return r < 0 ? r : 0;
	r = remove_files(&s, err);
	if (r >= 0)
		r = ctr__session_drop(&s, err);
	if (r >= 0)
		ctr__prune_exit_codes(s.g.c->rt);
	return r;
}
