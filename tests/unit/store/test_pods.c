/* SPDX-License-Identifier: Apache-2.0 */
/* libpod's contract for a state store: pods; tests under the names they have there. */
#include "conformance_pod.h"

/* ---- rewriting ---- */

static int try_rewrite_pod(struct fx *f, const char *id, const char *name, ctr_error_t **err)
{
	POD_CFG ctr_pod_config_t *cfg = pod_config(id, name);

	return ctr__store_pod_rewrite(f->s, cfg, NULL, err);
}

static void RewritePodConfigDoesNotExist(void **state)
{
	FAILS(CTR_E_EMPTY_ID, try_rewrite_pod(*state, NULL, "one", err));
}

static void RewritePodConfigNotInState(void **state)
{
	add(*state, A, "one", "");
	FAILS_WITH(CTR_E_NO_SUCH_POD, P, try_rewrite_pod(*state, P, "pod", err));
	FAILS_WITH(CTR_E_NO_SUCH_POD, A, try_rewrite_pod(*state, A, "pod", err));
	pods_are(*state, "");
}

static void RewritePodConfigRewritesConfig(void **state)
{
	struct fx *f = *state;
	CTR__CLEANUP(ctr__pod_stored_free) struct ctr__pod_stored before = {.slot = 0};
	CTR__CLEANUP(ctr__pod_stored_free) struct ctr__pod_stored after = {.slot = 0};

	add_pod(f, P, "one");
	add_pod(f, Q, "two");
	add(f, A, "three", INFRA_OF(P));
	OK(ctr__store_pod_get(f->s, P, &before, err));
	OK(try_rewrite_pod(f, P, "uno", err));
	OK(ctr__store_pod_get(f->s, P, &after, err));
	get_pod(f, P, "uno");
	assert_int_equal(before.slot, after.slot);
	assert_int_equal(before.born, after.born);
	assert_true(after.cfg_gen > before.cfg_gen);
	assert_string_equal(after.infra, A);
	lookup_pod(f, "uno", P);
	FAILS(CTR_E_NO_SUCH_POD, try_lookup_pod(f, "one", err));
	/* What others have: nothing is written. */
	FAILS_WITH(CTR_E_POD_EXISTS, "two", try_rewrite_pod(f, P, "two", err));
	FAILS_WITH(CTR_E_CTR_EXISTS, "three", try_rewrite_pod(f, P, "three", err));
	FAILS_WITH(CTR_E_POD_EXISTS, Q, try_rewrite_pod(f, P, Q, err));
	FAILS_WITH(CTR_E_CTR_EXISTS, A, try_rewrite_pod(f, P, A, err));
	get_pod(f, P, "uno");
	pods_are(f, P " " Q " ");
}

/* ---- getting ---- */

static void GetPodDoesNotExist(void **state)
{
	char longest[600];

	FAILS_WITH(CTR_E_NO_SUCH_POD, P, try_get_pod(*state, P, err));
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	FAILS(CTR_E_NO_SUCH_POD, try_get_pod(*state, longest, err));
}

static void GetPodEmptyID(void **state)
{
	FAILS(CTR_E_EMPTY_ID, try_get_pod(*state, "", err));
	FAILS(CTR_E_EMPTY_ID, try_get_pod(*state, NULL, err));
}

static void GetPodOnePod(void **state)
{
	add_pod(*state, P, "one");
	get_pod(*state, P, "one");
}

static void GetOnePodFromTwo(void **state)
{
	add_pod(*state, P, "one");
	add_pod(*state, Q, "two");
	get_pod(*state, P, "one");
	get_pod(*state, Q, "two");
}

static void GetNotExistPodWithPods(void **state)
{
	add_pod(*state, P, "one");
	add_pod(*state, Q, "two");
	FAILS_WITH(CTR_E_NO_SUCH_POD, D, try_get_pod(*state, D, err));
	/* Full IDs only. */
	FAILS_WITH(CTR_E_NO_SUCH_POD, "one", try_get_pod(*state, "one", err));
	FAILS_WITH(CTR_E_NO_SUCH_POD, "111", try_get_pod(*state, "111", err));
}

