/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inspect document of a container, in podman's shape.
 *
 * inspect.c         collecting (with the lock), building (without), the top level
 * inspect_state.c   "State" and the health log
 * inspect_config.c  "Config"
 * inspect_host.c    "HostConfig"; inspect_limits.c its resource limits and devices
 * inspect_mounts.c  "Mounts" and what "HostConfig" says of them
 * inspect_net.c     "NetworkSettings" and ports
 */
#ifndef LIBCTR_CORE_INSPECT_H
#define LIBCTR_CORE_INSPECT_H

#include "core/container.h"
#include "util/json_emit.h"

/* Everything that the document is made of: copies, so that nobody's lock is needed. */
struct ctr__inspect {
	const ctr_config_t *cfg;
	const struct ctr__state *s;
	const struct ctr__json *spec;  /* the one that runs, else the configured one             */
	const struct ctr__json *extra; /* configuration members without a field; NULL if none    */
	const struct ctr__json **mounts; /* the user's, in the order of the user volumes          */
	size_t mounts_n;
	const char *static_dir, *run_dir;
	const char *cgroup; /* below the hierarchies; NULL if it is in none now                  */
	bool systemd_cgroup;
	bool privileged;
	uint32_t lock_number;
	const char *const *exec_ids; /* of its exec sessions; NULL: none */
	const char *health_log;      /* its text; NULL if there is none */
	size_t health_log_len;
	bool sized;
	int64_t size_rootfs, size_rw;
};

/* Appends the document of one container. */
int ctr__inspect(struct ctr_container *c, bool size, struct ctr__buf *out, ctr_error_t **err);
/* Appends an array of those that match the filters of ctr_runtime_list(), in order of their IDs. */
int ctr__inspect_many(struct ctr_runtime *rt, const char *const *filters, bool size,
    struct ctr__buf *out, ctr_error_t **err);

/* From copies to text: what ctr__inspect() is made of. */
int ctr__inspect_parse_extra(
    const ctr_config_t *cfg, struct ctr__json_doc **out, ctr_error_t **err);
void ctr__inspect_write(const struct ctr__inspect *in, struct ctr__buf *out);

/* ---- the parts; they append to `out` and mark it failed if memory is short ---- */

void ctr__inspect_state(const struct ctr__inspect *in, struct ctr__buf *out);
void ctr__inspect_config(const struct ctr__inspect *in, struct ctr__buf *out);
void ctr__inspect_host(const struct ctr__inspect *in, struct ctr__buf *out);
void ctr__inspect_limits(const struct ctr__inspect *in, struct ctr__buf *out);
void ctr__inspect_mounts(const struct ctr__inspect *in, struct ctr__buf *out);
void ctr__inspect_binds(const struct ctr__inspect *in, struct ctr__buf *out);
void ctr__inspect_tmpfs(const struct ctr__inspect *in, struct ctr__buf *out);
void ctr__inspect_network(const struct ctr__inspect *in, struct ctr__buf *out);
void ctr__inspect_port_bindings(const struct ctr__inspect *in, struct ctr__buf *out);
void ctr__inspect_exposed_ports(const struct ctr__inspect *in, struct ctr__buf *out);

/* Finds the user's mounts in the spec. False if memory is short. Free with free(in->mounts). */
bool ctr__inspect_find_mounts(struct ctr__inspect *in);

/* ---- shared by the parts ---- */

/* A configuration member without a field, e.g. "logTag"; NULL if absent. */
const struct ctr__json *ctr__inspect_extra(const struct ctr__inspect *in, const char *key);
/* The spec's annotation; NULL if absent. */
const char *ctr__inspect_annotation(const struct ctr__inspect *in, const char *key);
/* The namespace of the spec; NULL if it has none of this type. */
const struct ctr__json *ctr__inspect_namespace(const struct ctr__inspect *in, const char *type);

/* A list of strings, [] if empty; elements that are no strings are left out. */
void ctr__emit_list(struct ctr__buf *out, const char *key, const struct ctr__cfg_list *list);
void ctr__emit_strings(struct ctr__buf *out, const char *key, const struct ctr__json *array);
/* null if empty. */
void ctr__emit_map(struct ctr__buf *out, const char *key, const struct ctr__json *object);

#endif
