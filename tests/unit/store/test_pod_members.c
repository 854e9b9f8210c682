/* SPDX-License-Identifier: Apache-2.0 */
/* libpod's contract for a state store: containers in pods; tests under the names they have there. */
#include "conformance_pod.h"

static int try_has_container(struct fx *f, const char *pod, const char *id, ctr_error_t **err)
{
	return ctr__store_pod_has_container(f->s, pod, id, err);
}

static int has_container(struct fx *f, const char *pod, const char *id)
{
	int r = 0;

	OK(r = try_has_container(f, pod, id, err));
	return r;
}

/* ---- adding ---- */

static void AddContainerToPodInvalidPod(void **state)
{
	struct fx *f = *state;
	struct ctr_config cfg;
	uint32_t slot;

	memset(&cfg, 0, sizeof(cfg));
	cfg.id = A;
	cfg.pod = "no/pod";
	FAILS_WITH(CTR_E_NO_SUCH_POD, "no/pod", ctr__store_add(f->s, &cfg, NULL, &slot, err));
	all_are(f, "");
}

static void AddContainerToPodInvalidCtr(void **state)
{
	struct fx *f = *state;
	struct ctr_config cfg;
	uint32_t slot;

	add_pod(f, P, "pod");
	memset(&cfg, 0, sizeof(cfg));
	cfg.pod = P;
	FAILS(CTR_E_EMPTY_ID, ctr__store_add(f->s, &cfg, NULL, &slot, err));
	members_are(f, P, "");
}

static void AddContainerToPodPodNotInState(void **state)
{
	FAILS_WITH(CTR_E_NO_SUCH_POD, P, try_add(*state, A, "one", IN_POD(P), NULL, err));
	/* A container is no pod. */
	add(*state, B, "two", "");
	FAILS_WITH(CTR_E_NO_SUCH_POD, B, try_add(*state, A, "one", IN_POD(B), NULL, err));
	all_are(*state, B " ");
}

static void AddContainerToPodSucceeds(void **state)
{
	add_pod(*state, P, "pod");
	add(*state, A, "one", IN_POD(P));
	get(*state, A, "one");
	members_are(*state, P, A " ");
}

static void AddContainerToPodTwoContainers(void **state)
{
	add_pod(*state, P, "pod");
	add(*state, B, "two", IN_POD(P));
	add(*state, A, "one", IN_POD(P));
	members_are(*state, P, A " " B " ");
}

static void AddContainerToPodWithAddContainer(void **state)
{
	add_pod(*state, P, "pod");
	add(*state, A, "one", IN_POD(P));
	add(*state, B, "two", "");
	members_are(*state, P, A " ");
	all_are(*state, A " " B " ");
}

static void AddContainerToPodCtrIDConflict(void **state)
{
	add_pod(*state, P, "pod");
	add(*state, A, "one", "");
	FAILS_WITH(CTR_E_CTR_EXISTS, A, try_add(*state, A, "two", IN_POD(P), NULL, err));
	members_are(*state, P, "");
}

static void AddContainerToPodCtrNameConflict(void **state)
{
	add_pod(*state, P, "pod");
	add(*state, A, "one", "");
	FAILS_WITH(CTR_E_CTR_EXISTS, "one", try_add(*state, B, "one", IN_POD(P), NULL, err));
	FAILS_WITH(CTR_E_POD_EXISTS, "pod", try_add(*state, B, "pod", IN_POD(P), NULL, err));
	members_are(*state, P, "");
}

static void AddContainerToPodPodIDConflict(void **state)
{
	add_pod(*state, P, "pod");
	FAILS_WITH(CTR_E_POD_EXISTS, P, try_add(*state, P, "one", IN_POD(P), NULL, err));
	members_are(*state, P, "");
	all_are(*state, "");
}

static void AddContainerToPodAddsDependencies(void **state)
{
	add_pod(*state, P, "pod");
	add(*state, A, "one", IN_POD(P));
	add(*state, B, "two", IN_POD(P) DEPENDS(A));
	add(*state, C, "three", IN_POD(P) JOINS("netNsCtr", A));
	dependents_are(*state, A, B " " C " ");
	members_are(*state, P, A " " B " " C " ");
}

static void AddContainerToPodPodDependencyFails(void **state)
{
	add_pod(*state, P, "pod");
	FAILS_WITH(
	    CTR_E_NO_SUCH_CTR, P, try_add(*state, A, "one", IN_POD(P) DEPENDS(P), NULL, err));
	members_are(*state, P, "");
}

static void AddContainerToPodBadDependencyFails(void **state)
{
	add_pod(*state, P, "pod");
	FAILS_WITH(
	    CTR_E_NO_SUCH_CTR, D, try_add(*state, A, "one", IN_POD(P) DEPENDS(D), NULL, err));
	members_are(*state, P, "");
}

