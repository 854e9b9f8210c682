/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starting programs.
 *
 * The child shares our memory until it executes the program, and the calling thread stands still
 * meanwhile. So everything is prepared before, and the child makes bare system calls only: library
 * functions may take locks that other threads of the host hold, and tools that intercept them would book
 * the child's doings on the parent. errno is thread-local memory, hence shared too, and saved.
 *
 * Tools such as valgrind turn this clone into a plain fork: then the child's writes are not seen here,
 * and a pipe brings the result. Under a true vfork the pipe is not waited for: a host that forks in
 * another thread may hold a copy of its writing end for long.
 */
#include "sys/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sys/fd.h"
#include "sys/wait_util.h"
#include "sys/proc.h"
#include "util/cleanup.h"
#include "util/clock.h"

#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x00001000
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif
#define WAIT_PIDFD ((idtype_t)3) /* P_PIDFD */

#define STACK_SIZE    (64U << 10)
#define KERNEL_SIGSET (_NSIG / 8)
#define EXIT_FAILED   127
#define KILL_WAIT_MS  10000

/* Nothing in the child may be instrumented: it runs on a stack the tools know nothing about. */
#if defined(__clang__)
#define IN_CHILD __attribute__((no_sanitize("address", "thread", "undefined", "memory")))
#else
#define IN_CHILD __attribute__((no_sanitize("address", "thread", "undefined")))
#endif

#ifdef __GLIBC__
/* The name that no sanitizer intercepts: they take every clone() for a fork. */
int __clone(int (*fn)(void *), void *stack, int flags, void *arg, ...);
#define do_clone __clone
#else
#define do_clone clone
#endif

enum step { STEP_NONE, STEP_ATTRIBUTES, STEP_CWD, STEP_FDS, STEP_EXEC };

struct report {
	int step;
	int error;
};

struct plan {
	const char *path;
	char *const *argv;
	char *const *envp;
	int cwd_fd;
	int fds[CTR__SPAWN_MAX_FDS];
	int nfds;
	int report_fd;
	pid_t parent;
	bool new_group;
	bool die_with_parent;
	bool ignore_sigpipe;
	/* Written by the child. */
	volatile bool shared; /* the child shares our memory */
	volatile struct report report;
};

/* ---- in the child ---- */

IN_CHILD static void reset_signals(bool ignore_sigpipe)
{
	/* A kernel sigaction that is all zero is SIG_DFL. */
	unsigned long action[16];

	for (size_t i = 0; i < CTR__ARRAY_SIZE(action); i++)
		((volatile unsigned long *)action)[i] = 0;
	for (int sig = 1; sig < _NSIG; sig++) {
		if (sig != SIGKILL && sig != SIGSTOP)
			syscall(SYS_rt_sigaction, sig, action, NULL, KERNEL_SIGSET);
	}
	if (ignore_sigpipe) {
		*(volatile unsigned long *)action = (unsigned long)SIG_IGN;
		syscall(SYS_rt_sigaction, SIGPIPE, action, NULL, KERNEL_SIGSET);
	}
}

IN_CHILD static void unblock_signals(void)
{
	unsigned long none[KERNEL_SIGSET / sizeof(unsigned long)] = {0};

	syscall(SYS_rt_sigprocmask, SIG_SETMASK, none, NULL, KERNEL_SIGSET);
}

