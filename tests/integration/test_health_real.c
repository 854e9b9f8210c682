/* SPDX-License-Identifier: Apache-2.0 */
/* Health checks of real containers: what runs, when, by whom, and that nothing of it is left. */
#include "real.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LIVES "trap 'exit 5' TERM; sleep 1000 & wait"

/* Runs as long as it is not told to go; `test` is for "sh -c". */
static ctr_container_t *create(
    const struct real *r, const char *test, const char *more, int64_t action)
{
	ctr_config_builder_t *b = real_builder(r, LIVES);
	char json[512];

	snprintf(json, sizeof(json), "{\"Test\":[\"CMD-SHELL\",\"%s\"]%s}", test, more);
	OK(ctr_config_builder_set_json(b, CTR_CONFIG_HEALTHCHECK, json, strlen(json), err));
	if (action)
		OK(ctr_config_builder_set_num(b, CTR_CONFIG_HEALTH_ON_FAILURE, action, err));
	return real_create_from(r, b);
}

static ctr_container_t *start(
    const struct real *r, const char *test, const char *more, int64_t action)
{
	ctr_container_t *c = create(r, test, more, action);

	OK(ctr_container_start(c, 0, err));
	return c;
}

/* Nobody but who asks. */
#define WHEN_ASKED ",\"Interval\":0,\"Retries\":1"
#define OFTEN      ",\"Interval\":50000000,\"Retries\":2"

static int32_t check(ctr_container_t *c)
{
	int32_t result = -9;

	OK(ctr_container_healthcheck_run(c, 0, &result, err));
	return result;
}

static int32_t health_pid(ctr_container_t *c)
{
	int32_t pid = -1;

	OK(ctr_container_health_pid(c, &pid, err));
	return pid;
}

static void assert_log(ctr_container_t *c, const char *part)
{
	char *text = NULL;

	OK(ctr_container_health_log(c, &text, NULL, err));
	if (!strstr(text, part))
		fail_msg("%s has no %s", text, part);
	free(text);
}

static void await_condition(ctr_container_t *c, const char *word)
{
	const char *const words[] = {word, NULL};
	struct ctr_wait_opts o = {
	    .size = sizeof(o), .conditions = words, .timeout_ms = PATIENCE_MS};

	OK(ctr_container_wait_for(c, &o, NULL, err));
}

static void test_runs_as_the_container_does(void **state)
{
	struct real *r = *state;
	ctr_config_builder_t *b = real_builder(r, LIVES);
	static const char json[] =
	    "{\"Test\":[\"CMD-SHELL\",\"id -u; echo $COLOUR; cat /proc/1/cmdline | tr '\\\\0' ' ';"
	    " echo; echo to-error >&2; grep -c . /proc/self/cgroup >/dev/null\"]" WHEN_ASKED "}";
	ctr_container_t *c;

	OK(ctr_config_builder_set_json(b, CTR_CONFIG_HEALTHCHECK, json, sizeof(json) - 1, err));
	OK(ctr_config_builder_set_str(b, CTR_CONFIG_USER, "1234", err));
	OK(ctr_config_builder_add_str(b, CTR_SPEC_ENV, "COLOUR=green", err));
	c = real_create_from(r, b);
	OK(ctr_container_start(c, 0, err));
	assert_int_equal(health_pid(c), 0);
	assert_int_equal(check(c), CTR_HEALTHCHECK_SUCCESS);
	/* Standard output and error may arrive in any order. */
	assert_log(c, "1234\\n");
	assert_log(c, "green\\n");
	assert_log(c, "/bin/sh -c ");
	assert_log(c, "to-error\\n");
	real_remove(c, CTR_REMOVE_FORCE);
}

static void test_codes(void **state)
{
	struct real *r = *state;
	ctr_container_t *c = start(r, "echo no; exit 9", WHEN_ASKED, 0);
	ctr_config_builder_t *b = real_builder(r, LIVES);
	static const char none[] =
	    "{\"Test\":[\"CMD\",\"/nowhere/no-such-program\"]" WHEN_ASKED "}";

	assert_int_equal(check(c), CTR_HEALTHCHECK_FAILURE);
	assert_log(c, "\"ExitCode\":1,\"Output\":\"no\\n\"");
	assert_log(c, "\"Status\":\"unhealthy\"");
	real_remove(c, CTR_REMOVE_FORCE);
	OK(ctr_config_builder_set_json(b, CTR_CONFIG_HEALTHCHECK, none, sizeof(none) - 1, err));
	c = real_create_from(r, b);
	OK(ctr_container_start(c, 0, err));
	assert_int_equal(check(c), CTR_HEALTHCHECK_FAILURE);
	assert_log(c, "\"ExitCode\":1,");
	real_remove(c, CTR_REMOVE_FORCE);
}

