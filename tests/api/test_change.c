/* SPDX-License-Identifier: Apache-2.0 */
/* Rename, update, refresh. */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define UPDATE(...) (&(struct ctr_update_opts){.size = sizeof(struct ctr_update_opts), __VA_ARGS__})

static void check_name(ctr_container_t *c, const char *name)
{
	ctr_config_t *cfg = ctr_container_config(c);

	assert_string_equal(ctr_config_name(cfg), name);
	ctr_config_unref(cfg);
}

/* ---- rename ---- */

static void check_listed(ctr_runtime_t *rt, const char *id, const char *name)
{
	const char *filters[] = {NULL, NULL};
	char filter[200];
	ctr_list_t *list = NULL;

	snprintf(filter, sizeof(filter), "id=%s", id);
	filters[0] = filter;
	OK(ctr_runtime_list(rt, filters, 0, &list, err));
	assert_int_equal(ctr_list_count(list), 1);
	assert_string_equal(ctr_list_name(list, 0), name);
	ctr_list_free(list);
}

static void test_rename(void **state)
{
	struct fixture *f = *state;
	ctr_runtime_t *rt2 = fixture_open(f, NULL);
	ctr_container_t *c = fixture_create(f, "one"), *other = NULL, *found = NULL;
	ctr_event_t *ev = NULL;
	char *text;

	OK(ctr_container_get(rt2, ctr_container_id(c), &other, err));
	text = events_text(f->rt);
	free(text);
	OK(ctr_container_rename(c, "/two", err));
	check_name(c, "two");
	/* Other handles need no lock and no operation to see it. */
	check_name(other, "two");
	check_listed(rt2, ctr_container_id(c), "two");
	FAILS(CTR_E_NO_SUCH_CTR, ctr_container_lookup(rt2, "one", &found, err));
	OK(ctr_container_lookup(rt2, "two", &found, err));
	assert_string_equal(ctr_container_id(found), ctr_container_id(c));
	assert_int_equal(ctr_runtime_next_event(f->rt, &ev, NULL), 1);
	assert_int_equal(ctr_event_type(ev), CTR_EVENT_RENAME);
	assert_string_equal(ctr_event_container_name(ev), "two");
	ctr_event_unref(ev);
	assert_int_equal(ctr_runtime_next_event(f->rt, &ev, NULL), 0);
	/* By the other one, which sees it in its state, too. */
	OK(ctr_container_start(other, 0, err));
	OK(ctr_container_rename(other, "three", err));
	check_name(c, "three");
	check_name(found, "three");
	assert_state(c, CTR_STATE_RUNNING);
	check_listed(f->rt, ctr_container_id(c), "three");
	OK(ctr_container_remove(c, CTR_REMOVE_FORCE, err));
	/* The name is free again, and the last one known stays known. */
	check_name(other, "three");
	ctr_container_unref(c);
	c = fixture_create(f, "three");
	ctr_container_unref(c);
	ctr_container_unref(other);
	ctr_container_unref(found);
	ctr_runtime_unref(rt2);
}

static void test_rename_refused(void **state)
{
	static const char *const bad[] = {"", "/", "-x", "a b", "a/b", "//x", "\xff", ".x", NULL};
	struct fixture *f = *state;
	ctr_container_t *a = fixture_create(f, "a"), *b = fixture_create(f, "b"), *found = NULL;
	char name[300], *text;

	free(events_text(f->rt));
	for (size_t i = 0; bad[i]; i++)
		FAILS(CTR_E_INVALID, ctr_container_rename(a, bad[i], err));
	memset(name, 'n', 256);
	name[256] = '\0';
	FAILS(CTR_E_INVALID, ctr_container_rename(a, name, err));
	FAILS(CTR_E_INVALID, ctr_container_rename(a, NULL, err));
	FAILS(CTR_E_INVALID, ctr_container_rename(NULL, "x", err));
	FAILS(CTR_E_CTR_EXISTS, ctr_container_rename(a, "b", err));
	FAILS(CTR_E_CTR_EXISTS, ctr_container_rename(a, "a", err));
	FAILS(CTR_E_CTR_EXISTS, ctr_container_rename(a, ctr_container_id(b), err));
	check_name(a, "a");
	check_name(b, "b");
	check_listed(f->rt, ctr_container_id(a), "a");
	OK(ctr_container_lookup(f->rt, "a", &found, err));
	ctr_container_unref(found);
	text = events_text(f->rt);
	assert_string_equal(text, "");
	free(text);
	/* As long as names get; and its own ID. */
	name[255] = '\0';
	OK(ctr_container_rename(a, name, err));
	OK(ctr_container_rename(a, ctr_container_id(a), err));
	OK(ctr_container_remove(b, 0, err));
	FAILS(CTR_E_CTR_REMOVED, ctr_container_rename(b, "x", err));
	ctr_container_unref(a);
	ctr_container_unref(b);
}

