/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The marker files of the two directories, and starting a run root afresh.
 *
 * A marker is made empty first (that is atomic), and filled last: an empty marker, or one of the run root
 * without a boot ID, says "ours, but unfinished". So a directory without a marker is never half made.
 */
#include "store/env.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "sys/fd.h"
#include "sys/mount.h"
#include "sys/path.h"
#include "sys/proc.h"
#include "util/json.h"

#define ROOT_MARKER "libctr.store"
#define RUN_MARKER  "libctr.run"
#define VERSION     1
#define MARKER_MAX  16384

struct marker {
	bool found;
	bool complete;
	char boot_id[37];
	uint64_t generation;
	char *root; /* NULL if it does not say */
};

static void marker_free(struct marker *m)
{
	free(m->root);
}

static int fail_path(ctr_error_t **err, int code, const char *dir, const char *what)
{
	ctr__fail(err, code, "%s %s", dir, what);
	ctr__error_detail(err, "path", dir);
	return code;
}

/* ---- reading markers ---- */

static int parse_marker(
    struct marker *m, const char *dir, const char *text, size_t len, ctr_error_t **err)
{
	CTR__JSON_DOC struct ctr__json_doc *doc = NULL;
	const char *boot_id, *root;
	int64_t version;
	int r = ctr__json_parse(text, len, "marker file", &doc, NULL);

	if (r == CTR_E_NOMEM)
		return ctr__fail_nomem(err);
	if (r < 0 || !ctr__json_i64(ctr__json_get(doc->root, "version"), &version) || version < 1)
		return fail_path(err, CTR_E_STORE_CORRUPT, dir, "has a damaged marker file");
	if (version > VERSION)
		return fail_path(err, CTR_E_STORE_NEWER, dir, "was made by a newer libctr");
	m->complete = true;
	boot_id = ctr__json_str(ctr__json_get(doc->root, "bootId"));
	if (boot_id && strlen(boot_id) < sizeof(m->boot_id))
		memcpy(m->boot_id, boot_id, strlen(boot_id) + 1);
	(void)ctr__json_u64(ctr__json_get(doc->root, "generation"), &m->generation);
	root = ctr__json_str(ctr__json_get(doc->root, "root"));
	if (root && *root) {
		m->root = strdup(root);
		if (!m->root)
			return ctr__fail_nomem(err);
	}
	return 0;
}

static int read_marker(
    struct marker *m, int dirfd, const char *dir, const char *name, ctr_error_t **err)
{
	CTR__FREE char *text = NULL;
	size_t len = 0;
	int r = ctr__read_file_at(dirfd, name, MARKER_MAX, &text, &len);

	memset(m, 0, sizeof(*m));
	if (r == -ENOENT)
		return 0;
	if (r == -EFBIG || r == -ELOOP || r == -EISDIR || r == -EINVAL)
		return fail_path(
		    err, CTR_E_STORE_FOREIGN, dir, "has a marker file that is not of libctr");
	if (r < 0)
		return ctr__fail_errno(err, -r, dir, "cannot read the marker file \"%s\"", name);
	m->found = true;
	return len ? parse_marker(m, dir, text, len, err) : 0;
}

/* ---- making markers ---- */

static bool ignored(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strcmp(name, ".lock") == 0 ||
	       strcmp(name, "lost+found") == 0;
}

/* A directory stream of its own; NULL and errno. */
static DIR *open_dir(int dirfd, const char *name)
{
	CTR__CLOSE int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (d)
		(void)ctr__steal_fd(&fd);
	return d;
}

static void closedirp(DIR **d)
{
	if (*d)
		closedir(*d);
}
#define CLOSEDIR CTR__CLEANUP(closedirp)

