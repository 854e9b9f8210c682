/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kill -9 at every point: a process does one operation with a real OCI runtime and a real monitor and is killed
 * at the entry of its k-th system call (its children live on, as in life); then another process, which had the
 * store open all along, lists, looks, sometimes finishes the operation, and removes. Nothing may be left.
 *
 *	kill_sweep [--oci runc|crun] [--every N] [--full] [--show] [OPERATION...]
 *
 * Without --full the victim dies only right before and after calls with an effect outside of it, and of those
 * at every N-th. --times instead kills after so many microseconds, at full speed, wherever that is.
 */
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <libctr/libctr.h>

#include "victim.h"
#include "world.h"

#define PATIENCE_MS 2000     /* what the kernel may take to clear up after a remove has returned */
#define SLOW_US     10000000 /* a call that takes longer hangs */
#define TEXT_MAX    8192

/* ---- operations ---- */

#define IN(state) (1U << CTR_STATE_##state)
#define GONE      (1U << 30)

struct op {
	const char *name;
	int32_t from;
	int (*act)(ctr_container_t *c, ctr_error_t **err); /* NULL: create */
	unsigned after;  /* what may be found after a kill         */
	unsigned target; /* what a completed one leads to          */
};

static int do_init(ctr_container_t *c, ctr_error_t **err)
{
	return ctr_container_init(c, 0, err);
}

static int do_start(ctr_container_t *c, ctr_error_t **err)
{
	return ctr_container_start(c, 0, err);
}

static int do_stop(ctr_container_t *c, ctr_error_t **err)
{
	return ctr_container_stop(c, NULL, err);
}

static int do_kill(ctr_container_t *c, ctr_error_t **err)
{
	return ctr_container_kill(c, SIGKILL, err);
}

static int do_cleanup(ctr_container_t *c, ctr_error_t **err)
{
	return ctr_container_cleanup(c, 0, err);
}

static int do_remove(ctr_container_t *c, ctr_error_t **err)
{
	return ctr_container_remove(c, CTR_REMOVE_FORCE, err);
}

static int do_evict(ctr_container_t *c, ctr_error_t **err)
{
	return ctr_runtime_evict(ctr_container_runtime(c), ctr_container_id(c), 0, NULL, err);
}

static int do_restart(ctr_container_t *c, ctr_error_t **err)
{
	return ctr_container_restart_with_timeout(c, 0, err);
}

/* The container has ended by itself and has a restart policy. */
static int do_policy(ctr_container_t *c, ctr_error_t **err)
{
	return ctr_container_handle_exit(c, CTR_EXIT_NO_DELAY, err);
}

#define NEW_NAME "victim-too"

static int do_rename(ctr_container_t *c, ctr_error_t **err)
{
	ctr_config_t *cfg = ctr_container_config(c);
	int same = strcmp(ctr_config_name(cfg), NEW_NAME) == 0;

	ctr_config_unref(cfg);
	return same ? 0 : ctr_container_rename(c, NEW_NAME, err);
}

/* A limit of a controller that is there: the file of a container's cgroup, and what it shall say. */
struct limit {
	const char *resources, *file, *value;
};

static struct limit choose_limit(void)
{
	static const struct limit pids = {"{\"pids\":{\"limit\":60}}", "pids.max", "60"};
	static const struct limit huge = {
	    "{\"unified\":{\"hugetlb.2MB.max\":\"4194304\"}}", "hugetlb.2MB.max", "4194304"};
	char list[256] = "pids";
	FILE *f = fopen("/sys/fs/cgroup/cgroup.controllers", "re");

	if (f) {
		list[fread(list, 1, sizeof(list) - 1, f)] = '\0';
		fclose(f);
	}
	return strstr(list, "pids") ? pids : huge;
}

static int do_update(ctr_container_t *c, ctr_error_t **err)
{
	struct ctr_update_opts o = {.size = sizeof(o), .resources = choose_limit().resources};

	return ctr_container_update(c, &o, err);
}

/* With a dependency, which it joins and which has to be started first. */
static int do_run_family(ctr_container_t *c, ctr_error_t **err)
{
	return ctr_container_start(c, CTR_START_RECURSIVE, err);
}

static int do_check(ctr_container_t *c, ctr_error_t **err)
{
	return ctr_container_healthcheck_run(c, 0, NULL, err);
}

/* ---- streams ---- */

static struct ctr_attach_opts output(void)
{
	return (struct ctr_attach_opts){
	    .size = sizeof(struct ctr_attach_opts), .flags = CTR_ATTACH_STDOUT, .stdout_fd = 2};
}

static int do_attach(ctr_container_t *c, ctr_error_t **err)
{
	struct ctr_attach_opts o = output();
	ctr_attach_t *a = NULL;
	int r = ctr_container_attach(c, &o, &a, err);

	ctr_attach_unref(a);
	return r;
}

