/* SPDX-License-Identifier: Apache-2.0 */
/* Text -> JSON document, on yajl's streaming parser. */
#include <stdlib.h>
#include <yajl/yajl_parse.h>

#include "util/cleanup.h"
#include "util/json_internal.h"

/*
 * yajl does not check its allocations, so it gets all the memory it can need before it starts: its fixed
 * structures and state stack (bounded by the depth), and two buffers that grow by doubling up to the longest
 * token. Nothing is reused: the old copies of a doubling buffer add up to less than the last one.
 */
#define POOL_FIXED          ((size_t)32 << 10)
#define POOL_PER_TOKEN_BYTE 8

struct pool {
	char *data;
	size_t used, size;
};

struct block {
	size_t size;
	_Alignas(max_align_t) char data[];
};

static void *pool_alloc(void *ctx, size_t size)
{
	struct pool *p = ctx;
	size_t need = (sizeof(struct block) + size + 15) / 16 * 16;
	struct block *b;

	if (size > p->size || need > p->size - p->used)
		return NULL;
	b = (struct block *)(void *)(p->data + p->used);
	p->used += need;
	b->size = size;
	return b->data;
}

static void *pool_realloc(void *ctx, void *old, size_t size)
{
	void *data = pool_alloc(ctx, size);

	if (data && old) {
		size_t had = ((struct block *)(void *)((char *)old - sizeof(struct block)))->size;

		memcpy(data, old, had < size ? had : size);
	}
	return data;
}

static void pool_free(void *ctx, void *p)
{
	(void)ctx;
	(void)p;
}

/* Up to here duplicates are found by looking at all members; most objects are small. */
#define LINEAR_MEMBERS 8

struct level {
	struct ctr__json *container;
	struct ctr__json_keys keys;
};

struct parser {
	yajl_handle yajl;
	const char *text;
	size_t len;
	struct ctr__json_doc *doc;
	struct ctr__arena scratch; /* of the key sets */
	struct level levels[CTR__JSON_MAX_DEPTH];
	size_t depth;
	const char *key; /* read, waiting for its value */
	const char *duplicate;
	bool ended; /* yajl has seen the whole text */
	bool nomem;
};

static int no_memory(struct parser *p)
{
	p->nomem = true;
	return 0;
}

static struct level *top(struct parser *p)
{
	return p->depth > 0 ? &p->levels[p->depth - 1] : NULL;
}

/* Puts a new value where the text has it. */
static int place(struct parser *p, struct ctr__json *v)
{
	struct level *l = top(p);

	if (!v)
		return no_memory(p);
	v->key = p->key;
	p->key = NULL;
	if (l)
		ctr__json_attach(l->container, v);
	else
		p->doc->root = v;
	return 1;
}

static int place_text(struct parser *p, enum ctr__json_type type, const char *text, size_t len)
{
	struct ctr__json *v = ctr__json_new(p->doc, type);

	if (!v)
		return no_memory(p);
	v->text = ctr__arena_strndup(&p->doc->arena, text, len);
	v->len = len;
	return v->text ? place(p, v) : no_memory(p);
}

static int on_null(void *ctx)
{
	struct parser *p = ctx;

	return place(p, ctr__json_new_null(p->doc));
}

static int on_boolean(void *ctx, int value)
{
	struct parser *p = ctx;

	return place(p, ctr__json_new_bool(p->doc, value != 0));
}

static int on_number(void *ctx, const char *text, size_t len)
{
	return place_text(ctx, CTR__JSON_NUMBER, text, len);
}

static int on_string(void *ctx, const unsigned char *text, size_t len)
{
	return place_text(ctx, CTR__JSON_STRING, (const char *)text, len);
}

static enum ctr__json_keys_result add_all_keys(struct parser *p, struct level *l)
{
	enum ctr__json_keys_result result = CTR__JSON_KEYS_NEW;

	CTR__JSON_EACH (child, l->container) {
		result = ctr__json_keys_add(&l->keys, &p->scratch, child->key);
		if (result != CTR__JSON_KEYS_NEW)
			break;
	}
	return result;
}

static enum ctr__json_keys_result add_key(struct parser *p, struct level *l, const char *key)
{
	if (l->container->count < LINEAR_MEMBERS)
		return ctr__json_get(l->container, key) ? CTR__JSON_KEYS_DUPLICATE
		                                        : CTR__JSON_KEYS_NEW;
	if (l->container->count == LINEAR_MEMBERS) {
		enum ctr__json_keys_result result = add_all_keys(p, l);

		if (result != CTR__JSON_KEYS_NEW)
			return result;
	}
	return ctr__json_keys_add(&l->keys, &p->scratch, key);
}

static int on_key(void *ctx, const unsigned char *text, size_t len)
{
	struct parser *p = ctx;

	p->key = ctr__arena_strndup(&p->doc->arena, (const char *)text, len);
	if (!p->key)
		return no_memory(p);
	switch (add_key(p, top(p), p->key)) {
	case CTR__JSON_KEYS_NEW: return 1;
	case CTR__JSON_KEYS_DUPLICATE: p->duplicate = p->key; return 0;
	default: return no_memory(p);
	}
}

static int open_container(struct parser *p, struct ctr__json *v)
{
	/* The scan has checked the depth. */
	if (!place(p, v) || p->depth == CTR__JSON_MAX_DEPTH)
		return 0;
	p->levels[p->depth++] = (struct level){.container = v};
	return 1;
}

