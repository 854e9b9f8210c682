/* SPDX-License-Identifier: Apache-2.0 */
/* One process in full: /proc/PID/stat, status, cmdline, uid_map. All of it is the process's own choice but the numbers. */
#include "sys/proc_info.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/dirent_util.h"
#include "sys/fd.h"
#include "util/cleanup.h"
#include "util/str.h"

#define STAT_MAX    4096
#define TEXT_MAX    (64U << 10)
#define NET_MAX     (16U << 20)
#define CGROUP_MAX  (64U << 10)
#define CMDLINE_MAX (32U << 10)

int ctr__proc_open(pid_t pid)
{
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? (errno == ENOENT ? -ESRCH : -errno) : fd;
}

/* ---- stat ---- */

struct stat_fields {
	uint64_t v[25]; /* by their numbers in proc(5), from 4 on; negative ones wrap */
};

/* The name in field 2 may contain anything, ") " too, so the fields are counted from its end. */
static bool parse_stat(char *text, struct ctr__proc_info *out, struct stat_fields *f)
{
	char *open = strchr(text, '('), *close = strrchr(text, ')'), *p, *end;

	if (!open || !close || close < open || close[1] != ' ' || !close[2])
		return false;
	*close = '\0';
	snprintf(out->comm, sizeof(out->comm), "%s", open + 1);
	out->state = close[2];
	p = close + 3;
	for (size_t i = 4; i < CTR__ARRAY_SIZE(f->v); i++) {
		errno = 0;
		f->v[i] = *p == ' ' && p[1] == '-' ? (uint64_t)strtoll(p, &end, 10)
		                                   : strtoull(p, &end, 10);
		if (end == p || errno)
			return false;
		p = end;
	}
	return true;
}

static int read_stat(int procfd, struct ctr__proc_info *out)
{
	CTR__CLOSE int fd = openat(procfd, "stat", O_RDONLY | O_CLOEXEC);
	struct stat_fields f = {0};
	char text[STAT_MAX];
	ssize_t n = fd < 0 ? -errno : ctr__read_eintr(fd, text, sizeof(text) - 1);

	if (n <= 0)
		return n < 0 ? (int)n : -EIO;
	text[n] = '\0';
	if (!parse_stat(text, out, &f))
		return -EIO;
	out->ppid = (pid_t)f.v[4];
	out->tty = (uint32_t)f.v[7];
	out->utime = f.v[14];
	out->stime = f.v[15];
	out->nice = (int)(int64_t)f.v[19];
	out->start = f.v[22];
	out->vsz = f.v[23] / 1024;
	return 0;
}

uint64_t ctr__proc_start_of(int procfd)
{
	struct ctr__proc_info info = {0};

	return read_stat(procfd, &info) < 0 ? 0 : info.start;
}

/* ---- status ---- */

/* The value behind "Name:\t". */
static const char *status_value(const char *text, const char *name)
{
	size_t len = strlen(name);
	const char *p = text;

	while (p && *p) {
		if (strncmp(p, name, len) == 0 && p[len] == ':')
			return p + len + 1;
		p = strchr(p, '\n');
		p = p ? p + 1 : NULL;
	}
	return NULL;
}

/* The n-th number of a line, from 0; the last one if n is -1. 0 if there is none. */
static uint64_t status_number(const char *text, const char *name, int n)
{
	const char *p = status_value(text, name);
	uint64_t value = 0;

	for (int i = 0; p && (n < 0 || i <= n); i++) {
		char *end;
		uint64_t v;

		p += strspn(p, " \t");
		if (*p < '0' || *p > '9')
			return n < 0 ? value : 0;
		v = strtoull(p, &end, 10);
		value = v;
		p = end;
	}
	return value;
}

