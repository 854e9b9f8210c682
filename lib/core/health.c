/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One health check: what is to be run is read under the lock, run without it, and recorded under it again if it is
 * still the same run of the container. What an unhealthy container is to suffer follows without the lock.
 */
#include "core/health.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "core/lifecycle.h"
#include "core/policy.h"
#include "core/process.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define DEFAULT_LOG_SIZE 500
#define LOG_SIZE_MAX     (64U << 10)

/* Exit codes that are recorded. */
#define CODE_FAILED   1
#define CODE_INTERNAL 125
#define CODE_TIMEOUT  (-1)

const char *ctr__health_name(int32_t health)
{
	static const char *const names[] = {
	    [CTR_HEALTH_NONE] = "",
	    [CTR_HEALTH_STARTING] = "starting",
	    [CTR_HEALTH_HEALTHY] = "healthy",
	    [CTR_HEALTH_UNHEALTHY] = "unhealthy",
	    [CTR_HEALTH_STOPPED] = "stopped",
	    [CTR_HEALTH_RESET] = "reset",
	};

	return health >= 0 && health < (int32_t)CTR__ARRAY_SIZE(names) ? names[health] : "";
}

static void reset_startup(struct ctr__state *s)
{
	s->startup_passed = false;
	s->startup_successes = s->startup_failures = 0;
}

void ctr__health_created(struct ctr_container *c)
{
	reset_startup(&c->state);
	c->state.health = c->cfg->has_health_check ? CTR_HEALTH_RESET : CTR_HEALTH_NONE;
}

void ctr__health_starting(struct ctr_container *c)
{
	reset_startup(&c->state);
	if (!c->cfg->has_health_check)
		return;
	c->state.health = CTR_HEALTH_STARTING;
	ctr__health_log_reset(c);
}

/* ---- a check on its way ---- */

struct check {
	struct ctr_container *c;
	ctr_config_t *cfg; /* ref: what `view` points into */
	struct ctr__paths paths;
	struct ctr__oci *oci;
	struct ctr_oci_container view;
	struct ctr__health_check what;
	bool startup;
	struct ctr__buf process;
	int64_t run_began; /* which run of the container it belongs to */
	/* what came of it */
	int64_t start_ns, end_ns;
	int32_t code;
	char *output; /* UTF-8 */
	int32_t health;
	bool to_act, to_restart;
};

static void check_free(struct check *k)
{
	ctr_config_unref(k->cfg);
	ctr__paths_free(&k->paths);
	ctr__health_check_free(&k->what);
	ctr__buf_free(&k->process);
	free(k->output);
}

/* ---- what is to be run ---- */

static int undefined(const struct ctr_container *c, ctr_error_t **err)
{
	ctr__fail(err, CTR_E_NO_HEALTHCHECK, "container %s has no health check", c->cfg->name);
	ctr__error_detail(err, "container", c->id);
	return CTR_E_NO_HEALTHCHECK;
}

static int choose(struct check *k, const struct ctr_container *c, ctr_error_t **err)
{
	int r;

	if (!c->cfg->has_health_check)
		return undefined(c, err);
	if (!c->state.startup_passed) {
		r = ctr__health_check_of(c->cfg, true, &k->what, err);
		k->startup = r >= 0 && k->what.argv;
		if (r < 0 || k->startup)
			return r;
	}
	r = ctr__health_check_of(c->cfg, false, &k->what, err);
	if (r >= 0 && !k->what.argv)
		r = undefined(c, err);
	return r;
}

/* The container's own process, with other arguments: the same user, environment, rights. */
static int make_process(struct check *k, ctr_error_t **err)
{
	CTR__PROCESS struct ctr__process p = {0};
	int r = ctr__process_load(k->paths.config_json, k->c->id, &p, err);

	if (r < 0)
		return r;
	if (!ctr__process_set_args(&p, (const char *const *)k->what.argv, false))
		return ctr__fail_nomem(err);
	ctr__json_write(p.object, false, &k->process);
	return k->process.failed ? ctr__fail_nomem(err) : 0;
}

static int prepare(struct check *k, ctr_error_t **err)
{
	CTR__GUARD struct ctr__guard g;
	int r = ctr__enter(
	    k->c, CTR__OP_HEALTHCHECK, CTR__LOOK_NOW | CTR__REPAIR | CTR__IN_BATCH_BUSY, &g, err);

	if (r < 0)
		return r;
	k->cfg = ctr__config_ref(g.c->cfg);
	k->run_began = g.c->state.started_ns;
	r = choose(k, g.c, err);
	if (r >= 0)
		r = ctr__container_oci(g.c, &k->oci, err);
	if (r >= 0 && !k->oci->ops.run_process)
		r = ctr__fail(err, CTR_E_UNSUPPORTED,
		    "OCI runtime %s cannot run a second process in a container", k->oci->name);
	if (r >= 0)
		r = ctr__paths_init(g.c, k->cfg, &k->paths, err);
	if (r < 0)
		return r;
	ctr__oci_view(g.c, k->cfg, &k->paths, &k->view);
	return make_process(k, err);
}

