/* SPDX-License-Identifier: Apache-2.0 */
/* Containers that depend on others, and namespaces shared with real ones: test_dependencies_real RUNTIME. */
#include "real.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SLEEPS "echo ready; sleep 1000; true"

static const struct kind {
	int32_t ns, field;
	const char *name;
} kinds[] = {
    {CTR_NS_IPC, CTR_CONFIG_IPC_NS_CTR, "ipc"},
    {CTR_NS_NET, CTR_CONFIG_NET_NS_CTR, "net"},
    {CTR_NS_PID, CTR_CONFIG_PID_NS_CTR, "pid"},
    {CTR_NS_UTS, CTR_CONFIG_UTS_NS_CTR, "uts"},
    {CTR_NS_CGROUP, CTR_CONFIG_CGROUP_NS_CTR, "cgroup"},
    {CTR_NS_USER, CTR_CONFIG_USER_NS_CTR, "user"},
    {CTR_NS_MOUNT, CTR_CONFIG_MOUNT_NS_CTR, "mnt"},
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* A container that joins `donor` by one field. Not started. */
static ctr_container_t *joiner(
    const struct real *r, ctr_container_t *donor, int32_t field, const char *script)
{
	ctr_config_builder_t *b = real_builder(r, script);

	OK(ctr_config_builder_set_str(b, field, ctr_container_id(donor), err));
	return real_create_from(r, b);
}

static ino_t inode(ctr_container_t *c, const char *ns)
{
	struct stat st;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", real_pid(c), ns);
	if (stat(path, &st) < 0)
		fail_msg("%s: no such namespace", path);
	return st.st_ino;
}

static void assert_shares_only(ctr_container_t *c, ctr_container_t *donor, const char *name)
{
	for (size_t i = 0; i < KINDS; i++) {
		bool same = inode(c, kinds[i].name) == inode(donor, kinds[i].name);

		if (strcmp(kinds[i].name, "user") == 0 && strcmp(name, "user") != 0)
			assert_true(same); /* the host's */
		else if (same != (strcmp(kinds[i].name, name) == 0))
			fail_msg("joined %s: the %s namespaces are %s", name, kinds[i].name,
			    same ? "the same" : "different");
	}
}

static void join_one(struct real *r, const struct kind *k)
{
	ctr_container_t *donor = real_start_ready(r, SLEEPS);
	ctr_container_t *c = joiner(r, donor, k->field, SLEEPS);

	OK(ctr_container_start(c, 0, err));
	assert_shares_only(c, donor, k->name);
	/* What it is joined to does not go while it is used. */
	FAILS(CTR_E_CTR_STATE, ctr_container_remove(donor, 0, err));
	FAILS(CTR_E_CTR_EXISTS, ctr_container_remove(donor, CTR_REMOVE_FORCE, err));
	assert_true(real_alive(real_pid(donor)));
	real_remove(c, CTR_REMOVE_FORCE);
	assert_true(real_alive(real_pid(donor)));
	real_remove(donor, CTR_REMOVE_FORCE);
}

static void test_join_ipc(void **state)
{
	join_one(*state, &kinds[0]);
}

static void test_join_net(void **state)
{
	join_one(*state, &kinds[1]);
}

static void test_join_pid(void **state)
{
	join_one(*state, &kinds[2]);
}

static void test_join_uts(void **state)
{
	join_one(*state, &kinds[3]);
}

static void test_join_cgroup(void **state)
{
	join_one(*state, &kinds[4]);
}

/* The other's name comes along, as HOSTNAME too, also through a third container. */
static void test_joined_name(void **state)
{
	struct real *r = *state;
	ctr_config_builder_t *b = real_builder(r, SLEEPS);
	ctr_container_t *donor, *middle;

	ctr_config_builder_set_str(b, CTR_SPEC_HOSTNAME, "donor", NULL);
	donor = real_create_from(r, b);
	OK(ctr_container_start(donor, 0, err));
	middle = joiner(r, donor, CTR_CONFIG_UTS_NS_CTR, SLEEPS);
	OK(ctr_container_start(middle, 0, err));
	b = real_builder(r, "hostname; echo $HOSTNAME");
	ctr_config_builder_set_str(b, CTR_CONFIG_UTS_NS_CTR, ctr_container_id(middle), NULL);
	real_says(r, b, "donor\ndonor\n");
	real_remove(middle, CTR_REMOVE_FORCE);
	real_remove(donor, CTR_REMOVE_FORCE);
}

/* /dev/shm belongs to the IPC namespace: also through a third container. It stays when a user of it goes. */
static void test_joined_shm(void **state)
{
	struct real *r = *state;
	ctr_container_t *donor = real_start_ready(r, "echo one >/dev/shm/x; " SLEEPS);
	ctr_container_t *middle = joiner(r, donor, CTR_CONFIG_IPC_NS_CTR, SLEEPS);
	ctr_config_builder_t *b = real_builder(r, "cat /dev/shm/x; echo two >/dev/shm/y");
	char **binds = NULL, **donors = NULL;

	OK(ctr_container_start(middle, 0, err));
	ctr_config_builder_set_str(b, CTR_CONFIG_IPC_NS_CTR, ctr_container_id(middle), NULL);
	real_says(r, b, "one\n");
	OK(ctr_container_bind_mounts(middle, &binds, err));
	OK(ctr_container_bind_mounts(donor, &donors, err));
	assert_string_equal(binds[1], donors[1]);
	real_remove(middle, CTR_REMOVE_FORCE);
	b = real_builder(r, "cat /dev/shm/y");
	ctr_config_builder_set_str(b, CTR_CONFIG_IPC_NS_CTR, ctr_container_id(donor), NULL);
	real_says(r, b, "two\n");
	ctr_strv_free(binds);
	ctr_strv_free(donors);
	real_remove(donor, CTR_REMOVE_FORCE);
}

/* As libpod's users of "--ipc container:X" do: the configuration itself names the other's directory. Ending such a
 * container must not unmount it. */
static void test_shm_dir_of_another(void **state)
{
	struct real *r = *state;
	ctr_container_t *donor = real_start_ready(r, "echo one >/dev/shm/x; " SLEEPS);
	ctr_config_t *cfg = ctr_container_config(donor);

	for (int i = 0; i < 2; i++) {
		ctr_config_builder_t *b = real_builder(r, "cat /dev/shm/x");

		ctr_config_builder_set_str(b, CTR_CONFIG_IPC_NS_CTR, ctr_container_id(donor), NULL);
		ctr_config_builder_set_str(b, CTR_CONFIG_SHM_DIR, ctr_config_shm_dir(cfg), NULL);
		real_says(r, b, "one\n");
	}
	ctr_config_unref(cfg);
	real_remove(donor, CTR_REMOVE_FORCE);
}

/* ---- user namespaces ---- */

#define MAPPINGS                                                            \
	"\"uidMappings\":[{\"containerID\":0,\"hostID\":0,\"size\":1000},"  \
	"{\"containerID\":1000,\"hostID\":101000,\"size\":500}],"           \
	"\"gidMappings\":[{\"containerID\":0,\"hostID\":0,\"size\":2000}]," \
	"\"namespaces\":[{\"type\":\"user\"},"

/* The default spec with a user namespace put into it. */
static ctr_container_t *with_user_namespace(const struct real *r, const char *script)
{
	ctr_container_t *model = real_create(r, script);
	ctr_config_t *cfg = ctr_container_config(model);
	const char *spec = ctr_config_spec(cfg, NULL), *at = strstr(spec, "\"namespaces\":[");
	ctr_config_builder_t *b = real_builder(r, NULL);
	char *text = calloc(1, strlen(spec) + sizeof(MAPPINGS));

	assert_non_null(at);
	assert_non_null(text);
	memcpy(text, spec, (size_t)(at - spec));
	strcat(text, MAPPINGS);
	strcat(text, at + strlen("\"namespaces\":["));
	OK(ctr_config_builder_set_json(b, CTR_CONFIG_SPEC, text, strlen(text), err));
	free(text);
	ctr_config_unref(cfg);
	real_remove(model, 0);
	return real_create_from(r, b);
}

static void test_join_user(void **state)
{
	struct real *r = *state;
	ctr_container_t *donor = with_user_namespace(r, SLEEPS);
	char *ours, *theirs;
	ctr_container_t *c;

	OK(ctr_container_start(donor, 0, err));
	c = joiner(r, donor, CTR_CONFIG_USER_NS_CTR, SLEEPS);
	OK(ctr_container_start(c, 0, err));
	assert_shares_only(c, donor, "user");
	ours = real_slurp("/proc/%d/uid_map", real_pid(c));
	theirs = real_slurp("/proc/%d/uid_map", real_pid(donor));
	assert_non_null(strstr(ours, "101000"));
	assert_string_equal(ours, theirs);
	free(ours);
	free(theirs);
	real_remove(c, CTR_REMOVE_FORCE);
	real_remove(donor, CTR_REMOVE_FORCE);
}

/* The other one is in the host's user namespace: so is this one. */
static void test_join_host_user(void **state)
{
	struct real *r = *state;
	ctr_container_t *donor = real_start_ready(r, SLEEPS);
	ctr_container_t *c = joiner(r, donor, CTR_CONFIG_USER_NS_CTR, SLEEPS);
	struct stat st;

	OK(ctr_container_start(c, 0, err));
	assert_int_equal(stat("/proc/self/ns/user", &st), 0);
	assert_int_equal(inode(c, "user"), st.st_ino);
	real_remove(c, CTR_REMOVE_FORCE);
	real_remove(donor, CTR_REMOVE_FORCE);
}

/* ---- several ---- */

/* All that a pod shares, and a PID namespace whose first process is another container's. */
static void test_join_many(void **state)
{
	struct real *r = *state;
	ctr_container_t *donor = real_start_ready(r, SLEEPS);
	ctr_config_builder_t *b = real_builder(r, ENDS_ON_TERM);
	ctr_container_t *c;
	int32_t pid;

	for (size_t i = 0; i < 5; i++)
		ctr_config_builder_set_str(b, kinds[i].field, ctr_container_id(donor), NULL);
	c = real_create_from(r, b);
	OK(ctr_container_start(c, 0, err));
	real_await_log(c, "ready");
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(inode(c, kinds[i].name), inode(donor, kinds[i].name));
	assert_int_not_equal(inode(c, "mnt"), inode(donor, "mnt"));
	pid = real_pid(c);
	OK(ctr_container_stop_with_timeout(c, PATIENCE_MS, err));
	assert_int_equal(real_wait(c), 5);
	assert_false(real_alive(pid));
	assert_true(real_alive(real_pid(donor)));
	real_remove(c, 0);
	real_remove(donor, CTR_REMOVE_FORCE);
}

/* Neither runc nor crun can set up a container in a mount namespace that is there already: they say so, nothing is
 * left, and the other container goes on. */
static void test_join_mount(void **state)
{
	struct real *r = *state;
	ctr_container_t *donor = real_start_ready(r, SLEEPS);
	ctr_container_t *c = joiner(r, donor, CTR_CONFIG_MOUNT_NS_CTR, SLEEPS);
	ctr_error_t *e = NULL;
	char *error = NULL;

	assert_true(ctr_container_start(c, 0, &e) < 0);
	assert_non_null(ctr_error_get(e, "oci.runtime"));
	ctr_error_free(e);
	assert_state(c, CTR_STATE_CONFIGURED);
	OK(ctr_container_error_text(c, &error, err));
	assert_true(error[0]);
	ctr_free(error);
	assert_true(real_alive(real_pid(donor)));
	assert_state(donor, CTR_STATE_RUNNING);
	real_remove(c, 0);
	real_remove(donor, CTR_REMOVE_FORCE);
}

/* libpod's rule: namespaces of a paused container may be joined, but a dependency must run. */
static void test_paused(void **state)
{
	struct real *r = *state;
	ctr_container_t *donor = real_start_ready(r, SLEEPS);
	ctr_container_t *c = joiner(r, donor, CTR_CONFIG_NET_NS_CTR, SLEEPS);

	OK(ctr_container_pause(donor, err));
	FAILS(CTR_E_CTR_STATE, ctr_container_start(c, 0, err));
	FAILS(CTR_E_CTR_STATE, ctr_container_start(c, CTR_START_RECURSIVE, err));
	assert_state(c, CTR_STATE_CONFIGURED);
	OK(ctr_container_unpause(donor, err));
	OK(ctr_container_start(c, 0, err));
	real_remove(c, CTR_REMOVE_FORCE);
	real_remove(donor, CTR_REMOVE_FORCE);
}

/* The other one is killed at any moment of the creation: the container gets into its namespaces or is refused. */
static void kill_donor(struct real *r, void *arg)
{
	ctr_container_t *donor = NULL;

	OK(ctr_container_get(r->rt, arg, &donor, err));
	usleep((useconds_t)(getpid() % 20) * 2000);
	ctr_container_kill(donor, 9, NULL);
	ctr_container_unref(donor);
}

static void test_donor_ends_meanwhile(void **state)
{
	struct real *r = *state;

	for (int i = 0; i < 6; i++) {
		ctr_container_t *donor = real_start_ready(r, SLEEPS);
		ctr_container_t *c = joiner(r, donor, CTR_CONFIG_IPC_NS_CTR, SLEEPS);
		ino_t wanted = inode(donor, "ipc");
		pid_t killer = real_fork(r, kill_donor, (void *)ctr_container_id(donor));

		if (ctr_container_start(c, 0, NULL) >= 0)
			assert_int_equal(inode(c, "ipc"), wanted);
		real_join(killer);
		real_remove(c, CTR_REMOVE_FORCE);
		real_remove(donor, CTR_REMOVE_FORCE);
	}
}

/* A runtime that does all that the real one does; but before a creation it kills the process whose number it finds in
 * a file, and awaits its end. */
static void write_killer(const struct real *r, const char *path)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	fprintf(f,
	    "#!/bin/sh\n"
	    "case \" $* \" in *' create '*)\n"
	    "  if read -r pid <%s/to-kill; then\n"
	    "    rm %s/to-kill\n"
	    "    kill -9 $pid\n"
	    "    while kill -0 $pid; do :; done\n"
	    "  fi ;;\n"
	    "esac 2>/dev/null\n"
	    "exec %s \"$@\"\n",
	    r->dir, r->dir, real_path);
	assert_int_equal(fchmod(fileno(f), 0755), 0);
	fclose(f);
}

