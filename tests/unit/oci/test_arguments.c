/* SPDX-License-Identifier: Apache-2.0 */
/* Conmon's command line. */
#include "oci_test.h"

static char **words_of(struct bench *b)
{
	char **v = NULL;

	assert_int_equal(ctr__conmon_command_line(b->d, &b->c, &v, NULL), 0);
	return v;
}

static bool has(char **v, const char *word)
{
	return ctr__strv_has((const char *const *)v, word);
}

/* "--name" followed by "value" */
static bool has_pair(char **v, const char *name, const char *value)
{
	for (; v[0] && v[1]; v++)
		if (strcmp(v[0], name) == 0 && strcmp(v[1], value) == 0)
			return true;
	return false;
}

static bool has_file(char **v, const char *name, const char *dir, const char *file)
{
	CTR__FREE char *path = ctr__path_join(dir, file);

	return has_pair(v, name, path);
}

static void test_what_is_always_there(void **state)
{
	struct bench b;
	CTR__STRV char **v = NULL;

	(void)state;
	bench_open(&b, "runc");
	v = words_of(&b);
	assert_string_equal(v[0], b.conmon);
	assert_true(has_pair(v, "--api-version", "1"));
	assert_true(has_pair(v, "-c", BENCH_ID));
	assert_true(has_pair(v, "-u", BENCH_ID));
	assert_true(has_pair(v, "-n", "quiet_otter"));
	assert_true(has_pair(v, "-r", b.runtime));
	assert_true(has_pair(v, "-b", b.bundle));
	assert_true(has_file(v, "-p", b.bundle, "pidfile"));
	assert_true(has_file(v, "--conmon-pidfile", b.bundle, "conmon.pid"));
	assert_true(has_file(v, "--exit-dir", b.root, "exits"));
	assert_true(has_file(v, "--persist-dir", b.root, "persist/" BENCH_ID));
	assert_true(has(v, "--full-attach"));
	assert_true(has_pair(v, "--runtime-arg", "--root"));
	assert_true(has_file(v, "--runtime-arg", b.root, "oci/runc"));
	assert_true(has_pair(v, "--runtime-arg", "--log-format=json"));
	assert_true(has_file(v, "--runtime-arg", b.bundle, "oci-log"));
	assert_true(has_pair(v, "-l", "none"));
	assert_false(has(v, "-t") || has(v, "-i") || has(v, "-s") || has(v, "--timeout") ||
	             has(v, "--log-size-max") || has(v, "--no-sync-log"));
	bench_close(&b);
}

static void test_what_the_container_wants(void **state)
{
	struct bench b;
	CTR__STRV char **v = NULL;

	(void)state;
	bench_open(&b, "runc");
	b.c.name = NULL;
	b.c.log_path = "/var/log/x.log";
	b.c.log_size_max = UINT64_MAX;
	b.c.timeout_s = UINT64_MAX;
	b.c.flags = CTR_OCI_SYSTEMD_CGROUP | CTR_OCI_STDIN;
	v = words_of(&b);
	assert_true(has_pair(v, "-n", BENCH_ID));
	assert_true(has_pair(v, "-l", "k8s-file:/var/log/x.log"));
	assert_true(has_pair(v, "--log-size-max", "9223372036854775807"));
	assert_true(has_pair(v, "--timeout", "2147483647"));
	assert_true(has(v, "-s") && has(v, "-i"));
	assert_false(has(v, "-t"));
	bench_close(&b);
}

static void test_exit_command(void **state)
{
	static const char *const command[] = {
	    "/libexec/helper", "exit", "--root", "/r", "id", NULL};
	struct bench b;
	CTR__STRV char **v = NULL;
	size_t n;

	(void)state;
	bench_open(&b, "runc");
	b.c.exit_command = command;
	v = words_of(&b);
	assert_true(has_pair(v, "--exit-command", "/libexec/helper"));
	n = ctr__strv_len((const char *const *)v);
	for (size_t i = 0; i < 4; i++) {
		assert_string_equal(v[n - 8 + 2 * i], "--exit-command-arg");
		assert_string_equal(v[n - 7 + 2 * i], command[1 + i]);
	}
	bench_close(&b);
}

