/* SPDX-License-Identifier: Apache-2.0 */
/* What most tests of the public API need: see fixture.h. */
#include "fixture.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

ctr_runtime_t *fixture_open(const struct fixture *f, struct fake_oci **fake)
{
	struct ctr_open_opts o = {.size = sizeof(o), .root = f->root, .run_root = f->run};
	struct fake_oci *own = fake_oci_new();
	ctr_runtime_t *rt = NULL;

#ifdef TEST_HELPER
	o.helper = TEST_HELPER;
#endif
	assert_non_null(own);
	OK(ctr_runtime_open(&o, &rt, err));
	OK(ctr_runtime_add_oci(rt, &fake_oci_ops, own, fake_oci_destroy, err));
	if (fake)
		*fake = own;
	return rt;
}

int fixture_setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	const char *tmp = getenv("TMPDIR");

	if (!f)
		return -1;
	snprintf(f->dir, sizeof(f->dir), "%s/libctr-test-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(f->dir))
		return -1;
	snprintf(f->root, sizeof(f->root), "%s/root", f->dir);
	snprintf(f->run, sizeof(f->run), "%s/run", f->dir);
	snprintf(f->rootfs, sizeof(f->rootfs), "%s/rootfs", f->dir);
	if (mkdir(f->rootfs, 0755) < 0)
		return -1;
	f->rt = fixture_open(f, &f->fake);
	*state = f;
	return 0;
}

static void remove_pods(ctr_runtime_t *rt)
{
	ctr_pod_list_t *list = NULL;

	if (!rt || ctr_pod_list(rt, NULL, 0, &list, NULL) < 0)
		return;
	for (size_t i = 0; i < ctr_pod_list_count(list); i++) {
		ctr_pod_t *pod = NULL;

		if (ctr_pod_get(rt, ctr_pod_list_id(list, i), &pod, NULL) >= 0)
			ctr_pod_remove(pod, 0, CTR_POD_REMOVE_FORCE, NULL);
		ctr_pod_unref(pod);
	}
	ctr_pod_list_free(list);
}

int fixture_teardown(void **state)
{
	struct fixture *f = *state;
	ctr_list_t *list = NULL;

	if (f->rt && ctr_runtime_list(f->rt, NULL, 0, &list, NULL) >= 0) {
		for (size_t i = 0; i < ctr_list_count(list); i++) {
			ctr_container_t *c = NULL;

			if (ctr_container_get(f->rt, ctr_list_id(list, i), &c, NULL) < 0)
				continue;
			ctr_container_remove(c, CTR_REMOVE_FORCE | CTR_REMOVE_RECURSIVE, NULL);
			ctr_container_unref(c);
		}
		ctr_list_free(list);
	}
	remove_pods(f->rt);
	ctr_runtime_unref(f->rt);
	/* Fails if something is still mounted there. */
	if (nftw(f->dir, remove_one, 32, FTW_DEPTH | FTW_PHYS) != 0) {
		fprintf(stderr, "%s cannot be removed: something is left\n", f->dir);
		return -1;
	}
	free(f);
	return 0;
}

ctr_config_t *fixture_config(const struct fixture *f, const char *name)
{
	ctr_config_builder_t *b = ctr_config_builder_new();
	ctr_config_t *cfg = NULL;

	assert_non_null(b);
	OK(ctr_config_builder_set_str(b, CTR_CONFIG_ROOTFS, f->rootfs, err));
	OK(ctr_config_builder_set_str(b, CTR_CONFIG_RUNTIME, "fake", err));
	OK(ctr_config_builder_add_str(b, CTR_CONFIG_COMMAND, "/bin/true", err));
	if (name)
		OK(ctr_config_builder_set_str(b, CTR_CONFIG_NAME, name, err));
	OK(ctr_config_builder_build(b, &cfg, err));
	ctr_config_builder_free(b);
	return cfg;
}

ctr_container_t *fixture_create(const struct fixture *f, const char *name)
{
	ctr_config_t *cfg = fixture_config(f, name);
	ctr_container_t *c = NULL;

	OK(ctr_container_create(f->rt, cfg, 0, &c, err));
	ctr_config_unref(cfg);
	return c;
}

/* Leaves a container in "removing": its storage's end is made to fail by a failing runtime. */
static void make_removing(struct fixture *f, ctr_container_t *c)
{
	OK(ctr_container_init(c, 0, err));
	fake_oci_fail(f->fake, FAKE_REMOVE, CTR_E_OCI_RUNTIME, 1);
	FAILS(CTR_E_OCI_RUNTIME, ctr_container_remove(c, 0, err));
}

/* Leaves a container in "stopping": the kill that a stop sends fails. */
static void make_stopping(struct fixture *f, ctr_container_t *c)
{
	OK(ctr_container_start(c, 0, err));
	fake_oci_fail(f->fake, FAKE_KILL, CTR_E_OCI_RUNTIME, 1);
	FAILS(CTR_E_OCI_RUNTIME, ctr_container_stop_with_timeout(c, 0, err));
}

ctr_container_t *fixture_in_state(struct fixture *f, int32_t state)
{
	ctr_container_t *c = fixture_create(f, NULL);

	switch (state) {
	case CTR_STATE_CONFIGURED: break;
	case CTR_STATE_CREATED: OK(ctr_container_init(c, 0, err)); break;
	case CTR_STATE_REMOVING: make_removing(f, c); break;
	case CTR_STATE_STOPPING: make_stopping(f, c); break;
	default: OK(ctr_container_start(c, 0, err)); break;
	}
	if (state == CTR_STATE_PAUSED)
		OK(ctr_container_pause(c, err));
	if (state == CTR_STATE_STOPPED || state == CTR_STATE_EXITED)
		OK(ctr_container_kill(c, 9, err));
	if (state == CTR_STATE_EXITED)
		OK(ctr_container_cleanup(c, 0, err));
	assert_state(c, state);
	return c;
}

int32_t state_of(ctr_container_t *c)
{
	ctr_state_t *s = NULL;
	int32_t state;

	OK(ctr_container_snapshot(c, &s, err));
	state = ctr_state_status(s);
	ctr_state_free(s);
	return state;
}

void assert_state(ctr_container_t *c, int32_t expected)
{
	int32_t state = state_of(c);

	if (state != expected)
		fail_msg("state is %s, not %s", ctr_state_name(state), ctr_state_name(expected));
}

char *events_text(ctr_runtime_t *rt)
{
	char *text = calloc(1, 4096);
	ctr_event_t *ev = NULL;

	assert_non_null(text);
	for (;;) {
		int r = ctr_runtime_next_event(rt, &ev, NULL);

		assert_true(r >= 0);
		if (!r)
			return text;
		if (*text)
			strcat(text, " ");
		strcat(text, ctr_event_name(ctr_event_type(ev)));
		assert_true(strlen(text) < 4000);
		ctr_event_unref(ev);
	}
}