static void order_kill(const struct real *r, pid_t pid)
{
	char path[160];
	FILE *f;

	snprintf(path, sizeof(path), "%s/to-kill", r->dir);
	f = fopen(path, "we");
	assert_non_null(f);
	fprintf(f, "%d\n", (int)pid);
	fclose(f);
}

static ctr_runtime_t *open_with_killer(const struct real *r)
{
	char dir[160], path[192];
	struct ctr_open_opts o = {.size = sizeof(o),
	    .root = r->root,
	    .run_root = r->run,
	    .oci_runtimes = path,
	    .helper = TEST_HELPER};
	ctr_runtime_t *rt = NULL;

	snprintf(dir, sizeof(dir), "%s/bin", r->dir);
	assert_int_equal(mkdir(dir, 0700), 0);
	snprintf(path, sizeof(path), "%s/%s", dir, real_runtime);
	write_killer(r, path);
	OK(ctr_runtime_open(&o, &rt, err));
	return rt;
}

/* With the first process of a PID namespace its namespace ends: no runtime can make a container there. */
static void test_pid_namespace_ends(void **state)
{
	struct real *r = *state;
	ctr_runtime_t *rt = open_with_killer(r);
	ctr_container_t *donor = real_start_ready(r, SLEEPS), *c = NULL;
	ctr_container_t *first = joiner(r, donor, CTR_CONFIG_PID_NS_CTR, SLEEPS);
	ctr_error_t *e = NULL;

	OK(ctr_container_get(rt, ctr_container_id(first), &c, err));
	order_kill(r, real_pid(donor));
	assert_int_equal(ctr_container_start(c, 0, &e), CTR_E_CTR_STATE);
	assert_string_equal(ctr_error_get(e, "container"), ctr_container_id(c));
	assert_string_equal(ctr_error_get(e, "dependency"), ctr_container_id(donor));
	ctr_error_free(e);
	assert_state(c, CTR_STATE_CONFIGURED);
	real_wait(donor);
	OK(ctr_container_start(donor, 0, err));
	order_kill(r, real_pid(donor));
	OK(ctr_container_start(c, CTR_START_RECURSIVE, err));
	assert_state(donor, CTR_STATE_RUNNING);
	assert_shares_only(c, donor, "pid");
	ctr_container_unref(c);
	real_remove(first, CTR_REMOVE_FORCE);
	real_remove(donor, CTR_REMOVE_FORCE);
	ctr_runtime_unref(rt);
}

