/* SPDX-License-Identifier: Apache-2.0 */
/* Random operations from many sides at once: see storm.h. */
#include "storm.h"
#include "lives.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WORKERS = STORM_PROCESSES * STORM_THREADS, OPS_MAX = 32, ENOUGH = 20 };

/* What the watchdog sees of a worker. */
struct post {
	_Atomic int64_t since_ms; /* 0 = between two calls */
	atomic_int op, box;
};

struct shared {
	struct post posts[WORKERS];
	_Atomic uint64_t done[OPS_MAX]; /* operations that succeeded */
	_Atomic uint64_t refused, starts, creates;
	atomic_int stop;      /* workers: end */
	atomic_int stop_read; /* readers: end when there is nothing more */
	atomic_int violations;
};

struct worker {
	const struct storm *storm;
	struct shared *sh;
	struct post *post;
	ctr_runtime_t *rt;
	unsigned int seed;
	/* A handle that is kept for a while, so that it gets old. */
	ctr_container_t *kept;
};

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static unsigned int dice(struct worker *w, unsigned int n)
{
	return (unsigned int)rand_r(&w->seed) % n;
}

/* ---- the operations ---- */

static int do_state(struct worker *w, ctr_container_t *c, ctr_error_t **err)
{
	int32_t state = 0, pid = 0, code = 0, exited = 0;
	int r = ctr_container_state(c, &state, err);

	(void)w;
	if (r >= 0)
		r = ctr_container_pid(c, &pid, err);
	if (r >= 0)
		r = ctr_container_exit_code(c, &code, &exited, err);
	return r;
}

static int do_snapshot(struct worker *w, ctr_container_t *c, ctr_error_t **err)
{
	ctr_state_t *s = NULL;
	int r = ctr_container_snapshot(c, &s, err);

	(void)w;
	if (r >= 0 && ctr_state_status(s) == CTR_STATE_RUNNING && ctr_state_started_ns(s) == 0)
		r = ctr_error_set(err, CTR_E_INTERNAL, 0, "running, but never started");
	if (r >= 0 && ctr_state_status(s) == CTR_STATE_STOPPED && !ctr_state_exited(s))
		r = ctr_error_set(err, CTR_E_INTERNAL, 0, "stopped, but has not exited");
	ctr_state_free(s);
	return r;
}

static int do_init(struct worker *w, ctr_container_t *c, ctr_error_t **err)
{
	(void)w;
	return ctr_container_init(c, 0, err);
}

static int do_start(struct worker *w, ctr_container_t *c, ctr_error_t **err)
{
	(void)w;
	return ctr_container_start(c, 0, err);
}

static int do_stop(struct worker *w, ctr_container_t *c, ctr_error_t **err)
{
	return ctr_container_stop_with_timeout(c, (int64_t)dice(w, 20), err);
}

static int do_kill(struct worker *w, ctr_container_t *c, ctr_error_t **err)
{
	static const int32_t signals[] = {SIGKILL, SIGTERM, SIGUSR1, SIGCONT};

	return ctr_container_kill(c, signals[dice(w, 4)], err);
}

static int do_pause(struct worker *w, ctr_container_t *c, ctr_error_t **err)
{
	(void)w;
	return ctr_container_pause(c, err);
}

static int do_unpause(struct worker *w, ctr_container_t *c, ctr_error_t **err)
{
	(void)w;
	return ctr_container_unpause(c, err);
}

static int do_cleanup(struct worker *w, ctr_container_t *c, ctr_error_t **err)
{
	return ctr_container_cleanup(c, dice(w, 2) ? CTR_CLEANUP_ONLY_STOPPED : 0, err);
}

static int do_wait(struct worker *w, ctr_container_t *c, ctr_error_t **err)
{
	int32_t code = -2;
	int r = ctr_container_wait(c, (int64_t)dice(w, 30), &code, err);

	if (r >= 0 && (code < 0 || code > 255))
		r = ctr_error_set(err, CTR_E_INTERNAL, 0, "a wait gave an impossible code");
	return r;
}

static int do_wait_fd(struct worker *w, ctr_container_t *c, ctr_error_t **err)
{
	struct pollfd p = {.events = POLLIN};

	p.fd = ctr_container_wait_fd(c, err);
	if (p.fd < 0)
		return p.fd;
	poll(&p, 1, (int)dice(w, 10));
	close(p.fd);
	return 0;
}

static int do_sync(struct worker *w, ctr_container_t *c, ctr_error_t **err)
{
	(void)w;
	return ctr_container_sync(c, err);
}

