/* SPDX-License-Identifier: Apache-2.0 */
/* Decoding: every field both ways, types, other names, unknown members, legacy fields, defaults. */
#include "config_test.h"

#define ID64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* A value for every field; `beside` is what else it needs. */
#define HEALTH "\"healthcheck\":{\"Test\":[\"CMD\",\"true\"]},\"spec\":" SPEC "," ROOTFS

static const struct sample {
	const char *key, *value, *beside;
} samples[] = {
    {"spec", "{\"ociVersion\":\"1.0.2\",\"process\":{\"args\":[\"x\"]},\"own\":1.50e1}", ROOTFS},
    {"id", "\"" ID64 "\"", NULL},
    {"name", "\"quiet_otter\"", NULL},
    {"pod", "\"" ID64 "\"", NULL},
    {"idMappingsOptions",
        "{\"HostUIDMapping\":false,\"UIDMap\":[{\"container_id\":0,\"host_id\":7,\"size\":9}]}",
        NULL},
    {"rootfsImageID", "\"abc\"", "\"spec\":" SPEC ",\"rootfsImageName\":\"n\""},
    {"rootfsImageName", "\"busybox:latest\"", "\"spec\":" SPEC ",\"rootfsImageID\":\"i\""},
    {"rootfs", "\"/srv/other\"", "\"spec\":" SPEC},
    {"useImageConfig", "true", NULL},
    {"imageVolumes", "true", NULL},
    {"readOnly", "true", NULL},
    {"noNewPrivs", "true", NULL},
    {"ShmDir", "\"/run/x/shm\"", NULL},
    {"shmSize", "4096", NULL},
    {"staticDir", "\"/var/x\"", NULL},
    {"mounts", "[\"/dev/shm\",\"/a b\"]", NULL},
    {"privileged", "true", NULL},
    {"ProcessLabel", "\"system_u:system_r:container_t:s0:c1,c2\"", NULL},
    {"MountLabel", "\"system_u:object_r:container_file_t:s0:c1,c2\"", NULL},
    {"user", "\"1000:users\"", NULL},
    {"groups", "[\"wheel\",\"12\"]", NULL},
    {"shareNamespacesWith", "\"infra\"", NULL},
    {"sharedNamespaces", "{\"ipc\":\"a\",\"net\":\"b\"}", NULL},
    {"ipcNsCtr", "\"c1\"", NULL},
    {"mountNsCtr", "\"c2\"", NULL},
    {"netNsCtr", "\"c3\"", NULL},
    {"pidNsCtr", "\"c4\"", NULL},
    {"userNsCtr", "\"c5\"", NULL},
    {"utsNsCtr", "\"c6\"", NULL},
    {"cgroupNsCtr", "\"c7\"", NULL},
    {"Dependencies", "[\"d2\",\"d1\"]", NULL},
    {"createNetNS", "true", NULL},
    {"postConfigureNetNS", "true", NULL},
    {"portMappings", "[{\"hostPort\":8080,\"containerPort\":80,\"protocol\":\"tcp\"}]",
        "\"spec\":" SPEC "," ROOTFS ",\"createNetNS\":true"},
    {"dnsServer", "[\"192.0.2.1\",\"2001:db8::1\"]", NULL},
    {"dnsSearch", "[\".\"]", NULL},
    {"dnsOption", "[\"ndots:2\"]", NULL},
    {"hostsAdd", "[\"a;b:192.0.2.1\",\"c:2001:db8::2\",\"d:host-gateway\"]", NULL},
    {"userVolumes", "[\"/data\"]", NULL},
    {"entrypoint", "[\"/bin/sh\",\"-c\"]", NULL},
    {"command", "[\"echo \\\"\\u00e9\\\"\\n\"]", NULL},
    {"stdin", "true", NULL},
    {"labels", "{\"b\":\"2\",\"a\":\"\",\"\xc3\xa9\":\"3\"}", NULL},
    {"stopSignal", "9", NULL},
    {"stopTimeout", "0", NULL},
    {"createdTime", "\"2018-11-05T10:11:12.123456789Z\"", NULL},
    {"cgroupParent", "\"/libpod_parent\"", NULL},
    {"logPath", "\"/var/log/x.log\"", NULL},
    {"conmonPidFile", "\"/run/x.pid\"", NULL},
    {"runtime", "\"crun\"", NULL},
    {"logDriver", "\"none\"", NULL},
    {"logSize", "1048576", NULL},
    {"timeout", "30", NULL},
    {"noCgroups", "true", NULL},
    {"NoShm", "true", NULL},
    {"storageDriver", "\"rootfs\"", NULL},
    {"restart_policy", "\"always\"", NULL},
    {"restart_retries", "3", "\"restart_policy\":\"on-failure\",\"spec\":" SPEC "," ROOTFS},
    {"autoRemove", "true", NULL},
    {"healthcheck", "{\"Test\":[\"CMD\",\"true\"],\"Interval\":30000000000}", NULL},
    {"healthcheck_on_failure_action", "4", HEALTH},
    {"healthLogDestination", "\"/var/log/health\"", HEALTH},
    {"healthMaxLogCount", "7", HEALTH},
    {"healthMaxLogSize", "700", HEALTH},
    {"startupHealthCheck", "{\"Test\":[\"CMD\",\"true\"],\"Successes\":2}", HEALTH},
    {"CreateCommand", "[\"ctrctl\",\"create\"]", NULL},
    {"UseImageResolvConf", "true", NULL},
    {"useImageHostname", "true", NULL},
    {"useImageHosts", "true", NULL},
    {"baseHostsFile", "\"none\"", NULL},
    {"timezone", "\"Europe/Berlin\"", NULL},
    {"umask", "\"0077\"", NULL},
    {"pid_file", "\"/run/x.ctr.pid\"", NULL},
    {"passwd_entry", "\"$USERNAME:x:$UID:$GID::$HOME:/bin/sh\"", NULL},
    {"group_entry", "\"$GROUPNAME:x:$GID:\"", NULL},
    {"HostUsers", "[\"root\"]", NULL},
    {"cgroupsMode", "\"enabled\"", NULL},
    {"pause", "true", "\"pod\":\"p1\",\"spec\":" SPEC "," ROOTFS},
    {"createWorkingDir", "true", NULL},
    {"networkMode", "\"host\"", NULL},
    {"init_container_type", "\"once\"", "\"pod\":\"p1\",\"spec\":" SPEC "," ROOTFS},
    {"exposedPorts", "{\"80\":[\"tcp\"]}", NULL},
    {"labelopts", "[\"disable\"]", NULL},
    {"namespace", "\"ns\"", NULL},
    {"logTag", "\"tag\"", NULL},
};

