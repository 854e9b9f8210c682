/* SPDX-License-Identifier: Apache-2.0 */
/* libctr/version.h - which libctr this is and what it can do. */
#ifndef LIBCTR_VERSION_H
#define LIBCTR_VERSION_H

#include <libctr/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CTR_VERSION_MAJOR 0
#define CTR_VERSION_MINOR 1
#define CTR_VERSION_PATCH 0

/* CTR_CHECK_VERSION: true if the headers are of at least this release. */
#define CTR_CHECK_VERSION(major, minor, patch)  \
	(CTR_VERSION_MAJOR > (major) ||         \
	    (CTR_VERSION_MAJOR == (major) &&    \
	        (CTR_VERSION_MINOR > (minor) || \
	            (CTR_VERSION_MINOR == (minor) && CTR_VERSION_PATCH >= (patch)))))

/*
 * ctr_version: the version of the library that runs, which may be newer than the headers.
 * Any pointer may be NULL. Returns the same as text, e.g. "0.1.0". Static.
 * Since: 0.1
 */
CTR_API const char *ctr_version(int32_t *major, int32_t *minor, int32_t *patch);

/*
 * ctr_has_feature: 1 if the library that runs has the named feature, else 0. The names are listed
 * in docs/features.md; an unknown name is 0.
 * Since: 0.1
 */
CTR_API int ctr_has_feature(const char *name);

/*
 * ctr_feature_at: the name of feature number `i` (from 0), NULL past the end. Static.
 * Since: 0.1
 */
CTR_API const char *ctr_feature_at(size_t i);

#ifdef __cplusplus
}
#endif
#endif
