/* SPDX-License-Identifier: Apache-2.0 */
/* cgroups: with v1, v2 or both, whatever is mounted here. */
#include "sys_test.h"

#include <poll.h>
#include <signal.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <linux/magic.h>

#include "sys/cgroup.h"
#include "sys/fd.h"
#include "sys/hierarchies.h"
#include "sys/proc.h"

#define BASE "/sys/fs/cgroup"

/* A group of this test in every hierarchy. */
struct group {
	char path[64];
	struct ctr__hierarchies h;
};

static void full_path(const struct group *g, size_t i, const char *tail, char out[512])
{
	snprintf(out, 512, "%s%s%s", g->h.v[i].mount, g->path, tail);
}

static void make_dirs(const struct group *g, const char *tail)
{
	char path[512];

	for (size_t i = 0; i < g->h.count; i++) {
		full_path(g, i, tail, path);
		if (mkdir(path, 0755) < 0 && errno != EEXIST)
			fail_msg("mkdir %s: %s", path, strerror(errno));
	}
}

static int setup(void **state)
{
	struct group *g = calloc(1, sizeof(*g));

	snprintf(g->path, sizeof(g->path), "/libctr-test-%d", (int)getpid());
	if (ctr__hierarchies_read(BASE, &g->h) < 0 || g->h.count == 0)
		return -1;
	make_dirs(g, "");
	*state = g;
	return 0;
}

static int teardown(void **state)
{
	struct group *g = *state;
	int rc = ctr__cgroup_remove(g->path, 10000, NULL);

	ctr__hierarchies_free(&g->h);
	free(g);
	return rc;
}

/* Is the group anywhere? */
static bool group_exists(const struct group *g, const char *tail)
{
	char path[512];

	for (size_t i = 0; i < g->h.count; i++) {
		full_path(g, i, tail, path);
		if (access(path, F_OK) == 0)
			return true;
	}
	return false;
}

/* Into all hierarchies that take it: cpuset has no processors for new groups. */
static void put_process(const struct group *g, const char *tail, pid_t pid)
{
	char path[512], number[16];
	int taken = 0;

	snprintf(number, sizeof(number), "%d", (int)pid);
	for (size_t i = 0; i < g->h.count; i++) {
		CTR__CLOSE int fd = -1;

		full_path(g, i, tail, path);
		strcat(path, "/cgroup.procs");
		fd = open(path, O_WRONLY | O_CLOEXEC);
		taken += ctr__write_all(fd, number, strlen(number)) == 0;
	}
	assert_true(taken > 0);
}

static void end_of(struct ctr__child *c, int want)
{
	int status;
	bool known;

	assert_int_equal(ctr__child_wait(c, -1, &status, &known, NULL), 0);
	assert_true(known);
	assert_int_equal(status, want);
}

static void mode_is_what_is_mounted(void **state)
{
	struct group *g = *state;
	struct statfs fs;
	bool v2;

	assert_int_equal(statfs(BASE, &fs), 0);
	v2 = (unsigned long)fs.f_type == CGROUP2_SUPER_MAGIC;
	assert_int_equal(ctr__cgroup_mode(), v2 ? CTR__CGROUP_UNIFIED : CTR__CGROUP_LEGACY);
	assert_true(g->h.count > 0);
}

static void empty_groups_go(void **state)
{
	struct group *g = *state;

	make_dirs(g, "/a");
	make_dirs(g, "/a/b");
	make_dirs(g, "/c");
	assert_int_equal(ctr__cgroup_remove(g->path, 1000, NULL), 0);
	assert_false(group_exists(g, ""));
	/* Again: absent is success. */
	assert_int_equal(ctr__cgroup_remove(g->path, 0, NULL), 0);
}

static void processes_are_killed(void **state)
{
	struct group *g = *state;
	struct ctr__child outer = spawn_sleeper(), inner = spawn_sleeper(), other = spawn_sleeper();
	int before = count_fds();

	make_dirs(g, "/a");
	make_dirs(g, "/a/b");
	put_process(g, "/a", outer.pid);
	put_process(g, "/a/b", inner.pid);
	assert_int_equal(ctr__cgroup_remove(g->path, 10000, NULL), 0);
	assert_false(group_exists(g, ""));
	assert_int_equal(count_fds(), before);
	end_of(&outer, SIGKILL);
	end_of(&inner, SIGKILL);
	assert_true(ctr__proc_alive(other.pid, 0));
	ctr__child_kill(&other);
}

/* Starts a program that copies its input to its output. */
static struct ctr__child start_cat(int *in, int *out)
{
	const char *argv[] = {"cat", NULL};
	struct ctr__spawn s = {.path = "/bin/cat", .argv = argv, .cwd_fd = -1, .nfds = 2};
	struct ctr__child c = {-1, -1};
	int to[2], from[2];

	assert_int_equal(pipe2(to, O_CLOEXEC), 0);
	assert_int_equal(pipe2(from, O_CLOEXEC), 0);
	s.fds[0] = to[0];
	s.fds[1] = from[1];
	assert_int_equal(ctr__spawn(&s, &c, NULL), 0);
	close(to[0]);
	close(from[1]);
	*in = to[1];
	*out = from[0];
	return c;
}

static void freeze_and_thaw(void **state)
{
	struct group *g = *state;
	CTR__CLOSE int in = -1;
	CTR__CLOSE int out = -1;
	struct ctr__child c = start_cat(&in, &out);
	struct pollfd p = {.fd = out, .events = POLLIN};
	char got = 0;

	put_process(g, "", c.pid);
	assert_int_equal(ctr__cgroup_freeze(g->path, true), 0);
	assert_int_equal(write(in, "x", 1), 1);
	assert_int_equal(poll(&p, 1, 50), 0);
	assert_int_equal(ctr__cgroup_freeze(g->path, true), 0);
	assert_int_equal(ctr__cgroup_freeze(g->path, false), 0);
	assert_int_equal(ctr__read_eintr(out, &got, 1), 1);
	assert_int_equal(got, 'x');
	assert_int_equal(ctr__cgroup_freeze(g->path, false), 0);
	ctr__child_kill(&c);
}

