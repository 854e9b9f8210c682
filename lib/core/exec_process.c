/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process of an exec session: the container's own, as its bundle has it, with other arguments, and with what the
 * options say of environment, directory, user, groups and rights.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/process.h"
#include "sys/caps.h"
#include "sys/fd.h"
#include "sys/users.h"
#include "util/cleanup.h"

struct making {
	struct ctr_container *c;
	const struct ctr_exec_opts *o;
	struct ctr__process p;
	struct ctr__user user;
	bool other_user; /* `user` is set                                    */
	bool same_uid;   /* ... and has the number of the container's user   */
};

static void making_free(struct making *m)
{
	ctr__process_free(&m->p);
	ctr__user_free(&m->user);
}

static bool given(const char *s)
{
	return s && *s;
}

/* ---- environment ---- */

static size_t name_length(const char *variable)
{
	return strcspn(variable, "=");
}

static bool same_name(const char *a, const char *b)
{
	size_t n = name_length(a);

	return n == name_length(b) && memcmp(a, b, n) == 0;
}

static struct ctr__json *find_variable(const struct ctr__json *env, const char *variable)
{
	CTR__JSON_EACH (v, env) {
		const char *text = ctr__json_str(v);

		if (text && same_name(text, variable))
			return v;
	}
	return NULL;
}

static bool set_variable(struct making *m, struct ctr__json *env, const char *variable)
{
	struct ctr__json *old;

	while ((old = find_variable(env, variable)))
		ctr__json_remove(env, old);
	return ctr__json_append(m->p.doc, env, ctr__json_new_str(m->p.doc, variable));
}

/* The bundle's is that of the container's user, unless somebody has chosen it. */
static bool chose_home(const struct making *m)
{
	for (const char *const *v = m->o->env; v && *v; v++) {
		if (same_name(*v, "HOME"))
			return true;
	}
	for (size_t i = 0; i < m->c->cfg->env.n; i++) {
		if (same_name(m->c->cfg->env.v[i], "HOME"))
			return true;
	}
	return false;
}

static int set_env(struct making *m, ctr_error_t **err)
{
	struct ctr__json *env = ctr__json_want_array(m->p.doc, m->p.object, "env");
	bool ok = env;

	for (const char *const *v = m->o->env; ok && v && *v; v++)
		ok = set_variable(m, env, *v);
	if (ok && m->other_user && !chose_home(m)) {
		CTR__FREE char *home = ctr__format("HOME=%s", m->user.home);

		ok = home && ctr__utf8_valid(home, strlen(home)) ? set_variable(m, env, home)
		                                                 : home != NULL;
	}
	return ok ? 0 : ctr__fail_nomem(err);
}

/* ---- user ---- */

/* The container sees a copy of this file, if one was made for it, rather than that of its root file system. */
static void prefer_copy(const struct ctr_container *c, const char *dest, char **text, size_t *len)
{
	for (uint32_t i = 0; i < c->state.bind_mounts_n; i++) {
		char *copy = NULL;
		size_t copy_len;

		if (strcmp(c->state.bind_mounts[2 * i], dest) != 0 ||
		    ctr__read_file_at(AT_FDCWD, c->state.bind_mounts[2 * i + 1],
		        CTR__USERS_FILE_MAX, &copy, &copy_len) < 0)
			continue;
		free(*text);
		*text = copy;
		*len = copy_len;
	}
}

static int read_users(struct ctr_container *c, struct ctr__users *u, ctr_error_t **err)
{
	const char *root = c->state.mountpoint;
	CTR__CLOSE int fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (fd < 0)
		return ctr__fail_errno(err, errno, root,
		    "cannot open the root file system of container %s", c->cfg->name);
	r = ctr__users_read(fd, u, err);
	if (r >= 0) {
		prefer_copy(c, "/etc/passwd", &u->passwd, &u->passwd_len);
		prefer_copy(c, "/etc/group", &u->group, &u->group_len);
	}
	return r;
}

static uint32_t id_of(const struct making *m, const char *key)
{
	uint64_t n = 0;

	(void)ctr__json_u64(ctr__json_path(m->p.object, "user", key, NULL), &n);
	return (uint32_t)n;
}

static bool add_lists(char ***all, const char *const *a, size_t n, const char *const *b)
{
	for (size_t i = 0; i < n; i++) {
		if (!ctr__strv_add(all, a[i]))
			return false;
	}
	for (; b && *b; b++) {
		if (!ctr__strv_add(all, *b))
			return false;
	}
	return true;
}

static int find_user(struct making *m, ctr_error_t **err)
{
	CTR__CLEANUP(ctr__users_free) struct ctr__users users = {0};
	CTR__STRV char **groups = NULL;
	const struct ctr__cfg_list *own = &m->c->cfg->groups;
	const char *user = given(m->o->user) ? m->o->user : m->c->cfg->user;
	int r = read_users(m->c, &users, err);

	if (r < 0)
		return r;
	if (!add_lists(&groups, (const char *const *)own->v, own->n, m->o->groups))
		return ctr__fail_nomem(err);
	r = ctr__users_find(&users, user, id_of(m, "uid"), id_of(m, "gid"),
	    (const char *const *)groups, &m->user, err);
	if (r < 0)
		return r;
	m->other_user = true;
	m->same_uid = m->user.uid == id_of(m, "uid");
	return 0;
}

/* Sorted, each once, with the primary one: as libpod has it. */
static struct ctr__json *group_list(struct making *m)
{
	struct ctr__json *list = ctr__json_new_array(m->p.doc);
	bool ok = list, primary = false;

