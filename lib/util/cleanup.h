/* SPDX-License-Identifier: Apache-2.0 */
/* Scope-bound clean-up: a variable frees what it holds when it goes out of scope. */
#ifndef LIBCTR_UTIL_CLEANUP_H
#define LIBCTR_UTIL_CLEANUP_H

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "util/err.h"
#include "util/str.h"

#define CTR__CLEANUP(fn) __attribute__((cleanup(fn)))

static inline void ctr__cleanup_free(void *p)
{
	int saved = errno;

	free(*(void **)p);
	errno = saved;
}

static inline void ctr__cleanup_close(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	errno = saved;
}

static inline void ctr__cleanup_strv(char ***v)
{
	ctr__strv_free(*v);
}

#define CTR__FREE  CTR__CLEANUP(ctr__cleanup_free)
#define CTR__CLOSE CTR__CLEANUP(ctr__cleanup_close)
#define CTR__STRV  CTR__CLEANUP(ctr__cleanup_strv)
#define CTR__ERROR CTR__CLEANUP(ctr__error_freep)

/* Gives up a pointer or descriptor that a clean-up would otherwise free. */
#define CTR__STEAL_PTR(p)                    \
	({                                   \
		__typeof__(p) stolen_ = (p); \
		(p) = NULL;                  \
		stolen_;                     \
	})

static inline int ctr__steal_fd(int *fd)
{
	int stolen = *fd;

	*fd = -1;
	return stolen;
}

#define CTR__ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif
