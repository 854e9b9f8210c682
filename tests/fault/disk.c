/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Directories that fail: no room, read-only, a run root that vanishes under a running container. With a real OCI
 * runtime. Each refused call must say why and change nothing, and work once the reason is gone.
 *
 *	disk [runc|crun [root|run|ro|lost]]
 */
#include <errno.h>
#include <poll.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <libctr/libctr.h>

#include "world.h"

static unsigned failures;

__attribute__((format(printf, 1, 2))) static void failed(const char *fmt, ...)
{
	va_list ap;

	fputs("FAIL: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	failures++;
}

static void must(const char *what, int r, ctr_error_t *err)
{
	if (r < 0)
		failed("%s: %s (%s)", what, ctr_error_message(err), ctr_error_name(r));
	ctr_error_free(err);
}
#define KERNEL_MS 2000 /* what the kernel may take to end a process that was killed */
#define MUST(what, call)                 \
	do {                             \
		ctr_error_t *err = NULL; \
		int r_ = (call);         \
		world_doing("%s", what); \
		must(what, r_, err);     \
	} while (0)

/* ---- tools ---- */

static void mount_small(const char *dir, unsigned long kib)
{
	char options[64];

	snprintf(options, sizeof(options), "mode=0700,size=%luk", kib);
	mkdir(dir, 0700);
	if (mount("small", dir, "tmpfs", 0, options) < 0)
		failed("mount %s: %s", dir, strerror(errno));
}

static int fill(const char *dir, unsigned long spare_blocks)
{
	char path[256], block[4096];
	struct statvfs fs;
	int fd;

	memset(block, 'x', sizeof(block));
	snprintf(path, sizeof(path), "%s/filler", dir);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_TRUNC, 0600);
	while (fd >= 0 && fstatvfs(fd, &fs) == 0 && fs.f_bfree > spare_blocks) {
		if (write(fd, block, sizeof(block)) <= 0)
			break;
	}
	return fd < 0 ? -1 : close(fd);
}

static void unfill(const char *dir)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/filler", dir);
	unlink(path);
}

static ctr_container_t *create(struct world *w, const char *name)
{
	ctr_config_t *cfg = world_config(w, name);
	ctr_container_t *c = NULL;

	MUST("create", ctr_container_create(w->rt, cfg, 0, &c, &err));
	ctr_config_unref(cfg);
	return c;
}

static size_t count(struct world *w)
{
	ctr_list_t *list = NULL;
	size_t n;

	MUST("list", ctr_runtime_list(w->rt, NULL, 0, &list, &err));
	n = ctr_list_count(list);
	ctr_list_free(list);
	return n;
}

static int32_t state_of(ctr_container_t *c)
{
	int32_t state = CTR_STATE_UNKNOWN;

	MUST("state", ctr_container_state(c, &state, &err));
	return state;
}

static void expect_state(ctr_container_t *c, int32_t want, const char *when)
{
	int32_t state = state_of(c);

	if (state != want)
		failed(
		    "%s: state is %s, not %s", when, ctr_state_name(state), ctr_state_name(want));
}

static void expect_clean(struct world *w, const char *when)
{
	char text[4096];
	int ms;

	if (world_settled(w, 2000, &ms, text, sizeof(text)))
		failed("%s: left behind:\n%s", when, text);
}

/* Says why: a code that fits, and the file or directory, or the kernel's reason. */
static void expect_refusal(const char *what, int r, ctr_error_t *err, int errno_)
{
	if (r >= 0)
		failed("%s: worked", what);
	else if (r != CTR_E_STORE_FULL && ctr_error_errno(err) != errno_ &&
	         !strstr(ctr_error_message(err), strerror(errno_)))
		failed("%s: does not say \"%s\": %s (%s, errno %d)", what, strerror(errno_),
		    ctr_error_message(err), ctr_error_name(r), ctr_error_errno(err));
	else
		printf("  %s: %s: %s\n", what, ctr_error_name(r), ctr_error_message(err));
	ctr_error_free(err);
}

/* ---- no room on the root ---- */