static void AddContainerToPodDependencyOutsidePodFails(void **state)
{
	struct fx *f = *state;

	add_pod(f, P, "pod");
	add_pod(f, Q, "other");
	add(f, A, "one", "");
	add(f, B, "two", IN_POD(Q));
	FAILS_WITH(CTR_E_INVALID, A, try_add(f, C, "three", IN_POD(P) DEPENDS(A), NULL, err));
	FAILS_WITH(CTR_E_INVALID, B, try_add(f, C, "three", IN_POD(P) DEPENDS(B), NULL, err));
	/* Nor the other way round. */
	FAILS_WITH(CTR_E_INVALID, B, try_add(f, C, "three", DEPENDS(B), NULL, err));
	members_are(f, P, "");
	all_are(f, A " " B " ");
}

/* ---- removing ---- */

static void RemoveContainerFromPodBadPodFails(void **state)
{
	FAILS(CTR_E_EMPTY_ID, try_has_container(*state, "", A, err));
	FAILS(CTR_E_EMPTY_ID, try_empty_pod(*state, "", err));
}

static void RemoveContainerFromPodPodNotInStateFails(void **state)
{
	FAILS_WITH(CTR_E_NO_SUCH_POD, P, try_empty_pod(*state, P, err));
}

static void RemoveContainerFromPodCtrNotInStateFails(void **state)
{
	add_pod(*state, P, "pod");
	FAILS_WITH(CTR_E_NO_SUCH_CTR, A, try_remove(*state, A, err));
	members_are(*state, P, "");
}

static void RemoveContainerFromPodSucceeds(void **state)
{
	add_pod(*state, P, "pod");
	add(*state, A, "one", IN_POD(P));
	add(*state, B, "two", IN_POD(P));
	OK(try_remove(*state, A, err));
	members_are(*state, P, B " ");
	OK(try_remove(*state, B, err));
	members_are(*state, P, "");
	all_are(*state, "");
}

static void RemoveContainerFromPodWithDependencyFails(void **state)
{
	add_pod(*state, P, "pod");
	add(*state, A, "one", IN_POD(P));
	add(*state, B, "two", IN_POD(P) DEPENDS(A));
	FAILS_WITH(CTR_E_CTR_EXISTS, B, try_remove(*state, A, err));
	members_are(*state, P, A " " B " ");
}

static void RemoveContainerFromPodWithDependencySucceedsAfterDepRemoved(void **state)
{
	add_pod(*state, P, "pod");
	add(*state, A, "one", IN_POD(P));
	add(*state, B, "two", IN_POD(P) DEPENDS(A));
	OK(try_remove(*state, B, err));
	OK(try_remove(*state, A, err));
	members_are(*state, P, "");
}

/* ---- has ---- */

static void PodHasContainerNoSuchPod(void **state)
{
	add(*state, A, "one", "");
	FAILS_WITH(CTR_E_NO_SUCH_POD, P, try_has_container(*state, P, A, err));
}

static void PodHasContainerEmptyCtrID(void **state)
{
	add_pod(*state, P, "pod");
	FAILS(CTR_E_EMPTY_ID, try_has_container(*state, P, "", err));
	FAILS(CTR_E_EMPTY_ID, try_has_container(*state, P, NULL, err));
}

static void PodHasContainerNoSuchCtr(void **state)
{
	add_pod(*state, P, "pod");
	FAILS_WITH(CTR_E_NO_SUCH_CTR, A, try_has_container(*state, P, A, err));
}

static void PodHasContainerCtrNotInPod(void **state)
{
	add_pod(*state, P, "pod");
	add_pod(*state, Q, "other");
	add(*state, A, "one", "");
	add(*state, B, "two", IN_POD(Q));
	assert_int_equal(has_container(*state, P, A), 0);
	assert_int_equal(has_container(*state, P, B), 0);
}

static void PodHasContainerSucceeds(void **state)
{
	add_pod(*state, P, "pod");
	add(*state, A, "one", IN_POD(P));
	assert_int_equal(has_container(*state, P, A), 1);
}

/* ---- the IDs ---- */

static void PodContainersByIDInvalidPod(void **state)
{
	FAILS(CTR_E_EMPTY_ID, try_members(*state, "", err));
	FAILS(CTR_E_EMPTY_ID, try_members(*state, NULL, err));
}

static void PodContainerdByIDPodNotInState(void **state)
{
	FAILS_WITH(CTR_E_NO_SUCH_POD, P, try_members(*state, P, err));
}

