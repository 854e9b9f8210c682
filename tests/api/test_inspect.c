/* SPDX-License-Identifier: Apache-2.0 */
/* Inspect: every state, batches, values, hostile strings, sizes, many at once. */
#include "fixture.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The document as text; it must be valid JSON without a key twice, which the library's own parser checks. */
static char *inspect(ctr_container_t *c, uint64_t flags)
{
	ctr_config_builder_t *b = ctr_config_builder_new();
	char *json = NULL;
	size_t len = 0;

	OK(ctr_container_inspect(c, flags, &json, &len, err));
	assert_int_equal(strlen(json), len);
	OK(ctr_config_builder_set_json(b, CTR_CONFIG_ID_MAPPINGS, json, len, err));
	ctr_config_builder_free(b);
	return json;
}

static void assert_shows(const char *json, const char *text)
{
	if (!json || !strstr(json, text))
		fail_msg("%s is not in %s", text, json ? json : "nothing");
}

static void assert_hides(const char *json, const char *text)
{
	if (!json || strstr(json, text))
		fail_msg("%s is in %s", text, json ? json : "nothing");
}

/* A container of a configuration as JSON: `fields` and `spec` are members to add, each ending in a comma. */
static ctr_container_t *create_from(struct fixture *f, const char *fields, const char *process,
    const char *spec, const char *resources)
{
	ctr_config_t *cfg = NULL;
	ctr_container_t *c = NULL;
	size_t size = 4096 + strlen(fields) + strlen(process) + strlen(spec) + strlen(resources);
	char *json = malloc(size);

	assert_non_null(json);
	snprintf(json, size,
	    "{\"rootfs\":\"%s\",\"runtime\":\"fake\",%s\"spec\":{\"ociVersion\":\"1.1.0\",%s"
	    "\"process\":{%s\"args\":[\"/bin/one\",\"two\"],\"cwd\":\"/\"},"
	    "\"linux\":{\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"ipc\"},"
	    "{\"type\":\"network\",\"path\":\"/run/netns/x\"}],\"resources\":{%s}}}}",
	    f->rootfs, fields, spec, process, resources);
	OK(ctr_config_from_json(json, strlen(json), &cfg, err));
	OK(ctr_container_create(f->rt, cfg, 0, &c, err));
	ctr_config_unref(cfg);
	free(json);
	return c;
}

/* ---- states ---- */

static void test_every_state(void **state)
{
	struct fixture *f = *state;
	char expected[120];

	for (int32_t s = CTR_STATE_CONFIGURED; s <= CTR_STATE_STOPPING; s++) {
		ctr_container_t *c = fixture_in_state(f, s);
		bool up =
		    s == CTR_STATE_RUNNING || s == CTR_STATE_PAUSED || s == CTR_STATE_STOPPING;
		char *json = inspect(c, 0);

		snprintf(expected, sizeof(expected),
		    "\"Status\":\"%s\",\"Running\":%s,\"Paused\":%s,", ctr_state_name(s),
		    s == CTR_STATE_RUNNING ? "true" : "false",
		    s == CTR_STATE_PAUSED ? "true" : "false");
		assert_shows(json, expected);
		assert_int_equal(
		    strstr(json, "\"CgroupPath\":\"/libpod_parent/libpod-") != NULL, up);
		assert_int_equal(strstr(json, "\"StartedAt\":\"0001-01-01T00:00:00Z\"") != NULL,
		    s == CTR_STATE_CONFIGURED || s == CTR_STATE_CREATED || s == CTR_STATE_REMOVING);
		snprintf(expected, sizeof(expected), "\"Id\":\"%.64s\"", ctr_container_id(c));
		assert_shows(json, expected);
		ctr_free(json);
		OK(ctr_container_remove(c, CTR_REMOVE_FORCE, err));
		ctr_container_unref(c);
	}
}

