/* SPDX-License-Identifier: Apache-2.0 */
/* Logs in a real journal: test_journal_real RUNTIME, below with-journal.sh. */
#include "real.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static ctr_container_t *create(const struct real *r, const char *script, const char *tag)
{
	ctr_config_builder_t *b = real_builder(r, script);

	ctr_config_builder_set_str(b, CTR_CONFIG_LOG_DRIVER, "journald", NULL);
	if (tag)
		ctr_config_builder_set_str(b, CTR_CONFIG_LOG_TAG, tag, NULL);
	return real_create_from(r, b);
}

static ctr_logs_t *open_logs(ctr_container_t *c, struct ctr_logs_opts o)
{
	ctr_logs_t *l = NULL;

	o.size = sizeof(o);
	OK(ctr_container_logs(c, &o, &l, err));
	return l;
}

/* Everything to the end: stream, text, newline. */
static void says(ctr_container_t *c, struct ctr_logs_opts o, const char *expected)
{
	ctr_logs_t *l = open_logs(c, o);
	size_t size = 0, len;
	char *all = NULL;
	FILE *f = open_memstream(&all, &size);
	int r;

	while ((r = ctr_logs_wait(l, PATIENCE_MS, NULL)) == CTR_LOGS_LINE) {
		const char *text = ctr_logs_text(l, &len);

		fprintf(f, "%d", (int)ctr_logs_stream(l));
		fwrite(text, 1, len, f);
		if (!ctr_logs_is_partial(l))
			fputc('\n', f);
	}
	fclose(f);
	assert_int_equal(r, CTR_LOGS_END);
	assert_string_equal(all, expected);
	free(all);
	ctr_logs_free(l);
}

#define FOLLOW ((struct ctr_logs_opts){.flags = CTR_LOGS_FOLLOW})
#define ALL    ((struct ctr_logs_opts){0})

static void test_streams(void **state)
{
	ctr_container_t *c =
	    create(*state, "echo out; sleep 0.05; echo err >&2; sleep 0.05; printf end", NULL);
	ctr_container_t *other = create(*state, "echo other", NULL);

	says(c, ALL, "");
	OK(ctr_container_start(other, 0, err));
	OK(ctr_container_start(c, 0, err));
	says(c, FOLLOW, "1out\n2err\n1end");
	real_wait(c);
	real_wait(other);
	says(c, ALL, "1out\n2err\n1end");
	says(c, (struct ctr_logs_opts){.flags = CTR_LOGS_STDERR}, "2err\n");
	says(c, (struct ctr_logs_opts){.flags = CTR_LOGS_TAIL, .tail = 2}, "2err\n1end");
	says(c, (struct ctr_logs_opts){.flags = CTR_LOGS_TAIL | CTR_LOGS_FOLLOW}, "");
	says(other, ALL, "1other\n");
	real_remove(c, 0);
	real_remove(other, 0);
}

/* Complete at the container's end, however late journald is. */
static void test_end(void **state)
{
	for (int i = 0; i < 5; i++) {
		ctr_container_t *c = create(*state, "seq 1 500", NULL);
		ctr_logs_t *l;

		OK(ctr_container_start(c, 0, err));
		l = open_logs(c, FOLLOW);
		for (int n = 1; n <= 500; n++) {
			assert_int_equal(ctr_logs_wait(l, PATIENCE_MS, NULL), CTR_LOGS_LINE);
			assert_int_equal(atoi(ctr_logs_text(l, NULL)), n);
		}
		assert_int_equal(ctr_logs_wait(l, PATIENCE_MS, NULL), CTR_LOGS_END);
		ctr_logs_free(l);
		real_remove(c, CTR_REMOVE_FORCE);
	}
}

static void test_tails(void **state)
{
	ctr_container_t *c = create(*state, "seq 1 100", NULL);

	OK(ctr_container_start(c, 0, err));
	real_wait(c);
	says(c, (struct ctr_logs_opts){.flags = CTR_LOGS_TAIL, .tail = 3}, "198\n199\n1100\n");
	says(c, (struct ctr_logs_opts){.flags = CTR_LOGS_TAIL, .tail = 1}, "1100\n");
	says(c, (struct ctr_logs_opts){.flags = CTR_LOGS_TAIL | CTR_LOGS_FOLLOW, .tail = 1},
	    "1100\n");
	says(c, (struct ctr_logs_opts){.flags = CTR_LOGS_TAIL}, "");
	real_remove(c, 0);
}

static void test_times(void **state)
{
	ctr_container_t *c = create(*state, "for i in 1 2 3; do echo $i; sleep 0.02; done", NULL);
	ctr_logs_t *l;
	int64_t at[3];

	OK(ctr_container_start(c, 0, err));
	l = open_logs(c, FOLLOW);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(ctr_logs_wait(l, PATIENCE_MS, NULL), CTR_LOGS_LINE);
		at[i] = ctr_logs_time_ns(l);
		assert_true(i == 0 || at[i] > at[i - 1]);
	}
	ctr_logs_free(l);
	real_wait(c);
	says(c, (struct ctr_logs_opts){.since_ns = at[1], .until_ns = at[1]}, "12\n");
	real_remove(c, 0);
}

static void test_bytes(void **state)
{
	ctr_container_t *c =
	    create(*state, "printf 'a\\000\\377b\\n'; printf '%020000d\\n' 7", NULL);
	ctr_logs_t *l;
	size_t len;
	const char *text;

	OK(ctr_container_start(c, 0, err));
	l = open_logs(c, FOLLOW);
	assert_int_equal(ctr_logs_wait(l, PATIENCE_MS, NULL), CTR_LOGS_LINE);
	text = ctr_logs_text(l, &len);
	assert_int_equal(len, 4);
	assert_memory_equal(text, "a\0\377b", 4);
	assert_int_equal(ctr_logs_wait(l, PATIENCE_MS, NULL), CTR_LOGS_LINE);
	text = ctr_logs_text(l, &len);
	assert_int_equal(len, 20000);
	assert_int_equal(strspn(text, "0"), 19999);
	assert_int_equal(ctr_logs_wait(l, PATIENCE_MS, NULL), CTR_LOGS_END);
	ctr_logs_free(l);
	real_remove(c, 0);
}

static void test_tag(void **state)
{
	ctr_container_t *c = create(*state, "echo tagged", "libctr-tag");
	char line[64] = "";
	FILE *p;

	OK(ctr_container_start(c, 0, err));
	real_wait(c);
	says(c, ALL, "1tagged\n");
	p = popen("journalctl -q -o cat CONTAINER_TAG=libctr-tag", "re");
	assert_non_null(p);
	assert_non_null(fgets(line, sizeof(line), p));
	assert_string_equal(line, "tagged\n");
	pclose(p);
	real_remove(c, 0);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, real_setup, real_teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_streams),
	    TEST(test_end),
	    TEST(test_tails),
	    TEST(test_times),
	    TEST(test_bytes),
	    TEST(test_tag),
	};

	real_init(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