static int do_list(struct worker *w, ctr_container_t *c, ctr_error_t **err)
{
	ctr_list_t *list = NULL;
	int r = ctr_runtime_list(w->rt, NULL, 0, &list, err);

	(void)c;
	if (r >= 0 && ctr_list_count(list) > 2 * (size_t)w->storm->boxes)
		r = ctr_error_set(err, CTR_E_INTERNAL, 0, "more containers than names");
	ctr_list_free(list);
	return r;
}

static int in_batch(ctr_container_t *view, void *userdata)
{
	struct worker *w = userdata;
	int32_t before = 0, state = 0;
	int r = ctr_container_state(view, &before, NULL);

	/* Nobody else changes it meanwhile. */
	for (unsigned int i = dice(w, 4); i > 0 && r >= 0; i--) {
		r = ctr_container_state(view, &state, NULL);
		if (r >= 0 && state != before)
			return CTR_E_INTERNAL;
	}
	if (r >= 0 && dice(w, 3) == 0 && before == CTR_STATE_RUNNING)
		r = ctr_container_kill(view, SIGKILL, NULL);
	if (r >= 0 && ctr_container_remove(view, 0, NULL) != CTR_E_BUSY)
		r = CTR_E_INTERNAL;
	return r;
}

static int do_batch(struct worker *w, ctr_container_t *c, ctr_error_t **err)
{
	return ctr_container_batch(c, in_batch, w, err);
}

static int do_remove(struct worker *w, ctr_container_t *c, ctr_error_t **err)
{
	return ctr_container_remove(c, dice(w, 2) ? CTR_REMOVE_FORCE : 0, err);
}

static int do_restart(struct worker *w, ctr_container_t *c, ctr_error_t **err)
{
	return ctr_container_restart_with_timeout(c, (int64_t)dice(w, 20), err);
}

/* There and back again. */
static int do_rename(struct worker *w, ctr_container_t *c, ctr_error_t **err)
{
	ctr_config_t *cfg = ctr_container_config(c);
	const char *name = ctr_config_name(cfg);
	char other[32];
	int r;

	(void)w;
	snprintf(
	    other, sizeof(other), "%s%s", strncmp(name, "alt", 3) == 0 ? "box" : "alt", name + 3);
	r = ctr_container_rename(c, other, err);
	ctr_config_unref(cfg);
	return r;
}

static int do_update(struct worker *w, ctr_container_t *c, ctr_error_t **err)
{
	static const char *const env[] = {"STORM=blows", NULL};
	struct ctr_update_opts o = {.size = sizeof(o)};
	char limit[64];

	snprintf(limit, sizeof(limit), "{\"pids\":{\"limit\":%u}}", 100 + dice(w, 100));
	if (w->storm->limits && dice(w, 2))
		o.resources = limit;
	else
		o.env = env;
	return ctr_container_update(c, &o, err);
}

static int do_inspect(struct worker *w, ctr_container_t *c, ctr_error_t **err)
{
	char *json = NULL;
	size_t len = 0;
	int r = ctr_container_inspect(c, 0, &json, &len, err);

	(void)w;
	if (r >= 0 && (strlen(json) != len || !strstr(json, ctr_container_id(c))))
		r = ctr_error_set(err, CTR_E_INTERNAL, 0, "that is no inspect of the container");
	ctr_free(json);
	return r;
}

static int do_wait_for(struct worker *w, ctr_container_t *c, ctr_error_t **err)
{
	static const char *const sets[][3] = {
	    {"exited"}, {"running", "removing"}, {"paused"}, {"stopping", "initialized"}};
	struct ctr_wait_opts o = {.size = sizeof(o),
	    .conditions = sets[dice(w, 4)],
	    .timeout_ms = 1 + (int64_t)dice(w, 30)};
	int32_t code = -2;
	int r = ctr_container_wait_for(c, &o, &code, err);

	if (r >= 0 && (code < -1 || code > 255))
		r = ctr_error_set(err, CTR_E_INTERNAL, 0, "a wait gave an impossible code");
	return r;
}

static int do_end(struct worker *w, ctr_container_t *c, ctr_error_t **err)
{
	(void)err;
	if (w->storm->end)
		w->storm->end(w->storm->impl, ctr_container_id(c), dice(w, 256));
	return 0;
}