static void GetPodByCtrID(void **state)
{
	add_pod(*state, P, "one");
	add(*state, A, "two", "");
	FAILS_WITH(CTR_E_NO_SUCH_POD, A, try_get_pod(*state, A, err));
}

/* ---- lookup ---- */

static void LookupPodEmptyID(void **state)
{
	FAILS(CTR_E_EMPTY_ID, try_lookup_pod(*state, "", err));
	FAILS(CTR_E_EMPTY_ID, try_lookup_pod(*state, NULL, err));
}

static void LookupNotExistPod(void **state)
{
	char longest[600];

	FAILS_WITH(CTR_E_NO_SUCH_POD, "bad", try_lookup_pod(*state, "bad", err));
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	FAILS(CTR_E_NO_SUCH_POD, try_lookup_pod(*state, longest, err));
}

static void LookupPodFullID(void **state)
{
	add_pod(*state, P, "one");
	lookup_pod(*state, P, P);
	/* An ID that is the beginning of another. */
	add_pod(*state, "1111", "two");
	lookup_pod(*state, "1111", "1111");
}

static void LookupPodUniquePartialID(void **state)
{
	add_pod(*state, P, "one");
	add_pod(*state, Q, "two");
	/* That a container's ID begins in the same way does not matter. */
	add(*state, "11", "three", "");
	lookup_pod(*state, "1", P);
	lookup_pod(*state, "2222", Q);
}

static void LookupPodNonUniquePartialID(void **state)
{
	CTR__ERROR ctr_error_t *why = NULL;

	add_pod(*state, "12345", "one");
	add_pod(*state, "12346", "two");
	add_pod(*state, "124", "three");
	assert_int_equal(try_lookup_pod(*state, "1234", &why), CTR_E_POD_EXISTS);
	assert_string_equal(ctr_error_get(why, "candidates"), "12345,12346");
	lookup_pod(*state, "12346", "12346");
	FAILS(CTR_E_NO_SUCH_POD, try_lookup_pod(*state, "12_", err));
}

static void LookupPodByName(void **state)
{
	add_pod(*state, P, "one");
	/* A name before a prefix. */
	add_pod(*state, Q, "11");
	lookup_pod(*state, "one", P);
	lookup_pod(*state, "11", Q);
	lookup_pod(*state, "111", P);
	FAILS(CTR_E_NO_SUCH_POD, try_lookup_pod(*state, "on", err));
}

static void LookupPodByCtrID(void **state)
{
	add_pod(*state, P, "one");
	add(*state, A, "two", IN_POD(P));
	FAILS(CTR_E_NO_SUCH_POD, try_lookup_pod(*state, A, err));
	FAILS(CTR_E_NO_SUCH_POD, try_lookup_pod(*state, "aaa", err));
}

static void LookupPodByCtrName(void **state)
{
	add_pod(*state, P, "one");
	add(*state, A, "two", "");
	FAILS(CTR_E_NO_SUCH_POD, try_lookup_pod(*state, "two", err));
}

/* ---- has ---- */

static void HasPodEmptyIDErrors(void **state)
{
	struct fx *f = *state;

	FAILS(CTR_E_EMPTY_ID, ctr__store_pod_has(f->s, "", err));
	FAILS(CTR_E_EMPTY_ID, ctr__store_pod_has(f->s, NULL, err));
}

static void HasPodNoSuchPod(void **state)
{
	assert_int_equal(has_pod(*state, P), 0);
}

static void HasPodWrongIDFalse(void **state)
{
	add_pod(*state, P, "one");
	assert_int_equal(has_pod(*state, Q), 0);
	assert_int_equal(has_pod(*state, "one"), 0);
	assert_int_equal(has_pod(*state, "111"), 0);
}

