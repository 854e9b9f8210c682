/* SPDX-License-Identifier: Apache-2.0 */
/* What can be checked without a store: single fields, and conflicts between them. (Network: validate_net.c) */
#include "config/model.h"

#include <inttypes.h>

#include "spec/spec.h"
#include "sys/path.h"
#include "util/cleanup.h"
#include "util/id.h"

#define MAX_SECONDS (INT64_C(1) << 31)
#define MAX_SIGNAL  64

/* ---- identity ---- */

static int check_identity(const ctr_config_t *cfg, ctr_error_t **err)
{
	static const char bad_name[] = "is no valid name: letters, digits, \"_\", \".\" and \"-\", "
	                               "a letter or digit first, at most 255 characters";

	if (cfg->id && !ctr__id_valid(cfg->id))
		return ctr__cfg_bad_value(err, "id", cfg->id, "is no valid ID");
	if (cfg->name && !ctr__name_valid(cfg->name))
		return ctr__cfg_bad_value(err, "name", cfg->name, bad_name);
	if (cfg->pod && !ctr__id_valid(cfg->pod))
		return ctr__cfg_bad_value(err, "pod", cfg->pod, "is no valid ID");
	return 0;
}

/* ---- root file system ---- */

static int check_rootfs_path(const char *path, ctr_error_t **err)
{
	size_t len = strlen(path);

	if (path[0] != '/')
		return ctr__cfg_bad_value(err, "rootfs", path, "is not absolute");
	if (len == 1)
		return ctr__cfg_bad_value(
		    err, "rootfs", path, "cannot be used: it is the host's root directory");
	if (!ctr__path_is_clean(path) || path[len - 1] == '/')
		return ctr__cfg_bad_value(err, "rootfs", path,
		    "has \".\", \"..\", a doubled slash or a slash at the end");
	return 0;
}

static int check_rootfs(const ctr_config_t *cfg, ctr_error_t **err)
{
	if (!cfg->rootfs_image_id != !cfg->rootfs_image_name)
		return ctr__cfg_bad(err, CTR_E_INVALID,
		    cfg->rootfs_image_id ? "rootfsImageName" : "rootfsImageID",
		    "is missing beside %s %s",
		    cfg->rootfs_image_id ? "rootfsImageID" : "rootfsImageName",
		    CTR__CFG_SHOW(
		        cfg->rootfs_image_id ? cfg->rootfs_image_id : cfg->rootfs_image_name));
	if (!cfg->rootfs && !cfg->rootfs_image_id)
		return ctr__cfg_bad(err, CTR_E_INVALID, "rootfs",
		    "is missing, and so is an image: one of them is needed");
	if (cfg->rootfs && cfg->rootfs_image_id)
		return ctr__cfg_bad(err, CTR_E_INVALID, "rootfs",
		    "%s excludes the image (rootfsImageID) %s", CTR__CFG_SHOW(cfg->rootfs),
		    CTR__CFG_SHOW(cfg->rootfs_image_id));
	return cfg->rootfs ? check_rootfs_path(cfg->rootfs, err) : 0;
}

/* ---- paths ---- */

static int check_paths(const ctr_config_t *cfg, ctr_error_t **err)
{
	const struct ctr__cfg_pair paths[] = {{"ShmDir", cfg->shm_dir},
	    {"staticDir", cfg->static_dir}, {"logPath", cfg->log_path},
	    {"conmonPidFile", cfg->conmon_pid_file}};

	for (size_t i = 0; i < CTR__ARRAY_SIZE(paths); i++)
		if (paths[i].value && paths[i].value[0] != '/')
			return ctr__cfg_bad_value(
			    err, paths[i].key, paths[i].value, "is not absolute");
	for (size_t i = 0; i < cfg->mounts.n; i++)
		if (cfg->mounts.v[i][0] != '/')
			return ctr__cfg_bad_value(
			    err, "mounts", cfg->mounts.v[i], "is not absolute");
	return 0;
}

/* ---- numbers ---- */

static int check_range(const char *field, int64_t value, int64_t max, ctr_error_t **err)
{
	if (value >= 0 && value <= max)
		return 0;
	return ctr__cfg_bad(
	    err, CTR_E_INVALID, field, "%" PRId64 " is not in 0 .. %" PRId64, value, max);
}

