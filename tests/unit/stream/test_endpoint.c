/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors of a host: they never make anybody wait, their flags stay, and no signal comes from them. */
#include "stream_test.h"

#include <sys/epoll.h>
#include <sys/stat.h>

#include "stream/endpoint.h"

static int epoll_fd = -1;
static volatile sig_atomic_t signals;

static void count_signal(int sig)
{
	(void)sig;
	signals++;
}

static int setup(void **state)
{
	struct sigaction sa = {.sa_handler = count_signal};

	(void)state;
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	sigaction(SIGPIPE, &sa, NULL);
	return epoll_fd < 0;
}

static int teardown(void **state)
{
	(void)state;
	close(epoll_fd);
	return 0;
}

static int try_open(struct ctr__endpoint *e, int fd, bool output, bool keep, ctr_error_t **err)
{
	const struct ctr__endpoint_wish w = {
	    .fd = fd, .epoll = epoll_fd, .output = output, .keep = keep, .field = "stdout_fd"};

	return ctr__endpoint_open(e, &w, err);
}

/* Opens; the flags of the host's description are what they were. */
static void open_end(struct ctr__endpoint *e, int fd, bool output, bool keep, int kind)
{
	int before = fcntl(fd, F_GETFL);

	assert_int_equal(try_open(e, fd, output, keep, NULL), 0);
	assert_int_equal(e->kind, kind);
	assert_int_equal(fcntl(fd, F_GETFL), before);
	if (e->fd >= 0 && e->fd != fd)
		assert_true(fcntl(e->fd, F_GETFD) & FD_CLOEXEC);
}

/* Writes until no more goes. Returns how much went. */
static size_t fill(struct ctr__endpoint *e)
{
	static char block[65536];
	struct iovec v = {.iov_base = block, .iov_len = sizeof(block)};
	size_t all = 0;
	ssize_t n;

	while ((n = ctr__endpoint_writev(e, &v, 1)) > 0)
		all += (size_t)n;
	assert_int_equal(n, -EAGAIN);
	return all;
}

static ssize_t write_text(struct ctr__endpoint *e, const char *text)
{
	struct iovec v = {.iov_base = (void *)(uintptr_t)text, .iov_len = strlen(text)};

	return ctr__endpoint_writev(e, &v, 1);
}

/* A pair of descriptors of which one can be read and the other written: both directions, never waiting. */
static void works(int in, int out, bool keep, int kind, size_t least)
{
	struct ctr__endpoint r, w;
	char buf[65536];
	int in_flags = fcntl(in, F_GETFL), out_flags = fcntl(out, F_GETFL);
	size_t all, got = 0;
	ssize_t n;

	open_end(&r, in, false, keep, kind);
	open_end(&w, out, true, keep, kind);
	assert_int_equal(ctr__endpoint_read(&r, buf, sizeof(buf)), -EAGAIN);
	all = fill(&w);
	assert_true(all >= least);
	while ((n = ctr__endpoint_read(&r, buf, sizeof(buf))) > 0)
		got += (size_t)n;
	assert_int_equal(n, -EAGAIN);
	assert_int_equal(got, all);
	assert_int_equal(write_text(&w, "x"), 1);
	assert_int_equal(ctr__endpoint_read(&r, buf, sizeof(buf)), 1);
	assert_int_equal(fcntl(in, F_GETFL), in_flags);
	assert_int_equal(fcntl(out, F_GETFL), out_flags);
	ctr__endpoint_close(&r);
	ctr__endpoint_close(&w);
	assert_true(fcntl(in, F_GETFD) >= 0);
}

static void pipes(void **state)
{
	int p[2];

	(void)state;
	assert_int_equal(pipe(p), 0);
	works(p[0], p[1], false, CTR__EP_OWN, 65536);
	works(p[0], p[1], true, CTR__EP_SHARED, 65536);
	close(p[0]);
	close(p[1]);
}

/* As on a kernel that has no RWF_NOWAIT for pipes. */
static void pipes_with_poll_only(void **state)
{
	struct ctr__endpoint r, w;
	char buf[8192];
	int p[2];

	(void)state;
	assert_int_equal(pipe(p), 0);
	open_end(&r, p[0], false, true, CTR__EP_SHARED);
	open_end(&w, p[1], true, true, CTR__EP_SHARED);
	r.no_nowait = w.no_nowait = true;
	assert_int_equal(ctr__endpoint_read(&r, buf, sizeof(buf)), -EAGAIN);
	assert_int_equal(fill(&w), 65536);
	assert_int_equal(ctr__endpoint_read(&r, buf, sizeof(buf)), sizeof(buf));
	close(p[1]);
	close(p[0]);
}

