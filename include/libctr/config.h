/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libctr/config.h - what a container is configured to be.
 *
 * A ctr_config_t never changes once made, so reading it needs no lock, cannot fail, copies nothing,
 * and is safe beside anything else. It is made from JSON or with a builder. The JSON has libpod's keys;
 * keys that libctr does not know are kept and written back, and the OCI spec inside is kept as it is:
 * unknown members, order of members, texts of numbers.
 *
 * The least that works: a root file system and a command.
 *
 *	ctr_config_builder_t *b = ctr_config_builder_new();
 *	ctr_config_builder_set_str(b, CTR_CONFIG_ROOTFS, "/srv/busybox", NULL);
 *	ctr_config_builder_add_str(b, CTR_CONFIG_COMMAND, "/bin/date", NULL);
 *	ctr_config_t *cfg;
 *	int r = ctr_config_builder_build(b, &cfg, &err);
 *	ctr_config_builder_free(b);
 *
 * Without CTR_CONFIG_SPEC the builder writes a spec: private namespaces (no network but loopback), the
 * default capabilities of podman, masked and read-only paths, a limit of 2048 processes, and what the
 * CTR_SPEC_* shorthands add.
 */
#ifndef LIBCTR_CONFIG_H
#define LIBCTR_CONFIG_H

