/* SPDX-License-Identifier: Apache-2.0 */
/* Exec sessions without processes: see fake_exec.h. */
#include "fake_exec.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "fake_oci.h"

struct session {
	char id[160], ctr[160];
	int ended, code;
	int64_t finished_ns;
	int end_fd; /* eventfd, readable once it has ended */
	int stream;
	struct session *next;
};

struct fake_execs {
	pthread_mutex_t mutex;
	struct session *first;
	int quick; /* -1: not */
	int fail_code, fail_left;
	int ignore_signals;
	int removals;
	void (*during)(void *arg);
	void *during_arg;
	char *process;
	size_t fds;
	uint32_t rows;
};

struct fake_execs *fake_execs_new(void)
{
	struct fake_execs *x = calloc(1, sizeof(*x));

	if (!x)
		return NULL;
	pthread_mutex_init(&x->mutex, NULL);
	x->quick = -1;
	return x;
}

static void session_free(struct session *s)
{
	close(s->end_fd);
	if (s->stream >= 0)
		close(s->stream);
	free(s);
}

void fake_execs_free(struct fake_execs *x)
{
	if (!x)
		return;
	while (x->first) {
		struct session *next = x->first->next;

		session_free(x->first);
		x->first = next;
	}
	pthread_mutex_destroy(&x->mutex);
	free(x->process);
	free(x);
}

static struct fake_execs *locked(void *impl)
{
	struct fake_execs *x = fake_oci_execs(impl);

	pthread_mutex_lock(&x->mutex);
	return x;
}

static int done(struct fake_execs *x, int r)
{
	pthread_mutex_unlock(&x->mutex);
	return r;
}

static struct session *find(struct fake_execs *x, const char *id)
{
	struct session *s = x->first;

	while (s && strcmp(s->id, id) != 0)
		s = s->next;
	return s;
}

static void end(struct session *s, int code)
{
	struct timespec ts;
	uint64_t one = 1;

	if (s->ended)
		return;
	clock_gettime(CLOCK_REALTIME, &ts);
	s->ended = 1;
	s->code = code;
	s->finished_ns = (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
	if (s->stream >= 0)
		close(s->stream);
	s->stream = -1;
	if (write(s->end_fd, &one, sizeof(one)) < 0)
		abort();
}

void fake_execs_end_all(struct fake_execs *x, const char *ctr_id)
{
	pthread_mutex_lock(&x->mutex);
	for (struct session *s = x->first; s; s = s->next)
		if (strcmp(s->ctr, ctr_id) == 0)
			end(s, 128 + SIGKILL);
	pthread_mutex_unlock(&x->mutex);
}

/* ---- operations ---- */

static struct session *add(
    struct fake_execs *x, const struct ctr_oci_container *k, const struct ctr_oci_exec *e)
{
	struct session *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	snprintf(s->id, sizeof(s->id), "%s", e->id);
	snprintf(s->ctr, sizeof(s->ctr), "%s", k->id);
	s->end_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	s->stream = -1;
	s->next = x->first;
	x->first = s;
	return s;
}

static int connect_stream(struct session *s, int *stream, ctr_error_t **err)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return ctr_error_set(err, CTR_E_SYSTEM, 0, "no socket pair");
	s->stream = pair[0];
	*stream = pair[1];
	return 0;
}

/* The fake's lock is not held while a test's function runs. */
static void call_during(struct fake_execs *x)
{
	void (*fn)(void *arg) = x->during;

	x->during = NULL;
	if (!fn)
		return;
	pthread_mutex_unlock(&x->mutex);
	fn(x->during_arg);
	pthread_mutex_lock(&x->mutex);
}

int fake_op_exec_start(void *impl, const struct ctr_oci_container *k, const struct ctr_oci_exec *e,
    struct ctr_oci_status *out, int *stream, ctr_error_t **err)
{
	/* Before: the container's lock comes before that of its sessions. */
	int running = fake_oci_status(impl, k->id) == CTR_OCI_RUNNING;
	struct fake_execs *x = locked(impl);
	struct session *s;
	int r = 0;

	call_during(x);
	if (x->fail_left) {
		x->fail_left--;
		return done(
		    x, ctr_error_set(err, x->fail_code, 0, "the fake runtime was told to fail"));
	}
	if (access(e->dir, W_OK) != 0)
		return done(x, ctr_error_set(err, CTR_E_OCI_RUNTIME, 0, "there is no directory"));
	if (!running)
		return done(x, ctr_error_set(err, CTR_E_CTR_STOPPED, 0, "the container has ended"));
	s = add(x, k, e);
	if (!s)
		return done(x, ctr_error_set(err, CTR_E_NOMEM, 0, NULL));
	free(x->process);
	x->process = strdup(e->process);
	x->fds = e->fds_n;
	if (e->flags & CTR_OCI_EXEC_STREAMS)
		r = connect_stream(s, stream, err);
	if (x->quick >= 0) {
		if (s->stream >= 0)
			(void)!write(s->stream, "\2out", 4);
		end(s, x->quick);
	}
	out->status = CTR_OCI_RUNNING;
	return done(x, r);
}

