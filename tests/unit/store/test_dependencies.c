/* SPDX-License-Identifier: Apache-2.0 */
/* libpod's contract for a state store, continued: which containers need which. */
#include "conformance_pod.h"

static void ContainerInUseInvalidContainer(void **state)
{
	FAILS(CTR_E_EMPTY_ID, try_dependents(*state, "", err));
	FAILS(CTR_E_EMPTY_ID, try_dependents(*state, NULL, err));
}

static void ContainerInUseCtrNotInState(void **state)
{
	FAILS(CTR_E_NO_SUCH_CTR, try_dependents(*state, A, err));
}

static void ContainerInUseOneContainer(void **state)
{
	struct fx *f = *state;

	add(f, A, "one", "");
	dependents_are(f, A, "");
	add(f, B, "two", JOINS("userNsCtr", A));
	dependents_are(f, A, B " ");
	dependents_are(f, B, "");
}

static void ContainerInUseTwoContainers(void **state)
{
	struct fx *f = *state;

	add(f, A, "one", "");
	add(f, C, "three", JOINS("ipcNsCtr", A));
	add(f, B, "two", JOINS("userNsCtr", A));
	dependents_are(f, A, B " " C " ");
}

static void ContainerInUseOneContainerMultipleDependencies(void **state)
{
	struct fx *f = *state;

	add(f, A, "one", "");
	add(f, B, "two", JOINS("userNsCtr", A) JOINS("ipcNsCtr", A));
	dependents_are(f, A, B " ");
}

static void ContainerInUseGenericDependency(void **state)
{
	struct fx *f = *state;

	add(f, A, "one", "");
	add(f, B, "two", DEPENDS(A));
	dependents_are(f, A, B " ");
}

static void ContainerInUseMultipleGenericDependencies(void **state)
{
	struct fx *f = *state;

	add(f, A, "one", "");
	add(f, B, "two", "");
	add(f, C, "three", ",\"Dependencies\":[\"" A "\",\"" B "\"]");
	dependents_are(f, A, C " ");
	dependents_are(f, B, C " ");
}

static void ContainerInUseGenericAndNamespaceDependencies(void **state)
{
	struct fx *f = *state;

	add(f, A, "one", "");
	add(f, B, "two", DEPENDS(A) JOINS("ipcNsCtr", A));
	dependents_are(f, A, B " ");
}

static void cannot_remove(struct fx *f, const char *id, const char *dependents)
{
	CTR__ERROR ctr_error_t *err = NULL;

	assert_int_equal(try_remove(f, id, &err), CTR_E_CTR_EXISTS);
	assert_string_equal(ctr_error_get(err, "dependents"), dependents);
	assert_int_equal(has(f, id), 1);
	check_consistent(f);
}

static void CannotRemoveContainerWithDependency(void **state)
{
	struct fx *f = *state;

	add(f, A, "one", "");
	add(f, B, "two", JOINS("userNsCtr", A));
	cannot_remove(f, A, B);
}

static void CannotRemoveContainerWithGenericDependency(void **state)
{
	struct fx *f = *state;

	add(f, A, "one", "");
	add(f, B, "two", DEPENDS(A));
	add(f, C, "three", DEPENDS(A));
	cannot_remove(f, A, B "," C);
}

static void CanRemoveContainerAfterDependencyRemoved(void **state)
{
	struct fx *f = *state;

	add(f, A, "one", "");
	add(f, B, "two", JOINS("userNsCtr", A));
	OK(try_remove(f, B, err));
	OK(try_remove(f, A, err));
	all_are(f, "");
}

static void CanRemoveContainerAfterDependencyRemovedDuplicate(void **state)
{
	struct fx *f = *state;

	add(f, A, "one", "");
	add(f, B, "two", JOINS("userNsCtr", A) JOINS("ipcNsCtr", A) DEPENDS(A));
	OK(try_remove(f, B, err));
	OK(try_remove(f, A, err));
	all_are(f, "");
}

static void CannotUsePodAsDependency(void **state)
{
	add_pod(*state, D, "pod");
	FAILS_WITH(CTR_E_NO_SUCH_CTR, D, try_add(*state, A, "one", DEPENDS(D), NULL, err));
	all_are(*state, "");
}

static void CannotUseBadIDAsDependency(void **state)
{
	FAILS_WITH(CTR_E_NO_SUCH_CTR, "5d2e",
	    try_add(*state, A, "one", JOINS("userNsCtr", "5d2e"), NULL, err));
	all_are(*state, "");
	/* Whoever checks for it first: a container does not depend on itself. */
	{
		ctr_config_t *cfg = config(A, "one", DEPENDS(B));
		const char *self[] = {A, NULL};
		uint32_t slot;

		cfg->all_deps = (struct ctr__cfg_list){self, 1};
		FAILS_WITH(CTR_E_INVALID, "itself",
		    ctr__store_add(((struct fx *)*state)->s, cfg, NULL, &slot, err));
		ctr_config_unref(cfg);
	}
}

static void CannotUseBadIDAsGenericDependency(void **state)
{
	struct fx *f = *state;

	add(f, B, "two", "");
	/* A name is not an ID. */
	FAILS_WITH(CTR_E_NO_SUCH_CTR, "two", try_add(f, A, "one", DEPENDS("two"), NULL, err));
	all_are(f, B " ");
}

static void dependencies_are(struct fx *f, const char *id, const char *ids)
{
	CTR__BUF struct ctr__buf text = {0};
	CTR__STRV char **list = NULL;

	OK(ctr__store_dependencies(f->s, id, &list, err));
	for (char **p = list; *p; p++)
		ctr__buf_addf(&text, "%s ", *p);
	assert_string_equal(text.data ? text.data : "", ids);
}

/* Each once, in order, whichever field names it. */
static void DependenciesOfAContainer(void **state)
{
	struct fx *f = *state;
	char **list = NULL;

	add(f, A, "one", "");
	add(f, B, "two", JOINS("userNsCtr", A) JOINS("pidNsCtr", A) DEPENDS(A));
	add(f, C, "three", JOINS("ipcNsCtr", B) DEPENDS(A));
	dependencies_are(f, A, "");
	dependencies_are(f, B, A " ");
	dependencies_are(f, C, strcmp(A, B) < 0 ? A " " B " " : B " " A " ");
	FAILS(CTR_E_NO_SUCH_CTR, ctr__store_dependencies(f->s, "nobody", &list, err));
	FAILS(CTR_E_EMPTY_ID, ctr__store_dependencies(f->s, "", &list, err));
	assert_null(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(ContainerInUseInvalidContainer),
	    TEST(ContainerInUseCtrNotInState),
	    TEST(ContainerInUseOneContainer),
	    TEST(ContainerInUseTwoContainers),
	    TEST(ContainerInUseOneContainerMultipleDependencies),
	    TEST(ContainerInUseGenericDependency),
	    TEST(ContainerInUseMultipleGenericDependencies),
	    TEST(ContainerInUseGenericAndNamespaceDependencies),
	    TEST(CannotRemoveContainerWithDependency),
	    TEST(CannotRemoveContainerWithGenericDependency),
	    TEST(CanRemoveContainerAfterDependencyRemoved),
	    TEST(CanRemoveContainerAfterDependencyRemovedDuplicate),
	    TEST(CannotUsePodAsDependency),
	    TEST(CannotUseBadIDAsDependency),
	    TEST(CannotUseBadIDAsGenericDependency),
	    TEST(DependenciesOfAContainer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
