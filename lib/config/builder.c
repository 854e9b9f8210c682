/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The builder: a JSON object with libpod's keys, a second one with the shorthands for the spec, and the
 * first error.
 */
#include "config/builder.h"

#include <stdio.h>
#include <stdlib.h>

#include "config/builder_spec.h"
#include "util/clock.h"
#include "util/cleanup.h"

struct ctr_config_builder {
	struct ctr__json_doc *doc; /* its root: the fields */
	struct ctr__json *shorthands;
	int first_code; /* 0: no error so far */
	ctr_error_t *first;
};

/* A field, and the object it is kept in. */
struct place {
	const struct ctr__cfg_field *f;
	struct ctr__json *object;
};

/* ---- life ---- */

static int start_from(ctr_config_builder_t *b, const ctr_config_t *cfg)
{
	CTR__BUF struct ctr__buf text = {0};

	ctr__config_write(cfg, &text);
	return text.failed ? CTR_E_NOMEM
	                   : ctr__json_parse(text.data, text.len, "configuration", &b->doc, NULL);
}

static int start_empty(ctr_config_builder_t *b)
{
	b->doc = ctr__json_doc_new();
	if (b->doc)
		b->doc->root = ctr__json_new_object(b->doc);
	return b->doc && b->doc->root ? 0 : CTR_E_NOMEM;
}

ctr_config_builder_t *ctr__builder_new(const ctr_config_t *cfg)
{
	ctr_config_builder_t *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	if ((cfg ? start_from(b, cfg) : start_empty(b)) == 0)
		b->shorthands = ctr__json_new_object(b->doc);
	if (b->shorthands)
		return b;
	ctr__builder_free(b);
	return NULL;
}

void ctr__builder_free(ctr_config_builder_t *b)
{
	if (!b)
		return;
	ctr__json_doc_free(b->doc);
	ctr_error_free(b->first);
	free(b);
}

/* ---- errors ---- */

static int copy_error(const ctr_error_t *from, int code, ctr_error_t **err)
{
	const char *field = ctr_error_get(from, "field");

	if (code == CTR_E_NOMEM)
		return ctr__fail_nomem(err);
	code = ctr__fail(err, code, "%s", ctr_error_message(from));
	if (field)
		ctr__error_detail(err, "field", field);
	return code;
}

/* Ends a setter: hands a failure to the caller and keeps the first one. */
static int finish(ctr_config_builder_t *b, int r, ctr_error_t *e, ctr_error_t **err)
{
	if (r < 0)
		copy_error(e, r, err);
	if (r < 0 && b->first_code == 0) {
		b->first_code = r;
		b->first = e;
	} else {
		ctr_error_free(e);
	}
	return r;
}

/* ---- finding the field ---- */

static const struct ctr__cfg_field *find_shorthand(int32_t number)
{
	for (size_t i = 0; i < ctr__cfg_shorthand_fields_n; i++)
		if (ctr__cfg_shorthand_fields[i].number == number)
			return &ctr__cfg_shorthand_fields[i];
	return NULL;
}

static int find(const ctr_config_builder_t *b, int32_t number, struct place *p, ctr_error_t **err)
{
	char text[16];

	*p = (struct place){ctr__cfg_field_by_number(number), b->doc->root};
	if (!p->f)
		*p = (struct place){find_shorthand(number), b->shorthands};
	if (p->f)
		return 0;
	snprintf(text, sizeof(text), "%d", number);
	return ctr__cfg_bad(err, CTR_E_INVALID, text, "there is no field of this number");
}

static const char *kind_name(enum ctr__cfg_kind kind)
{
	switch (kind) {
	case CTR__CFG_STR: return "a string";
	case CTR__CFG_BOOL: return "a bool";
	case CTR__CFG_NUM: return "a number";
	case CTR__CFG_TIME: return "a time";
	case CTR__CFG_STRV: return "a list";
	case CTR__CFG_MAP: return "a map";
	case CTR__CFG_OBJ: return "JSON";
	}
	return "something else";
}

static int find_kind(const ctr_config_builder_t *b, int32_t number, enum ctr__cfg_kind kind,
    struct place *p, ctr_error_t **err)
{
	int r = find(b, number, p, err);

	if (r < 0 || p->f->kind == kind)
		return r;
	return ctr__cfg_bad(
	    err, CTR_E_INVALID, p->f->key, "is %s, not %s", kind_name(p->f->kind), kind_name(kind));
}

/* ---- setting ---- */

static int check_text(const struct ctr__cfg_field *f, const char *s, ctr_error_t **err)
{
	return ctr__utf8_valid(s, strlen(s))
	           ? 0
	           : ctr__cfg_bad(err, CTR_E_INVALID, f->key, "the value is not valid UTF-8");
}

static int put(
    ctr_config_builder_t *b, const struct place *p, struct ctr__json *v, ctr_error_t **err)
{
	return ctr__json_set(b->doc, p->object, p->f->key, v) ? 0 : ctr__fail_nomem(err);
}

