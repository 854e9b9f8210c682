/* SPDX-License-Identifier: Apache-2.0 */
/* Any text as the file that hosts or resolv.conf starts from: what comes out has whole lines of the right form. */
#include <arpa/inet.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "net/hosts.h"
#include "net/resolvconf.h"
#include "util/cleanup.h"
#include "util/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

static void check_bytes(const struct ctr__buf *out)
{
	for (size_t i = 0; i < out->len; i++) {
		unsigned char c = (unsigned char)out->data[i];

		require(c == '\n' || c == '\t' || (c >= ' ' && c != 0x7f));
	}
	require(out->len == 0 || out->data[out->len - 1] == '\n');
}

static void check_hosts(const char *text)
{
	static const char *const add[] = {"a;b:192.0.2.1", "gw:host-gateway", NULL};
	static const char *const ips[] = {"10.88.0.2", NULL}, *const names[] = {"h", "n", NULL};
	struct ctr__hosts in = {
	    .add = add, .base = text, .internal_ip = "10.0.0.1", .ips = ips, .names = names};
	CTR__BUF struct ctr__buf out = {0};
	unsigned char bytes[16];
	char *rest, *line;

	require(ctr__hosts_write(&in, &out, NULL) == 0);
	check_bytes(&out);
	rest = out.data;
	while ((line = strsep(&rest, "\n")) && rest) {
		char *tab = strchr(line, '\t');

		require(tab && tab[1] && tab[1] != ' ' && !strchr(line, '#'));
		*tab = '\0';
		require(
		    inet_pton(AF_INET, line, bytes) == 1 || inet_pton(AF_INET6, line, bytes) == 1);
	}
}

static void check_resolv(const char *text, bool host_net, bool ipv6)
{
	struct ctr__resolv in = {.host = text, .host_net = host_net, .ipv6 = ipv6};
	CTR__BUF struct ctr__buf out = {0};

	(void)ctr__resolv_behind_stub(text);
	require(ctr__resolv_write(&in, &out, NULL) == 0);
	check_bytes(&out);
	require(host_net || strstr(out.data, "nameserver "));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CTR__FREE char *text = ctr__strdup_len((const char *)data, size);
	CTR__BUF struct ctr__buf out = {0};

	require(text != NULL);
	check_hosts(text);
	check_resolv(text, false, false);
	check_resolv(text, false, true);
	check_resolv(text, true, false);
	if (!ctr__hosts_without_line(text, "127.0.0.1\tn\n", &out))
		require(out.len == strlen(text) &&
		        memcmp(out.data ? out.data : "", text, out.len) == 0);
	return 0;
}
