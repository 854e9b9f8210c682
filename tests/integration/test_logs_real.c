/* SPDX-License-Identifier: Apache-2.0 */
/* Logs of real containers, read and followed: test_logs_real RUNTIME. */
#include "real.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct said {
	char *text;
	size_t len, lines;
};

static void add(struct said *s, const char *data, size_t len)
{
	s->text = realloc(s->text, s->len + len + 1);
	assert_non_null(s->text);
	memcpy(s->text + s->len, data, len);
	s->len += len;
	s->text[s->len] = '\0';
}

/* "1text\n" or "2text\n" per line; without a newline if it had none. */
static void add_line(struct said *s, const ctr_logs_t *l)
{
	size_t len;
	const char *text = ctr_logs_text(l, &len);
	char stream = (char)('0' + ctr_logs_stream(l));

	assert_true(ctr_logs_time_ns(l) > 0);
	add(s, &stream, 1);
	add(s, text, len);
	if (!ctr_logs_is_partial(l))
		add(s, "\n", 1);
	s->lines++;
}

static ctr_logs_t *open_logs(ctr_container_t *c, struct ctr_logs_opts o)
{
	ctr_logs_t *l = NULL;

	o.size = sizeof(o);
	OK(ctr_container_logs(c, &o, &l, err));
	return l;
}

/* Waits until there are `lines` in all (0 = until the end). */
static void read_lines(ctr_logs_t *l, struct said *s, size_t lines)
{
	while (lines == 0 || s->lines < lines) {
		ctr_error_t *err = NULL;
		int r = ctr_logs_wait(l, PATIENCE_MS, &err);

		if (r < 0)
			fail_msg("%s", ctr_error_message(err));
		if (r == CTR_LOGS_AGAIN)
			fail_msg("no line and no end came after %zu lines: %s", s->lines,
			    s->text ? s->text : "");
		if (r == CTR_LOGS_END) {
			if (lines)
				fail_msg("ended after %zu lines of %zu", s->lines, lines);
			return;
		}
		add_line(s, l);
	}
}

static void says(ctr_container_t *c, struct ctr_logs_opts o, const char *expected)
{
	ctr_logs_t *l = open_logs(c, o);
	struct said s = {0};

	read_lines(l, &s, 0);
	assert_string_equal(s.text ? s.text : "", expected);
	assert_int_equal(ctr_logs_next(l, NULL), CTR_LOGS_END);
	assert_null(ctr_logs_text(l, NULL));
	free(s.text);
	ctr_logs_free(l);
}

#define FOLLOW ((struct ctr_logs_opts){.flags = CTR_LOGS_FOLLOW})
#define ALL    ((struct ctr_logs_opts){0})

static void test_streams(void **state)
{
	ctr_container_t *c = real_create(*state, "echo out; echo err >&2; sleep 0.05; printf end");

	says(c, ALL, "");
	says(c, FOLLOW, "");
	OK(ctr_container_start(c, 0, err));
	says(c, FOLLOW, "1out\n2err\n1end");
	says(c, ALL, "1out\n2err\n1end");
	says(c, (struct ctr_logs_opts){.flags = CTR_LOGS_STDERR}, "2err\n");
	says(c, (struct ctr_logs_opts){.flags = CTR_LOGS_TAIL, .tail = 1}, "1end");
	says(c, (struct ctr_logs_opts){.flags = CTR_LOGS_TAIL}, "");
	real_wait(c);
	says(c, FOLLOW, "1out\n2err\n1end");
	OK(ctr_container_cleanup(c, 0, err));
	says(c, ALL, "1out\n2err\n1end");
	real_remove(c, 0);
}

static void test_times(void **state)
{
	ctr_container_t *c = real_start(*state, "for i in 1 2 3 4; do echo $i; sleep 0.02; done");
	ctr_logs_t *l = open_logs(c, FOLLOW);
	int64_t at[4];

	for (int i = 0; i < 4; i++) {
		assert_int_equal(ctr_logs_wait(l, PATIENCE_MS, NULL), CTR_LOGS_LINE);
		at[i] = ctr_logs_time_ns(l);
	}
	assert_int_equal(ctr_logs_wait(l, PATIENCE_MS, NULL), CTR_LOGS_END);
	ctr_logs_free(l);
	says(c, (struct ctr_logs_opts){.since_ns = at[1], .until_ns = at[2]}, "12\n13\n");
	says(c, (struct ctr_logs_opts){.since_ns = at[3]}, "14\n");
	says(c, (struct ctr_logs_opts){.until_ns = at[0], .flags = CTR_LOGS_FOLLOW}, "11\n");
	real_remove(c, 0);
}

