/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A storm on pods: stress_pods [RUNTIME] [SECONDS]. Threads of two processes create, start, stop, look at and remove
 * the same few pods and their containers. No call may hang or fail for a reason that others cannot have caused; no
 * container may be lost.
 */
#include "real.h"
#include "storm.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PODS = 3, PROCESSES = 2, THREADS = 4, SECONDS = 20, HANG_S = 120 };

struct worker {
	const struct real *r;
	ctr_runtime_t *rt;
	pthread_t thread;
	unsigned int seed;
	int64_t end;
	unsigned long calls, bad;
};

static int64_t now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

static unsigned int dice(struct worker *w, unsigned int n)
{
	return (unsigned int)rand_r(&w->seed) % n;
}

/* ---- operations ---- */

static int do_create(struct worker *w, ctr_pod_t *pod, ctr_error_t **err)
{
	struct ctr_pod_opts o = {.size = sizeof(o), .cgroup_parent = w->r->cgroup};
	ctr_pod_config_t *cfg = NULL;
	char name[16];
	int r;

	(void)pod;
	snprintf(name, sizeof(name), "pod-%u", dice(w, PODS));
	o.name = name;
	o.exit_policy = dice(w, 2) ? "stop" : "continue";
	r = ctr_pod_config_new(&o, &cfg, err);
	if (r >= 0)
		r = ctr_pod_create(w->rt, cfg, 0, NULL, err);
	ctr_pod_config_unref(cfg);
	return r;
}

static int do_join(struct worker *w, ctr_pod_t *pod, ctr_error_t **err)
{
	static const char *const scripts[] = {
	    "exit 3", "sleep 0.05", "trap 'exit 5' TERM; sleep 1000 & wait"};
	ctr_config_builder_t *b = real_builder(w->r, scripts[dice(w, 3)]);
	ctr_config_t *cfg = NULL;
	char **ids = NULL;
	int r = ctr_pod_containers(pod, &ids, err);

	if (r >= 0)
		r = ctr_config_builder_set_str(b, CTR_CONFIG_POD, ctr_pod_id(pod), err);
	if (r >= 0)
		r = ctr_config_builder_set_str(b, CTR_CONFIG_CGROUP_PARENT, "", err);
	if (r >= 0)
		r = ctr_config_builder_build(b, &cfg, err);
	/* Not too many. */
	if (r >= 0 && ids[0] && ids[1] && ids[2] && ids[3])
		;
	else if (r >= 0)
		r = ctr_container_create(w->rt, cfg, 0, NULL, err);
	ctr_strv_free(ids);
	ctr_config_builder_free(b);
	ctr_config_unref(cfg);
	return r;
}

static int do_start(struct worker *w, ctr_pod_t *pod, ctr_error_t **err)
{
	(void)w;
	return ctr_pod_start(pod, 0, err);
}

static int do_stop(struct worker *w, ctr_pod_t *pod, ctr_error_t **err)
{
	return ctr_pod_stop(pod, 100, dice(w, 2) ? CTR_POD_STOP_NOW : 0, err);
}

static int do_restart(struct worker *w, ctr_pod_t *pod, ctr_error_t **err)
{
	(void)w;
	return ctr_pod_restart(pod, 100, err);
}

static int do_kill(struct worker *w, ctr_pod_t *pod, ctr_error_t **err)
{
	(void)w;
	return ctr_pod_kill(pod, SIGKILL, err);
}

static int do_inspect(struct worker *w, ctr_pod_t *pod, ctr_error_t **err)
{
	char *text = NULL;
	int r = ctr_pod_inspect(pod, 0, &text, NULL, err);

	(void)w;
	ctr_free(text);
	return r;
}

static int do_list(struct worker *w, ctr_pod_t *pod, ctr_error_t **err)
{
	ctr_pod_list_t *list = NULL;
	int r = ctr_pod_list(w->rt, NULL, 0, &list, err);

	(void)pod;
	ctr_pod_list_free(list);
	return r;
}