#include <libctr/error.h>
#include <libctr/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The fields, with their kind and JSON key. */
enum {
	CTR_CONFIG_SPEC =
	    1, /* JSON   spec: OCI runtime spec, an object; required (or made from the CTR_SPEC_* shorthands) */
	CTR_CONFIG_ID = 2, /* string id: 64 lower-case hex digits are usual; default: random */
	CTR_CONFIG_NAME =
	    3, /* string name: [a-zA-Z0-9][a-zA-Z0-9_.-]*, at most 255; one leading "/" is dropped; default: random words */
	CTR_CONFIG_POD = 4, /* string pod: full ID of the pod it belongs to */
	CTR_CONFIG_ID_MAPPINGS =
	    5, /* JSON   idMappingsOptions: user namespace mappings, an object with libpod's keys */
	CTR_CONFIG_ROOTFS_IMAGE_ID =
	    6, /* string rootfsImageID: image, by ID; set both or neither of these two */
	CTR_CONFIG_ROOTFS_IMAGE_NAME = 7, /* string rootfsImageName: image, by name */
	CTR_CONFIG_ROOTFS =
	    8, /* string rootfs: directory used as root file system, absolute; excludes an image */
	CTR_CONFIG_USE_IMAGE_CONFIG = 9, /* bool   useImageConfig: legacy: kept, without effect */
	CTR_CONFIG_IMAGE_VOLUMES =
	    10, /* bool   imageVolumes: make the volumes that the image asks for */
	CTR_CONFIG_READ_ONLY = 11, /* bool   readOnly: legacy mirror of spec.root.readonly */
	CTR_CONFIG_NO_NEW_PRIVS =
	    12, /* bool   noNewPrivs: legacy mirror of spec.process.noNewPrivileges */
	CTR_CONFIG_SHM_DIR =
	    13, /* string ShmDir: directory mounted at /dev/shm; default: <run dir>/shm */
	CTR_CONFIG_SHM_SIZE = 14,   /* number shmSize: bytes, >= 0; default 65536000 */
	CTR_CONFIG_STATIC_DIR = 15, /* string staticDir: persistent directory; set by libctr */
	CTR_CONFIG_MOUNTS = 16,     /* list   mounts: paths to unmount at cleanup */
	CTR_CONFIG_PRIVILEGED =
	    17, /* bool   privileged: no masked paths, all capabilities in a generated spec */
	CTR_CONFIG_PROCESS_LABEL = 18, /* string ProcessLabel: SELinux label of the processes */
	CTR_CONFIG_MOUNT_LABEL = 19,   /* string MountLabel: SELinux label of the files */
	CTR_CONFIG_USER =
	    20, /* string user: "user[:group]", names or numbers; names are those of the root file system */
	CTR_CONFIG_GROUPS = 21, /* list   groups: additional groups */
	CTR_CONFIG_SHARED_NAMESPACE_CTR =
	    22, /* string shareNamespacesWith: legacy: container that all of sharedNamespaces join */
	CTR_CONFIG_SHARED_NAMESPACE_MAP =
	    23, /* map    sharedNamespaces: legacy: namespace kind -> container; becomes the fields below */
	CTR_CONFIG_IPC_NS_CTR =
	    24, /* string ipcNsCtr: ID of the container whose IPC namespace is joined */
	CTR_CONFIG_MOUNT_NS_CTR = 25, /* string mountNsCtr: ... mount namespace */
	CTR_CONFIG_NET_NS_CTR =
	    26, /* string netNsCtr: ... network namespace; excludes createNetNS */
	CTR_CONFIG_PID_NS_CTR = 27,    /* string pidNsCtr: ... PID namespace */
	CTR_CONFIG_USER_NS_CTR = 28,   /* string userNsCtr: ... user namespace */
	CTR_CONFIG_UTS_NS_CTR = 29,    /* string utsNsCtr: ... UTS namespace */
	CTR_CONFIG_CGROUP_NS_CTR = 30, /* string cgroupNsCtr: ... cgroup namespace */
	CTR_CONFIG_DEPENDENCIES =
	    31, /* list   Dependencies: IDs of containers that must run before this one */
	CTR_CONFIG_CREATE_NET_NS =
	    32, /* bool   createNetNS: libctr makes and configures a network namespace */
	CTR_CONFIG_POST_CONFIGURE_NET_NS =
	    33, /* bool   postConfigureNetNS: ... after the OCI create */
	CTR_CONFIG_PORT_MAPPINGS =
	    34, /* JSON   portMappings: list of port objects; needs createNetNS */
	CTR_CONFIG_DNS_SERVER = 35, /* list   dnsServer: IP addresses for resolv.conf */
	CTR_CONFIG_DNS_SEARCH = 36, /* list   dnsSearch: search domains; "." = none */
	CTR_CONFIG_DNS_OPTION = 37, /* list   dnsOption: resolver options */
	CTR_CONFIG_HOST_ADD = 38,   /* list   hostsAdd: "name[;name...]:ip" lines for /etc/hosts */
	CTR_CONFIG_USER_VOLUMES = 39, /* list   userVolumes: destinations of the user's volumes */
	CTR_CONFIG_ENTRYPOINT =
	    40, /* list   entrypoint: for commits; with COMMAND also the arguments of a generated spec */
	CTR_CONFIG_COMMAND = 41,      /* list   command */
	CTR_CONFIG_STDIN = 42,        /* bool   stdin: keep standard input open */
	CTR_CONFIG_LABELS = 43,       /* map    labels: free keys and values */
	CTR_CONFIG_STOP_SIGNAL = 44,  /* number stopSignal: 1..64; 0 and default: 15 */
	CTR_CONFIG_STOP_TIMEOUT = 45, /* number stopTimeout: seconds, >= 0; default 10 */
	CTR_CONFIG_CREATED_TIME = 46, /* time   createdTime: set by libctr if absent */
	CTR_CONFIG_CGROUP_PARENT =
	    47, /* string cgroupParent: cgroupfs default "/libpod_parent"; systemd default "machine.slice" */
	CTR_CONFIG_LOG_PATH = 48,        /* string logPath: default <static dir>/ctr.log */
	CTR_CONFIG_CONMON_PID_FILE = 49, /* string conmonPidFile: default <run dir>/conmon.pid */
	CTR_CONFIG_RUNTIME =
	    60, /* string runtime: name of the OCI runtime; default: the runtime object's */
	CTR_CONFIG_LOG_DRIVER =
	    61, /* string logDriver: "k8s-file" (default), "json-file" (the same), "journald" or "none" */
	CTR_CONFIG_LOG_SIZE =
	    62, /* number logSize: bytes after which the log starts anew; 0 = no limit */
	CTR_CONFIG_TIMEOUT =
	    63, /* number timeout: seconds after which the container is killed; 0 = never */
	CTR_CONFIG_NO_CGROUPS = 64, /* bool   noCgroups: no cgroup of its own */
	CTR_CONFIG_NO_SHM = 65,     /* bool   NoShm: no /dev/shm of its own */
	CTR_CONFIG_STORAGE =
	    66, /* string storageDriver: storage driver; default "rootfs" with a root directory */
	CTR_CONFIG_RESTART_POLICY =
	    67, /* string restart_policy: no (default), always, on-failure, unless-stopped */
	CTR_CONFIG_RESTART_RETRIES =
	    68, /* number restart_retries: with on-failure: how often; 0 = no limit */
	CTR_CONFIG_AUTO_REMOVE =
	    69, /* bool   autoRemove: remove it when it has ended and was cleaned up */
	CTR_CONFIG_HEALTHCHECK =
	    70, /* JSON   healthcheck: {Test, Interval, Timeout, StartPeriod, Retries}, nanoseconds */
	CTR_CONFIG_HEALTH_ON_FAILURE =
	    71, /* number healthcheck_on_failure_action: CTR_HEALTH_ACTION_* */
	CTR_CONFIG_HEALTH_LOG_DESTINATION =
	    72, /* string healthLogDestination: directory of the health log; default: run directory */
	CTR_CONFIG_HEALTH_MAX_LOG_COUNT =
	    73, /* number healthMaxLogCount: entries kept; 0 = no limit; default 5 */
	CTR_CONFIG_HEALTH_MAX_LOG_SIZE =
	    74, /* number healthMaxLogSize: bytes of output kept; 0 = no limit; default 500 */
	CTR_CONFIG_STARTUP_HEALTHCHECK =
	    75, /* JSON   startupHealthCheck: as healthcheck, and Successes */
	CTR_CONFIG_CREATE_COMMAND =
	    76, /* list   CreateCommand: the command line that made it; shown only */
	CTR_CONFIG_USE_IMAGE_RESOLV_CONF =
	    77, /* bool   UseImageResolvConf: leave the image's /etc/resolv.conf alone */
	CTR_CONFIG_USE_IMAGE_HOSTNAME =
	    78, /* bool   useImageHostname: leave the image's /etc/hostname alone */
	CTR_CONFIG_USE_IMAGE_HOSTS =
	    79, /* bool   useImageHosts: leave the image's /etc/hosts alone */
	CTR_CONFIG_BASE_HOSTS_FILE =
	    80, /* string baseHostsFile: path, "image" or "none"; default: the host's /etc/hosts */
	CTR_CONFIG_TIMEZONE = 81, /* string timezone: name below /usr/share/zoneinfo, or "local" */
	CTR_CONFIG_UMASK = 82,    /* string umask: four octal digits; default 0022 */
	CTR_CONFIG_PID_FILE =
	    83, /* string pid_file: absolute path where the container's PID is written */
	CTR_CONFIG_PASSWD_ENTRY =
	    84, /* string passwd_entry: template of the line added to /etc/passwd */
	CTR_CONFIG_GROUP_ENTRY =
	    85, /* string group_entry: template of the line added to /etc/group */
	CTR_CONFIG_HOST_USERS = 86, /* list   HostUsers: users of the host added to /etc/passwd */
	CTR_CONFIG_CGROUPS_MODE =
	    87, /* string cgroupsMode: enabled (default), disabled, no-conmon, split */
	CTR_CONFIG_IS_INFRA = 88, /* bool   pause: the infra container of its pod */
	CTR_CONFIG_CREATE_WORKING_DIR =
	    89, /* bool   createWorkingDir: make the working directory if it is absent */
	CTR_CONFIG_NETWORK_MODE = 90, /* string networkMode: as asked for; shown only */
	CTR_CONFIG_INIT_CONTAINER_TYPE =
	    91, /* string init_container_type: always or once: runs to its end before the pod's others */
	CTR_CONFIG_EXPOSED_PORTS =
	    92,                     /* JSON   exposedPorts: port -> list of protocols; shown only */
	CTR_CONFIG_LABEL_OPTS = 94, /* list   labelopts: SELinux label options, e.g. "disable" */
	CTR_CONFIG_NAMESPACE = 95,  /* string namespace: stored, not interpreted */
	CTR_CONFIG_LOG_TAG = 96     /* string logTag: CONTAINER_TAG of its records in the journal */
};

