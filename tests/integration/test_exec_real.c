/* SPDX-License-Identifier: Apache-2.0 */
/* More processes in real containers: test_exec_real RUNTIME. */
#include "real.h"
#include "real_left.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SLEEPS "echo ready; exec sleep 1000"

static ctr_container_t *running(const struct real *r)
{
	return real_start_ready(r, SLEEPS);
}

/* ---- one process, with what it prints ---- */

#define TEXT_MAX 8192

struct result {
	char out[TEXT_MAX];
	int32_t code;
};

static int output_file(void)
{
	int fd = memfd_create("output", MFD_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static void read_back(int fd, char *text)
{
	ssize_t n = pread(fd, text, TEXT_MAX - 1, 0);

	assert_true(n >= 0);
	text[n] = '\0';
	close(fd);
}

/* Both outputs into one. */
static int run_opts(
    ctr_container_t *c, struct ctr_exec_opts *o, struct result *res, ctr_error_t **err)
{
	int fd = output_file(), r;
	struct ctr_attach_opts io = {.size = sizeof(io),
	    .flags = CTR_ATTACH_STDOUT | CTR_ATTACH_STDERR,
	    .stdout_fd = fd,
	    .stderr_fd = fd};

	o->size = sizeof(*o);
	r = ctr_container_exec(c, o, &io, &res->code, err);
	read_back(fd, res->out);
	return r;
}

static void says_opts(
    ctr_container_t *c, struct ctr_exec_opts *o, const char *script, const char *text)
{
	const char *const command[] = {"/bin/sh", "-c", script, NULL};
	struct result res;

	o->command = command;
	OK(run_opts(c, o, &res, err));
	o->command = NULL;
	assert_string_equal(res.out, text);
	assert_int_equal(res.code, 0);
}

static void says(ctr_container_t *c, const char *script, const char *text)
{
	struct ctr_exec_opts o = {.size = sizeof(o)};

	says_opts(c, &o, script, text);
}

static int32_t code_of(ctr_container_t *c, const char *script)
{
	const char *const command[] = {"/bin/sh", "-c", script, NULL};
	struct ctr_exec_opts o = {.size = sizeof(o), .command = command};
	int32_t code = -5;

	OK(ctr_container_exec(c, &o, NULL, &code, err));
	return code;
}

static ctr_exec_t *create(ctr_container_t *c, const char *script, uint64_t flags)
{
	const char *const command[] = {"/bin/sh", "-c", script, NULL};
	struct ctr_exec_opts o = {.size = sizeof(o), .command = command, .flags = flags};
	ctr_exec_t *x = NULL;

	OK(ctr_container_exec_create(c, &o, &x, err));
	return x;
}

static ctr_exec_t *started(ctr_container_t *c, const char *script)
{
	ctr_exec_t *x = create(c, script, 0);

	OK(ctr_exec_start(x, NULL, NULL, err));
	return x;
}

static void assert_exec_state(ctr_exec_t *x, int32_t expected)
{
	int32_t state = -1;

	OK(ctr_exec_state(x, &state, err));
	assert_string_equal(ctr_exec_state_name(state), ctr_exec_state_name(expected));
}

static int32_t pid_of(ctr_exec_t *x)
{
	int32_t pid = -1;

	OK(ctr_exec_pid(x, &pid, err));
	return pid;
}

static int32_t wait_for(ctr_exec_t *x)
{
	int32_t code = -5;

	OK(ctr_exec_wait(x, PATIENCE_MS, &code, err));
	return code;
}

static size_t sessions(ctr_container_t *c)
{
	char **list = NULL;
	size_t n = 0;

	OK(ctr_container_exec_sessions(c, &list, err));
	while (list[n])
		n++;
	ctr_strv_free(list);
	return n;
}

/* Directories of sessions that are there. */
static size_t directories(const struct real *r, ctr_container_t *c)
{
	char path[512];
	size_t n = 0;
	struct dirent *e;
	DIR *d;

	snprintf(path, sizeof(path), "%s/containers/%s/exec", r->run, ctr_container_id(c));
	d = opendir(path);
	while (d && (e = readdir(d)))
		n += e->d_name[0] != '.';
	if (d)
		closedir(d);
	return n;
}

/* ---- what it finds ---- */

static void test_output(void **state)
{
	ctr_container_t *c = running(*state);

	says(c, "echo out; echo err >&2", "out\nerr\n");
	assert_int_equal(sessions(c), 0);
	assert_int_equal(directories(*state, c), 0);
	real_remove(c, CTR_REMOVE_FORCE);
}

static void test_input(void **state)
{
	static const char *const command[] = {"cat", NULL};
	ctr_container_t *c = running(*state);
	int in[2], out = output_file();
	struct ctr_exec_opts o = {.size = sizeof(o), .command = command, .flags = CTR_EXEC_STDIN};
	struct ctr_attach_opts io = {
	    .size = sizeof(io), .flags = CTR_ATTACH_STDIN | CTR_ATTACH_STDOUT, .stdout_fd = out};
	char text[TEXT_MAX];
	int32_t code;

	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(write(in[1], "some words", 10), 10);
	close(in[1]);
	io.stdin_fd = in[0];
	OK(ctr_container_exec(c, &o, &io, &code, err));
	assert_int_equal(code, 0);
	read_back(out, text);
	assert_string_equal(text, "some words");
	o.flags = 0;
	io.stdout_fd = 1;
	FAILS(CTR_E_INVALID, ctr_container_exec(c, &o, &io, &code, err));
	assert_int_equal(code, 125);
	close(in[0]);
	assert_int_equal(sessions(c), 0);
	real_remove(c, CTR_REMOVE_FORCE);
}

static void test_environment(void **state)
{
	static const char *const env[] = {"A=changed", "B=new=value", "E=", NULL};
	struct real *r = *state;
	ctr_config_builder_t *b = real_builder(r, SLEEPS);
	struct ctr_exec_opts o = {.size = sizeof(o), .env = env, .workdir = "/tmp"};
	ctr_container_t *c;

	ctr_config_builder_add_str(b, CTR_SPEC_ENV, "A=first", NULL);
	ctr_config_builder_add_str(b, CTR_SPEC_ENV, "K=kept", NULL);
	c = real_create_from(r, b);
	OK(ctr_container_start(c, 0, err));
	real_await_log(c, "ready");
	says_opts(c, &o, "echo \"$A|$B|$E|$K|$HOME\"; pwd; env | grep -c ^A=",
	    "changed|new=value||kept|/\n/tmp\n1\n");
	says(c, "pwd; echo $A", "/\nfirst\n");
	real_remove(c, CTR_REMOVE_FORCE);
}

static void write_users(const struct real *r)
{
	char path[300];
	FILE *f;

	snprintf(path, sizeof(path), "%s/etc", r->rootfs);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/etc/passwd", r->rootfs);
	f = fopen(path, "we");
	assert_non_null(f);
	fputs("root:x:0:0::/root:/bin/sh\nann:x:1000:1000::/home/ann:/bin/sh\n", f);
	fclose(f);
	snprintf(path, sizeof(path), "%s/etc/group", r->rootfs);
	f = fopen(path, "we");
	assert_non_null(f);
	fputs("root:x:0:\nann:x:1000:\nwheel:x:10:ann\nvideo:x:44:\n", f);
	fclose(f);
}

static void test_user(void **state)
{
	static const char *const groups[] = {"video", "7", NULL};
	static const char *const anything[] = {"/bin/true", NULL};
	struct real *r = *state;
	struct ctr_exec_opts o = {.size = sizeof(o), .user = "ann"};
	ctr_container_t *c;
	struct result res;

	write_users(r);
	c = running(r);
	says_opts(c, &o, "id -u; id -g; id -G; echo $HOME; grep CapEff /proc/self/status",
	    "1000\n1000\n1000 10\n/home/ann\nCapEff:\t0000000000000000\n");
	o.groups = groups;
	says_opts(c, &o, "id -G | tr ' ' '\\n' | sort -n | tr '\\n' ' '", "7 10 44 1000 ");
	o.groups = NULL;
	o.user = "ann:wheel";
	says_opts(c, &o, "id -u; id -g", "1000\n10\n");
	o.user = "1234:5";
	says_opts(c, &o, "id -u; id -g; grep -E 'Cap(Prm|Eff|Amb)' /proc/self/status",
	    "1234\n5\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\nCapAmb:"
	    "\t0000000000000000\n");
	o.user = "nobody-there";
	o.command = anything;
	FAILS(CTR_E_INVALID, run_opts(c, &o, &res, err));
	assert_int_equal(res.code, 125);
	assert_int_equal(sessions(c), 0);
	real_remove(c, CTR_REMOVE_FORCE);
}

/* The container's user keeps the container's capabilities; others have none; root has the bounding set. */
static void test_capabilities(void **state)
{
	struct real *r = *state;
	ctr_config_builder_t *b = real_builder(r, SLEEPS);
	struct ctr_exec_opts o = {.size = sizeof(o)};
	ctr_container_t *c;

	ctr_config_builder_add_str(b, CTR_SPEC_CAP_ADD, "net_admin", NULL);
	ctr_config_builder_add_str(b, CTR_SPEC_CAP_DROP, "ALL", NULL);
	c = real_create_from(r, b);
	OK(ctr_container_start(c, 0, err));
	real_await_log(c, "ready");
	says(c, "grep -E 'Cap(Inh|Prm|Eff)' /proc/self/status",
	    "CapInh:\t0000000000000000\nCapPrm:\t0000000000001000\nCapEff:\t0000000000001000\n");
	o.user = "9:9";
	says_opts(c, &o, "grep -E 'Cap(Eff|Bnd)' /proc/self/status",
	    "CapEff:\t0000000000000000\nCapBnd:\t0000000000001000\n");
	real_remove(c, CTR_REMOVE_FORCE);
}

static void test_privileged(void **state)
{
	static const char *const command[] = {
	    "/bin/sh", "-c", "grep CapEff /proc/self/status; grep CapBnd /proc/self/status", NULL};
	struct ctr_exec_opts o = {
	    .size = sizeof(o), .flags = CTR_EXEC_PRIVILEGED, .command = command};
	ctr_container_t *c = running(*state);
	char *own = real_slurp("/proc/self/status"), *bnd = strstr(own, "CapBnd:\t");
	char expected[128];
	struct result res;

	assert_non_null(bnd);
	snprintf(expected, sizeof(expected), "CapEff:\t%.16s\nCapBnd:\t%.16s\n", bnd + 8, bnd + 8);
	OK(run_opts(c, &o, &res, err));
	assert_string_equal(res.out, expected);
	free(own);
	o.user = "5:5";
	OK(run_opts(c, &o, &res, err));
	assert_true(strncmp(res.out, "CapEff:\t0000000000000000\n", 25) == 0);
	real_remove(c, CTR_REMOVE_FORCE);
}

static void test_terminal(void **state)
{
	struct ctr_exec_opts o = {.size = sizeof(o), .flags = CTR_EXEC_TERMINAL};
	ctr_container_t *c = running(*state);

	says_opts(c, &o, "test -t 0 && test -t 1 && test -t 2 && echo three", "three\r\n");
	says(c, "test -t 1 || echo none", "none\n");
	real_remove(c, CTR_REMOVE_FORCE);
}

/* It finds its terminal in the right size from the beginning, and is told of a new one. */
static void test_size(void **state)
{
	static const char *const command[] = {"/bin/sh", "-c",
	    "stty size; trap 'stty size; exit 3' WINCH; echo ready; while :; do sleep 0.05; done",
	    NULL};
	ctr_container_t *c = running(*state);
	struct ctr_exec_opts eo = {
	    .size = sizeof(eo), .flags = CTR_EXEC_TERMINAL | CTR_EXEC_STDIN, .command = command};
	int fd = output_file();
	struct ctr_attach_opts io = {.size = sizeof(io),
	    .flags = CTR_ATTACH_STDOUT | CTR_ATTACH_SIZE,
	    .stdout_fd = fd,
	    .rows = 33,
	    .cols = 101};
	struct ctr_exec_start_opts so = {.size = sizeof(so), .io = &io};
	ctr_exec_t *x = NULL;
	ctr_attach_t *a = NULL;
	char text[TEXT_MAX];
	int64_t end = real_now_ms() + PATIENCE_MS;

	OK(ctr_container_exec_create(c, &eo, &x, err));
	FAILS(CTR_E_EXEC_STATE, ctr_exec_resize(x, 10, 10, err));
	OK(ctr_exec_start(x, &so, &a, err));
	do {
		assert_int_equal(ctr_attach_run(a, 20, NULL), CTR_E_TIMEOUT);
		assert_true(pread(fd, text, sizeof(text), 0) < 1000 && real_now_ms() < end);
		text[pread(fd, text, sizeof(text) - 1, 0)] = '\0';
	} while (!strstr(text, "ready"));
	FAILS(CTR_E_INVALID, ctr_exec_resize(x, 0, 10, err));
	OK(ctr_exec_resize(x, 12, 34, err));
	OK(ctr_attach_run(a, PATIENCE_MS, err));
	assert_int_equal(wait_for(x), 3);
	read_back(fd, text);
	assert_string_equal(text, "33 101\r\nready\r\n12 34\r\n");
	FAILS(CTR_E_EXEC_STATE, ctr_exec_resize(x, 12, 34, err));
	ctr_attach_unref(a);
	ctr_exec_unref(x);
	real_remove(c, CTR_REMOVE_FORCE);
}

static void test_descriptors(void **state)
{
	ctr_container_t *c = running(*state);
	int first = output_file(), second = output_file();
	const int32_t fds[] = {second, first};
	struct ctr_exec_start_opts so = {.size = sizeof(so), .fds = fds, .fds_n = 2};
	ctr_exec_t *x = create(c, "echo three >&3; echo four >&4; ls /proc/self/fd | wc -l >&3", 0);
	char text[TEXT_MAX];

	OK(ctr_exec_start(x, &so, NULL, err));
	assert_int_equal(wait_for(x), 0);
	OK(ctr_exec_remove(x, 0, err));
	ctr_exec_unref(x);
	read_back(first, text);
	assert_string_equal(text, "four\n");
	read_back(second, text);
	assert_true(strncmp(text, "three\n", 6) == 0);

	x = create(c, "true", 0);
	so.fds_n = 9;
	FAILS(CTR_E_INVALID, ctr_exec_start(x, &so, NULL, err));
	so.fds_n = 1;
	so.fds = (const int32_t[]){-1};
	FAILS(CTR_E_INVALID, ctr_exec_start(x, &so, NULL, err));
	assert_exec_state(x, CTR_EXEC_STATE_CREATED);
	ctr_exec_unref(x);
	real_remove(c, CTR_REMOVE_FORCE);
}

/* ---- exit codes ---- */

static void test_codes(void **state)
{
	ctr_container_t *c = running(*state);

	assert_int_equal(code_of(c, "true"), 0);
	assert_int_equal(code_of(c, "exit 42"), 42);
	assert_int_equal(code_of(c, "exit 255"), 255);
	assert_int_equal(code_of(c, "exit 300"), 300 & 255);
	assert_int_equal(code_of(c, "kill -9 $$"), 128 + SIGKILL);
	assert_int_equal(code_of(c, "kill -15 $$"), 128 + SIGTERM);
	real_remove(c, CTR_REMOVE_FORCE);
}

/* All in one, attached; or step by step, with nobody attached. */
static void refused_at_once(
    ctr_container_t *c, const struct ctr_exec_opts *o, int code, int32_t wanted)
{
	struct ctr_exec_opts copy = *o;
	struct result res;

	FAILS(code, run_opts(c, &copy, &res, err));
	assert_int_equal(res.code, wanted);
	assert_int_equal(sessions(c), 0);
}

static void refused_in_steps(
    ctr_container_t *c, const struct ctr_exec_opts *o, int code, int32_t wanted)
{
	ctr_exec_t *x = NULL;
	int32_t ended = -5;

	OK(ctr_container_exec_create(c, o, &x, err));
	FAILS(code, ctr_exec_start(x, NULL, NULL, err));
	assert_exec_state(x, CTR_EXEC_STATE_STOPPED);
	assert_int_equal(ctr_exec_exit_code(x, &ended, NULL), 1);
	assert_int_equal(ended, wanted);
	FAILS(CTR_E_EXEC_STATE, ctr_exec_start(x, NULL, NULL, err));
	OK(ctr_exec_remove(x, 0, err));
	ctr_exec_unref(x);
}

static void refused(
    ctr_container_t *c, const char *program, uint64_t flags, bool attached, int code)
{
	const char *const command[] = {program, NULL};
	struct ctr_exec_opts o = {.size = sizeof(o), .command = command, .flags = flags};
	int32_t wanted = code == CTR_E_OCI_NOT_FOUND ? 127 : 126;

	if (attached)
		refused_at_once(c, &o, code, wanted);
	else
		refused_in_steps(c, &o, code, wanted);
}

static void test_refused(void **state)
{
	static const struct {
		uint64_t flags;
		bool attached;
	} ways[] = {{0, false}, {0, true}, {CTR_EXEC_TERMINAL, true}, {CTR_EXEC_TERMINAL, false},
	    {CTR_EXEC_STDIN, true}};
	struct real *r = *state;
	ctr_container_t *c = running(r);
	char path[300];
	int fd;

	snprintf(path, sizeof(path), "%s/not-executable", r->rootfs);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	close(fd);
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		refused(c, "no-such-program", ways[i].flags, ways[i].attached, CTR_E_OCI_NOT_FOUND);
		refused(
		    c, "/not-executable", ways[i].flags, ways[i].attached, CTR_E_OCI_PERMISSION);
	}
	refused(c, "/no/such/program", 0, true, CTR_E_OCI_NOT_FOUND);
	assert_int_equal(directories(r, c), 0);
	real_remove(c, CTR_REMOVE_FORCE);
}

/* ---- life ---- */

static void test_steps(void **state)
{
	ctr_container_t *c = running(*state);
	ctr_exec_t *x = create(c, "exec sleep 1000", 0), *again = NULL, *none = NULL;
	char prefix[8], *events;
	int32_t pid;

	free(events_text(((struct real *)*state)->rt));
	assert_exec_state(x, CTR_EXEC_STATE_CREATED);
	assert_int_equal(pid_of(x), 0);
	FAILS(CTR_E_EXEC_STATE, ctr_exec_stop(x, 0, 0, err));
	FAILS(CTR_E_EXEC_STATE, ctr_exec_wait_fd(x, err));
	FAILS(CTR_E_TIMEOUT, ctr_exec_wait(x, 0, NULL, err));
	OK(ctr_exec_start(x, NULL, NULL, err));
	assert_exec_state(x, CTR_EXEC_STATE_RUNNING);
	pid = pid_of(x);
	assert_true(real_alive(pid));
	assert_int_equal(ctr_exec_exit_code(x, NULL, NULL), 0);
	FAILS(CTR_E_EXEC_STATE, ctr_exec_start(x, NULL, NULL, err));
	FAILS(CTR_E_EXEC_STATE, ctr_exec_remove(x, 0, err));
	FAILS(CTR_E_EXEC_STATE, ctr_exec_cleanup(x, err));

	snprintf(prefix, sizeof(prefix), "%.7s", ctr_exec_id(x));
	OK(ctr_container_exec_lookup(c, prefix, &again, err));
	assert_string_equal(ctr_exec_id(again), ctr_exec_id(x));
	assert_string_equal(ctr_exec_command(again, NULL)[2], "exec sleep 1000");
	OK(ctr_exec_stop(again, 20, 0, err));
	assert_false(real_alive(pid));
	assert_int_equal(wait_for(x), 128 + SIGTERM);
	assert_int_equal(pid_of(x), 0);
	OK(ctr_exec_cleanup(x, err));
	OK(ctr_exec_remove(x, 0, err));
	events = events_text(((struct real *)*state)->rt);
	assert_string_equal(events, "exec exec_died");
	free(events);

	/* What a removed one still says. */
	assert_int_equal(wait_for(again), 128 + SIGTERM);
	FAILS(CTR_E_EXEC_REMOVED, ctr_exec_pid(again, &pid, err));
	FAILS(CTR_E_EXEC_REMOVED, ctr_exec_remove(again, CTR_EXEC_REMOVE_FORCE, err));
	FAILS(CTR_E_NO_SUCH_EXEC, ctr_container_exec_lookup(c, ctr_exec_id(x), &none, err));
	ctr_exec_unref(again);
	ctr_exec_unref(x);
	real_remove(c, CTR_REMOVE_FORCE);
}

/* Until its shell ignores SIGTERM: "started" is earlier. */
static ctr_exec_t *started_stubborn(ctr_container_t *c)
{
	ctr_exec_t *x = started(c, "trap '' TERM; while :; do sleep 0.1; done");
	unsigned long ignored = 0;
	char path[64], line[256];

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid_of(x));
	while (!(ignored & 1UL << (SIGTERM - 1))) {
		FILE *f = fopen(path, "re");

		assert_non_null(f);
		while (fgets(line, sizeof(line), f) && sscanf(line, "SigIgn: %lx", &ignored) != 1)
			;
		fclose(f);
		sched_yield();
	}
	return x;
}