IN_CHILD static bool set_attributes(const struct plan *p)
{
	if (p->new_group && syscall(SYS_setpgid, 0, 0) < 0)
		return false;
	if (!p->die_with_parent)
		return true;
	if (syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return false;
	/* If it died before, no signal will come. */
	if (syscall(SYS_getppid) != p->parent)
		syscall(SYS_exit_group, EXIT_FAILED);
	return true;
}

IN_CHILD static bool set_cwd(const struct plan *p)
{
	if (p->cwd_fd >= 0)
		return syscall(SYS_fchdir, p->cwd_fd) == 0;
	return syscall(SYS_chdir, "/") == 0;
}

/* Moves a descriptor out of the range that is about to be filled. */
IN_CHILD static bool move_up(int *fd, int above)
{
	long moved = syscall(SYS_fcntl, *fd, F_DUPFD_CLOEXEC, above);

	if (moved < 0)
		return false;
	*fd = (int)moved;
	return true;
}

IN_CHILD static bool place_fds(struct plan *p)
{
	if (p->report_fd < p->nfds && !move_up(&p->report_fd, p->nfds))
		return false;
	for (int i = 0; i < p->nfds; i++) {
		if (p->fds[i] < p->nfds && p->fds[i] != i && !move_up(&p->fds[i], p->nfds))
			return false;
	}
	for (int i = 0; i < p->nfds; i++) {
		long rc = p->fds[i] == i ? syscall(SYS_fcntl, i, F_SETFD, 0)
		                         : syscall(SYS_dup3, p->fds[i], i, 0);

		if (rc < 0)
			return false;
	}
	return true;
}

/* The layout of getdents64(). */
struct dirent_head {
	uint64_t ino;
	int64_t off;
	unsigned short reclen;
	unsigned char type;
	char name[];
};

IN_CHILD static int parse_fd(const char *s)
{
	int n = 0;

	if (*s < '0' || *s > '9')
		return -1;
	while (*s >= '0' && *s <= '9')
		n = n * 10 + (*s++ - '0');
	return n;
}

/* Kernels before 5.11, and tools that do not know close_range(). */
IN_CHILD static bool cloexec_by_listing(int from)
{
	_Alignas(8) char buf[4096];
	long n, dir = syscall(
	            SYS_openat, AT_FDCWD, "/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);

	if (dir < 0)
		return false;
	while ((n = syscall(SYS_getdents64, dir, buf, sizeof(buf))) > 0) {
		for (long at = 0; at < n;) {
			const struct dirent_head *e = (const void *)(buf + at);
			int fd = parse_fd(e->name);

			if (fd >= from)
				syscall(SYS_fcntl, fd, F_SETFD, FD_CLOEXEC);
			at += e->reclen;
		}
	}
	syscall(SYS_close, dir);
	return n == 0;
}

IN_CHILD static bool close_others(int from)
{
	if (syscall(SYS_close_range, from, ~0U, CLOSE_RANGE_CLOEXEC) == 0)
		return true;
	return cloexec_by_listing(from);
}

IN_CHILD static enum step prepare_and_exec(struct plan *p)
{
	reset_signals(p->ignore_sigpipe);
	if (!set_attributes(p))
		return STEP_ATTRIBUTES;
	if (!set_cwd(p))
		return STEP_CWD;
	if (!place_fds(p) || !close_others(p->nfds))
		return STEP_FDS;
	unblock_signals();
	syscall(SYS_execve, p->path, p->argv, p->envp);
	return STEP_EXEC;
}

IN_CHILD static int child_main(void *arg)
{
	struct plan *p = arg;
	struct report r;

	p->shared = true;
	r.step = (int)prepare_and_exec(p);
	r.error = errno;
	p->report.step = r.step;
	p->report.error = r.error;
	syscall(SYS_write, p->report_fd, &r, sizeof(r));
	syscall(SYS_exit_group, EXIT_FAILED);
	return EXIT_FAILED;
}

/* ---- in the parent ---- */

static int check(const struct ctr__spawn *s, ctr_error_t **err)
{
	if (!s->path || s->path[0] != '/')
		return ctr__fail(err, CTR_E_INVALID, "program \"%s\" is not an absolute path",
		    s->path ? s->path : "");
	if (!s->argv || !s->argv[0])
		return ctr__fail(err, CTR_E_INVALID, "no arguments for program %s", s->path);
	if (s->nfds < 0 || s->nfds > CTR__SPAWN_MAX_FDS)
		return ctr__fail(
		    err, CTR_E_INVALID, "%d descriptors for program %s", s->nfds, s->path);
	return 0;
}

static bool wants_null(const struct ctr__spawn *s)
{
	for (int i = 0; i < 3 || i < s->nfds; i++) {
		if (i >= s->nfds || s->fds[i] < 0)
			return true;
	}
	return false;
}

static void make_plan(const struct ctr__spawn *s, int null_fd, int report_fd, struct plan *p)
{
	static const char *const no_environment[] = {NULL};

	memset(p, 0, sizeof(*p));
	p->path = s->path;
	/* execve() takes pointers to writable strings, but never writes. */
	p->argv = (char *const *)(uintptr_t)s->argv;
	p->envp = (char *const *)(uintptr_t)(s->envp ? s->envp : no_environment);
	p->cwd_fd = s->cwd_fd;
	p->nfds = s->nfds < 3 ? 3 : s->nfds;
	for (int i = 0; i < p->nfds; i++)
		p->fds[i] = i < s->nfds && s->fds[i] >= 0 ? s->fds[i] : null_fd;
	p->report_fd = report_fd;
	p->parent = getpid();
	p->new_group = s->new_group;
	p->die_with_parent = s->die_with_parent;
	p->ignore_sigpipe = s->ignore_sigpipe;
}

/* The pidfd cannot come from clone on kernels before 5.2 (they ignore the flag) and in tools that refuse
 * unknown flags. */
static int clone_child(struct plan *p, char *stack_top, struct ctr__child *c)
{
	const int flags = CLONE_VM | CLONE_VFORK | SIGCHLD;

	c->pidfd = -1;
	c->pid = do_clone(child_main, stack_top, flags | CLONE_PIDFD, p, &c->pidfd, NULL, NULL);
	if (c->pid < 0 && (errno == EINVAL || errno == ENOSYS))
		c->pid = do_clone(child_main, stack_top, flags, p, NULL, NULL, NULL);
	if (c->pid < 0)
		return -errno;
	if (c->pidfd < 0)
		c->pidfd = ctr__pidfd_open_any(c->pid);
	if (c->pidfd < 0)
		c->pidfd = -1;
	return 0;
}

/* A handler of the host that ran in the child would run on the host's memory. The bare system call also
 * blocks the C library's internal signals. */
static int clone_with_signals_blocked(struct plan *p, char *stack_top, struct ctr__child *c)
{
	unsigned long all[KERNEL_SIGSET / sizeof(unsigned long)];
	unsigned long old[KERNEL_SIGSET / sizeof(unsigned long)];
	int saved = errno, rc;

	memset(all, 0xff, sizeof(all));
	memset(old, 0, sizeof(old));
	if (syscall(SYS_rt_sigprocmask, SIG_BLOCK, all, old, KERNEL_SIGSET) < 0)
		return -errno;
	rc = clone_child(p, stack_top, c);
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, old, NULL, KERNEL_SIGSET);
	errno = saved;
	return rc;
}

/* On a stack of its own, below which is a page that nobody may touch. */
static int clone_on_own_stack(struct plan *p, struct ctr__child *c)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), size = STACK_SIZE + page;
	char *stack = mmap(
	    NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	int rc;

	if (stack == MAP_FAILED)
		return -errno;
	rc = mprotect(stack, page, PROT_NONE) < 0 ? -errno : 0;
	if (rc == 0)
		rc = clone_with_signals_blocked(p, stack + size, c);
	munmap(stack, size);
	return rc;
}

