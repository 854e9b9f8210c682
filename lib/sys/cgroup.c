/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroups. A group of a container exists in every hierarchy that is mounted below /sys/fs/cgroup: one with
 * cgroup v2, a dozen with v1.
 */
#include "sys/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <time.h>
#include <unistd.h>

#include "sys/dirent_util.h"
#include "sys/fd.h"
#include "sys/hierarchies.h"
#include "sys/path.h"
#include "sys/proc.h"
#include "sys/tree.h"
#include "sys/wait_util.h"
#include "util/cleanup.h"
#include "util/str.h"

#define CGROUP_ROOT    "/sys/fs/cgroup"
#define CONTROL_MAX    4096
#define PROCS_MAX      (16U << 20)
#define FREEZE_WAIT_MS 1000
#define FREEZE_TRY_MS  20
#define PAUSE_MIN_MS   1
#define PAUSE_MAX_MS   50

/* One removal. */
struct removal {
	const char *path;
	int64_t deadline;
	struct ctr__hierarchies hierarchies;
};

static bool is_unified(void)
{
	struct statfs fs;

	return statfs(CGROUP_ROOT, &fs) == 0 && (unsigned long)fs.f_type == CGROUP2_SUPER_MAGIC;
}

enum ctr__cgroup_mode ctr__cgroup_mode(void)
{
	CTR__CLEANUP(ctr__hierarchies_free) struct ctr__hierarchies h = {0};

	if (is_unified())
		return CTR__CGROUP_UNIFIED;
	if (ctr__hierarchies_read(CGROUP_ROOT, &h) < 0 || h.count == 0)
		return CTR__CGROUP_NONE;
	return CTR__CGROUP_LEGACY;
}

