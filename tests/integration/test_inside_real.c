/* SPDX-License-Identifier: Apache-2.0 */
/* What a configuration asks for is what processes in a real container find: test_inside_real RUNTIME. */
#include "real.h"
#include "real_left.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the process ---- */

static void test_environment(void **state)
{
	struct real *r = *state;
	ctr_config_builder_t *b =
	    real_builder(r, "echo \"$K|$EMPTY|${TERM:-none}|$HOME\"; pwd; hostname; echo $0");

	ctr_config_builder_add_str(b, CTR_SPEC_ENV, "K=a value = with signs", NULL);
	ctr_config_builder_add_str(b, CTR_SPEC_ENV, "EMPTY=", NULL);
	ctr_config_builder_set_str(b, CTR_SPEC_WORKDIR, "/tmp", NULL);
	ctr_config_builder_set_str(b, CTR_SPEC_HOSTNAME, "box", NULL);
	real_says(r, b, "a value = with signs||none|/\n/tmp\nbox\n/bin/sh\n");
}

static void test_default_hostname(void **state)
{
	ctr_container_t *c = real_start(*state, "hostname");
	char wanted[16], *log;

	assert_int_equal(real_wait(c), 0);
	log = real_log(c);
	snprintf(wanted, sizeof(wanted), " %.12s\n", ctr_container_id(c));
	assert_non_null(strstr(log, wanted));
	free(log);
	real_remove(c, 0);
}

static void test_user(void **state)
{
	struct real *r = *state;
	ctr_config_builder_t *b =
	    real_builder(r, "id -u; id -g; grep CapEff /proc/self/status;"
	                    "touch /x 2>/dev/null || echo refused; touch /tmp/x && echo made");

	ctr_config_builder_set_str(b, CTR_CONFIG_USER, "1000:1001", NULL);
	real_says(r, b, "1000\n1001\nCapEff:\t0000000000000000\nrefused\nmade\n");
}

static void test_capabilities(void **state)
{
	struct real *r = *state;
	ctr_config_builder_t *b = real_builder(r, "grep -E 'Cap(Eff|Bnd|Amb)' /proc/self/status");

	real_says(r, b,
	    "CapEff:\t00000000800405fb\nCapBnd:\t00000000800405fb\nCapAmb:\t0000000000000000\n");
	b = real_builder(r, "grep CapEff /proc/self/status");
	ctr_config_builder_add_str(b, CTR_SPEC_CAP_DROP, "ALL", NULL);
	ctr_config_builder_add_str(b, CTR_SPEC_CAP_ADD, "net_admin", NULL);
	real_says(r, b, "CapEff:\t0000000000001000\n");
}

static void test_terminal(void **state)
{
	struct real *r = *state;
	ctr_config_builder_t *b = real_builder(r, "tty; test -t 0 && test -t 1 && echo three");

	ctr_config_builder_set_bool(b, CTR_SPEC_TERMINAL, 1, NULL);
	real_says(r, b, "/dev/pts/0\r\nthree\r\n");
	free(real_output(r, real_builder(r, "test -t 1"), 1));
}

/* With an open standard input a reader waits; without one it reads the end at once. */
static void test_stdin(void **state)
{
	struct real *r = *state;
	ctr_config_builder_t *b = real_builder(r, "echo ready; cat; echo end of input");
	ctr_container_t *c;
	char *log;

	real_says(r, b, "ready\nend of input\n");
	b = real_builder(r, "echo ready; cat; echo end of input");
	ctr_config_builder_set_bool(b, CTR_CONFIG_STDIN, 1, NULL);
	c = real_create_from(r, b);
	OK(ctr_container_start(c, 0, err));
	real_await_log(c, "ready");
	FAILS(CTR_E_TIMEOUT, ctr_container_wait(c, 200, NULL, err));
	log = real_log(c);
	assert_null(strstr(log, "end of input"));
	free(log);
	real_remove(c, CTR_REMOVE_FORCE);
}

/* ---- files ---- */

