/* SPDX-License-Identifier: Apache-2.0 */
/* libctr/config.h as a program sees it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <libctr/libctr.h>

#define SPEC                                                                                       \
	"{\"ociVersion\":\"1.0.2\",\"process\":{\"args\":[\"/bin/sh\",\"-c\"],\"env\":[\"A=1\"]}," \
	"\"own\":1.50}"

static ctr_config_t *parse(const char *json)
{
	ctr_config_t *cfg = NULL;
	ctr_error_t *err = NULL;

	if (ctr_config_from_json(json, strlen(json), &cfg, &err) < 0)
		fail_msg("%s", ctr_error_message(err));
	return cfg;
}

/* The example in the header. */
static void test_example(void **state)
{
	ctr_config_builder_t *b = ctr_config_builder_new();
	ctr_config_t *cfg = NULL;
	ctr_error_t *err = NULL;

	(void)state;
	ctr_config_builder_set_str(b, CTR_CONFIG_ROOTFS, "/srv/busybox", NULL);
	ctr_config_builder_add_str(b, CTR_CONFIG_COMMAND, "/bin/date", NULL);
	assert_int_equal(ctr_config_builder_build(b, &cfg, &err), 0);
	ctr_config_builder_free(b);
	assert_string_equal(ctr_config_rootfs(cfg), "/srv/busybox");
	assert_string_equal(ctr_config_args(cfg, NULL)[0], "/bin/date");
	assert_null(ctr_config_hostname(cfg)); /* neither hostname nor ID */
	assert_null(ctr_config_unref(cfg));
}

static const char full[] =
    "{\"spec\":" SPEC ",\"id\":\"0123456789abcdef\",\"name\":\"/web\",\"pod\":\"pod\","
    "\"idMappingsOptions\":{\"UIDMap\":[{\"container_id\":0,\"host_id\":1000,\"size\":1}],"
    "\"GIDMap\":[{\"container_id\":0,\"host_id\":2000,\"size\":1}]},"
    "\"rootfsImageID\":\"img\",\"rootfsImageName\":\"busybox\",\"imageVolumes\":true,"
    "\"readOnly\":true,\"ShmDir\":\"/shm\",\"shmSize\":1,\"staticDir\":\"/static\","
    "\"mounts\":[\"/m\"],\"privileged\":true,\"ProcessLabel\":\"pl\",\"MountLabel\":\"ml\","
    "\"user\":\"u\",\"groups\":[\"g\"],\"ipcNsCtr\":\"i\",\"mountNsCtr\":\"m\","
    "\"pidNsCtr\":\"p\",\"userNsCtr\":\"us\",\"utsNsCtr\":\"ut\",\"cgroupNsCtr\":\"c\","
    "\"Dependencies\":[\"z\",\"a\",\"p\"],\"createNetNS\":true,"
    "\"portMappings\":[{\"hostPort\":1}],\"dnsServer\":[\"192.0.2.1\"],\"dnsSearch\":[\".\"],"
    "\"dnsOption\":[\"o\"],\"hostsAdd\":[\"h:192.0.2.1\"],\"userVolumes\":[\"/v\"],"
    "\"entrypoint\":[\"e\"],\"command\":[\"c1\",\"c2\"],\"stdin\":true,"
    "\"labels\":{\"b\":\"2\",\"a\":\"1\",\"c\":\"3\"},\"stopSignal\":9,\"stopTimeout\":7,"
    "\"createdTime\":\"1970-01-01T00:00:01Z\",\"cgroupParent\":\"/p\",\"logPath\":\"/log\","
    "\"conmonPidFile\":\"/pid\",\"runtime\":\"crun\",\"logDriver\":\"none\",\"logSize\":5,"
    "\"storageDriver\":\"overlay\",\"extra\":{\"z\":1.0}}";