/* Shorthands for the spec that a builder writes; they exclude CTR_CONFIG_SPEC. */
enum {
	CTR_SPEC_ENV = 1001,     /* list   "NAME=value"; PATH has a default, with a terminal      */
	                         /*        TERM, too; HOME is that of the user in /etc/passwd   */
	CTR_SPEC_WORKDIR = 1002, /* string absolute; default "/"                                  */
	CTR_SPEC_HOSTNAME =
	    1003, /* string default: first 12 characters of the ID                 */
	CTR_SPEC_TERMINAL =
	    1004, /* bool   a pseudo-terminal                                      */
	CTR_SPEC_HOST_NETWORK =
	    1005,               /* bool   the host's network namespace                           */
	CTR_SPEC_MEMORY = 1006, /* number limit in bytes; 0 = none                               */
	CTR_SPEC_PIDS = 1007,   /* number most processes; 0 = 2048, -1 = no limit                */
	CTR_SPEC_CPU_QUOTA =
	    1008,                /* number microseconds per 100 ms; 0 = no limit                  */
	CTR_SPEC_BIND = 1009,    /* list   "/host:/container[:ro]"                                */
	CTR_SPEC_CAP_ADD = 1010, /* list   "CAP_NET_ADMIN" or "net_admin" or "ALL"                */
	CTR_SPEC_CAP_DROP =
	    1011, /* list   the same                                               */
	CTR_SPEC_ANNOTATION =
	    1012 /* map    annotations                                            */
};

