/* SPDX-License-Identifier: Apache-2.0 */
/* Running programs to their end. */
#include "sys_test.h"

#include <signal.h>
#include <sys/wait.h>

#include "sys/fd.h"
#include "sys/proc.h"
#include "util/clock.h"

static const char *const env_path[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL};

static int run_shell(const char *script, int64_t timeout_ms, struct ctr__buf *out,
    struct ctr__buf *diag, int *status, ctr_error_t **err)
{
	const char *argv[] = {"sh", "-c", script, NULL};
	bool known = false;
	int rc =
	    ctr__run("/bin/sh", argv, env_path, -1, timeout_ms, out, diag, status, &known, err);

	assert_int_equal(known, rc == 0);
	return rc;
}

static void output_and_status(void **state)
{
	CTR__BUF struct ctr__buf out = {0};
	CTR__BUF struct ctr__buf diag = {0};
	int status, before = count_fds();

	(void)state;
	assert_int_equal(
	    run_shell("echo text; echo problem >&2; exit 3", -1, &out, &diag, &status, NULL), 0);
	assert_int_equal(status, 3 << 8);
	assert_string_equal(out.data, "text\n");
	assert_string_equal(diag.data, "problem\n");
	assert_int_equal(count_fds(), before);
}

static void output_of_both_together(void **state)
{
	CTR__BUF struct ctr__buf both = {0};
	int status, before = count_fds();

	(void)state;
	assert_int_equal(run_shell("echo one; echo two >&2; echo three; exit 4", -1, &both, &both,
	                     &status, NULL),
	    0);
	assert_int_equal(status, 4 << 8);
	assert_string_equal(both.data, "one\ntwo\nthree\n");
	assert_int_equal(count_fds(), before);
}

static void output_not_wanted(void **state)
{
	CTR__BUF struct ctr__buf diag = {0};
	int status;

	(void)state;
	assert_int_equal(
	    run_shell("echo text; x=$(readlink /proc/$$/fd/0 /proc/$$/fd/1); echo \"$x\" >&2", -1,
	        NULL, &diag, &status, NULL),
	    0);
	assert_string_equal(diag.data, "/dev/null\n/dev/null\n");
	assert_int_equal(run_shell("echo x; echo y >&2", 60000, NULL, NULL, &status, NULL), 0);
	assert_int_equal(status, 0);
}

static void too_much_is_cut_but_read(void **state)
{
	CTR__BUF struct ctr__buf out = {0};
	CTR__BUF struct ctr__buf diag = {0};
	int status;

	(void)state;
	/* It gets an error, or waits for ever, if nobody reads. */
	assert_int_equal(
	    run_shell("head -c 3000000 /dev/zero && head -c 500000 /dev/zero >&2 && exit 4", -1,
	        &out, &diag, &status, NULL),
	    0);
	assert_int_equal(status, 4 << 8);
	assert_int_equal(out.len, 65536);
	assert_int_equal(diag.len, 65536);
}

/* The background process keeps both pipes open, and lives on. */
static void grandchild_keeps_the_pipe(void **state)
{
	CTR__BUF struct ctr__buf out = {0};
	CTR__BUF struct ctr__buf diag = {0};
	int64_t pid;
	int status;

	(void)state;
	assert_int_equal(
	    run_shell("sleep 1000 & echo $!; exit 5", -1, &out, &diag, &status, NULL), 0);
	assert_int_equal(status, 5 << 8);
	assert_true(out.len > 0);
	out.data[out.len - 1] = '\0';
	assert_true(ctr__parse_i64(out.data, 2, INT32_MAX, &pid));
	assert_true(ctr__proc_alive((pid_t)pid, 0));
	assert_int_equal(kill((pid_t)pid, SIGKILL), 0);
}

static void closed_output_is_not_the_end(void **state)
{
	CTR__BUF struct ctr__buf out = {0};
	CTR__BUF struct ctr__buf diag = {0};
	int status;

	(void)state;
	assert_int_equal(
	    run_shell("exec >&- 2>&-; sleep 0.1; exit 6", -1, &out, &diag, &status, NULL), 0);
	assert_int_equal(status, 6 << 8);
}

