/* SPDX-License-Identifier: Apache-2.0 */
/* Inspecting: what is needed is copied with the lock held, the document is built without it. */
#include "core/inspect.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "core/health.h"
#include "core/lifecycle.h"
#include "core/lister.h"
#include "core/snapshot.h"
#include "oci/driver.h"
#include "sys/fd.h"
#include "sys/cgroup.h"
#include "util/cleanup.h"

/* The copies, and who owns them. */
struct collected {
	ctr_config_t *cfg;
	struct ctr_state *snapshot;
	struct ctr__paths paths;
	struct ctr__storage *storage; /* NULL unless sizes are wanted */
	char *running_spec;           /* config.json of the bundle, if it is there */
	size_t running_spec_len;
	struct ctr__buf health_log; /* empty: the container has no health check */
	char *cgroup;
	char **exec_ids;
	struct ctr__json_doc *spec, *extra;
	struct ctr__inspect in;
};

static void collected_free(struct collected *d)
{
	ctr__config_unref(d->cfg);
	ctr__snapshot_free(d->snapshot);
	ctr__paths_free(&d->paths);
	free(d->running_spec);
	free(d->cgroup);
	ctr_strv_free(d->exec_ids);
	ctr__buf_free(&d->health_log);
	ctr__json_doc_free(d->spec);
	ctr__json_doc_free(d->extra);
	free((void *)d->in.mounts);
}

/* ---- with the lock ---- */

/* The spec that runs has what init has added. Without it (a lost run root) the configured one must do. */
static int read_running_spec(struct collected *d, ctr_error_t **err)
{
	const char *path = d->snapshot->s.config_path;
	int r;

	if (!*path)
		return 0;
	r = ctr__read_file_at(
	    AT_FDCWD, path, CTR__JSON_MAX_SIZE, &d->running_spec, &d->running_spec_len);
	return r == -ENOMEM ? ctr__fail_nomem(err) : 0;
}

static int collect_locked(
    struct ctr_container *c, bool size, struct collected *d, ctr_error_t **err)
{
	CTR__GUARD struct ctr__guard g = {0};
	int r = ctr__enter(c, CTR__OP_READ, CTR__LOOK_NOW, &g, err);

	if (r < 0)
		return r;
	d->cfg = ctr__config_ref(g.c->cfg);
	r = ctr__snapshot(g.c, &d->snapshot, err);
	if (r >= 0)
		r = ctr__paths_init(g.c, d->cfg, &d->paths, err);
	if (r >= 0)
		r = read_running_spec(d, err);
	if (r >= 0 && (d->cfg->healthcheck.text || d->cfg->startup_healthcheck.text))
		r = ctr__health_log_text(g.c, &d->health_log, err);
	if (r >= 0)
		r = ctr__store_exec_list(g.c->rt->store, g.c->id, &d->exec_ids, err);
	if (r >= 0 && size)
		r = ctr__container_storage(g.c, &d->storage, err);
	return r;
}

/* ---- without it ---- */

static int parse_spec(struct ctr_container *c, struct collected *d, ctr_error_t **err)
{
	int r;

	if (d->running_spec) {
		CTR__ERROR ctr_error_t *why = NULL;

		r = ctr__json_parse(d->running_spec, d->running_spec_len,
		    d->snapshot->s.config_path, &d->spec, &why);
		if (r == CTR_E_NOMEM)
			return ctr__fail_nomem(err);
		if (r >= 0)
			return 0;
		ctr__log(c->rt, CTR_LOG_WARNING, c->id, "inspect shows the configured spec: %s",
		    ctr_error_message(why));
	}
	r = d->cfg->spec.text
	        ? ctr__json_parse(d->cfg->spec.text, d->cfg->spec.len, "spec", &d->spec, err)
	        : 0;
	return r < 0 ? r : 0;
}

int ctr__inspect_parse_extra(const ctr_config_t *cfg, struct ctr__json_doc **out, ctr_error_t **err)
{
	CTR__BUF struct ctr__buf text = {0};

	if (cfg->unknown_n == 0)
		return 0;
	ctr__emit_object(&text, NULL);
	for (size_t i = 0; i < cfg->unknown_n; i++)
		ctr__emit_text(&text, cfg->unknown[i].key, cfg->unknown[i].value,
		    strlen(cfg->unknown[i].value));
	ctr__emit_object_end(&text);
	if (text.failed)
		return ctr__fail_nomem(err);
	return ctr__json_parse(text.data, text.len, "configuration", out, err);
}

