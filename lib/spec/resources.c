/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changing the limits in a spec. The members known here are those that runc and crun both apply to a container that
 * runs; anything else would be stored and silently not be true.
 */
#include "spec/resources.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "util/cleanup.h"

enum kind { LIMIT, RANGE, TEXT };

struct member {
	const char *group, *name;
	enum kind kind;
	int64_t lowest, highest;
	int64_t none; /* what it is if nobody says; 0 = that depends on the host */
};

/* LIMIT: -1 (none) or lowest..highest. Zero means "as it is" to some runtimes and "nothing at all" to others. */
static const struct member members[] = {
    {"memory", "limit", LIMIT, 1, INT64_MAX, -1},
    {"memory", "reservation", LIMIT, 1, INT64_MAX, -1},
    {"memory", "swap", LIMIT, 1, INT64_MAX, -1},
    {"cpu", "shares", RANGE, 2, 262144, 1024},
    {"cpu", "quota", LIMIT, 1000, INT64_MAX, -1},
    {"cpu", "period", RANGE, 1000, 1000000, 100000},
    {"cpu", "realtimeRuntime", LIMIT, 1, INT64_MAX, 0},
    {"cpu", "realtimePeriod", RANGE, 1, INT64_MAX, 0},
    {"cpu", "cpus", TEXT, 0, 0, 0},
    {"cpu", "mems", TEXT, 0, 0, 0},
    {"pids", "limit", LIMIT, 1, INT64_MAX, -1},
    {"blockIO", "weight", RANGE, 10, 1000, 0},
};

#define UNIFIED "unified"

static CTR__PRINTF(5, 6) int bad(
    ctr_error_t **err, int code, const char *group, const char *name, const char *fmt, ...)
{
	CTR__FREE char *field = ctr__format("resources%s%s%s%s", group ? "." : "",
	    group ? group : "", name ? "." : "", name ? name : "");
	char text[160];
	va_list ap;

	if (!field)
		return ctr__fail_nomem(err);
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	ctr__fail(err, code, "%s %s", field, text);
	ctr__error_detail(err, "field", field);
	return code;
}

/* ---- checking a change ---- */

static const struct member *find_member(const char *group, const char *name)
{
	for (size_t i = 0; i < CTR__ARRAY_SIZE(members); i++) {
		if (strcmp(members[i].group, group) == 0 &&
		    (!name || strcmp(members[i].name, name) == 0))
			return &members[i];
	}
	return NULL;
}

static int check_number(const struct member *m, const struct ctr__json *v, ctr_error_t **err)
{
	int64_t n;

	if (ctr__json_i64(v, &n) &&
	    ((n >= m->lowest && n <= m->highest) || (m->kind == LIMIT && n == -1)))
		return 0;
	if (m->kind == LIMIT)
		return bad(err, CTR_E_INVALID, m->group, m->name,
		    "must be a whole number from %" PRId64 " on, or -1 for no limit", m->lowest);
	return bad(err, CTR_E_INVALID, m->group, m->name,
	    "must be a whole number from %" PRId64 " to %" PRId64, m->lowest, m->highest);
}

/* "0-3,5" */
static int check_cpuset(const struct member *m, const struct ctr__json *v, ctr_error_t **err)
{
	const char *text = ctr__json_str(v);

	if (text && *text && text[strspn(text, "0123456789,-")] == '\0')
		return 0;
	return bad(err, CTR_E_INVALID, m->group, m->name, "must be a list such as \"0-2,4\"");
}

