/* SPDX-License-Identifier: Apache-2.0 */
/* The relay: one end of a SOCK_SEQPACKET pair plays conmon, pipes and sockets play the host. */
#include "stream_test.h"

#include "stream/relay.h"

#include <pthread.h>

#define BIG 8192

struct rig {
	struct ctr_attach *a;
	int conmon;   /* our end of the attach socket */
	int in;       /* write: the host's input; -1 = none */
	int out, err; /* read: its outputs */
	struct ctr_attach_opts o;
	int results, result; /* what the owner was told */
	int checks;          /* what `check` returns */
	int destroyed;
};

static int owner_check(void *arg, ctr_error_t **err)
{
	const struct rig *g = arg;

	return g->checks ? ctr__fail(err, g->checks, "the owner says no") : 0;
}

static void owner_over(void *arg, int result)
{
	struct rig *g = arg;

	g->results++;
	g->result = result;
}

static void owner_destroy(void *arg)
{
	((struct rig *)arg)->destroyed++;
}

static void connect_rig(struct rig *g)
{
	const struct ctr__stream_owner owner = {
	    .arg = g, .check = owner_check, .over = owner_over, .destroy = owner_destroy};
	int s[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, s), 0);
	g->conmon = s[0];
	assert_int_equal(ctr__stream_connect(g->a, s[1], &owner, NULL), 0);
}

/* Pipes for the streams that are asked for; the host closes its own numbers at once. */
static void make(struct rig *g, uint64_t flags, const char *keys)
{
	int in[2] = {-1, -1}, out[2] = {-1, -1}, err[2] = {-1, -1};

	memset(g, 0, sizeof(*g));
	g->o = (struct ctr_attach_opts){.size = sizeof(g->o), .flags = flags, .detach_keys = keys};
	if (flags & CTR_ATTACH_STDIN)
		assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	if (flags & CTR_ATTACH_STDOUT)
		assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	if (flags & CTR_ATTACH_STDERR)
		assert_int_equal(pipe2(err, O_CLOEXEC), 0);
	g->o.stdin_fd = in[0];
	g->o.stdout_fd = out[1];
	g->o.stderr_fd = err[1];
	g->in = in[1];
	g->out = out[0];
	g->err = err[0];
	assert_int_equal(ctr__stream_prepare(&g->o, NULL, &g->a, NULL), 0);
	if (!(flags & CTR_ATTACH_KEEP_FDS)) {
		close(in[0]);
		close(out[1]);
		close(err[1]);
	}
	connect_rig(g);
}

static void close_in(struct rig *g)
{
	close(g->in);
	g->in = -1;
}

static void unmake(struct rig *g)
{
	ctr__stream_unref(g->a);
	assert_int_equal(g->destroyed, 1);
	assert_int_equal(g->results, 1);
	if (g->o.flags & CTR_ATTACH_KEEP_FDS) {
		/* They are as they were: open. */
		const int fds[] = {g->o.stdin_fd, g->o.stdout_fd, g->o.stderr_fd};

		for (int i = 0; i < 3; i++)
			assert_true(fds[i] < 0 || close(fds[i]) == 0);
	}
	close(g->conmon);
	close(g->in);
	close(g->out);
	close(g->err);
}

static void say(const struct rig *g, int stream, const void *data, size_t len)
{
	unsigned char p[CTR__PACKET_MAX];

	p[0] = (unsigned char)(stream + 1);
	memcpy(p + 1, data, len);
	assert_int_equal(send(g->conmon, p, len + 1, 0), len + 1);
}

static void hears(int fd, const void *data, size_t len)
{
	static char buf[1 << 17];
	size_t n = 0;
	int more = 0;

	assert_true(len < sizeof(buf));
	while (n < len) {
		ssize_t r = read(fd, buf + n, len - n);

		assert_true(r > 0);
		n += (size_t)r;
	}
	assert_memory_equal(buf, data, len);
	assert_int_equal(ioctl(fd, FIONREAD, &more), 0);
	assert_int_equal(more, 0);
}

/* Processes while there is something to do. */
static int settle(struct rig *g)
{
	int r = CTR_ATTACH_GOING_ON;

	while (r == CTR_ATTACH_GOING_ON && now_readable(ctr__stream_fd(g->a)))
		r = ctr__stream_process(g->a, NULL);
	return r;
}

static void going_on(struct rig *g)
{
	assert_int_equal(settle(g), CTR_ATTACH_GOING_ON);
	assert_int_equal(g->results, 0);
}