static const struct sample *find_sample(const char *key)
{
	for (size_t i = 0; i < CTR__ARRAY_SIZE(samples); i++)
		if (strcmp(samples[i].key, key) == 0)
			return &samples[i];
	fail_msg("no sample for %s", key);
	return NULL;
}

static char *document(const struct sample *s, const char *value)
{
	char *text = ctr__format(
	    "{\"%s\":%s,%s}", s->key, value, s->beside ? s->beside : "\"spec\":" SPEC "," ROOTFS);

	assert_non_null(text);
	return text;
}

static void test_every_field_both_ways(void **state)
{
	(void)state;
	assert_int_equal(ctr__cfg_fields_n, CTR__ARRAY_SIZE(samples));
	CTR__CONFIG ctr_config_t *plain = parse_ok(SMALLEST);

	for (size_t i = 0; i < ctr__cfg_fields_n; i++) {
		const struct ctr__cfg_field *f = &ctr__cfg_fields[i];
		CTR__FREE char *json = document(find_sample(f->key), find_sample(f->key)->value);
		CTR__CONFIG ctr_config_t *cfg = parse_ok(json);
		CTR__FREE char *text = write_text(cfg);
		CTR__CONFIG ctr_config_t *again = parse_ok(text);
		CTR__FREE char *text2 = write_text(again);

		if (!cfg->given[f->number] || same_field(cfg, plain, f))
			fail_msg("%s was not read", f->key);
		assert_int_equal(cfg->unknown_n, 0);
		assert_same_config(cfg, again);
		assert_string_equal(text, text2);
	}
}

