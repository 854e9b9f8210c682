/* SPDX-License-Identifier: Apache-2.0 */
/*
 * demo: a real container, its output as it comes, its life event by event.
 *
 * Makes a root file system and a store in a temporary directory and removes both in the end.
 */
#include "example.h"

#include <poll.h>

static const char script[] = "echo I am process $$ on host $(busybox hostname); "
                             "for i in 1 2 3; do echo line $i; busybox sleep 1; done; "
                             "echo that was all >&2; exit 42";

static void read_events(ctr_runtime_t *rt)
{
	ctr_event_t *ev = NULL;
	int32_t code;
	while (ctr_runtime_next_event(rt, &ev, NULL) > 0) {
		printf("  [event] %s", ctr_event_name(ctr_event_type(ev)));
		if (ctr_event_exit_code(ev, &code))
			printf(", exit code %d", code);
		printf("\n");
		ev = ctr_event_unref(ev);
	}
}

/* Prints the lines that have come since the last time. 1 = there may be more. */
static int read_log(ctr_logs_t *log)
{
	int r;
	while ((r = ctr_logs_next(log, NULL)) == CTR_LOGS_LINE) {
		int is_error = ctr_logs_stream(log) == CTR_LOGS_STREAM_STDERR;
		printf("  [%s] %s\n", is_error ? "stderr" : "stdout", ctr_logs_text(log, NULL));
	}
	return r == CTR_LOGS_AGAIN;
}

/* Shows what happens until the container has ended and everything it printed was read. */
static void show(ctr_runtime_t *rt, ctr_container_t *c)
{
	struct ctr_logs_opts follow = {.size = sizeof follow, .flags = CTR_LOGS_FOLLOW};
	ctr_error_t *err = NULL;
	ctr_logs_t *log;

	if (ctr_container_logs(c, &follow, &log, &err) < 0)
		die("logs", err);
	struct pollfd fds[] = {
	    {ctr_logs_fd(log, NULL), POLLIN, 0}, {ctr_runtime_events_fd(rt, NULL), POLLIN, 0}};
	while (read_log(log)) {
		read_events(rt);
		poll(fds, 2, -1);
	}
	read_events(rt);
	ctr_logs_free(log);
}

int main(void)
{
	char dir[] = "/tmp/libctr-demo.XXXXXX", rootfs[64];
	ctr_error_t *err = NULL;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!mkdtemp(dir))
		return 1;
	snprintf(rootfs, sizeof rootfs, "%s/rootfs", dir);
	make_rootfs(rootfs);
	use_store_in(dir);

	ctr_runtime_t *rt = open_store();
	ctr_runtime_events_fd(rt, NULL); /* events from now on */
	ctr_container_t *c = create_shell(rt, NULL, rootfs, "demo", script);
	printf("container demo (%.12s) in %s\n", ctr_container_id(c), dir);
	if (ctr_container_start(c, 0, &err) < 0)
		die("start", err);
	show(rt, c);
	if (ctr_container_remove(c, 0, &err) < 0)
		die("remove", err);
	read_events(rt);
	printf("container demo is gone\n");

	ctr_container_unref(c);
	ctr_runtime_unref(rt);
	remove_tree(dir);
	return 0;
}