static void killed_when_time_is_up(void **state)
{
	CTR__BUF struct ctr__buf out = {0};
	CTR__ERROR ctr_error_t *err = NULL;
	int64_t t0 = ctr__monotonic_ns();
	int status;

	(void)state;
	assert_int_equal(run_shell("echo begun; exec sleep 1000", 200, &out, NULL, &status, &err),
	    CTR_E_TIMEOUT);
	assert_non_null(strstr(ctr_error_message(err), "/bin/sh"));
	assert_true(ctr__monotonic_ns() - t0 < INT64_C(500) * 1000000000);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

/* ---- filters ---- */

static int filter(const char *script, const char *in, size_t max, int64_t timeout_ms,
    struct ctr__buf *out, ctr_error_t **err)
{
	const char *argv[] = {"sh", "-c", script, NULL};
	const struct ctr__filter f = {.path = "/bin/sh",
	    .argv = argv,
	    .envp = env_path,
	    .in = in,
	    .in_len = in ? strlen(in) : 0,
	    .out_max = max,
	    .timeout_ms = timeout_ms};
	int status = 0;
	bool known;

	return ctr__run_filter(&f, out, NULL, &status, &known, err);
}

static void filters(void **state)
{
	CTR__BUF struct ctr__buf out = {0}, nothing = {0}, unread = {0};
	CTR__FREE char *big = malloc(1 << 20);
	int before = count_fds();

	(void)state;
	assert_non_null(big);
	memset(big, 'x', (1 << 20) - 1);
	big[(1 << 20) - 1] = '\0';
	assert_int_equal(filter("tr x y </dev/stdin", big, 1 << 20, -1, &out, NULL), 0);
	assert_int_equal(out.len, (1 << 20) - 1);
	assert_int_equal(out.data[out.len - 1], 'y');
	assert_int_equal(filter("cat; pwd", NULL, 10, -1, &nothing, NULL), 0);
	assert_string_equal(nothing.data, "/\n");
	/* Nobody is signalled when the input is not read. */
	assert_int_equal(filter("echo done", big, 10, -1, &unread, NULL), 0);
	assert_string_equal(unread.data, "done\n");
	assert_int_equal(count_fds(), before);
}

static void filter_output_is_bounded(void **state)
{
	CTR__BUF struct ctr__buf fits = {0}, out = {0};
	CTR__ERROR ctr_error_t *err = NULL;

	(void)state;
	assert_int_equal(filter("cat", "12345", 5, -1, &fits, NULL), 0);
	assert_string_equal(fits.data, "12345");
	assert_int_equal(filter("cat", "123456", 5, -1, &out, &err), CTR_E_INVALID);
	assert_non_null(strstr(ctr_error_message(err), "5 bytes"));
}

static void sigpipe_can_be_ignored(void **state)
{
	const char *argv[] = {"sh", "-c", "kill -PIPE $$; exit 7", NULL};
	struct ctr__filter f = {
	    .path = "/bin/sh", .argv = argv, .envp = env_path, .timeout_ms = -1};
	int status;
	bool known;

	(void)state;
	assert_int_equal(ctr__run_filter(&f, NULL, NULL, &status, &known, NULL), 0);
	assert_int_equal(status, SIGPIPE);
	f.ignore_sigpipe = true;
	assert_int_equal(ctr__run_filter(&f, NULL, NULL, &status, &known, NULL), 0);
	assert_int_equal(status, 7 << 8);
}

/* With everything that it has started. */
static void filter_is_killed_whole(void **state)
{
	CTR__BUF struct ctr__buf out = {0};
	int64_t pid;

	(void)state;
	assert_int_equal(
	    filter("sleep 1000 & echo $!; wait", NULL, 100, 300, &out, NULL), CTR_E_TIMEOUT);
	assert_true(out.len > 0);
	out.data[out.len - 1] = '\0';
	assert_true(ctr__parse_i64(out.data, 2, INT32_MAX, &pid));
	CTR__CLOSE int fd = ctr__pidfd_open((pid_t)pid, 0);
	if (fd >= 0)
		assert_int_equal(ctr__pidfd_wait(fd, 60000), 1);
}

static void program_is_missing(void **state)
{
	const char *argv[] = {"none", NULL};
	CTR__BUF struct ctr__buf out = {0};
	CTR__ERROR ctr_error_t *err = NULL;
	int status, before = count_fds();
	bool known;

	(void)state;
	assert_int_equal(ctr__run("/nonexistent/none", argv, env_path, -1, -1, &out, &out, &status,
	                     &known, &err),
	    CTR_E_SYSTEM);
	assert_int_equal(ctr_error_errno(err), ENOENT);
	assert_false(known);
	assert_int_equal(count_fds(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(output_and_status),
	    cmocka_unit_test(output_of_both_together),
	    cmocka_unit_test(output_not_wanted),
	    cmocka_unit_test(too_much_is_cut_but_read),
	    cmocka_unit_test(grandchild_keeps_the_pipe),
	    cmocka_unit_test(closed_output_is_not_the_end),
	    cmocka_unit_test(killed_when_time_is_up),
	    cmocka_unit_test(filters),
	    cmocka_unit_test(filter_output_is_bounded),
	    cmocka_unit_test(sigpipe_can_be_ignored),
	    cmocka_unit_test(filter_is_killed_whole),
	    cmocka_unit_test(program_is_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
