/* SPDX-License-Identifier: Apache-2.0 */
/* The root file system of a container: mounting with a count of uses. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "core/lifecycle.h"
#include "util/cleanup.h"

int ctr__container_storage(struct ctr_container *c, struct ctr__storage **out, ctr_error_t **err)
{
	const char *name = c->cfg->storage_driver;

	*out = ctr__runtime_storage(c->rt, name);
	if (*out)
		return 0;
	ctr__fail(err, CTR_E_NO_STORAGE,
	    "storage driver \"%s\" of container %s is not registered here", name ? name : "",
	    c->cfg->name);
	ctr__error_detail(err, "container", c->id);
	return CTR_E_NO_STORAGE;
}

int ctr__storage_mount(struct ctr_container *c, char *path, size_t path_size, ctr_error_t **err)
{
	CTR__PATHS struct ctr__paths paths = {0};
	struct ctr_storage_container view;
	struct ctr__storage *s;
	int r = ctr__container_storage(c, &s, err);

	if (r >= 0)
		r = ctr__paths_init(c, c->cfg, &paths, err);
	if (r < 0)
		return r;
	ctr__storage_view(c, c->cfg, &paths, &view);
	path[0] = '\0';
	r = s->ops.mount(s->impl, &view, path, path_size, err);
	if (r < 0)
		return r;
	if (path[0] != '/' || !memchr(path, '\0', path_size))
		return ctr__fail(err, CTR_E_INTERNAL,
		    "storage driver \"%s\" returned no absolute path", s->name);
	return 0;
}

int ctr__storage_unmount(struct ctr_container *c, ctr_error_t **err)
{
	CTR__PATHS struct ctr__paths paths = {0};
	struct ctr_storage_container view;
	struct ctr__storage *s;
	int r = ctr__container_storage(c, &s, err);

	if (r >= 0)
		r = ctr__paths_init(c, c->cfg, &paths, err);
	if (r < 0)
		return r;
	ctr__storage_view(c, c->cfg, &paths, &view);
	return s->ops.unmount(s->impl, &view, err);
}

/* Does a run of the container itself use the mount? */
static bool used_by_run(const struct ctr_container *c)
{
	return ctr__state_is_live(c->state.state) || c->state.state == CTR_STATE_STOPPED;
}

static int mount_first(struct ctr_container *c, ctr_error_t **err)
{
	char path[PATH_MAX];
	int r = ctr__save_intent(c, CTR__INTENT_MOUNT, err);

	if (r < 0)
		return r;
	r = ctr__storage_mount(c, path, sizeof(path), err);
	if (r < 0) {
		(void)ctr__save_intent(c, CTR__INTENT_NONE, NULL);
		return r;
	}
	c->state.intent = CTR__INTENT_NONE;
	c->state.mounted = true;
	c->state.mount_count = 1;
	c->state.mountpoint = path;
	r = ctr__save(c, CTR_EVENT_MOUNT, err);
	if (r < 0)
		(void)ctr__storage_unmount(c, NULL);
	return r;
}

int ctr__mount(struct ctr_container *c, char **path, ctr_error_t **err)
{
	CTR__GUARD struct ctr__guard g;
	int r = ctr__enter(c, CTR__OP_MOUNT, CTR__LOOK_NOW | CTR__REPAIR, &g, err);

	if (r < 0)
		return r;
	c = g.c;
	if (c->state.mounted) {
		c->state.mount_count++;
		r = ctr__save(c, CTR_EVENT_MOUNT, err);
	} else {
		r = mount_first(c, err);
	}
	if (r < 0 || !path)
		return r;
	*path = strdup(c->state.mountpoint);
	return *path ? 0 : ctr__fail_nomem(err);
}

static int unmount_last(struct ctr_container *c, ctr_error_t **err)
{
	int r = ctr__save_intent(c, CTR__INTENT_UNMOUNT, err);

	if (r >= 0)
		r = ctr__storage_unmount(c, err);
	if (r < 0) {
		(void)ctr__save_intent(c, CTR__INTENT_NONE, NULL);
		return r;
	}
	c->state.intent = CTR__INTENT_NONE;
	c->state.mount_count = 0;
	c->state.mounted = false;
	c->state.mountpoint = "";
	return ctr__save(c, CTR_EVENT_UNMOUNT, err);
}

int ctr__unmount(struct ctr_container *c, bool force, ctr_error_t **err)
{
	CTR__GUARD struct ctr__guard g;
	int r = ctr__enter(c, CTR__OP_UNMOUNT, CTR__LOOK_NOW | CTR__REPAIR, &g, err);

	if (r < 0)
		return r;
	c = g.c;
	if (!c->state.mount_count) {
		if (!used_by_run(c) || !c->state.mounted)
			return 0;
		ctr__fail(err, CTR_E_CTR_STATE,
		    "container %s: its own root file system cannot be unmounted in state %s",
		    c->cfg->name, ctr__state_name(c->state.state));
		ctr__error_detail(err, "state", ctr__state_name(c->state.state));
		ctr__error_detail(err, "operation", "unmount");
		return CTR_E_CTR_STATE;
	}
	if (!used_by_run(c) && (force || c->state.mount_count == 1))
		return unmount_last(c, err);
	c->state.mount_count = force ? 0 : c->state.mount_count - 1;
	return ctr__save(c, CTR_EVENT_UNMOUNT, err);
}
