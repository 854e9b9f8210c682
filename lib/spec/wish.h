/* SPDX-License-Identifier: Apache-2.0 */
/* Checking what a default spec is wished to be. */
#ifndef LIBCTR_SPEC_WISH_H
#define LIBCTR_SPEC_WISH_H

#include "spec/spec.h"

/* CTR_E_INVALID with detail "field" = the shorthand (or field) that is wrong. */
int ctr__wish_check(const struct ctr__spec_wish *w, ctr_error_t **err);

/* A bind mount "/host:/container[:ro]", taken apart. */
struct ctr__wish_bind {
	char *source, *dest; /* malloc'ed */
	bool read_only;
};

int ctr__wish_bind_parse(const char *text, struct ctr__wish_bind *out, ctr_error_t **err);
void ctr__wish_bind_clear(struct ctr__wish_bind *b);
#define CTR__WISH_BIND CTR__CLEANUP(ctr__wish_bind_clear)

#endif
