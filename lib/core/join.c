/* SPDX-License-Identifier: Apache-2.0 */
/* Joining namespaces of other containers: see join.h for why it is safe. */
#include "core/join.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/dependencies.h"
#include "sys/mount.h"
#include "sys/proc.h"
#include "util/cleanup.h"
#include "util/json.h"

/* Containers whose UTS namespaces are joined in a row, at most so many are asked for the name. */
#define CHAIN_MAX 64

static void leave_alone(struct ctr__join *j, size_t kind)
{
	if (j->ns[kind].path[0])
		close(j->ns[kind].fd);
	j->ns[kind].path[0] = '\0';
}

void ctr__join_free(struct ctr__join *j)
{
	for (size_t i = 0; i < CTR__JOIN_KINDS; i++)
		leave_alone(j, i);
	free(j->uid_map);
	free(j->gid_map);
	free(j->hostname);
	free(j->shm);
}

/* ---- errors ---- */

static int not_there(const struct ctr_container *c, const struct ctr_container *dep,
    const char *what, ctr_error_t **err)
{
	const char *state = ctr__state_name(dep->state.state);

	ctr__fail(err, CTR_E_CTR_STATE,
	    "container %s joins namespaces of container %s, which %s %s", c->cfg->name,
	    dep->cfg->name, what, state);
	ctr__error_detail(err, "container", c->id);
	ctr__error_detail(err, "dependency", dep->id);
	ctr__error_detail(err, "state", state);
	return CTR_E_CTR_STATE;
}

static int ended(const struct ctr_container *c, const struct ctr_container *dep, ctr_error_t **err)
{
	return not_there(c, dep, "ends just now; its state is still", err);
}

static int no_process(
    const struct ctr_container *c, const struct ctr_container *dep, ctr_error_t **err)
{
	ctr__fail(err, CTR_E_UNSUPPORTED,
	    "container %s cannot join namespaces of container %s: its OCI runtime knows no process "
	    "of it",
	    c->cfg->name, dep->cfg->name);
	ctr__error_detail(err, "container", c->id);
	ctr__error_detail(err, "dependency", dep->id);
	return CTR_E_UNSUPPORTED;
}

/* ---- one namespace; the other container's lock is held ---- */

static int open_one(struct ctr__join *j, const struct ctr_container *dep, int32_t kind)
{
	const char *name = ctr_ns_name(kind);
	int fd;

	/* A network that was set up before the process has a path of its own. */
	if (kind == CTR_NS_NET && dep->state.net_ns[0])
		fd = ctr__ns_open_path(dep->state.net_ns, name);
	else
		fd = ctr__ns_open(dep->state.pid, name);
	if (fd < 0)
		return fd;
	j->ns[kind].fd = fd;
	j->ns[kind].pid = dep->state.pid;
	j->ns[kind].pid_start = dep->state.pid_start;
	snprintf(j->ns[kind].path, sizeof(j->ns[kind].path), "/proc/%d/fd/%d", (int)getpid(), fd);
	return 0;
}

/* A process cannot enter the user namespace that it is in already, so the host's is not joined but kept. */
static int look_at_user(struct ctr__join *j, const struct ctr_container *dep)
{
	int own = ctr__ns_is_own(j->ns[CTR_NS_USER].fd, "user");
	int r;

	if (own < 0)
		return own;
	if (own) {
		leave_alone(j, CTR_NS_USER);
		j->host_user = true;
		return 0;
	}
	r = ctr__id_map_read(dep->state.pid, "uid_map", &j->uid_map, &j->uid_map_n);
	return r < 0 ? r : ctr__id_map_read(dep->state.pid, "gid_map", &j->gid_map, &j->gid_map_n);
}

static int open_kinds(struct ctr__join *j, const ctr_config_t *cfg, const struct ctr_container *dep)
{
	int r = 0;

	for (int32_t kind = CTR_NS_IPC; r == 0 && kind <= CTR_NS_CGROUP; kind++) {
		const char *id = ctr_config_ns_ctr(cfg, kind);

		if (!id || strcmp(id, dep->id) != 0)
			continue;
		r = open_one(j, dep, kind);
		if (r == 0 && kind == CTR_NS_USER)
			r = look_at_user(j, dep);
	}
	return r;
}

