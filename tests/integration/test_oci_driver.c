/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The built-in OCI driver with the real conmon and a real runtime, and with runtimes and monitors that
 * misbehave on purpose. Needs root and a static busybox.
 *
 *   CTR_TEST_RUNTIME   path of the runtime (default: runc)
 *   CTR_TEST_CGROUP2   if set: run with a pure cgroup v2 at /sys/fs/cgroup, in a mount namespace of its own
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "oci/driver.h"
#include "oci/oci.h"
#include "sys/cgroup.h"
#include "sys/fd.h"
#include "sys/path.h"
#include "sys/proc.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/str.h"

#define PATIENCE_MS 20000

/* ---- the world of the tests ---- */

static struct {
	char base[128];   /* temporary directory */
	char run[160];    /* run root */
	char rootfs[160]; /* busybox */
	char parent[64];  /* cgroup above those of the containers */
	char *runtime;
	char *conmon;
	struct ctr__oci *oci;
	atomic_int next;
} world;

/* One container. */
struct box {
	struct ctr_oci_container c;
	struct ctr__oci *oci;
	char id[64];
	char bundle[256];
	char cgroup[160];
	char log[300];
};

static void put_file(const char *dir, const char *name, mode_t mode, const char *content)
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

static bool exists(const char *dir, const char *name)
{
	char path[400];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return access(path, F_OK) == 0;
}

static char *slurp(const char *dir, const char *name)
{
	char path[400], *text = NULL;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return ctr__read_file_at(AT_FDCWD, path, 1 << 20, &text, NULL) == 0 ? text : strdup("");
}

/* What a container's configuration may want to be different. */
struct wish {
	const char *command; /* for "sh -c" */
	const char *args;    /* or the JSON array itself */
	const char *extra;   /* more members of the document, with a comma in front */
	bool terminal;
	bool host_pid;
};

static void write_config(const struct box *b, const struct wish *w)
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
	    "{\"type\":\"mount\"}]}%s}",
	    w->terminal ? "true" : "false", args, world.rootfs, b->cgroup,
	    w->host_pid ? "" : "{\"type\":\"pid\"},", w->extra ? w->extra : "");
	put_file(b->bundle, "config.json", 0644, text);
}

static void box_make(struct box *b, const struct wish *w)
{
	memset(b, 0, sizeof(*b));
	snprintf(b->id, sizeof(b->id), "t%d-%d", (int)getpid(), atomic_fetch_add(&world.next, 1));
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
	write_config(b, w);
}

/* A program that lives until it is told to go. */
#define ASLEEP \
	(&(struct wish){.command = "trap 'exit 7' TERM; while :; do sleep 1000 & wait; done"})

static int box_create(struct box *b, ctr_error_t **err)
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

static int box_start(struct box *b, ctr_error_t **err)
{
	return b->oci->ops.start(b->oci->impl, &b->c, err);
}

static int box_kill(struct box *b, int sig, ctr_error_t **err)
{
	return b->oci->ops.kill(b->oci->impl, &b->c, sig, 0, err);
}

static int box_remove(struct box *b, ctr_error_t **err)
{
	return b->oci->ops.remove(b->oci->impl, &b->c, 0, err);
}

static int box_recover(struct box *b, ctr_error_t **err)
{
	return b->oci->ops.remove(b->oci->impl, &b->c, CTR_OCI_INTERRUPTED, err);
}

static int box_pause(struct box *b, ctr_error_t **err)
{
	return b->oci->ops.pause(b->oci->impl, &b->c, err);
}

static int box_resume(struct box *b, ctr_error_t **err)
{
	return b->oci->ops.resume(b->oci->impl, &b->c, err);
}

#define CREATE(b) MUST_BOX(box_create, b)
#define START(b)  MUST_BOX(box_start, b)
#define REMOVE(b) MUST_BOX(box_remove, b)
#define MUST_BOX(fn, b)                                                                 \
	do {                                                                            \
		ctr_error_t *must_ = NULL;                                              \
		int must_rc_ = fn((b), &must_);                                         \
		if (must_rc_ < 0)                                                       \
			fail_msg("%s: %d %s", #fn, must_rc_, ctr_error_message(must_)); \
	} while (0)

static struct ctr_oci_status box_state(struct box *b)
{
	struct ctr_oci_status s = {.size = sizeof(s)};
	ctr_error_t *err = NULL;

	if (b->oci->ops.state(b->oci->impl, &b->c, &s, &err) < 0)
		fail_msg("state: %s", ctr_error_message(err));
	return s;
}

static int box_exit_status(struct box *b, struct ctr_oci_status *s)
{
	memset(s, 0, sizeof(*s));
	s->size = sizeof(*s);
	return b->oci->ops.exit_status(b->oci->impl, &b->c, s, NULL);
}

static int box_monitor_alive(struct box *b)
{
	return b->oci->ops.monitor_alive(b->oci->impl, &b->c, NULL);
}

static bool readable(int fd, int timeout_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, timeout_ms) == 1;
}

/* Waits as a host would: the descriptor, then the exit data. */
static int32_t box_wait(struct box *b)
{
	struct ctr_oci_status s;
	int fd = b->oci->ops.wait_fd(b->oci->impl, &b->c, NULL);

	assert_true(fd >= 0);
	assert_true(readable(fd, PATIENCE_MS));
	close(fd);
	assert_int_equal(box_exit_status(b, &s), 1);
	return s.exit_code;
}

static void wait_gone(pid_t pid, uint64_t start)
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