static void test_read_only(void **state)
{
	struct real *r = *state;
	ctr_config_builder_t *b = real_builder(
	    r, "touch /x 2>/dev/null || echo refused; touch /dev/shm/x && echo shm works");

	ctr_config_builder_set_bool(b, CTR_CONFIG_READ_ONLY, 1, NULL);
	real_says(r, b, "refused\nshm works\n");
	real_says(r, real_builder(r, "touch /x && echo made"), "made\n");
}

static void test_binds(void **state)
{
	struct real *r = *state;
	ctr_config_builder_t *b =
	    real_builder(r, "cat /in/f; touch /in/g 2>/dev/null || echo refused; echo out >/out/h");
	char path[200], bind[400], *text;

	snprintf(path, sizeof(path), "%s/data", r->dir);
	assert_int_equal(mkdir(path, 0755), 0);
	snprintf(bind, sizeof(bind), "%s:/in:ro", path);
	ctr_config_builder_add_str(b, CTR_SPEC_BIND, bind, NULL);
	snprintf(bind, sizeof(bind), "%s:/out", path);
	ctr_config_builder_add_str(b, CTR_SPEC_BIND, bind, NULL);
	snprintf(path, sizeof(path), "%s/data/f", r->dir);
	assert_int_equal(symlink("/etc/hello", path), 0);
	snprintf(path, sizeof(path), "%s/etc/hello", r->rootfs);
	{
		FILE *f = fopen(path, "we");

		assert_non_null(f);
		fputs("from the host\n", f);
		fclose(f);
	}
	real_says(r, b, "from the host\nrefused\n");
	text = real_slurp("%s/data/h", r->dir);
	assert_string_equal(text, "out\n");
	free(text);
}

static void test_shm(void **state)
{
	struct real *r = *state;
	ctr_config_builder_t *b =
	    real_builder(r, "df -k /dev/shm | tail -n 1 | { read a size b; echo $size; }");

	ctr_config_builder_set_num(b, CTR_CONFIG_SHM_SIZE, 8 << 20, NULL);
	real_says(r, b, "8192\n");
}

static void test_hidden_paths(void **state)
{
	struct real *r = *state;

	real_says(r,
	    real_builder(r, "for f in kcore keys timer_list sched_debug; do"
	                    "  test ! -e /proc/$f || tail -c 1 /proc/$f; done;"
	                    "test ! -e /sys/firmware || ls /sys/firmware;"
	                    "(echo 1 >/proc/sys/kernel/sysrq) 2>/dev/null || echo refused"),
	    "refused\n");
}

static void test_root_is_the_directory_as_it_is(void **state)
{
	struct real *r = *state;
	char *text;

	free(real_output(r, real_builder(r, "echo kept >/file"), 0));
	text = real_slurp("%s/file", r->rootfs);
	assert_string_equal(text, "kept\n");
	free(text);
}

/* ---- labels and annotations ---- */

static void test_labels(void **state)
{
	struct real *r = *state;
	ctr_config_builder_t *b = real_builder(r, IGNORES_TERM);
	ctr_container_t *c;
	ctr_config_t *cfg;
	ctr_list_t *list = NULL;

	ctr_config_builder_set_map(b, CTR_CONFIG_LABELS, "tier", "front", NULL);
	ctr_config_builder_set_map(b, CTR_SPEC_ANNOTATION, "org.example.a", "b", NULL);
	c = real_create_from(r, b);
	OK(ctr_container_start(c, 0, err));
	cfg = ctr_container_config(c);
	assert_string_equal(ctr_config_label(cfg, "tier"), "front");
	ctr_config_unref(cfg);
	OK(ctr_runtime_list(r->rt, (const char *const[]){"label=tier=front", "state=running", NULL},
	    0, &list, err));
	assert_int_equal(ctr_list_count(list), 1);
	assert_string_equal(ctr_list_id(list, 0), ctr_container_id(c));
	assert_int_equal(ctr_list_pid(list, 0), real_pid(c));
	ctr_list_free(list);
	real_remove(c, CTR_REMOVE_FORCE);
}

