/* SPDX-License-Identifier: Apache-2.0 */
/* Which processes work on a container: its monitor, and what an interrupted create left running. */
#include "oci/driver.h"

#include <errno.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys/fd.h"
#include "sys/proc.h"
#include "util/cleanup.h"

#define PID_FILE_MAX  32
#define CMDLINE_MAX   (64U << 10)
#define DEATH_WAIT_MS 5000
#define MAX_PASSES    50

/* ---- command lines ---- */

/* What somebody may be at work on. */
struct target {
	const struct ctr__conmon *d;
	const struct ctr_oci_container *c;
	const char *dir; /* the monitor's */
	const char *
	    process; /* path of what one more process is started from; NULL: the container itself */
};

static struct target container_target(
    const struct ctr__conmon *d, const struct ctr_oci_container *c)
{
	return (struct target){d, c, c->bundle, NULL};
}

/* The word after the option `name` is `value`. */
static bool has_option(int argc, char *const *argv, const char *name, const char *value)
{
	for (int i = 1; i + 1 < argc; i++)
		if (strcmp(argv[i], name) == 0 && strcmp(argv[i + 1], value) == 0)
			return true;
	return false;
}

static bool is_program(const char *argv0, const char *path)
{
	const char *a = strrchr(argv0, '/'), *b = strrchr(path, '/');

	return strcmp(a ? a + 1 : argv0, b ? b + 1 : path) == 0;
}

static bool is_monitor(const struct target *t, int argc, char *const *argv)
{
	return argc > 0 && t->d->conmon_path && is_program(argv[0], t->d->conmon_path) &&
	       has_option(argc, argv, "-c", t->c->id) && has_option(argc, argv, "-b", t->dir);
}

/* The runtime at work on the container. With crun also the container's first process before its start:
 * it is a fork without exec. */
static bool is_runtime(const struct target *t, int argc, char *const *argv)
{
	return argc > 3 && has_option(argc, argv, "--root", t->d->oci_root) &&
	       strcmp(argv[argc - 1], t->c->id) == 0 &&
	       (!t->process || has_option(argc, argv, "--process", t->process));
}

static void close_dir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

/* "runc init" does not name its container, but it holds a descriptor of <root>/ID/exec.fifo. */
static bool is_runc_init(const struct target *t, pid_t pid, int argc, char *const *argv)
{
	CTR__FREE char *fifo = NULL;
	CTR__CLEANUP(close_dir) DIR *dir = NULL;
	const struct dirent *entry;
	char path[64];

	if (t->process || t->d->kind != CTR__RUNTIME_RUNC || argc != 2 ||
	    strcmp(argv[1], "init") != 0)
		return false;
	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	fifo = ctr__format("%s/%s/exec.fifo", t->d->oci_root, t->c->id);
	dir = fifo ? opendir(path) : NULL;
	if (!dir)
		return false;
	while ((entry = readdir(dir))) {
		char target[PATH_MAX];
		ssize_t n = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);

		if (n < 0)
			continue;
		target[n] = '\0';
		if (ctr__starts_with(target, fifo)) /* " (deleted)" may follow */
			return true;
	}
	return false;
}

static bool works_on(const struct target *t, pid_t pid, int argc, char *const *argv)
{
	return is_monitor(t, argc, argv) || is_runtime(t, argc, argv) ||
	       is_runc_init(t, pid, argc, argv);
}

/* ---- one process ---- */

static size_t split_cmdline(char *data, size_t len, char ***argv)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += data[i] == '\0';
	*argv = calloc(n + 1, sizeof(**argv));
	if (!*argv)
		return 0;
	n = 0;
	for (size_t i = 0; i < len; i += strlen(data + i) + 1)
		(*argv)[n++] = data + i;
	return n;
}

/* Calls a test with the command line of one process. */
static bool check_process(const struct target *t, pid_t pid,
    bool (*test)(const struct target *t, pid_t pid, int argc, char *const *argv))
{
	CTR__FREE char *data = NULL;
	CTR__FREE char **argv = NULL;
	char path[64];
	size_t len, argc;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	/* A command line that its owner overwrote may lack the last NUL: the copy has one. */
	if (ctr__read_file_at(AT_FDCWD, path, CMDLINE_MAX, &data, &len) < 0 || len == 0)
		return false;
	argc = split_cmdline(data, data[len - 1] ? len + 1 : len, &argv);
	return argc > 0 && argc < INT_MAX && test(t, pid, (int)argc, argv);
}

static bool test_monitor(const struct target *t, pid_t pid, int argc, char *const *argv)
{
	(void)pid;
	return is_monitor(t, argc, argv);
}

/* ---- the monitor ---- */

static pid_t read_pid_file(const char *bundle)
{
	CTR__FREE char *text = NULL;
	CTR__FREE char *path = ctr__path_join(bundle, CTR__CONMON_PID_FILE);
	size_t len;
	int64_t pid;

	if (!path || ctr__read_file_at(AT_FDCWD, path, PID_FILE_MAX, &text, &len) < 0 ||
	    !ctr__parse_i64(text, 1, INT32_MAX, &pid))
		return 0;
	return (pid_t)pid;
}

