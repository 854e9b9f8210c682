/* SPDX-License-Identifier: Apache-2.0 */
/* A log file read once: lines, filters, the last N, damage. */
#include "log_file.h"

#include <pthread.h>
#include <stdatomic.h>

static void test_empty(void **state)
{
	const struct log_file *f = *state;

	READS(f, "", .id = NULL);
	READS(f, "", .has_tail = true, .tail = 3);
	appends(f->path, "");
	READS(f, "", .id = NULL);
	READS(f, "", .has_tail = true, .tail = 3);
	READS(f, "", .has_tail = true);
}

static void test_not_a_file(void **state)
{
	const struct log_file *f = *state;
	struct ctr__log_opts o = {.path = f->path, .streams = BOTH, .notify = -1};
	CTR__ERROR ctr_error_t *err = NULL;
	struct ctr__log *l = NULL;

	/* A fifo keeps nobody waiting. */
	assert_int_equal(mkfifo(f->path, 0600), 0);
	assert_int_equal(ctr__log_open(&o, &l, &err), CTR_E_SYSTEM);
	assert_string_equal(ctr_error_get(err, "path"), f->path);
}

static void test_streams(void **state)
{
	const struct log_file *f = *state;

	record(f->path, 1, "stdout", 'F', "a");
	record(f->path, 2, "stderr", 'F', "b");
	record(f->path, 3, "stdout", 'F', "");
	READS(f, "1:a|2:b|1:|", .id = NULL);
	READS(f, "1:a|1:|", .streams = 1U << CTR__LOG_STDOUT);
	READS(f, "2:b|", .streams = 1U << CTR__LOG_STDERR);
	READS(f, "2:b|", .streams = 1U << CTR__LOG_STDERR, .has_tail = true, .tail = 2);
}

static void test_pieces(void **state)
{
	const struct log_file *f = *state;

	record(f->path, 1, "stdout", 'P', "a");
	record(f->path, 2, "stderr", 'P', "x");
	record(f->path, 3, "stdout", 'P', "b");
	record(f->path, 4, "stdout", 'F', "");
	record(f->path, 5, "stdout", 'P', "end");
	record(f->path, 6, "stderr", 'F', "y");
	READS(f, "1:ab|2:xy|1:end~|", .id = NULL);
	/* Counted as lines, not as pieces. */
	READS(f, "2:xy|1:end~|", .has_tail = true, .tail = 2);
	READS(f, "1:ab|2:xy|1:end~|", .has_tail = true, .tail = 3);
	/* The time of a line is that of its first piece. */
	READS(f, "2:xy|1:end~|", .since_ns = 2 * S);
	READS(f, "1:ab|", .until_ns = 1 * S);
	READS(f, "1:ab|2:xy|", .until_ns = 4 * S);
}

static void test_times(void **state)
{
	const struct log_file *f = *state;

	for (int i = 1; i <= 9; i++) {
		char text[2] = {(char)('0' + i), '\0'};

		record(f->path, i, "stdout", 'F', text);
	}
	READS(f, "1:4|1:5|1:6|", .since_ns = 4 * S, .until_ns = 6 * S);
	READS(f, "1:5|1:6|", .since_ns = 4 * S, .until_ns = 6 * S, .has_tail = true, .tail = 2);
	READS(f, "1:8|1:9|", .since_ns = 8 * S, .has_tail = true, .tail = 5);
	READS(f, "", .since_ns = 10 * S, .has_tail = true, .tail = 5);
	READS(f, "1:9|", .since_ns = 8 * S + 1);
}

static void test_damaged_lines(void **state)
{
	const struct log_file *f = *state;

	appends(f->path, "\n\nnothing\n");
	record(f->path, 1, "stdout", 'F', "a");
	append(f->path, "\0\xff\n{\n{\"log\":1}\n", 15);
	appends(f->path,
	    "{\"log\":\"j\\n\",\"stream\":\"stderr\",\"time\":\"1970-01-01T00:00:02Z\"}\n");
	appends(f->path, "1970-01-01T00:00:03Z stdout F cut off");
	READS(f, "1:a|2:j|1:cut off~|", .id = NULL);
	READS(f, "2:j|1:cut off~|", .has_tail = true, .tail = 2);
}

/* A tail is looked for further up than the damage at the end. */
static void test_tail_above_damage(void **state)
{
	const struct log_file *f = *state;

	record(f->path, 1, "stdout", 'F', "a");
	record(f->path, 2, "stdout", 'F', "b");
	for (int i = 0; i < 100; i++)
		appends(f->path, "garbage\n");
	READS(f, "1:b|", .has_tail = true, .tail = 1);
	READS(f, "1:b|", .has_tail = true, .tail = 5, .since_ns = 2 * S);
}