/* ---- cgroups ---- */

static ctr_container_t *limited(struct real *r, int32_t field, int64_t value, const char *script)
{
	ctr_config_builder_t *b = real_builder(r, script);

	ctr_config_builder_set_num(b, field, value, NULL);
	return real_create_from(r, b);
}

/* Without the controller a limit that was asked for is an error, not forgotten. */
static void assert_refused(ctr_container_t *c)
{
	assert_true(ctr_container_start(c, 0, NULL) < 0);
	assert_state(c, CTR_STATE_CONFIGURED);
	real_remove(c, 0);
}

static void assert_limit(
    ctr_container_t *c, const char *controller, const char *v1, const char *v2, const char *wanted)
{
	char *text;

	if (!real_has_controller(controller)) {
		assert_refused(c);
		return;
	}
	OK(ctr_container_start(c, 0, err));
	text = real_cgroup_file(c, controller, v1, v2);
	assert_string_equal(text, wanted);
	free(text);
	real_remove(c, CTR_REMOVE_FORCE);
}

static void test_limits(void **state)
{
	struct real *r = *state;

	assert_limit(limited(r, CTR_SPEC_MEMORY, 64 << 20, IGNORES_TERM), "memory",
	    "memory.limit_in_bytes", "memory.max", "67108864");
	assert_limit(
	    limited(r, CTR_SPEC_PIDS, 123, IGNORES_TERM), "pids", "pids.max", "pids.max", "123");
	assert_limit(limited(r, CTR_SPEC_CPU_QUOTA, 50000, IGNORES_TERM), "cpu", "cpu.cfs_quota_us",
	    "cpu.max", real_is_cgroup2() ? "50000 100000" : "50000");
}

static void test_default_pids_limit(void **state)
{
	ctr_container_t *c = real_start(*state, IGNORES_TERM);
	char *text = real_cgroup_file(c, "pids", "pids.max", "pids.max");

	assert_string_equal(text, real_has_controller("pids") ? "2048" : "");
	free(text);
	real_remove(c, CTR_REMOVE_FORCE);
}

static void test_oom(void **state)
{
	ctr_container_t *c =
	    limited(*state, CTR_SPEC_MEMORY, 16 << 20, "x=0123456789; while :; do x=$x$x; done");
	int32_t oom = -1;

	if (!real_has_controller("memory")) {
		assert_refused(c);
		return;
	}
	OK(ctr_container_start(c, 0, err));
	assert_int_equal(real_wait(c), 137);
	OK(ctr_container_oom_killed(c, &oom, err));
	assert_int_equal(oom, 1);
	/* It belongs to the run, not to the container. */
	OK(ctr_container_init(c, 0, err));
	OK(ctr_container_oom_killed(c, &oom, err));
	assert_int_equal(oom, 0);
	real_remove(c, 0);
}

/* Every process is in the cgroup that the accessor names. */
static void test_cgroup_path(void **state)
{
	struct real *r = *state;
	ctr_container_t *c = real_create(r, IGNORES_TERM);
	char *path = NULL, *table, wanted[200];

	snprintf(wanted, sizeof(wanted), "%s/libpod-%s", r->cgroup, ctr_container_id(c));
	OK(ctr_container_cgroup_path(c, &path, err));
	assert_string_equal(path, wanted);
	ctr_free(path);
	OK(ctr_container_start(c, 0, err));
	OK(ctr_container_cgroup_path(c, &path, err));
	assert_non_null(strstr(path, wanted));
	table = real_slurp("/proc/%d/cgroup", real_pid(c));
	assert_non_null(strstr(table, path));
	free(table);
	ctr_free(path);
	real_remove(c, CTR_REMOVE_FORCE);
}

