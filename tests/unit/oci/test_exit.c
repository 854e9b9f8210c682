/* SPDX-License-Identifier: Apache-2.0 */
/* Exit files, waiting, and whether a monitor lives. */
#include "oci_test.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include "sys/proc.h"
#include "util/clock.h"

static void test_exit_codes(void **state)
{
	static const char *const bad[] = {
	    "", "x", "256", "-2", "1\n", " 1", "1 2", "999999999999", "0x1", "+"};

	(void)state;
	assert_int_equal(ctr__oci_parse_exit_code("0"), 0);
	assert_int_equal(ctr__oci_parse_exit_code("137"), 137);
	assert_int_equal(ctr__oci_parse_exit_code("255"), 255);
	assert_int_equal(ctr__oci_parse_exit_code("-1"), -1);
	for (size_t i = 0; i < CTR__ARRAY_SIZE(bad); i++)
		assert_int_equal(ctr__oci_parse_exit_code(bad[i]), -1);
}

static int ask(struct bench *b, struct ctr_oci_status *out)
{
	memset(out, 0, sizeof(*out));
	out->size = sizeof(*out);
	return b->oci->ops.exit_status(b->oci->impl, &b->c, out, NULL);
}

static void test_nothing_yet(void **state)
{
	struct bench b;
	struct ctr_oci_status s;

	(void)state;
	bench_open(&b, "runc");
	assert_int_equal(ask(&b, &s), 0);
	/* conmon's temporary file is not an answer */
	put_file(b.d->exits_dir, BENCH_ID ".A1B2C3", "0");
	assert_int_equal(ask(&b, &s), 0);
	bench_close(&b);
}

static void test_exit_file(void **state)
{
	int64_t before = ctr__now_ns() - 1000000000;
	struct bench b;
	struct ctr_oci_status s;

	(void)state;
	bench_open(&b, "runc");
	put_file(b.d->exits_dir, BENCH_ID, "42");
	assert_int_equal(ask(&b, &s), 1);
	assert_int_equal(s.exit_code, 42);
	assert_int_equal(s.oom_killed, 0);
	assert_true(s.finished_ns > before && s.finished_ns <= ctr__now_ns());
	put_file(b.d->exits_dir, BENCH_ID, "surprise");
	assert_int_equal(ask(&b, &s), 1);
	assert_int_equal(s.exit_code, -1);
	bench_close(&b);
}

static void test_exit_file_of_a_strange_kind(void **state)
{
	struct bench b;
	struct ctr_oci_status s;
	char path[400];

	(void)state;
	bench_open(&b, "runc");
	snprintf(path, sizeof(path), "%s/%s", b.d->exits_dir, BENCH_ID);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_int_equal(ask(&b, &s), 1);
	assert_int_equal(s.exit_code, -1);
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(ask(&b, &s), 1);
	assert_int_equal(s.exit_code, -1);
	bench_close(&b);
}

static void test_oom_mark(void **state)
{
	struct bench b;
	struct ctr_oci_status s;
	char dir[400];

	(void)state;
	bench_open(&b, "runc");
	snprintf(dir, sizeof(dir), "%s/%s", b.d->persist_dir, BENCH_ID);
	assert_int_equal(mkdir(dir, 0750), 0);
	put_file(dir, "oom", "");
	put_file(b.d->exits_dir, BENCH_ID, "137");
	assert_int_equal(ask(&b, &s), 1);
	assert_int_equal(s.oom_killed, 1);
	bench_close(&b);
}

/* A monitor that died between its two files. */
static void test_the_copy_counts_only_without_a_monitor(void **state)
{
	struct bench b;
	struct ctr_oci_status s;
	char dir[400];
	pid_t child;

	(void)state;
	bench_open(&b, "runc");
	snprintf(dir, sizeof(dir), "%s/%s", b.d->persist_dir, BENCH_ID);
	assert_int_equal(mkdir(dir, 0750), 0);
	put_file(dir, "exit", "9");
	b.c.monitor_pid = getpid();
	b.c.monitor_start = ctr__proc_start_time(getpid());
	assert_int_equal(ask(&b, &s), 0);
	child = fork();
	if (child == 0)
		_exit(0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	b.c.monitor_pid = child;
	assert_int_equal(ask(&b, &s), 1);
	assert_int_equal(s.exit_code, 9);
	bench_close(&b);
}

static int wait_fd(struct bench *b)
{
	int fd = b->oci->ops.wait_fd(b->oci->impl, &b->c, NULL);

	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	return fd;
}

static bool is_ready(int fd, int timeout_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, timeout_ms) == 1 && (p.revents & POLLIN);
}

