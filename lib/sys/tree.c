/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Walking a directory tree. One descriptor is open at a time: the way back up is ".." with a check that
 * it is still the directory we came from. What remains to be visited per level is kept on the heap.
 */
#include "sys/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/dirent_util.h"
#include "util/cleanup.h"

/* Names of subdirectories still to visit, a stack of strings. */
struct names {
	char **v;
	size_t len, cap;
};

/* One directory on the way from the top to the current one. */
struct level {
	dev_t dev;
	ino_t ino;
	size_t base; /* names below this index belong to levels above */
};

struct walk {
	const struct ctr__tree_ops *ops;
	struct names names;
	struct level *levels;
	size_t depth, cap;
	int fd; /* the current directory */
	int error;
};

int ctr__open_dir_at(int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int stat_mount(int fd, struct statx *sx)
{
	return statx(fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT, STATX_BASIC_STATS | STATX_MNT_ID, sx);
}

bool ctr__crosses_mount(int parentfd, int fd)
{
	struct statx parent, child;

	if (stat_mount(parentfd, &parent) < 0 || stat_mount(fd, &child) < 0)
		return true;
	if (child.stx_attributes & STATX_ATTR_MOUNT_ROOT)
		return true;
	/* A subvolume has a device number of its own without being a mount. */
	if (parent.stx_mask & child.stx_mask & STATX_MNT_ID)
		return parent.stx_mnt_id != child.stx_mnt_id;
	return parent.stx_dev_major != child.stx_dev_major ||
	       parent.stx_dev_minor != child.stx_dev_minor;
}

static void note(struct walk *w, int rc)
{
	if (rc < 0 && w->error == 0)
		w->error = rc;
}

static int names_push(struct names *n, const char *name)
{
	char *copy;

	if (n->len == n->cap) {
		size_t cap = n->cap ? n->cap * 2 : 64;
		char **v = reallocarray(n->v, cap, sizeof(*v));

		if (!v)
			return -ENOMEM;
		n->v = v;
		n->cap = cap;
	}
	copy = strdup(name);
	if (!copy)
		return -ENOMEM;
	n->v[n->len++] = copy;
	return 0;
}

static void names_pop(struct names *n)
{
	free(n->v[--n->len]);
}

/* Makes the directory `fd` the current one. */
static int push_level(struct walk *w, int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (w->depth == w->cap) {
		size_t cap = w->cap ? w->cap * 2 : 64;
		struct level *l = reallocarray(w->levels, cap, sizeof(*l));

		if (!l)
			return -ENOMEM;
		w->levels = l;
		w->cap = cap;
	}
	w->levels[w->depth++] =
	    (struct level){.dev = st.st_dev, .ino = st.st_ino, .base = w->names.len};
	return 0;
}

static int scan_entry(struct walk *w, const struct dirent *e)
{
	int rc = w->ops->entry(w->fd, e->d_name, e->d_type, w->ops->userdata);

	return rc == 1 ? names_push(&w->names, e->d_name) : rc;
}

/* Handles all entries of the current directory, and keeps the names of its subdirectories. */
static int scan(struct walk *w)
{
	CTR__CLOSE int fd = fcntl(w->fd, F_DUPFD_CLOEXEC, 3);
	CTR__DIR DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (!d)
		return -errno;
	ctr__steal_fd(&fd);
	while (errno = 0, (e = readdir(d))) {
		if (!ctr__is_dot(e->d_name))
			note(w, scan_entry(w, e));
	}
	return -errno;
}

static int enter(struct walk *w)
{
	int rc = w->ops->enter ? w->ops->enter(w->fd, w->ops->userdata) : 0;

	note(w, rc);
	return scan(w);
}

/* Goes into a subdirectory of the current one. 1 = is in, 0 = nothing there, or -errno. */
static int descend(struct walk *w, const char *name)
{
	CTR__CLOSE int fd = ctr__open_dir_at(w->fd, name);
	int rc;

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	if (ctr__crosses_mount(w->fd, fd))
		return w->ops->on_mount;
	rc = push_level(w, fd);
	if (rc < 0)
		return rc;
	close(w->fd);
	w->fd = ctr__steal_fd(&fd);
	note(w, enter(w));
	return 1;
}

/* Goes back up. The parent must be the directory we came from, or we would be somewhere else. */
static int ascend(struct walk *w)
{
	const struct level *up = &w->levels[--w->depth - 1];
	CTR__CLOSE int fd = openat(w->fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (st.st_dev != up->dev || st.st_ino != up->ino)
		return -ESTALE;
	close(w->fd);
	w->fd = ctr__steal_fd(&fd);
	return 0;
}

/* The current directory is done: up, and leave it. */
static int finish_level(struct walk *w)
{
	int rc = ascend(w);

	if (rc < 0)
		return rc;
	if (w->ops->leave)
		note(w, w->ops->leave(w->fd, w->names.v[w->names.len - 1], w->ops->userdata));
	names_pop(&w->names);
	return 0;
}

/* One move. 1 = go on, 0 = the top is done, or -errno: cannot go on. */
static int step(struct walk *w)
{
	int rc;

	if (w->names.len == w->levels[w->depth - 1].base) {
		if (w->depth == 1)
			return 0;
		rc = finish_level(w);
		return rc < 0 ? rc : 1;
	}
	/* The name stays on the stack while we are below it. */
	rc = descend(w, w->names.v[w->names.len - 1]);
	if (rc == 1)
		return 1;
	note(w, rc);
	names_pop(&w->names);
	return 1;
}

static void walk_free(struct walk *w)
{
	while (w->names.len > 0)
		names_pop(&w->names);
	free(w->names.v);
	free(w->levels);
	if (w->fd >= 0)
		close(w->fd);
}

int ctr__tree_walk(int topfd, const struct ctr__tree_ops *ops)
{
	CTR__CLEANUP(walk_free) struct walk w = {.ops = ops, .fd = -1};
	int rc;

	w.fd = fcntl(topfd, F_DUPFD_CLOEXEC, 3);
	if (w.fd < 0)
		return -errno;
	rc = push_level(&w, w.fd);
	if (rc < 0)
		return rc;
	note(&w, enter(&w));
	do {
		rc = step(&w);
	} while (rc == 1);
	note(&w, rc);
	return w.error;
}
