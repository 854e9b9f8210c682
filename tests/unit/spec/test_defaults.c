/* SPDX-License-Identifier: Apache-2.0 */
/* The default spec, member by member. */
#include "spec_test.h"

#include "spec/host.h"
#include "spec/mounts.h"
#include "spec/spec.h"
#include "sys/caps.h"

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})
#define WISH(...) (&(struct ctr__spec_wish){.args = LIST("/bin/true"), __VA_ARGS__})

/* Makes the spec as the root of a new document; it always passes the check of specs. */
static struct ctr__json_doc *make(const struct ctr__spec_wish *w)
{
	struct ctr__json_doc *d = ctr__json_doc_new();

	assert_non_null(d);
	assert_int_equal(ctr__spec_default(w, d, &d->root, NULL), 0);
	assert_int_equal(ctr__spec_validate(d->root, NULL), 0);
	return d;
}

#define SPEC(name, ...) CTR__JSON_DOC struct ctr__json_doc *name = make(WISH(__VA_ARGS__))
#define AT(name, ...)   ctr__json_path((name)->root, __VA_ARGS__, NULL)

static bool list_has(const struct ctr__json *list, const char *s)
{
	CTR__JSON_EACH (v, list) {
		if (ctr__streq(ctr__json_str(v), s))
			return true;
	}
	return false;
}

static bool has_namespace(const struct ctr__json_doc *d, const char *type)
{
	CTR__JSON_EACH (ns, AT(d, "linux", "namespaces")) {
		if (ctr__streq(ctr__json_str(ctr__json_get(ns, "type")), type))
			return true;
	}
	return false;
}

static void test_frame(void **state)
{
	SPEC(d, .hostname = "web", .workdir = "/srv");

	(void)state;
	assert_json(AT(d, "ociVersion"), "'1.0.2'");
	assert_json(AT(d, "root"), "{'path':'','readonly':false}");
	assert_json(AT(d, "hostname"), "'web'");
	assert_json(AT(d, "process", "args"), "['/bin/true']");
	assert_json(AT(d, "process", "cwd"), "'/srv'");
	assert_json(AT(d, "process", "user"), "{'uid':0,'gid':0}");
	assert_json(AT(d, "process", "terminal"), "false");
	assert_json(AT(d, "process", "noNewPrivileges"), "false");
	assert_null(AT(d, "annotations"));
	assert_null(AT(d, "hooks"));
}

static void test_flags(void **state)
{
	SPEC(d, .read_only = true, .terminal = true, .no_new_privs = true);

	(void)state;
	assert_json(AT(d, "root", "readonly"), "true");
	assert_json(AT(d, "process", "terminal"), "true");
	assert_json(AT(d, "process", "noNewPrivileges"), "true");
	assert_null(AT(d, "hostname"));
	assert_json(AT(d, "process", "cwd"), "'/'");
}

#define STANDARD_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static void test_env_defaults(void **state)
{
	SPEC(plain, .env = NULL);
	SPEC(terminal, .terminal = true);

	(void)state;
	assert_json(AT(plain, "process", "env"), "['" STANDARD_PATH "','container=libctr']");
	assert_json(AT(terminal, "process", "env"),
	    "['" STANDARD_PATH "','container=libctr','TERM=xterm']");
}

static void test_env_of_the_user_wins(void **state)
{
	SPEC(d, .terminal = true, .env = LIST("PATH=/x", "A=1", "TERM=vt100", "A=2", "PATHS=z"));

	(void)state;
	assert_json(
	    AT(d, "process", "env"), "['container=libctr','PATH=/x','TERM=vt100','A=2','PATHS=z']");
}

static void test_capabilities(void **state)
{
	CTR__STRV char **all = NULL;
	SPEC(d, .cap_drop = LIST("ALL"), .cap_add = LIST("chown"));
	SPEC(normal, .env = NULL);

	(void)state;
	assert_json(AT(d, "process", "capabilities"),
	    "{'bounding':['CAP_CHOWN'],'effective':['CAP_CHOWN'],'permitted':['CAP_CHOWN'],"
	    "'inheritable':[]}");
	assert_int_equal(ctr__caps_all(&all, NULL), 0);
	assert_int_equal(list_has(AT(normal, "process", "capabilities", "effective"), "CAP_SETUID"),
	    ctr__strv_has((const char *const *)all, "CAP_SETUID"));
	assert_false(list_has(AT(normal, "process", "capabilities", "bounding"), "CAP_SYS_ADMIN"));
	assert_false(list_has(AT(normal, "process", "capabilities", "bounding"), "CAP_MKNOD"));
}

