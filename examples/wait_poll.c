/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wait_poll ROOTFS: several containers and all events in one poll loop.
 *
 * libctr has no thread of its own. It gives descriptors, and the program's own loop does the waiting.
 */
#include "example.h"

enum { N = 3 };

/* Reads all events that are there. Never blocks. */
static void read_events(ctr_runtime_t *rt)
{
	ctr_event_t *ev = NULL;
	ctr_error_t *err = NULL;
	int r;

	while ((r = ctr_runtime_next_event(rt, &ev, &err)) > 0) {
		printf(
		    "%s: %s\n", ctr_event_container_name(ev), ctr_event_name(ctr_event_type(ev)));
		ev = ctr_event_unref(ev);
	}
	if (r < 0)
		die("next event", err);
}

/* Makes pfd tell of the end of c. Returns 1, with the code, if it has ended already. */
static int watch(ctr_container_t *c, struct pollfd *pfd, int32_t *code)
{
	ctr_error_t *err = NULL;
	int r;

	if (pfd->fd >= 0)
		close(pfd->fd); /* a descriptor serves once */
	pfd->fd = ctr_container_wait_fd(c, &err);
	if (pfd->fd < 0)
		die("wait fd", err);
	r = ctr_container_wait(c, 0, code, &err);
	if (r < 0 && r != CTR_E_TIMEOUT)
		die("wait", err);
	ctr_error_free(err);
	return r >= 0;
}

int main(int argc, char **argv)
{
	ctr_runtime_t *rt;
	ctr_container_t *c[N];
	ctr_error_t *err = NULL;
	struct pollfd fds[N + 1];
	int alive = N;

	if (argc != 2) {
		fprintf(stderr, "usage: %s ROOTFS\n", argv[0]);
		return 2;
	}
	rt = open_store();
	fds[N] = (struct pollfd){ctr_runtime_events_fd(rt, &err), POLLIN, 0};
	if (fds[N].fd < 0)
		die("events", err);

	for (int i = 0; i < N; i++) {
		char name[32], script[64];
		snprintf(name, sizeof name, "poll-%d", i);
		snprintf(script, sizeof script, "sleep 0.%d; exit %d", 3 - i, 40 + i);
		c[i] = create_shell(rt, NULL, argv[1], name, script);
		fds[i] = (struct pollfd){-1, POLLIN, POLLIN}; /* look at it once */
		if (ctr_container_start(c[i], 0, &err) < 0)
			die("start", err);
	}
	while (alive > 0) {
		for (int i = 0; i < N; i++) {
			int32_t code;
			if (!c[i] || !fds[i].revents || !watch(c[i], &fds[i], &code))
				continue;
			printf("poll-%d ended with code %d\n", i, code);
			if (ctr_container_remove(c[i], 0, &err) < 0)
				die("remove", err);
			close(fds[i].fd);
			fds[i].fd = -1; /* poll() passes over it */
			c[i] = ctr_container_unref(c[i]);
			alive--;
		}
		read_events(rt);
		if (alive > 0)
			poll(fds, N + 1, -1);
	}
	ctr_runtime_unref(rt); /* the descriptor of the events was its */
	return 0;
}
