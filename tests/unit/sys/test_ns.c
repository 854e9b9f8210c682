/* SPDX-License-Identifier: Apache-2.0 */
/* Namespaces as descriptors: kinds are checked, our own is known, mappings are read. */
#include "sys_test.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/ns.h"
#include "util/cleanup.h"

static const char *const names[] = {"ipc", "mnt", "net", "pid", "user", "uts", "cgroup"};

static void our_own(void **state)
{
	(void)state;
	for (size_t i = 0; i < CTR__ARRAY_SIZE(names); i++) {
		CTR__CLOSE int fd = ctr__ns_open(getpid(), names[i]);

		assert_true(fd >= 0);
		assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
		assert_int_equal(ctr__ns_is_own(fd, names[i]), 1);
	}
}

static void another_kind(void **state)
{
	char path[64];

	(void)state;
	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)getpid());
	assert_int_equal(ctr__ns_open_path(path, "ipc"), -EINVAL);
	assert_int_equal(ctr__ns_open_path("/etc/passwd", "net"), -EINVAL);
	assert_int_equal(ctr__ns_open_path("/dev/null", "net"), -EINVAL);
	assert_int_equal(ctr__ns_open_path("/no/such/file", "net"), -ENOENT);
	assert_int_equal(ctr__ns_open(getpid(), "nonsense"), -ENOENT);
}

/* A child in a namespace of its own, until its input is closed. It is a program of its own, because a sanitizer's
 * threads, which would keep this one from a new user namespace, come along through fork(). */
static pid_t child_in(const char *option, int *hold)
{
	int ready[2], end[2];
	pid_t pid;
	char c;

	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(end), 0);
	pid = fork();
	if (pid == 0) {
		dup2(end[0], 0);
		dup2(ready[1], 1);
		close(ready[0]);
		close(end[1]);
		execlp("unshare", "unshare", option, "sh", "-c", "echo && exec cat", (char *)NULL);
		_exit(127);
	}
	close(end[0]);
	close(ready[1]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	*hold = end[1];
	return pid;
}

/* An open namespace stays what it is after its last process has ended. */
static void another_process(void **state)
{
	int hold, status;
	pid_t pid = child_in("--uts", &hold);
	CTR__CLOSE int uts = ctr__ns_open(pid, "uts");
	CTR__CLOSE int net = ctr__ns_open(pid, "net");

	(void)state;
	assert_int_equal(ctr__ns_is_own(uts, "uts"), 0);
	assert_int_equal(ctr__ns_is_own(net, "net"), 1);
	close(hold);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(ctr__ns_is_own(uts, "uts"), 0);
	assert_true(ctr__ns_open(pid, "uts") < 0);
}

static void mappings(void **state)
{
	CTR__FREE struct ctr__id_range *list = NULL;
	char path[64];
	int hold, fd, status;
	pid_t pid = child_in("--user", &hold);
	size_t n;

	(void)state;
	assert_int_equal(ctr__id_map_read(pid, "uid_map", &list, &n), 0);
	assert_int_equal(n, 0);
	free(list);
	snprintf(path, sizeof(path), "/proc/%d/uid_map", (int)pid);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "0 0 1000\n5000 3000 7\n", 21), 21);
	close(fd);
	assert_int_equal(ctr__id_map_read(pid, "uid_map", &list, &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(list[0].size, 1000);
	assert_int_equal(list[1].inside, 5000);
	assert_int_equal(list[1].outside, 3000);
	assert_int_equal(list[1].size, 7);
	close(hold);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	free(list);
	assert_true(ctr__id_map_read(pid, "uid_map", &list, &n) < 0);
	assert_null(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(our_own),
	    cmocka_unit_test(another_kind),
	    cmocka_unit_test(another_process),
	    cmocka_unit_test(mappings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
