/* SPDX-License-Identifier: Apache-2.0 */
/* Reading events. */
#include "event/event.h"
#include "util/cleanup.h"

const char *ctr_event_name(int32_t type)
{
	return ctr__event_type_name(type);
}

ctr_event_t *ctr_event_ref(ctr_event_t *ev)
{
	if (ev)
		atomic_fetch_add_explicit(&ev->refs, 1, memory_order_relaxed);
	return ev;
}

ctr_event_t *ctr_event_unref(ctr_event_t *ev)
{
	if (ev && atomic_fetch_sub_explicit(&ev->refs, 1, memory_order_acq_rel) == 1)
		ctr__event_free(ev);
	return NULL;
}

void ctr_event_unrefp(ctr_event_t **ev)
{
	if (ev)
		*ev = ctr_event_unref(*ev);
}

int32_t ctr_event_type(const ctr_event_t *ev)
{
	return ev ? ev->type : CTR_EVENT_UNKNOWN;
}

int64_t ctr_event_time_ns(const ctr_event_t *ev)
{
	return ev ? ev->time_ns : 0;
}

const char *ctr_event_container_id(const ctr_event_t *ev)
{
	return ev ? ev->id : "";
}

const char *ctr_event_container_name(const ctr_event_t *ev)
{
	return ev ? ev->name : "";
}

const char *ctr_event_image(const ctr_event_t *ev)
{
	return ev ? ev->image : "";
}

int ctr_event_exit_code(const ctr_event_t *ev, int32_t *code)
{
	if (!ev || !ev->has_exit_code)
		return 0;
	if (code)
		*code = ev->exit_code;
	return 1;
}

int ctr_event_oom_killed(const ctr_event_t *ev)
{
	return ev && ev->oom_killed;
}

int32_t ctr_event_signal(const ctr_event_t *ev)
{
	return ev ? ev->signal : 0;
}

uint64_t ctr_event_count(const ctr_event_t *ev)
{
	return ev ? ev->count : 0;
}

int32_t ctr_event_object(const ctr_event_t *ev)
{
	return ev ? ctr__event_object(ev) : CTR_EVENT_OBJECT_CONTAINER;
}

const char *ctr_event_object_name(int32_t object)
{
	return ctr__event_object_name(object);
}

const char *ctr_event_pod_id(const ctr_event_t *ev)
{
	if (!ev)
		return "";
	return ctr__event_object(ev) == CTR_EVENT_OBJECT_POD ? ev->id : ev->pod;
}

const char *ctr_event_exec_id(const ctr_event_t *ev)
{
	return ev ? ev->exec_id : "";
}

const char *ctr_event_health_status(const ctr_event_t *ev)
{
	return ev ? ev->health_status : "";
}

const char *ctr_event_health_log(const ctr_event_t *ev)
{
	return ev ? ev->health_log : "";
}

int64_t ctr_event_health_streak(const ctr_event_t *ev)
{
	return ev ? ev->health_streak : 0;
}

const char *ctr_event_error_text(const ctr_event_t *ev)
{
	return ev ? ev->error : "";
}

int ctr_event_label_at(const ctr_event_t *ev, size_t i, const char **key, const char **value)
{
	if (!ev || i >= ev->labels.n)
		return 0;
	if (key)
		*key = ev->labels.v[i].key;
	if (value)
		*value = ev->labels.v[i].value;
	return 1;
}

int ctr_event_to_json(const ctr_event_t *ev, char **out, size_t *len, ctr_error_t **err)
{
	struct ctr__buf buf CTR__BUF = {0};
	size_t n;

	if (!ev)
		return ctr__fail(err, CTR_E_INVALID, "event is NULL");
	if (!out)
		return ctr__fail(err, CTR_E_INVALID, "out is NULL");
	ctr__event_json(ev, &buf);
	n = buf.len;
	*out = ctr__buf_steal(&buf);
	if (!*out)
		return ctr__fail_nomem(err);
	if (len)
		*len = n;
	return 0;
}
