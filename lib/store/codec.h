/* SPDX-License-Identifier: Apache-2.0 */
/* The records of the databases, apart from the state's (state.h). Decoding accepts any bytes. */
#ifndef LIBCTR_STORE_CODEC_H
#define LIBCTR_STORE_CODEC_H

#include "store/store.h"

/* Longest command in a summary; a listing shows so much of it. */
#define CTR__COMMAND_MAX 64

/*
 * Identity of a record's container over time. `born` is the number of the durable transaction that added it,
 * `cfg_gen` that of the last one that changed its configuration. A summary with another `born` is of an
 * earlier container with the same ID; one with another `cfg_gen` has an old name.
 */
struct ctr__origin {
	uint64_t born, cfg_gen;
};

/* Value of "ctr": what listings and repair need, so that they never parse JSON; then the JSON. */
struct ctr__ctr_rec {
	struct ctr__origin origin;
	uint32_t slot;
	int64_t created_ns;
	const char *name, *image, *command;
	const char *deps; /* deps_len bytes: IDs, each with its NUL */
	size_t deps_len;
	const char *json;
	size_t json_len;
};

/* Strings point into `data`. */
int ctr__ctr_rec_decode(const void *data, size_t len, struct ctr__ctr_rec *rec, ctr_error_t **err);
void ctr__ctr_rec_encode(const struct ctr__ctr_rec *rec, struct ctr__buf *out);

/* Value of "sum": this head, then name, image and command, each with a NUL. Listings copy it as it is, so it
 * is laid out for direct use; it never leaves the machine. */
struct ctr__sum_head {
	uint16_t version;
	uint16_t head_len; /* where the strings start: a later version may append to the head */
	int32_t state, pid, exit_code;
	int64_t created_ns, started_ns, finished_ns;
	struct ctr__origin origin;
	uint16_t name_len, image_len, command_len, reserved;
};
_Static_assert(sizeof(struct ctr__sum_head) == 64, "stored layout");
#define CTR__SUM_VERSION 1U

/* Is it a summary that can be used in place? Fast: called for every entry of a listing. */
bool ctr__sum_valid(const void *data, size_t len);
/* Of a valid one; strings point into `data`, which may have any alignment. */
void ctr__sum_decode(const void *data, struct ctr__summary *sum, struct ctr__origin *origin);
void ctr__sum_encode(
    const struct ctr__summary *sum, const struct ctr__origin *origin, struct ctr__buf *out);

/* The summary's fields that come from the state. */
void ctr__sum_set_state(struct ctr__summary *sum, const struct ctr__state *state);
/* The summary's fields that come from the configuration. */
void ctr__sum_set_config(struct ctr__summary *sum, const struct ctr__ctr_rec *rec);

/* Value of "pod". `infra`: ID of its infra container, "" if there is none. */
struct ctr__pod_rec {
	struct ctr__origin origin;
	uint32_t slot;
	int64_t created_ns;
	const char *name, *infra;
	const char *json;
	size_t json_len;
};

/* Strings point into `data`. */
int ctr__pod_rec_decode(const void *data, size_t len, struct ctr__pod_rec *rec, ctr_error_t **err);
void ctr__pod_rec_encode(const struct ctr__pod_rec *rec, struct ctr__buf *out);

/* Numbers in big-endian byte order, so that LMDB sorts them. */
void ctr__put_be64(unsigned char out[8], uint64_t v);
uint64_t ctr__get_be64(const void *p);

uint32_t ctr__crc32(const void *data, size_t len);

#endif
