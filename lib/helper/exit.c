/* SPDX-License-Identifier: Apache-2.0 */
/* exit ID: the container has ended; what its configuration wants then is done. */
#include "helper.h"

int cmd_exit(ctr_runtime_t *rt, int argc, char **argv, ctr_error_t **err)
{
	ctr_container_t *c = NULL;
	int r;

	if (argc != 2)
		return ctr_error_set(err, CTR_E_INVALID, 0, "exit needs the ID of one container");
	r = ctr_container_get(rt, argv[1], &c, err);
	if (r >= 0)
		r = ctr_container_handle_exit(c, 0, err);
	ctr_container_unref(c);
	return r;
}
