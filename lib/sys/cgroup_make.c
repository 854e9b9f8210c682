/* SPDX-License-Identifier: Apache-2.0 */
/* Where a cgroup of systemd's is; making one in all hierarchies. */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "sys/cgroup.h"
#include "sys/fd.h"
#include "sys/hierarchies.h"
#include "sys/path.h"
#include "util/cleanup.h"
#include "util/str.h"

#define CGROUP_ROOT "/sys/fs/cgroup"
#define CPUSET_MAX  65536

char *ctr__cgroup_of_slice(const char *slice)
{
	CTR__BUF struct ctr__buf path = {0};
	const char *slash = strrchr(slice, '/'), *name = slash ? slash + 1 : slice;

	for (const char *dash = strchr(name, '-'); dash; dash = strchr(dash + 1, '-')) {
		ctr__buf_addc(&path, '/');
		ctr__buf_add(&path, name, (size_t)(dash - name));
		ctr__buf_adds(&path, ".slice");
	}
	ctr__buf_addc(&path, '/');
	ctr__buf_adds(&path, name);
	return ctr__buf_steal(&path);
}

/* A new group of the v1 controller "cpuset" may use nothing until it is told what. 0 or -errno. */
static int inherit(int parent, int fd, const char *file)
{
	CTR__FREE char *own = NULL;
	CTR__FREE char *above = NULL;
	CTR__CLOSE int out = -1;
	int r = ctr__read_file_at(fd, file, CPUSET_MAX, &own, NULL);

	if (r == -ENOENT)
		return 0; /* not that controller */
	if (r < 0 || strspn(own, "\n") < strlen(own))
		return r;
	r = ctr__read_file_at(parent, file, CPUSET_MAX, &above, NULL);
	if (r < 0)
		return r;
	out = openat(fd, file, O_WRONLY | O_CLOEXEC);
	return out < 0 ? -errno : ctr__write_all(out, above, strlen(above));
}

/* One component. Descriptor or -errno. */
static int step(int parent, const char *name, bool v2)
{
	CTR__CLOSE int fd = -1;
	int r = 0;

	if (mkdirat(parent, name, 0755) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (!v2) {
		r = inherit(parent, fd, "cpuset.cpus");
		if (r == 0)
			r = inherit(parent, fd, "cpuset.mems");
	}
	return r < 0 ? r : ctr__steal_fd(&fd);
}

/* A mount may be hidden by another one: then it is of no use to us. */
static bool is_hidden(const struct ctr__hierarchy *h, int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) < 0 ||
	       fs.f_type != (h->v2 ? CGROUP2_SUPER_MAGIC : CGROUP_SUPER_MAGIC);
}

static int make_in(const struct ctr__hierarchy *h, char *path)
{
	CTR__CLOSE int at = open(h->mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char *save = NULL;

	if (at < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	if (is_hidden(h, at))
		return 0;
	for (char *name = strtok_r(path, "/", &save); name; name = strtok_r(NULL, "/", &save)) {
		int next = step(at, name, h->v2);

		if (next < 0)
			return next;
		close(at);
		at = next;
	}
	return 0;
}

int ctr__cgroup_make(const char *path, ctr_error_t **err)
{
	CTR__CLEANUP(ctr__hierarchies_free) struct ctr__hierarchies h = {0};
	int r;

	if (!ctr__path_is_clean(path) || !path[1])
		return ctr__fail(
		    err, CTR_E_INVALID, "\"%s\" is not the path of a cgroup", path ? path : "");
	r = ctr__hierarchies_read(CGROUP_ROOT, &h);
	if (r < 0)
		return ctr__fail_errno(err, -r, NULL, "cannot find the cgroup hierarchies");
	for (size_t i = 0; i < h.count; i++) {
		CTR__FREE char *copy = strdup(path);

		if (!copy)
			return ctr__fail_nomem(err);
		r = make_in(&h.v[i], copy);
		if (r < 0)
			return ctr__fail_errno(
			    err, -r, path, "cannot make the cgroup %s%s", h.v[i].mount, path);
	}
	return 0;
}
