/* SPDX-License-Identifier: Apache-2.0 */
/* The mounts of a spec: adding, finding by destination, ordering. */
#ifndef LIBCTR_SPEC_MOUNTS_H
#define LIBCTR_SPEC_MOUNTS_H

#include "spec/edit.h"

/* Appends a mount; `options` is NULL-terminated. Returns it, or NULL if memory is short. */
struct ctr__json *ctr__mounts_add(struct ctr__edit *e, struct ctr__json *mounts, const char *dest,
    const char *type, const char *source, const char *const *options);

/* Do two destinations mean the same directory? Compared as text, without looking at any file system:
 * "/dev//shm/" is "/dev/shm", and so is "/proc/../dev/shm". */
bool ctr__mounts_same_dest(const char *a, const char *b);

/* The first mount with that destination; NULL if none. */
struct ctr__json *ctr__mounts_find(const struct ctr__json *mounts, const char *dest);

/* Removes every mount with that destination, type and source. */
void ctr__mounts_drop(
    struct ctr__json *mounts, const char *dest, const char *type, const char *source);

/* Parents before what is mounted below them; otherwise the order stays. */
void ctr__mounts_sort(struct ctr__edit *e, struct ctr__json *mounts);

#endif
