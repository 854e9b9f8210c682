/* SPDX-License-Identifier: Apache-2.0 */
/* The capabilities of a default spec. */
#include "spec_test.h"

#include "spec/capset.h"
#include "sys/caps.h"

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

/* A host that cannot give CAP_SYS_RESOURCE and CAP_SETPCAP. */
static const char *const host[] = {"CAP_CHOWN", "CAP_KILL", "CAP_NET_ADMIN", NULL};

/* The set that comes out, joined by blanks. */
static void assert_set(const struct ctr__spec_wish *w, const char *expected)
{
	CTR__BUF struct ctr__buf b = {0};
	CTR__STRV char **set = NULL;

	assert_int_equal(ctr__capset(w, host, &set, NULL), 0);
	for (char **c = set; c && *c; c++)
		ctr__buf_addf(&b, "%s%s", c == set ? "" : " ", *c);
	assert_string_equal(b.data ? b.data : "", expected);
}

static void test_defaults_that_the_host_has(void **state)
{
	(void)state;
	assert_set(&(struct ctr__spec_wish){0}, "CAP_CHOWN CAP_KILL");
}

static void test_all_defaults(void **state)
{
	CTR__STRV char **set = NULL;
	const char *const *defaults = ctr__caps_default();

	(void)state;
	assert_int_equal(ctr__capset(&(struct ctr__spec_wish){0}, defaults, &set, NULL), 0);
	assert_int_equal(ctr__strv_len((const char *const *)set), ctr__strv_len(defaults));
	assert_false(ctr__strv_has((const char *const *)set, "CAP_SYS_ADMIN"));
}

static void test_add_and_drop(void **state)
{
	(void)state;
	assert_set(&(struct ctr__spec_wish){.cap_add = LIST("net_admin", "CAP_NET_ADMIN", "kill")},
	    "CAP_CHOWN CAP_KILL CAP_NET_ADMIN");
	assert_set(&(struct ctr__spec_wish){.cap_drop = LIST("chown", "sys_boot")}, "CAP_KILL");
	/* asked for by name: the runtime says that it cannot be had */
	assert_set(&(struct ctr__spec_wish){.cap_add = LIST("sys_resource")},
	    "CAP_CHOWN CAP_KILL CAP_SYS_RESOURCE");
}

static void test_all(void **state)
{
	(void)state;
	assert_set(
	    &(struct ctr__spec_wish){.cap_add = LIST("all")}, "CAP_CHOWN CAP_KILL CAP_NET_ADMIN");
	assert_set(&(struct ctr__spec_wish){.cap_add = LIST("ALL"), .cap_drop = LIST("kill")},
	    "CAP_CHOWN CAP_NET_ADMIN");
	assert_set(&(struct ctr__spec_wish){.cap_drop = LIST("ALL")}, "");
	assert_set(
	    &(struct ctr__spec_wish){.cap_drop = LIST("ALL"), .cap_add = LIST("kill")}, "CAP_KILL");
}

static void test_privileged(void **state)
{
	(void)state;
	assert_set(
	    &(struct ctr__spec_wish){.privileged = true}, "CAP_CHOWN CAP_KILL CAP_NET_ADMIN");
	assert_set(&(struct ctr__spec_wish){.privileged = true, .cap_drop = LIST("net_admin")},
	    "CAP_CHOWN CAP_KILL");
	assert_set(&(struct ctr__spec_wish){.privileged = true, .cap_drop = LIST("all")}, "");
}

static void test_errors(void **state)
{
	CTR__STRV char **set = NULL;
	const struct ctr__spec_wish unknown = {.cap_add = LIST("flying")};
	const struct ctr__spec_wish unknown_drop = {.cap_drop = LIST("kill", "")};
	const struct ctr__spec_wish both = {.cap_add = LIST("kill"), .cap_drop = LIST("CAP_KILL")};

	(void)state;
	ASSERT_FAILS(ctr__capset(&unknown, host, &set, err), CTR_E_INVALID, "CTR_SPEC_CAP_ADD");
	ASSERT_FAILS(
	    ctr__capset(&unknown_drop, host, &set, err), CTR_E_INVALID, "CTR_SPEC_CAP_DROP");
	ASSERT_FAILS(ctr__capset(&both, host, &set, err), CTR_E_INVALID, "CTR_SPEC_CAP_DROP");
	assert_null(set);
	assert_int_equal(ctr__capset(&both, host, &set, NULL), CTR_E_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_defaults_that_the_host_has),
	    cmocka_unit_test(test_all_defaults),
	    cmocka_unit_test(test_add_and_drop),
	    cmocka_unit_test(test_all),
	    cmocka_unit_test(test_privileged),
	    cmocka_unit_test(test_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
