/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/mount.h"
#include "util/cleanup.h"
#include "util/str.h"

static void only_what_is_below(void **state)
{
	char text[] = "20 1 0:1 / / rw - ext4 /dev/x rw\n"
	              "21 20 0:2 / /a rw shared:1 - tmpfs t rw\n"
	              "22 20 0:3 / /a/b rw - tmpfs t rw\n"
	              "23 20 0:4 / /ab/c rw - tmpfs t rw\n"
	              "24 22 0:5 / /a/b/with\\040blank\\134\\012 rw - tmpfs t rw\n"
	              "garbage\n\n"
	              "25 20 0:6 / /a/b rw - tmpfs t rw\n";
	char none[] = "20 1 0:1 / / rw - ext4 /dev/x rw\n";
	char **list = NULL;

	(void)state;
	assert_true(ctr__mounts_below(text, "/a", &list));
	assert_int_equal(ctr__strv_len((const char *const *)list), 3);
	assert_string_equal(list[0], "/a/b");
	assert_string_equal(list[1], "/a/b/with blank\\\n");
	assert_string_equal(list[2], "/a/b");
	ctr__strv_free(list);
	assert_true(ctr__mounts_below(none, "/a", &list));
	assert_null(list);
}

static void unmounts(void **state)
{
	char dir[] = "/tmp/libctr-unmount-XXXXXX", a[64], b[64];

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(a, sizeof(a), "%s/one", dir);
	snprintf(b, sizeof(b), "%s/one/two three", dir);
	assert_int_equal(mkdir(a, 0700), 0);
	assert_int_equal(mount("test", a, "tmpfs", 0, NULL), 0);
	assert_int_equal(mkdir(b, 0700), 0);
	assert_int_equal(mount("test", b, "tmpfs", 0, NULL), 0);
	assert_int_equal(mount("test", b, "tmpfs", 0, NULL), 0);
	assert_int_equal(ctr__unmount_below(dir, NULL), 0);
	assert_int_equal(ctr__is_mount_point(a), 0);
	assert_int_equal(rmdir(a), 0);
	assert_int_equal(ctr__unmount_below(dir, NULL), 0);
	assert_int_equal(rmdir(dir), 0);
	/* Nor is an absent one an error. */
	assert_int_equal(ctr__unmount_below(dir, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(only_what_is_below),
	    cmocka_unit_test(unmounts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
