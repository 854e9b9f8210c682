/* SPDX-License-Identifier: Apache-2.0 */
/* Generating: whom the process runs as. */
#include <stdlib.h>

#include "spec/gen.h"
#include "util/cleanup.h"

#define UMASK_DEFAULT 022U

/* Is it among the list's elements up to `last`? */
static bool has_group(const struct ctr__json *list, const struct ctr__json *last, uint32_t gid)
{
	for (const struct ctr__json *v = last ? list->first : NULL; v; v = v->next) {
		uint64_t n;

		if (ctr__json_u64(v, &n) && n == gid)
			return true;
		if (v == last)
			return false;
	}
	return false;
}

static void add_group(struct ctr__gen *g, struct ctr__json *list, uint32_t gid)
{
	if (!ctr__json_append(g->e.doc, list, ctr__json_new_u64(g->e.doc, gid)))
		g->e.failed = true;
}

/* The spec's own groups come first; the new ones are unique among themselves. */
static void add_groups(struct ctr__gen *g, struct ctr__json *user, const struct ctr__spec_user *u)
{
	struct ctr__json *list, *last;

	if (u->groups_n == 0 && !u->by_name)
		return;
	list = ctr__edit_want_array(&g->e, user, "additionalGids");
	last = list ? list->last : NULL;
	for (size_t i = 0; list && !g->e.failed && i < u->groups_n; i++)
		if (!has_group(list, last, u->groups[i]))
			add_group(g, list, u->groups[i]);
	/* Its own group, too: else a set-group-ID program would be a way to get rid of it, and so of what is denied to
	 * the group. */
	if (list && u->by_name && !has_group(list, list->last, u->gid))
		add_group(g, list, u->gid);
}

static void set_umask(struct ctr__gen *g, struct ctr__json *user)
{
	uint64_t mask = UMASK_DEFAULT;

	if (!g->cfg->umask && ctr__json_get(user, "umask"))
		return;
	if (g->cfg->umask)
		mask = strtoul(g->cfg->umask, NULL, 8);
	ctr__edit_u64(&g->e, user, "umask", mask & 0777);
}

void ctr__gen_user(struct ctr__gen *g)
{
	const struct ctr__spec_user *u = g->facts->user;
	struct ctr__json *user;

	if (!u)
		return;
	user = ctr__edit_want_object(&g->e, g->process, "user");
	if (u->by_name) {
		ctr__edit_u64(&g->e, user, "uid", u->uid);
		ctr__edit_u64(&g->e, user, "gid", u->gid);
	}
	if (user) {
		add_groups(g, user, u);
		set_umask(g, user);
	}
	ctr__gen_want_env(g, "HOME=", u->home);
	if (ctr__json_bool(ctr__json_get(g->process, "terminal")))
		ctr__gen_want_env(g, "TERM=", "xterm");
}
