/* SPDX-License-Identifier: Apache-2.0 */
/* The built-in OCI driver when things go wrong: bad bundles, and runtimes and monitors that misbehave or die. */
#include "oci_world.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/proc.h"

/* ---- creates that fail ---- */

static void create_fails(struct box *b, int code, const char *word)
{
	CTR__ERROR ctr_error_t *err = NULL;
	int rc = box_create(b, &err);

	if (rc != code)
		fail_msg("%d, expected %d: %s", rc, code, ctr_error_message(err));
	if (!strstr(ctr_error_message(err), word))
		fail_msg("\"%s\" is not in: %s", word, ctr_error_message(err));
	assert_null(strchr(ctr_error_message(err), '\n'));
	assert_non_null(ctr_error_get(err, "oci.runtime"));
	assert_clean(b);
	assert_int_equal(box_create(b, NULL), code); /* and again, without an error object */
	assert_clean(b);
}

static void test_missing_binary(void **state)
{
	CTR__ERROR ctr_error_t *err = NULL;
	struct box b;

	(void)state;
	box_make(&b, &(struct wish){.args = "[\"/no-such-program\"]"});
	create_fails(&b, CTR_E_OCI_NOT_FOUND, "/no-such-program");
	assert_int_equal(box_create(&b, &err), CTR_E_OCI_NOT_FOUND);
	assert_non_null(strstr(ctr_error_get(err, "oci.stderr"), "/no-such-program"));
	assert_string_equal(ctr_error_get(err, "oci.runtime"), b.oci->name);
	assert_null(ctr_error_get(err, "conmon.status"));
}

static void test_binary_that_is_a_directory(void **state)
{
	struct box b;

	(void)state;
	box_make(&b, &(struct wish){.args = "[\"/bin\"]"});
	create_fails(&b, CTR_E_OCI_PERMISSION, b.oci->name);
}

static void test_bad_bundles(void **state)
{
	CTR__ERROR ctr_error_t *err = NULL;
	struct box b;

	(void)state;
	box_make(&b, ASLEEP);
	put_file(b.bundle, "config.json", 0644, "{\"ociVersion\":");
	create_fails(&b, CTR_E_OCI_RUNTIME, b.oci->name);
	box_write_config(&b, &(struct wish){.args = "[]"});
	/* crun: "open executable: Invalid argument" */
	create_fails(&b, is_runc() ? CTR_E_OCI_RUNTIME : CTR_E_OCI_NOT_FOUND, b.oci->name);
	b.c.bundle = "/nonexistent/bundle";
	assert_int_equal(box_create(&b, &err), CTR_E_SYSTEM);
	assert_non_null(strstr(ctr_error_message(err), "/nonexistent/bundle"));
	assert_clean(&b);
}

/* Terminal wanted here, not there: runc says so; crun leaves a created container, and conmon waiting for
 * a terminal that never comes. */
static void test_terminal_wanted_on_one_side_only(void **state)
{
	struct ctr__oci *oci = other_driver(world.runtime, world.conmon);
	struct box b;

	(void)state;
	((struct ctr__conmon *)oci->impl)->create_timeout_ms = 1000;
	box_make(&b, ASLEEP);
	b.oci = oci;
	b.c.flags |= CTR_OCI_TERMINAL;
	assert_true(box_create(&b, NULL) < 0);
	assert_clean(&b);
	ctr__oci_free(oci);
}

/* ---- runtimes and monitors that misbehave ---- */

static const char *script(const char *name, const char *body)
{
	static char path[300];
	char text[2048];

	snprintf(text, sizeof(text), "#!/bin/sh\n%s\n", body);
	put_file(world.base, name, 0755, text);
	snprintf(path, sizeof(path), "%s/%s", world.base, name);
	return path;
}

/* A shell script as runtime: what it does for `create`. Everything else it does silently. */
#define CASE_CREATE(what) "case \" $* \" in *\" create \"*) " what " ;; esac; exit 0"

