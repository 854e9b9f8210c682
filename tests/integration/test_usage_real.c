/* SPDX-License-Identifier: Apache-2.0 */
/* Processes and resource use of real containers: test_usage_real RUNTIME. */
#include "real.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- processes ---- */

static ctr_top_t *top(ctr_container_t *c, const char *const *columns)
{
	ctr_top_t *t = NULL;

	OK(ctr_container_top(c, columns, &t, err));
	return t;
}

/* Row whose cell of this column begins so; -1 = none. */
static int find_row(const ctr_top_t *t, size_t column, const char *text)
{
	for (size_t i = 0; i < ctr_top_rows(t); i++)
		if (strncmp(ctr_top_cell(t, i, column), text, strlen(text)) == 0)
			return (int)i;
	return -1;
}

/* Until there are so many processes and one of them shows this: the shell starts them one by one, and a child is a copy
 * of it at first. */
static ctr_top_t *top_of(
    ctr_container_t *c, const char *const *columns, size_t rows, size_t column, const char *text)
{
	int64_t deadline = real_now_ms() + PATIENCE_MS;

	for (;;) {
		ctr_top_t *t = top(c, columns);

		if (ctr_top_rows(t) == rows && find_row(t, column, text) >= 0)
			return t;
		if (real_now_ms() > deadline)
			fail_msg("%zu processes, %zu expected, or none with \"%s\"",
			    ctr_top_rows(t), rows, text);
		ctr_top_free(t);
		poll(NULL, 0, 2);
	}
}

static void test_default_columns(void **state)
{
	static const char *const titles[] = {
	    "USER", "PID", "PPID", "%CPU", "ELAPSED", "TTY", "TIME", "COMMAND"};
	ctr_container_t *c = real_start(*state, "sleep 1000 & wait");
	ctr_top_t *t = top_of(c, NULL, 2, 7, "sleep 1000");
	int shell = find_row(t, 7, "/bin/sh -c sleep 1000 & wait"),
	    child = find_row(t, 7, "sleep 1000");

	assert_int_equal(ctr_top_columns(t), 8);
	for (size_t i = 0; i < 8; i++)
		assert_string_equal(ctr_top_title(t, i), titles[i]);
	assert_null(ctr_top_title(t, 8));
	assert_int_equal(shell, 0);
	assert_int_equal(child, 1);
	assert_string_equal(ctr_top_cell(t, 0, 1), "1");
	assert_string_equal(ctr_top_cell(t, 0, 2), "0");
	assert_string_equal(ctr_top_cell(t, 1, 2), "1");
	assert_string_equal(ctr_top_cell(t, 0, 5), "?");
	assert_null(ctr_top_cell(t, 2, 0));
	assert_null(ctr_top_cell(t, 0, 8));
	ctr_top_free(t);
	real_remove(c, CTR_REMOVE_FORCE);
}

static void test_all_columns(void **state)
{
	static const char *const columns[] = {"args", "comm", "etime", "group", "hgroup", "hpid",
	    "huser", "label", "nice", "pcpu", "pgid", "pid", "ppid", "rss", "state", "stime",
	    "time", "tty", "user", "vsz", NULL};
	ctr_container_t *c = real_start_ready(*state, IGNORES_TERM);
	ctr_top_t *t = top_of(c, columns, 2, 0, "sleep 1000");
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", real_pid(c));
	assert_string_equal(ctr_top_cell(t, 0, 5), pid);
	assert_string_equal(ctr_top_cell(t, 0, 1), "sh");
	assert_string_equal(ctr_top_cell(t, 0, 8), "0");
	assert_string_equal(ctr_top_cell(t, 0, 10), "1");
	assert_non_null(strchr("RSD", ctr_top_cell(t, 0, 14)[0]));
	assert_true(atoi(ctr_top_cell(t, 0, 13)) > 0);
	assert_true(atoi(ctr_top_cell(t, 0, 19)) >= atoi(ctr_top_cell(t, 0, 13)));
	assert_string_equal(ctr_top_cell(t, 0, 6), "root");
	for (size_t i = 0; columns[i]; i++)
		assert_true(ctr_top_cell(t, 0, i)[0]);
	ctr_top_free(t);
	real_remove(c, CTR_REMOVE_FORCE);
}

static void test_bad_columns(void **state)
{
	static const char *const unknown[] = {"pid", "wchan", NULL}, *const none[] = {NULL};
	ctr_container_t *c = real_start_ready(*state, IGNORES_TERM);
	ctr_top_t *t = NULL;

	FAILS(CTR_E_INVALID, ctr_container_top(c, unknown, &t, err));
	FAILS(CTR_E_INVALID, ctr_container_top(c, none, &t, err));
	real_remove(c, CTR_REMOVE_FORCE);
}

