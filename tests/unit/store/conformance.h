/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the contract for a state store share. */
#ifndef LIBCTR_TESTS_CONFORMANCE_H
#define LIBCTR_TESTS_CONFORMANCE_H

#include "store_test.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define C "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
#define D "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"

/* The stored configuration says this ID and name. */
static inline void get(struct fx *f, const char *id, const char *name)
{
	CTR__BUF struct ctr__buf json = {0};
	CFG ctr_config_t *cfg = NULL;
	uint32_t slot;
	uint64_t gen;

	OK(ctr__store_get_config(f->s, id, &json, &slot, &gen, err));
	OK(ctr__config_parse(json.data, json.len, &cfg, err));
	assert_string_equal(cfg->id, id);
	assert_string_equal(cfg->name, name);
}

static inline int try_get(struct fx *f, const char *id, ctr_error_t **err)
{
	CTR__BUF struct ctr__buf json = {0};
	uint32_t slot;
	uint64_t gen;

	return ctr__store_get_config(f->s, id, &json, &slot, &gen, err);
}

static inline void lookup(struct fx *f, const char *text, const char *id)
{
	char found[CTR__ID_MAX + 1];

	OK(ctr__store_lookup(f->s, text, found, err));
	assert_string_equal(found, id);
}

static inline int try_lookup(struct fx *f, const char *text, ctr_error_t **err)
{
	char found[CTR__ID_MAX + 1];

	return ctr__store_lookup(f->s, text, found, err);
}

static inline int add_to_list(const char *id, void *userdata)
{
	struct ctr__buf *list = userdata;

	ctr__buf_addf(list, "%s ", id);
	return 0;
}

static inline void all_are(struct fx *f, const char *ids)
{
	CTR__BUF struct ctr__buf list = {0};

	OK(ctr__store_each(f->s, add_to_list, &list, err));
	assert_string_equal(list.len ? list.data : "", ids);
	check_consistent(f);
}

static inline void dependents_are(struct fx *f, const char *id, const char *ids)
{
	CTR__STRV char **list = NULL;
	CTR__BUF struct ctr__buf text = {0};

	OK(ctr__store_dependents(f->s, id, &list, err));
	for (char **p = list; *p; p++)
		ctr__buf_addf(&text, "%s ", *p);
	assert_string_equal(text.len ? text.data : "", ids);
}

static inline int try_dependents(struct fx *f, const char *id, ctr_error_t **err)
{
	CTR__STRV char **list = NULL;

	return ctr__store_dependents(f->s, id, &list, err);
}

static inline int try_remove(struct fx *f, const char *id, ctr_error_t **err)
{
	return ctr__store_remove(f->s, id, NULL, err);
}

#define DEPENDS(id)    ",\"Dependencies\":[\"" id "\"]"
#define JOINS(key, id) ",\"" key "\":\"" id "\""

#endif
