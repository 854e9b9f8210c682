/* SPDX-License-Identifier: Apache-2.0 */
/* The built-in OCI driver with the real conmon and a real runtime: lives, starts, signals, freezing. */
#include "oci_world.h"

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/proc.h"
#include "util/clock.h"
#include "util/str.h"

/* ---- a life ---- */

/* Until the container's shell has a handler for the signal. Before that the process is the runtime's own, which a
 * signal ends with code 2, or a first process without a handler, which does not get it. */
static void await_trap(pid_t pid, int sig)
{
	char path[64], line[256];
	bool is_shell = false;
	unsigned long caught = 0;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	while (!is_shell || !(caught & 1UL << (sig - 1))) {
		FILE *f = fopen(path, "re");

		assert_non_null(f);
		while (fgets(line, sizeof(line), f)) {
			if (strncmp(line, "Name:", 5) == 0)
				is_shell = strcmp(line, "Name:\tsh\n") == 0;
			else if (sscanf(line, "SigCgt: %lx", &caught) == 1)
				break;
		}
		fclose(f);
		sched_yield();
	}
}

static void test_a_life(void **state)
{
	int64_t before = ctr__now_ns();
	struct ctr_oci_status s;
	struct box b;
	int fd;

	(void)state;
	box_make(&b, ASLEEP);
	b.c.log_path = b.log;
	assert_int_equal(box_state(&b).status, CTR_OCI_ABSENT);
	CREATE(&b);
	assert_true(b.c.pid > 0 && b.c.pid_start > 0);
	assert_true(b.c.monitor_pid > 0 && b.c.monitor_start > 0);
	s = box_state(&b);
	assert_int_equal(s.status, CTR_OCI_CREATED);
	assert_int_equal(s.pid, b.c.pid);
	assert_int_equal(s.pid_start, b.c.pid_start);
	assert_int_equal(s.monitor_pid, b.c.monitor_pid);
	assert_int_equal(s.monitor_start, b.c.monitor_start);
	assert_int_equal(box_exit_status(&b, &s), 0);
	assert_int_equal(box_monitor_alive(&b), 1);
	fd = b.oci->ops.wait_fd(b.oci->impl, &b.c, NULL);
	assert_true(fd >= 0);
	assert_false(readable(fd, 0));

	START(&b);
	s = box_state(&b);
	assert_int_equal(s.status, CTR_OCI_RUNNING);
	assert_int_equal(s.pid, b.c.pid);
	assert_false(readable(fd, 0));

	await_trap(b.c.pid, SIGTERM);
	assert_int_equal(box_kill(&b, SIGTERM, NULL), 0);
	assert_true(readable(fd, PATIENCE_MS));
	close(fd);
	assert_int_equal(box_exit_status(&b, &s), 1);
	assert_int_equal(s.exit_code, 7);
	assert_int_equal(s.oom_killed, 0);
	assert_true(s.finished_ns >= before - 1000000000 && s.finished_ns <= ctr__now_ns());
	assert_int_equal(box_monitor_alive(&b), 0);
	s = box_state(&b);
	assert_int_equal(s.status, CTR_OCI_STOPPED);
	assert_int_equal(s.exit_code, 7);
	assert_int_equal(s.pid, 0);
	assert_int_equal(box_kill(&b, SIGTERM, NULL), CTR_E_CTR_STOPPED);
	assert_true(exists(b.bundle, "ctr.log"));

	REMOVE(&b);
	assert_int_equal(box_state(&b).status, CTR_OCI_ABSENT);
	assert_clean(&b);
	REMOVE(&b);
	assert_true(exists(b.bundle, "ctr.log"));
}

static void test_exit_codes_and_output(void **state)
{
	static const struct {
		const char *command;
		int32_t code;
	} cases[] = {{"echo out; echo err >&2; exit 0", 0}, {"exit 1", 1}, {"exit 255", 255},
	    {"(kill -9 $$) & wait; exit 3", 3}};

	(void)state;
	for (size_t i = 0; i < CTR__ARRAY_SIZE(cases); i++) {
		CTR__FREE char *log = NULL;
		struct box b;

		box_make(&b, &(struct wish){.command = cases[i].command});
		b.c.log_path = b.log;
		CREATE(&b);
		START(&b);
		assert_int_equal(box_wait(&b), cases[i].code);
		log = slurp(b.bundle, "ctr.log");
		if (i == 0) {
			assert_non_null(strstr(log, " stdout F out\n"));
			assert_non_null(strstr(log, " stderr F err\n"));
		}
		REMOVE(&b);
		assert_clean(&b);
	}
}

