/* SPDX-License-Identifier: Apache-2.0 */
/* The socket and the fifo in a monitor's directory. */
#include "oci_test.h"

#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>

static int setup(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	bench_open(b, "runc");
	b->c.flags = CTR_OCI_TERMINAL;
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;

	bench_close(b);
	free(b);
	return 0;
}

static char *place(const struct bench *b, const char *name)
{
	return ctr__path_join(b->bundle, name);
}

/* A monitor that listens, by a path that is short enough. */
static int listen_at(const struct bench *b)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int s = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%.80s/attach", b->bundle);
	assert_int_equal(bind(s, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(s, 0), 0);
	return s;
}

static int attach(struct bench *b, ctr_error_t **err)
{
	return b->oci->ops.attach(b->oci->impl, &b->c, err);
}

static int resize(struct bench *b, uint32_t rows, uint32_t cols)
{
	return b->oci->ops.resize(b->oci->impl, &b->c, rows, cols, NULL);
}

static void connects(void **state)
{
	struct bench *b = *state;
	int s = listen_at(b), fd = attach(b, NULL), peer;
	char buf[8];

	assert_true(fd >= 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	peer = accept(s, NULL, NULL);
	assert_int_equal(send(peer, "abc", 3, 0), 3);
	assert_int_equal(recv(fd, buf, sizeof(buf), 0), 3);
	close(peer);
	close(fd);
	/* It is gone, the file is still there. */
	close(s);
	assert_int_equal(attach(b, NULL), CTR_E_CONMON_DEAD);
}

static void nobody_is_there(void **state)
{
	struct bench *b = *state;

	assert_int_equal(attach(b, NULL), CTR_E_CONMON_DEAD);
	assert_int_equal(resize(b, 24, 80), CTR_E_CONMON_DEAD);
	b->c.bundle = "/no/such/bundle";
	assert_int_equal(attach(b, NULL), CTR_E_CONMON_DEAD);
	b->c.bundle = "relative";
	assert_int_equal(attach(b, NULL), CTR_E_INVALID);
}

/* A monitor that is stuck with a full backlog is not waited for without end. */
static void does_not_accept(void **state)
{
	struct bench *b = *state;
	int s = listen_at(b), first = attach(b, NULL), second;

	assert_true(first >= 0);
	second = attach(b, NULL);
	assert_int_equal(second, CTR_E_TIMEOUT);
	close(first);
	close(s);
}

/* What somebody else puts in their place is not followed and not written to. */
static void strange_places(void **state)
{
	struct bench *b = *state;
	CTR__FREE char *socket = place(b, "attach");
	CTR__FREE char *ctl = place(b, "ctl");
	CTR__FREE char *other = place(b, "other");
	struct stat st;
	int fd = open(other, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	close(fd);
	assert_int_equal(symlink(other, socket), 0);
	assert_int_equal(symlink(other, ctl), 0);
	assert_int_equal(attach(b, NULL), CTR_E_SYSTEM);
	assert_int_equal(resize(b, 24, 80), CTR_E_SYSTEM);
	unlink(socket);
	unlink(ctl);
	assert_int_equal(rename(other, ctl), 0);
	assert_int_equal(resize(b, 24, 80), CTR_E_SYSTEM);
	assert_int_equal(stat(ctl, &st), 0);
	assert_int_equal(st.st_size, 0);
}

struct reader {
	int fd;
	char text[256];
	int reads;
};

/* Reads late, and one line after the other, as conmon does. */
static void *read_lines(void *arg)
{
	struct reader *r = arg;
	size_t n = 0;
	ssize_t got;

	do {
		usleep(5000);
		got = read(r->fd, r->text + n, sizeof(r->text) - 1 - n);
		r->reads += got > 0;
		n += got > 0 ? (size_t)got : 0;
	} while (got != 0 && r->reads < 3);
	return NULL;
}

static void sizes(void **state)
{
	struct bench *b = *state;
	CTR__FREE char *ctl = place(b, "ctl");
	struct reader r = {0};
	pthread_t t;

	assert_int_equal(mkfifo(ctl, 0600), 0);
	assert_int_equal(resize(b, 24, 80), CTR_E_CONMON_DEAD);
	r.fd = open(ctl, O_RDWR | O_CLOEXEC);
	assert_int_equal(pthread_create(&t, NULL, read_lines, &r), 0);
	assert_int_equal(resize(b, 24, 80), 0);
	assert_int_equal(resize(b, 1000, 1), 0);
	assert_int_equal(resize(b, 1, 1000), 0);
	pthread_join(t, NULL);
	/* Each by itself. */
	assert_int_equal(r.reads, 3);
	assert_string_equal(r.text, "1 24 80\n1 1000 1\n1 1 1000\n");
	/* Without a terminal there is nothing to tell. */
	b->c.flags = 0;
	assert_int_equal(resize(b, 24, 80), 0);
	close(r.fd);
}

/* A monitor that accepts before it reads its fifo, both only when it is told to. */
struct acceptor {
	int listening, ctl;
	int peer;
	char line[32];
};

static void *accept_then_read(void *arg)
{
	struct acceptor *a = arg;
	struct pollfd p[2] = {{a->ctl, POLLIN, 0}, {a->listening, POLLIN, 0}};
	ssize_t n;

	/* Both wait for it: whoever attaches has not gone on. */
	while (!(p[0].revents & p[1].revents & POLLIN))
		if (poll(p, 2, 10000) <= 0)
			return NULL;
	a->peer = accept(a->listening, NULL, NULL);
	n = read(a->ctl, a->line, sizeof(a->line) - 1);
	a->line[n > 0 ? n : 0] = '\0';
	return NULL;
}

/* Before a start it is not enough to be in the backlog. */
static void is_accepted_before_a_start(void **state)
{
	struct bench *b = *state;
	CTR__FREE char *ctl = place(b, "ctl");
	struct acceptor a = {.listening = listen_at(b), .peer = -1};
	pthread_t t;
	int fd;

	assert_int_equal(mkfifo(ctl, 0600), 0);
	a.ctl = open(ctl, O_RDWR | O_CLOEXEC);
	assert_int_equal(pthread_create(&t, NULL, accept_then_read, &a), 0);
	b->c.flags |= CTR_OCI_NOT_STARTED;
	fd = attach(b, NULL);
	assert_true(fd >= 0);
	pthread_join(t, NULL);
	assert_true(a.peer >= 0);
	assert_string_equal(a.line, "9 0 0\n");
	close(fd);
	close(a.peer);
	/* It listens, but does not look: nothing is started then. */
	assert_int_equal(attach(b, NULL), CTR_E_TIMEOUT);
	close(a.ctl);
	close(a.listening);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	    TEST(connects),
	    TEST(nobody_is_there),
	    TEST(does_not_accept),
	    TEST(strange_places),
	    TEST(sizes),
	    TEST(is_accepted_before_a_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
