/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting with deadlines, and what pidfds tell, for lib/sys only. */
#ifndef LIBCTR_SYS_WAIT_UTIL_H
#define LIBCTR_SYS_WAIT_UTIL_H

#include <stdint.h>
#include <sys/types.h>

/* Without looking at who it is. Descriptor or -errno. */
int ctr__pidfd_open_any(pid_t pid);

/* Time left for poll() until `deadline` (monotonic ns; -1 = never), rounded up. */
int ctr__poll_timeout(int64_t deadline);
/* timeout_ms < 0 gives -1. */
int64_t ctr__deadline(int64_t timeout_ms);

/* Like ctr__pidfd_exit_status(): 1 = known, 0 = the process was not reaped yet, -errno = cannot be known. */
int ctr__pidfd_query_exit(int pidfd, int *status);

/* Waits until the process was reaped. Kernels before 6.15 do not report it: then it is the timeout. */
void ctr__pidfd_wait_reaped(int pidfd, int timeout_ms);

#endif
