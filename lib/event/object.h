/* SPDX-License-Identifier: Apache-2.0 */
/* Making event objects: what event.c and codec.c share. */
#ifndef LIBCTR_EVENT_OBJECT_H
#define LIBCTR_EVENT_OBJECT_H

#include "event/event.h"
#include "util/cleanup.h"

/* An empty event with one reference, in its own arena; NULL if memory is short. */
struct ctr_event *ctr__event_alloc(void);

void ctr__event_freep(struct ctr_event **ev);
#define CTR__EVENT CTR__CLEANUP(ctr__event_freep)

#endif
