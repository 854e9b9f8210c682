/* SPDX-License-Identifier: Apache-2.0 */
/* Pods against a fake OCI runtime. */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NO_SHARES CTR_POD_SHARE_NONE

static ctr_pod_t *make_pod(const struct fixture *f, const struct ctr_pod_opts *more)
{
	struct ctr_pod_opts o = {.size = sizeof(o)};
	ctr_pod_config_t *cfg = NULL;
	ctr_pod_t *pod = NULL;

	if (more)
		o = *more;
	o.size = sizeof(o);
	o.runtime = "fake";
	if (!o.shares)
		o.shares = NO_SHARES;
	OK(ctr_pod_config_new(&o, &cfg, err));
	OK(ctr_pod_create(f->rt, cfg, 0, &pod, err));
	ctr_pod_config_unref(cfg);
	return pod;
}

static ctr_pod_t *named_pod(const struct fixture *f, const char *name)
{
	const struct ctr_pod_opts o = {.name = name};

	return make_pod(f, &o);
}

/* A configuration for a container in the pod; `depends` may be NULL. */
static ctr_config_t *member_config(
    const struct fixture *f, const ctr_pod_t *pod, const char *name, const char *depends)
{
	ctr_config_t *plain = fixture_config(f, name), *cfg = NULL;
	ctr_config_builder_t *b = ctr_config_builder_new_from(plain);

	OK(ctr_config_builder_set_str(b, CTR_CONFIG_POD, ctr_pod_id(pod), err));
	if (depends)
		OK(ctr_config_builder_add_str(b, CTR_CONFIG_DEPENDENCIES, depends, err));
	OK(ctr_config_builder_build(b, &cfg, err));
	ctr_config_builder_free(b);
	ctr_config_unref(plain);
	return cfg;
}

static ctr_container_t *add_member(
    const struct fixture *f, const ctr_pod_t *pod, const char *name, const char *depends)
{
	ctr_config_t *cfg = member_config(f, pod, name, depends);
	ctr_container_t *c = NULL;

	OK(ctr_container_create(f->rt, cfg, 0, &c, err));
	ctr_config_unref(cfg);
	return c;
}

static ctr_container_t *infra_of(const struct fixture *f, ctr_pod_t *pod)
{
	ctr_container_t *c = NULL;
	char *id = NULL;

	OK(ctr_pod_infra(pod, &id, err));
	assert_non_null(id);
	OK(ctr_container_get(f->rt, id, &c, err));
	ctr_free(id);
	return c;
}

static void status_is(ctr_pod_t *pod, const char *word)
{
	int32_t state = 0;

	OK(ctr_pod_status(pod, &state, err));
	assert_string_equal(ctr_pod_state_name(state), word);
}

static size_t members(ctr_pod_t *pod)
{
	char **list = NULL;
	size_t n = 0;

	OK(ctr_pod_containers(pod, &list, err));
	while (list[n])
		n++;
	ctr_strv_free(list);
	return n;
}

/* ---- making and finding ---- */

static void a_pod_is_made_with_its_infra_container(void **state)
{
	struct fixture *f = *state;
	ctr_pod_t *pod = named_pod(f, "web"), *again = NULL;
	ctr_container_t *infra = infra_of(f, pod);
	ctr_config_t *cfg = ctr_container_config(infra);
	ctr_pod_config_t *pod_cfg = ctr_pod_config(pod);

	assert_string_equal(ctr_pod_config_name(pod_cfg), "web");
	assert_string_equal(ctr_pod_config_id(pod_cfg), ctr_pod_id(pod));
	assert_true(ctr_pod_config_created_ns(pod_cfg) > 0);
	assert_string_equal(ctr_config_pod_id(cfg), ctr_pod_id(pod));
	assert_int_equal(ctr_config_get_num(cfg, CTR_CONFIG_IS_INFRA), 1);
	assert_int_equal(members(pod), 1);
	status_is(pod, "Created");
	OK(ctr_pod_lookup(f->rt, "web", &again, err));
	assert_string_equal(ctr_pod_id(again), ctr_pod_id(pod));
	ctr_pod_unrefp(&again);
	OK(ctr_pod_get(f->rt, ctr_pod_id(pod), &again, err));
	ctr_pod_unrefp(&again);
	assert_int_equal(ctr_pod_exists(f->rt, ctr_pod_id(pod), NULL), 1);
	assert_int_equal(ctr_pod_exists(f->rt, ctr_container_id(infra), NULL), 0);
	FAILS(CTR_E_NO_SUCH_POD, ctr_pod_get(f->rt, "web", &again, err));
	FAILS(CTR_E_NO_SUCH_POD, ctr_pod_lookup(f->rt, ctr_container_id(infra), &again, err));
	FAILS(CTR_E_EMPTY_ID, ctr_pod_lookup(f->rt, "", &again, err));
	ctr_pod_config_unref(pod_cfg);
	ctr_config_unref(cfg);
	ctr_container_unref(infra);
	ctr_pod_unref(pod);
}

