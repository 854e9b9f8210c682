/* SPDX-License-Identifier: Apache-2.0 */
/* An OCI runtime without processes: see fake_oci.h. */
#include "fake_oci.h"
#include "fake_streams.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

struct fake_ctr {
	char id[160];
	int status; /* CTR_OCI_* */
	int code;
	int recorded; /* its monitor wrote the exit down */
	int last_signal;
	int64_t finished_ns;
	int end_fd; /* eventfd, readable once it has ended */
	char resources[1024];
	struct fake_streams streams;
	struct fake_ctr *next;
};

struct fake_oci {
	pthread_mutex_t mutex;
	struct fake_ctr *first;
	struct fake_execs *execs;
	int calls[FAKE_OPS];
	int fail_code[FAKE_OPS];
	int fail_left[FAKE_OPS];
	int ignore_signals;
	int monitors_dead;
	int32_t pid;
	uint64_t pid_start;
	void (*on_create)(const struct ctr_oci_container *k, void *arg);
	void *on_create_arg;
	void (*on_start)(void);
	int process_code;
	char *process_output;
	char *last_process;
	int64_t last_timeout;
	void (*during)(void *arg);
	void *during_arg;
	const char *burst;
	const size_t *burst_lengths;
	int burst_n;
	int burst_ends;
};

int fake_oci_destroyed;

struct fake_oci *fake_oci_new(void)
{
	struct fake_oci *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	pthread_mutex_init(&f->mutex, NULL);
	f->execs = fake_execs_new();
	if (f->execs)
		return f;
	free(f);
	return NULL;
}

struct fake_execs *fake_oci_execs(void *impl)
{
	return ((struct fake_oci *)impl)->execs;
}

static void ctr_free_one(struct fake_ctr *c)
{
	fake_streams_close(&c->streams);
	close(c->end_fd);
	free(c);
}

void fake_oci_destroy(void *impl)
{
	struct fake_oci *f = impl;

	while (f->first) {
		struct fake_ctr *next = f->first->next;

		ctr_free_one(f->first);
		f->first = next;
	}
	pthread_mutex_destroy(&f->mutex);
	free(f->process_output);
	free(f->last_process);
	fake_execs_free(f->execs);
	free(f);
	fake_oci_destroyed++;
}

static struct fake_ctr *find(struct fake_oci *f, const char *id)
{
	struct fake_ctr *c = f->first;

	while (c && strcmp(c->id, id) != 0)
		c = c->next;
	return c;
}

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void end(struct fake_oci *f, struct fake_ctr *c, int code)
{
	uint64_t one = 1;

	fake_streams_close(&c->streams);
	c->status = CTR_OCI_STOPPED;
	c->code = code;
	c->finished_ns = now_ns();
	c->recorded = !f->monitors_dead;
	fake_execs_end_all(f->execs, c->id);
	if (write(c->end_fd, &one, sizeof(one)) < 0)
		abort();
}

/* Begins an operation: locked, counted; a failure that a test wants is reported. */
static int begin(struct fake_oci *f, enum fake_op op, ctr_error_t **err)
{
	pthread_mutex_lock(&f->mutex);
	f->calls[op]++;
	if (!f->fail_left[op])
		return 0;
	f->fail_left[op]--;
	return ctr_error_set(err, f->fail_code[op], 0, "the fake runtime was told to fail");
}

static int done(struct fake_oci *f, int r)
{
	pthread_mutex_unlock(&f->mutex);
	return r;
}

static int no_such(struct fake_oci *f, ctr_error_t **err)
{
	return done(
	    f, ctr_error_set(err, CTR_E_OCI_RUNTIME, 0, "the fake runtime has no such container"));
}

static int op_create(
    void *impl, const struct ctr_oci_container *k, struct ctr_oci_status *out, ctr_error_t **err)
{
	struct fake_oci *f = impl;
	struct fake_ctr *c;
	char path[4096];
	int r;

	if (f->on_create)
		f->on_create(k, f->on_create_arg);
	r = begin(f, FAKE_CREATE, err);
	if (r < 0)
		return done(f, r);
	snprintf(path, sizeof(path), "%s/config.json", k->bundle);
	if (access(path, R_OK) != 0)
		return done(
		    f, ctr_error_set(err, CTR_E_OCI_RUNTIME, 0, "no config.json in the bundle"));
	if (find(f, k->id))
		return done(f, ctr_error_set(err, CTR_E_OCI_RUNTIME, 0, "the ID is taken"));
	c = calloc(1, sizeof(*c));
	if (!c)
		return done(f, ctr_error_set(err, CTR_E_NOMEM, 0, NULL));
	snprintf(c->id, sizeof(c->id), "%s", k->id);
	c->end_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	c->status = CTR_OCI_CREATED;
	c->next = f->first;
	f->first = c;
	out->status = CTR_OCI_CREATED;
	/* Mostly there is no process: no PID either. */
	out->pid = f->pid;
	out->pid_start = f->pid_start;
	return done(f, 0);
}

