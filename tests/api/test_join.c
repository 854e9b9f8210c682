/* SPDX-License-Identifier: Apache-2.0 */
/* Namespaces of other containers: what the runtime is told, and what happens if the others end meanwhile. Fake
 * runtime; the processes are real. */
#include "fixture.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct {
	int32_t field;
	const char *type, *name;
} kinds[] = {
    {CTR_CONFIG_IPC_NS_CTR, "ipc", "ipc"},
    {CTR_CONFIG_MOUNT_NS_CTR, "mount", "mnt"},
    {CTR_CONFIG_NET_NS_CTR, "network", "net"},
    {CTR_CONFIG_PID_NS_CTR, "pid", "pid"},
    {CTR_CONFIG_USER_NS_CTR, "user", "user"},
    {CTR_CONFIG_UTS_NS_CTR, "uts", "uts"},
    {CTR_CONFIG_CGROUP_NS_CTR, "cgroup", "cgroup"},
};

/* A process that sleeps in namespaces of its own. The shell tells when it is there. */
static pid_t process_apart(FILE **out)
{
	int fds[2];
	char c;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		dup2(fds[1], 1);
		close(fds[0]);
		execlp("unshare", "unshare", "--ipc", "--net", "--uts", "--cgroup", "--user",
		    "--mount", "--map-root-user", "sh", "-c", "echo r; exec sleep 1000", NULL);
		_exit(127);
	}
	close(fds[1]);
	assert_int_equal(read(fds[0], &c, 1), 1);
	*out = fdopen(fds[0], "r");
	return pid;
}

static void end_process(pid_t pid, FILE *out)
{
	kill(pid, 9);
	waitpid(pid, NULL, 0);
	fclose(out);
}

static ctr_container_t *create_joiner(struct fixture *f, ctr_container_t *donor, int32_t field)
{
	ctr_config_t *plain = fixture_config(f, NULL), *cfg = NULL;
	ctr_config_builder_t *b = ctr_config_builder_new_from(plain);
	ctr_container_t *c = NULL;

	OK(ctr_config_builder_set_str(b, field, ctr_container_id(donor), err));
	OK(ctr_config_builder_build(b, &cfg, err));
	OK(ctr_container_create(f->rt, cfg, 0, &c, err));
	ctr_config_builder_free(b);
	ctr_config_unref(plain);
	ctr_config_unref(cfg);
	return c;
}

/* What the runtime is told: the inode behind the path of each namespace. */
struct told {
	ino_t ino[sizeof(kinds) / sizeof(kinds[0])];
	char *config;
	pid_t kill; /* the donor's process, to end during the creation */
	struct fake_oci *fake;
	const char *end; /* the donor, to end during the creation */
};

static char *read_bundle(const struct ctr_oci_container *k)
{
	char path[4096], *text = calloc(1, 65536);
	FILE *file;

	snprintf(path, sizeof(path), "%s/config.json", k->bundle);
	file = fopen(path, "r");
	assert_non_null(file);
	assert_non_null(text);
	assert_true(fread(text, 1, 65535, file) > 0);
	fclose(file);
	return text;
}

static void note(const struct ctr_oci_container *k, void *arg)
{
	struct told *t = arg;

	free(t->config);
	t->config = read_bundle(k);
	if (t->kill) {
		kill(t->kill, 9);
		waitpid(t->kill, NULL, 0);
	}
	if (t->end)
		fake_oci_exit(t->fake, t->end, 1);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		char wanted[64], path[64] = "";
		const char *at;
		struct stat st;

		snprintf(wanted, sizeof(wanted), "{\"type\":\"%s\",\"path\":\"", kinds[i].type);
		at = strstr(t->config, wanted);
		if (!at)
			continue;
		at += strlen(wanted);
		memcpy(path, at, strcspn(at, "\""));
		assert_int_equal(stat(path, &st), 0);
		t->ino[i] = st.st_ino;
	}
}

static ino_t inode(pid_t pid, const char *name)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, name);
	assert_int_equal(stat(path, &st), 0);
	return st.st_ino;
}