static void test_stop(void **state)
{
	ctr_container_t *c = running(*state);
	ctr_exec_t *x = started_stubborn(c);
	int64_t begun;

	begun = real_now_ms();
	OK(ctr_exec_stop(x, 300, 0, err));
	assert_true(real_now_ms() - begun >= 300);
	assert_int_equal(wait_for(x), 128 + SIGKILL);
	OK(ctr_exec_remove(x, 0, err));
	ctr_exec_unref(x);

	x = started_stubborn(c);
	begun = real_now_ms();
	OK(ctr_exec_stop(x, -1, CTR_EXEC_STOP_NOW, err));
	assert_int_equal(wait_for(x), 128 + SIGKILL);
	ctr_exec_unref(x);

	x = started_stubborn(c);
	OK(ctr_exec_remove(x, CTR_EXEC_REMOVE_FORCE, err));
	ctr_exec_unref(x);
	assert_int_equal(sessions(c), 1);
	real_remove(c, CTR_REMOVE_FORCE);
}

#define MANY 20

/* All of them meet: they run at the same time. */
static void test_many(void **state)
{
	struct real *r = *state;
	ctr_container_t *c = running(r);
	ctr_exec_t *x[MANY];
	char script[128];

	for (int i = 0; i < MANY; i++) {
		snprintf(script, sizeof(script),
		    "touch /tmp/%d; until [ $(ls /tmp | wc -l) = %d ]; do sleep 0.02; done; exit "
		    "%d",
		    i, MANY, i);
		x[i] = started(c, script);
	}
	assert_int_equal(sessions(c), MANY);
	for (int i = 0; i < MANY; i++) {
		assert_int_equal(wait_for(x[i]), i);
		OK(ctr_exec_remove(x[i], 0, err));
		ctr_exec_unref(x[i]);
	}
	assert_int_equal(sessions(c), 0);
	assert_int_equal(directories(r, c), 0);
	real_remove(c, CTR_REMOVE_FORCE);
}

