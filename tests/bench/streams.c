/* SPDX-License-Identifier: Apache-2.0 */
/* Streams of real containers: bytes through an attach, one byte to a terminal and back, what an idle attach costs. */
#include "sections.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "podman.h"

#define PACKET 8193
#define IDLE   200 /* attaches whose memory is counted */

/* The line that it reads says how many MiB it writes; a container's streams are its own until then. */
#define SCRIPT "read n; exec busybox dd if=/dev/zero bs=1M count=$n 2>/dev/null\n"

static char *put_script(const struct world *w)
{
	char *path = text("%s/stream.sh", w->rootfs);

	write_file(path, SCRIPT, strlen(SCRIPT));
	return path;
}

static ctr_container_t *make(const struct world *w, const char *argument, bool terminal)
{
	ctr_config_builder_t *b = ctr_config_builder_new();
	ctr_config_t *cfg = NULL;
	ctr_container_t *c;

	ctr_config_builder_set_str(b, CTR_CONFIG_ROOTFS, w->rootfs, NULL);
	ctr_config_builder_set_str(b, CTR_CONFIG_LOG_DRIVER, "none", NULL);
	ctr_config_builder_set_bool(b, CTR_CONFIG_STDIN, 1, NULL);
	ctr_config_builder_set_bool(b, CTR_SPEC_TERMINAL, terminal, NULL);
	ctr_config_builder_add_str(b, CTR_CONFIG_COMMAND, "/bin/busybox", NULL);
	ctr_config_builder_add_str(b, CTR_CONFIG_COMMAND, terminal ? "cat" : "sh", NULL);
	if (argument)
		ctr_config_builder_add_str(b, CTR_CONFIG_COMMAND, argument, NULL);
	OK(ctr_config_builder_build(b, &cfg, &err));
	ctr_config_builder_free(b);
	c = create(w->rt, cfg);
	ctr_config_unref(cfg);
	return c;
}

static void drop(ctr_container_t *c)
{
	OK(ctr_container_remove(c, CTR_REMOVE_FORCE, &err));
	ctr_container_unref(c);
}

/* The monitor's socket itself. */
static int connect_bare(const struct world *w, ctr_container_t *c)
{
	char *path = text("%s/containers/%s/attach", w->run_root, ctr_container_id(c));
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int at = open(path, O_PATH | O_CLOEXEC),
	    fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "/proc/self/fd/%d", at);
	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		die("%s: %s", path, strerror(errno));
	close(at);
	free(path);
	return fd;
}

/* ---- throughput ---- */

static double by_attach(const struct world *w, const char *mib)
{
	ctr_container_t *c = make(w, "/stream.sh", false);
	int p[2], null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	struct ctr_attach_opts o = {
	    .size = sizeof(o), .flags = CTR_ATTACH_STDIN | CTR_ATTACH_STDOUT, .stdout_fd = null};
	ctr_attach_t *a = NULL;
	int64_t t;

	if (pipe2(p, O_CLOEXEC) < 0)
		die("pipe: %s", strerror(errno));
	o.stdin_fd = p[0];
	OK(ctr_container_start_and_attach(c, 0, &o, &a, &err));
	sleep_ms(100);
	t = now_ns();
	if (write(p[1], mib, strlen(mib)) < 0)
		die("write: %s", strerror(errno));
	OK(ctr_attach_run(a, -1, &err));
	t = now_ns() - t;
	if (ctr_attach_result(a) != CTR_ATTACH_ENDED)
		die("the attach ended otherwise");
	ctr_attach_unref(a);
	close(p[0]);
	close(p[1]);
	close(null);
	drop(c);
	return (double)t;
}