/* ---- Making one ---- */

/*
 * ctr_config_from_json: reads a configuration, an object with the keys above. Checks everything that
 * can be checked without a store; the rest is checked by ctr_container_create().
 *   json  `len` bytes, need not be NUL-terminated
 *   out   ref
 * Errors: CTR_E_INVALID (not JSON, with line and column; wrong type or value of a field; conflict
 *   between fields; more than 128 levels; more than 16 MiB; detail "field"), CTR_E_NOMEM.
 * Since: 0.1
 */
CTR_API int ctr_config_from_json(
    const char *json, size_t len, ctr_config_t **out, ctr_error_t **err);

/*
 * ctr_config_to_json: the configuration as JSON text, known fields with their defaults filled in,
 * unknown ones as they came.
 *   out   owned (ctr_free), NUL-terminated
 *   len   may be NULL
 * Since: 0.1
 */
CTR_API int ctr_config_to_json(const ctr_config_t *cfg, char **out, size_t *len, ctr_error_t **err);

/* ctr_config_ref: one more reference. NULL is fine. Since: 0.1 */
CTR_API ctr_config_t *ctr_config_ref(ctr_config_t *cfg);

/* ctr_config_unref: drops a reference. Returns NULL. May be called after fork(). Since: 0.1 */
CTR_API ctr_config_t *ctr_config_unref(ctr_config_t *cfg);

/* ctr_config_unrefp: for __attribute__((cleanup)). Since: 0.1 */
CTR_API void ctr_config_unrefp(ctr_config_t **cfg);

/*
 * ctr_config_builder_new: an empty builder; NULL if memory is short. A builder is used by one thread at
 * a time. Free it with ctr_config_builder_free().
 * Since: 0.1
 */
CTR_API ctr_config_builder_t *ctr_config_builder_new(void);

/*
 * ctr_config_builder_new_from: a builder that starts with everything of `cfg`, e.g. to change the name.
 * NULL if memory is short.
 * Since: 0.1
 */
CTR_API ctr_config_builder_t *ctr_config_builder_new_from(const ctr_config_t *cfg);

/* ctr_config_builder_free: NULL is fine. Since: 0.1 */
CTR_API void ctr_config_builder_free(ctr_config_builder_t *b);

/* ctr_config_builder_freep: for __attribute__((cleanup)). Since: 0.1 */
CTR_API void ctr_config_builder_freep(ctr_config_builder_t **b);

/* ---- Setting fields of a builder ----
 *
 * For all of these: `field` is a CTR_CONFIG_* or CTR_SPEC_* of the kind that fits the function; names and values are copied.
 * A field that is set again is replaced, unless the function says that it adds. Errors: CTR_E_INVALID (unknown field,
 * wrong kind, bad value; detail "field"), CTR_E_NOMEM. The first error is remembered and given again by
 * ctr_config_builder_build(), so the calls between need no check.
 */

/* ctr_config_builder_set_str: a string field; `value` NULL removes it. Since: 0.1 */
CTR_API int ctr_config_builder_set_str(
    ctr_config_builder_t *b, int32_t field, const char *value, ctr_error_t **err);

/* ctr_config_builder_set_bool: a bool field; `value` 0 or 1. Since: 0.1 */
CTR_API int ctr_config_builder_set_bool(
    ctr_config_builder_t *b, int32_t field, int32_t value, ctr_error_t **err);

/* ctr_config_builder_set_num: a number field, or a time in nanoseconds since 1970. Since: 0.1 */
CTR_API int ctr_config_builder_set_num(
    ctr_config_builder_t *b, int32_t field, int64_t value, ctr_error_t **err);

