/* SPDX-License-Identifier: Apache-2.0 */
/* Storage drivers: the registry of a runtime object, and the built-in "rootfs" driver (a directory as it is). */
#ifndef LIBCTR_STORAGE_STORAGE_H
#define LIBCTR_STORAGE_STORAGE_H

#include <libctr/sys/storage_ops.h>

#include "util/err.h"

struct ctr__storage {
	struct ctr_storage_ops ops;
	char *name;
	void *impl;
	void (*destroy)(void *impl);
	struct ctr__storage *next;
};

int ctr__storage_new(const struct ctr_storage_ops *ops, void *impl, void (*destroy)(void *impl),
    struct ctr__storage **out, ctr_error_t **err);
void ctr__storage_free(struct ctr__storage *s);

/* The built-in driver: validates that the directory exists and is not "/"; mount returns its real path. */
int ctr__storage_rootfs_new(struct ctr__storage **out, ctr_error_t **err);

#endif