/* Codes that tell of the state another one has brought it to. Always fine: CTR_STATE, CTR_REMOVED. */
static const struct op {
	const char *name;
	int (*fn)(struct worker *w, ctr_container_t *c, ctr_error_t **err);
	unsigned int weight;
	int fine[3];
	int32_t event; /* counted: one for each success */
} ops[] = {
    {"state", do_state, 12, {0}, 0},
    {"snapshot", do_snapshot, 8, {0}, 0},
    {"init", do_init, 3, {0}, 0},
    {"start", do_start, 16, {CTR_E_CTR_RUNNING}, CTR_EVENT_START},
    {"stop", do_stop, 6, {CTR_E_CTR_STOPPED}, 0},
    {"kill", do_kill, 5, {0}, CTR_EVENT_KILL},
    {"pause", do_pause, 4, {0}, CTR_EVENT_PAUSE},
    {"unpause", do_unpause, 6, {0}, CTR_EVENT_UNPAUSE},
    {"cleanup", do_cleanup, 4, {0}, 0},
    {"wait", do_wait, 6, {CTR_E_TIMEOUT}, 0},
    {"wait_fd", do_wait_fd, 4, {0}, 0},
    {"sync", do_sync, 2, {0}, 0},
    {"list", do_list, 2, {0}, 0},
    {"batch", do_batch, 4, {0}, 0},
    {"remove", do_remove, 3, {0}, 0},
    {"end", do_end, 6, {0}, 0},
    {"restart", do_restart, 4, {0}, 0},
    {"rename", do_rename, 4, {CTR_E_CTR_EXISTS}, CTR_EVENT_RENAME},
    {"update", do_update, 4, {0}, CTR_EVENT_UPDATE},
    {"inspect", do_inspect, 4, {0}, 0},
    {"wait_for", do_wait_for, 5, {CTR_E_TIMEOUT}, 0},
};
enum { OPS = sizeof(ops) / sizeof(*ops), OP_LOOKUP = OPS, OP_CREATE = OPS + 1 };

static const char *op_name(int op)
{
	return op < OPS ? ops[op].name : op == OP_LOOKUP ? "lookup" : "create";
}

/* ---- a worker ---- */

static void enter(struct worker *w, int op, int box)
{
	atomic_store(&w->post->op, op);
	atomic_store(&w->post->box, box);
	atomic_store(&w->post->since_ms, now_ms());
}

static void leave(struct worker *w)
{
	atomic_store(&w->post->since_ms, 0);
}

static bool is_fine(const struct op *op, int r)
{
	if (r == CTR_E_CTR_STATE || r == CTR_E_CTR_REMOVED)
		return true;
	for (size_t i = 0; i < sizeof(op->fine) / sizeof(*op->fine); i++)
		if (op->fine[i] && r == op->fine[i])
			return true;
	return false;
}

static void violation(struct worker *w, int op, const char *id, int r, const ctr_error_t *err)
{
	int64_t since = atomic_load(&w->post->since_ms);

	if (atomic_fetch_add(&w->sh->violations, 1) >= ENOUGH)
		return;
	fprintf(stderr, "VIOLATION: %s of %.12s after %" PRId64 " ms: %s: %s\n", op_name(op), id,
	    now_ms() - since, ctr_error_name(r), ctr_error_message(err));
}

static ctr_container_t *make(struct worker *w, int box)
{
	ctr_config_t *cfg = w->storm->config(w->storm->impl, box);
	ctr_container_t *c = NULL;
	ctr_error_t *err = NULL;
	int r;

	enter(w, OP_CREATE, box);
	r = ctr_container_create(w->rt, cfg, 0, &c, &err);
	if (r >= 0)
		atomic_fetch_add(&w->sh->creates, 1);
	else if (r != CTR_E_CTR_EXISTS)
		violation(w, OP_CREATE, ctr_config_name(cfg), r, err);
	leave(w);
	ctr_error_free(err);
	ctr_config_unref(cfg);
	return c;
}

static ctr_container_t *get(struct worker *w, int box)
{
	ctr_container_t *c = NULL;
	ctr_error_t *err = NULL;
	bool alt = dice(w, 6) == 0;
	char name[16];
	int r;

	if (w->kept && dice(w, 4) == 0)
		return ctr_container_ref(w->kept);
	snprintf(name, sizeof(name), "%s-%d", alt ? "alt" : "box", box);
	enter(w, OP_LOOKUP, box);
	r = ctr_container_lookup(w->rt, name, &c, &err);
	if (r < 0 && r != CTR_E_NO_SUCH_CTR)
		violation(w, OP_LOOKUP, name, r, err);
	leave(w);
	if (r == CTR_E_NO_SUCH_CTR && !alt)
		c = make(w, box);
	ctr_error_free(err);
	if (c && dice(w, 8) == 0) {
		ctr_container_unref(w->kept);
		w->kept = ctr_container_ref(c);
	}
	return c;
}

