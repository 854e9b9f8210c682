/* SPDX-License-Identifier: Apache-2.0 */
/* Every cell of the state x operation table, through the public API, against a fake OCI runtime. */
#include "matrix.h"

static void test_cell(void **state)
{
	const struct cell *cell = matrix_next();
	ctr_container_t *c = fixture_in_state(*state, matrix_state(cell));

	matrix_check(cell, c);
	ctr_container_remove(c, CTR_REMOVE_FORCE, NULL);
	ctr_container_unref(c);
}

int main(void)
{
	/* A container that is there is never in the state "unknown". */
	return matrix_run(
	    "states", ~(1U << CTR_STATE_UNKNOWN), test_cell, fixture_setup, fixture_teardown);
}
