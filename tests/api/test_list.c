/* SPDX-License-Identifier: Apache-2.0 */
/* Listing and finding. */
#include "fixture.h"

#include <stdlib.h>
#include <string.h>

static ctr_container_t *labelled(
    struct fixture *f, const char *name, const char *key, const char *value)
{
	ctr_config_t *cfg = fixture_config(f, name), *own = NULL;
	ctr_config_builder_t *b = ctr_config_builder_new_from(cfg);
	ctr_container_t *c = NULL;

	OK(ctr_config_builder_set_map(b, CTR_CONFIG_LABELS, key, value, err));
	OK(ctr_config_builder_build(b, &own, err));
	OK(ctr_container_create(f->rt, own, 0, &c, err));
	ctr_config_builder_free(b);
	ctr_config_unref(cfg);
	ctr_config_unref(own);
	return c;
}

/* Names of the containers that match, in the order of the names: "a b". */
static void assert_list(struct fixture *f, const char *const *filters, const char *expected)
{
	static const char *const all[] = {"alpha", "beta", "gamma"};
	char text[256] = "";
	ctr_list_t *list = NULL;

	OK(ctr_runtime_list(f->rt, filters, 0, &list, err));
	for (size_t n = 0; n < 3; n++) {
		for (size_t i = 0; i < ctr_list_count(list); i++) {
			if (strcmp(ctr_list_name(list, i), all[n]) == 0) {
				strcat(text, text[0] ? " " : "");
				strcat(text, all[n]);
			}
		}
	}
	assert_string_equal(text, expected);
	ctr_list_free(list);
}

#define FILTERS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void test_filters(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *a = labelled(f, "alpha", "tier", "web");
	ctr_container_t *b = labelled(f, "beta", "tier", "db");
	ctr_container_t *c = fixture_create(f, "gamma");
	char id[80];

	OK(ctr_container_start(b, 0, err));
	assert_list(f, NULL, "alpha beta gamma");
	assert_list(f, FILTERS("name=a"), "alpha beta gamma");
	assert_list(f, FILTERS("name=et", "name=mm"), "beta gamma");
	assert_list(f, FILTERS("state=running"), "beta");
	assert_list(f, FILTERS("state=created"), "alpha gamma");
	assert_list(f, FILTERS("state=running", "state=configured"), "alpha beta gamma");
	assert_list(f, FILTERS("label=tier"), "alpha beta");
	assert_list(f, FILTERS("label=tier=db"), "beta");
	assert_list(f, FILTERS("label=tier=d"), "");
	assert_list(f, FILTERS("label=tier", "state=created"), "alpha");
	strcpy(id, "id=");
	strncat(id, ctr_container_id(c), 12);
	assert_list(f, FILTERS(id), "gamma");
	assert_list(f, FILTERS("name=nothing"), "");
	FAILS(CTR_E_INVALID,
	    ctr_runtime_list(f->rt, FILTERS("colour=red"), 0, &(ctr_list_t *){NULL}, err));
	FAILS(CTR_E_INVALID,
	    ctr_runtime_list(f->rt, FILTERS("state=tired"), 0, &(ctr_list_t *){NULL}, err));
	FAILS(
	    CTR_E_INVALID, ctr_runtime_list(f->rt, FILTERS("name"), 0, &(ctr_list_t *){NULL}, err));
	FAILS(CTR_E_UNSUPPORTED, ctr_runtime_list(f->rt, NULL, 1, &(ctr_list_t *){NULL}, err));
	ctr_container_unref(a);
	ctr_container_unref(b);
	ctr_container_unref(c);
}

static void test_fields(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_in_state(f, CTR_STATE_STOPPED);
	ctr_config_t *cfg = ctr_container_config(c);
	ctr_list_t *list = NULL;

	OK(ctr_runtime_list(f->rt, NULL, 0, &list, err));
	assert_int_equal(ctr_list_count(list), 1);
	assert_string_equal(ctr_list_id(list, 0), ctr_container_id(c));
	assert_string_equal(ctr_list_name(list, 0), ctr_config_name(cfg));
	assert_string_equal(ctr_list_image(list, 0), f->rootfs);
	assert_string_equal(ctr_list_command(list, 0), "/bin/true");
	assert_int_equal(ctr_list_state(list, 0), CTR_STATE_STOPPED);
	assert_int_equal(ctr_list_exit_code(list, 0), 137);
	assert_true(ctr_list_created_ns(list, 0) == ctr_config_created_ns(cfg));
	assert_true(ctr_list_started_ns(list, 0) >= ctr_list_created_ns(list, 0));
	assert_true(ctr_list_finished_ns(list, 0) >= ctr_list_started_ns(list, 0));
	assert_null(ctr_list_id(list, 1));
	assert_int_equal(ctr_list_state(list, 1), 0);
	ctr_list_free(list);
	ctr_config_unref(cfg);
	ctr_container_unref(c);
}

static void test_lookup(void **state)
{
	struct fixture *f = *state;
	ctr_config_t *cfg = fixture_config(f, NULL);
	static const char *const ids[] = {"abc111", "abc222", "def"};
	ctr_container_t *c = NULL;
	ctr_error_t *e = NULL;

	for (size_t i = 0; i < 3; i++) {
		ctr_config_builder_t *b = ctr_config_builder_new_from(cfg);
		ctr_config_t *own = NULL;

		OK(ctr_config_builder_set_str(b, CTR_CONFIG_ID, ids[i], err));
		OK(ctr_config_builder_set_str(
		    b, CTR_CONFIG_NAME, i == 2 ? "abc" : ids[i] + 1, err));
		OK(ctr_config_builder_build(b, &own, err));
		OK(ctr_container_create(f->rt, own, 0, NULL, err));
		/* A second one of that ID or name is refused, without a trace. */
		FAILS(CTR_E_CTR_EXISTS, ctr_container_create(f->rt, own, 0, NULL, err));
		ctr_config_builder_free(b);
		ctr_config_unref(own);
	}
	/* A name wins over prefixes. */
	OK(ctr_container_lookup(f->rt, "abc", &c, err));
	assert_string_equal(ctr_container_id(c), "def");
	ctr_container_unref(c);
	OK(ctr_container_lookup(f->rt, "abc2", &c, err));
	assert_string_equal(ctr_container_id(c), "abc222");
	ctr_container_unref(c);
	assert_int_equal(ctr_container_lookup(f->rt, "ab", &c, &e), CTR_E_CTR_EXISTS);
	assert_non_null(strstr(ctr_error_get(e, "candidates"), "abc111"));
	assert_non_null(strstr(ctr_error_get(e, "candidates"), "abc222"));
	ctr_error_free(e);
	FAILS(CTR_E_NO_SUCH_CTR, ctr_container_lookup(f->rt, "abd", &c, err));
	FAILS(CTR_E_NO_SUCH_CTR, ctr_container_lookup(f->rt, "a%", &c, err));
	FAILS(CTR_E_NO_SUCH_CTR, ctr_container_get(f->rt, "abc2", &c, err));
	assert_int_equal(ctr_container_exists(f->rt, "abc222", NULL), 1);
	assert_int_equal(ctr_container_exists(f->rt, "abc2", NULL), 0);
	ctr_config_unref(cfg);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_filters),
	    TEST(test_fields),
	    TEST(test_lookup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