static void assert_clean(const struct box *b)
{
	static const char *const files[] = {
	    "attach", "ctl", "winsz", "pidfile", "conmon.pid", "oci-log"};
	char state_dir[400];
	pid_t pid = find_process(b->id);

	if (pid) {
		char path[64];
		CTR__FREE char *line = NULL;

		snprintf(path, sizeof(path), "/proc/%d", (int)pid);
		line = slurp(path, "cmdline");
		fail_msg("process %d is left of %s: %s", (int)pid, b->id, line);
	}
	for (size_t i = 0; i < CTR__ARRAY_SIZE(files); i++)
		if (exists(b->bundle, files[i]))
			fail_msg("left behind: %s/%s", b->bundle, files[i]);
	snprintf(state_dir, sizeof(state_dir), "%s/oci/%s/%s", world.run, b->oci->name, b->id);
	must_be_absent(state_dir);
	snprintf(state_dir, sizeof(state_dir), "%s/exits/%s", world.run, b->id);
	must_be_absent(state_dir);
	snprintf(state_dir, sizeof(state_dir), "%s/persist/%s", world.run, b->id);
	must_be_absent(state_dir);
	each_hierarchy(b->cgroup, must_be_absent);
}

static const struct ctr__conmon *driver(void)
{
	return world.oci->impl;
}

static bool is_runc(void)
{
	return driver()->kind == CTR__RUNTIME_RUNC;
}

/* ---- a life ---- */

static void test_a_life(void **state)
{
	int64_t before = ctr__now_ns();
	struct ctr_oci_status s;
	struct box b;
	int fd;

	(void)state;
	box_make(&b, ASLEEP);
	b.c.log_path = b.log;
	assert_int_equal(box_state(&b).status, CTR_OCI_ABSENT);
	CREATE(&b);
	assert_true(b.c.pid > 0 && b.c.pid_start > 0);
	assert_true(b.c.monitor_pid > 0 && b.c.monitor_start > 0);
	s = box_state(&b);
	assert_int_equal(s.status, CTR_OCI_CREATED);
	assert_int_equal(s.pid, b.c.pid);
	assert_int_equal(s.pid_start, b.c.pid_start);
	assert_int_equal(s.monitor_pid, b.c.monitor_pid);
	assert_int_equal(s.monitor_start, b.c.monitor_start);
	assert_int_equal(box_exit_status(&b, &s), 0);
	assert_int_equal(box_monitor_alive(&b), 1);
	fd = b.oci->ops.wait_fd(b.oci->impl, &b.c, NULL);
	assert_true(fd >= 0);
	assert_false(readable(fd, 0));

	START(&b);
	s = box_state(&b);
	assert_int_equal(s.status, CTR_OCI_RUNNING);
	assert_int_equal(s.pid, b.c.pid);
	assert_false(readable(fd, 0));

	/* The shell may not have set its trap yet. */
	do
		assert_int_equal(box_kill(&b, SIGTERM, NULL), 0);
	while (!readable(fd, 100));
	close(fd);
	assert_int_equal(box_exit_status(&b, &s), 1);
	assert_int_equal(s.exit_code, 7);
	assert_int_equal(s.oom_killed, 0);
	assert_true(s.finished_ns >= before - 1000000000 && s.finished_ns <= ctr__now_ns());
	assert_int_equal(box_monitor_alive(&b), 0);
	s = box_state(&b);
	assert_int_equal(s.status, CTR_OCI_STOPPED);
	assert_int_equal(s.exit_code, 7);
	assert_int_equal(s.pid, 0);
	assert_int_equal(box_kill(&b, SIGTERM, NULL), CTR_E_CTR_STOPPED);
	assert_true(exists(b.bundle, "ctr.log"));

	REMOVE(&b);
	assert_int_equal(box_state(&b).status, CTR_OCI_ABSENT);
	assert_clean(&b);
	REMOVE(&b);
	assert_true(exists(b.bundle, "ctr.log"));
}

static void test_exit_codes_and_output(void **state)
{
	static const struct {
		const char *command;
		int32_t code;
	} cases[] = {{"echo out; echo err >&2; exit 0", 0}, {"exit 1", 1}, {"exit 255", 255},
	    {"(kill -9 $$) & wait; exit 3", 3}};

	(void)state;
	for (size_t i = 0; i < CTR__ARRAY_SIZE(cases); i++) {
		CTR__FREE char *log = NULL;
		struct box b;

		box_make(&b, &(struct wish){.command = cases[i].command});
		b.c.log_path = b.log;
		CREATE(&b);
		START(&b);
		assert_int_equal(box_wait(&b), cases[i].code);
		log = slurp(b.bundle, "ctr.log");
		if (i == 0) {
			assert_non_null(strstr(log, " stdout F out\n"));
			assert_non_null(strstr(log, " stderr F err\n"));
		}
		REMOVE(&b);
		assert_clean(&b);
	}
}

static void test_no_log_wanted(void **state)
{
	struct box b;

	(void)state;
	box_make(&b, &(struct wish){.command = "echo nobody reads this"});
	CREATE(&b);
	START(&b);
	assert_int_equal(box_wait(&b), 0);
	assert_false(exists(b.bundle, "ctr.log"));
	REMOVE(&b);
	assert_clean(&b);
}

static void test_terminal(void **state)
{
	CTR__FREE char *log = NULL;
	struct box b;

	(void)state;
	box_make(&b, &(struct wish){.command = "test -t 0 && echo on a tty", .terminal = true});
	b.c.log_path = b.log;
	CREATE(&b);
	START(&b);
	assert_int_equal(box_wait(&b), 0);
	log = slurp(b.bundle, "ctr.log");
	assert_non_null(strstr(log, "on a tty"));
	REMOVE(&b);
	assert_clean(&b);
}

static void test_kill_and_remove(void **state)
{
	struct box b;

	(void)state;
	box_make(&b, ASLEEP);
	CREATE(&b);
	START(&b);
	assert_int_equal(box_kill(&b, SIGKILL, NULL), 0);
	assert_int_equal(box_wait(&b), 137);
	REMOVE(&b);
	assert_clean(&b);

	/* alive */
	box_make(&b, ASLEEP);
	CREATE(&b);
	START(&b);
	REMOVE(&b);
	assert_clean(&b);

	/* never started */
	box_make(&b, ASLEEP);
	CREATE(&b);
	REMOVE(&b);
	assert_clean(&b);
}

