/* SPDX-License-Identifier: Apache-2.0 */
/* What happens when a container has ended and no program of the host is there: restart policies, automatic
 * removal, with the installed helper and real monitors. */
#include "real.h"

#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static ctr_container_t *create_with(
    const struct real *r, const char *policy, int64_t retries, const char *script)
{
	ctr_config_builder_t *b = real_builder(r, script);

	ctr_config_builder_set_str(b, CTR_CONFIG_RESTART_POLICY, policy, NULL);
	if (retries)
		ctr_config_builder_set_num(b, CTR_CONFIG_RESTART_RETRIES, retries, NULL);
	return real_create_from(r, b);
}

static ctr_container_t *create_auto_remove(const struct real *r, const char *script)
{
	ctr_config_builder_t *b = real_builder(r, script);

	ctr_config_builder_set_bool(b, CTR_CONFIG_AUTO_REMOVE, 1, NULL);
	return real_create_from(r, b);
}

static void nap(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
}

struct seen {
	int32_t state, pid, code;
	int64_t restarts, ran_ns;
};

static void look(ctr_container_t *c, struct seen *out)
{
	ctr_state_t *s = NULL;

	OK(ctr_container_snapshot(c, &s, err));
	out->state = ctr_state_status(s);
	out->pid = ctr_state_pid(s);
	out->code = ctr_state_exit_code(s);
	out->restarts = ctr_state_restart_count(s);
	out->ran_ns = ctr_state_finished_ns(s) - ctr_state_started_ns(s);
	ctr_state_free(s);
}

/* Until it is in a state after so many restarts. */
static void await_state(ctr_container_t *c, int32_t state, int64_t restarts, struct seen *out)
{
	int64_t deadline = real_now_ms() + PATIENCE_MS;

	for (;;) {
		look(c, out);
		if (out->state == state && out->restarts == restarts)
			return;
		if (real_now_ms() > deadline)
			fail_msg("state %s after %d restarts, not %s after %d",
			    ctr_state_name(out->state), (int)out->restarts, ctr_state_name(state),
			    (int)restarts);
		nap();
	}
}

static void await_gone(const struct real *r, const char *id)
{
	int64_t deadline = real_now_ms() + PATIENCE_MS;

	while (ctr_container_exists(r->rt, id, NULL) == 1) {
		if (real_now_ms() > deadline)
			fail_msg("the container was not removed");
		nap();
	}
}

/* ---- restart ---- */

static void start_and_leave(struct real *r, void *arg)
{
	ctr_container_t *c = NULL;

	OK(ctr_container_get(r->rt, arg, &c, err));
	OK(ctr_container_start(c, 0, err));
	ctr_container_unref(c);
}

/* Nobody has the store open when the container is killed. */
static void test_restart_without_any_host(void **state)
{
	struct real *r = *state;
	ctr_container_t *c = create_with(r, "always", 0, "echo ready; sleep 1000");
	char *id = strdup(ctr_container_id(c)), *text;
	char *before, *after;
	int64_t deadline;
	struct seen s;

	real_join(real_fork(r, start_and_leave, id));
	real_await_log(c, "ready");
	look(c, &s);
	assert_int_equal(s.state, CTR_STATE_RUNNING);
	assert_int_equal(s.restarts, 0);
	before = real_slurp("/proc/%d/oom_score_adj", s.pid);
	ctr_container_unref(c);
	ctr_runtime_unref(r->rt);
	assert_int_equal(kill(s.pid, SIGKILL), 0);
	/* The runtime's state directory tells, without libctr. */
	deadline = real_now_ms() + PATIENCE_MS;
	do {
		nap();
		text = real_slurp("%s/containers/%s/pidfile", r->run, id);
		if (atoi(text) > 0 && atoi(text) != s.pid)
			break;
		free(text);
	} while (real_now_ms() < deadline);
	assert_int_not_equal(atoi(text), s.pid);
	free(text);
	r->rt = real_open(r);
	assert_non_null(r->rt);
	OK(ctr_container_get(r->rt, id, &c, err));
	await_state(c, CTR_STATE_RUNNING, 1, &s);
	/* The monitor's own protection is not passed on. */
	after = real_slurp("/proc/%d/oom_score_adj", s.pid);
	assert_string_equal(after, before);
	free(after);
	free(before);
	real_remove(c, CTR_REMOVE_FORCE);
	free(id);
}