/* Every byte but the newline, NULs too; and a line that conmon writes in pieces. */
static void test_bytes(void **state)
{
	ctr_container_t *c = real_start(*state, "i=0; while [ $i -lt 256 ]; do [ $i = 10 ] || "
	                                        "printf \"\\\\$(printf %03o $i)\"; i=$((i+1)); "
	                                        "done; echo; printf '%020000d\\n' 7");
	ctr_logs_t *l = open_logs(c, FOLLOW);
	const char *text;
	size_t len;

	assert_int_equal(ctr_logs_wait(l, PATIENCE_MS, NULL), CTR_LOGS_LINE);
	text = ctr_logs_text(l, &len);
	assert_int_equal(len, 255);
	for (int i = 0, at = 0; i < 256; i++)
		if (i != 10)
			assert_int_equal((unsigned char)text[at++], i);
	assert_int_equal(ctr_logs_wait(l, PATIENCE_MS, NULL), CTR_LOGS_LINE);
	text = ctr_logs_text(l, &len);
	assert_int_equal(len, 20000);
	assert_int_equal(strspn(text, "0"), 19999);
	assert_int_equal(text[19999], '7');
	assert_false(ctr_logs_is_partial(l));
	assert_int_equal(ctr_logs_wait(l, PATIENCE_MS, NULL), CTR_LOGS_END);
	ctr_logs_free(l);
	real_remove(c, 0);
}

/* conmon starts the file anew again and again. What the follower sees is in order, and the end is not lost. */
static void size_limit(const struct real *r, const char *driver)
{
	ctr_config_builder_t *b = real_builder(
	    r, "i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done; echo last");
	ctr_container_t *c;
	ctr_logs_t *l;
	size_t lines = 0;
	char *log;
	int last = -1, r2, seen_last = 0;

	ctr_config_builder_set_num(b, CTR_CONFIG_LOG_SIZE, 8192, NULL);
	ctr_config_builder_set_str(b, CTR_CONFIG_LOG_DRIVER, driver, NULL);
	c = real_create_from(r, b);
	OK(ctr_container_init(c, 0, err));
	l = open_logs(c, FOLLOW);
	OK(ctr_container_start(c, 0, err));
	while ((r2 = ctr_logs_wait(l, PATIENCE_MS, NULL)) == CTR_LOGS_LINE) {
		const char *text = ctr_logs_text(l, NULL);
		int n = -1;

		lines++;
		if (strcmp(text, "last") == 0) {
			seen_last++;
			continue;
		}
		assert_int_equal(sscanf(text, "line %d", &n), 1);
		assert_true(n > last);
		last = n;
	}
	assert_int_equal(r2, CTR_LOGS_END);
	assert_int_equal(seen_last, 1);
	assert_int_equal(last, 2999);
	ctr_logs_free(l);
	log = real_log(c);
	assert_true(strlen(log) <= 8192);
	/* It has read more than one file. */
	assert_true(lines > 8192 / 50);
	free(log);
	real_remove(c, 0);
}

static void test_size_limit(void **state)
{
	size_limit(*state, "k8s-file");
}

static void test_json_file(void **state)
{
	size_limit(*state, "json-file");
}

static void test_no_log(void **state)
{
	ctr_config_builder_t *b = real_builder(*state, "echo hi");
	ctr_container_t *c;
	ctr_logs_t *l = NULL;

	ctr_config_builder_set_str(b, CTR_CONFIG_LOG_DRIVER, "none", NULL);
	c = real_create_from(*state, b);
	FAILS(CTR_E_NO_LOGS, ctr_container_logs(c, NULL, &l, err));
	assert_null(l);
	OK(ctr_container_start(c, 0, err));
	real_wait(c);
	FAILS(CTR_E_NO_LOGS, ctr_container_logs(c, NULL, &l, err));
	real_remove(c, 0);
}

/* By hand: one log of two runs, and the follower of the first ends with the first. */
static void test_two_runs(void **state)
{
	ctr_container_t *c = real_start(*state, "echo run");

	says(c, FOLLOW, "1run\n");
	OK(ctr_container_start(c, 0, err));
	says(c, FOLLOW, "1run\n1run\n");
	real_remove(c, 0);
}

static void test_restart_by_policy(void **state)
{
	ctr_config_builder_t *b = real_builder(*state, "echo run; exit 3");
	ctr_container_t *c;

	ctr_config_builder_set_str(b, CTR_CONFIG_RESTART_POLICY, "on-failure", NULL);
	ctr_config_builder_set_num(b, CTR_CONFIG_RESTART_RETRIES, 2, NULL);
	c = real_create_from(*state, b);
	OK(ctr_container_start(c, 0, err));
	says(c, FOLLOW, "1run\n1run\n1run\n");
	assert_int_equal(real_wait(c), 3);
	real_remove(c, CTR_REMOVE_FORCE);
}

