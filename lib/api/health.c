/* SPDX-License-Identifier: Apache-2.0 */
/* Public functions of health.h. */
#include <libctr/health.h>

#include "core/health.h"
#include "util/cleanup.h"

const char *ctr_health_name(int32_t health)
{
	return ctr__health_name(health);
}

static int begin(ctr_container_t *c, const void *out, struct ctr__guard *g, ctr_error_t **err)
{
	g->c = NULL;
	if (!out)
		return ctr__fail(err, CTR_E_INVALID, "the place for the result is NULL");
	return ctr__enter(c, CTR__OP_READ, CTR__LOOK_GATED, g, err);
}

int ctr_container_healthcheck_run(
    ctr_container_t *c, uint64_t flags, int32_t *result, ctr_error_t **err)
{
	int32_t none;
	int r;

	if (!result)
		result = &none;
	*result = CTR_HEALTHCHECK_INTERNAL;
	if (!c)
		return ctr__fail(err, CTR_E_INVALID, "container is NULL");
	if (flags)
		return ctr__fail(err, CTR_E_UNSUPPORTED, "unknown flags 0x%llx for a health check",
		    (unsigned long long)flags);
	r = ctr__runtime_enter(c->rt, err);
	if (r >= 0)
		r = ctr__store_check(c->rt->store, err);
	return r < 0 ? r : ctr__health_run(c, result, err);
}

int ctr_container_health_status(ctr_container_t *c, int32_t *health, ctr_error_t **err)
{
	CTR__GUARD struct ctr__guard g;
	int r;

	if (health)
		*health = CTR_HEALTH_NONE;
	r = begin(c, health, &g, err);
	if (r >= 0)
		*health = g.c->state.health;
	return r < 0 ? r : 0;
}

int ctr_container_health_pid(ctr_container_t *c, int32_t *pid, ctr_error_t **err)
{
	CTR__GUARD struct ctr__guard g;
	int r;

	if (pid)
		*pid = 0;
	r = begin(c, pid, &g, err);
	if (r >= 0)
		*pid = g.c->state.health_pid;
	return r < 0 ? r : 0;
}

int ctr_container_health_log(ctr_container_t *c, char **out, size_t *len, ctr_error_t **err)
{
	CTR__GUARD struct ctr__guard g;
	CTR__BUF struct ctr__buf text = {0};
	int r;

	if (out)
		*out = NULL;
	r = begin(c, out, &g, err);
	if (r < 0)
		return r;
	if (!g.c->cfg->has_health_check) {
		ctr__fail(
		    err, CTR_E_NO_HEALTHCHECK, "container %s has no health check", g.c->cfg->name);
		ctr__error_detail(err, "container", g.c->id);
		return CTR_E_NO_HEALTHCHECK;
	}
	r = ctr__health_log_text(g.c, &text, err);
	if (r < 0)
		return r;
	if (len)
		*len = text.len;
	*out = ctr__buf_steal(&text);
	return *out ? 0 : ctr__fail_nomem(err);
}
