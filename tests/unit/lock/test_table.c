/* SPDX-License-Identifier: Apache-2.0 */
/* The file of the lock table: making, checking, refusing; stamps. */
#include "fixture.h"

#include <sched.h>
#include <sys/mount.h>
#include <time.h>

static void expect_refused(const struct run_root *r, int code, const char *words)
{
	ctr_error_t *err CTR__ERROR = NULL;
	struct ctr__locks *l = (void *)1;
	bool stale = true;

	assert_int_equal(ctr__locks_open(r->fd, true, &l, &stale, &err), code);
	assert_int_equal(ctr_error_code(err), code);
	assert_null(l);
	assert_false(stale);
	if (!strstr(ctr_error_message(err), words))
		fail_msg("\"%s\" does not say \"%s\"", ctr_error_message(err), words);
}

static void write_file(const struct run_root *r, const char *name, const void *data, size_t len)
{
	int fd = openat(r->fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), (ssize_t)len);
	close(fd);
}

/* A table whose header says something else at `offset`. */
static void patch(const struct run_root *r, size_t offset, const void *data, size_t len)
{
	int fd = openat(r->fd, CTR__LOCKS_FILE, O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, data, len, (off_t)offset), (ssize_t)len);
	close(fd);
}

static void makes_a_complete_file(void **state)
{
	struct run_root *r = *state;
	struct ctr__locks *l;
	struct stat st;
	mode_t mask = umask(0777);

	l = open_locks(r);
	umask(mask);
	assert_int_equal(fstatat(r->fd, CTR__LOCKS_FILE, &st, 0), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_size, CTR__LOCKS_HEADER_SIZE);
	assert_true(st.st_blocks * 512 >= CTR__LOCKS_HEADER_SIZE);
	assert_int_equal(fcntl(l->fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_int_equal(faccessat(r->fd, CTR__LOCKS_TEMPORARY, F_OK, 0), -1);
	ctr__locks_close(l);
}

static void absent_without_create(void **state)
{
	struct run_root *r = *state;
	ctr_error_t *err CTR__ERROR = NULL;
	struct ctr__locks *l;
	bool stale;

	assert_int_equal(ctr__locks_open(r->fd, false, &l, &stale, &err), CTR_E_STORE_CORRUPT);
	assert_null(l);
	assert_int_equal(faccessat(r->fd, CTR__LOCKS_FILE, F_OK, 0), -1);
}

static void opens_share_one_table(void **state)
{
	struct run_root *r = *state;
	struct ctr__locks *a = open_locks(r), *b = open_locks(r);
	struct ctr__slot *sa, *sb;

	assert_int_equal(ctr__locks_slot(a, 7, &sa, NULL), 0);
	assert_int_equal(ctr__locks_slot(b, 7, &sb, NULL), 0);
	assert_ptr_not_equal(sa, sb);
	atomic_store(&sa->gen, 42);
	assert_int_equal(atomic_load(&sb->gen), 42);
	ctr__locks_close(a);
	ctr__locks_close(b);
}

static void leftover_of_a_killed_maker(void **state)
{
	struct run_root *r = *state;
	struct ctr__locks *l;

	write_file(r, CTR__LOCKS_TEMPORARY, "half", 4);
	l = open_locks(r);
	assert_int_equal(faccessat(r->fd, CTR__LOCKS_TEMPORARY, F_OK, 0), -1);
	ctr__locks_close(l);
}

/* Makes the table again and again until it is killed. */
static void make_child(const struct run_root *r, int ready)
{
	signal_peer(ready);
	for (;;) {
		struct ctr__locks *l;
		bool stale;

		CHILD_CHECK(ctr__locks_open(r->fd, true, &l, &stale, NULL) == 0 && !stale);
		ctr__locks_close(l);
		CHILD_CHECK(unlinkat(r->fd, CTR__LOCKS_FILE, 0) == 0);
	}
}

static void killed_while_making(void **state)
{
	struct run_root *r = *state;
	unsigned int seed = 1;

	for (int try = 0; try < 200; try++) {
		int ready[2];
		pid_t pid;

		assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
		pid = fork();
		if (pid == 0)
			make_child(r, ready[1]);
		await_peer(ready[0]);
		/* A random moment of its work; every moment must do. */
		nanosleep(&(struct timespec){.tv_nsec = rand_r(&seed) % 500000}, NULL);
		kill_and_reap(pid);
		ctr__locks_close(open_locks(r));
		unlinkat(r->fd, CTR__LOCKS_FILE, 0);
		unlinkat(r->fd, CTR__LOCKS_TEMPORARY, 0);
		close(ready[0]);
		close(ready[1]);
	}
}

static void refuses_other_files(void **state)
{
	struct run_root *r = *state;
	char zeros[CTR__LOCKS_HEADER_SIZE] = {0};

	write_file(r, CTR__LOCKS_FILE, "", 0);
	expect_refused(r, CTR_E_STORE_FOREIGN, "not a lock table");
	write_file(r, CTR__LOCKS_FILE, "hello", 5);
	expect_refused(r, CTR_E_STORE_FOREIGN, "not a lock table");
	write_file(r, CTR__LOCKS_FILE, zeros, sizeof(zeros));
	expect_refused(r, CTR_E_STORE_FOREIGN, "not a lock table");

	unlinkat(r->fd, CTR__LOCKS_FILE, 0);
	assert_int_equal(mkdirat(r->fd, CTR__LOCKS_FILE, 0700), 0);
	expect_refused(r, CTR_E_STORE_FOREIGN, "not a file");
	unlinkat(r->fd, CTR__LOCKS_FILE, AT_REMOVEDIR);
	assert_int_equal(mkfifoat(r->fd, CTR__LOCKS_FILE, 0600), 0);
	expect_refused(r, CTR_E_STORE_FOREIGN, "not a file");
	unlinkat(r->fd, CTR__LOCKS_FILE, 0);
	assert_int_equal(symlinkat("/dev/zero", r->fd, CTR__LOCKS_FILE), 0);
	expect_refused(r, CTR_E_STORE_FOREIGN, "not a file");
}

static void refuses_damage(void **state)
{
	struct run_root *r = *state;
	char path[512];

	ctr__locks_close(open_locks(r));
	snprintf(path, sizeof(path), "%s/%s", r->path, CTR__LOCKS_FILE);
	assert_int_equal(truncate(path, CTR__LOCKS_HEADER_SIZE - 1), 0);
	expect_refused(r, CTR_E_STORE_CORRUPT, "cut off");
	assert_int_equal(truncate(path, 50), 0);
	expect_refused(r, CTR_E_STORE_CORRUPT, "damaged");
	assert_int_equal(truncate(path, 10), 0);
	expect_refused(r, CTR_E_STORE_FOREIGN, "not a lock table");
}

static void refuses_other_users(void **state)
{
	struct run_root *r = *state;

	ctr__locks_close(open_locks(r));
	assert_int_equal(fchmodat(r->fd, CTR__LOCKS_FILE, 0660, 0), 0);
	expect_refused(r, CTR_E_STORE_FOREIGN, "other users");
	assert_int_equal(fchmodat(r->fd, CTR__LOCKS_FILE, 0600, 0), 0);
	assert_int_equal(fchownat(r->fd, CTR__LOCKS_FILE, 12345, 0, 0), 0);
	expect_refused(r, CTR_E_STORE_FOREIGN, "user 12345");
}

static void refuses_other_layouts(void **state)
{
	struct run_root *r = *state;
	uint32_t version = CTR__LOCKS_VERSION + 1;
	uint32_t mutex_size = sizeof(pthread_mutex_t) - 16;

	ctr__locks_close(open_locks(r));
	patch(r, offsetof(struct ctr__locks_ident, version), &version, sizeof(version));
	expect_refused(r, CTR_E_STORE_NEWER, "layout 2");
	version = 0;
	patch(r, offsetof(struct ctr__locks_ident, version), &version, sizeof(version));
	expect_refused(r, CTR_E_STORE_CORRUPT, "damaged");
	version = CTR__LOCKS_VERSION;
	patch(r, offsetof(struct ctr__locks_ident, version), &version, sizeof(version));
	patch(
	    r, offsetof(struct ctr__locks_ident, abi.mutex_size), &mutex_size, sizeof(mutex_size));
	expect_refused(r, CTR_E_STORE_FOREIGN, "mutex of 24 bytes");
}

static void earlier_boot_is_stale(void **state)
{
	struct run_root *r = *state;
	ctr_error_t *err CTR__ERROR = NULL;
	struct ctr__locks *l;
	bool stale;

	ctr__locks_close(open_locks(r));
	patch(r, offsetof(struct ctr__locks_ident, boot_id), "00000000", 8);
	assert_int_equal(ctr__locks_open(r->fd, true, &l, &stale, &err), 0);
	assert_true(stale);
	assert_null(l);
	/* The store then removes it and asks again. */
	unlinkat(r->fd, CTR__LOCKS_FILE, 0);
	ctr__locks_close(open_locks(r));
}

static pid_t in_new_pid_namespace(void (*fn)(void *), void *arg)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	CHILD_CHECK(unshare(CLONE_NEWPID) == 0);
	pid = fork();
	CHILD_CHECK(pid >= 0);
	if (pid == 0) {
		fn(arg);
		_exit(0);
	} else {
		int status;

		CHILD_CHECK(waitpid(pid, &status, 0) == pid);
		_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 9);
	}
}