static int do_remove(struct worker *w, ctr_pod_t *pod, ctr_error_t **err)
{
	return ctr_pod_remove(pod, 0, dice(w, 3) ? CTR_POD_REMOVE_FORCE : 0, err);
}

static int on_member(struct worker *w, ctr_container_t *c, ctr_error_t **err)
{
	int32_t state;

	switch (dice(w, 5)) {
	case 0: return ctr_container_start(c, CTR_START_RECURSIVE, err);
	case 1: return ctr_container_stop(c, NULL, err);
	case 2: return ctr_container_kill(c, SIGKILL, err);
	case 3: return ctr_container_state(c, &state, err);
	default: return ctr_container_remove(c, CTR_REMOVE_FORCE, err);
	}
}

/* Any of its containers, by itself. */
static int do_member(struct worker *w, ctr_pod_t *pod, ctr_error_t **err)
{
	ctr_container_t *c = NULL;
	char **ids = NULL;
	size_t n = 0;
	int r = ctr_pod_containers(pod, &ids, err);

	while (r >= 0 && ids[n])
		n++;
	if (r >= 0 && n)
		r = ctr_container_get(w->rt, ids[dice(w, (unsigned int)n)], &c, err);
	if (r >= 0 && c)
		r = on_member(w, c, err);
	ctr_container_unref(c);
	ctr_strv_free(ids);
	return r;
}

static const struct op {
	const char *name;
	int (*act)(struct worker *w, ctr_pod_t *pod, ctr_error_t **err);
	unsigned int weight;
} ops[] = {
    {"create", do_create, 3},
    {"join", do_join, 6},
    {"start", do_start, 3},
    {"stop", do_stop, 2},
    {"restart", do_restart, 1},
    {"kill", do_kill, 1},
    {"inspect", do_inspect, 2},
    {"list", do_list, 2},
    {"remove", do_remove, 1},
    {"member", do_member, 6},
};
#define OPS (sizeof(ops) / sizeof(*ops))

/* ---- a thread ---- */

/* What others that work on the same pod may cause. The infra container goes with its pod only: CTR_E_INVALID. */
static bool others_did(const char *code)
{
	static const int codes[] = {CTR_E_NO_SUCH_POD, CTR_E_POD_REMOVED, CTR_E_POD_STATE,
	    CTR_E_POD_EXISTS, CTR_E_CTR_REMOVED, CTR_E_NO_SUCH_CTR, CTR_E_CTR_STATE,
	    CTR_E_CTR_STOPPED, CTR_E_CTR_RUNNING, CTR_E_CTR_EXISTS, CTR_E_INVALID};

	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++)
		if (strcmp(code, ctr_error_name(codes[i])) == 0)
			return true;
	return false;
}

static bool is_fine(const struct op *op, int r, const ctr_error_t *err)
{
	const char *id = r == CTR_E_POD_PARTIAL ? ctr_error_get(err, "failed") : NULL;
	char key[160];

	if (!id)
		return r >= 0 || others_did(ctr_error_name(r));
	if (op->act == do_remove)
		return false;
	for (; *id; id += strcspn(id, ","), id += *id == ',') {
		const char *code;

		snprintf(key, sizeof(key), "code.%.*s", (int)strcspn(id, ","), id);
		code = ctr_error_get(err, key);
		if (!code || !others_did(code))
			return false;
	}
	return true;
}

static const struct op *choose(struct worker *w)
{
	unsigned int sum = 0, at;
	size_t i = 0;

	for (size_t k = 0; k < OPS; k++)
		sum += ops[k].weight;
	for (at = dice(w, sum); at >= ops[i].weight; i++)
		at -= ops[i].weight;
	return &ops[i];
}

