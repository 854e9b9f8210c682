/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The user of the process, and copies of passwd and group with entries for whom the root file system does not know.
 * The copies are bind-mounted over the originals, whether those could be written or not: the root file system stays
 * as it is, and other containers on it do not see each other's users.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/files.h"
#include "util/cleanup.h"

#define PASSWD "/etc/passwd"
#define GROUP  "/etc/group"

/* Lines to be added. */
struct entries {
	struct ctr__buf passwd, group;
};

static void entries_free(struct entries *e)
{
	ctr__buf_free(&e->passwd);
	ctr__buf_free(&e->group);
}

/* ---- one line ---- */

struct variable {
	const char *name, *value;
};

/* Text that becomes a field must not end it. */
static bool fits_field(const char *s)
{
	for (; *s; s++)
		if (*s == ':' || (unsigned char)*s < ' ' || *s == 0x7f)
			return false;
	return true;
}

static const struct variable *variable_at(const char *p, const struct variable *v)
{
	for (; v->name; v++)
		if (ctr__starts_with(p, v->name))
			return v;
	return NULL;
}

/* `template` with its variables replaced; `v` ends with a NULL name. */
static void add_line(struct ctr__buf *out, const char *template, const struct variable *v)
{
	for (const char *p = template; *p;) {
		const struct variable *found = *p == '$' ? variable_at(p, v) : NULL;

		if (found) {
			ctr__buf_adds(out, found->value);
			p += strlen(found->name);
		} else {
			ctr__buf_addc(out, *p++);
		}
	}
	if (out->len && out->data[out->len - 1] != '\n')
		ctr__buf_addc(out, '\n');
}

/* ---- the user of the process ---- */

static char *first_part(const char *user)
{
	return strndup(user, strcspn(user, ":"));
}

static int add_own_passwd(struct ctr__files *f, struct entries *e, ctr_error_t **err)
{
	const char *template = f->cfg->passwd_entry ? f->cfg->passwd_entry
	                                            : "$USERNAME:*:$UID:$GID:$NAME:$HOME:/bin/sh";
	const char *workdir = ctr__files_workdir(f);
	CTR__FREE char *uid = ctr__format("%u", f->user.uid);
	CTR__FREE char *gid = ctr__format("%u", f->user.gid);

	if (!uid || !gid)
		return ctr__fail_nomem(err);
	const struct variable v[] = {{"$USERNAME", uid}, {"$UID", uid}, {"$GID", gid},
	    {"$NAME", "container user"}, {"$HOME", fits_field(workdir) ? workdir : "/"},
	    {NULL, NULL}};

	add_line(&e->passwd, template, v);
	return 0;
}

static int add_own_group(
    struct ctr__files *f, const char *member, struct entries *e, ctr_error_t **err)
{
	const char *template =
	    f->cfg->group_entry ? f->cfg->group_entry : "$GROUPNAME:x:$GID:$USERLIST";
	CTR__FREE char *uid = ctr__format("%u", f->user.uid);
	CTR__FREE char *gid = ctr__format("%u", f->user.gid);

	if (!uid || !gid)
		return ctr__fail_nomem(err);
	const struct variable v[] = {{"$GROUPNAME", gid}, {"$USERLIST", member},
	    {"$USERNAME", member}, {"$UID", uid}, {"$GID", gid}, {"$NAME", "container user"},
	    {"$HOME", "/"}, {NULL, NULL}};

	add_line(&e->group, template, v);
	return 0;
}

/* A number without an entry gets one. A group without one can only come from a number, too, or from an entry of
 * passwd, whose business it is. */
static int add_own(struct ctr__files *f, struct entries *e, ctr_error_t **err)
{
	const char *user = f->cfg->user, *colon = user ? strchr(user, ':') : NULL;
	CTR__FREE char *member = NULL;
	int r = 0;

	if (!user)
		return 0;
	member = first_part(user);
	if (!member)
		return ctr__fail_nomem(err);
	if (!f->user.name)
		r = add_own_passwd(f, e, err);
	if (r >= 0 && !f->user.gid_known && (colon || !f->user.name))
		r = add_own_group(f, member, e, err);
	return r;
}

/* ---- users of the host ---- */

static int no_host_user(ctr_error_t **err, const char *name)
{
	ctr__fail(
	    err, CTR_E_INVALID, "HostUsers: this host's /etc/passwd has no user \"%.100s\"", name);
	ctr__error_detail(err, "field", "HostUsers");
	return CTR_E_INVALID;
}

static bool gid_known(
    const struct ctr__files *f, const struct ctr__passwd *p, const struct ctr__users_text *group)
{
	CTR__FREE char *name = ctr__strdup_len(group->p, group->len);

	return ctr__users_group(&f->users, NULL, p->gid, NULL, NULL) ||
	       (name && ctr__users_group(&f->users, name, 0, NULL, NULL));
}

