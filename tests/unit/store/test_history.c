/* SPDX-License-Identifier: Apache-2.0 */
/* What a reboot must not forget of a container. */
#include "store_test.h"

#define ID "c1"

static void path_of(struct fx *f, char path[512])
{
	snprintf(path, 512, "%s/containers/" ID "/history", f->root);
}

static void write_state(struct fx *f, int32_t code, bool exited)
{
	struct ctr__state st;

	ctr__state_init(&st, CTR_STATE_STOPPED);
	st.ever_started = true;
	st.exited = exited;
	st.stopped_by_user = true;
	st.oom_killed = true;
	st.exit_code = code;
	st.started_ns = 100;
	st.finished_ns = 200;
	assert_int_equal(ctr__history_write(f->s, ID, &st), 0);
}

static void read_state(struct fx *f, int found, struct ctr__state *st)
{
	ctr__state_init(st, CTR_STATE_CONFIGURED);
	assert_int_equal(ctr__history_read(f->s, ID, st), found);
}

static void it_comes_back(void **state)
{
	struct fx *f = *state;
	struct ctr__state st;
	struct stat sb;
	char path[512];

	read_state(f, 0, &st);
	assert_int_equal(st.state, CTR_STATE_CONFIGURED);
	write_state(f, 3, true);
	read_state(f, 1, &st);
	assert_int_equal(st.state, CTR_STATE_EXITED);
	assert_true(st.ever_started && st.exited && st.stopped_by_user && st.oom_killed);
	assert_int_equal(st.exit_code, 3);
	assert_int_equal(st.started_ns, 100);
	assert_int_equal(st.finished_ns, 200);
	for (int32_t code = 0; code < 20; code++) {
		write_state(f, code, true);
		read_state(f, 1, &st);
		assert_int_equal(st.exit_code, code);
	}
	path_of(f, path);
	assert_int_equal(stat(path, &sb), 0);
	assert_int_equal(sb.st_size, 256);
	assert_int_equal(sb.st_mode & 07777, 0600);
}

static void never_started_stays_configured(void **state)
{
	struct fx *f = *state;
	struct ctr__state st;

	ctr__state_init(&st, CTR_STATE_CREATED);
	assert_int_equal(ctr__history_write(f->s, ID, &st), 0);
	read_state(f, 1, &st);
	assert_int_equal(st.state, CTR_STATE_CONFIGURED);
	assert_false(st.exited);
}

static void an_end_that_nobody_saw_has_no_code(void **state)
{
	struct ctr__state st;

	write_state(*state, 0, false);
	read_state(*state, 1, &st);
	assert_int_equal(st.state, CTR_STATE_EXITED);
	assert_true(st.exited);
	assert_int_equal(st.exit_code, -1);
}

/* Whatever happens to the slot that is being written, the one before is there. */
static void an_interrupted_write_leaves_the_one_before(void **state)
{
	struct fx *f = *state;
	struct ctr__state st;
	char path[512];
	CTR__CLOSE int fd = -1;

	write_state(f, 1, true);
	write_state(f, 2, true); /* in the second slot */
	path_of(f, path);
	fd = open(path, O_RDWR | O_CLOEXEC);
	for (off_t at = 128; at < 256; at++) {
		unsigned char byte, wrong;

		assert_int_equal(pread(fd, &byte, 1, at), 1);
		wrong = byte ^ 0x10;
		assert_int_equal(pwrite(fd, &wrong, 1, at), 1);
		read_state(f, 1, &st);
		assert_int_equal(st.exit_code, 1);
		assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	}
	read_state(f, 1, &st);
	assert_int_equal(st.exit_code, 2);
	/* Cut off: also when it is being made. */
	assert_int_equal(ftruncate(fd, 200), 0);
	read_state(f, 1, &st);
	assert_int_equal(st.exit_code, 1);
	assert_int_equal(ftruncate(fd, 100), 0);
	read_state(f, 0, &st);
	assert_int_equal(ftruncate(fd, 0), 0);
	read_state(f, 0, &st);
	write_state(f, 9, true);
	read_state(f, 1, &st);
	assert_int_equal(st.exit_code, 9);
}

static void odd_ids_and_files_are_refused(void **state)
{
	struct fx *f = *state;
	struct ctr__state st;
	char path[512];

	ctr__state_init(&st, CTR_STATE_STOPPED);
	assert_int_equal(ctr__history_write(f->s, "../x", &st), -EINVAL);
	assert_int_equal(ctr__history_write(f->s, "", &st), -EINVAL);
	assert_int_equal(ctr__history_read(f->s, "../x", &st), 0);
	assert_int_equal(ctr__history_read(f->s, NULL, &st), 0);
	write_state(f, 1, true);
	path_of(f, path);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	read_state(f, 0, &st);
	assert_true(ctr__history_write(f->s, ID, &st) < 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	read_state(f, 0, &st);
	assert_int_equal(ctr__history_write(f->s, ID, &st), -ELOOP);
}

static void a_new_container_has_no_history(void **state)
{
	struct fx *f = *state;
	struct ctr__state st;

	write_state(f, 1, true);
	add(f, ID, "one", "");
	read_state(f, 0, &st);
	write_state(f, 2, true);
	/* An attempt that fails changes nothing. */
	FAILS(CTR_E_CTR_EXISTS, try_add(f, ID, "two", "", NULL, err));
	read_state(f, 1, &st);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(it_comes_back),
	    TEST(never_started_stays_configured),
	    TEST(an_end_that_nobody_saw_has_no_code),
	    TEST(an_interrupted_write_leaves_the_one_before),
	    TEST(odd_ids_and_files_are_refused),
	    TEST(a_new_container_has_no_history),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
