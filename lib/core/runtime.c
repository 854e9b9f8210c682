/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a runtime, and its drivers. */
#include "core/runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/opts.h"
#include "helper_path.h"
#include "sys/cgroup.h"
#include "sys/path.h"
#include "util/cleanup.h"

#define HOOKS_DIRS_MAX   32 /* the helper takes no more */
#define DEFAULT_ROOT     "/var/lib/libctr"
#define DEFAULT_RUN_ROOT "/run/libctr"

/* A log function must not call back: calls from this thread are refused while it runs. */
static _Thread_local int in_log;

int ctr__runtime_enter(const struct ctr_runtime *rt, ctr_error_t **err)
{
	if (!rt)
		return ctr__fail(err, CTR_E_INVALID, "runtime is NULL");
	if (ctr__store_forked(rt->store))
		return ctr__fail(err, CTR_E_FORKED,
		    "the runtime was opened before fork(); open one in the child");
	if (atomic_load_explicit(&rt->stopped, memory_order_acquire))
		return ctr__fail(err, CTR_E_RUNTIME_STOPPED, "the runtime was shut down");
	if (in_log)
		return ctr__fail(err, CTR_E_DEADLOCK, "called from inside the log function");
	return 0;
}

void ctr__log(const struct ctr_runtime *rt, int32_t level, const char *id, const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	if (!rt->log || level > rt->log_level)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	in_log++;
	rt->log(level, id, line, rt->log_userdata);
	in_log--;
}

/* ---- drivers ---- */

struct ctr__oci *ctr__runtime_oci(const struct ctr_runtime *rt, const char *name)
{
	struct ctr__oci *o = atomic_load_explicit(&rt->oci, memory_order_acquire);

	while (o && !ctr__streq(o->name, name))
		o = o->next;
	return o;
}

struct ctr__storage *ctr__runtime_storage(const struct ctr_runtime *rt, const char *name)
{
	struct ctr__storage *s = atomic_load_explicit(&rt->storage, memory_order_acquire);

	while (s && !ctr__streq(s->name, name))
		s = s->next;
	return s;
}

int ctr__runtime_add_oci(struct ctr_runtime *rt, struct ctr__oci *o, ctr_error_t **err)
{
	int r = 0;

	pthread_mutex_lock(&rt->drivers_mutex);
	if (ctr__runtime_oci(rt, o->name)) {
		r = ctr__fail(err, CTR_E_CTR_EXISTS,
		    "an OCI runtime named \"%s\" is registered already", o->name);
	} else {
		o->next = atomic_load_explicit(&rt->oci, memory_order_relaxed);
		atomic_store_explicit(&rt->oci, o, memory_order_release);
	}
	pthread_mutex_unlock(&rt->drivers_mutex);
	return r;
}

int ctr__runtime_add_storage(struct ctr_runtime *rt, struct ctr__storage *s, ctr_error_t **err)
{
	int r = 0;

	pthread_mutex_lock(&rt->drivers_mutex);
	if (ctr__runtime_storage(rt, s->name)) {
		r = ctr__fail(err, CTR_E_CTR_EXISTS,
		    "a storage driver named \"%s\" is registered already", s->name);
	} else {
		s->next = atomic_load_explicit(&rt->storage, memory_order_relaxed);
		atomic_store_explicit(&rt->storage, s, memory_order_release);
	}
	pthread_mutex_unlock(&rt->drivers_mutex);
	return r;
}

static int check_program(const char *path, int code, const char *what, ctr_error_t **err)
{
	if (!ctr__path_is_clean(path)) {
		ctr__fail(err, CTR_E_INVALID, "%s \"%s\" is not an absolute path", what, path);
		ctr__error_detail(err, "path", path);
		return CTR_E_INVALID;
	}
	if (access(path, X_OK) == 0)
		return 0;
	ctr__fail(err, code, "%s \"%s\" cannot be executed: %s", what, path, strerror(errno));
	ctr__error_detail(err, "path", path);
	return code;
}

