/* SPDX-License-Identifier: Apache-2.0 */
/* Public functions of pod.h but for the configuration. */
#include <libctr/pod.h>

#include <stdlib.h>
#include <string.h>

#include "core/pod.h"
#include "util/cleanup.h"

const char *ctr_pod_state_name(int32_t state)
{
	return ctr__pod_state_name(state);
}

/* ---- making and finding ---- */

static int check_flags(uint64_t flags, uint64_t known, const char *what, ctr_error_t **err)
{
	if (flags & ~known)
		return ctr__fail(err, CTR_E_UNSUPPORTED, "unknown flags 0x%llx for %s",
		    (unsigned long long)(flags & ~known), what);
	return 0;
}

int ctr_pod_create(ctr_runtime_t *rt, const ctr_pod_config_t *cfg, uint64_t flags, ctr_pod_t **out,
    ctr_error_t **err)
{
	CTR__POD_CONFIG ctr_pod_config_t *usual = NULL;
	int r = ctr__runtime_enter(rt, err);

	if (r >= 0)
		r = check_flags(flags, 0, "creating a pod", err);
	if (r >= 0 && !cfg)
		r = ctr_pod_config_new(NULL, &usual, err);
	return r < 0 ? r : ctr__pod_create(rt, cfg ? cfg : usual, out, err);
}

static int check_name(const char *what, const char *name, const void *out, ctr_error_t **err)
{
	if (!out)
		return ctr__fail(err, CTR_E_INVALID, "the place for the result is NULL");
	if (!name || !*name)
		return ctr__fail(err, CTR_E_EMPTY_ID, "%s is empty", what);
	return 0;
}

int ctr_pod_lookup(ctr_runtime_t *rt, const char *name_or_id, ctr_pod_t **out, ctr_error_t **err)
{
	char id[CTR__ID_MAX + 1];
	int r = ctr__runtime_enter(rt, err);

	if (r >= 0)
		r = check_name("name or ID", name_or_id, out, err);
	if (r >= 0)
		r = ctr__store_pod_lookup(rt->store, name_or_id, id, err);
	return r < 0 ? r : ctr__pod_open(rt, id, out, err);
}

int ctr_pod_get(ctr_runtime_t *rt, const char *id, ctr_pod_t **out, ctr_error_t **err)
{
	int r = ctr__runtime_enter(rt, err);

	if (r >= 0)
		r = check_name("ID", id, out, err);
	return r < 0 ? r : ctr__pod_open(rt, id, out, err);
}

int ctr_pod_exists(ctr_runtime_t *rt, const char *id, ctr_error_t **err)
{
	int r = ctr__runtime_enter(rt, err);

	if (r >= 0)
		r = check_name("ID", id, "", err);
	return r < 0 ? r : ctr__store_pod_has(rt->store, id, err);
}

ctr_pod_t *ctr_pod_ref(ctr_pod_t *pod)
{
	return ctr__pod_ref(pod);
}

ctr_pod_t *ctr_pod_unref(ctr_pod_t *pod)
{
	ctr__pod_unref(pod);
	return NULL;
}

void ctr_pod_unrefp(ctr_pod_t **pod)
{
	if (!pod)
		return;
	ctr__pod_unref(*pod);
	*pod = NULL;
}

const char *ctr_pod_id(const ctr_pod_t *pod)
{
	return pod ? pod->id : NULL;
}

ctr_pod_config_t *ctr_pod_config(ctr_pod_t *pod)
{
	return pod ? ctr__pod_config(pod) : NULL;
}

/* ---- looking ---- */

static int look(const ctr_pod_t *pod, const void *out, ctr_error_t **err)
{
	if (!pod || !out)
		return ctr__fail(
		    err, CTR_E_INVALID, "%s is NULL", pod ? "the place for the result" : "pod");
	return ctr__runtime_enter(pod->rt, err);
}

int ctr_pod_status(ctr_pod_t *pod, int32_t *state, ctr_error_t **err)
{
	int r = look(pod, state, err);

	return r < 0 ? r : ctr__pod_status(pod, state, err);
}

int ctr_pod_containers(ctr_pod_t *pod, char ***list, ctr_error_t **err)
{
	CTR__CLEANUP(ctr__pod_stored_free) struct ctr__pod_stored stored = {.slot = 0};
	int r = look(pod, list, err);

	if (r >= 0)
		r = ctr__pod_read(pod, &stored, err);
	return r < 0 ? r : ctr__store_pod_containers(pod->rt->store, pod->id, list, err);
}

int ctr_pod_infra(ctr_pod_t *pod, char **id, ctr_error_t **err)
{
	CTR__CLEANUP(ctr__pod_stored_free) struct ctr__pod_stored stored = {.slot = 0};
	int r = look(pod, id, err);

	if (r >= 0)
		r = ctr__pod_read(pod, &stored, err);
	if (r < 0)
		return r;
	*id = stored.infra[0] ? strdup(stored.infra) : NULL;
	return *id || !stored.infra[0] ? 0 : ctr__fail_nomem(err);
}

