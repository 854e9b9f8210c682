/* SPDX-License-Identifier: Apache-2.0 */
/* Generating: the root file system, what is mounted into it. */
#include <errno.h>
#include <fcntl.h>

#include "spec/gen.h"
#include "spec/mounts.h"
#include "sys/path.h"
#include "util/cleanup.h"

#define SHM_DEST "/dev/shm"

void ctr__gen_root(struct ctr__gen *g)
{
	struct ctr__json *root = ctr__edit_want_object(&g->e, g->spec, "root");

	ctr__edit_str(&g->e, root, "path", g->facts->root_path);
	if (g->cfg->read_only)
		ctr__edit_bool(&g->e, root, "readonly", true);
}

static bool root_is_read_only(const struct ctr__gen *g)
{
	return ctr__json_bool(ctr__json_path(g->spec, "root", "readonly", NULL));
}

static void add_bind_mount(
    struct ctr__gen *g, struct ctr__json *mounts, const char *dest, const char *host_path)
{
	static const char *const plain[] = {"bind", "rprivate", NULL};
	static const char *const shm[] = {"bind", "rprivate", "nosuid", "noexec", "nodev", NULL};
	static const char *const read_only[] = {
	    "bind", "rprivate", "ro", "nosuid", "noexec", "nodev", NULL};
	bool is_shm = ctr__mounts_same_dest(dest, SHM_DEST);

	/* What spec generators put at /dev/shm by default is not a user's choice. */
	if (is_shm)
		ctr__mounts_drop(mounts, SHM_DEST, "tmpfs", "shm");
	if (ctr__mounts_find(mounts, dest))
		return; /* the user's own mount wins */
	ctr__mounts_add(&g->e, mounts, dest, "bind", host_path,
	    is_shm ? shm : (root_is_read_only(g) ? read_only : plain));
}

void ctr__gen_bind_mounts(struct ctr__gen *g)
{
	struct ctr__json *mounts = ctr__json_get(g->spec, "mounts");

	if (g->facts->bind_mounts_n > 0)
		mounts = ctr__edit_want_array(&g->e, g->spec, "mounts");
	if (g->e.failed)
		return;
	for (size_t i = 0; i < g->facts->bind_mounts_n; i++)
		add_bind_mount(
		    g, mounts, g->facts->bind_mounts[i].key, g->facts->bind_mounts[i].value);
}

/* ---- tmpfs ---- */

/* Runtimes treat a mount on "/dev" as the place for device nodes, so that one keeps its name. */
static bool wants_resolving(const struct ctr__json *mount)
{
	const char *dest = ctr__json_str(ctr__json_get(mount, "destination"));

	return ctr__streq(ctr__json_str(ctr__json_get(mount, "type")), "tmpfs") && dest &&
	       !ctr__mounts_same_dest(dest, "/dev");
}

static int resolve_one(struct ctr__gen *g, int rootfd, struct ctr__json *mount)
{
	const char *dest = ctr__json_str(ctr__json_get(mount, "destination"));
	CTR__FREE char *real = NULL;
	int r = ctr__resolve_in_root(rootfd, dest, &real);

	if (r < 0) {
		r = ctr__fail_errno(g->err, -r, dest,
		    "cannot find where the tmpfs mount %s is in the root file system", dest);
		ctr__error_detail(g->err, "field", "spec.mounts");
		return r;
	}
	if (strcmp(real, dest) != 0 && ctr__utf8_valid(real, strlen(real)))
		ctr__edit_str(&g->e, mount, "destination", real);
	return 0;
}

/* A tmpfs on a link is mounted on what the link means inside, so it must be sorted by that. */
void ctr__gen_resolve_tmpfs(struct ctr__gen *g)
{
	CTR__CLOSE int rootfd = -1;

	CTR__JSON_EACH (mount, ctr__json_get(g->spec, "mounts")) {
		if (g->code < 0 || g->e.failed)
			return;
		if (!wants_resolving(mount))
			continue;
		if (rootfd < 0)
			rootfd = open(g->facts->root_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (rootfd < 0)
			g->code = ctr__fail_errno(
			    g->err, errno, g->facts->root_path, "cannot open the root file system");
		else
			g->code = resolve_one(g, rootfd, mount);
	}
}

void ctr__gen_sort_mounts(struct ctr__gen *g)
{
	ctr__mounts_sort(&g->e, ctr__json_get(g->spec, "mounts"));
}