static void test_waiting_for_the_monitor(void **state)
{
	struct bench b;
	pid_t child = fork();
	int fd, late;

	(void)state;
	if (child == 0) {
		pause();
		_exit(0);
	}
	bench_open(&b, "runc");
	b.c.monitor_pid = child;
	b.c.monitor_start = ctr__proc_start_time(child);
	assert_int_equal(b.oci->ops.monitor_alive(b.oci->impl, &b.c, NULL), 1);
	fd = wait_fd(&b);
	assert_false(is_ready(fd, 0));
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_true(is_ready(fd, 10000));
	/* A zombie will not write anything any more. */
	assert_int_equal(b.oci->ops.monitor_alive(b.oci->impl, &b.c, NULL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(b.oci->ops.monitor_alive(b.oci->impl, &b.c, NULL), 0);
	late = wait_fd(&b);
	assert_true(is_ready(late, 0));
	close(late);
	close(fd);
	bench_close(&b);
}

static pid_t sleeper(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		pause();
		_exit(0);
	}
	return pid;
}

/* One with an exit command outlives the record: the process is what is watched, as long as it lives. */
static void test_waiting_beside_an_exit_command(void **state)
{
	pid_t monitor = sleeper(), process = sleeper();
	struct bench b;
	int fd;

	(void)state;
	bench_open(&b, "runc");
	b.c.flags |= CTR_OCI_EXIT_COMMAND;
	b.c.monitor_pid = monitor;
	b.c.monitor_start = ctr__proc_start_time(monitor);
	b.c.pid = process;
	b.c.pid_start = ctr__proc_start_time(process);
	fd = wait_fd(&b);
	assert_false(is_ready(fd, 0));
	assert_int_equal(kill(process, SIGKILL), 0);
	assert_true(is_ready(fd, 10000));
	close(fd);
	/* Nothing is recorded, but will be. */
	fd = wait_fd(&b);
	assert_false(is_ready(fd, 0));
	close(fd);
	put_file(b.d->exits_dir, BENCH_ID, "42");
	fd = wait_fd(&b);
	assert_true(is_ready(fd, 0));
	close(fd);
	kill(monitor, SIGKILL);
	waitpid(monitor, NULL, 0);
	waitpid(process, NULL, 0);
	bench_close(&b);
}

static void test_a_recycled_pid_is_not_the_monitor(void **state)
{
	struct bench b;
	int fd;

	(void)state;
	bench_open(&b, "runc");
	b.c.monitor_pid = getpid();
	b.c.monitor_start = ctr__proc_start_time(getpid()) + 1;
	assert_int_equal(b.oci->ops.monitor_alive(b.oci->impl, &b.c, NULL), 0);
	fd = wait_fd(&b);
	assert_true(is_ready(fd, 0));
	close(fd);
	b.c.monitor_pid = 0;
	assert_int_equal(b.oci->ops.monitor_alive(b.oci->impl, &b.c, NULL), 0);
	bench_close(&b);
}

static void test_waiting_for_what_is_there(void **state)
{
	struct bench b;
	int fd;

	(void)state;
	bench_open(&b, "runc");
	b.c.monitor_pid = getpid();
	b.c.monitor_start = ctr__proc_start_time(getpid());
	put_file(b.d->exits_dir, BENCH_ID, "0");
	fd = wait_fd(&b);
	assert_true(is_ready(fd, 0));
	close(fd);
	bench_close(&b);
}

/* ---- pending exit files ---- */

struct seen {
	int count;
	int stop_at;
	bool a, b;
};

static int note(const char *id, void *userdata)
{
	struct seen *s = userdata;

	s->count++;
	s->a = s->a || strcmp(id, "aaa") == 0;
	s->b = s->b || strcmp(id, "bbb") == 0;
	return s->count == s->stop_at ? 77 : 0;
}

static void test_pending_exits(void **state)
{
	struct bench b;
	struct seen s = {0};

	(void)state;
	bench_open(&b, "runc");
	assert_int_equal(ctr__conmon_pending_exits(b.d->exits_fd, note, &s), 0);
	assert_int_equal(s.count, 0);
	put_file(b.d->exits_dir, "aaa", "0");
	put_file(b.d->exits_dir, "bbb", "0");
	put_file(b.d->exits_dir, ".hidden", "0");
	put_file(b.d->exits_dir, "not an id", "0");
	assert_int_equal(ctr__conmon_pending_exits(b.d->exits_fd, note, &s), 0);
	assert_int_equal(s.count, 2);
	assert_true(s.a && s.b);
	/* again from the beginning, and stopped */
	s = (struct seen){.stop_at = 1};
	assert_int_equal(ctr__conmon_pending_exits(b.d->exits_fd, note, &s), 77);
	assert_int_equal(s.count, 1);
	assert_int_equal(ctr__conmon_pending_exits(-1, note, &s), -EBADF);
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_exit_codes),
	    cmocka_unit_test(test_nothing_yet),
	    cmocka_unit_test(test_exit_file),
	    cmocka_unit_test(test_exit_file_of_a_strange_kind),
	    cmocka_unit_test(test_oom_mark),
	    cmocka_unit_test(test_the_copy_counts_only_without_a_monitor),
	    cmocka_unit_test(test_waiting_for_the_monitor),
	    cmocka_unit_test(test_waiting_beside_an_exit_command),
	    cmocka_unit_test(test_a_recycled_pid_is_not_the_monitor),
	    cmocka_unit_test(test_waiting_for_what_is_there),
	    cmocka_unit_test(test_pending_exits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
