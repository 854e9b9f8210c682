/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libctr/runtime.h - opening a store, its OCI runtimes and storage drivers.
 *
 * A runtime is two directories: the root (persistent: configurations, names, logs) and the run root
 * (of this boot: states, locks, sockets). Any number of processes may have it open, and one process
 * may open it several times; all of them see the same containers. No daemon is involved.
 *
 * Caveats, first:
 *  - The run root belongs on a tmpfs. If it outlives a reboot, libctr notices by the boot ID and
 *    starts it afresh.
 *  - All processes that share a store must be in one PID namespace; another one is refused.
 *  - Two copies of libctr in one process (say a static and a shared one) must not open one store.
 *  - Network file systems are not supported for either directory.
 */
#ifndef LIBCTR_RUNTIME_H
#define LIBCTR_RUNTIME_H

#include <libctr/error.h>
#include <libctr/sys/oci_ops.h>
#include <libctr/sys/storage_ops.h>
#include <libctr/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Levels of log messages. */
enum { CTR_LOG_ERROR = 1, CTR_LOG_WARNING = 2, CTR_LOG_INFO = 3, CTR_LOG_DEBUG = 4 };

/*
 * ctr_log_fn: receives one preformatted line without a newline. `id` is the container's ID or NULL;
 * both strings are borrowed for the call. Called on the thread that called the library, possibly
 * with locks held: any libctr call on a runtime or container from inside gives CTR_E_DEADLOCK.
 */
typedef void (*ctr_log_fn)(int32_t level, const char *id, const char *message, void *userdata);

#define CTR_OPEN_SYSTEMD_CGROUP (UINT64_C(1) << 0) /* cgroups through systemd, not cgroupfs */

/* How to open a runtime. `size` = sizeof(struct ctr_open_opts); zero everywhere else = default. */
struct ctr_open_opts {
	size_t size;
	uint64_t flags;       /* CTR_OPEN_*                                                     */
	const char *root;     /* absolute path; NULL = "/var/lib/libctr". Made 0700 if absent   */
	const char *run_root; /* absolute path; NULL = "/run/libctr". Made 0700 if absent       */
	const char *oci_runtimes; /* colon-separated absolute paths; the first is the default.
	                           * NULL = crun and runc, whichever are found in the usual
	                           * directories; crun is the default on cgroup v2, runc elsewhere.
	                           * A runtime's name is the last component of its path.            */
	const char *conmon; /* absolute path; NULL = the usual directories                    */
	int64_t lock_timeout_ms; /* longest wait for a container's lock, then CTR_E_LOCKED;
	                           * 0 or -1 = no limit                                             */
	ctr_log_fn log; /* NULL = silent                                                  */
	void *log_userdata;
	int64_t log_level;  /* most talkative level wanted; 0 = CTR_LOG_WARNING               */
	const char *helper; /* absolute path of libctr-helper, which the monitor runs when a
	                     * container with a restart policy or automatic removal has ended,
	                     * and which runs health checks; NULL = where the library was
	                     * installed with it                                             */
	/* Directories with hook files, as oci-hooks(5) of containers has them, NULL-terminated list of
	 * absolute paths; NULL = none. Later directories win. libpod looks into
	 * "/usr/share/containers/oci/hooks.d" and "/etc/containers/oci/hooks.d". Copied. Read at every
	 * init; a file that is not understood fails it. They apply to what this runtime object starts. */
	const char *const *hooks_dirs;
};

/*
 * ctr_runtime_open: opens the store, making it if the directories are absent or empty.
 *   out   ref; drop with ctr_runtime_unref()
 * Neither the OCI runtimes nor conmon need to exist yet: a path that was given explicitly and is
 * absent or not executable is an error here, a default that is missing is one at first use.
 * Errors: CTR_E_INVALID (relative path, root equal to or inside run root), CTR_E_OCI_UNAVAILABLE,
 *   CTR_E_CONMON_UNAVAILABLE, CTR_E_NO_HELPER, CTR_E_ROOTLESS, CTR_E_PERMISSION, CTR_E_STORE_FOREIGN (directory is not
 *   empty and not ours, other PID namespace, or the file is not a libctr database), CTR_E_STORE_CONFIG
 *   (made with another run root), CTR_E_STORE_NEWER, CTR_E_STORE_CORRUPT, CTR_E_STORE_FULL,
 *   CTR_E_SYSTEM, CTR_E_NOMEM. Detail "path" names the directory or file.
 * Blocks while another process makes or repairs the same store. Thread-safe.
 * Since: 0.1
 */
