/* SPDX-License-Identifier: Apache-2.0 */
/* Mounts. */
#include "sys/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/selinux.h"
#include "util/cleanup.h"
#include "util/str.h"

#ifndef STATX_ATTR_MOUNT_ROOT
#define STATX_ATTR_MOUNT_ROOT 0x00002000
#endif

/* More mounts on one place than anybody stacks: somebody mounts as fast as we unmount. */
#define UNMOUNT_MAX 4096

int ctr__is_mount_point(const char *path)
{
	struct statx sx;

	if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC, 0,
	        &sx) < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	if (!(sx.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT))
		return -EOPNOTSUPP; /* kernel before 5.8 */
	return sx.stx_attributes & STATX_ATTR_MOUNT_ROOT ? 1 : 0;
}

/* The mount options. tmpfs takes the owner of its root from them. */
static int shm_options(int64_t size, const char *label, uint32_t uid, uint32_t gid,
    struct ctr__buf *options, ctr_error_t **err)
{
	if (size <= 0)
		return ctr__fail(
		    err, CTR_E_INVALID, "size of shm is %lld, not positive", (long long)size);
	ctr__buf_addf(options, "mode=1777,size=%lld,uid=%u,gid=%u", (long long)size, uid, gid);
	if (label && *label && ctr__selinux_enabled()) {
		if (strpbrk(label, "\"\\\n"))
			return ctr__fail(
			    err, CTR_E_INVALID, "mount label \"%s\" is not a label", label);
		ctr__buf_addf(options, ",context=\"%s\"", label);
	}
	return options->failed ? ctr__fail_nomem(err) : 0;
}

int ctr__mount_shm(const char *path, int64_t size, const char *label, uint32_t uid, uint32_t gid,
    ctr_error_t **err)
{
	CTR__BUF struct ctr__buf options = {0};
	CTR__CLOSE int fd = -1;
	char target[64];
	int rc = shm_options(size, label, uid, gid, &options, err);

	if (rc < 0)
		return rc;
	fd = open(path, O_PATH | O_NOFOLLOW | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return ctr__fail_errno(err, errno, path, "cannot open %s to mount shm", path);
	/* Through the descriptor: nobody can put a link there meanwhile. Of the thread: it may have
	 * descriptors of its own. */
	snprintf(target, sizeof(target), "/proc/thread-self/fd/%d", fd);
	if (mount("shm", target, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, options.data) < 0)
		return ctr__fail_errno(err, errno, path, "cannot mount shm on %s", path);
	return 0;
}

int ctr__unmount_all(const char *path, ctr_error_t **err)
{
	int failure = EBUSY;

	for (int i = 0; i < UNMOUNT_MAX; i++) {
		if (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
			continue;
		failure = errno;
		if (failure == ENOENT || failure == ENOTDIR)
			return 0;
		/* EINVAL is "not mounted", but also "mounted, and locked by an outer user namespace". */
		if (failure == EINVAL && ctr__is_mount_point(path) != 1)
			return 0;
		break;
	}
	return ctr__fail_errno(err, failure, path, "cannot unmount %s", path);
}
