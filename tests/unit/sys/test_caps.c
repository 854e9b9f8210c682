/* SPDX-License-Identifier: Apache-2.0 */
/* Capabilities. */
#include "sys_test.h"

#include <sys/prctl.h>
#include <linux/capability.h>

#include "sys/caps.h"

static void names_are_normalized(void **state)
{
	static const char *const cases[][2] = {{"net_admin", "CAP_NET_ADMIN"},
	    {"CAP_NET_ADMIN", "CAP_NET_ADMIN"}, {"Cap_Chown", "CAP_CHOWN"}, {"KILL", "CAP_KILL"},
	    {"checkpoint_restore", "CAP_CHECKPOINT_RESTORE"}, {"all", "ALL"}, {"ALL", "ALL"}};

	(void)state;
	for (size_t i = 0; i < CTR__ARRAY_SIZE(cases); i++) {
		CTR__FREE char *got = NULL;

		assert_int_equal(ctr__cap_normalize(cases[i][0], &got, NULL), 0);
		assert_string_equal(got, cases[i][1]);
	}
}

static void other_names_are_refused(void **state)
{
	static const char *const bad[] = {"", "nothing", "CAP_", "CAP_CAP_KILL", "CAP_ALL", "5",
	    "CAP_5", "kill ", " kill", "kill+ep", "cap_kill=ep", "kill,chown", "k\xc4\xb1ll",
	    "cap_chown_and_a_very_long_tail_that_goes_on_and_on_and_on_for_more_than_any_name"};
	CTR__ERROR ctr_error_t *err = NULL;
	char *got = NULL;

	(void)state;
	for (size_t i = 0; i < CTR__ARRAY_SIZE(bad); i++) {
		assert_int_equal(ctr__cap_normalize(bad[i], &got, &err), CTR_E_INVALID);
		assert_non_null(strstr(ctr_error_message(err), bad[i]));
	}
	assert_int_equal(ctr__cap_normalize(NULL, &got, &err), CTR_E_INVALID);
	assert_null(got);
}

static void defaults_are_known_and_sorted_names(void **state)
{
	const char *const *v = ctr__caps_default();

	(void)state;
	assert_int_equal(ctr__strv_len(v), 11);
	assert_true(ctr__strv_has(v, "CAP_SETUID"));
	assert_false(ctr__strv_has(v, "CAP_SYS_ADMIN"));
	for (size_t i = 0; v[i]; i++) {
		CTR__FREE char *same = NULL;

		assert_int_equal(ctr__cap_normalize(v[i], &same, NULL), 0);
		assert_string_equal(same, v[i]);
		if (i > 0)
			assert_true(strcmp(v[i - 1], v[i]) < 0);
	}
}

static void all_is_the_bounding_set(void **state)
{
	CTR__STRV char **all = NULL;
	size_t in_set = 0;
	int rc;

	(void)state;
	assert_int_equal(ctr__caps_all(&all, NULL), 0);
	for (int cap = 0; (rc = prctl(PR_CAPBSET_READ, cap)) >= 0; cap++)
		in_set += rc == 1 && cap <= CAP_LAST_CAP;
	assert_in_range(
	    ctr__strv_len((const char *const *)all), in_set > 2 ? in_set - 2 : 0, in_set + 8);
	assert_int_equal(ctr__strv_has((const char *const *)all, "CAP_CHOWN"),
	    prctl(PR_CAPBSET_READ, CAP_CHOWN) == 1);
	for (size_t i = 0; all[i]; i++)
		assert_true(ctr__starts_with(all[i], "CAP_"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_are_normalized),
	    cmocka_unit_test(other_names_are_refused),
	    cmocka_unit_test(defaults_are_known_and_sorted_names),
	    cmocka_unit_test(all_is_the_bounding_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