static void over(struct rig *g, int result)
{
	assert_int_equal(settle(g), result);
	assert_int_equal(g->results, 1);
	assert_int_equal(g->result, result);
	/* And again. */
	assert_int_equal(ctr__stream_process(g->a, NULL), result);
	assert_int_equal(ctr__stream_run(g->a, 0, NULL), result);
	assert_int_equal(ctr__stream_result(g->a), result);
	assert_int_equal(g->results, 1);
	assert_int_equal(now_readable(ctr__stream_fd(g->a)), 1);
}

#define ALL (CTR_ATTACH_STDIN | CTR_ATTACH_STDOUT | CTR_ATTACH_STDERR)

static void both_ways(void **state)
{
	struct rig g;
	char buf[64];

	(void)state;
	for (int keep = 0; keep < 2; keep++) {
		make(&g, ALL | (keep ? CTR_ATTACH_KEEP_FDS : 0), NULL);
		going_on(&g);
		say(&g, CTR__STDOUT, "out", 3);
		say(&g, CTR__STDERR, "error", 5);
		say(&g, CTR__STDOUT, "more", 4);
		going_on(&g);
		hears(g.out, "outmore", 7);
		hears(g.err, "error", 5);
		assert_int_equal(write(g.in, "input", 5), 5);
		going_on(&g);
		assert_int_equal(recv(g.conmon, buf, sizeof(buf), MSG_DONTWAIT), 5);
		assert_memory_equal(buf, "input", 5);
		say(&g, CTR__STDOUT, "last", 4);
		shutdown(g.conmon, SHUT_RDWR);
		over(&g, CTR_ATTACH_ENDED);
		hears(g.out, "last", 4);
		unmake(&g);
	}
}

/* Nothing is left to wait for: an attach that does nothing costs nothing. */
static void idle(void **state)
{
	struct rig g;

	(void)state;
	make(&g, ALL, NULL);
	going_on(&g);
	for (int i = 0; i < 10; i++) {
		assert_int_equal(ctr__stream_process(g.a, NULL), CTR_ATTACH_GOING_ON);
		assert_int_equal(now_readable(ctr__stream_fd(g.a)), 0);
	}
	unmake(&g);
	assert_int_equal(g.result, CTR_ATTACH_DETACHED);
}

static void packets_of_all_sizes(void **state)
{
	static unsigned char data[BIG], got[BIG];
	struct rig g;

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (unsigned char)(i * 7 + i / 256);
	make(&g, CTR_ATTACH_STDOUT | CTR_ATTACH_STDERR, NULL);
	for (size_t len = 0; len <= BIG; len += len < 10                      ? 1
	                                        : len + 61 > BIG && len < BIG ? BIG - len
	                                                                      : 61) {
		int stream = len % 2 ? CTR__STDERR : CTR__STDOUT;

		say(&g, stream, data, len);
		going_on(&g);
		if (len) {
			int fd = stream == CTR__STDERR ? g.err : g.out;

			assert_int_equal(read(fd, got, sizeof(got)), len);
			assert_memory_equal(got, data, len);
		}
		assert_int_equal(now_readable(g.out) || now_readable(g.err), 0);
	}
	close(g.conmon);
	over(&g, CTR_ATTACH_ENDED);
	g.conmon = -1;
	unmake(&g);
}

/* What is of no known stream is dropped. */
static void strange_packets(void **state)
{
	struct rig g;

	(void)state;
	make(&g, CTR_ATTACH_STDOUT, NULL);
	say(&g, 0, "x", 1);
	say(&g, 3, "x", 1);
	say(&g, 254, "x", 1);
	say(&g, CTR__STDERR, "not wanted", 10);
	say(&g, CTR__STDOUT, "yes", 3);
	going_on(&g);
	hears(g.out, "yes", 3);
	unmake(&g);
}

static void too_long_a_packet(void **state)
{
	static char p[CTR__PACKET_MAX + 1];
	struct rig g;

	(void)state;
	for (int before = 0; before < 3; before++) {
		CTR__ERROR ctr_error_t *err = NULL;
		int r = CTR_ATTACH_GOING_ON;

		make(&g, CTR_ATTACH_STDOUT, NULL);
		p[0] = 2;
		for (int i = 0; i < before; i++)
			assert_int_equal(send(g.conmon, p, CTR__PACKET_MAX, 0), CTR__PACKET_MAX);
		assert_int_equal(send(g.conmon, p, sizeof(p), 0), sizeof(p));
		while (r == CTR_ATTACH_GOING_ON)
			r = ctr__stream_process(g.a, &err);
		assert_int_equal(r, CTR_E_SYSTEM);
		assert_non_null(strstr(ctr_error_message(err), "8193"));
		over(&g, CTR_E_SYSTEM);
		unmake(&g);
	}
}

