/* SPDX-License-Identifier: Apache-2.0 */
/* Files that are kept with a container. */
#include "core/artifact.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libctr/artifact.h>

#include "sys/fd.h"
#include "sys/path.h"
#include "util/cleanup.h"

#define DIR_NAME "artifacts"
/* How files that are being written are called (sys/fd.c). */
#define RESERVED ".ctr-"

/* ---- checks ---- */

static const char *name_fault(const char *name)
{
	if (!*name)
		return "is empty";
	if (strlen(name) > NAME_MAX)
		return "is longer than 255 bytes";
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return "names a directory";
	if (!ctr__utf8_valid(name, strlen(name)))
		return "is not valid UTF-8";
	for (const char *p = name; *p; p++) {
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return "has a control character";
	}
	if (strchr(name, '/'))
		return "has a slash";
	return ctr__starts_with(name, RESERVED) ? "begins with \"" RESERVED "\"" : NULL;
}

static int check_name(const char *name, ctr_error_t **err)
{
	const char *fault = name ? name_fault(name) : "is NULL";

	if (!fault)
		return 0;
	ctr__fail(err, CTR_E_INVALID, "the artifact's name %s", fault);
	ctr__error_detail(err, "field", "name");
	return CTR_E_INVALID;
}

/* Is the handle's container still there, and not another one with its ID? */
static int check_there(struct ctr_container *c, ctr_error_t **err)
{
	CTR__BUF struct ctr__buf json = {0};
	CTR__ERROR ctr_error_t *why = NULL;
	uint32_t slot = 0;
	uint64_t cfg_gen;
	int r = 0;

	if (!atomic_load_explicit(&c->removed, memory_order_acquire))
		r = ctr__store_get_config(c->rt->store, c->id, &json, &slot, &cfg_gen, &why);
	if (r < 0 && r != CTR_E_NO_SUCH_CTR) {
		if (err)
			*err = CTR__STEAL_PTR(why);
		return r;
	}
	if (r >= 0 && json.len && slot == c->slot_index)
		return 0;
	atomic_store_explicit(&c->removed, true, memory_order_release);
	ctr__fail(err, CTR_E_CTR_REMOVED, "container %s has been removed", c->id);
	ctr__error_detail(err, "container", c->id);
	return CTR_E_CTR_REMOVED;
}

/* The door of all four. */
static int enter(struct ctr_container *c, const char *name, struct ctr_container **core,
    struct ctr__paths *paths, ctr_error_t **err)
{
	CTR__CONFIG ctr_config_t *cfg = NULL;
	int r = ctr__enter_check(c, 0, core, err);

	if (r >= 0)
		r = check_name(name, err);
	if (r >= 0)
		r = check_there(*core, err);
	if (r < 0)
		return r;
	cfg = ctr__container_config(*core);
	return ctr__paths_init(*core, cfg, paths, err);
}

/* ---- the directory ---- */

