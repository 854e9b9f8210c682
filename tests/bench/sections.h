/* SPDX-License-Identifier: Apache-2.0 */
/* The sections, and the world each of them works in. */
#ifndef BENCH_SECTIONS_H
#define BENCH_SECTIONS_H

#include "bench.h"

/* A directory on disk and one on a tmpfs, a root file system, a store in them. */
struct world {
	char *disk;
	char *tmpfs;
	char *rootfs;
	char *root;     /* <disk>/root    */
	char *run_root; /* <tmpfs>/run    */
	char *oci;      /* path of the OCI runtime, NULL if there is none */
	const char *oci_name;
	char *conmon; /* NULL if there is none */
	ctr_runtime_t *rt;
};

/* `oci`: "runc", "crun", or NULL for whichever works here. */
void world_init(struct world *w, const char *disk, const char *tmpfs, const char *oci);
void world_end(struct world *w);
/* Opens the store; again and again if wanted. */
ctr_runtime_t *open_runtime(const char *root, const char *run_root, const char *oci);
void world_open(struct world *w);

/* Dies with the library's message unless `r` is a success. */
void check(int r, const char *what, ctr_error_t *err);
#define OK(call)                           \
	do {                               \
		ctr_error_t *err = NULL;   \
		check((call), #call, err); \
	} while (0)

ctr_config_t *make_config(const struct world *w, const char *command, const char *argument);
ctr_container_t *create(ctr_runtime_t *rt, ctr_config_t *cfg);
void create_many(ctr_runtime_t *rt, const struct world *w, int n);

/* The number of containers that listings and lookups are measured with. */
#define MANY 1000
/* Those that another process changes in one round. */
#define CHANGED 256

void section_access(struct world *w);
void section_save(struct world *w);
void section_create(struct world *w);
void section_list(struct world *w);
void section_cold(struct world *w);
void section_memory(struct world *w);
void section_size(struct world *w);
void section_owner(struct world *w);
void section_start(struct world *w);
void section_life(struct world *w);
void section_exec(struct world *w);
void section_wait(struct world *w);
void section_many(struct world *w);
void section_chain(struct world *w);
void section_streams(struct world *w);
void section_inspect(struct world *w);
void section_events(struct world *w);
void section_logs(struct world *w);
void section_usage(struct world *w);

#endif
