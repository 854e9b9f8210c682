/* SPDX-License-Identifier: Apache-2.0 */
/* Finding the cgroup hierarchies. */
#include "sys_test.h"

#include "sys/hierarchies.h"

#define BASE "/sys/fs/cgroup"

static struct ctr__hierarchies parse(const char *mountinfo)
{
	CTR__FREE char *copy = strdup(mountinfo);
	struct ctr__hierarchies h = {0};

	assert_int_equal(ctr__hierarchies_parse(copy, BASE, &h), 0);
	return h;
}

static void hybrid(void **state)
{
	struct ctr__hierarchies h =
	    parse("31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"
	          "32 31 0:29 / /sys/fs/cgroup/cpu rw shared:7 master:2 - cgroup cgroup rw,cpu\n"
	          "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n"
	          "42 31 0:39 / /other/cgroup rw,relatime - cgroup2 cgroup2 rw\n"
	          "43 31 0:39 / /sys/fs/cgroups rw,relatime - cgroup2 cgroup2 rw\n");

	(void)state;
	assert_int_equal(h.count, 2);
	assert_string_equal(h.v[0].mount, "/sys/fs/cgroup/cpu");
	assert_false(h.v[0].v2);
	assert_string_equal(h.v[1].mount, "/sys/fs/cgroup/unified");
	assert_true(h.v[1].v2);
	ctr__hierarchies_free(&h);
	assert_int_equal(h.count, 0);
}

static void unified(void **state)
{
	struct ctr__hierarchies h =
	    parse("30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n");

	(void)state;
	assert_int_equal(h.count, 1);
	assert_string_equal(h.v[0].mount, BASE);
	assert_true(h.v[0].v2);
	ctr__hierarchies_free(&h);
}

static void escapes(void **state)
{
	struct ctr__hierarchies h =
	    parse("1 2 0:1 / /sys/fs/cgroup/a\\040b\\134c\\9 rw - cgroup x rw\n");

	(void)state;
	assert_int_equal(h.count, 1);
	assert_string_equal(h.v[0].mount, "/sys/fs/cgroup/a b\\c\\9");
	ctr__hierarchies_free(&h);
}

static void nonsense(void **state)
{
	struct ctr__hierarchies h = parse("\n\n - \n - cgroup\n1 2 3 - cgroup x\nno separator\n"
	                                  "1 2 0:1 / /sys/fs/cgroup rw -\n"
	                                  "1 2 0:1 / /sys/fs/cgroup rw - \n");

	(void)state;
	assert_int_equal(h.count, 0);
	ctr__hierarchies_free(&h);
}

static void of_this_system(void **state)
{
	struct ctr__hierarchies h = {0};

	(void)state;
	assert_int_equal(ctr__hierarchies_read(BASE, &h), 0);
	for (size_t i = 0; i < h.count; i++) {
		assert_true(ctr__starts_with(h.v[i].mount, BASE));
		assert_int_equal(access(h.v[i].mount, F_OK), 0);
	}
	ctr__hierarchies_free(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(hybrid),
	    cmocka_unit_test(unified),
	    cmocka_unit_test(escapes),
	    cmocka_unit_test(nonsense),
	    cmocka_unit_test(of_this_system),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
