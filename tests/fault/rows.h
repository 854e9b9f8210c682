/* SPDX-License-Identifier: Apache-2.0 */
/* What is left in the databases of a store. */
#ifndef TESTS_FAULT_ROWS_H
#define TESTS_FAULT_ROWS_H

#include <stddef.h>

#include "world.h"

/* Rows of containers and pods, and lock slots that are not given back: one line each in `text`. Returns their
 * number; -1 if it cannot be told. Nothing may be doing anything with the store. */
long rows_left(const struct world *w, char *text, size_t size);

#endif
