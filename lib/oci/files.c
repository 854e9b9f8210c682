/* SPDX-License-Identifier: Apache-2.0 */
/* Removing the files of a run: the monitor's, the runtime's state, and what either was writing when it was
 * killed. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "oci/driver.h"
#include "sys/mount.h"
#include "sys/path.h"
#include "util/cleanup.h"

static int unlink_in(int dirfd, const char *name)
{
	return unlinkat(dirfd, name, 0) == 0 || errno == ENOENT ? 0 : -errno;
}

/* ---- the monitor's ---- */

/* runc makes the PID file under a fixed temporary name and refuses to go on if that is there. */
static int remove_bundle_files(const char *bundle)
{
	static const char *const names[] = {CTR__ATTACH_SOCKET, CTR__CTL_FIFO, CTR__WINSZ_FIFO,
	    CTR__CTR_PID_FILE, CTR__CTR_PID_TMP, CTR__OCI_LOG, CTR__CONMON_PID_FILE};
	CTR__CLOSE int fd = open(bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int first = 0;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	for (size_t i = 0; i < CTR__ARRAY_SIZE(names); i++) {
		int rc = unlink_in(fd, names[i]);

		if (rc < 0 && first == 0)
			first = rc;
	}
	return first;
}

/* Only a plain file: the path is the user's. */
static int remove_pid_copy(const char *path)
{
	struct stat st;

	if (!path || lstat(path, &st) < 0 || !S_ISREG(st.st_mode))
		return 0;
	return unlink(path) == 0 || errno == ENOENT ? 0 : -errno;
}

int ctr__oci_remove_files(
    const struct ctr__conmon *d, const struct ctr_oci_container *c, ctr_error_t **err)
{
	int rc = remove_bundle_files(c->bundle);

	if (rc < 0)
		return ctr__fail_errno(
		    err, -rc, c->bundle, "remove the monitor's files in %s", c->bundle);
	rc = remove_pid_copy(c->pid_file);
	if (rc < 0)
		return ctr__fail_errno(
		    err, -rc, c->pid_file, "remove the monitor's PID file %s", c->pid_file);
	rc = unlink_in(d->exits_fd, c->id);
	if (rc < 0)
		return ctr__fail_errno(
		    err, -rc, d->exits_dir, "remove exit file %s/%s", d->exits_dir, c->id);
	rc = ctr__remove_tree_at(d->persist_fd, c->id);
	if (rc < 0)
		return ctr__fail_errno(
		    err, -rc, d->persist_dir, "remove %s/%s", d->persist_dir, c->id);
	return 0;
}

/* ---- half-written ones ---- */

static void close_dir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

/* NAME.XXXXXX, as mkstemp() and glib call what is to become NAME. */
static bool is_temporary_of(const char *file, const char *name)
{
	size_t len = strlen(name);

	return strncmp(file, name, len) == 0 && file[len] == '.' && strlen(file + len + 1) == 6;
}

/* A runtime that was killed while it made a read-only copy of itself leaves it mounted. */
static int remove_temporary(const char *dir, int dirfd, const char *file)
{
	CTR__FREE char *path = ctr__path_join(dir, file);
	CTR__ERROR ctr_error_t *err = NULL;
	int rc;

	if (!path)
		return -ENOMEM;
	if (ctr__is_mount_point(path) == 1 && ctr__unmount_all(path, &err) < 0) {
		rc = ctr_error_errno(err);
		return rc ? -rc : -EBUSY;
	}
	return unlink_in(dirfd, file);
}

/* Calls remove_temporary() for each NAME.XXXXXX in the directory; absent is fine. `keep` (may be NULL) says
 * which are not ours after all. */
static int remove_temporaries_of(const char *path, const char *name,
    bool (*keep)(const struct ctr__conmon *d, const char *file), const struct ctr__conmon *d)
{
	CTR__CLEANUP(close_dir) DIR *dir = opendir(path);
	const struct dirent *entry;
	int rc = 0;

	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	while (rc == 0 && (errno = 0, entry = readdir(dir))) {
		if (is_temporary_of(entry->d_name, name) && !(keep && keep(d, entry->d_name)))
			rc = remove_temporary(path, dirfd(dir), entry->d_name);
	}
	return rc;
}

/* The exits directory is shared. A container whose ID only looks like a temporary name has a directory. */
static bool is_other_container(const struct ctr__conmon *d, const char *file)
{
	struct stat st;

	return fstatat(d->persist_fd, file, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

int ctr__oci_remove_temporaries(
    const struct ctr__conmon *d, const struct ctr_oci_container *c, ctr_error_t **err)
{
	static const char *const names[] = {CTR__CONMON_PID_FILE, "conmon-term", "crun"};
	int rc;

	for (size_t i = 0; i < CTR__ARRAY_SIZE(names); i++) {
		rc = remove_temporaries_of(c->bundle, names[i], NULL, d);
		if (rc < 0)
			return ctr__fail_errno(
			    err, -rc, c->bundle, "remove temporary files in %s", c->bundle);
	}
	rc = remove_temporaries_of(d->exits_dir, c->id, is_other_container, d);
	return rc < 0 ? ctr__fail_errno(
	                    err, -rc, d->exits_dir, "remove temporary files in %s", d->exits_dir)
	              : 0;
}

int ctr__oci_remove_session_temporaries(const struct ctr_oci_exec *x, ctr_error_t **err)
{
	static const char *const names[] = {CTR__CONMON_PID_FILE, "conmon-term", "crun", "runc"};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < CTR__ARRAY_SIZE(names); i++)
		rc = remove_temporaries_of(x->dir, names[i], NULL, NULL);
	return rc < 0 ? ctr__fail_errno(err, -rc, x->dir, "remove temporary files in %s", x->dir)
	              : 0;
}

/* ---- the runtime's state ---- */

int ctr__oci_remove_state(const struct ctr__conmon *d, const char *id, ctr_error_t **err)
{
	CTR__FREE char *dir = ctr__path_join(d->oci_root, id);
	int rc;

	if (!dir)
		return ctr__fail_nomem(err);
	rc = remove_temporaries_of(dir, "runc", NULL, d);
	if (rc == 0)
		rc = ctr__remove_tree_at(d->oci_fd, id);
	return rc < 0 ? ctr__fail_errno(err, -rc, dir, "remove %s", dir) : 0;
}
