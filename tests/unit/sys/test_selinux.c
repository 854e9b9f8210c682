/* SPDX-License-Identifier: Apache-2.0 */
/* SELinux, on whatever kernel the test runs. */
#include "sys_test.h"

#include "sys/selinux.h"
#include "sys/selinux_load.h"

static bool kernel_has_it(void)
{
	return access("/sys/fs/selinux/enforce", F_OK) == 0;
}

static void enabled_as_the_kernel_says(void **state)
{
	(void)state;
	assert_int_equal(ctr__selinux_enabled(), kernel_has_it());
}

/* Also where the kernel does not have it, so that a name that the library lacks is noticed. */
static void the_library_has_what_is_used(void **state)
{
	const struct ctr__selinux_lib *lib = ctr__selinux_lib();

	(void)state;
	assert_non_null(lib);
	assert_int_equal(lib->is_enabled() == 1, kernel_has_it());
	assert_non_null(lib->contexts_path());
	assert_ptr_equal(ctr__selinux_lib(), lib);
	assert_int_equal(ctr__selinux_in_kernel(), kernel_has_it());
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

#define CONTEXTS                                                      \
	"# comment\nprocess = \"system_u:system_r:container_t:s0\"\n" \
	"content = \"system_u:object_r:virt_var_lib_t:s0\"\n"         \
	"  file=\"system_u:object_r:container_file_t:s0\"\nro_file=\"x\"\n"

static void composes(
    const char *contexts, const char *const *opts, const char *process, const char *file)
{
	CTR__FREE char *p = NULL;
	CTR__FREE char *f = NULL;

	assert_int_equal(ctr__selinux_compose(contexts, opts, 900, 7, &p, &f, NULL), 0);
	assert_string_equal(p, process);
	assert_string_equal(f, file);
}

static void labels_are_composed(void **state)
{
	(void)state;
	composes(CONTEXTS, NULL, "system_u:system_r:container_t:s0:c7,c900",
	    "system_u:object_r:container_file_t:s0:c7,c900");
	composes(CONTEXTS,
	    (const char *const[]){
	        "level:s0:c1,c2", "type:a_t", "user:u", "role:r", "type:b_t", "filetype:f_t", NULL},
	    "u:r:b_t:s0:c1,c2", "system_u:object_r:f_t:s0:c1,c2");
	/* A policy without levels, and one with a range. */
	composes("process=\"u:r:t\"\nfile=\"u:o:f\"", NULL, "u:r:t", "u:o:f");
	composes("process=\"u:r:t:s0-s0:c0.c1023\"\nfile=\"u:o:f:s0\"", NULL, "u:r:t:s0:c7,c900",
	    "u:o:f:s0:c7,c900");
}

static void bad_policies_are_refused(void **state)
{
	static const char *const bad[] = {"", "process", "process = x", "process = \"a:b\"",
	    "process=\"a:b:c\"", "process=\"a:b:c\"\nfile=\"::\"", "xprocess=\"a:b:c\""};
	char *p, *f;

	(void)state;
	for (size_t i = 0; i < CTR__ARRAY_SIZE(bad); i++) {
		CTR__ERROR ctr_error_t *err = NULL;

		assert_int_equal(
		    ctr__selinux_compose(bad[i], NULL, 1, 2, &p, &f, &err), CTR_E_SYSTEM);
		assert_null(p);
		assert_null(f);
	}
}

static void label_options_are_checked(void **state)
{
	static const char *const bad[] = {"", "typ:x", "type", "type:", "type:a b", "type:a:b",
	    "level:\n", "disable:x", "user:\"", "\xff"};
	static const char *const good[] = {
	    "disable", "nested", "type:a_t", "level:s0-s0:c1.c5,c9", "filetype:f", NULL};
	char *p, *f;

	(void)state;
	assert_int_equal(ctr__selinux_check_opts(good, NULL), 0);
	assert_int_equal(ctr__selinux_check_opts(NULL, NULL), 0);
	assert_true(ctr__selinux_opts_disable(good));
	assert_false(ctr__selinux_opts_disable(NULL));
	for (size_t i = 0; i < CTR__ARRAY_SIZE(bad); i++) {
		CTR__ERROR ctr_error_t *err = NULL;
		const char *const opts[] = {"nested", bad[i], NULL};

		assert_int_equal(ctr__selinux_new_labels(opts, &p, &f, &err), CTR_E_INVALID);
		assert_string_equal(ctr_error_get(err, "field"), "labelopts");
	}
}

static void no_labels_without_it(void **state)
{
	char *p, *f;

	(void)state;
	assert_int_equal(ctr__selinux_new_labels(NULL, &p, &f, NULL), 0);
	if (!kernel_has_it()) {
		assert_null(p);
		assert_null(f);
	}
	free(p);
	free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(enabled_as_the_kernel_says),
	    cmocka_unit_test(the_library_has_what_is_used),
	    cmocka_unit_test(labels_are_checked_with_it_only),
	    cmocka_unit_test(labelling),
	    cmocka_unit_test(labels_are_composed),
	    cmocka_unit_test(bad_policies_are_refused),
	    cmocka_unit_test(label_options_are_checked),
	    cmocka_unit_test(no_labels_without_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
