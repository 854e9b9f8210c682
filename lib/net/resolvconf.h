/* SPDX-License-Identifier: Apache-2.0 */
/* The resolv.conf of a container, from that of the host and what the configuration says. Text to text. */
#ifndef LIBCTR_NET_RESOLVCONF_H
#define LIBCTR_NET_RESOLVCONF_H

#include <stdbool.h>

#include "util/err.h"
#include "util/str.h"

/* Lists are NULL-terminated; NULL or empty: not given. */
struct ctr__resolv {
	const char *host;                   /* text of the source file; NULL = there is none      */
	const char *const *network_servers; /* of the container's networks: before all others     */
	const char *const *servers;         /* each of these three replaces the host's lines      */
	const char *const *search, *const
	                               *options; /* of its kind; search "." = no search domain  */
	bool host_net; /* the host's network: its servers can all be reached */
	bool ipv6;     /* the container's network has IPv6                   */
};

/* A local stub of the host does not answer in another network: the file that has the real servers, or NULL if
 * `host` (text of /etc/resolv.conf) does not name just such a stub. */
const char *ctr__resolv_behind_stub(const char *host);

/* Appends the file. CTR_E_NOMEM. */
int ctr__resolv_write(const struct ctr__resolv *in, struct ctr__buf *out, ctr_error_t **err);

#endif
