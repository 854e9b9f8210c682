/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of events share: an event with everything in it. */
#ifndef LIBCTR_TEST_EVENT_FIXTURE_H
#define LIBCTR_TEST_EVENT_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "event/event.h"
#include "util/cleanup.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* Only what events look at. */
static inline void fill_config(struct ctr_config *cfg)
{
	static const struct ctr__cfg_pair labels[] = {
	    {"app", "web"}, {"empty", ""}, {"tier", "a=b"}};

	*cfg = (struct ctr_config){
	    .id = ID,
	    .name = "quiet_otter",
	    .rootfs_image_name = "docker.io/library/busybox:latest",
	    .rootfs = "/srv/busybox",
	    .labels = {labels, CTR__ARRAY_SIZE(labels)},
	};
}

static inline struct ctr_event *new_event(int32_t type)
{
	struct ctr_config cfg;
	ctr_event_t *ev = NULL;

	fill_config(&cfg);
	assert_int_equal(ctr__event_new(type, &cfg, &ev, NULL), 0);
	return ev;
}

#define EVENT CTR__CLEANUP(ctr_event_unrefp)

#endif
