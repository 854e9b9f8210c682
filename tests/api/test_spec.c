/* SPDX-License-Identifier: Apache-2.0 */
/* What init writes into the bundle. The fake OCI runtime only keeps it, so all of it can be looked at. */
#include "fixture.h"
#include "spec_rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A container with one field set; NULL if `code` < 0 is expected. */
static ctr_container_t *create_with(
    ctr_runtime_t *rt, struct fixture *f, int32_t field, const char *value, int code)
{
	ctr_config_builder_t *b = ctr_config_builder_new();
	ctr_config_t *cfg = NULL;
	ctr_container_t *c = NULL;

	OK(ctr_config_builder_set_str(b, CTR_CONFIG_ROOTFS, f->rootfs, err));
	OK(ctr_config_builder_set_str(b, CTR_CONFIG_RUNTIME, "fake", err));
	OK(ctr_config_builder_add_str(b, CTR_CONFIG_COMMAND, "/bin/true", err));
	if (field == CTR_CONFIG_LABEL_OPTS)
		OK(ctr_config_builder_add_str(b, field, value, err));
	else if (value)
		OK(ctr_config_builder_set_str(b, field, value, err));
	OK(ctr_config_builder_build(b, &cfg, err));
	if (code < 0)
		FAILS(code, ctr_container_create(rt, cfg, 0, &c, err));
	else
		OK(ctr_container_create(rt, cfg, 0, &c, err));
	ctr_config_builder_free(b);
	ctr_config_unref(cfg);
	return c;
}

/* The config.json of a container that was initialised. malloc'ed. */
static char *bundle_of(ctr_container_t *c)
{
	char *dir = NULL, path[400], *text = calloc(1, 65536);
	FILE *f;

	assert_non_null(text);
	OK(ctr_container_init(c, 0, err));
	OK(ctr_container_run_dir(c, &dir, err));
	snprintf(path, sizeof(path), "%s/config.json", dir);
	f = fopen(path, "re");
	assert_non_null(f);
	assert_true(fread(text, 1, 65535, f) > 0);
	fclose(f);
	ctr_free(dir);
	return text;
}

static void holds(ctr_container_t *c, const char *format, const char *id)
{
	char *text = bundle_of(c), expected[400];

	snprintf(expected, sizeof(expected), format, id);
	if (!strstr(text, expected))
		fail_msg("no %s in %s", expected, text);
	free(text);
	OK(ctr_container_remove(c, CTR_REMOVE_FORCE, err));
	ctr_container_unref(c);
}

static ctr_runtime_t *open_systemd(struct fixture *f)
{
	struct ctr_open_opts o = {.size = sizeof(o),
	    .root = f->root,
	    .run_root = f->run,
	    .flags = CTR_OPEN_SYSTEMD_CGROUP};
	ctr_runtime_t *rt = NULL;

	OK(ctr_runtime_open(&o, &rt, err));
	OK(ctr_runtime_add_oci(rt, &fake_oci_ops, fake_oci_new(), fake_oci_destroy, err));
	return rt;
}

static void test_cgroupfs_paths(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = create_with(f->rt, f, CTR_CONFIG_CGROUP_PARENT, "a/b", 0);

	holds(c, "\"cgroupsPath\":\"/a/b/libpod-%s\"", ctr_container_id(c));
	c = create_with(f->rt, f, CTR_CONFIG_CGROUP_PARENT, "/", 0);
	holds(c, "\"cgroupsPath\":\"/libpod-%s\"", ctr_container_id(c));
	create_with(f->rt, f, CTR_CONFIG_CGROUP_PARENT, "/a/../b", CTR_E_INVALID);
	create_with(f->rt, f, CTR_CONFIG_CGROUP_PARENT, "/a//b", CTR_E_INVALID);
	create_with(f->rt, f, CTR_CONFIG_CGROUP_PARENT, "/a/b/", CTR_E_INVALID);
	create_with(f->rt, f, CTR_CONFIG_CGROUP_PARENT, "x.slice", CTR_E_INVALID);
}

