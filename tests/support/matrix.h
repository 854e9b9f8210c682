/* SPDX-License-Identifier: Apache-2.0 */
/* The state x operation table as tests: one for each cell, whatever the OCI runtime is. */
#ifndef TESTS_SUPPORT_MATRIX_H
#define TESTS_SUPPORT_MATRIX_H

#include "fixture.h"

/* One cell: an operation in a state. */
struct cell;

/* Runs `test` as one test for each cell whose state is in `reachable` (bit 1 << CTR_STATE_*); setup and teardown
 * are the group's. Returns what main() returns. */
int matrix_run(const char *name, uint32_t reachable, void (*test)(void **state),
    int (*setup)(void **state), int (*teardown)(void **state));

/* The cell of the test that runs: to be called once in each. */
const struct cell *matrix_next(void);
int32_t matrix_state(const struct cell *cell);

/* Applies the operation to `c`, which is in the cell's state: it must do what the table says. */
void matrix_check(const struct cell *cell, ctr_container_t *c);

#endif
