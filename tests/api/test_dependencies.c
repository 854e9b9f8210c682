/* SPDX-License-Identifier: Apache-2.0 */
/* Containers that depend on others: orders, failures, what is refused; namespaces that are joined. Fake runtime. */
#include "fixture.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- making them ---- */

#define MANY 8

struct world {
	struct fixture *f;
	ctr_container_t *c[MANY];
	size_t n;
};

/* A container that depends on those with the given numbers ("013"). */
static void add(struct world *w, const char *deps)
{
	ctr_config_t *plain = fixture_config(w->f, NULL), *cfg = NULL;
	ctr_config_builder_t *b = ctr_config_builder_new_from(plain);

	for (; *deps; deps++)
		OK(ctr_config_builder_add_str(
		    b, CTR_CONFIG_DEPENDENCIES, ctr_container_id(w->c[*deps - '0']), err));
	OK(ctr_config_builder_build(b, &cfg, err));
	OK(ctr_container_create(w->f->rt, cfg, 0, &w->c[w->n++], err));
	ctr_config_builder_free(b);
	ctr_config_unref(plain);
	ctr_config_unref(cfg);
}

static struct world world_of(void **state, const char *const *deps)
{
	struct world w = {.f = *state};

	for (; *deps; deps++)
		add(&w, *deps);
	free(events_text(w.f->rt));
	return w;
}

#define WORLD(...) world_of(state, (const char *const[]){__VA_ARGS__, NULL})

static void world_end(struct world *w)
{
	for (size_t i = 0; i < w->n; i++)
		ctr_container_unref(w->c[i]);
}

/* ---- looking at them ---- */

static char number_of(const struct world *w, const char *id)
{
	for (size_t i = 0; i < w->n; i++)
		if (strcmp(ctr_container_id(w->c[i]), id) == 0)
			return (char)('0' + i);
	return '?';
}

/* Which containers had this event, in that order. */
static void assert_events(const struct world *w, int32_t type, const char *expected)
{
	char text[64] = "";
	ctr_event_t *ev = NULL;

	while (ctr_runtime_next_event(w->f->rt, &ev, NULL) > 0) {
		if (ctr_event_type(ev) == type)
			text[strlen(text)] = number_of(w, ctr_event_container_id(ev));
		ctr_event_unref(ev);
	}
	assert_string_equal(text, expected);
}

/* The states, by first letters: "c"onfigured, "i"nitialized, "r"unning, "s"topped, "p"aused, "e"xited, "-" gone. */
static void assert_states(const struct world *w, const char *expected)
{
	char text[MANY + 1] = "";

	for (size_t i = 0; i < w->n; i++) {
		int32_t state;
		int r = ctr_container_state(w->c[i], &state, NULL);

		text[i] = r == CTR_E_CTR_REMOVED ? '-' : ctr_state_name(state)[0];
	}
	assert_string_equal(text, expected);
}

/* The IDs of a detail, as numbers. */
static void assert_ids(
    const struct world *w, const ctr_error_t *e, const char *key, const char *expected)
{
	const char *list = ctr_error_get(e, key);
	char text[MANY + 1] = "";

	for (size_t n = 0; list && *list; n++) {
		char id[65] = "";

		memcpy(id, list, strcspn(list, ","));
		text[n] = number_of(w, id);
		list += strcspn(list, ",");
		list += *list == ',';
	}
	assert_string_equal(text, expected);
}

/* ---- starting ---- */

static void test_start_needs_all(void **state)
{
	struct world w = WORLD("", "", "", "012");
	ctr_error_t *e = NULL;

	OK(ctr_container_start(w.c[1], 0, err));
	OK(ctr_container_init(w.c[2], 0, err));
	assert_int_equal(ctr_container_start(w.c[3], 0, &e), CTR_E_CTR_STATE);
	assert_string_equal(ctr_error_get(e, "container"), ctr_container_id(w.c[3]));
	assert_int_equal(strlen(ctr_error_get(e, "dependencies")), 2 * 64 + 1);
	assert_string_equal(ctr_error_get(e, ctr_container_id(w.c[0])), "created");
	assert_string_equal(ctr_error_get(e, ctr_container_id(w.c[2])), "initialized");
	assert_null(ctr_error_get(e, ctr_container_id(w.c[1])));
	ctr_error_free(e);
	FAILS(CTR_E_CTR_STATE, ctr_container_init(w.c[3], 0, err));
	assert_states(&w, "cric");
	OK(ctr_container_start(w.c[0], 0, err));
	OK(ctr_container_start(w.c[2], 0, err));
	OK(ctr_container_start(w.c[3], 0, err));
	assert_states(&w, "rrrr");
	world_end(&w);
}