/* What init adds is shown while the bundle is there. */
static void test_the_spec_that_runs(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_create(f, NULL);
	char *before = inspect(c, 0), *after;

	OK(ctr_container_init(c, 0, err));
	after = inspect(c, 0);
	assert_hides(before, "\"HOSTNAME=");
	assert_hides(before, "\"OCIConfigPath\"");
	assert_shows(after, "\"HOSTNAME=");
	assert_shows(after, "\"OCIConfigPath\"");
	ctr_free(before);
	ctr_free(after);
	ctr_container_unref(c);
}

static void test_a_lost_bundle(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_in_state(f, CTR_STATE_RUNNING);
	char path[400], *json;
	FILE *file;

	snprintf(path, sizeof(path), "%s/containers/%s/config.json", f->run, ctr_container_id(c));
	file = fopen(path, "w"); /* not what init has written */
	assert_non_null(file);
	fputs("{\"process\":", file);
	fclose(file);
	json = inspect(c, 0);
	assert_shows(json, "\"Path\":\"/bin/true\"");
	assert_shows(json, "\"WorkingDir\":\"/\"");
	ctr_free(json);
	assert_int_equal(remove(path), 0);
	json = inspect(c, 0);
	assert_shows(json, "\"WorkingDir\":\"/\"");
	ctr_free(json);
	ctr_container_unref(c);
}

static void test_exit(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_in_state(f, CTR_STATE_RUNNING);
	char *json;

	fake_oci_exit(f->fake, ctr_container_id(c), 42);
	json = inspect(c, 0);
	assert_shows(json, "\"Status\":\"stopped\"");
	assert_shows(json, "\"ExitCode\":42,");
	assert_hides(json, "\"FinishedAt\":\"0001");
	assert_hides(json, "\"StoppedByUser\"");
	ctr_free(json);
	OK(ctr_container_start(c, 0, err));
	OK(ctr_container_stop_with_timeout(c, 0, err));
	json = inspect(c, 0);
	assert_shows(json, "\"StoppedByUser\":true");
	ctr_free(json);
	ctr_container_unref(c);
}

/* What another handle has changed; resources of what runs and of what is configured. */
static void test_changes(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_in_state(f, CTR_STATE_RUNNING), *other = NULL;
	struct ctr_update_opts o = {.size = sizeof(o), .resources = "{\"cpu\":{\"shares\":77}}"};
	char *json;

	OK(ctr_container_get(f->rt, ctr_container_id(c), &other, err));
	OK(ctr_container_update(other, &o, err));
	OK(ctr_container_rename(other, "another", err));
	json = inspect(c, 0);
	assert_shows(json, "\"Name\":\"another\"");
	assert_shows(json, "\"CpuShares\":77");
	ctr_free(json);
	OK(ctr_container_stop_with_timeout(other, 0, err));
	OK(ctr_container_cleanup(other, 0, err));
	json = inspect(c, 0);
	assert_shows(json, "\"Status\":\"exited\"");
	assert_shows(json, "\"CpuShares\":77");
	assert_hides(json, "OCIConfigPath");
	ctr_free(json);
	ctr_container_unref(other);
	ctr_container_unref(c);
}

static void test_health(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = create_from(f,
	    "\"healthcheck\":{\"Test\":[\"CMD\",\"probe\"],\"Interval\":0,\"Retries\":1},"
	    "\"healthcheck_on_failure_action\":0,\"healthMaxLogSize\":9,",
	    "", "", "");
	char *json = inspect(c, 0);

	assert_shows(json, "\"Health\":{\"Status\":\"\",\"FailingStreak\":0,\"Log\":null}");
	assert_shows(json, "\"Healthcheck\":{\"Test\":[\"CMD\",\"probe\"],\"Interval\":0,");
	assert_shows(json,
	    "\"HealthcheckOnFailureAction\":\"none\",\"HealthLogDestination\":\"local\","
	    "\"HealthcheckMaxLogCount\":5,\"HealthcheckMaxLogSize\":9,");
	ctr_free(json);
	OK(ctr_container_start(c, 0, err));
	json = inspect(c, 0);
	assert_shows(json, "\"Health\":{\"Status\":\"starting\",");
	ctr_free(json);
	fake_oci_exec(f->fake, 1, "no \"luck\"\x01");
	OK(ctr_container_healthcheck_run(c, 0, NULL, err));
	json = inspect(c, 0);
	assert_shows(
	    json, "\"Health\":{\"Status\":\"unhealthy\",\"FailingStreak\":1,\"Log\":[{\"Start\":");
	assert_shows(json, "\"ExitCode\":1,\"Output\":\"no \\\"luck\\\"");
	ctr_free(json);
	ctr_container_unref(c);
}