static void test_terminal_beats_stdin(void **state)
{
	struct bench b;
	CTR__STRV char **v = NULL;

	(void)state;
	bench_open(&b, "runc");
	b.c.flags = CTR_OCI_TERMINAL | CTR_OCI_STDIN;
	v = words_of(&b);
	assert_true(has(v, "-t"));
	assert_false(has(v, "-i"));
	bench_close(&b);
}

/* An option that a runtime does not know would be the end of every create. */
static void test_an_unknown_runtime_gets_no_options_it_may_not_know(void **state)
{
	struct bench b;
	CTR__STRV char **v = NULL;

	(void)state;
	bench_open(&b, "my-runtime");
	v = words_of(&b);
	assert_true(has_pair(v, "--runtime-arg", "--root"));
	assert_false(has(v, "--log-format=json"));
	bench_close(&b);
}

static void test_only_crun_can_do_without_a_cgroup(void **state)
{
	struct bench b;
	CTR__STRV char **with = NULL;
	CTR__STRV char **without = NULL;

	(void)state;
	bench_open(&b, "crun");
	assert_int_equal(b.oci->ops.caps, CTR_OCI_CAP_NO_CGROUPS | CTR_OCI_CAP_EXIT_COMMAND);
	without = words_of(&b);
	assert_true(has_pair(without, "--runtime-arg", "disabled"));
	b.c.cgroup_path = "/x/libpod-" BENCH_ID;
	with = words_of(&b);
	assert_false(has(with, "disabled"));
	bench_close(&b);
	bench_open(&b, "runc");
	assert_int_equal(b.oci->ops.caps, CTR_OCI_CAP_EXIT_COMMAND);
	bench_close(&b);
}

static void test_the_environment(void **state)
{
	struct bench b;
	CTR__STRV char **plain = NULL;
	CTR__STRV char **terminal = NULL;

	(void)state;
	bench_open(&b, "runc");
	assert_int_equal(setenv("CTR_TEST_SECRET", "host", 1), 0);
	assert_int_equal(ctr__conmon_environment(&b.c, &plain, NULL), 0);
	assert_true(has(plain, "_OCI_SYNCPIPE=3") && has(plain, "_OCI_STARTPIPE=4"));
	assert_true(has(plain, "XDG_RUNTIME_DIR="));
	assert_int_equal(ctr__strv_len((const char *const *)plain), 5); /* nothing of the host's */
	b.c.flags = CTR_OCI_TERMINAL;
	assert_int_equal(ctr__conmon_environment(&b.c, &terminal, NULL), 0);
	assert_true(has(terminal, "TMPDIR=/proc/self/cwd"));
	bench_close(&b);
}

static void test_crun_is_told_where_to_make_temporary_files(void **state)
{
	struct bench b;
	CTR__FREE char *expected = NULL;
	CTR__STRV char **env = NULL;

	(void)state;
	bench_open(&b, "crun");
	expected = ctr__format("_LIBCONTAINER_STATEDIR=%s", b.bundle);
	assert_int_equal(ctr__conmon_environment(&b.c, &env, NULL), 0);
	assert_true(has(env, expected));
	bench_close(&b);
}

static void test_log_drivers(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, "runc");
	for (int i = 0; i < 2; i++) {
		CTR__STRV char **v = NULL;

		b.c.log_driver = "journald";
		b.c.log_tag = i ? "tag" : "";
		v = words_of(&b);
		assert_true(has_pair(v, "-l", "journald"));
		assert_int_equal(has_pair(v, "--log-tag", "tag"), i);
		assert_int_equal(has(v, "--log-tag"), i);
	}
	for (int i = 0; i < 2; i++) {
		CTR__STRV char **v = NULL;

		/* A tag with a file is an error to conmon. */
		b.c.log_driver = i ? "json-file" : "k8s-file";
		b.c.log_path = "/l";
		v = words_of(&b);
		assert_true(has_pair(v, "-l", "k8s-file:/l"));
		assert_false(has(v, "--log-tag"));
	}
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_what_is_always_there),
	    cmocka_unit_test(test_log_drivers),
	    cmocka_unit_test(test_what_the_container_wants),
	    cmocka_unit_test(test_exit_command),
	    cmocka_unit_test(test_terminal_beats_stdin),
	    cmocka_unit_test(test_an_unknown_runtime_gets_no_options_it_may_not_know),
	    cmocka_unit_test(test_only_crun_can_do_without_a_cgroup),
	    cmocka_unit_test(test_the_environment),
	    cmocka_unit_test(test_crun_is_told_where_to_make_temporary_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
