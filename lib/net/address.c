/* SPDX-License-Identifier: Apache-2.0 */
/* The host's own address. */
#include "net/address.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stddef.h>

static bool usable(const struct ifaddrs *i)
{
	return i->ifa_addr && i->ifa_addr->sa_family == AF_INET && (i->ifa_flags & IFF_UP) &&
	       !(i->ifa_flags & IFF_LOOPBACK);
}

bool ctr__net_host_address(char out[CTR__ADDRESS_SIZE])
{
	struct ifaddrs *all = NULL;
	bool found = false;

	if (getifaddrs(&all) < 0)
		return false;
	for (const struct ifaddrs *i = all; i && !found; i = i->ifa_next) {
		if (usable(i)) {
			const struct sockaddr_in *a =
			    (const struct sockaddr_in *)(const void *)i->ifa_addr;

			found = inet_ntop(AF_INET, &a->sin_addr, out, CTR__ADDRESS_SIZE) != NULL;
		}
	}
	freeifaddrs(all);
	return found;
}
