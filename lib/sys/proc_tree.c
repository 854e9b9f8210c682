/* SPDX-License-Identifier: Apache-2.0 */
/* Ending a process together with everything that it has started. */
#include "sys/proc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys/fd.h"
#include "sys/wait_util.h"
#include "util/cleanup.h"
#include "util/str.h"

#define STAT_MAX   4096
#define TREE_MAX   4096
#define PASSES_MAX 64

struct member {
	pid_t pid;
	int pidfd;
};

struct tree {
	struct member *v;
	size_t n;
	pid_t root;
	bool leads_session;
};

static void tree_free(struct tree *t)
{
	for (size_t i = 0; i < t->n; i++)
		close(t->v[i].pidfd);
	free(t->v);
}

struct relations {
	pid_t parent, session;
};

/* Fields 4 and 6 of /proc/PID/stat; the name in field 2 may contain anything. */
static bool read_relations(pid_t pid, struct relations *r)
{
	CTR__FREE char *text = NULL;
	char path[64];
	const char *p;
	int group;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (ctr__read_file_at(AT_FDCWD, path, STAT_MAX, &text, NULL) < 0)
		return false;
	p = strrchr(text, ')');
	return p && sscanf(p + 1, " %*c %d %d %d", &r->parent, &group, &r->session) == 3;
}

static bool is_member(const struct tree *t, pid_t pid)
{
	for (size_t i = 0; i < t->n; i++) {
		if (t->v[i].pid == pid)
			return true;
	}
	return false;
}

static bool belongs(const struct tree *t, pid_t pid)
{
	struct relations r;

	if (!read_relations(pid, &r))
		return false;
	return is_member(t, r.parent) || (t->leads_session && r.session == t->root);
}

/* Takes the descriptor, also on failure. Stops it: from now on it starts nobody. */
static int add_member(struct tree *t, pid_t pid, int pidfd)
{
	CTR__CLOSE int fd = pidfd;
	struct member *v;

	if (t->n == TREE_MAX)
		return -E2BIG;
	v = realloc(t->v, (t->n + 1) * sizeof(*v));
	if (!v)
		return -ENOMEM;
	t->v = v;
	(void)ctr__pidfd_signal(fd, SIGSTOP);
	t->v[t->n++] = (struct member){pid, ctr__steal_fd(&fd)};
	return 0;
}

/* The descriptor pins whoever has the number, so the look is repeated. */
static int consider(struct tree *t, pid_t pid)
{
	CTR__CLOSE int fd = -1;

	if (is_member(t, pid) || !belongs(t, pid))
		return 0;
	fd = ctr__pidfd_open(pid, 0);
	if (fd < 0 || !belongs(t, pid))
		return 0;
	return add_member(t, pid, ctr__steal_fd(&fd));
}

static void close_dir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

static int gather(struct tree *t)
{
	CTR__CLEANUP(close_dir) DIR *dir = opendir("/proc");
	const struct dirent *e;

	if (!dir)
		return -errno;
	while ((e = readdir(dir))) {
		int64_t pid;
		int r;

		if (!ctr__parse_i64(e->d_name, 1, INT32_MAX, &pid))
			continue;
		r = consider(t, (pid_t)pid);
		if (r < 0)
			return r;
	}
	return 0;
}

static int gather_all(struct tree *t)
{
	/* One that was just starting another when it was stopped has perhaps done so: until a pass finds none. */
	for (int pass = 0; pass < PASSES_MAX; pass++) {
		size_t before = t->n;
		int r = gather(t);

		if (r < 0 || t->n == before)
			return r;
	}
	return -EAGAIN;
}

int ctr__proc_kill_tree(int pidfd, pid_t pid)
{
	CTR__CLEANUP(tree_free) struct tree t = {.root = pid};
	struct relations own;
	int fd = fcntl(pidfd, F_DUPFD_CLOEXEC, 3), r;

	if (fd < 0)
		return -errno;
	t.leads_session = read_relations(pid, &own) && own.session == pid;
	r = add_member(&t, pid, fd);
	if (r == 0)
		r = gather_all(&t);
	/* Those that were found go in any case. */
	for (size_t i = 0; i < t.n; i++)
		(void)ctr__pidfd_signal(t.v[i].pidfd, SIGKILL);
	return r;
}