static void *one_of_many(void *arg)
{
	ctr_container_t *c = arg;
	static const char *const command[] = {"/bin/sh", "-c", "echo word; exit 7", NULL};
	struct ctr_exec_opts o = {.size = sizeof(o), .command = command};
	struct result res = {.code = -5};

	if (run_opts(c, &o, &res, NULL) < 0 || strcmp(res.out, "word\n") != 0)
		return NULL;
	return res.code == 7 ? c : NULL;
}

static void test_parallel(void **state)
{
	ctr_container_t *c = running(*state);
	pthread_t threads[MANY];

	for (int i = 0; i < MANY; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, one_of_many, c), 0);
	for (int i = 0; i < MANY; i++) {
		void *good;

		pthread_join(threads[i], &good);
		assert_ptr_equal(good, c);
	}
	assert_int_equal(sessions(c), 0);
	real_remove(c, CTR_REMOVE_FORCE);
}

/* ---- what others do ---- */

static int32_t monitor_of(ctr_exec_t *x, const struct real *r)
{
	ctr_container_t *c = ctr_exec_container(x);
	char *text = real_slurp(
	    "%s/containers/%s/exec/%s/conmon.pid", r->run, ctr_container_id(c), ctr_exec_id(x));
	int32_t pid = atoi(text);

	free(text);
	ctr_container_unref(c);
	assert_true(pid > 1);
	return pid;
}

