/* SPDX-License-Identifier: Apache-2.0 */
/* Attach, resize, start with attach, hijacked connections: what is checked, what becomes of the container. */
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ATTACH(...) (&(struct ctr_attach_opts){.size = sizeof(struct ctr_attach_opts), __VA_ARGS__})
#define HTTP(...)   (&(struct ctr_http_opts){.size = sizeof(struct ctr_http_opts), __VA_ARGS__})
#define ALL         (CTR_ATTACH_STDIN | CTR_ATTACH_STDOUT | CTR_ATTACH_STDERR)

/* The host's side of three streams. */
struct host {
	int in, out, err; /* ours */
	struct ctr_attach_opts o;
};

static void host_make(struct host *h, uint64_t flags)
{
	int in[2], out[2], err[2];

	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	assert_int_equal(pipe2(err, O_CLOEXEC), 0);
	*h = (struct host){.in = in[1],
	    .out = out[0],
	    .err = err[0],
	    .o = *ATTACH(.flags = flags, .stdin_fd = in[0], .stdout_fd = out[1],
	        .stderr_fd = err[1])};
}

/* They are duplicated: the host needs them no more. */
static void host_hand_over(struct host *h)
{
	close(h->o.stdin_fd);
	close(h->o.stdout_fd);
	close(h->o.stderr_fd);
}

static void host_free(struct host *h)
{
	close(h->in);
	close(h->out);
	close(h->err);
}

static void say(int fd, int stream, const char *text)
{
	char p[256];

	p[0] = (char)stream;
	memcpy(p + 1, text, strlen(text));
	assert_int_equal(send(fd, p, strlen(text) + 1, MSG_NOSIGNAL), strlen(text) + 1);
}

static void hears(int fd, const char *text)
{
	char buf[512] = "";
	size_t n = 0;

	while (n < strlen(text)) {
		ssize_t r = read(fd, buf + n, strlen(text) - n);

		assert_true(r > 0);
		n += (size_t)r;
	}
	assert_string_equal(buf, text);
}

static void burst(const struct fixture *f, const char *text, int ends)
{
	static size_t len;

	len = strlen(text);
	fake_oci_burst(f->fake, text, &len, 1, ends);
}

static int readable(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, 0);
}

static int settle(ctr_attach_t *a)
{
	int r = CTR_ATTACH_GOING_ON;

	while (r == CTR_ATTACH_GOING_ON && readable(ctr_attach_fd(a)))
		r = ctr_attach_process(a, NULL);
	return r;
}

static void check_events(ctr_runtime_t *rt, const char *expected)
{
	char *text = events_text(rt);

	assert_string_equal(text, expected);
	free(text);
}

/* ---- attach ---- */

static void streams(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_create(f, NULL);
	ctr_attach_t *a = NULL;
	struct host h;
	char buf[64];
	int end;

	OK(ctr_container_start(c, 0, err));
	free(events_text(f->rt));
	host_make(&h, ALL);
	OK(ctr_container_attach(c, &h.o, &a, err));
	host_hand_over(&h);
	check_events(f->rt, "attach");
	end = fake_oci_stream(f->fake, ctr_container_id(c), 0);
	say(end, 2, "to standard output");
	say(end, 3, "to standard error");
	assert_int_equal(write(h.in, "input", 5), 5);
	assert_int_equal(settle(a), CTR_ATTACH_GOING_ON);
	assert_int_equal(ctr_attach_result(a), CTR_ATTACH_GOING_ON);
	hears(h.out, "to standard output");
	hears(h.err, "to standard error");
	assert_int_equal(recv(end, buf, sizeof(buf), 0), 5);
	say(end, 2, "last words");
	fake_oci_exit(f->fake, ctr_container_id(c), 3);
	assert_int_equal(ctr_attach_run(a, -1, NULL), CTR_ATTACH_ENDED);
	assert_int_equal(ctr_attach_result(a), CTR_ATTACH_ENDED);
	hears(h.out, "last words");
	/* The end is seen at once, the attach need not be freed for that. */
	assert_int_equal(read(h.out, buf, 1), 0);
	assert_int_equal(read(h.err, buf, 1), 0);
	assert_null(ctr_attach_unref(a));
	host_free(&h);
	ctr_container_unref(c);
}

