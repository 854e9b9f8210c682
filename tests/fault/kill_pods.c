/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kill -9 at every point of operations on many containers: those on a pod, and the removal of a container with what
 * depends on it. As kill_sweep.c: another process, which had the store open all along, lists, looks, sometimes finishes
 * the operation, and removes. Nothing may be left, neither outside nor in the databases.
 *
 *	kill_pods [--oci runc|crun] [--every N] [--offset N] [--show] [OPERATION...]
 *
 * --every 0 = at all system calls.
 */
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <libctr/libctr.h>

#include "rows.h"
#include "victim.h"
#include "world.h"

#define PATIENCE_MS 2000     /* what the kernel may take to clear up after a remove has returned */
#define SLOW_US     10000000 /* a call that takes longer hangs */
#define STOP_MS     200
#define TEXT_MAX    8192
#define FAILURES    20

/* ---- operations ---- */

struct sweep;
typedef int act_fn(struct sweep *s, ctr_error_t **err);

enum before { NOTHING, POD, POD_RUNNING, POD_STOPPED, FAMILY, FAMILY_RUNNING };

struct op {
	const char *name;
	enum before before;
	act_fn *act;
	int32_t target; /* CTR_POD_STATE_*; 0 = it is gone */
	unsigned thin;  /* so many times fewer points: it has many calls */
};

struct sweep {
	struct world *w;
	const struct op *op;
	struct victim_run run;
	ctr_pod_t *pod;
	ctr_container_t *c; /* of a family: the one that the others depend on */
	/* Over all trials of an operation. */
	unsigned trials, failures, late;
	int64_t slowest_us;
	char label[96], slowest[160];
};

static int do_create(struct sweep *s, ctr_error_t **err)
{
	struct ctr_pod_opts o = {
	    .size = sizeof(o), .name = "victim", .cgroup_parent = s->w->parent};
	ctr_pod_config_t *cfg = NULL;
	int r = ctr_pod_config_new(&o, &cfg, err);

	if (r >= 0)
		r = ctr_pod_create(s->w->rt, cfg, 0, &s->pod, err);
	ctr_pod_config_unref(cfg);
	return r;
}

static int do_start(struct sweep *s, ctr_error_t **err)
{
	return ctr_pod_start(s->pod, 0, err);
}

static int do_stop(struct sweep *s, ctr_error_t **err)
{
	return ctr_pod_stop(s->pod, STOP_MS, 0, err);
}

static int do_restart(struct sweep *s, ctr_error_t **err)
{
	return ctr_pod_restart(s->pod, STOP_MS, err);
}

static int do_remove(struct sweep *s, ctr_error_t **err)
{
	return ctr_pod_remove(s->pod, 0, CTR_POD_REMOVE_FORCE, err);
}

static int do_remove_family(struct sweep *s, ctr_error_t **err)
{
	return ctr_container_remove(s->c, CTR_REMOVE_FORCE | CTR_REMOVE_RECURSIVE, err);
}

static const struct op ops[] = {
    {"pod-create", NOTHING, do_create, CTR_POD_STATE_CREATED, 1},
    {"pod-start", POD, do_start, CTR_POD_STATE_RUNNING, 8},
    {"pod-stop", POD_RUNNING, do_stop, CTR_POD_STATE_EXITED, 8},
    {"pod-restart", POD_STOPPED, do_restart, CTR_POD_STATE_RUNNING, 12},
    {"pod-remove", POD, do_remove, 0, 2},
    {"pod-remove-running", POD_RUNNING, do_remove, 0, 8},
    {"family-remove", FAMILY, do_remove_family, 0, 2},
    {"family-remove-running", FAMILY_RUNNING, do_remove_family, 0, 6},
};
#define OPS (sizeof(ops) / sizeof(*ops))

static bool has_pod(const struct op *op)
{
	return op->before < FAMILY;
}

/* ---- the victim ---- */

static void die(const char *what, ctr_error_t *err)
{
	fprintf(stderr, "%s: %s\n", what, ctr_error_message(err));
	exit(1);
}

/* kill_pods --victim OPERATION ID ROOT RUN OCI ROOTFS PARENT */
static int be_victim(char **argv)
{
	struct world w = {.with_helper = true};
	struct sweep s = {.w = &w, .op = &ops[strtoul(argv[0], NULL, 10)]};
	ctr_error_t *err = NULL;
	int r = 0;

	snprintf(w.root, sizeof(w.root), "%s", argv[2]);
	snprintf(w.run, sizeof(w.run), "%s", argv[3]);
	snprintf(w.oci, sizeof(w.oci), "%s", argv[4]);
	snprintf(w.rootfs, sizeof(w.rootfs), "%s", argv[5]);
	snprintf(w.parent, sizeof(w.parent), "%s", argv[6]);
	world_open(&w);
	if (!has_pod(s.op))
		r = ctr_container_get(w.rt, argv[1], &s.c, &err);
	else if (s.op->before != NOTHING)
		r = ctr_pod_get(w.rt, argv[1], &s.pod, &err);
	if (r < 0)
		die("victim: get", err);
	victim_ready();
	victim_mark();
	r = s.op->act(&s, &err);
	victim_mark();
	if (r < 0)
		die(s.op->name, err);
	_exit(0);
}