static void test_default_cgroup_parent(void **state)
{
	struct real *r = *state;
	ctr_config_builder_t *b = real_builder(r, IGNORES_TERM);
	ctr_container_t *c;
	char id[80], *path = NULL;

	ctr_config_builder_set_str(b, CTR_CONFIG_CGROUP_PARENT, NULL, NULL);
	c = real_create_from(r, b);
	snprintf(id, sizeof(id), "%s", ctr_container_id(c));
	OK(ctr_container_start(c, 0, err));
	OK(ctr_container_cgroup_path(c, &path, err));
	assert_non_null(strstr(path, "/libpod_parent/libpod-"));
	ctr_free(path);
	real_remove(c, CTR_REMOVE_FORCE);
	assert_true(real_no_cgroup(id));
}

static void test_no_cgroups(void **state)
{
	struct real *r = *state;
	ctr_config_builder_t *b = real_builder(r, IGNORES_TERM);
	ctr_config_t *cfg = NULL;
	ctr_container_t *c = NULL;
	char *path = NULL;

	ctr_config_builder_set_bool(b, CTR_CONFIG_NO_CGROUPS, 1, NULL);
	ctr_config_builder_set_str(b, CTR_CONFIG_CGROUP_PARENT, NULL, NULL);
	OK(ctr_config_builder_build(b, &cfg, err));
	ctr_config_builder_free(b);
	if (real_is_runc()) {
		FAILS(CTR_E_UNSUPPORTED, ctr_container_create(r->rt, cfg, 0, &c, err));
		ctr_config_unref(cfg);
		return;
	}
	OK(ctr_container_create(r->rt, cfg, 0, &c, err));
	ctr_config_unref(cfg);
	OK(ctr_container_start(c, 0, err));
	FAILS(CTR_E_NO_CGROUPS, ctr_container_cgroup_path(c, &path, err));
	FAILS(CTR_E_NO_CGROUPS, ctr_container_pause(c, err));
	OK(ctr_container_stop_with_timeout(c, 0, err));
	assert_int_equal(real_wait(c), 137);
	real_remove(c, 0);
}

/* ---- namespaces ---- */

static void namespace_of(pid_t pid, int32_t ns, char out[64])
{
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, ctr_ns_name(ns));
	n = readlink(path, out, 63);
	assert_true(n > 0);
	out[n] = '\0';
}

static bool same_namespace(pid_t a, pid_t b, int32_t ns)
{
	char one[64], two[64];

	namespace_of(a, ns, one);
	namespace_of(b, ns, two);
	return strcmp(one, two) == 0;
}

static const int32_t private_kinds[] = {
    CTR_NS_IPC, CTR_NS_MOUNT, CTR_NS_NET, CTR_NS_PID, CTR_NS_UTS};
#define KINDS (sizeof(private_kinds) / sizeof(*private_kinds))

static void test_own_namespaces(void **state)
{
	ctr_container_t *c = real_start(*state, IGNORES_TERM);
	char *path = NULL, wanted[64];

	for (size_t i = 0; i < KINDS; i++) {
		assert_false(same_namespace(real_pid(c), getpid(), private_kinds[i]));
		OK(ctr_container_namespace_path(c, private_kinds[i], &path, err));
		snprintf(wanted, sizeof(wanted), "/proc/%d/ns/%s", real_pid(c),
		    ctr_ns_name(private_kinds[i]));
		assert_string_equal(path, wanted);
		ctr_free(path);
	}
	assert_true(same_namespace(real_pid(c), getpid(), CTR_NS_USER));
	real_remove(c, CTR_REMOVE_FORCE);
}

static void test_host_network(void **state)
{
	struct real *r = *state;
	ctr_config_builder_t *b = real_builder(r, IGNORES_TERM);
	ctr_container_t *c;

	ctr_config_builder_set_bool(b, CTR_SPEC_HOST_NETWORK, 1, NULL);
	c = real_create_from(r, b);
	OK(ctr_container_start(c, 0, err));
	assert_true(same_namespace(real_pid(c), getpid(), CTR_NS_NET));
	real_remove(c, CTR_REMOVE_FORCE);
}