static void test_systemd_paths(void **state)
{
	struct fixture *f = *state;
	ctr_runtime_t *rt = open_systemd(f);
	ctr_container_t *c = create_with(rt, f, 0, NULL, 0);

	holds(c, "\"cgroupsPath\":\"machine.slice:libpod:%s\"", ctr_container_id(c));
	c = create_with(rt, f, CTR_CONFIG_CGROUP_PARENT, "machine.slice/machine-p.slice", 0);
	holds(c, "\"cgroupsPath\":\"machine-p.slice:libpod:%s\"", ctr_container_id(c));
	c = create_with(rt, f, 0, NULL, 0);
	holds(c,
	    "\"org.systemd.property.KillSignal\":\"15\","
	    "\"org.systemd.property.TimeoutStopUSec\":\"uint64 10000000\"%s",
	    "");
	create_with(rt, f, CTR_CONFIG_CGROUP_PARENT, "/a", CTR_E_INVALID);
	create_with(rt, f, CTR_CONFIG_CGROUP_PARENT, ".slice", CTR_E_INVALID);
	create_with(rt, f, CTR_CONFIG_CGROUP_PARENT, "a:b.slice", CTR_E_INVALID);
	ctr_runtime_unref(rt);
}

/* In the root cgroup there is nothing to split. */
static void test_split_path(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = create_with(f->rt, f, CTR_CONFIG_CGROUPS_MODE, "split", 0);
	char *path = NULL, expected[200];

	snprintf(expected, sizeof(expected), "/libpod-payload-%s", ctr_container_id(c));
	OK(ctr_container_cgroup_path(c, &path, err));
	assert_non_null(strstr(path, expected));
	if (strcmp(path, expected) == 0) {
		FAILS(CTR_E_INVALID, ctr_container_init(c, 0, err));
		assert_state(c, CTR_STATE_CONFIGURED);
		OK(ctr_container_remove(c, 0, err));
		ctr_container_unref(c);
	} else {
		holds(c, "/libpod-payload-%s\"", ctr_container_id(c));
	}
	ctr_free(path);
}

static void test_label_options(void **state)
{
	struct fixture *f = *state;

	create_with(f->rt, f, CTR_CONFIG_LABEL_OPTS, "typ:x", CTR_E_INVALID);
	holds(create_with(f->rt, f, CTR_CONFIG_LABEL_OPTS, "disable", 0),
	    "\"io.container.manager\":\"libctr\"%s", "");
}

/* ---- the schema ---- */

static ctr_runtime_t *open_with(struct fixture *f, uint64_t flags, const char *const *hooks)
{
	struct ctr_open_opts o = {.size = sizeof(o),
	    .root = f->root,
	    .run_root = f->run,
	    .flags = flags,
	    .hooks_dirs = hooks};
	struct ctr_oci_ops ops = fake_oci_ops;
	ctr_runtime_t *rt = NULL;

	ops.caps |= CTR_OCI_CAP_NO_CGROUPS;
	OK(ctr_runtime_open(&o, &rt, err));
	OK(ctr_runtime_add_oci(rt, &ops, fake_oci_new(), fake_oci_destroy, err));
	return rt;
}

static ctr_container_t *create_row(
    ctr_runtime_t *rt, struct fixture *f, const struct spec_row *row, ctr_container_t *base)
{
	ctr_config_builder_t *b = ctr_config_builder_new();
	ctr_container_t *c = NULL;
	ctr_config_t *cfg;

	OK(ctr_config_builder_set_str(b, CTR_CONFIG_ROOTFS, f->rootfs, err));
	OK(ctr_config_builder_set_str(b, CTR_CONFIG_RUNTIME, "fake", err));
	OK(ctr_config_builder_add_str(b, CTR_CONFIG_COMMAND, "/bin/sh", err));
	cfg = spec_row_config(row, b, ctr_container_id(base));
	OK(ctr_container_create(rt, cfg, 0, &c, err));
	ctr_config_unref(cfg);
	return c;
}

