/* SPDX-License-Identifier: Apache-2.0 */
/* Mounts. */
#include "sys_test.h"

#include <sys/statvfs.h>

#include "sys/fd.h"
#include "sys/mount.h"

struct place {
	char path[300];
	char link[300];
};

static struct place make_place(struct scratch *s)
{
	struct place p;

	assert_int_equal(mkdirat(s->fd, "shm", 0755), 0);
	assert_int_equal(symlinkat("shm", s->fd, "link"), 0);
	snprintf(p.path, sizeof(p.path), "%s/shm", s->path);
	snprintf(p.link, sizeof(p.link), "%s/link", s->path);
	return p;
}

static void mount_points_are_recognised(void **state)
{
	struct scratch *s = *state;
	struct place p = make_place(s);
	char file[300];

	put_file(s->fd, "file", "");
	snprintf(file, sizeof(file), "%s/file", s->path);
	assert_int_equal(ctr__is_mount_point("/proc"), 1);
	assert_int_equal(ctr__is_mount_point("/"), 1);
	assert_int_equal(ctr__is_mount_point(p.path), 0);
	assert_int_equal(ctr__is_mount_point("/nonexistent/x"), 0);
	assert_int_equal(ctr__is_mount_point("/proc/self/status/x"), 0);
	/* A bind mount of the same file system, and one of a file. */
	assert_int_equal(mount("/dev/null", file, "none", MS_BIND, NULL), 0);
	assert_int_equal(mount(s->path, p.path, "none", MS_BIND, NULL), 0);
	assert_int_equal(ctr__is_mount_point(p.path), 1);
	assert_int_equal(ctr__is_mount_point(file), 1);
	assert_int_equal(ctr__is_mount_point(p.link), 0);
	assert_int_equal(ctr__unmount_all(p.path, NULL), 0);
	assert_int_equal(ctr__unmount_all(file, NULL), 0);
	assert_int_equal(ctr__is_mount_point(p.path), 0);
	assert_int_equal(ctr__is_mount_point(file), 0);
}

static void shm_is_as_asked_for(void **state)
{
	struct place p = make_place(*state);
	struct statvfs fs;
	struct stat st;
	int before = count_fds();

	assert_int_equal(ctr__mount_shm(p.path, 65536, NULL, 1234, 5678, NULL), 0);
	assert_int_equal(ctr__is_mount_point(p.path), 1);
	assert_int_equal(statvfs(p.path, &fs), 0);
	assert_true(fs.f_flag & ST_NOSUID);
	assert_true(fs.f_flag & ST_NODEV);
	assert_true(fs.f_flag & ST_NOEXEC);
	assert_int_equal(fs.f_blocks * fs.f_frsize, 65536);
	assert_int_equal(stat(p.path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 01777);
	assert_int_equal(st.st_uid, 1234);
	assert_int_equal(st.st_gid, 5678);
	assert_int_equal(ctr__unmount_all(p.path, NULL), 0);
	assert_int_equal(ctr__is_mount_point(p.path), 0);
	assert_int_equal(count_fds(), before);
}

static void shm_ignores_labels_without_selinux(void **state)
{
	struct place p = make_place(*state);

	if (access("/sys/fs/selinux/enforce", F_OK) < 0) {
		assert_int_equal(ctr__mount_shm(p.path, 4096, "a:b:c:s0:c1,c2", 0, 0, NULL), 0);
		assert_int_equal(ctr__unmount_all(p.path, NULL), 0);
	} else {
		/* An option of the mount must not come in with the label. */
		assert_int_equal(
		    ctr__mount_shm(p.path, 4096, "a:b:c:s0\",mode=777,x=\"", 0, 0, NULL),
		    CTR_E_INVALID);
	}
	assert_int_equal(ctr__is_mount_point(p.path), 0);
}

static void shm_is_refused(void **state)
{
	struct place p = make_place(*state);
	CTR__ERROR ctr_error_t *err = NULL;

	assert_int_equal(ctr__mount_shm(p.link, 4096, NULL, 0, 0, &err), CTR_E_SYSTEM);
	assert_int_equal(ctr_error_errno(err), ENOTDIR);
	assert_string_equal(ctr_error_get(err, "path"), p.link);
	assert_int_equal(ctr__mount_shm("/nonexistent/x", 4096, NULL, 0, 0, &err), CTR_E_SYSTEM);
	assert_int_equal(ctr_error_errno(err), ENOENT);
	/* 0 would be no limit at all. */
	assert_int_equal(ctr__mount_shm(p.path, 0, NULL, 0, 0, &err), CTR_E_INVALID);
	assert_int_equal(ctr__mount_shm(p.path, -1, NULL, 0, 0, &err), CTR_E_INVALID);
	assert_int_equal(ctr__is_mount_point(p.path), 0);
}

static void unmounts_the_whole_stack(void **state)
{
	struct scratch *s = *state;
	struct place p = make_place(s);
	char inner[320];
	CTR__CLOSE int busy = -1;

	for (int i = 0; i < 5; i++)
		assert_int_equal(ctr__mount_shm(p.path, 4096, NULL, 0, 0, NULL), 0);
	snprintf(inner, sizeof(inner), "%s/inner", p.path);
	assert_int_equal(mkdir(inner, 0755), 0);
	assert_int_equal(ctr__mount_shm(inner, 4096, NULL, 0, 0, NULL), 0);
	/* In use: goes away lazily. */
	busy = open(p.path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(ctr__unmount_all(p.path, NULL), 0);
	assert_int_equal(ctr__is_mount_point(p.path), 0);
	assert_false(exists_at(s->fd, "shm/inner"));
	assert_int_equal(ctr__unmount_all(p.path, NULL), 0);
	assert_int_equal(ctr__unmount_all("/nonexistent/x", NULL), 0);
}

static void unmounting_follows_no_link(void **state)
{
	struct place p = make_place(*state);

	assert_int_equal(ctr__mount_shm(p.path, 4096, NULL, 0, 0, NULL), 0);
	assert_int_equal(ctr__unmount_all(p.link, NULL), 0);
	assert_int_equal(ctr__is_mount_point(p.path), 1);
	assert_int_equal(ctr__unmount_all(p.path, NULL), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(mount_points_are_recognised),
	    TEST(shm_is_as_asked_for),
	    TEST(shm_ignores_labels_without_selinux),
	    TEST(shm_is_refused),
	    TEST(unmounts_the_whole_stack),
	    TEST(unmounting_follows_no_link),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