static int op_start(void *impl, const struct ctr_oci_container *k, ctr_error_t **err)
{
	struct fake_oci *f = impl;
	struct fake_ctr *c;
	int r = begin(f, FAKE_START, err);

	if (r < 0)
		return done(f, r);
	c = find(f, k->id);
	if (!c || c->status != CTR_OCI_CREATED)
		return no_such(f, err);
	c->status = CTR_OCI_RUNNING;
	if (f->on_start)
		f->on_start();
	if (f->burst)
		fake_streams_say(&c->streams, f->burst, f->burst_lengths, f->burst_n);
	if (f->burst && f->burst_ends)
		end(f, c, 0);
	return done(f, 0);
}

static void fill(const struct fake_ctr *c, struct ctr_oci_status *out)
{
	out->status = c->status;
	if (c->status == CTR_OCI_STOPPED && c->recorded) {
		out->exit_code = c->code;
		out->finished_ns = c->finished_ns;
	}
}

static int op_state(
    void *impl, const struct ctr_oci_container *k, struct ctr_oci_status *out, ctr_error_t **err)
{
	struct fake_oci *f = impl;
	struct fake_ctr *c;
	int r = begin(f, FAKE_STATE, err);

	if (r < 0)
		return done(f, r);
	c = find(f, k->id);
	out->status = CTR_OCI_ABSENT;
	if (c)
		fill(c, out);
	return done(f, 0);
}

static int op_kill(
    void *impl, const struct ctr_oci_container *k, int32_t sig, uint64_t flags, ctr_error_t **err)
{
	struct fake_oci *f = impl;
	struct fake_ctr *c;
	int r = begin(f, FAKE_KILL, err);

	(void)flags;
	if (r < 0)
		return done(f, r);
	c = find(f, k->id);
	if (!c)
		return no_such(f, err);
	if (c->status == CTR_OCI_STOPPED)
		return done(f, ctr_error_set(err, CTR_E_CTR_STOPPED, 0, NULL));
	c->last_signal = sig;
	if (sig == SIGKILL ||
	    (!f->ignore_signals && sig != SIGCONT && c->status == CTR_OCI_RUNNING))
		end(f, c, 128 + sig);
	return done(f, 0);
}

static int op_remove(
    void *impl, const struct ctr_oci_container *k, uint64_t flags, ctr_error_t **err)
{
	struct fake_oci *f = impl;
	struct fake_ctr **p;
	int r = begin(f, FAKE_REMOVE, err);

	(void)flags;
	if (r < 0)
		return done(f, r);
	for (p = &f->first; *p; p = &(*p)->next) {
		if (strcmp((*p)->id, k->id) == 0) {
			struct fake_ctr *c = *p;

			*p = c->next;
			ctr_free_one(c);
			break;
		}
	}
	return done(f, 0);
}

static int set_status(
    struct fake_oci *f, enum fake_op op, const char *id, int from, int to, ctr_error_t **err)
{
	struct fake_ctr *c;
	int r = begin(f, op, err);

	if (r < 0)
		return done(f, r);
	c = find(f, id);
	if (!c || c->status != from)
		return no_such(f, err);
	c->status = to;
	return done(f, 0);
}

static int op_pause(void *impl, const struct ctr_oci_container *k, ctr_error_t **err)
{
	return set_status(impl, FAKE_PAUSE, k->id, CTR_OCI_RUNNING, CTR_OCI_PAUSED, err);
}

static int op_resume(void *impl, const struct ctr_oci_container *k, ctr_error_t **err)
{
	return set_status(impl, FAKE_RESUME, k->id, CTR_OCI_PAUSED, CTR_OCI_RUNNING, err);
}

static int op_exit_status(
    void *impl, const struct ctr_oci_container *k, struct ctr_oci_status *out, ctr_error_t **err)
{
	struct fake_oci *f = impl;
	struct fake_ctr *c;
	int r = begin(f, FAKE_EXIT_STATUS, err);

	if (r < 0)
		return done(f, r);
	c = find(f, k->id);
	if (!c || c->status != CTR_OCI_STOPPED || !c->recorded)
		return done(f, 0);
	fill(c, out);
	return done(f, 1);
}

static int op_wait_fd(void *impl, const struct ctr_oci_container *k, ctr_error_t **err)
{
	struct fake_oci *f = impl;
	struct fake_ctr *c;
	int r = begin(f, FAKE_WAIT_FD, err);

	if (r < 0)
		return done(f, r);
	c = find(f, k->id);
	if (!c)
		return no_such(f, err);
	return done(f, fcntl(c->end_fd, F_DUPFD_CLOEXEC, 3));
}

