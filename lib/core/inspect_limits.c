/* SPDX-License-Identifier: Apache-2.0 */
/* Inspecting: the resource limits and devices of "HostConfig", from the OCI spec. */
#include "core/inspect.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sys/fd.h"
#include "util/cleanup.h"

#define UEVENT_MAX 4096

/* podman multiplies by this if the period is 100 ms: quota in microseconds -> thousand-millionths of a CPU. */
#define NANO_PERIOD    100000
#define NANO_PER_QUOTA 10000

static const struct ctr__json *resource(const struct ctr__inspect *in, const char *kind)
{
	return ctr__json_path(in->spec, "linux", "resources", kind, NULL);
}

/* Numbers of the spec may be of 64 bits with or without sign; others are not shown. */
static void emit_number(struct ctr__buf *out, const char *key, const struct ctr__json *v)
{
	uint64_t u = 0;
	int64_t i;

	if (ctr__json_i64(v, &i))
		ctr__emit_i64(out, key, i);
	else if (ctr__json_u64(v, &u))
		ctr__emit_u64(out, key, u);
	else
		ctr__emit_i64(out, key, 0);
}

static int64_t number(const struct ctr__json *v)
{
	int64_t n;

	return ctr__json_i64(v, &n) ? n : 0;
}

/* ---- devices: the spec has numbers, shown are names ---- */

/* "...\nDEVNAME=null\n..." -> "/dev/null" */
static char *name_in_uevent(const char *text)
{
	const char *name = ctr__starts_with(text, "DEVNAME=") ? text : strstr(text, "\nDEVNAME=");

	if (!name)
		return NULL;
	name = strchr(name, '=') + 1;
	return ctr__format("/dev/%.*s", (int)strcspn(name, "\n"), name);
}

/* The kernel's name of a device; NULL if it has none (then it is not shown, as with podman). */
static char *device_path(const char *type, const struct ctr__json *device, struct ctr__buf *out)
{
	uint64_t major, minor;
	CTR__FREE char *where = NULL;
	CTR__FREE char *text = NULL;
	size_t len;
	int r;

	if (!ctr__json_u64(ctr__json_get(device, "major"), &major) ||
	    !ctr__json_u64(ctr__json_get(device, "minor"), &minor))
		return NULL;
	where = ctr__format("/sys/dev/%s/%llu:%llu/uevent", type, (unsigned long long)major,
	    (unsigned long long)minor);
	r = where ? ctr__read_file_at(AT_FDCWD, where, UEVENT_MAX, &text, &len) : -ENOMEM;
	if (r == -ENOMEM)
		out->failed = true;
	return r < 0 ? NULL : name_in_uevent(text);
}

static void emit_device(const struct ctr__json *device, struct ctr__buf *out)
{
	const char *type = ctr__json_str(ctr__json_get(device, "type"));
	CTR__FREE char *host = device_path(ctr__streq(type, "b") ? "block" : "char", device, out);

	if (!host)
		return;
	ctr__emit_object(out, NULL);
	ctr__emit_str(out, "PathOnHost", host);
	ctr__emit_str(out, "PathInContainer", ctr__json_str(ctr__json_get(device, "path")));
	ctr__emit_str(out, "CgroupPermissions", "");
	ctr__emit_object_end(out);
}

static void emit_devices(const struct ctr__inspect *in, struct ctr__buf *out)
{
	ctr__emit_array(out, "Devices");
	if (!in->privileged)
		CTR__JSON_EACH (device, ctr__json_path(in->spec, "linux", "devices", NULL))
			emit_device(device, out);
	ctr__emit_array_end(out);
}

static void emit_block_devices(const struct ctr__json *list, struct ctr__buf *out, const char *key,
    const char *from, const char *to)
{
	ctr__emit_array(out, key);
	CTR__JSON_EACH (device, list) {
		const struct ctr__json *value = ctr__json_get(device, from);
		CTR__FREE char *path = device_path("block", device, out);

		if (!path || !value || value->type != CTR__JSON_NUMBER)
			continue;
		ctr__emit_object(out, NULL);
		ctr__emit_str(out, "Path", path);
		emit_number(out, to, value);
		ctr__emit_object_end(out);
	}
	ctr__emit_array_end(out);
}

static void emit_block(const struct ctr__inspect *in, struct ctr__buf *out)
{
	static const struct {
		const char *key, *member, *from, *to;
	} lists[] = {
	    {"BlkioWeightDevice", "weightDevice", "weight", "Weight"},
	    {"BlkioDeviceReadBps", "throttleReadBpsDevice", "rate", "Rate"},
	    {"BlkioDeviceWriteBps", "throttleWriteBpsDevice", "rate", "Rate"},
	    {"BlkioDeviceReadIOps", "throttleReadIOPSDevice", "rate", "Rate"},
	    {"BlkioDeviceWriteIOps", "throttleWriteIOPSDevice", "rate", "Rate"},
	};
	const struct ctr__json *block = resource(in, "blockIO");

	emit_number(out, "BlkioWeight", ctr__json_get(block, "weight"));
	for (size_t i = 0; i < CTR__ARRAY_SIZE(lists); i++) {
		if (block)
			emit_block_devices(ctr__json_get(block, lists[i].member), out, lists[i].key,
			    lists[i].from, lists[i].to);
		else
			ctr__emit_null(out, lists[i].key);
	}
}