static void write_file(const struct real *r, const char *name, const char *text)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", r->rootfs, name);
	f = fopen(path, "we");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* Names of the container's own files; those on the host are others. */
static void test_users(void **state)
{
	static const char *const columns[] = {"user", "group", "huser", "hgroup", NULL};
	const struct real *r = *state;
	ctr_config_builder_t *b;
	ctr_container_t *c;
	ctr_top_t *t;

	write_file(r, "etc/passwd", "root:x:0:0::/:/bin/sh\nbob\xff\t:x:4711:4712::/:/bin/sh\n");
	write_file(r, "etc/group", "root:x:0:\ncrew:x:4712:\n");
	b = real_builder(r, "echo ready; sleep 1000");
	ctr_config_builder_set_str(b, CTR_CONFIG_USER, "4711:4712", NULL);
	c = real_create_from(r, b);
	OK(ctr_container_start(c, 0, err));
	real_await_log(c, "ready");
	t = top(c, columns);
	assert_string_equal(ctr_top_cell(t, 0, 0), "bob??");
	assert_string_equal(ctr_top_cell(t, 0, 1), "crew");
	assert_string_equal(ctr_top_cell(t, 0, 2), "4711");
	assert_string_equal(ctr_top_cell(t, 0, 3), "4712");
	ctr_top_free(t);
	/* Whatever becomes of the file: numbers are left. */
	write_file(r, "etc/passwd", "::::\n\n");
	t = top(c, columns);
	assert_string_equal(ctr_top_cell(t, 0, 0), "4711");
	ctr_top_free(t);
	real_remove(c, CTR_REMOVE_FORCE);
}

/* What a process calls itself: brackets, newlines, escapes, bytes that are no text. */
static void test_hostile_names(void **state)
{
	static const char *const columns[] = {"args", "comm", "state", "ppid", NULL};
	ctr_container_t *c = real_start(*state,
	    "e=$(printf '\\033[2J\\377\\nx'); printf 'a) Z (\\n' >/proc/self/comm; "
	    "sh -c 'sleep 1001; true' \"$e\" & sleep 1000 & wait");
	ctr_top_t *t = top_of(c, columns, 4, 0, "sleep 1001");
	int row = find_row(t, 0, "sh -c sleep 1001");

	assert_true(row > 0);
	assert_string_equal(ctr_top_cell(t, (size_t)row, 0), "sh -c sleep 1001; true ?[2J??x");
	assert_string_equal(ctr_top_cell(t, (size_t)row, 3), "1");
	assert_string_equal(ctr_top_cell(t, 0, 1), "a) Z (?");
	assert_string_not_equal(ctr_top_cell(t, 0, 2), "Z");
	ctr_top_free(t);
	real_remove(c, CTR_REMOVE_FORCE);
}

/* A zombie has no command line and is in no list of its cgroup. */
static void test_zombie(void **state)
{
	static const char *const columns[] = {"state", "args", "ppid", NULL};
	ctr_container_t *c = real_start(
	    *state, "(while ! grep -q ^sleep /proc/1/cmdline; do :; done) & exec sleep 1000");
	ctr_top_t *t = top_of(c, columns, 2, 0, "Z");

	assert_string_equal(ctr_top_cell(t, 1, 0), "Z");
	assert_string_equal(ctr_top_cell(t, 1, 1), "[sh]");
	assert_string_equal(ctr_top_cell(t, 1, 2), "1");
	ctr_top_free(t);
	real_remove(c, CTR_REMOVE_FORCE);
}

static void test_no_cgroup(void **state)
{
	static const char *const columns[] = {"pid", "args", NULL};
	static const char *const command[] = {"/bin/sh", "-c", "sleep 1000 & wait"};
	ctr_config_builder_t *b;
	ctr_container_t *c;
	ctr_stats_t *s = NULL;
	ctr_top_t *t;

	/* runc cannot. */
	if (real_is_runc())
		return;
	b = ctr_config_builder_new();
	ctr_config_builder_set_str(b, CTR_CONFIG_ROOTFS, ((struct real *)*state)->rootfs, NULL);
	for (size_t i = 0; i < 3; i++)
		ctr_config_builder_add_str(b, CTR_CONFIG_COMMAND, command[i], NULL);
	ctr_config_builder_set_bool(b, CTR_CONFIG_NO_CGROUPS, 1, NULL);
	c = real_create_from(*state, b);
	OK(ctr_container_start(c, 0, err));
	t = top_of(c, columns, 2, 1, "sleep 1000");
	assert_string_equal(ctr_top_cell(t, 0, 0), "1");
	assert_string_equal(ctr_top_cell(t, 1, 1), "sleep 1000");
	ctr_top_free(t);
	FAILS(CTR_E_NO_CGROUPS, ctr_container_stats(c, &s, err));
	real_remove(c, CTR_REMOVE_FORCE);
}

