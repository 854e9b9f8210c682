/* SPDX-License-Identifier: Apache-2.0 */
/* resolv.conf: every rule as a row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/resolvconf.h"
#include "util/cleanup.h"

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})
#define FALLBACK  "nameserver 8.8.8.8\nnameserver 8.8.4.4\n"
#define FALLBACK6 "nameserver 2001:4860:4860::8888\nnameserver 2001:4860:4860::8844\n"

struct row {
	const char *what;
	struct ctr__resolv in;
	const char *wanted;
};

static void test_rows(void **state)
{
	const struct row rows[] = {
	    {"plain",
	        {.host = "search a.example b.example\nnameserver 10.0.0.1\noptions ndots:2\n"},
	        "search a.example b.example\nnameserver 10.0.0.1\noptions ndots:2\n"},
	    {"order of the host's file does not matter",
	        {.host = "options ndots:2\nnameserver 10.0.0.1\nsearch a.example"},
	        "search a.example\nnameserver 10.0.0.1\noptions ndots:2\n"},
	    {"comments, blanks, unknown keys",
	        {.host =
	                "# nameserver 1.1.1.1\n;x\n\n \t nameserver\t10.0.0.1 # x\r\nsortlist 1\n"},
	        "nameserver 10.0.0.1\n"},
	    {"the last search line counts", {.host = "search a\nsearch b c\nnameserver 10.0.0.1\n"},
	        "search b c\nnameserver 10.0.0.1\n"},
	    {"domain is a search of one", {.host = "domain a b\nnameserver 10.0.0.1\n"},
	        "search a\nnameserver 10.0.0.1\n"},
	    {"loopback goes",
	        {.host = "nameserver 127.0.0.1\nnameserver 127.9.9.9\nnameserver 10.0.0.1"},
	        "nameserver 10.0.0.1\n"},
	    {"IPv6 loopback goes", {.host = "nameserver ::1\nnameserver 2001:db8::1", .ipv6 = true},
	        "nameserver 2001:db8::1\n"},
	    {"IPv6 goes without IPv6", {.host = "nameserver 2001:db8::1\nnameserver 10.0.0.1"},
	        "nameserver 10.0.0.1\n"},
	    {"zones go, with IPv6 too",
	        {.host = "nameserver fe80::1%eth0\nnameserver 10.0.0.1", .ipv6 = true},
	        "nameserver 10.0.0.1\n"},
	    {"what is no address goes", {.host = "nameserver dns.example\nnameserver"}, FALLBACK},
	    {"nothing left", {.host = "nameserver 127.0.0.53\n"}, FALLBACK},
	    {"nothing left, IPv6", {.host = "nameserver ::1\n", .ipv6 = true}, FALLBACK FALLBACK6},
	    {"no file", {.host = NULL}, FALLBACK},
	    {"the host's network: unfiltered",
	        {.host = "nameserver 127.0.0.53\nnameserver ::1\nnameserver fe80::1%eth0\n",
	            .host_net = true},
	        "nameserver 127.0.0.53\nnameserver ::1\nnameserver fe80::1%eth0\n"},
	    {"the host's network: no fallback", {.host = "", .host_net = true}, ""},
	    {"servers given replace servers only",
	        {.host = "search a\nnameserver 10.0.0.1\noptions x",
	            .servers = LIST("1.1.1.1", "::1")},
	        "search a\nnameserver 1.1.1.1\nnameserver ::1\noptions x\n"},
	    {"search given replaces search only",
	        {.host = "search a\nnameserver 10.0.0.1\n", .search = LIST("b", "c")},
	        "search b c\nnameserver 10.0.0.1\n"},
	    {"options given replace options only",
	        {.host = "nameserver 10.0.0.1\noptions x y\n", .options = LIST("z")},
	        "nameserver 10.0.0.1\noptions z\n"},
	    {"all overrides on the host's network",
	        {.host = "search a\nnameserver 127.0.0.1\noptions x",
	            .host_net = true,
	            .servers = LIST("9.9.9.9"),
	            .search = LIST("s"),
	            .options = LIST("o")},
	        "search s\nnameserver 9.9.9.9\noptions o\n"},
	    {"search . is none", {.host = "search a\nnameserver 10.0.0.1\n", .search = LIST(".")},
	        "nameserver 10.0.0.1\n"},
	    {"search . of the host is none", {.host = "search .\nnameserver 10.0.0.1\n"},
	        "nameserver 10.0.0.1\n"},
	    {"the network's servers come first",
	        {.host = "nameserver 10.0.0.1\n", .network_servers = LIST("10.88.0.1")},
	        "nameserver 10.88.0.1\nnameserver 10.0.0.1\n"},
	    {"... also before those given",
	        {.host = "", .network_servers = LIST("10.88.0.1"), .servers = LIST("1.1.1.1")},
	        "nameserver 10.88.0.1\nnameserver 1.1.1.1\n"},
	    {"... and are enough", {.host = "", .network_servers = LIST("10.88.0.1")},
	        "nameserver 10.88.0.1\n"},
	    {"no word breaks a line",
	        {.host = "nameserver 10.0.0.1\n", .search = LIST("a\nnameserver", "b")},
	        "search b\nnameserver 10.0.0.1\n"},
	};

	(void)state;
	for (size_t i = 0; i < CTR__ARRAY_SIZE(rows); i++) {
		CTR__BUF struct ctr__buf out = {0};

		print_message("%s\n", rows[i].what);
		assert_int_equal(ctr__resolv_write(&rows[i].in, &out, NULL), 0);
		assert_string_equal(out.data ? out.data : "", rows[i].wanted);
	}
}

static void test_stubs(void **state)
{
	static const struct {
		const char *host, *wanted;
	} rows[] = {
	    {"nameserver 127.0.0.53\noptions edns0\nsearch .\n",
	        "/run/systemd/resolve/resolv.conf"},
	    {"nameserver 127.0.0.1\n", "/run/NetworkManager/no-stub-resolv.conf"},
	    {"nameserver 127.0.0.53\nnameserver 10.0.0.1\n", NULL},
	    {"nameserver 127.0.0.2\n", NULL},
	    {"nameserver 10.0.0.1\n", NULL},
	    {"", NULL},
	    {NULL, NULL},
	};

	(void)state;
	for (size_t i = 0; i < CTR__ARRAY_SIZE(rows); i++) {
		const char *path = ctr__resolv_behind_stub(rows[i].host);

		assert_int_equal(!path, !rows[i].wanted);
		if (path)
			assert_string_equal(path, rows[i].wanted);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_rows),
	    cmocka_unit_test(test_stubs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
