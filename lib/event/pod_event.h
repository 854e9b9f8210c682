/* SPDX-License-Identifier: Apache-2.0 */
/* Events about pods. */
#ifndef LIBCTR_EVENT_POD_EVENT_H
#define LIBCTR_EVENT_POD_EVENT_H

#include "config/pod.h"
#include "event/event.h"

/* A new event of now about a pod. */
int ctr__pod_event_new(
    int32_t type, const ctr_pod_config_t *cfg, struct ctr_event **out, ctr_error_t **err);

#endif
