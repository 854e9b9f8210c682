/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the contract for a state store share about pods. */
#ifndef LIBCTR_TESTS_CONFORMANCE_POD_H
#define LIBCTR_TESTS_CONFORMANCE_POD_H

#include "conformance.h"

#include "store/pod.h"

#define P "1111111111111111111111111111111111111111111111111111111111111111"
#define Q "2222222222222222222222222222222222222222222222222222222222222222"

#define IN_POD(id)   ",\"pod\":\"" id "\""
#define INFRA_OF(id) IN_POD(id) ",\"pause\":true"

static inline void pod_cfg_freep(ctr_pod_config_t **cfg)
{
	ctr__pod_config_unref(*cfg);
}
#define POD_CFG CTR__CLEANUP(pod_cfg_freep)

/* id and name may be NULL. */
static inline ctr_pod_config_t *pod_config(const char *id, const char *name)
{
	const struct ctr_pod_opts o = {
	    .size = sizeof(o), .id = id, .name = name, .hostname = "host", .flags = 0};
	ctr_pod_config_t *cfg = NULL;

	OK(ctr__pod_config_from_opts(&o, &cfg, err));
	return cfg;
}

static inline int try_add_pod(struct fx *f, const char *id, const char *name, ctr_error_t **err)
{
	POD_CFG ctr_pod_config_t *cfg = pod_config(id, name);
	struct ctr__pod_add add = {.pod = cfg};

	return ctr__store_pod_add(f->s, &add, err);
}

static inline void add_pod(struct fx *f, const char *id, const char *name)
{
	OK(try_add_pod(f, id, name, err));
}

static inline void get_pod(struct fx *f, const char *id, const char *name)
{
	CTR__CLEANUP(ctr__pod_stored_free) struct ctr__pod_stored p = {.slot = 0};
	POD_CFG ctr_pod_config_t *cfg = NULL;

	OK(ctr__store_pod_get(f->s, id, &p, err));
	OK(ctr__pod_config_parse(p.json.data, p.json.len, &cfg, err));
	assert_string_equal(cfg->id, id);
	assert_string_equal(cfg->name, name);
}

static inline int try_get_pod(struct fx *f, const char *id, ctr_error_t **err)
{
	CTR__CLEANUP(ctr__pod_stored_free) struct ctr__pod_stored p = {.slot = 0};

	return ctr__store_pod_get(f->s, id, &p, err);
}

static inline void infra_is(struct fx *f, const char *pod, const char *id)
{
	CTR__CLEANUP(ctr__pod_stored_free) struct ctr__pod_stored p = {.slot = 0};

	OK(ctr__store_pod_get(f->s, pod, &p, err));
	assert_string_equal(p.infra, id);
}

static inline int try_lookup_pod(struct fx *f, const char *text, ctr_error_t **err)
{
	char found[CTR__ID_MAX + 1];

	return ctr__store_pod_lookup(f->s, text, found, err);
}

static inline void lookup_pod(struct fx *f, const char *text, const char *id)
{
	char found[CTR__ID_MAX + 1];

	OK(ctr__store_pod_lookup(f->s, text, found, err));
	assert_string_equal(found, id);
}

static inline int has_pod(struct fx *f, const char *id)
{
	int r = 0;

	OK(r = ctr__store_pod_has(f->s, id, err));
	return r;
}

/* All pods: their IDs, each with a space behind it. */
static inline void pods_are(struct fx *f, const char *ids)
{
	CTR__BUF struct ctr__buf list = {0};

	OK(ctr__store_pod_each(f->s, add_to_list, &list, err));
	assert_string_equal(list.len ? list.data : "", ids);
	check_consistent(f);
}

static inline int try_members(struct fx *f, const char *pod, ctr_error_t **err)
{
	CTR__STRV char **ids = NULL;

	return ctr__store_pod_containers(f->s, pod, &ids, err);
}

static inline void members_are(struct fx *f, const char *pod, const char *ids)
{
	CTR__STRV char **list = NULL;
	CTR__BUF struct ctr__buf text = {0};
	struct ctr__pod_members m;
	size_t n = 0;

	OK(ctr__store_pod_containers(f->s, pod, &list, err));
	for (; list[n]; n++)
		ctr__buf_addf(&text, "%s ", list[n]);
	assert_string_equal(text.len ? text.data : "", ids);
	OK(ctr__store_pod_members(f->s, pod, &m, err));
	assert_int_equal(m.n, n);
	for (size_t i = 0; i < n; i++)
		assert_string_equal(m.v[i].id, list[i]);
	ctr__pod_members_free(&m);
	check_consistent(f);
}

static inline int try_remove_pod(struct fx *f, const char *id, ctr_error_t **err)
{
	return ctr__store_pod_remove(f->s, id, NULL, err);
}

static inline int try_empty_pod(struct fx *f, const char *id, ctr_error_t **err)
{
	return ctr__store_pod_remove_containers(f->s, id, err);
}

#endif
