/* SPDX-License-Identifier: Apache-2.0 */
/* What happens when a container has ended and no program of the host is there: restart policies, automatic
 * removal, with the installed helper and real monitors. */
#include "real.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
	int64_t restarts;
};

static void look(ctr_container_t *c, struct seen *out)
{
	ctr_state_t *s = NULL;

	OK(ctr_container_snapshot(c, &s, err));
	out->state = ctr_state_status(s);
	out->pid = ctr_state_pid(s);
	out->code = ctr_state_exit_code(s);
	out->restarts = ctr_state_restart_count(s);
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
	int64_t deadline;
	struct seen s;

	real_join(real_fork(r, start_and_leave, id));
	real_await_log(c, "ready");
	look(c, &s);
	assert_int_equal(s.state, CTR_STATE_RUNNING);
	assert_int_equal(s.restarts, 0);
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

/* ---- the helper ---- */

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
	    TEST(test_auto_remove),
	    TEST(test_missing_helper),
	};

	real_init(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