static void *work(void *arg)
{
	struct worker *w = arg;

	while (now_s() < w->end) {
		const struct op *op = choose(w);
		ctr_error_t *err = NULL;
		ctr_pod_t *pod = NULL;
		char name[16];
		int64_t begin = now_s();
		int r = 0;

		snprintf(name, sizeof(name), "pod-%u", dice(w, PODS));
		if (op->act != do_create && op->act != do_list)
			r = ctr_pod_lookup(w->rt, name, &pod, &err);
		if (r == CTR_E_NO_SUCH_POD)
			op = &ops[0];
		if (r >= 0 || r == CTR_E_NO_SUCH_POD) {
			ctr_error_free(err);
			err = NULL;
			r = op->act(w, pod, &err);
		}
		w->calls++;
		if (!is_fine(op, r, err) || now_s() - begin > HANG_S) {
			fprintf(stderr, "VIOLATION: %s of %s: %s: %s (%d s)\n", op->name, name,
			    ctr_error_name(r), ctr_error_message(err), (int)(now_s() - begin));
			w->bad++;
		}
		ctr_error_free(err);
		ctr_pod_unref(pod);
	}
	return NULL;
}

/* ---- all ---- */

static int work_process(const struct real *r, int seconds, unsigned int process)
{
	struct worker w[THREADS];
	unsigned long calls = 0, bad = 0;
	ctr_runtime_t *rt = real_open(r);

	/* Kills a process that hangs. */
	alarm((unsigned int)seconds + HANG_S);
	for (unsigned int i = 0; i < THREADS; i++) {
		w[i] = (struct worker){
		    .r = r, .rt = rt, .seed = process * THREADS + i + 1, .end = now_s() + seconds};
		if (pthread_create(&w[i].thread, NULL, work, &w[i]) != 0)
			return 1;
	}
	for (unsigned int i = 0; i < THREADS; i++) {
		pthread_join(w[i].thread, NULL);
		calls += w[i].calls;
		bad += w[i].bad;
	}
	ctr_runtime_unref(rt);
	fprintf(stderr, "%lu calls, %lu violations\n", calls, bad);
	return bad || !calls ? 1 : 0;
}

/* Every container is in a pod, and goes with it. */
static bool remove_all(ctr_runtime_t *rt)
{
	ctr_pod_list_t *pods = NULL;
	ctr_list_t *list = NULL;
	bool ok = ctr_pod_list(rt, NULL, 0, &pods, NULL) >= 0;

	for (size_t i = 0; ok && i < ctr_pod_list_count(pods); i++) {
		ctr_error_t *err = NULL;
		ctr_pod_t *pod = NULL;
		int r = ctr_pod_get(rt, ctr_pod_list_id(pods, i), &pod, &err);

		if (r >= 0)
			r = ctr_pod_remove(pod, 0, CTR_POD_REMOVE_FORCE, &err);
		if (r < 0)
			fprintf(stderr, "VIOLATION: last removal: %s\n", ctr_error_message(err));
		ok = r >= 0;
		ctr_error_free(err);
		ctr_pod_unref(pod);
	}
	ok = ok && ctr_runtime_list(rt, NULL, 0, &list, NULL) >= 0;
	for (size_t i = 0; i < ctr_list_count(list); i++) {
		fprintf(stderr, "VIOLATION: container %s is in no pod\n", ctr_list_name(list, i));
		ok = false;
	}
	ctr_pod_list_free(pods);
	ctr_list_free(list);
	return ok;
}

int main(int argc, char **argv)
{
	pid_t pids[PROCESSES];
	struct real *r;
	bool ok = true;
	int seconds, status;

	real_init(argc, argv);
	seconds = storm_seconds(argc, argv, SECONDS);
	r = real_new();
	if (!r || !r->rt)
		return 1;
	r->rt = ctr_runtime_unref(r->rt);
	for (unsigned int i = 0; i < PROCESSES; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			_exit(work_process(r, seconds, i));
	}
	for (unsigned int i = 0; i < PROCESSES; i++)
		ok = pids[i] > 0 && waitpid(pids[i], &status, 0) == pids[i] && status == 0 && ok;
	r->rt = real_open(r);
	ok = remove_all(r->rt) && ok;
	ok = real_free(r) && ok;
	return ok ? 0 : 1;
}
