/* SPDX-License-Identifier: Apache-2.0 */
/* Pods with real containers. */
#include "real.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define WAITS "trap 'exit 5' TERM; echo ready; sleep 1000 & wait"

static ctr_pod_t *make_pod(const struct real *r, const struct ctr_pod_opts *more)
{
	struct ctr_pod_opts o = {.size = sizeof(o)};
	ctr_pod_config_t *cfg = NULL;
	ctr_pod_t *pod = NULL;

	if (more)
		o = *more;
	o.size = sizeof(o);
	o.cgroup_parent = r->cgroup;
	OK(ctr_pod_config_new(&o, &cfg, err));
	OK(ctr_pod_create(r->rt, cfg, 0, &pod, err));
	ctr_pod_config_unref(cfg);
	return pod;
}

static ctr_container_t *add_member(const struct real *r, const ctr_pod_t *pod, const char *script)
{
	ctr_config_builder_t *b = real_builder(r, script);

	OK(ctr_config_builder_set_str(b, CTR_CONFIG_POD, ctr_pod_id(pod), err));
	/* The pod's, not that of the tests. */
	OK(ctr_config_builder_set_str(b, CTR_CONFIG_CGROUP_PARENT, "", err));
	return real_create_from(r, b);
}

static ctr_container_t *infra_of(const struct real *r, ctr_pod_t *pod)
{
	ctr_container_t *c = NULL;
	char *id = NULL;

	OK(ctr_pod_infra(pod, &id, err));
	OK(ctr_container_get(r->rt, id, &c, err));
	ctr_free(id);
	return c;
}

static void status_is(ctr_pod_t *pod, const char *word)
{
	int32_t state = 0;

	OK(ctr_pod_status(pod, &state, err));
	assert_string_equal(ctr_pod_state_name(state), word);
}

static ino_t namespace_of(ctr_container_t *c, const char *kind)
{
	struct stat st;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", real_pid(c), kind);
	assert_int_equal(stat(path, &st), 0);
	return st.st_ino;
}

/* Is the pod's cgroup there, in some hierarchy? */
static bool has_cgroup(const struct real *r, const ctr_pod_t *pod)
{
	char path[512];

	snprintf(path, sizeof(path), "%s%s/%s",
	    real_is_cgroup2() ? "/sys/fs/cgroup" : "/sys/fs/cgroup/pids", r->cgroup,
	    ctr_pod_id(pod));
	return access(path, F_OK) == 0;
}

static void namespaces_are_shared(void **state)
{
	static const char *const shared[] = {"net", "ipc", "uts"};
	static const char *const own[] = {"mnt", "pid"};
	struct real *r = *state;
	const struct ctr_pod_opts o = {.name = "web", .hostname = "web-host"};
	ctr_pod_t *pod = make_pod(r, &o);
	ctr_container_t *infra = infra_of(r, pod);
	ctr_container_t *a = add_member(r, pod, "hostname; cat /proc/net/dev; " WAITS);
	ctr_container_t *b = add_member(r, pod, WAITS);
	char *group = NULL, parent[256];

	OK(ctr_pod_start(pod, 0, err));
	status_is(pod, "Running");
	real_await_log(a, "ready");
	for (size_t i = 0; i < sizeof(shared) / sizeof(*shared); i++) {
		assert_true(namespace_of(a, shared[i]) == namespace_of(b, shared[i]));
		assert_true(namespace_of(a, shared[i]) == namespace_of(infra, shared[i]));
	}
	for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++)
		assert_true(namespace_of(a, own[i]) != namespace_of(b, own[i]));
	/* The pod's host name and the loopback device of its network. */
	real_await_log(a, "web-host");
	real_await_log(a, "lo:");
	OK(ctr_container_cgroup_path(a, &group, err));
	snprintf(parent, sizeof(parent), "%s/%s/", r->cgroup, ctr_pod_id(pod));
	assert_non_null(strstr(group, parent));
	ctr_free(group);
	assert_true(has_cgroup(r, pod));
	OK(ctr_pod_remove(pod, 0, CTR_POD_REMOVE_FORCE, err));
	assert_false(has_cgroup(r, pod));
	ctr_container_unref(infra);
	ctr_container_unref(a);
	ctr_container_unref(b);
	ctr_pod_unref(pod);
}