/* ---- running it ---- */

static size_t output_wanted(const ctr_config_t *cfg)
{
	int64_t n = cfg->given[CTR_CONFIG_HEALTH_MAX_LOG_SIZE] ? cfg->health_max_log_size
	                                                       : DEFAULT_LOG_SIZE;

	return n > 0 && n < LOG_SIZE_MAX ? (size_t)n : LOG_SIZE_MAX;
}

/* Whatever a process prints becomes text: what is not UTF-8 is a "?", and a cut goes between two characters. */
static char *to_text(const char *data, size_t len, size_t max)
{
	bool cut = len >= max;
	char *text;

	if (len > max)
		len = max;
	text = malloc(len + 1);
	if (!text)
		return NULL;
	for (size_t i = 0; i < len;) {
		size_t good = ctr__utf8_span(data + i, len - i);

		memcpy(text + i, data + i, good);
		i += good;
		if (i < len && cut && len - i < 4 && ((unsigned char)data[i] & 0xc0) == 0xc0)
			len = i;
		else if (i < len)
			text[i++] = '?';
	}
	text[len] = '\0';
	return text;
}

static int32_t code_of(int r, int32_t exit_code)
{
	if (r == CTR_E_TIMEOUT)
		return CODE_TIMEOUT;
	if (r < 0)
		return CODE_INTERNAL;
	return exit_code ? CODE_FAILED : 0;
}

static int run(struct check *k, ctr_error_t **err)
{
	CTR__ERROR ctr_error_t *why = NULL;
	CTR__FREE char *output = NULL;
	size_t len = 0, max = output_wanted(k->cfg);
	int32_t exit_code = -1;
	int r;

	k->start_ns = ctr__now_ns();
	r = k->oci->ops.run_process(k->oci->impl, &k->view, k->process.data,
	    (k->what.timeout_ns + 999999) / 1000000, max, &exit_code, &output, &len, &why);
	k->end_ns = ctr__now_ns();
	if (r == CTR_E_NOMEM)
		return ctr__fail_nomem(err);
	k->code = code_of(r, exit_code);
	/* Nothing that it printed is as telling as why it did not run. */
	if (k->code == CODE_INTERNAL || !output)
		k->output = to_text(r < 0 ? ctr_error_message(why) : "",
		    r < 0 ? strlen(ctr_error_message(why)) : 0, max);
	else
		k->output = to_text(output, len, max);
	return k->output ? 0 : ctr__fail_nomem(err);
}

/* ---- recording it ---- */

static bool in_start_period(const struct check *k)
{
	return k->start_ns - k->run_began < k->what.start_period_ns;
}

/* The startup check has its own counters and never makes a container healthy or unhealthy. */
static int64_t judge_startup(struct check *k, struct ctr__state *s, int64_t streak)
{
	k->health = CTR_HEALTH_STARTING;
	if (!k->code) {
		s->startup_failures = 0;
		s->startup_passed = ++s->startup_successes >= k->what.successes;
		return 0;
	}
	s->startup_successes = 0;
	s->startup_failures++;
	k->to_restart = k->what.retries && s->startup_failures >= k->what.retries;
	return streak + 1;
}

static int64_t judge(struct check *k, const struct ctr__state *s, int64_t streak)
{
	if (!k->code) {
		k->health = CTR_HEALTH_HEALTHY;
		return 0;
	}
	k->health = s->health;
	if (in_start_period(k))
		return streak;
	streak++;
	if (streak >= k->what.retries)
		k->health = CTR_HEALTH_UNHEALTHY;
	k->to_act = k->health == CTR_HEALTH_UNHEALTHY;
	return streak;
}

static int make_event(const struct check *k, struct ctr_container *c, int64_t streak,
    ctr_event_t **out, ctr_error_t **err)
{
	CTR__CLEANUP(ctr_event_unrefp) ctr_event_t *ev = NULL;
	int r = ctr__event_new(CTR_EVENT_HEALTH_STATUS, c->cfg, &ev, err);

	if (r < 0)
		return r;
	ev->health_status = ctr__event_text(ev, ctr__health_name(k->health));
	ev->health_log = ctr__event_text(ev, k->output);
	ev->health_streak = streak;
	if (!ev->health_status || !ev->health_log)
		return ctr__fail_nomem(err);
	*out = CTR__STEAL_PTR(ev);
	return 0;
}