static void test_join_each(void **state)
{
	struct fixture *f = *state;
	struct told t = {.fake = f->fake};
	FILE *out;
	pid_t pid = process_apart(&out);
	ctr_container_t *donor = fixture_create(f, NULL);

	fake_oci_process(f->fake, pid, 0);
	OK(ctr_container_start(donor, 0, err));
	fake_oci_process(f->fake, 0, 0);
	fake_oci_on_create(f->fake, note, &t);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		ctr_container_t *c = create_joiner(f, donor, kinds[i].field);

		memset(t.ino, 0, sizeof(t.ino));
		OK(ctr_container_start(c, 0, err));
		for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
			assert_int_equal(t.ino[k], k == i ? inode(pid, kinds[i].name) : 0);
		if (kinds[i].field == CTR_CONFIG_USER_NS_CTR)
			assert_non_null(strstr(t.config,
			    "\"uidMappings\":[{\"containerID\":0,\"hostID\":0,\"size\":1}]"));
		OK(ctr_container_remove(c, CTR_REMOVE_FORCE, err));
		ctr_container_unref(c);
	}
	free(t.config);
	OK(ctr_container_remove(donor, CTR_REMOVE_FORCE, err));
	ctr_container_unref(donor);
	end_process(pid, out);
}

/* The process ends after our look: the path still leads to its namespace, and to nothing else. */
static void test_process_ends_during_the_creation(void **state)
{
	struct fixture *f = *state;
	FILE *out;
	pid_t pid = process_apart(&out);
	struct told t = {.fake = f->fake, .kill = pid};
	ino_t wanted = inode(pid, "net");
	ctr_container_t *donor = fixture_create(f, NULL), *c;

	fake_oci_process(f->fake, pid, 0);
	OK(ctr_container_start(donor, 0, err));
	c = create_joiner(f, donor, CTR_CONFIG_NET_NS_CTR);
	fake_oci_process(f->fake, 0, 0);
	fake_oci_on_create(f->fake, note, &t);
	OK(ctr_container_start(c, 0, err));
	assert_int_equal(t.ino[2], wanted);
	free(t.config);
	ctr_container_unref(c);
	ctr_container_unref(donor);
	fclose(out);
}

/* What goes by path, /dev/shm, must be the same run's before and after. */
static void test_shm_ends_during_the_creation(void **state)
{
	struct fixture *f = *state;
	FILE *out;
	pid_t pid = process_apart(&out);
	ctr_container_t *donor = fixture_create(f, NULL), *c;
	struct told t = {.fake = f->fake, .end = ctr_container_id(donor)};
	ctr_error_t *e = NULL;

	fake_oci_process(f->fake, pid, 0);
	OK(ctr_container_start(donor, 0, err));
	fake_oci_process(f->fake, 0, 0);
	c = create_joiner(f, donor, CTR_CONFIG_IPC_NS_CTR);
	fake_oci_on_create(f->fake, note, &t);
	assert_int_equal(ctr_container_start(c, 0, &e), CTR_E_CTR_STATE);
	assert_string_equal(ctr_error_get(e, "dependency"), ctr_container_id(donor));
	ctr_error_free(e);
	assert_state(c, CTR_STATE_CONFIGURED);
	assert_state(donor, CTR_STATE_STOPPED);
	assert_int_equal(fake_oci_status(f->fake, ctr_container_id(c)), CTR_OCI_ABSENT);
	free(t.config);
	ctr_container_unref(c);
	ctr_container_unref(donor);
	end_process(pid, out);
}

/* The process on record has ended, and somebody else has its PID: not joined. */
static void test_pid_of_somebody_else(void **state)
{
	struct fixture *f = *state;
	FILE *out;
	pid_t pid = process_apart(&out);
	ctr_container_t *donor = fixture_create(f, NULL), *c;
	ctr_error_t *e = NULL;

	fake_oci_process(f->fake, pid, 1); /* which began with the machine */
	OK(ctr_container_start(donor, 0, err));
	fake_oci_process(f->fake, 0, 0);
	c = create_joiner(f, donor, CTR_CONFIG_NET_NS_CTR);
	assert_int_equal(ctr_container_start(c, 0, &e), CTR_E_CTR_STATE);
	assert_string_equal(ctr_error_get(e, "dependency"), ctr_container_id(donor));
	ctr_error_free(e);
	assert_state(c, CTR_STATE_CONFIGURED);
	ctr_container_unref(c);
	ctr_container_unref(donor);
	end_process(pid, out);
}