/* Opens the group in one hierarchy. Descriptor, or -errno (ENOENT: not there). */
static int open_group(const struct ctr__hierarchy *h, const char *path)
{
	CTR__CLOSE int root = open(h->mount, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (root < 0)
		return -errno;
	return ctr__open_in_root(root, path, O_RDONLY | O_DIRECTORY, 0);
}

static int write_control(int dirfd, const char *name, const char *value)
{
	CTR__CLOSE int fd = openat(dirfd, name, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return ctr__write_all(fd, value, strlen(value));
}

/* ---- the processes of a group ---- */

/* The number was read a moment ago: is it still a process of this group? Prefixes in front of the path
 * depend on namespaces, so it is looked for inside. */
static bool still_in_group(pid_t pid, const char *path)
{
	CTR__FREE char *text = NULL;
	size_t len = strlen(path);
	char file[64];
	const char *p;

	snprintf(file, sizeof(file), "/proc/%d/cgroup", (int)pid);
	if (ctr__read_file_at(AT_FDCWD, file, PROCS_MAX, &text, NULL) < 0)
		return false;
	for (p = text; (p = strstr(p, path)); p += len) {
		if (p[len] == '/' || p[len] == '\n' || p[len] == '\0')
			return true;
	}
	return false;
}

static void kill_process(pid_t pid, const char *path)
{
	CTR__CLOSE int fd = ctr__pidfd_open(pid, 0);

	if ((fd < 0 && fd != -ENOSYS) || !still_in_group(pid, path))
		return;
	if (fd >= 0)
		ctr__pidfd_signal(fd, SIGKILL);
	else
		kill(pid, SIGKILL);
}

/* Calls fn for each process of one group, not of groups below. Stops at nonzero. */
static int each_process(int fd, int (*fn)(pid_t pid, void *userdata), void *userdata)
{
	CTR__FREE char *text = NULL;
	char *save = NULL;
	int rc = ctr__read_file_at(fd, "cgroup.procs", PROCS_MAX, &text, NULL);

	/* A threaded group says EOPNOTSUPP: its processes are listed further up. */
	if (rc < 0)
		return rc == -EOPNOTSUPP || rc == -ENOENT || rc == -ENODEV ? 0 : rc;
	for (char *l = strtok_r(text, "\n", &save); rc == 0 && l; l = strtok_r(NULL, "\n", &save)) {
		int64_t pid;

		/* 0 = a process of another PID namespace. */
		if (ctr__parse_i64(l, 1, INT_MAX, &pid))
			rc = fn((pid_t)pid, userdata);
	}
	return rc;
}

static int only_directories(int dirfd, const char *name, unsigned char type, void *userdata)
{
	(void)dirfd;
	(void)name;
	(void)userdata;
	return type == DT_DIR;
}

static int refuse_self(pid_t pid, void *userdata)
{
	(void)userdata;
	return pid == getpid() ? -EDEADLK : 0;
}

static int look_for_self(int fd, void *userdata)
{
	return each_process(fd, refuse_self, userdata);
}

static int kill_one(pid_t pid, void *userdata)
{
	kill_process(pid, userdata);
	return 0;
}

/* A frozen process of v1 dies only when it is thawed. */
static int kill_level(int fd, void *userdata)
{
	int rc = each_process(fd, kill_one, userdata);

	write_control(fd, "freezer.state", "THAWED");
	return rc;
}

static int walk_groups(int fd, int (*enter)(int fd, void *userdata), const char *path)
{
	CTR__CLOSE int top = ctr__open_dir_at(fd, ".");
	const struct ctr__tree_ops ops = {
	    .entry = only_directories, .enter = enter, .userdata = (void *)(uintptr_t)path};

	return top < 0 ? top : ctr__tree_walk(top, &ops);
}

static void kill_group(int fd, const char *path)
{
	if (write_control(fd, "cgroup.kill", "1") < 0)
		walk_groups(fd, kill_level, path);
}

/* ---- looking at a group everywhere ---- */

int ctr__cgroup_each_hierarchy(
    const char *path, int (*fn)(int fd, bool v2, void *userdata), void *userdata)
{
	CTR__CLEANUP(ctr__hierarchies_free) struct ctr__hierarchies h = {0};
	int rc = ctr__hierarchies_read(CGROUP_ROOT, &h);
	bool found = false;

	for (size_t i = 0; rc == 0 && i < h.count; i++) {
		CTR__CLOSE int fd = open_group(&h.v[i], path);

		if (fd < 0)
			continue;
		found = true;
		rc = fn(fd, h.v[i].v2, userdata);
	}
	return rc == 0 && !found ? -ENOENT : rc;
}

struct pids {
	pid_t *v;
	size_t n, cap;
};

static int add_pid(pid_t pid, void *userdata)
{
	struct pids *p = userdata;

	if (p->n == p->cap) {
		size_t cap = p->cap ? 2 * p->cap : 64;
		pid_t *v = reallocarray(p->v, cap, sizeof(*v));

		if (!v)
			return -ENOMEM;
		p->v = v;
		p->cap = cap;
	}
	p->v[p->n++] = pid;
	return 0;
}

static int add_level(int fd, void *userdata)
{
	return each_process(fd, add_pid, userdata);
}

/* All hierarchies say the same unless somebody has moved processes in one of them. */
static int add_hierarchy(int fd, bool v2, void *userdata)
{
	CTR__CLOSE int top = ctr__open_dir_at(fd, ".");
	const struct ctr__tree_ops ops = {
	    .entry = only_directories, .enter = add_level, .userdata = userdata};
	int rc;

	(void)v2;
	rc = top < 0 ? top : ctr__tree_walk(top, &ops);
	/* A group that goes while it is looked at has no processes. */
	return rc == -ENOMEM ? rc : 0;
}

static int by_number(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

	return x < y ? -1 : x > y;
}

static void sort_unique(struct pids *p)
{
	size_t kept = 0;

	if (p->n)
		qsort(p->v, p->n, sizeof(*p->v), by_number);
	for (size_t i = 0; i < p->n; i++)
		if (kept == 0 || p->v[kept - 1] != p->v[i])
			p->v[kept++] = p->v[i];
	p->n = kept;
}

int ctr__cgroup_pids(const char *path, pid_t **out, size_t *n)
{
	struct pids p = {0};
	int rc = ctr__cgroup_each_hierarchy(path, add_hierarchy, &p);

	if (rc < 0) {
		free(p.v);
		return rc;
	}
	sort_unique(&p);
	*out = p.v;
	*n = p.n;
	return 0;
}

/* ---- removing ---- */

/* A host that lives in the group would be killed by its own call. */
static int check_self(const struct removal *r, ctr_error_t **err)
{
	for (size_t i = 0; i < r->hierarchies.count; i++) {
		CTR__CLOSE int fd = open_group(&r->hierarchies.v[i], r->path);

		if (fd >= 0 && walk_groups(fd, look_for_self, r->path) == -EDEADLK)
			return ctr__fail(
			    err, CTR_E_BUSY, "this process is in the cgroup %s", r->path);
	}
	return 0;
}

/* In all hierarchies before any is removed: a process that is frozen in one is not killed in another. */
static void kill_everywhere(const struct removal *r)
{
	for (size_t i = 0; i < r->hierarchies.count; i++) {
		CTR__CLOSE int fd = open_group(&r->hierarchies.v[i], r->path);

		if (fd >= 0)
			kill_group(fd, r->path);
	}
}

static int remove_group_dir(int parentfd, const char *name, void *userdata)
{
	(void)userdata;
	if (unlinkat(parentfd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	return -errno;
}

static int remove_below(int fd)
{
	static const struct ctr__tree_ops ops = {
	    .entry = only_directories, .leave = remove_group_dir};
	CTR__CLOSE int top = ctr__open_dir_at(fd, ".");

	return top < 0 ? top : ctr__tree_walk(top, &ops);
}

static int remove_dir_in(const struct ctr__hierarchy *h, const char *path)
{
	const char *name = strrchr(path, '/') + 1;
	CTR__FREE char *parent = strndup(path, (size_t)(name - path));
	CTR__CLOSE int fd = -1;

	if (!parent)
		return -ENOMEM;
	fd = open_group(h, parent);
	return fd < 0 ? fd : remove_group_dir(fd, name, NULL);
}

/* Waits a little: with v2 until the group becomes empty, with v1 nothing tells. */
static void pause_for(int fd, int ms)
{
	CTR__CLOSE int events = openat(fd, "cgroup.events", O_RDONLY | O_CLOEXEC);
	struct pollfd p = {.fd = events, .events = POLLPRI};
	char buf[256];

	if (events >= 0) {
		ssize_t n = ctr__read_eintr(events, buf, sizeof(buf) - 1);

		buf[n > 0 ? n : 0] = '\0';
		if (strstr(buf, "populated 1")) {
			poll(&p, 1, ms);
			return;
		}
	}
	nanosleep(&(struct timespec){.tv_nsec = ms * 1000000L}, NULL);
}

static bool worth_retrying(int rc)
{
	return rc == -EBUSY || rc == -ENOTEMPTY || rc == -ESTALE;
}

/* 0, or -errno; EBUSY when the time is up. */
static int remove_in(const struct removal *r, const struct ctr__hierarchy *h)
{
	CTR__CLOSE int fd = open_group(h, r->path);
	int pause_ms = PAUSE_MIN_MS;

	if (fd < 0)
		return fd == -ENOENT || fd == -ENOTDIR ? 0 : fd;
	for (;;) {
		int below = remove_below(fd);
		int rc = remove_dir_in(h, r->path);
		int left = ctr__poll_timeout(r->deadline);

		if (rc == 0)
			return 0;
		if (below < 0 && !worth_retrying(below))
			return below;
		if (!worth_retrying(rc) || left == 0)
			return rc;
		pause_for(fd, left > 0 && left < pause_ms ? left : pause_ms);
		kill_group(fd, r->path);
		pause_ms = pause_ms < PAUSE_MAX_MS ? pause_ms * 2 : pause_ms;
	}
}

static int remove_everywhere(const struct removal *r, ctr_error_t **err)
{
	const struct ctr__hierarchy *failed = NULL;
	int first = 0;

	for (size_t i = 0; i < r->hierarchies.count; i++) {
		int rc = remove_in(r, &r->hierarchies.v[i]);

		if (rc < 0 && first == 0) {
			first = rc;
			failed = &r->hierarchies.v[i];
		}
	}
	if (first == 0)
		return 0;
	if (worth_retrying(first))
		return ctr__fail(
		    err, CTR_E_TIMEOUT, "cgroup %s%s is still in use", failed->mount, r->path);
	return ctr__fail_errno(
	    err, -first, r->path, "cannot remove cgroup %s%s", failed->mount, r->path);
}

static void removal_free(struct removal *r)
{
	ctr__hierarchies_free(&r->hierarchies);
}

static bool is_group_path(const char *path)
{
	return ctr__path_is_clean(path) && path[1] != '\0';
}

int ctr__cgroup_remove(const char *path, int64_t timeout_ms, ctr_error_t **err)
{
	CTR__CLEANUP(removal_free)
	struct removal r = {.path = path, .deadline = ctr__deadline(timeout_ms)};
	int rc;

	if (!is_group_path(path))
		return ctr__fail(
		    err, CTR_E_INVALID, "\"%s\" is not the path of a cgroup", path ? path : "");
	rc = ctr__hierarchies_read(CGROUP_ROOT, &r.hierarchies);
	if (rc < 0)
		return ctr__fail_errno(err, -rc, NULL, "cannot find the cgroup hierarchies");
	rc = check_self(&r, err);
	if (rc < 0)
		return rc;
	kill_everywhere(&r);
	return remove_everywhere(&r, err);
}

/* ---- freezing ---- */

static bool control_says(int fd, const char *name, const char *text)
{
	CTR__FREE char *content = NULL;

	return ctr__read_file_at(fd, name, CONTROL_MAX, &content, NULL) == 0 &&
	       strstr(content, text) != NULL;
}

/* Freezing takes until the last process has reached a place where it can stop. */
static int await(int fd, const char *name, const char *text, int64_t timeout_ms)
{
	int64_t deadline = ctr__deadline(timeout_ms);

	while (!control_says(fd, name, text)) {
		if (ctr__poll_timeout(deadline) == 0)
			return -ETIMEDOUT;
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	}
	return 0;
}

static int freeze_v2(int fd)
{
	int rc = write_control(fd, "cgroup.freeze", "1");

	if (rc >= 0)
		rc = await(fd, "cgroup.events", "frozen 1", FREEZE_WAIT_MS);
	/* Half frozen is worse than not at all. */
	if (rc < 0)
		write_control(fd, "cgroup.freeze", "0");
	return rc;
}

/* v1 never freezes a process that is just replacing itself: execve() waits for the other threads to die, which
 * the freezer holds. It can go on when it is thawed; then it is tried again. */
static int freeze_v1(int fd)
{
	int64_t deadline = ctr__deadline(FREEZE_WAIT_MS);
	int rc;

	for (;;) {
		rc = write_control(fd, "freezer.state", "FROZEN");
		if (rc >= 0)
			rc = await(fd, "freezer.state", "FROZEN", FREEZE_TRY_MS);
		if (rc == 0)
			return 0;
		write_control(fd, "freezer.state", "THAWED");
		if (rc != -ETIMEDOUT || ctr__poll_timeout(deadline) == 0)
			return rc;
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	}
}

static int set_frozen(int fd, bool v2, bool frozen)
{
	if (frozen)
		return v2 ? freeze_v2(fd) : freeze_v1(fd);
	return v2 ? write_control(fd, "cgroup.freeze", "0")
	          : write_control(fd, "freezer.state", "THAWED");
}

/* The group in a hierarchy that has the control file. Descriptor or -errno. */
static int open_freezable(
    const struct ctr__hierarchies *h, const char *path, bool v2, const char *control)
{
	for (size_t i = 0; i < h->count; i++) {
		CTR__CLOSE int fd = h->v[i].v2 == v2 ? open_group(&h->v[i], path) : -ENOENT;

		if (fd >= 0 && faccessat(fd, control, F_OK, 0) == 0)
			return ctr__steal_fd(&fd);
	}
	return -ENOENT;
}

bool ctr__cgroup_exists(const char *path)
{
	CTR__CLEANUP(ctr__hierarchies_free) struct ctr__hierarchies h = {0};

	if (!is_group_path(path) || ctr__hierarchies_read(CGROUP_ROOT, &h) < 0)
		return false;
	for (size_t i = 0; i < h.count; i++) {
		CTR__CLOSE int fd = open_group(&h.v[i], path);

		if (fd >= 0)
			return true;
	}
	return false;
}

int ctr__cgroup_freeze(const char *path, bool frozen)
{
	CTR__CLEANUP(ctr__hierarchies_free) struct ctr__hierarchies h = {0};
	CTR__CLOSE int fd = -1;
	bool v2 = false;
	int rc;

	if (!is_group_path(path))
		return -EINVAL;
	rc = ctr__hierarchies_read(CGROUP_ROOT, &h);
	if (rc < 0)
		return rc;
	/* Runtimes use the freezer of v1 where there is one. */
	fd = open_freezable(&h, path, false, "freezer.state");
	if (fd < 0) {
		v2 = true;
		fd = open_freezable(&h, path, true, "cgroup.freeze");
	}
	return fd < 0 ? fd : set_frozen(fd, v2, frozen);
}

void ctr__cgroup_unstick(const char *path)
{
	CTR__CLEANUP(ctr__hierarchies_free) struct ctr__hierarchies h = {0};
	CTR__CLOSE int fd = -1;

	/* Cgroup 2 has no such state. */
	if (!is_group_path(path) || is_unified() || ctr__hierarchies_read(CGROUP_ROOT, &h) < 0)
		return;
	fd = open_freezable(&h, path, false, "freezer.state");
	if (fd >= 0 && control_says(fd, "freezer.state", "FREEZING") &&
	    await(fd, "freezer.state", "FROZEN", FREEZE_TRY_MS) < 0)
		write_control(fd, "freezer.state", "THAWED");
}
