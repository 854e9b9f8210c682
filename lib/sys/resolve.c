/* SPDX-License-Identifier: Apache-2.0 */
/* What a path means below another root. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys/path.h"
#include "util/cleanup.h"
#include "util/str.h"

/* The kernel's name of an open file. malloc'ed; NULL and errno. */
static char *name_of(int fd)
{
	char link[64], name[PATH_MAX];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/thread-self/fd/%d", fd);
	n = readlink(link, name, sizeof(name));
	if (n < 0)
		return NULL;
	if ((size_t)n == sizeof(name)) {
		errno = ENAMETOOLONG;
		return NULL;
	}
	return ctr__strdup_len(name, (size_t)n);
}

/* The name of `fd` as seen from `rootfd`: "" is the root itself. malloc'ed; NULL and errno. */
static char *name_below(int rootfd, int fd)
{
	CTR__FREE char *root = name_of(rootfd);
	CTR__FREE char *name = root ? name_of(fd) : NULL;
	size_t len = root ? strlen(root) : 0;

	if (!name)
		return NULL;
	if (len == 1) /* "/" */
		len = 0;
	if (strncmp(name, root, len) != 0 || (name[len] != '/' && name[len] != '\0')) {
		errno = EXDEV; /* moved away meanwhile */
		return NULL;
	}
	return strdup(name[len] == '/' && !name[len + 1] ? "" : name + len);
}

/* Would textual joining be wrong? */
static bool has_dotdot(const char *path)
{
	for (const char *p = path; (p = strstr(p, "..")); p += 2) {
		if ((p == path || p[-1] == '/') && (p[2] == '/' || p[2] == '\0'))
			return true;
	}
	return false;
}

/* Cuts the last component off `path`. False if there is none. */
static bool cut_last(char *path)
{
	size_t len = strlen(path);

	while (len > 0 && path[len - 1] == '/')
		len--;
	if (len == 0)
		return false;
	while (len > 0 && path[len - 1] != '/')
		len--;
	path[len] = '\0';
	return true;
}

int ctr__resolve_in_root(int rootfd, const char *path, char **out)
{
	CTR__FREE char *prefix = strdup(path);
	CTR__CLOSE int fd = -1;

	*out = NULL;
	if (!prefix)
		return -ENOMEM;
	while ((fd = ctr__open_in_root(rootfd, *prefix ? prefix : "/", O_PATH, 0)) == -ENOENT) {
		if (!cut_last(prefix))
			return -ENOENT;
	}
	if (fd < 0)
		return fd;

	const char *rest = path + strlen(prefix);
	while (*rest == '/')
		rest++;
	if (has_dotdot(rest)) {
		*out = strdup(path);
		return *out ? 0 : -ENOMEM;
	}
	CTR__FREE char *name = name_below(rootfd, fd);
	if (!name)
		return -errno;
	*out = *rest || !*name ? ctr__format("%s/%s", name, rest) : CTR__STEAL_PTR(name);
	return *out ? 0 : -ENOMEM;
}