static void fake_runtime_fails(const char *body, int code, const char *word)
{
	struct box b;
	struct ctr__oci *oci = other_driver(script("fake-runtime", body), world.conmon);

	if (code == CTR_E_TIMEOUT)
		((struct ctr__conmon *)oci->impl)->create_timeout_ms = 300;
	box_make(&b, ASLEEP);
	b.oci = oci;
	create_fails(&b, code, word);
	ctr__oci_free(oci);
}

static void test_runtimes_that_misbehave(void **state)
{
	(void)state;
	fake_runtime_fails(CASE_CREATE("exit 1"), CTR_E_OCI_RUNTIME, "no reason");
	fake_runtime_fails(CASE_CREATE("exit 0"), CTR_E_OCI_RUNTIME, "fake-runtime");
	fake_runtime_fails(CASE_CREATE("kill -9 $$"), CTR_E_OCI_RUNTIME, "no reason");
	fake_runtime_fails(CASE_CREATE("kill -9 $PPID; exit 1"), CTR_E_OCI_RUNTIME, "no reason");
	fake_runtime_fails(
	    CASE_CREATE("echo something is wrong >&2; exit 1"), CTR_E_OCI_RUNTIME, "is wrong");
	fake_runtime_fails(CASE_CREATE("printf 'bad \\377\\001 \\n\\n bytes \\303' >&2; exit 1"),
	    CTR_E_OCI_RUNTIME, "bad ? bytes ?");
	fake_runtime_fails(
	    CASE_CREATE("echo foo: Permission denied >&2; exit 1"), CTR_E_OCI_PERMISSION, "foo");
	fake_runtime_fails(CASE_CREATE("i=0; while [ $i -lt 1000 ]; do echo 'many \"words\" here'; "
	                               "i=$((i+1)); done >&2; exit 1"),
	    CTR_E_OCI_RUNTIME, "many \"words\" here");
	/* a PID file that names nobody, or nothing */
	fake_runtime_fails(
	    CASE_CREATE("while [ \"$1\" != --pid-file ]; do shift; done; printf 2147483600 > $2"),
	    CTR_E_OCI_RUNTIME, "fake-runtime");
	fake_runtime_fails(
	    CASE_CREATE("while [ \"$1\" != --pid-file ]; do shift; done; printf soon > $2"),
	    CTR_E_OCI_RUNTIME, "fake-runtime");
}

/* Conmon reads what a runtime prints only when it has ended, so one that fills the pipe hangs too. */
static void test_runtimes_that_hang(void **state)
{
	(void)state;
	fake_runtime_fails(CASE_CREATE("exec sleep 1000"), CTR_E_TIMEOUT, "no answer");
	fake_runtime_fails(CASE_CREATE("exec yes >&2"), CTR_E_TIMEOUT, "no answer");
}

/* The script's own interpreter is missing: execve() fails only inside conmon. */
static void test_runtime_that_cannot_be_executed(void **state)
{
	struct ctr__oci *oci;
	struct box b;
	char path[300];

	(void)state;
	put_file(world.base, "broken-runtime", 0755, "#!/no/such/interpreter\n");
	snprintf(path, sizeof(path), "%s/broken-runtime", world.base);
	oci = other_driver(path, world.conmon);
	box_make(&b, ASLEEP);
	b.oci = oci;
	assert_true(box_create(&b, NULL) < 0);
	assert_clean(&b);
	ctr__oci_free(oci);

	oci = other_driver("/nonexistent/runtime", world.conmon);
	b.oci = oci;
	create_fails(&b, CTR_E_OCI_UNAVAILABLE, "/nonexistent/runtime");
	ctr__oci_free(oci);
}

static void fake_conmon_fails(const char *body, int code, const char *word, const char *status)
{
	CTR__ERROR ctr_error_t *err = NULL;
	struct ctr__oci *oci = other_driver(world.runtime, script("conmon", body));
	struct box b;
	int rc;

	((struct ctr__conmon *)oci->impl)->create_timeout_ms = 500;
	box_make(&b, ASLEEP);
	b.oci = oci;
	rc = box_create(&b, &err);
	if (rc != code || !strstr(ctr_error_message(err), word))
		fail_msg("%s: %d %s", body, rc, ctr_error_message(err));
	if (status)
		assert_string_equal(ctr_error_get(err, "conmon.status"), status);
	assert_clean(&b);
	ctr__oci_free(oci);
}

