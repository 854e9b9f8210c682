/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a cgroup has used. With v1 each controller has a hierarchy, at a mount point whose name is a convention only: so
 * every file is looked for in each of them.
 */
#include "sys/cgroup_stats.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys/cgroup.h"
#include "sys/fd.h"
#include "util/cleanup.h"
#include "util/str.h"

#define FILE_MAX (1U << 20)
#define NO_LIMIT (UINT64_C(1) << 62) /* v1 says 2^63 - 4096 */

static void set(struct ctr__cgroup_use *u, enum ctr__use what, uint64_t value)
{
	u->v[what] = value;
	u->there[what] = true;
}

static char *slurp(int fd, const char *name, struct ctr__cgroup_use *u)
{
	char *text = NULL;
	int r = ctr__read_file_at(fd, name, FILE_MAX, &text, NULL);

	if (r == -ENOMEM)
		u->no_memory = true;
	return r < 0 ? NULL : text;
}

static bool number(const char *text, uint64_t *out)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*out = strtoull(text, &end, 10);
	return errno == 0;
}

/* A file that is one number, or "max". */
static void add_file(int fd, const char *name, enum ctr__use what, struct ctr__cgroup_use *u)
{
	CTR__FREE char *text = slurp(fd, name, u);
	uint64_t n;

	if (text && number(text, &n) && n < NO_LIMIT)
		set(u, what, n);
}

/* "key 123" in lines. */
struct key {
	const char *name;
	enum ctr__use what;
	uint64_t unit;
};

static void add_keys(
    int fd, const char *name, const struct key *keys, size_t n, struct ctr__cgroup_use *u)
{
	CTR__FREE char *text = slurp(fd, name, u);
	char *save = NULL;

	for (char *l = text ? strtok_r(text, "\n", &save) : NULL; l;
	     l = strtok_r(NULL, "\n", &save)) {
		char *blank = strchr(l, ' ');
		uint64_t value;

		if (!blank || !number(blank + 1, &value))
			continue;
		*blank = '\0';
		for (size_t i = 0; i < n; i++)
			if (strcmp(l, keys[i].name) == 0 && value <= UINT64_MAX / keys[i].unit)
				set(u, keys[i].what, value * keys[i].unit);
	}
}

/* ---- v2 ---- */

/* "8:0 rbytes=1 wbytes=2 rios=3 ..." */
static void add_io_v2(int fd, struct ctr__cgroup_use *u)
{
	CTR__FREE char *text = slurp(fd, "io.stat", u);
	uint64_t rd = 0, wr = 0;
	char *save = NULL;

	if (!text)
		return;
	for (char *w = strtok_r(text, " \n", &save); w; w = strtok_r(NULL, " \n", &save)) {
		uint64_t n;

		if (ctr__starts_with(w, "rbytes=") && number(w + 7, &n))
			rd += n;
		else if (ctr__starts_with(w, "wbytes=") && number(w + 7, &n))
			wr += n;
	}
	set(u, CTR__USE_BLOCK_READ, rd);
	set(u, CTR__USE_BLOCK_WRITE, wr);
}

static void add_v2(int fd, struct ctr__cgroup_use *u)
{
	static const struct key cpu[] = {{"usage_usec", CTR__USE_CPU_NS, 1000},
	    {"user_usec", CTR__USE_CPU_USER_NS, 1000},
	    {"system_usec", CTR__USE_CPU_SYSTEM_NS, 1000},
	    {"throttled_usec", CTR__USE_CPU_THROTTLED_NS, 1000}};
	static const struct key memory[] = {{"inactive_file", CTR__USE_INACTIVE_FILE, 1}};

	add_keys(fd, "cpu.stat", cpu, CTR__ARRAY_SIZE(cpu), u);
	add_keys(fd, "memory.stat", memory, CTR__ARRAY_SIZE(memory), u);
	add_file(fd, "memory.current", CTR__USE_MEMORY, u);
	add_file(fd, "memory.max", CTR__USE_MEMORY_LIMIT, u);
	add_file(fd, "memory.peak", CTR__USE_MEMORY_PEAK, u);
	add_file(fd, "memory.swap.current", CTR__USE_SWAP, u);
	add_file(fd, "pids.current", CTR__USE_PIDS, u);
	add_file(fd, "pids.max", CTR__USE_PIDS_LIMIT, u);
	add_io_v2(fd, u);
}

/* ---- v1 ---- */

/* "8:0 Read 1" for each device. False if there is no such file. */
static bool add_io_v1(int fd, const char *name, struct ctr__cgroup_use *u)
{
	CTR__FREE char *text = slurp(fd, name, u);
	uint64_t rd = 0, wr = 0;
	char *save = NULL;

	if (!text)
		return false;
	for (char *l = strtok_r(text, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		char *word = strchr(l, ' ');
		uint64_t n;

		if (word && ctr__starts_with(word, " Read ") && number(word + 6, &n))
			rd += n;
		else if (word && ctr__starts_with(word, " Write ") && number(word + 7, &n))
			wr += n;
	}
	set(u, CTR__USE_BLOCK_READ, rd);
	set(u, CTR__USE_BLOCK_WRITE, wr);
	return true;
}

static void add_v1(int fd, struct ctr__cgroup_use *u)
{
	const uint64_t tick = UINT64_C(1000000000) / (uint64_t)sysconf(_SC_CLK_TCK);
	const struct key cpuacct[] = {
	    {"user", CTR__USE_CPU_USER_NS, tick}, {"system", CTR__USE_CPU_SYSTEM_NS, tick}};
	static const struct key cpu[] = {{"throttled_time", CTR__USE_CPU_THROTTLED_NS, 1}};
	static const struct key memory[] = {
	    {"total_inactive_file", CTR__USE_INACTIVE_FILE, 1}, {"total_swap", CTR__USE_SWAP, 1}};

	add_file(fd, "cpuacct.usage", CTR__USE_CPU_NS, u);
	add_keys(fd, "cpuacct.stat", cpuacct, CTR__ARRAY_SIZE(cpuacct), u);
	add_keys(fd, "cpu.stat", cpu, CTR__ARRAY_SIZE(cpu), u);
	add_keys(fd, "memory.stat", memory, CTR__ARRAY_SIZE(memory), u);
	add_file(fd, "memory.usage_in_bytes", CTR__USE_MEMORY, u);
	add_file(fd, "memory.limit_in_bytes", CTR__USE_MEMORY_LIMIT, u);
	add_file(fd, "memory.max_usage_in_bytes", CTR__USE_MEMORY_PEAK, u);
	add_file(fd, "pids.current", CTR__USE_PIDS, u);
	add_file(fd, "pids.max", CTR__USE_PIDS_LIMIT, u);
	if (!add_io_v1(fd, "blkio.throttle.io_service_bytes_recursive", u))
		(void)add_io_v1(fd, "blkio.throttle.io_service_bytes", u);
}

void ctr__cgroup_use_add(int fd, bool v2, struct ctr__cgroup_use *out)
{
	if (v2)
		add_v2(fd, out);
	else
		add_v1(fd, out);
}

static int add_group(int fd, bool v2, void *userdata)
{
	struct ctr__cgroup_use *u = userdata;

	ctr__cgroup_use_add(fd, v2, u);
	return u->no_memory ? -ENOMEM : 0;
}

int ctr__cgroup_use_read(const char *path, struct ctr__cgroup_use *out)
{
	*out = (struct ctr__cgroup_use){0};
	return ctr__cgroup_each_hierarchy(path, add_group, out);
}
