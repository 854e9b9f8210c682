/* SPDX-License-Identifier: Apache-2.0 */
/* Real containers for the tests of the built-in OCI driver. */
#include "oci_world.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "sys/fd.h"
#include "sys/path.h"
#include "sys/proc.h"
#include "util/str.h"

struct world world;

/* ---- files ---- */

void put_file(const char *dir, const char *name, mode_t mode, const char *content)
{
	char path[400];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, strlen(content)), strlen(content));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

bool exists(const char *dir, const char *name)
{
	char path[400];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return access(path, F_OK) == 0;
}

char *slurp(const char *dir, const char *name)
{
	char path[400], *text = NULL;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return ctr__read_file_at(AT_FDCWD, path, 1 << 20, &text, NULL) == 0 ? text : strdup("");
}

/* ---- one container ---- */

void box_write_config(const struct box *b, const struct wish *w)
{
	char args[1024], text[4096];

	if (w->args)
		snprintf(args, sizeof(args), "%s", w->args);
	else
		snprintf(args, sizeof(args), "[\"/bin/sh\",\"-c\",\"%s\"]", w->command);
	snprintf(text, sizeof(text),
	    "{\"ociVersion\":\"1.0.2\",\"process\":{\"terminal\":%s,\"user\":{\"uid\":0,\"gid\":0},"
	    "\"args\":%s,\"env\":[\"PATH=/bin\"],\"cwd\":\"/\"},"
	    "\"root\":{\"path\":\"%s\",\"readonly\":true},\"hostname\":\"box\","
	    "\"mounts\":[{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"},"
	    "{\"destination\":\"/dev\",\"type\":\"tmpfs\",\"source\":\"tmpfs\"},"
	    "{\"destination\":\"/dev/pts\",\"type\":\"devpts\",\"source\":\"devpts\","
	    "\"options\":[\"newinstance\",\"ptmxmode=0666\"]}],"
	    "\"linux\":{\"cgroupsPath\":\"%s\",\"namespaces\":[%s{\"type\":\"ipc\"},{\"type\":"
	    "\"uts\"},"
	    "{\"type\":\"mount\"}]}}",
	    w->terminal ? "true" : "false", args, world.rootfs, b->cgroup,
	    w->host_pid ? "" : "{\"type\":\"pid\"},");
	put_file(b->bundle, "config.json", 0644, text);
}

void box_make(struct box *b, const struct wish *w)
{
	memset(b, 0, sizeof(*b));
	snprintf(b->id, sizeof(b->id), "t%d-%dx", (int)getpid(), atomic_fetch_add(&world.next, 1));
	snprintf(b->bundle, sizeof(b->bundle), "%s/%s", world.base, b->id);
	snprintf(b->cgroup, sizeof(b->cgroup), "%s/libpod-%s", world.parent, b->id);
	snprintf(b->log, sizeof(b->log), "%s/ctr.log", b->bundle);
	assert_int_equal(mkdir(b->bundle, 0700), 0);
	b->oci = world.oci;
	b->c.size = sizeof(b->c);
	b->c.id = b->id;
	b->c.name = "box";
	b->c.bundle = b->bundle;
	b->c.cgroup_path = b->cgroup;
	if (w->terminal)
		b->c.flags |= CTR_OCI_TERMINAL;
	if (w->host_pid)
		b->c.flags |= CTR_OCI_SHARED_PID;
	box_write_config(b, w);
}

int box_create(struct box *b, ctr_error_t **err)
{
	struct ctr_oci_status out = {.size = sizeof(out)};
	int rc = b->oci->ops.create(b->oci->impl, &b->c, &out, err);

	if (rc == 0) {
		b->c.pid = out.pid;
		b->c.pid_start = out.pid_start;
		b->c.monitor_pid = out.monitor_pid;
		b->c.monitor_start = out.monitor_start;
	}
	return rc;
}

int box_start(struct box *b, ctr_error_t **err)
{
	return b->oci->ops.start(b->oci->impl, &b->c, err);
}

int box_kill(struct box *b, int sig, ctr_error_t **err)
{
	return b->oci->ops.kill(b->oci->impl, &b->c, sig, 0, err);
}

int box_remove(struct box *b, ctr_error_t **err)
{
	return b->oci->ops.remove(b->oci->impl, &b->c, 0, err);
}

int box_recover(struct box *b, ctr_error_t **err)
{
	return b->oci->ops.remove(b->oci->impl, &b->c, CTR_OCI_INTERRUPTED, err);
}

int box_pause(struct box *b, ctr_error_t **err)
{
	return b->oci->ops.pause(b->oci->impl, &b->c, err);
}

int box_resume(struct box *b, ctr_error_t **err)
{
	return b->oci->ops.resume(b->oci->impl, &b->c, err);
}

struct ctr_oci_status box_state(struct box *b)
{
	struct ctr_oci_status s = {.size = sizeof(s)};
	ctr_error_t *err = NULL;