/* Does a value of this shape fit the kind? */
static bool fits(enum ctr__cfg_kind kind, const char *value)
{
	switch (kind) {
	case CTR__CFG_STR: return value[0] == '"';
	case CTR__CFG_BOOL: return strcmp(value, "true") == 0;
	case CTR__CFG_NUM: return strcmp(value, "7") == 0;
	case CTR__CFG_STRV: return strcmp(value, "[]") == 0 || strcmp(value, "[\"s\"]") == 0;
	case CTR__CFG_MAP: return strcmp(value, "{}") == 0;
	case CTR__CFG_TIME: return false;
	case CTR__CFG_OBJ: return value[0] == '{' || value[0] == '[';
	}
	return false;
}

static void test_wrong_types(void **state)
{
	static const char *const values[] = {"\"s\"", "true", "7", "7.5", "1e400",
	    "9223372036854775808", "[]", "[\"s\"]", "[1]", "[null]", "{}", "{\"a\":1}",
	    "{\"a\":null}", "{\"a\":{}}", "[[\"s\"]]"};

	(void)state;
	for (size_t i = 0; i < ctr__cfg_fields_n; i++)
		for (size_t v = 0; v < CTR__ARRAY_SIZE(values); v++) {
			const struct ctr__cfg_field *f = &ctr__cfg_fields[i];
			CTR__FREE char *json = document(find_sample(f->key), values[v]);

			if (!fits(f->kind, values[v]))
				parse_fails(json, CTR_E_INVALID, f->key, f->key);
		}
	parse_fails(WITH("\"stopSignal\":\"TERM\""), CTR_E_INVALID, "stopSignal", "\"TERM\"");
	parse_fails(WITH("\"stopSignal\":15.5"), CTR_E_INVALID, "stopSignal", "15.5");
	parse_fails(WITH("\"stdin\":0"), CTR_E_INVALID, "stdin", "must be true or false");
	parse_fails(WITH("\"groups\":\"wheel\""), CTR_E_INVALID, "groups", "\"wheel\"");
	parse_fails(WITH("\"createdTime\":\"soon\""), CTR_E_INVALID, "createdTime", "\"soon\"");
	parse_fails("{\"spec\":[]," ROOTFS "}", CTR_E_INVALID, "spec", "object");
	parse_fails(WITH("\"idMappingsOptions\":[]"), CTR_E_INVALID, "idMappingsOptions", "object");
	parse_fails(WITH("\"portMappings\":{}"), CTR_E_INVALID, "portMappings", "list");
}

static void test_null_is_absent(void **state)
{
	(void)state;
	CTR__CONFIG ctr_config_t *plain = parse_ok(SMALLEST);

	for (size_t i = 0; i < ctr__cfg_fields_n; i++) {
		const char *key = ctr__cfg_fields[i].key;
		CTR__FREE char *json = document(&(struct sample){key, NULL, NULL}, "null");

		if (strcmp(key, "spec") == 0 || strcmp(key, "rootfs") == 0)
			continue; /* would be there twice */
		CTR__CONFIG ctr_config_t *cfg = parse_ok(json);

		assert_same_config(plain, cfg);
	}
	parse_fails("{\"spec\":null," ROOTFS "}", CTR_E_INVALID, "spec", "missing");
	parse_fails("{\"spec\":" SPEC ",\"rootfs\":null}", CTR_E_INVALID, "rootfs", "missing");
	parse_fails("{" ROOTFS "}", CTR_E_INVALID, "spec", "missing");
}

