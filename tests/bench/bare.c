/* SPDX-License-Identifier: Apache-2.0 */
/* conmon and an OCI runtime driven by hand, with the library's command line and spec: what a container's life
 * costs without a library. */
#include "raw.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sections.h"

#define MARK_ID  "@ID@"
#define MARK_DIR "@DIR@"

static const char *const environment[] = {
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "XDG_RUNTIME_DIR=", "_OCI_SYNCPIPE=3", "_OCI_STARTPIPE=4", NULL};

/* ---- the spec ---- */

static char *replace(const char *in, const char *what, const char *by)
{
	size_t n = 1, what_len = strlen(what), by_len = strlen(by);
	char *out, *p;

	for (const char *s = in; (s = strstr(s, what)); s += what_len)
		n += by_len;
	out = p = malloc(strlen(in) + n);
	if (!out)
		die("no memory");
	for (;;) {
		const char *next = strstr(in, what);

		if (!next)
			break;
		memcpy(p, in, (size_t)(next - in));
		p += next - in;
		memcpy(p, by, by_len);
		p += by_len;
		in = next + what_len;
	}
	strcpy(p, in);
	return out;
}

static char *learn_config(const struct world *w, const char *command, const char *argument)
{
	ctr_config_t *cfg = make_config(w, command, argument);
	ctr_container_t *c = create(w->rt, cfg);
	char *dir = text("%s/containers/", w->run_root), *path, *json, *marked, *both;

	OK(ctr_container_init(c, 0, &err));
	path = text("%s%s/config.json", dir, ctr_container_id(c));
	json = read_file(path, NULL);
	marked = replace(json, dir, MARK_DIR "/");
	both = replace(marked, ctr_container_id(c), MARK_ID);
	OK(ctr_container_remove(c, CTR_REMOVE_FORCE, &err));
	ctr_container_unref(c);
	ctr_config_unref(cfg);
	free(dir);
	free(path);
	free(json);
	free(marked);
	return both;
}

static char *config_for(const struct bare *b, const struct bare_ctr *c)
{
	char *one = replace(b->config, MARK_ID, c->id), *two = replace(one, MARK_DIR, b->bundles);

	free(one);
	return two;
}

void bare_init(struct bare *b, const struct world *w, const char *name, const char *command,
    const char *argument)
{
	char *dir = text("%s/%s", w->tmpfs, name);

	b->conmon = w->conmon;
	b->oci = w->oci;
	b->oci_name = w->oci_name;
	b->bundles = text("%s/bundles", dir);
	b->oci_root = text("%s/oci", dir);
	b->exits = text("%s/exits", dir);
	b->persist = text("%s/persist", dir);
	b->logs = text("%s/%s-logs", w->disk, name);
	make_dir(dir);
	make_dir(b->bundles);
	make_dir(b->oci_root);
	make_dir(b->exits);
	make_dir(b->persist);
	make_dir(b->logs);
	b->config = learn_config(w, command, argument);
	b->watch = inotify_init1(IN_CLOEXEC);
	if (b->watch < 0 || inotify_add_watch(b->watch, b->exits, IN_MOVED_TO) < 0)
		die("inotify: %s", strerror(errno));
	free(dir);
}

void bare_end(struct bare *b)
{
	close(b->watch);
	free(b->bundles);
	free(b->oci_root);
	free(b->exits);
	free(b->persist);
	free(b->logs);
	free(b->config);
}

/* ---- conmon ---- */

#define WORDS 48

struct words {
	char *v[WORDS];
	size_t n;
};

static void add(struct words *w, char *owned)
{
	w->v[w->n++] = owned;
	w->v[w->n] = NULL;
}

static void option(struct words *w, const char *name, char *owned)
{
	add(w, text("%s", name));
	add(w, owned);
}

static void words_free(struct words *w)
{
	for (size_t i = 0; i < w->n; i++)
		free(w->v[i]);
}

/* As lib/oci/arguments.c. */
static void conmon_words(const struct bare *b, const struct bare_ctr *c, struct words *w)
{
	add(w, text("%s", b->conmon));
	option(w, "--api-version", text("1"));
	option(w, "-c", text("%s", c->id));
	option(w, "-u", text("%s", c->id));
	option(w, "-n", text("bare"));
	option(w, "-r", text("%s", b->oci));
	option(w, "-b", text("%s", c->bundle));
	option(w, "-p", text("%s/pidfile", c->bundle));
	option(w, "--conmon-pidfile", text("%s/conmon.pid", c->bundle));
	option(w, "--exit-dir", text("%s", b->exits));
	option(w, "--persist-dir", text("%s/%s", b->persist, c->id));
	add(w, text("--full-attach"));
	option(w, "--runtime-arg", text("--root"));
	option(w, "--runtime-arg", text("%s", b->oci_root));
	option(w, "--runtime-arg", text("--log-format=json"));
	option(w, "--runtime-arg", text("--log"));
	option(w, "--runtime-arg", text("%s/oci-log", c->bundle));
	option(w, "--log-level", text("warning"));
	option(w, "-l", text("k8s-file:%s/ctr.log", c->logs));
}

