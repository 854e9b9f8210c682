/* SPDX-License-Identifier: Apache-2.0 */
/*
 * custom_runtime: an OCI runtime of the program's own. A "container" is a timer that ends after 100 ms with
 * code 7, known to this process only. A real one finds all it needs from its arguments: any process may call it.
 */
#include "example.h"
#include <sys/timerfd.h>
#pragma GCC diagnostic ignored "-Wunused-parameter"

typedef struct ctr_oci_container ctr;

struct timer_box {
	int fd;               /* readable when the time is up; -1: no container */
	int32_t status, code; /* CTR_OCI_*; what it ends with                   */
};

static int box_create(void *impl, const ctr *c, struct ctr_oci_status *out, ctr_error_t **err)
{
	struct timer_box *box = impl;

	box->fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (box->fd < 0)
		return ctr_error_set(err, CTR_E_OCI_RUNTIME, 0, "cannot make a timer");
	box->status = CTR_OCI_CREATED;
	return 0;
}

static int end_after(struct timer_box *box, long ns, int32_t code)
{
	box->status = CTR_OCI_RUNNING;
	box->code = code;
	return timerfd_settime(box->fd, 0, &(struct itimerspec){.it_value = {0, ns}}, NULL);
}

static int box_start(void *impl, const ctr *c, ctr_error_t **err)
{
	return end_after(impl, 100000000, 7);
}

static int box_kill(void *impl, const ctr *c, int32_t sig, uint64_t flags, ctr_error_t **err)
{
	return end_after(impl, 1, 128 + sig);
}

/* The truth, asked for at any time by anybody. */
static int box_state(void *impl, const ctr *c, struct ctr_oci_status *out, ctr_error_t **err)
{
	struct timer_box *box = impl;

	if (box->status == CTR_OCI_RUNNING && poll(&(struct pollfd){box->fd, POLLIN, 0}, 1, 0) > 0)
		box->status = CTR_OCI_STOPPED;
	out->status = box->status;
	out->exit_code = box->code;
	return box->status == CTR_OCI_STOPPED; /* which is just what exit_status is to return */
}

static int box_remove(void *impl, const ctr *c, uint64_t flags, ctr_error_t **err)
{
	struct timer_box *box = impl;
	if (box->fd >= 0)
		close(box->fd);
	*box = (struct timer_box){.fd = -1};
	return 0; /* also if there was none: removing must be repeatable */
}

/* The library closes what it gets, so it gets a copy. */
static int box_wait_fd(void *impl, const ctr *c, ctr_error_t **err)
{
	return fcntl(((struct timer_box *)impl)->fd, F_DUPFD_CLOEXEC, 3);
}

int main(void)
{
	/* What is not named is NULL: not supported, here pause, resume and more. */
	const struct ctr_oci_ops ops = {.size = sizeof ops,
	    .name = "timer",
	    .create = box_create,
	    .start = box_start,
	    .state = box_state,
	    .kill = box_kill,
	    .remove = box_remove,
	    .exit_status = box_state,
	    .wait_fd = box_wait_fd};
	struct timer_box box = {.fd = -1};
	ctr_runtime_t *rt = open_store();
	ctr_error_t *err = NULL;
	int32_t code = -1;

	if (ctr_runtime_add_oci(rt, &ops, &box, NULL, &err) < 0)
		die("add runtime", err);
	ctr_container_t *c = create_shell(rt, "timer", "/usr", "timer-example", "unread");
	if (ctr_container_start(c, 0, &err) < 0 || ctr_container_wait(c, -1, &code, &err) < 0 ||
	    ctr_container_remove(c, 0, &err) < 0)
		die("timer", err);
	printf("the timer ended with code %d\n", code);
	ctr_container_unref(c);
	ctr_runtime_unref(rt);
	return 0;
}