static void test_empty_strings_are_absent(void **state)
{
	(void)state;
	CTR__CONFIG ctr_config_t *plain = parse_ok(SMALLEST);

	for (size_t i = 0; i < ctr__cfg_fields_n; i++) {
		const struct ctr__cfg_field *f = &ctr__cfg_fields[i];

		if (f->kind != CTR__CFG_STR || strcmp(f->key, "rootfs") == 0)
			continue;
		CTR__FREE char *json = document(&(struct sample){f->key, NULL, NULL}, "\"\"");
		CTR__CONFIG ctr_config_t *cfg = parse_ok(json);

		assert_same_config(plain, cfg);
	}
	CTR__CONFIG ctr_config_t *never =
	    parse_ok(WITH("\"createdTime\":\"0001-01-01T00:00:00Z\""));

	assert_same_config(plain, never);
	assert_int_equal(never->created_ns, 0);
}

static void test_defaults(void **state)
{
	(void)state;
	CTR__CONFIG ctr_config_t *cfg = parse_ok(SMALLEST);

	assert_int_equal(cfg->shm_size, 65536000);
	assert_int_equal(cfg->stop_signal, 15);
	assert_int_equal(cfg->stop_timeout, 10);
	assert_string_equal(cfg->log_driver, "k8s-file");
	assert_null(cfg->id);
	assert_null(cfg->name);
	assert_null(cfg->cgroup_parent);
	for (size_t i = 0; i < ctr__cfg_fields_n; i++)
		if (ctr__cfg_fields[i].kind == CTR__CFG_STRV) {
			const void *slot = (const char *)cfg + ctr__cfg_fields[i].offset;
			const struct ctr__cfg_list *list = slot;

			assert_int_equal(list->n, 0);
			assert_non_null(list->v);
			assert_null(list->v[0]);
		}
	CTR__CONFIG ctr_config_t *zero =
	    parse_ok(WITH("\"stopSignal\":0,\"stopTimeout\":0,\"shmSize\":0,\"logSize\":-1"));

	assert_int_equal(zero->stop_signal, 15);
	assert_int_equal(zero->stop_timeout, 0);
	assert_int_equal(zero->shm_size, 0);
	assert_int_equal(zero->log_size, 0);
}

static void test_name(void **state)
{
	(void)state;
	CTR__CONFIG ctr_config_t *cfg = parse_ok(WITH("\"name\":\"/web\""));

	assert_string_equal(cfg->name, "web");
	parse_fails(WITH("\"name\":\"//web\""), CTR_E_INVALID, "name", "\"/web\"");
	parse_fails(WITH("\"name\":\"/\""), CTR_E_INVALID, "name", NULL);
}

static void test_created_time(void **state)
{
	(void)state;
	CTR__CONFIG ctr_config_t *utc =
	    parse_ok(WITH("\"createdTime\":\"2018-11-05T10:11:12.000000001Z\""));
	CTR__CONFIG ctr_config_t *zone =
	    parse_ok(WITH("\"createdTime\":\"2018-11-05T11:11:12.000000001+01:00\""));

	assert_int_equal(utc->created_ns, INT64_C(1541412672000000001));
	assert_int_equal(zone->created_ns, utc->created_ns);
}

