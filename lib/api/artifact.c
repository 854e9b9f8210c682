/* SPDX-License-Identifier: Apache-2.0 */
/* Public functions of artifact.h. */
#include <libctr/artifact.h>

#include "core/artifact.h"
#include "util/cleanup.h"

static int begin(const ctr_container_t *c, ctr_error_t **err)
{
	int r;

	if (!c)
		return ctr__fail(err, CTR_E_INVALID, "container is NULL");
	r = ctr__runtime_enter(c->rt, err);
	return r < 0 ? r : ctr__store_check(c->rt->store, err);
}

int ctr_container_add_artifact(
    ctr_container_t *c, const char *name, const void *data, size_t len, ctr_error_t **err)
{
	int r = begin(c, err);

	if (r >= 0 && !data && len)
		r = ctr__fail(err, CTR_E_INVALID, "data is NULL");
	return r < 0 ? r : ctr__artifact_add(c, name, data ? data : "", len, err);
}

int ctr_container_get_artifact(
    ctr_container_t *c, const char *name, char **data, size_t *len, ctr_error_t **err)
{
	int r = begin(c, err);

	if (r >= 0 && !data)
		r = ctr__fail(err, CTR_E_INVALID, "data is NULL");
	return r < 0 ? r : ctr__artifact_get(c, name, data, len, err);
}

int ctr_container_remove_artifact(ctr_container_t *c, const char *name, ctr_error_t **err)
{
	int r = begin(c, err);

	return r < 0 ? r : ctr__artifact_remove(c, name, err);
}

int ctr_container_list_artifacts(ctr_container_t *c, char ***names, ctr_error_t **err)
{
	int r = begin(c, err);

	if (r >= 0 && !names)
		r = ctr__fail(err, CTR_E_INVALID, "names is NULL");
	return r < 0 ? r : ctr__artifact_list(c, names, err);
}