/* ---- starting, stopping and removing in order ---- */

#define CHAIN 5

/* Each depends on the one before. */
static void make_chain(const struct real *r, ctr_container_t *chain[CHAIN])
{
	for (int i = 0; i < CHAIN; i++) {
		ctr_config_builder_t *b = real_builder(r, ENDS_ON_TERM);

		if (i > 0)
			OK(ctr_config_builder_add_str(
			    b, CTR_CONFIG_DEPENDENCIES, ctr_container_id(chain[i - 1]), err));
		chain[i] = real_create_from(r, b);
	}
}

static void free_chain(ctr_container_t *chain[CHAIN])
{
	for (int i = 0; i < CHAIN; i++)
		ctr_container_unref(chain[i]);
}

static int64_t started(ctr_container_t *c)
{
	int64_t ns;

	OK(ctr_container_started_ns(c, &ns, err));
	return ns;
}

static void test_start_chain(void **state)
{
	struct real *r = *state;
	ctr_container_t *chain[CHAIN];
	ctr_error_t *e = NULL;
	int64_t first;

	make_chain(r, chain);
	assert_int_equal(ctr_container_start(chain[4], 0, &e), CTR_E_CTR_STATE);
	assert_string_equal(ctr_error_get(e, "dependencies"), ctr_container_id(chain[3]));
	ctr_error_free(e);
	OK(ctr_container_start(chain[1], CTR_START_RECURSIVE, err));
	first = started(chain[0]);
	OK(ctr_container_start(chain[4], CTR_START_RECURSIVE, err));
	for (int i = 0; i < CHAIN; i++)
		assert_state(chain[i], CTR_STATE_RUNNING);
	assert_int_equal(started(chain[0]), first);
	for (int i = 1; i < CHAIN; i++)
		assert_true(started(chain[i]) > started(chain[i - 1]));
	FAILS(CTR_E_CTR_RUNNING, ctr_container_start(chain[4], CTR_START_RECURSIVE, err));
	OK(ctr_container_remove(chain[0], CTR_REMOVE_RECURSIVE | CTR_REMOVE_FORCE, err));
	free_chain(chain);
}