static int set_str(ctr_config_builder_t *b, int32_t field, const char *value, ctr_error_t **err)
{
	struct place p;
	int r = find_kind(b, field, CTR__CFG_STR, &p, err);

	if (r < 0)
		return r;
	if (!value) {
		ctr__json_unset(p.object, p.f->key);
		return 0;
	}
	r = check_text(p.f, value, err);
	return r < 0 ? r : put(b, &p, ctr__json_new_str(b->doc, value), err);
}

static int set_bool(ctr_config_builder_t *b, int32_t field, int32_t value, ctr_error_t **err)
{
	struct place p;
	int r = find_kind(b, field, CTR__CFG_BOOL, &p, err);

	if (r < 0)
		return r;
	if (value != 0 && value != 1)
		return ctr__cfg_bad(err, CTR_E_INVALID, p.f->key, "%d is not 0 or 1", value);
	return put(b, &p, ctr__json_new_bool(b->doc, value), err);
}

static int set_num(ctr_config_builder_t *b, int32_t field, int64_t value, ctr_error_t **err)
{
	struct place p;
	char time[CTR__RFC3339_MAX];
	int r = find(b, field, &p, err);

	if (r < 0)
		return r;
	if (p.f->kind != CTR__CFG_TIME) {
		r = find_kind(b, field, CTR__CFG_NUM, &p, err);
		return r < 0 ? r : put(b, &p, ctr__json_new_i64(b->doc, value), err);
	}
	ctr__rfc3339_format(value, time);
	return put(b, &p, ctr__json_new_str(b->doc, time), err);
}

static int add_str(ctr_config_builder_t *b, int32_t field, const char *value, ctr_error_t **err)
{
	struct place p;
	int r = find_kind(b, field, CTR__CFG_STRV, &p, err);

	if (r == 0 && !value)
		return ctr__cfg_bad(err, CTR_E_INVALID, p.f->key, "an element is NULL");
	if (r == 0)
		r = check_text(p.f, value, err);
	if (r < 0)
		return r;
	struct ctr__json *list = ctr__json_want_array(b->doc, p.object, p.f->key);

	return list && ctr__json_append(b->doc, list, ctr__json_new_str(b->doc, value))
	           ? 0
	           : ctr__fail_nomem(err);
}

static int set_map_entry(ctr_config_builder_t *b, const struct place *p, const char *key,
    const char *value, ctr_error_t **err)
{
	struct ctr__json *map;

	if (!value) {
		ctr__json_unset(ctr__json_get(p->object, p->f->key), key);
		return 0;
	}
	map = ctr__json_want_object(b->doc, p->object, p->f->key);
	return map && ctr__json_set(b->doc, map, key, ctr__json_new_str(b->doc, value))
	           ? 0
	           : ctr__fail_nomem(err);
}

static int set_map(
    ctr_config_builder_t *b, int32_t field, const char *key, const char *value, ctr_error_t **err)
{
	struct place p;
	int r = find_kind(b, field, CTR__CFG_MAP, &p, err);

	if (r == 0 && (!key || !key[0]))
		return ctr__cfg_bad(err, CTR_E_INVALID, p.f->key, "a key is empty");
	if (r == 0)
		r = check_text(p.f, key, err);
	if (r == 0 && value)
		r = check_text(p.f, value, err);
	return r < 0 ? r : set_map_entry(b, &p, key, value, err);
}

/* Is the value of the field's type? */
static int check_type(const struct ctr__cfg_field *f, const struct ctr__json *v, ctr_error_t **err)
{
	CTR__ARENA struct ctr__arena scratch = {0};
	union {
		ctr__cfg_STR s;
		ctr__cfg_BOOL b;
		ctr__cfg_NUM n;
		ctr__cfg_STRV l;
		ctr__cfg_MAP m;
		ctr__cfg_OBJ o;
	} slot;
	bool present;

	return ctr__cfg_decode_value(&scratch, f, v, &slot, &present, err);
}

static size_t levels_of(const struct ctr__json *v)
{
	size_t most = 0;

	CTR__JSON_EACH (child, v) {
		size_t n = levels_of(child);

		if (n > most)
			most = n;
	}
	return v->type == CTR__JSON_ARRAY || v->type == CTR__JSON_OBJECT ? most + 1 : 0;
}

/* The value must fit into the field, and into a configuration, which is one level more. */
static int check_value(const struct ctr__cfg_field *f, const struct ctr__json *v, ctr_error_t **err)
{
	if (levels_of(v) >= CTR__JSON_MAX_DEPTH)
		return ctr__cfg_bad(
		    err, CTR_E_INVALID, f->key, "has more than %d levels", CTR__JSON_MAX_DEPTH - 1);
	return check_type(f, v, err);
}