static char *systemd_cgroup(const char *slice, const char *id)
{
	CTR__FREE char *dir = ctr__cgroup_of_slice(slice);

	return dir ? ctr__format("%s/libpod-%s.scope", dir, id) : NULL;
}

/* Only what runs is in a cgroup. */
static int find_cgroup(struct ctr_container *c, struct collected *d, ctr_error_t **err)
{
	int32_t state = d->snapshot->s.state;

	if (!d->paths.cgroup || (state != CTR_STATE_RUNNING && state != CTR_STATE_PAUSED &&
	                            state != CTR_STATE_STOPPING))
		return 0;
	d->cgroup = c->rt->systemd_cgroup && d->cfg->cgroup_parent
	                ? systemd_cgroup(d->cfg->cgroup_parent, c->id)
	                : strdup(d->paths.cgroup);
	return d->cgroup ? 0 : ctr__fail_nomem(err);
}

/* The driver may walk a whole tree: the container may be gone before it is through. */
static int find_sizes(struct ctr_container *c, struct collected *d, ctr_error_t **err)
{
	CTR__ERROR ctr_error_t *why = NULL;
	struct ctr_storage_container view;
	int r;

	if (!d->storage)
		return 0;
	if (!d->storage->ops.usage)
		return ctr__fail(err, CTR_E_UNSUPPORTED, "storage driver \"%s\" cannot tell sizes",
		    d->storage->name);
	ctr__storage_view(c, d->cfg, &d->paths, &view);
	r = d->storage->ops.usage(
	    d->storage->impl, &view, &d->in.size_rootfs, &d->in.size_rw, &why);
	d->in.sized = r >= 0;
	if (r >= 0)
		return 0;
	if (ctr__store_has(c->rt->store, c->id, NULL) == 0)
		return ctr__fail(err, CTR_E_CTR_REMOVED, "container %s has been removed", c->id);
	if (err)
		*err = CTR__STEAL_PTR(why);
	return r;
}

static bool annotated(const struct ctr__inspect *in, const char *key)
{
	return ctr__streq(ctr__inspect_annotation(in, key), "TRUE");
}

static int prepare(struct ctr_container *c, struct collected *d, ctr_error_t **err)
{
	struct ctr__inspect *in = &d->in;
	int r = parse_spec(c, d, err);

	if (r >= 0)
		r = ctr__inspect_parse_extra(d->cfg, &d->extra, err);
	if (r >= 0)
		r = find_cgroup(c, d, err);
	if (r >= 0)
		r = find_sizes(c, d, err);
	if (r < 0)
		return r;
	in->cfg = d->cfg;
	in->s = &d->snapshot->s;
	in->spec = d->spec ? d->spec->root : NULL;
	in->extra = d->extra ? d->extra->root : NULL;
	in->static_dir = d->paths.static_dir;
	in->run_dir = d->paths.run_dir;
	in->cgroup = d->cgroup;
	in->exec_ids = (const char *const *)d->exec_ids;
	in->health_log = d->health_log.data;
	in->health_log_len = d->health_log.len;
	in->systemd_cgroup = c->rt->systemd_cgroup;
	in->lock_number = c->outer ? c->outer->slot_index : c->slot_index;
	in->privileged = d->cfg->privileged || annotated(in, "io.podman.annotations.privileged");
	return ctr__inspect_find_mounts(in) ? 0 : ctr__fail_nomem(err);
}

/* ---- the top level ---- */

static void emit_identity(const struct ctr__inspect *in, struct ctr__buf *out)
{
	const struct ctr__cfg_list *args = &in->cfg->args;
	const struct ctr__cfg_list rest = {args->v + (args->n > 0), args->n - (args->n > 0)};

	ctr__emit_str(out, "Id", in->cfg->id);
	ctr__emit_time(out, "Created", in->cfg->created_ns);
	ctr__emit_str(out, "Path", args->n ? args->v[0] : "");
	ctr__emit_list(out, "Args", &rest);
}

/* The host's file that is mounted there. */
static const char *bound(const struct ctr__inspect *in, const char *destination)
{
	for (uint32_t i = 0; i < in->s->bind_mounts_n; i++)
		if (strcmp(in->s->bind_mounts[2 * i], destination) == 0)
			return in->s->bind_mounts[2 * i + 1];
	return "";
}