static void test_strings(void **state)
{
	ctr_config_t *cfg = parse(full);

	(void)state;
	assert_string_equal(ctr_config_id(cfg), "0123456789abcdef");
	assert_string_equal(ctr_config_name(cfg), "web");
	assert_string_equal(ctr_config_pod_id(cfg), "pod");
	assert_string_equal(ctr_config_image_id(cfg), "img");
	assert_string_equal(ctr_config_image_name(cfg), "busybox");
	assert_null(ctr_config_rootfs(cfg));
	assert_string_equal(ctr_config_static_dir(cfg), "/static");
	assert_string_equal(ctr_config_shm_dir(cfg), "/shm");
	assert_string_equal(ctr_config_log_path(cfg), "/log");
	assert_string_equal(ctr_config_log_driver(cfg), "none");
	assert_string_equal(ctr_config_conmon_pid_file(cfg), "/pid");
	assert_string_equal(ctr_config_cgroup_parent(cfg), "/p");
	assert_string_equal(ctr_config_process_label(cfg), "pl");
	assert_string_equal(ctr_config_mount_label(cfg), "ml");
	assert_string_equal(ctr_config_user(cfg), "u");
	assert_string_equal(ctr_config_runtime_name(cfg), "crun");
	assert_string_equal(ctr_config_storage_driver(cfg), "overlay");
	assert_string_equal(ctr_config_hostname(cfg), "0123456789ab");
	ctr_config_unref(cfg);
}

static void test_scalars(void **state)
{
	ctr_config_t *cfg = parse(full);

	(void)state;
	assert_int_equal(ctr_config_image_volumes(cfg), 1);
	assert_int_equal(ctr_config_privileged(cfg), 1);
	assert_int_equal(ctr_config_new_net_ns(cfg), 1);
	assert_int_equal(ctr_config_stdin(cfg), 1);
	assert_int_equal(ctr_config_terminal(cfg), 0);
	assert_int_equal(ctr_config_read_only(cfg), 1);
	assert_int_equal(ctr_config_shm_size(cfg), 1);
	assert_int_equal(ctr_config_stop_signal(cfg), 9);
	assert_int_equal(ctr_config_stop_timeout_ms(cfg), 7000);
	assert_int_equal(ctr_config_created_ns(cfg), 1000000000);
	assert_int_equal(ctr_config_log_size(cfg), 5);
	assert_int_equal(ctr_config_root_uid(cfg), 1000);
	assert_int_equal(ctr_config_root_gid(cfg), 2000);
	ctr_config_unref(cfg);
}

typedef const char *const *(*list_fn)(const ctr_config_t *, size_t *);

static const struct {
	list_fn get;
	const char *want[10];
} lists[] = {
    {ctr_config_dependencies, {"a", "c", "i", "m", "p", "us", "ut", "z"}},
    {ctr_config_dns_servers, {"192.0.2.1"}},
    {ctr_config_dns_search, {"."}},
    {ctr_config_dns_options, {"o"}},
    {ctr_config_hosts_add, {"h:192.0.2.1"}},
    {ctr_config_user_volumes, {"/v"}},
    {ctr_config_entrypoint, {"e"}},
    {ctr_config_command, {"c1", "c2"}},
    {ctr_config_groups, {"g"}},
    {ctr_config_mounts, {"/m"}},
    {ctr_config_env, {"A=1"}},
    {ctr_config_args, {"/bin/sh", "-c"}},
};

static void test_lists(void **state)
{
	ctr_config_t *cfg = parse(full);

	(void)state;
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		size_t n = 99, want = 0;
		const char *const *list = lists[i].get(cfg, &n);

		for (; lists[i].want[want]; want++)
			assert_string_equal(list[want], lists[i].want[want]);
		assert_int_equal(n, want);
		assert_null(list[n]);
		assert_ptr_equal(lists[i].get(cfg, NULL), list);
		assert_non_null(lists[i].get(NULL, &n));
		assert_int_equal(n, 0);
		assert_null(lists[i].get(NULL, NULL)[0]);
	}
	ctr_config_unref(cfg);
}

static void test_labels(void **state)
{
	ctr_config_t *cfg = parse(full);
	const char *key = NULL, *value = NULL;
	size_t i = 0;

	(void)state;
	for (; ctr_config_label_at(cfg, i, &key, &value); i++) {
		assert_int_equal(key[0], "abc"[i]);
		assert_ptr_equal(ctr_config_label(cfg, key), value);
	}
	assert_int_equal(i, 3);
	assert_int_equal(ctr_config_label_at(cfg, 2, NULL, NULL), 1);
	assert_int_equal(ctr_config_label_at(cfg, SIZE_MAX, &key, &value), 0);
	assert_null(ctr_config_label(cfg, "d"));
	assert_null(ctr_config_label(cfg, ""));
	assert_null(ctr_config_label(cfg, NULL));
	ctr_config_unref(cfg);
}