/* An output that takes nothing: what was taken from the process waits, the rest stays where it is, and the input goes on. */
static void stuck_output(void **state)
{
	static unsigned char block[BIG];
	unsigned char next = 0, expected = 0, got[4096];
	struct rig g;
	int sent = 0, read_so_far = 0;
	char buf[64];

	(void)state;
	make(&g, ALL, NULL);
	for (;;) {
		unsigned char p[CTR__PACKET_MAX];

		memset(block, next, sizeof(block));
		p[0] = 2;
		memcpy(p + 1, block, sizeof(block));
		if (send(g.conmon, p, sizeof(p), MSG_DONTWAIT) < 0) {
			assert_int_equal(errno, EAGAIN);
			going_on(&g);
			if (send(g.conmon, p, sizeof(p), MSG_DONTWAIT) < 0)
				break;
		}
		next++;
		sent++;
		assert_true(sent < 1000);
	}
	/* Nothing to do, so nothing to wake up for; but its input is alive. */
	assert_int_equal(now_readable(ctr__stream_fd(g.a)), 0);
	assert_int_equal(write(g.in, "still", 5), 5);
	going_on(&g);
	assert_int_equal(recv(g.conmon, buf, sizeof(buf), MSG_DONTWAIT), 5);
	/* conmon ends meanwhile: nothing of it is lost, and nothing spins. */
	close(g.conmon);
	g.conmon = -1;
	going_on(&g);
	while (read_so_far < sent * BIG) {
		ssize_t n = read(g.out, got, sizeof(got));

		assert_true(n > 0);
		for (ssize_t i = 0; i < n; i++) {
			expected = (unsigned char)((read_so_far + i) / BIG);
			assert_int_equal(got[i], expected);
		}
		read_so_far += (int)n;
		if (read_so_far < sent * BIG)
			settle(&g);
	}
	over(&g, CTR_ATTACH_ENDED);
	assert_int_equal(read(g.out, got, 1), 0);
	unmake(&g);
}

/* A process that does not read: the host's input is left alone, the output goes on. */
static void stuck_input(void **state)
{
	static char block[4096], got[CTR__INPUT_MAX];
	size_t written = 0, received = 0;
	struct rig g;
	ssize_t n;

	(void)state;
	make(&g, ALL, "");
	fcntl(g.in, F_SETFL, O_NONBLOCK);
	for (;;) {
		for (size_t i = 0; i < sizeof(block); i++)
			block[i] = (char)((written + i) / 1000);
		n = write(g.in, block, sizeof(block));
		if (n < 0) {
			going_on(&g);
			n = write(g.in, block, sizeof(block));
		}
		if (n < 0)
			break;
		written += (size_t)n;
	}
	assert_int_equal(now_readable(ctr__stream_fd(g.a)), 0);
	say(&g, CTR__STDOUT, "alive", 5);
	going_on(&g);
	hears(g.out, "alive", 5);
	close_in(&g);
	while ((n = recv(g.conmon, got, sizeof(got), 0)) > 0) {
		for (ssize_t i = 0; i < n; i++)
			assert_int_equal(got[i], (char)((received + (size_t)i) / 1000));
		received += (size_t)n;
		going_on(&g);
	}
	assert_int_equal(n, 0);
	assert_int_equal(received, written);
	unmake(&g);
}

static void half_close(void **state)
{
	struct rig g;
	char buf[64];

	(void)state;
	make(&g, ALL, NULL);
	assert_int_equal(write(g.in, "bye\x10", 4), 4);
	going_on(&g);
	assert_int_equal(recv(g.conmon, buf, sizeof(buf), 0), 3);
	close_in(&g);
	going_on(&g);
	/* What might have become the detach keys has not. */
	assert_int_equal(recv(g.conmon, buf, sizeof(buf), 0), 1);
	assert_int_equal(buf[0], 0x10);
	assert_int_equal(recv(g.conmon, buf, sizeof(buf), 0), 0);
	say(&g, CTR__STDOUT, "after", 5);
	going_on(&g);
	hears(g.out, "after", 5);
	shutdown(g.conmon, SHUT_WR);
	over(&g, CTR_ATTACH_ENDED);
	unmake(&g);
}

