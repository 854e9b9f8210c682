/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The config.json of a bundle: the configuration's spec with what is only known at init written into a copy
 * of it. Whatever is not mentioned here stays as the user wrote it.
 */
#include "spec/spec.h"

#include <limits.h>
#include <unistd.h>

#include "spec/edit.h"
#include "spec/mounts.h"
#include "util/cleanup.h"

#define STOP_SIGNAL_DEFAULT 15
#define SHM_DEST            "/dev/shm"

struct gen {
	struct ctr__edit e;
	struct ctr__json *spec, *process;
	const ctr_config_t *cfg;
	const struct ctr__spec_facts *facts;
};

static bool is_set(const struct ctr__json *v)
{
	const char *s = ctr__json_str(v);

	return s && *s;
}

/* ---- root ---- */

static void edit_root(struct gen *g)
{
	struct ctr__json *root = ctr__edit_want_object(&g->e, g->spec, "root");

	ctr__edit_str(&g->e, root, "path", g->facts->root_path);
	if (g->cfg->read_only)
		ctr__edit_bool(&g->e, root, "readonly", true);
}

static bool root_is_read_only(const struct gen *g)
{
	return ctr__json_bool(ctr__json_path(g->spec, "root", "readonly", NULL));
}

/* ---- mounts ---- */

static void add_bind_mount(
    struct gen *g, struct ctr__json *mounts, const char *dest, const char *host_path)
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

static void edit_mounts(struct gen *g)
{
	struct ctr__json *mounts = ctr__json_get(g->spec, "mounts");

	if (g->facts->bind_mounts_n > 0)
		mounts = ctr__edit_want_array(&g->e, g->spec, "mounts");
	if (g->e.failed)
		return;
	for (size_t i = 0; i < g->facts->bind_mounts_n; i++)
		add_bind_mount(
		    g, mounts, g->facts->bind_mounts[i].key, g->facts->bind_mounts[i].value);
	ctr__mounts_sort(&g->e, mounts);
}

/* ---- linux: cgroup, namespaces, labels ---- */

static void edit_cgroup(struct gen *g)
{
	struct ctr__json *lnx = ctr__json_get(g->spec, "linux");

	if (g->facts->cgroup_path)
		ctr__edit_str(&g->e, ctr__edit_want_object(&g->e, g->spec, "linux"), "cgroupsPath",
		    g->facts->cgroup_path);
	else if (lnx && lnx->type == CTR__JSON_OBJECT)
		ctr__json_unset(lnx, "cgroupsPath");
}

static struct ctr__json *find_namespace(const struct gen *g, const char *type)
{
	CTR__JSON_EACH (ns, ctr__json_path(g->spec, "linux", "namespaces", NULL)) {
		if (ctr__streq(ctr__json_str(ctr__json_get(ns, "type")), type))
			return ns;
	}
	return NULL;
}

/* Has the container a namespace of this kind that is made for it? */
static bool own_namespace(const struct gen *g, const char *type)
{
	const struct ctr__json *ns = find_namespace(g, type);

	return ns && !is_set(ctr__json_get(ns, "path"));
}

static void join_namespace(struct gen *g, const char *type, const char *path)
{
	struct ctr__json *ns = find_namespace(g, type);

	if (!ns) {
		struct ctr__json *lnx = ctr__edit_want_object(&g->e, g->spec, "linux");
		struct ctr__json *list = ctr__edit_want_array(&g->e, lnx, "namespaces");

		ns = ctr__edit_add_object(&g->e, list);
		ctr__edit_str(&g->e, ns, "type", type);
	}
	ctr__edit_str(&g->e, ns, "path", path);
}

/* Runtimes want a mapping beside a user namespace even if they join it and never apply one. */
static void want_mapping(struct gen *g, const char *key)
{
	struct ctr__json *lnx = ctr__edit_want_object(&g->e, g->spec, "linux");
	struct ctr__json *list = ctr__edit_want_array(&g->e, lnx, key);

	if (!list || list->first)
		return;
	struct ctr__json *one = ctr__edit_add_object(&g->e, list);
	ctr__edit_u64(&g->e, one, "containerID", 0);
	ctr__edit_u64(&g->e, one, "hostID", 0);
	ctr__edit_u64(&g->e, one, "size", 1);
}

static void edit_namespaces(struct gen *g)
{
	static const char *const types[] = {[CTR_NS_IPC] = "ipc",
	    [CTR_NS_MOUNT] = "mount",
	    [CTR_NS_NET] = "network",
	    [CTR_NS_PID] = "pid",
	    [CTR_NS_USER] = "user",
	    [CTR_NS_UTS] = "uts",
	    [CTR_NS_CGROUP] = "cgroup"};

	for (size_t i = CTR_NS_IPC; i < CTR__ARRAY_SIZE(types); i++) {
		if (g->facts->ns_paths[i])
			join_namespace(g, types[i], g->facts->ns_paths[i]);
	}
	if (g->facts->ns_paths[CTR_NS_USER]) {
		want_mapping(g, "uidMappings");
		want_mapping(g, "gidMappings");
	}
}