static void names_and_ids_are_one_space(void **state)
{
	struct fixture *f = *state;
	ctr_pod_t *pod = named_pod(f, "web"), *other = NULL;
	ctr_container_t *c = fixture_create(f, "box");
	const struct ctr_pod_opts as_ctr = {
	    .size = sizeof(as_ctr), .name = "box", .flags = CTR_POD_NO_INFRA};
	const struct ctr_pod_opts as_pod = {
	    .size = sizeof(as_pod), .name = "web", .flags = CTR_POD_NO_INFRA};
	ctr_pod_config_t *cfg = NULL;
	ctr_config_t *ctr_cfg = fixture_config(f, "web");

	OK(ctr_pod_config_new(&as_ctr, &cfg, err));
	FAILS(CTR_E_CTR_EXISTS, ctr_pod_create(f->rt, cfg, 0, &other, err));
	ctr_pod_config_unrefp(&cfg);
	OK(ctr_pod_config_new(&as_pod, &cfg, err));
	FAILS(CTR_E_POD_EXISTS, ctr_pod_create(f->rt, cfg, 0, &other, err));
	ctr_pod_config_unrefp(&cfg);
	FAILS(CTR_E_POD_EXISTS, ctr_container_create(f->rt, ctr_cfg, 0, NULL, err));
	ctr_config_unref(ctr_cfg);
	ctr_container_unref(c);
	ctr_pod_unref(pod);
}

static void refused(struct fixture *f, const char *json, int code)
{
	ctr_pod_config_t *cfg = NULL;
	ctr_pod_list_t *list = NULL;

	OK(ctr_pod_config_from_json(json, strlen(json), &cfg, err));
	FAILS(code, ctr_pod_create(f->rt, cfg, 0, NULL, err));
	ctr_pod_config_unref(cfg);
	OK(ctr_pod_list(f->rt, NULL, 0, &list, err));
	assert_int_equal(ctr_pod_list_count(list), 0);
	ctr_pod_list_free(list);
}

static void what_cannot_be_is_refused_at_creation(void **state)
{
	struct fixture *f = *state;

	refused(f, "{\"hasInfra\":true,\"sharesUser\":true}", CTR_E_UNSUPPORTED);
	refused(f, "{\"hasInfra\":true,\"sharesMnt\":true}", CTR_E_UNSUPPORTED);
	refused(f, "{\"serviceContainerID\":\"x\"}", CTR_E_UNSUPPORTED);
	refused(f, "{\"cgroupParent\":\"/a/../b\"}", CTR_E_INVALID);
	refused(f, "{\"cgroupParent\":\"x.slice\"}", CTR_E_INVALID);
	refused(f, "{\"hasInfra\":true,\"infraRuntime\":\"none\"}", CTR_E_OCI_UNAVAILABLE);
	FAILS(CTR_E_UNSUPPORTED, ctr_pod_create(f->rt, NULL, 1, NULL, err));
}

