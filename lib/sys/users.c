/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Users and groups of a root file system. The files come from whoever made it: fields may be missing, numbers too
 * large, lines without end. What is not well-formed is passed over; nothing is copied but what is asked for.
 */
#include "sys/users.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sys/path.h"
#include "util/cleanup.h"
#include "util/str.h"

#define PASSWD_FIELDS 7
#define GROUP_FIELDS  4
#define GROUPS_MAX    65536 /* the kernel's */

typedef struct ctr__users_text text;

/* ---- reading ---- */

static int read_one(
    int rootfd, const char *path, char **out, size_t *len, int *why, ctr_error_t **err)
{
	int r = ctr__read_in_root(rootfd, path, CTR__USERS_FILE_MAX, out, len);

	if (r == -ENOMEM)
		return ctr__fail_nomem(err);
	*why = -r;
	return 0;
}

int ctr__users_read(int rootfd, struct ctr__users *u, ctr_error_t **err)
{
	int r;

	*u = (struct ctr__users){0};
	r = read_one(rootfd, "/etc/passwd", &u->passwd, &u->passwd_len, &u->passwd_errno, err);
	if (r >= 0)
		r = read_one(rootfd, "/etc/group", &u->group, &u->group_len, &u->group_errno, err);
	return r;
}

void ctr__users_free(struct ctr__users *u)
{
	free(u->passwd);
	free(u->group);
	*u = (struct ctr__users){0};
}

void ctr__user_free(struct ctr__user *u)
{
	free(u->name);
	free(u->home);
	free(u->groups);
	*u = (struct ctr__user){0};
}

/* ---- lines ---- */

struct lines {
	const char *p, *end;
};

static struct lines lines_of(const char *data, size_t len)
{
	return (struct lines){data, data ? data + len : NULL};
}

/* The next line without its newline. */
static bool next_line(struct lines *l, text *line)
{
	const char *nl;

	if (!l->p || l->p == l->end)
		return false;
	nl = memchr(l->p, '\n', (size_t)(l->end - l->p));
	line->p = l->p;
	line->len = (size_t)((nl ? nl : l->end) - l->p);
	l->p = nl ? nl + 1 : l->end;
	return true;
}

/* Cuts a line into at most `most` fields, the last one with all that follows. How many there are; 0 if the line holds
 * what no line may. */
static size_t split(text line, text *fields, size_t most)
{
	size_t n = 0;

	if (memchr(line.p, '\0', line.len))
		return 0;
	for (;;) {
		const char *colon = n + 1 < most ? memchr(line.p, ':', line.len) : NULL;
		size_t len = colon ? (size_t)(colon - line.p) : line.len;

		fields[n++] = (text){line.p, len};
		if (!colon)
			return n;
		line.p += len + 1;
		line.len -= len + 1;
	}
}

static bool same(text t, const char *s)
{
	return strlen(s) == t.len && memcmp(t.p, s, t.len) == 0;
}

static bool number_of(text t, uint32_t *out)
{
	uint64_t n = 0;

	if (t.len == 0 || t.len > 10)
		return false;
	for (size_t i = 0; i < t.len; i++) {
		if (t.p[i] < '0' || t.p[i] > '9')
			return false;
		n = n * 10 + (uint64_t)(t.p[i] - '0');
	}
	*out = (uint32_t)n;
	return n <= CTR__USERS_ID_MAX;
}

bool ctr__users_is_number(const char *s)
{
	return *s && s[strspn(s, "0123456789")] == '\0';
}

bool ctr__users_number(const char *s, uint32_t *out)
{
	while (s[0] == '0' && s[1])
		s++;
	return number_of((text){s, strlen(s)}, out);
}

/* ---- entries ---- */

/* name:password:uid:gid:gecos:home:shell; what follows the numbers may be missing. */
static bool parse_passwd(text line, struct ctr__passwd *out)
{
	text f[PASSWD_FIELDS] = {{"", 0}, {"", 0}, {"", 0}, {"", 0}, {"", 0}, {"", 0}, {"", 0}};

	if (split(line, f, PASSWD_FIELDS) < 4 || f[0].len == 0 || !number_of(f[2], &out->uid) ||
	    !number_of(f[3], &out->gid))
		return false;
	out->name = f[0];
	out->gecos = f[4];
	out->home = f[5];
	out->shell = f[6];
	return true;
}

