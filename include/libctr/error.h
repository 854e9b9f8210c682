/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libctr/error.h - result codes and the error object.
 *
 * A failing call returns one of the codes below and, if the caller passed a place for it, an error
 * object with the code, the errno of the system call behind it (or 0), a message that names the
 * thing that failed, and details under fixed keys:
 *
 *   "container"        full ID of the container the call was about
 *   "state"            its state at that moment, as ctr_state_name() spells it
 *   "operation"        the operation that the state did not allow
 *   "path"             the file or directory
 *   "field"            the JSON key or configuration field
 *   "oci.runtime"      name of the OCI runtime
 *   "oci.stderr"       what the OCI runtime or the monitor printed
 *   "conmon.status"    how the monitor ended
 *   "candidates"       IDs that an ambiguous prefix matches, comma-separated
 *   "failed"           IDs of containers that failed in an operation on many, comma-separated
 *   "dependents"       IDs of containers that depend on this one, comma-separated
 *
 * More keys may appear in later releases. The codes are frozen: they never change their number and
 * new ones are only added. Treat an unknown negative number as CTR_E_FAILED.
 *
 * An error object is not shared: use it from one thread at a time.
 */
#ifndef LIBCTR_ERROR_H
#define LIBCTR_ERROR_H

#include <libctr/types.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
	/* General. */
	CTR_E_FAILED = -1,      /* nothing more precise is known                              */
	CTR_E_NOMEM = -2,       /* out of memory; nothing was changed                         */
	CTR_E_INVALID = -3,     /* an argument, a configuration or some input is wrong        */
	CTR_E_UNSUPPORTED = -4, /* unknown flag, longer struct, missing plug-in operation     */
	CTR_E_DEADLOCK = -5,    /* outer handle used inside its own batch, or re-entry        */
	CTR_E_FORKED = -6,      /* the object belongs to the parent process                   */
	CTR_E_BUSY = -7,        /* not possible right now, e.g. remove inside a batch         */
	CTR_E_LOCKED = -8,      /* lock_timeout_ms passed; see ctr_open_opts                  */
	CTR_E_TIMEOUT = -9,     /* the call's own timeout passed                              */
	CTR_E_PERMISSION = -10, /* the kernel refused                                         */
	CTR_E_INTERNAL = -11,   /* a bug in libctr or a broken promise of a plug-in           */
	CTR_E_EMPTY_ID = -12,   /* an empty name or ID                                        */
	CTR_E_RUNTIME_STOPPED =
	    -13,               /* after ctr_runtime_shutdown(), or the run root vanished     */
	CTR_E_ROOTLESS = -14,  /* needs root                                                 */
	CTR_E_SYSTEM = -15,    /* a system call failed; see ctr_error_errno()                */
	CTR_E_CANCELLED = -16, /* the caller's cancel descriptor became readable               */
	/* Containers. */
	CTR_E_NO_SUCH_CTR = -20, /* no container has this ID, name or prefix                   */
	CTR_E_CTR_EXISTS = -21,  /* ID or name is taken; prefix is ambiguous; dependents exist */
	CTR_E_CTR_STATE = -22,   /* the state does not allow the operation                     */
	CTR_E_CTR_REMOVED = -23, /* the handle's container is gone, or its batch has ended     */
	CTR_E_CTR_RUNNING = -24, /* start of a running container                               */
	CTR_E_CTR_STOPPED = -25, /* needs a running container                                  */
	CTR_E_NO_SUCH_EXIT_CODE = -26,
	CTR_E_NO_CGROUPS = -27, /* the container was made without a cgroup                    */
	CTR_E_NO_SUCH_POD = -30,
	CTR_E_NO_SUCH_EXEC = -31,
	CTR_E_POD_EXISTS = -32,  /* ID or name is taken; prefix is ambiguous                  */
	CTR_E_POD_REMOVED = -33, /* the handle's pod is gone                                  */
	CTR_E_POD_PARTIAL = -34, /* some of the pod's containers failed; one detail for each  */
	CTR_E_POD_STATE = -35,   /* the pod's state does not allow the operation              */
	CTR_E_NO_SUCH_ARTIFACT =
	    -36,                    /* no artifact has this name                                 */
	CTR_E_EXEC_REMOVED = -28,   /* stale handle of a removed exec session                    */
	CTR_E_EXEC_STATE = -38,     /* the exec session's state does not allow this             */
	CTR_E_NO_LOGS = -39,        /* its log driver keeps nothing that can be read             */
	CTR_E_NO_HEALTHCHECK = -37, /* the container's configuration has none                    */
	/* OCI runtime and monitor. "oci.stderr" has their own words. */
	CTR_E_OCI_RUNTIME = -40,
	CTR_E_OCI_PERMISSION = -41, /* it said "permission denied"                                */
	CTR_E_OCI_NOT_FOUND = -42,  /* it did not find the executable or a file                   */
	CTR_E_OCI_UNAVAILABLE =
	    -43,                  /* no such runtime registered, or its binary is missing       */
	CTR_E_OCI_SECURITY = -44, /* it could not set or get a security attribute               */
	CTR_E_CONMON_DEAD = -45,  /* the monitor died without recording an exit code            */
	CTR_E_CONMON_UNAVAILABLE =
	    -46,               /* the monitor's binary is missing or unusable             */
	CTR_E_NO_HELPER = -47, /* the helper program is missing or cannot be executed     */
	/* State store. */
	CTR_E_STORE = -60,
	CTR_E_STORE_CONFIG = -61,  /* opened with other directories than it was made with        */
	CTR_E_STORE_NEWER = -62,   /* schema of a newer libctr                                   */
	CTR_E_STORE_CORRUPT = -63, /* a record cannot be read                                    */
	CTR_E_STORE_FOREIGN = -64, /* the directory or database is something else                */
	CTR_E_STORE_FULL = -65,    /* no space on the file system, or the map is full            */
	/* Storage drivers. */
	CTR_E_STORAGE = -80,
	CTR_E_NO_STORAGE = -81
};

