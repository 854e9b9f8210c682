/* SPDX-License-Identifier: Apache-2.0 */
/* Exec sessions, on a runtime without processes. */
#include "fixture.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define NEVER_MS 20000 /* nothing that works waits for so long */

static const char *const program[] = {"program", "first", "second", NULL};

static ctr_container_t *running(struct fixture *f)
{
	return fixture_in_state(f, CTR_STATE_RUNNING);
}

static ctr_exec_t *create(ctr_container_t *c)
{
	struct ctr_exec_opts o = {.size = sizeof(o), .command = program};
	ctr_exec_t *x = NULL;

	OK(ctr_container_exec_create(c, &o, &x, err));
	return x;
}

static ctr_exec_t *started(ctr_container_t *c)
{
	ctr_exec_t *x = create(c);

	OK(ctr_exec_start(x, NULL, NULL, err));
	return x;
}

static int32_t exec_state(ctr_exec_t *x)
{
	int32_t state = -1;

	OK(ctr_exec_state(x, &state, err));
	return state;
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

/* Is there a directory of this session? */
static int has_dir(const struct fixture *f, ctr_container_t *c, ctr_exec_t *x)
{
	char path[600];

	snprintf(path, sizeof(path), "%s/containers/%s/exec/%s", f->run, ctr_container_id(c),
	    ctr_exec_id(x));
	return access(path, F_OK) == 0;
}

static void assert_events(struct fixture *f, const char *expected)
{
	char *text = events_text(f->rt);

	assert_string_equal(text, expected);
	free(text);
}

/* ---- options ---- */

static void refuses(ctr_container_t *c, const struct ctr_exec_opts *o, const char *field)
{
	ctr_error_t *err = NULL;
	ctr_exec_t *x = (ctr_exec_t *)1;

	assert_int_equal(ctr_container_exec_create(c, o, &x, &err), CTR_E_INVALID);
	assert_string_equal(ctr_error_get(err, "field"), field);
	assert_null(x);
	ctr_error_free(err);
}

static void test_bad_options(void **state)
{
	static const char *const none[] = {NULL}, *const empty[] = {"", NULL};
	static const char *const no_value[] = {"A=1", "NAME", NULL}, *const no_name[] = {
	                                                                 "=x", NULL};
	static const char *const binary[] = {"a\xff", NULL}, *const relative[] = {"true", NULL};
	ctr_container_t *c = running(*state);
	struct ctr_exec_opts good = {.size = sizeof(good), .command = program}, o;
	ctr_exec_t *x = NULL;

#define WITH(member, value, field) (o = good, o.member = (value), refuses(c, &o, field))
	WITH(command, NULL, "command");
	WITH(command, none, "command");
	WITH(command, empty, "command");
	WITH(command, binary, "command");
	WITH(env, no_value, "env");
	WITH(env, no_name, "env");
	WITH(env, binary, "env");
	WITH(user, "nobody-there", "user");
	WITH(user, "4294967295", "user");
	WITH(user, "\xfe", "user");
	WITH(groups, relative, "groups");
	WITH(workdir, "tmp", "workdir");
	WITH(detach_keys, "ctrl-", "detach_keys");
	WITH(exit_command, relative, "exit_command");
	WITH(exit_command_delay_s, 5, "exit_command_delay_s");
	WITH(exit_command_delay_s, -1, "exit_command_delay_s");
	o = good;
	o.flags = UINT64_C(1) << 40;
	FAILS(CTR_E_UNSUPPORTED, ctr_container_exec_create(c, &o, &x, err));
	o = good;
	o.size = 1;
	FAILS(CTR_E_INVALID, ctr_container_exec_create(c, &o, &x, err));
	FAILS(CTR_E_INVALID, ctr_container_exec_create(c, NULL, &x, err));
	FAILS(CTR_E_INVALID, ctr_container_exec_create(c, &good, NULL, err));
	FAILS(CTR_E_INVALID, ctr_container_exec_create(NULL, &good, &x, err));
	/* The fake runs no exit commands. */
	o = good;
	o.exit_command = (const char *const[]){"/bin/true", NULL};
	FAILS(CTR_E_UNSUPPORTED, ctr_container_exec_create(c, &o, &x, err));
	assert_int_equal(sessions(c), 0);
	ctr_container_unref(c);
}

static void test_runtime_without(void **state)
{
	struct fixture *f = *state;
	struct ctr_oci_ops ops = fake_oci_ops;
	struct fake_oci *fake = fake_oci_new();
	ctr_config_builder_t *b = ctr_config_builder_new();
	struct ctr_exec_opts o = {.size = sizeof(o), .command = program};
	ctr_config_t *cfg = NULL;
	ctr_container_t *c = NULL;
	ctr_exec_t *x = NULL;

	ops.name = "plain";
	ops.size = offsetof(struct ctr_oci_ops, exec_start);
	OK(ctr_runtime_add_oci(f->rt, &ops, fake, fake_oci_destroy, err));
	OK(ctr_config_builder_set_str(b, CTR_CONFIG_ROOTFS, f->rootfs, err));
	OK(ctr_config_builder_set_str(b, CTR_CONFIG_RUNTIME, "plain", err));
	OK(ctr_config_builder_add_str(b, CTR_CONFIG_COMMAND, "/bin/true", err));
	OK(ctr_config_builder_build(b, &cfg, err));
	OK(ctr_container_create(f->rt, cfg, 0, &c, err));
	OK(ctr_container_start(c, 0, err));
	FAILS(CTR_E_UNSUPPORTED, ctr_container_exec_create(c, &o, &x, err));
	OK(ctr_container_remove(c, CTR_REMOVE_FORCE, err));
	ctr_container_unref(c);
	ctr_config_unref(cfg);
	ctr_config_builder_free(b);
}

/* ---- what the runtime is told to run ---- */

static void write_file(const struct fixture *f, const char *name, const char *data)
{
	char path[300];
	FILE *out;

	snprintf(path, sizeof(path), "%s/etc", f->rootfs);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/etc/%s", f->rootfs, name);
	out = fopen(path, "we");
	assert_non_null(out);
	fputs(data, out);
	fclose(out);
}

static const char *process_of(struct fixture *f, ctr_container_t *c, struct ctr_exec_opts *o)
{
	ctr_exec_t *x = NULL;

	o->size = sizeof(*o);
	o->command = program;
	OK(ctr_container_exec_create(c, o, &x, err));
	OK(ctr_exec_start(x, NULL, NULL, err));
	ctr_exec_unref(x);
	return fake_exec_process(f->fake);
}

static void has(const char *json, const char *part)
{
	if (!json || !strstr(json, part))
		fail_msg("%s is not in %s", part, json ? json : "nothing");
}

static void lacks(const char *json, const char *part)
{
	if (!json || strstr(json, part))
		fail_msg("%s is in %s", part, json ? json : "nothing");
}

static void test_process(void **state)
{
	static const char *const env[] = {"PATH=/bin", "A=1=2", NULL}, *const home[] = {
	                                                                   "HOME=/h", NULL};
	static const char *const groups[] = {"60", "wheel", "60", NULL};
	struct fixture *f = *state;
	struct ctr_exec_opts o = {.env = env, .workdir = "/w d"};
	ctr_container_t *c;
	const char *json;

	write_file(f, "passwd", "root:x:0:0::/root:/bin/sh\nann:x:20:30::/home/ann:/bin/sh\n");
	write_file(f, "group", "wheel:x:10:\nstaff:x:50:ann\n");
	c = running(f);
	json = process_of(f, c, &o);
	has(json, "\"args\":[\"program\",\"first\",\"second\"]");
	has(json, "\"terminal\":false");
	has(json, "\"cwd\":\"/w d\"");
	has(json, "\"PATH=/bin\"");
	has(json, "\"A=1=2\"");
	has(json, "\"HOME=/root\"");
	lacks(json, "PATH=/usr");
	has(json, "\"uid\":0");
	/* Root: what is bounding is effective; nothing is inherited. */
	has(json, "\"inheritable\":[]");
	has(json, "\"effective\":[\"CAP_");

	o = (struct ctr_exec_opts){.user = "ann", .groups = groups, .flags = CTR_EXEC_TERMINAL};
	json = process_of(f, c, &o);
	has(json, "\"uid\":20,\"gid\":30");
	has(json, "\"additionalGids\":[10,30,50,60]");
	has(json, "\"HOME=/home/ann\"");
	lacks(json, "HOME=/root");
	has(json, "\"terminal\":true");
	has(json, "\"effective\":[]");
	has(json, "\"bounding\":[\"CAP_");
	has(json, "\"umask\":18");

	o = (struct ctr_exec_opts){.user = "ann:99", .env = home, .flags = CTR_EXEC_PRIVILEGED};
	json = process_of(f, c, &o);
	has(json, "\"uid\":20,\"gid\":99");
	has(json, "\"additionalGids\":[99]");
	has(json, "\"HOME=/h\"");
	has(json, "\"CAP_SYS_ADMIN\"");
	has(json, "\"effective\":[]");
	ctr_container_unref(c);
}

/* The container's own user has the container's capabilities. */
static void test_same_user(void **state)
{
	struct fixture *f = *state;
	ctr_config_t *plain = fixture_config(f, "same"), *cfg = NULL;
	ctr_config_builder_t *b = ctr_config_builder_new_from(plain);
	struct ctr_exec_opts o = {.user = NULL};
	ctr_container_t *c = NULL;
	const char *json;

	OK(ctr_config_builder_set_str(b, CTR_CONFIG_USER, "5:6", err));
	OK(ctr_config_builder_build(b, &cfg, err));
	OK(ctr_container_create(f->rt, cfg, 0, &c, err));
	OK(ctr_container_start(c, 0, err));
	json = process_of(f, c, &o);
	has(json, "\"uid\":5,\"gid\":6");
	o = (struct ctr_exec_opts){.user = "5"};
	json = process_of(f, c, &o);
	has(json, "\"uid\":5,\"gid\":0");
	o = (struct ctr_exec_opts){.user = "0"};
	json = process_of(f, c, &o);
	has(json, "\"uid\":0");
	has(json, "\"effective\":[\"CAP_");
	ctr_config_builder_free(b);
	ctr_config_unref(cfg);
	ctr_config_unref(plain);
	ctr_container_unref(c);
}

/* ---- life ---- */

static void test_life(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = running(f);
	ctr_exec_t *x = create(c);
	int32_t code = -5;
	size_t n;

	free(events_text(f->rt));
	assert_int_equal(strlen(ctr_exec_id(x)), 64);
	assert_string_equal(ctr_exec_command(x, &n)[2], "second");
	assert_int_equal(n, 3);
	assert_int_equal(exec_state(x), CTR_EXEC_STATE_CREATED);
	assert_false(has_dir(f, c, x));
	OK(ctr_exec_start(x, NULL, NULL, err));
	assert_true(has_dir(f, c, x));
	assert_int_equal(exec_state(x), CTR_EXEC_STATE_RUNNING);
	fake_exec_end(f->fake, ctr_exec_id(x), 77);
	OK(ctr_exec_wait(x, NEVER_MS, &code, err));
	assert_int_equal(code, 77);
	assert_int_equal(exec_state(x), CTR_EXEC_STATE_STOPPED);
	assert_int_equal(ctr_exec_exit_code(x, &code, NULL), 1);
	assert_false(has_dir(f, c, x));
	OK(ctr_exec_wait(x, 0, NULL, err));
	assert_events(f, "exec exec_died");
	OK(ctr_exec_remove(x, 0, err));
	assert_events(f, "");
	ctr_exec_unref(x);
	ctr_container_unref(c);
}

static void test_events(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = running(f);
	ctr_exec_t *x;
	ctr_event_t *ev = NULL;
	int32_t code = -5;

	free(events_text(f->rt));
	x = started(c);
	fake_exec_end(f->fake, ctr_exec_id(x), 9);
	OK(ctr_exec_wait(x, NEVER_MS, NULL, err));
	assert_int_equal(ctr_runtime_next_event(f->rt, &ev, NULL), 1);
	assert_int_equal(ctr_event_type(ev), CTR_EVENT_EXEC);
	assert_string_equal(ctr_event_exec_id(ev), ctr_exec_id(x));
	assert_string_equal(ctr_event_container_id(ev), ctr_container_id(c));
	ctr_event_unref(ev);
	assert_int_equal(ctr_runtime_next_event(f->rt, &ev, NULL), 1);
	assert_int_equal(ctr_event_type(ev), CTR_EVENT_EXEC_DIED);
	assert_string_equal(ctr_event_exec_id(ev), ctr_exec_id(x));
	assert_int_equal(ctr_event_exit_code(ev, &code), 1);
	assert_int_equal(code, 9);
	ctr_event_unref(ev);
	ctr_exec_unref(x);
	ctr_container_unref(c);
}

static void refused_in_state(ctr_exec_t *x, int32_t state)
{
	int32_t code;

	if (state != CTR_EXEC_STATE_CREATED)
		FAILS(CTR_E_EXEC_STATE, ctr_exec_start(x, NULL, NULL, err));
	if (state != CTR_EXEC_STATE_RUNNING) {
		FAILS(CTR_E_EXEC_STATE, ctr_exec_stop(x, 1, 0, err));
		FAILS(CTR_E_EXEC_STATE, ctr_exec_resize(x, 1, 1, err));
	} else {
		FAILS(CTR_E_EXEC_STATE, ctr_exec_cleanup(x, err));
		FAILS(CTR_E_EXEC_STATE, ctr_exec_remove(x, 0, err));
	}
	assert_int_equal(ctr_exec_exit_code(x, &code, NULL), state == CTR_EXEC_STATE_STOPPED);
	assert_int_equal(exec_state(x), state);
}

static void test_states(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = running(f);
	ctr_exec_t *x = create(c);

	FAILS(CTR_E_EXEC_STATE, ctr_exec_wait_fd(x, err));
	refused_in_state(x, CTR_EXEC_STATE_CREATED);
	OK(ctr_exec_cleanup(x, err));
	OK(ctr_exec_start(x, NULL, NULL, err));
	refused_in_state(x, CTR_EXEC_STATE_RUNNING);
	OK(ctr_exec_stop(x, NEVER_MS, 0, err));
	refused_in_state(x, CTR_EXEC_STATE_STOPPED);
	OK(ctr_exec_cleanup(x, err));
	FAILS(CTR_E_UNSUPPORTED, ctr_exec_remove(x, 6, err));
	FAILS(CTR_E_UNSUPPORTED, ctr_exec_stop(x, 0, 6, err));
	FAILS(CTR_E_INVALID, ctr_exec_stop(x, -2, 0, err));
	FAILS(CTR_E_INVALID, ctr_exec_wait(x, -2, NULL, err));
	OK(ctr_exec_remove(x, 0, err));
	ctr_exec_unref(x);
	ctr_container_unref(c);
	assert_string_equal(ctr_exec_state_name(CTR_EXEC_STATE_UNKNOWN), "unknown");
	assert_string_equal(ctr_exec_state_name(CTR_EXEC_STATE_STOPPED), "stopped");
	assert_string_equal(ctr_exec_state_name(4), "bad state");
}

static void test_null(void **state)
{
	int32_t n;
	char *text;
	size_t count = 1;

	(void)state;
	FAILS(CTR_E_INVALID, ctr_exec_start(NULL, NULL, NULL, err));
	FAILS(CTR_E_INVALID, ctr_exec_stop(NULL, 0, 0, err));
	FAILS(CTR_E_INVALID, ctr_exec_wait(NULL, 0, NULL, err));
	FAILS(CTR_E_INVALID, ctr_exec_state(NULL, &n, err));
	FAILS(CTR_E_INVALID, ctr_exec_inspect(NULL, &text, NULL, err));
	assert_string_equal(ctr_exec_id(NULL), "");
	assert_null(ctr_exec_command(NULL, &count)[0]);
	assert_int_equal(count, 0);
	assert_null(ctr_exec_container(NULL));
	assert_null(ctr_exec_ref(NULL));
	assert_null(ctr_exec_unref(NULL));
	ctr_exec_unrefp(NULL);
}

static void test_stop(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = running(f);
	ctr_exec_t *x;
	int32_t code;

	fake_exec_ignore_signals(f->fake, 1);
	x = started(c);
	OK(ctr_exec_stop(x, 20, 0, err));
	OK(ctr_exec_wait(x, 0, &code, err));
	assert_int_equal(code, 128 + SIGKILL);
	OK(ctr_exec_remove(x, 0, err));
	ctr_exec_unref(x);
	x = started(c);
	OK(ctr_exec_stop(x, -1, CTR_EXEC_STOP_NOW, err));
	ctr_exec_unref(x);
	fake_exec_ignore_signals(f->fake, 0);
	x = started(c);
	OK(ctr_exec_stop(x, 0, 0, err));
	OK(ctr_exec_wait(x, 0, &code, err));
	assert_int_equal(code, 128 + SIGTERM);
	ctr_exec_unref(x);
	ctr_container_unref(c);
}

/* ---- removed ones ---- */

static void test_removed(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = running(f);
	ctr_exec_t *never = create(c), *x = started(c), *again = NULL;
	int32_t n, code = -5;
	char *text;
	int fd;

	OK(ctr_container_exec_lookup(c, ctr_exec_id(x), &again, err));
	OK(ctr_exec_remove(x, CTR_EXEC_REMOVE_FORCE, err));
	assert_int_equal(fake_exec_running(f->fake), 0);
	OK(ctr_exec_remove(never, 0, err));
	FAILS(CTR_E_EXEC_REMOVED, ctr_exec_state(again, &n, err));
	FAILS(CTR_E_EXEC_REMOVED, ctr_exec_pid(again, &n, err));
	FAILS(CTR_E_EXEC_REMOVED, ctr_exec_exit_code(again, &n, err));
	FAILS(CTR_E_EXEC_REMOVED, ctr_exec_inspect(again, &text, NULL, err));
	FAILS(CTR_E_EXEC_REMOVED, ctr_exec_start(again, NULL, NULL, err));
	FAILS(CTR_E_EXEC_REMOVED, ctr_exec_stop(again, 0, 0, err));
	FAILS(CTR_E_EXEC_REMOVED, ctr_exec_resize(again, 1, 1, err));
	FAILS(CTR_E_EXEC_REMOVED, ctr_exec_cleanup(again, err));
	FAILS(CTR_E_EXEC_REMOVED, ctr_exec_remove(again, 0, err));
	FAILS(CTR_E_EXEC_REMOVED, ctr_exec_wait(never, NEVER_MS, NULL, err));
	OK(ctr_exec_wait(again, NEVER_MS, &code, err));
	assert_int_equal(code, 128 + SIGKILL);
	fd = ctr_exec_wait_fd(again, NULL);
	assert_int_equal(poll(&(struct pollfd){fd, POLLIN, 0}, 1, 0), 1);
	close(fd);
	/* The container goes: what is known of its sessions stays. */
	OK(ctr_container_remove(c, CTR_REMOVE_FORCE, err));
	OK(ctr_exec_wait(again, 0, &code, err));
	FAILS(CTR_E_EXEC_REMOVED, ctr_exec_state(again, &n, err));
	ctr_container_unref(c);
	c = ctr_exec_container(again);
	assert_int_equal(strlen(ctr_container_id(c)), 64);
	ctr_container_unref(c);
	ctr_exec_unref(again);
	ctr_exec_unref(x);
	ctr_exec_unref(never);
}

/* ---- finding ---- */

static void test_lookup(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = running(f), *other = fixture_create(f, "other");
	ctr_exec_t *all[17], *x = NULL;
	char first[2] = "", **list = NULL;

	for (int i = 0; i < 17; i++)
		all[i] = create(c);
	/* Of seventeen hexadecimal numbers two begin with the same digit. */
	for (int i = 0; i < 17 && !first[0]; i++)
		for (int j = 0; j < i; j++)
			if (ctr_exec_id(all[i])[0] == ctr_exec_id(all[j])[0])
				first[0] = ctr_exec_id(all[i])[0];
	FAILS(CTR_E_INVALID, ctr_container_exec_lookup(c, first, &x, err));
	FAILS(CTR_E_NO_SUCH_EXEC, ctr_container_exec_lookup(c, "x", &x, err));
	FAILS(CTR_E_EMPTY_ID, ctr_container_exec_lookup(c, "", &x, err));
	FAILS(CTR_E_EMPTY_ID, ctr_container_exec_lookup(c, NULL, &x, err));
	FAILS(CTR_E_NO_SUCH_EXEC, ctr_container_exec_lookup(other, ctr_exec_id(all[3]), &x, err));
	FAILS(CTR_E_NO_SUCH_EXEC, ctr_runtime_exec_lookup(f->rt, first, &x, err));
	FAILS(CTR_E_EMPTY_ID, ctr_runtime_exec_lookup(f->rt, "", &x, err));
	OK(ctr_runtime_exec_lookup(f->rt, ctr_exec_id(all[3]), &x, err));
	assert_string_equal(ctr_exec_id(x), ctr_exec_id(all[3]));
	ctr_exec_unrefp(&x);
	assert_null(x);
	OK(ctr_container_exec_sessions(c, &list, err));
	for (int i = 0; i < 16; i++)
		assert_true(strcmp(list[i], list[i + 1]) < 0);
	assert_null(list[17]);
	ctr_strv_free(list);
	assert_int_equal(sessions(other), 0);
	for (int i = 0; i < 17; i++)
		ctr_exec_unref(all[i]);
	ctr_container_unref(c);
	ctr_container_unref(other);
}

static void test_inspect(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = running(f);
	struct ctr_exec_opts o = {.size = sizeof(o),
	    .command = program,
	    .flags = CTR_EXEC_TERMINAL | CTR_EXEC_STDIN,
	    .user = "5",
	    .detach_keys = "ctrl-a"};
	ctr_exec_t *x = NULL;
	char expected[1024], *text = NULL;
	size_t len;

	OK(ctr_container_exec_create(c, &o, &x, err));
	OK(ctr_exec_inspect(x, &text, &len, err));
	assert_int_equal(len, strlen(text));
	snprintf(expected, sizeof(expected),
	    "{\"CanRemove\":false,\"ContainerID\":\"%s\",\"DetachKeys\":\"ctrl-a\",\"ExitCode\":0,"
	    "\"ID\":\"%s\",\"OpenStderr\":false,\"OpenStdin\":true,\"OpenStdout\":false,"
	    "\"Running\":false,\"Pid\":0,\"ProcessConfig\":{\"arguments\":[\"first\",\"second\"],"
	    "\"entrypoint\":\"program\",\"privileged\":false,\"tty\":true,\"user\":\"5\"}}",
	    ctr_container_id(c), ctr_exec_id(x));
	assert_string_equal(text, expected);
	ctr_free(text);
	OK(ctr_container_inspect(c, 0, &text, NULL, err));
	snprintf(expected, sizeof(expected), "\"ExecIDs\":[\"%s\"]", ctr_exec_id(x));
	assert_non_null(strstr(text, expected));
	ctr_free(text);
	ctr_exec_unref(x);
	ctr_container_unref(c);
}

/* ---- starting ---- */

static void test_failed_start(void **state)
{
	static const struct {
		int code;
		int32_t ended;
	} failures[] = {{CTR_E_OCI_NOT_FOUND, 127}, {CTR_E_OCI_PERMISSION, 126},
	    {CTR_E_OCI_RUNTIME, 125}, {CTR_E_CTR_STOPPED, 125}};
	struct fixture *f = *state;
	ctr_container_t *c = running(f);
	struct ctr_exec_opts o = {.size = sizeof(o), .command = program};

	free(events_text(f->rt));
	for (size_t i = 0; i < sizeof(failures) / sizeof(*failures); i++) {
		ctr_exec_t *x = create(c);
		int32_t code = -5;

		fake_exec_fail(f->fake, failures[i].code, 2);
		FAILS(failures[i].code, ctr_exec_start(x, NULL, NULL, err));
		assert_int_equal(exec_state(x), CTR_EXEC_STATE_STOPPED);
		assert_int_equal(ctr_exec_exit_code(x, &code, NULL), 1);
		assert_int_equal(code, failures[i].ended);
		assert_false(has_dir(f, c, x));
		OK(ctr_exec_remove(x, 0, err));
		ctr_exec_unref(x);
		FAILS(failures[i].code, ctr_container_exec(c, &o, NULL, &code, err));
		assert_int_equal(code, failures[i].ended);
	}
	assert_int_equal(sessions(c), 0);
	assert_events(f, "");
	ctr_container_unref(c);
}

static void remove_session(void *x)
{
	OK(ctr_exec_remove(x, CTR_EXEC_REMOVE_FORCE, err));
}

static void remove_container(void *x)
{
	ctr_container_t *c = ctr_exec_container(x);

	OK(ctr_container_remove(c, CTR_REMOVE_FORCE, err));
	ctr_container_unref(c);
}

static void start_again(void *x)
{
	FAILS(CTR_E_EXEC_STATE, ctr_exec_start(x, NULL, NULL, err));
	FAILS(CTR_E_EXEC_STATE, ctr_exec_remove(x, 0, err));
	FAILS(CTR_E_TIMEOUT, ctr_exec_wait(x, 10, NULL, err));
	assert_int_equal(exec_state(x), CTR_EXEC_STATE_CREATED);
}

/* What is done to it meanwhile, by others. */
static void test_during_start(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = running(f);
	ctr_exec_t *x = create(c);

	fake_exec_during_start(f->fake, start_again, x);
	OK(ctr_exec_start(x, NULL, NULL, err));
	OK(ctr_exec_remove(x, CTR_EXEC_REMOVE_FORCE, err));
	ctr_exec_unref(x);

	/* Removed: what it starts nevertheless is ended. */
	free(events_text(f->rt));
	x = create(c);
	fake_exec_during_start(f->fake, remove_session, x);
	ctr_error_t *err = NULL;
	assert_true(ctr_exec_start(x, NULL, NULL, &err) < 0);
	ctr_error_free(err);
	assert_int_equal(fake_exec_running(f->fake), 0);
	assert_int_equal(sessions(c), 0);
	assert_events(f, "");
	ctr_exec_unref(x);

	x = create(c);
	fake_exec_during_start(f->fake, remove_container, x);
	err = NULL;
	assert_true(ctr_exec_start(x, NULL, NULL, &err) < 0);
	ctr_error_free(err);
	assert_int_equal(fake_exec_running(f->fake), 0);
	assert_events(f, "died stop remove");
	ctr_exec_unref(x);
	ctr_container_unref(c);
}

static void shut_down(void *rt)
{
	OK(ctr_runtime_shutdown(rt, err));
}

/* What cannot be recorded does not go on. */
static void test_failed_save(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = running(f), *same = NULL;
	ctr_exec_t *x = create(c), *seen = NULL;
	struct fake_oci *fake = NULL;
	ctr_runtime_t *rt = fixture_open(f, &fake);

	fake_exec_during_start(f->fake, shut_down, f->rt);
	FAILS(CTR_E_RUNTIME_STOPPED, ctr_exec_start(x, NULL, NULL, err));
	assert_int_equal(fake_exec_running(f->fake), 0);
	/* We live, so others see it as being started; it can be removed. */
	OK(ctr_container_get(rt, ctr_container_id(c), &same, err));
	OK(ctr_container_exec_lookup(same, ctr_exec_id(x), &seen, err));
	FAILS(CTR_E_EXEC_STATE, ctr_exec_remove(seen, 0, err));
	OK(ctr_exec_remove(seen, CTR_EXEC_REMOVE_FORCE, err));
	ctr_exec_unref(seen);
	ctr_container_unref(same);
	ctr_exec_unref(x);
	ctr_container_unref(c);
	ctr_runtime_unref(f->rt);
	f->rt = rt;
	f->fake = fake;
}

struct killed {
	struct fixture *f;
	const char *ctr, *exec;
};

static void die(void *arg)
{
	(void)arg;
	kill(getpid(), SIGKILL);
}

static void start_and_die(const struct killed *k)
{
	struct fake_oci *fake = NULL;
	ctr_runtime_t *rt = fixture_open(k->f, &fake);
	ctr_exec_t *x = NULL;
	ctr_container_t *c = NULL;

	OK(ctr_container_get(rt, k->ctr, &c, err));
	fake_oci_adopt(fake, k->ctr);
	OK(ctr_container_exec_lookup(c, k->exec, &x, err));
	fake_exec_during_start(fake, die, NULL);
	(void)ctr_exec_start(x, NULL, NULL, NULL);
	_exit(1);
}

/* Its starter was killed: the next one who looks ends it. */
static void test_killed_starter(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = running(f);
	ctr_exec_t *x = create(c);
	struct killed k = {f, ctr_container_id(c), ctr_exec_id(x)};
	int32_t code = -5;
	int status;
	pid_t pid;

	free(events_text(f->rt));
	pid = fork();
	if (pid == 0)
		start_and_die(&k);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	assert_true(has_dir(f, c, x));
	assert_int_equal(exec_state(x), CTR_EXEC_STATE_STOPPED);
	assert_int_equal(ctr_exec_exit_code(x, &code, NULL), 1);
	assert_int_equal(code, -1);
	assert_int_equal(fake_exec_removals(f->fake), 1);
	assert_false(has_dir(f, c, x));
	assert_events(f, "");
	ctr_exec_unref(x);
	ctr_container_unref(c);
}

static void test_descriptors(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = running(f);
	ctr_exec_t *x = create(c);
	const int32_t fds[] = {0, 1}, bad[] = {0, 12345};
	struct ctr_exec_start_opts o = {.size = sizeof(o), .fds = fds, .fds_n = 2};
	ctr_attach_t *a = NULL;

	o.fds = bad;
	FAILS(CTR_E_INVALID, ctr_exec_start(x, &o, &a, err));
	o.fds_n = 9;
	FAILS(CTR_E_INVALID, ctr_exec_start(x, &o, &a, err));
	o.fds = NULL;
	o.fds_n = 1;
	FAILS(CTR_E_INVALID, ctr_exec_start(x, &o, &a, err));
	o.fds = fds;
	o.fds_n = 2;
	o.flags = 1;
	FAILS(CTR_E_UNSUPPORTED, ctr_exec_start(x, &o, &a, err));
	o.flags = 0;
	assert_int_equal(exec_state(x), CTR_EXEC_STATE_CREATED);
	OK(ctr_exec_start(x, &o, &a, err));
	assert_null(a);
	assert_int_equal(fake_exec_fds(f->fake), 2);
	ctr_exec_unref(x);
	ctr_container_unref(c);
}

/* ---- streams ---- */

static void test_attached(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = running(f);
	struct ctr_exec_opts eo = {
	    .size = sizeof(eo), .command = program, .flags = CTR_EXEC_TERMINAL};
	int out[2];
	struct ctr_attach_opts io = {.size = sizeof(io),
	    .flags = CTR_ATTACH_STDOUT | CTR_ATTACH_SIZE,
	    .rows = 21,
	    .cols = 43};
	struct ctr_exec_start_opts o = {.size = sizeof(o), .io = &io};
	ctr_exec_t *x = NULL;
	ctr_attach_t *a = NULL;
	char text[16] = "";

	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	io.stdout_fd = out[1];
	OK(ctr_container_exec_create(c, &eo, &x, err));
	FAILS(CTR_E_INVALID, ctr_exec_start(x, &o, NULL, err));
	OK(ctr_exec_start(x, &o, &a, err));
	assert_non_null(
	    strstr(fake_exec_process(f->fake), "\"consoleSize\":{\"height\":21,\"width\":43}"));
	assert_int_equal(write(fake_exec_stream(f->fake, ctr_exec_id(x)), "\2words", 6), 6);
	assert_int_equal(ctr_attach_run(a, 20, NULL), CTR_E_TIMEOUT);
	assert_int_equal(read(out[0], text, sizeof(text)), 5);
	assert_string_equal(text, "words");
	OK(ctr_exec_resize(x, 7, 8, err));
	assert_int_equal(fake_exec_rows(f->fake), 7);
	OK(ctr_attach_resize(a, 9, 8, err));
	assert_int_equal(fake_exec_rows(f->fake), 9);
	free(events_text(f->rt));
	fake_exec_end(f->fake, ctr_exec_id(x), 4);
	assert_int_equal(ctr_attach_run(a, NEVER_MS, NULL), CTR_ATTACH_ENDED);
	/* Who processes the streams has recorded the end. */
	assert_events(f, "exec_died");
	ctr_attach_unref(a);
	ctr_exec_unref(x);
	close(out[0]);
	close(out[1]);
	ctr_container_unref(c);
}

/* Of an older host's shorter options nothing behind them is read. */
static void test_short_options(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = running(f);
	ctr_exec_t *x = create(c);
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	const size_t size = offsetof(struct ctr_attach_opts, rows);
	char *mem =
	    mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct ctr_attach_opts io = {.size = size, .flags = CTR_ATTACH_STDOUT};
	struct ctr_exec_start_opts o = {.size = sizeof(o)};
	ctr_attach_t *a = NULL;

	assert_true(mem != MAP_FAILED);
	assert_int_equal(mprotect(mem + page, page, PROT_NONE), 0);
	io.stdout_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	memcpy(mem + page - size, &io, size);
	o.io = (const struct ctr_attach_opts *)(mem + page - size);
	fake_exec_quick(f->fake, 0);
	OK(ctr_exec_start(x, &o, &a, err));
	ctr_attach_unref(a);
	close(io.stdout_fd);
	munmap(mem, 2 * page);
	ctr_exec_unref(x);
	ctr_container_unref(c);
}

static void test_at_once(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = running(f);
	struct ctr_exec_opts eo = {.size = sizeof(eo), .command = program};
	int out[2];
	struct ctr_attach_opts io = {.size = sizeof(io), .flags = CTR_ATTACH_STDOUT};
	char text[16] = "";
	int32_t code = -5;

	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	io.stdout_fd = out[1];
	fake_exec_quick(f->fake, 33);
	free(events_text(f->rt));
	OK(ctr_container_exec(c, &eo, &io, &code, err));
	assert_int_equal(code, 33);
	assert_int_equal(read(out[0], text, sizeof(text)), 3);
	assert_string_equal(text, "out");
	OK(ctr_container_exec(c, &eo, NULL, NULL, err));
	assert_int_equal(sessions(c), 0);
	assert_events(f, "exec exec_died exec exec_died");
	io.flags = CTR_ATTACH_STDIN;
	FAILS(CTR_E_INVALID, ctr_container_exec(c, &eo, &io, &code, err));
	assert_int_equal(code, 125);
	FAILS(CTR_E_INVALID, ctr_container_exec(c, NULL, NULL, &code, err));
	assert_int_equal(sessions(c), 0);
	close(out[0]);
	close(out[1]);
	ctr_container_unref(c);
}

/* The session goes on, and is there for others. */
static void test_detach(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = running(f);
	struct ctr_exec_opts eo = {
	    .size = sizeof(eo), .command = program, .flags = CTR_EXEC_STDIN, .detach_keys = "x,y"};
	int in[2];
	struct ctr_attach_opts io = {.size = sizeof(io), .flags = CTR_ATTACH_STDIN};
	char **list = NULL;
	ctr_exec_t *x = NULL;
	int32_t code;

	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	io.stdin_fd = in[0];
	assert_int_equal(write(in[1], "xy", 2), 2);
	assert_int_equal(ctr_container_exec(c, &eo, &io, &code, NULL), CTR_ATTACH_DETACHED);
	OK(ctr_container_exec_sessions(c, &list, err));
	OK(ctr_container_exec_lookup(c, list[0], &x, err));
	assert_int_equal(exec_state(x), CTR_EXEC_STATE_RUNNING);
	OK(ctr_exec_remove(x, CTR_EXEC_REMOVE_FORCE, err));
	ctr_exec_unref(x);
	ctr_strv_free(list);
	close(in[0]);
	close(in[1]);
	ctr_container_unref(c);
}

static void test_http(void **state)
{
	static const char frame[] = "\1\0\0\0\0\0\0\3out";
	struct fixture *f = *state;
	ctr_container_t *c = running(f);
	ctr_exec_t *x = create(c);
	struct ctr_http_opts h = {.size = sizeof(h), .flags = CTR_HTTP_LOGS | CTR_HTTP_STDOUT};
	ctr_attach_t *a = NULL;
	char text[512] = "", *body;
	int pair[2];
	ssize_t n;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	FAILS(CTR_E_INVALID, ctr_exec_http_start(x, pair[0], &h, 0, 0, &a, err));
	h.flags = 0;
	FAILS(CTR_E_INVALID, ctr_exec_http_start(x, pair[0], &h, 0, 0, &a, err));
	h.flags = CTR_HTTP_STDOUT | CTR_HTTP_STDIN;
	FAILS(CTR_E_INVALID, ctr_exec_http_start(x, pair[0], &h, 5, 0, &a, err));
	FAILS(CTR_E_INVALID, ctr_exec_http_start(x, pair[0], &h, 0, 0, NULL, err));
	assert_int_equal(exec_state(x), CTR_EXEC_STATE_CREATED);
	fake_exec_quick(f->fake, 6);
	OK(ctr_exec_http_start(x, pair[0], &h, 0, 0, &a, err));
	close(pair[0]);
	assert_int_equal(ctr_attach_run(a, NEVER_MS, NULL), CTR_ATTACH_ENDED);
	ctr_attach_unref(a);
	n = read(pair[1], text, sizeof(text) - 1);
	assert_true(n > 12 && strncmp(text, "HTTP/1.1 200", 12) == 0);
	body = strstr(text, "\r\n\r\n");
	assert_non_null(body);
	assert_int_equal(text + n - (body + 4), sizeof(frame) - 1);
	assert_memory_equal(body + 4, frame, sizeof(frame) - 1);
	close(pair[1]);
	ctr_exec_unref(x);
	ctr_container_unref(c);
}

/* ---- waiting ---- */

static void *end_it(void *arg)
{
	struct killed *k = arg;

	usleep(20000);
	fake_exec_end(k->f->fake, k->exec, 12);
	return NULL;
}

static void test_wait(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = running(f);
	ctr_exec_t *x = started(c);
	struct killed k = {f, NULL, ctr_exec_id(x)};
	int32_t code = -5;
	pthread_t thread;
	int fd = ctr_exec_wait_fd(x, NULL);

	assert_true(fd >= 0);
	assert_int_equal(poll(&(struct pollfd){fd, POLLIN, 0}, 1, 0), 0);
	FAILS(CTR_E_TIMEOUT, ctr_exec_wait(x, 10, &code, err));
	assert_int_equal(pthread_create(&thread, NULL, end_it, &k), 0);
	OK(ctr_exec_wait(x, NEVER_MS, &code, err));
	assert_int_equal(code, 12);
	pthread_join(thread, NULL);
	assert_int_equal(poll(&(struct pollfd){fd, POLLIN, 0}, 1, 0), 1);
	close(fd);
	ctr_exec_unref(x);
	ctr_container_unref(c);
}

static void *start_it(void *x)
{
	usleep(20000);
	OK(ctr_exec_start(x, NULL, NULL, err));
	return NULL;
}

/* One that is not started yet is waited for, too. */
static void test_wait_before(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = running(f);
	ctr_exec_t *x = create(c);
	int32_t code = -5;
	pthread_t thread;

	fake_exec_quick(f->fake, 13);
	assert_int_equal(pthread_create(&thread, NULL, start_it, x), 0);
	OK(ctr_exec_wait(x, NEVER_MS, &code, err));
	assert_int_equal(code, 13);
	pthread_join(thread, NULL);
	ctr_exec_unref(x);
	ctr_container_unref(c);
}

/* ---- the container ---- */

static void test_container_ends(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = running(f);
	ctr_exec_t *x = started(c), *never = create(c);
	int32_t code = -5;

	free(events_text(f->rt));
	fake_oci_exit(f->fake, ctr_container_id(c), 3);
	OK(ctr_container_wait(c, NEVER_MS, NULL, err));
	OK(ctr_exec_wait(x, NEVER_MS, &code, err));
	assert_int_equal(code, 128 + SIGKILL);
	FAILS(CTR_E_CTR_STATE, ctr_exec_start(never, NULL, NULL, err));
	assert_int_equal(sessions(c), 2);
	OK(ctr_container_cleanup(c, 0, err));
	assert_int_equal(sessions(c), 0);
	assert_events(f, "died exec_died cleanup");
	FAILS(CTR_E_EXEC_REMOVED, ctr_exec_wait(never, NEVER_MS, NULL, err));
	ctr_exec_unref(x);
	ctr_exec_unref(never);
	ctr_container_unref(c);
}

/* Nobody has looked at its sessions before. */
static void test_reaped(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = running(f);
	ctr_exec_t *x = started(c);

	free(events_text(f->rt));
	OK(ctr_container_refresh(c, err));
	assert_int_equal(sessions(c), 0);
	assert_events(f, "died stop exec_died cleanup init start refresh");
	ctr_exec_unref(x);
	x = started(c);
	OK(ctr_container_restart_with_timeout(c, 0, err));
	assert_int_equal(sessions(c), 0);
	ctr_exec_unref(x);
	x = started(c);
	OK(ctr_container_remove(c, CTR_REMOVE_FORCE, err));
	assert_int_equal(fake_exec_running(f->fake), 0);
	ctr_exec_unref(x);
	ctr_container_unref(c);
}

static int in_batch(ctr_container_t *view, void *arg)
{
	struct ctr_exec_opts o = {.size = sizeof(o), .command = program};
	ctr_exec_t *x = NULL;
	int32_t code;

	FAILS(CTR_E_BUSY, ctr_container_exec_create(view, &o, &x, err));
	FAILS(CTR_E_BUSY, ctr_container_exec(view, &o, NULL, &code, err));
	assert_int_equal(sessions(view), 1);
	OK(ctr_container_exec_lookup(view, arg, &x, err));
	FAILS(CTR_E_DEADLOCK, ctr_exec_start(x, NULL, NULL, err));
	ctr_exec_unref(x);
	return 5;
}

static void test_batch(void **state)
{
	ctr_container_t *c = running(*state);
	ctr_exec_t *x = create(c);
	char *id = strdup(ctr_exec_id(x));

	assert_int_equal(ctr_container_batch(c, in_batch, id, NULL), 5);
	free(id);
	ctr_exec_unref(x);
	ctr_container_unref(c);
}

#define T(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {T(test_bad_options), T(test_runtime_without),
	    T(test_process), T(test_same_user), T(test_life), T(test_events), T(test_states),
	    cmocka_unit_test(test_null), T(test_stop), T(test_removed), T(test_lookup),
	    T(test_inspect), T(test_failed_start), T(test_during_start), T(test_failed_save),
	    T(test_killed_starter), T(test_descriptors), T(test_attached), T(test_short_options),
	    T(test_at_once), T(test_detach), T(test_http), T(test_wait), T(test_wait_before),
	    T(test_container_ends), T(test_reaped), T(test_batch)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
