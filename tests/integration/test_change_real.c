/* SPDX-License-Identifier: Apache-2.0 */
/* Rename, update and refresh with a real runtime: test_change_real RUNTIME. */
#include "real.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define UPDATE(...) (&(struct ctr_update_opts){.size = sizeof(struct ctr_update_opts), __VA_ARGS__})

/* ---- update ---- */

static void check_limit(
    ctr_container_t *c, const char *controller, const char *v1, const char *v2, const char *value)
{
	char *text = real_cgroup_file(c, controller, v1, v2);

	assert_string_equal(text, value);
	free(text);
}

static void check_memory(ctr_container_t *c, const char *value)
{
	check_limit(c, "memory", "memory.limit_in_bytes", "memory.max", value);
}

static void check_shares(ctr_container_t *c, int shares)
{
	char value[16];

	/* 2..262144 becomes 1..10000. */
	snprintf(value, sizeof(value), "%d",
	    real_is_cgroup2() ? 1 + (shares - 2) * 9999 / 262142 : shares);
	check_limit(c, "cpu", "cpu.shares", "cpu.weight", value);
}

static void update(ctr_container_t *c, const char *resources)
{
	OK(ctr_container_update(c, UPDATE(.resources = resources), err));
}

static void check_bundle(const struct real *r, ctr_container_t *c, const char *has)
{
	char *text = real_slurp("%s/containers/%s/config.json", r->run, ctr_container_id(c));

	if (!strstr(text, has))
		fail_msg("no %s in config.json", has);
	free(text);
}

static bool has_limits(void)
{
	return real_has_controller("memory") && real_has_controller("cpu") &&
	       real_has_controller("pids");
}

static void update_limits(struct real *r)
{
	ctr_container_t *c = real_create(r, IGNORES_TERM);

	/* At rest, created, running, paused. */
	update(c, "{\"memory\":{\"limit\":67108864},\"pids\":{\"limit\":50}}");
	OK(ctr_container_init(c, 0, err));
	check_memory(c, "67108864");
	check_limit(c, "pids", "pids.max", "pids.max", "50");
	update(c, "{\"memory\":{\"limit\":71303168}}");
	check_memory(c, "71303168");
	assert_state(c, CTR_STATE_CREATED);
	OK(ctr_container_start(c, 0, err));
	real_await_log(c, "ready");
	update(c, "{\"memory\":{\"limit\":75497472},\"cpu\":{\"shares\":512}}");
	check_memory(c, "75497472");
	check_shares(c, 512);
	check_limit(c, "pids", "pids.max", "pids.max", "50");
	check_bundle(r, c, "75497472");
	update(c, "{\"cpu\":{\"quota\":50000,\"period\":100000}}");
	if (real_is_cgroup2())
		check_limit(c, "cpu", "-", "cpu.max", "50000 100000");
	else
		check_limit(c, "cpu", "cpu.cfs_quota_us", "-", "50000");
	check_shares(c, 512);
	OK(ctr_container_pause(c, err));
	update(c, "{\"memory\":{\"limit\":79691776},\"pids\":{\"limit\":-1}}");
	check_memory(c, "79691776");
	check_limit(c, "pids", "pids.max", "pids.max", "max");
	assert_state(c, CTR_STATE_PAUSED);
	OK(ctr_container_unpause(c, err));
	assert_true(real_alive(real_pid(c)));
	/* The next run has them, too. */
	OK(ctr_container_kill(c, SIGKILL, err));
	update(c, "{\"cpu\":{\"shares\":256}}");
	OK(ctr_container_start(c, 0, err));
	check_memory(c, "79691776");
	check_shares(c, 256);
	real_remove(c, CTR_REMOVE_FORCE);
}

/* Files of cgroup 2, with the controller that is there even where cgroup 1 has the others. */
#define HUGE "hugetlb.2MB.max"

static void set_huge(ctr_container_t *c, const char *value)
{
	char resources[100];

	snprintf(resources, sizeof(resources), "{\"unified\":{\"" HUGE "\":\"%s\"}}", value);
	update(c, resources);
}

