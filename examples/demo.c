/* SPDX-License-Identifier: Apache-2.0 */
/*
 * demo: a real container, its output as it comes, its life event by event.
 *
 * Makes a root file system and a store in a temporary directory and removes both in the end.
 */
#include "example.h"

#include <poll.h>
#include <sys/inotify.h>

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

/* Prints the lines that have come since the last time, as they stand in the log: with time and stream. */
static void read_log(FILE **log, const char *path)
{
	char line[8300];
	if (!*log)
		*log = fopen(path, "re");
	while (*log && fgets(line, sizeof line, *log))
		printf("  [log]   %s", line);
	if (*log)
		clearerr(*log); /* more may come */
}

/* Shows what happens until the container has ended. */
static void show(ctr_runtime_t *rt, ctr_container_t *c, const char *log_path, int log_changes)
{
	FILE *log = NULL;
	int r;

	do {
		int end = ctr_container_wait_fd(c, NULL);
		struct pollfd fds[] = {{end, POLLIN, 0}, {log_changes, POLLIN, 0},
		    {ctr_runtime_events_fd(rt, NULL), POLLIN, 0}};
		char junk[4096];

		r = ctr_container_wait(c, 0, NULL, NULL);
		read_events(rt);
		read_log(&log, log_path);
		if (r == CTR_E_TIMEOUT && poll(fds, 3, -1) > 0 && fds[1].revents)
			(void)!read(log_changes, junk, sizeof junk);
		close(end);
	} while (r == CTR_E_TIMEOUT);
	if (log)
		fclose(log);
}

int main(void)
{
	char dir[] = "/tmp/libctr-demo.XXXXXX", rootfs[64];
	ctr_error_t *err = NULL;
	int log_changes = inotify_init1(IN_CLOEXEC);

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!mkdtemp(dir))
		return 1;
	snprintf(rootfs, sizeof rootfs, "%s/rootfs", dir);
	make_rootfs(rootfs);
	use_store_in(dir);

	ctr_runtime_t *rt = open_store();
	ctr_runtime_events_fd(rt, NULL); /* events from now on */
	ctr_container_t *c = create_shell(rt, NULL, rootfs, "demo", script);
	ctr_config_t *cfg = ctr_container_config(c);
	printf("container %s (%.12s) in %s\n", ctr_config_name(cfg), ctr_container_id(c), dir);

	if (ctr_container_init(c, 0, &err) < 0) /* ready to start: its log's directory exists now */
		die("init", err);
	inotify_add_watch(log_changes, ctr_config_static_dir(cfg), IN_MODIFY | IN_CREATE);
	if (ctr_container_start(c, 0, &err) < 0)
		die("start", err);
	show(rt, c, ctr_config_log_path(cfg), log_changes);
	if (ctr_container_remove(c, 0, &err) < 0)
		die("remove", err);
	read_events(rt);
	printf("container demo is gone\n");

	ctr_config_unref(cfg);
	ctr_container_unref(c);
	ctr_runtime_unref(rt);
	remove_tree(dir);
	return 0;
}
