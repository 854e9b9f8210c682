/* SPDX-License-Identifier: Apache-2.0 */
/* The host's own address. */
#ifndef LIBCTR_NET_ADDRESS_H
#define LIBCTR_NET_ADDRESS_H

#include <stdbool.h>

#define CTR__ADDRESS_SIZE 46 /* with its NUL */

/* An IPv4 address of this host that others can use: the first one of an interface that is up and no loopback. False
 * if there is none. */
bool ctr__net_host_address(char out[CTR__ADDRESS_SIZE]);

#endif