static void test_monitor_killed(void **state)
{
	struct real *r = *state;
	ctr_container_t *c = running(r);
	ctr_exec_t *x = started(c, "exec sleep 1000"), *y = started(c, "exec sleep 1000");
	int32_t monitor = monitor_of(x, r), pid = pid_of(x), code;

	kill(monitor, SIGKILL);
	real_await_end(monitor);
	/* Its process goes on; it can be stopped; its code is lost. */
	assert_exec_state(x, CTR_EXEC_STATE_RUNNING);
	FAILS(CTR_E_TIMEOUT, ctr_exec_wait(x, 50, &code, err));
	OK(ctr_exec_stop(x, 1000, 0, err));
	assert_false(real_alive(pid));
	assert_int_equal(wait_for(x), -1);
	ctr_exec_unref(x);

	monitor = monitor_of(y, r);
	pid = pid_of(y);
	kill(monitor, SIGKILL);
	real_await_end(monitor);
	kill(pid, SIGKILL);
	assert_int_equal(wait_for(y), -1);
	ctr_exec_unref(y);
	real_remove(c, CTR_REMOVE_FORCE);
}

struct elsewhere {
	const char *ctr, *id;
};

static void look_from_elsewhere(struct real *r, void *arg)
{
	const struct elsewhere *e = arg;
	ctr_exec_t *x = NULL;
	char *text = NULL;

	FAILS(CTR_E_NO_SUCH_EXEC, ctr_runtime_exec_lookup(r->rt, "0123", &x, err));
	FAILS(CTR_E_EMPTY_ID, ctr_runtime_exec_lookup(r->rt, "", &x, err));
	OK(ctr_runtime_exec_lookup(r->rt, e->id, &x, err));
	assert_exec_state(x, CTR_EXEC_STATE_RUNNING);
	OK(ctr_exec_inspect(x, &text, NULL, err));
	assert_non_null(strstr(text, "\"Running\":true"));
	assert_non_null(strstr(text, e->ctr));
	ctr_free(text);
	OK(ctr_exec_stop(x, -1, 0, err));
	assert_int_equal(wait_for(x), 128 + SIGTERM);
	ctr_exec_unref(x);
}