int fake_op_exec_status(void *impl, const struct ctr_oci_container *k, const struct ctr_oci_exec *e,
    struct ctr_oci_status *out, ctr_error_t **err)
{
	struct fake_execs *x = locked(impl);
	const struct session *s = find(x, e->id);

	(void)k;
	(void)err;
	if (s && !s->ended)
		return done(x, 0);
	out->status = CTR_OCI_STOPPED;
	out->exit_code = s ? s->code : -1;
	out->finished_ns = s ? s->finished_ns : 1;
	return done(x, 1);
}

int fake_op_exec_wait_fd(
    void *impl, const struct ctr_oci_container *k, const struct ctr_oci_exec *e, ctr_error_t **err)
{
	struct fake_execs *x = locked(impl);
	const struct session *s = find(x, e->id);

	(void)k;
	if (!s)
		return done(x, ctr_error_set(err, CTR_E_OCI_RUNTIME, 0, "no such session"));
	return done(x, fcntl(s->end_fd, F_DUPFD_CLOEXEC, 3));
}

int fake_op_exec_kill(void *impl, const struct ctr_oci_container *k, const struct ctr_oci_exec *e,
    int32_t sig, ctr_error_t **err)
{
	struct fake_execs *x = locked(impl);
	struct session *s = find(x, e->id);

	(void)k;
	if (!s || s->ended)
		return done(x, ctr_error_set(err, CTR_E_CTR_STOPPED, 0, NULL));
	if (sig == SIGKILL || !x->ignore_signals)
		end(s, 128 + sig);
	return done(x, 0);
}

int fake_op_exec_resize(void *impl, const struct ctr_oci_container *k, const struct ctr_oci_exec *e,
    uint32_t rows, uint32_t cols, ctr_error_t **err)
{
	struct fake_execs *x = locked(impl);

	(void)k;
	(void)e;
	(void)cols;
	(void)err;
	x->rows = rows;
	return done(x, 0);
}

int fake_op_exec_remove(
    void *impl, const struct ctr_oci_container *k, const struct ctr_oci_exec *e, ctr_error_t **err)
{
	struct fake_execs *x = locked(impl);

	(void)k;
	(void)err;
	x->removals++;
	for (struct session **p = &x->first; *p; p = &(*p)->next) {
		struct session *s = *p;

		if (strcmp(s->id, e->id) != 0)
			continue;
		*p = s->next;
		session_free(s);
		break;
	}
	return done(x, 0);
}

/* ---- what tests do ---- */

void fake_exec_end(struct fake_oci *f, const char *id, int code)
{
	struct fake_execs *x = locked(f);
	struct session *s = find(x, id);

	if (!s)
		abort();
	end(s, code);
	done(x, 0);
}

void fake_exec_end_if_running(struct fake_oci *f, const char *id, int code)
{
	struct fake_execs *x = locked(f);
	struct session *s = find(x, id);

	if (s)
		end(s, code);
	done(x, 0);
}

void fake_exec_quick(struct fake_oci *f, int code)
{
	struct fake_execs *x = locked(f);

	x->quick = code;
	done(x, 0);
}

void fake_exec_fail(struct fake_oci *f, int code, int n)
{
	struct fake_execs *x = locked(f);

	x->fail_code = code;
	x->fail_left = n;
	done(x, 0);
}

void fake_exec_ignore_signals(struct fake_oci *f, int ignore)
{
	struct fake_execs *x = locked(f);

	x->ignore_signals = ignore;
	done(x, 0);
}

void fake_exec_during_start(struct fake_oci *f, void (*fn)(void *arg), void *arg)
{
	struct fake_execs *x = locked(f);

	x->during = fn;
	x->during_arg = arg;
	done(x, 0);
}

const char *fake_exec_process(struct fake_oci *f)
{
	const char *text = fake_oci_execs(f)->process;

	return text ? text : "";
}

size_t fake_exec_fds(struct fake_oci *f)
{
	return fake_oci_execs(f)->fds;
}

uint32_t fake_exec_rows(struct fake_oci *f)
{
	return fake_oci_execs(f)->rows;
}

int fake_exec_stream(struct fake_oci *f, const char *id)
{
	struct fake_execs *x = locked(f);
	const struct session *s = find(x, id);

	return done(x, s ? s->stream : -1);
}

int fake_exec_running(struct fake_oci *f)
{
	struct fake_execs *x = locked(f);
	int n = 0;

	for (const struct session *s = x->first; s; s = s->next)
		n += !s->ended;
	return done(x, n);
}

int fake_exec_removals(struct fake_oci *f)
{
	struct fake_execs *x = locked(f);

	return done(x, x->removals);
}
