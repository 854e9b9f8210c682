/* SPDX-License-Identifier: Apache-2.0 */
/* The builder: fields, shorthands, errors, the spec it writes. */
#include "config_test.h"

#include <stdlib.h>

#include "config/builder.h"

static ctr_config_builder_t *new_builder(void)
{
	ctr_config_builder_t *b = ctr__builder_new(NULL);

	assert_non_null(b);
	return b;
}

/* A root file system and a command. */
static ctr_config_builder_t *smallest(void)
{
	ctr_config_builder_t *b = new_builder();

	assert_int_equal(ctr__builder_set_str(b, CTR_CONFIG_ROOTFS, "/srv/root", NULL), 0);
	assert_int_equal(ctr__builder_add_str(b, CTR_CONFIG_COMMAND, "/bin/date", NULL), 0);
	return b;
}

static ctr_config_t *build(const ctr_config_builder_t *b)
{
	ctr_config_t *cfg = NULL;
	ctr_error_t *err = NULL;

	if (ctr__builder_build(b, &cfg, &err) < 0)
		fail_msg("%s", ctr_error_message(err));
	return cfg;
}

static void build_fails(
    const ctr_config_builder_t *b, int code, const char *field, const char *words)
{
	ctr_config_t *cfg = NULL;
	CTR__ERROR ctr_error_t *err = NULL;

	assert_int_equal(ctr__builder_build(b, &cfg, &err), code);
	assert_null(cfg);
	assert_int_equal(ctr_error_code(err), code);
	if (field && !ctr__streq(ctr_error_get(err, "field"), field))
		fail_msg("%s", ctr_error_message(err));
	if (words && !strstr(ctr_error_message(err), words))
		fail_msg("%s", ctr_error_message(err));
}

static struct ctr__json_doc *spec_of(const ctr_config_t *cfg)
{
	struct ctr__json_doc *doc = NULL;

	assert_int_equal(ctr__json_parse(cfg->spec.text, cfg->spec.len, "spec", &doc, NULL), 0);
	return doc;
}

static int64_t number_at(const struct ctr__json *v)
{
	int64_t n = -12345;

	if (!ctr__json_i64(v, &n))
		fail_msg("no number");
	return n;
}

static void test_least(void **state)
{
	(void)state;
	ctr_config_builder_t *b = smallest();
	CTR__CONFIG ctr_config_t *cfg = build(b);
	CTR__CONFIG ctr_config_t *again = build(b); /* the builder stays as it was */

	assert_string_equal(cfg->rootfs, "/srv/root");
	assert_int_equal(cfg->args.n, 1);
	assert_string_equal(cfg->args.v[0], "/bin/date");
	assert_int_equal(cfg->command.n, 1);
	assert_same_config(cfg, again);

	CTR__FREE char *text = write_text(cfg);
	CTR__CONFIG ctr_config_t *parsed = parse_ok(text);

	assert_same_config(cfg, parsed);
	ctr__builder_free(b);
}

