/* SPDX-License-Identifier: Apache-2.0 */
/* A log file that grows, is replaced, rotated, truncated while it is read. */
#include "log_file.h"

#include <poll.h>
#include <sys/inotify.h>

struct follow {
	struct ctr__log *l;
	int notify;
};

static struct follow follow_with(const struct log_file *f, struct ctr__log_opts o)
{
	struct follow w = {.notify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK)};

	assert_true(w.notify >= 0);
	o.path = f->path;
	o.streams = BOTH;
	o.follow = true;
	o.notify = w.notify;
	w.l = open_with(&o);
	return w;
}

static void unfollow(struct follow *w)
{
	ctr__log_free(w->l);
	close(w->notify);
}

/* Has it been told since the last time? */
static bool was_told(struct follow *w)
{
	struct pollfd p = {w->notify, POLLIN, 0};
	bool told = poll(&p, 1, 0) > 0;
	char buf[4096];

	while (read(w->notify, buf, sizeof(buf)) > 0)
		;
	return told;
}

#define SAYS_NEWS(w, expected)            \
	do {                              \
		assert_true(was_told(w)); \
		SAYS((w)->l, expected);   \
	} while (0)

static void replace(const struct log_file *f)
{
	CTR__FREE char *tmp = ctr__format("%s.tmp", f->path);

	appends(tmp, "");
	assert_int_equal(rename(tmp, f->path), 0);
}

static void test_growing(void **state)
{
	const struct log_file *f = *state;
	struct follow w;

	record(f->path, 1, "stdout", 'F', "a");
	w = follow_with(f, (struct ctr__log_opts){0});
	SAYS(w.l, "1:a|");
	record(f->path, 2, "stdout", 'F', "b");
	record(f->path, 3, "stderr", 'P', "c");
	SAYS_NEWS(&w, "1:b|");
	record(f->path, 4, "stderr", 'F', "d");
	SAYS_NEWS(&w, "2:cd|");
	assert_false(was_told(&w));
	unfollow(&w);
}

/* A record that arrives byte by byte is a record when its newline is there. */
static void test_half_a_line(void **state)
{
	const struct log_file *f = *state;
	const char *line = "1970-01-01T00:00:01Z stdout F text";
	struct follow w;
	int fd;

	appends(f->path, "");
	w = follow_with(f, (struct ctr__log_opts){0});
	for (const char *p = line; *p; p++) {
		append(f->path, p, 1);
		SAYS_NEWS(&w, "");
	}
	append(f->path, "\n", 1);
	SAYS_NEWS(&w, "1:text|");
	appends(f->path, line);
	SAYS_NEWS(&w, "");
	/* At the end of all it counts as it is. */
	assert_int_equal(ctr__log_finish(w.l, &fd), 1);
	SAYS(w.l, "1:text~|");
	unfollow(&w);
}

static void test_no_file_yet(void **state)
{
	const struct log_file *f = *state;
	struct follow w = follow_with(f, (struct ctr__log_opts){0});

	SAYS(w.l, "");
	record(f->path, 1, "stdout", 'F', "a");
	SAYS_NEWS(&w, "1:a|");
	record(f->path, 2, "stdout", 'F', "b");
	SAYS_NEWS(&w, "1:b|");
	unfollow(&w);
}

/* As conmon does at the size limit: the old file is read to its end first. */
static void test_replaced(void **state)
{
	const struct log_file *f = *state;
	struct follow w;

	record(f->path, 1, "stdout", 'F', "a");
	w = follow_with(f, (struct ctr__log_opts){0});
	SAYS(w.l, "1:a|");
	record(f->path, 2, "stdout", 'F', "b");
	replace(f);
	record(f->path, 3, "stdout", 'F', "c");
	SAYS_NEWS(&w, "1:b|1:c|");
	for (int i = 0; i < 20; i++) {
		replace(f);
		record(f->path, 4, "stdout", 'F', "d");
		SAYS_NEWS(&w, "1:d|");
	}
	unfollow(&w);
}

/* A line whose first piece is in the old file. */
static void test_replaced_in_a_line(void **state)
{
	const struct log_file *f = *state;
	struct follow w;

	record(f->path, 1, "stdout", 'P', "a");
	w = follow_with(f, (struct ctr__log_opts){0});
	SAYS(w.l, "");
	replace(f);
	record(f->path, 2, "stdout", 'F', "b");
	SAYS_NEWS(&w, "1:ab|");
	unfollow(&w);
}