/* ctr_config_builder_add_str: one more element of a list field. Since: 0.1 */
CTR_API int ctr_config_builder_add_str(
    ctr_config_builder_t *b, int32_t field, const char *value, ctr_error_t **err);

/* ctr_config_builder_set_map: one entry of a map field; `value` NULL removes it. Since: 0.1 */
CTR_API int ctr_config_builder_set_map(
    ctr_config_builder_t *b, int32_t field, const char *key, const char *value, ctr_error_t **err);

/* ctr_config_builder_set_json: any field, from `len` bytes of JSON text; lists and maps are replaced, null
 * removes the field. Since: 0.1 */
CTR_API int ctr_config_builder_set_json(
    ctr_config_builder_t *b, int32_t field, const char *json, size_t len, ctr_error_t **err);

/*
 * ctr_config_builder_build: checks and makes the configuration. The builder stays as it was and can be
 * used again.
 *   out   ref
 * Errors: as ctr_config_from_json().
 * Since: 0.1
 */
CTR_API int ctr_config_builder_build(
    ctr_config_builder_t *b, ctr_config_t **out, ctr_error_t **err);

/*
 * ctr_spec_generate: the spec that a builder would write, as JSON text, to be edited by the caller.
 *   b     borrowed; its fields as for a build
 *   out   owned (ctr_free), NUL-terminated
 * Since: 0.1
 */
CTR_API int ctr_spec_generate(ctr_config_builder_t *b, char **out, size_t *len, ctr_error_t **err);

/* ---- Reading one ----
 *
 * For all of these: `cfg` in any state, from any thread, no lock; they cannot fail. Results are borrowed from `cfg`. Strings
 * are NULL if the field is absent. Lists are never NULL and end with NULL; `n` gets their length. JSON texts are
 * NUL-terminated; `len` gets their length. `n` and `len` may be NULL. With `cfg` NULL everything is absent.
 */

/* ctr_config_id: full ID; NULL before the container is created unless one was given. Since: 0.1 */
CTR_API const char *ctr_config_id(const ctr_config_t *cfg);

/* ctr_config_name: name; NULL before the container is created unless one was given. Since: 0.1 */
CTR_API const char *ctr_config_name(const ctr_config_t *cfg);

/* ctr_config_pod_id: full ID of the pod it belongs to. Since: 0.1 */
CTR_API const char *ctr_config_pod_id(const ctr_config_t *cfg);

/* ctr_config_image_id: ID of the image that is its root file system. Since: 0.1 */
CTR_API const char *ctr_config_image_id(const ctr_config_t *cfg);

/* ctr_config_image_name: name of that image. Since: 0.1 */
CTR_API const char *ctr_config_image_name(const ctr_config_t *cfg);

/* ctr_config_rootfs: directory that is its root file system, absolute. Since: 0.1 */
CTR_API const char *ctr_config_rootfs(const ctr_config_t *cfg);

/* ctr_config_static_dir: its persistent directory; set at creation. Since: 0.1 */
CTR_API const char *ctr_config_static_dir(const ctr_config_t *cfg);

/* ctr_config_shm_dir: host directory mounted at /dev/shm. Since: 0.1 */
CTR_API const char *ctr_config_shm_dir(const ctr_config_t *cfg);

/* ctr_config_log_path: log file, absolute. Since: 0.1 */
CTR_API const char *ctr_config_log_path(const ctr_config_t *cfg);

/* ctr_config_log_driver: "k8s-file", "json-file", "journald" or "none"; never NULL. Since: 0.1 */
CTR_API const char *ctr_config_log_driver(const ctr_config_t *cfg);

/* ctr_config_conmon_pid_file: where the monitor's PID is written. Since: 0.1 */
CTR_API const char *ctr_config_conmon_pid_file(const ctr_config_t *cfg);

/* ctr_config_cgroup_parent: cgroup or slice that its own is made in. Since: 0.1 */
CTR_API const char *ctr_config_cgroup_parent(const ctr_config_t *cfg);

/* ctr_config_process_label: SELinux label of its processes. Since: 0.1 */
CTR_API const char *ctr_config_process_label(const ctr_config_t *cfg);

/* ctr_config_mount_label: SELinux label of its files. Since: 0.1 */
CTR_API const char *ctr_config_mount_label(const ctr_config_t *cfg);

