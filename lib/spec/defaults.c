/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The spec for a caller who has only a root file system and a command: private namespaces, podman's
 * default capabilities, masked and read-only paths, limits as far as this host can keep them.
 *
 * Limits that nobody asked for are left out where they cannot work, because the OCI runtime would refuse
 * the container: the number of processes without a pids controller, device rules where no BPF program
 * can be loaded. Limits that were asked for always stay, and the runtime reports what it cannot do.
 */
#include "spec/spec.h"

#include "spec/capset.h"
#include "spec/edit.h"
#include "spec/host.h"
#include "spec/mounts.h"
#include "spec/wish.h"
#include "sys/caps.h"
#include "util/cleanup.h"

#define PIDS_DEFAULT  2048
#define CPU_PERIOD_US 100000

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

/* ---- process ---- */

static size_t env_name_len(const char *var)
{
	return (size_t)(strchr(var, '=') - var) + 1; /* with the "=": checked before */
}

static bool env_has(const char *const *env, const char *var)
{
	for (; env && *env; env++) {
		if (strncmp(*env, var, env_name_len(var)) == 0)
			return true;
	}
	return false;
}

static void add_env(struct ctr__edit *e, struct ctr__json *process, const struct ctr__spec_wish *w)
{
	const char *const defaults[] = {
	    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	    "container=libctr",
	    w->terminal ? "TERM=xterm" : NULL,
	    NULL,
	};
	struct ctr__json *list = ctr__edit_array(e, process, "env");

	for (const char *const *v = defaults; *v; v++) {
		if (!env_has(w->env, *v))
			ctr__edit_add_str(e, list, *v);
	}
	for (const char *const *v = w->env; v && *v; v++) {
		if (!env_has(v + 1, *v)) /* of several values the last one counts */
			ctr__edit_add_str(e, list, *v);
	}
}

static void add_capabilities(struct ctr__edit *e, struct ctr__json *process, const char *const *set)
{
	struct ctr__json *caps = ctr__edit_object(e, process, "capabilities");

	ctr__edit_strv(e, caps, "bounding", set);
	ctr__edit_strv(e, caps, "effective", set);
	ctr__edit_strv(e, caps, "permitted", set);
	ctr__edit_strv(e, caps, "inheritable", NULL);
}

static int add_process(struct ctr__edit *e, struct ctr__json *spec, const struct ctr__spec_wish *w,
    const char *const *all_caps, ctr_error_t **err)
{
	CTR__STRV char **caps = NULL;
	int r = ctr__capset(w, all_caps, &caps, err);

	if (r < 0)
		return r;
	struct ctr__json *process = ctr__edit_object(e, spec, "process");
	ctr__edit_bool(e, process, "terminal", w->terminal);
	struct ctr__json *user = ctr__edit_object(e, process, "user");
	ctr__edit_u64(e, user, "uid", 0);
	ctr__edit_u64(e, user, "gid", 0);
	ctr__edit_strv(e, process, "args", w->args);
	add_env(e, process, w);
	ctr__edit_str(e, process, "cwd", w->workdir ? w->workdir : "/");
	add_capabilities(e, process, (const char *const *)caps);
	ctr__edit_bool(e, process, "noNewPrivileges", w->no_new_privs);
	return 0;
}

/* ---- mounts ---- */

static void add_standard_mounts(
    struct ctr__edit *e, struct ctr__json *mounts, const struct ctr__spec_wish *w)
{
	const char *mode = w->privileged ? "rw" : "ro";

