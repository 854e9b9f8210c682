/* SPDX-License-Identifier: Apache-2.0 */
/* The runtime's own commands: running one, its errors, and the operations made of them. */
#include "oci/driver.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/cgroup.h"
#include "sys/fd.h"
#include "sys/path.h"
#include "sys/proc.h"
#include "sys/spawn.h"
#include "util/cleanup.h"

#define MAX_WORDS     16
#define KILL_PATIENCE 100 /* ms that SIGKILL may take before the runtime is asked to do it */

/* ---- running one ---- */

void ctr__oci_result_free(struct ctr__oci_result *r)
{
	ctr__buf_free(&r->out);
	ctr__buf_free(&r->diag);
}

static int build_argv(const struct ctr__conmon *d, const char *const *args, const char **argv)
{
	size_t n = 0;

	argv[n++] = d->runtime_path;
	if (d->json_errors)
		argv[n++] = "--log-format=json"; /* on stderr, as no --log is given */
	argv[n++] = "--root";
	argv[n++] = d->oci_root;
	for (; *args; args++) {
		if (n == MAX_WORDS)
			return CTR_E_INTERNAL;
		argv[n++] = *args;
	}
	argv[n] = NULL;
	return 0;
}

static char *result_text(const struct ctr__oci_result *r)
{
	return ctr__oci_error_text(r->diag.data, r->diag.len);
}

/* The host may have taken the exit status away: then silence on stderr means success. */
static int judge(struct ctr__oci_result *r, int status, ctr_error_t **err)
{
	CTR__FREE char *text = NULL;

	if (r->known) {
		r->ok = WIFEXITED(status) && WEXITSTATUS(status) == 0;
		return 0;
	}
	text = result_text(r);
	if (!text)
		return ctr__fail_nomem(err);
	r->ok = !*text;
	return 0;
}

static bool runs_hooks(const char *command)
{
	return strcmp(command, "start") == 0 || strcmp(command, "delete") == 0;
}

/* crun writes the container's state to each hook. One that ends without reading it must not take crun along
 * by SIGPIPE, halfway through a start or delete. */
static int run_with_hooks(const struct ctr__conmon *d, const char *const *argv,
    const char *const *env, struct ctr__oci_result *r, int *status, ctr_error_t **err)
{
	const struct ctr__filter f = {.path = d->runtime_path,
	    .argv = argv,
	    .envp = env,
	    .out_max = CTR__OCI_TEXT_MAX,
	    .timeout_ms = d->command_timeout_ms,
	    .ignore_sigpipe = true};

	return ctr__run_filter(&f, &r->out, &r->diag, status, &r->known, err);
}

int ctr__oci_run(const struct ctr__conmon *d, const struct ctr_oci_container *c,
    const char *const *args, struct ctr__oci_result *r, ctr_error_t **err)
{
	CTR__FREE char *temporaries = ctr__oci_temporaries_env(c);
	const char *const env[] = {CTR__OCI_ENV, temporaries, NULL};
	const char *argv[MAX_WORDS + 1];
	int status = 0;
	int rc = ctr__oci_check_runtime(d, err);

	if (rc < 0)
		return rc;
	if (!temporaries)
		return ctr__fail_nomem(err);
	if (build_argv(d, args, argv) < 0)
		return ctr__fail(
		    err, CTR_E_INTERNAL, "OCI runtime %s: too many arguments", d->name);
	if (runs_hooks(args[0]))
		rc = run_with_hooks(d, argv, env, r, &status, err);
	else
		rc = ctr__run(d->runtime_path, argv, env, -1, d->command_timeout_ms, &r->out,
		    &r->diag, &status, &r->known, err);
	if (rc < 0) {
		rc = ctr__error_prefix(err, rc, "OCI runtime %s: %s", d->name, args[0]);
		ctr__error_detail(err, "oci.runtime", d->name);
		return rc;
	}
	return judge(r, status, err);
}

