/* SPDX-License-Identifier: Apache-2.0 */
/* The other process: this program in a second role. It does its work once per byte on its standard input, and
 * answers with one. */
#include "bench.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "raw.h"
#include "sections.h"

void helper_start(struct helper *h, const char *role, const char *a, const char *b, const char *c)
{
	const char *argv[] = {"/proc/self/exe", "--helper", role, a, b, c, NULL};
	int in[2], out[2];

	if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0)
		die("no pipe");
	h->pid = start_program(argv, in[0], out[1]);
	close(in[0]);
	close(out[1]);
	h->in = in[1];
	h->out = out[0];
}

void helper_ask(struct helper *h, char command)
{
	char answer;

	if (write(h->in, &command, 1) != 1 || read(h->out, &answer, 1) != 1)
		die("a helper has ended early");
}

void helper_end(struct helper *h)
{
	close(h->in);
	close(h->out);
	wait_program(h->pid);
}

/* ---- roles ---- */

static bool next_command(void)
{
	char c;

	return read(0, &c, 1) == 1;
}

static void answer(void)
{
	if (write(1, "", 1) != 1)
		_exit(1);
}

/* Changes every container: mounts and unmounts in turn. */
static void mounter(const char *root, const char *run_root, const char *oci)
{
	ctr_runtime_t *rt = open_runtime(root, run_root, oci);
	ctr_list_t *list = NULL;
	ctr_container_t **c;
	size_t n;

	OK(ctr_runtime_list(rt, NULL, 0, &list, &err));
	n = ctr_list_count(list);
	c = calloc(n, sizeof(*c));
	for (size_t i = 0; c && i < n; i++)
		OK(ctr_container_get(rt, ctr_list_id(list, i), &c[i], &err));
	for (bool mount = true; c && next_command(); mount = !mount) {
		for (size_t i = 0; i < n; i++) {
			if (mount)
				OK(ctr_container_mount(c[i], NULL, &err));
			else
				OK(ctr_container_unmount(c[i], 0, &err));
		}
		answer();
	}
}

/* Rewrites every record of an environment, each under its lock. */
static void writer(const char *dir, const char *locks, const char *len)
{
	size_t value_len = (size_t)atoi(len);
	struct raw_slot *slots = raw_locks(locks, CHANGED, false);
	struct raw r;
	MDB_dbi db;
	char *data = calloc(1, value_len + 1);

	raw_open(&r, dir, MDB_NOSYNC);
	db = raw_db(&r, "state");
	while (next_command()) {
		data[0]++;
		for (unsigned int i = 0; i < CHANGED; i++) {
			char key[RAW_KEY + 1];

			raw_key(key, i);
			pthread_mutex_lock(&slots[i].mutex);
			raw_commit(&r, &db, &value_len, 1, data, key);
			pthread_mutex_unlock(&slots[i].mutex);
		}
		answer();
	}
	raw_close(&r);
	free(data);
}

static int hold_callback(ctr_container_t *view, void *userdata)
{
	(void)view, (void)userdata;
	answer();
	pause();
	return 0;
}

/* Locks a container and never lets go. */
static void holder(const char *root, const char *run_root, const char *id)
{
	ctr_runtime_t *rt = open_runtime(root, run_root, NULL);
	ctr_container_t *c = NULL;

	OK(ctr_container_get(rt, id, &c, &err));
	if (next_command())
		OK(ctr_container_batch(c, hold_callback, NULL, &err));
}

static void raw_holder(const char *path)
{
	struct raw_slot *s = raw_locks(path, 1, false);

	if (next_command()) {
		raw_lock_wait(s);
		answer();
		pause();
	}
}

/* Fills a store. */
static void populate(const char *root, const char *run_root, const char *rootfs)
{
	struct world w = {.rootfs = (char *)(uintptr_t)rootfs};

	w.rt = open_runtime(root, run_root, NULL);
	if (next_command())
		create_many(w.rt, &w, MANY);
	answer();
}

int helper_main(int argc, char **argv)
{
	const char *role = argv[0];

	if (argc < 2)
		return 2;
	if (strcmp(role, "mounter") == 0)
		mounter(argv[1], argv[2], argc > 3 ? argv[3] : NULL);
	else if (strcmp(role, "writer") == 0)
		writer(argv[1], argv[2], argv[3]);
	else if (strcmp(role, "holder") == 0)
		holder(argv[1], argv[2], argv[3]);
	else if (strcmp(role, "raw-holder") == 0)
		raw_holder(argv[1]);
	else if (strcmp(role, "populate") == 0)
		populate(argv[1], argv[2], argv[3]);
	return 0;
}