static void a_member_gets_what_the_pod_shares(void **state)
{
	struct fixture *f = *state;
	const struct ctr_pod_opts o = {.name = "web",
	    .shares = CTR_POD_SHARE_DEFAULT | CTR_POD_SHARE_PID,
	    .cgroup_parent = "/libctr-test",
	    .restart_policy = "on-failure",
	    .restart_retries = 2};
	ctr_pod_t *pod = make_pod(f, &o);
	ctr_container_t *c = add_member(f, pod, "one", NULL), *infra = infra_of(f, pod);
	const char *id = ctr_container_id(infra);
	ctr_config_t *cfg = ctr_container_config(c);
	char cgroup[256];

	assert_string_equal(ctr_config_ns_ctr(cfg, CTR_NS_NET), id);
	assert_string_equal(ctr_config_ns_ctr(cfg, CTR_NS_IPC), id);
	assert_string_equal(ctr_config_ns_ctr(cfg, CTR_NS_UTS), id);
	assert_string_equal(ctr_config_ns_ctr(cfg, CTR_NS_PID), id);
	assert_null(ctr_config_ns_ctr(cfg, CTR_NS_CGROUP));
	snprintf(cgroup, sizeof(cgroup), "/libctr-test/%s", ctr_pod_id(pod));
	assert_string_equal(ctr_config_cgroup_parent(cfg), cgroup);
	assert_string_equal(ctr_config_get_str(cfg, CTR_CONFIG_RESTART_POLICY), "on-failure");
	assert_int_equal(ctr_config_get_num(cfg, CTR_CONFIG_RESTART_RETRIES), 2);
	/* The infra container depends on nobody, and holds a place of its own in the pod's cgroup. */
	ctr_config_unref(cfg);
	cfg = ctr_container_config(infra);
	assert_null(ctr_config_ns_ctr(cfg, CTR_NS_NET));
	assert_string_equal(ctr_config_cgroup_parent(cfg), cgroup);
	ctr_config_unref(cfg);
	ctr_container_unref(infra);
	ctr_container_unref(c);
	ctr_pod_unref(pod);
}

static void a_member_needs_its_pod(void **state)
{
	struct fixture *f = *state;
	ctr_pod_t *pod = named_pod(f, "web");
	ctr_config_t *cfg = member_config(f, pod, "one", NULL);
	ctr_container_t *outside = fixture_create(f, "outside");
	ctr_config_t *across = member_config(f, pod, "two", ctr_container_id(outside));

	FAILS(CTR_E_INVALID, ctr_container_create(f->rt, across, 0, NULL, err));
	OK(ctr_pod_remove(pod, 0, 0, err));
	FAILS(CTR_E_NO_SUCH_POD, ctr_container_create(f->rt, cfg, 0, NULL, err));
	ctr_config_unref(across);
	ctr_config_unref(cfg);
	ctr_container_unref(outside);
	ctr_pod_unref(pod);
}

/* ---- a life ---- */

static void a_life(void **state)
{
	struct fixture *f = *state;
	ctr_pod_t *pod = named_pod(f, "web");
	ctr_container_t *infra = infra_of(f, pod);
	ctr_container_t *a = add_member(f, pod, "one", ctr_container_id(infra));
	ctr_container_t *b = add_member(f, pod, "two", ctr_container_id(a));

	OK(ctr_pod_start(pod, 0, err));
	status_is(pod, "Running");
	assert_state(infra, CTR_STATE_RUNNING);
	assert_state(b, CTR_STATE_RUNNING);
	/* Again: nothing to do. */
	OK(ctr_pod_start(pod, 0, err));
	OK(ctr_pod_pause(pod, err));
	status_is(pod, "Paused");
	OK(ctr_pod_unpause(pod, err));
	status_is(pod, "Running");
	fake_oci_exit(f->fake, ctr_container_id(b), 3);
	assert_state(b, CTR_STATE_STOPPED);
	status_is(pod, "Degraded");
	OK(ctr_pod_restart(pod, 0, err));
	status_is(pod, "Running");
	OK(ctr_pod_kill(pod, 1, err));
	assert_int_equal(fake_oci_last_signal(f->fake, ctr_container_id(a)), 1);
	OK(ctr_pod_stop(pod, 0, 0, err));
	status_is(pod, "Exited");
	assert_state(a, CTR_STATE_EXITED);
	assert_state(infra, CTR_STATE_EXITED);
	assert_int_equal(fake_oci_count(f->fake), 0);
	OK(ctr_pod_stop(pod, 0, CTR_POD_STOP_NOW, err));
	OK(ctr_pod_kill(pod, 9, err));
	OK(ctr_pod_remove(pod, 0, 0, err));
	FAILS(CTR_E_CTR_REMOVED, ctr_container_start(a, 0, err));
	FAILS(CTR_E_POD_REMOVED, ctr_pod_start(pod, 0, err));
	FAILS(CTR_E_POD_REMOVED, ctr_pod_status(pod, &(int32_t){0}, err));
	/* Gone is gone. */
	OK(ctr_pod_remove(pod, 0, 0, err));
	ctr_container_unref(a);
	ctr_container_unref(b);
	ctr_container_unref(infra);
	ctr_pod_unref(pod);
}