static void edit_labels(struct gen *g)
{
	const char *process_label = g->facts->process_label, *mount_label = g->facts->mount_label;

	if (process_label && !is_set(ctr__json_get(g->process, "selinuxLabel")))
		ctr__edit_str(&g->e, g->process, "selinuxLabel", process_label);
	if (mount_label && !is_set(ctr__json_path(g->spec, "linux", "mountLabel", NULL)))
		ctr__edit_str(&g->e, ctr__edit_want_object(&g->e, g->spec, "linux"), "mountLabel",
		    mount_label);
}

/* ---- hostname ---- */

static bool env_has(const struct ctr__json *env, const char *prefix)
{
	CTR__JSON_EACH (var, env) {
		const char *s = ctr__json_str(var);
		if (s && ctr__starts_with(s, prefix))
			return true;
	}
	return false;
}

static void add_hostname_env(struct gen *g, const char *hostname)
{
	if (env_has(ctr__json_get(g->process, "env"), "HOSTNAME="))
		return;
	CTR__FREE char *var = ctr__format("HOSTNAME=%s", hostname);
	if (!var)
		g->e.failed = true;
	else
		ctr__edit_add_str(&g->e, ctr__edit_want_array(&g->e, g->process, "env"), var);
}

/* Only a UTS namespace of its own can be given a name. One that is joined has a name that is not known
 * here, so HOSTNAME is not set then; without a namespace it is the host's. */
static void edit_hostname(struct gen *g)
{
	char host[HOST_NAME_MAX + 1] = "";

	if (own_namespace(g, "uts")) {
		if (!is_set(ctr__json_get(g->spec, "hostname")) && g->facts->hostname)
			ctr__edit_str(&g->e, g->spec, "hostname", g->facts->hostname);
		const struct ctr__json *name = ctr__json_get(g->spec, "hostname");
		if (is_set(name))
			add_hostname_env(g, ctr__json_str(name));
		return;
	}
	ctr__json_unset(g->spec, "hostname");
	if (!find_namespace(g, "uts") && gethostname(host, sizeof(host) - 1) == 0 && *host &&
	    ctr__utf8_valid(host, strlen(host)))
		add_hostname_env(g, host);
}

/* ---- annotations, legacy mirrors ---- */

static void want_annotation(struct gen *g, const char *key, const char *value)
{
	struct ctr__json *map = ctr__edit_want_object(&g->e, g->spec, "annotations");

	if (map && !ctr__json_get(map, key))
		ctr__edit_str(&g->e, map, key, value);
}

static void edit_annotations(struct gen *g)
{
	int64_t sig = g->cfg->stop_signal ? g->cfg->stop_signal : STOP_SIGNAL_DEFAULT;
	CTR__FREE char *number = ctr__format("%lld", (long long)sig);

	if (!number) {
		g->e.failed = true;
		return;
	}
	want_annotation(g, "org.opencontainers.image.stopSignal", number);
	want_annotation(g, "io.container.manager", "libctr");
}

static void edit_no_new_privs(struct gen *g)
{
	if (g->cfg->no_new_privs)
		ctr__edit_bool(&g->e, g->process, "noNewPrivileges", true);
}

/* ---- all of it ---- */

static bool has_hooks(const struct gen *g, const char *stage)
{
	const struct ctr__json *list = ctr__json_path(g->spec, "hooks", stage, NULL);

	return list && list->count > 0;
}

static struct ctr__spec_result result_of(const struct gen *g)
{
	return (struct ctr__spec_result){
	    .terminal = ctr__json_bool(ctr__json_get(g->process, "terminal")),
	    .start_hooks = has_hooks(g, "poststart") || has_hooks(g, "startContainer"),
	    .own_pid_ns = own_namespace(g, "pid"),
	};
}

static int parse_copy(const ctr_config_t *cfg, struct ctr__json_doc **doc, ctr_error_t **err)
{
	if (!cfg->spec.text) {
		int r = ctr__fail(err, CTR_E_INVALID, "the configuration has no spec");
		ctr__error_detail(err, "field", "spec");
		return r;
	}
	int r = ctr__json_parse(cfg->spec.text, cfg->spec.len, "spec", doc, err);
	if (r < 0)
		return r;
	return ctr__spec_validate((*doc)->root, err);
}

int ctr__spec_generate(const ctr_config_t *cfg, const struct ctr__spec_facts *f,
    struct ctr__buf *out, struct ctr__spec_result *result, ctr_error_t **err)
{
	CTR__JSON_DOC struct ctr__json_doc *doc = NULL;
	int r;

	if (!f->root_path)
		return ctr__fail(err, CTR_E_INTERNAL, "no root file system is mounted");
	if ((r = parse_copy(cfg, &doc, err)) < 0)
		return r;
	struct gen g = {.e = {.doc = doc}, .spec = doc->root, .cfg = cfg, .facts = f};
	g.process = ctr__json_get(g.spec, "process");

	edit_root(&g);
	edit_mounts(&g);
	edit_cgroup(&g);
	edit_namespaces(&g);
	edit_labels(&g);
	edit_hostname(&g);
	edit_annotations(&g);
	edit_no_new_privs(&g);
	if (g.e.failed)
		return ctr__fail_nomem(err);

	size_t before = out->len;
	ctr__json_write(g.spec, false, out);
	if (out->failed) {
		out->len = before;
		return ctr__fail_nomem(err);
	}
	*result = result_of(&g);
	return 0;
}
