/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OCI runtimes: the registry of a runtime object, and the built-in driver that runs crun, runc or any other
 * OCI command line under conmon.
 *
 * registry.c  copies of ops tables                        driver.h   the driver from inside, and its files
 */
#ifndef LIBCTR_OCI_OCI_H
#define LIBCTR_OCI_OCI_H

#include <stdbool.h>

#include <libctr/sys/oci_ops.h>

#include "util/err.h"

struct ctr__oci {
	struct ctr_oci_ops ops; /* a copy, shorter ones zero-filled */
	char *name;
	void *impl;
	void (*destroy)(void *impl);
	struct ctr__oci *next;
};

/* Copies and checks a table. CTR_E_INVALID, CTR_E_UNSUPPORTED, CTR_E_NOMEM. */
int ctr__oci_new(const struct ctr_oci_ops *ops, void *impl, void (*destroy)(void *impl),
    struct ctr__oci **out, ctr_error_t **err);
void ctr__oci_free(struct ctr__oci *o);

/* The built-in driver for one command line. All paths absolute. */
struct ctr__conmon_opts {
	const char *runtime_path; /* may not exist (yet): then CTR_E_OCI_UNAVAILABLE at use */
	const char *conmon_path;  /* NULL or absent: CTR_E_CONMON_UNAVAILABLE at use        */
	const char
	    *run_root; /* exits/, persist/ID/, oci/NAME/ (the runtime's own state) live below */
};
int ctr__conmon_new(const struct ctr__conmon_opts *o, struct ctr__oci **out, ctr_error_t **err);

/* IDs that have an exit file nobody has taken over yet: names in <run_root>/exits. fn returns nonzero to
 * stop. exits_fd: descriptor of that directory. */
int ctr__conmon_pending_exits(
    int exits_fd, int (*fn)(const char *id, void *userdata), void *userdata);
#define CTR__EXITS_DIR   "exits"
#define CTR__PERSIST_DIR "persist"
#define CTR__OCI_DIR     "oci"

/* Finds a program in the usual directories (/usr/local/bin, /usr/bin, /usr/local/sbin, /usr/sbin, /bin,
 * /sbin). malloc'ed, NULL if absent. */
char *ctr__find_program(const char *name);

#endif