static int op_monitor_alive(void *impl, const struct ctr_oci_container *k, ctr_error_t **err)
{
	struct fake_oci *f = impl;
	struct fake_ctr *c;
	int r = begin(f, FAKE_MONITOR_ALIVE, err);

	if (r < 0)
		return done(f, r);
	c = find(f, k->id);
	return done(f, c && !f->monitors_dead);
}

static int op_update(
    void *impl, const struct ctr_oci_container *k, const char *resources, ctr_error_t **err)
{
	struct fake_oci *f = impl;
	struct fake_ctr *c;
	int r = begin(f, FAKE_UPDATE, err);

	if (r < 0)
		return done(f, r);
	c = find(f, k->id);
	if (!c || c->status == CTR_OCI_STOPPED)
		return no_such(f, err);
	snprintf(c->resources, sizeof(c->resources), "%s", resources);
	return done(f, 0);
}

static int op_run_process(void *impl, const struct ctr_oci_container *k, const char *process,
    int64_t timeout_ms, size_t output_max, int32_t *exit_code, char **output, size_t *output_len,
    ctr_error_t **err)
{
	struct fake_oci *f = impl;
	const struct fake_ctr *c;
	int r = begin(f, FAKE_RUN_PROCESS, err);

	if (r < 0)
		return done(f, r);
	c = find(f, k->id);
	if (!c || c->status != CTR_OCI_RUNNING)
		return no_such(f, err);
	free(f->last_process);
	f->last_process = strdup(process);
	f->last_timeout = timeout_ms;
	*output = strndup(f->process_output ? f->process_output : "", output_max);
	*output_len = strlen(*output);
	*exit_code = f->process_code;
	done(f, 0);
	/* Without the lock: it may call the library. */
	if (f->during)
		f->during(f->during_arg);
	return *exit_code < 0 ? ctr_error_set(err, CTR_E_TIMEOUT, 0, "it did not end") : 0;
}

static int op_attach(void *impl, const struct ctr_oci_container *k, ctr_error_t **err)
{
	struct fake_oci *f = impl;
	struct fake_ctr *c;
	int r = begin(f, FAKE_ATTACH, err);

	if (r < 0)
		return done(f, r);
	c = find(f, k->id);
	if (!c || c->status == CTR_OCI_STOPPED || f->monitors_dead)
		return done(
		    f, ctr_error_set(err, CTR_E_CONMON_DEAD, 0, "nobody serves the streams"));
	return done(f, fake_streams_attach(&c->streams, err));
}

static int op_resize(
    void *impl, const struct ctr_oci_container *k, uint32_t rows, uint32_t cols, ctr_error_t **err)
{
	struct fake_oci *f = impl;
	struct fake_ctr *c;
	int r = begin(f, FAKE_RESIZE, err);

	if (r < 0)
		return done(f, r);
	c = find(f, k->id);
	if (!c || c->status == CTR_OCI_STOPPED)
		return no_such(f, err);
	c->streams.rows = rows;
	c->streams.cols = cols;
	return done(f, 0);
}

const struct ctr_oci_ops fake_oci_ops = {
    .size = sizeof(struct ctr_oci_ops),
    .name = "fake",
    .create = op_create,
    .start = op_start,
    .state = op_state,
    .kill = op_kill,
    .remove = op_remove,
    .pause = op_pause,
    .resume = op_resume,
    .exit_status = op_exit_status,
    .wait_fd = op_wait_fd,
    .monitor_alive = op_monitor_alive,
    .update = op_update,
    .run_process = op_run_process,
    .attach = op_attach,
    .resize = op_resize,
    .exec_start = fake_op_exec_start,
    .exec_status = fake_op_exec_status,
    .exec_wait_fd = fake_op_exec_wait_fd,
    .exec_kill = fake_op_exec_kill,
    .exec_resize = fake_op_exec_resize,
    .exec_remove = fake_op_exec_remove,
};

/* ---- what tests do to it ---- */

void fake_oci_exit(struct fake_oci *f, const char *id, int code)
{
	struct fake_ctr *c;

	pthread_mutex_lock(&f->mutex);
	c = find(f, id);
	if (!c)
		abort();
	end(f, c, code);
	pthread_mutex_unlock(&f->mutex);
}

void fake_oci_ignore_signals(struct fake_oci *f, int ignore)
{
	f->ignore_signals = ignore;
}

void fake_oci_fail(struct fake_oci *f, enum fake_op op, int code, int n)
{
	pthread_mutex_lock(&f->mutex);
	f->fail_code[op] = code;
	f->fail_left[op] = n;
	pthread_mutex_unlock(&f->mutex);
}