static void test_other_process(void **state)
{
	ctr_container_t *c = running(*state);
	ctr_exec_t *x = started(c, "exec sleep 1000");
	struct elsewhere e = {ctr_container_id(c), ctr_exec_id(x)};

	real_join(real_fork(*state, look_from_elsewhere, &e));
	assert_exec_state(x, CTR_EXEC_STATE_STOPPED);
	OK(ctr_exec_remove(x, 0, err));
	ctr_exec_unref(x);
	real_remove(c, CTR_REMOVE_FORCE);
}

/* ---- the container's end ---- */

static void test_container_ends(void **state)
{
	struct real *r = *state;
	ctr_container_t *c = running(r);
	ctr_exec_t *x = started(c, "exec sleep 1000"), *never = create(c, "true", 0);
	int32_t pid = pid_of(x);
	char *events;

	OK(ctr_container_stop_with_timeout(c, 0, err));
	assert_int_equal(wait_for(x), 128 + SIGKILL);
	assert_false(real_alive(pid));
	FAILS(CTR_E_CTR_STATE, ctr_exec_start(never, NULL, NULL, err));
	assert_exec_state(never, CTR_EXEC_STATE_CREATED);
	assert_int_equal(sessions(c), 2);
	free(events_text(r->rt));
	OK(ctr_container_cleanup(c, 0, err));
	events = events_text(r->rt);
	assert_string_equal(events, "cleanup");
	free(events);
	assert_int_equal(sessions(c), 0);
	assert_int_equal(wait_for(x), 128 + SIGKILL);
	FAILS(CTR_E_CTR_STATE, ctr_exec_start(never, NULL, NULL, err));
	FAILS(CTR_E_EXEC_REMOVED, ctr_exec_wait(never, -1, NULL, err));
	ctr_exec_unref(never);
	ctr_exec_unref(x);
	real_remove(c, 0);
}