/* The other's own, or the one that it has from a third container itself. */
static int find_shm(struct ctr__join *j, const ctr_config_t *cfg, const struct ctr_container *dep,
    ctr_error_t **err)
{
	const struct ctr__state *s = &dep->state;

	if (!cfg->ipc_ns_ctr || strcmp(cfg->ipc_ns_ctr, dep->id) != 0)
		return 0;
	for (uint32_t i = 0; i < s->bind_mounts_n; i++) {
		if (strcmp(s->bind_mounts[2 * i], "/dev/shm") != 0)
			continue;
		j->shm = strdup(s->bind_mounts[2 * i + 1]);
		if (!j->shm)
			return ctr__fail_nomem(err);
	}
	return 0;
}

/* ---- one container ---- */

static bool has_namespaces(const struct ctr_container *c, const struct ctr_container *dep)
{
	int32_t state = dep->state.state;

	return state == CTR_STATE_PAUSED || ctr__dependency_serves(dep, c->cfg, state);
}

static int open_from(
    struct ctr_container *c, const char *id, struct ctr__join *j, ctr_error_t **err)
{
	CTR__CLEANUP(ctr_container_unrefp) struct ctr_container *dep = NULL;
	CTR__GUARD struct ctr__guard g = {0};
	int r = ctr__container_open(c->rt, id, &dep, err);

	if (r >= 0)
		r = ctr__enter(dep, CTR__OP_READ, CTR__LOOK_NOW, &g, err);
	if (r < 0)
		return r;
	if (!has_namespaces(c, dep))
		return not_there(c, dep, "is", err);
	if (dep->state.pid <= 0)
		return no_process(c, dep, err);
	r = open_kinds(j, c->cfg, dep);
	if (r == -ENOMEM)
		return ctr__fail_nomem(err);
	/* Last: only now is it certain that the PID was its own all the time. */
	if (ctr__proc_is_over(dep->state.pid, dep->state.pid_start))
		return ended(c, dep, err);
	if (r < 0)
		return ctr__fail_errno(
		    err, -r, NULL, "cannot open the namespaces of container %s", dep->cfg->name);
	return find_shm(j, c->cfg, dep, err);
}

/* Not asked yet for a namespace of a smaller number? */
static bool is_first(const ctr_config_t *cfg, int32_t kind, const char *id)
{
	for (int32_t k = CTR_NS_IPC; k < kind; k++)
		if (ctr__streq(ctr_config_ns_ctr(cfg, k), id))
			return false;
	return true;
}

/* ---- the name that belongs to a UTS namespace ---- */

enum uts { UTS_OWN, UTS_HOST, UTS_ELSEWHERE };

static enum uts uts_of(const struct ctr__json *spec)
{
	CTR__JSON_EACH (ns, ctr__json_path(spec, "linux", "namespaces", NULL)) {
		const char *path = ctr__json_str(ctr__json_get(ns, "path"));

		if (ctr__streq(ctr__json_str(ctr__json_get(ns, "type")), "uts"))
			return path && *path ? UTS_ELSEWHERE : UTS_OWN;
	}
	return UTS_HOST;
}

/* *out stays NULL if the name is not known. */
static int name_of(const ctr_config_t *cfg, char **out, ctr_error_t **err)
{
	CTR__JSON_DOC struct ctr__json_doc *doc = NULL;
	char host[HOST_NAME_MAX + 1] = "";
	enum uts uts;
	int r = ctr__json_parse(cfg->spec.text, cfg->spec.len, "spec", &doc, err);

	if (r < 0)
		return r;
	uts = uts_of(doc->root);
	if (uts == UTS_ELSEWHERE || (uts == UTS_HOST && gethostname(host, sizeof(host) - 1) < 0))
		return 0;
	*out = strdup(uts == UTS_OWN ? ctr_config_hostname(cfg) : host);
	return *out ? 0 : ctr__fail_nomem(err);
}

/* The one that was joined may have joined it, too: whoever made it gave it its name. */
static int find_hostname(struct ctr_container *c, struct ctr__join *j, ctr_error_t **err)
{
	CTR__CLEANUP(ctr_config_unrefp) ctr_config_t *cfg = ctr_config_ref(c->cfg);

	for (int i = 0; i < CHAIN_MAX && cfg->uts_ns_ctr; i++) {
		CTR__CLEANUP(ctr_container_unrefp) struct ctr_container *dep = NULL;
		int r = ctr__container_open(c->rt, cfg->uts_ns_ctr, &dep, err);

		if (r < 0)
			return r;
		ctr_config_unref(cfg);
		cfg = ctr_config_ref(dep->cfg);
	}
	return cfg->uts_ns_ctr ? 0 : name_of(cfg, &j->hostname, err);
}