pid_t ctr__oci_monitor(
    const struct ctr__conmon *d, const struct ctr_oci_container *c, uint64_t *start)
{
	const struct target t = container_target(d, c);
	pid_t pid = c->monitor_pid;

	*start = c->monitor_start;
	if (pid > 0 && *start && ctr__proc_alive(pid, *start))
		return pid;
	pid = read_pid_file(c->bundle);
	if (pid <= 0)
		return 0;
	/* Start time first: if the number is reused after that, the pair matches nobody. */
	*start = ctr__proc_start_time(pid);
	if (!*start || !check_process(&t, pid, test_monitor) || !ctr__proc_alive(pid, *start))
		return 0;
	return pid;
}

static int kill_and_wait(int pidfd)
{
	int rc = ctr__pidfd_signal(pidfd, SIGKILL);

	if (rc < 0 && rc != -ESRCH)
		return rc;
	rc = ctr__pidfd_wait(pidfd, DEATH_WAIT_MS);
	return rc == 0 ? -ETIMEDOUT : rc;
}

int ctr__oci_end_monitor(const struct ctr__conmon *d, const struct ctr_oci_container *c,
    int64_t patience_ms, ctr_error_t **err)
{
	CTR__CLOSE int pidfd = -1;
	uint64_t start;
	pid_t pid = ctr__oci_monitor(d, c, &start);
	int rc;

	if (pid <= 0)
		return 0;
	pidfd = ctr__pidfd_open(pid, start);
	if (pidfd == -ESRCH)
		return 0;
	rc = pidfd < 0 ? pidfd : ctr__pidfd_wait(pidfd, patience_ms);
	if (rc == 0)
		rc = kill_and_wait(pidfd);
	if (rc < 0)
		return ctr__fail_errno(
		    err, -rc, NULL, "end the monitor %d of container %s", (int)pid, c->id);
	return 0;
}

/* ---- everybody ---- */

struct sweep {
	struct target t;
	int found;
	int error;
};

/* What a runtime has started for one more process is nobody's but ours to find: it goes with it. */
static int end_worker(const struct sweep *s, int pidfd, pid_t pid)
{
	int rc = s->t.process ? ctr__proc_kill_tree(pidfd, pid) : 0;

	return rc < 0 ? rc : kill_and_wait(pidfd);
}

/* Between the look at its command line and the signal the number could pass to another process: the
 * pidfd pins whoever has it now, so the look is repeated. */
static int kill_worker(pid_t pid, int argc, char **argv, void *userdata)
{
	struct sweep *s = userdata;
	CTR__CLOSE int pidfd = -1;
	int rc;

	/* One that died meanwhile may have worked on it up to now: look again. */
	if (argc == 0)
		s->found++;
	if (argc == 0 || !works_on(&s->t, pid, argc, argv))
		return 0;
	pidfd = ctr__pidfd_open(pid, 0);
	if (pidfd < 0 || !check_process(&s->t, pid, works_on))
		return 0;
	s->found++;
	rc = end_worker(s, pidfd, pid);
	if (rc < 0)
		s->error = rc;
	return rc < 0 ? 1 : 0;
}

static void sweep_once(struct sweep *s)
{
	const struct ctr__conmon *d = s->t.d;
	int rc = 0;

	s->found = 0;
	if (d->conmon_path)
		rc = ctr__proc_each(strrchr(d->conmon_path, '/') + 1, kill_worker, s);
	if (rc == 0)
		rc = ctr__proc_each(d->name, kill_worker, s);
	if (rc < 0 && s->error == 0)
		s->error = rc;
}

static int sweep_all(struct sweep *s, ctr_error_t **err)
{
	int total = 0;

	/* One that dies may just have forked another, so a pass must find none. */
	for (int pass = 0; pass < MAX_PASSES && s->error == 0; pass++) {
		sweep_once(s);
		total += s->found;
		if (s->found == 0 && s->error == 0)
			return total;
	}
	return ctr__fail_errno(err, s->error ? -s->error : EAGAIN, NULL,
	    "end the processes that work on container %s", s->t.c->id);
}

int ctr__oci_kill_workers(
    const struct ctr__conmon *d, const struct ctr_oci_container *c, ctr_error_t **err)
{
	struct sweep s = {.t = container_target(d, c)};

	return sweep_all(&s, err);
}

int ctr__oci_kill_session_workers(const struct ctr__conmon *d, const struct ctr_oci_container *c,
    const struct ctr_oci_exec *x, ctr_error_t **err)
{
	CTR__FREE char *process = ctr__path_join(x->dir, CTR__SESSION_PROCESS);
	struct sweep s = {.t = {d, c, x->dir, process}};

	return process ? sweep_all(&s, err) : ctr__fail_nomem(err);
}