/* Processes of which a word of the command line is `word`. */
static int count_with(const char *word)
{
	DIR *dir = opendir("/proc");
	const struct dirent *e;
	int n = 0;

	assert_non_null(dir);
	while ((e = readdir(dir))) {
		char path[300], text[256];
		FILE *f;
		size_t len;

		snprintf(path, sizeof(path), "/proc/%s/cmdline", e->d_name);
		f = *e->d_name >= '1' && *e->d_name <= '9' ? fopen(path, "r") : NULL;
		if (!f)
			continue;
		len = fread(text, 1, sizeof(text) - 1, f);
		text[len] = '\0';
		fclose(f);
		for (size_t i = 0; i < len; i += strlen(text + i) + 1)
			n += strcmp(text + i, word) == 0;
	}
	closedir(dir);
	return n;
}

/* What hangs is killed with all that it has started. */
static void test_timeout(void **state)
{
	struct real *r = *state;
	ctr_container_t *c = start(r, "echo begun; (sleep 987654; true) & sleep 987654; true",
	    WHEN_ASKED ",\"Timeout\":1000000000", 0);
	int64_t before = real_now_ms();

	assert_int_equal(check(c), CTR_HEALTHCHECK_FAILURE);
	assert_true(real_now_ms() - before >= 1000);
	assert_log(c, "\"ExitCode\":-1,\"Output\":\"begun\\n\"");
	/* They are killed already, and end as soon as they are scheduled. */
	for (int64_t end = real_now_ms() + PATIENCE_MS;
	     count_with("987654") && real_now_ms() < end;)
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	assert_int_equal(count_with("987654"), 0);
	assert_state(c, CTR_STATE_RUNNING);
	real_remove(c, CTR_REMOVE_FORCE);
}

static void test_periodic(void **state)
{
	struct real *r = *state;
	ctr_container_t *c = start(r, "test ! -e /tmp/bad", OFTEN, 0);
	int32_t pid = health_pid(c);

	assert_true(pid > 0 && real_alive(pid));
	await_condition(c, "healthy");
	/* It gets ill: two failures. */
	{
		char *path = NULL, file[400];
		FILE *f;

		OK(ctr_container_mountpoint(c, &path, err));
		snprintf(file, sizeof(file), "%s/tmp/bad", path);
		f = fopen(file, "w");
		assert_non_null(f);
		fclose(f);
		await_condition(c, "unhealthy");
		assert_int_equal(unlink(file), 0);
		ctr_free(path);
	}
	await_condition(c, "healthy");
	assert_int_equal(health_pid(c), pid);
	/* Paused, it waits. */
	OK(ctr_container_pause(c, err));
	OK(ctr_container_unpause(c, err));
	assert_true(real_alive(pid));
	/* It ends with the container. */
	OK(ctr_container_stop_with_timeout(c, PATIENCE_MS, err));
	real_await_end(pid);
	OK(ctr_container_cleanup(c, 0, err));
	assert_int_equal(health_pid(c), 0);
	real_remove(c, 0);
}

static void test_ends_with_a_removal(void **state)
{
	struct real *r = *state;
	ctr_container_t *c = start(r, "sleep 0.01", OFTEN, 0);
	int32_t pid = health_pid(c);

	assert_true(real_alive(pid));
	OK(ctr_container_remove(c, CTR_REMOVE_FORCE, err));
	assert_false(real_alive(pid));
	ctr_container_unref(c);
}

static void test_killed_one_is_replaced(void **state)
{
	struct real *r = *state;
	ctr_container_t *c = start(r, "true", OFTEN, 0);
	int32_t pid = health_pid(c), again;

	OK(ctr_container_sync(c, err));
	assert_int_equal(health_pid(c), pid);
	assert_int_equal(kill(pid, SIGKILL), 0);
	real_await_end(pid);
	OK(ctr_container_sync(c, err));
	again = health_pid(c);
	assert_true(again > 0 && again != pid && real_alive(again));
	await_condition(c, "healthy");
	pid = again;
	assert_int_equal(kill(pid, SIGKILL), 0);
	real_await_end(pid);
	OK(ctr_runtime_boot(r->rt, 0, err));
	again = health_pid(c);
	assert_true(again > 0 && again != pid && real_alive(again));
	/* The next run has another one. */
	OK(ctr_container_stop_with_timeout(c, 0, err));
	OK(ctr_container_start(c, 0, err));
	real_await_end(again);
	assert_true(health_pid(c) > 0 && real_alive(health_pid(c)));
	real_remove(c, CTR_REMOVE_FORCE);
}

