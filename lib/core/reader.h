/* SPDX-License-Identifier: Apache-2.0 */
/* A runtime object's reading of events. */
#ifndef LIBCTR_CORE_READER_H
#define LIBCTR_CORE_READER_H

#include "core/runtime.h"

int ctr__reader_fd(struct ctr_runtime *rt, ctr_error_t **err);
int ctr__reader_next(struct ctr_runtime *rt, struct ctr_event **out, ctr_error_t **err);
int ctr__reader_filter(struct ctr_runtime *rt, const char *const *filters, ctr_error_t **err);
int ctr__reader_rewind(struct ctr_runtime *rt, int64_t since_ns, ctr_error_t **err);

#endif