static void test_other_names(void **state)
{
	(void)state;
	CTR__CONFIG ctr_config_t *old = parse_ok(WITH("\"Mounts\":[\"/a\"]"));
	CTR__FREE char *text = write_text(old);

	assert_int_equal(old->mounts.n, 1);
	assert_string_equal(old->mounts.v[0], "/a");
	assert_int_equal(old->unknown_n, 0);
	assert_non_null(strstr(text, "\"mounts\":[\"/a\"]"));
	assert_null(strstr(text, "Mounts\""));

	CTR__CONFIG ctr_config_t *null = parse_ok(WITH("\"Mounts\":null"));

	assert_int_equal(null->mounts.n, 0);
	CTR__CONFIG ctr_config_t *second = parse_ok(WITH("\"Mounts\":[\"/a\"],\"mounts\":null"));

	assert_int_equal(second->mounts.n, 1);

	/* the proper name wins, and the other one is kept as it came */
	CTR__CONFIG ctr_config_t *both = parse_ok(WITH("\"Mounts\":7,\"mounts\":[\"/b\"]"));
	CTR__FREE char *both_text = write_text(both);
	CTR__CONFIG ctr_config_t *again = parse_ok(both_text);

	assert_string_equal(both->mounts.v[0], "/b");
	assert_int_equal(both->unknown_n, 1);
	assert_same_config(both, again);
	parse_fails(WITH("\"Mounts\":7"), CTR_E_INVALID, "mounts", NULL);

	CTR__CONFIG ctr_config_t *ports = parse_ok(
	    WITH("\"createNetNS\":true,\"newPortMappings\":[{\"host_port\":1,\"range\":2}]"));

	assert_string_equal(ports->port_mappings.text, "[{\"host_port\":1,\"range\":2}]");
	parse_fails(WITH("\"newPortMappings\":[{}]"), CTR_E_INVALID, "portMappings", "createNetNS");
}

static void test_unknown_members(void **state)
{
	static const char unknown[] = "\"zeta\":{\"b\":1.10,\"a\":[1e5,-0,null]},\"alpha\":null,"
	                              "\"lockID\":18446744073709551616,\"e\":\"\"";

	(void)state;
	CTR__CONFIG ctr_config_t *cfg = parse_ok(
	    WITH("\"zeta\":{\"b\": 1.10, \"a\":[1e5,-0,null]},\"name\":\"n\",\"alpha\" : null,"
	         "\"lockID\":18446744073709551616,\"e\":\"\""));
	CTR__FREE char *text = write_text(cfg);
	CTR__CONFIG ctr_config_t *again = parse_ok(text);

	assert_int_equal(cfg->unknown_n, 4);
	assert_string_equal(cfg->unknown[0].key, "zeta");
	assert_string_equal(cfg->unknown[1].value, "null");
	assert_non_null(strstr(text, unknown));
	assert_same_config(cfg, again);
}

static void test_spec_is_kept(void **state)
{
	static const char spec[] =
	    "{\"z\":1.0e+2,\"ociVersion\":\"1.0.2-dev\",\"process\":{\"args\":"
	    "[\"a\"],\"odd\":[0.10,null,{}]},\"x\":{\"y\":-0.0}}";

	(void)state;
	CTR__FREE char *json = ctr__format("{" ROOTFS ",\"spec\": %s }", spec);
	CTR__CONFIG ctr_config_t *cfg = parse_ok(json);
	CTR__FREE char *text = write_text(cfg);

	assert_string_equal(cfg->spec.text, spec);
	assert_int_equal(cfg->spec.len, strlen(spec));
	assert_non_null(strstr(text, spec));
}