static void test_standard_mounts(void **state)
{
	SPEC(d, .env = NULL);
	const struct ctr__json *mounts = AT(d, "mounts");

	(void)state;
	assert_json(ctr__mounts_find(mounts, "/dev"),
	    "{'destination':'/dev','type':'tmpfs','source':'tmpfs',"
	    "'options':['nosuid','strictatime','mode=755','size=65536k']}");
	assert_json(ctr__json_get(ctr__mounts_find(mounts, "/dev/pts"), "options"),
	    "['nosuid','noexec','newinstance','ptmxmode=0666','mode=0620','gid=5']");
	assert_json(ctr__json_get(ctr__mounts_find(mounts, "/sys"), "options"),
	    "['nosuid','noexec','nodev','ro']");
	assert_json(ctr__json_get(ctr__mounts_find(mounts, "/proc"), "type"), "'proc'");
	assert_json(ctr__json_get(ctr__mounts_find(mounts, "/dev/mqueue"), "type"), "'mqueue'");
	assert_null(ctr__mounts_find(mounts, "/dev/shm"));
	assert_json(ctr__mounts_find(mounts, "/sys/fs/cgroup"),
	    "{'destination':'/sys/fs/cgroup','type':'cgroup','source':'cgroup',"
	    "'options':['ro','nosuid','noexec','nodev','relatime']}");
}

static void test_binds(void **state)
{
	SPEC(d, .binds = LIST("/host/a:/data:ro", "/host/m:/dev/mqueue/", "/host/s:/dev/shm"));
	const struct ctr__json *mounts = AT(d, "mounts");

	(void)state;
	assert_json(ctr__mounts_find(mounts, "/data"),
	    "{'destination':'/data','type':'bind','source':'/host/a',"
	    "'options':['rbind','rprivate','ro']}");
	assert_json(ctr__mounts_find(mounts, "/dev/mqueue"),
	    "{'destination':'/dev/mqueue/','type':'bind','source':'/host/m',"
	    "'options':['rbind','rprivate']}");
	assert_json(ctr__json_get(ctr__mounts_find(mounts, "/dev/shm"), "source"), "'/host/s'");
}

static void test_namespaces(void **state)
{
	static const char *const always[] = {"pid", "ipc", "uts", "mount", "cgroup"};
	SPEC(plain, .env = NULL);
	SPEC(host, .host_network = true);
	SPEC(joined, .join_net = true, .join_pid = true, .join_ipc = true, .join_user = true);

	(void)state;
	for (size_t i = 0; i < CTR__ARRAY_SIZE(always); i++) {
		assert_true(has_namespace(plain, always[i]));
		assert_true(has_namespace(host, always[i]));
		assert_true(has_namespace(joined, always[i]));
	}
	assert_true(has_namespace(plain, "network"));
	assert_false(has_namespace(host, "network"));
	assert_true(has_namespace(joined, "network"));
	assert_false(has_namespace(plain, "user"));
	assert_true(has_namespace(joined, "user"));
}

static void test_limits_asked_for_stay(void **state)
{
	SPEC(d, .memory = 64 << 20, .cpu_quota = 25000, .pids = 7);

	(void)state;
	assert_json(AT(d, "linux", "resources", "memory"), "{'limit':67108864}");
	assert_json(AT(d, "linux", "resources", "cpu"), "{'quota':25000,'period':100000}");
	assert_json(AT(d, "linux", "resources", "pids"), "{'limit':7}");
}

static void test_default_limit_of_processes(void **state)
{
	SPEC(d, .env = NULL);
	SPEC(unlimited, .pids = -1);
	SPEC(no_cgroups, .no_cgroups = true);
	bool possible = ctr__host_has_pids("/sys/fs/cgroup");

	(void)state;
	assert_json(AT(d, "linux", "resources", "pids"), possible ? "{'limit':2048}" : "absent");
	assert_null(AT(d, "linux", "resources", "memory"));
	assert_null(AT(d, "linux", "resources", "cpu"));
	assert_null(AT(unlimited, "linux", "resources", "pids"));
	assert_null(AT(no_cgroups, "linux", "resources"));
}

