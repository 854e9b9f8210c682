/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors and small files. */
#include "sys_test.h"

#include <pthread.h>
#include <signal.h>

#include "sys/fd.h"

static void read_a_file(void **state)
{
	struct scratch *s = *state;
	CTR__FREE char *text = NULL;
	size_t len = 0;

	put_file(s->fd, "f", "content");
	assert_int_equal(ctr__read_file_at(s->fd, "f", 7, &text, &len), 0);
	assert_int_equal(len, 7);
	assert_string_equal(text, "content");
}

static void read_too_large(void **state)
{
	struct scratch *s = *state;
	char *text = NULL;

	put_file(s->fd, "f", "content");
	assert_int_equal(ctr__read_file_at(s->fd, "f", 6, &text, NULL), -EFBIG);
	/* The size of files in /proc is 0 until they are read. */
	assert_int_equal(ctr__read_file_at(AT_FDCWD, "/proc/self/status", 20, &text, NULL), -EFBIG);
	assert_null(text);
}

static void read_files_without_size(void **state)
{
	CTR__FREE char *text = NULL;
	CTR__FREE char *big = NULL;
	size_t len;

	(void)state;
	assert_int_equal(ctr__read_file_at(AT_FDCWD, "/proc/self/status", 1 << 20, &text, &len), 0);
	assert_true(ctr__starts_with(text, "Name:"));
	assert_int_equal(strlen(text), len);
	assert_int_equal(ctr__read_file_at(AT_FDCWD, "/proc/kallsyms", 64 << 20, &big, &len), 0);
	assert_true(len > 8192);
}

static void read_an_empty_file(void **state)
{
	struct scratch *s = *state;
	CTR__FREE char *text = NULL;
	size_t len = 9;

	put_file(s->fd, "f", "");
	assert_int_equal(ctr__read_file_at(s->fd, "f", 0, &text, &len), 0);
	assert_int_equal(len, 0);
	assert_string_equal(text, "");
}

/* A FIFO would block for ever, a link leads anywhere. */
static void read_only_regular_files(void **state)
{
	struct scratch *s = *state;
	int before = count_fds();
	char *text = NULL;

	put_file(s->fd, "f", "content");
	assert_int_equal(symlinkat("f", s->fd, "link"), 0);
	assert_int_equal(mkfifoat(s->fd, "fifo", 0600), 0);
	assert_int_equal(ctr__read_file_at(s->fd, "link", 100, &text, NULL), -ELOOP);
	assert_int_equal(ctr__read_file_at(s->fd, "fifo", 100, &text, NULL), -EINVAL);
	assert_int_equal(ctr__read_file_at(s->fd, ".", 100, &text, NULL), -EISDIR);
	assert_int_equal(ctr__read_file_at(s->fd, "none", 100, &text, NULL), -ENOENT);
	assert_null(text);
	assert_int_equal(count_fds(), before);
}

static void write_and_replace(void **state)
{
	struct scratch *s = *state;
	CTR__FREE char *text = NULL;
	struct stat st;
	mode_t old = umask(077);

	assert_int_equal(ctr__write_file_at(s->fd, "f", "one", 3, 0644, true), 0);
	umask(old);
	assert_int_equal(fstatat(s->fd, "f", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_int_equal(ctr__write_file_at(s->fd, "f", "longer", 6, 0600, false), 0);
	assert_int_equal(fstatat(s->fd, "f", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(ctr__read_file_at(s->fd, "f", 100, &text, NULL), 0);
	assert_string_equal(text, "longer");
	assert_int_equal(count_entries(s->fd), 1);
}

static void write_replaces_a_link(void **state)
{
	struct scratch *s = *state;
	CTR__FREE char *text = NULL;

	put_file(s->fd, "victim", "kept");
	assert_int_equal(symlinkat("victim", s->fd, "f"), 0);
	assert_int_equal(ctr__write_file_at(s->fd, "f", "new", 3, 0600, false), 0);
	assert_int_equal(ctr__read_file_at(s->fd, "victim", 100, &text, NULL), 0);
	assert_string_equal(text, "kept");
}

static void failed_write_leaves_nothing(void **state)
{
	struct scratch *s = *state;
	int before = count_fds();

	assert_int_equal(mkdirat(s->fd, "d", 0700), 0);
	assert_int_equal(ctr__write_file_at(s->fd, "d", "x", 1, 0600, false), -EISDIR);
	assert_int_equal(ctr__write_file_at(s->fd, "d/f", "x", 1, 0600, false), -EINVAL);
	assert_int_equal(ctr__write_file_at(s->fd, "..", "x", 1, 0600, false), -EINVAL);
	assert_int_equal(ctr__write_file_at(s->fd, "", "x", 1, 0600, false), -EINVAL);
	assert_int_equal(count_entries(s->fd), 1);
	assert_int_equal(count_fds(), before);
}

static void write_the_longest_name(void **state)
{
	struct scratch *s = *state;
	char name[256];

	memset(name, 'n', 255);
	name[255] = '\0';
	assert_int_equal(ctr__write_file_at(s->fd, name, "x", 1, 0600, false), 0);
	assert_true(exists_at(s->fd, name));
}

struct feed {
	int fd;
	size_t len;
};

static void *read_slowly(void *arg)
{
	struct feed *f = arg;
	char buf[1000];
	ssize_t n;

	while ((n = ctr__read_eintr(f->fd, buf, sizeof(buf))) > 0)
		f->len += (size_t)n;
	return n == 0 ? arg : NULL;
}

/* More than fits into the pipe. */
static void write_all_goes_on(void **state)
{
	size_t size = 300000;
	CTR__FREE char *data = calloc(1, size);
	struct feed f = {0};
	int ends[2];
	pthread_t t;
	void *ok;

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	f.fd = ends[0];
	assert_int_equal(pthread_create(&t, NULL, read_slowly, &f), 0);
	assert_int_equal(ctr__write_all(ends[1], data, size), 0);
	close(ends[1]);
	assert_int_equal(pthread_join(t, &ok), 0);
	assert_non_null(ok);
	assert_int_equal(f.len, size);
	close(ends[0]);
	assert_int_equal(ctr__write_all(-1, "x", 1), -EBADF);
	assert_int_equal(ctr__read_eintr(-1, data, 1), -EBADF);
}

static void finds_open_inodes(void **state)
{
	struct scratch *s = *state;
	struct stat st;
	int fd;

	put_file(s->fd, "f", "x");
	assert_int_equal(fstatat(s->fd, "f", &st, 0), 0);
	assert_false(ctr__fd_open_elsewhere(st.st_dev, st.st_ino));
	fd = openat(s->fd, "f", O_RDONLY | O_CLOEXEC);
	assert_true(ctr__fd_open_elsewhere(st.st_dev, st.st_ino));
	assert_false(ctr__fd_open_elsewhere(st.st_dev + 1, st.st_ino));
	close(fd);
	assert_false(ctr__fd_open_elsewhere(st.st_dev, st.st_ino));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(read_a_file),
	    TEST(read_too_large),
	    TEST(read_files_without_size),
	    TEST(read_an_empty_file),
	    TEST(read_only_regular_files),
	    TEST(write_and_replace),
	    TEST(write_replaces_a_link),
	    TEST(failed_write_leaves_nothing),
	    TEST(write_the_longest_name),
	    TEST(write_all_goes_on),
	    TEST(finds_open_inodes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