static void start_by_name(struct real *r, void *arg)
{
	ctr_container_t *c = NULL;

	OK(ctr_container_lookup(r->rt, arg, &c, err));
	OK(ctr_container_start(c, 0, err));
	ctr_container_unref(c);
}

static void test_survives_the_host(void **state)
{
	struct real *r = *state;
	ctr_container_t *c = create(r, "true", OFTEN, 0);

	real_join(real_fork(r, start_by_name, (void *)(uintptr_t)ctr_container_id(c)));
	assert_true(real_alive(health_pid(c)));
	await_condition(c, "healthy");
	real_remove(c, CTR_REMOVE_FORCE);
}

static void test_kill_action(void **state)
{
	struct real *r = *state;
	ctr_container_t *c = start(r, "false", OFTEN, CTR_HEALTH_ACTION_KILL);
	int32_t pid = health_pid(c);

	assert_int_equal(real_wait(c), 137);
	real_await_end(pid);
	real_remove(c, 0);
}

static void await_starts(const struct real *r, ctr_container_t *c)
{
	const char *const only[] = {"event=start", NULL};
	struct ctr_event *ev = NULL;
	int starts = 0;

	OK(ctr_runtime_events_filter(r->rt, only, err));
	OK(ctr_runtime_events_fd(r->rt, err));
	OK(ctr_container_start(c, 0, err));
	for (int64_t end = real_now_ms() + PATIENCE_MS; starts < 3 && real_now_ms() < end;) {
		int got = ctr_runtime_next_event(r->rt, &ev, NULL);

		assert_true(got >= 0);
		starts += got;
		ctr_event_unref(ev);
		ev = NULL;
		if (!got)
			nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
	}
	assert_int_equal(starts, 3);
	real_remove(c, CTR_REMOVE_FORCE);
}

static void test_restart_action(void **state)
{
	struct real *r = *state;

	await_starts(r, create(r, "false", OFTEN, CTR_HEALTH_ACTION_RESTART));
}

/* It is the helper that restarts: with the hooks of whoever started the container, not without any. */
static void test_restart_runs_hooks(void **state)
{
	const struct real *r = *state;
	char dir[256], path[300];
	const char *const dirs[] = {dir, NULL};
	struct ctr_open_opts o = {.size = sizeof(o),
	    .root = r->root,
	    .run_root = r->run,
	    .oci_runtimes = real_path,
	    .helper = TEST_HELPER,
	    .hooks_dirs = dirs};
	struct real own = *r;
	FILE *f;
	char *ran;

	snprintf(dir, sizeof(dir), "%s/hooks.d", r->dir);
	assert_int_equal(mkdir(dir, 0755), 0);
	snprintf(path, sizeof(path), "%s/x.json", dir);
	f = fopen(path, "we");
	assert_non_null(f);
	fprintf(f,
	    "{\"version\":\"1.0.0\",\"hook\":{\"path\":\"/bin/sh\",\"args\":[\"sh\",\"-c\","
	    "\"cat >/dev/null; echo x >>%s/ran\"]},\"when\":{\"always\":true},"
	    "\"stages\":[\"poststart\"]}",
	    r->dir);
	assert_int_equal(fclose(f), 0);
	OK(ctr_runtime_open(&o, &own.rt, err));
	await_starts(&own, create(&own, "false", OFTEN, CTR_HEALTH_ACTION_RESTART));
	ctr_runtime_unref(own.rt);
	ran = real_slurp("%s/ran", r->dir);
	if (strncmp(ran, "x\nx\nx\n", 6) != 0)
		fail_msg("the hook ran: %s", ran);
	free(ran);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, real_setup, real_teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_runs_as_the_container_does),
	    TEST(test_codes),
	    TEST(test_timeout),
	    TEST(test_periodic),
	    TEST(test_ends_with_a_removal),
	    TEST(test_killed_one_is_replaced),
	    TEST(test_survives_the_host),
	    TEST(test_kill_action),
	    TEST(test_restart_action),
	    TEST(test_restart_runs_hooks),
	};

	real_init(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
