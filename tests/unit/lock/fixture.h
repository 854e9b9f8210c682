/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the lock table share: a temporary run root, child processes. */
#ifndef LIBCTR_TEST_LOCK_FIXTURE_H
#define LIBCTR_TEST_LOCK_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lock/table.h"
#include "util/cleanup.h"

struct run_root {
	char path[256];
	int fd;
};

static inline int setup(void **state)
{
	struct run_root *r = calloc(1, sizeof(*r));
	const char *tmp = getenv("TMPDIR");

	if (!r)
		return -1;
	snprintf(r->path, sizeof(r->path), "%s/ctr-lock-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(r->path))
		return -1;
	r->fd = open(r->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = r;
	return r->fd < 0 ? -1 : 0;
}

static inline int teardown(void **state)
{
	struct run_root *r = *state;
	int result;

	unlinkat(r->fd, CTR__LOCKS_FILE, 0);
	unlinkat(r->fd, CTR__LOCKS_FILE, AT_REMOVEDIR);
	close(r->fd);
	result = rmdir(r->path); /* fails if something was left behind */
	free(r);
	return result;
}

/* What a forked child leaves behind by design stays reachable for leak checkers. */
static struct ctr__locks *volatile latest;

static inline struct ctr__locks *open_locks(const struct run_root *r)
{
	ctr_error_t *err CTR__ERROR = NULL;
	struct ctr__locks *l = NULL;
	bool stale = true;

	if (ctr__locks_open(r->fd, true, &l, &stale, &err) != 0 || stale)
		fail_msg("open: %s", ctr_error_message(err));
	latest = l;
	return l;
}

/* For child processes, where assertions must not return to the parent's test. */
#define CHILD_CHECK(condition)                                                                 \
	do {                                                                                   \
		if (!(condition)) {                                                            \
			fprintf(stderr, "%s:%d: child: %s\n", __FILE__, __LINE__, #condition); \
			_exit(1);                                                              \
		}                                                                              \
	} while (0)

static inline void assert_exits_0(pid_t pid)
{
	int status = -1;

	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static inline void kill_and_reap(pid_t pid)
{
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* One byte through a pipe: "now you". */
static inline void signal_peer(int fd)
{
	if (write(fd, "x", 1) != 1)
		_exit(2);
}

static inline void await_peer(int fd)
{
	char c;

	if (read(fd, &c, 1) != 1)
		_exit(3);
}

#endif