static int check_numbers(const ctr_config_t *cfg, ctr_error_t **err)
{
	int r = check_range("shmSize", cfg->shm_size, INT64_MAX, err);

	if (r == 0)
		r = check_range("stopSignal", cfg->stop_signal, MAX_SIGNAL, err);
	if (r == 0)
		r = check_range("stopTimeout", cfg->stop_timeout, MAX_SECONDS, err);
	if (r == 0)
		r = check_range("timeout", cfg->timeout, MAX_SECONDS, err);
	if (r == 0)
		r = check_range("logSize", cfg->log_size, INT64_MAX, err);
	return r;
}

/* ---- other containers ---- */

static int check_dependency(
    const ctr_config_t *cfg, const char *field, const char *id, ctr_error_t **err)
{
	if (!ctr__id_valid(id))
		return ctr__cfg_bad_value(err, field, id, "is no valid container ID");
	if (cfg->id && strcmp(cfg->id, id) == 0)
		return ctr__cfg_bad_value(err, field, id, "is this container itself");
	return 0;
}

static int check_dependencies(const ctr_config_t *cfg, ctr_error_t **err)
{
	const struct ctr__cfg_pair joined[] = {{"shareNamespacesWith", cfg->shared_namespace_ctr},
	    {"ipcNsCtr", cfg->ipc_ns_ctr}, {"mountNsCtr", cfg->mount_ns_ctr},
	    {"netNsCtr", cfg->net_ns_ctr}, {"pidNsCtr", cfg->pid_ns_ctr},
	    {"userNsCtr", cfg->user_ns_ctr}, {"utsNsCtr", cfg->uts_ns_ctr},
	    {"cgroupNsCtr", cfg->cgroup_ns_ctr}};
	int r = 0;

	for (size_t i = 0; r == 0 && i < CTR__ARRAY_SIZE(joined); i++)
		if (joined[i].value)
			r = check_dependency(cfg, joined[i].key, joined[i].value, err);
	for (size_t i = 0; r == 0 && i < cfg->dependencies.n; i++)
		r = check_dependency(cfg, "Dependencies", cfg->dependencies.v[i], err);
	return r;
}

/* ---- cgroups ---- */

/* Without a cgroup, only a PID namespace of its own tells which processes are the container's. */
static bool has_own_pid_ns(const struct ctr__json *spec)
{
	CTR__JSON_EACH (ns, ctr__json_path(spec, "linux", "namespaces", NULL)) {
		const char *path = ctr__json_str(ctr__json_get(ns, "path"));

		if (ctr__streq(ctr__json_str(ctr__json_get(ns, "type")), "pid"))
			return !path || !path[0];
	}
	return false;
}

static int check_cgroups_mode(const ctr_config_t *cfg, ctr_error_t **err)
{
	static const char field[] = "cgroupsMode";
	static const char *const modes[] = {"enabled", "disabled", "no-conmon", "split", NULL};
	const char *mode = cfg->cgroups_mode;

	if (!mode || !*mode)
		return 0;
	if (!ctr__strv_has(modes, mode))
		return ctr__cfg_bad_value(
		    err, field, mode, "is not enabled, disabled, no-conmon or split");
	if (cfg->no_cgroups != (strcmp(mode, "disabled") == 0))
		return ctr__cfg_bad(err, CTR_E_INVALID, field, "%s excludes noCgroups %s",
		    CTR__CFG_SHOW(mode), cfg->no_cgroups ? "true" : "false");
	if (ctr__config_is_split(cfg) && cfg->cgroup_parent && *cfg->cgroup_parent)
		return ctr__cfg_bad(err, CTR_E_INVALID, field, "\"split\" excludes cgroupParent %s",
		    CTR__CFG_SHOW(cfg->cgroup_parent));
	return 0;
}

static int check_cgroups(const ctr_config_t *cfg, const struct ctr__json *spec, ctr_error_t **err)
{
	int r = check_cgroups_mode(cfg, err);

	if (r < 0 || !cfg->no_cgroups)
		return r;
	if (cfg->pid_ns_ctr)
		return ctr__cfg_bad(err, CTR_E_INVALID, "noCgroups", "true excludes pidNsCtr %s",
		    CTR__CFG_SHOW(cfg->pid_ns_ctr));
	if (cfg->cgroup_parent)
		return ctr__cfg_bad(err, CTR_E_INVALID, "noCgroups",
		    "true excludes cgroupParent %s", CTR__CFG_SHOW(cfg->cgroup_parent));
	if (!has_own_pid_ns(spec))
		return ctr__cfg_bad(err, CTR_E_INVALID, "noCgroups",
		    "true needs a PID namespace without a path in spec.linux.namespaces");
	return 0;
}