static int choose(struct worker *w)
{
	unsigned int sum = 0, n;
	int op = 0;

	for (int i = 0; i < OPS; i++)
		sum += ops[i].weight;
	for (n = dice(w, sum); n >= ops[op].weight; op++)
		n -= ops[op].weight;
	return op;
}

static void one_operation(struct worker *w)
{
	int box = (int)dice(w, (unsigned int)w->storm->boxes), op = choose(w), r;
	ctr_container_t *c = get(w, box);
	ctr_error_t *err = NULL;

	if (!c)
		return;
	enter(w, op, box);
	r = ops[op].fn(w, c, &err);
	if (r >= 0)
		atomic_fetch_add(&w->sh->done[op], 1);
	else if (is_fine(&ops[op], r))
		atomic_fetch_add(&w->sh->refused, 1);
	else
		violation(w, op, ctr_container_id(c), r, err);
	leave(w);
	ctr_error_free(err);
	ctr_container_unref(c);
}

static void *work(void *arg)
{
	struct worker *w = arg;

	while (!atomic_load(&w->sh->stop) && atomic_load(&w->sh->violations) < ENOUGH)
		one_operation(w);
	ctr_container_unref(w->kept);
	return NULL;
}

static int work_process(const struct storm *s, struct shared *sh, int process)
{
	struct worker workers[STORM_THREADS] = {0};
	pthread_t threads[STORM_THREADS];
	ctr_runtime_t *rt = s->open(s->impl);

	if (!rt)
		return 1;
	for (int i = 0; i < STORM_THREADS; i++) {
		workers[i] = (struct worker){.storm = s,
		    .sh = sh,
		    .post = &sh->posts[process * STORM_THREADS + i],
		    .rt = rt,
		    .seed = (unsigned int)getpid() * 31 + (unsigned int)i};
		if (pthread_create(&threads[i], NULL, work, &workers[i]) != 0)
			return 1;
	}
	for (int i = 0; i < STORM_THREADS; i++)
		pthread_join(threads[i], NULL);
	ctr_runtime_unref(rt);
	return 0;
}

/* ---- the reader ---- */

/* `more`: how many others may have come of calls that do several things. */
static void compare(struct lives *l, uint64_t done, uint64_t more, int32_t type)
{
	if (l->counts[type] >= done && l->counts[type] <= done + more)
		return;
	fprintf(stderr,
	    "VIOLATION: %" PRIu64 " events %s for %" PRIu64 " (+%" PRIu64 ") successful calls\n",
	    l->counts[type], ctr_event_name(type), done, more);
	l->violations++;
}

/* One of these starts the container, unless somebody else was quicker. */
static uint64_t restarts(struct shared *sh)
{
	for (int i = 0; i < OPS; i++)
		if (ops[i].fn == do_restart)
			return atomic_load(&sh->done[i]);
	return 0;
}

/* Nothing that was done got lost, nothing was told that was not done. */
static void compare_counts(struct lives *l, struct shared *sh)
{
	if (l->lost)
		return;
	compare(l, atomic_load(&sh->creates), 0, CTR_EVENT_CREATE);
	compare(l, l->counts[CTR_EVENT_REMOVE], 0, CTR_EVENT_CREATE);
	for (int i = 0; i < OPS; i++)
		if (ops[i].event && ops[i].event != CTR_EVENT_KILL)
			compare(l, atomic_load(&sh->done[i]),
			    ops[i].event == CTR_EVENT_START ? restarts(sh) : 0, ops[i].event);
}

static int read_process(const struct storm *s, struct shared *sh, int ready)
{
	ctr_runtime_t *rt = s->open(s->impl);
	struct pollfd p = {.events = POLLIN};
	struct lives l = {0};
	ctr_event_t *ev = NULL;
	int more = 0;

	p.fd = rt ? ctr_runtime_events_fd(rt, NULL) : -1;
	if (p.fd < 0 || write(ready, "x", 1) != 1)
		return 1;
	do {
		int last = atomic_load(&sh->stop_read);

		poll(&p, 1, 50);
		while ((more = ctr_runtime_next_event(rt, &ev, NULL)) > 0) {
			lives_take(&l, ev);
			ctr_event_unref(ev);
		}
		if (last)
			break;
	} while (more >= 0);
	lives_end(&l);
	compare_counts(&l, sh);
	printf("events: %" PRIu64 " starts, %" PRIu64 " ends, %" PRIu64 " lost\n",
	    l.counts[CTR_EVENT_START], l.counts[CTR_EVENT_DIED], l.lost);
	ctr_runtime_unref(rt);
	return more < 0 || l.violations ? 1 : 0;
}

/* ---- the watchdog ---- */