static void HasPodRightIDTrue(void **state)
{
	add_pod(*state, P, "one");
	assert_int_equal(has_pod(*state, P), 1);
}

static void HasPodCtrIDFalse(void **state)
{
	add(*state, A, "one", "");
	assert_int_equal(has_pod(*state, A), 0);
}

/* ---- adding ---- */

static void AddPodInvalidPodErrors(void **state)
{
	struct fx *f = *state;
	struct ctr_pod_config cfg;
	struct ctr__pod_add add = {.pod = &cfg};

	memset(&cfg, 0, sizeof(cfg));
	FAILS(CTR_E_EMPTY_ID, ctr__store_pod_add(f->s, &add, err));
	cfg.id = "no/slash";
	FAILS_WITH(CTR_E_INVALID, "no/slash", ctr__store_pod_add(f->s, &add, err));
	cfg.id = P;
	cfg.name = "no/slash";
	FAILS_WITH(CTR_E_INVALID, "no/slash", ctr__store_pod_add(f->s, &add, err));
	pods_are(f, "");
}

static void AddPodValidPodSucceeds(void **state)
{
	struct fx *f = *state;

	add_pod(f, P, "one");
	pods_are(f, P " ");
	/* Also for whoever opens the store later. */
	fx_reopen(f);
	get_pod(f, P, "one");
	lookup_pod(f, "one", P);
}

static void AddPodDuplicateIDFails(void **state)
{
	add_pod(*state, P, "one");
	FAILS_WITH(CTR_E_POD_EXISTS, P, try_add_pod(*state, P, "two", err));
	pods_are(*state, P " ");
	get_pod(*state, P, "one");
	FAILS(CTR_E_NO_SUCH_POD, try_lookup_pod(*state, "two", err));
}

static void AddPodDuplicateNameFails(void **state)
{
	add_pod(*state, P, "one");
	FAILS_WITH(CTR_E_POD_EXISTS, "one", try_add_pod(*state, Q, "one", err));
	FAILS_WITH(CTR_E_POD_EXISTS, P, try_add_pod(*state, Q, P, err));
	FAILS_WITH(CTR_E_POD_EXISTS, "one", try_add_pod(*state, "one", "two", err));
	pods_are(*state, P " ");
	/* Its own ID as its name is nobody else's. */
	add_pod(*state, Q, Q);
	lookup_pod(*state, Q, Q);
}

static void AddPodNonDuplicateSucceeds(void **state)
{
	add_pod(*state, P, "one");
	add_pod(*state, Q, "two");
	pods_are(*state, P " " Q " ");
}

static void AddPodCtrIDConflictFails(void **state)
{
	add(*state, A, "one", "");
	FAILS_WITH(CTR_E_CTR_EXISTS, A, try_add_pod(*state, A, "pod", err));
	FAILS_WITH(CTR_E_CTR_EXISTS, A, try_add_pod(*state, P, A, err));
	FAILS_WITH(CTR_E_CTR_EXISTS, "one", try_add_pod(*state, P, "one", err));
	FAILS_WITH(CTR_E_CTR_EXISTS, "one", try_add_pod(*state, "one", "pod", err));
	pods_are(*state, "");
}

/* ---- removing ---- */

static void RemovePodInvalidPodErrors(void **state)
{
	FAILS(CTR_E_EMPTY_ID, try_remove_pod(*state, "", err));
	FAILS(CTR_E_EMPTY_ID, try_remove_pod(*state, NULL, err));
}

static void RemovePodNotInStateFails(void **state)
{
	add(*state, A, "one", "");
	FAILS_WITH(CTR_E_NO_SUCH_POD, P, try_remove_pod(*state, P, err));
	FAILS_WITH(CTR_E_NO_SUCH_POD, A, try_remove_pod(*state, A, err));
	all_are(*state, A " ");
}