static void statuses_follow_from_the_containers(void **state)
{
	struct fixture *f = *state;
	const struct ctr_pod_opts o = {.name = "bare", .flags = CTR_POD_NO_INFRA};
	ctr_pod_t *pod = make_pod(f, &o);
	ctr_container_t *a, *b;

	status_is(pod, "Created"); /* no containers */
	a = add_member(f, pod, "one", NULL);
	b = add_member(f, pod, "two", NULL);
	status_is(pod, "Created");
	OK(ctr_container_init(a, 0, err));
	status_is(pod, "Created");
	OK(ctr_container_start(a, 0, err));
	status_is(pod, "Degraded");
	OK(ctr_container_kill(a, 9, err));
	status_is(pod, "Stopped");
	OK(ctr_container_start(b, 0, err));
	status_is(pod, "Degraded");
	OK(ctr_container_kill(b, 9, err));
	status_is(pod, "Exited");
	OK(ctr_pod_start(pod, 0, err));
	status_is(pod, "Running");
	OK(ctr_container_pause(b, err));
	status_is(pod, "Degraded");
	OK(ctr_container_pause(a, err));
	status_is(pod, "Paused");
	OK(ctr_pod_unpause(pod, err));
	fake_oci_fail(f->fake, FAKE_KILL, CTR_E_OCI_RUNTIME, 1);
	FAILS(CTR_E_OCI_RUNTIME, ctr_container_stop_with_timeout(a, 0, err));
	OK(ctr_container_kill(b, 9, err));
	status_is(pod, "Stopped");
	OK(ctr_container_remove(b, 0, err));
	status_is(pod, "Error"); /* one that is being stopped */
	OK(ctr_pod_remove(pod, 0, CTR_POD_REMOVE_FORCE, err));
	ctr_container_unref(a);
	ctr_container_unref(b);
	ctr_pod_unref(pod);
}

/* ---- failures ---- */

static void one_that_fails_is_named(void **state)
{
	struct fixture *f = *state;
	ctr_pod_t *pod = named_pod(f, "web");
	ctr_container_t *infra = infra_of(f, pod);
	ctr_container_t *a = add_member(f, pod, "one", ctr_container_id(infra));
	ctr_container_t *b = add_member(f, pod, "two", ctr_container_id(a));
	ctr_container_t *c = add_member(f, pod, "three", ctr_container_id(infra));
	ctr_error_t *why = NULL;
	char key[128];

	OK(ctr_container_start(infra, 0, err));
	OK(ctr_container_start(c, 0, err));
	fake_oci_fail(f->fake, FAKE_START, CTR_E_OCI_RUNTIME, 1);
	assert_int_equal(ctr_pod_start(pod, 0, &why), CTR_E_POD_PARTIAL);
	assert_string_equal(ctr_error_get(why, "pod"), ctr_pod_id(pod));
	/* The one, and the one that needs it. */
	assert_non_null(strstr(ctr_error_get(why, "failed"), ctr_container_id(a)));
	assert_non_null(strstr(ctr_error_get(why, "failed"), ctr_container_id(b)));
	assert_null(strstr(ctr_error_get(why, "failed"), ctr_container_id(c)));
	snprintf(key, sizeof(key), "ctr.%s", ctr_container_id(a));
	assert_non_null(ctr_error_get(why, key));
	snprintf(key, sizeof(key), "code.%s", ctr_container_id(a));
	assert_string_equal(ctr_error_get(why, key), "OCI_RUNTIME");
	snprintf(key, sizeof(key), "code.%s", ctr_container_id(b));
	assert_string_equal(ctr_error_get(why, key), "CTR_STATE");
	ctr_error_freep(&why);
	status_is(pod, "Degraded");
	/* Called again it goes on where it was. */
	OK(ctr_pod_start(pod, 0, err));
	status_is(pod, "Running");
	ctr_container_unref(a);
	ctr_container_unref(b);
	ctr_container_unref(c);
	ctr_container_unref(infra);
	ctr_pod_unref(pod);
}