/* Whoever does not send must not end the input of others. */
static void no_input_no_close(void **state)
{
	struct rig g;
	char c;

	(void)state;
	make(&g, CTR_ATTACH_STDOUT, NULL);
	going_on(&g);
	assert_int_equal(recv(g.conmon, &c, 1, MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
	unmake(&g);
}

static void detach_keys(void **state)
{
	struct rig g;
	char buf[64];

	(void)state;
	make(&g, ALL, "ctrl-p,ctrl-q");
	assert_int_equal(write(g.in, "a\x10", 2), 2);
	going_on(&g);
	assert_int_equal(recv(g.conmon, buf, sizeof(buf), 0), 1);
	assert_int_equal(write(g.in, "\x11z", 2), 2);
	over(&g, CTR_ATTACH_DETACHED);
	assert_int_equal(recv(g.conmon, buf, sizeof(buf), 0), 0);
	unmake(&g);
	/* What came before them is passed on. */
	make(&g, ALL, "x,y");
	assert_int_equal(write(g.in, "last wordsxy", 12), 12);
	over(&g, CTR_ATTACH_DETACHED);
	assert_int_equal(recv(g.conmon, buf, sizeof(buf), 0), 10);
	unmake(&g);
}

/* Also if the process is slow to take it. */
static void detach_after_slow_input(void **state)
{
	static char junk[8192];
	struct rig g;
	char buf[64];

	(void)state;
	for (int ends = 0; ends < 2; ends++) {
		make(&g, ALL, "x,y");
		while (send(g.a->socket, junk, sizeof(junk), MSG_DONTWAIT) > 0)
			;
		assert_int_equal(write(g.in, "last wordsxyz", 13), 13);
		going_on(&g);
		say(&g, CTR__STDOUT, "alive", 5);
		going_on(&g);
		hears(g.out, "alive", 5);
		if (ends) {
			close(g.conmon);
			g.conmon = -1;
			over(&g, CTR_ATTACH_DETACHED);
			unmake(&g);
			break;
		}
		while (recv(g.conmon, junk, sizeof(junk), MSG_DONTWAIT) == (ssize_t)sizeof(junk))
			;
		over(&g, CTR_ATTACH_DETACHED);
		assert_int_equal(recv(g.conmon, buf, sizeof(buf), 0), 10);
		assert_memory_equal(buf, "last words", 10);
		unmake(&g);
	}
}

static void nobody_left(void **state)
{
	struct rig g;

	(void)state;
	for (int keep = 0; keep < 2; keep++) {
		make(&g, ALL | (keep ? CTR_ATTACH_KEEP_FDS : 0), NULL);
		going_on(&g);
		close(g.out);
		g.out = -1;
		/* One is left. */
		say(&g, CTR__STDOUT, "lost", 4);
		say(&g, CTR__STDERR, "here", 4);
		going_on(&g);
		hears(g.err, "here", 4);
		/* Noticed without the process saying anything. */
		close(g.err);
		g.err = -1;
		over(&g, CTR_ATTACH_CLOSED);
		unmake(&g);
	}
}

static void reset_is_an_end(void **state)
{
	struct rig g;

	(void)state;
	make(&g, ALL, NULL);
	assert_int_equal(write(g.in, "unread", 6), 6);
	going_on(&g);
	say(&g, CTR__STDOUT, "last", 4);
	/* With unread input its closing resets the connection. */
	close(g.conmon);
	g.conmon = -1;
	over(&g, CTR_ATTACH_ENDED);
	hears(g.out, "last", 4);
	unmake(&g);
}

static void one_place_for_both(void **state)
{
	struct ctr_attach_opts o = {
	    .size = sizeof(o), .flags = CTR_ATTACH_STDOUT | CTR_ATTACH_STDERR};
	struct rig g;
	int p[2];

	(void)state;
	memset(&g, 0, sizeof(g));
	g.in = g.err = -1;
	assert_int_equal(pipe(p), 0);
	o.stdout_fd = o.stderr_fd = p[1];
	assert_int_equal(ctr__stream_prepare(&o, NULL, &g.a, NULL), 0);
	close(p[1]);
	g.out = p[0];
	connect_rig(&g);
	say(&g, CTR__STDOUT, "1", 1);
	say(&g, CTR__STDERR, "2", 1);
	say(&g, CTR__STDOUT, "3", 1);
	going_on(&g);
	hears(g.out, "123", 3);
	close(g.out);
	g.out = -1;
	over(&g, CTR_ATTACH_CLOSED);
	unmake(&g);
}

/* The same number for input and output, kept: epoll knows it once. */
static void one_socket_for_all(void **state)
{
	struct ctr_attach_opts o = {.size = sizeof(o), .flags = ALL | CTR_ATTACH_KEEP_FDS};
	struct rig g;
	char buf[16];
	int s[2];

	(void)state;
	memset(&g, 0, sizeof(g));
	g.err = g.in = -1;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
	o.stdin_fd = o.stdout_fd = o.stderr_fd = s[1];
	assert_int_equal(ctr__stream_prepare(&o, NULL, &g.a, NULL), 0);
	g.out = s[0];
	connect_rig(&g);
	assert_int_equal(write(s[0], "in", 2), 2);
	say(&g, CTR__STDERR, "out", 3);
	going_on(&g);
	assert_int_equal(recv(g.conmon, buf, sizeof(buf), 0), 2);
	hears(g.out, "out", 3);
	shutdown(s[0], SHUT_WR);
	going_on(&g);
	assert_int_equal(recv(g.conmon, buf, sizeof(buf), 0), 0);
	say(&g, CTR__STDOUT, "more", 4);
	going_on(&g);
	hears(g.out, "more", 4);
	close(s[0]);
	g.out = -1;
	over(&g, CTR_ATTACH_CLOSED);
	unmake(&g);
	close(s[1]);
}

static void input_from_a_file(void **state)
{
	char name[] = "/tmp/relay.XXXXXX", buf[CTR__INPUT_MAX];
	int fd = mkstemp(name);
	struct ctr_attach_opts o = {.size = sizeof(o), .flags = CTR_ATTACH_STDIN, .stdin_fd = fd};
	size_t all = 0;
	struct rig g;
	ssize_t n;

	(void)state;
	unlink(name);
	assert_int_equal(ftruncate(fd, 1 << 20), 0);
	memset(&g, 0, sizeof(g));
	g.err = g.in = g.out = -1;
	assert_int_equal(ctr__stream_prepare(&o, NULL, &g.a, NULL), 0);
	close(fd);
	connect_rig(&g);
	going_on(&g);
	while ((n = recv(g.conmon, buf, sizeof(buf), 0)) > 0) {
		all += (size_t)n;
		going_on(&g);
	}
	assert_int_equal(all, 1 << 20);
	unmake(&g);
}

/* ---- cancel, run, owner ---- */

static void *cancel_it(void *arg)
{
	usleep(20000);
	ctr__stream_cancel(arg);
	return NULL;
}

static void cancelled(void **state)
{
	CTR__ERROR ctr_error_t *err = NULL;
	struct rig g;
	pthread_t t;

	(void)state;
	make(&g, ALL, NULL);
	assert_int_equal(pthread_create(&t, NULL, cancel_it, g.a), 0);
	assert_int_equal(ctr__stream_run(g.a, -1, &err), CTR_E_CANCELLED);
	assert_int_equal(ctr_error_code(err), CTR_E_CANCELLED);
	pthread_join(t, NULL);
	over(&g, CTR_E_CANCELLED);
	ctr__stream_cancel(g.a);
	over(&g, CTR_E_CANCELLED);
	unmake(&g);
	/* Also when nothing moves and nothing could: the output is full and conmon is gone. */
	make(&g, CTR_ATTACH_STDOUT, NULL);
	for (int i = 0; i < 12; i++) {
		static char block[BIG];

		say(&g, CTR__STDOUT, block, sizeof(block));
	}
	close(g.conmon);
	g.conmon = -1;
	going_on(&g);
	assert_int_equal(now_readable(ctr__stream_fd(g.a)), 0);
	ctr__stream_cancel(g.a);
	assert_int_equal(now_readable(ctr__stream_fd(g.a)), 1);
	over(&g, CTR_E_CANCELLED);
	unmake(&g);
}

static void time_limits(void **state)
{
	struct rig g;

	(void)state;
	make(&g, ALL, NULL);
	assert_int_equal(ctr__stream_run(g.a, 0, NULL), CTR_E_TIMEOUT);
	assert_int_equal(ctr__stream_run(g.a, 20, NULL), CTR_E_TIMEOUT);
	going_on(&g);
	shutdown(g.conmon, SHUT_RDWR);
	assert_int_equal(ctr__stream_run(g.a, INT64_MAX, NULL), CTR_ATTACH_ENDED);
	unmake(&g);
}

static void the_owner_ends_it(void **state)
{
	CTR__ERROR ctr_error_t *err = NULL;
	struct rig g;

	(void)state;
	make(&g, ALL, NULL);
	g.checks = CTR_E_RUNTIME_STOPPED;
	assert_int_equal(ctr__stream_process(g.a, &err), CTR_E_RUNTIME_STOPPED);
	assert_string_equal(ctr_error_message(err), "the owner says no");
	over(&g, CTR_E_RUNTIME_STOPPED);
	unmake(&g);
	/* In a child after fork() nothing of the parent's is touched. */
	make(&g, ALL, NULL);
	g.checks = CTR_E_FORKED;
	assert_int_equal(ctr__stream_process(g.a, NULL), CTR_E_FORKED);
	ctr__stream_cancel(g.a);
	g.checks = 0;
	going_on(&g);
	unmake(&g);
}

static void a_full_device(void **state)
{
	CTR__ERROR ctr_error_t *err = NULL;
	struct ctr_attach_opts o = {.size = sizeof(o), .flags = CTR_ATTACH_STDERR};
	struct rig g;

	(void)state;
	memset(&g, 0, sizeof(g));
	g.in = g.out = g.err = -1;
	o.stderr_fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	assert_int_equal(ctr__stream_prepare(&o, NULL, &g.a, NULL), 0);
	close(o.stderr_fd);
	connect_rig(&g);
	say(&g, CTR__STDERR, "x", 1);
	assert_int_equal(ctr__stream_run(g.a, -1, &err), CTR_E_SYSTEM);
	assert_int_equal(ctr_error_errno(err), ENOSPC);
	assert_string_equal(ctr_error_get(err, "field"), "stderr_fd");
	ctr_error_freep(&err);
	assert_int_equal(ctr__stream_process(g.a, &err), CTR_E_SYSTEM);
	assert_string_equal(ctr_error_get(err, "field"), "stderr_fd");
	over(&g, CTR_E_SYSTEM);
	unmake(&g);
}

/* ---- options ---- */

static void refused(const struct ctr_attach_opts *o, int code, const char *field)
{
	CTR__ERROR ctr_error_t *err = NULL;
	struct ctr_attach *a = NULL;

	assert_int_equal(ctr__stream_prepare(o, NULL, &a, &err), code);
	assert_null(a);
	if (field)
		assert_string_equal(ctr_error_get(err, "field"), field);
}

static void bad_options(void **state)
{
	int p[2];
	struct ctr_attach_opts o = {.size = sizeof(o)};

	(void)state;
	assert_int_equal(pipe(p), 0);
	refused(&o, CTR_E_INVALID, "flags");
	o.flags = CTR_ATTACH_STDOUT | UINT64_C(1) << 40;
	refused(&o, CTR_E_UNSUPPORTED, NULL);
	o.flags = CTR_ATTACH_STDOUT;
	o.stdout_fd = p[0];
	refused(&o, CTR_E_INVALID, "stdout_fd");
	o.stdout_fd = p[1];
	o.detach_keys = "nonsense";
	refused(&o, CTR_E_INVALID, "detach_keys");
	o.detach_keys = NULL;
	o.reserved = 1;
	refused(&o, CTR_E_UNSUPPORTED, NULL);
	o.reserved = 0;
	o.flags |= CTR_ATTACH_SIZE;
	refused(&o, CTR_E_INVALID, "rows");
	o.rows = 1000;
	o.cols = 1001;
	refused(&o, CTR_E_INVALID, "cols");
	o.flags |= CTR_ATTACH_STDIN;
	o.cols = 80;
	o.stdin_fd = -5;
	refused(&o, CTR_E_INVALID, "stdin_fd");
	close(p[0]);
	close(p[1]);
}

/* ---- HTTP ---- */

#define STREAMS (CTR_HTTP_STDIN | CTR_HTTP_STDOUT | CTR_HTTP_STDERR | CTR_HTTP_STREAM)
#define RAW_OK  "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n"

static void make_http(struct rig *g, uint64_t flags, bool terminal, const char *initial)
{
	struct ctr__stream_http h = {.flags = flags,
	    .terminal = terminal,
	    .initial = initial,
	    .initial_len = initial ? strlen(initial) : 0};
	int s[2];

	memset(g, 0, sizeof(*g));
	g->in = g->err = -1;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s), 0);
	g->out = s[0];
	h.fd = s[1];
	assert_int_equal(ctr__stream_prepare_http(&h, &g->a, NULL), 0);
	close(s[1]);
}