#define TURNS 2000 /* of the log, at most, while it is read */

struct turning {
	const struct log_file *f;
	atomic_bool enough;
};

/* Renames as conmon does that keeps three. */
static void *turn(void *arg)
{
	struct turning *t = arg;
	char from[128], to[128];

	for (int i = 0; i < TURNS && !atomic_load(&t->enough); i++) {
		for (int n = 3; n > 0; n--) {
			snprintf(to, sizeof(to), "%s.%d", t->f->path, n);
			snprintf(from, sizeof(from), n > 1 ? "%s.%d" : "%s", t->f->path, n - 1);
			rename(from, to);
		}
		record(t->f->path, i, "stdout", 'F', "x");
		usleep(100);
	}
	return NULL;
}

/* Seconds of the lines: what is there of the log has no hole, and nothing twice. */
static int steps(struct ctr__log *l)
{
	struct ctr__log_line line;
	int64_t last = -1;
	int wrong = 0;

	while (ctr__log_next(l, &line, NULL) == 1) {
		wrong += last >= 0 && line.time_ns / S != last + 1;
		last = line.time_ns / S;
	}
	return wrong;
}

static void test_rotated_meanwhile(void **state)
{
	struct turning t = {.f = *state};
	pthread_t thread;
	int wrong = 0;

	atomic_init(&t.enough, false);
	assert_int_equal(pthread_create(&thread, NULL, turn, &t), 0);
	for (int i = 0; i < 2000; i++) {
		struct ctr__log *l = open_file(t.f, (struct ctr__log_opts){.id = NULL});

		wrong += steps(l);
		ctr__log_free(l);
	}
	atomic_store(&t.enough, true);
	pthread_join(thread, NULL);
	assert_int_equal(wrong, 0);
}

/* A line of `len` bytes in records of 8192, as conmon makes them. */
static char *long_record(const char *path, size_t len)
{
	char *text = malloc(len + 1), piece[8193];

	assert_non_null(text);
	for (size_t i = 0; i < len; i++)
		text[i] = (char)('a' + i % 23);
	text[len] = '\0';
	for (size_t at = 0; at < len; at += 8192) {
		snprintf(piece, sizeof(piece), "%s", text + at);
		record(path, 1, "stdout", at + 8192 < len ? 'P' : 'F', piece);
	}
	return text;
}

static void test_long_lines(void **state)
{
	const struct log_file *f = *state;
	CTR__FREE char *a = long_record(f->path, 20000);
	CTR__FREE char *b = long_record(f->path, CTR__LOG_LINE_MAX + 10000);
	CTR__FREE char *first = strndup(b, CTR__LOG_LINE_MAX);
	CTR__FREE char *all = ctr__format("1:%s|1:%s~|1:%s|1:z|", a, first, b + CTR__LOG_LINE_MAX);

	record(f->path, 2, "stdout", 'F', "z");
	READS(f, all, .id = NULL);
	READS(f, "1:z|", .has_tail = true, .tail = 1);
	READS(f, all, .has_tail = true, .tail = 4);
}

/* Memory is bounded whatever is in the file. */
static void test_endless_records(void **state)
{
	const struct log_file *f = *state;
	size_t len = 5U << 20;
	CTR__FREE char *text = malloc(len + 1);
	struct ctr__log_opts o = {.path = f->path, .streams = BOTH, .notify = -1};
	struct ctr__log_line line;
	struct ctr__log *l;
	size_t sum = 0;

	assert_non_null(text);
	memset(text, 'x', len);
	text[len] = '\0';
	appends(f->path, text);
	appends(f->path, "\n{\"log\":\"");
	appends(f->path, text);
	appends(f->path, "\"}\n");
	record(f->path, 1, "stdout", 'F', text);
	record(f->path, 1, "stdout", 'F', "z");
	l = open_with(&o);
	do {
		assert_int_equal(ctr__log_next(l, &line, NULL), 1);
		assert_true(line.len <= CTR__LOG_LINE_MAX);
		assert_int_equal(strspn(line.text, "x"), line.len);
		sum += line.len;
	} while (line.partial);
	assert_int_equal(sum, len);
	SAYS(l, "1:z|");
	ctr__log_free(l);
}

