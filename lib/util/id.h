/* SPDX-License-Identifier: Apache-2.0 */
/* IDs and names of containers. */
#ifndef LIBCTR_UTIL_ID_H
#define LIBCTR_UTIL_ID_H

#include <stdbool.h>

#include "util/err.h"

#define CTR__ID_HEX   64  /* length of a random ID            */
#define CTR__ID_MAX   128 /* longest ID accepted              */
#define CTR__NAME_MAX 255 /* longest name accepted            */

/* 64 lower-case hex digits from the kernel's random source. */
int ctr__id_random(char out[CTR__ID_HEX + 1], ctr_error_t **err);

/* Two random words joined by "_", e.g. "quiet_otter". `salt` > 0 appends a number, for a retry. */
int ctr__name_random(char *out, size_t size, unsigned int salt, ctr_error_t **err);

/* [a-zA-Z0-9][a-zA-Z0-9_.-]*, not longer than the limit: safe as file name and argument. */
bool ctr__id_valid(const char *id);
bool ctr__name_valid(const char *name);

#endif