static void test_json_texts(void **state)
{
	ctr_config_t *cfg = parse(full);
	size_t len = 0;

	(void)state;
	assert_string_equal(ctr_config_spec(cfg, &len), SPEC);
	assert_int_equal(len, strlen(SPEC));
	assert_string_equal(ctr_config_port_mappings(cfg, NULL), "[{\"hostPort\":1}]");
	assert_memory_equal(ctr_config_id_mappings(cfg, &len), "{\"UIDMap\":", 10);
	assert_null(ctr_config_port_mappings(NULL, &len));
	assert_int_equal(len, 0);
	ctr_config_unref(cfg);
}

static void test_namespaces(void **state)
{
	static const char *const want[] = {NULL, "i", "m", NULL, "p", "us", "ut", "c", NULL};
	static const char *const names[] = {
	    "invalid", "ipc", "mnt", "net", "pid", "user", "uts", "cgroup", "unknown"};
	ctr_config_t *cfg = parse(full);

	(void)state;
	for (int32_t ns = CTR_NS_INVALID; ns <= CTR_NS_CGROUP + 1; ns++) {
		const char *ctr = ctr_config_ns_ctr(cfg, ns);

		assert_true(want[ns] ? ctr && strcmp(ctr, want[ns]) == 0 : !ctr);
		assert_string_equal(ctr_ns_name(ns), names[ns]);
	}
	assert_string_equal(ctr_ns_name(-1), "unknown");
	assert_null(ctr_config_ns_ctr(cfg, -1));
	assert_null(ctr_config_ns_ctr(NULL, CTR_NS_PID));
	ctr_config_unref(cfg);
}

static void test_by_number(void **state)
{
	ctr_config_t *cfg = parse(full);
	size_t n = 9;

	(void)state;
	assert_string_equal(ctr_config_get_str(cfg, CTR_CONFIG_NAME), "web");
	assert_string_equal(ctr_config_get_str(cfg, CTR_CONFIG_SPEC), SPEC);
	assert_null(ctr_config_get_str(cfg, CTR_CONFIG_ROOTFS));
	assert_null(ctr_config_get_str(cfg, CTR_CONFIG_SHM_SIZE));
	assert_null(ctr_config_get_str(cfg, CTR_SPEC_HOSTNAME));
	assert_int_equal(ctr_config_get_num(cfg, CTR_CONFIG_STOP_TIMEOUT), 7);
	assert_int_equal(ctr_config_get_num(cfg, CTR_CONFIG_CREATED_TIME), 1000000000);
	assert_int_equal(ctr_config_get_num(cfg, CTR_CONFIG_STDIN), 1);
	assert_int_equal(ctr_config_get_num(cfg, CTR_CONFIG_TIMEOUT), 0);
	assert_int_equal(ctr_config_get_num(cfg, CTR_CONFIG_NAME), 0);
	assert_int_equal(ctr_config_get_num(cfg, -1), 0);
	assert_string_equal(ctr_config_get_list(cfg, CTR_CONFIG_COMMAND, &n)[1], "c2");
	assert_int_equal(n, 2);
	assert_null(ctr_config_get_list(cfg, CTR_CONFIG_NAME, &n)[0]);
	assert_int_equal(n, 0);
	assert_null(ctr_config_get_list(NULL, CTR_CONFIG_COMMAND, NULL)[0]);
	assert_null(ctr_config_get_str(NULL, CTR_CONFIG_NAME));
	assert_int_equal(ctr_config_get_num(NULL, CTR_CONFIG_STDIN), 0);
	ctr_config_unref(cfg);
}

static void test_absent(void **state)
{
	static const char json[] = "{\"spec\":" SPEC ",\"rootfs\":\"/r\",\"id\":\"abc\"}";
	ctr_config_t *cfg = parse(json);

	(void)state;
	assert_null(ctr_config_name(cfg));
	assert_string_equal(ctr_config_hostname(cfg), "abc");
	assert_string_equal(ctr_config_log_driver(cfg), "k8s-file");
	assert_int_equal(ctr_config_stop_signal(cfg), 15);
	assert_int_equal(ctr_config_stop_timeout_ms(cfg), 10000);
	assert_int_equal(ctr_config_shm_size(cfg), 65536000);
	assert_int_equal(ctr_config_created_ns(cfg), 0);
	assert_int_equal(ctr_config_read_only(cfg), 0);
	assert_int_equal(ctr_config_label_at(cfg, 0, NULL, NULL), 0);
	assert_null(ctr_config_dependencies(cfg, NULL)[0]);
	assert_null(ctr_config_id_mappings(cfg, NULL));
	assert_null(ctr_config_id(NULL));
	assert_null(ctr_config_hostname(NULL));
	assert_int_equal(ctr_config_stop_signal(NULL), 0);
	assert_int_equal(ctr_config_root_uid(NULL), 0);
	ctr_config_unref(cfg);
}