/* Only direct dependencies need to run. */
static void test_start_needs_direct_ones(void **state)
{
	struct world w = WORLD("", "0", "1");

	OK(ctr_container_start(w.c[2], CTR_START_RECURSIVE, err));
	OK(ctr_container_stop(w.c[2], NULL, err));
	OK(ctr_container_stop(w.c[0], NULL, err));
	OK(ctr_container_start(w.c[2], 0, err));
	assert_states(&w, "srr");
	world_end(&w);
}

/* A refused start leaves a stopped container as it was. */
static void test_refused_in_every_state(void **state)
{
	struct world w = WORLD("", "0", "0", "0");

	OK(ctr_container_start(w.c[0], 0, err));
	OK(ctr_container_init(w.c[1], 0, err));
	OK(ctr_container_start(w.c[2], 0, err));
	OK(ctr_container_kill(w.c[2], 9, err));
	OK(ctr_container_start(w.c[3], 0, err));
	OK(ctr_container_kill(w.c[3], 9, err));
	OK(ctr_container_cleanup(w.c[3], 0, err));
	OK(ctr_container_kill(w.c[0], 9, err));
	assert_states(&w, "sise");
	for (int i = 1; i < 4; i++)
		FAILS(CTR_E_CTR_STATE, ctr_container_start(w.c[i], 0, err));
	assert_states(&w, "sise");
	OK(ctr_container_start(w.c[1], CTR_START_RECURSIVE, err));
	OK(ctr_container_start(w.c[2], 0, err));
	OK(ctr_container_start(w.c[3], 0, err));
	assert_states(&w, "rrrr");
	world_end(&w);
}

static void test_start_recursive(void **state)
{
	/*     0     1
	 *    / \   /
	 *   2   3-'     and 5, with which nobody has to do
	 *    \ /
	 *     4         */
	struct world w = WORLD("", "", "0", "01", "23", "");

	OK(ctr_container_start(w.c[4], CTR_START_RECURSIVE, err));
	assert_states(&w, "rrrrrc");
	assert_int_equal(fake_oci_calls(w.f->fake, FAKE_START), 5);
	FAILS(CTR_E_CTR_RUNNING, ctr_container_start(w.c[4], CTR_START_RECURSIVE, err));
	assert_int_equal(fake_oci_calls(w.f->fake, FAKE_START), 5);
	world_end(&w);
}

static void test_start_order_of_a_chain(void **state)
{
	struct world w = WORLD("", "0", "1", "2", "3", "4");

	OK(ctr_container_start(w.c[5], CTR_START_RECURSIVE, err));
	assert_events(&w, CTR_EVENT_START, "012345");
	/* What runs is left alone, what ended runs again. */
	OK(ctr_container_kill(w.c[2], 9, err));
	OK(ctr_container_kill(w.c[5], 9, err));
	OK(ctr_container_start(w.c[5], CTR_START_RECURSIVE, err));
	assert_events(&w, CTR_EVENT_START, "25");
	world_end(&w);
}

static void test_init_recursive(void **state)
{
	struct world w = WORLD("", "0", "1");

	OK(ctr_container_init(w.c[2], CTR_INIT_RECURSIVE, err));
	assert_states(&w, "rri");
	FAILS(CTR_E_CTR_STATE, ctr_container_init(w.c[2], CTR_INIT_RECURSIVE, err));
	OK(ctr_container_start(w.c[2], CTR_START_RECURSIVE, err));
	assert_states(&w, "rrr");
	FAILS(CTR_E_UNSUPPORTED, ctr_container_init(w.c[2], 2, err));
	FAILS(CTR_E_UNSUPPORTED, ctr_container_start(w.c[2], 2, err));
	world_end(&w);
}

/* The wrong state of the container itself is found before anything is started. */
static void test_own_state_first(void **state)
{
	struct world w = WORLD("", "0");

	OK(ctr_container_start(w.c[1], CTR_START_RECURSIVE, err));
	OK(ctr_container_pause(w.c[1], err));
	OK(ctr_container_kill(w.c[0], 9, err));
	FAILS(CTR_E_CTR_STATE, ctr_container_start(w.c[1], CTR_START_RECURSIVE, err));
	assert_states(&w, "sp");
	world_end(&w);
}

static int start_view(ctr_container_t *view, void *arg)
{
	return ctr_container_start(view, CTR_START_RECURSIVE, arg);
}

static void test_start_inside_a_batch(void **state)
{
	struct world w = WORLD("", "0", "1");

	OK(ctr_container_batch(w.c[2], start_view, NULL, err));
	assert_states(&w, "rrr");
	world_end(&w);
}

