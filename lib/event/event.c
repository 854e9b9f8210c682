/* SPDX-License-Identifier: Apache-2.0 */
/* The event object and its JSON. */
#include "event/object.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "util/clock.h"
#include "util/json.h"

static const struct {
	int32_t type;
	const char *name;
} names[] = {
    {CTR_EVENT_CREATE, "create"},
    {CTR_EVENT_INIT, "init"},
    {CTR_EVENT_START, "start"},
    {CTR_EVENT_STOP, "stop"},
    {CTR_EVENT_DIED, "died"},
    {CTR_EVENT_KILL, "kill"},
    {CTR_EVENT_PAUSE, "pause"},
    {CTR_EVENT_UNPAUSE, "unpause"},
    {CTR_EVENT_CLEANUP, "cleanup"},
    {CTR_EVENT_REMOVE, "remove"},
    {CTR_EVENT_SYNC, "sync"},
    {CTR_EVENT_MOUNT, "mount"},
    {CTR_EVENT_UNMOUNT, "unmount"},
    {CTR_EVENT_RESTART, "restart"},
    {CTR_EVENT_RENAME, "rename"},
    {CTR_EVENT_UPDATE, "update"},
    {CTR_EVENT_REFRESH, "refresh"},
    {CTR_EVENT_HEALTH_STATUS, "health_status"},
    {CTR_EVENT_PRUNE, "prune"},
    {CTR_EVENT_ATTACH, "attach"},
    {CTR_EVENT_EXEC, "exec"},
    {CTR_EVENT_EXEC_DIED, "exec_died"},
    {CTR_EVENT_LOST, "lost"},
};

const char *ctr__event_type_name(int32_t type)
{
	for (size_t i = 0; i < CTR__ARRAY_SIZE(names); i++) {
		if (names[i].type == type)
			return names[i].name;
	}
	return "unknown";
}

int32_t ctr__event_type_of(const char *word)
{
	if (strcmp(word, "die") == 0)
		return CTR_EVENT_DIED;
	for (size_t i = 0; i < CTR__ARRAY_SIZE(names); i++) {
		if (strcmp(names[i].name, word) == 0)
			return names[i].type;
	}
	return CTR_EVENT_UNKNOWN;
}

int32_t ctr__event_object(const struct ctr_event *ev)
{
	return ev->type == CTR_EVENT_LOST ? CTR_EVENT_OBJECT_SYSTEM : ev->object;
}

static const char *const objects[] = {
    [CTR_EVENT_OBJECT_CONTAINER] = "container",
    [CTR_EVENT_OBJECT_POD] = "pod",
    [CTR_EVENT_OBJECT_SYSTEM] = "system",
};

const char *ctr__event_object_name(int32_t object)
{
	if (object < 0 || object >= (int32_t)CTR__ARRAY_SIZE(objects))
		return "unknown";
	return objects[object];
}

int32_t ctr__event_object_of(const char *word)
{
	for (size_t i = 0; i < CTR__ARRAY_SIZE(objects); i++) {
		if (strcmp(objects[i], word) == 0)
			return (int32_t)i;
	}
	return -1;
}

struct ctr_event *ctr__event_alloc(void)
{
	struct ctr__arena arena = {0};
	struct ctr_event *ev = ctr__arena_alloc(&arena, sizeof(*ev));

	if (!ev)
		return NULL;
	atomic_init(&ev->refs, 1);
	ev->id = ev->name = ev->image = "";
	ev->pod = ev->health_status = ev->health_log = ev->error = ev->exec_id = "";
	ev->arena = arena;
	return ev;
}

void ctr__event_free(struct ctr_event *ev)
{
	struct ctr__arena arena;

	if (!ev)
		return;
	arena = ev->arena; /* the object lives in its own arena */
	ctr__arena_free(&arena);
}

void ctr__event_freep(struct ctr_event **ev)
{
	ctr__event_free(*ev);
}

/* Length of the longest valid UTF-8 sequence (of at most 4 bytes) at `s`; 0 if there is none. */
static size_t utf8_step(const char *s, size_t len)
{
	for (size_t n = 1; n <= 4 && n <= len; n++) {
		if (ctr__utf8_valid(s, n))
			return n;
	}
	return 0;
}

/* A copy in which each byte that is not UTF-8 is a "?". */
static const char *copy_text(struct ctr__arena *a, const char *s)
{
	size_t len = s ? strlen(s) : 0;
	char *copy;

	if (len == 0)
		return "";
	copy = ctr__arena_strndup(a, s, len);
	if (!copy || ctr__utf8_valid(copy, len))
		return copy;
	for (size_t i = 0; i < len;) {
		size_t step = utf8_step(copy + i, len - i);

		if (step == 0) {
			copy[i] = '?';
			step = 1;
		}
		i += step;
	}
	return copy;
}

const char *ctr__event_text(struct ctr_event *ev, const char *s)
{
	return copy_text(&ev->arena, s);
}