static void open_is_foreign(void *arg)
{
	struct run_root *r = arg;
	ctr_error_t *err = NULL;
	struct ctr__locks *l;
	bool stale;

	CHILD_CHECK(getpid() == 1);
	CHILD_CHECK(ctr__locks_open(r->fd, true, &l, &stale, &err) == CTR_E_STORE_FOREIGN);
	CHILD_CHECK(!l && !stale);
	CHILD_CHECK(strstr(ctr_error_message(err), "PID namespace"));
	ctr_error_free(err);
}

static void refuses_other_pid_namespace(void **state)
{
	struct run_root *r = *state;

	ctr__locks_close(open_locks(r));
	assert_exits_0(in_new_pid_namespace(open_is_foreign, r));
	ctr__locks_close(open_locks(r));
}

static void fill(const char *path, off_t leave)
{
	char block[4096] = {0};
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	struct stat st;

	CHILD_CHECK(fd >= 0);
	while (write(fd, block, sizeof(block)) > 0)
		;
	CHILD_CHECK(fstat(fd, &st) == 0);
	CHILD_CHECK(ftruncate(fd, st.st_size - leave) == 0);
	close(fd);
}

/* In a process of its own: neither the mount nor a SIGBUS may reach the others. */
static void full_file_system_child(const char *dir)
{
	char path[512];
	struct run_root r;
	ctr_error_t *err = NULL;
	struct ctr__locks *l;
	struct ctr__slot *s;
	bool stale, died;

	CHILD_CHECK(unshare(CLONE_NEWNS) == 0);
	CHILD_CHECK(mount("none", "/", "none", MS_REC | MS_PRIVATE, "") == 0);
	CHILD_CHECK(mount("tmpfs", dir, "tmpfs", 0, "size=1m") == 0);
	r.fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	snprintf(path, sizeof(path), "%s/filler", dir);

	fill(path, 0);
	CHILD_CHECK(ctr__locks_open(r.fd, true, &l, &stale, &err) == CTR_E_STORE_FULL);
	CHILD_CHECK(faccessat(r.fd, CTR__LOCKS_FILE, F_OK, 0) < 0);
	CHILD_CHECK(faccessat(r.fd, CTR__LOCKS_TEMPORARY, F_OK, 0) < 0);
	ctr_error_freep(&err);

	/* Room for the header and half a chunk. */
	fill(path, (off_t)(CTR__LOCKS_HEADER_SIZE + CTR__CHUNK_SIZE / 2));
	CHILD_CHECK(ctr__locks_open(r.fd, true, &l, &stale, &err) == 0);
	CHILD_CHECK(ctr__locks_slot(l, 0, &s, &err) == CTR_E_STORE_FULL);
	CHILD_CHECK(ctr_error_errno(err) == ENOSPC);
	ctr_error_freep(&err);

	CHILD_CHECK(unlinkat(r.fd, "filler", 0) == 0);
	CHILD_CHECK(ctr__locks_slot(l, 0, &s, &err) == 0);
	fill(path, 0);
	for (uint32_t i = 0; i < CTR__SLOTS_PER_CHUNK; i++) {
		CHILD_CHECK(ctr__slot_lock(&s[i], 0, NULL, &died, &err) == 0);
		ctr__slot_unlock(&s[i]);
	}
	CHILD_CHECK(ctr__locks_slot(l, CTR__SLOTS_MAX - 1, &s, &err) == CTR_E_STORE_FULL);
	ctr_error_free(err);
	ctr__locks_close(l);
	_exit(0);
}

