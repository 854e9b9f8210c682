/* SPDX-License-Identifier: Apache-2.0 */
/* Taking over a caller's options struct, which may be older or newer than ours. */
#ifndef LIBCTR_CORE_OPTS_H
#define LIBCTR_CORE_OPTS_H

#include <stddef.h>
#include <string.h>

#include "util/err.h"

/* Copies by the kernel's rule: a shorter struct is zero-filled, the tail of a longer one must be zero. `src`
 * NULL = all zero. Every options struct starts with its size. */
static inline int ctr__copy_opts(
    void *dst, size_t dst_size, const void *src, const char *what, ctr_error_t **err)
{
	size_t size;

	memset(dst, 0, dst_size);
	if (!src)
		return 0;
	memcpy(&size, src, sizeof(size));
	if (size < sizeof(size))
		return ctr__fail(err, CTR_E_INVALID,
		    "struct %s: member size is %zu, not sizeof the struct", what, size);
	for (size_t i = dst_size; i < size; i++) {
		if (((const unsigned char *)src)[i])
			return ctr__fail(err, CTR_E_UNSUPPORTED,
			    "struct %s uses members of a newer libctr", what);
	}
	memcpy(dst, src, size < dst_size ? size : dst_size);
	return 0;
}

#define CTR__COPY_OPTS(dst, src, what, err) ctr__copy_opts(dst, sizeof(*(dst)), src, what, err)

#endif
