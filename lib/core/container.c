/* SPDX-License-Identifier: Apache-2.0 */
/* The container's handle: opening, counting, its configuration, and what drivers are told of it. */
#include "core/container.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/logs.h"
#include "core/pod.h"
#include "core/policy.h"
#include "sys/proc.h"
#include "util/cleanup.h"

static struct ctr_container *handle_new(struct ctr_runtime *rt, const char *id)
{
	struct ctr_container *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	atomic_init(&c->refs, 1);
	c->rt = ctr__runtime_ref(rt);
	memcpy(c->id, id, strlen(id));
	c->gen = CTR__GEN_NONE;
	pthread_mutex_init(&c->cfg_mutex, NULL);
	ctr__state_init(&c->state, CTR_STATE_UNKNOWN);
	return c;
}

static int read_config(struct ctr_container *c, ctr_config_t **cfg, uint32_t *slot_index,
    uint64_t *stored_gen, ctr_error_t **err)
{
	CTR__BUF struct ctr__buf json = {0};
	int r = ctr__store_get_config(c->rt->store, c->id, &json, slot_index, stored_gen, err);

	if (r < 0)
		return r;
	r = ctr__config_parse(json.data, json.len, cfg, err);
	if (r == CTR_E_NOMEM)
		return r;
	if (r < 0) {
		ctr__error_prefix(err, r, "stored configuration");
		ctr__error_detail(err, "container", c->id);
	}
	return r;
}

static void container_unref_p(struct ctr_container **c)
{
	ctr__container_unref(*c);
}

int ctr__container_open(
    struct ctr_runtime *rt, const char *id, struct ctr_container **out, ctr_error_t **err)
{
	CTR__CLEANUP(container_unref_p) struct ctr_container *c = NULL;
	uint64_t stored_gen, word;
	int r;

	if (strlen(id) > CTR__ID_MAX)
		return ctr__fail(
		    err, CTR_E_NO_SUCH_CTR, "no container has the ID \"%.64s...\"", id);
	c = handle_new(rt, id);
	if (!c)
		return ctr__fail_nomem(err);
	r = read_config(c, &c->cfg, &c->slot_index, &stored_gen, err);
	if (r >= 0)
		r = ctr__locks_slot(ctr__store_locks(rt->store), c->slot_index, &c->slot, err);
	if (r < 0)
		return r;
	/* The slot's word is 0 until a rewrite of this boot sets it to the new stored generation. If one has
	 * happened between our two reads, what is noted here differs and the first load reads again. */
	word = atomic_load_explicit(&c->slot->cfg_gen, memory_order_acquire);
	c->cfg_word = word ? stored_gen : 0;
	*out = CTR__STEAL_PTR(c);
	return 0;
}

int ctr__container_adopt(struct ctr_runtime *rt, ctr_config_t *cfg, uint32_t slot_index,
    struct ctr_container **out, ctr_error_t **err)
{
	CTR__CLEANUP(container_unref_p) struct ctr_container *c = handle_new(rt, cfg->id);
	uint64_t word;
	int r;

	if (!c)
		return ctr__fail_nomem(err);
	c->cfg = ctr_config_ref(cfg);
	c->slot_index = slot_index;
	r = ctr__locks_slot(ctr__store_locks(rt->store), slot_index, &c->slot, err);
	if (r < 0)
		return r;
	/* A word that somebody has set in this boot may be about this container already: then the first load
	 * reads the configuration. */
	word = atomic_load_explicit(&c->slot->cfg_gen, memory_order_acquire);
	c->cfg_word = word ? word - 1 : 0;
	*out = CTR__STEAL_PTR(c);
	return 0;
}

int ctr__container_stub(
    struct ctr_runtime *rt, ctr_config_t *cfg, struct ctr_container **out, ctr_error_t **err)
{
	struct ctr_container *c = handle_new(rt, cfg->id);

	if (!c)
		return ctr__fail_nomem(err);
	c->cfg = ctr_config_ref(cfg);
	*out = c;
	return 0;
}

struct ctr_container *ctr__container_ref(struct ctr_container *c)
{
	if (c)
		atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
	return c;
}

void ctr__container_unref(struct ctr_container *c)
{
	if (!c || atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) != 1)
		return;
	ctr_config_unref(c->cfg);
	ctr_config_unref(c->seen);
	ctr__buf_free(&c->raw);
	pthread_mutex_destroy(&c->cfg_mutex);
	ctr__container_unref(c->outer);
	ctr__runtime_unref(c->rt);
	free(c);
}

/* What is known already, if it is current. Its mutex is held. */
static ctr_config_t *known_config(const struct ctr_container *c, uint64_t word)
{
	if (word == c->cfg_word)
		return c->cfg;
	return c->seen && word == c->seen_word ? c->seen : NULL;
}

/* The one that is used with the container's lock held stays where it is. */
static void note_seen(struct ctr_container *c, ctr_config_t *cfg, uint64_t word)
{
	ctr_config_t *old;

	pthread_mutex_lock(&c->cfg_mutex);
	old = c->seen;
	c->seen = ctr_config_ref(cfg);
	c->seen_word = word;
	pthread_mutex_unlock(&c->cfg_mutex);
	ctr_config_unref(old);
}

