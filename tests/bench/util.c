/* SPDX-License-Identifier: Apache-2.0 */
/* Time, samples, files and processes. */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int64_t read_clock(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

int64_t now_ns(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

int64_t cpu_ns(void)
{
	return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

void sleep_ms(int ms)
{
	struct timespec ts = {ms / 1000, ms % 1000 * 1000000L};

	nanosleep(&ts, NULL);
}

const void *keep(const void *p)
{
	__asm__ volatile("" : "+r"(p) : : "memory");
	return p;
}

/* ---- samples ---- */

void sample(struct samples *s, double v)
{
	if (s->n == s->cap) {
		s->cap = s->cap * 2 + 64;
		s->v = realloc(s->v, s->cap * sizeof(*s->v));
		if (!s->v)
			die("no memory");
	}
	s->v[s->n++] = v;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double percentile(struct samples *s, double p)
{
	size_t i;

	if (s->n == 0)
		return 0;
	qsort(s->v, s->n, sizeof(*s->v), compare);
	i = (size_t)((double)s->n * p / 100);
	return s->v[i < s->n ? i : s->n - 1];
}

double median(struct samples *s)
{
	return percentile(s, 50);
}

void samples_free(struct samples *s)
{
	free(s->v);
	*s = (struct samples){0};
}

/* ---- text and files ---- */

void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("bench: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(1);
}

char *text(const char *format, ...)
{
	va_list args;
	char *s;

	va_start(args, format);
	if (vasprintf(&s, format, args) < 0)
		die("no memory");
	va_end(args);
	return s;
}

char *read_file(const char *path, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t n = 0, cap = 1 << 16;
	char *data = malloc(cap);
	ssize_t got;

	if (fd < 0 || !data)
		die("%s: %s", path, strerror(errno));
	while ((got = read(fd, data + n, cap - n - 1)) > 0) {
		n += (size_t)got;
		if (cap - n < 4096) {
			cap *= 2;
			data = realloc(data, cap);
			if (!data)
				die("no memory");
		}
	}
	close(fd);
	data[n] = '\0';
	if (len)
		*len = n;
	return data;
}

void write_file(const char *path, const void *data, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, data, len) != (ssize_t)len)
		die("%s: %s", path, strerror(errno));
	close(fd);
}

void make_dir(const char *path)
{
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		die("%s: %s", path, strerror(errno));
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st, (void)kind, (void)at;
	remove(path);
	return 0;
}

void remove_tree(const char *path)
{
	nftw(path, remove_one, 32, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

void copy_file(const char *from, const char *to)
{
	struct stat st;
	size_t len;
	char *data = read_file(from, &len);

	write_file(to, data, len);
	if (stat(from, &st) < 0 || chmod(to, st.st_mode & 0777) < 0)
		die("%s: %s", to, strerror(errno));
	free(data);
}

char *find_program(const char *name)
{
	static const char *const dirs[] = {"/usr/local/bin", "/usr/local/sbin", "/usr/bin",
	    "/usr/sbin", "/bin", "/sbin", "/usr/libexec/podman"};

	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs); i++) {
		char *path = text("%s/%s", dirs[i], name);

		if (access(path, X_OK) == 0)
			return path;
		free(path);
	}
	return NULL;
}

char *beside(const char *name)
{
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	if (n < 0)
		die("/proc/self/exe: %s", strerror(errno));
	self[n] = '\0';
	slash = strrchr(self, '/');
	*slash = '\0';
	return text("%s/%s", self, name);
}

/* ---- processes ---- */

extern char **environ;

pid_t start_program(const char *const *argv, int in, int out)
{
	posix_spawn_file_actions_t fa;
	pid_t pid;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), r;

	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_adddup2(&fa, in < 0 ? null : in, 0);
	posix_spawn_file_actions_adddup2(&fa, out < 0 ? null : out, 1);
	r = posix_spawn(&pid, argv[0], &fa, NULL, (char *const *)(uintptr_t)argv, environ);
	posix_spawn_file_actions_destroy(&fa);
	close(null);
	if (r)
		die("%s: %s", argv[0], strerror(r));
	return pid;
}

int wait_program(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			die("waitpid: %s", strerror(errno));
	}
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

double time_program(const char *const *argv, int *code)
{
	int64_t t = now_ns();
	int r = wait_program(start_program(argv, -1, -1));

	t = now_ns() - t;
	if (code)
		*code = r;
	else if (r)
		die("%s %s ended with %d", argv[0], argv[1] ? argv[1] : "", r);
	return (double)t;
}

static double timeval_ns(struct timeval t)
{
	return (double)t.tv_sec * 1e9 + (double)t.tv_usec * 1e3;
}

double children_cpu(void)
{
	struct rusage u;

	getrusage(RUSAGE_CHILDREN, &u);
	return timeval_ns(u.ru_utime) + timeval_ns(u.ru_stime);
}

char *run_output(const char *const *argv)
{
	size_t n = 0, cap = 1 << 16;
	char *data = malloc(cap);
	int ends[2], code;
	ssize_t got;
	pid_t pid;

	if (!data || pipe2(ends, O_CLOEXEC) < 0)
		die("no memory or pipe");
	pid = start_program(argv, -1, ends[1]);
	close(ends[1]);
	while ((got = read(ends[0], data + n, cap - n - 1)) > 0) {
		n += (size_t)got;
		if (n + 1 == cap) {
			cap *= 2;
			data = realloc(data, cap);
			if (!data)
				die("no memory");
		}
	}
	close(ends[0]);
	data[n] = '\0';
	code = wait_program(pid);
	if (code)
		die("%s %s ended with %d", argv[0], argv[1] ? argv[1] : "", code);
	return data;
}
