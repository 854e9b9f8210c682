/* SPDX-License-Identifier: Apache-2.0 */
/* After the end: taking away what a run has left, and removing a container altogether. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/exec.h"
#include "core/files.h"
#include "core/health.h"
#include "core/lifecycle.h"
#include "core/pod.h"
#include "core/prune.h"
#include "sys/cgroup.h"
#include "sys/mount.h"
#include "sys/path.h"
#include "util/cleanup.h"

/* Steps that all run, whatever happens: the first error is the one to report. */
struct steps {
	struct ctr_container *c;
	ctr_error_t *first;
	int code;
};

static void step_done(struct steps *s, int r, ctr_error_t *why)
{
	if (r >= 0)
		return;
	if (!s->code) {
		s->code = r;
		s->first = why;
		return;
	}
	ctr__log(s->c->rt, CTR_LOG_WARNING, s->c->id, "%s", ctr_error_message(why));
	ctr_error_free(why);
}

static int steps_end(struct steps *s, ctr_error_t **err)
{
	if (s->code && err)
		*err = s->first;
	else
		ctr_error_free(s->first);
	return s->code;
}

static void remove_from_oci(struct steps *s, const struct ctr__paths *paths, bool interrupted)
{
	struct ctr_container *c = s->c;
	struct ctr_oci_container view;
	ctr_error_t *why = NULL;
	struct ctr__oci *oci;
	int r = ctr__container_oci(c, &oci, &why);

	if (r >= 0) {
		ctr__oci_view(c, c->cfg, paths, &view);
		r = oci->ops.remove(oci->impl, &view, interrupted ? CTR_OCI_INTERRUPTED : 0, &why);
	}
	step_done(s, r, why);
}

static void end_sessions(struct steps *s)
{
	ctr_error_t *why = NULL;
	int r = ctr__exec_teardown(s->c, &why);

	step_done(s, r, why);
}

static void unmount(struct steps *s, const char *path)
{
	ctr_error_t *why = NULL;
	int r = ctr__unmount_all(path, &why);

	step_done(s, r, why);
}

static void remove_dir(struct steps *s, const char *parent, const char *name)
{
	CTR__CLOSE int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ctr_error_t *why = NULL;
	int r = fd < 0 ? -errno : ctr__remove_tree_at(fd, name);

	if (r == -ENOENT)
		r = 0;
	if (r < 0)
		r = ctr__fail_errno(&why, -r, parent, "cannot remove %s below %s", name, parent);
	step_done(s, r, why);
}

/* An OCI runtime that still runs a process of a health check, or was killed in it, has its own program mounted there for a
 * moment. */
