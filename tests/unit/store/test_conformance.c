/* SPDX-License-Identifier: Apache-2.0 */
/* The container part of libpod's contract for a state store; tests under the names they have there. */
#include "conformance_pod.h"

/* ---- rest ---- */

static void AddAndGetContainer(void **state)
{
	struct fx *f = *state;

	add(f, A, "one", "");
	get(f, A, "one");
}

static void AddAndGetContainerFromMultiple(void **state)
{
	struct fx *f = *state;

	add(f, A, "one", "");
	add(f, B, "two", "");
	get(f, A, "one");
	get(f, B, "two");
}

static void GetContainerPodSameIDFails(void **state)
{
	add_pod(*state, D, "pod");
	FAILS(CTR_E_NO_SUCH_CTR, try_get(*state, D, err));
}

static void AddInvalidContainerFails(void **state)
{
	struct fx *f = *state;
	struct ctr_config cfg;
	uint32_t slot;

	memset(&cfg, 0, sizeof(cfg));
	FAILS(CTR_E_EMPTY_ID, ctr__store_add(f->s, &cfg, NULL, &slot, err));
	cfg.id = "";
	FAILS(CTR_E_EMPTY_ID, ctr__store_add(f->s, &cfg, NULL, &slot, err));
	cfg.id = "no/slash";
	FAILS_WITH(CTR_E_INVALID, "no/slash", ctr__store_add(f->s, &cfg, NULL, &slot, err));
	all_are(f, "");
}

static void AddDuplicateCtrIDFails(void **state)
{
	struct fx *f = *state;

	add(f, A, "one", "");
	FAILS_WITH(CTR_E_CTR_EXISTS, A, try_add(f, A, "two", "", NULL, err));
	all_are(f, A " ");
	get(f, A, "one");
	FAILS(CTR_E_NO_SUCH_CTR, try_lookup(f, "two", err));
}

static void AddDuplicateCtrNameFails(void **state)
{
	struct fx *f = *state;

	add(f, A, "one", "");
	FAILS_WITH(CTR_E_CTR_EXISTS, "one", try_add(f, B, "one", "", NULL, err));
	all_are(f, A " ");
	lookup(f, "one", A);
}

/* IDs and names are one space. */
static void AddCtrPodDupIDFails(void **state)
{
	struct fx *f = *state;

	add_pod(f, D, "pod");
	FAILS_WITH(CTR_E_POD_EXISTS, D, try_add(f, D, "two", "", NULL, err));
	FAILS_WITH(CTR_E_POD_EXISTS, "name", try_add(f, B, D, "", NULL, err));
	FAILS_WITH(CTR_E_POD_EXISTS, "pod", try_add(f, "pod", "two", "", NULL, err));
	FAILS_WITH(CTR_E_POD_EXISTS, "pod", try_add(f, B, "pod", "", NULL, err));
	all_are(f, "");
	add(f, A, "one", "");
	FAILS_WITH(CTR_E_CTR_EXISTS, "name", try_add(f, B, A, "", NULL, err));
	FAILS_WITH(CTR_E_CTR_EXISTS, "ID", try_add(f, "one", "two", "", NULL, err));
	all_are(f, A " ");
	/* Its own ID as its name is nobody else's. */
	add(f, B, B, "");
	lookup(f, B, B);
}

static void AddCtrDepInPodFails(void **state)
{
	struct fx *f = *state;

	FAILS_WITH(CTR_E_NO_SUCH_POD, D, try_add(f, A, "one", IN_POD(D), NULL, err));
	add_pod(f, D, "pod");
	add(f, B, "two", IN_POD(D));
	FAILS_WITH(CTR_E_INVALID, B, try_add(f, A, "one", DEPENDS(B), NULL, err));
	all_are(f, B " ");
}

static void GetNonexistentContainerFails(void **state)
{
	FAILS_WITH(CTR_E_NO_SUCH_CTR, A, try_get(*state, A, err));
}

static void GetContainerWithEmptyIDFails(void **state)
{
	FAILS(CTR_E_EMPTY_ID, try_get(*state, "", err));
	FAILS(CTR_E_EMPTY_ID, try_get(*state, NULL, err));
}

static void RemoveContainer(void **state)
{
	struct fx *f = *state;

	add(f, A, "one", "");
	add(f, B, "two", "");
	OK(try_remove(f, A, err));
	all_are(f, B " ");
	FAILS(CTR_E_NO_SUCH_CTR, try_get(f, A, err));
	FAILS(CTR_E_NO_SUCH_CTR, try_lookup(f, "one", err));
	/* Name and ID can be used again. */
	add(f, C, "one", "");
	add(f, A, "three", "");
	all_are(f, A " " B " " C " ");
}

