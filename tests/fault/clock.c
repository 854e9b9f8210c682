/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A wall clock that jumps, backwards and forwards: states, waits, events and exit codes go on as if nothing had
 * happened. The clock of this process is replaced; the kernel's stays right.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "fixture.h"

#define HOUR 3600
#define YEAR (365 * 24 * HOUR)

static volatile time_t shift; /* seconds */

/* The library's clock_gettime(), as of everything in this process. */
int clock_gettime(clockid_t id, struct timespec *t)
{
	long r = syscall(SYS_clock_gettime, id, t);

	if (r == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
		t->tv_sec += shift;
	return (int)r;
}

static const time_t jumps[] = {-1, -HOUR, -20 * YEAR, HOUR, 20 * YEAR};
#define JUMPS (sizeof(jumps) / sizeof(*jumps))

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* One life with a jump between any two steps. */
static void live(struct fixture *f, time_t jump)
{
	int32_t code = -5;
	ctr_container_t *c;
	char *events;

	shift = 0;
	OK(ctr_runtime_events_fd(f->rt, err));
	free(events_text(f->rt));
	c = fixture_create(f, "traveller");
	shift = jump;
	OK(ctr_container_init(c, 0, err));
	assert_state(c, CTR_STATE_CREATED);
	shift = 0;
	OK(ctr_container_start(c, 0, err));
	shift = jump;
	assert_state(c, CTR_STATE_RUNNING);
	FAILS(CTR_E_TIMEOUT, ctr_container_wait(c, 10, NULL, err));
	fake_oci_exit(f->fake, ctr_container_id(c), 7);
	OK(ctr_container_wait(c, 5000, &code, err));
	assert_int_equal(code, 7);
	assert_state(c, CTR_STATE_STOPPED);
	shift = 0;
	OK(ctr_container_cleanup(c, 0, err));
	OK(ctr_container_start(c, 0, err));
	shift = jump;
	OK(ctr_container_stop_with_timeout(c, 5000, err));
	assert_state(c, CTR_STATE_STOPPED);
	shift = 0;
	OK(ctr_container_remove(c, 0, err));
	/* In the order in which it happened, not in that of the times. */
	events = events_text(f->rt);
	assert_string_equal(events, "create init start died cleanup init start died stop remove");
	free(events);
	ctr_container_unref(c);
}

static void test_a_life_with_jumps(void **state)
{
	for (size_t i = 0; i < JUMPS; i++)
		live(*state, jumps[i]);
}

/* Another process, whose clock is another: here, another open. */
static void test_readers_of_other_times(void **state)
{
	struct fixture *f = *state;
	struct pollfd p = {.events = POLLIN};
	ctr_event_t *ev = NULL;
	ctr_container_t *c;
	int fd = -1;

	for (size_t i = 0; i < JUMPS; i++) {
		shift = 0;
		OK((fd = ctr_runtime_events_fd(f->rt, err)));
		free(events_text(f->rt));
		shift = jumps[i];
		c = fixture_create(f, NULL);
		p.fd = fd;
		assert_int_equal(poll(&p, 1, 5000), 1);
		assert_int_equal(ctr_runtime_next_event(f->rt, &ev, NULL), 1);
		assert_int_equal(ctr_event_type(ev), CTR_EVENT_CREATE);
		ev = ctr_event_unref(ev);
		/* Rewinding to "a second ago" finds it, at the least. */
		OK(ctr_runtime_events_rewind(f->rt, now_ns() - 1000000000, err));
		assert_int_equal(ctr_runtime_next_event(f->rt, &ev, NULL), 1);
		ev = ctr_event_unref(ev);
		OK(ctr_container_remove(c, 0, err));
		ctr_container_unref(c);
	}
	shift = 0;
}

/* The exit code of a removed container does not vanish because the clock went back. */
static void test_exit_codes_outlive_a_step_back(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_create(f, NULL);
	int32_t code = -5;

	OK(ctr_container_start(c, 0, err));
	fake_oci_exit(f->fake, ctr_container_id(c), 9);
	OK(ctr_container_wait(c, -1, NULL, err));
	shift = -HOUR;
	OK(ctr_container_cleanup(c, 0, err));
	OK(ctr_container_remove(c, 0, err));
	OK(ctr_container_exit_code_of(f->rt, ctr_container_id(c), &code, err));
	assert_int_equal(code, 9);
	shift = 0;
	ctr_container_unref(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
	        test_a_life_with_jumps, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(
	        test_readers_of_other_times, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(
	        test_exit_codes_outlive_a_step_back, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