static void test_monitors_that_misbehave(void **state)
{
	struct ctr__oci *oci;
	struct box b;

	(void)state;
	fake_conmon_fails("echo unknown option >&2; exit 1", CTR_E_CONMON_UNAVAILABLE,
	    "unknown option", "exit status 1");
	fake_conmon_fails(
	    "echo on stdout; exit 2", CTR_E_CONMON_UNAVAILABLE, "on stdout", "exit status 2");
	fake_conmon_fails("kill -9 $$", CTR_E_CONMON_UNAVAILABLE, "signal 9", "killed by signal 9");
	fake_conmon_fails("exit 0", CTR_E_OCI_RUNTIME, "no reason", NULL);
	fake_conmon_fails("printf garbage >&3", CTR_E_CONMON_UNAVAILABLE, "not understood", NULL);
	fake_conmon_fails("printf '{\"data\": 0}' >&3", CTR_E_OCI_RUNTIME, "no reason", NULL);
	/* success without having done anything */
	fake_conmon_fails("printf '{\"data\": %d}' $$ >&3; exit 0", CTR_E_OCI_RUNTIME, "", NULL);
	fake_conmon_fails("printf '{\"data\": 1}' >&3; exit 0", CTR_E_SYSTEM, "conmon.pid", NULL);
	/* never answers */
	fake_conmon_fails("exec sleep 1000", CTR_E_TIMEOUT, "no answer", NULL);
	fake_conmon_fails("exec 3>&-; exec sleep 1000", CTR_E_OCI_RUNTIME, "no reason", NULL);
	/* talks all the time */
	fake_conmon_fails("exec yes", CTR_E_TIMEOUT, "no answer", NULL);

	oci = other_driver(world.runtime, "/nonexistent/conmon");
	box_make(&b, ASLEEP);
	b.oci = oci;
	assert_int_equal(box_create(&b, NULL), CTR_E_CONMON_UNAVAILABLE);
	assert_clean(&b);
	ctr__oci_free(oci);
	oci = other_driver(world.runtime, NULL);
	b.oci = oci;
	assert_int_equal(box_create(&b, NULL), CTR_E_CONMON_UNAVAILABLE);
	assert_clean(&b);
	ctr__oci_free(oci);
}

/* Runs everything else through the command line, and knows a state of its own. */
static void test_a_runtime_nobody_has_heard_of(void **state)
{
	struct ctr__oci *oci;
	char body[1024];
	struct box b;

	(void)state;
	snprintf(body, sizeof(body), "exec %s \"$@\"", world.runtime);
	oci = other_driver(script("wrapper", body), world.conmon);
	box_make(&b, ASLEEP);
	b.oci = oci;
	assert_int_equal(box_state(&b).status, CTR_OCI_ABSENT);
	CREATE(&b);
	assert_int_equal(box_state(&b).status, CTR_OCI_CREATED);
	START(&b);
	assert_int_equal(box_state(&b).status, CTR_OCI_RUNNING);
	MUST(box_pause, &b);
	assert_int_equal(box_state(&b).status, CTR_OCI_PAUSED);
	MUST(box_resume, &b);
	assert_int_equal(box_kill(&b, SIGKILL, NULL), 0);
	assert_int_equal(box_wait(&b), 137);
	REMOVE(&b);
	assert_int_equal(box_state(&b).status, CTR_OCI_ABSENT);
	assert_clean(&b);
	REMOVE(&b);
	ctr__oci_free(oci);
}

static void test_answers_that_are_not_understood(void **state)
{
	static const char *const answers[] = {"echo '{}'", "echo nonsense", ":",
	    "echo '{\"status\":\"dancing\",\"pid\":1}'", "head -c 200000 /dev/zero"};

	(void)state;
	for (size_t i = 0; i < CTR__ARRAY_SIZE(answers); i++) {
		struct ctr__oci *oci = other_driver(script("teller", answers[i]), world.conmon);
		struct ctr_oci_status s = {.size = sizeof(s)};
		CTR__ERROR ctr_error_t *err = NULL;
		struct box b;

		box_make(&b, ASLEEP);
		b.oci = oci;
		assert_int_equal(oci->ops.state(oci->impl, &b.c, &s, &err), CTR_E_OCI_RUNTIME);
		assert_non_null(strstr(ctr_error_message(err), "teller"));
		ctr__oci_free(oci);
	}
}

