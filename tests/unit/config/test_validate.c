/* SPDX-License-Identifier: Apache-2.0 */
/* Every rule that needs no store, with its field and its value in the message. */
#include "config_test.h"

#define PLAIN_SPEC(process, namespaces)                                        \
	"{\"ociVersion\":\"1.0.2\",\"process\":{\"args\":[\"x\"]" process "}," \
	"\"linux\":{\"namespaces\":[" namespaces "]}}"
#define WITH_SPEC(spec, members) "{\"spec\":" spec "," ROOTFS members "}"

static void accepted(const char *json)
{
	CTR__CONFIG ctr_config_t *cfg = parse_ok(json);

	assert_int_equal(ctr__config_validate(cfg, NULL), 0);
}

static void rejected(const char *json, const char *field, const char *words)
{
	parse_fails(json, CTR_E_INVALID, field, words);
}

static void test_identity(void **state)
{
	(void)state;
	accepted(WITH("\"id\":\"abc\",\"name\":\"a.B_c-9\",\"pod\":\"p\""));
	rejected(WITH("\"id\":\"../x\""), "id", "\"../x\"");
	rejected(WITH("\"id\":\"a b\""), "id", "\"a b\"");
	rejected(WITH("\"id\":\"-x\""), "id", "\"-x\"");
	rejected(WITH("\"name\":\"a/b\""), "name", "\"a/b\"");
	rejected(WITH("\"name\":\".x\""), "name", "\".x\"");
	rejected(WITH("\"name\":\"\xc3\xa9\""), "name", "\xc3\xa9");
	rejected(WITH("\"pod\":\"a/b\""), "pod", "\"a/b\"");
}

static void test_long_names(void **state)
{
	char name[258] = "";

	(void)state;
	memset(name, 'n', 256);
	CTR__FREE char *long_name = ctr__format(WITH("\"name\":\"%s\""), name);

	rejected(long_name, "name", "nnnn");
	name[255] = '\0';
	CTR__FREE char *longest = ctr__format(WITH("\"name\":\"%s\""), name);

	accepted(longest);
	name[129] = '\0';
	CTR__FREE char *long_id = ctr__format(WITH("\"id\":\"%s\""), name);

	rejected(long_id, "id", "nnnn");
}

static void test_image_or_rootfs(void **state)
{
	(void)state;
	accepted("{\"spec\":" SPEC ",\"rootfsImageID\":\"i\",\"rootfsImageName\":\"n\"}");
	rejected("{\"spec\":" SPEC "}", "rootfs", "missing");
	rejected("{\"spec\":" SPEC ",\"rootfsImageID\":\"i\"}", "rootfsImageName", "\"i\"");
	rejected("{\"spec\":" SPEC ",\"rootfsImageName\":\"n\"}", "rootfsImageID", "\"n\"");
	rejected(WITH("\"rootfsImageName\":\"n\""), "rootfsImageID", "\"n\"");
	rejected(WITH("\"rootfsImageID\":\"i\",\"rootfsImageName\":\"n\""), "rootfs", "\"i\"");
}

static void test_rootfs_path(void **state)
{
	static const char *const bad[] = {"/", "srv", "./srv", "/srv/", "/srv//x", "/srv/../x",
	    "/srv/./x", "/..", "/srv/..", "/.", "//"};

	(void)state;
	for (size_t i = 0; i < CTR__ARRAY_SIZE(bad); i++) {
		CTR__FREE char *json = ctr__format("{\"spec\":" SPEC ",\"rootfs\":\"%s\"}", bad[i]);
		CTR__FREE char *quoted = ctr__format("\"%s\"", bad[i]);

		rejected(json, "rootfs", quoted);
	}
	accepted("{\"spec\":" SPEC ",\"rootfs\":\"/srv/..x/.y/a b\"}");
}

static void test_absolute_paths(void **state)
{
	static const char *const keys[] = {"ShmDir", "staticDir", "logPath", "conmonPidFile"};

	(void)state;
	for (size_t i = 0; i < CTR__ARRAY_SIZE(keys); i++) {
		CTR__FREE char *good = ctr__format(WITH("\"%s\":\"/a/b\""), keys[i]);
		CTR__FREE char *bad = ctr__format(WITH("\"%s\":\"a/b\""), keys[i]);

		accepted(good);
		rejected(bad, keys[i], "\"a/b\"");
	}
	rejected(WITH("\"mounts\":[\"/a\",\"b\"]"), "mounts", "\"b\"");
	rejected(WITH("\"mounts\":[\"\"]"), "mounts", "\"\"");
}

