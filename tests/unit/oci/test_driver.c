/* SPDX-License-Identifier: Apache-2.0 */
/* The driver as an object: its directories, its options, its name, what is checked before anything runs. */
#include "oci_test.h"

static void mode_is(const char *root, const char *name, mode_t mode)
{
	CTR__FREE char *path = ctr__path_join(root, name);
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	assert_int_equal(st.st_mode & 07777, mode);
}

static void test_makes_its_directories(void **state)
{
	mode_t old = umask(077);
	struct bench b;

	(void)state;
	bench_open(&b, "crun");
	umask(old);
	assert_string_equal(b.oci->name, "crun");
	mode_is(b.root, "exits", 0750);
	mode_is(b.root, "persist", 0750);
	mode_is(b.root, "oci", 0700);
	mode_is(b.root, "oci/crun", 0700);
	bench_close(&b);
}

static void refused(const char *runtime, const char *conmon, const char *root, const char *word)
{
	struct ctr__conmon_opts o = {runtime, conmon, root};
	CTR__ERROR ctr_error_t *err = NULL;
	struct ctr__oci *oci = NULL;

	assert_int_equal(ctr__conmon_new(&o, &oci, &err), CTR_E_INVALID);
	assert_null(oci);
	assert_non_null(strstr(ctr_error_message(err), word));
}

static void test_refuses_paths_that_are_not_clean(void **state)
{
	(void)state;
	refused(NULL, "/usr/bin/conmon", "/nonexistent", "runtime");
	refused("crun", "/usr/bin/conmon", "/nonexistent", "crun");
	refused("/usr/bin/../crun", "/usr/bin/conmon", "/nonexistent", "..");
	refused("/", "/usr/bin/conmon", "/nonexistent", "runtime");
	refused("/usr/bin/crun", "conmon", "/nonexistent", "conmon");
	refused("/usr/bin/crun", NULL, "run", "run root");
	refused("/usr/bin/crun", NULL, NULL, "run root");
}

static void test_says_which_directory_cannot_be_made(void **state)
{
	struct ctr__conmon_opts o = {"/usr/bin/crun", NULL, "/proc/self/nothing"};
	CTR__ERROR ctr_error_t *err = NULL;
	struct ctr__oci *oci = NULL;

	(void)state;
	assert_true(ctr__conmon_new(&o, &oci, &err) < 0);
	assert_null(oci);
	assert_non_null(strstr(ctr_error_message(err), "/proc/self/nothing"));
}

static int create(struct bench *b, ctr_error_t **err)
{
	struct ctr_oci_status out = {.size = sizeof(out)};

	return b->oci->ops.create(b->oci->impl, &b->c, &out, err);
}

static void test_missing_programs(void **state)
{
	CTR__ERROR ctr_error_t *err = NULL;
	CTR__ERROR ctr_error_t *err2 = NULL;
	struct bench b;

	(void)state;
	bench_open(&b, "my-runtime");
	assert_int_equal(create(&b, &err), CTR_E_CONMON_UNAVAILABLE);
	assert_int_equal(ctr_error_errno(err), ENOENT);
	assert_string_equal(ctr_error_get(err, "path"), b.conmon);
	put_file(b.root, "conmon", "");
	assert_int_equal(create(&b, NULL), CTR_E_CONMON_UNAVAILABLE); /* not executable */
	assert_int_equal(chmod(b.conmon, 0755), 0);
	assert_int_equal(create(&b, &err2), CTR_E_OCI_UNAVAILABLE);
	assert_non_null(strstr(ctr_error_message(err2), "my-runtime"));
	assert_string_equal(ctr_error_get(err2, "oci.runtime"), "my-runtime");
	assert_string_equal(ctr_error_get(err2, "path"), b.runtime);
	bench_close(&b);
}

static void test_bad_containers(void **state)
{
	static const char *const ids[] = {NULL, "", "..", "a/b", "-x", "a b"};
	static const char *const bundles[] = {NULL, "", "x", "/a/../b"};
	struct bench b;

	(void)state;
	bench_open(&b, "runc");
	for (size_t i = 0; i < CTR__ARRAY_SIZE(ids); i++) {
		b.c.id = ids[i];
		assert_int_equal(create(&b, NULL), CTR_E_INVALID);
		assert_int_equal(b.oci->ops.start(b.oci->impl, &b.c, NULL), CTR_E_INVALID);
		assert_int_equal(b.oci->ops.remove(b.oci->impl, &b.c, 0, NULL), CTR_E_INVALID);
	}
	b.c.id = BENCH_ID;
	for (size_t i = 0; i < CTR__ARRAY_SIZE(bundles); i++) {
		b.c.bundle = bundles[i];
		assert_int_equal(create(&b, NULL), CTR_E_INVALID);
		assert_int_equal(b.oci->ops.pause(b.oci->impl, &b.c, NULL), CTR_E_INVALID);
	}
	bench_close(&b);
}

static void test_bad_signals_and_flags(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, "runc");
	assert_int_equal(b.oci->ops.kill(b.oci->impl, &b.c, 0, 0, NULL), CTR_E_INVALID);
	assert_int_equal(b.oci->ops.kill(b.oci->impl, &b.c, 65, 0, NULL), CTR_E_INVALID);
	assert_int_equal(b.oci->ops.kill(b.oci->impl, &b.c, 15, 1 << 5, NULL), CTR_E_UNSUPPORTED);
	assert_int_equal(b.oci->ops.remove(b.oci->impl, &b.c, 1 << 5, NULL), CTR_E_UNSUPPORTED);
	bench_close(&b);
}

/* What no runtime knows needs no runtime: not even its binary. */
static void test_unknown_containers_need_no_process(void **state)
{
	struct bench b;
	struct ctr_oci_status out = {.size = sizeof(out)};

	(void)state;
	bench_open(&b, "runc");
	assert_int_equal(b.oci->ops.state(b.oci->impl, &b.c, &out, NULL), 0);
	assert_int_equal(out.status, CTR_OCI_ABSENT);
	assert_int_equal(b.oci->ops.remove(b.oci->impl, &b.c, 0, NULL), 0);
	assert_int_equal(b.oci->ops.remove(b.oci->impl, &b.c, CTR_OCI_INTERRUPTED, NULL), 0);
	bench_close(&b);
}

static void test_finds_programs(void **state)
{
	CTR__FREE char *sh = ctr__find_program("sh");

	(void)state;
	assert_non_null(sh);
	assert_int_equal(access(sh, X_OK), 0);
	assert_null(ctr__find_program("no-such-program-anywhere"));
	assert_null(ctr__find_program(""));
	assert_null(ctr__find_program(NULL));
	assert_null(ctr__find_program("../bin/sh"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_makes_its_directories),
	    cmocka_unit_test(test_refuses_paths_that_are_not_clean),
	    cmocka_unit_test(test_says_which_directory_cannot_be_made),
	    cmocka_unit_test(test_missing_programs),
	    cmocka_unit_test(test_bad_containers),
	    cmocka_unit_test(test_bad_signals_and_flags),
	    cmocka_unit_test(test_unknown_containers_need_no_process),
	    cmocka_unit_test(test_finds_programs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
