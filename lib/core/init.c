/* SPDX-License-Identifier: Apache-2.0 */
/* Init and start: from a configuration to a running process. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/dependencies.h"
#include "core/files.h"
#include "core/health.h"
#include "core/join.h"
#include "core/lifecycle.h"
#include "core/logs.h"
#include "core/policy.h"
#include "spec/spec.h"
#include "sys/fd.h"
#include "sys/mount.h"
#include "sys/path.h"
#include "sys/proc.h"
#include "sys/selinux.h"
#include "util/cleanup.h"
#include "util/clock.h"

/* An init on its way: what it has so far. */
struct init {
	struct ctr_container *c;
	struct ctr__paths paths;
	struct ctr__undo undo;
	char root_path[PATH_MAX];
	struct ctr__join join;
	struct ctr__spec_result spec;
	struct ctr__files files;
	const char *shm; /* what becomes /dev/shm; NULL = nothing of ours */
	enum ctr__by by;
	char **exit_command; /* NULL: none */
};

static void init_free(struct init *in)
{
	ctr__paths_free(&in->paths);
	ctr_strv_free(in->exit_command);
	free(in->spec.stage_hooks);
	ctr__join_free(&in->join);
	ctr__files_free(&in->files);
}

/* ---- the steps, each with its undo ---- */

static int undo_storage(void *arg, ctr_error_t **err)
{
	struct init *in = arg;

	return in->c->state.mount_count ? 0 : ctr__storage_unmount(in->c, err);
}

static int undo_shm(void *arg, ctr_error_t **err)
{
	struct init *in = arg;

	return ctr__unmount_all(in->paths.shm, err);
}

static int undo_files(void *arg, ctr_error_t **err)
{
	struct init *in = arg;

	(void)err;
	ctr__files_unshare(in->c, in->c->cfg);
	return 0;
}