#define TEXT(t) (int)(t).len, (t).p

static int add_host_user(struct ctr__files *f, const struct ctr__users *host, const char *name,
    struct entries *e, ctr_error_t **err)
{
	bool numeric = ctr__users_is_number(name);
	struct ctr__passwd p, other;
	struct ctr__users_text group;
	uint32_t uid = 0;

	if ((numeric && !ctr__users_number(name, &uid)) ||
	    !ctr__users_passwd(host, numeric ? NULL : name, uid, &p))
		return no_host_user(err, name);
	CTR__FREE char *own = ctr__strdup_len(p.name.p, p.name.len);
	if (!own)
		return ctr__fail_nomem(err);
	if (ctr__users_passwd(&f->users, own, 0, &other) ||
	    ctr__users_passwd(&f->users, NULL, p.uid, &other))
		return 0;
	ctr__buf_addf(&e->passwd, "%s:*:%u:%u:%.*s:%.*s:/bin/sh\n", own, p.uid, p.gid,
	    TEXT(p.gecos), TEXT(p.home));
	if (ctr__users_group(host, NULL, p.gid, NULL, &group) && !gid_known(f, &p, &group))
		ctr__buf_addf(&e->group, "%.*s:x:%u:%s\n", TEXT(group), p.gid, own);
	return 0;
}

static int add_host_users(struct ctr__files *f, struct entries *e, ctr_error_t **err)
{
	CTR__CLEANUP(ctr__users_free) struct ctr__users host = {0};
	CTR__CLOSE int root = -1;
	int r = 0;

	if (f->cfg->host_users.n == 0)
		return 0;
	root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return ctr__fail_errno(err, errno, "/", "cannot open /");
	r = ctr__users_read(root, &host, err);
	for (size_t i = 0; r >= 0 && i < f->cfg->host_users.n; i++)
		r = add_host_user(f, &host, f->cfg->host_users.v[i], e, err);
	return r;
}

/* ---- the copies ---- */

/* Nothing to add, or nothing to add it to: the container keeps what it has. */
static int put_copy(struct ctr__files *f, const char *name, const char *dest, const char *text,
    size_t len, const struct ctr__buf *more, ctr_error_t **err)
{
	CTR__BUF struct ctr__buf out = {0};

	if (more->failed)
		return ctr__fail_nomem(err);
	if (!more->len || !text || !ctr__files_wants(f, dest))
		return 0;
	ctr__buf_add(&out, text, len);
	if (len && text[len - 1] != '\n')
		ctr__buf_addc(&out, '\n');
	ctr__buf_add(&out, more->data, more->len);
	if (out.failed)
		return ctr__fail_nomem(err);
	return ctr__files_put(f, name, dest, out.data, out.len, err);
}

static int put_entries(struct ctr__files *f, ctr_error_t **err)
{
	CTR__CLEANUP(entries_free) struct entries e = {0};
	int r = add_own(f, &e, err);

	if (r >= 0)
		r = add_host_users(f, &e, err);
	if (r >= 0)
		r = put_copy(
		    f, "passwd", PASSWD, f->users.passwd, f->users.passwd_len, &e.passwd, err);
	if (r >= 0)
		r = put_copy(f, "group", GROUP, f->users.group, f->users.group_len, &e.group, err);
	return r;
}

static uint32_t spec_id(const struct ctr__files *f, const char *key)
{
	uint64_t n = 0;

	(void)ctr__json_u64(ctr__json_path(f->spec, "process", "user", key, NULL), &n);
	return (uint32_t)n;
}

/* OCI runtimes open these files, too, inside the container and without such care: a fifo would make them wait. */
static int check_file(
    const struct ctr__files *f, const char *path, int why_unread, ctr_error_t **err)
{
	if (why_unread != EINVAL || !ctr__files_wants(f, path))
		return 0;
	ctr__fail(err, CTR_E_INVALID, "%s of the root file system is not a regular file", path);
	ctr__error_detail(err, "path", path);
	return CTR_E_INVALID;
}

int ctr__files_user(struct ctr__files *f, ctr_error_t **err)
{
	int r = ctr__users_read(f->root_fd, &f->users, err);

	if (r >= 0)
		r = check_file(f, PASSWD, f->users.passwd_errno, err);
	if (r >= 0)
		r = check_file(f, GROUP, f->users.group_errno, err);
	if (r >= 0)
		r = ctr__users_find(&f->users, f->cfg->user, spec_id(f, "uid"), spec_id(f, "gid"),
		    f->cfg->groups.v, &f->user, err);
	if (r < 0)
		return r;
	f->spec_user = (struct ctr__spec_user){
	    .by_name = f->cfg->user,
	    .uid = f->user.uid,
	    .gid = f->user.gid,
	    .groups = f->user.groups,
	    .groups_n = f->user.groups_n,
	    .home = f->user.home,
	};
	return put_entries(f, err);
}
