/* SPDX-License-Identifier: Apache-2.0 */
/* What /proc says about processes. */
#include "sys/proc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "sys/cgroup.h"
#include "sys/dirent_util.h"
#include "sys/fd.h"
#include "sys/wait_util.h"
#include "util/cleanup.h"
#include "util/str.h"

#define STAT_MAX     4096
#define CMDLINE_MAX  (128U << 10)
#define CMDLINE_LOOK 512 /* enough to see the program's name */
#define CGROUP_MAX   (64U << 10)

#define PF_EXITING 0x00000004U /* linux/sched.h */
#define PF_KTHREAD 0x00200000U

/* How long processes that are between two command lines, or between life and death, are waited for. */
#define PASSAGE_WAIT_MS 2000
#define PASSAGE_LOOK_NS 1000000

/* Reads the beginning of a file of /proc/PID. Length, or -errno. */
static ssize_t read_head(pid_t pid, const char *name, char *buf, size_t size)
{
	char path[64];
	CTR__CLOSE int fd = -1;
	size_t len = 0;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	while (len < size && (n = ctr__read_eintr(fd, buf + len, size - len)) != 0) {
		if (n < 0)
			return n;
		len += (size_t)n;
	}
	return (ssize_t)len;
}

struct stat_line {
	char comm[64];
	char state;
	unsigned flags;
	uint64_t start;
};

/* The name in field 2 may contain anything, ") " too, so the fields are counted from its end. */
static bool read_stat(pid_t pid, struct stat_line *st)
{
	char buf[STAT_MAX], *p, *open, *save = NULL;
	ssize_t len = pid > 0 ? read_head(pid, "stat", buf, sizeof(buf) - 1) : -ESRCH;
	uint64_t flags = 0;
	bool ok = true;

	if (len <= 0)
		return false;
	buf[len] = '\0';
	open = strchr(buf, '(');
	p = strrchr(buf, ')');
	if (!open || !p || p < open || p[1] != ' ' || p[2] == '\0')
		return false;
	*p = '\0';
	snprintf(st->comm, sizeof(st->comm), "%s", open + 1);
	st->state = p[2];
	p = strtok_r(p + 1, " ", &save);
	for (int field = 3; p && field < 22; field++) {
		if (field == 9)
			ok = ctr__parse_u64(p, UINT32_MAX, &flags);
		p = strtok_r(NULL, " ", &save);
	}
	st->flags = (unsigned)flags;
	return ok && p && ctr__parse_u64(p, UINT64_MAX, &st->start);
}

uint64_t ctr__proc_start_time(pid_t pid)
{
	struct stat_line st;

	return read_stat(pid, &st) ? st.start : 0;
}

bool ctr__proc_alive(pid_t pid, uint64_t start)
{
	struct stat_line st;

	if (!read_stat(pid, &st))
		return false;
	return (start == 0 || start == st.start) && !strchr("ZXx", st.state);
}

bool ctr__proc_is_over(pid_t pid, uint64_t start)
{
	struct stat_line st;

	if (!read_stat(pid, &st))
		return true;
	return (start != 0 && start != st.start) || (st.flags & PF_EXITING) ||
	       strchr("ZXx", st.state);
}

/* ---- looking for programs ---- */

static bool is_program(const char *argv0, const char *comm)
{
	const char *slash = strrchr(argv0, '/');

	return strcmp(slash ? slash + 1 : argv0, comm) == 0;
}

enum passage {
	PASSED,  /* has a command line, or is no concern */
	GONE,    /* was running the program, and has died */
	BETWEEN, /* neither yet */
};

/* One without a command line. */
struct passenger {
	pid_t pid;
	uint64_t start;
	bool may_run; /* the program, by the name that was seen last */
};

struct passengers {
	struct passenger *v;
	size_t n, cap;
};

static void passengers_free(struct passengers *p)
{
	free(p->v);
}

/* The kernel gives threads of "runc" names such as "runc:[2:INIT]". */
static bool may_run(const struct stat_line *st, const char *comm)
{
	char name[16];

	snprintf(name, sizeof(name), "%.15s", comm);
	return ctr__starts_with(st->comm, name);
}