static void test_round_trip(void **state)
{
	ctr_config_t *cfg = parse(full);
	char *text = NULL, *text2 = NULL;
	size_t len = 0;

	(void)state;
	assert_int_equal(ctr_config_to_json(cfg, &text, &len, NULL), 0);
	assert_int_equal(strlen(text), len);
	assert_non_null(strstr(text, "\"spec\":" SPEC));
	assert_non_null(strstr(text, "\"extra\":{\"z\":1.0}}"));
	ctr_config_t *again = parse(text);

	assert_int_equal(ctr_config_to_json(again, &text2, NULL, NULL), 0);
	assert_string_equal(text, text2);
	ctr_free(text);
	ctr_free(text2);
	ctr_config_unrefp(&again);
	assert_null(again);
	ctr_config_unref(cfg);
}

/* The text need not end: a page's worth of memory that does not go past it. */
static void test_text_without_end(void **state)
{
	size_t len = strlen(full);
	char *exact = malloc(len);
	ctr_config_t *cfg = NULL;

	(void)state;
	assert_non_null(exact);
	memcpy(exact, full, len);
	assert_int_equal(ctr_config_from_json(exact, len, &cfg, NULL), 0);
	free(exact);
	assert_string_equal(ctr_config_name(cfg), "web"); /* copied */
	ctr_config_unref(cfg);
}

static void test_errors(void **state)
{
	static const char bad[] = "{\"spec\":" SPEC ",\"rootfs\":\"/r\",\"stopSignal\":\"TERM\"}";
	ctr_config_t *cfg = NULL;
	ctr_error_t *err = NULL;
	char *text = NULL;

	(void)state;
	assert_int_equal(ctr_config_from_json(bad, strlen(bad), &cfg, &err), CTR_E_INVALID);
	assert_null(cfg);
	assert_string_equal(ctr_error_get(err, "field"), "stopSignal");
	assert_non_null(strstr(ctr_error_message(err), "TERM"));
	ctr_error_freep(&err);
	assert_int_equal(ctr_config_from_json("{\n\n x", 5, &cfg, &err), CTR_E_INVALID);
	assert_non_null(strstr(ctr_error_message(err), "line 3"));
	ctr_error_freep(&err);
	assert_int_equal(ctr_config_from_json(NULL, 0, &cfg, NULL), CTR_E_INVALID);
	assert_int_equal(ctr_config_from_json("{}", 2, NULL, NULL), CTR_E_INVALID);
	assert_int_equal(ctr_config_to_json(NULL, &text, NULL, NULL), CTR_E_INVALID);
}

static void test_builder(void **state)
{
	ctr_config_t *base = parse(full), *cfg = NULL;
	ctr_config_builder_t *b = ctr_config_builder_new_from(base);

	(void)state;
	assert_non_null(b);
	assert_int_equal(ctr_config_builder_set_str(b, CTR_CONFIG_NAME, "other", NULL), 0);
	assert_int_equal(ctr_config_builder_set_bool(b, CTR_CONFIG_STDIN, 0, NULL), 0);
	assert_int_equal(ctr_config_builder_set_num(b, CTR_CONFIG_STOP_TIMEOUT, 1, NULL), 0);
	assert_int_equal(ctr_config_builder_add_str(b, CTR_CONFIG_COMMAND, "c3", NULL), 0);
	assert_int_equal(ctr_config_builder_set_map(b, CTR_CONFIG_LABELS, "a", NULL, NULL), 0);
	assert_int_equal(
	    ctr_config_builder_set_json(b, CTR_CONFIG_PORT_MAPPINGS, "[]", 2, NULL), 0);
	assert_int_equal(ctr_config_builder_build(b, &cfg, NULL), 0);
	ctr_config_builder_freep(&b);
	assert_null(b);
	assert_string_equal(ctr_config_name(cfg), "other");
	assert_int_equal(ctr_config_stdin(cfg), 0);
	assert_int_equal(ctr_config_stop_timeout_ms(cfg), 1000);
	assert_string_equal(ctr_config_command(cfg, NULL)[2], "c3");
	assert_null(ctr_config_label(cfg, "a"));
	assert_string_equal(ctr_config_port_mappings(cfg, NULL), "[]");
	assert_string_equal(ctr_config_name(base), "web");
	ctr_config_unref(cfg);
	ctr_config_unref(base);
}