static int set_json(
    ctr_config_builder_t *b, int32_t field, const char *json, size_t len, ctr_error_t **err)
{
	CTR__JSON_DOC struct ctr__json_doc *doc = NULL;
	struct place p;
	int r = find(b, field, &p, err);

	if (r < 0)
		return r;
	if (!json)
		return ctr__cfg_bad(err, CTR_E_INVALID, p.f->key, "the JSON text is NULL");
	r = ctr__json_parse(json, len, p.f->key, &doc, err);
	if (r < 0) {
		ctr__error_detail(err, "field", p.f->key);
		return r;
	}
	if (doc->root->type == CTR__JSON_NULL) {
		ctr__json_unset(p.object, p.f->key);
		return 0;
	}
	r = check_value(p.f, doc->root, err);
	return r < 0 ? r : put(b, &p, ctr__json_copy(b->doc, doc->root), err);
}

int ctr__builder_set_str(
    ctr_config_builder_t *b, int32_t field, const char *value, ctr_error_t **err)
{
	ctr_error_t *e = NULL;
	int r = set_str(b, field, value, &e);

	return finish(b, r, e, err);
}

int ctr__builder_set_bool(ctr_config_builder_t *b, int32_t field, int32_t value, ctr_error_t **err)
{
	ctr_error_t *e = NULL;
	int r = set_bool(b, field, value, &e);

	return finish(b, r, e, err);
}

int ctr__builder_set_num(ctr_config_builder_t *b, int32_t field, int64_t value, ctr_error_t **err)
{
	ctr_error_t *e = NULL;
	int r = set_num(b, field, value, &e);

	return finish(b, r, e, err);
}

int ctr__builder_add_str(
    ctr_config_builder_t *b, int32_t field, const char *value, ctr_error_t **err)
{
	ctr_error_t *e = NULL;
	int r = add_str(b, field, value, &e);

	return finish(b, r, e, err);
}

int ctr__builder_set_map(
    ctr_config_builder_t *b, int32_t field, const char *key, const char *value, ctr_error_t **err)
{
	ctr_error_t *e = NULL;
	int r = set_map(b, field, key, value, &e);

	return finish(b, r, e, err);
}

int ctr__builder_set_json(
    ctr_config_builder_t *b, int32_t field, const char *json, size_t len, ctr_error_t **err)
{
	ctr_error_t *e = NULL;
	int r = set_json(b, field, json, len, &e);

	return finish(b, r, e, err);
}

/* ---- building ---- */

/* The spec as a value of `d`: the one given, or a new one. */
static int make_spec(const ctr_config_builder_t *b, struct ctr__json_doc *d, struct ctr__json **out,
    ctr_error_t **err)
{
	const struct ctr__json *given = ctr__json_get(b->doc->root, "spec");

	if (!given)
		return ctr__cfg_make_spec(b->doc->root, b->shorthands, d, out, err);
	if (b->shorthands->first)
		return ctr__cfg_bad(err, CTR_E_INVALID, "spec",
		    "is given and excludes the shorthand %s", b->shorthands->first->key);
	*out = ctr__json_copy(d, given);
	return *out ? 0 : ctr__fail_nomem(err);
}

static int make_document(const ctr_config_builder_t *b, struct ctr__json_doc *d, ctr_error_t **err)
{
	struct ctr__json *spec = NULL;
	int r;

	if (!(d->root = ctr__json_copy(d, b->doc->root)))
		return ctr__fail_nomem(err);
	r = make_spec(b, d, &spec, err);
	if (r < 0)
		return r;
	if (!ctr__json_set(d, d->root, "spec", spec))
		return ctr__fail_nomem(err);
	return ctr__cfg_note_binds(b->shorthands, d, err);
}

int ctr__builder_build(const ctr_config_builder_t *b, ctr_config_t **out, ctr_error_t **err)
{
	CTR__JSON_DOC struct ctr__json_doc *d = ctr__json_doc_new();
	CTR__BUF struct ctr__buf text = {0};
	int r;

	if (b->first_code < 0)
		return copy_error(b->first, b->first_code, err);
	if (!d)
		return ctr__fail_nomem(err);
	r = make_document(b, d, err);
	if (r < 0)
		return r;
	/* By way of the text: only then does the limit of size hold for the whole. */
	ctr__json_write(d->root, false, &text);
	return text.failed ? ctr__fail_nomem(err)
	                   : ctr__config_parse(text.data, text.len, out, err);
}

int ctr__builder_write_spec(const ctr_config_builder_t *b, struct ctr__buf *out, ctr_error_t **err)
{
	CTR__JSON_DOC struct ctr__json_doc *d = ctr__json_doc_new();
	struct ctr__json *spec = NULL;
	int r;

	if (b->first_code < 0)
		return copy_error(b->first, b->first_code, err);
	if (!d)
		return ctr__fail_nomem(err);
	r = make_spec(b, d, &spec, err);
	if (r < 0)
		return r;
	ctr__json_write(spec, false, out);
	return out->failed ? ctr__fail_nomem(err) : 0;
}
