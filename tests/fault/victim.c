/* SPDX-License-Identifier: Apache-2.0 */
/* A process that is killed at a chosen point: see victim.h. */
#include "victim.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "world.h"

#define MARK 1999 /* no kernel knows it */

void victim_mark(void)
{
	syscall(MARK);
}

void victim_ready(void)
{
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	raise(SIGSTOP);
}

bool victim_has_effect(long number)
{
	static const long pure[] = {
#ifdef SYS_access
	    SYS_access, SYS_readlink, SYS_stat, SYS_lstat,
#endif
	    SYS_read, SYS_pread64, SYS_fstat, SYS_newfstatat, SYS_lseek, SYS_mmap, SYS_munmap,
	    SYS_mprotect, SYS_brk, SYS_getpid, SYS_gettid, SYS_getppid, SYS_clock_gettime,
	    SYS_faccessat, SYS_faccessat2, SYS_readlinkat, SYS_getdents64, SYS_rt_sigprocmask,
	    SYS_rt_sigaction, SYS_fcntl, SYS_uname, SYS_geteuid, SYS_getuid, SYS_statfs,
	    SYS_fstatfs, SYS_getrandom, SYS_statx, SYS_pipe2, SYS_socketpair, SYS_pidfd_open,
	    SYS_close, SYS_madvise, SYS_eventfd2, SYS_inotify_init1};

	for (size_t i = 0; i < sizeof(pure) / sizeof(*pure); i++) {
		if (pure[i] == number)
			return false;
	}
	return true;
}

unsigned victim_points(
    const struct victim_run *r, unsigned every, unsigned offset, unsigned *points)
{
	unsigned n = 0, candidates = 0;

	for (unsigned k = 1; k <= r->calls && k <= VICTIM_CALLS; k++) {
		bool now = victim_has_effect(r->number[k - 1]);
		bool before = k > 1 && victim_has_effect(r->number[k - 2]);

		if (every && !(now || before))
			continue;
		if (!every || candidates++ % every == offset % every)
			points[n++] = k;
	}
	return n;
}

static pid_t launch(char *const *argv)
{
	pid_t pid = fork();

	if (pid == 0) {
		execv("/proc/self/exe", argv);
		_exit(127);
	}
	return pid;
}

/* Waits until it stops or ends. */
static int next_stop(pid_t pid, int *status)
{
	pid_t r;

	do {
		r = waitpid(pid, status, 0);
	} while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : 0;
}

static int finish(pid_t pid, struct victim_run *r)
{
	int rc;

	do {
		rc = next_stop(pid, &r->status);
		if (rc == 0 && WIFSTOPPED(r->status))
			ptrace(PTRACE_CONT, pid, NULL, NULL);
	} while (rc == 0 && WIFSTOPPED(r->status));
	return rc;
}

static int kill_it(pid_t pid, struct victim_run *r)
{
	kill(pid, SIGKILL);
	return finish(pid, r);
}

/* Lets it run on to its next stop at the entry of a system call. 1 = *number, 0 = it has ended. */
static int next_call(pid_t pid, struct victim_run *r, long *number)
{
	intptr_t sig = 0;

	for (;;) {
		struct __ptrace_syscall_info info;
		int rc;

		if (ptrace(PTRACE_SYSCALL, pid, NULL, (void *)sig) < 0 && errno != ESRCH)
			return -errno;
		rc = next_stop(pid, &r->status);
		if (rc < 0 || !WIFSTOPPED(r->status))
			return rc;
		sig = 0;
		if (WSTOPSIG(r->status) != (SIGTRAP | 0x80)) {
			sig = WSTOPSIG(r->status);
			continue;
		}
		if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, (void *)sizeof(info), &info) < 0)
			return -errno;
		if (info.op != PTRACE_SYSCALL_INFO_ENTRY)
			continue;
		*number = (long)info.entry.nr;
		return 1;
	}
}

static int go_to_mark(pid_t pid, struct victim_run *r)
{
	long number = 0;
	int rc;

	do {
		rc = next_call(pid, r, &number);
	} while (rc == 1 && number != MARK);
	return rc;
}

static int kill_at_call(pid_t pid, struct victim_run *r)
{
	long number = 0;
	int rc;

	while ((rc = next_call(pid, r, &number)) == 1) {
		if (number == MARK) {
			r->completed = true;
			ptrace(PTRACE_CONT, pid, NULL, NULL);
			return finish(pid, r);
		}
		if (r->calls < VICTIM_CALLS)
			r->number[r->calls] = number;
		if (++r->calls == r->at_call)
			return kill_it(pid, r);
	}
	return rc;
}

/* It runs untraced, at full speed. */
static int kill_after(pid_t pid, struct victim_run *r)
{
	struct timespec t = {
	    .tv_sec = r->after_us / 1000000, .tv_nsec = r->after_us % 1000000 * 1000};
	int rc;

	ptrace(PTRACE_DETACH, pid, NULL, NULL);
	nanosleep(&t, NULL);
	kill(pid, SIGKILL);
	rc = finish(pid, r);
	r->completed = WIFEXITED(r->status);
	return rc;
}

int victim_run(char *const *argv, struct victim_run *r)
{
	const int options = PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL;
	pid_t pid = launch(argv);
	int64_t begin;
	int rc;

	r->completed = false;
	r->calls = 0;
	r->status = 0;
	if (pid < 0)
		return -errno;
	rc = next_stop(pid, &r->status);
	if (rc < 0)
		return rc;
	if (!WIFSTOPPED(r->status))
		return -ECHILD;
	if (ptrace(PTRACE_SETOPTIONS, pid, NULL, (void *)(intptr_t)options) < 0)
		return -errno;
	rc = go_to_mark(pid, r);
	if (rc != 1)
		return rc < 0 ? rc : -ECHILD;
	begin = world_now_us();
	rc = r->after_us > 0 ? kill_after(pid, r) : kill_at_call(pid, r);
	r->took_us = world_now_us() - begin;
	return rc;
}
