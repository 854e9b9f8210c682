/* SPDX-License-Identifier: Apache-2.0 */
/* Opening: options, wrong directories, several opens, fork, log function, plug-ins, shutdown, wiped run root. */
#include "fixture.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct ctr_open_opts opts(const struct fixture *f)
{
	struct ctr_open_opts o = {.size = sizeof(o), .root = f->root, .run_root = f->run};

	return o;
}

static void write_file(const char *dir, const char *name, const char *text)
{
	char path[400];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "we");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void test_bad_options(void **state)
{
	struct fixture *f = *state;
	struct ctr_open_opts o = opts(f);
	ctr_runtime_t *rt = NULL;
	char inside[200];

	FAILS(CTR_E_INVALID, ctr_runtime_open(&o, NULL, err));
	o.size = 3;
	FAILS(CTR_E_INVALID, ctr_runtime_open(&o, &rt, err));
	o = opts(f);
	o.flags = 1ULL << 40;
	FAILS(CTR_E_UNSUPPORTED, ctr_runtime_open(&o, &rt, err));
	o = opts(f);
	o.root = "relative/path";
	FAILS(CTR_E_INVALID, ctr_runtime_open(&o, &rt, err));
	o.root = f->run;
	FAILS(CTR_E_INVALID, ctr_runtime_open(&o, &rt, err));
	snprintf(inside, sizeof(inside), "%s/inside", f->run);
	o.root = inside;
	FAILS(CTR_E_INVALID, ctr_runtime_open(&o, &rt, err));
	o = opts(f);
	o.lock_timeout_ms = -5;
	FAILS(CTR_E_INVALID, ctr_runtime_open(&o, &rt, err));
	o = opts(f);
	o.log_level = 9;
	FAILS(CTR_E_INVALID, ctr_runtime_open(&o, &rt, err));
	o = opts(f);
	o.oci_runtimes = "/no/such/runc";
	FAILS(CTR_E_OCI_UNAVAILABLE, ctr_runtime_open(&o, &rt, err));
	o.oci_runtimes = "runc";
	FAILS(CTR_E_INVALID, ctr_runtime_open(&o, &rt, err));
	o = opts(f);
	o.conmon = "/no/such/conmon";
	FAILS(CTR_E_CONMON_UNAVAILABLE, ctr_runtime_open(&o, &rt, err));
	assert_null(rt);
}

static void test_foreign_directories(void **state)
{
	struct fixture *f = *state;
	struct ctr_open_opts o = opts(f);
	ctr_runtime_t *rt = NULL;
	char other[200], path[400];
	ctr_error_t *e = NULL;

	/* Not empty and not ours. */
	snprintf(other, sizeof(other), "%s/other", f->dir);
	o.root = f->rootfs;
	o.run_root = other;
	write_file(f->rootfs, "something", "else");
	assert_int_equal(ctr_runtime_open(&o, &rt, &e), CTR_E_STORE_FOREIGN);
	assert_string_equal(ctr_error_get(e, "path"), f->rootfs);
	ctr_error_free(e);
	/* Ours, but made with another run root. */
	o = opts(f);
	o.run_root = other;
	FAILS(CTR_E_STORE_CONFIG, ctr_runtime_open(&o, &rt, err));
	/* A database that is none. */
	ctr_runtime_unref(f->rt);
	f->rt = NULL;
	snprintf(path, sizeof(path), "%s/db", f->root);
	write_file(path, "data.mdb",
	    "this is no database, whatever the name says; it is only text "
	    "and a bit longer than a header would have to be");
	o = opts(f);
	FAILS(CTR_E_STORE_FOREIGN, ctr_runtime_open(&o, &rt, err));
}