static ctr_config_t *config_if_current(struct ctr_container *c, uint64_t word)
{
	ctr_config_t *cfg;

	pthread_mutex_lock(&c->cfg_mutex);
	cfg = ctr_config_ref(known_config(c, word));
	pthread_mutex_unlock(&c->cfg_mutex);
	return cfg;
}

static ctr_config_t *last_config(struct ctr_container *c)
{
	ctr_config_t *cfg;

	pthread_mutex_lock(&c->cfg_mutex);
	cfg = ctr_config_ref(c->seen ? c->seen : c->cfg);
	pthread_mutex_unlock(&c->cfg_mutex);
	return cfg;
}

ctr_config_t *ctr__container_config(struct ctr_container *c)
{
	struct ctr_container *core = c->outer ? c->outer : c;
	uint64_t word = atomic_load_explicit(&core->slot->cfg_gen, memory_order_acquire);
	ctr_config_t *cfg = config_if_current(core, word);
	uint64_t stored_gen;
	uint32_t slot_index;

	if (cfg)
		return cfg;
	/* A forked child must not touch the store; after a removal the slot may be another container's. */
	if (ctr__runtime_enter(core->rt, NULL) < 0 ||
	    read_config(core, &cfg, &slot_index, &stored_gen, NULL) < 0)
		return last_config(core);
	if (slot_index != core->slot_index) {
		ctr_config_unref(cfg);
		return last_config(core);
	}
	note_seen(core, cfg, word);
	return cfg;
}

/* The lock is held. Takes the reference. */
static void swap_config(struct ctr_container *c, ctr_config_t *cfg, uint64_t word)
{
	ctr_config_t *old, *seen;

	pthread_mutex_lock(&c->cfg_mutex);
	old = c->cfg;
	seen = c->seen;
	c->cfg = cfg;
	c->seen = NULL;
	c->cfg_word = word;
	pthread_mutex_unlock(&c->cfg_mutex);
	ctr_config_unref(old);
	ctr_config_unref(seen);
}

int ctr__container_refresh_config(struct ctr_container *c, ctr_error_t **err)
{
	uint64_t word = atomic_load_explicit(&c->slot->cfg_gen, memory_order_acquire);
	ctr_config_t *cfg = NULL;
	uint64_t stored_gen;
	uint32_t slot_index;
	int r;

	if (word == c->cfg_word)
		return 0;
	r = read_config(c, &cfg, &slot_index, &stored_gen, err);
	if (r >= 0)
		swap_config(c, cfg, word);
	return r < 0 ? r : 0;
}

int ctr__container_rewrite(
    struct ctr_container *c, ctr_config_t *cfg, int32_t event_type, ctr_error_t **err)
{
	CTR__CLEANUP(ctr_event_unrefp) ctr_event_t *ev = NULL;
	uint64_t gen = atomic_load_explicit(&c->slot->gen, memory_order_relaxed);
	bool current = c->gen == gen;
	uint64_t cfg_gen = 0;
	int r = event_type ? ctr__event_new(event_type, cfg, &ev, err) : 0;

	if (r < 0)
		return r;
	/* Odd while it is written: whoever finds that looks whether it was. */
	atomic_store_explicit(&c->slot->gen, gen | 1, memory_order_release);
	r = ctr__store_rewrite(c->rt->store, cfg, ev, &cfg_gen, err);
	if (r >= 0) {
		atomic_store_explicit(&c->slot->cfg_gen, cfg_gen, memory_order_release);
		swap_config(c, ctr_config_ref(cfg), cfg_gen);
	}
	gen = (gen | 1) + 1;
	atomic_store_explicit(&c->slot->gen, gen, memory_order_release);
	/* The state has not changed. */
	c->gen = current ? gen : CTR__GEN_NONE;
	return r < 0 ? r : 0;
}

void ctr__container_republish(struct ctr_container *c)
{
	CTR__BUF struct ctr__buf json = {0};
	uint64_t stored_gen;
	uint32_t slot_index;

	if (ctr__store_get_config(c->rt->store, c->id, &json, &slot_index, &stored_gen, NULL) < 0 ||
	    slot_index != c->slot_index)
		return;
	if (stored_gen != atomic_load_explicit(&c->slot->cfg_gen, memory_order_relaxed))
		atomic_store_explicit(&c->slot->cfg_gen, stored_gen, memory_order_release);
}

/* ---- drivers ---- */

int ctr__container_oci(struct ctr_container *c, struct ctr__oci **out, ctr_error_t **err)
{
	/* Only replaced with the lock held, which the caller has. */
	const char *name = c->cfg->runtime;

	*out = ctr__runtime_oci(c->rt, name);
	if (*out)
		return 0;
	ctr__fail(err, CTR_E_OCI_UNAVAILABLE,
	    "OCI runtime \"%s\" of container %s is not registered here", name ? name : "",
	    c->cfg->name);
	ctr__error_detail(err, "oci.runtime", name);
	ctr__error_detail(err, "container", c->id);
	return CTR_E_OCI_UNAVAILABLE;
}

