/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Evicting: a removal by force, and if that fails, whatever can still be taken away, and the records in any case.
 * Then the configuration may be unreadable: what would be in it is guessed from the bundle and the defaults.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/lifecycle.h"
#include "core/prune.h"
#include "sys/fd.h"
#include "sys/mount.h"
#include "sys/path.h"
#include "util/cleanup.h"
#include "util/json.h"

#define CGROUPFS_PARENT "/libpod_parent"
#define SYSTEMD_PARENT  "machine.slice"

struct evict {
	struct ctr_runtime *rt;
	const char *id;
	struct ctr_container *c; /* NULL: its configuration cannot be read */
	struct ctr__slot *slot;  /* NULL: unknown */
};

static void complain(const struct evict *e, const char *what, ctr_error_t **why)
{
	ctr__log(e->rt, CTR_LOG_WARNING, e->id, "%s: %s", what, ctr_error_message(*why));
	ctr_error_freep(why);
}

/* ---- the lock, if its number can be found out ---- */

static bool slot_of_state(const struct evict *e, uint32_t *slot)
{
	CTR__BUF struct ctr__buf raw = {0};
	struct ctr__state state;

	if (ctr__store_load_state(e->rt->store, e->id, &raw, NULL) <= 0 ||
	    ctr__state_decode(raw.data, raw.len, &state, NULL) < 0)
		return false;
	*slot = state.slot;
	return true;
}

static int find_slot(struct evict *e, ctr_error_t **err)
{
	CTR__BUF struct ctr__buf json = {0};
	uint64_t cfg_gen;
	uint32_t slot;

	if (e->c) {
		e->slot = e->c->slot;
		return 0;
	}
	if (ctr__store_get_config(e->rt->store, e->id, &json, &slot, &cfg_gen, NULL) < 0 &&
	    !slot_of_state(e, &slot))
		return 0;
	return ctr__locks_slot(ctr__store_locks(e->rt->store), slot, &e->slot, err);
}

static int lock(struct evict *e, ctr_error_t **err)
{
	bool owner_died = false;
	int r = find_slot(e, err);

	if (r >= 0 && e->slot)
		r = ctr__slot_lock(
		    e->slot, e->rt->lock_timeout_ms, &e->rt->stopped, &owner_died, err);
	if (r < 0)
		e->slot = NULL;
	if (r >= 0 && owner_died)
		(void)ctr__store_settle(e->rt->store, NULL);
	return r;
}

static void unlock(struct evict *e)
{
	if (e->slot)
		ctr__slot_unlock(e->slot);
	e->slot = NULL;
}

/* ---- a configuration in place of one that cannot be read ---- */

