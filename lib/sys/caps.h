/* SPDX-License-Identifier: Apache-2.0 */
/* Capabilities by name. (The only user of libcap.) */
#ifndef LIBCTR_SYS_CAPS_H
#define LIBCTR_SYS_CAPS_H

#include "util/err.h"

/* podman's default set, as "CAP_..." names that this kernel knows; static strings, NULL-terminated. */
const char *const *ctr__caps_default(void);

/* All capabilities that this kernel knows and that are in our bounding set. Owned (ctr_strv_free). */
int ctr__caps_all(char ***out, ctr_error_t **err);

/* All capabilities that this kernel knows, whether or not we may have them. Owned (ctr_strv_free). */
int ctr__caps_known(char ***out, ctr_error_t **err);

/* "net_admin", "CAP_NET_ADMIN", any case -> malloc'ed "CAP_NET_ADMIN". "ALL" stays "ALL". CTR_E_INVALID if
 * there is no such capability. */
int ctr__cap_normalize(const char *name, char **out, ctr_error_t **err);

#endif
