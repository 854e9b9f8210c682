/* SPDX-License-Identifier: Apache-2.0 */
/* What a new boot makes of each state: what it forgets, and what it keeps. */
#include "fixture.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

/* The run root is gone, as after a boot with a tmpfs. */
static void lose_run_root(struct fixture *f)
{
	char aside[200], pattern[300];

	glob_t mounts;

	snprintf(aside, sizeof(aside), "%s/aside", f->dir);
	assert_int_equal(rename(f->run, aside), 0);
	/* A boot would have ended what was mounted there. */
	snprintf(pattern, sizeof(pattern), "%s/containers/*/shm", aside);
	if (glob(pattern, 0, NULL, &mounts) == 0) {
		for (size_t i = 0; i < mounts.gl_pathc; i++)
			umount2(mounts.gl_pathv[i], MNT_DETACH);
		globfree(&mounts);
	}
}

/* The run root has survived the boot: its marker tells of another one. */
static void change_boot_id(struct fixture *f)
{
	char path[200], text[4096] = "", *at;
	FILE *file;

	snprintf(path, sizeof(path), "%s/libctr.run", f->run);
	file = fopen(path, "r+");
	assert_non_null(file);
	assert_true(fread(text, 1, sizeof(text) - 1, file) > 0);
	at = strstr(text, "\"bootId\":\"");
	assert_non_null(at);
	memcpy(at + 10, "00000000", 8);
	rewind(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static void reboot(struct fixture *f, void (*how)(struct fixture *f))
{
	ctr_runtime_unref(f->rt);
	how(f);
	f->rt = fixture_open(f, &f->fake);
}

/* What becomes of a container. */
struct fate {
	const char *name;
	int32_t from, to;
	int32_t code, exited, by_user;
};

static const struct fate fates[] = {
    {"configured", CTR_STATE_CONFIGURED, CTR_STATE_CONFIGURED, 0, 0, 0},
    {"created", CTR_STATE_CREATED, CTR_STATE_CONFIGURED, 0, 0, 0},
    {"running", CTR_STATE_RUNNING, CTR_STATE_EXITED, -1, 1, 0},
    {"paused", CTR_STATE_PAUSED, CTR_STATE_EXITED, -1, 1, 0},
    {"stopped", CTR_STATE_STOPPED, CTR_STATE_EXITED, 137, 1, 1},
    {"exited", CTR_STATE_EXITED, CTR_STATE_EXITED, 137, 1, 1},
    {"stopping", CTR_STATE_STOPPING, CTR_STATE_EXITED, -1, 1, 1},
};
#define FATES (sizeof(fates) / sizeof(*fates))

static void make(struct fixture *f, const struct fate *t)
{
	ctr_container_t *c = fixture_in_state(f, t->from);

	OK(ctr_container_rename(c, t->name, err));
	OK(ctr_container_add_artifact(c, "note", t->name, strlen(t->name), err));
	/* A use that ends with the boot. */
	if (t->from == CTR_STATE_CONFIGURED || t->from == CTR_STATE_EXITED)
		OK(ctr_container_mount(c, NULL, err));
	ctr_container_unref(c);
}

static void check(struct fixture *f, const struct fate *t)
{
	ctr_container_t *c = NULL;
	ctr_state_t *s = NULL;
	const char *a, *b;
	char *note = NULL;
	int32_t code;

	OK(ctr_container_lookup(f->rt, t->name, &c, err));
	OK(ctr_container_snapshot(c, &s, err));
	if (ctr_state_status(s) != t->to)
		fail_msg("%s becomes %s", t->name, ctr_state_name(ctr_state_status(s)));
	assert_int_equal(ctr_state_exit_code(s), t->code);
	assert_int_equal(ctr_state_exited(s), t->exited);
	assert_int_equal(ctr_state_stopped_by_user(s), t->by_user);
	assert_int_equal(ctr_state_pid(s), 0);
	assert_int_equal(ctr_state_conmon_pid(s), 0);
	assert_int_equal(ctr_state_mounted(s), 0);
	assert_int_equal(ctr_state_bind_mount_at(s, 0, &a, &b), 0);
	/* The times of its last run are kept. */
	assert_int_equal(ctr_state_started_ns(s) > 0, t->exited);
	ctr_state_free(s);
	/* The table of exit codes is of one boot. */
	FAILS(CTR_E_NO_SUCH_EXIT_CODE,
	    ctr_container_exit_code_of(f->rt, ctr_container_id(c), &code, err));
	OK(ctr_container_get_artifact(c, "note", &note, NULL, err));
	assert_string_equal(note, t->name);
	ctr_free(note);
	/* It can be used: in its old place in the lock table, with others beside it. */
	OK(ctr_container_start(c, 0, err));
	OK(ctr_container_remove(c, CTR_REMOVE_FORCE, err));
	ctr_container_unref(c);
}

static void check_boot(struct fixture *f, void (*how)(struct fixture *f))
{
	for (size_t i = 0; i < FATES; i++)
		make(f, &fates[i]);
	reboot(f, how);
	for (size_t i = 0; i < FATES; i++)
		check(f, &fates[i]);
}

static void test_run_root_gone(void **state)
{
	check_boot(*state, lose_run_root);
}

static void test_other_boot_id(void **state)
{
	check_boot(*state, change_boot_id);
}

/* A removal that was interrupted by the reboot: it goes on being one. */
static void test_removing(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_in_state(f, CTR_STATE_STOPPED);

	OK(ctr_container_rename(c, "removing", err));
	fake_oci_fail(f->fake, FAKE_REMOVE, CTR_E_OCI_RUNTIME, 1);
	FAILS(CTR_E_OCI_RUNTIME, ctr_container_remove(c, 0, err));
	assert_state(c, CTR_STATE_REMOVING);
	ctr_container_unref(c);
	reboot(f, lose_run_root);
	OK(ctr_container_lookup(f->rt, "removing", &c, err));
	assert_state(c, CTR_STATE_REMOVING);
	FAILS(CTR_E_CTR_STATE, ctr_container_start(c, 0, err));
	OK(ctr_container_remove(c, 0, err));
	ctr_container_unref(c);
}

/* What names and limits were changed to is durable. */
static void test_changes_are_kept(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_in_state(f, CTR_STATE_RUNNING);
	struct ctr_update_opts o = {.size = sizeof(o),
	    .resources = "{\"pids\":{\"limit\":1234}}",
	    .restart_policy = "unless-stopped"};
	ctr_config_t *cfg;

	OK(ctr_container_rename(c, "changed", err));
	OK(ctr_container_update(c, &o, err));
	ctr_container_unref(c);
	reboot(f, lose_run_root);
	OK(ctr_container_lookup(f->rt, "changed", &c, err));
	cfg = ctr_container_config(c);
	assert_non_null(strstr(ctr_config_spec(cfg, NULL), "1234"));
	assert_string_equal(ctr_config_get_str(cfg, CTR_CONFIG_RESTART_POLICY), "unless-stopped");
	ctr_config_unref(cfg);
	ctr_container_unref(c);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
	    TEST(test_run_root_gone),
	    TEST(test_other_boot_id),
	    TEST(test_removing),
	    TEST(test_changes_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
