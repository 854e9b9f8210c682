/* SPDX-License-Identifier: Apache-2.0 */
/* The builder behind ctr_config_builder_*(). */
#ifndef LIBCTR_CONFIG_BUILDER_H
#define LIBCTR_CONFIG_BUILDER_H

#include "config/config.h"

/* `cfg` NULL: empty. NULL if memory is short. */
ctr_config_builder_t *ctr__builder_new(const ctr_config_t *cfg);
void ctr__builder_free(ctr_config_builder_t *b);

int ctr__builder_set_str(
    ctr_config_builder_t *b, int32_t field, const char *value, ctr_error_t **err);
int ctr__builder_set_bool(ctr_config_builder_t *b, int32_t field, int32_t value, ctr_error_t **err);
int ctr__builder_set_num(ctr_config_builder_t *b, int32_t field, int64_t value, ctr_error_t **err);
int ctr__builder_add_str(
    ctr_config_builder_t *b, int32_t field, const char *value, ctr_error_t **err);
int ctr__builder_set_map(
    ctr_config_builder_t *b, int32_t field, const char *key, const char *value, ctr_error_t **err);
int ctr__builder_set_json(
    ctr_config_builder_t *b, int32_t field, const char *json, size_t len, ctr_error_t **err);

int ctr__builder_build(const ctr_config_builder_t *b, ctr_config_t **out, ctr_error_t **err);

/* The spec that a build would use, appended as text. */
int ctr__builder_write_spec(const ctr_config_builder_t *b, struct ctr__buf *out, ctr_error_t **err);

#endif