static void several_at_once(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_create(f, NULL);
	ctr_attach_t *a = NULL, *b = NULL;
	struct host h, k;

	OK(ctr_container_init(c, 0, err));
	host_make(&h, ALL);
	host_make(&k, CTR_ATTACH_STDOUT);
	OK(ctr_container_attach(c, &h.o, &a, err));
	OK(ctr_container_attach(c, &k.o, &b, err));
	host_hand_over(&h);
	host_hand_over(&k);
	/* The container's lock is not held: it can be started. */
	burst(f, "early", 0);
	OK(ctr_container_start(c, 0, err));
	settle(a);
	settle(b);
	hears(h.out, "early");
	hears(k.out, "early");
	ctr_attach_unref(a);
	say(fake_oci_stream(f->fake, ctr_container_id(c), 1), 2, "more");
	assert_int_equal(settle(b), CTR_ATTACH_GOING_ON);
	hears(k.out, "more");
	ctr_attach_unrefp(&b);
	host_free(&h);
	host_free(&k);
	ctr_container_unref(c);
}

/* The references that an attach has of its own. */
static void outlives_its_handle(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_create(f, NULL);
	ctr_attach_t *a = NULL;
	struct host h;

	OK(ctr_container_start(c, 0, err));
	host_make(&h, CTR_ATTACH_STDOUT);
	OK(ctr_container_attach(c, &h.o, &a, err));
	host_hand_over(&h);
	OK(ctr_container_remove(c, CTR_REMOVE_FORCE, err));
	ctr_container_unref(c);
	assert_ptr_equal(ctr_attach_ref(a), a);
	ctr_attach_unref(a);
	assert_int_equal(ctr_attach_run(a, 5000, NULL), CTR_ATTACH_ENDED);
	ctr_attach_unref(a);
	host_free(&h);
}

static void the_hosts_descriptors(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_create(f, NULL);

	OK(ctr_container_start(c, 0, err));
	for (int keep = 0; keep < 2; keep++) {
		struct host h;
		ctr_attach_t *a = NULL;
		int before[3];

		host_make(&h, ALL | (keep ? CTR_ATTACH_KEEP_FDS : 0));
		before[0] = fcntl(h.o.stdin_fd, F_GETFL);
		before[1] = fcntl(h.o.stdout_fd, F_GETFL);
		before[2] = fcntl(h.o.stderr_fd, F_GETFL);
		OK(ctr_container_attach(c, &h.o, &a, err));
		say(fake_oci_stream(f->fake, ctr_container_id(c), keep), 3, "x");
		assert_int_equal(settle(a), CTR_ATTACH_GOING_ON);
		assert_int_equal(fcntl(h.o.stdin_fd, F_GETFL), before[0]);
		assert_int_equal(fcntl(h.o.stdout_fd, F_GETFL), before[1]);
		assert_int_equal(fcntl(h.o.stderr_fd, F_GETFL), before[2]);
		ctr_attach_unref(a);
		assert_int_equal(fcntl(h.o.stdin_fd, F_GETFL), before[0]);
		host_hand_over(&h);
		host_free(&h);
	}
	ctr_container_unref(c);
}

static volatile sig_atomic_t signals;

static void on_signal(int sig)
{
	(void)sig;
	signals++;
}

static void nobody_reads(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_create(f, NULL);
	struct sigaction sa = {.sa_handler = on_signal}, old;
	ctr_attach_t *a = NULL;
	struct host h;

	sigaction(SIGPIPE, &sa, &old);
	OK(ctr_container_start(c, 0, err));
	host_make(&h, CTR_ATTACH_STDIN | CTR_ATTACH_STDOUT);
	OK(ctr_container_attach(c, &h.o, &a, err));
	host_hand_over(&h);
	say(fake_oci_stream(f->fake, ctr_container_id(c), 0), 2, "for nobody");
	close(h.out);
	assert_int_equal(ctr_attach_run(a, 5000, NULL), CTR_ATTACH_CLOSED);
	assert_int_equal(signals, 0);
	sigaction(SIGPIPE, &old, NULL);
	assert_state(c, CTR_STATE_RUNNING);
	ctr_attach_unref(a);
	h.out = -1;
	host_free(&h);
	ctr_container_unref(c);
}