static int do_start_attached(ctr_container_t *c, ctr_error_t **err)
{
	struct ctr_attach_opts o = output();
	ctr_attach_t *a = NULL;
	int r = ctr_container_start_and_attach(c, 0, &o, &a, err);

	ctr_attach_unref(a);
	return r;
}

/* ---- exec sessions ---- */

/* No other process has this argument. */
#define EXEC_MARK "8675309"

/* The only session; NULL: there is none, or somebody else has removed it. */
static ctr_exec_t *only_session(ctr_container_t *c, ctr_error_t **err)
{
	char **ids = NULL;
	ctr_exec_t *x = NULL;

	if (ctr_container_exec_sessions(c, &ids, err) >= 0 && ids[0])
		(void)ctr_container_exec_lookup(c, ids[0], &x, err);
	ctr_strv_free(ids);
	return x;
}

static int do_exec(ctr_container_t *c, ctr_error_t **err)
{
	static const char *const command[] = {"/bin/sleep", "0.1", NULL};
	struct ctr_exec_opts o = {.size = sizeof(o), .command = command};
	int32_t code = -5;
	int r = ctr_container_exec(c, &o, NULL, &code, err);

	return r < 0 ? r : code;
}

static int do_exec_start(ctr_container_t *c, ctr_error_t **err)
{
	ctr_exec_t *x = only_session(c, err);
	int r = x ? ctr_exec_start(x, NULL, NULL, err) : -1;

	ctr_exec_unref(x);
	return r;
}

static int do_exec_stop(ctr_container_t *c, ctr_error_t **err)
{
	ctr_exec_t *x = only_session(c, err);
	int r = x ? ctr_exec_stop(x, 5000, 0, err) : -1;

	ctr_exec_unref(x);
	return r;
}

static int do_exec_remove(ctr_container_t *c, ctr_error_t **err)
{
	ctr_exec_t *x = only_session(c, err);
	int r = x ? ctr_exec_remove(x, CTR_EXEC_REMOVE_FORCE, err) : -1;

	ctr_exec_unref(x);
	return r;
}

/* A start that was interrupted between the opening of the runtime's fifo and its end may end the container: its
 * first process writes to nobody. */
