/* SPDX-License-Identifier: Apache-2.0 */
/* The snapshot itself: its fields, its life, its way from JSON. */
#include "config/model.h"

#include <stdio.h>
#include <stdlib.h>

#include "util/cleanup.h"

#define CTR_FIELD(name, number, kind, member, key)                                     \
	_Static_assert(CTR_CONFIG_##name == (number), "number differs from config.h"); \
	_Static_assert((number) < 128, "number does not fit into given[]");
#include "config/fields.def"
#undef CTR_FIELD

const struct ctr__cfg_field ctr__cfg_fields[] = {
#define CTR_FIELD(name, number, kind, member, key) \
	{number, CTR__CFG_##kind, offsetof(struct ctr_config, member), key, #name},
#include "config/fields.def"
#undef CTR_FIELD
};

const size_t ctr__cfg_fields_n = CTR__ARRAY_SIZE(ctr__cfg_fields);

const char *const ctr__cfg_no_strings[1] = {NULL};

/* Names under which other writers store a field: read, never written. */
static const struct {
	const char *key, *alias;
} aliases[] = {
    {"mounts", "Mounts"},
    {"portMappings", "newPortMappings"},
};

const struct ctr__cfg_field *ctr__cfg_field_by_number(int32_t number)
{
	for (size_t i = 0; i < ctr__cfg_fields_n; i++)
		if (ctr__cfg_fields[i].number == number)
			return &ctr__cfg_fields[i];
	return NULL;
}

const char *ctr__cfg_alias_of(const char *key)
{
	for (size_t i = 0; i < CTR__ARRAY_SIZE(aliases); i++)
		if (strcmp(aliases[i].key, key) == 0)
			return aliases[i].alias;
	return NULL;
}

const char *ctr__cfg_key_of_alias(const char *alias)
{
	for (size_t i = 0; i < CTR__ARRAY_SIZE(aliases); i++)
		if (strcmp(aliases[i].alias, alias) == 0)
			return aliases[i].key;
	return NULL;
}

static const struct ctr__json *non_null(const struct ctr__json *v)
{
	return v && v->type != CTR__JSON_NULL ? v : NULL;
}

const struct ctr__json *ctr__cfg_member(const struct ctr__json *root, const char *key)
{
	const struct ctr__json *v = non_null(ctr__json_get(root, key));
	const char *alias = ctr__cfg_alias_of(key);

	if (!v && alias)
		v = non_null(ctr__json_get(root, alias));
	return v;
}

/* ---- messages ---- */

const char *ctr__cfg_show(struct ctr__cfg_shown *to, const char *value)
{
	const size_t most = sizeof(to->text) - sizeof("\"...\"");
	size_t len = strlen(value), n = len < most ? len : most;
	char *p = to->text;

	if (n < len) /* not in the middle of a character */
		while (n > 0 && ((unsigned char)value[n] & 0xc0) == 0x80)
			n--;
	*p++ = '"';
	for (size_t i = 0; i < n; i++)
		*p++ = (unsigned char)value[i] < 0x20 || value[i] == 0x7f ? '?' : value[i];
	memcpy(p, n < len ? "...\"" : "\"", n < len ? sizeof("...\"") : sizeof("\""));
	return to->text;
}

int ctr__cfg_bad(ctr_error_t **err, int code, const char *field, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n < 0)
		text[0] = '\0';
	code = ctr__fail(err, code, "configuration field %s: %s", field, text);
	ctr__error_detail(err, "field", field);
	return code;
}

int ctr__cfg_bad_value(ctr_error_t **err, const char *field, const char *value, const char *what)
{
	return ctr__cfg_bad(err, CTR_E_INVALID, field, "%s %s", CTR__CFG_SHOW(value), what);
}

bool ctr__cfg_has_blank(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s <= 0x20 || *s == 0x7f)
			return true;
	return false;
}

/* ---- life ---- */

ctr_config_t *ctr__config_ref(ctr_config_t *cfg)
{
	if (cfg)
		atomic_fetch_add_explicit(&cfg->refs, 1, memory_order_relaxed);
	return cfg;
}

ctr_config_t *ctr__config_unref(ctr_config_t *cfg)
{
	if (cfg && atomic_fetch_sub_explicit(&cfg->refs, 1, memory_order_acq_rel) == 1) {
		ctr__arena_free(&cfg->arena);
		ctr__config_unref(cfg->base);
		free(cfg);
	}
	return NULL;
}

void ctr__config_unrefp(ctr_config_t **cfg)
{
	*cfg = ctr__config_unref(*cfg);
}

/* ---- from JSON ---- */

int ctr__config_from_object(const struct ctr__json *root, ctr_config_t **out, ctr_error_t **err)
{
	CTR__CONFIG ctr_config_t *cfg = NULL;
	int r = ctr__cfg_decode(root, &cfg, err);

	if (r == 0)
		r = ctr__cfg_derive(cfg, root, err);
	if (r == 0)
		r = ctr__cfg_check(cfg, root, err);
	if (r == 0)
		*out = CTR__STEAL_PTR(cfg);
	return r;
}

int ctr__config_parse(const char *json, size_t len, ctr_config_t **out, ctr_error_t **err)
{
	CTR__JSON_DOC struct ctr__json_doc *doc = NULL;
	int r = ctr__json_parse(json, len, "configuration", &doc, err);

	return r < 0 ? r : ctr__config_from_object(doc->root, out, err);
}
