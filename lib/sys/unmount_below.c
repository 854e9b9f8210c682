/* SPDX-License-Identifier: Apache-2.0 */
/* Unmounting everything below a directory, whoever mounted it: /proc/self/mountinfo. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "sys/fd.h"
#include "sys/mount.h"
#include "util/cleanup.h"
#include "util/str.h"

#define MOUNTINFO_MAX (64U << 20)
#define FIELD_MOUNT   4 /* counted from 0 */

/* The kernel writes blanks, newlines and backslashes as three octal digits. */
static void unescape(char *s)
{
	char *to = s;

	for (; *s; s++) {
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' && s[2] <= '7' &&
		    s[3] >= '0' && s[3] <= '7') {
			*to++ = (char)((s[1] - '0') * 64 + (s[2] - '0') * 8 + (s[3] - '0'));
			s += 3;
		} else {
			*to++ = *s;
		}
	}
	*to = '\0';
}

static char *mount_point(char *line)
{
	char *save = NULL, *word = strtok_r(line, " ", &save);

	for (int field = 0; word && field < FIELD_MOUNT; field++)
		word = strtok_r(NULL, " ", &save);
	if (word)
		unescape(word);
	return word;
}

bool ctr__mounts_below(char *mountinfo, const char *dir, char ***out)
{
	size_t len = strlen(dir);
	char *save = NULL;

	*out = NULL;
	for (char *l = strtok_r(mountinfo, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		const char *path = mount_point(l);

		if (path && strncmp(path, dir, len) == 0 && path[len] == '/' &&
		    !ctr__strv_add(out, path)) {
			ctr__strv_free(*out);
			*out = NULL;
			return false;
		}
	}
	return true;
}

int ctr__unmount_below(const char *dir, ctr_error_t **err)
{
	CTR__FREE char *text = NULL;
	CTR__STRV char **paths = NULL;
	int rc =
	    ctr__read_file_at(AT_FDCWD, "/proc/thread-self/mountinfo", MOUNTINFO_MAX, &text, NULL);

	if (rc < 0)
		return ctr__fail_errno(err, -rc, dir, "cannot read what is mounted");
	if (!ctr__mounts_below(text, dir, &paths))
		return ctr__fail_nomem(err);
	/* What was mounted last is unmounted first. */
	for (size_t i = ctr__strv_len((const char *const *)paths); i > 0; i--) {
		rc = ctr__unmount_all(paths[i - 1], err);
		if (rc < 0)
			return rc;
	}
	return 0;
}