static const struct op ops[] = {
    {"create", 0, NULL, IN(CONFIGURED) | GONE, IN(CONFIGURED)},
    {"init", CTR_STATE_CONFIGURED, do_init, IN(CONFIGURED) | IN(CREATED), IN(CREATED)},
    {"start", CTR_STATE_CREATED, do_start, IN(CREATED) | IN(RUNNING) | IN(STOPPED), IN(RUNNING)},
    {"start-attached", CTR_STATE_CREATED, do_start_attached,
        IN(CREATED) | IN(RUNNING) | IN(STOPPED), IN(RUNNING)},
    {"attach", CTR_STATE_RUNNING, do_attach, IN(RUNNING), IN(RUNNING)},
    {"run", CTR_STATE_CONFIGURED, do_start,
        IN(CONFIGURED) | IN(CREATED) | IN(RUNNING) | IN(STOPPED), IN(RUNNING)},
    {"run-family", CTR_STATE_CONFIGURED, do_run_family,
        IN(CONFIGURED) | IN(CREATED) | IN(RUNNING) | IN(STOPPED), IN(RUNNING)},
    {"restart", CTR_STATE_STOPPED, do_start, IN(STOPPED) | IN(EXITED) | IN(CREATED) | IN(RUNNING),
        IN(RUNNING)},
    {"restart-running", CTR_STATE_RUNNING, do_restart,
        IN(RUNNING) | IN(STOPPING) | IN(STOPPED) | IN(EXITED) | IN(CREATED), IN(RUNNING)},
    {"policy", CTR_STATE_STOPPED, do_policy, IN(STOPPED) | IN(EXITED) | IN(CREATED) | IN(RUNNING),
        IN(RUNNING)},
    {"stop", CTR_STATE_RUNNING, do_stop, IN(RUNNING) | IN(STOPPING) | IN(STOPPED), IN(STOPPED)},
    {"stop-created", CTR_STATE_CREATED, do_stop, IN(CREATED) | IN(STOPPING) | IN(STOPPED),
        IN(STOPPED)},
    {"kill", CTR_STATE_RUNNING, do_kill, IN(RUNNING) | IN(STOPPED), IN(STOPPED)},
    {"pause", CTR_STATE_RUNNING, ctr_container_pause, IN(RUNNING) | IN(PAUSED), IN(PAUSED)},
    {"unpause", CTR_STATE_PAUSED, ctr_container_unpause, IN(RUNNING) | IN(PAUSED), IN(RUNNING)},
    {"cleanup", CTR_STATE_STOPPED, do_cleanup, IN(STOPPED) | IN(EXITED), IN(EXITED)},
    {"cleanup-created", CTR_STATE_CREATED, do_cleanup, IN(CREATED) | IN(CONFIGURED),
        IN(CONFIGURED)},
    {"remove", CTR_STATE_CONFIGURED, do_remove, IN(CONFIGURED) | IN(REMOVING) | GONE, GONE},
    {"remove-created", CTR_STATE_CREATED, do_remove, IN(CREATED) | IN(REMOVING) | GONE, GONE},
    {"remove-stopped", CTR_STATE_STOPPED, do_remove, IN(STOPPED) | IN(REMOVING) | GONE, GONE},
    {"remove-running", CTR_STATE_RUNNING, do_remove,
        IN(RUNNING) | IN(STOPPING) | IN(STOPPED) | IN(REMOVING) | GONE, GONE},
    {"evict", CTR_STATE_CREATED, do_evict, IN(CREATED) | IN(REMOVING) | GONE, GONE},
    {"rename", CTR_STATE_CONFIGURED, do_rename, IN(CONFIGURED), IN(CONFIGURED)},
    {"rename-running", CTR_STATE_RUNNING, do_rename, IN(RUNNING), IN(RUNNING)},
    {"update", CTR_STATE_RUNNING, do_update, IN(RUNNING), IN(RUNNING)},
    {"refresh", CTR_STATE_RUNNING, ctr_container_refresh,
        IN(RUNNING) | IN(STOPPING) | IN(STOPPED) | IN(EXITED) | IN(CREATED), IN(RUNNING)},
    /* With a health check, and so with a process that runs it. */
    {"health-start", CTR_STATE_CREATED, do_start, IN(CREATED) | IN(RUNNING) | IN(STOPPED),
        IN(RUNNING)},
    {"health-check", CTR_STATE_RUNNING, do_check, IN(RUNNING), IN(RUNNING)},
    {"health-sync", CTR_STATE_RUNNING, ctr_container_sync, IN(RUNNING), IN(RUNNING)},
    {"health-remove", CTR_STATE_RUNNING, do_remove,
        IN(RUNNING) | IN(STOPPING) | IN(STOPPED) | IN(REMOVING) | GONE, GONE},
    /* Of a running container, and with one session (but for the first, which makes its own). */
    {"exec", CTR_STATE_RUNNING, do_exec, IN(RUNNING), IN(RUNNING)},
    {"exec-start", CTR_STATE_RUNNING, do_exec_start, IN(RUNNING), IN(RUNNING)},
    {"exec-stop", CTR_STATE_RUNNING, do_exec_stop, IN(RUNNING), IN(RUNNING)},
    {"exec-remove", CTR_STATE_RUNNING, do_exec_remove, IN(RUNNING), IN(RUNNING)},
    {"exec-cleanup", CTR_STATE_RUNNING, do_remove,
        IN(RUNNING) | IN(STOPPING) | IN(STOPPED) | IN(REMOVING) | GONE, GONE},
    {"refresh-exited", CTR_STATE_EXITED, ctr_container_refresh, IN(EXITED), IN(EXITED)},
};
#define OPS (sizeof(ops) / sizeof(*ops))

static bool checks_health(const struct op *op)
{
	return strncmp(op->name, "health-", 7) == 0;
}

static bool is_exec(const struct op *op)
{
	return strncmp(op->name, "exec", 4) == 0;
}

static ctr_config_t *config_for(const struct world *w, const struct op *op)
{
	return checks_health(op) ? world_config_health(w, "victim") : world_config(w, "victim");
}

/* Its process is gone: the operation has to start another. */
static void kill_checker(ctr_container_t *c)
{
	int32_t pid = 0;

	if (ctr_container_health_pid(c, &pid, NULL) >= 0 && pid > 0)
		kill(pid, SIGKILL);
	while (pid > 0 && world_alive(pid))
		usleep(1000);
}

/* ---- the victim ---- */

static void die(const char *what, ctr_error_t *err)
{
	fprintf(stderr, "%s: %s\n", what, ctr_error_message(err));
	exit(1);
}

/* kill_sweep --victim OPERATION ID ROOT RUN OCI ROOTFS PARENT */
static int be_victim(char **argv)
{
	const struct op *op = &ops[strtoul(argv[0], NULL, 10)];
	struct world w = {.rt = NULL};
	ctr_container_t *c = NULL;
	ctr_config_t *cfg = NULL;
	ctr_error_t *err = NULL;
	int r;

	snprintf(w.root, sizeof(w.root), "%s", argv[2]);
	snprintf(w.run, sizeof(w.run), "%s", argv[3]);
	snprintf(w.oci, sizeof(w.oci), "%s", argv[4]);
	snprintf(w.rootfs, sizeof(w.rootfs), "%s", argv[5]);
	snprintf(w.parent, sizeof(w.parent), "%s", argv[6]);
	w.with_helper = checks_health(op);
	world_open(&w);
	if (!op->act)
		cfg = config_for(&w, op);
	else if (ctr_container_get(w.rt, argv[1], &c, &err) < 0)
		die("victim: get", err);
	victim_ready();
	victim_mark();
	r = op->act ? op->act(c, &err) : ctr_container_create(w.rt, cfg, 0, &c, &err);
	victim_mark();
	if (r < 0)
		die(op->name, err);
	_exit(0);
}

