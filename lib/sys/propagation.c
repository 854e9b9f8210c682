/* SPDX-License-Identifier: Apache-2.0 */
/* Shared, slave or private: /proc/self/mountinfo. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys/fd.h"
#include "sys/mount.h"
#include "util/cleanup.h"
#include "util/str.h"

#define MOUNTINFO_MAX (64U << 20)
#define FDINFO_MAX    4096
#define FIELD_MOUNT   4 /* counted from 0 */
#define FIELD_TAGS    6

/* "36 35 98:0 /root /mount/point opts [tags...] - type source opts" */
static int read_fields(char *line, struct ctr__propagation *out)
{
	char *save = NULL, *word = strtok_r(line, " ", &save);

	for (int field = 0; word && strcmp(word, "-") != 0; field++) {
		if (field == FIELD_MOUNT && !(out->mount = strdup(word)))
			return -ENOMEM;
		if (field >= FIELD_TAGS && ctr__starts_with(word, "shared:"))
			out->shared = true;
		if (field >= FIELD_TAGS && ctr__starts_with(word, "master:"))
			out->slave = true;
		word = strtok_r(NULL, " ", &save);
	}
	return out->mount ? 0 : -ENOENT;
}

int ctr__propagation_parse(char *mountinfo, int64_t mount_id, struct ctr__propagation *out)
{
	char *save = NULL;

	*out = (struct ctr__propagation){0};
	for (char *l = strtok_r(mountinfo, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		char *end;

		if (strtoll(l, &end, 10) == mount_id && end != l && *end == ' ')
			return read_fields(l, out);
	}
	return -ENOENT;
}

/* The kernel's number of the mount that an open file is on. Or -errno. */
static int64_t mount_id_of(int fd)
{
	CTR__FREE char *text = NULL;
	char file[64], *line;
	int rc;

	snprintf(file, sizeof(file), "/proc/thread-self/fdinfo/%d", fd);
	rc = ctr__read_file_at(AT_FDCWD, file, FDINFO_MAX, &text, NULL);
	if (rc < 0)
		return rc;
	line = strstr(text, "mnt_id:");
	return line ? strtoll(line + strlen("mnt_id:"), NULL, 10) : -ENOENT;
}

int ctr__mount_propagation(const char *path, struct ctr__propagation *out)
{
	CTR__FREE char *text = NULL;
	CTR__CLOSE int fd = open(path, O_PATH | O_CLOEXEC);
	int64_t id;
	int rc;

	*out = (struct ctr__propagation){0};
	if (fd < 0)
		return -errno;
	id = mount_id_of(fd);
	if (id < 0)
		return (int)id;
	rc = ctr__read_file_at(AT_FDCWD, "/proc/thread-self/mountinfo", MOUNTINFO_MAX, &text, NULL);
	return rc < 0 ? rc : ctr__propagation_parse(text, id, out);
}
