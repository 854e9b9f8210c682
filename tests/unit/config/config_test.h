/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of lib/config share: small configurations as text, and what to expect of them. */
#ifndef LIBCTR_TESTS_CONFIG_TEST_H
#define LIBCTR_TESTS_CONFIG_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/model.h"
#include "util/cleanup.h"

#define SPEC                                                                              \
	"{\"ociVersion\":\"1.0.2\",\"process\":{\"cwd\":\"/\",\"args\":[\"/bin/date\"]}," \
	"\"linux\":{\"namespaces\":[{\"type\":\"pid\"}]}}"
#define ROOTFS "\"rootfs\":\"/srv/root\""
/* A configuration with more members, e.g. WITH("\"name\":\"x\""). */
#define WITH(members) "{\"spec\":" SPEC "," ROOTFS "," members "}"
#define SMALLEST      "{\"spec\":" SPEC "," ROOTFS "}"

static inline ctr_config_t *parse_ok(const char *json)
{
	ctr_error_t *err = NULL;
	ctr_config_t *cfg = NULL;
	int r = ctr__config_parse(json, strlen(json), &cfg, &err);

	if (r < 0)
		fail_msg("%s\n%s", ctr_error_message(err), json);
	assert_null(err);
	assert_non_null(cfg);
	return cfg;
}

/* The parse must fail with this code, be about this field, and say all of `words` (NULL: anything). */
static inline void parse_fails(const char *json, int code, const char *field, const char *words)
{
	CTR__ERROR ctr_error_t *err = NULL;
	ctr_config_t *cfg = NULL;
	int r = ctr__config_parse(json, strlen(json), &cfg, &err);

	if (r == 0)
		fail_msg("accepted: %s", json);
	assert_null(cfg);
	assert_non_null(err);
	if (r != code || ctr_error_code(err) != code)
		fail_msg("code %d: %s", r, ctr_error_message(err));
	if (field && !ctr__streq(ctr_error_get(err, "field"), field))
		fail_msg("field %s: %s", ctr_error_get(err, "field"), ctr_error_message(err));
	if (words && !strstr(ctr_error_message(err), words))
		fail_msg("no \"%s\" in: %s", words, ctr_error_message(err));
	assert_null(strchr(ctr_error_message(err), '\n'));
	assert_int_equal(ctr__config_parse(json, strlen(json), &cfg, NULL), code);
}

static inline char *write_text(const ctr_config_t *cfg)
{
	struct ctr__buf text = {0};

	ctr__config_write(cfg, &text);
	assert_false(text.failed);
	return ctr__buf_steal(&text);
}

static inline bool same_list(const struct ctr__cfg_list *a, const struct ctr__cfg_list *b)
{
	bool same = a->n == b->n && !a->v[a->n] && !b->v[b->n];

	for (size_t i = 0; same && i < a->n; i++)
		same = strcmp(a->v[i], b->v[i]) == 0;
	return same;
}

static inline bool same_pairs(
    const struct ctr__cfg_pair *a, size_t na, const struct ctr__cfg_pair *b, size_t nb)
{
	bool same = na == nb;

	for (size_t i = 0; same && i < na; i++)
		same = strcmp(a[i].key, b[i].key) == 0 && strcmp(a[i].value, b[i].value) == 0;
	return same;
}

static inline bool same_field(
    const ctr_config_t *a, const ctr_config_t *b, const struct ctr__cfg_field *f)
{
	const void *x = (const char *)a + f->offset, *y = (const char *)b + f->offset;

	if (a->given[f->number] != b->given[f->number])
		return false;
	switch (f->kind) {
	case CTR__CFG_STR: return ctr__streq(*(const ctr__cfg_STR *)x, *(const ctr__cfg_STR *)y);
	case CTR__CFG_BOOL: return *(const bool *)x == *(const bool *)y;
	case CTR__CFG_NUM:
	case CTR__CFG_TIME: return *(const int64_t *)x == *(const int64_t *)y;
	case CTR__CFG_STRV: return same_list(x, y);
	case CTR__CFG_MAP: {
		const struct ctr__cfg_map *m = x, *n = y;

		return same_pairs(m->v, m->n, n->v, n->n);
	}
	case CTR__CFG_OBJ: {
		const struct ctr__cfg_text *s = x, *t = y;

		return s->len == t->len && ctr__streq(s->text, t->text);
	}
	}
	return false;
}

/* Field by field, unknown members and derived ones too. */
static inline void assert_same_config(const ctr_config_t *a, const ctr_config_t *b)
{
	for (size_t i = 0; i < ctr__cfg_fields_n; i++)
		if (!same_field(a, b, &ctr__cfg_fields[i]))
			fail_msg("%s differs", ctr__cfg_fields[i].key);
	assert_true(same_pairs(a->unknown, a->unknown_n, b->unknown, b->unknown_n));
	assert_true(ctr__streq(a->hostname, b->hostname));
	assert_string_equal(a->short_id, b->short_id);
	assert_true(same_list(&a->args, &b->args));
	assert_true(same_list(&a->env, &b->env));
	assert_true(same_list(&a->all_deps, &b->all_deps));
	assert_int_equal(a->terminal, b->terminal);
	assert_int_equal(a->root_read_only, b->root_read_only);
	assert_int_equal(a->root_uid, b->root_uid);
	assert_int_equal(a->root_gid, b->root_gid);
}

#endif