static void emit_run_path(
    const struct ctr__inspect *in, struct ctr__buf *out, const char *key, const char *name)
{
	CTR__FREE char *path = ctr__path_join(in->run_dir, name);

	if (!path)
		out->failed = true;
	ctr__emit_str(out, key, path);
}

static void emit_places(const struct ctr__inspect *in, struct ctr__buf *out)
{
	const ctr_config_t *cfg = in->cfg;

	ctr__emit_str(out, "Image", cfg->rootfs_image_id);
	ctr__emit_str(out, "ImageDigest", "");
	ctr__emit_str(out, "ImageName", cfg->rootfs_image_name);
	ctr__emit_str(out, "Rootfs", cfg->rootfs);
	ctr__emit_str(out, "Pod", cfg->pod);
	ctr__emit_str(out, "ResolvConfPath", bound(in, "/etc/resolv.conf"));
	ctr__emit_str(out, "HostnamePath", bound(in, "/etc/hostname"));
	ctr__emit_str(out, "HostsPath", bound(in, "/etc/hosts"));
	ctr__emit_str(out, "StaticDir", cfg->static_dir);
	ctr__emit_some_str(out, "OCIConfigPath", in->s->config_path);
	ctr__emit_some_str(out, "OCIRuntime", cfg->runtime);
	ctr__emit_str(out, "ConmonPidFile", cfg->conmon_pid_file);
	if (cfg->pid_file)
		ctr__emit_str(out, "PidFile", cfg->pid_file);
	else
		emit_run_path(in, out, "PidFile", CTR__CTR_PID_FILE);
	ctr__emit_str(out, "Name", cfg->name);
	ctr__emit_i64(out, "RestartCount", in->s->restart_count);
}

/* Go's empty list of a document read from a file is null. */
static void emit_caps(const struct ctr__json *set, struct ctr__buf *out, const char *key)
{
	if (set && set->count > 0)
		ctr__emit_strings(out, key, set);
	else
		ctr__emit_null(out, key);
}

static void emit_security(const struct ctr__inspect *in, struct ctr__buf *out)
{
	const struct ctr__json *process = ctr__json_get(in->spec, "process");
	const struct ctr__json *caps = ctr__json_get(process, "capabilities");

	ctr__emit_str(out, "Driver", in->cfg->storage_driver);
	ctr__emit_str(out, "MountLabel", in->cfg->mount_label);
	ctr__emit_str(out, "ProcessLabel", in->cfg->process_label);
	ctr__emit_str(
	    out, "AppArmorProfile", ctr__json_str(ctr__json_get(process, "apparmorProfile")));
	emit_caps(ctr__json_get(caps, "effective"), out, "EffectiveCaps");
	emit_caps(ctr__json_get(caps, "bounding"), out, "BoundingCaps");
}

static void emit_storage(const struct ctr__inspect *in, struct ctr__buf *out)
{
	ctr__emit_array(out, "ExecIDs");
	for (const char *const *id = in->exec_ids; id && *id; id++)
		ctr__emit_str(out, NULL, *id);
	ctr__emit_array_end(out);
	ctr__emit_object(out, "GraphDriver");
	ctr__emit_str(out, "Name", in->cfg->storage_driver);
	ctr__emit_null(out, "Data");
	ctr__emit_object_end(out);
	if (!in->sized)
		return;
	ctr__emit_i64(out, "SizeRw", in->size_rw);
	ctr__emit_i64(out, "SizeRootFs", in->size_rootfs);
}

/* Numbers of libpod's configuration: which exit code a pod made from a Kubernetes file takes over. */
static const char *exit_code_propagation(const struct ctr__inspect *in)
{
	static const char *const words[] = {"invalid", "none", "all", "any"};
	uint64_t n = 0;

	(void)ctr__json_u64(ctr__inspect_extra(in, "kubeExitCodePropagation"), &n);
	return n < CTR__ARRAY_SIZE(words) ? words[n] : words[0];
}

static void emit_flags(const struct ctr__inspect *in, struct ctr__buf *out)
{
	ctr__emit_str(out, "Namespace", in->cfg->ns_label);
	ctr__emit_bool(out, "IsInfra", in->cfg->is_infra);
	ctr__emit_bool(out, "IsService", ctr__json_bool(ctr__inspect_extra(in, "isService")));
	ctr__emit_str(out, "KubeExitCodePropagation", exit_code_propagation(in));
	ctr__emit_u64(out, "lockNumber", in->lock_number);
}