static int save(struct check *k, struct ctr_container *c, int64_t streak, ctr_error_t **err)
{
	CTR__CLEANUP(ctr_event_unrefp) ctr_event_t *ev = NULL;
	struct ctr__save_more more = {.events_n = 1};
	int r = make_event(k, c, streak, &ev, err);

	if (r < 0) {
		c->gen = CTR__GEN_NONE;
		return r;
	}
	c->state.health = k->health;
	more.events[0] = ev;
	return ctr__save_with(c, &more, err);
}

static int record_locked(struct check *k, struct ctr_container *c, ctr_error_t **err)
{
	const struct ctr__health_entry entry = {k->start_ns, k->end_ns, k->code, k->output};
	CTR__HEALTH_LOG struct ctr__health_log log = {0};
	CTR__ERROR ctr_error_t *why = NULL;
	struct ctr__state *s = &c->state;
	int64_t streak;
	int r = ctr__health_log_read(c, &log, err);

	if (r < 0)
		return r;
	streak = ctr__health_log_streak(&log);
	if (s->state != CTR_STATE_RUNNING && s->state != CTR_STATE_PAUSED)
		k->health = CTR_HEALTH_STOPPED;
	else if (k->startup)
		streak = judge_startup(k, s, streak);
	else
		streak = judge(k, s, streak);
	/* The state is what counts; a log that cannot be written does not stop the checks. */
	if (ctr__health_log_write(c, &log, k->health, streak, &entry, &why) < 0 &&
	    k->health != CTR_HEALTH_STOPPED)
		ctr__log(c->rt, CTR_LOG_WARNING, c->id, "%s", ctr_error_message(why));
	return save(k, c, streak, err);
}

/* 1 = recorded, 0 = it was another run's. */
static int record(struct check *k, ctr_error_t **err)
{
	CTR__GUARD struct ctr__guard g;
	int r = ctr__enter(k->c, CTR__OP_READ, CTR__LOOK_NOW | CTR__REPAIR, &g, err);

	if (r < 0)
		return r;
	if (g.c->state.started_ns != k->run_began || g.c->state.state == CTR_STATE_REMOVING)
		return 0;
	r = record_locked(k, g.c, err);
	return r < 0 ? r : 1;
}

/* ---- what follows ---- */

static int act(struct check *k, ctr_error_t **err)
{
	const struct ctr__stop stop = {.timeout_ms = ctr_config_stop_timeout_ms(k->cfg),
	    .signal = (int32_t)k->cfg->stop_signal,
	    .by_user = true};
	int64_t action = k->to_restart ? CTR_HEALTH_ACTION_RESTART : k->cfg->health_on_failure;

	switch (action) {
	case CTR_HEALTH_ACTION_KILL: return ctr__kill(k->c, SIGKILL, err);
	case CTR_HEALTH_ACTION_STOP: return ctr__stop(k->c, &stop, err);
	/* Not if somebody has stopped it meanwhile. */
	case CTR_HEALTH_ACTION_RESTART: return ctr__restart(k->c, &stop, true, err);
	default: return 0;
	}
}

/* Somebody else may have ended it meanwhile. */
static void follow(struct check *k)
{
	CTR__ERROR ctr_error_t *why = NULL;

	if ((k->to_act || k->to_restart) && act(k, &why) < 0)
		ctr__log(k->c->rt, CTR_LOG_WARNING, k->c->id, "unhealthy, but: %s",
		    ctr_error_message(why));
}

/* ---- the operation ---- */

static int32_t result_of(int code)
{
	switch (code) {
	case CTR_E_CTR_STATE:
	case CTR_E_CTR_STOPPED: return CTR_HEALTHCHECK_STOPPED;
	case CTR_E_CTR_REMOVED: return CTR_HEALTHCHECK_NOT_FOUND;
	case CTR_E_NO_HEALTHCHECK: return CTR_HEALTHCHECK_NOT_DEFINED;
	default: return CTR_HEALTHCHECK_INTERNAL;
	}
}

static int32_t result_of_check(const struct check *k)
{
	if (!k->code)
		return CTR_HEALTHCHECK_SUCCESS;
	return k->startup ? CTR_HEALTHCHECK_STARTUP : CTR_HEALTHCHECK_FAILURE;
}

int ctr__health_run(struct ctr_container *c, int32_t *result, ctr_error_t **err)
{
	CTR__CLEANUP(check_free) struct check k = {.c = c};
	int r = prepare(&k, err);

	if (r >= 0)
		r = run(&k, err);
	if (r >= 0)
		r = record(&k, err);
	*result = r < 0 ? result_of(r) : result_of_check(&k);
	if (r < 0)
		return r;
	follow(&k);
	return 0;
}