static void RemoveNonexistentContainerFails(void **state)
{
	FAILS(CTR_E_NO_SUCH_CTR, try_remove(*state, A, err));
	FAILS(CTR_E_EMPTY_ID, try_remove(*state, "", err));
}

static void GetAllContainersOnNewStateIsEmpty(void **state)
{
	all_are(*state, "");
}

static void GetAllContainersWithOneContainer(void **state)
{
	add(*state, A, "one", "");
	all_are(*state, A " ");
}

static void GetAllContainersTwoContainers(void **state)
{
	add(*state, B, "two", "");
	add(*state, A, "one", "");
	all_are(*state, A " " B " ");
}

/* ---- rewriting, configurations ---- */

static void RewriteContainerConfigDoesNotExist(void **state)
{
	struct fx *f = *state;
	struct ctr_config cfg;
	uint64_t gen;

	memset(&cfg, 0, sizeof(cfg));
	FAILS(CTR_E_EMPTY_ID, ctr__store_rewrite(f->s, &cfg, NULL, &gen, err));
}

static void RewriteContainerConfigNotInState(void **state)
{
	FAILS_WITH(CTR_E_NO_SUCH_CTR, A, try_rewrite(*state, A, "one", "", NULL, err));
	all_are(*state, "");
}

static void RewriteContainerConfigRewritesConfig(void **state)
{
	struct fx *f = *state;
	CTR__BUF struct ctr__buf before = {0}, after = {0};
	uint32_t slot, slot2;
	uint64_t gen, gen2, gen3;

	add(f, A, "one", "");
	add(f, B, "two", "");
	save(f, A, CTR_STATE_RUNNING, 77);
	OK(ctr__store_get_config(f->s, A, &before, &slot, &gen, err));
	OK(try_rewrite(f, A, "uno", ",\"labels\":{\"k\":\"v\"}", &gen2, err));
	OK(ctr__store_get_config(f->s, A, &after, &slot2, &gen3, err));
	assert_non_null(strstr(after.data, "uno"));
	assert_null(strstr(before.data, "uno"));
	assert_int_equal(slot, slot2);
	assert_int_equal(gen2, gen3);
	assert_true(gen2 > gen);
	lookup(f, "uno", A);
	FAILS(CTR_E_NO_SUCH_CTR, try_lookup(f, "one", err));
	/* The name of another, and the ID of another: nothing is written. */
	FAILS_WITH(CTR_E_CTR_EXISTS, "two", try_rewrite(f, A, "two", "", NULL, err));
	FAILS_WITH(CTR_E_CTR_EXISTS, B, try_rewrite(f, A, B, "", NULL, err));
	get(f, A, "uno");
	all_are(f, A " " B " ");
	/* What it was doing is as before. */
	{
		ctr_list_t *list = NULL;
		struct ctr__list_entry e;

		OK(ctr__store_list(f->s, NULL, &list, err));
		assert_true(ctr__list_at(list, 0, &e));
		assert_string_equal(e.sum.name, "uno");
		assert_int_equal(e.sum.state, CTR_STATE_RUNNING);
		assert_int_equal(e.sum.pid, 77);
		ctr__list_free(list);
	}
	/* Dependencies follow. */
	OK(try_rewrite(f, A, "uno", DEPENDS(B), NULL, err));
	dependents_are(f, B, A " ");
	OK(try_rewrite(f, A, NULL, "", NULL, err));
	dependents_are(f, B, "");
	FAILS(CTR_E_NO_SUCH_CTR, try_lookup(f, "uno", err));
}

static void GetContainerConfigSucceeds(void **state)
{
	add(*state, A, "one", "");
	get(*state, A, "one");
}

static void GetContainerConfigEmptyIDFails(void **state)
{
	FAILS(CTR_E_EMPTY_ID, try_get(*state, "", err));
}

static void GetContainerConfigNonExistentIDFails(void **state)
{
	char longest[600];

	add(*state, A, "one", "");
	FAILS_WITH(CTR_E_NO_SUCH_CTR, B, try_get(*state, B, err));
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	FAILS(CTR_E_NO_SUCH_CTR, try_get(*state, longest, err));
}

/* ---- lookup, has ---- */

static void LookupContainerWithEmptyIDFails(void **state)
{
	FAILS(CTR_E_EMPTY_ID, try_lookup(*state, "", err));
	FAILS(CTR_E_EMPTY_ID, try_lookup(*state, NULL, err));
}

static void LookupNonexistentContainerFails(void **state)
{
	char longest[600];

	FAILS_WITH(CTR_E_NO_SUCH_CTR, "bad", try_lookup(*state, "bad", err));
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	FAILS(CTR_E_NO_SUCH_CTR, try_lookup(*state, longest, err));
}