int ctr__oci_command_failed(const struct ctr__conmon *d, const struct ctr__oci_result *r,
    const char *what, ctr_error_t **err)
{
	CTR__FREE char *text = result_text(r);
	CTR__FREE char *line = text ? ctr__oci_one_line(text) : NULL;
	int rc;

	if (!line)
		return ctr__fail_nomem(err);
	rc = ctr__fail(err, CTR_E_OCI_RUNTIME, "OCI runtime %s could not %s the container: %s",
	    d->name, what, *line ? line : "it gave no reason");
	ctr__error_detail(err, "oci.runtime", d->name);
	ctr__error_detail(err, "oci.stderr", text);
	return rc;
}

/* Runs "command ID" for its effect. */
static int run_simple(const struct ctr__conmon *d, const struct ctr_oci_container *c,
    const char *command, ctr_error_t **err)
{
	CTR__OCI_RESULT struct ctr__oci_result r = {0};
	int rc = ctr__oci_run(d, c, (const char *const[]){command, c->id, NULL}, &r, err);

	if (rc < 0)
		return rc;
	return r.ok ? 0 : ctr__oci_command_failed(d, &r, command, err);
}

/* ---- the freezer ---- */

/* Both known runtimes read "paused" from the freezer and keep no record of their own. */
static bool freezer_is_ours(const struct ctr__conmon *d, const struct ctr_oci_container *c)
{
	return d->kind != CTR__RUNTIME_OTHER && !(c->flags & CTR_OCI_SYSTEMD_CGROUP) &&
	       c->cgroup_path && c->cgroup_path[0] == '/' && c->cgroup_path[1] &&
	       ctr__path_is_clean(c->cgroup_path);
}

void ctr__oci_unstick(const struct ctr__conmon *d, const struct ctr_oci_container *c)
{
	if (freezer_is_ours(d, c))
		ctr__cgroup_unstick(c->cgroup_path);
}

/* ---- state ---- */