static void full_file_system(void **state)
{
	struct run_root *r = *state;
	pid_t pid = fork();

	if (pid == 0)
		full_file_system_child(r->path);
	assert_exits_0(pid);
}

static void attached_until_unlinked(void **state)
{
	struct run_root *r = *state;
	struct ctr__locks *l = open_locks(r);
	int fd;

	assert_true(ctr__locks_attached(l));
	unlinkat(r->fd, CTR__LOCKS_FILE, 0);
	assert_false(ctr__locks_attached(l));
	ctr__locks_close(l);

	/* The host closes our descriptor, and its number becomes another file. */
	l = open_locks(r);
	assert_true(ctr__locks_attached(l));
	fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	assert_true(dup3(fd, l->fd, O_CLOEXEC) >= 0);
	close(fd);
	assert_false(ctr__locks_attached(l));
	ctr__locks_close(l);
}

static void stamps_grow(void **state)
{
	struct run_root *r = *state;
	struct ctr__locks *a = open_locks(r), *b = open_locks(r);

	assert_int_equal(ctr__locks_next_stamp(a), 1);
	assert_int_equal(ctr__locks_next_stamp(b), 2);
	ctr__locks_raise_stamp(a, 100);
	assert_int_equal(ctr__locks_next_stamp(b), 101);
	ctr__locks_raise_stamp(b, 5);
	assert_int_equal(ctr__locks_next_stamp(a), 102);
	ctr__locks_raise_stamp(a, UINT64_MAX); /* only damage has it */
	assert_int_equal(ctr__locks_next_stamp(a), 103);
	ctr__locks_close(a);
	ctr__locks_close(b);
}