static void test_on_failure(void **state)
{
	struct real *r = *state;
	ctr_container_t *c = create_with(r, "on-failure", 2, "exit 7");
	struct seen s;

	OK(ctr_container_start(c, 0, err));
	await_state(c, CTR_STATE_EXITED, 2, &s);
	assert_int_equal(s.code, 7);
	assert_true(s.ran_ns >= 0);
	/* By hand it begins anew. */
	OK(ctr_container_start(c, 0, err));
	await_state(c, CTR_STATE_EXITED, 2, &s);
	real_remove(c, 0);
}

static void test_success_is_no_failure(void **state)
{
	struct real *r = *state;
	ctr_container_t *c = create_with(r, "on-failure", 0, "exit 0");
	struct seen s;

	OK(ctr_container_start(c, 0, err));
	await_state(c, CTR_STATE_EXITED, 0, &s);
	assert_int_equal(s.code, 0);
	real_remove(c, 0);
}

static void test_stopped_by_user(void **state)
{
	struct real *r = *state;
	ctr_container_t *c = create_with(r, "unless-stopped", 0, ENDS_ON_TERM);
	struct seen s;

	OK(ctr_container_start(c, 0, err));
	real_await_log(c, "ready");
	OK(ctr_container_stop(c, NULL, err));
	/* The helper cleans up. */
	await_state(c, CTR_STATE_EXITED, 0, &s);
	assert_int_equal(s.code, 5);
	real_remove(c, 0);
}

/* A process that ends at once is not started a thousand times. */
static void test_delay(void **state)
{
	struct real *r = *state;
	ctr_container_t *c = create_with(r, "always", 0, "exit 1");
	int64_t before = real_now_ms();
	struct seen s;

	OK(ctr_container_start(c, 0, err));
	do {
		nap();
		look(c, &s);
	} while (s.restarts < 3);
	/* 100 + 200 + 400 */
	assert_true(real_now_ms() - before >= 700);
	/* Removal does not wait for the delay. */
	before = real_now_ms();
	real_remove(c, CTR_REMOVE_FORCE);
	assert_true(real_now_ms() - before < 5000);
}

static void test_stop_in_the_delay(void **state)
{
	struct real *r = *state;
	ctr_container_t *c = create_with(r, "always", 0, "exit 1");
	struct seen s;
	int result;

	OK(ctr_container_start(c, 0, err));
	await_state(c, CTR_STATE_STOPPED, 2, &s);
	result = ctr_container_stop(c, NULL, NULL);
	assert_true(result == CTR_E_CTR_STOPPED || result == 0);
	await_state(c, CTR_STATE_EXITED, 2, &s);
	/* It stays so. */
	nanosleep(&(struct timespec){.tv_nsec = 600000000}, NULL);
	look(c, &s);
	assert_int_equal(s.state, CTR_STATE_EXITED);
	real_remove(c, 0);
}

/* ---- automatic removal ---- */

static void test_auto_remove(void **state)
{
	struct real *r = *state;
	ctr_container_t *c = create_auto_remove(r, "exit 3");
	int32_t code;

	OK(ctr_container_start(c, 0, err));
	assert_int_equal(real_wait(c), 3);
	await_gone(r, ctr_container_id(c));
	/* The code outlives it. */
	assert_int_equal(real_wait(c), 3);
	OK(ctr_container_exit_code_of(r->rt, ctr_container_id(c), &code, err));
	assert_int_equal(code, 3);
	ctr_container_unref(c);
}

static void wait_for_code(struct real *r, void *arg)
{
	ctr_container_t *c = NULL;
	int32_t code = -2;

	OK(ctr_container_get(r->rt, arg, &c, err));
	OK(ctr_container_wait(c, PATIENCE_MS, &code, err));
	assert_int_equal(code, 6);
	ctr_container_unref(c);
}

/* Waiters in several processes: one of them, or the helper, takes the exit over, and the container is removed. */
static void test_waiting_for_one_that_goes(void **state)
{
	struct real *r = *state;
	ctr_container_t *c =
	    create_auto_remove(r, "trap 'exit 6' TERM; echo ready; sleep 1000 & wait");
	char *id = strdup(ctr_container_id(c));
	pid_t pids[4];

	OK(ctr_container_start(c, 0, err));
	real_await_log(c, "ready");
	for (size_t i = 0; i < 4; i++)
		pids[i] = real_fork(r, wait_for_code, id);
	nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
	assert_int_equal(kill(real_pid(c), SIGTERM), 0);
	assert_int_equal(real_wait(c), 6);
	for (size_t i = 0; i < 4; i++)
		real_join(pids[i]);
	await_gone(r, id);
	free(id);
	ctr_container_unref(c);
}

