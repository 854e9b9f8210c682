/* SPDX-License-Identifier: Apache-2.0 */
/* Where a path leads below another root, and the propagation of the mount it is on. */
#include "sys_test.h"

#include "sys/mount.h"

static void leads(struct scratch *s, const char *path, const char *expected)
{
	CTR__FREE char *out = NULL;

	assert_int_equal(ctr__resolve_in_root(s->fd, path, &out), 0);
	assert_string_equal(out, expected);
}

static void links_stay_below_the_root(void **state)
{
	struct scratch *s = *state;
	CTR__FREE char *out = NULL;

	assert_int_equal(mkdirat(s->fd, "d", 0755), 0);
	assert_int_equal(mkdirat(s->fd, "d/e", 0755), 0);
	assert_int_equal(symlinkat("/../../d", s->fd, "abs"), 0);
	assert_int_equal(symlinkat("../..", s->fd, "d/e/up"), 0);
	assert_int_equal(symlinkat("nowhere", s->fd, "dangling"), 0);
	assert_int_equal(symlinkat("self", s->fd, "self"), 0);
	put_file(s->fd, "file", "");
	leads(s, "/", "/");
	leads(s, "/d//e/", "/d/e");
	leads(s, "/abs/e", "/d/e");
	leads(s, "/abs/x/y", "/d/x/y");
	leads(s, "/d/e/up", "/");
	leads(s, "/d/e/up/new", "/new");
	leads(s, "/dangling", "/dangling");
	leads(s, "/../../etc", "/etc");
	leads(s, "/none/../abs", "/none/../abs");
	assert_int_equal(ctr__resolve_in_root(s->fd, "/self", &out), -ELOOP);
	assert_int_equal(ctr__resolve_in_root(s->fd, "/file/x", &out), -ENOTDIR);
	assert_null(out);
}

static void below_the_real_root(void **state)
{
	CTR__CLOSE int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	CTR__FREE char *out = NULL;

	(void)state;
	assert_int_equal(ctr__resolve_in_root(root, "/proc/nonexistent", &out), 0);
	assert_string_equal(out, "/proc/nonexistent");
}

#define MOUNTS                                                   \
	"22 1 0:5 / / rw - ext4 /dev/x rw\n"                     \
	"123 22 0:5 / /a\\040b rw shared:7 - tmpfs t rw\n"       \
	"1234 22 0:5 / /s rw shared:7 master:8 - t shared:9 x\n" \
	"12 22 0:5 / /m rw master:3 propagate_from:2 - t x rw\n" \
	"7 22"

static void parses(int64_t id, const char *mount, bool shared, bool slave)
{
	char text[] = MOUNTS;
	struct ctr__propagation p;

	assert_int_equal(ctr__propagation_parse(text, id, &p), 0);
	assert_string_equal(p.mount, mount);
	assert_int_equal(p.shared, shared);
	assert_int_equal(p.slave, slave);
	free(p.mount);
}

static void mountinfo_is_understood(void **state)
{
	char text[] = MOUNTS, again[] = MOUNTS;
	struct ctr__propagation p;

	(void)state;
	parses(22, "/", false, false);
	parses(123, "/a\\040b", true, false);
	parses(1234, "/s", true, true);
	parses(12, "/m", false, true);
	assert_int_equal(ctr__propagation_parse(text, 99, &p), -ENOENT);
	assert_int_equal(ctr__propagation_parse(again, 7, &p), -ENOENT);
	assert_null(p.mount);
}

static void propagation_of_a_path(void **state)
{
	struct ctr__propagation p;

	(void)state;
	assert_int_equal(ctr__mount_propagation("/proc/self/status", &p), 0);
	assert_string_equal(p.mount, "/proc");
	free(p.mount);
	assert_int_equal(ctr__mount_propagation("/nonexistent", &p), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
	        links_stay_below_the_root, scratch_setup, scratch_teardown),
	    cmocka_unit_test(below_the_real_root),
	    cmocka_unit_test(mountinfo_is_understood),
	    cmocka_unit_test(propagation_of_a_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