	for (size_t i = 0; ok && i < m->user.groups_n; i++) {
		uint32_t gid = m->user.groups[i];

		if (!primary && gid >= m->user.gid) {
			primary = true;
			if (gid != m->user.gid)
				ok = ctr__json_append(
				    m->p.doc, list, ctr__json_new_u64(m->p.doc, m->user.gid));
		}
		ok = ok && ctr__json_append(m->p.doc, list, ctr__json_new_u64(m->p.doc, gid));
	}
	if (ok && !primary)
		ok = ctr__json_append(m->p.doc, list, ctr__json_new_u64(m->p.doc, m->user.gid));
	return ok ? list : NULL;
}

/* The umask stays. */
static int set_user(struct making *m, ctr_error_t **err)
{
	struct ctr__json_doc *d = m->p.doc;
	struct ctr__json *user;

	if (!m->other_user)
		return 0;
	user = ctr__json_want_object(d, m->p.object, "user");
	if (!user || !ctr__json_set(d, user, "uid", ctr__json_new_u64(d, m->user.uid)) ||
	    !ctr__json_set(d, user, "gid", ctr__json_new_u64(d, m->user.gid)) ||
	    !ctr__json_set(d, user, "additionalGids", group_list(m)))
		return ctr__fail_nomem(err);
	ctr__json_unset(user, "username");
	return 0;
}

/* ---- capabilities ---- */

static struct ctr__json *to_array(struct ctr__json_doc *d, char *const *names)
{
	struct ctr__json *list = ctr__json_new_array(d);

	for (; list && *names; names++) {
		if (!ctr__json_append(d, list, ctr__json_new_str(d, *names)))
			return NULL;
	}
	return list;
}

/* `set` NULL: none. */
static bool set_sets(
    struct making *m, struct ctr__json *caps, const struct ctr__json *set, const char *const *names)
{
	struct ctr__json_doc *d = m->p.doc;

	for (; *names; names++) {
		struct ctr__json *copy = set ? ctr__json_copy(d, set) : ctr__json_new_array(d);

		if (!ctr__json_set(d, caps, *names, copy))
			return false;
	}
	return true;
}

static bool set_all_caps(struct making *m, struct ctr__json *caps)
{
	static const char *const for_root[] = {"effective", "permitted", NULL};
	static const char *const not_for_root[] = {"inheritable", "ambient", NULL};
	static const char *const for_others[] = {
	    "effective", "permitted", "inheritable", "ambient", NULL};
	const struct ctr__json *effective = ctr__json_get(caps, "effective");

	if ((m->other_user ? m->user.uid : id_of(m, "uid")) == 0)
		return set_sets(m, caps, ctr__json_get(caps, "bounding"), for_root) &&
		       set_sets(m, caps, NULL, not_for_root);
	return set_sets(m, caps, !m->other_user || m->same_uid ? effective : NULL, for_others);
}

static int set_caps(struct making *m, ctr_error_t **err)
{
	struct ctr__json_doc *d = m->p.doc;
	bool privileged = m->o->flags & CTR_EXEC_PRIVILEGED;
	CTR__STRV char **all = NULL;
	struct ctr__json *caps;
	int r;

	/* Without the member the runtime gives none, and there is nothing to change. */
	if (!privileged && !ctr__json_get(m->p.object, "capabilities"))
		return 0;
	caps = ctr__json_want_object(d, m->p.object, "capabilities");
	if (!caps)
		return ctr__fail_nomem(err);
	if (privileged) {
		r = ctr__caps_all(&all, err);
		if (r < 0)
			return r;
		if (!ctr__json_set(d, caps, "bounding", to_array(d, all)))
			return ctr__fail_nomem(err);
	}
	return set_all_caps(m, caps) ? 0 : ctr__fail_nomem(err);
}

/* ---- all of it ---- */

static int set_command(struct making *m, ctr_error_t **err)
{
	struct ctr__json_doc *d = m->p.doc;

	if (!ctr__process_set_args(&m->p, m->o->command, m->o->flags & CTR_EXEC_TERMINAL))
		return ctr__fail_nomem(err);
	if (!given(m->o->workdir))
		return 0;
	return ctr__json_set(d, m->p.object, "cwd", ctr__json_new_str(d, m->o->workdir))
	           ? 0
	           : ctr__fail_nomem(err);
}

int ctr__process_for_exec(
    struct ctr_container *c, const struct ctr_exec_opts *o, struct ctr__buf *out, ctr_error_t **err)
{
	CTR__CLEANUP(making_free) struct making m = {.c = c, .o = o};
	CTR__PATHS struct ctr__paths paths = {0};
	int r = ctr__paths_init(c, c->cfg, &paths, err);

	if (r >= 0)
		r = ctr__process_load(paths.config_json, c->id, &m.p, err);
	if (r >= 0 && (given(o->user) || (o->groups && *o->groups)))
		r = find_user(&m, err);
	if (r >= 0)
		r = set_command(&m, err);
	if (r >= 0)
		r = set_env(&m, err);
	/* Capabilities look at the user that the container has: before that is replaced. */
	if (r >= 0)
		r = set_caps(&m, err);
	if (r >= 0)
		r = set_user(&m, err);
	if (r < 0)
		return r;
	ctr__json_write(m.p.object, false, out);
	return out->failed ? ctr__fail_nomem(err) : 0;
}