/* One fails: what depends on it is not tried, the others are; each has its reason. */
static void test_start_fails(void **state)
{
	struct world w = WORLD("", "0", "1", "", "23");
	ctr_error_t *e = NULL;

	OK(ctr_container_start(w.c[0], 0, err));
	OK(ctr_container_pause(w.c[0], err));
	assert_int_equal(ctr_container_start(w.c[4], CTR_START_RECURSIVE, &e), CTR_E_CTR_STATE);
	assert_states(&w, "pccrc");
	assert_string_equal(ctr_error_get(e, "container"), ctr_container_id(w.c[0]));
	assert_ids(&w, e, "failed", "012");
	assert_non_null(strstr(ctr_error_message(e), ctr_container_id(w.c[0])));
	assert_non_null(strstr(ctr_error_get(e, ctr_container_id(w.c[0])), "paused"));
	assert_non_null(
	    strstr(ctr_error_get(e, ctr_container_id(w.c[1])), ctr_container_id(w.c[0])));
	assert_non_null(
	    strstr(ctr_error_get(e, ctr_container_id(w.c[2])), ctr_container_id(w.c[1])));
	assert_null(ctr_error_get(e, ctr_container_id(w.c[3])));
	ctr_error_free(e);
	world_end(&w);
}

static void test_start_fails_in_the_runtime(void **state)
{
	static const enum fake_op ops[] = {FAKE_CREATE, FAKE_START};

	for (size_t i = 0; i < 2; i++) {
		struct world w = WORLD("", "0", "1");
		ctr_error_t *e = NULL;

		fake_oci_fail(w.f->fake, ops[i], CTR_E_OCI_PERMISSION, 1);
		assert_int_equal(
		    ctr_container_start(w.c[2], CTR_START_RECURSIVE, &e), CTR_E_OCI_PERMISSION);
		assert_non_null(strstr(ctr_error_message(e), "told to fail"));
		assert_ids(&w, e, "failed", "01");
		ctr_error_free(e);
		assert_states(&w, "ccc");
		OK(ctr_container_start(w.c[2], CTR_START_RECURSIVE, err));
		assert_states(&w, "rrr");
		world_end(&w);
	}
}

/* ---- dependents, removing ---- */

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void test_dependents(void **state)
{
	struct world w = WORLD("", "0", "0", "2", "0");
	const char *wanted[] = {
	    ctr_container_id(w.c[1]), ctr_container_id(w.c[2]), ctr_container_id(w.c[4])};
	char **list = NULL;

	qsort(wanted, 3, sizeof(wanted[0]), by_text);
	OK(ctr_container_dependents(w.c[0], &list, err));
	for (int i = 0; i < 3; i++)
		assert_string_equal(list[i], wanted[i]);
	assert_null(list[3]);
	ctr_strv_free(list);
	OK(ctr_container_dependents(w.c[4], &list, err));
	assert_null(list[0]);
	ctr_strv_free(list);
	FAILS(CTR_E_INVALID, ctr_container_dependents(w.c[0], NULL, err));
	FAILS(CTR_E_INVALID, ctr_container_dependents(NULL, &list, err));
	OK(ctr_container_remove(w.c[4], 0, err));
	FAILS(CTR_E_CTR_REMOVED, ctr_container_dependents(w.c[4], &list, err));
	assert_null(list);
	world_end(&w);
}

static void test_remove_is_refused(void **state)
{
	struct world w = WORLD("", "0", "1");
	ctr_error_t *e = NULL;

	OK(ctr_container_start(w.c[1], CTR_START_RECURSIVE, err));
	assert_int_equal(ctr_container_remove(w.c[0], CTR_REMOVE_FORCE, &e), CTR_E_CTR_EXISTS);
	assert_ids(&w, e, "dependents", "1");
	ctr_error_free(e);
	/* Nothing was touched: it was not even stopped. */
	assert_states(&w, "rrc");
	assert_int_equal(fake_oci_calls(w.f->fake, FAKE_KILL), 0);
	FAILS(CTR_E_CTR_EXISTS, ctr_container_remove(w.c[1], CTR_REMOVE_FORCE, err));
	world_end(&w);
}

static void test_remove_recursive(void **state)
{
	struct world w = WORLD("", "", "0", "01", "23", "");

	free(events_text(w.f->rt));
	OK(ctr_container_remove(w.c[1], CTR_REMOVE_RECURSIVE, err));
	assert_states(&w, "c-c--c");
	assert_events(&w, CTR_EVENT_REMOVE, "431");
	/* Gone is fine; so is one without dependents. */
	OK(ctr_container_remove(w.c[1], CTR_REMOVE_RECURSIVE, err));
	OK(ctr_container_remove(w.c[5], CTR_REMOVE_RECURSIVE, err));
	OK(ctr_container_start(w.c[2], CTR_START_RECURSIVE, err));
	/* Without force all or nothing. */
	FAILS(CTR_E_CTR_STATE, ctr_container_remove(w.c[0], CTR_REMOVE_RECURSIVE, err));
	assert_states(&w, "r-r---");
	OK(ctr_container_remove(w.c[0], CTR_REMOVE_RECURSIVE | CTR_REMOVE_FORCE, err));
	assert_states(&w, "------");
	FAILS(CTR_E_UNSUPPORTED, ctr_container_remove(w.c[0], 4, err));
	world_end(&w);
}

