/* SPDX-License-Identifier: Apache-2.0 */
/* remove: the ordinary way, and after a create that was interrupted anywhere. */
#include "oci/driver.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "sys/cgroup.h"
#include "sys/path.h"
#include "sys/proc.h"
#include "util/cleanup.h"

#define KILL_PATIENCE   100  /* ms that SIGKILL may take before the runtime is asked */
#define DEATH_WAIT_MS   5000 /* after that */
#define MONITOR_WAIT_MS 2000 /* to finish after the container's end; it takes less than one */
#define CGROUP_WAIT_MS  5000
#define MAX_ROUNDS      10

/* ---- the container's first process ---- */

/* SIGKILL does not reach what the cgroup v1 freezer holds: the runtime's kill thaws it. */
static void kill_process(
    const struct ctr__conmon *d, const struct ctr_oci_container *c, pid_t pid, uint64_t start)
{
	CTR__OCI_RESULT struct ctr__oci_result r = {0};
	CTR__CLOSE int pidfd = pid > 0 && start ? ctr__pidfd_open(pid, start) : -1;

	if (pidfd < 0 || ctr__pidfd_signal(pidfd, SIGKILL) < 0 ||
	    ctr__pidfd_wait(pidfd, KILL_PATIENCE) == 1)
		return;
	ctr__oci_run(d, c, (const char *const[]){"kill", c->id, "9", NULL}, &r, NULL);
	ctr__pidfd_wait(pidfd, DEATH_WAIT_MS);
}

/* The runtime compares start times itself, so a PID that it names is the container's. */
static void kill_as_known_to_runtime(const struct ctr__conmon *d, const struct ctr_oci_container *c)
{
	struct ctr__oci_answer a;

	if (ctr__oci_query(d, c, &a, NULL) == 0 && a.pid > 0)
		kill_process(d, c, a.pid, ctr__proc_start_time(a.pid));
}

/* A dead container is deleted in 3 ms, a live one takes runc 100 ms: so it is killed before. Without a PID
 * namespace the others do not die with the first. */
static void kill_container(const struct ctr__conmon *d, const struct ctr_oci_container *c)
{
	CTR__OCI_RESULT struct ctr__oci_result r = {0};

	if (c->flags & CTR_OCI_SHARED_PID)
		ctr__oci_run(
		    d, c, (const char *const[]){"kill", "--all", c->id, "9", NULL}, &r, NULL);
	kill_process(d, c, c->pid, c->pid_start);
}

/* ---- what the runtime knows ---- */

static int run_delete(const struct ctr__conmon *d, const struct ctr_oci_container *c, bool force,
    struct ctr__oci_result *r, ctr_error_t **err)
{
	return force ? ctr__oci_run(
	                   d, c, (const char *const[]){"delete", "--force", c->id, NULL}, r, err)
	             : ctr__oci_run(d, c, (const char *const[]){"delete", c->id, NULL}, r, err);
}

/* Whether it worked is seen in the state directory where we know that, else from what it says. */
static bool deleted(const struct ctr__conmon *d, const char *id, const struct ctr__oci_result *r)
{
	return d->kind == CTR__RUNTIME_OTHER ? r->ok : !ctr__oci_may_know(d, id);
}

static int delete_forced(
    const struct ctr__conmon *d, const struct ctr_oci_container *c, ctr_error_t **err)
{
	CTR__OCI_RESULT struct ctr__oci_result r = {0};
	struct ctr__oci_answer a;
	int rc = run_delete(d, c, true, &r, err);

	if (rc < 0 || deleted(d, c->id, &r))
		return rc;
	if (d->kind == CTR__RUNTIME_OTHER && ctr__oci_query(d, c, &a, NULL) == 0 &&
	    a.status == CTR_OCI_ABSENT)
		return 0;
	return ctr__oci_command_failed(d, &r, "delete", err);
}

static int delete_container(
    const struct ctr__conmon *d, const struct ctr_oci_container *c, ctr_error_t **err)
{
	CTR__OCI_RESULT struct ctr__oci_result r = {0};
	int rc;

	if (!ctr__oci_may_know(d, c->id))
		return 0;
	kill_container(d, c);
	rc = run_delete(d, c, false, &r, err);
	if (rc < 0 || deleted(d, c->id, &r))
		return rc;
	kill_as_known_to_runtime(d, c);
	return delete_forced(d, c, err);
}

/* ---- undoing a create ---- */

/* The group is cleared of everything in it, so it must be the container's own. */
static bool has_own_cgroup(const struct ctr_oci_container *c)
{
	return c->cgroup_path && !(c->flags & CTR_OCI_SYSTEMD_CGROUP) &&
	       ctr__path_is_clean(c->cgroup_path) && c->cgroup_path[1] &&
	       strstr(strrchr(c->cgroup_path, '/'), c->id);
}

/* The runtime may be missing (then it has done nothing), or may choke on a half-written state. */
static void forget_state(const struct ctr__conmon *d, const struct ctr_oci_container *c)
{
	if (!ctr__oci_may_know(d, c->id))
		return;
	kill_process(d, c, c->pid, c->pid_start);
	kill_as_known_to_runtime(d, c);
	delete_forced(d, c, NULL);
}

static int remove_remains(
    const struct ctr__conmon *d, const struct ctr_oci_container *c, ctr_error_t **err)
{
	int rc;

	if (has_own_cgroup(c)) {
		rc = ctr__cgroup_remove(c->cgroup_path, CGROUP_WAIT_MS, err);
		if (rc < 0)
			return rc;
	}
	if (d->kind != CTR__RUNTIME_OTHER) {
		rc = ctr__oci_remove_state(d, c->id, err);
		if (rc < 0)
			return rc;
	}
	rc = ctr__oci_remove_temporaries(d, c, err);
	return rc < 0 ? rc : ctr__oci_remove_files(d, c, err);
}

/* Workers first, or they make again what is removed. The last look proves that none was missed. */
int ctr__oci_wipe(const struct ctr__conmon *d, const struct ctr_oci_container *c, ctr_error_t **err)
{
	int rc = ctr__oci_kill_workers(d, c, err);

	for (int round = 0; round < MAX_ROUNDS && rc >= 0; round++) {
		forget_state(d, c);
		rc = remove_remains(d, c, err);
		if (rc == 0)
			rc = ctr__oci_kill_workers(d, c, err);
		if (rc == 0)
			return 0;
	}
	if (rc > 0)
		return ctr__fail(err, CTR_E_BUSY, "processes go on working on container %s", c->id);
	return rc;
}

/* ---- remove ---- */

int ctr__oci_op_remove(
    void *impl, const struct ctr_oci_container *c, uint64_t flags, ctr_error_t **err)
{
	const struct ctr__conmon *d = impl;
	int rc = ctr__oci_check_container(c, err);

	if (rc < 0)
		return rc;
	if (flags & ~CTR_OCI_INTERRUPTED)
		return ctr__fail(err, CTR_E_UNSUPPORTED, "remove: unknown flags 0x%llx",
		    (unsigned long long)flags);
	ctr__oci_unstick(d, c);
	if (flags & CTR_OCI_INTERRUPTED)
		return ctr__oci_wipe(d, c, err);
	rc = delete_container(d, c, err);
	/* One that still finishes would write into the files of the next run. */
	if (rc == 0)
		rc = ctr__oci_end_monitor(d, c, MONITOR_WAIT_MS, err);
	return rc < 0 ? rc : ctr__oci_remove_files(d, c, err);
}