/* In the middle of a restart its end is nobody else's. */
static void test_restart_of_auto_remove(void **state)
{
	struct real *r = *state;
	ctr_container_t *c = create_auto_remove(r, "echo ready; sleep 1000");

	OK(ctr_container_start(c, 0, err));
	for (int i = 0; i < 5; i++) {
		OK(ctr_container_restart_with_timeout(c, 0, err));
		assert_state(c, CTR_STATE_RUNNING);
	}
	OK(ctr_container_kill(c, SIGKILL, err));
	await_gone(r, ctr_container_id(c));
	ctr_container_unref(c);
}

static void test_restart_by_hand(void **state)
{
	struct real *r = *state;
	ctr_container_t *c = real_create(r, ENDS_ON_TERM);
	int32_t pid;

	OK(ctr_container_restart(c, NULL, err));
	real_await_log(c, "ready");
	pid = real_pid(c);
	OK(ctr_container_restart(c, NULL, err));
	assert_state(c, CTR_STATE_RUNNING);
	assert_int_not_equal(real_pid(c), pid);
	OK(ctr_container_stop_with_timeout(c, 0, err));
	OK(ctr_container_restart(c, NULL, err));
	assert_state(c, CTR_STATE_RUNNING);
	real_remove(c, CTR_REMOVE_FORCE);
}

/* ---- the helper ---- */

/* The same store, with another program in the helper's place. */
static ctr_runtime_t *open_with_helper(const struct real *r, const char *helper)
{
	struct ctr_open_opts o = {.size = sizeof(o), .root = r->root, .run_root = r->run};
	ctr_runtime_t *rt = NULL;

	o.oci_runtimes = real_path;
	o.helper = helper;
	OK(ctr_runtime_open(&o, &rt, err));
	return rt;
}

static ctr_container_t *handle_in(ctr_runtime_t *rt, ctr_container_t *c)
{
	ctr_container_t *mine = NULL;

	OK(ctr_container_get(rt, ctr_container_id(c), &mine, err));
	return mine;
}

/* Begins `libctr-helper SUBCOMMAND --wait ... ID`. */
static pid_t begin_helper(const struct real *r, const char *subcommand, const char *id)
{
	pid_t pid = fork();

	if (pid == 0) {
		execl(TEST_HELPER, TEST_HELPER, subcommand, "--wait", "--root", r->root,
		    "--run-root", r->run, "--runtime", real_path, "--helper", TEST_HELPER, id,
		    (char *)NULL);
		_exit(127);
	}
	assert_true(pid > 0);
	return pid;
}

static void run_helper(const struct real *r, const char *subcommand, const char *id)
{
	int status;
	pid_t pid = begin_helper(r, subcommand, id);

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* Killed anywhere in a restart (which comes after 100 ms): the next one does what is left. */
static void test_killed_helper(void **state)
{
	struct real *r = *state;
	ctr_runtime_t *rt = open_with_helper(r, "/bin/true");
	int left = 0;

	for (int ms = 94; ms < 160; ms += 3) {
		ctr_container_t *c = create_with(r, "always", 0, "sleep 1000");
		ctr_container_t *mine = handle_in(rt, c);
		struct seen s;
		pid_t pid;

		OK(ctr_container_start(mine, 0, err));
		kill(real_pid(mine), SIGKILL);
		assert_int_equal(real_wait(mine), 137);
		pid = begin_helper(r, "exit", ctr_container_id(c));
		nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		look(mine, &s);
		left += s.state != CTR_STATE_RUNNING;
		run_helper(r, "exit", ctr_container_id(c));
		look(mine, &s);
		assert_int_equal(s.state, CTR_STATE_RUNNING);
		assert_in_range(s.restarts, 1, 2);
		ctr_container_unref(mine);
		real_remove(c, CTR_REMOVE_FORCE);
	}
	assert_true(left > 0);
	ctr_runtime_unref(rt);
}

/* A program that takes long in the helper's place keeps the monitor alive, but nobody who waits for the container. */
static void slow_helper(const struct real *r, char path[256])
{
	/* exit --root ROOT ... */
	static const char script[] = "#!/bin/sh\necho $$ >>$3/slow.pids\nexec sleep 20\n";
	FILE *f;

	snprintf(path, 256, "%s/slow", r->dir);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fwrite(script, 1, strlen(script), f) == strlen(script));
	assert_int_equal(fchmod(fileno(f), 0755), 0);
	assert_int_equal(fclose(f), 0);
}

