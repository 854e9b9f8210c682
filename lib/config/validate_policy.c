/* SPDX-License-Identifier: Apache-2.0 */
/* What happens when a container ends: restart policy, automatic removal. */
#include <string.h>

#include "config/model.h"
#include "util/cleanup.h"

int ctr__cfg_check_policy(const ctr_config_t *cfg, ctr_error_t **err)
{
	static const char *const policies[] = {"no", "always", "on-failure", "unless-stopped"};
	const char *policy = cfg->restart_policy;

	for (size_t i = 0; policy && i < CTR__ARRAY_SIZE(policies); i++)
		if (strcmp(policy, policies[i]) == 0)
			policy = NULL;
	if (policy)
		return ctr__cfg_bad_value(err, "restart_policy", policy,
		    "is no restart policy; no, always, on-failure and unless-stopped are");
	if (cfg->restart_retries < 0 || cfg->restart_retries > INT32_MAX)
		return ctr__cfg_bad(err, CTR_E_INVALID, "restart_retries",
		    "must be 0..%d, not %lld", INT32_MAX, (long long)cfg->restart_retries);
	if (cfg->restart_retries &&
	    (!cfg->restart_policy || strcmp(cfg->restart_policy, "on-failure") != 0))
		return ctr__cfg_bad(
		    err, CTR_E_INVALID, "restart_retries", "needs the restart policy on-failure");
	return 0;
}