static int read_status(int procfd, struct ctr__proc_info *out)
{
	CTR__FREE char *text = NULL;
	int r = ctr__read_file_at(procfd, "status", TEXT_MAX, &text, NULL);

	if (r < 0)
		return r;
	out->pid = (pid_t)status_number(text, "NSpid", 0);
	if (!out->pid)
		out->pid = (pid_t)status_number(text, "Pid", 0);
	out->inside_pid = (pid_t)status_number(text, "NSpid", -1);
	if (!out->inside_pid)
		out->inside_pid = out->pid;
	out->inside_pgid = (pid_t)status_number(text, "NSpgid", -1);
	out->uid = (uint32_t)status_number(text, "Uid", 1);
	out->gid = (uint32_t)status_number(text, "Gid", 1);
	out->rss = status_number(text, "VmRSS", 0);
	return 0;
}

/* ---- the user namespace ---- */

/* Lines of "INSIDE OUTSIDE COUNT". */
static uint32_t map_id(int procfd, const char *file, uint32_t id)
{
	CTR__FREE char *text = NULL;
	char *save = NULL;

	if (ctr__read_file_at(procfd, file, TEXT_MAX, &text, NULL) < 0)
		return id;
	for (char *l = strtok_r(text, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		uint32_t inside, outside, count;

		if (sscanf(l, " %" SCNu32 " %" SCNu32 " %" SCNu32, &inside, &outside, &count) ==
		        3 &&
		    id >= outside && id - outside < count)
			return inside + (id - outside);
	}
	return id;
}

/* ---- texts ---- */

static int read_cmdline(int procfd, struct ctr__proc_info *out)
{
	CTR__CLOSE int fd = openat(procfd, "cmdline", O_RDONLY | O_CLOEXEC);
	char *shorter;
	ssize_t n;

	out->cmdline = malloc(CMDLINE_MAX);
	if (!out->cmdline)
		return -ENOMEM;
	while (fd >= 0 && out->cmdline_len < CMDLINE_MAX &&
	       (n = ctr__read_eintr(
	            fd, out->cmdline + out->cmdline_len, CMDLINE_MAX - out->cmdline_len)) > 0)
		out->cmdline_len += (size_t)n;
	/* There may be very many processes, most of them with few words. */
	shorter = realloc(out->cmdline, out->cmdline_len + 1);
	if (shorter)
		out->cmdline = shorter;
	return 0;
}

static void read_label(int procfd, struct ctr__proc_info *out)
{
	if (ctr__read_file_at(procfd, "attr/current", 4096, &out->label, NULL) < 0)
		return;
	out->label[strcspn(out->label, "\n")] = '\0';
}

void ctr__proc_info_free(struct ctr__proc_info *p)
{
	free(p->cmdline);
	free(p->label);
	p->cmdline = p->label = NULL;
}

int ctr__proc_info_read(int procfd, struct ctr__proc_info *out)
{
	int r;

	*out = (struct ctr__proc_info){0};
	r = read_stat(procfd, out);
	if (r >= 0)
		r = read_status(procfd, out);
	if (r >= 0)
		r = read_cmdline(procfd, out);
	if (r < 0) {
		ctr__proc_info_free(out);
		return r;
	}
	read_label(procfd, out);
	out->inside_uid = map_id(procfd, "uid_map", out->uid);
	out->inside_gid = map_id(procfd, "gid_map", out->gid);
	return 0;
}

/* ---- which ones ---- */

/* Prefixes in front of the path depend on namespaces, so it is looked for inside. */
bool ctr__proc_in_cgroup(int procfd, const char *path)
{
	CTR__FREE char *text = NULL;
	size_t len = strlen(path);

	if (ctr__read_file_at(procfd, "cgroup", CGROUP_MAX, &text, NULL) < 0)
		return false;
	for (const char *p = text; (p = strstr(p, path)); p += len)
		if (p[len] == '/' || p[len] == '\n' || p[len] == '\0')
			return true;
	return false;
}

void ctr__pids_free(struct ctr__pids *p)
{
	free(p->v);
}

int ctr__pids_add(struct ctr__pids *p, pid_t pid)
{
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

static int add_children_of(int taskfd, const char *tid, struct ctr__pids *out)
{
	CTR__FREE char *path = ctr__format("%s/children", tid), *text = NULL;
	char *save = NULL;
	int r = 0;

	if (!path)
		return -ENOMEM;
	if (ctr__read_file_at(taskfd, path, NET_MAX, &text, NULL) < 0)
		return 0;
	for (char *w = strtok_r(text, " \n", &save); r == 0 && w;
	     w = strtok_r(NULL, " \n", &save)) {
		int64_t pid;

		if (ctr__parse_i64(w, 1, INT_MAX, &pid))
			r = ctr__pids_add(out, (pid_t)pid);
	}
	return r;
}

int ctr__proc_children(int procfd, struct ctr__pids *out)
{
	CTR__CLOSE int fd = openat(procfd, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CTR__DIR DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;
	int r = 0;

	if (!d)
		return 0;
	fd = -1; /* the stream's now */
	while (r == 0 && (e = readdir(d)))
		if (!ctr__is_dot(e->d_name))
			r = add_children_of(dirfd(d), e->d_name, out);
	return r;
}

static int by_number(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

	return x < y ? -1 : x > y;
}

static uint64_t pid_ns(pid_t pid)
{
	char path[48];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/ns/pid", (int)pid);
	return stat(path, &st) == 0 ? (uint64_t)st.st_ino : 0;
}

static pid_t parent_of(pid_t pid)
{
	CTR__CLOSE int fd = ctr__proc_open(pid);
	struct ctr__proc_info info = {0};

	return fd < 0 || read_stat(fd, &info) < 0 ? 0 : info.ppid;
}

static bool descends(pid_t pid, pid_t from)
{
	/* A chain that changes while it is followed has an end nevertheless. */
	for (int i = 0; pid > 1 && i < 4096; i++) {
		if (pid == from)
			return true;
		pid = parent_of(pid);
	}
	return false;
}

int ctr__proc_relatives(pid_t pid, pid_t **out, size_t *n)
{
	CTR__DIR DIR *d = opendir("/proc");
	uint64_t ns = pid_ns(pid), ours = pid_ns(getpid());
	struct ctr__pids found = {0};
	const struct dirent *e;
	int r = ns ? 0 : -ESRCH;

	if (!d)
		return -errno;
	while (r == 0 && (e = readdir(d))) {
		int64_t one;

		if (ctr__parse_i64(e->d_name, 1, INT_MAX, &one) &&
		    (ns == ours ? descends((pid_t)one, pid) : pid_ns((pid_t)one) == ns))
			r = ctr__pids_add(&found, (pid_t)one);
	}
	if (r < 0) {
		ctr__pids_free(&found);
		return r;
	}
	if (found.n)
		qsort(found.v, found.n, sizeof(*found.v), by_number);
	*out = found.v;
	*n = found.n;
	return 0;
}

/* ---- network ---- */

/* "  eth0: rx_bytes packets errs drop fifo frame compressed multicast tx_bytes packets ..." */
void ctr__proc_net_parse(char *text, struct ctr__proc_net *out)
{
	char *save = NULL;

	*out = (struct ctr__proc_net){0};
	for (char *l = strtok_r(text, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		char *colon = strrchr(l, ':');
		uint64_t v[10];

		l += strspn(l, " ");
		if (!colon || (colon - l == 2 && strncmp(l, "lo", 2) == 0))
			continue;
		if (sscanf(colon + 1,
		        "%" SCNu64 "%" SCNu64 "%" SCNu64 "%" SCNu64 "%" SCNu64 "%" SCNu64 "%" SCNu64
		        "%" SCNu64 "%" SCNu64 "%" SCNu64,
		        &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &v[6], &v[7], &v[8], &v[9]) != 10)
			continue;
		out->rx_bytes += v[0];
		out->rx_packets += v[1];
		out->tx_bytes += v[8];
		out->tx_packets += v[9];
	}
}

int ctr__proc_net_read(int procfd, struct ctr__proc_net *out)
{
	CTR__FREE char *text = NULL;
	int r = ctr__read_file_at(procfd, "net/dev", NET_MAX, &text, NULL);

	if (r == 0)
		ctr__proc_net_parse(text, out);
	return r;
}
