/* SPDX-License-Identifier: Apache-2.0 */
/* What the examples share, so that each can show its one idea. Nothing here is special to libctr. */
#ifndef EXAMPLE_H
#define EXAMPLE_H

#include <libctr/libctr.h>

#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

/* Every call that can fail returns a negative code and fills in an error object. */
__attribute__((unused, noreturn)) static void die(const char *what, ctr_error_t *err)
{
	const char *theirs = ctr_error_get(err, "oci.stderr");

	fprintf(stderr, "%s: %s\n", what, ctr_error_message(err));
	if (theirs)
		fprintf(stderr, "the OCI runtime said: %s\n", theirs);
	ctr_error_free(err);
	exit(1);
}

/* Opens the store in /var/lib/libctr and /run/libctr, or where the environment says. */
__attribute__((unused)) static ctr_runtime_t *open_store(void)
{
	struct ctr_open_opts opts = {.size = sizeof opts};
	ctr_runtime_t *rt;
	ctr_error_t *err = NULL;

	opts.root = getenv("LIBCTR_ROOT");
	opts.run_root = getenv("LIBCTR_RUN_ROOT");
	opts.oci_runtimes = getenv("LIBCTR_OCI"); /* NULL: the library chooses */
	if (ctr_runtime_open(&opts, &rt, &err) < 0)
		die("open", err);
	return rt;
}

/* Lets open_store() use a store in the directory `dir`. */
__attribute__((unused)) static void use_store_in(const char *dir)
{
	char path[512];

	snprintf(path, sizeof path, "%s/root", dir);
	setenv("LIBCTR_ROOT", path, 1);
	snprintf(path, sizeof path, "%s/run", dir);
	setenv("LIBCTR_RUN_ROOT", path, 1);
}

/* Makes a container that runs the shell line `script` in the directory `rootfs`, by the OCI runtime `oci`
 * (NULL = the default one). */
__attribute__((unused)) static ctr_container_t *create_shell(
    ctr_runtime_t *rt, const char *oci, const char *rootfs, const char *name, const char *script)
{
	ctr_config_builder_t *b = ctr_config_builder_new();
	ctr_config_t *cfg = NULL;
	ctr_container_t *c = NULL;
	ctr_error_t *err = NULL;

	ctr_config_builder_set_str(b, CTR_CONFIG_ROOTFS, rootfs, NULL);
	ctr_config_builder_set_str(b, CTR_CONFIG_NAME, name, NULL);
	ctr_config_builder_set_str(b, CTR_CONFIG_RUNTIME, oci, NULL);
	ctr_config_builder_add_str(b, CTR_CONFIG_COMMAND, "/bin/sh", NULL);
	ctr_config_builder_add_str(b, CTR_CONFIG_COMMAND, "-c", NULL);
	ctr_config_builder_add_str(b, CTR_CONFIG_COMMAND, script, NULL);
	if (ctr_config_builder_build(b, &cfg, &err) < 0 ||
	    ctr_container_create(rt, cfg, 0, &c, &err) < 0)
		die("create", err);
	ctr_config_unref(cfg);
	ctr_config_builder_free(b);
	return c;
}

/* A root file system for a container: this machine's (static) busybox, as the shell too. */
__attribute__((unused)) static void make_rootfs(const char *dir)
{
	char path[512];
	int from = open("/bin/busybox", O_RDONLY | O_CLOEXEC), to;

	mkdir(dir, 0755);
	snprintf(path, sizeof path, "%s/bin", dir);
	mkdir(path, 0755);
	snprintf(path, sizeof path, "%s/bin/busybox", dir);
	to = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	if (from < 0 || to < 0) {
		fprintf(stderr, "/bin/busybox -> %s: %m (install busybox-static)\n", path);
		exit(1);
	}
	while (sendfile(to, from, NULL, 1 << 20) > 0)
		;
	close(from);
	close(to);
	snprintf(path, sizeof path, "%s/bin/sh", dir);
	if (symlink("busybox", path) < 0)
		perror(path);
}

__attribute__((unused)) static int remove_one(
    const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st, (void)kind, (void)at;
	return remove(path);
}

/* rm -r --one-file-system */
__attribute__((unused)) static void remove_tree(const char *dir)
{
	if (nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) != 0)
		perror(dir);
}

#endif