/* One in the middle ends: what is above it goes on, but is not started again without it. */
static void test_dependency_ends(void **state)
{
	struct real *r = *state;
	ctr_container_t *chain[CHAIN];

	make_chain(r, chain);
	OK(ctr_container_init(chain[4], CTR_INIT_RECURSIVE, err));
	assert_state(chain[4], CTR_STATE_CREATED);
	assert_state(chain[3], CTR_STATE_RUNNING);
	OK(ctr_container_kill(chain[3], 9, err));
	FAILS(CTR_E_CTR_STATE, ctr_container_start(chain[4], 0, err));
	assert_state(chain[4], CTR_STATE_CREATED);
	OK(ctr_container_start(chain[4], CTR_START_RECURSIVE, err));
	assert_state(chain[3], CTR_STATE_RUNNING);
	assert_state(chain[4], CTR_STATE_RUNNING);
	OK(ctr_container_remove(chain[0], CTR_REMOVE_RECURSIVE | CTR_REMOVE_FORCE, err));
	free_chain(chain);
}

static void test_failing_dependency(void **state)
{
	struct real *r = *state;
	ctr_config_builder_t *b = real_builder(r, NULL);
	ctr_container_t *bad, *c;
	ctr_error_t *e = NULL;

	OK(ctr_config_builder_add_str(b, CTR_CONFIG_COMMAND, "/no/such/program", err));
	bad = real_create_from(r, b);
	c = joiner(r, bad, CTR_CONFIG_NET_NS_CTR, SLEEPS);
	assert_int_equal(ctr_container_start(c, CTR_START_RECURSIVE, &e), CTR_E_OCI_NOT_FOUND);
	assert_string_equal(ctr_error_get(e, "container"), ctr_container_id(bad));
	assert_non_null(strstr(ctr_error_message(e), ctr_container_id(bad)));
	assert_non_null(ctr_error_get(e, "oci.runtime"));
	assert_non_null(ctr_error_get(e, ctr_container_id(bad)));
	ctr_error_free(e);
	assert_state(c, CTR_STATE_CONFIGURED);
	real_remove(c, 0);
	real_remove(bad, 0);
}