static void test_builder_errors(void **state)
{
	ctr_config_builder_t *b = ctr_config_builder_new();
	ctr_config_t *cfg = NULL;
	ctr_error_t *err = NULL;
	char *text = NULL;

	(void)state;
	assert_int_equal(ctr_config_builder_set_num(b, CTR_CONFIG_NAME, 1, NULL), CTR_E_INVALID);
	assert_int_equal(ctr_config_builder_build(b, &cfg, &err), CTR_E_INVALID);
	assert_string_equal(ctr_error_get(err, "field"), "name");
	ctr_error_freep(&err);
	assert_int_equal(ctr_config_builder_build(b, NULL, NULL), CTR_E_INVALID);
	ctr_config_builder_free(b);
	ctr_config_builder_free(NULL);
	assert_int_equal(ctr_config_builder_build(NULL, &cfg, NULL), CTR_E_INVALID);
	assert_int_equal(ctr_spec_generate(NULL, &text, NULL, NULL), CTR_E_INVALID);
	assert_int_equal(ctr_config_builder_set_str(NULL, 3, "x", NULL), CTR_E_INVALID);
	assert_int_equal(ctr_config_builder_set_bool(NULL, 3, 1, NULL), CTR_E_INVALID);
	assert_int_equal(ctr_config_builder_set_num(NULL, 3, 1, NULL), CTR_E_INVALID);
	assert_int_equal(ctr_config_builder_add_str(NULL, 3, "x", NULL), CTR_E_INVALID);
	assert_int_equal(ctr_config_builder_set_map(NULL, 3, "x", "y", NULL), CTR_E_INVALID);
	assert_int_equal(ctr_config_builder_set_json(NULL, 3, "1", 1, NULL), CTR_E_INVALID);
}

/* The generated spec, edited by the caller and given back. */
static void test_generate(void **state)
{
	ctr_config_builder_t *b = ctr_config_builder_new();
	ctr_config_t *cfg = NULL;
	char *spec = NULL;
	size_t len = 0;

	(void)state;
	ctr_config_builder_set_str(b, CTR_CONFIG_ROOTFS, "/r", NULL);
	ctr_config_builder_add_str(b, CTR_CONFIG_COMMAND, "/bin/date", NULL);
	assert_int_equal(ctr_spec_generate(b, &spec, &len, NULL), 0);
	assert_int_equal(strlen(spec), len);
	char *found = strstr(spec, "/bin/date");

	assert_non_null(found);
	memcpy(found, "/bin/true", 9);
	assert_int_equal(ctr_config_builder_set_json(b, CTR_CONFIG_SPEC, spec, len, NULL), 0);
	assert_int_equal(ctr_config_builder_build(b, &cfg, NULL), 0);
	assert_string_equal(ctr_config_args(cfg, NULL)[0], "/bin/true");
	assert_string_equal(ctr_config_spec(cfg, NULL), spec);
	ctr_free(spec);
	ctr_config_unref(cfg);
	ctr_config_builder_free(b);
}

static void test_references(void **state)
{
	ctr_config_t *cfg = parse(full);

	(void)state;
	assert_ptr_equal(ctr_config_ref(cfg), cfg);
	assert_null(ctr_config_unref(cfg));
	assert_string_equal(ctr_config_name(cfg), "web");
	assert_null(ctr_config_ref(NULL));
	assert_null(ctr_config_unref(NULL));
	ctr_config_unrefp(NULL);

	/* unref is allowed in a child, and does not touch the parent's */
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(ctr_config_unref(cfg) == NULL ? 0 : 1);
	int status = -1;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_string_equal(ctr_config_name(cfg), "web");
	ctr_config_unref(cfg);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_example),
	    cmocka_unit_test(test_strings),
	    cmocka_unit_test(test_scalars),
	    cmocka_unit_test(test_lists),
	    cmocka_unit_test(test_labels),
	    cmocka_unit_test(test_json_texts),
	    cmocka_unit_test(test_namespaces),
	    cmocka_unit_test(test_by_number),
	    cmocka_unit_test(test_absent),
	    cmocka_unit_test(test_round_trip),
	    cmocka_unit_test(test_text_without_end),
	    cmocka_unit_test(test_errors),
	    cmocka_unit_test(test_builder),
	    cmocka_unit_test(test_builder_errors),
	    cmocka_unit_test(test_generate),
	    cmocka_unit_test(test_references),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