static void write_rows(struct fixture *f, uint64_t flags, const char *const *hooks, const char *dir)
{
	ctr_runtime_t *rt = open_with(f, flags, hooks);
	ctr_container_t *base = create_with(rt, f, 0, NULL, 0);

	assert_int_equal(mkdir(dir, 0755), 0);
	OK(ctr_container_start(base, 0, err));
	for (size_t i = 0; i < spec_rows_n; i++) {
		ctr_container_t *c;

		if (spec_rows[i].split || spec_rows[i].joins)
			continue;
		c = create_row(rt, f, &spec_rows[i], base);
		OK(ctr_container_init(c, 0, err));
		spec_row_keep(c, dir, spec_rows[i].name);
		OK(ctr_container_remove(c, CTR_REMOVE_FORCE, err));
		ctr_container_unref(c);
	}
	OK(ctr_container_remove(base, CTR_REMOVE_FORCE, err));
	ctr_container_unref(base);
	ctr_runtime_unref(rt);
	spec_rows_validate(dir);
}

static void test_schema(void **state)
{
	struct fixture *f = *state;
	char dir[200];

	snprintf(dir, sizeof(dir), "%s/tmp", f->rootfs); /* a working directory */
	assert_int_equal(mkdir(dir, 0755), 0);
	snprintf(dir, sizeof(dir), "%s/cgroupfs", f->dir);
	write_rows(f, 0, NULL, dir);
	snprintf(dir, sizeof(dir), "%s/systemd", f->dir);
	write_rows(f, CTR_OPEN_SYSTEMD_CGROUP, NULL, dir);
	snprintf(dir, sizeof(dir), "%s/hooks", f->dir);
	write_rows(f, 0, spec_hooks_dir(f->dir), dir);
}

/* ---- hook directories ---- */

static void test_hook_directories_are_checked(void **state)
{
	struct fixture *f = *state;
	struct ctr_open_opts o = {.size = sizeof(o), .root = f->root, .run_root = f->run};
	const char *many[34] = {NULL};
	ctr_runtime_t *rt = NULL;

	o.hooks_dirs = (const char *const[]){"/etc", "hooks.d", NULL};
	FAILS(CTR_E_INVALID, ctr_runtime_open(&o, &rt, err));
	o.hooks_dirs = (const char *const[]){"/etc/../x", NULL};
	FAILS(CTR_E_INVALID, ctr_runtime_open(&o, &rt, err));
	for (int i = 0; i < 33; i++)
		many[i] = "/nonexistent";
	o.hooks_dirs = many;
	FAILS(CTR_E_INVALID, ctr_runtime_open(&o, &rt, err));
	many[32] = NULL;
	OK(ctr_runtime_open(&o, &rt, err));
	ctr_runtime_unref(rt);
}

/* A container whose hooks cannot be known does not start without them. */
static void test_bad_hook_file(void **state)
{
	struct fixture *f = *state;
	const char *const *dirs = spec_hooks_dir(f->dir);
	ctr_runtime_t *rt = open_with(f, 0, dirs);
	ctr_container_t *c = create_with(rt, f, 0, NULL, 0);
	ctr_state_t *snap = NULL;
	char path[400], *text;
	FILE *file;

	snprintf(path, sizeof(path), "%s/zz.json", dirs[0]);
	file = fopen(path, "we");
	assert_non_null(file);
	fputs("{\"version\":\"1.0.0\"}", file);
	fclose(file);
	FAILS(CTR_E_INVALID, ctr_container_start(c, 0, err));
	assert_state(c, CTR_STATE_CONFIGURED);
	assert_int_equal(unlink(path), 0);
	text = bundle_of(c);
	assert_non_null(strstr(text, "PRECREATE=ran"));
	/* The conditions are about the command, which is not a shell here. */
	assert_null(strstr(text, "poststop"));
	free(text);
	OK(ctr_container_snapshot(c, &snap, err));
	assert_non_null(strstr(ctr_state_stage_hooks(snap), "{\"precreate\":[{\"path\":\"/"));
	OK(ctr_state_to_json(snap, &text, NULL, err));
	assert_non_null(strstr(text, "\"extensionStageHooks\":{\"precreate\":[{"));
	ctr_free(text);
	ctr_state_free(snap);
	ctr_container_unref(c);
	OK(ctr_runtime_shutdown(rt, err));
	ctr_runtime_unref(rt);
}