/* A host that knows nothing any more but the container's ID and bundle. */
static void test_without_any_pid(void **state)
{
	struct ctr_oci_status s;
	struct box b;
	pid_t monitor;

	(void)state;
	box_make(&b, ASLEEP);
	CREATE(&b);
	monitor = b.c.monitor_pid;
	b.c.pid = b.c.monitor_pid = 0;
	b.c.pid_start = b.c.monitor_start = 0;
	START(&b);
	s = box_state(&b);
	assert_int_equal(s.status, CTR_OCI_RUNNING);
	assert_int_equal(s.monitor_pid, monitor);
	assert_int_equal(box_kill(&b, SIGWINCH, NULL), 0);
	assert_int_equal(box_kill(&b, SIGKILL, NULL), 0);
	wait_gone(s.monitor_pid, s.monitor_start);
	assert_int_equal(box_kill(&b, SIGKILL, NULL), CTR_E_CTR_STOPPED);
	assert_int_equal(box_state(&b).exit_code, 137);
	REMOVE(&b);
	assert_clean(&b);

	box_make(&b, ASLEEP);
	CREATE(&b);
	START(&b);
	b.c.pid = b.c.monitor_pid = 0;
	b.c.pid_start = b.c.monitor_start = 0;
	REMOVE(&b);
	assert_clean(&b);
}

/* A PID that somebody else has by now must not be touched. */
static void test_a_recycled_pid_is_left_alone(void **state)
{
	struct box b;
	pid_t victim = fork();

	(void)state;
	if (victim == 0) {
		pause();
		_exit(0);
	}
	box_make(&b, ASLEEP);
	CREATE(&b);
	START(&b);
	b.c.pid = victim;
	b.c.pid_start = ctr__proc_start_time(victim) + 1;
	assert_int_equal(box_kill(&b, SIGKILL, NULL), CTR_E_CTR_STOPPED);
	REMOVE(&b);
	assert_true(ctr__proc_alive(victim, 0));
	kill(victim, SIGKILL);
	waitpid(victim, NULL, 0);
	assert_clean(&b);
}

static void test_an_existing_container_is_not_made_again(void **state)
{
	struct ctr_oci_container first;
	struct box b;

	(void)state;
	box_make(&b, ASLEEP);
	CREATE(&b);
	START(&b);
	first = b.c;
	assert_int_equal(box_create(&b, NULL), CTR_E_CTR_EXISTS);
	b.c = first;
	assert_int_equal(box_state(&b).status, CTR_OCI_RUNNING);
	assert_int_equal(box_monitor_alive(&b), 1);
	REMOVE(&b);
	assert_clean(&b);
}

static void test_copy_of_the_monitors_pid(void **state)
{
	CTR__FREE char *text = NULL;
	CTR__ERROR ctr_error_t *err = NULL;
	char path[300], expected[16];
	struct box b;

	(void)state;
	box_make(&b, ASLEEP);
	snprintf(path, sizeof(path), "%s/wanted.pid", b.bundle);
	b.c.pid_file = path;
	put_file(b.bundle, "wanted.pid", 0644, "1"); /* stale */
	CREATE(&b);
	text = slurp(b.bundle, "wanted.pid");
	snprintf(expected, sizeof(expected), "%d", (int)b.c.monitor_pid);
	assert_string_equal(text, expected);
	assert_true(exists(b.bundle, "conmon.pid"));
	REMOVE(&b);
	assert_false(exists(b.bundle, "wanted.pid"));
	assert_clean(&b);

	b.c.pid_file = "/nonexistent/dir/x.pid";
	assert_true(box_create(&b, &err) < 0);
	assert_string_equal(ctr_error_get(err, "path"), "/nonexistent/dir/x.pid");
	assert_clean(&b);
}

static void test_log_that_cannot_be_opened(void **state)
{
	CTR__ERROR ctr_error_t *err = NULL;
	struct box b;

	(void)state;
	box_make(&b, ASLEEP);
	b.c.log_path = "/nonexistent/dir/ctr.log";
	assert_int_equal(box_create(&b, &err), CTR_E_SYSTEM);
	assert_int_equal(ctr_error_errno(err), ENOENT);
	assert_string_equal(ctr_error_get(err, "path"), "/nonexistent/dir/ctr.log");
	assert_clean(&b);
}

static void test_timeout_of_the_container(void **state)
{
	struct box b;

	(void)state;
	box_make(&b, ASLEEP);
	b.c.timeout_s = 1;
	CREATE(&b);
	START(&b);
	assert_int_equal(box_wait(&b), -1);
	REMOVE(&b);
	assert_clean(&b);
}

/* ---- start: by the fifo and by the command, side by side ---- */