/* Every field, through the setter of its kind. */
static void test_every_kind(void **state)
{
	(void)state;
	ctr_config_builder_t *b = smallest();
	int64_t created = INT64_C(1541412672000000001);

	assert_int_equal(ctr__builder_set_str(b, CTR_CONFIG_NAME, "/web", NULL), 0);
	assert_int_equal(ctr__builder_set_bool(b, CTR_CONFIG_STDIN, 1, NULL), 0);
	assert_int_equal(ctr__builder_set_num(b, CTR_CONFIG_SHM_SIZE, 4096, NULL), 0);
	assert_int_equal(ctr__builder_set_num(b, CTR_CONFIG_CREATED_TIME, created, NULL), 0);
	assert_int_equal(ctr__builder_add_str(b, CTR_CONFIG_ENTRYPOINT, "/bin/env", NULL), 0);
	assert_int_equal(ctr__builder_set_map(b, CTR_CONFIG_LABELS, "k", "v", NULL), 0);
	assert_int_equal(ctr__builder_set_map(b, CTR_CONFIG_LABELS, "gone", "v", NULL), 0);
	assert_int_equal(ctr__builder_set_map(b, CTR_CONFIG_LABELS, "gone", NULL, NULL), 0);
	assert_int_equal(ctr__builder_set_map(b, CTR_CONFIG_LABELS, "never", NULL, NULL), 0);
	assert_int_equal(
	    ctr__builder_set_json(b, CTR_CONFIG_ID_MAPPINGS, "{\"HostUIDMapping\":true}", 23, NULL),
	    0);
	assert_int_equal(ctr__builder_set_json(b, CTR_CONFIG_STOP_TIMEOUT, " 3 ", 3, NULL), 0);
	assert_int_equal(ctr__builder_set_json(b, CTR_CONFIG_DEPENDENCIES, "[\"a\"]", 5, NULL), 0);
	assert_int_equal(ctr__builder_add_str(b, CTR_CONFIG_DEPENDENCIES, "b", NULL), 0);
	CTR__CONFIG ctr_config_t *cfg = build(b);

	assert_string_equal(cfg->name, "web");
	assert_true(cfg->stdin_open);
	assert_int_equal(cfg->shm_size, 4096);
	assert_int_equal(cfg->created_ns, created);
	assert_int_equal(cfg->args.n, 2);
	assert_string_equal(cfg->args.v[0], "/bin/env");
	assert_string_equal(cfg->args.v[1], "/bin/date");
	assert_int_equal(cfg->labels.n, 1);
	assert_string_equal(cfg->id_mappings.text, "{\"HostUIDMapping\":true}");
	assert_int_equal(cfg->stop_timeout, 3);
	assert_int_equal(cfg->dependencies.n, 2);
	ctr__builder_free(b);
}

static void test_replace_and_remove(void **state)
{
	(void)state;
	ctr_config_builder_t *b = smallest();

	ctr__builder_set_str(b, CTR_CONFIG_NAME, "one", NULL);
	ctr__builder_set_str(b, CTR_CONFIG_NAME, "two", NULL);
	ctr__builder_set_str(b, CTR_CONFIG_POD, "pod", NULL);
	ctr__builder_set_str(b, CTR_CONFIG_POD, NULL, NULL);
	ctr__builder_set_str(b, CTR_CONFIG_RUNTIME, NULL, NULL);
	ctr__builder_set_json(b, CTR_CONFIG_COMMAND, "[\"ls\"]", 6, NULL);
	ctr__builder_set_bool(b, CTR_CONFIG_STDIN, 1, NULL);
	ctr__builder_set_json(b, CTR_CONFIG_STDIN, "null", 4, NULL);
	ctr__builder_set_str(b, CTR_SPEC_WORKDIR, "/tmp", NULL);
	ctr__builder_set_str(b, CTR_SPEC_WORKDIR, NULL, NULL);
	CTR__CONFIG ctr_config_t *cfg = build(b);

	assert_string_equal(cfg->name, "two");
	assert_null(cfg->pod);
	assert_int_equal(cfg->args.n, 1);
	assert_string_equal(cfg->args.v[0], "ls");
	assert_false(cfg->given[CTR_CONFIG_STDIN]);
	ctr__builder_free(b);
}

static void test_shorthands(void **state)
{
	(void)state;
	ctr_config_builder_t *b = smallest();

	ctr__builder_add_str(b, CTR_SPEC_ENV, "A=1", NULL);
	ctr__builder_set_str(b, CTR_SPEC_WORKDIR, "/opt/app", NULL);
	ctr__builder_set_str(b, CTR_SPEC_HOSTNAME, "web", NULL);
	ctr__builder_set_bool(b, CTR_SPEC_TERMINAL, 1, NULL);
	ctr__builder_set_num(b, CTR_SPEC_MEMORY, 1 << 26, NULL);
	ctr__builder_set_map(b, CTR_SPEC_ANNOTATION, "note", "x", NULL);
	ctr__builder_add_str(b, CTR_SPEC_BIND, "/etc:/host-etc:ro", NULL);
	ctr__builder_set_bool(b, CTR_CONFIG_READ_ONLY, 1, NULL);
	CTR__CONFIG ctr_config_t *cfg = build(b);
	CTR__JSON_DOC struct ctr__json_doc *spec = spec_of(cfg);

	assert_true(ctr__strv_has(cfg->env.v, "A=1"));
	assert_string_equal(cfg->hostname, "web");
	assert_true(cfg->terminal);
	assert_true(cfg->root_read_only);
	assert_string_equal(
	    ctr__json_str(ctr__json_path(spec->root, "process", "cwd", NULL)), "/opt/app");
	assert_string_equal(
	    ctr__json_str(ctr__json_path(spec->root, "annotations", "note", NULL)), "x");
	assert_int_equal(
	    number_at(ctr__json_path(spec->root, "linux", "resources", "memory", "limit", NULL)),
	    1 << 26);
	assert_non_null(strstr(cfg->spec.text, "/host-etc"));
	/* the shorthands live on in the spec alone */
	assert_int_equal(cfg->unknown_n, 0);
	ctr__builder_free(b);
}

