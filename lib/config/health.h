/* SPDX-License-Identifier: Apache-2.0 */
/* A health check as the configuration describes it, in units to work with. */
#ifndef LIBCTR_CONFIG_HEALTH_H
#define LIBCTR_CONFIG_HEALTH_H

#include "config/config.h"

struct ctr__health_check {
	char **argv;         /* owned; NULL: there is nothing to run */
	int64_t interval_ns; /* 0 = only when asked */
	int64_t timeout_ns;
	int64_t start_period_ns;
	int64_t retries;   /* of a startup check 0 = no limit */
	int64_t successes; /* of a startup check              */
};
void ctr__health_check_free(struct ctr__health_check *h);
#define CTR__HEALTH_CHECK CTR__CLEANUP(ctr__health_check_free)

/* Checks and decodes the member `key` ("healthcheck" or "startupHealthCheck") of a configuration; `v` may be NULL. */
int ctr__health_check_decode(
    const struct ctr__json *v, const char *key, struct ctr__health_check *out, ctr_error_t **err);
/* The same from a configuration. */
int ctr__health_check_of(
    const ctr_config_t *cfg, bool startup, struct ctr__health_check *out, ctr_error_t **err);

#endif
