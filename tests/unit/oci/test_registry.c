/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of operations: what is accepted, what is copied, who frees. */
#include "oci_test.h"

static int any_create(
    void *impl, const struct ctr_oci_container *c, struct ctr_oci_status *out, ctr_error_t **err)
{
	(void)impl;
	(void)c;
	(void)out;
	(void)err;
	return 0;
}

static int any_op(void *impl, const struct ctr_oci_container *c, ctr_error_t **err)
{
	(void)impl;
	(void)c;
	(void)err;
	return 0;
}

static int any_kill(
    void *impl, const struct ctr_oci_container *c, int32_t sig, uint64_t flags, ctr_error_t **err)
{
	(void)impl;
	(void)c;
	(void)sig;
	(void)flags;
	(void)err;
	return 0;
}

static int any_remove(
    void *impl, const struct ctr_oci_container *c, uint64_t flags, ctr_error_t **err)
{
	(void)impl;
	(void)c;
	(void)flags;
	(void)err;
	return 0;
}

static struct ctr_oci_ops full_table(void)
{
	struct ctr_oci_ops ops = {
	    .size = sizeof(ops),
	    .name = "fake",
	    .create = any_create,
	    .start = any_op,
	    .state = any_create,
	    .kill = any_kill,
	    .remove = any_remove,
	};

	return ops;
}

static int destroyed;

static void count_destroy(void *impl)
{
	*(int *)impl += 1;
}

static void refused(const struct ctr_oci_ops *ops, int code, const char *word)
{
	CTR__ERROR ctr_error_t *err = NULL;
	struct ctr__oci *o = NULL;

	destroyed = 0;
	assert_int_equal(ctr__oci_new(ops, &destroyed, count_destroy, &o, &err), code);
	assert_null(o);
	assert_non_null(strstr(ctr_error_message(err), word));
	assert_int_equal(destroyed, 0);
	assert_int_equal(ctr__oci_new(ops, NULL, NULL, &o, NULL), code);
}

static void test_copies_the_table(void **state)
{
	char name[] = "fake";
	struct ctr_oci_ops ops = full_table();
	struct ctr__oci *o = NULL;

	(void)state;
	destroyed = 0;
	ops.name = name;
	assert_int_equal(ctr__oci_new(&ops, &destroyed, count_destroy, &o, NULL), 0);
	memset(&ops, 0xff, sizeof(ops));
	name[0] = 'X';
	assert_string_equal(o->name, "fake");
	assert_string_equal(o->ops.name, "fake");
	assert_ptr_equal(o->ops.create, any_create);
	assert_null(o->ops.pause);
	ctr__oci_free(o);
	assert_int_equal(destroyed, 1);
	ctr__oci_free(NULL);
}

static void test_fills_up_a_shorter_table(void **state)
{
	struct ctr_oci_ops ops = full_table();
	struct ctr__oci *o = NULL;

	(void)state;
	ops.size = offsetof(struct ctr_oci_ops, pause);
	ops.pause = any_op; /* behind its end: not read */
	assert_int_equal(ctr__oci_new(&ops, NULL, NULL, &o, NULL), 0);
	assert_null(o->ops.pause);
	assert_int_equal(o->ops.size, sizeof(ops));
	ctr__oci_free(o);
}

static void test_refuses_a_table_too_short(void **state)
{
	struct ctr_oci_ops ops = full_table();

	(void)state;
	ops.size = offsetof(struct ctr_oci_ops, remove);
	refused(&ops, CTR_E_INVALID, "size");
	ops.size = 0;
	refused(&ops, CTR_E_INVALID, "size");
	refused(NULL, CTR_E_INVALID, "table");
}

static void test_accepts_a_longer_table_only_if_the_rest_is_zero(void **state)
{
	struct {
		struct ctr_oci_ops ops;
		void *newer[2];
	} t = {full_table(), {NULL, NULL}};
	struct ctr__oci *o = NULL;

	(void)state;
	t.ops.size = sizeof(t);
	assert_int_equal(ctr__oci_new(&t.ops, NULL, NULL, &o, NULL), 0);
	ctr__oci_free(o);
	t.newer[1] = &t;
	refused(&t.ops, CTR_E_UNSUPPORTED, "operations");
}

static void test_names_the_missing_operation(void **state)
{
	struct ctr_oci_ops ops;

	(void)state;
	ops = full_table();
	ops.create = NULL;
	refused(&ops, CTR_E_INVALID, "create");
	ops = full_table();
	ops.start = NULL;
	refused(&ops, CTR_E_INVALID, "start");
	ops = full_table();
	ops.state = NULL;
	refused(&ops, CTR_E_INVALID, "state");
	ops = full_table();
	ops.kill = NULL;
	refused(&ops, CTR_E_INVALID, "kill");
	ops = full_table();
	ops.remove = NULL;
	refused(&ops, CTR_E_INVALID, "remove");
}

static void test_refuses_bad_names_and_unknown_caps(void **state)
{
	struct ctr_oci_ops ops = full_table();

	(void)state;
	ops.name = NULL;
	refused(&ops, CTR_E_INVALID, "name");
	ops.name = "";
	refused(&ops, CTR_E_INVALID, "name");
	ops.name = "../x";
	refused(&ops, CTR_E_INVALID, "../x");
	ops = full_table();
	ops.caps = UINT64_C(1) << 63;
	refused(&ops, CTR_E_UNSUPPORTED, "0x8000000000000000");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_copies_the_table),
	    cmocka_unit_test(test_fills_up_a_shorter_table),
	    cmocka_unit_test(test_refuses_a_table_too_short),
	    cmocka_unit_test(test_accepts_a_longer_table_only_if_the_rest_is_zero),
	    cmocka_unit_test(test_names_the_missing_operation),
	    cmocka_unit_test(test_refuses_bad_names_and_unknown_caps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