/* Nobody has looked: the cleanup records their ends. */
static void test_cleanup(void **state)
{
	struct real *r = *state;
	ctr_container_t *c = running(r);
	ctr_exec_t *x = started(c, "exec sleep 1000"), *y = started(c, "exec sleep 1000");
	int32_t pids[] = {pid_of(x), monitor_of(x, r), pid_of(y), monitor_of(y, r)};
	char *events;

	free(events_text(r->rt));
	OK(ctr_container_remove(c, CTR_REMOVE_FORCE, err));
	for (int i = 0; i < 4; i++)
		assert_false(real_alive(pids[i]));
	events = events_text(r->rt);
	assert_string_equal(events, "died stop exec_died exec_died remove");
	free(events);
	assert_int_equal(wait_for(x), 128 + SIGKILL);
	FAILS(CTR_E_EXEC_REMOVED, ctr_exec_pid(y, pids, err));
	ctr_exec_unref(x);
	ctr_exec_unref(y);
	ctr_container_unref(c);
}

#define PID_NS "{\"type\":\"pid\"},"

/* The default spec without a PID namespace. */
static ctr_container_t *in_host_pids(const struct real *r, const char *script)
{
	ctr_container_t *model = real_create(r, script);
	ctr_config_t *cfg = ctr_container_config(model);
	char *text = strdup(ctr_config_spec(cfg, NULL)), *at = strstr(text, PID_NS);
	ctr_config_builder_t *b = real_builder(r, NULL);

	if (!at)
		fail_msg("the default spec has no PID namespace");
	else
		memmove(at, at + strlen(PID_NS), strlen(at + strlen(PID_NS)) + 1);
	OK(ctr_config_builder_set_json(b, CTR_CONFIG_SPEC, text, strlen(text), err));
	free(text);
	ctr_config_unref(cfg);
	real_remove(model, 0);
	return real_create_from(r, b);
}