static double by_socket(const struct world *w, const char *mib)
{
	ctr_container_t *c = make(w, "/stream.sh", false);
	int fd, null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	char buf[PACKET];
	int64_t t;
	ssize_t n;

	OK(ctr_container_start(c, 0, &err));
	fd = connect_bare(w, c);
	sleep_ms(100);
	t = now_ns();
	if (send(fd, mib, strlen(mib), 0) < 0)
		die("send: %s", strerror(errno));
	while ((n = recv(fd, buf, sizeof(buf), 0)) > 0)
		if (write(null, buf + 1, (size_t)n - 1) < 0)
			die("write: %s", strerror(errno));
	t = now_ns() - t;
	close(fd);
	close(null);
	drop(c);
	return (double)t;
}

/* The same program without a container. */
static double by_pipe(const struct world *w, const char *mib)
{
	char *busybox = text("%s/bin/busybox", w->rootfs),
	     *script = text("%s/stream.sh", w->rootfs);
	const char *argv[] = {busybox, "sh", script, NULL};
	int in[2], out[2], null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	char buf[PACKET];
	int64_t t;
	pid_t pid;
	ssize_t n;

	if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0)
		die("pipe: %s", strerror(errno));
	pid = start_program(argv, in[0], out[1]);
	close(in[0]);
	close(out[1]);
	sleep_ms(20);
	t = now_ns();
	if (write(in[1], mib, strlen(mib)) < 0)
		die("write: %s", strerror(errno));
	while ((n = read(out[0], buf, sizeof(buf))) > 0)
		if (write(null, buf, (size_t)n) < 0)
			die("write: %s", strerror(errno));
	t = now_ns() - t;
	wait_program(pid);
	close(in[1]);
	close(out[0]);
	close(null);
	free(busybox);
	free(script);
	return (double)t;
}

/* `podman attach` with that line as its input. */
static double podman_attach(struct podman *p, const char *mib)
{
	static const char *const options[] = {"--log-driver=none", "-i", "--name=stream", NULL};
	const char *argv[48];
	char *line = text("%s/line", p->w->disk);
	int64_t t;
	size_t n = 0;
	int in;

	podman_container(p, argv, "create", options, "/bin/sh", "/stream.sh");
	time_program(argv, NULL);
	podman_command(p, "start", "stream", NULL);
	write_file(line, mib, strlen(mib));
	in = open(line, O_RDONLY | O_CLOEXEC);
	while (p->global[n]) {
		argv[n] = p->global[n];
		n++;
	}
	argv[n++] = "attach";
	argv[n++] = "stream";
	argv[n] = NULL;
	t = now_ns();
	wait_program(start_program(argv, in, -1));
	t = now_ns() - t;
	close(in);
	free(line);
	podman_command(p, "rm", "-f", "stream");
	return (double)t;
}

/* What the command itself takes does not count. */
static double podman_bytes(struct world *w, const char *mib)
{
	struct samples s = {0};
	struct podman p;
	double m;

	if (!podman_init(&p, w))
		return 0;
	for (int i = 0; i < rounds(3, 2); i++)
		sample(&s, podman_attach(&p, mib) - podman_attach(&p, "0\n"));
	m = median(&s);
	samples_free(&s);
	podman_end(&p);
	return m;
}

static void bytes(struct world *w)
{
	int mib = rounds(1024, 256);
	char *line = text("%d\n", mib), *what = text("%d MiB of dd through an attach", mib);
	struct samples ours = {0}, bare = {0}, plain = {0};

	by_attach(w, "1\n");
	by_socket(w, "1\n");
	for (int i = 0; i < rounds(7, 3); i++) {
		sample(&ours, by_attach(w, line));
		sample(&bare, by_socket(w, line));
		sample(&plain, by_pipe(w, line));
	}
	emit_note((struct row){"attach.bytes", what, UNIT_NS, RULE_RATIO_MAX, median(&ours),
	              median(&bare), 1.3, podman_bytes(w, line), NULL},
	    "floor: conmon's socket by hand. MB/s: libctr %.0f, conmon's socket %.0f, a pipe "
	    "without "
	    "container %.0f",
	    mib * 1.048576e9 / median(&ours), mib * 1.048576e9 / median(&bare),
	    mib * 1.048576e9 / median(&plain));
	samples_free(&ours);
	samples_free(&bare);
	samples_free(&plain);
	free(line);
	free(what);
}

