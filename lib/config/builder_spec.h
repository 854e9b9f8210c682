/* SPDX-License-Identifier: Apache-2.0 */
/* The spec that a builder writes when it was not given one. */
#ifndef LIBCTR_CONFIG_BUILDER_SPEC_H
#define LIBCTR_CONFIG_BUILDER_SPEC_H

#include "config/model.h"

/* The decoded shorthands. */
struct ctr__cfg_shorthands {
#define CTR_SHORTHAND(name, kind, member) ctr__cfg_##kind member;
#include "config/shorthands.def"
#undef CTR_SHORTHAND
};

/* As a table: numbers are CTR_SPEC_*, keys their names, offsets in struct ctr__cfg_shorthands. */
extern const struct ctr__cfg_field ctr__cfg_shorthand_fields[];
extern const size_t ctr__cfg_shorthand_fields_n;

/* Makes the spec, a value of `d` that is not attached. `fields` has libpod's keys, `shorthands` those of
 * the table above. */
int ctr__cfg_make_spec(const struct ctr__json *fields, const struct ctr__json *shorthands,
    struct ctr__json_doc *d, struct ctr__json **out, ctr_error_t **err);

/* Adds the destinations of the bind mounts among the shorthands to the user volumes of the document. */
int ctr__cfg_note_binds(
    const struct ctr__json *shorthands, struct ctr__json_doc *d, ctr_error_t **err);

#endif
