/* SPDX-License-Identifier: Apache-2.0 */
/* What containers must not leave behind. */
#ifndef TESTS_SUPPORT_REAL_LEFT_H
#define TESTS_SUPPORT_REAL_LEFT_H

#include "real.h"

/* Nothing is left of the store's containers: no process, mount, cgroup or file. What is, is named on standard
 * error, and ended or removed as far as possible. */
bool real_nothing_left(const struct real *r);

/* The same for the cgroups of one container, wherever in any hierarchy they are. */
bool real_no_cgroup(const char *id);

#endif