static bool has_huge(void)
{
	return real_is_cgroup2() && real_has_controller("hugetlb");
}

static void check_huge(ctr_container_t *c, const char *value)
{
	check_limit(c, "hugetlb", "-", HUGE, value);
}

static void update_unified(struct real *r)
{
	ctr_container_t *c = real_create(r, IGNORES_TERM);

	set_huge(c, "4194304");
	OK(ctr_container_init(c, 0, err));
	check_huge(c, "4194304");
	set_huge(c, "6291456");
	check_huge(c, "6291456");
	OK(ctr_container_start(c, 0, err));
	set_huge(c, "8388608");
	check_huge(c, "8388608");
	check_bundle(r, c, "8388608");
	OK(ctr_container_pause(c, err));
	set_huge(c, "10485760");
	check_huge(c, "10485760");
	assert_state(c, CTR_STATE_PAUSED);
	OK(ctr_container_kill(c, SIGKILL, err));
	OK(ctr_container_start(c, 0, err));
	check_huge(c, "10485760");
	real_remove(c, CTR_REMOVE_FORCE);
}

/* What the kernel refuses is not stored either. */
/* With the controllers that this host has to offer: in a cgroup 2 beside version 1 most are missing. */
static void test_update_live(void **state)
{
	if (!has_limits() && !has_huge())
		fail_msg("this host has no controller to test with");
	if (has_limits())
		update_limits(*state);
	if (has_huge())
		update_unified(*state);
}

static void test_update_refused(void **state)
{
	struct real *r = *state;
	ctr_container_t *c = real_start_ready(r, IGNORES_TERM);
	ctr_config_t *cfg;
	ctr_error_t *why = NULL;
	bool pids = real_has_controller("pids");

	if (pids)
		update(c, "{\"pids\":{\"limit\":60}}");
	else if (has_huge())
		set_huge(c, "4194304");
	assert_int_equal(ctr_container_update(
	                     c, UPDATE(.resources = "{\"cpu\":{\"cpus\":\"4000-4001\"}}"), &why),
	    CTR_E_OCI_RUNTIME);
	assert_non_null(ctr_error_get(why, "oci.stderr"));
	ctr_error_free(why);
	cfg = ctr_container_config(c);
	assert_null(strstr(ctr_config_spec(cfg, NULL), "4000"));
	ctr_config_unref(cfg);
	if (pids)
		check_limit(c, "pids", "pids.max", "pids.max", "60");
	else if (has_huge())
		check_huge(c, "4194304");
	assert_state(c, CTR_STATE_RUNNING);
	assert_true(real_alive(real_pid(c)));
	/* And nothing keeps the next one from being done. */
	if (pids) {
		update(c, "{\"pids\":{\"limit\":61}}");
		check_limit(c, "pids", "pids.max", "pids.max", "61");
	} else if (has_huge()) {
		set_huge(c, "6291456");
		check_huge(c, "6291456");
	}
	real_remove(c, CTR_REMOVE_FORCE);
}

static void test_update_env(void **state)
{
	static const char *const env[] = {"COLOUR=green", NULL}, *const unset[] = {"SHAPE", NULL};
	struct real *r = *state;
	ctr_config_builder_t *b = real_builder(r, "echo $COLOUR-$SHAPE-");
	ctr_container_t *c;
	char *log;

	OK(ctr_config_builder_add_str(b, CTR_SPEC_ENV, "COLOUR=red", err));
	OK(ctr_config_builder_add_str(b, CTR_SPEC_ENV, "SHAPE=round", err));
	c = real_create_from(r, b);
	OK(ctr_container_update(c, UPDATE(.env = env, .env_unset = unset), err));
	OK(ctr_container_start(c, 0, err));
	assert_int_equal(real_wait(c), 0);
	log = real_log(c);
	assert_non_null(strstr(log, "green--"));
	free(log);
	real_remove(c, 0);
}

