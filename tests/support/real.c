/* SPDX-License-Identifier: Apache-2.0 */
/* Stores with real containers: see real.h. real_left.c has the search for what is left of them. */
#include "real.h"
#include "real_left.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

char real_runtime[16];
char real_path[64];

void real_init(int argc, char **argv)
{
	static const char *const dirs[] = {
	    "/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"};

	snprintf(real_runtime, sizeof(real_runtime), "%s", argc > 1 ? argv[1] : "runc");
	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs); i++) {
		snprintf(real_path, sizeof(real_path), "%s/%s", dirs[i], real_runtime);
		if (access(real_path, X_OK) == 0)
			return;
	}
	fprintf(stderr, "there is no %s\n", real_runtime);
	exit(1);
}

bool real_is_runc(void)
{
	return strcmp(real_runtime, "runc") == 0;
}

bool real_is_cgroup2(void)
{
	return access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0;
}

int64_t real_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void nap(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
}

/* ---- making and removing the store ---- */

static bool copy_file(const char *from, const char *to)
{
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	char buf[65536];
	ssize_t n = -1;

	while (in >= 0 && out >= 0 && (n = read(in, buf, sizeof(buf))) > 0)
		if (write(out, buf, (size_t)n) != n)
			break;
	close(in);
	return close(out) == 0 && n == 0;
}

static bool make_rootfs(const char *dir)
{
	static const char *const dirs[] = {"", "/bin", "/proc", "/sys", "/dev", "/etc", "/tmp"};
	static const char *const applets[] = {"sh", "sleep", "echo", "cat", "env", "hostname",
	    "true", "false", "touch", "id", "tty", "tail", "dd", "kill", "readlink", "grep", "pwd",
	    "test", "seq", "df", "ls", "stty"};
	char path[256];

	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs); i++) {
		snprintf(path, sizeof(path), "%s%s", dir, dirs[i]);
		if (mkdir(path, 0755) < 0)
			return false;
	}
	if (chmod(path, 01777) < 0)
		return false;
	snprintf(path, sizeof(path), "%s/bin/busybox", dir);
	if (!copy_file("/bin/busybox", path))
		return false;
	for (size_t i = 0; i < sizeof(applets) / sizeof(*applets); i++) {
		snprintf(path, sizeof(path), "%s/bin/%s", dir, applets[i]);
		if (symlink("busybox", path) < 0)
			return false;
	}
	return true;
}

ctr_runtime_t *real_open(const struct real *r)
{
	struct ctr_open_opts o = {.size = sizeof(o), .root = r->root, .run_root = r->run};
	ctr_error_t *err = NULL;
	ctr_runtime_t *rt = NULL;

	o.oci_runtimes = real_path;
	o.helper = TEST_HELPER;
	if (ctr_runtime_open(&o, &rt, &err) < 0)
		fprintf(stderr, "cannot open %s: %s\n", r->root, ctr_error_message(err));
	ctr_error_free(err);
	return rt;
}

struct real *real_new(void)
{
	struct real *r = calloc(1, sizeof(*r));
	const char *tmp = getenv("TMPDIR");

	if (!r)
		return NULL;
	snprintf(r->dir, sizeof(r->dir), "%s/libctr-real-XXXXXX", tmp ? tmp : "/tmp");
	/* A user of a container other than root must get to its root file system. */
	if (!mkdtemp(r->dir) || chmod(r->dir, 0755) < 0) {
		free(r);
		return NULL;
	}
	snprintf(r->root, sizeof(r->root), "%s/root", r->dir);
	snprintf(r->run, sizeof(r->run), "%s/run", r->dir);
	snprintf(r->rootfs, sizeof(r->rootfs), "%s/rootfs", r->dir);
	snprintf(r->cgroup, sizeof(r->cgroup), "/%s", strrchr(r->dir, '/') + 1);
	if (!make_rootfs(r->rootfs)) {
		fprintf(stderr, "cannot make %s: %s\n", r->rootfs, strerror(errno));
		free(r);
		return NULL;
	}
	r->rt = real_open(r);
	return r;
}

static void remove_pods(ctr_runtime_t *rt)
{
	ctr_pod_list_t *list = NULL;

	if (ctr_pod_list(rt, NULL, 0, &list, NULL) < 0)
		return;
	for (size_t i = 0; i < ctr_pod_list_count(list); i++) {
		ctr_pod_t *pod = NULL;
		ctr_error_t *err = NULL;

		if (ctr_pod_get(rt, ctr_pod_list_id(list, i), &pod, &err) >= 0 &&
		    ctr_pod_remove(pod, 0, CTR_POD_REMOVE_FORCE, &err) < 0)
			fprintf(stderr, "cannot remove: %s\n", ctr_error_message(err));
		ctr_error_free(err);
		ctr_pod_unref(pod);
	}
	ctr_pod_list_free(list);
}

