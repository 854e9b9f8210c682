/* SPDX-License-Identifier: Apache-2.0 */
/* Logs, processes and resource use through the public API, with a runtime of the program's own that writes the log. */
#include "fixture.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void write_log(ctr_container_t *c, const char *text)
{
	ctr_config_t *cfg = ctr_container_config(c);
	FILE *f = fopen(ctr_config_log_path(cfg), "ae");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	ctr_config_unref(cfg);
}

#define DOCKERS(text) \
	"{\"log\":\"" text "\\n\",\"stream\":\"stdout\",\"time\":\"2024-02-29T18:29:59.5Z\"}\n"

static ctr_logs_t *open_logs(ctr_container_t *c, uint64_t flags)
{
	struct ctr_logs_opts o = {.size = sizeof(o), .flags = flags};
	ctr_logs_t *l = NULL;

	OK(ctr_container_logs(c, &o, &l, err));
	return l;
}

static void expect_line(ctr_logs_t *l, const char *text)
{
	size_t len;

	assert_int_equal(ctr_logs_wait(l, 60000, NULL), CTR_LOGS_LINE);
	assert_string_equal(ctr_logs_text(l, &len), text);
	assert_int_equal(len, strlen(text));
}

static void test_bad_arguments(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_create(f, "a");
	struct ctr_logs_opts o = {.size = sizeof(o)};
	ctr_logs_t *l = NULL;

	FAILS(CTR_E_INVALID, ctr_container_logs(NULL, NULL, &l, err));
	FAILS(CTR_E_INVALID, ctr_container_logs(c, NULL, NULL, err));
	o.flags = UINT64_C(1) << 60;
	FAILS(CTR_E_UNSUPPORTED, ctr_container_logs(c, &o, &l, err));
	o.flags = 0;
	o.tail = 1;
	FAILS(CTR_E_INVALID, ctr_container_logs(c, &o, &l, err));
	o.tail = 0;
	o.since_ns = -1;
	FAILS(CTR_E_INVALID, ctr_container_logs(c, &o, &l, err));
	o.size = 1;
	FAILS(CTR_E_INVALID, ctr_container_logs(c, &o, &l, err));
	FAILS(CTR_E_INVALID, ctr_logs_next(NULL, err));
	FAILS(CTR_E_INVALID, ctr_logs_wait(NULL, -1, err));
	FAILS(CTR_E_INVALID, ctr_logs_fd(NULL, err));
	assert_null(ctr_logs_text(NULL, NULL));
	assert_int_equal(ctr_logs_time_ns(NULL), 0);
	assert_int_equal(ctr_logs_stream(NULL), 0);
	assert_int_equal(ctr_logs_is_partial(NULL), 0);
	ctr_logs_cancel(NULL);
	ctr_logs_free(NULL);
	ctr_logs_freep(&l);
	l = open_logs(c, 0);
	FAILS(CTR_E_INVALID, ctr_logs_fd(l, err));
	FAILS(CTR_E_INVALID, ctr_logs_wait(l, -2, err));
	ctr_logs_cancel(l);
	FAILS(CTR_E_CANCELLED, ctr_logs_next(l, err));
	ctr_logs_freep(&l);
	assert_null(l);
	ctr_container_unref(c);
}

static void test_runtime_that_writes_json(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_in_state(f, CTR_STATE_RUNNING);
	ctr_logs_t *l = open_logs(c, CTR_LOGS_FOLLOW);
	struct pollfd p = {ctr_logs_fd(l, NULL), POLLIN, 0};

	assert_int_equal(ctr_logs_next(l, NULL), CTR_LOGS_AGAIN);
	write_log(c, DOCKERS("one"));
	assert_int_equal(poll(&p, 1, 60000), 1);
	expect_line(l, "one");
	assert_int_equal(ctr_logs_stream(l), CTR_LOGS_STREAM_STDOUT);
	assert_true(ctr_logs_time_ns(l) == INT64_C(1709231399500000000));
	assert_int_equal(ctr_logs_next(l, NULL), CTR_LOGS_AGAIN);
	assert_null(ctr_logs_text(l, NULL));
	assert_int_equal(ctr_logs_wait(l, 5, NULL), CTR_LOGS_AGAIN);
	write_log(c, DOCKERS("two"));
	fake_oci_exit(f->fake, ctr_container_id(c), 3);
	expect_line(l, "two");
	assert_int_equal(ctr_logs_wait(l, 60000, NULL), CTR_LOGS_END);
	assert_int_equal(ctr_logs_next(l, NULL), CTR_LOGS_END);
	ctr_logs_free(l);
	ctr_container_unref(c);
}