static void test_full_root(struct world *w)
{
	ctr_config_t *cfg = world_config(w, "second");
	ctr_container_t *c, *second = NULL;
	ctr_error_t *why = NULL;
	int r;

	mount_small(w->root, 512);
	world_open(w);
	c = create(w, "first");
	fill(w->root, 0);
	r = ctr_container_create(w->rt, cfg, 0, &second, &why);
	expect_refusal("create, full root", r, why, ENOSPC);
	if (count(w) != 1)
		failed("full root: %zu containers", count(w));
	why = NULL;
	/* Its log has its place there. */
	r = ctr_container_start(c, 0, &why);
	if (r < 0) {
		expect_refusal("start, full root", r, why, ENOSPC);
		expect_state(c, CTR_STATE_CONFIGURED, "start, full root");
	}
	unfill(w->root);
	MUST("create, room again", ctr_container_create(w->rt, cfg, 0, &second, &err));
	if (r < 0)
		MUST("start, room again", ctr_container_start(c, 0, &err));
	/* What runs can be ended and removed without room. */
	fill(w->root, 0);
	MUST("stop, full root", ctr_container_stop_with_timeout(c, 1000, &err));
	r = ctr_container_remove(c, CTR_REMOVE_FORCE, &why);
	if (r < 0) {
		expect_refusal("remove, full root", r, why, ENOSPC);
		unfill(w->root);
		MUST("remove, room again", ctr_container_remove(c, CTR_REMOVE_FORCE, &err));
	}
	unfill(w->root);
	MUST("remove second", ctr_container_remove(second, CTR_REMOVE_FORCE, &err));
	expect_clean(w, "full root");
	ctr_container_unref(c);
	ctr_container_unref(second);
	ctr_config_unref(cfg);
	world_close(w);
	umount2(w->root, MNT_DETACH);
}

/* ---- no room on the run root ---- */

/* One life with so many blocks to spare: each step works or is refused for that reason; then it works. */
static void live_without_room(struct world *w, unsigned long spare)
{
	static int (*const steps[])(ctr_container_t * c, uint64_t flags, ctr_error_t * *err) = {
	    ctr_container_init, ctr_container_start};
	static const char *const names[] = {"init, full run root", "start, full run root"};
	static const int32_t before[] = {CTR_STATE_CONFIGURED, CTR_STATE_CREATED};
	ctr_container_t *c = create(w, "first");

	for (size_t i = 0; i < 2; i++) {
		ctr_error_t *why = NULL;
		int r;

		fill(w->run, spare);
		world_doing("%s, %lu blocks", names[i], spare);
		r = steps[i](c, 0, &why);
		if (r < 0) {
			printf("  %lu blocks: %s: %s: %s\n", spare, names[i], ctr_error_name(r),
			    ctr_error_message(why));
			ctr_error_free(why);
		}
		unfill(w->run);
		if (r < 0 && state_of(c) == before[i])
			MUST("again with room", steps[i](c, 0, &err));
	}
	expect_state(c, CTR_STATE_RUNNING, "run root with room again");
	fill(w->run, spare);
	{
		ctr_error_t *why = NULL;
		int r = ctr_container_remove(c, CTR_REMOVE_FORCE, &why);

		if (r < 0)
			printf("  %lu blocks: remove: %s: %s\n", spare, ctr_error_name(r),
			    ctr_error_message(why));
		ctr_error_free(why);
		unfill(w->run);
		if (r < 0)
			MUST("remove, room again", ctr_container_remove(c, CTR_REMOVE_FORCE, &err));
	}
	expect_clean(w, "full run root");
	if (count(w) != 0)
		failed("full run root: a container is left");
	ctr_container_unref(c);
}

static void test_full_run_root(struct world *w)
{
	mount_small(w->run, 2048);
	world_open(w);
	for (unsigned long spare = 0; spare < 14; spare++)
		live_without_room(w, spare);
	world_close(w);
	umount2(w->run, MNT_DETACH);
}

/* ---- read-only ---- */

static void set_read_only(const char *dir, bool on)
{
	if (mount(NULL, dir, NULL, MS_REMOUNT | (on ? MS_RDONLY : 0), NULL) < 0)
		failed("remount %s: %s", dir, strerror(errno));
}

