/* SPDX-License-Identifier: Apache-2.0 */
/* The table of fields, and the life of a snapshot. */
#include "config_test.h"

#include <pthread.h>

static void test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < ctr__cfg_fields_n; i++) {
		const struct ctr__cfg_field *f = &ctr__cfg_fields[i];

		assert_ptr_equal(ctr__cfg_field_by_number(f->number), f);
		assert_in_range(f->number, 1, 127);
		assert_true(f->offset < sizeof(struct ctr_config));
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(ctr__cfg_fields[k].key, f->key);
	}
	assert_null(ctr__cfg_field_by_number(0));
	assert_null(ctr__cfg_field_by_number(-1));
	assert_null(ctr__cfg_field_by_number(CTR_SPEC_ENV));
	assert_string_equal(ctr__cfg_field_by_number(CTR_CONFIG_ROOTFS)->name, "ROOTFS");
	assert_string_equal(ctr__cfg_alias_of("mounts"), "Mounts");
	assert_string_equal(ctr__cfg_key_of_alias("newPortMappings"), "portMappings");
	assert_null(ctr__cfg_alias_of("id"));
	assert_null(ctr__cfg_key_of_alias("mounts"));
}

static void test_counting(void **state)
{
	(void)state;
	ctr_config_t *cfg = parse_ok(SMALLEST);

	assert_ptr_equal(ctr__config_ref(cfg), cfg);
	assert_null(ctr__config_unref(cfg));
	assert_string_equal(cfg->rootfs, "/srv/root"); /* still there */
	ctr__config_unrefp(&cfg);
	assert_null(cfg);
	ctr__config_unrefp(&cfg);
	assert_null(ctr__config_ref(NULL));
	assert_null(ctr__config_unref(NULL));
}

static void *count_up_and_down(void *arg)
{
	ctr_config_t *cfg = arg;

	for (int i = 0; i < 10000; i++) {
		ctr__config_ref(cfg);
		ctr__config_unref(cfg);
	}
	return ctr__config_unref(cfg);
}

static void test_counting_in_threads(void **state)
{
	ctr_config_t *cfg = parse_ok(SMALLEST);
	pthread_t threads[4];

	(void)state;
	for (size_t i = 0; i < CTR__ARRAY_SIZE(threads); i++)
		assert_int_equal(
		    pthread_create(&threads[i], NULL, count_up_and_down, ctr__config_ref(cfg)), 0);
	for (size_t i = 0; i < CTR__ARRAY_SIZE(threads); i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(atomic_load(&cfg->refs), 1);
	ctr__config_unref(cfg);
}

static void test_show(void **state)
{
	char many[400];

	(void)state;
	assert_string_equal(CTR__CFG_SHOW("a\nb\x7f"), "\"a?b?\"");
	assert_string_equal(CTR__CFG_SHOW(""), "\"\"");
	/* two-byte characters, one byte off: the cut must not split one */
	for (size_t i = 0; i < 2; i++) {
		memset(many, 'x', sizeof(many));
		for (size_t k = i; k + 2 < sizeof(many); k += 2)
			memcpy(many + k, "\xc3\xa9", 2);
		many[sizeof(many) - 1] = '\0';
		const char *shown = CTR__CFG_SHOW(many);

		assert_true(strlen(shown) < sizeof(struct ctr__cfg_shown));
		assert_true(ctr__utf8_valid(shown, strlen(shown)));
		assert_string_equal(shown + strlen(shown) - 4, "...\"");
	}
}

static void test_long_values_in_messages(void **state)
{
	(void)state;
	CTR__FREE char *value = malloc(100001);

	memset(value, 'x', 100000);
	value[100000] = '\0';
	CTR__FREE char *json = ctr__format(WITH("\"rootfsImageID\":\"%s\""), value);

	parse_fails(json, CTR_E_INVALID, "rootfsImageName", "...\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_table),
	    cmocka_unit_test(test_counting),
	    cmocka_unit_test(test_counting_in_threads),
	    cmocka_unit_test(test_show),
	    cmocka_unit_test(test_long_values_in_messages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