/* The child's descriptors 3 and 4 are the other ends of the two pairs. */
static pid_t spawn_conmon(const struct words *w, const char *bundle, int sync, int start)
{
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t attr;
	int high_sync = fcntl(sync, F_DUPFD_CLOEXEC, 64);
	int high_start = fcntl(start, F_DUPFD_CLOEXEC, 64), r;
	pid_t pid;

	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_addopen(&fa, 0, "/dev/null", O_RDWR, 0);
	posix_spawn_file_actions_adddup2(&fa, 0, 1);
	posix_spawn_file_actions_adddup2(&fa, 0, 2);
	posix_spawn_file_actions_adddup2(&fa, high_sync, 3);
	posix_spawn_file_actions_adddup2(&fa, high_start, 4);
	posix_spawn_file_actions_addclosefrom_np(&fa, 5);
	posix_spawn_file_actions_addchdir_np(&fa, bundle);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP);
	r = posix_spawn(&pid, w->v[0], &fa, &attr, w->v, (char *const *)(uintptr_t)environment);
	if (r)
		die("%s: %s", w->v[0], strerror(r));
	posix_spawn_file_actions_destroy(&fa);
	posix_spawnattr_destroy(&attr);
	close(high_sync);
	close(high_start);
	return pid;
}

static void make_id(struct bare_ctr *c)
{
	static _Atomic unsigned int n;

	raw_key(c->id, (unsigned int)getpid() * 100000 + n++);
}

/* What the spec binds into the container. */
static void write_files(const struct bare_ctr *c)
{
	static const char *const names[] = {"hosts", "hostname", "containerenv"};
	char *secrets = text("%s/secrets", c->bundle);

	make_dir(secrets);
	free(secrets);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char *path = text("%s/%s", c->bundle, names[i]);

		write_file(path, "\n", 1);
		free(path);
	}
}

static void write_bundle(struct bare *b, struct bare_ctr *c)
{
	char *json = config_for(b, c), *path = text("%s/config.json", c->bundle);
	char *shm = text("%s/shm", c->bundle), *persist = text("%s/%s", b->persist, c->id);

	make_dir(c->bundle);
	make_dir(c->logs);
	make_dir(shm);
	make_dir(persist);
	write_files(c);
	write_file(path, json, strlen(json));
	free(json);
	free(path);
	free(shm);
	free(persist);
}

void bare_create(struct bare *b, struct bare_ctr *c)
{
	struct words w = {.n = 0};
	int sync[2], start[2], status;
	char reply[8192];
	ssize_t n;
	pid_t pid;

	make_id(c);
	c->bundle = text("%s/%s", b->bundles, c->id);
	c->logs = text("%s/%s", b->logs, c->id);
	write_bundle(b, c);
	conmon_words(b, c, &w);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sync) < 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, start) < 0)
		die("socketpair: %s", strerror(errno));
	pid = spawn_conmon(&w, c->bundle, sync[1], start[1]);
	close(sync[1]);
	close(start[1]);
	send(start[0], "", 1, MSG_NOSIGNAL);
	n = recv(sync[0], reply, sizeof(reply) - 1, 0);
	reply[n > 0 ? n : 0] = '\0';
	if (sscanf(reply, "{\"data\": %d", &c->pid) != 1 || c->pid <= 0)
		die("conmon by hand: \"%s\"", reply);
	waitpid(pid, &status, 0);
	close(start[0]);
	c->sync = sync[0];
	words_free(&w);
}

static void run_oci(struct bare *b, const char *command, const char *id)
{
	const char *argv[] = {b->oci, "--root", b->oci_root, command, id, NULL};

	time_program(argv, NULL);
}