/* ---- what is told ---- */

__attribute__((format(printf, 2, 3))) static void failed(struct sweep *s, const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fprintf(stderr, "FAIL %s: %s\n", s->label, text);
	s->failures++;
}

static void note_time(struct sweep *s, const char *what, int64_t begin)
{
	int64_t took = world_now_us() - begin;

	if (took > SLOW_US)
		failed(s, "%s took %lld ms", what, (long long)(took / 1000));
	if (took <= s->slowest_us)
		return;
	s->slowest_us = took;
	snprintf(s->slowest, sizeof(s->slowest), "%s: %.40s", s->label, what);
}

/* A call of the survivor: what went wrong is told. */
#define CALL(what, call)                                                                         \
	({                                                                                       \
		int64_t begin_ = world_now_us();                                                 \
		ctr_error_t *err = NULL;                                                         \
		world_doing("%s: %s", s->label, what);                                           \
		int r_ = (call);                                                                 \
		if (r_ < 0)                                                                      \
			failed(                                                                  \
			    s, "%s: %s (%s)", what, ctr_error_message(err), ctr_error_name(r_)); \
		ctr_error_free(err);                                                             \
		note_time(s, what, begin_);                                                      \
		r_;                                                                              \
	})

/* ---- one trial: before ---- */

/* In the pod, if there is one; `on` may be NULL. */
static ctr_container_t *add(struct sweep *s, const char *name, const ctr_container_t *on)
{
	ctr_config_t *plain = world_config(s->w, name), *cfg = NULL;
	ctr_config_builder_t *b = ctr_config_builder_new_from(plain);
	ctr_container_t *c = NULL;

	if (s->pod) {
		ctr_config_builder_set_str(b, CTR_CONFIG_POD, ctr_pod_id(s->pod), NULL);
		ctr_config_builder_set_str(b, CTR_CONFIG_CGROUP_PARENT, "", NULL);
	}
	if (on)
		ctr_config_builder_add_str(b, CTR_CONFIG_DEPENDENCIES, ctr_container_id(on), NULL);
	if (CALL("prepare: configuration", ctr_config_builder_build(b, &cfg, &err)) >= 0)
		CALL("prepare: container", ctr_container_create(s->w->rt, cfg, 0, &c, &err));
	ctr_config_builder_free(b);
	ctr_config_unref(plain);
	ctr_config_unref(cfg);
	return c;
}

static bool prepare_pod(struct sweep *s)
{
	ctr_container_t *a, *b;
	bool ok;

	if (CALL("prepare: pod", do_create(s, &err)) < 0)
		return false;
	a = add(s, "a", NULL);
	b = a ? add(s, "b", a) : NULL;
	ok = a && b;
	ctr_container_unref(a);
	ctr_container_unref(b);
	if (ok && s->op->before != POD)
		ok = CALL("prepare: start", do_start(s, &err)) >= 0;
	if (ok && s->op->before == POD_STOPPED)
		ok = CALL("prepare: stop", ctr_pod_stop(s->pod, 0, CTR_POD_STOP_NOW, &err)) >= 0;
	return ok;
}

/* a <- b <- c, a <- d */
static bool prepare_family(struct sweep *s)
{
	ctr_container_t *b, *c, *d;
	bool ok;

	s->c = add(s, "a", NULL);
	b = s->c ? add(s, "b", s->c) : NULL;
	c = b ? add(s, "c", b) : NULL;
	d = c ? add(s, "d", s->c) : NULL;
	ok = d;
	if (ok && s->op->before == FAMILY_RUNNING)
		ok = CALL("prepare: start", ctr_container_start(c, CTR_START_RECURSIVE, &err)) >= 0;
	ctr_container_unref(b);
	ctr_container_unref(c);
	ctr_container_unref(d);
	return ok;
}

static bool prepare(struct sweep *s)
{
	if (s->op->before == NOTHING)
		return true;
	return has_pod(s->op) ? prepare_pod(s) : prepare_family(s);
}

