/* SPDX-License-Identifier: Apache-2.0 */
/* Operations in sequence: states, events, failures and what they leave, against a fake OCI runtime. */
#include "fixture.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int exists(const char *dir, const char *sub, const char *id)
{
	char path[600];

	snprintf(path, sizeof(path), "%s/%s/%s", dir, sub, id);
	return access(path, F_OK) == 0;
}

static void assert_nothing_left(const struct fixture *f, const char *id)
{
	assert_false(exists(f->root, "containers", id));
	assert_false(exists(f->run, "containers", id));
	assert_int_equal(fake_oci_status(f->fake, id), CTR_OCI_ABSENT);
}

static void test_whole_life(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c;
	char *events, *path = NULL;
	int32_t code = -5, exited = 0;
	int64_t started = 0, finished = 0;

	OK(ctr_runtime_events_fd(f->rt, err));
	c = fixture_create(f, "life");
	assert_state(c, CTR_STATE_CONFIGURED);
	OK(ctr_container_start(c, 0, err));
	assert_state(c, CTR_STATE_RUNNING);
	OK(ctr_container_mountpoint(c, &path, err));
	assert_string_equal(path, f->rootfs);
	ctr_free(path);
	fake_oci_exit(f->fake, ctr_container_id(c), 3);
	OK(ctr_container_wait(c, -1, &code, err));
	assert_int_equal(code, 3);
	assert_state(c, CTR_STATE_STOPPED);
	OK(ctr_container_exit_code(c, &code, &exited, err));
	assert_int_equal(code, 3);
	assert_int_equal(exited, 1);
	OK(ctr_container_started_ns(c, &started, err));
	OK(ctr_container_finished_ns(c, &finished, err));
	assert_true(started > 0 && finished >= started);
	OK(ctr_container_cleanup(c, 0, err));
	assert_state(c, CTR_STATE_EXITED);
	OK(ctr_container_remove(c, 0, err));
	assert_nothing_left(f, ctr_container_id(c));
	/* The code outlives the container. */
	OK(ctr_container_exit_code_of(f->rt, ctr_container_id(c), &code, err));
	assert_int_equal(code, 3);
	events = events_text(f->rt);
	assert_string_equal(events, "create init start died cleanup remove");
	free(events);
	ctr_container_unref(c);
}

static void test_init_then_start(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_create(f, NULL);
	char **binds = NULL, *run_dir = NULL;

	OK(ctr_container_init(c, 0, err));
	assert_state(c, CTR_STATE_CREATED);
	OK(ctr_container_run_dir(c, &run_dir, err));
	assert_true(exists(run_dir, ".", "config.json"));
	OK(ctr_container_bind_mounts(c, &binds, err));
	assert_string_equal(binds[0], "/dev/shm");
	assert_non_null(strstr(binds[1], "/shm"));
	assert_string_equal(binds[2], "/etc/hosts");
	assert_true(exists(run_dir, ".", "hosts"));
	OK(ctr_container_start(c, 0, err));
	assert_int_equal(fake_oci_calls(f->fake, FAKE_CREATE), 1);
	assert_int_equal(fake_oci_calls(f->fake, FAKE_START), 1);
	ctr_free(run_dir);
	ctr_strv_free(binds);
	ctr_container_unref(c);
}

static void test_restart_after_exit(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_in_state(f, CTR_STATE_STOPPED);
	int32_t code, exited;

	OK(ctr_container_exit_code(c, &code, &exited, err));
	assert_int_equal(code, 137);
	OK(ctr_container_start(c, 0, err));
	assert_state(c, CTR_STATE_RUNNING);
	/* A new run has no code yet. */
	OK(ctr_container_exit_code(c, &code, &exited, err));
	assert_int_equal(exited, 0);
	fake_oci_exit(f->fake, ctr_container_id(c), 0);
	OK(ctr_container_wait(c, -1, &code, err));
	assert_int_equal(code, 0);
	ctr_container_unref(c);
}

static void test_failed_create_undoes_everything(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_create(f, NULL);
	char *text = NULL;

	fake_oci_fail(f->fake, FAKE_CREATE, CTR_E_OCI_NOT_FOUND, 1);
	FAILS(CTR_E_OCI_NOT_FOUND, ctr_container_start(c, 0, err));
	assert_state(c, CTR_STATE_CONFIGURED);
	assert_false(exists(f->run, "containers", ctr_container_id(c)));
	OK(ctr_container_error_text(c, &text, err));
	assert_non_null(strstr(text, "told to fail"));
	ctr_free(text);
	/* And it can be tried again. */
	OK(ctr_container_start(c, 0, err));
	OK(ctr_container_error_text(c, &text, err));
	assert_string_equal(text, "");
	ctr_free(text);
	ctr_container_unref(c);
}