static void framed(void **state)
{
	struct rig g;
	char buf[64];

	(void)state;
	make_http(&g, STREAMS, false, "early");
	connect_rig(&g);
	assert_int_equal(write(g.out, " late", 5), 5);
	say(&g, CTR__STDOUT, "out", 3);
	say(&g, CTR__STDERR, "err", 3);
	going_on(&g);
	hears(g.out, RAW_OK "\1\0\0\0\0\0\0\3out\2\0\0\0\0\0\0\3err", sizeof(RAW_OK) - 1 + 22);
	assert_int_equal(recv(g.conmon, buf, sizeof(buf), 0), 5);
	assert_memory_equal(buf, "early", 5);
	assert_int_equal(recv(g.conmon, buf, sizeof(buf), 0), 5);
	assert_memory_equal(buf, " late", 5);
	shutdown(g.out, SHUT_WR);
	going_on(&g);
	assert_int_equal(recv(g.conmon, buf, sizeof(buf), 0), 0);
	shutdown(g.conmon, SHUT_WR);
	over(&g, CTR_ATTACH_ENDED);
	assert_int_equal(read(g.out, buf, 1), 0);
	unmake(&g);
}

static void raw(void **state)
{
	struct rig g;

	(void)state;
	/* A terminal has one stream, by whichever name it was asked for. */
	make_http(&g, CTR_HTTP_STDERR | CTR_HTTP_STREAM | CTR_HTTP_NO_HEADER, true, NULL);
	connect_rig(&g);
	say(&g, CTR__STDOUT, "screen", 6);
	going_on(&g);
	hears(g.out, "screen", 6);
	close(g.out);
	g.out = -1;
	over(&g, CTR_ATTACH_CLOSED);
	unmake(&g);
}

