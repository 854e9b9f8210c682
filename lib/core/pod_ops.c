/* SPDX-License-Identifier: Apache-2.0 */
/* Starting, stopping, killing, freezing all containers of a pod. */
#include <string.h>

#include "core/pod.h"
#include "util/cleanup.h"

/* Success if there was nothing to do. */
static int forgive(int r, bool nothing, ctr_error_t **err)
{
	if (r >= 0 || !nothing)
		return r;
	ctr_error_freep(err);
	return 0;
}

/* Was it refused because of one of these states? */
static bool refused_in(int r, ctr_error_t *const *err, const int32_t *states, size_t n)
{
	const char *state = r == CTR_E_CTR_STATE ? ctr_error_get(*err, "state") : NULL;

	for (size_t i = 0; state && i < n; i++) {
		if (strcmp(state, ctr__state_name(states[i])) == 0)
			return true;
	}
	return false;
}

static int start_one(struct ctr_container *c, const void *arg, ctr_error_t **err)
{
	int r = ctr__start(c, err);

	(void)arg;
	return forgive(r, r == CTR_E_CTR_RUNNING, err);
}

struct stop {
	int64_t timeout_ms;
	bool now;
};

static int clean_up(struct ctr_container *c, ctr_error_t **err)
{
	static const int32_t others[] = {
	    CTR_STATE_CONFIGURED, CTR_STATE_EXITED, CTR_STATE_RUNNING, CTR_STATE_CREATED};
	int r = ctr__cleanup(c, true, err);

	return forgive(r, refused_in(r, err, others, CTR__ARRAY_SIZE(others)), err);
}

static int stop_one(struct ctr_container *c, const void *arg, ctr_error_t **err)
{
	static const int32_t idle[] = {CTR_STATE_CONFIGURED, CTR_STATE_EXITED};
	CTR__CLEANUP(ctr_config_unrefp) ctr_config_t *cfg = ctr__container_config(c);
	const struct stop *s = arg;
	struct ctr__stop o = {
	    .timeout_ms = s->timeout_ms ? s->timeout_ms : cfg->stop_timeout * 1000,
	    .by_user = true};
	int r;

	if (s->now)
		o.timeout_ms = 0;
	r = ctr__stop(c, &o, err);
	r = forgive(
	    r, r == CTR_E_CTR_STOPPED || refused_in(r, err, idle, CTR__ARRAY_SIZE(idle)), err);
	return r < 0 ? r : clean_up(c, err);
}

static int kill_one(struct ctr_container *c, const void *arg, ctr_error_t **err)
{
	static const int32_t others[] = {
	    CTR_STATE_CONFIGURED, CTR_STATE_CREATED, CTR_STATE_STOPPED, CTR_STATE_EXITED};
	int r = ctr__kill(c, *(const int32_t *)arg, err);

	return forgive(r, refused_in(r, err, others, CTR__ARRAY_SIZE(others)), err);
}

static int pause_one(struct ctr_container *c, const void *arg, ctr_error_t **err)
{
	static const int32_t others[] = {CTR_STATE_CONFIGURED, CTR_STATE_CREATED, CTR_STATE_STOPPED,
	    CTR_STATE_EXITED, CTR_STATE_PAUSED};
	int r = ctr__pause(c, err);

	(void)arg;
	return forgive(r, refused_in(r, err, others, CTR__ARRAY_SIZE(others)), err);
}

static int unpause_one(struct ctr_container *c, const void *arg, ctr_error_t **err)
{
	int r = ctr__unpause(c, err);

	(void)arg;
	return forgive(r, r == CTR_E_CTR_STATE, err);
}

/* ---- all of them ---- */

struct op {
	const char *word;
	bool inward, prepare;
	ctr__pod_step *step;
	const void *arg;
	int32_t event;
};

static int run_locked(struct ctr__pod_guard *g, const struct op *op, ctr_error_t **err)
{
	CTR__POD_WALK struct ctr__pod_walk w = {0};
	int r = op->prepare ? ctr__pod_prepare(g, err) : 0;

	if (r >= 0)
		r = ctr__pod_walk_open(g->pod, &w, err);
	if (r < 0)
		return r;
	ctr__pod_walk_each(&w, op->inward, op->step, op->arg);
	r = ctr__pod_walk_result(g->pod, &w, op->word, err);
	return r < 0 || !op->event ? r : ctr__pod_save(g, op->event, err);
}

static int run(struct ctr_pod *p, const struct op *op, ctr_error_t **err)
{
	CTR__POD_GUARD struct ctr__pod_guard g;
	int r = ctr__pod_enter(p, false, &g, err);

	return r < 0 ? r : run_locked(&g, op, err);
}

int ctr__pod_start(struct ctr_pod *p, ctr_error_t **err)
{
	const struct op op = {
	    .word = "start", .prepare = true, .step = start_one, .event = CTR_EVENT_START};

	return run(p, &op, err);
}

int ctr__pod_stop(struct ctr_pod *p, int64_t timeout_ms, bool now, ctr_error_t **err)
{
	const struct stop s = {timeout_ms, now};
	const struct op op = {
	    .word = "stop", .inward = true, .step = stop_one, .arg = &s, .event = CTR_EVENT_STOP};

	return run(p, &op, err);
}

int ctr__pod_kill(struct ctr_pod *p, int32_t sig, ctr_error_t **err)
{
	const struct op op = {
	    .word = "kill", .inward = true, .step = kill_one, .arg = &sig, .event = CTR_EVENT_KILL};

	return run(p, &op, err);
}

int ctr__pod_pause(struct ctr_pod *p, ctr_error_t **err)
{
	const struct op op = {
	    .word = "pause", .inward = true, .step = pause_one, .event = CTR_EVENT_PAUSE};

	return run(p, &op, err);
}

int ctr__pod_unpause(struct ctr_pod *p, ctr_error_t **err)
{
	const struct op op = {.word = "unpause", .step = unpause_one, .event = CTR_EVENT_UNPAUSE};

	return run(p, &op, err);
}

int ctr__pod_restart(struct ctr_pod *p, int64_t timeout_ms, ctr_error_t **err)
{
	const struct stop s = {timeout_ms, false};
	const struct op stop = {.word = "restart", .inward = true, .step = stop_one, .arg = &s};
	const struct op start = {
	    .word = "restart", .prepare = true, .step = start_one, .event = CTR_EVENT_RESTART};
	CTR__POD_GUARD struct ctr__pod_guard g;
	int r = ctr__pod_enter(p, false, &g, err);

	if (r >= 0)
		r = run_locked(&g, &stop, err);
	return r < 0 ? r : run_locked(&g, &start, err);
}