/* ---- bad use ---- */

static void test_refusals(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_create(f, NULL);
	char *json = (char *)f;
	size_t len = 7;

	FAILS(CTR_E_INVALID, ctr_container_inspect(c, 0, NULL, &len, err));
	FAILS(CTR_E_UNSUPPORTED, ctr_container_inspect(c, 1U << 5, &json, &len, err));
	assert_null(json);
	assert_int_equal(len, 0);
	FAILS(CTR_E_INVALID, ctr_container_inspect(NULL, 0, &json, &len, err));
	FAILS(CTR_E_INVALID, ctr_runtime_inspect_many(f->rt, NULL, 0, NULL, NULL, err));
	FAILS(CTR_E_INVALID, ctr_runtime_inspect_many(NULL, NULL, 0, &json, NULL, err));
	FAILS(CTR_E_UNSUPPORTED, ctr_runtime_inspect_many(f->rt, NULL, 2, &json, NULL, err));
	const char *const filters[] = {"colour=red", NULL};
	FAILS(CTR_E_INVALID, ctr_runtime_inspect_many(f->rt, filters, 0, &json, NULL, err));
	OK(ctr_container_remove(c, 0, err));
	json = (char *)f;
	FAILS(CTR_E_CTR_REMOVED, ctr_container_inspect(c, 0, &json, &len, err));
	assert_null(json);
	ctr_container_unref(c);
}

static int look(ctr_container_t *view, void *userdata)
{
	return ctr_container_inspect(view, CTR_INSPECT_SIZE, userdata, NULL, NULL);
}

static void test_batch(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_in_state(f, CTR_STATE_PAUSED);
	char *json = NULL;

	OK(ctr_container_batch(c, look, &json, err));
	assert_shows(json, "\"Status\":\"paused\"");
	assert_shows(json, "\"SizeRw\":0");
	ctr_free(json);
	ctr_container_unref(c);
}

/* ---- values ---- */

static void test_hostile_strings(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = create_from(f,
	    "\"labels\":{\"a\\\"b\\\\\":\"\\u0001\\u001f\\u007f\\n\\t</script>\","
	    "\"}],\":\"{[\"},\"command\":[\"\\u00e9\\ud83d\\ude00\\u2028\"],"
	    "\"entrypoint\":[\"a\\\\\",\"b\\\"\"],",
	    "\"env\":[\"K=\\u0007\\\"\"],", "\"annotations\":{\"\\u0002\":\"\\u0003\"},",
	    "\"unified\":{\"\\\"\":\"\\\\\"}");
	char *json = inspect(c, 0);

	assert_shows(json, "\"a\\\"b\\\\\":\"\\u0001\\u001f\x7f\\n\\t</script>\"");
	assert_shows(json, "\"}],\":\"{[\"");
	assert_shows(json, "\"Cmd\":[\"\xc3\xa9\xf0\x9f\x98\x80\xe2\x80\xa8\"]");
	assert_shows(json, "\"Entrypoint\":\"a\\\\ b\\\"\"");
	assert_shows(json, "\"Env\":[\"K=\\u0007\\\"\"]");
	assert_shows(json, "\"CgroupConf\":{\"\\\"\":\"\\\\\"}");
	for (const char *p = json; *p; p++)
		assert_true((unsigned char)*p >= 0x20);
	ctr_free(json);
	ctr_container_unref(c);
}

