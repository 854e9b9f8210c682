/* SPDX-License-Identifier: Apache-2.0 */
/* The built-in driver as an object: its directories, its table of operations. */
#include "oci/driver.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "oci/oci.h"
#include "sys/path.h"
#include "util/cleanup.h"
#include "util/id.h"

#define CREATE_TIMEOUT_MS  240000 /* as podman has it */
#define COMMAND_TIMEOUT_MS 240000

static const char *last_component(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static enum ctr__runtime_kind kind_of(const char *name)
{
	if (strcmp(name, "runc") == 0)
		return CTR__RUNTIME_RUNC;
	if (strcmp(name, "crun") == 0)
		return CTR__RUNTIME_CRUN;
	return CTR__RUNTIME_OTHER;
}

/* Options that a command line does not know make it fail, so only runtimes known to take it get it. */
static bool takes_json_log(const char *name)
{
	static const char *const names[] = {
	    "crun", "runc", "krun", "youki", "runsc", "kata-runtime", "crun-vm", "crun-wasm", NULL};

	return ctr__strv_has(names, name);
}

static void driver_free(void *impl)
{
	struct ctr__conmon *d = impl;

	if (!d)
		return;
	if (d->exits_fd >= 0)
		close(d->exits_fd);
	if (d->persist_fd >= 0)
		close(d->persist_fd);
	if (d->oci_fd >= 0)
		close(d->oci_fd);
	free(d->name);
	free(d->runtime_path);
	free(d->conmon_path);
	free(d->exits_dir);
	free(d->persist_dir);
	free(d->oci_root);
	free(d);
}

static void driver_freep(struct ctr__conmon **d)
{
	driver_free(*d);
}

static int check_opts(const struct ctr__conmon_opts *o, ctr_error_t **err)
{
	if (!o->runtime_path || !ctr__path_is_clean(o->runtime_path) || !o->runtime_path[1])
		return ctr__fail(err, CTR_E_INVALID,
		    "OCI runtime: \"%s\" is not a clean absolute path",
		    o->runtime_path ? o->runtime_path : "");
	if (o->conmon_path && !ctr__path_is_clean(o->conmon_path))
		return ctr__fail(err, CTR_E_INVALID, "conmon: \"%s\" is not a clean absolute path",
		    o->conmon_path);
	if (!o->run_root || !ctr__path_is_clean(o->run_root))
		return ctr__fail(err, CTR_E_INVALID,
		    "run root: \"%s\" is not a clean absolute path",
		    o->run_root ? o->run_root : "");
	return 0;
}

static int fill_names(struct ctr__conmon *d, const struct ctr__conmon_opts *o, ctr_error_t **err)
{
	d->name = strdup(last_component(o->runtime_path));
	d->runtime_path = strdup(o->runtime_path);
	d->conmon_path = ctr__strdup_null(o->conmon_path);
	d->exits_dir = ctr__path_join(o->run_root, CTR__EXITS_DIR);
	d->persist_dir = ctr__path_join(o->run_root, CTR__PERSIST_DIR);
	if (!d->name || !d->runtime_path || (o->conmon_path && !d->conmon_path) || !d->exits_dir ||
	    !d->persist_dir)
		return ctr__fail_nomem(err);
	d->oci_root = ctr__format("%s/" CTR__OCI_DIR "/%s", o->run_root, d->name);
	if (!d->oci_root)
		return ctr__fail_nomem(err);
	d->kind = kind_of(d->name);
	d->json_errors = takes_json_log(d->name);
	return 0;
}

static int open_dirs(struct ctr__conmon *d, const char *run_root, ctr_error_t **err)
{
	CTR__FREE char *oci_dir = ctr__path_join(run_root, CTR__OCI_DIR);
	CTR__CLOSE int parent = -1;

	if (!oci_dir)
		return ctr__fail_nomem(err);
	d->exits_fd = ctr__mkdir_open(d->exits_dir, 0750, err);
	if (d->exits_fd < 0)
		return d->exits_fd;
	d->persist_fd = ctr__mkdir_open(d->persist_dir, 0750, err);
	if (d->persist_fd < 0)
		return d->persist_fd;
	parent = ctr__mkdir_open(oci_dir, 0700, err);
	if (parent < 0)
		return parent;
	d->oci_fd = ctr__mkdir_at(parent, d->name, 0700);
	if (d->oci_fd < 0)
		return ctr__fail_errno(err, -d->oci_fd, d->oci_root,
		    "make the state directory of OCI runtime %s", d->name);
	return 0;
}

static int driver_new(const struct ctr__conmon_opts *o, struct ctr__conmon **out, ctr_error_t **err)
{
	CTR__CLEANUP(driver_freep) struct ctr__conmon *d = calloc(1, sizeof(*d));
	int rc;

	if (!d)
		return ctr__fail_nomem(err);
	d->exits_fd = d->persist_fd = d->oci_fd = -1;
	d->create_timeout_ms = CREATE_TIMEOUT_MS;
	d->command_timeout_ms = COMMAND_TIMEOUT_MS;
	rc = fill_names(d, o, err);
	if (rc == 0)
		rc = open_dirs(d, o->run_root, err);
	if (rc < 0)
		return rc;
	*out = CTR__STEAL_PTR(d);
	return 0;
}

int ctr__conmon_new(const struct ctr__conmon_opts *o, struct ctr__oci **out, ctr_error_t **err)
{
	struct ctr_oci_ops ops = {
	    .size = sizeof(ops),
	    .create = ctr__oci_op_create,
	    .start = ctr__oci_op_start,
	    .state = ctr__oci_op_state,
	    .kill = ctr__oci_op_kill,
	    .remove = ctr__oci_op_remove,
	    .pause = ctr__oci_op_pause,
	    .resume = ctr__oci_op_resume,
	    .exit_status = ctr__oci_op_exit_status,
	    .wait_fd = ctr__oci_op_wait_fd,
	    .monitor_alive = ctr__oci_op_monitor_alive,
	    .update = ctr__oci_op_update,
	    .run_process = ctr__oci_op_run_process,
	    .attach = ctr__oci_op_attach,
	    .resize = ctr__oci_op_resize,
	    .exec_start = ctr__oci_op_exec_start,
	    .exec_status = ctr__oci_op_exec_status,
	    .exec_wait_fd = ctr__oci_op_exec_wait_fd,
	    .exec_kill = ctr__oci_op_exec_kill,
	    .exec_resize = ctr__oci_op_exec_resize,
	    .exec_remove = ctr__oci_op_exec_remove,
	};
	struct ctr__conmon *d = NULL;
	int rc = check_opts(o, err);

	if (rc < 0)
		return rc;
	rc = driver_new(o, &d, err);
	if (rc < 0)
		return rc;
	ops.name = d->name;
	ops.caps = CTR_OCI_CAP_EXIT_COMMAND;
	if (d->kind == CTR__RUNTIME_CRUN)
		ops.caps |= CTR_OCI_CAP_NO_CGROUPS;
	rc = ctr__oci_new(&ops, d, driver_free, out, err);
	if (rc < 0)
		driver_free(d);
	return rc;
}

/* A program we cannot use: the code says which one, the errno why. */
static int unavailable(ctr_error_t **err, int code, int errno_, const char *what, const char *path)
{
	CTR__FREE char *message =
	    ctr__format("%s is not available: %s: %s", what, path, strerrordesc_np(errno_));

	if (!message)
		return ctr__fail_nomem(err);
	ctr_error_set(err, code, errno_, message);
	ctr__error_detail(err, "path", path);
	return code;
}

int ctr__oci_check_runtime(const struct ctr__conmon *d, ctr_error_t **err)
{
	CTR__FREE char *what = NULL;
	int rc, saved;

	if (access(d->runtime_path, X_OK) == 0)
		return 0;
	saved = errno;
	what = ctr__format("OCI runtime %s", d->name);
	if (!what)
		return ctr__fail_nomem(err);
	rc = unavailable(err, CTR_E_OCI_UNAVAILABLE, saved, what, d->runtime_path);
	ctr__error_detail(err, "oci.runtime", d->name);
	return rc;
}

int ctr__oci_check_conmon(const struct ctr__conmon *d, ctr_error_t **err)
{
	if (!d->conmon_path)
		return ctr__fail(err, CTR_E_CONMON_UNAVAILABLE,
		    "conmon is not available: it was not found when the runtime was opened");
	if (access(d->conmon_path, X_OK) == 0)
		return 0;
	return unavailable(err, CTR_E_CONMON_UNAVAILABLE, errno, "conmon", d->conmon_path);
}

int ctr__oci_check_container(const struct ctr_oci_container *c, ctr_error_t **err)
{
	if (!c->id || !ctr__id_valid(c->id))
		return ctr__fail(err, CTR_E_INVALID,
		    "OCI runtime: \"%s\" is not a valid container ID", c->id ? c->id : "");
	if (!c->bundle || !ctr__path_is_clean(c->bundle))
		return ctr__fail(err, CTR_E_INVALID,
		    "OCI runtime: bundle \"%s\" is not a clean absolute path",
		    c->bundle ? c->bundle : "");
	return 0;
}

char *ctr__find_program(const char *name)
{
	static const char *const dirs[] = {
	    "/usr/local/bin", "/usr/bin", "/usr/local/sbin", "/usr/sbin", "/bin", "/sbin"};

	if (!name || !*name || strchr(name, '/'))
		return NULL;
	for (size_t i = 0; i < CTR__ARRAY_SIZE(dirs); i++) {
		CTR__FREE char *path = ctr__path_join(dirs[i], name);
		struct stat st;

		if (path && stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0)
			return CTR__STEAL_PTR(path);
	}
	return NULL;
}