static void test_several_opens(void **state)
{
	struct fixture *f = *state;
	ctr_runtime_t *second = fixture_open(f, NULL);
	ctr_container_t *a = fixture_create(f, "shared"), *b = NULL;
	int32_t s;

	OK(ctr_container_lookup(second, "shared", &b, err));
	assert_ptr_equal(ctr_container_runtime(b), second);
	OK(ctr_container_init(a, 0, err));
	OK(ctr_container_state(b, &s, err));
	assert_int_equal(s, CTR_STATE_CREATED);
	/* The order of letting go does not matter. */
	ctr_runtime_unref(second);
	OK(ctr_container_state(b, &s, err));
	ctr_container_unref(b);
	ctr_container_unref(a);
}

static void test_containers_outlive_the_process(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_create(f, "persistent");
	ctr_config_t *before = ctr_container_config(c), *after;
	char *a = NULL, *b = NULL;

	ctr_container_unref(c);
	ctr_runtime_unref(f->rt);
	f->rt = fixture_open(f, &f->fake);
	OK(ctr_container_lookup(f->rt, "persistent", &c, err));
	after = ctr_container_config(c);
	OK(ctr_config_to_json(before, &a, NULL, err));
	OK(ctr_config_to_json(after, &b, NULL, err));
	assert_string_equal(a, b);
	ctr_free(a);
	ctr_free(b);
	ctr_config_unref(before);
	ctr_config_unref(after);
	ctr_container_unref(c);
}

static int in_child(struct fixture *f, ctr_container_t *c)
{
	struct ctr_open_opts o = opts(f);
	ctr_runtime_t *rt = NULL;
	ctr_container_t *mine = NULL;
	ctr_list_t *list = NULL;
	int32_t s;
	char id[160];

	snprintf(id, sizeof(id), "%s", ctr_container_id(c));
	if (ctr_container_state(c, &s, NULL) != CTR_E_FORKED)
		return 1;
	if (ctr_runtime_list(f->rt, NULL, 0, &list, NULL) != CTR_E_FORKED)
		return 2;
	if (ctr_container_remove(c, 0, NULL) != CTR_E_FORKED)
		return 3;
	/* Letting go is fine, and a runtime of its own works. */
	ctr_container_unref(c);
	ctr_runtime_unref(f->rt);
	if (ctr_runtime_open(&o, &rt, NULL) < 0)
		return 4;
	if (ctr_container_get(rt, id, &mine, NULL) < 0)
		return 5;
	if (ctr_container_state(mine, &s, NULL) < 0)
		return 6;
	ctr_container_unref(mine);
	ctr_runtime_unref(rt);
	return 0;
}

static void test_fork(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_create(f, NULL);
	int32_t s;
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid)
		_exit(in_child(f, c));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	/* The parent is not affected. */
	OK(ctr_container_state(c, &s, err));
	OK(ctr_container_init(c, 0, err));
	ctr_container_unref(c);
}

struct log_env {
	ctr_runtime_t *rt;
	ctr_container_t *c;
	int lines, deadlocks;
};

static void log_fn(int32_t level, const char *id, const char *message, void *userdata)
{
	struct log_env *e = userdata;
	int32_t s;

	assert_true(level >= CTR_LOG_ERROR && level <= CTR_LOG_DEBUG);
	assert_non_null(message);
	(void)id;
	e->lines++;
	if (ctr_container_state(e->c, &s, NULL) == CTR_E_DEADLOCK)
		e->deadlocks++;
}

/* A failing undo is logged; the log function cannot call back. */
static void test_log_function(void **state)
{
	struct fixture *f = *state;
	struct ctr_open_opts o = opts(f);
	struct log_env e = {0};
	struct fake_oci *fake = fake_oci_new();
	ctr_container_t *c = fixture_create(f, "logged");

	o.log = log_fn;
	o.log_userdata = &e;
	OK(ctr_runtime_open(&o, &e.rt, err));
	OK(ctr_runtime_add_oci(e.rt, &fake_oci_ops, fake, fake_oci_destroy, err));
	OK(ctr_container_lookup(e.rt, "logged", &e.c, err));
	fake_oci_fail(fake, FAKE_CREATE, CTR_E_OCI_RUNTIME, 1);
	fake_oci_fail(fake, FAKE_REMOVE, CTR_E_OCI_RUNTIME, 1);
	FAILS(CTR_E_OCI_RUNTIME, ctr_container_init(e.c, 0, err));
	assert_int_equal(e.lines, 1);
	assert_int_equal(e.deadlocks, 1);
	ctr_container_unref(e.c);
	ctr_runtime_unref(e.rt);
	ctr_container_unref(c);
}