static void sockets(void **state)
{
	int s[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
	works(s[0], s[1], false, CTR__EP_SOCKET, 10000);
	works(s[1], s[0], true, CTR__EP_SOCKET, 10000);
	close(s[0]);
	close(s[1]);
}

static void terminals(void **state)
{
	struct ctr__endpoint e;
	int master, slave;
	char buf[256];

	(void)state;
	make_pty(&master, &slave);
	for (int keep = 0; keep < 2; keep++) {
		open_end(&e, slave, false, keep, CTR__EP_OWN);
		assert_int_not_equal(e.fd, slave);
		assert_int_equal(ctr__endpoint_read(&e, buf, sizeof(buf)), -EAGAIN);
		assert_int_equal(write(master, "key", 3), 3);
		assert_int_equal(ctr__endpoint_read(&e, buf, sizeof(buf)), 3);
		ctr__endpoint_close(&e);
		open_end(&e, slave, true, keep, CTR__EP_OWN);
		assert_true(fill(&e) > 1000);
		tcflush(master, TCIFLUSH);
		ctr__endpoint_close(&e);
	}
	open_end(&e, slave, false, false, CTR__EP_OWN);
	close(master);
	assert_int_equal(ctr__endpoint_read(&e, buf, sizeof(buf)), 0);
	ctr__endpoint_close(&e);
	close(slave);
}

/* The other side: opening it again would make another terminal. */
static void masters(void **state)
{
	struct ctr__endpoint e;
	int master, slave;
	char buf[64];
	size_t all;

	(void)state;
	make_pty(&master, &slave);
	open_end(&e, master, true, false, CTR__EP_SHARED);
	assert_int_equal(write_text(&e, "abc"), 1);
	assert_int_equal(read(slave, buf, sizeof(buf)), 1);
	assert_int_equal(buf[0], 'a');
	all = fill(&e);
	assert_true(all > 1000);
	ctr__endpoint_close(&e);
	open_end(&e, master, false, false, CTR__EP_SHARED);
	assert_int_equal(ctr__endpoint_read(&e, buf, sizeof(buf)), -EAGAIN);
	assert_int_equal(write(slave, "out", 3), 3);
	assert_int_equal(ctr__endpoint_read(&e, buf, sizeof(buf)), 3);
	ctr__endpoint_close(&e);
	close(slave);
	close(master);
}

/* Full, and then nobody has the terminal open any more: poll() reports a hang-up, and a write would wait for ever. */
static void a_full_master_hung_up(void **state)
{
	struct ctr__endpoint e;
	int master, slave;

	(void)state;
	make_pty(&master, &slave);
	open_end(&e, master, true, false, CTR__EP_SHARED);
	assert_true(fill(&e) > 1000);
	close(slave);
	alarm(20);
	assert_int_equal(write_text(&e, "x"), -EPIPE);
	alarm(0);
	ctr__endpoint_close(&e);
	close(master);
}

static void files(void **state)
{
	char name[] = "/tmp/endpoint.XXXXXX", buf[16];
	int fd = mkstemp(name), null = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct ctr__endpoint e;

	(void)state;
	assert_true(fd >= 0 && null >= 0);
	unlink(name);
	open_end(&e, fd, true, false, CTR__EP_FILE);
	assert_int_equal(write_text(&e, "hello"), 5);
	ctr__endpoint_close(&e);
	/* The description is the host's: so is its offset. */
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 5);
	lseek(fd, 0, SEEK_SET);
	open_end(&e, fd, false, true, CTR__EP_FILE);
	assert_int_equal(ctr__endpoint_read(&e, buf, sizeof(buf)), 5);
	assert_int_equal(ctr__endpoint_read(&e, buf, sizeof(buf)), 0);
	open_end(&e, null, true, false, CTR__EP_FILE);
	assert_int_equal(write_text(&e, "hello"), 5);
	ctr__endpoint_close(&e);
	close(null);
	close(fd);
}

static void full_disk(void **state)
{
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	struct ctr__endpoint e;

	(void)state;
	open_end(&e, fd, true, false, CTR__EP_FILE);
	assert_int_equal(write_text(&e, "x"), -ENOSPC);
	ctr__endpoint_close(&e);
	close(fd);
}

static void make_fifo(int p[2])
{
	char dir[] = "/tmp/endpoint.XXXXXX", path[64];

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/fifo", dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	p[0] = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	p[1] = open(path, O_WRONLY | O_CLOEXEC);
	assert_true(p[0] >= 0 && p[1] >= 0);
	unlink(path);
	rmdir(dir);
}

static void nobody_reads(void **state)
{
	struct ctr__endpoint e;
	int p[2];

	(void)state;
	signals = 0;
	for (int keep = 0; keep < 2; keep++) {
		assert_int_equal(pipe(p), 0);
		open_end(&e, p[1], true, keep, keep ? CTR__EP_SHARED : CTR__EP_OWN);
		close(p[0]);
		assert_int_equal(write_text(&e, "x"), -EPIPE);
		e.no_nowait = true;
		assert_int_equal(write_text(&e, "x"), -EPIPE);
		ctr__endpoint_close(&e);
		close(p[1]);
	}
	/* Gone before: a pipe says so when it is written to, a fifo with a name when it is opened. */
	assert_int_equal(pipe(p), 0);
	close(p[0]);
	open_end(&e, p[1], true, false, CTR__EP_OWN);
	assert_int_equal(write_text(&e, "x"), -EPIPE);
	ctr__endpoint_close(&e);
	close(p[1]);
	make_fifo(p);
	close(p[0]);
	assert_int_equal(try_open(&e, p[1], true, false, NULL), 0);
	assert_int_equal(e.fd, -1);
	close(p[1]);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, p), 0);
	open_end(&e, p[1], true, false, CTR__EP_SOCKET);
	close(p[0]);
	assert_int_equal(write_text(&e, "x"), -EPIPE);
	ctr__endpoint_close(&e);
	close(p[1]);
	assert_int_equal(signals, 0);
}

