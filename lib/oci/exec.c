/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One more process in a running container, to its end: the runtime's exec, without a monitor.
 *
 * Three files of the bundle directory serve one call: what is to be run, the process's PID (to end it with its
 * children when the time is up: ending the runtime would not do that), and the runtime's log, which tells its own
 * errors from what the process prints. One who is killed leaves them to the bundle's removal.
 */
#include "oci/driver.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/fd.h"
#include "sys/proc.h"
#include "sys/spawn.h"
#include "util/cleanup.h"
#include "util/id.h"

#define NAME_LEN     12
#define PID_FILE_MAX 32
#define NOT_EXECUTED 126
#define NOT_FOUND    127

struct exec {
	const struct ctr__conmon *d;
	const struct ctr_oci_container *c;
	int bundle;
	char name[NAME_LEN + 1];
	char *process, *pid, *log; /* paths */
	struct ctr__buf out;
};

static const char *last(const char *path)
{
	return strrchr(path, '/') + 1;
}

static void exec_end(struct exec *e)
{
	char *const files[] = {e->process, e->pid, e->log};

	for (size_t i = 0; i < CTR__ARRAY_SIZE(files); i++) {
		if (e->bundle >= 0 && files[i])
			(void)unlinkat(e->bundle, last(files[i]), 0);
		free(files[i]);
	}
	ctr__cleanup_close(&e->bundle);
	ctr__buf_free(&e->out);
}

