/* SPDX-License-Identifier: Apache-2.0 */
/* Generated specs, as real OCI runtimes take them: test_spec_real RUNTIME. */
#include "real.h"
#include "spec_rows.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static ctr_runtime_t *open_with_hooks(const struct real *r, const char *const *dirs)
{
	struct ctr_open_opts o = {.size = sizeof(o),
	    .root = r->root,
	    .run_root = r->run,
	    .oci_runtimes = real_path,
	    .helper = TEST_HELPER,
	    .hooks_dirs = dirs};
	ctr_runtime_t *rt = NULL;

	OK(ctr_runtime_open(&o, &rt, err));
	return rt;
}

static ctr_container_t *create_on(ctr_runtime_t *rt, ctr_config_t *cfg)
{
	ctr_container_t *c = NULL;

	OK(ctr_container_create(rt, cfg, 0, &c, err));
	ctr_config_unref(cfg);
	return c;
}

static ctr_config_t *build(ctr_config_builder_t *b)
{
	ctr_config_t *cfg = NULL;

	OK(ctr_config_builder_build(b, &cfg, err));
	ctr_config_builder_free(b);
	return cfg;
}

static void log_has(ctr_container_t *c, const char *text)
{
	char *log = real_log(c);

	if (!strstr(log, text))
		fail_msg("no \"%s\" in the log: %s", text, log);
	free(log);
}

/* ---- every kind of configuration ---- */

static void run_row(struct real *r, const struct spec_row *row, const char *base, const char *dir)
{
	ctr_config_builder_t *b = real_builder(r, "echo works as $$; true");
	ctr_container_t *c = create_on(r->rt, spec_row_config(row, b, base));
	int32_t code;

	OK(ctr_container_init(c, 0, err));
	spec_row_keep(c, dir, row->name);
	OK(ctr_container_start(c, 0, err));
	code = real_wait(c);
	if (code != 0) {
		char *log = real_log(c);

		fail_msg("row %s: code %d: %s", row->name, code, log);
	}
	log_has(c, "works as ");
	real_remove(c, 0);
}

static void test_rows(void **state)
{
	struct real *r = *state;
	ctr_container_t *base = real_start_ready(r, IGNORES_TERM);
	char dir[200], path[300];

	snprintf(dir, sizeof(dir), "%s/specs", r->dir);
	assert_int_equal(mkdir(dir, 0755), 0);
	snprintf(path, sizeof(path), "%s/link", r->rootfs);
	assert_int_equal(symlink("/tmp", path), 0);
	for (size_t i = 0; i < spec_rows_n; i++) {
		if (spec_rows[i].split || (spec_rows[i].no_cgroup && real_is_runc()) ||
		    (spec_rows[i].needs_cgroup &&
		        !(real_has_controller("memory") && real_has_controller("pids") &&
		            real_has_controller("cpu"))))
			continue;
		run_row(r, &spec_rows[i], ctr_container_id(base), dir);
	}
	real_remove(base, CTR_REMOVE_FORCE);
	spec_rows_validate(dir);
}

/* ---- hooks ---- */

static void test_hooks(void **state)
{
	struct real *r = *state;
	ctr_runtime_t *rt = open_with_hooks(r, spec_hooks_dir(r->dir));
	ctr_container_t *c =
	    create_on(rt, build(real_builder(r, "echo $PRECREATE; cat /tmp/stages; true")));
	char *stages;

	OK(ctr_container_init(c, 0, err));
	stages = real_slurp("%s/stages", r->dir);
	/* runc runs poststart hooks when it creates. */
	assert_memory_equal(stages, "prestart\ncreateRuntime\ncreateContainer\n", 39);
	free(stages);
	OK(ctr_container_start(c, 0, err));
	/* The start has returned, so what follows it has run: no way around the runtime was taken. */
	stages = real_slurp("%s/stages", r->dir);
	assert_string_equal(stages, "prestart\ncreateRuntime\ncreateContainer\npoststart\n");
	free(stages);
	assert_int_equal(real_wait(c), 0);
	log_has(c, " ran\n");
	log_has(c, " startContainer\n");
	real_remove(c, 0);
	stages = real_slurp("%s/stages", r->dir);
	assert_string_equal(
	    stages, "prestart\ncreateRuntime\ncreateContainer\npoststart\npoststop\n");
	free(stages);
	ctr_runtime_unref(rt);
}

