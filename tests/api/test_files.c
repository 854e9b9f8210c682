/* SPDX-License-Identifier: Apache-2.0 */
/* The files of a run, and what its config.json says of them and of the user. */
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void put(const struct fixture *f, const char *name, const char *text)
{
	char path[400];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", f->rootfs, name);
	file = fopen(path, "we");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void make_dir(const struct fixture *f, const char *name)
{
	char path[400];

	snprintf(path, sizeof(path), "%s/%s", f->rootfs, name);
	assert_int_equal(mkdir(path, 0755), 0);
}

/* A container of a configuration: `fields` and `spec` are members to add, each ending in a comma. */
static ctr_container_t *create(
    const struct fixture *f, const char *fields, const char *process, const char *spec)
{
	ctr_config_t *cfg = NULL;
	ctr_container_t *c = NULL;
	char json[4096];

	snprintf(json, sizeof(json),
	    "{\"rootfs\":\"%s\",\"runtime\":\"fake\",%s\"spec\":{\"ociVersion\":\"1.1.0\",%s"
	    "\"process\":{%s\"args\":[\"x\"]}}}",
	    f->rootfs, fields, spec, process);
	OK(ctr_config_from_json(json, strlen(json), &cfg, err));
	OK(ctr_container_create(f->rt, cfg, 0, &c, err));
	ctr_config_unref(cfg);
	return c;
}

/* A file of the run directory, malloc'ed; NULL if there is none. */
static char *run_file(ctr_container_t *c, const char *name, struct stat *st)
{
	char *dir = NULL, path[400], *text;
	FILE *file;

	OK(ctr_container_run_dir(c, &dir, err));
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	ctr_free(dir);
	file = fopen(path, "re");
	if (!file)
		return NULL;
	if (st)
		assert_int_equal(fstat(fileno(file), st), 0);
	text = calloc(1, 65536);
	assert_non_null(text);
	(void)fread(text, 1, 65535, file);
	fclose(file);
	return text;
}

static void assert_in_file(ctr_container_t *c, const char *name, const char *piece)
{
	char *text = run_file(c, name, NULL);

	assert_non_null(text);
	if (!strstr(text, piece))
		fail_msg("%s is not in %s", piece, text);
	free(text);
}

static bool is_bound(ctr_container_t *c, const char *dest)
{
	char **list = NULL;
	bool found = false;

	OK(ctr_container_bind_mounts(c, &list, err));
	for (size_t i = 0; list[i]; i += 2)
		found = found || strcmp(list[i], dest) == 0;
	ctr_strv_free(list);
	return found;
}

static void drop(ctr_container_t *c)
{
	OK(ctr_container_remove(c, CTR_REMOVE_FORCE, err));
	ctr_container_unref(c);
}

#define OWN_NET "\"linux\":{\"namespaces\":[{\"type\":\"network\"},{\"type\":\"uts\"}]},"
#define GIVEN_NET \
	"\"linux\":{\"namespaces\":[{\"type\":\"network\",\"path\":\"/run/netns/none-such\"}]},"

static void test_user(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c =
	    create(f, "\"user\":\"bob\",\"groups\":[\"wheel\",\"3\"],\"umask\":\"077\",",
	        "\"user\":{\"uid\":5,\"gid\":6,\"additionalGids\":[8]},", "");

	make_dir(f, "etc");
	put(f, "etc/passwd", "bob:x:1000:1001::/home/bob:\n");
	put(f, "etc/group", "wheel:x:10:\nusers:x:100:bob\n");
	OK(ctr_container_init(c, 0, err));
	assert_in_file(c, "config.json",
	    "\"user\":{\"uid\":1000,\"gid\":1001,\"additionalGids\":[8,3,10,100,1001],\"umask\":"
	    "63}");
	assert_in_file(c, "config.json", "\"HOME=/home/bob\"");
	drop(c);
	/* What no look-up finds changes nothing: the container can still be mended. */
	c = create(f, "\"user\":\"alice\",", "", "");
	FAILS(CTR_E_INVALID, ctr_container_init(c, 0, err));
	assert_state(c, CTR_STATE_CONFIGURED);
	assert_null(run_file(c, "config.json", NULL));
	put(f, "etc/passwd", "alice:x:7:7::/:\n");
	OK(ctr_container_init(c, 0, err));
	drop(c);
}

static void test_what_is_bound(void **state)
{
	static const struct {
		const char *fields, *spec;
		bool resolv_conf, hosts, hostname;
	} rows[] = {
	    {"", "", true, true, true},
	    {"", OWN_NET, false, true, true},
	    {"", GIVEN_NET, true, true, true},
	    {"\"UseImageResolvConf\":true,", "", false, true, true},
	    {"\"useImageHosts\":true,", "", true, false, true},
	    {"\"useImageHostname\":true,", "", true, true, false},
	    {"",
	        "\"mounts\":[{\"destination\":\"/etc//hosts/\",\"type\":\"bind\",\"source\":\"/"
	        "x\"}],",
	        true, false, true},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		ctr_container_t *c = create(f, rows[i].fields, "", rows[i].spec);

		OK(ctr_container_init(c, 0, err));
		assert_int_equal(is_bound(c, "/etc/resolv.conf"), rows[i].resolv_conf);
		assert_int_equal(is_bound(c, "/etc/hosts"), rows[i].hosts);
		assert_int_equal(is_bound(c, "/etc/hostname"), rows[i].hostname);
		assert_true(is_bound(c, "/run/.containerenv"));
		assert_true(is_bound(c, "/run/secrets"));
		assert_false(is_bound(c, "/etc/passwd"));
		drop(c);
	}
}

/* The container's root owns them, everybody may read them. */
static void test_owner(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = create(f,
	    "\"idMappingsOptions\":{\"UIDMap\":[{\"container_id\":0,\"host_id\":100000,\"size\":"
	    "65536}],"
	    "\"GIDMap\":[{\"container_id\":0,\"host_id\":200000,\"size\":65536}]},"
	    "\"createWorkingDir\":true,",
	    "\"cwd\":\"/work/here\",", "");
	static const char *const names[] = {"hosts", "resolv.conf", "hostname", "containerenv"};
	mode_t mask = umask(077);
	char path[400];
	struct stat st;

	OK(ctr_container_init(c, 0, err));
	umask(mask);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		free(run_file(c, names[i], &st));
		assert_int_equal(st.st_uid, 100000);
		assert_int_equal(st.st_gid, 200000);
		assert_int_equal(st.st_mode, S_IFREG | 0644);
	}
	snprintf(path, sizeof(path), "%s/work/here", f->rootfs);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_uid, 100000);
	assert_int_equal(st.st_gid, 200000);
	assert_int_equal(st.st_mode, S_IFDIR | 0755);
	drop(c);
}