static void only_wanted_streams(void **state)
{
	struct rig g;

	(void)state;
	make_http(&g, CTR_HTTP_STDERR | CTR_HTTP_STREAM | CTR_HTTP_NO_HEADER, false, NULL);
	connect_rig(&g);
	say(&g, CTR__STDOUT, "no", 2);
	say(&g, CTR__STDERR, "yes", 3);
	going_on(&g);
	hears(g.out, "\2\0\0\0\0\0\0\3yes", 11);
	unmake(&g);
	/* Of a terminal, too, for a client that only types. */
	make_http(&g, CTR_HTTP_STDIN | CTR_HTTP_STREAM | CTR_HTTP_NO_HEADER, true, NULL);
	connect_rig(&g);
	say(&g, CTR__STDOUT, "no", 2);
	going_on(&g);
	assert_int_equal(now_readable(g.out), 0);
	unmake(&g);
}

static void keys_in_the_request(void **state)
{
	struct rig g;
	char buf[16];

	(void)state;
	make_http(&g, STREAMS, true,
	    "ab\x10\x11"
	    "cd");
	connect_rig(&g);
	over(&g, CTR_ATTACH_DETACHED);
	assert_int_equal(recv(g.conmon, buf, sizeof(buf), 0), 2);
	unmake(&g);
}

