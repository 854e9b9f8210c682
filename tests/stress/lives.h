/* SPDX-License-Identifier: Apache-2.0 */
/* Follows the events of a store: is each container's life a possible one? */
#ifndef TESTS_STRESS_LIVES_H
#define TESTS_STRESS_LIVES_H

#include <stdint.h>

#include <libctr/libctr.h>

enum { LIVES_TYPES = 32 };

struct life; /* one container's */

struct lives {
	struct life *first;
	uint64_t counts[LIVES_TYPES]; /* events by their type */
	uint64_t lost;                /* events that came too late */
	uint64_t violations;
};

/* Takes the next event over; says on standard error what is not possible. */
void lives_take(struct lives *l, const ctr_event_t *ev);
/* Everything must have been removed by now. */
void lives_end(struct lives *l);

#endif