static void test_read_only(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = create(f, "", "", "\"root\":{\"path\":\"r\",\"readonly\":true},");

	OK(ctr_container_init(c, 0, err));
	assert_in_file(c, "config.json",
	    "\"options\":[\"bind\",\"rprivate\",\"ro\",\"nosuid\",\"noexec\",\"nodev\"]");
	drop(c);
}

/* A directory that cannot be: said, and nothing made. */
static void test_working_directory(void **state)
{
	static const struct {
		const char *cwd, *says;
		bool make;
		int code;
	} rows[] = {
	    {"/", NULL, false, 0},
	    {"/dir/../dir/.", NULL, false, 0},
	    {"/none", "does not exist", false, CTR_E_INVALID},
	    {"/file", "not a directory", true, CTR_E_INVALID},
	    {"/file/below", "not a directory", true, CTR_E_INVALID},
	    {"/dangling/x", "link to nothing", true, CTR_E_INVALID},
	    {"/loop/x", "cannot be used", true, CTR_E_SYSTEM},
	    {"relative", "not absolute", true, CTR_E_INVALID},
	    {"/mnt/of/the/runtime", NULL, false, 0},
	    {"/made/by/us", NULL, true, 0},
	};
	struct fixture *f = *state;
	char path[400];

	make_dir(f, "dir");
	put(f, "file", "");
	snprintf(path, sizeof(path), "%s/dangling", f->rootfs);
	assert_int_equal(symlink("/../../outside", path), 0);
	snprintf(path, sizeof(path), "%s/loop", f->rootfs);
	assert_int_equal(symlink("loop", path), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char process[200];
		ctr_container_t *c;
		ctr_error_t *why = NULL;

		snprintf(process, sizeof(process), "\"cwd\":\"%s\",", rows[i].cwd);
		c = create(f, rows[i].make ? "\"createWorkingDir\":true," : "", process,
		    "\"mounts\":[{\"destination\":\"/mnt/"
		    "\",\"type\":\"tmpfs\",\"source\":\"t\"}],");
		assert_int_equal(ctr_container_init(c, 0, &why), rows[i].code);
		if (rows[i].code) {
			assert_string_equal(ctr_error_get(why, "field"), "spec.process.cwd");
			assert_non_null(strstr(ctr_error_message(why), rows[i].says));
			assert_state(c, CTR_STATE_CONFIGURED);
		}
		ctr_error_free(why);
		drop(c);
	}
	snprintf(path, sizeof(path), "%s/outside", f->dir);
	assert_int_equal(access(path, F_OK), -1);
	snprintf(path, sizeof(path), "%s/none", f->rootfs);
	assert_int_equal(access(path, F_OK), -1);
}

