/* SPDX-License-Identifier: Apache-2.0 */
/* Namespaces of other processes: see ns.h. */
#include "sys/ns.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "sys/fd.h"
#include "util/cleanup.h"

/* The kernel takes at most 340 ranges, of three numbers each. */
#define MAP_MAX 16384

static const struct {
	const char *name;
	int type;
} kinds[] = {
    {"ipc", CLONE_NEWIPC},
    {"mnt", CLONE_NEWNS},
    {"net", CLONE_NEWNET},
    {"pid", CLONE_NEWPID},
    {"user", CLONE_NEWUSER},
    {"uts", CLONE_NEWUTS},
    {"cgroup", CLONE_NEWCGROUP},
};

static int type_of(const char *name)
{
	for (size_t i = 0; i < CTR__ARRAY_SIZE(kinds); i++)
		if (strcmp(kinds[i].name, name) == 0)
			return kinds[i].type;
	return -1;
}

int ctr__ns_open_path(const char *path, const char *name)
{
	CTR__CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return -errno;
	if (ioctl(fd, NS_GET_NSTYPE) != type_of(name))
		return -EINVAL;
	return ctr__steal_fd(&fd);
}

int ctr__ns_open(pid_t pid, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, name);
	return ctr__ns_open_path(path, name);
}

int ctr__ns_is_own(int fd, const char *name)
{
	struct stat theirs, ours;
	char path[64];

	/* The thread's: a host may have put its threads into different ones. */
	snprintf(path, sizeof(path), "/proc/thread-self/ns/%s", name);
	if (fstat(fd, &theirs) < 0 || stat(path, &ours) < 0)
		return -errno;
	return theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino;
}

/* One line of numbers; moves on to the next. */
static bool parse_range(char **at, struct ctr__id_range *r)
{
	int used = 0;

	if (sscanf(*at, "%" SCNu32 " %" SCNu32 " %" SCNu32 " %n", &r->inside, &r->outside, &r->size,
	        &used) != 3)
		return false;
	*at += used;
	return true;
}

int ctr__id_map_read(pid_t pid, const char *name, struct ctr__id_range **out, size_t *n)
{
	CTR__FREE struct ctr__id_range *list = NULL;
	CTR__FREE char *text = NULL;
	char path[64], *at;
	size_t len, lines = 0;
	int r;

	*out = NULL;
	*n = 0;
	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	r = ctr__read_file_at(AT_FDCWD, path, MAP_MAX, &text, &len);
	if (r < 0)
		return r;
	for (size_t i = 0; i < len; i++)
		lines += text[i] == '\n';
	list = calloc(lines + 1, sizeof(*list));
	if (!list)
		return -ENOMEM;
	for (at = text; *n < lines && parse_range(&at, &list[*n]);)
		(*n)++;
	*out = CTR__STEAL_PTR(list);
	return 0;
}
