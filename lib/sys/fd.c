/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors and small files. */
#include "sys/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "sys/dirent_util.h"
#include "util/cleanup.h"
#include "util/str.h"

#define FIRST_READ   4096U
#define TMP_NAME_LEN 32

int ctr__write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

ssize_t ctr__read_eintr(int fd, void *buf, size_t len)
{
	ssize_t n;

	do {
		n = read(fd, buf, len);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

/* Something that is not a plain file could block or never end. */
static int open_regular(int dirfd, const char *path, struct stat *st)
{
	CTR__CLOSE int fd =
	    openat(dirfd, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, st) < 0)
		return -errno;
	if (S_ISDIR(st->st_mode))
		return -EISDIR;
	if (!S_ISREG(st->st_mode))
		return -EINVAL;
	return ctr__steal_fd(&fd);
}

/* Makes room for at least one more byte and the NUL. */
static int grow(char **buf, size_t *cap)
{
	size_t want = *cap * 2;
	char *p = realloc(*buf, want);

	if (!p)
		return -ENOMEM;
	*buf = p;
	*cap = want;
	return 0;
}

/* Reads up to the end whatever the size in the inode says: it is 0 in /proc, and files change. */
static int read_to_end(int fd, size_t max, char **buf, size_t *cap, size_t *len)
{
	for (;;) {
		ssize_t n;

		if (*len + 1 >= *cap && grow(buf, cap) < 0)
			return -ENOMEM;
		n = ctr__read_eintr(fd, *buf + *len, *cap - *len - 1);
		if (n < 0)
			return (int)n;
		if (n == 0)
			break;
		*len += (size_t)n;
		if (*len > max)
			return -EFBIG;
	}
	(*buf)[*len] = '\0';
	return 0;
}

int ctr__read_file_at(int dirfd, const char *path, size_t max, char **out, size_t *len)
{
	struct stat st;
	CTR__CLOSE int fd = open_regular(dirfd, path, &st);
	CTR__FREE char *buf = NULL;
	size_t cap = FIRST_READ, got = 0;
	int rc;

	if (fd < 0)
		return fd;
	if (st.st_size > 0 && (uint64_t)st.st_size > max)
		return -EFBIG;
	if (st.st_size > 0)
		cap = (size_t)st.st_size + 2;
	buf = malloc(cap);
	if (!buf)
		return -ENOMEM;
	rc = read_to_end(fd, max, &buf, &cap, &got);
	if (rc < 0)
		return rc;
	*out = CTR__STEAL_PTR(buf);
	if (len)
		*len = got;
	return 0;
}

/* Not derived from the final name: that may be as long as names get. */
static int create_temporary(int dirfd, char name[TMP_NAME_LEN])
{
	for (int attempt = 0; attempt < 100; attempt++) {
		unsigned long long r;
		int fd;

		if (getrandom(&r, sizeof(r), 0) != (ssize_t)sizeof(r))
			return errno ? -errno : -EIO;
		snprintf(name, TMP_NAME_LEN, ".ctr-%016llx", r);
		fd =
		    openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd >= 0)
			return fd;
		if (errno != EEXIST)
			return -errno;
	}
	return -EEXIST;
}

static int sync_dir(int dirfd)
{
	CTR__CLOSE int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	/* Some file systems cannot sync directories and say EINVAL: nothing to be done. */
	if (fd < 0 || (fsync(fd) < 0 && errno != EINVAL))
		return -errno;
	return 0;
}

static int fill_and_rename(int dirfd, const char *tmp, int fd, const char *name, const void *data,
    size_t len, mode_t mode, bool sync)
{
	int rc = ctr__write_all(fd, data, len);

	if (rc < 0)
		return rc;
	if (fchmod(fd, mode) < 0 || (sync && fsync(fd) < 0))
		return -errno;
	if (renameat(dirfd, tmp, dirfd, name) < 0)
		return -errno;
	return 0;
}

int ctr__write_file_at(
    int dirfd, const char *name, const void *data, size_t len, mode_t mode, bool sync)
{
	char tmp[TMP_NAME_LEN];
	CTR__CLOSE int fd = -1;
	int rc;

	if (!ctr__is_component(name))
		return -EINVAL;
	fd = create_temporary(dirfd, tmp);
	if (fd < 0)
		return fd;
	rc = fill_and_rename(dirfd, tmp, fd, name, data, len, mode, sync);
	if (rc < 0) {
		unlinkat(dirfd, tmp, 0);
		return rc;
	}
	return sync ? sync_dir(dirfd) : 0;
}

bool ctr__fd_open_elsewhere(dev_t dev, ino_t ino)
{
	CTR__DIR DIR *d = opendir("/proc/self/fd");
	struct dirent *e;

	if (!d)
		return false;
	while ((e = readdir(d))) {
		struct statx st;
		int64_t fd;

		if (!ctr__parse_i64(e->d_name, 0, INT_MAX, &fd) || fd == dirfd(d))
			continue;
		/* Descriptors of others may be closed meanwhile: statx() does not mind, and ThreadSanitizer, which
		 * watches fstat(), does not take it for a race. */
		if (statx((int)fd, "", AT_EMPTY_PATH, STATX_INO, &st) == 0 && st.stx_ino == ino &&
		    makedev(st.stx_dev_major, st.stx_dev_minor) == dev)
			return true;
	}
	return false;
}
