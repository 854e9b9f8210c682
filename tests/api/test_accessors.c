/* SPDX-License-Identifier: Apache-2.0 */
/* State accessors: each field, "zero" on error, other processes' changes, snapshots. */
#include "fixture.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void test_names(void **state)
{
	int32_t s = -1;

	(void)state;
	for (int32_t i = CTR_STATE_UNKNOWN; i <= CTR_STATE_STOPPING; i++) {
		OK(ctr_state_parse(ctr_state_name(i), &s, err));
		assert_int_equal(s, i);
	}
	assert_string_equal(ctr_state_name(CTR_STATE_CONFIGURED), "created");
	assert_string_equal(ctr_state_name(CTR_STATE_CREATED), "initialized");
	assert_string_equal(ctr_state_name(9), "bad state");
	assert_string_equal(ctr_state_name(-1), "bad state");
	OK(ctr_state_parse("configured", &s, err));
	assert_int_equal(s, CTR_STATE_CONFIGURED);
	FAILS(CTR_E_INVALID, ctr_state_parse("tired", &s, err));
	FAILS(CTR_E_INVALID, ctr_state_parse(NULL, &s, err));
}

static void test_zero_values(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_create(f, NULL);
	ctr_state_t *snap = (ctr_state_t *)f;
	int32_t i = 77, j = 77;
	int64_t n = 77;
	char *text = (char *)f, **list = (char **)f;

	OK(ctr_container_remove(c, 0, err));
	FAILS(CTR_E_CTR_REMOVED, ctr_container_state(c, &i, err));
	assert_int_equal(i, CTR_STATE_UNKNOWN);
	FAILS(CTR_E_CTR_REMOVED, ctr_container_pid(c, &i, err));
	assert_int_equal(i, -1);
	FAILS(CTR_E_CTR_REMOVED, ctr_container_conmon_pid(c, &i, err));
	assert_int_equal(i, -1);
	i = 77;
	FAILS(CTR_E_CTR_REMOVED, ctr_container_exit_code(c, &i, &j, err));
	assert_int_equal(i, 0);
	assert_int_equal(j, 0);
	FAILS(CTR_E_CTR_REMOVED, ctr_container_oom_killed(c, &i, err));
	FAILS(CTR_E_CTR_REMOVED, ctr_container_started_ns(c, &n, err));
	assert_int_equal(n, 0);
	n = 77;
	FAILS(CTR_E_CTR_REMOVED, ctr_container_finished_ns(c, &n, err));
	assert_int_equal(n, 0);
	i = 77;
	FAILS(CTR_E_CTR_REMOVED, ctr_container_mounted(c, &i, err));
	assert_int_equal(i, 0);
	FAILS(CTR_E_CTR_REMOVED, ctr_container_mountpoint(c, &text, err));
	assert_null(text);
	FAILS(CTR_E_CTR_REMOVED, ctr_container_bind_mounts(c, &list, err));
	assert_null(list);
	FAILS(CTR_E_CTR_REMOVED, ctr_container_rootfs_size(c, &n, err));
	assert_int_equal(n, -1);
	FAILS(CTR_E_CTR_REMOVED, ctr_container_snapshot(c, &snap, err));
	assert_null(snap);
	FAILS(CTR_E_INVALID, ctr_container_state(c, NULL, err));
	FAILS(CTR_E_INVALID, ctr_container_state(NULL, &i, err));
	ctr_container_unref(c);
}

static void test_paths(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_create(f, NULL);
	char *text = NULL, expected[400];

	strcpy(expected, "/libpod_parent/libpod-");
	strcat(expected, ctr_container_id(c));
	OK(ctr_container_cgroup_path(c, &text, err));
	assert_string_equal(text, expected);
	ctr_free(text);
	strcpy(expected, ctr_runtime_run_root(f->rt));
	strcat(expected, "/containers/");
	strcat(expected, ctr_container_id(c));
	OK(ctr_container_run_dir(c, &text, err));
	assert_string_equal(text, expected);
	ctr_free(text);
	OK(ctr_container_mountpoint(c, &text, err));
	assert_string_equal(text, "");
	ctr_free(text);
	FAILS(CTR_E_CTR_STOPPED, ctr_container_namespace_path(c, CTR_NS_NET, &text, err));
	FAILS(CTR_E_INVALID, ctr_container_namespace_path(c, 8, &text, err));
	OK(ctr_container_start(c, 0, err));
	OK(ctr_container_namespace_path(c, CTR_NS_MOUNT, &text, err));
	assert_non_null(strstr(text, "/ns/mnt"));
	ctr_free(text);
	ctr_container_unref(c);
}

