/* SPDX-License-Identifier: Apache-2.0 */
/* What the host lets a default spec ask for. */
#include "spec_test.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "spec/host.h"

struct tree {
	char *root;
	int fd;
};

static void make_file(const struct tree *t, const char *name, const char *text)
{
	CTR__CLOSE int fd = openat(t->fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static int set_up(void **state)
{
	const char *tmp = getenv("TMPDIR");
	struct tree *t = test_calloc(1, sizeof(*t));

	t->root = ctr__format("%s/ctr-host-XXXXXX", tmp ? tmp : "/tmp");
	assert_non_null(t->root);
	assert_non_null(mkdtemp(t->root));
	t->fd = open(t->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(t->fd >= 0);
	*state = t;
	return 0;
}

static int tear_down(void **state)
{
	struct tree *t = *state;

	unlinkat(t->fd, "pids/cgroup.procs", 0);
	unlinkat(t->fd, "pids", AT_REMOVEDIR);
	unlinkat(t->fd, "cgroup.controllers", 0);
	close(t->fd);
	int r = rmdir(t->root);
	free(t->root);
	test_free(t);
	return r;
}

static void test_unified(void **state)
{
	struct tree *t = *state;

	assert_false(ctr__host_has_pids(t->root));
	make_file(t, "cgroup.controllers", "");
	assert_false(ctr__host_has_pids(t->root));
	make_file(t, "cgroup.controllers", "hugetlb\n");
	assert_false(ctr__host_has_pids(t->root));
	make_file(t, "cgroup.controllers", "cpu xpids pidsx\n");
	assert_false(ctr__host_has_pids(t->root));
	make_file(t, "cgroup.controllers", "cpu memory pids\n");
	assert_true(ctr__host_has_pids(t->root));
}

static void test_legacy(void **state)
{
	struct tree *t = *state;

	assert_int_equal(mkdirat(t->fd, "pids", 0700), 0);
	assert_false(ctr__host_has_pids(t->root)); /* not mounted */
	make_file(t, "pids/cgroup.procs", "");
	assert_true(ctr__host_has_pids(t->root));
	/* a group of that name in a unified hierarchy is not the controller */
	make_file(t, "cgroup.controllers", "cpu\n");
	assert_false(ctr__host_has_pids(t->root));
}

static void test_no_directory(void **state)
{
	(void)state;
	assert_false(ctr__host_has_pids("/nonexistent"));
}

static void test_clamp(void **state)
{
	(void)state;
	assert_int_equal(ctr__host_clamp_rlimit(&(struct rlimit){.rlim_max = 20000}, 4096), 4096);
	assert_int_equal(ctr__host_clamp_rlimit(&(struct rlimit){.rlim_max = 1000}, 4096), 1000);
	assert_int_equal(
	    ctr__host_clamp_rlimit(&(struct rlimit){.rlim_max = RLIM_INFINITY}, 4096), 4096);
}

static void test_device_filter(void **state)
{
	const char *const with[] = {"CAP_CHOWN", "CAP_SYS_RESOURCE", NULL};
	struct rlimit now;

	(void)state;
	assert_true(ctr__host_can_filter_devices(with));
	assert_int_equal(getrlimit(RLIMIT_MEMLOCK, &now), 0);
	assert_int_equal(ctr__host_can_filter_devices((const char *const[]){"CAP_CHOWN", NULL}),
	    now.rlim_max == RLIM_INFINITY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_unified, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_legacy, set_up, tear_down),
	    cmocka_unit_test(test_no_directory),
	    cmocka_unit_test(test_clamp),
	    cmocka_unit_test(test_device_filter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