static bool hangs(const struct storm *s, struct shared *sh)
{
	int64_t now = now_ms();
	bool found = false;

	for (int i = 0; i < WORKERS; i++) {
		int64_t since = atomic_load(&sh->posts[i].since_ms);

		if (!since || now - since < s->hang_ms)
			continue;
		fprintf(stderr, "HANG: process %d, thread %d: %s of box-%d takes %" PRId64 " ms\n",
		    i / STORM_THREADS, i % STORM_THREADS, op_name(atomic_load(&sh->posts[i].op)),
		    atomic_load(&sh->posts[i].box), now - since);
		found = true;
	}
	return found;
}

static bool join(const struct storm *s, struct shared *sh, pid_t pid, const char *what)
{
	int64_t deadline = now_ms() + 2 * s->hang_ms;
	int status = 0;

	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (hangs(s, sh) || now_ms() > deadline) {
			fprintf(stderr, "HANG: the %s does not end\n", what);
			kill(pid, SIGKILL);
			waitpid(pid, NULL, 0);
			return false;
		}
		usleep(5000);
	}
	if (status)
		fprintf(stderr, "the %s ended with status %#x\n", what, (unsigned int)status);
	return status == 0;
}

static bool remove_all(const struct storm *s)
{
	ctr_runtime_t *rt = s->open(s->impl);
	ctr_list_t *list = NULL;
	bool ok = rt && ctr_runtime_list(rt, NULL, 0, &list, NULL) >= 0;

	for (size_t i = 0; ok && i < ctr_list_count(list); i++) {
		ctr_container_t *c = NULL;
		ctr_error_t *err = NULL;

		if (ctr_container_get(rt, ctr_list_id(list, i), &c, &err) < 0 ||
		    ctr_container_remove(c, CTR_REMOVE_FORCE, &err) < 0) {
			fprintf(stderr, "VIOLATION: cannot remove: %s\n", ctr_error_message(err));
			ok = false;
		}
		ctr_error_free(err);
		ctr_container_unref(c);
	}
	ctr_list_free(list);
	ctr_runtime_unref(rt);
	return ok;
}

/* In a process of its own: whoever has opened a runtime must not fork the others. */
static int remove_process(const struct storm *s)
{
	return remove_all(s) ? 0 : 1;
}

static void report(struct shared *sh)
{
	uint64_t sum = 0;

	for (int i = 0; i < OPS; i++) {
		uint64_t n = atomic_load(&sh->done[i]);

		sum += n;
		printf("%s%s %" PRIu64, i ? ", " : "", ops[i].name, n);
	}
	printf("\n%" PRIu64 " created, %" PRIu64 " done, %" PRIu64 " refused, %d violations\n",
	    atomic_load(&sh->creates), sum, atomic_load(&sh->refused),
	    atomic_load(&sh->violations));
}

static pid_t launch(void)
{
	pid_t pid = fork();

	if (pid == 0)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

bool storm_run(const struct storm *s)
{
	struct shared *sh =
	    mmap(NULL, sizeof(*sh), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t reader, workers[STORM_PROCESSES], remover;
	int64_t end = now_ms() + (int64_t)s->seconds * 1000;
	bool ok = true;
	int ready[2];
	char c;

	if (sh == MAP_FAILED || pipe(ready) < 0)
		return false;
	fflush(stdout);
	reader = launch();
	if (reader == 0)
		exit(read_process(s, sh, ready[1]));
	close(ready[1]);
	if (read(ready[0], &c, 1) != 1)
		return false;
	close(ready[0]);
	for (int i = 0; i < STORM_PROCESSES; i++) {
		workers[i] = launch();
		if (workers[i] == 0)
			exit(work_process(s, sh, i));
	}
	while (ok && now_ms() < end && atomic_load(&sh->violations) < ENOUGH) {
		usleep(50000);
		ok = !hangs(s, sh);
	}
	atomic_store(&sh->stop, 1);
	for (int i = 0; i < STORM_PROCESSES; i++)
		ok = join(s, sh, workers[i], "worker process") && ok;
	remover = launch();
	if (remover == 0)
		exit(remove_process(s));
	ok = join(s, sh, remover, "removing process") && ok;
	atomic_store(&sh->stop_read, 1);
	ok = join(s, sh, reader, "reader of events") && ok;
	report(sh);
	ok = ok && atomic_load(&sh->violations) == 0;
	munmap(sh, sizeof(*sh));
	return ok;
}

int storm_seconds(int argc, char **argv, int otherwise)
{
	int seconds = argc > 1 ? atoi(argv[argc - 1]) : 0;

	return seconds > 0 ? seconds : otherwise;
}