static void test_identity(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = create_from(f,
	    "\"id\":\"abcdefghijklmnop\",\"name\":\"web\",\"createdTime\":\"2024-02-03T04:05:06."
	    "7Z\","
	    "\"stopSignal\":9,\"umask\":\"27\",\"namespace\":\"ns\",\"logTag\":\"tag\","
	    "\"secret_env\":{\"TOKEN\":{\"name\":\"x\"}},\"passwd\":false,\"sdnotifyMode\":"
	    "\"conmon\","
	    "\"secrets\":[{\"name\":\"n\",\"id\":\"i\",\"UID\":1,\"GID\":2,\"Mode\":292,\"more\":3}"
	    "],"
	    "\"kubeExitCodePropagation\":2,\"isService\":true,\"systemd\":true,",
	    "\"env\":[\"TOKEN=hush\",\"TOKENS=shown\"],\"apparmorProfile\":\"prof\",", "", "");
	char *json = inspect(c, 0);

	assert_true(
	    strncmp(json,
	        "{\"Id\":\"abcdefghijklmnop\",\"Created\":\"2024-02-03T04:05:06.7Z\","
	        "\"Path\":\"/bin/one\",\"Args\":[\"two\"],\"State\":{\"OciVersion\":\"1.1.0\",",
	        140 - 20) == 0);
	assert_shows(json, "\"Name\":\"web\"");
	assert_shows(json, "\"Hostname\":\"abcdefghijkl\"");
	assert_shows(json, "\"StopSignal\":9,");
	assert_shows(json, "\"Umask\":\"0027\"");
	assert_shows(json, "\"Namespace\":\"ns\"");
	assert_shows(json, "\"Tag\":\"tag\"");
	assert_shows(json, "\"Env\":[\"TOKEN=*******\",\"TOKENS=shown\"]");
	assert_hides(json, "hush");
	assert_shows(json, "\"Passwd\":false");
	assert_shows(json, "\"sdNotifyMode\":\"conmon\"");
	assert_shows(
	    json, "\"Secrets\":[{\"Name\":\"n\",\"ID\":\"i\",\"UID\":1,\"GID\":2,\"Mode\":292}]");
	assert_shows(json, "\"KubeExitCodePropagation\":\"all\"");
	assert_shows(json, "\"IsService\":true");
	assert_shows(json, "\"SystemdMode\":true");
	assert_shows(json, "\"AppArmorProfile\":\"prof\"");
	assert_shows(json, "\"EffectiveCaps\":null,\"BoundingCaps\":null");
	ctr_free(json);
	ctr_container_unref(c);
}

static void test_limits(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = create_from(f, "\"logSize\":1048576,",
	    "\"rlimits\":[{\"type\":\"RLIMIT_CORE\",\"soft\":5,\"hard\":18446744073709551615}],"
	    "\"oomScoreAdj\":-900,",
	    "",
	    "\"cpu\":{\"shares\":18446744073709551615,\"period\":100000,\"quota\":250000,"
	    "\"cpus\":\"0-1\",\"mems\":\"0\"},"
	    "\"memory\":{\"limit\":9223372036854775807,\"swap\":-1,\"disableOOMKiller\":true},"
	    "\"pids\":{\"limit\":-1},"
	    "\"blockIO\":{\"weight\":10,\"weightDevice\":[{\"major\":9999999,\"minor\":1,"
	    "\"weight\":3}]},"
	    "\"unified\":{\"memory.high\":\"1\"}");
	char *json = inspect(c, 0);

	assert_shows(json, "\"Soft\":5,\"Hard\":-1}");
	assert_shows(json, "\"OomScoreAdj\":-900");
	assert_shows(json, "\"CpuShares\":18446744073709551615,");
	assert_shows(json, "\"Memory\":9223372036854775807,\"NanoCpus\":2500000000,");
	assert_shows(json, "\"CpuPeriod\":100000,\"CpuQuota\":250000,");
	assert_shows(json, "\"CpusetCpus\":\"0-1\",\"CpusetMems\":\"0\"");
	assert_shows(json, "\"MemorySwap\":-1,\"MemorySwappiness\":-1,\"OomKillDisable\":true");
	assert_shows(json, "\"PidsLimit\":-1");
	/* A device that the host has not got has no name. */
	assert_shows(json, "\"BlkioWeight\":10,\"BlkioWeightDevice\":[],\"BlkioDeviceReadBps\":[]");
	assert_shows(json, "\"CgroupConf\":{\"memory.high\":\"1\"}");
	assert_shows(json, "\"Size\":\"1.049MB\"");
	ctr_free(json);
	ctr_container_unref(c);
}