static bool remove_containers(ctr_runtime_t *rt)
{
	ctr_list_t *list = NULL;
	bool ok = true;

	remove_pods(rt);
	if (ctr_runtime_list(rt, NULL, 0, &list, NULL) < 0)
		return false;
	/* Those that depend on others go first: a few rounds. */
	for (size_t i = 0; i < ctr_list_count(list) * ctr_list_count(list); i++) {
		ctr_container_t *c = NULL;
		ctr_error_t *err = NULL;
		int result;

		if (ctr_container_get(rt, ctr_list_id(list, i % ctr_list_count(list)), &c, NULL) <
		    0)
			continue;
		result = ctr_container_remove(c, CTR_REMOVE_FORCE | CTR_REMOVE_RECURSIVE, &err);
		if (result < 0 && result != CTR_E_CTR_EXISTS) {
			fprintf(stderr, "cannot remove: %s\n", ctr_error_message(err));
			ok = false;
		}
		ctr_error_free(err);
		ctr_container_unref(c);
	}
	ctr_list_free(list);
	return ok;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

bool real_free(struct real *r)
{
	bool ok = r->rt && remove_containers(r->rt);

	ctr_runtime_unref(r->rt);
	ok = real_nothing_left(r) && ok;
	if (nftw(r->dir, remove_one, 32, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) != 0) {
		fprintf(stderr, "cannot remove %s: %s\n", r->dir, strerror(errno));
		ok = false;
	}
	free(r);
	return ok;
}

int real_setup(void **state)
{
	struct real *r = real_new();

	*state = r;
	return r && r->rt ? 0 : -1;
}

int real_teardown(void **state)
{
	return real_free(*state) ? 0 : -1;
}

/* ---- containers ---- */

ctr_config_builder_t *real_builder(const struct real *r, const char *script)
{
	ctr_config_builder_t *b = ctr_config_builder_new();

	assert_non_null(b);
	/* Errors show at build. */
	ctr_config_builder_set_str(b, CTR_CONFIG_ROOTFS, r->rootfs, NULL);
	ctr_config_builder_set_str(b, CTR_CONFIG_CGROUP_PARENT, r->cgroup, NULL);
	if (script) {
		ctr_config_builder_add_str(b, CTR_CONFIG_COMMAND, "/bin/sh", NULL);
		ctr_config_builder_add_str(b, CTR_CONFIG_COMMAND, "-c", NULL);
		ctr_config_builder_add_str(b, CTR_CONFIG_COMMAND, script, NULL);
	}
	return b;
}

ctr_container_t *real_create_from(const struct real *r, ctr_config_builder_t *b)
{
	ctr_config_t *cfg = NULL;
	ctr_container_t *c = NULL;

	OK(ctr_config_builder_build(b, &cfg, err));
	ctr_config_builder_free(b);
	OK(ctr_container_create(r->rt, cfg, 0, &c, err));
	ctr_config_unref(cfg);
	return c;
}

ctr_container_t *real_create(const struct real *r, const char *script)
{
	return real_create_from(r, real_builder(r, script));
}

ctr_container_t *real_start(const struct real *r, const char *script)
{
	ctr_container_t *c = real_create(r, script);

	OK(ctr_container_start(c, 0, err));
	return c;
}

ctr_container_t *real_start_ready(const struct real *r, const char *script)
{
	ctr_container_t *c = real_start(r, script);

	real_await_log(c, "ready");
	return c;
}

int32_t real_wait(ctr_container_t *c)
{
	int32_t code = -2;

	OK(ctr_container_wait(c, PATIENCE_MS, &code, err));
	return code;
}

int32_t real_pid(ctr_container_t *c)
{
	int32_t pid = -1;

	OK(ctr_container_pid(c, &pid, err));
	return pid;
}

int32_t real_conmon_pid(ctr_container_t *c)
{
	int32_t pid = -1;

	OK(ctr_container_conmon_pid(c, &pid, err));
	return pid;
}

void real_remove(ctr_container_t *c, uint64_t flags)
{
	OK(ctr_container_remove(c, flags, err));
	ctr_container_unref(c);
}

/* ---- logs and files ---- */

char *real_slurp(const char *format, ...)
{
	size_t size = 0, cap = 4096;
	char path[1024], *text;
	va_list args;
	ssize_t n;
	int fd;

	va_start(args, format);
	vsnprintf(path, sizeof(path), format, args);
	va_end(args);
	text = malloc(cap);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	while (text && fd >= 0 && (n = read(fd, text + size, cap - size - 1)) > 0) {
		size += (size_t)n;
		if (cap - size < 2)
			text = realloc(text, cap *= 2);
	}
	if (fd >= 0)
		close(fd);
	assert_non_null(text);
	text[size] = '\0';
	return text;
}

char *real_log(ctr_container_t *c)
{
	ctr_config_t *cfg = ctr_container_config(c);
	char *text = real_slurp("%s", ctr_config_log_path(cfg));

	ctr_config_unref(cfg);
	return text;
}

static int count(const char *text, const char *wanted)
{
	int n = 0;

	while ((text = strstr(text, wanted))) {
		text += strlen(wanted);
		n++;
	}
	return n;
}

void real_await_log(ctr_container_t *c, const char *wanted)
{
	real_await_log_times(c, wanted, 1);
}

void real_await_log_times(ctr_container_t *c, const char *wanted, int times)
{
	int64_t deadline = real_now_ms() + PATIENCE_MS;

	for (;;) {
		char *text = real_log(c);
		bool found = count(text, wanted) >= times;

		if (!found && real_now_ms() > deadline)
			fail_msg("the log never said \"%s\": %s", wanted, text);
		free(text);
		if (found)
			return;
		nap();
	}
}

/* Takes "TIME stream F|P " from the front of each line. */
static char *plain(char *log)
{
	char *out = log, *line = log, *next;

	for (; *line; line = next) {
		char *text = line;
		bool partial;

		next = strchr(line, '\n');
		next = next ? next + 1 : line + strlen(line);
		for (int i = 0; i < 3 && text < next; i++)
			text = memchr(text, ' ', (size_t)(next - text)) + 1;
		partial = text[-2] == 'P';
		memmove(out, text, (size_t)(next - text));
		out += next - text - partial;
	}
	*out = '\0';
	return log;
}

char *real_output(const struct real *r, ctr_config_builder_t *b, int32_t code)
{
	ctr_container_t *c = real_create_from(r, b);
	int32_t got;
	char *text;

	OK(ctr_container_start(c, 0, err));
	got = real_wait(c);
	text = plain(real_log(c));
	if (got != code)
		fail_msg("the container ended with %d, not %d: %s", got, code, text);
	real_remove(c, 0);
	return text;
}

void real_says(const struct real *r, ctr_config_builder_t *b, const char *expected)
{
	char *text = real_output(r, b, 0);

	assert_string_equal(text, expected);
	free(text);
}

/* ---- cgroups ---- */

bool real_has_controller(const char *name)
{
	char path[128], *list;
	bool found = false;

	if (!real_is_cgroup2()) {
		snprintf(path, sizeof(path), "/sys/fs/cgroup/%s/tasks", name);
		return access(path, F_OK) == 0;
	}
	list = real_slurp("/sys/fs/cgroup/cgroup.controllers");
	for (char *save, *word = strtok_r(list, " \n", &save); word;
	     word = strtok_r(NULL, " \n", &save))
		found = found || strcmp(word, name) == 0;
	free(list);
	return found;
}

char *real_cgroup_file(
    ctr_container_t *c, const char *controller, const char *v1_name, const char *v2_name)
{
	char *group = NULL, *text;

	OK(ctr_container_cgroup_path(c, &group, err));
	text = real_is_cgroup2() ? real_slurp("/sys/fs/cgroup%s/%s", group, v2_name)
	                         : real_slurp("/sys/fs/cgroup/%s%s/%s", controller, group, v1_name);
	text[strcspn(text, "\n")] = '\0';
	ctr_free(group);
	return text;
}

/* ---- processes ---- */

bool real_alive(pid_t pid)
{
	char *stat = real_slurp("/proc/%d/stat", (int)pid);
	const char *end = strrchr(stat, ')');
	bool alive = end && end[1] && end[2] != 'Z' && end[2] != 'X';

	free(stat);
	return alive;
}

void real_await_end(pid_t pid)
{
	int64_t deadline = real_now_ms() + PATIENCE_MS;

	while (real_alive(pid)) {
		if (real_now_ms() > deadline)
			fail_msg("process %d does not end", (int)pid);
		nap();
	}
}

pid_t real_fork(const struct real *r, void (*fn)(struct real *r, void *arg), void *arg)
{
	struct real mine = *r;
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	/* A failed check must not jump back into the tests of the parent. */
	setenv("CMOCKA_TEST_ABORT", "1", 1);
	mine.rt = real_open(r);
	if (!mine.rt)
		_exit(2);
	fn(&mine, arg);
	ctr_runtime_unref(mine.rt);
	_exit(0);
}

void real_join(pid_t pid)
{
	int status = -1;

	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (status)
		fail_msg("process %d ended with status %#x", (int)pid, (unsigned int)status);
}