/* ---- all of it ---- */

int ctr__join_open(struct ctr_container *c, struct ctr__join *j, ctr_error_t **err)
{
	int r = 0;

	for (int32_t kind = CTR_NS_IPC; r >= 0 && kind <= CTR_NS_CGROUP; kind++) {
		const char *id = ctr_config_ns_ctr(c->cfg, kind);

		if (id && is_first(c->cfg, kind, id))
			r = open_from(c, id, j, err);
	}
	if (r >= 0 && c->cfg->uts_ns_ctr)
		r = find_hostname(c, j, err);
	return r < 0 ? r : 0;
}

void ctr__join_facts(const struct ctr__join *j, struct ctr__spec_facts *facts)
{
	for (size_t i = 0; i < CTR__JOIN_KINDS; i++)
		facts->ns_paths[i] = j->ns[i].path[0] ? j->ns[i].path : NULL;
	facts->host_user_ns = j->host_user;
	facts->joined_uids = (struct ctr__spec_ids){j->uid_map, j->uid_map_n};
	facts->joined_gids = (struct ctr__spec_ids){j->gid_map, j->gid_map_n};
	facts->joined_hostname = j->hostname;
}

/* ---- afterwards ---- */

/* Is the other container still in the run that a namespace was opened of, and, if need be, does that go on? An ended
 * one keeps its mounts until it is cleaned up, but then its run is not known by its process any more: what cannot be
 * told from a new run is refused. */
static int check_run(
    struct ctr_container *c, const struct ctr__join *j, int32_t kind, bool alive, ctr_error_t **err)
{
	CTR__CLEANUP(ctr_container_unrefp) struct ctr_container *dep = NULL;
	CTR__GUARD struct ctr__guard g = {0};
	int r = ctr__container_open(c->rt, ctr_config_ns_ctr(c->cfg, kind), &dep, err);

	if (r >= 0)
		r = ctr__enter(dep, CTR__OP_READ, CTR__LOOK_NOW, &g, err);
	if (r < 0)
		return r;
	if (dep->state.pid != j->ns[kind].pid || dep->state.pid_start != j->ns[kind].pid_start)
		return not_there(c, dep, "ended meanwhile; its state is", err);
	if (alive && ctr__proc_is_over(dep->state.pid, dep->state.pid_start))
		return ended(c, dep, err);
	return 0;
}

int ctr__join_check(struct ctr_container *c, const struct ctr__join *j, ctr_error_t **err)
{
	int r = j->shm ? check_run(c, j, CTR_NS_IPC, false, err) : 0;

	return r >= 0 && j->ns[CTR_NS_PID].pid ? check_run(c, j, CTR_NS_PID, true, err) : r;
}

static int take_place(ctr_error_t **why, int code, ctr_error_t **err)
{
	if (err) {
		ctr_error_freep(err);
		*err = CTR__STEAL_PTR(*why);
	}
	return code;
}

int ctr__join_blame(struct ctr_container *c, const struct ctr__join *j, int code, ctr_error_t **err)
{
	for (int32_t kind = CTR_NS_IPC; kind <= CTR_NS_CGROUP; kind++) {
		CTR__ERROR ctr_error_t *why = NULL;

		if (j->ns[kind].pid && check_run(c, j, kind, true, &why) == CTR_E_CTR_STATE)
			return take_place(&why, CTR_E_CTR_STATE, err);
	}
	return code;
}

static int check_pid_namespace(struct ctr_container *c, ctr_error_t **err)
{
	CTR__CLEANUP(ctr_container_unrefp) struct ctr_container *dep = NULL;
	CTR__GUARD struct ctr__guard g = {0};
	int r = ctr__container_open(c->rt, c->cfg->pid_ns_ctr, &dep, err);

	if (r >= 0)
		r = ctr__enter(dep, CTR__OP_READ, CTR__LOOK_NOW, &g, err);
	if (r < 0)
		return r;
	if (!has_namespaces(c, dep))
		return not_there(c, dep, "is", err);
	if (dep->state.pid > 0 && ctr__proc_is_over(dep->state.pid, dep->state.pid_start))
		return ended(c, dep, err);
	return 0;
}

int ctr__join_blame_start(struct ctr_container *c, int code, ctr_error_t **err)
{
	CTR__ERROR ctr_error_t *why = NULL;

	if (c->cfg->pid_ns_ctr && check_pid_namespace(c, &why) == CTR_E_CTR_STATE)
		return take_place(&why, CTR_E_CTR_STATE, err);
	return code;
}
