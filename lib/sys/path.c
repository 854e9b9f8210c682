/* SPDX-License-Identifier: Apache-2.0 */
/* Directories and paths. */
#include "sys/path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/dirent_util.h"
#include "sys/tree.h"
#include "util/cleanup.h"

#define PARENT_MODE 0755

/* ---- making directories ---- */

/* Makes the directory and gives it exactly `mode`. */
static int make_dir(int dirfd, const char *name, mode_t mode, int flags)
{
	CTR__CLOSE int fd = -1;
	bool made = mkdirat(dirfd, name, mode) == 0;

	if (!made && errno != EEXIST)
		return -errno;
	fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (made ? O_NOFOLLOW : flags));
	if (fd < 0)
		return -errno;
	if (made && fchmod(fd, mode) < 0) {
		int saved = errno;

		unlinkat(dirfd, name, AT_REMOVEDIR);
		return -saved;
	}
	return ctr__steal_fd(&fd);
}

int ctr__mkdir_at(int dirfd, const char *name, mode_t mode)
{
	return ctr__is_component(name) ? make_dir(dirfd, name, mode, O_NOFOLLOW) : -EINVAL;
}

/* One step of the way: what is there may be a link, as /var/run is. */
static int step_into(int dirfd, const char *name, mode_t mode, bool last)
{
	int flags = last ? O_RDONLY : O_PATH;
	int fd = openat(dirfd, name, flags | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		return fd;
	return errno == ENOENT ? make_dir(dirfd, name, mode, 0) : -errno;
}

/* Cuts the next component off `*rest`; NULL at the end. */
static char *next_component(char **rest)
{
	char *c;

	do {
		c = strsep(rest, "/");
	} while (c && *c == '\0');
	return c;
}

static int mkdir_parents(char *rest, mode_t mode)
{
	CTR__CLOSE int dirfd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char *name = next_component(&rest);

	if (dirfd < 0)
		return -errno;
	while (name) {
		char *next = next_component(&rest);
		int fd = step_into(dirfd, name, next ? PARENT_MODE : mode, !next);

		if (fd < 0)
			return fd;
		close(dirfd);
		dirfd = fd;
		name = next;
	}
	return ctr__steal_fd(&dirfd);
}

/* The common case of a directory to make: all but the last component are there. -ENOENT: they are not, or the path
 * is not that simple. */
static int mkdir_last(char *path, mode_t mode)
{
	CTR__CLOSE int parent = -1;
	char *slash = strrchr(path, '/');

	if (slash == path || !ctr__is_component(slash + 1))
		return -ENOENT;
	*slash = '\0';
	parent = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*slash = '/';
	return parent < 0 ? -errno : make_dir(parent, slash + 1, mode, 0);
}

int ctr__mkdir_open(const char *path, mode_t mode, ctr_error_t **err)
{
	CTR__FREE char *copy = NULL;
	int fd;

	if (!path || path[0] != '/')
		return ctr__fail(err, CTR_E_INVALID, "directory \"%s\" is not an absolute path",
		    path ? path : "");
	/* Nearly always it is there: one step instead of one for each component. */
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	copy = strdup(path);
	if (!copy)
		return ctr__fail_nomem(err);
	fd = mkdir_last(copy, mode);
	if (fd == -ENOENT)
		fd = mkdir_parents(copy, mode);
	if (fd < 0)
		return ctr__fail_errno(err, -fd, path, "cannot make or open directory %s", path);
	return fd;
}

/* ---- removing a tree ---- */

/* unlink() is tried before the type is asked for: d_type may be unknown, and may be old. */
static int remove_entry(int dirfd, const char *name, unsigned char type, void *userdata)
{
	(void)userdata;
	if (type == DT_DIR)
		return 1;
	if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
		return 0;
	return errno == EISDIR ? 1 : -errno;
}

static int remove_dir(int parentfd, const char *name, void *userdata)
{
	(void)userdata;
	if (unlinkat(parentfd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	return -errno;
}

static int remove_dir_tree(int dirfd, const char *name)
{
	static const struct ctr__tree_ops ops = {
	    .entry = remove_entry, .leave = remove_dir, .on_mount = -EBUSY};
	CTR__CLOSE int fd = ctr__open_dir_at(dirfd, name);
	int first, last;

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	if (ctr__crosses_mount(dirfd, fd))
		return -EBUSY;
	first = ctr__tree_walk(fd, &ops);
	last = remove_dir(dirfd, name, NULL);
	return first < 0 ? first : last;
}

int ctr__remove_tree_at(int dirfd, const char *name)
{
	int rc;

	if (!ctr__is_component(name))
		return -EINVAL;
	rc = remove_entry(dirfd, name, DT_UNKNOWN, NULL);
	return rc == 1 ? remove_dir_tree(dirfd, name) : rc;
}

/* ---- looking ---- */

char *ctr__realpath(const char *path)
{
	return realpath(path, NULL);
}

int ctr__dir_empty(int dirfd)
{
	CTR__CLOSE int fd = ctr__open_dir_at(dirfd, ".");
	CTR__DIR DIR *d = NULL;
	struct dirent *e;

	if (fd < 0)
		return fd;
	d = fdopendir(fd);
	if (!d)
		return -errno;
	ctr__steal_fd(&fd);
	while (errno = 0, (e = readdir(d))) {
		if (!ctr__is_dot(e->d_name))
			return 0;
	}
	return errno ? -errno : 1;
}

bool ctr__path_is_clean(const char *path)
{
	const char *p = path;

	if (!p || *p != '/')
		return false;
	if (p[1] == '\0')
		return true;
	while (*p == '/') {
		size_t len = strcspn(++p, "/");

		if (len == 0 || (len == 1 && p[0] == '.') ||
		    (len == 2 && p[0] == '.' && p[1] == '.'))
			return false;
		p += len;
	}
	return true;
}

/* ---- how much is in a tree ---- */

struct inode {
	dev_t dev;
	ino_t ino;
};

/* Inodes with several names that were counted, a hash set with open addressing. */
struct usage {
	int64_t bytes;
	struct inode *seen; /* ino 0 = free slot */
	size_t count, cap;
};

static struct inode *find_slot(struct inode *table, size_t cap, const struct inode *key)
{
	size_t i = ((uint64_t)key->ino * 0x9e3779b97f4a7c15U >> 17) & (cap - 1);

	while (table[i].ino != 0 && (table[i].ino != key->ino || table[i].dev != key->dev))
		i = (i + 1) & (cap - 1);
	return &table[i];
}

static int grow_seen(struct usage *u)
{
	size_t cap = u->cap ? u->cap * 2 : 256;
	struct inode *table = calloc(cap, sizeof(*table));

	if (!table)
		return -ENOMEM;
	for (size_t i = 0; i < u->cap; i++) {
		if (u->seen[i].ino != 0)
			*find_slot(table, cap, &u->seen[i]) = u->seen[i];
	}
	free(u->seen);
	u->seen = table;
	u->cap = cap;
	return 0;
}

/* 1 = for the first time, 0 = again, or -errno. */
static int first_sight(struct usage *u, const struct stat *st)
{
	struct inode key = {.dev = st->st_dev, .ino = st->st_ino};
	struct inode *slot;

	if (u->count * 2 >= u->cap && grow_seen(u) < 0)
		return -ENOMEM;
	slot = find_slot(u->seen, u->cap, &key);
	if (slot->ino != 0)
		return 0;
	*slot = key;
	u->count++;
	return 1;
}

static int usage_entry(int dirfd, const char *name, unsigned char type, void *userdata)
{
	struct usage *u = userdata;
	struct stat st;
	int first = 1;

	if (type == DT_DIR)
		return 1;
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (S_ISDIR(st.st_mode))
		return 1;
	if (st.st_nlink > 1)
		first = first_sight(u, &st);
	if (first == 1)
		u->bytes += (int64_t)st.st_blocks * 512;
	return first < 0 ? first : 0;
}

static int usage_dir(int fd, void *userdata)
{
	struct usage *u = userdata;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	u->bytes += (int64_t)st.st_blocks * 512;
	return 0;
}

int ctr__tree_usage(int dirfd, int64_t *bytes)
{
	struct usage u = {0};
	const struct ctr__tree_ops ops = {.entry = usage_entry, .enter = usage_dir, .userdata = &u};
	CTR__CLOSE int fd = ctr__open_dir_at(dirfd, ".");
	int rc = fd < 0 ? fd : ctr__tree_walk(fd, &ops);

	free(u.seen);
	if (rc == 0)
		*bytes = u.bytes;
	return rc;
}