static void test_no_log_wanted(void **state)
{
	struct box b;

	(void)state;
	box_make(&b, &(struct wish){.command = "echo nobody reads this"});
	CREATE(&b);
	START(&b);
	assert_int_equal(box_wait(&b), 0);
	assert_false(exists(b.bundle, "ctr.log"));
	REMOVE(&b);
	assert_clean(&b);
}

static void test_terminal(void **state)
{
	CTR__FREE char *log = NULL;
	struct box b;

	(void)state;
	box_make(&b, &(struct wish){.command = "test -t 0 && echo on a tty", .terminal = true});
	b.c.log_path = b.log;
	CREATE(&b);
	START(&b);
	assert_int_equal(box_wait(&b), 0);
	log = slurp(b.bundle, "ctr.log");
	assert_non_null(strstr(log, "on a tty"));
	REMOVE(&b);
	assert_clean(&b);
}

static void test_kill_and_remove(void **state)
{
	struct box b;

	(void)state;
	box_make(&b, ASLEEP);
	CREATE(&b);
	START(&b);
	assert_int_equal(box_kill(&b, SIGKILL, NULL), 0);
	assert_int_equal(box_wait(&b), 137);
	REMOVE(&b);
	assert_clean(&b);

	/* alive */
	box_make(&b, ASLEEP);
	CREATE(&b);
	START(&b);
	REMOVE(&b);
	assert_clean(&b);

	/* never started */
	box_make(&b, ASLEEP);
	CREATE(&b);
	REMOVE(&b);
	assert_clean(&b);
}

/* A host that knows nothing any more but the container's ID and bundle. */
static void test_without_any_pid(void **state)
{
	struct ctr_oci_status s;
	struct box b;
	pid_t monitor;

	(void)state;
	box_make(&b, ASLEEP);
	CREATE(&b);
	monitor = b.c.monitor_pid;
	box_forget(&b);
	START(&b);
	s = box_state(&b);
	assert_int_equal(s.status, CTR_OCI_RUNNING);
	assert_int_equal(s.monitor_pid, monitor);
	assert_int_equal(box_kill(&b, SIGWINCH, NULL), 0);
	assert_int_equal(box_kill(&b, SIGKILL, NULL), 0);
	wait_gone(s.monitor_pid, s.monitor_start);
	assert_int_equal(box_kill(&b, SIGKILL, NULL), CTR_E_CTR_STOPPED);
	assert_int_equal(box_state(&b).exit_code, 137);
	REMOVE(&b);
	assert_clean(&b);

	box_make(&b, ASLEEP);
	CREATE(&b);
	START(&b);
	box_forget(&b);
	REMOVE(&b);
	assert_clean(&b);
}

/* A PID that somebody else has by now must not be touched. */
static void test_a_recycled_pid_is_left_alone(void **state)
{
	struct box b;
	pid_t victim = fork();

	(void)state;
	if (victim == 0) {
		pause();
		_exit(0);
	}
	box_make(&b, ASLEEP);
	CREATE(&b);
	START(&b);
	b.c.pid = victim;
	b.c.pid_start = ctr__proc_start_time(victim) + 1;
	assert_int_equal(box_kill(&b, SIGKILL, NULL), CTR_E_CTR_STOPPED);
	REMOVE(&b);
	assert_true(ctr__proc_alive(victim, 0));
	kill(victim, SIGKILL);
	waitpid(victim, NULL, 0);
	assert_clean(&b);
}

static void test_an_existing_container_is_not_made_again(void **state)
{
	struct ctr_oci_container first;
	struct box b;

	(void)state;
	box_make(&b, ASLEEP);
	CREATE(&b);
	START(&b);
	first = b.c;
	assert_int_equal(box_create(&b, NULL), CTR_E_CTR_EXISTS);
	b.c = first;
	assert_int_equal(box_state(&b).status, CTR_OCI_RUNNING);
	assert_int_equal(box_monitor_alive(&b), 1);
	REMOVE(&b);
	assert_clean(&b);
}

