/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of lib/sys share: cmocka, a scratch directory, helper processes. */
#ifndef TESTS_UNIT_SYS_TEST_H
#define TESTS_UNIT_SYS_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/path.h"
#include "sys/spawn.h"
#include "util/cleanup.h"
#include "util/str.h"

struct scratch {
	char path[256];
	int fd;
};

/* cmocka setup: a new directory in *state. */
static inline int scratch_setup(void **state)
{
	const char *tmp = getenv("TMPDIR");
	struct scratch *s = calloc(1, sizeof(*s));

	if (!s)
		return -1;
	snprintf(s->path, sizeof(s->path), "%s/ctr-unit-XXXXXX", tmp && *tmp ? tmp : "/tmp");
	if (!mkdtemp(s->path))
		return -1;
	s->fd = open(s->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = s;
	return s->fd < 0;
}

static inline int scratch_teardown(void **state)
{
	struct scratch *s = *state;
	char *slash = strrchr(s->path, '/');
	int dir, rc;

	close(s->fd);
	*slash = '\0';
	dir = open(*s->path ? s->path : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	rc = ctr__remove_tree_at(dir, slash + 1);
	close(dir);
	free(s);
	return rc;
}

static inline void put_file(int dirfd, const char *name, const char *text)
{
	int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static inline bool exists_at(int dirfd, const char *name)
{
	return faccessat(dirfd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static inline int count_entries(int dirfd)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), n = 0;
	DIR *d = fdopendir(fd);

	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n - 2;
}

static inline int count_fds(void)
{
	int fd = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int n = count_entries(fd);

	close(fd);
	return n;
}

static inline struct ctr__child spawn_shell(const char *script)
{
	const char *argv[] = {"sh", "-c", script, NULL};
	const char *envp[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL};
	struct ctr__child c = {-1, -1};
	struct ctr__spawn s = {.path = "/bin/sh", .argv = argv, .envp = envp, .cwd_fd = -1};

	assert_int_equal(ctr__spawn(&s, &c, NULL), 0);
	return c;
}

/* A process that sits there until it is killed. */
static inline struct ctr__child spawn_sleeper(void)
{
	const char *argv[] = {"sleep", "1000", NULL};
	struct ctr__child c = {-1, -1};
	struct ctr__spawn s = {.path = "/bin/sleep", .argv = argv, .cwd_fd = -1};

	assert_int_equal(ctr__spawn(&s, &c, NULL), 0);
	return c;
}

#endif