static void test_remove_checks_all_first(void **state)
{
	struct world w = WORLD("", "0", "1", "0");
	ctr_error_t *e = NULL;

	OK(ctr_container_start(w.c[1], CTR_START_RECURSIVE, err));
	OK(ctr_container_kill(w.c[0], 9, err));
	assert_int_equal(ctr_container_remove(w.c[0], CTR_REMOVE_RECURSIVE, &e), CTR_E_CTR_STATE);
	assert_string_equal(ctr_error_get(e, "container"), ctr_container_id(w.c[1]));
	ctr_error_free(e);
	assert_states(&w, "srcc");
	world_end(&w);
}

/* One cannot be removed: neither can what it depends on, but everything else goes. */
static void test_remove_fails(void **state)
{
	struct world w = WORLD("", "0", "1", "0");
	ctr_error_t *e = NULL;
	int32_t s;

	OK(ctr_container_start(w.c[2], CTR_START_RECURSIVE, err));
	free(events_text(w.f->rt));
	fake_oci_fail(w.f->fake, FAKE_KILL, CTR_E_OCI_RUNTIME, 1);
	assert_int_equal(ctr_container_remove(w.c[0], CTR_REMOVE_RECURSIVE | CTR_REMOVE_FORCE, &e),
	    CTR_E_OCI_RUNTIME);
	assert_string_equal(ctr_error_get(e, "container"), ctr_container_id(w.c[2]));
	assert_ids(&w, e, "failed", "21");
	ctr_error_free(e);
	assert_int_equal(state_of(w.c[2]), CTR_STATE_STOPPING);
	FAILS(CTR_E_CTR_REMOVED, ctr_container_state(w.c[3], &s, err));
	assert_int_equal(state_of(w.c[1]), CTR_STATE_RUNNING);
	assert_int_equal(state_of(w.c[0]), CTR_STATE_RUNNING);
	OK(ctr_container_remove(w.c[0], CTR_REMOVE_RECURSIVE | CTR_REMOVE_FORCE, err));
	assert_states(&w, "----");
	world_end(&w);
}

static int remove_view(ctr_container_t *view, void *arg)
{
	(void)arg;
	return ctr_container_remove(view, CTR_REMOVE_RECURSIVE, NULL);
}

static void test_not_inside_a_batch(void **state)
{
	struct world w = WORLD("", "0");

	assert_int_equal(ctr_container_batch(w.c[0], remove_view, NULL, NULL), CTR_E_BUSY);
	assert_states(&w, "cc");
	world_end(&w);
}

/* Nothing new may depend on what is being removed. */
static void test_create_on_a_removing_one(void **state)
{
	struct fixture *f = *state;
	struct world w = {.f = f, .n = 1};
	ctr_config_t *plain = fixture_config(f, NULL), *cfg = NULL;
	ctr_config_builder_t *b = ctr_config_builder_new_from(plain);
	ctr_error_t *e = NULL;

	w.c[0] = fixture_in_state(f, CTR_STATE_REMOVING);
	OK(ctr_config_builder_add_str(b, CTR_CONFIG_DEPENDENCIES, ctr_container_id(w.c[0]), err));
	OK(ctr_config_builder_build(b, &cfg, err));
	assert_int_equal(ctr_container_create(f->rt, cfg, 0, NULL, &e), CTR_E_CTR_STATE);
	assert_string_equal(ctr_error_get(e, "state"), "removing");
	ctr_error_free(e);
	OK(ctr_container_remove(w.c[0], 0, err));
	FAILS(CTR_E_NO_SUCH_CTR, ctr_container_create(f->rt, cfg, 0, NULL, err));
	ctr_config_builder_free(b);
	ctr_config_unref(plain);
	ctr_config_unref(cfg);
	world_end(&w);
}

/* ---- joining ---- */

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
	    TEST(test_start_needs_all),
	    TEST(test_start_needs_direct_ones),
	    TEST(test_refused_in_every_state),
	    TEST(test_start_recursive),
	    TEST(test_start_order_of_a_chain),
	    TEST(test_init_recursive),
	    TEST(test_own_state_first),
	    TEST(test_start_inside_a_batch),
	    TEST(test_start_fails),
	    TEST(test_start_fails_in_the_runtime),
	    TEST(test_dependents),
	    TEST(test_remove_is_refused),
	    TEST(test_remove_recursive),
	    TEST(test_remove_checks_all_first),
	    TEST(test_remove_fails),
	    TEST(test_not_inside_a_batch),
	    TEST(test_create_on_a_removing_one),
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
