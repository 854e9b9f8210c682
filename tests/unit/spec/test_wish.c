/* SPDX-License-Identifier: Apache-2.0 */
/* Checking what a default spec is wished to be. */
#include "spec_test.h"

#include "spec/wish.h"

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})
#define WISH(...) (&(struct ctr__spec_wish){.args = LIST("/bin/true"), __VA_ARGS__})

#define ASSERT_REFUSED(field, ...) \
	ASSERT_FAILS(ctr__wish_check(WISH(__VA_ARGS__), err), CTR_E_INVALID, field)
#define ASSERT_FINE(...) assert_int_equal(ctr__wish_check(WISH(__VA_ARGS__), NULL), 0)

static void test_command(void **state)
{
	(void)state;
	ASSERT_FINE(.env = NULL);
	ASSERT_FAILS(ctr__wish_check(&(struct ctr__spec_wish){0}, err), CTR_E_INVALID, "command");
	ASSERT_FAILS(
	    ctr__wish_check(&(struct ctr__spec_wish){.args = (const char *const[]){NULL}}, err),
	    CTR_E_INVALID, "command");
	ASSERT_FAILS(ctr__wish_check(&(struct ctr__spec_wish){.args = LIST("", "x")}, err),
	    CTR_E_INVALID, "command");
	ASSERT_FAILS(ctr__wish_check(&(struct ctr__spec_wish){.args = LIST("x", "\xff")}, err),
	    CTR_E_INVALID, "command");
	assert_int_equal(
	    ctr__wish_check(&(struct ctr__spec_wish){.args = LIST("x", "", "y z")}, NULL), 0);
}

static void test_env(void **state)
{
	(void)state;
	ASSERT_FINE(.env = LIST("A=", "B=c=d", "E= f\n"));
	ASSERT_REFUSED("CTR_SPEC_ENV", .env = LIST("A=1", "B"));
	ASSERT_REFUSED("CTR_SPEC_ENV", .env = LIST("=1"));
	ASSERT_REFUSED("CTR_SPEC_ENV", .env = LIST(""));
	ASSERT_REFUSED("CTR_SPEC_ENV", .env = LIST("A=\xc3"));
}

static void test_workdir(void **state)
{
	(void)state;
	ASSERT_FINE(.workdir = "/srv/x");
	ASSERT_REFUSED("CTR_SPEC_WORKDIR", .workdir = "srv");
	ASSERT_REFUSED("CTR_SPEC_WORKDIR", .workdir = "");
	ASSERT_REFUSED("CTR_SPEC_WORKDIR", .workdir = "/\xff");
}

static void test_hostname(void **state)
{
	char longest[66];

	(void)state;
	memset(longest, 'h', sizeof(longest));
	longest[64] = '\0';
	ASSERT_FINE(.hostname = longest);
	longest[64] = 'h';
	longest[65] = '\0';
	ASSERT_REFUSED("CTR_SPEC_HOSTNAME", .hostname = longest);
	ASSERT_FINE(.hostname = "web-1.example.org");
	ASSERT_REFUSED("CTR_SPEC_HOSTNAME", .hostname = "");
	ASSERT_REFUSED("CTR_SPEC_HOSTNAME", .hostname = "a b");
	ASSERT_REFUSED("CTR_SPEC_HOSTNAME", .hostname = "a\n127.0.0.1 b");
	ASSERT_REFUSED("CTR_SPEC_HOSTNAME", .hostname = "../etc");
	ASSERT_REFUSED("CTR_SPEC_HOSTNAME", .hostname = "a", .join_uts = true);
}

static void test_limits(void **state)
{
	(void)state;
	ASSERT_FINE(.memory = INT64_MAX, .pids = -1, .cpu_quota = 50000);
	ASSERT_FINE(.no_cgroups = true, .pids = -1);
	ASSERT_REFUSED("CTR_SPEC_MEMORY", .memory = -1);
	ASSERT_REFUSED("CTR_SPEC_PIDS", .pids = -2);
	ASSERT_REFUSED("CTR_SPEC_CPU_QUOTA", .cpu_quota = -1);
	ASSERT_REFUSED("CTR_SPEC_MEMORY", .no_cgroups = true, .memory = 1 << 20);
	ASSERT_REFUSED("CTR_SPEC_PIDS", .no_cgroups = true, .pids = 10);
	ASSERT_REFUSED("CTR_SPEC_CPU_QUOTA", .no_cgroups = true, .cpu_quota = 10);
}

static void test_network(void **state)
{
	(void)state;
	ASSERT_REFUSED("CTR_SPEC_HOST_NETWORK", .host_network = true, .join_net = true);
	ASSERT_FINE(.host_network = true);
	ASSERT_FINE(.join_net = true);
}

static void test_annotations(void **state)
{
	const struct ctr__cfg_pair good[] = {{"a", ""}, {"b.c/d", "x y"}};
	const struct ctr__cfg_pair no_name[] = {{"", "x"}}, no_value[] = {{"a", NULL}};
	const struct ctr__cfg_pair bytes[] = {{"a", "\xff"}};
#define MAP(pairs) (&(const struct ctr__cfg_map){.v = (pairs), .n = CTR__ARRAY_SIZE(pairs)})

	(void)state;
	ASSERT_FINE(.annotations = MAP(good));
	ASSERT_REFUSED("CTR_SPEC_ANNOTATION", .annotations = MAP(no_name));
	ASSERT_REFUSED("CTR_SPEC_ANNOTATION", .annotations = MAP(no_value));
	ASSERT_REFUSED("CTR_SPEC_ANNOTATION", .annotations = MAP(bytes));
}

static void test_bind_parts(void **state)
{
	static const struct {
		const char *text, *source, *dest;
		bool read_only;
	} cases[] = {
	    {"/a:/b", "/a", "/b", false},
	    {"/a/b c:/d:ro", "/a/b c", "/d", true},
	    {"/a:/b:rw", "/a", "/b", false},
	    {"/:/host", "/", "/host", false},
	};

	(void)state;
	for (size_t i = 0; i < CTR__ARRAY_SIZE(cases); i++) {
		CTR__WISH_BIND struct ctr__wish_bind b = {0};

		assert_int_equal(ctr__wish_bind_parse(cases[i].text, &b, NULL), 0);
		assert_string_equal(b.source, cases[i].source);
		assert_string_equal(b.dest, cases[i].dest);
		assert_int_equal(b.read_only, cases[i].read_only);
	}
}

static void test_bind_errors(void **state)
{
	static const char *const bad[] = {"", "/a", ":", "/a:", ":/b", "a:/b", "/a:b",
	    "/a:/b:", "/a:/b:rO", "/a:/b:ro:", "/a:/b:ro,z", "/a:/", "/a:/b/..", "/a:/\xff"};

	(void)state;
	for (size_t i = 0; i < CTR__ARRAY_SIZE(bad); i++)
		ASSERT_REFUSED("CTR_SPEC_BIND", .binds = LIST("/x:/y", bad[i]));
	ASSERT_REFUSED("CTR_SPEC_BIND", .binds = LIST("/a:/d", "/b:/e", "/c://d/"));
	ASSERT_FINE(.binds = LIST("/a:/d", "/a:/e"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_command),
	    cmocka_unit_test(test_env),
	    cmocka_unit_test(test_workdir),
	    cmocka_unit_test(test_hostname),
	    cmocka_unit_test(test_limits),
	    cmocka_unit_test(test_network),
	    cmocka_unit_test(test_annotations),
	    cmocka_unit_test(test_bind_parts),
	    cmocka_unit_test(test_bind_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