static void a_removal_that_fails_can_be_repeated(void **state)
{
	struct fixture *f = *state;
	ctr_pod_t *pod = named_pod(f, "web");
	ctr_container_t *a = add_member(f, pod, "one", NULL);
	ctr_config_t *late = member_config(f, pod, "late", NULL);

	OK(ctr_pod_start(pod, 0, err));
	FAILS(CTR_E_POD_STATE, ctr_pod_remove(pod, 0, 0, err));
	status_is(pod, "Running");
	fake_oci_fail(f->fake, FAKE_REMOVE, CTR_E_OCI_RUNTIME, 1);
	FAILS(CTR_E_POD_PARTIAL, ctr_pod_remove(pod, 0, CTR_POD_REMOVE_FORCE, err));
	/* Only that is possible now. */
	FAILS(CTR_E_POD_STATE, ctr_pod_start(pod, 0, err));
	FAILS(CTR_E_POD_STATE, ctr_pod_stop(pod, 0, 0, err));
	FAILS(CTR_E_POD_STATE, ctr_container_create(f->rt, late, 0, NULL, err));
	OK(ctr_pod_remove(pod, 0, 0, err));
	assert_int_equal(ctr_pod_exists(f->rt, ctr_pod_id(pod), NULL), 0);
	assert_int_equal(fake_oci_count(f->fake), 0);
	ctr_config_unref(late);
	ctr_container_unref(a);
	ctr_pod_unref(pod);
}

static void a_created_pod_with_running_infra_is_removed_without_force(void **state)
{
	struct fixture *f = *state;
	ctr_pod_t *pod = named_pod(f, "web");
	ctr_container_t *a = add_member(f, pod, "one", NULL);

	OK(ctr_pod_start(pod, 0, err));
	OK(ctr_container_kill(a, 9, err));
	OK(ctr_pod_remove(pod, 0, 0, err));
	assert_int_equal(fake_oci_count(f->fake), 0);
	ctr_container_unref(a);
	ctr_pod_unref(pod);
}

static void the_infra_container_goes_with_its_pod_only(void **state)
{
	struct fixture *f = *state;
	ctr_pod_t *pod = named_pod(f, "web");
	ctr_container_t *infra = infra_of(f, pod), *a = add_member(f, pod, "one", NULL);

	FAILS(CTR_E_INVALID, ctr_container_remove(infra, 0, err));
	FAILS(CTR_E_INVALID, ctr_container_remove(infra, CTR_REMOVE_FORCE, err));
	FAILS(CTR_E_INVALID, ctr_container_remove(infra, CTR_REMOVE_RECURSIVE, err));
	assert_int_equal(members(pod), 2);
	/* The other one may go alone. */
	OK(ctr_container_remove(a, 0, err));
	assert_int_equal(members(pod), 1);
	OK(ctr_pod_remove(pod, 0, 0, err));
	FAILS(CTR_E_CTR_REMOVED, ctr_container_state(infra, &(int32_t){0}, err));
	ctr_container_unref(infra);
	ctr_container_unref(a);
	ctr_pod_unref(pod);
}

static void nobody_makes_an_infra_container_by_hand(void **state)
{
	struct fixture *f = *state;
	ctr_config_t *plain = fixture_config(f, "one"), *cfg = NULL;
	ctr_config_builder_t *b = ctr_config_builder_new_from(plain);

	OK(ctr_config_builder_set_bool(b, CTR_CONFIG_IS_INFRA, 1, err));
	OK(ctr_config_builder_build(b, &cfg, err));
	FAILS(CTR_E_INVALID, ctr_container_create(f->rt, cfg, 0, NULL, err));
	ctr_config_unref(cfg);
	ctr_config_unref(plain);
	ctr_config_builder_free(b);
}