static int rename_in_batch(ctr_container_t *view, void *userdata)
{
	(void)userdata;
	OK(ctr_container_rename(view, "in-batch", err));
	check_name(view, "in-batch");
	OK(ctr_container_start(view, 0, err));
	return 0;
}

static void test_rename_in_a_batch(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_create(f, "x");

	OK(ctr_container_batch(c, rename_in_batch, NULL, err));
	check_name(c, "in-batch");
	check_listed(f->rt, ctr_container_id(c), "in-batch");
	assert_state(c, CTR_STATE_RUNNING);
	ctr_container_unref(c);
}

/* ---- update ---- */

static int64_t num_in(const char *json, const char *key)
{
	char pattern[64];
	const char *p;

	snprintf(pattern, sizeof(pattern), "\"%s\":", key);
	p = strstr(json, pattern);
	if (!p)
		fail_msg("no %s in %s", key, json);
	p += strlen(pattern);
	return strtoll(p + strspn(p, " "), NULL, 10);
}

static char *slurp(const char *path)
{
	char *text = calloc(1, 65536);
	FILE *file = fopen(path, "r");

	assert_non_null(text);
	assert_non_null(file);
	assert_true(fread(text, 1, 65535, file) > 0);
	fclose(file);
	return text;
}

static void check_spec(ctr_container_t *c, const char *key, int64_t value)
{
	ctr_config_t *cfg = ctr_container_config(c);

	assert_int_equal(num_in(ctr_config_spec(cfg, NULL), key), value);
	ctr_config_unref(cfg);
}

static void test_update_resources(void **state)
{
	static const int32_t live[] = {CTR_STATE_CREATED, CTR_STATE_RUNNING, CTR_STATE_PAUSED};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(live) / sizeof(*live); i++) {
		ctr_container_t *c = fixture_in_state(f, live[i]);
		const char *id = ctr_container_id(c);
		char path[400], *text;

		free(events_text(f->rt));
		OK(ctr_container_update(
		    c, UPDATE(.resources = "{\"memory\":{\"limit\":1048576}}"), err));
		assert_string_equal(
		    fake_oci_resources(f->fake, id), "{\"memory\":{\"limit\":1048576}}");
		OK(ctr_container_update(c,
		    UPDATE(.resources = "{\"memory\":{\"swap\":2097152},\"cpu\":{\"shares\":77}}"),
		    err));
		/* The runtime is told of a group as a whole, and of nothing else. */
		assert_string_equal(fake_oci_resources(f->fake, id),
		    "{\"memory\":{\"limit\":1048576,\"swap\":2097152},\"cpu\":{\"shares\":77}}");
		check_spec(c, "swap", 2097152);
		check_spec(c, "shares", 77);
		assert_state(c, live[i]);
		snprintf(path, sizeof(path), "%s/containers/%s/config.json", f->run, id);
		text = slurp(path);
		assert_int_equal(num_in(text, "swap"), 2097152);
		assert_non_null(strstr(text, "maskedPaths"));
		free(text);
		text = events_text(f->rt);
		assert_string_equal(text, "update update");
		free(text);
		ctr_container_unref(c);
	}
	assert_int_equal(fake_oci_calls(f->fake, FAKE_UPDATE), 6);
}

static void test_update_at_rest(void **state)
{
	static const int32_t rest[] = {
	    CTR_STATE_CONFIGURED, CTR_STATE_STOPPED, CTR_STATE_EXITED, CTR_STATE_STOPPING};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(rest) / sizeof(*rest); i++) {
		ctr_container_t *c = fixture_in_state(f, rest[i]);

		OK(ctr_container_update(c, UPDATE(.resources = "{\"pids\":{\"limit\":9}}"), err));
		check_spec(c, "limit", 9);
		assert_state(c, rest[i]);
		ctr_container_unref(c);
	}
	assert_int_equal(fake_oci_calls(f->fake, FAKE_UPDATE), 0);
}

