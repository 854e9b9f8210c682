/* SPDX-License-Identifier: Apache-2.0 */
/* A bump allocator. */
#include "util/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_FIRST   ((size_t)1 << 10)
#define CHUNK_LARGEST ((size_t)64 << 10)
#define ALIGNMENT     alignof(max_align_t)

struct ctr__arena_chunk {
	struct ctr__arena_chunk *next;
	size_t used, size;
	alignas(max_align_t) char data[];
};

static struct ctr__arena_chunk *new_chunk(size_t size)
{
	struct ctr__arena_chunk *c;

	if (size > SIZE_MAX - sizeof(*c))
		return NULL;
	c = malloc(sizeof(*c) + size);
	if (!c)
		return NULL;
	c->next = NULL;
	c->used = 0;
	c->size = size;
	return c;
}

static size_t next_chunk_size(const struct ctr__arena *a)
{
	if (!a->chunk)
		return CHUNK_FIRST;
	return a->chunk->size < CHUNK_LARGEST / 2 ? a->chunk->size * 2 : CHUNK_LARGEST;
}

/* A chunk with room for `size` bytes. One made for a single large thing goes behind the current one,
 * whose free rest stays in use. */
static struct ctr__arena_chunk *chunk_for(struct ctr__arena *a, size_t size)
{
	struct ctr__arena_chunk *c = a->chunk;
	size_t regular = next_chunk_size(a);

	if (c && c->size - c->used >= size)
		return c;
	c = new_chunk(size > regular / 2 ? size : regular);
	if (!c)
		return NULL;
	if (a->chunk && size > regular / 2) {
		c->next = a->chunk->next;
		a->chunk->next = c;
	} else {
		c->next = a->chunk;
		a->chunk = c;
	}
	return c;
}

void *ctr__arena_alloc(struct ctr__arena *a, size_t size)
{
	struct ctr__arena_chunk *c;
	void *p;

	if (size > SIZE_MAX - ALIGNMENT)
		return NULL;
	size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	if (size == 0)
		size = ALIGNMENT;
	c = chunk_for(a, size);
	if (!c)
		return NULL;
	p = c->data + c->used;
	c->used += size;
	return memset(p, 0, size);
}

char *ctr__arena_strndup(struct ctr__arena *a, const char *s, size_t len)
{
	char *copy = len < SIZE_MAX ? ctr__arena_alloc(a, len + 1) : NULL;

	if (copy && len > 0)
		memcpy(copy, s, len);
	return copy;
}

char *ctr__arena_strdup(struct ctr__arena *a, const char *s)
{
	return s ? ctr__arena_strndup(a, s, strlen(s)) : NULL;
}

void ctr__arena_free(struct ctr__arena *a)
{
	struct ctr__arena_chunk *c = a->chunk;

	a->chunk = NULL;
	while (c) {
		struct ctr__arena_chunk *next = c->next;

		free(c);
		c = next;
	}
}