/* What went wrong in the child; step NONE = it runs the program. */
static struct report read_report(const struct plan *p, int fd)
{
	struct report r = {.step = p->report.step, .error = p->report.error};
	struct report piped;

	if (!p->shared && ctr__read_eintr(fd, &piped, sizeof(piped)) == (ssize_t)sizeof(piped))
		r = piped;
	return r;
}

static int fail_step(const struct ctr__spawn *s, struct report r, ctr_error_t **err)
{
	static const char *const what[] = {
	    [STEP_ATTRIBUTES] = "set the process attributes of",
	    [STEP_CWD] = "enter the working directory of",
	    [STEP_FDS] = "hand over the descriptors to",
	    [STEP_EXEC] = "execute",
	};
	const char *text = what[STEP_EXEC];

	if (r.step > STEP_NONE && r.step < (int)CTR__ARRAY_SIZE(what))
		text = what[r.step];
	return ctr__fail_errno(err, r.error, s->path, "cannot %s %s", text, s->path);
}

static void forget(struct ctr__child *c)
{
	if (c->pidfd >= 0)
		close(c->pidfd);
	c->pidfd = -1;
	c->pid = -1;
}

/* Reaps without trusting the number: the host may have done it already. */
static int reap(const struct ctr__child *c, siginfo_t *si, int flags)
{
	int rc;

	memset(si, 0, sizeof(*si));
	do {
		rc = c->pidfd >= 0 ? waitid(WAIT_PIDFD, (id_t)c->pidfd, si, flags) : -1;
		if (rc < 0 && (c->pidfd < 0 || errno == EINVAL))
			rc = waitid(P_PID, (id_t)c->pid, si, flags);
	} while (rc < 0 && errno == EINTR);
	return rc < 0 ? -errno : 0;
}