static void destroy_counted(void *impl)
{
	(*(int *)impl)++;
}

static void test_registering(void **state)
{
	struct fixture *f = *state;
	struct ctr_oci_ops ops = fake_oci_ops;
	struct {
		struct ctr_oci_ops ops;
		void *later;
	} newer = {.ops = fake_oci_ops};
	int destroyed = 0, before = fake_oci_destroyed;
	ctr_runtime_t *rt = fixture_open(f, NULL);

	FAILS(CTR_E_CTR_EXISTS, ctr_runtime_add_oci(rt, &ops, &destroyed, destroy_counted, err));
	ops.name = "no good name";
	FAILS(CTR_E_INVALID, ctr_runtime_add_oci(rt, &ops, &destroyed, destroy_counted, err));
	ops.name = "incomplete";
	ops.start = NULL;
	FAILS(CTR_E_INVALID, ctr_runtime_add_oci(rt, &ops, &destroyed, destroy_counted, err));
	ops = fake_oci_ops;
	ops.name = "caps";
	ops.caps = 1ULL << 50;
	FAILS(CTR_E_UNSUPPORTED, ctr_runtime_add_oci(rt, &ops, &destroyed, destroy_counted, err));
	newer.ops.name = "newer";
	newer.ops.size = sizeof(newer);
	newer.later = &newer;
	FAILS(CTR_E_UNSUPPORTED,
	    ctr_runtime_add_oci(rt, &newer.ops, &destroyed, destroy_counted, err));
	assert_int_equal(destroyed, 0);
	newer.later = NULL;
	OK(ctr_runtime_add_oci(rt, &newer.ops, &destroyed, destroy_counted, err));
	FAILS(CTR_E_INVALID, ctr_runtime_add_oci(rt, NULL, NULL, NULL, err));
	FAILS(CTR_E_INVALID, ctr_runtime_add_storage(rt, NULL, NULL, NULL, err));
	ctr_runtime_unref(rt);
	/* Exactly once each. */
	assert_int_equal(destroyed, 1);
	assert_int_equal(fake_oci_destroyed, before + 1);
}

static void test_unregistered_runtime(void **state)
{
	struct fixture *f = *state;
	struct ctr_open_opts o = opts(f);
	ctr_container_t *c = fixture_in_state(f, CTR_STATE_RUNNING), *blind = NULL;
	ctr_runtime_t *rt = NULL;
	int32_t s;

	OK(ctr_runtime_open(&o, &rt, err));
	OK(ctr_container_get(rt, ctr_container_id(c), &blind, err));
	/* What is stored can be read; what needs the runtime says what is missing. */
	OK(ctr_container_state(blind, &s, err));
	assert_int_equal(s, CTR_STATE_RUNNING);
	FAILS(CTR_E_OCI_UNAVAILABLE, ctr_container_kill(blind, 9, err));
	FAILS(CTR_E_OCI_UNAVAILABLE, ctr_container_sync(blind, err));
	ctr_container_unref(blind);
	ctr_runtime_unref(rt);
	ctr_container_unref(c);
}