static void LookupContainerByFullID(void **state)
{
	struct fx *f = *state;

	add(f, A, "one", "");
	lookup(f, A, A);
	/* An ID that is the beginning of another. */
	add(f, "aaaa", "two", "");
	lookup(f, "aaaa", "aaaa");
}

static void LookupContainerByUniquePartialID(void **state)
{
	struct fx *f = *state;

	add(f, A, "one", "");
	add(f, B, "two", "");
	lookup(f, "a", A);
	lookup(f, "bbbbbbbb", B);
}

static void LookupContainerByNonUniquePartialIDFails(void **state)
{
	struct fx *f = *state;
	CTR__ERROR ctr_error_t *why = NULL;
	char id[20];

	for (int i = 0; i < 12; i++) {
		snprintf(id, sizeof(id), "123%02d", i);
		add(f, id, NULL, "");
	}
	add(f, "124", "one", "");
	assert_int_equal(try_lookup(f, "123", &why), CTR_E_CTR_EXISTS);
	assert_string_equal(
	    ctr_error_get(why, "candidates"), "12300,12301,12302,12303,12304,12305,12306,12307");
	ctr_error_freep(&why);
	assert_int_equal(try_lookup(f, "1231", &why), CTR_E_CTR_EXISTS);
	assert_string_equal(ctr_error_get(why, "candidates"), "12310,12311");
	lookup(f, "12311", "12311");
	lookup(f, "124", "124");
	/* No patterns. */
	FAILS(CTR_E_NO_SUCH_CTR, try_lookup(f, "12_", err));
	FAILS(CTR_E_NO_SUCH_CTR, try_lookup(f, "%", err));
	FAILS(CTR_E_NO_SUCH_CTR, try_lookup(f, "*", err));
}

static void LookupContainerByName(void **state)
{
	struct fx *f = *state;

	add(f, A, "one", "");
	lookup(f, "one", A);
	/* A name before a prefix; a part of a name is nothing. */
	add(f, B, "aaa", "");
	lookup(f, "aaa", B);
	lookup(f, "aaaa", A);
	FAILS(CTR_E_NO_SUCH_CTR, try_lookup(f, "on", err));
}

static void LookupCtrByPodNameFails(void **state)
{
	add_pod(*state, D, "pod");
	add(*state, A, "one", "");
	FAILS(CTR_E_NO_SUCH_CTR, try_lookup(*state, "pod", err));
}

static void LookupCtrByPodIDFails(void **state)
{
	add_pod(*state, D, "pod");
	add(*state, A, "one", "");
	FAILS(CTR_E_NO_SUCH_CTR, try_lookup(*state, D, err));
}

static void HasContainerEmptyIDFails(void **state)
{
	struct fx *f = *state;

	FAILS(CTR_E_EMPTY_ID, ctr__store_has(f->s, "", err));
	FAILS(CTR_E_EMPTY_ID, ctr__store_has(f->s, NULL, err));
}

static void HasContainerNoSuchContainerReturnsFalse(void **state)
{
	char longest[600];

	assert_int_equal(has(*state, A), 0);
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(has(*state, longest), 0);
}

static void HasContainerFindsContainer(void **state)
{
	add(*state, A, "one", "");
	assert_int_equal(has(*state, A), 1);
	/* Full IDs only. */
	assert_int_equal(has(*state, "aaaa"), 0);
	assert_int_equal(has(*state, "one"), 0);
}

static void HasContainerPodIDIsFalse(void **state)
{
	add_pod(*state, D, "pod");
	add(*state, A, "one", "");
	assert_int_equal(has(*state, D), 0);
}

/* ---- saving, updating ---- */

static void SaveAndUpdateContainer(void **state)
{
	struct fx *f = *state;
	CTR__BUF struct ctr__buf raw = {0};
	struct ctr__state st;
	uint32_t slot = add(f, A, "one", "");

	load(f, A, &raw, &st);
	assert_int_equal(st.state, CTR_STATE_CONFIGURED);
	assert_int_equal(st.slot, slot);
	save(f, A, CTR_STATE_RUNNING, 4711);
	load(f, A, &raw, &st);
	assert_int_equal(st.state, CTR_STATE_RUNNING);
	assert_int_equal(st.pid, 4711);
	all_are(f, A " ");
}

static void UpdateContainerNotInDatabaseReturnsError(void **state)
{
	struct fx *f = *state;
	CTR__BUF struct ctr__buf raw = {0};

	ctr__buf_adds(&raw, "old");
	assert_int_equal(ctr__store_load_state(f->s, A, &raw, NULL), 0);
	assert_int_equal(raw.len, 0);
	add(f, A, "one", "");
	assert_int_equal(ctr__store_load_state(f->s, A, &raw, NULL), 1);
	OK(try_remove(f, A, err));
	assert_int_equal(ctr__store_load_state(f->s, A, &raw, NULL), 0);
}