static bool copy_labels(struct ctr_event *ev, const struct ctr__cfg_map *labels)
{
	struct ctr__cfg_pair *v;

	if (labels->n == 0)
		return true;
	v = ctr__arena_alloc(&ev->arena, labels->n * sizeof(*v));
	if (!v)
		return false;
	for (size_t i = 0; i < labels->n; i++) {
		v[i].key = copy_text(&ev->arena, labels->v[i].key);
		v[i].value = copy_text(&ev->arena, labels->v[i].value);
		if (!v[i].key || !v[i].value)
			return false;
	}
	ev->labels = (struct ctr__cfg_map){v, labels->n};
	return true;
}

static bool copy_config(struct ctr_event *ev, const ctr_config_t *cfg)
{
	const char *image = cfg->rootfs_image_name;

	if (!image || !*image)
		image = cfg->rootfs;
	ev->id = copy_text(&ev->arena, cfg->id);
	ev->name = copy_text(&ev->arena, cfg->name);
	ev->image = copy_text(&ev->arena, image);
	ev->pod = copy_text(&ev->arena, cfg->pod);
	return ev->id && ev->name && ev->image && ev->pod && copy_labels(ev, &cfg->labels);
}

int ctr__event_new(int32_t type, const ctr_config_t *cfg, struct ctr_event **out, ctr_error_t **err)
{
	struct ctr_event *ev CTR__EVENT = ctr__event_alloc();

	*out = NULL;
	if (!ev)
		return ctr__fail_nomem(err);
	ev->type = type;
	ev->time_ns = ctr__now_ns();
	if (cfg && !copy_config(ev, cfg))
		return ctr__fail_nomem(err);
	*out = CTR__STEAL_PTR(ev);
	return 0;
}

/* ---- JSON ---- */

static void add_string(struct ctr__buf *out, const char *s)
{
	ctr__json_write_string(s, strlen(s), out);
}

/* A member after which more follow; left out if it is empty. */
static void add_member(struct ctr__buf *out, const char *key, const char *value)
{
	if (!*value)
		return;
	ctr__buf_addf(out, "\"%s\":", key);
	add_string(out, value);
	ctr__buf_addc(out, ',');
}

/* The same for one before which others stand. */
static void add_last(struct ctr__buf *out, const char *key, const char *value)
{
	if (!*value)
		return;
	ctr__buf_addf(out, ",\"%s\":", key);
	add_string(out, value);
}

static void add_attribute(struct ctr__buf *out, bool *any, const char *key, const char *value)
{
	ctr__buf_adds(out, *any ? "," : ",\"Attributes\":{");
	*any = true;
	add_string(out, key);
	ctr__buf_addc(out, ':');
	add_string(out, value);
}

static bool has_label(const struct ctr_event *ev, const char *key)
{
	for (size_t i = 0; i < ev->labels.n; i++) {
		if (strcmp(ev->labels.v[i].key, key) == 0)
			return true;
	}
	return false;
}

/* What libpod has no key for is an attribute, unless a label has that name. */
static void add_number(
    struct ctr__buf *out, bool *any, const struct ctr_event *ev, const char *key, uint64_t value)
{
	char text[24];

	if (value == 0 || has_label(ev, key))
		return;
	(void)snprintf(text, sizeof(text), "%" PRIu64, value);
	add_attribute(out, any, key, text);
}

static void add_attributes(struct ctr__buf *out, const struct ctr_event *ev)
{
	bool any = false;

	for (size_t i = 0; i < ev->labels.n; i++)
		add_attribute(out, &any, ev->labels.v[i].key, ev->labels.v[i].value);
	if (*ev->exec_id && !has_label(ev, "execID"))
		add_attribute(out, &any, "execID", ev->exec_id);
	if (ev->signal > 0)
		add_number(out, &any, ev, "signal", (uint64_t)ev->signal);
	add_number(out, &any, ev, "count", ev->count);
	if (any)
		ctr__buf_addc(out, '}');
}

/* Order and names of the keys are libpod's; what is empty is left out. */
void ctr__event_json(const struct ctr_event *ev, struct ctr__buf *out)
{
	char time[CTR__RFC3339_MAX];

	ctr__rfc3339_format(ev->time_ns, time);
	ctr__buf_addc(out, '{');
	if (ev->has_exit_code)
		ctr__buf_addf(out, "\"ContainerExitCode\":%" PRId32 ",", ev->exit_code);
	if (ev->oom_killed)
		ctr__buf_adds(out, "\"OOMKilled\":true,");
	add_member(out, "ID", ev->id);
	add_member(out, "Image", ev->image);
	add_member(out, "Name", ev->name);
	ctr__buf_addf(out, "\"Status\":\"%s\",\"Time\":\"%s\",\"Type\":\"%s\"",
	    ctr__event_type_name(ev->type), time, ctr__event_object_name(ctr__event_object(ev)));
	add_last(out, "health_status", ev->health_status);
	add_last(out, "health_log", ev->health_log);
	if (ev->health_streak)
		ctr__buf_addf(out, ",\"health_failing_streak\":%" PRId64, ev->health_streak);
	add_last(out, "error", ev->error);
	add_last(out, "PodID", ev->pod);
	add_attributes(out, ev);
	ctr__buf_addc(out, '}');
}
