/* SPDX-License-Identifier: Apache-2.0 */
/* Writing to descriptors that may be pipes whose readers are gone. */
#ifndef LIBCTR_SYS_QUIET_H
#define LIBCTR_SYS_QUIET_H

#include <sys/types.h>
#include <sys/uio.h>

/* writev() that goes on after EINTR and never raises SIGPIPE (or SIGXFSZ). `flags`: RWF_* or 0. Bytes, or -errno. */
ssize_t ctr__writev_quiet(int fd, const struct iovec *v, int n, int flags);

#endif
