/* SPDX-License-Identifier: Apache-2.0 */
/* Health checks. */
#include "config/model.h"

static int check_object(const struct ctr__json *root, const char *key, ctr_error_t **err)
{
	const struct ctr__json *v = ctr__cfg_member(root, key);

	if (!v || v->type == CTR__JSON_OBJECT)
		return 0;
	return ctr__cfg_bad(
	    err, CTR_E_INVALID, key, "must be an object, not %s", ctr__json_type_name(v->type));
}

int ctr__cfg_check_health(const ctr_config_t *cfg, const struct ctr__json *root, ctr_error_t **err)
{
	int r = check_object(root, "healthcheck", err);

	(void)cfg;
	return r < 0 ? r : check_object(root, "startupHealthCheck", err);
}