static void test_no_process_to_join(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *donor = fixture_create(f, NULL), *c;

	OK(ctr_container_start(donor, 0, err));
	c = create_joiner(f, donor, CTR_CONFIG_PID_NS_CTR);
	FAILS(CTR_E_UNSUPPORTED, ctr_container_start(c, 0, err));
	assert_state(c, CTR_STATE_CONFIGURED);
	ctr_container_unref(c);
	ctr_container_unref(donor);
}

/* A container that joins a PID namespace, and nothing else, depends on that container. (In an old libpod the network's
 * container was listed instead.) */
static void test_pid_namespace_is_a_dependency(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *donor = fixture_create(f, NULL);
	ctr_container_t *c = create_joiner(f, donor, CTR_CONFIG_PID_NS_CTR);
	ctr_config_t *cfg = ctr_container_config(c);
	const char *const *deps;
	ctr_error_t *e = NULL;
	size_t n;

	deps = ctr_config_dependencies(cfg, &n);
	assert_int_equal(n, 1);
	assert_string_equal(deps[0], ctr_container_id(donor));
	assert_int_equal(ctr_container_start(c, 0, &e), CTR_E_CTR_STATE);
	assert_string_equal(ctr_error_get(e, "dependencies"), ctr_container_id(donor));
	ctr_error_free(e);
	FAILS(CTR_E_CTR_EXISTS, ctr_container_remove(donor, 0, err));
	ctr_config_unref(cfg);
	ctr_container_unref(c);
	ctr_container_unref(donor);
}

/* Who joins a user namespace has its mappings. */
static void test_mappings_are_copied(void **state)
{
	static const char mappings[] =
	    "{\"UIDMap\":[{\"container_id\":0,\"host_id\":4242,\"size\":10}],"
	    "\"GIDMap\":[{\"container_id\":0,\"host_id\":2424,\"size\":10}]}";
	struct fixture *f = *state;
	ctr_config_t *plain = fixture_config(f, NULL), *cfg = NULL;
	ctr_config_builder_t *b = ctr_config_builder_new_from(plain);
	ctr_container_t *donor = NULL, *c;

	OK(ctr_config_builder_set_json(b, CTR_CONFIG_ID_MAPPINGS, mappings, strlen(mappings), err));
	OK(ctr_config_builder_build(b, &cfg, err));
	OK(ctr_container_create(f->rt, cfg, 0, &donor, err));
	ctr_config_unref(cfg);
	c = create_joiner(f, donor, CTR_CONFIG_USER_NS_CTR);
	ctr_container_unref(c);
	c = NULL;
	ctr_config_builder_free(b);
	ctr_config_unref(plain);
	{
		char **list = NULL;

		/* As stored, not as made. */
		OK(ctr_container_dependents(donor, &list, err));
		OK(ctr_container_get(f->rt, list[0], &c, err));
		ctr_strv_free(list);
	}
	cfg = ctr_container_config(c);
	assert_string_equal(ctr_config_id_mappings(cfg, NULL), mappings);
	assert_int_equal(ctr_config_root_uid(cfg), 4242);
	assert_int_equal(ctr_config_root_gid(cfg), 2424);
	ctr_config_unref(cfg);
	ctr_container_unref(c);
	ctr_container_unref(donor);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
	    TEST(test_join_each),
	    TEST(test_process_ends_during_the_creation),
	    TEST(test_shm_ends_during_the_creation),
	    TEST(test_pid_of_somebody_else),
	    TEST(test_no_process_to_join),
	    TEST(test_pid_namespace_is_a_dependency),
	    TEST(test_mappings_are_copied),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