bool ctr__oci_may_know(const struct ctr__conmon *d, const char *id)
{
	struct stat st;

	if (d->kind == CTR__RUNTIME_OTHER)
		return true;
	return fstatat(d->oci_fd, id, &st, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
}

static int query_failed(const struct ctr__conmon *d, const char *id,
    const struct ctr__oci_result *r, struct ctr__oci_answer *a, ctr_error_t **err)
{
	CTR__FREE char *text = result_text(r);

	if (!text)
		return ctr__fail_nomem(err);
	if (!ctr__oci_says_unknown(text, id))
		return ctr__oci_command_failed(d, r, "tell the state of", err);
	a->status = CTR_OCI_ABSENT;
	return 0;
}

int ctr__oci_query(const struct ctr__conmon *d, const struct ctr_oci_container *c,
    struct ctr__oci_answer *a, ctr_error_t **err)
{
	CTR__OCI_RESULT struct ctr__oci_result r = {0};
	int rc;

	memset(a, 0, sizeof(*a));
	if (!ctr__oci_may_know(d, c->id))
		return 0;
	rc = ctr__oci_run(d, c, (const char *const[]){"state", c->id, NULL}, &r, err);
	if (rc < 0)
		return rc;
	if (!r.ok && (r.known || !r.out.len))
		return query_failed(d, c->id, &r, a, err);
	if (ctr__oci_parse_state(r.out.data ? r.out.data : "", r.out.len, a))
		return 0;
	rc = ctr__fail(err, CTR_E_OCI_RUNTIME,
	    "OCI runtime %s: its answer about the container's state is not understood", d->name);
	ctr__error_detail(err, "oci.runtime", d->name);
	return rc;
}

int ctr__oci_op_state(
    void *impl, const struct ctr_oci_container *c, struct ctr_oci_status *out, ctr_error_t **err)
{
	const struct ctr__conmon *d = impl;
	struct ctr__oci_answer a;
	int rc = ctr__oci_check_container(c, err);

	if (rc == 0) {
		/* A host may have been killed while it froze the container. */
		ctr__oci_unstick(d, c);
		rc = ctr__oci_query(d, c, &a, err);
	}
	if (rc < 0)
		return rc;
	out->status = a.status;
	if (a.status == CTR_OCI_ABSENT)
		return 0;
	if (a.status == CTR_OCI_CREATED && ctr__oci_was_started(d, c->id, a.pid))
		out->status = CTR_OCI_RUNNING;
	out->pid = a.pid;
	out->pid_start = a.pid ? ctr__proc_start_time(a.pid) : 0;
	out->monitor_pid = ctr__oci_monitor(d, c, &out->monitor_start);
	if (!out->monitor_pid)
		out->monitor_start = 0;
	if (a.status != CTR_OCI_STOPPED)
		return 0;
	out->exit_code = -1;
	rc = ctr__oci_op_exit_status(impl, c, out, err);
	return rc < 0 ? rc : 0;
}

/* ---- start ---- */

int ctr__oci_op_start(void *impl, const struct ctr_oci_container *c, ctr_error_t **err)
{
	const struct ctr__conmon *d = impl;
	int rc = ctr__oci_check_container(c, err);

	if (rc < 0)
		return rc;
	rc = ctr__oci_fast_start(d, c, err);
	if (rc < 0)
		return rc;
	return rc == 1 ? 0 : run_simple(d, c, "start", err);
}

/* ---- kill ---- */

/* A number alone says nothing: without the start time it may be anybody's. */
static int open_init(const struct ctr_oci_container *c)
{
	if (c->pid <= 0 || c->pid_start == 0)
		return -ENODATA;
	return ctr__pidfd_open(c->pid, c->pid_start);
}

static int already_ended(const struct ctr_oci_container *c, ctr_error_t **err)
{
	return ctr__fail(
	    err, CTR_E_CTR_STOPPED, "container %s is not running: its process has ended", c->id);
}

/* The runtime's kill. If it fails because nothing is left to kill, that is said instead. */
static int kill_by_runtime(const struct ctr__conmon *d, const struct ctr_oci_container *c,
    int32_t sig, bool all, ctr_error_t **err)
{
	CTR__OCI_RESULT struct ctr__oci_result r = {0};
	struct ctr__oci_answer a;
	char number[16];
	int rc;

	ctr__oci_unstick(d, c);
	snprintf(number, sizeof(number), "%d", (int)sig);
	rc = all ? ctr__oci_run(
	               d, c, (const char *const[]){"kill", "--all", c->id, number, NULL}, &r, err)
	         : ctr__oci_run(d, c, (const char *const[]){"kill", c->id, number, NULL}, &r, err);
	if (rc < 0 || r.ok)
		return rc;
	if (ctr__oci_query(d, c, &a, NULL) == 0 &&
	    (a.status == CTR_OCI_STOPPED || a.status == CTR_OCI_ABSENT))
		return already_ended(c, err);
	return ctr__oci_command_failed(d, &r, "signal", err);
}

/* SIGKILL does not reach a container that the cgroup v1 freezer holds; the runtimes thaw it. */
static int insist(
    const struct ctr__conmon *d, const struct ctr_oci_container *c, int pidfd, ctr_error_t **err)
{
	CTR__ERROR ctr_error_t *e = NULL;

	if (ctr__pidfd_wait(pidfd, KILL_PATIENCE) == 1)
		return 0;
	if (kill_by_runtime(d, c, SIGKILL, false, &e) == 0 || ctr__pidfd_wait(pidfd, 0) == 1)
		return 0;
	if (err) {
		ctr_error_free(*err);
		*err = CTR__STEAL_PTR(e);
		return ctr_error_code(*err);
	}
	return ctr_error_code(e);
}

static int kill_by_pidfd(const struct ctr__conmon *d, const struct ctr_oci_container *c, int pidfd,
    int32_t sig, ctr_error_t **err)
{
	int rc;

	if (ctr__pidfd_wait(pidfd, 0) == 1)
		return already_ended(c, err);
	rc = ctr__pidfd_signal(pidfd, sig);
	if (rc == -ESRCH)
		return already_ended(c, err);
	if (rc < 0)
		return ctr__fail_errno(
		    err, -rc, NULL, "send signal %d to container %s", (int)sig, c->id);
	return sig == SIGKILL ? insist(d, c, pidfd, err) : 0;
}

int ctr__oci_op_kill(
    void *impl, const struct ctr_oci_container *c, int32_t sig, uint64_t flags, ctr_error_t **err)
{
	const struct ctr__conmon *d = impl;
	CTR__CLOSE int pidfd = -1;
	int rc = ctr__oci_check_container(c, err);

	if (rc < 0)
		return rc;
	if (flags & ~CTR_OCI_KILL_ALL)
		return ctr__fail(err, CTR_E_UNSUPPORTED, "kill: unknown flags 0x%llx",
		    (unsigned long long)flags);
	if (sig < 1 || sig > 64)
		return ctr__fail(err, CTR_E_INVALID, "kill: %d is not a signal", (int)sig);
	if (flags & CTR_OCI_KILL_ALL)
		return kill_by_runtime(d, c, sig, true, err);
	pidfd = open_init(c);
	if (pidfd >= 0)
		return kill_by_pidfd(d, c, pidfd, sig, err);
	if (pidfd == -ESRCH)
		return already_ended(c, err);
	return kill_by_runtime(d, c, sig, false, err); /* no PID known, or no pidfds here */
}

/* ---- pause and resume ---- */

static int set_frozen(
    const struct ctr__conmon *d, const struct ctr_oci_container *c, bool frozen, ctr_error_t **err)
{
	int rc = ctr__oci_check_container(c, err);

	if (rc < 0)
		return rc;
	if (freezer_is_ours(d, c) && ctr__cgroup_freeze(c->cgroup_path, frozen) == 0)
		return 0;
	return run_simple(d, c, frozen ? "pause" : "resume", err);
}

int ctr__oci_op_pause(void *impl, const struct ctr_oci_container *c, ctr_error_t **err)
{
	return set_frozen(impl, c, true, err);
}

int ctr__oci_op_resume(void *impl, const struct ctr_oci_container *c, ctr_error_t **err)
{
	return set_frozen(impl, c, false, err);
}

/* ---- update ---- */

#define RESOURCES_FILE "resources.json"

/* The command reads a file: one in the bundle, which goes away with it whatever happens here. */
static int write_resources(
    const struct ctr_oci_container *c, const char *resources, int *bundle, ctr_error_t **err)
{
	int rc;

	*bundle = open(c->bundle, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	rc = *bundle < 0 ? -errno
	                 : ctr__write_file_at(
	                       *bundle, RESOURCES_FILE, resources, strlen(resources), 0600, false);
	return rc < 0 ? ctr__fail_errno(
	                    err, -rc, c->bundle, "write %s in %s", RESOURCES_FILE, c->bundle)
	              : 0;
}

static int run_update(const struct ctr__conmon *d, const struct ctr_oci_container *c,
    const char *file, ctr_error_t **err)
{
	CTR__OCI_RESULT struct ctr__oci_result r = {0};
	int rc;

	ctr__oci_unstick(d, c);
	rc = ctr__oci_run(d, c, (const char *const[]){"update", "-r", file, c->id, NULL}, &r, err);
	if (rc < 0)
		return rc;
	return r.ok ? 0 : ctr__oci_command_failed(d, &r, "change the limits of", err);
}

int ctr__oci_op_update(
    void *impl, const struct ctr_oci_container *c, const char *resources, ctr_error_t **err)
{
	CTR__FREE char *file = NULL;
	CTR__CLOSE int bundle = -1;
	int rc = ctr__oci_check_container(c, err);

	if (rc == 0)
		rc = write_resources(c, resources, &bundle, err);
	if (rc < 0)
		return rc;
	file = ctr__path_join(c->bundle, RESOURCES_FILE);
	rc = file ? run_update(impl, c, file, err) : ctr__fail_nomem(err);
	(void)unlinkat(bundle, RESOURCES_FILE, 0);
	return rc;
}