static void UpdateInvalidContainerReturnsError(void **state)
{
	struct fx *f = *state;
	CTR__BUF struct ctr__buf raw = {0};

	FAILS(CTR_E_EMPTY_ID, ctr__store_load_state(f->s, "", &raw, err));
	FAILS(CTR_E_EMPTY_ID, ctr__store_load_state(f->s, NULL, &raw, err));
}

static void SaveInvalidContainerReturnsError(void **state)
{
	struct fx *f = *state;
	struct ctr__state st;
	struct ctr__save job = {.id = "", .state = &st};

	ctr__state_init(&st, CTR_STATE_RUNNING);
	FAILS(CTR_E_EMPTY_ID, ctr__store_save_state(f->s, &job, err));
}

/* That there is such a container is the business of who holds its lock; one that cannot be is refused. */
static void SaveContainerNotInStateReturnsError(void **state)
{
	struct fx *f = *state;
	struct ctr__state st;
	char longest[600];
	struct ctr__save job = {.id = longest, .state = &st};

	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	ctr__state_init(&st, CTR_STATE_RUNNING);
	FAILS(CTR_E_NO_SUCH_CTR, ctr__store_save_state(f->s, &job, err));
	all_are(f, "");
}

/* ---- beyond the table ---- */

static void lock_slots_are_unique_and_come_back_late(void **state)
{
	struct fx *f = *state;
	uint32_t a = add(f, A, NULL, ""), b = add(f, B, NULL, ""), again;

	assert_int_not_equal(a, b);
	OK(try_remove(f, A, err));
	again = add(f, A, NULL, "");
	assert_int_not_equal(again, a);
	assert_int_not_equal(again, b);
	/* After some hundred others. */
	for (int i = 0; i < 600 && again != a; i++) {
		OK(try_remove(f, A, err));
		again = add(f, A, NULL, "");
		assert_int_not_equal(again, b);
		assert_true(again < 300);
	}
	assert_int_equal(again, a);
}

static void nothing_is_added_twice_by_two_threads_of_control(void **state)
{
	struct fx *f = *state;
	struct ctr__store *second = NULL;

	OK(ctr__store_open(f->root, f->run, &second, err));
	assert_ptr_equal(second, f->s);
	add(f, A, "one", "");
	FAILS(CTR_E_CTR_EXISTS, try_add(f, A, "one", "", NULL, err));
	ctr__store_unref(second);
	assert_int_equal(has(f, A), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(AddAndGetContainer),
	    TEST(AddAndGetContainerFromMultiple),
	    TEST(GetContainerPodSameIDFails),
	    TEST(AddInvalidContainerFails),
	    TEST(AddDuplicateCtrIDFails),
	    TEST(AddDuplicateCtrNameFails),
	    TEST(AddCtrPodDupIDFails),
	    TEST(AddCtrDepInPodFails),
	    TEST(GetNonexistentContainerFails),
	    TEST(GetContainerWithEmptyIDFails),
	    TEST(RemoveContainer),
	    TEST(RemoveNonexistentContainerFails),
	    TEST(GetAllContainersOnNewStateIsEmpty),
	    TEST(GetAllContainersWithOneContainer),
	    TEST(GetAllContainersTwoContainers),
	    TEST(RewriteContainerConfigDoesNotExist),
	    TEST(RewriteContainerConfigNotInState),
	    TEST(RewriteContainerConfigRewritesConfig),
	    TEST(GetContainerConfigSucceeds),
	    TEST(GetContainerConfigEmptyIDFails),
	    TEST(GetContainerConfigNonExistentIDFails),
	    TEST(LookupContainerWithEmptyIDFails),
	    TEST(LookupNonexistentContainerFails),
	    TEST(LookupContainerByFullID),
	    TEST(LookupContainerByUniquePartialID),
	    TEST(LookupContainerByNonUniquePartialIDFails),
	    TEST(LookupContainerByName),
	    TEST(LookupCtrByPodNameFails),
	    TEST(LookupCtrByPodIDFails),
	    TEST(HasContainerEmptyIDFails),
	    TEST(HasContainerNoSuchContainerReturnsFalse),
	    TEST(HasContainerFindsContainer),
	    TEST(HasContainerPodIDIsFalse),
	    TEST(SaveAndUpdateContainer),
	    TEST(UpdateContainerNotInDatabaseReturnsError),
	    TEST(UpdateInvalidContainerReturnsError),
	    TEST(SaveInvalidContainerReturnsError),
	    TEST(SaveContainerNotInStateReturnsError),
	    TEST(lock_slots_are_unique_and_come_back_late),
	    TEST(nothing_is_added_twice_by_two_threads_of_control),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