/* ---- one trial ---- */

struct sweep {
	struct world *w;
	const struct op *op;
	struct victim_run run;
	bool finish_it; /* this trial finishes the operation before it removes */
	ctr_container_t *c;
	ctr_container_t *donor; /* what it depends on; NULL = nothing */
	/* Over all trials of an operation. */
	unsigned trials, failures, late;
	int late_ms;
	int64_t slowest_us;
	char label[96];
	char slowest[96];
};

__attribute__((format(printf, 2, 3))) static void failed(struct sweep *s, const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fprintf(stderr, "FAIL %s: %s\n", s->label, text);
	s->failures++;
}

static void note_time(struct sweep *s, const char *what, int64_t begin)
{
	int64_t took = world_now_us() - begin;

	if (took > SLOW_US)
		failed(s, "%s took %lld ms", what, (long long)(took / 1000));
	if (took <= s->slowest_us)
		return;
	s->slowest_us = took;
	snprintf(s->slowest, sizeof(s->slowest), "%.60s: %.30s", s->label, what);
}

/* A call of the survivor: what went wrong is told. */
#define CALL(what, call)                                                                         \
	({                                                                                       \
		int64_t begin_ = world_now_us();                                                 \
		ctr_error_t *err = NULL;                                                         \
		int r_ = (call);                                                                 \
		world_doing("%s: %s", s->label, what);                                           \
		if (r_ < 0)                                                                      \
			failed(                                                                  \
			    s, "%s: %s (%s)", what, ctr_error_message(err), ctr_error_name(r_)); \
		ctr_error_free(err);                                                             \
		note_time(s, what, begin_);                                                      \
		r_;                                                                              \
	})

/* 1 = the command runs, 0 = not yet, -1 = the process is dead. */
static int runs_command(int32_t pid)
{
	char path[64], text[16] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	f = fopen(path, "re");
	if (f) {
		(void)!fread(text, 1, sizeof(text) - 1, f);
		fclose(f);
	}
	/* In the middle of an execve() there is none. */
	if (!text[0])
		return world_alive(pid) ? 0 : -1;
	return strcmp(text, "/bin/sh") == 0;
}

/* "running" means that the command runs; crun lets it a moment after the start. One whose starter was killed may
 * just be dying instead: then its end is recorded. */
static void check_runs(struct sweep *s, ctr_container_t *c, const ctr_state_t *snap)
{
	int runs = 0;

	for (int i = 0; i < 500 && runs == 0; i++) {
		runs = runs_command(ctr_state_pid(snap));
		if (runs == 0)
			usleep(2000);
	}
	if (runs == 0 || (runs < 0 && s->run.completed))
		failed(s, "the state is running, but the command does not run");
	else if (runs < 0)
		CALL("the end of a dying process", ctr_container_wait(c, 5000, NULL, &err));
}

static int32_t status_of(struct sweep *s, ctr_container_t *c)
{
	ctr_state_t *snap = NULL;
	int32_t state = CTR_STATE_UNKNOWN;

	if (CALL("snapshot", ctr_container_snapshot(c, &snap, &err)) >= 0)
		state = ctr_state_status(snap);
	if (state == CTR_STATE_RUNNING)
		check_runs(s, c, snap);
	ctr_state_free(snap);
	return state;
}

static ctr_config_t *join(const ctr_config_t *cfg, const char *id)
{
	static const int32_t fields[] = {CTR_CONFIG_IPC_NS_CTR, CTR_CONFIG_NET_NS_CTR,
	    CTR_CONFIG_PID_NS_CTR, CTR_CONFIG_UTS_NS_CTR};
	ctr_config_builder_t *b = ctr_config_builder_new_from(cfg);
	ctr_config_t *joined = NULL;
	ctr_error_t *err = NULL;

	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		ctr_config_builder_set_str(b, fields[i], id, NULL);
	if (ctr_config_builder_build(b, &joined, &err) < 0)
		die("config", err);
	ctr_config_builder_free(b);
	return joined;
}

