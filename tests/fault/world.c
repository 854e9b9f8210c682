/* SPDX-License-Identifier: Apache-2.0 */
/* A place for faults: see world.h. */
#include "world.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CGROUPS "/sys/fs/cgroup"

/* Shared by all processes of the test. */
static char *doing;
#define DOING_MAX 512

__attribute__((format(printf, 1, 2), noreturn)) static void give_up(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, " (%s)\n", strerror(errno));
	exit(1);
}

void world_doing(const char *fmt, ...)
{
	va_list ap;

	if (!doing)
		return;
	va_start(ap, fmt);
	vsnprintf(doing, DOING_MAX, fmt, ap);
	va_end(ap);
}

int64_t world_now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* ---- making it ---- */

static void copy_busybox(const char *to)
{
	int from = open("/bin/busybox", O_RDONLY | O_CLOEXEC);
	int fd = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);

	if (from < 0 || fd < 0)
		give_up("/bin/busybox -> %s", to);
	while (sendfile(fd, from, NULL, 1 << 20) > 0)
		;
	close(from);
	close(fd);
}

static void make_rootfs(const struct world *w)
{
	static const char *const dirs[] = {"", "/bin", "/proc", "/sys", "/dev", "/etc", "/tmp"};
	static const char *const applets[] = {"sh", "sleep", "true"};
	char path[200];

	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs); i++) {
		snprintf(path, sizeof(path), "%s%s", w->rootfs, dirs[i]);
		if (mkdir(path, 0755) < 0)
			give_up("%s", path);
	}
	snprintf(path, sizeof(path), "%s/bin/busybox", w->rootfs);
	copy_busybox(path);
	for (size_t i = 0; i < sizeof(applets) / sizeof(*applets); i++) {
		snprintf(path, sizeof(path), "%s/bin/%s", w->rootfs, applets[i]);
		if (symlink("busybox", path) < 0)
			give_up("%s", path);
	}
}

static void find_oci(struct world *w, const char *name)
{
	static const char *const dirs[] = {
	    "/usr/local/bin", "/usr/bin", "/usr/sbin", "/usr/local/sbin"};

	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs); i++) {
		snprintf(w->oci, sizeof(w->oci), "%s/%s", dirs[i], name);
		if (access(w->oci, X_OK) == 0)
			return;
	}
	give_up("no %s", name);
}

static void prepare(struct world *w, const char *oci)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("proc", "/proc", "proc", 0, NULL) < 0 ||
	    mount("world", w->dir, "tmpfs", 0, "mode=0700") < 0)
		give_up("mounts of its own");
	/* crun refuses hosts where cgroup 1 and 2 are mixed. */
	if (strcmp(oci, "crun") == 0 && mount("cgroup2", CGROUPS, "cgroup2", 0, NULL) < 0)
		give_up(CGROUPS);
	snprintf(w->root, sizeof(w->root), "%s/root", w->dir);
	snprintf(w->run, sizeof(w->run), "%s/run", w->dir);
	snprintf(w->rootfs, sizeof(w->rootfs), "%s/rootfs", w->dir);
	find_oci(w, oci);
	make_rootfs(w);
}

/* ---- lists of what is found ---- */

struct findings {
	char *text;
	size_t size, n;
};

static void add_line(struct findings *f, const char *what, const char *name)
{
	size_t len = strlen(f->text);

	f->n++;
	snprintf(f->text + len, f->size - len, "    %s %s\n", what, name);
}

/* ---- cgroups ---- */

/* Children first. Other programs' groups may come and go meanwhile. */
static void each_group(const char *dir, void (*visit)(const char *path, void *arg), void *arg)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		char path[1024];

		if (e->d_type != DT_DIR || e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		each_group(path, visit, arg);
		visit(path, arg);
	}
	if (d)
		closedir(d);
}

struct group_search {
	struct findings *f;
	const char *parent;
};

/* Whatever has our parent's name in its path; the parent itself may stay. */
static void visit_group(const char *path, void *arg)
{
	struct group_search *s = arg;
	const char *found = strstr(path, s->parent);

	if (found && found[strlen(s->parent)])
		add_line(s->f, "cgroup", path);
}

static void remove_group(const char *path, void *parent)
{
	if (strstr(path, parent))
		rmdir(path);
}

static void write_file(const char *dir, const char *name, const char *text)
{
	char path[1100];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (write(fd, text, strlen(text)) < 0)
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
	close(fd);
}

/* What the freezer of cgroup 1 holds cannot be killed, and with it the PID namespace not end. */
static void thaw_group(const char *path, void *parent)
{
	if (!strstr(path, parent))
		return;
	write_file(path, "freezer.state", "THAWED");
	write_file(path, "cgroup.freeze", "0");
}