/* After a reboot, here: with the run root gone, containers are there, and what ran has exited. */
static void test_lost_run_root(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *ran = fixture_create(f, "ran"), *never = fixture_create(f, "never"),
	                *c = NULL;
	char aside[200];
	int32_t s, code, exited, by_user;

	OK(ctr_container_start(ran, 0, err));
	OK(ctr_container_kill(ran, 9, err));
	OK(ctr_container_cleanup(ran, 0, err));
	snprintf(aside, sizeof(aside), "%s/aside", f->dir);
	assert_int_equal(rename(f->run, aside), 0);
	ctr_container_unref(ran);
	ctr_container_unref(never);
	ctr_runtime_unref(f->rt);
	f->rt = fixture_open(f, &f->fake);
	OK(ctr_container_lookup(f->rt, "ran", &c, err));
	OK(ctr_container_state(c, &s, err));
	assert_int_equal(s, CTR_STATE_EXITED);
	OK(ctr_container_exit_code(c, &code, &exited, err));
	assert_int_equal(code, 137);
	assert_int_equal(exited, 1);
	OK(ctr_container_stopped_by_user(c, &by_user, err));
	assert_int_equal(by_user, 1);
	OK(ctr_container_start(c, 0, err));
	ctr_container_unref(c);
	OK(ctr_container_lookup(f->rt, "never", &c, err));
	OK(ctr_container_state(c, &s, err));
	assert_int_equal(s, CTR_STATE_CONFIGURED);
	ctr_container_unref(c);
}

/* The run root is deleted under an open runtime: operations say so and harm nothing. */
static void test_run_root_wiped_under_us(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_create(f, NULL);
	char path[200];

	snprintf(path, sizeof(path), "%s/locks", f->run);
	assert_int_equal(unlink(path), 0);
	FAILS(CTR_E_RUNTIME_STOPPED, ctr_container_start(c, 0, err));
	ctr_container_unref(c);
}

struct holder {
	pthread_barrier_t held, release;
};

static int hold_lock(ctr_container_t *view, void *userdata)
{
	struct holder *h = userdata;

	(void)view;
	pthread_barrier_wait(&h->held);
	pthread_barrier_wait(&h->release);
	return 0;
}

struct hold_args {
	ctr_container_t *c;
	struct holder *h;
};

static void *hold_thread(void *arg)
{
	struct hold_args *a = arg;

	OK(ctr_container_batch(a->c, hold_lock, a->h, err));
	return NULL;
}

static void test_lock_timeout(void **state)
{
	struct fixture *f = *state;
	struct ctr_open_opts o = opts(f);
	ctr_container_t *c = fixture_create(f, NULL), *impatient = NULL;
	ctr_runtime_t *rt = NULL;
	struct holder h;
	struct hold_args args = {c, &h};
	pthread_t t;
	int32_t s;

	pthread_barrier_init(&h.held, NULL, 2);
	pthread_barrier_init(&h.release, NULL, 2);
	o.lock_timeout_ms = 30;
	OK(ctr_runtime_open(&o, &rt, err));
	OK(ctr_container_get(rt, ctr_container_id(c), &impatient, err));
	assert_int_equal(pthread_create(&t, NULL, hold_thread, &args), 0);
	pthread_barrier_wait(&h.held);
	FAILS(CTR_E_LOCKED, ctr_container_state(impatient, &s, err));
	pthread_barrier_wait(&h.release);
	assert_int_equal(pthread_join(t, NULL), 0);
	OK(ctr_container_state(impatient, &s, err));
	pthread_barrier_destroy(&h.held);
	pthread_barrier_destroy(&h.release);
	ctr_container_unref(impatient);
	ctr_runtime_unref(rt);
	ctr_container_unref(c);
}

static void test_no_descriptor_is_inherited(void **state)
{
	struct fixture *f = *state;

	OK(ctr_runtime_events_fd(f->rt, err));
	for (int fd = 3; fd < 200; fd++) {
		char link[64], target[400] = "";
		int flags = fcntl(fd, F_GETFD);

		if (flags < 0)
			continue;
		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		if (readlink(link, target, sizeof(target) - 1) > 0 && strstr(target, f->dir))
			assert_true(flags & FD_CLOEXEC);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_bad_options),
	    TEST(test_foreign_directories),
	    TEST(test_several_opens),
	    TEST(test_containers_outlive_the_process),
	    TEST(test_fork),
	    TEST(test_log_function),
	    TEST(test_registering),
	    TEST(test_unregistered_runtime),
	    TEST(test_lost_run_root),
	    TEST(test_run_root_wiped_under_us),
	    TEST(test_lock_timeout),
	    TEST(test_no_descriptor_is_inherited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
