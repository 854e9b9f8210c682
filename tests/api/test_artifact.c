/* SPDX-License-Identifier: Apache-2.0 */
/* Files that are kept with a container. */
#include "fixture.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *path_of(const struct fixture *f, ctr_container_t *c, const char *name)
{
	static char path[600];

	snprintf(path, sizeof(path), "%s/containers/%s/artifacts%s%s", f->root, ctr_container_id(c),
	    name ? "/" : "", name ? name : "");
	return path;
}

static void check_get(ctr_container_t *c, const char *name, const void *data, size_t len)
{
	char *got = NULL;
	size_t got_len = 77;

	OK(ctr_container_get_artifact(c, name, &got, &got_len, err));
	assert_int_equal(got_len, len);
	assert_memory_equal(got, data, len);
	assert_int_equal(got[len], 0);
	ctr_free(got);
}

static void test_add_get_remove(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_create(f, NULL);
	char **names = NULL, *data = NULL;
	struct stat st;

	OK(ctr_container_list_artifacts(c, &names, err));
	assert_null(names[0]);
	ctr_strv_free(names);
	FAILS(CTR_E_NO_SUCH_ARTIFACT, ctr_container_get_artifact(c, "spec", &data, NULL, err));
	FAILS(CTR_E_NO_SUCH_ARTIFACT, ctr_container_remove_artifact(c, "spec", err));

	OK(ctr_container_add_artifact(c, "spec", "{}", 2, err));
	OK(ctr_container_add_artifact(c, "b\xc3\xa4r ..", "a\0b", 3, err));
	OK(ctr_container_add_artifact(c, "empty", NULL, 0, err));
	check_get(c, "spec", "{}", 2);
	check_get(c, "b\xc3\xa4r ..", "a\0b", 3);
	check_get(c, "empty", "", 0);
	OK(ctr_container_add_artifact(c, "spec", "longer than before", 18, err));
	check_get(c, "spec", "longer than before", 18);
	assert_int_equal(stat(path_of(f, c, "spec"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(stat(path_of(f, c, NULL), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);

	OK(ctr_container_list_artifacts(c, &names, err));
	assert_string_equal(names[0], "b\xc3\xa4r ..");
	assert_string_equal(names[1], "empty");
	assert_string_equal(names[2], "spec");
	assert_null(names[3]);
	ctr_strv_free(names);

	OK(ctr_container_remove_artifact(c, "spec", err));
	FAILS(CTR_E_NO_SUCH_ARTIFACT, ctr_container_get_artifact(c, "spec", &data, NULL, err));
	OK(ctr_container_remove(c, 0, err));
	assert_int_equal(stat(path_of(f, c, NULL), &st), -1);
	FAILS(CTR_E_CTR_REMOVED, ctr_container_add_artifact(c, "spec", "x", 1, err));
	FAILS(CTR_E_CTR_REMOVED, ctr_container_get_artifact(c, "spec", &data, NULL, err));
	FAILS(CTR_E_CTR_REMOVED, ctr_container_remove_artifact(c, "spec", err));
	FAILS(CTR_E_CTR_REMOVED, ctr_container_list_artifacts(c, &names, err));
	ctr_container_unref(c);
}

static void test_names(void **state)
{
	static const char *const bad[] = {"", ".", "..", "/", "a/b", "../x", "/etc/passwd", "a\nb",
	    "\x7f", "\xff\xfe", ".ctr-0123", NULL};
	struct fixture *f = *state;
	ctr_container_t *c = fixture_create(f, NULL);
	char name[300], *data = NULL;

	for (size_t i = 0; bad[i]; i++) {
		FAILS(CTR_E_INVALID, ctr_container_add_artifact(c, bad[i], "x", 1, err));
		FAILS(CTR_E_INVALID, ctr_container_get_artifact(c, bad[i], &data, NULL, err));
		FAILS(CTR_E_INVALID, ctr_container_remove_artifact(c, bad[i], err));
	}
	FAILS(CTR_E_INVALID, ctr_container_add_artifact(c, NULL, "x", 1, err));
	FAILS(CTR_E_INVALID, ctr_container_add_artifact(c, "x", NULL, 1, err));
	FAILS(CTR_E_INVALID, ctr_container_add_artifact(NULL, "x", "", 0, err));
	FAILS(CTR_E_INVALID,
	    ctr_container_add_artifact(c, "x", "", (size_t)CTR_ARTIFACT_MAX + 1, err));
	memset(name, 'n', 256);
	name[256] = '\0';
	FAILS(CTR_E_INVALID, ctr_container_add_artifact(c, name, "x", 1, err));
	name[255] = '\0';
	OK(ctr_container_add_artifact(c, name, "x", 1, err));
	check_get(c, name, "x", 1);
	/* Nothing else was made. */
	assert_int_equal(access(path_of(f, c, "x"), F_OK), -1);
	ctr_container_unref(c);
}

/* What somebody has put there is not followed. */
static void test_links(void **state)
{
	struct fixture *f = *state;
	ctr_container_t *c = fixture_create(f, NULL);
	char victim[200], moved[700], *data = NULL, **names = NULL;
	FILE *file;

	snprintf(victim, sizeof(victim), "%s/victim", f->dir);
	file = fopen(victim, "w");
	assert_non_null(file);
	fputs("secret", file);
	fclose(file);
	OK(ctr_container_add_artifact(c, "one", "1", 1, err));
	assert_int_equal(symlink(victim, path_of(f, c, "link")), 0);
	FAILS(CTR_E_SYSTEM, ctr_container_get_artifact(c, "link", &data, NULL, err));
	OK(ctr_container_list_artifacts(c, &names, err));
	assert_string_equal(names[0], "one");
	assert_null(names[1]);
	ctr_strv_free(names);
	/* It is replaced, not written through. */
	OK(ctr_container_add_artifact(c, "link", "mine", 4, err));
	check_get(c, "link", "mine", 4);
	file = fopen(victim, "r");
	assert_non_null(file);
	assert_int_equal(fgetc(file), 's');
	fclose(file);
	/* Nor is the directory. */
	snprintf(moved, sizeof(moved), "%s.moved", path_of(f, c, NULL));
	assert_int_equal(rename(path_of(f, c, NULL), moved), 0);
	assert_int_equal(symlink(f->dir, path_of(f, c, NULL)), 0);
	FAILS(CTR_E_SYSTEM, ctr_container_get_artifact(c, "victim", &data, NULL, err));
	FAILS(CTR_E_SYSTEM, ctr_container_remove_artifact(c, "victim", err));
	FAILS(CTR_E_SYSTEM, ctr_container_add_artifact(c, "victim", "x", 1, err));
	assert_int_equal(access(victim, F_OK), 0);
	ctr_container_unref(c);
}

static void *hold_lock(void *c);

static int from_another_thread(ctr_container_t *view, void *c)
{
	pthread_t t;
	void *result = NULL;

	OK(ctr_container_add_artifact(view, "inside", "1", 1, err));
	assert_int_equal(pthread_create(&t, NULL, hold_lock, c), 0);
	assert_int_equal(pthread_join(t, &result), 0);
	return result ? -1 : 0;
}

static void *hold_lock(void *c)
{
	return ctr_container_add_artifact(c, "outside", "2", 1, NULL) < 0 ? c : NULL;
}

/* Its lock is somebody else's, and it may be in any state. */
static void test_no_lock(void **state)
{
	struct fixture *f = *state;

	for (int32_t s = CTR_STATE_CONFIGURED; s <= CTR_STATE_STOPPING; s++) {
		ctr_container_t *c = fixture_in_state(f, s);

		assert_int_equal(ctr_container_batch(c, from_another_thread, c, NULL), 0);
		check_get(c, "inside", "1", 1);
		check_get(c, "outside", "2", 1);
		OK(ctr_container_remove(c, CTR_REMOVE_FORCE, err));
		ctr_container_unref(c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_add_get_remove, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(test_names, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(test_links, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(test_no_lock, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