void ctr__inspect_write(const struct ctr__inspect *in, struct ctr__buf *out)
{
	ctr__emit_object(out, NULL);
	emit_identity(in, out);
	ctr__inspect_state(in, out);
	emit_places(in, out);
	emit_security(in, out);
	emit_storage(in, out);
	ctr__inspect_mounts(in, out);
	ctr__emit_list(out, "Dependencies", &in->cfg->all_deps);
	ctr__inspect_network(in, out);
	emit_flags(in, out);
	ctr__inspect_config(in, out);
	ctr__inspect_host(in, out);
	ctr__emit_bool(out, "UseImageHosts", in->cfg->use_image_hosts);
	ctr__emit_bool(out, "UseImageHostname", in->cfg->use_image_hostname);
	ctr__emit_object_end(out);
}

int ctr__inspect(struct ctr_container *c, bool size, struct ctr__buf *out, ctr_error_t **err)
{
	CTR__CLEANUP(collected_free) struct collected d = {0};
	int r = collect_locked(c, size, &d, err);

	if (r >= 0)
		r = prepare(c, &d, err);
	if (r < 0)
		return r;
	ctr__inspect_write(&d.in, out);
	return out->failed ? ctr__fail_nomem(err) : 0;
}

/* ---- many ---- */

/* One that is gone meanwhile is not there: no error. */
static int inspect_one_of_many(
    struct ctr_runtime *rt, const char *id, bool size, struct ctr__buf *out, ctr_error_t **err)
{
	CTR__CLEANUP(ctr_container_unrefp) struct ctr_container *c = NULL;
	CTR__ERROR ctr_error_t *why = NULL;
	int r = ctr__container_open(rt, id, &c, &why);

	if (r >= 0)
		r = ctr__inspect(c, size, out, &why);
	if (r >= 0 || r == CTR_E_NO_SUCH_CTR || r == CTR_E_CTR_REMOVED)
		return 0;
	ctr__error_detail(&why, "container", id);
	if (err)
		*err = CTR__STEAL_PTR(why);
	return r;
}

int ctr__inspect_many(struct ctr_runtime *rt, const char *const *filters, bool size,
    struct ctr__buf *out, ctr_error_t **err)
{
	CTR__CLEANUP(ctr_list_freep) ctr_list_t *list = NULL;
	int r = ctr__list(rt, filters, &list, err);

	if (r < 0)
		return r;
	ctr__emit_array(out, NULL);
	for (size_t i = 0; r >= 0 && i < ctr_list_count(list); i++)
		r = inspect_one_of_many(rt, ctr_list_id(list, i), size, out, err);
	ctr__emit_array_end(out);
	return r < 0 ? r : out->failed ? ctr__fail_nomem(err) : 0;
}

/* ---- shared by the parts ---- */

const struct ctr__json *ctr__inspect_extra(const struct ctr__inspect *in, const char *key)
{
	return ctr__json_get(in->extra, key);
}

const char *ctr__inspect_annotation(const struct ctr__inspect *in, const char *key)
{
	return ctr__json_str(ctr__json_path(in->spec, "annotations", key, NULL));
}

const struct ctr__json *ctr__inspect_namespace(const struct ctr__inspect *in, const char *type)
{
	CTR__JSON_EACH (ns, ctr__json_path(in->spec, "linux", "namespaces", NULL)) {
		if (ctr__streq(ctr__json_str(ctr__json_get(ns, "type")), type))
			return ns;
	}
	return NULL;
}

void ctr__emit_list(struct ctr__buf *out, const char *key, const struct ctr__cfg_list *list)
{
	ctr__emit_array(out, key);
	for (size_t i = 0; i < list->n; i++)
		ctr__emit_str(out, NULL, list->v[i]);
	ctr__emit_array_end(out);
}

void ctr__emit_strings(struct ctr__buf *out, const char *key, const struct ctr__json *array)
{
	ctr__emit_array(out, key);
	CTR__JSON_EACH (e, array) {
		if (ctr__json_str(e))
			ctr__emit_str(out, NULL, e->text);
	}
	ctr__emit_array_end(out);
}

void ctr__emit_map(struct ctr__buf *out, const char *key, const struct ctr__json *object)
{
	if (object && object->type == CTR__JSON_OBJECT && object->count > 0)
		ctr__emit_json(out, key, object);
	else
		ctr__emit_null(out, key);
}