static int check_group(const struct ctr__json *group, ctr_error_t **err)
{
	if (!find_member(group->key, NULL))
		return bad(err, CTR_E_UNSUPPORTED, group->key, NULL, "cannot be changed");
	if (group->type != CTR__JSON_OBJECT)
		return bad(err, CTR_E_INVALID, group->key, NULL, "must be an object, not %s",
		    ctr__json_type_name(group->type));
	CTR__JSON_EACH (v, group) {
		const struct member *m = find_member(group->key, v->key);
		int r;

		if (!m)
			return bad(err, CTR_E_UNSUPPORTED, group->key, v->key, "cannot be changed");
		r = m->kind == TEXT ? check_cpuset(m, v, err) : check_number(m, v, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Names of files in a cgroup: the runtime writes to them. */
static int check_unified(const struct ctr__json *unified, ctr_error_t **err)
{
	if (unified->type != CTR__JSON_OBJECT)
		return bad(err, CTR_E_INVALID, UNIFIED, NULL, "must be an object, not %s",
		    ctr__json_type_name(unified->type));
	CTR__JSON_EACH (v, unified) {
		if (!strchr(v->key, '.') || strchr(v->key, '/') || v->key[0] == '.' ||
		    strncmp(v->key, "cgroup.", 7) == 0)
			return bad(err, CTR_E_INVALID, UNIFIED, v->key,
			    "is no file of a controller of cgroup 2");
		if (v->type != CTR__JSON_STRING)
			return bad(err, CTR_E_INVALID, UNIFIED, v->key, "must be a string");
	}
	return 0;
}

int ctr__resources_check(const struct ctr__json *change, ctr_error_t **err)
{
	if (change->type != CTR__JSON_OBJECT || !change->count)
		return bad(err, CTR_E_INVALID, NULL, NULL, "must be an object with members");
	CTR__JSON_EACH (group, change) {
		int r = strcmp(group->key, UNIFIED) == 0 ? check_unified(group, err)
		                                         : check_group(group, err);

		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- merging ---- */

static int check_memory(const struct ctr__json *memory, ctr_error_t **err)
{
	int64_t limit = -1, swap = -1;

	(void)ctr__json_i64(ctr__json_get(memory, "limit"), &limit);
	(void)ctr__json_i64(ctr__json_get(memory, "swap"), &swap);
	if (swap <= 0)
		return 0;
	if (limit <= 0)
		return bad(err, CTR_E_INVALID, "memory", "swap",
		    "needs a memory limit: it is the sum of both; set it to -1");
	if (swap < limit)
		return bad(err, CTR_E_INVALID, "memory", "swap",
		    "is the sum of memory and swap and must not be less than the memory limit: "
		    "%" PRId64 " < %" PRId64,
		    swap, limit);
	return 0;
}

static int merge_group(struct ctr__json_doc *d, struct ctr__json *resources,
    const struct ctr__json *change, ctr_error_t **err)
{
	struct ctr__json *group = ctr__json_want_object(d, resources, change->key);

	if (!group)
		return ctr__fail_nomem(err);
	CTR__JSON_EACH (v, change) {
		if (!ctr__json_set(d, group, v->key, ctr__json_copy(d, v)))
			return ctr__fail_nomem(err);
	}
	return strcmp(change->key, "memory") == 0 ? check_memory(group, err) : 0;
}

/* What is there already has the right types, or libctr would have refused the spec: except groups, of which it
 * knows nothing. */
static int check_present(
    const struct ctr__json *resources, const struct ctr__json *change, ctr_error_t **err)
{
	CTR__JSON_EACH (v, change) {
		const struct ctr__json *old = ctr__json_get(resources, v->key);

		if (old && old->type != CTR__JSON_NULL && old->type != CTR__JSON_OBJECT)
			return bad(err, CTR_E_INVALID, v->key, NULL,
			    "is no object in the container's spec");
	}
	return 0;
}

int ctr__resources_merge(struct ctr__json_doc *d, struct ctr__json *spec,
    const struct ctr__json *change, struct ctr__json **merged, ctr_error_t **err)
{
	struct ctr__json *os = ctr__json_want_object(d, spec, "linux");
	struct ctr__json *resources = os ? ctr__json_want_object(d, os, "resources") : NULL;
	int r;

	if (!resources)
		return ctr__fail_nomem(err);
	r = check_present(resources, change, err);
	if (r < 0)
		return r;
	CTR__JSON_EACH (group, change) {
		r = merge_group(d, resources, group, err);
		if (r < 0)
			return r;
	}
	if (merged)
		*merged = resources;
	return 0;
}

/* ---- what a runtime is told ---- */

static bool can_change(const struct ctr__json *group, const struct ctr__json *v)
{
	if (v->type == CTR__JSON_NULL)
		return false;
	return strcmp(group->key, UNIFIED) == 0 || find_member(group->key, v->key);
}

static bool copy_group(struct ctr__json_doc *d, struct ctr__json *to, const struct ctr__json *group)
{
	struct ctr__json *own = NULL;

	CTR__JSON_EACH (v, group) {
		if (!can_change(group, v))
			continue;
		if (!own && !(own = ctr__json_want_object(d, to, group->key)))
			return false;
		if (!ctr__json_set(d, own, v->key, ctr__json_copy(d, v)))
			return false;
	}
	return true;
}

static bool lift_group(struct ctr__json_doc *d, struct ctr__json *to, const struct ctr__json *group)
{
	CTR__JSON_EACH (v, group) {
		const struct member *m = find_member(group->key, v->key);
		struct ctr__json *own;

		if (!m || !m->none || ctr__json_path(to, group->key, v->key, NULL))
			continue;
		own = ctr__json_want_object(d, to, group->key);
		if (!own || !ctr__json_set(d, own, v->key, ctr__json_new_i64(d, m->none)))
			return false;
	}
	return true;
}

int ctr__resources_live(const struct ctr__json *resources, const struct ctr__json *groups,
    const struct ctr__json *lift, struct ctr__buf *out, ctr_error_t **err)
{
	CTR__JSON_DOC struct ctr__json_doc *d = ctr__json_doc_new();

	if (!d || !(d->root = ctr__json_new_object(d)))
		return ctr__fail_nomem(err);
	CTR__JSON_EACH (group, resources) {
		if (group->type != CTR__JSON_OBJECT ||
		    (groups && !ctr__json_get(groups, group->key)))
			continue;
		if (!copy_group(d, d->root, group))
			return ctr__fail_nomem(err);
	}
	CTR__JSON_EACH (group, lift) {
		if (!lift_group(d, d->root, group))
			return ctr__fail_nomem(err);
	}
	ctr__json_write(d->root, false, out);
	return out->failed ? ctr__fail_nomem(err) : 0;
}
