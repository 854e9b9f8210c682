/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The numbers that compiled programs contain. This file is only ever added to: a line that no longer
 * holds means that old programs break. (abidiff does not look at constants, hence this.)
 */
#include <stddef.h>

#include <libctr/libctr.h>

#define IS(name, value) _Static_assert((name) == (value), #name " is frozen")
#define AT(type, member, offset) \
	_Static_assert(offsetof(struct type, member) == (offset), #type "." #member " is frozen")
#define SIZE(type, bytes) _Static_assert(sizeof(struct type) >= (bytes), #type " never shrinks")

/* A later member must not land where an old caller has padding. When a member is appended, its struct's
 * FULL line alone moves on to it. */
#define FULL(type, last)                                                                           \
	_Static_assert(                                                                            \
	    sizeof(struct type) == offsetof(struct type, last) + sizeof(((struct type *)0)->last), \
	    #type " has no tail padding")

/* ---- constants, 0.1 ---- */

IS(CTR_ATTACH_GOING_ON, 0);
IS(CTR_ATTACH_ENDED, 1);
IS(CTR_ATTACH_DETACHED, 2);
IS(CTR_ATTACH_CLOSED, 3);
IS(CTR_ATTACH_STDIN, 1);
IS(CTR_ATTACH_STDOUT, 2);
IS(CTR_ATTACH_STDERR, 4);
IS(CTR_ATTACH_SIZE, 8);
IS(CTR_ATTACH_KEEP_FDS, 16);
IS(CTR_HTTP_STDIN, 1);
IS(CTR_HTTP_STDOUT, 2);
IS(CTR_HTTP_STDERR, 4);
IS(CTR_HTTP_STREAM, 8);
IS(CTR_HTTP_LOGS, 16);
IS(CTR_HTTP_UPGRADE, 32);
IS(CTR_HTTP_MULTIPLEXED, 64);
IS(CTR_HTTP_NO_HEADER, 128);

IS(CTR_CONFIG_SPEC, 1);
IS(CTR_CONFIG_ID, 2);
IS(CTR_CONFIG_NAME, 3);
IS(CTR_CONFIG_POD, 4);
IS(CTR_CONFIG_ID_MAPPINGS, 5);
IS(CTR_CONFIG_ROOTFS_IMAGE_ID, 6);
IS(CTR_CONFIG_ROOTFS_IMAGE_NAME, 7);
IS(CTR_CONFIG_ROOTFS, 8);
IS(CTR_CONFIG_USE_IMAGE_CONFIG, 9);
IS(CTR_CONFIG_IMAGE_VOLUMES, 10);
IS(CTR_CONFIG_READ_ONLY, 11);
IS(CTR_CONFIG_NO_NEW_PRIVS, 12);
IS(CTR_CONFIG_SHM_DIR, 13);
IS(CTR_CONFIG_SHM_SIZE, 14);
IS(CTR_CONFIG_STATIC_DIR, 15);
IS(CTR_CONFIG_MOUNTS, 16);
IS(CTR_CONFIG_PRIVILEGED, 17);
IS(CTR_CONFIG_PROCESS_LABEL, 18);
IS(CTR_CONFIG_MOUNT_LABEL, 19);
IS(CTR_CONFIG_USER, 20);
IS(CTR_CONFIG_GROUPS, 21);
IS(CTR_CONFIG_SHARED_NAMESPACE_CTR, 22);
IS(CTR_CONFIG_SHARED_NAMESPACE_MAP, 23);
IS(CTR_CONFIG_IPC_NS_CTR, 24);
IS(CTR_CONFIG_MOUNT_NS_CTR, 25);
IS(CTR_CONFIG_NET_NS_CTR, 26);
IS(CTR_CONFIG_PID_NS_CTR, 27);
IS(CTR_CONFIG_USER_NS_CTR, 28);
IS(CTR_CONFIG_UTS_NS_CTR, 29);
IS(CTR_CONFIG_CGROUP_NS_CTR, 30);
IS(CTR_CONFIG_DEPENDENCIES, 31);
IS(CTR_CONFIG_CREATE_NET_NS, 32);
IS(CTR_CONFIG_POST_CONFIGURE_NET_NS, 33);
IS(CTR_CONFIG_PORT_MAPPINGS, 34);
IS(CTR_CONFIG_DNS_SERVER, 35);
IS(CTR_CONFIG_DNS_SEARCH, 36);
IS(CTR_CONFIG_DNS_OPTION, 37);
IS(CTR_CONFIG_HOST_ADD, 38);
IS(CTR_CONFIG_USER_VOLUMES, 39);
IS(CTR_CONFIG_ENTRYPOINT, 40);
IS(CTR_CONFIG_COMMAND, 41);
IS(CTR_CONFIG_STDIN, 42);
IS(CTR_CONFIG_LABELS, 43);
IS(CTR_CONFIG_STOP_SIGNAL, 44);
IS(CTR_CONFIG_STOP_TIMEOUT, 45);
IS(CTR_CONFIG_CREATED_TIME, 46);
IS(CTR_CONFIG_CGROUP_PARENT, 47);
IS(CTR_CONFIG_LOG_PATH, 48);
IS(CTR_CONFIG_CONMON_PID_FILE, 49);
IS(CTR_CONFIG_RUNTIME, 60);
IS(CTR_CONFIG_LOG_DRIVER, 61);
IS(CTR_CONFIG_LOG_SIZE, 62);
IS(CTR_CONFIG_TIMEOUT, 63);
IS(CTR_CONFIG_NO_CGROUPS, 64);
IS(CTR_CONFIG_NO_SHM, 65);
IS(CTR_CONFIG_STORAGE, 66);
IS(CTR_CONFIG_RESTART_POLICY, 67);
IS(CTR_CONFIG_RESTART_RETRIES, 68);
IS(CTR_CONFIG_AUTO_REMOVE, 69);
IS(CTR_CONFIG_HEALTHCHECK, 70);
IS(CTR_CONFIG_HEALTH_ON_FAILURE, 71);
IS(CTR_CONFIG_HEALTH_LOG_DESTINATION, 72);
IS(CTR_CONFIG_HEALTH_MAX_LOG_COUNT, 73);
IS(CTR_CONFIG_HEALTH_MAX_LOG_SIZE, 74);
IS(CTR_CONFIG_STARTUP_HEALTHCHECK, 75);
IS(CTR_CONFIG_CREATE_COMMAND, 76);
IS(CTR_CONFIG_USE_IMAGE_RESOLV_CONF, 77);
IS(CTR_CONFIG_USE_IMAGE_HOSTNAME, 78);
IS(CTR_CONFIG_USE_IMAGE_HOSTS, 79);
IS(CTR_CONFIG_BASE_HOSTS_FILE, 80);
IS(CTR_CONFIG_TIMEZONE, 81);
IS(CTR_CONFIG_UMASK, 82);
IS(CTR_CONFIG_PID_FILE, 83);
IS(CTR_CONFIG_PASSWD_ENTRY, 84);
IS(CTR_CONFIG_GROUP_ENTRY, 85);
IS(CTR_CONFIG_HOST_USERS, 86);
IS(CTR_CONFIG_CGROUPS_MODE, 87);
IS(CTR_CONFIG_IS_INFRA, 88);
IS(CTR_CONFIG_CREATE_WORKING_DIR, 89);
IS(CTR_CONFIG_NETWORK_MODE, 90);
IS(CTR_CONFIG_INIT_CONTAINER_TYPE, 91);
IS(CTR_CONFIG_EXPOSED_PORTS, 92);
IS(CTR_CONFIG_LABEL_OPTS, 94);
IS(CTR_CONFIG_NAMESPACE, 95);
IS(CTR_CONFIG_LOG_TAG, 96);
IS(CTR_SPEC_ENV, 1001);
IS(CTR_SPEC_WORKDIR, 1002);
IS(CTR_SPEC_HOSTNAME, 1003);
IS(CTR_SPEC_TERMINAL, 1004);
IS(CTR_SPEC_HOST_NETWORK, 1005);
IS(CTR_SPEC_MEMORY, 1006);
IS(CTR_SPEC_PIDS, 1007);
IS(CTR_SPEC_CPU_QUOTA, 1008);
IS(CTR_SPEC_BIND, 1009);
IS(CTR_SPEC_CAP_ADD, 1010);
IS(CTR_SPEC_CAP_DROP, 1011);
IS(CTR_SPEC_ANNOTATION, 1012);
IS(CTR_NS_INVALID, 0);
IS(CTR_NS_IPC, 1);
IS(CTR_NS_MOUNT, 2);
IS(CTR_NS_NET, 3);
IS(CTR_NS_PID, 4);
IS(CTR_NS_USER, 5);
IS(CTR_NS_UTS, 6);
IS(CTR_NS_CGROUP, 7);

IS(CTR_STOP_NOW, UINT64_C(1) << 0);
IS(CTR_EXEC_STATE_UNKNOWN, 0);
IS(CTR_EXEC_STATE_CREATED, 1);
IS(CTR_EXEC_STATE_RUNNING, 2);
IS(CTR_EXEC_STATE_STOPPED, 3);
IS(CTR_EXEC_TERMINAL, UINT64_C(1) << 0);
IS(CTR_EXEC_PRIVILEGED, UINT64_C(1) << 1);
IS(CTR_EXEC_STDIN, UINT64_C(1) << 2);
IS(CTR_EXEC_STOP_NOW, UINT64_C(1) << 0);
IS(CTR_EXEC_REMOVE_FORCE, UINT64_C(1) << 0);
IS(CTR_OCI_EXEC_TERMINAL, UINT64_C(1) << 0);
IS(CTR_OCI_EXEC_STDIN, UINT64_C(1) << 1);
IS(CTR_OCI_EXEC_STREAMS, UINT64_C(1) << 2);

IS(CTR_STOP_SERVICE, UINT64_C(1) << 1);
IS(CTR_CLEANUP_ONLY_STOPPED, UINT64_C(1) << 0);
IS(CTR_REMOVE_FORCE, UINT64_C(1) << 0);
IS(CTR_REMOVE_RECURSIVE, UINT64_C(1) << 1);
IS(CTR_INIT_RECURSIVE, UINT64_C(1) << 0);
IS(CTR_START_RECURSIVE, UINT64_C(1) << 0);
IS(CTR_INSPECT_SIZE, UINT64_C(1) << 0);
IS(CTR_UNMOUNT_FORCE, UINT64_C(1) << 0);

IS(CTR_E_FAILED, -1);
IS(CTR_E_NOMEM, -2);
IS(CTR_E_INVALID, -3);
IS(CTR_E_UNSUPPORTED, -4);
IS(CTR_E_DEADLOCK, -5);
IS(CTR_E_FORKED, -6);
IS(CTR_E_BUSY, -7);
IS(CTR_E_LOCKED, -8);
IS(CTR_E_TIMEOUT, -9);
IS(CTR_E_PERMISSION, -10);
IS(CTR_E_INTERNAL, -11);
IS(CTR_E_EMPTY_ID, -12);
IS(CTR_E_RUNTIME_STOPPED, -13);
IS(CTR_E_ROOTLESS, -14);
IS(CTR_E_SYSTEM, -15);
IS(CTR_E_NO_SUCH_CTR, -20);
IS(CTR_E_CTR_EXISTS, -21);
IS(CTR_E_CTR_STATE, -22);
IS(CTR_E_CTR_REMOVED, -23);
IS(CTR_E_CTR_RUNNING, -24);
IS(CTR_E_CTR_STOPPED, -25);
IS(CTR_E_NO_SUCH_EXIT_CODE, -26);
IS(CTR_E_NO_CGROUPS, -27);
IS(CTR_E_NO_SUCH_POD, -30);
IS(CTR_E_NO_SUCH_EXEC, -31);
IS(CTR_E_POD_EXISTS, -32);
IS(CTR_E_POD_REMOVED, -33);
IS(CTR_E_POD_PARTIAL, -34);
IS(CTR_E_POD_STATE, -35);
IS(CTR_E_NO_SUCH_ARTIFACT, -36);
IS(CTR_E_NO_HEALTHCHECK, -37);
IS(CTR_E_EXEC_REMOVED, -28);
IS(CTR_E_EXEC_STATE, -38);
IS(CTR_E_NO_LOGS, -39);
IS(CTR_E_CANCELLED, -16);
IS(CTR_E_OCI_RUNTIME, -40);
IS(CTR_E_OCI_PERMISSION, -41);
IS(CTR_E_OCI_NOT_FOUND, -42);
IS(CTR_E_OCI_UNAVAILABLE, -43);
IS(CTR_E_OCI_SECURITY, -44);
IS(CTR_E_CONMON_DEAD, -45);
IS(CTR_E_CONMON_UNAVAILABLE, -46);
IS(CTR_E_NO_HELPER, -47);
IS(CTR_E_STORE, -60);
IS(CTR_E_STORE_CONFIG, -61);
IS(CTR_E_STORE_NEWER, -62);
IS(CTR_E_STORE_CORRUPT, -63);
IS(CTR_E_STORE_FOREIGN, -64);
IS(CTR_E_STORE_FULL, -65);
IS(CTR_E_STORAGE, -80);
IS(CTR_E_NO_STORAGE, -81);

IS(CTR_EVENT_UNKNOWN, 0);
IS(CTR_EVENT_CREATE, 1);
IS(CTR_EVENT_INIT, 2);
IS(CTR_EVENT_START, 3);
IS(CTR_EVENT_STOP, 4);
IS(CTR_EVENT_DIED, 5);
IS(CTR_EVENT_KILL, 6);
IS(CTR_EVENT_PAUSE, 7);
IS(CTR_EVENT_UNPAUSE, 8);
IS(CTR_EVENT_CLEANUP, 9);
IS(CTR_EVENT_REMOVE, 10);
IS(CTR_EVENT_SYNC, 11);
IS(CTR_EVENT_MOUNT, 12);
IS(CTR_EVENT_UNMOUNT, 13);
IS(CTR_EVENT_OBJECT_CONTAINER, 0);
IS(CTR_EVENT_OBJECT_POD, 1);
IS(CTR_EVENT_OBJECT_SYSTEM, 2);
IS(CTR_EVENT_RESTART, 14);
IS(CTR_EVENT_RENAME, 15);
IS(CTR_EVENT_UPDATE, 16);
IS(CTR_EVENT_REFRESH, 17);
IS(CTR_EVENT_HEALTH_STATUS, 18);
IS(CTR_EVENT_PRUNE, 19);
IS(CTR_EVENT_ATTACH, 20);
IS(CTR_EVENT_EXEC, 21);
IS(CTR_EVENT_EXEC_DIED, 22);
IS(CTR_EVENT_LOST, 100);

IS(CTR_LOG_ERROR, 1);
IS(CTR_LOG_WARNING, 2);
IS(CTR_LOG_INFO, 3);
IS(CTR_LOG_DEBUG, 4);
IS(CTR_OPEN_SYSTEMD_CGROUP, UINT64_C(1) << 0);

IS(CTR_STATE_UNKNOWN, 0);
IS(CTR_STATE_CONFIGURED, 1);
IS(CTR_STATE_CREATED, 2);
IS(CTR_STATE_RUNNING, 3);
IS(CTR_STATE_STOPPED, 4);
IS(CTR_STATE_PAUSED, 5);
IS(CTR_STATE_EXITED, 6);
IS(CTR_STATE_REMOVING, 7);
IS(CTR_STATE_STOPPING, 8);

IS(CTR_OCI_ABSENT, 0);
IS(CTR_OCI_CREATED, 1);
IS(CTR_OCI_RUNNING, 2);
IS(CTR_OCI_PAUSED, 3);
IS(CTR_OCI_STOPPED, 4);
IS(CTR_OCI_TERMINAL, UINT64_C(1) << 0);
IS(CTR_OCI_STDIN, UINT64_C(1) << 1);
IS(CTR_OCI_SYSTEMD_CGROUP, UINT64_C(1) << 2);
IS(CTR_OCI_SHARED_PID, UINT64_C(1) << 3);
IS(CTR_OCI_START_HOOKS, UINT64_C(1) << 4);
IS(CTR_OCI_EXIT_COMMAND, UINT64_C(1) << 5);
IS(CTR_OCI_NOT_STARTED, 64);
IS(CTR_OCI_CAP_NO_CGROUPS, UINT64_C(1) << 0);
IS(CTR_RESTART_NOW, UINT64_C(1) << 0);
IS(CTR_RESTART_ONLY_RUNNING, UINT64_C(1) << 1);
IS(CTR_EXIT_NOTHING, 0);
IS(CTR_EXIT_CLEANED, 1);
IS(CTR_EXIT_REMOVED, 2);
IS(CTR_EXIT_RESTARTED, 3);
IS(CTR_EXIT_NO_DELAY, UINT64_C(1) << 0);
IS(CTR_OCI_CAP_EXIT_COMMAND, UINT64_C(1) << 1);
IS(CTR_OCI_INTERRUPTED, UINT64_C(1) << 0);
IS(CTR_OCI_KILL_ALL, UINT64_C(1) << 0);

IS(CTR_POD_SHARE_CGROUP, UINT64_C(1) << 0);
IS(CTR_POD_SHARE_IPC, UINT64_C(1) << 1);
IS(CTR_POD_SHARE_NET, UINT64_C(1) << 2);
IS(CTR_POD_SHARE_UTS, UINT64_C(1) << 3);
IS(CTR_POD_SHARE_PID, UINT64_C(1) << 4);
IS(CTR_POD_SHARE_USER, UINT64_C(1) << 5);
IS(CTR_POD_SHARE_MNT, UINT64_C(1) << 6);
IS(CTR_POD_SHARE_CGROUP_NS, UINT64_C(1) << 7);
IS(CTR_POD_SHARE_NONE, UINT64_C(1) << 63);
IS(CTR_POD_NO_INFRA, UINT64_C(1) << 0);
IS(CTR_POD_STOP_NOW, UINT64_C(1) << 0);
IS(CTR_POD_REMOVE_FORCE, UINT64_C(1) << 0);
IS(CTR_POD_STATE_CREATED, 1);
IS(CTR_POD_STATE_RUNNING, 2);
IS(CTR_POD_STATE_DEGRADED, 3);
IS(CTR_POD_STATE_PAUSED, 4);
IS(CTR_POD_STATE_EXITED, 5);
IS(CTR_POD_STATE_STOPPED, 6);
IS(CTR_POD_STATE_ERROR, 7);

/* ---- structures, 0.1 ---- */
#if defined(__x86_64__) && defined(__LP64__)

SIZE(ctr_restart_opts, 24);
FULL(ctr_restart_opts, timeout_ms);
AT(ctr_restart_opts, size, 0);
AT(ctr_restart_opts, flags, 8);
AT(ctr_restart_opts, timeout_ms, 16);
SIZE(ctr_wait_opts, 48);
FULL(ctr_wait_opts, reserved);
AT(ctr_wait_opts, size, 0);
AT(ctr_wait_opts, flags, 8);
AT(ctr_wait_opts, conditions, 16);
AT(ctr_wait_opts, timeout_ms, 24);
AT(ctr_wait_opts, interval_ms, 32);
AT(ctr_wait_opts, cancel_fd, 40);
AT(ctr_wait_opts, reserved, 44);

SIZE(ctr_stop_opts, 32);
FULL(ctr_stop_opts, reserved);
AT(ctr_stop_opts, size, 0);
AT(ctr_stop_opts, flags, 8);
AT(ctr_stop_opts, timeout_ms, 16);
AT(ctr_stop_opts, signal, 24);
AT(ctr_stop_opts, reserved, 28);

SIZE(ctr_update_opts, 56);
FULL(ctr_update_opts, env_unset);
AT(ctr_update_opts, size, 0);
AT(ctr_update_opts, flags, 8);
AT(ctr_update_opts, resources, 16);
AT(ctr_update_opts, restart_policy, 24);
AT(ctr_update_opts, restart_retries, 32);
AT(ctr_update_opts, env, 40);
AT(ctr_update_opts, env_unset, 48);

SIZE(ctr_open_opts, 80);
FULL(ctr_open_opts, hooks_dirs);
AT(ctr_open_opts, size, 0);
AT(ctr_open_opts, flags, 8);
AT(ctr_open_opts, root, 16);
AT(ctr_open_opts, run_root, 24);
AT(ctr_open_opts, oci_runtimes, 32);
AT(ctr_open_opts, conmon, 40);
AT(ctr_open_opts, lock_timeout_ms, 48);
AT(ctr_open_opts, log, 56);
AT(ctr_open_opts, log_userdata, 64);
AT(ctr_open_opts, log_level, 72);
AT(ctr_open_opts, helper, 80);
AT(ctr_open_opts, hooks_dirs, 88);

SIZE(ctr_pod_opts, 104);
FULL(ctr_pod_opts, runtime);
AT(ctr_pod_opts, size, 0);
AT(ctr_pod_opts, flags, 8);
AT(ctr_pod_opts, shares, 16);
AT(ctr_pod_opts, id, 24);
AT(ctr_pod_opts, name, 32);
AT(ctr_pod_opts, hostname, 40);
AT(ctr_pod_opts, cgroup_parent, 48);
AT(ctr_pod_opts, exit_policy, 56);
AT(ctr_pod_opts, restart_policy, 64);
AT(ctr_pod_opts, restart_retries, 72);
AT(ctr_pod_opts, labels, 80);
AT(ctr_pod_opts, create_command, 88);
AT(ctr_pod_opts, runtime, 96);

SIZE(ctr_attach_opts, 48);
FULL(ctr_attach_opts, reserved);
AT(ctr_attach_opts, size, 0);
AT(ctr_attach_opts, flags, 8);
AT(ctr_attach_opts, detach_keys, 16);
AT(ctr_attach_opts, stdin_fd, 24);
AT(ctr_attach_opts, stdout_fd, 28);
AT(ctr_attach_opts, stderr_fd, 32);
AT(ctr_attach_opts, rows, 36);
AT(ctr_attach_opts, cols, 40);
AT(ctr_attach_opts, reserved, 44);

SIZE(ctr_http_opts, 40);
FULL(ctr_http_opts, initial_len);
AT(ctr_http_opts, size, 0);
AT(ctr_http_opts, flags, 8);
AT(ctr_http_opts, detach_keys, 16);
AT(ctr_http_opts, initial, 24);
AT(ctr_http_opts, initial_len, 32);

IS(CTR_LOGS_END, 0);
IS(CTR_LOGS_LINE, 1);
IS(CTR_LOGS_AGAIN, 2);
IS(CTR_LOGS_STREAM_STDOUT, 1);
IS(CTR_LOGS_STREAM_STDERR, 2);
IS(CTR_LOGS_FOLLOW, 1);
IS(CTR_LOGS_TAIL, 2);
IS(CTR_LOGS_STDOUT, 4);
IS(CTR_LOGS_STDERR, 8);
IS(CTR_STATS_TIME_NS, 1);
IS(CTR_STATS_CPU_NS, 2);
IS(CTR_STATS_CPU_USER_NS, 3);
IS(CTR_STATS_CPU_SYSTEM_NS, 4);
IS(CTR_STATS_CPU_THROTTLED_NS, 5);
IS(CTR_STATS_CPU_PERMYRIAD, 6);
IS(CTR_STATS_MEMORY_BYTES, 7);
IS(CTR_STATS_MEMORY_LIMIT, 8);
IS(CTR_STATS_MEMORY_PEAK, 9);
IS(CTR_STATS_SWAP_BYTES, 10);
IS(CTR_STATS_PIDS, 11);
IS(CTR_STATS_PIDS_LIMIT, 12);
IS(CTR_STATS_BLOCK_READ_BYTES, 13);
IS(CTR_STATS_BLOCK_WRITE_BYTES, 14);
IS(CTR_STATS_NET_RX_BYTES, 15);
IS(CTR_STATS_NET_TX_BYTES, 16);
IS(CTR_STATS_NET_RX_PACKETS, 17);
IS(CTR_STATS_NET_TX_PACKETS, 18);
IS(CTR_STATS_UPTIME_NS, 19);

SIZE(ctr_logs_opts, 40);
FULL(ctr_logs_opts, until_ns);
AT(ctr_logs_opts, size, 0);
AT(ctr_logs_opts, flags, 8);
AT(ctr_logs_opts, tail, 16);
AT(ctr_logs_opts, since_ns, 24);
AT(ctr_logs_opts, until_ns, 32);

SIZE(ctr_exec_opts, 80);
FULL(ctr_exec_opts, exit_command_delay_s);
AT(ctr_exec_opts, size, 0);
AT(ctr_exec_opts, flags, 8);
AT(ctr_exec_opts, command, 16);
AT(ctr_exec_opts, env, 24);
AT(ctr_exec_opts, user, 32);
AT(ctr_exec_opts, groups, 40);
AT(ctr_exec_opts, workdir, 48);
AT(ctr_exec_opts, detach_keys, 56);
AT(ctr_exec_opts, exit_command, 64);
AT(ctr_exec_opts, exit_command_delay_s, 72);

SIZE(ctr_exec_start_opts, 40);
FULL(ctr_exec_start_opts, fds_n);
AT(ctr_exec_start_opts, size, 0);
AT(ctr_exec_start_opts, flags, 8);
AT(ctr_exec_start_opts, io, 16);
AT(ctr_exec_start_opts, fds, 24);
AT(ctr_exec_start_opts, fds_n, 32);

SIZE(ctr_oci_container, 112);
FULL(ctr_oci_container, log_tag);
AT(ctr_oci_container, exit_command, 104);
AT(ctr_oci_container, log_driver, 112);
AT(ctr_oci_container, log_tag, 120);
AT(ctr_oci_container, size, 0);
AT(ctr_oci_container, flags, 8);
AT(ctr_oci_container, id, 16);
AT(ctr_oci_container, name, 24);
AT(ctr_oci_container, bundle, 32);
AT(ctr_oci_container, log_path, 40);
AT(ctr_oci_container, pid_file, 48);
AT(ctr_oci_container, cgroup_path, 56);
AT(ctr_oci_container, log_size_max, 64);
AT(ctr_oci_container, timeout_s, 72);
AT(ctr_oci_container, pid_start, 80);
AT(ctr_oci_container, monitor_start, 88);
AT(ctr_oci_container, pid, 96);
AT(ctr_oci_container, monitor_pid, 100);

SIZE(ctr_oci_status, 56);
FULL(ctr_oci_status, reserved);
AT(ctr_oci_status, size, 0);
AT(ctr_oci_status, finished_ns, 8);
AT(ctr_oci_status, pid_start, 16);
AT(ctr_oci_status, monitor_start, 24);
AT(ctr_oci_status, status, 32);
AT(ctr_oci_status, pid, 36);
AT(ctr_oci_status, monitor_pid, 40);
AT(ctr_oci_status, exit_code, 44);
AT(ctr_oci_status, oom_killed, 48);
AT(ctr_oci_status, reserved, 52);

SIZE(ctr_oci_exec, 96);
FULL(ctr_oci_exec, monitor_pid);
AT(ctr_oci_exec, size, 0);
AT(ctr_oci_exec, flags, 8);
AT(ctr_oci_exec, id, 16);
AT(ctr_oci_exec, dir, 24);
AT(ctr_oci_exec, process, 32);
AT(ctr_oci_exec, fds, 40);
AT(ctr_oci_exec, fds_n, 48);
AT(ctr_oci_exec, exit_command, 56);
AT(ctr_oci_exec, exit_delay_s, 64);
AT(ctr_oci_exec, pid_start, 72);
AT(ctr_oci_exec, monitor_start, 80);
AT(ctr_oci_exec, pid, 88);
AT(ctr_oci_exec, monitor_pid, 92);

SIZE(ctr_oci_ops, 120);
FULL(ctr_oci_ops, exec_remove);
AT(ctr_oci_ops, update, 104);
AT(ctr_oci_ops, run_process, 112);
AT(ctr_oci_ops, attach, 120);
AT(ctr_oci_ops, resize, 128);
AT(ctr_oci_ops, size, 0);
AT(ctr_oci_ops, caps, 8);
AT(ctr_oci_ops, name, 16);
AT(ctr_oci_ops, create, 24);
AT(ctr_oci_ops, start, 32);
AT(ctr_oci_ops, state, 40);
AT(ctr_oci_ops, kill, 48);
AT(ctr_oci_ops, remove, 56);
AT(ctr_oci_ops, pause, 64);
AT(ctr_oci_ops, resume, 72);
AT(ctr_oci_ops, exit_status, 80);
AT(ctr_oci_ops, wait_fd, 88);
AT(ctr_oci_ops, monitor_alive, 96);

SIZE(ctr_storage_container, 72);
FULL(ctr_storage_container, mount_label);
AT(ctr_storage_container, size, 0);
AT(ctr_storage_container, id, 8);
AT(ctr_storage_container, name, 16);
AT(ctr_storage_container, rootfs, 24);
AT(ctr_storage_container, image_id, 32);
AT(ctr_storage_container, image_name, 40);
AT(ctr_storage_container, static_dir, 48);
AT(ctr_storage_container, run_dir, 56);
AT(ctr_storage_container, mount_label, 64);

SIZE(ctr_storage_ops, 64);
FULL(ctr_storage_ops, usage);
AT(ctr_storage_ops, size, 0);
AT(ctr_storage_ops, caps, 8);
AT(ctr_storage_ops, name, 16);
AT(ctr_storage_ops, validate, 24);
AT(ctr_storage_ops, mount, 32);
AT(ctr_storage_ops, unmount, 40);
AT(ctr_storage_ops, remove, 48);
AT(ctr_storage_ops, usage, 56);

#endif

int main(void)
{
	return 0; /* that it compiled is the test */
}
