/* SPDX-License-Identifier: Apache-2.0 */
/* Very many attaches: nothing of a start's first words is lost, one thread serves a thousand, an idle one is small. */
#include "fixture.h"

#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define STARTS 250
#define BURSTS 40 /* of each: 10,000 in all */
#define MANY   1000
#define MOST   (16 << 10) /* bytes of an idle attach */

/* ---- first words ---- */

/* Contents that tell of any byte out of place. */
static size_t make_bursts(char *buf, size_t *lengths, int start)
{
	static const size_t some[] = {1, 2, 3, 17, 64, 255, 256, 1000, 2047, 31};
	size_t all = 0;

	for (size_t i = 0; i < BURSTS; i++) {
		lengths[i] = some[(i * 7 + (size_t)start) % 10];
		for (size_t k = 0; k < lengths[i]; k++, all++)
			buf[all] = (char)((size_t)start * 131 + i * 17 + k * 7 + k / 251);
	}
	return all;
}

static size_t read_all(int fd, char *buf, size_t size)
{
	size_t n = 0;
	ssize_t r;

	while (n < size && (r = read(fd, buf + n, size - n)) > 0)
		n += (size_t)r;
	return n;
}

static void no_byte_is_lost(void **state)
{
	static char burst[BURSTS * 2048], got[BURSTS * 2048];
	struct fixture *f = *state;
	ctr_container_t *c = fixture_create(f, NULL);

	for (int i = 0; i < STARTS; i++) {
		struct ctr_attach_opts o = {.size = sizeof(o), .flags = CTR_ATTACH_STDOUT};
		ctr_attach_t *a = NULL;
		size_t lengths[BURSTS], len = make_bursts(burst, lengths, i), n;
		int p[2];

		assert_int_equal(pipe2(p, O_CLOEXEC), 0);
		o.stdout_fd = p[1];
		fake_oci_burst(f->fake, burst, lengths, BURSTS, 1);
		OK(ctr_container_start_and_attach(c, 0, &o, &a, err));
		close(p[1]);
		assert_int_equal(ctr_attach_run(a, 60000, NULL), CTR_ATTACH_ENDED);
		n = read_all(p[0], got, sizeof(got));
		if (n != len || memcmp(got, burst, len) != 0)
			fail_msg("start %d: %zu bytes instead of %zu, or others", i, n, len);
		ctr_attach_unref(a);
		close(p[0]);
	}
	ctr_container_unref(c);
}

/* ---- a thousand ---- */

static void allow_descriptors(void)
{
	struct rlimit l;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &l), 0);
	if (l.rlim_cur >= 8192)
		return;
	l.rlim_cur = 8192;
	if (l.rlim_max < 8192)
		l.rlim_max = 8192;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &l), 0);
}

static size_t heap(void)
{
	struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd;
}

static void drain(ctr_attach_t *a, int host)
{
	char buf[256];
	struct pollfd p = {.fd = ctr_attach_fd(a), .events = POLLIN};

	while (poll(&p, 1, 0) > 0)
		assert_int_equal(ctr_attach_process(a, NULL), CTR_ATTACH_GOING_ON);
	while (recv(host, buf, sizeof(buf), MSG_DONTWAIT) > 0)
		;
}

static void one_thread_for_a_thousand(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_create(f, NULL);
	static ctr_attach_t *a[MANY];
	static int host[MANY];
	int loop = epoll_create1(EPOLL_CLOEXEC), answered = 0;
	size_t before, each;

	allow_descriptors();
	OK(ctr_container_start(c, 0, err));
	before = heap();
	for (int i = 0; i < MANY; i++) {
		struct ctr_attach_opts o = {.size = sizeof(o),
		    .flags = CTR_ATTACH_STDIN | CTR_ATTACH_STDOUT | CTR_ATTACH_KEEP_FDS};
		struct epoll_event ev = {.events = EPOLLIN, .data.u32 = (uint32_t)i};
		int pair[2];

		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
		host[i] = pair[0];
		o.stdin_fd = o.stdout_fd = pair[1];
		OK(ctr_container_attach(c, &o, &a[i], err));
		assert_int_equal(epoll_ctl(loop, EPOLL_CTL_ADD, ctr_attach_fd(a[i]), &ev), 0);
	}
	/* All of them have worked once. */
	for (int i = 0; i < MANY; i++) {
		char packet[] = "\2first";

		send(fake_oci_stream(f->fake, ctr_container_id(c), i), packet, 6, 0);
		drain(a[i], host[i]);
	}
	each = (heap() - before) / MANY;
	print_message("an idle attach has %zu bytes of heap\n", each);
	assert_true(each < MOST);
	/* Every one is spoken to, from the last to the first, and answers. */
	for (int i = MANY - 1; i >= 0; i--) {
		char question[16], packet[16];
		int len = snprintf(question, sizeof(question), "%d?", i);

		assert_int_equal(write(host[i], question, (size_t)len), len);
		len = snprintf(packet, sizeof(packet), "%c%d!", 2, i);
		assert_int_equal(
		    send(fake_oci_stream(f->fake, ctr_container_id(c), i), packet, (size_t)len, 0),
		    len);
	}
	while (answered < MANY) {
		struct epoll_event ev[64];
		int n = epoll_wait(loop, ev, 64, 10000);

		assert_true(n > 0);
		for (int k = 0; k < n; k++) {
			uint32_t i = ev[k].data.u32;
			char expected[16], got[16] = "";

			assert_int_equal(ctr_attach_process(a[i], NULL), CTR_ATTACH_GOING_ON);
			snprintf(expected, sizeof(expected), "%u!", i);
			assert_int_equal(
			    recv(host[i], got, sizeof(got), MSG_DONTWAIT), strlen(expected));
			assert_string_equal(got, expected);
			snprintf(expected, sizeof(expected), "%u?", i);
			memset(got, 0, sizeof(got));
			assert_int_equal(recv(fake_oci_stream(f->fake, ctr_container_id(c), (int)i),
			                     got, sizeof(got), MSG_DONTWAIT),
			    strlen(expected));
			assert_string_equal(got, expected);
			answered++;
		}
	}
	for (int i = 0; i < MANY; i++) {
		ctr_attach_unref(a[i]);
		close(host[i]);
	}
	close(loop);
	ctr_container_unref(c);
}

/* ---- threads ---- */

static void *come_and_go(void *c)
{
	struct ctr_attach_opts o = {
	    .size = sizeof(o), .flags = CTR_ATTACH_STDOUT, .stdout_fd = STDERR_FILENO};

	for (int i = 0; i < 200; i++) {
		ctr_attach_t *a = NULL;

		if (ctr_container_attach(c, &o, &a, NULL) < 0)
			return c;
		ctr_attach_unref(a);
	}
	return NULL;
}

/* A runtime knows all its attaches: each thread takes its own off that list, beside those of others. */
static void many_threads(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_create(f, NULL);
	pthread_t t[4];
	void *failed;

	OK(ctr_container_start(c, 0, err));
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&t[i], NULL, come_and_go, c), 0);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(t[i], &failed), 0);
		assert_null(failed);
	}
	ctr_container_unref(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(no_byte_is_lost, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(
	        one_thread_for_a_thousand, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(many_threads, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