/* A runtime that can only be asked. */
static void test_runtime_without_descriptors(void **state)
{
	struct fixture *f = *state;
	struct ctr_oci_ops ops = fake_oci_ops;
	struct fake_oci *fake = fake_oci_new();
	ctr_config_t *plain = fixture_config(f, "b"), *cfg = NULL;
	ctr_config_builder_t *b = ctr_config_builder_new_from(plain);
	ctr_container_t *c = NULL;
	ctr_logs_t *l;

	ops.name = "asked";
	ops.wait_fd = NULL;
	OK(ctr_runtime_add_oci(f->rt, &ops, fake, fake_oci_destroy, err));
	OK(ctr_config_builder_set_str(b, CTR_CONFIG_RUNTIME, "asked", err));
	OK(ctr_config_builder_build(b, &cfg, err));
	OK(ctr_container_create(f->rt, cfg, 0, &c, err));
	OK(ctr_container_start(c, 0, err));
	l = open_logs(c, CTR_LOGS_FOLLOW);
	assert_int_equal(ctr_logs_wait(l, 5, NULL), CTR_LOGS_AGAIN);
	write_log(c, DOCKERS("x"));
	expect_line(l, "x");
	fake_oci_exit(fake, ctr_container_id(c), 3);
	assert_int_equal(ctr_logs_wait(l, 60000, NULL), CTR_LOGS_END);
	ctr_logs_free(l);
	ctr_container_unref(c);
	ctr_config_builder_free(b);
	ctr_config_unref(plain);
	ctr_config_unref(cfg);
}

static void test_removed(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_in_state(f, CTR_STATE_RUNNING);
	ctr_logs_t *l = open_logs(c, CTR_LOGS_FOLLOW), *other = NULL;

	write_log(c, DOCKERS("x"));
	expect_line(l, "x");
	write_log(c, DOCKERS("y"));
	OK(ctr_container_remove(c, CTR_REMOVE_FORCE, err));
	/* What it had printed is still open here. */
	expect_line(l, "y");
	assert_int_equal(ctr_logs_wait(l, 60000, NULL), CTR_LOGS_END);
	FAILS(CTR_E_CTR_REMOVED, ctr_container_logs(c, NULL, &other, err));
	ctr_logs_free(l);
	ctr_container_unref(c);
}

static void test_no_process(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_in_state(f, CTR_STATE_RUNNING);
	ctr_top_t *t = NULL;
	ctr_stats_t *s = NULL;

	FAILS(CTR_E_UNSUPPORTED, ctr_container_top(c, NULL, &t, err));
	FAILS(CTR_E_UNSUPPORTED, ctr_container_stats(c, &s, err));
	assert_null(t);
	assert_null(s);
	ctr_container_unref(c);
}

static void test_bad_usage_arguments(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_in_state(f, CTR_STATE_RUNNING);
	ctr_stats_stream_t *stream = NULL;
	ctr_stats_t *s = NULL;
	ctr_top_t *t = NULL;

	FAILS(CTR_E_INVALID, ctr_container_top(NULL, NULL, &t, err));
	FAILS(CTR_E_INVALID, ctr_container_top(c, NULL, NULL, err));
	FAILS(CTR_E_INVALID, ctr_container_stats(NULL, &s, err));
	FAILS(CTR_E_INVALID, ctr_container_stats(c, NULL, err));
	FAILS(CTR_E_INVALID, ctr_container_stats_stream(c, 1000, NULL, err));
	FAILS(CTR_E_INVALID, ctr_container_stats_stream(c, 0, &stream, err));
	FAILS(CTR_E_INVALID, ctr_stats_stream_next(NULL, &s, err));
	assert_int_equal(ctr_stats_stream_fd(NULL), -1);
	assert_null(ctr_stats_name(0));
	assert_null(ctr_stats_name(-1));
	assert_null(ctr_stats_name(1000));
	assert_string_equal(ctr_stats_name(CTR_STATS_CPU_NS), "cpu_ns");
	assert_null(ctr_stats_container_id(NULL));
	assert_int_equal(ctr_stats_value(NULL, 1, NULL), 0);
	assert_null(ctr_top_cell(NULL, 0, 0));
	assert_null(ctr_top_title(NULL, 0));
	assert_int_equal(ctr_top_rows(NULL), 0);
	assert_int_equal(ctr_top_columns(NULL), 0);
	ctr_top_free(NULL);
	ctr_top_freep(&t);
	ctr_stats_free(NULL);
	ctr_stats_freep(&s);
	ctr_stats_stream_free(NULL);
	ctr_stats_stream_freep(&stream);
	ctr_container_unref(c);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_bad_arguments),
	    TEST(test_runtime_that_writes_json),
	    TEST(test_runtime_without_descriptors),
	    TEST(test_removed),
	    TEST(test_no_process),
	    TEST(test_bad_usage_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