static void test_device_rules(void **state)
{
	CTR__STRV char **all = NULL;
	SPEC(d, .env = NULL);
	SPEC(privileged, .privileged = true);
	SPEC(makes_nodes, .cap_add = LIST("mknod"));
	SPEC(no_cgroups, .privileged = true, .no_cgroups = true);

	(void)state;
	assert_int_equal(ctr__caps_all(&all, NULL), 0);
	assert_json(AT(d, "linux", "resources", "devices"),
	    ctr__host_can_filter_devices((const char *const *)all)
	        ? "[{'allow':false,'access':'rwm'}]"
	        : "absent");
	assert_json(
	    AT(privileged, "linux", "resources", "devices"), "[{'allow':true,'access':'rwm'}]");
	assert_null(AT(no_cgroups, "linux", "resources"));
	/* who can make nodes must not reach every device, whatever the host can do */
	assert_json(
	    AT(makes_nodes, "linux", "resources", "devices"), "[{'allow':false,'access':'rwm'}]");
}

static void test_hidden_paths(void **state)
{
	SPEC(d, .env = NULL);

	(void)state;
	assert_json(AT(d, "linux", "maskedPaths"),
	    "['/proc/acpi','/proc/kcore','/proc/keys','/proc/latency_stats','/proc/timer_list',"
	    "'/proc/timer_stats','/proc/sched_debug','/proc/scsi','/sys/firmware',"
	    "'/sys/fs/selinux','/sys/dev/block','/sys/devices/virtual/powercap']");
	assert_json(AT(d, "linux", "readonlyPaths"),
	    "['/proc/asound','/proc/bus','/proc/fs','/proc/irq','/proc/sys',"
	    "'/proc/sysrq-trigger']");
}

static void test_privileged(void **state)
{
	SPEC(d, .privileged = true);
	CTR__STRV char **all = NULL;

	(void)state;
	assert_null(AT(d, "linux", "maskedPaths"));
	assert_null(AT(d, "linux", "readonlyPaths"));
	assert_json(ctr__json_get(ctr__mounts_find(AT(d, "mounts"), "/sys"), "options"),
	    "['nosuid','noexec','nodev','rw']");
	assert_int_equal(ctr__caps_all(&all, NULL), 0);
	assert_int_equal(AT(d, "process", "capabilities", "bounding")->count,
	    ctr__strv_len((const char *const *)all));
}

static void test_annotations(void **state)
{
	const struct ctr__cfg_pair pairs[] = {{"a", "1"}, {"b", ""}};
	const struct ctr__cfg_map map = {.v = pairs, .n = 2};
	SPEC(d, .annotations = &map);

	(void)state;
	assert_json(AT(d, "annotations"), "{'a':'1','b':''}");
}

static void test_errors_leave_the_output_alone(void **state)
{
	CTR__JSON_DOC struct ctr__json_doc *d = ctr__json_doc_new();
	struct ctr__json *out = NULL;

	(void)state;
	ASSERT_FAILS(
	    ctr__spec_default(&(struct ctr__spec_wish){0}, d, &out, err), CTR_E_INVALID, "command");
	ASSERT_FAILS(ctr__spec_default(WISH(.cap_add = LIST("nothing")), d, &out, err),
	    CTR_E_INVALID, "CTR_SPEC_CAP_ADD");
	ASSERT_FAILS(ctr__spec_default(WISH(.binds = LIST("x")), d, &out, err), CTR_E_INVALID,
	    "CTR_SPEC_BIND");
	assert_null(out);
	assert_null(d->root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_frame),
	    cmocka_unit_test(test_flags),
	    cmocka_unit_test(test_env_defaults),
	    cmocka_unit_test(test_env_of_the_user_wins),
	    cmocka_unit_test(test_capabilities),
	    cmocka_unit_test(test_standard_mounts),
	    cmocka_unit_test(test_binds),
	    cmocka_unit_test(test_namespaces),
	    cmocka_unit_test(test_limits_asked_for_stay),
	    cmocka_unit_test(test_default_limit_of_processes),
	    cmocka_unit_test(test_device_rules),
	    cmocka_unit_test(test_hidden_paths),
	    cmocka_unit_test(test_privileged),
	    cmocka_unit_test(test_annotations),
	    cmocka_unit_test(test_errors_leave_the_output_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