static void RemovePodSucceeds(void **state)
{
	add_pod(*state, P, "one");
	OK(try_remove_pod(*state, P, err));
	pods_are(*state, "");
	FAILS(CTR_E_NO_SUCH_POD, try_lookup_pod(*state, "one", err));
	/* Name and ID can be used again. */
	add(*state, A, "one", "");
	add_pod(*state, P, "two");
	pods_are(*state, P " ");
}

static void RemovePodFromPods(void **state)
{
	add_pod(*state, P, "one");
	add_pod(*state, Q, "two");
	OK(try_remove_pod(*state, P, err));
	pods_are(*state, Q " ");
}

static void RemovePodNotEmptyFails(void **state)
{
	CTR__ERROR ctr_error_t *why = NULL;

	add_pod(*state, P, "one");
	add(*state, A, "two", IN_POD(P));
	add(*state, B, "three", IN_POD(P));
	assert_int_equal(try_remove_pod(*state, P, &why), CTR_E_CTR_EXISTS);
	assert_string_equal(ctr_error_get(why, "containers"), A "," B);
	pods_are(*state, P " ");
	members_are(*state, P, A " " B " ");
}

static void RemovePodAfterEmptySucceeds(void **state)
{
	add_pod(*state, P, "one");
	add(*state, A, "two", IN_POD(P));
	OK(try_remove(*state, A, err));
	OK(try_remove_pod(*state, P, err));
	pods_are(*state, "");
}

/* ---- all ---- */

static void AllPodsEmptyOnEmptyState(void **state)
{
	add(*state, A, "one", "");
	pods_are(*state, "");
}

static void AllPodsFindsPod(void **state)
{
	add_pod(*state, P, "one");
	pods_are(*state, P " ");
	all_are(*state, "");
}

static void AllPodsMultiplePods(void **state)
{
	add_pod(*state, Q, "two");
	add_pod(*state, P, "one");
	add_pod(*state, D, "three");
	pods_are(*state, P " " Q " " D " ");
}

/* ---- state ---- */

static void UpdatePodInvalidPod(void **state)
{
	struct fx *f = *state;
	struct ctr__pod_state st;

	FAILS(CTR_E_EMPTY_ID, ctr__store_pod_load(f->s, "", &st, err));
	FAILS(CTR_E_EMPTY_ID, ctr__store_pod_load(f->s, NULL, &st, err));
}

static void UpdatePodPodNotInStateFails(void **state)
{
	struct fx *f = *state;
	struct ctr__pod_state st;

	FAILS_WITH(CTR_E_NO_SUCH_POD, P, ctr__store_pod_load(f->s, P, &st, err));
}

static void SavePodInvalidPod(void **state)
{
	struct fx *f = *state;
	const struct ctr__pod_state st = {.intent = 0};

	FAILS(CTR_E_EMPTY_ID, ctr__store_pod_save(f->s, "", &st, NULL, err));
	FAILS(CTR_E_EMPTY_ID, ctr__store_pod_save(f->s, NULL, &st, NULL, err));
}

static void SavePodPodNotInStateFails(void **state)
{
	struct fx *f = *state;
	const struct ctr__pod_state st = {.intent = 0};

	FAILS_WITH(CTR_E_NO_SUCH_POD, P, ctr__store_pod_save(f->s, P, &st, NULL, err));
}

static void SaveAndUpdatePod(void **state)
{
	struct fx *f = *state;
	struct ctr__pod_state st = {
	    .intent = CTR__POD_REMOVING, .cgroup = "/parent/pod", .infra = A};
	struct ctr__pod_state got;

	add_pod(f, P, "one");
	OK(ctr__store_pod_load(f->s, P, &got, err));
	assert_int_equal(got.intent, CTR__POD_NONE);
	assert_string_equal(got.cgroup, "");
	OK(ctr__store_pod_save(f->s, P, &st, NULL, err));
	fx_reopen(f);
	OK(ctr__store_pod_load(f->s, P, &got, err));
	assert_int_equal(got.intent, CTR__POD_REMOVING);
	assert_string_equal(got.cgroup, "/parent/pod");
	assert_string_equal(got.infra, A);
	/* Another pod with this ID begins anew. */
	OK(try_remove_pod(f, P, err));
	add_pod(f, P, "two");
	OK(ctr__store_pod_load(f->s, P, &got, err));
	assert_int_equal(got.intent, CTR__POD_NONE);
	assert_string_equal(got.infra, "");
}