static void test_copy_of_the_monitors_pid(void **state)
{
	CTR__FREE char *text = NULL;
	CTR__ERROR ctr_error_t *err = NULL;
	char path[300], expected[16];
	struct box b;

	(void)state;
	box_make(&b, ASLEEP);
	snprintf(path, sizeof(path), "%s/wanted.pid", b.bundle);
	b.c.pid_file = path;
	put_file(b.bundle, "wanted.pid", 0644, "1"); /* stale */
	CREATE(&b);
	text = slurp(b.bundle, "wanted.pid");
	snprintf(expected, sizeof(expected), "%d", (int)b.c.monitor_pid);
	assert_string_equal(text, expected);
	assert_true(exists(b.bundle, "conmon.pid"));
	REMOVE(&b);
	assert_false(exists(b.bundle, "wanted.pid"));
	assert_clean(&b);

	b.c.pid_file = "/nonexistent/dir/x.pid";
	assert_true(box_create(&b, &err) < 0);
	assert_string_equal(ctr_error_get(err, "path"), "/nonexistent/dir/x.pid");
	assert_clean(&b);
}

static void test_log_that_cannot_be_opened(void **state)
{
	CTR__ERROR ctr_error_t *err = NULL;
	struct box b;

	(void)state;
	box_make(&b, ASLEEP);
	b.c.log_path = "/nonexistent/dir/ctr.log";
	assert_int_equal(box_create(&b, &err), CTR_E_SYSTEM);
	assert_int_equal(ctr_error_errno(err), ENOENT);
	assert_string_equal(ctr_error_get(err, "path"), "/nonexistent/dir/ctr.log");
	assert_clean(&b);
}

static void test_timeout_of_the_container(void **state)
{
	struct box b;

	(void)state;
	box_make(&b, ASLEEP);
	b.c.timeout_s = 1;
	CREATE(&b);
	START(&b);
	assert_int_equal(box_wait(&b), -1);
	REMOVE(&b);
	assert_clean(&b);
}

/* ---- start: by the fifo and by the command, side by side ---- */

