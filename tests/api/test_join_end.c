/* SPDX-License-Identifier: Apache-2.0 */
/* The container whose PID namespace is joined ends while the other one is made: with its first process nothing can be
 * made there any more, and what the runtime says then is not the reason. Fake runtime; the processes are real. */
#include "fixture.h"

#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t process(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	assert_true(pid > 0);
	return pid;
}

static void kill_and_await(pid_t pid, bool reap)
{
	siginfo_t info;

	kill(pid, SIGKILL);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, reap ? WEXITED : WEXITED | WNOWAIT), 0);
}

enum { ALIVE, ZOMBIE, GONE, RECORDED };

struct world {
	struct fixture *f;
	ctr_container_t *donor, *c; /* c joins its PID namespace */
	pid_t pid[2];               /* the donor's first process in its first and second run */
	int runs;
	int end;   /* what becomes of the first one while c is created */
	int fails; /* so many creations of c fail then */
};

/* Called before each creation of the fake runtime. */
static void meanwhile(const struct ctr_oci_container *k, void *arg)
{
	struct world *w = arg;

	if (strcmp(k->id, ctr_container_id(w->donor)) == 0) {
		assert_in_range(w->runs, 0, 1);
		fake_oci_process(w->f->fake, w->pid[w->runs++], 0);
		return;
	}
	fake_oci_process(w->f->fake, 0, 0);
	if (w->fails-- <= 0)
		return;
	if (w->end != ALIVE)
		kill_and_await(w->pid[w->runs - 1], w->end != ZOMBIE);
	if (w->end == RECORDED)
		fake_oci_exit(w->f->fake, ctr_container_id(w->donor), 137);
	fake_oci_fail(w->f->fake, FAKE_CREATE, CTR_E_OCI_RUNTIME, 1);
}

static void world_begin(struct world *w, void **state)
{
	struct fixture *f = *state;
	ctr_config_t *plain = fixture_config(f, NULL), *cfg = NULL;
	ctr_config_builder_t *b = ctr_config_builder_new_from(plain);

	*w = (struct world){.f = f, .pid = {process(), process()}, .fails = 1};
	w->donor = fixture_create(f, "donor");
	OK(ctr_config_builder_set_str(b, CTR_CONFIG_PID_NS_CTR, ctr_container_id(w->donor), err));
	OK(ctr_config_builder_build(b, &cfg, err));
	OK(ctr_container_create(f->rt, cfg, 0, &w->c, err));
	fake_oci_on_create(f->fake, meanwhile, w);
	ctr_config_builder_free(b);
	ctr_config_unref(plain);
	ctr_config_unref(cfg);
}

static void world_end(struct world *w)
{
	ctr_container_unref(w->c);
	ctr_container_unref(w->donor);
	for (int i = 0; i < 2; i++) {
		kill(w->pid[i], SIGKILL);
		waitpid(w->pid[i], NULL, 0);
	}
}

/* Of that container, and in that state. */
static void assert_blames_donor(const struct world *w, int code, ctr_error_t *e, const char *state)
{
	assert_int_equal(code, CTR_E_CTR_STATE);
	assert_string_equal(ctr_error_get(e, "container"), ctr_container_id(w->c));
	assert_string_equal(ctr_error_get(e, "dependency"), ctr_container_id(w->donor));
	assert_string_equal(ctr_error_get(e, "state"), state);
	ctr_error_free(e);
	assert_int_equal(fake_oci_status(w->f->fake, ctr_container_id(w->c)), CTR_OCI_ABSENT);
}

/* ---- one attempt ---- */

static void fails_because(void **state, int end, const char *donor_state)
{
	struct world w;
	ctr_error_t *e = NULL;
	int r;

	world_begin(&w, state);
	w.end = end;
	OK(ctr_container_start(w.donor, 0, err));
	r = ctr_container_start(w.c, 0, &e);
	assert_blames_donor(&w, r, e, donor_state);
	assert_state(w.c, CTR_STATE_CONFIGURED);
	world_end(&w);
}

static void test_zombie(void **state)
{
	fails_because(state, ZOMBIE, "running");
}

static void test_gone(void **state)
{
	fails_because(state, GONE, "running");
}

static void test_recorded(void **state)
{
	fails_because(state, RECORDED, "stopped");
}

static void test_others_fault(void **state)
{
	struct world w;

	world_begin(&w, state);
	OK(ctr_container_start(w.donor, 0, err));
	FAILS(CTR_E_OCI_RUNTIME, ctr_container_start(w.c, 0, err));
	w.fails = 1;
	FAILS(CTR_E_OCI_RUNTIME, ctr_container_start(w.c, CTR_START_RECURSIVE, err));
	assert_int_equal(w.runs, 1);
	world_end(&w);
}