static void test_shared_namespaces(void **state)
{
	(void)state;
	CTR__CONFIG ctr_config_t *cfg =
	    parse_ok(WITH("\"shareNamespacesWith\":\"infra\",\"netNsCtr\":\"own\","
	                  "\"sharedNamespaces\":{\"ipc\":\"\",\"mount\":\"/p\",\"net\":\"\","
	                  "\"pid\":\"\",\"user\":\"\",\"uts\":\"\",\"cgroup\":\"\"}"));

	assert_string_equal(cfg->ipc_ns_ctr, "infra");
	assert_string_equal(cfg->mount_ns_ctr, "infra");
	assert_string_equal(cfg->net_ns_ctr, "own"); /* was given */
	assert_string_equal(cfg->pid_ns_ctr, "infra");
	assert_string_equal(cfg->user_ns_ctr, "infra");
	assert_string_equal(cfg->uts_ns_ctr, "infra");
	assert_string_equal(cfg->cgroup_ns_ctr, "infra");
	assert_string_equal(cfg->shared_namespace_ctr, "infra");
	assert_int_equal(cfg->shared_namespace_map.n, 7);
	assert_int_equal(cfg->all_deps.n, 2);

	CTR__FREE char *text = write_text(cfg);
	CTR__CONFIG ctr_config_t *again = parse_ok(text);

	assert_same_config(cfg, again);

	/* without one container for all, the map names them */
	CTR__CONFIG ctr_config_t *each =
	    parse_ok(WITH("\"sharedNamespaces\":{\"network\":\"a\",\"mnt\":\"b\"}"));

	assert_string_equal(each->net_ns_ctr, "a");
	assert_string_equal(each->mount_ns_ctr, "b");

	parse_fails(WITH("\"sharedNamespaces\":{\"time\":\"a\"}"), CTR_E_INVALID,
	    "sharedNamespaces", "\"time\"");
	parse_fails(WITH("\"sharedNamespaces\":{\"ipc\":\"\"}"), CTR_E_INVALID, "sharedNamespaces",
	    "\"ipc\"");
	parse_fails(WITH("\"shareNamespacesWith\":\"c\",\"sharedNamespaces\":{\"net\":\"\"},"
	                 "\"createNetNS\":true"),
	    CTR_E_INVALID, "createNetNS", "\"c\"");
}

static void test_map_is_sorted(void **state)
{
	(void)state;
	CTR__CONFIG ctr_config_t *cfg =
	    parse_ok(WITH("\"labels\":{\"b\":\"2\",\"\xc3\xa9\":\"4\",\"a\":\"1\",\"bb\":\"3\"}"));

	assert_int_equal(cfg->labels.n, 4);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(cfg->labels.v[i].value[0], '1' + (char)i);
}

static void test_not_an_object(void **state)
{
	static const char *const texts[] = {"[]", "\"x\"", "1", "null", "true"};

	(void)state;
	for (size_t i = 0; i < CTR__ARRAY_SIZE(texts); i++)
		parse_fails(texts[i], CTR_E_INVALID, NULL, "object");
}

static void test_not_json(void **state)
{
	static const char *const texts[] = {"", "{", "{}}", "{\"id\":}", "{\"id\":\"\\u0000\"}",
	    "{\"id\":\"\xff\"}", "{\"a\":1,\"a\":2}", "{\"name\":\"x\",\"name\":\"y\"}",
	    "{\"id\":\"\\ud800\"}", "{'id':1}", "\xef\xbb\xbf{}x"};

	(void)state;
	for (size_t i = 0; i < CTR__ARRAY_SIZE(texts); i++)
		parse_fails(texts[i], CTR_E_INVALID, NULL, NULL);

	struct ctr__buf deep = {0};

	ctr__buf_adds(&deep, "{\"x\":");
	for (int i = 0; i < 100000; i++)
		ctr__buf_addc(&deep, '[');
	parse_fails(deep.data, CTR_E_INVALID, NULL, NULL);
	ctr__buf_free(&deep);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_every_field_both_ways),
	    cmocka_unit_test(test_wrong_types),
	    cmocka_unit_test(test_null_is_absent),
	    cmocka_unit_test(test_empty_strings_are_absent),
	    cmocka_unit_test(test_defaults),
	    cmocka_unit_test(test_name),
	    cmocka_unit_test(test_created_time),
	    cmocka_unit_test(test_other_names),
	    cmocka_unit_test(test_unknown_members),
	    cmocka_unit_test(test_spec_is_kept),
	    cmocka_unit_test(test_shared_namespaces),
	    cmocka_unit_test(test_map_is_sorted),
	    cmocka_unit_test(test_not_an_object),
	    cmocka_unit_test(test_not_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
