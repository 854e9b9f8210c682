/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the generation share: one run of it. */
#ifndef LIBCTR_TESTS_GEN_TEST_H
#define LIBCTR_TESTS_GEN_TEST_H

#include "spec_test.h"

#include "spec/spec.h"

#define PROCESS    "'ociVersion':'1.0.2','process':{'args':['x']}"
#define AT(d, ...) ctr__json_path((d)->root, __VA_ARGS__, NULL)

/* One generation: a configuration made by hand, since only a few of its members are looked at. */
struct run {
	struct ctr_config cfg;
	struct ctr__spec_facts facts;
	struct ctr__spec_result result;
	struct ctr__json_doc *doc; /* what was generated */
	char *spec;
};

static inline void set_spec(struct run *r, const char *text)
{
	free(r->spec);
	r->spec = strdup(text);
	assert_non_null(r->spec);
	for (char *p = r->spec; *p; p++)
		*p = *p == '\'' ? '"' : *p;
	r->cfg.spec.text = r->spec;
	r->cfg.spec.len = strlen(r->spec);
}

static inline int set_up(void **state)
{
	struct run *r = test_calloc(1, sizeof(*r));

	r->facts.root_path = "/mnt/root";
	set_spec(r, "{" PROCESS "}");
	*state = r;
	return 0;
}

static inline int tear_down(void **state)
{
	struct run *r = *state;

	ctr__json_doc_free(r->doc);
	free(r->spec);
	test_free(r);
	return 0;
}

static inline void generate(struct run *r)
{
	CTR__BUF struct ctr__buf out = {0};

	ctr__json_doc_free(r->doc);
	r->doc = NULL;
	ctr__buf_adds(&out, "before");
	assert_int_equal(ctr__spec_generate(&r->cfg, &r->facts, &out, &r->result, NULL), 0);
	assert_int_equal(memcmp(out.data, "before", 6), 0);
	assert_int_equal(ctr__json_parse(out.data + 6, out.len - 6, "out", &r->doc, NULL), 0);
}

#endif