CTR_API int ctr_runtime_open(
    const struct ctr_open_opts *opts, ctr_runtime_t **out, ctr_error_t **err);

/* ctr_runtime_ref: one more reference. Returns its argument; NULL is fine. Since: 0.1 */
CTR_API ctr_runtime_t *ctr_runtime_ref(ctr_runtime_t *rt);

/*
 * ctr_runtime_unref: drops a reference; the last one closes the store of this process. Handles of
 * containers hold a reference of their own, so the order does not matter. Containers are not
 * touched: they go on without us. Returns NULL; NULL is fine. May be called after fork().
 * Since: 0.1
 */
CTR_API ctr_runtime_t *ctr_runtime_unref(ctr_runtime_t *rt);

/* ctr_runtime_unrefp: for __attribute__((cleanup)). Since: 0.1 */
CTR_API void ctr_runtime_unrefp(ctr_runtime_t **rt);

/*
 * ctr_runtime_shutdown: from now on every call on this runtime object and its containers fails with
 * CTR_E_RUNTIME_STOPPED, except ref, unref and configuration accessors; blocked waits return it too.
 * Other opens of the same store, in this process or others, are not affected.
 * Errors: CTR_E_FORKED. A second call succeeds.
 * Since: 0.1
 */
CTR_API int ctr_runtime_shutdown(ctr_runtime_t *rt, ctr_error_t **err);

/* ctr_runtime_root: the root directory, absolute. Borrowed. Since: 0.1 */
CTR_API const char *ctr_runtime_root(const ctr_runtime_t *rt);

/* ctr_runtime_run_root: the run root directory, absolute. Borrowed. Since: 0.1 */
CTR_API const char *ctr_runtime_run_root(const ctr_runtime_t *rt);

/*
 * ctr_runtime_default_oci: name of the OCI runtime that a configuration without one gets; NULL if
 * none is available. Borrowed from the runtime object.
 * Since: 0.1
 */
CTR_API const char *ctr_runtime_default_oci(const ctr_runtime_t *rt);

/*
 * ctr_runtime_add_oci: registers an OCI runtime implemented by the host (sys/oci_ops.h).
 *   ops      copied; its `name` (a valid container name) is copied too
 *   impl     passed to every operation; may be NULL
 *   destroy  called exactly once with `impl`, when the runtime object is freed, or never if this call
 *            fails; NULL = nothing to do. It must not call libctr.
 * The registration belongs to this runtime object: each process that works on such a container must
 * register it, others get CTR_E_OCI_UNAVAILABLE.
 * Errors: CTR_E_INVALID (required operation missing, bad name), CTR_E_CTR_EXISTS (name taken),
 *   CTR_E_UNSUPPORTED (newer ops struct with operations this library does not know, unknown caps),
 *   CTR_E_FORKED, CTR_E_NOMEM.
 * Since: 0.1
 */
CTR_API int ctr_runtime_add_oci(ctr_runtime_t *rt, const struct ctr_oci_ops *ops, void *impl,
    void (*destroy)(void *impl), ctr_error_t **err);

/*
 * ctr_runtime_add_storage: registers a storage driver implemented by the host (sys/storage_ops.h).
 * As ctr_runtime_add_oci(). A configuration chooses a driver by the field CTR_CONFIG_STORAGE.
 * Since: 0.1
 */
CTR_API int ctr_runtime_add_storage(ctr_runtime_t *rt, const struct ctr_storage_ops *ops,
    void *impl, void (*destroy)(void *impl), ctr_error_t **err);

#ifdef __cplusplus
}
#endif
#endif