static int number_of(ctr_container_t *chain[CHAIN], const char *id)
{
	for (int i = 0; i < CHAIN; i++)
		if (strcmp(ctr_container_id(chain[i]), id) == 0)
			return i;
	return -1;
}

/* Dependents are stopped and removed before what they depend on. */
static void test_stop_order(void **state)
{
	struct real *r = *state;
	ctr_container_t *chain[CHAIN];
	char died[CHAIN + 1] = "", removed[CHAIN + 1] = "";
	ctr_event_t *ev = NULL;

	make_chain(r, chain);
	OK(ctr_container_start(chain[4], CTR_START_RECURSIVE, err));
	free(events_text(r->rt));
	OK(ctr_container_remove(chain[0], CTR_REMOVE_RECURSIVE | CTR_REMOVE_FORCE, err));
	while (ctr_runtime_next_event(r->rt, &ev, NULL) > 0) {
		char number = (char)('0' + number_of(chain, ctr_event_container_id(ev)));

		if (ctr_event_type(ev) == CTR_EVENT_DIED)
			died[strlen(died)] = number;
		if (ctr_event_type(ev) == CTR_EVENT_REMOVE)
			removed[strlen(removed)] = number;
		ctr_event_unref(ev);
	}
	assert_string_equal(died, "43210");
	assert_string_equal(removed, "43210");
	free_chain(chain);
}

