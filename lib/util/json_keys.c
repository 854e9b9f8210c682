/* SPDX-License-Identifier: Apache-2.0 */
/* A set of member names: a crit-bit tree (D. J. Bernstein, A. Langley). */
#include "util/json_internal.h"

/* Where the two subtrees differ first: `mask` has the one bit of byte `byte` in which they do. A side is a
 * name or another node. */
struct node {
	struct side {
		struct node *node; /* or NULL: */
		const char *key;
	} side[2];
	size_t byte;
	unsigned char mask;
};

/* The NUL counts as part of a name; a name has zeros behind it. */
static int direction(const struct node *n, const char *key, size_t len)
{
	unsigned char c = n->byte < len ? (unsigned char)key[n->byte] : 0;

	return (c & n->mask) != 0;
}

static const char *closest(const struct side *s, const char *key, size_t len)
{
	while (s->node)
		s = &s->node->side[direction(s->node, key, len)];
	return s->key;
}

static unsigned char highest_bit(unsigned char c)
{
	return (unsigned char)(0x80 >> (__builtin_clz(c) - 24));
}

/* Puts `n` at the place where the tree branches at a later bit. */
static void insert(struct side *s, struct node *n, const char *key, size_t len)
{
	int d = direction(n, key, len);

	while (s->node &&
	       (s->node->byte < n->byte || (s->node->byte == n->byte && s->node->mask > n->mask)))
		s = &s->node->side[direction(s->node, key, len)];
	n->side[d].key = key;
	n->side[!d] = *s;
	*s = (struct side){.node = n};
}

enum ctr__json_keys_result ctr__json_keys_add(
    struct ctr__json_keys *k, struct ctr__arena *arena, const char *key)
{
	size_t len = strlen(key), at = 0;
	struct side *root = k->root;
	const char *other;
	struct node *n;

	if (!root) {
		k->root = root = ctr__arena_alloc(arena, sizeof(*root));
		if (!root)
			return CTR__JSON_KEYS_NOMEM;
		root->key = key;
		return CTR__JSON_KEYS_NEW;
	}
	other = closest(root, key, len);
	while (at < len && other[at] == key[at])
		at++;
	if (other[at] == key[at])
		return CTR__JSON_KEYS_DUPLICATE;
	n = ctr__arena_alloc(arena, sizeof(*n));
	if (!n)
		return CTR__JSON_KEYS_NOMEM;
	n->byte = at;
	n->mask = highest_bit((unsigned char)(other[at] ^ key[at]));
	insert(root, n, key, len);
	return CTR__JSON_KEYS_NEW;
}