static bool has_cmdline(pid_t pid)
{
	char first;

	return read_head(pid, "cmdline", &first, 1) > 0;
}

/* Looks at one. A zombie whose other threads still run looks like one that is wholly dead: only its pidfd knows. */
static enum passage look_again(struct passenger *p, const char *comm)
{
	CTR__CLOSE int pidfd = ctr__pidfd_open(p->pid, 0);
	struct stat_line st;

	if (!read_stat(p->pid, &st) || (p->start && st.start != p->start))
		return p->may_run ? GONE : PASSED;
	if (st.flags & PF_KTHREAD)
		return PASSED;
	if (pidfd < 0 || ctr__pidfd_wait(pidfd, 0) != 0)
		return p->may_run ? GONE : PASSED;
	p->start = st.start;
	p->may_run = may_run(&st, comm);
	if ((st.flags & PF_EXITING) && !p->may_run)
		return PASSED;
	return has_cmdline(p->pid) ? PASSED : BETWEEN;
}

static int add_passenger(struct passengers *p, struct passenger one)
{
	if (p->n == p->cap) {
		size_t cap = p->cap ? 2 * p->cap : 16;
		struct passenger *v = reallocarray(p->v, cap, sizeof(*v));

		if (!v)
			return -ENOMEM;
		p->v = v;
		p->cap = cap;
	}
	p->v[p->n++] = one;
	return 0;
}

static bool runs_program(pid_t pid, const char *comm)
{
	char head[CMDLINE_LOOK];
	ssize_t len = read_head(pid, "cmdline", head, sizeof(head) - 1);

	if (len <= 0)
		return false;
	head[len] = '\0';
	/* A name that is cut off here has a longer path than anybody has a reason for. */
	return is_program(head, comm);
}

/* Splits the command line; NULL-terminated, pointers into `buf`. */
static char **split_cmdline(char *buf, size_t len, int *argc)
{
	size_t count = 0, n = 0;
	char **argv;

	for (size_t i = 0; i < len; i++)
		count += buf[i] == '\0';
	argv = calloc(count + 2, sizeof(*argv));
	if (!argv)
		return NULL;
	for (size_t at = 0; at < len; at += strlen(buf + at) + 1)
		argv[n++] = buf + at;
	*argc = (int)n;
	return argv;
}

static int call_with_cmdline(pid_t pid, const char *comm,
    int (*fn)(pid_t pid, int argc, char **argv, void *userdata), void *userdata)
{
	CTR__FREE char *buf = malloc(CMDLINE_MAX + 1);
	CTR__FREE char **argv = NULL;
	ssize_t len;
	int argc = 0;

	if (!buf)
		return -ENOMEM;
	len = read_head(pid, "cmdline", buf, CMDLINE_MAX);
	if (len <= 0)
		return 0;
	buf[len] = '\0';
	argv = split_cmdline(buf, (size_t)len, &argc);
	if (!argv)
		return -ENOMEM;
	/* The number may belong to another process by now. */
	return is_program(argv[0], comm) ? fn(pid, argc, argv, userdata) : 0;
}

/* What to do for each process of a name. */
struct each {
	const char *comm;
	int (*fn)(pid_t pid, int argc, char **argv, void *userdata);
	void *userdata;
	struct passengers between;
};

static int take(const struct each *e, pid_t pid, enum passage passage)
{
	char *none[] = {NULL};

	if (passage == GONE)
		return e->fn(pid, 0, none, e->userdata);
	return runs_program(pid, e->comm) ? call_with_cmdline(pid, e->comm, e->fn, e->userdata) : 0;
}

static int look_at(struct each *e, pid_t pid)
{
	struct passenger p = {.pid = pid};
	enum passage passage = has_cmdline(pid) ? PASSED : look_again(&p, e->comm);

	return passage == BETWEEN ? add_passenger(&e->between, p) : take(e, pid, passage);
}