/* ctr_config_user: "user[:group]" as configured. Since: 0.1 */
CTR_API const char *ctr_config_user(const ctr_config_t *cfg);

/* ctr_config_runtime_name: name of its OCI runtime. Since: 0.1 */
CTR_API const char *ctr_config_runtime_name(const ctr_config_t *cfg);

/* ctr_config_storage_driver: name of its storage driver. Since: 0.1 */
CTR_API const char *ctr_config_storage_driver(const ctr_config_t *cfg);

/* ctr_config_hostname: the spec's, else the first 12 characters of the ID (all of a shorter one). Since: 0.1 */
CTR_API const char *ctr_config_hostname(const ctr_config_t *cfg);

/* ctr_config_image_volumes: 1 if the volumes that the image asks for are made, else 0. Since: 0.1 */
CTR_API int ctr_config_image_volumes(const ctr_config_t *cfg);

/* ctr_config_privileged: 1 if it is privileged, else 0. Since: 0.1 */
CTR_API int ctr_config_privileged(const ctr_config_t *cfg);

/* ctr_config_new_net_ns: 1 if libctr makes its network namespace (createNetNS), else 0. Since: 0.1 */
CTR_API int ctr_config_new_net_ns(const ctr_config_t *cfg);

/* ctr_config_stdin: 1 if its standard input is kept open, else 0. Since: 0.1 */
CTR_API int ctr_config_stdin(const ctr_config_t *cfg);

/* ctr_config_terminal: 1 if the spec asks for a terminal, else 0. Since: 0.1 */
CTR_API int ctr_config_terminal(const ctr_config_t *cfg);

/* ctr_config_read_only: 1 if its root file system is read-only, else 0. Since: 0.1 */
CTR_API int ctr_config_read_only(const ctr_config_t *cfg);

/* ctr_config_shm_size: size of /dev/shm in bytes. Since: 0.1 */
CTR_API int64_t ctr_config_shm_size(const ctr_config_t *cfg);

/* ctr_config_stop_signal: signal of a stop, 1 to 64. Since: 0.1 */
CTR_API int32_t ctr_config_stop_signal(const ctr_config_t *cfg);

/* ctr_config_stop_timeout_ms: milliseconds from that signal to SIGKILL. Since: 0.1 */
CTR_API int64_t ctr_config_stop_timeout_ms(const ctr_config_t *cfg);

/*
 * ctr_config_restart_policy: "no", "always", "on-failure" or "unless-stopped"; NULL only for NULL.
 * Since: 0.1
 */
CTR_API const char *ctr_config_restart_policy(const ctr_config_t *cfg);

/* ctr_config_restart_retries: most restarts with "on-failure"; 0 = no limit. Since: 0.1 */
CTR_API int64_t ctr_config_restart_retries(const ctr_config_t *cfg);

/* ctr_config_auto_remove: 1 if it is removed when it has ended, else 0. Since: 0.1 */
CTR_API int ctr_config_auto_remove(const ctr_config_t *cfg);

/* ctr_config_created_ns: when it was created, nanoseconds since 1970; 0 before. Since: 0.1 */
CTR_API int64_t ctr_config_created_ns(const ctr_config_t *cfg);

/* ctr_config_log_size: bytes after which the log starts anew; 0 = no limit. Since: 0.1 */
CTR_API int64_t ctr_config_log_size(const ctr_config_t *cfg);

/* ctr_config_root_uid: host user ID of the container's root; 0 without a user namespace. Since: 0.1 */
CTR_API uint32_t ctr_config_root_uid(const ctr_config_t *cfg);

/* ctr_config_root_gid: host group ID of the container's root; 0 without a user namespace. Since: 0.1 */
CTR_API uint32_t ctr_config_root_gid(const ctr_config_t *cfg);

/* ctr_config_dependencies: IDs of the containers it needs: those whose namespaces it joins and those
 * named as dependencies, sorted, each once. Since: 0.1 */
CTR_API const char *const *ctr_config_dependencies(const ctr_config_t *cfg, size_t *n);

/* ctr_config_dns_servers: IP addresses for resolv.conf. Since: 0.1 */
CTR_API const char *const *ctr_config_dns_servers(const ctr_config_t *cfg, size_t *n);

/* ctr_config_dns_search: search domains. Since: 0.1 */
CTR_API const char *const *ctr_config_dns_search(const ctr_config_t *cfg, size_t *n);

