/* SPDX-License-Identifier: Apache-2.0 */
/* A bump allocator: many small things that live and die together. Not thread-safe. */
#ifndef LIBCTR_UTIL_ARENA_H
#define LIBCTR_UTIL_ARENA_H

#include <stddef.h>

struct ctr__arena_chunk;
struct ctr__arena {
	struct ctr__arena_chunk *chunk;
};

/* Zeroed memory, aligned for any type; NULL if memory is short. Start: {0}. */
void *ctr__arena_alloc(struct ctr__arena *a, size_t size);
char *ctr__arena_strndup(struct ctr__arena *a, const char *s, size_t len);
char *ctr__arena_strdup(struct ctr__arena *a, const char *s); /* NULL for NULL */
void ctr__arena_free(struct ctr__arena *a);
#define CTR__ARENA CTR__CLEANUP(ctr__arena_free)

#endif
