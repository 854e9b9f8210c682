/* SPDX-License-Identifier: Apache-2.0 */
/* Public functions of container.h that make, find and describe containers. */
#include <libctr/container.h>

#include <string.h>

#include "core/lifecycle.h"
#include "util/cleanup.h"

int ctr_container_create(ctr_runtime_t *rt, const ctr_config_t *cfg, uint64_t flags,
    ctr_container_t **out, ctr_error_t **err)
{
	int r = ctr__runtime_enter(rt, err);

	if (r < 0)
		return r;
	if (!cfg)
		return ctr__fail(err, CTR_E_INVALID, "cfg is NULL");
	if (flags)
		return ctr__fail(err, CTR_E_UNSUPPORTED, "unknown flags 0x%llx for create",
		    (unsigned long long)flags);
	return ctr__create(rt, cfg, out, err);
}

static int check_name(const char *what, const char *name, const void *out, ctr_error_t **err)
{
	if (!out)
		return ctr__fail(err, CTR_E_INVALID, "the place for the result is NULL");
	if (!name || !*name)
		return ctr__fail(err, CTR_E_EMPTY_ID, "%s is empty", what);
	return 0;
}

int ctr_container_lookup(
    ctr_runtime_t *rt, const char *name_or_id, ctr_container_t **out, ctr_error_t **err)
{
	char id[CTR__ID_MAX + 1];
	int r = ctr__runtime_enter(rt, err);

	if (r >= 0)
		r = check_name("name or ID", name_or_id, out, err);
	if (r >= 0)
		r = ctr__store_lookup(rt->store, name_or_id, id, err);
	return r < 0 ? r : ctr__container_open(rt, id, out, err);
}

int ctr_container_get(ctr_runtime_t *rt, const char *id, ctr_container_t **out, ctr_error_t **err)
{
	int r = ctr__runtime_enter(rt, err);

	if (r >= 0)
		r = check_name("ID", id, out, err);
	return r < 0 ? r : ctr__container_open(rt, id, out, err);
}

int ctr_container_exists(ctr_runtime_t *rt, const char *id, ctr_error_t **err)
{
	int r = ctr__runtime_enter(rt, err);

	if (r >= 0)
		r = check_name("ID", id, "", err);
	return r < 0 ? r : ctr__store_has(rt->store, id, err);
}

int ctr_container_exit_code_of(ctr_runtime_t *rt, const char *id, int32_t *code, ctr_error_t **err)
{
	int r = ctr__runtime_enter(rt, err);

	if (r >= 0)
		r = check_name("ID", id, code, err);
	return r < 0 ? r : ctr__store_exit_code(rt->store, id, code, NULL, err);
}

ctr_container_t *ctr_container_ref(ctr_container_t *c)
{
	return ctr__container_ref(c);
}

ctr_container_t *ctr_container_unref(ctr_container_t *c)
{
	ctr__container_unref(c);
	return NULL;
}

void ctr_container_unrefp(ctr_container_t **c)
{
	ctr__container_unref(*c);
	*c = NULL;
}

const char *ctr_container_id(const ctr_container_t *c)
{
	return c ? c->id : NULL;
}

ctr_config_t *ctr_container_config(ctr_container_t *c)
{
	return c ? ctr__container_config(c) : NULL;
}

ctr_runtime_t *ctr_container_runtime(ctr_container_t *c)
{
	return c ? c->rt : NULL;
}