static void frozen_processes_are_killed(void **state)
{
	struct group *g = *state;
	struct ctr__child c = spawn_sleeper();
	char inner[128];

	make_dirs(g, "/a");
	put_process(g, "/a", c.pid);
	snprintf(inner, sizeof(inner), "%s/a", g->path);
	assert_int_equal(ctr__cgroup_freeze(inner, true), 0);
	assert_int_equal(ctr__cgroup_remove(g->path, 10000, NULL), 0);
	assert_false(group_exists(g, ""));
	end_of(&c, SIGKILL);
}

static void freezing_nothing(void **state)
{
	(void)state;
	assert_int_equal(ctr__cgroup_freeze("/libctr-test-none", true), -ENOENT);
	assert_int_equal(ctr__cgroup_freeze("/", true), -EINVAL);
	assert_int_equal(ctr__cgroup_freeze("/../x", true), -EINVAL);
	assert_int_equal(ctr__cgroup_freeze("x", false), -EINVAL);
}

static void dangerous_paths_are_refused(void **state)
{
	static const char *const bad[] = {"", "/", "a", "/a/..", "/../a", "//", "/a/", "/./a", "."};
	CTR__ERROR ctr_error_t *err = NULL;

	(void)state;
	for (size_t i = 0; i < CTR__ARRAY_SIZE(bad); i++) {
		assert_int_equal(ctr__cgroup_remove(bad[i], 0, &err), CTR_E_INVALID);
		assert_non_null(strstr(ctr_error_message(err), bad[i]));
	}
	assert_int_equal(ctr__cgroup_remove(NULL, 0, NULL), CTR_E_INVALID);
}

/* A file of the hierarchy is not a group, and nothing must happen to it. */
static void a_control_file_is_not_a_group(void **state)
{
	(void)state;
	assert_int_equal(ctr__cgroup_remove("/cgroup.procs", 0, NULL), 0);
}

static void own_group_is_refused(void **state)
{
	struct group *g = *state;
	CTR__ERROR ctr_error_t *err = NULL;
	struct ctr__child c = spawn_sleeper();

	make_dirs(g, "/a");
	put_process(g, "", c.pid);
	put_process(g, "/a", getpid());
	assert_int_equal(ctr__cgroup_remove(g->path, 0, &err), CTR_E_BUSY);
	assert_true(ctr__proc_alive(c.pid, 0));
	assert_true(group_exists(g, "/a"));
	/* Back to the root of every hierarchy. */
	for (size_t i = 0; i < g->h.count; i++) {
		char path[512], number[16];
		CTR__CLOSE int fd = -1;

		snprintf(path, sizeof(path), "%s/cgroup.procs", g->h.v[i].mount);
		snprintf(number, sizeof(number), "%d", (int)getpid());
		fd = open(path, O_WRONLY | O_CLOEXEC);
		assert_int_equal(ctr__write_all(fd, number, strlen(number)), 0);
	}
	ctr__child_kill(&c);
}

static void is_in(const char *slice, const char *path)
{
	CTR__FREE char *found = ctr__cgroup_of_slice(slice);

	assert_string_equal(found, path);
}

static void slices_tell_where_they_are(void **state)
{
	(void)state;
	is_in("machine.slice", "/machine.slice");
	is_in("a-b-c.slice", "/a.slice/a-b.slice/a-b-c.slice");
	is_in("machine.slice/machine-libpod_pod_12.slice",
	    "/machine.slice/machine-libpod_pod_12.slice");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

/* Below groups that are not there, in all hierarchies, and fit for a process. */
static void missing_groups_are_made(void **state)
{
	struct group *g = *state;
	char group[128], path[512], pid[16];
	pid_t child = fork();

	if (child == 0) {
		pause();
		_exit(0);
	}
	snprintf(group, sizeof(group), "%s/made/inner", g->path);
	assert_int_equal(ctr__cgroup_make(group, NULL), 0);
	/* Again: it is there. */
	assert_int_equal(ctr__cgroup_make(group, NULL), 0);
	/* Also where CPUs have to be given to a group before it takes a process. */
	snprintf(pid, sizeof(pid), "%d", (int)child);
	for (size_t i = 0; i < g->h.count; i++) {
		CTR__CLOSE int fd = -1;

		full_path(g, i, "/made/inner/cgroup.procs", path);
		fd = open(path, O_WRONLY | O_CLOEXEC);
		assert_true(fd >= 0);
		assert_int_equal(ctr__write_all(fd, pid, strlen(pid)), 0);
	}
	assert_int_equal(ctr__cgroup_remove(group, 10000, NULL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_false(ctr__cgroup_exists(group));
	assert_int_equal(ctr__cgroup_make("relative", NULL), CTR_E_INVALID);
	assert_int_equal(ctr__cgroup_make("/a/../b", NULL), CTR_E_INVALID);
	assert_int_equal(ctr__cgroup_make("/", NULL), CTR_E_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(slices_tell_where_they_are),
	    TEST(mode_is_what_is_mounted),
	    TEST(empty_groups_go),
	    TEST(processes_are_killed),
	    TEST(freeze_and_thaw),
	    TEST(frozen_processes_are_killed),
	    TEST(freezing_nothing),
	    TEST(dangerous_paths_are_refused),
	    TEST(a_control_file_is_not_a_group),
	    TEST(own_group_is_refused),
	    TEST(missing_groups_are_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
