/* SPDX-License-Identifier: Apache-2.0 */
/* Storage drivers: copying and checking tables, as an outside author would hand them over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "storage/storage.h"
#include "util/cleanup.h"

static int fake_mount(void *impl, const struct ctr_storage_container *c, char *path,
    size_t path_size, ctr_error_t **err)
{
	(void)c;
	(void)err;
	if (path_size < 2)
		return CTR_E_STORAGE;
	memcpy(path, "/", 2);
	++*(int *)impl;
	return 0;
}

static int fake_unmount(void *impl, const struct ctr_storage_container *c, ctr_error_t **err)
{
	(void)c;
	(void)err;
	--*(int *)impl;
	return 0;
}

static void count_destroy(void *impl)
{
	*(int *)impl += 100;
}

static struct ctr_storage_ops good_ops(void)
{
	return (struct ctr_storage_ops){.size = sizeof(struct ctr_storage_ops),
	    .name = "fake-1",
	    .mount = fake_mount,
	    .unmount = fake_unmount};
}

static void assert_refused(const struct ctr_storage_ops *ops, int code)
{
	struct ctr__storage *s = NULL;
	CTR__ERROR ctr_error_t *e = NULL;
	int impl = 0;

	assert_int_equal(ctr__storage_new(ops, &impl, count_destroy, &s, &e), code);
	assert_int_equal(ctr_error_code(e), code);
	assert_null(s);
	assert_int_equal(impl, 0); /* not destroyed: it stays the caller's */
	assert_int_equal(ctr__storage_new(ops, &impl, count_destroy, &s, NULL), code);
}

static void test_table_is_copied(void **state)
{
	char name[] = "fake-1", path[4096];
	struct ctr_storage_ops ops = good_ops();
	struct ctr__storage *s = NULL;
	int impl = 0;

	(void)state;
	ops.name = name;
	assert_int_equal(ctr__storage_new(&ops, &impl, count_destroy, &s, NULL), 0);
	memset(name, 'x', sizeof(name) - 1);
	memset(&ops, 0xff, sizeof(ops));
	assert_string_equal(s->name, "fake-1");
	assert_string_equal(s->ops.name, "fake-1");
	assert_null(s->ops.usage);
	assert_int_equal(s->ops.mount(s->impl, NULL, path, sizeof(path), NULL), 0);
	assert_int_equal(impl, 1);
	ctr__storage_free(s);
	assert_int_equal(impl, 101);
	ctr__storage_free(NULL);
}

static void test_no_destroy(void **state)
{
	struct ctr_storage_ops ops = good_ops();
	struct ctr__storage *s = NULL;

	(void)state;
	assert_int_equal(ctr__storage_new(&ops, NULL, NULL, &s, NULL), 0);
	ctr__storage_free(s);
}

/* A driver built with an older header, without the operations after "unmount". */
static void test_shorter_table(void **state)
{
	const size_t size = offsetof(struct ctr_storage_ops, remove);
	struct ctr_storage_ops ops = good_ops();
	struct ctr__storage *s = NULL;

	(void)state;
	ops.size = size;
	/* exactly as much memory as it says, so that a checker sees a read behind it */
	CTR__FREE struct ctr_storage_ops *old = malloc(size);
	assert_non_null(old);
	memcpy((void *)old, &ops, size);
	assert_int_equal(ctr__storage_new(old, NULL, NULL, &s, NULL), 0);
	assert_null(s->ops.remove);
	assert_null(s->ops.usage);
	assert_int_equal(s->ops.size, sizeof(s->ops));
	ctr__storage_free(s);
}

static void test_longer_table(void **state)
{
	struct {
		struct ctr_storage_ops ops;
		void *later;
	} newer = {.ops = good_ops()};
	struct ctr__storage *s = NULL;

	(void)state;
	newer.ops.size = sizeof(newer);
	assert_int_equal(ctr__storage_new(&newer.ops, NULL, NULL, &s, NULL), 0);
	ctr__storage_free(s);
	newer.later = &newer;
	assert_refused(&newer.ops, CTR_E_UNSUPPORTED);
}

static void test_bad_sizes(void **state)
{
	const size_t sizes[] = {0, 1, sizeof(size_t) - 1, sizeof(size_t), sizeof(void *) * 3 + 1,
	    offsetof(struct ctr_storage_ops, unmount), SIZE_MAX, (size_t)1 << 20};

	(void)state;
	for (size_t i = 0; i < CTR__ARRAY_SIZE(sizes); i++) {
		struct ctr_storage_ops ops = good_ops();

		ops.size = sizes[i];
		assert_refused(&ops, CTR_E_INVALID);
	}
	assert_refused(NULL, CTR_E_INVALID);
}

static void test_bad_names(void **state)
{
	static const char *const names[] = {NULL, "", "-x", "a/b", "..", "a b", "a\n"};

	(void)state;
	for (size_t i = 0; i < CTR__ARRAY_SIZE(names); i++) {
		struct ctr_storage_ops ops = good_ops();

		ops.name = names[i];
		assert_refused(&ops, CTR_E_INVALID);
	}
}

static void test_missing_operations(void **state)
{
	struct ctr_storage_ops no_mount = good_ops(), no_unmount = good_ops();

	(void)state;
	no_mount.mount = NULL;
	no_unmount.unmount = NULL;
	assert_refused(&no_mount, CTR_E_INVALID);
	assert_refused(&no_unmount, CTR_E_INVALID);
}

static void test_unknown_capabilities(void **state)
{
	struct ctr_storage_ops ops = good_ops();

	(void)state;
	ops.caps = UINT64_C(1) << 63;
	assert_refused(&ops, CTR_E_UNSUPPORTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_table_is_copied),
	    cmocka_unit_test(test_no_destroy),
	    cmocka_unit_test(test_shorter_table),
	    cmocka_unit_test(test_longer_table),
	    cmocka_unit_test(test_bad_sizes),
	    cmocka_unit_test(test_bad_names),
	    cmocka_unit_test(test_missing_operations),
	    cmocka_unit_test(test_unknown_capabilities),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