/* ---- the exit policy ---- */

static void with_the_last_container_the_pod_stops(void **state)
{
	struct fixture *f = *state;
	const struct ctr_pod_opts o = {.name = "web", .exit_policy = "stop"};
	ctr_pod_t *pod = make_pod(f, &o);
	ctr_container_t *infra = infra_of(f, pod);
	ctr_container_t *a = add_member(f, pod, "one", NULL), *b = add_member(f, pod, "two", NULL);

	OK(ctr_pod_start(pod, 0, err));
	fake_oci_exit(f->fake, ctr_container_id(a), 0);
	OK(ctr_container_cleanup(a, 0, err));
	assert_state(infra, CTR_STATE_RUNNING);
	fake_oci_exit(f->fake, ctr_container_id(b), 0);
	assert_state(infra, CTR_STATE_RUNNING);
	/* As the helper does it. */
	OK(ctr_container_handle_exit(b, 0, err));
	assert_state(infra, CTR_STATE_EXITED);
	status_is(pod, "Exited");
	/* Not with the other policy. */
	OK(ctr_pod_remove(pod, 0, 0, err));
	ctr_container_unref(infra);
	ctr_container_unref(a);
	ctr_container_unref(b);
	ctr_pod_unref(pod);
	pod = named_pod(f, "web");
	infra = infra_of(f, pod);
	a = add_member(f, pod, "one", NULL);
	OK(ctr_pod_start(pod, 0, err));
	fake_oci_exit(f->fake, ctr_container_id(a), 0);
	OK(ctr_container_cleanup(a, 0, err));
	assert_state(infra, CTR_STATE_RUNNING);
	ctr_container_unref(infra);
	ctr_container_unref(a);
	ctr_pod_unref(pod);
}

/* Whatever brings it to life finds its root directory. */
static void the_infra_container_starts_by_itself(void **state)
{
	struct fixture *f = *state;
	ctr_pod_t *one = named_pod(f, "one"), *two = named_pod(f, "two");
	ctr_container_t *a = infra_of(f, one), *b = infra_of(f, two);

	OK(ctr_container_init(a, 0, err));
	OK(ctr_container_restart(b, NULL, err));
	assert_state(b, CTR_STATE_RUNNING);
	OK(ctr_container_restart(b, NULL, err));
	OK(ctr_container_refresh(b, err));
	assert_state(b, CTR_STATE_RUNNING);
	ctr_container_unref(a);
	ctr_container_unref(b);
	ctr_pod_unref(one);
	ctr_pod_unref(two);
}

/* ---- locks ---- */

static int start_other(ctr_container_t *view, void *other)
{
	(void)view;
	return ctr_container_start(other, 0, NULL);
}

static int start_pod(ctr_container_t *view, void *pod)
{
	(void)view;
	return ctr_pod_start(pod, 0, NULL);
}

static int start_itself(ctr_container_t *view, void *unused)
{
	(void)unused;
	return ctr_container_start(view, 0, NULL);
}

/* Inside a batch the pod's lock comes after a container's: it is taken only if it is free. */
static void in_a_batch_the_pod_is_not_waited_for(void **state)
{
	struct fixture *f = *state;
	ctr_pod_t *pod = named_pod(f, "web");
	ctr_container_t *a = add_member(f, pod, "one", NULL), *b = add_member(f, pod, "two", NULL);

	OK(ctr_container_batch(a, start_other, b, err));
	OK(ctr_container_batch(a, start_itself, NULL, err));
	assert_state(a, CTR_STATE_RUNNING);
	assert_state(b, CTR_STATE_RUNNING);
	/* The operation comes to the container that this thread has locked. */
	assert_int_equal(ctr_container_batch(a, start_pod, pod, NULL), CTR_E_POD_PARTIAL);
	ctr_container_unref(a);
	ctr_container_unref(b);
	ctr_pod_unref(pod);
}

/* ---- looking ---- */