	if (b->oci->ops.state(b->oci->impl, &b->c, &s, &err) < 0)
		fail_msg("state: %s", ctr_error_message(err));
	return s;
}

int box_exit_status(struct box *b, struct ctr_oci_status *s)
{
	memset(s, 0, sizeof(*s));
	s->size = sizeof(*s);
	return b->oci->ops.exit_status(b->oci->impl, &b->c, s, NULL);
}

int box_monitor_alive(struct box *b)
{
	return b->oci->ops.monitor_alive(b->oci->impl, &b->c, NULL);
}

bool readable(int fd, int timeout_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, timeout_ms) == 1;
}

int32_t box_wait(struct box *b)
{
	struct ctr_oci_status s;
	int fd = b->oci->ops.wait_fd(b->oci->impl, &b->c, NULL);

	assert_true(fd >= 0);
	assert_true(readable(fd, PATIENCE_MS));
	close(fd);
	assert_int_equal(box_exit_status(b, &s), 1);
	return s.exit_code;
}

void wait_gone(pid_t pid, uint64_t start)
{
	CTR__CLOSE int fd = ctr__pidfd_open(pid, start);

	if (fd >= 0)
		assert_int_equal(ctr__pidfd_wait(fd, PATIENCE_MS), 1);
}

/* ---- nothing is left ---- */

static bool file_mentions(const char *path, const char *what)
{
	char buf[8192];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? ctr__read_eintr(fd, buf, sizeof(buf)) : -1;

	if (fd >= 0)
		close(fd);
	return n > 0 && memmem(buf, (size_t)n, what, strlen(what));
}

static bool link_mentions(const char *path, const char *what)
{
	char target[PATH_MAX];
	ssize_t n = readlink(path, target, sizeof(target));

	return n > 0 && memmem(target, (size_t)n, what, strlen(what));
}

static bool fds_mention(const char *dir, const char *what)
{
	DIR *d = opendir(dir);
	const struct dirent *e;
	bool found = false;

	while (d && !found && (e = readdir(d))) {
		char path[600];

		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		found = link_mentions(path, what);
	}
	if (d)
		closedir(d);
	return found;
}

/* A process that has to do with the container by its command line, cgroup, directory or descriptors.
 * What is dead has none of these. */
static pid_t find_process(const char *id)
{
	DIR *proc = opendir("/proc");
	const struct dirent *e;
	pid_t found = 0;

	assert_non_null(proc);
	while (!found && (e = readdir(proc))) {
		char path[300];
		int pid = atoi(e->d_name);

		if (pid <= 0 || pid == getpid())
			continue;
		snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
		if (file_mentions(path, id))
			found = pid;
		snprintf(path, sizeof(path), "/proc/%d/cgroup", pid);
		if (file_mentions(path, id) && ctr__proc_alive(pid, 0))
			found = pid;
		snprintf(path, sizeof(path), "/proc/%d/cwd", pid);
		if (link_mentions(path, id))
			found = pid;
		snprintf(path, sizeof(path), "/proc/%d/fd", pid);
		if (fds_mention(path, id))
			found = pid;
	}
	closedir(proc);
	return found;
}

/* Calls fn with the path of `group` in each hierarchy. */
static void each_hierarchy(const char *group, void (*fn)(const char *path))
{
	DIR *d = opendir("/sys/fs/cgroup");
	const struct dirent *e;
	char path[600];

	snprintf(path, sizeof(path), "/sys/fs/cgroup%s", group);
	fn(path);
	while (d && (e = readdir(d))) {
		if (e->d_name[0] == '.' || e->d_type != DT_DIR)
			continue;
		snprintf(path, sizeof(path), "/sys/fs/cgroup/%s%s", e->d_name, group);
		fn(path);
	}
	if (d)
		closedir(d);
}

static void must_be_absent(const char *path)
{
	if (access(path, F_OK) == 0)
		fail_msg("left behind: %s", path);
}

/* Everything in a directory whose name is not one of these. */
static void must_hold_only(const char *dir, const char *const *names)
{
	DIR *d = opendir(dir);
	const struct dirent *e;

	while (d && (e = readdir(d)))
		if (!ctr__strv_has(names, e->d_name))
			fail_msg("left behind: %s/%s", dir, e->d_name);
	if (d)
		closedir(d);
}

static void must_not_mention(const char *dir, const char *id)
{
	DIR *d = opendir(dir);
	const struct dirent *e;

	while (d && (e = readdir(d)))
		if (strstr(e->d_name, id))
			fail_msg("left behind: %s/%s", dir, e->d_name);
	if (d)
		closedir(d);
}

/* What has been killed may still be on its way out of the kernel. */
#define GOING_MS 2000

static pid_t find_process_for_good(const char *id)
{
	pid_t pid = find_process(id);

	for (int i = 0; pid && i < GOING_MS / 5; i++) {
		nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
		pid = find_process(id);
	}
	return pid;
}