static bool has_namespace(const ctr_config_t *cfg, const char *type)
{
	CTR__JSON_DOC struct ctr__json_doc *spec = spec_of(cfg);

	CTR__JSON_EACH (ns, ctr__json_path(spec->root, "linux", "namespaces", NULL))
		if (ctr__streq(ctr__json_str(ctr__json_get(ns, "type")), type))
			return true;
	return false;
}

static void test_namespaces(void **state)
{
	(void)state;
	ctr_config_builder_t *b = smallest();
	CTR__CONFIG ctr_config_t *own = build(b);

	assert_true(has_namespace(own, "network"));
	assert_true(has_namespace(own, "ipc"));
	ctr__builder_set_bool(b, CTR_SPEC_HOST_NETWORK, 1, NULL);
	CTR__CONFIG ctr_config_t *host = build(b);

	assert_false(has_namespace(host, "network"));
	ctr__builder_set_bool(b, CTR_CONFIG_CREATE_NET_NS, 1, NULL);
	build_fails(b, CTR_E_INVALID, "CTR_SPEC_HOST_NETWORK", "createNetNS");
	ctr__builder_set_bool(b, CTR_CONFIG_CREATE_NET_NS, 0, NULL);
	ctr__builder_set_str(b, CTR_CONFIG_NET_NS_CTR, "other", NULL);
	build_fails(b, CTR_E_INVALID, "CTR_SPEC_HOST_NETWORK", "\"other\"");
	ctr__builder_free(b);
}

static void test_nothing_to_run(void **state)
{
	(void)state;
	ctr_config_builder_t *b = new_builder();

	ctr__builder_set_str(b, CTR_CONFIG_ROOTFS, "/srv/root", NULL);
	build_fails(b, CTR_E_INVALID, "command", "empty");
	ctr__builder_set_json(b, CTR_CONFIG_COMMAND, "[]", 2, NULL);
	build_fails(b, CTR_E_INVALID, "command", "empty");
	ctr__builder_add_str(b, CTR_CONFIG_ENTRYPOINT, "/bin/sh", NULL);
	CTR__CONFIG ctr_config_t *cfg = build(b);

	assert_string_equal(cfg->args.v[0], "/bin/sh");
	ctr__builder_free(b);
}

static void test_given_spec(void **state)
{
	(void)state;
	ctr_config_builder_t *b = new_builder();

	ctr__builder_set_str(b, CTR_CONFIG_ROOTFS, "/srv/root", NULL);
	ctr__builder_set_json(b, CTR_CONFIG_SPEC, SPEC, strlen(SPEC), NULL);
	CTR__CONFIG ctr_config_t *cfg = build(b);

	assert_string_equal(cfg->spec.text, SPEC);
	assert_int_equal(cfg->command.n, 0);
	ctr__builder_set_bool(b, CTR_SPEC_TERMINAL, 0, NULL);
	build_fails(b, CTR_E_INVALID, "spec", "CTR_SPEC_TERMINAL");
	ctr__builder_set_json(b, CTR_SPEC_TERMINAL, "null", 4, NULL);
	CTR__CONFIG ctr_config_t *again = build(b);

	assert_same_config(cfg, again);
	ctr__builder_free(b);
}