static void end_slow_helpers(const struct real *r)
{
	char *text = real_slurp("%s/slow.pids", r->root);
	int n = 0;

	for (char *save, *line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save), n++) {
		kill(atoi(line), SIGKILL);
		real_await_end(atoi(line));
	}
	assert_int_equal(n, 2);
	free(text);
}

static void test_nobody_waits_for_the_helper(void **state)
{
	struct real *r = *state;
	ctr_container_t *c = create_with(r, "always", 0, ENDS_ON_TERM), *mine;
	struct pollfd p = {.events = POLLIN};
	int64_t before = real_now_ms();
	ctr_runtime_t *rt;
	char path[256];
	int32_t code, conmon;

	slow_helper(r, path);
	rt = open_with_helper(r, path);
	mine = handle_in(rt, c);
	for (int i = 0; i < 2; i++) {
		OK(ctr_container_start(mine, 0, err));
		real_await_log(mine, "ready");
		conmon = real_conmon_pid(mine);
		p.fd = ctr_container_wait_fd(mine, NULL);
		assert_true(p.fd >= 0);
		assert_int_equal(poll(&p, 1, 0), 0);
		if (i == 0) {
			kill(real_pid(mine), SIGTERM);
			assert_int_equal(poll(&p, 1, 10000), 1);
			close(p.fd);
			/* Either the record is there, or its descriptor is next. */
			if (ctr_container_wait(mine, 0, &code, NULL) == CTR_E_TIMEOUT) {
				p.fd = ctr_container_wait_fd(mine, NULL);
				assert_int_equal(poll(&p, 1, 10000), 1);
				close(p.fd);
			}
			OK(ctr_container_wait(mine, 0, &code, err));
			assert_int_equal(code, 5);
		} else {
			close(p.fd);
			OK(ctr_container_stop(mine, NULL, err));
		}
		assert_true(real_alive(conmon));
		/* It is in nobody's way for long. */
		OK(ctr_container_cleanup(mine, 0, err));
	}
	assert_true(real_now_ms() - before < 19000);
	end_slow_helpers(r);
	ctr_container_unref(mine);
	real_remove(c, 0);
	ctr_runtime_unref(rt);
}

/* Without its monitor nobody records the end, and nobody runs the helper; who waits is told nevertheless. */
static void test_killed_monitor(void **state)
{
	struct real *r = *state;
	ctr_container_t *c = create_with(r, "always", 0, "echo ready; sleep 1000");
	int32_t pid, code = -2;
	char *id = strdup(ctr_container_id(c));

	OK(ctr_container_start(c, 0, err));
	real_await_log(c, "ready");
	pid = real_pid(c);
	assert_int_equal(kill(real_conmon_pid(c), SIGKILL), 0);
	kill(pid, SIGKILL);
	OK(ctr_container_wait(c, PATIENCE_MS, &code, err));
	assert_true(code == -1 || code == 137);
	/* By hand. */
	run_helper(r, "exit", id);
	assert_state(c, CTR_STATE_RUNNING);
	free(id);
	real_remove(c, CTR_REMOVE_FORCE);
}

/* ---- boot ---- */