/* ctr_config_dns_options: resolver options. Since: 0.1 */
CTR_API const char *const *ctr_config_dns_options(const ctr_config_t *cfg, size_t *n);

/* ctr_config_hosts_add: "name[;name...]:ip", additions to /etc/hosts. Since: 0.1 */
CTR_API const char *const *ctr_config_hosts_add(const ctr_config_t *cfg, size_t *n);

/* ctr_config_user_volumes: destinations of the user's volumes. Since: 0.1 */
CTR_API const char *const *ctr_config_user_volumes(const ctr_config_t *cfg, size_t *n);

/* ctr_config_entrypoint: entry point as configured; what runs is ctr_config_args(). Since: 0.1 */
CTR_API const char *const *ctr_config_entrypoint(const ctr_config_t *cfg, size_t *n);

/* ctr_config_command: command as configured; what runs is ctr_config_args(). Since: 0.1 */
CTR_API const char *const *ctr_config_command(const ctr_config_t *cfg, size_t *n);

/* ctr_config_groups: additional groups. Since: 0.1 */
CTR_API const char *const *ctr_config_groups(const ctr_config_t *cfg, size_t *n);

/* ctr_config_mounts: paths unmounted at cleanup. Since: 0.1 */
CTR_API const char *const *ctr_config_mounts(const ctr_config_t *cfg, size_t *n);

/* ctr_config_env: "NAME=value", the environment in the spec. Since: 0.1 */
CTR_API const char *const *ctr_config_env(const ctr_config_t *cfg, size_t *n);

/* ctr_config_args: the program and its arguments in the spec. Since: 0.1 */
CTR_API const char *const *ctr_config_args(const ctr_config_t *cfg, size_t *n);

/* ctr_config_label: value of one label; NULL if it is not there. Since: 0.1 */
CTR_API const char *ctr_config_label(const ctr_config_t *cfg, const char *key);

/* ctr_config_label_at: label number `i` in order of the keys. 1, or 0 past the end. Since: 0.1 */
CTR_API int ctr_config_label_at(
    const ctr_config_t *cfg, size_t i, const char **key, const char **value);

/* ctr_config_spec: the OCI runtime spec, compact JSON. Since: 0.1 */
CTR_API const char *ctr_config_spec(const ctr_config_t *cfg, size_t *len);

/* ctr_config_id_mappings: user namespace mappings, JSON. Since: 0.1 */
CTR_API const char *ctr_config_id_mappings(const ctr_config_t *cfg, size_t *len);

/* ctr_config_port_mappings: list of port objects, JSON. Since: 0.1 */
CTR_API const char *ctr_config_port_mappings(const ctr_config_t *cfg, size_t *len);

/* ctr_config_ns_ctr: ID of the container whose namespace `ns` (CTR_NS_*) is joined; NULL if none. Since: 0.1 */
CTR_API const char *ctr_config_ns_ctr(const ctr_config_t *cfg, int32_t ns);

/* ctr_config_get_str: a string field by its number, or the JSON text of a JSON field; NULL if it is absent or
 * of another kind. Since: 0.1 */
CTR_API const char *ctr_config_get_str(const ctr_config_t *cfg, int32_t field);

/* ctr_config_get_num: a number, time or bool field by its number; 0 if it is absent or of another kind. Since: 0.1 */
CTR_API int64_t ctr_config_get_num(const ctr_config_t *cfg, int32_t field);

/* ctr_config_get_list: a list field by its number; empty if it is absent or of another kind. Since: 0.1 */
CTR_API const char *const *ctr_config_get_list(const ctr_config_t *cfg, int32_t field, size_t *n);

/* Kinds of namespaces. ctr_ns_name() spells them as /proc/PID/ns does. */
enum {
	CTR_NS_INVALID = 0,
	CTR_NS_IPC = 1,
	CTR_NS_MOUNT = 2,
	CTR_NS_NET = 3,
	CTR_NS_PID = 4,
	CTR_NS_USER = 5,
	CTR_NS_UTS = 6,
	CTR_NS_CGROUP = 7
};

/* ctr_ns_name: "ipc", "mnt", ...; "invalid" for 0, "unknown" for other numbers. Static. Since: 0.1 */
CTR_API const char *ctr_ns_name(int32_t ns);

#ifdef __cplusplus
}
#endif
#endif