static void detaching(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_create(f, NULL);
	ctr_attach_t *a = NULL;
	struct host h;

	OK(ctr_container_start(c, 0, err));
	host_make(&h, ALL);
	OK(ctr_container_attach(c, &h.o, &a, err));
	host_hand_over(&h);
	assert_int_equal(write(h.in, "x\x10", 2), 2);
	assert_int_equal(settle(a), CTR_ATTACH_GOING_ON);
	assert_int_equal(write(h.in, "\x11", 1), 1);
	assert_int_equal(ctr_attach_run(a, 5000, NULL), CTR_ATTACH_DETACHED);
	assert_state(c, CTR_STATE_RUNNING);
	ctr_attach_unref(a);
	host_free(&h);
	ctr_container_unref(c);
}

/* ---- how it can end otherwise ---- */

static void *cancel_later(void *arg)
{
	usleep(20000);
	ctr_attach_cancel(arg);
	return NULL;
}

static void cancelling(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_create(f, NULL);
	ctr_attach_t *a = NULL;
	struct host h;
	pthread_t t;

	OK(ctr_container_start(c, 0, err));
	host_make(&h, ALL);
	OK(ctr_container_attach(c, &h.o, &a, err));
	host_hand_over(&h);
	assert_int_equal(pthread_create(&t, NULL, cancel_later, a), 0);
	FAILS(CTR_E_CANCELLED, ctr_attach_run(a, -1, err));
	pthread_join(t, NULL);
	FAILS(CTR_E_CANCELLED, ctr_attach_process(a, err));
	assert_int_equal(ctr_attach_result(a), CTR_E_CANCELLED);
	assert_state(c, CTR_STATE_RUNNING);
	ctr_attach_unref(a);
	host_free(&h);
	ctr_container_unref(c);
}

static void *shut_down_later(void *arg)
{
	usleep(20000);
	ctr_runtime_shutdown(arg, NULL);
	return NULL;
}

static void shutdown_ends_it(void **state)
{
	struct fixture *f = *state;
	ctr_runtime_t *rt = fixture_open(f, NULL);
	ctr_container_t *c = fixture_create(f, NULL), *other = NULL;
	ctr_attach_t *a = NULL, *b = NULL;
	struct host h;
	pthread_t t;

	OK(ctr_container_start(c, 0, err));
	OK(ctr_container_get(rt, ctr_container_id(c), &other, err));
	host_make(&h, CTR_ATTACH_STDOUT);
	/* Each runtime object has a fake of its own, and this one does not know the container. */
	FAILS(CTR_E_CONMON_DEAD, ctr_container_attach(other, &h.o, &a, err));
	OK(ctr_container_attach(c, &h.o, &a, err));
	OK(ctr_container_attach(c, &h.o, &b, err));
	settle(b);
	assert_int_equal(readable(ctr_attach_fd(b)), 0);
	assert_int_equal(pthread_create(&t, NULL, shut_down_later, f->rt), 0);
	FAILS(CTR_E_RUNTIME_STOPPED, ctr_attach_run(a, -1, err));
	pthread_join(t, NULL);
	/* An event loop is woken, too. */
	assert_int_equal(readable(ctr_attach_fd(b)), 1);
	FAILS(CTR_E_RUNTIME_STOPPED, ctr_attach_process(b, err));
	ctr_attach_unref(a);
	ctr_attach_unref(b);
	host_hand_over(&h);
	host_free(&h);
	ctr_container_unref(c);
	ctr_container_unref(other);
	/* The teardown needs one that works. */
	ctr_runtime_unref(f->rt);
	f->rt = rt;
}