static void test_update_policy_and_env(void **state)
{
	static const char *const env[] = {"A=1", "B=2 = two", NULL};
	static const char *const again[] = {"A=3", NULL}, *const unset[] = {"B", "PATH", NULL};
	struct fixture *f = *state;
	ctr_runtime_t *rt2 = fixture_open(f, NULL);
	ctr_container_t *c = fixture_in_state(f, CTR_STATE_RUNNING), *other = NULL;
	ctr_config_t *cfg;
	const char *const *list;
	size_t n;

	OK(ctr_container_get(rt2, ctr_container_id(c), &other, err));
	OK(ctr_container_update(
	    c, UPDATE(.restart_policy = "on-failure", .restart_retries = 4), err));
	OK(ctr_container_update(c, UPDATE(.env = env), err));
	OK(ctr_container_update(c, UPDATE(.env = again, .env_unset = unset), err));
	cfg = ctr_container_config(other);
	assert_string_equal(ctr_config_get_str(cfg, CTR_CONFIG_RESTART_POLICY), "on-failure");
	assert_int_equal(ctr_config_get_num(cfg, CTR_CONFIG_RESTART_RETRIES), 4);
	list = ctr_config_env(cfg, &n);
	assert_string_equal(list[n - 1], "A=3");
	for (size_t i = 0; i < n; i++) {
		assert_int_not_equal(list[i][0], 'B');
		assert_int_not_equal(strncmp(list[i], "PATH=", 5), 0);
	}
	ctr_config_unref(cfg);
	/* Only the retries; then a policy without. */
	OK(ctr_container_update(other, UPDATE(.restart_retries = 5), err));
	cfg = ctr_container_config(c);
	assert_int_equal(ctr_config_get_num(cfg, CTR_CONFIG_RESTART_RETRIES), 5);
	ctr_config_unref(cfg);
	OK(ctr_container_update(other, UPDATE(.restart_policy = "always"), err));
	cfg = ctr_container_config(c);
	assert_int_equal(ctr_config_get_num(cfg, CTR_CONFIG_RESTART_RETRIES), 0);
	ctr_config_unref(cfg);
	FAILS(CTR_E_INVALID, ctr_container_update(c, UPDATE(.restart_retries = 1), err));
	assert_int_equal(fake_oci_calls(f->fake, FAKE_UPDATE), 0);
	ctr_container_unref(c);
	ctr_container_unref(other);
	ctr_runtime_unref(rt2);
}

static void test_update_refused(void **state)
{
	static const char *const bad[] = {"", "{", "[]", "{}", "{} x", "1", "null",
	    "{\"memory\":1}", "{\"memory\":{\"limit\":0}}", "{\"memory\":{\"limit\":-2}}",
	    "{\"memory\":{\"limit\":1.5}}", "{\"memory\":{\"limit\":\"1\"}}",
	    "{\"memory\":{\"limit\":null}}", "{\"memory\":null}", "{\"pids\":{\"limit\":1e99}}",
	    "{\"cpu\":{\"shares\":1}}", "{\"cpu\":{\"cpus\":\"\"}}", "{\"cpu\":{\"cpus\":\"/\"}}",
	    "{\"unified\":[]}", "{\"unified\":{\"../x.y\":\"1\"}}",
	    "{\"unified\":{\"nodot\":\"1\"}}", "{\"unified\":{\"cgroup.procs\":\"1\"}}",
	    "{\"unified\":{\"memory.max\":1}}", "{\"memory\":{\"swap\":4096}}",
	    "{\"memory\":{\"limit\":8192,\"swap\":4096}}", NULL};
	static const char *const unsupported[] = {"{\"devices\":[]}",
	    "{\"memory\":{\"swappiness\":1}}", "{\"hugepageLimits\":[]}",
	    "{\"memory\":{\"limit\":4096},\"nonsense\":{}}", NULL};
	static const char *const bad_env[] = {"=x", NULL}, *const no_value[] = {"X", NULL},
	                         *const bad_name[] = {"A=", NULL}, *const none[] = {NULL};
	struct fixture *f = *state;
	ctr_container_t *c = fixture_in_state(f, CTR_STATE_RUNNING);
	ctr_config_t *before = ctr_container_config(c), *after;
	struct ctr_update_opts o = {.size = sizeof(o), .flags = 1, .resources = "{}"};
	char *text;

	free(events_text(f->rt));
	for (size_t i = 0; bad[i]; i++)
		FAILS(CTR_E_INVALID, ctr_container_update(c, UPDATE(.resources = bad[i]), err));
	for (size_t i = 0; unsupported[i]; i++)
		FAILS(CTR_E_UNSUPPORTED,
		    ctr_container_update(c, UPDATE(.resources = unsupported[i]), err));
	FAILS(CTR_E_INVALID, ctr_container_update(c, NULL, err));
	FAILS(CTR_E_INVALID, ctr_container_update(c, UPDATE(.env = none), err));
	FAILS(CTR_E_UNSUPPORTED, ctr_container_update(c, &o, err));
	FAILS(CTR_E_INVALID, ctr_container_update(c, UPDATE(.env = bad_env), err));
	FAILS(CTR_E_INVALID, ctr_container_update(c, UPDATE(.env = no_value), err));
	FAILS(CTR_E_INVALID, ctr_container_update(c, UPDATE(.env_unset = bad_name), err));
	FAILS(CTR_E_INVALID, ctr_container_update(c, UPDATE(.restart_policy = "often"), err));
	FAILS(CTR_E_INVALID, ctr_container_update(c, UPDATE(.restart_policy = ""), err));
	FAILS(CTR_E_INVALID,
	    ctr_container_update(c, UPDATE(.restart_policy = "always", .restart_retries = 1), err));
	FAILS(CTR_E_INVALID, ctr_container_update(c, UPDATE(.restart_retries = -1), err));
	FAILS(CTR_E_INVALID, ctr_container_update(NULL, UPDATE(.restart_policy = "no"), err));
	after = ctr_container_config(c);
	assert_ptr_equal(before, after);
	text = events_text(f->rt);
	assert_string_equal(text, "");
	free(text);
	assert_int_equal(fake_oci_calls(f->fake, FAKE_UPDATE), 0);
	ctr_config_unref(before);
	ctr_config_unref(after);
	ctr_container_unref(c);
}