/* ---- CPU, memory, processes ---- */

static void emit_first(const struct ctr__inspect *in, struct ctr__buf *out)
{
	const struct ctr__json *cpu = resource(in, "cpu");
	const char *parent = in->cfg->cgroup_parent;
	int64_t nano = 0;

	if (number(ctr__json_get(cpu, "period")) == NANO_PERIOD &&
	    __builtin_mul_overflow(number(ctr__json_get(cpu, "quota")), NANO_PER_QUOTA, &nano))
		nano = 0;
	emit_number(out, "CpuShares", ctr__json_get(cpu, "shares"));
	emit_number(out, "Memory", ctr__json_get(resource(in, "memory"), "limit"));
	ctr__emit_i64(out, "NanoCpus", nano);
	if (ctr__streq(parent, ctr__default_cgroup_parent(in->systemd_cgroup)))
		parent = "";
	ctr__emit_str(out, "CgroupParent", parent);
}

static void emit_cpu(const struct ctr__inspect *in, struct ctr__buf *out)
{
	const struct ctr__json *cpu = resource(in, "cpu");

	emit_number(out, "CpuPeriod", ctr__json_get(cpu, "period"));
	emit_number(out, "CpuQuota", ctr__json_get(cpu, "quota"));
	emit_number(out, "CpuRealtimePeriod", ctr__json_get(cpu, "realtimePeriod"));
	emit_number(out, "CpuRealtimeRuntime", ctr__json_get(cpu, "realtimeRuntime"));
	ctr__emit_str(out, "CpusetCpus", ctr__json_str(ctr__json_get(cpu, "cpus")));
	ctr__emit_str(out, "CpusetMems", ctr__json_str(ctr__json_get(cpu, "mems")));
}

static void emit_memory(const struct ctr__inspect *in, struct ctr__buf *out)
{
	const struct ctr__json *memory = resource(in, "memory");
	const struct ctr__json *swappiness = ctr__json_get(memory, "swappiness");

	ctr__emit_i64(out, "DiskQuota", 0);
	ctr__emit_i64(out, "KernelMemory", 0);
	emit_number(out, "MemoryReservation", ctr__json_get(memory, "reservation"));
	emit_number(out, "MemorySwap", ctr__json_get(memory, "swap"));
	if (memory && !swappiness)
		ctr__emit_i64(out, "MemorySwappiness", -1); /* the kernel's own */
	else
		emit_number(out, "MemorySwappiness", swappiness);
	ctr__emit_bool(
	    out, "OomKillDisable", ctr__json_bool(ctr__json_get(memory, "disableOOMKiller")));
}

/* The kernel's "no limit" is the largest number without sign; podman shows it with sign, as -1. */
static void emit_limit(struct ctr__buf *out, const char *key, const struct ctr__json *v)
{
	uint64_t n = 0;

	(void)ctr__json_u64(v, &n);
	ctr__emit_i64(out, key, (int64_t)n);
}

static void emit_ulimits(const struct ctr__inspect *in, struct ctr__buf *out)
{
	ctr__emit_array(out, "Ulimits");
	CTR__JSON_EACH (limit, ctr__json_path(in->spec, "process", "rlimits", NULL)) {
		ctr__emit_object(out, NULL);
		ctr__emit_str(out, "Name", ctr__json_str(ctr__json_get(limit, "type")));
		emit_limit(out, "Soft", ctr__json_get(limit, "soft"));
		emit_limit(out, "Hard", ctr__json_get(limit, "hard"));
		ctr__emit_object_end(out);
	}
	ctr__emit_array_end(out);
}

static void emit_last(const struct ctr__inspect *in, struct ctr__buf *out)
{
	static const char *const of_windows[] = {
	    "CpuCount", "CpuPercent", "IOMaximumIOps", "IOMaximumBandwidth"};

	ctr__emit_some_bool(out, "Init",
	    ctr__streq(ctr__inspect_annotation(in, "io.podman.annotations.init"), "TRUE"));
	emit_number(out, "PidsLimit", ctr__json_get(resource(in, "pids"), "limit"));
	emit_ulimits(in, out);
	for (size_t i = 0; i < CTR__ARRAY_SIZE(of_windows); i++)
		ctr__emit_i64(out, of_windows[i], 0);
	ctr__emit_map(out, "CgroupConf", resource(in, "unified"));
	ctr__emit_some_str(out, "IntelRdtClosID",
	    ctr__json_str(ctr__json_path(in->spec, "linux", "intelRdt", "closID", NULL)));
}

void ctr__inspect_limits(const struct ctr__inspect *in, struct ctr__buf *out)
{
	emit_first(in, out);
	emit_block(in, out);
	emit_cpu(in, out);
	emit_devices(in, out);
	emit_memory(in, out);
	emit_last(in, out);
}