static void a_forked_child(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_create(f, NULL);
	ctr_attach_t *a = NULL;
	struct host h;
	int status;
	pid_t pid;

	OK(ctr_container_start(c, 0, err));
	host_make(&h, ALL);
	OK(ctr_container_attach(c, &h.o, &a, err));
	host_hand_over(&h);
	settle(a);
	pid = fork();
	if (pid == 0) {
		int r = ctr_attach_process(a, NULL);

		ctr_attach_cancel(a);
		ctr_attach_unref(a);
		_exit(r == CTR_E_FORKED ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	/* The parent's goes on as if nothing had been. */
	say(fake_oci_stream(f->fake, ctr_container_id(c), 0), 2, "still here");
	assert_int_equal(readable(ctr_attach_fd(a)), 1);
	assert_int_equal(settle(a), CTR_ATTACH_GOING_ON);
	hears(h.out, "still here");
	ctr_attach_unref(a);
	host_free(&h);
	ctr_container_unref(c);
}

/* ---- refused ---- */

static int attach_in_batch(ctr_container_t *view, void *arg)
{
	ctr_attach_t *a = NULL;
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	FAILS(CTR_E_BUSY, ctr_container_attach(view, arg, &a, err));
	FAILS(CTR_E_BUSY, ctr_container_start_and_attach(view, 0, arg, &a, err));
	FAILS(CTR_E_BUSY, ctr_container_http_attach(view, pair[0],
	                      HTTP(.flags = CTR_HTTP_STREAM | CTR_HTTP_STDOUT), &a, err));
	assert_null(a);
	OK(ctr_container_attach_resize(view, 10, 10, err));
	close(pair[0]);
	close(pair[1]);
	return 0;
}

static void refused(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_create(f, NULL);
	ctr_attach_t *a = (ctr_attach_t *)f;
	struct host h;

	host_make(&h, ALL);
	FAILS(CTR_E_CTR_STATE, ctr_container_attach(c, &h.o, &a, err));
	assert_null(a);
	OK(ctr_container_start(c, 0, err));
	free(events_text(f->rt));
	FAILS(CTR_E_INVALID, ctr_container_attach(NULL, &h.o, &a, err));
	FAILS(CTR_E_INVALID, ctr_container_attach(c, &h.o, NULL, err));
	FAILS(CTR_E_INVALID, ctr_container_attach(c, NULL, &a, err));
	FAILS(CTR_E_INVALID, ctr_container_attach(c, ATTACH(.flags = 0), &a, err));
	FAILS(CTR_E_INVALID, ctr_container_attach(c,
	                         ATTACH(.flags = CTR_ATTACH_STDOUT, .stdout_fd = h.out), &a, err));
	h.o.detach_keys = "ctrl-";
	FAILS(CTR_E_INVALID, ctr_container_attach(c, &h.o, &a, err));
	h.o.detach_keys = "";
	h.o.flags |= CTR_ATTACH_SIZE;
	FAILS(CTR_E_INVALID, ctr_container_attach(c, &h.o, &a, err));
	h.o.flags = ALL | UINT64_C(1) << 50;
	FAILS(CTR_E_UNSUPPORTED, ctr_container_attach(c, &h.o, &a, err));
	h.o.flags = ALL;
	fake_oci_fail(f->fake, FAKE_ATTACH, CTR_E_CONMON_DEAD, 1);
	FAILS(CTR_E_CONMON_DEAD, ctr_container_attach(c, &h.o, &a, err));
	assert_null(a);
	/* None of it left a trace. */
	check_events(f->rt, "");
	OK(ctr_container_batch(c, attach_in_batch, &h.o, err));
	FAILS(CTR_E_INVALID, ctr_attach_process(NULL, err));
	FAILS(CTR_E_INVALID, ctr_attach_run(NULL, 0, err));
	FAILS(CTR_E_INVALID, ctr_attach_resize(NULL, 1, 1, err));
	assert_int_equal(ctr_attach_fd(NULL), CTR_E_INVALID);
	assert_int_equal(ctr_attach_result(NULL), CTR_E_INVALID);
	ctr_attach_cancel(NULL);
	assert_null(ctr_attach_ref(NULL));
	assert_null(ctr_attach_unref(NULL));
	ctr_attach_unrefp(NULL);
	host_hand_over(&h);
	host_free(&h);
	ctr_container_unref(c);
}

/* One that is written by somebody who knows nothing of streams. */
static void runtime_without_streams(void **state)
{
	struct fixture *f = *state;
	struct ctr_oci_ops ops = fake_oci_ops;
	ctr_config_builder_t *b = ctr_config_builder_new();
	ctr_config_t *cfg = NULL;
	ctr_container_t *c = NULL;
	ctr_attach_t *a = NULL;
	struct host h;

	ops.name = "old";
	ops.size = offsetof(struct ctr_oci_ops, attach);
	OK(ctr_runtime_add_oci(f->rt, &ops, fake_oci_new(), fake_oci_destroy, err));
	OK(ctr_config_builder_set_str(b, CTR_CONFIG_ROOTFS, f->rootfs, err));
	OK(ctr_config_builder_set_str(b, CTR_CONFIG_RUNTIME, "old", err));
	OK(ctr_config_builder_add_str(b, CTR_CONFIG_COMMAND, "/bin/true", err));
	OK(ctr_config_builder_set_bool(b, CTR_SPEC_TERMINAL, 1, err));
	OK(ctr_config_builder_build(b, &cfg, err));
	OK(ctr_container_create(f->rt, cfg, 0, &c, err));
	host_make(&h, ALL);
	FAILS(CTR_E_UNSUPPORTED, ctr_container_start_and_attach(c, 0, &h.o, &a, err));
	assert_null(a);
	/* A failed start leaves nothing half done. */
	assert_state(c, CTR_STATE_CONFIGURED);
	OK(ctr_container_start(c, 0, err));
	FAILS(CTR_E_UNSUPPORTED, ctr_container_attach(c, &h.o, &a, err));
	FAILS(CTR_E_UNSUPPORTED, ctr_container_attach_resize(c, 24, 80, err));
	host_hand_over(&h);
	host_free(&h);
	ctr_config_builder_free(b);
	ctr_config_unref(cfg);
	ctr_container_unref(c);
}

/* ---- sizes ---- */

static ctr_container_t *with_terminal(const struct fixture *f)
{
	ctr_config_builder_t *b = ctr_config_builder_new();
	ctr_config_t *cfg = NULL;
	ctr_container_t *c = NULL;

	OK(ctr_config_builder_set_str(b, CTR_CONFIG_ROOTFS, f->rootfs, err));
	OK(ctr_config_builder_set_str(b, CTR_CONFIG_RUNTIME, "fake", err));
	OK(ctr_config_builder_add_str(b, CTR_CONFIG_COMMAND, "/bin/sh", err));
	OK(ctr_config_builder_set_bool(b, CTR_SPEC_TERMINAL, 1, err));
	OK(ctr_config_builder_build(b, &cfg, err));
	OK(ctr_container_create(f->rt, cfg, 0, &c, err));
	ctr_config_builder_free(b);
	ctr_config_unref(cfg);
	return c;
}

static void size_is(const struct fixture *f, ctr_container_t *c, uint32_t rows, uint32_t cols)
{
	uint32_t r, k;

	fake_oci_size(f->fake, ctr_container_id(c), &r, &k);
	assert_int_equal(r, rows);
	assert_int_equal(k, cols);
}

static void sizes(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = with_terminal(f), *plain = fixture_create(f, NULL);
	ctr_attach_t *a = NULL;
	struct host h;

	FAILS(CTR_E_CTR_STATE, ctr_container_attach_resize(c, 24, 80, err));
	host_make(&h, CTR_ATTACH_STDOUT | CTR_ATTACH_SIZE);
	h.o.rows = 33;
	h.o.cols = 99;
	OK(ctr_container_start_and_attach(c, 0, &h.o, &a, err));
	size_is(f, c, 33, 99);
	OK(ctr_attach_resize(a, 1, 1000, err));
	size_is(f, c, 1, 1000);
	OK(ctr_container_attach_resize(c, 50, 60, err));
	size_is(f, c, 50, 60);
	FAILS(CTR_E_INVALID, ctr_container_attach_resize(c, 0, 80, err));
	FAILS(CTR_E_INVALID, ctr_container_attach_resize(c, 1001, 80, err));
	FAILS(CTR_E_INVALID, ctr_attach_resize(a, 24, 0, err));
	FAILS(CTR_E_INVALID, ctr_attach_resize(a, 24, 1001, err));
	FAILS(CTR_E_INVALID, ctr_container_attach_resize(NULL, 24, 80, err));
	fake_oci_fail(f->fake, FAKE_RESIZE, CTR_E_CONMON_DEAD, 1);
	FAILS(CTR_E_CONMON_DEAD, ctr_container_attach_resize(c, 24, 80, err));
	size_is(f, c, 50, 60);
	ctr_attach_unref(a);
	/* If the size cannot be set nothing is attached. */
	fake_oci_fail(f->fake, FAKE_RESIZE, CTR_E_CONMON_DEAD, 1);
	FAILS(CTR_E_CONMON_DEAD, ctr_container_attach(c, &h.o, &a, err));
	assert_null(a);
	/* Without a terminal there is nothing to do. */
	OK(ctr_container_start_and_attach(plain, 0, &h.o, &a, err));
	OK(ctr_container_attach_resize(plain, 24, 80, err));
	size_is(f, plain, 0, 0);
	ctr_attach_unref(a);
	host_hand_over(&h);
	host_free(&h);
	ctr_container_unref(c);
	ctr_container_unref(plain);
}

static ctr_container_t *resized; /* by look_and_resize() */

/* A runtime whose monitor takes its time: meanwhile the container is anybody's. */
static int look_and_resize(
    void *impl, const struct ctr_oci_container *k, uint32_t rows, uint32_t cols, ctr_error_t **why)
{
	int32_t state;

	OK(ctr_container_state(resized, &state, err));
	return fake_oci_ops.resize(impl, k, rows, cols, why);
}

static void resize_without_the_lock(void **state)
{
	struct fixture *f = *state;
	struct ctr_oci_ops ops = fake_oci_ops;
	struct fake_oci *slow = fake_oci_new();
	ctr_config_builder_t *b = ctr_config_builder_new();
	ctr_config_t *cfg = NULL;
	uint32_t rows, cols;

	ops.name = "slow";
	ops.resize = look_and_resize;
	OK(ctr_runtime_add_oci(f->rt, &ops, slow, fake_oci_destroy, err));
	OK(ctr_config_builder_set_str(b, CTR_CONFIG_ROOTFS, f->rootfs, err));
	OK(ctr_config_builder_set_str(b, CTR_CONFIG_RUNTIME, "slow", err));
	OK(ctr_config_builder_add_str(b, CTR_CONFIG_COMMAND, "/bin/sh", err));
	OK(ctr_config_builder_set_bool(b, CTR_SPEC_TERMINAL, 1, err));
	OK(ctr_config_builder_build(b, &cfg, err));
	OK(ctr_container_create(f->rt, cfg, 0, &resized, err));
	OK(ctr_container_start(resized, 0, err));
	OK(ctr_container_attach_resize(resized, 24, 80, err));
	fake_oci_size(slow, ctr_container_id(resized), &rows, &cols);
	assert_int_equal(rows, 24);
	assert_int_equal(cols, 80);
	ctr_config_builder_free(b);
	ctr_config_unref(cfg);
	ctr_container_unref(resized);
}

/* ---- with a start ---- */

static void start_and_attach(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_create(f, NULL);
	ctr_attach_t *a = NULL;
	struct host h;

	free(events_text(f->rt));
	burst(f, "first words", 0);
	host_make(&h, CTR_ATTACH_STDOUT);
	OK(ctr_container_start_and_attach(c, 0, &h.o, &a, err));
	check_events(f->rt, "init attach start");
	assert_state(c, CTR_STATE_RUNNING);
	settle(a);
	hears(h.out, "first words");
	ctr_attach_unref(a);
	FAILS(CTR_E_CTR_RUNNING, ctr_container_start_and_attach(c, 0, &h.o, &a, err));
	FAILS(CTR_E_UNSUPPORTED, ctr_container_start_and_attach(c, 1 << 20, &h.o, &a, err));
	assert_null(a);
	host_hand_over(&h);
	host_free(&h);
	ctr_container_unref(c);
}

static void start_fails(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_create(f, NULL);
	ctr_attach_t *a = NULL;
	struct host h;

	host_make(&h, CTR_ATTACH_STDOUT);
	fake_oci_fail(f->fake, FAKE_ATTACH, CTR_E_CONMON_DEAD, 1);
	FAILS(CTR_E_CONMON_DEAD, ctr_container_start_and_attach(c, 0, &h.o, &a, err));
	assert_null(a);
	assert_state(c, CTR_STATE_CONFIGURED);
	assert_int_equal(fake_oci_calls(f->fake, FAKE_START), 0);
	fake_oci_fail(f->fake, FAKE_START, CTR_E_OCI_RUNTIME, 1);
	FAILS(CTR_E_OCI_RUNTIME, ctr_container_start_and_attach(c, 0, &h.o, &a, err));
	assert_null(a);
	assert_state(c, CTR_STATE_CONFIGURED);
	fake_oci_fail(f->fake, FAKE_CREATE, CTR_E_OCI_RUNTIME, 1);
	FAILS(CTR_E_OCI_RUNTIME, ctr_container_start_and_attach(c, 0, &h.o, &a, err));
	assert_null(a);
	/* Bad options change nothing at all. */
	h.o.detach_keys = "xx";
	FAILS(CTR_E_INVALID, ctr_container_start_and_attach(c, 0, &h.o, &a, err));
	assert_state(c, CTR_STATE_CONFIGURED);
	h.o.detach_keys = NULL;
	OK(ctr_container_start_and_attach(c, 0, &h.o, &a, err));
	ctr_attach_unref(a);
	host_hand_over(&h);
	host_free(&h);
	ctr_container_unref(c);
}

static void dependencies_first(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *dep = fixture_create(f, "dep"), *c = NULL;
	ctr_config_builder_t *b = ctr_config_builder_new();
	ctr_config_t *cfg = NULL;
	ctr_attach_t *a = NULL;
	struct host h;

	OK(ctr_config_builder_set_str(b, CTR_CONFIG_ROOTFS, f->rootfs, err));
	OK(ctr_config_builder_set_str(b, CTR_CONFIG_RUNTIME, "fake", err));
	OK(ctr_config_builder_add_str(b, CTR_CONFIG_COMMAND, "/bin/true", err));
	OK(ctr_config_builder_add_str(b, CTR_CONFIG_DEPENDENCIES, ctr_container_id(dep), err));
	OK(ctr_config_builder_build(b, &cfg, err));
	OK(ctr_container_create(f->rt, cfg, 0, &c, err));
	host_make(&h, CTR_ATTACH_STDOUT);
	FAILS(CTR_E_CTR_STATE, ctr_container_start_and_attach(c, 0, &h.o, &a, err));
	assert_null(a);
	OK(ctr_container_start_and_attach(c, CTR_START_RECURSIVE, &h.o, &a, err));
	assert_state(dep, CTR_STATE_RUNNING);
	assert_int_equal(fake_oci_stream(f->fake, ctr_container_id(dep), 0), -1);
	assert_true(fake_oci_stream(f->fake, ctr_container_id(c), 0) >= 0);
	ctr_attach_unref(a);
	host_hand_over(&h);
	host_free(&h);
	ctr_config_builder_free(b);
	ctr_config_unref(cfg);
	ctr_container_unref(c);
	ctr_container_unref(dep);
}

/* ---- hijacked connections ---- */

#define OK_RAW "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n"
#define STREAM (CTR_HTTP_STREAM | CTR_HTTP_STDIN | CTR_HTTP_STDOUT | CTR_HTTP_STDERR)

static void http(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_create(f, NULL);
	ctr_attach_t *a = NULL;
	char buf[256];
	ssize_t n;
	int pair[2];

	free(events_text(f->rt));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	OK(ctr_container_http_attach(c, pair[1],
	    HTTP(.flags = STREAM, .initial = "typed ahead", .initial_len = 11), &a, err));
	close(pair[1]);
	/* It is made so that a client can start it. */
	assert_state(c, CTR_STATE_CREATED);
	check_events(f->rt, "init attach");
	burst(f, "hello", 1);
	OK(ctr_container_start(c, 0, err));
	assert_int_equal(ctr_attach_run(a, 5000, NULL), CTR_ATTACH_ENDED);
	n = recv(pair[0], buf, sizeof(buf), MSG_WAITALL);
	assert_int_equal(n, strlen(OK_RAW) + 13);
	assert_memory_equal(buf, OK_RAW "\1\0\0\0\0\0\0\5hello", (size_t)n);
	ctr_attach_unref(a);
	close(pair[0]);
	ctr_container_unref(c);
}

static void http_refused(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_create(f, NULL);
	ctr_attach_t *a = NULL;
	char byte;
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	FAILS(CTR_E_INVALID,
	    ctr_container_http_attach(NULL, pair[1], HTTP(.flags = STREAM), &a, err));
	FAILS(CTR_E_INVALID, ctr_container_http_attach(c, pair[1], NULL, &a, err));
	FAILS(CTR_E_INVALID, ctr_container_http_attach(c, -1, HTTP(.flags = STREAM), &a, err));
	FAILS(CTR_E_INVALID,
	    ctr_container_http_attach(c, pair[1], HTTP(.flags = CTR_HTTP_STREAM), &a, err));
	FAILS(CTR_E_INVALID,
	    ctr_container_http_attach(c, pair[1], HTTP(.flags = CTR_HTTP_STDOUT), &a, err));
	fake_oci_fail(f->fake, FAKE_CREATE, CTR_E_OCI_RUNTIME, 1);
	FAILS(CTR_E_OCI_RUNTIME,
	    ctr_container_http_attach(c, pair[1], HTTP(.flags = STREAM), &a, err));
	OK(ctr_container_start(c, 0, err));
	OK(ctr_container_pause(c, err));
	FAILS(
	    CTR_E_CTR_STATE, ctr_container_http_attach(c, pair[1], HTTP(.flags = STREAM), &a, err));
	assert_null(a);
	/* The host answers: nothing has been written. */
	assert_int_equal(recv(pair[0], &byte, 1, MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
	close(pair[0]);
	close(pair[1]);
	ctr_container_unref(c);
}

static void put_log(ctr_container_t *c)
{
	static const char log[] = "2024-05-06T07:08:09.000000001+00:00 stdout F line\n"
	                          "2024-05-06T07:08:09.000000002+00:00 stderr F error\n"
	                          "2024-05-06T07:08:09.000000003+00:00 stdout P no end\n";
	ctr_config_t *cfg = ctr_container_config(c);
	const char *path = ctr_config_log_path(cfg);
	char *dir = strndup(path, (size_t)(strrchr(path, '/') - path));
	int fd;

	(void)mkdir(dir, 0700);
	free(dir);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, log, sizeof(log) - 1), sizeof(log) - 1);
	close(fd);
	ctr_config_unref(cfg);
}

static void http_log(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_create(f, NULL);
	ctr_attach_t *a = NULL;
	char buf[256];
	int pair[2];

	put_log(c);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	/* The log alone: nothing is made for it. */
	OK(ctr_container_http_attach(c, pair[1],
	    HTTP(.flags = CTR_HTTP_LOGS | CTR_HTTP_STDOUT | CTR_HTTP_NO_HEADER), &a, err));
	assert_state(c, CTR_STATE_CONFIGURED);
	assert_int_equal(ctr_attach_run(a, 5000, NULL), CTR_ATTACH_ENDED);
	assert_int_equal(recv(pair[0], buf, 27, MSG_WAITALL), 27);
	assert_memory_equal(buf, "\1\0\0\0\0\0\0\5line\n\1\0\0\0\0\0\0\6no end", 27);
	assert_int_equal(recv(pair[0], buf, 1, MSG_DONTWAIT), -1);
	ctr_attach_unref(a);
	/* Then the streams. */
	OK(ctr_container_http_attach(
	    c, pair[1], HTTP(.flags = CTR_HTTP_LOGS | STREAM | CTR_HTTP_NO_HEADER), &a, err));
	burst(f, "live", 1);
	OK(ctr_container_start(c, 0, err));
	assert_int_equal(ctr_attach_run(a, 5000, NULL), CTR_ATTACH_ENDED);
	assert_int_equal(recv(pair[0], buf, 13 + 14 + 14 + 12, MSG_WAITALL), 13 + 14 + 14 + 12);
	assert_memory_equal(buf + 13, "\2\0\0\0\0\0\0\6error\n", 14);
	assert_memory_equal(buf + 41, "\1\0\0\0\0\0\0\4live", 12);
	ctr_attach_unref(a);
	close(pair[0]);
	close(pair[1]);
	ctr_container_unref(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	    TEST(streams),
	    TEST(several_at_once),
	    TEST(outlives_its_handle),
	    TEST(the_hosts_descriptors),
	    TEST(nobody_reads),
	    TEST(detaching),
	    TEST(cancelling),
	    TEST(shutdown_ends_it),
	    TEST(a_forked_child),
	    TEST(refused),
	    TEST(runtime_without_streams),
	    TEST(sizes),
	    TEST(resize_without_the_lock),
	    TEST(start_and_attach),
	    TEST(start_fails),
	    TEST(dependencies_first),
	    TEST(http),
	    TEST(http_refused),
	    TEST(http_log),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
