/* SPDX-License-Identifier: Apache-2.0 */
/* The storage driver "rootfs". */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "storage/storage.h"
#include "sys/path.h"
#include "util/cleanup.h"
#include "util/str.h"

struct fixture {
	struct ctr__storage *driver;
	char *base;      /* real path of a temporary directory */
	char path[4096]; /* what mount said                    */
};

static char *below(const struct fixture *f, const char *name)
{
	char *p = ctr__path_join(f->base, name);

	assert_non_null(p);
	return p;
}

static int set_up(void **state)
{
	struct fixture *f = test_calloc(1, sizeof(*f));
	const char *tmp = getenv("TMPDIR");
	CTR__FREE char *template = ctr__format("%s/ctr-rootfs-XXXXXX", tmp ? tmp : "/tmp");

	assert_non_null(mkdtemp(template));
	assert_non_null(f->base = ctr__realpath(template));
	assert_int_equal(ctr__storage_rootfs_new(&f->driver, NULL), 0);
	CTR__FREE char *dir = below(f, "dir"), *file = below(f, "file"), *link = below(f, "link");
	assert_int_equal(mkdir(dir, 0755), 0);
	CTR__CLOSE int fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(symlink("dir", link), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	char *slash = strrchr(f->base, '/');

	*slash = '\0';
	CTR__CLOSE int parent = open(*f->base ? f->base : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = ctr__remove_tree_at(parent, slash + 1);
	ctr__storage_free(f->driver);
	free(f->base);
	test_free(f);
	return r;
}

static int mount_it(struct fixture *f, const char *rootfs, ctr_error_t **err)
{
	const struct ctr_storage_container c = {.size = sizeof(c), .id = "1", .rootfs = rootfs};

	return f->driver->ops.mount(f->driver->impl, &c, f->path, sizeof(f->path), err);
}

static int validate(struct fixture *f, const char *rootfs, ctr_error_t **err)
{
	const struct ctr_storage_container c = {.size = sizeof(c), .id = "1", .rootfs = rootfs};

	return f->driver->ops.validate(f->driver->impl, &c, err);
}

static void test_name(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(f->driver->name, "rootfs");
	assert_null(f->driver->ops.remove); /* the directory is never deleted */
}

static void test_mount_gives_the_real_path(void **state)
{
	struct fixture *f = *state;
	CTR__FREE char *dir = below(f, "dir"), *link = below(f, "link"),
	               *odd = below(f, "./dir/../link/");

	assert_int_equal(validate(f, dir, NULL), 0);
	assert_int_equal(mount_it(f, dir, NULL), 0);
	assert_string_equal(f->path, dir);
	assert_int_equal(mount_it(f, link, NULL), 0);
	assert_string_equal(f->path, dir);
	assert_int_equal(mount_it(f, odd, NULL), 0);
	assert_string_equal(f->path, dir);
}

static void assert_refused(struct fixture *f, const char *rootfs, int code)
{
	CTR__ERROR ctr_error_t *e = NULL;

	memset(f->path, 'x', 2);
	assert_int_equal(validate(f, rootfs, &e), code);
	assert_int_equal(ctr_error_code(e), code);
	assert_string_equal(ctr_error_get(e, "path"), rootfs ? rootfs : "");
	assert_int_equal(mount_it(f, rootfs, NULL), code);
	assert_int_equal(f->path[0], 'x');
}

static void test_bad_directories(void **state)
{
	struct fixture *f = *state;
	CTR__FREE char *absent = below(f, "absent"), *file = below(f, "file"),
	               *in_file = below(f, "file/x"), *to_root = below(f, "to_root"),
	               *loop = below(f, "loop");

	assert_int_equal(symlink("/", to_root), 0);
	assert_int_equal(symlink("loop", loop), 0);
	assert_refused(f, NULL, CTR_E_INVALID);
	assert_refused(f, "", CTR_E_INVALID);
	assert_refused(f, "tmp", CTR_E_INVALID);
	assert_refused(f, absent, CTR_E_STORAGE);
	assert_refused(f, file, CTR_E_STORAGE);
	assert_refused(f, in_file, CTR_E_STORAGE);
	assert_refused(f, loop, CTR_E_SYSTEM);
	assert_refused(f, "/", CTR_E_INVALID);
	assert_refused(f, "/tmp/..", CTR_E_INVALID);
	assert_refused(f, to_root, CTR_E_INVALID);
	assert_refused(f, "/proc/self/root", CTR_E_INVALID);
}

static void test_small_buffer(void **state)
{
	struct fixture *f = *state;
	CTR__FREE char *dir = below(f, "dir");
	const struct ctr_storage_container c = {.size = sizeof(c), .rootfs = dir};
	size_t fits = strlen(dir) + 1;

	assert_int_equal(
	    f->driver->ops.mount(f->driver->impl, &c, f->path, fits - 1, NULL), CTR_E_STORAGE);
	assert_int_equal(f->driver->ops.mount(f->driver->impl, &c, f->path, fits, NULL), 0);
}

static void test_unmount_is_always_fine(void **state)
{
	struct fixture *f = *state;
	CTR__FREE char *dir = below(f, "dir"), *absent = below(f, "absent");
	const struct ctr_storage_container there = {.size = sizeof(there), .rootfs = dir};
	const struct ctr_storage_container gone = {.size = sizeof(gone), .rootfs = absent};
	struct stat st;

	assert_int_equal(f->driver->ops.unmount(f->driver->impl, &there, NULL), 0);
	assert_int_equal(f->driver->ops.unmount(f->driver->impl, &there, NULL), 0);
	assert_int_equal(f->driver->ops.unmount(f->driver->impl, &gone, NULL), 0);
	assert_int_equal(stat(dir, &st), 0);
}

static void test_usage(void **state)
{
	struct fixture *f = *state;
	CTR__FREE char *dir = below(f, "dir"), *big = below(f, "dir/big"), *gone = below(f, "gone");
	const struct ctr_storage_container c = {.size = sizeof(c), .rootfs = dir};
	const struct ctr_storage_container absent = {.size = sizeof(absent), .rootfs = gone};
	static const char block[65536] = {1};
	int64_t before = -1, after = -1, rw = -1;

	assert_int_equal(f->driver->ops.usage(f->driver->impl, &c, &before, &rw, NULL), 0);
	assert_int_equal(rw, 0);
	CTR__CLOSE int fd = open(big, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, block, sizeof(block)), sizeof(block));
	assert_int_equal(fsync(fd), 0); /* else its blocks may not be counted yet */
	assert_int_equal(f->driver->ops.usage(f->driver->impl, &c, &after, &rw, NULL), 0);
	assert_true(after - before >= (int64_t)sizeof(block));
	assert_int_equal(rw, 0);
	after = -1;
	assert_int_equal(
	    f->driver->ops.usage(f->driver->impl, &absent, &after, &rw, NULL), CTR_E_STORAGE);
	assert_int_equal(after, -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_name),
	    TEST(test_mount_gives_the_real_path),
	    TEST(test_bad_directories),
	    TEST(test_small_buffer),
	    TEST(test_unmount_is_always_fine),
	    TEST(test_usage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
