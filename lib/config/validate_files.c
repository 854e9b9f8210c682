/* SPDX-License-Identifier: Apache-2.0 */
/* What decides about the files that are made for a container: time zone, umask, hosts, users. */
#include "config/model.h"

int ctr__cfg_check_files(const ctr_config_t *cfg, const struct ctr__json *root, ctr_error_t **err)
{
	const struct ctr__json *ports = ctr__cfg_member(root, "exposedPorts");

	(void)cfg;
	if (ports && ports->type != CTR__JSON_OBJECT)
		return ctr__cfg_bad(err, CTR_E_INVALID, "exposedPorts", "must be an object, not %s",
		    ctr__json_type_name(ports->type));
	return 0;
}