static void test_failed_start_cleans_up(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_create(f, NULL);

	fake_oci_fail(f->fake, FAKE_START, CTR_E_OCI_RUNTIME, 1);
	FAILS(CTR_E_OCI_RUNTIME, ctr_container_start(c, 0, err));
	assert_state(c, CTR_STATE_CONFIGURED);
	assert_int_equal(fake_oci_count(f->fake), 0);
	OK(ctr_container_start(c, 0, err));
	ctr_container_unref(c);
}

static void test_stop_signal_then_kill(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_in_state(f, CTR_STATE_RUNNING);
	struct ctr_stop_opts o = {.size = sizeof(o), .timeout_ms = 20, .signal = 12};
	int32_t code, by_user = 0;

	fake_oci_ignore_signals(f->fake, 1);
	OK(ctr_container_stop(c, &o, err));
	assert_state(c, CTR_STATE_STOPPED);
	OK(ctr_container_exit_code(c, &code, NULL, err));
	assert_int_equal(code, 137);
	OK(ctr_container_stopped_by_user(c, &by_user, err));
	assert_int_equal(by_user, 1);
	ctr_container_unref(c);
}

static void test_stop_by_signal(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_in_state(f, CTR_STATE_RUNNING);
	struct ctr_stop_opts o = {.size = sizeof(o), .flags = CTR_STOP_SERVICE};
	int32_t code, by_user = 1;

	OK(ctr_container_stop(c, &o, err));
	OK(ctr_container_exit_code(c, &code, NULL, err));
	assert_int_equal(code, 128 + 15);
	OK(ctr_container_stopped_by_user(c, &by_user, err));
	assert_int_equal(by_user, 0);
	ctr_container_unref(c);
}

struct stopper {
	ctr_container_t *c;
	int result;
};

static void *stop_slowly(void *arg)
{
	struct stopper *s = arg;

	s->result = ctr_container_stop_with_timeout(s->c, -1, NULL);
	return NULL;
}

/* While a stop waits, the lock is free: state reads "stopping", kill works, and both end well. */
static void test_kill_during_stop(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_in_state(f, CTR_STATE_RUNNING);
	struct stopper s = {.c = c, .result = 1};
	pthread_t thread;
	int32_t code;

	fake_oci_ignore_signals(f->fake, 1);
	assert_int_equal(pthread_create(&thread, NULL, stop_slowly, &s), 0);
	while (state_of(c) != CTR_STATE_STOPPING ||
	       !fake_oci_last_signal(f->fake, ctr_container_id(c)))
		sched_yield();
	FAILS(CTR_E_CTR_STATE, ctr_container_start(c, 0, err));
	FAILS(CTR_E_CTR_STATE, ctr_container_remove(c, 0, err));
	OK(ctr_container_kill(c, 9, err));
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(s.result, 0);
	assert_state(c, CTR_STATE_STOPPED);
	OK(ctr_container_exit_code(c, &code, NULL, err));
	assert_int_equal(code, 137);
	ctr_container_unref(c);
}

static void test_dead_monitor(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_in_state(f, CTR_STATE_RUNNING);
	int32_t code, exited;

	fake_oci_kill_monitors(f->fake);
	FAILS(CTR_E_CONMON_DEAD, ctr_container_stop_with_timeout(c, 0, err));
	/* It is stopped and cleaned up all the same. */
	assert_state(c, CTR_STATE_EXITED);
	OK(ctr_container_exit_code(c, &code, &exited, err));
	assert_int_equal(code, -1);
	assert_int_equal(exited, 1);
	ctr_container_unref(c);
}

static void test_remove_ignores_dead_monitor(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_in_state(f, CTR_STATE_RUNNING);

	fake_oci_kill_monitors(f->fake);
	OK(ctr_container_remove(c, CTR_REMOVE_FORCE, err));
	assert_nothing_left(f, ctr_container_id(c));
	ctr_container_unref(c);
}

static void test_sync_finds_the_truth(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_in_state(f, CTR_STATE_RUNNING);

	fake_oci_forget(f->fake, ctr_container_id(c));
	fake_oci_kill_monitors(f->fake);
	OK(ctr_container_sync(c, err));
	assert_state(c, CTR_STATE_STOPPED);
	ctr_container_unref(c);
}