static size_t listed(struct fixture *f, const char *filter, const char *more)
{
	const char *const filters[] = {filter, more, NULL};
	ctr_pod_list_t *list = NULL;
	size_t n;

	OK(ctr_pod_list(f->rt, filter ? filters : NULL, 0, &list, err));
	n = ctr_pod_list_count(list);
	ctr_pod_list_freep(&list);
	return n;
}

static void listing(void **state)
{
	static const char *const labels[] = {"tier=front", "x", NULL};
	static const char *const bad[] = {"colour=blue", NULL};
	struct fixture *f = *state;
	const struct ctr_pod_opts front = {.id = "abc1", .name = "front", .labels = labels};
	ctr_pod_t *a = make_pod(f, &front), *b = named_pod(f, "back");
	ctr_pod_list_t *list = NULL;
	char *infra = NULL;

	assert_int_equal(listed(f, NULL, NULL), 2);
	assert_int_equal(listed(f, "name=ron", NULL), 1);
	assert_int_equal(listed(f, "id=abc", NULL), 1);
	assert_int_equal(listed(f, "label=x", NULL), 1);
	assert_int_equal(listed(f, "label=tier=front", NULL), 1);
	assert_int_equal(listed(f, "label=tier=back", NULL), 0);
	assert_int_equal(listed(f, "name=front", "name=back"), 2);
	assert_int_equal(listed(f, "name=back", "label=x"), 0);
	assert_int_equal(listed(f, "status=created", NULL), 2);
	OK(ctr_pod_start(a, 0, err));
	assert_int_equal(listed(f, "status=Running", NULL), 1);
	FAILS(CTR_E_INVALID, ctr_pod_list(f->rt, bad, 0, &list, err));
	OK(ctr_pod_list(f->rt, (const char *const[]){"id=abc1", NULL}, 0, &list, err));
	assert_string_equal(ctr_pod_list_id(list, 0), "abc1");
	assert_string_equal(ctr_pod_list_name(list, 0), "front");
	assert_int_equal(ctr_pod_list_status(list, 0), CTR_POD_STATE_RUNNING);
	assert_int_equal(ctr_pod_list_containers(list, 0), 1);
	assert_true(ctr_pod_list_created_ns(list, 0) > 0);
	OK(ctr_pod_infra(a, &infra, err));
	assert_string_equal(ctr_pod_list_infra(list, 0), infra);
	assert_null(ctr_pod_list_id(list, 1));
	assert_int_equal(ctr_pod_list_status(list, 1), 0);
	ctr_free(infra);
	ctr_pod_list_free(list);
	ctr_pod_unref(a);
	ctr_pod_unref(b);
}

static void inspect(void **state)
{
	static const char *const keys[] = {"\"Id\"", "\"Name\": \"web\"", "\"Created\"",
	    "\"ExitPolicy\": \"continue\"", "\"State\": \"Running\"", "\"Hostname\": \"host\"",
	    "\"Labels\"", "\"CreateCgroup\": false", "\"CgroupParent\"", "\"CgroupPath\": \"\"",
	    "\"CreateInfra\": true", "\"InfraContainerID\"", "\"InfraConfig\"",
	    "\"SharedNamespaces\"", "\"NumContainers\": 1", "\"Containers\"",
	    "\"State\": \"running\"", "\"RestartPolicy\"", "\"LockNumber\""};
	static const char *const labels[] = {"a=b", NULL};
	struct fixture *f = *state;
	const struct ctr_pod_opts o = {.name = "web",
	    .hostname = "host",
	    .labels = labels,
	    .shares = CTR_POD_SHARE_NET | CTR_POD_SHARE_UTS};
	ctr_pod_t *pod = make_pod(f, &o);
	char *json = NULL;
	const char *at;
	size_t len = 0;

	OK(ctr_pod_start(pod, 0, err));
	OK(ctr_pod_inspect(pod, 0, &json, &len, err));
	assert_int_equal(strlen(json), len);
	at = json;
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		at = strstr(at, keys[i]);
		if (!at)
			fail_msg("%s is not in its place: %s", keys[i], json);
	}
	FAILS(CTR_E_UNSUPPORTED, ctr_pod_inspect(pod, 1, &json, &len, err));
	ctr_free(json);
	ctr_pod_unref(pod);
}

