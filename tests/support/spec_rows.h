/* SPDX-License-Identifier: Apache-2.0 */
/* One configuration after the other, for what must hold for every generated spec. */
#ifndef TESTS_SUPPORT_SPEC_ROWS_H
#define TESTS_SUPPORT_SPEC_ROWS_H

#include <stdbool.h>
#include <stddef.h>

#include <libctr/libctr.h>

struct spec_row {
	const char *name;
	void (*fill)(ctr_config_builder_t *b); /* NULL: nothing */
	/* A piece of the configuration's JSON text, and what stands in its place; pairs, NULL-terminated. */
	const char *edits[9];
	bool needs_cgroup; /* limits that the cgroups of a test machine may not have */
	bool joins;        /* needs processes to join the namespaces of */
	bool no_cgroup;    /* needs an OCI runtime that can do without */
	bool split;        /* needs a cgroup of the caller's own */
};

extern const struct spec_row spec_rows[];
extern const size_t spec_rows_n;

/* The configuration: what is in the builder (freed), plus the row. `base`: ID of a running container; rows about
 * joining join it, if it is given. */
ctr_config_t *spec_row_config(
    const struct spec_row *row, ctr_config_builder_t *b, const char *base);

/* Copies the container's config.json to dir/name.json. */
void spec_row_keep(ctr_container_t *c, const char *dir, const char *name);
/* Has every *.json of the directory checked against the schema of the specification. */
void spec_rows_validate(const char *dir);

/* A directory with hook files of all stages, made below `dir`: hooks append their stage's name to dir/stages, the
 * precreate hook adds the environment variable PRECREATE=ran. Returned list: NULL-terminated, static. */
const char *const *spec_hooks_dir(const char *dir);

#endif
