/* SPDX-License-Identifier: Apache-2.0 */
/* The host's own address, whatever this machine has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/address.h"

/* The kernel's table has a line for every network that the host is in, after one with the titles. */
static bool has_route(void)
{
	char line[512];
	int lines = 0;
	FILE *f = fopen("/proc/net/route", "re");

	while (f && fgets(line, sizeof(line), f))
		lines++;
	if (f)
		fclose(f);
	return lines > 1;
}

/* An address of this host is one that a socket can be bound to. */
static void test_it_is_ours(void **state)
{
	char text[CTR__ADDRESS_SIZE];
	struct sockaddr_in a = {.sin_family = AF_INET};
	int fd;

	(void)state;
	if (!ctr__net_host_address(text)) {
		assert_false(has_route()); /* a machine without network */
		return;
	}
	assert_int_equal(inet_pton(AF_INET, text, &a.sin_addr), 1);
	assert_int_not_equal(ntohl(a.sin_addr.s_addr) >> 24, 127);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&a, sizeof(a)), 0);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_it_is_ours)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