/* All together, not one after the other: anybody can make processes that never have a command line. */
static int await_passages(struct each *e)
{
	struct passengers *b = &e->between;
	int64_t deadline = ctr__deadline(PASSAGE_WAIT_MS);
	int rc = 0;

	while (rc == 0 && b->n > 0 && ctr__poll_timeout(deadline) > 0) {
		nanosleep(&(struct timespec){.tv_nsec = PASSAGE_LOOK_NS}, NULL);
		for (size_t i = 0; rc == 0 && i < b->n;) {
			pid_t pid = b->v[i].pid;
			enum passage passage = look_again(&b->v[i], e->comm);

			if (passage == BETWEEN) {
				i++;
				continue;
			}
			b->v[i] = b->v[--b->n];
			rc = take(e, pid, passage);
		}
	}
	return rc;
}

int ctr__proc_each(
    const char *comm, int (*fn)(pid_t pid, int argc, char **argv, void *userdata), void *userdata)
{
	CTR__DIR DIR *d = opendir("/proc");
	struct each e = {.comm = comm, .fn = fn, .userdata = userdata};
	struct dirent *entry;
	int rc = 0;

	if (!d)
		return -errno;
	while (rc == 0 && (entry = readdir(d))) {
		int64_t pid;

		if (ctr__parse_i64(entry->d_name, 1, INT_MAX, &pid))
			rc = look_at(&e, (pid_t)pid);
	}
	if (rc == 0)
		rc = await_passages(&e);
	passengers_free(&e.between);
	return rc;
}

/* ---- this system ---- */

uint64_t ctr__pid_ns_inode(void)
{
	struct stat st;

	return stat("/proc/self/ns/pid", &st) == 0 ? (uint64_t)st.st_ino : 0;
}

int ctr__boot_id(char out[37])
{
	CTR__CLOSE int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -errno : ctr__read_eintr(fd, out, 36);

	if (n < 0)
		return (int)n;
	out[n] = '\0';
	return n == 36 && strspn(out, "0123456789abcdefABCDEF-") == 36 ? 0 : -EIO;
}

/* ---- cgroups ---- */

/* How much a line of /proc/PID/cgroup says about where the process was put; 0 = nothing. */
static int rank_controllers(const char *controllers, bool unified)
{
	static const char *const order[] = {"memory", "pids", "freezer", "devices", "cpu"};
	CTR__STRV char **names = NULL;
	int rank = 0;

	if (unified)
		return *controllers == '\0' ? 1 : 0;
	names = ctr__strv_split(controllers, ',');
	for (size_t i = 0; names && i < CTR__ARRAY_SIZE(order); i++) {
		if (ctr__strv_has((const char *const *)names, order[i])) {
			rank = 3 + (int)(CTR__ARRAY_SIZE(order) - i);
			break;
		}
	}
	if (rank == 0)
		rank = ctr__starts_with(controllers, "name=") ? 2 : *controllers == '\0' ? 1 : 0;
	return rank;
}

/* Splits "7:cpu,cpuacct:/path". */
static bool split_line(char *line, char **controllers, char **path)
{
	char *first = strchr(line, ':');
	char *second = first ? strchr(first + 1, ':') : NULL;

	if (!second || second[1] != '/')
		return false;
	*second = '\0';
	*controllers = first + 1;
	*path = second + 1;
	return true;
}

char *ctr__proc_cgroup(pid_t pid)
{
	bool unified = ctr__cgroup_mode() == CTR__CGROUP_UNIFIED;
	CTR__FREE char *text = NULL;
	const char *best = NULL;
	char file[64], *save = NULL;
	int best_rank = 0;

	snprintf(file, sizeof(file), "/proc/%d/cgroup", (int)pid);
	if (pid <= 0 || ctr__read_file_at(AT_FDCWD, file, CGROUP_MAX, &text, NULL) < 0)
		return NULL;
	for (char *l = strtok_r(text, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		char *controllers, *path;
		int rank;

		if (!split_line(l, &controllers, &path))
			continue;
		rank = rank_controllers(controllers, unified);
		if (rank > best_rank) {
			best_rank = rank;
			best = path;
		}
	}
	return ctr__strdup_null(best);
}
