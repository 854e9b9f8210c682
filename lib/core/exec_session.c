/* SPDX-License-Identifier: Apache-2.0 */
/* A session with its container's lock held: reading it, whether it lives, recording its end, clearing it away. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/exec.h"
#include "core/lifecycle.h"
#include "sys/path.h"
#include "sys/proc.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define DIR_NAME "exec" /* in the run directory */

/* How long the monitors of killed processes may take to record that, all together. They take less than 1. */
#define RECORD_MS 2000

/* ---- what the driver is told ---- */

void ctr__exec_call_free(struct ctr__exec_call *call)
{
	ctr_config_unref(call->cfg);
	ctr__paths_free(&call->paths);
	free(call->dir);
	ctr_strv_free(call->exit_command);
}

static uint64_t oci_flags(const struct ctr__exec_state *s)
{
	return (s->flags & CTR_EXEC_TERMINAL ? CTR_OCI_EXEC_TERMINAL : 0) |
	       (s->flags & CTR_EXEC_STDIN ? CTR_OCI_EXEC_STDIN : 0);
}

static int fill_call(struct ctr_container *c, const char *id, const struct ctr__exec_state *s,
    struct ctr__exec_call *call, ctr_error_t **err)
{
	int r = ctr__paths_init(c, c->cfg, &call->paths, err);

	if (r < 0)
		return r;
	call->cfg = ctr_config_ref(c->cfg);
	ctr__oci_view(c, call->cfg, &call->paths, &call->view);
	call->dir = ctr__format("%s/" DIR_NAME "/%s", call->paths.run_dir, id);
	if (s->exit_command.len)
		call->exit_command = ctr__unpack(&s->exit_command);
	if (!call->dir || (s->exit_command.len && !call->exit_command))
		return ctr__fail_nomem(err);
	call->exec = (struct ctr_oci_exec){
	    .size = sizeof(call->exec),
	    .flags = oci_flags(s),
	    .id = id,
	    .dir = call->dir,
	    .exit_command = (const char *const *)call->exit_command,
	    .exit_delay_s = s->exit_delay_s,
	    .pid_start = s->pid_start,
	    .monitor_start = s->monitor_start,
	    .pid = s->pid,
	    .monitor_pid = s->monitor_pid,
	};
	return 0;
}

int ctr__exec_ask(struct ctr_container *c, const char *id, const struct ctr__exec_state *s,
    struct ctr__exec_call *call, ctr_error_t **err)
{
	int r;

	memset(call, 0, sizeof(*call));
	r = ctr__container_oci(c, &call->oci, err);
	if (r >= 0 && (!call->oci->ops.exec_start || !call->oci->ops.exec_status ||
	                  !call->oci->ops.exec_kill || !call->oci->ops.exec_remove))
		r = ctr__fail(err, CTR_E_UNSUPPORTED,
		    "OCI runtime %s cannot run more processes in a container", call->oci->name);
	return r < 0 ? r : fill_call(c, id, s, call, err);
}

/* ---- its directory ---- */

