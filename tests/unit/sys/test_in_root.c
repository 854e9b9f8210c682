/* SPDX-License-Identifier: Apache-2.0 */
/* Opening below a directory as if it were "/": the kernel's way and ours give the same. */
#include "sys_test.h"

#include <signal.h>
#include <time.h>

#include "sys/fd.h"
#include "sys/in_root.h"

typedef int open_fn(int rootfd, const char *path, int flags, mode_t mode);

static open_fn *const ways[] = {ctr__open_in_root, ctr__open_in_root_by_steps};

/* root/{file, dir/inner, links...} and a file outside of it. */
static int make_root(const struct scratch *s)
{
	int root;

	put_file(s->fd, "outside", "outside");
	assert_int_equal(mkdirat(s->fd, "root", 0755), 0);
	root = openat(s->fd, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(mkdirat(root, "dir", 0755), 0);
	put_file(root, "file", "file");
	put_file(root, "dir/inner", "inner");
	put_file(root, "outside", "not outside");
	assert_int_equal(symlinkat("/file", root, "absolute"), 0);
	assert_int_equal(symlinkat("../../../outside", root, "dir/up"), 0);
	assert_int_equal(symlinkat("dir", root, "to_dir"), 0);
	assert_int_equal(symlinkat("loop", root, "loop"), 0);
	assert_int_equal(symlinkat("to_dir/../to_dir/inner", root, "winding"), 0);
	assert_int_equal(symlinkat("nowhere", root, "dangling"), 0);
	return root;
}

static void expect_content(open_fn *way, int root, const char *path, const char *want)
{
	CTR__CLOSE int fd = way(root, path, O_RDONLY, 0);
	char got[64] = "";

	if (fd < 0)
		fail_msg("%s: %s", path, strerror(-fd));
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_true(ctr__read_eintr(fd, got, sizeof(got) - 1) > 0);
	assert_string_equal(got, want);
}

static void stays_inside(void **state)
{
	static const char *const paths[][2] = {{"/file", "file"}, {"file", "file"},
	    {"//dir//inner", "inner"}, {"dir/./inner", "inner"}, {"../../outside", "not outside"},
	    {"absolute", "file"}, {"dir/up", "not outside"}, {"to_dir/inner", "inner"},
	    {"winding", "inner"}, {"dir/../dir/../file", "file"},
	    {"to_dir/../../dir/inner", "inner"}};
	CTR__CLOSE int root = make_root(*state);

	for (size_t w = 0; w < 2; w++) {
		for (size_t i = 0; i < CTR__ARRAY_SIZE(paths); i++)
			expect_content(ways[w], root, paths[i][0], paths[i][1]);
	}
}

static void refuses(void **state)
{
	static const struct {
		const char *path;
		int flags;
		int want;
	} cases[] = {{"none", O_RDONLY, -ENOENT}, {"none/x", O_RDONLY, -ENOENT},
	    {"", O_RDONLY, -ENOENT}, {"loop", O_RDONLY, -ELOOP}, {"loop/x", O_RDONLY, -ELOOP},
	    {"dangling", O_RDONLY, -ENOENT}, {"file/x", O_RDONLY, -ENOTDIR},
	    {"file/", O_RDONLY, -ENOTDIR}, {"absolute", O_RDONLY | O_NOFOLLOW, -ELOOP},
	    {"absolute", O_WRONLY | O_CREAT | O_EXCL, -EEXIST}, {"dir", O_WRONLY, -EISDIR},
	    {"file", O_RDONLY | O_DIRECTORY, -ENOTDIR}};
	CTR__CLOSE int root = make_root(*state);
	int before = count_fds();

	for (size_t w = 0; w < 2; w++) {
		for (size_t i = 0; i < CTR__ARRAY_SIZE(cases); i++) {
			int got = ways[w](root, cases[i].path, cases[i].flags, 0600);

			if (got != cases[i].want)
				fail_msg("way %zu, \"%s\": %d", w, cases[i].path, got);
		}
	}
	assert_int_equal(count_fds(), before);
}

static void opens_directories_and_the_root(void **state)
{
	static const char *const paths[] = {"/", ".", "..", "dir/..", "to_dir/", "dir/."};
	CTR__CLOSE int root = make_root(*state);

	for (size_t w = 0; w < 2; w++) {
		for (size_t i = 0; i < CTR__ARRAY_SIZE(paths); i++) {
			CTR__CLOSE int fd = ways[w](root, paths[i], O_RDONLY | O_DIRECTORY, 0);

			if (fd < 0)
				fail_msg("way %zu, \"%s\": %d", w, paths[i], fd);
			assert_int_equal(exists_at(fd, "file"), i < 4);
			assert_int_equal(exists_at(fd, "inner"), i >= 4);
		}
	}
}

static void creates_inside(void **state)
{
	static const char *const names[] = {"../../new0", "/to_dir/../../new1"};
	CTR__CLOSE int root = make_root(*state);
	struct scratch *s = *state;

	for (size_t w = 0; w < 2; w++) {
		CTR__CLOSE int fd = ways[w](root, names[w], O_WRONLY | O_CREAT | O_EXCL, 0600);

		assert_true(fd >= 0);
		assert_true(exists_at(root, w ? "new1" : "new0"));
		assert_false(exists_at(s->fd, w ? "new1" : "new0"));
	}
}

/* Whoever owns a file can keep those waiting who open it (45 s by default, again and again). */
static void does_not_wait_for_a_lease(void **state)
{
	CTR__CLOSE int root = make_root(*state);
	CTR__CLOSE int holder = openat(root, "file", O_RDONLY | O_CLOEXEC);
	struct timespec before, after;
	char *text = NULL;
	size_t len;

	assert_true(holder >= 0);
	/* The signal that says somebody wants the file is ignored by default. */
	assert_int_equal(fcntl(holder, F_SETSIG, SIGURG), 0);
	if (fcntl(holder, F_SETLEASE, F_WRLCK) < 0)
		fail_msg("no lease: %s", strerror(errno));
	clock_gettime(CLOCK_MONOTONIC, &before);
	assert_int_equal(ctr__read_in_root(root, "file", 100, &text, &len), -EAGAIN);
	clock_gettime(CLOCK_MONOTONIC, &after);
	assert_true(after.tv_sec - before.tv_sec < 5);
	assert_int_equal(fcntl(holder, F_SETLEASE, F_UNLCK), 0);
	assert_int_equal(ctr__read_in_root(root, "file", 100, &text, &len), 0);
	assert_string_equal(text, "file");
	free(text);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(stays_inside),
	    TEST(refuses),
	    TEST(opens_directories_and_the_root),
	    TEST(creates_inside),
	    TEST(does_not_wait_for_a_lease),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