static void build_with_user(const char *user, int64_t uid, int64_t gid)
{
	ctr_config_builder_t *b = smallest();

	ctr__builder_set_str(b, CTR_CONFIG_USER, user, NULL);
	ctr__builder_add_str(b, CTR_CONFIG_GROUPS, "7", NULL);
	CTR__CONFIG ctr_config_t *cfg = build(b);
	CTR__JSON_DOC struct ctr__json_doc *spec = spec_of(cfg);
	const struct ctr__json *in_spec = ctr__json_path(spec->root, "process", "user", NULL);

	assert_int_equal(number_at(ctr__json_get(in_spec, "uid")), uid);
	assert_int_equal(number_at(ctr__json_get(in_spec, "gid")), gid);
	assert_int_equal(number_at(ctr__json_get(in_spec, "additionalGids")->first), 7);
	assert_string_equal(cfg->user, user);
	ctr__builder_free(b);
}

/* A name is looked up when the root file system is there: the spec says nothing yet. */
static void build_with_name(const char *user)
{
	ctr_config_builder_t *b = smallest();

	ctr__builder_set_str(b, CTR_CONFIG_USER, user, NULL);
	ctr__builder_add_str(b, CTR_CONFIG_GROUPS, "wheel", NULL);
	CTR__CONFIG ctr_config_t *cfg = build(b);
	CTR__JSON_DOC struct ctr__json_doc *spec = spec_of(cfg);
	const struct ctr__json *in_spec = ctr__json_path(spec->root, "process", "user", NULL);

	assert_true(!in_spec || ctr__json_get(in_spec, "uid") == NULL ||
	            number_at(ctr__json_get(in_spec, "uid")) == 0);
	assert_null(ctr__json_get(in_spec, "additionalGids"));
	assert_string_equal(cfg->user, user);
	ctr__builder_free(b);
}

static void user_fails(const char *user, int code)
{
	ctr_config_builder_t *b = smallest();

	ctr__builder_set_str(b, CTR_CONFIG_USER, user, NULL);
	build_fails(b, code, "user", NULL);
	ctr__builder_free(b);
}

static void test_user(void **state)
{
	(void)state;
	build_with_user("1000", 1000, 0);
	build_with_user("1000:100", 1000, 100);
	build_with_user("0", 0, 0);
	build_with_user("root", 0, 0);
	build_with_user("root:5", 0, 5);
	build_with_user("4294967294:root", 4294967294, 0);
	build_with_name("nobody");
	build_with_name("0:wheel");
	build_with_name("bob:7");
	user_fails("4294967295", CTR_E_INVALID);
	user_fails("99999999999999999999999", CTR_E_INVALID);
	user_fails(":5", CTR_E_INVALID);
	user_fails("5:", CTR_E_INVALID);
	user_fails("1:2:3", CTR_E_INVALID);

	ctr_config_builder_t *b = smallest();

	ctr__builder_add_str(b, CTR_CONFIG_GROUPS, "4294967295", NULL);
	build_fails(b, CTR_E_INVALID, "groups", "\"4294967295\"");
	ctr__builder_free(b);
}

static void test_first_error_is_remembered(void **state)
{
	(void)state;
	ctr_config_builder_t *b = smallest();
	CTR__ERROR ctr_error_t *err = NULL;

	assert_int_equal(ctr__builder_set_bool(b, CTR_CONFIG_STDIN, 2, &err), CTR_E_INVALID);
	assert_string_equal(ctr_error_get(err, "field"), "stdin");
	CTR__FREE char *message = ctr__strdup_null(ctr_error_message(err));

	assert_int_equal(ctr__builder_set_str(b, CTR_CONFIG_SHM_SIZE, "x", NULL), CTR_E_INVALID);
	assert_int_equal(ctr__builder_set_str(b, CTR_CONFIG_NAME, "fine", NULL), 0);
	build_fails(b, CTR_E_INVALID, "stdin", message);
	build_fails(b, CTR_E_INVALID, "stdin", message); /* again and again */
	CTR__BUF struct ctr__buf spec = {0};

	assert_int_equal(ctr__builder_write_spec(b, &spec, NULL), CTR_E_INVALID);
	ctr__builder_free(b);
}

/* A failed build is no error of a setter: it can be repaired. */
static void test_failed_build_is_not_remembered(void **state)
{
	(void)state;
	ctr_config_builder_t *b = smallest();

	ctr__builder_set_num(b, CTR_CONFIG_STOP_SIGNAL, 99, NULL);
	build_fails(b, CTR_E_INVALID, "stopSignal", "99");
	ctr__builder_set_num(b, CTR_CONFIG_STOP_SIGNAL, 9, NULL);
	CTR__CONFIG ctr_config_t *cfg = build(b);

	assert_int_equal(cfg->stop_signal, 9);
	ctr__builder_free(b);
}