/* The directory of all sessions: made if it is absent, or -ENOENT. */
static int open_parent(const struct ctr__exec_call *call, bool make)
{
	CTR__CLOSE int run =
	    open(call->paths.run_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	int fd;

	if (run < 0)
		return -errno;
	if (make)
		return ctr__mkdir_at(run, DIR_NAME, 0700);
	fd = openat(run, DIR_NAME, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? -errno : fd;
}

int ctr__exec_make_dir(const struct ctr__exec_call *call, ctr_error_t **err)
{
	CTR__CLOSE int parent = open_parent(call, true);
	CTR__CLOSE int dir = -1;
	int r = parent < 0 ? parent : ctr__remove_tree_at(parent, call->exec.id);

	if (r >= 0) {
		dir = ctr__mkdir_at(parent, call->exec.id, 0700);
		r = dir < 0 ? dir : 0;
	}
	return r < 0 ? ctr__fail_errno(err, -r, call->dir, "cannot make %s", call->dir) : 0;
}

int ctr__exec_remove_dir(const struct ctr__exec_call *call, ctr_error_t **err)
{
	CTR__CLOSE int parent = open_parent(call, false);
	int r = parent < 0 ? parent : ctr__remove_tree_at(parent, call->exec.id);

	if (r == -ENOENT)
		return 0;
	return r < 0 ? ctr__fail_errno(err, -r, call->dir, "cannot remove %s", call->dir) : 0;
}

int ctr__exec_clear(const struct ctr__exec_call *call, ctr_error_t **err)
{
	int r = call->oci->ops.exec_remove(call->oci->impl, &call->view, &call->exec, err);

	return r < 0 ? r : ctr__exec_remove_dir(call, err);
}

/* ---- saving ---- */

static int make_event(struct ctr_container *c, const char *id, int32_t type,
    const struct ctr__exec_state *s, struct ctr_event **out, ctr_error_t **err)
{
	CTR__CLEANUP(ctr_event_unrefp) ctr_event_t *ev = NULL;
	int r = ctr__event_new(type, c->cfg, &ev, err);

	if (r < 0)
		return r;
	ev->exec_id = ctr__event_text(ev, id);
	if (!ev->exec_id)
		return ctr__fail_nomem(err);
	ev->has_exit_code = type == CTR_EVENT_EXEC_DIED;
	ev->exit_code = s->exit_code;
	*out = CTR__STEAL_PTR(ev);
	return 0;
}

/* With an event (0 = none), all in one transaction. */
static int save(struct ctr_container *c, const char *id, const struct ctr__exec_state *s,
    int32_t event_type, bool remove, ctr_error_t **err)
{
	CTR__CLEANUP(ctr_event_unrefp) ctr_event_t *ev = NULL;
	struct ctr__exec_save save = {.ctr_id = c->id,
	    .id = id,
	    .state = s,
	    .remove = remove,
	    .record_exit = event_type == CTR_EVENT_EXEC_DIED};
	int r = event_type ? make_event(c, id, event_type, s, &ev, err) : 0;

	if (r < 0)
		return r;
	save.events = &ev;
	save.events_n = ev ? 1 : 0;
	return ctr__store_exec_save(c->rt->store, &save, err);
}

int ctr__session_save(struct ctr__session *s, int32_t event_type, ctr_error_t **err)
{
	return save(s->g.c, s->id, &s->s, event_type, false, err);
}

int ctr__session_drop(struct ctr__session *s, ctr_error_t **err)
{
	return save(s->g.c, s->id, &s->s, 0, true, err);
}

/* ---- its end ---- */

static void set_ended(struct ctr__exec_state *s, int32_t code, int64_t finished_ns)
{
	s->state = CTR_EXEC_STATE_STOPPED;
	s->exit_code = code >= 0 && code <= 255 ? code : -1;
	s->finished_ns = finished_ns ? finished_ns : ctr__now_ns();
	s->pid = s->monitor_pid = s->starter_pid = 0;
	s->pid_start = s->monitor_start = s->starter_start = 0;
}

static void clear_or_log(struct ctr_container *c, const struct ctr__exec_call *call)
{
	CTR__ERROR ctr_error_t *why = NULL;

	if (ctr__exec_clear(call, &why) < 0)
		ctr__log(c->rt, CTR_LOG_WARNING, c->id, "exec session %s: %s", call->exec.id,
		    ctr_error_message(why));
}

static int look_at_running(struct ctr__session *s, ctr_error_t **err)
{
	CTR__EXEC_CALL struct ctr__exec_call call = {0};
	struct ctr_oci_status st = {.size = sizeof(st)};
	int r = ctr__exec_ask(s->g.c, s->id, &s->s, &call, err);

	if (r >= 0)
		r = call.oci->ops.exec_status(call.oci->impl, &call.view, &call.exec, &st, err);
	if (r <= 0)
		return r;
	set_ended(&s->s, st.exit_code, st.finished_ns);
	r = ctr__session_save(s, CTR_EVENT_EXEC_DIED, err);
	/* The record first: what is left of the files goes with the container. */
	if (r >= 0)
		clear_or_log(s->g.c, &call);
	return r;
}

bool ctr__session_is_starting(const struct ctr__exec_state *s)
{
	return s->starter_pid > 0 && ctr__proc_alive(s->starter_pid, s->starter_start);
}

/* Whoever was starting it was killed: nobody knows its process, and it is not on record that there was one. */
static int undo_start(struct ctr__session *s, ctr_error_t **err)
{
	CTR__EXEC_CALL struct ctr__exec_call call = {0};
	int r = ctr__exec_ask(s->g.c, s->id, &s->s, &call, err);

	if (r >= 0)
		r = ctr__exec_clear(&call, err);
	if (r < 0)
		return r;
	set_ended(&s->s, -1, 0);
	return ctr__session_save(s, 0, err);
}

int ctr__session_look(struct ctr__session *s, ctr_error_t **err)
{
	if (s->s.state == CTR_EXEC_STATE_RUNNING)
		return look_at_running(s, err);
	if (s->s.starter_pid && !ctr__session_is_starting(&s->s))
		return undo_start(s, err);
	return 0;
}

/* ---- the frame ---- */

static int load(struct ctr__session *s, ctr_error_t **err)
{
	int r = ctr__store_exec_load(s->g.c->rt->store, s->g.c->id, s->id, &s->raw, err);

	s->gone = r == 0;
	if (r > 0)
		r = ctr__exec_state_decode(s->raw.data, s->raw.len, &s->s, err);
	if (r < 0) {
		ctr__error_detail(err, "container", s->g.c->id);
		return r;
	}
	return s->gone ? 0 : ctr__session_look(s, err);
}

static int removed(const struct ctr_exec *x, ctr_error_t **err)
{
	ctr__fail(err, CTR_E_EXEC_REMOVED, "exec session %s has been removed", x->id);
	ctr__error_detail(err, "container", x->c->id);
	return CTR_E_EXEC_REMOVED;
}

int ctr__session_enter(
    struct ctr_exec *x, enum ctr__op op, unsigned how, struct ctr__session *s, ctr_error_t **err)
{
	CTR__ERROR ctr_error_t *why = NULL;
	int r;

	memset(s, 0, sizeof(*s));
	if (!x)
		return ctr__fail(err, CTR_E_INVALID, "exec session is NULL");
	s->id = x->id;
	r = ctr__enter(x->c, op, how, &s->g, &why);
	/* With its container. */
	if (r == CTR_E_CTR_REMOVED || r == CTR_E_NO_SUCH_CTR)
		return removed(x, err);
	if (r >= 0)
		r = load(s, &why);
	if (r >= 0 && s->gone)
		r = removed(x, &why);
	if (r < 0 && err)
		*err = CTR__STEAL_PTR(why);
	if (r < 0)
		ctr__session_leave(s);
	return r < 0 ? r : 0;
}

void ctr__session_leave(struct ctr__session *s)
{
	ctr__leave(&s->g);
	ctr__buf_free(&s->raw);
}

int ctr__session_retake(struct ctr__session *s, ctr_error_t **err)
{
	CTR__ERROR ctr_error_t *why = NULL;
	int r = ctr__guard_retake(&s->g, &why);

	if (r == CTR_E_CTR_REMOVED) {
		s->gone = true;
		return 0;
	}
	if (r >= 0)
		r = load(s, &why);
	if (r < 0 && err)
		*err = CTR__STEAL_PTR(why);
	return r < 0 ? r : 0;
}

int ctr__session_wrong(const struct ctr__session *s, const char *what, ctr_error_t **err)
{
	const char *state = s->s.starter_pid ? "starting" : ctr__exec_state_name(s->s.state);

	ctr__fail(err, CTR_E_EXEC_STATE, "exec session %s: %s is not possible in state %s", s->id,
	    what, state);
	ctr__error_detail(err, "container", s->g.c->id);
	ctr__error_detail(err, "state", state);
	ctr__error_detail(err, "operation", what);
	return CTR_E_EXEC_STATE;
}

/* ---- the end of the container's run ---- */

/* Its process goes with the container's; without a PID namespace of its own it has to be told. */
static bool await_record(const struct ctr__exec_call *call, int64_t end, struct ctr_oci_status *st)
{
	const struct ctr_oci_ops *ops = &call->oci->ops;

	(void)ops->exec_kill(call->oci->impl, &call->view, &call->exec, SIGKILL, NULL);
	while (ops->exec_status(call->oci->impl, &call->view, &call->exec, st, NULL) == 0) {
		struct pollfd none = {.fd = -1};

		if (ctr__wait_passed(end))
			return false;
		(void)poll(&none, 1, 1);
	}
	return st->status == CTR_OCI_STOPPED || st->finished_ns;
}

static int take_down(struct ctr_container *c, const char *id, int64_t end, ctr_error_t **err)
{
	CTR__BUF struct ctr__buf raw = {0};
	CTR__EXEC_CALL struct ctr__exec_call call = {0};
	struct ctr_oci_status st = {.size = sizeof(st), .exit_code = -1};
	struct ctr__exec_state s = {0};
	bool running;
	int r = ctr__store_exec_load(c->rt->store, c->id, id, &raw, err);

	/* One that cannot be read is ended by what its files say. */
	if (r > 0)
		(void)ctr__exec_state_decode(raw.data, raw.len, &s, NULL);
	if (r >= 0)
		r = ctr__exec_ask(c, id, &s, &call, err);
	if (r < 0)
		return r;
	running = s.state == CTR_EXEC_STATE_RUNNING;
	if (running && !await_record(&call, end, &st))
		st.exit_code = -1;
	if (s.state != CTR_EXEC_STATE_STOPPED)
		r = ctr__exec_clear(&call, err);
	if (r < 0)
		return r;
	if (running)
		set_ended(&s, st.exit_code, st.finished_ns);
	return save(c, id, &s, running ? CTR_EVENT_EXEC_DIED : 0, true, err);
}

int ctr__exec_teardown(struct ctr_container *c, ctr_error_t **err)
{
	CTR__STRV char **ids = NULL;
	int64_t end = ctr__wait_deadline(RECORD_MS);
	int r = ctr__store_exec_list(c->rt->store, c->id, &ids, err);

	for (size_t i = 0; r >= 0 && ids[i]; i++)
		r = take_down(c, ids[i], end, err);
	return r < 0 ? r : 0;
}