/* The size of a log as people read it: four digits. */
static void test_log_sizes(void **state)
{
	static const char *const sizes[][2] = {{"0", "0B"}, {"999", "999B"}, {"1000", "1kB"},
	    {"1234", "1.234kB"}, {"12345", "12.35kB"}, {"123456", "123.5kB"}, {"999999", "1000kB"},
	    {"1000000", "1MB"}, {"1050000000", "1.05GB"}, {"9223372036854775807", "9.223EB"}};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		char field[64], expected[64];
		snprintf(field, sizeof(field), "\"logSize\":%s,", sizes[i][0]);
		snprintf(expected, sizeof(expected), "\"Size\":\"%s\"", sizes[i][1]);
		ctr_container_t *c = create_from(f, field, "", "", "");
		char *json = inspect(c, 0);
		assert_shows(json, expected);
		ctr_free(json);
		ctr_container_unref(c);
	}
}

static void test_namespaces(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *other = fixture_create(f, NULL), *c;
	char fields[200], expected[200], *json;

	snprintf(
	    fields, sizeof(fields), "\"pidNsCtr\":\"%s\",\"NoShm\":true,", ctr_container_id(other));
	c = create_from(f, fields, "", "", "");
	json = inspect(c, 0);
	assert_shows(json, "\"IpcMode\":\"none\"");
	assert_shows(json, "\"NetworkMode\":\"ns:/run/netns/x\"");
	assert_shows(json, "\"UTSMode\":\"host\",\"UsernsMode\":\"\"");
	assert_shows(json, "\"CgroupMode\":\"host\"");
	snprintf(
	    expected, sizeof(expected), "\"PidMode\":\"container:%s\"", ctr_container_id(other));
	assert_shows(json, expected);
	snprintf(expected, sizeof(expected), "\"Dependencies\":[\"%s\"]", ctr_container_id(other));
	assert_shows(json, expected);
	ctr_free(json);
	ctr_container_unref(c);
	c = create_from(f, "\"NOShmShare\":true,", "", "", "");
	json = inspect(c, 0);
	assert_shows(json, "\"IpcMode\":\"private\"");
	ctr_free(json);
	ctr_container_unref(c);
	json = inspect(other, 0);
	assert_shows(json, "\"IpcMode\":\"shareable\"");
	assert_shows(json, "\"PidMode\":\"private\"");
	assert_shows(json, "\"NetworkMode\":\"none\"");
	ctr_free(json);
	ctr_container_unref(other);
}

static void test_mounts(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c =
	    create_from(f, "\"userVolumes\":[\"/b\",\"/t\",\"/nowhere\",\"/a\",\"/b\",\"/t\"],", "",
	        "\"mounts\":[{\"destination\":\"/a\",\"type\":\"bind\",\"source\":\"/old\"},"
	        "{\"destination\":\"/a\",\"type\":\"bind\",\"source\":\"/src\","
	        "\"options\":[\"ro\",\"rslave\",\"rbind\",\"Z\"]},"
	        "{\"destination\":\"/b\",\"type\":\"bind\",\"source\":\"/src\"},"
	        "{\"destination\":\"/t\",\"type\":\"tmpfs\",\"source\":\"tmpfs\","
	        "\"options\":[\"size=1k\",\"rw\"]},"
	        "{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"}],",
	        "");
	char *json = inspect(c, 0);

	assert_shows(json, "\"Mounts\":[{\"Type\":\"bind\",\"Source\":\"/src\",\"Destination\":\"/"
	                   "b\",\"Driver\":\"\","
	                   "\"Mode\":\"\",\"Options\":[],\"RW\":true,\"Propagation\":\"\"},"
	                   "{\"Type\":\"bind\",\"Source\":\"/src\",\"Destination\":\"/"
	                   "a\",\"Driver\":\"\",\"Mode\":\"Z\","
	                   "\"Options\":[\"rbind\"],\"RW\":false,\"Propagation\":\"rslave\"}]");
	assert_shows(json, "\"Binds\":[\"/src:/b\",\"/src:/a:ro,rslave,rbind,Z\"]");
	assert_shows(json, "\"Tmpfs\":{\"/t\":\"size=1k,rw\"}");
	ctr_free(json);
	ctr_container_unref(c);
}

