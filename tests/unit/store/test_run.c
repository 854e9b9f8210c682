/* SPDX-License-Identifier: Apache-2.0 */
/* States with their summaries, and exit codes. */
#include "store_test.h"

#include "util/clock.h"

static void entry(struct fx *f, struct ctr__list_entry *out, ctr_list_t **list)
{
	ctr__list_free(*list);
	OK(ctr__store_list(f->s, NULL, list, err));
	assert_true(ctr__list_at(*list, 0, out));
}

static void summary_follows_the_state(void **state)
{
	struct fx *f = *state;
	ctr_list_t *list = NULL;
	struct ctr__list_entry e;
	struct ctr__state st;
	struct ctr__save job = {.id = "c1", .state = &st};

	add(f, "c1", "one", "");
	entry(f, &e, &list);
	assert_string_equal(e.id, "c1");
	assert_int_equal(e.sum.state, CTR_STATE_CONFIGURED);
	assert_string_equal(e.sum.name, "one");
	assert_string_equal(e.sum.image, "/srv/root");
	assert_string_equal(e.sum.command, "sleep 1");
	assert_int_equal(e.sum.created_ns, INT64_C(1704164645) * 1000000000);
	/* Strings that the caller leaves out stay. */
	save(f, "c1", CTR_STATE_RUNNING, 12);
	entry(f, &e, &list);
	assert_int_equal(e.sum.state, CTR_STATE_RUNNING);
	assert_int_equal(e.sum.pid, 12);
	assert_string_equal(e.sum.name, "one");
	assert_string_equal(e.sum.command, "sleep 1");
	/* Without a summary: from the state. */
	ctr__state_init(&st, CTR_STATE_STOPPED);
	st.exit_code = 3;
	st.finished_ns = 44;
	OK(ctr__store_save_state(f->s, &job, err));
	entry(f, &e, &list);
	assert_int_equal(e.sum.state, CTR_STATE_STOPPED);
	assert_int_equal(e.sum.pid, 0);
	assert_int_equal(e.sum.exit_code, 3);
	assert_int_equal(e.sum.finished_ns, 44);
	assert_string_equal(e.sum.image, "/srv/root");
	assert_true(e.sum.created_ns > 0);
	ctr__list_free(list);
}

static void saves_from_elsewhere_are_seen(void **state)
{
	struct fx *f = *state;
	CTR__BUF struct ctr__buf raw = {0};
	struct ctr__state st;

	add(f, "c1", "one", "");
	for (int i = 1; i < 50; i++) {
		save(f, "c1", CTR_STATE_RUNNING, i);
		if (i % 10 == 0)
			fx_reopen(f);
		load(f, "c1", &raw, &st);
		assert_int_equal(st.pid, i);
	}
	OK(ctr__store_settle(f->s, err));
}

static void large_states_are_kept(void **state)
{
	struct fx *f = *state;
	CTR__BUF struct ctr__buf raw = {0};
	char *text = malloc(1 << 20);
	struct ctr__state st;
	struct ctr__save job = {.id = "c1", .state = &st};

	assert_non_null(text);
	memset(text, 'e', (1 << 20) - 1);
	text[(1 << 20) - 1] = '\0';
	add(f, "c1", "one", "");
	ctr__state_init(&st, CTR_STATE_STOPPED);
	st.error = text;
	OK(ctr__store_save_state(f->s, &job, err));
	load(f, "c1", &raw, &st);
	assert_string_equal(st.error, text);
	free(text);
}

static void save_exit(struct fx *f, const char *id, int32_t code, int64_t finished_ns)
{
	struct ctr__state st;
	struct ctr__save job = {.id = id, .state = &st, .record_exit = true};

	ctr__state_init(&st, CTR_STATE_STOPPED);
	st.exit_code = code;
	st.finished_ns = finished_ns;
	OK(ctr__store_save_state(f->s, &job, err));
}

static int exit_code(struct fx *f, const char *id, ctr_error_t **err)
{
	int32_t code;
	int r = ctr__store_exit_code(f->s, id, &code, NULL, err);

	return r < 0 ? r : code;
}

static void exit_codes_outlive_the_container(void **state)
{
	struct fx *f = *state;
	int32_t code = 0;
	int64_t ns = 0;

	add(f, "c1", "one", "");
	FAILS_WITH(CTR_E_NO_SUCH_EXIT_CODE, "c1", exit_code(f, "c1", err));
	FAILS(CTR_E_EMPTY_ID, exit_code(f, "", err));
	FAILS(CTR_E_EMPTY_ID, exit_code(f, NULL, err));
	save_exit(f, "c1", 7, 1000);
	save_exit(f, "c1", -1, 2000);
	OK(ctr__store_exit_code(f->s, "c1", &code, &ns, err));
	assert_int_equal(code, -1);
	assert_int_equal(ns, 2000);
	OK(ctr__store_remove(f->s, "c1", NULL, err));
	assert_int_equal(exit_code(f, "c1", NULL), -1);
	/* But it is not that of the next container with this ID. */
	add(f, "c1", "one", "");
	FAILS(CTR_E_NO_SUCH_EXIT_CODE, exit_code(f, "c1", err));
}

static void old_exit_codes_are_pruned(void **state)
{
	struct fx *f = *state;
	int64_t now = ctr__now_ns();
	char id[8];

	for (int i = 0; i < 6; i++) {
		snprintf(id, sizeof(id), "c%d", i);
		add(f, id, NULL, "");
		save_exit(f, id, i, i < 4 ? now - 100 * INT64_C(1000000000) : now);
		if (i > 0)
			OK(ctr__store_remove(f->s, id, NULL, err));
	}
	OK(ctr__store_prune_exit_codes(f->s, 1000 * INT64_C(1000000000), err));
	assert_int_equal(exit_code(f, "c3", NULL), 3);
	OK(ctr__store_prune_exit_codes(f->s, 50 * INT64_C(1000000000), err));
	assert_int_equal(exit_code(f, "c0", NULL), 0); /* exists */
	FAILS(CTR_E_NO_SUCH_EXIT_CODE, exit_code(f, "c1", err));
	FAILS(CTR_E_NO_SUCH_EXIT_CODE, exit_code(f, "c3", err));
	assert_int_equal(exit_code(f, "c4", NULL), 4);
	assert_int_equal(exit_code(f, "c5", NULL), 5);
	OK(ctr__store_prune_exit_codes(f->s, 50 * INT64_C(1000000000), err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(summary_follows_the_state),
	    TEST(saves_from_elsewhere_are_seen),
	    TEST(large_states_are_kept),
	    TEST(exit_codes_outlive_the_container),
	    TEST(old_exit_codes_are_pruned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