/* The state document without what differs between any two containers. */
static char *comparable_state(struct box *b)
{
	CTR__OCI_RESULT struct ctr__oci_result r = {0};
	CTR__BUF struct ctr__buf out = {0};
	char *line, *rest;

	assert_int_equal(
	    ctr__oci_run(driver(), (const char *const[]){"state", b->id, NULL}, &r, NULL), 0);
	assert_true(r.ok);
	rest = r.out.data;
	while ((line = strsep(&rest, "\n"))) {
		if (strstr(line, "\"id\"") || strstr(line, "\"pid\"") ||
		    strstr(line, "\"created\"") || strstr(line, "\"bundle\""))
			continue;
		ctr__buf_adds(&out, line);
		ctr__buf_addc(&out, '\n');
	}
	return ctr__buf_steal(&out);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static char *state_files(struct box *b)
{
	CTR__BUF struct ctr__buf out = {0};
	struct dirent **list = NULL;
	char dir[400];
	int n;

	snprintf(dir, sizeof(dir), "%s/%s", driver()->oci_root, b->id);
	n = scandir(dir, &list, NULL, by_name);
	assert_true(n > 0);
	for (int i = 0; i < n; i++) {
		ctr__buf_addf(&out, "%s\n", list[i]->d_name);
		free(list[i]);
	}
	free(list);
	return ctr__buf_steal(&out);
}

/* The error of the runtime's own start, with the ID taken out. */
static char *start_error(struct box *b)
{
	CTR__OCI_RESULT struct ctr__oci_result r = {0};
	CTR__FREE char *text = NULL;
	char *p;

	assert_int_equal(
	    ctr__oci_run(driver(), (const char *const[]){"start", b->id, NULL}, &r, NULL), 0);
	assert_false(r.ok);
	text = ctr__oci_error_text(r.diag.data, r.diag.len);
	assert_non_null(text);
	while ((p = strstr(text, b->id)))
		memset(p, '#', strlen(b->id));
	return CTR__STEAL_PTR(text);
}

static void same(char *a, char *b)
{
	assert_string_equal(a, b);
	free(a);
	free(b);
}

static void test_start_by_fifo_equals_the_command(void **state)
{
	struct box fifo, command;

	(void)state;
	box_make(&fifo, ASLEEP);
	box_make(&command, ASLEEP);
	command.c.flags |= CTR_OCI_START_HOOKS;
	CREATE(&fifo);
	CREATE(&command);
	same(comparable_state(&fifo), comparable_state(&command));
	same(state_files(&fifo), state_files(&command));
	/* This is the shortcut, and it was taken. */
	assert_int_equal(ctr__oci_fast_start(driver(), &fifo.c, NULL), 1);
	START(&command);
	same(comparable_state(&fifo), comparable_state(&command));
	same(state_files(&fifo), state_files(&command));
	assert_int_equal(box_state(&fifo).status, CTR_OCI_RUNNING);
	/* A second start: the shortcut leaves it to the command, whose error is the same for both. */
	assert_int_equal(ctr__oci_fast_start(driver(), &fifo.c, NULL), 0);
	same(start_error(&fifo), start_error(&command));
	assert_int_equal(box_start(&fifo, NULL), CTR_E_OCI_RUNTIME);
	assert_int_equal(box_start(&command, NULL), CTR_E_OCI_RUNTIME);
	/* ... and neither is harmed by it. */
	assert_int_equal(box_state(&fifo).status, CTR_OCI_RUNNING);
	assert_int_equal(box_kill(&fifo, SIGKILL, NULL), 0);
	assert_int_equal(box_kill(&command, SIGKILL, NULL), 0);
	assert_int_equal(box_wait(&fifo), 137);
	assert_int_equal(box_wait(&command), 137);
	same(comparable_state(&fifo), comparable_state(&command));
	same(start_error(&fifo), start_error(&command));
	REMOVE(&fifo);
	REMOVE(&command);
	assert_clean(&fifo);
	assert_clean(&command);
}

static void test_start_of_a_dead_container(void **state)
{
	CTR__ERROR ctr_error_t *err = NULL;
	struct box b;

	(void)state;
	box_make(&b, ASLEEP);
	CREATE(&b);
	assert_int_equal(box_kill(&b, SIGKILL, NULL), 0);
	wait_gone(b.c.monitor_pid, b.c.monitor_start);
	assert_int_equal(box_start(&b, &err), CTR_E_OCI_RUNTIME);
	assert_string_equal(ctr_error_get(err, "oci.runtime"), b.oci->name);
	assert_non_null(ctr_error_get(err, "oci.stderr"));
	REMOVE(&b);
	assert_clean(&b);
}

/* runc refuses to start a frozen container; the shortcut must not have spoiled it before that. */
static void test_start_of_a_frozen_container(void **state)
{
	struct box b;

	(void)state;
	box_make(&b, &(struct wish){.command = "exit 5"});
	CREATE(&b);
	assert_int_equal(box_pause(&b, NULL), 0);
	if (is_runc())
		assert_int_equal(box_start(&b, NULL), CTR_E_OCI_RUNTIME);
	else
		START(&b); /* crun: it runs when it is thawed */
	assert_int_equal(box_resume(&b, NULL), 0);
	if (is_runc())
		START(&b);
	assert_int_equal(box_wait(&b), 5);
	REMOVE(&b);
	assert_clean(&b);
}

/* ---- pause ---- */

static void test_pause_and_resume(void **state)
{
	struct box b;

	(void)state;
	box_make(&b, ASLEEP);
	CREATE(&b);
	START(&b);
	MUST_BOX(box_pause, &b);
	assert_int_equal(box_state(&b).status, CTR_OCI_PAUSED);
	MUST_BOX(box_resume, &b);
	assert_int_equal(box_state(&b).status, CTR_OCI_RUNNING);
	/* by the runtime's commands, where the cgroup is not known */
	b.c.cgroup_path = NULL;
	MUST_BOX(box_pause, &b);
	assert_int_equal(box_state(&b).status, CTR_OCI_PAUSED);
	MUST_BOX(box_resume, &b);
	assert_int_equal(box_state(&b).status, CTR_OCI_RUNNING);
	b.c.cgroup_path = b.cgroup;
	/* dies although frozen */
	MUST_BOX(box_pause, &b);
	assert_int_equal(box_kill(&b, SIGKILL, NULL), 0);
	assert_int_equal(box_wait(&b), 137);
	REMOVE(&b);
	assert_clean(&b);

	box_make(&b, ASLEEP);
	CREATE(&b);
	START(&b);
	MUST_BOX(box_pause, &b);
	REMOVE(&b);
	assert_clean(&b);
}

/* ---- processes that do not die with the first ---- */

static void test_host_pid_namespace(void **state)
{
	struct box b;

	(void)state;
	box_make(&b, &(struct wish){
	                 .command = "sleep 1000 & sleep 1000 & exec sleep 1000", .host_pid = true});
	CREATE(&b);
	START(&b);
	MUST_BOX(box_remove, &b);
	assert_clean(&b);

	box_make(&b, &(struct wish){.command = "sleep 1000 & exec sleep 1000", .host_pid = true});
	CREATE(&b);
	START(&b);
	assert_int_equal(b.oci->ops.kill(b.oci->impl, &b.c, SIGKILL, CTR_OCI_KILL_ALL, NULL), 0);
	assert_int_equal(box_wait(&b), 137);
	REMOVE(&b);
	assert_clean(&b);
}

/* ---- creates that fail ---- */

static void create_fails(struct box *b, int code, const char *word)
{
	CTR__ERROR ctr_error_t *err = NULL;
	int rc = box_create(b, &err);

	if (rc != code)
		fail_msg("%d, expected %d: %s", rc, code, ctr_error_message(err));
	if (!strstr(ctr_error_message(err), word))
		fail_msg("\"%s\" is not in: %s", word, ctr_error_message(err));
	assert_null(strchr(ctr_error_message(err), '\n'));
	assert_non_null(ctr_error_get(err, "oci.runtime"));
	assert_clean(b);
	assert_int_equal(box_create(b, NULL), code); /* and again, without an error object */
	assert_clean(b);
}

static void test_missing_binary(void **state)
{
	CTR__ERROR ctr_error_t *err = NULL;
	struct box b;

	(void)state;
	box_make(&b, &(struct wish){.args = "[\"/no-such-program\"]"});
	create_fails(&b, CTR_E_OCI_NOT_FOUND, "/no-such-program");
	assert_int_equal(box_create(&b, &err), CTR_E_OCI_NOT_FOUND);
	assert_non_null(strstr(ctr_error_get(err, "oci.stderr"), "/no-such-program"));
	assert_string_equal(ctr_error_get(err, "oci.runtime"), b.oci->name);
	assert_null(ctr_error_get(err, "conmon.status"));
}

static void test_binary_that_is_a_directory(void **state)
{
	struct box b;

	(void)state;
	box_make(&b, &(struct wish){.args = "[\"/bin\"]"});
	create_fails(&b, CTR_E_OCI_PERMISSION, b.oci->name);
}

static void test_bad_bundles(void **state)
{
	CTR__ERROR ctr_error_t *err = NULL;
	struct box b;

	(void)state;
	box_make(&b, ASLEEP);
	put_file(b.bundle, "config.json", 0644, "{\"ociVersion\":");
	create_fails(&b, CTR_E_OCI_RUNTIME, b.oci->name);
	write_config(&b, &(struct wish){.args = "[]"});
	create_fails(&b, CTR_E_OCI_RUNTIME, b.oci->name);
	b.c.bundle = "/nonexistent/bundle";
	assert_int_equal(box_create(&b, &err), CTR_E_SYSTEM);
	assert_non_null(strstr(ctr_error_message(err), "/nonexistent/bundle"));
	assert_clean(&b);
}

/* Terminal wanted here, not there: crun leaves a created container behind when it happens. */
static void test_terminal_wanted_on_one_side_only(void **state)
{
	struct box b;

	(void)state;
	box_make(&b, ASLEEP);
	b.c.flags |= CTR_OCI_TERMINAL;
	assert_true(box_create(&b, NULL) < 0);
	assert_clean(&b);
}

/* ---- runtimes and monitors that misbehave ---- */

static struct ctr__oci *other_driver(const char *runtime, const char *conmon)
{
	struct ctr__conmon_opts o = {runtime, conmon, world.run};
	struct ctr__oci *oci = NULL;

	assert_int_equal(ctr__conmon_new(&o, &oci, NULL), 0);
	return oci;
}

static const char *script(const char *name, const char *body)
{
	static char path[300];
	char text[2048];

	snprintf(text, sizeof(text), "#!/bin/sh\n%s\n", body);
	put_file(world.base, name, 0755, text);
	snprintf(path, sizeof(path), "%s/%s", world.base, name);
	return path;
}

/* A shell script as runtime: what it does for `create`. Everything else it does silently. */
#define CASE_CREATE(what) "case \" $* \" in *\" create \"*) " what " ;; esac; exit 0"

static void fake_runtime_fails(const char *body, int code, const char *word)
{
	struct box b;
	struct ctr__oci *oci = other_driver(script("fake-runtime", body), world.conmon);

	box_make(&b, ASLEEP);
	b.oci = oci;
	create_fails(&b, code, word);
	ctr__oci_free(oci);
}

static void test_runtimes_that_misbehave(void **state)
{
	(void)state;
	fake_runtime_fails(CASE_CREATE("exit 1"), CTR_E_OCI_RUNTIME, "no reason");
	fake_runtime_fails(CASE_CREATE("exit 0"), CTR_E_OCI_RUNTIME, "fake-runtime");
	fake_runtime_fails(CASE_CREATE("kill -9 $$"), CTR_E_OCI_RUNTIME, "no reason");
	fake_runtime_fails(CASE_CREATE("kill -9 $PPID; exit 1"), CTR_E_OCI_RUNTIME, "no reason");
	fake_runtime_fails(
	    CASE_CREATE("echo something is wrong >&2; exit 1"), CTR_E_OCI_RUNTIME, "is wrong");
	fake_runtime_fails(CASE_CREATE("printf 'bad \\377\\001 \\n\\n bytes \\303' >&2; exit 1"),
	    CTR_E_OCI_RUNTIME, "bad ? bytes ?");
	fake_runtime_fails(
	    CASE_CREATE("echo foo: Permission denied >&2; exit 1"), CTR_E_OCI_PERMISSION, "foo");
	fake_runtime_fails(CASE_CREATE("i=0; while [ $i -lt 5000 ]; do echo 'many \"words\" here'; "
	                               "i=$((i+1)); done >&2; exit 1"),
	    CTR_E_OCI_RUNTIME, "many \"words\" here");
	/* a PID file that names nobody, or nothing */
	fake_runtime_fails(
	    CASE_CREATE("while [ \"$1\" != --pid-file ]; do shift; done; printf 2147483600 > $2"),
	    CTR_E_OCI_RUNTIME, "fake-runtime");
	fake_runtime_fails(
	    CASE_CREATE("while [ \"$1\" != --pid-file ]; do shift; done; printf soon > $2"),
	    CTR_E_OCI_RUNTIME, "fake-runtime");
}

/* The script's own interpreter is missing: execve() fails only inside conmon. */
static void test_runtime_that_cannot_be_executed(void **state)
{
	struct ctr__oci *oci;
	struct box b;
	char path[300];

	(void)state;
	put_file(world.base, "broken-runtime", 0755, "#!/no/such/interpreter\n");
	snprintf(path, sizeof(path), "%s/broken-runtime", world.base);
	oci = other_driver(path, world.conmon);
	box_make(&b, ASLEEP);
	b.oci = oci;
	assert_true(box_create(&b, NULL) < 0);
	assert_clean(&b);
	ctr__oci_free(oci);

	oci = other_driver("/nonexistent/runtime", world.conmon);
	b.oci = oci;
	create_fails(&b, CTR_E_OCI_UNAVAILABLE, "/nonexistent/runtime");
	ctr__oci_free(oci);
}

static void fake_conmon_fails(const char *body, int code, const char *word, const char *status)
{
	CTR__ERROR ctr_error_t *err = NULL;
	struct ctr__oci *oci = other_driver(world.runtime, script("conmon", body));
	struct box b;
	int rc;

	((struct ctr__conmon *)oci->impl)->create_timeout_ms = 500;
	box_make(&b, ASLEEP);
	b.oci = oci;
	rc = box_create(&b, &err);
	if (rc != code || !strstr(ctr_error_message(err), word))
		fail_msg("%s: %d %s", body, rc, ctr_error_message(err));
	if (status)
		assert_string_equal(ctr_error_get(err, "conmon.status"), status);
	assert_clean(&b);
	ctr__oci_free(oci);
}

static void test_monitors_that_misbehave(void **state)
{
	struct ctr__oci *oci;
	struct box b;

	(void)state;
	fake_conmon_fails("echo unknown option >&2; exit 1", CTR_E_CONMON_UNAVAILABLE,
	    "unknown option", "exit status 1");
	fake_conmon_fails(
	    "echo on stdout; exit 2", CTR_E_CONMON_UNAVAILABLE, "on stdout", "exit status 2");
	fake_conmon_fails("kill -9 $$", CTR_E_CONMON_UNAVAILABLE, "signal 9", "killed by signal 9");
	fake_conmon_fails("exit 0", CTR_E_OCI_RUNTIME, "no reason", NULL);
	fake_conmon_fails("printf garbage >&3", CTR_E_CONMON_UNAVAILABLE, "not understood", NULL);
	fake_conmon_fails(
	    "printf '{\"data\": 0}' >&3", CTR_E_CONMON_UNAVAILABLE, "not understood", NULL);
	/* success without having done anything */
	fake_conmon_fails("printf '{\"data\": %d}' $$ >&3; exit 0", CTR_E_OCI_RUNTIME, "", NULL);
	fake_conmon_fails("printf '{\"data\": 1}' >&3; exit 0", CTR_E_SYSTEM, "conmon.pid", NULL);
	/* never answers */
	fake_conmon_fails("exec sleep 1000", CTR_E_TIMEOUT, "no answer", NULL);
	fake_conmon_fails("exec 3>&-; exec sleep 1000", CTR_E_OCI_RUNTIME, "no reason", NULL);
	/* talks all the time */
	fake_conmon_fails("exec yes", CTR_E_TIMEOUT, "no answer", NULL);

	oci = other_driver(world.runtime, "/nonexistent/conmon");
	box_make(&b, ASLEEP);
	b.oci = oci;
	assert_int_equal(box_create(&b, NULL), CTR_E_CONMON_UNAVAILABLE);
	assert_clean(&b);
	ctr__oci_free(oci);
	oci = other_driver(world.runtime, NULL);
	b.oci = oci;
	assert_int_equal(box_create(&b, NULL), CTR_E_CONMON_UNAVAILABLE);
	assert_clean(&b);
	ctr__oci_free(oci);
}

/* Runs everything else through the command line, and knows a state of its own. */
static void test_a_runtime_nobody_has_heard_of(void **state)
{
	struct ctr__oci *oci;
	char body[1024];
	struct box b;

	(void)state;
	snprintf(body, sizeof(body), "exec %s \"$@\"", world.runtime);
	oci = other_driver(script("wrapper", body), world.conmon);
	box_make(&b, ASLEEP);
	b.oci = oci;
	assert_int_equal(box_state(&b).status, CTR_OCI_ABSENT);
	CREATE(&b);
	assert_int_equal(box_state(&b).status, CTR_OCI_CREATED);
	START(&b);
	assert_int_equal(box_state(&b).status, CTR_OCI_RUNNING);
	MUST_BOX(box_pause, &b);
	assert_int_equal(box_state(&b).status, CTR_OCI_PAUSED);
	MUST_BOX(box_resume, &b);
	assert_int_equal(box_kill(&b, SIGKILL, NULL), 0);
	assert_int_equal(box_wait(&b), 137);
	REMOVE(&b);
	assert_int_equal(box_state(&b).status, CTR_OCI_ABSENT);
	assert_clean(&b);
	REMOVE(&b);
	ctr__oci_free(oci);
}

static void test_answers_that_are_not_understood(void **state)
{
	static const char *const answers[] = {"echo '{}'", "echo nonsense", ":",
	    "echo '{\"status\":\"dancing\",\"pid\":1}'", "head -c 200000 /dev/zero"};

	(void)state;
	for (size_t i = 0; i < CTR__ARRAY_SIZE(answers); i++) {
		struct ctr__oci *oci = other_driver(script("teller", answers[i]), world.conmon);
		struct ctr_oci_status s = {.size = sizeof(s)};
		CTR__ERROR ctr_error_t *err = NULL;
		struct box b;

		box_make(&b, ASLEEP);
		b.oci = oci;
		assert_int_equal(oci->ops.state(oci->impl, &b.c, &s, &err), CTR_E_OCI_RUNTIME);
		assert_non_null(strstr(ctr_error_message(err), "teller"));
		ctr__oci_free(oci);
	}
}

/* ---- monitors that die ---- */

static void kill_monitor(struct box *b)
{
	CTR__CLOSE int fd = ctr__pidfd_open(b->c.monitor_pid, b->c.monitor_start);

	assert_true(fd >= 0);
	assert_int_equal(ctr__pidfd_signal(fd, SIGKILL), 0);
	assert_int_equal(ctr__pidfd_wait(fd, PATIENCE_MS), 1);
}

static void test_monitor_killed_while_running(void **state)
{
	struct ctr_oci_status s;
	struct box b;
	int fd;

	(void)state;
	box_make(&b, ASLEEP);
	CREATE(&b);
	START(&b);
	fd = b.oci->ops.wait_fd(b.oci->impl, &b.c, NULL);
	kill_monitor(&b);
	assert_true(readable(fd, PATIENCE_MS));
	close(fd);
	assert_int_equal(box_monitor_alive(&b), 0);
	assert_int_equal(box_exit_status(&b, &s), 0);
	s = box_state(&b);
	assert_int_equal(s.status, CTR_OCI_RUNNING);
	assert_int_equal(s.monitor_pid, 0);
	assert_int_equal(box_kill(&b, SIGKILL, NULL), 0);
	wait_gone(b.c.pid, b.c.pid_start);
	s = box_state(&b);
	assert_int_equal(s.status, CTR_OCI_STOPPED);
	assert_int_equal(s.exit_code, -1);
	assert_int_equal(s.finished_ns, 0);
	REMOVE(&b);
	assert_clean(&b);

	box_make(&b, ASLEEP);
	CREATE(&b);
	START(&b);
	kill_monitor(&b);
	REMOVE(&b);
	assert_clean(&b);
}

static void test_monitor_killed_before_start(void **state)
{
	struct box b;

	(void)state;
	box_make(&b, ASLEEP);
	CREATE(&b);
	kill_monitor(&b);
	START(&b);
	assert_int_equal(box_state(&b).status, CTR_OCI_RUNNING);
	REMOVE(&b);
	assert_clean(&b);
}

/* A monitor of the last run that still has to write would write into this one's files. */
static void test_monitor_of_an_earlier_run(void **state)
{
	CTR__OCI_RESULT struct ctr__oci_result r = {0};
	struct ctr_oci_container old;
	struct ctr_oci_status s;
	struct box b;

	(void)state;
	box_make(&b, ASLEEP);
	CREATE(&b);
	START(&b);
	old = b.c;
	assert_int_equal(kill(old.monitor_pid, SIGSTOP), 0);
	assert_int_equal(kill(old.pid, SIGKILL), 0);
	wait_gone(old.pid, old.pid_start);
	assert_int_equal(
	    ctr__oci_run(driver(), (const char *const[]){"delete", b.id, NULL}, &r, NULL), 0);
	put_file(b.bundle, "oci-log", 0644, "{\"level\":\"error\",\"msg\":\"of yesterday\"}\n");
	b.c.pid = b.c.monitor_pid = 0;
	CREATE(&b);
	assert_false(ctr__proc_alive(old.monitor_pid, old.monitor_start));
	START(&b);
	assert_int_equal(box_exit_status(&b, &s), 0);
	assert_int_equal(box_kill(&b, SIGKILL, NULL), 0);
	assert_int_equal(box_wait(&b), 137);
	REMOVE(&b);
	assert_clean(&b);
}

/* Remove ends a monitor that does not end by itself. */
static void test_monitor_that_is_stuck(void **state)
{
	struct box b;

	(void)state;
	box_make(&b, ASLEEP);
	CREATE(&b);
	START(&b);
	assert_int_equal(kill(b.c.monitor_pid, SIGSTOP), 0);
	REMOVE(&b);
	assert_false(ctr__proc_alive(b.c.monitor_pid, b.c.monitor_start));
	assert_clean(&b);
}

/* ---- hosts ---- */

static void live_once(void)
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

static void test_host_that_ignores_sigchld(void **state)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN}, old;

	(void)state;
	assert_int_equal(sigaction(SIGCHLD, &ignore, &old), 0);
	live_once();
	assert_int_equal(sigaction(SIGCHLD, &old, NULL), 0);
}