/* The parent of the cgroup, as the bundle of the last run has it; NULL if that does not tell. */
static char *bundle_parent(const struct evict *e, const char *run_dir)
{
	CTR__JSON_DOC struct ctr__json_doc *d = NULL;
	CTR__CLOSE int dir = open(run_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	CTR__FREE char *text = NULL, *end = NULL;
	const char *path;
	size_t len = 0, end_len;

	if (dir < 0 || ctr__read_file_at(dir, "config.json", CTR__JSON_MAX_SIZE, &text, &len) < 0 ||
	    ctr__json_parse(text, len, "config.json", &d, NULL) < 0)
		return NULL;
	path = ctr__json_str(ctr__json_path(d->root, "linux", "cgroupsPath", NULL));
	end = ctr__format("%s%s", e->rt->systemd_cgroup ? ":libpod:" : "/libpod-", e->id);
	if (!path || !end)
		return NULL;
	len = strlen(path);
	end_len = strlen(end);
	if (len <= end_len || strcmp(path + len - end_len, end) != 0)
		return NULL;
	return strndup(path, len - end_len);
}

static int make_config(
    const struct evict *e, const char *runtime, ctr_config_t **out, ctr_error_t **err)
{
	CTR__BUF struct ctr__buf json = {0};
	CTR__FREE char *run_dir = ctr__path_join(e->rt->run_dirs, e->id);
	CTR__FREE char *static_dir = ctr__path_join(e->rt->static_dirs, e->id);
	CTR__FREE char *parent = run_dir ? bundle_parent(e, run_dir) : NULL;
	const char *fallback = e->rt->systemd_cgroup ? SYSTEMD_PARENT : CGROUPFS_PARENT;
	const char *pairs[] = {"id", e->id, "staticDir", static_dir, "rootfs", static_dir,
	    "runtime", runtime, "cgroupParent", parent ? parent : fallback};

	if (!run_dir || !static_dir)
		return ctr__fail_nomem(err);
	ctr__buf_adds(&json, "{\"spec\":{\"ociVersion\":\"1.0.2\",\"process\":{\"args\":[\"?\"]}}");
	for (size_t i = 0; i < CTR__ARRAY_SIZE(pairs); i += 2) {
		ctr__buf_adds(&json, ",");
		ctr__json_write_string(pairs[i], strlen(pairs[i]), &json);
		ctr__buf_adds(&json, ":");
		ctr__json_write_string(pairs[i + 1], strlen(pairs[i + 1]), &json);
	}
	ctr__buf_adds(&json, "}");
	return json.failed ? ctr__fail_nomem(err)
	                   : ctr__config_parse(json.data, json.len, out, err);
}

/* ---- taking away ---- */

/* As if an init had been interrupted: nothing is relied upon. */
static void tear_down(struct evict *e, struct ctr_container *c)
{
	ctr_error_t *why = NULL;

	ctr__state_init(&c->state, CTR_STATE_UNKNOWN);
	if (ctr__teardown_locked(c, true, &why) < 0)
		complain(e, "evicting: what it left cannot be cleared away", &why);
}

/* Its OCI runtime is unknown: each is told to forget it. */
static void tear_down_blindly(struct evict *e)
{
	struct ctr__oci *o = atomic_load_explicit(&e->rt->oci, memory_order_acquire);

	for (; o; o = o->next) {
		CTR__CONFIG ctr_config_t *cfg = NULL;
		struct ctr_container *c = NULL;
		ctr_error_t *why = NULL;
		int r = make_config(e, o->name, &cfg, &why);

		if (r >= 0)
			r = ctr__container_stub(e->rt, cfg, &c, &why);
		if (r < 0)
			complain(e, "evicting", &why);
		else
			tear_down(e, c);
		ctr__container_unref(c);
	}
}

static void remove_storage(struct evict *e)
{
	CTR__PATHS struct ctr__paths paths = {0};
	struct ctr_storage_container view;
	struct ctr__storage *st;
	ctr_error_t *why = NULL;
	int r = ctr__container_storage(e->c, &st, &why);

	if (r >= 0)
		r = ctr__paths_init(e->c, e->c->cfg, &paths, &why);
	if (r >= 0 && st->ops.remove) {
		ctr__storage_view(e->c, e->c->cfg, &paths, &view);
		r = st->ops.remove(st->impl, &view, &why);
	}
	if (r < 0)
		complain(e, "evicting: its storage cannot be removed", &why);
}

static void remove_dir(struct evict *e, const char *parent)
{
	CTR__FREE char *path = ctr__path_join(parent, e->id);
	CTR__CLOSE int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ctr_error_t *why = NULL;
	int r = path ? ctr__unmount_below(path, &why) : ctr__fail_nomem(&why);

	if (r >= 0) {
		r = fd < 0 ? -errno : ctr__remove_tree_at(fd, e->id);
		if (r == -ENOENT)
			r = 0;
		if (r < 0)
			r = ctr__fail_errno(&why, -r, path, "cannot remove %s", path);
	}
	if (r < 0)
		complain(e, "evicting", &why);
}

static int remove_records(struct evict *e, ctr_error_t **err)
{
	CTR__CLEANUP(ctr_event_unrefp) ctr_event_t *ev = NULL;
	CTR__CONFIG ctr_config_t *cfg = e->c ? ctr__config_ref(e->c->cfg) : NULL;
	int r = cfg ? 0 : make_config(e, "?", &cfg, err);

	if (r >= 0)
		r = ctr__event_new(CTR_EVENT_REMOVE, cfg, &ev, err);
	if (r >= 0)
		r = ctr__store_evict(e->rt->store, e->id, ev, err);
	if (r < 0 || !e->slot)
		return r;
	atomic_fetch_add_explicit(&e->slot->cfg_gen, 1, memory_order_release);
	atomic_fetch_add_explicit(&e->slot->gen, 2, memory_order_release);
	return 0;
}

static int check_dependents(struct evict *e, ctr_error_t **err)
{
	CTR__STRV char **deps = NULL;
	int r = ctr__store_dependents(e->rt->store, e->id, &deps, err);

	/* Nothing but a name may be left of it. */
	if (r == CTR_E_NO_SUCH_CTR) {
		if (err)
			ctr_error_freep(err);
		return 0;
	}
	if (r < 0 || !deps[0])
		return r < 0 ? r : 0;
	ctr__fail(
	    err, CTR_E_CTR_EXISTS, "container %s cannot be evicted: others depend on it", e->id);
	ctr__error_detail(err, "dependents", deps[0]);
	return CTR_E_CTR_EXISTS;
}

static int force_out(struct evict *e, ctr_error_t **err)
{
	int r = lock(e, err);

	if (r < 0)
		return r;
	r = check_dependents(e, err);
	if (r >= 0) {
		if (e->c) {
			tear_down(e, e->c);
			remove_storage(e);
		} else {
			tear_down_blindly(e);
		}
		remove_dir(e, e->rt->run_dirs);
		remove_dir(e, e->rt->static_dirs);
		r = remove_records(e, err);
	}
	if (r >= 0 && e->c)
		atomic_store_explicit(&e->c->removed, true, memory_order_release);
	unlock(e);
	return r;
}

/* ---- the operation ---- */

/* Errors that are not about this container's records, or that force must not override. */
static bool is_final(int code)
{
	static const int codes[] = {CTR_E_NOMEM, CTR_E_FORKED, CTR_E_RUNTIME_STOPPED,
	    CTR_E_DEADLOCK, CTR_E_LOCKED, CTR_E_CTR_EXISTS, CTR_E_STORE_FULL};

	for (size_t i = 0; i < CTR__ARRAY_SIZE(codes); i++)
		if (code == codes[i])
			return true;
	return false;
}

static int try_properly(struct evict *e, ctr_error_t **err)
{
	int r = ctr__container_open(e->rt, e->id, &e->c, err);

	return r < 0 ? r : ctr__remove(e->c, true, err);
}

int ctr__evict(struct ctr_runtime *rt, const char *name_or_id, char **id, ctr_error_t **err)
{
	char full[CTR__ID_MAX + 1];
	struct evict e = {.rt = rt, .id = full};
	CTR__FREE char *copy = NULL;
	CTR__ERROR ctr_error_t *why = NULL;
	int r = ctr__store_lookup(rt->store, name_or_id, full, err);

	if (r < 0)
		return r;
	copy = strdup(full);
	if (!copy)
		return ctr__fail_nomem(err);
	r = try_properly(&e, &why);
	if (r < 0 && is_final(r)) {
		if (err)
			*err = CTR__STEAL_PTR(why);
	} else if (r < 0) {
		complain(&e, "it cannot be removed properly and is evicted", &why);
		r = force_out(&e, err);
	}
	ctr__container_unref(e.c);
	if (r >= 0 && id)
		*id = CTR__STEAL_PTR(copy);
	return r < 0 ? r : 0;
}
