/* SPDX-License-Identifier: Apache-2.0 */
/* The cells of the state x operation table that can be reached without killing anybody, with real containers. */
#include "matrix.h"
#include "real.h"

#include <pthread.h>
#include <sched.h>

#define IN(state) (1U << CTR_STATE_##state)

/* Somebody else's stop that takes long. */
struct stopper {
	pthread_t thread;
	ctr_container_t *c;
};

static void *stop_slowly(void *arg)
{
	const struct stopper *s = arg;

	/* Ends when the cell's operation or the removal ends the container, in whatever way. */
	ctr_container_stop_with_timeout(s->c, PATIENCE_MS, NULL);
	return NULL;
}

static void begin_stopping(struct stopper *s, ctr_container_t *c)
{
	s->c = c;
	assert_int_equal(pthread_create(&s->thread, NULL, stop_slowly, s), 0);
	while (state_of(c) != CTR_STATE_STOPPING)
		sched_yield();
}

static ctr_container_t *in_state(struct real *r, int32_t state, struct stopper *s)
{
	ctr_config_builder_t *b = real_builder(r, IGNORES_TERM);
	ctr_container_t *c;

	/* A refresh stops what runs. */
	OK(ctr_config_builder_set_num(b, CTR_CONFIG_STOP_TIMEOUT, 0, err));
	c = real_create_from(r, b);
	if (state == CTR_STATE_RUNNING || state == CTR_STATE_STOPPING) {
		OK(ctr_container_start(c, 0, err));
		real_await_log(c, "ready");
	}

	if (state == CTR_STATE_CREATED)
		OK(ctr_container_init(c, 0, err));
	if (state == CTR_STATE_PAUSED || state == CTR_STATE_STOPPED || state == CTR_STATE_EXITED)
		OK(ctr_container_start(c, 0, err));
	if (state == CTR_STATE_PAUSED)
		OK(ctr_container_pause(c, err));
	if (state == CTR_STATE_STOPPED || state == CTR_STATE_EXITED)
		OK(ctr_container_stop_with_timeout(c, 0, err));
	if (state == CTR_STATE_EXITED)
		OK(ctr_container_cleanup(c, 0, err));
	if (state == CTR_STATE_STOPPING)
		begin_stopping(s, c);
	assert_state(c, state);
	return c;
}

static void test_cell(void **state)
{
	const struct cell *cell = matrix_next();
	struct stopper s = {.c = NULL};
	ctr_container_t *c = in_state(*state, matrix_state(cell), &s);

	matrix_check(cell, c);
	ctr_container_remove(c, CTR_REMOVE_FORCE, NULL);
	if (s.c)
		pthread_join(s.thread, NULL);
	ctr_container_unref(c);
}

int main(int argc, char **argv)
{
	real_init(argc, argv);
	return matrix_run("states",
	    IN(CONFIGURED) | IN(CREATED) | IN(RUNNING) | IN(STOPPED) | IN(PAUSED) | IN(EXITED) |
	        IN(STOPPING),
	    test_cell, real_setup, real_teardown);
}