static void *reap_everything(void *stop)
{
	while (!atomic_load((atomic_bool *)stop)) {
		if (waitpid(-1, NULL, 0) < 0)
			sched_yield();
	}
	return NULL;
}

static void test_host_that_reaps_everything(void **state)
{
	atomic_bool stop = false;
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, reap_everything, &stop), 0);
	for (int i = 0; i < 3; i++)
		live_once();
	atomic_store(&stop, true);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void *live_in_thread(void *failed)
{
	struct box b;
	ctr_error_t *err = NULL;

	for (int i = 0; i < 5; i++) {
		struct ctr_oci_status s;
		int fd;

		box_make(&b, &(struct wish){.command = "exit 6"});
		if (box_create(&b, &err) < 0 || box_start(&b, &err) < 0)
			break;
		fd = b.oci->ops.wait_fd(b.oci->impl, &b.c, &err);
		if (fd < 0 || !readable(fd, PATIENCE_MS))
			break;
		close(fd);
		if (box_exit_status(&b, &s) != 1 || s.exit_code != 6 || box_remove(&b, &err) < 0)
			break;
		if (i == 4)
			return NULL;
	}
	fprintf(stderr, "thread: %s\n", ctr_error_message(err));
	ctr_error_free(err);
	atomic_store((atomic_bool *)failed, true);
	return NULL;
}