/* As the runtimes' own start does it: what libctr does too. */
static void start_by_fifo(struct bare *b, struct bare_ctr *c)
{
	bool crun = strcmp(b->oci_name, "crun") == 0;
	char *fifo = text("%s/%s/exec.fifo", b->oci_root, c->id), buf[16];
	int fd = open(fifo, (crun ? O_WRONLY : O_RDONLY) | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		die("%s: %s", fifo, strerror(errno));
	if (crun)
		unlink(fifo);
	n = crun ? write(fd, "", 1) : read(fd, buf, sizeof(buf));
	if (!crun)
		unlink(fifo);
	close(fd);
	if (n < 1)
		die("%s did not start", c->id);
	free(fifo);
}

void bare_start(struct bare *b, struct bare_ctr *c, bool by_fifo)
{
	if (by_fifo)
		start_by_fifo(b, c);
	else
		run_oci(b, "start", c->id);
}

/* ---- one more process ---- */

/* The object that begins at `p`, in `json`. */
static size_t object_length(const char *p)
{
	bool quoted = false;
	int depth = 0;

	for (const char *s = p; *s; s++) {
		if (quoted && *s == '\\')
			s++;
		else if (*s == '"')
			quoted = !quoted;
		else if (!quoted && *s == '{')
			depth++;
		else if (!quoted && *s == '}' && --depth == 0)
			return (size_t)(s - p) + 1;
	}
	die("the spec is not understood");
}

static char *process_of(const struct bare *b)
{
	const char *p = strstr(b->config, "\"process\":");
	char *process, *changed;

	if (!p)
		die("the spec has no process");
	p += strlen("\"process\":");
	process = text("%.*s", (int)object_length(p), p);
	changed = replace(process, "\"/bin/sleep\",\"600\"", "\"/bin/true\"");
	free(process);
	return changed;
}

static void exec_words(
    const struct bare *b, const struct bare_ctr *c, const char *dir, struct words *w)
{
	add(w, text("%s", b->conmon));
	option(w, "--api-version", text("1"));
	option(w, "-c", text("%s", c->id));
	option(w, "-u", text("%s", c->id));
	option(w, "-n", text("bare"));
	option(w, "-r", text("%s", b->oci));
	option(w, "-b", text("%s", dir));
	option(w, "-p", text("%s/exec_pid", dir));
	option(w, "--conmon-pidfile", text("%s/conmon.pid", dir));
	option(w, "--exit-dir", text("%s/exit", dir));
	option(w, "--persist-dir", text("%s/persist", dir));
	add(w, text("--full-attach"));
	option(w, "--runtime-arg", text("--root"));
	option(w, "--runtime-arg", text("%s", b->oci_root));
	option(w, "--runtime-arg", text("--log-format=json"));
	option(w, "--runtime-arg", text("--log"));
	option(w, "--runtime-arg", text("%s/oci-log", dir));
	option(w, "-l", text("none"));
	add(w, text("-e"));
	option(w, "--exec-process-spec", text("%s/process.json", dir));
}

static char *exec_dir(const struct bare *b, const struct bare_ctr *c)
{
	static _Atomic unsigned int n;
	char *dir = text("%s/exec-%u", c->bundle, n++), *exit_dir = text("%s/exit", dir);
	char *persist = text("%s/persist", dir), *file = text("%s/process.json", dir);
	char *process = process_of(b);

	make_dir(dir);
	make_dir(exit_dir);
	make_dir(persist);
	write_file(file, process, strlen(process));
	free(process);
	free(file);
	free(persist);
	free(exit_dir);
	return dir;
}

static int receive(int sync)
{
	char reply[8192];
	ssize_t n = recv(sync, reply, sizeof(reply) - 1, 0);
	int number = -1;

	reply[n > 0 ? n : 0] = '\0';
	if (sscanf(reply, "{\"data\": %d", &number) != 1 || number < 0)
		die("conmon by hand: \"%s\"", reply);
	return number;
}

void bare_exec(struct bare *b, const struct bare_ctr *c)
{
	struct words w = {.n = 0};
	char *dir = exec_dir(b, c);
	int sync[2], start[2], status;
	pid_t pid;

	exec_words(b, c, dir, &w);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sync) < 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, start) < 0)
		die("socketpair: %s", strerror(errno));
	pid = spawn_conmon(&w, dir, sync[1], start[1]);
	close(sync[1]);
	close(start[1]);
	send(start[0], "", 1, MSG_NOSIGNAL);
	(void)receive(sync[0]);
	waitpid(pid, &status, 0);
	if (receive(sync[0]) != 0)
		die("/bin/true failed");
	close(start[0]);
	close(sync[0]);
	words_free(&w);
	remove_tree(dir);
	free(dir);
}

void bare_kill(const struct bare_ctr *c)
{
	if (kill(c->pid, SIGKILL) < 0)
		die("%s: cannot be killed", c->id);
}

void bare_wait(struct bare *b, struct bare_ctr *c)
{
	char event[4096] __attribute__((aligned(8)));
	char *path = text("%s/%s", b->exits, c->id);

	if (read(b->watch, event, sizeof(event)) <= 0 || access(path, R_OK) < 0)
		die("%s: no exit file", path);
	free(read_file(path, NULL));
	unlink(path);
	free(path);
}

void bare_delete(struct bare *b, struct bare_ctr *c)
{
	char *persist = text("%s/%s", b->persist, c->id);

	run_oci(b, "delete", c->id);
	close(c->sync);
	remove_tree(c->bundle);
	remove_tree(c->logs);
	remove_tree(persist);
	free(persist);
	free(c->bundle);
	free(c->logs);
}
