/* SPDX-License-Identifier: Apache-2.0 */
/* Process descriptors. */
#include "sys/wait_util.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sys/fd.h"
#include "sys/proc.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/str.h"

#define FDINFO_MAX 4096

/* PIDFD_GET_INFO of <linux/pidfd.h>, which may be older than the kernel. First version of the struct. */
struct pidfd_info_v0 {
	uint64_t mask;
	uint64_t cgroupid;
	uint32_t pid, tgid, ppid;
	uint32_t ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
	int32_t exit_code;
};
_Static_assert(sizeof(struct pidfd_info_v0) == 64, "layout of the kernel");

#define GET_INFO  _IOWR(0xFF, 11, struct pidfd_info_v0)
#define INFO_EXIT (UINT64_C(1) << 3)

int64_t ctr__deadline(int64_t timeout_ms)
{
	int64_t now = ctr__monotonic_ns();

	if (timeout_ms < 0)
		return -1;
	if (timeout_ms > (INT64_MAX - now) / 1000000)
		return INT64_MAX;
	return now + timeout_ms * 1000000;
}

int ctr__poll_timeout(int64_t deadline)
{
	int64_t left;

	if (deadline < 0)
		return -1;
	left = deadline - ctr__monotonic_ns();
	if (left <= 0)
		return 0;
	left = left / 1000000 + (left % 1000000 != 0);
	return left > INT_MAX ? INT_MAX : (int)left;
}

int ctr__pidfd_open_any(pid_t pid)
{
	long fd = syscall(SYS_pidfd_open, pid, 0);

	return fd < 0 ? -errno : (int)fd;
}

/* A pidfd belongs to whatever has the number when it is opened, so who that is is asked afterwards. The
 * number of a thread that does not lead its process is refused by the kernel: EINVAL, later ENOENT. */
int ctr__pidfd_open(pid_t pid, uint64_t start)
{
	CTR__CLOSE int fd = -1;

	if (pid <= 0)
		return -ESRCH;
	fd = ctr__pidfd_open_any(pid);
	if (fd == -EINVAL || fd == -ENOENT)
		return -ESRCH;
	if (fd >= 0 && start != 0 && ctr__proc_start_time(pid) != start)
		return -ESRCH;
	return ctr__steal_fd(&fd);
}

/* Every kernel with pidfds can signal them, but tools that stand between us and the kernel may not know
 * the call. The number comes from the descriptor, and is -1 once the process was reaped. */
static int signal_by_number(int pidfd, int sig)
{
	CTR__FREE char *info = NULL;
	char file[64], *line;
	int64_t pid;
	int rc;

	snprintf(file, sizeof(file), "/proc/thread-self/fdinfo/%d", pidfd);
	rc = ctr__read_file_at(AT_FDCWD, file, FDINFO_MAX, &info, NULL);
	if (rc < 0)
		return rc == -ENOENT ? -EBADF : rc;
	line = strstr(info, "\nPid:");
	if (!line)
		return -EBADF;
	line += strspn(line, "\nPid:\t ");
	line[strcspn(line, "\n")] = '\0';
	if (!ctr__parse_i64(line, 1, INT_MAX, &pid))
		return -ESRCH;
	return kill((pid_t)pid, sig) < 0 ? -errno : 0;
}

int ctr__pidfd_signal(int pidfd, int sig)
{
	if (syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0) == 0)
		return 0;
	return errno == ENOSYS ? signal_by_number(pidfd, sig) : -errno;
}

int ctr__pidfd_wait(int pidfd, int64_t timeout_ms)
{
	int64_t deadline = ctr__deadline(timeout_ms);
	struct pollfd p = {.fd = pidfd, .events = POLLIN};

	for (;;) {
		int n = poll(&p, 1, ctr__poll_timeout(deadline));

		if (n > 0)
			return p.revents & POLLNVAL ? -EBADF : 1;
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0 && ctr__poll_timeout(deadline) == 0)
			return 0;
	}
}

int ctr__pidfd_query_exit(int pidfd, int *status)
{
	struct pidfd_info_v0 info;

	memset(&info, 0, sizeof(info));
	info.mask = INFO_EXIT;
	if (ioctl(pidfd, GET_INFO, &info) < 0)
		return -errno;
	if (!(info.mask & INFO_EXIT))
		return 0;
	*status = info.exit_code;
	return 1;
}

bool ctr__pidfd_exit_status(int pidfd, int *status)
{
	return ctr__pidfd_query_exit(pidfd, status) == 1;
}

void ctr__pidfd_wait_reaped(int pidfd, int timeout_ms)
{
	/* No events asked for: only POLLHUP, which says that it was reaped. */
	struct pollfd p = {.fd = pidfd};

	poll(&p, 1, timeout_ms);
}