static int make_files(struct exec *e, const char *process, ctr_error_t **err)
{
	char id[CTR__ID_HEX + 1];
	int r = ctr__id_random(id, err);

	if (r < 0)
		return r;
	memcpy(e->name, id, NAME_LEN);
	e->bundle = open(e->c->bundle, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (e->bundle < 0)
		return ctr__fail_errno(
		    err, errno, e->c->bundle, "open bundle directory %s", e->c->bundle);
	e->process = ctr__format("%s/exec-%s.json", e->c->bundle, e->name);
	e->pid = ctr__format("%s/exec-%s.pid", e->c->bundle, e->name);
	e->log = ctr__format("%s/exec-%s.log", e->c->bundle, e->name);
	if (!e->process || !e->pid || !e->log)
		return ctr__fail_nomem(err);
	r = ctr__write_file_at(e->bundle, last(e->process), process, strlen(process), 0600, false);
	return r < 0 ? ctr__fail_errno(err, -r, e->process, "write %s", e->process) : 0;
}

/* ---- the time is up ---- */

bool ctr__oci_is_inside(const struct ctr_oci_container *c, pid_t pid)
{
	CTR__FREE char *its = ctr__proc_cgroup(pid);
	CTR__FREE char *ours = ctr__proc_cgroup(c->pid);
	size_t len = ours ? strlen(ours) : 0;

	return c->pid > 0 && pid != c->pid && its && ours && ctr__starts_with(its, ours) &&
	       (!its[len] || its[len] == '/' || ours[len - 1] == '/');
}

pid_t ctr__oci_read_pid(int dirfd, const char *name)
{
	CTR__FREE char *text = NULL;
	int64_t pid;

	if (ctr__read_file_at(dirfd, name, PID_FILE_MAX, &text, NULL) < 0)
		return 0;
	text[strcspn(text, "\n")] = '\0';
	return ctr__parse_i64(text, 1, INT32_MAX, &pid) ? (pid_t)pid : 0;
}

static void end_process(const struct exec *e)
{
	pid_t pid = ctr__oci_read_pid(e->bundle, last(e->pid));
	CTR__CLOSE int pidfd = pid > 0 ? ctr__pidfd_open(pid, 0) : -1;

	if (pidfd >= 0 && ctr__oci_is_inside(e->c, pid))
		(void)ctr__proc_kill_tree(pidfd, pid);
}

/* ---- the runtime's word ---- */

static char *runtime_error(const struct exec *e)
{
	CTR__FREE char *data = NULL;
	size_t len;

	if (ctr__read_file_at(e->bundle, last(e->log), CTR__OCI_TEXT_MAX, &data, &len) < 0)
		return strdup("");
	return ctr__oci_error_text(data, len);
}

static int blame_runtime(const struct exec *e, const char *text, ctr_error_t **err)
{
	CTR__FREE char *line = ctr__oci_one_line(text);
	int r;

	if (!line)
		return ctr__fail_nomem(err);
	if (e->c->pid > 0 && !ctr__proc_alive(e->c->pid, e->c->pid_start))
		return ctr__fail(err, CTR_E_CTR_STOPPED,
		    "container %s is not running: its process has ended", e->c->id);
	r = ctr__fail(err, CTR_E_OCI_RUNTIME,
	    "OCI runtime %s could not run a process in the container: %s", e->d->name, line);
	ctr__error_detail(err, "oci.runtime", e->d->name);
	ctr__error_detail(err, "oci.stderr", text);
	return r;
}

/* What the runtime could not execute is reported as a shell would. */
static int judge(const struct exec *e, int status, bool known, int32_t *code, ctr_error_t **err)
{
	CTR__FREE char *text = NULL;

	if (!known)
		return ctr__fail(err, CTR_E_SYSTEM,
		    "the exit status of %s was taken away by the host", e->d->runtime_path);
	*code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	if (*code == 0)
		return 0;
	text = runtime_error(e);
	if (!text)
		return ctr__fail_nomem(err);
	if (!*text)
		return 0;
	switch (ctr__oci_classify(text)) {
	case CTR_E_OCI_NOT_FOUND: *code = NOT_FOUND; return 0;
	case CTR_E_OCI_PERMISSION: *code = NOT_EXECUTED; return 0;
	default: return blame_runtime(e, text, err);
	}
}

/* ---- the operation ---- */

static int run(struct exec *e, int64_t timeout_ms, int32_t *code, ctr_error_t **err)
{
	CTR__FREE char *temporaries = ctr__oci_temporaries_env(e->c);
	const char *const env[] = {CTR__OCI_ENV, temporaries, NULL};
	const char *argv[] = {e->d->runtime_path, "--root", e->d->oci_root, "--log", e->log,
	    e->d->json_errors ? "--log-format=json" : "--log-format=text", "exec", "--process",
	    e->process, "--pid-file", e->pid, e->c->id, NULL};
	int status = 0, r;
	bool known;

	if (!temporaries)
		return ctr__fail_nomem(err);
	r = ctr__run(
	    e->d->runtime_path, argv, env, -1, timeout_ms, &e->out, &e->out, &status, &known, err);
	if (r == CTR_E_TIMEOUT) {
		end_process(e);
		return ctr__fail(err, CTR_E_TIMEOUT,
		    "a process in container %s has not ended within %lld ms and was killed",
		    e->c->id, (long long)timeout_ms);
	}
	return r < 0 ? ctr__error_prefix(err, r, "OCI runtime %s: exec", e->d->name)
	             : judge(e, status, known, code, err);
}

static int hand_over(
    struct exec *e, size_t max, char **output, size_t *output_len, ctr_error_t **err)
{
	if (e->out.data && e->out.len > max) {
		e->out.len = max;
		e->out.data[max] = '\0';
	}
	*output_len = e->out.len;
	*output = ctr__buf_steal(&e->out);
	return *output ? 0 : ctr__fail_nomem(err);
}

int ctr__oci_op_run_process(void *impl, const struct ctr_oci_container *c, const char *process,
    int64_t timeout_ms, size_t output_max, int32_t *exit_code, char **output, size_t *output_len,
    ctr_error_t **err)
{
	CTR__CLEANUP(exec_end) struct exec e = {.d = impl, .c = c, .bundle = -1};
	int r = ctr__oci_check_container(c, err);

	*output = NULL;
	*output_len = 0;
	*exit_code = -1;
	if (r == 0)
		r = ctr__oci_check_runtime(e.d, err);
	if (r == 0)
		r = make_files(&e, process, err);
	if (r == 0)
		r = run(&e, timeout_ms, exit_code, err);
	/* What was printed before the time was up is worth having. */
	if (r == 0 || r == CTR_E_TIMEOUT) {
		int given = hand_over(&e, output_max, output, output_len, r ? NULL : err);

		r = r ? r : given;
	}
	return r;
}