/* ---- beyond the table ---- */

static void a_pod_and_its_infra_container_are_added_at_once(void **state)
{
	struct fx *f = *state;
	POD_CFG ctr_pod_config_t *pod = pod_config(P, "pod");
	CFG ctr_config_t *infra = config(A, "infra", INFRA_OF(P));
	struct ctr__pod_add job = {.pod = pod, .infra = infra};

	OK(ctr__store_pod_add(f->s, &job, err));
	assert_true(job.slot != job.infra_slot);
	infra_is(f, P, A);
	members_are(f, P, A " ");
	OK(try_empty_pod(f, P, err));
	OK(try_remove_pod(f, P, err));
	/* Or neither. */
	add(f, B, "infra", "");
	FAILS_WITH(CTR_E_CTR_EXISTS, "infra", ctr__store_pod_add(f->s, &job, err));
	pods_are(f, "");
	all_are(f, B " ");
}

static void there_is_one_infra_container(void **state)
{
	struct fx *f = *state;

	add_pod(f, P, "one");
	infra_is(f, P, "");
	add(f, A, "two", INFRA_OF(P));
	FAILS_WITH(CTR_E_CTR_EXISTS, A, try_add(f, B, "three", INFRA_OF(P), NULL, err));
	infra_is(f, P, A);
	OK(try_remove(f, A, err));
	infra_is(f, P, "");
	add(f, B, "three", INFRA_OF(P));
	infra_is(f, P, B);
}

/* The databases of pods came after the first stores. */
static int drop_pod_databases(MDB_txn *txn, void *arg, ctr_error_t **err)
{
	struct fx *f = arg;
	int rc = mdb_drop(txn, f->s->root_env.db[CTR__DB_POD], 1);

	(void)err;
	if (rc == 0)
		rc = mdb_drop(txn, f->s->root_env.db[CTR__DB_POD_CTR], 1);
	return rc ? rc : mdb_drop(txn, f->s->root_env.db[CTR__DB_CTR_POD], 1);
}

static void an_older_store_is_completed(void **state)
{
	struct fx *f = *state;

	add(f, A, "one", "");
	OK(ctr__env_write(&f->s->root_env, drop_pod_databases, f, err));
	fx_reopen(f);
	get(f, A, "one");
	pods_are(f, "");
	add_pod(f, P, "pod");
	add(f, B, "two", IN_POD(P));
	fx_reopen(f);
	pods_are(f, P " ");
	members_are(f, P, B " ");
}

/* As an older library would remove a member: without the databases of pods. */
static int remove_as_before(MDB_txn *txn, void *arg, ctr_error_t **err)
{
	struct fx *f = arg;
	struct ctr__env *e = &f->s->root_env;
	int rc = ctr__db_del(txn, e->db[CTR__DB_CTR], A);

	(void)err;
	return rc ? rc : ctr__db_del(txn, e->db[CTR__DB_NAME], "one");
}

static void what_an_older_library_removes_is_passed_over(void **state)
{
	struct fx *f = *state;

	add_pod(f, P, "pod");
	add(f, A, "one", IN_POD(P));
	add(f, B, "two", IN_POD(P));
	OK(ctr__env_write(&f->s->root_env, remove_as_before, f, err));
	fx_reopen(f);
	members_are(f, P, B " ");
	/* The ID is used again, outside of the pod. */
	add(f, A, "one", "");
	members_are(f, P, B " ");
	OK(try_empty_pod(f, P, err));
	OK(try_remove_pod(f, P, err));
	all_are(f, A " ");
}