static int close_container(void *ctx)
{
	struct parser *p = ctx;

	p->depth--;
	return 1;
}

static int on_start_map(void *ctx)
{
	struct parser *p = ctx;

	return open_container(p, ctr__json_new_object(p->doc));
}

static int on_start_array(void *ctx)
{
	struct parser *p = ctx;

	return open_container(p, ctr__json_new_array(p->doc));
}

static const yajl_callbacks callbacks = {
    .yajl_null = on_null,
    .yajl_boolean = on_boolean,
    .yajl_number = on_number,
    .yajl_string = on_string,
    .yajl_start_map = on_start_map,
    .yajl_map_key = on_key,
    .yajl_end_map = close_container,
    .yajl_start_array = on_start_array,
    .yajl_end_array = close_container,
};

/* Lines and columns (in characters) count from 1. */
static int fail_at(
    const struct parser *p, size_t offset, const char *what, ctr_error_t **err, const char *reason)
{
	size_t line = 1, column = 1;

	for (size_t i = 0; i < offset && i < p->len; i++) {
		if (p->text[i] == '\n') {
			line++;
			column = 1;
		} else if (((unsigned char)p->text[i] & 0xc0) != 0x80) {
			column++;
		}
	}
	return ctr__fail(
	    err, CTR_E_INVALID, "%s: line %zu, column %zu: %s", what, line, column, reason);
}

/* The opening quote of the string that ends before `end`: the quotes inside it are escaped. */
static size_t string_start(const char *text, size_t end)
{
	size_t at = end - 1;

	while (at > 0) {
		size_t slashes = 0;

		if (text[--at] != '"')
			continue;
		while (slashes < at && text[at - 1 - slashes] == '\\')
			slashes++;
		if (slashes % 2 == 0)
			break;
	}
	return at;
}

static int fail_duplicate(const struct parser *p, const char *what, ctr_error_t **err)
{
	CTR__FREE char *reason = ctr__format("duplicate member \"%.64s\"", p->duplicate);

	if (!reason)
		return ctr__fail_nomem(err);
	return fail_at(
	    p, string_start(p->text, yajl_get_bytes_consumed(p->yajl)), what, err, reason);
}

/* Where the last character is that yajl has read; the end if it misses something there. */
static size_t fault_offset(const struct parser *p)
{
	size_t consumed = yajl_get_bytes_consumed(p->yajl);

	if (p->ended)
		return p->len;
	return consumed > 0 ? consumed - 1 : 0;
}

/* yajl's words are "lexical error: ...\n" or "parse error: ...\n". */
static int fail_syntax(const struct parser *p, const char *what, ctr_error_t **err)
{
	char *words = (char *)yajl_get_error(p->yajl, 0, NULL, 0);
	const char *colon = words ? strstr(words, ": ") : NULL;
	const char *reason = colon ? colon + 2 : words ? words : "not JSON";
	CTR__FREE char *line = strndup(reason, strcspn(reason, "\n"));

	if (!line)
		return ctr__fail_nomem(err);
	return fail_at(p, fault_offset(p), what, err, line);
}

static int run(struct parser *p, const char *what, ctr_error_t **err)
{
	yajl_status status;

	status = yajl_parse(p->yajl, (const unsigned char *)p->text, p->len);
	if (status == yajl_status_ok) {
		p->ended = true;
		status = yajl_complete_parse(p->yajl);
	}
	if (p->nomem)
		return ctr__fail_nomem(err);
	if (p->duplicate)
		return fail_duplicate(p, what, err);
	return status == yajl_status_ok ? 0 : fail_syntax(p, what, err);
}

static int parse_into(
    struct ctr__json_doc *doc, const char *text, size_t len, const char *what, ctr_error_t **err)
{
	CTR__FREE struct parser *p = calloc(1, sizeof(*p));
	struct ctr__json_scan scan;
	struct pool pool = {0};
	yajl_alloc_funcs funcs = {pool_alloc, pool_realloc, pool_free, &pool};
	CTR__FREE char *memory = NULL;
	int rc;

	if (!p)
		return ctr__fail_nomem(err);
	p->text = text;
	p->len = len;
	p->doc = doc;
	ctr__json_scan_text(text, len, &scan);
	if (scan.fault)
		return fail_at(p, scan.offset, what, err, scan.fault);
	pool.size = POOL_FIXED + POOL_PER_TOKEN_BYTE * scan.longest;
	pool.data = memory = malloc(pool.size);
	p->yajl = memory ? yajl_alloc(&callbacks, &funcs, p) : NULL;
	if (!p->yajl)
		return ctr__fail_nomem(err);
	rc = run(p, what, err);
	ctr__arena_free(&p->scratch);
	return rc;
}

int ctr__json_parse(
    const char *text, size_t len, const char *what, struct ctr__json_doc **out, ctr_error_t **err)
{
	CTR__JSON_DOC struct ctr__json_doc *doc = NULL;
	int rc;

	if (!what)
		what = "JSON text";
	if (len > CTR__JSON_MAX_SIZE)
		return ctr__fail(
		    err, CTR_E_INVALID, "%s: longer than %u bytes", what, CTR__JSON_MAX_SIZE);
	doc = ctr__json_doc_new();
	if (!doc)
		return ctr__fail_nomem(err);
	rc = parse_into(doc, text, len, what, err);
	if (rc < 0)
		return rc;
	*out = CTR__STEAL_PTR(doc);
	return 0;
}