/* A bind mount of a builder is a user's mount. */
static void test_binds_of_a_builder(void **state)
{
	struct fixture *f = *state;
	ctr_config_builder_t *b = ctr_config_builder_new();
	ctr_config_t *cfg = NULL;
	ctr_container_t *c = NULL;
	char expected[400], *json;

	OK(ctr_config_builder_set_str(b, CTR_CONFIG_ROOTFS, f->rootfs, err));
	OK(ctr_config_builder_set_str(b, CTR_CONFIG_RUNTIME, "fake", err));
	OK(ctr_config_builder_add_str(b, CTR_CONFIG_COMMAND, "/bin/true", err));
	OK(ctr_config_builder_add_str(b, CTR_CONFIG_USER_VOLUMES, "/second", err));
	snprintf(expected, sizeof(expected), "%s:/first:ro", f->rootfs);
	OK(ctr_config_builder_add_str(b, CTR_SPEC_BIND, expected, err));
	snprintf(expected, sizeof(expected), "%s:/second", f->rootfs);
	OK(ctr_config_builder_add_str(b, CTR_SPEC_BIND, expected, err));
	OK(ctr_config_builder_build(b, &cfg, err));
	OK(ctr_container_create(f->rt, cfg, 0, &c, err));
	json = inspect(c, 0);
	snprintf(expected, sizeof(expected),
	    "\"Binds\":[\"%s:/second:rbind,rprivate\",\"%s:/first:rbind,rprivate,ro\"]", f->rootfs,
	    f->rootfs);
	assert_shows(json, expected);
	ctr_free(json);
	ctr_config_builder_free(b);
	ctr_config_unref(cfg);
	ctr_container_unref(c);
}

static void test_security(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = create_from(f, "\"readOnly\":true,",
	    "\"noNewPrivileges\":true,\"capabilities\":{\"bounding\":[\"CAP_SYS_ADMIN\",\"CAP_"
	    "CHOWN\"],"
	    "\"effective\":[\"CAP_CHOWN\"]},",
	    "\"annotations\":{\"io.podman.annotations.seccomp\":\"unconfined\","
	    "\"io.podman.annotations.volumes-from\":\"a;b\","
	    "\"io.podman.annotations.autoremove\":\"TRUE\",\"io.podman.annotations.init\":\"TRUE\"}"
	    ",",
	    "");
	char *json = inspect(c, 0);

	assert_shows(json,
	    "\"EffectiveCaps\":[\"CAP_CHOWN\"],\"BoundingCaps\":[\"CAP_SYS_ADMIN\",\"CAP_CHOWN\"]");
	assert_shows(json, "\"CapAdd\":[\"CAP_SYS_ADMIN\"],\"CapDrop\":[\"CAP_AUDIT_WRITE\",");
	assert_shows(json, "\"SecurityOpt\":[\"no-new-privileges\",\"seccomp=unconfined\"]");
	assert_shows(json, "\"VolumesFrom\":[\"a\",\"b\"]");
	assert_shows(json, "\"AutoRemove\":true");
	assert_shows(json, "\"Init\":true");
	assert_shows(json, "\"Privileged\":false");
	assert_shows(json, "\"ReadonlyRootfs\":true");
	ctr_free(json);
	ctr_container_unref(c);
}