static bool create_family(struct sweep *s)
{
	ctr_config_t *cfg = world_config(s->w, "donor"), *plain, *joined;
	int r = CALL("prepare: donor", ctr_container_create(s->w->rt, cfg, 0, &s->donor, &err));

	ctr_config_unref(cfg);
	if (r < 0)
		return false;
	plain = world_config(s->w, "victim");
	joined = join(plain, ctr_container_id(s->donor));
	r = CALL("prepare: create", ctr_container_create(s->w->rt, joined, 0, &s->c, &err));
	ctr_config_unref(plain);
	ctr_config_unref(joined);
	return r >= 0;
}

static ctr_config_t *victim_config(struct sweep *s)
{
	ctr_config_t *cfg = config_for(s->w, s->op), *with = NULL;
	ctr_config_builder_t *b;

	if (s->op->act != do_policy)
		return cfg;
	b = ctr_config_builder_new_from(cfg);
	ctr_config_unref(cfg);
	ctr_config_builder_set_str(b, CTR_CONFIG_RESTART_POLICY, "always", NULL);
	CALL("prepare: configuration", ctr_config_builder_build(b, &with, &err));
	ctr_config_builder_free(b);
	return with;
}

/* Not by us, as far as the library knows. */
static int end_by_itself(struct sweep *s)
{
	int32_t pid = 0;
	int r = CALL("prepare: PID", ctr_container_pid(s->c, &pid, &err));

	if (r < 0 || pid <= 0)
		return -1;
	kill(pid, SIGKILL);
	return CALL("prepare: wait", ctr_container_wait(s->c, 10000, NULL, &err));
}

/* It runs unless its start is what is tried. */
static bool make_session(struct sweep *s)
{
	static const char *const command[] = {"/bin/sleep", EXEC_MARK, NULL};
	struct ctr_exec_opts o = {.size = sizeof(o), .command = command};
	ctr_exec_t *x = NULL;
	int r;

	if (s->op->act == do_exec)
		return true;
	r = CALL("prepare: session", ctr_container_exec_create(s->c, &o, &x, &err));
	if (r >= 0 && s->op->act != do_exec_start)
		r = CALL("prepare: exec", ctr_exec_start(x, NULL, NULL, &err));
	ctr_exec_unref(x);
	return r >= 0;
}

static bool bring_to_state(struct sweep *s)
{
	int32_t want = s->op->from;
	int r = 0;

	if (!s->op->act)
		return true;
	if (s->op->act == do_run_family)
		return create_family(s);
	ctr_config_t *cfg = victim_config(s);
	r = CALL("prepare: create", ctr_container_create(s->w->rt, cfg, 0, &s->c, &err));
	ctr_config_unref(cfg);
	if (r >= 0 && want != CTR_STATE_CONFIGURED)
		r = CALL("prepare: init", ctr_container_init(s->c, 0, &err));
	if (r >= 0 && want != CTR_STATE_CONFIGURED && want != CTR_STATE_CREATED)
		r = CALL("prepare: start", ctr_container_start(s->c, 0, &err));
	if (r >= 0 && want == CTR_STATE_PAUSED)
		r = CALL("prepare: pause", ctr_container_pause(s->c, &err));
	if (r >= 0 && s->op->act == do_policy)
		return end_by_itself(s) >= 0;
	if (r >= 0 && (want == CTR_STATE_STOPPED || want == CTR_STATE_EXITED))
		r = CALL("prepare: kill", ctr_container_kill(s->c, SIGKILL, &err));
	if (r >= 0 && want == CTR_STATE_EXITED)
		r = CALL("prepare: cleanup", ctr_container_cleanup(s->c, 0, &err));
	if (r >= 0 && s->op->act == ctr_container_sync)
		kill_checker(s->c);
	return r >= 0 && (!is_exec(s->op) || make_session(s));
}

static void run_victim(struct sweep *s)
{
	char number[16];
	char *argv[] = {(char *)"kill_sweep", (char *)"--victim", number,
	    (char *)(uintptr_t)(s->c ? ctr_container_id(s->c) : ""), s->w->root, s->w->run,
	    s->w->oci, s->w->rootfs, s->w->parent, NULL};
	int r;

	snprintf(number, sizeof(number), "%u", (unsigned)(s->op - ops));
	world_doing("%s: victim", s->label);
	r = victim_run(argv, &s->run);
	if (r < 0)
		failed(s, "tracing: %s", strerror(-r));
	else if (WIFEXITED(s->run.status) && WEXITSTATUS(s->run.status))
		failed(s, "the operation itself failed");
	else if (WIFSIGNALED(s->run.status) && WTERMSIG(s->run.status) != SIGKILL)
		failed(s, "the victim died of signal %d", WTERMSIG(s->run.status));
}

