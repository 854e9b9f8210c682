/* SPDX-License-Identifier: Apache-2.0 */
/* Walking a tree. */
#include "sys_test.h"

#include "sys/tree.h"

/* What a walk met. */
struct log {
	struct scratch *s;
	int files, entered, left;
	char order[256];
};

static int log_entry(int dirfd, const char *name, unsigned char type, void *userdata)
{
	struct log *l = userdata;

	(void)dirfd;
	if (type == DT_DIR)
		return 1;
	l->files++;
	return strcmp(name, "bad") == 0 ? -EIO : 0;
}

static int log_enter(int fd, void *userdata)
{
	struct log *l = userdata;

	assert_true(fd >= 0);
	l->entered++;
	return 0;
}

static int log_leave(int parentfd, const char *name, void *userdata)
{
	struct log *l = userdata;

	assert_true(exists_at(parentfd, name));
	assert_true(strlen(l->order) + strlen(name) + 2 < sizeof(l->order));
	strcat(strcat(l->order, name), " ");
	l->left++;
	return 0;
}

static int walk(struct scratch *s, struct log *l)
{
	struct ctr__tree_ops ops = {
	    .entry = log_entry, .enter = log_enter, .leave = log_leave, .userdata = l};
	CTR__CLOSE int fd = ctr__open_dir_at(s->fd, ".");

	return ctr__tree_walk(fd, &ops);
}

static void visits_everything_once(void **state)
{
	struct log l = {0};
	struct scratch *s = *state;

	mkdirat(s->fd, "a", 0755);
	mkdirat(s->fd, "a/b", 0755);
	mkdirat(s->fd, "a/b/c", 0755);
	put_file(s->fd, "a/b/c/f", "");
	put_file(s->fd, "a/g", "");
	assert_int_equal(symlinkat("..", s->fd, "a/link"), 0);
	assert_int_equal(walk(s, &l), 0);
	assert_int_equal(l.files, 3);
	assert_int_equal(l.entered, 4);
	assert_string_equal(l.order, "c b a ");
}

static void goes_on_after_a_failure(void **state)
{
	struct log l = {0};
	struct scratch *s = *state;

	put_file(s->fd, "bad", "");
	mkdirat(s->fd, "d", 0755);
	put_file(s->fd, "d/bad", "");
	put_file(s->fd, "d/good", "");
	assert_int_equal(walk(s, &l), -EIO);
	assert_int_equal(l.files, 3);
	assert_int_equal(l.left, 1);
}

/* Moves the directory it is called in to somewhere else, so that ".." leads there. */
static int move_away(int dirfd, const char *name, unsigned char type, void *userdata)
{
	struct log *l = userdata;

	(void)dirfd;
	if (type == DT_DIR)
		return 1;
	if (strcmp(name, "trigger") == 0)
		assert_int_equal(renameat(l->s->fd, "tree/one/two", l->s->fd, "elsewhere/two"), 0);
	return 0;
}

static int count_leave(int parentfd, const char *name, void *userdata)
{
	(void)parentfd;
	(void)name;
	((struct log *)userdata)->left++;
	return 0;
}

static void stops_when_moved(void **state)
{
	struct log l = {.s = *state};
	struct ctr__tree_ops ops = {.entry = move_away, .leave = count_leave, .userdata = &l};
	CTR__CLOSE int fd = -1;

	mkdirat(l.s->fd, "elsewhere", 0755);
	mkdirat(l.s->fd, "tree", 0755);
	mkdirat(l.s->fd, "tree/one", 0755);
	mkdirat(l.s->fd, "tree/one/two", 0755);
	put_file(l.s->fd, "tree/one/two/trigger", "");
	fd = ctr__open_dir_at(l.s->fd, "tree");
	assert_int_equal(ctr__tree_walk(fd, &ops), -ESTALE);
	/* Nothing was done in a place that is not of the tree. */
	assert_int_equal(l.left, 0);
}

static void a_link_is_not_opened(void **state)
{
	struct scratch *s = *state;

	assert_int_equal(symlinkat("/", s->fd, "link"), 0);
	assert_int_equal(ctr__open_dir_at(s->fd, "link"), -ENOTDIR);
	assert_int_equal(ctr__open_dir_at(s->fd, "none"), -ENOENT);
}

static void tells_mounts(void **state)
{
	struct scratch *s = *state;
	CTR__CLOSE int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CTR__CLOSE int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CTR__CLOSE int self = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CTR__CLOSE int sub = -1;

	mkdirat(s->fd, "sub", 0755);
	sub = ctr__open_dir_at(s->fd, "sub");
	assert_true(ctr__crosses_mount(root, proc));
	assert_false(ctr__crosses_mount(proc, self));
	assert_false(ctr__crosses_mount(s->fd, sub));
	assert_true(ctr__crosses_mount(s->fd, -1));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(visits_everything_once),
	    TEST(goes_on_after_a_failure),
	    TEST(stops_when_moved),
	    TEST(a_link_is_not_opened),
	    TEST(tells_mounts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