/* Who restarts a container by policy is a program of its own: it is told where the hooks are. */
static void test_hooks_of_a_restart(void **state)
{
	struct real *r = *state;
	ctr_runtime_t *rt = open_with_hooks(r, spec_hooks_dir(r->dir));
	ctr_config_builder_t *b = real_builder(
	    r, "test -e /tmp/second && echo again $PRECREATE && exit 0; touch /tmp/second; exit 1");
	ctr_container_t *c;

	ctr_config_builder_set_str(b, CTR_CONFIG_RESTART_POLICY, "on-failure", NULL);
	c = create_on(rt, build(b));
	OK(ctr_container_start(c, 0, err));
	real_await_log(c, " again ran\n");
	real_remove(c, CTR_REMOVE_FORCE);
	ctr_runtime_unref(rt);
}

static void write_hook(const char *dir, const char *name, const char *script, const char *stage)
{
	char path[300];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "we");
	assert_non_null(f);
	fprintf(f,
	    "{\"version\":\"1.0.0\",\"hook\":{\"path\":\"/bin/sh\",\"args\":[\"sh\",\"-c\",\"%s\"],"
	    "\"env\":[\"PATH=/usr/bin:/"
	    "bin\"],\"timeout\":1},\"when\":{\"always\":true},\"stages\":["
	    "\"%s\"]}",
	    script, stage);
	assert_int_equal(fclose(f), 0);
}

/* A hook that fails leaves nothing behind, and without it the container starts. */
static void test_failing_hooks(void **state)
{
	static const struct {
		const char *script, *stage;
		int code;
	} hooks[] = {
	    {"sleep 1000 & wait", "precreate", CTR_E_TIMEOUT},
	    {"echo garbage", "precreate", CTR_E_INVALID},
	    {"cat; echo '{}'", "precreate", CTR_E_INVALID},
	    {"exit 1", "precreate", CTR_E_FAILED},
	    {"exit 1", "createRuntime", CTR_E_OCI_RUNTIME},
	};
	struct real *r = *state;
	const char *dirs[] = {NULL, NULL};
	ctr_runtime_t *rt;
	ctr_container_t *c;
	char dir[200], path[300];

	snprintf(dir, sizeof(dir), "%s/hooks.d", r->dir);
	snprintf(path, sizeof(path), "%s/h.json", dir);
	assert_int_equal(mkdir(dir, 0755), 0);
	dirs[0] = dir;
	rt = open_with_hooks(r, dirs);
	c = create_on(rt, build(real_builder(r, "echo ready; true")));
	for (size_t i = 0; i < sizeof(hooks) / sizeof(*hooks); i++) {
		write_hook(dir, "h.json", hooks[i].script, hooks[i].stage);
		FAILS(hooks[i].code, ctr_container_start(c, 0, err));
		assert_state(c, CTR_STATE_CONFIGURED);
	}
	assert_int_equal(unlink(path), 0);
	OK(ctr_container_start(c, 0, err));
	assert_int_equal(real_wait(c), 0);
	real_remove(c, 0);
	ctr_runtime_unref(rt);
}

/* ---- propagation ---- */

/* What is mounted on the host's directory later shows up inside, if the volume is a slave. */
static void test_propagation(void **state)
{
	struct real *r = *state;
	ctr_config_builder_t *b;
	ctr_container_t *c;
	char dir[200], below[250], json[2000];
	const struct spec_row row = {.name = "slave", .edits = {"\"mounts\":[", json}};

	snprintf(dir, sizeof(dir), "%s/volume", r->dir);
	snprintf(below, sizeof(below), "%s/below", dir);
	snprintf(json, sizeof(json),
	    "\"mounts\":[{\"destination\":\"/volume\",\"type\":\"bind\",\"source\":\"%s\","
	    "\"options\":[\"rbind\",\"rslave\"]},",
	    dir);
	assert_int_equal(mkdir(dir, 0755), 0);
	assert_int_equal(mount("none", dir, "tmpfs", 0, "size=64k"), 0);
	assert_int_equal(mount(NULL, dir, NULL, MS_PRIVATE, NULL), 0);
	assert_int_equal(mkdir(below, 0755), 0);

	b = real_builder(r, "echo ready; until test -e /volume/below/f; do sleep 0.05; done; true");
	c = create_on(r->rt, spec_row_config(&row, b, ""));
	FAILS(CTR_E_INVALID, ctr_container_start(c, 0, err));
	assert_state(c, CTR_STATE_CONFIGURED);

	assert_int_equal(mount(NULL, dir, NULL, MS_SHARED, NULL), 0);
	OK(ctr_container_start(c, 0, err));
	real_await_log(c, "ready");
	assert_int_equal(mount("none", below, "tmpfs", 0, "size=64k"), 0);
	snprintf(json, sizeof(json), "%s/f", below);
	assert_int_equal(close(open(json, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)), 0);
	assert_int_equal(real_wait(c), 0);
	real_remove(c, 0);
	assert_int_equal(umount2(dir, MNT_DETACH), 0);
	assert_int_equal(rmdir(dir), 0);
}