static void test_remove_twice_and_handle_survives(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_create(f, "gone");
	ctr_container_t *other = NULL;
	ctr_config_t *cfg;
	int32_t s;

	OK(ctr_container_lookup(f->rt, "gone", &other, err));
	OK(ctr_container_remove(c, 0, err));
	OK(ctr_container_remove(c, 0, err));
	OK(ctr_container_remove(other, 0, err));
	FAILS(CTR_E_CTR_REMOVED, ctr_container_state(c, &s, err));
	FAILS(CTR_E_CTR_REMOVED, ctr_container_state(other, &s, err));
	FAILS(CTR_E_CTR_REMOVED, ctr_container_start(other, 0, err));
	FAILS(CTR_E_NO_SUCH_CTR, ctr_container_lookup(f->rt, "gone", &other, err));
	cfg = ctr_container_config(c);
	assert_string_equal(ctr_config_name(cfg), "gone");
	ctr_config_unref(cfg);
	ctr_container_unref(c);
	ctr_container_unref(other);
}

/* An ID that is used again belongs to another container: an old handle must not touch it. */
static void test_reused_id(void **state)
{
	struct fixture *f = *state;
	ctr_config_builder_t *b;
	ctr_config_t *cfg = fixture_config(f, "first"), *same = NULL;
	ctr_container_t *first = NULL, *other, *second = NULL, *filler;
	int32_t s;

	b = ctr_config_builder_new_from(cfg);
	OK(ctr_config_builder_set_str(b, CTR_CONFIG_ID, "c0ffee", err));
	OK(ctr_config_builder_build(b, &same, err));
	OK(ctr_container_create(f->rt, same, 0, &first, err));
	OK(ctr_container_get(f->rt, "c0ffee", &other, err));
	OK(ctr_container_state(other, &s, err));
	OK(ctr_container_remove(first, 0, err));
	/* Takes the freed lock slot. */
	filler = fixture_create(f, "filler");
	OK(ctr_container_create(f->rt, same, 0, &second, err));
	FAILS(CTR_E_CTR_REMOVED, ctr_container_state(other, &s, err));
	OK(ctr_container_state(second, &s, err));
	assert_int_equal(s, CTR_STATE_CONFIGURED);
	ctr_config_builder_free(b);
	ctr_config_unref(cfg);
	ctr_config_unref(same);
	ctr_container_unref(first);
	ctr_container_unref(other);
	ctr_container_unref(second);
	ctr_container_unref(filler);
}

static void test_dependencies(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *dep = fixture_create(f, "dep"), *c = NULL;
	ctr_config_t *cfg = fixture_config(f, "user"), *with = NULL;
	ctr_config_builder_t *b = ctr_config_builder_new_from(cfg);
	ctr_error_t *e = NULL;

	OK(ctr_config_builder_add_str(b, CTR_CONFIG_DEPENDENCIES, ctr_container_id(dep), err));
	OK(ctr_config_builder_build(b, &with, err));
	OK(ctr_container_create(f->rt, with, 0, &c, err));
	FAILS(CTR_E_CTR_STATE, ctr_container_start(c, 0, err));
	assert_int_equal(ctr_container_remove(dep, 0, &e), CTR_E_CTR_EXISTS);
	assert_string_equal(ctr_error_get(e, "dependents"), ctr_container_id(c));
	ctr_error_free(e);
	OK(ctr_container_start(dep, 0, err));
	OK(ctr_container_start(c, 0, err));
	OK(ctr_container_remove(c, CTR_REMOVE_FORCE, err));
	OK(ctr_container_remove(dep, CTR_REMOVE_FORCE, err));
	ctr_config_builder_free(b);
	ctr_config_unref(cfg);
	ctr_config_unref(with);
	ctr_container_unref(dep);
	ctr_container_unref(c);
}

static void test_mount_count(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_create(f, NULL);
	char *path = NULL;
	int32_t mounted;

	OK(ctr_container_mount(c, &path, err));
	assert_string_equal(path, f->rootfs);
	ctr_free(path);
	OK(ctr_container_mount(c, NULL, err));
	OK(ctr_container_unmount(c, 0, err));
	OK(ctr_container_mounted(c, &mounted, err));
	assert_int_equal(mounted, 1);
	OK(ctr_container_unmount(c, 0, err));
	OK(ctr_container_mounted(c, &mounted, err));
	assert_int_equal(mounted, 0);
	/* A use of its own keeps it mounted after the run. */
	OK(ctr_container_start(c, 0, err));
	OK(ctr_container_mount(c, NULL, err));
	OK(ctr_container_kill(c, 9, err));
	OK(ctr_container_cleanup(c, 0, err));
	OK(ctr_container_mounted(c, &mounted, err));
	assert_int_equal(mounted, 1);
	OK(ctr_container_unmount(c, CTR_UNMOUNT_FORCE, err));
	OK(ctr_container_mounted(c, &mounted, err));
	assert_int_equal(mounted, 0);
	ctr_container_unref(c);
}