static void test_paused_and_ended(void **state)
{
	ctr_container_t *c = real_start_ready(*state, ENDS_ON_TERM);
	ctr_stats_t *s = NULL;
	ctr_top_t *t;

	OK(ctr_container_pause(c, err));
	t = top(c, NULL);
	assert_true(ctr_top_rows(t) >= 1);
	ctr_top_free(t);
	OK(ctr_container_stats(c, &s, err));
	ctr_stats_free(s);
	OK(ctr_container_unpause(c, err));
	OK(ctr_container_kill(c, SIGTERM, err));
	real_wait(c);
	FAILS(CTR_E_CTR_STATE, ctr_container_top(c, NULL, &t, err));
	FAILS(CTR_E_CTR_STATE, ctr_container_stats(c, &s, err));
	real_remove(c, 0);
}

/* ---- use of resources ---- */

static uint64_t value(const ctr_stats_t *s, int32_t what)
{
	uint64_t v = 0;

	if (!ctr_stats_value(s, what, &v))
		fail_msg("%s is not told", ctr_stats_name(what));
	return v;
}

static uint64_t number_of(char *text)
{
	uint64_t n = strtoull(text, NULL, 10);

	free(text);
	return n;
}

/* "name 123" of a file of its cgroup. */
static uint64_t key_of(ctr_container_t *c, const char *v1, const char *v2, const char *key)
{
	char *group = NULL, *text, *p;
	uint64_t n;

	OK(ctr_container_cgroup_path(c, &group, err));
	text = real_is_cgroup2() ? real_slurp("/sys/fs/cgroup%s/%s", group, v2)
	                         : real_slurp("/sys/fs/cgroup/%s%s/%s", "memory", group, v1);
	p = strstr(text, key);
	assert_non_null(p);
	n = strtoull(p + strlen(key), NULL, 10);
	free(text);
	ctr_free(group);
	return n;
}

/* Against the files themselves, of a container in which nothing moves. */
static void test_against_files(void **state)
{
	ctr_config_builder_t *b = real_builder(*state, "sleep 1000 & echo ready; wait");
	ctr_container_t *c = real_create_from(*state, b);
	ctr_stats_t *s = NULL;
	uint64_t limit;

	OK(ctr_container_start(c, 0, err));
	real_await_log(c, "ready");
	OK(ctr_container_pause(c, err));
	OK(ctr_container_stats(c, &s, err));
	assert_string_equal(ctr_stats_container_id(s), ctr_container_id(c));
	if (real_has_controller("pids"))
		assert_int_equal(value(s, CTR_STATS_PIDS),
		    number_of(real_cgroup_file(c, "pids", "pids.current", "pids.current")));
	if (real_has_controller("memory")) {
		uint64_t all = number_of(
		    real_cgroup_file(c, "memory", "memory.usage_in_bytes", "memory.current"));
		uint64_t cache = real_is_cgroup2()
		                     ? key_of(c, "", "memory.stat", "\ninactive_file ")
		                     : key_of(c, "memory.stat", "", "\ntotal_inactive_file ");

		/* podman's definition. */
		assert_int_equal(value(s, CTR_STATS_MEMORY_BYTES), all - cache);
		limit = value(s, CTR_STATS_MEMORY_LIMIT);
		assert_true(limit > 0 && limit <= (uint64_t)sysconf(_SC_PHYS_PAGES) *
		                                      (uint64_t)sysconf(_SC_PAGESIZE));
	}
	assert_true(value(s, CTR_STATS_CPU_NS) > 0);
	assert_true(value(s, CTR_STATS_UPTIME_NS) > 0);
	assert_int_equal(value(s, CTR_STATS_NET_RX_BYTES), 0);
	assert_false(ctr_stats_value(s, 0, NULL));
	assert_false(ctr_stats_value(s, 1000, NULL));
	ctr_stats_free(s);
	OK(ctr_container_unpause(c, err));
	real_remove(c, CTR_REMOVE_FORCE);
}