static int add_command_line(struct ctr_runtime *rt, const char *path, const char *conmon,
    const char *run_root, ctr_error_t **err)
{
	struct ctr__conmon_opts o = {
	    .runtime_path = path, .conmon_path = conmon, .run_root = run_root};
	struct ctr__oci *oci = NULL;
	int r = ctr__conmon_new(&o, &oci, err);

	if (r < 0)
		return r;
	if (!rt->default_oci) {
		rt->default_oci = strdup(oci->name);
		if (!rt->default_oci) {
			ctr__oci_free(oci);
			return ctr__fail_nomem(err);
		}
	}
	r = ctr__runtime_add_oci(rt, oci, err);
	if (r < 0)
		ctr__oci_free(oci);
	return r;
}

/* The runtimes that the caller names: all must be there. */
static int add_named_runtimes(
    struct ctr_runtime *rt, const char *list, const char *conmon, ctr_error_t **err)
{
	CTR__STRV char **paths = ctr__strv_split(list, ':');

	if (!paths)
		return ctr__fail_nomem(err);
	for (char **p = paths; *p; p++) {
		int r = check_program(*p, CTR_E_OCI_UNAVAILABLE, "OCI runtime", err);

		if (r >= 0)
			r = add_command_line(rt, *p, conmon, ctr__store_run_root(rt->store), err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The first one found is the default: crun is the faster one, but it refuses hosts where v1 and v2 hierarchies
 * are mixed. */
static int add_usual_runtimes(struct ctr_runtime *rt, const char *conmon, ctr_error_t **err)
{
	static const char *const names[] = {"crun", "runc"};
	bool unified = ctr__cgroup_mode() == CTR__CGROUP_UNIFIED;

	for (size_t i = 0; i < CTR__ARRAY_SIZE(names); i++) {
		CTR__FREE char *path = ctr__find_program(names[unified ? i : !i]);
		int r;

		if (!path)
			continue;
		r = add_command_line(rt, path, conmon, ctr__store_run_root(rt->store), err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int add_oci_runtimes(
    struct ctr_runtime *rt, const struct ctr_open_opts *o, ctr_error_t **err)
{
	CTR__FREE char *conmon = NULL;

	if (o->conmon) {
		int r = check_program(o->conmon, CTR_E_CONMON_UNAVAILABLE, "monitor", err);

		if (r < 0)
			return r;
		conmon = strdup(o->conmon);
		if (!conmon)
			return ctr__fail_nomem(err);
	} else {
		conmon = ctr__find_program("conmon");
	}
	if (o->oci_runtimes)
		return add_named_runtimes(rt, o->oci_runtimes, conmon, err);
	return add_usual_runtimes(rt, conmon, err);
}

static int check_hooks_dirs(const char *const *dirs, ctr_error_t **err)
{
	if (ctr__strv_len(dirs) > HOOKS_DIRS_MAX)
		return ctr__fail(
		    err, CTR_E_INVALID, "more than %d hook directories", HOOKS_DIRS_MAX);
	for (; dirs && *dirs; dirs++) {
		if (ctr__path_is_clean(*dirs))
			continue;
		ctr__fail(err, CTR_E_INVALID,
		    "hook directory \"%s\" is not an absolute path without \".\" and \"..\"",
		    *dirs);
		ctr__error_detail(err, "path", *dirs);
		return CTR_E_INVALID;
	}
	return 0;
}

/* Its absence matters only to containers that need it, unless the caller names it. */
static int take_helper(struct ctr_runtime *rt, const struct ctr_open_opts *o, ctr_error_t **err)
{
	int r = o->helper ? check_program(o->helper, CTR_E_NO_HELPER, "helper", err) : 0;

	if (r < 0)
		return r;
	rt->helper = strdup(o->helper ? o->helper : CTR__HELPER_PATH);
	rt->conmon = ctr__strdup_null(o->conmon);
	rt->oci_paths = ctr__strdup_null(o->oci_runtimes);
	rt->hooks_dirs = o->hooks_dirs ? ctr__strv_copy(o->hooks_dirs) : NULL;
	if (o->hooks_dirs && !rt->hooks_dirs)
		return ctr__fail_nomem(err);
	if (!rt->helper || (o->conmon && !rt->conmon) || (o->oci_runtimes && !rt->oci_paths))
		return ctr__fail_nomem(err);
	return 0;
}

static int add_storage_drivers(struct ctr_runtime *rt, ctr_error_t **err)
{
	struct ctr__storage *s = NULL;
	int r = ctr__storage_rootfs_new(&s, err);

	if (r >= 0) {
		r = ctr__runtime_add_storage(rt, s, err);
		if (r < 0)
			ctr__storage_free(s);
	}
	return r;
}

/* ---- opening ---- */

static int check_dirs(const char *root, const char *run_root, ctr_error_t **err)
{
	const char *dirs[] = {root, run_root};

	for (size_t i = 0; i < CTR__ARRAY_SIZE(dirs); i++) {
		if (ctr__path_is_clean(dirs[i]) && dirs[i][1])
			continue;
		ctr__fail(err, CTR_E_INVALID,
		    "%s \"%s\" is not an absolute path without \".\" and \"..\"",
		    i ? "run root" : "root", dirs[i]);
		ctr__error_detail(err, "path", dirs[i]);
		return CTR_E_INVALID;
	}
	for (size_t i = 0; i < 2; i++) {
		size_t len = strlen(dirs[i]);

		if (strncmp(dirs[!i], dirs[i], len) != 0 || (dirs[!i][len] != '/' && dirs[!i][len]))
			continue;
		ctr__fail(err, CTR_E_INVALID,
		    "root \"%s\" and run root \"%s\" must not contain each other", root, run_root);
		ctr__error_detail(err, "path", run_root);
		return CTR_E_INVALID;
	}
	return 0;
}

static int open_dirs(struct ctr_runtime *rt, ctr_error_t **err)
{
	rt->static_dirs = ctr__path_join(ctr__store_root(rt->store), "containers");
	rt->run_dirs = ctr__path_join(ctr__store_run_root(rt->store), "containers");
	if (!rt->static_dirs || !rt->run_dirs)
		return ctr__fail_nomem(err);
	rt->exits_fd = openat(ctr__store_run_fd(rt->store), CTR__EXITS_DIR,
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (rt->exits_fd < 0)
		return ctr__fail_errno(err, errno, ctr__store_run_root(rt->store),
		    "cannot open the directory of exit files");
	rt->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (rt->stop_fd < 0)
		return ctr__fail_errno(err, errno, NULL, "cannot make an eventfd");
	return 0;
}

static int take_options(struct ctr_runtime *rt, const struct ctr_open_opts *o, ctr_error_t **err)
{
	if (o->flags & ~CTR_OPEN_SYSTEMD_CGROUP)
		return ctr__fail(err, CTR_E_UNSUPPORTED, "unknown flags 0x%llx for opening",
		    (unsigned long long)(o->flags & ~CTR_OPEN_SYSTEMD_CGROUP));
	if (o->lock_timeout_ms < -1)
		return ctr__fail(err, CTR_E_INVALID, "lock timeout %lld ms is negative",
		    (long long)o->lock_timeout_ms);
	if (o->log_level < 0 || o->log_level > CTR_LOG_DEBUG)
		return ctr__fail(
		    err, CTR_E_INVALID, "there is no log level %lld", (long long)o->log_level);
	rt->systemd_cgroup = o->flags & CTR_OPEN_SYSTEMD_CGROUP;
	rt->lock_timeout_ms = o->lock_timeout_ms > 0 ? o->lock_timeout_ms : -1;
	rt->log = o->log;
	rt->log_userdata = o->log_userdata;
	rt->log_level = o->log_level ? o->log_level : CTR_LOG_WARNING;
	return 0;
}

static struct ctr_runtime *runtime_new(void)
{
	struct ctr_runtime *rt = calloc(1, sizeof(*rt));

	if (!rt)
		return NULL;
	atomic_init(&rt->refs, 1);
	rt->stop_fd = rt->exits_fd = rt->events_fd = -1;
	pthread_mutex_init(&rt->drivers_mutex, NULL);
	pthread_mutex_init(&rt->events_mutex, NULL);
	ctr__stream_group_init(&rt->streams);
	return rt;
}

static void unref_p(struct ctr_runtime **rt)
{
	ctr__runtime_unref(*rt);
}

int ctr__runtime_open(const struct ctr_open_opts *opts, struct ctr_runtime **out, ctr_error_t **err)
{
	struct ctr_open_opts o;
	CTR__CLEANUP(unref_p) struct ctr_runtime *rt = NULL;
	int r = CTR__COPY_OPTS(&o, opts, "ctr_open_opts", err);

	if (r < 0)
		return r;
	if (geteuid() != 0)
		return ctr__fail(err, CTR_E_ROOTLESS, "libctr needs root for now");
	if (!o.root)
		o.root = DEFAULT_ROOT;
	if (!o.run_root)
		o.run_root = DEFAULT_RUN_ROOT;
	r = check_dirs(o.root, o.run_root, err);
	if (r >= 0)
		r = check_hooks_dirs(o.hooks_dirs, err);
	if (r < 0)
		return r;
	rt = runtime_new();
	if (!rt)
		return ctr__fail_nomem(err);
	r = take_options(rt, &o, err);
	if (r >= 0)
		r = ctr__store_open(o.root, o.run_root, &rt->store, err);
	if (r >= 0)
		r = open_dirs(rt, err);
	if (r >= 0)
		r = add_oci_runtimes(rt, &o, err);
	if (r >= 0)
		r = take_helper(rt, &o, err);
	if (r >= 0)
		r = add_storage_drivers(rt, err);
	if (r < 0)
		return r;
	*out = CTR__STEAL_PTR(rt);
	return 0;
}

struct ctr_runtime *ctr__runtime_ref(struct ctr_runtime *rt)
{
	if (rt)
		atomic_fetch_add_explicit(&rt->refs, 1, memory_order_relaxed);
	return rt;
}

static void free_drivers(struct ctr_runtime *rt)
{
	struct ctr__oci *o = atomic_load(&rt->oci);
	struct ctr__storage *s = atomic_load(&rt->storage);

	while (o) {
		struct ctr__oci *next = o->next;

		ctr__oci_free(o);
		o = next;
	}
	while (s) {
		struct ctr__storage *next = s->next;

		ctr__storage_free(s);
		s = next;
	}
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

void ctr__runtime_unref(struct ctr_runtime *rt)
{
	if (!rt || atomic_fetch_sub_explicit(&rt->refs, 1, memory_order_acq_rel) != 1)
		return;
	/* A forked child leaves everything that it shares with its parent alone. */
	if (rt->store && ctr__store_forked(rt->store))
		return;
	free_drivers(rt);
	ctr__event_filter_free(rt->filter);
	close_fd(rt->events_fd);
	close_fd(rt->exits_fd);
	close_fd(rt->stop_fd);
	if (rt->store)
		ctr__store_unref(rt->store);
	free(rt->run_dirs);
	free(rt->static_dirs);
	free(rt->default_oci);
	free(rt->oci_paths);
	free(rt->conmon);
	free(rt->helper);
	ctr__strv_free(rt->hooks_dirs);
	pthread_mutex_destroy(&rt->drivers_mutex);
	pthread_mutex_destroy(&rt->events_mutex);
	ctr__stream_group_free(&rt->streams);
	free(rt);
}