/* The state document without what differs between any two containers. */
static char *comparable_state(struct box *b)
{
	CTR__OCI_RESULT struct ctr__oci_result r = {0};
	CTR__BUF struct ctr__buf out = {0};
	char *line, *rest;

	assert_int_equal(
	    ctr__oci_run(driver(), &b->c, (const char *const[]){"state", b->id, NULL}, &r, NULL),
	    0);
	assert_true(r.ok);
	rest = r.out.data;
	while ((line = strsep(&rest, "\n"))) {
		if (strstr(line, "\"id\"") || strstr(line, "\"pid\"") ||
		    strstr(line, "\"created\"") || strstr(line, "\"bundle\""))
			continue;
		ctr__buf_adds(&out, line);
		ctr__buf_addc(&out, '\n');
	}
	return ctr__buf_steal(&out);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static char *state_files(struct box *b)
{
	CTR__BUF struct ctr__buf out = {0};
	struct dirent **list = NULL;
	char dir[400];
	int n;

	snprintf(dir, sizeof(dir), "%s/%s", driver()->oci_root, b->id);
	n = scandir(dir, &list, NULL, by_name);
	assert_true(n > 0);
	for (int i = 0; i < n; i++) {
		ctr__buf_addf(&out, "%s\n", list[i]->d_name);
		free(list[i]);
	}
	free(list);
	return ctr__buf_steal(&out);
}

/* The error of the runtime's own start, with the ID taken out. */
static char *start_error(struct box *b)
{
	CTR__OCI_RESULT struct ctr__oci_result r = {0};
	CTR__FREE char *text = NULL;
	char *p;

	assert_int_equal(
	    ctr__oci_run(driver(), &b->c, (const char *const[]){"start", b->id, NULL}, &r, NULL),
	    0);
	assert_false(r.ok);
	text = ctr__oci_error_text(r.diag.data, r.diag.len);
	assert_non_null(text);
	while ((p = strstr(text, b->id)))
		memset(p, '#', strlen(b->id));
	return CTR__STEAL_PTR(text);
}

static void same(char *a, char *b)
{
	assert_string_equal(a, b);
	free(a);
	free(b);
}

static void test_start_by_fifo_equals_the_command(void **state)
{
	struct box fifo, command;

	(void)state;
	box_make(&fifo, ASLEEP);
	box_make(&command, ASLEEP);
	command.c.flags |= CTR_OCI_START_HOOKS;
	CREATE(&fifo);
	CREATE(&command);
	same(comparable_state(&fifo), comparable_state(&command));
	same(state_files(&fifo), state_files(&command));
	/* This is the shortcut, and it was taken. */
	assert_int_equal(ctr__oci_fast_start(driver(), &fifo.c, NULL), 1);
	START(&command);
	same(comparable_state(&fifo), comparable_state(&command));
	same(state_files(&fifo), state_files(&command));
	assert_int_equal(box_state(&fifo).status, CTR_OCI_RUNNING);
	/* A second start: the shortcut leaves it to the command, whose error is the same for both. */
	assert_int_equal(ctr__oci_fast_start(driver(), &fifo.c, NULL), 0);
	same(start_error(&fifo), start_error(&command));
	assert_int_equal(box_start(&fifo, NULL), CTR_E_OCI_RUNTIME);
	assert_int_equal(box_start(&command, NULL), CTR_E_OCI_RUNTIME);
	/* ... and neither is harmed by it. */
	assert_int_equal(box_state(&fifo).status, CTR_OCI_RUNNING);
	assert_int_equal(box_kill(&fifo, SIGKILL, NULL), 0);
	assert_int_equal(box_kill(&command, SIGKILL, NULL), 0);
	assert_int_equal(box_wait(&fifo), 137);
	assert_int_equal(box_wait(&command), 137);
	same(comparable_state(&fifo), comparable_state(&command));
	same(start_error(&fifo), start_error(&command));
	REMOVE(&fifo);
	REMOVE(&command);
	assert_clean(&fifo);
	assert_clean(&command);
}

static void test_start_of_a_dead_container(void **state)
{
	CTR__ERROR ctr_error_t *err = NULL;
	struct box b;

	(void)state;
	box_make(&b, ASLEEP);
	CREATE(&b);
	assert_int_equal(box_kill(&b, SIGKILL, NULL), 0);
	wait_gone(b.c.monitor_pid, b.c.monitor_start);
	assert_int_equal(box_start(&b, &err), CTR_E_OCI_RUNTIME);
	assert_string_equal(ctr_error_get(err, "oci.runtime"), b.oci->name);
	assert_non_null(ctr_error_get(err, "oci.stderr"));
	REMOVE(&b);
	assert_clean(&b);
}

/* runc refuses to start a frozen container; the shortcut must not have spoiled it before that. */
static void test_start_of_a_frozen_container(void **state)
{
	struct box b;

	(void)state;
	box_make(&b, &(struct wish){.command = "exit 5"});
	CREATE(&b);
	assert_int_equal(box_pause(&b, NULL), 0);
	if (is_runc())
		assert_int_equal(box_start(&b, NULL), CTR_E_OCI_RUNTIME);
	else
		START(&b); /* crun: it runs when it is thawed */
	assert_int_equal(box_resume(&b, NULL), 0);
	if (is_runc())
		START(&b);
	assert_int_equal(box_wait(&b), 5);
	REMOVE(&b);
	assert_clean(&b);
}

/* ---- pause ---- */

/* One more process in it: an OCI process as JSON. */
static int run_process(struct box *b, const char *args, int64_t timeout_ms, size_t max,
    int32_t *code, char **out, ctr_error_t **err)
{
	CTR__FREE char *process = ctr__format("{\"user\":{\"uid\":0,\"gid\":0},\"cwd\":\"/\","
	                                      "\"env\":[\"PATH=/bin\"],\"args\":%s}",
	    args);
	size_t len;
	int rc;

	assert_non_null(process);
	rc = b->oci->ops.run_process(
	    b->oci->impl, &b->c, process, timeout_ms, max, code, out, &len, err);
	assert_int_equal(len, *out ? strlen(*out) : 0);
	return rc;
}

static void test_processes_in_it(void **state)
{
	static const struct {
		const char *args;
		int64_t timeout_ms;
		int rc;
		int32_t code;
		const char *out;
	} cases[] = {
	    {"[\"echo\",\"hello\"]", -1, 0, 0, "hello\n"},
	    {"[\"sh\",\"-c\",\"echo no >&2; exit 42\"]", 60000, 0, 42, "no\n"},
	    {"[\"sh\",\"-c\",\"kill -9 $$\"]", 60000, 0, 137, ""},
	    {"[\"no-such-program\"]", 60000, 0, 127, NULL},
	    {"[\"/bin\"]", 60000, 0, 126, NULL},
	    {"[\"sh\",\"-c\",\"exit 255\"]", 60000, 0, 255, ""},
	    {"[\"echo\",\"123456789\"]", 60000, 0, 0, "12345678"},
	    {"[\"sh\",\"-c\",\"echo before; sleep 1000\"]", 1000, CTR_E_TIMEOUT, -1, "before\n"},
	};
	struct box b;

	(void)state;
	box_make(&b, ASLEEP);
	CREATE(&b);
	START(&b);
	for (size_t i = 0; i < CTR__ARRAY_SIZE(cases); i++) {
		CTR__ERROR ctr_error_t *err = NULL;
		CTR__FREE char *out = NULL;
		int32_t code = -9;
		int rc = run_process(&b, cases[i].args, cases[i].timeout_ms, 8, &code, &out, &err);

		if (rc != cases[i].rc || code != cases[i].code)
			fail_msg("%s: %d, code %d: %s", cases[i].args, rc, code,
			    err ? ctr_error_message(err) : out);
		if (cases[i].out)
			assert_string_equal(out, cases[i].out);
	}
	assert_int_equal(box_state(&b).status, CTR_OCI_RUNNING);
	/* Nobody is left who could be asked. */
	assert_int_equal(box_kill(&b, SIGKILL, NULL), 0);
	box_wait(&b);
	{
		CTR__FREE char *out = NULL;
		int32_t code;

		assert_int_equal(
		    run_process(&b, "[\"true\"]", 60000, 8, &code, &out, NULL), CTR_E_CTR_STOPPED);
		assert_null(out);
	}
	REMOVE(&b);
	assert_clean(&b);
}

static void test_pause_and_resume(void **state)
{
	struct box b;

	(void)state;
	box_make(&b, ASLEEP);
	CREATE(&b);
	START(&b);
	MUST(box_pause, &b);
	assert_int_equal(box_state(&b).status, CTR_OCI_PAUSED);
	MUST(box_resume, &b);
	assert_int_equal(box_state(&b).status, CTR_OCI_RUNNING);
	/* by the runtime's commands, where the cgroup is not known */
	b.c.cgroup_path = NULL;
	MUST(box_pause, &b);
	assert_int_equal(box_state(&b).status, CTR_OCI_PAUSED);
	MUST(box_resume, &b);
	assert_int_equal(box_state(&b).status, CTR_OCI_RUNNING);
	b.c.cgroup_path = b.cgroup;
	/* dies although frozen */
	MUST(box_pause, &b);
	assert_int_equal(box_kill(&b, SIGKILL, NULL), 0);
	assert_int_equal(box_wait(&b), 137);
	REMOVE(&b);
	assert_clean(&b);

	box_make(&b, ASLEEP);
	CREATE(&b);
	START(&b);
	MUST(box_pause, &b);
	REMOVE(&b);
	assert_clean(&b);
}

/* ---- processes that do not die with the first ---- */

static void test_host_pid_namespace(void **state)
{
	struct box b;

	(void)state;
	box_make(&b, &(struct wish){
	                 .command = "sleep 1000 & sleep 1000 & exec sleep 1000", .host_pid = true});
	CREATE(&b);
	START(&b);
	MUST(box_remove, &b);
	assert_clean(&b);

	box_make(&b, &(struct wish){.command = "sleep 1000 & exec sleep 1000", .host_pid = true});
	CREATE(&b);
	START(&b);
	assert_int_equal(b.oci->ops.kill(b.oci->impl, &b.c, SIGKILL, CTR_OCI_KILL_ALL, NULL), 0);
	assert_int_equal(box_wait(&b), 137);
	REMOVE(&b);
	assert_clean(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_a_life),
	    cmocka_unit_test(test_exit_codes_and_output),
	    cmocka_unit_test(test_no_log_wanted),
	    cmocka_unit_test(test_terminal),
	    cmocka_unit_test(test_kill_and_remove),
	    cmocka_unit_test(test_without_any_pid),
	    cmocka_unit_test(test_a_recycled_pid_is_left_alone),
	    cmocka_unit_test(test_an_existing_container_is_not_made_again),
	    cmocka_unit_test(test_copy_of_the_monitors_pid),
	    cmocka_unit_test(test_log_that_cannot_be_opened),
	    cmocka_unit_test(test_timeout_of_the_container),
	    cmocka_unit_test(test_start_by_fifo_equals_the_command),
	    cmocka_unit_test(test_start_of_a_dead_container),
	    cmocka_unit_test(test_start_of_a_frozen_container),
	    cmocka_unit_test(test_processes_in_it),
	    cmocka_unit_test(test_pause_and_resume),
	    cmocka_unit_test(test_host_pid_namespace),
	};

	return cmocka_run_group_tests(tests, open_world, close_world);
}
