/* SPDX-License-Identifier: Apache-2.0 */
/*
 * health ID STARTED INTERVAL STARTUP-INTERVAL: runs a container's health checks as long as it runs. STARTED
 * (nanoseconds since 1970) says which run is meant; intervals are milliseconds, 0 = no such check.
 *
 * The library starts it, with a socket as standard input and output: it says its PID and waits for a byte. Then it
 * checks, and sleeps in a poll of the container's first process, which ends when that process does.
 */
#include "helper.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

struct watch {
	ctr_container_t *c;
	int64_t started_ns, interval_ms, startup_ms;
	int pidfd;
};

static bool parse(const char *text, int64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoll(text, &end, 10);
	return !errno && end != text && !*end && *out >= 0;
}

/* Nobody hears us any more, and nobody should wait for us. */
static bool close_socket(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	bool ok = fd >= 0 && dup2(fd, 0) >= 0 && dup2(fd, 1) >= 0 && dup2(fd, 2) >= 0;

	if (fd > 2)
		close(fd);
	return ok;
}

/* False: whoever started us is gone, and nobody knows of us. */
static bool introduce(void)
{
	char text[32], go;
	int n = snprintf(text, sizeof(text), "%d\n", (int)getpid());
	ssize_t got;

	if (write(1, text, (size_t)n) != n)
		return false;
	do {
		got = read(0, &go, 1);
	} while (got < 0 && errno == EINTR);
	return got == 1 && close_socket();
}

/* Does the run go on that we were started for? */
static bool is_same_run(const struct watch *w)
{
	int64_t started;
	int32_t state;

	return ctr_container_started_ns(w->c, &started, NULL) >= 0 && started == w->started_ns &&
	       ctr_container_state(w->c, &state, NULL) >= 0 &&
	       (state == CTR_STATE_RUNNING || state == CTR_STATE_PAUSED ||
	           state == CTR_STATE_STOPPING);
}

static bool open_process(struct watch *w)
{
	int32_t pid;

	if (ctr_container_pid(w->c, &pid, NULL) < 0 || pid <= 0)
		return false;
	w->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	/* If it was still this run afterwards, the PID was not somebody else's. */
	return w->pidfd >= 0 && is_same_run(w);
}

static int64_t interval(const struct watch *w)
{
	int32_t health;

	if (!w->startup_ms || !w->interval_ms)
		return w->startup_ms ? w->startup_ms : w->interval_ms;
	if (ctr_container_health_status(w->c, &health, NULL) < 0)
		return w->interval_ms;
	return health == CTR_HEALTH_STARTING ? w->startup_ms : w->interval_ms;
}

/* True when the interval is over, false when the process has ended. */
static bool sleep_on(const struct watch *w)
{
	struct pollfd p = {w->pidfd, POLLIN, 0};
	int64_t ms = interval(w);
	int n;

	while (ms > 0) {
		int part = ms < INT_MAX ? (int)ms : INT_MAX;

		do {
			n = poll(&p, 1, part);
		} while (n < 0 && errno == EINTR);
		if (n != 0)
			return false;
		ms -= part;
	}
	return true;
}

static void check_on_and_on(const struct watch *w)
{
	do {
		int r = ctr_container_healthcheck_run(w->c, 0, NULL, NULL);

		/* What is paused or busy now may not be the next time. */
		if (r == CTR_E_CTR_REMOVED || r == CTR_E_CTR_STOPPED || r == CTR_E_NO_HEALTHCHECK ||
		    r == CTR_E_UNSUPPORTED || r == CTR_E_RUNTIME_STOPPED)
			return;
	} while (is_same_run(w) && sleep_on(w) && is_same_run(w));
}

int cmd_health(ctr_runtime_t *rt, int argc, char **argv, ctr_error_t **err)
{
	struct watch w = {.pidfd = -1};
	int r;

	if (argc != 5 || !parse(argv[2], &w.started_ns) || !parse(argv[3], &w.interval_ms) ||
	    !parse(argv[4], &w.startup_ms) || (!w.interval_ms && !w.startup_ms))
		return ctr_error_set(err, CTR_E_INVALID, 0,
		    "health needs an ID, the time of its start, and two intervals");
	r = ctr_container_get(rt, argv[1], &w.c, err);
	if (r < 0)
		return r;
	if (introduce() && open_process(&w))
		check_on_and_on(&w);
	if (w.pidfd >= 0)
		close(w.pidfd);
	ctr_container_unref(w.c);
	return 0;
}