/* One setter call that must fail, in a builder of its own. */
#define SETTER_FAILS(call, name)                                             \
	do {                                                                 \
		ctr_config_builder_t *b = smallest();                        \
		CTR__ERROR ctr_error_t *err = NULL;                          \
                                                                             \
		assert_int_equal(call, CTR_E_INVALID);                       \
		assert_string_equal(ctr_error_get(err, "field"), name);      \
		build_fails(b, CTR_E_INVALID, name, ctr_error_message(err)); \
		ctr__builder_free(b);                                        \
	} while (0)

static void test_setter_errors(void **state)
{
	(void)state;
	SETTER_FAILS(ctr__builder_set_str(b, 0, "x", &err), "0");
	SETTER_FAILS(ctr__builder_set_str(b, 59, "x", &err), "59");
	SETTER_FAILS(ctr__builder_set_json(b, -7, "1", 1, &err), "-7");
	SETTER_FAILS(ctr__builder_set_num(b, 1013, 1, &err), "1013");
	SETTER_FAILS(ctr__builder_set_str(b, CTR_CONFIG_COMMAND, "x", &err), "command");
	SETTER_FAILS(ctr__builder_set_str(b, CTR_CONFIG_SPEC, "{}", &err), "spec");
	SETTER_FAILS(ctr__builder_set_bool(b, CTR_CONFIG_ID, 1, &err), "id");
	SETTER_FAILS(ctr__builder_set_num(b, CTR_CONFIG_STDIN, 1, &err), "stdin");
	SETTER_FAILS(ctr__builder_add_str(b, CTR_CONFIG_LABELS, "x", &err), "labels");
	SETTER_FAILS(ctr__builder_add_str(b, CTR_CONFIG_COMMAND, NULL, &err), "command");
	SETTER_FAILS(ctr__builder_set_map(b, CTR_CONFIG_COMMAND, "k", "v", &err), "command");
	SETTER_FAILS(ctr__builder_set_map(b, CTR_CONFIG_LABELS, NULL, "v", &err), "labels");
	SETTER_FAILS(ctr__builder_set_map(b, CTR_CONFIG_LABELS, "", "v", &err), "labels");
	SETTER_FAILS(ctr__builder_set_map(b, CTR_CONFIG_LABELS, "\xff", "v", &err), "labels");
	SETTER_FAILS(ctr__builder_set_map(b, CTR_CONFIG_LABELS, "k", "\xff", &err), "labels");
	SETTER_FAILS(ctr__builder_set_str(b, CTR_CONFIG_NAME, "\xc3", &err), "name");
	SETTER_FAILS(ctr__builder_add_str(b, CTR_CONFIG_COMMAND, "\xff", &err), "command");
	SETTER_FAILS(ctr__builder_set_json(b, CTR_CONFIG_SPEC, "{", 1, &err), "spec");
	SETTER_FAILS(ctr__builder_set_json(b, CTR_CONFIG_SPEC, NULL, 0, &err), "spec");
	SETTER_FAILS(ctr__builder_set_json(b, CTR_CONFIG_LABELS, "[]", 2, &err), "labels");
	SETTER_FAILS(ctr__builder_set_json(b, CTR_SPEC_ENV, "{}", 2, &err), "CTR_SPEC_ENV");
	SETTER_FAILS(ctr__builder_set_str(b, CTR_SPEC_PIDS, "1", &err), "CTR_SPEC_PIDS");
}

static void test_from_config(void **state)
{
	(void)state;
	CTR__CONFIG ctr_config_t *cfg = parse_ok(WITH(
	    "\"name\":\"a\",\"labels\":{\"k\":\"v\"},\"own\":{\"x\":1.0},\"Mounts\":[\"/m\"]"));
	ctr_config_builder_t *b = ctr__builder_new(cfg);

	assert_non_null(b);
	CTR__CONFIG ctr_config_t *same = build(b);

	assert_same_config(cfg, same);
	ctr__builder_set_str(b, CTR_CONFIG_NAME, "b", NULL);
	ctr__builder_set_map(b, CTR_CONFIG_LABELS, "l", "w", NULL);
	CTR__CONFIG ctr_config_t *other = build(b);

	assert_string_equal(other->name, "b");
	assert_string_equal(cfg->name, "a");
	assert_int_equal(other->labels.n, 2);
	assert_string_equal(other->spec.text, cfg->spec.text);
	assert_string_equal(other->unknown[0].value, "{\"x\":1.0}");
	ctr__builder_free(b);
}