static void PodContainersByIDEmptyPod(void **state)
{
	add_pod(*state, P, "pod");
	add(*state, A, "one", "");
	members_are(*state, P, "");
}

static void PodContainersByIDOneContainer(void **state)
{
	add_pod(*state, P, "pod");
	add(*state, A, "one", IN_POD(P));
	members_are(*state, P, A " ");
}

static void PodContainersByIDMultipleContainers(void **state)
{
	add_pod(*state, P, "pod");
	add(*state, A, "one", IN_POD(P));
	add(*state, B, "two", IN_POD(P));
	add(*state, C, "three", IN_POD(P) DEPENDS(A));
	members_are(*state, P, A " " B " " C " ");
}

/* ---- with their states ---- */

static int try_details(struct fx *f, const char *pod, ctr_error_t **err)
{
	struct ctr__pod_members m;
	int r = ctr__store_pod_members(f->s, pod, &m, err);

	ctr__pod_members_free(&m);
	return r;
}

static void PodContainersInvalidPod(void **state)
{
	FAILS(CTR_E_EMPTY_ID, try_details(*state, "", err));
	FAILS(CTR_E_EMPTY_ID, try_details(*state, NULL, err));
}

static void PodContainersPodNotInState(void **state)
{
	FAILS_WITH(CTR_E_NO_SUCH_POD, P, try_details(*state, P, err));
}

static void PodContainersEmptyPod(void **state)
{
	struct fx *f = *state;
	struct ctr__pod_members m;

	add_pod(f, P, "pod");
	OK(ctr__store_pod_members(f->s, P, &m, err));
	assert_int_equal(m.n, 0);
	ctr__pod_members_free(&m);
}

static void PodContainersOneContainer(void **state)
{
	struct fx *f = *state;
	struct ctr__pod_members m;

	add_pod(f, P, "pod");
	add(f, A, "one", INFRA_OF(P));
	save(f, A, CTR_STATE_RUNNING, 17);
	OK(ctr__store_pod_members(f->s, P, &m, err));
	assert_int_equal(m.n, 1);
	assert_string_equal(m.v[0].id, A);
	assert_string_equal(m.v[0].name, "one");
	assert_int_equal(m.v[0].state, CTR_STATE_RUNNING);
	assert_true(m.v[0].infra);
	assert_false(m.v[0].init);
	ctr__pod_members_free(&m);
}

static void PodContainersMultipleContainers(void **state)
{
	struct fx *f = *state;
	struct ctr__pod_members m;

	add_pod(f, P, "pod");
	add(f, A, "one", IN_POD(P));
	add(f, B, "two", IN_POD(P) ",\"init_container_type\":\"once\"");
	add(f, C, "three", "");
	save(f, A, CTR_STATE_EXITED, 0);
	OK(ctr__store_pod_members(f->s, P, &m, err));
	assert_int_equal(m.n, 2);
	assert_string_equal(m.v[1].name, "two");
	assert_int_equal(m.v[0].state, CTR_STATE_EXITED);
	assert_int_equal(m.v[1].state, CTR_STATE_CONFIGURED);
	assert_false(m.v[0].init);
	assert_true(m.v[1].init);
	ctr__pod_members_free(&m);
}

/* ---- removing all ---- */

static void RemovePodContainersInvalidPod(void **state)
{
	FAILS(CTR_E_EMPTY_ID, try_empty_pod(*state, "", err));
	FAILS(CTR_E_EMPTY_ID, try_empty_pod(*state, NULL, err));
}

static void RemovePodContainersPodNotInState(void **state)
{
	add(*state, A, "one", "");
	FAILS_WITH(CTR_E_NO_SUCH_POD, P, try_empty_pod(*state, P, err));
	all_are(*state, A " ");
}

static void RemovePodContainersNoContainers(void **state)
{
	add_pod(*state, P, "pod");
	OK(try_empty_pod(*state, P, err));
	pods_are(*state, P " ");
}

static void RemovePodContainersOneContainer(void **state)
{
	add_pod(*state, P, "pod");
	add(*state, A, "one", IN_POD(P));
	OK(try_empty_pod(*state, P, err));
	members_are(*state, P, "");
	all_are(*state, "");
	FAILS(CTR_E_NO_SUCH_CTR, try_lookup(*state, "one", err));
}

static void RemovePodContainersPreservesCtrOutsidePod(void **state)
{
	add_pod(*state, P, "pod");
	add_pod(*state, Q, "other");
	add(*state, A, "one", IN_POD(P));
	add(*state, B, "two", "");
	add(*state, C, "three", IN_POD(Q));
	OK(try_empty_pod(*state, P, err));
	all_are(*state, B " " C " ");
	members_are(*state, Q, C " ");
}

