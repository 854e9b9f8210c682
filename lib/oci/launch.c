/* SPDX-License-Identifier: Apache-2.0 */
/* Starting conmon: sockets, the handshake, what it says when something goes wrong. */
#include "oci/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/fd.h"
#include "sys/proc.h"
#include "util/clock.h"

#define PID_FILE_MAX    32
#define NS_PER_MS       INT64_C(1000000)
#define FORKER_PATIENCE 10000 /* ms for the first process to end after the answer */
#define FAILED_PATIENCE 2000  /* the same after a failure */

void ctr__launch_end(struct ctr__launch *l)
{
	ctr__cleanup_close(&l->dir);
	ctr__cleanup_close(&l->sync);
	ctr__cleanup_close(&l->start);
	ctr__cleanup_close(&l->attach);
	ctr__cleanup_close(&l->diag);
	if (l->spawned)
		ctr__child_kill(&l->child);
	ctr__buf_free(&l->text);
	ctr__buf_free(&l->reply);
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

/* Its ends of what it is given. */
struct theirs {
	int sync, start, attach, diag;
};

static void theirs_close(struct theirs *t)
{
	ctr__cleanup_close(&t->sync);
	ctr__cleanup_close(&t->start);
	ctr__cleanup_close(&t->attach);
	ctr__cleanup_close(&t->diag);
}

static int unavailable(
    const struct ctr__launch *l, int code, const ctr_error_t *why, ctr_error_t **err)
{
	if (code == CTR_E_NOMEM)
		return ctr__fail_nomem(err);
	ctr__fail(err, CTR_E_CONMON_UNAVAILABLE, "conmon is not available: %s",
	    why ? ctr_error_message(why) : ctr_strerror(code));
	ctr__error_detail(err, "path", l->d->conmon_path);
	return CTR_E_CONMON_UNAVAILABLE;
}

static int spawn_words(struct ctr__launch *l, char *const *words, char *const *env,
    const struct theirs *t, ctr_error_t **err)
{
	CTR__ERROR ctr_error_t *e = NULL;
	struct ctr__spawn s = {
	    .path = l->d->conmon_path,
	    .argv = (const char *const *)words,
	    .envp = (const char *const *)env,
	    .cwd_fd = l->dir,
	    .fds = {-1, t->diag, t->diag},
	    .nfds = 3,
	    .new_group = true,
	    .die_with_parent = true,
	};
	int rc;

	for (size_t i = 0; i < l->fds_n; i++)
		s.fds[s.nfds++] = l->fds[i];
	s.fds[s.nfds++] = t->sync;
	s.fds[s.nfds++] = t->start;
	if (l->streams)
		s.fds[s.nfds++] = t->attach;
	rc = ctr__spawn(&s, &l->child, &e);
	if (rc < 0)
		return unavailable(l, rc, e, err);
	l->spawned = l->began = true;
	return 0;
}

int ctr__launch_start(
    struct ctr__launch *l, char *const *words, char *const *env, ctr_error_t **err)
{
	CTR__CLEANUP(theirs_close) struct theirs t = {-1, -1, -1, -1};
	int rc = make_pair(&l->sync, &t.sync, err);

	if (rc == 0)
		rc = make_pair(&l->start, &t.start, err);
	if (rc == 0 && l->streams)
		rc = make_pair(&l->attach, &t.attach, err);
	if (rc == 0)
		rc = make_pipe(&l->diag, &t.diag, err);
	return rc < 0 ? rc : spawn_words(l, words, env, &t, err);
}

void ctr__launch_go(const struct ctr__launch *l)
{
	ssize_t n;

	do {
		n = send(l->start, "", 1, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
}

/* ---- its answer ---- */

/* Keeps the beginning, takes everything, so that the writer never blocks. False at the end. */
static bool drain_diag(struct ctr__launch *l)
{
	char buf[4096];
	ssize_t n;

	while ((n = ctr__read_eintr(l->diag, buf, sizeof(buf))) > 0) {
		size_t room = CTR__OCI_TEXT_MAX - l->text.len;

		ctr__buf_add(&l->text, buf, (size_t)n < room ? (size_t)n : room);
	}
	return n == -EAGAIN;
}

/* True when there is nothing more to wait for: the packet, or the end of the socket. */
static bool receive(struct ctr__launch *l, int fd)
{
	CTR__FREE char *buf = malloc(CTR__OCI_TEXT_MAX);
	ssize_t n;

	if (!buf) {
		l->reply.failed = true;
		return true;
	}
	n = recv(fd, buf, CTR__OCI_TEXT_MAX, MSG_DONTWAIT);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return false;
	if (n > 0)
		ctr__buf_add(&l->reply, buf, (size_t)n);
	return true;
}

void ctr__launch_await(struct ctr__launch *l, int fd)
{
	int64_t deadline = ctr__monotonic_ns() + l->d->create_timeout_ms * NS_PER_MS;
	struct pollfd p[2] = {{.fd = fd, .events = POLLIN}, {.fd = l->diag, .events = POLLIN}};

	l->reply.len = 0;
	for (;;) {
		int64_t left = (deadline - ctr__monotonic_ns() + NS_PER_MS - 1) / NS_PER_MS;

		if (left <= 0) {
			l->timed_out = true;
			return;
		}
		if (poll(p, 2, left < INT_MAX ? (int)left : INT_MAX) < 0)
			continue; /* EINTR; anything else ends with the deadline */
		if (p[1].revents && !drain_diag(l))
			p[1].fd = -1;
		if (p[0].revents && receive(l, fd))
			return;
	}
}

void ctr__launch_reap(struct ctr__launch *l)
{
	int64_t patience_ms = l->reply.len ? FORKER_PATIENCE : FAILED_PATIENCE;

	if (ctr__child_wait(&l->child, patience_ms, &l->status, &l->known, NULL) < 0)
		ctr__child_kill(&l->child);
	l->spawned = false;
	drain_diag(l);
}

/* ---- success ---- */

int ctr__launch_monitor(const struct ctr__launch *l, struct ctr_oci_status *out, ctr_error_t **err)
{
	CTR__FREE char *text = NULL;
	int64_t pid;
	int rc = ctr__read_file_at(l->dir, CTR__CONMON_PID_FILE, PID_FILE_MAX, &text, NULL);

	if (rc < 0)
		return ctr__fail_errno(
		    err, -rc, NULL, "read conmon's PID file %s", CTR__CONMON_PID_FILE);
	if (!ctr__parse_i64(text, 1, INT32_MAX, &pid))
		return ctr__fail(err, CTR_E_OCI_RUNTIME, "conmon's PID file is not understood");
	out->monitor_pid = (int32_t)pid;
	out->monitor_start = ctr__proc_start_time(out->monitor_pid);
	return 0;
}

/* ---- failure ---- */

static char *read_oci_log(const struct ctr__launch *l)
{
	CTR__FREE char *data = NULL;
	size_t len;

	if (ctr__read_file_at(l->dir, CTR__OCI_LOG, 16 * CTR__OCI_TEXT_MAX, &data, &len) < 0)
		return strdup("");
	return ctr__oci_error_text(data, len);
}

/* The first of the sources that says anything. */
static char *failure_text(const struct ctr__launch *l, const struct ctr__oci_reply *reply)
{
	CTR__FREE char *text = NULL;

	if (reply->message)
		text = ctr__oci_error_text(reply->message, strlen(reply->message));
	else
		text = strdup("");
	if (!text || *text)
		return CTR__STEAL_PTR(text);
	free(text);
	text = read_oci_log(l);
	if (!text || *text)
		return CTR__STEAL_PTR(text);
	free(text);
	text = ctr__oci_error_text(l->text.data, l->text.len);
	return CTR__STEAL_PTR(text);
}

/* Its first process ends with 0 as soon as the monitor runs; what goes wrong later is told over the
 * socket or not at all. */
static bool conmon_failed(const struct ctr__launch *l)
{
	return l->known ? l->status != 0 : l->reply.len == 0 && l->text.len > 0;
}

static void describe_status(const struct ctr__launch *l, char *buf, size_t size)
{
	if (!l->known)
		snprintf(buf, size, "unknown");
	else if (WIFEXITED(l->status))
		snprintf(buf, size, "exit status %d", WEXITSTATUS(l->status));
	else
		snprintf(buf, size, "killed by signal %d", WTERMSIG(l->status));
}

static int blame_conmon(const struct ctr__launch *l, const char *line, ctr_error_t **err)
{
	char status[40];
	int rc;

	describe_status(l, status, sizeof(status));
	rc = ctr__fail(err, CTR_E_CONMON_UNAVAILABLE, "conmon %s failed (%s): %s",
	    l->d->conmon_path, status, *line ? line : "it gave no reason");
	ctr__error_detail(err, "conmon.status", status);
	return rc;
}

static int blame_runtime(
    const struct ctr__launch *l, const char *text, const char *line, ctr_error_t **err)
{
	if (l->timed_out)
		return ctr__fail(err, CTR_E_TIMEOUT,
		    "OCI runtime %s could not %s: no answer within %lld s", l->d->name, l->what,
		    (long long)(l->d->create_timeout_ms / 1000));
	return ctr__fail(err, ctr__oci_classify(text), "OCI runtime %s could not %s: %s",
	    l->d->name, l->what, *line ? line : "it gave no reason");
}

static int failed(
    const struct ctr__launch *l, const struct ctr__oci_reply *reply, ctr_error_t **err)
{
	CTR__FREE char *text = failure_text(l, reply);
	CTR__FREE char *line = text ? ctr__oci_one_line(text) : NULL;
	int rc;

	if (!line)
		return ctr__fail_nomem(err);
	rc = !l->timed_out && conmon_failed(l) ? blame_conmon(l, line, err)
	                                       : blame_runtime(l, text, line, err);
	if (*text)
		ctr__error_detail(err, "oci.stderr", text);
	return rc;
}

int ctr__launch_result(struct ctr__launch *l, int32_t *pid, ctr_error_t **err)
{
	struct ctr__oci_reply reply = {0};
	CTR__FREE char *message = NULL;

	if (l->reply.failed || l->text.failed)
		return ctr__fail_nomem(err);
	if (l->reply.len && !ctr__oci_parse_reply(l->reply.data, l->reply.len, &reply))
		return ctr__fail(err, CTR_E_CONMON_UNAVAILABLE,
		    "conmon %s: its answer is not understood", l->d->conmon_path);
	message = reply.message;
	*pid = reply.pid;
	return reply.pid > 0 ? 0 : failed(l, &reply, err);
}
