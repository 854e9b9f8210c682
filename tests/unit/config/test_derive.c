/* SPDX-License-Identifier: Apache-2.0 */
/* What is computed from the fields: dependencies, hostname, command line, root's IDs. */
#include "config_test.h"

static void test_dependencies(void **state)
{
	(void)state;
	CTR__CONFIG ctr_config_t *cfg = parse_ok(
	    WITH("\"ipcNsCtr\":\"g\",\"mountNsCtr\":\"f\",\"netNsCtr\":\"e\",\"pidNsCtr\":\"d\","
	         "\"userNsCtr\":\"c\",\"utsNsCtr\":\"b\",\"cgroupNsCtr\":\"a\","
	         "\"Dependencies\":[\"z\",\"d\",\"h\",\"z\"]"));
	static const char *const want[] = {"a", "b", "c", "d", "e", "f", "g", "h", "z"};

	assert_int_equal(cfg->all_deps.n, CTR__ARRAY_SIZE(want));
	for (size_t i = 0; i < CTR__ARRAY_SIZE(want); i++)
		assert_string_equal(cfg->all_deps.v[i], want[i]);
	assert_null(cfg->all_deps.v[cfg->all_deps.n]);
}

/* A container that joins a PID namespace alone depends on that container and on nothing else. */
static void test_pid_namespace_alone(void **state)
{
	(void)state;
	CTR__CONFIG ctr_config_t *cfg = parse_ok(WITH("\"pidNsCtr\":\"p\""));

	assert_int_equal(cfg->all_deps.n, 1);
	assert_string_equal(cfg->all_deps.v[0], "p");
}

static void test_no_dependencies(void **state)
{
	(void)state;
	CTR__CONFIG ctr_config_t *cfg = parse_ok(SMALLEST);

	assert_int_equal(cfg->all_deps.n, 0);
	assert_non_null(cfg->all_deps.v);
	assert_null(cfg->all_deps.v[0]);
}

static void test_from_spec(void **state)
{
	(void)state;
	CTR__CONFIG ctr_config_t *cfg =
	    parse_ok("{" ROOTFS ",\"spec\":{\"ociVersion\":\"1.0.2\",\"hostname\":\"web\","
	             "\"process\":{\"terminal\":true,\"args\":[\"sh\",\"\"],\"env\":[\"A=1\"]},"
	             "\"root\":{\"path\":\"x\",\"readonly\":true}}}");

	assert_string_equal(cfg->hostname, "web");
	assert_true(cfg->terminal);
	assert_true(cfg->root_read_only);
	assert_int_equal(cfg->args.n, 2);
	assert_string_equal(cfg->args.v[1], "");
	assert_null(cfg->args.v[2]);
	assert_int_equal(cfg->env.n, 1);
	assert_string_equal(cfg->env.v[0], "A=1");

	CTR__CONFIG ctr_config_t *bare = parse_ok(SMALLEST);

	assert_null(bare->hostname);
	assert_false(bare->terminal);
	assert_false(bare->root_read_only);
	assert_int_equal(bare->env.n, 0);
	assert_non_null(bare->env.v);
}

static void test_short_id(void **state)
{
	(void)state;
	CTR__CONFIG ctr_config_t *longer = parse_ok(WITH("\"id\":\"0123456789abcdef\""));
	CTR__CONFIG ctr_config_t *eleven = parse_ok(WITH("\"id\":\"0123456789a\""));
	CTR__CONFIG ctr_config_t *twelve = parse_ok(WITH("\"id\":\"0123456789ab\""));

	assert_string_equal(longer->short_id, "0123456789ab");
	assert_string_equal(eleven->short_id, "0123456789a");
	assert_string_equal(twelve->short_id, "0123456789ab");
}

#define RANGE(c, h, s)  "{\"container_id\":" #c ",\"host_id\":" #h ",\"size\":" #s "}"
#define MAPPED(members) WITH("\"idMappingsOptions\":{" members "}")

static void test_root_ids(void **state)
{
	(void)state;
	CTR__CONFIG ctr_config_t *mapped = parse_ok(MAPPED("\"UIDMap\":[" RANGE(1, 5, 9) "," RANGE(
	    0, 1000, 1) "],"
	                "\"GIDMap\":[" RANGE(0, 4294967290, 5) "]"));

	assert_int_equal(mapped->root_uid, 1000);
	assert_int_equal(mapped->root_gid, 4294967290);

	CTR__CONFIG ctr_config_t *host = parse_ok(
	    MAPPED("\"HostUIDMapping\":true,\"UIDMap\":[" RANGE(0, 7, 1) "],\"GIDMap\":null"));

	assert_int_equal(host->root_uid, 0);
	assert_int_equal(host->root_gid, 0);

	CTR__CONFIG ctr_config_t *elsewhere = parse_ok(MAPPED("\"UIDMap\":[" RANGE(1, 7, 1) "]"));

	assert_int_equal(elsewhere->root_uid, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_dependencies),
	    cmocka_unit_test(test_pid_namespace_alone),
	    cmocka_unit_test(test_no_dependencies),
	    cmocka_unit_test(test_from_spec),
	    cmocka_unit_test(test_short_id),
	    cmocka_unit_test(test_root_ids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
