/* SPDX-License-Identifier: Apache-2.0 */
/* The lives of containers as their events tell them: see lives.h. */
#include "lives.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct life {
	char id[80];
	int32_t state; /* CTR_STATE_*; UNKNOWN after lost events */
	bool may_stop; /* "stop" comes right after "died" */
	char past[160];
	struct life *next;
};

/* What an event makes of a state: -1 = impossible. */
static int32_t after(int32_t state, int32_t type, bool may_stop)
{
	switch (type) {
	case CTR_EVENT_CREATE: return -1; /* once, and then it is new */
	case CTR_EVENT_INIT:
		return state == CTR_STATE_CONFIGURED || state == CTR_STATE_EXITED
		           ? CTR_STATE_CREATED
		           : -1;
	case CTR_EVENT_START: return state == CTR_STATE_CREATED ? CTR_STATE_RUNNING : -1;
	case CTR_EVENT_PAUSE: return state == CTR_STATE_RUNNING ? CTR_STATE_PAUSED : -1;
	case CTR_EVENT_UNPAUSE: return state == CTR_STATE_PAUSED ? CTR_STATE_RUNNING : -1;
	case CTR_EVENT_DIED:
		return state == CTR_STATE_CREATED || state == CTR_STATE_RUNNING ||
		               state == CTR_STATE_PAUSED
		           ? CTR_STATE_STOPPED
		           : -1;
	case CTR_EVENT_STOP: return state == CTR_STATE_STOPPED && may_stop ? state : -1;
	/* Also after the end that it brought, and beside the stop of one that was never started. */
	case CTR_EVENT_KILL:
		return state == CTR_STATE_CREATED || state == CTR_STATE_RUNNING ||
		               state == CTR_STATE_PAUSED || state == CTR_STATE_STOPPED
		           ? state
		           : -1;
	case CTR_EVENT_CLEANUP:
		return state == CTR_STATE_STOPPED   ? CTR_STATE_EXITED
		       : state == CTR_STATE_CREATED ? CTR_STATE_CONFIGURED
		                                    : -1;
	case CTR_EVENT_REMOVE:
		return state != CTR_STATE_RUNNING && state != CTR_STATE_PAUSED ? CTR_STATE_REMOVING
		                                                               : -1;
	default: return state; /* sync, mount, unmount */
	}
}

static struct life *find(struct lives *l, const char *id)
{
	struct life *life = l->first;

	while (life && strcmp(life->id, id) != 0)
		life = life->next;
	return life;
}

static void begin(struct lives *l, const char *id, int32_t state)
{
	struct life *life = calloc(1, sizeof(*life));

	if (!life)
		abort();
	snprintf(life->id, sizeof(life->id), "%s", id);
	life->state = state;
	life->next = l->first;
	l->first = life;
}

static void forget(struct lives *l, const struct life *life)
{
	struct life **p = &l->first;

	while (*p != life)
		p = &(*p)->next;
	*p = life->next;
	free((void *)(uintptr_t)life);
}

/* The latest events, for the message. */
static void remember(struct life *life, int32_t type)
{
	size_t len = strlen(life->past);

	if (len > 120) {
		memmove(life->past, life->past + len - 100, 101);
		len = 100;
	}
	snprintf(life->past + len, sizeof(life->past) - len, " %s", ctr_event_name(type));
}

static void violation(struct lives *l, const struct life *life, int32_t type)
{
	fprintf(stderr, "VIOLATION: %.12s was %s and got event %s; before:%s\n", life->id,
	    ctr_state_name(life->state), ctr_event_name(type), life->past);
	l->violations++;
}

static void step(struct lives *l, struct life *life, int32_t type)
{
	int32_t next = after(life->state, type, life->may_stop);

	if (next < 0 && life->state != CTR_STATE_UNKNOWN)
		violation(l, life, type);
	remember(life, type);
	life->may_stop = type == CTR_EVENT_DIED;
	if (next >= 0)
		life->state = next;
	/* runc thaws a paused container whose limits it changes; the sync has found that out. */
	if (type == CTR_EVENT_SYNC && life->state == CTR_STATE_PAUSED)
		life->state = CTR_STATE_UNKNOWN;
	if (type == CTR_EVENT_REMOVE)
		forget(l, life);
}

void lives_take(struct lives *l, const ctr_event_t *ev)
{
	int32_t type = ctr_event_type(ev);
	struct life *life;

	if (type == CTR_EVENT_LOST) {
		l->lost += ctr_event_count(ev);
		for (life = l->first; life; life = life->next)
			life->state = CTR_STATE_UNKNOWN;
		return;
	}
	if (type > 0 && type < LIVES_TYPES)
		l->counts[type]++;
	life = find(l, ctr_event_container_id(ev));
	if (!life && (type == CTR_EVENT_CREATE || l->lost)) {
		begin(l, ctr_event_container_id(ev),
		    type == CTR_EVENT_CREATE ? CTR_STATE_CONFIGURED : CTR_STATE_UNKNOWN);
	} else if (!life) {
		fprintf(stderr, "VIOLATION: %.12s got event %s without being there\n",
		    ctr_event_container_id(ev), ctr_event_name(type));
		l->violations++;
	} else {
		step(l, life, type);
	}
}

void lives_end(struct lives *l)
{
	while (l->first) {
		struct life *life = l->first;

		if (!l->lost) {
			fprintf(stderr, "VIOLATION: no end of %.12s; its last events:%s\n",
			    life->id, life->past);
			l->violations++;
		}
		forget(l, life);
	}
}
