/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libctr/sys/storage_ops.h - for authors of a storage driver.
 *
 * A storage driver provides the directory that becomes a container's root. The promises of
 * oci_ops.h hold here too: plain borrowed data, container's lock held, no store transaction open, no
 * libctr calls but ctr_error_set(), ctr_error_add() and ctr_free(), any process may come next.
 *
 * How often something is mounted is counted by the library, not by the driver: `mount` is called for
 * the first use, `unmount` for the last one. Both, and `remove`, are also called to clean up after a
 * killed host, so they must be idempotent: what is already done is success.
 */
#ifndef LIBCTR_SYS_STORAGE_OPS_H
#define LIBCTR_SYS_STORAGE_OPS_H

#include <libctr/error.h>
#include <libctr/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a driver is told. Strings may be NULL where they do not apply. */
struct ctr_storage_container {
	size_t size;    /* sizeof of this struct in the library                        */
	const char *id; /* full ID of the container                                    */
	const char *name;
	const char *rootfs; /* configured directory, absolute                              */
	const char *image_id;
	const char *image_name;
	const char *static_dir;  /* the container's persistent directory; may not exist yet     */
	const char *run_dir;     /* the container's directory of this boot; may not exist yet   */
	const char *mount_label; /* SELinux label for files                                     */
};

/* The operations. `size` = sizeof(struct ctr_storage_ops). R = required, NULL = not supported. */
struct ctr_storage_ops {
	size_t size;
	uint64_t caps;    /* none defined yet: 0 */
	const char *name; /* what a configuration's field "storageDriver" names */

	/* Checks, before anything is stored, that such a container can be made. NULL: always. */
	int (*validate)(void *impl, const struct ctr_storage_container *c, ctr_error_t **err);

	/* R. Makes the root directory available and writes its absolute path, with a final NUL, to
	 * `path` (`path_size` bytes, at least 4096). */
	int (*mount)(void *impl, const struct ctr_storage_container *c, char *path,
	    size_t path_size, ctr_error_t **err);

	/* R. Takes it away again. */
	int (*unmount)(void *impl, const struct ctr_storage_container *c, ctr_error_t **err);

	/* Deletes what the driver keeps for the container. NULL: nothing to delete. */
	int (*remove)(void *impl, const struct ctr_storage_container *c, ctr_error_t **err);

	/* Sizes in bytes: of the whole root and of what the container changed. Not mounted is fine.
	 * Inspecting calls it without the container's lock: the container may change meanwhile. */
	int (*usage)(void *impl, const struct ctr_storage_container *c, int64_t *rootfs_bytes,
	    int64_t *rw_bytes, ctr_error_t **err);

	/* new operations go below this line */
};

#ifdef __cplusplus
}
#endif
#endif
