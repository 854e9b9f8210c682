/* SPDX-License-Identifier: Apache-2.0 */
/* Podman as it is installed, with directories of its own. */
#include "podman.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

bool podman_init(struct podman *p, const struct world *w)
{
	size_t n = 0;

	memset(p, 0, sizeof(*p));
	if (opt.no_podman || !w->oci || !w->conmon)
		return false;
	p->program = find_program("podman");
	if (!p->program)
		return false;
	/* Podman's own limit; the directory "run" is below. */
	if (strlen(w->tmpfs) + strlen("/p/run") > 50) {
		fprintf(stderr, "podman is left out: --dir is too long for its run root\n");
		return false;
	}
	p->w = w;
	p->dir = text("%s/podman", w->disk);
	p->tmp = text("%s/p", w->tmpfs);
	make_dir(p->dir);
	make_dir(p->tmp);
	p->made[0] = text("--root=%s/root", p->dir);
	p->made[1] = text("--runroot=%s/run", p->tmp);
	p->made[2] = text("--tmpdir=%s/tmp", p->tmp);
	p->made[3] = text("--runtime=%s", w->oci);
	p->global[n++] = p->program;
	for (int i = 0; i < 4; i++)
		p->global[n++] = p->made[i];
	p->global[n++] = "--cgroup-manager=cgroupfs";
	p->global[n++] = "--storage-driver=vfs";
	p->global[n++] = "--events-backend=file";
	/* Its first command makes the store. */
	podman_command(p, "ps", NULL, NULL);
	return true;
}

void podman_end(struct podman *p)
{
	if (!p->program)
		return;
	remove_tree(p->dir);
	remove_tree(p->tmp);
	for (int i = 0; i < 6; i++)
		free(p->made[i]);
	free(p->program);
	free(p->dir);
	free(p->tmp);
	memset(p, 0, sizeof(*p));
}

static size_t put_global(struct podman *p, const char **argv)
{
	size_t n = 0;

	while (p->global[n]) {
		argv[n] = p->global[n];
		n++;
	}
	return n;
}

void podman_container(struct podman *p, const char **argv, const char *command,
    const char *const *options, const char *program, const char *argument)
{
	size_t n = put_global(p, argv);

	argv[n++] = command;
	while (*options)
		argv[n++] = *options++;
	argv[n++] = "--network=none";
	/* Its default limits cannot be set without CAP_SYS_RESOURCE; nor can crun raise what it needs to load
	 * podman's device rules. */
	argv[n++] = "--ulimit=nofile=1024:1024";
	argv[n++] = "--ulimit=nproc=1024:1024";
	if (strcmp(p->w->oci_name, "crun") == 0)
		argv[n++] = "--cgroups=disabled";
	argv[n++] = "--rootfs";
	argv[n++] = p->w->rootfs;
	argv[n++] = program;
	if (argument)
		argv[n++] = argument;
	argv[n] = NULL;
}

double podman_time(struct podman *p, const char *command, const char *program, const char *argument)
{
	static const char *const rm[] = {"--rm", NULL}, *const none[] = {NULL};
	const char *argv[48];

	podman_container(
	    p, argv, command, strcmp(command, "run") == 0 ? rm : none, program, argument);
	return time_program(argv, NULL);
}

double podman_command(struct podman *p, const char *a, const char *b, const char *c)
{
	const char *argv[48];
	size_t n = put_global(p, argv);

	argv[n++] = a;
	if (b)
		argv[n++] = b;
	if (b && c)
		argv[n++] = c;
	argv[n] = NULL;
	return time_program(argv, NULL);
}

char *podman_output(struct podman *p, const char *const *words)
{
	const char **argv;
	char *out;
	size_t n = 0;

	while (words[n])
		n++;
	/* The words may be the IDs of all containers. */
	argv = calloc(sizeof(p->global) / sizeof(*p->global) + n + 1, sizeof(*argv));
	if (!argv)
		die("no memory");
	n = put_global(p, argv);
	while (*words)
		argv[n++] = *words++;
	out = run_output(argv);
	free(argv);
	return out;
}

/* ---- the service ---- */

static int connect_to(const struct service *s)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", s->socket);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

bool service_start(struct podman *p, struct service *s)
{
	const char *argv[48];
	char *url;
	size_t n = put_global(p, argv);

	/* In /tmp: the path of a socket must be short. */
	s->socket = text("/tmp/libctr-bench-%d.sock", (int)getpid());
	url = text("unix://%s", s->socket);
	argv[n++] = "system";
	argv[n++] = "service";
	argv[n++] = "--time=0";
	argv[n++] = url;
	argv[n] = NULL;
	s->pid = start_program(argv, -1, -1);
	free(url);
	for (int i = 0; i < 500; i++) {
		int fd = connect_to(s);

		if (fd >= 0) {
			close(fd);
			return true;
		}
		sleep_ms(20);
	}
	fprintf(stderr, "podman's service does not answer\n");
	service_end(s);
	return false;
}

double service_list(struct service *s, size_t *bytes)
{
	static const char request[] = "GET /v1.40/containers/json?all=true HTTP/1.1\r\n"
	                              "Host: d\r\nConnection: close\r\n\r\n";
	int64_t t = now_ns();
	int fd = connect_to(s);
	char buf[65536];
	ssize_t n;

	if (fd < 0 || write(fd, request, sizeof(request) - 1) < 0)
		die("podman's service: %s", strerror(errno));
	*bytes = 0;
	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		if (*bytes == 0 && strncmp(buf, "HTTP/1.1 200", 12) != 0)
			die("podman's service: %.60s", buf);
		*bytes += (size_t)n;
	}
	close(fd);
	return (double)(now_ns() - t);
}

void service_end(struct service *s)
{
	kill(s->pid, SIGTERM);
	sleep_ms(100);
	kill(s->pid, SIGKILL);
	wait_program(s->pid);
	unlink(s->socket);
	free(s->socket);
}