void world_remove_groups(const struct world *w)
{
	char parent[64];

	snprintf(parent, sizeof(parent), "%s", w->parent + 1);
	each_group(CGROUPS, remove_group, parent);
}

/* ---- what is left ---- */

static void find_mounts(struct findings *s, const char *run)
{
	char line[4096], path[2048];
	size_t len = strlen(run);
	FILE *f = fopen("/proc/self/mountinfo", "re");

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%*s %*s %*s %*s %2047s", path) == 1 &&
		    strncmp(path, run, len) == 0 && path[len] == '/')
			add_line(s, "mount", path);
	}
	if (f)
		fclose(f);
}

static void find_files_in(struct findings *s, const char *dir, int depth)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		char path[1024];

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		if (depth > 0)
			find_files_in(s, path, depth - 1);
		else
			add_line(s, "file", path);
	}
	if (d)
		closedir(d);
}

static void find_files(struct findings *s, const struct world *w)
{
	static const char *const run_dirs[] = {"containers", "exits", "persist", "oci"};
	char path[256];

	for (size_t i = 0; i < sizeof(run_dirs) / sizeof(*run_dirs); i++) {
		snprintf(path, sizeof(path), "%s/%s", w->run, run_dirs[i]);
		find_files_in(s, path, strcmp(run_dirs[i], "oci") == 0);
	}
	snprintf(path, sizeof(path), "%s/containers", w->root);
	find_files_in(s, path, 0);
}

bool world_alive(int32_t pid)
{
	char path[64], text[512] = "";
	const char *end;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	end = n > 0 ? strrchr(text, ')') : NULL;
	return end && end[2] != 'Z' && end[2] != 'X';
}

static void describe_process(const char *pid, char *out, size_t size)
{
	char path[64], text[300] = "";
	ssize_t n = 0;
	int fd;

	snprintf(path, sizeof(path), "/proc/%.20s/cmdline", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, text, sizeof(text) - 1);
		close(fd);
	}
	for (ssize_t i = 0; i + 1 < n; i++)
		text[i] = text[i] ? text[i] : ' ';
	snprintf(out, size, "%.20s: %s", pid, text);
}

/* In our namespace there is nobody but us, process 1 and what containers are made of. */
static void find_processes(struct findings *s)
{
	DIR *d = opendir("/proc");
	struct dirent *e;

	while (d && (e = readdir(d))) {
		char text[400];
		long pid = strtol(e->d_name, NULL, 10);

		if (pid <= 1 || pid == getpid() || !world_alive((int32_t)pid))
			continue;
		describe_process(e->d_name, text, sizeof(text));
		add_line(s, "process", text);
	}
	if (d)
		closedir(d);
}

size_t world_leftovers(const struct world *w, char *text, size_t size)
{
	struct findings s = {.text = text, .size = size};
	struct group_search groups = {&s, w->parent + 1};

	text[0] = '\0';
	find_processes(&s);
	find_mounts(&s, w->run);
	find_files(&s, w);
	each_group(CGROUPS, visit_group, &groups);
	return s.n;
}

size_t world_settled(const struct world *w, int patience_ms, int *ms, char *text, size_t size)
{
	int64_t begin = world_now_us();

	for (;;) {
		size_t n = world_leftovers(w, text, size);

		*ms = (int)((world_now_us() - begin) / 1000);
		if (!n || *ms > patience_ms)
			return n;
		poll(NULL, 0, 2);
	}
}

/* ---- the store ---- */

static void on_log(int32_t level, const char *id, const char *message, void *userdata)
{
	(void)level;
	(void)userdata;
	fprintf(stderr, "    log: %.12s: %s\n", id ? id : "", message);
}

void world_open(struct world *w)
{
	struct ctr_open_opts o = {
	    .size = sizeof(o), .root = w->root, .run_root = w->run, .oci_runtimes = w->oci};
	ctr_error_t *err = NULL;

	o.helper = w->with_helper ? TEST_HELPER : "/bin/true";
	if (getenv("FAULT_LOG"))
		o.log = on_log;
	if (ctr_runtime_open(&o, &w->rt, &err) == 0)
		return;
	fprintf(stderr, "open: %s\n", ctr_error_message(err));
	exit(1);
}

void world_close(struct world *w)
{
	w->rt = ctr_runtime_unref(w->rt);
}

#define SCRIPT "trap 'exit 0' TERM; while :; do sleep 1000 & wait; done"

