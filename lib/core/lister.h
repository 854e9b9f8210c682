/* SPDX-License-Identifier: Apache-2.0 */
/* Listing containers with filters given as text. */
#ifndef LIBCTR_CORE_LISTER_H
#define LIBCTR_CORE_LISTER_H

#include "core/runtime.h"

int ctr__list(
    struct ctr_runtime *rt, const char *const *filters, ctr_list_t **out, ctr_error_t **err);

#endif
