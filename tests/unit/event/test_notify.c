/* SPDX-License-Identifier: Apache-2.0 */
/* The descriptor that tells of new events. */
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct dirs {
	char run[256], exits[300];
	int run_fd, exits_fd;
};

static int setup(void **state)
{
	struct dirs *d = calloc(1, sizeof(*d));
	const char *tmp = getenv("TMPDIR");

	if (!d)
		return -1;
	snprintf(d->run, sizeof(d->run), "%s/ctr-notify-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(d->run))
		return -1;
	snprintf(d->exits, sizeof(d->exits), "%s/exits", d->run);
	if (mkdir(d->exits, 0700) < 0)
		return -1;
	d->run_fd = open(d->run, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	d->exits_fd = open(d->exits, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = d;
	return d->run_fd < 0 || d->exits_fd < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	struct dirs *d = *state;
	int r;

	unlinkat(d->run_fd, CTR__NOTIFY_FILE, 0);
	unlinkat(d->exits_fd, "ctr", 0);
	unlinkat(d->exits_fd, "ctr.tmp", 0);
	rmdir(d->exits);
	r = rmdir(d->run);
	close(d->run_fd);
	close(d->exits_fd);
	free(d);
	return r;
}

static bool readable(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, 0) == 1 && (p.revents & POLLIN);
}

static void tells_of_a_touch(void **state)
{
	struct dirs *d = *state;
	int fd = ctr__notify_open(d->run, d->exits, NULL);
	int other = ctr__notify_open(d->run, NULL, NULL);
	int file = ctr__notify_file(d->run_fd);
	struct stat st;

	assert_true(fd >= 0 && other >= 0 && file >= 0);
	assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_int_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
	assert_int_equal(fcntl(file, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_int_equal(fstat(file, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);

	assert_false(readable(fd));
	for (int i = 0; i < 3; i++) {
		ctr__notify_touch(file);
		assert_true(readable(fd));
		assert_true(readable(other));
		ctr__notify_drain(fd);
		assert_false(readable(fd));
		assert_true(readable(other)); /* each has its own */
		ctr__notify_drain(other);
	}
	assert_int_equal(fstat(file, &st), 0);
	assert_int_equal(st.st_size, 1);
	close(file);
	close(other);
	close(fd);
}

static void drain_takes_any_number(void **state)
{
	struct dirs *d = *state;
	int fd = ctr__notify_open(d->run, d->exits, NULL);

	assert_true(fd >= 0);
	for (int i = 0; i < 1000; i++) {
		int file = openat(d->exits_fd, "ctr.tmp", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

		close(file);
		assert_int_equal(renameat(d->exits_fd, "ctr.tmp", d->exits_fd, "ctr"), 0);
		if (i % 2 == 0) /* of two equal ones in a row only one is kept */
			assert_int_equal(renameat(d->exits_fd, "ctr", d->exits_fd, "ctr.tmp"), 0);
	}
	assert_true(readable(fd));
	ctr__notify_drain(fd);
	assert_false(readable(fd));
	ctr__notify_drain(fd); /* does not block */
	close(fd);
}

static void tells_of_an_exit_file(void **state)
{
	struct dirs *d = *state;
	int fd = ctr__notify_open(d->run, d->exits, NULL);
	int file = openat(d->exits_fd, "ctr.tmp", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0 && file >= 0);
	close(file);
	assert_false(readable(fd));
	assert_int_equal(renameat(d->exits_fd, "ctr.tmp", d->exits_fd, "ctr"), 0);
	assert_true(readable(fd));
	close(fd);
}

static void tells_of_a_wiped_run_root(void **state)
{
	struct dirs *d = *state;
	int fd = ctr__notify_open(d->run, d->exits, NULL);

	assert_true(fd >= 0);
	assert_int_equal(unlinkat(d->run_fd, CTR__NOTIFY_FILE, 0), 0);
	assert_true(readable(fd));
	close(fd);
}

static void errors_name_the_path(void **state)
{
	struct dirs *d = *state;
	ctr_error_t *err CTR__ERROR = NULL;

	assert_int_equal(ctr__notify_open("/nonexistent/run", NULL, &err), CTR_E_SYSTEM);
	assert_int_equal(ctr_error_errno(err), ENOENT);
	assert_string_equal(ctr_error_get(err, "path"), "/nonexistent/run");
	assert_int_equal(ctr__notify_open(d->run, "/nonexistent/exits", &err), CTR_E_SYSTEM);
	assert_int_equal(ctr_error_errno(err), ENOENT);
	assert_string_equal(ctr_error_get(err, "path"), "/nonexistent/exits");
}

static void follows_no_links(void **state)
{
	struct dirs *d = *state;
	ctr_error_t *err CTR__ERROR = NULL;

	assert_int_equal(symlinkat("exits/ctr", d->run_fd, CTR__NOTIFY_FILE), 0);
	assert_true(ctr__notify_open(d->run, d->exits, &err) < 0);
	assert_int_equal(ctr_error_errno(err), ELOOP);
	assert_int_equal(faccessat(d->exits_fd, "ctr", F_OK, 0), -1);
}

/* As a user of its own, who has all instances to himself. */
static void no_instance_left_child(const struct dirs *d)
{
	const uid_t user = 54321;
	ctr_error_t *err = NULL;
	int r;

	if (fchown(d->run_fd, user, (gid_t)-1) < 0 || setresuid(user, user, user) < 0)
		_exit(1);
	do {
		r = ctr__notify_open(d->run, NULL, &err);
	} while (r >= 0);
	fprintf(stderr, "%s\n", ctr_error_message(err));
	if (r != CTR_E_SYSTEM || ctr_error_errno(err) != EMFILE)
		_exit(2);
	if (!strstr(ctr_error_message(err), "128") ||
	    !strstr(ctr_error_message(err), "max_user_instances"))
		_exit(3);
	ctr_error_free(err);
	_exit(0);
}

static void no_instance_left(void **state)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		no_instance_left_child(*state);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(tells_of_a_touch),
	    TEST(drain_takes_any_number),
	    TEST(tells_of_an_exit_file),
	    TEST(tells_of_a_wiped_run_root),
	    TEST(errors_name_the_path),
	    TEST(follows_no_links),
	    TEST(no_instance_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
