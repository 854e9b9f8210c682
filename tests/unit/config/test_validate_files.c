/* SPDX-License-Identifier: Apache-2.0 */
/* The rules about the files that are made for a container. */
#include "config_test.h"

static void accepted(const char *json)
{
	CTR__CONFIG ctr_config_t *cfg = parse_ok(json);

	assert_int_equal(ctr__config_validate(cfg, NULL), 0);
}

/* A field and its JSON value. */
static void good(const char *key, const char *value)
{
	CTR__FREE char *json = ctr__format(WITH("\"%s\":%s"), key, value);

	accepted(json);
}

static void bad(const char *key, const char *value)
{
	CTR__FREE char *json = ctr__format(WITH("\"%s\":%s"), key, value);

	parse_fails(json, CTR_E_INVALID, key, NULL);
}

static void test_timezone(void **state)
{
	static const char *const fine[] = {"\"local\"", "\"UTC\"", "\"Europe/Berlin\"",
	    "\"America/Argentina/Buenos_Aires\"", "\"Etc/GMT+5\"", "\"\"", "null"};
	static const char *const wrong[] = {"\"/etc/shadow\"", "\"../../../etc/shadow\"",
	    "\"Europe/../../x\"", "\"Europe//Berlin\"", "\"Europe/\"", "\"a b\"", "\"a\\nb\"",
	    "\".\"", "\"Europe/.x\"", "\"a:b\"", "7"};

	(void)state;
	for (size_t i = 0; i < CTR__ARRAY_SIZE(fine); i++)
		good("timezone", fine[i]);
	for (size_t i = 0; i < CTR__ARRAY_SIZE(wrong); i++)
		bad("timezone", wrong[i]);
}

static void test_umask(void **state)
{
	static const char *const fine[] = {"\"0\"", "\"22\"", "\"077\"", "\"0777\""};
	static const char *const wrong[] = {
	    "\"8\"", "\"1000\"", "\"00022\"", "\"-1\"", "\"0x1\"", "\"0 2\"", "18"};

	(void)state;
	for (size_t i = 0; i < CTR__ARRAY_SIZE(fine); i++)
		good("umask", fine[i]);
	for (size_t i = 0; i < CTR__ARRAY_SIZE(wrong); i++)
		bad("umask", wrong[i]);
}

static void test_base_hosts_file(void **state)
{
	(void)state;
	good("baseHostsFile", "\"image\"");
	good("baseHostsFile", "\"none\"");
	good("baseHostsFile", "\"/etc/other\"");
	bad("baseHostsFile", "\"etc/hosts\"");
	bad("baseHostsFile", "\"Image\"");
}

/* What would go into a file of the image's own. */
static void test_image_files(void **state)
{
	(void)state;
	parse_fails(WITH("\"UseImageResolvConf\":true,\"dnsServer\":[\"1.1.1.1\"]"), CTR_E_INVALID,
	    "UseImageResolvConf", "dnsServer \"1.1.1.1\"");
	parse_fails(WITH("\"UseImageResolvConf\":true,\"dnsSearch\":[\"a\"]"), CTR_E_INVALID,
	    "UseImageResolvConf", "dnsSearch");
	parse_fails(WITH("\"UseImageResolvConf\":true,\"dnsOption\":[\"a\"]"), CTR_E_INVALID,
	    "UseImageResolvConf", "dnsOption");
	parse_fails(WITH("\"useImageHosts\":true,\"hostsAdd\":[\"a:1.1.1.1\"]"), CTR_E_INVALID,
	    "useImageHosts", "hostsAdd");
	parse_fails(WITH("\"useImageHosts\":true,\"baseHostsFile\":\"none\""), CTR_E_INVALID,
	    "useImageHosts", "baseHostsFile");
	accepted(WITH("\"UseImageResolvConf\":true,\"hostsAdd\":[\"a:1.1.1.1\"]"));
	accepted(WITH("\"useImageHosts\":true,\"dnsServer\":[\"1.1.1.1\"]"));
}

static void test_entries(void **state)
{
	(void)state;
	good("passwd_entry", "\"$USERNAME:*:$UID:$GID:$NAME:$HOME:/bin/sh\"");
	good("passwd_entry", "\"a:b:c:d:e:f:g\\n\"");
	bad("passwd_entry", "\"$USERNAME\"");
	bad("passwd_entry", "\"a:b:c:d:e:f:g:h\"");
	bad("passwd_entry", "\"a:b:c:d:e:f:g\\nroot::0:0::/:\"");
	bad("passwd_entry", "\"a:b:c:d:e:f:g\\n\\n\"");
	bad("passwd_entry", "\"\\n\"");
	good("group_entry", "\"$GROUPNAME:x:$GID:$USERLIST\"");
	bad("group_entry", "\"$GROUPNAME:x:$GID\"");
	good("HostUsers", "[\"root\",\"1000\"]");
	bad("HostUsers", "[\"\"]");
	bad("HostUsers", "[\"a b\"]");
	bad("HostUsers", "[\"a:0\"]");
}

static void test_exposed_ports(void **state)
{
	static const char *const fine[] = {
	    "{}", "{\"80\":[\"tcp\",\"udp\",\"sctp\"],\"65535\":[]}", "{\"80\":null}"};
	static const char *const wrong[] = {"[]", "\"80\"", "{\"0\":[\"tcp\"]}",
	    "{\"65536\":[\"tcp\"]}", "{\"x\":[\"tcp\"]}", "{\"80\":\"tcp\"}", "{\"80\":[\"icmp\"]}",
	    "{\"80\":[7]}", "{\"\":[]}"};

	(void)state;
	for (size_t i = 0; i < CTR__ARRAY_SIZE(fine); i++)
		good("exposedPorts", fine[i]);
	for (size_t i = 0; i < CTR__ARRAY_SIZE(wrong); i++)
		bad("exposedPorts", wrong[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_timezone),
	    cmocka_unit_test(test_umask),
	    cmocka_unit_test(test_base_hosts_file),
	    cmocka_unit_test(test_image_files),
	    cmocka_unit_test(test_entries),
	    cmocka_unit_test(test_exposed_ports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
