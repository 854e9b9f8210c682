/* SPDX-License-Identifier: Apache-2.0 */
/* Configurations of pods. */
#include "config_test.h"

#include "config/pod.h"

static void free_pod(ctr_pod_config_t **cfg)
{
	ctr_pod_config_unrefp(cfg);
}
#define POD CTR__CLEANUP(free_pod)

static ctr_pod_config_t *parse_pod(const char *json)
{
	ctr_pod_config_t *cfg = NULL;
	ctr_error_t *err = NULL;

	if (ctr_pod_config_from_json(json, strlen(json), &cfg, &err) < 0)
		fail_msg("%s", ctr_error_message(err));
	return cfg;
}

static void refused(const char *json, const char *field)
{
	ctr_pod_config_t *cfg = NULL;
	ctr_error_t *err = NULL;

	assert_int_equal(ctr_pod_config_from_json(json, strlen(json), &cfg, &err), CTR_E_INVALID);
	assert_null(cfg);
	assert_string_equal(ctr_error_get(err, "field"), field);
	ctr_error_free(err);
}

static void options_become_a_configuration(void **state)
{
	static const char *const labels[] = {"b=2=3", "a", NULL};
	static const char *const command[] = {"ctrctl", "pod", "create", NULL};
	struct ctr_pod_opts o = {.size = sizeof(o),
	    .id = "abc",
	    .name = "web",
	    .hostname = "web.local",
	    .cgroup_parent = "/here",
	    .exit_policy = "stop",
	    .restart_policy = "on-failure",
	    .restart_retries = 3,
	    .labels = labels,
	    .create_command = command};
	POD ctr_pod_config_t *cfg = NULL;
	const char *key, *value;
	size_t n;

	(void)state;
	assert_int_equal(ctr_pod_config_new(&o, &cfg, NULL), 0);
	assert_string_equal(ctr_pod_config_id(cfg), "abc");
	assert_string_equal(ctr_pod_config_name(cfg), "web");
	assert_string_equal(ctr_pod_config_hostname(cfg), "web.local");
	assert_string_equal(ctr_pod_config_cgroup_parent(cfg), "/here");
	assert_string_equal(ctr_pod_config_exit_policy(cfg), "stop");
	assert_string_equal(ctr_pod_config_restart_policy(cfg), "on-failure");
	assert_int_equal(ctr_pod_config_restart_retries(cfg), 3);
	assert_true(ctr_pod_config_shares(cfg) == CTR_POD_SHARE_DEFAULT);
	assert_int_equal(ctr_pod_config_has_infra(cfg), 1);
	assert_int_equal(ctr_pod_config_created_ns(cfg), 0);
	assert_string_equal(ctr_pod_config_label(cfg, "b"), "2=3");
	assert_string_equal(ctr_pod_config_label(cfg, "a"), "");
	assert_null(ctr_pod_config_label(cfg, "c"));
	assert_int_equal(ctr_pod_config_label_at(cfg, 0, &key, &value), 1);
	assert_string_equal(key, "a");
	assert_int_equal(ctr_pod_config_label_at(cfg, 2, &key, &value), 0);
	assert_string_equal(ctr_pod_config_create_command(cfg, &n)[1], "pod");
	assert_int_equal(n, 3);
}

static void nothing_said_means_the_usual(void **state)
{
	const struct ctr_pod_opts bare = {.size = sizeof(bare), .flags = CTR_POD_NO_INFRA};
	const struct ctr_pod_opts none = {.size = sizeof(none), .shares = CTR_POD_SHARE_NONE};
	POD ctr_pod_config_t *usual = NULL, *plain = NULL, *alone = NULL;

	(void)state;
	assert_int_equal(ctr_pod_config_new(NULL, &usual, NULL), 0);
	assert_string_equal(ctr_pod_config_exit_policy(usual), "continue");
	assert_null(ctr_pod_config_restart_policy(usual));
	assert_null(ctr_pod_config_name(usual));
	assert_int_equal(ctr_pod_config_new(&bare, &plain, NULL), 0);
	assert_true(ctr_pod_config_shares(plain) == CTR_POD_SHARE_CGROUP);
	assert_int_equal(ctr_pod_config_has_infra(plain), 0);
	assert_int_equal(ctr_pod_config_new(&none, &alone, NULL), 0);
	assert_true(ctr_pod_config_shares(alone) == 0);
}

