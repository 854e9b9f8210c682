/* SPDX-License-Identifier: Apache-2.0 */
/* Events about pods. */
#include "event/object.h"
#include "event/pod_event.h"

static bool fill(struct ctr_event *ev, const ctr_pod_config_t *cfg)
{
	struct ctr__cfg_pair *v = NULL;
	size_t n = cfg->labels.n;

	ev->id = ctr__arena_strdup(&ev->arena, cfg->id);
	ev->name = ctr__arena_strdup(&ev->arena, cfg->name ? cfg->name : "");
	ev->pod = ev->id;
	if (n > 0)
		v = ctr__arena_alloc(&ev->arena, n * sizeof(*v));
	if (!ev->id || !ev->name || (n > 0 && !v))
		return false;
	for (size_t i = 0; i < n; i++) {
		v[i].key = ctr__arena_strdup(&ev->arena, cfg->labels.v[i].key);
		v[i].value = ctr__arena_strdup(&ev->arena, cfg->labels.v[i].value);
		if (!v[i].key || !v[i].value)
			return false;
	}
	ev->labels = (struct ctr__cfg_map){v, n};
	return true;
}

int ctr__pod_event_new(
    int32_t type, const ctr_pod_config_t *cfg, struct ctr_event **out, ctr_error_t **err)
{
	struct ctr_event *ev CTR__EVENT = NULL;
	int r = ctr__event_new(type, NULL, &ev, err);

	*out = NULL;
	if (r < 0)
		return r;
	ev->object = CTR_EVENT_OBJECT_POD;
	if (!fill(ev, cfg))
		return ctr__fail_nomem(err);
	*out = CTR__STEAL_PTR(ev);
	return 0;
}