/* The handle knows the name that is listed; also one that was opened before the rename, once it has looked. */
static void check_name(struct sweep *s, const char *listed)
{
	int32_t state;
	ctr_config_t *cfg;

	if (CALL("state", ctr_container_state(s->c, &state, &err)) < 0)
		return;
	cfg = ctr_container_config(s->c);
	if (strcmp(ctr_config_name(cfg), listed) != 0)
		failed(s, "the name is \"%s\", listed is \"%s\"", ctr_config_name(cfg), listed);
	ctr_config_unref(cfg);
}

/* What is in force is what is stored. */
static void check_limit(struct sweep *s)
{
	struct limit limit = choose_limit();
	char path[512], text[64] = "", pattern[80];
	ctr_config_t *cfg = ctr_container_config(s->c);
	char *group = NULL;
	FILE *f;
	int stored, applied;

	if (CALL("cgroup", ctr_container_cgroup_path(s->c, &group, &err)) >= 0) {
		snprintf(path, sizeof(path), "/sys/fs/cgroup%s%s/%s",
		    strncmp(limit.file, "pids", 4) == 0 && access("/sys/fs/cgroup/pids", F_OK) == 0
		        ? "/pids"
		        : "",
		    group, limit.file);
		f = fopen(path, "re");
		if (!f || !fgets(text, sizeof(text), f))
			failed(s, "cannot read %s", path);
		if (f)
			fclose(f);
		text[strcspn(text, "\n")] = '\0';
		snprintf(pattern, sizeof(pattern), "%s", limit.resources + 1);
		pattern[strlen(pattern) - 2] = '\0';
		stored = strstr(ctr_config_spec(cfg, NULL), strchr(pattern, '{') + 1) != NULL;
		applied = strcmp(text, limit.value) == 0;
		if (stored != applied)
			failed(s, "the limit is %s, but stored is %s", text,
			    ctr_config_spec(cfg, NULL));
		if (!stored && s->run.completed)
			failed(s, "the limit is not stored");
	}
	ctr_free(group);
	ctr_config_unref(cfg);
}

/* Lists; returns how many there are, and opens the first if it was not known (create). */
static size_t look_at_list(struct sweep *s)
{
	static const char *const not_donor[] = {"name=victim", NULL};
	const char *const *filter = s->donor ? not_donor : NULL;
	ctr_list_t *list = NULL;
	size_t n = 0;

	if (CALL("list", ctr_runtime_list(s->w->rt, filter, 0, &list, &err)) >= 0)
		n = ctr_list_count(list);
	if (n > 1)
		failed(s, "%zu containers are listed", n);
	if (n && strcmp(ctr_list_name(list, 0), "victim") != 0 &&
	    (s->op->act != do_rename || strcmp(ctr_list_name(list, 0), NEW_NAME) != 0))
		failed(s, "a container \"%s\" is listed", ctr_list_name(list, 0));
	/* Half of the survivors have never seen the container. */
	if (n && (!s->c || s->trials % 2)) {
		ctr_container_unref(s->c);
		s->c = NULL;
		CALL("lookup", ctr_container_lookup(s->w->rt, ctr_list_name(list, 0), &s->c, &err));
	}
	if (n && s->c)
		check_name(s, ctr_list_name(list, 0));
	ctr_list_free(list);
	return n;
}

static void check_state(struct sweep *s, unsigned found)
{
	unsigned wanted = s->run.completed ? s->op->target : s->op->after;

	if (found & wanted)
		return;
	for (int32_t i = 0; i < 30; i++)
		if (found & (1U << i))
			failed(s, "state is %s", ctr_state_name(i));
	if (found & GONE)
		failed(s, "the container is gone");
}

/* What the victim began may have had its effect just now: then there is nothing left to do. */
static int try_again(struct sweep *s)
{
	int64_t begin = world_now_us();
	ctr_error_t *err = NULL;
	int r;

	world_doing("%s: the operation again", s->label);
	r = s->op->act(s->c, &err);
	if (r == CTR_E_CTR_STATE || r == CTR_E_CTR_STOPPED)
		r = 0;
	if (r < 0)
		failed(
		    s, "the operation again: %s (%s)", ctr_error_message(err), ctr_error_name(r));
	ctr_error_free(err);
	note_time(s, "the operation again", begin);
	return r;
}

/* The operation once more, by the survivor. */
static void finish_operation(struct sweep *s, int32_t state)
{
	if (!s->op->act || (s->op->target & (1U << state)) || state == CTR_STATE_REMOVING)
		return;
	/* Nobody knows any more where it was to be brought back to. */
	if (s->op->act == ctr_container_refresh)
		return;
	/* The stop of an interrupted restart is to be finished before. */
	if (s->op->act == do_restart && state == CTR_STATE_STOPPING)
		return;
	/* What has ended cannot be stopped, paused or killed any more. */
	if (state == CTR_STATE_STOPPED && s->op->from == CTR_STATE_RUNNING)
		return;
	if (try_again(s) < 0 || s->op->target == GONE)
		return;
	state = status_of(s, s->c);
	/* A process that was dying already does not live for long. */
	if (state == CTR_STATE_STOPPED && s->op->target == IN(RUNNING))
		return;
	if (!(s->op->target & (1U << state)))
		failed(s, "state is %s after the operation was finished", ctr_state_name(state));
}

