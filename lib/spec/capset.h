/* SPDX-License-Identifier: Apache-2.0 */
/* The capabilities of a default spec. */
#ifndef LIBCTR_SPEC_CAPSET_H
#define LIBCTR_SPEC_CAPSET_H

#include "spec/spec.h"

/* podman's default set, or all with privileged, plus cap_add, minus cap_drop. `all`: what this host can give.
 * Defaults that it cannot give are left out; what is asked for by name stays, so that the OCI runtime
 * reports it. *out: owned (ctr_strv_free), may be an empty list. */
int ctr__capset(
    const struct ctr__spec_wish *w, const char *const *all, char ***out, ctr_error_t **err);

#endif