/* ---- monitors that die ---- */

static void kill_monitor(struct box *b)
{
	CTR__CLOSE int fd = ctr__pidfd_open(b->c.monitor_pid, b->c.monitor_start);

	assert_true(fd >= 0);
	assert_int_equal(ctr__pidfd_signal(fd, SIGKILL), 0);
	assert_int_equal(ctr__pidfd_wait(fd, PATIENCE_MS), 1);
}

static void test_monitor_killed_while_running(void **state)
{
	struct ctr_oci_status s;
	struct box b;
	int fd;

	(void)state;
	box_make(&b, ASLEEP);
	CREATE(&b);
	START(&b);
	fd = b.oci->ops.wait_fd(b.oci->impl, &b.c, NULL);
	kill_monitor(&b);
	assert_true(readable(fd, PATIENCE_MS));
	close(fd);
	assert_int_equal(box_monitor_alive(&b), 0);
	assert_int_equal(box_exit_status(&b, &s), 0);
	s = box_state(&b);
	assert_int_equal(s.status, CTR_OCI_RUNNING);
	assert_int_equal(s.monitor_pid, 0);
	assert_int_equal(box_kill(&b, SIGKILL, NULL), 0);
	wait_gone(b.c.pid, b.c.pid_start);
	s = box_state(&b);
	assert_int_equal(s.status, CTR_OCI_STOPPED);
	assert_int_equal(s.exit_code, -1);
	assert_int_equal(s.finished_ns, 0);
	REMOVE(&b);
	assert_clean(&b);

	box_make(&b, ASLEEP);
	CREATE(&b);
	START(&b);
	kill_monitor(&b);
	REMOVE(&b);
	assert_clean(&b);
}

static void test_monitor_killed_before_start(void **state)
{
	struct box b;

	(void)state;
	box_make(&b, ASLEEP);
	CREATE(&b);
	kill_monitor(&b);
	START(&b);
	assert_int_equal(box_state(&b).status, CTR_OCI_RUNNING);
	REMOVE(&b);
	assert_clean(&b);
}

/* A monitor of the last run that still has to write would write into this one's files. */
static void test_monitor_of_an_earlier_run(void **state)
{
	CTR__OCI_RESULT struct ctr__oci_result r = {0};
	struct ctr_oci_container old;
	struct ctr_oci_status s;
	struct box b;

	(void)state;
	box_make(&b, ASLEEP);
	CREATE(&b);
	START(&b);
	old = b.c;
	assert_int_equal(kill(old.monitor_pid, SIGSTOP), 0);
	assert_int_equal(kill(old.pid, SIGKILL), 0);
	wait_gone(old.pid, old.pid_start);
	assert_int_equal(
	    ctr__oci_run(driver(), &b.c, (const char *const[]){"delete", b.id, NULL}, &r, NULL), 0);
	put_file(b.bundle, "oci-log", 0644, "{\"level\":\"error\",\"msg\":\"of yesterday\"}\n");
	b.c.pid = b.c.monitor_pid = 0;
	CREATE(&b);
	assert_false(ctr__proc_alive(old.monitor_pid, old.monitor_start));
	START(&b);
	assert_int_equal(box_exit_status(&b, &s), 0);
	assert_int_equal(box_kill(&b, SIGKILL, NULL), 0);
	assert_int_equal(box_wait(&b), 137);
	REMOVE(&b);
	assert_clean(&b);
}