static int check_unused(int dirfd, const char *dir, ctr_error_t **err)
{
	CLOSEDIR DIR *d = open_dir(dirfd, ".");
	struct dirent *e;

	if (!d)
		return ctr__fail_errno(err, errno, dir, "cannot read the directory");
	while ((errno = 0, e = readdir(d))) {
		if (!ignored(e->d_name))
			return fail_path(err, CTR_E_STORE_FOREIGN, dir,
			    "is not empty and was not made by libctr");
	}
	return errno ? ctr__fail_errno(err, errno, dir, "cannot read the directory") : 0;
}

static int make_empty(int dirfd, const char *dir, const char *name, ctr_error_t **err)
{
	CTR__CLOSE int fd =
	    openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0 && errno != EEXIST)
		return ctr__fail_errno(err, errno, dir, "cannot make the marker file \"%s\"", name);
	return 0;
}

static bool marked(int dirfd, const char *name)
{
	return faccessat(dirfd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Ours, or empty? */
static int examine(int dirfd, const char *dir, const char *marker, ctr_error_t **err)
{
	ctr_error_t *foreign = NULL;
	int r;

	if (marked(dirfd, marker))
		return 0;
	r = check_unused(dirfd, dir, &foreign);
	/* Somebody else may be making it right now; the marker comes before all other files. */
	if (r < 0 && marked(dirfd, marker))
		r = 0;
	if (r < 0 && err)
		*err = CTR__STEAL_PTR(foreign);
	ctr_error_free(foreign);
	return r;
}

int ctr__examine_directories(struct ctr__store *s, ctr_error_t **err)
{
	int r = examine(s->root_fd, s->root, ROOT_MARKER, err);

	return r < 0 ? r : examine(s->run_fd, s->run_root, RUN_MARKER, err);
}

int ctr__root_marker(struct ctr__store *s, ctr_error_t **err)
{
	static const char text[] = "{\"version\":1}\n";
	CTR__CLEANUP(marker_free) struct marker m;
	int r = read_marker(&m, s->root_fd, s->root, ROOT_MARKER, err);

	if (r < 0 || m.complete)
		return r;
	if (!m.found) {
		r = check_unused(s->root_fd, s->root, err);
		if (r == 0)
			r = make_empty(s->root_fd, s->root, ROOT_MARKER, err);
		if (r < 0)
			return r;
	}
	r = ctr__write_file_at(s->root_fd, ROOT_MARKER, text, sizeof(text) - 1, 0600, true);
	if (r < 0)
		return ctr__fail_errno(
		    err, -r, s->root, "cannot write the marker file \"%s\"", ROOT_MARKER);
	return 0;
}

/* ---- the run root ---- */

static int check_run_owner(struct ctr__store *s, const struct marker *m, ctr_error_t **err)
{
	if (!m->root || strcmp(m->root, s->root) == 0)
		return 0;
	return ctr__fail(err, CTR_E_STORE_CONFIG,
	    "the run root %s belongs to the root \"%s\", and was opened with \"%s\"", s->run_root,
	    m->root, s->root);
}

/* Has somebody removed the parts without which it is of no use? */
static bool has_parts(int run_fd)
{
	return faccessat(run_fd, "locks", F_OK, AT_SYMLINK_NOFOLLOW) == 0 &&
	       faccessat(run_fd, "db/data.mdb", F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

int ctr__run_examine(struct ctr__store *s, bool *attach, uint64_t *generation, ctr_error_t **err)
{
	CTR__CLEANUP(marker_free) struct marker m;
	char boot_id[37];
	int r = read_marker(&m, s->run_fd, s->run_root, RUN_MARKER, err);

	if (r == 0)
		r = m.found ? check_run_owner(s, &m, err)
		            : check_unused(s->run_fd, s->run_root, err);
	if (r < 0)
		return r;
	r = ctr__boot_id(boot_id);
	if (r < 0)
		return ctr__fail_errno(err, -r, NULL, "cannot read the boot ID");
	*attach = m.complete && strcmp(m.boot_id, boot_id) == 0 && has_parts(s->run_fd);
	*generation = m.generation;
	return 0;
}

static int write_run_marker(
    struct ctr__store *s, const char *boot_id, uint64_t generation, ctr_error_t **err)
{
	CTR__BUF struct ctr__buf text = {0};
	int r;

	ctr__buf_addf(&text,
	    "{\"version\":%d,\"bootId\":\"%s\",\"generation\":%llu,\"root\":", VERSION, boot_id,
	    (unsigned long long)generation);
	ctr__json_write_string(s->root, strlen(s->root), &text);
	ctr__buf_adds(&text, "}\n");
	if (text.failed)
		return ctr__fail_nomem(err);
	r = ctr__write_file_at(s->run_fd, RUN_MARKER, text.data, text.len, 0600, false);
	if (r < 0)
		return ctr__fail_errno(
		    err, -r, s->run_root, "cannot write the marker file \"%s\"", RUN_MARKER);
	return 0;
}

int ctr__run_commit(struct ctr__store *s, uint64_t generation, ctr_error_t **err)
{
	char boot_id[37];
	int r = ctr__boot_id(boot_id);

	if (r < 0)
		return ctr__fail_errno(err, -r, NULL, "cannot read the boot ID");
	return write_run_marker(s, boot_id, generation, err);
}

/* ---- wiping ---- */

/* What is mounted directly below containers/<id>: if the run root was removed without a reboot, the files of a
 * running container may be. */
static int unmount_in(struct ctr__store *s, int containers_fd, const char *id, ctr_error_t **err)
{
	CLOSEDIR DIR *d = open_dir(containers_fd, id);
	struct dirent *e;
	int r = 0;

	if (!d)
		return errno == ENOTDIR || errno == ENOENT || errno == ELOOP
		           ? 0
		           : ctr__fail_errno(err, errno, s->run_root, "cannot read \"%s\"", id);
	while (r == 0 && (e = readdir(d))) {
		CTR__FREE char *path = NULL;

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		path = ctr__format("%s/containers/%s/%s", s->run_root, id, e->d_name);
		r = path ? ctr__unmount_all(path, err) : ctr__fail_nomem(err);
	}
	return r;
}

static int unmount_containers(struct ctr__store *s, ctr_error_t **err)
{
	CLOSEDIR DIR *d = open_dir(s->run_fd, "containers");
	struct dirent *e;
	int r = 0;

	while (d && r == 0 && (e = readdir(d))) {
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			r = unmount_in(s, dirfd(d), e->d_name, err);
	}
	return r;
}

int ctr__run_wipe(struct ctr__store *s, uint64_t generation, ctr_error_t **err)
{
	static const char *const ours[] = {
	    "db", "locks", "locks.new", "events", "exits", "persist", "oci", "containers"};
	int r = make_empty(s->run_fd, s->run_root, RUN_MARKER, err);

	/* Unfinished, from now on. */
	if (r == 0)
		r = write_run_marker(s, "", generation, err);
	if (r == 0)
		r = unmount_containers(s, err);
	for (size_t i = 0; r == 0 && i < CTR__ARRAY_SIZE(ours); i++) {
		int rc = ctr__remove_tree_at(s->run_fd, ours[i]);

		if (rc < 0)
			r = ctr__fail_errno(err, -rc, s->run_root,
			    "cannot remove \"%s\" of an earlier boot", ours[i]);
	}
	return r;
}

int ctr__run_populate(struct ctr__store *s, ctr_error_t **err)
{
	static const char *const dirs[] = {"exits", "persist", "oci", "containers"};

	for (size_t i = 0; i < CTR__ARRAY_SIZE(dirs); i++) {
		CTR__CLOSE int fd = ctr__mkdir_at(s->run_fd, dirs[i], 0700);

		if (fd < 0)
			return ctr__fail_errno(
			    err, -fd, s->run_root, "cannot make \"%s\"", dirs[i]);
	}
	return 0;
}
