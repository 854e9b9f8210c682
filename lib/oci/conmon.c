/* SPDX-License-Identifier: Apache-2.0 */
/*
 * create: conmon is started, told to go, and answers on its sync socket with the PID of the container's
 * first process or with the runtime's error.
 *
 * The process started here only parses its options, waits for the start byte, forks the monitor, writes
 * the monitor's PID and ends. Until the byte it dies with us; after that remove(INTERRUPTED) finds what
 * is left.
 */
#include "oci/oci.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "oci/driver.h"
#include "sys/fd.h"
#include "sys/path.h"
#include "sys/proc.h"
#include "sys/spawn.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define PID_FILE_MAX    32
#define NS_PER_MS       INT64_C(1000000)
#define FORKER_PATIENCE 10000 /* ms for the first process to end after the answer */
#define FAILED_PATIENCE 2000  /* the same after a failure */

/* One attempt. */
struct attempt {
	const struct ctr__conmon *d;
	const struct ctr_oci_container *c;
	int bundle; /* directory */
	struct ctr__child child;
	bool spawned; /* `child` is there      */
	bool began;   /* something may be left */
	int sync;
	int start;
	int diag;
	struct ctr__buf text;  /* what conmon printed */
	struct ctr__buf reply; /* its sync packet; empty = it closed the socket */
	bool timed_out;
	int status; /* of the first process */
	bool known;
};

static void attempt_end(struct attempt *a)
{
	ctr__cleanup_close(&a->bundle);
	ctr__cleanup_close(&a->sync);
	ctr__cleanup_close(&a->start);
	ctr__cleanup_close(&a->diag);
	if (a->spawned)
		ctr__child_kill(&a->child);
	ctr__buf_free(&a->text);
	ctr__buf_free(&a->reply);
}

/* ---- starting conmon ---- */

static int make_pair(int *ours, int *theirs, ctr_error_t **err)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return ctr__fail_errno(err, errno, NULL, "make a socket pair for conmon");
	*ours = pair[0];
	*theirs = pair[1];
	return 0;
}

static int make_pipe(int *ours, int *theirs, ctr_error_t **err)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return ctr__fail_errno(err, errno, NULL, "make a pipe for conmon");
	*ours = ends[0];
	*theirs = ends[1];
	if (fcntl(*ours, F_SETFL, O_NONBLOCK) < 0)
		return ctr__fail_errno(err, errno, NULL, "make a pipe non-blocking");
	return 0;
}

static int spawn_words(
    struct attempt *a, char *const *words, char *const *env, const int fds[3], ctr_error_t **err)
{
	CTR__ERROR ctr_error_t *e = NULL;
	struct ctr__spawn s = {
	    .path = a->d->conmon_path,
	    .argv = (const char *const *)words,
	    .envp = (const char *const *)env,
	    .cwd_fd = a->bundle,
	    .fds = {-1, fds[0], fds[0]},
	    .nfds = 5,
	    .new_group = true,
	    .die_with_parent = true,
	};
	int rc;

	s.fds[CTR__CONMON_SYNC_FD] = fds[1];
	s.fds[CTR__CONMON_START_FD] = fds[2];
	rc = ctr__spawn(&s, &a->child, &e);
	if (rc == 0) {
		a->spawned = a->began = true;
		return 0;
	}
	if (rc == CTR_E_NOMEM)
		return ctr__fail_nomem(err);
	ctr__fail(err, CTR_E_CONMON_UNAVAILABLE, "conmon is not available: %s",
	    e ? ctr_error_message(e) : ctr_strerror(rc));
	ctr__error_detail(err, "path", a->d->conmon_path);
	return CTR_E_CONMON_UNAVAILABLE;
}

static int start_conmon(struct attempt *a, ctr_error_t **err)
{
	CTR__STRV char **words = NULL;
	CTR__STRV char **env = NULL;
	CTR__CLOSE int sync = -1;
	CTR__CLOSE int start = -1;
	CTR__CLOSE int diag = -1;
	int rc = ctr__conmon_command_line(a->d, a->c, &words, err);

	if (rc == 0)
		rc = ctr__conmon_environment(a->c, &env, err);
	if (rc == 0)
		rc = make_pair(&a->sync, &sync, err);
	if (rc == 0)
		rc = make_pair(&a->start, &start, err);
	if (rc == 0)
		rc = make_pipe(&a->diag, &diag, err);
	if (rc == 0)
		rc = spawn_words(a, words, env, (const int[]){diag, sync, start}, err);
	return rc;
}

