/* SPDX-License-Identifier: Apache-2.0 */
/* Which cgroup hierarchies are mounted: /proc/self/mountinfo. */
#include "sys/hierarchies.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "sys/fd.h"
#include "util/cleanup.h"
#include "util/str.h"

#define MOUNTINFO_MAX     (64U << 20)
#define MOUNT_POINT_FIELD 5

static bool is_octal(const char *p)
{
	return p[0] >= '0' && p[0] <= '3' && p[1] >= '0' && p[1] <= '7' && p[2] >= '0' &&
	       p[2] <= '7';
}

/* Blanks in paths are written as \040. */
static void unescape(char *s)
{
	char *to = s;

	while (*s) {
		if (*s == '\\' && is_octal(s + 1)) {
			*to++ = (char)((s[1] - '0') * 64 + (s[2] - '0') * 8 + (s[3] - '0'));
			s += 4;
		} else {
			*to++ = *s++;
		}
	}
	*to = '\0';
}

static bool is_below(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	return strncmp(path, dir, len) == 0 && (path[len] == '\0' || path[len] == '/');
}

/* "36 35 98:0 /root /mount/point opts [tags...] - type source opts" */
static bool parse_line(char *line, char **mount, char **type)
{
	char *rest = strstr(line, " - "), *save = NULL;

	if (!rest)
		return false;
	*rest = '\0';
	*type = strtok_r(rest + 3, " ", &save);
	*mount = strtok_r(line, " ", &save);
	for (int field = 1; *mount && field < MOUNT_POINT_FIELD; field++)
		*mount = strtok_r(NULL, " ", &save);
	if (!*mount || !*type)
		return false;
	unescape(*mount);
	return true;
}

static int add(struct ctr__hierarchies *h, const char *mount, bool v2)
{
	struct ctr__hierarchy *v = reallocarray(h->v, h->count + 1, sizeof(*v));

	if (!v)
		return -ENOMEM;
	h->v = v;
	v[h->count].mount = strdup(mount);
	if (!v[h->count].mount)
		return -ENOMEM;
	v[h->count++].v2 = v2;
	return 0;
}

int ctr__hierarchies_parse(char *mountinfo, const char *below, struct ctr__hierarchies *out)
{
	char *save = NULL;
	int rc = 0;

	for (char *l = strtok_r(mountinfo, "\n", &save); rc == 0 && l;
	     l = strtok_r(NULL, "\n", &save)) {
		char *mount, *type;
		bool v2;

		if (!parse_line(l, &mount, &type))
			continue;
		v2 = strcmp(type, "cgroup2") == 0;
		if ((v2 || strcmp(type, "cgroup") == 0) && is_below(mount, below))
			rc = add(out, mount, v2);
	}
	return rc;
}

int ctr__hierarchies_read(const char *below, struct ctr__hierarchies *out)
{
	CTR__FREE char *text = NULL;
	int rc =
	    ctr__read_file_at(AT_FDCWD, "/proc/thread-self/mountinfo", MOUNTINFO_MAX, &text, NULL);

	return rc < 0 ? rc : ctr__hierarchies_parse(text, below, out);
}

void ctr__hierarchies_free(struct ctr__hierarchies *h)
{
	for (size_t i = 0; i < h->count; i++)
		free(h->v[i].mount);
	free(h->v);
	h->v = NULL;
	h->count = 0;
}
