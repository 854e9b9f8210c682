/* SPDX-License-Identifier: Apache-2.0 */
/* Public functions of state.h. */
#include <libctr/state.h>

#include <stdlib.h>
#include <string.h>

#include "core/container.h"
#include "core/lifecycle.h"
#include "core/snapshot.h"
#include "sys/proc.h"
#include "util/cleanup.h"

const char *ctr_state_name(int32_t state)
{
	return ctr__state_name(state);
}

int ctr_state_parse(const char *name, int32_t *state, ctr_error_t **err)
{
	if (!name || !state)
		return ctr__fail(err, CTR_E_INVALID, "name or state is NULL");
	return ctr__state_parse(name, state, err);
}

/* ---- accessors: lock, bring up to date, read one field, unlock ---- */

static int begin(ctr_container_t *c, const void *out, struct ctr__guard *g, ctr_error_t **err)
{
	if (!out) {
		*g = (struct ctr__guard){.c = NULL};
		return ctr__fail(err, CTR_E_INVALID, "the place for the result is NULL");
	}
	return ctr__enter(c, CTR__OP_READ, CTR__LOOK_GATED, g, err);
}

#define SCALAR(function, type, zero, expression)                       \
	int function(ctr_container_t *c, type *out, ctr_error_t **err) \
	{                                                              \
		struct ctr__guard g;                                   \
		int r;                                                 \
                                                                       \
		if (out)                                               \
			*out = zero;                                   \
		r = begin(c, out, &g, err);                            \
		if (r < 0)                                             \
			return r;                                      \
		*out = (type)(g.c->state.expression);                  \
		ctr__leave(&g);                                        \
		return 0;                                              \
	}

SCALAR(ctr_container_state, int32_t, CTR_STATE_UNKNOWN, state)
SCALAR(ctr_container_pid, int32_t, -1, pid)
SCALAR(ctr_container_conmon_pid, int32_t, -1, conmon_pid)
SCALAR(ctr_container_oom_killed, int32_t, 0, oom_killed)
SCALAR(ctr_container_started_ns, int64_t, 0, started_ns)
SCALAR(ctr_container_finished_ns, int64_t, 0, finished_ns)
SCALAR(ctr_container_mounted, int32_t, 0, mounted)
SCALAR(ctr_container_stopped_by_user, int32_t, 0, stopped_by_user)
SCALAR(ctr_container_restart_count, int64_t, 0, restart_count)

int ctr_container_exit_code(ctr_container_t *c, int32_t *code, int32_t *exited, ctr_error_t **err)
{
	struct ctr__guard g;
	int r;

	if (code)
		*code = 0;
	if (exited)
		*exited = 0;
	r = begin(c, code, &g, err);
	if (r < 0)
		return r;
	*code = g.c->state.exit_code;
	if (exited)
		*exited = g.c->state.exited;
	ctr__leave(&g);
	return 0;
}

static int copy_text(const char *text, char **out, ctr_error_t **err)
{
	*out = strdup(text);
	return *out ? 0 : ctr__fail_nomem(err);
}

#define TEXT(function, member)                                             \
	int function(ctr_container_t *c, char **out, ctr_error_t **err)    \
	{                                                                  \
		CTR__GUARD struct ctr__guard g;                            \
		int r;                                                     \
                                                                           \
		if (out)                                                   \
			*out = NULL;                                       \
		r = begin(c, out, &g, err);                                \
		return r < 0 ? r : copy_text(g.c->state.member, out, err); \
	}

TEXT(ctr_container_mountpoint, mountpoint)
TEXT(ctr_container_error_text, error)

int ctr_container_run_dir(ctr_container_t *c, char **path, ctr_error_t **err)
{
	CTR__GUARD struct ctr__guard g;
	int r;

	if (path)
		*path = NULL;
	r = begin(c, path, &g, err);
	if (r < 0)
		return r;
	*path = ctr__path_join(g.c->rt->run_dirs, g.c->id);
	return *path ? 0 : ctr__fail_nomem(err);
}