/* The runtime says no: what was stored is stored again, and told to the runtime again. */
static void test_update_taken_back(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_in_state(f, CTR_STATE_RUNNING), *other = NULL;
	ctr_runtime_t *rt2 = fixture_open(f, NULL);
	ctr_config_t *cfg;
	char *text, path[400];

	OK(ctr_container_update(c, UPDATE(.resources = "{\"pids\":{\"limit\":10}}"), err));
	OK(ctr_container_get(rt2, ctr_container_id(c), &other, err));
	free(events_text(f->rt));
	fake_oci_fail(f->fake, FAKE_UPDATE, CTR_E_OCI_RUNTIME, 1);
	FAILS(CTR_E_OCI_RUNTIME, ctr_container_update(c,
	                             UPDATE(.resources = "{\"pids\":{\"limit\":11},\"cpu\":{"
	                                                 "\"shares\":9,\"cpus\":\"0\"},\"memory\":"
	                                                 "{\"limit\":4096}}",
	                                 .restart_policy = "always"),
	                             err));
	assert_string_equal(fake_oci_resources(f->fake, ctr_container_id(c)),
	    "{\"pids\":{\"limit\":10},\"cpu\":{\"shares\":1024},\"memory\":{\"limit\":-1}}");
	cfg = ctr_container_config(other);
	assert_int_equal(num_in(ctr_config_spec(cfg, NULL), "limit"), 10);
	assert_null(ctr_config_get_str(cfg, CTR_CONFIG_RESTART_POLICY));
	ctr_config_unref(cfg);
	snprintf(path, sizeof(path), "%s/containers/%s/config.json", f->run, ctr_container_id(c));
	text = slurp(path);
	assert_null(strstr(text, "4096"));
	free(text);
	text = events_text(f->rt);
	assert_string_equal(text, "");
	free(text);
	assert_state(other, CTR_STATE_RUNNING);
	/* And again, when it can. */
	OK(ctr_container_update(other, UPDATE(.restart_policy = "always"), err));
	ctr_container_unref(c);
	ctr_container_unref(other);
	ctr_runtime_unref(rt2);
}

static void test_update_not_supported(void **state)
{
	struct fixture *f = *state;
	struct ctr_oci_ops ops = fake_oci_ops;
	struct fake_oci *fake = fake_oci_new();
	ctr_config_builder_t *b;
	ctr_config_t *cfg = fixture_config(f, "x");
	ctr_container_t *c = NULL;

	ops.name = "poor";
	ops.update = NULL;
	OK(ctr_runtime_add_oci(f->rt, &ops, fake, fake_oci_destroy, err));
	b = ctr_config_builder_new_from(cfg);
	ctr_config_unref(cfg);
	OK(ctr_config_builder_set_str(b, CTR_CONFIG_RUNTIME, "poor", err));
	OK(ctr_config_builder_build(b, &cfg, err));
	ctr_config_builder_free(b);
	OK(ctr_container_create(f->rt, cfg, 0, &c, err));
	ctr_config_unref(cfg);
	OK(ctr_container_update(c, UPDATE(.resources = "{\"pids\":{\"limit\":10}}"), err));
	OK(ctr_container_start(c, 0, err));
	FAILS(CTR_E_UNSUPPORTED,
	    ctr_container_update(c, UPDATE(.resources = "{\"pids\":{\"limit\":11}}"), err));
	check_spec(c, "limit", 10);
	OK(ctr_container_update(c, UPDATE(.restart_policy = "always"), err));
	ctr_container_unref(c);
}