/* Processes of exec sessions: theirs, their monitors', a runtime's that is at work on one. */
static unsigned exec_processes(char *text, size_t size)
{
	unsigned n = 0;
	DIR *d = opendir("/proc");
	struct dirent *e;

	while (d && (e = readdir(d))) {
		char path[300], line[4096];
		FILE *f;
		size_t len;

		snprintf(path, sizeof(path), "/proc/%s/cmdline", e->d_name);
		f = e->d_name[0] >= '1' && e->d_name[0] <= '9' ? fopen(path, "re") : NULL;
		if (!f)
			continue;
		len = fread(line, 1, sizeof(line) - 1, f);
		fclose(f);
		line[len] = '\0';
		for (size_t i = 0; i < len; i++)
			if (!line[i])
				line[i] = ' ';
		if (!strstr(line, EXEC_MARK) && !strstr(line, "/exec/"))
			continue;
		n++;
		snprintf(text, size, "%.300s", line);
	}
	if (d)
		closedir(d);
	return n;
}

static void check_session(struct sweep *s, ctr_exec_t *x)
{
	int32_t state = -1, code = -5;

	if (CALL("session: state", ctr_exec_state(x, &state, &err)) < 0)
		return;
	if (s->run.completed && s->op->act == do_exec_start && state != CTR_EXEC_STATE_RUNNING)
		failed(s, "the session was started and is %s", ctr_exec_state_name(state));
	if (s->run.completed && s->op->act == do_exec_stop && state != CTR_EXEC_STATE_STOPPED)
		failed(s, "the session was stopped and is %s", ctr_exec_state_name(state));
	if (s->finish_it && s->op->act == do_exec_start && state == CTR_EXEC_STATE_CREATED)
		CALL("session: start", ctr_exec_start(x, NULL, NULL, &err));
	if (s->finish_it && state == CTR_EXEC_STATE_RUNNING) {
		CALL("session: stop", ctr_exec_stop(x, 5000, 0, &err));
		CALL("session: wait", ctr_exec_wait(x, 5000, &code, &err));
		if (code != 128 + SIGTERM &&
		    (code != 128 + SIGKILL || s->op->act != do_exec_remove))
			failed(s, "the session's code is %d", (int)code);
	}
	CALL("session: remove", ctr_exec_remove(x, CTR_EXEC_REMOVE_FORCE, &err));
}

/* While the container runs on: the session is ended, and nothing of it is left. */
static void check_exec(struct sweep *s)
{
	char text[400] = "", path[600];
	ctr_exec_t *x;
	int64_t end = world_now_us() + PATIENCE_MS * 1000;

	while ((x = only_session(s->c, NULL)) && s->failures < 20) {
		check_session(s, x);
		ctr_exec_unref(x);
	}
	while (exec_processes(text, sizeof(text)) && world_now_us() < end)
		usleep(1000);
	if (exec_processes(text, sizeof(text)))
		failed(s, "left of the session: %s", text);
	snprintf(path, sizeof(path), "%s/containers/%s/exec", s->w->run, ctr_container_id(s->c));
	if (rmdir(path) < 0 && errno != ENOENT)
		failed(s, "files of the session are left in %s", path);
}

static void check_leftovers(struct sweep *s)
{
	char before[TEXT_MAX], text[TEXT_MAX];
	int ms = 0;

	if (world_leftovers(s->w, before, sizeof(before)) == 0)
		return;
	if (world_settled(s->w, PATIENCE_MS, &ms, text, sizeof(text)) > 0) {
		failed(s, "left behind:\n%s", text);
		return;
	}
	s->late++;
	if (ms > s->late_ms)
		s->late_ms = ms;
	fprintf(stderr, "note %s: took %d ms more to go:\n%s", s->label, ms, before);
}

static void survive(struct sweep *s)
{
	size_t n = look_at_list(s);
	int32_t state;

	if (!n)
		check_state(s, GONE);
	if (n && s->c) {
		state = status_of(s, s->c);
		if (state != CTR_STATE_UNKNOWN)
			check_state(s, 1U << state);
		if (s->op->act == do_update)
			check_limit(s);
		if (is_exec(s->op) && state == CTR_STATE_RUNNING)
			check_exec(s);
		else if (s->finish_it)
			finish_operation(s, state);
		CALL("remove", ctr_container_remove(s->c, CTR_REMOVE_FORCE, &err));
	}
	if (s->donor)
		CALL("remove donor", ctr_container_remove(s->donor, CTR_REMOVE_FORCE, &err));
	check_leftovers(s);
	if (look_at_list(s))
		failed(s, "the container is still listed");
}