/* Time on CPUs, against what the kernel has counted for the process meanwhile. */
static uint64_t cpu_of_process(pid_t pid)
{
	char *stat = real_slurp("/proc/%d/stat", (int)pid), *p = strrchr(stat, ')');
	unsigned long user = 0, sys = 0;

	assert_non_null(p);
	assert_int_equal(
	    sscanf(p + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &sys), 2);
	free(stat);
	return (uint64_t)(user + sys) * (UINT64_C(1000000000) / (uint64_t)sysconf(_SC_CLK_TCK));
}

static ctr_stats_t *next_reading(ctr_stats_stream_t *stream)
{
	struct pollfd p = {ctr_stats_stream_fd(stream), POLLIN, 0};
	ctr_stats_t *s = NULL;

	for (;;) {
		int r;

		assert_true(poll(&p, 1, PATIENCE_MS) > 0);
		OK(r = ctr_stats_stream_next(stream, &s, err));
		if (r == 1)
			return s;
	}
}

static void test_cpu(void **state)
{
	ctr_container_t *c = real_start(*state, "while :; do :; done");
	ctr_stats_stream_t *stream = NULL;
	ctr_stats_t *a, *b = NULL;
	uint64_t by_kernel, cpu, time, at;
	pid_t pid = real_pid(c);

	OK(ctr_container_stats_stream(c, 50, &stream, err));
	a = next_reading(stream);
	by_kernel = cpu_of_process(pid);
	/* Until it has used a third of a second, however busy the machine is. */
	do {
		ctr_stats_free(b);
		b = next_reading(stream);
	} while (value(b, CTR_STATS_CPU_NS) - value(a, CTR_STATS_CPU_NS) < 300000000);
	by_kernel = cpu_of_process(pid) - by_kernel;
	cpu = value(b, CTR_STATS_CPU_NS) - value(a, CTR_STATS_CPU_NS);
	/* Two clocks of 10 ms, and two moments of reading. */
	assert_true(cpu > by_kernel * 7 / 10 && cpu < by_kernel * 13 / 10);
	/* One process: at most one CPU, and the share is that of the counters. */
	ctr_stats_free(a);
	a = b;
	b = next_reading(stream);
	cpu = value(b, CTR_STATS_CPU_NS) - value(a, CTR_STATS_CPU_NS);
	time = value(b, CTR_STATS_TIME_NS) - value(a, CTR_STATS_TIME_NS);
	at = cpu * 10000 / time;
	assert_true(value(b, CTR_STATS_CPU_PERMYRIAD) <= 11000);
	assert_true(value(b, CTR_STATS_CPU_PERMYRIAD) + 300 > at &&
	            value(b, CTR_STATS_CPU_PERMYRIAD) < at + 300);
	ctr_stats_free(a);
	ctr_stats_free(b);
	ctr_stats_stream_free(stream);
	real_remove(c, CTR_REMOVE_FORCE);
}

static void test_stream_ends(void **state)
{
	ctr_container_t *c = real_start_ready(*state, ENDS_ON_TERM);
	ctr_stats_stream_t *stream = NULL;
	ctr_stats_t *s;
	int r;

	FAILS(CTR_E_INVALID, ctr_container_stats_stream(c, 9, &stream, err));
	OK(ctr_container_stats_stream(c, 10, &stream, err));
	/* The first one is due at once, the next one is not. */
	s = next_reading(stream);
	ctr_stats_free(s);
	OK(ctr_container_kill(c, SIGTERM, err));
	real_wait(c);
	do {
		struct pollfd p = {ctr_stats_stream_fd(stream), POLLIN, 0};

		assert_true(poll(&p, 1, PATIENCE_MS) > 0);
		r = ctr_stats_stream_next(stream, &s, NULL);
	} while (r == 0);
	assert_int_equal(r, CTR_E_CTR_STATE);
	OK(ctr_container_remove(c, 0, err));
	do {
		struct pollfd p = {ctr_stats_stream_fd(stream), POLLIN, 0};

		assert_true(poll(&p, 1, PATIENCE_MS) > 0);
		r = ctr_stats_stream_next(stream, &s, NULL);
	} while (r == 0);
	assert_int_equal(r, CTR_E_CTR_REMOVED);
	ctr_stats_stream_free(stream);
	ctr_container_unref(c);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, real_setup, real_teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_default_columns),
	    TEST(test_all_columns),
	    TEST(test_bad_columns),
	    TEST(test_users),
	    TEST(test_hostile_names),
	    TEST(test_zombie),
	    TEST(test_no_cgroup),
	    TEST(test_paused_and_ended),
	    TEST(test_against_files),
	    TEST(test_cpu),
	    TEST(test_stream_ends),
	};

	real_init(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