/* ---- what cannot be had ---- */

static ctr_config_t *config_with(const struct fixture *f, const char *member)
{
	ctr_config_t *cfg = NULL;
	char json[1024];
	int n = snprintf(json, sizeof(json),
	    "{\"rootfs\":\"%s\",\"runtime\":\"fake\",%s,\"spec\":{\"ociVersion\":\"1.0.2\","
	    "\"process\":{\"args\":[\"x\"]}}}",
	    f->rootfs, member);

	OK(ctr_config_from_json(json, (size_t)n, &cfg, err));
	return cfg;
}

/* Configurations are kept as they are, but no container runs without what its configuration promises. */
static void test_not_supported(void **state)
{
	static const struct {
		const char *member, *field;
	} refused[] = {
	    {"\"createNetNS\":true", "createNetNS"},
	    {"\"namedVolumes\":[{\"volumeName\":\"v\",\"dest\":\"/v\"}]", "namedVolumes"},
	    {"\"overlayVolumes\":[{\"dest\":\"/v\",\"source\":\"/s\"}]", "overlayVolumes"},
	    {"\"ctrImageVolumes\":[{}]", "ctrImageVolumes"},
	    {"\"artifactVolumes\":[{}]", "artifactVolumes"},
	    {"\"rootfs_overlay\":true", "rootfs_overlay"},
	    {"\"rootfs_mapping\":\"idmap\"", "rootfs_mapping"},
	};
	struct fixture *f = *state;
	ctr_config_t *cfg;

	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		ctr_error_t *why = NULL;

		cfg = config_with(f, refused[i].member);
		assert_int_equal(
		    ctr_container_create(f->rt, cfg, 0, NULL, &why), CTR_E_UNSUPPORTED);
		assert_string_equal(ctr_error_get(why, "field"), refused[i].field);
		ctr_error_free(why);
		ctr_config_unref(cfg);
	}
	cfg = config_with(f, "\"namedVolumes\": [ ],\"overlayVolumes\":null,"
	                     "\"rootfs_overlay\":false,\"rootfs_mapping\":\"\"");
	OK(ctr_container_create(f->rt, cfg, 0, NULL, err));
	ctr_config_unref(cfg);
}

static void test_cgroup_parent_is_named(void **state)
{
	struct fixture *f = *state;
	ctr_config_t *cfg = config_with(f, "\"cgroupParent\":\"/a/../b\"");
	ctr_error_t *why = NULL;

	assert_int_equal(ctr_container_create(f->rt, cfg, 0, NULL, &why), CTR_E_INVALID);
	assert_string_equal(ctr_error_get(why, "field"), "cgroupParent");
	assert_non_null(strstr(ctr_error_message(why), "\"/a/../b\""));
	ctr_error_free(why);
	ctr_config_unref(cfg);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_cgroupfs_paths),
	    TEST(test_systemd_paths),
	    TEST(test_split_path),
	    TEST(test_label_options),
	    TEST(test_schema),
	    TEST(test_hook_directories_are_checked),
	    TEST(test_bad_hook_file),
	    TEST(test_not_supported),
	    TEST(test_cgroup_parent_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