static void trial(struct sweep *s)
{
	s->trials++;
	s->finish_it = s->trials % 3 == 0;
	s->c = NULL;
	/* A survivor that comes later. */
	if (s->trials % 16 == 0) {
		world_close(s->w);
		world_open(s->w);
	}
	if (bring_to_state(s))
		run_victim(s);
	survive(s);
	ctr_container_unref(s->c);
	s->c = NULL;
	s->donor = ctr_container_unref(s->donor);
}

/* ---- sweeps ---- */

struct choice {
	const char *oci;
	unsigned every; /* 0 = at all calls */
	unsigned offset;
	int64_t step_us; /* > 0: by time */
	bool show;
	char **names;
};

static void at_call(struct sweep *s, unsigned k)
{
	s->run.at_call = k;
	s->run.after_us = 0;
	snprintf(s->label, sizeof(s->label), "%s, call %u", s->op->name, k);
	trial(s);
}

static void show_calls(const struct victim_run *r)
{
	for (unsigned k = 1; k <= r->calls && k <= VICTIM_CALLS; k++)
		fprintf(stderr, "%4u %ld%s\n", k, r->number[k - 1],
		    victim_has_effect(r->number[k - 1]) ? " *" : "");
}

static void sweep_calls(struct sweep *s, const struct choice *ch)
{
	unsigned *points = calloc(VICTIM_CALLS, sizeof(*points)), n, last;

	if (!points)
		exit(1);
	/* Once without a kill: what it does. */
	at_call(s, 0);
	if (ch->show)
		show_calls(&s->run);
	n = victim_points(&s->run, ch->every, ch->offset, points);
	last = s->run.calls;
	for (unsigned i = 0; i < n && s->failures < 20; i++)
		at_call(s, points[i]);
	/* Another run may have been longer. */
	for (unsigned k = last + 1; !ch->every && !s->run.completed && s->failures < 20; k++)
		at_call(s, k);
	free(points);
}

static void sweep_times(struct sweep *s, const struct choice *ch)
{
	unsigned completed = 0;

	for (int64_t t = ch->step_us; completed < 3 && s->failures < 20; t += ch->step_us) {
		s->run.at_call = 0;
		s->run.after_us = t;
		snprintf(
		    s->label, sizeof(s->label), "%s, after %lld us", s->op->name, (long long)t);
		trial(s);
		completed += s->run.completed;
	}
}

static bool wanted(const struct op *op, char **names)
{
	if (!*names)
		return true;
	for (; *names; names++)
		if (strcmp(*names, op->name) == 0)
			return true;
	return false;
}

static int sweep_all(struct world *w, void *arg)
{
	const struct choice *ch = arg;
	unsigned failures = 0;

	world_open(w);
	for (size_t i = 0; i < OPS; i++) {
		struct sweep *s = calloc(1, sizeof(*s));
		int64_t begin = world_now_us();

		if (!s)
			return 1;
		s->w = w;
		s->op = &ops[i];
		if (wanted(s->op, ch->names)) {
			world_close(w);
			w->with_helper = checks_health(s->op);
			world_open(w);
			(ch->step_us ? sweep_times : sweep_calls)(s, ch);
			printf("%-16s %4u kills, %u failures, %u with leftovers for up to %d ms; "
			       "%.1f s; "
			       "slowest %lld ms (%s)\n",
			    s->op->name, s->trials, s->failures, s->late, s->late_ms,
			    (double)(world_now_us() - begin) / 1e6,
			    (long long)(s->slowest_us / 1000), s->slowest);
			fflush(stdout);
		}
		failures += s->failures;
		free(s);
	}
	return failures > 0;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"oci", required_argument, NULL, 'o'},
	    {"every", required_argument, NULL, 'e'}, {"offset", required_argument, NULL, 'O'},
	    {"full", no_argument, NULL, 'f'}, {"times", required_argument, NULL, 't'},
	    {"show", no_argument, NULL, 's'}, {NULL, 0, NULL, 0}};
	struct choice ch = {.oci = "runc", .every = 1};
	int o;

	if (argc == 9 && strcmp(argv[1], "--victim") == 0)
		return be_victim(argv + 2);
	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (o) {
		case 'o': ch.oci = optarg; break;
		case 'e': ch.every = (unsigned)strtoul(optarg, NULL, 10); break;
		case 'O': ch.offset = (unsigned)strtoul(optarg, NULL, 10); break;
		case 'f': ch.every = 0; break;
		case 't': ch.step_us = strtoll(optarg, NULL, 10); break;
		case 's': ch.show = true; break;
		default: return 2;
		}
	}
	ch.names = argv + optind;
	return world_run(ch.oci, 7200, sweep_all, &ch);
}