static void remove_run_dir(struct steps *s, const struct ctr__paths *paths)
{
	struct ctr_container *c = s->c;
	CTR__CLOSE int fd = open(c->rt->run_dirs, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (int round = 0; fd >= 0 && round < 10; round++) {
		if (ctr__remove_tree_at(fd, c->id) != -EBUSY ||
		    ctr__unmount_below(paths->run_dir, NULL) < 0)
			break;
	}
	remove_dir(s, c->rt->run_dirs, c->id);
}

static void unmount_root(struct steps *s)
{
	ctr_error_t *why = NULL;
	int r;

	if (s->c->state.mount_count)
		return;
	r = ctr__storage_unmount(s->c, &why);
	step_done(s, r, why);
}

/* After a completed cleanup, and before a first init, the runtime has nothing to forget. */
static bool oci_may_know(const struct ctr_container *c)
{
	return c->state.state != CTR_STATE_CONFIGURED && c->state.state != CTR_STATE_EXITED;
}

bool ctr__has_stray_run(const struct ctr_container *c, const struct ctr__paths *paths)
{
	return !oci_may_know(c) && !c->rt->systemd_cgroup && paths->cgroup &&
	       ctr__cgroup_exists(paths->cgroup);
}

int ctr__teardown_locked(struct ctr_container *c, bool interrupted, ctr_error_t **err)
{
	CTR__PATHS struct ctr__paths paths = {0};
	struct steps s = {.c = c};
	int r = ctr__paths_init(c, c->cfg, &paths, err);

	if (r < 0)
		return r;
	ctr__health_dismiss(c);
	end_sessions(&s);
	if (interrupted || oci_may_know(c))
		remove_from_oci(&s, &paths, interrupted);
	/* With a joined IPC namespace the shm, wherever the configuration says that it is, is another's. */
	if (!c->cfg->ipc_ns_ctr)
		unmount(&s, paths.shm);
	for (size_t i = 0; i < c->cfg->mounts.n; i++)
		unmount(&s, c->cfg->mounts.v[i]);
	unmount_root(&s);
	ctr__files_unshare(c, c->cfg);
	/* Not while the runtime may still need its bundle for another try. */
	if (!s.code)
		remove_run_dir(&s, &paths);
	return steps_end(&s, err);
}

void ctr__state_clear_run(struct ctr__state *s)
{
	s->pid = s->conmon_pid = 0;
	s->pid_start = s->conmon_start = 0;
	s->health_pid = 0;
	s->health_start = 0;
	s->mounted = s->mount_count > 0;
	if (!s->mounted)
		s->mountpoint = "";
	s->config_path = s->cgroup = "";
	s->bind_mounts_n = 0;
	s->intent = CTR__INTENT_NONE;
}

int ctr__cleanup_locked(struct ctr_container *c, ctr_error_t **err)
{
	int r = ctr__save_intent(c, CTR__INTENT_CLEANUP, err);

	if (r >= 0)
		r = ctr__teardown_locked(c, false, err);
	if (r < 0)
		return r;
	c->state.state =
	    c->state.state == CTR_STATE_STOPPED ? CTR_STATE_EXITED : CTR_STATE_CONFIGURED;
	ctr__state_clear_run(&c->state);
	r = ctr__save(c, CTR_EVENT_CLEANUP, err);
	if (r >= 0)
		ctr__prune_exit_codes(c->rt);
	return r;
}

static int cleanup(struct ctr_container *c, bool only_stopped, ctr_error_t **err)
{
	CTR__GUARD struct ctr__guard g;
	enum ctr__op op = only_stopped ? CTR__OP_CLEANUP_STOPPED : CTR__OP_CLEANUP;
	int r = ctr__enter(c, op, CTR__LOOK_NOW | CTR__REPAIR, &g, err);

	if (r != 0)
		return r < 0 ? r : 0;
	return ctr__cleanup_locked(g.c, err);
}

int ctr__cleanup(struct ctr_container *c, bool only_stopped, ctr_error_t **err)
{
	int r = cleanup(c, only_stopped, err);

	if (r >= 0)
		ctr__pod_after_exit(c);
	return r;
}

/* ---- remove ---- */

static int check_dependents(struct ctr_container *c, ctr_error_t **err)
{
	CTR__STRV char **deps = NULL;
	CTR__BUF struct ctr__buf list = {0};
	int r = ctr__store_dependents(c->rt->store, c->id, &deps, err);

	if (r < 0 || !deps || !deps[0])
		return r < 0 ? r : 0;
	for (size_t i = 0; deps[i]; i++)
		ctr__buf_addf(&list, "%s%s", i ? "," : "", deps[i]);
	if (list.failed)
		return ctr__fail_nomem(err);
	ctr__fail(err, CTR_E_CTR_EXISTS, "container %s cannot be removed: others depend on it: %s",
	    c->cfg->name, list.data);
	ctr__error_detail(err, "container", c->id);
	ctr__error_detail(err, "dependents", list.data);
	return CTR_E_CTR_EXISTS;
}

/* Ends a live container. Another process may start it again while the lock is let go: a few tries. */
static int end_it(struct ctr__guard *g, ctr_error_t **err)
{
	static const struct ctr__stop now = {.timeout_ms = 0, .by_user = true};

	for (int i = 0; i < 8 && ctr__state_is_live(g->c->state.state); i++) {
		CTR__ERROR ctr_error_t *why = NULL;
		int r = ctr__stop_locked(g, &now, &why);

		if (r < 0 && r != CTR_E_CONMON_DEAD) {
			if (err)
				*err = CTR__STEAL_PTR(why);
			return r;
		}
	}
	if (!ctr__state_is_live(g->c->state.state))
		return 0;
	return ctr__fail(err, CTR_E_BUSY, "container %s is started again as often as it is stopped",
	    g->c->cfg->name);
}

static void remove_storage(struct steps *s)
{
	CTR__PATHS struct ctr__paths paths = {0};
	struct ctr_storage_container view;
	ctr_error_t *why = NULL;
	struct ctr__storage *st;
	int r = ctr__container_storage(s->c, &st, &why);

	if (r >= 0)
		r = ctr__paths_init(s->c, s->c->cfg, &paths, &why);
	if (r >= 0 && st->ops.remove) {
		ctr__storage_view(s->c, s->c->cfg, &paths, &view);
		r = st->ops.remove(st->impl, &view, &why);
	}
	step_done(s, r, why);
}

/* A runtime that is not there any more cannot hold anything: with force the container goes without it. */
static bool tolerable(int code, bool force)
{
	return force && (code == CTR_E_OCI_UNAVAILABLE || code == CTR_E_NO_STORAGE);
}

static int remove_effects(struct ctr_container *c, bool force, bool interrupted, ctr_error_t **err)
{
	CTR__ERROR ctr_error_t *why = NULL;
	struct steps s = {.c = c};
	int r;

	/* All uses of the mount end with the container. */
	c->state.mount_count = 0;
	r = ctr__teardown_locked(c, interrupted, &why);
	/* Without its program the driver can still clear away what that has left. */
	if (force && r == CTR_E_OCI_UNAVAILABLE && !interrupted) {
		ctr_error_freep(&why);
		r = ctr__teardown_locked(c, true, &why);
	}
	if (tolerable(r, force)) {
		remove_dir(&s, c->rt->run_dirs, c->id);
		ctr_error_freep(&why);
		r = 0;
	}
	step_done(&s, r, CTR__STEAL_PTR(why));
	if (!s.code) {
		remove_storage(&s);
		if (tolerable(s.code, force)) {
			ctr_error_freep(&s.first);
			s.code = 0;
		}
	}
	ctr__health_log_remove(c);
	if (!s.code)
		remove_dir(&s, c->rt->static_dirs, c->id);
	return steps_end(&s, err);
}

static int remove_record(struct ctr_container *c, ctr_error_t **err)
{
	CTR__CLEANUP(ctr_event_unrefp) ctr_event_t *ev = NULL;
	CTR__ERROR ctr_error_t *why = NULL;
	int r = ctr__event_new(CTR_EVENT_REMOVE, c->cfg, &ev, err);

	if (r < 0)
		return r;
	ev->has_exit_code = c->state.exited;
	ev->exit_code = c->state.exit_code;
	r = ctr__store_remove(c->rt->store, c->id, ev, &why);
	/* Gone: a killed remover's commit became visible only now. */
	if (r < 0 && r != CTR_E_NO_SUCH_CTR) {
		if (err)
			*err = CTR__STEAL_PTR(why);
		return r;
	}
	/* Other handles notice at their next look, also if the slot or the ID is used again. */
	atomic_fetch_add_explicit(&c->slot->cfg_gen, 1, memory_order_release);
	atomic_fetch_add_explicit(&c->slot->gen, 2, memory_order_release);
	atomic_store_explicit(&c->removed, true, memory_order_release);
	c->gen = CTR__GEN_NONE;
	return 0;
}

/* May something of the container be half done, or go on unrecorded? */
static int look_for_remains(const struct ctr__guard *g, bool *remains, ctr_error_t **err)
{
	CTR__PATHS struct ctr__paths paths = {0};
	int r = ctr__paths_init(g->c, g->c->cfg, &paths, err);

	/* Found in this state: an earlier remove, or something else, was killed half-way. */
	*remains = r >= 0 &&
	           (g->c->state.state == CTR_STATE_REMOVING ||
	               g->c->state.intent != CTR__INTENT_NONE || ctr__has_stray_run(g->c, &paths));
	return r;
}

static int remove_locked(struct ctr__guard *g, bool force, ctr_error_t **err)
{
	int r = check_dependents(g->c, err);
	bool interrupted;

	if (r >= 0 && g->c->state.state != CTR_STATE_CREATED)
		r = end_it(g, err);
	/* The lock was let go meanwhile. */
	if (r >= 0)
		r = check_dependents(g->c, err);
	if (r >= 0)
		r = look_for_remains(g, &interrupted, err);
	if (r < 0)
		return r;
	g->c->state.state = CTR_STATE_REMOVING;
	r = ctr__save_intent(g->c, CTR__INTENT_NONE, err);
	if (r >= 0) {
		/* There is no event for it, but there may be somebody who waits for it. */
		ctr__store_touch_events(g->c->rt->store);
		/* After a reboot it must not look as if it could be used. */
		if (g->c->state.ever_started)
			(void)ctr__history_write(g->c->rt->store, g->c->id, &g->c->state);
		r = remove_effects(g->c, force, interrupted, err);
	}
	return r < 0 ? r : remove_record(g->c, err);
}

int ctr__remove(struct ctr_container *c, bool force, ctr_error_t **err)
{
	CTR__GUARD struct ctr__guard g;
	CTR__ERROR ctr_error_t *why = NULL;
	enum ctr__op op = force ? CTR__OP_REMOVE_FORCE : CTR__OP_REMOVE;
	int r = ctr__enter(c, op, CTR__LOOK_NOW | CTR__IN_BATCH_BUSY, &g, &why);

	/* The pod's lock was not held before: this is no operation on the pod. */
	if (r >= 0 && g.pod)
		r = ctr__pod_check_infra(g.c, &why);
	if (r >= 0)
		r = remove_locked(&g, force, &why);
	ctr__leave(&g);
	if (r >= 0)
		ctr__pod_after_exit(c);
	/* Already gone, or removed by somebody else meanwhile: that is what was wanted. */
	if ((r == CTR_E_CTR_REMOVED || r == CTR_E_NO_SUCH_CTR) && c && !c->outer)
		return 0;
	if (r < 0 && err)
		*err = CTR__STEAL_PTR(why);
	return r < 0 ? r : 0;
}
