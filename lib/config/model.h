/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of lib/config share among themselves. */
#ifndef LIBCTR_CONFIG_MODEL_H
#define LIBCTR_CONFIG_MODEL_H

#include "config/config.h"

/* An empty NULL-terminated list. */
extern const char *const ctr__cfg_no_strings[1];

/* The field with this number (key); NULL if there is none. */
const struct ctr__cfg_field *ctr__cfg_field_by_number(int32_t number);

/* A member of a configuration object: `key`, or if that is absent or null the other name under which
 * older or newer writers store it. NULL if both are. */
const struct ctr__json *ctr__cfg_member(const struct ctr__json *root, const char *key);

/* The other name of a key, and the key of another name; NULL if there is none. */
const char *ctr__cfg_alias_of(const char *key);
const char *ctr__cfg_key_of_alias(const char *alias);

/* Decodes one value of a field into `slot`, which has the type of its kind. An empty string and Go's zero
 * time count as absent: *present is then false. */
int ctr__cfg_decode_value(struct ctr__arena *a, const struct ctr__cfg_field *f,
    const struct ctr__json *v, void *slot, bool *present, ctr_error_t **err);

/* Fields and defaults, without what is derived and without any check beyond types: a configuration that
 * may still lack its spec. */
int ctr__cfg_decode(const struct ctr__json *root, ctr_config_t **out, ctr_error_t **err);

/* Fills in the derived members. */
int ctr__cfg_derive(ctr_config_t *cfg, const struct ctr__json *root, ctr_error_t **err);

/* The checks of ctr__config_validate(), with the object that `cfg` was decoded from. */
int ctr__cfg_check(const ctr_config_t *cfg, const struct ctr__json *root, ctr_error_t **err);
int ctr__cfg_check_policy(const ctr_config_t *cfg, ctr_error_t **err);
int ctr__cfg_check_health(const ctr_config_t *cfg, const struct ctr__json *root, ctr_error_t **err);
int ctr__cfg_check_files(const ctr_config_t *cfg, const struct ctr__json *root, ctr_error_t **err);
int ctr__cfg_check_net(const ctr_config_t *cfg, const struct ctr__json *root, ctr_error_t **err);

/* A failure that is about one field: the message says which, the detail "field" too. */
int ctr__cfg_bad(ctr_error_t **err, int code, const char *field, const char *fmt, ...)
    CTR__PRINTF(4, 5);

/* The same for CTR_E_INVALID: the value, and what is wrong with it. */
int ctr__cfg_bad_value(ctr_error_t **err, const char *field, const char *value, const char *what);

/* A value in quotes, fit for a one-line message: shortened, without control characters. */
struct ctr__cfg_shown {
	char text[112];
};
const char *ctr__cfg_show(struct ctr__cfg_shown *to, const char *value);
#define CTR__CFG_SHOW(value) ctr__cfg_show(&(struct ctr__cfg_shown){{0}}, value)

/* Does it hold a space or a control character? */
bool ctr__cfg_has_blank(const char *s);

#endif