/* If it is gone already, its socket says so next. */
static void send_go(const struct attempt *a)
{
	ssize_t n;

	do {
		n = send(a->start, "", 1, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
}

/* ---- its answer ---- */

/* Keeps the beginning, takes everything, so that the writer never blocks. False at the end. */
static bool drain_diag(struct attempt *a)
{
	char buf[4096];
	ssize_t n;

	while ((n = ctr__read_eintr(a->diag, buf, sizeof(buf))) > 0) {
		size_t room = CTR__OCI_TEXT_MAX - a->text.len;

		ctr__buf_add(&a->text, buf, (size_t)n < room ? (size_t)n : room);
	}
	return n == -EAGAIN;
}

/* True when there is nothing more to wait for: the packet, or the end of the socket. */
static bool receive(struct attempt *a)
{
	CTR__FREE char *buf = malloc(CTR__OCI_TEXT_MAX);
	ssize_t n;

	if (!buf) {
		a->reply.failed = true;
		return true;
	}
	n = recv(a->sync, buf, CTR__OCI_TEXT_MAX, MSG_DONTWAIT);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return false;
	if (n > 0)
		ctr__buf_add(&a->reply, buf, (size_t)n);
	return true;
}

static void await_reply(struct attempt *a)
{
	int64_t deadline = ctr__monotonic_ns() + a->d->create_timeout_ms * NS_PER_MS;
	struct pollfd p[2] = {{.fd = a->sync, .events = POLLIN}, {.fd = a->diag, .events = POLLIN}};

	for (;;) {
		int64_t left = (deadline - ctr__monotonic_ns() + NS_PER_MS - 1) / NS_PER_MS;

		if (left <= 0) {
			a->timed_out = true;
			return;
		}
		if (poll(p, 2, left < INT_MAX ? (int)left : INT_MAX) < 0)
			continue; /* EINTR; anything else ends with the deadline */
		if (p[1].revents && !drain_diag(a))
			p[1].fd = -1;
		if (p[0].revents && receive(a))
			return;
	}
}

/* The first process ends right after it wrote the monitor's PID, so its end comes before that is read. */
static void reap_first(struct attempt *a, int64_t patience_ms)
{
	if (ctr__child_wait(&a->child, patience_ms, &a->status, &a->known, NULL) < 0)
		ctr__child_kill(&a->child);
	a->spawned = false;
	drain_diag(a);
}

/* ---- success ---- */

static int read_monitor(const struct attempt *a, struct ctr_oci_status *out, ctr_error_t **err)
{
	CTR__FREE char *text = NULL;
	int64_t pid;
	int rc = ctr__read_file_at(a->bundle, CTR__CONMON_PID_FILE, PID_FILE_MAX, &text, NULL);

	if (rc < 0)
		return ctr__fail_errno(
		    err, -rc, a->c->bundle, "read conmon's PID file %s", CTR__CONMON_PID_FILE);
	if (!ctr__parse_i64(text, 1, INT32_MAX, &pid))
		return ctr__fail(err, CTR_E_OCI_RUNTIME, "conmon's PID file is not understood");
	out->monitor_pid = (int32_t)pid;
	out->monitor_start = ctr__proc_start_time(out->monitor_pid);
	if (!out->monitor_start)
		return ctr__fail(err, CTR_E_CONMON_DEAD, "conmon ended right after the create");
	return 0;
}

static bool is_own_pid_file(const struct ctr_oci_container *c)
{
	size_t len = strlen(c->bundle);

	return !c->pid_file || (strncmp(c->pid_file, c->bundle, len) == 0 &&
	                           strcmp(c->pid_file + len, "/" CTR__CONMON_PID_FILE) == 0);
}

/* The copy that the user asked for. */
static int write_pid_copy(const struct attempt *a, int32_t pid, ctr_error_t **err)
{
	const char *path = a->c->pid_file, *slash;
	CTR__FREE char *dir = NULL;
	CTR__CLOSE int fd = -1;
	char text[16];
	int rc;

	if (is_own_pid_file(a->c))
		return 0;
	slash = strrchr(path, '/');
	dir = strndup(path, slash == path ? 1 : (size_t)(slash - path));
	if (!dir)
		return ctr__fail_nomem(err);
	snprintf(text, sizeof(text), "%d", (int)pid);
	fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	rc = fd < 0 ? -errno : ctr__write_file_at(fd, slash + 1, text, strlen(text), 0644, false);
	return rc < 0 ? ctr__fail_errno(err, -rc, path, "write the monitor's PID file %s", path)
	              : 0;
}

static int finish(struct attempt *a, int32_t pid, struct ctr_oci_status *out, ctr_error_t **err)
{
	int rc;

	out->status = CTR_OCI_CREATED;
	out->pid = pid;
	out->pid_start = ctr__proc_start_time(pid);
	if (!out->pid_start)
		return ctr__fail(err, CTR_E_OCI_RUNTIME,
		    "OCI runtime %s: the container's first process %d ended before its start",
		    a->d->name, (int)pid);
	rc = read_monitor(a, out, err);
	return rc < 0 ? rc : write_pid_copy(a, out->monitor_pid, err);
}

/* ---- failure ---- */

static char *read_oci_log(const struct attempt *a)
{
	CTR__FREE char *data = NULL;
	size_t len;

	if (ctr__read_file_at(a->bundle, CTR__OCI_LOG, 16 * CTR__OCI_TEXT_MAX, &data, &len) < 0)
		return strdup("");
	return ctr__oci_error_text(data, len);
}

/* The first of the sources that says anything. */
static char *failure_text(const struct attempt *a, const struct ctr__oci_reply *reply)
{
	CTR__FREE char *text = NULL;

	if (reply->message)
		text = ctr__oci_error_text(reply->message, strlen(reply->message));
	else
		text = strdup("");
	if (!text || *text)
		return CTR__STEAL_PTR(text);
	free(text);
	text = read_oci_log(a);
	if (!text || *text)
		return CTR__STEAL_PTR(text);
	free(text);
	text = ctr__oci_error_text(a->text.data, a->text.len);
	return CTR__STEAL_PTR(text);
}

/* Its first process ends with 0 as soon as the monitor runs; what goes wrong later is told over the
 * socket or not at all. */
static bool conmon_failed(const struct attempt *a)
{
	return a->known ? a->status != 0 : a->reply.len == 0 && a->text.len > 0;
}

static void describe_status(const struct attempt *a, char *buf, size_t size)
{
	if (!a->known)
		snprintf(buf, size, "unknown");
	else if (WIFEXITED(a->status))
		snprintf(buf, size, "exit status %d", WEXITSTATUS(a->status));
	else
		snprintf(buf, size, "killed by signal %d", WTERMSIG(a->status));
}

static int blame_conmon(const struct attempt *a, const char *line, ctr_error_t **err)
{
	char status[40];
	int rc;

	describe_status(a, status, sizeof(status));
	rc = ctr__fail(err, CTR_E_CONMON_UNAVAILABLE, "conmon %s failed (%s): %s",
	    a->d->conmon_path, status, *line ? line : "it gave no reason");
	ctr__error_detail(err, "conmon.status", status);
	return rc;
}

static int blame_runtime(
    const struct attempt *a, const char *text, const char *line, ctr_error_t **err)
{
	if (a->timed_out)
		return ctr__fail(err, CTR_E_TIMEOUT,
		    "OCI runtime %s could not create the container: no answer within %lld s",
		    a->d->name, (long long)(a->d->create_timeout_ms / 1000));
	return ctr__fail(err, ctr__oci_classify(text),
	    "OCI runtime %s could not create the container: %s", a->d->name,
	    *line ? line : "it gave no reason");
}

static int failed(const struct attempt *a, const struct ctr__oci_reply *reply, ctr_error_t **err)
{
	CTR__FREE char *text = failure_text(a, reply);
	CTR__FREE char *line = text ? ctr__oci_one_line(text) : NULL;
	int rc;

	if (!line)
		return ctr__fail_nomem(err);
	rc = !a->timed_out && conmon_failed(a) ? blame_conmon(a, line, err)
	                                       : blame_runtime(a, text, line, err);
	if (*text)
		ctr__error_detail(err, "oci.stderr", text);
	return rc;
}

/* ---- create ---- */

/* Conmon would only say "Failed to open log file"; we can say why. */
static int check_log(const char *path, ctr_error_t **err)
{
	CTR__CLOSE int fd = -1;

	if (!path)
		return 0;
	if (!ctr__path_is_clean(path))
		return ctr__fail(
		    err, CTR_E_INVALID, "log file \"%s\" is not a clean absolute path", path);
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);
	return fd < 0 ? ctr__fail_errno(err, errno, path, "open log file %s", path) : 0;
}

static int check_all(
    const struct ctr__conmon *d, const struct ctr_oci_container *c, ctr_error_t **err)
{
	int rc = ctr__oci_check_container(c, err);

	if (rc == 0)
		rc = ctr__oci_check_conmon(d, err);
	if (rc == 0)
		rc = ctr__oci_check_runtime(d, err);
	if (rc < 0)
		return rc;
	if (c->pid_file && !ctr__path_is_clean(c->pid_file))
		return ctr__fail(err, CTR_E_INVALID, "PID file \"%s\" is not a clean absolute path",
		    c->pid_file);
	/* A failed create ends with "delete --force": that must not hit somebody who lives. */
	if (d->kind != CTR__RUNTIME_OTHER && ctr__oci_may_know(d, c->id))
		return ctr__fail(err, CTR_E_CTR_EXISTS, "OCI runtime %s already has a container %s",
		    d->name, c->id);
	return check_log(c->log_path, err);
}

/* Clears what an earlier run left, and makes the place where the exit data will be: without it conmon
 * would write none, and nobody would notice before the end. */
static int prepare(struct attempt *a, ctr_error_t **err)
{
	CTR__CLOSE int persist = -1;
	struct stat st;
	int rc = ctr__oci_end_monitor(a->d, a->c, 0, err);

	if (rc == 0)
		rc = ctr__oci_remove_files(a->d, a->c, err);
	if (rc < 0)
		return rc;
	a->bundle = open(a->c->bundle, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (a->bundle < 0)
		return ctr__fail_errno(
		    err, errno, a->c->bundle, "open bundle directory %s", a->c->bundle);
	if (fstat(a->d->exits_fd, &st) < 0 || st.st_nlink == 0)
		return ctr__fail(err, CTR_E_RUNTIME_STOPPED, "exit directory %s has been removed",
		    a->d->exits_dir);
	persist = ctr__mkdir_at(a->d->persist_fd, a->c->id, 0750);
	if (persist < 0)
		return ctr__fail_errno(err, -persist, a->d->persist_dir,
		    "make persist directory %s/%s", a->d->persist_dir, a->c->id);
	return 0;
}

static int run(struct attempt *a, struct ctr_oci_status *out, ctr_error_t **err)
{
	struct ctr__oci_reply reply = {0};
	CTR__FREE char *message = NULL;
	int rc = start_conmon(a, err);

	if (rc < 0)
		return rc;
	send_go(a);
	await_reply(a);
	reap_first(a, a->reply.len ? FORKER_PATIENCE : FAILED_PATIENCE);
	if (a->reply.failed || a->text.failed)
		return ctr__fail_nomem(err);
	if (a->reply.len && !ctr__oci_parse_reply(a->reply.data, a->reply.len, &reply))
		return ctr__fail(err, CTR_E_CONMON_UNAVAILABLE,
		    "conmon %s: its answer is not understood", a->d->conmon_path);
	message = reply.message;
	return reply.pid > 0 ? finish(a, reply.pid, out, err) : failed(a, &reply, err);
}

/* "On failure nothing of it may be left": its own error is the one that counts. */
static int undo(struct attempt *a, int rc)
{
	if (a->began)
		ctr__oci_wipe(a->d, a->c, NULL);
	else
		ctr__oci_remove_files(a->d, a->c, NULL);
	return rc;
}

int ctr__oci_op_create(
    void *impl, const struct ctr_oci_container *c, struct ctr_oci_status *out, ctr_error_t **err)
{
	CTR__CLEANUP(attempt_end)
	struct attempt a = {.d = impl, .c = c, .bundle = -1, .sync = -1, .start = -1, .diag = -1};
	int rc = check_all(a.d, c, err);

	if (rc < 0)
		return rc;
	rc = prepare(&a, err);
	if (rc == 0)
		rc = run(&a, out, err);
	if (rc == 0)
		return 0;
	if (a.began)
		ctr__error_detail(err, "oci.runtime", a.d->name);
	memset(out, 0, sizeof(*out));
	out->size = sizeof(*out);
	return undo(&a, rc);
}
