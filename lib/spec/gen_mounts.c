/* SPDX-License-Identifier: Apache-2.0 */
/* Generating: the root file system, what is mounted into it. */
#include "spec/gen.h"
#include "spec/mounts.h"

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

void ctr__gen_sort_mounts(struct ctr__gen *g)
{
	ctr__mounts_sort(&g->e, ctr__json_get(g->spec, "mounts"));
}