/* The helper was never there: what is left over is done at the next boot. */
static void test_boot(void **state)
{
	struct real *r = *state;
	ctr_runtime_t *rt = open_with_helper(r, "/bin/true");
	ctr_container_t *again = create_with(r, "always", 0, "sleep 1000");
	ctr_container_t *gone = create_auto_remove(r, "exit 0");
	ctr_container_t *c[2] = {handle_in(rt, again), handle_in(rt, gone)};

	for (size_t i = 0; i < 2; i++)
		OK(ctr_container_start(c[i], 0, err));
	OK(ctr_container_stop_with_timeout(c[0], 0, err));
	real_wait(c[1]);
	run_helper(r, "boot", NULL);
	assert_state(again, CTR_STATE_RUNNING);
	assert_int_equal(ctr_container_exists(r->rt, ctr_container_id(gone), NULL), 0);
	for (size_t i = 0; i < 2; i++)
		ctr_container_unref(c[i]);
	ctr_runtime_unref(rt);
	ctr_container_unref(gone);
	real_remove(again, CTR_REMOVE_FORCE);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

/* As after a reboot: the run root is empty, and so the states are known from what outlives it. */
static void test_boot_with_an_empty_run_root(void **state)
{
	struct real *r = *state;
	ctr_container_t *c[3] = {create_with(r, "always", 0, "sleep 1000"),
	    create_with(r, "unless-stopped", 0, "sleep 1000"),
	    create_with(r, "unless-stopped", 0, "sleep 1000")};
	char *ids[3], **list = NULL;
	struct seen s;

	for (size_t i = 0; i < 3; i++) {
		ids[i] = strdup(ctr_container_id(c[i]));
		OK(ctr_container_start(c[i], 0, err));
	}
	OK(ctr_container_stop_with_timeout(c[2], 0, err));
	/* The machine stops them, not a user. */
	for (size_t i = 0; i < 2; i++) {
		struct ctr_stop_opts o = {
		    .size = sizeof(o), .flags = CTR_STOP_SERVICE | CTR_STOP_NOW};

		OK(ctr_container_stop(c[i], &o, err));
	}
	for (size_t i = 0; i < 3; i++) {
		await_state(c[i], CTR_STATE_EXITED, 0, &s);
		ctr_container_unref(c[i]);
	}
	ctr_runtime_unref(r->rt);
	assert_int_equal(nftw(r->run, remove_one, 32, FTW_DEPTH | FTW_PHYS | FTW_MOUNT), 0);
	r->rt = real_open(r);
	assert_non_null(r->rt);
	OK(ctr_runtime_should_start(r->rt, &list, err));
	assert_true(list[0] && list[1] && !list[2]);
	ctr_strv_free(list);
	assert_int_equal(ctr_runtime_boot(r->rt, 0, NULL), 2);
	for (size_t i = 0; i < 3; i++) {
		OK(ctr_container_get(r->rt, ids[i], &c[i], err));
		assert_state(c[i], i < 2 ? CTR_STATE_RUNNING : CTR_STATE_EXITED);
		real_remove(c[i], CTR_REMOVE_FORCE);
		free(ids[i]);
	}
}

static void test_missing_helper(void **state)
{
	struct real *r = *state;
	char path[256], to[256];
	struct ctr_open_opts o = {.size = sizeof(o), .root = r->root, .run_root = r->run};
	ctr_container_t *c = create_with(r, "always", 0, "true"), *mine = NULL;
	ctr_runtime_t *rt = NULL;

	snprintf(path, sizeof(path), "%s/helper", r->dir);
	snprintf(to, sizeof(to), "%s/helper-gone", r->dir);
	o.oci_runtimes = real_path;
	o.helper = path;
	FAILS(CTR_E_NO_HELPER, ctr_runtime_open(&o, &rt, err));
	assert_int_equal(symlink("/bin/true", path), 0);
	OK(ctr_runtime_open(&o, &rt, err));
	OK(ctr_container_get(rt, ctr_container_id(c), &mine, err));
	assert_int_equal(rename(path, to), 0);
	FAILS(CTR_E_NO_HELPER, ctr_container_start(mine, 0, err));
	assert_state(mine, CTR_STATE_CONFIGURED);
	assert_int_equal(unlink(to), 0);
	ctr_container_unref(mine);
	ctr_runtime_unref(rt);
	/* One that does not need it starts. */
	real_remove(c, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, real_setup, real_teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_restart_without_any_host),
	    TEST(test_on_failure),
	    TEST(test_success_is_no_failure),
	    TEST(test_stopped_by_user),
	    TEST(test_delay),
	    TEST(test_stop_in_the_delay),
	    TEST(test_auto_remove),
	    TEST(test_waiting_for_one_that_goes),
	    TEST(test_restart_of_auto_remove),
	    TEST(test_restart_by_hand),
	    TEST(test_killed_helper),
	    TEST(test_nobody_waits_for_the_helper),
	    TEST(test_killed_monitor),
	    TEST(test_boot),
	    TEST(test_boot_with_an_empty_run_root),
	    TEST(test_missing_helper),
	};

	real_init(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