static ctr_config_t *make_config(const struct world *w, const char *name, const char *health)
{
	static const char *const command[] = {"/bin/sh", "-c", SCRIPT};
	ctr_config_builder_t *b = ctr_config_builder_new();
	ctr_config_t *cfg = NULL;
	ctr_error_t *err = NULL;

	ctr_config_builder_set_str(b, CTR_CONFIG_ROOTFS, w->rootfs, NULL);
	ctr_config_builder_set_str(b, CTR_CONFIG_NAME, name, NULL);
	ctr_config_builder_set_str(b, CTR_CONFIG_CGROUP_PARENT, w->parent, NULL);
	/* A signal that comes before the shell has set its trap is lost. */
	ctr_config_builder_set_num(b, CTR_CONFIG_STOP_TIMEOUT, 1, NULL);
	for (size_t i = 0; i < 3; i++)
		ctr_config_builder_add_str(b, CTR_CONFIG_COMMAND, command[i], NULL);
	if (health)
		ctr_config_builder_set_json(
		    b, CTR_CONFIG_HEALTHCHECK, health, strlen(health), NULL);
	if (ctr_config_builder_build(b, &cfg, &err) < 0) {
		fprintf(stderr, "config: %s\n", ctr_error_message(err));
		exit(1);
	}
	ctr_config_builder_free(b);
	return cfg;
}

ctr_config_t *world_config(const struct world *w, const char *name)
{
	return make_config(w, name, NULL);
}

ctr_config_t *world_config_health(const struct world *w, const char *name)
{
	return make_config(w, name, "{\"Test\":[\"true\"],\"Interval\":20000000}");
}

/* ---- running a test in it ---- */

/* Process 1: reaps orphans until the test ends. */
static int be_init(pid_t test)
{
	for (;;) {
		int status;
		pid_t pid = waitpid(-1, &status, 0);

		if (pid < 0 && errno != EINTR)
			return 1;
		if (pid != test)
			continue;
		if (WIFEXITED(status))
			return WEXITSTATUS(status);
		fprintf(stderr, "killed by signal %d while: %s\n", WTERMSIG(status), doing);
		return 1;
	}
}

static int enter(
    struct world *w, const char *oci, int (*test)(struct world *w, void *arg), void *arg)
{
	pid_t pid;
	int r;

	prepare(w, oci);
	pid = fork();
	if (pid < 0)
		give_up("fork");
	if (pid == 0) {
		r = test(w, arg);
		world_close(w);
		exit(r);
	}
	r = be_init(pid);
	each_group(CGROUPS, thaw_group, w->parent + 1);
	return r;
}

/* Waits for process 1 of the world. */
static int await(struct world *w, pid_t pid, unsigned limit_s)
{
	int64_t end = world_now_us() + (int64_t)limit_s * 1000000;
	int status;

	for (;;) {
		pid_t r = waitpid(pid, &status, WNOHANG);

		if (r == pid)
			return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
		if (world_now_us() > end)
			break;
		poll(NULL, 0, 20);
	}
	fprintf(stderr, "FAIL: not finished within %u s; it was busy with: %s\n", limit_s, doing);
	kill(pid, SIGKILL);
	each_group(CGROUPS, thaw_group, w->parent + 1);
	waitpid(pid, &status, 0);
	return 1;
}

static int run_apart(
    const char *oci, unsigned limit_s, int (*test)(struct world *w, void *arg), void *arg)
{
	struct world w = {.rt = NULL};
	const char *tmp = getenv("TMPDIR");
	pid_t pid;
	int r;

	snprintf(
	    w.dir, sizeof(w.dir), "%s/libctr-fault-XXXXXX", tmp && strlen(tmp) < 80 ? tmp : "/tmp");
	snprintf(w.parent, sizeof(w.parent), "/libctr-fault-%d", (int)getpid());
	doing = mmap(NULL, DOING_MAX, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (doing == MAP_FAILED || !mkdtemp(w.dir))
		give_up("%s", w.dir);
	if (unshare(CLONE_NEWNS | CLONE_NEWPID) < 0)
		give_up("namespaces of its own; must be root");
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		give_up("fork");
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(enter(&w, oci, test, arg));
	}
	r = await(&w, pid, limit_s);
	world_remove_groups(&w);
	umount2(w.dir, MNT_DETACH);
	rmdir(w.dir);
	return r;
}

/* In a process of its own: one that has made a PID namespace cannot clone ordinary helpers any more. */
int world_run(const char *oci, unsigned limit_s, int (*test)(struct world *w, void *arg), void *arg)
{
	pid_t pid;
	int status;

	fflush(NULL);
	pid = fork();
	if (pid < 0)
		give_up("fork");
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(run_apart(oci, limit_s, test, arg));
	}
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return 1;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
