/* SPDX-License-Identifier: Apache-2.0 */
/* For tests of the log room: a log file, and everything that a reader says as one text. */
#ifndef TESTS_UNIT_LOG_LOG_FILE_H
#define TESTS_UNIT_LOG_LOG_FILE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log/log.h"
#include "sys/fd.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define BOTH (1U << CTR__LOG_STDOUT | 1U << CTR__LOG_STDERR)
#define S    INT64_C(1000000000)

struct log_file {
	char dir[64], path[96];
};

static inline int log_setup(void **state)
{
	struct log_file *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	snprintf(f->dir, sizeof(f->dir), "/tmp/libctr-log-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/ctr.log", f->dir);
	*state = f;
	return 0;
}

static inline int log_teardown(void **state)
{
	struct log_file *f = *state;
	char path[128];

	unlink(f->path);
	for (int i = 1; i <= 70; i++) {
		snprintf(path, sizeof(path), "%s.%d", f->path, i);
		unlink(path);
	}
	assert_int_equal(rmdir(f->dir), 0);
	free(f);
	return 0;
}

static inline void append(const char *path, const char *data, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ctr__write_all(fd, data, len), 0);
	close(fd);
}

static inline void appends(const char *path, const char *text)
{
	append(path, text, strlen(text));
}

/* A record with this second as its time. */
static inline void record(
    const char *path, int second, const char *stream, char tag, const char *text)
{
	char time[CTR__RFC3339_MAX];
	CTR__FREE char *line = NULL;

	ctr__rfc3339_format(second * S, time);
	line = ctr__format("%s %s %c %s\n", time, stream, tag, text);
	assert_non_null(line);
	appends(path, line);
}

/* "1:text|" per line; 2: standard error; "text~|" if it is partial. What is there now. malloc'ed. */
static inline char *lines_now(struct ctr__log *l)
{
	struct ctr__buf b = {0};
	struct ctr__log_line line;
	int r;

	while ((r = ctr__log_next(l, &line, NULL)) == 1) {
		assert_int_equal(line.text[line.len], '\0');
		ctr__buf_addf(&b, "%d:", (int)line.stream);
		ctr__buf_add(&b, line.text, line.len);
		ctr__buf_adds(&b, line.partial ? "~|" : "|");
	}
	assert_true(r == 0 || r == 2);
	return ctr__buf_steal(&b);
}

static inline struct ctr__log *open_with(const struct ctr__log_opts *o)
{
	struct ctr__log *l = NULL;
	CTR__ERROR ctr_error_t *err = NULL;

	if (ctr__log_open(o, &l, &err) < 0)
		fail_msg("%s", ctr_error_message(err));
	return l;
}

#define SAYS(l, expected)                             \
	do {                                          \
		CTR__FREE char *said_ = lines_now(l); \
		assert_string_equal(said_, expected); \
	} while (0)

static inline struct ctr__log *open_file(const struct log_file *f, struct ctr__log_opts o)
{
	o.path = f->path;
	o.notify = -1;
	if (!o.streams)
		o.streams = BOTH;
	return open_with(&o);
}

/* Opens with options, compares everything, closes. */
#define READS(f, expected, ...)                                                          \
	do {                                                                             \
		struct ctr__log *l_ = open_file(f, (struct ctr__log_opts){__VA_ARGS__}); \
		SAYS(l_, expected);                                                      \
		ctr__log_free(l_);                                                       \
	} while (0)

#endif
