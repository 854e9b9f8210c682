/* SPDX-License-Identifier: Apache-2.0 */
/* The hosts file of a container. Text to text. */
#ifndef LIBCTR_NET_HOSTS_H
#define LIBCTR_NET_HOSTS_H

#include <stdbool.h>

#include "util/err.h"
#include "util/str.h"

/* Lists are NULL-terminated or NULL. */
struct ctr__hosts {
	const char *const *add;   /* "name[;name...]:ip", ip may be "host-gateway"              */
	const char *base;         /* text of the file it starts from; NULL = none               */
	const char *internal_ip;  /* of the host, as the container reaches it; NULL = unknown   */
	const char *const *ips;   /* the container's own                                        */
	const char *const *names; /* the container's: hostname, name                            */
};

/* Appends the file: lines "ip\tname name\n" of `add`, of the base file (comments go), of localhost, of the host
 * itself, of the container. A name that an earlier group has is not repeated. CTR_E_INVALID (detail "field":
 * "host-gateway" while internal_ip is not known), CTR_E_NOMEM. */
int ctr__hosts_write(const struct ctr__hosts *in, struct ctr__buf *out, ctr_error_t **err);

/* The line by which a container is known to others that share its network. malloc'ed; NULL if memory is short. */
char *ctr__hosts_shared_line(const char *name);
/* `text` without every line that is exactly `line` (which ends in a newline). Appends to `out`; true if there
 * was one. */
bool ctr__hosts_without_line(const char *text, const char *line, struct ctr__buf *out);

#endif