static void RemovePodContainersTwoContainers(void **state)
{
	struct fx *f = *state;

	add_pod(f, P, "pod");
	add(f, A, "one", IN_POD(P));
	add(f, B, "two", IN_POD(P));
	OK(try_empty_pod(f, P, err));
	all_are(f, "");
	/* Their lock slots have both come back. */
	{
		CTR__READ struct ctr__read rd = {0};
		MDB_stat st;

		OK(ctr__read_begin(&f->s->root_env, &rd, err));
		assert_int_equal(mdb_stat(rd.txn, f->s->root_env.db[CTR__DB_SLOT_FREE], &st), 0);
		assert_int_equal(st.ms_entries, 2);
	}
}

static void RemovePodContainerDependencyInPod(void **state)
{
	add_pod(*state, P, "pod");
	add(*state, A, "one", IN_POD(P));
	add(*state, B, "two", IN_POD(P) DEPENDS(A));
	add(*state, C, "three", IN_POD(P) DEPENDS(B) JOINS("ipcNsCtr", A));
	OK(try_empty_pod(*state, P, err));
	all_are(*state, "");
	members_are(*state, P, "");
	add(*state, A, "one", "");
	dependents_are(*state, A, "");
}

/* ---- beyond the table ---- */

static void a_container_stays_in_its_pod(void **state)
{
	struct fx *f = *state;

	add_pod(f, P, "pod");
	add_pod(f, Q, "other");
	add(f, A, "one", IN_POD(P));
	add(f, B, "two", "");
	OK(try_rewrite(f, A, "uno", IN_POD(P), NULL, err));
	FAILS_WITH(CTR_E_INVALID, "pod", try_rewrite(f, A, "uno", "", NULL, err));
	FAILS_WITH(CTR_E_INVALID, "pod", try_rewrite(f, A, "uno", IN_POD(Q), NULL, err));
	FAILS_WITH(CTR_E_INVALID, "pod", try_rewrite(f, B, "two", IN_POD(P), NULL, err));
	FAILS_WITH(CTR_E_INVALID, B, try_rewrite(f, A, "uno", IN_POD(P) DEPENDS(B), NULL, err));
	members_are(f, P, A " ");
	members_are(f, Q, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(AddContainerToPodInvalidPod),
	    TEST(AddContainerToPodInvalidCtr),
	    TEST(AddContainerToPodPodNotInState),
	    TEST(AddContainerToPodSucceeds),
	    TEST(AddContainerToPodTwoContainers),
	    TEST(AddContainerToPodWithAddContainer),
	    TEST(AddContainerToPodCtrIDConflict),
	    TEST(AddContainerToPodCtrNameConflict),
	    TEST(AddContainerToPodPodIDConflict),
	    TEST(AddContainerToPodAddsDependencies),
	    TEST(AddContainerToPodPodDependencyFails),
	    TEST(AddContainerToPodBadDependencyFails),
	    TEST(AddContainerToPodDependencyOutsidePodFails),
	    TEST(RemoveContainerFromPodBadPodFails),
	    TEST(RemoveContainerFromPodPodNotInStateFails),
	    TEST(RemoveContainerFromPodCtrNotInStateFails),
	    TEST(RemoveContainerFromPodSucceeds),
	    TEST(RemoveContainerFromPodWithDependencyFails),
	    TEST(RemoveContainerFromPodWithDependencySucceedsAfterDepRemoved),
	    TEST(PodHasContainerNoSuchPod),
	    TEST(PodHasContainerEmptyCtrID),
	    TEST(PodHasContainerNoSuchCtr),
	    TEST(PodHasContainerCtrNotInPod),
	    TEST(PodHasContainerSucceeds),
	    TEST(PodContainersByIDInvalidPod),
	    TEST(PodContainerdByIDPodNotInState),
	    TEST(PodContainersByIDEmptyPod),
	    TEST(PodContainersByIDOneContainer),
	    TEST(PodContainersByIDMultipleContainers),
	    TEST(PodContainersInvalidPod),
	    TEST(PodContainersPodNotInState),
	    TEST(PodContainersEmptyPod),
	    TEST(PodContainersOneContainer),
	    TEST(PodContainersMultipleContainers),
	    TEST(RemovePodContainersInvalidPod),
	    TEST(RemovePodContainersPodNotInState),
	    TEST(RemovePodContainersNoContainers),
	    TEST(RemovePodContainersOneContainer),
	    TEST(RemovePodContainersPreservesCtrOutsidePod),
	    TEST(RemovePodContainersTwoContainers),
	    TEST(RemovePodContainerDependencyInPod),
	    TEST(a_container_stays_in_its_pod),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
