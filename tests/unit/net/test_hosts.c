/* SPDX-License-Identifier: Apache-2.0 */
/* The hosts file: every rule as a row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/hosts.h"
#include "util/cleanup.h"

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})
#define LOCAL     "127.0.0.1\tlocalhost\n::1\tlocalhost\n"

struct row {
	const char *what;
	struct ctr__hosts in;
	const char *wanted;
};

static void test_rows(void **state)
{
	const struct row rows[] = {
	    {"nothing but localhost", {0}, LOCAL},
	    {"base, comments stripped",
	        {.base = "# all of it\n10.0.0.1  a b # c\n\n\t10.0.0.2\tc\n"},
	        "10.0.0.1\ta b\n10.0.0.2\tc\n" LOCAL},
	    {"localhost is not repeated",
	        {.base = "127.0.0.1 localhost\n::1 LocalHost ip6-loopback\n"},
	        "127.0.0.1\tlocalhost\n::1\tLocalHost ip6-loopback\n"},
	    {"added come first and win",
	        {.add = LIST("a:10.0.0.9", "x;y:::2"), .base = "10.0.0.1 a b\n10.0.0.2 X\n"},
	        "10.0.0.9\ta\n::2\tx y\n10.0.0.1\tb\n" LOCAL},
	    {"one name, two addresses", {.add = LIST("a:10.0.0.9", "a:::9")},
	        "10.0.0.9\ta\n::9\ta\n" LOCAL},
	    {"host-gateway", {.add = LIST("gw;gate:host-gateway"), .internal_ip = "10.1.1.1"},
	        "10.1.1.1\tgw gate\n" LOCAL
	        "10.1.1.1\thost.containers.internal host.docker.internal\n"},
	    {"names of the host", {.internal_ip = "10.1.1.1"},
	        LOCAL "10.1.1.1\thost.containers.internal host.docker.internal\n"},
	    {"... not repeated",
	        {.add = LIST("host.docker.internal:10.0.0.2"), .internal_ip = "10.1.1.1"},
	        "10.0.0.2\thost.docker.internal\n" LOCAL "10.1.1.1\thost.containers.internal\n"},
	    {"the container's own",
	        {.ips = LIST("10.88.0.2", "2001:db8::2"), .names = LIST("h", "n")},
	        LOCAL "10.88.0.2\th n\n2001:db8::2\th n\n"},
	    {"hostname equal to the name", {.ips = LIST("10.88.0.2"), .names = LIST("n", "N")},
	        LOCAL "10.88.0.2\tN\n"},
	    {"own name given by somebody else",
	        {.base = "10.0.0.1 h\n", .ips = LIST("10.88.0.2"), .names = LIST("h", "n")},
	        "10.0.0.1\th\n" LOCAL "10.88.0.2\tn\n"},
	    {"no address, no name", {.base = "no-address a\n10.0.0.1\n10.0.0.2 a\n"},
	        "10.0.0.2\ta\n" LOCAL},
	    {"control characters",
	        {.base = "10.0.0.1 a\x01"
	                 "b c\r\n10.0.0.2 d\x7f\n"},
	        "10.0.0.1\tc\n" LOCAL},
	    {"empty names", {.ips = LIST("10.88.0.2"), .names = LIST("", "n")},
	        LOCAL "10.88.0.2\tn\n"},
	};

	(void)state;
	for (size_t i = 0; i < CTR__ARRAY_SIZE(rows); i++) {
		CTR__BUF struct ctr__buf out = {0};

		print_message("%s\n", rows[i].what);
		assert_int_equal(ctr__hosts_write(&rows[i].in, &out, NULL), 0);
		assert_string_equal(out.data, rows[i].wanted);
	}
}

static void test_gateway_unknown(void **state)
{
	CTR__ERROR ctr_error_t *err = NULL;
	CTR__BUF struct ctr__buf out = {0};
	struct ctr__hosts in = {.add = LIST("gw:host-gateway")};

	(void)state;
	assert_int_equal(ctr__hosts_write(&in, &out, &err), CTR_E_INVALID);
	assert_string_equal(ctr_error_get(err, "field"), "hostsAdd");
	assert_non_null(strstr(ctr_error_message(err), "\"gw\""));
}

/* Many names take no more than their share of time. */
static void test_large(void **state)
{
	CTR__BUF struct ctr__buf base = {0}, out = {0};
	struct ctr__hosts in = {0};

	(void)state;
	for (int i = 0; i < 50000; i++)
		ctr__buf_addf(&base, "10.0.%d.%d host%d alias%d\n", i / 250, i % 250, i, i);
	in.base = base.data;
	assert_int_equal(ctr__hosts_write(&in, &out, NULL), 0);
	assert_non_null(strstr(out.data, "host49999 alias49999\n" LOCAL));
}

static void test_shared_line(void **state)
{
	CTR__FREE char *line = ctr__hosts_shared_line("web");
	CTR__BUF struct ctr__buf out = {0}, same = {0};

	(void)state;
	assert_string_equal(line, "127.0.0.1\tweb\n");
	assert_true(ctr__hosts_without_line(
	    "a\n127.0.0.1\tweb\n127.0.0.1\tweb2\n127.0.0.1\tweb\nend", line, &out));
	assert_string_equal(out.data, "a\n127.0.0.1\tweb2\nend");
	assert_false(ctr__hosts_without_line("127.0.0.1\tweb", line, &same));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_rows),
	    cmocka_unit_test(test_gateway_unknown),
	    cmocka_unit_test(test_large),
	    cmocka_unit_test(test_shared_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