void fake_oci_kill_monitors(struct fake_oci *f)
{
	f->monitors_dead = 1;
}

void fake_oci_forget(struct fake_oci *f, const char *id)
{
	struct ctr_oci_container k = {.id = id};

	op_remove(f, &k, 0, NULL);
	f->calls[FAKE_REMOVE]--;
}

void fake_oci_adopt(struct fake_oci *f, const char *id)
{
	struct fake_ctr *c = calloc(1, sizeof(*c));

	if (!c)
		abort();
	snprintf(c->id, sizeof(c->id), "%s", id);
	c->end_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	c->status = CTR_OCI_RUNNING;
	pthread_mutex_lock(&f->mutex);
	c->next = f->first;
	f->first = c;
	pthread_mutex_unlock(&f->mutex);
}

void fake_oci_process(struct fake_oci *f, int32_t pid, uint64_t pid_start)
{
	f->pid = pid;
	f->pid_start = pid_start;
}

void fake_oci_on_create(
    struct fake_oci *f, void (*fn)(const struct ctr_oci_container *k, void *arg), void *arg)
{
	f->on_create = fn;
	f->on_create_arg = arg;
}

void fake_oci_on_start(struct fake_oci *f, void (*fn)(void))
{
	f->on_start = fn;
}

void fake_oci_exec(struct fake_oci *f, int code, const char *output)
{
	pthread_mutex_lock(&f->mutex);
	f->process_code = code;
	free(f->process_output);
	f->process_output = strdup(output);
	pthread_mutex_unlock(&f->mutex);
}

void fake_oci_during_exec(struct fake_oci *f, void (*during)(void *arg), void *arg)
{
	f->during = during;
	f->during_arg = arg;
}

const char *fake_oci_last_exec(struct fake_oci *f)
{
	return f->last_process ? f->last_process : "";
}

int64_t fake_oci_last_timeout(struct fake_oci *f)
{
	return f->last_timeout;
}

int fake_oci_calls(struct fake_oci *f, enum fake_op op)
{
	int n;

	pthread_mutex_lock(&f->mutex);
	n = f->calls[op];
	pthread_mutex_unlock(&f->mutex);
	return n;
}

int fake_oci_status(struct fake_oci *f, const char *id)
{
	struct fake_ctr *c;
	int status;

	pthread_mutex_lock(&f->mutex);
	c = find(f, id);
	status = c ? c->status : CTR_OCI_ABSENT;
	pthread_mutex_unlock(&f->mutex);
	return status;
}

int fake_oci_last_signal(struct fake_oci *f, const char *id)
{
	struct fake_ctr *c;
	int sig;

	pthread_mutex_lock(&f->mutex);
	c = find(f, id);
	sig = c ? c->last_signal : 0;
	pthread_mutex_unlock(&f->mutex);
	return sig;
}

int fake_oci_stream(struct fake_oci *f, const char *id, int n)
{
	struct fake_ctr *c;
	int fd;

	pthread_mutex_lock(&f->mutex);
	c = find(f, id);
	fd = c && n < c->streams.n ? c->streams.fds[n] : -1;
	pthread_mutex_unlock(&f->mutex);
	return fd;
}

void fake_oci_hang_up(struct fake_oci *f, const char *id)
{
	struct fake_ctr *c;

	pthread_mutex_lock(&f->mutex);
	c = find(f, id);
	if (c)
		fake_streams_close(&c->streams);
	pthread_mutex_unlock(&f->mutex);
}

void fake_oci_burst(struct fake_oci *f, const char *text, const size_t *lengths, int n, int ends)
{
	pthread_mutex_lock(&f->mutex);
	f->burst = text;
	f->burst_lengths = lengths;
	f->burst_n = n;
	f->burst_ends = ends;
	pthread_mutex_unlock(&f->mutex);
}

void fake_oci_size(struct fake_oci *f, const char *id, uint32_t *rows, uint32_t *cols)
{
	struct fake_ctr *c;

	pthread_mutex_lock(&f->mutex);
	c = find(f, id);
	*rows = c ? c->streams.rows : 0;
	*cols = c ? c->streams.cols : 0;
	pthread_mutex_unlock(&f->mutex);
}

const char *fake_oci_resources(struct fake_oci *f, const char *id)
{
	struct fake_ctr *c;
	const char *text;

	pthread_mutex_lock(&f->mutex);
	c = find(f, id);
	text = c ? c->resources : "";
	pthread_mutex_unlock(&f->mutex);
	return text;
}

int fake_oci_count(struct fake_oci *f)
{
	int n = 0;

	pthread_mutex_lock(&f->mutex);
	for (struct fake_ctr *c = f->first; c; c = c->next)
		n++;
	pthread_mutex_unlock(&f->mutex);
	return n;
}
