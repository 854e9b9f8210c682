/* SPDX-License-Identifier: Apache-2.0 */
/* Containers that depend on each other, told by numbers, and what happened to them. On top of fixture.h. */
#ifndef TESTS_SUPPORT_FAMILY_H
#define TESTS_SUPPORT_FAMILY_H

#include "fixture.h"

#define FAMILY_MAX 8

struct family {
	struct fixture *f;
	ctr_container_t *c[FAMILY_MAX];
	size_t n;
};

/* One more, which depends on those with the given numbers ("013"). */
void family_add(struct family *w, const char *deps);
/* Several; the events of their creation are read away. */
struct family family_of(void **state, const char *const *deps);
#define FAMILY(...) family_of(state, (const char *const[]){__VA_ARGS__, NULL})
void family_end(struct family *w);

/* The number of a container as a digit; '?' if it is none of them. */
char family_number(const struct family *w, const char *id);
/* Which of them had an event of this type, in that order ("021"). */
void assert_family_events(const struct family *w, int32_t type, const char *expected);

#endif