static void localhost_is_one_place(void **state)
{
	struct real *r = *state;
	ctr_pod_t *pod = make_pod(r, NULL);
	ctr_container_t *server, *client;
	int32_t code = -1;

	server =
	    add_member(r, pod, "/bin/busybox nc -l -p 4711 -e /bin/echo served & echo ready; wait");
	client = add_member(r, pod,
	    "i=0; until /bin/busybox nc 127.0.0.1 4711; do i=$((i+1)); "
	    "test $i -lt 200 || exit 7; /bin/busybox usleep 50000; done");
	OK(ctr_pod_start(pod, 0, err));
	code = real_wait(client);
	assert_int_equal(code, 0);
	real_await_log(client, "served");
	OK(ctr_pod_remove(pod, 0, CTR_POD_REMOVE_FORCE, err));
	ctr_container_unref(server);
	ctr_container_unref(client);
	ctr_pod_unref(pod);
}

/* Process 1 of a shared PID namespace is the pause program: it collects the orphans of all. */
static void processes_may_be_shared(void **state)
{
	struct real *r = *state;
	const struct ctr_pod_opts o = {.shares = CTR_POD_SHARE_PID | CTR_POD_SHARE_CGROUP};
	ctr_pod_t *pod = make_pod(r, &o);
	ctr_container_t *infra = infra_of(r, pod);
	ctr_container_t *a = add_member(r, pod,
	    "/bin/busybox tr '\\0' ' ' </proc/1/cmdline; (sleep 0.1 &); sleep 1; grep -l "
	    "'^State:.Z' /proc/[0-9]*/status; "
	    "echo ready; sleep 1000");
	char *log;

	OK(ctr_pod_start(pod, 0, err));
	real_await_log(a, "ready");
	assert_true(namespace_of(a, "pid") == namespace_of(infra, "pid"));
	log = real_log(a);
	assert_non_null(strstr(log, "/pause"));
	assert_null(strstr(log, "/status"));
	free(log);
	OK(ctr_pod_stop(pod, 0, CTR_POD_STOP_NOW, err));
	status_is(pod, "Exited");
	OK(ctr_pod_remove(pod, 0, 0, err));
	ctr_container_unref(infra);
	ctr_container_unref(a);
	ctr_pod_unref(pod);
}

static void a_life(void **state)
{
	struct real *r = *state;
	ctr_pod_t *pod = make_pod(r, NULL);
	ctr_container_t *infra = infra_of(r, pod);
	ctr_container_t *a = add_member(r, pod, WAITS), *b = add_member(r, pod, WAITS);
	int32_t pid, code, exited;

	status_is(pod, "Created");
	OK(ctr_pod_start(pod, 0, err));
	status_is(pod, "Running");
	real_await_log(a, "ready");
	real_await_log(b, "ready");
	OK(ctr_pod_pause(pod, err));
	status_is(pod, "Paused");
	assert_state(infra, CTR_STATE_PAUSED);
	OK(ctr_pod_unpause(pod, err));
	status_is(pod, "Running");
	pid = real_pid(a);
	OK(ctr_pod_restart(pod, 0, err));
	status_is(pod, "Running");
	assert_int_not_equal(real_pid(a), pid);
	real_await_log_times(a, "ready", 2);
	OK(ctr_container_kill(a, SIGKILL, err));
	status_is(pod, "Degraded");
	OK(ctr_pod_start(pod, 0, err));
	status_is(pod, "Running");
	/* Before it is ready it does not hear what asks it to end. */
	real_await_log_times(a, "ready", 3);
	real_await_log_times(b, "ready", 2);
	OK(ctr_pod_stop(pod, 20000, 0, err));
	status_is(pod, "Exited");
	/* The pause program ends by itself when it is asked to. */
	OK(ctr_container_exit_code(infra, &code, &exited, err));
	assert_int_equal(code, 0);
	OK(ctr_pod_start(pod, 0, err));
	OK(ctr_pod_kill(pod, SIGKILL, err));
	status_is(pod, "Exited");
	OK(ctr_pod_remove(pod, 0, 0, err));
	ctr_container_unref(infra);
	ctr_container_unref(a);
	ctr_container_unref(b);
	ctr_pod_unref(pod);
}

