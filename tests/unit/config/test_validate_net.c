/* SPDX-License-Identifier: Apache-2.0 */
/* The rules about the network. */
#include "config_test.h"

static void accepted(const char *json)
{
	CTR__CONFIG ctr_config_t *cfg = parse_ok(json);

	assert_int_equal(ctr__config_validate(cfg, NULL), 0);
}

/* One element of a list of strings. */
static void element(const char *key, const char *value, bool good)
{
	CTR__FREE char *json = ctr__format(WITH("\"%s\":[\"%s\"]"), key, value);

	if (good)
		accepted(json);
	else
		parse_fails(json, CTR_E_INVALID, key, NULL);
}

static void test_own_or_joined(void **state)
{
	(void)state;
	accepted(WITH("\"createNetNS\":true"));
	accepted(WITH("\"netNsCtr\":\"c\",\"createNetNS\":false"));
	parse_fails(
	    WITH("\"netNsCtr\":\"c\",\"createNetNS\":true"), CTR_E_INVALID, "createNetNS", "\"c\"");
}

#define PORTS(list) WITH("\"createNetNS\":true,\"portMappings\":" list)

static void test_ports(void **state)
{
	static const char *const bad[] = {"[7]", "[\"80:80\"]", "[null]",
	    "[{\"protocol\":\"tcp,udp\"}]", "[{\"protocol\":[\"tcp\",\"udp\"]}]",
	    "[{\"protocol\":\"icmp\"}]", "[{\"hostPort\":65536}]", "[{\"hostPort\":-1}]",
	    "[{\"containerPort\":\"80\"}]", "[{\"container_port\":1.5}]", "[{\"host_port\":{}}]",
	    "[{\"range\":70000}]", "[{},7]"};

	(void)state;
	accepted(PORTS("[]"));
	accepted(
	    PORTS("[{\"hostPort\":8080,\"containerPort\":80,\"protocol\":\"tcp\","
	          "\"hostIP\":\"192.0.2.1\"},{\"host_port\":65535,\"container_port\":0,"
	          "\"range\":1,\"protocol\":\"sctp\",\"host_ip\":\"\"},{\"protocol\":\"\"},{}]"));
	accepted(WITH("\"portMappings\":[]"));
	parse_fails(WITH("\"portMappings\":[{},{}]"), CTR_E_INVALID, "portMappings", "2 ports");
	for (size_t i = 0; i < CTR__ARRAY_SIZE(bad); i++) {
		CTR__FREE char *json = ctr__format(PORTS("%s"), bad[i]);

		parse_fails(json, CTR_E_INVALID, "portMappings", NULL);
	}
	parse_fails(
	    PORTS("[{\"protocol\":\"tcp,udp\"}]"), CTR_E_INVALID, "portMappings", "\"tcp,udp\"");
}

static void test_resolver(void **state)
{
	static const char *const bad_ips[] = {"", "1.2.3", "1.2.3.4/24", "::g", "localhost",
	    "1.2.3.4 ", "fe80::1%eth0", "1.2.3.4\\nnameserver 6.6.6.6", "0x7f.1"};
	static const char *const bad_words[] = {"", "a b", "a\\tb", "a\\nnameserver 6.6.6.6"};

	(void)state;
	element("dnsServer", "192.0.2.1", true);
	element("dnsServer", "2001:db8::1", true);
	element("dnsServer", "::ffff:192.0.2.1", true);
	for (size_t i = 0; i < CTR__ARRAY_SIZE(bad_ips); i++)
		element("dnsServer", bad_ips[i], false);
	element("dnsSearch", ".", true);
	element("dnsSearch", "example.com", true);
	element("dnsOption", "ndots:2", true);
	for (size_t i = 0; i < CTR__ARRAY_SIZE(bad_words); i++) {
		element("dnsSearch", bad_words[i], false);
		element("dnsOption", bad_words[i], false);
	}
}

static void test_hosts(void **state)
{
	static const char *const good[] = {
	    "a:1.2.3.4", "a;b;c:::1", "a:2001:db8::1", "x.example.com:host-gateway"};
	static const char *const bad[] = {"", "a", "a:", ":1.2.3.4", "a;:1.2.3.4", ";a:1.2.3.4",
	    "a;;b:1.2.3.4", "a b:1.2.3.4", "a:1.2.3.4\\n6.6.6.6 b", "a:host", "a:1.2.3.4:5",
	    "#a:1.2.3.4", "a\\n:1.2.3.4"};

	(void)state;
	for (size_t i = 0; i < CTR__ARRAY_SIZE(good); i++)
		element("hostsAdd", good[i], true);
	for (size_t i = 0; i < CTR__ARRAY_SIZE(bad); i++)
		element("hostsAdd", bad[i], false);
	parse_fails(WITH("\"hostsAdd\":[\"a:nowhere\"]"), CTR_E_INVALID, "hostsAdd", "\"nowhere\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_own_or_joined),
	    cmocka_unit_test(test_ports),
	    cmocka_unit_test(test_resolver),
	    cmocka_unit_test(test_hosts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
