/* SPDX-License-Identifier: Apache-2.0 */
/* Filters of events: "key=value"; any of the same key, all of different keys. */
#include <string.h>

#include "event/event.h"
#include "util/arena.h"
#include "util/cleanup.h"
#include "util/clock.h"

struct ctr__event_filter {
	struct ctr__arena arena; /* owns everything, this too */
	/* Each list is as long as there are filters in all. */
	const char **containers;
	size_t containers_n;
	int32_t *types;
	size_t types_n;
	struct ctr__cfg_pair *labels; /* value NULL: any */
	size_t labels_n;
	const char **pods;
	size_t pods_n;
	const char **images;
	size_t images_n;
	uint32_t objects; /* bit 1 << CTR_EVENT_OBJECT_*; 0 = any */
	bool has_since, has_until;
	int64_t now_ns; /* what durations are relative to */
	int64_t since_ns, until_ns;
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
	f->pods = ctr__arena_alloc(&arena, n * sizeof(*f->pods));
	f->images = ctr__arena_alloc(&arena, n * sizeof(*f->images));
	if (!f->containers || !f->types || !f->labels || !f->pods || !f->images)
		return NULL;
	f->now_ns = ctr__now_ns();
	f->arena = arena;
	arena = (struct ctr__arena){0};
	return f;
}

static int add_text(
    struct ctr__event_filter *f, const char **list, size_t *n, const char *value, ctr_error_t **err)
{
	char *copy = ctr__arena_strdup(&f->arena, value);

	if (!copy)
		return ctr__fail_nomem(err);
	list[(*n)++] = copy;
	return 0;
}

static int add_container(struct ctr__event_filter *f, const char *value, ctr_error_t **err)
{
	return add_text(f, f->containers, &f->containers_n, value, err);
}

static int add_pod(struct ctr__event_filter *f, const char *value, ctr_error_t **err)
{
	return add_text(f, f->pods, &f->pods_n, value, err);
}

static int add_image(struct ctr__event_filter *f, const char *value, ctr_error_t **err)
{
	return add_text(f, f->images, &f->images_n, value, err);
}

static int add_object(struct ctr__event_filter *f, const char *value, ctr_error_t **err)
{
	int32_t object = ctr__event_object_of(value);

	if (object < 0)
		return ctr__fail(err, CTR_E_INVALID,
		    "there are no events of type \"%s\": there are container, pod, system", value);
	f->objects |= 1U << object;
	return 0;
}

static int bad_time(const char *key, const char *value, ctr_error_t **err)
{
	return ctr__fail(err, CTR_E_INVALID,
	    "filter \"%s=%s\" is no time: RFC 3339, seconds since 1970, and durations like 1h30m "
	    "are",
	    key, value);
}

static int add_since(struct ctr__event_filter *f, const char *value, ctr_error_t **err)
{
	int64_t ns;

	if (!ctr__moment_parse(value, f->now_ns, false, &ns))
		return bad_time("since", value, err);
	if (!f->has_since || ns < f->since_ns)
		f->since_ns = ns;
	f->has_since = true;
	return 0;
}

static int add_until(struct ctr__event_filter *f, const char *value, ctr_error_t **err)
{
	int64_t ns;

	if (!ctr__moment_parse(value, f->now_ns, true, &ns))
		return bad_time("until", value, err);
	if (!f->has_until || ns > f->until_ns)
		f->until_ns = ns;
	f->has_until = true;
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
    {"pod=", add_pod},
    {"image=", add_image},
    {"type=", add_object},
    {"since=", add_since},
    {"until=", add_until},
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
	    "filter \"%s\" has an unknown key: there are container, pod, image, type, event, "
	    "label, since, "
	    "until",
	    text);
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
	if (f->containers_n > 0 && ctr__event_object(ev) != CTR_EVENT_OBJECT_CONTAINER)
		return false;
	for (size_t i = 0; i < f->containers_n; i++) {
		if (ctr__starts_with(ev->id, f->containers[i]) ||
		    strcmp(ev->name, f->containers[i]) == 0)
			return true;
	}
	return f->containers_n == 0;
}

/* A pod's own events by ID prefix or name, those of its containers by the pod's ID prefix. */
static bool match_pod(const struct ctr__event_filter *f, const struct ctr_event *ev)
{
	bool own = ctr__event_object(ev) == CTR_EVENT_OBJECT_POD;
	const char *id = own ? ev->id : ev->pod;

	for (size_t i = 0; i < f->pods_n; i++) {
		if ((*id && ctr__starts_with(id, f->pods[i])) ||
		    (own && strcmp(ev->name, f->pods[i]) == 0))
			return true;
	}
	return f->pods_n == 0;
}

/* The whole name, or the name without tag or digest. */
static bool is_image(const char *image, const char *wanted)
{
	size_t len = strlen(wanted);

	if (strncmp(image, wanted, len) != 0)
		return false;
	return !image[len] || image[len] == '@' || (image[len] == ':' && !strchr(image + len, '/'));
}

static bool match_image(const struct ctr__event_filter *f, const struct ctr_event *ev)
{
	for (size_t i = 0; i < f->images_n; i++) {
		if (is_image(ev->image, f->images[i]))
			return true;
	}
	return f->images_n == 0;
}

static bool match_object(const struct ctr__event_filter *f, const struct ctr_event *ev)
{
	return !f->objects || (f->objects & (1U << ctr__event_object(ev)));
}

static bool match_time(const struct ctr__event_filter *f, const struct ctr_event *ev)
{
	return (!f->has_since || ev->time_ns >= f->since_ns) &&
	       (!f->has_until || ev->time_ns <= f->until_ns);
}

bool ctr__event_filter_since(const struct ctr__event_filter *f, int64_t *ns)
{
	if (!f || !f->has_since)
		return false;
	*ns = f->since_ns;
	return true;
}

bool ctr__event_filter_until(const struct ctr__event_filter *f, int64_t *ns)
{
	if (!f || !f->has_until)
		return false;
	*ns = f->until_ns;
	return true;
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
	return match_type(f, ev) && match_object(f, ev) && match_container(f, ev) &&
	       match_pod(f, ev) && match_image(f, ev) && match_label(f, ev) && match_time(f, ev);
}