int ctr_container_bind_mounts(ctr_container_t *c, char ***list, ctr_error_t **err)
{
	CTR__GUARD struct ctr__guard g;
	int r;

	if (list)
		*list = NULL;
	r = begin(c, list, &g, err);
	if (r < 0)
		return r;
	*list = calloc(2 * (size_t)g.c->state.bind_mounts_n + 1, sizeof(char *));
	if (!*list)
		return ctr__fail_nomem(err);
	for (uint32_t i = 0; i < 2 * g.c->state.bind_mounts_n; i++) {
		(*list)[i] = strdup(g.c->state.bind_mounts[i]);
		if (!(*list)[i]) {
			ctr_strv_free(*list);
			*list = NULL;
			return ctr__fail_nomem(err);
		}
	}
	return 0;
}

int ctr_container_namespace_path(ctr_container_t *c, int32_t ns, char **path, ctr_error_t **err)
{
	CTR__GUARD struct ctr__guard g;
	int r;

	if (path)
		*path = NULL;
	r = begin(c, path, &g, err);
	if (r < 0)
		return r;
	if (ns < CTR_NS_IPC || ns > CTR_NS_CGROUP)
		return ctr__fail(err, CTR_E_INVALID, "there is no kind of namespace %d", ns);
	if (g.c->state.state != CTR_STATE_RUNNING && g.c->state.state != CTR_STATE_PAUSED) {
		ctr__fail(err, CTR_E_CTR_STOPPED, "container %s is not running (state %s)",
		    g.c->cfg->name, ctr__state_name(g.c->state.state));
		ctr__error_detail(err, "container", g.c->id);
		ctr__error_detail(err, "state", ctr__state_name(g.c->state.state));
		return CTR_E_CTR_STOPPED;
	}
	*path = ctr__format("/proc/%d/ns/%s", g.c->state.pid, ctr_ns_name(ns));
	return *path ? 0 : ctr__fail_nomem(err);
}

int ctr_container_cgroup_path(ctr_container_t *c, char **path, ctr_error_t **err)
{
	CTR__GUARD struct ctr__guard g;
	CTR__PATHS struct ctr__paths paths = {0};
	int r;

	if (path)
		*path = NULL;
	r = begin(c, path, &g, err);
	if (r < 0)
		return r;
	if (g.c->cfg->no_cgroups)
		return ctr__fail(
		    err, CTR_E_NO_CGROUPS, "container %s has no cgroup", g.c->cfg->name);
	if (g.c->state.pid > 0)
		*path = ctr__proc_cgroup(g.c->state.pid);
	if (*path)
		return 0;
	r = ctr__paths_init(g.c, g.c->cfg, &paths, err);
	if (r >= 0)
		*path = CTR__STEAL_PTR(paths.cgroup);
	return r;
}

/* ---- sizes ---- */

static int usage(ctr_container_t *c, int64_t *rootfs, int64_t *rw, ctr_error_t **err)
{
	CTR__GUARD struct ctr__guard g;
	CTR__PATHS struct ctr__paths paths = {0};
	struct ctr_storage_container view;
	struct ctr__storage *s;
	int r = ctr__enter(c, CTR__OP_READ, CTR__LOOK_GATED, &g, err);

	if (r >= 0)
		r = ctr__container_storage(g.c, &s, err);
	if (r < 0)
		return r;
	if (!s->ops.usage)
		return ctr__fail(
		    err, CTR_E_UNSUPPORTED, "storage driver \"%s\" cannot tell sizes", s->name);
	r = ctr__paths_init(g.c, g.c->cfg, &paths, err);
	if (r < 0)
		return r;
	ctr__storage_view(g.c, g.c->cfg, &paths, &view);
	return s->ops.usage(s->impl, &view, rootfs, rw, err);
}

int ctr_container_rootfs_size(ctr_container_t *c, int64_t *bytes, ctr_error_t **err)
{
	int64_t rootfs = 0, rw = 0;
	int r;

	if (!bytes)
		return ctr__fail(err, CTR_E_INVALID, "the place for the result is NULL");
	r = usage(c, &rootfs, &rw, err);
	*bytes = r < 0 ? -1 : rootfs;
	return r < 0 ? r : 0;
}