	ctr__mounts_add(e, mounts, "/proc", "proc", "proc", LIST("nosuid", "noexec", "nodev"));
	ctr__mounts_add(e, mounts, "/dev", "tmpfs", "tmpfs",
	    LIST("nosuid", "strictatime", "mode=755", "size=65536k"));
	ctr__mounts_add(
	    e, mounts, "/sys", "sysfs", "sysfs", LIST("nosuid", "noexec", "nodev", mode));
	ctr__mounts_add(e, mounts, "/dev/pts", "devpts", "devpts",
	    LIST("nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"));
	ctr__mounts_add(
	    e, mounts, "/dev/mqueue", "mqueue", "mqueue", LIST("nosuid", "noexec", "nodev"));
	ctr__mounts_add(e, mounts, "/sys/fs/cgroup", "cgroup", "cgroup",
	    LIST(mode, "nosuid", "noexec", "nodev", "relatime"));
}

/* A bind mount takes the place of a standard mount with its destination. */
static void add_bind(struct ctr__edit *e, struct ctr__json *mounts, const struct ctr__wish_bind *b)
{
	struct ctr__json *standard = ctr__mounts_find(mounts, b->dest);

	if (standard)
		ctr__json_remove(mounts, standard);
	ctr__mounts_add(e, mounts, b->dest, "bind", b->source,
	    b->read_only ? LIST("rbind", "rprivate", "ro") : LIST("rbind", "rprivate"));
}

static int add_mounts(
    struct ctr__edit *e, struct ctr__json *spec, const struct ctr__spec_wish *w, ctr_error_t **err)
{
	struct ctr__json *mounts = ctr__edit_array(e, spec, "mounts");

	add_standard_mounts(e, mounts, w);
	for (const char *const *v = w->binds; v && *v; v++) {
		CTR__WISH_BIND struct ctr__wish_bind b = {0};
		int r = ctr__wish_bind_parse(*v, &b, err);

		if (r < 0)
			return r;
		add_bind(e, mounts, &b);
	}
	return 0;
}

/* ---- linux ---- */

static void add_namespaces(
    struct ctr__edit *e, struct ctr__json *lnx, const struct ctr__spec_wish *w)
{
	struct ctr__json *list = ctr__edit_array(e, lnx, "namespaces");
	const struct {
		const char *type;
		bool wanted;
	} kinds[] = {
	    {"pid", true},
	    {"ipc", true},
	    {"uts", true},
	    {"mount", true},
	    {"network", !w->host_network},
	    /* without one, mounting cgroup2 is slow, and the container sees the host's groups */
	    {"cgroup", true},
	    {"user", w->join_user},
	};

	for (size_t i = 0; i < CTR__ARRAY_SIZE(kinds); i++) {
		if (!kinds[i].wanted)
			continue;
		struct ctr__json *ns = ctr__edit_add_object(e, list);
		ctr__edit_str(e, ns, "type", kinds[i].type);
	}
}

/* 0 = leave it out */
static int64_t pids_limit(const struct ctr__spec_wish *w)
{
	if (w->pids != 0)
		return w->pids > 0 ? w->pids : 0;
	if (w->no_cgroups || !ctr__host_has_pids("/sys/fs/cgroup"))
		return 0;
	return PIDS_DEFAULT;
}

static bool list_has(const struct ctr__json *list, const char *s)
{
	CTR__JSON_EACH (v, list) {
		if (ctr__streq(ctr__json_str(v), s))
			return true;
	}
	return false;
}

/*
 * "All denied" (runtimes add what /dev holds) is left out where it may not work: without CAP_MKNOD the
 * container has only the device nodes that its root file system and bind mounts already hold. With it the
 * rule stays, and a runtime that cannot enforce it refuses the container. "All allowed" works everywhere.
 */
static void add_device_rule(struct ctr__edit *e, const struct ctr__json *spec,
    struct ctr__json *resources, const struct ctr__spec_wish *w, const char *const *all_caps)
{
	const struct ctr__json *caps =
	    ctr__json_path(spec, "process", "capabilities", "bounding", NULL);

	if (w->no_cgroups)
		return;
	if (!w->privileged && !list_has(caps, "CAP_MKNOD") &&
	    !ctr__host_can_filter_devices(all_caps))
		return;
	struct ctr__json *rule = ctr__edit_add_object(e, ctr__edit_array(e, resources, "devices"));
	ctr__edit_bool(e, rule, "allow", w->privileged);
	ctr__edit_str(e, rule, "access", "rwm");
}

