/* SPDX-License-Identifier: Apache-2.0 */
/* The files that are made for a run. */
#include "core/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libctr/version.h>

#include "spec/mounts.h"
#include "sys/fd.h"
#include "sys/path.h"
#include "sys/selinux.h"
#include "util/cleanup.h"

#define ZONEINFO "/usr/share/zoneinfo"
#define ZONE_MAX (1U << 20)

void ctr__files_free(struct ctr__files *f)
{
	ctr__cleanup_close(&f->root_fd);
	ctr__cleanup_close(&f->run_fd);
	ctr__json_doc_free(f->doc);
	free(f->hostname);
	ctr__users_free(&f->users);
	ctr__user_free(&f->user);
	for (size_t i = 0; i < f->n; i++)
		free((char *)(uintptr_t)f->bind[i].value);
}

/* ---- what the spec says ---- */

bool ctr__files_wants(const struct ctr__files *f, const char *dest)
{
	return !ctr__mounts_find(ctr__json_get(f->spec, "mounts"), dest);
}

const struct ctr__json *ctr__files_namespace(const struct ctr__files *f, const char *type)
{
	CTR__JSON_EACH (ns, ctr__json_path(f->spec, "linux", "namespaces", NULL)) {
		if (ctr__streq(ctr__json_str(ctr__json_get(ns, "type")), type))
			return ns;
	}
	return NULL;
}

const char *ctr__files_workdir(const struct ctr__files *f)
{
	const char *cwd = ctr__json_str(ctr__json_path(f->spec, "process", "cwd", NULL));

	return cwd && *cwd ? cwd : "/";
}

/* ---- making files ---- */

int ctr__files_bind(
    struct ctr__files *f, const char *dest, const char *host_path, ctr_error_t **err)
{
	char *path = strdup(host_path);

	if (!path)
		return ctr__fail_nomem(err);
	if (f->n == CTR__FILES_MAX) {
		free(path);
		return ctr__fail(err, CTR_E_INTERNAL, "too many files for a container");
	}
	f->bind[f->n++] = (struct ctr__cfg_pair){dest, path};
	return 0;
}

int ctr__files_give(const struct ctr__files *f, int fd, const char *name, ctr_error_t **err)
{
	CTR__FREE char *path = ctr__path_join(f->run_dir, name);

	if (!path)
		return ctr__fail_nomem(err);
	if (fchown(fd, f->cfg->root_uid, f->cfg->root_gid) < 0)
		return ctr__fail_errno(err, errno, path, "cannot give %s to the container", path);
	return ctr__selinux_label_path(path, f->cfg->mount_label, err);
}

/* Only what is made here and now is written to: whatever had the name is taken away. */
static int create_new(int dir, const char *name)
{
	int fd;

	if (unlinkat(dir, name, 0) < 0 && errno != ENOENT)
		return -errno;
	fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	return fd < 0 ? -errno : fd;
}

static int write_new(struct ctr__files *f, const char *name, const void *data, size_t len, int *fd)
{
	*fd = create_new(f->run_fd, name);
	if (*fd < 0)
		return *fd;
	if (fchmod(*fd, 0644) < 0)
		return -errno;
	return ctr__write_all(*fd, data, len);
}

int ctr__files_put(struct ctr__files *f, const char *name, const char *dest, const void *data,
    size_t len, ctr_error_t **err)
{
	CTR__FREE char *path = ctr__path_join(f->run_dir, name);
	CTR__CLOSE int fd = -1;
	int r;

	if (!path)
		return ctr__fail_nomem(err);
	r = write_new(f, name, data, len, &fd);
	if (r < 0)
		return ctr__fail_errno(err, -r, path, "cannot write %s", path);
	r = ctr__files_give(f, fd, name, err);
	return r < 0 ? r : ctr__files_bind(f, dest, path, err);
}

/* ---- hostname ---- */

static int find_hostname(struct ctr__files *f, ctr_error_t **err)
{
	char host[HOST_NAME_MAX + 1] = "";

	if (f->joined_hostname)
		f->hostname = strdup(f->joined_hostname);
	else if (ctr__files_namespace(f, "uts"))
		f->hostname = strdup(ctr_config_hostname(f->cfg));
	else if (gethostname(host, sizeof(host) - 1) == 0)
		f->hostname = strdup(host);
	else
		f->hostname = strdup("");
	return f->hostname ? 0 : ctr__fail_nomem(err);
}

static int put_hostname(struct ctr__files *f, ctr_error_t **err)
{
	CTR__FREE char *line = NULL;

	if (f->cfg->use_image_hostname || !ctr__files_wants(f, "/etc/hostname"))
		return 0;
	line = ctr__format("%s\n", f->hostname);
	if (!line)
		return ctr__fail_nomem(err);
	return ctr__files_put(f, "hostname", "/etc/hostname", line, strlen(line), err);
}

/* ---- .containerenv ---- */

