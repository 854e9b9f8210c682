/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the library says of a real container is true: real_state RUNTIME. Run by with-store.sh.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <libctr/libctr.h>

static const char *rootfs, *runtime;

#define OK(call)                                                           \
	do {                                                               \
		ctr_error_t *err = NULL;                                   \
		if ((call) < 0)                                            \
			fail_msg("%s: %s", #call, ctr_error_message(err)); \
	} while (0)

static ctr_runtime_t *open_store(void)
{
	struct ctr_open_opts o = {.size = sizeof o};
	ctr_runtime_t *rt = NULL;

	o.root = getenv("LIBCTR_ROOT");
	o.run_root = getenv("LIBCTR_RUN_ROOT");
	o.oci_runtimes = getenv("LIBCTR_OCI");
	OK(ctr_runtime_open(&o, &rt, &err));
	return rt;
}

static ctr_container_t *create(ctr_runtime_t *rt, const char *script, int64_t memory)
{
	ctr_config_builder_t *b = ctr_config_builder_new();
	ctr_config_t *cfg = NULL;
	ctr_container_t *c = NULL;

	ctr_config_builder_set_str(b, CTR_CONFIG_ROOTFS, rootfs, NULL);
	ctr_config_builder_add_str(b, CTR_CONFIG_COMMAND, "/bin/sh", NULL);
	ctr_config_builder_add_str(b, CTR_CONFIG_COMMAND, "-c", NULL);
	ctr_config_builder_add_str(b, CTR_CONFIG_COMMAND, script, NULL);
	if (memory)
		ctr_config_builder_set_num(b, CTR_SPEC_MEMORY, memory, NULL);
	OK(ctr_config_builder_build(b, &cfg, &err));
	OK(ctr_container_create(rt, cfg, 0, &c, &err));
	ctr_config_unref(cfg);
	ctr_config_builder_free(b);
	return c;
}

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

static void assert_comm(int32_t pid, const char *want)
{
	char path[64], comm[64] = "";
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/comm", pid);
	f = fopen(path, "re");
	if (!f || !fgets(comm, sizeof comm, f))
		fail_msg("%s: %s", path, strerror(errno));
	fclose(f);
	comm[strcspn(comm, "\n")] = 0;
	assert_string_equal(comm, want);
}

static void assert_exists(const char *path)
{
	if (access(path, F_OK) < 0)
		fail_msg("\"%s\" does not exist", path);
}

/* Waits until the container has made a file. */
static void await_file(const char *name)
{
	char path[4096];

	snprintf(path, sizeof path, "%s/%s", rootfs, name);
	while (access(path, F_OK) < 0)
		usleep(1000);
}

/* The namespaces are real, and not ours. */
static void check_namespaces(ctr_container_t *c)
{
	const int32_t kinds[] = {CTR_NS_IPC, CTR_NS_MOUNT, CTR_NS_NET, CTR_NS_PID, CTR_NS_UTS};

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		char *path = NULL, ours[64], a[64], b[64];
		ssize_t n, m;

		OK(ctr_container_namespace_path(c, kinds[i], &path, &err));
		snprintf(ours, sizeof ours, "/proc/self/ns/%s", ctr_ns_name(kinds[i]));
		n = readlink(path, a, sizeof a);
		m = readlink(ours, b, sizeof b);
		assert_true(n > 0 && m > 0);
		assert_false(n == m && memcmp(a, b, (size_t)n) == 0);
		ctr_free(path);
	}
}

/* The process is in the cgroup that is named, in some hierarchy. */
static void check_cgroup(ctr_container_t *c, int32_t pid)
{
	char *group = NULL, path[64], line[512];
	int found = 0;
	FILE *f;

	OK(ctr_container_cgroup_path(c, &group, &err));
	assert_non_null(strstr(group, ctr_container_id(c)));
	snprintf(path, sizeof path, "/proc/%d/cgroup", pid);
	f = fopen(path, "re");
	assert_non_null(f);
	while (fgets(line, sizeof line, f))
		found += strstr(line, group) != NULL;
	fclose(f);
	assert_true(found > 0);
	ctr_free(group);
}