static void test_many_threads(void **state)
{
	pthread_t threads[4];
	atomic_bool failed = false;

	(void)state;
	for (size_t i = 0; i < CTR__ARRAY_SIZE(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, live_in_thread, &failed), 0);
	for (size_t i = 0; i < CTR__ARRAY_SIZE(threads); i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_false(atomic_load(&failed));
	/* No child, not even a dead one, is left with the host. */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static int count_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static void test_no_descriptor_is_left(void **state)
{
	int before = count_fds();

	(void)state;
	live_once();
	assert_int_equal(count_fds(), before);
}

/* ---- hosts that are killed ---- */

/* A host that creates (and perhaps starts) the container and then does nothing more. */
static pid_t host_process(struct box *b, bool start)
{
	pid_t pid = fork();

	if (pid == 0) {
		alarm(60);
		if (box_create(b, NULL) == 0 && start)
			box_start(b, NULL);
		pause();
		_exit(0);
	}
	assert_true(pid > 0);
	return pid;
}

static void kill_host_after(pid_t pid, long ns)
{
	struct timespec t = {.tv_nsec = ns};

	nanosleep(&t, NULL); /* the moment of death is the test's input */
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void interrupt_at_random(bool start, int rounds, long longest_ns)
{
	unsigned int seed = (unsigned int)getpid();
	struct box b;

	box_make(&b, ASLEEP);
	for (int i = 0; i < rounds; i++) {
		pid_t host = host_process(&b, start);

		kill_host_after(host, rand_r(&seed) % longest_ns);
		MUST_BOX(box_recover, &b);
		assert_clean(&b);
	}
	MUST_BOX(box_recover, &b); /* idempotent */
	assert_int_equal(box_state(&b).status, CTR_OCI_ABSENT);
	/* and nothing stands in the way of the next run */
	CREATE(&b);
	START(&b);
	REMOVE(&b);
	assert_clean(&b);
}

static void test_host_killed_inside_create(void **state)
{
	(void)state;
	interrupt_at_random(false, 50, is_runc() ? 60000000 : 20000000);
}

static void test_host_killed_around_start(void **state)
{
	(void)state;
	interrupt_at_random(true, 20, is_runc() ? 80000000 : 30000000);
}

/* The same cleaning of what is complete, alive or dead. */
static void test_recover_of_complete_containers(void **state)
{
	struct box b;

	(void)state;
	box_make(&b, ASLEEP);
	CREATE(&b);
	START(&b);
	b.c.pid = b.c.monitor_pid = 0;
	MUST_BOX(box_recover, &b);
	assert_clean(&b);
	CREATE(&b);
	START(&b);
	assert_int_equal(box_kill(&b, SIGKILL, NULL), 0);
	assert_int_equal(box_wait(&b), 137);
	MUST_BOX(box_recover, &b);
	assert_clean(&b);
}

/* A host that dies while its runtime command hangs leaves the truth readable. */
static void test_state_after_an_interrupted_start(void **state)
{
	struct box b;
	pid_t host;

	(void)state;
	box_make(&b, ASLEEP);
	CREATE(&b);
	host = fork();
	if (host == 0) {
		box_start(&b, NULL);
		pause();
		_exit(0);
	}
	kill_host_after(host, 300000);
	assert_true(
	    box_state(&b).status == CTR_OCI_CREATED || box_state(&b).status == CTR_OCI_RUNNING);
	REMOVE(&b);
	assert_clean(&b);
}

/* ---- main ---- */

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

static int open_world(void **state)
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

static int close_world(void **state)
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

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_a_life),
	    cmocka_unit_test(test_exit_codes_and_output),
	    cmocka_unit_test(test_no_log_wanted),
	    cmocka_unit_test(test_terminal),
	    cmocka_unit_test(test_kill_and_remove),
	    cmocka_unit_test(test_without_any_pid),
	    cmocka_unit_test(test_a_recycled_pid_is_left_alone),
	    cmocka_unit_test(test_an_existing_container_is_not_made_again),
	    cmocka_unit_test(test_copy_of_the_monitors_pid),
	    cmocka_unit_test(test_log_that_cannot_be_opened),
	    cmocka_unit_test(test_timeout_of_the_container),
	    cmocka_unit_test(test_start_by_fifo_equals_the_command),
	    cmocka_unit_test(test_start_of_a_dead_container),
	    cmocka_unit_test(test_start_of_a_frozen_container),
	    cmocka_unit_test(test_pause_and_resume),
	    cmocka_unit_test(test_host_pid_namespace),
	    cmocka_unit_test(test_missing_binary),
	    cmocka_unit_test(test_binary_that_is_a_directory),
	    cmocka_unit_test(test_bad_bundles),
	    cmocka_unit_test(test_terminal_wanted_on_one_side_only),
	    cmocka_unit_test(test_runtimes_that_misbehave),
	    cmocka_unit_test(test_runtime_that_cannot_be_executed),
	    cmocka_unit_test(test_monitors_that_misbehave),
	    cmocka_unit_test(test_a_runtime_nobody_has_heard_of),
	    cmocka_unit_test(test_answers_that_are_not_understood),
	    cmocka_unit_test(test_monitor_killed_while_running),
	    cmocka_unit_test(test_monitor_killed_before_start),
	    cmocka_unit_test(test_monitor_of_an_earlier_run),
	    cmocka_unit_test(test_monitor_that_is_stuck),
	    cmocka_unit_test(test_host_that_ignores_sigchld),
	    cmocka_unit_test(test_host_that_reaps_everything),
	    cmocka_unit_test(test_many_threads),
	    cmocka_unit_test(test_no_descriptor_is_left),
	    cmocka_unit_test(test_host_killed_inside_create),
	    cmocka_unit_test(test_host_killed_around_start),
	    cmocka_unit_test(test_recover_of_complete_containers),
	    cmocka_unit_test(test_state_after_an_interrupted_start),
	};

	return cmocka_run_group_tests(tests, open_world, close_world);
}