/* ---- one byte ---- */

/* The terminal echoes it. */
static void round_trips(struct world *w)
{
	ctr_container_t *c = make(w, NULL, true);
	struct ctr_attach_opts o = {
	    .size = sizeof(o), .flags = CTR_ATTACH_STDIN | CTR_ATTACH_STDOUT};
	struct samples ours = {0}, bare = {0};
	ctr_attach_t *a = NULL;
	int s[2], fd;
	char buf[PACKET];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s) < 0)
		die("socketpair: %s", strerror(errno));
	o.stdin_fd = o.stdout_fd = s[1];
	OK(ctr_container_start_and_attach(c, 0, &o, &a, &err));
	sleep_ms(100);
	for (int i = 0; i < rounds(2000, 300); i++) {
		int64_t t = now_ns();

		if (write(s[0], "x", 1) != 1)
			die("write: %s", strerror(errno));
		while (recv(s[0], buf, sizeof(buf), MSG_DONTWAIT) <= 0)
			if (ctr_attach_run(a, 0, NULL) == CTR_E_TIMEOUT)
				poll(&(struct pollfd){ctr_attach_fd(a), POLLIN, 0}, 1, -1);
		sample(&ours, (double)(now_ns() - t));
	}
	ctr_attach_unref(a);
	fd = connect_bare(w, c);
	for (int i = 0; i < rounds(2000, 300); i++) {
		int64_t t = now_ns();

		if (send(fd, "x", 1, 0) != 1 || recv(fd, buf, sizeof(buf), 0) < 2)
			die("the terminal does not answer");
		sample(&bare, (double)(now_ns() - t));
	}
	emit_note((struct row){"attach.tty", "one byte to a terminal and back", UNIT_NS, RULE_NONE,
	              median(&ours), median(&bare), 0, 0, NULL},
	    "floor: conmon's socket by hand. 99th percentile: libctr %.1f us, floor %.1f us",
	    percentile(&ours, 99) / 1e3, percentile(&bare, 99) / 1e3);
	close(fd);
	close(s[0]);
	close(s[1]);
	samples_free(&ours);
	samples_free(&bare);
	drop(c);
}

/* ---- idle ones ---- */

static size_t heap(void)
{
	struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd;
}

static void idle(struct world *w)
{
	ctr_container_t *c = make(w, NULL, true);
	ctr_attach_t *a[IDLE] = {NULL};
	size_t before;
	int s[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s) < 0)
		die("socketpair: %s", strerror(errno));
	OK(ctr_container_start(c, 0, &err));
	before = heap();
	for (int i = 0; i < IDLE; i++) {
		struct ctr_attach_opts o = {.size = sizeof(o),
		    .flags = CTR_ATTACH_STDIN | CTR_ATTACH_STDOUT,
		    .stdin_fd = s[1],
		    .stdout_fd = s[1]};

		OK(ctr_container_attach(c, &o, &a[i], &err));
		ctr_attach_run(a[i], 0, NULL);
	}
	emit((struct row){"attach.idle", "heap of an idle attach", UNIT_BYTES, RULE_MAX,
	    (double)(heap() - before) / IDLE, 0, 16 << 10, 0, NULL});
	for (int i = 0; i < IDLE; i++)
		ctr_attach_unref(a[i]);
	close(s[0]);
	close(s[1]);
	drop(c);
}

void section_streams(struct world *w)
{
	char *script;

	world_open(w);
	script = put_script(w);
	if (want("attach.bytes"))
		bytes(w);
	if (want("attach.tty"))
		round_trips(w);
	if (want("attach.idle"))
		idle(w);
	free(script);
}