/* The client has sent its last words and is gone: they are passed on. */
static void last_words(void **state)
{
	struct rig g;
	char buf[16];

	(void)state;
	make_http(&g, STREAMS | CTR_HTTP_NO_HEADER, true, NULL);
	connect_rig(&g);
	going_on(&g);
	assert_int_equal(write(g.out, "exit\n", 5), 5);
	close(g.out);
	g.out = -1;
	over(&g, CTR_ATTACH_CLOSED);
	assert_int_equal(recv(g.conmon, buf, sizeof(buf), 0), 5);
	unmake(&g);
}

static void failure_is_told(void **state)
{
	struct rig g;

	(void)state;
	make_http(&g, STREAMS | CTR_HTTP_NO_HEADER, false, NULL);
	connect_rig(&g);
	going_on(&g);
	g.checks = CTR_E_RUNTIME_STOPPED;
	assert_int_equal(ctr__stream_process(g.a, NULL), CTR_E_RUNTIME_STOPPED);
	over(&g, CTR_E_RUNTIME_STOPPED);
	hears(g.out,
	    "\2\0\0\0\0\0\0\x19"
	    "Error: the owner says no\n",
	    8 + 25);
	unmake(&g);
}

struct tale {
	int told, of;
	int destroyed;
	char piece[32];
};

static int tell(void *arg, int32_t *stream, const char **data, size_t *len, ctr_error_t **err)
{
	struct tale *t = arg;

	(void)err;
	if (t->told == t->of)
		return 0;
	*len = (size_t)snprintf(t->piece, sizeof(t->piece), "%d\n", t->told);
	*data = t->piece;
	*stream = t->told++ % 2 ? CTR__STDERR : CTR__STDOUT;
	return 1;
}

static void tale_destroy(void *arg)
{
	((struct tale *)arg)->destroyed++;
}