static void test_read_only_root(struct world *w)
{
	struct ctr_open_opts o = {
	    .size = sizeof(o), .root = w->root, .run_root = w->run, .oci_runtimes = w->oci};
	ctr_runtime_t *rt = NULL;
	ctr_error_t *why = NULL;
	ctr_container_t *c;
	int r;

	mount_small(w->root, 4096);
	world_open(w);
	c = create(w, "first");
	ctr_container_unref(c);
	world_close(w);
	set_read_only(w->root, true);
	r = ctr_runtime_open(&o, &rt, &why);
	if (r < 0)
		expect_refusal("open, read-only root", r, why, EROFS);
	else
		printf("  open, read-only root: works\n");
	ctr_runtime_unref(rt);
	set_read_only(w->root, false);
	world_open(w);
	why = NULL;
	MUST("lookup, writable again", ctr_container_lookup(w->rt, "first", &c, &err));
	MUST("remove", ctr_container_remove(c, CTR_REMOVE_FORCE, &err));
	ctr_container_unref(c);
	expect_clean(w, "read-only root");
	world_close(w);
	umount2(w->root, MNT_DETACH);
}

/* ---- the run root is wiped while nobody looks ---- */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	return at->level == 0 ? 0 : remove(path);
}

static void wipe_run_root(struct world *w, const char *id)
{
	char path[400];

	snprintf(path, sizeof(path), "%s/containers/%s/shm", w->run, id);
	umount2(path, MNT_DETACH);
	if (nftw(w->run, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0)
		failed("wiping %s: %s", w->run, strerror(errno));
}

/* One that was killed has left its cgroup a little before it has wholly ended. */
static bool outlives(int32_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd p = {.fd = fd, .events = POLLIN};

	if (fd >= 0) {
		poll(&p, 1, KERNEL_MS);
		close(fd);
	}
	return world_alive(pid);
}

static void test_lost_run_root(struct world *w, const char *then)
{
	ctr_container_t *c;
	int32_t pid = 0;
	char id[80];

	world_open(w);
	c = create(w, "first");
	MUST("start", ctr_container_start(c, 0, &err));
	MUST("pid", ctr_container_pid(c, &pid, &err));
	snprintf(id, sizeof(id), "%s", ctr_container_id(c));
	c = ctr_container_unref(c);
	world_close(w);
	wipe_run_root(w, id);
	world_open(w);
	MUST("lookup, run root lost", ctr_container_lookup(w->rt, "first", &c, &err));
	expect_state(c, CTR_STATE_EXITED, "run root lost");
	printf("  run root lost: state %s; its process %s\n", ctr_state_name(state_of(c)),
	    world_alive(pid) ? "is alive" : "is dead");
	if (strcmp(then, "refresh") == 0) {
		MUST("refresh, run root lost", ctr_container_refresh(c, &err));
		expect_state(c, CTR_STATE_EXITED, "refresh, run root lost");
		if (outlives(pid))
			failed("run root lost: the process of the old run outlives a refresh");
	}
	if (strcmp(then, "start") == 0) {
		MUST("start, run root lost", ctr_container_start(c, 0, &err));
		expect_state(c, CTR_STATE_RUNNING, "start, run root lost");
		if (outlives(pid))
			failed(
			    "run root lost: the process of the old run lives beside the new one");
	}
	if (strcmp(then, "evict") == 0)
		MUST("evict, run root lost", ctr_runtime_evict(w->rt, id, 0, NULL, &err));
	else
		MUST("remove, run root lost", ctr_container_remove(c, CTR_REMOVE_FORCE, &err));
	ctr_container_unref(c);
	if (count(w) != 0)
		failed("run root lost: the container is still listed");
	expect_clean(w, "run root lost");
	world_close(w);
}

static int all(struct world *w, void *arg)
{
	const char *only = arg;

	setlinebuf(stdout);
	if (!*only || strcmp(only, "root") == 0)
		test_full_root(w);
	if (!*only || strcmp(only, "run") == 0)
		test_full_run_root(w);
	if (!*only || strcmp(only, "ro") == 0)
		test_read_only_root(w);
	if (!*only || strcmp(only, "lost") == 0) {
		test_lost_run_root(w, "remove");
		test_lost_run_root(w, "start");
		test_lost_run_root(w, "refresh");
		test_lost_run_root(w, "evict");
	}
	return failures > 0;
}

int main(int argc, char **argv)
{
	const char *oci = argc > 1 ? argv[1] : "runc";

	return world_run(oci, 300, all, argc > 2 ? argv[2] : (char *)"");
}