/* ---- split cgroups ---- */

/* Calls fn for the group of this name in every hierarchy. */
static void each_hierarchy(const char *name, void (*fn)(const char *path))
{
	char path[400];
	DIR *d;

	if (real_is_cgroup2()) {
		snprintf(path, sizeof(path), "/sys/fs/cgroup/%s", name);
		fn(path);
		return;
	}
	d = opendir("/sys/fs/cgroup");
	assert_non_null(d);
	for (struct dirent *e; (e = readdir(d));) {
		snprintf(path, sizeof(path), "/sys/fs/cgroup/%s/cgroup.procs", e->d_name);
		if (e->d_name[0] == '.' || e->d_type == DT_LNK || access(path, F_OK) != 0)
			continue;
		snprintf(path, sizeof(path), "/sys/fs/cgroup/%s/%s", e->d_name, name);
		fn(path);
	}
	closedir(d);
}

static void write_file(const char *dir, const char *name, const char *text)
{
	char path[500];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		fail_msg("cannot write %s to %s", text, path);
	close(fd);
}

static void enter_group(const char *path)
{
	char parent[400], cpus[2][64];
	static const char *const files[] = {"cpuset.cpus", "cpuset.mems"};

	assert_int_equal(mkdir(path, 0755), 0);
	/* cpuset of cgroup 1 takes nobody in before it has processors. */
	snprintf(parent, sizeof(parent), "%s/cpuset.cpus", path);
	for (int i = 0; i < 2 && !real_is_cgroup2() && access(parent, F_OK) == 0; i++) {
		char *text = real_slurp("%s/../%s", path, files[i]);

		snprintf(cpus[i], sizeof(cpus[i]), "%s", text);
		free(text);
		write_file(path, files[i], cpus[i]);
	}
	write_file(path, "cgroup.procs", "0");
}

static void leave_group(const char *path)
{
	char up[400];

	snprintf(up, sizeof(up), "%s/..", path);
	write_file(up, "cgroup.procs", "0");
}

static void remove_group(const char *path)
{
	assert_int_equal(rmdir(path), 0);
}

static void start_split(struct real *r, void *name)
{
	const struct spec_row *row = spec_rows;
	ctr_container_t *c;
	char *path = NULL, expected[300];

	while (!row->split)
		row++;
	each_hierarchy(name, enter_group);
	c = create_on(r->rt, spec_row_config(row, real_builder(r, "echo ready; sleep 1000"), ""));
	OK(ctr_container_start(c, 0, err));
	snprintf(
	    expected, sizeof(expected), "/%s/libpod-payload-%s", (char *)name, ctr_container_id(c));
	OK(ctr_container_cgroup_path(c, &path, err));
	if (!strstr(path, expected))
		fail_msg("%s is not %s", path, expected);
	ctr_free(path);
	each_hierarchy(name, leave_group);
	ctr_container_unref(c);
}

/* The group belongs to who started it; everybody can stop and remove it. */
static void test_split(void **state)
{
	struct real *r = *state;
	char name[64];
	ctr_list_t *list = NULL;
	ctr_container_t *c = NULL;

	snprintf(name, sizeof(name), "libctr-split-%d", (int)getpid());
	real_join(real_fork(r, start_split, name));
	OK(ctr_runtime_list(r->rt, NULL, 0, &list, err));
	assert_int_equal(ctr_list_count(list), 1);
	OK(ctr_container_get(r->rt, ctr_list_id(list, 0), &c, err));
	assert_state(c, CTR_STATE_RUNNING);
	real_remove(c, CTR_REMOVE_FORCE);
	ctr_list_free(list);
	each_hierarchy(name, remove_group);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, real_setup, real_teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_rows),
	    TEST(test_hooks),
	    TEST(test_hooks_of_a_restart),
	    TEST(test_failing_hooks),
	    TEST(test_propagation),
	    TEST(test_split),
	};

	real_init(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
