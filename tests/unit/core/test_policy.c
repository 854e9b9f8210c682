/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of restart policies that need no container: how long a restart waits, who is started after a boot. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <libctr/state.h>

#include "config/config.h"
#include "core/policy.h"

#define S INT64_C(1000000000)

static struct ctr__state ran(int64_t ns, uint32_t last_delay)
{
	struct ctr__state s;

	ctr__state_init(&s, CTR_STATE_STOPPED);
	s.started_ns = 100 * S;
	s.finished_ns = s.started_ns + ns;
	s.restart_delay_ms = last_delay;
	s.restart_match = true;
	return s;
}

static void test_delay(void **state)
{
	static const struct {
		int64_t ran_ns;
		uint32_t last, now;
	} rows[] = {{0, 0, 100}, {0, 100, 200}, {0, 200, 400}, {0, 25600, 51200}, {0, 51200, 60000},
	    {0, 60000, 60000}, {9 * S, 400, 800}, {10 * S, 400, 100}, {3600 * S, 60000, 100},
	    /* the clock was set back */
	    {-50 * S, 400, 800}, {0, UINT32_MAX, 60000}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct ctr__state s = ran(rows[i].ran_ns, rows[i].last);

		assert_int_equal(ctr__restart_delay_ms(&s), rows[i].now);
	}
}

static void test_decision(void **state)
{
	struct ctr_config cfg = {.restart_policy = "on-failure", .restart_retries = 3};
	struct ctr__state s = ran(0, 0);

	(void)state;
	assert_false(ctr__policy_restarts(&cfg, &s)); /* code 0 */
	s.exit_code = -1;
	assert_true(ctr__policy_restarts(&cfg, &s));
	s.restart_count = 3;
	assert_false(ctr__policy_restarts(&cfg, &s));
	/* Interrupted after it was counted: it goes on. */
	s.state = CTR_STATE_CREATED;
	assert_true(ctr__policy_restarts(&cfg, &s));
	s.stopped_by_user = true;
	assert_false(ctr__policy_restarts(&cfg, &s));
	s = ran(0, 0);
	cfg.restart_policy = "always";
	assert_true(ctr__policy_restarts(&cfg, &s));
	s.restart_match = false;
	assert_false(ctr__policy_restarts(&cfg, &s));
	s.restart_match = true;
	cfg.restart_policy = NULL;
	assert_false(ctr__policy_restarts(&cfg, &s));
}

static void test_boot(void **state)
{
	struct ctr_config cfg = {.restart_policy = "unless-stopped"};

	(void)state;
	for (int32_t i = CTR_STATE_UNKNOWN; i <= CTR_STATE_STOPPING; i++) {
		struct ctr__state s;
		bool ever = i != CTR_STATE_UNKNOWN && i != CTR_STATE_CONFIGURED &&
		            i != CTR_STATE_CREATED && i != CTR_STATE_REMOVING;

		ctr__state_init(&s, i);
		cfg.restart_policy = "unless-stopped";
		assert_int_equal(ctr__starts_on_boot(&cfg, &s), ever);
		s.stopped_by_user = true;
		assert_false(ctr__starts_on_boot(&cfg, &s));
		cfg.restart_policy = "always";
		assert_int_equal(ctr__starts_on_boot(&cfg, &s), ever);
		cfg.restart_policy = "on-failure";
		assert_false(ctr__starts_on_boot(&cfg, &s));
		cfg.restart_policy = NULL;
		assert_false(ctr__starts_on_boot(&cfg, &s));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_delay),
	    cmocka_unit_test(test_decision),
	    cmocka_unit_test(test_boot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