static void test_numbers(void **state)
{
	(void)state;
	accepted(WITH("\"stopSignal\":64,\"stopTimeout\":2147483648,\"shmSize\":0"));
	accepted(WITH("\"stopSignal\":0,\"timeout\":2147483648,\"shmSize\":9223372036854775807"));
	rejected(WITH("\"stopSignal\":65"), "stopSignal", "65");
	rejected(WITH("\"stopSignal\":-1"), "stopSignal", "-1");
	rejected(WITH("\"stopTimeout\":-1"), "stopTimeout", "-1");
	rejected(WITH("\"stopTimeout\":2147483649"), "stopTimeout", "2147483649");
	rejected(WITH("\"shmSize\":-1"), "shmSize", "-1");
	rejected(WITH("\"timeout\":-1"), "timeout", "-1");
	rejected(WITH("\"logSize\":-2"), "logSize", "-2");
}

static void test_dependencies(void **state)
{
	static const char *const keys[] = {"shareNamespacesWith", "ipcNsCtr", "mountNsCtr",
	    "netNsCtr", "pidNsCtr", "userNsCtr", "utsNsCtr", "cgroupNsCtr"};

	(void)state;
	for (size_t i = 0; i < CTR__ARRAY_SIZE(keys); i++) {
		CTR__FREE char *self = ctr__format(WITH("\"id\":\"me\",\"%s\":\"me\""), keys[i]);
		CTR__FREE char *bad = ctr__format(WITH("\"%s\":\"/x\""), keys[i]);
		CTR__FREE char *good = ctr__format(WITH("\"id\":\"me\",\"%s\":\"you\""), keys[i]);

		rejected(self, keys[i], "\"me\"");
		rejected(bad, keys[i], "\"/x\"");
		accepted(good);
	}
	rejected(WITH("\"id\":\"me\",\"Dependencies\":[\"you\",\"me\"]"), "Dependencies", "\"me\"");
	rejected(WITH("\"Dependencies\":[\"\"]"), "Dependencies", "\"\"");
}

static void test_no_cgroups(void **state)
{
	(void)state;
	accepted(WITH("\"noCgroups\":true"));
	accepted(
	    WITH_SPEC(PLAIN_SPEC("", "{\"type\":\"pid\",\"path\":\"\"}"), ",\"noCgroups\":true"));
	rejected(WITH("\"noCgroups\":true,\"pidNsCtr\":\"c\""), "noCgroups", "\"c\"");
	rejected(WITH("\"noCgroups\":true,\"cgroupParent\":\"/p\""), "noCgroups", "\"/p\"");
	rejected(WITH_SPEC(PLAIN_SPEC("", ""), ",\"noCgroups\":true"), "noCgroups", "PID");
	rejected(WITH_SPEC(PLAIN_SPEC("", "{\"type\":\"pid\",\"path\":\"/proc/1/ns/pid\"}"),
	             ",\"noCgroups\":true"),
	    "noCgroups", "PID");
	accepted(WITH_SPEC(PLAIN_SPEC("", ""), ",\"noCgroups\":false"));
}

static void test_cgroups_mode(void **state)
{
	(void)state;
	accepted(WITH("\"cgroupsMode\":\"\""));
	accepted(WITH("\"cgroupsMode\":\"enabled\",\"cgroupParent\":\"/p\""));
	accepted(WITH("\"cgroupsMode\":\"no-conmon\""));
	accepted(WITH("\"cgroupsMode\":\"disabled\""));
	accepted(WITH("\"cgroupsMode\":\"disabled\",\"noCgroups\":true"));
	accepted(WITH("\"cgroupsMode\":\"split\",\"cgroupParent\":\"\""));
	rejected(WITH("\"cgroupsMode\":\"none\""), "cgroupsMode", "\"none\"");
	rejected(
	    WITH("\"cgroupsMode\":\"split\",\"cgroupParent\":\"/p\""), "cgroupsMode", "\"/p\"");
	rejected(WITH("\"cgroupsMode\":\"split\",\"noCgroups\":true"), "cgroupsMode", "noCgroups");
	rejected(
	    WITH("\"cgroupsMode\":\"disabled\",\"noCgroups\":false"), "cgroupsMode", "noCgroups");
	/* What excludes each other without a cgroup holds for the mode too. */
	rejected(WITH("\"cgroupsMode\":\"disabled\",\"pidNsCtr\":\"c\""), "noCgroups", "\"c\"");
}

static void test_user(void **state)
{
	(void)state;
	accepted(WITH("\"user\":\"a:b\",\"groups\":[\"c\"]"));
	accepted(WITH_SPEC(PLAIN_SPEC(",\"user\":{\"uid\":0,\"gid\":0}", ""), ""));
	accepted(WITH_SPEC(PLAIN_SPEC(",\"user\":{\"uid\":5,\"gid\":6}", ""), ",\"user\":\"5:6\""));
	rejected(WITH_SPEC(PLAIN_SPEC(",\"user\":{\"uid\":5}", ""), ""), "user", "\"5\"");
	rejected(WITH_SPEC(PLAIN_SPEC(",\"user\":{\"uid\":0,\"gid\":6}", ""), ""), "user", "\"6\"");
	rejected(WITH("\"user\":\"a:b:c\""), "user", "\"a:b:c\"");
	rejected(WITH("\"user\":\":b\""), "user", "\":b\"");
	rejected(WITH("\"user\":\"a:\""), "user", "\"a:\"");
	rejected(WITH("\"user\":\"a\\nb\""), "user", "\"a?b\"");
	rejected(WITH("\"groups\":[\"\"]"), "groups", "\"\"");
	rejected(WITH("\"groups\":[\"a b\"]"), "groups", "\"a b\"");
}