static void test_ids_and_ports(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = create_from(f,
	    "\"exposedPorts\":{\"80\":[\"tcp\",\"udp\"],\"443\":[\"sctp\"],\"1\":null},"
	    "\"idMappingsOptions\":{\"UIDMap\":[{\"container_id\":0,\"host_id\":100000,\"size\":"
	    "65536}],"
	    "\"GIDMap\":[{\"container_id\":0,\"host_id\":200000,\"size\":1}]},",
	    "", "", "");
	char *json = inspect(c, 0);

	assert_shows(json, "\"Ports\":{\"443/sctp\":null,\"80/tcp\":null,\"80/udp\":null}");
	assert_shows(json, "\"ExposedPorts\":{\"443/sctp\":{},\"80/tcp\":{},\"80/udp\":{}}");
	assert_shows(json, "\"PortBindings\":{}");
	assert_shows(
	    json, "\"IDMappings\":{\"UidMap\":[\"0:100000:65536\"],\"GidMap\":[\"0:200000:1\"]}");
	ctr_free(json);
	ctr_container_unref(c);
}

/* ---- sizes ---- */

static void test_sizes(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_create(f, NULL);
	char *json = inspect(c, 0);

	assert_hides(json, "\"SizeRw\"");
	ctr_free(json);
	json = inspect(c, CTR_INSPECT_SIZE);
	assert_shows(json, "\"SizeRw\":0,\"SizeRootFs\":");
	ctr_free(json);
	ctr_container_unref(c);
}

/* A storage driver that looks at what others can do while it counts. */
struct counter {
	ctr_container_t *c;
	bool remove, fail;
	int result;
};

static int counter_mount(void *impl, const struct ctr_storage_container *c, char *path,
    size_t path_size, ctr_error_t **err)
{
	(void)impl;
	(void)err;
	snprintf(path, path_size, "%s", c->rootfs);
	return 0;
}

static int counter_unmount(void *impl, const struct ctr_storage_container *c, ctr_error_t **err)
{
	(void)impl;
	(void)c;
	(void)err;
	return 0;
}

static void *use_container(void *arg)
{
	struct counter *k = arg;
	int32_t pid;

	k->result =
	    k->remove ? ctr_container_remove(k->c, 0, NULL) : ctr_container_pid(k->c, &pid, NULL);
	return NULL;
}

static int counter_usage(void *impl, const struct ctr_storage_container *c, int64_t *rootfs,
    int64_t *rw, ctr_error_t **err)
{
	struct counter *k = impl;
	pthread_t thread;

	(void)c;
	assert_int_equal(pthread_create(&thread, NULL, use_container, k), 0);
	pthread_join(thread, NULL);
	*rootfs = INT64_MAX;
	*rw = 12;
	if (k->fail)
		return ctr_error_set(err, CTR_E_STORAGE, 0, "the disk is gone");
	return 0;
}

static const struct ctr_storage_ops counter_ops = {.size = sizeof(counter_ops),
    .name = "counter",
    .mount = counter_mount,
    .unmount = counter_unmount,
    .usage = counter_usage};

static ctr_container_t *create_counted(struct fixture *f, struct counter *k)
{
	struct ctr_storage_ops ops = counter_ops;

	OK(ctr_runtime_add_storage(f->rt, &ops, k, NULL, err));
	k->c = create_from(f, "\"storageDriver\":\"counter\",", "", "", "");
	return k->c;
}

static void test_sizes_without_the_lock(void **state)
{
	struct fixture *f = *state;
	struct counter k = {0};
	ctr_container_t *c = create_counted(f, &k);
	char *json = inspect(c, CTR_INSPECT_SIZE);

	assert_int_equal(k.result, 0); /* the lock was free */
	assert_shows(json, "\"SizeRw\":12,\"SizeRootFs\":9223372036854775807");
	assert_shows(json, "\"GraphDriver\":{\"Name\":\"counter\",\"Data\":null}");
	ctr_free(json);
	k.fail = true;
	FAILS(CTR_E_STORAGE, ctr_container_inspect(c, CTR_INSPECT_SIZE, &json, NULL, err));
	/* Why it fails is that the container has gone. */
	k.remove = true;
	FAILS(CTR_E_CTR_REMOVED, ctr_container_inspect(c, CTR_INSPECT_SIZE, &json, NULL, err));
	ctr_container_unref(c);
}