/* Without a PID namespace of its own they would go on. */
static void test_shared_pids(void **state)
{
	ctr_container_t *c = in_host_pids(*state, "exec sleep 1000");
	ctr_exec_t *x;
	int32_t pid;

	OK(ctr_container_start(c, 0, err));
	x = started(c, "exec sleep 1000");
	pid = pid_of(x);
	OK(ctr_container_kill(c, SIGKILL, err));
	OK(ctr_container_cleanup(c, 0, err));
	assert_false(real_alive(pid));
	assert_int_equal(wait_for(x), 128 + SIGKILL);
	ctr_exec_unref(x);
	real_remove(c, 0);
}

static void test_states(void **state)
{
	static const char *const command[] = {"true", NULL};
	struct ctr_exec_opts o = {.size = sizeof(o), .command = command};
	ctr_container_t *c = running(*state);
	ctr_exec_t *x = NULL;
	int32_t code;

	OK(ctr_container_pause(c, err));
	FAILS(CTR_E_CTR_STATE, ctr_container_exec_create(c, &o, &x, err));
	OK(ctr_container_unpause(c, err));
	OK(ctr_container_stop_with_timeout(c, 0, err));
	FAILS(CTR_E_CTR_STATE, ctr_container_exec(c, &o, NULL, &code, err));
	assert_int_equal(code, 125);
	real_remove(c, 0);
}

