/* SPDX-License-Identifier: Apache-2.0 */
/* The storage driver "rootfs": a directory that somebody else made, used as it is and never deleted. */
#include "storage/storage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "sys/path.h"
#include "util/cleanup.h"
#include "util/str.h"

static int fail_path(ctr_error_t **err, int code, const char *path, const char *what)
{
	int r = ctr__fail(err, code, "root file system \"%s\" %s", path, what);

	ctr__error_detail(err, "path", path);
	return r;
}

static int fail_field(ctr_error_t **err, const char *path, const char *what)
{
	int r = fail_path(err, CTR_E_INVALID, path, what);

	ctr__error_detail(err, "field", "rootfs");
	return r;
}

/* "/" under any name: a bind mount of it has the same inode. */
static int is_host_root(const char *path, const struct stat *st, bool *yes, ctr_error_t **err)
{
	struct stat root;

	if (stat("/", &root) < 0)
		return ctr__fail_errno(err, errno, "/", "cannot look at \"/\"");
	*yes = strcmp(path, "/") == 0 || (st->st_dev == root.st_dev && st->st_ino == root.st_ino);
	return 0;
}

/* The real path of the configured directory, malloc'ed. */
static int resolve(const struct ctr_storage_container *c, char **out, ctr_error_t **err)
{
	struct stat st;
	bool host_root = false;

	if (!c->rootfs || !*c->rootfs)
		return fail_field(err, "", "is not set");
	if (c->rootfs[0] != '/')
		return fail_field(err, c->rootfs, "is not an absolute path");

	CTR__FREE char *real = ctr__realpath(c->rootfs);
	if (!real && errno == ENOMEM)
		return ctr__fail_nomem(err);
	if (!real && (errno == ENOENT || errno == ENOTDIR))
		return fail_path(err, CTR_E_STORAGE, c->rootfs, "does not exist");
	if (!real || stat(real, &st) < 0)
		return ctr__fail_errno(
		    err, errno, c->rootfs, "cannot look at root file system \"%s\"", c->rootfs);
	if (!S_ISDIR(st.st_mode))
		return fail_path(err, CTR_E_STORAGE, c->rootfs, "is not a directory");
	int r = is_host_root(real, &st, &host_root, err);
	if (r < 0)
		return r;
	if (host_root)
		return fail_field(err, c->rootfs, "is the root directory of the host");
	*out = CTR__STEAL_PTR(real);
	return 0;
}

static int rootfs_validate(void *impl, const struct ctr_storage_container *c, ctr_error_t **err)
{
	CTR__FREE char *real = NULL;

	(void)impl;
	return resolve(c, &real, err);
}

static int rootfs_mount(void *impl, const struct ctr_storage_container *c, char *path,
    size_t path_size, ctr_error_t **err)
{
	CTR__FREE char *real = NULL;
	int r = resolve(c, &real, err);

	(void)impl;
	if (r < 0)
		return r;
	if (strlen(real) >= path_size)
		return fail_path(err, CTR_E_STORAGE, c->rootfs, "has a real path that is too long");
	memcpy(path, real, strlen(real) + 1);
	return 0;
}

static int rootfs_unmount(void *impl, const struct ctr_storage_container *c, ctr_error_t **err)
{
	(void)impl;
	(void)c;
	(void)err;
	return 0;
}

static int rootfs_usage(void *impl, const struct ctr_storage_container *c, int64_t *rootfs_bytes,
    int64_t *rw_bytes, ctr_error_t **err)
{
	CTR__FREE char *real = NULL;
	int64_t bytes = 0;
	int r = resolve(c, &real, err);

	(void)impl;
	if (r < 0)
		return r;
	CTR__CLOSE int fd = open(real, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = fd < 0 ? -errno : ctr__tree_usage(fd, &bytes);
	if (r < 0)
		return ctr__fail_errno(
		    err, -r, real, "cannot measure root file system \"%s\"", c->rootfs);
	*rootfs_bytes = bytes;
	*rw_bytes = 0;
	return 0;
}

int ctr__storage_rootfs_new(struct ctr__storage **out, ctr_error_t **err)
{
	static const struct ctr_storage_ops ops = {
	    .size = sizeof(ops),
	    .name = "rootfs",
	    .validate = rootfs_validate,
	    .mount = rootfs_mount,
	    .unmount = rootfs_unmount,
	    .usage = rootfs_usage,
	};

	return ctr__storage_new(&ops, NULL, NULL, out, err);
}