/* A restart by hand is one, too, as long as it is under way. */
static void test_restart_by_hand(void **state)
{
	struct ctr_restart_opts o = {.size = sizeof(o), .flags = CTR_RESTART_NOW};
	ctr_container_t *c = real_start(*state, ENDS_ON_TERM);
	ctr_logs_t *l = open_logs(c, FOLLOW);
	struct said s = {0};

	read_lines(l, &s, 1);
	OK(ctr_container_restart(c, &o, err));
	read_lines(l, &s, 2);
	assert_string_equal(s.text, "1ready\n1ready\n");
	OK(ctr_container_kill(c, SIGTERM, err));
	read_lines(l, &s, 0);
	assert_int_equal(s.lines, 2);
	free(s.text);
	ctr_logs_free(l);
	real_remove(c, CTR_REMOVE_FORCE);
}

/* An exit command keeps the monitor alive for longer than the log: that is not waited for. */
static void test_auto_remove(void **state)
{
	ctr_config_builder_t *b = real_builder(*state, "echo ready; echo more; echo last");
	ctr_container_t *c;
	ctr_logs_t *l;
	struct said s = {0};

	ctr_config_builder_set_bool(b, CTR_CONFIG_AUTO_REMOVE, 1, NULL);
	c = real_create_from(*state, b);
	OK(ctr_container_init(c, 0, err));
	l = open_logs(c, FOLLOW);
	OK(ctr_container_start(c, 0, err));
	read_lines(l, &s, 0);
	assert_string_equal(s.text, "1ready\n1more\n1last\n");
	free(s.text);
	ctr_logs_free(l);
	/* Gone by itself; the next test's teardown would find it. */
	while (ctr_container_logs(c, NULL, &l, NULL) == 0) {
		ctr_logs_free(l);
		poll(NULL, 0, 2);
	}
	FAILS(CTR_E_CTR_REMOVED, ctr_container_logs(c, NULL, &l, err));
	ctr_container_unref(c);
}

static void follow_elsewhere(struct real *r, void *arg)
{
	ctr_container_t *c = NULL;

	OK(ctr_container_get(r->rt, arg, &c, err));
	says(c, FOLLOW, "1ready\n1end\n");
	ctr_container_unref(c);
}

static void test_other_process(void **state)
{
	ctr_container_t *c =
	    real_start_ready(*state, "trap 'echo end; exit 5' TERM; echo ready; sleep 1000 & wait");
	pid_t a = real_fork(*state, follow_elsewhere, (void *)(uintptr_t)ctr_container_id(c));
	pid_t b = real_fork(*state, follow_elsewhere, (void *)(uintptr_t)ctr_container_id(c));

	OK(ctr_container_kill(c, SIGTERM, err));
	real_join(a);
	real_join(b);
	real_remove(c, 0);
}

/* The monitor is killed: nobody records the end, and nobody writes any more. */
static void test_killed_monitor(void **state)
{
	ctr_container_t *c = real_start_ready(*state, ENDS_ON_TERM);
	ctr_logs_t *l = open_logs(c, FOLLOW);
	struct said s = {0};
	pid_t pid = real_pid(c);

	read_lines(l, &s, 1);
	kill(real_conmon_pid(c), SIGKILL);
	/* It lives, so its log may go on; nobody is kept busy meanwhile. */
	assert_int_equal(ctr_logs_wait(l, 20, NULL), CTR_LOGS_AGAIN);
	kill(pid, SIGKILL);
	read_lines(l, &s, 0);
	assert_string_equal(s.text, "1ready\n");
	free(s.text);
	ctr_logs_free(l);
	real_remove(c, CTR_REMOVE_FORCE);
}

static void *wait_in_a_thread(void *l)
{
	return (void *)(intptr_t)ctr_logs_wait(l, -1, NULL);
}

static void test_cancel(void **state)
{
	ctr_container_t *c = real_start_ready(*state, ENDS_ON_TERM);
	ctr_logs_t *l = open_logs(c, FOLLOW);
	struct said s = {0};
	pthread_t t;
	void *result;

	read_lines(l, &s, 1);
	free(s.text);
	assert_int_equal(pthread_create(&t, NULL, wait_in_a_thread, l), 0);
	ctr_logs_cancel(l);
	pthread_join(t, &result);
	assert_int_equal((intptr_t)result, CTR_E_CANCELLED);
	FAILS(CTR_E_CANCELLED, ctr_logs_next(l, err));
	ctr_logs_free(l);
	real_remove(c, CTR_REMOVE_FORCE);
}