/* A configuration that was given as a directory is never touched. */
static void test_rootfs_is_kept(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_in_state(f, CTR_STATE_RUNNING);
	char path[300];
	int fd;

	snprintf(path, sizeof(path), "%s/precious", f->rootfs);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	close(fd);
	OK(ctr_container_remove(c, CTR_REMOVE_FORCE, err));
	assert_int_equal(access(path, F_OK), 0);
	ctr_container_unref(c);
}

static void test_bad_arguments(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_create(f, NULL);
	struct {
		struct ctr_stop_opts o;
		uint64_t later;
	} newer = {.o = {.size = sizeof(newer)}};
	struct ctr_stop_opts o = {.size = sizeof(o)};

	FAILS(CTR_E_INVALID, ctr_container_start(NULL, 0, err));
	FAILS(CTR_E_UNSUPPORTED, ctr_container_start(c, 1ULL << 62, err));
	FAILS(CTR_E_UNSUPPORTED, ctr_container_remove(c, 1ULL << 63, err));
	FAILS(CTR_E_INVALID, ctr_container_kill(c, 0, err));
	FAILS(CTR_E_INVALID, ctr_container_kill(c, 65, err));
	FAILS(CTR_E_INVALID, ctr_container_stop_with_timeout(c, -2, err));
	FAILS(CTR_E_INVALID, ctr_container_wait(c, -2, NULL, err));
	FAILS(CTR_E_INVALID, ctr_container_create(f->rt, NULL, 0, NULL, err));
	FAILS(CTR_E_EMPTY_ID, ctr_container_lookup(f->rt, "", &c, err));
	FAILS(CTR_E_NO_SUCH_CTR, ctr_container_get(f->rt, "zzz", &c, err));
	/* A longer struct of a newer header is fine as long as nothing new is used. */
	OK(ctr_container_start(c, 0, err));
	newer.later = 1;
	FAILS(CTR_E_UNSUPPORTED, ctr_container_stop(c, &newer.o, err));
	o.size = 4;
	FAILS(CTR_E_INVALID, ctr_container_stop(c, &o, err));
	o.size = sizeof(size_t) + sizeof(uint64_t); /* an older, shorter one */
	o.signal = 99;
	OK(ctr_container_stop(c, &o, err));
	newer.later = 0;
	FAILS(CTR_E_CTR_STOPPED, ctr_container_stop(c, &newer.o, err));
	ctr_container_unref(c);
}

/* What could be read but not be read again once it is completed and stored is refused. */
static void test_too_large_to_store(void **state)
{
	struct fixture *f = *state;
	const size_t size = (16U << 20) - 64;
	char *json = malloc(size + 1);
	ctr_config_t *cfg = NULL;
	ctr_list_t *list = NULL;
	size_t n;

	assert_non_null(json);
	n = (size_t)snprintf(json, size,
	    "{\"rootfs\":\"%s\",\"runtime\":\"fake\",\"spec\":{\"ociVersion\":\"1.0.2\","
	    "\"process\":{\"args\":[\"x\"],\"cwd\":\"/\"},\"root\":{\"path\":\"r\"}},\"own\":\"",
	    f->rootfs);
	memset(json + n, 'x', size - n - 2);
	strcpy(json + size - 2, "\"}");
	OK(ctr_config_from_json(json, size, &cfg, err));
	FAILS(CTR_E_INVALID, ctr_container_create(f->rt, cfg, 0, NULL, err));
	OK(ctr_runtime_list(f->rt, NULL, 0, &list, err));
	assert_int_equal(ctr_list_count(list), 0);
	ctr_list_free(list);
	ctr_config_unref(cfg);
	free(json);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_whole_life),
	    TEST(test_init_then_start),
	    TEST(test_restart_after_exit),
	    TEST(test_failed_create_undoes_everything),
	    TEST(test_failed_start_cleans_up),
	    TEST(test_stop_signal_then_kill),
	    TEST(test_stop_by_signal),
	    TEST(test_kill_during_stop),
	    TEST(test_dead_monitor),
	    TEST(test_remove_ignores_dead_monitor),
	    TEST(test_sync_finds_the_truth),
	    TEST(test_remove_twice_and_handle_survives),
	    TEST(test_reused_id),
	    TEST(test_dependencies),
	    TEST(test_mount_count),
	    TEST(test_rootfs_is_kept),
	    TEST(test_bad_arguments),
	    TEST(test_too_large_to_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
