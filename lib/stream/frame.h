/* SPDX-License-Identifier: Apache-2.0 */
/* The two ways to say which stream a piece of output belongs to, and the texts of Docker's hijacked connections. */
#ifndef LIBCTR_STREAM_FRAME_H
#define LIBCTR_STREAM_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/str.h"

/* Numbers of Docker's frames. conmon's are one higher. */
enum { CTR__STDOUT = 1, CTR__STDERR = 2 };

#define CTR__PACKET_MAX 8193U  /* from conmon: one byte and 8192 */
#define CTR__INPUT_MAX  32768U /* to conmon: it drops what is behind */

/* frame.c */

/* A piece of a packet from conmon. False: not of standard output or error. */
bool ctr__packet_read(const unsigned char *packet, size_t len, int *stream,
    const unsigned char **data, size_t *data_len);
#define CTR__FRAME_HEADER 8
void ctr__frame_header(unsigned char out[CTR__FRAME_HEADER], int stream, size_t len);

/* http.c */

/* Docker's answer to an attach. `flags`: CTR_HTTP_*. */
void ctr__http_header(struct ctr__buf *out, uint64_t flags, bool terminal);
/* What a client gets to see of a failure that comes after the header. */
void ctr__http_error(struct ctr__buf *out, bool framed, const char *message);

#endif