void ctr__paths_free(struct ctr__paths *p)
{
	free(p->run_dir);
	free(p->static_dir);
	free(p->shm);
	free(p->config_json);
	free(p->cgroup);
}

/* Below our own cgroup; the one of whoever did the init, once that is done. */
static char *split_cgroup_path(const struct ctr_container *c)
{
	CTR__FREE char *own = NULL;

	if (c->state.cgroup && *c->state.cgroup)
		return strdup(c->state.cgroup);
	own = ctr__proc_cgroup(getpid());
	return ctr__format("%s/libpod-payload-%s", own && strcmp(own, "/") != 0 ? own : "", c->id);
}

/* As libpod has it: cgroupfs <parent>/libpod-<id>, systemd <slice>:libpod:<id>. */
static char *cgroup_path(const struct ctr_container *c, const ctr_config_t *cfg)
{
	const char *parent = cfg->cgroup_parent ? cfg->cgroup_parent : "";

	if (ctr__config_is_split(cfg))
		return split_cgroup_path(c);

	if (c->rt->systemd_cgroup) {
		const char *slash = strrchr(parent, '/');

		return ctr__format("%s:libpod:%s", slash ? slash + 1 : parent, c->id);
	}
	parent += parent[0] == '/';
	return ctr__format("%s%s/libpod-%s", *parent ? "/" : "", parent, c->id);
}

int ctr__paths_init(
    struct ctr_container *c, const ctr_config_t *cfg, struct ctr__paths *p, ctr_error_t **err)
{
	memset(p, 0, sizeof(*p));
	p->run_dir = ctr__path_join(c->rt->run_dirs, c->id);
	p->static_dir = ctr__path_join(c->rt->static_dirs, c->id);
	if (p->run_dir)
		p->config_json = ctr__path_join(p->run_dir, "config.json");
	if (cfg->shm_dir)
		p->shm = strdup(cfg->shm_dir);
	else if (p->run_dir)
		p->shm = ctr__path_join(p->run_dir, "shm");
	if (!cfg->no_cgroups)
		p->cgroup = cgroup_path(c, cfg);
	if (!p->run_dir || !p->static_dir || !p->config_json || !p->shm ||
	    (!cfg->no_cgroups && !p->cgroup))
		return ctr__fail_nomem(err);
	return 0;
}

static uint64_t oci_flags(const struct ctr_container *c, const ctr_config_t *cfg)
{
	uint64_t flags = 0;

	if (cfg->terminal)
		flags |= CTR_OCI_TERMINAL;
	if (cfg->stdin_open)
		flags |= CTR_OCI_STDIN;
	if (c->rt->systemd_cgroup && !cfg->no_cgroups && !ctr__config_is_split(cfg))
		flags |= CTR_OCI_SYSTEMD_CGROUP;
	if (!c->state.own_pid_ns)
		flags |= CTR_OCI_SHARED_PID;
	if (c->state.start_hooks)
		flags |= CTR_OCI_START_HOOKS;
	if (ctr__wants_exit_command(cfg) || ctr__pod_wants_exits(c->rt, cfg))
		flags |= CTR_OCI_EXIT_COMMAND;
	return flags;
}

void ctr__oci_view(const struct ctr_container *c, const ctr_config_t *cfg,
    const struct ctr__paths *p, struct ctr_oci_container *out)
{
	*out = (struct ctr_oci_container){
	    .size = sizeof(*out),
	    .flags = oci_flags(c, cfg),
	    .id = c->id,
	    .name = cfg->name,
	    .bundle = p->run_dir,
	    .log_path = ctr__logs_to_file(cfg) ? cfg->log_path : NULL,
	    .log_driver = cfg->log_driver,
	    .log_tag = cfg->log_tag,
	    .pid_file = cfg->conmon_pid_file,
	    .cgroup_path = p->cgroup,
	    .log_size_max = cfg->log_size > 0 ? (uint64_t)cfg->log_size : 0,
	    .timeout_s = cfg->timeout > 0 ? (uint64_t)cfg->timeout : 0,
	    .pid_start = c->state.pid_start,
	    .monitor_start = c->state.conmon_start,
	    .pid = c->state.pid,
	    .monitor_pid = c->state.conmon_pid,
	};
}

void ctr__storage_view(const struct ctr_container *c, const ctr_config_t *cfg,
    const struct ctr__paths *p, struct ctr_storage_container *out)
{
	*out = (struct ctr_storage_container){
	    .size = sizeof(*out),
	    .id = c->id,
	    .name = cfg->name,
	    .rootfs = cfg->rootfs,
	    .image_id = cfg->rootfs_image_id,
	    .image_name = cfg->rootfs_image_name,
	    .static_dir = p->static_dir,
	    .run_dir = p->run_dir,
	    .mount_label = cfg->mount_label,
	};
}
