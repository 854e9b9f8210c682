/* SPDX-License-Identifier: Apache-2.0 */
/* boot: what is to be started after a boot is started. */
#include "helper.h"

int cmd_boot(ctr_runtime_t *rt, int argc, char **argv, ctr_error_t **err)
{
	(void)argv;
	if (argc != 1)
		return ctr_error_set(err, CTR_E_INVALID, 0, "boot takes no argument");
	return ctr_runtime_boot(rt, 0, err);
}
