/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors and small files. Every descriptor made here is close-on-exec. */
#ifndef LIBCTR_SYS_FD_H
#define LIBCTR_SYS_FD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "util/err.h"

/* Reads a whole file of at most `max` bytes into malloc'ed, NUL-terminated memory. O_NOFOLLOW on the last
 * component. 0, or -errno (EFBIG if it is larger). No error object: callers know what it means. */
int ctr__read_file_at(int dirfd, const char *path, size_t max, char **out, size_t *len);

/* Writes a file: new temporary name, mode, optional fsync, rename over `name`. 0 or -errno. `name` has no
 * slash. Nothing stays behind on failure. */
int ctr__write_file_at(
    int dirfd, const char *name, const void *data, size_t len, mode_t mode, bool sync);

/* write() and read() all of it, going on after EINTR. 0 or -errno. */
int ctr__write_all(int fd, const void *data, size_t len);
ssize_t ctr__read_eintr(int fd, void *buf, size_t len); /* or -errno */

/* Does any descriptor of this process refer to this inode? (Scans /proc/self/fd.) */
bool ctr__fd_open_elsewhere(dev_t dev, ino_t ino);

#endif