/* ---- rename ---- */

static void rename_elsewhere(struct real *r, void *arg)
{
	ctr_container_t *c = NULL;

	OK(ctr_container_get(r->rt, arg, &c, err));
	OK(ctr_container_rename(c, "renamed", err));
	ctr_container_unref(c);
}

static void test_rename_running(void **state)
{
	struct real *r = *state;
	ctr_container_t *c = real_start_ready(r, ENDS_ON_TERM), *found = NULL;
	int32_t pid = real_pid(c);
	ctr_config_t *cfg;

	/* By another process; this one's handle sees it without doing anything. */
	real_join(real_fork(r, rename_elsewhere, (void *)(uintptr_t)ctr_container_id(c)));
	cfg = ctr_container_config(c);
	assert_string_equal(ctr_config_name(cfg), "renamed");
	ctr_config_unref(cfg);
	OK(ctr_container_lookup(r->rt, "renamed", &found, err));
	ctr_container_unref(found);
	assert_int_equal(real_pid(c), pid);
	assert_true(real_alive(pid));
	OK(ctr_container_stop(c, NULL, err));
	assert_int_equal(real_wait(c), 5);
	real_remove(c, 0);
}

/* ---- refresh ---- */

static void test_refresh_running(void **state)
{
	struct real *r = *state;
	ctr_container_t *c = real_start_ready(r, ENDS_ON_TERM);
	int32_t pid = real_pid(c), monitor = real_conmon_pid(c), again;
	char *log;

	OK(ctr_container_refresh(c, err));
	assert_state(c, CTR_STATE_RUNNING);
	again = real_pid(c);
	assert_int_not_equal(again, pid);
	assert_true(real_alive(again));
	assert_false(real_alive(pid));
	real_await_end(monitor);
	assert_int_not_equal(real_conmon_pid(c), monitor);
	do {
		usleep(10000);
		log = real_log(c);
		pid = strstr(log, "ready") && strstr(strstr(log, "ready") + 1, "ready");
		free(log);
	} while (!pid);
	OK(ctr_container_stop(c, NULL, err));
	assert_int_equal(real_wait(c), 5);
	OK(ctr_container_refresh(c, err));
	assert_state(c, CTR_STATE_EXITED);
	assert_int_equal(real_wait(c), 5);
	real_remove(c, 0);
}

static void test_refresh_paused(void **state)
{
	struct real *r = *state;
	ctr_container_t *c = real_start_ready(r, ENDS_ON_TERM);
	int32_t pid = real_pid(c);

	OK(ctr_container_pause(c, err));
	OK(ctr_container_refresh(c, err));
	assert_state(c, CTR_STATE_PAUSED);
	assert_int_not_equal(real_pid(c), pid);
	assert_false(real_alive(pid));
	OK(ctr_container_unpause(c, err));
	assert_state(c, CTR_STATE_RUNNING);
	real_remove(c, CTR_REMOVE_FORCE);
}

static void test_refresh_created(void **state)
{
	struct real *r = *state;
	ctr_container_t *c = real_create(r, "exit 3");
	int32_t pid;

	OK(ctr_container_refresh(c, err));
	assert_state(c, CTR_STATE_CONFIGURED);
	OK(ctr_container_init(c, 0, err));
	pid = real_pid(c);
	OK(ctr_container_refresh(c, err));
	assert_state(c, CTR_STATE_CREATED);
	assert_int_not_equal(real_pid(c), pid);
	OK(ctr_container_start(c, 0, err));
	assert_int_equal(real_wait(c), 3);
	real_remove(c, 0);
}

int main(int argc, char **argv)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, real_setup, real_teardown)
	const struct CMUnitTest tests[] = {
	    TEST(test_update_live),
	    TEST(test_update_refused),
	    TEST(test_update_env),
	    TEST(test_rename_running),
	    TEST(test_refresh_running),
	    TEST(test_refresh_paused),
	    TEST(test_refresh_created),
	};

	real_init(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
