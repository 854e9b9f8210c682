/* SPDX-License-Identifier: Apache-2.0 */
/* What most tests of the public API need: a store of their own, a fake OCI runtime, a container. */
#ifndef TESTS_SUPPORT_FIXTURE_H
#define TESTS_SUPPORT_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <libctr/libctr.h>

#include "fake_oci.h"

struct fixture {
	char dir[128]; /* temporary directory: root, run, rootfs below it */
	char root[160], run[160], rootfs[160];
	ctr_runtime_t *rt;
	struct fake_oci *fake; /* registered as "fake"; belongs to rt */
};

/* cmocka setup and teardown: *state is the fixture. Teardown checks that nothing is left mounted. */
int fixture_setup(void **state);
int fixture_teardown(void **state);

/* Another open of the same store, with a fake runtime `fake` (may be NULL). */
ctr_runtime_t *fixture_open(const struct fixture *f, struct fake_oci **fake);

/* A configuration for the fake runtime; name may be NULL. Unref it. */
ctr_config_t *fixture_config(const struct fixture *f, const char *name);
/* A container with it. Unref it. */
ctr_container_t *fixture_create(const struct fixture *f, const char *name);

/* Brings a new container into a state (CTR_STATE_*): UNKNOWN cannot be reached. */
ctr_container_t *fixture_in_state(struct fixture *f, int32_t state);

/* Fails the test with the error's text unless r >= 0. */
#define OK(expression)                                                                \
	do {                                                                          \
		ctr_error_t *err_ = NULL, **err = &err_;                              \
		int r_ = (expression);                                                \
		if (r_ < 0)                                                           \
			fail_msg("%s: %s (%s)", #expression, ctr_error_message(err_), \
			    ctr_error_name(r_));                                      \
	} while (0)

/* Fails the test unless the expression gives `code`, and the error object agrees. */
#define FAILS(code, expression)                                                               \
	do {                                                                                  \
		ctr_error_t *err_ = NULL, **err = &err_;                                      \
		int r_ = (expression);                                                        \
		if (r_ != (code))                                                             \
			fail_msg("%s: %s instead of %s: %s", #expression, ctr_error_name(r_), \
			    ctr_error_name(code), ctr_error_message(err_));                   \
		assert_int_equal(ctr_error_code(err_), code);                                 \
		assert_true(ctr_error_message(err_)[0]);                                      \
		ctr_error_free(err_);                                                         \
	} while (0)

int32_t state_of(ctr_container_t *c);
void assert_state(ctr_container_t *c, int32_t expected);

/* Reads all events that are there: their names, separated by spaces ("create init start"). malloc'ed. */
char *events_text(ctr_runtime_t *rt);

#endif