/* Killed between the two commits of a change. */
static int remove_durable_half(MDB_txn *txn, void *arg, ctr_error_t **err)
{
	struct fx *f = arg;

	(void)err;
	return ctr__db_del(txn, f->s->root_env.db[CTR__DB_POD], P);
}

static void the_rest_of_a_killed_writer_is_mended(void **state)
{
	struct fx *f = *state;
	struct ctr__pod_state st = {.intent = CTR__POD_REMOVING};
	struct ctr__read rd = {0};
	MDB_stat stat;

	add_pod(f, P, "one");
	OK(ctr__store_pod_save(f->s, P, &st, NULL, err));
	OK(ctr__env_write(&f->s->root_env, remove_durable_half, f, err));
	fx_reopen(f);
	OK(ctr__read_begin(&f->s->run_env, &rd, err));
	assert_int_equal(mdb_stat(rd.txn, f->s->run_env.db[CTR__DB_POD_STATE], &stat), 0);
	assert_int_equal(stat.ms_entries, 0);
	ctr__read_end(&rd);
}

static void damaged_records_of_pods_are_said_to_be(void **state)
{
	static const char bytes[] = "\1\0\50\0 something that is not the record of any pod at all";
	struct ctr__pod_rec rec;

	(void)state;
	for (size_t len = 0; len < sizeof(bytes); len++)
		FAILS(CTR_E_STORE_CORRUPT, ctr__pod_rec_decode(bytes, len, &rec, err));
	FAILS(CTR_E_STORE_NEWER,
	    ctr__pod_rec_decode(
	        "\2\0\50\0 0123456789012345678901234567890123456789", 44, &rec, err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(RewritePodConfigDoesNotExist),
	    TEST(RewritePodConfigNotInState),
	    TEST(RewritePodConfigRewritesConfig),
	    TEST(GetPodDoesNotExist),
	    TEST(GetPodEmptyID),
	    TEST(GetPodOnePod),
	    TEST(GetOnePodFromTwo),
	    TEST(GetNotExistPodWithPods),
	    TEST(GetPodByCtrID),
	    TEST(LookupPodEmptyID),
	    TEST(LookupNotExistPod),
	    TEST(LookupPodFullID),
	    TEST(LookupPodUniquePartialID),
	    TEST(LookupPodNonUniquePartialID),
	    TEST(LookupPodByName),
	    TEST(LookupPodByCtrID),
	    TEST(LookupPodByCtrName),
	    TEST(HasPodEmptyIDErrors),
	    TEST(HasPodNoSuchPod),
	    TEST(HasPodWrongIDFalse),
	    TEST(HasPodRightIDTrue),
	    TEST(HasPodCtrIDFalse),
	    TEST(AddPodInvalidPodErrors),
	    TEST(AddPodValidPodSucceeds),
	    TEST(AddPodDuplicateIDFails),
	    TEST(AddPodDuplicateNameFails),
	    TEST(AddPodNonDuplicateSucceeds),
	    TEST(AddPodCtrIDConflictFails),
	    TEST(RemovePodInvalidPodErrors),
	    TEST(RemovePodNotInStateFails),
	    TEST(RemovePodSucceeds),
	    TEST(RemovePodFromPods),
	    TEST(RemovePodNotEmptyFails),
	    TEST(RemovePodAfterEmptySucceeds),
	    TEST(AllPodsEmptyOnEmptyState),
	    TEST(AllPodsFindsPod),
	    TEST(AllPodsMultiplePods),
	    TEST(UpdatePodInvalidPod),
	    TEST(UpdatePodPodNotInStateFails),
	    TEST(SavePodInvalidPod),
	    TEST(SavePodPodNotInStateFails),
	    TEST(SaveAndUpdatePod),
	    TEST(a_pod_and_its_infra_container_are_added_at_once),
	    TEST(there_is_one_infra_container),
	    TEST(an_older_store_is_completed),
	    TEST(what_an_older_library_removes_is_passed_over),
	    TEST(the_rest_of_a_killed_writer_is_mended),
	    TEST(damaged_records_of_pods_are_said_to_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