bool ctr__users_passwd(
    const struct ctr__users *u, const char *name, uint32_t uid, struct ctr__passwd *out)
{
	struct lines l = lines_of(u->passwd, u->passwd_len);
	text line;

	while (next_line(&l, &line)) {
		if (parse_passwd(line, out) && (name ? same(out->name, name) : out->uid == uid))
			return true;
	}
	return false;
}

struct group {
	text name, members;
	uint32_t gid;
};

/* name:password:gid:member,member */
static bool parse_group(text line, struct group *out)
{
	text f[GROUP_FIELDS] = {{"", 0}, {"", 0}, {"", 0}, {"", 0}};

	if (split(line, f, GROUP_FIELDS) < 3 || f[0].len == 0 || !number_of(f[2], &out->gid))
		return false;
	out->name = f[0];
	out->members = f[3];
	return true;
}

bool ctr__users_group(const struct ctr__users *u, const char *name, uint32_t gid, uint32_t *out,
    struct ctr__users_text *found)
{
	struct lines l = lines_of(u->group, u->group_len);
	struct group g;
	text line;

	while (next_line(&l, &line)) {
		if (!parse_group(line, &g) || !(name ? same(g.name, name) : g.gid == gid))
			continue;
		if (out)
			*out = g.gid;
		if (found)
			*found = g.name;
		return true;
	}
	return false;
}

static bool lists(text members, const char *name)
{
	while (members.len > 0) {
		const char *comma = memchr(members.p, ',', members.len);
		size_t n = comma ? (size_t)(comma - members.p) : members.len;

		if (same((text){members.p, n}, name))
			return true;
		n += comma ? 1 : 0;
		members.p += n;
		members.len -= n;
	}
	return false;
}

/* ---- looking up ---- */

static int refuse(ctr_error_t **err, const char *field, const char *name, const char *what)
{
	ctr__fail(err, CTR_E_INVALID, "%s: \"%.100s\" %s", field, name, what);
	ctr__error_detail(err, "field", field);
	return CTR_E_INVALID;
}

/* Why a name cannot be found. */
static const char *absent(
    int why, const char *not_listed, const char *no_file, const char *unusable)
{
	if (!why)
		return not_listed;
	return why == ENOENT || why == ENOTDIR ? no_file : unusable;
}

static int no_user(const struct ctr__users *u, const char *name, ctr_error_t **err)
{
	return refuse(err, "user", name,
	    absent(u->passwd_errno, "has no entry in the container's /etc/passwd",
	        "is a name, and the container has no /etc/passwd",
	        "is a name, and the container's /etc/passwd cannot be read: it must be a regular "
	        "file inside its root, of at most 16 MiB"));
}

static int no_group(
    const struct ctr__users *u, const char *field, const char *name, ctr_error_t **err)
{
	return refuse(err, field, name,
	    absent(u->group_errno, "has no entry in the container's /etc/group",
	        "is a name, and the container has no /etc/group",
	        "is a name, and the container's /etc/group cannot be read: it must be a regular "
	        "file inside its root, of at most 16 MiB"));
}

static int find_gid(const struct ctr__users *u, const char *field, const char *name, uint32_t *gid,
    ctr_error_t **err)
{
	if (ctr__users_is_number(name))
		return ctr__users_number(name, gid)
		           ? 0
		           : refuse(err, field, name, "is no ID: the last one is 4294967294");
	return ctr__users_group(u, name, 0, gid, NULL) ? 0 : no_group(u, field, name, err);
}

static int set_entry(struct ctr__user *out, const struct ctr__passwd *entry, ctr_error_t **err)
{
	out->name = ctr__strdup_len(entry->name.p, entry->name.len);
	if (entry->home.len > 0) {
		free(out->home);
		out->home = ctr__strdup_len(entry->home.p, entry->home.len);
	}
	return out->name && out->home ? 0 : ctr__fail_nomem(err);
}