#define MAPPED(members) WITH("\"idMappingsOptions\":{" members "}")
#define UIDS(c, h, s) \
	MAPPED("\"UIDMap\":[{\"container_id\":" c ",\"host_id\":" h ",\"size\":" s "}]")

static void test_id_mappings(void **state)
{
	static const char field[] = "idMappingsOptions";

	(void)state;
	accepted(MAPPED("\"HostUIDMapping\":true,\"HostGIDMapping\":true,\"UIDMap\":null"));
	accepted(UIDS("0", "100000", "65536"));
	accepted(UIDS("0", "0", "4294967295"));
	rejected(UIDS("0", "0", "4294967296"), field, "size");
	rejected(UIDS("0", "1", "4294967295"), field, "4294967295");
	rejected(UIDS("-1", "0", "1"), field, "container_id");
	rejected(UIDS("0", "\"0\"", "1"), field, "host_id");
	rejected(UIDS("0", "0", "0"), field, "size 0");
	rejected(MAPPED("\"GIDMap\":{}"), field, "GIDMap");
	rejected(MAPPED("\"GIDMap\":[7]"), field, "GIDMap");
}

static void test_log_driver(void **state)
{
	static const char *const later[] = {"passthrough", "passthrough-tty"};

	(void)state;
	accepted(WITH("\"logDriver\":\"k8s-file\""));
	accepted(WITH("\"logDriver\":\"json-file\""));
	accepted(WITH("\"logDriver\":\"journald\",\"logTag\":\"x\""));
	accepted(WITH("\"logDriver\":\"none\""));
	for (size_t i = 0; i < CTR__ARRAY_SIZE(later); i++) {
		CTR__FREE char *json = ctr__format(WITH("\"logDriver\":\"%s\""), later[i]);

		parse_fails(json, CTR_E_UNSUPPORTED, "logDriver", later[i]);
	}
	rejected(WITH("\"logDriver\":\"syslog\""), "logDriver", "\"syslog\"");
}

static void test_init_containers(void **state)
{
	(void)state;
	accepted(WITH("\"pod\":\"p\",\"init_container_type\":\"always\""));
	accepted(WITH("\"init_container_type\":\"\""));
	rejected(WITH("\"pod\":\"p\",\"init_container_type\":\"twice\""), "init_container_type",
	    "\"twice\"");
	rejected(WITH("\"init_container_type\":\"once\""), "init_container_type", "\"once\"");
}

static void test_labels(void **state)
{
	(void)state;
	accepted(WITH("\"labels\":{\"a\":\"\"}"));
	rejected(WITH("\"labels\":{\"a\":\"\",\"\":\"v\"}"), "labels", "\"v\"");
}

static void test_spec(void **state)
{
	(void)state;
	rejected(WITH_SPEC("{\"process\":{\"args\":[\"x\"]}}", ""), NULL, "ociVersion");
	rejected(WITH_SPEC("{\"ociVersion\":\"1.0.2\"}", ""), NULL, "spec.process");
	rejected(WITH_SPEC("{\"ociVersion\":\"1.0.2\",\"process\":{\"args\":[]}}", ""),
	    "spec.process.args", NULL);
	rejected(WITH_SPEC("{\"ociVersion\":\"1.0.2\",\"process\":{\"args\":[1]}}", ""), NULL,
	    "spec.process.args");
}

/* A failure leaves no trace in what the caller passed. */
static void test_nothing_changes_on_failure(void **state)
{
	static const char bad[] = "{}";
	ctr_config_t *old = parse_ok(SMALLEST), *out = old;

	(void)state;
	assert_int_equal(ctr__config_parse(bad, strlen(bad), &out, NULL), CTR_E_INVALID);
	assert_ptr_equal(out, old);
	ctr__config_unref(old);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_identity),
	    cmocka_unit_test(test_long_names),
	    cmocka_unit_test(test_image_or_rootfs),
	    cmocka_unit_test(test_rootfs_path),
	    cmocka_unit_test(test_absolute_paths),
	    cmocka_unit_test(test_numbers),
	    cmocka_unit_test(test_dependencies),
	    cmocka_unit_test(test_no_cgroups),
	    cmocka_unit_test(test_cgroups_mode),
	    cmocka_unit_test(test_init_containers),
	    cmocka_unit_test(test_user),
	    cmocka_unit_test(test_id_mappings),
	    cmocka_unit_test(test_log_driver),
	    cmocka_unit_test(test_labels),
	    cmocka_unit_test(test_spec),
	    cmocka_unit_test(test_nothing_changes_on_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