static void add_resources(struct ctr__edit *e, const struct ctr__json *spec, struct ctr__json *lnx,
    const struct ctr__spec_wish *w, const char *const *all_caps)
{
	struct ctr__json *resources = ctr__edit_object(e, lnx, "resources");
	int64_t pids = pids_limit(w);

	add_device_rule(e, spec, resources, w, all_caps);
	if (w->memory > 0)
		ctr__edit_i64(e, ctr__edit_object(e, resources, "memory"), "limit", w->memory);
	if (w->cpu_quota > 0) {
		struct ctr__json *cpu = ctr__edit_object(e, resources, "cpu");
		ctr__edit_i64(e, cpu, "quota", w->cpu_quota);
		ctr__edit_u64(e, cpu, "period", CPU_PERIOD_US);
	}
	if (pids > 0)
		ctr__edit_i64(e, ctr__edit_object(e, resources, "pids"), "limit", pids);
	if (resources && !resources->first)
		ctr__json_unset(lnx, "resources");
}

static void add_hidden_paths(struct ctr__edit *e, struct ctr__json *lnx)
{
	ctr__edit_strv(e, lnx, "maskedPaths",
	    LIST("/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
	        "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi",
	        "/sys/firmware", "/sys/fs/selinux", "/sys/dev/block",
	        "/sys/devices/virtual/powercap"));
	ctr__edit_strv(e, lnx, "readonlyPaths",
	    LIST("/proc/asound", "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
	        "/proc/sysrq-trigger"));
}

static void add_linux(struct ctr__edit *e, struct ctr__json *spec, const struct ctr__spec_wish *w,
    const char *const *all_caps)
{
	struct ctr__json *lnx = ctr__edit_object(e, spec, "linux");

	add_resources(e, spec, lnx, w, all_caps);
	add_namespaces(e, lnx, w);
	if (!w->privileged)
		add_hidden_paths(e, lnx);
}

/* ---- all of it ---- */

static void add_annotations(
    struct ctr__edit *e, struct ctr__json *spec, const struct ctr__cfg_map *map)
{
	if (!map || map->n == 0)
		return;
	struct ctr__json *obj = ctr__edit_object(e, spec, "annotations");
	for (size_t i = 0; i < map->n; i++)
		ctr__edit_str(e, obj, map->v[i].key, map->v[i].value);
}

static void add_root(struct ctr__edit *e, struct ctr__json *spec, const struct ctr__spec_wish *w)
{
	struct ctr__json *root = ctr__edit_object(e, spec, "root");

	ctr__edit_str(e, root, "path", ""); /* known when it is mounted */
	ctr__edit_bool(e, root, "readonly", w->read_only);
}

int ctr__spec_default(const struct ctr__spec_wish *w, struct ctr__json_doc *d,
    struct ctr__json **out, ctr_error_t **err)
{
	CTR__STRV char **all_caps = NULL;
	struct ctr__edit e = {.doc = d};
	int r;

	if ((r = ctr__wish_check(w, err)) < 0 || (r = ctr__caps_all(&all_caps, err)) < 0)
		return r;
	struct ctr__json *spec = ctr__json_new_object(d);
	if (!spec)
		return ctr__fail_nomem(err);

	ctr__edit_str(&e, spec, "ociVersion", "1.0.2");
	r = add_process(&e, spec, w, (const char *const *)all_caps, err);
	add_root(&e, spec, w);
	if (w->hostname)
		ctr__edit_str(&e, spec, "hostname", w->hostname);
	if (r == 0)
		r = add_mounts(&e, spec, w, err);
	add_annotations(&e, spec, w->annotations);
	add_linux(&e, spec, w, (const char *const *)all_caps);
	if (r == 0 && e.failed)
		r = ctr__fail_nomem(err);
	if (r == 0)
		*out = spec;
	return r;
}