static void a_failing_member_is_named(void **state)
{
	struct real *r = *state;
	ctr_pod_t *pod = make_pod(r, NULL);
	ctr_container_t *a = add_member(r, pod, WAITS), *b;
	ctr_config_builder_t *bad = real_builder(r, NULL);
	ctr_error_t *why = NULL;

	OK(ctr_config_builder_set_str(bad, CTR_CONFIG_POD, ctr_pod_id(pod), err));
	OK(ctr_config_builder_set_str(bad, CTR_CONFIG_CGROUP_PARENT, "", err));
	OK(ctr_config_builder_add_str(bad, CTR_CONFIG_COMMAND, "/bin/missing", err));
	b = real_create_from(r, bad);
	assert_int_equal(ctr_pod_start(pod, 0, &why), CTR_E_POD_PARTIAL);
	assert_string_equal(ctr_error_get(why, "failed"), ctr_container_id(b));
	ctr_error_free(why);
	status_is(pod, "Degraded");
	assert_state(a, CTR_STATE_RUNNING);
	FAILS(CTR_E_POD_STATE, ctr_pod_remove(pod, 0, 0, err));
	OK(ctr_pod_remove(pod, 0, CTR_POD_REMOVE_FORCE, err));
	ctr_container_unref(a);
	ctr_container_unref(b);
	ctr_pod_unref(pod);
}

/* The helper that the monitor runs sees to it, with nobody else there. */
static void with_the_last_container_the_pod_stops(void **state)
{
	struct real *r = *state;
	const struct ctr_pod_opts o = {.exit_policy = "stop"};
	ctr_pod_t *pod = make_pod(r, &o);
	ctr_container_t *infra = infra_of(r, pod), *a = add_member(r, pod, "sleep 1");
	pid_t pid;

	OK(ctr_pod_start(pod, 0, err));
	pid = real_pid(infra);
	real_await_end(pid);
	/* Waits for the helper, which holds the pod's lock meanwhile. */
	OK(ctr_pod_stop(pod, 0, 0, err));
	status_is(pod, "Exited");
	OK(ctr_pod_remove(pod, 0, 0, err));
	ctr_container_unref(infra);
	ctr_container_unref(a);
	ctr_pod_unref(pod);
}

/* ---- a host that is killed ---- */

static void start_it(struct real *r, void *id)
{
	ctr_pod_t *pod = NULL;

	OK(ctr_pod_get(r->rt, id, &pod, err));
	(void)ctr_pod_start(pod, 0, NULL);
	ctr_pod_unref(pod);
}

static void remove_it(struct real *r, void *id)
{
	ctr_pod_t *pod = NULL;

	OK(ctr_pod_get(r->rt, id, &pod, err));
	(void)ctr_pod_remove(pod, 0, CTR_POD_REMOVE_FORCE, NULL);
	ctr_pod_unref(pod);
}

static void kill_after(
    const struct real *r, void (*fn)(struct real *, void *), const char *id, int64_t us)
{
	pid_t pid = real_fork(r, fn, (void *)(uintptr_t)id);
	int status;

	usleep((useconds_t)us);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
}

static void a_killed_start_or_removal_leaves_what_can_be_removed(void **state)
{
	struct real *r = *state;

	/* At some moment or other: what matters is that it does not matter. */
	for (int i = 0; i < 6; i++) {
		ctr_pod_t *pod = make_pod(r, NULL);
		ctr_container_t *a = add_member(r, pod, WAITS), *b = add_member(r, pod, WAITS);

		kill_after(r, start_it, ctr_pod_id(pod), 20000 + 70000 * i);
		if (i % 2) {
			OK(ctr_pod_start(pod, 0, err));
			status_is(pod, "Running");
			kill_after(r, remove_it, ctr_pod_id(pod), 20000 * i);
		}
		OK(ctr_pod_remove(pod, 0, CTR_POD_REMOVE_FORCE, err));
		assert_false(has_cgroup(r, pod));
		ctr_container_unref(a);
		ctr_container_unref(b);
		ctr_pod_unref(pod);
	}
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, real_setup, real_teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    TEST(namespaces_are_shared),
	    TEST(localhost_is_one_place),
	    TEST(processes_may_be_shared),
	    TEST(a_life),
	    TEST(a_failing_member_is_named),
	    TEST(with_the_last_container_the_pod_stops),
	    TEST(a_killed_start_or_removal_leaves_what_can_be_removed),
	};

	real_init(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