int ctr_container_rw_size(ctr_container_t *c, int64_t *bytes, ctr_error_t **err)
{
	int64_t rootfs = 0, rw = 0;
	int r;

	if (!bytes)
		return ctr__fail(err, CTR_E_INVALID, "the place for the result is NULL");
	r = usage(c, &rootfs, &rw, err);
	*bytes = r < 0 ? -1 : rw;
	return r < 0 ? r : 0;
}

/* ---- snapshots ---- */

int ctr_container_snapshot(ctr_container_t *c, ctr_state_t **out, ctr_error_t **err)
{
	CTR__GUARD struct ctr__guard g = {0};
	int r;

	if (!out)
		return ctr__fail(err, CTR_E_INVALID, "the place for the result is NULL");
	*out = NULL;
	r = ctr__enter(c, CTR__OP_READ, CTR__LOOK_NOW, &g, err);
	return r < 0 ? r : ctr__snapshot(g.c, out, err);
}

void ctr_state_free(ctr_state_t *s)
{
	ctr__snapshot_free(s);
}

void ctr_state_freep(ctr_state_t **s)
{
	ctr__snapshot_free(*s);
	*s = NULL;
}

int32_t ctr_state_status(const ctr_state_t *s)
{
	return s->s.state;
}

int32_t ctr_state_pid(const ctr_state_t *s)
{
	return s->s.pid;
}

int32_t ctr_state_conmon_pid(const ctr_state_t *s)
{
	return s->s.conmon_pid;
}

int32_t ctr_state_exit_code(const ctr_state_t *s)
{
	return s->s.exit_code;
}

int32_t ctr_state_exited(const ctr_state_t *s)
{
	return s->s.exited;
}

int32_t ctr_state_oom_killed(const ctr_state_t *s)
{
	return s->s.oom_killed;
}

int32_t ctr_state_mounted(const ctr_state_t *s)
{
	return s->s.mounted;
}

int32_t ctr_state_stopped_by_user(const ctr_state_t *s)
{
	return s->s.stopped_by_user;
}

int64_t ctr_state_restart_count(const ctr_state_t *s)
{
	return s->s.restart_count;
}

int64_t ctr_state_started_ns(const ctr_state_t *s)
{
	return s->s.started_ns;
}

int64_t ctr_state_finished_ns(const ctr_state_t *s)
{
	return s->s.finished_ns;
}

const char *ctr_state_mountpoint(const ctr_state_t *s)
{
	return s->s.mountpoint;
}

const char *ctr_state_run_dir(const ctr_state_t *s)
{
	return s->run_dir;
}

/* Root file systems are not shifted into user namespaces yet, so none is needed. */
const char *ctr_state_user_ns_root(const ctr_state_t *s)
{
	(void)s;
	return "";
}

const char *ctr_state_real_mountpoint(const ctr_state_t *s)
{
	return s->s.mountpoint;
}

const char *ctr_state_destination_run_dir(const ctr_state_t *s)
{
	return s->run_dir;
}

const char *ctr_state_config_path(const ctr_state_t *s)
{
	return s->s.config_path;
}

const char *ctr_state_stage_hooks(const ctr_state_t *s)
{
	return s->s.stage_hooks;
}

const char *ctr_state_error_text(const ctr_state_t *s)
{
	return s->s.error;
}

int ctr_state_bind_mount_at(
    const ctr_state_t *s, size_t i, const char **destination, const char **host_path)
{
	if (i >= s->s.bind_mounts_n)
		return 0;
	if (destination)
		*destination = s->s.bind_mounts[2 * i];
	if (host_path)
		*host_path = s->s.bind_mounts[2 * i + 1];
	return 1;
}

int ctr_state_to_json(const ctr_state_t *s, char **out, size_t *len, ctr_error_t **err)
{
	if (!s || !out)
		return ctr__fail(err, CTR_E_INVALID, "a parameter is NULL");
	return ctr__snapshot_json(s, out, len, err);
}
