/* SPDX-License-Identifier: Apache-2.0 */
/* What a section works in. */
#include "sections.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void check(int r, const char *what, ctr_error_t *err)
{
	const char *more;

	if (r >= 0)
		return;
	more = ctr_error_get(err, "oci.stderr");
	die("%s: %s%s%s", what, ctr_error_message(err), more ? ": " : "", more ? more : "");
}

static void make_rootfs(const char *dir)
{
	static const char *const dirs[] = {"bin", "proc", "sys", "dev", "etc", "tmp"};
	static const char *const applets[] = {"sh", "true", "sleep"};
	char *path;

	make_dir(dir);
	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs); i++) {
		path = text("%s/%s", dir, dirs[i]);
		make_dir(path);
		free(path);
	}
	path = text("%s/bin/busybox", dir);
	copy_file("/bin/busybox", path);
	free(path);
	for (size_t i = 0; i < sizeof(applets) / sizeof(*applets); i++) {
		path = text("%s/bin/%s", dir, applets[i]);
		if (symlink("busybox", path) < 0)
			die("%s: %s", path, strerror(errno));
		free(path);
	}
}

void world_init(struct world *w, const char *disk, const char *tmpfs, const char *oci)
{
	memset(w, 0, sizeof(*w));
	w->disk = text("%s", disk);
	w->tmpfs = text("%s", tmpfs);
	w->rootfs = text("%s/rootfs", disk);
	w->root = text("%s/root", disk);
	w->run_root = text("%s/run", tmpfs);
	w->conmon = find_program("conmon");
	w->oci_name = oci ? oci : "runc";
	w->oci = find_program(w->oci_name);
	if (!w->oci && !oci) {
		w->oci_name = "crun";
		w->oci = find_program("crun");
	}
	make_rootfs(w->rootfs);
}

void world_end(struct world *w)
{
	ctr_runtime_unref(w->rt);
	free(w->disk);
	free(w->tmpfs);
	free(w->rootfs);
	free(w->root);
	free(w->run_root);
	free(w->conmon);
	free(w->oci);
}

ctr_runtime_t *open_runtime(const char *root, const char *run_root, const char *oci)
{
	struct ctr_open_opts o = {
	    .size = sizeof(o), .root = root, .run_root = run_root, .oci_runtimes = oci};
	ctr_runtime_t *rt = NULL;

	OK(ctr_runtime_open(&o, &rt, &err));
	return rt;
}

void world_open(struct world *w)
{
	w->rt = open_runtime(w->root, w->run_root, w->oci);
}

ctr_config_t *make_config(const struct world *w, const char *command, const char *argument)
{
	ctr_config_builder_t *b = ctr_config_builder_new();
	ctr_config_t *cfg = NULL;

	ctr_config_builder_set_str(b, CTR_CONFIG_ROOTFS, w->rootfs, NULL);
	ctr_config_builder_add_str(b, CTR_CONFIG_COMMAND, command, NULL);
	if (argument)
		ctr_config_builder_add_str(b, CTR_CONFIG_COMMAND, argument, NULL);
	OK(ctr_config_builder_build(b, &cfg, &err));
	ctr_config_builder_free(b);
	return cfg;
}

ctr_container_t *create(ctr_runtime_t *rt, ctr_config_t *cfg)
{
	ctr_container_t *c = NULL;

	OK(ctr_container_create(rt, cfg, 0, &c, &err));
	return c;
}

void create_many(ctr_runtime_t *rt, const struct world *w, int n)
{
	ctr_config_t *cfg = make_config(w, "/bin/true", NULL);

	for (int i = 0; i < n; i++)
		ctr_container_unref(create(rt, cfg));
	ctr_config_unref(cfg);
}