/* The last N for every N, against all lines; records of many sizes around the borders of blocks. */
static void tail_of_everything(const struct log_file *f, size_t lines, size_t width)
{
	CTR__FREE char *pad = malloc(width + 1);
	struct ctr__buf all CTR__BUF = {0};
	size_t *at = calloc(lines + 1, sizeof(*at));

	assert_non_null(pad);
	assert_non_null(at);
	for (size_t i = 0; i < lines; i++) {
		CTR__FREE char *text = NULL;

		memset(pad, 'p', width);
		pad[i * 37 % (width + 1)] = '\0';
		text = ctr__format("%zu%s", i, pad);
		record(f->path, (int)i, "stdout", 'F', text);
		at[i] = all.len;
		ctr__buf_addf(&all, "1:%s|", text);
	}
	at[lines] = all.len;
	for (size_t n = 0; n <= lines + 1; n += 1 + n / 8) {
		size_t from = n > lines ? 0 : lines - n;

		READS(f, all.data + at[from], .has_tail = true, .tail = n);
	}
	free(at);
}

static void test_tail_of_short_lines(void **state)
{
	tail_of_everything(*state, 3000, 20);
}

static void test_tail_of_long_lines(void **state)
{
	tail_of_everything(*state, 60, 9000);
}

/* A block ends at every byte of a record once. */
static void test_tail_over_borders(void **state)
{
	const struct log_file *f = *state;

	for (size_t shift = 0; shift < 48; shift++) {
		CTR__FREE char *pad = malloc((64U << 10) - 100);

		assert_non_null(pad);
		unlink(f->path);
		memset(pad, 'p', (64U << 10) - 100);
		pad[(64U << 10) - 200 + shift] = '\0';
		record(f->path, 1, "stdout", 'F', "first");
		record(f->path, 2, "stderr", 'F', pad);
		record(f->path, 3, "stdout", 'P', "la");
		record(f->path, 4, "stdout", 'F', "st");
		READS(f, "1:last|", .has_tail = true, .tail = 1);
		READS(f, "1:first|1:last|", .has_tail = true, .tail = 2,
		    .streams = 1U << CTR__LOG_STDOUT);
	}
}

static void test_rotated(void **state)
{
	const struct log_file *f = *state;
	CTR__FREE char *one = ctr__format("%s.1", f->path), *two = ctr__format("%s.2", f->path);

	record(two, 1, "stdout", 'F', "a");
	record(two, 2, "stdout", 'P', "b");
	record(one, 3, "stdout", 'F', "c");
	record(one, 4, "stderr", 'F', "d");
	READS(f, "1:a|1:bc|2:d|", .id = NULL);
	record(f->path, 5, "stdout", 'F', "e");
	READS(f, "1:a|1:bc|2:d|1:e|", .id = NULL);
	READS(f, "1:e|", .has_tail = true, .tail = 1);
	READS(f, "1:bc|2:d|1:e|", .has_tail = true, .tail = 3);
	READS(f, "1:bc|1:e|", .has_tail = true, .tail = 2, .streams = 1U << CTR__LOG_STDOUT);
	/* While the next rotation is going on. */
	unlink(one);
	READS(f, "1:a|1:be|", .id = NULL);
	unlink(f->path);
	READS(f, "1:a|1:b~|", .id = NULL);
}

/* A million records, the last ten: from the end, so a few blocks are read and no more. */
static void test_tail_reads_little(void **state)
{
	const struct log_file *f = *state;
	int fd;

	/* 1 TiB of nothing, then the lines: read from the beginning this would take minutes. */
	fd = open(f->path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	if (ftruncate(fd, (off_t)1 << 40) < 0) {
		close(fd);
		skip();
	}
	close(fd);
	appends(f->path, "\n");
	for (int i = 0; i < 100; i++)
		record(f->path, i, "stdout", 'F', i % 2 ? "odd" : "even");
	READS(f, "1:odd|1:even|1:odd|", .has_tail = true, .tail = 3);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, log_setup, log_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_empty),
	    TEST(test_not_a_file),
	    TEST(test_streams),
	    TEST(test_pieces),
	    TEST(test_times),
	    TEST(test_damaged_lines),
	    TEST(test_tail_above_damage),
	    TEST(test_rotated_meanwhile),
	    TEST(test_long_lines),
	    TEST(test_endless_records),
	    TEST(test_tail_of_short_lines),
	    TEST(test_tail_of_long_lines),
	    TEST(test_tail_over_borders),
	    TEST(test_rotated),
	    TEST(test_tail_reads_little),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
