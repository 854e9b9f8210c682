/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening paths below a directory as if it were "/". The kernel does it; where it cannot (before 5.6, or
 * behind a sandbox that does not know the call), it is done step by step: no step follows a link, and the
 * way that was resolved so far is a list of names that are no links, so that ".." is taken from that list.
 */
#include "sys/in_root.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sys/fd.h"
#include "sys/path.h"
#include "util/cleanup.h"
#include "util/str.h"

#define ATTEMPTS  32
#define LINKS_MAX 40 /* as the kernel */

struct resolver {
	int rootfd;
	int fd;      /* the directory reached; -1 = the root */
	char *rest;  /* what is still to be resolved */
	char **done; /* names that lead from the root to fd */
	int links;
};

static void resolver_free(struct resolver *r)
{
	ctr__cleanup_close(&r->fd);
	free(r->rest);
	ctr_strv_free(r->done);
}

static int here(const struct resolver *r)
{
	return r->fd >= 0 ? r->fd : r->rootfd;
}

/* fd becomes the directory reached. */
static int move_to(struct resolver *r, int fd)
{
	if (fd < 0)
		return fd;
	ctr__cleanup_close(&r->fd);
	r->fd = fd;
	return 0;
}

static int open_step(int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static void go_to_root(struct resolver *r)
{
	ctr__cleanup_close(&r->fd);
	r->fd = -1;
	ctr_strv_free(r->done);
	r->done = NULL;
}

static int go_down(struct resolver *r, const char *name)
{
	int rc = move_to(r, open_step(here(r), name));

	if (rc < 0)
		return rc;
	return ctr__strv_add(&r->done, name) ? 0 : -ENOMEM;
}

/* From the root again: the directory may have been moved, its own ".." could lead anywhere. */
static int go_up(struct resolver *r)
{
	CTR__STRV char **names = CTR__STEAL_PTR(r->done);
	size_t n = ctr__strv_len((const char *const *)names);
	int rc = 0;

	go_to_root(r);
	for (size_t i = 0; rc == 0 && i + 1 < n; i++)
		rc = go_down(r, names[i]);
	return rc;
}

/* Puts the target of a link in front of what is still to be resolved (empty, or it begins with a slash). */
static int expand(struct resolver *r, const char *target)
{
	char *rest;

	if (++r->links > LINKS_MAX)
		return -ELOOP;
	if (target[0] == '/')
		go_to_root(r);
	rest = ctr__format("%s%s", target, r->rest);
	if (!rest)
		return -ENOMEM;
	free(r->rest);
	r->rest = rest;
	return 0;
}

/* Cuts the next component off the rest; "" at the end. A slash at the end asks for a directory. */
static int next_component(struct resolver *r, char name[NAME_MAX + 1], bool *last)
{
	const char *p = r->rest + strspn(r->rest, "/");
	size_t len = strcspn(p, "/");

	if (len > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(name, p, len);
	name[len] = '\0';
	p += len;
	*last = p[strspn(p, "/")] == '\0';
	memmove(r->rest, p, strlen(p) + 1);
	return 0;
}

/* Is it a link that has to be followed? 1 = its target is in `target`, 0 = no, or -errno. */
static int read_link(const struct resolver *r, const char *name, bool follow, char target[PATH_MAX])
{
	ssize_t n = follow ? readlinkat(here(r), name, target, PATH_MAX - 1) : 0;

	if (n > 0)
		target[n] = '\0';
	if (n >= 0)
		return n > 0;
	return errno == EINVAL || errno == ENOENT ? 0 : -errno;
}

static int open_last(const struct resolver *r, const char *name, int flags, mode_t mode)
{
	int more = O_NOFOLLOW | O_CLOEXEC | (r->rest[0] == '/' ? O_DIRECTORY : 0);
	int fd = openat(here(r), name, flags | more, mode);

	return fd < 0 ? -errno : fd;
}

/* One component. 1 = go on; else *fd is set. */
static int step(struct resolver *r, int flags, mode_t mode, int *fd)
{
	bool last, keep_link;
	char name[NAME_MAX + 1], target[PATH_MAX];
	int rc = next_component(r, name, &last);

	if (rc < 0)
		return rc;
	if (name[0] == '\0' || strcmp(name, ".") == 0) {
		*fd = last ? open_last(r, ".", flags, mode) : -1;
		return !last;
	}
	if (strcmp(name, "..") == 0)
		return (rc = go_up(r)) < 0 ? rc : 1;
	keep_link = last && r->rest[0] == '\0' && (flags & (O_NOFOLLOW | O_EXCL));
	rc = read_link(r, name, !keep_link, target);
	if (rc == 1)
		return (rc = expand(r, target)) < 0 ? rc : 1;
	if (rc == 0 && !last)
		return (rc = go_down(r, name)) < 0 ? rc : 1;
	*fd = rc < 0 ? rc : open_last(r, name, flags, mode);
	return 0;
}

int ctr__open_in_root_by_steps(int rootfd, const char *path, int flags, mode_t mode)
{
	CTR__CLEANUP(resolver_free) struct resolver r = {.rootfd = rootfd, .fd = -1};
	int fd = -1, rc;

	if (*path == '\0')
		return -ENOENT;
	r.rest = strdup(path);
	if (!r.rest)
		return -ENOMEM;
	do {
		rc = step(&r, flags, mode, &fd);
	} while (rc == 1);
	return rc < 0 ? rc : fd;
}

int ctr__open_in_root(int rootfd, const char *path, int flags, mode_t mode)
{
	bool creates = (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE;
	struct open_how how = {
	    .flags = (unsigned int)(flags | O_CLOEXEC),
	    .mode = creates ? mode : 0,
	    .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};

	/* The kernel gives up with EAGAIN when something is renamed under a ".." it resolves. */
	for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
		long fd = syscall(SYS_openat2, rootfd, path, &how, sizeof(how));

		if (fd >= 0)
			return (int)fd;
		if (errno == ENOSYS)
			return ctr__open_in_root_by_steps(rootfd, path, flags, mode);
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
	}
	return -EAGAIN;
}

/* Opens what an O_PATH descriptor stands for: nobody can put something else into its place. */
static int reopen(int fd, int flags)
{
	char path[sizeof("/proc/self/fd/") + 12];
	int opened;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	opened = open(path, flags | O_CLOEXEC);
	return opened < 0 ? -errno : opened;
}

static int read_all(int fd, size_t max, char **out, size_t *len)
{
	CTR__BUF struct ctr__buf buf = {0};
	char piece[8192];
	ssize_t n;

	while ((n = ctr__read_eintr(fd, piece, sizeof(piece))) > 0) {
		ctr__buf_add(&buf, piece, (size_t)n);
		if (buf.len > max)
			return -EFBIG;
	}
	if (n < 0)
		return (int)n;
	*len = buf.len;
	*out = ctr__buf_steal(&buf);
	return *out ? 0 : -ENOMEM;
}

int ctr__read_in_root(int rootfd, const char *path, size_t max, char **out, size_t *len)
{
	CTR__CLOSE int place = ctr__open_in_root(rootfd, path, O_PATH, 0);
	CTR__CLOSE int fd = -1;
	struct stat st;

	if (place < 0)
		return place;
	if (fstat(place, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if ((uint64_t)st.st_size > max)
		return -EFBIG;
	/* There are regular files that wait: those with a lease, and some of /proc. */
	fd = reopen(place, O_RDONLY | O_NOCTTY | O_NONBLOCK);
	return fd < 0 ? fd : read_all(fd, max, out, len);
}
