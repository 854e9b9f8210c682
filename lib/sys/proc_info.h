/* SPDX-License-Identifier: Apache-2.0 */
/* One process in full: what `ps` shows of it. Read through a descriptor of its directory in /proc, which stays that of this
 * process when its number is given to another one. */
#ifndef LIBCTR_SYS_PROC_INFO_H
#define LIBCTR_SYS_PROC_INFO_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct ctr__proc_info {
	pid_t pid, ppid;   /* as this process sees them                */
	pid_t inside_pid;  /* in its own, innermost PID namespace      */
	pid_t inside_pgid; /* its process group there; 0 = not there   */
	char state;        /* 'R', 'S', ...                            */
	int nice;
	uint32_t tty;      /* device number; 0 = none                  */
	uint32_t uid, gid; /* effective, on the host                   */
	uint32_t inside_uid, inside_gid;
	uint64_t utime, stime; /* clock ticks                              */
	uint64_t start;        /* clock ticks since boot                   */
	uint64_t vsz, rss;     /* KiB                                      */
	char comm[64];
	char *cmdline; /* malloc'ed; NULs between the arguments    */
	size_t cmdline_len;
	char *label; /* of SELinux or AppArmor; NULL = none      */
};

/* Descriptor of /proc/PID, or -errno. */
int ctr__proc_open(pid_t pid);

/* 0, or -errno: ESRCH if it has ended and was reaped. */
int ctr__proc_info_read(int procfd, struct ctr__proc_info *out);
void ctr__proc_info_free(struct ctr__proc_info *p);

/* Is it in this cgroup, or in one below? */
bool ctr__proc_in_cgroup(int procfd, const char *path);

/* Start time, as ctr__proc_start_time(). */
uint64_t ctr__proc_start_of(int procfd);

/* PIDs in ascending order. A copy of all processes in the PID namespace of `pid`, or, where that is ours, of `pid` and its
 * descendants. malloc'ed. 0 or -errno. */
int ctr__proc_relatives(pid_t pid, pid_t **out, size_t *n);

/* PIDs in any number. Start: {0}. */
struct ctr__pids {
	pid_t *v;
	size_t n, cap;
};
int ctr__pids_add(struct ctr__pids *p, pid_t pid); /* 0 or -ENOMEM */
void ctr__pids_free(struct ctr__pids *p);

/* Adds the children of all its threads, zombies among them: those are in no list of a cgroup. 0 or -ENOMEM. */
int ctr__proc_children(int procfd, struct ctr__pids *out);

struct ctr__proc_net {
	uint64_t rx_bytes, rx_packets, tx_bytes, tx_packets;
};
/* Of all devices of its network namespace but lo. 0 or -errno. */
int ctr__proc_net_read(int procfd, struct ctr__proc_net *out);
/* The same from the text of net/dev, which is changed. */
void ctr__proc_net_parse(char *text, struct ctr__proc_net *out);

#endif
