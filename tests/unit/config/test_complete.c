/* SPDX-License-Identifier: Apache-2.0 */
/* What creating a container fills in, and what it leaves alone. */
#include "config_test.h"

#include <stdlib.h>

static const struct ctr__config_defaults defaults = {
    .id = "idid",
    .name = "quiet_otter",
    .created_ns = INT64_C(1541412672000000001),
    .containers_dir = "/var/lib/x/containers",
    .run_dir = "/run/x/containers",
    .runtime = "crun",
    .cgroup_parent = "/libpod_parent",
    .storage_driver = "rootfs",
};

static ctr_config_t *complete(const char *json, const struct ctr__config_defaults *d)
{
	CTR__CONFIG ctr_config_t *cfg = parse_ok(json);
	ctr_config_t *out = NULL;
	ctr_error_t *err = NULL;

	if (ctr__config_complete(cfg, d, &out, &err) < 0)
		fail_msg("%s", ctr_error_message(err));
	return out;
}

static void test_fills_in(void **state)
{
	(void)state;
	CTR__CONFIG ctr_config_t *cfg = complete(WITH("\"own\":1.0"), &defaults);

	assert_string_equal(cfg->id, "idid");
	assert_string_equal(cfg->short_id, "idid");
	assert_string_equal(cfg->name, "quiet_otter");
	assert_int_equal(cfg->created_ns, INT64_C(1541412672000000001));
	assert_string_equal(cfg->static_dir, "/var/lib/x/containers/idid");
	assert_string_equal(cfg->shm_dir, "/run/x/containers/idid/shm");
	assert_string_equal(cfg->log_path, "/var/lib/x/containers/idid/ctr.log");
	assert_string_equal(cfg->conmon_pid_file, "/run/x/containers/idid/conmon.pid");
	assert_string_equal(cfg->runtime, "crun");
	assert_string_equal(cfg->cgroup_parent, "/libpod_parent");
	assert_string_equal(cfg->storage_driver, "rootfs");
	assert_string_equal(cfg->spec.text, SPEC);
	assert_null(cfg->hostname);
	assert_string_equal(cfg->unknown[0].value, "1.0");

	CTR__FREE char *text = write_text(cfg);
	CTR__CONFIG ctr_config_t *again = parse_ok(text);
	CTR__CONFIG ctr_config_t *twice = complete(text, &defaults);

	assert_same_config(cfg, again);
	assert_same_config(cfg, twice);
}

static void test_keeps_what_is_given(void **state)
{
	(void)state;
	CTR__CONFIG ctr_config_t *cfg =
	    complete(WITH("\"id\":\"mine\",\"name\":\"n\",\"createdTime\":\"2020-01-01T00:00:00Z\","
	                  "\"staticDir\":\"/else\",\"ShmDir\":\"/s\",\"logPath\":\"/nowhere/l\","
	                  "\"conmonPidFile\":\"/p\",\"runtime\":\"runc\",\"cgroupParent\":\"/c\","
	                  "\"storageDriver\":\"overlay\""),
	        &defaults);

	assert_string_equal(cfg->id, "mine");
	assert_string_equal(cfg->name, "n");
	assert_int_equal(cfg->created_ns, INT64_C(1577836800000000000));
	assert_string_equal(cfg->static_dir, "/var/lib/x/containers/mine"); /* always ours */
	assert_string_equal(cfg->shm_dir, "/s");
	assert_string_equal(cfg->log_path, "/nowhere/l");
	assert_string_equal(cfg->conmon_pid_file, "/p");
	assert_string_equal(cfg->runtime, "runc");
	assert_string_equal(cfg->cgroup_parent, "/c");
	assert_string_equal(cfg->storage_driver, "overlay");
}

static void test_log_directory(void **state)
{
	const char *tmp = getenv("TMPDIR");
	CTR__FREE char *dir = ctr__format("%s/ctr-config-XXXXXX", tmp ? tmp : "/tmp");

	(void)state;
	assert_non_null(mkdtemp(dir));
	CTR__FREE char *json = ctr__format(WITH("\"logPath\":\"%s\""), dir);
	CTR__FREE char *want = ctr__format("%s/idid/ctr.log", dir);
	CTR__CONFIG ctr_config_t *cfg = complete(json, &defaults);

	assert_int_equal(rmdir(dir), 0);
	assert_string_equal(cfg->log_path, want);
}

static void test_labels(void **state)
{
	struct ctr__config_defaults labels = defaults;

	(void)state;
	labels.process_label = "p";
	labels.mount_label = "m";
	CTR__CONFIG ctr_config_t *none = complete(SMALLEST, &labels);
	CTR__CONFIG ctr_config_t *one = complete(WITH("\"MountLabel\":\"mine\""), &labels);

	assert_string_equal(none->process_label, "p");
	assert_string_equal(none->mount_label, "m");
	assert_null(one->process_label);
	assert_string_equal(one->mount_label, "mine");
}

static void test_split(void **state)
{
	(void)state;
	CTR__CONFIG ctr_config_t *cfg = complete(WITH("\"cgroupsMode\":\"split\""), &defaults);

	assert_null(cfg->cgroup_parent);
}

static void test_without(void **state)
{
	struct ctr__config_defaults few = defaults;

	(void)state;
	few.runtime = few.storage_driver = few.cgroup_parent = NULL;
	CTR__CONFIG ctr_config_t *none =
	    complete(WITH("\"noCgroups\":true,\"NoShm\":true"), &defaults);
	CTR__CONFIG ctr_config_t *no_defaults = complete(SMALLEST, &few);

	assert_null(none->cgroup_parent);
	assert_null(none->shm_dir);
	assert_null(no_defaults->runtime);
	assert_null(no_defaults->storage_driver);
	assert_null(no_defaults->cgroup_parent);
}

static void complete_fails(
    const char *json, const struct ctr__config_defaults *d, const char *field)
{
	CTR__CONFIG ctr_config_t *cfg = parse_ok(json);
	CTR__ERROR ctr_error_t *err = NULL;
	ctr_config_t *out = NULL;

	assert_int_equal(ctr__config_complete(cfg, d, &out, &err), CTR_E_INVALID);
	assert_null(out);
	assert_string_equal(ctr_error_get(err, "field"), field);
}

static void test_checks_the_id(void **state)
{
	struct ctr__config_defaults bad = defaults;

	(void)state;
	bad.id = "../x";
	complete_fails(SMALLEST, &bad, "id");
	bad.id = NULL;
	complete_fails(SMALLEST, &bad, "id");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_fills_in),
	    cmocka_unit_test(test_keeps_what_is_given),
	    cmocka_unit_test(test_log_directory),
	    cmocka_unit_test(test_labels),
	    cmocka_unit_test(test_split),
	    cmocka_unit_test(test_without),
	    cmocka_unit_test(test_checks_the_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
