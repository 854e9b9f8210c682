/* SPDX-License-Identifier: Apache-2.0 */
/* Other processes: identity that survives PID reuse, signals, what /proc says. */
#ifndef LIBCTR_SYS_PROC_H
#define LIBCTR_SYS_PROC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Start time in clock ticks since boot (field 22 of /proc/PID/stat); 0 if there is no such process. */
uint64_t ctr__proc_start_time(pid_t pid);

/* A pidfd of the process `pid` that started at `start` (0 = any). Descriptor, or -ESRCH, -errno. */
int ctr__pidfd_open(pid_t pid, uint64_t start);

/* Alive = exists, has that start time, and is not a zombie. */
bool ctr__proc_alive(pid_t pid, uint64_t start);

/* Is its life over? A dying process is not a zombie yet, but will never do anything again; as the first one of a PID
 * namespace it lets no other be made there any more. Also true if there is no such process. */
bool ctr__proc_is_over(pid_t pid, uint64_t start);

/* Signal through a pidfd. 0 or -errno. */
int ctr__pidfd_signal(int pidfd, int sig);

/* Waits until the process has ended (POLLIN of the pidfd). 1 = ended, 0 = timeout, -errno. */
int ctr__pidfd_wait(int pidfd, int64_t timeout_ms);

/* Real wait status of an ended process through its pidfd (kernel >= 6.15). True if known. */
bool ctr__pidfd_exit_status(int pidfd, int *status);

/* Calls fn(pid, argc, argv, userdata) for every process whose command line starts with the program name
 * `comm` (last path component of argv[0]); stops at nonzero and returns it. Kernel threads are skipped.
 * A process that is being executed or is dying has no command line, but its last threads still act: it is
 * waited for. If it was running `comm` and died, then fn(pid, 0, {NULL}, userdata) tells so. */
int ctr__proc_each(
    const char *comm, int (*fn)(pid_t pid, int argc, char **argv, void *userdata), void *userdata);

/* SIGKILLs a process, its descendants, and those of its session if it leads one. They are stopped first, so that
 * none of them can make another meanwhile. 0, also if it is not there, or -errno. */
int ctr__proc_kill_tree(int pidfd, pid_t pid);

/* Inode of /proc/self/ns/pid; 0 if unknown. */
uint64_t ctr__pid_ns_inode(void);

/* Boot ID (36 characters) of /proc/sys/kernel/random/boot_id. 0 or -errno. */
int ctr__boot_id(char out[37]);

/* Path of the process's cgroup: v2, or on v1 that of the named controllers' hierarchy. malloc'ed or NULL. */
char *ctr__proc_cgroup(pid_t pid);

#endif