/* The user's part: number, entry, group of the entry. */
static int find_uid(
    const struct ctr__users *u, const char *name, struct ctr__user *out, ctr_error_t **err)
{
	struct ctr__passwd entry;
	bool numeric = ctr__users_is_number(name);

	if (numeric && !ctr__users_number(name, &out->uid))
		return refuse(err, "user", name, "is no ID: the last one is 4294967294");
	if (ctr__users_passwd(u, numeric ? NULL : name, out->uid, &entry)) {
		out->uid = entry.uid;
		out->gid = entry.gid;
		return set_entry(out, &entry, err);
	}
	return numeric ? 0 : no_user(u, name, err);
}

static int add_group(struct ctr__user *out, size_t *cap, uint32_t gid, ctr_error_t **err)
{
	if (out->groups_n == GROUPS_MAX)
		return refuse(err, "user", out->name ? out->name : "",
		    "is in more groups of the container's /etc/group than the kernel takes");
	if (out->groups_n == *cap) {
		size_t more = *cap ? 2 * *cap : 16;
		uint32_t *v = realloc(out->groups, more * sizeof(*v));

		if (!v)
			return ctr__fail_nomem(err);
		out->groups = v;
		*cap = more;
	}
	out->groups[out->groups_n++] = gid;
	return 0;
}

static int by_number(const void *pa, const void *pb)
{
	uint32_t a = *(const uint32_t *)pa, b = *(const uint32_t *)pb;

	return a < b ? -1 : a > b;
}

static void sort_unique(struct ctr__user *out)
{
	size_t kept = 0;

	if (out->groups_n > 1)
		qsort(out->groups, out->groups_n, sizeof(*out->groups), by_number);
	for (size_t i = 0; i < out->groups_n; i++)
		if (kept == 0 || out->groups[kept - 1] != out->groups[i])
			out->groups[kept++] = out->groups[i];
	out->groups_n = kept;
}

static int add_memberships(
    const struct ctr__users *u, struct ctr__user *out, size_t *cap, ctr_error_t **err)
{
	struct lines l = lines_of(u->group, u->group_len);
	struct group g;
	text line;
	int r = 0;

	while (r == 0 && out->name && next_line(&l, &line)) {
		if (parse_group(line, &g) && lists(g.members, out->name))
			r = add_group(out, cap, g.gid, err);
	}
	return r;
}

static int find_groups(const struct ctr__users *u, bool memberships, const char *const *more,
    struct ctr__user *out, ctr_error_t **err)
{
	size_t cap = 0;
	int r = memberships ? add_memberships(u, out, &cap, err) : 0;

	for (; r == 0 && more && *more; more++) {
		uint32_t gid;

		r = find_gid(u, "groups", *more, &gid, err);
		if (r == 0)
			r = add_group(out, &cap, gid, err);
	}
	sort_unique(out);
	return r;
}

static int find_named(
    const struct ctr__users *u, const char *user, struct ctr__user *out, ctr_error_t **err)
{
	const char *colon = strchr(user, ':');
	CTR__FREE char *name = strndup(user, colon ? (size_t)(colon - user) : strlen(user));
	int r = name ? 0 : ctr__fail_nomem(err);

	if (r == 0)
		r = find_uid(u, name, out, err);
	return r == 0 && colon ? find_gid(u, "user", colon + 1, &out->gid, err) : r;
}

static int find(const struct ctr__users *u, const char *user, const char *const *more,
    struct ctr__user *out, ctr_error_t **err)
{
	struct ctr__passwd entry;
	int r = 0;

	out->home = strdup("/");
	if (!out->home)
		return ctr__fail_nomem(err);
	if (user)
		r = find_named(u, user, out, err);
	else if (ctr__users_passwd(u, NULL, out->uid, &entry))
		r = set_entry(out, &entry, err);
	if (r == 0)
		r = find_groups(u, !user || !strchr(user, ':'), more, out, err);
	out->gid_known = r == 0 && ctr__users_group(u, NULL, out->gid, NULL, NULL);
	return r;
}

int ctr__users_find(const struct ctr__users *u, const char *user, uint32_t uid, uint32_t gid,
    const char *const *more, struct ctr__user *out, ctr_error_t **err)
{
	int r;

	*out = (struct ctr__user){.uid = user ? 0 : uid, .gid = user ? 0 : gid};
	r = find(u, user, more, out, err);
	if (r < 0)
		ctr__user_free(out);
	return r;
}