/* One that the host has waiting already stays; the mask is as before. */
static void other_signals_stay(void **state)
{
	struct ctr__endpoint e;
	sigset_t set, before, now;
	int p[2];

	(void)state;
	signals = 0;
	assert_int_equal(pipe(p), 0);
	open_end(&e, p[1], true, false, CTR__EP_OWN);
	close(p[0]);
	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &set, &before);
	assert_int_equal(write_text(&e, "x"), -EPIPE);
	sigpending(&now);
	assert_false(sigismember(&now, SIGPIPE));
	raise(SIGPIPE);
	assert_int_equal(write_text(&e, "x"), -EPIPE);
	sigpending(&now);
	assert_true(sigismember(&now, SIGPIPE));
	pthread_sigmask(SIG_BLOCK, NULL, &now);
	assert_true(sigismember(&now, SIGPIPE));
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	assert_int_equal(signals, 1);
	/* One that waits is no reason to let the other one through. */
	sigemptyset(&set);
	sigaddset(&set, SIGXFSZ);
	pthread_sigmask(SIG_BLOCK, &set, &before);
	signal(SIGXFSZ, SIG_DFL);
	raise(SIGXFSZ);
	assert_int_equal(write_text(&e, "x"), -EPIPE);
	assert_int_equal(signals, 1);
	assert_int_equal(sigtimedwait(&set, NULL, &(struct timespec){0}), SIGXFSZ);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	ctr__endpoint_close(&e);
	close(p[1]);
}

static void the_end_of_input(void **state)
{
	struct ctr__endpoint e;
	char buf[8];
	int p[2];

	(void)state;
	for (int keep = 0; keep < 2; keep++) {
		assert_int_equal(pipe(p), 0);
		assert_int_equal(write(p[1], "last", 4), 4);
		/* Before or after the end, that is the same. */
		if (keep)
			close(p[1]);
		open_end(&e, p[0], false, keep, keep ? CTR__EP_SHARED : CTR__EP_OWN);
		if (!keep)
			close(p[1]);
		assert_int_equal(ctr__endpoint_read(&e, buf, sizeof(buf)), 4);
		assert_int_equal(ctr__endpoint_read(&e, buf, sizeof(buf)), 0);
		ctr__endpoint_close(&e);
		close(p[0]);
	}
}

static void refuses(int fd, bool output)
{
	CTR__ERROR ctr_error_t *err = NULL;
	struct ctr__endpoint e;

	assert_int_equal(try_open(&e, fd, output, false, &err), CTR_E_INVALID);
	assert_string_equal(ctr_error_get(err, "field"), "stdout_fd");
	assert_int_equal(e.fd, -1);
}

static void refused(void **state)
{
	int p[2], dir = open("/", O_RDONLY | O_CLOEXEC), path = open("/", O_PATH | O_CLOEXEC);

	(void)state;
	assert_int_equal(pipe(p), 0);
	refuses(p[0], true);
	refuses(p[1], false);
	refuses(dir, false);
	refuses(path, false);
	refuses(-1, true);
	refuses(1 << 20, true);
	close(p[0]);
	close(p[1]);
	close(dir);
	close(path);
}

static void same_places(void **state)
{
	struct ctr__endpoint a, b;
	int p[2], q[2];

	(void)state;
	assert_int_equal(pipe(p), 0);
	assert_int_equal(pipe(q), 0);
	open_end(&a, p[1], true, false, CTR__EP_OWN);
	open_end(&b, p[1], true, false, CTR__EP_OWN);
	assert_true(ctr__endpoint_same(&a, &b));
	ctr__endpoint_close(&b);
	assert_false(ctr__endpoint_same(&a, &b));
	open_end(&b, q[1], true, false, CTR__EP_OWN);
	assert_false(ctr__endpoint_same(&a, &b));
	ctr__endpoint_close(&a);
	ctr__endpoint_close(&b);
	for (int i = 0; i < 2; i++) {
		close(p[i]);
		close(q[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(pipes),
	    cmocka_unit_test(pipes_with_poll_only),
	    cmocka_unit_test(sockets),
	    cmocka_unit_test(terminals),
	    cmocka_unit_test(masters),
	    cmocka_unit_test(a_full_master_hung_up),
	    cmocka_unit_test(files),
	    cmocka_unit_test(full_disk),
	    cmocka_unit_test(nobody_reads),
	    cmocka_unit_test(other_signals_stay),
	    cmocka_unit_test(the_end_of_input),
	    cmocka_unit_test(refused),
	    cmocka_unit_test(same_places),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