/* ctr_error_code: the CTR_E_* code. 0 for NULL. Since: 0.1 */
CTR_API int32_t ctr_error_code(const ctr_error_t *e);

/* ctr_error_errno: errno of the system call that failed, 0 if none did or `e` is NULL. Since: 0.1 */
CTR_API int32_t ctr_error_errno(const ctr_error_t *e);

/*
 * ctr_error_message: one line of text without a newline that names what failed. Never NULL ("" for
 * NULL). Borrowed from `e`. For people: the wording may change between releases.
 * Since: 0.1
 */
CTR_API const char *ctr_error_message(const ctr_error_t *e);

/*
 * ctr_error_get: a detail, see the keys above. Borrowed from `e`; NULL if there is none.
 * Since: 0.1
 */
CTR_API const char *ctr_error_get(const ctr_error_t *e, const char *key);

/* ctr_error_free: frees the object. NULL is fine. Since: 0.1 */
CTR_API void ctr_error_free(ctr_error_t *e);

/* ctr_error_freep: for __attribute__((cleanup)): frees *e and sets it to NULL. Since: 0.1 */
CTR_API void ctr_error_freep(ctr_error_t **e);

/*
 * ctr_error_set: for plug-ins: stores a new error in *err (nothing happens if err is NULL; an error
 * already there is replaced).
 *   code     a CTR_E_* code; other values become CTR_E_FAILED
 *   errno_   errno of a system call, or 0
 *   message  copied; NULL takes the code's default text
 * Returns the code, so that a plug-in can `return ctr_error_set(...)`.
 * Since: 0.1
 */
CTR_API int ctr_error_set(ctr_error_t **err, int32_t code, int32_t errno_, const char *message);

/*
 * ctr_error_add: for plug-ins: stores a detail, replacing an older one of that key. Key and value are
 * copied. Nothing happens if `e` or `key` or `value` is NULL or memory is short.
 * Since: 0.1
 */
CTR_API void ctr_error_add(ctr_error_t *e, const char *key, const char *value);

/* ctr_strerror: the code's default text, e.g. "no such container". Static. Since: 0.1 */
CTR_API const char *ctr_strerror(int32_t code);

/*
 * ctr_error_name: the code's name without prefix, e.g. "NO_SUCH_CTR"; "UNKNOWN" for other numbers.
 * Static.
 * Since: 0.1
 */
CTR_API const char *ctr_error_name(int32_t code);

#ifdef __cplusplus
}
#endif
#endif
