/* SPDX-License-Identifier: Apache-2.0 */
/* Inspecting: "HostConfig", what the container has of the host. */
#include "core/inspect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sys/caps.h"
#include "util/cleanup.h"

static const struct ctr__json *process(const struct ctr__inspect *in)
{
	return ctr__json_get(in->spec, "process");
}

static bool annotated(const struct ctr__inspect *in, const char *key)
{
	return ctr__streq(ctr__inspect_annotation(in, key), "TRUE");
}

/* ---- log ---- */

/* As Go's HumanSize: thousands, four significant digits: "1.049MB". Without printf's floating point, which
 * writes as the host's locale wants it. */
static void size_text(uint64_t bytes, char *out, size_t out_size)
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
	uint64_t scale = 1, parts = 1000, value;
	size_t unit = 0, len;
	char fraction[8];

	for (; bytes / scale >= 1000; unit++)
		scale *= 1000;
	for (uint64_t whole = bytes / scale; whole >= 10; whole /= 10)
		parts /= 10;
	if (unit == 0)
		value = bytes * parts;
	else
		value = (bytes + scale / parts / 2) / (scale / parts);
	snprintf(fraction, sizeof(fraction), "%03llu",
	    (unsigned long long)(value % parts * (1000 / parts)));
	for (len = strlen(fraction); len && fraction[len - 1] == '0'; len--)
		fraction[len - 1] = '\0';
	snprintf(out, out_size, "%llu%s%s%s", (unsigned long long)(value / parts), len ? "." : "",
	    fraction, units[unit]);
}

static void emit_log(const struct ctr__inspect *in, struct ctr__buf *out)
{
	char size[32];

	size_text(in->cfg->log_size > 0 ? (uint64_t)in->cfg->log_size : 0, size, sizeof(size));
	ctr__emit_object(out, "LogConfig");
	ctr__emit_str(out, "Type", in->cfg->log_driver);
	ctr__emit_null(out, "Config");
	ctr__emit_str(out, "Path", in->cfg->log_path);
	ctr__emit_str(out, "Tag", in->cfg->log_tag);
	ctr__emit_str(out, "Size", size);
	ctr__emit_object_end(out);
}

/* ---- namespaces ---- */

/* "container:ID", "ns:PATH", `own` for one of its own, `none` without one. */
static void emit_mode(const struct ctr__inspect *in, struct ctr__buf *out, const char *key,
    const char *type, const char *joined, const char *own, const char *none)
{
	const struct ctr__json *ns = ctr__inspect_namespace(in, type);
	const char *path = ctr__json_str(ctr__json_get(ns, "path"));
	CTR__FREE char *text = NULL;

	if (joined)
		text = ctr__format("container:%s", joined);
	else if (path && *path)
		text = ctr__format("ns:%s", path);
	else
		text = strdup(ns ? own : none);
	if (!text)
		out->failed = true;
	ctr__emit_str(out, key, text);
}

static void emit_ipc_mode(const struct ctr__inspect *in, struct ctr__buf *out)
{
	const char *own = "shareable";

	if (in->cfg->no_shm)
		own = "none";
	else if (ctr__json_bool(ctr__inspect_extra(in, "NOShmShare")))
		own = "private";
	emit_mode(in, out, "IpcMode", "ipc", in->cfg->ipc_ns_ctr, own, "host");
}

static void emit_network_mode(const struct ctr__inspect *in, struct ctr__buf *out)
{
	const char *own = "none"; /* nobody configures it */

	if (in->cfg->create_net_ns)
		own = in->cfg->network_mode ? in->cfg->network_mode : "bridge";
	emit_mode(in, out, "NetworkMode", "network", in->cfg->net_ns_ctr, own, "host");
}

/* ---- capabilities ---- */

/* What the OCI's own generator gives a container: against this set podman compares. */
static const char *const default_caps[] = {"CAP_AUDIT_WRITE", "CAP_CHOWN", "CAP_DAC_OVERRIDE",
    "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_MKNOD", "CAP_NET_BIND_SERVICE", "CAP_NET_RAW",
    "CAP_SETFCAP", "CAP_SETGID", "CAP_SETPCAP", "CAP_SETUID", "CAP_SYS_CHROOT", NULL};

static bool has_cap(const struct ctr__json *set, const char *cap)
{
	CTR__JSON_EACH (e, set) {
		if (ctr__streq(ctr__json_str(e), cap))
			return true;
	}
	return false;
}

