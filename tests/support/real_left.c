/* SPDX-License-Identifier: Apache-2.0 */
/* Looks for what containers have left behind: see real_left.h. */
#include "real_left.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* ---- processes ---- */

static bool file_mentions(int pid, const char *name, const char *what)
{
	char path[64], buf[8192];
	FILE *f;
	size_t n;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	f = fopen(path, "re");
	if (!f)
		return false;
	n = fread(buf, 1, sizeof(buf), f);
	fclose(f);
	return memmem(buf, n, what, strlen(what)) != NULL;
}

static bool link_mentions(int pid, const char *name, const char *what)
{
	char path[64], target[PATH_MAX];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	n = readlink(path, target, sizeof(target));
	return n > 0 && memmem(target, (size_t)n, what, strlen(what));
}

static bool fds_mention(int pid, const char *what)
{
	char path[64];
	const struct dirent *e;
	bool found = false;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	d = opendir(path);
	while (d && !found && (e = readdir(d))) {
		char name[300];

		snprintf(name, sizeof(name), "fd/%s", e->d_name);
		found = link_mentions(pid, name, what);
	}
	if (d)
		closedir(d);
	return found;
}

/* Monitors and runtimes have the directory in their arguments and descriptors; a container's processes have
 * its cgroup. */
static bool belongs(int pid, const struct real *r)
{
	return file_mentions(pid, "cmdline", r->dir) || file_mentions(pid, "cgroup", r->cgroup) ||
	       link_mentions(pid, "cwd", r->dir) || fds_mention(pid, r->dir);
}

/* A helper that a monitor has started finds its container gone and ends: nobody waits for it but us. */
static bool is_ending_helper(int pid)
{
	if (!file_mentions(pid, "cmdline", "libctr-helper"))
		return false;
	for (int i = 0; i < 1000 && real_alive(pid); i++)
		nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
	return !real_alive(pid);
}

static bool no_process(const struct real *r)
{
	DIR *proc = opendir("/proc");
	const struct dirent *e;
	bool ok = proc != NULL;

	while (proc && (e = readdir(proc))) {
		int pid = atoi(e->d_name);
		char *line;

		if (pid <= 0 || pid == getpid() || !belongs(pid, r) || !real_alive(pid) ||
		    is_ending_helper(pid))
			continue;
		line = real_slurp("/proc/%d/cmdline", pid);
		fprintf(stderr, "LEFT: process %d: %s\n", pid, line);
		free(line);
		kill(pid, SIGKILL);
		ok = false;
	}
	if (proc)
		closedir(proc);
	return ok;
}

/* ---- mounts ---- */

static bool no_mount(const struct real *r)
{
	char *table = real_slurp("/proc/self/mountinfo");
	char prefix[160];
	bool ok = true;

	snprintf(prefix, sizeof(prefix), " %s/", r->dir);
	for (char *save, *line = strtok_r(table, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		char *where = strstr(line, prefix);

		if (!where)
			continue;
		where++;
		where[strcspn(where, " ")] = '\0';
		fprintf(stderr, "LEFT: mount %s\n", where);
		umount2(where, MNT_DETACH);
		ok = false;
	}
	free(table);
	return ok;
}

/* ---- cgroups ---- */

static const char *wanted_cgroup;
static bool cgroup_found;

static int look_at_cgroup(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	if (type == FTW_DP && strstr(path + ftw->base, wanted_cgroup)) {
		fprintf(stderr, "LEFT: cgroup %s\n", path);
		cgroup_found = true;
	}
	return 0;
}

bool real_no_cgroup(const char *id)
{
	wanted_cgroup = id;
	cgroup_found = false;
	nftw("/sys/fs/cgroup", look_at_cgroup, 64, FTW_DEPTH | FTW_PHYS);
	return !cgroup_found;
}

/* The parent may stay, empty; then it goes here. */
static bool remove_parent(const char *hierarchy, const struct real *r)
{
	char path[400], child[700];
	const struct dirent *e;
	bool ok = true;
	DIR *d;

	snprintf(path, sizeof(path), "%s%s", hierarchy, r->cgroup);
	d = opendir(path);
	while (d && (e = readdir(d))) {
		struct stat st;

		snprintf(child, sizeof(child), "%s/%s", path, e->d_name);
		if (e->d_name[0] == '.' || lstat(child, &st) < 0 || !S_ISDIR(st.st_mode))
			continue;
		fprintf(stderr, "LEFT: cgroup %s\n", child);
		rmdir(child);
		ok = false;
	}
	if (d)
		closedir(d);
	if (rmdir(path) < 0 && errno != ENOENT) {
		fprintf(stderr, "LEFT: cgroup %s: %s\n", path, strerror(errno));
		ok = false;
	}
	return ok;
}

static bool no_cgroup(const struct real *r)
{
	DIR *d = opendir("/sys/fs/cgroup");
	const struct dirent *e;
	bool ok = remove_parent("/sys/fs/cgroup", r);

	while (d && (e = readdir(d))) {
		char path[300];

		if (e->d_name[0] == '.' || (e->d_type != DT_DIR && e->d_type != DT_LNK))
			continue;
		snprintf(path, sizeof(path), "/sys/fs/cgroup/%s", e->d_name);
		ok = remove_parent(path, r) && ok;
	}
	if (d)
		closedir(d);
	return ok;
}

/* ---- files ---- */

static bool file_found;

static int look_at_file(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	const char *name = path + ftw->base;

	(void)st;
	(void)type;
	/* Everything that belongs to one container has its ID in its name. */
	if (strspn(name, "0123456789abcdef") >= 32) {
		fprintf(stderr, "LEFT: file %s\n", path);
		file_found = true;
	}
	return 0;
}

static bool no_file(const struct real *r)
{
	file_found = false;
	nftw(r->root, look_at_file, 32, FTW_PHYS);
	nftw(r->run, look_at_file, 32, FTW_PHYS);
	return !file_found;
}

bool real_nothing_left(const struct real *r)
{
	bool ok = no_process(r);

	ok = no_mount(r) && ok;
	ok = no_cgroup(r) && ok;
	return no_file(r) && ok;
}