int ctr_pod_inspect(ctr_pod_t *pod, uint64_t flags, char **out, size_t *len, ctr_error_t **err)
{
	int r = look(pod, out, err);

	if (r >= 0)
		r = check_flags(flags, 0, "inspecting a pod", err);
	return r < 0 ? r : ctr__pod_inspect(pod, out, len, err);
}

/* ---- operations ---- */

static int begin(
    const ctr_pod_t *pod, uint64_t flags, uint64_t known, const char *what, ctr_error_t **err)
{
	int r = look(pod, "", err);

	if (r >= 0)
		r = check_flags(flags, known, what, err);
	return r < 0 ? r : ctr__store_check(pod->rt->store, err);
}

static int check_timeout(int64_t timeout_ms, ctr_error_t **err)
{
	if (timeout_ms < -1)
		return ctr__fail(err, CTR_E_INVALID, "timeout %lld ms is negative (-1 = no limit)",
		    (long long)timeout_ms);
	return 0;
}

int ctr_pod_start(ctr_pod_t *pod, uint64_t flags, ctr_error_t **err)
{
	int r = begin(pod, flags, 0, "starting a pod", err);

	return r < 0 ? r : ctr__pod_start(pod, err);
}

int ctr_pod_stop(ctr_pod_t *pod, int64_t timeout_ms, uint64_t flags, ctr_error_t **err)
{
	int r = begin(pod, flags, CTR_POD_STOP_NOW, "stopping a pod", err);

	if (r >= 0)
		r = check_timeout(timeout_ms, err);
	return r < 0 ? r : ctr__pod_stop(pod, timeout_ms, flags & CTR_POD_STOP_NOW, err);
}

int ctr_pod_kill(ctr_pod_t *pod, int32_t sig, ctr_error_t **err)
{
	int r = begin(pod, 0, 0, "", err);

	if (r >= 0 && (sig < 1 || sig > 64))
		r = ctr__fail(err, CTR_E_INVALID, "there is no signal %d (1 to 64)", sig);
	return r < 0 ? r : ctr__pod_kill(pod, sig, err);
}

int ctr_pod_pause(ctr_pod_t *pod, ctr_error_t **err)
{
	int r = begin(pod, 0, 0, "", err);

	return r < 0 ? r : ctr__pod_pause(pod, err);
}

int ctr_pod_unpause(ctr_pod_t *pod, ctr_error_t **err)
{
	int r = begin(pod, 0, 0, "", err);

	return r < 0 ? r : ctr__pod_unpause(pod, err);
}

int ctr_pod_restart(ctr_pod_t *pod, int64_t timeout_ms, ctr_error_t **err)
{
	int r = begin(pod, 0, 0, "", err);

	if (r >= 0)
		r = check_timeout(timeout_ms, err);
	return r < 0 ? r : ctr__pod_restart(pod, timeout_ms, err);
}

int ctr_pod_remove(ctr_pod_t *pod, int64_t timeout_ms, uint64_t flags, ctr_error_t **err)
{
	int r = begin(pod, flags, CTR_POD_REMOVE_FORCE, "removing a pod", err);

	if (r >= 0)
		r = check_timeout(timeout_ms, err);
	return r < 0 ? r : ctr__pod_remove(pod, timeout_ms, flags & CTR_POD_REMOVE_FORCE, err);
}

/* ---- listing ---- */

int ctr_pod_list(ctr_runtime_t *rt, const char *const *filters, uint64_t flags,
    ctr_pod_list_t **out, ctr_error_t **err)
{
	int r = ctr__runtime_enter(rt, err);

	if (r >= 0 && !out)
		r = ctr__fail(err, CTR_E_INVALID, "out is NULL");
	if (r >= 0)
		r = check_flags(flags, 0, "listing pods", err);
	return r < 0 ? r : ctr__pod_list(rt, filters, out, err);
}

void ctr_pod_list_free(ctr_pod_list_t *list)
{
	ctr__pod_list_free(list);
}

void ctr_pod_list_freep(ctr_pod_list_t **list)
{
	if (!list)
		return;
	ctr__pod_list_free(*list);
	*list = NULL;
}

size_t ctr_pod_list_count(const ctr_pod_list_t *list)
{
	return list ? list->n : 0;
}

/* A field of one entry; `zero` past the end. */
#define FIELD(function, type, zero, member)                            \
	type function(const ctr_pod_list_t *list, size_t i)            \
	{                                                              \
		return list && i < list->n ? list->v[i].member : zero; \
	}

FIELD(ctr_pod_list_id, const char *, NULL, id)
FIELD(ctr_pod_list_name, const char *, NULL, name)
FIELD(ctr_pod_list_infra, const char *, NULL, infra)
FIELD(ctr_pod_list_status, int32_t, 0, status)
FIELD(ctr_pod_list_containers, size_t, 0, containers)
FIELD(ctr_pod_list_created_ns, int64_t, 0, created_ns)