/* ---- the exit command ---- */

static void test_exit_command(void **state)
{
	struct real *r = *state;
	char path[300];
	const char *const command[] = {"/bin/sh", "-c", "exit 3", NULL};
	const char *const on_exit[] = {
	    "/bin/sh", "-c", "echo \"$1 $2\" > $0.tmp; mv $0.tmp $0", path, NULL};
	struct ctr_exec_opts o = {.size = sizeof(o), .command = command, .exit_command = on_exit};
	ctr_container_t *c = running(r);
	ctr_exec_t *x = NULL;
	char expected[300], *text;
	int64_t end = real_now_ms() + PATIENCE_MS;

	snprintf(path, sizeof(path), "%s/told", r->dir);
	OK(ctr_container_exec_create(c, &o, &x, err));
	OK(ctr_exec_start(x, NULL, NULL, err));
	assert_int_equal(wait_for(x), 3);
	snprintf(expected, sizeof(expected), "%s %s\n", ctr_exec_id(x), ctr_container_id(c));
	while (access(path, F_OK) != 0)
		assert_true(real_now_ms() < end);
	text = real_slurp("%s", path);
	assert_string_equal(text, expected);
	free(text);
	unlink(path);
	ctr_exec_unref(x);
	real_remove(c, CTR_REMOVE_FORCE);
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_output, real_setup, real_teardown),
	    cmocka_unit_test_setup_teardown(test_input, real_setup, real_teardown),
	    cmocka_unit_test_setup_teardown(test_environment, real_setup, real_teardown),
	    cmocka_unit_test_setup_teardown(test_user, real_setup, real_teardown),
	    cmocka_unit_test_setup_teardown(test_capabilities, real_setup, real_teardown),
	    cmocka_unit_test_setup_teardown(test_privileged, real_setup, real_teardown),
	    cmocka_unit_test_setup_teardown(test_terminal, real_setup, real_teardown),
	    cmocka_unit_test_setup_teardown(test_size, real_setup, real_teardown),
	    cmocka_unit_test_setup_teardown(test_descriptors, real_setup, real_teardown),
	    cmocka_unit_test_setup_teardown(test_codes, real_setup, real_teardown),
	    cmocka_unit_test_setup_teardown(test_refused, real_setup, real_teardown),
	    cmocka_unit_test_setup_teardown(test_steps, real_setup, real_teardown),
	    cmocka_unit_test_setup_teardown(test_stop, real_setup, real_teardown),
	    cmocka_unit_test_setup_teardown(test_many, real_setup, real_teardown),
	    cmocka_unit_test_setup_teardown(test_parallel, real_setup, real_teardown),
	    cmocka_unit_test_setup_teardown(test_monitor_killed, real_setup, real_teardown),
	    cmocka_unit_test_setup_teardown(test_other_process, real_setup, real_teardown),
	    cmocka_unit_test_setup_teardown(test_container_ends, real_setup, real_teardown),
	    cmocka_unit_test_setup_teardown(test_cleanup, real_setup, real_teardown),
	    cmocka_unit_test_setup_teardown(test_shared_pids, real_setup, real_teardown),
	    cmocka_unit_test_setup_teardown(test_states, real_setup, real_teardown),
	    cmocka_unit_test_setup_teardown(test_exit_command, real_setup, real_teardown),
	};

	real_init(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
