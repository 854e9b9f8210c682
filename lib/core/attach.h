/* SPDX-License-Identifier: Apache-2.0 */
/* A container's streams. Nothing of this holds its lock while bytes move. */
#ifndef LIBCTR_CORE_ATTACH_H
#define LIBCTR_CORE_ATTACH_H

#include <libctr/attach.h>

#include "core/lifecycle.h"
#include "stream/stream.h"

int ctr__attach(struct ctr_container *c, const struct ctr_attach_opts *o, struct ctr_attach **out,
    ctr_error_t **err);
int ctr__start_and_attach(struct ctr_container *c, bool recursive, const struct ctr_attach_opts *o,
    struct ctr_attach **out, ctr_error_t **err);
int ctr__http_attach(struct ctr_container *c, int fd, const struct ctr_http_opts *o,
    struct ctr_attach **out, ctr_error_t **err);
int ctr__attach_resize(struct ctr_container *c, uint32_t rows, uint32_t cols, ctr_error_t **err);

/* A relay's `check`: `c` is the container. */
int ctr__attach_check(void *c, ctr_error_t **err);

#endif