/* ---- users ---- */

static int check_user_text(const char *user, ctr_error_t **err)
{
	const char *colon = strchr(user, ':');

	if (ctr__cfg_has_blank(user))
		return ctr__cfg_bad_value(err, "user", user, "holds a space or control character");
	if (user[0] == ':' || (colon && (!colon[1] || strchr(colon + 1, ':'))))
		return ctr__cfg_bad_value(err, "user", user, "is not \"user\" or \"user:group\"");
	return 0;
}

/* The spec's numbers alone would be overwritten when the user is looked up, so they need the text. */
static int check_spec_user(const struct ctr__json *spec, ctr_error_t **err)
{
	const struct ctr__json *user = ctr__json_path(spec, "process", "user", NULL);
	static const char *const members[] = {"uid", "gid"};

	for (size_t i = 0; i < CTR__ARRAY_SIZE(members); i++) {
		const struct ctr__json *v = ctr__json_get(user, members[i]);
		int64_t number = 0;

		if (v && v->type == CTR__JSON_NUMBER && (!ctr__json_i64(v, &number) || number != 0))
			return ctr__cfg_bad(err, CTR_E_INVALID, "user",
			    "is missing beside spec.process.user.%s %s", members[i],
			    CTR__CFG_SHOW(v->text));
	}
	return 0;
}

static int check_user(const ctr_config_t *cfg, const struct ctr__json *spec, ctr_error_t **err)
{
	for (size_t i = 0; i < cfg->groups.n; i++)
		if (!cfg->groups.v[i][0] || ctr__cfg_has_blank(cfg->groups.v[i]))
			return ctr__cfg_bad_value(
			    err, "groups", cfg->groups.v[i], "is no name or number of a group");
	return cfg->user ? check_user_text(cfg->user, err) : check_spec_user(spec, err);
}

static int check_id_range(const char *list, const struct ctr__json *range, ctr_error_t **err)
{
	static const char *const members[] = {"container_id", "host_id", "size"};
	uint64_t v[3] = {0};

	for (size_t i = 0; i < CTR__ARRAY_SIZE(members); i++)
		if (!ctr__json_u64(ctr__json_get(range, members[i]), &v[i]) || v[i] > UINT32_MAX)
			return ctr__cfg_bad(err, CTR_E_INVALID, "idMappingsOptions",
			    "a range in %s has no %s in 0 .. %u", list, members[i], UINT32_MAX);
	if (v[2] == 0)
		return ctr__cfg_bad(
		    err, CTR_E_INVALID, "idMappingsOptions", "a range in %s has size 0", list);
	if (v[0] + v[2] - 1 >= UINT32_MAX || v[1] + v[2] - 1 >= UINT32_MAX)
		return ctr__cfg_bad(err, CTR_E_INVALID, "idMappingsOptions",
		    "a range in %s goes past the last ID: %" PRIu64 ", %" PRIu64 ", %" PRIu64, list,
		    v[0], v[1], v[2]);
	return 0;
}

static int check_id_mappings(const struct ctr__json *mappings, ctr_error_t **err)
{
	static const char *const lists[] = {"UIDMap", "GIDMap"};
	static const char field[] = "idMappingsOptions";

	if (mappings && mappings->type != CTR__JSON_OBJECT)
		return ctr__cfg_bad(err, CTR_E_INVALID, field, "must be an object, not %s",
		    ctr__json_type_name(mappings->type));
	for (size_t i = 0; i < CTR__ARRAY_SIZE(lists); i++) {
		const struct ctr__json *list = ctr__json_get(mappings, lists[i]);

		if (!list || list->type == CTR__JSON_NULL)
			continue;
		if (list->type != CTR__JSON_ARRAY)
			return ctr__cfg_bad(err, CTR_E_INVALID, field, "%s must be a list, not %s",
			    lists[i], ctr__json_type_name(list->type));
		CTR__JSON_EACH (range, list) {
			int r = check_id_range(lists[i], range, err);

			if (r < 0)
				return r;
		}
	}
	return 0;
}