/* A zombie on record as running is not joined. */
static void test_dead_before(void **state)
{
	struct world w;
	ctr_error_t *e = NULL;
	int r;

	world_begin(&w, state);
	OK(ctr_container_start(w.donor, 0, err));
	kill_and_await(w.pid[0], false);
	r = ctr_container_start(w.c, 0, &e);
	assert_blames_donor(&w, r, e, "running");
	assert_int_equal(fake_oci_calls(w.f->fake, FAKE_CREATE), 1);
	world_end(&w);
}

/* Created, and killed by the kernel together with the other one: there is nothing to start. */
static void test_between_creation_and_start(void **state)
{
	struct world w;
	ctr_error_t *e = NULL;
	int r;

	world_begin(&w, state);
	w.fails = 0;
	OK(ctr_container_start(w.donor, 0, err));
	OK(ctr_container_init(w.c, 0, err));
	kill_and_await(w.pid[0], false);
	fake_oci_fail(w.f->fake, FAKE_START, CTR_E_OCI_RUNTIME, 1);
	r = ctr_container_start(w.c, 0, &e);
	assert_blames_donor(&w, r, e, "running");
	world_end(&w);
}

/* The creation itself succeeded, but in a namespace in which all is killed. */
static void during_creation(const struct ctr_oci_container *k, void *arg)
{
	(void)k;
	kill_and_await(((struct world *)arg)->pid[0], true);
}

static void test_created_in_a_dead_namespace(void **state)
{
	struct world w;
	ctr_error_t *e = NULL;
	int r;

	world_begin(&w, state);
	OK(ctr_container_start(w.donor, 0, err));
	fake_oci_on_create(w.f->fake, during_creation, &w);
	r = ctr_container_start(w.c, 0, &e);
	assert_blames_donor(&w, r, e, "running");
	assert_state(w.c, CTR_STATE_CONFIGURED);
	world_end(&w);
}

/* ---- recursive: what has ended is started again ---- */

static void starts_again(void **state, int end, bool monitors_die, bool init)
{
	struct world w;

	world_begin(&w, state);
	w.end = end;
	OK(ctr_container_start(w.donor, 0, err));
	if (monitors_die)
		fake_oci_kill_monitors(w.f->fake);
	if (init)
		OK(ctr_container_init(w.c, CTR_INIT_RECURSIVE, err));
	else
		OK(ctr_container_start(w.c, CTR_START_RECURSIVE, err));
	assert_int_equal(w.runs, 2);
	assert_int_equal(fake_oci_calls(w.f->fake, FAKE_CREATE), 4);
	assert_state(w.donor, CTR_STATE_RUNNING);
	assert_state(w.c, init ? CTR_STATE_CREATED : CTR_STATE_RUNNING);
	world_end(&w);
}

static void test_start_again(void **state)
{
	starts_again(state, RECORDED, false, false);
}

static void test_init_again(void **state)
{
	starts_again(state, RECORDED, false, true);
}

/* Nobody will record it any more. */
static void test_start_again_unrecorded(void **state)
{
	starts_again(state, ZOMBIE, true, false);
}

/* One that was started for this and has ended is not started twice. */
static void test_ends_every_time(void **state)
{
	struct world w;
	ctr_error_t *e = NULL;
	int r;

	world_begin(&w, state);
	w.end = RECORDED;
	r = ctr_container_start(w.c, CTR_START_RECURSIVE, &e);
	assert_blames_donor(&w, r, e, "stopped");
	assert_int_equal(w.runs, 1);
	world_end(&w);
}

/* The one in the middle of a chain fails because of the first. */
static void test_chain(void **state)
{
	struct world w;
	ctr_config_t *plain, *cfg = NULL;
	ctr_config_builder_t *b;
	ctr_container_t *last = NULL;

	world_begin(&w, state);
	w.end = RECORDED;
	plain = fixture_config(w.f, NULL);
	b = ctr_config_builder_new_from(plain);
	OK(ctr_config_builder_add_str(b, CTR_CONFIG_DEPENDENCIES, ctr_container_id(w.c), err));
	OK(ctr_config_builder_build(b, &cfg, err));
	OK(ctr_container_create(w.f->rt, cfg, 0, &last, err));
	OK(ctr_container_start(w.donor, 0, err));
	OK(ctr_container_start(last, CTR_START_RECURSIVE, err));
	assert_int_equal(w.runs, 2);
	assert_state(w.c, CTR_STATE_RUNNING);
	assert_state(last, CTR_STATE_RUNNING);
	ctr_config_builder_free(b);
	ctr_config_unref(plain);
	ctr_config_unref(cfg);
	ctr_container_unref(last);
	world_end(&w);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
	    TEST(test_zombie),
	    TEST(test_gone),
	    TEST(test_recorded),
	    TEST(test_others_fault),
	    TEST(test_dead_before),
	    TEST(test_between_creation_and_start),
	    TEST(test_created_in_a_dead_namespace),
	    TEST(test_start_again),
	    TEST(test_init_again),
	    TEST(test_start_again_unrecorded),
	    TEST(test_ends_every_time),
	    TEST(test_chain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