static int undo_run_dir(void *arg, ctr_error_t **err)
{
	struct init *in = arg;
	CTR__CLOSE int dir = open(in->c->rt->run_dirs, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = dir < 0 ? -errno : ctr__remove_tree_at(dir, in->c->id);

	return r < 0
	           ? ctr__fail_errno(err, -r, in->paths.run_dir, "cannot remove the run directory")
	           : 0;
}

static int undo_create(void *arg, ctr_error_t **err)
{
	struct init *in = arg;
	struct ctr_oci_container view;
	struct ctr__oci *oci;
	int r = ctr__container_oci(in->c, &oci, err);

	if (r < 0)
		return r;
	ctr__oci_view(in->c, in->c->cfg, &in->paths, &view);
	return oci->ops.remove(oci->impl, &view, CTR_OCI_INTERRUPTED, err);
}

static int make_dirs(struct init *in, ctr_error_t **err)
{
	CTR__CLOSE int static_fd = -1;
	CTR__CLOSE int run_fd = -1;

	static_fd = ctr__mkdir_open(in->paths.static_dir, 0700, err);
	if (static_fd < 0)
		return static_fd;
	ctr__undo_push(&in->undo, undo_run_dir, in);
	run_fd = ctr__mkdir_open(in->paths.run_dir, 0700, err);
	return run_fd < 0 ? run_fd : 0;
}

static int mount_root(struct init *in, ctr_error_t **err)
{
	ctr__undo_push(&in->undo, undo_storage, in);
	return ctr__storage_mount(in->c, in->root_path, sizeof(in->root_path), err);
}

static int mount_shm(struct init *in, ctr_error_t **err)
{
	const ctr_config_t *cfg = in->c->cfg;
	CTR__CLOSE int fd = -1;

	/* Sharing another container's IPC namespace means using its /dev/shm. */
	if (cfg->no_shm || cfg->ipc_ns_ctr) {
		in->shm = cfg->no_shm ? NULL : in->join.shm;
		return 0;
	}
	fd = ctr__mkdir_open(in->paths.shm, 0700, err);
	if (fd < 0)
		return fd;
	if (ctr__is_mount_point(in->paths.shm) != 1) {
		int r;

		ctr__undo_push(&in->undo, undo_shm, in);
		r = ctr__mount_shm(in->paths.shm, cfg->shm_size,
		    ctr__selinux_enabled() ? cfg->mount_label : NULL, cfg->root_uid, cfg->root_gid,
		    err);
		if (r < 0)
			return r;
	}
	in->shm = in->paths.shm;
	return 0;
}

static int make_files(struct init *in, ctr_error_t **err)
{
	struct ctr__files *f = &in->files;

	f->c = in->c;
	f->cfg = in->c->cfg;
	f->root_path = in->root_path;
	f->run_dir = in->paths.run_dir;
	f->joined_hostname = in->join.hostname;
	ctr__undo_push(&in->undo, undo_files, in);
	return ctr__files_make(f, err);
}

/* Everything that is bind-mounted into the container, /dev/shm first. */
static size_t list_binds(const struct init *in, struct ctr__cfg_pair binds[CTR__FILES_MAX + 1])
{
	size_t n = 0;

	if (in->shm)
		binds[n++] = (struct ctr__cfg_pair){"/dev/shm", in->shm};
	for (size_t i = 0; i < in->files.n; i++)
		binds[n++] = in->files.bind[i];
	return n;
}

static int generate(struct init *in, struct ctr__buf *out, ctr_error_t **err)
{
	const ctr_config_t *cfg = in->c->cfg;
	bool selinux = ctr__selinux_enabled();
	struct ctr__cfg_pair binds[CTR__FILES_MAX + 1];
	struct ctr__spec_facts facts = {
	    .root_path = in->root_path,
	    .cgroup_path = in->paths.cgroup,
	    .systemd_cgroup = in->c->rt->systemd_cgroup && !ctr__config_is_split(cfg),
	    .hostname = ctr_config_hostname(cfg),
	    .bind_mounts = binds,
	    .bind_mounts_n = list_binds(in, binds),
	    .hooks_dirs = (const char *const *)in->c->rt->hooks_dirs,
	    .process_label = selinux ? cfg->process_label : NULL,
	    .mount_label = selinux ? cfg->mount_label : NULL,
	    .user = &in->files.spec_user,
	};

	ctr__join_facts(&in->join, &facts);
	return ctr__spec_generate(cfg, &facts, out, &in->spec, err);
}

static int write_bundle(struct init *in, ctr_error_t **err)
{
	CTR__BUF struct ctr__buf json = {0};
	CTR__CLOSE int dir = -1;
	int r = generate(in, &json, err);

	if (r < 0)
		return r;
	if (json.failed)
		return ctr__fail_nomem(err);
	dir = open(in->paths.run_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	r = dir < 0 ? -errno
	            : ctr__write_file_at(dir, "config.json", json.data, json.len, 0600, false);
	return r < 0 ? ctr__fail_errno(err, -r, in->paths.config_json, "cannot write the bundle")
	             : 0;
}

static int make_log_dir(struct init *in, ctr_error_t **err)
{
	CTR__FREE char *dir = NULL;
	const char *path = in->c->cfg->log_path, *slash;
	int fd;

	if (!path || !ctr__logs_to_file(in->c->cfg))
		return 0;
	slash = strrchr(path, '/');
	if (!slash || slash == path)
		return 0;
	dir = strndup(path, (size_t)(slash - path));
	if (!dir)
		return ctr__fail_nomem(err);
	fd = ctr__mkdir_open(dir, 0700, err);
	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

static int oci_create(struct init *in, ctr_error_t **err)
{
	struct ctr_container *c = in->c;
	struct ctr_oci_status st = {.size = sizeof(st)};
	struct ctr_oci_container view;
	struct ctr__oci *oci;
	int r = ctr__container_oci(c, &oci, err);

	if (r < 0)
		return r;
	c->state.own_pid_ns = in->spec.own_pid_ns;
	c->state.start_hooks = in->spec.start_hooks;
	ctr__oci_view(c, c->cfg, &in->paths, &view);
	if (in->spec.terminal)
		view.flags |= CTR_OCI_TERMINAL;
	view.exit_command = (const char *const *)in->exit_command;
	ctr__undo_push(&in->undo, undo_create, in);
	r = oci->ops.create(oci->impl, &view, &st, err);
	if (r < 0) {
		ctr__error_detail(err, "container", c->id);
		return ctr__join_blame(c, &in->join, r, err);
	}
	c->state.pid = st.pid;
	c->state.pid_start = st.pid_start;
	c->state.conmon_pid = st.monitor_pid;
	c->state.conmon_start = st.monitor_start;
	return 0;
}

/* The state of a container that has been created: libpod's list of what an init resets. */
static void set_created(struct init *in)
{
	struct ctr__state *s = &in->c->state;
	struct ctr__cfg_pair binds[CTR__FILES_MAX + 1];

	s->state = CTR_STATE_CREATED;
	s->exit_code = 0;
	s->exited = false;
	s->oom_killed = false;
	s->stopped_by_user = false;
	/* Until it runs again the end that the policy acts upon is not dealt with. */
	s->restart_match = in->by == CTR__BY_POLICY;
	if (in->by == CTR__BY_HAND)
		s->restart_count = s->restart_delay_ms = 0;
	ctr__health_created(in->c);
	s->error = "";
	s->mounted = true;
	s->mountpoint = in->root_path;
	s->config_path = in->paths.config_json;
	s->stage_hooks = in->spec.stage_hooks ? in->spec.stage_hooks : "";
	s->bind_mounts_n = (uint32_t)list_binds(in, binds);
	for (uint32_t i = 0; i < s->bind_mounts_n; i++) {
		s->bind_mounts[2 * i] = binds[i].key;
		s->bind_mounts[2 * i + 1] = binds[i].value;
	}
}

static int check_joined(struct init *in, ctr_error_t **err)
{
	return ctr__join_check(in->c, &in->join, err);
}

static int run_steps(struct init *in, ctr_error_t **err)
{
	static int (*const steps[])(struct init * in, ctr_error_t * *err) = {make_dirs, mount_root,
	    mount_shm, make_files, write_bundle, make_log_dir, oci_create, check_joined};

	for (size_t i = 0; i < CTR__ARRAY_SIZE(steps); i++) {
		int r = steps[i](in, err);

		if (r < 0)
			return r;
	}
	return 0;
}

/* Undone: the state is what it was, and says why. */
static void init_failed(struct init *in, const char *why)
{
	struct ctr_container *c = in->c;

	ctr__undo_run(&in->undo, c);
	/* What is stored is the state from before, with the intent. */
	c->gen = CTR__GEN_NONE;
	if (ctr__load(c, NULL) < 0)
		return;
	ctr__state_clear_run(&c->state);
	c->state.error = why;
	(void)ctr__save(c, 0, NULL);
}

/* With cgroupsMode split the cgroup is that of whoever does the init: not the one of an earlier run. */
static int find_paths(struct init *in, ctr_error_t **err)
{
	struct ctr_container *c = in->c;
	int r;

	c->state.cgroup = "";
	r = ctr__paths_init(c, c->cfg, &in->paths, err);
	if (r < 0 || !ctr__config_is_split(c->cfg))
		return r;
	if (strchr(in->paths.cgroup + 1, '/'))
		return 0;
	ctr__fail(err, CTR_E_INVALID,
	    "cgroupsMode \"split\" needs a cgroup of this process's own, not the root of all");
	ctr__error_detail(err, "field", "cgroupsMode");
	return CTR_E_INVALID;
}

/* From configured or exited to created; saved with `then`, the intent that follows. */
static int init_locked(
    struct ctr_container *c, enum ctr__intent then, enum ctr__by by, ctr_error_t **err)
{
	CTR__CLEANUP(init_free) struct init in = {.c = c, .by = by, .files = CTR__FILES_INIT};
	CTR__ERROR ctr_error_t *why = NULL;
	int r = ctr__join_open(c, &in.join, err);

	if (r >= 0)
		r = ctr__exit_command(c, &in.exit_command, err);
	if (r >= 0)
		r = find_paths(&in, err);
	if (r >= 0 && ctr__has_stray_run(c, &in.paths))
		r = ctr__teardown_locked(c, true, err);
	if (r >= 0) {
		c->state.cgroup = ctr__config_is_split(c->cfg) ? in.paths.cgroup : "";
		r = ctr__save_intent(c, CTR__INTENT_INIT, err);
	}
	if (r < 0)
		return r;
	r = run_steps(&in, &why);
	if (r >= 0) {
		set_created(&in);
		c->state.intent = (int32_t)then;
		r = ctr__save(c, CTR_EVENT_INIT, &why);
	}
	if (r < 0) {
		init_failed(&in, ctr_error_message(why));
		if (err)
			*err = CTR__STEAL_PTR(why);
	}
	return r;
}

/* A stopped container is cleaned up first: its old monitor and mounts must be gone. */
static int init_any_locked(
    struct ctr_container *c, enum ctr__intent then, enum ctr__by by, ctr_error_t **err)
{
	int r = ctr__dependencies_check(c, err);

	if (r >= 0 && c->state.state == CTR_STATE_STOPPED)
		r = ctr__cleanup_locked(c, err);
	return r < 0 ? r : init_locked(c, then, by, err);
}

int ctr__init_locked(struct ctr_container *c, ctr_error_t **err)
{
	return init_any_locked(c, CTR__INTENT_NONE, CTR__BY_HAND, err);
}

int ctr__init(struct ctr_container *c, ctr_error_t **err)
{
	CTR__GUARD struct ctr__guard g;
	int r = ctr__enter(c, CTR__OP_INIT, CTR__LOOK_NOW | CTR__REPAIR, &g, err);

	return r < 0 ? r : ctr__init_locked(g.c, err);
}

/* ---- start ---- */

static int oci_start(struct ctr_container *c, ctr_error_t **err)
{
	CTR__PATHS struct ctr__paths paths = {0};
	struct ctr_oci_container view;
	struct ctr__oci *oci;
	int r = ctr__container_oci(c, &oci, err);

	if (r >= 0)
		r = ctr__paths_init(c, c->cfg, &paths, err);
	if (r < 0)
		return r;
	ctr__oci_view(c, c->cfg, &paths, &view);
	r = oci->ops.start(oci->impl, &view, err);
	if (r < 0)
		ctr__error_detail(err, "container", c->id);
	return r;
}

/* A failed start leaves nothing half done: the container is cleaned up (libpod does the same). */
static int start_failed(struct ctr_container *c, int code, const char *why)
{
	CTR__ERROR ctr_error_t *more = NULL;
	CTR__FREE char *text = strdup(why);
	bool changed;

	/* It may have ended by itself, or run in spite of the error: the runtime knows. */
	if (ctr__sync_locked(c, &changed, &more) < 0)
		ctr__log(c->rt, CTR_LOG_WARNING, c->id, "after a failed start: %s",
		    ctr_error_message(more));
	/* An end that could not be recorded has still to be: by whoever repairs this start. */
	if (c->gen == CTR__GEN_NONE)
		return code;
	if (c->state.state == CTR_STATE_CREATED || c->state.state == CTR_STATE_STOPPED) {
		ctr_error_freep(&more);
		if (ctr__cleanup_locked(c, &more) < 0)
			ctr__log(c->rt, CTR_LOG_WARNING, c->id, "after a failed start: %s",
			    ctr_error_message(more));
	}
	c->state.error = text ? text : "";
	(void)ctr__save(c, 0, NULL);
	return code;
}

static int start_created(
    struct ctr_container *c, const struct ctr__start_hook *hook, ctr_error_t **err)
{
	int r = hook ? hook->created(c, hook->arg, err) : 0;

	if (r >= 0)
		r = oci_start(c, err);
	if (r < 0 && hook)
		hook->failed(hook->arg);
	return r;
}

int ctr__start_locked(struct ctr_container *c, enum ctr__by by, ctr_error_t **err)
{
	return ctr__start_hooked_locked(c, by, NULL, err);
}

static int start_once(
    struct ctr_container *c, enum ctr__by by, const struct ctr__start_hook *hook, ctr_error_t **err)
{
	CTR__ERROR ctr_error_t *why = NULL;
	int64_t before;
	int r;

	if (c->state.state != CTR_STATE_CREATED) {
		r = init_any_locked(c, CTR__INTENT_START, by, err);
	} else {
		r = ctr__dependencies_check(c, err);
		if (r >= 0)
			r = ctr__save_intent(c, CTR__INTENT_START, err);
	}
	if (r < 0)
		return r;
	before = ctr__now_ns();
	r = start_created(c, hook, &why);
	if (r < 0) {
		r = ctr__join_blame_start(c, r, &why);
		r = start_failed(c, r, ctr_error_message(why));
		if (err)
			*err = CTR__STEAL_PTR(why);
		return r;
	}
	c->state.state = CTR_STATE_RUNNING;
	c->state.intent = CTR__INTENT_NONE;
	c->state.started_ns = before;
	c->state.finished_ns = 0;
	c->state.ever_started = true;
	c->state.restart_match = false;
	c->state.restarter_pid = 0;
	c->state.restarter_start = 0;
	if (by == CTR__BY_HAND)
		c->state.restart_count = c->state.restart_delay_ms = 0;
	c->state.error = "";
	ctr__health_starting(c);
	r = ctr__save(c, CTR_EVENT_START, err);
	if (r < 0)
		return r;
	(void)ctr__history_write(c->rt->store, c->id, &c->state);
	ctr__health_attend(c);
	return 0;
}

/* Of a created container nothing but its first process was there, and that ended before it came to the command: killed,
 * or left alone by a starter that was killed itself. */
static bool ended_before(const struct ctr_container *c, int code)
{
	return (code == CTR_E_OCI_RUNTIME || code == CTR_E_CTR_STOPPED) &&
	       c->state.state == CTR_STATE_EXITED && !c->state.start_hooks;
}

/* Such a container is made anew, as any that has ended. */
int ctr__start_hooked_locked(
    struct ctr_container *c, enum ctr__by by, const struct ctr__start_hook *hook, ctr_error_t **err)
{
	CTR__ERROR ctr_error_t *why = NULL;
	bool created = c->state.state == CTR_STATE_CREATED;
	int r = start_once(c, by, hook, &why);

	if (r < 0 && created && ended_before(c, r)) {
		ctr_error_freep(&why);
		r = start_once(c, by, hook, &why);
	}
	if (r < 0 && err)
		*err = CTR__STEAL_PTR(why);
	return r;
}

int ctr__start(struct ctr_container *c, ctr_error_t **err)
{
	CTR__GUARD struct ctr__guard g;
	int r = ctr__enter(c, CTR__OP_START, CTR__LOOK_NOW | CTR__REPAIR, &g, err);

	return r < 0 ? r : ctr__start_locked(g.c, CTR__BY_HAND, err);
}