/* ---- pods ---- */

static int check_init_type(const ctr_config_t *cfg, ctr_error_t **err)
{
	static const char field[] = "init_container_type";
	static const char *const types[] = {"always", "once", NULL};
	const char *type = cfg->init_container_type;

	if (!type)
		return 0;
	if (!ctr__strv_has(types, type))
		return ctr__cfg_bad_value(err, field, type, "is neither \"always\" nor \"once\"");
	if (!cfg->pod)
		return ctr__cfg_bad(
		    err, CTR_E_INVALID, field, "%s needs a pod", CTR__CFG_SHOW(type));
	return 0;
}

/* ---- the rest ---- */

static int check_log_driver(const char *driver, ctr_error_t **err)
{
	static const char *const usable[] = {"k8s-file", "json-file", "journald", "none", NULL};
	static const char *const known[] = {"passthrough", "passthrough-tty", NULL};

	if (ctr__strv_has(usable, driver))
		return 0;
	if (ctr__strv_has(known, driver))
		return ctr__cfg_bad(err, CTR_E_UNSUPPORTED, "logDriver",
		    "%s is not supported; \"k8s-file\", \"json-file\", \"journald\" and \"none\" "
		    "are",
		    CTR__CFG_SHOW(driver));
	return ctr__cfg_bad_value(err, "logDriver", driver,
	    "is no log driver; \"k8s-file\", \"json-file\", \"journald\" and \"none\" are");
}

static int check_labels(const ctr_config_t *cfg, ctr_error_t **err)
{
	for (size_t i = 0; i < cfg->labels.n; i++)
		if (!cfg->labels.v[i].key[0])
			return ctr__cfg_bad(err, CTR_E_INVALID, "labels",
			    "the label with value %s has an empty key",
			    CTR__CFG_SHOW(cfg->labels.v[i].value));
	return 0;
}

static int check_spec(const struct ctr__json *spec, ctr_error_t **err)
{
	if (!spec)
		return ctr__cfg_bad(err, CTR_E_INVALID, "spec", "is missing");
	if (spec->type != CTR__JSON_OBJECT)
		return ctr__cfg_bad(err, CTR_E_INVALID, "spec", "must be an object, not %s",
		    ctr__json_type_name(spec->type));
	return ctr__spec_validate(spec, err);
}

static int check_plain_fields(const ctr_config_t *cfg, ctr_error_t **err)
{
	int r = check_identity(cfg, err);

	if (r == 0)
		r = check_rootfs(cfg, err);
	if (r == 0)
		r = check_paths(cfg, err);
	if (r == 0)
		r = check_numbers(cfg, err);
	if (r == 0)
		r = check_dependencies(cfg, err);
	if (r == 0)
		r = check_log_driver(cfg->log_driver, err);
	if (r == 0)
		r = check_labels(cfg, err);
	if (r == 0)
		r = check_init_type(cfg, err);
	if (r == 0)
		r = ctr__cfg_check_policy(cfg, err);
	return r;
}

int ctr__cfg_check(const ctr_config_t *cfg, const struct ctr__json *root, ctr_error_t **err)
{
	const struct ctr__json *spec = ctr__cfg_member(root, "spec");
	int r = check_plain_fields(cfg, err);

	if (r == 0)
		r = ctr__cfg_check_net(cfg, root, err);
	if (r == 0)
		r = ctr__cfg_check_health(cfg, root, err);
	if (r == 0)
		r = ctr__cfg_check_files(cfg, root, err);
	if (r == 0)
		r = check_id_mappings(ctr__cfg_member(root, "idMappingsOptions"), err);
	if (r == 0)
		r = check_spec(spec, err);
	if (r == 0)
		r = check_user(cfg, spec, err);
	if (r == 0)
		r = check_cgroups(cfg, spec, err);
	return r;
}

int ctr__config_validate(const ctr_config_t *cfg, ctr_error_t **err)
{
	CTR__BUF struct ctr__buf text = {0};
	CTR__JSON_DOC struct ctr__json_doc *doc = NULL;

	ctr__config_write(cfg, &text);
	if (text.failed)
		return ctr__fail_nomem(err);
	int r = ctr__json_parse(text.data, text.len, "configuration", &doc, err);

	return r < 0 ? r : ctr__cfg_check(cfg, doc->root, err);
}