static void emit_cap_changes(
    const struct ctr__json *set, const char *const *base, struct ctr__buf *out)
{
	ctr__emit_array(out, "CapAdd");
	CTR__JSON_EACH (e, set) {
		if (ctr__json_str(e) && !ctr__strv_has(base, e->text))
			ctr__emit_str(out, NULL, e->text);
	}
	ctr__emit_array_end(out);
	ctr__emit_array(out, "CapDrop");
	for (; *base; base++)
		if (!has_cap(set, *base))
			ctr__emit_str(out, NULL, *base);
	ctr__emit_array_end(out);
}

static void emit_caps(const struct ctr__inspect *in, struct ctr__buf *out)
{
	const struct ctr__json *bounding =
	    ctr__json_get(ctr__json_get(process(in), "capabilities"), "bounding");
	CTR__STRV char **all = NULL;

	if (in->privileged && ctr__caps_known(&all, NULL) < 0) {
		out->failed = true;
		return;
	}
	if (all)
		ctr__strv_sort_unique(all);
	emit_cap_changes(bounding, all ? (const char *const *)all : default_caps, out);
}

/* ---- security ---- */

static void emit_security_annotation(
    const struct ctr__inspect *in, struct ctr__buf *out, const char *word)
{
	CTR__FREE char *key = ctr__format("io.podman.annotations.%s", word);
	const char *value = key ? ctr__inspect_annotation(in, key) : NULL;
	CTR__FREE char *text = value ? ctr__format("%s=%s", word, value) : NULL;

	if (!key || (value && !text))
		out->failed = true;
	if (text)
		ctr__emit_str(out, NULL, text);
}

static void emit_security(const struct ctr__inspect *in, struct ctr__buf *out)
{
	static const char *const words[] = {"label", "seccomp", "apparmor"};

	ctr__emit_array(out, "SecurityOpt");
	if (ctr__json_bool(ctr__json_get(process(in), "noNewPrivileges")))
		ctr__emit_str(out, NULL, "no-new-privileges");
	for (size_t i = 0; i < CTR__ARRAY_SIZE(words); i++)
		emit_security_annotation(in, out, words[i]);
	ctr__emit_array_end(out);
}

static void emit_ranges(const struct ctr__json *ranges, struct ctr__buf *out, const char *key)
{
	ctr__emit_array(out, key);
	CTR__JSON_EACH (range, ranges) {
		uint64_t inside = 0, outside = 0, size = 0;
		char text[72];

		(void)ctr__json_u64(ctr__json_get(range, "container_id"), &inside);
		(void)ctr__json_u64(ctr__json_get(range, "host_id"), &outside);
		(void)ctr__json_u64(ctr__json_get(range, "size"), &size);
		snprintf(text, sizeof(text), "%llu:%llu:%llu", (unsigned long long)inside,
		    (unsigned long long)outside, (unsigned long long)size);
		ctr__emit_str(out, NULL, text);
	}
	ctr__emit_array_end(out);
}

static void emit_id_mappings(const struct ctr__inspect *in, struct ctr__buf *out)
{
	CTR__JSON_DOC struct ctr__json_doc *doc = NULL;
	const struct ctr__json *uids, *gids;

	if (!in->cfg->id_mappings.text)
		return;
	if (ctr__json_parse(in->cfg->id_mappings.text, in->cfg->id_mappings.len,
	        "idMappingsOptions", &doc, NULL) < 0) {
		out->failed = true; /* it was valid when it was stored: memory is short */
		return;
	}
	uids = ctr__json_get(doc->root, "UIDMap");
	gids = ctr__json_get(doc->root, "GIDMap");
	if (!uids || uids->count == 0 || !gids || gids->count == 0)
		return;
	ctr__emit_object(out, "IDMappings");
	emit_ranges(uids, out, "UidMap");
	emit_ranges(gids, out, "GidMap");
	ctr__emit_object_end(out);
}

/* ---- policy ---- */

static void emit_restart(const struct ctr__inspect *in, struct ctr__buf *out)
{
	ctr__emit_object(out, "RestartPolicy");
	ctr__emit_str(out, "Name", in->cfg->restart_policy);
	ctr__emit_i64(out, "MaximumRetryCount", in->cfg->restart_retries);
	ctr__emit_object_end(out);
}

