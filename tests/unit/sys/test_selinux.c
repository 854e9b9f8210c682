/* SPDX-License-Identifier: Apache-2.0 */
/* SELinux, on whatever kernel the test runs. */
#include "sys_test.h"

#include "sys/selinux.h"

static bool kernel_has_it(void)
{
	return access("/sys/fs/selinux/enforce", F_OK) == 0;
}

static void enabled_as_the_kernel_says(void **state)
{
	(void)state;
	assert_int_equal(ctr__selinux_enabled(), kernel_has_it());
}

static void labels_are_checked_with_it_only(void **state)
{
	(void)state;
	assert_int_equal(ctr__selinux_label_valid("not a label"), !kernel_has_it());
	assert_int_equal(ctr__selinux_label_valid(NULL), !kernel_has_it());
}

static void labelling(void **state)
{
	CTR__ERROR ctr_error_t *err = NULL;
	int want = kernel_has_it() ? CTR_E_SYSTEM : 0;

	(void)state;
	assert_int_equal(ctr__selinux_label_path("/nonexistent", "a:b:c:s0", &err), want);
	if (want)
		assert_string_equal(ctr_error_get(err, "path"), "/nonexistent");
	/* No label is nothing to be done. */
	assert_int_equal(ctr__selinux_label_path("/nonexistent", NULL, NULL), 0);
	assert_int_equal(ctr__selinux_label_path("/nonexistent", "", NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(enabled_as_the_kernel_says),
	    cmocka_unit_test(labels_are_checked_with_it_only),
	    cmocka_unit_test(labelling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