/* Half-written files under temporary names: runc will not make a PID file while its own is there. */
static void test_files_of_an_interrupted_run(void **state)
{
	static const char *const names[] = {
	    "attach", "ctl", "winsz", "pidfile", ".pidfile", "conmon.pid", "oci-log"};
	char exits[200], persist[200], temporary[400], other[100];
	struct box b;

	(void)state;
	box_make(&b, ASLEEP);
	snprintf(exits, sizeof(exits), "%s/exits", world.run);
	snprintf(persist, sizeof(persist), "%s/persist", world.run);
	for (size_t i = 0; i < CTR__ARRAY_SIZE(names); i++)
		put_file(b.bundle, names[i], 0644, "1");
	put_file(exits, b.id, 0644, "0");
	CREATE(&b);
	assert_int_equal(box_monitor_alive(&b), 1);
	assert_int_equal(box_state(&b).exit_code, 0);
	REMOVE(&b);
	assert_clean(&b);

	for (size_t i = 0; i < CTR__ARRAY_SIZE(names); i++)
		put_file(b.bundle, names[i], 0644, "1");
	put_file(b.bundle, "conmon.pid.A1b2C3", 0644, "1");
	snprintf(temporary, sizeof(temporary), "%s.A1b2C3", b.id);
	put_file(exits, temporary, 0644, "0");
	/* a container whose ID only looks like such a name */
	snprintf(other, sizeof(other), "%s.server", b.id);
	put_file(exits, other, 0644, "0");
	put_file(persist, other, 0644, "");
	box_forget(&b);
	MUST(box_recover, &b);
	assert_false(exists(exits, temporary));
	assert_true(exists(exits, other));
	snprintf(temporary, sizeof(temporary), "%s/%s", exits, other);
	assert_int_equal(unlink(temporary), 0);
	snprintf(temporary, sizeof(temporary), "%s/%s", persist, other);
	assert_int_equal(unlink(temporary), 0);
	assert_clean(&b);
}

static void mount_on_new_file(const char *dir, const char *name)
{
	char path[400];

	put_file(dir, name, 0600, "");
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(mount("/bin/busybox", path, NULL, MS_BIND, NULL), 0);
}

/* Runtimes mount a copy of their own binary for a moment, in a directory that they are told (crun) or in
 * their state (runc). */
static void test_mounts_of_an_interrupted_run(void **state)
{
	char dir[400];
	struct box b;

	(void)state;
	box_make(&b, ASLEEP);
	mount_on_new_file(b.bundle, "crun.A1b2C3");
	put_file(b.bundle, "conmon-term.A1b2C3", 0600, "");
	snprintf(dir, sizeof(dir), "%s/%s", driver()->oci_root, b.id);
	assert_int_equal(mkdir(dir, 0700), 0);
	mount_on_new_file(dir, "runc.A1b2C3");
	MUST(box_recover, &b);
	assert_clean(&b);
}

/* Remove ends a monitor that does not end by itself. */
static void test_monitor_that_is_stuck(void **state)
{
	struct box b;

	(void)state;
	box_make(&b, ASLEEP);
	CREATE(&b);
	START(&b);
	assert_int_equal(kill(b.c.monitor_pid, SIGSTOP), 0);
	REMOVE(&b);
	assert_false(ctr__proc_alive(b.c.monitor_pid, b.c.monitor_start));
	assert_clean(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_missing_binary),
	    cmocka_unit_test(test_binary_that_is_a_directory),
	    cmocka_unit_test(test_bad_bundles),
	    cmocka_unit_test(test_terminal_wanted_on_one_side_only),
	    cmocka_unit_test(test_runtimes_that_misbehave),
	    cmocka_unit_test(test_runtimes_that_hang),
	    cmocka_unit_test(test_runtime_that_cannot_be_executed),
	    cmocka_unit_test(test_monitors_that_misbehave),
	    cmocka_unit_test(test_a_runtime_nobody_has_heard_of),
	    cmocka_unit_test(test_answers_that_are_not_understood),
	    cmocka_unit_test(test_monitor_killed_while_running),
	    cmocka_unit_test(test_monitor_killed_before_start),
	    cmocka_unit_test(test_monitor_of_an_earlier_run),
	    cmocka_unit_test(test_files_of_an_interrupted_run),
	    cmocka_unit_test(test_mounts_of_an_interrupted_run),
	    cmocka_unit_test(test_monitor_that_is_stuck),
	};

	return cmocka_run_group_tests(tests, open_world, close_world);
}