int ctr__spawn(const struct ctr__spawn *s, struct ctr__child *child, ctr_error_t **err)
{
	CTR__CLOSE int null_fd = -1;
	CTR__CLOSE int report_read = -1;
	CTR__CLOSE int report_write = -1;
	struct ctr__child c;
	struct plan p;
	struct report r;
	siginfo_t si;
	int ends[2];
	int rc = check(s, err);

	if (rc < 0)
		return rc;
	if (wants_null(s) && (null_fd = open("/dev/null", O_RDWR | O_CLOEXEC)) < 0)
		return ctr__fail_errno(err, errno, "/dev/null", "cannot open /dev/null");
	if (pipe2(ends, O_CLOEXEC) < 0)
		return ctr__fail_errno(err, errno, NULL, "cannot make a pipe to start %s", s->path);
	report_read = ends[0];
	report_write = ends[1];
	make_plan(s, null_fd, report_write, &p);
	rc = clone_on_own_stack(&p, &c);
	if (rc < 0)
		return ctr__fail_errno(err, -rc, s->path, "cannot make a process for %s", s->path);
	close(ctr__steal_fd(&report_write));
	r = read_report(&p, report_read);
	if (r.step != STEP_NONE) {
		reap(&c, &si, WEXITED);
		forget(&c);
		return fail_step(s, r, err);
	}
	*child = c;
	return 0;
}

/* Without a pidfd nothing can be waited for with a timeout: ask again and again. */
static int wait_by_asking(const struct ctr__child *c, int64_t timeout_ms)
{
	int64_t deadline = ctr__deadline(timeout_ms);
	long pause_ns = 500000;

	for (;;) {
		siginfo_t si;
		int rc = reap(c, &si, WEXITED | WNOHANG | WNOWAIT);

		if (rc < 0 || si.si_pid != 0)
			return 1;
		if (ctr__poll_timeout(deadline) == 0)
			return 0;
		nanosleep(&(struct timespec){.tv_nsec = pause_ns}, NULL);
		pause_ns = pause_ns < 20000000 ? pause_ns * 2 : pause_ns;
	}
}

static int wait_end(const struct ctr__child *c, int64_t timeout_ms)
{
	return c->pidfd >= 0 ? ctr__pidfd_wait(c->pidfd, timeout_ms)
	                     : wait_by_asking(c, timeout_ms);
}

static int to_wait_status(const siginfo_t *si)
{
	switch (si->si_code) {
	case CLD_EXITED: return (si->si_status & 0xff) << 8;
	case CLD_DUMPED: return (si->si_status & 0x7f) | 0x80;
	default: return si->si_status & 0x7f;
	}
}

/* The status was taken by the host. The kernel knows it once the host's wait call is done with it, which
 * may be a moment later. */
static bool ask_kernel(int pidfd, int *status)
{
	int64_t deadline = ctr__deadline(1000);
	int rc;

	while ((rc = ctr__pidfd_query_exit(pidfd, status)) == 0) {
		if (ctr__poll_timeout(deadline) == 0)
			return false;
		ctr__pidfd_wait_reaped(pidfd, 10);
	}
	return rc == 1;
}

int ctr__child_wait(
    struct ctr__child *child, int64_t timeout_ms, int *status, bool *known, ctr_error_t **err)
{
	siginfo_t si;
	int rc = wait_end(child, timeout_ms);

	*status = 0;
	*known = false;
	if (rc == 0)
		return ctr__fail(
		    err, CTR_E_TIMEOUT, "process %d has not ended in time", (int)child->pid);
	if (rc < 0)
		return ctr__fail_errno(
		    err, -rc, NULL, "cannot wait for process %d", (int)child->pid);
	if (reap(child, &si, WEXITED) == 0) {
		*status = to_wait_status(&si);
		*known = true;
	} else if (child->pidfd >= 0) {
		*known = ask_kernel(child->pidfd, status);
	}
	forget(child);
	return 0;
}

void ctr__child_kill(struct ctr__child *child)
{
	int status;
	bool known;

	if (child->pidfd >= 0)
		ctr__pidfd_signal(child->pidfd, SIGKILL);
	else if (child->pid > 0)
		kill(child->pid, SIGKILL);
	else
		return;
	/* Bounded: a process stuck in the kernel must not take us with it. */
	if (ctr__child_wait(child, KILL_WAIT_MS, &status, &known, NULL) != 0)
		forget(child);
}