static void must_have_no_process(const char *id)
{
	pid_t pid = find_process_for_good(id);
	char path[64];
	CTR__FREE char *line = NULL;

	if (!pid)
		return;
	snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	line = slurp(path, "cmdline");
	fail_msg("process %d is left of %s: %s", (int)pid, id, line);
}

void assert_clean(const struct box *b)
{
	/* These are the library's and the user's, not the driver's. */
	static const char *const files[] = {".", "..", "config.json", "ctr.log", NULL};
	char dir[400];

	must_have_no_process(b->id);
	must_hold_only(b->bundle, files);
	snprintf(dir, sizeof(dir), "%s/exits", world.run);
	must_not_mention(dir, b->id);
	snprintf(dir, sizeof(dir), "%s/persist", world.run);
	must_not_mention(dir, b->id);
	must_not_mention(((struct ctr__conmon *)b->oci->impl)->oci_root, b->id);
	each_hierarchy(b->cgroup, must_be_absent);
}

void box_forget(struct box *b)
{
	b->c.pid = b->c.monitor_pid = 0;
	b->c.pid_start = b->c.monitor_start = 0;
}

const struct ctr__conmon *driver(void)
{
	return world.oci->impl;
}

bool is_runc(void)
{
	return driver()->kind == CTR__RUNTIME_RUNC;
}

struct ctr__oci *other_driver(const char *runtime, const char *conmon)
{
	struct ctr__conmon_opts o = {runtime, conmon, world.run};
	struct ctr__oci *oci = NULL;

	assert_int_equal(ctr__conmon_new(&o, &oci, NULL), 0);
	return oci;
}

void live_once(void)
{
	struct box b;

	box_make(&b, &(struct wish){.command = "exit 4"});
	CREATE(&b);
	START(&b);
	assert_int_equal(box_wait(&b), 4);
	assert_int_equal(box_state(&b).status, CTR_OCI_STOPPED);
	REMOVE(&b);
	assert_clean(&b);
	box_make(&b, &(struct wish){.args = "[\"/no-such-program\"]"});
	assert_int_equal(box_create(&b, NULL), CTR_E_OCI_NOT_FOUND);
	assert_clean(&b);
}

/* ---- the world ---- */

static void use_cgroup2(void)
{
	assert_int_equal(unshare(CLONE_NEWNS), 0);
	assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	assert_int_equal(umount2("/sys/fs/cgroup", MNT_DETACH), 0);
	assert_int_equal(mount("cgroup2", "/sys/fs/cgroup", "cgroup2", 0, NULL), 0);
}

static void make_rootfs(void)
{
	static const char *const dirs[] = {"bin", "proc", "dev"};
	char path[400], command[800];

	assert_int_equal(mkdir(world.rootfs, 0755), 0);
	for (size_t i = 0; i < CTR__ARRAY_SIZE(dirs); i++) {
		snprintf(path, sizeof(path), "%s/%s", world.rootfs, dirs[i]);
		assert_int_equal(mkdir(path, 0755), 0);
	}
	snprintf(command, sizeof(command),
	    "cp /bin/busybox %s/bin/ && for a in sh sleep echo test; do ln -s busybox %s/bin/$a; "
	    "done",
	    world.rootfs, world.rootfs);
	assert_int_equal(system(command), 0);
}

int open_world(void **state)
{
	const char *tmp = getenv("TMPDIR"), *runtime = getenv("CTR_TEST_RUNTIME");

	(void)state;
	if (getenv("CTR_TEST_CGROUP2"))
		use_cgroup2();
	snprintf(world.base, sizeof(world.base), "%s/ctr-oci-XXXXXX", tmp && *tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(world.base));
	assert_int_equal(chmod(world.base, 0755), 0);
	snprintf(world.run, sizeof(world.run), "%s/run", world.base);
	snprintf(world.rootfs, sizeof(world.rootfs), "%s/rootfs", world.base);
	snprintf(world.parent, sizeof(world.parent), "/ctr-oci-test-%d", (int)getpid());
	make_rootfs();
	world.runtime = runtime && *runtime ? strdup(runtime) : ctr__find_program("runc");
	world.conmon = ctr__find_program("conmon");
	assert_non_null(world.runtime);
	assert_non_null(world.conmon);
	world.oci = other_driver(world.runtime, world.conmon);
	return 0;
}

static void remove_dir(const char *path)
{
	rmdir(path);
}

int close_world(void **state)
{
	char *slash = strrchr(world.base, '/');
	int dir;

	(void)state;
	ctr__oci_free(world.oci);
	free(world.runtime);
	free(world.conmon);
	each_hierarchy(world.parent, remove_dir);
	each_hierarchy(world.parent, must_be_absent);
	*slash = '\0';
	dir = open(world.base, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(dir >= 0);
	assert_int_equal(ctr__remove_tree_at(dir, slash + 1), 0);
	close(dir);
	return 0;
}