static void check_running(const ctr_state_t *s, int64_t before)
{
	struct stat st;

	assert_int_equal(ctr_state_status(s), CTR_STATE_RUNNING);
	assert_comm(ctr_state_pid(s), "sh");
	assert_comm(ctr_state_conmon_pid(s), "conmon");
	assert_in_range(ctr_state_started_ns(s), before, now_ns());
	assert_int_equal(ctr_state_finished_ns(s), 0);
	assert_int_equal(ctr_state_exited(s), 0);
	assert_int_equal(ctr_state_mounted(s), 1);
	assert_string_equal(ctr_state_mountpoint(s), rootfs);
	assert_string_equal(ctr_state_error_text(s), "");
	assert_int_equal(stat(ctr_state_run_dir(s), &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	assert_exists(ctr_state_config_path(s));
}

static void check_ended(const ctr_state_t *s, int32_t code)
{
	assert_int_equal(ctr_state_pid(s), 0);
	assert_int_equal(ctr_state_exited(s), 1);
	assert_int_equal(ctr_state_exit_code(s), code);
	assert_in_range(ctr_state_finished_ns(s), ctr_state_started_ns(s), now_ns());
}

static void test_running_and_ended(void **state)
{
	ctr_runtime_t *rt = open_store();
	/* A first process ignores signals that it has not asked for: it says when it has. */
	ctr_container_t *c =
	    create(rt, "trap 'exit 5' TERM; touch /ready; while :; do sleep 0.1; done", 0);
	ctr_state_t *s = NULL;
	int64_t before = now_ns();
	int32_t code = -1;

	(void)state;
	assert_int_equal(strlen(ctr_container_id(c)), 64);
	OK(ctr_container_start(c, 0, &err));
	await_file("ready");
	OK(ctr_container_snapshot(c, &s, &err));
	check_running(s, before);
	check_namespaces(c);
	check_cgroup(c, ctr_state_pid(s));
	ctr_state_freep(&s);

	OK(ctr_container_kill(c, 15, &err));
	OK(ctr_container_wait(c, 10000, &code, &err));
	assert_int_equal(code, 5);
	OK(ctr_container_snapshot(c, &s, &err));
	check_ended(s, 5);
	assert_int_equal(ctr_state_oom_killed(s), 0);
	ctr_state_free(s);
	OK(ctr_container_remove(c, 0, &err));
	ctr_container_unref(c);
	ctr_runtime_unref(rt);
}

/* Needs a memory controller: with runc, whose host has one in either kind of cgroup. */
static void test_out_of_memory(void **state)
{
	ctr_runtime_t *rt;
	ctr_container_t *c;
	ctr_state_t *s = NULL;
	int32_t code = -1, oom = -1;

	(void)state;
	if (strcmp(runtime, "runc") != 0)
		return;
	rt = open_store();
	/* A variable that doubles until the limit strikes the shell itself. */
	c = create(rt, "x=0123456789; while :; do x=$x$x; done", INT64_C(16) << 20);
	OK(ctr_container_start(c, 0, &err));
	OK(ctr_container_wait(c, 60000, &code, &err));
	assert_int_equal(code, 137);
	OK(ctr_container_oom_killed(c, &oom, &err));
	assert_int_equal(oom, 1);
	OK(ctr_container_snapshot(c, &s, &err));
	check_ended(s, 137);
	assert_int_equal(ctr_state_oom_killed(s), 1);
	ctr_state_free(s);
	OK(ctr_container_remove(c, 0, &err));
	ctr_container_unref(c);
	ctr_runtime_unref(rt);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_running_and_ended),
	    cmocka_unit_test(test_out_of_memory),
	};

	if (argc != 2)
		return 2;
	rootfs = getenv("ROOTFS");
	runtime = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