/* ---- refresh ---- */

static void test_refresh(void **state)
{
	static const struct {
		int32_t from, to;
		const char *events;
	} cases[] = {
	    {CTR_STATE_CONFIGURED, CTR_STATE_CONFIGURED, "refresh"},
	    {CTR_STATE_CREATED, CTR_STATE_CREATED, "cleanup init refresh"},
	    {CTR_STATE_RUNNING, CTR_STATE_RUNNING, "died stop cleanup init start refresh"},
	    {CTR_STATE_PAUSED, CTR_STATE_PAUSED,
	        "unpause died stop cleanup init start pause refresh"},
	    {CTR_STATE_STOPPED, CTR_STATE_EXITED, "cleanup refresh"},
	    {CTR_STATE_EXITED, CTR_STATE_EXITED, "refresh"},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		ctr_container_t *c = fixture_in_state(f, cases[i].from);
		ctr_state_t *before = NULL, *after = NULL;
		char *text;

		free(events_text(f->rt));
		OK(ctr_container_snapshot(c, &before, err));
		OK(ctr_container_refresh(c, err));
		OK(ctr_container_snapshot(c, &after, err));
		assert_int_equal(ctr_state_status(after), cases[i].to);
		text = events_text(f->rt);
		assert_string_equal(text, cases[i].events);
		free(text);
		if (cases[i].to == CTR_STATE_EXITED) {
			assert_int_equal(ctr_state_exit_code(after), ctr_state_exit_code(before));
			assert_true(ctr_state_finished_ns(after) == ctr_state_finished_ns(before));
			assert_int_equal(
			    ctr_state_stopped_by_user(after), ctr_state_stopped_by_user(before));
			assert_int_equal(ctr_state_mounted(after), 0);
		}
		ctr_state_free(before);
		ctr_state_free(after);
		OK(ctr_container_remove(c, CTR_REMOVE_FORCE, err));
		ctr_container_unref(c);
	}
	FAILS(CTR_E_INVALID, ctr_container_refresh(NULL, err));
}

/* Uses of the mount end with it. */
static void test_refresh_unmounts(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_create(f, NULL);
	int32_t mounted = -1;

	OK(ctr_container_mount(c, NULL, err));
	OK(ctr_container_mount(c, NULL, err));
	OK(ctr_container_refresh(c, err));
	OK(ctr_container_mounted(c, &mounted, err));
	assert_int_equal(mounted, 0);
	ctr_container_unref(c);
}

/* A step fails: the state is what that step has left, and everything works from there. */
static void test_refresh_fails(void **state)
{
	static const struct {
		enum fake_op op;
		int32_t after;
	} cases[] = {{FAKE_RESUME, CTR_STATE_PAUSED}, {FAKE_KILL, CTR_STATE_STOPPING},
	    {FAKE_REMOVE, CTR_STATE_STOPPED}, {FAKE_CREATE, CTR_STATE_EXITED},
	    {FAKE_START, CTR_STATE_CONFIGURED}, {FAKE_PAUSE, CTR_STATE_RUNNING}};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		ctr_container_t *c = fixture_in_state(f, CTR_STATE_PAUSED);

		fake_oci_fail(f->fake, cases[i].op, CTR_E_OCI_RUNTIME, 1);
		FAILS(CTR_E_OCI_RUNTIME, ctr_container_refresh(c, err));
		assert_state(c, cases[i].op == FAKE_REMOVE ? CTR_STATE_EXITED : cases[i].after);
		OK(ctr_container_remove(c, CTR_REMOVE_FORCE, err));
		ctr_container_unref(c);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
	    TEST(test_rename),
	    TEST(test_rename_refused),
	    TEST(test_rename_in_a_batch),
	    TEST(test_update_resources),
	    TEST(test_update_at_rest),
	    TEST(test_update_policy_and_env),
	    TEST(test_update_refused),
	    TEST(test_update_taken_back),
	    TEST(test_update_not_supported),
	    TEST(test_refresh),
	    TEST(test_refresh_unmounts),
	    TEST(test_refresh_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