static void rotate(const struct log_file *f, int n)
{
	for (; n > 0; n--) {
		CTR__FREE char *to = ctr__format("%s.%d", f->path, n);
		CTR__FREE char *from =
		    n > 1 ? ctr__format("%s.%d", f->path, n - 1) : strdup(f->path);

		assert_true(rename(from, to) == 0);
	}
}

static void test_rotated(void **state)
{
	const struct log_file *f = *state;
	struct follow w;

	record(f->path, 1, "stdout", 'F', "a");
	w = follow_with(f, (struct ctr__log_opts){0});
	SAYS(w.l, "1:a|");
	rotate(f, 1);
	record(f->path, 2, "stdout", 'F', "b");
	SAYS_NEWS(&w, "1:b|");
	/* Several times between two looks. */
	record(f->path, 3, "stdout", 'F', "c");
	rotate(f, 2);
	record(f->path, 4, "stdout", 'F', "d");
	rotate(f, 3);
	record(f->path, 5, "stdout", 'F', "e");
	SAYS_NEWS(&w, "1:c|1:d|1:e|");
	unfollow(&w);
}

static void test_truncated(void **state)
{
	const struct log_file *f = *state;
	struct follow w;

	record(f->path, 1, "stdout", 'F', "a long one that is longer than the next");
	w = follow_with(f, (struct ctr__log_opts){0});
	SAYS(w.l, "1:a long one that is longer than the next|");
	assert_int_equal(truncate(f->path, 0), 0);
	record(f->path, 2, "stdout", 'F', "b");
	SAYS_NEWS(&w, "1:b|");
	record(f->path, 3, "stdout", 'F', "c");
	SAYS_NEWS(&w, "1:c|");
	unfollow(&w);
}

static void test_tails(void **state)
{
	const struct log_file *f = *state;
	struct follow w;

	record(f->path, 1, "stdout", 'F', "a");
	record(f->path, 2, "stdout", 'F', "b");
	w = follow_with(f, (struct ctr__log_opts){.has_tail = true, .tail = 1});
	SAYS(w.l, "1:b|");
	record(f->path, 3, "stdout", 'F', "c");
	SAYS_NEWS(&w, "1:c|");
	unfollow(&w);
	w = follow_with(f, (struct ctr__log_opts){.has_tail = true});
	SAYS(w.l, "");
	record(f->path, 4, "stdout", 'F', "d");
	SAYS_NEWS(&w, "1:d|");
	unfollow(&w);
}

static void test_until(void **state)
{
	const struct log_file *f = *state;
	struct ctr__log_line line;
	struct follow w;

	record(f->path, 1, "stdout", 'F', "a");
	w = follow_with(f, (struct ctr__log_opts){.until_ns = 2 * S});
	SAYS(w.l, "1:a|");
	assert_int_equal(ctr__log_next(w.l, &line, NULL), 0);
	record(f->path, 3, "stdout", 'F', "c");
	assert_int_equal(ctr__log_next(w.l, &line, NULL), 2);
	unfollow(&w);
}

/* A writer that is quicker than the reader, and replaces the file all the time: no line comes twice or in disorder. */
static void test_many_replacements(void **state)
{
	const struct log_file *f = *state;
	struct ctr__log_line line;
	struct follow w;
	int last = -1;

	appends(f->path, "");
	w = follow_with(f, (struct ctr__log_opts){0});
	for (int i = 0; i < 3000; i++) {
		char text[16];

		snprintf(text, sizeof(text), "%d", i);
		if (i % 7 == 0)
			replace(f);
		record(f->path, i, "stdout", 'F', text);
		while (i % 3 == 0 && ctr__log_next(w.l, &line, NULL) == 1) {
			assert_true(atoi(line.text) > last);
			last = atoi(line.text);
		}
	}
	while (ctr__log_next(w.l, &line, NULL) == 1)
		last = atoi(line.text);
	assert_int_equal(last, 2999);
	unfollow(&w);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, log_setup, log_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_growing),
	    TEST(test_half_a_line),
	    TEST(test_no_file_yet),
	    TEST(test_replaced),
	    TEST(test_replaced_in_a_line),
	    TEST(test_rotated),
	    TEST(test_truncated),
	    TEST(test_tails),
	    TEST(test_until),
	    TEST(test_many_replacements),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
