/* SPDX-License-Identifier: Apache-2.0 */
/* Directories and paths. */
#include "sys_test.h"

#include <sys/ioctl.h>
#include <sys/mount.h>
#include <linux/fs.h>

static void mkdir_open_makes_parents(void **state)
{
	struct scratch *s = *state;
	char path[320];
	struct stat st;
	mode_t old = umask(077);
	CTR__CLOSE int fd = -1;
	CTR__CLOSE int again = -1;

	snprintf(path, sizeof(path), "%s//a/b/", s->path);
	fd = ctr__mkdir_open(path, 0710, NULL);
	umask(old);
	assert_true(fd >= 0);
	assert_int_equal(fsync(fd), 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0710);
	assert_int_equal(fstatat(s->fd, "a", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	/* An existing one keeps its mode. */
	again = ctr__mkdir_open(path, 0777, NULL);
	assert_true(again >= 0);
	assert_int_equal(fstat(again, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0710);
}

static void mkdir_open_follows_links_on_the_way(void **state)
{
	struct scratch *s = *state;
	char path[320];
	CTR__CLOSE int fd = -1;

	mkdirat(s->fd, "real", 0755);
	assert_int_equal(symlinkat("real", s->fd, "link"), 0);
	snprintf(path, sizeof(path), "%s/link/x", s->path);
	fd = ctr__mkdir_open(path, 0700, NULL);
	assert_true(fd >= 0);
	assert_true(exists_at(s->fd, "real/x"));
}

static void mkdir_open_fails(void **state)
{
	struct scratch *s = *state;
	CTR__ERROR ctr_error_t *err = NULL;
	char path[320];
	int before = count_fds();

	put_file(s->fd, "file", "");
	snprintf(path, sizeof(path), "%s/file/x", s->path);
	assert_int_equal(ctr__mkdir_open(path, 0700, &err), CTR_E_SYSTEM);
	assert_int_equal(ctr_error_errno(err), ENOTDIR);
	assert_string_equal(ctr_error_get(err, "path"), path);
	assert_int_equal(ctr__mkdir_open("relative", 0700, &err), CTR_E_INVALID);
	assert_non_null(strstr(ctr_error_message(err), "relative"));
	assert_int_equal(ctr__mkdir_open(NULL, 0700, NULL), CTR_E_INVALID);
	assert_int_equal(ctr__mkdir_open("", 0700, NULL), CTR_E_INVALID);
	assert_int_equal(count_fds(), before);
}

static void mkdir_at(void **state)
{
	struct scratch *s = *state;
	struct stat st;
	CTR__CLOSE int fd = ctr__mkdir_at(s->fd, "d", 0770);
	CTR__CLOSE int again = ctr__mkdir_at(s->fd, "d", 0700);

	assert_true(fd >= 0 && again >= 0);
	assert_int_equal(fstat(again, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0770);
	assert_int_equal(symlinkat("d", s->fd, "link"), 0);
	put_file(s->fd, "file", "");
	assert_int_equal(ctr__mkdir_at(s->fd, "link", 0700), -ENOTDIR);
	assert_int_equal(ctr__mkdir_at(s->fd, "file", 0700), -ENOTDIR);
	assert_int_equal(ctr__mkdir_at(s->fd, "d/e", 0700), -EINVAL);
	assert_int_equal(ctr__mkdir_at(s->fd, "..", 0700), -EINVAL);
	assert_int_equal(ctr__mkdir_at(s->fd, "", 0700), -EINVAL);
}

static void remove_simple_things(void **state)
{
	struct scratch *s = *state;

	put_file(s->fd, "victim", "kept");
	put_file(s->fd, "file", "");
	mkdirat(s->fd, "outside", 0755);
	put_file(s->fd, "outside/f", "");
	assert_int_equal(symlinkat("outside", s->fd, "link"), 0);
	mkdirat(s->fd, "d", 0755);
	assert_int_equal(symlinkat("../outside", s->fd, "d/link"), 0);
	assert_int_equal(symlinkat("/", s->fd, "d/root"), 0);
	assert_int_equal(mkfifoat(s->fd, "d/fifo", 0600), 0);
	mkdirat(s->fd, "d/empty", 0);
	assert_int_equal(ctr__remove_tree_at(s->fd, "file"), 0);
	assert_int_equal(ctr__remove_tree_at(s->fd, "link"), 0);
	assert_int_equal(ctr__remove_tree_at(s->fd, "d"), 0);
	assert_int_equal(ctr__remove_tree_at(s->fd, "none"), 0);
	assert_int_equal(ctr__remove_tree_at(s->fd, ".."), -EINVAL);
	assert_int_equal(ctr__remove_tree_at(s->fd, "."), -EINVAL);
	assert_int_equal(ctr__remove_tree_at(s->fd, ""), -EINVAL);
	assert_int_equal(ctr__remove_tree_at(s->fd, "outside/f"), -EINVAL);
	assert_true(exists_at(s->fd, "outside/f"));
	assert_int_equal(count_entries(s->fd), 2);
}

/* Far deeper than PATH_MAX, descriptors or a recursion allow. */
static void remove_a_deep_tree(void **state)
{
	struct scratch *s = *state;
	int fd = fcntl(s->fd, F_DUPFD_CLOEXEC, 3), before;

	for (int i = 0; i < 5000; i++) {
		int next = ctr__mkdir_at(fd, "d", 0755);

		assert_true(next >= 0);
		if (i % 500 == 0)
			put_file(next, "f", "x");
		close(fd);
		fd = next;
	}
	close(fd);
	before = count_fds();
	assert_int_equal(ctr__remove_tree_at(s->fd, "d"), 0);
	assert_int_equal(count_entries(s->fd), 0);
	assert_int_equal(count_fds(), before);
}

static void remove_a_wide_tree(void **state)
{
	struct scratch *s = *state;
	CTR__CLOSE int fd = ctr__mkdir_at(s->fd, "d", 0755);

	for (int i = 0; i < 600; i++) {
		char name[32];

		snprintf(name, sizeof(name), "d%d", i);
		close(ctr__mkdir_at(fd, name, 0755));
		snprintf(name, sizeof(name), "d%d/f", i);
		put_file(fd, name, "");
		snprintf(name, sizeof(name), "f%d", i);
		put_file(fd, name, "");
	}
	assert_int_equal(ctr__remove_tree_at(s->fd, "d"), 0);
	assert_int_equal(count_entries(s->fd), 0);
}

static void mount_tmpfs(const char *path)
{
	if (mount("test", path, "tmpfs", 0, NULL) < 0)
		fail_msg("mount %s: %s", path, strerror(errno));
}

/* What is mounted is somebody else's; everything beside it goes. */
static void remove_stops_at_mounts(void **state)
{
	struct scratch *s = *state;
	char path[320], keep[330];

	mkdirat(s->fd, "d", 0755);
	mkdirat(s->fd, "d/m", 0755);
	put_file(s->fd, "d/a", "");
	put_file(s->fd, "d/z", "");
	snprintf(path, sizeof(path), "%s/d/m", s->path);
	snprintf(keep, sizeof(keep), "%s/keep", path);
	mount_tmpfs(path);
	put_file(AT_FDCWD, keep, "");
	assert_int_equal(ctr__remove_tree_at(s->fd, "d"), -EBUSY);
	assert_true(exists_at(s->fd, "d/m/keep"));
	assert_false(exists_at(s->fd, "d/a"));
	assert_false(exists_at(s->fd, "d/z"));
	assert_int_equal(umount2(path, MNT_DETACH), 0);
	/* A bind mount of the same file system, and on the top itself. */
	mkdirat(s->fd, "other", 0755);
	put_file(s->fd, "other/keep", "");
	snprintf(keep, sizeof(keep), "%s/other", s->path);
	assert_int_equal(mount(keep, path, "none", MS_BIND, NULL), 0);
	assert_int_equal(ctr__remove_tree_at(s->fd, "d"), -EBUSY);
	assert_int_equal(umount2(path, MNT_DETACH), 0);
	path[strlen(path) - 2] = '\0';
	assert_int_equal(mount(keep, path, "none", MS_BIND, NULL), 0);
	assert_int_equal(ctr__remove_tree_at(s->fd, "d"), -EBUSY);
	assert_int_equal(umount2(path, MNT_DETACH), 0);
	assert_true(exists_at(s->fd, "other/keep"));
	assert_int_equal(ctr__remove_tree_at(s->fd, "d"), 0);
}

static bool set_immutable(int dirfd, const char *name, bool on)
{
	CTR__CLOSE int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC);
	int flags = 0;

	if (ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0)
		return false;
	flags = on ? flags | FS_IMMUTABLE_FL : flags & ~FS_IMMUTABLE_FL;
	return ioctl(fd, FS_IOC_SETFLAGS, &flags) == 0;
}

/* A file system without such flags has nothing that could refuse: then it all goes. */
static void remove_goes_on_after_failures(void **state)
{
	struct scratch *s = *state;
	bool refuses;

	mkdirat(s->fd, "d", 0755);
	mkdirat(s->fd, "d/sub", 0755);
	put_file(s->fd, "d/sub/a", "");
	put_file(s->fd, "d/sub/fixed", "");
	put_file(s->fd, "d/sub/z", "");
	put_file(s->fd, "d/x", "");
	refuses = set_immutable(s->fd, "d/sub/fixed", true);
	assert_int_equal(ctr__remove_tree_at(s->fd, "d"), refuses ? -EPERM : 0);
	assert_int_equal(exists_at(s->fd, "d/sub/fixed"), refuses);
	assert_false(exists_at(s->fd, "d/sub/a"));
	assert_false(exists_at(s->fd, "d/sub/z"));
	assert_false(exists_at(s->fd, "d/x"));
	if (refuses)
		assert_true(set_immutable(s->fd, "d/sub/fixed", false));
	assert_int_equal(ctr__remove_tree_at(s->fd, "d"), 0);
}

static void clean_paths(void **state)
{
	static const char *const clean[] = {"/", "/a", "/a/b.c/..d/...", "/.a"};
	static const char *const unclean[] = {
	    "", "a", "a/b", "//", "/a/", "/a//b", "/.", "/..", "/a/./b", "/a/..", "/../a"};

	(void)state;
	for (size_t i = 0; i < CTR__ARRAY_SIZE(clean); i++)
		assert_true(ctr__path_is_clean(clean[i]));
	for (size_t i = 0; i < CTR__ARRAY_SIZE(unclean); i++)
		assert_false(ctr__path_is_clean(unclean[i]));
	assert_false(ctr__path_is_clean(NULL));
}

static void empty_directories(void **state)
{
	struct scratch *s = *state;
	CTR__CLOSE int path_fd = open(s->path, O_PATH | O_CLOEXEC);

	assert_int_equal(ctr__dir_empty(s->fd), 1);
	put_file(s->fd, ".hidden", "");
	assert_int_equal(ctr__dir_empty(s->fd), 0);
	/* Again, and whatever kind of descriptor. */
	assert_int_equal(ctr__dir_empty(s->fd), 0);
	assert_int_equal(ctr__dir_empty(path_fd), 0);
	assert_int_equal(ctr__dir_empty(-1), -EBADF);
}

static void real_path(void **state)
{
	struct scratch *s = *state;
	CTR__FREE char *got = NULL;
	char path[320];

	assert_int_equal(symlinkat(".", s->fd, "link"), 0);
	snprintf(path, sizeof(path), "%s/link/./link", s->path);
	got = ctr__realpath(path);
	assert_non_null(got);
	assert_true(ctr__starts_with(got, "/"));
	assert_null(strstr(got, "link"));
	assert_null(ctr__realpath("/nonexistent/x"));
	assert_int_equal(errno, ENOENT);
}

static int64_t usage(int fd)
{
	int64_t bytes = -1;

	assert_int_equal(ctr__tree_usage(fd, &bytes), 0);
	return bytes;
}

static void usage_counts_inodes_once(void **state)
{
	struct scratch *s = *state;
	static char data[200000];
	int64_t empty = usage(s->fd), one;
	uint32_t seed = 1;
	CTR__CLOSE int fd = openat(s->fd, "f", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	/* Nothing that a file system could compress. */
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (char)((seed = seed * 1103515245U + 12345U) >> 16);
	assert_int_equal(write(fd, data, sizeof(data)), sizeof(data));
	assert_int_equal(fsync(fd), 0);
	one = usage(s->fd);
	assert_true(one >= empty + (int64_t)sizeof(data));
	/* More names than the table starts with, of one inode. */
	for (int i = 0; i < 50; i++) {
		char name[32];

		snprintf(name, sizeof(name), "g%d", i);
		assert_int_equal(linkat(s->fd, "f", s->fd, name, 0), 0);
	}
	assert_true(usage(s->fd) < one + (int64_t)sizeof(data));
}

static void usage_of_many_hard_links(void **state)
{
	struct scratch *s = *state;
	int64_t before, after;

	for (int i = 0; i < 400; i++) {
		char name[32], other[32];

		snprintf(name, sizeof(name), "f%d", i);
		snprintf(other, sizeof(other), "l%d", i);
		put_file(s->fd, name, "content");
		assert_int_equal(linkat(s->fd, name, s->fd, other, 0), 0);
	}
	before = usage(s->fd);
	for (int i = 0; i < 400; i++) {
		char other[32];

		snprintf(other, sizeof(other), "l%d", i);
		assert_int_equal(unlinkat(s->fd, other, 0), 0);
	}
	after = usage(s->fd);
	assert_int_equal(before, after);
}

static void usage_stays_on_the_mount(void **state)
{
	struct scratch *s = *state;
	static char data[300000];
	char path[320], file[340];
	int64_t before;
	int fd;

	mkdirat(s->fd, "m", 0755);
	before = usage(s->fd);
	snprintf(path, sizeof(path), "%s/m", s->path);
	snprintf(file, sizeof(file), "%s/big", path);
	mount_tmpfs(path);
	fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, data, sizeof(data)), sizeof(data));
	close(fd);
	assert_true(usage(s->fd) <= before);
	assert_int_equal(umount2(path, MNT_DETACH), 0);
	assert_int_equal(ctr__tree_usage(-1, &before), -EBADF);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(mkdir_open_makes_parents),
	    TEST(mkdir_open_follows_links_on_the_way),
	    TEST(mkdir_open_fails),
	    TEST(mkdir_at),
	    TEST(remove_simple_things),
	    TEST(remove_a_deep_tree),
	    TEST(remove_a_wide_tree),
	    TEST(remove_stops_at_mounts),
	    TEST(remove_goes_on_after_failures),
	    TEST(clean_paths),
	    TEST(empty_directories),
	    TEST(real_path),
	    TEST(usage_counts_inodes_once),
	    TEST(usage_of_many_hard_links),
	    TEST(usage_stays_on_the_mount),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