static void run_victim(struct sweep *s)
{
	const char *id = s->pod ? ctr_pod_id(s->pod) : s->c ? ctr_container_id(s->c) : "";
	char number[16];
	char *argv[] = {(char *)"kill_pods", (char *)"--victim", number, (char *)(uintptr_t)id,
	    s->w->root, s->w->run, s->w->oci, s->w->rootfs, s->w->parent, NULL};
	int r;

	snprintf(number, sizeof(number), "%u", (unsigned)(s->op - ops));
	world_doing("%s: victim", s->label);
	r = victim_run(argv, &s->run);
	if (r < 0)
		failed(s, "tracing: %s", strerror(-r));
	else if (WIFEXITED(s->run.status) && WEXITSTATUS(s->run.status))
		failed(s, "the operation itself failed");
	else if (WIFSIGNALED(s->run.status) && WTERMSIG(s->run.status) != SIGKILL)
		failed(s, "the victim died of signal %d", WTERMSIG(s->run.status));
}

/* ---- and after it ---- */

/* The pod, if there is one, by its name for half of the survivors: they have never seen it. Returns how many. */
static size_t look_at_pods(struct sweep *s)
{
	ctr_pod_list_t *list = NULL;
	char *text = NULL;
	size_t n = 0;

	if (CALL("list of pods", ctr_pod_list(s->w->rt, NULL, 0, &list, &err)) >= 0)
		n = ctr_pod_list_count(list);
	if (n > 1)
		failed(s, "%zu pods are listed", n);
	if (n && (!s->pod || s->trials % 2)) {
		s->pod = ctr_pod_unref(s->pod);
		CALL("lookup", ctr_pod_lookup(s->w->rt, "victim", &s->pod, &err));
	}
	if (n && s->pod)
		CALL("inspect", ctr_pod_inspect(s->pod, 0, &text, NULL, &err));
	ctr_free(text);
	ctr_pod_list_free(list);
	return n;
}

static size_t look_at_containers(struct sweep *s)
{
	ctr_list_t *list = NULL;
	size_t n = 0;

	if (CALL("list", ctr_runtime_list(s->w->rt, NULL, 0, &list, &err)) >= 0)
		n = ctr_list_count(list);
	for (size_t i = 0; i < n; i++) {
		ctr_container_t *c = NULL;
		int32_t state = 0;

		if (CALL("get", ctr_container_get(s->w->rt, ctr_list_id(list, i), &c, &err)) < 0)
			continue;
		CALL("sync", ctr_container_sync(c, &err));
		if (CALL("state", ctr_container_state(c, &state, &err)) >= 0 &&
		    state == CTR_STATE_UNKNOWN)
			failed(s, "the state of %s is unknown", ctr_list_name(list, i));
		ctr_container_unref(c);
	}
	ctr_list_free(list);
	return n;
}

static void check_status(struct sweep *s, const char *when)
{
	int32_t status = 0;

	if (!s->pod || CALL("status", ctr_pod_status(s->pod, &status, &err)) < 0 ||
	    status == s->op->target)
		return;
	failed(s, "the pod is %s %s", ctr_pod_state_name(status), when);
}

/* How many may be there, of each. */
static void check_numbers(struct sweep *s, size_t pods, size_t containers)
{
	size_t all = s->op->before == NOTHING ? 1 : has_pod(s->op) ? 3 : 4;
	bool whole = s->op->target && (pods || s->op->before != NOTHING);

	if (s->run.completed && !s->op->target && pods + containers)
		failed(s, "%zu pods and %zu containers after the removal", pods, containers);
	if (s->run.completed && s->op->target && !pods)
		failed(s, "the pod is gone");
	if (whole ? containers != all : containers > all)
		failed(s, "%zu containers instead of %zu", containers, all);
	if (has_pod(s->op) && !pods && containers)
		failed(s, "%zu containers are left of a pod that is gone", containers);
}

/* The operation once more, by the survivor. A container whose start was interrupted may be about to die, and fail
 * those that depend on it: then it is started again. */
static void finish_operation(struct sweep *s)
{
	int32_t status = 0;
	int r = -1;

	if (s->op->before == NOTHING)
		return;
	for (int i = 0; i < 5 && (r < 0 || status != s->op->target); i++) {
		usleep(i ? 10000 : 0);
		r = s->op->act(s, NULL);
		if (!s->op->target || ctr_pod_status(s->pod, &status, NULL) < 0)
			break;
	}
	if (r < 0)
		CALL("the operation again", s->op->act(s, &err));
	if (s->op->target)
		check_status(s, "after the operation was finished");
}