static void json_is_kept_with_what_is_unknown(void **state)
{
	static const char json[] = "{\"name\":\"n\",\"later\":{\"x\":[1.50]},\"sharesNet\":true,"
	                           "\"hasInfra\":true,\"created\":\"2024-01-02T03:04:05Z\","
	                           "\"lockID\":7}";
	POD ctr_pod_config_t *cfg = parse_pod(json), *full = NULL;
	const struct ctr__pod_defaults d = {.id = "id", .name = "other", .cgroup_parent = "/p"};
	CTR__FREE char *text = NULL;

	(void)state;
	assert_true(ctr_pod_config_shares(cfg) == CTR_POD_SHARE_NET);
	assert_int_equal(ctr_pod_config_to_json(cfg, &text, NULL, NULL), 0);
	assert_string_equal(text, json);
	assert_int_equal(ctr__pod_config_complete(cfg, &d, &full, NULL), 0);
	assert_string_equal(ctr_pod_config_id(full), "id");
	assert_string_equal(ctr_pod_config_name(full), "n");
	assert_string_equal(ctr_pod_config_cgroup_parent(full), "/p");
	assert_true(ctr_pod_config_created_ns(full) == ctr_pod_config_created_ns(cfg));
	assert_non_null(strstr(full->json.text, "\"later\":{\"x\":[1.50]}"));
	/* The original is as it was. */
	assert_null(ctr_pod_config_id(cfg));
}

static void what_cannot_be_is_refused(void **state)
{
	const struct ctr_pod_opts flags = {.size = sizeof(flags), .flags = 64};
	const struct ctr_pod_opts shares = {.size = sizeof(shares), .shares = UINT64_C(1) << 40};
	const struct ctr_pod_opts both = {
	    .size = sizeof(both), .shares = CTR_POD_SHARE_NONE | CTR_POD_SHARE_NET};
	ctr_pod_config_t *cfg = NULL;

	(void)state;
	refused("{\"id\":\"a/b\"}", "id");
	refused("{\"name\":\"-x\"}", "name");
	refused("{\"name\":5}", "name");
	refused("{\"hostname\":\"a b\"}", "hostname");
	refused("{\"labels\":{\"\":\"x\"}}", "labels");
	refused("{\"ExitPolicy\":\"later\"}", "ExitPolicy");
	refused("{\"RestartPolicy\":\"sometimes\"}", "RestartPolicy");
	refused("{\"RestartRetries\":-1,\"RestartPolicy\":\"on-failure\"}", "RestartRetries");
	refused("{\"RestartRetries\":2}", "RestartRetries");
	refused("{\"sharesNet\":true}", "sharesNet");
	refused("{\"sharesNet\":\"yes\"}", "sharesNet");
	assert_int_equal(ctr_pod_config_from_json("[]", 2, &cfg, NULL), CTR_E_INVALID);
	assert_int_equal(ctr_pod_config_from_json("{", 1, &cfg, NULL), CTR_E_INVALID);
	assert_int_equal(ctr_pod_config_from_json(NULL, 1, &cfg, NULL), CTR_E_INVALID);
	assert_int_equal(ctr_pod_config_new(&flags, &cfg, NULL), CTR_E_UNSUPPORTED);
	assert_int_equal(ctr_pod_config_new(&shares, &cfg, NULL), CTR_E_UNSUPPORTED);
	assert_int_equal(ctr_pod_config_new(&both, &cfg, NULL), CTR_E_INVALID);
	assert_null(cfg);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(options_become_a_configuration),
	    cmocka_unit_test(nothing_said_means_the_usual),
	    cmocka_unit_test(json_is_kept_with_what_is_unknown),
	    cmocka_unit_test(what_cannot_be_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