static void stamps_are_unique_across_processes(void **state)
{
	enum { N = 20000 };
	struct run_root *r = *state;
	struct ctr__locks *l = open_locks(r);
	uint64_t last = 0;
	pid_t pid = fork();

	if (pid == 0) {
		struct ctr__locks *mine = NULL;
		bool stale;

		CHILD_CHECK(ctr__locks_open(r->fd, false, &mine, &stale, NULL) == 0);
		for (int i = 0; i < N; i++)
			ctr__locks_next_stamp(mine);
		ctr__locks_close(mine);
		_exit(0);
	}
	for (int i = 0; i < N; i++) {
		uint64_t stamp = ctr__locks_next_stamp(l);

		assert_true(stamp > last);
		last = stamp;
	}
	assert_exits_0(pid);
	assert_int_equal(ctr__locks_next_stamp(l), 2 * N + 1);
	ctr__locks_close(l);
}

static void close_in_a_child_does_nothing(void **state)
{
	struct run_root *r = *state;
	struct ctr__locks *l = open_locks(r);
	pid_t pid = fork();

	if (pid == 0) {
		ctr__locks_close(l);
		CHILD_CHECK(ctr__locks_attached(l));
		_exit(0);
	}
	assert_exits_0(pid);
	assert_true(ctr__locks_attached(l));
	ctr__locks_close(l);
	ctr__locks_close(NULL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(makes_a_complete_file),
	    TEST(absent_without_create),
	    TEST(opens_share_one_table),
	    TEST(leftover_of_a_killed_maker),
	    TEST(killed_while_making),
	    TEST(refuses_other_files),
	    TEST(refuses_damage),
	    TEST(refuses_other_users),
	    TEST(refuses_other_layouts),
	    TEST(earlier_boot_is_stale),
	    TEST(refuses_other_pid_namespace),
	    TEST(full_file_system),
	    TEST(attached_until_unlinked),
	    TEST(stamps_grow),
	    TEST(stamps_are_unique_across_processes),
	    TEST(close_in_a_child_does_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