static void test_base_hosts_file(void **state)
{
	struct fixture *f = *state;
	char fields[400];
	ctr_container_t *c;

	put(f, "my-hosts", "192.0.2.5 of-the-file # and why\n");
	snprintf(fields, sizeof(fields), "\"baseHostsFile\":\"%s/my-hosts\",", f->rootfs);
	c = create(f, fields, "", "");
	OK(ctr_container_init(c, 0, err));
	assert_in_file(c, "hosts", "192.0.2.5\tof-the-file\n");
	drop(c);
	snprintf(fields, sizeof(fields), "\"baseHostsFile\":\"%s/none\",", f->rootfs);
	c = create(f, fields, "", "");
	FAILS(CTR_E_SYSTEM, ctr_container_init(c, 0, err));
	drop(c);
	snprintf(fields, sizeof(fields), "\"baseHostsFile\":\"%s\",", f->rootfs);
	c = create(f, fields, "", "");
	FAILS(CTR_E_INVALID, ctr_container_init(c, 0, err));
	drop(c);
}

/* What was there before, in whatever form, is not written to. */
static void test_run_directory_is_not_trusted(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = create(f, "", "", "");
	char *dir = NULL, path[400], victim[400];
	struct stat st;

	put(f, "victim", "as it was");
	snprintf(victim, sizeof(victim), "%s/victim", f->rootfs);
	OK(ctr_container_run_dir(c, &dir, err));
	assert_true(mkdir(dir, 0700) == 0 || errno == EEXIST);
	snprintf(path, sizeof(path), "%s/hosts", dir);
	assert_int_equal(symlink(victim, path), 0);
	ctr_free(dir);
	OK(ctr_container_init(c, 0, err));
	assert_int_equal(stat(victim, &st), 0);
	assert_int_equal(st.st_size, 9);
	assert_in_file(c, "hosts", "localhost");
	drop(c);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_user),
	    TEST(test_what_is_bound),
	    TEST(test_owner),
	    TEST(test_read_only),
	    TEST(test_working_directory),
	    TEST(test_base_hosts_file),
	    TEST(test_run_directory_is_not_trusted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