static void test_remove_recursive(void **state)
{
	struct real *r = *state;
	ctr_container_t *chain[CHAIN];
	char **list = NULL;

	make_chain(r, chain);
	OK(ctr_container_start(chain[1], CTR_START_RECURSIVE, err));
	OK(ctr_container_dependents(chain[0], &list, err));
	assert_string_equal(list[0], ctr_container_id(chain[1]));
	assert_null(list[1]);
	ctr_strv_free(list);
	/* 0 and 1 run: nothing may go, not even what could. */
	FAILS(CTR_E_CTR_STATE, ctr_container_remove(chain[0], CTR_REMOVE_RECURSIVE, err));
	for (int i = 2; i < CHAIN; i++)
		assert_state(chain[i], CTR_STATE_CONFIGURED);
	OK(ctr_container_remove(chain[2], CTR_REMOVE_RECURSIVE, err));
	for (int i = 2; i < CHAIN; i++)
		assert_int_equal(ctr_container_exists(r->rt, ctr_container_id(chain[i]), NULL), 0);
	assert_state(chain[1], CTR_STATE_RUNNING);
	OK(ctr_container_remove(chain[0], CTR_REMOVE_RECURSIVE | CTR_REMOVE_FORCE, err));
	free_chain(chain);
}

int main(int argc, char **argv)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, real_setup, real_teardown)
	const struct CMUnitTest tests[] = {
	    TEST(test_join_ipc),
	    TEST(test_join_net),
	    TEST(test_join_pid),
	    TEST(test_join_uts),
	    TEST(test_join_cgroup),
	    TEST(test_joined_name),
	    TEST(test_joined_shm),
	    TEST(test_shm_dir_of_another),
	    TEST(test_join_user),
	    TEST(test_join_host_user),
	    TEST(test_join_many),
	    TEST(test_join_mount),
	    TEST(test_paused),
	    TEST(test_donor_ends_meanwhile),
	    TEST(test_pid_namespace_ends),
	    TEST(test_start_chain),
	    TEST(test_dependency_ends),
	    TEST(test_failing_dependency),
	    TEST(test_stop_order),
	    TEST(test_remove_recursive),
	};

	real_init(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