/* What a builder makes can always be read again, whatever the parts are like. */
static void test_depth_of_the_whole(void **state)
{
	char deep[2 * CTR__JSON_MAX_DEPTH + 1] = "";

	(void)state;
	memset(deep, '[', CTR__JSON_MAX_DEPTH);
	memset(deep + CTR__JSON_MAX_DEPTH, ']', CTR__JSON_MAX_DEPTH);
	SETTER_FAILS(ctr__builder_set_json(b, CTR_CONFIG_SPEC, deep, strlen(deep), &err), "spec");

	/* one level less fits, here as an unknown member of a spec */
	CTR__FREE char *spec =
	    ctr__format("{\"ociVersion\":\"1.0.2\",\"process\":{\"args\":[\"x\"]},\"deep\":%.*s}",
	        2 * (CTR__JSON_MAX_DEPTH - 2), deep + 2);
	ctr_config_builder_t *b = smallest();

	assert_int_equal(ctr__builder_set_json(b, CTR_CONFIG_SPEC, spec, strlen(spec), NULL), 0);
	CTR__CONFIG ctr_config_t *cfg = build(b);
	CTR__FREE char *text = write_text(cfg);
	CTR__CONFIG ctr_config_t *again = parse_ok(text);

	assert_string_equal(cfg->spec.text, spec);
	assert_same_config(cfg, again);
	ctr__builder_free(b);
}

static void test_size_of_the_whole(void **state)
{
	const size_t size = CTR__JSON_MAX_SIZE / 2;
	CTR__FREE char *big = malloc(size + 1);

	(void)state;
	assert_non_null(big);
	memset(big, 'x', size);
	big[size] = '\0';
	ctr_config_builder_t *b = smallest();

	ctr__builder_set_map(b, CTR_CONFIG_LABELS, "a", big, NULL);
	ctr__builder_set_map(b, CTR_CONFIG_LABELS, "b", big, NULL);
	build_fails(b, CTR_E_INVALID, NULL, NULL);
	ctr__builder_free(b);
}

static void test_write_spec(void **state)
{
	(void)state;
	CTR__BUF struct ctr__buf text = {0}, given = {0};
	ctr_config_builder_t *b = new_builder();

	ctr__builder_add_str(b, CTR_CONFIG_COMMAND, "true", NULL);
	assert_int_equal(ctr__builder_write_spec(b, &text, NULL), 0); /* no root needed */
	ctr__builder_set_str(b, CTR_CONFIG_ROOTFS, "/srv/root", NULL);
	CTR__CONFIG ctr_config_t *cfg = build(b);

	assert_string_equal(text.data, cfg->spec.text);
	ctr__builder_set_json(b, CTR_CONFIG_SPEC, SPEC, strlen(SPEC), NULL);
	assert_int_equal(ctr__builder_write_spec(b, &given, NULL), 0);
	assert_string_equal(given.data, SPEC);
	ctr__builder_free(b);
	ctr__builder_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_least),
	    cmocka_unit_test(test_every_kind),
	    cmocka_unit_test(test_replace_and_remove),
	    cmocka_unit_test(test_shorthands),
	    cmocka_unit_test(test_namespaces),
	    cmocka_unit_test(test_nothing_to_run),
	    cmocka_unit_test(test_given_spec),
	    cmocka_unit_test(test_user),
	    cmocka_unit_test(test_first_error_is_remembered),
	    cmocka_unit_test(test_failed_build_is_not_remembered),
	    cmocka_unit_test(test_setter_errors),
	    cmocka_unit_test(test_from_config),
	    cmocka_unit_test(test_depth_of_the_whole),
	    cmocka_unit_test(test_size_of_the_whole),
	    cmocka_unit_test(test_write_spec),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
