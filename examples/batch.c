/* SPDX-License-Identifier: Apache-2.0 */
/*
 * batch ROOTFS: several operations on a container as one.
 *
 * Inside a batch the container is locked: nobody else, in this or another process, changes it between
 * two of our calls. And since nothing can change, nothing has to be looked up again: calls are cheap.
 */
#include "example.h"

struct findings {
	int32_t before, frozen, after, pid;
	int64_t started_ns;
};

/* Runs once, on this thread. Only the view may be used here, not the handle outside. */
static int look(ctr_container_t *view, void *userdata)
{
	struct findings *f = userdata;
	int r = ctr_container_state(view, &f->before, NULL);

	if (r >= 0)
		r = ctr_container_pid(view, &f->pid, NULL);
	if (r >= 0)
		r = ctr_container_started_ns(view, &f->started_ns, NULL);
	if (r >= 0)
		r = ctr_container_pause(view, NULL);
	if (r >= 0)
		r = ctr_container_state(view, &f->frozen, NULL);
	if (r >= 0)
		r = ctr_container_unpause(view, NULL);
	if (r >= 0)
		r = ctr_container_state(view, &f->after, NULL);

	/* Some things make no sense with the lock held, and say so instead of hanging. */
	if (r >= 0 && ctr_container_remove(view, 0, NULL) != CTR_E_BUSY)
		r = CTR_E_INTERNAL;
	return r; /* comes out of ctr_container_batch() as it is */
}

int main(int argc, char **argv)
{
	ctr_runtime_t *rt;
	ctr_container_t *c;
	ctr_error_t *err = NULL;
	struct findings f = {0};
	int r;

	if (argc != 2) {
		fprintf(stderr, "usage: %s ROOTFS\n", argv[0]);
		return 2;
	}
	rt = open_store();
	c = create_shell(rt, NULL, argv[1], "batch-example", "sleep 1000");
	if (ctr_container_start(c, 0, &err) < 0) {
		ctr_container_remove(c, CTR_REMOVE_FORCE, NULL);
		die("start", err);
	}

	/* A failure of the batch itself sets `err`; one that the callback returns does not. */
	r = ctr_container_batch(c, look, &f, &err);
	if (r < 0)
		fprintf(stderr, "batch: %s\n", err ? ctr_error_message(err) : ctr_strerror(r));
	else
		printf("process %d was %s, then %s, then %s\n", f.pid, ctr_state_name(f.before),
		    ctr_state_name(f.frozen), ctr_state_name(f.after));

	ctr_error_freep(&err);
	if (ctr_container_remove(c, CTR_REMOVE_FORCE, &err) < 0)
		die("remove", err);
	ctr_container_unref(c);
	ctr_runtime_unref(rt);
	return r < 0;
}