/* Descriptor, or -errno: -ENOENT if nothing was ever added. */
static int open_dir(const struct ctr__paths *paths)
{
	CTR__CLOSE int top =
	    open(paths->static_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	int fd;

	if (top < 0)
		return -errno;
	fd = openat(top, DIR_NAME, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? -errno : fd;
}

static int make_dir(const struct ctr__paths *paths, int *out, ctr_error_t **err)
{
	CTR__CLOSE int top = ctr__mkdir_open(paths->static_dir, 0700, err);
	int fd;

	if (top < 0)
		return top;
	fd = ctr__mkdir_at(top, DIR_NAME, 0700);
	if (fd < 0)
		return ctr__fail_errno(err, -fd, paths->static_dir,
		    "cannot make the directory %s in %s", DIR_NAME, paths->static_dir);
	*out = fd;
	return 0;
}

static int fail_file(
    ctr_error_t **err, int rc, const struct ctr__paths *paths, const char *name, const char *what)
{
	if (rc == -ENOENT) {
		ctr__fail(err, CTR_E_NO_SUCH_ARTIFACT, "there is no artifact \"%s\"", name);
		ctr__error_detail(err, "artifact", name);
		return CTR_E_NO_SUCH_ARTIFACT;
	}
	if (rc == -ENOMEM)
		return ctr__fail_nomem(err);
	return ctr__fail_errno(
	    err, -rc, paths->static_dir, "cannot %s the artifact \"%s\"", what, name);
}

/* ---- the four ---- */

/* The container was removed while we made its directory anew: it goes after it. */
static int check_still_there(struct ctr_container *c, ctr_error_t **err)
{
	CTR__CLOSE int dirs = -1;
	int r = check_there(c, err);

	if (r != CTR_E_CTR_REMOVED || ctr__store_has(c->rt->store, c->id, NULL) != 0)
		return r;
	dirs = open(c->rt->static_dirs, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dirs >= 0)
		(void)ctr__remove_tree_at(dirs, c->id);
	return r;
}

int ctr__artifact_add(
    struct ctr_container *c, const char *name, const void *data, size_t len, ctr_error_t **err)
{
	CTR__PATHS struct ctr__paths paths = {0};
	CTR__CLOSE int dir = -1;
	struct ctr_container *core;
	int r = enter(c, name, &core, &paths, err);

	if (r < 0)
		return r;
	if (len > CTR_ARTIFACT_MAX) {
		ctr__fail(err, CTR_E_INVALID, "an artifact of %zu bytes is too large: at most %u",
		    len, CTR_ARTIFACT_MAX);
		ctr__error_detail(err, "field", "len");
		return CTR_E_INVALID;
	}
	r = make_dir(&paths, &dir, err);
	if (r < 0)
		return r;
	r = ctr__write_file_at(dir, name, data, len, 0600, true);
	if (r == 0)
		return check_still_there(core, err);
	/* Without its directory the container may be gone, too. */
	if (r == -ENOENT && check_still_there(core, err) < 0)
		return CTR_E_CTR_REMOVED;
	if (r == -ENOMEM)
		return ctr__fail_nomem(err);
	return ctr__fail_errno(err, -r, paths.static_dir, "cannot write the artifact \"%s\"", name);
}

int ctr__artifact_get(
    struct ctr_container *c, const char *name, char **data, size_t *len, ctr_error_t **err)
{
	CTR__PATHS struct ctr__paths paths = {0};
	struct ctr_container *core;
	CTR__CLOSE int dir = -1;
	int r = enter(c, name, &core, &paths, err);

	if (r < 0)
		return r;
	dir = open_dir(&paths);
	r = dir < 0 ? dir : ctr__read_file_at(dir, name, CTR_ARTIFACT_MAX, data, len);
	return r < 0 ? fail_file(err, r, &paths, name, "read") : 0;
}

int ctr__artifact_remove(struct ctr_container *c, const char *name, ctr_error_t **err)
{
	CTR__PATHS struct ctr__paths paths = {0};
	struct ctr_container *core;
	CTR__CLOSE int dir = -1;
	int r = enter(c, name, &core, &paths, err);

	if (r < 0)
		return r;
	dir = open_dir(&paths);
	r = dir;
	if (dir >= 0)
		r = unlinkat(dir, name, 0) < 0 ? -errno : 0;
	return r < 0 ? fail_file(err, r, &paths, name, "remove") : 0;
}

static bool is_artifact(int dirfd, const struct dirent *e)
{
	struct stat st;

	return !name_fault(e->d_name) && fstatat(dirfd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISREG(st.st_mode);
}

static int read_names(DIR *d, char ***names, ctr_error_t **err)
{
	const struct dirent *e;

	while ((errno = 0, e = readdir(d))) {
		if (is_artifact(dirfd(d), e) && !ctr__strv_add(names, e->d_name))
			return ctr__fail_nomem(err);
	}
	return errno ? ctr__fail_errno(err, errno, NULL, "cannot read the artifacts") : 0;
}

static void close_dir(DIR **d)
{
	if (*d)
		closedir(*d);
}

static int list_dir(int fd, char ***names, ctr_error_t **err)
{
	CTR__CLEANUP(close_dir) DIR *d = fdopendir(fd);

	if (d)
		return read_names(d, names, err);
	close(fd);
	return ctr__fail_nomem(err);
}

int ctr__artifact_list(struct ctr_container *c, char ***out, ctr_error_t **err)
{
	CTR__PATHS struct ctr__paths paths = {0};
	CTR__STRV char **names = calloc(1, sizeof(char *));
	struct ctr_container *core;
	int r = enter(c, "any", &core, &paths, err), fd;

	if (r < 0)
		return r;
	if (!names)
		return ctr__fail_nomem(err);
	fd = open_dir(&paths);
	if (fd < 0 && fd != -ENOENT)
		return ctr__fail_errno(err, -fd, paths.static_dir, "cannot read the artifacts");
	r = fd < 0 ? 0 : list_dir(fd, &names, err);
	if (r < 0)
		return r;
	ctr__strv_sort_unique(names);
	*out = CTR__STEAL_PTR(names);
	return 0;
}