/* Rows of this boot of what a killed process had removed for good go with the next change of the store. */
static void change_store(struct sweep *s)
{
	struct ctr_pod_opts o = {.size = sizeof(o), .name = "next", .flags = CTR_POD_NO_INFRA};
	ctr_pod_config_t *cfg = NULL;
	ctr_pod_t *next = NULL;

	if (CALL("next pod: configuration", ctr_pod_config_new(&o, &cfg, &err)) >= 0 &&
	    CALL("next pod", ctr_pod_create(s->w->rt, cfg, 0, &next, &err)) >= 0)
		CALL("next pod: remove", ctr_pod_remove(next, 0, 0, &err));
	ctr_pod_config_unref(cfg);
	ctr_pod_unref(next);
}

static void check_leftovers(struct sweep *s)
{
	char text[TEXT_MAX];
	int ms = 0;

	if (world_settled(s->w, PATIENCE_MS, &ms, text, sizeof(text)) > 0)
		failed(s, "left behind:\n%s", text);
	s->late += ms > 100;
	change_store(s);
	if (rows_left(s->w, text, sizeof(text)) != 0)
		failed(s, "left in the store:\n%s", text);
}

static void survive(struct sweep *s)
{
	size_t pods = look_at_pods(s), containers = look_at_containers(s);

	check_numbers(s, pods, containers);
	if (s->run.completed && s->op->target)
		check_status(s, "after the operation");
	if (s->trials % 3 == 0)
		finish_operation(s);
	if (s->pod)
		CALL("remove", do_remove(s, &err));
	if (s->c)
		CALL("remove", do_remove_family(s, &err));
	check_leftovers(s);
	if (look_at_pods(s) + look_at_containers(s))
		failed(s, "something is still listed");
}

static void trial(struct sweep *s, unsigned at_call)
{
	snprintf(s->label, sizeof(s->label), "%s, call %u", s->op->name, at_call);
	s->trials++;
	s->run.at_call = at_call;
	/* A survivor that comes later. */
	if (s->trials % 16 == 0) {
		world_close(s->w);
		world_open(s->w);
	}
	if (prepare(s))
		run_victim(s);
	survive(s);
	s->pod = ctr_pod_unref(s->pod);
	s->c = ctr_container_unref(s->c);
}

/* ---- sweeps ---- */

struct choice {
	const char *oci;
	unsigned every, offset;
	bool show;
	char **names;
};

static void show_calls(const struct victim_run *r)
{
	for (unsigned k = 1; k <= r->calls && k <= VICTIM_CALLS; k++)
		fprintf(stderr, "%4u %ld%s\n", k, r->number[k - 1],
		    victim_has_effect(r->number[k - 1]) ? " *" : "");
}

static void sweep(struct sweep *s, const struct choice *ch)
{
	static unsigned points[VICTIM_CALLS];
	int64_t begin = world_now_us();
	unsigned n;

	/* Once without a kill: what it does. */
	trial(s, 0);
	if (ch->show)
		show_calls(&s->run);
	n = victim_points(&s->run, ch->every * s->op->thin, ch->offset, points);
	for (unsigned i = 0; i < n && s->failures < FAILURES; i++)
		trial(s, points[i]);
	printf("%-22s %4u kills, %u failures, %u with leftovers for a while; %.1f s; "
	       "slowest %lld ms (%s)\n",
	    s->op->name, s->trials, s->failures, s->late, (double)(world_now_us() - begin) / 1e6,
	    (long long)(s->slowest_us / 1000), s->slowest);
	fflush(stdout);
}

static bool wanted(const struct op *op, char **names)
{
	if (!*names)
		return true;
	for (; *names; names++)
		if (strcmp(*names, op->name) == 0)
			return true;
	return false;
}

static int sweep_all(struct world *w, void *arg)
{
	const struct choice *ch = arg;
	unsigned failures = 0;

	w->with_helper = true;
	world_open(w);
	for (size_t i = 0; i < OPS; i++) {
		struct sweep *s = calloc(1, sizeof(*s));

		if (!s)
			return 1;
		s->w = w;
		s->op = &ops[i];
		if (wanted(s->op, ch->names))
			sweep(s, ch);
		failures += s->failures;
		free(s);
	}
	return failures > 0;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"oci", required_argument, NULL, 'o'},
	    {"every", required_argument, NULL, 'e'}, {"offset", required_argument, NULL, 'O'},
	    {"show", no_argument, NULL, 's'}, {NULL, 0, NULL, 0}};
	struct choice ch = {.oci = "runc", .every = 1};
	int o;

	if (argc == 9 && strcmp(argv[1], "--victim") == 0)
		return be_victim(argv + 2);
	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (o) {
		case 'o': ch.oci = optarg; break;
		case 'e': ch.every = (unsigned)strtoul(optarg, NULL, 10); break;
		case 'O': ch.offset = (unsigned)strtoul(optarg, NULL, 10); break;
		case 's': ch.show = true; break;
		default: return 2;
		}
	}
	ch.names = argv + optind;
	return world_run(ch.oci, 3600, sweep_all, &ch);
}