/* key="value", as a shell reads it. */
static void add_setting(struct ctr__buf *out, const char *key, const char *value)
{
	ctr__buf_addf(out, "%s=\"", key);
	for (; value && *value; value++) {
		if ((unsigned char)*value < ' ' || *value == 0x7f)
			continue;
		if (strchr("\"\\$`", *value))
			ctr__buf_addc(out, '\\');
		ctr__buf_addc(out, *value);
	}
	ctr__buf_adds(out, "\"\n");
}

static int put_containerenv(struct ctr__files *f, ctr_error_t **err)
{
	CTR__BUF struct ctr__buf text = {0};
	CTR__FREE char *engine = ctr__format("libctr-%s", ctr_version(NULL, NULL, NULL));

	if (!ctr__files_wants(f, "/run/.containerenv"))
		return 0;
	if (!engine)
		return ctr__fail_nomem(err);
	/* Who it is, is not for everybody. */
	if (f->cfg->privileged) {
		add_setting(&text, "engine", engine);
		add_setting(&text, "name", f->cfg->name);
		add_setting(&text, "id", f->c->id);
		add_setting(&text, "image", f->cfg->rootfs_image_name);
		add_setting(&text, "imageid", f->cfg->rootfs_image_id);
		ctr__buf_adds(&text, "rootless=0\n");
	}
	if (text.failed)
		return ctr__fail_nomem(err);
	return ctr__files_put(
	    f, "containerenv", "/run/.containerenv", text.data ? text.data : "", text.len, err);
}

/* ---- secrets ---- */

static int make_secrets(struct ctr__files *f, ctr_error_t **err)
{
	CTR__FREE char *path = NULL;
	CTR__CLOSE int fd = -1;
	int r;

	if (!ctr__files_wants(f, "/run/secrets"))
		return 0;
	path = ctr__path_join(f->run_dir, "secrets");
	if (!path)
		return ctr__fail_nomem(err);
	fd = ctr__mkdir_at(f->run_fd, "secrets", 0755);
	if (fd < 0)
		return ctr__fail_errno(err, -fd, path, "cannot make %s", path);
	r = ctr__files_give(f, fd, "secrets", err);
	return r < 0 ? r : ctr__files_bind(f, "/run/secrets", path, err);
}

/* ---- time zone ---- */

static int no_zone(ctr_error_t **err, int r, const char *zone, const char *where)
{
	if (r == -ENOMEM)
		return ctr__fail_nomem(err);
	ctr__fail(err, CTR_E_INVALID,
	    "timezone: this host has no time zone \"%.100s\": %s cannot be used (%s)", zone, where,
	    r == -EINVAL ? "no regular file" : strerrordesc_np(-r));
	ctr__error_detail(err, "field", "timezone");
	return CTR_E_INVALID;
}

/* The data of the host: what the container has may be older, or nothing. */
static int put_localtime(struct ctr__files *f, ctr_error_t **err)
{
	const char *zone = f->cfg->timezone;
	bool local = zone && strcmp(zone, "local") == 0;
	const char *dir = local ? "/" : ZONEINFO, *name = local ? "/etc/localtime" : zone;
	CTR__FREE char *data = NULL;
	CTR__CLOSE int fd = -1;
	size_t len = 0;
	int r;

	if (!zone || !ctr__files_wants(f, "/etc/localtime"))
		return 0;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return no_zone(err, -errno, zone, dir);
	r = ctr__read_in_root(fd, name, ZONE_MAX, &data, &len);
	if (r < 0)
		return no_zone(err, r, zone, name);
	return ctr__files_put(f, "localtime", "/etc/localtime", data, len, err);
}

/* ---- all ---- */

static int open_dirs(struct ctr__files *f, ctr_error_t **err)
{
	f->root_fd = open(f->root_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (f->root_fd < 0)
		return ctr__fail_errno(
		    err, errno, f->root_path, "cannot open root file system %s", f->root_path);
	f->run_fd = open(f->run_dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (f->run_fd < 0)
		return ctr__fail_errno(
		    err, errno, f->run_dir, "cannot open the run directory %s", f->run_dir);
	return 0;
}

static int parse_spec(struct ctr__files *f, ctr_error_t **err)
{
	int r = ctr__json_parse(f->cfg->spec.text, f->cfg->spec.len, "spec", &f->doc, err);

	if (r < 0)
		return r;
	f->spec = f->doc->root;
	return ctr__spec_validate(f->spec, err);
}

int ctr__files_make(struct ctr__files *f, ctr_error_t **err)
{
	static int (*const steps[])(struct ctr__files * f, ctr_error_t * *err) = {open_dirs,
	    parse_spec, find_hostname, ctr__files_network, put_hostname, put_containerenv,
	    make_secrets, ctr__files_user, put_localtime, ctr__files_root};
	int r = 0;

	for (size_t i = 0; r >= 0 && i < CTR__ARRAY_SIZE(steps); i++)
		r = steps[i](f, err);
	return r < 0 ? r : 0;
}