static void test_shutdown(void **state)
{
	struct real *r = *state;
	ctr_runtime_t *mine = real_open(r);
	ctr_container_t *c = real_start_ready(r, ENDS_ON_TERM), *same = NULL;
	struct said s = {0};
	ctr_logs_t *l;
	pthread_t t;
	void *result;

	OK(ctr_container_get(mine, ctr_container_id(c), &same, err));
	l = open_logs(same, FOLLOW);
	read_lines(l, &s, 1);
	free(s.text);
	assert_int_equal(pthread_create(&t, NULL, wait_in_a_thread, l), 0);
	OK(ctr_runtime_shutdown(mine, err));
	pthread_join(t, &result);
	assert_int_equal((intptr_t)result, CTR_E_RUNTIME_STOPPED);
	ctr_logs_free(l);
	ctr_container_unref(same);
	ctr_runtime_unref(mine);
	real_remove(c, CTR_REMOVE_FORCE);
}

/* One thread, one descriptor: readable when there is something, and quiet otherwise. */
static void test_event_loop(void **state)
{
	ctr_container_t *c =
	    real_start(*state, "trap 'echo end; exit 5' TERM; echo ready; sleep 1000 & wait");
	ctr_logs_t *l = open_logs(c, FOLLOW);
	struct said s = {0};
	struct pollfd p = {.events = POLLIN};
	int r, turns = 0, killed = 0;

	p.fd = ctr_logs_fd(l, NULL);
	assert_true(p.fd >= 0);
	while ((r = ctr_logs_next(l, NULL)) != CTR_LOGS_END) {
		assert_true(r >= 0);
		if (r == CTR_LOGS_LINE) {
			add_line(&s, l);
			continue;
		}
		if (s.lines == 1 && !killed++)
			OK(ctr_container_kill(c, SIGTERM, err));
		assert_true(poll(&p, 1, PATIENCE_MS) > 0);
		turns++;
	}
	assert_string_equal(s.text, "1ready\n1end\n");
	/* Some for each thing that happens; a spinning loop would have thousands. */
	assert_true(turns < 200);
	free(s.text);
	ctr_logs_free(l);
	real_remove(c, CTR_REMOVE_FORCE);
}

static void test_until_ends_a_follower(void **state)
{
	ctr_container_t *c = real_start_ready(*state, ENDS_ON_TERM);
	struct timespec now;
	int64_t until;

	clock_gettime(CLOCK_REALTIME, &now);
	until = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec + 50000000;
	says(c, (struct ctr_logs_opts){.flags = CTR_LOGS_FOLLOW, .until_ns = until}, "1ready\n");
	clock_gettime(CLOCK_REALTIME, &now);
	assert_true((int64_t)now.tv_sec * 1000000000 + now.tv_nsec >= until);
	real_remove(c, CTR_REMOVE_FORCE);
}

static int in_batch(ctr_container_t *view, void *userdata)
{
	struct ctr_logs_opts follow = {.size = sizeof(follow), .flags = CTR_LOGS_FOLLOW};
	ctr_logs_t *l = NULL;

	(void)userdata;
	FAILS(CTR_E_BUSY, ctr_container_logs(view, &follow, &l, err));
	says(view, ALL, "1hi\n");
	return 0;
}

static void test_batch(void **state)
{
	ctr_container_t *c = real_start(*state, "echo hi");

	real_wait(c);
	OK(ctr_container_batch(c, in_batch, NULL, err));
	real_remove(c, 0);
}

/* Nothing is lost and nothing comes twice, however the writer and the reader are mixed. */
static void test_a_lot(void **state)
{
	ctr_container_t *c = real_start(*state, "seq 1 50000");
	ctr_logs_t *l = open_logs(c, FOLLOW);

	for (int i = 1; i <= 50000; i++) {
		assert_int_equal(ctr_logs_wait(l, PATIENCE_MS, NULL), CTR_LOGS_LINE);
		assert_int_equal(atoi(ctr_logs_text(l, NULL)), i);
	}
	assert_int_equal(ctr_logs_wait(l, PATIENCE_MS, NULL), CTR_LOGS_END);
	ctr_logs_free(l);
	real_remove(c, 0);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, real_setup, real_teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_streams),
	    TEST(test_times),
	    TEST(test_bytes),
	    TEST(test_size_limit),
	    TEST(test_json_file),
	    TEST(test_no_log),
	    TEST(test_two_runs),
	    TEST(test_restart_by_policy),
	    TEST(test_restart_by_hand),
	    TEST(test_auto_remove),
	    TEST(test_other_process),
	    TEST(test_killed_monitor),
	    TEST(test_cancel),
	    TEST(test_shutdown),
	    TEST(test_event_loop),
	    TEST(test_until_ends_a_follower),
	    TEST(test_batch),
	    TEST(test_a_lot),
	};

	real_init(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