static const struct {
	int32_t ns, field;
} joins[] = {{CTR_NS_NET, CTR_CONFIG_NET_NS_CTR}, {CTR_NS_IPC, CTR_CONFIG_IPC_NS_CTR},
    {CTR_NS_UTS, CTR_CONFIG_UTS_NS_CTR}, {CTR_NS_PID, CTR_CONFIG_PID_NS_CTR}};

/* Its namespaces of these kinds are those of `owner`, the others are its own. */
static void test_joined_namespaces(void **state)
{
	struct real *r = *state;
	ctr_container_t *owner = real_create(r, IGNORES_TERM);

	for (size_t i = 0; i < sizeof(joins) / sizeof(*joins); i++) {
		ctr_config_builder_t *b = real_builder(r, ENDS_ON_TERM);
		ctr_container_t *c;

		ctr_config_builder_set_str(b, joins[i].field, ctr_container_id(owner), NULL);
		c = real_create_from(r, b);
		/* The owner must run. */
		if (i == 0) {
			FAILS(CTR_E_CTR_STATE, ctr_container_start(c, 0, err));
			OK(ctr_container_start(owner, 0, err));
		}
		FAILS(CTR_E_CTR_EXISTS, ctr_container_remove(owner, CTR_REMOVE_FORCE, err));
		assert_state(owner, CTR_STATE_RUNNING);
		OK(ctr_container_start(c, 0, err));
		for (size_t k = 0; k < KINDS; k++)
			assert_int_equal(
			    same_namespace(real_pid(c), real_pid(owner), private_kinds[k]),
			    private_kinds[k] == joins[i].ns);
		real_await_log(c, "ready");
		OK(ctr_container_stop(c, NULL, err));
		assert_int_equal(real_wait(c), 5);
		real_remove(c, 0);
	}
	real_remove(owner, CTR_REMOVE_FORCE);
}

/* All of a container's processes end with it, also in somebody else's PID namespace. */
static void test_no_process_of_a_joined_pid_namespace_is_left(void **state)
{
	struct real *r = *state;
	ctr_container_t *owner = real_start(r, IGNORES_TERM), *c;
	ctr_config_builder_t *b = real_builder(r, "sleep 1000 & sleep 1001 & echo ready; wait");
	char *text;

	ctr_config_builder_set_str(b, CTR_CONFIG_PID_NS_CTR, ctr_container_id(owner), NULL);
	c = real_create_from(r, b);
	OK(ctr_container_start(c, 0, err));
	real_await_log(c, "ready");
	OK(ctr_container_stop_with_timeout(c, 0, err));
	assert_int_equal(real_wait(c), 137);
	real_remove(c, 0);
	assert_state(owner, CTR_STATE_RUNNING);
	b = real_builder(r, "cat /proc/[0-9]*/cmdline | grep -c -a sleep.100[01]");
	ctr_config_builder_set_str(b, CTR_CONFIG_PID_NS_CTR, ctr_container_id(owner), NULL);
	/* The pattern itself is the last process that has it. */
	text = real_output(r, b, 0);
	assert_string_equal(text, "1\n");
	free(text);
	real_remove(owner, CTR_REMOVE_FORCE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, real_setup, real_teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_environment),
	    TEST(test_default_hostname),
	    TEST(test_user),
	    TEST(test_capabilities),
	    TEST(test_terminal),
	    TEST(test_stdin),
	    TEST(test_read_only),
	    TEST(test_binds),
	    TEST(test_shm),
	    TEST(test_hidden_paths),
	    TEST(test_root_is_the_directory_as_it_is),
	    TEST(test_labels),
	    TEST(test_limits),
	    TEST(test_default_pids_limit),
	    TEST(test_oom),
	    TEST(test_cgroup_path),
	    TEST(test_default_cgroup_parent),
	    TEST(test_no_cgroups),
	    TEST(test_own_namespaces),
	    TEST(test_host_network),
	    TEST(test_joined_namespaces),
	    TEST(test_no_process_of_a_joined_pid_namespace_is_left),
	};

	real_init(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