static void history_first(void **state)
{
	struct tale t = {.of = 1000};
	const struct ctr__stream_source src = {.next = tell, .destroy = tale_destroy, .arg = &t};
	char buf[8192];
	struct rig g;
	size_t n = 0;

	(void)state;
	make_http(&g, STREAMS | CTR_HTTP_LOGS | CTR_HTTP_NO_HEADER, true, NULL);
	ctr__stream_set_source(g.a, &src);
	connect_rig(&g);
	say(&g, CTR__STDOUT, "now", 3);
	do {
		going_on(&g);
		while (now_readable(g.out))
			n += (size_t)read(g.out, buf + n, sizeof(buf) - n);
	} while (now_readable(ctr__stream_fd(g.a)));
	assert_int_equal(t.told, 1000);
	assert_int_equal(t.destroyed, 1);
	buf[n] = '\0';
	/* A terminal's log has one stream only. */
	assert_true(ctr__starts_with(buf, "0\n2\n4\n"));
	assert_string_equal(buf + n - 7, "998\nnow");
	unmake(&g);
}

static void history_only(void **state)
{
	struct tale t = {.of = 3};
	const struct ctr__stream_source src = {.next = tell, .destroy = tale_destroy, .arg = &t};
	struct ctr__stream_owner owner = {.over = owner_over, .destroy = owner_destroy};
	struct rig g;

	(void)state;
	make_http(&g, CTR_HTTP_STDOUT | CTR_HTTP_LOGS, false, NULL);
	ctr__stream_set_source(g.a, &src);
	owner.arg = &g;
	g.conmon = -1;
	assert_int_equal(ctr__stream_connect(g.a, -1, &owner, NULL), 0);
	over(&g, CTR_ATTACH_ENDED);
	hears(g.out,
	    RAW_OK "\1\0\0\0\0\0\0\2"
	           "0\n\1\0\0\0\0\0\0\2"
	           "2\n",
	    sizeof(RAW_OK) - 1 + 20);
	unmake(&g);
}

static void bad_http(void **state)
{
	struct ctr__stream_http h = {.fd = 0, .flags = STREAMS};
	struct ctr_attach *a = NULL;
	int s[2], p[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
	assert_int_equal(pipe(p), 0);
	h.fd = p[1];
	assert_int_equal(ctr__stream_prepare_http(&h, &a, NULL), CTR_E_INVALID);
	h.fd = s[0];
	h.flags = CTR_HTTP_STREAM;
	assert_int_equal(ctr__stream_prepare_http(&h, &a, NULL), CTR_E_INVALID);
	h.flags = CTR_HTTP_STDOUT;
	assert_int_equal(ctr__stream_prepare_http(&h, &a, NULL), CTR_E_INVALID);
	h.flags = STREAMS | UINT64_C(1) << 30;
	assert_int_equal(ctr__stream_prepare_http(&h, &a, NULL), CTR_E_UNSUPPORTED);
	h.flags = STREAMS;
	h.initial_len = 4;
	assert_int_equal(ctr__stream_prepare_http(&h, &a, NULL), CTR_E_INVALID);
	h.initial_len = 0;
	h.detach_keys = "???";
	assert_int_equal(ctr__stream_prepare_http(&h, &a, NULL), CTR_E_INVALID);
	close(s[0]);
	close(s[1]);
	close(p[0]);
	close(p[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(both_ways),
	    cmocka_unit_test(idle),
	    cmocka_unit_test(packets_of_all_sizes),
	    cmocka_unit_test(strange_packets),
	    cmocka_unit_test(too_long_a_packet),
	    cmocka_unit_test(stuck_output),
	    cmocka_unit_test(stuck_input),
	    cmocka_unit_test(half_close),
	    cmocka_unit_test(no_input_no_close),
	    cmocka_unit_test(detach_keys),
	    cmocka_unit_test(detach_after_slow_input),
	    cmocka_unit_test(nobody_left),
	    cmocka_unit_test(reset_is_an_end),
	    cmocka_unit_test(one_place_for_both),
	    cmocka_unit_test(one_socket_for_all),
	    cmocka_unit_test(input_from_a_file),
	    cmocka_unit_test(cancelled),
	    cmocka_unit_test(time_limits),
	    cmocka_unit_test(the_owner_ends_it),
	    cmocka_unit_test(a_full_device),
	    cmocka_unit_test(bad_options),
	    cmocka_unit_test(framed),
	    cmocka_unit_test(raw),
	    cmocka_unit_test(only_wanted_streams),
	    cmocka_unit_test(keys_in_the_request),
	    cmocka_unit_test(last_words),
	    cmocka_unit_test(failure_is_told),
	    cmocka_unit_test(history_first),
	    cmocka_unit_test(history_only),
	    cmocka_unit_test(bad_http),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
