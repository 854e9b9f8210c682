/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process that runs the health checks of a running container: "libctr-helper health", in a session of its own and
 * nobody's child, so it goes on when the host ends.
 *
 * It tells its PID over a socket and waits for a word before it does anything; the word comes once the PID is in the
 * state. So one that nobody knows of ends by itself (whoever started it was killed: its socket is closed), and as all
 * this is done under the container's lock there is never a second one. It watches the container's first process and
 * ends with it.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/health.h"
#include "core/policy.h"
#include "sys/proc.h"
#include "sys/spawn.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define ANSWER_MS 10000 /* it opens the store before it answers */
#define END_MS    5000
#define NS_PER_MS INT64_C(1000000)

/* ---- its command line ---- */

struct intervals {
	int64_t check_ms, startup_ms; /* 0 = none */
};

static int64_t to_ms(const struct ctr__health_check *h)
{
	return h->argv ? (h->interval_ns + NS_PER_MS - 1) / NS_PER_MS : 0;
}

static int read_intervals(const ctr_config_t *cfg, struct intervals *in, ctr_error_t **err)
{
	CTR__HEALTH_CHECK struct ctr__health_check check = {0};
	CTR__HEALTH_CHECK struct ctr__health_check startup = {0};
	int r = ctr__health_check_of(cfg, false, &check, err);

	if (r >= 0)
		r = ctr__health_check_of(cfg, true, &startup, err);
	if (r < 0)
		return r;
	*in = (struct intervals){to_ms(&check), to_ms(&startup)};
	return 0;
}

static bool add_number(char ***words, int64_t n)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%lld", (long long)n);
	return ctr__strv_add(words, text);
}

/* It may have to restart the container: it is told everything that the exit command is told. */
static bool fill(const struct ctr_container *c, const struct intervals *in, char ***words)
{
	return ctr__helper_command(c->rt, "health", words) && ctr__strv_add(words, c->id) &&
	       add_number(words, c->state.started_ns) && add_number(words, in->check_ms) &&
	       add_number(words, in->startup_ms);
}

/* ---- starting it ---- */

/* The program detaches itself: what is started here ends at once. */
static int spawn(char *const *words, int theirs, ctr_error_t **err)
{
	const struct ctr__spawn s = {
	    .path = words[0],
	    .argv = (const char *const *)words,
	    .cwd_fd = -1,
	    .fds = {theirs, theirs, -1},
	    .nfds = 3,
	    .new_group = true,
	};
	struct ctr__child child;
	int status, r = ctr__spawn(&s, &child, err);
	bool known;

	if (r < 0)
		return r;
	r = ctr__child_wait(&child, ANSWER_MS, &status, &known, err);
	if (r < 0)
		ctr__child_kill(&child);
	return r;
}

/* One line with its PID. */
static int receive_pid(int ours, int32_t *pid, ctr_error_t **err)
{
	struct pollfd p = {ours, POLLIN, 0};
	int64_t number, end = ctr__monotonic_ns() + ANSWER_MS * NS_PER_MS;
	char text[32];
	ssize_t n;
	int polled;

	do {
		int64_t left = (end - ctr__monotonic_ns()) / NS_PER_MS;

		polled = poll(&p, 1, left > 0 ? (int)left : 0);
	} while (polled < 0 && errno == EINTR);
	n = polled > 0 ? recv(ours, text, sizeof(text) - 1, MSG_DONTWAIT) : -1;
	if (n > 0) {
		text[n] = '\0';
		text[strcspn(text, "\n")] = '\0';
		if (ctr__parse_i64(text, 1, INT32_MAX, &number)) {
			*pid = (int32_t)number;
			return 0;
		}
	}
	return ctr__fail(err, CTR_E_NO_HELPER, "the helper program does not answer");
}

static int start_process(struct ctr_container *c, const struct intervals *in, ctr_error_t **err)
{
	CTR__STRV char **words = NULL;
	CTR__CLOSE int ours = -1;
	CTR__CLOSE int theirs = -1;
	int pair[2], r;

	if (!fill(c, in, &words))
		return ctr__fail_nomem(err);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return ctr__fail_errno(err, errno, NULL, "cannot make a socket pair");
	ours = pair[0];
	theirs = pair[1];
	r = spawn(words, theirs, err);
	close(ctr__steal_fd(&theirs));
	if (r >= 0)
		r = receive_pid(ours, &c->state.health_pid, err);
	if (r >= 0) {
		c->state.health_start = ctr__proc_start_time(c->state.health_pid);
		r = ctr__save(c, 0, err);
	}
	if (r < 0)
		return r;
	/* If it is gone already the next look finds that out. */
	(void)send(ours, "g", 1, MSG_NOSIGNAL);
	return 0;
}

static bool is_attended(const struct ctr_container *c)
{
	return c->state.health_pid > 0 &&
	       ctr__proc_alive(c->state.health_pid, c->state.health_start);
}

void ctr__health_attend(struct ctr_container *c)
{
	CTR__ERROR ctr_error_t *why = NULL;
	struct intervals in;
	int r;

	/* A plug-in's container may have no process to watch, and the helper does not have the plug-in. */
	if (!c->cfg->has_health_check || c->state.state != CTR_STATE_RUNNING || c->state.pid <= 0 ||
	    is_attended(c))
		return;
	r = read_intervals(c->cfg, &in, &why);
	if (r >= 0 && !in.check_ms && !in.startup_ms)
		return;
	if (r >= 0 && access(c->rt->helper, X_OK) < 0)
		r = ctr__fail_errno(
		    &why, errno, c->rt->helper, "the helper program %s is missing", c->rt->helper);
	if (r >= 0)
		r = start_process(c, &in, &why);
	if (r >= 0)
		return;
	c->state.health_pid = 0;
	c->state.health_start = 0;
	ctr__log(c->rt, CTR_LOG_WARNING, c->id, "health checks run only when asked for: %s",
	    ctr_error_message(why));
}

/* ---- ending it ---- */

void ctr__health_dismiss(struct ctr_container *c)
{
	CTR__CLOSE int pidfd = -1;
	struct ctr__state *s = &c->state;

	/* The process itself comes here too, when it restarts an unhealthy container; it ends after that. */
	if (s->health_pid > 0 && s->health_pid != getpid())
		pidfd = ctr__pidfd_open(s->health_pid, s->health_start);
	/* It cannot hold the lock, and everything that it does may be interrupted; a check with it. */
	if (pidfd >= 0) {
		(void)ctr__proc_kill_tree(pidfd, s->health_pid);
		(void)ctr__pidfd_wait(pidfd, END_MS);
	}
	s->health_pid = 0;
	s->health_start = 0;
}
