/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Joining namespaces of other containers.
 *
 * A path /proc/PID/ns/KIND is only as good as the PID: the other container may end, and its PID be given to another
 * process, between our look at it and the OCI runtime's. A runtime that set up a container in the mount namespace of
 * whatever process comes by would do harm. So the namespaces are opened here, with the other container's lock
 * held, and only then its process is checked to be still the one on record, by its start time. A process has its PID
 * from its beginning to its end, so what was opened before was its own. An open namespace lives on even if everything
 * in it ends, and the runtime is told the paths of our descriptors, /proc/OURS/fd/N. They stay open until it has
 * created the container, which then is in these namespaces and in no others.
 *
 * What goes by path nevertheless is the other's /dev/shm. Therefore it is checked after the creation that the other
 * container is still in the same run, which takes its shm away only at its end.
 *
 * A PID namespace is the exception to all that: with its first process everything in it ends, and nothing new can be
 * made there from the moment on when that process begins to die. What the OCI runtime says then ("cannot fork: Cannot
 * allocate memory") is about the other container, not about this one, and so is the error that the caller gets.
 */
#ifndef LIBCTR_CORE_JOIN_H
#define LIBCTR_CORE_JOIN_H

#include "core/container.h"
#include "spec/spec.h"
#include "sys/ns.h"

#define CTR__JOIN_KINDS 8 /* index CTR_NS_* */

/* All zero: nothing is joined. */
struct ctr__join {
	struct {
		int fd; /* valid if there is a path */
		char path[40];
		/* The run of the other container that it belongs to; PID 0 = nothing of this kind is joined. */
		int32_t pid;
		uint64_t pid_start;
	} ns[CTR__JOIN_KINDS];
	struct ctr__id_range *uid_map, *gid_map; /* of the user namespace */
	size_t uid_map_n, gid_map_n;
	bool host_user; /* the other container has no user namespace of its own */
	char *hostname; /* of the UTS namespace */
	char *shm;      /* the /dev/shm that belongs to the IPC namespace; NULL = it has none */
};
void ctr__join_free(struct ctr__join *j);

/* Opens what the configuration of `c` joins. Its lock is held, and that of each other container is taken meanwhile.
 * CTR_E_CTR_STATE (details "container", "dependency", "state") if one is neither running nor paused or ends just
 * now, CTR_E_UNSUPPORTED if it has no process of its own. */
int ctr__join_open(struct ctr_container *c, struct ctr__join *j, ctr_error_t **err);
/* What the spec is told of it; borrowed. */
void ctr__join_facts(const struct ctr__join *j, struct ctr__spec_facts *facts);
/* After the creation: was what went by path there until now, and does the PID namespace live? CTR_E_CTR_STATE. */
int ctr__join_check(struct ctr_container *c, const struct ctr__join *j, ctr_error_t **err);
/* After a creation that failed with `code`: if one of the others has ended meanwhile that is the reason. Then
 * CTR_E_CTR_STATE as above takes the place of the error, else `code` is returned and the error left alone. */
int ctr__join_blame(
    struct ctr_container *c, const struct ctr__join *j, int code, ctr_error_t **err);
/* The same after a failed start: the creation may be long ago, and what counts is the PID namespace. */
int ctr__join_blame_start(struct ctr_container *c, int code, ctr_error_t **err);

#endif