static void test_sizes_unknown(void **state)
{
	struct fixture *f = *state;
	struct ctr_storage_ops ops = counter_ops;
	ctr_container_t *c;
	char *json = NULL;

	ops.usage = NULL;
	OK(ctr_runtime_add_storage(f->rt, &ops, NULL, NULL, err));
	c = create_from(f, "\"storageDriver\":\"counter\",", "", "", "");
	FAILS(CTR_E_UNSUPPORTED, ctr_container_inspect(c, CTR_INSPECT_SIZE, &json, NULL, err));
	ctr_free(inspect(c, 0));
	ctr_container_unref(c);
}

/* ---- many ---- */

static size_t count(const char *json, const char *text)
{
	size_t n = 0;

	while ((json = strstr(json, text))) {
		n++;
		json++;
	}
	return n;
}

static void test_many(void **state)
{
	struct fixture *f = *state;
	const char *const filters[] = {"name=a", NULL}, *const none[] = {"name=nobody", NULL};
	char *json = NULL;
	size_t len = 0;

	OK(ctr_runtime_inspect_many(f->rt, NULL, 0, &json, &len, err));
	assert_string_equal(json, "[]");
	ctr_free(json);
	ctr_container_unref(fixture_create(f, "anna"));
	ctr_container_unref(fixture_create(f, "hanna"));
	ctr_container_unref(fixture_create(f, "otto"));
	OK(ctr_runtime_inspect_many(f->rt, NULL, 0, &json, &len, err));
	assert_int_equal(len, strlen(json));
	assert_int_equal(count(json, "{\"Id\":"), 3);
	assert_int_equal(count(json, "},{\"Id\":"), 2);
	ctr_free(json);
	OK(ctr_runtime_inspect_many(f->rt, filters, CTR_INSPECT_SIZE, &json, NULL, err));
	assert_int_equal(count(json, "{\"Id\":"), 2);
	assert_int_equal(count(json, "\"SizeRw\":0"), 2);
	assert_null(strstr(json, "otto"));
	ctr_free(json);
	OK(ctr_runtime_inspect_many(f->rt, none, 0, &json, NULL, err));
	assert_string_equal(json, "[]");
	ctr_free(json);
}

/* One that goes while the others are looked at is left out, and so is its comma. */
static void test_many_while_one_goes(void **state)
{
	struct fixture *f = *state;
	struct counter k = {.remove = true, .fail = true};
	char *json = NULL;

	create_counted(f, &k);
	ctr_container_unref(fixture_create(f, "stays"));
	OK(ctr_runtime_inspect_many(f->rt, NULL, CTR_INSPECT_SIZE, &json, NULL, err));
	assert_int_equal(count(json, "{\"Id\":"), 1);
	assert_shows(json, "\"Name\":\"stays\"");
	assert_int_equal(json[1], '{');
	ctr_free(json);
	ctr_container_unref(k.c);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_every_state),
	    TEST(test_the_spec_that_runs),
	    TEST(test_a_lost_bundle),
	    TEST(test_exit),
	    TEST(test_changes),
	    TEST(test_health),
	    TEST(test_refusals),
	    TEST(test_batch),
	    TEST(test_hostile_strings),
	    TEST(test_identity),
	    TEST(test_limits),
	    TEST(test_log_sizes),
	    TEST(test_namespaces),
	    TEST(test_mounts),
	    TEST(test_binds_of_a_builder),
	    TEST(test_security),
	    TEST(test_ids_and_ports),
	    TEST(test_sizes),
	    TEST(test_sizes_without_the_lock),
	    TEST(test_sizes_unknown),
	    TEST(test_many),
	    TEST(test_many_while_one_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
