/* SPDX-License-Identifier: Apache-2.0 */
/* Filters of events: "key=value"; any of the same key, all of different keys. */
#include <string.h>

#include "event/event.h"
#include "util/arena.h"
#include "util/cleanup.h"

struct ctr__event_filter {
	struct ctr__arena arena; /* owns everything, this too */
	/* Each list is as long as there are filters in all. */
	const char **containers;
	size_t containers_n;
	int32_t *types;
	size_t types_n;
	struct ctr__cfg_pair *labels; /* value NULL: any */
	size_t labels_n;
};

static void filter_freep(struct ctr__event_filter **f)
{
	ctr__event_filter_free(*f);
}

void ctr__event_filter_free(struct ctr__event_filter *f)
{
	struct ctr__arena arena;

	if (!f)
		return;
	arena = f->arena;
	ctr__arena_free(&arena);
}

static struct ctr__event_filter *filter_new(size_t n)
{
	struct ctr__arena arena CTR__ARENA = {0};
	struct ctr__event_filter *f = ctr__arena_alloc(&arena, sizeof(*f));

	if (!f)
		return NULL;
	f->containers = ctr__arena_alloc(&arena, n * sizeof(*f->containers));
	f->types = ctr__arena_alloc(&arena, n * sizeof(*f->types));
	f->labels = ctr__arena_alloc(&arena, n * sizeof(*f->labels));
	if (!f->containers || !f->types || !f->labels)
		return NULL;
	f->arena = arena;
	arena = (struct ctr__arena){0};
	return f;
}

static int add_container(struct ctr__event_filter *f, const char *value, ctr_error_t **err)
{
	char *copy = ctr__arena_strdup(&f->arena, value);

	if (!copy)
		return ctr__fail_nomem(err);
	f->containers[f->containers_n++] = copy;
	return 0;
}

static int add_type(struct ctr__event_filter *f, const char *value, ctr_error_t **err)
{
	int32_t type = ctr__event_type_of(value);

	if (type == CTR_EVENT_UNKNOWN)
		return ctr__fail(err, CTR_E_INVALID, "there are no \"%s\" events", value);
	f->types[f->types_n++] = type;
	return 0;
}

static int add_label(struct ctr__event_filter *f, const char *value, ctr_error_t **err)
{
	char *key = ctr__arena_strdup(&f->arena, value);
	char *equals;

	if (!key)
		return ctr__fail_nomem(err);
	equals = strchr(key, '=');
	if (equals == key)
		return ctr__fail(err, CTR_E_INVALID, "filter \"label=%s\" has no key", value);
	if (equals)
		*equals++ = '\0';
	f->labels[f->labels_n++] = (struct ctr__cfg_pair){key, equals};
	return 0;
}

static const struct {
	const char *key;
	int (*add)(struct ctr__event_filter *f, const char *value, ctr_error_t **err);
} keys[] = {
    {"container=", add_container},
    {"event=", add_type},
    {"label=", add_label},
};

static int add_filter(struct ctr__event_filter *f, const char *text, ctr_error_t **err)
{
	for (size_t i = 0; i < CTR__ARRAY_SIZE(keys); i++) {
		if (!ctr__starts_with(text, keys[i].key))
			continue;
		text += strlen(keys[i].key);
		if (!*text)
			return ctr__fail(
			    err, CTR_E_INVALID, "filter \"%s\" has no value", keys[i].key);
		return keys[i].add(f, text, err);
	}
	if (!strchr(text, '='))
		return ctr__fail(
		    err, CTR_E_INVALID, "filter \"%s\" is not of the form key=value", text);
	return ctr__fail(err, CTR_E_INVALID,
	    "filter \"%s\" has an unknown key: there are container, event, label", text);
}

int ctr__event_filter_parse(
    const char *const *filters, struct ctr__event_filter **out, ctr_error_t **err)
{
	size_t n = filters ? ctr__strv_len(filters) : 0;
	struct ctr__event_filter *f CTR__CLEANUP(filter_freep) = NULL;

	*out = NULL;
	if (n == 0)
		return 0;
	f = filter_new(n);
	if (!f)
		return ctr__fail_nomem(err);
	for (size_t i = 0; i < n; i++) {
		int r = add_filter(f, filters[i], err);

		if (r < 0)
			return r;
	}
	*out = CTR__STEAL_PTR(f);
	return 0;
}

static bool match_container(const struct ctr__event_filter *f, const struct ctr_event *ev)
{
	for (size_t i = 0; i < f->containers_n; i++) {
		if (ctr__starts_with(ev->id, f->containers[i]) ||
		    strcmp(ev->name, f->containers[i]) == 0)
			return true;
	}
	return f->containers_n == 0;
}

static bool match_type(const struct ctr__event_filter *f, const struct ctr_event *ev)
{
	for (size_t i = 0; i < f->types_n; i++) {
		if (ev->type == f->types[i])
			return true;
	}
	return f->types_n == 0;
}

static bool has_label(const struct ctr_event *ev, const struct ctr__cfg_pair *wanted)
{
	for (size_t i = 0; i < ev->labels.n; i++) {
		if (strcmp(ev->labels.v[i].key, wanted->key) == 0)
			return !wanted->value || strcmp(ev->labels.v[i].value, wanted->value) == 0;
	}
	return false;
}

static bool match_label(const struct ctr__event_filter *f, const struct ctr_event *ev)
{
	for (size_t i = 0; i < f->labels_n; i++) {
		if (has_label(ev, &f->labels[i]))
			return true;
	}
	return f->labels_n == 0;
}

bool ctr__event_filter_match(const struct ctr__event_filter *f, const struct ctr_event *ev)
{
	if (!f || ev->type == CTR_EVENT_LOST)
		return true;
	return match_type(f, ev) && match_container(f, ev) && match_label(f, ev);
}
