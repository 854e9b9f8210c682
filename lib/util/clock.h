/* SPDX-License-Identifier: Apache-2.0 */
/* Time: clocks, and RFC 3339 text with nanoseconds as Go writes it. */
#ifndef LIBCTR_UTIL_CLOCK_H
#define LIBCTR_UTIL_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

int64_t ctr__now_ns(void);       /* since 1970-01-01 UTC */
int64_t ctr__monotonic_ns(void); /* since boot, never goes back */

/* "2006-01-02T15:04:05.999999999Z" (trailing zeros of the fraction dropped, as Go's RFC3339Nano).
 * 0 gives Go's zero time "0001-01-01T00:00:00Z". `out` needs CTR__RFC3339_MAX bytes. */
#define CTR__RFC3339_MAX 40
void ctr__rfc3339_format(int64_t ns, char out[CTR__RFC3339_MAX]);
/* Any offset, up to nine digits of fraction (more are cut). Go's zero time gives 0. */
bool ctr__rfc3339_parse(const char *s, int64_t *ns);

#endif