static void test_snapshot(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_in_state(f, CTR_STATE_STOPPED);
	ctr_state_t *s = NULL;
	const char *destination = NULL, *host = NULL;
	char *json = NULL;

	OK(ctr_container_snapshot(c, &s, err));
	OK(ctr_container_remove(c, 0, err));
	/* It is a copy: it does not follow. */
	assert_int_equal(ctr_state_status(s), CTR_STATE_STOPPED);
	assert_int_equal(ctr_state_exit_code(s), 137);
	assert_int_equal(ctr_state_exited(s), 1);
	assert_int_equal(ctr_state_mounted(s), 1);
	assert_int_equal(ctr_state_stopped_by_user(s), 1);
	assert_string_equal(ctr_state_mountpoint(s), f->rootfs);
	assert_string_equal(ctr_state_real_mountpoint(s), f->rootfs);
	assert_string_equal(ctr_state_user_ns_root(s), "");
	assert_non_null(strstr(ctr_state_destination_run_dir(s), ctr_container_id(c)));
	assert_string_equal(ctr_state_destination_run_dir(s), ctr_state_run_dir(s));
	assert_string_equal(ctr_state_error_text(s), "");
	assert_int_equal(ctr_state_bind_mount_at(s, 0, &destination, &host), 1);
	assert_string_equal(destination, "/dev/shm");
	assert_int_equal(ctr_state_bind_mount_at(s, 1, &destination, &host), 1);
	assert_string_equal(destination, "/etc/hosts");
	assert_int_equal(ctr_state_bind_mount_at(s, 12, &destination, &host), 0);
	OK(ctr_state_to_json(s, &json, NULL, err));
	assert_non_null(strstr(json, "\"state\":4"));
	assert_non_null(strstr(json, "\"exitCode\":137"));
	assert_non_null(strstr(json, "\"bindMounts\":{\"/dev/shm\":"));
	ctr_free(json);
	ctr_state_free(s);
	ctr_container_unref(c);
}

/* In a child: a store of its own, an operation, and out. */
static int other_process(const struct fixture *f, const char *id)
{
	struct ctr_open_opts o = {.size = sizeof(o), .root = f->root, .run_root = f->run};
	ctr_runtime_t *rt = NULL;
	ctr_container_t *c = NULL;
	struct fake_oci *fake = fake_oci_new();

	if (ctr_runtime_open(&o, &rt, NULL) < 0 ||
	    ctr_runtime_add_oci(rt, &fake_oci_ops, fake, fake_oci_destroy, NULL) < 0 ||
	    ctr_container_get(rt, id, &c, NULL) < 0 || ctr_container_init(c, 0, NULL) < 0)
		return 1;
	ctr_container_unref(c);
	ctr_runtime_unref(rt);
	return 0;
}

static void test_changes_of_other_processes_are_seen(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_create(f, NULL);
	int32_t s;
	int status;
	pid_t pid;

	OK(ctr_container_state(c, &s, err));
	assert_int_equal(s, CTR_STATE_CONFIGURED);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		_exit(other_process(f, ctr_container_id(c)));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	OK(ctr_container_state(c, &s, err));
	assert_int_equal(s, CTR_STATE_CREATED);
	ctr_container_unref(c);
}

static void test_sizes(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_create(f, NULL);
	int64_t rootfs = -5, rw = -5;

	OK(ctr_container_rootfs_size(c, &rootfs, err));
	OK(ctr_container_rw_size(c, &rw, err));
	assert_true(rootfs >= 0);
	assert_int_equal(rw, 0);
	ctr_container_unref(c);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_names),
	    TEST(test_zero_values),
	    TEST(test_paths),
	    TEST(test_snapshot),
	    TEST(test_changes_of_other_processes_are_seen),
	    TEST(test_sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