static void bad_arguments(void **state)
{
	struct fixture *f = *state;
	ctr_pod_t *pod = named_pod(f, "web");

	FAILS(CTR_E_INVALID, ctr_pod_start(NULL, 0, err));
	FAILS(CTR_E_UNSUPPORTED, ctr_pod_start(pod, 1, err));
	FAILS(CTR_E_INVALID, ctr_pod_stop(pod, -2, 0, err));
	FAILS(CTR_E_UNSUPPORTED, ctr_pod_stop(pod, 0, 8, err));
	FAILS(CTR_E_INVALID, ctr_pod_kill(pod, 0, err));
	FAILS(CTR_E_INVALID, ctr_pod_kill(pod, 65, err));
	FAILS(CTR_E_UNSUPPORTED, ctr_pod_remove(pod, 0, 8, err));
	FAILS(CTR_E_INVALID, ctr_pod_status(pod, NULL, err));
	assert_null(ctr_pod_id(NULL));
	assert_null(ctr_pod_config(NULL));
	assert_string_equal(ctr_pod_state_name(77), "Error");
	assert_null(ctr_pod_unref(NULL));
	ctr_pod_unref(pod);
}

/* What is stored of a pod outlives the process, and is found by another. */
static void another_opening_sees_it(void **state)
{
	struct fixture *f = *state;
	ctr_pod_t *pod = named_pod(f, "web"), *other = NULL;
	ctr_runtime_t *rt = fixture_open(f, NULL);

	OK(ctr_pod_lookup(rt, "web", &other, err));
	assert_string_equal(ctr_pod_id(other), ctr_pod_id(pod));
	OK(ctr_pod_remove(other, 0, 0, err));
	FAILS(CTR_E_POD_REMOVED, ctr_pod_start(pod, 0, err));
	ctr_pod_unref(other);
	ctr_runtime_unref(rt);
	ctr_pod_unref(pod);
}

/* Its slice is systemd's to make; what is named after the pod still goes with it. */
static void a_pod_with_a_slice_goes(void **state)
{
	const struct fixture *f = *state;
	struct ctr_open_opts o = {.size = sizeof(o),
	    .root = f->root,
	    .run_root = f->run,
	    .flags = CTR_OPEN_SYSTEMD_CGROUP};
	struct ctr_pod_opts with = {
	    .size = sizeof(with), .flags = CTR_POD_NO_INFRA, .shares = CTR_POD_SHARE_CGROUP};
	ctr_runtime_t *rt = NULL;
	ctr_pod_config_t *cfg = NULL;
	ctr_pod_t *pod = NULL;

	OK(ctr_runtime_open(&o, &rt, err));
	OK(ctr_pod_config_new(&with, &cfg, err));
	OK(ctr_pod_create(rt, cfg, 0, &pod, err));
	OK(ctr_pod_remove(pod, 0, 0, err));
	ctr_pod_unref(pod);
	ctr_pod_config_unref(cfg);
	ctr_runtime_unref(rt);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_pod_is_made_with_its_infra_container),
	    TEST(a_pod_with_a_slice_goes),
	    TEST(names_and_ids_are_one_space),
	    TEST(what_cannot_be_is_refused_at_creation),
	    TEST(a_member_gets_what_the_pod_shares),
	    TEST(a_member_needs_its_pod),
	    TEST(a_life),
	    TEST(statuses_follow_from_the_containers),
	    TEST(one_that_fails_is_named),
	    TEST(a_removal_that_fails_can_be_repeated),
	    TEST(a_created_pod_with_running_infra_is_removed_without_force),
	    TEST(the_infra_container_goes_with_its_pod_only),
	    TEST(nobody_makes_an_infra_container_by_hand),
	    TEST(with_the_last_container_the_pod_stops),
	    TEST(the_infra_container_starts_by_itself),
	    TEST(in_a_batch_the_pod_is_not_waited_for),
	    TEST(listing),
	    TEST(inspect),
	    TEST(bad_arguments),
	    TEST(another_opening_sees_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