static void emit_volumes_from(const struct ctr__inspect *in, struct ctr__buf *out)
{
	const char *text = ctr__inspect_annotation(in, "io.podman.annotations.volumes-from");

	if (!text) {
		ctr__emit_null(out, "VolumesFrom");
		return;
	}
	CTR__STRV char **containers = ctr__strv_split(text, ';');
	if (!containers)
		out->failed = true;
	ctr__emit_array(out, "VolumesFrom");
	for (char **c = containers; c && *c; c++)
		ctr__emit_str(out, NULL, *c);
	ctr__emit_array_end(out);
}

static void emit_policy(const struct ctr__inspect *in, struct ctr__buf *out)
{
	emit_restart(in, out);
	ctr__emit_bool(out, "AutoRemove",
	    in->cfg->auto_remove || annotated(in, "io.podman.annotations.autoremove"));
	ctr__emit_bool(
	    out, "AutoRemoveImage", annotated(in, "io.podman.annotations.autoremove-image"));
	ctr__emit_map(out, "Annotations", ctr__json_get(in->spec, "annotations"));
	ctr__emit_str(out, "VolumeDriver", "");
	emit_volumes_from(in, out);
}

static void emit_names(const struct ctr__inspect *in, struct ctr__buf *out)
{
	ctr__emit_list(out, "Dns", &in->cfg->dns_server);
	ctr__emit_list(out, "DnsOptions", &in->cfg->dns_option);
	ctr__emit_list(out, "DnsSearch", &in->cfg->dns_search);
	ctr__emit_list(out, "ExtraHosts", &in->cfg->host_add);
	ctr__emit_str(out, "HostsFile", in->cfg->base_hosts_file);
	ctr__emit_list(out, "GroupAdd", &in->cfg->groups);
}

/* ---- the whole ---- */

static void emit_first(const struct ctr__inspect *in, struct ctr__buf *out)
{
	ctr__inspect_binds(in, out);
	ctr__emit_str(out, "CgroupManager", in->systemd_cgroup ? "systemd" : "cgroupfs");
	emit_mode(in, out, "CgroupMode", "cgroup", in->cfg->cgroup_ns_ctr, "private", "host");
	ctr__emit_str(
	    out, "ContainerIDFile", ctr__inspect_annotation(in, "io.podman.annotations.cid-file"));
	emit_log(in, out);
	emit_network_mode(in, out);
	ctr__inspect_port_bindings(in, out);
}

static void emit_process(const struct ctr__inspect *in, struct ctr__buf *out)
{
	int64_t adjustment = 0;

	(void)ctr__json_i64(ctr__json_get(process(in), "oomScoreAdj"), &adjustment);
	emit_ipc_mode(in, out);
	ctr__emit_str(out, "Cgroup", "");
	ctr__emit_str(out, "Cgroups", in->cfg->no_cgroups ? "disabled" : "default");
	ctr__emit_null(out, "Links");
	ctr__emit_i64(out, "OomScoreAdj", adjustment);
	emit_mode(in, out, "PidMode", "pid", in->cfg->pid_ns_ctr, "private", "host");
	ctr__emit_bool(out, "Privileged", in->privileged);
	ctr__emit_bool(out, "PublishAllPorts", annotated(in, "io.podman.annotations.publish-all"));
	ctr__emit_bool(out, "ReadonlyRootfs", in->cfg->root_read_only || in->cfg->read_only);
	emit_security(in, out);
	ctr__inspect_tmpfs(in, out);
	emit_mode(in, out, "UTSMode", "uts", in->cfg->uts_ns_ctr, "private", "host");
	emit_mode(in, out, "UsernsMode", "user", in->cfg->user_ns_ctr, "private", "");
	emit_id_mappings(in, out);
	ctr__emit_i64(out, "ShmSize", in->cfg->shm_size);
	ctr__emit_str(out, "Runtime", "oci");
}

static void emit_console(struct ctr__buf *out)
{
	ctr__emit_array(out, "ConsoleSize");
	ctr__emit_i64(out, NULL, 0);
	ctr__emit_i64(out, NULL, 0);
	ctr__emit_array_end(out);
	ctr__emit_str(out, "Isolation", "");
}

void ctr__inspect_host(const struct ctr__inspect *in, struct ctr__buf *out)
{
	ctr__emit_object(out, "HostConfig");
	emit_first(in, out);
	emit_policy(in, out);
	emit_caps(in, out);
	emit_names(in, out);
	emit_process(in, out);
	emit_console(out);
	ctr__inspect_limits(in, out);
	ctr__emit_object_end(out);
}
