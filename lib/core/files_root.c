/* SPDX-License-Identifier: Apache-2.0 */
/* What must be in the root file system itself. Every step is taken inside of it, whatever its links say. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/files.h"
#include "sys/path.h"
#include "util/cleanup.h"

/* ---- /etc/mtab ---- */

static bool read_only_root(const struct ctr__files *f)
{
	return f->cfg->read_only ||
	       ctr__json_bool(ctr__json_path(f->spec, "root", "readonly", NULL));
}

/* For programs that look for their mounts there. What is there, in whatever form, stays; and without one a container
 * is none the worse. */
static void link_mtab(struct ctr__files *f)
{
	CTR__CLOSE int etc = -1;

	if (read_only_root(f) || !ctr__files_wants(f, "/etc/mtab"))
		return;
	etc = ctr__open_in_root(f->root_fd, "/etc", O_PATH | O_DIRECTORY, 0);
	if (etc < 0 || symlinkat("/proc/mounts", etc, "mtab") < 0)
		return;
	(void)fchownat(etc, "mtab", f->cfg->root_uid, f->cfg->root_gid, AT_SYMLINK_NOFOLLOW);
}

/* ---- the working directory ---- */

/* Is `path` at or below `dir`? Both as written, with slashes and "." skipped; ".." is left to those who resolve it. */
static bool is_below(const char *path, const char *dir)
{
	for (;;) {
		size_t n, m;

		path += strspn(path, "/");
		dir += strspn(dir, "/");
		n = strcspn(path, "/");
		m = strcspn(dir, "/");
		if (m == 0)
			return true;
		if (n != m || memcmp(path, dir, n) != 0 || (n == 2 && memcmp(path, "..", 2) == 0))
			return false;
		path += n;
		dir += m;
	}
}

/* What is mounted there is not to be seen yet: the runtime will find it, or not. */
static bool on_a_mount(const struct ctr__files *f, const char *path)
{
	CTR__JSON_EACH (m, ctr__json_get(f->spec, "mounts")) {
		const char *dest = ctr__json_str(ctr__json_get(m, "destination"));

		if (dest && dest[strspn(dest, "/")] && is_below(path, dest))
			return true;
	}
	return false;
}

static int bad_workdir(ctr_error_t **err, const char *path, int errno_, const char *what)
{
	if (errno_ == ENOMEM)
		return ctr__fail_nomem(err);
	if (what)
		ctr__fail(err, CTR_E_INVALID, "working directory \"%.200s\" %s", path, what);
	else
		ctr__fail_errno(err, errno_, path,
		    "working directory \"%.200s\" cannot be used in the root file system", path);
	ctr__error_detail(err, "field", "spec.process.cwd");
	return what ? CTR_E_INVALID : (err && *err ? ctr_error_code(*err) : CTR_E_SYSTEM);
}

/* One directory, which must be a new one. */
static int make_one(const struct ctr__files *f, int parent, const char *name)
{
	CTR__CLOSE int fd = -1;

	if (mkdirat(parent, name, 0755) < 0)
		return -errno;
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fchown(fd, f->cfg->root_uid, f->cfg->root_gid) < 0 || fchmod(fd, 0755) < 0)
		return -errno;
	return 0;
}

/* Makes what is missing of `path`, from the top. A link that leads to nothing is not followed into making it. */
static int make_all(const struct ctr__files *f, char *path)
{
	CTR__CLOSE int parent = ctr__open_in_root(f->root_fd, "/", O_PATH | O_DIRECTORY, 0);
	char *p = path + strspn(path, "/");

	while (parent >= 0 && *p) {
		char *end = p + strcspn(p, "/"), kept = *end;
		int next, r = 0;

		*end = '\0';
		next = ctr__open_in_root(f->root_fd, path, O_PATH | O_DIRECTORY, 0);
		if (next == -ENOENT) {
			r = make_one(f, parent, p);
			if (r == 0 || r == -EEXIST)
				next = ctr__open_in_root(f->root_fd, path, O_PATH | O_DIRECTORY, 0);
			else
				next = r;
		}
		ctr__cleanup_close(&parent);
		parent = next;
		*end = kept;
		p = end + strspn(end, "/");
	}
	return parent < 0 ? parent : 0;
}

static int make_workdir(const struct ctr__files *f, const char *path, ctr_error_t **err)
{
	CTR__FREE char *copy = strdup(path);
	int r = copy ? make_all(f, copy) : -ENOMEM;

	if (r == -ENOTDIR)
		return bad_workdir(err, path, ENOTDIR, "leads through what is not a directory");
	if (r == -ENOENT)
		return bad_workdir(err, path, ENOENT, "leads through a link to nothing");
	return r < 0 ? bad_workdir(err, path, -r, NULL) : 0;
}

static int check_workdir(const struct ctr__files *f, ctr_error_t **err)
{
	const char *path = ctr__files_workdir(f);
	CTR__CLOSE int fd = -1;

	if (path[0] != '/')
		return bad_workdir(err, path, EINVAL, "is not absolute");
	if (on_a_mount(f, path))
		return 0;
	fd = ctr__open_in_root(f->root_fd, path, O_PATH | O_DIRECTORY, 0);
	if (fd >= 0)
		return 0;
	if (fd == -ENOTDIR)
		return bad_workdir(err, path, ENOTDIR, "is not a directory");
	if (fd != -ENOENT)
		return bad_workdir(err, path, -fd, NULL);
	if (!f->cfg->create_working_dir)
		return bad_workdir(err, path, ENOENT,
		    "does not exist in the root file system, and createWorkingDir is not set");
	return make_workdir(f, path, err);
}

int ctr__files_root(struct ctr__files *f, ctr_error_t **err)
{
	int r = check_workdir(f, err);

	if (r >= 0)
		link_mtab(f);
	return r;
}
