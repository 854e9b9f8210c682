/* SPDX-License-Identifier: Apache-2.0 */
/* Public functions of container.h that change what a container is. */
#include <libctr/container.h>

#include <string.h>

#include "core/lifecycle.h"
#include "core/opts.h"
#include "core/update.h"
#include "util/cleanup.h"

static int begin(const ctr_container_t *c, ctr_error_t **err)
{
	int r;

	if (!c)
		return ctr__fail(err, CTR_E_INVALID, "container is NULL");
	r = ctr__runtime_enter(c->rt, err);
	return r < 0 ? r : ctr__store_check(c->rt->store, err);
}

int ctr_container_rename(ctr_container_t *c, const char *new_name, ctr_error_t **err)
{
	int r = begin(c, err);

	if (r >= 0 && !new_name)
		r = ctr__fail(err, CTR_E_INVALID, "new_name is NULL");
	return r < 0 ? r : ctr__rename(c, new_name, err);
}

int ctr_container_refresh(ctr_container_t *c, ctr_error_t **err)
{
	int r = begin(c, err);

	return r < 0 ? r : ctr__refresh(c, err);
}

/* ---- update ---- */

static int bad(ctr_error_t **err, const char *field, const char *what)
{
	ctr__fail(err, CTR_E_INVALID, "%s: %s", field, what);
	ctr__error_detail(err, "field", field);
	return CTR_E_INVALID;
}

static int check_env(const struct ctr_update_opts *o, ctr_error_t **err)
{
	for (const char *const *v = o->env; v && *v; v++) {
		if ((*v)[0] == '=' || !strchr(*v, '='))
			return bad(err, "env", "an entry is not of the form NAME=value");
		if (!ctr__utf8_valid(*v, strlen(*v)))
			return bad(err, "env", "an entry is not valid UTF-8");
	}
	for (const char *const *v = o->env_unset; v && *v; v++) {
		if (!(*v)[0] || strchr(*v, '='))
			return bad(err, "env_unset", "an entry is no name of a variable");
	}
	return 0;
}

static int check_policy(const struct ctr_update_opts *o, ctr_error_t **err)
{
	if (o->restart_retries < 0 || o->restart_retries > INT32_MAX)
		return bad(err, "restart_retries", "is not from 0 to 2147483647");
	if (o->restart_policy && !ctr__utf8_valid(o->restart_policy, strlen(o->restart_policy)))
		return bad(err, "restart_policy", "is not valid UTF-8");
	if (o->restart_policy && !o->restart_policy[0])
		return bad(err, "restart_policy", "is empty");
	return 0;
}

static int check_update(const struct ctr_update_opts *o, ctr_error_t **err)
{
	int r;

	if (o->flags)
		return ctr__fail(err, CTR_E_UNSUPPORTED, "unknown flags 0x%llx for update",
		    (unsigned long long)o->flags);
	if (!o->resources && !o->restart_policy && !o->restart_retries && (!o->env || !o->env[0]) &&
	    (!o->env_unset || !o->env_unset[0]))
		return ctr__fail(err, CTR_E_INVALID, "an update must change something");
	r = check_policy(o, err);
	return r < 0 ? r : check_env(o, err);
}

int ctr_container_update(ctr_container_t *c, const struct ctr_update_opts *opts, ctr_error_t **err)
{
	struct ctr_update_opts o;
	struct ctr__update u;
	int r = CTR__COPY_OPTS(&o, opts, "ctr_update_opts", err);

	if (r >= 0)
		r = begin(c, err);
	if (r >= 0)
		r = check_update(&o, err);
	if (r < 0)
		return r;
	u = (struct ctr__update){.resources = o.resources,
	    .restart_policy = o.restart_policy,
	    .restart_retries = o.restart_retries,
	    .env = o.env,
	    .env_unset = o.env_unset};
	return ctr__update(c, &u, err);
}
